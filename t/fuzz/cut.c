
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Cutting of values: the items are those that a second, simpler way of cutting
 * finds.
 */


#include "fuzz.h"

#include "ngx_http_webhook_cut.h"


static ngx_str_t  separators[] = {
    ngx_null_string, ngx_string(","), ngx_string("; "), ngx_string(",="),
    ngx_string("&"), ngx_string(" ")
};

static ngx_str_t  prefixes[] = {
    ngx_null_string, ngx_string("v1="), ngx_string("t"), ngx_string("sha256=")
};


/* the next piece of the text from *pos on, trimmed; 0 behind the last one */

static int
piece(ngx_str_t *text, ngx_str_t *separator, size_t *pos, ngx_str_t *item)
{
    size_t  end;

    if (*pos > text->len) {
        return 0;
    }

    for (end = *pos; end < text->len; end++) {
        if (separator->len
            && memchr(separator->data, text->data[end], separator->len))
        {
            break;
        }
    }

    item->data = text->data + *pos;
    item->len = end - *pos;
    *pos = end + 1;

    while (item->len && (item->data[0] == ' ' || item->data[0] == '\t')) {
        item->data++;
        item->len--;
    }

    while (item->len && (item->data[item->len - 1] == ' '
                         || item->data[item->len - 1] == '\t'))
    {
        item->len--;
    }

    return 1;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t                     pos;
    ngx_int_t                  rc, expected;
    ngx_str_t                  text, item, model;
    ngx_uint_t                 n;
    ngx_http_webhook_cut_t     cut;
    ngx_http_webhook_cursor_t  cursor;

    ngx_memzero(&cut, sizeof(ngx_http_webhook_cut_t));

    n = fuzz_byte(data, size);
    cut.separator = separators[n % 6];
    cut.prefix = prefixes[n / 6 % 4];

    n = fuzz_byte(data, size);
    cut.first = n % 4;
    cut.last = cut.first ? n / 4 % 5 : 0;

    text.len = size;
    text.data = fuzz_copy(data, size);

    ngx_http_webhook_cursor(&cursor, &text);

    pos = 0;
    n = 0;

    for ( ;; ) {
        rc = ngx_http_webhook_next_item(&cursor, &cut, &item);

        do {
            if (!piece(&text, &cut.separator, &pos, &model)) {
                fuzz_check(rc == NGX_DONE);
                goto done;
            }

            n++;

        } while (model.len == 0);

        expected = NGX_OK;

        if (cut.first && (n < cut.first || (cut.last && n > cut.last))) {
            expected = NGX_DECLINED;

        } else if (model.len < cut.prefix.len
                   || (cut.prefix.len
                       && memcmp(model.data, cut.prefix.data, cut.prefix.len)))
        {
            expected = NGX_DECLINED;

        } else {
            model.data += cut.prefix.len;
            model.len -= cut.prefix.len;
        }

        fuzz_check(rc == expected);
        fuzz_check(rc != NGX_OK || fuzz_equal(&item, &model));
    }

done:

    fuzz_check(ngx_http_webhook_next_item(&cursor, &cut, &item) == NGX_DONE);

    free(text.data);

    return 0;
}
