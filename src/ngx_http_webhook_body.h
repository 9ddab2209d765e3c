
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The body as core has stored it, in memory or in a file.
 */


#ifndef _NGX_HTTP_WEBHOOK_BODY_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* how far a body was read */

typedef struct {
    ngx_http_request_t            *request;
    ngx_chain_t                   *in;
    off_t                          offset;   /* in a buffer of a file */
    u_char                        *buffer;
} ngx_http_webhook_body_t;


/* Takes a piece of a body.  Returns NGX_OK or NGX_ERROR. */
typedef ngx_int_t (*ngx_http_webhook_body_pt)(void *data, u_char *p,
    size_t len);


/* Begins to read the body of a request, which may have none. */
void ngx_http_webhook_open_body(ngx_http_webhook_body_t *body,
    ngx_http_request_t *r);

/*
 * Hands the body on, piece by piece, from where it was read to, but not much
 * more than limit bytes of files.  Returns NGX_OK at the end of the body,
 * NGX_AGAIN to be called again, or NGX_ERROR if the handler failed, or after
 * the error was logged.
 */
ngx_int_t ngx_http_webhook_walk_body(ngx_http_webhook_body_t *body,
    off_t limit, ngx_http_webhook_body_pt handler, void *data);

/*
 * Copies the whole body to dst, which has room for as many bytes as its length
 * says.  Returns NGX_OK, or NGX_ERROR after the error was logged.
 */
ngx_int_t ngx_http_webhook_copy_body(ngx_http_request_t *r, u_char *dst);

/* The length in bytes. */
off_t ngx_http_webhook_body_length(ngx_http_request_t *r);

/* Whether there was a body that can no longer be read. */
ngx_uint_t ngx_http_webhook_body_is_gone(ngx_http_request_t *r);

/*
 * Takes the body from the request, so that nothing that handles it further
 * passes it on.  Returns NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_withhold_body(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WEBHOOK_BODY_H_INCLUDED_ */
