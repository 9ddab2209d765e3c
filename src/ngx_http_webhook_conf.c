
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What a location ends up with when all is merged: a scheme with its secrets,
 * a window, a time to remember events; and whether these go together.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"
#include "ngx_http_webhook_handshake_line.h"


#define NGX_HTTP_WEBHOOK_DEFAULT_TTL  86400

#define NGX_HTTP_WEBHOOK_REFUSED                                              \
    "refused: RSA takes keys of 2048 to 8192 bits, ECDSA the curves P-256, "  \
    "P-384 and P-521, and no key may be one that anybody could sign with"


static char *ngx_http_webhook_merge_keyring(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf);
static char *ngx_http_webhook_merge_handshakes(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *conf, ngx_uint_t given);
static char *ngx_http_webhook_merge_dedup(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *conf);
static ngx_http_webhook_keyring_t *ngx_http_webhook_get_keyring(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_secrets_t *secrets,
    ngx_http_webhook_verify_conf_t *verify);
static ngx_int_t ngx_http_webhook_get_file_key(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_secret_t *secret,
    ngx_http_webhook_key_t *key, ngx_http_webhook_verify_conf_t *verify);
static void ngx_http_webhook_keyring_cleanup(void *data);
static ngx_uint_t ngx_http_webhook_is_server(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *conf);
static int ngx_libc_cdecl ngx_http_webhook_cmp_places(const void *one,
    const void *two);
static ngx_int_t ngx_http_webhook_cmp_names(ngx_http_webhook_place_t *one,
    ngx_http_webhook_place_t *two);
static ngx_uint_t ngx_http_webhook_get_uses(
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_loc_conf_t *conf);
static void ngx_http_webhook_error_at(ngx_uint_t level, ngx_conf_t *cf,
    ngx_http_webhook_verify_conf_t *verify, const char *fmt, ...);


