
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

#include "ngx_http_webhook_state_file.h"
#include "ngx_http_webhook_table.h"
#include "ngx_http_webhook_verdict.h"


typedef struct ngx_http_webhook_shm_s  ngx_http_webhook_shm_t;


/* a counter for each status, and these */

#define NGX_HTTP_WEBHOOK_COUNT_COMMITTED                                      \
    (NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE + 1)
#define NGX_HTTP_WEBHOOK_COUNT_FREED                                          \
    (NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE + 2)
#define NGX_HTTP_WEBHOOK_COUNTERS                                             \
    (NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE + 3)


typedef struct {
    ngx_shm_zone_t                *shm_zone;
    ngx_slab_pool_t               *shpool;
    ngx_http_webhook_shm_t        *sh;
    time_t                         warned;    /* of an eviction, by this
                                                 process */
    ngx_http_webhook_state_t       state;
    ngx_event_t                    flush;    /* of this process */
    ngx_pool_t                    *pool;     /* of the configuration */

    unsigned                       defined:1;
} ngx_http_webhook_zone_t;


/* a request's hold on an event; token is 0 while there is none */

typedef struct {
    ngx_http_webhook_zone_t       *zone;
    ngx_http_webhook_id_t          id;
    uint32_t                       token;
} ngx_http_webhook_claim_t;


/*
 * Finds the zone of that name, which may be defined later, or adds it; size
 * is 0 where the zone is only used.  Returns NULL after an error was logged.
 */
ngx_shm_zone_t *ngx_http_webhook_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, void *tag);

/*
 * What is done about the state files of all zones of a cycle: put in place by
 * the master when the cycle has succeeded, kept by a worker until it exits.
 */
void ngx_http_webhook_zones_install(ngx_cycle_t *cycle);
void ngx_http_webhook_zones_keep(ngx_cycle_t *cycle);
void ngx_http_webhook_zones_exit(ngx_cycle_t *cycle);

/*
 * Sets claim->zone and claim->id for an event named by strings, each hashed
 * with its length behind the zone's random key.  Returns NGX_OK, or NGX_ERROR
 * if OpenSSL failed.
 */
ngx_int_t ngx_http_webhook_zone_id(ngx_http_webhook_zone_t *zone,
    ngx_str_t *fields, ngx_uint_t n, ngx_http_webhook_claim_t *claim);

/*
 * What can be done with a claim; now, lease, until: seconds.  For what they
 * return see ngx_http_webhook_table.h.  Renewing, committing and freeing
 * does nothing without a claim, and forgets it when it is over.
 */
ngx_int_t ngx_http_webhook_zone_claim(ngx_http_webhook_claim_t *claim,
    time_t now, time_t lease, ngx_uint_t evict, uint32_t *fingerprint,
    ngx_log_t *log);
ngx_int_t ngx_http_webhook_zone_lookup(ngx_http_webhook_claim_t *claim,
    time_t now, uint32_t *fingerprint);
ngx_int_t ngx_http_webhook_zone_renew(ngx_http_webhook_claim_t *claim,
    time_t now, time_t lease);
ngx_int_t ngx_http_webhook_zone_commit(ngx_http_webhook_claim_t *claim,
    time_t until, uint32_t fingerprint);
ngx_int_t ngx_http_webhook_zone_free(ngx_http_webhook_claim_t *claim);

/* Counts; the counter is a status, or one of those that follow them. */
void ngx_http_webhook_zone_count(ngx_http_webhook_zone_t *zone,
    ngx_uint_t counter);


#endif /* _NGX_HTTP_WEBHOOK_ZONE_H_INCLUDED_ */
