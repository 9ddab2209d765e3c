
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Which content type a client likes best, by what its Accept says.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_accept.h"


static void ngx_http_webhook_accept_range(ngx_http_webhook_accept_t *accept,
    ngx_uint_t n, u_char *p, u_char *last);
static ngx_uint_t ngx_http_webhook_accept_q(u_char *p, u_char *last);


void
ngx_http_webhook_accept_init(ngx_http_webhook_accept_t *accept,
    const ngx_str_t *content_type)
{
    u_char  *p, *last;

    last = content_type->data + content_type->len;

    p = ngx_strlchr(content_type->data, last, ';');

    accept->type = content_type->data;
    accept->len = (p ? p : last) - content_type->data;

    p = ngx_strlchr(content_type->data, last, '/');

    accept->main = p + 1 - content_type->data;
    accept->closeness = 0;
    accept->q = 0;
}


void
ngx_http_webhook_accept_read(ngx_http_webhook_accept_t *accept, ngx_uint_t n,
    const ngx_str_t *value)
{
    u_char  *p, *last, *end;

    p = value->data;
    last = p + value->len;

    while (p < last) {

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        ngx_http_webhook_accept_range(accept, n, p, end);

        p = end + 1;
    }
}


/* one media range, with its weight */

static void
ngx_http_webhook_accept_range(ngx_http_webhook_accept_t *accept, ngx_uint_t n,
    u_char *p, u_char *last)
{
    size_t       len;
    u_char      *end;
    ngx_uint_t   i, q, closeness;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    for (end = p; end < last; end++) {
        if (*end == ';' || *end == ' ' || *end == '\t') {
            break;
        }
    }

    len = end - p;
    q = ngx_http_webhook_accept_q(end, last);

    for (i = 0; i < n; i++) {

        if (len == accept[i].len
            && ngx_strncasecmp(p, accept[i].type, len) == 0)
        {
            closeness = 3;

        } else if (len == accept[i].main + 1
                   && p[len - 1] == '*'
                   && ngx_strncasecmp(p, accept[i].type, len - 1) == 0)
        {
            closeness = 2;

        } else if (len == 3 && ngx_strncmp(p, "*/*", 3) == 0) {
            closeness = 1;

        } else {
            continue;
        }

        if (closeness > accept[i].closeness) {
            accept[i].closeness = closeness;
            accept[i].q = q;

        } else if (closeness == accept[i].closeness) {
            accept[i].q = ngx_max(accept[i].q, q);
        }
    }
}


/* the weight in thousandths, 1000 if there is none, and 0 if it is none */

static ngx_uint_t
ngx_http_webhook_accept_q(u_char *p, u_char *last)
{
    u_char     *end;
    ngx_int_t   q;

    for ( ;; ) {
        p = ngx_strlchr(p, last, ';');
        if (p == NULL) {
            return 1000;
        }

        do {
            p++;
        } while (p < last && (*p == ' ' || *p == '\t'));

        if (last - p > 2 && (p[0] == 'q' || p[0] == 'Q') && p[1] == '=') {
            break;
        }
    }

    p += 2;

    for (end = p; end < last; end++) {
        if ((*end < '0' || *end > '9') && *end != '.') {
            break;
        }
    }

    q = ngx_atofp(p, end - p, 3);

    return (q == NGX_ERROR) ? 0 : ngx_min(q, 1000);
}
