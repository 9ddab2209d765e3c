
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Digests by OpenSSL: HMAC (RFC 2104) over pieces of text as they arrive,
 * plain SHA-256, comparison in constant time.
 */


#ifndef _NGX_HTTP_WEBHOOK_DIGEST_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_DIGEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>


#define NGX_HTTP_WEBHOOK_MAX_DIGEST  64   /* SHA-512, Ed25519 */
#define NGX_HTTP_WEBHOOK_SHA256_LEN  32


typedef enum {
    NGX_HTTP_WEBHOOK_HMAC = 0
} ngx_http_webhook_kind_e;


typedef struct {
    ngx_str_t                      name;
    ngx_http_webhook_kind_e        kind;
    const EVP_MD                *(*md)(void);
    size_t                         size;      /* of a signature, in bytes */
} ngx_http_webhook_algorithm_t;


/* a secret, ready to be used; it holds no text of the secret */

typedef struct {
    EVP_MD_CTX                    *inner;     /* has absorbed key ^ ipad */
    EVP_MD_CTX                    *outer;     /* has absorbed key ^ opad */
} ngx_http_webhook_key_t;


/* The algorithm of that name, or NULL. */
const ngx_http_webhook_algorithm_t *ngx_http_webhook_algorithm(
    ngx_str_t *name);

/*
 * Makes a key of the secret's bytes, which may be forgotten afterwards.
 * Returns NGX_OK, or NGX_ERROR if OpenSSL failed; key is in both cases to be
 * freed with ngx_http_webhook_key_free().
 */
ngx_int_t ngx_http_webhook_key_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret);
void ngx_http_webhook_key_free(ngx_http_webhook_key_t *key);

/* Makes a copy, to be freed likewise.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_webhook_key_copy(ngx_http_webhook_key_t *key,
    ngx_http_webhook_key_t *from);

/*
 * A running HMAC with the key, or NULL if OpenSSL failed; to be freed with
 * EVP_MD_CTX_free().  Text is added with ngx_http_webhook_digest_update().
 */
EVP_MD_CTX *ngx_http_webhook_hmac_start(ngx_http_webhook_key_t *key);

/* A running SHA-256, or NULL; to be freed with EVP_MD_CTX_free(). */
EVP_MD_CTX *ngx_http_webhook_sha256_start(void);

/* Both return NGX_OK, or NGX_ERROR if OpenSSL failed. */
ngx_int_t ngx_http_webhook_digest_update(EVP_MD_CTX *md, u_char *data,
    size_t len);
ngx_int_t ngx_http_webhook_digest_final(EVP_MD_CTX *md, u_char *digest);

/*
 * Ends the running HMAC, whose context is reused for the outer pass.  digest
 * has room for NGX_HTTP_WEBHOOK_MAX_DIGEST.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_hmac_final(ngx_http_webhook_key_t *key,
    EVP_MD_CTX *md, u_char *digest);

/*
 * Whether OpenSSL, as it is configured on this machine, has what the
 * algorithm needs.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_algorithm_check(
    const ngx_http_webhook_algorithm_t *algorithm);

/* Logs the text with what OpenSSL had to say, and clears its queue. */
void ngx_http_webhook_digest_error(ngx_uint_t level, ngx_log_t *log,
    const char *text);


#endif /* _NGX_HTTP_WEBHOOK_DIGEST_H_INCLUDED_ */
