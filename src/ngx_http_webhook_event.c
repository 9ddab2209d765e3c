
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What an authentic request is about: the id and the type of its event, and
 * whether it is this request that may deliver it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


#define NGX_HTTP_WEBHOOK_MAX_FIELDS   (NGX_HTTP_WEBHOOK_MAX_PARTS + 4)

/* requests of a process that wait for the outcome of others, and how often
   each of them asks for it, in milliseconds */
#define NGX_HTTP_WEBHOOK_MAX_WAITING  1024
#define NGX_HTTP_WEBHOOK_POLL         100


static ngx_uint_t ngx_http_webhook_event_needs(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_piece_e type);
static ngx_uint_t ngx_http_webhook_event_wants(ngx_http_webhook_ctx_t *ctx,
    ngx_array_t *lines, ngx_uint_t used);
static ngx_http_webhook_reason_e ngx_http_webhook_event_timestamp(
    ngx_http_webhook_ctx_t *ctx);
static ngx_http_webhook_reason_e ngx_http_webhook_event_filter(
    ngx_http_webhook_ctx_t *ctx);
static ngx_int_t ngx_http_webhook_event_dedup(ngx_http_webhook_ctx_t *ctx);
static ngx_int_t ngx_http_webhook_event_claim(ngx_http_webhook_ctx_t *ctx);
static void ngx_http_webhook_event_pass(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_reason_e reason);
static ngx_int_t ngx_http_webhook_event_wait(ngx_http_webhook_ctx_t *ctx);
static void ngx_http_webhook_wait_handler(ngx_event_t *ev);
static ngx_http_webhook_reason_e ngx_http_webhook_event_key(
    ngx_http_webhook_ctx_t *ctx, ngx_str_t *fields, ngx_uint_t *nfields);


static ngx_uint_t  ngx_http_webhook_waiting;


ngx_uint_t
ngx_http_webhook_event_needs_sha256(ngx_http_webhook_ctx_t *ctx)
{
    ngx_http_webhook_dedup_conf_t  *dedup;

    dedup = ctx->conf->dedup;

    if (dedup->shm_zone && dedup->mismatch != NGX_HTTP_WEBHOOK_ACTION_DEFAULT) {
        return 1;
    }

    return ngx_http_webhook_event_needs(ctx,
                                        NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256);
}


ngx_uint_t
ngx_http_webhook_event_needs_body(ngx_http_webhook_ctx_t *ctx)
{
    return ngx_http_webhook_event_needs_sha256(ctx)
           || ngx_http_webhook_event_needs(ctx, NGX_HTTP_WEBHOOK_PIECE_JSON);
}


static ngx_uint_t
ngx_http_webhook_event_needs(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_piece_e type)
{
    ngx_http_webhook_scheme_t      *scheme;
    ngx_http_webhook_main_conf_t   *wmcf;
    ngx_http_webhook_dedup_conf_t  *dedup;

    wmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_webhook_module);
    scheme = ctx->keyring->scheme;
    dedup = ctx->conf->dedup;

    return (dedup->shm_zone
            && (ngx_http_webhook_lines_have(scheme->dedup_key, type)
                || ngx_http_webhook_lines_have(scheme->event_id, type)
                || ngx_http_webhook_lines_have(scheme->event_type, type)))
           || (wmcf->event_id
               && ngx_http_webhook_lines_have(scheme->event_id, type))
           || (type == NGX_HTTP_WEBHOOK_PIECE_JSON && wmcf->json.nelts)
           || ((wmcf->event_type || ctx->conf->events)
               && ngx_http_webhook_lines_have(scheme->event_type, type));
}


