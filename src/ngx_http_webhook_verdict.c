
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The verdict on a request: names of what became of it, and why.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_verdict.h"


/* in the order of ngx_http_webhook_status_e: in dry run, and as an outcome */

static ngx_str_t  ngx_http_webhook_statuses[][3] = {
    { ngx_null_string, ngx_null_string, ngx_string("aborted") },
    { ngx_string("PASSED"), ngx_string("PASSED_DRY_RUN"),
      ngx_string("passed") },
    { ngx_string("REJECTED"), ngx_string("REJECTED_DRY_RUN"),
      ngx_string("rejected") },
    { ngx_string("DUPLICATE"), ngx_string("DUPLICATE_DRY_RUN"),
      ngx_string("duplicate") },
    { ngx_string("IN_FLIGHT"), ngx_string("IN_FLIGHT_DRY_RUN"),
      ngx_string("in_flight") },
    { ngx_string("IGNORED"), ngx_string("IGNORED_DRY_RUN"),
      ngx_string("ignored") },
    { ngx_string("UNAVAILABLE"), ngx_string("UNAVAILABLE_DRY_RUN"),
      ngx_string("unavailable") },
    { ngx_string("HANDSHAKE"), ngx_string("HANDSHAKE_DRY_RUN"),
      ngx_string("handshake") }
};


/* in the order of ngx_http_webhook_reason_e */

static ngx_str_t  ngx_http_webhook_reasons[] = {
    ngx_null_string,
    ngx_string("missing_signature"),
    ngx_string("malformed_signature"),
    ngx_string("too_many_signatures"),
    ngx_string("signature_mismatch"),
    ngx_string("wrong_body_hash"),
    ngx_string("missing_timestamp"),
    ngx_string("malformed_timestamp"),
    ngx_string("stale_timestamp"),
    ngx_string("future_timestamp"),
    ngx_string("missing_field"),
    ngx_string("malformed_field"),
    ngx_string("no_secret"),
    ngx_string("unknown_key"),
    ngx_string("missing_id"),
    ngx_string("no_key"),
    ngx_string("ambiguous_json"),
    ngx_string("invalid_json"),
    ngx_string("json_too_large"),
    ngx_string("id_too_long"),
    ngx_string("body_mismatch"),
    ngx_string("body_too_large"),
    ngx_string("event_type"),
    ngx_string("event_filter"),
    ngx_string("zone_full"),
    ngx_string("lease_held"),
    ngx_string("already_delivered"),
    ngx_string("store_unavailable"),
    ngx_string("internal_error")
};


/* in the order of ngx_http_webhook_delivery_e */

static ngx_str_t  ngx_http_webhook_deliveries[] = {
    ngx_null_string,
    ngx_string("accepted"),
    ngx_string("refused"),
    ngx_string("unknown")
};


ngx_str_t *
ngx_http_webhook_status_name(ngx_http_webhook_status_e status,
    ngx_uint_t dry_run)
{
    return &ngx_http_webhook_statuses[status][dry_run];
}


ngx_str_t *
ngx_http_webhook_outcome_name(ngx_http_webhook_status_e status)
{
    return &ngx_http_webhook_statuses[status][2];
}


ngx_str_t *
ngx_http_webhook_reason_name(ngx_http_webhook_reason_e reason)
{
    return &ngx_http_webhook_reasons[reason];
}


ngx_str_t *
ngx_http_webhook_delivery_name(ngx_http_webhook_delivery_e delivery)
{
    return &ngx_http_webhook_deliveries[delivery];
}
