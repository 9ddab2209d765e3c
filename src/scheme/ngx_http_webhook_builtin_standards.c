
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Conventions that many providers follow.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_standards[] = {

    /* documented: Standard Webhooks: specification */
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

    /* documented: Standard Webhooks: specification */
    { "standard-webhooks-ed25519", "standard-webhooks",
      "algorithm  ed25519;"
      "signature  $http_webhook_signature \"separator= \" prefix=v1a,"
      "           encoding=base64;"
      "secret     prefix=whpk_ encoding=base64;"
      "secret     encoding=base64;" },

    /* documented: Svix: verifying webhooks manually */
    { "svix", "standard-webhooks",
      "signature  $http_svix_signature $http_webhook_signature \"separator= \""
      "           prefix=v1, encoding=base64;"
      "timestamp  $http_svix_timestamp $http_webhook_timestamp;"
      "signed     $webhook_event_id.$webhook_timestamp.$request_body;"
      "event_id   $http_svix_id;"
      "event_id   $http_webhook_id;"
      "retries    28h;" },

    /*
     * secret: user:password
     * documented: RFC 7617, https://www.rfc-editor.org/rfc/rfc7617
     */
    { "basic", NULL,
      "algorithm  token;"
      "signature  $http_authorization \"prefix=Basic \" encoding=base64;" },

    { NULL, NULL, NULL }
};
