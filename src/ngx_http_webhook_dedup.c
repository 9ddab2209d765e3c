
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Deduplication of one request: the key of its event, the claim, waiting for
 * another one's, and the outcome.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_dedup.h"


/* requests of a process that wait for the outcome of others, and how often
   each of them asks for it, in milliseconds */
#define NGX_HTTP_WEBHOOK_MAX_WAITING  1024
#define NGX_HTTP_WEBHOOK_POLL         100


#define ngx_http_webhook_is_accepted(status)                                  \
    ((status) >= NGX_HTTP_OK && (status) < NGX_HTTP_SPECIAL_RESPONSE)


static ngx_http_webhook_reason_e ngx_http_webhook_dedup_key(
    ngx_http_webhook_dedup_t *dedup, ngx_http_webhook_scope_t *scope,
    ngx_str_t *fields, ngx_uint_t *nfields);
static ngx_int_t ngx_http_webhook_dedup_ask(ngx_http_webhook_dedup_t *dedup);
static void ngx_http_webhook_dedup_handler(ngx_http_webhook_claim_t *claim);
static ngx_int_t ngx_http_webhook_dedup_found(ngx_http_webhook_dedup_t *dedup,
    ngx_int_t rc);
static ngx_int_t ngx_http_webhook_dedup_wait(ngx_http_webhook_dedup_t *dedup);
static void ngx_http_webhook_wait_handler(ngx_event_t *ev);
static void ngx_http_webhook_dedup_tell(ngx_http_webhook_dedup_t *dedup);
static ngx_int_t ngx_http_webhook_dedup_verdict(
    ngx_http_webhook_dedup_t *dedup, ngx_http_webhook_status_e status,
    ngx_http_webhook_reason_e reason);
static void ngx_http_webhook_dedup_hold(ngx_http_webhook_dedup_t *dedup);
static void ngx_http_webhook_renew_handler(ngx_event_t *ev);
static void ngx_http_webhook_dedup_renewed(ngx_http_webhook_claim_t *claim);
static void ngx_http_webhook_dedup_settle(ngx_http_webhook_dedup_t *dedup,
    ngx_uint_t status);
static void ngx_http_webhook_dedup_settled(ngx_http_webhook_claim_t *claim);
static ngx_uint_t ngx_http_webhook_upstream_status(
    ngx_http_webhook_dedup_t *dedup, ngx_uint_t none);


static ngx_uint_t   ngx_http_webhook_waiting_own;
static ngx_uint_t  *ngx_http_webhook_waiting = &ngx_http_webhook_waiting_own;


void
ngx_http_webhook_dedup_count_waiting(ngx_uint_t *waiting)
{
    ngx_http_webhook_waiting = waiting;
}


