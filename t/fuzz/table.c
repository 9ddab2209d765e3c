
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: a sequence of operations on few ids, with the clock
 * going either way, copies and an image made meanwhile, and processes killed
 * before any store, has the outcomes of a model that is too simple to be wrong.
 * In a small table entries have to go, no more than are counted, and no claim.
 */


#include "table.h"

/* compiled here: the compiler tells of each store */

#include "ngx_http_webhook_table.c"
#include "ngx_http_webhook_table_copy.c"
#include "ngx_http_webhook_table_forget.c"
#include "ngx_http_webhook_table_owed.c"


#define MAX  301                /* of an input: a hundred steps */


typedef enum {
    CLAIM = 0,
    LOOKUP,
    RENEW,
    RELEASE,
    COMMIT,
    FORTH,
    BACK,
    FORGET,
    PUT_BACK,
    COPY,
    LEARN,
    ACKNOWLEDGE,
    OWE,
    FORGET_ALL,
    IMAGE,
    OPERATIONS
} operation_e;


/* some of a copy that is under way, or all of it */

static void
copy(unsigned end)
{
    uint32_t                    i, before;
    ngx_uint_t                  k, n;
    ngx_http_webhook_bucket_t   buckets[NGX_HTTP_WEBHOOK_SLICE];

    do {
        before = copied;
        n = ngx_http_webhook_table_copy_take(memory.table, &copied, buckets);

        fuzz_check(copied >= before && copied <= memory.table->nbuckets);
        fuzz_check(n <= NGX_HTTP_WEBHOOK_SLICE);

        for (k = 0, i = before; k < n; k++, i++) {
            ngx_http_webhook_table_add(other.table, i, &buckets[k], now);
        }

    } while (end && copied < memory.table->nbuckets);
}


static void
end_copy(void)
{
    model_t   *m;
    uint32_t   fingerprint;
    uint64_t   before;
    unsigned   i;

    copy(1);

    for (i = 0; i < IDS; i++) {
        settle(i);
    }

    before = evictions(&memory);

    ngx_http_webhook_table_copy_end(other.table, memory.table, now);

    free(memory.table);

    memory = other;
    other.table = NULL;
    copying = 0;
    earliest = now;
    changes++;

    /* what had to go after it was copied is back */

    for (i = 0; i < IDS; i++) {
        m = &models[i];

        if (lookup(&memory, i, &fingerprint) == NGX_DECLINED
            && until(i) <= m->evicted
            && (expected(m) != NGX_DECLINED || until(i) > m->until))
        {
            become(i, 0, fingerprint, until(i));
        }
    }

    check_all(evictions(&memory) - before);

    memset(image, 0, sizeof(image));
    ngx_http_webhook_table_mark_all(memory.table);
}


/* what may be killed */

static ngx_int_t
operate(operation_e op, unsigned i, unsigned n)
{
    uint32_t                   bucket;
    uint64_t                   count;
    ngx_int_t                  rc;
    ngx_http_webhook_id_t     *id;
    ngx_http_webhook_table_t  *table;

    id = &ids[i];
    table = memory.table;

    switch (op) {

    case CLAIM:
        return ngx_http_webhook_table_claim(table, id, now, LEASE, n & 1,
                                            &owner, &found);

    case LOOKUP:
        return ngx_http_webhook_table_lookup(table, id, now, &found);

    case RENEW:
        return ngx_http_webhook_table_renew(table, id, models[i].owner,
                                            now + LEASE);

    case RELEASE:
        return ngx_http_webhook_table_free(table, id, models[i].owner);

    case COMMIT:
        return ngx_http_webhook_table_commit(table, id, models[i].owner, now,
                                             now + 10 + n, 1 + n);

    case FORGET:
        slot.state = 0;

        return (n & 1)
               ? ngx_http_webhook_table_take_out(table, id, now, &slot,
                                                 &number)
               : ngx_http_webhook_table_forget(table, id, now);

    case PUT_BACK:
        ngx_http_webhook_table_put_back(table, &taken[i].slot,
                                        taken[i].number, n & 1);
        return NGX_OK;

    case LEARN:
        ngx_http_webhook_table_learn(table, id, models[i].owner, now + 10 + n,
                                     1 + n);
        return NGX_OK;

    case ACKNOWLEDGE:
        ngx_http_webhook_table_acknowledge(table, id, models[i].until,
                                           models[i].fingerprint);
        return NGX_OK;

    case OWE:
        for (bucket = 0; bucket < table->nbuckets; bucket++) {
            ngx_http_webhook_table_owe(table, bucket, now);
        }

        return NGX_OK;

    default: /* FORGET_ALL */
        bucket = 0;
        count = 0;

        do {
            rc = ngx_http_webhook_table_forget_some(table, &bucket, now,
                                                    &count);
        } while (rc == NGX_OK && bucket < table->nbuckets);

        return rc;
    }
}


