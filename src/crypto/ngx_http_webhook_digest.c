
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Digests by OpenSSL: HMAC (RFC 2104) over pieces of text as they arrive,
 * plain SHA-256, and Ed25519 (RFC 8032).
 *
 * A key keeps the two states that HMAC starts from, so that a request costs
 * two copies of a state and no pass over the key.  The same calls work in
 * every OpenSSL since 1.1.1.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "ngx_http_webhook_digest.h"
#include "ngx_http_webhook_public.h"


#define NGX_HTTP_WEBHOOK_MAX_BLOCK  128  /* SHA-384, SHA-512 */

#define NGX_HTTP_WEBHOOK_SPARE      8


static ngx_int_t ngx_http_webhook_hmac_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret);
static EVP_MD_CTX *ngx_http_webhook_key_start(ngx_http_webhook_key_t *key);
static ngx_int_t ngx_http_webhook_hmac_final(ngx_http_webhook_key_t *key,
    EVP_MD_CTX *md, u_char *digest);
static ngx_int_t ngx_http_webhook_ed25519_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret);
static ngx_int_t ngx_http_webhook_ed25519_verify(ngx_http_webhook_key_t *key,
    u_char *signature, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_token_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret);
static ngx_int_t ngx_http_webhook_token_final(ngx_http_webhook_key_t *key,
    EVP_MD_CTX *md, u_char *digest);
static EVP_MD_CTX *ngx_http_webhook_sha256_new(void);
static void ngx_http_webhook_sha256_cleanup(void *data);
static EVP_MD_CTX *ngx_http_webhook_digest_copy(EVP_MD_CTX *from);
static EVP_MD_CTX *ngx_http_webhook_key_pad(const EVP_MD *md, u_char *block,
    size_t size, u_char pad);


static const ngx_http_webhook_algorithm_t  ngx_http_webhook_algorithms[] = {

    { ngx_string("hmac-sha256"), ngx_string("HS256"), 32, 16, EVP_sha256,
      ngx_http_webhook_hmac_init, ngx_http_webhook_key_start,
      ngx_http_webhook_hmac_final, NULL, NULL, 0, 0, 0 },

    { ngx_string("hmac-sha1"), ngx_string("HS1"), 20, 16, EVP_sha1,
      ngx_http_webhook_hmac_init, ngx_http_webhook_key_start,
      ngx_http_webhook_hmac_final, NULL, NULL, 0, 0, 0 },

    { ngx_string("hmac-md5"), ngx_null_string, 16, 16, EVP_md5,
      ngx_http_webhook_hmac_init, ngx_http_webhook_key_start,
      ngx_http_webhook_hmac_final, NULL, NULL, 0, 0, 0 },

    { ngx_string("hmac-sha384"), ngx_string("HS384"), 48, 16, EVP_sha384,
      ngx_http_webhook_hmac_init, ngx_http_webhook_key_start,
      ngx_http_webhook_hmac_final, NULL, NULL, 0, 0, 0 },

    { ngx_string("hmac-sha512"), ngx_string("HS512"), 64, 16, EVP_sha512,
      ngx_http_webhook_hmac_init, ngx_http_webhook_key_start,
      ngx_http_webhook_hmac_final, NULL, NULL, 0, 0, 0 },

    /* asymmetric operations are a hundred times as dear */

    { ngx_string("ed25519"), ngx_string("EdDSA"), 64, 4, NULL,
      ngx_http_webhook_ed25519_init, NULL,
      NULL, ngx_http_webhook_ed25519_verify, NULL, EVP_PKEY_ED25519, 0, 0 },

    { ngx_string("rsa-sha256"), ngx_string("RS256"),
      NGX_HTTP_WEBHOOK_MAX_SIGNATURE, 4, EVP_sha256,
      ngx_http_webhook_public_init, ngx_http_webhook_key_start,
      NULL, NULL, ngx_http_webhook_public_check, EVP_PKEY_RSA,
      RSA_PKCS1_PADDING, 0 },

    { ngx_string("rsa-sha1"), ngx_null_string,
      NGX_HTTP_WEBHOOK_MAX_SIGNATURE, 4, EVP_sha1,
      ngx_http_webhook_public_init, ngx_http_webhook_key_start,
      NULL, NULL, ngx_http_webhook_public_check, EVP_PKEY_RSA,
      RSA_PKCS1_PADDING, 0 },

    { ngx_string("rsa-sha512"), ngx_string("RS512"),
      NGX_HTTP_WEBHOOK_MAX_SIGNATURE, 4, EVP_sha512,
      ngx_http_webhook_public_init, ngx_http_webhook_key_start,
      NULL, NULL, ngx_http_webhook_public_check, EVP_PKEY_RSA,
      RSA_PKCS1_PADDING, 0 },

    { ngx_string("rsa-pss-sha256"), ngx_string("PS256"),
      NGX_HTTP_WEBHOOK_MAX_SIGNATURE, 4, EVP_sha256,
      ngx_http_webhook_public_init, ngx_http_webhook_key_start,
      NULL, NULL, ngx_http_webhook_public_check, EVP_PKEY_RSA,
      RSA_PKCS1_PSS_PADDING, 0 },

    { ngx_string("rsa-pss-sha512"), ngx_string("PS512"),
      NGX_HTTP_WEBHOOK_MAX_SIGNATURE, 4, EVP_sha512,
      ngx_http_webhook_public_init, ngx_http_webhook_key_start,
      NULL, NULL, ngx_http_webhook_public_check, EVP_PKEY_RSA,
      RSA_PKCS1_PSS_PADDING, 0 },

    { ngx_string("ecdsa-sha256"), ngx_string("ES256"),
      NGX_HTTP_WEBHOOK_MAX_ECDSA, 4, EVP_sha256,
      ngx_http_webhook_public_init, ngx_http_webhook_key_start,
      NULL, NULL, ngx_http_webhook_public_check, EVP_PKEY_EC,
      0, 0 },

    { ngx_string("ecdsa-sha1"), ngx_null_string,
      NGX_HTTP_WEBHOOK_MAX_ECDSA, 4, EVP_sha1,
      ngx_http_webhook_public_init, ngx_http_webhook_key_start,
      NULL, NULL, ngx_http_webhook_public_check, EVP_PKEY_EC,
      0, 0 },

    /* compared by its SHA-256 */

    { ngx_string("token"), ngx_null_string, 32, 16, NULL,
      ngx_http_webhook_token_init, NULL,
      ngx_http_webhook_token_final, NULL, NULL, 0, 0, 1 },

    { ngx_null_string, ngx_null_string, 0, 0, NULL, NULL, NULL, NULL, NULL,
      NULL, 0, 0, 0 }
};


