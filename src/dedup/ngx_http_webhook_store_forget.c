
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A zone and its store, on request: is an event remembered, and forgetting it.
 *
 * The zone forgets first, with what it owes: otherwise it would tell the store
 * again.  Without an answer of the store it remembers again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store_command.h"
#include "ngx_http_webhook_store_forget.h"


static ngx_int_t ngx_http_webhook_inquiry_ask(
    ngx_http_webhook_inquiry_t *inquiry, ngx_http_webhook_command_t *command);
static ngx_int_t ngx_http_webhook_store_found(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply);
static ngx_int_t ngx_http_webhook_store_forgotten(
    ngx_http_webhook_link_t *link, ngx_http_webhook_command_t *command,
    ngx_http_webhook_resp_t *reply);
static void ngx_http_webhook_inquiry_put_back(ngx_http_webhook_zone_t *zone,
    ngx_http_webhook_command_t *command, ngx_uint_t owed);
static void ngx_http_webhook_inquiry_tell(ngx_http_webhook_command_t *command,
    ngx_int_t rc);


ngx_int_t
ngx_http_webhook_store_look_up(ngx_http_webhook_inquiry_t *inquiry)
{
    ngx_int_t                   rc;
    ngx_http_webhook_command_t  command;

    rc = ngx_http_webhook_zone_ask(inquiry->zone, &inquiry->id,
                                   &inquiry->until);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&command, sizeof(ngx_http_webhook_command_t));

    command.type = NGX_HTTP_WEBHOOK_COMMAND_GET;
    command.handler = ngx_http_webhook_store_found;

    return ngx_http_webhook_inquiry_ask(inquiry, &command);
}


ngx_int_t
ngx_http_webhook_store_forget(ngx_http_webhook_inquiry_t *inquiry)
{
    time_t                           now;
    uint32_t                         number;
    ngx_int_t                        rc;
    ngx_http_webhook_slot_t          slot;
    ngx_http_webhook_zone_t         *zone;
    ngx_http_webhook_command_t       command;
    const ngx_http_webhook_store_t  *store;

    now = ngx_time();
    zone = inquiry->zone;
    store = zone->store;

    if (!ngx_http_webhook_link_takes(store->link)) {

        /* the zone need not forget, and remember again */

        return NGX_ERROR;
    }

    ngx_memzero(&command, sizeof(ngx_http_webhook_command_t));

    ngx_shmtx_lock(&zone->shpool->mutex);
    rc = ngx_http_webhook_table_take_out(&zone->sh->table, &inquiry->id, now,
                                         &slot, &number);
    ngx_shmtx_unlock(&zone->shpool->mutex);

    switch (rc) {

    case NGX_OK:
        command.until = now + (int32_t) (slot.expire - (uint32_t) now);
        command.state = slot.state;
        command.number = number;
        break;

    case NGX_DECLINED:
        break;

    case NGX_AGAIN:
        return NGX_ABORT;

    default: /* NGX_BUSY */
        return rc;
    }

    command.type = NGX_HTTP_WEBHOOK_COMMAND_FORGET;
    command.handler = ngx_http_webhook_store_forgotten;

    rc = ngx_http_webhook_inquiry_ask(inquiry, &command);

    if (rc == NGX_ERROR) {
        ngx_http_webhook_inquiry_put_back(zone, &command, 0);
    }

    return rc;
}


static ngx_int_t
ngx_http_webhook_inquiry_ask(ngx_http_webhook_inquiry_t *inquiry,
    ngx_http_webhook_command_t *command)
{
    const ngx_http_webhook_store_t  *store;

    store = inquiry->zone->store;

    command->data = inquiry;
    command->start = ngx_current_msec;
    command->id = inquiry->id;

    inquiry->asked = ngx_http_webhook_link_give(store->link, command);

    return inquiry->asked ? NGX_AGAIN : NGX_ERROR;
}


void
ngx_http_webhook_store_leave(ngx_http_webhook_inquiry_t *inquiry)
{
    if (inquiry->asked) {
        inquiry->asked->data = NULL;
        inquiry->asked = NULL;
    }
}


