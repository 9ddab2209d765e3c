
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What a request says of its body before that is there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_form.h"
#include "ngx_http_webhook_signature.h"


static ngx_int_t ngx_http_webhook_query_value(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme, ngx_str_t *value);


ngx_http_webhook_reason_e
ngx_http_webhook_read_body_hash(ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_scheme_t *scheme, u_char *hash)
{
    u_char                          buf[NGX_HTTP_WEBHOOK_SHA256_LEN + 2];
    ngx_int_t                       rc;
    ngx_str_t                       text;
    ngx_http_webhook_piece_t        source;
    ngx_http_webhook_body_bound_t  *bound;

    bound = scheme->bound;
    source = bound->source;

    if (source.type == NGX_HTTP_WEBHOOK_PIECE_QUERY) {
        rc = ngx_http_webhook_query_value(scope->request, scheme, &text);

    } else {
        rc = ngx_http_webhook_piece_value(scope, &source, &text);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return NGX_HTTP_WEBHOOK_REASON_MISSING_FIELD;
    }

    if (rc == NGX_ABORT
        || text.len < bound->prefix.len
        || (bound->prefix.len
            && ngx_strncmp(text.data, bound->prefix.data, bound->prefix.len)
               != 0))
    {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
    }

    text.data += bound->prefix.len;
    text.len -= bound->prefix.len;

    /* the decoder writes up to two bytes more */

    if (ngx_http_webhook_decoded_length(&text, bound->encoding)
        != NGX_HTTP_WEBHOOK_SHA256_LEN
        || ngx_http_webhook_decode(buf, &text, bound->encoding) != NGX_OK)
    {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
    }

    ngx_memcpy(hash, buf, NGX_HTTP_WEBHOOK_SHA256_LEN);

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


/* from the query that is signed, which is not always the one there is now */

static ngx_int_t
ngx_http_webhook_query_value(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme, ngx_str_t *value)
{
    u_char     *p, *last;
    ngx_str_t   query, name;

    query = r->args;

    if (scheme->sent_query) {
        last = r->unparsed_uri.data + r->unparsed_uri.len;

        p = ngx_strlchr(r->unparsed_uri.data, last, '#');
        if (p) {
            last = p;
        }

        p = ngx_strlchr(r->unparsed_uri.data, last, '?');

        query.data = p ? p + 1 : last;
        query.len = last - query.data;
    }

    name = scheme->bound->source.text;

    return ngx_http_webhook_form_value(r->pool, &query, &name, value);
}


ngx_int_t
ngx_http_webhook_check_form(ngx_http_webhook_scope_t *scope)
{
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   value;

    static ngx_str_t  name = ngx_string("content_type");
    static ngx_str_t  form = ngx_string("application/x-www-form-urlencoded");

    rc = ngx_http_webhook_header(scope->request, &name, &value);

    if (rc == NGX_DECLINED && value.data == NULL) {

        /* without a type there must be no body either, which will show */

        return NGX_OK;
    }

    if (rc != NGX_OK || value.len < form.len
        || ngx_strncasecmp(value.data, form.data, form.len) != 0)
    {
        return NGX_DECLINED;
    }

    p = value.data + form.len;

    return (value.len == form.len || *p == ';' || *p == ' ' || *p == '\t')
           ? NGX_OK : NGX_DECLINED;
}
