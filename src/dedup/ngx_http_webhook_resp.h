
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The protocol of Redis, RESP2: commands are written, and replies are read as
 * they arrive.  A reply here is a scalar.
 */


#ifndef _NGX_HTTP_WEBHOOK_RESP_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_RESP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a reply that is longer as a whole is none */
#define NGX_HTTP_WEBHOOK_RESP_MAX  65536


typedef enum {
    NGX_HTTP_WEBHOOK_RESP_STATUS = 0,        /* "+OK" */
    NGX_HTTP_WEBHOOK_RESP_ERROR,             /* "-ERR ..." */
    NGX_HTTP_WEBHOOK_RESP_INTEGER,           /* ":1" */
    NGX_HTTP_WEBHOOK_RESP_BULK,              /* "$2", and two bytes */
    NGX_HTTP_WEBHOOK_RESP_NULL               /* "$-1" */
} ngx_http_webhook_resp_e;


typedef struct {
    ngx_http_webhook_resp_e        type;
    ngx_str_t                      text;     /* within what was read */
    int64_t                        number;   /* of an integer */
    size_t                         size;     /* of the whole reply */

    size_t                         seen;     /* of an incomplete one */
    size_t                         line;     /* its length, once it is known */
} ngx_http_webhook_resp_t;


/*
 * Reads the reply that begins at p, of which size bytes have arrived; the
 * structure is zeroed before the first call, and keeps between calls how far
 * the reply was read.  Returns
 *
 *    NGX_OK        the reply is complete, and resp->size bytes long
 *    NGX_AGAIN     there must be more of it: to be called again, with all of
 *                  it from its beginning
 *    NGX_ERROR     this is no reply, or too long a one
 */
ngx_int_t ngx_http_webhook_resp_read(ngx_http_webhook_resp_t *resp, u_char *p,
    size_t size);

/*
 * The length of a command of n arguments, at most, and the command, of which
 * the end is returned.
 */
size_t ngx_http_webhook_resp_length(ngx_str_t *args, ngx_uint_t n);
u_char *ngx_http_webhook_resp_write(u_char *p, ngx_str_t *args, ngx_uint_t n);


#endif /* _NGX_HTTP_WEBHOOK_RESP_H_INCLUDED_ */
