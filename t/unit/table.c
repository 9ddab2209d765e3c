
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Drives the table of event keys without nginx: a random history beside a
 * model that is too simple to be wrong, and what the table promises about its
 * load, its times and its copies.
 *
 * usage: table seed name
 *
 * Prints "ok", or "not ok: why" and where; lines with "#" are for the curious.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdarg.h>
#include <stdio.h>

#include "ngx_http_webhook_zone.h"


/* where a process may be killed between two stores */

static void  (*barrier)(void);

#undef ngx_memory_barrier
#define ngx_memory_barrier()  if (barrier) barrier()

#include "ngx_http_webhook_table.c"
#include "ngx_http_webhook_table_copy.c"
#include "ngx_http_webhook_table_forget.c"
#include "ngx_http_webhook_table_owed.c"


#define PAGE        4096
#define MB          (253 * PAGE)        /* what a zone of 1m leaves */
#define START       1764000000

#define MAX_IDS     4096


typedef enum {
    FREE = 0,
    IN_FLIGHT,
    DONE
} state_e;


/* what the model knows of an id */

typedef struct {
    ngx_http_webhook_id_t      id;
    state_e                    state;
    int64_t                    until;
    uint32_t                   owner;
    uint32_t                   old;            /* one it had before */
    uint32_t                   fingerprint;
    int                        committed;      /* ever */
    int64_t                    last;           /* the longest it was to be
                                                  remembered */
} model_t;


static model_t   models[MAX_IDS];
static uint64_t  state0, state1;


static void
fail(const char *fmt, ...)
{
    va_list  args;

    printf("not ok: ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");

    exit(1);
}


/* xorshift128+ */

static uint64_t
rnd(void)
{
    uint64_t  s1, s0;

    s1 = state0;
    s0 = state1;

    state0 = s0;
    s1 ^= s1 << 23;
    state1 = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);

    return state1 + s0;
}


static ngx_http_webhook_id_t
new_id(void)
{
    ngx_http_webhook_id_t  id;

    id.hi = rnd();
    id.lo = rnd();

    return id;
}


static void
make(ngx_http_webhook_table_t *table, size_t size)
{
    int      i;
    u_char  *start;

    /* where it stands in a zone it is aligned too */

    start = aligned_alloc(64, (size + 63) / 64 * 64);
    if (start == NULL) {
        fail("no memory");
    }

    ngx_memzero(start, size);

    ngx_http_webhook_table_init(table, start, start + size);

    for (i = 0; i < 4; i++) {
        table->salt[i] = rnd();
    }

    if (table->nbuckets < 2
        || (u_char *) (table->buckets + table->nbuckets) > start + size
        || (u_char *) table->marks < start
        || table->marks + (table->nbuckets + 63) / 64 > table->changed
        || (u_char *) (table->changed + (table->nbuckets + 63) / 64)
           > (u_char *) table->buckets)
    {
        fail("table of %u buckets does not fit into %zu bytes",
             table->nbuckets, size);
    }
}


static uint64_t
evictions(ngx_http_webhook_table_t *table)
{
    return table->counters[NGX_HTTP_WEBHOOK_COUNT_EVICTED];
}


/* a claim that must succeed, and is committed */

static void
deliver(ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id, int64_t now,
    int64_t ttl)
{
    uint32_t   owner, fingerprint;
    ngx_int_t  rc;

    rc = ngx_http_webhook_table_claim(table, id, now, 30, 1, &owner,
                                      &fingerprint);
    if (rc != NGX_OK) {
        fail("claim of a new id: %ld", (long) rc);
    }

    rc = ngx_http_webhook_table_commit(table, id, owner, now, now + ttl, 1);
    if (rc != NGX_OK) {
        fail("commit by the owner: %ld", (long) rc);
    }
}


static ngx_int_t
lookup(ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id, int64_t now)
{
    uint32_t  fingerprint;

    return ngx_http_webhook_table_lookup(table, id, now, &fingerprint);
}


static ngx_int_t
expected(model_t *m, int64_t now)
{
    if (m->state == FREE || m->until <= now) {
        return NGX_OK;
    }

    return m->state == DONE ? NGX_DECLINED : NGX_BUSY;
}


/* what forgetting returns, by what a lookup does */

static ngx_int_t
forgetting(ngx_int_t want)
{
    return want == NGX_OK ? NGX_DECLINED : want == NGX_BUSY ? NGX_BUSY : NGX_OK;
}


/*
 * A million random operations.  In a table that is large enough nothing is
 * ever forgotten; in one that is not, entries that were done are, and they are
 * counted, but no claim is.  Whether an owner whose lease has run out still is
 * one, is the table's to say as long as nobody else has claimed the id.
 */

static void
history(size_t size, uint32_t nids, uint32_t noperations, int full)
{
    int64_t                    now, until;
    uint32_t                   i, n, owner, fingerprint;
    uint64_t                   forgotten, refused, evicted, asked;
    ngx_int_t                  rc, want;
    model_t                   *m;
    ngx_uint_t                 evict;
    ngx_http_webhook_slot_t   *before;
    ngx_http_webhook_table_t   table;

    make(&table, size);

    before = malloc(table.nbuckets * sizeof(ngx_http_webhook_bucket_t));

    for (i = 0; i < nids; i++) {
        ngx_memzero(&models[i], sizeof(model_t));
        models[i].id = new_id();
    }

    now = START;
    forgotten = 0;
    refused = 0;
    asked = 0;

    for (n = 0; n < noperations; n++) {

        if (rnd() % (full ? 256 : 16) == 0) {
            now += rnd() % 3;
        }

        m = &models[rnd() % nids];
        want = expected(m, now);
        evicted = evictions(&table);

        switch (rnd() % 8) {

        case 0:
        case 1:
            evict = rnd() % 2;
            fingerprint = 0xffffffff;
            owner = 0xffffffff;

            rc = ngx_http_webhook_table_claim(&table, &m->id, now,
                                              1 + rnd() % 30, evict, &owner,
                                              &fingerprint);

            if (rc == NGX_ABORT && full && want != NGX_BUSY) {
                forgotten += want == NGX_DECLINED;
                refused++;
                m->state = FREE;
                break;
            }

            if (rc == NGX_OK && full && want == NGX_DECLINED) {
                forgotten++;

            } else if (rc != want) {
                fail("operation %u: claim: %ld, not %ld", n, (long) rc,
                     (long) want);
            }

            if (!evict && evictions(&table) != evicted) {
                fail("operation %u: evicted, and was not to be", n);
            }

            if (rc == NGX_DECLINED && fingerprint != m->fingerprint) {
                fail("operation %u: claim: fingerprint %08x, not %08x", n,
                     fingerprint, m->fingerprint);
            }

            if (rc != NGX_OK) {
                break;
            }

            if (owner == 0 || owner > NGX_HTTP_WEBHOOK_OWNER_MASK) {
                fail("operation %u: claim: owner %08x", n, owner);
            }

            for (i = 0; i < nids; i++) {
                if (models[i].state == IN_FLIGHT && models[i].owner == owner) {
                    fail("operation %u: claim: an owner of somebody else", n);
                }
            }

            m->old = m->owner;
            m->owner = owner;
            m->state = IN_FLIGHT;

            /* as long as it says */

            if (lookup(&table, &m->id, now) != NGX_BUSY) {
                fail("operation %u: claimed, and not in flight", n);
            }

            m->until = now + 1 + rnd() % 40;

            if (ngx_http_webhook_table_renew(&table, &m->id, owner, m->until)
                != NGX_OK)
            {
                fail("operation %u: renew at once", n);
            }

            break;

        case 2:
            if (m->state != IN_FLIGHT) {
                break;
            }

            m->until = now + 1 + rnd() % 40;

            rc = ngx_http_webhook_table_renew(&table, &m->id, m->owner,
                                              m->until);

            if (rc != NGX_OK) {
                if (want == NGX_BUSY) {
                    fail("operation %u: renew: %ld", n, (long) rc);
                }

                m->state = FREE;
            }

            break;

        case 3:
            if (m->state != IN_FLIGHT) {
                break;
            }

            m->until = now + 1 + rnd() % 400;
            m->fingerprint = rnd() & NGX_HTTP_WEBHOOK_OWNER_MASK;

            /* bits of state that a fingerprint may not reach */

            rc = ngx_http_webhook_table_commit(&table, &m->id, m->owner, now,
                                               m->until, m->fingerprint
                                               | (uint32_t) (rnd() << 30));

            if (rc != NGX_OK && want == NGX_BUSY) {
                fail("operation %u: commit: %ld", n, (long) rc);
            }

            if (rc == NGX_ABORT && !full) {
                fail("operation %u: commit: no room", n);
            }

            m->state = (rc != NGX_ABORT) ? DONE : FREE;

            if (m->state == DONE && lookup(&table, &m->id, now) != NGX_DECLINED)
            {
                fail("operation %u: committed, and not done", n);
            }

            break;

        case 4:
            if (m->state != IN_FLIGHT) {
                break;
            }

            rc = ngx_http_webhook_table_free(&table, &m->id, m->owner);

            if (rc != NGX_OK && want == NGX_BUSY) {
                fail("operation %u: free: %ld", n, (long) rc);
            }

            m->state = FREE;

            if (lookup(&table, &m->id, now) != NGX_OK) {
                fail("operation %u: freed, and still there", n);
            }

            break;

        case 5:

            /* what is not the owner's changes nothing */

            if (!full && n % 64) {
                break;
            }

            switch (rnd() % 3) {
            case 0:
                owner = m->old;
                break;
            case 1:
                owner = models[rnd() % nids].owner;
                break;
            default:
                owner = rnd() & NGX_HTTP_WEBHOOK_OWNER_MASK;
            }

            if (m->state == IN_FLIGHT && m->owner == owner) {
                break;
            }

            ngx_memcpy(before, table.buckets,
                       table.nbuckets * sizeof(ngx_http_webhook_bucket_t));

            if (ngx_http_webhook_table_renew(&table, &m->id, owner, now + 900)
                != NGX_DECLINED
                || ngx_http_webhook_table_free(&table, &m->id, owner)
                   != NGX_DECLINED)
            {
                fail("operation %u: somebody else's claim was taken", n);
            }

            if (ngx_memcmp(before, table.buckets,
                           table.nbuckets * sizeof(ngx_http_webhook_bucket_t))
                != 0)
            {
                fail("operation %u: declined, and changed something", n);
            }

            /* but for a success, which is one whosever the claim is */

            if (rnd() % 4) {
                break;
            }

            until = now + 1 + rnd() % 400;
            fingerprint = rnd() & NGX_HTTP_WEBHOOK_OWNER_MASK;

            rc = ngx_http_webhook_table_commit(&table, &m->id, owner, now,
                                               until, fingerprint);

            if (rc == NGX_ABORT && full && want != NGX_BUSY) {
                m->state = FREE;
                break;
            }

            if (rc != NGX_DECLINED
                || lookup(&table, &m->id, now) != NGX_DECLINED)
            {
                fail("operation %u: late commit: %ld", n, (long) rc);
            }

            if (want != NGX_DECLINED) {
                m->state = DONE;
                m->until = until;
                m->fingerprint = fingerprint;

            } else if (!full) {
                m->until = ngx_max(m->until, until);

            } else {

                /* it may have been evicted before */

                ngx_http_webhook_table_lookup(&table, &m->id, now,
                                              &m->fingerprint);

                m->until = lookup(&table, &m->id, m->until - 1) == NGX_DECLINED
                           ? ngx_max(m->until, until) : until;
            }

            break;

        case 6:

            /* on request */

            if (rnd() % 16 == 0) {
                rc = ngx_http_webhook_table_forget(&table, &m->id, now);

                if (rc == NGX_DECLINED && full && want == NGX_DECLINED) {
                    forgotten++;
                    m->state = FREE;
                    break;
                }

                if (rc != forgetting(want)) {
                    fail("operation %u: forget: %ld, not %ld", n, (long) rc,
                         (long) forgetting(want));
                }

                if (rc == NGX_OK) {
                    m->state = FREE;
                    asked++;
                }

                break;
            }

            /* fall through */

        default:
            fingerprint = 0xffffffff;

            if (want != NGX_OK && !full
                && ngx_http_webhook_table_until(&table, &m->id, now)
                   != m->until)
            {
                fail("operation %u: until another time", n);
            }

            rc = ngx_http_webhook_table_lookup(&table, &m->id, now,
                                               &fingerprint);

            if (rc == NGX_OK && full && want == NGX_DECLINED) {
                forgotten++;
                m->state = FREE;
                break;
            }

            if (rc != want) {
                fail("operation %u: lookup: %ld, not %ld", n, (long) rc,
                     (long) want);
            }

            if (rc == NGX_DECLINED && fingerprint != m->fingerprint) {
                fail("operation %u: lookup: fingerprint %08x, not %08x", n,
                     fingerprint, m->fingerprint);
            }
        }
    }

    if (forgotten > evictions(&table)) {
        fail("%lu forgotten, %lu evicted", forgotten, evictions(&table));
    }

    if (asked == 0
        || asked != table.counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN])
    {
        fail("%lu forgotten on request, %lu counted", asked,
             table.counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN]);
    }

    if (full && (evictions(&table) == 0 || refused == 0)) {
        fail("never full");
    }

    printf("# %u buckets, %lu evicted, %lu seen to be, %lu refused, %lu lost\n",
           table.nbuckets, evictions(&table), forgotten, refused,
           table.counters[NGX_HTTP_WEBHOOK_COUNT_LOST]);
}


