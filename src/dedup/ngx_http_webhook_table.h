
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: fixed slots in plain memory, without locks,
 * clocks or allocations of its own.
 */


#ifndef _NGX_HTTP_WEBHOOK_TABLE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a key of 128 bits, already uniformly distributed */

typedef struct {
    uint64_t                       hi;
    uint64_t                       lo;
} ngx_http_webhook_id_t;


typedef struct {
    ngx_http_webhook_id_t          id;
    uint32_t                       expire;   /* low bits of unix seconds */
    uint32_t                       state;    /* written last: 2 bits of state,
                                                30 bits of the owner or of
                                                the body's fingerprint */
} ngx_http_webhook_slot_t;


#define NGX_HTTP_WEBHOOK_BUCKET  8

typedef struct {
    ngx_http_webhook_slot_t        slots[NGX_HTTP_WEBHOOK_BUCKET];
} ngx_http_webhook_bucket_t;


/* what a table counts; the numbers stay as they are, more may follow */

typedef enum {
    NGX_HTTP_WEBHOOK_COUNT_CLAIMED = 0,
    NGX_HTTP_WEBHOOK_COUNT_COMMITTED,
    NGX_HTTP_WEBHOOK_COUNT_FREED,
    NGX_HTTP_WEBHOOK_COUNT_EVICTED,          /* done, by a newer one */
    NGX_HTTP_WEBHOOK_COUNT_LOST,             /* owners that came too late */
    NGX_HTTP_WEBHOOK_COUNT_NO_ROOM,          /* done, in a smaller table */
    NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN,        /* on request */
    NGX_HTTP_WEBHOOK_COUNT_STATE_ERRORS,     /* failed writes of an image */

    /* of the store: claims by its answer, and what was made of none */

    NGX_HTTP_WEBHOOK_COUNT_STORE_MINE = 16,
    NGX_HTTP_WEBHOOK_COUNT_STORE_DONE,
    NGX_HTTP_WEBHOOK_COUNT_STORE_BUSY,
    NGX_HTTP_WEBHOOK_COUNT_STORE_FAILED,     /* asked, and no good answer */
    NGX_HTTP_WEBHOOK_COUNT_STORE_DOWN,       /* not asked */
    NGX_HTTP_WEBHOOK_COUNT_STORE_LOCAL,
    NGX_HTTP_WEBHOOK_COUNT_STORE_REJECTED,

    NGX_HTTP_WEBHOOK_COUNT_STORE_TIMEOUTS,
    NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS,
    NGX_HTTP_WEBHOOK_COUNT_STORE_CONNECTS,
    NGX_HTTP_WEBHOOK_COUNT_STORE_DISCONNECTS,

    NGX_HTTP_WEBHOOK_COUNT_STORE_OWED,       /* how many are, now */
    NGX_HTTP_WEBHOOK_COUNT_STORE_SENT_AGAIN,
    NGX_HTTP_WEBHOOK_COUNT_STORE_TAKEN_OVER,
    NGX_HTTP_WEBHOOK_COUNT_STORE_OVERTAKEN,  /* others' claims, by an outcome */
    NGX_HTTP_WEBHOOK_COUNT_STORE_LOST        /* owed, and evicted */
} ngx_http_webhook_counter_e;


#define NGX_HTTP_WEBHOOK_COUNTERS    128

#define NGX_HTTP_WEBHOOK_OWNER_MASK  0x3fffffff


/*
 * The table as it stands in shared memory, where another version of this file
 * may find it: what is added takes from what is reserved, which is zero.
 */

typedef struct {
    ngx_http_webhook_bucket_t     *buckets;
    uint64_t                      *marks;    /* a bit for each bucket in which
                                                a done entry has changed */
    uint64_t                      *changed;  /* likewise, for a copy that is
                                                under way: in which it has not
                                                seen something yet */
    uint32_t                       nbuckets;
    uint32_t                       copying;
    uint64_t                       salt[4];  /* random: nobody can choose ids
                                                for the same buckets */
    uint64_t                       claims;   /* the number of the last one */
    uint64_t                       lease;    /* the longest of all claims */
    uint64_t                       generation;  /* of its image in a file,
                                                   0 if there is none */
    uint64_t                       saved;    /* when that was last in step,
                                                unix seconds */
    uint64_t                      *owed;     /* likewise: buckets in which a
                                                done entry may be owed */
    uint32_t                       owing;    /* what is done from now on is
                                                owed: a bit of its state */
    uint32_t                       unread;   /* there is an image of it that
                                                could not be read yet */
    uint64_t                       reserved[18];
    uint64_t                       counters[NGX_HTTP_WEBHOOK_COUNTERS];
} ngx_http_webhook_table_t;


