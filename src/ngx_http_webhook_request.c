
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The way of one request, which is the order of the stages: headers decide
 * first, then the body is digested, then the verdict is found and answered.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_event.h"
#include "ngx_http_webhook_request.h"
#include "ngx_http_webhook_suspend.h"


/* what is digested at once: some milliseconds */
#define NGX_HTTP_WEBHOOK_BODY_SLICE  (4 * 1024 * 1024)


static ngx_uint_t ngx_http_webhook_is_judged_for(ngx_http_webhook_ctx_t *ctx,
    const ngx_http_webhook_loc_conf_t *conf);

static ngx_int_t ngx_http_webhook_judge_handshake(ngx_http_webhook_ctx_t *ctx,
    ngx_uint_t is_signed);
static ngx_int_t ngx_http_webhook_judge_headers(ngx_http_webhook_ctx_t *ctx);
static ngx_int_t ngx_http_webhook_read_body(ngx_http_webhook_ctx_t *ctx);
static void ngx_http_webhook_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_webhook_digest_body(ngx_http_webhook_ctx_t *ctx);
static void ngx_http_webhook_digest_handler(ngx_event_t *ev);
static void ngx_http_webhook_judge(ngx_http_webhook_ctx_t *ctx);
static ngx_http_webhook_reason_e ngx_http_webhook_judge_event(
    ngx_http_webhook_ctx_t *ctx);
static ngx_int_t ngx_http_webhook_decide(ngx_http_webhook_ctx_t *ctx);
static void ngx_http_webhook_decided(ngx_http_webhook_dedup_t *dedup);

static void ngx_http_webhook_judged(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_reason_e reason);
static void ngx_http_webhook_set_verdict(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_status_e status, ngx_http_webhook_reason_e reason);


ngx_int_t
ngx_http_webhook_run(ngx_http_webhook_ctx_t *ctx,
    const ngx_http_webhook_loc_conf_t *conf)
{
    switch (ctx->stage) {

    case NGX_HTTP_WEBHOOK_STAGE_READING:
    case NGX_HTTP_WEBHOOK_STAGE_DIGESTING:
    case NGX_HTTP_WEBHOOK_STAGE_WAITING:
        return NGX_DONE;

    case NGX_HTTP_WEBHOOK_STAGE_JUDGED:

        if (ctx->j.verdict.status == NGX_HTTP_WEBHOOK_STATUS_NONE) {

            /* it was interrupted, and is to be verified here */

            ngx_http_webhook_judged(ctx,
                                    NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR);
        }

        if (ngx_http_webhook_is_judged_for(ctx, conf)) {
            ctx->conf = conf;
            return ngx_http_webhook_decide(ctx);
        }

        ngx_http_webhook_reset(ctx);
        break;

    default: /* NGX_HTTP_WEBHOOK_STAGE_NEW */
        break;
    }

    ctx->conf = conf;

    if (conf->rules.handshakes
        && ngx_http_webhook_judge_handshake(ctx, 0) == NGX_OK)
    {
        return ngx_http_webhook_answer(ctx);
    }

    return ngx_http_webhook_judge_headers(ctx);
}


ngx_int_t
ngx_http_webhook_redirected(ngx_http_webhook_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_webhook_dedup_redirected(&ctx->dedup);

    if (ctx->stage == NGX_HTTP_WEBHOOK_STAGE_JUDGED
        || ctx->stage == NGX_HTTP_WEBHOOK_STAGE_NEW)
    {
        return NGX_OK;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "webhook interrupted, stage %d", ctx->stage);

    ngx_http_webhook_reset(ctx);
    ngx_http_webhook_dedup_cancel(&ctx->dedup);

    ctx->interrupted = 1;
    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_JUDGED;

    /* a part of a body is no body, and nobody has verified it */

    return ngx_http_webhook_withhold_body(r);
}


/*
 * Whether a verdict counts in the location where the request is now.  What is
 * refused stays refused; what was let through by other rules, or by none as
 * in a dry run, is judged anew unless it holds a claim.
 */

