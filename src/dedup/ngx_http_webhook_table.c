
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: fixed slots in plain memory, without locks,
 * clocks or allocations of its own.
 *
 * Each id belongs into one of two buckets of eight slots.  It is put where
 * there is more room; if there is none, entries are moved to their other
 * bucket (cuckoo hashing).  An entry whose time has passed is room.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_table_slot.h"


#define NGX_HTTP_WEBHOOK_LINE   64                         /* of the cache */

/* how many moves may follow each other to make room for one entry */
#define NGX_HTTP_WEBHOOK_MOVES  2


static ngx_http_webhook_slot_t *ngx_http_webhook_table_owned(
    ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id,
    uint32_t owner);
static ngx_http_webhook_slot_t *ngx_http_webhook_table_dead(
    ngx_http_webhook_table_t *table, ngx_http_webhook_bucket_t *bucket,
    time_t now, ngx_uint_t *n);
static ngx_http_webhook_slot_t *ngx_http_webhook_table_move(
    ngx_http_webhook_table_t *table, ngx_http_webhook_bucket_t *bucket,
    time_t now, ngx_uint_t moves);


void
ngx_http_webhook_table_init(ngx_http_webhook_table_t *table, u_char *start,
    u_char *end)
{
    size_t  n, words;

    ngx_memzero(table, sizeof(ngx_http_webhook_table_t));

    /* three rows of bits: a word for each 64 buckets, and one begun */

    start = ngx_align_ptr(start, NGX_HTTP_WEBHOOK_LINE);

    n = (end - start) / sizeof(ngx_http_webhook_bucket_t);
    words = n / 64 + 1;

    table->marks = (uint64_t *) start;

    start = ngx_align_ptr(start + words * sizeof(uint64_t),
                          NGX_HTTP_WEBHOOK_LINE);

    table->changed = (uint64_t *) start;

    start = ngx_align_ptr(start + words * sizeof(uint64_t),
                          NGX_HTTP_WEBHOOK_LINE);

    table->owed = (uint64_t *) start;

    start = ngx_align_ptr(start + words * sizeof(uint64_t),
                          NGX_HTTP_WEBHOOK_LINE);

    table->buckets = (ngx_http_webhook_bucket_t *) start;
    table->nbuckets = (end - start) / sizeof(ngx_http_webhook_bucket_t);
}


ngx_int_t
ngx_http_webhook_table_claim(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now, time_t lease, ngx_uint_t evict,
    uint32_t *owner, uint32_t *fingerprint)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_find(table, id);

    if (slot && ngx_http_webhook_table_is_live(table, slot, now)) {

        if (ngx_http_webhook_is_done(slot)) {
            *fingerprint = slot->state & NGX_HTTP_WEBHOOK_OWNER_MASK;
            return NGX_DECLINED;
        }

        return NGX_BUSY;
    }

    if (slot == NULL) {
        slot = ngx_http_webhook_table_room(table, id, now,
                       evict ? &table->counters[NGX_HTTP_WEBHOOK_COUNT_EVICTED]
                             : NULL);
        if (slot == NULL) {
            return NGX_ABORT;
        }
    }

    *owner = ngx_http_webhook_table_number(table);

    table->lease = ngx_max(table->lease, (uint64_t) lease);

    ngx_http_webhook_table_set(table, slot, id, (uint32_t) (now + lease),
                               NGX_HTTP_WEBHOOK_SLOT_IN_FLIGHT | *owner);

    table->counters[NGX_HTTP_WEBHOOK_COUNT_CLAIMED]++;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_table_lookup(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now, uint32_t *fingerprint)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_find(table, id);

    if (slot == NULL || !ngx_http_webhook_table_is_live(table, slot, now)) {
        return NGX_OK;
    }

    if (ngx_http_webhook_is_done(slot)) {
        *fingerprint = slot->state & NGX_HTTP_WEBHOOK_OWNER_MASK;
        return NGX_DECLINED;
    }

    return NGX_BUSY;
}


