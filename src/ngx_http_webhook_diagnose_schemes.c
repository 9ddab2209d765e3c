
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Other schemes by which a request may be right, and secrets of other places.
 * What a secret is as a key depends on the algorithm and on the rules of the
 * scheme, which few schemes have of their own.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_diagnose.h"


#define NGX_HTTP_WEBHOOK_PLACES  256     /* secrets that are tried */


static void ngx_http_webhook_known_cleanup(void *data);
static ngx_int_t ngx_http_webhook_find_family(
    ngx_http_webhook_known_t *known, const ngx_http_webhook_scheme_t *scheme);
static ngx_uint_t ngx_http_webhook_rules_equal(ngx_array_t *one,
    ngx_array_t *other);
static ngx_int_t ngx_http_webhook_add_place(ngx_conf_t *cf,
    ngx_array_t *places, ngx_http_webhook_loc_conf_t *wlcf,
    ngx_http_webhook_scheme_t *scheme);
static ngx_int_t ngx_http_webhook_add_empty(ngx_array_t *places,
    ngx_http_webhook_scheme_t *scheme);
static ngx_uint_t ngx_http_webhook_same_secret(
    const ngx_http_webhook_secret_t *one,
    const ngx_http_webhook_secret_t *other);
static ngx_int_t ngx_http_webhook_make_key(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_secret_t *secret,
    ngx_http_webhook_key_t *key);
static ngx_uint_t ngx_http_webhook_templates_equal(
    const ngx_http_webhook_template_t *one,
    const ngx_http_webhook_template_t *other);