static ngx_uint_t
ngx_http_webhook_is_judged_for(ngx_http_webhook_ctx_t *ctx,
    const ngx_http_webhook_loc_conf_t *conf)
{
    const ngx_http_webhook_rules_t  *rules;

    rules = &ctx->conf->rules;

    if (conf == ctx->conf) {
        return 1;
    }

    if (!ctx->j.accepted
        || (ctx->j.verdict.status != NGX_HTTP_WEBHOOK_STATUS_PASSED
            && !rules->dry_run))
    {
        return 1;
    }

    if (rules->keyring != conf->rules.keyring) {
        return 0;
    }

    return ctx->dedup.decided
           || ngx_memcmp(rules, &conf->rules, sizeof(ngx_http_webhook_rules_t))
              == 0;
}


void
ngx_http_webhook_reset(ngx_http_webhook_ctx_t *ctx)
{
    if (ctx->event.timer_set) {
        ngx_del_timer(&ctx->event);
    }

    ngx_http_webhook_verify_free(&ctx->j.verify);
    ngx_http_webhook_free_keys(&ctx->j.keys);

    ngx_memzero(&ctx->j, sizeof(ngx_http_webhook_judgement_t));

    ctx->j.scope.request = ctx->request;
    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_NEW;
}


/* NGX_OK if there is a verdict, or NGX_DECLINED: it is no handshake */

static ngx_int_t
ngx_http_webhook_judge_handshake(ngx_http_webhook_ctx_t *ctx,
    ngx_uint_t is_signed)
{
    ngx_http_webhook_reason_e      reason;
    ngx_http_webhook_judgement_t  *j;

    j = &ctx->j;

    reason = ngx_http_webhook_read_handshake(&j->handshake, &j->scope,
                                             &ctx->conf->rules, &j->keys,
                                             is_signed);

    if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
        j->accepted = 0;
        ngx_http_webhook_judged(ctx, reason);

        return NGX_OK;
    }

    if (j->handshake.status == 0) {
        return NGX_DECLINED;
    }

    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_JUDGED;

    ngx_http_webhook_set_verdict(ctx, NGX_HTTP_WEBHOOK_STATUS_HANDSHAKE,
                                 reason);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_judge_headers(ngx_http_webhook_ctx_t *ctx)
{
    ngx_http_webhook_reason_e           reason;
    ngx_http_webhook_scheme_t          *scheme;
    ngx_http_webhook_judgement_t       *j;
    const ngx_http_webhook_loc_conf_t  *conf;

    j = &ctx->j;
    conf = ctx->conf;
    scheme = conf->rules.keyring->scheme;

    reason = ngx_http_webhook_read_signature(&j->signature, &j->scope, scheme,
                                             &conf->rules.window,
                                             conf->rules.dedup->shm_zone
                                             != NULL);

    j->time = j->signature.time;
    j->age = j->signature.age;
    j->has_time = j->signature.has_time;

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE) {
        reason = ngx_http_webhook_get_keys(&j->keys, conf->rules.keyring,
                                           &j->scope);
    }

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE && scheme->key_id) {
        reason = ngx_http_webhook_choose_keys(&j->keys, conf->rules.keyring,
                                              &j->scope);
    }

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE) {
        reason = ngx_http_webhook_verify_start(&j->verify, ctx->request,
                             scheme, &j->signature, &j->keys,
                             conf->uses & NGX_HTTP_WEBHOOK_USES_SHA256);
    }

    if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
        ngx_http_webhook_judged(ctx, reason);
        return ngx_http_webhook_answer(ctx);
    }

    if (scheme->algorithm->token
        && !(conf->uses & (NGX_HTTP_WEBHOOK_USES_JSON
                           |NGX_HTTP_WEBHOOK_USES_SHA256)))
    {
        ngx_http_webhook_judge(ctx);
        return ngx_http_webhook_decide(ctx);
    }

    return ngx_http_webhook_read_body(ctx);
}


