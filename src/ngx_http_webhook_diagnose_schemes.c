
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Other schemes by which a request may be right, with the same secrets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_diagnose.h"


static ngx_uint_t ngx_http_webhook_signs_alike(
    const ngx_http_webhook_scheme_t *one,
    const ngx_http_webhook_scheme_t *other);
static ngx_uint_t ngx_http_webhook_templates_equal(
    const ngx_http_webhook_template_t *one,
    const ngx_http_webhook_template_t *other);
static ngx_int_t ngx_http_webhook_find_keyset(ngx_conf_t *cf,
    ngx_http_webhook_suspects_t *suspects, ngx_array_t *secrets,
    ngx_http_webhook_scheme_t *scheme);
static ngx_uint_t ngx_http_webhook_rules_equal(ngx_array_t *one,
    ngx_array_t *other);
static ngx_int_t ngx_http_webhook_fill_keyset(ngx_conf_t *cf,
    ngx_http_webhook_keyset_t *set, ngx_array_t *secrets,
    ngx_http_webhook_scheme_t *scheme);


ngx_int_t
ngx_http_webhook_suspect_schemes(ngx_conf_t *cf,
    ngx_http_webhook_suspects_t *suspects,
    ngx_http_webhook_keyring_t *keyring)
{
    ngx_int_t                    n;
    ngx_uint_t                   i;
    ngx_http_webhook_other_t    *other;
    ngx_http_webhook_scheme_t  **scheme;

    scheme = suspects->schemes->elts;

    for (i = 0; i < suspects->schemes->nelts; i++) {

        /* another form of the secret only is told apart as such */

        if (scheme[i]->algorithm->token
            || ngx_http_webhook_signs_alike(scheme[i], keyring->scheme))
        {
            continue;
        }

        n = ngx_http_webhook_find_keyset(cf, suspects, keyring->secrets,
                                         scheme[i]);
        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        other = ngx_array_push(&suspects->others);
        if (other == NULL) {
            return NGX_ERROR;
        }

        other->scheme = scheme[i];
        other->keyset = n;
    }

    return NGX_OK;
}


void
ngx_http_webhook_free_keysets(ngx_http_webhook_suspects_t *suspects)
{
    ngx_uint_t                  i, n;
    ngx_http_webhook_key_t     *key;
    ngx_http_webhook_keyset_t  *set;

    set = suspects->keysets.elts;

    for (i = 0; i < suspects->keysets.nelts; i++) {
        key = set[i].keys.elts;

        for (n = 0; n < set[i].keys.nelts; n++) {
            ngx_http_webhook_key_free(&key[n]);
        }
    }
}


static ngx_uint_t
ngx_http_webhook_signs_alike(const ngx_http_webhook_scheme_t *one,
    const ngx_http_webhook_scheme_t *other)
{
    ngx_uint_t                    i;
    ngx_http_webhook_template_t  *source, *another;

    if (one == other) {
        return 1;
    }

    if (one->algorithm != other->algorithm
        || one->encoding != other->encoding
        || one->signature->nelts != other->signature->nelts
        || !ngx_http_webhook_templates_equal(&one->signed_text,
                                             &other->signed_text))
    {
        return 0;
    }

    source = one->signature->elts;
    another = other->signature->elts;

    for (i = 0; i < one->signature->nelts; i++) {
        if (!ngx_http_webhook_templates_equal(&source[i], &another[i])) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_webhook_templates_equal(const ngx_http_webhook_template_t *one,
    const ngx_http_webhook_template_t *other)
{
    ngx_uint_t  i;

    if (one->npieces != other->npieces) {
        return 0;
    }

    for (i = 0; i < one->npieces; i++) {
        if (!ngx_http_webhook_pieces_equal(&one->pieces[i],
                                           &other->pieces[i]))
        {
            return 0;
        }
    }

    return 1;
}


/* the number of the keys that the secrets are by the rules of a scheme */

static ngx_int_t
ngx_http_webhook_find_keyset(ngx_conf_t *cf,
    ngx_http_webhook_suspects_t *suspects, ngx_array_t *secrets,
    ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t                  i;
    ngx_http_webhook_keyset_t  *set;

    set = suspects->keysets.elts;

    for (i = 0; i < suspects->keysets.nelts; i++) {
        if (set[i].algorithm == scheme->algorithm
            && ngx_http_webhook_rules_equal(set[i].rules, scheme->secret))
        {
            return i;
        }
    }

    set = ngx_array_push(&suspects->keysets);
    if (set == NULL) {
        return NGX_ERROR;
    }

    set->algorithm = scheme->algorithm;
    set->rules = scheme->secret;

    ngx_memzero(&set->keys, sizeof(ngx_array_t));

    if (ngx_http_webhook_fill_keyset(cf, set, secrets, scheme) != NGX_OK) {
        ngx_http_webhook_digest_error(NGX_LOG_EMERG, cf->log,
                                      "could not make a key of a secret");
        return NGX_ERROR;
    }

    return i;
}


static ngx_uint_t
ngx_http_webhook_rules_equal(ngx_array_t *one, ngx_array_t *other)
{
    ngx_uint_t                       i;
    ngx_http_webhook_secret_rule_t  *rule, *another;

    if (one == NULL || other == NULL) {
        return one == other;
    }

    if (one->nelts != other->nelts) {
        return 0;
    }

    rule = one->elts;
    another = other->elts;

    for (i = 0; i < one->nelts; i++) {
        if (rule[i].encoding != another[i].encoding
            || rule[i].digest != another[i].digest
            || rule[i].keep != another[i].keep
            || rule[i].prefix.len != another[i].prefix.len
            || ngx_memcmp(rule[i].prefix.data, another[i].prefix.data,
                          rule[i].prefix.len)
               != 0)
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_webhook_fill_keyset(ngx_conf_t *cf, ngx_http_webhook_keyset_t *set,
    ngx_array_t *secrets, ngx_http_webhook_scheme_t *scheme)
{
    size_t                      len;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_webhook_key_t     *key;
    ngx_http_webhook_secret_t  *secret;

    secret = secrets->elts;

    if (ngx_array_init(&set->keys, cf->pool, secrets->nelts,
                       sizeof(ngx_http_webhook_key_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < secrets->nelts; i++) {

        if (secret[i].string) {
            continue;
        }

        key = ngx_array_push(&set->keys);
        if (key == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(key, sizeof(ngx_http_webhook_key_t));

        rc = (secret[i].kind == NGX_HTTP_WEBHOOK_SECRET_TEXT)
             ? ngx_http_webhook_secret_key(scheme, &secret[i].text, key, &len,
                                           cf->log)
             : ngx_http_webhook_file_key(scheme, &secret[i], key);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            ngx_http_webhook_key_free(key);
            set->keys.nelts--;
        }
    }

    return NGX_OK;
}
