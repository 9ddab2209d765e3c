
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Finance: banks, bookkeeping, cryptocurrencies.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_finance[] = {

    /*
     * documented: Coinbase Commerce: webhooks overview,
     * https://docs.cdp.coinbase.com/commerce/api-arcitecture/webhooks-overview
     */
    { "coinbase-commerce", NULL,
      "signature  $http_x_cc_webhook_signature;"
      "event_id   json:/event/id;"
      "event_type json:/event/type;"
      "retries    73h;" },

    /*
     * a redelivery has a new deliveryId, and another body
     *
     * documented: BTCPay Server: webhooks
     */
    { "btcpay", NULL,
      "signature  $http_btcpay_sig prefix=sha256=;"
      "event_id   json:/originalDeliveryId;"
      "event_type json:/type;" },

    /* documented: Tatum: notifications */
    { "tatum", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_payload_hash encoding=base64;"
      "event_id   json:/txId;"
      "dedup_key  body;" },

    /* documented: Alchemy: webhooks */
    { "alchemy", NULL,
      "signature  $http_x_alchemy_signature;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    /* documented: Intuit: webhooks */
    { "quickbooks", NULL,
      "signature  $http_intuit_signature encoding=base64;"
      "event_id   json:/0/id;"
      "event_type json:/0/type;"
      "dedup_key  body;" },

    /* documented: Xero: webhooks */
    { "xero", NULL,
      "signature  $http_x_xero_signature encoding=base64;"
      "event_id   json:/firstEventSequence;"
      "event_type json:/events/0/eventType;"
      "dedup_key  body;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "brex", "svix",
      "" },

    /* seen: Hookdeck, 4 programs */
    { "bridge-api", NULL,
      "signature  $http_bridgeapi_signature separator=, prefix=v1=;"
      "dedup_key  body;" },

    /* documented: docs.coinflow.cash verifying-webhook-signatures */
    { "coinflow", NULL,
      "signature  $http_coinflow_signature separator=, prefix=v1=;"
      "timestamp  $http_coinflow_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /* documented: coinify.readme.io/docs/webhook-signature */
    { "coinify", NULL,
      "signature  $http_x_coinify_webhook_signature;"
      "dedup_key  body;" },

    /* seen: a receiver service, trigger.dev */
    { "dwolla", NULL,
      "signature  $http_x_request_signature_sha_256;"
      "dedup_key  body;" },

    /* documented: libraries of lightsparkdev */
    { "lightspark", NULL,
      "signature  $http_lightspark_signature;"
      "dedup_key  body;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "lithic", "svix",
      "" },

    /* seen: trigger.dev, 4 programs */
    { "mercury", NULL,
      "signature  $http_mercury_signature separator=, prefix=v1=;"
      "timestamp  $http_mercury_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /*
     * documented: Modern-Treasury/modern-treasury-node
     * src/resources/webhooks.ts
     */
    { "modern-treasury", NULL,
      "signature  $http_x_signature;"
      "event_type $http_x_topic;"
      "dedup_key  body;" },

    /* documented: a source of Svix Ingest, by its client library */
    { "pleo", "svix",
      "" },

    /* documented: a source of Svix Ingest, by its client library */
    { "psi-fi", "svix",
      "" },

    /* seen: Hookdeck */
    { "synctera", NULL,
      "signature  $http_synctera_signature separator=.;"
      "timestamp  $http_request_timestamp;"
      "signed     $http_request_timestamp.$request_body;"
      "dedup_key  body;" },

    /* seen: 3 programs */
    { "teller", NULL,
      "signature  $http_teller_signature separator=, prefix=v1=;"
      "timestamp  $http_teller_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /*
     * secret: the public key
     * seen: Hookdeck
     */
    { "token-io", NULL,
      "algorithm  ed25519;"
      "signature  $http_token_signature encoding=base64url;"
      "secret     encoding=base64url;"
      "event_type $http_token_event;"
      "dedup_key  off;" },

    /*
     * secret: the public key
     * documented: Wise: webhooks, with transferwise/digital-signatures-examples
     */
    { "wise", NULL,
      "algorithm  rsa-sha256;"
      "signature  $http_x_signature_sha256 encoding=base64;"
      "event_id   $http_x_delivery_id;"
      "event_type json:/event_type;"
      "dedup_key  body;"
      "retries    14d;" },

    /*
     * secret: the public key
     * seen: Hookdeck, 3 programs
     */
    { "utila", NULL,
      "algorithm  rsa-pss-sha512;"
      "signature  $http_x_utila_signature encoding=base64;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    /*
     * who is told that transactions have changed is told it in the same words
     * the next time
     *
     * documented: Tink: webhook signature validation,
     * https://docs.tink.com/resources/api-setup/webhook-signature-validation
     */
    { "tink", NULL,
      "signature  $http_x_tink_signature separator=, prefix=v1=;"
      "timestamp  $http_x_tink_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "event_type json:/event;"
      "dedup_key  off;" },

    /*
     * whether there is anything in an event that tells it from others is not
     * known
     *
     * documented: Setu: verify signature,
     * https://docs.setu.co/payments/umap/notifications/verify-signature
     */
    { "setu", NULL,
      "signature  $http_x_setu_signature;"
      "dedup_key  off;" },

    /*
     * secret: the token of the webhook
     * seen: 4 programs
     */
    { "unit", NULL,
      "algorithm  hmac-sha1;"
      "signature  $http_x_unit_signature encoding=base64;"
      "dedup_key  body;" },

    /* seen: 2 programs, a Rust verifier */
    { "crossmint", "svix",
      "" },

    /*
     * secret: a public key, with its id before it, from Circle's API
     * documented: Circle: webhook notifications, with 4 programs
     */
    { "circle", NULL,
      "algorithm  ecdsa-sha256;"
      "signature  $http_x_circle_signature encoding=base64;"
      "key_id     $http_x_circle_key_id;"
      "event_id   json:/notificationId;"
      "event_type json:/notificationType;"
      "dedup_key  body;" },

    /*
     * the newer webhooks, with a key set, have a signature of another kind
     *
     * secret: the public key of the environment
     * seen: Hookdeck, 4 programs
     */
    { "fireblocks", NULL,
      "algorithm  rsa-sha512;"
      "signature  $http_fireblocks_signature encoding=base64;"
      "event_type json:/type;"
      "dedup_key  body;" },

    /*
     * whether there is anything in an event that tells it from others is not
     * known
     *
     * secret: the client secret
     * seen: Svix Ingest, 2 programs
     */
    { "rutter", NULL,
      "signature  $http_x_rutter_signature prefix=sha256= encoding=base64;"
      "event_type json:/type;"
      "dedup_key  off;" },

    /* seen: Hookdeck */
    { "greendot", "basic",
      "" },

    { NULL, NULL, NULL }
};
