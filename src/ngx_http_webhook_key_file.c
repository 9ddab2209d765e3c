
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Files of keys: PEM (RFC 7468), and JWK Sets (RFC 7517).  They are read with
 * the configuration and at no other time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <yajl/yajl_tree.h>

#include "ngx_http_webhook_public.h"
#include "ngx_http_webhook_secret.h"


#define NGX_HTTP_WEBHOOK_JWK_MEMBER  2048


static char *ngx_http_webhook_key_file(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name,
    char *(*handler)(ngx_conf_t *cf, ngx_array_t *secrets, ngx_str_t *name,
        ngx_str_t *text));

static char *ngx_http_webhook_pem_keys(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name, ngx_str_t *text);
static char *ngx_http_webhook_pem_block(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name, char *type, ngx_str_t *der, ngx_str_t *id);
static ngx_int_t ngx_http_webhook_pem_id(ngx_pool_t *pool, u_char *p,
    u_char *line, ngx_str_t *id);

static char *ngx_http_webhook_jwks_keys(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name, ngx_str_t *text);
static char *ngx_http_webhook_jwk(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name, ngx_uint_t n, yajl_val jwk);
static ngx_int_t ngx_http_webhook_jwk_key(ngx_pool_t *pool, yajl_val jwk,
    ngx_str_t *key, ngx_http_webhook_secret_e *kind);
static ngx_int_t ngx_http_webhook_jwk_text(ngx_pool_t *pool, yajl_val jwk,
    const char *name, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_jwk_bytes(ngx_pool_t *pool, yajl_val jwk,
    const char *name, ngx_str_t *bytes);
static ngx_uint_t ngx_http_webhook_is_alg(const ngx_str_t *alg,
    const ngx_str_t *name);

static ngx_uint_t ngx_http_webhook_is_key_id(ngx_http_webhook_secret_t *secret,
    ngx_str_t *id);


char *
ngx_http_webhook_pem_file(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name)
{
    return ngx_http_webhook_key_file(cf, secrets, name,
                                     ngx_http_webhook_pem_keys);
}


char *
ngx_http_webhook_jwks_file(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name)
{
    return ngx_http_webhook_key_file(cf, secrets, name,
                                     ngx_http_webhook_jwks_keys);
}


static char *
ngx_http_webhook_key_file(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name,
    char *(*handler)(ngx_conf_t *cf, ngx_array_t *secrets, ngx_str_t *name,
        ngx_str_t *text))
{
    char                       *rv;
    ngx_str_t                   text, *file;
    ngx_uint_t                  i, n, mode, secret;
    ngx_http_webhook_secret_t  *key;

    file = ngx_palloc(cf->pool, sizeof(ngx_str_t));
    if (file == NULL) {
        return NGX_CONF_ERROR;
    }

    *file = *name;

    if (ngx_http_webhook_read_secret_file(cf, file, &mode, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (mode & (S_IWGRP|S_IWOTH)) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "key file \"%V\" can be written by others, "
                           "take that right away", file);
    }

    n = secrets->nelts;

    rv = handler(cf, secrets, file, &text);

    /* a JWK Set may hold secrets */

    ngx_explicit_memzero(text.data, text.len);
    ngx_free(text.data);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (secrets->nelts == n) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" holds no key", file);
        return NGX_CONF_ERROR;
    }

    secret = 0;
    key = secrets->elts;

    for (i = n; i < secrets->nelts; i++) {
        key[i].file = file;
        secret |= (key[i].kind == NGX_HTTP_WEBHOOK_SECRET_OCTETS);
    }

    if (secret) {
        ngx_http_webhook_check_secret_file(cf, file, mode);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_pem_keys(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name, ngx_str_t *text)
{
    int         rc;
    BIO        *bio;
    char       *rv, *type, *header;
    long        len;
    u_char     *p, *last, *line, *data;
    ngx_str_t   der, id;

    p = text->data;
    last = p + text->len;

    for ( ;; ) {

        line = ngx_strnstr(p, "-----BEGIN ", last - p);

        if (line == NULL) {
            return NGX_CONF_OK;
        }

        if (line > text->data && line[-1] != LF) {
            p = line + 1;
            continue;
        }

        if (ngx_http_webhook_pem_id(cf->pool, p, line, &id) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        bio = BIO_new_mem_buf(line, last - line);
        if (bio == NULL) {
            return NGX_CONF_ERROR;
        }

        rc = PEM_read_bio(bio, &type, &header, &data, &len);

        p = last - BIO_ctrl_pending(bio);

        BIO_free(bio);

        if (!rc) {
            ngx_http_webhook_digest_error(NGX_LOG_EMERG, cf->log,
                                          "PEM_read_bio() failed");
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "key file \"%V\" has a block that cannot be "
                               "read", name);
            return NGX_CONF_ERROR;
        }

        der.data = data;
        der.len = len;

        rv = ngx_http_webhook_pem_block(cf, secrets, name, type, &der, &id);

        OPENSSL_free(type);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, len);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }
}


