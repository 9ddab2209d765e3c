
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
      "signature   $http_x_webhook_signature separator=, prefix=d=;"
      "timestamp   $http_x_webhook_signature separator=, prefix=v= unit=ms;"
      "signed      $request_body$webhook_timestamp;"
      "event_id    json:/idempotenceKey;"
      "event_type  json:/event;"
      "dedup_key   json:/idempotenceKey json:/event"
      "            json:/data/paymentIntent/id;"
      "retries     3s;" },

    /* in older events data.id is a card or a transaction, not the event */

    { "bitnob", NULL,
      "algorithm   hmac-sha512;"
      "signature   $http_x_bitnob_signature;"
      "event_id    json:/event_id;"
      "event_id    json:/data/id;"
      "event_type  json:/event;"
      "dedup_key   json:/event_id;"
      "dedup_key   body;" },

    { "bitnob-timestamped", "bitnob",
      "algorithm   hmac-sha256;"
      "timestamp   $http_x_bitnob_timestamp;"
      "signed      $http_x_bitnob_timestamp.$request_body;"
      "retries     31s;" },

    { "standard-webhooks", NULL,
      "signature   $http_webhook_signature \"separator= \" prefix=v1,"
      "            encoding=base64;"
      "timestamp   $http_webhook_timestamp;"
      "signed      $http_webhook_id.$http_webhook_timestamp.$request_body;"
      "secret      prefix=whsec_ encoding=base64;"
      "secret      encoding=base64;"
      "event_id    $http_webhook_id;"
      "event_type  json:/type;"
      "retries     76h;" },

    { "yoco", "standard-webhooks",
      "tolerance   3m;"
      "retries     28h;" },

    { "nextpay", NULL,
      "signature   $http_x_nextpay_signature;"
      "event_id    json:/id;"
      "event_type  json:/type;"
      "retries     156m;" },

    { "stripe", NULL,
      "signature   $http_stripe_signature separator=, prefix=v1=;"
      "timestamp   $http_stripe_signature separator=, prefix=t=;"
      "signed      $webhook_timestamp.$request_body;"
      "event_id    json:/id;"
      "event_type  json:/type;"
      "retries     3d;" },

    { "slack", NULL,
      "signature   $http_x_slack_signature prefix=v0=;"
      "timestamp   $http_x_slack_request_timestamp;"
      "signed      v0:$http_x_slack_request_timestamp:$request_body;"
      "event_id    json:/event_id;"
      "event_type  json:/event/type;"
      "retries     6m;" },

    /* the delivery id is a header that is not signed, anybody can change it */

    { "github", NULL,
      "signature   $http_x_hub_signature_256 prefix=sha256=;"
      "event_id    $http_x_github_delivery;"
      "event_type  $http_x_github_event;"
      "dedup_key   body;" },

    /* events of different topics can have one body */

    { "shopify", NULL,
      "signature   $http_x_shopify_hmac_sha256 $http_shopify_hmac_sha256"
      "            encoding=base64;"
      "event_id    $http_x_shopify_webhook_id;"
      "event_id    $http_shopify_webhook_id;"
      "event_type  $http_x_shopify_topic;"
      "event_type  $http_shopify_topic;"
      "dedup_key   $http_x_shopify_topic body;"
      "dedup_key   $http_shopify_topic body;"
      "retries     4h;" },

    { NULL, NULL, NULL }
};