static void
model(void)
{
    history(MB, 2000, 1000000, 0);
}


static void
small(void)
{
    uint32_t  i;

    for (i = 0; i < 20; i++) {
        history(192 * (3 + i) + 256, 16 * (3 + i), 50000, 1);
    }
}


/*
 * 30 bits of owners are used up by a busy server: the one that follows them is
 * an owner as any other.
 */

static void
owners(void)
{
    int                        i, k;
    uint32_t                   owner, last[16], fingerprint;
    ngx_http_webhook_id_t      id;
    ngx_http_webhook_table_t   table;

    make(&table, 4 * PAGE);

    table.claims = NGX_HTTP_WEBHOOK_OWNER_MASK - 8;

    for (i = 0; i < 16; i++) {
        id = new_id();

        if (ngx_http_webhook_table_claim(&table, &id, START, 30, 1, &owner,
                                         &fingerprint)
            != NGX_OK)
        {
            fail("claim %d", i);
        }

        if (owner == 0) {
            fail("owner 0 is nobody's");
        }

        for (k = 0; k < i; k++) {
            if (last[k] == owner) {
                fail("owner %08x twice", owner);
            }
        }

        last[i] = owner;

        if (ngx_http_webhook_table_commit(&table, &id, owner, START,
                                          START + 60, 1)
            != NGX_OK)
        {
            fail("commit %d", i);
        }
    }
}


/*
 * Ids that come at a steady rate and live for 400 seconds, so that "live" of
 * them are there at any time; returns how many of "inserts" drove another one
 * out before its time.
 */

static uint64_t
steady(ngx_http_webhook_table_t *table, uint32_t live, uint32_t inserts,
    int check, ngx_http_webhook_id_t (*next)(void))
{
    int64_t                 now;
    uint32_t                i, n, missing;
    uint64_t                evicted;
    ngx_http_webhook_id_t  *ids;

    ids = malloc(live * sizeof(ngx_http_webhook_id_t));

    now = START;
    evicted = 0;

    for (n = 0; n < live + inserts; n++) {

        now = START + (int64_t) n * 400 / live;

        if (n == live) {
            evicted = evictions(table);
        }

        ids[n % live] = next();
        deliver(table, &ids[n % live], now, 400);
    }

    evicted = evictions(table) - evicted;

    if (check) {
        missing = 0;

        /* those of the last second but 400 are at their end now */

        for (i = 0; i < live - live / 200; i++) {
            n = live + inserts - 1 - i;

            if (lookup(table, &ids[n % live], now) != NGX_DECLINED) {
                missing++;
            }
        }

        if (missing > evicted) {
            fail("%u missing, %lu evicted", missing, evicted);
        }
    }

    free(ids);

    return evicted;
}


static void
load(void)
{
    uint64_t                  evicted;
    ngx_http_webhook_table_t  table;

    make(&table, MB);

    if (table.nbuckets * 8 < 43000) {
        fail("%u slots a megabyte", table.nbuckets * 8);
    }

    evicted = steady(&table, 40000, 1000000, 1, new_id);

    printf("# 40000 live in %u slots: %lu evicted of 1000000\n",
           table.nbuckets * 8, evicted);

    if (evicted >= 10) {
        fail("%lu evicted", evicted);
    }

    /* what is promised */

    free(table.marks);
    make(&table, MB);

    evicted = steady(&table, 26000, 1000000, 1, new_id);

    if (evicted != 0) {
        fail("%lu evicted of 26000", evicted);
    }
}


static void
curve(void)
{
    uint32_t                  percent;
    uint64_t                  evicted;
    ngx_http_webhook_table_t  table;

    for (percent = 50; percent <= 100; percent += (percent < 90) ? 5 : 1) {

        make(&table, MB);

        evicted = steady(&table, table.nbuckets * 8 * percent / 100, 500000,
                         0, new_id);

        printf("# load %3u %%: %lu evicted of 500000\n", percent, evicted);

        free(table.marks);
    }
}


/*
 * Ids as somebody would choose them who wants to fill two buckets: alike in the
 * high half of both words, or but for a few bits, or one after the other.
 */

static uint64_t  chosen;


static ngx_http_webhook_id_t
low_id(void)
{
    ngx_http_webhook_id_t  id;

    id.hi = 0x1234567800000000ULL | (uint32_t) rnd();
    id.lo = 0x9abcdef000000000ULL | (uint32_t) rnd();

    return id;
}


static ngx_http_webhook_id_t
high_id(void)
{
    ngx_http_webhook_id_t  id;

    id.hi = rnd() << 32;
    id.lo = rnd() << 32;

    return id;
}


static ngx_http_webhook_id_t
counted_id(void)
{
    ngx_http_webhook_id_t  id;

    id.hi = 0;
    id.lo = chosen++;

    return id;
}


static ngx_http_webhook_id_t
steps_id(void)
{
    ngx_http_webhook_id_t  id;

    id.hi = chosen++ << 40;
    id.lo = ~id.hi;

    return id;
}


static void
adversary(void)
{
    int                       i;
    uint64_t                  evicted;
    ngx_http_webhook_table_t  table;

    static ngx_http_webhook_id_t  (*ids[])(void) = { low_id, high_id,
                                                     counted_id, steps_id };

    for (i = 0; i < 4; i++) {
        make(&table, MB);

        evicted = steady(&table, 40000, 200000, 1, ids[i]);

        printf("# ids %d: %lu evicted of 200000\n", i, evicted);

        if (evicted >= 10) {
            fail("ids %d: %lu evicted", i, evicted);
        }

        free(table.marks);
    }
}