ngx_int_t
ngx_http_webhook_know_schemes(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_known_t *known)
{
    ngx_int_t                           family;
    ngx_str_t                           name;
    ngx_uint_t                          n;
    ngx_pool_cleanup_t                 *cln;
    ngx_http_webhook_other_t           *other;
    ngx_http_webhook_scheme_t          *scheme;
    const ngx_http_webhook_provider_t  *provider;

    if (ngx_array_init(&known->others, cf->pool, 256,
                       sizeof(ngx_http_webhook_other_t))
        != NGX_OK
        || ngx_array_init(&known->families, cf->pool, 32,
                          sizeof(ngx_http_webhook_family_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_webhook_known_cleanup;
    cln->data = known;

    for (n = 0; /* void */ ; n++) {

        provider = ngx_http_webhook_nth_provider(n);

        if (provider == NULL) {
            break;
        }

        if (provider->text == NULL) {

            /* another name of a scheme */

            continue;
        }

        name.data = (u_char *) provider->name;
        name.len = ngx_strlen(provider->name);

        if (ngx_http_webhook_scheme_find(cf, &wmcf->schemes, &name, &scheme)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (scheme->algorithm->token) {
            continue;
        }

        family = ngx_http_webhook_find_family(known, scheme);

        if (family == NGX_ERROR) {
            return NGX_ERROR;
        }

        other = ngx_array_push(&known->others);
        if (other == NULL) {
            return NGX_ERROR;
        }

        other->scheme = scheme;
        other->family = family;
    }

    known->nfamilies = known->families.nelts;

    return NGX_OK;
}


static void
ngx_http_webhook_known_cleanup(void *data)
{
    ngx_http_webhook_known_t *known = data;

    ngx_uint_t                   i, n;
    ngx_http_webhook_family_t   *family;
    ngx_http_webhook_suspect_t  *suspect;

    family = known->families.elts;

    for (i = 0; i < known->families.nelts; i++) {

        if (family[i].places == NULL) {
            continue;
        }

        suspect = family[i].places->elts;

        for (n = 0; n < family[i].places->nelts; n++) {
            ngx_http_webhook_key_free(&suspect[n].key);
        }
    }
}


/* the number of a family, or NGX_ERROR */

static ngx_int_t
ngx_http_webhook_find_family(ngx_http_webhook_known_t *known,
    const ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t                  i;
    ngx_http_webhook_family_t  *family;

    family = known->families.elts;

    for (i = 0; i < known->families.nelts; i++) {
        if (family[i].algorithm == scheme->algorithm
            && ngx_http_webhook_rules_equal(family[i].rules, scheme->secret))
        {
            return i;
        }
    }

    family = ngx_array_push(&known->families);
    if (family == NULL) {
        return NGX_ERROR;
    }

    family->algorithm = scheme->algorithm;
    family->rules = scheme->secret;
    family->places = NULL;

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


ngx_array_t *
ngx_http_webhook_know_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_known_t *known,
    ngx_http_webhook_scheme_t *scheme)
{
    ngx_int_t                      n;
    ngx_uint_t                     i;
    ngx_http_webhook_family_t     *family;
    ngx_http_webhook_loc_conf_t  **wlcf;

    n = ngx_http_webhook_find_family(known, scheme);

    if (n == NGX_ERROR) {
        return NULL;
    }

    family = known->families.elts;
    family += n;

    if (family->places) {
        return family->places;
    }

    family->places = ngx_array_create(cf->pool, 4,
                                      sizeof(ngx_http_webhook_suspect_t));
    if (family->places == NULL) {
        return NULL;
    }

    wlcf = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {
        if (ngx_http_webhook_add_place(cf, family->places, wlcf[i], scheme)
            != NGX_OK)
        {
            return NULL;
        }
    }

    if (scheme->algorithm->start
        && ngx_http_webhook_add_empty(family->places, scheme) != NGX_OK)
    {
        return NULL;
    }

    return family->places;
}


/* secrets that are not there yet, as far as there is room */

static ngx_int_t
ngx_http_webhook_add_place(ngx_conf_t *cf, ngx_array_t *places,
    ngx_http_webhook_loc_conf_t *wlcf, ngx_http_webhook_scheme_t *scheme)
{
    ngx_int_t                    rc;
    ngx_uint_t                   i, n;
    ngx_array_t                 *secrets;
    ngx_http_webhook_secret_t   *secret;
    ngx_http_webhook_suspect_t  *suspect;

    secrets = wlcf->rules.keyring->secrets;
    secret = secrets->elts;

    for (i = 0; i < secrets->nelts; i++) {

        if (places->nelts == NGX_HTTP_WEBHOOK_PLACES) {
            return NGX_OK;
        }

        suspect = places->elts;

        for (n = 0; n < places->nelts; n++) {
            if (ngx_http_webhook_same_secret(suspect[n].secret, &secret[i])) {
                break;
            }
        }

        if (n < places->nelts || secret[i].string) {
            continue;
        }

        suspect = ngx_array_push(places);
        if (suspect == NULL) {
            return NGX_ERROR;
        }

        suspect->secret = &secret[i];

        rc = ngx_http_webhook_make_key(cf, scheme, &secret[i], &suspect->key);

        if (rc == NGX_DECLINED) {
            places->nelts--;
            continue;
        }

        suspect->hint.len = sizeof("secret_of:") - 1 + wlcf->label.len;
        suspect->hint.data = ngx_pnalloc(cf->pool, suspect->hint.len);

        if (rc != NGX_OK || suspect->hint.data == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_sprintf(suspect->hint.data, "secret_of:%V", &wlcf->label);
    }

    return NGX_OK;
}


/* an HMAC pads a key with zeroes: that of one zero is an empty one */

static ngx_int_t
ngx_http_webhook_add_empty(ngx_array_t *places,
    ngx_http_webhook_scheme_t *scheme)
{
    ngx_int_t                    rc;
    ngx_str_t                    empty;
    ngx_http_webhook_suspect_t  *suspect;

    suspect = ngx_array_push(places);
    if (suspect == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&suspect->hint, "secret_empty");
    suspect->secret = NULL;

    ngx_str_set(&empty, "\0");

    rc = ngx_http_webhook_key_init(&suspect->key, scheme->algorithm, &empty);

    if (rc == NGX_DECLINED || rc == NGX_ABORT) {
        ngx_http_webhook_key_free(&suspect->key);
        places->nelts--;
        return NGX_OK;
    }

    return rc;
}


ngx_uint_t
ngx_http_webhook_is_own_secret(const ngx_http_webhook_suspects_t *suspects,
    const ngx_http_webhook_secret_t *secret)
{
    ngx_uint_t                  i;
    ngx_http_webhook_secret_t  *own;

    own = suspects->secrets->elts;

    for (i = 0; i < suspects->secrets->nelts; i++) {
        if (ngx_http_webhook_same_secret(&own[i], secret)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_webhook_same_secret(const ngx_http_webhook_secret_t *one,
    const ngx_http_webhook_secret_t *other)
{
    return one == other
           || (one->string == NULL && other->string == NULL
               && one->kind == other->kind
               && one->text.len == other->text.len
               && ngx_memcmp(one->text.data, other->text.data, one->text.len)
                  == 0);
}


ngx_int_t
ngx_http_webhook_suspect_schemes(ngx_conf_t *cf,
    ngx_http_webhook_suspects_t *suspects)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i, n;
    ngx_http_webhook_other_t   *other;
    ngx_http_webhook_keyset_t  *set;
    ngx_http_webhook_secret_t  *secret;

    suspects->keysets = ngx_pcalloc(cf->pool, suspects->known->nfamilies
                                          * sizeof(ngx_http_webhook_keyset_t));
    if (suspects->keysets == NULL) {
        return NGX_ERROR;
    }

    other = suspects->known->others.elts;
    secret = suspects->secrets->elts;

    for (i = 0; i < suspects->known->others.nelts; i++) {

        set = &suspects->keysets[other[i].family];

        if (set->keys) {
            continue;
        }

        set->keys = ngx_pcalloc(cf->pool, suspects->secrets->nelts
                                          * sizeof(ngx_http_webhook_key_t));
        if (set->keys == NULL) {
            return NGX_ERROR;
        }

        for (n = 0; n < suspects->secrets->nelts; n++) {

            if (secret[n].string) {
                continue;
            }

            rc = ngx_http_webhook_make_key(cf, other[i].scheme, &secret[n],
                                           &set->keys[set->nkeys]);
            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_OK) {
                set->nkeys++;
            }
        }
    }

    return NGX_OK;
}


/* NGX_OK; NGX_DECLINED if the secret is no key of the scheme; or NGX_ERROR */

static ngx_int_t
ngx_http_webhook_make_key(ngx_conf_t *cf, ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_secret_t *secret, ngx_http_webhook_key_t *key)
{
    size_t     len;
    ngx_int_t  rc;

    rc = (secret->kind == NGX_HTTP_WEBHOOK_SECRET_TEXT)
         ? ngx_http_webhook_secret_key(scheme, &secret->text, key, &len,
                                       cf->log)
         : ngx_http_webhook_file_key(scheme, secret, key);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    ngx_http_webhook_key_free(key);

    if (rc != NGX_ERROR) {
        return NGX_DECLINED;
    }

    ngx_http_webhook_digest_error(NGX_LOG_EMERG, cf->log,
                                  "could not make a key of a secret");
    return NGX_ERROR;
}


void
ngx_http_webhook_free_keysets(ngx_http_webhook_suspects_t *suspects)
{
    ngx_uint_t                  i, n;
    ngx_http_webhook_keyset_t  *set;

    if (suspects->keysets == NULL) {
        return;
    }

    for (i = 0; i < suspects->known->nfamilies; i++) {
        set = &suspects->keysets[i];

        for (n = 0; n < set->nkeys; n++) {
            ngx_http_webhook_key_free(&set->keys[n]);
        }
    }
}


ngx_uint_t
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
