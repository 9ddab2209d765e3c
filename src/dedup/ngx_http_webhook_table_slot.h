
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The slots of the table of event keys, for the files of the table alone.
 */


#ifndef _NGX_HTTP_WEBHOOK_TABLE_SLOT_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_TABLE_SLOT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_table.h"


#define NGX_HTTP_WEBHOOK_SLOT_FREE       0x00000000
#define NGX_HTTP_WEBHOOK_SLOT_IN_FLIGHT  0x40000000
#define NGX_HTTP_WEBHOOK_SLOT_DONE       0x80000000
#define NGX_HTTP_WEBHOOK_SLOT_OWED       0xc0000000  /* done, and others are
                                                        still to be told */
#define NGX_HTTP_WEBHOOK_SLOT_STATE      0xc0000000


/* how far apart the clocks of those who use a table may be, in seconds */
#define NGX_HTTP_WEBHOOK_AHEAD           60


#define ngx_http_webhook_is_done(slot)                                        \
    ((slot)->state & NGX_HTTP_WEBHOOK_SLOT_DONE)

#define ngx_http_webhook_is_owed(slot)                                        \
    (((slot)->state & NGX_HTTP_WEBHOOK_SLOT_STATE)                            \
     == NGX_HTTP_WEBHOOK_SLOT_OWED)


#define ngx_http_webhook_slot_bucket(table, slot)                             \
    (((u_char *) (slot) - (u_char *) (table)->buckets)                        \
     / sizeof(ngx_http_webhook_bucket_t))

#define ngx_http_webhook_is_id(slot, key)                                     \
    ((slot)->id.hi == (key)->hi && (slot)->id.lo == (key)->lo)


/* The two buckets into one of which the id belongs. */
void ngx_http_webhook_table_buckets(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, ngx_http_webhook_bucket_t *buckets[2]);

/*
 * The slot of the id, whether it is alive or not, or NULL.  A second one, which
 * a killed process may have left, is freed.
 */
ngx_http_webhook_slot_t *ngx_http_webhook_table_find(
    ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id);

/*
 * A slot for an entry that is in none, or NULL.  Where none is free, a done
 * entry may have to go, and is counted: unless it has to be, evicted is NULL.
 */
ngx_http_webhook_slot_t *ngx_http_webhook_table_room(
    ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id, time_t now,
    uint64_t *evicted);

/* The number of a new claim. */
uint32_t ngx_http_webhook_table_number(ngx_http_webhook_table_t *table);

/*
 * Sets a slot: whole or not at all for whoever finds it, even if this process
 * is killed.
 */
void ngx_http_webhook_table_set(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *slot, ngx_http_webhook_id_t *id, uint32_t expire,
    uint32_t state);

/*
 * The first bucket from n on whose bit is set, in one of the table's rows of
 * bits, or nbuckets.
 */
uint32_t ngx_http_webhook_table_next(ngx_http_webhook_table_t *table,
    uint64_t *marks, uint32_t n);

/*
 * Tells those who keep an image or make a copy, before the slot gets a state: a
 * process killed in between has told them for nothing, not the other way.
 */
void ngx_http_webhook_table_note(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *slot, uint32_t state);


/*
 * Whether a slot holds an entry whose time has not passed, as far as the clock
 * can be trusted.
 */

static ngx_inline ngx_uint_t
ngx_http_webhook_table_is_live(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *slot, time_t now)
{
    int32_t  left;

    left = (int32_t) (slot->expire - (uint32_t) now);

    if (slot->state == NGX_HTTP_WEBHOOK_SLOT_FREE || left <= 0) {
        return 0;
    }

    /* nobody claims for that long: the clock was set back */

    return ngx_http_webhook_is_done(slot)
           || (uint64_t) left <= table->lease + NGX_HTTP_WEBHOOK_AHEAD;
}


/* Notes the bucket of a slot that is owed, or is about to be. */

static ngx_inline void
ngx_http_webhook_table_note_owed(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *slot)
{
    uint32_t  n;

    n = ngx_http_webhook_slot_bucket(table, slot);

    table->owed[n / 64] |= (uint64_t) 1 << (n % 64);
}


#endif /* _NGX_HTTP_WEBHOOK_TABLE_SLOT_H_INCLUDED_ */