ngx_int_t
ngx_http_webhook_table_renew(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner, time_t until)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_owned(table, id, owner);
    if (slot == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_webhook_table_note(table, slot, slot->state);

    slot->expire = (uint32_t) until;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_table_free(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_owned(table, id, owner);
    if (slot == NULL) {
        return NGX_DECLINED;
    }

    slot->state = NGX_HTTP_WEBHOOK_SLOT_FREE;

    table->counters[NGX_HTTP_WEBHOOK_COUNT_FREED]++;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_table_commit(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner, time_t now, time_t until,
    uint32_t fingerprint)
{
    uint32_t                  expire, state;
    ngx_int_t                 rc;
    ngx_http_webhook_slot_t  *slot;

    rc = NGX_OK;
    expire = (uint32_t) until;
    state = NGX_HTTP_WEBHOOK_SLOT_DONE | table->owing
            | (fingerprint & NGX_HTTP_WEBHOOK_OWNER_MASK);

    slot = ngx_http_webhook_table_owned(table, id, owner);

    if (slot == NULL) {
        rc = NGX_DECLINED;
        slot = ngx_http_webhook_table_find(table, id);

        if (slot == NULL) {
            slot = ngx_http_webhook_table_room(table, id, now,
                            &table->counters[NGX_HTTP_WEBHOOK_COUNT_EVICTED]);
            if (slot == NULL) {
                return NGX_ABORT;
            }

            ngx_http_webhook_table_set(table, slot, id, expire, state);

            goto done;
        }

        if (ngx_http_webhook_is_done(slot)
            && ngx_http_webhook_table_is_live(table, slot, now))
        {
            state = slot->state | table->owing;

            if ((int32_t) (expire - slot->expire) < 0) {
                expire = slot->expire;
            }
        }
    }

    /*
     * The state goes first: a process killed in between leaves an entry that
     * is done for as long as the lease, and not a claim for that long.
     */

    ngx_http_webhook_table_note(table, slot, state);

    slot->state = state;

    ngx_memory_barrier();

    slot->expire = expire;

done:

    table->counters[NGX_HTTP_WEBHOOK_COUNT_COMMITTED]++;

    if (table->owing) {
        table->counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED]++;
    }

    return rc;
}


void
ngx_http_webhook_table_mark(ngx_http_webhook_table_t *table, uint32_t n)
{
    table->marks[n / 64] |= (uint64_t) 1 << (n % 64);
}


void
ngx_http_webhook_table_unmark(ngx_http_webhook_table_t *table, uint32_t n)
{
    table->marks[n / 64] &= ~((uint64_t) 1 << (n % 64));
}


void
ngx_http_webhook_table_mark_all(ngx_http_webhook_table_t *table)
{
    /* marks of buckets that do not exist are not looked at */

    ngx_memset(table->marks, 0xff,
               (table->nbuckets + 63) / 64 * sizeof(uint64_t));
}


uint32_t
ngx_http_webhook_table_next_marked(ngx_http_webhook_table_t *table, uint32_t n)
{
    return ngx_http_webhook_table_next(table, table->marks, n);
}


uint32_t
ngx_http_webhook_table_next(ngx_http_webhook_table_t *table, uint64_t *marks,
    uint32_t n)
{
    while (n < table->nbuckets) {

        if (marks[n / 64] >> (n % 64) == 0) {
            n = (n / 64 + 1) * 64;
            continue;
        }

        if (marks[n / 64] >> (n % 64) & 1) {
            return n;
        }

        n++;
    }

    return table->nbuckets;
}


void
ngx_http_webhook_table_take(ngx_http_webhook_table_t *table, uint32_t n,
    ngx_http_webhook_bucket_t *bucket)
{
    ngx_uint_t  i;

    *bucket = table->buckets[n];

    for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
        if (!ngx_http_webhook_is_done(&bucket->slots[i])) {
            ngx_memzero(&bucket->slots[i], sizeof(ngx_http_webhook_slot_t));
        }
    }
}


void
ngx_http_webhook_table_set(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *slot, ngx_http_webhook_id_t *id, uint32_t expire,
    uint32_t state)
{
    ngx_http_webhook_table_note(table, slot, state);

    slot->state = NGX_HTTP_WEBHOOK_SLOT_FREE;

    ngx_memory_barrier();

    slot->id = *id;
    slot->expire = expire;

    ngx_memory_barrier();

    slot->state = state;
}


void
ngx_http_webhook_table_note(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *slot, uint32_t state)
{
    uint32_t  n;

    n = ngx_http_webhook_slot_bucket(table, slot);

    if (state & NGX_HTTP_WEBHOOK_SLOT_DONE) {
        ngx_http_webhook_table_mark(table, n);

        if (state & NGX_HTTP_WEBHOOK_SLOT_IN_FLIGHT) {
            ngx_http_webhook_table_note_owed(table, slot);
        }
    }

    if (table->copying) {
        table->changed[n / 64] |= (uint64_t) 1 << (n % 64);
    }

    ngx_memory_barrier();
}


void
ngx_http_webhook_table_buckets(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, ngx_http_webhook_bucket_t *buckets[2])
{
    uint64_t  hash, first, second;

    /* multipliers must be odd; high bits are those that all others reach */

    hash = id->hi * (table->salt[0] | 1) + id->lo * (table->salt[1] | 1);
    hash ^= hash >> 32;

    first = hash * (table->salt[2] | 1) >> 32;
    second = hash * (table->salt[3] | 1) >> 32;

    /* scaled to the range: no division, any number of buckets */

    first = first * table->nbuckets >> 32;
    second = second * table->nbuckets >> 32;

    if (second == first) {
        second = (first + 1 == table->nbuckets) ? 0 : first + 1;
    }

    buckets[0] = &table->buckets[first];
    buckets[1] = &table->buckets[second];
}