ngx_int_t
ngx_http_webhook_claim_event(ngx_http_webhook_dedup_t *dedup,
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_loc_conf_t *conf,
    time_t time)
{
    ngx_str_t                       fields[NGX_HTTP_WEBHOOK_MAX_FIELDS];
    ngx_uint_t                      n;
    ngx_http_webhook_claim_t       *claim;
    ngx_http_webhook_reason_e       reason;
    ngx_http_webhook_dedup_conf_t  *dcf;

    dcf = conf->rules.dedup;

    dedup->request = scope->request;
    dedup->conf = conf;

    reason = ngx_http_webhook_dedup_key(dedup, scope, fields, &n);

    switch (reason) {

    case NGX_HTTP_WEBHOOK_REASON_NONE:
        break;

    case NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR:
        goto failed;

    default:

        if (reason == NGX_HTTP_WEBHOOK_REASON_AMBIGUOUS_JSON
            || dcf->missing == NGX_HTTP_WEBHOOK_ACTION_REJECT)
        {
            return ngx_http_webhook_dedup_verdict(dedup,
                                     NGX_HTTP_WEBHOOK_STATUS_REJECTED, reason);
        }

        return ngx_http_webhook_dedup_verdict(dedup,
                                       NGX_HTTP_WEBHOOK_STATUS_PASSED, reason);
    }

    if (n == 0) {

        /* the key of the location is empty */

        return ngx_http_webhook_dedup_verdict(dedup,
                                          NGX_HTTP_WEBHOOK_STATUS_PASSED,
                                          NGX_HTTP_WEBHOOK_REASON_NO_KEY);
    }

    claim = ngx_http_webhook_zone_get_claim(dcf->shm_zone->data, fields, n,
                                            dedup->request->pool);
    if (claim == NULL) {
        goto failed;
    }

    dedup->claim = claim;

    claim->log = dedup->request->connection->log;
    claim->data = dedup;

    if (dcf->mismatch != NGX_HTTP_WEBHOOK_ACTION_DEFAULT) {

        /* 30 bits of the body's SHA-256, of which 0 stands for none */

        ngx_memcpy(&claim->fingerprint, scope->body_sha256, sizeof(uint32_t));

        claim->fingerprint &= NGX_HTTP_WEBHOOK_OWNER_MASK;

        if (claim->fingerprint == 0) {
            claim->fingerprint = 1;
        }
    }

    /* longer than the same request would be let through again */

    dedup->until = time ? time + conf->rules.window.past
                          + NGX_HTTP_WEBHOOK_GRACE
                        : 0;

    dedup->deadline = ngx_current_msec + conf->in_flight_wait;

    return ngx_http_webhook_dedup_ask(dedup);

failed:

    return ngx_http_webhook_dedup_verdict(dedup,
                                      NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
                                      NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR);
}


/* the strings that name the event in the zone; none: it is not to be there */

static ngx_http_webhook_reason_e
ngx_http_webhook_dedup_key(ngx_http_webhook_dedup_t *dedup,
    ngx_http_webhook_scope_t *scope, ngx_str_t *fields, ngx_uint_t *nfields)
{
    ngx_str_t                       key;
    ngx_uint_t                      n;
    ngx_http_request_t             *r;
    ngx_http_core_srv_conf_t       *cscf;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_webhook_scheme_t      *scheme;
    ngx_http_webhook_reason_e       reason;
    ngx_http_webhook_dedup_conf_t  *dcf;

    r = dedup->request;
    dcf = dedup->conf->rules.dedup;
    scheme = dedup->conf->rules.keyring->scheme;

    if (dcf->key) {

        if (ngx_http_webhook_complex_value(scope, dcf->key, &key) != NGX_OK) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        if (key.len == 0) {
            *nfields = 0;
            return NGX_HTTP_WEBHOOK_REASON_NONE;
        }

        ngx_http_webhook_dedup_namespace(fields, scheme, &key, NULL, NULL);

    } else {
        cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        ngx_http_webhook_dedup_namespace(fields, scheme, NULL,
                                         &cscf->server_name, &clcf->name);
    }

    reason = ngx_http_webhook_lines_parts(scope, scheme->dedup_key,
                                          NGX_HTTP_WEBHOOK_MAX_VALUE,
                                          &fields[NGX_HTTP_WEBHOOK_NAMESPACE],
                                          &n);
    *nfields = NGX_HTTP_WEBHOOK_NAMESPACE + n;

    return reason;
}


void
ngx_http_webhook_dedup_namespace(ngx_str_t *fields,
    const ngx_http_webhook_scheme_t *scheme, const ngx_str_t *key,
    const ngx_str_t *server, const ngx_str_t *location)
{
    fields[0] = scheme->name;

    if (key) {
        ngx_str_set(&fields[1], "key");
        fields[2] = *key;
        ngx_str_null(&fields[3]);
        return;
    }

    ngx_str_set(&fields[1], "location");
    fields[2] = *server;
    fields[3] = *location;
}


