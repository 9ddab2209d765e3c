
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The shared-memory zone of event keys: who may deliver an event, and which
 * events were accepted.
 *
 * The zone is one allocation that holds a header and the table.  It lives
 * through a reload as it is; if its size or the module's file has changed,
 * what is alive in the old zone is copied.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <openssl/rand.h>

#include "ngx_http_webhook_digest.h"
#include "ngx_http_webhook_zone.h"


/* how often a state file is written, in milliseconds */
#define NGX_HTTP_WEBHOOK_ZONE_FLUSH   1000

/* how often a table is gone through for what is to be copied */
#define NGX_HTTP_WEBHOOK_ZONE_PASSES  2


typedef void (*ngx_http_webhook_zone_pt)(ngx_http_webhook_zone_t *zone,
    ngx_log_t *log);


static ngx_int_t ngx_http_webhook_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_http_webhook_shm_t *ngx_http_webhook_zone_old(
    ngx_shm_zone_t *shm_zone, ngx_slab_pool_t **shpool);
static void ngx_http_webhook_zone_copy(ngx_http_webhook_shm_t *sh,
    ngx_http_webhook_shm_t *old, ngx_shmtx_t *mutex);
static ngx_int_t ngx_http_webhook_zone_state(ngx_http_webhook_zone_t *zone,
    ngx_uint_t fresh, ngx_uint_t live);
static void ngx_http_webhook_zones(ngx_cycle_t *cycle,
    ngx_http_webhook_zone_pt handler);
static void ngx_http_webhook_zone_install(ngx_http_webhook_zone_t *zone,
    ngx_log_t *log);
static void ngx_http_webhook_zone_keep(ngx_http_webhook_zone_t *zone,
    ngx_log_t *log);
static void ngx_http_webhook_zone_exit(ngx_http_webhook_zone_t *zone,
    ngx_log_t *log);
static void ngx_http_webhook_flush_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_webhook_zone_claim(ngx_http_webhook_claim_t *claim,
    time_t lease, ngx_uint_t evict);
static ngx_int_t ngx_http_webhook_zone_lookup(ngx_http_webhook_claim_t *claim);
static ngx_int_t ngx_http_webhook_zone_renew(ngx_http_webhook_claim_t *claim,
    time_t lease);
static ngx_int_t ngx_http_webhook_zone_commit(ngx_http_webhook_claim_t *claim,
    time_t until);
static ngx_int_t ngx_http_webhook_zone_free(ngx_http_webhook_claim_t *claim);
static void ngx_http_webhook_zone_detach(ngx_http_webhook_claim_t *claim);
static void ngx_http_webhook_zone_evicted(ngx_http_webhook_zone_t *zone,
    time_t now, ngx_log_t *log);


const ngx_http_webhook_claim_ops_t  ngx_http_webhook_zone_ops = {
    ngx_http_webhook_zone_claim,
    ngx_http_webhook_zone_lookup,
    ngx_http_webhook_zone_renew,
    ngx_http_webhook_zone_commit,
    ngx_http_webhook_zone_free,
    ngx_http_webhook_zone_detach
};


ngx_shm_zone_t *
ngx_http_webhook_zone_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    void *tag)
{
    ngx_shm_zone_t           *shm_zone;
    ngx_http_webhook_zone_t  *zone;

    shm_zone = ngx_shared_memory_add(cf, name, size, tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data == NULL) {

        zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_zone_t));
        if (zone == NULL) {
            return NULL;
        }

        zone->shm_zone = shm_zone;
        zone->pool = cf->pool;
        zone->ops = &ngx_http_webhook_zone_ops;
        zone->claim_size = sizeof(ngx_http_webhook_claim_t);
        zone->state.file.fd = NGX_INVALID_FILE;

        shm_zone->init = ngx_http_webhook_zone_init;
        shm_zone->data = zone;
    }

    return shm_zone;
}


