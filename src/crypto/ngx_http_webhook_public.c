
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Public keys, by functions that OpenSSL 1.1.1 and 3 both have: keys that
 * come as numbers are written down as a SubjectPublicKeyInfo, and all are read
 * from there.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ngx_http_webhook_public.h"


#define NGX_HTTP_WEBHOOK_MIN_RSA  2048
#define NGX_HTTP_WEBHOOK_MAX_RSA  (8 * NGX_HTTP_WEBHOOK_MAX_SIGNATURE)

/* what stands around the numbers of a key is shorter */
#define NGX_HTTP_WEBHOOK_DER_MORE  64


typedef struct {
    ngx_str_t                      name;     /* as in JWK */
    ngx_str_t                      oids;     /* in DER */
    size_t                         size;     /* of a number */
} ngx_http_webhook_curve_t;


static ngx_int_t ngx_http_webhook_public_fits(EVP_PKEY *public, int type);
static ngx_int_t ngx_http_webhook_rsa_fits(EVP_PKEY *public);
static ngx_uint_t ngx_http_webhook_curve_fits(EVP_PKEY *public);
static EVP_PKEY_CTX *ngx_http_webhook_public_ctx(EVP_PKEY *public,
    const ngx_http_webhook_algorithm_t *algorithm);
static ngx_int_t ngx_http_webhook_ecdsa_der(u_char **signature, size_t *len,
    size_t size, u_char *buf);
static ngx_int_t ngx_http_webhook_der_spki(ngx_pool_t *pool, ngx_str_t *oids,
    ngx_str_t *bits, ngx_str_t *der);
static u_char *ngx_http_webhook_der_integer(u_char *p, ngx_str_t *n);
static u_char *ngx_http_webhook_der_head(u_char *p, u_char tag, size_t len);


static ngx_str_t  ngx_http_webhook_rsa_oids =
    ngx_string("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00");


static ngx_http_webhook_curve_t  ngx_http_webhook_curves[] = {

    { ngx_string("P-256"),
      ngx_string("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
                 "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"), 32 },

    { ngx_string("P-384"),
      ngx_string("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
                 "\x06\x05\x2b\x81\x04\x00\x22"), 48 },

    { ngx_string("P-521"),
      ngx_string("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
                 "\x06\x05\x2b\x81\x04\x00\x23"), 66 },

    { ngx_string("Ed25519"),
      ngx_string("\x06\x03\x2b\x65\x70"), 32 },

    { ngx_null_string, ngx_null_string, 0 }
};


/*
 * The points of Ed25519 whose order is 8 or less, but for the sign of x; with
 * such a key, of which one is all zeroes, anybody finds signatures.
 */

static ngx_str_t  ngx_http_webhook_small_order[] = {

    ngx_string("\x00\x00\x00\x00\x00\x00\x00\x00"
               "\x00\x00\x00\x00\x00\x00\x00\x00"
               "\x00\x00\x00\x00\x00\x00\x00\x00"
               "\x00\x00\x00\x00\x00\x00\x00\x00"),

    ngx_string("\x01\x00\x00\x00\x00\x00\x00\x00"
               "\x00\x00\x00\x00\x00\x00\x00\x00"
               "\x00\x00\x00\x00\x00\x00\x00\x00"
               "\x00\x00\x00\x00\x00\x00\x00\x00"),

    ngx_string("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0"
               "\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
               "\xd5\xdf\xac\x05\xd3\xc6\x33\x39"
               "\xb1\x38\x02\x88\x6d\x53\xfc\x05"),

    ngx_string("\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f"
               "\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
               "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6"
               "\x4e\xc7\xfd\x77\x92\xac\x03\x7a"),

    ngx_string("\xec\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\x7f"),

    ngx_string("\xed\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\x7f"),

    ngx_string("\xee\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\xff"
               "\xff\xff\xff\xff\xff\xff\xff\x7f"),

    ngx_null_string
};