static ngx_int_t
ngx_http_webhook_dedup_ask(ngx_http_webhook_dedup_t *dedup)
{
    ngx_int_t                           rc;
    ngx_uint_t                          evict;
    ngx_http_webhook_claim_t           *claim;
    const ngx_http_webhook_loc_conf_t  *conf;

    conf = dedup->conf;
    claim = dedup->claim;
    claim->handler = ngx_http_webhook_dedup_handler;
    claim->strict = (conf->rules.dedup->error
                     == NGX_HTTP_WEBHOOK_ACTION_REJECT);

    if (conf->rules.dry_run) {
        rc = claim->ops->lookup(claim);

    } else {
        evict = (conf->rules.dedup->full == NGX_HTTP_WEBHOOK_ACTION_DEFAULT);

        rc = claim->ops->claim(claim, conf->rules.dedup->lease, evict);
    }

    if (rc == NGX_AGAIN) {
        dedup->asking = 1;
        return NGX_AGAIN;
    }

    return ngx_http_webhook_dedup_found(dedup, rc);
}


static void
ngx_http_webhook_dedup_handler(ngx_http_webhook_claim_t *claim)
{
    ngx_http_webhook_dedup_t  *dedup;

    dedup = claim->data;
    dedup->asking = 0;

    ngx_http_set_log_request(claim->log, dedup->request);

    if (ngx_http_webhook_dedup_found(dedup, claim->rc) == NGX_OK) {
        ngx_http_webhook_dedup_tell(dedup);
    }
}


/* NGX_OK if the verdict is there, NGX_AGAIN if somebody else has the event */

static ngx_int_t
ngx_http_webhook_dedup_found(ngx_http_webhook_dedup_t *dedup, ngx_int_t rc)
{
    uint32_t                        found;
    ngx_http_webhook_claim_t       *claim;
    ngx_http_webhook_dedup_conf_t  *dcf;

    claim = dedup->claim;
    dcf = dedup->conf->rules.dedup;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, claim->log, 0, "webhook claim: %i", rc);

    switch (rc) {

    case NGX_OK:

        if (!dedup->conf->rules.dry_run) {
            ngx_http_webhook_dedup_hold(dedup);
        }

        return ngx_http_webhook_dedup_verdict(dedup,
                                    NGX_HTTP_WEBHOOK_STATUS_PASSED,
                                    claim->partial
                                    ? NGX_HTTP_WEBHOOK_REASON_STORE_UNAVAILABLE
                                    : NGX_HTTP_WEBHOOK_REASON_NONE);

    case NGX_BUSY:
        return ngx_http_webhook_dedup_wait(dedup);

    case NGX_DECLINED:

        found = claim->found;

        if (found == 0 || claim->fingerprint == 0
            || found == claim->fingerprint)
        {
            return ngx_http_webhook_dedup_verdict(dedup,
                                    NGX_HTTP_WEBHOOK_STATUS_DUPLICATE,
                                    NGX_HTTP_WEBHOOK_REASON_ALREADY_DELIVERED);
        }

        if (dcf->mismatch == NGX_HTTP_WEBHOOK_ACTION_REJECT) {
            return ngx_http_webhook_dedup_verdict(dedup,
                                        NGX_HTTP_WEBHOOK_STATUS_REJECTED,
                                        NGX_HTTP_WEBHOOK_REASON_BODY_MISMATCH);
        }

        return ngx_http_webhook_dedup_verdict(dedup,
                                        NGX_HTTP_WEBHOOK_STATUS_PASSED,
                                        NGX_HTTP_WEBHOOK_REASON_BODY_MISMATCH);

    case NGX_ERROR:
        return ngx_http_webhook_dedup_verdict(dedup,
                                   NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
                                   NGX_HTTP_WEBHOOK_REASON_STORE_UNAVAILABLE);

    default: /* NGX_ABORT */

        if (dcf->full == NGX_HTTP_WEBHOOK_ACTION_PASS) {
            return ngx_http_webhook_dedup_verdict(dedup,
                                            NGX_HTTP_WEBHOOK_STATUS_PASSED,
                                            NGX_HTTP_WEBHOOK_REASON_ZONE_FULL);
        }

        return ngx_http_webhook_dedup_verdict(dedup,
                                            NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE,
                                            NGX_HTTP_WEBHOOK_REASON_ZONE_FULL);
    }
}