/* times where their low 32 bits change the sign, or start over */

static void
wrap(void)
{
    int                        i, k;
    int64_t                    now;
    uint32_t                   owner, fingerprint;
    ngx_http_webhook_id_t      claimed, done;
    ngx_http_webhook_table_t   table;

    static int64_t  ends[] = { (int64_t) 1 << 31, (int64_t) 1 << 32 };
    static int64_t  ttls[] = { 60, 86400, 10 * 365 * 86400, 0x7fffffff };

    for (i = 0; i < 2; i++) {
        for (k = 0; k < 4; k++) {

            make(&table, 4 * PAGE);

            for (now = ends[i] - 70; now < ends[i] + 70; now += 7) {

                claimed = new_id();
                done = new_id();

                deliver(&table, &done, now, ttls[k]);

                if (ngx_http_webhook_table_claim(&table, &claimed, now, 30, 1,
                                                 &owner, &fingerprint)
                    != NGX_OK)
                {
                    fail("%ld: claim", now);
                }

                if (lookup(&table, &claimed, now) != NGX_BUSY
                    || lookup(&table, &claimed, now + 29) != NGX_BUSY
                    || lookup(&table, &claimed, now + 30) != NGX_OK)
                {
                    fail("%ld: claim of 30 seconds", now);
                }

                if (ngx_http_webhook_table_renew(&table, &claimed, owner,
                                                 now + 60)
                    != NGX_OK
                    || lookup(&table, &claimed, now + 59) != NGX_BUSY
                    || lookup(&table, &claimed, now + 60) != NGX_OK)
                {
                    fail("%ld: claim renewed", now);
                }

                if (lookup(&table, &done, now) != NGX_DECLINED
                    || lookup(&table, &done, now + ttls[k] - 1)
                       != NGX_DECLINED
                    || lookup(&table, &done, now + ttls[k]) != NGX_OK
                    || lookup(&table, &done, now + ttls[k] + 1000) != NGX_OK)
                {
                    fail("%ld: done for %ld seconds", now, ttls[k]);
                }
            }

            free(table.marks);
        }
    }

    /* the one nearest its end goes, on which side of the wrap it ends or not */

    make(&table, 3 * 192 + 128);

    now = ((int64_t) 1 << 32) - 50;

    for (i = 0; i < (int) table.nbuckets * 8 + 100; i++) {
        claimed = new_id();
        deliver(&table, &claimed, now, 10 + i);

        if (lookup(&table, &claimed, now) != NGX_DECLINED) {
            fail("the newest is missing");
        }
    }

    if (lookup(&table, &claimed, now + 10 + i - 2) != NGX_DECLINED) {
        fail("the one that ends last was evicted");
    }
}


/* all at once, as if nobody used the other one; the clock may be set before */

static void
copy_table(ngx_http_webhook_table_t *to, ngx_http_webhook_table_t *from,
    int64_t now, int64_t end)
{
    uint32_t                   n;
    ngx_uint_t                 i, taken;
    ngx_http_webhook_bucket_t  buckets[NGX_HTTP_WEBHOOK_SLICE];

    ngx_http_webhook_table_copy_begin(to, from);

    n = 0;

    while (n < from->nbuckets) {
        taken = ngx_http_webhook_table_copy_take(from, &n, buckets);

        for (i = 0; i < taken; i++) {
            ngx_http_webhook_table_add(to, UINT32_MAX, &buckets[i], now);
        }
    }

    ngx_http_webhook_table_copy_end(to, from, end);
}


static void
copy(void)
{
    int                        k;
    int64_t                    now;
    uint32_t                   i, n, kept, live, owner, fingerprint;
    model_t                   *m;
    ngx_http_webhook_slot_t   *slot;
    ngx_http_webhook_table_t   from, to;

    static size_t  sizes[] = { 30000, 30000 + 192, 31000, 60000, 200000,
                               20000, 10000 };

    for (k = 0; k < 7; k++) {

        make(&from, 30000);
        now = START;

        /* 900 of some 1200 slots: claims, done, dead, freed */

        for (i = 0; i < 900; i++) {
            m = &models[i];
            ngx_memzero(m, sizeof(model_t));

            m->id = new_id();
            m->state = i % 9 == 0 ? IN_FLIGHT : DONE;
            m->until = now + (i % 5 == 4 ? 10 : 1000);

            if (ngx_http_webhook_table_claim(&from, &m->id, now, 1000, 1,
                                             &m->owner, &fingerprint)
                != NGX_OK)
            {
                fail("claim");
            }

            m->fingerprint = rnd() & NGX_HTTP_WEBHOOK_OWNER_MASK;

            if (m->state == IN_FLIGHT) {
                ngx_http_webhook_table_renew(&from, &m->id, m->owner,
                                             m->until);

            } else if (i % 7 == 0) {
                ngx_http_webhook_table_free(&from, &m->id, m->owner);
                m->state = FREE;

            } else {
                ngx_http_webhook_table_commit(&from, &m->id, m->owner, now,
                                              m->until, m->fingerprint);
            }
        }

        now += 20;

        make(&to, sizes[k]);
        copy_table(&to, &from, now, now);

        kept = 0;
        live = 0;

        for (i = 0; i < 900; i++) {
            m = &models[i];

            fingerprint = 0;
            n = ngx_http_webhook_table_lookup(&to, &m->id, now, &fingerprint);

            if (m->state == IN_FLIGHT && m->until > now) {

                if ((ngx_int_t) n != (uint32_t) NGX_BUSY) {
                    fail("size %zu: a claim was lost", sizes[k]);
                }

                continue;
            }

            if ((ngx_int_t) n == (uint32_t) NGX_DECLINED
                && (m->state != DONE || m->until <= now
                    || fingerprint != m->fingerprint))
            {
                fail("size %zu: something was made up", sizes[k]);
            }

            if (m->state == DONE && m->until > now) {
                live++;
                kept += (ngx_int_t) n == (uint32_t) NGX_DECLINED;
            }
        }

        printf("# %u to %u slots: %u of %u done kept\n", from.nbuckets * 8,
               to.nbuckets * 8, kept, live);

        if (sizes[k] >= 30000 && kept != live) {
            fail("size %zu: %u of %u kept", sizes[k], kept, live);
        }

        if (to.counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM] != live - kept) {
            fail("size %zu: %lu forgotten, not %u", sizes[k],
                 to.counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM], live - kept);
        }

        to.counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM] = 0;

        if (ngx_memcmp(to.counters, from.counters, sizeof(to.counters)) != 0
            || to.claims != from.claims || to.lease != from.lease)
        {
            fail("size %zu: other counters", sizes[k]);
        }

        /* nothing but what is alive takes room; claims are 100 and less */

        n = 0;
        slot = to.buckets->slots;

        for (i = 0; i < to.nbuckets * 8; i++) {
            n += slot[i].state != 0;
        }

        if (n > kept + 100) {
            fail("size %zu: %u slots for %u entries", sizes[k], n, kept);
        }

        if (kept < live && n < to.nbuckets * 8 * 9 / 10) {
            fail("size %zu: %u lost, and %u of %u slots used", sizes[k],
                 live - kept, n, to.nbuckets * 8);
        }

        /* owners are the same, and are not given again */

        for (i = 0; i < 900; i++) {
            m = &models[i];

            if (m->state != IN_FLIGHT || m->until <= now) {
                continue;
            }

            if (ngx_http_webhook_table_renew(&to, &m->id, m->owner, now + 60)
                != NGX_OK
                || ngx_http_webhook_table_renew(&to, &m->id, m->owner + 1,
                                                now + 60)
                   != NGX_DECLINED
                || ngx_http_webhook_table_commit(&to, &m->id, m->owner, now,
                                                 now + 60, 3)
                   != NGX_OK
                || lookup(&to, &m->id, now + 59) != NGX_DECLINED
                || lookup(&to, &m->id, now + 60) != NGX_OK)
            {
                fail("size %zu: a claim has no owner", sizes[k]);
            }
        }

        m = &models[0];
        m->id = new_id();

        if (ngx_http_webhook_table_claim(&to, &m->id, now, 5, 1, &owner,
                                         &fingerprint)
            != NGX_OK)
        {
            fail("claim in the copy");
        }

        for (i = 1; i < 900; i++) {
            if (models[i].owner == owner) {
                fail("size %zu: owner given again", sizes[k]);
            }
        }

        free(from.marks);
        free(to.marks);
    }
}


/*
 * An image of a table, kept up to date by marks alone, has everything that is
 * done, nothing that was not or that was forgotten on request, and no claims.
 */

