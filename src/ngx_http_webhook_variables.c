
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The variables: what became of a request, and what an authentic one says of
 * itself.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_doors.h"


static ngx_int_t ngx_http_webhook_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_reason_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_scheme_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_age_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_secret_index_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_outcome_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_version_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_place_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_hint_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_dedup_id_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_event_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_json_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_store_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webhook_store_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_http_webhook_claim_t *ngx_http_webhook_store_claim(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_webhook_set_variable(ngx_http_variable_value_t *v,
    ngx_str_t *value);
static ngx_int_t ngx_http_webhook_set_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_int_t n);


static ngx_http_variable_t  ngx_http_webhook_vars[] = {

    { ngx_string("webhook_status"), NULL,
      ngx_http_webhook_status_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_reason"), NULL,
      ngx_http_webhook_reason_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_scheme"), NULL,
      ngx_http_webhook_scheme_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_age"), NULL,
      ngx_http_webhook_age_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_secret_index"), NULL,
      ngx_http_webhook_secret_index_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_place"), NULL,
      ngx_http_webhook_place_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_hint"), NULL,
      ngx_http_webhook_hint_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_dedup_id"), NULL,
      ngx_http_webhook_dedup_id_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_outcome"), NULL,
      ngx_http_webhook_outcome_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_version"), NULL,
      ngx_http_webhook_version_variable, 0,
      0, 0 },

    { ngx_string("webhook_event_id"), NULL,
      ngx_http_webhook_event_variable,
      offsetof(ngx_http_webhook_scope_t, event_id),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_event_type"), NULL,
      ngx_http_webhook_event_variable,
      offsetof(ngx_http_webhook_scope_t, event_type),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_timestamp"), NULL,
      ngx_http_webhook_event_variable,
      offsetof(ngx_http_webhook_scope_t, timestamp),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_store"), NULL,
      ngx_http_webhook_store_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webhook_store_time"), NULL,
      ngx_http_webhook_store_time_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


/* in the order of ngx_http_webhook_store_e */

static ngx_str_t  ngx_http_webhook_store_answers[] = {
    ngx_null_string,
    ngx_string("MINE"),
    ngx_string("DONE"),
    ngx_string("BUSY"),
    ngx_string("FAILED"),
    ngx_string("DOWN")
};


ngx_int_t
ngx_http_webhook_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_webhook_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_add_json_variable(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t n)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, name, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_webhook_json_variable;
    var->data = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx == NULL) {
        return ngx_http_webhook_set_variable(v, NULL);
    }

    return ngx_http_webhook_set_variable(v,
                      ngx_http_webhook_status_name(ctx->j.verdict.status,
                                           ctx->conf->rules.dry_run));
}


static ngx_int_t
ngx_http_webhook_reason_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_webhook_get_ctx(r);

    return ngx_http_webhook_set_variable(v,
                   ctx ? ngx_http_webhook_reason_name(ctx->j.verdict.reason)
                       : NULL);
}


static ngx_int_t
ngx_http_webhook_scheme_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_webhook_get_ctx(r);

    return ngx_http_webhook_set_variable(v,
                              ctx ? &ctx->conf->rules.keyring->scheme->name
                                  : NULL);
}


static ngx_int_t
ngx_http_webhook_age_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx == NULL || !ctx->j.has_time) {
        return ngx_http_webhook_set_variable(v, NULL);
    }

    return ngx_http_webhook_set_number(r, v, ctx->j.age);
}


static ngx_int_t
ngx_http_webhook_secret_index_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx == NULL || ctx->j.verify.secret_index == 0) {
        return ngx_http_webhook_set_variable(v, NULL);
    }

    return ngx_http_webhook_set_number(r, v, ctx->j.verify.secret_index);
}


static ngx_int_t
ngx_http_webhook_place_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t             *ctx;
    const ngx_http_webhook_loc_conf_t  *conf;

    ctx = ngx_http_webhook_get_ctx(r);

    conf = ctx ? ctx->conf
               : ngx_http_get_module_loc_conf(r->main, ngx_http_webhook_module);

    return ngx_http_webhook_set_variable(v, (ngx_str_t *) &conf->label);
}