/*
 * Somebody else, maybe in another process, is delivering the event: the
 * request asks again from time to time what has become of it.
 */

static ngx_int_t
ngx_http_webhook_dedup_wait(ngx_http_webhook_dedup_t *dedup)
{
    ngx_msec_t                 poll;
    ngx_msec_int_t             left;
    ngx_http_webhook_claim_t  *claim;

    claim = dedup->claim;
    left = (ngx_msec_int_t) (dedup->deadline - ngx_current_msec);

    if (dedup->conf->rules.dry_run
        || left <= 0
        || (!dedup->waiting
            && *ngx_http_webhook_waiting == NGX_HTTP_WEBHOOK_MAX_WAITING))
    {
        claim->ops->detach(claim);

        return ngx_http_webhook_dedup_verdict(dedup,
                                           NGX_HTTP_WEBHOOK_STATUS_IN_FLIGHT,
                                           NGX_HTTP_WEBHOOK_REASON_LEASE_HELD);
    }

    if (!dedup->waiting) {
        dedup->waiting = 1;
        (*ngx_http_webhook_waiting)++;
    }

    dedup->event.handler = ngx_http_webhook_wait_handler;
    dedup->event.data = dedup;
    dedup->event.log = claim->log;
    dedup->event.cancelable = 0;

    poll = claim->poll ? claim->poll : NGX_HTTP_WEBHOOK_POLL;

    ngx_add_timer(&dedup->event, ngx_min((ngx_msec_t) left, poll));

    return NGX_AGAIN;
}


static void
ngx_http_webhook_wait_handler(ngx_event_t *ev)
{
    ngx_http_webhook_dedup_t *dedup = ev->data;

    ngx_int_t  rc;

    ngx_http_set_log_request(ev->log, dedup->request);

    /* who wants to be asked at intervals is not asked once more at the end */

    rc = (dedup->claim->poll
          && (ngx_msec_int_t) (dedup->deadline - ngx_current_msec) <= 0)
         ? ngx_http_webhook_dedup_wait(dedup)
         : ngx_http_webhook_dedup_ask(dedup);

    if (rc == NGX_OK) {
        ngx_http_webhook_dedup_tell(dedup);
    }
}


static void
ngx_http_webhook_dedup_tell(ngx_http_webhook_dedup_t *dedup)
{
    if (dedup->handler) {
        dedup->handler(dedup);
    }
}


static ngx_int_t
ngx_http_webhook_dedup_verdict(ngx_http_webhook_dedup_t *dedup,
    ngx_http_webhook_status_e status, ngx_http_webhook_reason_e reason)
{
    if (dedup->waiting) {
        dedup->waiting = 0;
        (*ngx_http_webhook_waiting)--;
    }

    dedup->verdict.status = status;
    dedup->verdict.reason = reason;

    /* what is delivered though it has no claim */

    if (status == NGX_HTTP_WEBHOOK_STATUS_PASSED
        && reason != NGX_HTTP_WEBHOOK_REASON_NONE)
    {
        dedup->decided = !dedup->conf->rules.dry_run;
    }

    return NGX_OK;
}


void
ngx_http_webhook_dedup_cancel(ngx_http_webhook_dedup_t *dedup)
{
    if (dedup->asking || dedup->waiting) {
        dedup->asking = 0;
        dedup->claim->ops->detach(dedup->claim);
        dedup->claim->owner = 0;
    }

    if (dedup->waiting) {
        dedup->waiting = 0;
        (*ngx_http_webhook_waiting)--;

        if (dedup->event.timer_set) {
            ngx_del_timer(&dedup->event);
        }
    }

    dedup->handler = NULL;
}


/* the claim is made: it is renewed from now on, until it is over */

