
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the error log is told of a request: its verdict, or that there is none.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_diagnose.h"
#include "ngx_http_webhook_judgement.h"


/* how often the same is told of a location, in seconds */
#define NGX_HTTP_WEBHOOK_NOTICE   60

#define NGX_HTTP_WEBHOOK_DETAILS  128


static u_char *ngx_http_webhook_details(
    const ngx_http_webhook_scheme_t *scheme,
    const ngx_http_webhook_judgement_t *j, u_char *buf, u_char *last);
static ngx_uint_t ngx_http_webhook_is_due(ngx_http_webhook_notice_t *notice);


void
ngx_http_webhook_log_verdict(ngx_http_request_t *r,
    const ngx_http_webhook_loc_conf_t *conf,
    const ngx_http_webhook_judgement_t *j)
{
    char                       *text;
    u_char                     *p, *last, details[NGX_HTTP_WEBHOOK_DETAILS];
    ngx_uint_t                  n, level;
    ngx_http_webhook_reason_e   reason;
    ngx_http_webhook_scheme_t  *scheme;

    n = 0;
    level = conf->log_level;
    reason = j->verdict.reason;
    scheme = conf->rules.keyring->scheme;

    switch (j->verdict.status) {

    case NGX_HTTP_WEBHOOK_STATUS_PASSED:

        if (reason == NGX_HTTP_WEBHOOK_REASON_BODY_MISMATCH) {
            text = "let through";
            level = NGX_LOG_INFO;
            break;
        }

        if (reason == NGX_HTTP_WEBHOOK_REASON_STORE_UNAVAILABLE) {
            text = "is deduplicated by this server alone";
            level = NGX_LOG_INFO;
            break;
        }

        /* where no event has a key, this is said of each of them */

        n = ngx_http_webhook_is_due(&conf->notices->undeduplicated);
        if (n == 0) {
            return;
        }

        text = "is not deduplicated";
        break;

    case NGX_HTTP_WEBHOOK_STATUS_REJECTED:
        text = "rejected";
        break;

    case NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE:
        text = j->accepted ? "not delivered" : "not verified";

        if (reason != NGX_HTTP_WEBHOOK_REASON_STORE_UNAVAILABLE) {
            level = NGX_LOG_ERR;
        }

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

    last = details + NGX_HTTP_WEBHOOK_DETAILS;

    p = ngx_http_webhook_details(scheme, j, details, last);

    if (n) {
        p = ngx_slprintf(p, last, ", requests: %ui", n);
    }

    ngx_log_error(level, r->connection->log, 0,
                  "webhook %s%s: %V, scheme \"%V\"%*s",
                  text, conf->rules.dry_run ? ", dry run" : "",
                  ngx_http_webhook_reason_name(reason), &scheme->name,
                  p - details, details);
}


/* what helps to find the cause, and is no secret */

static u_char *
ngx_http_webhook_details(const ngx_http_webhook_scheme_t *scheme,
    const ngx_http_webhook_judgement_t *j, u_char *buf, u_char *last)
{
    const ngx_http_webhook_signature_t  *signature;

    signature = &j->signature;

    switch (j->verdict.reason) {

    case NGX_HTTP_WEBHOOK_REASON_MALFORMED_SIGNATURE:

        if (signature->foreign) {
            return ngx_slprintf(buf, last, ", nothing begins with \"%V\"",
                                &scheme->signature_cut.prefix);
        }

        if (signature->malformed && !scheme->algorithm->token) {
            return ngx_slprintf(buf, last,
                         ", %uz characters where %s%uz of %s are wanted",
                         signature->malformed,
                         scheme->algorithm->check ? "at most " : "",
                         ngx_http_webhook_encoded_length(
                                    scheme->algorithm->size, scheme->encoding),
                         ngx_http_webhook_encoding_name(scheme->encoding));
        }

        return buf;

    case NGX_HTTP_WEBHOOK_REASON_STALE_TIMESTAMP:
    case NGX_HTTP_WEBHOOK_REASON_FUTURE_TIMESTAMP:
        return ngx_slprintf(buf, last, ", age %T", j->age);

    default:
        return buf;
    }
}


void
ngx_http_webhook_log_hint(ngx_http_request_t *r,
    const ngx_http_webhook_loc_conf_t *conf,
    const ngx_http_webhook_judgement_t *j, ngx_chain_t *body, ngx_str_t *hint)
{
    ngx_http_webhook_refused_t  refused;

    if (j->verdict.status != NGX_HTTP_WEBHOOK_STATUS_REJECTED) {
        return;
    }

    switch (j->verdict.reason) {

    case NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH:
    case NGX_HTTP_WEBHOOK_REASON_WRONG_BODY_HASH:
    case NGX_HTTP_WEBHOOK_REASON_MISSING_SIGNATURE:
    case NGX_HTTP_WEBHOOK_REASON_MISSING_TIMESTAMP:
    case NGX_HTTP_WEBHOOK_REASON_MISSING_FIELD:
    case NGX_HTTP_WEBHOOK_REASON_MALFORMED_SIGNATURE:
    case NGX_HTTP_WEBHOOK_REASON_MALFORMED_TIMESTAMP:
    case NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD:
        break;

    default:
        return;
    }

    refused.request = r;
    refused.scheme = conf->rules.keyring->scheme;
    refused.signature = &j->signature;
    refused.keys = &j->keys;
    refused.suspects = conf->suspects;
    refused.reason = j->verdict.reason;
    refused.body = body;

    if (ngx_http_webhook_diagnose(&refused, hint) != NGX_OK) {
        ngx_str_null(hint);
        return;
    }

    ngx_log_error(conf->log_level, r->connection->log, 0,
                  "webhook hint: %V, scheme \"%V\"",
                  hint, &refused.scheme->name);
}


void
ngx_http_webhook_log_unjudged(ngx_http_request_t *r,
    const ngx_http_webhook_loc_conf_t *conf)
{
    ngx_uint_t                 n, status;
    ngx_http_core_loc_conf_t  *clcf;

    status = r->err_status ? r->err_status : r->headers_out.status;

    if (status < NGX_HTTP_OK || status >= NGX_HTTP_BAD_REQUEST) {
        return;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {

        /* it may have been another module that was satisfied */

        return;
    }

    n = ngx_http_webhook_is_due(&conf->notices->unjudged);

    if (n) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "webhook was not verified: another directive, as "
                      "\"return\" or \"rewrite\", answered it with %ui in "
                      "location \"%V\", requests: %ui",
                      status, &clcf->name, n);
    }
}


/*
 * Whether something is to be told now: how often it has happened since it was
 * told last, or 0.
 */

static ngx_uint_t
ngx_http_webhook_is_due(ngx_http_webhook_notice_t *notice)
{
    time_t      now;
    ngx_uint_t  n;

    now = ngx_time();

    notice->n++;

    /* the clock may have been set back */

    if (notice->time <= now && now - notice->time < NGX_HTTP_WEBHOOK_NOTICE) {
        return 0;
    }

    n = notice->n;

    notice->n = 0;
    notice->time = now;

    return n;
}
