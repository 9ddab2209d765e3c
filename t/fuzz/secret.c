
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Secrets: a key that is made of one computes what OpenSSL computes with the
 * bytes that the secret stands for.
 */


#include "conf.h"

#include <openssl/hmac.h>

#include "ngx_http_webhook_secret.h"


static char  *names[] = {
    "nextpay",               /* as it is, with any prefix */
    "stripe",                /* likewise */
    "standard-webhooks",     /* whsec_ and base64 */
    "adyen-platform"         /* hex */
};

#define NAMES  (sizeof(names) / sizeof(names[0]))

static ngx_http_webhook_scheme_t  *schemes[NAMES];


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    unsigned            i;
    ngx_str_t           name;
    static fuzz_conf_t  conf;

    fuzz_conf_start();
    fuzz_conf_init(&conf);

    for (i = 0; i < NAMES; i++) {
        name.data = (u_char *) names[i];
        name.len = strlen(names[i]);

        fuzz_check(ngx_http_webhook_scheme_find(&conf.cf, &conf.schemes,
                                                &name, &schemes[i])
                   == NGX_OK);
    }

    return 0;
}


/* what the key is, into bytes, or -1 */

static long
decode(unsigned scheme, const u_char *p, size_t len, u_char *bytes)
{
    long    n;
    size_t  i;
    char    digits[3];

    switch (scheme) {

    case 2:
        if (len >= 6 && memcmp(p, "whsec_", 6) == 0) {
            p += 6;
            len -= 6;
        }

        if (len == 0 || len % 4) {
            return -1;
        }

        n = EVP_DecodeBlock(bytes, p, len);

        for (i = 0; i < 2 && p[len - 1 - i] == '='; i++) {
            n--;
        }

        return n;

    case 3:
        if (len % 2) {
            return -1;
        }

        for (i = 0; i < len; i++) {
            if (!isxdigit(p[i])) {
                return -1;
            }
        }

        for (i = 0; i < len / 2; i++) {
            digits[0] = p[2 * i];
            digits[1] = p[2 * i + 1];
            digits[2] = '\0';
            bytes[i] = strtol(digits, NULL, 16);
        }

        return len / 2;

    default:
        memcpy(bytes, p, len);
        return len;
    }
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    long                     n;
    size_t                   len;
    u_char                  *bytes, one[NGX_HTTP_WEBHOOK_MAX_DIGEST],
                             other[EVP_MAX_MD_SIZE];
    unsigned                 i;
    ngx_int_t                rc;
    ngx_str_t                text;
    EVP_MD_CTX              *md;
    ngx_http_webhook_key_t   key;

    if (size > 4096) {
        return 0;
    }

    i = fuzz_byte(data, size) % NAMES;

    text.len = size;
    text.data = fuzz_copy(data, size);

    rc = ngx_http_webhook_secret_key(schemes[i], &text, &key, &len, &fuzz_log);

    fuzz_check(rc == NGX_OK || rc == NGX_DECLINED);

    bytes = malloc(size + 8);

    if (rc == NGX_OK) {
        n = decode(i, data, size, bytes);

        fuzz_check(n > 0 && (size_t) n == len);

        md = schemes[i]->algorithm->start(&key);

        fuzz_check(md
                   && ngx_http_webhook_digest_update(md, (u_char *) "body", 4)
                      == NGX_OK
                   && schemes[i]->algorithm->final(&key, md, one) == NGX_OK);

        fuzz_check(HMAC(EVP_sha256(), bytes, n, (u_char *) "body", 4, other,
                        NULL));
        fuzz_check(memcmp(one, other, schemes[i]->algorithm->size) == 0);

        ngx_http_webhook_digest_free(md);

    } else {

        /* base64 is strict, and a prefix alone is no secret */

        fuzz_check(i > 1 || size == 0
                   || (size == 6 && memcmp(data, "whsec_", 6) == 0));
    }

    ngx_http_webhook_key_free(&key);

    free(bytes);
    free(text.data);

    return 0;
}
