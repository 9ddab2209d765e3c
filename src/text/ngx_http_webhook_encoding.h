
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Encodings of digests and secrets: hex, base64 and base64url, strictly.
 */


#ifndef _NGX_HTTP_WEBHOOK_ENCODING_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_ENCODING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_WEBHOOK_ENCODING_RAW = 0,
    NGX_HTTP_WEBHOOK_ENCODING_HEX,
    NGX_HTTP_WEBHOOK_ENCODING_BASE64,
    NGX_HTTP_WEBHOOK_ENCODING_BASE64URL,
    NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX     /* base64 of hex */
} ngx_http_webhook_encoding_e;


/*
 * The number of bytes that src decodes to, or NGX_ERROR if no text of that
 * length is an encoding of anything.
 */
ngx_int_t ngx_http_webhook_decoded_length(ngx_str_t *src,
    ngx_http_webhook_encoding_e encoding);

/* The length of the encoding of size bytes, and the name of an encoding. */
size_t ngx_http_webhook_encoded_length(size_t size,
    ngx_http_webhook_encoding_e encoding);
char *ngx_http_webhook_encoding_name(ngx_http_webhook_encoding_e encoding);

/*
 * Decodes src into dst, which has room for ngx_http_webhook_decoded_length()
 * and two bytes more.  Hex is accepted in either case; base64 (RFC 4648) has
 * to be canonical: padded, its own alphabet, zero trailing bits; base64url
 * may do without the padding.  Returns NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_decode(u_char *dst, ngx_str_t *src,
    ngx_http_webhook_encoding_e encoding);


/*
 * Encodes src as hex in lower case, base64, or base64url without padding; dst
 * has room for ngx_http_webhook_encoded_length().
 */
void ngx_http_webhook_encode(ngx_str_t *dst, ngx_str_t *src,
    ngx_http_webhook_encoding_e encoding);


#endif /* _NGX_HTTP_WEBHOOK_ENCODING_H_INCLUDED_ */