static void
image(size_t size, uint32_t nids)
{
    int64_t                     now;
    uint32_t                    i, k, n, last, fingerprint;
    uint64_t                    missing;
    ngx_int_t                   rc;
    model_t                    *m;
    ngx_http_webhook_table_t    table, other;
    ngx_http_webhook_bucket_t  *file, bucket;

    make(&table, size);

    file = calloc(table.nbuckets, sizeof(ngx_http_webhook_bucket_t));

    for (i = 0; i < nids; i++) {
        ngx_memzero(&models[i], sizeof(model_t));
        models[i].id = new_id();
    }

    if (ngx_http_webhook_table_next_marked(&table, 0) != table.nbuckets) {
        fail("marked at first");
    }

    now = START;

    for (n = 0; n < 20000; n++) {

        if (rnd() % 8 == 0) {
            now++;
        }

        m = &models[rnd() % nids];

        if (ngx_http_webhook_table_claim(&table, &m->id, now, 30, 1,
                                         &m->owner, &fingerprint)
            == NGX_OK)
        {
            if (rnd() % 4 == 0) {
                m->state = FREE;

                if (rnd() % 2 == 0) {
                    ngx_http_webhook_table_free(&table, &m->id, m->owner);
                }

            } else {
                m->state = DONE;
                m->until = now + 1 + rnd() % 600;
                m->fingerprint = rnd() & NGX_HTTP_WEBHOOK_OWNER_MASK;
                m->committed = 1;
                m->last = ngx_max(m->last, m->until);

                ngx_http_webhook_table_commit(&table, &m->id, m->owner, now,
                                              m->until, m->fingerprint);
            }
        }

        m = &models[rnd() % nids];

        if (rnd() % 4 == 0
            && ngx_http_webhook_table_forget(&table, &m->id, now) == NGX_OK)
        {
            m->state = FREE;
            m->committed = 0;
            m->last = 0;
        }

        if (rnd() % 50 && n != 19999) {
            continue;
        }

        last = 0;

        for (i = ngx_http_webhook_table_next_marked(&table, 0);
             i < table.nbuckets;
             i = ngx_http_webhook_table_next_marked(&table, i + 1))
        {
            if (i < last) {
                fail("marks go backwards");
            }

            last = i;

            ngx_http_webhook_table_take(&table, i, &bucket);
            ngx_http_webhook_table_unmark(&table, i);
            file[i] = bucket;

            for (k = 0; k < NGX_HTTP_WEBHOOK_BUCKET; k++) {
                rc = bucket.slots[k].state >> 30;

                if (rc != 0 && rc != 2) {
                    fail("a claim in the image");
                }
            }

            if (ngx_http_webhook_table_next_marked(&table, i) == i) {
                fail("a mark that stays");
            }
        }
    }

    /* into a table with room */

    make(&other, 4 * size + PAGE);

    for (i = 0; i < table.nbuckets; i++) {
        ngx_http_webhook_table_add(&other, i, &file[i], now);
        ngx_http_webhook_table_add(&other, i, &file[i], now);
    }

    missing = 0;

    for (i = 0; i < nids; i++) {
        m = &models[i];
        fingerprint = 0;

        rc = lookup(&table, &m->id, now);
        n = ngx_http_webhook_table_lookup(&other, &m->id, now, &fingerprint);

        if (rc == NGX_DECLINED) {

            if (n != (uint32_t) NGX_DECLINED) {
                fail("id %u is done, and not in the image", i);
            }

            /*
             * an earlier success that was evicted stays in the image until its
             * bucket is taken, and counts there if it lasts longer
             */

            if (fingerprint != m->fingerprint && m->last <= m->until) {
                fail("id %u is another one in the image", i);
            }

            continue;
        }

        if (n == (uint32_t) NGX_BUSY) {
            fail("id %u is in flight in the image", i);
        }

        if (n == (uint32_t) NGX_DECLINED && (!m->committed || m->last <= now))
        {
            fail("id %u is in the image, and is not done", i);
        }

        missing += m->state == DONE && m->until > now;
    }

    if (missing > evictions(&table)) {
        fail("%lu missing, %lu evicted", missing, evictions(&table));
    }

    n = 0;

    for (i = 0; i < other.nbuckets * 8; i++) {
        n += other.buckets->slots[i].state != 0;
    }

    if (n > nids) {
        fail("%u slots for %u ids", n, nids);
    }

    printf("# %u ids in %u slots, %u in the image, %lu evicted\n", nids,
           table.nbuckets * 8, n, evictions(&table));

    /* all marked */

    ngx_http_webhook_table_mark_all(&table);

    for (i = 0; i < table.nbuckets; i++) {
        if (ngx_http_webhook_table_next_marked(&table, i) != i) {
            fail("bucket %u is not marked", i);
        }
    }

    if (ngx_http_webhook_table_next_marked(&table, table.nbuckets)
        != table.nbuckets)
    {
        fail("marks past the end");
    }

    for (i = 0; i < table.nbuckets; i++) {
        ngx_http_webhook_table_take(&table, i, &bucket);
        ngx_http_webhook_table_unmark(&table, i);
    }

    for (i = 0; i < table.nbuckets; i += 1 + table.nbuckets / 50) {
        ngx_http_webhook_table_mark(&table, i);

        if (ngx_http_webhook_table_next_marked(&table, 0) != i) {
            fail("the mark of bucket %u", i);
        }

        ngx_http_webhook_table_take(&table, i, &bucket);
        ngx_http_webhook_table_unmark(&table, i);
    }

    free(table.marks);
    free(other.marks);
    free(file);
}


static void
marks(void)
{
    image(192 * 64 + 128, 400);
    image(192 * 20, 300);
    image(192 * 65 + 128, 460);
    image(192 * 300, 2000);
}


/* a table of claims alone is full, whoever asks, and forgets none of them */

static void
claims(void)
{
    int                        evict;
    uint32_t                   i, n, owner, fingerprint;
    uint64_t                   aborted;
    ngx_int_t                  rc;
    ngx_http_webhook_slot_t   *before;
    ngx_http_webhook_table_t   table;

    make(&table, 2 * PAGE);

    before = malloc(table.nbuckets * sizeof(ngx_http_webhook_bucket_t));
    n = 0;
    aborted = 0;

    for (i = 0; i < 4000; i++) {
        models[n].id = new_id();
        evict = i % 2;

        ngx_memcpy(before, table.buckets,
                   table.nbuckets * sizeof(ngx_http_webhook_bucket_t));

        rc = ngx_http_webhook_table_claim(&table, &models[n].id, START, 30,
                                          evict, &owner, &fingerprint);

        if (rc == NGX_OK) {
            models[n++].owner = owner;
            continue;
        }

        if (rc != NGX_ABORT) {
            fail("claim: %ld", (long) rc);
        }

        aborted++;

        if (n == table.nbuckets * 8
            && ngx_memcmp(before, table.buckets,
                          table.nbuckets * sizeof(ngx_http_webhook_bucket_t))
               != 0)
        {
            fail("refused, and changed something");
        }
    }

    if (n != table.nbuckets * 8 || evictions(&table) != 0
        || aborted != 4000 - n)
    {
        fail("%u of %u slots, %lu evicted", n, table.nbuckets * 8,
             evictions(&table));
    }

    for (i = 0; i < n; i++) {
        if (lookup(&table, &models[i].id, START) != NGX_BUSY
            || ngx_http_webhook_table_commit(&table, &models[i].id,
                                             models[i].owner, START,
                                             START + 60, 1)
               != NGX_OK)
        {
            fail("claim %u was lost", i);
        }
    }

    free(table.marks);
    free(before);
}


/*
 * A copy that is under way while the table is used: what it has in the end is
 * what the table has, however little was taken at a time, and however often.
 */

static void
busy_copy(size_t size, size_t other, uint32_t nids, uint32_t each)
{
    int                        pass;
    int64_t                    now;
    uint32_t                   i, k, n, taken, fingerprint;
    uint64_t                   forgotten;
    ngx_int_t                  rc, got;
    model_t                   *m;
    ngx_http_webhook_table_t   from, to;
    ngx_http_webhook_bucket_t  buckets[NGX_HTTP_WEBHOOK_SLICE];

    make(&from, size);
    make(&to, other);

    for (i = 0; i < nids; i++) {
        ngx_memzero(&models[i], sizeof(model_t));
        models[i].id = new_id();
    }

    now = START;
    pass = 0;
    n = 0;

    for (i = 0; /* void */ ; i++) {

        if (i == 4 * nids) {
            ngx_http_webhook_table_copy_begin(&to, &from);
        }

        if (i >= 4 * nids && rnd() % each == 0) {

            taken = ngx_http_webhook_table_copy_take(&from, &n, buckets);

            for (k = 0; k < taken; k++) {
                ngx_http_webhook_table_add(&to, UINT32_MAX, &buckets[k],
                                           now);
            }

            if (n == from.nbuckets) {
                n = 0;

                if (++pass == 2) {
                    ngx_http_webhook_table_copy_end(&to, &from, now);
                    break;
                }
            }
        }

        if (rnd() % 16 == 0) {
            now++;
        }

        m = &models[rnd() % nids];

        switch (rnd() % 8) {

        case 0:
        case 1:
        case 2:
            if (ngx_http_webhook_table_claim(&from, &m->id, now, 30, 1,
                                             &m->owner, &fingerprint)
                == NGX_OK)
            {
                m->state = IN_FLIGHT;
            }

            break;

        case 3:
            if (m->state == IN_FLIGHT) {
                ngx_http_webhook_table_renew(&from, &m->id, m->owner,
                                             now + 30);
            }

            break;

        case 4:
            if (m->state == IN_FLIGHT) {
                ngx_http_webhook_table_free(&from, &m->id, m->owner);
                m->state = FREE;

            } else if (rnd() % 8 == 0) {

                /* the copy may have it already */

                rc = ngx_http_webhook_table_forget(&from, &m->id, now);

                if (rc == NGX_OK) {
                    m->state = FREE;
                }

                if (from.copying ? rc == NGX_OK : rc == NGX_AGAIN) {
                    fail("forgotten while copied: %ld", (long) rc);
                }
            }

            break;

        case 5:

            /* whose claim was freed and of whom nobody knows any more */

            if (m->owner == 0 || rnd() % 4) {
                break;
            }

            /* fall through */

        default:
            if (m->owner) {
                ngx_http_webhook_table_commit(&from, &m->id, m->owner, now,
                                              now + 1 + rnd() % 200, rnd());
                m->state = DONE;
            }
        }
    }

    forgotten = to.counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM];

    if (other > size && forgotten) {
        fail("%lu forgotten in a larger table", forgotten);
    }

    if (evictions(&to) != evictions(&from) || from.copying) {
        fail("counters, or still copying");
    }

    for (k = 0; k < 60; k += 7) {
        for (i = 0; i < nids; i++) {
            m = &models[i];

            rc = lookup(&from, &m->id, now + k);
            got = lookup(&to, &m->id, now + k);

            if (rc == got) {
                continue;
            }

            /* what was evicted meanwhile may be known to the copy */

            if (got == NGX_DECLINED && evictions(&from)) {
                continue;
            }

            if (forgotten && got == NGX_OK) {
                forgotten -= (k == 0);
                continue;
            }

            fail("id %u: %ld, and %ld in the copy", i, (long) rc, (long) got);
        }
    }

    for (i = 0; i < nids; i++) {
        m = &models[i];

        if (lookup(&from, &m->id, now) == NGX_BUSY
            && lookup(&to, &m->id, now) == NGX_BUSY
            && ngx_http_webhook_table_renew(&to, &m->id, m->owner, now + 30)
               != NGX_OK)
        {
            fail("id %u has another owner in the copy", i);
        }
    }

    printf("# %u ids, %u to %u slots: %lu evicted, %lu forgotten\n", nids,
           from.nbuckets * 8, to.nbuckets * 8, evictions(&from),
           to.counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM]);

    free(from.marks);
    free(to.marks);
}


