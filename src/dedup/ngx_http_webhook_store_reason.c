
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the connection of a store failed for, and with whom.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store_conn.h"


void
ngx_http_webhook_conn_reason(ngx_http_webhook_conn_t *conn, ngx_err_t err,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);

    conn->err = err;
    conn->len = ngx_vslprintf(conn->reason,
                              conn->reason + sizeof(conn->reason), fmt, args)
                - conn->reason;

    va_end(args);
}


void
ngx_http_webhook_conn_name(ngx_http_webhook_conn_t *conn, ngx_str_t *name,
    ngx_str_t *address)
{
    ngx_http_webhook_server_t  *server;

    server = conn->store->servers.elts;

    *name = server[conn->server ? conn->server - 1 : 0].name;

    ngx_str_null(address);

    if (conn->naddr && conn->naddr <= conn->naddrs
        && (conn->addrs[conn->naddr - 1].name.len != name->len
            || ngx_strncmp(conn->addrs[conn->naddr - 1].name.data, name->data,
                           name->len)
               != 0))
    {
        *address = conn->addrs[conn->naddr - 1].name;
    }
}
