
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Text of any length, written into a chain of buffers, and how other people's
 * names stand in it.
 */


#ifndef _NGX_HTTP_WEBHOOK_WRITER_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_WRITER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the most that is formatted at once, in bytes */
#define NGX_HTTP_WEBHOOK_WRITER_MAX  512


typedef struct {
    ngx_pool_t                    *pool;
    ngx_chain_t                   *first;
    ngx_chain_t                   *last;
    off_t                          size;     /* of the whole, at the end */

    unsigned                       failed:1; /* there was no memory */
} ngx_http_webhook_writer_t;


typedef enum {
    NGX_HTTP_WEBHOOK_ESCAPE_LABEL = 0,       /* of Prometheus */
    NGX_HTTP_WEBHOOK_ESCAPE_JSON,
    NGX_HTTP_WEBHOOK_ESCAPE_HTML
} ngx_http_webhook_escape_e;


void ngx_http_webhook_writer_init(ngx_http_webhook_writer_t *w,
    ngx_pool_t *pool);

/* Formats like ngx_slprintf(), at most NGX_HTTP_WEBHOOK_WRITER_MAX bytes. */
void ngx_http_webhook_write(ngx_http_webhook_writer_t *w, const char *fmt,
    ...);

/* Text as it is. */
void ngx_http_webhook_write_text(ngx_http_webhook_writer_t *w, const char *p,
    size_t len);

/*
 * A name, as it is to stand between the quotes, or the tags, of a format; what
 * is no UTF-8 in it is replaced.
 */
void ngx_http_webhook_write_name(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_escape_e escape, const ngx_str_t *name);

/* A name as a string of JSON, with its quotes. */
void ngx_http_webhook_write_string(ngx_http_webhook_writer_t *w,
    const ngx_str_t *name);

/*
 * Ends the writing: the last buffer is the last one of the whole.  Returns
 * NGX_OK, or NGX_ERROR if there was no memory.
 */
ngx_int_t ngx_http_webhook_writer_end(ngx_http_webhook_writer_t *w);

/*
 * Copies a name, what is no UTF-8 being replaced, as far as it finds room, and
 * returns the end; no character is cut.
 */
u_char *ngx_http_webhook_copy_name(u_char *dst, u_char *last,
    const ngx_str_t *name);


#endif /* _NGX_HTTP_WEBHOOK_WRITER_H_INCLUDED_ */
