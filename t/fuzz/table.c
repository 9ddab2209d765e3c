
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys: a sequence of operations on few ids, with the clock
 * going either way and copies made meanwhile, has the outcomes of a model that
 * is too simple to be wrong.
 */


#include "fuzz.h"

#include "ngx_http_webhook_table.h"


#define IDS    16
#define SIZE   (16 * 1024)     /* of a table: nothing ever has to go */
#define START  1764000000
#define LEASE  30


typedef struct {
    enum { FREE, IN_FLIGHT, DONE }  state;
    uint32_t                        owner;
    uint32_t                        fingerprint;
    time_t                          until;
    unsigned                        dead;    /* it was, at some time */
} model_t;


/* what was forgotten, and may be put back unless it was claimed meanwhile */

typedef struct {
    ngx_http_webhook_slot_t         slot;
    model_t                         model;
    uint32_t                        number;
    unsigned                        claimed;
    unsigned                        changes;  /* before it: others may have
                                                 needed its place */
} taken_t;


typedef struct {
    ngx_http_webhook_table_t        table;
    u_char                         *memory;
} memory_t;


static void
make(memory_t *memory, size_t size)
{
    unsigned  i;

    memory->memory = calloc(1, size);

    ngx_http_webhook_table_init(&memory->table, memory->memory,
                                memory->memory + size);

    for (i = 0; i < 4; i++) {
        memory->table.salt[i] = 0x9e3779b97f4a7c15 * (i + 1);
    }
}


static ngx_int_t
expected(model_t *m, ngx_http_webhook_table_t *table, time_t now)
{
    if (m->state == FREE || m->until <= now) {
        return NGX_OK;
    }

    if (m->state == DONE) {
        return NGX_DECLINED;
    }

    /* nobody claims for that long: the clock was set back */

    return (m->until - now > (time_t) table->lease + 60) ? NGX_OK : NGX_BUSY;
}


/*
 * What was dead and is alive again, as the clock was set, may have made room
 * for another in the meantime.
 */

static void
settle(model_t *m, ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id,
    time_t now)
{
    uint32_t  found;

    if (!m->dead || expected(m, table, now) == NGX_OK) {
        return;
    }

    m->dead = 0;

    if (ngx_http_webhook_table_lookup(table, id, now, &found) == NGX_OK) {
        m->state = FREE;
    }
}


/* some of a copy that is under way, or all of it */

