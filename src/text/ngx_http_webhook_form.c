
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Parameters of queries and forms: application/x-www-form-urlencoded.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_form.h"


static ngx_uint_t ngx_http_webhook_form_is(u_char *p, u_char *last,
    ngx_str_t *name);
static ngx_int_t ngx_http_webhook_form_next(u_char **p, u_char *last);


ngx_int_t
ngx_http_webhook_form_value(ngx_pool_t *pool, ngx_str_t *form, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char     *p, *last, *end, *equal, *from, *to, *dst;
    ngx_int_t   ch;

    ngx_str_null(value);

    from = NULL;
    to = NULL;

    p = form->data;
    last = p + form->len;

    while (p < last) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        equal = ngx_strlchr(p, end, '=');
        if (equal == NULL) {
            equal = end;
        }

        if (ngx_http_webhook_form_is(p, equal, name)) {

            if (from) {
                return NGX_ABORT;
            }

            from = ngx_min(equal + 1, end);
            to = end;
        }

        p = end + 1;
    }

    if (from == to) {
        return NGX_DECLINED;
    }

    dst = ngx_pnalloc(pool, to - from);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;

    while (from < to) {
        ch = ngx_http_webhook_form_next(&from, to);

        if (ch == NGX_ERROR) {
            return NGX_ABORT;
        }

        *dst++ = (u_char) ch;
    }

    value->len = dst - value->data;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webhook_form_is(u_char *p, u_char *last, ngx_str_t *name)
{
    size_t     i;
    ngx_int_t  ch;

    for (i = 0; i < name->len; i++) {

        if (p == last) {
            return 0;
        }

        ch = ngx_http_webhook_form_next(&p, last);

        if (ch != name->data[i]) {
            return 0;
        }
    }

    return p == last;
}


/* the next byte, or NGX_ERROR if it is not encoded as it should be */

static ngx_int_t
ngx_http_webhook_form_next(u_char **p, u_char *last)
{
    u_char     ch;
    ngx_int_t  n;

    ch = *(*p)++;

    if (ch == '+') {
        return ' ';
    }

    if (ch != '%') {
        return ch;
    }

    if (last - *p < 2) {
        return NGX_ERROR;
    }

    n = ngx_hextoi(*p, 2);
    *p += 2;

    return n;
}
