
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The way of one request: headers decide first, then the body is digested,
 * then the verdict is found and answered.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


#ifndef NGX_HTTP_UNPROCESSABLE_ENTITY
#define NGX_HTTP_UNPROCESSABLE_ENTITY  422
#endif


static ngx_http_webhook_ctx_t *ngx_http_webhook_create_ctx(
    ngx_http_request_t *r);
static void ngx_http_webhook_cleanup(void *data);
static ngx_int_t ngx_http_webhook_redirected(ngx_http_webhook_ctx_t *ctx);
static ngx_uint_t ngx_http_webhook_is_judged_for(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_loc_conf_t *wlcf);
static void ngx_http_webhook_reset(ngx_http_webhook_ctx_t *ctx);

static ngx_int_t ngx_http_webhook_verify(ngx_http_webhook_ctx_t *ctx);
static ngx_http_webhook_reason_e ngx_http_webhook_get_keys(
    ngx_http_webhook_ctx_t *ctx);
static ngx_int_t ngx_http_webhook_read_body(ngx_http_webhook_ctx_t *ctx);
static void ngx_http_webhook_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_webhook_digest_body(ngx_http_webhook_ctx_t *ctx);
static void ngx_http_webhook_digest_handler(ngx_event_t *ev);
static void ngx_http_webhook_judge(ngx_http_webhook_ctx_t *ctx);
static void ngx_http_webhook_set_verdict(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_reason_e reason);

static ngx_int_t ngx_http_webhook_answer(ngx_http_webhook_ctx_t *ctx);
static ngx_int_t ngx_http_webhook_add_header(ngx_http_request_t *r, char *key,
    char *value);


ngx_int_t
ngx_http_webhook_access_handler(ngx_http_request_t *r)
{
    ngx_http_webhook_ctx_t       *ctx;
    ngx_http_webhook_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webhook_module);

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx && ngx_http_get_module_ctx(r, ngx_http_webhook_module) == NULL) {

        ngx_http_set_ctx(r, ctx, ngx_http_webhook_module);

        if (ngx_http_webhook_redirected(ctx) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (wlcf->keyring == NULL) {
        return NGX_DECLINED;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "webhook access handler, scheme \"%V\"",
                   &wlcf->keyring->scheme->name);

    if (ctx == NULL) {
        ctx = ngx_http_webhook_create_ctx(r);
        if (ctx == NULL) {
            return NGX_ERROR;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_webhook_module);
    }

    switch (ctx->stage) {

    case NGX_HTTP_WEBHOOK_STAGE_READING:
    case NGX_HTTP_WEBHOOK_STAGE_DIGESTING:
    case NGX_HTTP_WEBHOOK_STAGE_WAITING:
        return NGX_DONE;

    case NGX_HTTP_WEBHOOK_STAGE_JUDGED:

        if (ngx_http_webhook_is_judged_for(ctx, wlcf)) {
            ctx->conf = wlcf;
            ctx->dry_run = wlcf->dry_run;

            return ngx_http_webhook_answer(ctx);
        }

        ngx_http_webhook_reset(ctx);
        break;

    default: /* NGX_HTTP_WEBHOOK_STAGE_NEW */
        break;
    }

    ctx->conf = wlcf;
    ctx->dry_run = wlcf->dry_run;
    ctx->keyring = wlcf->keyring;

    return ngx_http_webhook_verify(ctx);
}


ngx_http_webhook_ctx_t *
ngx_http_webhook_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_webhook_ctx_t  *ctx;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_webhook_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {

        /*
         * if module context was reset, the verdict and the claim
         * can still be found in the cleanup handler
         */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_webhook_cleanup) {
                return cln->data;
            }
        }
    }

    return ctx;
}


static ngx_http_webhook_ctx_t *
ngx_http_webhook_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_webhook_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_webhook_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;

    ngx_memzero(ctx, sizeof(ngx_http_webhook_ctx_t));

    ctx->request = r;
    ctx->scope.request = r;

    cln->handler = ngx_http_webhook_cleanup;

    return ctx;
}


static void
ngx_http_webhook_cleanup(void *data)
{
    ngx_http_webhook_ctx_t  *ctx = data;

    ngx_http_webhook_reset(ctx);
    ngx_http_webhook_event_cleanup(ctx);
    ngx_http_webhook_outcome_cleanup(ctx);
}


/*
 * The request was redirected internally.  What it was waiting for will not
 * come, and what it has claimed may be over.
 */

