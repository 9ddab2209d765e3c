
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Messaging: chat, mail, telephony, video calls, support.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_messaging[] = {

    /* documented: Slack: verifying requests */
    { "slack", NULL,
      "signature  $http_x_slack_signature prefix=v0=;"
      "timestamp  $http_x_slack_request_timestamp;"
      "signed     v0:$http_x_slack_request_timestamp:$request_body;"
      "event_id   json:/event_id;"
      "event_type json:/event/type;"
      "retries    10m;"
      "handshake  signed post if=json:/type=url_verification"
      "           echo=json:/challenge;" },

    /* documented: Zoom: webhooks */
    { "zoom", NULL,
      "signature  $http_x_zm_signature prefix=v0=;"
      "timestamp  $http_x_zm_request_timestamp;"
      "signed     v0:$http_x_zm_request_timestamp:$request_body;"
      "event_type json:/event;"
      "dedup_key  body;"
      "retries    90m;"
      "handshake  signed post if=json:/event=endpoint.url_validation"
      "           hmac=json:/payload/plainToken as=json:encryptedToken"
      "           with=json:plainToken;" },

    /*
     * what triggers and automations send is written by the administrator
     *
     * documented: Zendesk: verifying webhooks,
     * https://developer.zendesk.com/documentation/webhooks/verifying/
     */
    { "zendesk", NULL,
      "signature  $http_x_zendesk_webhook_signature encoding=base64;"
      "timestamp  $http_x_zendesk_webhook_signature_timestamp unit=rfc3339;"
      "signed     $http_x_zendesk_webhook_signature_timestamp$request_body;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "dedup_key  json:/zendesk_event_version json:/id;"
      "dedup_key  body;" },

    /*
     * documented: Intercom: webhook notifications,
     * https://developers.intercom.com/docs/webhooks/webhook-notifications
     */
    { "intercom", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_hub_signature prefix=sha1=;"
      "event_id   json:/id;"
      "event_type json:/topic;" },

    /* documented: LINE: receiving messages */
    { "line", NULL,
      "signature  $http_x_line_signature encoding=base64;"
      "event_id   json:/events/0/webhookEventId;"
      "event_type json:/events/0/type;"
      "dedup_key  body;" },

    /* documented: Telegram Bot API: setWebhook */
    { "telegram", NULL,
      "algorithm  token;"
      "signature  $http_x_telegram_bot_api_secret_token;"
      "event_id   json:/update_id;" },


    /* documented: Discord: webhook events */
    { "discord", NULL,
      "algorithm  ed25519;"
      "signature  $http_x_signature_ed25519;"
      "timestamp  $http_x_signature_timestamp;"
      "signed     $http_x_signature_timestamp$request_body;"
      "secret     encoding=hex;"
      "event_type json:/event/type;"
      "dedup_key  body;" },

    /* documented: Resend: verify webhooks requests */
    { "resend", "svix",
      "" },

    /*
     * without an envelope an event is what the publisher wrote
     *
     * secret: what is behind the colon of the API key
     * documented: ably/docs
     * src/pages/docs/platform/integrations/webhooks/index.mdx
     */
    { "ably", NULL,
      "signature  $http_x_ably_signature encoding=base64;"
      "dedup_key  off;" },

    /* seen: 6 programs */
    { "agora", NULL,
      "signature  $http_agora_signature_v2;"
      "dedup_key  body;" },

    /* seen: a receiver service, webhooks.fyi, ngrok */
    { "airship", NULL,
      "signature  $http_x_ua_signature;"
      "timestamp  $http_x_ua_timestamp;"
      "signed     $http_x_ua_timestamp:$request_body;"
      "dedup_key  body;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "beehiiv", "svix",
      "" },

    /* seen: Hookdeck, a program */
    { "courier", NULL,
      "signature  $http_courier_signature separator=, prefix=signature=;"
      "timestamp  $http_courier_signature separator=, prefix=t= unit=ms;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /* seen: a receiver service, Hookdeck, trigger.dev, 6 programs */
    { "customerio", NULL,
      "signature  $http_x_cio_signature;"
      "timestamp  $http_x_cio_timestamp;"
      "signed     v0:$http_x_cio_timestamp:$request_body;"
      "event_id   json:/event_id;"
      "event_type json:/metric;" },

    /*
     * this is for webhooks of applications, those of rules are signed with
     * SHA-1
     *
     * seen: a receiver service, trigger.dev, Hookdeck
     */
    { "front", NULL,
      "signature  $http_x_front_signature encoding=base64;"
      "timestamp  $http_x_front_request_timestamp unit=ms;"
      "signed     $http_x_front_request_timestamp:$request_body;"
      "dedup_key  body;" },

    /* seen: 3 programs */
    { "knock", NULL,
      "signature  $http_x_knock_signature separator=, prefix=s="
      "           encoding=base64;"
      "timestamp  $http_x_knock_signature separator=, prefix=t= unit=ms;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /*
     * the unit of the timestamp is not documented
     *
     * seen: a receiver service, webhooks.fyi
     */
    { "lob", NULL,
      "signature  $http_lob_signature;"
      "timestamp  $http_lob_signature_timestamp unit=s|ms;"
      "signed     $http_lob_signature_timestamp.$request_body;"
      "dedup_key  body;" },

    /* seen: trigger.dev, a Rust verifier */
    { "loops", "standard-webhooks",
      "" },

    /* seen: a receiver service, a Rust verifier, trigger.dev, Hookdeck */
    { "nylas", NULL,
      "signature  $http_x_nylas_signature;"
      "dedup_key  body;"
      "handshake  get echo=query:challenge;" },

    /* documented: pusher/pusher-http-node lib/webhook.js */
    { "pusher", NULL,
      "signature  $http_x_pusher_signature;"
      "dedup_key  body;" },

    /*
     * what an event holds is chosen by the administrator
     *
     * seen: Hookdeck
     */
    { "pylon", NULL,
      "signature  $http_pylon_webhook_signature prefix=hs256=;"
      "timestamp  $http_pylon_webhook_timestamp;"
      "signed     $http_pylon_webhook_timestamp.$request_body;"
      "dedup_key  off;" },

    /* seen: trigger.dev, Hookdeck */
    { "ringcentral", NULL,
      "algorithm  token;"
      "signature  $http_verification_token;"
      "dedup_key  body;" },

    /*
     * of a batch only the first event is signed: such requests are refused
     *
     * seen: trigger.dev, a receiver service, Svix Ingest
     */
    { "segment", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_signature;"
      "dedup_key  body;" },

    /*
     * what is frozen, thawed and frozen again has the same events again
     *
     * secret: the API token
     * seen: 5 programs
     */
    { "sendbird", NULL,
      "signature  $http_x_sendbird_signature;"
      "dedup_key  off;" },

    /* documented: developer.salesforce.com ens-notification-signing */
    { "sfmc", NULL,
      "signature  $http_x_sfmc_ens_signature encoding=base64;"
      "dedup_key  body;" },

    /* documented: sinch/sinch-sdk-node authorization.helper.ts */
    { "sinch", NULL,
      "signature  $http_x_sinch_webhook_signature encoding=base64;"
      "timestamp  $http_x_sinch_webhook_signature_timestamp;"
      "signed     $request_body."
                 "$http_x_sinch_webhook_signature_nonce."
                 "$http_x_sinch_webhook_signature_timestamp;"
      "dedup_key  body;" },

    /* documented: sinch/sinch-sdk-node authorization.helper.ts */
    { "sinch-numbers", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_sinch_signature;"
      "dedup_key  body;" },

    /* seen: a receiver service, trigger.dev, ngrok, webhooks.fyi */
    { "teams", NULL,
      "signature  $http_authorization \"prefix=HMAC \" encoding=base64;"
      "secret     encoding=base64;"
      "dedup_key  body;" },

    /*
     * secret: the public key
     * documented: team-telnyx/telnyx-node src/lib/webhooks.ts
     */
    { "telnyx", NULL,
      "algorithm  ed25519;"
      "signature  $http_telnyx_signature_ed25519 encoding=base64;"
      "timestamp  $http_telnyx_timestamp;"
      "signed     $http_telnyx_timestamp|$request_body;"
      "secret     encoding=base64;"
      "event_id   json:/data/id;"
      "event_type json:/data/event_type;" },

    /*
     * secret: the authentication token
     * documented: Viber/viber-bot-node lib/message/message-validator.js
     */
    { "viber", NULL,
      "signature  $http_x_viber_content_signature;"
      "dedup_key  body;" },

    /*
     * the id in the body is that of the webhook, and what is changed to and
     * fro has the same events again
     *
     * seen: ngrok, trigger.dev, 3 programs
     */
    { "webex", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_spark_signature;"
      "dedup_key  off;" },

    /* seen: a Rust verifier, a receiver service, trigger.dev */
    { "klaviyo", NULL,
      "signature  $http_klaviyo_signature;"
      "timestamp  $http_klaviyo_timestamp unit=http;"
      "signed     $request_body$http_klaviyo_timestamp;"
      "dedup_key  body;" },

    /* documented: Postmark: webhooks */
    { "postmark", "basic",
      "dedup_key  body;" },

    /*
     * several events stand in one request
     *
     * secret: the verification key
     * documented: Twilio SendGrid: event webhook, its security features
     */
    { "sendgrid", NULL,
      "algorithm  ecdsa-sha256;"
      "signature  $http_x_twilio_email_event_webhook_signature"
      "           encoding=base64;"
      "timestamp  $http_x_twilio_email_event_webhook_timestamp;"
      "signed     $http_x_twilio_email_event_webhook_timestamp$request_body;"
      "dedup_key  body;" },

    /*
     * secret: the public key
     * seen: trigger.dev, 3 programs
     */
    { "freshchat", NULL,
      "algorithm  rsa-sha256;"
      "signature  $http_x_freshchat_signature encoding=base64;"
      "event_type json:/action;"
      "dedup_key  body;" },

    /*
     * secret: the public key of the server
     * documented: postalserver/postal lib/postal/http.rb
     */
    { "postal", NULL,
      "algorithm  rsa-sha1;"
      "signature  $http_x_postal_signature encoding=base64;"
      "event_id   json:/uuid;"
      "event_type json:/event;" },

    /*
     * what later servers send besides
     *
     * secret: the JWK Set of the server
     * documented: postalserver/postal lib/postal/http.rb
     */
    { "postal-sha256", "postal",
      "algorithm  rsa-sha256;"
      "signature  $http_x_postal_signature_256 encoding=base64;"
      "key_id     $http_x_postal_signature_kid;" },

    /*
     * a caller can press the same key twice
     *
     * secret: the auth token
     * documented: Twilio: security, validating requests,
     * https://www.twilio.com/docs/usage/security
     */
    { "twilio", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_twilio_signature encoding=base64;"
      "signed     https://$http_host$request_uri$webhook_form_sorted;"
      "event_id   $http_i_twilio_idempotency_token;"
      "dedup_key  off;" },

    /*
     * secret: the auth token
     * documented: Twilio: security, validating requests,
     * https://www.twilio.com/docs/usage/security
     */
    { "twilio-json", "twilio",
      "signed     https://$http_host$request_uri;"
      "body_hash  query:bodySHA256;"
      "dedup_key  body;" },

    /*
     * several events stand in one request
     *
     * secret: the key of the webhook
     * documented: Mailchimp Transactional: authenticating webhook requests
     */
    { "mandrill", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_mandrill_signature encoding=base64;"
      "signed     https://$http_host$request_uri$webhook_form_sorted;"
      "dedup_key  body;"
      "handshake  head status=200;" },

    /*
     * asked for after an answer of 401
     *
     * documented: Bandwidth: applications, CallbackCreds
     */
    { "bandwidth", "basic",
      "dedup_key  body;" },

    /*
     * secret: the token, as configured
     * documented: Brevo: secure webhook calls,
     * https://developers.brevo.com/docs/secured-webhooks.md
     */
    { "brevo", NULL,
      "algorithm  token;"
      "signature  $http_authorization \"prefix=Bearer \";"
      "event_type json:/event;"
      "dedup_key  body;" },

    /*
     * programs do not agree whether the time is in seconds
     *
     * secret: the signing secret of the plugin's hooks
     * seen: trigger.dev, 4 programs
     */
    { "crisp", NULL,
      "signature  $http_x_crisp_signature;"
      "timestamp  $http_x_crisp_request_timestamp unit=s|ms;"
      "signed     \"[$http_x_crisp_request_timestamp;$request_body]\";"
      "event_type json:/event;"
      "dedup_key  body;" },

    /*
     * the documentation does not say whether the time is in seconds
     *
     * seen: trigger.dev, 4 programs
     */
    { "daily", NULL,
      "signature  $http_x_webhook_signature encoding=base64;"
      "timestamp  $http_x_webhook_timestamp unit=s|ms;"
      "signed     $http_x_webhook_timestamp.$request_body;"
      "secret     encoding=base64;"
      "event_type json:/type;"
      "dedup_key  body;" },

    /*
     * one change of a conversation can be two events, with one body
     *
     * seen: trigger.dev, warehouse of PyPI, 4 programs
     */
    { "helpscout", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_helpscout_signature encoding=base64;"
      "event_type $http_x_helpscout_event;"
      "dedup_key  $http_x_helpscout_event body;" },

    /* documented: Whereby: webhooks */
    { "whereby", NULL,
      "signature  $http_whereby_signature separator=, prefix=v1=;"
      "timestamp  $http_whereby_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_type json:/type;"
      "dedup_key  body;" },

    { NULL, NULL, NULL }
};