ngx_int_t
ngx_http_webhook_public_init(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *der)
{
    ngx_int_t      rc;
    const u_char  *p;
    EVP_PKEY_CTX  *ctx;

    ERR_clear_error();

    p = der->data;

    key->public = d2i_PUBKEY(NULL, &p, der->len);

    if (key->public == NULL || p != der->data + der->len) {
        ERR_clear_error();
        return NGX_DECLINED;
    }

    rc = ngx_http_webhook_public_fits(key->public, algorithm->public);
    if (rc != NGX_OK) {
        return rc;
    }

    if (algorithm->md == NULL) {
        return NGX_OK;
    }

    /* what each digest starts from, and whether OpenSSL is able to verify */

    key->inner = EVP_MD_CTX_new();

    if (key->inner == NULL
        || !EVP_DigestInit_ex(key->inner, algorithm->md(), NULL))
    {
        return NGX_ERROR;
    }

    ctx = ngx_http_webhook_public_ctx(key->public, algorithm);

    EVP_PKEY_CTX_free(ctx);

    return ctx ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_webhook_key_init_public(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, ngx_str_t *der)
{
    ngx_int_t  rc;

    ngx_memzero(key, sizeof(ngx_http_webhook_key_t));

    rc = ngx_http_webhook_public_init(key, algorithm, der);

    key->ready = (rc == NGX_OK);

    return rc;
}


ngx_uint_t
ngx_http_webhook_ed25519_fits(u_char *point)
{
    ngx_str_t   *small;
    ngx_uint_t   last;

    last = NGX_HTTP_WEBHOOK_ED25519_LEN - 1;

    for (small = ngx_http_webhook_small_order; small->len; small++) {

        if (ngx_memcmp(point, small->data, last) == 0
            && (point[last] & 0x7f) == small->data[last])
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_webhook_public_fits(EVP_PKEY *public, int type)
{
    size_t  len;
    u_char  point[NGX_HTTP_WEBHOOK_ED25519_LEN];

    if (EVP_PKEY_base_id(public) != type) {
        return NGX_DECLINED;
    }

    switch (type) {

    case EVP_PKEY_RSA:
        return ngx_http_webhook_rsa_fits(public);

    case EVP_PKEY_EC:
        return ngx_http_webhook_curve_fits(public) ? NGX_OK : NGX_ABORT;

    default: /* EVP_PKEY_ED25519 */

        len = NGX_HTTP_WEBHOOK_ED25519_LEN;

        if (!EVP_PKEY_get_raw_public_key(public, point, &len)) {
            return NGX_ERROR;
        }

        return ngx_http_webhook_ed25519_fits(point) ? NGX_OK : NGX_ABORT;
    }
}


/*
 * With the exponent 1 anybody signs.  A key in DER is a sequence of n and e
 * (RFC 8017, appendix A.1.1); as n is long, both lengths before it take four
 * bytes with their tags, the last two of which are the number.
 */

static ngx_int_t
ngx_http_webhook_rsa_fits(EVP_PKEY *public)
{
    int         len;
    u_char     *der, *p;
    ngx_int_t   rc;

    if (EVP_PKEY_bits(public) < NGX_HTTP_WEBHOOK_MIN_RSA
        || EVP_PKEY_bits(public) > NGX_HTTP_WEBHOOK_MAX_RSA)
    {
        return NGX_ABORT;
    }

    der = NULL;

    len = i2d_PublicKey(public, &der);
    if (len < 0) {
        return NGX_ERROR;
    }

    p = der + 8 + (der[6] << 8 | der[7]);

    rc = (ngx_memcmp(p, "\x02\x01\x01", 3) == 0) ? NGX_ABORT : NGX_OK;

    OPENSSL_free(der);

    return rc;
}


static ngx_uint_t
ngx_http_webhook_curve_fits(EVP_PKEY *public)
{
    int                 nid, type;
    X509_ALGOR         *algorithm;
    const void         *curve;
    X509_PUBKEY        *spki;
    const ASN1_OBJECT  *object;

    nid = NID_undef;
    spki = NULL;

    if (X509_PUBKEY_set(&spki, public)
        && X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, spki))
    {
        X509_ALGOR_get0(&object, &type, &curve, algorithm);

        if (type == V_ASN1_OBJECT) {
            nid = OBJ_obj2nid(curve);
        }
    }

    X509_PUBKEY_free(spki);

    return nid == NID_X9_62_prime256v1 || nid == NID_secp384r1
           || nid == NID_secp521r1;
}


ngx_uint_t
ngx_http_webhook_public_cost(ngx_http_webhook_key_t *key)
{
    ngx_uint_t  bits;

    bits = EVP_PKEY_bits(key->public);

    if (EVP_PKEY_base_id(key->public) == EVP_PKEY_RSA) {
        return (bits > 4096) ? 4 : 1;
    }

    /* P-384 and P-521 */

    return (bits > 256) ? 4 : 1;
}


static EVP_PKEY_CTX *
ngx_http_webhook_public_ctx(EVP_PKEY *public,
    const ngx_http_webhook_algorithm_t *algorithm)
{
    EVP_PKEY_CTX  *ctx;

    ctx = EVP_PKEY_CTX_new(public, NULL);
    if (ctx == NULL) {
        return NULL;
    }

    if (EVP_PKEY_verify_init(ctx) <= 0
        || (algorithm->public == EVP_PKEY_RSA
            && EVP_PKEY_CTX_set_rsa_padding(ctx, algorithm->padding) <= 0)
        || EVP_PKEY_CTX_set_signature_md(ctx, algorithm->md()) <= 0
        || (algorithm->padding == RSA_PKCS1_PSS_PADDING
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST)
               <= 0))
    {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }

    return ctx;
}


ngx_int_t
ngx_http_webhook_public_check(ngx_http_webhook_key_t *key,
    const ngx_http_webhook_algorithm_t *algorithm, u_char *digest,
    u_char *signature, size_t len, ngx_uint_t raw)
{
    int            rc;
    u_char         buf[NGX_HTTP_WEBHOOK_MAX_ECDSA];
    u_long         n;
    ngx_int_t      ret;
    EVP_PKEY_CTX  *ctx;

    ERR_clear_error();

    if (algorithm->public == EVP_PKEY_RSA) {

        /* OpenSSL would take one without its leading zeroes */

        if (len != (size_t) EVP_PKEY_size(key->public)) {
            return NGX_DECLINED;
        }

    } else if (raw) {

        ret = ngx_http_webhook_ecdsa_der(&signature, &len,
                                     (EVP_PKEY_bits(key->public) + 7) / 8, buf);
        if (ret != NGX_OK) {
            return ret;
        }
    }

    ctx = ngx_http_webhook_public_ctx(key->public, algorithm);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_set_errno(0);

    rc = EVP_PKEY_verify(ctx, signature, len, digest,
                         EVP_MD_size(algorithm->md()));

    ret = (rc == 1) ? NGX_OK
                    : (rc == -2 || ngx_errno == NGX_ENOMEM) ? NGX_ERROR
                                                            : NGX_DECLINED;

    EVP_PKEY_CTX_free(ctx);

    /* a signature may be wrong for many reasons, no memory is none of them */

    while (ret == NGX_DECLINED && (n = ERR_get_error()) != 0) {
        if (ERR_GET_REASON(n) == ERR_R_MALLOC_FAILURE) {
            return NGX_ERROR;
        }
    }

    return ret;
}


/* the numbers as OpenSSL wants them */

static ngx_int_t
ngx_http_webhook_ecdsa_der(u_char **signature, size_t *len, size_t size,
    u_char *buf)
{
    int         n;
    u_char     *p;
    BIGNUM     *r, *s;
    ECDSA_SIG  *sig;

    if (*len != 2 * size) {
        return NGX_DECLINED;
    }

    sig = ECDSA_SIG_new();
    r = BN_bin2bn(*signature, size, NULL);
    s = BN_bin2bn(*signature + size, size, NULL);

    if (sig == NULL || r == NULL || s == NULL || !ECDSA_SIG_set0(sig, r, s)) {
        ECDSA_SIG_free(sig);
        BN_free(r);
        BN_free(s);
        return NGX_ERROR;
    }

    p = buf;
    n = i2d_ECDSA_SIG(sig, &p);

    ECDSA_SIG_free(sig);

    if (n <= 0) {
        return NGX_ERROR;
    }

    *signature = buf;
    *len = n;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_spki_rsa(ngx_pool_t *pool, ngx_str_t *n, ngx_str_t *e,
    ngx_str_t *der)
{
    u_char     *p, *last;
    size_t      size;
    ngx_str_t   bits;

    if (n->len == 0 || e->len == 0) {
        return NGX_ABORT;
    }

    size = n->len + e->len + NGX_HTTP_WEBHOOK_DER_MORE;

    p = ngx_pnalloc(pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = p + size;

    p = ngx_http_webhook_der_integer(last, e);
    p = ngx_http_webhook_der_integer(p, n);
    p = ngx_http_webhook_der_head(p, 0x30, last - p);

    bits.data = p;
    bits.len = last - p;

    return ngx_http_webhook_der_spki(pool, &ngx_http_webhook_rsa_oids, &bits,
                                     der);
}


ngx_int_t
ngx_http_webhook_spki_point(ngx_pool_t *pool, ngx_str_t *curve, ngx_str_t *x,
    ngx_str_t *y, ngx_str_t *der)
{
    u_char                     point[1 + 2 * 66], *p;
    ngx_str_t                  bits;
    ngx_http_webhook_curve_t  *known;

    for (known = ngx_http_webhook_curves; known->name.len; known++) {
        if (known->name.len == curve->len
            && ngx_memcmp(known->name.data, curve->data, curve->len) == 0)
        {
            break;
        }
    }

    if (known->name.len == 0) {
        return NGX_DECLINED;
    }

    if (x->len != known->size || (y && y->len != known->size)
        || (y == NULL) != (known->name.data[0] == 'E'))
    {
        return NGX_ABORT;
    }

    p = point;

    if (y) {
        *p++ = 0x04;    /* not compressed */
    }

    p = ngx_cpymem(p, x->data, x->len);

    if (y) {
        p = ngx_cpymem(p, y->data, y->len);
    }

    bits.data = point;
    bits.len = p - point;

    return ngx_http_webhook_der_spki(pool, &known->oids, &bits, der);
}


static ngx_int_t
ngx_http_webhook_der_spki(ngx_pool_t *pool, ngx_str_t *oids, ngx_str_t *bits,
    ngx_str_t *der)
{
    u_char  *p, *last;
    size_t   size;

    size = oids->len + bits->len + NGX_HTTP_WEBHOOK_DER_MORE;

    p = ngx_pnalloc(pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* written from its end, where lengths are known when they are needed */

    last = p + size;

    p = last - bits->len;
    ngx_memcpy(p, bits->data, bits->len);

    *--p = 0;    /* unused bits */
    p = ngx_http_webhook_der_head(p, 0x03, last - p);

    p -= oids->len;
    ngx_memcpy(p, oids->data, oids->len);

    p = ngx_http_webhook_der_head(p, 0x30, oids->len);
    p = ngx_http_webhook_der_head(p, 0x30, last - p);

    der->data = p;
    der->len = last - p;

    return NGX_OK;
}


/* a positive number, before p */

static u_char *
ngx_http_webhook_der_integer(u_char *p, ngx_str_t *n)
{
    size_t      len;
    u_char     *src, *last;

    src = n->data;
    len = n->len;
    last = p;

    while (len > 1 && *src == 0) {
        src++;
        len--;
    }

    p -= len;
    ngx_memcpy(p, src, len);

    if (*p & 0x80) {
        *--p = 0;
    }

    return ngx_http_webhook_der_head(p, 0x02, last - p);
}


static u_char *
ngx_http_webhook_der_head(u_char *p, u_char tag, size_t len)
{
    size_t  n;

    n = len;

    do {
        *--p = (u_char) n;
        n >>= 8;
    } while (n);

    if (len > 0xff) {
        *--p = 0x82;

    } else if (len > 0x7f) {
        *--p = 0x81;
    }

    *--p = tag;

    return p;
}


ngx_int_t
ngx_http_webhook_spki_certificate(ngx_pool_t *pool, ngx_str_t *certificate,
    ngx_str_t *der, ngx_str_t *serial, ngx_uint_t *expired)
{
    int            len;
    char          *hex;
    X509          *x509;
    u_char        *p;
    BIGNUM        *bn;
    ngx_int_t      rc;
    const u_char  *src;
    X509_PUBKEY   *spki;

    ERR_clear_error();

    src = certificate->data;

    x509 = d2i_X509(NULL, &src, certificate->len);
    if (x509 == NULL) {
        ERR_clear_error();
        return NGX_DECLINED;
    }

    rc = NGX_ERROR;

    *expired = (X509_cmp_current_time(X509_get0_notAfter(x509)) < 0);

    spki = X509_get_X509_PUBKEY(x509);
    len = i2d_X509_PUBKEY(spki, NULL);

    bn = ASN1_INTEGER_to_BN(X509_get_serialNumber(x509), NULL);

    if (len <= 0 || bn == NULL) {
        goto done;
    }

    der->len = len;
    der->data = ngx_pnalloc(pool, len);
    if (der->data == NULL) {
        goto done;
    }

    p = der->data;
    (void) i2d_X509_PUBKEY(spki, &p);

    hex = BN_bn2hex(bn);
    if (hex == NULL) {
        goto done;
    }

    serial->len = ngx_strlen(hex);
    serial->data = ngx_pnalloc(pool, serial->len);

    if (serial->data) {
        ngx_memcpy(serial->data, hex, serial->len);
        rc = NGX_OK;
    }

    OPENSSL_free(hex);

done:

    BN_free(bn);
    X509_free(x509);

    return rc;
}
