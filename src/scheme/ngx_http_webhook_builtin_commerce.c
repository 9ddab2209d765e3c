
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Commerce: shops, orders, shipping, travel.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_commerce[] = {

    /*
     * events of different topics can have one body
     *
     * documented: Shopify: webhooks
     */
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

    /* documented: WooCommerce: webhooks */
    { "woocommerce", NULL,
      "signature  $http_x_wc_webhook_signature encoding=base64;"
      "event_id   $http_x_wc_webhook_delivery_id;"
      "event_type $http_x_wc_webhook_topic;"
      "dedup_key  $http_x_wc_webhook_topic body;" },

    /* seen: a receiver service, ngrok, 3 programs */
    { "aftership", NULL,
      "signature  $http_aftership_hmac_sha256 encoding=base64;"
      "dedup_key  body;" },

    /* documented: akeneo/pim-api-docs content/event-platform/concepts.md */
    { "akeneo", NULL,
      "signature  $http_x_akeneo_signature_primary"
      "           $http_x_akeneo_signature_secondary;"
      "dedup_key  body;" },

    /* seen: Hookdeck, 3 programs */
    { "akeneo-events", NULL,
      "signature  $http_x_akeneo_request_signature;"
      "timestamp  $http_x_akeneo_request_timestamp;"
      "signed     $http_x_akeneo_request_timestamp.$request_body;"
      "dedup_key  body;" },

    /*
     * events of different topics can have one body
     *
     * seen: Hookdeck, trigger.dev
     */
    { "commercelayer", NULL,
      "signature  $http_x_commercelayer_signature encoding=base64;"
      "event_type $http_x_commercelayer_topic;"
      "dedup_key  $http_x_commercelayer_topic body;" },

    /* documented: EasyPost/easypost-node src/utils/util.js */
    { "easypost", NULL,
      "signature  $http_x_hmac_signature prefix=hmac-sha256-hex=;"
      "dedup_key  body;" },

    /* seen: Hookdeck, 6 programs */
    { "enode", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_enode_signature prefix=sha1=;"
      "event_id   $http_x_enode_delivery;"
      "dedup_key  body;" },

    /* seen: a receiver service, a Rust verifier */
    { "etsy", "standard-webhooks",
      "" },

    /*
     * a day that is written twice has the same event again
     *
     * secret: the client secret with & behind it
     * seen: 3 programs
     */
    { "fitbit", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_fitbit_signature encoding=base64;"
      "dedup_key  off;" },

    /* seen: Hookdeck */
    { "flexport", NULL,
      "signature  $http_x_hub_signature_256 prefix=sha256=;"
      "dedup_key  body;" },

    /* documented: docs.fourthwall.com signature-verification */
    { "fourthwall", NULL,
      "signature  $http_x_fourthwall_hmac_sha256"
      "           $http_x_fourthwall_hmac_apps_sha256 encoding=base64;"
      "dedup_key  body;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "guesty", "svix",
      "" },

    /* documented: a source of Svix Ingest, by its client library */
    { "nash", "svix",
      "" },

    /* documented: docs.oracle.com secure-webhooks */
    { "oracle-commerce", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_oracle_cc_webhook_signature encoding=base64;"
      "dedup_key  off;" },

    /* seen: Hookdeck, 3 programs */
    { "picqer", NULL,
      "signature  $http_x_picqer_signature encoding=base64;"
      "dedup_key  body;" },

    /* seen: Hookdeck, a program */
    { "property-finder", NULL,
      "signature  $http_x_signature;"
      "dedup_key  off;" },

    /* seen: 3 programs */
    { "samsara", NULL,
      "signature  $http_x_samsara_signature prefix=v1=;"
      "timestamp  $http_x_samsara_timestamp;"
      "signed     v1:$http_x_samsara_timestamp:$request_body;"
      "secret     encoding=base64;"
      "dedup_key  body;" },

    /*
     * secret: the application management token
     * seen: Hookdeck
     */
    { "smartcar", NULL,
      "signature  $http_sc_signature;"
      "dedup_key  body;" },

    /*
     * secret: the client secret, or the signing key
     * seen: 4 programs
     */
    { "uber", NULL,
      "signature  $http_x_uber_signature;"
      "dedup_key  body;" },

    /* seen: a receiver service, n8n, 3 programs */
    { "onfleet", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_onfleet_signature;"
      "secret     encoding=hex;"
      "dedup_key  body;" },

    /* seen: a receiver service, 4 programs */
    { "shippo", NULL,
      "signature  $http_shippo_auth_signature separator=, prefix=v1=;"
      "timestamp  $http_shippo_auth_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /* documented: Squarespace: verifying notifications */
    { "squarespace", NULL,
      "signature  $http_squarespace_signature;"
      "secret     encoding=hex;"
      "dedup_key  body;" },

    /*
     * an event says what has changed, and neither when nor how
     *
     * secret: the client secret
     * documented: Tiendanube: webhooks, Nuvemshop's other name
     */
    { "nuvemshop", NULL,
      "signature  $http_x_linkedstore_hmac_sha256;"
      "event_type json:/event;"
      "dedup_key  off;" },

    { "tiendanube", "nuvemshop", NULL },

    /*
     * a stock can be what it was before
     *
     * seen: Hookdeck, 4 programs
     */
    { "shiphero", NULL,
      "signature  $http_x_shiphero_hmac_sha256 encoding=base64;"
      "event_id   $http_x_shiphero_message_id;"
      "event_type json:/webhook_type;"
      "dedup_key  off;" },

    { NULL, NULL, NULL }
};