static void
judge(operation_e op, unsigned i, unsigned n, ngx_int_t want, ngx_int_t rc)
{
    model_t   *m;
    unsigned   k, known;

    m = &models[i];

    /* of an owner whose lease has run out the table may know more */

    known = (want == NGX_BUSY && m->owner);

    switch (op) {

    case CLAIM:
        fuzz_check(rc == want
                   || (small && rc == NGX_ABORT && want == NGX_OK));
        fuzz_check(rc != NGX_DECLINED || found == m->fingerprint);

        if (rc == NGX_OK) {
            fuzz_check(owner && owner <= NGX_HTTP_WEBHOOK_OWNER_MASK);

            m->state = IN_FLIGHT;
            m->owner = owner;
            m->until = now + LEASE;
            m->dead = 0;

            taken[i].claimed = 1;
            changes++;
        }

        break;

    case LOOKUP:
        fuzz_check(rc == want);
        fuzz_check(rc != NGX_DECLINED || found == m->fingerprint);
        break;

    case RENEW:
        fuzz_check(rc == NGX_OK || !known);
        fuzz_check(rc == NGX_DECLINED || m->state == IN_FLIGHT);

        if (rc == NGX_OK) {
            m->until = now + LEASE;
            m->dead = 0;
        }

        break;

    case RELEASE:
        fuzz_check(rc == NGX_OK || !known);
        fuzz_check(rc == NGX_DECLINED || m->state == IN_FLIGHT);

        if (rc == NGX_OK) {
            m->state = FREE;
        }

        break;

    case COMMIT:

        /* a success is a fact, whoever holds the claim by then */

        fuzz_check(rc == NGX_OK || !known);
        fuzz_check(rc == NGX_OK || rc == NGX_DECLINED
                   || (small && rc == NGX_ABORT && want == NGX_OK));

        if (rc == NGX_ABORT) {
            break;
        }

        taken[i].claimed = 1;
        changes++;

        if (want == NGX_DECLINED) {
            m->until = ngx_max(m->until, now + 10 + (time_t) n);
            m->owed |= owing;
            break;
        }

        become(i, owing, 1 + n, now + 10 + n);
        break;

    case FORGET:

        /* not while a copy may have it already */

        if (want == NGX_DECLINED) {
            fuzz_check(rc == (copying ? NGX_AGAIN : NGX_OK));

        } else {
            fuzz_check(rc == (want == NGX_OK ? NGX_DECLINED : NGX_BUSY));
        }

        if (rc == NGX_OK) {

            if (n & 1) {
                taken[i].slot = slot;
                taken[i].model = *m;
                taken[i].number = number;
                taken[i].claimed = 0;
                taken[i].changes = changes;
            }

            m->state = FREE;
            m->forgotten = 1;
        }

        break;

    case PUT_BACK:
        taken[i].slot.state = 0;

        /* as it was; or as it is now, if somebody may have had its place */

        if (!taken[i].claimed) {
            become(i, taken[i].model.owed || ((n & 1) && owing),
                   taken[i].model.fingerprint, taken[i].model.until);

            m->dead = (taken[i].changes != changes);
            settle(i);
        }

        fuzz_check(lookup(&memory, i, &found) == expected(m));
        break;

    case LEARN:
        if (known || (m->state == IN_FLIGHT
                      && lookup(&memory, i, &found) == NGX_DECLINED))
        {
            become(i, 0, 1 + n, now + 10 + n);
        }

        break;

    case ACKNOWLEDGE:
        m->owed = 0;
        break;

    case OWE:
        for (k = 0; k < IDS; k++) {
            models[k].owed |= (expected(&models[k]) == NGX_DECLINED);
        }

        break;

    default: /* FORGET_ALL */
        fuzz_check(rc == (copying ? NGX_AGAIN : NGX_OK));

        for (k = 0; k < IDS && rc == NGX_OK; k++) {
            if (models[k].state == DONE) {
                models[k].forgotten |= (expected(&models[k]) == NGX_DECLINED);
                models[k].state = FREE;
                models[k].dead = 1;
            }
        }

        break;
    }
}


/* it is as before, or as after the operation, or what is said of it */

