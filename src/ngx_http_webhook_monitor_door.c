
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The door of the monitor: where it may be, and who may come in.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_monitor.h"


static ngx_int_t ngx_http_webhook_copy_server_names(ngx_conf_t *cf,
    ngx_http_webhook_monitor_conf_t *monitor);
static ngx_uint_t ngx_http_webhook_is_local_address(struct sockaddr *sa);
static ngx_uint_t ngx_http_webhook_is_local_host(ngx_str_t *host,
    const ngx_http_webhook_monitor_conf_t *conf);


/* what only a request that was passed on by somebody has */

static ngx_str_t  ngx_http_webhook_forwarded[] = {
    ngx_string("forwarded"),
    ngx_string("via"),
    ngx_string("x_forwarded_for"),
    ngx_string("x_real_ip"),
    ngx_null_string
};


char *
ngx_http_webhook_merge_monitor(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->monitor == NULL && clcf->noname && prev->monitor
        && clcf->handler == NULL)
    {
        conf->monitor = prev->monitor;
        clcf->handler = ngx_http_webhook_monitor_handler;
    }

    if (conf->monitor == NULL) {
        return NGX_CONF_OK;
    }

    if (conf->verify && !conf->verify->off) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"webhook_monitor\" cannot be used in location \"%V\", "
                      "where requests are verified: say \"webhook_verify off\" "
                      "there, or take out \"webhook_verify %V\" in %s:%ui",
                      &clcf->name, &conf->verify->name, conf->verify->file,
                      conf->verify->line);
        return NGX_CONF_ERROR;
    }

    if (conf->monitor->names == NULL
        && ngx_http_webhook_copy_server_names(cf, conf->monitor) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* nginx keeps them only while it reads the configuration */

static ngx_int_t
ngx_http_webhook_copy_server_names(ngx_conf_t *cf,
    ngx_http_webhook_monitor_conf_t *monitor)
{
    ngx_str_t                 *name;
    ngx_uint_t                 i;
    ngx_http_server_name_t    *sn;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    monitor->names = ngx_array_create(cf->pool, cscf->server_names.nelts + 1,
                                      sizeof(ngx_str_t));
    if (monitor->names == NULL) {
        return NGX_ERROR;
    }

    sn = cscf->server_names.elts;

    for (i = 0; i < cscf->server_names.nelts; i++) {

#if (NGX_PCRE)

        /* it may match any name, and so one that somebody else has chosen */

        if (sn[i].regex) {
            continue;
        }

#endif

        name = ngx_array_push(monitor->names);
        if (name == NULL) {
            return NGX_ERROR;
        }

        *name = sn[i].name;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_webhook_is_local(ngx_http_request_t *r,
    const ngx_http_webhook_monitor_conf_t *conf)
{
    ngx_str_t        *name;
    ngx_uint_t        i;
    ngx_list_part_t  *part;

    for (name = ngx_http_webhook_forwarded; name->len; name++) {
        part = NULL;

        if (ngx_http_webhook_next_header(r, name, &part, &i)) {
            return 0;
        }
    }

    return ngx_http_webhook_is_local_address(r->connection->sockaddr)
           && ngx_http_webhook_is_local_host(&r->headers_in.server, conf);
}


static ngx_uint_t
ngx_http_webhook_is_local_address(struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    u_char               *p;
    struct sockaddr_in6  *sin6;
#endif

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;

        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;

#if (NGX_HAVE_INET6)

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        p = sin6->sin6_addr.s6_addr;

        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)
               || (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr) && p[12] == 127);

#endif

#if (NGX_HAVE_UNIX_DOMAIN)

    case AF_UNIX:
        return 1;

#endif

    default:
        return 0;
    }
}


/*
 * Scripts of any site can make a browser on this machine ask here by a name of
 * their own that leads to 127.0.0.1, but not by another one.
 */

static ngx_uint_t
ngx_http_webhook_is_local_host(ngx_str_t *host,
    const ngx_http_webhook_monitor_conf_t *conf)
{
    size_t       len, n;
    u_char      *p, *q;
    ngx_str_t   *name;
    ngx_uint_t   i;
#if (NGX_HAVE_INET6)
    u_char       addr[16];
#endif

    p = host->data;
    len = host->len;

    if (len == 0) {
        return 0;
    }

    if ((len == sizeof("localhost") - 1
         && ngx_strncasecmp(p, (u_char *) "localhost", len) == 0)
        || ngx_inet_addr(p, len) != INADDR_NONE)
    {
        return 1;
    }

#if (NGX_HAVE_INET6)

    if (p[0] == '[' && p[len - 1] == ']'
        && ngx_inet6_addr(p + 1, len - 2, addr) == NGX_OK)
    {
        return 1;
    }

#endif

    name = conf->names->elts;

    for (i = 0; i < conf->names->nelts; i++) {

        n = name[i].len;
        q = name[i].data;

        if (n == len && ngx_strncasecmp(q, p, len) == 0) {
            return 1;
        }

        if (n == len + 1 && q[0] == '.' && ngx_strncasecmp(q + 1, p, len) == 0)
        {
            return 1;
        }

        /* "*.example.com" and ".example.com" are the end of others */

        if (n && q[0] == '*') {
            n--;
            q++;
        }

        if (n > 1 && q[0] == '.' && n < len
            && ngx_strncasecmp(q, p + len - n, n) == 0)
        {
            return 1;
        }
    }

    return 0;
}
