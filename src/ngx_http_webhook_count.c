
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Counting a request that is over, by its last verdict.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_doors.h"


static ngx_int_t ngx_http_webhook_get_end(ngx_http_request_t *r,
    ngx_http_webhook_ctx_t *ctx, ngx_http_webhook_request_end_t *end);


void
ngx_http_webhook_count_request(ngx_http_request_t *r)
{
    ngx_http_webhook_ctx_t             *ctx;
    ngx_http_webhook_request_end_t      end;
    const ngx_http_webhook_loc_conf_t  *conf;

    ctx = ngx_http_webhook_get_ctx(r);

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
