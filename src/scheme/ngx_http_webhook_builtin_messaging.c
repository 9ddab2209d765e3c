
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

    { NULL, NULL, NULL }
};
