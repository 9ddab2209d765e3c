
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The scheme language: any text is either refused or a scheme that can be
 * used, and that is the same if it is read again.
 */


#include "conf.h"


#define SIZE  4096    /* of a text: what nginx reads at once */


/* the text as the block of webhook_scheme, or NULL if it is refused */

static ngx_http_webhook_scheme_t *
parse(fuzz_conf_t *conf, const u_char *data, size_t size)
{
    char                       *rc;
    ngx_str_t                  *value, name;
    ngx_buf_t                   buffer;
    ngx_conf_file_t             file;
    ngx_http_webhook_scheme_t  *scheme;

    ngx_memzero(&buffer, sizeof(ngx_buf_t));
    ngx_memzero(&file, sizeof(ngx_conf_file_t));

    /* a file that was read as a whole; what was quoted is changed in place */

    buffer.start = ngx_pnalloc(conf->cf.pool, SIZE);
    buffer.pos = buffer.start;
    buffer.last = ngx_cpymem(buffer.start, data, size);
    buffer.end = buffer.start + SIZE;
    buffer.temporary = 1;

    file.file.fd = 0;
    file.file.offset = size;
    file.line = 1;
    ngx_str_set(&file.file.name, "fuzz");
    file.buffer = &buffer;

    conf->cf.conf_file = &file;
    conf->cf.args->nelts = 0;

    value = ngx_array_push_n(conf->cf.args, 2);
    ngx_str_set(&value[0], "webhook_scheme");
    ngx_str_set(&value[1], "fuzz");

    rc = ngx_http_webhook_scheme_block(&conf->cf, &conf->schemes);

    conf->cf.conf_file = NULL;

    if (rc != NGX_CONF_OK) {
        return NULL;
    }

    ngx_str_set(&name, "fuzz");

    fuzz_check(ngx_http_webhook_scheme_find(&conf->cf, &conf->schemes, &name,
                                            &scheme)
               == NGX_OK);

    return scheme;
}


/* what can be used covers the body, and in one way only */

static void
check(ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t  i, n;

    fuzz_check(scheme->algorithm != NULL);
    fuzz_check(scheme->signature && scheme->signature->nelts);

    if (scheme->algorithm->token) {
        return;
    }

    n = (scheme->bound != NULL);

    for (i = 0; i < scheme->signed_text.npieces; i++) {

        switch (scheme->signed_text.pieces[i].type) {

        case NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY:
        case NGX_HTTP_WEBHOOK_PIECE_BODY_HASH:
        case NGX_HTTP_WEBHOOK_PIECE_FORM:
            n++;
            break;

        default:
            break;
        }
    }

    fuzz_check(n == 1);
}


static ngx_uint_t
pieces(ngx_http_webhook_scheme_t *scheme)
{
    return scheme->signed_text.npieces;
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_conf_start();

    return 0;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    fuzz_conf_t                 conf, again;
    ngx_http_webhook_scheme_t  *scheme, *same;

    if (size > SIZE) {
        return 0;
    }

    fuzz_conf_init(&conf);
    scheme = parse(&conf, data, size);

    if (scheme) {
        check(scheme);

        (void) ngx_http_webhook_scheme_key_covered(scheme);

        fuzz_conf_init(&again);
        same = parse(&again, data, size);

        fuzz_check(same && same->algorithm == scheme->algorithm
                   && pieces(same) == pieces(scheme)
                   && same->signature->nelts == scheme->signature->nelts);

        fuzz_conf_free(&again);
    }

    fuzz_conf_free(&conf);

    return 0;
}
