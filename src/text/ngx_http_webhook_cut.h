
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Values cut into items: of a header that holds more than one thing.
 */


#ifndef _NGX_HTTP_WEBHOOK_CUT_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_CUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


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
    const ngx_str_t *separator, ngx_str_t *piece);

/*
 * Takes the next item that is not empty.  Returns NGX_OK if it is wanted by
 * the prefix or the position, with the prefix removed; NGX_DECLINED if it
 * is to be skipped; NGX_DONE when the value is exhausted.
 */
ngx_int_t ngx_http_webhook_next_item(ngx_http_webhook_cursor_t *cursor,
    const ngx_http_webhook_cut_t *cut, ngx_str_t *item);

/* Points the cursor at the start of a value; the value is not copied. */
void ngx_http_webhook_cursor(ngx_http_webhook_cursor_t *cursor,
    ngx_str_t *value);


#endif /* _NGX_HTTP_WEBHOOK_CUT_H_INCLUDED_ */
