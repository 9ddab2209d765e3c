
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Claims that are answered later, for tests: what a call does is done in the
 * call, but its answer comes from a posted event.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_claim.h"


typedef struct {
    ngx_queue_t                          queue;
    ngx_event_t                          event;
    ngx_http_webhook_claim_t            *claim;    /* NULL: it is detached */
    ngx_int_t                            rc;
} ngx_http_webhook_late_call_t;


static ngx_int_t ngx_http_webhook_late(ngx_http_webhook_claim_t *claim,
    ngx_int_t rc);
static void ngx_http_webhook_late_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_webhook_late_make(ngx_http_webhook_claim_t *claim,
    time_t lease, ngx_uint_t evict);
static ngx_int_t ngx_http_webhook_late_lookup(ngx_http_webhook_claim_t *claim);
static ngx_int_t ngx_http_webhook_late_renew(ngx_http_webhook_claim_t *claim,
    time_t lease);
static ngx_int_t ngx_http_webhook_late_commit(ngx_http_webhook_claim_t *claim,
    time_t until);
static ngx_int_t ngx_http_webhook_late_free(ngx_http_webhook_claim_t *claim);
static void ngx_http_webhook_late_detach(ngx_http_webhook_claim_t *claim);


static const ngx_http_webhook_claim_ops_t  ngx_http_webhook_late_ops = {
    ngx_http_webhook_late_make,
    ngx_http_webhook_late_lookup,
    ngx_http_webhook_late_renew,
    ngx_http_webhook_late_commit,
    ngx_http_webhook_late_free,
    ngx_http_webhook_late_detach
};


/* all claims of a process are kept by zones, in the same way */

static const ngx_http_webhook_claim_ops_t  *ngx_http_webhook_late_real;

static ngx_queue_t  ngx_http_webhook_late_calls = {
    &ngx_http_webhook_late_calls, &ngx_http_webhook_late_calls
};


void
ngx_http_webhook_late_claim(ngx_http_webhook_claim_t *claim)
{
    ngx_http_webhook_late_real = claim->ops;
    claim->ops = &ngx_http_webhook_late_ops;
}


static ngx_int_t
ngx_http_webhook_late(ngx_http_webhook_claim_t *claim, ngx_int_t rc)
{
    ngx_http_webhook_late_call_t  *call;

    call = ngx_calloc(sizeof(ngx_http_webhook_late_call_t), ngx_cycle->log);
    if (call == NULL) {
        return rc;
    }

    call->claim = claim;
    call->rc = rc;
    call->event.handler = ngx_http_webhook_late_handler;
    call->event.data = call;
    call->event.log = ngx_cycle->log;

    ngx_queue_insert_tail(&ngx_http_webhook_late_calls, &call->queue);

    /* a worker that shuts down waits for timers only */

    ngx_add_timer(&call->event, 1);

    return NGX_AGAIN;
}


static void
ngx_http_webhook_late_handler(ngx_event_t *ev)
{
    ngx_http_webhook_late_call_t *call = ev->data;

    ngx_int_t                  rc;
    ngx_http_webhook_claim_t  *claim;

    claim = call->claim;
    rc = call->rc;

    ngx_queue_remove(&call->queue);
    ngx_free(call);

    if (claim && claim->handler) {
        claim->rc = rc;
        claim->handler(claim);
    }
}


static ngx_int_t
ngx_http_webhook_late_make(ngx_http_webhook_claim_t *claim, time_t lease,
    ngx_uint_t evict)
{
    return ngx_http_webhook_late(claim,
                   ngx_http_webhook_late_real->claim(claim, lease, evict));
}


static ngx_int_t
ngx_http_webhook_late_lookup(ngx_http_webhook_claim_t *claim)
{
    return ngx_http_webhook_late(claim,
                                 ngx_http_webhook_late_real->lookup(claim));
}


static ngx_int_t
ngx_http_webhook_late_renew(ngx_http_webhook_claim_t *claim, time_t lease)
{
    return ngx_http_webhook_late(claim,
                             ngx_http_webhook_late_real->renew(claim, lease));
}


static ngx_int_t
ngx_http_webhook_late_commit(ngx_http_webhook_claim_t *claim, time_t until)
{
    return ngx_http_webhook_late(claim,
                            ngx_http_webhook_late_real->commit(claim, until));
}


static ngx_int_t
ngx_http_webhook_late_free(ngx_http_webhook_claim_t *claim)
{
    return ngx_http_webhook_late(claim,
                                 ngx_http_webhook_late_real->free(claim));
}


static void
ngx_http_webhook_late_detach(ngx_http_webhook_claim_t *claim)
{
    ngx_queue_t                   *q;
    ngx_http_webhook_late_call_t  *call;

    for (q = ngx_queue_head(&ngx_http_webhook_late_calls);
         q != ngx_queue_sentinel(&ngx_http_webhook_late_calls);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_http_webhook_late_call_t, queue);

        if (call->claim == claim) {
            call->claim = NULL;
        }
    }

    if (claim->owner) {

        /* nobody has learned that it was made */

        (void) ngx_http_webhook_late_real->free(claim);
    }
}