static void
judge_killed(operation_e op, unsigned i, unsigned n, ngx_int_t want)
{
    time_t     end;
    model_t   *m;
    uint32_t   fingerprint;
    unsigned   k;
    ngx_int_t  rc;

    if (op == FORGET_ALL) {
        for (k = 0; k < IDS; k++) {
            settle(k);

            if (expected(&models[k]) == NGX_DECLINED
                && lookup(&memory, k, &found) == NGX_OK)
            {
                models[k].state = FREE;
                models[k].forgotten = 1;
                models[k].dead = 1;
            }
        }

        earliest = now;
        return;
    }

    m = &models[i];

    rc = lookup(&memory, i, &fingerprint);
    end = until(i);

    /* what is not alive may be anything, and is no more */

    earliest = now;
    changes++;

    if (op == ACKNOWLEDGE) {
        m->owed = 0;
    }

    if (op == PUT_BACK) {
        taken[i].slot.state = 0;
    }

    if (rc == want
        && (rc == NGX_OK || end == m->until)
        && (rc != NGX_DECLINED || fingerprint == m->fingerprint))
    {
        return;
    }

    switch (op) {

    case CLAIM:
        fuzz_check(want == NGX_OK && rc == NGX_BUSY && end == now + LEASE);

        taken[i].claimed = 1;

        m->state = IN_FLIGHT;
        m->owner = 0;
        m->until = end;
        m->dead = 0;
        break;

    case RENEW:
        fuzz_check(m->state == IN_FLIGHT && rc == NGX_BUSY
                   && end == now + LEASE);

        m->until = end;
        m->dead = 0;
        break;

    case RELEASE:
        fuzz_check(want == NGX_BUSY && rc == NGX_OK);

        m->state = FREE;
        break;

    case COMMIT:
    case LEARN:

        /* done, if only for as long as it was to be before */

        fuzz_check(rc == NGX_DECLINED);
        fuzz_check(fingerprint == (want == NGX_DECLINED ? m->fingerprint
                                                        : 1 + n));
        fuzz_check(end == now + 10 + (time_t) n
                   || (m->state != FREE && end == m->until));

        taken[i].claimed = 1;

        become(i, (want == NGX_DECLINED) ? m->owed
                                         : (op == COMMIT && owing),
               fingerprint, end);
        break;

    case FORGET:
        fuzz_check(want == NGX_DECLINED && rc == NGX_OK);

        m->state = FREE;
        m->forgotten = 1;
        break;

    default: /* PUT_BACK */
        fuzz_check(op == PUT_BACK && want == NGX_OK && rc == NGX_DECLINED);
        fuzz_check(end == taken[i].model.until
                   && fingerprint == taken[i].model.fingerprint);

        become(i, taken[i].model.owed, fingerprint, end);
        break;
    }
}


/* one step; when is the store before which its process is killed, or NEVER */

static void
step(operation_e op, unsigned i, unsigned n, int when)
{
    uint64_t            before;
    ngx_int_t           rc;
    static unsigned     survived;
    static ngx_int_t    want;

    switch (op) {

    case FORTH:
        move_clock(now + n);
        return;

    case BACK:

        /*
         * What a copy has left out would be alive again in the old table,
         * and what died in the meantime is in the new one or is not.
         */

        if (!copying) {
            move_clock(ngx_max(now - (n ? (time_t) n : 3600), earliest));
        }

        return;

    case COPY:

        /* into a table of the same size, or a larger one, bit by bit */

        if (!copying) {
            make(&other, (small ? SMALL : SIZE) * ((n & 1) ? 1 : 2));

            if (other.size < memory.size) {
                free(other.table);
                make(&other, memory.size - sizeof(ngx_http_webhook_table_t));
            }

            ngx_http_webhook_table_copy_begin(other.table, memory.table);
            ngx_http_webhook_table_set_owing(other.table, owing);
            copying = 1;
            copied = 0;

            for (i = 0; i < IDS; i++) {
                models[i].evicted = 0;
            }

        } else if (n & 1) {
            end_copy();

        } else {
            copy(0);
        }

        return;

    case IMAGE:
        update_image();
        return;

    case PUT_BACK:
        if (taken[i].slot.state == 0) {
            return;
        }

        break;

    case OWE:
        if (n & 1) {
            owing = !owing;
            ngx_http_webhook_table_set_owing(memory.table, owing);

            if (copying) {
                ngx_http_webhook_table_set_owing(other.table, owing);
            }

            return;
        }

        break;

    default:
        break;
    }

    settle(i);

    want = expected(&models[i]);
    before = evictions(&memory);
    found = 0;
    survived = 0;

    if (setjmp(killed) == 0) {
        stores = when;
        rc = operate(op, i, n);
        stores = NEVER;
        survived = 1;
    }

    if (survived) {
        judge(op, i, n, want, rc);

    } else if (op != OWE) {
        judge_killed(op, i, n, want);
    }

    if (!survived || evictions(&memory) != before) {
        check_all(evictions(&memory) - before);
    }

    models[i].dead |= expected(&models[i]) == NGX_OK;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    unsigned  i, op, which;

    if (size > MAX) {
        return 0;
    }

    memset(models, 0, sizeof(models));
    memset(taken, 0, sizeof(taken));
    memset(image, 0, sizeof(image));

    for (i = 0; i < IDS; i++) {
        ids[i].hi = 0x0123456789abcdef * (i + 1);
        ids[i].lo = i;
        models[i].dead = 1;
    }

    now = START;
    earliest = 0;
    copying = 0;
    owing = 0;
    changes = 0;
    stores = NEVER;
    other.table = NULL;

    small = fuzz_byte(data, size) & 1;

    make(&memory, small ? SMALL : SIZE);

    while (size >= 3) {

        op = fuzz_byte(data, size);
        which = fuzz_byte(data, size);
        i = fuzz_byte(data, size);

        step(op % OPERATIONS, which % IDS, i,
             (op / OPERATIONS < 10)
             ? NEVER : (int) (op / OPERATIONS - 10 + which / IDS * 7));
    }

    check_all(0);
    check_owed();
    check_image();

    free(other.table);
    free(memory.table);

    return 0;
}
