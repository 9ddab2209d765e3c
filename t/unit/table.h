
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the programs that drive the table of event keys without nginx have in
 * common: the table itself, ids at random, and what goes without saying.
 *
 * usage: program seed name
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


static uint64_t  state0, state1;


static ngx_inline void
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

static ngx_inline uint64_t
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


static ngx_inline ngx_http_webhook_id_t
new_id(void)
{
    ngx_http_webhook_id_t  id;

    id.hi = rnd();
    id.lo = rnd();

    return id;
}


static ngx_inline void
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


static ngx_inline uint64_t
evictions(ngx_http_webhook_table_t *table)
{
    return table->counters[NGX_HTTP_WEBHOOK_COUNT_EVICTED];
}


/* a claim that must succeed, and is committed */

static ngx_inline void
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


static ngx_inline ngx_int_t
lookup(ngx_http_webhook_table_t *table, ngx_http_webhook_id_t *id, int64_t now)
{
    uint32_t  fingerprint;

    return ngx_http_webhook_table_lookup(table, id, now, &fingerprint);
}


static ngx_inline ngx_int_t
expected(model_t *m, int64_t now)
{
    if (m->state == FREE || m->until <= now) {
        return NGX_OK;
    }

    return m->state == DONE ? NGX_DECLINED : NGX_BUSY;
}


/* what forgetting returns, by what a lookup does */

static ngx_inline ngx_int_t
forgetting(ngx_int_t want)
{
    return want == NGX_OK ? NGX_DECLINED : want == NGX_BUSY ? NGX_BUSY : NGX_OK;
}


/* all at once, as if nobody used the other one; the clock may be set before */

static ngx_inline void
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


typedef struct {
    const char  *name;
    void       (*handler)(void);
} test_t;


static ngx_inline int
run(int argc, char **argv, test_t *tests, size_t n)
{
    size_t  i;

    if (argc != 3) {
        return 2;
    }

    state0 = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;
    state1 = 0xd1b54a32d192ed03ULL;

    for (i = 0; i < 20; i++) {
        (void) rnd();
    }

    for (i = 0; i < n; i++) {
        if (strcmp(argv[2], tests[i].name) == 0) {
            tests[i].handler();
            printf("ok\n");
            return 0;
        }
    }

    return 2;
}
