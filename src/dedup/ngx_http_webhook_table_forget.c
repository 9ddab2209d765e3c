
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys, as who runs it sees it: how full it is, until when
 * an event is remembered, and how it is forgotten.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_table_slot.h"


/* buckets of a sample */
#define NGX_HTTP_WEBHOOK_SAMPLE  8192

/* buckets that are emptied at once */
#define NGX_HTTP_WEBHOOK_EMPTIED  64

/* for whom the clock is set: neither alive soon, nor alive again, in seconds */
#define NGX_HTTP_WEBHOOK_LONG_AGO 0x40000000


static ngx_int_t ngx_http_webhook_table_remove(
    ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id, time_t now,
    ngx_http_webhook_slot_t **removed);


uint64_t
ngx_http_webhook_table_sample(ngx_http_webhook_table_t *table, time_t now)
{
    uint32_t                    n;
    uint64_t                    used;
    ngx_uint_t                  i, k;
    ngx_http_webhook_bucket_t  *bucket;

    used = 0;
    n = ngx_min(table->nbuckets, NGX_HTTP_WEBHOOK_SAMPLE);

    for (i = 0; i < n; i++) {

        /* evenly distributed, as ids are by themselves */

        bucket = &table->buckets[(uint64_t) i * table->nbuckets / n];

        for (k = 0; k < NGX_HTTP_WEBHOOK_BUCKET; k++) {
            used += ngx_http_webhook_table_is_live(table, &bucket->slots[k],
                                                   now);
        }
    }

    return used * table->nbuckets / n;
}


time_t
ngx_http_webhook_table_until(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_find(table, id);

    if (slot == NULL || !ngx_http_webhook_table_is_live(table, slot, now)) {
        return 0;
    }

    return now + (int32_t) (slot->expire - (uint32_t) now);
}


ngx_int_t
ngx_http_webhook_table_forget(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now)
{
    ngx_int_t                 rc;
    ngx_http_webhook_slot_t  *slot;

    rc = ngx_http_webhook_table_remove(table, id, now, &slot);

    if (rc == NGX_OK) {
        slot->state = NGX_HTTP_WEBHOOK_SLOT_FREE;
        table->counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN]++;
    }

    return rc;
}


ngx_int_t
ngx_http_webhook_table_take_out(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now, ngx_http_webhook_slot_t *forgotten,
    uint32_t *number)
{
    ngx_int_t                 rc;
    ngx_http_webhook_slot_t  *slot;

    rc = ngx_http_webhook_table_remove(table, id, now, &slot);

    if (rc != NGX_OK) {
        return rc;
    }

    *forgotten = *slot;
    *number = ngx_http_webhook_table_number(table);

    /*
     * A claim that has run out keeps the place: whoever claims the id, or
     * needs the room, takes it, and the number is gone.
     */

    slot->expire = (uint32_t) now - NGX_HTTP_WEBHOOK_LONG_AGO;

    ngx_memory_barrier();

    slot->state = NGX_HTTP_WEBHOOK_SLOT_IN_FLIGHT | *number;

    return NGX_OK;
}


void
ngx_http_webhook_table_put_back(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *forgotten, uint32_t number, ngx_uint_t owed)
{
    uint32_t                  state;
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_find(table, &forgotten->id);

    if (slot == NULL
        || slot->state != (NGX_HTTP_WEBHOOK_SLOT_IN_FLIGHT | number))
    {
        /* somebody may have had it meanwhile, as a new one */

        return;
    }

    state = forgotten->state;

    if (owed) {
        state |= table->owing;
    }

    ngx_http_webhook_table_set(table, slot, &forgotten->id, forgotten->expire,
                               state);
}


/*
 * All that there is of an id that is done is removed but for one slot, which is
 * left to the caller.
 */

static ngx_int_t
ngx_http_webhook_table_remove(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now, ngx_http_webhook_slot_t **removed)
{
    ngx_uint_t                  i, n;
    ngx_http_webhook_slot_t    *slot;
    ngx_http_webhook_bucket_t  *buckets[2];

    *removed = ngx_http_webhook_table_find(table, id);

    if (*removed == NULL
        || !ngx_http_webhook_table_is_live(table, *removed, now))
    {
        return NGX_DECLINED;
    }

    if (!ngx_http_webhook_is_done(*removed)) {
        return NGX_BUSY;
    }

    if (table->copying) {
        return NGX_AGAIN;
    }

    ngx_http_webhook_table_buckets(table, id, buckets);

    /* an image may have it where it stood before it was moved */

    ngx_http_webhook_table_mark(table, buckets[0] - table->buckets);
    ngx_http_webhook_table_mark(table, buckets[1] - table->buckets);

    ngx_memory_barrier();

    /* a process that was killed may have left a second copy */

    for (i = 0; i < 2; i++) {
        for (n = 0; n < NGX_HTTP_WEBHOOK_BUCKET; n++) {
            slot = &buckets[i]->slots[n];

            if (slot != *removed && ngx_http_webhook_is_id(slot, id)) {
                slot->state = NGX_HTTP_WEBHOOK_SLOT_FREE;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_table_forget_some(ngx_http_webhook_table_t *table,
    uint32_t *n, time_t now, uint64_t *forgotten)
{
    uint32_t                  end;
    uint64_t                  before;
    ngx_uint_t                i;
    ngx_http_webhook_slot_t  *slot;

    if (table->copying) {
        return NGX_AGAIN;
    }

    before = *forgotten;

    end = *n + ngx_min(table->nbuckets - *n, NGX_HTTP_WEBHOOK_EMPTIED);

    for ( /* void */ ; *n < end; (*n)++) {

        /* an image may have more than is here by now */

        ngx_http_webhook_table_mark(table, *n);

        ngx_memory_barrier();

        for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
            slot = &table->buckets[*n].slots[i];

            if (ngx_http_webhook_is_done(slot)) {
                *forgotten += ngx_http_webhook_table_is_live(table, slot, now);
                slot->state = NGX_HTTP_WEBHOOK_SLOT_FREE;
            }
        }
    }

    table->counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN] += *forgotten - before;

    return NGX_OK;
}