static ngx_int_t
ngx_http_webhook_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_webhook_zone_t  *ozone = data;

    u_char                    *p, *last;
    size_t                     size;
    uint64_t                   forgotten;
    ngx_log_t                 *log;
    ngx_slab_pool_t           *oshpool;
    ngx_http_webhook_shm_t    *sh, *osh;
    ngx_http_webhook_zone_t   *zone;
    ngx_http_webhook_table_t  *table;

    zone = shm_zone->data;

    if (ozone) {
        zone->shpool = ozone->shpool;
        zone->sh = ozone->sh;
        return ngx_http_webhook_zone_state(zone, 0, 1);
    }

    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        zone->sh = zone->shpool->data;
        return ngx_http_webhook_zone_state(zone, 0, 1);
    }

    size = zone->shpool->pfree * ngx_pagesize;

    sh = ngx_slab_alloc(zone->shpool, size);
    if (sh == NULL) {
        return NGX_ERROR;
    }

    last = (u_char *) sh + size;
    table = &sh->table;
    log = shm_zone->shm.log;

    /* fresh memory is zero, and not touched, but where debugging filled it */

    if (sh->magic[0]) {
        ngx_memzero(sh, size);
    }

    zone->sh = sh;
    zone->shpool->data = sh;
    zone->shpool->log_nomem = 0;
    zone->shpool->log_ctx = (u_char *) sh + sizeof(ngx_http_webhook_shm_t);

    p = ngx_sprintf(zone->shpool->log_ctx, " in webhook dedup zone \"%V\"%Z",
                    &shm_zone->shm.name);

    ngx_http_webhook_table_init(table, p, last);

    ngx_memcpy(sh->magic, NGX_HTTP_WEBHOOK_ZONE_MAGIC, sizeof(sh->magic));
    sh->version = NGX_HTTP_WEBHOOK_ZONE_VERSION;
    sh->size = sizeof(ngx_http_webhook_shm_t);

    if (RAND_bytes((u_char *) &sh->number, sizeof(sh->number)) != 1
        || RAND_bytes((u_char *) table->salt, sizeof(table->salt)) != 1)
    {
        ngx_http_webhook_digest_error(NGX_LOG_EMERG, log,
                                      "RAND_bytes() failed");
        return NGX_ERROR;
    }

    osh = ngx_http_webhook_zone_old(shm_zone, &oshpool);

    if (osh == NULL) {
        return ngx_http_webhook_zone_state(zone, 1, 0);
    }

    forgotten = osh->table.counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM];

    ngx_http_webhook_zone_copy(sh, osh, &oshpool->mutex);

    forgotten = table->counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM] - forgotten;

    if (forgotten) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "webhook dedup zone \"%V\" has no room for all of its "
                      "events: %uL were forgotten before their time",
                      &shm_zone->shm.name, forgotten);
    }

    return ngx_http_webhook_zone_state(zone, 0, 0);
}


/*
 * A table that is fresh is filled from the state file; a live one is used by
 * other processes already.
 */

