
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The model of a table: what is known of each id, and that the table, an image
 * of it, and what it owes to others agree.
 */


#ifndef _FUZZ_TABLE_H_INCLUDED_
#define _FUZZ_TABLE_H_INCLUDED_


#include "fuzz.h"

#include <setjmp.h>

#include "ngx_http_webhook_table.h"


#define IDS      32
#define SIZE     (8 * 1024)      /* of a table: nothing ever has to go */
#define SMALL    832             /* of one that has less room than ids */
#define BUCKETS  (2 * SIZE / sizeof(ngx_http_webhook_bucket_t))
#define START    1764000000
#define LEASE    30

#define NEVER    (-1)


typedef struct {
    enum { FREE, IN_FLIGHT, DONE }  state;
    uint32_t                        owner;     /* 0: of a process killed */
    uint32_t                        fingerprint;
    time_t                          until;
    time_t                          evicted;   /* done until then, and gone */
    unsigned                        dead;      /* it was, at some time */
    unsigned                        owed;
    unsigned                        forgotten;
} model_t;


/* what was forgotten, and may be put back unless it was claimed meanwhile */

typedef struct {
    ngx_http_webhook_slot_t         slot;
    model_t                         model;
    uint32_t                        number;
    unsigned                        claimed;
    unsigned                        changes;   /* before it: others may have
                                                  needed its place */
} taken_t;


/* as in shared memory: what all processes know of it */

typedef struct {
    ngx_http_webhook_table_t       *table;
    size_t                          size;
} memory_t;


static memory_t                     memory, other;
static ngx_http_webhook_bucket_t    image[BUCKETS];

static model_t                      models[IDS];
static taken_t                      taken[IDS];
static ngx_http_webhook_id_t        ids[IDS];

static time_t                       now;
static time_t                       earliest;  /* for a clock set back */
static uint32_t                     copied;    /* buckets */
static unsigned                     copying;
static unsigned                     owing;
static unsigned                     small;
static unsigned                     changes;

/* what an operation has given its process */

static uint32_t                     owner, found, number;
static ngx_http_webhook_slot_t      slot;

static jmp_buf                      killed;
static int                          stores;    /* left until that, or NEVER */


static __attribute__((no_sanitize("coverage"))) void
store(void *p)
{
    uintptr_t  start;

    start = (uintptr_t) memory.table;

    if (stores == NEVER
        || (uintptr_t) p < start || (uintptr_t) p >= start + memory.size)
    {
        return;
    }

    if (stores == 0) {
        stores = NEVER;
        longjmp(killed, 1);
    }

    stores--;
}


#define fuzz_store(size)                                                      \
    __attribute__((no_sanitize("coverage"))) void                             \
    __sanitizer_cov_store##size(void *p);                                     \
                                                                              \
    void                                                                      \
    __sanitizer_cov_store##size(void *p)                                      \
    {                                                                         \
        store(p);                                                             \
    }

fuzz_store(1)
fuzz_store(2)
fuzz_store(4)
fuzz_store(8)
fuzz_store(16)


static void
make(memory_t *m, size_t size)
{
    u_char    *start;
    unsigned   i;

    m->size = sizeof(ngx_http_webhook_table_t) + size;
    m->table = calloc(1, m->size);

    start = (u_char *) (m->table + 1);

    ngx_http_webhook_table_init(m->table, start, start + size);

    fuzz_check(m->table->nbuckets >= 2 && m->table->nbuckets <= BUCKETS);

    for (i = 0; i < 4; i++) {
        m->table->salt[i] = 0x9e3779b97f4a7c15 * (i + 1);
    }
}


static ngx_int_t
lookup(memory_t *m, unsigned i, uint32_t *fingerprint)
{
    return ngx_http_webhook_table_lookup(m->table, &ids[i], now, fingerprint);
}


static time_t
until(unsigned i)
{
    return ngx_http_webhook_table_until(memory.table, &ids[i], now);
}


static uint64_t
evictions(memory_t *m)
{
    return m->table->counters[NGX_HTTP_WEBHOOK_COUNT_EVICTED]
           + m->table->counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM];
}