/* what stands behind "# id:" on the line before a block, or nothing */

static ngx_int_t
ngx_http_webhook_pem_id(ngx_pool_t *pool, u_char *p, u_char *line,
    ngx_str_t *id)
{
    u_char  *start, *end;

    ngx_str_null(id);

    end = line;

    if (end > p && end[-1] == LF) {
        end--;
    }

    if (end > p && end[-1] == CR) {
        end--;
    }

    start = end;

    while (start > p && start[-1] != LF) {
        start--;
    }

    if (end - start < 5 || ngx_strncmp(start, "# id:", 5) != 0) {
        return NGX_OK;
    }

    start += 5;

    while (start < end && (*start == ' ' || *start == '\t')) {
        start++;
    }

    while (start < end && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    id->len = end - start;
    id->data = ngx_pnalloc(pool, id->len + 1);
    if (id->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(id->data, start, id->len);

    return NGX_OK;
}


static char *
ngx_http_webhook_pem_block(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name, char *type, ngx_str_t *der, ngx_str_t *id)
{
    ngx_int_t                   rc;
    ngx_str_t                   key, serial;
    ngx_uint_t                  expired;
    ngx_http_webhook_secret_t  *secret;

    key = *der;
    ngx_str_null(&serial);

    if (ngx_strcmp(type, PEM_STRING_X509) == 0) {

        rc = ngx_http_webhook_spki_certificate(cf->pool, der, &key, &serial,
                                               &expired);

        if (rc != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "key file \"%V\" has a certificate that cannot "
                               "be read", name);
            return NGX_CONF_ERROR;
        }

        if (expired) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "key file \"%V\" has a certificate that has "
                               "run out, its key is taken nevertheless", name);
        }

    } else if (ngx_strcmp(type, PEM_STRING_PUBLIC) != 0) {
        return NGX_CONF_OK;
    }

    secret = ngx_http_webhook_secret_push(cf, secrets, key.data, key.len);
    if (secret == NULL) {
        return NGX_CONF_ERROR;
    }

    secret->kind = NGX_HTTP_WEBHOOK_SECRET_PUBLIC;
    secret->id = id->len ? *id : serial;
    secret->serial = (id->len == 0);

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_jwks_keys(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name, ngx_str_t *text)
{
    char         *rv;
    yajl_val      root, keys;
    ngx_uint_t    i;
    const char   *path[] = { "keys", NULL };

    keys = NULL;

    root = yajl_tree_parse((const char *) text->data, NULL, 0);

    if (root) {
        keys = yajl_tree_get(root, path, yajl_t_array);
    }

    if (keys == NULL || ngx_strlen(text->data) != text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" is no JWK Set", name);
        yajl_tree_free(root);
        return NGX_CONF_ERROR;
    }

    rv = NGX_CONF_OK;

    for (i = 0; i < keys->u.array.len && rv == NGX_CONF_OK; i++) {
        rv = ngx_http_webhook_jwk(cf, secrets, name, i + 1,
                                  keys->u.array.values[i]);
    }

    yajl_tree_free(root);

    return rv;
}


static char *
ngx_http_webhook_jwk(ngx_conf_t *cf, ngx_array_t *secrets, ngx_str_t *name,
    ngx_uint_t n, yajl_val jwk)
{
    ngx_int_t                   rc;
    ngx_str_t                   key, use, alg, id;
    ngx_http_webhook_secret_t  *secret;
    ngx_http_webhook_secret_e   kind;

    ngx_str_null(&alg);

    rc = ngx_http_webhook_jwk_text(cf->pool, jwk, "use", &use);

    if (rc == NGX_OK && (use.len != 3 || ngx_strncmp(use.data, "sig", 3) != 0))
    {
        rc = NGX_ABORT;
    }

    if (rc == NGX_OK || rc == NGX_DECLINED) {

        rc = ngx_http_webhook_jwk_text(cf->pool, jwk, "alg", &alg);

        if (rc == NGX_OK && alg.len == 0) {
            rc = NGX_ABORT;
        }
    }

    if (rc == NGX_ABORT) {

        /* for another use */

        return NGX_CONF_OK;
    }

    if (rc == NGX_ERROR
        || ngx_http_webhook_jwk_text(cf->pool, jwk, "kid", &id) == NGX_ERROR)
    {
        return NGX_CONF_ERROR;
    }

    rc = ngx_http_webhook_jwk_key(cf->pool, jwk, &key, &kind);

    if (rc == NGX_DECLINED) {

        /* of another type */

        return NGX_CONF_OK;
    }

    if (rc == NGX_ABORT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key %ui of the key file \"%V\" cannot be read",
                           n, name);
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (kind == NGX_HTTP_WEBHOOK_SECRET_OCTETS
        && key.len < NGX_HTTP_WEBHOOK_MIN_SECRET)
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "key %ui of the key file \"%V\" is shorter than "
                           "16 bytes", n, name);
    }

    secret = ngx_http_webhook_secret_push(cf, secrets, key.data, key.len);

    ngx_explicit_memzero(key.data, key.len);

    if (secret == NULL) {
        return NGX_CONF_ERROR;
    }

    secret->kind = kind;
    secret->id = id;
    secret->alg = alg;

    return NGX_CONF_OK;
}


