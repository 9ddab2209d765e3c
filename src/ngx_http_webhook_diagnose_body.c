
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Bodies as they may have been before something on their way changed them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_diagnose.h"


/* CRLF for LF, or the other way round */

void
ngx_http_webhook_body_line_ends(ngx_str_t *body, ngx_str_t *dst)
{
    u_char      *p, *d, *last;
    ngx_uint_t   crlf;

    last = body->data + body->len;
    crlf = 0;

    for (p = body->data; p + 1 < last; p++) {
        if (p[0] == CR && p[1] == LF) {
            crlf = 1;
            break;
        }
    }

    d = dst->data;

    for (p = body->data; p < last; p++) {

        if (crlf && *p == CR && p + 1 < last && p[1] == LF) {
            continue;
        }

        if (!crlf && *p == LF) {
            *d++ = CR;
        }

        *d++ = *p;
    }

    dst->len = d - dst->data;
}


/* JSON without blanks, or with those that Python writes */

void
ngx_http_webhook_body_blanks(ngx_str_t *body, ngx_uint_t spaced,
    ngx_str_t *dst)
{
    u_char      *p, *d, *last;
    ngx_uint_t   string;

    last = body->data + body->len;
    d = dst->data;
    string = 0;

    for (p = body->data; p < last; p++) {

        if (string) {
            *d++ = *p;

            if (*p == '\\' && p + 1 < last) {
                *d++ = *++p;

            } else if (*p == '"') {
                string = 0;
            }

            continue;
        }

        switch (*p) {

        case ' ':
        case '\t':
        case CR:
        case LF:
            break;

        case ',':
        case ':':
            *d++ = *p;

            if (spaced) {
                *d++ = ' ';
            }

            break;

        case '"':
            string = 1;

            /* fall through */

        default:
            *d++ = *p;
            break;
        }
    }

    dst->len = d - dst->data;
}


/* "\/" for "/", or the other way round */

void
ngx_http_webhook_body_slashes(ngx_str_t *body, ngx_str_t *dst)
{
    u_char      *p, *d, *last;
    ngx_uint_t   escaped;

    last = body->data + body->len;
    escaped = 0;

    for (p = body->data; p + 1 < last; p++) {
        if (p[0] == '\\' && *++p == '/') {
            escaped = 1;
            break;
        }
    }

    d = dst->data;

    for (p = body->data; p < last; p++) {

        if (*p == '\\' && p + 1 < last) {

            if (!escaped || p[1] != '/') {
                *d++ = *p;
            }

            *d++ = *++p;
            continue;
        }

        if (*p == '/' && !escaped) {
            *d++ = '\\';
        }

        *d++ = *p;
    }

    dst->len = d - dst->data;
}