char *
ngx_http_webhook_merge_location(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf,
    ngx_uint_t handshake)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_webhook_loc_conf_t   **location;
    ngx_http_webhook_main_conf_t   *wmcf;

    if (ngx_http_webhook_merge_keyring(cf, prev, conf) != NGX_CONF_OK
        || ngx_http_webhook_merge_handshakes(cf, conf, handshake)
           != NGX_CONF_OK
        || ngx_http_webhook_merge_dedup(cf, conf) != NGX_CONF_OK
        || ngx_http_webhook_name_place(cf, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY && !conf->verify->any) {
        ngx_http_webhook_error_at(NGX_LOG_WARN, cf, conf->verify,
                                  "\"satisfy any\" lets requests pass that "
                                  "\"webhook_verify %V\" has not verified",
                                  &conf->verify->name);
        conf->verify->any = 1;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);

    location = ngx_array_push(&wmcf->locations);
    if (location == NULL) {
        return NGX_CONF_ERROR;
    }

    *location = conf;

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_merge_keyring(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf)
{
    ngx_int_t                      rc;
    ngx_http_webhook_scheme_t     *scheme;
    ngx_http_webhook_secrets_t    *secrets;
    ngx_http_webhook_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);

    rc = ngx_http_webhook_scheme_find(cf, &wmcf->schemes, &conf->verify->name,
                                      &scheme);

    if (rc == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_webhook_unknown_scheme(cf, &wmcf->schemes, conf->verify);
        return NGX_CONF_ERROR;
    }

    secrets = conf->secrets;

    if (secrets == NULL) {

        /*
         * a server may leave the secrets to its locations: what gets to none
         * of them is rejected
         */

        if (!ngx_http_webhook_is_server(cf, conf)) {
            ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, conf->verify,
                                      "\"webhook_verify %V\" has no "
                                      "\"webhook_secret\"",
                                      &conf->verify->name);
            return NGX_CONF_ERROR;
        }

        secrets = &wmcf->no_secrets;
    }

    if (scheme->timestamp == NULL) {
        conf->rules.window.past = NGX_HTTP_WEBHOOK_NO_WINDOW;
        conf->rules.window.future = NGX_HTTP_WEBHOOK_NO_WINDOW;

    } else {
        conf->rules.window = conf->tolerance ? *conf->tolerance
                                             : scheme->window;
    }

    if (prev->rules.keyring && prev->rules.keyring->scheme == scheme
        && prev->rules.keyring->secrets == &secrets->list)
    {
        conf->rules.keyring = prev->rules.keyring;
        return NGX_CONF_OK;
    }

    if (ngx_http_webhook_scheme_add_pointers(scheme, &wmcf->json) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    conf->rules.keyring = ngx_http_webhook_get_keyring(cf, scheme, secrets,
                                               conf->verify);

    return conf->rules.keyring ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_http_webhook_keyring_t *
ngx_http_webhook_get_keyring(ngx_conf_t *cf, ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_secrets_t *secrets, ngx_http_webhook_verify_conf_t *verify)
{
    size_t                       len;
    u_char                       form[NGX_HTTP_WEBHOOK_SECRET_FORM];
    ngx_int_t                    rc;
    ngx_str_t                   *file, *prefix;
    ngx_uint_t                   i, fits;
    ngx_pool_cleanup_t          *cln;
    ngx_http_webhook_secret_t   *secret;
    ngx_http_webhook_keyring_t  *keyring;

    for (keyring = secrets->keyrings; keyring; keyring = keyring->next) {
        if (keyring->scheme == scheme) {
            return keyring;
        }
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_webhook_keyring_t));
    if (cln == NULL) {
        return NULL;
    }

    keyring = cln->data;

    ngx_memzero(keyring, sizeof(ngx_http_webhook_keyring_t));

    cln->handler = ngx_http_webhook_keyring_cleanup;

    keyring->scheme = scheme;
    keyring->secrets = &secrets->list;

    keyring->keys = ngx_pcalloc(cf->pool, secrets->list.nelts
                                           * sizeof(ngx_http_webhook_key_t));
    if (keyring->keys == NULL) {
        return NULL;
    }

    keyring->nkeys = secrets->list.nelts;

    secret = secrets->list.elts;

    for (i = 0; i < keyring->nkeys; i++) {

        if (secret[i].string) {
            keyring->variables = 1;
            continue;
        }

        if (secret[i].kind != NGX_HTTP_WEBHOOK_SECRET_TEXT) {

            if (ngx_http_webhook_get_file_key(cf, scheme, &secret[i],
                                              &keyring->keys[i], verify)
                != NGX_OK)
            {
                return NULL;
            }

            continue;
        }

        rc = ngx_http_webhook_secret_key(scheme, &secret[i].text,
                                         &keyring->keys[i], &len, cf->log);

        if (rc == NGX_DECLINED) {
            ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, verify,
                                      "secret %ui of \"webhook_verify %V\" is "
                                      "empty or cannot be decoded, wanted is "
                                      "%*s",
                                      i + 1, &scheme->name,
                                      ngx_http_webhook_secret_form(scheme,
                                                                   form)
                                      - form, form);
            return NULL;
        }

        if (rc == NGX_ABORT) {
            ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, verify,
                                      "secret %ui of \"webhook_verify %V\" is "
                                      NGX_HTTP_WEBHOOK_REFUSED,
                                      i + 1, &scheme->name);
            return NULL;
        }

        if (rc == NGX_ERROR) {
            ngx_http_webhook_digest_error(NGX_LOG_EMERG, cf->log,
                                          "could not make a key of a secret");
            return NULL;
        }

        prefix = ngx_http_webhook_secret_lacks(scheme, &secret[i].text);

        if (prefix) {
            ngx_http_webhook_error_at(NGX_LOG_WARN, cf, verify,
                                      "secret %ui of \"webhook_verify %V\" "
                                      "does not begin with \"%V\"",
                                      i + 1, &scheme->name, prefix);
        }

        if (len < NGX_HTTP_WEBHOOK_MIN_SECRET) {
            ngx_http_webhook_error_at(NGX_LOG_WARN, cf, verify,
                                      "secret %ui of \"webhook_verify %V\" is "
                                      "shorter than 16 bytes",
                                      i + 1, &scheme->name);
        }
    }

    /* what does not fit was left out: something of each file must fit */

    file = NULL;
    fits = 0;

    for (i = 0; i < keyring->nkeys; i++) {

        if (secret[i].file != file) {
            file = secret[i].file;
            fits = 0;
        }

        fits |= keyring->keys[i].ready;

        if (file && !fits
            && (i + 1 == keyring->nkeys || secret[i + 1].file != file))
        {
            ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, verify,
                                      "key file \"%V\" holds no key for the "
                                      "algorithm \"%V\" of "
                                      "\"webhook_verify %V\"",
                                      file, &scheme->algorithm->name,
                                      &scheme->name);
            return NULL;
        }
    }

    if (scheme->key_id && !ngx_http_webhook_keys_have_names(keyring)) {
        ngx_http_webhook_error_at(NGX_LOG_WARN, cf, verify,
                                  "\"webhook_verify %V\" has no key with a "
                                  "name, which \"key_id\" asks for",
                                  &scheme->name);
    }

    keyring->next = secrets->keyrings;
    secrets->keyrings = keyring;

    return keyring;
}


