
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * TLS to the servers of a store.
 *
 * The module may be loaded into an nginx that was built without SSL: what it
 * needs of core is looked for, and not taken for granted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store_ssl.h"


#if (NGX_SSL)

#pragma weak ngx_ssl_create
#pragma weak ngx_ssl_cleanup_ctx
#pragma weak ngx_ssl_certificate
#pragma weak ngx_ssl_trusted_certificate
#pragma weak ngx_ssl_create_connection
#pragma weak ngx_ssl_handshake
#pragma weak ngx_ssl_check_host
#pragma weak ngx_ssl_shutdown
#pragma weak ngx_ssl_error


static ngx_str_t *ngx_http_webhook_store_ssl_name(
    ngx_http_webhook_conn_t *conn);


ngx_int_t
ngx_http_webhook_store_ssl_create(ngx_conf_t *cf,
    ngx_http_webhook_store_t *store, ngx_str_t *trusted, ngx_str_t *cert,
    ngx_str_t *key)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    if (ngx_ssl_create == NULL) {
        return NGX_DECLINED;
    }

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NGX_ERROR;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(ssl);
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF

    /* replies tell their length; core of 1.18 does not know this end */

    SSL_CTX_set_options(ssl->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);

#endif

    if (cert->len
        && ngx_ssl_certificate(cf, ssl, cert, key, NULL) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (trusted->len) {

        if (ngx_ssl_trusted_certificate(cf, ssl, trusted, 10) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (SSL_CTX_set_default_verify_paths(ssl->ctx) != 1) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
        return NGX_ERROR;
    }

    store->ssl = ssl;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_store_ssl_handshake(ngx_http_webhook_conn_t *conn,
    ngx_connection_handler_pt handler)
{
    ngx_int_t          rc;
    ngx_str_t         *name;
    ngx_connection_t  *c;

    c = conn->peer.connection;

    if (ngx_ssl_create_connection(conn->store->ssl, c,
                                  NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        ngx_http_webhook_conn_reason(conn, 0, "no memory for SSL");
        return NGX_ERROR;
    }

#ifdef SSL_CTRL_SET_TLSEXT_HOSTNAME

    /* an address is no name for SNI: RFC 6066, section 3 */

    name = ngx_http_webhook_store_ssl_name(conn);

    if (ngx_inet_addr(name->data, name->len) == INADDR_NONE
        && ngx_strlchr(name->data, name->data + name->len, ':') == NULL
        && SSL_set_tlsext_host_name(c->ssl->connection, (char *) name->data)
           == 0)
    {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name(\"%V\") failed", name);
        ngx_http_webhook_conn_reason(conn, 0, "has no good name for SSL");
        return NGX_ERROR;
    }

#endif

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = handler;
    }

    if (rc == NGX_ERROR) {
        ngx_http_webhook_conn_reason(conn, 0, "failed in the SSL handshake");
    }

    return rc;
}


/* names of servers end with a zero, as all that was configured does */

static ngx_str_t *
ngx_http_webhook_store_ssl_name(ngx_http_webhook_conn_t *conn)
{
    ngx_http_webhook_server_t  *server;

    if (conn->store->ssl_name.len) {
        return (ngx_str_t *) &conn->store->ssl_name;
    }

    server = conn->store->servers.elts;

    return &server[conn->server - 1].host;
}


ngx_int_t
ngx_http_webhook_store_ssl_check(ngx_http_webhook_conn_t *conn)
{
    long               rc;
    ngx_str_t         *name;
    ngx_connection_t  *c;

    c = conn->peer.connection;

    if (!c->ssl->handshaked) {
        ngx_http_webhook_conn_reason(conn, 0, "failed in the SSL handshake");
        return NGX_ERROR;
    }

    if (!conn->store->ssl_verify) {
        return NGX_OK;
    }

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_http_webhook_conn_reason(conn, 0, "has an SSL certificate that "
                                     "cannot be verified (%l:%s)",
                                     rc, X509_verify_cert_error_string(rc));
        return NGX_ERROR;
    }

    name = ngx_http_webhook_store_ssl_name(conn);

    if (ngx_ssl_check_host(c, name) != NGX_OK) {
        ngx_http_webhook_conn_reason(conn, 0, "has an SSL certificate that "
                                     "does not match \"%V\"", name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_webhook_store_ssl_shutdown(ngx_connection_t *c)
{
    c->ssl->no_wait_shutdown = 1;

    (void) ngx_ssl_shutdown(c);
}


#else

ngx_int_t
ngx_http_webhook_store_ssl_create(ngx_conf_t *cf,
    ngx_http_webhook_store_t *store, ngx_str_t *trusted, ngx_str_t *cert,
    ngx_str_t *key)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_http_webhook_store_ssl_handshake(ngx_http_webhook_conn_t *conn,
    ngx_connection_handler_pt handler)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_http_webhook_store_ssl_check(ngx_http_webhook_conn_t *conn)
{
    return NGX_ERROR;
}


void
ngx_http_webhook_store_ssl_shutdown(ngx_connection_t *c)
{
    /* there is none */
}

#endif
