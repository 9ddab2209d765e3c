
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the administrator writes: the directives, how their values are
 * inherited and checked, and the phases and filters the module takes part in.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


#define NGX_HTTP_WEBHOOK_LEASE        30
#define NGX_HTTP_WEBHOOK_DEFAULT_TTL  86400
#define NGX_HTTP_WEBHOOK_MIN_SECRET   16


static ngx_int_t ngx_http_webhook_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_webhook_postconfiguration(ngx_conf_t *cf);
static void ngx_http_webhook_find_used(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);
static ngx_int_t ngx_http_webhook_check_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);
static void ngx_http_webhook_error_at(ngx_uint_t level, ngx_conf_t *cf,
    ngx_http_webhook_verify_t *verify, const char *fmt, ...);

static void *ngx_http_webhook_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_webhook_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_webhook_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_webhook_merge_verifier(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf);
static char *ngx_http_webhook_merge_dedup(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *conf);
static ngx_http_webhook_verifier_t *ngx_http_webhook_verifier(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_array_t *secrets,
    ngx_http_webhook_verify_t *verify);
static void ngx_http_webhook_verifier_cleanup(void *data);

static char *ngx_http_webhook_scheme(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_verify_directive(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_webhook_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_tolerance(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_dedup_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_dedup(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_check_status(ngx_conf_t *cf, void *post,
    void *data);


static ngx_conf_enum_t  ngx_http_webhook_log_levels[] = {
    { ngx_string("info"), NGX_LOG_INFO },
    { ngx_string("notice"), NGX_LOG_NOTICE },
    { ngx_string("warn"), NGX_LOG_WARN },
    { ngx_string("error"), NGX_LOG_ERR },
    { ngx_null_string, 0 }
};


static ngx_conf_post_t  ngx_http_webhook_status_post = {
    ngx_http_webhook_check_status
};


#define NGX_HTTP_WEBHOOK_ANY_CONF                                             \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF

#define NGX_HTTP_WEBHOOK_LMT_CONF  NGX_HTTP_WEBHOOK_ANY_CONF|NGX_HTTP_LMT_CONF


static ngx_command_t  ngx_http_webhook_commands[] = {

    { ngx_string("webhook_scheme"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE12,
      ngx_http_webhook_scheme,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook_verify"),
      NGX_HTTP_WEBHOOK_LMT_CONF|NGX_CONF_TAKE1,
      ngx_http_webhook_verify_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook_secret"),
      NGX_HTTP_WEBHOOK_LMT_CONF|NGX_CONF_1MORE,
      ngx_http_webhook_secret,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook_tolerance"),
      NGX_HTTP_WEBHOOK_LMT_CONF|NGX_CONF_TAKE12,
      ngx_http_webhook_tolerance,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook_dry_run"),
      NGX_HTTP_WEBHOOK_LMT_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, dry_run),
      NULL },

    { ngx_string("webhook_reject_status"),
      NGX_HTTP_WEBHOOK_LMT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, reject_status),
      &ngx_http_webhook_status_post },

    { ngx_string("webhook_log_level"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, log_level),
      &ngx_http_webhook_log_levels },

    { ngx_string("webhook_json_max_size"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, json_max_size),
      NULL },

    { ngx_string("webhook_dedup_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_webhook_dedup_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook_dedup"),
      NGX_HTTP_WEBHOOK_LMT_CONF|NGX_CONF_TAKE123,
      ngx_http_webhook_dedup,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_webhook_module_ctx = {
    ngx_http_webhook_preconfiguration,     /* preconfiguration */
    ngx_http_webhook_postconfiguration,    /* postconfiguration */

    ngx_http_webhook_create_main_conf,     /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_webhook_create_loc_conf,      /* create location configuration */
    ngx_http_webhook_merge_loc_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_webhook_module = {
    NGX_MODULE_V1,
    &ngx_http_webhook_module_ctx,          /* module context */
    ngx_http_webhook_commands,             /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_webhook_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_webhook_main_conf_t  *wmcf;

    wmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_main_conf_t));
    if (wmcf == NULL) {
        return NULL;
    }

    if (ngx_http_webhook_schemes_init(cf, &wmcf->schemes) != NGX_OK
        || ngx_array_init(&wmcf->verifiers, cf->pool, 4,
                          sizeof(ngx_http_webhook_verifier_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->places, cf->pool, 4,
                          sizeof(ngx_http_webhook_place_t))
           != NGX_OK)
    {
        return NULL;
    }

    return wmcf;
}


static void *
ngx_http_webhook_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_webhook_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->verifier = NULL;
     *     conf->ttl = 0;
     */

    conf->verify = NGX_CONF_UNSET_PTR;
    conf->secrets = NGX_CONF_UNSET_PTR;
    conf->dedup = NGX_CONF_UNSET_PTR;
    conf->window = NGX_CONF_UNSET_PTR;
    conf->dry_run = NGX_CONF_UNSET;
    conf->reject_status = NGX_CONF_UNSET_UINT;
    conf->log_level = NGX_CONF_UNSET_UINT;
    conf->json_max_size = NGX_CONF_UNSET_SIZE;

    return conf;
}


static char *
ngx_http_webhook_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_webhook_loc_conf_t *prev = parent;
    ngx_http_webhook_loc_conf_t *conf = child;

    char  *rv;

    static ngx_http_webhook_dedup_t  dedup_off;

    ngx_conf_merge_ptr_value(conf->verify, prev->verify, NULL);
    ngx_conf_merge_ptr_value(conf->secrets, prev->secrets, NULL);
    ngx_conf_merge_ptr_value(conf->window, prev->window, NULL);
    ngx_conf_merge_ptr_value(conf->dedup, prev->dedup, &dedup_off);

    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);

    ngx_conf_merge_uint_value(conf->reject_status, prev->reject_status,
                              NGX_HTTP_UNAUTHORIZED);
    ngx_conf_merge_uint_value(conf->log_level, prev->log_level, NGX_LOG_WARN);

    ngx_conf_merge_size_value(conf->json_max_size, prev->json_max_size,
                              1024 * 1024);

    if (conf->verify == NULL || conf->verify->off) {
        return NGX_CONF_OK;
    }

    rv = ngx_http_webhook_merge_verifier(cf, prev, conf);

    if (rv != NGX_CONF_OK || conf->verifier == NULL) {
        return rv;
    }

    return ngx_http_webhook_merge_dedup(cf, conf);
}


static char *
ngx_http_webhook_merge_verifier(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf)
{
    ngx_int_t                      rc;
    ngx_array_t                   *secrets;
    ngx_http_core_srv_conf_t      *cscf;
    ngx_http_webhook_scheme_t     *scheme;
    ngx_http_webhook_main_conf_t  *wmcf;

    static ngx_array_t  no_secrets;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);

    rc = ngx_http_webhook_scheme_find(cf, &wmcf->schemes, &conf->verify->name,
                                      &scheme);

    if (rc == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, conf->verify,
                                  "unknown webhook scheme \"%V\"",
                                  &conf->verify->name);
        return NGX_CONF_ERROR;
    }

    secrets = conf->secrets;

    if (secrets == NULL) {

        /*
         * a server may leave the secrets to its locations: what gets to none
         * of them is rejected
         */

        cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

        if (cscf->ctx->loc_conf[ngx_http_webhook_module.ctx_index] != conf) {
            ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, conf->verify,
                                      "\"webhook_verify %V\" has no "
                                      "\"webhook_secret\"",
                                      &conf->verify->name);
            return NGX_CONF_ERROR;
        }

        secrets = &no_secrets;
    }

    if (scheme->timestamp == NULL) {
        conf->past = NGX_HTTP_WEBHOOK_NO_WINDOW;
        conf->future = NGX_HTTP_WEBHOOK_NO_WINDOW;

    } else if (conf->window) {
        conf->past = conf->window->past;
        conf->future = conf->window->future;

    } else {
        conf->past = scheme->past;
        conf->future = scheme->future;
    }

    if (prev->verifier && prev->verifier->scheme == scheme
        && prev->verifier->secrets == secrets)
    {
        conf->verifier = prev->verifier;
        return NGX_CONF_OK;
    }

    conf->verifier = ngx_http_webhook_verifier(cf, scheme, secrets,
                                               conf->verify);

    return conf->verifier ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_http_webhook_verifier_t *
