
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Forms: the value of a parameter is what a decoder finds that takes the whole
 * apart first.
 */


#include "fuzz.h"

#include "ngx_http_webhook_form.h"


#define MAX  1024


typedef struct {
    long      name;     /* its length, or -1: it does not decode */
    long      value;
    int       empty;    /* nothing stands behind "=" */
    u_char    names[MAX];
    u_char    values[MAX];
} parameter_t;


/* decodes into dst, and returns the length, or -1 */

static long
decode(const u_char *p, size_t len, u_char *dst)
{
    long    n;
    char    digits[3];
    size_t  i;

    n = 0;

    for (i = 0; i < len; i++) {

        if (p[i] == '+') {
            dst[n++] = ' ';

        } else if (p[i] != '%') {
            dst[n++] = p[i];

        } else {
            if (len - i < 3 || !isxdigit(p[i + 1]) || !isxdigit(p[i + 2])) {
                return -1;
            }

            digits[0] = p[i + 1];
            digits[1] = p[i + 2];
            digits[2] = '\0';

            dst[n++] = strtol(digits, NULL, 16);
            i += 2;
        }
    }

    return n;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t        n, end, equal;
    ngx_int_t     rc, found;
    ngx_str_t     form, name, value, text;
    ngx_pool_t   *pool;
    parameter_t   one;
    u_char        wanted[MAX];

    if (size > MAX) {
        return 0;
    }

    name.len = fuzz_byte(data, size) % 8;
    name.len = ngx_min(name.len, size);
    name.data = fuzz_copy(data, name.len);

    data += name.len;
    size -= name.len;

    form.len = size;
    form.data = fuzz_copy(data, size);

    found = NGX_DECLINED;
    ngx_str_null(&text);

    for (n = 0; n < size; n = end + 1) {

        for (end = n; end < size && data[end] != '&'; end++) { /* void */ }
        for (equal = n; equal < end && data[equal] != '='; equal++) { }

        one.name = decode(data + n, equal - n, one.names);

        one.empty = (end - equal < 2);
        one.value = one.empty ? 0 : decode(data + equal + 1, end - equal - 1,
                                           one.values);

        if (one.name != (long) name.len
            || (name.len && memcmp(one.names, name.data, name.len) != 0))
        {
            continue;
        }

        if (found != NGX_DECLINED) {
            found = NGX_ABORT;
            break;
        }

        found = NGX_OK;

        if (one.value > 0) {
            memcpy(wanted, one.values, one.value);
        }

        text.data = (one.value < 0) ? NULL : wanted;
        text.len = (one.value < 0) ? 0 : one.value;
    }

    if (found == NGX_OK) {
        found = (text.data == NULL) ? NGX_ABORT
                                    : text.len ? NGX_OK : NGX_DECLINED;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &fuzz_log);

    rc = ngx_http_webhook_form_value(pool, &form, &name, &value);

    fuzz_check(rc == found);
    fuzz_check(rc != NGX_OK || fuzz_equal(&value, &text));

    ngx_destroy_pool(pool);

    free(form.data);
    free(name.data);

    return 0;
}
