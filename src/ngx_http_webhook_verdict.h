
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The verdict on a request: what became of it, and why.  The vocabulary of
 * all parts, which depends on none of them.
 */


#ifndef _NGX_HTTP_WEBHOOK_VERDICT_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_VERDICT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_WEBHOOK_STATUS_NONE = 0,
    NGX_HTTP_WEBHOOK_STATUS_PASSED,
    NGX_HTTP_WEBHOOK_STATUS_REJECTED,
    NGX_HTTP_WEBHOOK_STATUS_DUPLICATE,
    NGX_HTTP_WEBHOOK_STATUS_IN_FLIGHT,
    NGX_HTTP_WEBHOOK_STATUS_IGNORED,
    NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
    NGX_HTTP_WEBHOOK_STATUS_HANDSHAKE,
    NGX_HTTP_WEBHOOK_STATUSES                /* how many there are */
} ngx_http_webhook_status_e;


typedef enum {
    NGX_HTTP_WEBHOOK_REASON_NONE = 0,
    NGX_HTTP_WEBHOOK_REASON_MISSING_SIGNATURE,
    NGX_HTTP_WEBHOOK_REASON_MALFORMED_SIGNATURE,
    NGX_HTTP_WEBHOOK_REASON_TOO_MANY_SIGNATURES,
    NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH,
    NGX_HTTP_WEBHOOK_REASON_WRONG_BODY_HASH,
    NGX_HTTP_WEBHOOK_REASON_MISSING_TIMESTAMP,
    NGX_HTTP_WEBHOOK_REASON_MALFORMED_TIMESTAMP,
    NGX_HTTP_WEBHOOK_REASON_STALE_TIMESTAMP,
    NGX_HTTP_WEBHOOK_REASON_FUTURE_TIMESTAMP,
    NGX_HTTP_WEBHOOK_REASON_MISSING_FIELD,
    NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD,
    NGX_HTTP_WEBHOOK_REASON_NO_SECRET,
    NGX_HTTP_WEBHOOK_REASON_UNKNOWN_KEY,
    NGX_HTTP_WEBHOOK_REASON_MISSING_ID,
    NGX_HTTP_WEBHOOK_REASON_NO_KEY,
    NGX_HTTP_WEBHOOK_REASON_AMBIGUOUS_JSON,
    NGX_HTTP_WEBHOOK_REASON_INVALID_JSON,
    NGX_HTTP_WEBHOOK_REASON_JSON_TOO_LARGE,
    NGX_HTTP_WEBHOOK_REASON_ID_TOO_LONG,
    NGX_HTTP_WEBHOOK_REASON_BODY_MISMATCH,
    NGX_HTTP_WEBHOOK_REASON_BODY_TOO_LARGE,
    NGX_HTTP_WEBHOOK_REASON_EVENT_TYPE,
    NGX_HTTP_WEBHOOK_REASON_EVENT_FILTER,
    NGX_HTTP_WEBHOOK_REASON_ZONE_FULL,
    NGX_HTTP_WEBHOOK_REASON_LEASE_HELD,
    NGX_HTTP_WEBHOOK_REASON_ALREADY_DELIVERED,
    NGX_HTTP_WEBHOOK_REASON_STORE_UNAVAILABLE,
    NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR,
    NGX_HTTP_WEBHOOK_REASONS                 /* how many there are */
} ngx_http_webhook_reason_e;


/* what became of an event that was delivered */

typedef enum {
    NGX_HTTP_WEBHOOK_DELIVERY_NONE = 0,
    NGX_HTTP_WEBHOOK_DELIVERY_ACCEPTED,
    NGX_HTTP_WEBHOOK_DELIVERY_REFUSED,
    NGX_HTTP_WEBHOOK_DELIVERY_UNKNOWN
} ngx_http_webhook_delivery_e;


typedef struct {
    ngx_http_webhook_status_e      status;
    ngx_http_webhook_reason_e      reason;
} ngx_http_webhook_verdict_t;


/* The names, as the variables show them; that of NONE is empty. */
ngx_str_t *ngx_http_webhook_status_name(ngx_http_webhook_status_e status,
    ngx_uint_t dry_run);
ngx_str_t *ngx_http_webhook_reason_name(ngx_http_webhook_reason_e reason);
ngx_str_t *ngx_http_webhook_delivery_name(
    ngx_http_webhook_delivery_e delivery);

/*
 * The name of a status by which requests are counted; those without a verdict
 * were aborted.
 */
ngx_str_t *ngx_http_webhook_outcome_name(ngx_http_webhook_status_e status);


#endif /* _NGX_HTTP_WEBHOOK_VERDICT_H_INCLUDED_ */