/*
 * NGX_OK, NGX_DECLINED if it is of a type that is of no use, NGX_ABORT if it
 * is wrong, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_webhook_jwk_key(ngx_pool_t *pool, yajl_val jwk, ngx_str_t *key,
    ngx_http_webhook_secret_e *kind)
{
    ngx_int_t   rc;
    ngx_str_t   kty, curve, x, y;
    ngx_uint_t  octets, point;

    rc = ngx_http_webhook_jwk_text(pool, jwk, "kty", &kty);
    if (rc != NGX_OK) {
        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_ABORT;
    }

    octets = (kty.len == 3 && ngx_strncmp(kty.data, "oct", 3) == 0);

    if (octets) {
        *kind = NGX_HTTP_WEBHOOK_SECRET_OCTETS;
        return ngx_http_webhook_jwk_bytes(pool, jwk, "k", key);
    }

    *kind = NGX_HTTP_WEBHOOK_SECRET_PUBLIC;

    if (kty.len == 3 && ngx_strncmp(kty.data, "RSA", 3) == 0) {

        rc = ngx_http_webhook_jwk_bytes(pool, jwk, "n", &x);

        if (rc == NGX_OK) {
            rc = ngx_http_webhook_jwk_bytes(pool, jwk, "e", &y);
        }

        return (rc == NGX_OK) ? ngx_http_webhook_spki_rsa(pool, &x, &y, key)
                              : rc;
    }

    point = (kty.len == 2 && ngx_strncmp(kty.data, "EC", 2) == 0);

    if (!point && (kty.len != 3 || ngx_strncmp(kty.data, "OKP", 3) != 0)) {
        return NGX_DECLINED;
    }

    rc = ngx_http_webhook_jwk_text(pool, jwk, "crv", &curve);
    if (rc != NGX_OK) {
        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_ABORT;
    }

    rc = ngx_http_webhook_jwk_bytes(pool, jwk, "x", &x);

    if (rc == NGX_OK && point) {
        rc = ngx_http_webhook_jwk_bytes(pool, jwk, "y", &y);
    }

    return (rc == NGX_OK)
           ? ngx_http_webhook_spki_point(pool, &curve, &x, point ? &y : NULL,
                                         key)
           : rc;
}


/*
 * a member: NGX_OK, NGX_DECLINED if it is not there, NGX_ABORT if it is not
 * a string, or NGX_ERROR
 */

