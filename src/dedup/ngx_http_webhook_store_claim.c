
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Claims of a zone that is the first level of a store.
 *
 * The zone is asked first, and answers what this server knows.  Whoever has
 * got the claim there asks the store, in one round trip.  Commands belong to
 * the link, and outlive requests.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store_claim.h"
#include "ngx_http_webhook_store_command.h"


/* how often a claim is repeated while another server has the event */
#define NGX_HTTP_WEBHOOK_STORE_POLL  250     /* milliseconds, +-20% */


static ngx_int_t ngx_http_webhook_store_make(ngx_http_webhook_claim_t *claim,
    time_t lease, ngx_uint_t evict);
static ngx_int_t ngx_http_webhook_store_lookup(
    ngx_http_webhook_claim_t *claim);
static ngx_int_t ngx_http_webhook_store_ask(
    ngx_http_webhook_store_claim_t *sc, ngx_http_webhook_command_e type,
    ngx_http_webhook_command_pt handler);
static ngx_int_t ngx_http_webhook_store_claimed(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply);
static ngx_int_t ngx_http_webhook_store_take_over(
    ngx_http_webhook_link_t *link, ngx_http_webhook_command_t *command,
    uint64_t leftover);
static ngx_int_t ngx_http_webhook_store_taken_over(
    ngx_http_webhook_link_t *link, ngx_http_webhook_command_t *command,
    ngx_http_webhook_resp_t *reply);
static ngx_int_t ngx_http_webhook_store_looked_up(
    ngx_http_webhook_link_t *link, ngx_http_webhook_command_t *command,
    ngx_http_webhook_resp_t *reply);
static void ngx_http_webhook_store_tell(ngx_http_webhook_command_t *command,
    ngx_int_t rc);
static ngx_int_t ngx_http_webhook_store_mine(
    ngx_http_webhook_store_claim_t *sc);
static ngx_int_t ngx_http_webhook_store_done(
    ngx_http_webhook_store_claim_t *sc, ngx_http_webhook_stored_t *stored);
static ngx_int_t ngx_http_webhook_store_busy(
    ngx_http_webhook_store_claim_t *sc);
static ngx_int_t ngx_http_webhook_store_failed(
    ngx_http_webhook_store_claim_t *sc, ngx_http_webhook_store_e answer);
static ngx_int_t ngx_http_webhook_store_partial(
    ngx_http_webhook_store_claim_t *sc, ngx_http_webhook_store_e answer);
static void ngx_http_webhook_store_give_up(ngx_http_webhook_store_claim_t *sc);
static ngx_int_t ngx_http_webhook_store_renew(ngx_http_webhook_claim_t *claim,
    time_t lease);
static ngx_int_t ngx_http_webhook_store_renewed(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply);
static void ngx_http_webhook_store_detach(ngx_http_webhook_claim_t *claim);


const ngx_http_webhook_claim_ops_t  ngx_http_webhook_store_ops = {
    ngx_http_webhook_store_make,
    ngx_http_webhook_store_lookup,
    ngx_http_webhook_store_renew,
    ngx_http_webhook_store_commit,
    ngx_http_webhook_store_free,
    ngx_http_webhook_store_detach
};