ngx_http_webhook_verifier(ngx_conf_t *cf, ngx_http_webhook_scheme_t *scheme,
    ngx_array_t *secrets, ngx_http_webhook_verify_t *verify)
{
    size_t                         len;
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_pool_cleanup_t            *cln;
    ngx_http_webhook_secret_t     *secret;
    ngx_http_webhook_verifier_t   *verifier, **known;
    ngx_http_webhook_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);

    known = wmcf->verifiers.elts;

    for (i = 0; i < wmcf->verifiers.nelts; i++) {
        if (known[i]->scheme == scheme && known[i]->secrets == secrets) {
            return known[i];
        }
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_webhook_verifier_t));
    if (cln == NULL) {
        return NULL;
    }

    verifier = cln->data;

    ngx_memzero(verifier, sizeof(ngx_http_webhook_verifier_t));

    cln->handler = ngx_http_webhook_verifier_cleanup;

    verifier->scheme = scheme;
    verifier->secrets = secrets;

    verifier->keys = ngx_pcalloc(cf->pool, secrets->nelts
                                           * sizeof(ngx_http_webhook_key_t));
    if (verifier->keys == NULL) {
        return NULL;
    }

    verifier->nkeys = secrets->nelts;

    secret = secrets->elts;

    for (i = 0; i < verifier->nkeys; i++) {

        if (secret[i].string) {
            verifier->variables = 1;
            continue;
        }

        rc = ngx_http_webhook_secret_key(scheme, &secret[i].text,
                                         &verifier->keys[i], &len, cf->log);

        if (rc == NGX_DECLINED) {
            ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, verify,
                                      "secret %ui of \"webhook_verify %V\" is "
                                      "empty or cannot be decoded",
                                      i + 1, &scheme->name);
            return NULL;
        }

        if (rc == NGX_ERROR) {
            ngx_http_webhook_digest_error(NGX_LOG_EMERG, cf->log,
                                          "could not make a key of a secret");
            return NULL;
        }

        if (len < NGX_HTTP_WEBHOOK_MIN_SECRET) {
            ngx_http_webhook_error_at(NGX_LOG_WARN, cf, verify,
                                      "secret %ui of \"webhook_verify %V\" is "
                                      "shorter than 16 bytes",
                                      i + 1, &scheme->name);
        }
    }

    known = ngx_array_push(&wmcf->verifiers);
    if (known == NULL) {
        return NULL;
    }

    *known = verifier;

    return verifier;
}


