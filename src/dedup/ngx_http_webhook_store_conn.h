
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The connection of a process to one of the servers of a store: bytes to and
 * from it.  What they mean is not its concern.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_CONN_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_CONN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_http_webhook_store.h"


typedef struct ngx_http_webhook_conn_s  ngx_http_webhook_conn_t;

typedef void (*ngx_http_webhook_conn_pt)(ngx_http_webhook_conn_t *conn);
typedef ngx_int_t (*ngx_http_webhook_conn_read_pt)(
    ngx_http_webhook_conn_t *conn);


struct ngx_http_webhook_conn_s {
    const ngx_http_webhook_store_t  *store;

    /*
     * Bytes can be written; bytes have come; the connection is closed, and
     * the reason is there.  To read returns NGX_OK, or NGX_ERROR with a reason
     * to close it.
     */

    ngx_http_webhook_conn_pt       ready;
    ngx_http_webhook_conn_read_pt  read;
    ngx_http_webhook_conn_pt       failed;
    void                          *data;

    ngx_peer_connection_t          peer;
    ngx_resolver_ctx_t            *resolve;
    ngx_pool_t                    *pool;     /* of the server's addresses */

    ngx_uint_t                     server;   /* the next one to be tried */
    ngx_addr_t                    *addrs;    /* of the one before it */
    ngx_uint_t                     naddrs;
    ngx_uint_t                     naddr;    /* the next one to be tried */

    ngx_buf_t                      in;
    ngx_buf_t                      out;

    ngx_event_t                    timer;    /* of connecting */
    ngx_event_t                    flush;
    ngx_log_t                      log;      /* of what core says */

    ngx_err_t                      err;      /* the last reason */
    size_t                         len;
    u_char                         reason[256];

    unsigned                       secret:1; /* what is written is wiped */
};


void ngx_http_webhook_conn_init(ngx_http_webhook_conn_t *conn,
    const ngx_http_webhook_store_t *store);

/*
 * Tries the next address of all servers; with first set, begins with the first
 * one.  Returns NGX_OK, and a handler will be called; or NGX_DECLINED if there
 * is none left.
 */
ngx_int_t ngx_http_webhook_conn_open(ngx_http_webhook_conn_t *conn,
    ngx_uint_t first);

/* It took no longer than it may: the time to connect is over. */
void ngx_http_webhook_conn_opened(ngx_http_webhook_conn_t *conn);

/* Closes what there is; no handler is called. */
void ngx_http_webhook_conn_close(ngx_http_webhook_conn_t *conn);

/* Likewise, with its memory: the process exits. */
void ngx_http_webhook_conn_free(ngx_http_webhook_conn_t *conn);

/*
 * Room for some bytes to be written, which go with what else this turn of the
 * event loop writes; the caller sets conn->out.last.  NULL: no memory.
 */
u_char *ngx_http_webhook_conn_room(ngx_http_webhook_conn_t *conn, size_t size);

/* Writes what there is at once, as far as that is possible. */
void ngx_http_webhook_conn_flush(ngx_http_webhook_conn_t *conn);


/* src/dedup/ngx_http_webhook_store_reason.c */

/* Keeps a reason, of which an error of the system may be a part, or 0. */
void ngx_http_webhook_conn_reason(ngx_http_webhook_conn_t *conn, ngx_err_t err,
    const char *fmt, ...);

/* The server, and its address if that is another text. */
void ngx_http_webhook_conn_name(ngx_http_webhook_conn_t *conn,
    ngx_str_t *name, ngx_str_t *address);


#endif /* _NGX_HTTP_WEBHOOK_STORE_CONN_H_INCLUDED_ */
