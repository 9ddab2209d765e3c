
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The connection of a process to one of the servers of a store: names are
 * resolved, addresses tried one after another, and bytes read and written.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_http_webhook_resp.h"
#include "ngx_http_webhook_store_conn.h"
#include "ngx_http_webhook_store_ssl.h"


#define NGX_HTTP_WEBHOOK_CONN_OUT   4096

/* what is kept for later, once it was needed */
#define NGX_HTTP_WEBHOOK_CONN_KEEP  65536


static ngx_int_t ngx_http_webhook_conn_next(ngx_http_webhook_conn_t *conn);
static ngx_int_t ngx_http_webhook_conn_resolve(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_server_t *server);
static void ngx_http_webhook_conn_resolved(ngx_resolver_ctx_t *resolve);
static ngx_int_t ngx_http_webhook_conn_addresses(
    ngx_http_webhook_conn_t *conn, ngx_resolver_ctx_t *resolve);
static ngx_int_t ngx_http_webhook_conn_connect(ngx_http_webhook_conn_t *conn);
static void ngx_http_webhook_conn_connected(ngx_event_t *ev);
static void ngx_http_webhook_conn_ready(ngx_connection_t *c);
static ngx_int_t ngx_http_webhook_conn_test(ngx_connection_t *c);
static void ngx_http_webhook_conn_timer_handler(ngx_event_t *ev);
static void ngx_http_webhook_conn_read_handler(ngx_event_t *rev);
static void ngx_http_webhook_conn_write_handler(ngx_event_t *wev);
static void ngx_http_webhook_conn_flush_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_webhook_conn_write(ngx_http_webhook_conn_t *conn);
static void ngx_http_webhook_conn_fail(ngx_http_webhook_conn_t *conn);
static void ngx_http_webhook_conn_wipe(ngx_http_webhook_conn_t *conn);
static u_char *ngx_http_webhook_conn_log(ngx_log_t *log, u_char *buf,
    size_t len);


void
ngx_http_webhook_conn_init(ngx_http_webhook_conn_t *conn,
    const ngx_http_webhook_store_t *store)
{
    conn->store = store;

    conn->log = *store->log;
    conn->log.handler = ngx_http_webhook_conn_log;
    conn->log.data = conn;
    conn->log.action = NULL;

    conn->timer.handler = ngx_http_webhook_conn_timer_handler;
    conn->timer.data = conn;
    conn->timer.log = &conn->log;
    conn->timer.cancelable = 1;

    conn->flush.handler = ngx_http_webhook_conn_flush_handler;
    conn->flush.data = conn;
    conn->flush.log = &conn->log;
}


ngx_int_t
ngx_http_webhook_conn_open(ngx_http_webhook_conn_t *conn, ngx_uint_t first)
{
    ngx_int_t                   rc;
    ngx_http_webhook_server_t  *server;

    if (first) {
        conn->server = 0;
        conn->naddr = 0;
        conn->naddrs = 0;
    }

    for ( ;; ) {

        while (conn->naddr < conn->naddrs) {

            if (ngx_http_webhook_conn_next(conn) == NGX_OK) {
                return NGX_OK;
            }
        }

        if (conn->server == conn->store->servers.nelts) {
            return NGX_DECLINED;
        }

        server = conn->store->servers.elts;
        server += conn->server++;

        conn->addrs = server->addrs;
        conn->naddrs = server->naddrs;
        conn->naddr = 0;

        if (server->named && conn->store->resolver) {

            rc = ngx_http_webhook_conn_resolve(conn, server);

            if (rc == NGX_AGAIN) {
                return NGX_OK;
            }
        }
    }
}


static ngx_int_t
ngx_http_webhook_conn_next(ngx_http_webhook_conn_t *conn)
{
    ngx_int_t  rc;

    ngx_add_timer(&conn->timer, conn->store->connect_timeout);

    rc = ngx_http_webhook_conn_connect(conn);

    conn->naddr++;

    if (rc != NGX_OK) {
        ngx_http_webhook_conn_close(conn);
    }

    return rc;
}


/*
 * Asks for the addresses of a server.  Returns NGX_AGAIN, or NGX_OK if those
 * that were known have to do.
 */

