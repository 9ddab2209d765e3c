
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Which content type a client likes best, by what its Accept says.
 */


#ifndef _NGX_HTTP_WEBHOOK_ACCEPT_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_ACCEPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    u_char                        *type;
    size_t                         len;      /* without parameters */
    size_t                         main;     /* with the slash */
    ngx_uint_t                     closeness;   /* of the range that counts */
    ngx_uint_t                     q;        /* in thousandths */
} ngx_http_webhook_accept_t;


/* A content type that we have, which may have parameters. */
void ngx_http_webhook_accept_init(ngx_http_webhook_accept_t *accept,
    const ngx_str_t *content_type);

/*
 * Reads a value of Accept for n of them: afterwards q is how much a client
 * likes a type, by the range that fits it most closely.
 */
void ngx_http_webhook_accept_read(ngx_http_webhook_accept_t *accept,
    ngx_uint_t n, const ngx_str_t *value);


#endif /* _NGX_HTTP_WEBHOOK_ACCEPT_H_INCLUDED_ */
