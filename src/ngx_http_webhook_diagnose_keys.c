
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


typedef struct {
    ngx_conf_t                    *cf;
    ngx_http_webhook_suspects_t   *suspects;
    ngx_http_webhook_keyring_t    *keyring;
} ngx_http_webhook_suspecting_t;


/* what to think of one secret.  Returns NGX_OK or NGX_ERROR. */

typedef ngx_int_t (*ngx_http_webhook_suspect_pt)(
    ngx_http_webhook_suspecting_t *s, ngx_str_t *text);


static ngx_http_webhook_known_t *ngx_http_webhook_get_known(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);
static ngx_int_t ngx_http_webhook_know_names(ngx_conf_t *cf,
    ngx_http_webhook_known_t *known);
static ngx_http_webhook_suspects_t *ngx_http_webhook_get_suspects(
    ngx_conf_t *cf, ngx_http_webhook_main_conf_t *wmcf,
    ngx_http_webhook_known_t *known, ngx_http_webhook_keyring_t *keyring);
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
static size_t ngx_http_webhook_secret_prefix(ngx_str_t *text);
static ngx_uint_t ngx_http_webhook_is_meant(ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *text, ngx_http_webhook_encoding_e encoding);
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
    ngx_uint_t                     i;
    ngx_http_webhook_known_t      *known;
    ngx_http_webhook_keyring_t    *keyring;
    ngx_http_webhook_loc_conf_t  **wlcf;

    known = NULL;

    wlcf = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {

        if (!wlcf[i]->diagnose) {
            continue;
        }

        if (known == NULL) {
            known = ngx_http_webhook_get_known(cf, wmcf);
            if (known == NULL) {
                return NGX_ERROR;
            }
        }

        keyring = wlcf[i]->rules.keyring;

        if (keyring->suspects == NULL) {
            keyring->suspects = ngx_http_webhook_get_suspects(cf, wmcf, known,
                                                              keyring);
            if (keyring->suspects == NULL) {
                return NGX_ERROR;
            }
        }

        wlcf[i]->suspects = keyring->suspects;
    }

    return NGX_OK;
}


static ngx_http_webhook_known_t *
ngx_http_webhook_get_known(ngx_conf_t *cf, ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_http_webhook_known_t  *known;

    known = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_known_t));
    if (known == NULL) {
        return NULL;
    }

    if (ngx_http_webhook_know_names(cf, known) != NGX_OK
        || ngx_http_webhook_know_schemes(cf, wmcf, known) != NGX_OK)
    {
        return NULL;
    }

    return known;
}


/* exact names of servers */

static ngx_int_t
ngx_http_webhook_know_names(ngx_conf_t *cf, ngx_http_webhook_known_t *known)
{
    ngx_str_t                   *name;
    ngx_uint_t                   i, n;
    ngx_http_server_name_t      *sn;
    ngx_http_core_srv_conf_t   **cscf;
    ngx_http_core_main_conf_t   *cmcf;

    if (ngx_array_init(&known->names, cf->pool, 4, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
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

            name = ngx_array_push(&known->names);
            if (name == NULL) {
                return NGX_ERROR;
            }

            *name = sn[n].name;
        }
    }

    return NGX_OK;
}


static ngx_http_webhook_suspects_t *
ngx_http_webhook_get_suspects(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_known_t *known,
    ngx_http_webhook_keyring_t *keyring)
{
    ngx_uint_t                      i, n;
    ngx_pool_cleanup_t             *cln;
    ngx_http_webhook_secret_t      *secret;
    ngx_http_webhook_suspecting_t   s;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_webhook_suspects_t));
    if (cln == NULL) {
        return NULL;
    }

    s.cf = cf;
    s.keyring = keyring;
    s.suspects = cln->data;

    ngx_memzero(s.suspects, sizeof(ngx_http_webhook_suspects_t));

    s.suspects->known = known;
    s.suspects->secrets = keyring->secrets;

    cln->handler = ngx_http_webhook_suspects_cleanup;

    if (ngx_array_init(&s.suspects->keys, cf->pool, 4,
                       sizeof(ngx_http_webhook_suspect_t))
        != NGX_OK)
    {
        return NULL;
    }

    secret = keyring->secrets->elts;

    for (n = 0; ngx_http_webhook_suspicions[n]; n++) {

        for (i = 0; i < keyring->secrets->nelts; i++) {

            if (secret[i].string == NULL
                && secret[i].kind == NGX_HTTP_WEBHOOK_SECRET_TEXT
                && ngx_http_webhook_suspicions[n](&s, &secret[i].text)
                   != NGX_OK)
            {
                return NULL;
            }
        }
    }

    s.suspects->places = ngx_http_webhook_know_places(cf, wmcf, known,
                                                      keyring->scheme);

    if (s.suspects->places == NULL
        || ngx_http_webhook_suspect_schemes(cf, s.suspects) != NGX_OK)
    {
        return NULL;
    }

    return s.suspects;
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
    if (ngx_http_webhook_secret_prefix(text)
        || ngx_http_webhook_is_meant(s->keyring->scheme, text,
                                     NGX_HTTP_WEBHOOK_ENCODING_RAW))
    {
        return NGX_OK;
    }

    return ngx_http_webhook_add_bytes(s, "secret_raw", text);
}


static ngx_int_t
ngx_http_webhook_suspect_decoded(ngx_http_webhook_suspecting_t *s,
    ngx_str_t *text)
{
    ngx_uint_t  i;

    static struct {
        ngx_http_webhook_encoding_e   encoding;
        char                         *hint;
    } forms[] = {
        { NGX_HTTP_WEBHOOK_ENCODING_HEX, "secret_decoded:hex" },
        { NGX_HTTP_WEBHOOK_ENCODING_BASE64, "secret_decoded:base64" },
        { NGX_HTTP_WEBHOOK_ENCODING_BASE64URL, "secret_decoded:base64url" }
    };

    for (i = 0; i < 3; i++) {

        if (ngx_http_webhook_is_meant(s->keyring->scheme, text,
                                      forms[i].encoding))
        {
            continue;
        }

        if (ngx_http_webhook_add_decoded(s, forms[i].hint, text,
                                         forms[i].encoding)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
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


/* whether the scheme takes the whole text so anyway */

static ngx_uint_t
ngx_http_webhook_is_meant(ngx_http_webhook_scheme_t *scheme, ngx_str_t *text,
    ngx_http_webhook_encoding_e encoding)
{
    ngx_uint_t                       i;
    ngx_http_webhook_secret_rule_t  *rule;

    if (scheme->secret) {
        rule = scheme->secret->elts;

        for (i = 0; i < scheme->secret->nelts; i++) {

            if (text->len >= rule[i].prefix.len
                && ngx_memcmp(text->data, rule[i].prefix.data,
                              rule[i].prefix.len)
                   == 0)
            {
                return rule[i].encoding == encoding
                       && rule[i].digest == NULL
                       && (rule[i].keep || rule[i].prefix.len == 0);
            }
        }
    }

    return encoding == (scheme->algorithm->check
                        ? NGX_HTTP_WEBHOOK_ENCODING_BASE64
                        : NGX_HTTP_WEBHOOK_ENCODING_RAW);
}


/* by the rules of the scheme */

static ngx_int_t
ngx_http_webhook_add_text(ngx_http_webhook_suspecting_t *s, ngx_str_t *hint,
    ngx_str_t *text)
{
    size_t                       len;
    ngx_http_webhook_suspect_t  *suspect;

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
