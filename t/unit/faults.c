
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Preloaded into nginx: lets one allocation, or one call of OpenSSL by nginx
 * and its modules, fail.  Which one is told by numbers in the file that
 * TEST_NGINX_FAULTS names, at any time: 1 for allocations and 2 for calls, the
 * place of the one to fail, how many there were, and whether it has failed.
 * The fifth is how many allocations there are that were not freed, and the
 * sixth by how many seconds the time of day is ahead.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>


#define MEMORY  1
#define CALLS   2

#define REAL(name)                                                           \
    if (real == NULL) {                                                      \
        real = (__typeof__(real)) dlsym(RTLD_NEXT, #name);                   \
    }

/* dlsym() may come here, and does without; the compiler thinks otherwise */

#define LOOK(name, nothing)                                                  \
    if (real == NULL && looking) {                                           \
        return nothing;                                                      \
    }                                                                        \
                                                                             \
    looking = 1;                                                             \
    REAL(name)                                                               \
    looking = 0;

#define CALL(name, params, args, failed)                                     \
    CALL_OF(int, name, params, args, failed)

#define CALL_OF(type, name, params, args, failed)                            \
                                                                             \
type                                                                         \
name params                                                                  \
{                                                                            \
    static type  (*real) params;                                             \
                                                                             \
    REAL(name)                                                               \
                                                                             \
    return fails(CALLS) ? failed : real args;                                \
}


enum {
    MODE = 0,
    PLACE,
    COUNT,
    FAILED,
    LIVE,
    AHEAD
};


static volatile int  *numbers;


static void __attribute__((constructor))
init(void)
{
    int    fd;
    char  *name;
    void  *p;

    name = getenv("TEST_NGINX_FAULTS");
    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDWR);
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);

    if (p != MAP_FAILED) {
        numbers = p;
    }
}


static int
fails(int mode)
{
    if (numbers == NULL || numbers[MODE] != mode) {
        return 0;
    }

    numbers[COUNT]++;

    if (numbers[COUNT] != numbers[PLACE]) {
        return 0;
    }

    numbers[FAILED] = 1;
    errno = ENOMEM;

    return 1;
}


static void *
counted(void *p)
{
    if (numbers && p) {
        __sync_fetch_and_add(&numbers[LIVE], 1);
    }

    return p;
}


void *
malloc(size_t size)
{
    static volatile int  looking;
    static void        *(*real)(size_t);

    LOOK(malloc, NULL)

    return fails(MEMORY) ? NULL : counted(real(size));
}


void *
calloc(size_t n, size_t size)
{
    static volatile int  looking;
    static void        *(*real)(size_t, size_t);

    LOOK(calloc, NULL)

    return fails(MEMORY) ? NULL : counted(real(n, size));
}


void *
realloc(void *p, size_t size)
{
    static void  *(*real)(void *, size_t);

    REAL(realloc)

    if (fails(MEMORY)) {
        return NULL;
    }

    return p ? real(p, size) : counted(real(p, size));
}


void
free(void *p)
{
    static volatile int  looking;
    static void        (*real)(void *);

    LOOK(free, /* void */)

    if (numbers && p) {
        __sync_fetch_and_sub(&numbers[LIVE], 1);
    }

    real(p);
}


void *
memalign(size_t alignment, size_t size)
{
    static void  *(*real)(size_t, size_t);

    REAL(memalign)

    return fails(MEMORY) ? NULL : counted(real(alignment, size));
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    int           rc;
    static int  (*real)(void **, size_t, size_t);

    REAL(posix_memalign)

    if (fails(MEMORY)) {
        return ENOMEM;
    }

    rc = real(p, alignment, size);

    if (rc == 0) {
        (void) counted(*p);
    }

    return rc;
}


int
gettimeofday(struct timeval *tv, void *tz)
{
    int          rc;
    static int  (*real)(struct timeval *, void *);

    REAL(gettimeofday)

    rc = real(tv, tz);

    if (numbers) {
        tv->tv_sec += numbers[AHEAD];
    }

    return rc;
}


CALL(EVP_Digest, (const void *data, size_t len, unsigned char *md,
    unsigned int *size, const void *type, void *impl),
    (data, len, md, size, type, impl), 0)

CALL(EVP_DigestInit_ex, (void *ctx, const void *type, void *impl),
    (ctx, type, impl), 0)

CALL(EVP_DigestUpdate, (void *ctx, const void *data, size_t len),
    (ctx, data, len), 0)

CALL(EVP_DigestFinal_ex, (void *ctx, unsigned char *md, unsigned int *size),
    (ctx, md, size), 0)

CALL(EVP_MD_CTX_copy_ex, (void *out, const void *in), (out, in), 0)

CALL(EVP_DigestVerifyInit, (void *ctx, void **pctx, const void *type,
    void *e, void *pkey), (ctx, pctx, type, e, pkey), 0)

CALL(EVP_DigestVerify, (void *ctx, const unsigned char *sig, size_t siglen,
    const unsigned char *tbs, size_t tbslen),
    (ctx, sig, siglen, tbs, tbslen), -1)

CALL_OF(void *, EVP_PKEY_CTX_new, (void *pkey, void *e), (pkey, e), NULL)

CALL(EVP_PKEY_verify_init, (void *ctx), (ctx), 0)

CALL(EVP_PKEY_CTX_set_rsa_padding, (void *ctx, int pad), (ctx, pad), 0)

CALL(EVP_PKEY_CTX_set_rsa_pss_saltlen, (void *ctx, int len), (ctx, len), 0)

CALL(EVP_PKEY_CTX_set_signature_md, (void *ctx, const void *md), (ctx, md), 0)

CALL(EVP_PKEY_verify, (void *ctx, const unsigned char *sig, size_t siglen,
    const unsigned char *tbs, size_t tbslen),
    (ctx, sig, siglen, tbs, tbslen), -2)

CALL_OF(void *, ECDSA_SIG_new, (void), (), NULL)

CALL(ECDSA_SIG_set0, (void *sig, void *r, void *s), (sig, r, s), 0)

CALL(i2d_ECDSA_SIG, (const void *sig, unsigned char **out), (sig, out), -1)

CALL_OF(void *, BN_bin2bn, (const unsigned char *s, int len, void *ret),
    (s, len, ret), NULL)
