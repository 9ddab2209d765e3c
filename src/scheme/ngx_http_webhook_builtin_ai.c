
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Built-in schemes.  Artificial intelligence.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_ai[] = {

    /* documented: OpenAI: webhooks */
    { "openai", "standard-webhooks",
      "secret     prefix=whsec_ encoding=base64;"
      "secret     encoding=raw;" },

    { NULL, NULL, NULL }
};
