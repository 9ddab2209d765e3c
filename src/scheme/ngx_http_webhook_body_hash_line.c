
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The "body_hash" line of a scheme.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


static char *ngx_http_webhook_body_hash_source(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_webhook_piece_t *source);


static ngx_conf_enum_t  ngx_http_webhook_body_hash_algorithms[] = {
    { ngx_string("sha256"), 0 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_webhook_body_hash_encodings[] = {
    { ngx_string("hex"), NGX_HTTP_WEBHOOK_ENCODING_HEX },
    { ngx_string("base64"), NGX_HTTP_WEBHOOK_ENCODING_BASE64 },
    { ngx_string("base64url"), NGX_HTTP_WEBHOOK_ENCODING_BASE64URL },
    { ngx_null_string, 0 }
};


char *
ngx_http_webhook_body_hash_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    ngx_str_t                      *value, rest;
    ngx_uint_t                      i, n;
    ngx_conf_enum_t                *values;
    ngx_http_webhook_body_bound_t  *bound;

    value = cf->args->elts;

    block->scheme->bound = NULL;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                                      : "\"off\" takes no other parameters";
    }

    bound = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_body_bound_t));
    if (bound == NULL) {
        return NGX_CONF_ERROR;
    }

    bound->encoding = NGX_HTTP_WEBHOOK_ENCODING_HEX;
    block->scheme->bound = bound;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_http_webhook_parameter(&value[i], "prefix=", &bound->prefix)
            == NGX_OK)
        {
            continue;
        }

        if (ngx_http_webhook_parameter(&value[i], "algorithm=", &rest)
            == NGX_OK)
        {
            values = ngx_http_webhook_body_hash_algorithms;

        } else if (ngx_http_webhook_parameter(&value[i], "encoding=", &rest)
                   == NGX_OK)
        {
            values = ngx_http_webhook_body_hash_encodings;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        for (n = 0; values[n].name.len; n++) {
            if (ngx_strcmp(rest.data, values[n].name.data) == 0) {
                break;
            }
        }

        if (values[n].name.len == 0) {
            ngx_http_webhook_invalid_choice(cf, &value[i], values);
            return NGX_CONF_ERROR;
        }

        if (values == ngx_http_webhook_body_hash_encodings) {
            bound->encoding = values[n].value;
        }
    }

    return ngx_http_webhook_body_hash_source(cf, &value[1], &bound->source);
}


static char *
ngx_http_webhook_body_hash_source(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_webhook_piece_t *source)
{
    char                         *rv;
    ngx_str_t                     name;
    ngx_http_webhook_template_t   template;

    if (ngx_http_webhook_parameter(value, "query:", &name) == NGX_OK
        && name.len)
    {
        source->type = NGX_HTTP_WEBHOOK_PIECE_QUERY;
        source->text = name;

        return NGX_CONF_OK;
    }

    rv = ngx_http_webhook_compile_template(cf, NULL, value,
                                           NGX_HTTP_WEBHOOK_IN_HASH,
                                           &template);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    *source = template.pieces[0];

    if (template.npieces != 1
        || (source->type != NGX_HTTP_WEBHOOK_PIECE_HEADER
            && source->type != NGX_HTTP_WEBHOOK_PIECE_FIELD))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "source \"%V\" is no header, no field, and no "
                           "\"query:name\"", value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