static void
busy(void)
{
    uint32_t  each;

    for (each = 1; each < 200; each = each * 2 + 1) {
        busy_copy(PAGE * 4, PAGE * 8, 300, each);
        busy_copy(PAGE * 4, PAGE * 8, 600, each);
        busy_copy(PAGE * 16, PAGE * 17, 2000, each);
        busy_copy(PAGE * 16, PAGE * 8, 2000, each);
        busy_copy(PAGE * 16, PAGE * 17, 3000, each);
    }
}


/*
 * A process killed anywhere leaves no claim that outlives its lease, forgets
 * nothing that was done, and has marked what an image does not have yet.
 */

static ngx_http_webhook_table_t  killed_table;
static model_t                  *killed_in;     /* its entry may be anything */
static int64_t                   killed_at;
static uint32_t                  killed_ids;
static uint64_t                  killed_evictions;


static void
killed_here(void)
{
    uint32_t                  i, n;
    model_t                  *m;
    ngx_http_webhook_slot_t  *slot;

    for (i = 0; i < killed_ids; i++) {
        m = &models[i];

        if (lookup(&killed_table, &m->id, killed_at + 30) == NGX_BUSY) {
            fail("id %u: a claim without a lease", i);
        }

        if (m == killed_in || m->state != DONE || m->until <= killed_at) {
            continue;
        }

        if (lookup(&killed_table, &m->id, killed_at) != NGX_DECLINED
            && evictions(&killed_table) == killed_evictions)
        {
            fail("id %u: done, and forgotten", i);
        }
    }

    slot = killed_table.buckets->slots;

    for (i = 0; i < killed_table.nbuckets * 8; i++) {
        n = i / 8;

        if (slot[i].state >> 31
            && ngx_http_webhook_table_next_marked(&killed_table, n) != n)
        {
            fail("slot %u: done, and not marked", i);
        }
    }
}


static void
killed(void)
{
    int64_t    until;
    uint32_t   n, fingerprint;
    model_t   *m;

    make(&killed_table, 192 * 12);

    killed_ids = killed_table.nbuckets * 8;
    killed_at = START;

    for (n = 0; n < killed_ids; n++) {
        ngx_memzero(&models[n], sizeof(model_t));
        models[n].id = new_id();
    }

    barrier = killed_here;

    for (n = 0; n < 20000; n++) {

        if (rnd() % 8 == 0) {
            killed_at++;
        }

        m = &models[rnd() % killed_ids];

        killed_in = m;
        killed_evictions = evictions(&killed_table);

        if (m->state == IN_FLIGHT && rnd() % 2) {

            until = killed_at + 1 + rnd() % 200;

            if (ngx_http_webhook_table_commit(&killed_table, &m->id, m->owner,
                                              killed_at, until, 1)
                != NGX_ABORT)
            {
                m->state = DONE;
                m->until = until;
            }

        } else if (m->state == IN_FLIGHT) {
            ngx_http_webhook_table_free(&killed_table, &m->id, m->owner);
            m->state = FREE;

        } else if (ngx_http_webhook_table_claim(&killed_table, &m->id,
                                                killed_at, 30, 1, &m->owner,
                                                &fingerprint)
                   == NGX_OK)
        {
            m->state = IN_FLIGHT;
        }

        if (evictions(&killed_table) != killed_evictions) {

            /* the model does not know whom */

            for (m = models; m < models + killed_ids; m++) {
                if (m->state == DONE
                    && lookup(&killed_table, &m->id, killed_at)
                       != NGX_DECLINED)
                {
                    m->state = FREE;
                }
            }
        }
    }

    barrier = NULL;

    free(killed_table.marks);
}


/* a clock that is set back: claims are as long as the longest of leases */

static void
back(void)
{
    uint32_t                  owner, other, fingerprint;
    ngx_http_webhook_id_t     claimed, done, longer;
    ngx_http_webhook_table_t  table, to, again;

    make(&table, 4 * PAGE);
    make(&to, 8 * PAGE);
    make(&again, 8 * PAGE);

    claimed = new_id();
    longer = new_id();
    done = new_id();

    deliver(&table, &done, START, 3600);

    ngx_http_webhook_table_claim(&table, &claimed, START, 20, 1, &owner,
                                 &fingerprint);

    /* deliver() has claimed for 30 seconds */

    if (lookup(&table, &claimed, START - 70) != NGX_BUSY
        || lookup(&table, &claimed, START - 71) != NGX_OK
        || lookup(&table, &claimed, START - 86400) != NGX_OK
        || lookup(&table, &done, START - 86400) != NGX_DECLINED)
    {
        fail("clock set back");
    }

    copy_table(&to, &table, START, START);

    if (lookup(&to, &claimed, START - 70) != NGX_BUSY
        || lookup(&to, &claimed, START - 71) != NGX_OK)
    {
        fail("clock set back, in a copy");
    }

    copy_table(&again, &table, START - 71, START);

    if (lookup(&again, &claimed, START) != NGX_BUSY) {
        fail("clock set back and forth, in a copy");
    }

    /* a dead one is there to be taken, and its owner is late */

    if (ngx_http_webhook_table_claim(&table, &claimed, START - 86400, 20, 0,
                                     &other, &fingerprint)
        != NGX_OK
        || ngx_http_webhook_table_renew(&table, &claimed, owner, START)
           != NGX_DECLINED
        || ngx_http_webhook_table_free(&table, &claimed, owner)
           != NGX_DECLINED
        || lookup(&table, &claimed, START - 86400) != NGX_BUSY)
    {
        fail("clock set back, taken over");
    }

    /* a longer lease counts from then on, and a shorter one does not */

    ngx_http_webhook_table_claim(&table, &longer, START, 600, 1, &owner,
                                 &fingerprint);
    ngx_http_webhook_table_claim(&table, &claimed, START, 10, 1, &owner,
                                 &fingerprint);

    if (table.lease != 600
        || lookup(&table, &longer, START - 60) != NGX_BUSY
        || lookup(&table, &longer, START - 61) != NGX_OK)
    {
        fail("the longest lease");
    }

    free(table.marks);
    free(to.marks);
    free(again.marks);
}


/* a success is a fact, whoever holds the claim by then */