static ngx_int_t
ngx_http_webhook_zone_state(ngx_http_webhook_zone_t *zone, ngx_uint_t fresh,
    ngx_uint_t live)
{
    uint32_t                   unread;
    ngx_http_webhook_state_t  *state;

    state = &zone->state;

    if (state->path.len == 0 || ngx_test_config) {
        return NGX_OK;
    }

    state->zone = zone->shm_zone->shm.name;
    state->key = (u_char *) zone->sh->table.salt;
    state->table = &zone->sh->table;
    state->mutex = &zone->shpool->mutex;

    unread = state->table->unread;

    if (ngx_http_webhook_state_open(state, fresh, live, zone->pool,
                                    zone->shm_zone->shm.log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (state->file.fd == NGX_INVALID_FILE) {
        state->table->counters[NGX_HTTP_WEBHOOK_COUNT_STATE_ERRORS]++;
    }

    if (unread && !state->table->unread) {

        /* what was read this late may be unknown to the store */

        ngx_memzero(&zone->sh->store, sizeof(ngx_http_webhook_zone_store_t));
    }

    return NGX_OK;
}


void
ngx_http_webhook_zones_install(ngx_cycle_t *cycle)
{
    ngx_http_webhook_zones(cycle, ngx_http_webhook_zone_install);
}


static void
ngx_http_webhook_zone_install(ngx_http_webhook_zone_t *zone, ngx_log_t *log)
{
    if (zone->state.file.fd != NGX_INVALID_FILE) {
        ngx_http_webhook_state_install(&zone->state, log);
    }

    ngx_shmtx_lock(&zone->shpool->mutex);

    ngx_http_webhook_table_set_owing(&zone->sh->table, zone->store != NULL);

    if (zone->store == NULL) {

        /* a store that is added later knows nothing of what was done without */

        ngx_memzero(&zone->sh->store, sizeof(ngx_http_webhook_zone_store_t));
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_http_webhook_zones_keep(ngx_cycle_t *cycle)
{
    ngx_http_webhook_zones(cycle, ngx_http_webhook_zone_keep);
}


static void
ngx_http_webhook_zone_keep(ngx_http_webhook_zone_t *zone, ngx_log_t *log)
{
    if (zone->state.file.fd == NGX_INVALID_FILE) {
        return;
    }

    zone->flush.handler = ngx_http_webhook_flush_handler;
    zone->flush.data = zone;
    zone->flush.log = log;
    zone->flush.cancelable = 1;

    ngx_add_timer(&zone->flush, NGX_HTTP_WEBHOOK_ZONE_FLUSH);
}


static void
ngx_http_webhook_flush_handler(ngx_event_t *ev)
{
    ngx_http_webhook_zone_t *zone = ev->data;

    ngx_int_t  rc;

    rc = ngx_http_webhook_state_flush(&zone->state, 0, ev->log);

    /* connections have their turn before it goes on */

    ngx_add_timer(ev, (rc == NGX_AGAIN) ? 1 : NGX_HTTP_WEBHOOK_ZONE_FLUSH);
}


void
ngx_http_webhook_zones_exit(ngx_cycle_t *cycle)
{
    ngx_http_webhook_zones(cycle, ngx_http_webhook_zone_exit);
}


static void
ngx_http_webhook_zone_exit(ngx_http_webhook_zone_t *zone, ngx_log_t *log)
{
    if (zone->state.file.fd != NGX_INVALID_FILE) {
        (void) ngx_http_webhook_state_flush(&zone->state, 1, log);
    }
}


/* hands each zone of a cycle to the handler */

static void
ngx_http_webhook_zones(ngx_cycle_t *cycle, ngx_http_webhook_zone_pt handler)
{
    ngx_http_webhook_zone_t  *zone;

    for (zone = ngx_http_webhook_zone_next(cycle, NULL);
         zone;
         zone = ngx_http_webhook_zone_next(cycle, zone))
    {
        handler(zone, cycle->log);
    }
}


ngx_http_webhook_zone_t *
ngx_http_webhook_zone_next(ngx_cycle_t *cycle, ngx_http_webhook_zone_t *zone)
{
    ngx_uint_t        i, found;
    ngx_shm_zone_t   *shm_zone;
    ngx_list_part_t  *part;

    found = (zone == NULL);

    part = &cycle->shared_memory.part;
    shm_zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            shm_zone = part->elts;
            i = 0;
        }

        if (shm_zone[i].init != ngx_http_webhook_zone_init) {
            continue;
        }

        if (found) {
            return shm_zone[i].data;
        }

        found = (shm_zone[i].data == zone);
    }
}


/*
 * Core hands a zone over only if its size and its owner, the address of the
 * module, are the same.  Otherwise the zone of the cycle that is about to
 * end is found here, by its name and by what it says of itself.
 */

static ngx_http_webhook_shm_t *
ngx_http_webhook_zone_old(ngx_shm_zone_t *shm_zone, ngx_slab_pool_t **shpool)
{
    u_char                  *p;
    ngx_shm_t               *shm;
    ngx_uint_t               i;
    ngx_shm_zone_t          *oshm_zone;
    ngx_list_part_t         *part;
    ngx_http_webhook_shm_t  *sh;

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
    oshm_zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            oshm_zone = part->elts;
            i = 0;
        }

        shm = &oshm_zone[i].shm;

        if (&oshm_zone[i] == shm_zone
            || shm->addr == NULL
            || shm->name.len != shm_zone->shm.name.len
            || ngx_strncmp(shm->name.data, shm_zone->shm.name.data,
                           shm->name.len)
               != 0)
        {
            continue;
        }

        *shpool = (ngx_slab_pool_t *) shm->addr;

        sh = (*shpool)->data;
        p = (u_char *) sh;

        if (p < shm->addr
            || p + sizeof(ngx_http_webhook_shm_t) > shm->addr + shm->size
            || ngx_memcmp(sh->magic, NGX_HTTP_WEBHOOK_ZONE_MAGIC,
                          sizeof(sh->magic))
               != 0
            || sh->version != NGX_HTTP_WEBHOOK_ZONE_VERSION
            || sh->size != sizeof(ngx_http_webhook_shm_t))
        {
            ngx_log_error(NGX_LOG_ERR, shm_zone->shm.log, 0,
                          "webhook dedup zone \"%V\" starts empty: "
                          "the old one has another layout",
                          &shm_zone->shm.name);
            return NULL;
        }

        return sh;
    }
}


