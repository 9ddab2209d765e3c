
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Keys that would be right if a secret were meant otherwise.  They are made
 * with the configuration, while there is the text of the secrets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_diagnose.h"


#define NGX_HTTP_WEBHOOK_MAX_SUSPECTS  256


typedef struct {
    ngx_conf_t                    *cf;
    ngx_http_webhook_suspects_t   *suspects;
    ngx_http_webhook_keyring_t    *keyring;
} ngx_http_webhook_suspecting_t;


/* what to think of one secret.  Returns NGX_OK or NGX_ERROR. */

typedef ngx_int_t (*ngx_http_webhook_suspect_pt)(
    ngx_http_webhook_suspecting_t *s, ngx_str_t *text);


static ngx_http_webhook_suspects_t *ngx_http_webhook_get_suspects(
    ngx_conf_t *cf, ngx_http_webhook_main_conf_t *wmcf,
    ngx_http_webhook_loc_conf_t *wlcf);
static ngx_array_t *ngx_http_webhook_all_schemes(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);
static ngx_array_t *ngx_http_webhook_all_names(ngx_conf_t *cf);
static ngx_int_t ngx_http_webhook_suspect_blanks(
    ngx_http_webhook_suspecting_t *s, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_suspect_newline(
    ngx_http_webhook_suspecting_t *s, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_suspect_raw(
    ngx_http_webhook_suspecting_t *s, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_suspect_decoded(
    ngx_http_webhook_suspecting_t *s, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_suspect_prefix(
    ngx_http_webhook_suspecting_t *s, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_suspect_places(
    ngx_http_webhook_suspecting_t *s, ngx_http_webhook_main_conf_t *wmcf);
static size_t ngx_http_webhook_secret_prefix(ngx_str_t *text);
static ngx_int_t ngx_http_webhook_add_secret(ngx_http_webhook_suspecting_t *s,
    ngx_str_t *hint, ngx_http_webhook_secret_t *secret);
static ngx_int_t ngx_http_webhook_add_text(ngx_http_webhook_suspecting_t *s,
    ngx_str_t *hint, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_add_bytes(ngx_http_webhook_suspecting_t *s,
    char *hint, ngx_str_t *bytes);
static ngx_int_t ngx_http_webhook_add_decoded(
    ngx_http_webhook_suspecting_t *s, char *hint, ngx_str_t *text,
    ngx_http_webhook_encoding_e encoding);
static ngx_http_webhook_suspect_t *ngx_http_webhook_add_suspect(
    ngx_http_webhook_suspecting_t *s);
static ngx_int_t ngx_http_webhook_added(ngx_http_webhook_suspecting_t *s,
    ngx_int_t rc);
static void ngx_http_webhook_suspects_cleanup(void *data);


/* in the order in which hints are given */

static ngx_http_webhook_suspect_pt  ngx_http_webhook_suspicions[] = {
    ngx_http_webhook_suspect_blanks,
    ngx_http_webhook_suspect_newline,
    ngx_http_webhook_suspect_raw,
    ngx_http_webhook_suspect_decoded,
    ngx_http_webhook_suspect_prefix,
    NULL
};


ngx_int_t
ngx_http_webhook_diagnose_init(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_uint_t                     i, n;
    ngx_array_t                   *names, *schemes;
    ngx_http_webhook_loc_conf_t  **wlcf;

    names = NULL;
    schemes = NULL;

    wlcf = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {

        if (!wlcf[i]->diagnose) {
            continue;
        }

        if (names == NULL) {
            names = ngx_http_webhook_all_names(cf);
            schemes = ngx_http_webhook_all_schemes(cf, wmcf);

            if (names == NULL || schemes == NULL) {
                return NGX_ERROR;
            }
        }

        for (n = 0; n < i; n++) {
            if (wlcf[n]->suspects
                && wlcf[n]->rules.keyring == wlcf[i]->rules.keyring)
            {
                wlcf[i]->suspects = wlcf[n]->suspects;
                break;
            }
        }

        if (wlcf[i]->suspects) {
            continue;
        }

        wlcf[i]->suspects = ngx_http_webhook_get_suspects(cf, wmcf, wlcf[i]);
        if (wlcf[i]->suspects == NULL) {
            return NGX_ERROR;
        }

        wlcf[i]->suspects->names = names;
        wlcf[i]->suspects->schemes = schemes;

        if (ngx_http_webhook_suspect_schemes(cf, wlcf[i]->suspects,
                                             wlcf[i]->rules.keyring)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_webhook_suspects_t *
ngx_http_webhook_get_suspects(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_loc_conf_t *wlcf)
{
    ngx_str_t                       empty;
    ngx_uint_t                      i, n;
    ngx_array_t                    *secrets;
    ngx_pool_cleanup_t             *cln;
    ngx_http_webhook_secret_t      *secret;
    ngx_http_webhook_suspecting_t   s;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_webhook_suspects_t));
    if (cln == NULL) {
        return NULL;
    }

    s.cf = cf;
    s.keyring = wlcf->rules.keyring;
    s.suspects = cln->data;

    ngx_memzero(s.suspects, sizeof(ngx_http_webhook_suspects_t));

    cln->handler = ngx_http_webhook_suspects_cleanup;

    if (ngx_array_init(&s.suspects->keys, cf->pool, 8,
                       sizeof(ngx_http_webhook_suspect_t))
        != NGX_OK
        || ngx_array_init(&s.suspects->keysets, cf->pool, 16,
                          sizeof(ngx_http_webhook_keyset_t))
           != NGX_OK
        || ngx_array_init(&s.suspects->others, cf->pool, 64,
                          sizeof(ngx_http_webhook_other_t))
           != NGX_OK)
    {
        return NULL;
    }

    secrets = s.keyring->secrets;
    secret = secrets->elts;

    for (n = 0; ngx_http_webhook_suspicions[n]; n++) {

        for (i = 0; i < secrets->nelts; i++) {

            if (secret[i].string == NULL
                && secret[i].kind == NGX_HTTP_WEBHOOK_SECRET_TEXT
                && ngx_http_webhook_suspicions[n](&s, &secret[i].text)
                   != NGX_OK)
            {
                return NULL;
            }
        }
    }

    if (ngx_http_webhook_suspect_places(&s, wmcf) != NGX_OK) {
        return NULL;
    }

    /* an HMAC pads a key with zeroes: that of one zero is an empty one */

    if (s.keyring->scheme->algorithm->start) {
        ngx_str_set(&empty, "\0");

        if (ngx_http_webhook_add_bytes(&s, "secret_empty", &empty) != NGX_OK) {
            return NULL;
        }
    }

    return s.suspects;
}


static ngx_array_t *
ngx_http_webhook_all_schemes(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_str_t                            name;
    ngx_uint_t                           n;
    ngx_array_t                         *schemes;
    ngx_http_webhook_scheme_t           *scheme, **s;
    const ngx_http_webhook_provider_t   *provider;

    schemes = ngx_array_create(cf->pool, 64,
                               sizeof(ngx_http_webhook_scheme_t *));
    if (schemes == NULL) {
        return NULL;
    }

    for (n = 0; /* void */ ; n++) {

        provider = ngx_http_webhook_nth_provider(n);

        if (provider == NULL) {
            return schemes;
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
            return NULL;
        }

        s = ngx_array_push(schemes);
        if (s == NULL) {
            return NULL;
        }

        *s = scheme;
    }
}


/* exact names of servers */

static ngx_array_t *
ngx_http_webhook_all_names(ngx_conf_t *cf)
{
    ngx_str_t                   *name;
    ngx_uint_t                   i, n;
    ngx_array_t                 *names;
    ngx_http_server_name_t      *sn;
    ngx_http_core_srv_conf_t   **cscf;
    ngx_http_core_main_conf_t   *cmcf;

    names = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (names == NULL) {
        return NULL;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        sn = cscf[i]->server_names.elts;

        for (n = 0; n < cscf[i]->server_names.nelts; n++) {

#if (NGX_PCRE)
            if (sn[n].regex) {
                continue;
            }
#endif

            if (sn[n].name.len == 0 || sn[n].name.data[0] == '.'
                || ngx_strlchr(sn[n].name.data,
                               sn[n].name.data + sn[n].name.len, '*'))
            {
                continue;
            }

            name = ngx_array_push(names);
            if (name == NULL) {
                return NULL;
            }

            *name = sn[n].name;
        }
    }

    return names;
}


/* blanks, quotes and line ends around it */

static ngx_int_t
ngx_http_webhook_suspect_blanks(ngx_http_webhook_suspecting_t *s,
    ngx_str_t *text)
{
    ngx_str_t  trimmed;

    static u_char     blanks[] = " \t\r\n\"'";
    static ngx_str_t  hint = ngx_string("secret_blanks");

    trimmed = *text;

    while (trimmed.len && ngx_strlchr(blanks, blanks + 6, trimmed.data[0])) {
        trimmed.data++;
        trimmed.len--;
    }

    while (trimmed.len
           && ngx_strlchr(blanks, blanks + 6, trimmed.data[trimmed.len - 1]))
    {
        trimmed.len--;
    }

    if (trimmed.len == 0 || trimmed.len == text->len) {
        return NGX_OK;
    }

    return ngx_http_webhook_add_text(s, &hint, &trimmed);
}


static ngx_int_t
ngx_http_webhook_suspect_newline(ngx_http_webhook_suspecting_t *s,
    ngx_str_t *text)
{
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   bytes;

    bytes.data = ngx_alloc(text->len + 2, s->cf->log);
    if (bytes.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(bytes.data, text->data, text->len);
    *p = LF;

    bytes.len = text->len + 1;

    rc = ngx_http_webhook_add_bytes(s, "secret_newline", &bytes);

    if (rc == NGX_OK) {
        *p++ = CR;
        *p = LF;

        bytes.len = text->len + 2;

        rc = ngx_http_webhook_add_bytes(s, "secret_newline", &bytes);
    }

    ngx_explicit_memzero(bytes.data, text->len + 2);
    ngx_free(bytes.data);

    return rc;
}


static ngx_int_t
ngx_http_webhook_suspect_raw(ngx_http_webhook_suspecting_t *s,
    ngx_str_t *text)
{
    if (s->keyring->scheme->secret == NULL
        || ngx_http_webhook_secret_prefix(text))
    {
        return NGX_OK;
    }

    return ngx_http_webhook_add_bytes(s, "secret_raw", text);
}


static ngx_int_t
ngx_http_webhook_suspect_decoded(ngx_http_webhook_suspecting_t *s,
    ngx_str_t *text)
{
    if (ngx_http_webhook_add_decoded(s, "secret_decoded:hex", text,
                                     NGX_HTTP_WEBHOOK_ENCODING_HEX)
        != NGX_OK
        || ngx_http_webhook_add_decoded(s, "secret_decoded:base64", text,
                                        NGX_HTTP_WEBHOOK_ENCODING_BASE64)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_webhook_add_decoded(s, "secret_decoded:base64url", text,
                                        NGX_HTTP_WEBHOOK_ENCODING_BASE64URL);
}


/* the prefix belongs to the key, or does not */

static ngx_int_t
ngx_http_webhook_suspect_prefix(ngx_http_webhook_suspecting_t *s,
    ngx_str_t *text)
{
    size_t     len;
    ngx_str_t  rest;

    len = ngx_http_webhook_secret_prefix(text);

    if (len == 0 || len == text->len) {
        return NGX_OK;
    }

    rest.data = text->data + len;
    rest.len = text->len - len;

    if (ngx_http_webhook_add_bytes(s, "secret_prefix", text) != NGX_OK
        || ngx_http_webhook_add_bytes(s, "secret_prefix", &rest) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_webhook_add_decoded(s, "secret_prefix", &rest,
                                        NGX_HTTP_WEBHOOK_ENCODING_BASE64);
}


/* secrets of other places, each once */

static ngx_int_t
ngx_http_webhook_suspect_places(ngx_http_webhook_suspecting_t *s,
    ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_str_t                      hint;
    ngx_uint_t                     i, k, n;
    ngx_array_t                   *own, *list;
    ngx_http_webhook_secret_t     *mine, *secret;
    ngx_http_webhook_loc_conf_t  **wlcf;

    own = s->keyring->secrets;
    mine = own->elts;

    wlcf = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {

        list = wlcf[i]->rules.keyring->secrets;
        secret = list->elts;

        if (list == own) {
            continue;
        }

        hint.len = sizeof("secret_of:") - 1 + wlcf[i]->label.len;
        hint.data = ngx_pnalloc(s->cf->pool, hint.len);
        if (hint.data == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_sprintf(hint.data, "secret_of:%V", &wlcf[i]->label);

        for (n = 0; n < list->nelts; n++) {

            for (k = 0; k < own->nelts; k++) {
                if (mine[k].string == NULL
                    && mine[k].text.len == secret[n].text.len
                    && ngx_memcmp(mine[k].text.data, secret[n].text.data,
                                  secret[n].text.len)
                       == 0)
                {
                    break;
                }
            }

            if (k < own->nelts || secret[n].string) {
                continue;
            }

            if (ngx_http_webhook_add_secret(s, &hint, &secret[n]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* the length of what providers put before their secrets */

static size_t
ngx_http_webhook_secret_prefix(ngx_str_t *text)
{
    if (text->len >= 6 && ngx_memcmp(text->data, "whsec_", 6) == 0) {
        return 6;
    }

    if (text->len >= 3 && ngx_memcmp(text->data, "v1,", 3) == 0) {
        return 3;
    }

    return 0;
}


/* a secret of another place, or a key of a file there */

static ngx_int_t
ngx_http_webhook_add_secret(ngx_http_webhook_suspecting_t *s, ngx_str_t *hint,
    ngx_http_webhook_secret_t *secret)
{
    ngx_http_webhook_suspect_t  *suspect;

    if (secret->kind == NGX_HTTP_WEBHOOK_SECRET_TEXT) {
        return ngx_http_webhook_add_text(s, hint, &secret->text);
    }

    if (s->suspects->keys.nelts == NGX_HTTP_WEBHOOK_MAX_SUSPECTS) {
        return NGX_OK;
    }

    suspect = ngx_http_webhook_add_suspect(s);
    if (suspect == NULL) {
        return NGX_ERROR;
    }

    suspect->hint = *hint;

    return ngx_http_webhook_added(s,
                    ngx_http_webhook_file_key(s->keyring->scheme, secret,
                                              &suspect->key));
}


/* by the rules of the scheme */

static ngx_int_t
ngx_http_webhook_add_text(ngx_http_webhook_suspecting_t *s, ngx_str_t *hint,
    ngx_str_t *text)
{
    size_t                       len;
    ngx_http_webhook_suspect_t  *suspect;

    if (s->suspects->keys.nelts == NGX_HTTP_WEBHOOK_MAX_SUSPECTS) {
        return NGX_OK;
    }

    suspect = ngx_http_webhook_add_suspect(s);
    if (suspect == NULL) {
        return NGX_ERROR;
    }

    suspect->hint = *hint;

    return ngx_http_webhook_added(s,
                    ngx_http_webhook_secret_key(s->keyring->scheme, text,
                                                &suspect->key, &len,
                                                s->cf->log));
}


static ngx_int_t
ngx_http_webhook_add_bytes(ngx_http_webhook_suspecting_t *s, char *hint,
    ngx_str_t *bytes)
{
    ngx_http_webhook_suspect_t  *suspect;

    if (s->suspects->keys.nelts == NGX_HTTP_WEBHOOK_MAX_SUSPECTS) {
        return NGX_OK;
    }

    suspect = ngx_http_webhook_add_suspect(s);
    if (suspect == NULL) {
        return NGX_ERROR;
    }

    suspect->hint.data = (u_char *) hint;
    suspect->hint.len = ngx_strlen(hint);

    return ngx_http_webhook_added(s,
                    ngx_http_webhook_key_init(&suspect->key,
                                              s->keyring->scheme->algorithm,
                                              bytes));
}


static ngx_int_t
ngx_http_webhook_add_decoded(ngx_http_webhook_suspecting_t *s, char *hint,
    ngx_str_t *text, ngx_http_webhook_encoding_e encoding)
{
    ngx_int_t  rc;
    ngx_str_t  bytes;

    rc = ngx_http_webhook_decoded_length(text, encoding);

    if (rc == NGX_ERROR || rc == 0) {
        return NGX_OK;
    }

    bytes.len = rc;
    bytes.data = ngx_alloc(bytes.len + 2, s->cf->log);
    if (bytes.data == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    if (ngx_http_webhook_decode(bytes.data, text, encoding) == NGX_OK) {
        rc = ngx_http_webhook_add_bytes(s, hint, &bytes);
    }

    ngx_explicit_memzero(bytes.data, bytes.len + 2);
    ngx_free(bytes.data);

    return rc;
}


static ngx_http_webhook_suspect_t *
ngx_http_webhook_add_suspect(ngx_http_webhook_suspecting_t *s)
{
    ngx_http_webhook_suspect_t  *suspect;

    suspect = ngx_array_push(&s->suspects->keys);

    if (suspect) {
        ngx_memzero(suspect, sizeof(ngx_http_webhook_suspect_t));
    }

    return suspect;
}


/* the last one stays if it is a key */

static ngx_int_t
ngx_http_webhook_added(ngx_http_webhook_suspecting_t *s, ngx_int_t rc)
{
    ngx_http_webhook_suspect_t  *suspect;

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    s->suspects->keys.nelts--;

    suspect = s->suspects->keys.elts;
    ngx_http_webhook_key_free(&suspect[s->suspects->keys.nelts].key);

    if (rc == NGX_DECLINED || rc == NGX_ABORT) {
        return NGX_OK;
    }

    ngx_http_webhook_digest_error(NGX_LOG_EMERG, s->cf->log,
                                  "could not make a key of a secret");
    return NGX_ERROR;
}


static void
ngx_http_webhook_suspects_cleanup(void *data)
{
    ngx_http_webhook_suspects_t *suspects = data;

    ngx_uint_t                   i;
    ngx_http_webhook_suspect_t  *suspect;

    suspect = suspects->keys.elts;

    for (i = 0; i < suspects->keys.nelts; i++) {
        ngx_http_webhook_key_free(&suspect[i].key);
    }

    ngx_http_webhook_free_keysets(suspects);
}