static ngx_int_t
ngx_http_webhook_jwk_text(ngx_pool_t *pool, yajl_val jwk, const char *name,
    ngx_str_t *text)
{
    yajl_val     member;
    const char  *path[2];

    ngx_str_null(text);

    path[0] = name;
    path[1] = NULL;

    member = yajl_tree_get(jwk, path, yajl_t_any);

    if (member == NULL) {
        return NGX_DECLINED;
    }

    if (!YAJL_IS_STRING(member)) {
        return NGX_ABORT;
    }

    text->len = ngx_strlen(member->u.string);
    text->data = ngx_pnalloc(pool, text->len + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(text->data, (u_char *) member->u.string,
                       text->len + 1);

    return NGX_OK;
}


/* likewise, decoded: NGX_OK, NGX_ABORT, or NGX_ERROR */

static ngx_int_t
ngx_http_webhook_jwk_bytes(ngx_pool_t *pool, yajl_val jwk, const char *name,
    ngx_str_t *bytes)
{
    ngx_int_t  rc, len;
    ngx_str_t  text;

    rc = ngx_http_webhook_jwk_text(pool, jwk, name, &text);
    if (rc != NGX_OK) {
        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_ABORT;
    }

    len = ngx_http_webhook_decoded_length(&text,
                                          NGX_HTTP_WEBHOOK_ENCODING_BASE64URL);

    if (len <= 0 || len > NGX_HTTP_WEBHOOK_JWK_MEMBER) {
        return NGX_ABORT;
    }

    bytes->len = len;
    bytes->data = ngx_pnalloc(pool, len + 2);
    if (bytes->data == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_webhook_decode(bytes->data, &text,
                                 NGX_HTTP_WEBHOOK_ENCODING_BASE64URL);

    ngx_explicit_memzero(text.data, text.len);

    return (rc == NGX_OK) ? NGX_OK : NGX_ABORT;
}


ngx_int_t
ngx_http_webhook_file_key(ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_secret_t *secret, ngx_http_webhook_key_t *key)
{
    const ngx_http_webhook_algorithm_t  *algorithm;

    /* the name of RFC 9864, which does not stand for Ed448 as well */

    static ngx_str_t  ed25519 = ngx_string("Ed25519");

    algorithm = scheme->algorithm;

    if (secret->alg.len
        && !ngx_http_webhook_is_alg(&secret->alg, &algorithm->jwa)
        && !(algorithm->public == EVP_PKEY_ED25519
             && ngx_http_webhook_is_alg(&secret->alg, &ed25519)))
    {
        return NGX_DECLINED;
    }

    if (secret->kind == NGX_HTTP_WEBHOOK_SECRET_OCTETS) {
        return (algorithm->public || algorithm->token)
               ? NGX_DECLINED
               : ngx_http_webhook_key_init(key, algorithm, &secret->text);
    }

    return algorithm->public
           ? ngx_http_webhook_key_init_public(key, algorithm, &secret->text)
           : NGX_DECLINED;
}


static ngx_uint_t
ngx_http_webhook_is_alg(const ngx_str_t *alg, const ngx_str_t *name)
{
    return alg->len == name->len
           && ngx_memcmp(alg->data, name->data, name->len) == 0;
}


ngx_uint_t
ngx_http_webhook_keys_have_names(const ngx_http_webhook_keyring_t *keyring)
{
    ngx_uint_t                  i;
    ngx_http_webhook_secret_t  *secret;

    secret = keyring->secrets->elts;

    for (i = 0; i < keyring->nkeys; i++) {
        if (keyring->keys[i].ready && secret[i].id.len) {
            return 1;
        }
    }

    return 0;
}


ngx_http_webhook_reason_e
ngx_http_webhook_choose_keys(ngx_http_webhook_keys_t *keys,
    const ngx_http_webhook_keyring_t *keyring, ngx_http_webhook_scope_t *scope)
{
    ngx_int_t                     rc;
    ngx_str_t                     value, item, id;
    ngx_uint_t                    i, n;
    ngx_http_webhook_cursor_t     cursor;
    ngx_http_webhook_secret_t    *secret;
    ngx_http_webhook_scheme_t    *scheme;
    ngx_http_webhook_template_t  *source;

    scheme = keyring->scheme;
    source = scheme->key_id->elts;

    rc = NGX_DECLINED;

    for (i = 0; i < scheme->key_id->nelts && rc == NGX_DECLINED; i++) {
        rc = ngx_http_webhook_template_value(scope, &source[i], &value);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    if (rc == NGX_ABORT) {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
    }

    ngx_str_null(&id);
    n = 0;

    if (rc == NGX_OK) {

        ngx_http_webhook_cursor(&cursor, &value);

        do {
            rc = ngx_http_webhook_next_item(&cursor, &scheme->key_id_cut,
                                            &item);
            if (rc == NGX_OK) {
                id = item;
                n++;
            }

        } while (rc != NGX_DONE);
    }

    if (n != 1 || id.len == 0) {
        return (n > 1) ? NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD
                       : NGX_HTTP_WEBHOOK_REASON_MISSING_FIELD;
    }

    keys->tried = 0;

    secret = keyring->secrets->elts;

    for (i = 0; i < keys->nelts; i++) {
        if (keys->elts[i].ready
            && ngx_http_webhook_is_key_id(&secret[i], &id))
        {
            keys->tried |= (ngx_uint_t) 1 << i;
        }
    }

    return keys->tried ? NGX_HTTP_WEBHOOK_REASON_NONE
                       : NGX_HTTP_WEBHOOK_REASON_UNKNOWN_KEY;
}


static ngx_uint_t
ngx_http_webhook_is_key_id(ngx_http_webhook_secret_t *secret, ngx_str_t *id)
{
    ngx_str_t  one, other;

    one = secret->id;
    other = *id;

    if (one.len == 0) {
        return 0;
    }

    if (!secret->serial) {
        return one.len == other.len
               && ngx_memcmp(one.data, other.data, one.len) == 0;
    }

    /* a number in hex, which may be written with zeroes before it */

    while (one.len > 1 && one.data[0] == '0') {
        one.data++;
        one.len--;
    }

    while (other.len > 1 && other.data[0] == '0') {
        other.data++;
        other.len--;
    }

    return one.len == other.len
           && ngx_strncasecmp(one.data, other.data, one.len) == 0;
}