/*
 * The old workers go on meanwhile, and wait for a slice at most, until little
 * is left that they have changed.
 */

static void
ngx_http_webhook_zone_copy(ngx_http_webhook_shm_t *sh,
    ngx_http_webhook_shm_t *old, ngx_shmtx_t *mutex)
{
    uint32_t                   n;
    ngx_uint_t                 i, k, taken;
    ngx_http_webhook_bucket_t  buckets[NGX_HTTP_WEBHOOK_SLICE];

    ngx_shmtx_lock(mutex);
    ngx_http_webhook_table_copy_begin(&sh->table, &old->table);
    ngx_shmtx_unlock(mutex);

    for (i = 0; i < NGX_HTTP_WEBHOOK_ZONE_PASSES; i++) {

        n = 0;

        while (n < old->table.nbuckets) {

            ngx_shmtx_lock(mutex);
            taken = ngx_http_webhook_table_copy_take(&old->table, &n, buckets);
            ngx_shmtx_unlock(mutex);

            ngx_time_update();

            for (k = 0; k < taken; k++) {
                ngx_http_webhook_table_add(&sh->table, NGX_MAX_UINT32_VALUE,
                                           &buckets[k], ngx_time());
            }
        }
    }

    ngx_shmtx_lock(mutex);
    sh->store = old->store;
    ngx_http_webhook_table_copy_end(&sh->table, &old->table, ngx_time());
    ngx_shmtx_unlock(mutex);
}


ngx_http_webhook_claim_t *
ngx_http_webhook_zone_get_claim(ngx_http_webhook_zone_t *zone,
    ngx_str_t *fields, ngx_uint_t n, ngx_pool_t *pool)
{
    ngx_http_webhook_claim_t  *claim;

    claim = ngx_pcalloc(pool, zone->claim_size);
    if (claim == NULL) {
        return NULL;
    }

    claim->ops = zone->ops;
    claim->keeper = zone;
    claim->log = pool->log;

    if (ngx_http_webhook_zone_id(&claim->id, fields, n) != NGX_OK) {
        ngx_http_webhook_digest_error(NGX_LOG_ERR, pool->log,
                                      "could not digest the dedup key");
        return NULL;
    }

#if (NGX_HTTP_WEBHOOK_LATE)

    /* for tests: see t/unit/late_claim.c */

    if (zone->store == NULL) {
        ngx_http_webhook_late_claim(claim);
    }

#endif

    return claim;
}