static ngx_int_t
expected(model_t *m)
{
    if (m->state == FREE || m->until <= now) {
        return NGX_OK;
    }

    if (m->state == DONE) {
        return NGX_DECLINED;
    }

    /* nobody claims for that long: the clock was set back */

    return (m->until - now > (time_t) memory.table->lease + 60) ? NGX_OK
                                                                : NGX_BUSY;
}


/* done until then, owed or not */

static void
become(unsigned i, unsigned owed, uint32_t fingerprint, time_t end)
{
    model_t  *m;

    m = &models[i];

    m->state = DONE;
    m->fingerprint = fingerprint;
    m->until = end;
    m->owed = owed;
    m->forgotten = 0;
    m->dead = 0;
}


/*
 * What was dead and is alive again, as the clock was set, may have made room
 * for another in the meantime.
 */

static void
settle(unsigned i)
{
    model_t   *m;
    uint32_t   fingerprint;

    m = &models[i];

    if (!m->dead || expected(m) == NGX_OK) {
        return;
    }

    m->dead = 0;

    if (lookup(&memory, i, &fingerprint) == NGX_OK) {
        m->state = FREE;
    }
}


/* all is as expected, but for so many that had to go */

static void
check_all(uint64_t gone)
{
    model_t    *m;
    uint32_t    fingerprint;
    unsigned    i;
    ngx_int_t   rc, want;

    fuzz_check(small || gone == 0);

    for (i = 0; i < IDS; i++) {
        m = &models[i];

        settle(i);

        want = expected(m);
        rc = lookup(&memory, i, &fingerprint);

        if (want == NGX_DECLINED && rc == NGX_OK) {
            fuzz_check(gone--);

            m->evicted = ngx_max(m->evicted, m->until);
            m->state = FREE;
            m->dead = 1;
            continue;
        }

        fuzz_check(rc == want);
        fuzz_check(rc == NGX_OK || until(i) == m->until);
        fuzz_check(rc != NGX_DECLINED || fingerprint == m->fingerprint);
    }
}


static void
move_clock(time_t time)
{
    unsigned  i;

    now = time;

    for (i = 0; i < IDS; i++) {
        models[i].dead |= expected(&models[i]) == NGX_OK;
    }
}


static void
update_image(void)
{
    uint32_t  n;

    for (n = ngx_http_webhook_table_next_marked(memory.table, 0);
         n < memory.table->nbuckets;
         n = ngx_http_webhook_table_next_marked(memory.table, n + 1))
    {
        ngx_http_webhook_table_unmark(memory.table, n);
        ngx_http_webhook_table_take(memory.table, n, &image[n]);
    }
}


/* a table that is made of the image knows what this one does */

static void
check_image(void)
{
    uint32_t    n, fingerprint;
    unsigned    i;
    ngx_int_t   rc, want;
    memory_t    loaded;

    update_image();

    make(&loaded, memory.size - sizeof(ngx_http_webhook_table_t));

    for (n = 0; n < memory.table->nbuckets; n++) {
        ngx_http_webhook_table_add(loaded.table, n, &image[n], now);
    }

    for (i = 0; i < IDS; i++) {
        want = expected(&models[i]);
        rc = lookup(&loaded, i, &fingerprint);

        fuzz_check(rc != NGX_BUSY);
        fuzz_check(rc == NGX_OK || !models[i].forgotten);
        fuzz_check(rc == NGX_DECLINED || want != NGX_DECLINED
                   || evictions(&loaded));
    }

    free(loaded.table);
}


/* whoever is to be told finds what is owed */

static void
check_owed(void)
{
    uint32_t                   n;
    unsigned                   i, is_owed[IDS];
    ngx_uint_t                 k, count;
    ngx_http_webhook_bucket_t  bucket;

    memset(is_owed, 0, sizeof(is_owed));

    for (n = ngx_http_webhook_table_next_owed(memory.table, 0);
         n < memory.table->nbuckets;
         n = ngx_http_webhook_table_next_owed(memory.table, n + 1))
    {
        count = ngx_http_webhook_table_take_owed(memory.table, n, now,
                                                 &bucket);

        for (k = 0; k < count; k++) {
            is_owed[bucket.slots[k].id.lo] = 1;
        }
    }

    for (i = 0; i < IDS; i++) {
        fuzz_check(is_owed[i] || !models[i].owed
                   || expected(&models[i]) != NGX_DECLINED);
    }
}


#endif /* _FUZZ_TABLE_H_INCLUDED_ */