/*
 * Makes a table, of at least two buckets, of zeroed memory, none of which is
 * touched.  The salt is to be set before it is used.
 */
void ngx_http_webhook_table_init(ngx_http_webhook_table_t *table,
    u_char *start, u_char *end);

/*
 * Claims the id until now + lease seconds.  Returns
 *
 *    NGX_OK        it is claimed, *owner is the number of its owner
 *    NGX_DECLINED  it is done, *fingerprint is the one it was committed with
 *    NGX_BUSY      it is claimed by somebody else
 *    NGX_ABORT     there is no room, and the entries that could be evicted,
 *                  if evict is set, are none
 */
ngx_int_t ngx_http_webhook_table_claim(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now, time_t lease, ngx_uint_t evict,
    uint32_t *owner, uint32_t *fingerprint);

/* What a claim would return, without making it; never NGX_ABORT. */
ngx_int_t ngx_http_webhook_table_lookup(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now, uint32_t *fingerprint);

/*
 * The owner of a claim holds it until another time, or frees it.  Returns
 * NGX_OK, or NGX_DECLINED if the claim is not the owner's any more; nothing is
 * changed then.
 */
ngx_int_t ngx_http_webhook_table_renew(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner, time_t until);
ngx_int_t ngx_http_webhook_table_free(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner);

/*
 * The event was accepted, and is remembered until a time, or for longer if it
 * was to be already.  Returns
 *
 *    NGX_OK        the claim was the owner's
 *    NGX_DECLINED  it was not any more: the event is remembered nevertheless
 *    NGX_ABORT     it was not, and there is no room
 */
ngx_int_t ngx_http_webhook_table_commit(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner, time_t now, time_t until,
    uint32_t fingerprint);


/*
 * A copy of a table that is in use into an empty one that is not: all claims,
 * and as many of the done entries as find room.  Tokens stay valid.  After the
 * beginning, buckets are taken and added to the new table, and may be so again
 * from the first one on if they have changed.  Those with claims are left for
 * the end, which copies all that is left at once.
 *
 * Taking copies some buckets from *n on, sets *n to where it has to go on,
 * which is nbuckets in the end, and returns how many they are.
 */
#define NGX_HTTP_WEBHOOK_SLICE  32

void ngx_http_webhook_table_copy_begin(ngx_http_webhook_table_t *to,
    ngx_http_webhook_table_t *from);
ngx_uint_t ngx_http_webhook_table_copy_take(ngx_http_webhook_table_t *from,
    uint32_t *n, ngx_http_webhook_bucket_t buckets[NGX_HTTP_WEBHOOK_SLICE]);
void ngx_http_webhook_table_copy_end(ngx_http_webhook_table_t *to,
    ngx_http_webhook_table_t *from, time_t now);

/*
 * Adds what is done and alive in bucket n of another table: into the same
 * slots, where that table has as many buckets.
 */
void ngx_http_webhook_table_add(ngx_http_webhook_table_t *table, uint32_t n,
    ngx_http_webhook_bucket_t *bucket, time_t now);

/*
 * Marks on buckets, for whoever keeps an image of the table: sets one, clears
 * one, or sets all of them; finds the next marked bucket from n on, which is
 * nbuckets if there is none; copies the done entries of a bucket.
 */
void ngx_http_webhook_table_mark(ngx_http_webhook_table_t *table, uint32_t n);
void ngx_http_webhook_table_unmark(ngx_http_webhook_table_t *table,
    uint32_t n);