static void
late(void)
{
    int                       i;
    uint32_t                  first, second, fingerprint;
    ngx_int_t                 rc;
    ngx_http_webhook_id_t     id;
    ngx_http_webhook_table_t  table;

    make(&table, 4 * PAGE);

    for (i = 0; i < 6; i++) {
        id = new_id();

        ngx_http_webhook_table_claim(&table, &id, START, 30, 1, &first,
                                     &fingerprint);

        if (i < 4) {
            ngx_http_webhook_table_claim(&table, &id, START + 40, 30, 1,
                                         &second, &fingerprint);
        }

        switch (i) {

        case 1:
            ngx_http_webhook_table_free(&table, &id, second);
            break;

        case 2:
        case 3:
            ngx_http_webhook_table_commit(&table, &id, second, START + 45,
                                          START + (i == 2 ? 300 : 900), 5);
            break;

        case 5:
            ngx_http_webhook_table_free(&table, &id, first);
        }

        rc = ngx_http_webhook_table_commit(&table, &id, first, START + 50,
                                           START + 600, 7);

        if (rc != (i == 4 ? NGX_OK : NGX_DECLINED)) {
            fail("late %d: %ld", i, (long) rc);
        }

        /* what others do afterwards changes nothing */

        if (i == 0
            && (ngx_http_webhook_table_renew(&table, &id, second, START + 9999)
                != NGX_DECLINED
                || ngx_http_webhook_table_free(&table, &id, second)
                   != NGX_DECLINED))
        {
            fail("late %d: the other one is an owner", i);
        }

        if (ngx_http_webhook_table_free(&table, &id, first) != NGX_DECLINED) {
            fail("late %d: freed", i);
        }

        rc = ngx_http_webhook_table_lookup(&table, &id, START + 50,
                                           &fingerprint);

        if (rc != NGX_DECLINED
            || fingerprint != (i == 2 || i == 3 ? 5 : 7)
            || lookup(&table, &id, START + (i == 3 ? 899 : 599))
               != NGX_DECLINED
            || lookup(&table, &id, START + (i == 3 ? 900 : 600)) != NGX_OK)
        {
            fail("late %d: not done as it must be", i);
        }
    }

    if (table.counters[NGX_HTTP_WEBHOOK_COUNT_CLAIMED] != 10
        || table.counters[NGX_HTTP_WEBHOOK_COUNT_COMMITTED] != 8
        || table.counters[NGX_HTTP_WEBHOOK_COUNT_FREED] != 2)
    {
        fail("counters");
    }

    free(table.marks);

    /* no room at all */

    make(&table, 192 * 2 + 256);

    for (i = 0; i < 16; i++) {
        id = new_id();
        ngx_http_webhook_table_claim(&table, &id, START, 30, 1, &first,
                                     &fingerprint);
    }

    id = new_id();

    if (ngx_http_webhook_table_commit(&table, &id, 1, START, START + 60, 7)
        != NGX_ABORT
        || lookup(&table, &id, START) != NGX_OK
        || table.counters[NGX_HTTP_WEBHOOK_COUNT_COMMITTED] != 0)
    {
        fail("late, and no room");
    }

    free(table.marks);
}


/* both bits of state are done too, in whatever is done with them */

static void
owed(void)
{
    uint32_t                    i, n, owner, fingerprint;
    ngx_int_t                   rc;
    ngx_http_webhook_id_t       id;
    ngx_http_webhook_slot_t    *slot;
    ngx_http_webhook_table_t    table, to, loaded;
    ngx_http_webhook_bucket_t   bucket;

    make(&table, 192 * 10);
    make(&to, 192 * 20);
    make(&loaded, 192 * 20);

    /* those that are owed end first */

    for (i = 0; i < 8; i++) {
        models[i].id = new_id();
        deliver(&table, &models[i].id, START, 60);

        slot = ngx_http_webhook_table_find(&table, &models[i].id);
        slot->state |= NGX_HTTP_WEBHOOK_SLOT_STATE;
    }

    for (i = 0; i < 2000; i++) {
        id = new_id();
        deliver(&table, &id, START, 600);
    }

    copy_table(&to, &table, START, START);

    for (i = 0; i < table.nbuckets; i++) {
        ngx_http_webhook_table_take(&table, i, &bucket);
        ngx_http_webhook_table_add(&loaded, 0, &bucket, START);
    }

    for (i = 0; i < 8; i++) {

        fingerprint = 0;

        rc = ngx_http_webhook_table_claim(&table, &models[i].id, START, 30, 1,
                                          &owner, &fingerprint);

        if (rc != NGX_DECLINED || fingerprint != 1
            || lookup(&table, &models[i].id, START + 60) != NGX_OK)
        {
            fail("owed: %ld, fingerprint %u", (long) rc, fingerprint);
        }

        if (lookup(&to, &models[i].id, START) != NGX_DECLINED
            || lookup(&loaded, &models[i].id, START) != NGX_DECLINED)
        {
            fail("owed: not in a copy");
        }

        /* it stays owed */

        rc = ngx_http_webhook_table_commit(&table, &models[i].id, 77, START,
                                           START + 900, 2);

        if (rc != NGX_DECLINED
            || lookup(&table, &models[i].id, START + 899) != NGX_DECLINED)
        {
            fail("owed: commit: %ld", (long) rc);
        }

        for (n = 0; n < 3; n++) {
            slot = ngx_http_webhook_table_find(n == 0 ? &table
                                               : n == 1 ? &to : &loaded,
                                               &models[i].id);

            if (slot->state >> 30 != 3) {
                fail("owed: not any more, in %u", n);
            }
        }
    }

    /* and if there is nothing else they have to go too */

    slot = table.buckets->slots;

    for (i = 0; i < table.nbuckets * 8; i++) {
        slot[i].state |= NGX_HTTP_WEBHOOK_SLOT_STATE;
    }

    id = new_id();
    deliver(&table, &id, START, 600);

    free(table.marks);
    free(to.marks);
    free(loaded.marks);
}


/*
 * What another version of the module finds by a reload: these numbers do not
 * change, or NGX_HTTP_WEBHOOK_ZONE_VERSION does, and zones start empty.
 */

static void
layout(void)
{
    size_t  i;

    static struct {
        const char  *name;
        size_t       value;
        size_t       expected;
    } numbers[] = {

#define SIZE(type, n)            { #type, sizeof(type), n }
#define OFFSET(type, member, n)  { #member, offsetof(type, member), n }

        SIZE(ngx_http_webhook_slot_t, 24),
        SIZE(ngx_http_webhook_bucket_t, 192),

        SIZE(ngx_http_webhook_table_t, 1280),
        OFFSET(ngx_http_webhook_table_t, buckets, 0),
        OFFSET(ngx_http_webhook_table_t, marks, 8),
        OFFSET(ngx_http_webhook_table_t, changed, 16),
        OFFSET(ngx_http_webhook_table_t, nbuckets, 24),
        OFFSET(ngx_http_webhook_table_t, copying, 28),
        OFFSET(ngx_http_webhook_table_t, salt, 32),
        OFFSET(ngx_http_webhook_table_t, claims, 64),
        OFFSET(ngx_http_webhook_table_t, lease, 72),
        OFFSET(ngx_http_webhook_table_t, generation, 80),
        OFFSET(ngx_http_webhook_table_t, owed, 96),
        OFFSET(ngx_http_webhook_table_t, owing, 104),
        OFFSET(ngx_http_webhook_table_t, counters, 256),

        SIZE(ngx_http_webhook_shm_t, 4096),
        OFFSET(ngx_http_webhook_shm_t, magic, 0),
        OFFSET(ngx_http_webhook_shm_t, version, 8),
        OFFSET(ngx_http_webhook_shm_t, size, 12),
        OFFSET(ngx_http_webhook_shm_t, number, 16),
        OFFSET(ngx_http_webhook_shm_t, warned, 24),
        OFFSET(ngx_http_webhook_shm_t, store.name, 32),
        OFFSET(ngx_http_webhook_shm_t, store.run_id, 40),
        OFFSET(ngx_http_webhook_shm_t, store.master_replid, 81),
        OFFSET(ngx_http_webhook_shm_t, table, 1024),

        { "claimed", NGX_HTTP_WEBHOOK_COUNT_CLAIMED, 0 },
        { "committed", NGX_HTTP_WEBHOOK_COUNT_COMMITTED, 1 },
        { "freed", NGX_HTTP_WEBHOOK_COUNT_FREED, 2 },
        { "evicted", NGX_HTTP_WEBHOOK_COUNT_EVICTED, 3 },
        { "lost", NGX_HTTP_WEBHOOK_COUNT_LOST, 4 },
        { "no room", NGX_HTTP_WEBHOOK_COUNT_NO_ROOM, 5 },
        { "forgotten", NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN, 6 },
        { "state errors", NGX_HTTP_WEBHOOK_COUNT_STATE_ERRORS, 7 },
        { "mine", NGX_HTTP_WEBHOOK_COUNT_STORE_MINE, 16 },
        { "owed", NGX_HTTP_WEBHOOK_COUNT_STORE_OWED, 27 },
        { "lost to the store", NGX_HTTP_WEBHOOK_COUNT_STORE_LOST, 31 },
        { "counters", NGX_HTTP_WEBHOOK_COUNTERS, 128 },

        { "version", NGX_HTTP_WEBHOOK_ZONE_VERSION, 2 }
    };

    if (sizeof(void *) != 8) {
        return;
    }

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].value != numbers[i].expected) {
            fail("%s: %zu, not %zu", numbers[i].name, numbers[i].value,
                 numbers[i].expected);
        }
    }
}


/* how full a table is, from a sample of it, and exactly where it is small */

static void
sample(void)
{
    size_t                    n, i, slots, filled;
    int64_t                   used, off;
    ngx_http_webhook_id_t     id;
    ngx_http_webhook_table_t  table;

    static double  parts[] = { 0.1, 0.5, 0.95 };

    make(&table, 10 * MB);

    slots = (size_t) table.nbuckets * NGX_HTTP_WEBHOOK_BUCKET;
    filled = 0;

    for (n = 0; n < 3; n++) {

        for ( /* void */ ; filled < parts[n] * slots; filled++) {
            id = new_id();
            deliver(&table, &id, START, 3600);
        }

        used = ngx_http_webhook_table_sample(&table, START);
        off = used - (int64_t) (filled - evictions(&table));

        printf("# %.0f %%: off by %.2f %%\n", 100 * parts[n],
               100.0 * off / slots);

        if (off > (int64_t) slots * 3 / 100 || off < -(int64_t) slots * 3 / 100)
        {
            fail("%ld of %zu, not %zu", (long) used, slots, filled);
        }
    }

    used = ngx_http_webhook_table_sample(&table, START + 3600);
    if (used) {
        fail("%ld are used when all are over", (long) used);
    }

    make(&table, 64 * 1024);

    for (i = 0; i < 300; i++) {
        id = new_id();
        deliver(&table, &id, START, 3600);
    }

    used = ngx_http_webhook_table_sample(&table, START);
    if (used != 300) {
        fail("%ld of a small table, not 300", (long) used);
    }
}


