
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The doors by which nginx enters: each finds the context of a request, and
 * calls who knows what to do.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_doors.h"


static ngx_int_t ngx_http_webhook_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_webhook_header_filter(ngx_http_request_t *r);
static void ngx_http_webhook_count_request(ngx_http_request_t *r,
    ngx_http_webhook_ctx_t *ctx);
static ngx_int_t ngx_http_webhook_get_end(ngx_http_request_t *r,
    ngx_http_webhook_ctx_t *ctx, ngx_http_webhook_request_end_t *end);
static void ngx_http_webhook_cleanup(void *data);
static ngx_http_webhook_ctx_t *ngx_http_webhook_create_ctx(
    ngx_http_request_t *r);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_request_body_filter_pt   ngx_http_next_request_body_filter;


void
ngx_http_webhook_init_filters(void)
{
    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_webhook_body_filter;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_webhook_header_filter;
}


ngx_int_t
ngx_http_webhook_access_handler(ngx_http_request_t *r)
{
    ngx_http_webhook_ctx_t             *ctx;
    const ngx_http_webhook_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_webhook_module);

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx && ngx_http_get_module_ctx(r, ngx_http_webhook_module) == NULL) {

        ngx_http_set_ctx(r, ctx, ngx_http_webhook_module);

        if (ngx_http_webhook_redirected(ctx) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (conf->rules.keyring == NULL) {
        return NGX_DECLINED;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "webhook access handler, scheme \"%V\"",
                   &conf->rules.keyring->scheme->name);

    if (ctx == NULL) {
        ctx = ngx_http_webhook_create_ctx(r);
        if (ctx == NULL) {
            return NGX_ERROR;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_webhook_module);
    }

    return ngx_http_webhook_run(ctx, conf);
}


static ngx_int_t
ngx_http_webhook_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t             *cl;
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_webhook_module);

    if (ctx && ctx->stage == NGX_HTTP_WEBHOOK_STAGE_READING) {
        for (cl = in; cl; cl = cl->next) {
            (void) ngx_http_webhook_verify_update(&ctx->j.verify, cl->buf->pos,
                                              cl->buf->last - cl->buf->pos);
        }
    }

    return ngx_http_next_request_body_filter(r, in);
}


static ngx_int_t
ngx_http_webhook_header_filter(ngx_http_request_t *r)
{
    ngx_http_webhook_ctx_t  *ctx;

    if (r == r->main) {
        ctx = ngx_http_webhook_get_ctx(r);

        if (ctx) {
            ngx_http_webhook_dedup_answered(&ctx->dedup,
                                            r->headers_out.status);
        }
    }

    return ngx_http_next_header_filter(r);
}


ngx_int_t
ngx_http_webhook_log_handler(ngx_http_request_t *r)
{
    ngx_http_webhook_ctx_t             *ctx;
    const ngx_http_webhook_loc_conf_t  *conf;

    if (r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_webhook_get_ctx(r);

    if (ctx) {

        /* the outcome is to be there for those who log after us */

        ngx_http_webhook_dedup_cancel(&ctx->dedup);
        ngx_http_webhook_dedup_end(&ctx->dedup);

        /* the answer is out: there is time to look for the cause */

        if (ctx->conf->suspects
            && ctx->stage == NGX_HTTP_WEBHOOK_STAGE_JUDGED)
        {
            ngx_http_webhook_log_hint(r, ctx->conf, &ctx->j, ctx->kept,
                                      &ctx->hint);
        }
    }

    ngx_http_webhook_count_request(r, ctx);

    if (ctx && ctx->j.verdict.status != NGX_HTTP_WEBHOOK_STATUS_NONE) {
        return NGX_OK;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_webhook_module);

    if (conf->rules.keyring) {
        ngx_http_webhook_log_unjudged(r, conf);
    }

    return NGX_OK;
}


/* counts a request that is over by its last verdict, if somebody monitors it */

static void
ngx_http_webhook_count_request(ngx_http_request_t *r,
    ngx_http_webhook_ctx_t *ctx)
{
    ngx_http_webhook_request_end_t      end;
    const ngx_http_webhook_loc_conf_t  *conf;

    conf = ctx ? ctx->conf
               : ngx_http_get_module_loc_conf(r, ngx_http_webhook_module);

    if (conf->counted == NULL) {
        return;
    }

    ngx_memzero(&end, sizeof(ngx_http_webhook_request_end_t));

    end.dry_run = conf->rules.dry_run;

    if (ngx_http_webhook_get_end(r, ctx, &end) == NGX_OK) {
        ngx_http_webhook_metrics_count(conf->counted, &end);
    }
}


/* NGX_OK, or NGX_DECLINED if the request is none of ours */

static ngx_int_t
ngx_http_webhook_get_end(ngx_http_request_t *r, ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_request_end_t *end)
{
    ngx_uint_t                     status;
    ngx_http_webhook_judgement_t  *j;

    status = r->err_status ? r->err_status : r->headers_out.status;

    if (ctx == NULL) {

        /* refused by others, unless it was too large or its client has left */

        return (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE
                || status == NGX_HTTP_CLIENT_CLOSED_REQUEST)
               ? NGX_OK : NGX_DECLINED;
    }

    j = &ctx->j;

    end->age = j->age;
    end->has_age = j->has_time;

    if (ctx->stage != NGX_HTTP_WEBHOOK_STAGE_JUDGED || ctx->interrupted) {

        /* nobody has waited for the verdict, or core could not go on */

        if (status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
            end->verdict.status = NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE;
            end->verdict.reason = NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        return NGX_OK;
    }

    end->verdict = j->verdict;
    end->hint = ctx->hint;
    end->accepted = j->accepted;
    end->secret = j->verify.secret_index;
    end->delivery = ctx->dedup.time;
    end->has_delivery = ctx->dedup.answered;

    return NGX_OK;
}


static void
ngx_http_webhook_cleanup(void *data)
{
    ngx_http_webhook_ctx_t  *ctx = data;

    ngx_http_webhook_reset(ctx);
    ngx_http_webhook_dedup_cancel(&ctx->dedup);
    ngx_http_webhook_dedup_end(&ctx->dedup);
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
    ctx->j.scope.request = r;

    cln->handler = ngx_http_webhook_cleanup;

    return ctx;
}
