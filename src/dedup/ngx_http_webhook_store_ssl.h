
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * TLS to the servers of a store.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_SSL_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_SSL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store_conn.h"


/*
 * Makes store->ssl.  An empty name of a file is none; the CA certificates are
 * the system's then.  Returns NGX_OK; NGX_DECLINED if this nginx has no SSL;
 * or NGX_ERROR after the error was logged.
 */
ngx_int_t ngx_http_webhook_store_ssl_create(ngx_conf_t *cf,
    ngx_http_webhook_store_t *store, ngx_str_t *trusted, ngx_str_t *cert,
    ngx_str_t *key);

/*
 * Begins the handshake.  Returns NGX_OK if it is over; NGX_AGAIN, and the
 * handler will be called when it is; or NGX_ERROR, with a reason.  Whether it
 * was a success, and with whom, is to be checked.
 */
ngx_int_t ngx_http_webhook_store_ssl_handshake(ngx_http_webhook_conn_t *conn,
    ngx_connection_handler_pt handler);
ngx_int_t ngx_http_webhook_store_ssl_check(ngx_http_webhook_conn_t *conn);

/* Says goodbye, and waits for no answer. */
void ngx_http_webhook_store_ssl_shutdown(ngx_connection_t *c);


#endif /* _NGX_HTTP_WEBHOOK_STORE_SSL_H_INCLUDED_ */
