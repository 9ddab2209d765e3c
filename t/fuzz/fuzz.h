
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the targets of libFuzzer share.  A target is linked with nginx and the
 * module; it is given bytes, and looks at more than whether they crash it.
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <stdio.h>


#define fuzz_check(condition)                                                 \
    if (!(condition)) {                                                       \
        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,            \
                #condition);                                                  \
        abort();                                                              \
    }

/* what takes from the front of the input, or 0 where nothing is left */

#define fuzz_byte(data, size)                                                 \
    ((size) ? ((size)--, *(data)++) : 0)


static ngx_log_t  fuzz_log;     /* of level 0: says nothing */


/*
 * A copy that ends where its memory does, so that a byte too far is noticed.
 * Freed by the caller.
 */

static ngx_inline u_char *
fuzz_copy(const u_char *data, size_t size)
{
    u_char  *p;

    p = malloc(size);

    if (size) {
        memcpy(p, data, size);
    }

    return p;
}


static ngx_inline ngx_uint_t
fuzz_equal(ngx_str_t *one, ngx_str_t *other)
{
    return one->len == other->len
           && (one->len == 0
               || memcmp(one->data, other->data, one->len) == 0);
}


int LLVMFuzzerTestOneInput(const u_char *data, size_t size);


#endif /* _FUZZ_H_INCLUDED_ */
