
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: a random history beside a model that is too simple
 * to be wrong, whose claims are whose, and how it is laid out.
 */


#include "table.h"


static model_t  models[MAX_IDS];


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


/*
 * Of an entry of which a process that was killed has left two, whoever has the
 * claim has both.
 */

static void
twice(void)
{
    uint32_t                    i, k, n, owner, fingerprint;
    ngx_http_webhook_id_t       id;
    ngx_http_webhook_slot_t    *slot, entry;
    ngx_http_webhook_table_t    table;
    ngx_http_webhook_bucket_t  *buckets[2];

    /* whichever comes first is found; what is done with it, both times */

    for (n = 0; n < 4; n++) {

        make(&table, 192 * 12);

        id = new_id();
        ngx_http_webhook_table_buckets(&table, &id, buckets);

        if (ngx_http_webhook_table_claim(&table, &id, START, 30, 1, &owner,
                                         &fingerprint)
            != NGX_OK)
        {
            fail("not claimed");
        }

        slot = ngx_http_webhook_table_find(&table, &id);
        entry = *slot;
        slot->state = NGX_HTTP_WEBHOOK_SLOT_FREE;

        for (i = 0; i < 2; i++) {
            buckets[i]->slots[n / 2] = entry;
        }

        if (n & 1) {
            if (ngx_http_webhook_table_commit(&table, &id, owner, START,
                                              START + 600, 1)
                != NGX_OK)
            {
                fail("copies %u: not committed", n);
            }

        } else if (ngx_http_webhook_table_free(&table, &id, owner) != NGX_OK) {
            fail("copies %u: not freed", n);
        }

        /* no other is left that could be found, now or after a move */

        for (i = 0, k = 0; i < 2 * NGX_HTTP_WEBHOOK_BUCKET; i++) {
            slot = &buckets[i / NGX_HTTP_WEBHOOK_BUCKET]
                   ->slots[i % NGX_HTTP_WEBHOOK_BUCKET];

            k += (slot->state != NGX_HTTP_WEBHOOK_SLOT_FREE);
        }

        if (k != (n & 1)
            || lookup(&table, &id, START) != (n & 1 ? NGX_DECLINED : NGX_OK))
        {
            fail("copies %u: %u are left", n, k);
        }

        free(table.marks);
    }
}


int
main(int argc, char **argv)
{
    static test_t  tests[] = {
        { "model", model },
        { "small", small },
        { "owners", owners },
        { "claims", claims },
        { "late", late },
        { "layout", layout },
        { "twice", twice }
    };

    return run(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
