
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Outcomes of claims of a zone that is the first level of a store: they are
 * told to the zone first, and then to the store, whose answer nobody waits
 * for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store_claim.h"
#include "ngx_http_webhook_store_command.h"


static ngx_int_t ngx_http_webhook_store_freed(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply);


ngx_int_t
ngx_http_webhook_store_commit(ngx_http_webhook_claim_t *claim, time_t until)
{
    ngx_int_t                   rc;
    ngx_http_webhook_command_t  command;

    rc = ngx_http_webhook_zone_ops.commit(claim, until);

    /* what cannot be sent now is owed */

    ngx_memzero(&command, sizeof(ngx_http_webhook_command_t));

    command.type = NGX_HTTP_WEBHOOK_COMMAND_COMMIT;
    command.handler = ngx_http_webhook_store_committed;
    command.start = ngx_current_msec;
    command.id = claim->id;
    command.number = claim->number;
    command.until = until;
    command.fingerprint = claim->fingerprint;

    (void) ngx_http_webhook_link_give(ngx_http_webhook_store_link(claim),
                                      &command);
    return rc;
}


ngx_int_t
ngx_http_webhook_store_committed(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    ngx_uint_t                  overtaken;
    ngx_http_webhook_zone_t    *zone;
    ngx_http_webhook_table_t   *table;
    ngx_http_webhook_stored_t   stored;

    if (reply == NULL) {
        return NGX_OK;
    }

    zone = link->store->zone;
    table = &zone->sh->table;

    switch (reply->type) {

    case NGX_HTTP_WEBHOOK_RESP_NULL:
        overtaken = 0;
        break;

    case NGX_HTTP_WEBHOOK_RESP_BULK:

        ngx_http_webhook_stored_read(&stored, &reply->text);

        overtaken = (stored.type == NGX_HTTP_WEBHOOK_VALUE_CLAIM
                     && (stored.zone != zone->sh->number
                         || (command->number
                             && stored.number != command->number)));
        break;

    case NGX_HTTP_WEBHOOK_RESP_ERROR:

        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS);

        if (ngx_http_webhook_reply_is(reply, "OOM")) {
            return NGX_OK;
        }

        /* something else has that key, and keeps it */

        overtaken = 0;
        break;

    default:
        return NGX_ERROR;
    }

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (ngx_http_webhook_link_settles(link)) {
        ngx_http_webhook_table_acknowledge(table, &command->id, command->until,
                                           command->fingerprint);
    }

    if (overtaken) {
        table->counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OVERTAKEN]++;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_store_free(ngx_http_webhook_claim_t *claim)
{
    ngx_http_webhook_store_claim_t *sc =
                                     (ngx_http_webhook_store_claim_t *) claim;

    ngx_int_t  rc;

    rc = ngx_http_webhook_zone_ops.free(claim);

    if (sc->known) {
        sc->known = 0;

        ngx_http_webhook_store_give_free(ngx_http_webhook_store_link(claim),
                                         &claim->id, claim->number, sc->lease);
    }

    return rc;
}


void
ngx_http_webhook_store_give_free(ngx_http_webhook_link_t *link,
    ngx_http_webhook_id_t *id, uint64_t number, time_t lease)
{
    ngx_http_webhook_command_t  command;

    ngx_memzero(&command, sizeof(ngx_http_webhook_command_t));

    command.type = NGX_HTTP_WEBHOOK_COMMAND_FREE;
    command.handler = ngx_http_webhook_store_freed;
    command.start = ngx_current_msec;
    command.id = *id;
    command.number = number;
    command.until = ngx_time() + lease;

    (void) ngx_http_webhook_link_give(link, &command);
}


static ngx_int_t
ngx_http_webhook_store_freed(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    if (reply && reply->type == NGX_HTTP_WEBHOOK_RESP_ERROR) {
        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS);
        return NGX_OK;
    }

    return (reply == NULL
            || (reply->type == NGX_HTTP_WEBHOOK_RESP_INTEGER
                && (reply->number == 0 || reply->number == 1)))
           ? NGX_OK : NGX_ERROR;
}


ngx_http_webhook_link_t *
ngx_http_webhook_store_link(ngx_http_webhook_claim_t *claim)
{
    ngx_http_webhook_zone_t   *zone;
    ngx_http_webhook_store_t  *store;

    zone = claim->keeper;
    store = zone->store;

    return store->link;
}
