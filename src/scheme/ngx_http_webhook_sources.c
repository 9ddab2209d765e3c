
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Sources and parameters, which several lines of the webhook_scheme block have.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


static ngx_int_t ngx_http_webhook_cut_parameter(ngx_str_t *value,
    ngx_http_webhook_cut_t *cut, ngx_uint_t range);


ngx_array_t *
ngx_http_webhook_sources(ngx_conf_t *cf, ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_cut_t *cut, ngx_uint_t range,
    ngx_http_webhook_choice_t *choices)
{
    char                         *rv;
    ngx_int_t                     rc;
    ngx_str_t                    *value, rest;
    ngx_uint_t                    i, n;
    ngx_array_t                  *sources;
    ngx_conf_enum_t              *values;
    ngx_http_webhook_choice_t    *choice;
    ngx_http_webhook_template_t  *source;

    value = cf->args->elts;

    ngx_memzero(cut, sizeof(ngx_http_webhook_cut_t));

    sources = ngx_array_create(cf->pool, 1,
                               sizeof(ngx_http_webhook_template_t));
    if (sources == NULL) {
        return NULL;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        for (choice = choices; choice->name; choice++) {
            if (ngx_http_webhook_parameter(&value[i], choice->name, &rest)
                == NGX_OK)
            {
                break;
            }
        }

        if (choice->name) {
            values = choice->values;

            for (n = 0; values[n].name.len; n++) {
                if (ngx_strcmp(rest.data, values[n].name.data) == 0) {
                    break;
                }
            }

            if (values[n].name.len == 0) {
                ngx_http_webhook_invalid_choice(cf, &value[i], values);
                return NULL;
            }

            *choice->chosen = values[n].value;
            continue;
        }

        rc = ngx_http_webhook_cut_parameter(&value[i], cut, range);

        if (rc == NGX_OK) {
            continue;
        }

        if (rc == NGX_ERROR) {
            goto invalid;
        }

        /* rc == NGX_DECLINED */

        source = ngx_array_push(sources);
        if (source == NULL) {
            return NULL;
        }

        if (!range
            && ngx_http_webhook_parameter(&value[i], "json:", &rest) == NGX_OK)
        {
            source->npieces = 1;
            source->pieces = ngx_pcalloc(cf->pool,
                                         sizeof(ngx_http_webhook_piece_t));
            if (source->pieces == NULL) {
                return NULL;
            }

            rv = ngx_http_webhook_compile_json(cf, scheme->pointers, &rest,
                                             source->pieces);

        } else {
            rv = ngx_http_webhook_compile_template(cf, scheme->pointers,
                                                   &value[i], 0, source);
        }

        if (rv != NGX_CONF_OK) {
            if (rv != NGX_CONF_ERROR) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", rv);
            }

            return NULL;
        }

        if (ngx_http_webhook_is_literal(source)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "source \"%V\" holds no variable, write a "
                               "header as \"$http_x_signature\"", &value[i]);
            return NULL;
        }
    }

    if (sources->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" has no source",
                           &value[0]);
        return NULL;
    }

    return sources;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &value[i]);

    return NULL;
}


ngx_uint_t
ngx_http_webhook_sources_have(ngx_array_t *sources,
    ngx_http_webhook_piece_e type)
{
    ngx_uint_t                    i;
    ngx_http_webhook_template_t  *source;

    source = sources->elts;

    for (i = 0; i < sources->nelts; i++) {
        if (ngx_http_webhook_template_has(&source[i], type)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_webhook_is_literal(ngx_http_webhook_template_t *template)
{
    return template->npieces == 1
           && template->pieces[0].type == NGX_HTTP_WEBHOOK_PIECE_LITERAL;
}


void
ngx_http_webhook_invalid_choice(ngx_conf_t *cf, ngx_str_t *value,
    ngx_conf_enum_t *choice)
{
    u_char      *p, *last, names[NGX_HTTP_WEBHOOK_NAMES];
    ngx_uint_t   i;

    p = names;
    last = names + sizeof(names);

    for (i = 0; choice[i].name.len; i++) {
        p = ngx_slprintf(p, last, "%s%V", i ? ", " : "", &choice[i].name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\", there are: %*s",
                       value, p - names, names);
}


/*
 * Returns NGX_OK, NGX_ERROR if the value is wrong, or NGX_DECLINED if it is no
 * parameter of a cut.
 */

static ngx_int_t
ngx_http_webhook_cut_parameter(ngx_str_t *value, ngx_http_webhook_cut_t *cut,
    ngx_uint_t range)
{
    ngx_int_t   n;
    ngx_str_t   rest;
    ngx_uint_t  open;

    if (ngx_http_webhook_parameter(value, "separator=", &rest) == NGX_OK) {
        cut->separator = rest;
        return rest.len ? NGX_OK : NGX_ERROR;
    }

    if (ngx_http_webhook_parameter(value, "prefix=", &rest) == NGX_OK) {
        cut->prefix = rest;
        return NGX_OK;
    }

    if (ngx_http_webhook_parameter(value, "group=", &rest) == NGX_OK) {
        cut->group = rest;
        return rest.len ? NGX_OK : NGX_ERROR;
    }

    if (ngx_http_webhook_parameter(value, "item=", &rest) == NGX_OK) {

        open = (range && rest.len && rest.data[rest.len - 1] == '-');

        n = ngx_atoi(rest.data, rest.len - open);

        if (n == NGX_ERROR || n == 0 || n > NGX_HTTP_WEBHOOK_MAX_ITEMS) {
            return NGX_ERROR;
        }

        cut->first = n;
        cut->last = open ? 0 : n;

        return NGX_OK;
    }

    return NGX_DECLINED;
}
