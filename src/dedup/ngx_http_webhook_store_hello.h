
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What is said to a server of a store first, and whether it will do: it must
 * be a primary, know what is needed, and allow it.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_HELLO_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_HELLO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_resp.h"
#include "ngx_http_webhook_store_conn.h"


/* what is known of a server */

typedef struct {
    ngx_uint_t                     step;     /* the next reply */
    u_char                         run_id[41];
    u_char                         master_replid[41];
    u_char                         policy[32];  /* of eviction */

    unsigned                       known:1;  /* INFO was allowed */
} ngx_http_webhook_hello_t;


/* Writes all of it.  Returns NGX_OK, or NGX_ERROR with a reason. */
ngx_int_t ngx_http_webhook_hello_write(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_hello_t *hello);

/*
 * The next reply.  Returns NGX_OK if the store is up, NGX_AGAIN if there are
 * more replies to come, or NGX_ERROR with a reason.
 */
ngx_int_t ngx_http_webhook_hello_read(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_hello_t *hello, ngx_http_webhook_resp_t *reply);

/* Whether the text of a reply begins with a word. */
ngx_uint_t ngx_http_webhook_reply_is(ngx_http_webhook_resp_t *reply,
    const char *word);

/* Makes an error reply, or as much of it as may be told, the reason. */
void ngx_http_webhook_reply_reason(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_resp_t *reply, const char *command, ngx_uint_t whole);


#endif /* _NGX_HTTP_WEBHOOK_STORE_HELLO_H_INCLUDED_ */
