
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: copies of it, while it is used too, its image in a
 * file, and what a killed process leaves.
 */


#include "table.h"


static model_t  models[MAX_IDS];


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

#define KILLED_SIZE  (192 * 12)

static ngx_http_webhook_table_t  killed_table;
static model_t                  *killed_in;     /* its entry may be anything */
static int64_t                   killed_at;
static uint32_t                  killed_ids;
static uint64_t                  killed_evictions;


static void
killed_here(void)
{
    u_char                   *end;
    uint32_t                  i, n;
    model_t                  *m;
    ngx_http_webhook_slot_t  *slot;
    static u_char             before[KILLED_SIZE];

    /* as it goes on nobody has looked, who would have mended something */

    end = (u_char *) (killed_table.buckets + killed_table.nbuckets);
    ngx_memcpy(before, killed_table.marks, end - (u_char *) killed_table.marks);

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

    ngx_memcpy(killed_table.marks, before, end - (u_char *) killed_table.marks);
}


static void
killed(void)
{
    int64_t    until;
    uint32_t   n, fingerprint;
    model_t   *m;

    make(&killed_table, KILLED_SIZE);

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


int
main(int argc, char **argv)
{
    static test_t  tests[] = {
        { "copy", copy },
        { "marks", marks },
        { "busy", busy },
        { "killed", killed }
    };

    return run(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