static ngx_int_t
ngx_http_webhook_conn_resolve(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_server_t *server)
{
    ngx_resolver_ctx_t  *resolve, temp;

    temp.name = server->host;

    resolve = ngx_resolve_start(conn->store->resolver, &temp);

    if (resolve == NULL || resolve == NGX_NO_RESOLVER) {
        return NGX_OK;
    }

    resolve->name = server->host;
    resolve->handler = ngx_http_webhook_conn_resolved;
    resolve->data = conn;
    resolve->timeout = ngx_min(conn->store->resolver_timeout,
                               conn->store->connect_timeout);
    resolve->cancelable = 1;

    conn->resolve = resolve;

    /* the handler may have been called when this returns */

    conn->naddrs = 0;

    if (ngx_resolve_name(resolve) != NGX_OK) {
        conn->resolve = NULL;
        conn->naddrs = server->naddrs;
        return NGX_OK;
    }

    return conn->resolve ? NGX_AGAIN : NGX_OK;
}


static void
ngx_http_webhook_conn_resolved(ngx_resolver_ctx_t *resolve)
{
    ngx_http_webhook_conn_t *conn = resolve->data;

    ngx_uint_t                  async;
    ngx_http_webhook_server_t  *server;

    async = resolve->async;

    if (resolve->state) {
        ngx_http_webhook_conn_reason(conn, 0, "could not be resolved (%i: %s)",
                                     resolve->state,
                                     ngx_resolver_strerror(resolve->state));
    }

    if (resolve->state
        || ngx_http_webhook_conn_addresses(conn, resolve) != NGX_OK)
    {
        server = conn->store->servers.elts;
        server += conn->server - 1;

        conn->addrs = server->addrs;
        conn->naddrs = server->naddrs;
    }

    conn->resolve = NULL;

    ngx_resolve_name_done(resolve);

    if (async && ngx_http_webhook_conn_open(conn, 0) != NGX_OK) {
        ngx_http_webhook_conn_fail(conn);
    }
}


static ngx_int_t
ngx_http_webhook_conn_addresses(ngx_http_webhook_conn_t *conn,
    ngx_resolver_ctx_t *resolve)
{
    u_char                     *p;
    socklen_t                   socklen;
    ngx_addr_t                 *addr;
    ngx_uint_t                  i;
    struct sockaddr            *sockaddr;
    ngx_http_webhook_server_t  *server;

    server = conn->store->servers.elts;
    server += conn->server - 1;

    if (conn->pool) {
        ngx_destroy_pool(conn->pool);
    }

    conn->pool = ngx_create_pool(1024, &conn->log);
    if (conn->pool == NULL) {
        return NGX_ERROR;
    }

    addr = ngx_pcalloc(conn->pool, resolve->naddrs * sizeof(ngx_addr_t));
    if (addr == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < resolve->naddrs; i++) {

        socklen = resolve->addrs[i].socklen;

        sockaddr = ngx_palloc(conn->pool, socklen);
        if (sockaddr == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(sockaddr, resolve->addrs[i].sockaddr, socklen);
        ngx_inet_set_port(sockaddr, server->port);

        p = ngx_pnalloc(conn->pool, NGX_SOCKADDR_STRLEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        addr[i].sockaddr = sockaddr;
        addr[i].socklen = socklen;
        addr[i].name.len = ngx_sock_ntop(sockaddr, socklen, p,
                                         NGX_SOCKADDR_STRLEN, 1);
        addr[i].name.data = p;
    }

    conn->addrs = addr;
    conn->naddrs = resolve->naddrs;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_conn_connect(ngx_http_webhook_conn_t *conn)
{
    ngx_int_t          rc;
    ngx_uint_t         level;
    ngx_addr_t        *addr;
    ngx_connection_t  *c;

    addr = &conn->addrs[conn->naddr];

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, &conn->log, 0,
                   "webhook store connect to %V", &addr->name);

    ngx_memzero(&conn->peer, sizeof(ngx_peer_connection_t));

    conn->peer.sockaddr = addr->sockaddr;
    conn->peer.socklen = addr->socklen;
    conn->peer.name = &addr->name;
    conn->peer.get = ngx_event_get_peer;
    conn->peer.log = &conn->log;
    conn->peer.log_error = NGX_ERROR_INFO;

    /* a store that is down is told of once, and not by core */

    level = conn->log.log_level;
    conn->log.log_level = NGX_LOG_ALERT;

    rc = ngx_event_connect_peer(&conn->peer);

    conn->log.log_level = level;

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_http_webhook_conn_reason(conn, ngx_socket_errno,
                                     "could not be connected to");
        return NGX_ERROR;
    }

    c = conn->peer.connection;

    c->data = conn;

    c->pool = ngx_create_pool(256, &conn->log);
    if (c->pool == NULL) {
        ngx_http_webhook_conn_reason(conn, 0, "no memory");
        return NGX_ERROR;
    }

    c->read->handler = ngx_http_webhook_conn_connected;
    c->write->handler = ngx_http_webhook_conn_connected;

    if (rc == NGX_OK) {
        ngx_post_event(c->write, &ngx_posted_events);
    }

    return NGX_OK;
}


static void
ngx_http_webhook_conn_connected(ngx_event_t *ev)
{
    ngx_int_t                 rc;
    ngx_connection_t         *c;
    ngx_http_webhook_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    if (ngx_http_webhook_conn_test(c) != NGX_OK) {
        ngx_http_webhook_conn_fail(conn);
        return;
    }

    if (conn->peer.sockaddr->sa_family != AF_UNIX) {
        (void) ngx_tcp_nodelay(c);
    }

    if (conn->store->ssl == NULL) {
        ngx_http_webhook_conn_ready(c);
        return;
    }

    rc = ngx_http_webhook_store_ssl_handshake(conn,
                                              ngx_http_webhook_conn_ready);

    if (rc == NGX_ERROR) {
        ngx_http_webhook_conn_fail(conn);
        return;
    }

    if (rc == NGX_OK) {
        ngx_http_webhook_conn_ready(c);
    }
}


static void
ngx_http_webhook_conn_ready(ngx_connection_t *c)
{
    ngx_http_webhook_conn_t  *conn;

    conn = c->data;

    if (conn->store->ssl
        && ngx_http_webhook_store_ssl_check(conn) != NGX_OK)
    {
        ngx_http_webhook_conn_fail(conn);
        return;
    }

    c->read->handler = ngx_http_webhook_conn_read_handler;
    c->write->handler = ngx_http_webhook_conn_write_handler;

    if (conn->in.start == NULL) {

        conn->in.start = ngx_alloc(NGX_HTTP_WEBHOOK_RESP_MAX, &conn->log);

        if (conn->in.start == NULL) {
            ngx_http_webhook_conn_reason(conn, 0, "no memory");
            ngx_http_webhook_conn_fail(conn);
            return;
        }

        conn->in.end = conn->in.start + NGX_HTTP_WEBHOOK_RESP_MAX;
    }

    conn->in.pos = conn->in.start;
    conn->in.last = conn->in.start;

    /* what is behind the handshake may have been read with it */

    ngx_post_event(c->read, &ngx_posted_events);

    conn->ready(conn);
}


void
ngx_http_webhook_conn_opened(ngx_http_webhook_conn_t *conn)
{
    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }
}


