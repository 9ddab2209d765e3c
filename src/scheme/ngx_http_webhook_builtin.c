
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The built-in schemes: what each provider's documentation says, in the
 * language of the webhook_scheme block.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


ngx_http_webhook_provider_t  ngx_http_webhook_providers[] = {

    /*
     * the job number that is the id starts again if the sender loses its
     * queue, the event and the payment intent tell such events apart
     */
    { "bamotf", NULL,
      "signature  $http_x_webhook_signature separator=, prefix=d=;"
      "timestamp  $http_x_webhook_signature separator=, prefix=v= unit=ms;"
      "signed     $request_body$webhook_timestamp;"
      "event_id   json:/idempotenceKey;"
      "event_type json:/event;"
      "dedup_key  json:/idempotenceKey json:/event"
      "           json:/data/paymentIntent/id;"
      "retries    3s;" },

    /* in older events data.id is a card or a transaction, not the event */
    { "bitnob", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_bitnob_signature;"
      "event_id   json:/event_id;"
      "event_id   json:/data/id;"
      "event_type json:/event;"
      "dedup_key  json:/event_id;"
      "dedup_key  body;" },

    { "bitnob-timestamped", "bitnob",
      "algorithm  hmac-sha256;"
      "timestamp  $http_x_bitnob_timestamp;"
      "signed     $http_x_bitnob_timestamp.$request_body;"
      "retries    31s;" },

    { "yoco", "standard-webhooks",
      "tolerance  3m;"
      "retries    28h;" },

    { "nextpay", NULL,
      "signature  $http_x_nextpay_signature;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "retries    156m;" },

    { "standard-webhooks", NULL,
      "signature  $http_webhook_signature \"separator= \" prefix=v1,"
      "           encoding=base64;"
      "timestamp  $http_webhook_timestamp;"
      "signed     $http_webhook_id.$http_webhook_timestamp.$request_body;"
      "secret     prefix=whsec_ encoding=base64;"
      "secret     encoding=base64;"
      "event_id   $http_webhook_id;"
      "event_type json:/type;"
      "retries    76h;" },

    { "standard-webhooks-ed25519", "standard-webhooks",
      "algorithm  ed25519;"
      "signature  $http_webhook_signature \"separator= \" prefix=v1a,"
      "           encoding=base64;"
      "secret     prefix=whpk_ encoding=base64;"
      "secret     encoding=base64;" },

    { "svix", "standard-webhooks",
      "signature  $http_svix_signature $http_webhook_signature \"separator= \""
      "           prefix=v1, encoding=base64;"
      "timestamp  $http_svix_timestamp $http_webhook_timestamp;"
      "signed     $webhook_event_id.$webhook_timestamp.$request_body;"
      "event_id   $http_svix_id;"
      "event_id   $http_webhook_id;"
      "retries    28h;" },

    { "resend", "svix",
      "" },

    { "clerk", "svix",
      "" },

    { "openai", "standard-webhooks",
      "secret     prefix=whsec_ encoding=base64;"
      "secret     encoding=raw;" },

    { "dodo", "standard-webhooks",
      "" },

    { "polar", "standard-webhooks",
      "secret     encoding=raw;" },

    { "gitlab", "standard-webhooks",
      "event_type $http_x_gitlab_event;" },

    { "gitlab-token", NULL,
      "algorithm  token;"
      "signature  $http_x_gitlab_token;"
      "event_id   $http_idempotency_key;"
      "event_type $http_x_gitlab_event;" },

    { "stripe", NULL,
      "signature  $http_stripe_signature separator=, prefix=v1=;"
      "timestamp  $http_stripe_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "retries    73h;" },

    { "mux", NULL,
      "signature  $http_mux_signature separator=, prefix=v1=;"
      "timestamp  $http_mux_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "retries    24h;" },

    { "workos", NULL,
      "signature  $http_workos_signature separator=, prefix=v1=;"
      "timestamp  $http_workos_signature separator=, prefix=t= unit=ms;"
      "tolerance  3m;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   json:/id;"
      "event_type json:/event;"
      "retries    3d;" },

    { "calendly", NULL,
      "signature  $http_calendly_webhook_signature separator=, prefix=v1=;"
      "timestamp  $http_calendly_webhook_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_type json:/event;"
      "dedup_key  body;"
      "retries    24h;" },

    { "persona", NULL,
      "signature  $http_persona_signature \"group= \" separator=,"
      "           prefix=v1=;"
      "timestamp  $http_persona_signature \"group= \" separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   json:/data/id;"
      "event_type json:/data/attributes/name;" },

    { "paddle", NULL,
      "signature  $http_paddle_signature \"separator=;\" prefix=h1=;"
      "timestamp  $http_paddle_signature \"separator=;\" prefix=ts=;"
      "tolerance  5s;"
      "signed     $webhook_timestamp:$request_body;"
      "event_id   json:/event_id;"
      "event_type json:/event_type;"
      "retries    73h;" },

    /* the documentation speaks of milliseconds, and shows seconds */
    { "recurly", NULL,
      "signature  $http_recurly_signature separator=, item=2-;"
      "timestamp  $http_recurly_signature separator=, item=1 unit=s|ms;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   $http_recurly_notification_id;"
      "event_type json:/event_type;"
      "dedup_key  body;"
      "retries    74h;" },

    { "slack", NULL,
      "signature  $http_x_slack_signature prefix=v0=;"
      "timestamp  $http_x_slack_request_timestamp;"
      "signed     v0:$http_x_slack_request_timestamp:$request_body;"
      "event_id   json:/event_id;"
      "event_type json:/event/type;"
      "retries    10m;" },

    { "zoom", NULL,
      "signature  $http_x_zm_signature prefix=v0=;"
      "timestamp  $http_x_zm_request_timestamp;"
      "signed     v0:$http_x_zm_request_timestamp:$request_body;"
      "event_type json:/event;"
      "dedup_key  body;"
      "retries    90m;" },

    /* what triggers and automations send is written by the administrator */
    { "zendesk", NULL,
      "signature  $http_x_zendesk_webhook_signature encoding=base64;"
      "timestamp  $http_x_zendesk_webhook_signature_timestamp unit=rfc3339;"
      "signed     $http_x_zendesk_webhook_signature_timestamp$request_body;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "dedup_key  json:/zendesk_event_version json:/id;"
      "dedup_key  body;" },

    { "twitch", NULL,
      "signature  $http_twitch_eventsub_message_signature prefix=sha256=;"
      "timestamp  $http_twitch_eventsub_message_timestamp unit=rfc3339;"
      "tolerance  10m;"
      "signed     $http_twitch_eventsub_message_id"
                 "$http_twitch_eventsub_message_timestamp"
                 "$request_body;"
      "event_id   $http_twitch_eventsub_message_id;"
      "event_type $http_twitch_eventsub_subscription_type;" },

    /* the delivery id is not signed, and another one in a retry */
    { "box", NULL,
      "signature  $http_box_signature_primary $http_box_signature_secondary"
      "           encoding=base64;"
      "timestamp  $http_box_delivery_timestamp unit=rfc3339;"
      "tolerance  10m 60s;"
      "signed     $request_body$http_box_delivery_timestamp;"
      "event_id   $http_box_delivery_id;"
      "event_type json:/trigger;"
      "dedup_key  body;"
      "retries    3h;" },

    /* the delivery id is not signed, anybody can change it */
    { "github", NULL,
      "signature  $http_x_hub_signature_256 prefix=sha256=;"
      "event_id   $http_x_github_delivery;"
      "event_type $http_x_github_event;"
      "dedup_key  body;" },

    { "gitea", NULL,
      "signature  $http_x_gitea_signature;"
      "event_id   $http_x_gitea_delivery;"
      "event_type $http_x_gitea_event;"
      "dedup_key  body;" },

    { "bitbucket", NULL,
      "signature  $http_x_hub_signature prefix=sha256=;"
      "event_id   $http_x_request_uuid;"
      "event_type $http_x_event_key;"
      "dedup_key  body;" },

    { "jira", NULL,
      "signature  $http_x_hub_signature prefix=sha256=;"
      "event_id   $http_x_atlassian_webhook_identifier;"
      "event_type json:/webhookEvent;"
      "dedup_key  body;" },

    { "intercom", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_hub_signature prefix=sha1=;"
      "event_id   json:/id;"
      "event_type json:/topic;" },

    { "meta", NULL,
      "signature  $http_x_hub_signature_256 prefix=sha256=;"
      "event_type json:/object;"
      "dedup_key  body;"
      "retries    7d;" },

    /* events of different topics can have one body */
    { "shopify", NULL,
      "signature  $http_x_shopify_hmac_sha256 $http_shopify_hmac_sha256"
      "           encoding=base64;"
      "event_id   $http_x_shopify_webhook_id;"
      "event_id   $http_shopify_webhook_id;"
      "event_type $http_x_shopify_topic;"
      "event_type $http_shopify_topic;"
      "dedup_key  $http_x_shopify_topic body;"
      "dedup_key  $http_shopify_topic body;"
      "retries    4h;" },

    { "woocommerce", NULL,
      "signature  $http_x_wc_webhook_signature encoding=base64;"
      "event_id   $http_x_wc_webhook_delivery_id;"
      "event_type $http_x_wc_webhook_topic;"
      "dedup_key  $http_x_wc_webhook_topic body;" },

    { "square", NULL,
      "signature  $http_x_square_hmacsha256_signature encoding=base64;"
      "signed     https://$http_host$request_uri$request_body;"
      "event_id   json:/event_id;"
      "event_type json:/type;"
      "retries    25h;" },

    /* one action is reported for each model that is watched */
    { "trello", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_trello_webhook encoding=base64;"
      "signed     ${request_body}https://$http_host$request_uri;"
      "event_id   json:/action/id;"
      "event_type json:/action/type;"
      "dedup_key  json:/action/id json:/model/id;"
      "dedup_key  body;" },

    { "hubspot-v3", NULL,
      "signature  $http_x_hubspot_signature_v3 encoding=base64;"
      "timestamp  $http_x_hubspot_request_timestamp unit=ms;"
      "signed     ${request_method}https://$http_host$request_uri"
                 "$request_body$http_x_hubspot_request_timestamp;"
      "event_id   json:/0/eventId;"
      "event_type json:/0/subscriptionType;"
      "dedup_key  body;"
      "retries    24h;" },

    { "linear", NULL,
      "signature  $http_linear_signature;"
      "timestamp  json:/webhookTimestamp unit=ms;"
      "tolerance  1m;"
      "event_id   $http_linear_delivery;"
      "event_type $http_linear_event;"
      "dedup_key  body;"
      "retries    7h;" },

    { "line", NULL,
      "signature  $http_x_line_signature encoding=base64;"
      "event_id   json:/events/0/webhookEventId;"
      "event_type json:/events/0/type;"
      "dedup_key  body;" },

    { "lemon-squeezy", NULL,
      "signature  $http_x_signature;"
      "event_id   json:/data/id;"
      "event_type $http_x_event_name;"
      "dedup_key  body;"
      "retries    155s;" },

    { "razorpay", NULL,
      "signature  $http_x_razorpay_signature;"
      "event_id   $http_x_razorpay_event_id;"
      "event_type json:/event;"
      "dedup_key  body;"
      "retries    24h;" },

    { "paystack", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_paystack_signature;"
      "event_id   json:/data/id;"
      "event_type json:/event;"
      "dedup_key  body;" },

    { "flutterwave", NULL,
      "signature  $http_flutterwave_signature encoding=base64;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    { "checkout-com", NULL,
      "signature  $http_cko_signature;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "retries    30h;" },

    { "coinbase-commerce", NULL,
      "signature  $http_x_cc_webhook_signature;"
      "event_id   json:/event/id;"
      "event_type json:/event/type;"
      "retries    73h;" },

    /* a redelivery has a new deliveryId, and another body */
    { "btcpay", NULL,
      "signature  $http_btcpay_sig prefix=sha256=;"
      "event_id   json:/originalDeliveryId;"
      "event_type json:/type;" },

    /* the header is sent twice while a secret is changed */
    { "mollie", NULL,
      "signature  $http_x_mollie_signature separator=, prefix=sha256=;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    { "gocardless", NULL,
      "signature  $http_webhook_signature;"
      "event_id   json:/meta/webhook_id;"
      "event_type json:/events/0/action;" },

    { "adyen-platform", NULL,
      "signature  $http_hmacsignature encoding=base64;"
      "secret     encoding=hex;"
      "event_id   json:/data/id;"
      "event_type json:/type;"
      "dedup_key  body;"
      "retries    30d;" },

    { "airtable", NULL,
      "signature  $http_x_airtable_content_mac prefix=hmac-sha256=;"
      "secret     encoding=base64;"
      "dedup_key  body;" },

    { "typeform", NULL,
      "signature  $http_typeform_signature prefix=sha256= encoding=base64;"
      "event_id   json:/event_id;"
      "event_type json:/event_type;" },

    { "pagerduty", NULL,
      "signature  $http_x_pagerduty_signature separator=, prefix=v1=;"
      "event_id   json:/event/id;"
      "event_type json:/event/event_type;" },

    { "quickbooks", NULL,
      "signature  $http_intuit_signature encoding=base64;"
      "event_id   json:/0/id;"
      "event_type json:/0/type;"
      "dedup_key  body;" },

    { "xero", NULL,
      "signature  $http_x_xero_signature encoding=base64;"
      "event_id   json:/firstEventSequence;"
      "event_type json:/events/0/eventType;"
      "dedup_key  body;" },

    { "docusign", NULL,
      "signature  $http_x_docusign_signature_1 $http_x_docusign_signature_2"
      "           $http_x_docusign_signature_3 $http_x_docusign_signature_4"
      "           $http_x_docusign_signature_5 $http_x_docusign_signature_6"
      "           $http_x_docusign_signature_7 $http_x_docusign_signature_8"
      "           encoding=base64;"
      "event_type json:/event;"
      "dedup_key  body;" },

    { "tatum", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_payload_hash encoding=base64;"
      "event_id   json:/txId;"
      "dedup_key  body;" },

    { "onfido", NULL,
      "signature  $http_x_sha2_signature;"
      "event_id   json:/payload/object/id;"
      "event_type json:/payload/action;"
      "dedup_key  body;" },

    { "vercel", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_vercel_signature;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    { "sentry", NULL,
      "signature  $http_sentry_hook_signature;"
      "event_id   $http_request_id;"
      "event_type $http_sentry_hook_resource;"
      "dedup_key  body;" },

    { "dropbox", NULL,
      "signature  $http_x_dropbox_signature;" },

    { "asana", NULL,
      "signature  $http_x_hook_signature;" },

    { "alchemy", NULL,
      "signature  $http_x_alchemy_signature;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    { "discord", NULL,
      "algorithm  ed25519;"
      "signature  $http_x_signature_ed25519;"
      "timestamp  $http_x_signature_timestamp;"
      "signed     $http_x_signature_timestamp$request_body;"
      "secret     encoding=hex;"
      "event_type json:/event/type;"
      "dedup_key  body;" },

    { "telegram", NULL,
      "algorithm  token;"
      "signature  $http_x_telegram_bot_api_secret_token;"
      "event_id   json:/update_id;" },

    { NULL, NULL, NULL }
};
