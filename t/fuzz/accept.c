
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Accept: the ranges of one value are the same in values of their own, in any
 * order and in any case, and a weight is never more than one.
 */


#include "fuzz.h"

#include "ngx_http_webhook_accept.h"


#define MAX    256
#define TYPES  3


static ngx_str_t  types[TYPES] = {
    ngx_string("text/plain; version=0.0.4"),
    ngx_string("text/html"),
    ngx_string("application/json")
};


static void
start(ngx_http_webhook_accept_t *accept)
{
    ngx_uint_t  i;

    for (i = 0; i < TYPES; i++) {
        ngx_http_webhook_accept_init(&accept[i], &types[i]);
    }
}


static void
read_copy(ngx_http_webhook_accept_t *accept, const u_char *data, size_t size)
{
    ngx_str_t  value;

    value.len = size;
    value.data = fuzz_copy(data, size);

    ngx_http_webhook_accept_read(accept, TYPES, &value);

    free(value.data);
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t                     i, end;
    u_char                     other[MAX];
    ngx_http_webhook_accept_t  whole[TYPES], pieces[TYPES], same[TYPES];

    if (size > MAX) {
        return 0;
    }

    start(whole);
    read_copy(whole, data, size);

    /* from the last one to the first */

    start(pieces);

    for (end = size; ; end = i) {

        for (i = end; i && data[i - 1] != ','; i--) { /* void */ }

        read_copy(pieces, data + i, end - i);

        if (i == 0) {
            break;
        }

        i--;
    }

    for (i = 0; i < size; i++) {
        other[i] = isupper(data[i]) ? tolower(data[i]) : toupper(data[i]);
    }

    start(same);
    read_copy(same, other, size);

    for (i = 0; i < TYPES; i++) {
        fuzz_check(whole[i].q <= 1000 && whole[i].closeness <= 3);

        fuzz_check(pieces[i].q == whole[i].q
                   && pieces[i].closeness == whole[i].closeness);

        fuzz_check(same[i].q == whole[i].q
                   && same[i].closeness == whole[i].closeness);
    }

    return 0;
}
