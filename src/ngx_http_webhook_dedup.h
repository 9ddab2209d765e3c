
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Deduplication of one request: the key of its event, the claim, waiting for
 * another one's, and the outcome.
 */


#ifndef _NGX_HTTP_WEBHOOK_DEDUP_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_DEDUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


/* the strings that name an event: its namespace, and the parts of its key */

#define NGX_HTTP_WEBHOOK_NAMESPACE   4
#define NGX_HTTP_WEBHOOK_MAX_FIELDS                                           \
    (NGX_HTTP_WEBHOOK_NAMESPACE + NGX_HTTP_WEBHOOK_MAX_PARTS)


typedef struct ngx_http_webhook_dedup_s  ngx_http_webhook_dedup_t;

typedef void (*ngx_http_webhook_dedup_pt)(ngx_http_webhook_dedup_t *dedup);


struct ngx_http_webhook_dedup_s {
    ngx_http_request_t            *request;
    const ngx_http_webhook_loc_conf_t  *conf;   /* that the claim is made by */
    ngx_http_webhook_claim_t      *claim;       /* NULL: none was made */

    ngx_http_webhook_verdict_t     verdict;     /* that was found */
    ngx_http_webhook_delivery_e    delivery;    /* its outcome */
    ngx_http_webhook_dedup_pt      handler;     /* if it was found later */
    void                          *data;

    time_t                         until;       /* remembered at least */
    ngx_uint_t                     upstreams;   /* asked before delivery */
    ngx_msec_t                     deadline;    /* of waiting */
    ngx_msec_t                     time;        /* of the claim; then from it
                                                   to the answer */
    ngx_event_t                    event;       /* to ask again, or to renew */

    unsigned                       decided:1;   /* on delivery: once */
    unsigned                       asking:1;    /* an answer is to come */
    unsigned                       waiting:1;   /* is counted as such */
    unsigned                       delivered:1; /* goes to the upstream */
    unsigned                       accepted:1;  /* by it */
    unsigned                       answered:1;  /* by it, in whatever way */
};


/*
 * The first fields: those of a namespace that is named by "key=", or, if that
 * is NULL, by server and location.
 */
void ngx_http_webhook_dedup_namespace(ngx_str_t *fields,
    const ngx_http_webhook_scheme_t *scheme, const ngx_str_t *key,
    const ngx_str_t *server, const ngx_str_t *location);

/*
 * Decides whether an authentic event is to be delivered by this request; time
 * is that of its timestamp, or 0.  Returns NGX_OK, and dedup->verdict is set;
 * or NGX_AGAIN, and dedup->handler will be called when it is.
 */
ngx_int_t ngx_http_webhook_claim_event(ngx_http_webhook_dedup_t *dedup,
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_loc_conf_t *conf,
    time_t time);

/* The event is delivered by that request, with a claim or without one. */
void ngx_http_webhook_dedup_deliver(ngx_http_webhook_dedup_t *dedup,
    ngx_http_request_t *r);

/*
 * An answer is about to be sent with that status: ends the claim, if there is
 * one, with what the upstream has said, which is the outcome.
 */
void ngx_http_webhook_dedup_answered(ngx_http_webhook_dedup_t *dedup,
    ngx_uint_t status);

/*
 * The request goes on elsewhere: ends the claim unless who answers there
 * answers for the upstream.
 */
void ngx_http_webhook_dedup_redirected(ngx_http_webhook_dedup_t *dedup);

/*
 * Nobody waits for a verdict any more: the handler is not called.  What was
 * claimed meanwhile is freed.
 */
void ngx_http_webhook_dedup_cancel(ngx_http_webhook_dedup_t *dedup);

/*
 * Where requests of this process that wait are counted from now on, there
 * being none yet.
 */
void ngx_http_webhook_dedup_count_waiting(ngx_uint_t *waiting);

/*
 * The request is over: ends the claim with what the last upstream has answered
 * by now; no answer frees it.  May be called again.
 */
void ngx_http_webhook_dedup_end(ngx_http_webhook_dedup_t *dedup);


#endif /* _NGX_HTTP_WEBHOOK_DEDUP_H_INCLUDED_ */