ngx_http_webhook_reason_e
ngx_http_webhook_event_read(ngx_http_webhook_ctx_t *ctx)
{
    ngx_http_webhook_reason_e      reason;
    ngx_http_webhook_scheme_t     *scheme;
    ngx_http_webhook_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_webhook_module);
    scheme = ctx->keyring->scheme;

    if (scheme->timestamp_json
        || ngx_http_webhook_event_needs(ctx, NGX_HTTP_WEBHOOK_PIECE_JSON))
    {
        if (ngx_http_webhook_body_json(ctx) != NGX_OK) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }
    }

    if (scheme->timestamp_json) {

        reason = ngx_http_webhook_event_timestamp(ctx);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }

    } else if (ctx->has_time) {

        /* a body that took long must not outlive the memory of its id */

        reason = ngx_http_webhook_check_time(ctx, ctx->time,
                                               NGX_HTTP_WEBHOOK_GRACE);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }
    }

    if (ngx_http_webhook_event_wants(ctx, scheme->event_id, wmcf->event_id)
        && ngx_http_webhook_lines_value(&ctx->scope, scheme->event_id,
                                        NGX_HTTP_WEBHOOK_MAX_VALUE,
                                        &ctx->scope.event_id)
           == NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR)
    {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    if (ngx_http_webhook_event_wants(ctx, scheme->event_type,
                                     wmcf->event_type || ctx->conf->events)
        && ngx_http_webhook_lines_value(&ctx->scope, scheme->event_type,
                                        NGX_HTTP_WEBHOOK_MAX_VALUE,
                                        &ctx->scope.event_type)
           == NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR)
    {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    ctx->accepted = 1;

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


/*
 * Whether the lines are to be evaluated: if somebody asks for what they give,
 * or if they cost nothing.
 */

static ngx_uint_t
ngx_http_webhook_event_wants(ngx_http_webhook_ctx_t *ctx, ngx_array_t *lines,
    ngx_uint_t used)
{
    return lines && (used || ctx->conf->dedup->shm_zone
                     || ngx_http_webhook_lines_are_headers(lines));
}


static ngx_http_webhook_reason_e
ngx_http_webhook_event_timestamp(ngx_http_webhook_ctx_t *ctx)
{
    time_t                        time;
    ngx_http_webhook_value_t     *value;
    ngx_http_webhook_scheme_t    *scheme;
    ngx_http_webhook_template_t  *source;

    scheme = ctx->keyring->scheme;
    source = scheme->timestamp->elts;
    value = &ctx->scope.values[source->pieces[0].index];

    if (value->ambiguous) {
        return NGX_HTTP_WEBHOOK_REASON_AMBIGUOUS_JSON;
    }

    if (value->text.len == 0 && !value->too_long) {
        return NGX_HTTP_WEBHOOK_REASON_MISSING_TIMESTAMP;
    }

    if (value->too_long
        || ngx_http_webhook_parse_timestamp(&value->text, scheme->unit,
                                            &time)
           != NGX_OK)
    {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_TIMESTAMP;
    }

    ctx->scope.timestamp = value->text;

    return ngx_http_webhook_check_time(ctx, time, 0);
}


ngx_int_t
ngx_http_webhook_event_decide(ngx_http_webhook_ctx_t *ctx)
{
    ngx_http_webhook_reason_e  reason;

    if (ctx->decided) {
        return NGX_OK;
    }

    reason = ngx_http_webhook_event_filter(ctx);

    switch (reason) {

    case NGX_HTTP_WEBHOOK_REASON_NONE:
        break;

    case NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR:
        ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
                                    reason);
        return NGX_OK;

    default:
        ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_IGNORED,
                                    reason);
        return NGX_OK;
    }

    if (ctx->conf->dedup->shm_zone == NULL) {
        return NGX_OK;
    }

    return ngx_http_webhook_event_dedup(ctx);
}


/* whether the administrator wants the event at all */

