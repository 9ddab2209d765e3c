
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The shared-memory zone of event keys: who may deliver an event, and which
 * events were accepted.
 */


#ifndef _NGX_HTTP_WEBHOOK_ZONE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_claim.h"
#include "ngx_http_webhook_state_file.h"
#include "ngx_http_webhook_table.h"


#define NGX_HTTP_WEBHOOK_ZONE_MAGIC    "webhook"   /* 8 bytes with its zero */
#define NGX_HTTP_WEBHOOK_ZONE_VERSION  2


/* what the zone knows of the store that it belongs to */

typedef struct {
    uint64_t                       name;     /* hash of prefix and database */
    u_char                         run_id[41];
    u_char                         master_replid[41];
} ngx_http_webhook_zone_store_t;


/*
 * The zone as it stands in shared memory.  A new module finds that of an old
 * one by a reload: as long as what is added takes from what is reserved, which
 * is zero, neither size nor version change, and the zone keeps its events.
 */

typedef struct {
    u_char                         magic[8];
    uint32_t                       version;
    uint32_t                       size;     /* of this structure */
    uint64_t                       number;   /* random, of this memory */
    ngx_atomic_t                   warned;   /* of an eviction, in seconds */
    ngx_http_webhook_zone_store_t  store;
    u_char                         reserved[896];
    ngx_http_webhook_table_t       table;
    u_char                         more[1792];
} ngx_http_webhook_shm_t;


typedef struct {
    ngx_shm_zone_t                *shm_zone;
    ngx_slab_pool_t               *shpool;
    ngx_http_webhook_shm_t        *sh;
    ngx_http_webhook_state_t       state;
    ngx_event_t                    flush;    /* of this process */
    ngx_uint_t                    *in_flight;   /* its events that are with
                                                the application, or NULL */
    ngx_pool_t                    *pool;     /* of the configuration */

    /* who makes claims: the zone itself, or what it is the first level of */

    const ngx_http_webhook_claim_ops_t  *ops;
    size_t                         claim_size;
    void                          *store;    /* NULL: none */

    unsigned                       defined:1;
} ngx_http_webhook_zone_t;


/* of a zone alone */
extern const ngx_http_webhook_claim_ops_t  ngx_http_webhook_zone_ops;


/*
 * Finds the zone of that name, which may be defined later, or adds it; size
 * is 0 where the zone is only used.  Returns NULL after an error was logged.
 */
ngx_shm_zone_t *ngx_http_webhook_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, void *tag);

/* The zone of a cycle after that one, the first after NULL; NULL at the end. */
ngx_http_webhook_zone_t *ngx_http_webhook_zone_next(ngx_cycle_t *cycle,
    ngx_http_webhook_zone_t *zone);

/*
 * What is done about all zones of a cycle: the master makes them what they are
 * to be when the cycle has succeeded, with their state files, which are kept by
 * a worker until it exits.
 */
void ngx_http_webhook_zones_install(ngx_cycle_t *cycle);
void ngx_http_webhook_zones_keep(ngx_cycle_t *cycle);
void ngx_http_webhook_zones_exit(ngx_cycle_t *cycle);

/*
 * The id of an event named by strings, each hashed with its length: the same on
 * every server.  Returns NGX_OK, or NGX_ERROR, of OpenSSL.
 */
ngx_int_t ngx_http_webhook_zone_id(ngx_http_webhook_id_t *id,
    ngx_str_t *fields, ngx_uint_t n);

/*
 * Makes a claim, which holds nothing yet, on an event named by strings.  It
 * lives as long as the pool.  Returns NULL if there is no memory, or after the
 * error of OpenSSL was logged.
 */
ngx_http_webhook_claim_t *ngx_http_webhook_zone_get_claim(
    ngx_http_webhook_zone_t *zone, ngx_str_t *fields, ngx_uint_t n,
    ngx_pool_t *pool);


/* src/dedup/ngx_http_webhook_zone_forget.c */

/* What a lookup in the table returns, and until when that is so. */
ngx_int_t ngx_http_webhook_zone_ask(ngx_http_webhook_zone_t *zone,
    ngx_http_webhook_id_t *id, time_t *until);

/*
 * Forget an event, or all that were accepted, of which *forgotten is the
 * number.  They return what forgetting in the table does; with NGX_AGAIN some
 * of all may be forgotten.
 */
ngx_int_t ngx_http_webhook_zone_forget(ngx_http_webhook_zone_t *zone,
    ngx_http_webhook_id_t *id);
ngx_int_t ngx_http_webhook_zone_forget_all(ngx_http_webhook_zone_t *zone,
    uint64_t *forgotten);


#endif /* _NGX_HTTP_WEBHOOK_ZONE_H_INCLUDED_ */