/* contexts of digests that have ended, for the next ones */

static EVP_MD_CTX  *ngx_http_webhook_spare[NGX_HTTP_WEBHOOK_SPARE];
static ngx_uint_t   ngx_http_webhook_nspare;


/* what each SHA-256 starts from: to look it up costs more than to copy it */

static EVP_MD_CTX  *ngx_http_webhook_sha256;


u_char *
ngx_http_webhook_algorithm_names(u_char *buf, u_char *last)
{
    u_char                              *p;
    const ngx_http_webhook_algorithm_t  *algorithm;

    p = buf;

    for (algorithm = ngx_http_webhook_algorithms;
         algorithm->name.len;
         algorithm++)
    {
        p = ngx_slprintf(p, last, "%s%V", (p == buf) ? "" : ", ",
                         &algorithm->name);
    }

    return p;
}


const ngx_http_webhook_algorithm_t *
ngx_http_webhook_algorithm(ngx_str_t *name)
{
    const ngx_http_webhook_algorithm_t  *algorithm;

    for (algorithm = ngx_http_webhook_algorithms;
         algorithm->name.len;
         algorithm++)
    {
        if (algorithm->name.len == name->len
            && ngx_memcmp(algorithm->name.data, name->data, name->len) == 0)
        {
            return algorithm;
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_webhook_algorithm_check(const ngx_http_webhook_algorithm_t *algorithm)
{
    u_char                  point[NGX_HTTP_WEBHOOK_MAX_DIGEST];
    ngx_str_t               secret;
    ngx_int_t               rc;
    ngx_http_webhook_key_t  key;

    if (algorithm->check) {

        /* what else it takes is seen with the first key */

        return EVP_Digest(NULL, 0, point, NULL, algorithm->md(), NULL)
               ? NGX_OK : NGX_ERROR;
    }

    /* any key will do; for Ed25519 it is the base point */

    ngx_memset(point, 0x66, sizeof(point));
    point[0] = 0x58;

    secret.data = point;
    secret.len = NGX_HTTP_WEBHOOK_ED25519_LEN;

    rc = ngx_http_webhook_key_init(&key, algorithm, &secret);

    ngx_http_webhook_key_free(&key);

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_webhook_key_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret)
{
    ngx_int_t  rc;

    ngx_memzero(key, sizeof(ngx_http_webhook_key_t));

    rc = algorithm->init(key, algorithm, secret);

    key->ready = (rc == NGX_OK);

    return rc;
}


static ngx_int_t
ngx_http_webhook_hmac_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret)
{
    size_t         size;
    u_char         block[NGX_HTTP_WEBHOOK_MAX_BLOCK];
    const EVP_MD  *md;

    md = algorithm->md();
    size = EVP_MD_block_size(md);

    ngx_memzero(block, sizeof(block));

    if (secret->len <= size) {
        ngx_memcpy(block, secret->data, secret->len);

    } else if (!EVP_Digest(secret->data, secret->len, block, NULL, md, NULL)) {
        return NGX_ERROR;
    }

    key->inner = ngx_http_webhook_key_pad(md, block, size, 0x36);
    key->outer = ngx_http_webhook_key_pad(md, block, size, 0x5c);

    ngx_explicit_memzero(block, sizeof(block));

    return (key->inner && key->outer) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_webhook_ed25519_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret)
{
    if (secret->len != NGX_HTTP_WEBHOOK_ED25519_LEN) {
        return NGX_DECLINED;
    }

    if (!ngx_http_webhook_ed25519_fits(secret->data)) {
        return NGX_ABORT;
    }

    key->public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                              secret->data, secret->len);

    return key->public ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_webhook_token_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret)
{
    return ngx_http_webhook_token_digest(secret, key->token);
}


static EVP_MD_CTX *
ngx_http_webhook_key_pad(const EVP_MD *md, u_char *block, size_t size,
    u_char pad)
{
    size_t       i;
    u_char       padded[NGX_HTTP_WEBHOOK_MAX_BLOCK];
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return NULL;
    }

    for (i = 0; i < size; i++) {
        padded[i] = block[i] ^ pad;
    }

    if (!EVP_DigestInit_ex(ctx, md, NULL)
        || !EVP_DigestUpdate(ctx, padded, size))
    {
        EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }

    ngx_explicit_memzero(padded, sizeof(padded));

    return ctx;
}