static ngx_http_webhook_reason_e
ngx_http_webhook_event_filter(ngx_http_webhook_ctx_t *ctx)
{
    ngx_str_t                     value;
    ngx_uint_t                    i;
    ngx_http_complex_value_t     *cv;
    ngx_http_webhook_pattern_t   *pattern;
    ngx_http_webhook_loc_conf_t  *wlcf;

    wlcf = ctx->conf;

    if (wlcf->events && ctx->scope.event_type.len) {

        pattern = wlcf->events->elts;

        for (i = 0; i < wlcf->events->nelts; i++) {

            if ((pattern[i].prefix
                 ? ctx->scope.event_type.len >= pattern[i].text.len
                 : ctx->scope.event_type.len == pattern[i].text.len)
                && ngx_memcmp(ctx->scope.event_type.data, pattern[i].text.data,
                              pattern[i].text.len)
                   == 0)
            {
                break;
            }
        }

        if (i == wlcf->events->nelts) {
            return NGX_HTTP_WEBHOOK_REASON_EVENT_TYPE;
        }
    }

    if (wlcf->ignore && ctx->scope.json == NGX_HTTP_WEBHOOK_REASON_NONE) {

        cv = wlcf->ignore->elts;

        for (i = 0; i < wlcf->ignore->nelts; i++) {

            if (ngx_http_complex_value(ctx->request, &cv[i], &value)
                != NGX_OK)
            {
                return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
            }

            if (value.len && (value.len != 1 || value.data[0] != '0')) {
                return NGX_HTTP_WEBHOOK_REASON_EVENT_FILTER;
            }
        }
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


/* names the event, and tries to claim it */

static ngx_int_t
ngx_http_webhook_event_dedup(ngx_http_webhook_ctx_t *ctx)
{
    ngx_log_t                      *log;
    ngx_str_t                       fields[NGX_HTTP_WEBHOOK_MAX_FIELDS];
    ngx_uint_t                      n;
    ngx_http_webhook_zone_t        *zone;
    ngx_http_webhook_reason_e       reason;
    ngx_http_webhook_dedup_conf_t  *dedup;

    dedup = ctx->conf->dedup;
    zone = dedup->shm_zone->data;
    log = ctx->request->connection->log;

    reason = ngx_http_webhook_event_key(ctx, fields, &n);

    switch (reason) {

    case NGX_HTTP_WEBHOOK_REASON_NONE:
        break;

    case NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR:
        ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
                                    reason);
        return NGX_OK;

    default:

        if (reason == NGX_HTTP_WEBHOOK_REASON_AMBIGUOUS_JSON
            || dedup->missing == NGX_HTTP_WEBHOOK_ACTION_REJECT)
        {
            ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_REJECTED,
                                        reason);
            return NGX_OK;
        }

        ngx_http_webhook_event_pass(ctx, reason);
        return NGX_OK;
    }

    if (n == 0) {

        /* the key of the location is empty */

        return NGX_OK;
    }

    if (ngx_http_webhook_zone_id(zone, fields, n, &ctx->claim) != NGX_OK) {
        ngx_http_webhook_digest_error(NGX_LOG_ERR, log,
                                      "could not digest the dedup key");
        goto failed;
    }

    ctx->fingerprint = 0;

    if (dedup->mismatch != NGX_HTTP_WEBHOOK_ACTION_DEFAULT
        && ngx_http_webhook_body_fingerprint(ctx, &ctx->fingerprint) != NGX_OK)
    {
        goto failed;
    }

    if (ngx_http_webhook_event_claim(ctx) == NGX_AGAIN) {
        return ngx_http_webhook_event_wait(ctx);
    }

    return NGX_OK;

failed:

    ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
                                NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR);

    return NGX_OK;
}


/* NGX_AGAIN if somebody else has the event, NGX_OK if the status is set */

static ngx_int_t
ngx_http_webhook_event_claim(ngx_http_webhook_ctx_t *ctx)
{
    uint32_t                        fingerprint;
    ngx_int_t                       rc;
    ngx_log_t                      *log;
    ngx_uint_t                      evict;
    ngx_http_request_t             *r;
    ngx_http_webhook_dedup_conf_t  *dedup;

    r = ctx->request;
    dedup = ctx->conf->dedup;
    log = r->connection->log;

    fingerprint = 0;

    if (ctx->dry_run) {
        rc = ngx_http_webhook_zone_lookup(&ctx->claim, ngx_time(),
                                          &fingerprint);

    } else {
        evict = (dedup->full == NGX_HTTP_WEBHOOK_ACTION_DEFAULT);

        rc = ngx_http_webhook_zone_claim(&ctx->claim, ngx_time(), dedup->lease,
                                         evict, &fingerprint, log);
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, log, 0, "webhook claim: %i", rc);

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_BUSY:
        return NGX_AGAIN;

    case NGX_DECLINED:

        if (fingerprint && ctx->fingerprint
            && fingerprint != ctx->fingerprint)
        {
            if (dedup->mismatch == NGX_HTTP_WEBHOOK_ACTION_REJECT) {
                ngx_http_webhook_set_status(ctx,
                                       NGX_HTTP_WEBHOOK_STATUS_REJECTED,
                                       NGX_HTTP_WEBHOOK_REASON_BODY_MISMATCH);
                return NGX_OK;
            }

            ngx_http_webhook_event_pass(ctx,
                                       NGX_HTTP_WEBHOOK_REASON_BODY_MISMATCH);
            return NGX_OK;
        }

        ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_DUPLICATE,
                                    NGX_HTTP_WEBHOOK_REASON_ALREADY_DELIVERED);
        return NGX_OK;

    default: /* NGX_ABORT */

        if (dedup->full == NGX_HTTP_WEBHOOK_ACTION_PASS) {
            ngx_http_webhook_event_pass(ctx, NGX_HTTP_WEBHOOK_REASON_ZONE_FULL);
            return NGX_OK;
        }

        ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
                                    NGX_HTTP_WEBHOOK_REASON_ZONE_FULL);
        return NGX_OK;
    }

    if (ctx->dry_run) {
        return NGX_OK;
    }

    ctx->decided = 1;
    ctx->lease = dedup->lease;
    ctx->ttl = ctx->conf->ttl;

    /* longer than the same request would be let through again */

    ctx->until = 0;

    if (ctx->has_time && ctx->conf->window.past != NGX_HTTP_WEBHOOK_NO_WINDOW) {
        ctx->until = ctx->time + ctx->conf->window.past
                     + NGX_HTTP_WEBHOOK_GRACE;
    }

    ctx->upstreams = r->upstream_states ? r->upstream_states->nelts : 0;

    ngx_http_webhook_outcome_watch(ctx);

    return NGX_OK;
}