static ngx_int_t
ngx_http_webhook_redirected(ngx_http_webhook_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_webhook_outcome_redirected(ctx);

    if (ctx->stage == NGX_HTTP_WEBHOOK_STAGE_JUDGED
        || ctx->stage == NGX_HTTP_WEBHOOK_STAGE_NEW)
    {
        return NGX_OK;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "webhook interrupted, stage %d", ctx->stage);

    ngx_http_webhook_reset(ctx);
    ngx_http_webhook_event_cleanup(ctx);

    ctx->interrupted = 1;

    ngx_http_webhook_set_verdict(ctx, NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR);

    /* a part of a body is no body, and nobody has verified it */

    return ngx_http_webhook_body_withhold(r);
}


/*
 * Whether a verdict counts in the location where the request is now.  What is
 * refused stays refused; what was let through by other rules, or by none as
 * in a dry run, is judged anew unless it holds a claim.
 */

static ngx_uint_t
ngx_http_webhook_is_judged_for(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_loc_conf_t *wlcf)
{
    ngx_http_webhook_loc_conf_t  *conf;

    conf = ctx->conf;

    if (wlcf == conf) {
        return 1;
    }

    if (!ctx->accepted
        || (ctx->status != NGX_HTTP_WEBHOOK_STATUS_PASSED && !ctx->dry_run))
    {
        return 1;
    }

    if (ctx->keyring != wlcf->keyring) {
        return 0;
    }

    return ctx->decided
           || (conf->dedup == wlcf->dedup
               && conf->events == wlcf->events
               && conf->ignore == wlcf->ignore
               && conf->window.past == wlcf->window.past
               && conf->window.future == wlcf->window.future
               && conf->json_max_size == wlcf->json_max_size
               && conf->dry_run == wlcf->dry_run);
}


/* forgets the verdict, but not the claim and what belongs to it */

static void
ngx_http_webhook_reset(ngx_http_webhook_ctx_t *ctx)
{
    ngx_uint_t  i;

    if (ctx->event.timer_set) {
        ngx_del_timer(&ctx->event);
    }

    ngx_http_webhook_body_cleanup(ctx);

    if (ctx->own_keys) {
        for (i = 0; i < ctx->nkeys; i++) {
            ngx_http_webhook_key_free(&ctx->keys[i]);
        }
    }

    ctx->keys = NULL;
    ctx->nkeys = 0;
    ctx->own_keys = 0;
    ctx->ngroups = 0;
    ctx->secret_index = 0;
    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_NEW;
    ctx->status = NGX_HTTP_WEBHOOK_STATUS_NONE;
    ctx->reason = NGX_HTTP_WEBHOOK_REASON_NONE;
    ctx->has_time = 0;
    ctx->accepted = 0;
    ctx->failed = 0;
    ngx_memzero(&ctx->scope, sizeof(ngx_http_webhook_scope_t));
    ctx->scope.request = ctx->request;
}


static ngx_int_t
ngx_http_webhook_verify(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_http_webhook_reason_e  reason;

    reason = ngx_http_webhook_read_headers(ctx);

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE) {
        reason = ngx_http_webhook_get_keys(ctx);
    }

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE
        && ngx_http_webhook_body_start(ctx) != NGX_OK)
    {
        reason = NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE) {

        switch (ctx->keyring->scheme->algorithm->kind) {

        case NGX_HTTP_WEBHOOK_KIND_TOKEN:

            /* the headers decide alone */

            rc = ngx_http_webhook_body_verify(ctx);

            if (rc == NGX_DECLINED) {
                reason = NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH;

            } else if (!ngx_http_webhook_event_needs_body(ctx)) {
                ngx_http_webhook_judge(ctx);
                return ngx_http_webhook_answer(ctx);
            }

            break;

        case NGX_HTTP_WEBHOOK_KIND_ED25519:

            if (ctx->request->headers_in.content_length_n
                > NGX_HTTP_WEBHOOK_MAX_WHOLE)
            {
                reason = NGX_HTTP_WEBHOOK_REASON_BODY_TOO_LARGE;
            }

            break;

        default: /* NGX_HTTP_WEBHOOK_KIND_HMAC */
            break;
        }
    }

    if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
        ngx_http_webhook_set_verdict(ctx, reason);
        return ngx_http_webhook_answer(ctx);
    }

    return ngx_http_webhook_read_body(ctx);
}


/* the keys of this request: those of the configuration, or its own */

