
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A store: the memory of events that the servers of a fleet share, in Redis or
 * Valkey.  A zone may be the first level of one.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_zone.h"


#define NGX_HTTP_WEBHOOK_STORES   8
#define NGX_HTTP_WEBHOOK_SERVERS  8          /* of a store */


typedef struct ngx_http_webhook_link_s  ngx_http_webhook_link_t;
typedef struct ngx_http_webhook_store_status_s
    ngx_http_webhook_store_status_t;


typedef struct {
    ngx_str_t                      name;     /* as it is written */
    ngx_str_t                      host;
    in_port_t                      port;
    ngx_addr_t                    *addrs;    /* known beforehand */
    ngx_uint_t                     naddrs;
    ngx_uint_t                     line;     /* where it stands */

    unsigned                       named:1;  /* the host is no address */
    unsigned                       local:1;  /* a path */
} ngx_http_webhook_server_t;


/* as it is configured */

typedef struct {
    ngx_str_t                      name;
    ngx_array_t                    servers;  /* ngx_http_webhook_server_t */
    ngx_str_t                      user;
    ngx_str_t                      password;
    ngx_str_t                      prefix;
    ngx_uint_t                     database;
    ngx_msec_t                     connect_timeout;
    ngx_msec_t                     timeout;

    ngx_ssl_t                     *ssl;      /* NULL: off */
    ngx_str_t                      ssl_name; /* empty: of the server */
    ngx_flag_t                     ssl_verify;

    ngx_resolver_t                *resolver; /* NULL: none */
    ngx_msec_t                     resolver_timeout;
    ngx_log_t                     *log;

    ngx_http_webhook_zone_t       *zone;     /* NULL: no zone uses it */
    ngx_http_webhook_link_t       *link;     /* of this process */

    ngx_http_webhook_store_status_t  *status;   /* NULL: nobody asks */
    ngx_uint_t                     generation;  /* of the configuration */

    u_char                        *file;     /* where it stands, or who uses
                                                it if it stands nowhere */
    ngx_uint_t                     line;
    unsigned                       defined:1;
} ngx_http_webhook_store_t;


/*
 * Finds the store of that name among stores, an array of pointers, or adds
 * it.  Returns NULL if there is no memory.
 */
ngx_http_webhook_store_t *ngx_http_webhook_store_add(ngx_conf_t *cf,
    ngx_array_t *stores, ngx_str_t *name);

/* The zone, which no other store has, becomes the first level of the store. */
void ngx_http_webhook_store_set_zone(ngx_http_webhook_store_t *store,
    ngx_http_webhook_zone_t *zone);

/*
 * A worker connects to those of the stores that a zone uses, and stays so
 * until it exits.  Returns NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_stores_start(ngx_array_t *stores,
    ngx_cycle_t *cycle);
void ngx_http_webhook_stores_exit(ngx_array_t *stores);


#endif /* _NGX_HTTP_WEBHOOK_STORE_H_INCLUDED_ */