/*
 * All that is done is forgotten, some at a time, while others make room by
 * moving what is there; claims stay, and nothing comes back from an image.
 */

static void
forget(void)
{
    uint32_t                    i, n, k, nids, owner, fingerprint;
    uint64_t                    forgotten;
    ngx_int_t                   rc;
    model_t                    *m;
    ngx_http_webhook_id_t       id;
    ngx_http_webhook_slot_t    *slot, *other;
    ngx_http_webhook_table_t    table, to;
    ngx_http_webhook_bucket_t  *file, *buckets[2];

    make(&table, 192 * 600);

    nids = table.nbuckets * 6;
    file = calloc(table.nbuckets, sizeof(ngx_http_webhook_bucket_t));

    if (nids > MAX_IDS) {
        nids = MAX_IDS;
    }

    for (i = 0; i < nids; i++) {
        m = &models[i];
        ngx_memzero(m, sizeof(model_t));
        m->id = new_id();

        if (i % 16) {
            deliver(&table, &m->id, START, i % 3 ? 60 : 6000);
            continue;
        }

        ngx_http_webhook_table_claim(&table, &m->id, START, 900, 1, &m->owner,
                                     &fingerprint);
    }

    for (i = 0; i < table.nbuckets; i++) {
        ngx_http_webhook_table_take(&table, i, &file[i]);
        ngx_http_webhook_table_unmark(&table, i);
    }

    forgotten = 0;

    for (i = 0; i < 2; i++) {

        for (n = 0; n < table.nbuckets; /* void */ ) {

            k = n;

            rc = ngx_http_webhook_table_forget_some(&table, &n, START + 60,
                                                    &forgotten);

            if (rc != NGX_OK || n <= k || n - k > 100 || n > table.nbuckets) {
                fail("from %u to %u: %ld", k, n, (long) rc);
            }

            for (k = 0; k < 8; k++) {
                id = new_id();
                ngx_http_webhook_table_claim(&table, &id, START + 60, 30, 0,
                                             &owner, &fingerprint);
            }
        }
    }

    /* those whose time has passed do not count */

    n = 0;

    for (i = 0; i < nids; i++) {
        m = &models[i];
        n += i % 16 && i % 3 == 0;

        if (i % 16) {
            if (lookup(&table, &m->id, START) != NGX_OK) {
                fail("id %u is still there", i);
            }

        } else if (lookup(&table, &m->id, START + 60) != NGX_BUSY
                   || ngx_http_webhook_table_commit(&table, &m->id, m->owner,
                                                    START + 60, START + 600, 1)
                      != NGX_OK)
        {
            fail("claim %u was lost", i);
        }
    }

    if (forgotten != n
        || table.counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN] != n)
    {
        fail("%lu forgotten, not %u", forgotten, n);
    }

    for (i = ngx_http_webhook_table_next_marked(&table, 0);
         i < table.nbuckets;
         i = ngx_http_webhook_table_next_marked(&table, i + 1))
    {
        ngx_http_webhook_table_take(&table, i, &file[i]);
    }

    make(&to, 192 * 1200);

    for (i = 0; i < table.nbuckets; i++) {
        ngx_http_webhook_table_add(&to, i, &file[i], START);
    }

    for (i = 0; i < nids; i++) {
        if (lookup(&to, &models[i].id, START)
            != (i % 16 ? NGX_OK : NGX_DECLINED))
        {
            fail("id %u has come back, or is lost", i);
        }
    }

    /* a killed process may have left a second copy, in the other bucket */

    id = models[0].id;
    slot = ngx_http_webhook_table_find(&table, &id);

    ngx_http_webhook_table_buckets(&table, &id, buckets);

    i = (slot >= buckets[0]->slots
         && slot < buckets[0]->slots + NGX_HTTP_WEBHOOK_BUCKET);

    other = &buckets[i]->slots[3];
    *other = *slot;

    if (ngx_http_webhook_table_forget(&table, &id, START + 60) != NGX_OK
        || lookup(&table, &id, START + 60) != NGX_OK
        || ngx_http_webhook_table_until(&table, &id, START + 60) != 0
        || ngx_http_webhook_table_forget(&table, &id, START + 60)
           != NGX_DECLINED)
    {
        fail("two copies");
    }

    /* not while a copy is made, which may have it already */

    make(&to, 192 * 700);
    ngx_http_webhook_table_copy_begin(&to, &table);

    n = 0;

    if (ngx_http_webhook_table_forget(&table, &models[16].id, START + 60)
        != NGX_AGAIN
        || ngx_http_webhook_table_forget_some(&table, &n, START + 60,
                                              &forgotten)
           != NGX_AGAIN
        || n != 0
        || lookup(&table, &models[16].id, START + 60) != NGX_DECLINED)
    {
        fail("while a copy is made");
    }

    /* and then again; the copy counts on */

    copy_table(&to, &table, START + 60, START + 60);

    if (ngx_http_webhook_table_forget(&table, &models[16].id, START + 60)
        != NGX_OK
        || ngx_http_webhook_table_forget(&to, &models[16].id, START + 60)
           != NGX_OK
        || to.counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN]
           != table.counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN])
    {
        fail("after a copy");
    }
}


/* the state that an id has, 0 if it is not there */

static uint32_t
state_of(ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id)
{
    ngx_http_webhook_slot_t  *slot;

    slot = ngx_http_webhook_table_find(table, id);

    return slot ? slot->state : 0;
}


static ngx_uint_t
is_owed(ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id)
{
    return state_of(table, id) >> 30 == 3;
}


/* how many entries of a table are owed, as who sends them finds them */

static uint64_t
count_owed(ngx_http_webhook_table_t *table, int64_t now)
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

    return count;
}


/*
 * What others are to be told of: it is owed from the step in which it is done,
 * until just that was acknowledged; and all is, once they know nothing.
 */

