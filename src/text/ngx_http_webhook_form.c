
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Parameters of queries and forms: application/x-www-form-urlencoded.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_form.h"


typedef struct {
    ngx_str_t                      name;
    ngx_str_t                      value;
} ngx_http_webhook_form_pair_t;


static ngx_uint_t ngx_http_webhook_form_is(u_char *p, u_char *last,
    ngx_str_t *name);
static ngx_int_t ngx_http_webhook_form_next(u_char **p, u_char *last);
static int ngx_libc_cdecl ngx_http_webhook_form_compare(const void *one,
    const void *two);
static int ngx_http_webhook_form_order(const ngx_str_t *one,
    const ngx_str_t *two);


ngx_int_t
ngx_http_webhook_form_value(ngx_pool_t *pool, ngx_str_t *form, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char  *p, *last, *end, *equal, *from, *to, *dst;

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

    return (ngx_http_webhook_form_decode(&dst, from, to, value) == NGX_OK)
           ? NGX_OK : NGX_ABORT;
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


ngx_int_t
ngx_http_webhook_form_sorted(ngx_pool_t *pool, ngx_str_t *form, ngx_uint_t max,
    ngx_str_t *sorted)
{
    u_char                        *p, *last, *end, *equal, *dst;
    ngx_uint_t                     i, n;
    ngx_http_webhook_form_pair_t  *pair;

    ngx_str_null(sorted);

    if (form->len == 0) {
        return NGX_OK;
    }

    last = form->data + form->len;
    n = 1;

    for (p = form->data; p < last; p++) {
        n += (*p == '&');
    }

    if (n > max) {
        return NGX_ABORT;
    }

    pair = ngx_palloc(pool, n * sizeof(ngx_http_webhook_form_pair_t));
    dst = ngx_pnalloc(pool, 2 * form->len);

    if (pair == NULL || dst == NULL) {
        return NGX_ERROR;
    }

    p = form->data;

    for (i = 0; i < n; i++) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        equal = ngx_strlchr(p, end, '=');
        if (equal == NULL) {
            equal = end;
        }

        if (ngx_http_webhook_form_decode(&dst, p, equal, &pair[i].name)
            != NGX_OK
            || pair[i].name.len == 0
            || ngx_http_webhook_form_decode(&dst, ngx_min(equal + 1, end), end,
                                            &pair[i].value)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }

        p = end + 1;
    }

    ngx_qsort(pair, n, sizeof(ngx_http_webhook_form_pair_t),
              ngx_http_webhook_form_compare);

    /* what is decoded takes no more than it took before */

    sorted->data = dst;

    for (i = 0; i < n; i++) {

        if (i && ngx_http_webhook_form_compare(&pair[i - 1], &pair[i]) == 0) {
            continue;
        }

        dst = ngx_cpymem(dst, pair[i].name.data, pair[i].name.len);
        dst = ngx_cpymem(dst, pair[i].value.data, pair[i].value.len);
    }

    sorted->len = dst - sorted->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_form_decode(u_char **dst, u_char *p, u_char *last,
    ngx_str_t *text)
{
    ngx_int_t  ch;

    text->data = *dst;

    while (p < last) {
        ch = ngx_http_webhook_form_next(&p, last);

        if (ch == NGX_ERROR) {
            return NGX_DECLINED;
        }

        *(*dst)++ = (u_char) ch;
    }

    text->len = *dst - text->data;

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_http_webhook_form_compare(const void *one, const void *two)
{
    int                                  rc;
    const ngx_http_webhook_form_pair_t  *first, *second;

    first = one;
    second = two;

    rc = ngx_http_webhook_form_order(&first->name, &second->name);

    return rc ? rc : ngx_http_webhook_form_order(&first->value,
                                                 &second->value);
}


static int
ngx_http_webhook_form_order(const ngx_str_t *one, const ngx_str_t *two)
{
    int  rc;

    rc = ngx_memcmp(one->data, two->data, ngx_min(one->len, two->len));

    if (rc || one->len == two->len) {
        return rc;
    }

    return (one->len < two->len) ? -1 : 1;
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
