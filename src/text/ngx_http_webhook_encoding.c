
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Encodings of digests and secrets: hex, base64 and base64url, strictly.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_encoding.h"


/* the longest base64 text that is decoded: a secret of some 6 KB */
#define NGX_HTTP_WEBHOOK_MAX_ENCODED  8192

/* hex that is encoded once more: of a digest, none is that long */
#define NGX_HTTP_WEBHOOK_MAX_HEX      512


static ngx_int_t ngx_http_webhook_decode_hex(u_char *dst, ngx_str_t *src);
static ngx_int_t ngx_http_webhook_decode_base64(u_char *dst, ngx_str_t *src);
static ngx_int_t ngx_http_webhook_decode_base64url(u_char *dst,
    ngx_str_t *src);
static ngx_int_t ngx_http_webhook_decode_base64_hex(u_char *dst,
    ngx_str_t *src);


/* what a hexadecimal digit stands for, 77 if a character is none */

static const u_char  ngx_http_webhook_hex[] = {
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
     0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 77, 77, 77, 77, 77, 77,
    77, 10, 11, 12, 13, 14, 15, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 10, 11, 12, 13, 14, 15, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77,
    77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77
};


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
    case NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX:
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

    len = len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0);

    if (encoding == NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX) {
        return (len % 2) ? NGX_ERROR : (ngx_int_t) len / 2;
    }

    return len;
}


size_t
ngx_http_webhook_encoded_length(size_t size,
    ngx_http_webhook_encoding_e encoding)
{
    switch (encoding) {

    case NGX_HTTP_WEBHOOK_ENCODING_RAW:
        return size;

    case NGX_HTTP_WEBHOOK_ENCODING_HEX:
        return size * 2;

    case NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX:
        return ngx_base64_encoded_length(size * 2);

    default: /* base64 and base64url */
        return ngx_base64_encoded_length(size);
    }
}


char *
ngx_http_webhook_encoding_name(ngx_http_webhook_encoding_e encoding)
{
    static char  *names[] = { "raw", "hex", "base64", "base64url",
                              "base64-hex" };

    return names[encoding];
}


void
ngx_http_webhook_encode(ngx_str_t *dst, ngx_str_t *src,
    ngx_http_webhook_encoding_e encoding)
{
    switch (encoding) {

    case NGX_HTTP_WEBHOOK_ENCODING_HEX:
        dst->len = ngx_hex_dump(dst->data, src->data, src->len) - dst->data;
        break;

    case NGX_HTTP_WEBHOOK_ENCODING_BASE64:
        ngx_encode_base64(dst, src);
        break;

    default: /* NGX_HTTP_WEBHOOK_ENCODING_BASE64URL */
        ngx_encode_base64url(dst, src);
        break;
    }
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

    case NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX:
        return ngx_http_webhook_decode_base64_hex(dst, src);

    default: /* NGX_HTTP_WEBHOOK_ENCODING_BASE64URL */
        return ngx_http_webhook_decode_base64url(dst, src);
    }
}


static ngx_int_t
ngx_http_webhook_decode_hex(u_char *dst, ngx_str_t *src)
{
    u_char  *p, *last, high, low;

    last = src->data + src->len;

    for (p = src->data; p < last; p += 2) {

        high = ngx_http_webhook_hex[p[0]];
        low = ngx_http_webhook_hex[p[1]];

        if ((high | low) > 0x0f) {
            return NGX_DECLINED;
        }

        *dst++ = (u_char) (high << 4 | low);
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


static ngx_int_t
ngx_http_webhook_decode_base64_hex(u_char *dst, ngx_str_t *src)
{
    u_char     buf[NGX_HTTP_WEBHOOK_MAX_HEX + 2];
    ngx_int_t  n;
    ngx_str_t  hex;

    n = ngx_http_webhook_decoded_length(src,
                                        NGX_HTTP_WEBHOOK_ENCODING_BASE64);

    if (n > NGX_HTTP_WEBHOOK_MAX_HEX) {
        return NGX_DECLINED;
    }

    if (ngx_http_webhook_decode_base64(buf, src) != NGX_OK) {
        return NGX_DECLINED;
    }

    hex.data = buf;
    hex.len = n;

    return ngx_http_webhook_decode_hex(dst, &hex);
}
