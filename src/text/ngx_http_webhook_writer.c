
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Text of any length, written into a chain of buffers, and how other people's
 * names stand in it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_writer.h"


#define NGX_HTTP_WEBHOOK_WRITER_BUFFER  32768


static ngx_buf_t *ngx_http_webhook_writer_room(ngx_http_webhook_writer_t *w,
    size_t size);
static size_t ngx_http_webhook_next_char(u_char *p, u_char *last);
static void ngx_http_webhook_write_char(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_escape_e escape, u_char ch);


static const char  ngx_http_webhook_replacement[] = "\xef\xbf\xbd";


void
ngx_http_webhook_writer_init(ngx_http_webhook_writer_t *w, ngx_pool_t *pool)
{
    ngx_memzero(w, sizeof(ngx_http_webhook_writer_t));

    w->pool = pool;
}


/* the buffer that is written to, with that much room, or NULL */

static ngx_buf_t *
ngx_http_webhook_writer_room(ngx_http_webhook_writer_t *w, size_t size)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (w->failed) {
        return NULL;
    }

    if (w->last && (size_t) (w->last->buf->end - w->last->buf->last) >= size) {
        return w->last->buf;
    }

    b = ngx_create_temp_buf(w->pool,
                            ngx_max(size, NGX_HTTP_WEBHOOK_WRITER_BUFFER));
    cl = ngx_alloc_chain_link(w->pool);

    if (b == NULL || cl == NULL) {
        w->failed = 1;
        return NULL;
    }

    cl->buf = b;
    cl->next = NULL;

    if (w->last) {
        w->last->next = cl;

    } else {
        w->first = cl;
    }

    w->last = cl;

    return b;
}


void
ngx_http_webhook_write(ngx_http_webhook_writer_t *w, const char *fmt, ...)
{
    va_list     args;
    ngx_buf_t  *b;

    b = ngx_http_webhook_writer_room(w, NGX_HTTP_WEBHOOK_WRITER_MAX);
    if (b == NULL) {
        return;
    }

    va_start(args, fmt);
    b->last = ngx_vslprintf(b->last, b->last + NGX_HTTP_WEBHOOK_WRITER_MAX,
                            fmt, args);
    va_end(args);
}


void
ngx_http_webhook_write_text(ngx_http_webhook_writer_t *w, const char *p,
    size_t len)
{
    ngx_buf_t  *b;

    b = ngx_http_webhook_writer_room(w, len);
    if (b == NULL) {
        return;
    }

    b->last = ngx_cpymem(b->last, p, len);
}


void
ngx_http_webhook_write_name(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_escape_e escape, const ngx_str_t *name)
{
    u_char  *p, *last;
    size_t   n;

    p = name->data;
    last = name->data + name->len;

    while (p < last) {

        n = ngx_http_webhook_next_char(p, last);

        switch (n) {

        case 0:
            ngx_http_webhook_write_text(w, ngx_http_webhook_replacement,
                                     sizeof(ngx_http_webhook_replacement) - 1);
            p++;
            continue;

        case 1:
            ngx_http_webhook_write_char(w, escape, *p);
            break;

        default:
            ngx_http_webhook_write_text(w, (char *) p, n);
            break;
        }

        p += n;
    }
}


static void
ngx_http_webhook_write_char(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_escape_e escape, u_char ch)
{
    switch (escape) {

    case NGX_HTTP_WEBHOOK_ESCAPE_LABEL:

        if (ch == '\n') {
            ngx_http_webhook_write_text(w, "\\n", 2);
            return;
        }

        if (ch == '"' || ch == '\\') {
            ngx_http_webhook_write_text(w, "\\", 1);
        }

        break;

    case NGX_HTTP_WEBHOOK_ESCAPE_JSON:

        if (ch < 0x20 || ch == 0x7f) {
            ngx_http_webhook_write(w, "\\u%04xd", (int) ch);
            return;
        }

        if (ch == '"' || ch == '\\') {
            ngx_http_webhook_write_text(w, "\\", 1);
        }

        break;

    default: /* NGX_HTTP_WEBHOOK_ESCAPE_HTML */

        switch (ch) {

        case '&':
            ngx_http_webhook_write_text(w, "&amp;", 5);
            return;

        case '<':
            ngx_http_webhook_write_text(w, "&lt;", 4);
            return;

        case '>':
            ngx_http_webhook_write_text(w, "&gt;", 4);
            return;

        case '"':
            ngx_http_webhook_write_text(w, "&quot;", 6);
            return;

        case '\'':
            ngx_http_webhook_write_text(w, "&#39;", 5);
            return;

        default:

            if (ch < 0x20 || ch == 0x7f) {

                /* HTML has no way to write them */

                ngx_http_webhook_write_text(w, ngx_http_webhook_replacement,
                                     sizeof(ngx_http_webhook_replacement) - 1);
                return;
            }
        }
    }

    ngx_http_webhook_write_text(w, (char *) &ch, 1);
}


void
ngx_http_webhook_write_string(ngx_http_webhook_writer_t *w,
    const ngx_str_t *name)
{
    ngx_http_webhook_write_text(w, "\"", 1);
    ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_JSON, name);
    ngx_http_webhook_write_text(w, "\"", 1);
}


ngx_int_t
ngx_http_webhook_writer_end(ngx_http_webhook_writer_t *w)
{
    ngx_chain_t  *cl;

    /* an empty text is one of no bytes */

    (void) ngx_http_webhook_writer_room(w, 1);

    if (w->failed) {
        return NGX_ERROR;
    }

    for (cl = w->first; cl; cl = cl->next) {
        w->size += ngx_buf_size(cl->buf);
    }

    w->last->buf->last_buf = 1;
    w->last->buf->last_in_chain = 1;

    return NGX_OK;
}


u_char *
ngx_http_webhook_copy_name(u_char *dst, u_char *last, const ngx_str_t *name)
{
    u_char      *p, *end;
    size_t       n, len;
    const void  *from;

    p = name->data;
    end = name->data + name->len;

    while (p < end) {

        n = ngx_http_webhook_next_char(p, end);

        if (n) {
            from = p;
            len = n;

        } else {
            from = ngx_http_webhook_replacement;
            len = sizeof(ngx_http_webhook_replacement) - 1;
            n = 1;
        }

        if (len > (size_t) (last - dst)) {
            break;
        }

        dst = ngx_cpymem(dst, from, len);
        p += n;
    }

    return dst;
}


/* the length of the character at p, 0 if there is none in UTF-8 */

static size_t
ngx_http_webhook_next_char(u_char *p, u_char *last)
{
    u_char    *next;
    uint32_t   ch;

    if (*p < 0x80) {
        return 1;
    }

    next = p;
    ch = ngx_utf8_decode(&next, last - p);

    if (ch > 0x10ffff || (ch >= 0xd800 && ch <= 0xdfff)) {
        return 0;
    }

    return next - p;
}