static ngx_int_t
ngx_http_webhook_read_body(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ngx_http_webhook_body_is_gone(r)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "webhook cannot be verified: its body was discarded");
        ngx_http_webhook_judged(ctx, NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR);
        return ngx_http_webhook_answer(ctx);
    }

    if (r->request_body == NULL) {

        ctx->stage = NGX_HTTP_WEBHOOK_STAGE_READING;

        rc = ngx_http_read_client_request_body(r,
                                               ngx_http_webhook_body_handler);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        ngx_http_finalize_request(r, NGX_DONE);
        return NGX_DONE;
    }

    /* somebody else has read the body: its store is what is proxied */

    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_DIGESTING;

    ngx_http_webhook_open_body(&ctx->j.body, r);

    if (ngx_http_webhook_digest_body(ctx) == NGX_AGAIN) {
        return ngx_http_webhook_suspend(r);
    }

    return ngx_http_webhook_decide(ctx);
}


static void
ngx_http_webhook_body_handler(ngx_http_request_t *r)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_webhook_module);

    if (ctx == NULL || ctx->stage != NGX_HTTP_WEBHOOK_STAGE_READING) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_webhook_judge(ctx);

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


/* the stored body, a slice at a time */

static ngx_int_t
ngx_http_webhook_digest_body(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_webhook_walk_body(&ctx->j.body, NGX_HTTP_WEBHOOK_BODY_SLICE,
                                    ngx_http_webhook_verify_update,
                                    &ctx->j.verify);

    switch (rc) {

    case NGX_OK:
        ngx_http_webhook_judge(ctx);
        return NGX_OK;

    case NGX_AGAIN:

        ctx->event.handler = ngx_http_webhook_digest_handler;
        ctx->event.data = ctx;
        ctx->event.log = ctx->request->connection->log;

        /* not a posted event: a worker that shuts down waits for timers */

        ngx_add_timer(&ctx->event, 1);

        return NGX_AGAIN;

    default: /* NGX_ERROR */
        ngx_http_webhook_judged(ctx, NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR);
        return NGX_OK;
    }
}


static void
ngx_http_webhook_digest_handler(ngx_event_t *ev)
{
    ngx_http_webhook_ctx_t *ctx = ev->data;

    ngx_http_set_log_request(ev->log, ctx->request);

    if (ngx_http_webhook_digest_body(ctx) == NGX_OK) {
        ngx_http_webhook_resume(ctx->request);
    }
}


/* all that is left to be judged when the body is there */

static void
ngx_http_webhook_judge(ngx_http_webhook_ctx_t *ctx)
{
    ngx_http_webhook_reason_e      reason;
    ngx_http_webhook_judgement_t  *j;

    j = &ctx->j;

    reason = ngx_http_webhook_verify_end(&j->verify);

    ngx_http_webhook_verify_free(&j->verify);

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE) {

        j->scope.timestamp = j->verify.group->timestamp;

        if (j->has_time) {
            j->time = j->verify.group->time;
            j->age = j->verify.group->age;
        }

        if (ctx->conf->uses & NGX_HTTP_WEBHOOK_USES_SHA256) {
            j->scope.body_sha256 = j->verify.sha256;
        }

        reason = ngx_http_webhook_judge_event(ctx);
    }

    ngx_http_webhook_judged(ctx, reason);
}


static ngx_http_webhook_reason_e
ngx_http_webhook_judge_event(ngx_http_webhook_ctx_t *ctx)
{
    time_t                         age, grace;
    ngx_http_webhook_reason_e      reason;
    ngx_http_webhook_scheme_t     *scheme;
    ngx_http_webhook_judgement_t  *j;

    j = &ctx->j;
    scheme = ctx->conf->rules.keyring->scheme;

    if (ctx->conf->uses & NGX_HTTP_WEBHOOK_USES_JSON) {
        reason = ngx_http_webhook_read_json(&j->scope, ctx->conf);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }
    }

    /* a body that took long must not outlive the memory of its id */

    grace = NGX_HTTP_WEBHOOK_GRACE;

    if (scheme->timestamp_json) {

        reason = ngx_http_webhook_read_json_time(&j->scope, scheme, &j->time);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }

        j->age = ngx_time() - j->time;
        j->has_time = 1;

        grace = 0;
    }

    if (j->has_time) {

        age = ngx_time() - j->time;

        switch (ngx_http_webhook_check_window(&ctx->conf->rules.window, age,
                                              grace))
        {
        case NGX_OK:
            break;

        case NGX_DECLINED:
            j->age = age;
            return NGX_HTTP_WEBHOOK_REASON_STALE_TIMESTAMP;

        default: /* NGX_ABORT */
            j->age = age;
            return NGX_HTTP_WEBHOOK_REASON_FUTURE_TIMESTAMP;
        }
    }

    reason = ngx_http_webhook_read_event(&j->scope, ctx->conf);

    j->accepted = (reason == NGX_HTTP_WEBHOOK_REASON_NONE);

    return reason;
}


