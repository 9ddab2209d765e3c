
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The scheme language: any text is either refused or a scheme that can be
 * used, and that is the same if it is read again.
 */


#include "conf.h"


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

    if (size > FUZZ_CONF_SIZE) {
        return 0;
    }

    fuzz_conf_init(&conf);
    scheme = fuzz_conf_scheme(&conf, data, size);

    if (scheme) {
        check(scheme);

        (void) ngx_http_webhook_scheme_key_covered(scheme);

        fuzz_conf_init(&again);
        same = fuzz_conf_scheme(&again, data, size);

        fuzz_check(same && same->algorithm == scheme->algorithm
                   && pieces(same) == pieces(scheme)
                   && same->signature->nelts == scheme->signature->nelts);

        fuzz_conf_free(&again);
    }

    fuzz_conf_free(&conf);

    return 0;
}