static void
copy(memory_t *to, memory_t *from, uint32_t *n, time_t now, unsigned end)
{
    uint32_t                    i, before;
    ngx_uint_t                  k, taken;
    ngx_http_webhook_bucket_t   buckets[NGX_HTTP_WEBHOOK_SLICE];

    do {
        before = *n;
        taken = ngx_http_webhook_table_copy_take(&from->table, n, buckets);

        fuzz_check(*n >= before && *n <= from->table.nbuckets);
        fuzz_check(taken <= NGX_HTTP_WEBHOOK_SLICE);

        for (k = 0, i = before; k < taken; k++, i++) {
            ngx_http_webhook_table_add(&to->table, i, &buckets[k], now);
        }

    } while (end && *n < from->table.nbuckets);

    if (end) {
        ngx_http_webhook_table_copy_end(&to->table, &from->table, now);
    }
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    time_t                  now, copied;
    memory_t                tables[2], *memory, *other;
    uint32_t                n, owner, found;
    unsigned                i, op, copying, changes;
    ngx_int_t               rc, want;
    model_t                 models[IDS], *m;
    taken_t                 taken[IDS], *back;
    ngx_http_webhook_id_t   ids[IDS];
    ngx_http_webhook_slot_t  slot;

    memset(models, 0, sizeof(models));
    memset(taken, 0, sizeof(taken));

    for (i = 0; i < IDS; i++) {
        ids[i].hi = 0x0123456789abcdef * (i + 1);
        ids[i].lo = i;
    }

    memory = &tables[0];
    other = &tables[1];

    make(memory, SIZE);

    now = START;
    copied = 0;
    copying = 0;
    changes = 0;
    n = 0;

    while (size >= 2) {

        op = fuzz_byte(data, size);
        i = fuzz_byte(data, size);
        m = &models[i % IDS];
        i /= IDS;

        settle(m, &memory->table, &ids[m - models], now);

        want = expected(m, &memory->table, now);
        found = 0;

        switch (op % 9) {

        case 0:
            rc = ngx_http_webhook_table_claim(&memory->table,
                                              &ids[m - models], now, LEASE,
                                              i & 1, &owner, &found);

            fuzz_check(rc == want);
            fuzz_check(rc != NGX_DECLINED || found == m->fingerprint);

            if (rc == NGX_OK) {
                fuzz_check(owner && owner <= NGX_HTTP_WEBHOOK_OWNER_MASK);

                m->state = IN_FLIGHT;
                m->owner = owner;
                m->until = now + LEASE;
                m->dead = 0;

                taken[m - models].claimed = 1;
                changes++;
            }

            break;

        case 1:
            rc = ngx_http_webhook_table_lookup(&memory->table,
                                               &ids[m - models], now, &found);

            fuzz_check(rc == want);
            fuzz_check(rc != NGX_DECLINED || found == m->fingerprint);
            break;

        case 2:

            /* of an owner whose lease has run out the table may know more */

            rc = ngx_http_webhook_table_renew(&memory->table,
                                              &ids[m - models], m->owner,
                                              now + LEASE);

            fuzz_check(rc == NGX_OK || want != NGX_BUSY);
            fuzz_check(rc == NGX_DECLINED || m->state == IN_FLIGHT);

            if (rc == NGX_OK) {
                m->until = now + LEASE;
                m->dead = 0;
            }

            break;

        case 3:
            rc = ngx_http_webhook_table_free(&memory->table, &ids[m - models],
                                             m->owner);

            fuzz_check(rc == NGX_OK || want != NGX_BUSY);
            fuzz_check(rc == NGX_DECLINED || m->state == IN_FLIGHT);

            if (rc == NGX_OK) {
                m->state = FREE;
            }

            break;

        case 4:

            /* a success is a fact, whoever holds the claim by then */

            rc = ngx_http_webhook_table_commit(&memory->table,
                                               &ids[m - models],
                                               m->owner, now, now + 100 + i,
                                               op + 1);

            fuzz_check(rc == NGX_OK || rc == NGX_DECLINED);
            fuzz_check(rc == NGX_OK || want != NGX_BUSY);

            taken[m - models].claimed = 1;
            changes++;

            if (m->state == DONE && want == NGX_DECLINED) {
                m->until = ngx_max(m->until, now + 100 + (time_t) i);
                break;
            }

            m->state = DONE;
            m->fingerprint = op + 1;
            m->until = now + 100 + i;
            m->dead = 0;
            break;

        case 5:
            now += i;
            break;

        case 6:

            /*
             * What a copy has left out would be alive again in the old table,
             * and what died in the meantime is in the new one or is not.
             */

            if (!copying && i < 8) {
                now = ngx_max(now - (i ? (time_t) i : 3600), copied);
            }

            break;

        case 7:

            /* on request, but not while a copy may have it already */

            back = &taken[m - models];

            if ((i & 2) && back->slot.state) {

                /* as it was; or as it is now, if somebody may have had it */

                ngx_http_webhook_table_put_back(&memory->table, &back->slot,
                                                back->number, i & 1);
                back->slot.state = 0;

                if (back->claimed) {
                    break;
                }

                *m = back->model;
                m->dead = (back->changes != changes);

                settle(m, &memory->table, &ids[m - models], now);

                fuzz_check(ngx_http_webhook_table_lookup(&memory->table,
                                                  &ids[m - models], now, &found)
                           == expected(m, &memory->table, now));
                break;
            }

            rc = (i & 1)
                 ? ngx_http_webhook_table_take_out(&memory->table,
                                                   &ids[m - models], now,
                                                   &slot, &owner)
                 : ngx_http_webhook_table_forget(&memory->table,
                                                 &ids[m - models], now);

            if (want == NGX_DECLINED) {
                fuzz_check(rc == (copying ? NGX_AGAIN : NGX_OK));

            } else {
                fuzz_check(rc == (want == NGX_OK ? NGX_DECLINED : NGX_BUSY));
            }

            if (rc == NGX_OK) {

                if (i & 1) {
                    back->slot = slot;
                    back->model = *m;
                    back->number = owner;
                    back->claimed = 0;
                    back->changes = changes;
                }

                m->state = FREE;
            }

            break;

        default:

            /* into a table of the same size, or a larger one, bit by bit */

            if (!copying) {
                make(other, (i & 1) ? SIZE : 2 * SIZE);
                ngx_http_webhook_table_copy_begin(&other->table,
                                                  &memory->table);
                copying = 1;
                n = 0;
                break;
            }

            copy(other, memory, &n, now, i & 1);

            if (i & 1) {
                copied = now;
                changes++;

                free(memory->memory);

                memory = other;
                other = (memory == &tables[0]) ? &tables[1] : &tables[0];
                copying = 0;
            }

            break;
        }

        for (m = models; m < models + IDS; m++) {
            m->dead |= expected(m, &memory->table, now) == NGX_OK;
        }
    }

    for (i = 0; i < IDS; i++) {
        settle(&models[i], &memory->table, &ids[i], now);

        fuzz_check(ngx_http_webhook_table_lookup(&memory->table, &ids[i], now,
                                                 &found)
                   == expected(&models[i], &memory->table, now));
    }

    if (copying) {
        free(other->memory);
    }

    free(memory->memory);

    return 0;
}
