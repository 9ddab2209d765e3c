
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What of a table others are still to be told of.
 *
 * An entry is owed from the step in which it is done, and the bit of its
 * bucket is set before; a bit that is set for nothing is cleared when the
 * bucket is looked at.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_table_slot.h"


#define NGX_HTTP_WEBHOOK_SLOT_OWING                                           \
    (NGX_HTTP_WEBHOOK_SLOT_OWED & ~NGX_HTTP_WEBHOOK_SLOT_DONE)


static void ngx_http_webhook_table_settle_owed(
    ngx_http_webhook_table_t *table, uint32_t n);


void
ngx_http_webhook_table_set_owing(ngx_http_webhook_table_t *table,
    ngx_uint_t owing)
{
    table->owing = owing ? NGX_HTTP_WEBHOOK_SLOT_OWING : 0;
}


void
ngx_http_webhook_table_owe(ngx_http_webhook_table_t *table, uint32_t n,
    time_t now)
{
    ngx_uint_t                i;
    ngx_http_webhook_slot_t  *slot;

    for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
        slot = &table->buckets[n].slots[i];

        if (!ngx_http_webhook_is_done(slot)
            || ngx_http_webhook_is_owed(slot)
            || !ngx_http_webhook_table_is_live(table, slot, now))
        {
            continue;
        }

        ngx_http_webhook_table_note_owed(table, slot);

        if (table->copying) {
            table->changed[n / 64] |= (uint64_t) 1 << (n % 64);
        }

        ngx_memory_barrier();

        slot->state |= NGX_HTTP_WEBHOOK_SLOT_OWED;

        table->counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED]++;
    }
}


uint32_t
ngx_http_webhook_table_next_owed(ngx_http_webhook_table_t *table, uint32_t n)
{
    return ngx_http_webhook_table_next(table, table->owed, n);
}


ngx_uint_t
ngx_http_webhook_table_take_owed(ngx_http_webhook_table_t *table, uint32_t n,
    time_t now, ngx_http_webhook_bucket_t *bucket)
{
    ngx_uint_t                i, taken;
    ngx_http_webhook_slot_t  *slot;

    taken = 0;

    for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
        slot = &table->buckets[n].slots[i];

        if (ngx_http_webhook_is_owed(slot)
            && ngx_http_webhook_table_is_live(table, slot, now))
        {
            bucket->slots[taken++] = *slot;
        }
    }

    if (taken == 0) {
        table->owed[n / 64] &= ~((uint64_t) 1 << (n % 64));
    }

    return taken;
}


void
ngx_http_webhook_table_count_owed(ngx_http_webhook_table_t *table, time_t now)
{
    uint32_t                   n;
    uint64_t                   count;
    ngx_http_webhook_bucket_t  bucket;

    count = 0;

    for (n = ngx_http_webhook_table_next_owed(table, 0);
         n < table->nbuckets;
         n = ngx_http_webhook_table_next_owed(table, n + 1))
    {
        count += ngx_http_webhook_table_take_owed(table, n, now, &bucket);
    }

    table->counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED] = count;
}


void
ngx_http_webhook_table_acknowledge(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t until, uint32_t fingerprint)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_find(table, id);

    if (slot == NULL
        || slot->state != (NGX_HTTP_WEBHOOK_SLOT_OWED | fingerprint)
        || slot->expire != (uint32_t) until)
    {
        return;
    }

    slot->state &= ~NGX_HTTP_WEBHOOK_SLOT_OWING;

    if (table->counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED]) {
        table->counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED]--;
    }

    ngx_http_webhook_table_settle_owed(table,
                                   ngx_http_webhook_slot_bucket(table, slot));
}


/* clears the bit of a bucket in which nothing is owed any more */

static void
ngx_http_webhook_table_settle_owed(ngx_http_webhook_table_t *table,
    uint32_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
        if (ngx_http_webhook_is_owed(&table->buckets[n].slots[i])) {
            return;
        }
    }

    table->owed[n / 64] &= ~((uint64_t) 1 << (n % 64));
}


void
ngx_http_webhook_table_learn(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner, time_t until,
    uint32_t fingerprint)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_find(table, id);

    if (slot == NULL
        || slot->state != (NGX_HTTP_WEBHOOK_SLOT_IN_FLIGHT | owner))
    {
        return;
    }

    /* as in a commit: the state goes first */

    ngx_http_webhook_table_note(table, slot, NGX_HTTP_WEBHOOK_SLOT_DONE);

    slot->state = NGX_HTTP_WEBHOOK_SLOT_DONE | fingerprint;

    ngx_memory_barrier();

    slot->expire = (uint32_t) until;
}