static ngx_int_t
ngx_http_webhook_get_file_key(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_secret_t *secret,
    ngx_http_webhook_key_t *key, ngx_http_webhook_verify_conf_t *verify)
{
    switch (ngx_http_webhook_file_key(scheme, secret, key)) {

    case NGX_OK:
        return NGX_OK;

    case NGX_DECLINED:
        ngx_http_webhook_key_free(key);
        return NGX_OK;

    case NGX_ABORT:
        ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, verify,
                                  "a key of the key file \"%V\" is "
                                  NGX_HTTP_WEBHOOK_REFUSED, secret->file);
        return NGX_ERROR;

    default: /* NGX_ERROR */
        ngx_http_webhook_digest_error(NGX_LOG_EMERG, cf->log,
                                      "could not make a key of a secret");
        return NGX_ERROR;
    }
}


static void
ngx_http_webhook_keyring_cleanup(void *data)
{
    ngx_http_webhook_keyring_t *keyring = data;

    ngx_uint_t  i;

    for (i = 0; i < keyring->nkeys; i++) {
        ngx_http_webhook_key_free(&keyring->keys[i]);
    }
}


/* given: webhook_handshake stands on the level of conf itself */

static char *
ngx_http_webhook_merge_handshakes(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *conf, ngx_uint_t given)
{
    ngx_http_webhook_scheme_t     *scheme;
    ngx_http_webhook_secrets_t    *tokens;
    ngx_http_webhook_main_conf_t  *wmcf;

    if (!conf->handshake) {
        return NGX_CONF_OK;
    }

    scheme = conf->rules.keyring->scheme;

    if (scheme->handshakes == NULL) {

        if (!given) {
            return NGX_CONF_OK;
        }

        ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, conf->verify,
                                  "\"webhook_handshake\" is on, but the "
                                  "scheme of \"webhook_verify %V\" has no "
                                  "\"handshake\"", &conf->verify->name);
        return NGX_CONF_ERROR;
    }

    tokens = conf->tokens;

    if (tokens == NULL && ngx_http_webhook_handshakes_have_token(scheme)) {

        if (!ngx_http_webhook_is_server(cf, conf)) {
            ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, conf->verify,
                                      "\"webhook_handshake\" needs "
                                      "\"webhook_handshake_token\" with "
                                      "\"webhook_verify %V\"",
                                      &conf->verify->name);
            return NGX_CONF_ERROR;
        }

        wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);

        tokens = &wmcf->no_secrets;
    }

    conf->rules.handshakes = scheme->handshakes;
    conf->rules.tokens = tokens ? &tokens->list : NULL;

    return NGX_CONF_OK;
}


/* whether conf is that of a server, and of none of its locations */

