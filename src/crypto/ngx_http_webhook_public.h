
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Public keys: RSA (RFC 8017) and ECDSA over a digest, and where keys come
 * from: SubjectPublicKeyInfo (RFC 5280), JWK (RFC 7517), certificates.
 */


#ifndef _NGX_HTTP_WEBHOOK_PUBLIC_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_PUBLIC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_digest.h"


/* of RSA with 8192 bits; two numbers of P-521 in DER */
#define NGX_HTTP_WEBHOOK_MAX_SIGNATURE  1024
#define NGX_HTTP_WEBHOOK_MAX_ECDSA      141

/* of a public key */
#define NGX_HTTP_WEBHOOK_ED25519_LEN    32


/*
 * Makes a key of a SubjectPublicKeyInfo in DER.  Returns NGX_OK; NGX_DECLINED
 * if it is none, or not one of the algorithm; NGX_ABORT if its size or curve
 * is refused, or anybody could sign with it; NGX_ERROR if OpenSSL failed.  To
 * be freed in each case.
 */
ngx_int_t ngx_http_webhook_public_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *der);

/* The same for an algorithm whose keys come in another form otherwise. */
ngx_int_t ngx_http_webhook_key_init_public(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *der);

/* Whether a key of Ed25519 is one with which not anybody can sign. */
ngx_uint_t ngx_http_webhook_ed25519_fits(u_char *point);

/*
 * Whether a signature of the digest is right; raw if the two numbers of ECDSA
 * stand side by side.  Returns NGX_OK, NGX_DECLINED, or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_public_check(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, u_char *digest,
    u_char *signature, size_t len, ngx_uint_t raw);

/* How many verifications by Ed25519 one by this key takes, or more. */
ngx_uint_t ngx_http_webhook_public_cost(ngx_http_webhook_key_t *key);

/*
 * A SubjectPublicKeyInfo of the numbers of an RSA key; of a point on the named
 * curve ("P-256"), where y is NULL on "Ed25519".  Return NGX_OK, NGX_DECLINED
 * if the curve is not known, NGX_ABORT if the numbers cannot be right, or
 * NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_spki_rsa(ngx_pool_t *pool, ngx_str_t *n,
    ngx_str_t *e, ngx_str_t *der);
ngx_int_t ngx_http_webhook_spki_point(ngx_pool_t *pool, ngx_str_t *curve,
    ngx_str_t *x, ngx_str_t *y, ngx_str_t *der);

/*
 * Likewise for the key of a certificate in DER; with its serial number, in
 * hex, and whether it has run out.  Returns NGX_OK, NGX_DECLINED if it is no
 * certificate, or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_spki_certificate(ngx_pool_t *pool,
    ngx_str_t *certificate, ngx_str_t *der, ngx_str_t *serial,
    ngx_uint_t *expired);


#endif /* _NGX_HTTP_WEBHOOK_PUBLIC_H_INCLUDED_ */
