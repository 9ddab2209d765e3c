
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The protocol of Redis, RESP2: commands are written, and replies are read as
 * they arrive.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_resp.h"


static ngx_int_t ngx_http_webhook_resp_line(ngx_http_webhook_resp_t *resp,
    u_char *start, size_t size);
static ngx_int_t ngx_http_webhook_resp_number(u_char *p, u_char *last,
    int64_t *number);


ngx_int_t
ngx_http_webhook_resp_read(ngx_http_webhook_resp_t *resp, u_char *p,
    size_t size)
{
    int64_t    len;
    ngx_int_t  rc;

    if (size == 0) {
        return NGX_AGAIN;
    }

    switch (p[0]) {

    case '+':
        resp->type = NGX_HTTP_WEBHOOK_RESP_STATUS;
        break;

    case '-':
        resp->type = NGX_HTTP_WEBHOOK_RESP_ERROR;
        break;

    case ':':
        resp->type = NGX_HTTP_WEBHOOK_RESP_INTEGER;
        break;

    case '$':
        resp->type = NGX_HTTP_WEBHOOK_RESP_BULK;
        break;

    default:
        return NGX_ERROR;
    }

    if (resp->line == 0) {

        rc = ngx_http_webhook_resp_line(resp, p, size);

        if (rc == NGX_AGAIN) {
            return (size < NGX_HTTP_WEBHOOK_RESP_MAX) ? NGX_AGAIN : NGX_ERROR;
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (resp->line > NGX_HTTP_WEBHOOK_RESP_MAX) {
            return NGX_ERROR;
        }
    }

    resp->text.data = p + 1;
    resp->text.len = resp->line - 3;
    resp->size = resp->line;

    if (resp->type <= NGX_HTTP_WEBHOOK_RESP_ERROR) {
        return NGX_OK;
    }

    if (ngx_http_webhook_resp_number(p + 1, p + resp->line - 2, &len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (resp->type == NGX_HTTP_WEBHOOK_RESP_INTEGER) {
        resp->number = len;
        return NGX_OK;
    }

    if (len == -1) {
        resp->type = NGX_HTTP_WEBHOOK_RESP_NULL;
        ngx_str_null(&resp->text);
        return NGX_OK;
    }

    if (len < 0
        || len > (int64_t) (NGX_HTTP_WEBHOOK_RESP_MAX - resp->line - 2))
    {
        return NGX_ERROR;
    }

    resp->text.data = p + resp->line;
    resp->text.len = (size_t) len;
    resp->size = resp->line + resp->text.len + 2;

    p += resp->size;

    if (size < resp->size) {

        /* what is wrong is known from its first byte on */

        return (size == resp->size - 1 && p[-2] != CR) ? NGX_ERROR : NGX_AGAIN;
    }

    return (p[-2] == CR && p[-1] == LF) ? NGX_OK : NGX_ERROR;
}


/*
 * NGX_AGAIN if the line does not end yet, NGX_ERROR if CR or LF stand within
 * it; no byte is looked at twice.
 */

static ngx_int_t
ngx_http_webhook_resp_line(ngx_http_webhook_resp_t *resp, u_char *start,
    size_t size)
{
    u_char  *p, *last;

    last = start + size;

    for (p = start + resp->seen; p < last; p++) {
        if (*p == CR || *p == LF) {
            break;
        }
    }

    resp->seen = p - start;

    if (p == last || (*p == CR && p + 1 == last)) {
        return NGX_AGAIN;
    }

    if (*p == LF || p[1] != LF) {
        return NGX_ERROR;
    }

    resp->line = p + 2 - start;

    return NGX_OK;
}


/* one way to write a number: no plus, no zero before it, no "-0" */

static ngx_int_t
ngx_http_webhook_resp_number(u_char *p, u_char *last, int64_t *number)
{
    uint64_t    n, max;
    ngx_uint_t  digit, negative;

    negative = (p < last && *p == '-');

    if (negative) {
        p++;
    }

    if (p == last || (*p == '0' && (negative || last - p > 1))) {
        return NGX_ERROR;
    }

    n = 0;
    max = (uint64_t) 0x7fffffffffffffffULL + negative;

    for ( /* void */ ; p < last; p++) {

        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        digit = *p - '0';

        if (n > (max - digit) / 10) {
            return NGX_ERROR;
        }

        n = n * 10 + digit;
    }

    *number = negative ? (int64_t) (0 - n) : (int64_t) n;

    return NGX_OK;
}


size_t
ngx_http_webhook_resp_length(ngx_str_t *args, ngx_uint_t n)
{
    size_t      len;
    ngx_uint_t  i;

    len = (n + 1) * (sizeof("$" CRLF CRLF) - 1 + NGX_SIZE_T_LEN);

    for (i = 0; i < n; i++) {
        len += args[i].len;
    }

    return len;
}


u_char *
ngx_http_webhook_resp_write(u_char *p, ngx_str_t *args, ngx_uint_t n)
{
    ngx_uint_t  i;

    p = ngx_sprintf(p, "*%ui" CRLF, n);

    for (i = 0; i < n; i++) {
        p = ngx_sprintf(p, "$%uz" CRLF "%V" CRLF, args[i].len, &args[i]);
    }

    return p;
}