void ngx_http_webhook_table_mark_all(ngx_http_webhook_table_t *table);
uint32_t ngx_http_webhook_table_next_marked(ngx_http_webhook_table_t *table,
    uint32_t n);
void ngx_http_webhook_table_take(ngx_http_webhook_table_t *table, uint32_t n,
    ngx_http_webhook_bucket_t *bucket);


/* src/dedup/ngx_http_webhook_table_forget.c */

/*
 * How many slots hold an entry that is alive: of a large table an estimate,
 * within 3 % of its slots.  Nothing that is done to the table meanwhile
 * matters.
 */
uint64_t ngx_http_webhook_table_sample(ngx_http_webhook_table_t *table,
    time_t now);

/* src/dedup/ngx_http_webhook_table_owed.c */

/*
 * Done entries that others are still to be told of.  From now on what is done
 * is owed, or is not; all that is done in a bucket becomes owed.
 */
void ngx_http_webhook_table_set_owing(ngx_http_webhook_table_t *table,
    ngx_uint_t owing);
void ngx_http_webhook_table_owe(ngx_http_webhook_table_t *table, uint32_t n,
    time_t now);

/*
 * The owed entries of a table: the next bucket from n on that may have some,
 * which is nbuckets if there is none; those of a bucket, and how many they
 * are; how many there are in all, which is noted as the counter.
 */
uint32_t ngx_http_webhook_table_next_owed(ngx_http_webhook_table_t *table,
    uint32_t n);
ngx_uint_t ngx_http_webhook_table_take_owed(ngx_http_webhook_table_t *table,
    uint32_t n, time_t now, ngx_http_webhook_bucket_t *bucket);
void ngx_http_webhook_table_count_owed(ngx_http_webhook_table_t *table,
    time_t now);

/*
 * Others know that the event is done until that time, or it is no use telling
 * them: it is owed no longer, unless it was committed anew meanwhile.
 */
void ngx_http_webhook_table_acknowledge(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t until, uint32_t fingerprint);

/*
 * Others have said that an event is done, which is claimed here: it is done
 * until that time, if the claim is still the owner's.
 */
void ngx_http_webhook_table_learn(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, uint32_t owner, time_t until,
    uint32_t fingerprint);

/* The 30 bits that belong to an entry: its owner, or the fingerprint. */
#define ngx_http_webhook_slot_fingerprint(slot)                               \
    ((slot)->state & NGX_HTTP_WEBHOOK_OWNER_MASK)

/* Until when the id is what a lookup says, or 0 if it is not there. */
time_t ngx_http_webhook_table_until(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now);

/*
 * Forgets an id that is done.  Returns
 *
 *    NGX_OK        it is forgotten
 *    NGX_DECLINED  it was not remembered
 *    NGX_BUSY      it is claimed by somebody
 *    NGX_AGAIN     a copy is under way, which may have it already
 *
 * But for NGX_OK, nothing is changed.
 */
ngx_int_t ngx_http_webhook_table_forget(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now);

/*
 * Forgets it likewise, and does not count it.  The slot is what is forgotten,
 * and can be put back with the number, as owed if that is set; unless the id
 * may have been claimed meanwhile, however that has ended.
 */
ngx_int_t ngx_http_webhook_table_take_out(ngx_http_webhook_table_t *table,
    ngx_http_webhook_id_t *id, time_t now, ngx_http_webhook_slot_t *forgotten,
    uint32_t *number);
void ngx_http_webhook_table_put_back(ngx_http_webhook_table_t *table,
    ngx_http_webhook_slot_t *forgotten, uint32_t number, ngx_uint_t owed);

/*
 * Forgets all that is done in some buckets from *n on, adds how many were alive
 * to *forgotten, and sets *n to where it has to go on, which is nbuckets in the
 * end.  Returns NGX_OK, or NGX_AGAIN if a copy is under way.
 *
 * An entry may move meanwhile to where it has been already, to make room: to
 * forget all, go twice.
 */
ngx_int_t ngx_http_webhook_table_forget_some(ngx_http_webhook_table_t *table,
    uint32_t *n, time_t now, uint64_t *forgotten);


#endif /* _NGX_HTTP_WEBHOOK_TABLE_H_INCLUDED_ */
