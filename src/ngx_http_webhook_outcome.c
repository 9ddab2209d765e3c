
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The outcome of a claim: renewed while its request lives, committed if the
 * upstream has accepted the event, freed in any other case.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


#define ngx_http_webhook_is_accepted(status)                                  \
    ((status) >= NGX_HTTP_OK && (status) < NGX_HTTP_SPECIAL_RESPONSE)


static ngx_int_t ngx_http_webhook_header_filter(ngx_http_request_t *r);
static ngx_uint_t ngx_http_webhook_upstream_status(
    ngx_http_webhook_ctx_t *ctx, ngx_uint_t none);
static void ngx_http_webhook_outcome(ngx_http_webhook_ctx_t *ctx,
    ngx_uint_t status);
static void ngx_http_webhook_renew_handler(ngx_event_t *ev);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


ngx_int_t
ngx_http_webhook_outcome_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_webhook_header_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_header_filter(ngx_http_request_t *r)
{
    ngx_uint_t               status;
    ngx_http_webhook_ctx_t  *ctx;

    if (r == r->main) {
        ctx = ngx_http_webhook_get_ctx(r);

        if (ctx && ctx->claim.token) {
            status = r->headers_out.status;

#if (NGX_HTTP_CACHE)

            /* what a cache answers was said to another event */

            if (r->cached) {
                status = 0;
            }

#endif

            ngx_http_webhook_outcome(ctx,
                                ngx_http_webhook_upstream_status(ctx, status));
        }
    }

    return ngx_http_next_header_filter(r);
}


/*
 * What the last upstream has answered, whatever error_page made of it; 0 if
 * its header was not read as a whole, and none if no upstream was asked since
 * the claim was made.
 */

static ngx_uint_t
ngx_http_webhook_upstream_status(ngx_http_webhook_ctx_t *ctx, ngx_uint_t none)
{
    ngx_array_t                *states;
    ngx_http_request_t         *r;
    ngx_http_upstream_state_t  *state;

    r = ctx->request;
    states = r->upstream_states;

    if (states == NULL || states->nelts <= ctx->upstreams) {
        return none;
    }

    state = states->elts;
    state += states->nelts - 1;

    if (state->header_time == (ngx_msec_t) -1) {

        /* a status that is there already may be all that ever comes */

        return 0;
    }

    if (state->status >= NGX_HTTP_CONTINUE && state->status < NGX_HTTP_OK
        && r->upstream)
    {
        /* the state keeps the first status, which may be that of a hint */

        return r->upstream->headers_in.status_n;
    }

    return state->status;
}


static void
ngx_http_webhook_outcome(ngx_http_webhook_ctx_t *ctx, ngx_uint_t status)
{
    time_t      now, until;
    ngx_int_t   rc;
    ngx_log_t  *log;

    log = ctx->request->connection->log;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, log, 0,
                   "webhook outcome: upstream status %ui", status);

    if (ctx->renew.timer_set) {
        ngx_del_timer(&ctx->renew);
    }

    if (ngx_http_webhook_is_accepted(status)) {
        now = ngx_time();
        until = ngx_max(now + ctx->ttl, ctx->until);

        if (until - now > NGX_HTTP_WEBHOOK_MAX_TIME) {
            until = now + NGX_HTTP_WEBHOOK_MAX_TIME;
        }

        rc = ngx_http_webhook_zone_commit(&ctx->claim, now, until,
                                          ctx->fingerprint, log);

        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "webhook was accepted too late: its claim was taken "
                          "over by another request, the event is remembered "
                          "all the same");

        } else if (rc == NGX_ABORT) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "webhook was accepted, and is not remembered: the "
                          "zone is full");
        }

    } else {
        rc = ngx_http_webhook_zone_free(&ctx->claim);

        if (rc != NGX_OK) {
            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "webhook outcome came too late: its claim was taken "
                          "over by another request");
        }
    }
}


void
ngx_http_webhook_outcome_redirected(ngx_http_webhook_ctx_t *ctx)
{
    ngx_uint_t           status;
    ngx_http_request_t  *r;

    if (ctx->claim.token == 0) {
        return;
    }

    r = ctx->request;
    status = ngx_http_webhook_upstream_status(ctx, 0);

    /*
     * behind an error page that leaves the status an error, and in
     * post_action, another upstream may answer, but it will not be the one
     * that has got the event; and an upstream that has accepted it may point
     * to an answer elsewhere (X-Accel-Redirect)
     */

    if (r->post_action || r->err_status >= NGX_HTTP_SPECIAL_RESPONSE
        || ngx_http_webhook_is_accepted(status))
    {
        ngx_http_webhook_outcome(ctx, status);
    }
}


void
ngx_http_webhook_outcome_watch(ngx_http_webhook_ctx_t *ctx)
{
    ctx->renew.handler = ngx_http_webhook_renew_handler;
    ctx->renew.data = ctx;
    ctx->renew.log = ctx->request->connection->log;
    ctx->renew.cancelable = 1;

    ngx_add_timer(&ctx->renew, (ngx_msec_t) ctx->lease * 1000 / 3);
}


static void
ngx_http_webhook_renew_handler(ngx_event_t *ev)
{
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ev->data;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0, "webhook renew claim");

    if (ngx_http_webhook_zone_renew(&ctx->claim, ngx_time(), ctx->lease)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                      "webhook claim could not be renewed: it was taken over "
                      "by another request");
        return;
    }

    ngx_add_timer(ev, (ngx_msec_t) ctx->lease * 1000 / 3);
}


void
ngx_http_webhook_outcome_cleanup(ngx_http_webhook_ctx_t *ctx)
{
    /* no answer was sent, but the upstream may have given its own */

    if (ctx->claim.token) {
        ngx_http_webhook_outcome(ctx,
                                 ngx_http_webhook_upstream_status(ctx, 0));
    }

    if (ctx->renew.timer_set) {
        ngx_del_timer(&ctx->renew);
    }
}