ngx_int_t
ngx_http_webhook_zone_id(ngx_http_webhook_id_t *id, ngx_str_t *fields,
    ngx_uint_t n)
{
    u_char      *p, *last, buf[512], digest[NGX_HTTP_WEBHOOK_SHA256_LEN];
    uint64_t     size;
    ngx_int_t    rc;
    ngx_uint_t   i;
    EVP_MD_CTX  *md;

    md = ngx_http_webhook_sha256_start();
    if (md == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;
    p = buf;
    last = buf + sizeof(buf);

    for (i = 0; i < n && rc == NGX_OK; i++) {

        size = fields[i].len;

        if (size + sizeof(uint64_t) > (size_t) (last - p)) {
            rc = ngx_http_webhook_digest_update(md, buf, p - buf);
            p = buf;
        }

        /* little-endian on any machine */

        *p++ = (u_char) size;
        *p++ = (u_char) (size >> 8);
        *p++ = (u_char) (size >> 16);
        *p++ = (u_char) (size >> 24);
        *p++ = (u_char) (size >> 32);
        *p++ = (u_char) (size >> 40);
        *p++ = (u_char) (size >> 48);
        *p++ = (u_char) (size >> 56);

        if (size <= (size_t) (last - p)) {
            if (size) {
                p = ngx_cpymem(p, fields[i].data, size);
            }

            continue;
        }

        if (rc == NGX_OK) {
            rc = ngx_http_webhook_digest_update(md, buf, p - buf);
            p = buf;
        }

        if (rc == NGX_OK) {
            rc = ngx_http_webhook_digest_update(md, fields[i].data, size);
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_webhook_digest_update(md, buf, p - buf);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_webhook_digest_final(md, digest);
    }

    ngx_http_webhook_digest_free(md);

    ngx_memcpy(id, digest, sizeof(ngx_http_webhook_id_t));

    return rc;
}


static ngx_int_t
ngx_http_webhook_zone_claim(ngx_http_webhook_claim_t *claim, time_t lease,
    ngx_uint_t evict)
{
    time_t                     now;
    uint64_t                  *evicted, before;
    ngx_int_t                  rc;
    ngx_http_webhook_zone_t   *zone;
    ngx_http_webhook_table_t  *table;

    now = ngx_time();
    zone = claim->keeper;
    table = &zone->sh->table;
    evicted = &table->counters[NGX_HTTP_WEBHOOK_COUNT_EVICTED];

    ngx_shmtx_lock(&zone->shpool->mutex);

    before = *evicted;

    rc = ngx_http_webhook_table_claim(table, &claim->id, now, lease, evict,
                                      &claim->owner, &claim->found);

    claim->number = table->claims;

    before = *evicted - before;

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (before) {
        ngx_http_webhook_zone_evicted(zone, now, claim->log);
    }

    return rc;
}


static ngx_int_t
ngx_http_webhook_zone_lookup(ngx_http_webhook_claim_t *claim)
{
    ngx_int_t                 rc;
    ngx_http_webhook_zone_t  *zone;

    zone = claim->keeper;

    ngx_shmtx_lock(&zone->shpool->mutex);

    rc = ngx_http_webhook_table_lookup(&zone->sh->table, &claim->id,
                                       ngx_time(), &claim->found);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


static ngx_int_t
ngx_http_webhook_zone_renew(ngx_http_webhook_claim_t *claim, time_t lease)
{
    ngx_int_t                 rc;
    ngx_http_webhook_zone_t  *zone;

    zone = claim->keeper;

    ngx_shmtx_lock(&zone->shpool->mutex);

    rc = ngx_http_webhook_table_renew(&zone->sh->table, &claim->id,
                                      claim->owner, ngx_time() + lease);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


static ngx_int_t
ngx_http_webhook_zone_commit(ngx_http_webhook_claim_t *claim, time_t until)
{
    time_t                     now;
    uint64_t                  *evicted, before;
    ngx_int_t                  rc;
    ngx_http_webhook_zone_t   *zone;
    ngx_http_webhook_table_t  *table;

    now = ngx_time();
    zone = claim->keeper;
    table = &zone->sh->table;
    evicted = &table->counters[NGX_HTTP_WEBHOOK_COUNT_EVICTED];

    ngx_shmtx_lock(&zone->shpool->mutex);

    before = *evicted;

    rc = ngx_http_webhook_table_commit(table, &claim->id, claim->owner, now,
                                       until, claim->fingerprint);

    before = *evicted - before;

    ngx_shmtx_unlock(&zone->shpool->mutex);

    claim->owner = 0;

    if (before) {
        ngx_http_webhook_zone_evicted(zone, now, claim->log);
    }

    return rc;
}


static ngx_int_t
ngx_http_webhook_zone_free(ngx_http_webhook_claim_t *claim)
{
    ngx_int_t                 rc;
    ngx_http_webhook_zone_t  *zone;

    zone = claim->keeper;

    ngx_shmtx_lock(&zone->shpool->mutex);

    rc = ngx_http_webhook_table_free(&zone->sh->table, &claim->id,
                                     claim->owner);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    claim->owner = 0;

    return rc;
}


static void
ngx_http_webhook_zone_detach(ngx_http_webhook_claim_t *claim)
{
    /* all was answered at once */

    claim->handler = NULL;
}


/* once a second, whatever the number of processes */

static void
ngx_http_webhook_zone_evicted(ngx_http_webhook_zone_t *zone, time_t now,
    ngx_log_t *log)
{
    ngx_atomic_uint_t  warned;

    warned = zone->sh->warned;

    if (warned == (ngx_atomic_uint_t) now
        || !ngx_atomic_cmp_set(&zone->sh->warned, warned,
                               (ngx_atomic_uint_t) now))
    {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "webhook dedup zone \"%V\" is full: an event was "
                  "forgotten before its time, make the zone larger",
                  &zone->shm_zone->shm.name);
}
