
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Files of keys, PEM and JWK Sets: whatever stands in them, what is taken as a
 * public key is one to OpenSSL, whole, of a type and a size that is allowed.
 */


#define _GNU_SOURCE

#include "conf.h"

#include <sys/mman.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ngx_http_webhook_public.h"
#include "ngx_http_webhook_secret.h"


#define MAX  2048


static const char  *names[] = {
    "ed25519", "rsa-sha256", "ecdsa-sha256", "hmac-sha256"
};

#define NAMES  (sizeof(names) / sizeof(names[0]))

static int                                  fd;
static ngx_http_webhook_scheme_t            schemes[NAMES];


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    unsigned   i;
    ngx_str_t  name;

    fuzz_conf_start();

    fd = memfd_create("keys", 0);

    fuzz_check(fd != -1 && fchmod(fd, 0600) == 0);

    for (i = 0; i < NAMES; i++) {
        name.data = (u_char *) names[i];
        name.len = strlen(names[i]);

        schemes[i].algorithm = ngx_http_webhook_algorithm(&name);

        fuzz_check(schemes[i].algorithm);
    }

    return 0;
}


static void
check_public(ngx_http_webhook_secret_t *secret)
{
    int             bits, type;
    EVP_PKEY       *pkey;
    const u_char   *p;

    p = secret->text.data;
    pkey = d2i_PUBKEY(NULL, &p, secret->text.len);

    fuzz_check(pkey && p == secret->text.data + secret->text.len);

    type = EVP_PKEY_base_id(pkey);
    bits = EVP_PKEY_bits(pkey);

    fuzz_check(type == EVP_PKEY_ED25519
               || (type == EVP_PKEY_RSA && bits >= 2048 && bits <= 8192)
               || (type == EVP_PKEY_EC && bits >= 256 && bits <= 521));

    EVP_PKEY_free(pkey);
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    char                        path[64], *rv;
    unsigned                    i, jwks, type;
    ngx_int_t                   rc;
    ngx_str_t                   name;
    ngx_array_t                 secrets;
    fuzz_conf_t                 conf;
    ngx_http_webhook_key_t      key;
    ngx_http_webhook_scheme_t  *scheme;
    ngx_http_webhook_secret_t  *secret;

    if (size > MAX) {
        return 0;
    }

    type = fuzz_byte(data, size);

    jwks = type & 1;
    scheme = &schemes[type / 2 % NAMES];

    fuzz_check(ftruncate(fd, 0) == 0);
    fuzz_check(pwrite(fd, data, size, 0) == (ssize_t) size);

    name.len = sprintf(path, "/proc/self/fd/%d", fd);
    name.data = (u_char *) path;

    fuzz_conf_init(&conf);

    fuzz_check(ngx_array_init(&secrets, conf.cf.pool, 4,
                              sizeof(ngx_http_webhook_secret_t))
               == NGX_OK);

    rv = jwks ? ngx_http_webhook_jwks_file(&conf.cf, &secrets, &name)
              : ngx_http_webhook_pem_file(&conf.cf, &secrets, &name);

    fuzz_check(rv == NGX_CONF_OK || rv == NGX_CONF_ERROR);
    fuzz_check(rv == NGX_CONF_ERROR || secrets.nelts);

    secret = secrets.elts;

    for (i = 0; i < secrets.nelts && rv == NGX_CONF_OK; i++) {
        ngx_memzero(&key, sizeof(ngx_http_webhook_key_t));

        rc = ngx_http_webhook_file_key(scheme, &secret[i], &key);

        if (rc == NGX_OK && secret[i].kind == NGX_HTTP_WEBHOOK_SECRET_PUBLIC) {
            fuzz_check(scheme->algorithm->public);
            check_public(&secret[i]);
        }

        ngx_http_webhook_key_free(&key);
    }

    fuzz_conf_free(&conf);

    return 0;
}
