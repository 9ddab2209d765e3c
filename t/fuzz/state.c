
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The state file: whatever is in it, what the table knows afterwards stands in
 * a record of it that is not damaged.
 */


#include "fuzz.h"

#include "ngx_http_webhook_state_file.h"


/* the file, as docs say nothing about it: a header, and a record a bucket */

#define RECORD   256
#define CRC      (RECORD - 4)      /* of a record */

#define VERSION  8                 /* of the header */
#define BUCKETS  12
#define SAVED    16
#define ZONE     64
#define ZONELEN  128
#define HCRC     132

#define SIZE     (4 * 1024)        /* of the table */
#define MAX      4096              /* of an input */
#define RECORDS  (MAX / RECORD + 1)


static char    folder[] = "/dev/shm/webhook-fuzz-XXXXXX";
static char    path[sizeof(folder) + sizeof("/state")];
static u_char  salt[NGX_HTTP_WEBHOOK_STATE_KEY];

static ngx_shmtx_t     mutex;
static ngx_shmtx_sh_t  lock;


static void
cleanup(void)
{
    unlink(path);
    rmdir(folder);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static ngx_cycle_t  cycle;

    fuzz_check(mkdtemp(folder) != NULL);

    sprintf(path, "%s/state", folder);
    atexit(cleanup);

    ngx_pid = getpid();
    ngx_time_init();
    ngx_cacheline_size = NGX_CPU_CACHE_LINE;

    /* a table that does not stand well is copied, with the cycle's log */

    cycle.log = &fuzz_log;
    ngx_cycle = &cycle;

    fuzz_check(ngx_shmtx_create(&mutex, &lock, NULL) == NGX_OK);

    return ngx_crc32_table_init() == NGX_OK ? 0 : 1;
}


static void
set32(u_char *p, uint32_t n)
{
    memcpy(p, &n, sizeof(n));
}


static uint32_t
get32(u_char *p)
{
    uint32_t  n;

    memcpy(&n, p, sizeof(n));

    return n;
}


/* where the records stand whose checksum is right */

static unsigned
find_right(u_char *image, size_t size, size_t right[RECORDS])
{
    size_t    n;
    unsigned  count;

    count = 0;

    for (n = RECORD; n + RECORD <= size; n += RECORD) {
        if (get32(image + n + CRC) == ngx_crc32_long(image + n, CRC)) {
            right[count++] = n;
        }
    }

    return count;
}


static int
is_known(u_char *image, size_t *right, unsigned count,
    ngx_http_webhook_slot_t *slot)
{
    unsigned  i, k;

    for (i = 0; i < count; i++) {
        for (k = 0; k < NGX_HTTP_WEBHOOK_BUCKET; k++) {
            if (memcmp(image + right[i] + k * sizeof(*slot), slot,
                       sizeof(*slot))
                == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    int                        fd;
    size_t                     n, right[RECORDS];
    u_char                    *image, *memory, flags;
    uint32_t                   i, k;
    unsigned                   count;
    ngx_pool_t                *pool;
    ngx_http_webhook_slot_t   *slot;
    ngx_http_webhook_state_t   state;
    ngx_http_webhook_table_t   table;

    if (size > MAX) {
        return 0;
    }

    /* what no random input has: a start, checksums, a size, that are right */

    flags = fuzz_byte(data, size);

    n = (flags & 1) ? ngx_align(size, RECORD) : size;
    image = calloc(1, n + 1);
    memcpy(image, data, size);

    if ((flags & 2) && n >= RECORD) {
        memcpy(image, "whstate", 8);
        set32(image + VERSION, 2);
        set32(image + BUCKETS, n / RECORD - 1);

        if (flags & 4) {
            memcpy(image + ZONE, "z", 2);
            set32(image + ZONELEN, 1);
        }

        set32(image + HCRC, ngx_crc32_long(image, HCRC));
    }

    for (i = 1; (flags & 8) && (i + 1) * RECORD <= n; i++) {
        if (!(flags & 16) || i % 2) {
            set32(image + i * RECORD + CRC,
                  ngx_crc32_long(image + i * RECORD, CRC));
        }
    }

    fd = open(path, O_WRONLY|O_CREAT|O_TRUNC, 0600);
    fuzz_check(fd != -1 && write(fd, image, n) == (ssize_t) n);
    close(fd);

    memory = calloc(1, SIZE);

    ngx_http_webhook_table_init(&table, memory, memory + SIZE);
    memset(table.salt, 0x5a, sizeof(table.salt));

    ngx_memzero(&state, sizeof(state));

    state.path.data = (u_char *) path;
    state.path.len = strlen(path);
    state.folder.data = (u_char *) path;
    state.folder.len = sizeof(folder);
    ngx_str_set(&state.zone, "z");
    state.key = salt;
    state.table = &table;
    state.mutex = &mutex;

    pool = ngx_create_pool(NGX_MIN_POOL_SIZE * 8, &fuzz_log);

    fuzz_check(ngx_http_webhook_state_open(&state, 1, 0, pool, &fuzz_log)
               == NGX_OK);

    count = find_right(image, n, right);

    for (i = 0; i < table.nbuckets; i++) {
        for (k = 0; k < NGX_HTTP_WEBHOOK_BUCKET; k++) {
            slot = &table.buckets[i].slots[k];

            fuzz_check(slot->state == 0
                       || is_known(image, right, count, slot));
        }
    }

    ngx_destroy_pool(pool);
    free(memory);
    free(image);

    return 0;
}
