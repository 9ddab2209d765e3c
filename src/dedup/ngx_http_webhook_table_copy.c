
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: a copy of it while it is in use, and what it takes
 * over from its image in a file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_table_slot.h"


static ngx_uint_t ngx_http_webhook_table_has_claims(
    ngx_http_webhook_bucket_t *bucket);
static ngx_http_webhook_slot_t *ngx_http_webhook_table_place(
    ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id, uint32_t n,
    ngx_uint_t i);
static void ngx_http_webhook_table_put(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *slot, ngx_http_webhook_slot_t *place, time_t now);


void
ngx_http_webhook_table_copy_begin(ngx_http_webhook_table_t *to,
    ngx_http_webhook_table_t *from)
{
    ngx_memcpy(to->salt, from->salt, sizeof(to->salt));
    to->unread = from->unread;

    ngx_memset(from->changed, 0xff,
               (from->nbuckets + 63) / 64 * sizeof(uint64_t));

    from->copying = 1;
}


ngx_uint_t
ngx_http_webhook_table_copy_take(ngx_http_webhook_table_t *from, uint32_t *n,
    ngx_http_webhook_bucket_t buckets[NGX_HTTP_WEBHOOK_SLICE])
{
    ngx_uint_t  i, taken;

    taken = 0;

    for (i = 0; i < NGX_HTTP_WEBHOOK_SLICE; i++) {

        *n = ngx_http_webhook_table_next(from, from->changed, *n);

        if (*n == from->nbuckets) {
            break;
        }

        /*
         * A claim may end in any way, and even one that has run out may be
         * alive again if the clock is set: it is left for the end.
         */

        if (!ngx_http_webhook_table_has_claims(&from->buckets[*n])) {
            buckets[taken++] = from->buckets[*n];
            from->changed[*n / 64] &= ~((uint64_t) 1 << (*n % 64));
        }

        (*n)++;
    }

    return taken;
}


static ngx_uint_t
ngx_http_webhook_table_has_claims(ngx_http_webhook_bucket_t *bucket)
{
    ngx_uint_t                i;
    ngx_http_webhook_slot_t  *slot;

    for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
        slot = &bucket->slots[i];

        if (slot->state != NGX_HTTP_WEBHOOK_SLOT_FREE
            && !ngx_http_webhook_is_done(slot))
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_webhook_table_copy_end(ngx_http_webhook_table_t *to,
    ngx_http_webhook_table_t *from, time_t now)
{
    uint32_t                  n;
    ngx_uint_t                i;
    ngx_http_webhook_slot_t  *slot;

    to->claims = from->claims;
    to->lease = from->lease;

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNTERS; i++) {
        to->counters[i] += from->counters[i];
    }

    for (n = ngx_http_webhook_table_next(from, from->changed, 0);
         n < from->nbuckets;
         n = ngx_http_webhook_table_next(from, from->changed, n + 1))
    {
        for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
            slot = &from->buckets[n].slots[i];

            if (ngx_http_webhook_table_is_live(from, slot, now)) {
                ngx_http_webhook_table_put(to, slot, NULL, now);
            }
        }
    }

    from->copying = 0;
}


void
ngx_http_webhook_table_add(ngx_http_webhook_table_t *table, uint32_t n,
    ngx_http_webhook_bucket_t *bucket, time_t now)
{
    ngx_uint_t                i;
    ngx_http_webhook_slot_t  *slot, *place;

    for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
        slot = &bucket->slots[i];

        if (ngx_http_webhook_is_done(slot)
            && ngx_http_webhook_table_is_live(table, slot, now))
        {
            /* where it stood it needs no room that others have to make */

            place = ngx_http_webhook_table_place(table, &slot->id, n, i);

            ngx_http_webhook_table_put(table, slot, place, now);
        }
    }
}


/* a slot of a bucket, if it is free and the id belongs there */

static ngx_http_webhook_slot_t *
ngx_http_webhook_table_place(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t n, ngx_uint_t i)
{
    ngx_http_webhook_slot_t    *slot;
    ngx_http_webhook_bucket_t  *buckets[2];

    if (n >= table->nbuckets) {
        return NULL;
    }

    ngx_http_webhook_table_buckets(table, id, buckets);

    if (buckets[0] != &table->buckets[n] && buckets[1] != &table->buckets[n]) {
        return NULL;
    }

    slot = &table->buckets[n].slots[i];

    return (slot->state == NGX_HTTP_WEBHOOK_SLOT_FREE) ? slot : NULL;
}


/*
 * Puts an entry of another table, or of an image, of which it may have seen
 * some, into its place or, if that is NULL, where there is room.
 */

static void
ngx_http_webhook_table_put(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *slot, ngx_http_webhook_slot_t *place, time_t now)
{
    ngx_http_webhook_slot_t  *dst;

    dst = ngx_http_webhook_table_find(table, &slot->id);

    if (dst
        && ngx_http_webhook_is_done(dst)
        && ngx_http_webhook_table_is_live(table, dst, now)
        && (!ngx_http_webhook_is_done(slot)
            || (int32_t) (dst->expire - slot->expire) > 0))
    {
        return;
    }

    if (dst == NULL) {
        dst = place;
    }

    if (dst == NULL) {
        dst = ngx_http_webhook_table_room(table, &slot->id, now,
                          &table->counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM]);
    }

    if (dst == NULL) {
        table->counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM]++;
        return;
    }

    *dst = *slot;

    if (ngx_http_webhook_is_owed(dst)) {
        ngx_http_webhook_table_note_owed(table, dst);
    }
}