void
ngx_http_webhook_key_free(ngx_http_webhook_key_t *key)
{
    /* all are cleansed by OpenSSL, and may be NULL */

    EVP_MD_CTX_free(key->inner);
    EVP_MD_CTX_free(key->outer);
    EVP_PKEY_free(key->public);

    ngx_explicit_memzero(key, sizeof(ngx_http_webhook_key_t));
}


ngx_int_t
ngx_http_webhook_key_copy(ngx_http_webhook_key_t *key,
    ngx_http_webhook_key_t *from)
{
    *key = *from;

    if (from->public) {

        if (!EVP_PKEY_up_ref(from->public)) {
            ngx_memzero(key, sizeof(ngx_http_webhook_key_t));
            return NGX_ERROR;
        }
    }

    key->inner = NULL;
    key->outer = NULL;

    if (from->inner) {
        key->inner = ngx_http_webhook_digest_copy(from->inner);
        if (key->inner == NULL) {
            return NGX_ERROR;
        }
    }

    if (from->outer) {
        key->outer = ngx_http_webhook_digest_copy(from->outer);
        if (key->outer == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static EVP_MD_CTX *
ngx_http_webhook_key_start(ngx_http_webhook_key_t *key)
{
    return ngx_http_webhook_digest_copy(key->inner);
}


static EVP_MD_CTX *
ngx_http_webhook_digest_copy(EVP_MD_CTX *from)
{
    EVP_MD_CTX  *md;

    if (ngx_http_webhook_nspare) {
        md = ngx_http_webhook_spare[--ngx_http_webhook_nspare];

    } else {
        md = EVP_MD_CTX_new();
        if (md == NULL) {
            return NULL;
        }
    }

    if (!EVP_MD_CTX_copy_ex(md, from)) {
        EVP_MD_CTX_free(md);
        return NULL;
    }

    return md;
}


void
ngx_http_webhook_digest_free(EVP_MD_CTX *md)
{
    if (md == NULL) {
        return;
    }

    /* a reset cleanses the state, and keeps what the next one needs */

    if (ngx_http_webhook_nspare < NGX_HTTP_WEBHOOK_SPARE
        && EVP_MD_CTX_reset(md))
    {
        ngx_http_webhook_spare[ngx_http_webhook_nspare++] = md;
        return;
    }

    EVP_MD_CTX_free(md);
}


ngx_int_t
ngx_http_webhook_sha256_init(ngx_pool_t *pool)
{
    EVP_MD_CTX          *md;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    md = ngx_http_webhook_sha256_new();
    if (md == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_webhook_sha256_cleanup;
    cln->data = md;

    ngx_http_webhook_sha256 = md;

    return NGX_OK;
}


static EVP_MD_CTX *
ngx_http_webhook_sha256_new(void)
{
    EVP_MD_CTX  *md;

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return NULL;
    }

    if (!EVP_DigestInit_ex(md, EVP_sha256(), NULL)) {
        EVP_MD_CTX_free(md);
        return NULL;
    }

    return md;
}


static void
ngx_http_webhook_sha256_cleanup(void *data)
{
    if (ngx_http_webhook_sha256 == data) {
        ngx_http_webhook_sha256 = NULL;
    }

    while (ngx_http_webhook_nspare) {
        EVP_MD_CTX_free(ngx_http_webhook_spare[--ngx_http_webhook_nspare]);
    }

    EVP_MD_CTX_free(data);
}


EVP_MD_CTX *
ngx_http_webhook_sha256_start(void)
{
    /* a configuration that has failed has taken its one along */

    return ngx_http_webhook_sha256
           ? ngx_http_webhook_digest_copy(ngx_http_webhook_sha256)
           : ngx_http_webhook_sha256_new();
}


ngx_int_t
ngx_http_webhook_digest_update(EVP_MD_CTX *md, u_char *data, size_t len)
{
    if (len == 0) {
        return NGX_OK;
    }

    return EVP_DigestUpdate(md, data, len) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_webhook_digest_final(EVP_MD_CTX *md, u_char *digest)
{
    return EVP_DigestFinal_ex(md, digest, NULL) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_webhook_hmac_final(ngx_http_webhook_key_t *key, EVP_MD_CTX *md,
    u_char *digest)
{
    unsigned int  len;

    if (!EVP_DigestFinal_ex(md, digest, &len)
        || !EVP_MD_CTX_copy_ex(md, key->outer)
        || !EVP_DigestUpdate(md, digest, len)
        || !EVP_DigestFinal_ex(md, digest, NULL))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_token_final(ngx_http_webhook_key_t *key, EVP_MD_CTX *md,
    u_char *digest)
{
    ngx_memcpy(digest, key->token, sizeof(key->token));

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_hash(const EVP_MD *md, ngx_str_t *text, ngx_str_t *hash)
{
    unsigned int  len;

    if (!EVP_Digest(text->data, text->len, hash->data, &len, md, NULL)) {
        return NGX_ERROR;
    }

    hash->len = len;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_token_digest(ngx_str_t *token, u_char *digest)
{
    return EVP_Digest(token->data, token->len, digest, NULL, EVP_sha256(),
                      NULL)
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_webhook_ed25519_verify(ngx_http_webhook_key_t *key, u_char *signature,
    ngx_str_t *text)
{
    int          rc;
    u_long       n;
    ngx_err_t    err;
    EVP_MD_CTX  *md;

    ERR_clear_error();

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return NGX_ERROR;
    }

    if (!EVP_DigestVerifyInit(md, NULL, NULL, NULL, key->public)) {
        EVP_MD_CTX_free(md);
        return NGX_ERROR;
    }

    ngx_set_errno(0);

    rc = EVP_DigestVerify(md, signature, NGX_HTTP_WEBHOOK_MAX_DIGEST,
                          text->data, text->len);

    err = ngx_errno;

    EVP_MD_CTX_free(md);

    if (rc == 1) {
        return NGX_OK;
    }

    if (rc != 0 || err == NGX_ENOMEM) {
        return NGX_ERROR;
    }

    /*
     * 0 is a wrong signature or a failure.  The latter is queued, unless it
     * was for lack of memory; newer OpenSSL queues a reason for the former.
     */

    n = ERR_peek_error();

#ifdef EVP_R_PROVIDER_SIGNATURE_FAILURE
    if (ERR_GET_REASON(n) == EVP_R_PROVIDER_SIGNATURE_FAILURE) {
        ERR_clear_error();
        n = 0;
    }
#endif

    return (n == 0) ? NGX_DECLINED : NGX_ERROR;
}


void
ngx_http_webhook_digest_error(ngx_uint_t level, ngx_log_t *log,
    const char *text)
{
    u_long  n;
    u_char  buf[256];

    n = ERR_peek_error();

    if (n == 0) {
        ngx_log_error(level, log, 0, "%s", text);
        return;
    }

    ERR_error_string_n(n, (char *) buf, sizeof(buf));
    ERR_clear_error();

    ngx_log_error(level, log, 0, "%s (SSL: %s)", text, buf);
}
