
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: what others are to be told of, and what is
 * forgotten on request.
 */


#include "table.h"


static model_t  models[MAX_IDS];


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
 * else may have had it meanwhile.
 */

static void
put_back(void)
{
    uint32_t                   i, n, owner, fingerprint, state, number;
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

        rc = ngx_http_webhook_table_take_out(&table, &id, START, &slot,
                                             &number);

        if (rc != NGX_OK || lookup(&table, &id, START) != NGX_OK
            || ngx_http_webhook_table_take_out(&table, &id, START, &other,
                                               &n)
               != NGX_DECLINED)
        {
            fail("not taken out: %ld", (long) rc);
        }

        for (n = 0; n < table.nbuckets; n++) {
            ngx_http_webhook_table_unmark(&table, n);
            (void) ngx_http_webhook_table_take_owed(&table, n, START, &bucket);
        }

        ngx_http_webhook_table_put_back(&table, &slot, number, i / 2);

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

    /*
     * Claimed meanwhile, accepted for another time, refused, the claim has run
     * out, somebody else has forgotten it again; or its place was needed.
     */

    for (i = 0; i < 6; i++) {

        id = new_id();
        deliver(&table, &id, START, 600);

        ngx_http_webhook_table_take_out(&table, &id, START, &slot, &number);

        if (i < 5) {
            ngx_http_webhook_table_claim(&table, &id, START, 30, 1, &owner,
                                         &fingerprint);
        }

        switch (i) {

        case 1:
        case 4:
            ngx_http_webhook_table_commit(&table, &id, owner, START,
                                          START + 300, 2);

            if (i == 4) {
                ngx_http_webhook_table_take_out(&table, &id, START, &other,
                                                &n);
            }

            break;

        case 2:
            ngx_http_webhook_table_free(&table, &id, owner);
            break;

        case 3:
            ngx_http_webhook_table_renew(&table, &id, owner, START - 1);
            break;

        case 5:
            other.id = id;
            ngx_http_webhook_table_set(&table,
                                ngx_http_webhook_table_find(&table, &other.id),
                                &other.id, 0, NGX_HTTP_WEBHOOK_SLOT_FREE);
            break;
        }

        state = state_of(&table, &id);

        ngx_http_webhook_table_put_back(&table, &slot, number, 1);

        if (state_of(&table, &id) != state
            || ngx_http_webhook_table_until(&table, &id, START)
               != (i == 0 ? START + 30 : i == 1 ? START + 300 : 0))
        {
            fail("%u: another one's", i);
        }
    }

    /* nothing that is forgotten is alive, wherever the clock goes */

    id = new_id();
    deliver(&table, &id, START, 600);
    ngx_http_webhook_table_take_out(&table, &id, START, &slot, &number);

    for (i = 0; i < 30; i++) {
        if (lookup(&table, &id, (int64_t) START + (1 << i)) != NGX_OK
            || lookup(&table, &id, (int64_t) START - (1 << i)) != NGX_OK)
        {
            fail("alive %u seconds away", 1 << i);
        }
    }

    /* while a copy is made that has seen its bucket */

    ngx_http_webhook_table_copy_begin(&to, &table);

    for (n = 0; n < table.nbuckets; /* void */ ) {
        ngx_http_webhook_bucket_t  buckets[NGX_HTTP_WEBHOOK_SLICE];

        i = ngx_http_webhook_table_copy_take(&table, &n, buckets);

        while (i--) {
            ngx_http_webhook_table_add(&to, UINT32_MAX, &buckets[i], START);
        }
    }

    ngx_http_webhook_table_put_back(&table, &slot, number, 0);
    ngx_http_webhook_table_copy_end(&to, &table, START);

    if (lookup(&to, &id, START) != NGX_DECLINED) {
        fail("put back, and not copied");
    }

    /* and where there is no room: its place was needed */

    ngx_http_webhook_table_take_out(&to, &id, START, &slot, &number);

    for (i = 0; i < 4000; i++) {
        other.id = new_id();
        deliver(&to, &other.id, START, 600);
    }

    evicted = evictions(&to);
    ngx_http_webhook_table_put_back(&to, &slot, number, 0);

    if (lookup(&to, &id, START) != NGX_OK || evictions(&to) != evicted) {
        fail("put back where there is no room");
    }
}


int
main(int argc, char **argv)
{
    static test_t  tests[] = {
        { "owed", owed },
        { "forget", forget },
        { "told", told },
        { "put_back", put_back }
    };

    return run(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
