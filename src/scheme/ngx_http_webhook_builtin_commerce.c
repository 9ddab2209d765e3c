
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

    { NULL, NULL, NULL }
};