static void
ngx_http_webhook_verifier_cleanup(void *data)
{
    ngx_http_webhook_verifier_t *verifier = data;

    ngx_uint_t  i;

    for (i = 0; i < verifier->nkeys; i++) {
        ngx_http_webhook_key_free(&verifier->keys[i]);
    }
}


static char *
ngx_http_webhook_merge_dedup(ngx_conf_t *cf, ngx_http_webhook_loc_conf_t *conf)
{
    time_t                         window;
    ngx_uint_t                     level;
    ngx_http_core_srv_conf_t      *cscf;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_webhook_place_t      *place;
    ngx_http_webhook_scheme_t     *scheme;
    ngx_http_webhook_verify_t     *verify;
    ngx_http_webhook_main_conf_t  *wmcf;

    scheme = conf->verifier->scheme;
    verify = conf->verify;

    if (conf->dedup->shm_zone == NULL) {

        if (conf->past == NGX_HTTP_WEBHOOK_NO_WINDOW && !verify->warned) {
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

    if (ngx_http_webhook_scheme_key_covered(scheme) != NGX_OK) {

        level = (scheme->algorithm->kind == NGX_HTTP_WEBHOOK_TOKEN)
                ? NGX_LOG_WARN : NGX_LOG_EMERG;

        ngx_http_webhook_error_at(level, cf, verify,
                                  "the dedup key of \"webhook_verify %V\" is "
                                  "not covered by a signature: whoever knows "
                                  "a request can repeat it under another key",
                                  &verify->name);

        if (level == NGX_LOG_EMERG) {
            return NGX_CONF_ERROR;
        }
    }

    if (conf->dedup->key == NULL && conf->verifier->variables) {
        ngx_http_webhook_error_at(NGX_LOG_EMERG, cf, verify,
                                  "\"webhook_dedup\" needs \"key=\" where the "
                                  "secret of \"webhook_verify %V\" depends on "
                                  "a variable", &verify->name);
        return NGX_CONF_ERROR;
    }

    /* how long an event is remembered */

    window = ngx_max(conf->past, 0);

    conf->ttl = conf->dedup->ttl;

    if (conf->ttl == 0) {
        conf->ttl = (conf->past == NGX_HTTP_WEBHOOK_NO_WINDOW)
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

    if (conf->dedup->key) {
        return NGX_CONF_OK;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);
    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    place = ngx_array_push(&wmcf->places);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    place->shm_zone = conf->dedup->shm_zone;
    place->server = cscf->server_name;
    place->location = clcf->name;
    place->verify = verify;
    place->verifier = conf->verifier;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_webhook_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_webhook_add_variables(cf);
}


static ngx_int_t
ngx_http_webhook_postconfiguration(ngx_conf_t *cf)
{
    ngx_array_t                   *a;
    ngx_http_handler_pt           *h;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_webhook_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);

    if (wmcf->verifiers.nelts == 0) {

        /* loaded, and used nowhere */

        return NGX_OK;
    }

    if (ngx_http_webhook_check_places(cf, wmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_webhook_find_used(cf, wmcf);

    /* the handlers of a phase run from the last to the first: be the last */

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    a = &cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers;

    if (ngx_array_push(a) == NULL) {
        return NGX_ERROR;
    }

    h = a->elts;
    ngx_memmove(&h[1], &h[0], (a->nelts - 1) * sizeof(ngx_http_handler_pt));
    h[0] = ngx_http_webhook_access_handler;

    if (ngx_http_webhook_body_init() != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_webhook_outcome_init();
}


/*
 * JSON is parsed for a variable only if it stands anywhere: all variables of
 * the configuration are known by now.
 */

static void
ngx_http_webhook_find_used(ngx_conf_t *cf, ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

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
}


/* no sender may suppress the events of another one */

static ngx_int_t
ngx_http_webhook_check_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_uint_t                 i, n;
    ngx_http_webhook_place_t  *place;

    place = wmcf->places.elts;

    for (i = 0; i < wmcf->places.nelts; i++) {
        for (n = 0; n < i; n++) {

            if (place[i].shm_zone != place[n].shm_zone
                || place[i].verifier->scheme != place[n].verifier->scheme
                || place[i].server.len != place[n].server.len
                || place[i].location.len != place[n].location.len
                || ngx_strncmp(place[i].server.data, place[n].server.data,
                               place[i].server.len)
                   != 0
                || ngx_strncmp(place[i].location.data, place[n].location.data,
                               place[i].location.len)
                   != 0
                || ngx_http_webhook_secrets_equal(place[i].verifier->secrets,
                                                  place[n].verifier->secrets))
            {
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
    }

    return NGX_OK;
}


/* like ngx_conf_log_error(), but where webhook_verify stands */

static void
ngx_http_webhook_error_at(ngx_uint_t level, ngx_conf_t *cf,
    ngx_http_webhook_verify_t *verify, const char *fmt, ...)
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


static char *
ngx_http_webhook_scheme(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_main_conf_t *wmcf = conf;

    return ngx_http_webhook_scheme_block(cf, &wmcf->schemes);
}


static char *
ngx_http_webhook_verify_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_webhook_loc_conf_t *wlcf = conf;

    ngx_str_t                  *value;
    ngx_http_webhook_verify_t  *verify;

    if (wlcf->verify != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    verify = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_verify_t));
    if (verify == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    verify->name = value[1];
    verify->off = (ngx_strcmp(value[1].data, "off") == 0);
    verify->line = cf->conf_file->line;
    verify->file = (cf->conf_file->file.name.data)
                   ? cf->conf_file->file.name.data
                   : (u_char *) "command line";

    wlcf->verify = verify;

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_loc_conf_t *wlcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (wlcf->secrets == NGX_CONF_UNSET_PTR) {
        wlcf->secrets = ngx_array_create(cf->pool, 2,
                                         sizeof(ngx_http_webhook_secret_t));
        if (wlcf->secrets == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = ngx_http_webhook_secret_source(cf, wlcf->secrets, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (wlcf->secrets->nelts > NGX_HTTP_WEBHOOK_MAX_SECRETS) {
        return "has more than 8 secrets";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_tolerance(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_loc_conf_t *wlcf = conf;

    ngx_str_t                  *value;
    ngx_http_webhook_window_t  *window;

    if (wlcf->window != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    window = ngx_palloc(cf->pool, sizeof(ngx_http_webhook_window_t));
    if (window == NULL) {
        return NGX_CONF_ERROR;
    }

    wlcf->window = window;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        window->past = NGX_HTTP_WEBHOOK_NO_WINDOW;
        window->future = NGX_HTTP_WEBHOOK_NO_WINDOW;

        return NGX_CONF_OK;
    }

    return ngx_http_webhook_window(cf, &value[1], cf->args->nelts - 1,
                                   &window->past, &window->future);
}


static char *
ngx_http_webhook_dedup_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char          *p;
    ssize_t          size;
    ngx_str_t       *value, name, s;
    ngx_uint_t       i;
    ngx_shm_zone_t  *shm_zone;

    value = cf->args->elts;

    size = 0;
    ngx_str_null(&name);

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "zone=", 5) == 0) {

            name.data = value[i].data + 5;

            p = (u_char *) ngx_strchr(name.data, ':');

            if (p == NULL) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid zone size \"%V\"", &value[i]);
                return NGX_CONF_ERROR;
            }

            name.len = p - name.data;

            s.data = p + 1;
            s.len = value[i].data + value[i].len - s.data;

            size = ngx_parse_size(&s);

            if (size == NGX_ERROR) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid zone size \"%V\"", &value[i]);
                return NGX_CONF_ERROR;
            }

            if (size < (ssize_t) (8 * ngx_pagesize)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "zone \"%V\" is too small", &value[i]);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    shm_zone = ngx_http_webhook_zone_add(cf, &name, size,
                                         &ngx_http_webhook_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_webhook_zone_define(shm_zone) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate zone \"%V\"", &name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_dedup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_loc_conf_t *wlcf = conf;

    ngx_str_t                         *value, s;
    ngx_uint_t                         i;
    ngx_http_webhook_dedup_t          *dedup;
    ngx_http_compile_complex_value_t   ccv;

    if (wlcf->dedup != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    dedup = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_dedup_t));
    if (dedup == NULL) {
        return NGX_CONF_ERROR;
    }

    dedup->lease = NGX_HTTP_WEBHOOK_LEASE;

    wlcf->dedup = dedup;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "zone=", 5) == 0) {

            s.len = value[i].len - 5;
            s.data = value[i].data + 5;

            dedup->shm_zone = ngx_http_webhook_zone_add(cf, &s, 0,
                                                     &ngx_http_webhook_module);
            if (dedup->shm_zone == NULL) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "key=", 4) == 0) {

            s.len = value[i].len - 4;
            s.data = value[i].data + 4;

            dedup->key = ngx_palloc(cf->pool,
                                    sizeof(ngx_http_complex_value_t));
            if (dedup->key == NULL) {
                return NGX_CONF_ERROR;
            }

            ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

            ccv.cf = cf;
            ccv.value = &s;
            ccv.complex_value = dedup->key;

            if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "ttl=", 4) == 0) {

            s.len = value[i].len - 4;
            s.data = value[i].data + 4;

            dedup->ttl = ngx_parse_time(&s, 1);

            if (dedup->ttl == NGX_ERROR || dedup->ttl == 0) {
                goto invalid;
            }

            continue;
        }

        goto invalid;
    }

    if (dedup->shm_zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", &value[i]);

    return NGX_CONF_ERROR;
}


/* a sender takes 410 for the end of a subscription */

static char *
ngx_http_webhook_check_status(ngx_conf_t *cf, void *post, void *data)
{
    ngx_uint_t *status = data;

    if (*status < 400 || *status > 599 || *status == 410) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "status must be between 400 and 599, but not 410");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