static ngx_int_t
ngx_http_webhook_hint_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx == NULL || ctx->hint.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_http_webhook_set_variable(v, &ctx->hint);
}


static ngx_int_t
ngx_http_webhook_dedup_id_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                  id;
    ngx_http_webhook_ctx_t    *ctx;
    ngx_http_webhook_claim_t  *claim;

    ctx = ngx_http_webhook_get_ctx(r);

    claim = (ctx && ctx->j.accepted) ? ctx->dedup.claim : NULL;

    if (claim == NULL) {
        return ngx_http_webhook_set_variable(v, NULL);
    }

    id.len = 2 * sizeof(ngx_http_webhook_id_t);
    id.data = ngx_pnalloc(r->pool, id.len);
    if (id.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(id.data, (u_char *) &claim->id,
                        sizeof(ngx_http_webhook_id_t));

    return ngx_http_webhook_set_variable(v, &id);
}


static ngx_int_t
ngx_http_webhook_outcome_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_webhook_get_ctx(r);

    return ngx_http_webhook_set_variable(v,
                   ctx ? ngx_http_webhook_delivery_name(ctx->dedup.delivery)
                       : NULL);
}


static ngx_int_t
ngx_http_webhook_version_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  version = ngx_string(NGX_HTTP_WEBHOOK_VERSION);

    return ngx_http_webhook_set_variable(v, &version);
}


static ngx_int_t
ngx_http_webhook_event_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx == NULL || !ctx->j.accepted) {
        return ngx_http_webhook_set_variable(v, NULL);
    }

    return ngx_http_webhook_set_variable(v,
                              (ngx_str_t *) ((u_char *) &ctx->j.scope + data));
}


static ngx_int_t
ngx_http_webhook_json_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_uint_t                 n;
    ngx_http_webhook_ctx_t    *ctx;
    ngx_http_webhook_value_t  *value;

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx == NULL || !ctx->j.accepted || ctx->j.scope.values == NULL) {
        return ngx_http_webhook_set_variable(v, NULL);
    }

    n = ctx->conf->rules.keyring->scheme->nlines + data;
    value = &ctx->j.scope.values[n];

    return ngx_http_webhook_set_variable(v,
                                      value->ambiguous ? NULL : &value->text);
}


static ngx_int_t
ngx_http_webhook_store_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_webhook_claim_t  *claim;

    claim = ngx_http_webhook_store_claim(r);

    return ngx_http_webhook_set_variable(v,
                        claim ? &ngx_http_webhook_store_answers[claim->store]
                              : NULL);
}


static ngx_int_t
ngx_http_webhook_store_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                  value;
    ngx_http_webhook_claim_t  *claim;

    claim = ngx_http_webhook_store_claim(r);

    if (claim == NULL) {
        return ngx_http_webhook_set_variable(v, NULL);
    }

    value.data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%T.%03M",
                            (time_t) claim->spent / 1000, claim->spent % 1000)
                - value.data;

    return ngx_http_webhook_set_variable(v, &value);
}


/* the claim of the request that a store had to be asked about, or NULL */

static ngx_http_webhook_claim_t *
ngx_http_webhook_store_claim(ngx_http_request_t *r)
{
    ngx_http_webhook_ctx_t    *ctx;
    ngx_http_webhook_claim_t  *claim;

    ctx = ngx_http_webhook_get_ctx(r);
    claim = ctx ? ctx->dedup.claim : NULL;

    return (claim && claim->store) ? claim : NULL;
}


/*
 * A value that is not there yet is neither valid nor found missing: it is
 * empty, and nobody caches it.
 */

static ngx_int_t
ngx_http_webhook_set_variable(ngx_http_variable_value_t *v, ngx_str_t *value)
{
    v->no_cacheable = 1;
    v->escape = 0;
    v->not_found = 0;

    if (value == NULL || value->len == 0) {
        v->valid = 0;
        v->len = 0;
        v->data = (u_char *) "";

        return NGX_OK;
    }

    v->valid = 1;
    v->len = value->len;
    v->data = value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_set_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_int_t n)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%i", n) - value.data;

    return ngx_http_webhook_set_variable(v, &value);
}