static void
ngx_http_webhook_dedup_hold(ngx_http_webhook_dedup_t *dedup)
{
    ngx_http_webhook_zone_t  *zone;

    zone = dedup->conf->rules.dedup->shm_zone->data;

    dedup->decided = 1;
    dedup->delivered = 0;
    dedup->time = ngx_current_msec;

    ngx_http_webhook_dedup_deliver(dedup, dedup->request);

    if (zone->in_flight) {
        (*zone->in_flight)++;
    }

    dedup->event.handler = ngx_http_webhook_renew_handler;
    dedup->event.data = dedup;
    dedup->event.log = dedup->claim->log;
    dedup->event.cancelable = 1;

    ngx_add_timer(&dedup->event,
                  (ngx_msec_t) dedup->conf->rules.dedup->lease * 1000 / 3);
}


void
ngx_http_webhook_dedup_deliver(ngx_http_webhook_dedup_t *dedup,
    ngx_http_request_t *r)
{
    ngx_array_t  *states;

    if (dedup->delivered) {
        return;
    }

    states = r->upstream_states;

    dedup->request = r;
    dedup->delivered = 1;
    dedup->delivery = NGX_HTTP_WEBHOOK_DELIVERY_NONE;
    dedup->upstreams = states ? states->nelts : 0;
}


static void
ngx_http_webhook_renew_handler(ngx_event_t *ev)
{
    ngx_http_webhook_dedup_t *dedup = ev->data;

    ngx_http_webhook_claim_t  *claim;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0, "webhook renew claim");

    claim = dedup->claim;
    claim->handler = ngx_http_webhook_dedup_renewed;
    claim->rc = claim->ops->renew(claim, dedup->conf->rules.dedup->lease);

    if (claim->rc != NGX_AGAIN) {
        ngx_http_webhook_dedup_renewed(claim);
    }
}


static void
ngx_http_webhook_dedup_renewed(ngx_http_webhook_claim_t *claim)
{
    ngx_http_webhook_dedup_t  *dedup;

    dedup = claim->data;

    if (claim->rc != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, claim->log, 0,
                      "webhook claim could not be renewed: it was taken over "
                      "by another request");
        return;
    }

    ngx_add_timer(&dedup->event,
                  (ngx_msec_t) dedup->conf->rules.dedup->lease * 1000 / 3);
}


void
ngx_http_webhook_dedup_answered(ngx_http_webhook_dedup_t *dedup,
    ngx_uint_t status)
{
    if (!dedup->delivered
        || dedup->delivery != NGX_HTTP_WEBHOOK_DELIVERY_NONE)
    {
        return;
    }

#if (NGX_HTTP_CACHE)

    /* what a cache answers was said to another event */

    if (dedup->request->cached) {
        status = 0;
    }

#endif

    ngx_http_webhook_dedup_settle(dedup,
                              ngx_http_webhook_upstream_status(dedup, status));
}


void
ngx_http_webhook_dedup_redirected(ngx_http_webhook_dedup_t *dedup)
{
    ngx_uint_t           status;
    ngx_http_request_t  *r;

    if (!dedup->delivered
        || dedup->delivery != NGX_HTTP_WEBHOOK_DELIVERY_NONE)
    {
        return;
    }

    r = dedup->request;
    status = ngx_http_webhook_upstream_status(dedup, 0);

    /*
     * behind an error page that leaves the status an error, and in
     * post_action, another upstream may answer, but it will not be the one
     * that has got the event; and an upstream that has accepted it may point
     * to an answer elsewhere (X-Accel-Redirect)
     */

    if (r->post_action || r->err_status >= NGX_HTTP_SPECIAL_RESPONSE
        || ngx_http_webhook_is_accepted(status))
    {
        ngx_http_webhook_dedup_settle(dedup, status);
    }
}