ngx_http_webhook_slot_t *
ngx_http_webhook_table_find(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id)
{
    ngx_uint_t                  i, n;
    ngx_http_webhook_slot_t    *slot, *found;
    ngx_http_webhook_bucket_t  *buckets[2];

    ngx_http_webhook_table_buckets(table, id, buckets);

    found = NULL;

    for (i = 0; i < 2; i++) {
        for (n = 0; n < NGX_HTTP_WEBHOOK_BUCKET; n++) {
            slot = &buckets[i]->slots[n];

            if (!ngx_http_webhook_is_id(slot, id)
                || slot->state == NGX_HTTP_WEBHOOK_SLOT_FREE)
            {
                continue;
            }

            if (found) {

                /*
                 * A process was killed while it moved the entry, and nobody
                 * has changed either copy since.
                 */

                slot->state = NGX_HTTP_WEBHOOK_SLOT_FREE;
                continue;
            }

            found = slot;
        }
    }

    return found;
}


uint32_t
ngx_http_webhook_table_number(ngx_http_webhook_table_t *table)
{
    uint32_t  number;

    do {
        number = ++table->claims & NGX_HTTP_WEBHOOK_OWNER_MASK;

    } while (number == 0);

    return number;
}


/*
 * A claim whose lease has run out is still the owner's as long as nobody has
 * taken it over.
 */

static ngx_http_webhook_slot_t *
ngx_http_webhook_table_owned(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_find(table, id);

    if (slot == NULL
        || slot->state != (NGX_HTTP_WEBHOOK_SLOT_IN_FLIGHT | owner))
    {
        table->counters[NGX_HTTP_WEBHOOK_COUNT_LOST]++;
        return NULL;
    }

    return slot;
}


ngx_http_webhook_slot_t *
ngx_http_webhook_table_room(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now, uint64_t *evicted)
{
    ngx_uint_t                  i, n, owed, other, dead[2];
    ngx_http_webhook_slot_t    *slot, *slots[2];
    ngx_http_webhook_bucket_t  *buckets[2];

    ngx_http_webhook_table_buckets(table, id, buckets);

    for (i = 0; i < 2; i++) {
        slots[i] = ngx_http_webhook_table_dead(table, buckets[i], now,
                                               &dead[i]);
    }

    if (dead[0] || dead[1]) {
        return (dead[0] >= dead[1]) ? slots[0] : slots[1];
    }

    for (n = 1; n <= NGX_HTTP_WEBHOOK_MOVES; n++) {
        for (i = 0; i < 2; i++) {
            slot = ngx_http_webhook_table_move(table, buckets[i], now, n);
            if (slot) {
                return slot;
            }
        }
    }

    if (evicted == NULL) {
        return NULL;
    }

    /* the one nearest to its end, and those that are owed last */

    slots[0] = NULL;
    owed = 1;

    for (i = 0; i < 2; i++) {
        for (n = 0; n < NGX_HTTP_WEBHOOK_BUCKET; n++) {
            slot = &buckets[i]->slots[n];

            if (!ngx_http_webhook_is_done(slot)) {
                continue;
            }

            other = ngx_http_webhook_is_owed(slot);

            if (slots[0] == NULL
                || other < owed
                || (other == owed
                    && (int32_t) (slot->expire - slots[0]->expire) < 0))
            {
                slots[0] = slot;
                owed = other;
            }
        }
    }

    if (slots[0]) {
        (*evicted)++;

        if (owed) {
            table->counters[NGX_HTTP_WEBHOOK_COUNT_STORE_LOST]++;
        }
    }

    return slots[0];
}


static ngx_http_webhook_slot_t *
ngx_http_webhook_table_dead(ngx_http_webhook_table_t *table,
    ngx_http_webhook_bucket_t *bucket, time_t now, ngx_uint_t *n)
{
    ngx_uint_t                i;
    ngx_http_webhook_slot_t  *slot;

    *n = 0;
    slot = NULL;

    for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
        if (!ngx_http_webhook_table_is_live(table, &bucket->slots[i], now)) {
            slot = &bucket->slots[i];
            (*n)++;
        }
    }

    return slot;
}


/*
 * Makes room in a full bucket by moving one entry to its other bucket, where
 * room is made in the same way if more than one move is allowed.  The copy is
 * whole before the original goes: a process killed in between leaves a second
 * copy, which goes when the entry is looked for.
 */

static ngx_http_webhook_slot_t *
ngx_http_webhook_table_move(ngx_http_webhook_table_t *table,
    ngx_http_webhook_bucket_t *bucket, time_t now, ngx_uint_t moves)
{
    ngx_uint_t                  i, n;
    ngx_http_webhook_slot_t    *slot, *to;
    ngx_http_webhook_bucket_t  *buckets[2], *other;

    for (i = 0; i < NGX_HTTP_WEBHOOK_BUCKET; i++) {
        slot = &bucket->slots[i];

        ngx_http_webhook_table_buckets(table, &slot->id, buckets);

        other = (buckets[0] == bucket) ? buckets[1] : buckets[0];

        to = (moves == 1)
             ? ngx_http_webhook_table_dead(table, other, now, &n)
             : ngx_http_webhook_table_move(table, other, now, moves - 1);

        if (to == NULL) {
            continue;
        }

        ngx_http_webhook_table_set(table, to, &slot->id, slot->expire,
                                   slot->state);

        ngx_memory_barrier();

        slot->state = NGX_HTTP_WEBHOOK_SLOT_FREE;

        return slot;
    }

    return NULL;
}