/* delivered, but not deduplicated */

static void
ngx_http_webhook_event_pass(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_reason_e reason)
{
    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "webhook is not deduplicated: %V, scheme \"%V\"",
                  ngx_http_webhook_reason_name(reason),
                  &ctx->keyring->scheme->name);

    ctx->reason = reason;
    ctx->decided = !ctx->dry_run;
}


/*
 * Somebody else, maybe in another process, is delivering the event: the
 * request asks again from time to time what has become of it.
 */

static ngx_int_t
ngx_http_webhook_event_wait(ngx_http_webhook_ctx_t *ctx)
{
    if (ctx->dry_run
        || ctx->conf->in_flight_wait == 0
        || ngx_http_webhook_waiting == NGX_HTTP_WEBHOOK_MAX_WAITING)
    {
        ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_IN_FLIGHT,
                                    NGX_HTTP_WEBHOOK_REASON_LEASE_HELD);
        return NGX_OK;
    }

    ngx_http_webhook_waiting++;

    ctx->waiting = 1;
    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_WAITING;
    ctx->wait = ngx_current_msec + ctx->conf->in_flight_wait;

    ctx->renew.handler = ngx_http_webhook_wait_handler;
    ctx->renew.data = ctx;
    ctx->renew.log = ctx->request->connection->log;

    ngx_add_timer(&ctx->renew, ngx_min(ctx->conf->in_flight_wait,
                                       NGX_HTTP_WEBHOOK_POLL));

    return NGX_AGAIN;
}


static void
ngx_http_webhook_wait_handler(ngx_event_t *ev)
{
    ngx_msec_int_t           left;
    ngx_http_request_t      *r;
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ev->data;
    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    if (ngx_http_webhook_event_claim(ctx) == NGX_AGAIN) {

        left = (ngx_msec_int_t) (ctx->wait - ngx_current_msec);

        if (left > 0) {
            ngx_add_timer(ev, ngx_min((ngx_msec_t) left,
                                      NGX_HTTP_WEBHOOK_POLL));
            return;
        }

        ngx_http_webhook_set_status(ctx, NGX_HTTP_WEBHOOK_STATUS_IN_FLIGHT,
                                    NGX_HTTP_WEBHOOK_REASON_LEASE_HELD);
    }

    ngx_http_webhook_waiting--;
    ctx->waiting = 0;

    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_JUDGED;

    ngx_http_webhook_resume(r);
}


void
ngx_http_webhook_event_cleanup(ngx_http_webhook_ctx_t *ctx)
{
    if (ctx->waiting) {
        ngx_http_webhook_waiting--;
        ctx->waiting = 0;

        if (ctx->renew.timer_set) {
            ngx_del_timer(&ctx->renew);
        }
    }
}


/* the strings that name the event in the zone; none: it is not to be there */

static ngx_http_webhook_reason_e
ngx_http_webhook_event_key(ngx_http_webhook_ctx_t *ctx, ngx_str_t *fields,
    ngx_uint_t *nfields)
{
    ngx_uint_t                      n;
    ngx_http_request_t             *r;
    ngx_http_core_srv_conf_t       *cscf;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_webhook_reason_e       reason;
    ngx_http_webhook_dedup_conf_t  *dedup;

    r = ctx->request;
    dedup = ctx->conf->dedup;

    fields[0] = ctx->keyring->scheme->name;

    if (dedup->key) {

        ngx_str_set(&fields[1], "key");
        ngx_str_null(&fields[3]);

        if (ngx_http_complex_value(r, dedup->key, &fields[2]) != NGX_OK) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        if (fields[2].len == 0) {
            *nfields = 0;
            return NGX_HTTP_WEBHOOK_REASON_NONE;
        }

    } else {
        cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        ngx_str_set(&fields[1], "location");
        fields[2] = cscf->server_name;
        fields[3] = clcf->name;
    }

    reason = ngx_http_webhook_lines_parts(&ctx->scope,
                                          ctx->keyring->scheme->dedup_key,
                                          NGX_HTTP_WEBHOOK_MAX_VALUE,
                                          &fields[4], &n);
    *nfields = n + 4;

    return reason;
}