static ngx_int_t
ngx_http_webhook_conn_test(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_http_webhook_conn_reason(c->data, err,
                                     "could not be connected to");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_webhook_conn_timer_handler(ngx_event_t *ev)
{
    ngx_http_webhook_conn_t *conn = ev->data;

    ngx_http_webhook_conn_reason(conn, NGX_ETIMEDOUT, "is not ready in time");
    ngx_http_webhook_conn_fail(conn);
}


static void
ngx_http_webhook_conn_read_handler(ngx_event_t *rev)
{
    size_t                    left;
    ssize_t                   n;
    ngx_buf_t                *in;
    ngx_connection_t         *c;
    ngx_http_webhook_conn_t  *conn;

    c = rev->data;
    conn = c->data;
    in = &conn->in;

    while (rev->ready) {

        /* a reply that has begun is moved, and may then be as long as any */

        if (in->pos != in->start) {
            left = in->last - in->pos;

            ngx_memmove(in->start, in->pos, left);

            in->pos = in->start;
            in->last = in->start + left;
        }

        n = c->recv(c, in->last, in->end - in->last);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_http_webhook_conn_reason(conn, ngx_socket_errno,
                                         "could not be read from");
            goto failed;
        }

        if (n == 0) {
            ngx_http_webhook_conn_reason(conn, 0, "closed the connection");
            goto failed;
        }

        in->last += n;

        if (conn->read(conn) != NGX_OK) {
            goto failed;
        }
    }

    if (ngx_handle_read_event(rev, 0) == NGX_OK) {
        return;
    }

    ngx_http_webhook_conn_reason(conn, 0, "no memory");

failed:

    ngx_http_webhook_conn_fail(conn);
}


static void
ngx_http_webhook_conn_write_handler(ngx_event_t *wev)
{
    ngx_connection_t         *c;
    ngx_http_webhook_conn_t  *conn;

    c = wev->data;
    conn = c->data;

    if (ngx_http_webhook_conn_write(conn) != NGX_OK) {
        ngx_http_webhook_conn_fail(conn);
    }
}


