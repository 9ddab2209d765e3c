
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What is found out of a request, and what the error log is told of it.
 */


#ifndef _NGX_HTTP_WEBHOOK_JUDGEMENT_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_JUDGEMENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_body.h"
#include "ngx_http_webhook_handshake.h"
#include "ngx_http_webhook_verify.h"


/* one judgement, forgotten as a whole */

typedef struct {
    ngx_http_webhook_scope_t       scope;
    ngx_http_webhook_signature_t   signature;
    ngx_http_webhook_keys_t        keys;
    ngx_http_webhook_verify_t      verify;
    ngx_http_webhook_body_t        body;
    ngx_http_webhook_answer_t      handshake;
    ngx_http_webhook_verdict_t     verdict;

    time_t                         time;     /* of the timestamp */
    time_t                         age;      /* when it was judged */

    unsigned                       has_time:1;
    unsigned                       accepted:1;  /* the signature is right */
    unsigned                       found:1;  /* what dedup says, if anything */
} ngx_http_webhook_judgement_t;


/* src/ngx_http_webhook_log.c */

/* Logs a verdict, at the level of the location. */
void ngx_http_webhook_log_verdict(ngx_http_request_t *r,
    const ngx_http_webhook_loc_conf_t *conf,
    const ngx_http_webhook_judgement_t *j);

/*
 * Looks for the cause of a refusal, and logs the hint, which is empty where
 * there is none.  The body is what was kept of it, and may be NULL.
 */
void ngx_http_webhook_log_hint(ngx_http_request_t *r,
    const ngx_http_webhook_loc_conf_t *conf,
    const ngx_http_webhook_judgement_t *j, ngx_chain_t *body, ngx_str_t *hint);

/*
 * Logs that the request was answered in a location that verifies, and was not
 * judged, if that is so: at most once a minute for each location.
 */
void ngx_http_webhook_log_unjudged(ngx_http_request_t *r,
    const ngx_http_webhook_loc_conf_t *conf);


#endif /* _NGX_HTTP_WEBHOOK_JUDGEMENT_H_INCLUDED_ */