static ngx_uint_t
ngx_http_webhook_is_server(ngx_conf_t *cf, ngx_http_webhook_loc_conf_t *conf)
{
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    return cscf->ctx->loc_conf[ngx_http_webhook_module.ctx_index] == conf;
}


static char *
ngx_http_webhook_merge_dedup(ngx_conf_t *cf, ngx_http_webhook_loc_conf_t *conf)
{
    char                            *fault;
    time_t                           window;
    ngx_uint_t                       level;
    ngx_http_core_srv_conf_t        *cscf;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_complex_value_t        *key;
    ngx_http_webhook_place_t        *place;
    ngx_http_webhook_scheme_t       *scheme;
    ngx_http_webhook_main_conf_t    *wmcf;
    ngx_http_webhook_verify_conf_t  *verify;

    scheme = conf->rules.keyring->scheme;
    verify = conf->verify;

    if (conf->rules.dedup->shm_zone == NULL) {

        if (conf->rules.window.past == NGX_HTTP_WEBHOOK_NO_WINDOW
            && !verify->warned)
        {
            ngx_http_webhook_error_at(NGX_LOG_WARN, cf, verify,
                                      "\"webhook_verify %V\" has neither a "
                                      "timestamp nor \"webhook_dedup\": there "
                                      "is no protection against replays",
                                      &verify->name);
            verify->warned = 1;
        }

        return NGX_CONF_OK;
    }

    if (scheme->dedup_key == NULL) {
        ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, verify,
                                  "\"webhook_dedup\" cannot be used with "
                                  "\"webhook_verify %V\": the scheme has no "
                                  "\"event_id\" and no \"dedup_key\"",
                                  &verify->name);
        return NGX_CONF_ERROR;
    }

    fault = ngx_http_webhook_scheme_key_fault(scheme, &level);

    if (fault) {
        ngx_http_webhook_error_at(level, cf, verify,
                                  "the dedup key of \"webhook_verify %V\" is "
                                  "%s", &verify->name, fault);

        if (level == NGX_LOG_EMERG) {
            return NGX_CONF_ERROR;
        }
    }

    if (conf->rules.dedup->key == NULL && conf->rules.keyring->variables) {
        ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, verify,
                                  "\"webhook_dedup\" needs \"key=\" where the "
                                  "secret of \"webhook_verify %V\" depends on "
                                  "a variable", &verify->name);
        return NGX_CONF_ERROR;
    }

    /* how long an event is remembered */

    window = ngx_max(conf->rules.window.past, 0);

    conf->ttl = conf->rules.dedup->ttl;

    if (conf->ttl == 0) {
        conf->ttl = (conf->rules.window.past == NGX_HTTP_WEBHOOK_NO_WINDOW)
                    ? NGX_HTTP_WEBHOOK_DEFAULT_TTL : window;
        conf->ttl = ngx_max(conf->ttl, scheme->retries);
    }

    if (conf->ttl < window) {
        ngx_http_webhook_error_at(NGX_LOG_WARN, cf, verify,
                                  "\"ttl\" of \"webhook_dedup\" is raised to "
                                  "%Ts, the window of \"webhook_verify %V\"",
                                  window, &verify->name);
        conf->ttl = window;
    }

    key = conf->rules.dedup->key;

    if ((key && (key->lengths || key->value.len == 0))
        || conf->rules.keyring->nkeys == 0)
    {
        return NGX_CONF_OK;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);
    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    place = ngx_array_push(&wmcf->places);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    place->shm_zone = conf->rules.dedup->shm_zone;
    place->key = (key != NULL);
    place->server = key ? key->value : cscf->server_name;
    place->location = clcf->name;
    place->verify = verify;
    place->keyring = conf->rules.keyring;
    place->n = wmcf->places.nelts;

    return NGX_CONF_OK;
}


/* no sender may suppress the events of another one */

