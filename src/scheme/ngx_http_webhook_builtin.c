
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The built-in schemes: what each provider's documentation says, in the
 * language of the webhook_scheme block.  They stand in files of their own, by
 * what the providers are for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_standards[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_payments[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_finance[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_commerce[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_code[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_messaging[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_media[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_people[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_identity[];
extern const ngx_http_webhook_provider_t  ngx_http_webhook_builtin_ai[];


/* in the order of the documentation */

static const ngx_http_webhook_provider_t  *ngx_http_webhook_providers[] = {
    ngx_http_webhook_builtin_standards,
    ngx_http_webhook_builtin_payments,
    ngx_http_webhook_builtin_finance,
    ngx_http_webhook_builtin_commerce,
    ngx_http_webhook_builtin_code,
    ngx_http_webhook_builtin_messaging,
    ngx_http_webhook_builtin_media,
    ngx_http_webhook_builtin_people,
    ngx_http_webhook_builtin_identity,
    ngx_http_webhook_builtin_ai,
    NULL
};


const ngx_http_webhook_provider_t *
ngx_http_webhook_provider(ngx_str_t *name)
{
    ngx_uint_t                          i;
    const ngx_http_webhook_provider_t  *provider;

    for (i = 0; ngx_http_webhook_providers[i]; i++) {

        for (provider = ngx_http_webhook_providers[i];
             provider->name;
             provider++)
        {
            if (ngx_strlen(provider->name) == name->len
                && ngx_strncmp(provider->name, name->data, name->len) == 0)
            {
                return provider;
            }
        }
    }

    return NULL;
}


const ngx_http_webhook_provider_t *
ngx_http_webhook_nth_provider(ngx_uint_t n)
{
    ngx_uint_t                          i;
    const ngx_http_webhook_provider_t  *provider;

    for (i = 0; ngx_http_webhook_providers[i]; i++) {

        for (provider = ngx_http_webhook_providers[i];
             provider->name;
             provider++)
        {
            if (n-- == 0) {
                return provider;
            }
        }
    }

    return NULL;
}
