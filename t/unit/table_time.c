
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: times that its 32 bits cannot tell apart, and a
 * clock that is set back.
 */


#include "table.h"


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


int
main(int argc, char **argv)
{
    static test_t  tests[] = {
        { "wrap", wrap },
        { "back", back }
    };

    return run(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
