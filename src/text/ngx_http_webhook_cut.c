
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Values cut into items: of a header that holds more than one thing.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_cut.h"


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
    const ngx_str_t *separator, ngx_str_t *piece)
{
    u_char  *p, *end;

    if (cursor->last == NULL) {
        return NGX_DONE;
    }

    p = separator->len ? cursor->pos : cursor->last;

    while (p < cursor->last
           && ngx_strlchr(separator->data, separator->data + separator->len,
                          *p) == NULL)
    {
        p++;
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
    const ngx_http_webhook_cut_t *cut, ngx_str_t *item)
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
