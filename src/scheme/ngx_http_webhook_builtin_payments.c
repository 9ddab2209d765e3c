
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Payments: cards, wallets, subscriptions.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_payments[] = {

    /*
     * the job number that is the id starts again if the sender loses its
     * queue, the event and the payment intent tell such events apart
     *
     * documented: secure-webhooks
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

    /*
     * in older events data.id is a card or a transaction, not the event
     *
     * documented: Bitnob: webhooks
     */
    { "bitnob", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_bitnob_signature;"
      "event_id   json:/event_id;"
      "event_id   json:/data/id;"
      "event_type json:/event;"
      "dedup_key  json:/event_id;"
      "dedup_key  body;" },

    /* documented: Bitnob: webhooks */
    { "bitnob-timestamped", "bitnob",
      "algorithm  hmac-sha256;"
      "timestamp  $http_x_bitnob_timestamp;"
      "signed     $http_x_bitnob_timestamp.$request_body;"
      "retries    31s;" },

    /* documented: Yoco: verifying events */
    { "yoco", "standard-webhooks",
      "tolerance  3m;"
      "retries    28h;" },

    /* documented: NextPay: webhooks */
    { "nextpay", NULL,
      "signature  $http_x_nextpay_signature;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "retries    156m;" },

    /* documented: Stripe: webhook signatures */
    { "stripe", NULL,
      "signature  $http_stripe_signature separator=, prefix=v1=;"
      "timestamp  $http_stripe_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "secret     prefix=whsec_ keep;"
      "secret;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "retries    73h;" },

    /*
     * documented: Paddle: handle webhook delivery,
     * https://developer.paddle.com/webhooks/about/respond-to-webhooks
     */
    { "paddle", NULL,
      "signature  $http_paddle_signature \"separator=;\" prefix=h1=;"
      "timestamp  $http_paddle_signature \"separator=;\" prefix=ts=;"
      "tolerance  5s;"
      "signed     $webhook_timestamp:$request_body;"
      "event_id   json:/event_id;"
      "event_type json:/event_type;"
      "retries    73h;" },

    /*
     * the documentation speaks of milliseconds, and shows seconds
     *
     * documented: Recurly: webhooks,
     * https://docs.recurly.com/recurly-subscriptions/docs/webhooks
     */
    { "recurly", NULL,
      "signature  $http_recurly_signature separator=, item=2-;"
      "timestamp  $http_recurly_signature separator=, item=1 unit=s|ms;"
      "signed     $webhook_timestamp.$request_body;"
      "event_id   $http_recurly_notification_id;"
      "event_type json:/event_type;"
      "dedup_key  body;"
      "retries    74h;" },

    /*
     * documented: Square: how webhooks work,
     * https://developer.squareup.com/docs/webhooks/how-it-works
     */
    { "square", NULL,
      "signature  $http_x_square_hmacsha256_signature encoding=base64;"
      "signed     https://$http_host$request_uri$request_body;"
      "event_id   json:/event_id;"
      "event_type json:/type;"
      "retries    25h;" },

    /* documented: Razorpay: validate and test webhooks */
    { "razorpay", NULL,
      "signature  $http_x_razorpay_signature;"
      "event_id   $http_x_razorpay_event_id;"
      "event_type json:/event;"
      "dedup_key  body;"
      "retries    24h;" },

    /* documented: Paystack: webhooks */
    { "paystack", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_paystack_signature;"
      "event_id   json:/data/id;"
      "event_type json:/event;"
      "dedup_key  body;" },

    /*
     * documented: Flutterwave: webhooks,
     * https://developer.flutterwave.com/docs/webhooks
     */
    { "flutterwave", NULL,
      "signature  $http_flutterwave_signature encoding=base64;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    /* documented: Checkout.com: webhooks */
    { "checkout-com", NULL,
      "signature  $http_cko_signature;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "retries    30h;" },

    /*
     * the header is sent twice while a secret is changed
     *
     * documented: Mollie: next-generation webhooks
     */
    { "mollie", NULL,
      "signature  $http_x_mollie_signature separator=, prefix=sha256=;"
      "event_id   json:/id;"
      "event_type json:/type;" },

    /* documented: GoCardless: webhooks */
    { "gocardless", NULL,
      "signature  $http_webhook_signature;"
      "event_id   json:/meta/webhook_id;"
      "event_type json:/events/0/action;" },

    /* documented: Adyen: verify HMAC signatures */
    { "adyen-platform", NULL,
      "signature  $http_hmacsignature encoding=base64;"
      "secret     encoding=hex;"
      "event_id   json:/data/id;"
      "event_type json:/type;"
      "dedup_key  body;"
      "retries    30d;" },

    /* documented: Lemon Squeezy: signing requests */
    { "lemon-squeezy", NULL,
      "signature  $http_x_signature;"
      "event_id   json:/data/id;"
      "event_type $http_x_event_name;"
      "dedup_key  body;"
      "retries    155s;" },

    /* documented: Dodo Payments: webhooks */
    { "dodo", "standard-webhooks",
      "" },

    /* documented: Polar: webhook delivery */
    { "polar", "standard-webhooks",
      "secret     encoding=raw;" },

    /* seen: a receiver service, trigger.dev */
    { "affirm", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_affirm_signature separator=, prefix=v0=;"
      "timestamp  $http_x_affirm_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /*
     * seen: Hyperswitch, a receiver service, a Rust verifier, Hookdeck, Svix
     * Ingest
     */
    { "airwallex", NULL,
      "signature  $http_x_signature;"
      "timestamp  $http_x_timestamp unit=ms;"
      "signed     $http_x_timestamp$request_body;"
      "dedup_key  body;" },

    /*
     * secret: the signature key
     * seen: Hyperswitch, a receiver service, trigger.dev
     */
    { "authorize-net", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_x_anet_signature prefix=sha512=;"
      "secret     encoding=hex;"
      "dedup_key  body;" },

    /* seen: ngrok, webhooks.fyi, a receiver service, 5 programs */
    { "bolt", NULL,
      "signature  $http_x_bolt_hmac_sha256 $http_x_bolt_hmac_sha256_pending"
      "           encoding=base64;"
      "dedup_key  body;" },

    /*
     * secret: the client secret
     * documented: cashfree/cashfree-pg-sdk-nodejs api.ts
     */
    { "cashfree", NULL,
      "signature  $http_x_webhook_signature encoding=base64;"
      "timestamp  $http_x_webhook_timestamp unit=ms;"
      "signed     $http_x_webhook_timestamp$request_body;"
      "dedup_key  body;" },

    /* seen: a receiver service, ngrok, webhooks.fyi, 4 programs */
    { "chargify", NULL,
      "signature  $http_x_chargify_webhook_signature_hmac_sha_256;"
      "event_id   $http_x_chargify_webhook_id;"
      "dedup_key  body;" },

    /*
     * secret: the secret key
     * seen: 3 programs
     */
    { "dlocal", NULL,
      "signature  $http_authorization separator=, \"prefix=Signature: \";"
      "timestamp  $http_x_date unit=rfc3339;"
      "signed     ${http_x_login}$http_x_date$request_body;"
      "dedup_key  body;" },

    /* seen: a Rust verifier, trigger.dev, Hookdeck, webhooks.fyi */
    { "fastspring", NULL,
      "signature  $http_x_fs_signature encoding=base64;"
      "dedup_key  body;" },

    /* seen: 3 programs */
    { "monnify", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_monnify_signature;"
      "dedup_key  body;" },

    /*
     * secret: that of a live webhook
     * seen: 3 programs
     */
    { "paymongo", NULL,
      "signature  $http_paymongo_signature separator=, prefix=li=;"
      "timestamp  $http_paymongo_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /*
     * secret: that of a test webhook
     * seen: 3 programs
     */
    { "paymongo-test", "paymongo",
      "signature  $http_paymongo_signature separator=, prefix=te=;" },

    /* seen: Hyperswitch, ngrok */
    { "worldline", NULL,
      "signature  $http_x_gcs_signature encoding=base64;"
      "dedup_key  body;" },

    /*
     * documented: Worldpay: event signature,
     * https://developer.worldpay.com/products/access/events/signature/
     */
    { "worldpay", NULL,
      "signature  $http_event_signature separator=,/ item=3-;"
      "secret     encoding=hex;"
      "dedup_key  body;" },

    /* documented: orbcorp/orb-node src/resources/webhooks.ts */
    { "orb", NULL,
      "signature  $http_x_orb_signature \"separator= \" prefix=v1=;"
      "timestamp  $http_x_orb_timestamp unit=iso8601;"
      "signed     v1:$http_x_orb_timestamp:$request_body;"
      "dedup_key  body;" },

    /* documented: Chargebee: webhook settings */
    { "chargebee", "basic",
      "dedup_key  body;" },

    /* seen: Hookdeck, 6 programs */
    { "tebex", NULL,
      "signature  $http_x_signature;"
      "signed     $webhook_body_sha256;"
      "event_id   json:/id;"
      "event_type json:/type;"
      "handshake  signed post if=json:/type=validation.webhook echo=json:/id"
      "           as=json:id;" },

    /*
     * secret: the platform's public key or certificates
     * documented: wechatpay-apiv3/wechatpay-go wechat_pay_validator.go
     */
    { "wechat-pay", NULL,
      "algorithm  rsa-sha256;"
      "signature  $http_wechatpay_signature encoding=base64;"
      "timestamp  $http_wechatpay_timestamp;"
      "signed     \"$http_wechatpay_timestamp\\n$http_wechatpay_nonce\\n"
                 "$request_body\\n\";"
      "key_id     $http_wechatpay_serial;"
      "event_id   json:/id;"
      "event_type json:/event_type;"
      "retries    24h4m;" },

    /*
     * what looks like a time is a nonce
     *
     * secret: the signing key
     * seen: Hyperswitch, Hookdeck, 8 programs
     */
    { "nmi", NULL,
      "signature  $http_webhook_signature separator=, prefix=s=;"
      "field      nonce $http_webhook_signature separator=, prefix=t=;"
      "signed     $webhook_field_nonce.$request_body;"
      "event_type json:/event_type;"
      "dedup_key  body;" },

    /* documented: Cryptopay: callbacks, with its libraries */
    { "cryptopay", NULL,
      "signature  $http_x_cryptopay_signature;"
      "dedup_key  body;" },

    /* seen: Hyperswitch, 2 programs */
    { "finix", NULL,
      "signature  $http_finix_signature separator=, prefix=sig=;"
      "timestamp  $http_finix_signature separator=, prefix=timestamp=;"
      "signed     $webhook_timestamp:$request_body;"
      "dedup_key  body;" },

    /* seen: a Rust verifier, 4 programs */
    { "fintoc", NULL,
      "signature  $http_fintoc_signature separator=, prefix=v1=;"
      "timestamp  $http_fintoc_signature separator=, prefix=t=;"
      "signed     $webhook_timestamp.$request_body;"
      "dedup_key  body;" },

    /*
     * secret: the secret hash, as configured
     * seen: 8 programs
     */
    { "flutterwave-v3", NULL,
      "algorithm  token;"
      "signature  $http_verif_hash;"
      "dedup_key  body;" },

    /*
     * secret: the verifier token
     * seen: a Rust verifier, a program
     */
    { "helcim", "standard-webhooks",
      "" },

    /*
     * secret: the value of the header, as configured
     * seen: trigger.dev, 2 programs
     */
    { "revenuecat", NULL,
      "algorithm  token;"
      "signature  $http_authorization;"
      "event_type json:/event/type;"
      "dedup_key  body;" },

    /*
     * a payment can be declined several times, and the event says no more
     *
     * documented: Revolut: webhook signature verification
     */
    { "revolut", NULL,
      "signature  $http_revolut_signature separator=, prefix=v1=;"
      "timestamp  $http_revolut_request_timestamp unit=ms;"
      "signed     v1.$http_revolut_request_timestamp.$request_body;"
      "event_type json:/event;"
      "dedup_key  off;" },

    /*
     * whether events of one order can have one body is not known
     *
     * secret: the secret key of the webhooks
     * documented: Solidgate: access to API, webhook signatures
     */
    { "solidgate", NULL,
      "algorithm  hmac-sha512;"
      "signature  $http_signature encoding=base64-hex;"
      "signed     $http_merchant$request_body$http_merchant;"
      "dedup_key  off;" },

    /* documented: Volt's extension of Magento, Hyperswitch */
    { "volt", NULL,
      "signature  $http_x_volt_signed;"
      "field      version $http_user_agent separator=/ item=2;"
      "signed     $request_body|$http_x_volt_timed|$webhook_field_version;"
      "dedup_key  body;" },

    /*
     * secret: the verification token
     * seen: Hyperswitch, xendit-client
     */
    { "xendit", NULL,
      "algorithm  token;"
      "signature  $http_x_callback_token;"
      "dedup_key  body;" },

    { NULL, NULL, NULL }
};
