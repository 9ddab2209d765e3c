
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Forms: the value of a parameter is what a decoder finds that takes the whole
 * apart first; sorted they are what a sort makes of what it finds that looks at
 * each pair for the one that is next.
 */


#include "fuzz.h"

#include "ngx_http_webhook_form.h"


#define MAX    1024
#define PAIRS  32


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


static int
order(const u_char *one, long n, const u_char *two, long k)
{
    int  rc;

    rc = memcmp(one, two, n < k ? n : k);

    return rc ? rc : (n > k) - (n < k);
}


static int
compare(const parameter_t *one, const parameter_t *two)
{
    int  rc;

    rc = order(one->names, one->name, two->names, two->name);

    return rc ? rc : order(one->values, one->value, two->values, two->value);
}


/* as ngx_http_webhook_form_sorted(), in quadratic time */

static ngx_int_t
sort(const u_char *data, size_t size, size_t max, ngx_str_t *sorted)
{
    size_t              n, i, end, equal;
    parameter_t        *next, *last;

    static parameter_t  all[PAIRS];
    static u_char       text[MAX];

    sorted->data = text;
    sorted->len = 0;

    n = 0;

    for (i = 0; size && i <= size; i = end + 1, n++) {

        for (end = i; end < size && data[end] != '&'; end++) { /* void */ }
        for (equal = i; equal < end && data[equal] != '='; equal++) { }

        if (n < PAIRS) {
            all[n].name = decode(data + i, equal - i, all[n].names);
            all[n].value = (equal == end) ? 0
                           : decode(data + equal + 1, end - equal - 1,
                                    all[n].values);
        }
    }

    if (n > max) {
        return NGX_ABORT;
    }

    for (i = 0; i < n; i++) {
        if (all[i].name < 1 || all[i].value < 0) {
            return NGX_DECLINED;
        }
    }

    for (last = NULL; ; last = next) {
        next = NULL;

        for (i = 0; i < n; i++) {
            if ((last == NULL || compare(&all[i], last) > 0)
                && (next == NULL || compare(&all[i], next) < 0))
            {
                next = &all[i];
            }
        }

        if (next == NULL) {
            return NGX_OK;
        }

        memcpy(text + sorted->len, next->names, next->name);
        sorted->len += next->name;

        memcpy(text + sorted->len, next->values, next->value);
        sorted->len += next->value;
    }
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

    found = sort(form.data, form.len, PAIRS, &text);
    rc = ngx_http_webhook_form_sorted(pool, &form, PAIRS, &value);

    fuzz_check(rc == found);
    fuzz_check(rc != NGX_OK || fuzz_equal(&value, &text));

    ngx_destroy_pool(pool);

    free(form.data);
    free(name.data);

    return 0;
}
