
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The pure part of reading what a provider sends: values cut into items,
 * encoded digests and secrets, timestamps.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_text.h"


/* the longest base64 text that is decoded: a secret of some 6 KB */
#define NGX_HTTP_WEBHOOK_MAX_ENCODED  8192


static ngx_int_t ngx_http_webhook_decode_hex(u_char *dst, ngx_str_t *src);
static ngx_int_t ngx_http_webhook_decode_base64(u_char *dst, ngx_str_t *src);
static ngx_int_t ngx_http_webhook_decode_base64url(u_char *dst,
    ngx_str_t *src);
static ngx_int_t ngx_http_webhook_parse_rfc3339(ngx_str_t *text, time_t *time);


void
ngx_http_webhook_cursor(ngx_http_webhook_cursor_t *cursor, ngx_str_t *value)
{
    static u_char  empty[1];

    cursor->pos = value->len ? value->data : empty;
    cursor->last = cursor->pos + value->len;
    cursor->position = 0;
}


ngx_int_t
ngx_http_webhook_next_piece(ngx_http_webhook_cursor_t *cursor,
    ngx_str_t *separator, ngx_str_t *piece)
{
    u_char  *p, *end;

    if (cursor->last == NULL) {
        return NGX_DONE;
    }

    for (p = cursor->pos; p < cursor->last; p++) {
        if (ngx_strlchr(separator->data, separator->data + separator->len, *p))
        {
            break;
        }
    }

    piece->data = cursor->pos;
    end = p;

    if (p < cursor->last) {
        cursor->pos = p + 1;

    } else {
        cursor->last = NULL;
    }

    while (piece->data < end && (*piece->data == ' ' || *piece->data == '\t')) {
        piece->data++;
    }

    while (end > piece->data && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    piece->len = end - piece->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_next_item(ngx_http_webhook_cursor_t *cursor,
    ngx_http_webhook_cut_t *cut, ngx_str_t *item)
{
    do {
        if (ngx_http_webhook_next_piece(cursor, &cut->separator, item)
            == NGX_DONE)
        {
            return NGX_DONE;
        }

        cursor->position++;

    } while (item->len == 0);

    if (cut->first
        && (cursor->position < cut->first
            || (cut->last && cursor->position > cut->last)))
    {
        return NGX_DECLINED;
    }

    if (cut->prefix.len == 0) {
        return NGX_OK;
    }

    if (item->len < cut->prefix.len
        || ngx_memcmp(item->data, cut->prefix.data, cut->prefix.len) != 0)
    {
        return NGX_DECLINED;
    }

    item->data += cut->prefix.len;
    item->len -= cut->prefix.len;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_decoded_length(ngx_str_t *src,
    ngx_http_webhook_encoding_e encoding)
{
    size_t  len;

    len = src->len;

    switch (encoding) {

    case NGX_HTTP_WEBHOOK_ENCODING_RAW:
        return len;

    case NGX_HTTP_WEBHOOK_ENCODING_HEX:
        return (len % 2) ? NGX_ERROR : (ngx_int_t) len / 2;

    case NGX_HTTP_WEBHOOK_ENCODING_BASE64:
        if (len % 4) {
            return NGX_ERROR;
        }

        break;

    default: /* NGX_HTTP_WEBHOOK_ENCODING_BASE64URL */
        break;
    }

    if (len > NGX_HTTP_WEBHOOK_MAX_ENCODED) {
        return NGX_ERROR;
    }

    if (len % 4 == 0 && len && src->data[len - 1] == '=') {
        len -= (src->data[len - 2] == '=') ? 2 : 1;
    }

    if (len % 4 == 1) {
        return NGX_ERROR;
    }

    return len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0);
}


ngx_int_t
ngx_http_webhook_decode(u_char *dst, ngx_str_t *src,
    ngx_http_webhook_encoding_e encoding)
{
    if (ngx_http_webhook_decoded_length(src, encoding) == NGX_ERROR) {
        return NGX_DECLINED;
    }

    switch (encoding) {

    case NGX_HTTP_WEBHOOK_ENCODING_RAW:
        ngx_memcpy(dst, src->data, src->len);
        return NGX_OK;

    case NGX_HTTP_WEBHOOK_ENCODING_HEX:
        return ngx_http_webhook_decode_hex(dst, src);

    case NGX_HTTP_WEBHOOK_ENCODING_BASE64:
        return ngx_http_webhook_decode_base64(dst, src);

    default: /* NGX_HTTP_WEBHOOK_ENCODING_BASE64URL */
        return ngx_http_webhook_decode_base64url(dst, src);
    }
}


static ngx_int_t
ngx_http_webhook_decode_hex(u_char *dst, ngx_str_t *src)
{
    size_t     i;
    ngx_int_t  n;

    for (i = 0; i < src->len; i += 2) {

        n = ngx_hextoi(&src->data[i], 2);
        if (n == NGX_ERROR) {
            return NGX_DECLINED;
        }

        *dst++ = (u_char) n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_decode_base64(u_char *dst, ngx_str_t *src)
{
    u_char     buf[NGX_HTTP_WEBHOOK_MAX_ENCODED];
    ngx_int_t  rc;
    ngx_str_t  decoded, encoded;

    decoded.data = dst;

    if (ngx_decode_base64(&decoded, src) != NGX_OK) {
        return NGX_DECLINED;
    }

    /* only the canonical text is what its own bytes encode to */

    encoded.data = buf;
    ngx_encode_base64(&encoded, &decoded);

    rc = (encoded.len == src->len
          && ngx_memcmp(encoded.data, src->data, src->len) == 0)
         ? NGX_OK : NGX_DECLINED;

    ngx_explicit_memzero(buf, encoded.len);

    return rc;
}


static ngx_int_t
ngx_http_webhook_decode_base64url(u_char *dst, ngx_str_t *src)
{
    u_char     buf[NGX_HTTP_WEBHOOK_MAX_ENCODED];
    ngx_int_t  rc;
    ngx_str_t  text, decoded, encoded;

    text = *src;

    if (text.len % 4 == 0) {
        while (text.len > src->len - ngx_min(src->len, 2)
               && text.data[text.len - 1] == '=')
        {
            text.len--;
        }
    }

    decoded.data = dst;

    if (ngx_decode_base64url(&decoded, &text) != NGX_OK) {
        return NGX_DECLINED;
    }

    encoded.data = buf;
    ngx_encode_base64url(&encoded, &decoded);

    rc = (encoded.len == text.len
          && ngx_memcmp(encoded.data, text.data, text.len) == 0)
         ? NGX_OK : NGX_DECLINED;

    ngx_explicit_memzero(buf, encoded.len);

    return rc;
}


ngx_int_t
ngx_http_webhook_parse_timestamp(ngx_str_t *text, ngx_http_webhook_unit_e unit,
    time_t *time)
{
    ngx_int_t  sec;

    if (unit == NGX_HTTP_WEBHOOK_UNIT_RFC3339) {
        return ngx_http_webhook_parse_rfc3339(text, time);
    }

    switch (text->len) {

    case sizeof("1764000000") - 1:

        if (unit == NGX_HTTP_WEBHOOK_UNIT_MILLISECONDS) {
            return NGX_DECLINED;
        }

        break;

    case sizeof("1764000000000") - 1:

        if (unit == NGX_HTTP_WEBHOOK_UNIT_SECONDS
            || ngx_atoi(text->data + 10, 3) == NGX_ERROR)
        {
            return NGX_DECLINED;
        }

        break;

    default:
        return NGX_DECLINED;
    }

    sec = ngx_atoi(text->data, 10);
    if (sec == NGX_ERROR) {
        return NGX_DECLINED;
    }

    *time = (time_t) sec;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_parse_rfc3339(ngx_str_t *text, time_t *time)
{
    u_char           *p, *last;
    int64_t           days, t;
    ngx_int_t         year, month, day, hour, min, sec, off_hour, off_min;
    ngx_uint_t        leap, n;
    static ngx_int_t  mday[] = { 31, 28, 31, 30, 31, 30,
                                 31, 31, 30, 31, 30, 31 };

    p = text->data;
    last = p + text->len;

    /* YYYY-MM-DDThh:mm:ss, then a fraction, then Z or an offset */

    if (text->len < sizeof("2025-11-24T16:00:00Z") - 1) {
        return NGX_DECLINED;
    }

    if (p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't')
        || p[13] != ':' || p[16] != ':')
    {
        return NGX_DECLINED;
    }

    year = ngx_atoi(p, 4);
    month = ngx_atoi(p + 5, 2);
    day = ngx_atoi(p + 8, 2);
    hour = ngx_atoi(p + 11, 2);
    min = ngx_atoi(p + 14, 2);
    sec = ngx_atoi(p + 17, 2);

    if (year < 1970 || month < 1 || month > 12 || day < 1
        || hour < 0 || hour > 23 || min < 0 || min > 59 || sec < 0 || sec > 60)
    {
        return NGX_DECLINED;
    }

    leap = (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));

    if (day > mday[month - 1] + (month == 2 && leap ? 1 : 0)) {
        return NGX_DECLINED;
    }

    p += 19;

    if (*p == '.') {
        p++;

        for (n = 0; p < last && *p >= '0' && *p <= '9'; n++) {
            p++;
        }

        if (n == 0 || n > 9) {
            return NGX_DECLINED;
        }
    }

    off_hour = 0;
    off_min = 0;

    if (last - p == 1 && (*p == 'Z' || *p == 'z')) {
        /* void */

    } else if (last - p == 6 && (*p == '+' || *p == '-') && p[3] == ':') {

        off_hour = ngx_atoi(p + 1, 2);
        off_min = ngx_atoi(p + 4, 2);

        if (off_hour < 0 || off_hour > 23 || off_min < 0 || off_min > 59) {
            return NGX_DECLINED;
        }

        if (*p == '-') {
            off_hour = -off_hour;
            off_min = -off_min;
        }

    } else {
        return NGX_DECLINED;
    }

    /* Gauss' formula for days since 1970-01-01, as in ngx_parse_http_time() */

    month -= 2;

    if (month <= 0) {
        month += 12;
        year -= 1;
    }

    days = (int64_t) 365 * year + year / 4 - year / 100 + year / 400
           + 367 * month / 12 - 30
           + day - 1
           - 719527 + 31 + 28;

    t = days * 86400 + (hour - off_hour) * 3600 + (min - off_min) * 60 + sec;

    /* a leap second is the last one of a day of UTC */

    if (sec == 60 && t % 86400 != 0) {
        return NGX_DECLINED;
    }

    *time = (time_t) t;

    return NGX_OK;
}
