
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What a zone owes to its store.
 *
 * The first worker goes through the table once a second, and after it has
 * connected, and sends what is owed.  A bucket that was not owed a second
 * before is left alone: what is in it has just been sent by somebody.  If the
 * store is not the one that the zone knows, all that is done becomes owed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store_claim.h"
#include "ngx_http_webhook_store_owed.h"


#define NGX_HTTP_WEBHOOK_OWED_TURN         1000   /* milliseconds */
#define NGX_HTTP_WEBHOOK_OWED_OUTSTANDING  256

/* buckets that become owed in a turn, and under one lock */
#define NGX_HTTP_WEBHOOK_OWED_BUCKETS      4096
#define NGX_HTTP_WEBHOOK_OWED_SLICE        128


typedef struct {
    ngx_http_webhook_link_t       *link;
    ngx_http_webhook_zone_t       *zone;
    ngx_event_t                    turn;

    uint64_t                      *seen;     /* bits of buckets that were owed
                                                in the last turn */
    uint32_t                       next;     /* bucket to be looked at */
    uint32_t                       refill;   /* bucket to become owed */
    ngx_uint_t                     nsent;    /* and not answered */

    unsigned                       all:1;    /* whether seen or not */
    unsigned                       stopped:1;  /* until the next turn */
} ngx_http_webhook_owed_t;


static void ngx_http_webhook_owed_up(ngx_http_webhook_link_t *link);
static void ngx_http_webhook_owed_down(ngx_http_webhook_link_t *link);
static void ngx_http_webhook_owed_other_up(ngx_http_webhook_link_t *link);
static void ngx_http_webhook_owed_other_down(ngx_http_webhook_link_t *link);
static void ngx_http_webhook_owed_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_webhook_owed_refill(ngx_http_webhook_owed_t *owed);
static void ngx_http_webhook_owed_send(ngx_http_webhook_owed_t *owed);
static ngx_uint_t ngx_http_webhook_owed_is_seen(ngx_http_webhook_owed_t *owed,
    uint32_t n);
static ngx_int_t ngx_http_webhook_owed_sent(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply);


ngx_int_t
ngx_http_webhook_owed_init(ngx_http_webhook_link_t *link, ngx_pool_t *pool)
{
    uint32_t                         hash[2];
    ngx_http_webhook_owed_t         *owed;
    const ngx_http_webhook_store_t  *store;

    store = link->store;

    /* never 0, which is no store */

    hash[0] = ngx_murmur_hash2(store->prefix.data, store->prefix.len) | 1;
    hash[1] = ngx_crc32_long(store->prefix.data, store->prefix.len)
              ^ (uint32_t) store->database;

    ngx_memcpy(&link->known.name, hash, sizeof(link->known.name));

    if (ngx_worker != 0) {
        link->up = ngx_http_webhook_owed_other_up;
        link->down = ngx_http_webhook_owed_other_down;

        return NGX_OK;
    }

    owed = ngx_pcalloc(pool, sizeof(ngx_http_webhook_owed_t));
    if (owed == NULL) {
        return NGX_ERROR;
    }

    owed->link = link;
    owed->zone = store->zone;

    owed->seen = ngx_pcalloc(pool, (owed->zone->sh->table.nbuckets / 64 + 1)
                                   * sizeof(uint64_t));
    if (owed->seen == NULL) {
        return NGX_ERROR;
    }

    owed->turn.handler = ngx_http_webhook_owed_handler;
    owed->turn.data = owed;
    owed->turn.log = store->log;
    owed->turn.cancelable = 1;

    link->data = owed;
    link->up = ngx_http_webhook_owed_up;
    link->down = ngx_http_webhook_owed_down;

    return NGX_OK;
}


static void
ngx_http_webhook_owed_other_up(ngx_http_webhook_link_t *link)
{
    ngx_http_webhook_hello_t  *hello;

    hello = &link->hello;

    ngx_memcpy(link->known.run_id, hello->run_id, sizeof(hello->run_id));
    ngx_memcpy(link->known.master_replid, hello->master_replid,
               sizeof(hello->master_replid));
}


static void
ngx_http_webhook_owed_other_down(ngx_http_webhook_link_t *link)
{
    /* another process does it */
}


static void
ngx_http_webhook_owed_up(ngx_http_webhook_link_t *link)
{
    ngx_http_webhook_owed_t   *owed;
    ngx_http_webhook_table_t  *table;

    owed = link->data;
    table = &owed->zone->sh->table;

    ngx_http_webhook_owed_other_up(link);

    owed->refill = table->nbuckets;

    /* what new processes are connected to is not for old ones to say */

    if (!ngx_exiting
        && (!link->hello.known
            || ngx_memcmp(&link->known, &owed->zone->sh->store,
                          sizeof(ngx_http_webhook_zone_store_t))
               != 0))
    {
        ngx_log_error(NGX_LOG_INFO, link->store->log, 0,
                      "webhook store \"%V\" is told of all events of zone "
                      "\"%V\"", &link->store->name,
                      &owed->zone->shm_zone->shm.name);
        owed->refill = 0;
    }

    owed->next = table->nbuckets;
    owed->nsent = 0;
    owed->all = 1;

    ngx_http_webhook_owed_handler(&owed->turn);
}