static void
told(void)
{
    uint32_t                    i, n, owner, fingerprint;
    uint64_t                   *counter;
    ngx_uint_t                  taken;
    ngx_http_webhook_id_t       id, other;
    ngx_http_webhook_table_t    table;
    ngx_http_webhook_bucket_t   bucket;

    make(&table, 192 * 100);

    counter = &table.counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED];

    /* not owed, where there are no others */

    id = new_id();
    deliver(&table, &id, START, 600);

    if (is_owed(&table, &id) || *counter || count_owed(&table, START)) {
        fail("owed to nobody");
    }

    ngx_http_webhook_table_set_owing(&table, 1);

    for (i = 0; i < 100; i++) {
        models[i].id = new_id();
        deliver(&table, &models[i].id, START, 600 + i);
    }

    if (*counter != 100 || count_owed(&table, START) != 100
        || is_owed(&table, &id))
    {
        fail("%lu are owed, not 100", *counter);
    }

    /* in its bucket, with what is to be told */

    for (i = 0; i < 100; i++) {

        n = ngx_http_webhook_slot_bucket(&table,
                           ngx_http_webhook_table_find(&table, &models[i].id));

        if (ngx_http_webhook_table_next_owed(&table, n) != n) {
            fail("bucket %u has nothing to tell", n);
        }

        taken = ngx_http_webhook_table_take_owed(&table, n, START, &bucket);

        while (taken--) {
            if (ngx_http_webhook_is_id(&bucket.slots[taken], &models[i].id)) {
                break;
            }
        }

        if (taken >= NGX_HTTP_WEBHOOK_BUCKET
            || bucket.slots[taken].expire != (uint32_t) (START + 600 + i)
            || ngx_http_webhook_slot_fingerprint(&bucket.slots[taken]) != 1)
        {
            fail("%u is not told of", i);
        }
    }

    /* what is acknowledged is just that, and not another time or body */

    for (i = 0; i < 100; i++) {
        ngx_http_webhook_table_acknowledge(&table, &models[i].id,
                                           START + 601 + i, 1);
        ngx_http_webhook_table_acknowledge(&table, &models[i].id,
                                           START + 600 + i, 2);
        other = new_id();
        ngx_http_webhook_table_acknowledge(&table, &other, START + 600 + i, 1);
    }

    ngx_http_webhook_table_commit(&table, &models[0].id, 0, START,
                                  START + 6000, 1);
    ngx_http_webhook_table_acknowledge(&table, &models[0].id, START + 600, 1);

    if (count_owed(&table, START) != 100) {
        fail("%lu are owed, not all", count_owed(&table, START));
    }

    ngx_http_webhook_table_count_owed(&table, START);

    for (i = 0; i < 100; i++) {

        if (*counter != 100 - i) {
            fail("%lu are owed, not %u", *counter, 100 - i);
        }

        n = i ? START + 600 + i : START + 6000;

        ngx_http_webhook_table_acknowledge(&table, &models[i].id, n, 1);

        if (is_owed(&table, &models[i].id)
            || lookup(&table, &models[i].id, START) != NGX_DECLINED
            || count_owed(&table, START) != 99 - i)
        {
            fail("%u is owed, or gone", i);
        }

        ngx_http_webhook_table_acknowledge(&table, &models[i].id, n, 1);
    }

    if (*counter || ngx_http_webhook_table_next_owed(&table, 0)
                    != table.nbuckets)
    {
        fail("buckets have nothing to tell, and are looked at");
    }

    /* a claim is not acknowledged, nor told of */

    other = new_id();
    ngx_http_webhook_table_claim(&table, &other, START, 30, 1, &owner,
                                 &fingerprint);
    ngx_http_webhook_table_acknowledge(&table, &other, START + 30, owner);

    if (lookup(&table, &other, START) != NGX_BUSY) {
        fail("a claim is acknowledged");
    }

    /* all that is done and alive becomes owed, once */

    for (i = 0; i < 2; i++) {
        for (n = 0; n < table.nbuckets; n++) {
            ngx_http_webhook_table_owe(&table, n, START + 610);
        }
    }

    if (*counter != 90 || count_owed(&table, START + 610) != 90
        || !is_owed(&table, &models[0].id) || is_owed(&table, &models[10].id)
        || !is_owed(&table, &models[11].id) || is_owed(&table, &id)
        || is_owed(&table, &other))
    {
        fail("%lu of 90 are owed again", *counter);
    }

    /* what is over is not told of, nor what is forgotten */

    ngx_http_webhook_table_forget(&table, &models[99].id, START + 640);
    ngx_http_webhook_table_count_owed(&table, START + 640);

    if (*counter != 59) {
        fail("%lu are owed, not 59", *counter);
    }

    /* others have said so: it need not be told to them */

    ngx_http_webhook_table_learn(&table, &other, owner + 1, START + 300, 7);

    if (lookup(&table, &other, START) != NGX_BUSY) {
        fail("learned for another one's claim");
    }

    n = ngx_http_webhook_slot_bucket(&table,
                                  ngx_http_webhook_table_find(&table, &other));
    ngx_http_webhook_table_unmark(&table, n);

    ngx_http_webhook_table_learn(&table, &other, owner, START + 300, 7);

    if (ngx_http_webhook_table_lookup(&table, &other, START + 299,
                                      &fingerprint)
        != NGX_DECLINED
        || fingerprint != 7 || is_owed(&table, &other)
        || lookup(&table, &other, START + 300) != NGX_OK
        || ngx_http_webhook_table_next_marked(&table, n) != n)
    {
        fail("not learned");
    }

    /* nor are they believed against what is known here, or of nothing */

    ngx_http_webhook_table_learn(&table, &other, owner, START + 900, 8);
    id = new_id();
    ngx_http_webhook_table_learn(&table, &id, owner, START + 900, 8);

    if (ngx_http_webhook_table_until(&table, &other, START) != START + 300
        || lookup(&table, &id, START) != NGX_OK)
    {
        fail("learned twice, or without a claim");
    }

    /* where nothing else can go, what is owed does, and is counted */

    if (table.counters[NGX_HTTP_WEBHOOK_COUNT_STORE_LOST]) {
        fail("lost before there was no room");
    }

    for (i = 0; i < 4000; i++) {
        id = new_id();
        deliver(&table, &id, START, 600);
    }

    if (table.counters[NGX_HTTP_WEBHOOK_COUNT_STORE_LOST] == 0
        || table.counters[NGX_HTTP_WEBHOOK_COUNT_STORE_LOST]
           > evictions(&table))
    {
        fail("%lu are lost",
             table.counters[NGX_HTTP_WEBHOOK_COUNT_STORE_LOST]);
    }
}


/*
 * What was taken out and is put back is as it was, or owed; unless somebody
 * else had it meanwhile.
 */

static void
put_back(void)
{
    uint32_t                   i, n, owner, fingerprint, state;
    uint64_t                   evicted;
    ngx_int_t                  rc;
    ngx_http_webhook_id_t      id;
    ngx_http_webhook_slot_t    slot, other;
    ngx_http_webhook_table_t   table, to;
    ngx_http_webhook_bucket_t  bucket;

    make(&table, 192 * 40);
    make(&to, 192 * 40);

    ngx_http_webhook_table_set_owing(&table, 1);

    for (i = 0; i < 4; i++) {

        id = new_id();
        deliver(&table, &id, START, 600);

        if (i % 2) {
            ngx_http_webhook_table_acknowledge(&table, &id, START + 600, 1);
        }

        state = state_of(&table, &id);

        if (state >> 30 != (i % 2 ? 2 : 3)) {
            fail("state %x", state);
        }

        rc = ngx_http_webhook_table_take_out(&table, &id, START, &slot);

        if (rc != NGX_OK || lookup(&table, &id, START) != NGX_OK
            || ngx_http_webhook_table_take_out(&table, &id, START, &other)
               != NGX_DECLINED)
        {
            fail("not taken out: %ld", (long) rc);
        }

        for (n = 0; n < table.nbuckets; n++) {
            ngx_http_webhook_table_unmark(&table, n);
            (void) ngx_http_webhook_table_take_owed(&table, n, START, &bucket);
        }

        ngx_http_webhook_table_put_back(&table, &slot, i / 2, START);

        if (state_of(&table, &id) != (i / 2 ? state | 3U << 30 : state)
            || ngx_http_webhook_table_until(&table, &id, START) != START + 600)
        {
            fail("%u: put back as %x, and not %x", i, state_of(&table, &id),
                 state);
        }

        /* who keeps an image is told, and who sends what is owed */

        n = ngx_http_webhook_slot_bucket(&table,
                                   ngx_http_webhook_table_find(&table, &id));

        if (ngx_http_webhook_table_next_marked(&table, 0) != n
            || (i != 1 && ngx_http_webhook_table_next_owed(&table, n) != n))
        {
            fail("%u: put back and not marked", i);
        }
    }

    if (table.counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN]) {
        fail("forgotten, and put back");
    }

    /* claimed meanwhile, and accepted meanwhile for another time */

    for (i = 0; i < 2; i++) {

        id = new_id();
        deliver(&table, &id, START, 600);

        ngx_http_webhook_table_take_out(&table, &id, START, &slot);
        ngx_http_webhook_table_claim(&table, &id, START, 30, 1, &owner,
                                     &fingerprint);
        if (i) {
            ngx_http_webhook_table_commit(&table, &id, owner, START,
                                          START + 300, 2);
        }

        state = state_of(&table, &id);

        ngx_http_webhook_table_put_back(&table, &slot, 1, START);

        if (state_of(&table, &id) != state
            || ngx_http_webhook_table_until(&table, &id, START)
               != START + (i ? 300 : 30))
        {
            fail("%u: another one's", i);
        }
    }

    /* a claim whose lease has run out is nobody's */

    ngx_http_webhook_table_take_out(&table, &id, START, &slot);
    ngx_http_webhook_table_claim(&table, &id, START, 30, 1, &owner,
                                 &fingerprint);
    ngx_http_webhook_table_put_back(&table, &slot, 0, START + 30);

    if (lookup(&table, &id, START + 30) != NGX_DECLINED
        || ngx_http_webhook_table_until(&table, &id, START + 30)
           != START + 300)
    {
        fail("behind a claim that has run out");
    }

    /* while a copy is made that has seen its bucket */

    ngx_http_webhook_table_take_out(&table, &id, START, &slot);
    ngx_http_webhook_table_copy_begin(&to, &table);

    for (n = 0; n < table.nbuckets; /* void */ ) {
        ngx_http_webhook_bucket_t  buckets[NGX_HTTP_WEBHOOK_SLICE];

        i = ngx_http_webhook_table_copy_take(&table, &n, buckets);

        while (i--) {
            ngx_http_webhook_table_add(&to, UINT32_MAX, &buckets[i], START);
        }
    }

    ngx_http_webhook_table_put_back(&table, &slot, 0, START);
    ngx_http_webhook_table_copy_end(&to, &table, START);

    if (lookup(&to, &id, START) != NGX_DECLINED) {
        fail("put back, and not copied");
    }

    /* and where there is no room: one that was done has to go */

    ngx_http_webhook_table_take_out(&to, &id, START, &slot);

    for (i = 0; i < 4000; i++) {
        other.id = new_id();
        deliver(&to, &other.id, START, 600);
    }

    evicted = evictions(&to);
    ngx_http_webhook_table_put_back(&to, &slot, 0, START);

    if (lookup(&to, &id, START) != NGX_DECLINED
        || evictions(&to) != evicted + 1)
    {
        fail("put back where there is no room");
    }
}


int
main(int argc, char **argv)
{
    size_t  i;

    static struct {
        const char  *name;
        void       (*handler)(void);
    } tests[] = {
        { "model", model },
        { "small", small },
        { "owners", owners },
        { "load", load },
        { "curve", curve },
        { "wrap", wrap },
        { "copy", copy },
        { "marks", marks },
        { "claims", claims },
        { "adversary", adversary },
        { "busy", busy },
        { "killed", killed },
        { "back", back },
        { "late", late },
        { "owed", owed },
        { "sample", sample },
        { "forget", forget },
        { "told", told },
        { "put_back", put_back },
        { "layout", layout }
    };

    if (argc != 3) {
        return 2;
    }

    state0 = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;
    state1 = 0xd1b54a32d192ed03ULL;

    for (i = 0; i < 20; i++) {
        (void) rnd();
    }

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (strcmp(argv[2], tests[i].name) == 0) {
            tests[i].handler();
            printf("ok\n");
            return 0;
        }
    }

    return 2;
}