ngx_int_t
ngx_http_webhook_check_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_uint_t                 i, same, warned;
    ngx_http_webhook_place_t  *place;

    place = wmcf->places.elts;
    warned = 0;

    ngx_qsort(place, wmcf->places.nelts, sizeof(ngx_http_webhook_place_t),
              ngx_http_webhook_cmp_places);

    for (i = 0; i < wmcf->places.nelts; i++) {

        same = (i && ngx_http_webhook_cmp_names(&place[i - 1], &place[i]) == 0);

        if (!same) {
            warned = 0;
        }

        /* a secret from a variable is different ones by itself */

        if (!place[i].keyring->variables
            && (!same
                || ngx_http_webhook_secrets_equal(
                                              place[i - 1].keyring->secrets,
                                              place[i].keyring->secrets)))
        {
            continue;
        }

        if (place[i].key) {

            if (!warned) {
                ngx_http_webhook_error_at(NGX_LOG_WARN, cf, place[i].verify,
                                  "events of \"webhook_verify %V\" with "
                                  "different secrets share \"key=%V\" in the "
                                  "zone \"%V\": one sender can suppress the "
                                  "events of another",
                                  &place[i].verify->name, &place[i].server,
                                  &place[i].shm_zone->shm.name);
                warned = 1;
            }

            continue;
        }

        ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, place[i].verify,
                                  "events of \"webhook_verify %V\" with "
                                  "different secrets share the zone \"%V\" "
                                  "for server \"%V\" and location \"%V\": "
                                  "tell them apart with \"key=\"",
                                  &place[i].verify->name,
                                  &place[i].shm_zone->shm.name,
                                  &place[i].server, &place[i].location);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* places of one name side by side, in the order of the configuration */

static int ngx_libc_cdecl
ngx_http_webhook_cmp_places(const void *one, const void *two)
{
    ngx_int_t                  rc;
    ngx_http_webhook_place_t  *first, *second;

    first = (ngx_http_webhook_place_t *) one;
    second = (ngx_http_webhook_place_t *) two;

    rc = ngx_http_webhook_cmp_names(first, second);

    return (int) (rc ? rc : (ngx_int_t) (first->n - second->n));
}


static ngx_int_t
ngx_http_webhook_cmp_names(ngx_http_webhook_place_t *one,
    ngx_http_webhook_place_t *two)
{
    ngx_int_t  rc;

    if (one->shm_zone != two->shm_zone) {
        return (one->shm_zone < two->shm_zone) ? -1 : 1;
    }

    if (one->keyring->scheme != two->keyring->scheme) {
        return (one->keyring->scheme < two->keyring->scheme) ? -1 : 1;
    }

    if (one->key != two->key) {
        return one->key ? -1 : 1;
    }

    rc = ngx_memn2cmp(one->server.data, two->server.data, one->server.len,
                      two->server.len);
    if (rc != 0 || one->key) {
        return rc;
    }

    return ngx_memn2cmp(one->location.data, two->location.data,
                        one->location.len, two->location.len);
}


