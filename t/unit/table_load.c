
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: what it holds, and whether that can be told.
 */


#include "table.h"


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


int
main(int argc, char **argv)
{
    static test_t  tests[] = {
        { "load", load },
        { "curve", curve },
        { "adversary", adversary },
        { "sample", sample }
    };

    return run(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
