
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A claim on an event, whoever keeps it: a zone in shared memory, or what
 * answers later.
 */


#ifndef _NGX_HTTP_WEBHOOK_CLAIM_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_CLAIM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_table.h"


typedef struct ngx_http_webhook_claim_s  ngx_http_webhook_claim_t;

typedef void (*ngx_http_webhook_claim_pt)(ngx_http_webhook_claim_t *claim);


/*
 * What can be done with a claim; what is asked later sees what was asked
 * before.  For what the calls return see ngx_http_webhook_table.h.  Each may
 * return NGX_AGAIN instead: the answer comes later, in claim->rc, with a call
 * of claim->handler, which is never made inside the call.  Only one call may
 * be unanswered but for commit and free, whose answers nobody has to wait for.
 *
 *    claim    holds the event for lease seconds and sets claim->owner; or
 *             sets claim->found if the event is done.  After NGX_BUSY it may
 *             be asked for again, in claim->poll milliseconds, if that is set
 *    lookup   what a claim would return, without making it
 *    renew    holds it for lease seconds from now
 *    commit   the event is done, with claim->fingerprint, until that time
 *    free     the event is free
 *    detach   nobody is interested any more: the handler is not called, and a
 *             claim that is still asked for is freed when it is made
 *
 * Commit and free end the claim: claim->owner is 0 afterwards.
 *
 * Where not all can be asked who have to agree, claim and lookup go by what is
 * known here, and set claim->partial; with claim->strict set, they return
 * NGX_ERROR instead.
 */

typedef struct {
    ngx_int_t                    (*claim)(ngx_http_webhook_claim_t *claim,
                                       time_t lease, ngx_uint_t evict);
    ngx_int_t                    (*lookup)(ngx_http_webhook_claim_t *claim);
    ngx_int_t                    (*renew)(ngx_http_webhook_claim_t *claim,
                                       time_t lease);
    ngx_int_t                    (*commit)(ngx_http_webhook_claim_t *claim,
                                       time_t until);
    ngx_int_t                    (*free)(ngx_http_webhook_claim_t *claim);
    void                         (*detach)(ngx_http_webhook_claim_t *claim);
} ngx_http_webhook_claim_ops_t;


/* what a store has said to a claim, if it had to be asked */

typedef enum {
    NGX_HTTP_WEBHOOK_STORE_NONE = 0,
    NGX_HTTP_WEBHOOK_STORE_MINE,
    NGX_HTTP_WEBHOOK_STORE_DONE,
    NGX_HTTP_WEBHOOK_STORE_BUSY,
    NGX_HTTP_WEBHOOK_STORE_FAILED,           /* asked, and no good answer */
    NGX_HTTP_WEBHOOK_STORE_DOWN              /* not asked */
} ngx_http_webhook_store_e;


struct ngx_http_webhook_claim_s {
    const ngx_http_webhook_claim_ops_t  *ops;

    ngx_http_webhook_id_t          id;
    uint32_t                       owner;        /* 0: nothing is held */
    uint32_t                       fingerprint;  /* of the body, or 0 */
    uint32_t                       found;        /* of the body that it was
                                                    done with, or 0 */
    uint64_t                       number;       /* of this claim, never used
                                                    twice */

    ngx_http_webhook_store_e       store;
    ngx_msec_t                     spent;        /* on the store */
    ngx_msec_t                     poll;

    unsigned                       strict:1;
    unsigned                       partial:1;

    ngx_int_t                      rc;           /* of a later answer */
    ngx_http_webhook_claim_pt      handler;
    void                          *data;

    ngx_log_t                     *log;
    void                          *keeper;
};


#if (NGX_HTTP_WEBHOOK_LATE)
void ngx_http_webhook_late_claim(ngx_http_webhook_claim_t *claim);
#endif


#endif /* _NGX_HTTP_WEBHOOK_CLAIM_H_INCLUDED_ */
