
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Digests by OpenSSL: HMAC (RFC 2104) over pieces of text as they arrive,
 * plain SHA-256, and Ed25519 (RFC 8032).
 */


#ifndef _NGX_HTTP_WEBHOOK_DIGEST_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_DIGEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>


#define NGX_HTTP_WEBHOOK_MAX_DIGEST  64   /* SHA-512, Ed25519 */
#define NGX_HTTP_WEBHOOK_SHA256_LEN  32


typedef struct ngx_http_webhook_algorithm_s  ngx_http_webhook_algorithm_t;



/* a secret, ready to be used; it holds no text of the secret */

typedef struct {
    EVP_MD_CTX                    *inner;     /* has absorbed key ^ ipad, or
                                                 nothing, for a public key */
    EVP_MD_CTX                    *outer;     /* has absorbed key ^ opad */
    EVP_PKEY                      *public;
    u_char                         token[NGX_HTTP_WEBHOOK_SHA256_LEN];

    unsigned                       ready:1;
} ngx_http_webhook_key_t;


/*
 * What an algorithm does.  One that has no "start" looks at the signed text as
 * a whole, with "verify", or at none at all.  One with "check" makes a digest
 * that is the same for all keys, which are public, and come in DER; its
 * signatures are of any length up to the size.
 */

struct ngx_http_webhook_algorithm_s {
    ngx_str_t                      name;
    ngx_str_t                      jwa;         /* its name in a JWK */
    size_t                         size;        /* of a signature, in bytes */
    ngx_uint_t                     candidates;  /* that are looked at */
    const EVP_MD                *(*md)(void);

    /*
     * makes a key of bytes: NGX_OK, NGX_DECLINED if they are none, NGX_ABORT
     * if the key is refused, NGX_ERROR
     */
    ngx_int_t                    (*init)(ngx_http_webhook_key_t *key,
                                const ngx_http_webhook_algorithm_t *algorithm,
                                ngx_str_t *secret);

    /* a running digest of the signed text, or NULL if OpenSSL failed */
    EVP_MD_CTX                  *(*start)(ngx_http_webhook_key_t *key);

    /* what a signature must be: NGX_OK or NGX_ERROR */
    ngx_int_t                    (*final)(ngx_http_webhook_key_t *key,
                                       EVP_MD_CTX *md, u_char *digest);

    /* whether a signature is right: NGX_OK, NGX_DECLINED or NGX_ERROR */
    ngx_int_t                    (*verify)(ngx_http_webhook_key_t *key,
                                       u_char *signature, ngx_str_t *text);

    /* whether a signature of the digest is right, likewise */
    ngx_int_t                    (*check)(ngx_http_webhook_key_t *key,
                                const ngx_http_webhook_algorithm_t *algorithm,
                                u_char *digest, u_char *signature, size_t len,
                                ngx_uint_t raw);

    int                            public;      /* EVP_PKEY_..., or 0 */
    int                            padding;     /* of RSA */

    unsigned                       token:1;     /* nothing is signed */
};


/* The algorithm of that name, or NULL. */
const ngx_http_webhook_algorithm_t *ngx_http_webhook_algorithm(
    ngx_str_t *name);

/* Writes the names of all of them; returns the end. */
u_char *ngx_http_webhook_algorithm_names(u_char *buf, u_char *last);

/*
 * Makes a key of the secret's bytes, which may be forgotten afterwards.
 * Returns NGX_OK; NGX_DECLINED if the bytes are no key of the algorithm;
 * NGX_ABORT if its size or curve is refused, or anybody could sign with it;
 * NGX_ERROR if OpenSSL failed.  The key is in each case to be freed with
 * ngx_http_webhook_key_free().
 */
ngx_int_t ngx_http_webhook_key_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *secret);
void ngx_http_webhook_key_free(ngx_http_webhook_key_t *key);

/* Makes a copy, to be freed likewise.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_webhook_key_copy(ngx_http_webhook_key_t *key,
    ngx_http_webhook_key_t *from);

/*
 * Makes ready for the next one, as long as the pool of a configuration lives.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_sha256_init(ngx_pool_t *pool);

/*
 * A running SHA-256, or NULL; to be freed with ngx_http_webhook_digest_free(),
 * as those of algorithms are.
 */
EVP_MD_CTX *ngx_http_webhook_sha256_start(void);

/* md may be NULL. */
void ngx_http_webhook_digest_free(EVP_MD_CTX *md);

/* Both return NGX_OK, or NGX_ERROR if OpenSSL failed. */
ngx_int_t ngx_http_webhook_digest_update(EVP_MD_CTX *md, u_char *data,
    size_t len);
ngx_int_t ngx_http_webhook_digest_final(EVP_MD_CTX *md, u_char *digest);

/*
 * The hash of a text; its data has room for NGX_HTTP_WEBHOOK_MAX_DIGEST bytes.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_hash(const EVP_MD *md, ngx_str_t *text,
    ngx_str_t *hash);

/*
 * The SHA-256 of a token, which is what tokens are compared by: neither their
 * text nor their length shows in the time.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_token_digest(ngx_str_t *token, u_char *digest);

/*
 * Whether OpenSSL, as it is configured on this machine, has what the
 * algorithm needs.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_algorithm_check(
    const ngx_http_webhook_algorithm_t *algorithm);

/* Logs the text, with what OpenSSL has to say if it does, and forgets that. */
void ngx_http_webhook_digest_error(ngx_uint_t level, ngx_log_t *log,
    const char *text);


#endif /* _NGX_HTTP_WEBHOOK_DIGEST_H_INCLUDED_ */