static ngx_int_t
ngx_http_webhook_store_make(ngx_http_webhook_claim_t *claim, time_t lease,
    ngx_uint_t evict)
{
    ngx_http_webhook_store_claim_t *sc =
                                     (ngx_http_webhook_store_claim_t *) claim;

    ngx_int_t  rc;

    rc = NGX_DECLINED;
    claim->poll = 0;

    if (sc->owner) {

        /* asked again: the zone's claim is there, unless its lease ran out */

        claim->owner = sc->owner;
        rc = ngx_http_webhook_zone_ops.renew(claim, lease);
    }

    if (rc != NGX_OK) {
        claim->owner = 0;
        sc->owner = 0;

        rc = ngx_http_webhook_zone_ops.claim(claim, lease, evict);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    sc->owner = claim->owner;
    sc->lease = lease;
    sc->held = ngx_time();

    claim->owner = 0;

    return ngx_http_webhook_store_ask(sc, NGX_HTTP_WEBHOOK_COMMAND_CLAIM,
                                      ngx_http_webhook_store_claimed);
}


static ngx_int_t
ngx_http_webhook_store_lookup(ngx_http_webhook_claim_t *claim)
{
    ngx_http_webhook_store_claim_t *sc =
                                     (ngx_http_webhook_store_claim_t *) claim;

    ngx_int_t  rc;

    rc = ngx_http_webhook_zone_ops.lookup(claim);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_webhook_store_ask(sc, NGX_HTTP_WEBHOOK_COMMAND_GET,
                                      ngx_http_webhook_store_looked_up);
}


static ngx_int_t
ngx_http_webhook_store_ask(ngx_http_webhook_store_claim_t *sc,
    ngx_http_webhook_command_e type, ngx_http_webhook_command_pt handler)
{
    ngx_http_webhook_link_t     *link;
    ngx_http_webhook_store_e     answer;
    ngx_http_webhook_command_t   command;

    ngx_memzero(&command, sizeof(ngx_http_webhook_command_t));

    link = ngx_http_webhook_store_link(&sc->claim);

    command.type = type;
    command.handler = handler;
    command.data = sc;
    command.start = ngx_current_msec;
    command.id = sc->claim.id;
    command.number = sc->claim.number;
    command.lease = sc->lease;

    sc->asked = ngx_http_webhook_link_give(link, &command);

    if (sc->asked) {
        return NGX_AGAIN;
    }

    answer = (link->state == NGX_HTTP_WEBHOOK_LINK_UP)
             ? NGX_HTTP_WEBHOOK_STORE_FAILED : NGX_HTTP_WEBHOOK_STORE_DOWN;

    return (type == NGX_HTTP_WEBHOOK_COMMAND_GET)
           ? ngx_http_webhook_store_partial(sc, answer)
           : ngx_http_webhook_store_failed(sc, answer);
}


static ngx_int_t
ngx_http_webhook_store_claimed(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    ngx_int_t                        rc;
    ngx_uint_t                       mine;
    ngx_http_webhook_stored_t        stored;
    ngx_http_webhook_store_claim_t  *sc;

    stored.type = NGX_HTTP_WEBHOOK_VALUE_NONE;

    if (reply && reply->type == NGX_HTTP_WEBHOOK_RESP_BULK) {
        ngx_http_webhook_stored_read(&stored, &reply->text);

    } else if (reply
               && reply->type != NGX_HTTP_WEBHOOK_RESP_NULL
               && reply->type != NGX_HTTP_WEBHOOK_RESP_ERROR)
    {
        return NGX_ERROR;
    }

    mine = (reply && reply->type == NGX_HTTP_WEBHOOK_RESP_NULL);

    if (stored.type == NGX_HTTP_WEBHOOK_VALUE_CLAIM
        && stored.zone == link->store->zone->sh->number
        && stored.number == command->number)
    {
        mine = 1;
    }

    sc = command->data;

    if (sc == NULL) {

        /* the request is gone */

        if (mine || (reply == NULL && command->sent)) {
            ngx_http_webhook_store_give_free(link, &command->id,
                                             command->number, command->lease);
        }

        return NGX_OK;
    }

    if (mine) {
        rc = ngx_http_webhook_store_mine(sc);

    } else if (stored.type == NGX_HTTP_WEBHOOK_VALUE_DONE) {
        rc = ngx_http_webhook_store_done(sc, &stored);

    } else if (stored.type == NGX_HTTP_WEBHOOK_VALUE_CLAIM) {

        if (stored.zone != link->store->zone->sh->number) {
            rc = ngx_http_webhook_store_busy(sc);

        } else {

            /* the zone would know of it: an answer was lost */

            rc = ngx_http_webhook_store_take_over(link, command,
                                                  stored.number);
            if (rc == NGX_AGAIN) {
                return NGX_OK;
            }
        }

    } else if (reply) {

        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS);

        rc = ngx_http_webhook_store_failed(sc, NGX_HTTP_WEBHOOK_STORE_FAILED);

    } else {
        sc->known = command->sent;

        rc = ngx_http_webhook_store_failed(sc, (command->sent || command->late)
                                               ? NGX_HTTP_WEBHOOK_STORE_FAILED
                                               : NGX_HTTP_WEBHOOK_STORE_DOWN);
    }

    ngx_http_webhook_store_tell(command, rc);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_store_take_over(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, uint64_t leftover)
{
    ngx_http_webhook_command_t       again;
    ngx_http_webhook_store_claim_t  *sc;

    sc = command->data;
    again = *command;

    again.type = NGX_HTTP_WEBHOOK_COMMAND_KEEP;
    again.handler = ngx_http_webhook_store_taken_over;
    again.leftover = leftover;
    again.sent = 0;

    sc->asked = ngx_http_webhook_link_give(link, &again);

    return sc->asked ? NGX_AGAIN
                     : ngx_http_webhook_store_failed(sc,
                                              NGX_HTTP_WEBHOOK_STORE_FAILED);
}


static ngx_int_t
ngx_http_webhook_store_taken_over(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    ngx_int_t                        rc;
    ngx_http_webhook_store_claim_t  *sc;

    if (reply
        && reply->type != NGX_HTTP_WEBHOOK_RESP_ERROR
        && (reply->type != NGX_HTTP_WEBHOOK_RESP_INTEGER
            || (reply->number != 0 && reply->number != 1)))
    {
        return NGX_ERROR;
    }

    sc = command->data;

    if (sc == NULL) {

        if (reply == NULL || reply->number == 1) {
            ngx_http_webhook_store_give_free(link, &command->id,
                                             command->number, command->lease);
        }

        return NGX_OK;
    }

    if (reply == NULL || reply->type == NGX_HTTP_WEBHOOK_RESP_ERROR) {
        sc->known = 1;

        rc = ngx_http_webhook_store_failed(sc, NGX_HTTP_WEBHOOK_STORE_FAILED);

    } else if (reply->number == 1) {
        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_TAKEN_OVER);

        rc = ngx_http_webhook_store_mine(sc);

    } else {
        rc = ngx_http_webhook_store_busy(sc);
    }

    ngx_http_webhook_store_tell(command, rc);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_store_looked_up(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    ngx_int_t                        rc;
    ngx_http_webhook_claim_t        *claim;
    ngx_http_webhook_stored_t        stored;
    ngx_http_webhook_store_claim_t  *sc;

    stored.type = NGX_HTTP_WEBHOOK_VALUE_NONE;

    if (reply && reply->type == NGX_HTTP_WEBHOOK_RESP_BULK) {
        ngx_http_webhook_stored_read(&stored, &reply->text);

    } else if (reply
               && reply->type != NGX_HTTP_WEBHOOK_RESP_NULL
               && reply->type != NGX_HTTP_WEBHOOK_RESP_ERROR)
    {
        return NGX_ERROR;
    }

    sc = command->data;

    if (sc == NULL) {
        return NGX_OK;
    }

    claim = &sc->claim;

    if ((reply && reply->type == NGX_HTTP_WEBHOOK_RESP_NULL)
        || (stored.type == NGX_HTTP_WEBHOOK_VALUE_CLAIM
            && stored.zone == link->store->zone->sh->number))
    {
        claim->store = NGX_HTTP_WEBHOOK_STORE_MINE;
        rc = NGX_OK;

    } else if (stored.type == NGX_HTTP_WEBHOOK_VALUE_DONE) {
        claim->store = NGX_HTTP_WEBHOOK_STORE_DONE;
        claim->found = stored.fingerprint;
        rc = NGX_DECLINED;

    } else if (stored.type == NGX_HTTP_WEBHOOK_VALUE_CLAIM) {
        claim->store = NGX_HTTP_WEBHOOK_STORE_BUSY;
        rc = NGX_BUSY;

    } else {
        rc = ngx_http_webhook_store_partial(sc,
                                              (command->sent || command->late)
                                              ? NGX_HTTP_WEBHOOK_STORE_FAILED
                                              : NGX_HTTP_WEBHOOK_STORE_DOWN);
    }

    ngx_http_webhook_store_tell(command, rc);

    return NGX_OK;
}


static void
ngx_http_webhook_store_tell(ngx_http_webhook_command_t *command, ngx_int_t rc)
{
    ngx_http_webhook_claim_t        *claim;
    ngx_http_webhook_store_claim_t  *sc;

    sc = command->data;
    sc->asked = NULL;

    claim = &sc->claim;
    claim->spent += ngx_current_msec - command->start;
    claim->rc = rc;

    if (claim->handler) {
        claim->handler(claim);
    }
}


static ngx_int_t
ngx_http_webhook_store_mine(ngx_http_webhook_store_claim_t *sc)
{
    ngx_http_webhook_claim_t  *claim;

    claim = &sc->claim;

    claim->store = NGX_HTTP_WEBHOOK_STORE_MINE;
    claim->owner = sc->owner;

    sc->known = 1;
    sc->owner = 0;

    ngx_http_webhook_link_count(ngx_http_webhook_store_link(claim),
                                NGX_HTTP_WEBHOOK_COUNT_STORE_MINE);

    if (ngx_time() - sc->held < sc->lease / 2
        || ngx_http_webhook_zone_ops.renew(claim, sc->lease) == NGX_OK)
    {
        return NGX_OK;
    }

    /* while the store was asked, another request has taken over */

    claim->owner = 0;

    return NGX_BUSY;
}


static ngx_int_t
ngx_http_webhook_store_done(ngx_http_webhook_store_claim_t *sc,
    ngx_http_webhook_stored_t *stored)
{
    time_t                     now, until;
    ngx_http_webhook_zone_t   *zone;
    ngx_http_webhook_claim_t  *claim;

    claim = &sc->claim;
    zone = claim->keeper;

    claim->store = NGX_HTTP_WEBHOOK_STORE_DONE;
    claim->found = stored->fingerprint;

    /* what the zone can hold */

    now = ngx_time();
    until = ngx_min(stored->until, now + NGX_MAX_INT32_VALUE);

    ngx_shmtx_lock(&zone->shpool->mutex);

    ngx_http_webhook_table_learn(&zone->sh->table, &claim->id, sc->owner,
                                 until, stored->fingerprint);

    zone->sh->table.counters[NGX_HTTP_WEBHOOK_COUNT_STORE_DONE]++;

    ngx_shmtx_unlock(&zone->shpool->mutex);

    sc->owner = 0;

    return NGX_DECLINED;
}


/* the zone's claim is kept, and so the event for whoever asks again */

static ngx_int_t
ngx_http_webhook_store_busy(ngx_http_webhook_store_claim_t *sc)
{
    ngx_http_webhook_claim_t  *claim;

    claim = &sc->claim;

    claim->store = NGX_HTTP_WEBHOOK_STORE_BUSY;
    claim->poll = NGX_HTTP_WEBHOOK_STORE_POLL * 4 / 5
                  + (ngx_msec_t) ngx_random()
                    % (NGX_HTTP_WEBHOOK_STORE_POLL * 2 / 5);

    ngx_http_webhook_link_count(ngx_http_webhook_store_link(claim),
                                NGX_HTTP_WEBHOOK_COUNT_STORE_BUSY);

    return NGX_BUSY;
}


static ngx_int_t
ngx_http_webhook_store_failed(ngx_http_webhook_store_claim_t *sc,
    ngx_http_webhook_store_e answer)
{
    ngx_int_t                  rc;
    ngx_http_webhook_link_t   *link;
    ngx_http_webhook_claim_t  *claim;

    claim = &sc->claim;
    link = ngx_http_webhook_store_link(claim);

    ngx_http_webhook_link_count(link, (answer == NGX_HTTP_WEBHOOK_STORE_DOWN)
                                      ? NGX_HTTP_WEBHOOK_COUNT_STORE_DOWN
                                      : NGX_HTTP_WEBHOOK_COUNT_STORE_FAILED);

    rc = ngx_http_webhook_store_partial(sc, answer);

    if (rc == NGX_OK) {
        claim->owner = sc->owner;
        sc->owner = 0;

        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_LOCAL);

    } else {
        ngx_http_webhook_store_give_up(sc);

        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_REJECTED);
    }

    return rc;
}