ngx_int_t
ngx_http_webhook_find_uses(ngx_conf_t *cf, ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_uint_t                     i;
    ngx_http_variable_t           *v;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_webhook_notices_t    *notices;
    ngx_http_webhook_loc_conf_t  **location;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len == sizeof("webhook_event_id") - 1
            && ngx_strncmp(v[i].name.data, "webhook_event_id", v[i].name.len)
               == 0)
        {
            wmcf->event_id = 1;
        }

        if (v[i].name.len == sizeof("webhook_event_type") - 1
            && ngx_strncmp(v[i].name.data, "webhook_event_type", v[i].name.len)
               == 0)
        {
            wmcf->event_type = 1;
        }
    }

    notices = ngx_pcalloc(cf->pool, wmcf->locations.nelts
                                    * sizeof(ngx_http_webhook_notices_t));
    if (notices == NULL) {
        return NGX_ERROR;
    }

    location = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {
        location[i]->uses = ngx_http_webhook_get_uses(wmcf, location[i]);
        location[i]->notices = &notices[i];
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webhook_get_uses(ngx_http_webhook_main_conf_t *wmcf,
    ngx_http_webhook_loc_conf_t *conf)
{
    ngx_uint_t                      uses, json, sha256;
    ngx_http_webhook_scheme_t      *scheme;
    ngx_http_webhook_dedup_conf_t  *dedup;

    scheme = conf->rules.keyring->scheme;
    dedup = conf->rules.dedup;

    uses = 0;
    json = (wmcf->json.nelts || scheme->timestamp_json);
    sha256 = 0;

    if (conf->rules.handshakes && scheme->handshake_pointers->nelts) {
        uses |= NGX_HTTP_WEBHOOK_USES_HANDSHAKE;
        json = 1;
    }

    if (dedup->shm_zone) {
        json |= ngx_http_webhook_lines_have(scheme->dedup_key,
                                        NGX_HTTP_WEBHOOK_PIECE_JSON);
        sha256 = ngx_http_webhook_lines_have(scheme->dedup_key,
                                        NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256)
                 || dedup->mismatch != NGX_HTTP_WEBHOOK_ACTION_DEFAULT;
    }

    /* what a header says costs nothing */

    if (wmcf->event_id || ngx_http_webhook_lines_are_headers(scheme->event_id)
        || (dedup->shm_zone
            && ngx_http_webhook_lines_have(scheme->dedup_key,
                                        NGX_HTTP_WEBHOOK_PIECE_EVENT_ID)))
    {
        uses |= NGX_HTTP_WEBHOOK_USES_ID;
    }

    if (wmcf->event_type || conf->rules.events
        || ngx_http_webhook_lines_are_headers(scheme->event_type))
    {
        uses |= NGX_HTTP_WEBHOOK_USES_TYPE;
    }

    if (uses & NGX_HTTP_WEBHOOK_USES_ID) {
        json |= ngx_http_webhook_lines_have(scheme->event_id,
                                        NGX_HTTP_WEBHOOK_PIECE_JSON);
        sha256 |= ngx_http_webhook_lines_have(scheme->event_id,
                                        NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256);
    }

    if (uses & NGX_HTTP_WEBHOOK_USES_TYPE) {
        json |= ngx_http_webhook_lines_have(scheme->event_type,
                                        NGX_HTTP_WEBHOOK_PIECE_JSON);
        sha256 |= ngx_http_webhook_lines_have(scheme->event_type,
                                        NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256);
    }

    if (json) {
        uses |= NGX_HTTP_WEBHOOK_USES_JSON;

        /* nor does more of the same document */

        if (!ngx_http_webhook_lines_have(scheme->event_id,
                                         NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256))
        {
            uses |= NGX_HTTP_WEBHOOK_USES_ID;
        }

        if (!ngx_http_webhook_lines_have(scheme->event_type,
                                         NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256))
        {
            uses |= NGX_HTTP_WEBHOOK_USES_TYPE;
        }
    }

    if (sha256) {
        uses |= NGX_HTTP_WEBHOOK_USES_SHA256;
    }

    if (scheme->event_id == NULL) {
        uses &= ~NGX_HTTP_WEBHOOK_USES_ID;
    }

    if (scheme->event_type == NULL) {
        uses &= ~NGX_HTTP_WEBHOOK_USES_TYPE;
    }

    return uses;
}


/* like ngx_conf_log_error(), but where webhook_verify stands */

static void
ngx_http_webhook_error_at(ngx_uint_t level, ngx_conf_t *cf,
    ngx_http_webhook_verify_conf_t *verify, const char *fmt, ...)
{
    u_char   errstr[NGX_MAX_CONF_ERRSTR], *p, *last;
    va_list  args;

    last = errstr + NGX_MAX_CONF_ERRSTR;

    va_start(args, fmt);
    p = ngx_vslprintf(errstr, last, fmt, args);
    va_end(args);

    ngx_log_error(level, cf->log, 0, "%*s in %s:%ui",
                  p - errstr, errstr, verify->file, verify->line);
}