static void
ngx_http_webhook_conn_flush_handler(ngx_event_t *ev)
{
    ngx_http_webhook_conn_t *conn = ev->data;

    if (ngx_http_webhook_conn_write(conn) != NGX_OK) {
        ngx_http_webhook_conn_fail(conn);
    }
}


void
ngx_http_webhook_conn_flush(ngx_http_webhook_conn_t *conn)
{
    (void) ngx_http_webhook_conn_write(conn);
}


static ngx_int_t
ngx_http_webhook_conn_write(ngx_http_webhook_conn_t *conn)
{
    ssize_t            n;
    ngx_buf_t         *out;
    ngx_connection_t  *c;

    out = &conn->out;
    c = conn->peer.connection;

    if (c == NULL) {
        return NGX_OK;
    }

    while (out->pos < out->last && c->write->ready) {

        n = c->send(c, out->pos, out->last - out->pos);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_http_webhook_conn_reason(conn, ngx_socket_errno,
                                         "could not be written to");
            return NGX_ERROR;
        }

        out->pos += n;
    }

    if (out->pos == out->last) {
        ngx_http_webhook_conn_wipe(conn);
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_webhook_conn_reason(conn, 0, "no memory");
        return NGX_ERROR;
    }

    return NGX_OK;
}


u_char *
ngx_http_webhook_conn_room(ngx_http_webhook_conn_t *conn, size_t size)
{
    u_char     *p;
    size_t      len, room;
    ngx_buf_t  *out;

    out = &conn->out;

    if ((size_t) (out->end - out->last) < size) {

        len = out->last - out->pos;
        room = ngx_max((size_t) (out->end - out->start),
                       NGX_HTTP_WEBHOOK_CONN_OUT);

        while (room < len + size) {
            room *= 2;
        }

        p = ngx_alloc(room, &conn->log);
        if (p == NULL) {
            return NULL;
        }

        if (out->start) {
            ngx_memcpy(p, out->pos, len);

            if (conn->secret) {
                ngx_explicit_memzero(out->start, out->last - out->start);
            }

            ngx_free(out->start);
        }

        out->start = p;
        out->pos = p;
        out->last = p + len;
        out->end = p + room;
    }

    ngx_post_event(&conn->flush, &ngx_posted_events);

    return out->last;
}


static void
ngx_http_webhook_conn_fail(ngx_http_webhook_conn_t *conn)
{
    ngx_http_webhook_conn_close(conn);

    conn->failed(conn);
}


void
ngx_http_webhook_conn_close(ngx_http_webhook_conn_t *conn)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    if (conn->resolve) {
        ngx_resolve_name_done(conn->resolve);
        conn->resolve = NULL;
    }

    ngx_http_webhook_conn_opened(conn);

    if (conn->flush.posted) {
        ngx_delete_posted_event(&conn->flush);
    }

    ngx_http_webhook_conn_wipe(conn);

    c = conn->peer.connection;

    if (c == NULL) {
        return;
    }

    conn->peer.connection = NULL;

    if (c->ssl) {
        ngx_http_webhook_store_ssl_shutdown(c);
    }

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


void
ngx_http_webhook_conn_free(ngx_http_webhook_conn_t *conn)
{
    ngx_http_webhook_conn_close(conn);

    if (conn->in.start) {
        ngx_free(conn->in.start);
        conn->in.start = NULL;
    }

    if (conn->out.start) {
        ngx_free(conn->out.start);
        conn->out.start = NULL;
    }

    if (conn->pool) {
        ngx_destroy_pool(conn->pool);
        conn->pool = NULL;
    }
}


/* what was written, or is not to be any more; nothing of a password stays */

static void
ngx_http_webhook_conn_wipe(ngx_http_webhook_conn_t *conn)
{
    ngx_buf_t  *out;

    out = &conn->out;

    if (conn->secret) {
        ngx_explicit_memzero(out->start, out->last - out->start);
        conn->secret = 0;
    }

    if (out->end - out->start > NGX_HTTP_WEBHOOK_CONN_KEEP) {
        ngx_free(out->start);
        ngx_memzero(out, sizeof(ngx_buf_t));
    }

    out->pos = out->start;
    out->last = out->start;
}


static u_char *
ngx_http_webhook_conn_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_webhook_conn_t *conn = log->data;

    u_char     *p;
    ngx_str_t   name, address;

    ngx_http_webhook_conn_name(conn, &name, &address);

    p = ngx_snprintf(buf, len, ", webhook store \"%V\", server: %V",
                     &conn->store->name, &name);
    len -= p - buf;

    if (address.len) {
        p = ngx_snprintf(p, len, ", address: %V", &address);
    }

    return p;
}