static ngx_int_t
ngx_http_webhook_store_partial(ngx_http_webhook_store_claim_t *sc,
    ngx_http_webhook_store_e answer)
{
    sc->claim.store = answer;
    sc->claim.partial = 1;

    return sc->claim.strict ? NGX_ERROR : NGX_OK;
}


/* frees what the zone has, and what the store may have */

static void
ngx_http_webhook_store_give_up(ngx_http_webhook_store_claim_t *sc)
{
    ngx_http_webhook_claim_t  *claim;

    claim = &sc->claim;
    claim->owner = sc->owner;

    sc->owner = 0;

    (void) ngx_http_webhook_store_free(claim);
}


static ngx_int_t
ngx_http_webhook_store_renew(ngx_http_webhook_claim_t *claim, time_t lease)
{
    ngx_http_webhook_store_claim_t *sc =
                                     (ngx_http_webhook_store_claim_t *) claim;

    ngx_int_t                   rc;
    ngx_http_webhook_command_t  command;

    rc = ngx_http_webhook_zone_ops.renew(claim, lease);

    if (rc != NGX_OK || sc->lost || sc->kept) {
        return rc;
    }

    ngx_memzero(&command, sizeof(ngx_http_webhook_command_t));

    command.type = NGX_HTTP_WEBHOOK_COMMAND_KEEP;
    command.handler = ngx_http_webhook_store_renewed;
    command.data = sc;
    command.start = ngx_current_msec;
    command.id = claim->id;
    command.number = claim->number;
    command.leftover = claim->number;
    command.lease = lease;

    sc->kept = ngx_http_webhook_link_give(ngx_http_webhook_store_link(claim),
                                          &command);
    if (sc->kept) {
        sc->known = 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_store_renewed(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    ngx_http_webhook_store_claim_t  *sc;

    sc = command->data;

    if (reply && reply->type == NGX_HTTP_WEBHOOK_RESP_ERROR) {
        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS);

    } else if (reply
               && (reply->type != NGX_HTTP_WEBHOOK_RESP_INTEGER
                   || (reply->number != 0 && reply->number != 1)))
    {
        return NGX_ERROR;
    }

    if (sc == NULL) {
        return NGX_OK;
    }

    sc->kept = NULL;

    if (reply && reply->type == NGX_HTTP_WEBHOOK_RESP_INTEGER
        && reply->number == 0)
    {
        sc->lost = 1;

        ngx_log_error(NGX_LOG_WARN, sc->claim.log, 0,
                      "webhook lease was lost in the store \"%V\": another "
                      "server may deliver the event too", &link->store->name);
    }

    return NGX_OK;
}


static void
ngx_http_webhook_store_detach(ngx_http_webhook_claim_t *claim)
{
    ngx_http_webhook_store_claim_t *sc =
                                     (ngx_http_webhook_store_claim_t *) claim;

    claim->handler = NULL;

    if (sc->asked) {
        sc->asked->data = NULL;
        sc->asked = NULL;
    }

    if (sc->kept) {
        sc->kept->data = NULL;
        sc->kept = NULL;
    }

    if (sc->owner) {

        /* the store has not agreed: what it still says is looked at then */

        ngx_http_webhook_store_give_up(sc);
    }
}
