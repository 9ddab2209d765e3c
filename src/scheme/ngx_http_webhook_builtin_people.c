
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  People: hiring, customers, appointments, forms, documents.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_people[] = {

    /* documented: Calendly: webhook signatures */
    { "calendly", NULL,
      "signature  $http_calendly_webhook_signature separator=, prefix=v1=;"
      "timestamp  $http_calendly_webhook_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_type json:/event;"
      "dedup_key  body;"
      "retries    24h;" },

    /* documented: Typeform: secure your webhooks */
    { "typeform", NULL,
      "signature  $http_typeform_signature prefix=sha256= encoding=base64;"
      "event_id   json:/event_id;"
      "event_type json:/event_type;" },

    /* documented: Airtable: webhooks */
    { "airtable", NULL,
      "signature  $http_x_airtable_content_mac prefix=hmac-sha256=;"
      "secret     encoding=base64;"
      "dedup_key  body;" },

    /* documented: HubSpot: validating requests */
    { "hubspot-v3", NULL,
      "signature  $http_x_hubspot_signature_v3 encoding=base64;"
      "timestamp  $http_x_hubspot_request_timestamp unit=ms;"
      "signed     ${request_method}https://$http_host$request_uri"
                 "$request_body$http_x_hubspot_request_timestamp;"
      "event_id   json:/0/eventId;"
      "event_type json:/0/subscriptionType;"
      "dedup_key  body;"
      "retries    24h;" },

    /*
     * documented: DocuSign Connect overview,
     * https://developers.docusign.com/platform/webhooks/connect
     */
    { "docusign", NULL,
      "signature  $http_x_docusign_signature_1 $http_x_docusign_signature_2"
      "           $http_x_docusign_signature_3 $http_x_docusign_signature_4"
      "           $http_x_docusign_signature_5 $http_x_docusign_signature_6"
      "           $http_x_docusign_signature_7 $http_x_docusign_signature_8"
      "           encoding=base64;"
      "event_type json:/event;"
      "dedup_key  body;" },

    /*
     * an appointment that is changed twice has the same event again
     *
     * secret: the API key
     * seen: trigger.dev, a program
     */
    { "acuity", NULL,
      "signature  $http_x_acuity_signature encoding=base64;"
      "dedup_key  off;" },

    /*
     * the header must be sent back in the answer
     *
     * secret: the client id
     * seen: Svix Ingest
     */
    { "adobe-sign", NULL,
      "algorithm  token;"
      "signature  $http_x_adobesign_clientid;"
      "dedup_key  body;" },

    /* seen: 4 programs */
    { "ashby", NULL,
      "signature  $http_ashby_signature prefix=sha256=;"
      "dedup_key  body;" },

    /*
     * events say what has changed, and neither when nor to what
     *
     * seen: Nango, trigger.dev
     */
    { "attio", NULL,
      "signature  $http_attio_signature;"
      "event_type json:/events/0/event_type;"
      "dedup_key  off;" },

    /* seen: 4 programs */
    { "bamboohr", NULL,
      "signature  $http_x_bamboohr_signature;"
      "timestamp  $http_x_bamboohr_timestamp;"
      "signed     $request_body$http_x_bamboohr_timestamp;"
      "dedup_key  body;" },

    /* seen: nuxt-webhook-validators, Nango, trigger.dev, a receiver service */
    { "cal-com", NULL,
      "signature  $http_x_cal_signature_256;"
      "event_type json:/triggerEvent;"
      "dedup_key  body;" },

    /*
     * which fields an event has is chosen by the administrator
     *
     * secret: the X-Hook-Secret of the first request
     * seen: Hookdeck, a program
     */
    { "clio", NULL,
      "signature  $http_x_hook_signature;"
      "dedup_key  off;" },

    /* seen: trigger.dev, 4 programs */
    { "close", NULL,
      "signature  $http_close_sig_hash;"
      "timestamp  $http_close_sig_timestamp;"
      "signed     $http_close_sig_timestamp$request_body;"
      "secret     encoding=hex;"
      "event_type json:/event/action;"
      "dedup_key  body;"
      "retries    72h;" },

    /* seen: two lists of providers */
    { "fireflies", NULL,
      "signature  $http_x_hub_signature prefix=sha256=;"
      "dedup_key  off;" },

    /*
     * secret: the verification token of the first request
     * seen: 5 programs
     */
    { "gusto", NULL,
      "signature  $http_x_gusto_signature;"
      "dedup_key  body;" },

    /*
     * secret: the verification token of the first request
     * documented: makenotion/notion-sdk-js src/webhooks.ts
     */
    { "notion", NULL,
      "signature  $http_x_notion_signature prefix=sha256=;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    /* seen: trigger.dev, Svix Ingest */
    { "pandadoc", NULL,
      "signature  $arg_signature;"
      "dedup_key  body;" },

    /*
     * secret: the API secret
     * seen: a receiver service, ngrok, webhooks.fyi, 3 programs
     */
    { "pinwheel", NULL,
      "signature  $http_x_pinwheel_signature prefix=v2=;"
      "timestamp  $http_x_timestamp;"
      "signed     v2:$http_x_timestamp:$request_body;"
      "dedup_key  body;" },

    /* seen: a Rust verifier, trigger.dev, Hookdeck */
    { "tally", NULL,
      "signature  $http_tally_signature encoding=base64;"
      "dedup_key  body;" },

    /*
     * secret: the API token
     * seen: 4 programs
     */
    { "workable", NULL,
      "signature  $http_x_workable_signature;"
      "dedup_key  body;" },

    /* seen: trigger.dev, Hookdeck */
    { "pipedrive", "basic",
      "dedup_key  body;" },

    /*
     * HighLevel replaces it by the next one
     *
     * secret: the public key
     * documented: HighLevel: webhook integration guide,
     * https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide
     */
    { "highlevel", NULL,
      "algorithm  rsa-sha256;"
      "signature  $http_x_wh_signature encoding=base64;"
      "event_id   json:/webhookId;"
      "event_type json:/type;"
      "dedup_key  body;" },

    /*
     * secret: the public key
     * documented: HighLevel: webhook integration guide,
     * https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide
     */
    { "highlevel-ed25519", "highlevel",
      "algorithm  ed25519;"
      "signature  $http_x_ghl_signature encoding=base64;" },

    /*
     * programs do not agree whether the time is in seconds; nothing in an
     * event says when it was
     *
     * seen: hookaido, a program
     */
    { "cituro", NULL,
      "signature  $http_x_cituro_signature separator=, prefix=s=;"
      "timestamp  $http_x_cituro_signature separator=, prefix=t= unit=s|ms;"
      "signed     $webhook_timestamp.$request_body;"
      "event_type json:/type;"
      "dedup_key  off;" },

    /*
     * some events say what has changed, and neither when nor how
     *
     * documented: ClickUp: webhook signature,
     * https://developer.clickup.com/docs/webhooksignature
     */
    { "clickup", NULL,
      "signature  $http_x_signature;"
      "event_type json:/event;"
      "dedup_key  off;" },

    /* documented: Fathom: webhooks, https://developers.fathom.ai/webhooks */
    { "fathom", "standard-webhooks",
      "" },

    /*
     * there is no body
     *
     * secret: the token of the channel
     * documented: Google Calendar: push notifications,
     * https://developers.google.com/workspace/calendar/api/guides/push
     */
    { "google-calendar", NULL,
      "algorithm  token;"
      "signature  $http_x_goog_channel_token;"
      "event_id   $http_x_goog_channel_id $http_x_goog_message_number;"
      "event_type $http_x_goog_resource_state;" },

    /* seen: a list of providers, 2 programs */
    { "hibob", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_bob_signature encoding=base64;"
      "event_type json:/type;"
      "dedup_key  body;" },

    /*
     * secret: the client secret
     * seen: Nango, 4 programs
     */
    { "jobber", NULL,
      "signature  $http_x_jobber_hmac_sha256 encoding=base64;"
      "event_type json:/data/webHookEvent/topic;"
      "dedup_key  body;" },

    /* seen: trigger.dev, Pipedream, Activepieces */
    { "savvycal", NULL,
      "signature  $http_x_savvycal_signature prefix=sha256=;"
      "event_type json:/type;"
      "dedup_key  body;" },

    /*
     * secret: the client secret
     * seen: Hookdeck, 6 programs
     */
    { "oura", NULL,
      "signature  $http_x_oura_signature;"
      "timestamp  $http_x_oura_timestamp;"
      "signed     $http_x_oura_timestamp$request_body;"
      "event_type json:/data_type json:/event_type;"
      "dedup_key  body;"
      "handshake  get token=query:verification_token"
      "           echo=query:challenge as=json:challenge;" },

    /*
     * the digest is called "v1" in the provider's program, and "s" in what it
     * says of it; whether events differ otherwise than by the time is not known
     *
     * documented: go1com/webhook-verifier-js
     */
    { "go1", NULL,
      "signature  $http_go1_signature separator=,= item=4;"
      "timestamp  $http_go1_signature separator=,= item=2;"
      "tolerance  1m;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  off;" },

    { NULL, NULL, NULL }
};