static ngx_int_t
ngx_http_webhook_store_found(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    ngx_int_t                    rc;
    ngx_http_webhook_zone_t     *zone;
    ngx_http_webhook_stored_t    stored;
    ngx_http_webhook_inquiry_t  *inquiry;

    stored.type = NGX_HTTP_WEBHOOK_VALUE_NONE;

    if (reply && reply->type == NGX_HTTP_WEBHOOK_RESP_BULK) {
        ngx_http_webhook_stored_read(&stored, &reply->text);

    } else if (reply
               && reply->type != NGX_HTTP_WEBHOOK_RESP_NULL
               && reply->type != NGX_HTTP_WEBHOOK_RESP_ERROR)
    {
        return NGX_ERROR;
    }

    inquiry = command->data;

    if (inquiry == NULL) {
        return NGX_OK;
    }

    zone = inquiry->zone;

    if (reply && reply->type == NGX_HTTP_WEBHOOK_RESP_NULL) {
        rc = NGX_OK;

    } else if (stored.type == NGX_HTTP_WEBHOOK_VALUE_DONE) {
        inquiry->until = stored.until;
        rc = NGX_DECLINED;

    } else if (stored.type == NGX_HTTP_WEBHOOK_VALUE_CLAIM) {

        /* a leftover of this server is none, unless it was claimed meanwhile */

        rc = (stored.zone == zone->sh->number)
             ? ngx_http_webhook_zone_ask(zone, &inquiry->id, &inquiry->until)
             : NGX_BUSY;

    } else {
        rc = NGX_ERROR;
    }

    ngx_http_webhook_inquiry_tell(command, rc);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_store_forgotten(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    ngx_int_t                 rc;
    ngx_http_webhook_zone_t  *zone;

    zone = link->store->zone;

    if (reply == NULL) {

        /* whether the store has forgotten is not known: it is told again */

        ngx_http_webhook_inquiry_put_back(zone, command, command->sent);
        ngx_http_webhook_inquiry_tell(command, NGX_ERROR);

        return NGX_OK;
    }

    if (reply->type == NGX_HTTP_WEBHOOK_RESP_ERROR) {

        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS);

        ngx_http_webhook_inquiry_put_back(zone, command, 0);
        ngx_http_webhook_inquiry_tell(command, NGX_ERROR);

        return NGX_OK;
    }

    if (reply->type != NGX_HTTP_WEBHOOK_RESP_INTEGER) {
        return NGX_ERROR;
    }

    switch (reply->number) {

    case 0:
        rc = command->state ? NGX_OK : NGX_DECLINED;
        break;

    case 1:
        rc = NGX_OK;
        break;

    case 2:
        ngx_http_webhook_inquiry_put_back(zone, command, 0);
        rc = NGX_BUSY;
        break;

    default:
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {
        ngx_http_webhook_link_count(link, NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN);

        if (command->data == NULL) {
            ngx_log_error(NGX_LOG_NOTICE, link->store->log, 0,
                          "webhook dedup zone \"%V\": 1 events were forgotten "
                          "on request of a client that is gone",
                          &zone->shm_zone->shm.name);
        }
    }

    ngx_http_webhook_inquiry_tell(command, rc);

    return NGX_OK;
}


static void
ngx_http_webhook_inquiry_put_back(ngx_http_webhook_zone_t *zone,
    ngx_http_webhook_command_t *command, ngx_uint_t owed)
{
    ngx_http_webhook_slot_t  slot;

    if (command->state == 0) {
        return;
    }

    slot.id = command->id;
    slot.expire = (uint32_t) command->until;
    slot.state = command->state;

    ngx_shmtx_lock(&zone->shpool->mutex);
    ngx_http_webhook_table_put_back(&zone->sh->table, &slot,
                                    (uint32_t) command->number, owed);
    ngx_shmtx_unlock(&zone->shpool->mutex);
}


static void
ngx_http_webhook_inquiry_tell(ngx_http_webhook_command_t *command,
    ngx_int_t rc)
{
    ngx_http_webhook_inquiry_t *inquiry = command->data;

    if (inquiry) {
        inquiry->asked = NULL;
        inquiry->handler(inquiry, rc);
    }
}