/* whether an event that is authentic is delivered, and then the answer */

static ngx_int_t
ngx_http_webhook_decide(ngx_http_webhook_ctx_t *ctx)
{
    time_t                              time;
    ngx_http_webhook_dedup_t           *dedup;
    ngx_http_webhook_reason_e           reason;
    ngx_http_webhook_judgement_t       *j;
    const ngx_http_webhook_loc_conf_t  *conf;

    j = &ctx->j;
    conf = ctx->conf;
    dedup = &ctx->dedup;

    if (j->verdict.status != NGX_HTTP_WEBHOOK_STATUS_PASSED
        || dedup->decided || j->found)
    {
        return ngx_http_webhook_answer(ctx);
    }

    if (conf->rules.handshakes
        && ngx_http_webhook_judge_handshake(ctx, 1) == NGX_OK)
    {
        return ngx_http_webhook_answer(ctx);
    }

    reason = ngx_http_webhook_filter_event(&j->scope, conf);

    if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
        ngx_http_webhook_set_verdict(ctx,
                      (reason == NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR)
                      ? NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE
                      : NGX_HTTP_WEBHOOK_STATUS_IGNORED, reason);

        return ngx_http_webhook_answer(ctx);
    }

    if (conf->rules.dedup->shm_zone == NULL) {
        return ngx_http_webhook_answer(ctx);
    }

    time = (j->has_time
            && conf->rules.window.past != NGX_HTTP_WEBHOOK_NO_WINDOW)
           ? j->time : 0;

    dedup->handler = ngx_http_webhook_decided;
    dedup->data = ctx;

    if (ngx_http_webhook_claim_event(dedup, &j->scope, conf, time)
        == NGX_AGAIN)
    {
        /* a client that leaves meanwhile has had no verdict */

        j->verdict.status = NGX_HTTP_WEBHOOK_STATUS_NONE;

        ctx->stage = NGX_HTTP_WEBHOOK_STAGE_WAITING;
        return ngx_http_webhook_suspend(ctx->request);
    }

    ngx_http_webhook_set_verdict(ctx, dedup->verdict.status,
                                 dedup->verdict.reason);

    return ngx_http_webhook_answer(ctx);
}


static void
ngx_http_webhook_decided(ngx_http_webhook_dedup_t *dedup)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = dedup->data;

    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_JUDGED;
    ctx->j.found = 1;

    ngx_http_webhook_set_verdict(ctx, dedup->verdict.status,
                                 dedup->verdict.reason);

    ngx_http_webhook_resume(ctx->request);
}


/* the verdict on whether the request is authentic */

static void
ngx_http_webhook_judged(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_reason_e reason)
{
    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_JUDGED;

    switch (reason) {

    case NGX_HTTP_WEBHOOK_REASON_NONE:
        ngx_http_webhook_set_verdict(ctx, NGX_HTTP_WEBHOOK_STATUS_PASSED,
                                     reason);
        break;

    case NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR:
        ngx_http_webhook_set_verdict(ctx, NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
                                     reason);
        break;

    default:
        ngx_http_webhook_set_verdict(ctx, NGX_HTTP_WEBHOOK_STATUS_REJECTED,
                                     reason);
        break;
    }
}


/* all verdicts come by here */

static void
ngx_http_webhook_set_verdict(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_status_e status, ngx_http_webhook_reason_e reason)
{
    ctx->j.verdict.status = status;
    ctx->j.verdict.reason = reason;

    if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
        ngx_http_webhook_log_verdict(ctx->request, ctx->conf, &ctx->j);
    }
}
