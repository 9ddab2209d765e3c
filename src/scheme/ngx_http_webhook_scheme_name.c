
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What a name of a scheme that is unknown was meant to be.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


#define NGX_HTTP_WEBHOOK_NAME      64
#define NGX_HTTP_WEBHOOK_DISTANCE  2


static void ngx_http_webhook_closer(ngx_str_t *name, u_char *known, size_t len,
    ngx_str_t *found, ngx_uint_t *least);
static ngx_uint_t ngx_http_webhook_distance(u_char *one, size_t len,
    u_char *two, size_t len2);
static u_char ngx_http_webhook_plain(u_char ch);


ngx_int_t
ngx_http_webhook_scheme_similar(ngx_http_webhook_schemes_t *schemes,
    ngx_str_t *name, ngx_str_t *found)
{
    ngx_uint_t                           i, least;
    ngx_http_webhook_scheme_t          **scheme;
    const ngx_http_webhook_provider_t   *provider;

    least = NGX_HTTP_WEBHOOK_DISTANCE + 1;

    scheme = schemes->defined.elts;

    for (i = 0; i < schemes->defined.nelts; i++) {
        ngx_http_webhook_closer(name, scheme[i]->name.data,
                                scheme[i]->name.len, found, &least);
    }

    for (i = 0; /* void */ ; i++) {
        provider = ngx_http_webhook_nth_provider(i);
        if (provider == NULL) {
            break;
        }

        ngx_http_webhook_closer(name, (u_char *) provider->name,
                                ngx_strlen(provider->name), found, &least);
    }

    return (least <= NGX_HTTP_WEBHOOK_DISTANCE) ? NGX_OK : NGX_DECLINED;
}


static void
ngx_http_webhook_closer(ngx_str_t *name, u_char *known, size_t len,
    ngx_str_t *found, ngx_uint_t *least)
{
    ngx_uint_t  distance;

    if (name->len > NGX_HTTP_WEBHOOK_NAME || len > NGX_HTTP_WEBHOOK_NAME) {
        return;
    }

    distance = ngx_http_webhook_distance(name->data, name->len, known, len);

    /* a short name is as close to anything */

    if (distance < *least && distance * 2 < len) {
        *least = distance;
        found->data = known;
        found->len = len;
    }
}


/* how many characters are to be added, left out or replaced (Levenshtein) */

static ngx_uint_t
ngx_http_webhook_distance(u_char *one, size_t len, u_char *two, size_t len2)
{
    size_t      i, k;
    ngx_uint_t  last, saved, row[NGX_HTTP_WEBHOOK_NAME + 1];

    for (k = 0; k <= len2; k++) {
        row[k] = k;
    }

    for (i = 1; i <= len; i++) {

        last = row[0];
        row[0] = i;

        for (k = 1; k <= len2; k++) {

            saved = row[k];

            row[k] = ngx_min(row[k], row[k - 1]) + 1;

            last += (ngx_http_webhook_plain(one[i - 1])
                     != ngx_http_webhook_plain(two[k - 1]));

            row[k] = ngx_min(row[k], last);
            last = saved;
        }
    }

    return row[len2];
}


static u_char
ngx_http_webhook_plain(u_char ch)
{
    return (ch == '_' || ch == ' ') ? '-' : ngx_tolower(ch);
}