void
ngx_http_webhook_dedup_end(ngx_http_webhook_dedup_t *dedup)
{
    /* no answer was sent, but the upstream may have given its own */

    if (dedup->delivered && dedup->delivery == NGX_HTTP_WEBHOOK_DELIVERY_NONE) {
        ngx_http_webhook_dedup_settle(dedup,
                                   ngx_http_webhook_upstream_status(dedup, 0));
    }

    if (dedup->claim) {
        dedup->claim->ops->detach(dedup->claim);
    }
}


static void
ngx_http_webhook_dedup_settle(ngx_http_webhook_dedup_t *dedup,
    ngx_uint_t status)
{
    time_t                     now, until;
    ngx_http_webhook_zone_t   *zone;
    ngx_http_webhook_claim_t  *claim;

    claim = dedup->claim;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, dedup->request->connection->log, 0,
                   "webhook outcome: upstream status %ui", status);

    dedup->accepted = ngx_http_webhook_is_accepted(status);

    if (dedup->accepted) {
        dedup->delivery = NGX_HTTP_WEBHOOK_DELIVERY_ACCEPTED;

    } else {
        dedup->delivery = status ? NGX_HTTP_WEBHOOK_DELIVERY_REFUSED
                                : NGX_HTTP_WEBHOOK_DELIVERY_UNKNOWN;
    }

    if (claim == NULL || claim->owner == 0) {
        return;
    }

    if (dedup->event.timer_set) {
        ngx_del_timer(&dedup->event);
    }

    zone = dedup->conf->rules.dedup->shm_zone->data;

    if (zone->in_flight) {
        (*zone->in_flight)--;
    }

    claim->handler = ngx_http_webhook_dedup_settled;

    dedup->time = ngx_current_msec - dedup->time;
    dedup->answered = (status != 0);

    if (dedup->accepted) {
        now = ngx_time();
        until = ngx_max(now + dedup->conf->ttl, dedup->until);

        if (until - now > NGX_HTTP_WEBHOOK_MAX_TIME) {
            until = now + NGX_HTTP_WEBHOOK_MAX_TIME;
        }

        claim->rc = claim->ops->commit(claim, until);

    } else {
        claim->rc = claim->ops->free(claim);
    }

    if (claim->rc != NGX_AGAIN) {
        ngx_http_webhook_dedup_settled(claim);
    }
}


static void
ngx_http_webhook_dedup_settled(ngx_http_webhook_claim_t *claim)
{
    ngx_http_webhook_dedup_t  *dedup;

    dedup = claim->data;

    switch (claim->rc) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        ngx_log_error(NGX_LOG_WARN, claim->log, 0,
                      "webhook %s too late: its claim was taken over by "
                      "another request%s",
                      dedup->accepted ? "was accepted" : "outcome came",
                      dedup->accepted ? ", the event is remembered all the same"
                                      : "");
        break;

    default: /* NGX_ABORT */
        ngx_log_error(NGX_LOG_ERR, claim->log, 0,
                      "webhook was accepted, and is not remembered: the zone "
                      "is full");
        break;
    }
}


/*
 * What the last upstream has answered, whatever error_page made of it; 0 if
 * its header was not read as a whole, and none if no upstream was asked since
 * the claim was made.
 */

static ngx_uint_t
ngx_http_webhook_upstream_status(ngx_http_webhook_dedup_t *dedup,
    ngx_uint_t none)
{
    ngx_array_t                *states;
    ngx_http_request_t         *r;
    ngx_http_upstream_state_t  *state;

    r = dedup->request;
    states = r->upstream_states;

    if (states == NULL || states->nelts <= dedup->upstreams) {
        return none;
    }

    state = states->elts;
    state += states->nelts - 1;

    if (state->header_time == (ngx_msec_t) -1) {

        /* a status that is there already may be all that ever comes */

        return 0;
    }

    if (state->status >= NGX_HTTP_CONTINUE && state->status <= NGX_HTTP_OK
        && r->upstream)
    {
        /*
         * the state keeps the first status, which may be that of a hint, and
         * has 200 where there was no status line
         */

        return r->upstream->headers_in.status_n;
    }

    return state->status;
}
