
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the administrator writes: the directives, how their values are
 * inherited and checked, and the phases and filters the module takes part in.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_diagnose.h"
#include "ngx_http_webhook_doors.h"
#include "ngx_http_webhook_event.h"
#include "ngx_http_webhook_monitor.h"


static ngx_int_t ngx_http_webhook_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_webhook_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_webhook_add_handler(ngx_conf_t *cf, ngx_uint_t phase,
    ngx_http_handler_pt handler);
static ngx_int_t ngx_http_webhook_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_webhook_init_process(ngx_cycle_t *cycle);
static void ngx_http_webhook_exit_process(ngx_cycle_t *cycle);

static void *ngx_http_webhook_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_webhook_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_webhook_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);

static char *ngx_http_webhook_scheme(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_verify_directive(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_webhook_tolerance(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_json(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_monitor_directive(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
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


static ngx_conf_num_bounds_t  ngx_http_webhook_success_bounds = {
    ngx_conf_check_num_bounds, 200, 299
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
      ngx_http_webhook_secret_set_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, secrets),
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
      offsetof(ngx_http_webhook_loc_conf_t, rules.dry_run),
      NULL },

    { ngx_string("webhook_handshake"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, handshake),
      NULL },

    { ngx_string("webhook_handshake_token"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_webhook_secret_set_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, tokens),
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
      offsetof(ngx_http_webhook_loc_conf_t, rules.json_max_size),
      NULL },

    { ngx_string("webhook_dedup_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_webhook_dedup_zone_set_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_webhook_store_set_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webhook_main_conf_t, stores),
      NULL },

    { ngx_string("webhook_dedup"),
      NGX_HTTP_WEBHOOK_LMT_CONF|NGX_CONF_1MORE,
      ngx_http_webhook_dedup_set_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, rules.dedup),
      NULL },

    { ngx_string("webhook_duplicate_status"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, duplicate_status),
      &ngx_http_webhook_success_bounds },

    { ngx_string("webhook_in_flight_status"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, in_flight_status),
      &ngx_http_webhook_status_post },

    { ngx_string("webhook_in_flight_wait"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, in_flight_wait),
      NULL },

    { ngx_string("webhook_diagnose"),
      NGX_HTTP_WEBHOOK_LMT_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, diagnose),
      NULL },

    { ngx_string("webhook_place"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_webhook_place_set_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, place),
      NULL },

    { ngx_string("webhook_monitor"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE12,
      ngx_http_webhook_monitor_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook_json"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_webhook_json,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook_events"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_webhook_events_set_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, rules.events),
      NULL },

    { ngx_string("webhook_ignore"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_webhook_ignore_set_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, rules.ignore),
      NULL },

    { ngx_string("webhook_ignored_status"),
      NGX_HTTP_WEBHOOK_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webhook_loc_conf_t, ignored_status),
      &ngx_http_webhook_success_bounds },

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
    ngx_http_webhook_init_module,          /* init module */
    ngx_http_webhook_init_process,         /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_webhook_exit_process,         /* exit process */
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
        || ngx_array_init(&wmcf->locations, cf->pool, 4,
                          sizeof(ngx_http_webhook_loc_conf_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->secrets, cf->pool, 4,
                          sizeof(ngx_http_webhook_level_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->dedups, cf->pool, 4,
                          sizeof(ngx_http_webhook_level_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->places, cf->pool, 4,
                          sizeof(ngx_http_webhook_place_t))
           != NGX_OK
        || ngx_array_init(&wmcf->states, cf->pool, 1,
                          sizeof(ngx_http_webhook_state_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->stores, cf->pool, 1,
                          sizeof(ngx_http_webhook_store_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->json, cf->pool, 4,
                          sizeof(ngx_http_webhook_pointer_t))
           != NGX_OK
        || ngx_http_webhook_metrics_create(&wmcf->metrics, cf->pool)
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
     *     conf->rules.keyring = NULL;
     *     conf->rules.handshakes = NULL;
     *     conf->rules.tokens = NULL;
     *     conf->ttl = 0;
     *     conf->place = { 0, NULL };
     *     conf->label = { 0, NULL };
     *     conf->server = { 0, NULL };
     *     conf->location = { 0, NULL };
     *     conf->counted = NULL;
     *     conf->monitor = NULL;
     *     conf->shown = 0;
     *     conf->unreachable = 0;
     */

    conf->verify = NGX_CONF_UNSET_PTR;
    conf->secrets = NGX_CONF_UNSET_PTR;
    conf->rules.dedup = NGX_CONF_UNSET_PTR;
    conf->tolerance = NGX_CONF_UNSET_PTR;
    conf->tokens = NGX_CONF_UNSET_PTR;
    conf->handshake = NGX_CONF_UNSET;
    conf->rules.dry_run = NGX_CONF_UNSET;
    conf->reject_status = NGX_CONF_UNSET_UINT;
    conf->log_level = NGX_CONF_UNSET_UINT;
    conf->diagnose = NGX_CONF_UNSET;
    conf->duplicate_status = NGX_CONF_UNSET_UINT;
    conf->in_flight_status = NGX_CONF_UNSET_UINT;
    conf->in_flight_wait = NGX_CONF_UNSET_MSEC;
    conf->rules.json_max_size = NGX_CONF_UNSET_SIZE;
    conf->rules.events = NGX_CONF_UNSET_PTR;
    conf->rules.ignore = NGX_CONF_UNSET_PTR;
    conf->ignored_status = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
ngx_http_webhook_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_webhook_loc_conf_t *prev = parent;
    ngx_http_webhook_loc_conf_t *conf = child;

    ngx_uint_t  handshake;

    static ngx_http_webhook_dedup_conf_t  dedup_off;

    /* what is inherited, but for a scheme of one's own, may be of no use */

    handshake = (conf->handshake != NGX_CONF_UNSET
                 || (conf->verify == NGX_CONF_UNSET_PTR
                     && prev->rules.keyring == NULL));

    ngx_conf_merge_ptr_value(conf->verify, prev->verify, NULL);
    ngx_conf_merge_ptr_value(conf->secrets, prev->secrets, NULL);
    ngx_conf_merge_ptr_value(conf->tolerance, prev->tolerance, NULL);
    ngx_conf_merge_ptr_value(conf->tokens, prev->tokens, NULL);
    ngx_conf_merge_value(conf->handshake, prev->handshake, 0);
    ngx_conf_merge_ptr_value(conf->rules.dedup, prev->rules.dedup, &dedup_off);

    if (ngx_http_webhook_merge_levels(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_conf_merge_value(conf->rules.dry_run, prev->rules.dry_run, 0);

    ngx_conf_merge_uint_value(conf->reject_status, prev->reject_status,
                              NGX_HTTP_UNAUTHORIZED);
    ngx_conf_merge_uint_value(conf->log_level, prev->log_level, NGX_LOG_ERR);
    ngx_conf_merge_value(conf->diagnose, prev->diagnose, 0);

    ngx_conf_merge_uint_value(conf->duplicate_status, prev->duplicate_status,
                              NGX_HTTP_OK);
    ngx_conf_merge_uint_value(conf->in_flight_status, prev->in_flight_status,
                              NGX_HTTP_SERVICE_UNAVAILABLE);
    ngx_conf_merge_msec_value(conf->in_flight_wait, prev->in_flight_wait,
                              5000);

    ngx_conf_merge_size_value(conf->rules.json_max_size,
                              prev->rules.json_max_size, 1024 * 1024);
    ngx_conf_merge_ptr_value(conf->rules.events, prev->rules.events, NULL);
    ngx_conf_merge_ptr_value(conf->rules.ignore, prev->rules.ignore, NULL);
    ngx_conf_merge_uint_value(conf->ignored_status, prev->ignored_status,
                              NGX_HTTP_OK);
    ngx_conf_merge_str_value(conf->place, prev->place, "");

    if (ngx_http_webhook_merge_monitor(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->verify == NULL || conf->verify->off) {
        return NGX_CONF_OK;
    }

    return ngx_http_webhook_merge_location(cf, prev, conf, handshake);
}


static ngx_int_t
ngx_http_webhook_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_webhook_add_variables(cf);
}


static ngx_int_t
ngx_http_webhook_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_webhook_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);

    if (ngx_http_webhook_stores_init(cf, &wmcf->stores) != NGX_OK
        || ngx_http_webhook_check_levels(cf, wmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (wmcf->monitored && ngx_http_webhook_count_places(cf, wmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (wmcf->locations.nelts == 0) {

        /* loaded, and used nowhere */

        return NGX_OK;
    }

    if (ngx_http_webhook_check_places(cf, wmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_webhook_sha256_init(cf->pool) != NGX_OK) {
        ngx_http_webhook_digest_error(NGX_LOG_EMERG, cf->log,
                                      "could not make ready for SHA-256");
        return NGX_ERROR;
    }

    if (ngx_http_webhook_find_uses(cf, wmcf) != NGX_OK
        || ngx_http_webhook_diagnose_init(cf, wmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* handlers run from the last to the first, but those of the log phase */

    if (ngx_http_webhook_add_handler(cf, NGX_HTTP_ACCESS_PHASE,
                                     ngx_http_webhook_access_handler)
        != NGX_OK
        || ngx_http_webhook_add_handler(cf, NGX_HTTP_LOG_PHASE,
                                        ngx_http_webhook_log_handler)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_webhook_init_filters();

    return NGX_OK;
}


/* adds a handler of a phase as the first of the array */

static ngx_int_t
ngx_http_webhook_add_handler(ngx_conf_t *cf, ngx_uint_t phase,
    ngx_http_handler_pt handler)
{
    ngx_array_t                *a;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    a = &cmcf->phases[phase].handlers;

    if (ngx_array_push(a) == NULL) {
        return NGX_ERROR;
    }

    h = a->elts;
    ngx_memmove(&h[1], &h[0], (a->nelts - 1) * sizeof(ngx_http_handler_pt));
    h[0] = handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_init_module(ngx_cycle_t *cycle)
{
    /* a file of the module that is loaded anew has one of its own */

    static ngx_uint_t  told;

    if (ngx_test_config) {
        return NGX_OK;
    }

    if (!told) {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                      "ngx_http_webhook_module " NGX_HTTP_WEBHOOK_VERSION
                      " is loaded");
        told = 1;
    }

    ngx_http_webhook_zones_install(cycle);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_init_process(ngx_cycle_t *cycle)
{
    ngx_http_webhook_main_conf_t  *wmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    ngx_http_webhook_zones_keep(cycle);

    wmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_webhook_module);

    if (wmcf && wmcf->metrics.sh) {
        ngx_http_webhook_dedup_count_waiting(
                              ngx_http_webhook_metrics_begin(&wmcf->metrics));
    }

    return wmcf ? ngx_http_webhook_stores_start(&wmcf->stores, cycle) : NGX_OK;
}


static void
ngx_http_webhook_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_webhook_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_webhook_module);

    if (wmcf) {
        ngx_http_webhook_stores_exit(&wmcf->stores);
    }

    ngx_http_webhook_zones_exit(cycle);
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

    ngx_str_t                       *value;
    ngx_http_webhook_verify_conf_t  *verify;

    if (wlcf->verify != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    verify = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_verify_conf_t));
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
ngx_http_webhook_tolerance(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_loc_conf_t *wlcf = conf;

    ngx_str_t                  *value;
    ngx_http_webhook_window_t  *window;

    if (wlcf->tolerance != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    window = ngx_palloc(cf->pool, sizeof(ngx_http_webhook_window_t));
    if (window == NULL) {
        return NGX_CONF_ERROR;
    }

    wlcf->tolerance = window;

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

    return ngx_http_webhook_parse_window(cf, &value[1], cf->args->nelts - 1,
                                         window);
}


static char *
ngx_http_webhook_json(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_main_conf_t *wmcf = conf;

    ngx_int_t                    rc;
    ngx_str_t                   *value, name;
    ngx_http_webhook_pointer_t  *pointer;

    value = cf->args->elts;

    if (value[1].len < 2 || value[1].data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    name.len = value[1].len - 1;
    name.data = value[1].data + 1;

    if (ngx_http_webhook_add_json_variable(cf, &name, wmcf->json.nelts)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    pointer = ngx_array_push(&wmcf->json);
    if (pointer == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_http_webhook_pointer(cf->pool, &value[2], pointer);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid JSON Pointer \"%V\"%s", &value[2],
                           ngx_http_webhook_pointer_hint(&value[2]));
    }

    return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_webhook_monitor_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_webhook_loc_conf_t *wlcf = conf;

    ngx_str_t                        *value;
    ngx_uint_t                        i;
    ngx_http_core_loc_conf_t         *clcf;
    ngx_http_webhook_main_conf_t     *wmcf;
    ngx_http_webhook_monitor_conf_t  *monitor;

    if (wlcf->monitor) {
        return "is duplicate";
    }

    monitor = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_monitor_conf_t));
    if (monitor == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "write=on") == 0) {
            monitor->write = 1;
            continue;
        }

        if (ngx_strcmp(value[i].data, "from=any") == 0) {
            monitor->any = 1;
            continue;
        }

        if (ngx_strcmp(value[i].data, "write=off") == 0
            || ngx_strcmp(value[i].data, "from=local") == 0)
        {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (monitor->write && monitor->any) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"webhook_monitor\" lets whoever reaches it forget "
                           "events: guard the location");
    }

    wlcf->monitor = monitor;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_webhook_monitor_handler;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);
    wmcf->monitored = 1;

    return NGX_CONF_OK;
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