static void
ngx_http_webhook_owed_down(ngx_http_webhook_link_t *link)
{
    ngx_http_webhook_owed_t  *owed;

    owed = link->data;

    if (owed->turn.timer_set) {
        ngx_del_timer(&owed->turn);
    }

    /* whose answers are still to come, those that do not will tell */

    owed->stopped = 1;
}


static void
ngx_http_webhook_owed_handler(ngx_event_t *ev)
{
    ngx_http_webhook_owed_t *owed = ev->data;

    uint32_t                   n;
    ngx_http_webhook_table_t  *table;

    if (ngx_http_webhook_owed_refill(owed) == NGX_AGAIN) {

        /* connections have their turn before it goes on */

        ngx_add_timer(ev, 1);
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_WEBHOOK_OWED_TURN);

    table = &owed->zone->sh->table;

    ngx_shmtx_lock(&owed->zone->shpool->mutex);
    ngx_http_webhook_table_count_owed(table, ngx_time());
    ngx_shmtx_unlock(&owed->zone->shpool->mutex);

    if (owed->nsent) {

        /* the last turn is not over */

        return;
    }

    for (n = 0; n < table->nbuckets / 64 + 1; n++) {
        owed->seen[n] &= table->owed[n];
    }

    owed->next = 0;
    owed->stopped = 0;

    ngx_http_webhook_owed_send(owed);
}


/* all that is done becomes owed, before the store is taken for known */

static ngx_int_t
ngx_http_webhook_owed_refill(ngx_http_webhook_owed_t *owed)
{
    ngx_uint_t                 i;
    ngx_http_webhook_table_t  *table;

    table = &owed->zone->sh->table;

    if (owed->refill == table->nbuckets) {
        return NGX_OK;
    }

    for (i = 0; i < NGX_HTTP_WEBHOOK_OWED_BUCKETS; /* void */ ) {

        ngx_shmtx_lock(&owed->zone->shpool->mutex);

        do {
            ngx_http_webhook_table_owe(table, owed->refill++, ngx_time());

            if (owed->refill == table->nbuckets) {
                owed->zone->sh->store = owed->link->known;

                ngx_shmtx_unlock(&owed->zone->shpool->mutex);

                return NGX_OK;
            }

        } while (++i % NGX_HTTP_WEBHOOK_OWED_SLICE);

        ngx_shmtx_unlock(&owed->zone->shpool->mutex);
    }

    return NGX_AGAIN;
}


/* as much as may be outstanding; answers go on with it */

static void
ngx_http_webhook_owed_send(ngx_http_webhook_owed_t *owed)
{
    ngx_uint_t                   i, n;
    ngx_http_webhook_slot_t     *slot;
    ngx_http_webhook_table_t    *table;
    ngx_http_webhook_bucket_t    bucket;
    ngx_http_webhook_command_t   command;

    table = &owed->zone->sh->table;

    while (!owed->stopped && owed->nsent <= NGX_HTTP_WEBHOOK_OWED_OUTSTANDING
                                            - NGX_HTTP_WEBHOOK_BUCKET)
    {
        owed->next = ngx_http_webhook_table_next_owed(table, owed->next);

        if (owed->next == table->nbuckets) {
            owed->all = 0;
            return;
        }

        if (!ngx_http_webhook_owed_is_seen(owed, owed->next)) {
            owed->next++;
            continue;
        }

        ngx_shmtx_lock(&owed->zone->shpool->mutex);
        n = ngx_http_webhook_table_take_owed(table, owed->next++, ngx_time(),
                                             &bucket);
        ngx_shmtx_unlock(&owed->zone->shpool->mutex);

        ngx_memzero(&command, sizeof(ngx_http_webhook_command_t));

        command.type = NGX_HTTP_WEBHOOK_COMMAND_COMMIT;
        command.handler = ngx_http_webhook_owed_sent;
        command.data = owed;
        command.start = ngx_current_msec;

        for (i = 0; i < n; i++) {
            slot = &bucket.slots[i];

            command.id = slot->id;
            command.until = ngx_time()
                            + (int32_t) (slot->expire - (uint32_t) ngx_time());
            command.fingerprint = ngx_http_webhook_slot_fingerprint(slot);

            if (ngx_http_webhook_link_give(owed->link, &command) == NULL) {
                owed->stopped = 1;
                return;
            }

            owed->nsent++;

            ngx_http_webhook_link_count(owed->link,
                                     NGX_HTTP_WEBHOOK_COUNT_STORE_SENT_AGAIN);
        }
    }
}


/* whether a bucket was owed before; it is noted for the next time */

static ngx_uint_t
ngx_http_webhook_owed_is_seen(ngx_http_webhook_owed_t *owed, uint32_t n)
{
    uint64_t  bit;

    bit = (uint64_t) 1 << (n % 64);

    if (owed->all || (owed->seen[n / 64] & bit)) {
        return 1;
    }

    owed->seen[n / 64] |= bit;

    return 0;
}


static ngx_int_t
ngx_http_webhook_owed_sent(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    ngx_http_webhook_owed_t *owed = command->data;

    if (ngx_http_webhook_store_committed(link, command, reply) != NGX_OK) {
        return NGX_ERROR;
    }

    owed->nsent--;

    if (reply == NULL || ngx_http_webhook_reply_is(reply, "OOM")) {

        /* the others would fare no better */

        owed->stopped = 1;
        return NGX_OK;
    }

    ngx_http_webhook_owed_send(owed);

    return NGX_OK;
}
