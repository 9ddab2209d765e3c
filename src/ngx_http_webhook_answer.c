
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What a verdict is answered with.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_header.h"
#include "ngx_http_webhook_request.h"


#ifndef NGX_HTTP_UNPROCESSABLE_ENTITY
#define NGX_HTTP_UNPROCESSABLE_ENTITY  422
#endif


static ngx_int_t ngx_http_webhook_answer_handshake(ngx_http_request_t *r,
    ngx_http_webhook_answer_t *answer);
static ngx_int_t ngx_http_webhook_send_text(ngx_http_request_t *r,
    ngx_str_t *text);


ngx_int_t
ngx_http_webhook_answer(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t                           rc;
    ngx_uint_t                          status;
    ngx_http_request_t                 *r;
    ngx_http_complex_value_t            cv;
    ngx_http_webhook_verdict_t         *verdict;
    const ngx_http_webhook_loc_conf_t  *conf;

    r = ctx->request;
    conf = ctx->conf;
    verdict = &ctx->j.verdict;

    if (verdict->status == NGX_HTTP_WEBHOOK_STATUS_HANDSHAKE) {
        return ngx_http_webhook_answer_handshake(r, &ctx->j.handshake);
    }

    if (verdict->status == NGX_HTTP_WEBHOOK_STATUS_PASSED) {
        ngx_http_webhook_dedup_deliver(&ctx->dedup, r);
        return conf->rules.dry_run ? NGX_DECLINED : NGX_OK;
    }

    if (conf->suspects && r->request_body && r->request_body->bufs) {
        ctx->kept = r->request_body->bufs;
    }

    if (conf->rules.dry_run) {
        return NGX_DECLINED;
    }

    /* no error page, wherever it comes from, may see the body */

    if (ngx_http_webhook_withhold_body(r) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (verdict->status) {

    case NGX_HTTP_WEBHOOK_STATUS_REJECTED:

        if (verdict->reason == NGX_HTTP_WEBHOOK_REASON_BODY_TOO_LARGE) {
            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        if (verdict->reason == NGX_HTTP_WEBHOOK_REASON_BODY_MISMATCH) {
            return NGX_HTTP_UNPROCESSABLE_ENTITY;
        }

        /* what is authentic is refused for what its body lacks */

        return ctx->j.accepted ? NGX_HTTP_BAD_REQUEST
                             : (ngx_int_t) conf->reject_status;

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

        return (verdict->status == NGX_HTTP_WEBHOOK_STATUS_IN_FLIGHT)
               ? (ngx_int_t) conf->in_flight_status
               : NGX_HTTP_SERVICE_UNAVAILABLE;

    case NGX_HTTP_WEBHOOK_STATUS_DUPLICATE:

        if (ngx_http_webhook_add_header(r, "Webhook-Duplicate", "1") != NGX_OK)
        {
            return NGX_ERROR;
        }

        status = conf->duplicate_status;
        break;

    default: /* NGX_HTTP_WEBHOOK_STATUS_IGNORED */
        status = conf->ignored_status;
        break;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    rc = ngx_http_send_response(r, status, NULL, &cv);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


/* what a sender has chosen must not become more than text, nor be kept */

static ngx_int_t
ngx_http_webhook_answer_handshake(ngx_http_request_t *r,
    ngx_http_webhook_answer_t *answer)
{
    if (ngx_http_webhook_withhold_body(r) != NGX_OK
        || ngx_http_webhook_add_header(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK
        || ngx_http_webhook_add_header(r, "Cache-Control", "no-store")
           != NGX_OK
        || ngx_http_webhook_add_header(r, "Content-Security-Policy",
                                       "default-src 'none'; sandbox")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.status = answer->status;
    r->headers_out.content_length_n = answer->text.len;

    if (answer->json) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        r->headers_out.content_type_len = r->headers_out.content_type.len;

    } else {

        /* the length without what follows, so that no charset is appended */

        ngx_str_set(&r->headers_out.content_type, "text/plain; charset=utf-8");
        r->headers_out.content_type_len = sizeof("text/plain") - 1;
    }

    ngx_http_finalize_request(r, ngx_http_webhook_send_text(r, &answer->text));

    return NGX_DONE;
}


static ngx_int_t
ngx_http_webhook_send_text(ngx_http_request_t *r, ngx_str_t *text)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (text->len) {
        b->pos = text->data;
        b->last = text->data + text->len;
        b->memory = 1;
    }

    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
