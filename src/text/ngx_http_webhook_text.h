
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The pure part of reading what a provider sends: values cut into items,
 * encoded digests and secrets, timestamps.  Nothing here knows a request.
 */


#ifndef _NGX_HTTP_WEBHOOK_TEXT_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_WEBHOOK_ENCODING_RAW = 0,
    NGX_HTTP_WEBHOOK_ENCODING_HEX,
    NGX_HTTP_WEBHOOK_ENCODING_BASE64,
    NGX_HTTP_WEBHOOK_ENCODING_BASE64URL
} ngx_http_webhook_encoding_e;


typedef enum {
    NGX_HTTP_WEBHOOK_UNIT_SECONDS = 0,
    NGX_HTTP_WEBHOOK_UNIT_MILLISECONDS,
    NGX_HTTP_WEBHOOK_UNIT_SECONDS_OR_MS,
    NGX_HTTP_WEBHOOK_UNIT_RFC3339
} ngx_http_webhook_unit_e;


/* how the value of a source is cut into items, and which of them count */

typedef struct {
    ngx_str_t                      separator;
    ngx_str_t                      prefix;
    ngx_str_t                      group;
    ngx_uint_t                     first;     /* item=, 0 if not given */
    ngx_uint_t                     last;      /* item=, 0 if open */
} ngx_http_webhook_cut_t;


/* where the cutting of one value stands */

typedef struct {
    u_char                        *pos;
    u_char                        *last;      /* NULL: nothing is left */
    ngx_uint_t                     position;  /* items seen in this value */
} ngx_http_webhook_cursor_t;


/*
 * Takes the next piece of the cursor's value up to any of the separators,
 * blanks around it trimmed.  Without separators the whole value is one piece.
 * Returns NGX_OK, or NGX_DONE when the value is exhausted.
 */
ngx_int_t ngx_http_webhook_next_piece(ngx_http_webhook_cursor_t *cursor,
    ngx_str_t *separator, ngx_str_t *piece);

/*
 * Takes the next item that is not empty.  Returns NGX_OK if it is wanted by
 * the prefix or the position, with the prefix removed; NGX_DECLINED if it
 * is to be skipped; NGX_DONE when the value is exhausted.
 */
ngx_int_t ngx_http_webhook_next_item(ngx_http_webhook_cursor_t *cursor,
    ngx_http_webhook_cut_t *cut, ngx_str_t *item);

/* Points the cursor at the start of a value; the value is not copied. */
void ngx_http_webhook_cursor(ngx_http_webhook_cursor_t *cursor,
    ngx_str_t *value);

/*
 * The number of bytes that src decodes to, or NGX_ERROR if no text of that
 * length is an encoding of anything.
 */
ngx_int_t ngx_http_webhook_decoded_length(ngx_str_t *src,
    ngx_http_webhook_encoding_e encoding);

/*
 * Decodes src into dst, which has room for ngx_http_webhook_decoded_length()
 * and two bytes more.  Hex is accepted in either case; base64 (RFC 4648) has
 * to be canonical: padded, its own alphabet, zero trailing bits; base64url
 * may do without the padding.  Returns NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_decode(u_char *dst, ngx_str_t *src,
    ngx_http_webhook_encoding_e encoding);

/*
 * Reads a timestamp: exactly 10 digits of seconds, exactly 13 digits of
 * milliseconds, either of them, or RFC 3339.  Fractions of a second are
 * dropped.  Returns NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_parse_timestamp(ngx_str_t *text,
    ngx_http_webhook_unit_e unit, time_t *time);


#endif /* _NGX_HTTP_WEBHOOK_TEXT_H_INCLUDED_ */