static ngx_http_webhook_reason_e
ngx_http_webhook_get_keys(ngx_http_webhook_ctx_t *ctx)
{
    size_t                       len;
    ngx_int_t                    rc;
    ngx_log_t                   *log;
    ngx_str_t                    text;
    ngx_uint_t                   i, given, level;
    ngx_http_webhook_key_t      *key;
    ngx_http_webhook_secret_t   *secret;
    ngx_http_webhook_keyring_t  *keyring;

    keyring = ctx->keyring;

    ctx->keys = keyring->keys;
    ctx->nkeys = keyring->nkeys;

    if (!keyring->variables) {
        return ctx->nkeys ? NGX_HTTP_WEBHOOK_REASON_NONE
                          : NGX_HTTP_WEBHOOK_REASON_NO_SECRET;
    }

    ctx->keys = ngx_pcalloc(ctx->request->pool,
                            ctx->nkeys * sizeof(ngx_http_webhook_key_t));
    if (ctx->keys == NULL) {
        ctx->nkeys = 0;
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    ctx->own_keys = 1;

    log = ctx->request->connection->log;
    secret = keyring->secrets->elts;
    given = 0;

    for (i = 0; i < ctx->nkeys; i++) {

        key = &ctx->keys[i];

        if (secret[i].string == NULL) {

            if (ngx_http_webhook_key_copy(key, &keyring->keys[i]) != NGX_OK) {
                return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
            }

            given++;
            continue;
        }

        /* core shows the values of variables when it debugs */

        level = log->log_level;
        log->log_level = level & ~NGX_LOG_DEBUG_ALL;

        rc = ngx_http_webhook_template_value(&ctx->scope, secret[i].string,
                                             &text);

        log->log_level = level;

        if (rc == NGX_DECLINED || rc == NGX_ABORT) {
            continue;
        }

        if (rc == NGX_OK) {
            rc = ngx_http_webhook_secret_key(keyring->scheme, &text, key,
                                             &len, log);

            if (secret[i].string->npieces > 1) {
                ngx_explicit_memzero(text.data, text.len);
            }
        }

        if (rc != NGX_OK) {
            ngx_http_webhook_digest_error(NGX_LOG_ERR, log,
                              (rc == NGX_DECLINED)
                              ? "secret from a variable does not decode"
                              : "could not make a key of a secret");
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        given++;
    }

    return given ? NGX_HTTP_WEBHOOK_REASON_NONE
                 : NGX_HTTP_WEBHOOK_REASON_NO_SECRET;
}


static ngx_int_t
ngx_http_webhook_read_body(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (r->request_body == NULL && !ngx_http_webhook_body_is_gone(r)) {

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

    if (ngx_http_webhook_body_is_gone(r)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "webhook cannot be verified: its body was discarded");
        ngx_http_webhook_set_verdict(ctx,
                                     NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR);
        return ngx_http_webhook_answer(ctx);
    }

    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_DIGESTING;
    ctx->in = r->request_body->bufs;
    ctx->offset = 0;

    if (ngx_http_webhook_digest_body(ctx) == NGX_AGAIN) {
        return ngx_http_webhook_suspend(r);
    }

    return ngx_http_webhook_answer(ctx);
}


ngx_int_t
ngx_http_webhook_suspend(ngx_http_request_t *r)
{
    if (r->connection->read->ready) {

        /* the client may have left already */

        ngx_post_event(r->connection->read, &ngx_posted_events);

    } else {
        if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


void
ngx_http_webhook_resume(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);

    ngx_http_run_posted_requests(c);
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


static ngx_int_t
ngx_http_webhook_digest_body(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_webhook_body_stored(ctx);

    if (rc == NGX_AGAIN) {
        ctx->event.handler = ngx_http_webhook_digest_handler;
        ctx->event.data = ctx;
        ctx->event.log = ctx->request->connection->log;

        /* not a posted event: a worker that shuts down waits for timers */

        ngx_add_timer(&ctx->event, 1);

        return NGX_AGAIN;
    }

    if (rc == NGX_ERROR) {
        ctx->failed = 1;
    }

    ngx_http_webhook_judge(ctx);

    return NGX_OK;
}


static void
ngx_http_webhook_digest_handler(ngx_event_t *ev)
{
    ngx_http_request_t      *r;
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ev->data;
    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    if (ngx_http_webhook_digest_body(ctx) == NGX_AGAIN) {
        return;
    }

    ngx_http_webhook_resume(r);
}


/* all that is left to do when the body is there */

static void
ngx_http_webhook_judge(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_http_webhook_reason_e  reason;

    rc = ngx_http_webhook_body_verify(ctx);

    ngx_http_webhook_body_cleanup(ctx);

    if (rc == NGX_ERROR) {
        reason = NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;

    } else if (rc == NGX_DECLINED) {
        reason = NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH;

    } else if (rc == NGX_ABORT) {
        reason = NGX_HTTP_WEBHOOK_REASON_BODY_TOO_LARGE;

    } else if (ctx->digested
               && ngx_http_webhook_seams_check_body(ctx->keyring->scheme,
                                                    ctx->first)
                  != NGX_OK)
    {
        reason = NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;

    } else {
        reason = ngx_http_webhook_event_read(ctx);
    }

    ngx_http_webhook_set_verdict(ctx, reason);
}


static void
ngx_http_webhook_set_verdict(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_reason_e reason)
{
    ngx_http_webhook_status_e  status;

    ctx->stage = NGX_HTTP_WEBHOOK_STAGE_JUDGED;

    switch (reason) {

    case NGX_HTTP_WEBHOOK_REASON_NONE:
        status = NGX_HTTP_WEBHOOK_STATUS_PASSED;
        break;

    case NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR:
        status = NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE;
        break;

    default:
        status = NGX_HTTP_WEBHOOK_STATUS_REJECTED;
        break;
    }

    ngx_http_webhook_set_status(ctx, status, reason);
}


void
ngx_http_webhook_set_status(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_status_e status, ngx_http_webhook_reason_e reason)
{
    char        *text;
    ngx_uint_t   level;

    ctx->status = status;
    ctx->reason = reason;

    if (status == NGX_HTTP_WEBHOOK_STATUS_PASSED) {
        return;
    }

    level = ctx->conf->log_level;

    switch (status) {

    case NGX_HTTP_WEBHOOK_STATUS_REJECTED:
        text = "rejected";
        break;

    case NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE:
        text = "not verified";
        level = NGX_LOG_ERR;
        break;

    case NGX_HTTP_WEBHOOK_STATUS_IGNORED:
        text = "ignored";
        level = ngx_min(level + 1, NGX_LOG_INFO);
        break;

    default: /* duplicate, in flight */
        text = "held back";
        level = ngx_min(level + 1, NGX_LOG_INFO);
        break;
    }

    ngx_log_error(level, ctx->request->connection->log, 0,
                  "webhook %s%s: %V, scheme \"%V\"",
                  text, ctx->dry_run ? ", dry run" : "",
                  ngx_http_webhook_reason_name(reason),
                  &ctx->keyring->scheme->name);
}


static ngx_int_t
ngx_http_webhook_answer(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_uint_t                    status;
    ngx_http_request_t           *r;
    ngx_http_complex_value_t      cv;
    ngx_http_webhook_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ctx->conf;

    if (ctx->status == NGX_HTTP_WEBHOOK_STATUS_PASSED
        && ngx_http_webhook_event_decide(ctx) == NGX_AGAIN)
    {
        return ngx_http_webhook_suspend(r);
    }

    if (wlcf->dry_run) {
        return NGX_DECLINED;
    }

    if (ctx->status == NGX_HTTP_WEBHOOK_STATUS_PASSED) {
        return NGX_OK;
    }

    /* no error page, wherever it comes from, may see the body */

    if (ngx_http_webhook_body_withhold(r) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (ctx->status) {

    case NGX_HTTP_WEBHOOK_STATUS_REJECTED:

        if (ctx->reason == NGX_HTTP_WEBHOOK_REASON_BODY_TOO_LARGE) {
            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        if (ctx->reason == NGX_HTTP_WEBHOOK_REASON_BODY_MISMATCH) {
            return NGX_HTTP_UNPROCESSABLE_ENTITY;
        }

        /* what is authentic is refused for what its body lacks */

        return ctx->accepted ? NGX_HTTP_BAD_REQUEST
                             : (ngx_int_t) wlcf->reject_status;

    case NGX_HTTP_WEBHOOK_STATUS_IN_FLIGHT:
    case NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE:

        if (ctx->interrupted && r->err_status >= NGX_HTTP_BAD_REQUEST) {

            /* core could not read the body, and says why */

            return r->err_status;
        }

        if (!ctx->retry_after
            && ngx_http_webhook_add_header(r, "Retry-After", "5") != NGX_OK)
        {
            return NGX_ERROR;
        }

        ctx->retry_after = 1;

        return (ctx->status == NGX_HTTP_WEBHOOK_STATUS_IN_FLIGHT)
               ? (ngx_int_t) wlcf->in_flight_status
               : NGX_HTTP_SERVICE_UNAVAILABLE;

    case NGX_HTTP_WEBHOOK_STATUS_DUPLICATE:

        if (ngx_http_webhook_add_header(r, "Webhook-Duplicate", "1") != NGX_OK)
        {
            return NGX_ERROR;
        }

        status = wlcf->duplicate_status;
        break;

    default: /* NGX_HTTP_WEBHOOK_STATUS_IGNORED */
        status = wlcf->ignored_status;
        break;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    rc = ngx_http_send_response(r, status, NULL, &cv);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_webhook_add_header(ngx_http_request_t *r, char *key, char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.len = ngx_strlen(key);
    h->key.data = (u_char *) key;
    h->value.len = ngx_strlen(value);
    h->value.data = (u_char *) value;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}
