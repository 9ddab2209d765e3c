
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The monitor, of a single event: whether it is remembered, and forgetting it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_dedup.h"
#include "ngx_http_webhook_encoding.h"
#include "ngx_http_webhook_monitor.h"


static ngx_int_t ngx_http_webhook_find_event(
    ngx_http_webhook_monitor_t *monitor, ngx_http_webhook_zone_t **zone,
    ngx_http_webhook_id_t *id);
static ngx_int_t ngx_http_webhook_find_by_key(
    ngx_http_webhook_monitor_t *monitor, ngx_http_webhook_zone_t **zone,
    ngx_http_webhook_id_t *id);
static const ngx_http_webhook_loc_conf_t *ngx_http_webhook_find_location(
    ngx_http_webhook_monitor_t *monitor);
static ngx_uint_t ngx_http_webhook_has_line(ngx_array_t *lines,
    ngx_uint_t nparts);
static ngx_int_t ngx_http_webhook_find_in_zone(
    ngx_http_webhook_monitor_t *monitor, ngx_http_webhook_zone_t **zone,
    ngx_http_webhook_id_t *id);
static ngx_http_webhook_zone_t *ngx_http_webhook_find_zone(
    ngx_http_webhook_monitor_t *monitor);
static ngx_uint_t ngx_http_webhook_is_meant(ngx_http_request_t *r,
    ngx_str_t *zone);
static ngx_int_t ngx_http_webhook_ask_event(
    ngx_http_webhook_monitor_t *monitor, ngx_http_webhook_zone_t *zone);
static void ngx_http_webhook_event_asked(ngx_http_webhook_inquiry_t *inquiry,
    ngx_int_t rc);
static ngx_uint_t ngx_http_webhook_tell_event(
    ngx_http_webhook_monitor_t *monitor, ngx_int_t rc);
static ngx_int_t ngx_http_webhook_forget(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t *zone);
static void ngx_http_webhook_event_forgotten(
    ngx_http_webhook_inquiry_t *inquiry, ngx_int_t rc);
static ngx_uint_t ngx_http_webhook_tell_forgotten(
    ngx_http_webhook_monitor_t *monitor, ngx_http_webhook_zone_t *zone,
    ngx_int_t rc, uint64_t n);
static ngx_uint_t ngx_http_webhook_no_store(
    ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_log_forgotten(ngx_http_request_t *r,
    ngx_str_t *zone, uint64_t n);
static ngx_uint_t ngx_http_webhook_is_same(const ngx_str_t *s1,
    const ngx_str_t *s2);


ngx_int_t
ngx_http_webhook_monitor_event(ngx_http_webhook_monitor_t *monitor)
{
    ngx_int_t                 rc;
    ngx_http_request_t       *r;
    ngx_http_webhook_zone_t  *zone;

    r = monitor->request;
    zone = NULL;

    rc = ngx_http_webhook_find_event(monitor, &zone,
                                     &monitor->inquiry.id);

    if (rc == NGX_OK && r->method == NGX_HTTP_DELETE
        && !ngx_http_webhook_is_meant(r, &zone->shm_zone->shm.name))
    {
        monitor->message = "DELETE needs a header Webhook-Forget that names "
                           "the zone";
        rc = NGX_DECLINED;
    }

    switch (rc) {

    case NGX_OK:
        monitor->inquiry.zone = zone;
        monitor->inquiry.data = monitor;

        return (r->method == NGX_HTTP_DELETE)
               ? ngx_http_webhook_forget(monitor, zone)
               : ngx_http_webhook_ask_event(monitor, zone);

    case NGX_DECLINED:
        monitor->error = "bad_request";
        return NGX_HTTP_BAD_REQUEST;

    default: /* NGX_ERROR */
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* NGX_DECLINED, and a message, if nothing or too much is named */

static ngx_int_t
ngx_http_webhook_find_event(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t **zone, ngx_http_webhook_id_t *id)
{
    ngx_str_t   *args;
    ngx_uint_t   by_key, in_zone;

    args = monitor->args;

    by_key = (args[NGX_HTTP_WEBHOOK_ARG_SERVER].data
              || args[NGX_HTTP_WEBHOOK_ARG_LOCATION].data
              || args[NGX_HTTP_WEBHOOK_ARG_NAMESPACE].data
              || args[NGX_HTTP_WEBHOOK_ARG_KEY].data);

    in_zone = (args[NGX_HTTP_WEBHOOK_ARG_ZONE].data
               || args[NGX_HTTP_WEBHOOK_ARG_ID].data
               || args[NGX_HTTP_WEBHOOK_ARG_ALL].data);

    if (by_key == in_zone) {
        monitor->message = "name an event by server, location and key, or by "
                           "zone and id";
        return NGX_DECLINED;
    }

    return by_key ? ngx_http_webhook_find_by_key(monitor, zone, id)
                  : ngx_http_webhook_find_in_zone(monitor, zone, id);
}


static ngx_int_t
ngx_http_webhook_find_by_key(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t **zone, ngx_http_webhook_id_t *id)
{
    ngx_str_t                           fields[NGX_HTTP_WEBHOOK_MAX_FIELDS];
    ngx_str_t                          *key, *namespace;
    ngx_http_webhook_dedup_conf_t      *dcf;
    const ngx_http_webhook_loc_conf_t  *conf;

    conf = ngx_http_webhook_find_location(monitor);
    if (conf == NULL) {
        return NGX_DECLINED;
    }

    dcf = conf->rules.dedup;
    namespace = &monitor->args[NGX_HTTP_WEBHOOK_ARG_NAMESPACE];
    key = NULL;

    if (dcf->key) {
        key = dcf->key->lengths ? namespace : &dcf->key->value;
    }

    if ((key == namespace) != (namespace->data != NULL)) {
        monitor->message = key ? "namespace is missing"
                               : "the location has a namespace of its own";
        return NGX_DECLINED;
    }

    ngx_http_webhook_dedup_namespace(fields, conf->rules.keyring->scheme, key,
                                     &conf->server, &conf->location);

    ngx_memcpy(&fields[NGX_HTTP_WEBHOOK_NAMESPACE], monitor->keys,
               monitor->nkeys * sizeof(ngx_str_t));

    *zone = dcf->shm_zone->data;

    return ngx_http_webhook_zone_id(id, fields,
                                    NGX_HTTP_WEBHOOK_NAMESPACE
                                    + monitor->nkeys);
}


/* where events are named by as many keys */

static const ngx_http_webhook_loc_conf_t *
ngx_http_webhook_find_location(ngx_http_webhook_monitor_t *monitor)
{
    ngx_str_t                     *server, *location;
    ngx_uint_t                     i;
    ngx_http_webhook_loc_conf_t  **conf;

    server = &monitor->args[NGX_HTTP_WEBHOOK_ARG_SERVER];
    location = &monitor->args[NGX_HTTP_WEBHOOK_ARG_LOCATION];

    if (server->data == NULL || location->data == NULL || monitor->nkeys == 0) {
        monitor->message = "server, location or key is missing";
        return NULL;
    }

    monitor->message = "there is no such location";

    conf = monitor->main->locations.elts;

    for (i = 0; i < monitor->main->locations.nelts; i++) {

        if (!ngx_http_webhook_is_same(server, &conf[i]->server)
            || !ngx_http_webhook_is_same(location, &conf[i]->location)
            || conf[i]->rules.dedup->shm_zone == NULL)
        {
            continue;
        }

        if (ngx_http_webhook_has_line(conf[i]->rules.keyring->scheme->dedup_key,
                                      monitor->nkeys))
        {
            return conf[i];
        }

        monitor->message = "the dedup key has another number of parts";
    }

    return NULL;
}


static ngx_uint_t
ngx_http_webhook_has_line(ngx_array_t *lines, ngx_uint_t nparts)
{
    ngx_uint_t                i;
    ngx_http_webhook_line_t  *line;

    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {
        if (line[i].nparts == nparts) {
            return 1;
        }
    }

    return 0;
}


/* by its id, or all of them */

static ngx_int_t
ngx_http_webhook_find_in_zone(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t **zone, ngx_http_webhook_id_t *id)
{
    u_char      bytes[sizeof(ngx_http_webhook_id_t) + 2];
    ngx_str_t  *hex, *all;

    static ngx_str_t  yes = ngx_string("yes");

    *zone = ngx_http_webhook_find_zone(monitor);

    if (*zone == NULL) {
        monitor->message = "there is no such zone";
        return NGX_DECLINED;
    }

    hex = &monitor->args[NGX_HTTP_WEBHOOK_ARG_ID];
    all = &monitor->args[NGX_HTTP_WEBHOOK_ARG_ALL];

    if (all->data) {

        if (hex->data || !ngx_http_webhook_is_same(all, &yes)
            || monitor->request->method != NGX_HTTP_DELETE)
        {
            monitor->message = "all=yes is for DELETE, and without id";
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (hex->len != 2 * sizeof(ngx_http_webhook_id_t)
        || ngx_http_webhook_decode(bytes, hex, NGX_HTTP_WEBHOOK_ENCODING_HEX)
           != NGX_OK)
    {
        monitor->message = "id is not one of 32 hex digits";
        return NGX_DECLINED;
    }

    ngx_memcpy(id, bytes, sizeof(ngx_http_webhook_id_t));

    return NGX_OK;
}


static ngx_http_webhook_zone_t *
ngx_http_webhook_find_zone(ngx_http_webhook_monitor_t *monitor)
{
    ngx_str_t                    *name;
    ngx_uint_t                    i;
    ngx_array_t                  *zones;
    ngx_http_webhook_counted_t  **zone;

    name = &monitor->args[NGX_HTTP_WEBHOOK_ARG_ZONE];

    zones = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_ZONES];
    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        if (ngx_http_webhook_is_same(name,
                                     &zone[i]->zone->shm_zone->shm.name))
        {
            return zone[i]->zone;
        }
    }

    return NULL;
}


/*
 * A header of its own, which no form of another site can send, and which says
 * once more what is meant.
 */

static ngx_uint_t
ngx_http_webhook_is_meant(ngx_http_request_t *r, ngx_str_t *zone)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("webhook_forget");

    part = NULL;

    h = ngx_http_webhook_next_header(r, &name, &part, &i);

    return h
           && ngx_http_webhook_is_same(&h->value, zone)
           && ngx_http_webhook_next_header(r, &name, &part, &i) == NULL;
}


static ngx_int_t
ngx_http_webhook_ask_event(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t *zone)
{
    ngx_int_t                    rc;
    ngx_http_webhook_inquiry_t  *inquiry;

    inquiry = &monitor->inquiry;

    if (zone->store) {
        inquiry->handler = ngx_http_webhook_event_asked;

        rc = ngx_http_webhook_store_look_up(inquiry);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

    } else {
        rc = ngx_http_webhook_zone_ask(zone, &inquiry->id, &inquiry->until);
    }

    return ngx_http_webhook_tell_event(monitor, rc);
}


static void
ngx_http_webhook_event_asked(ngx_http_webhook_inquiry_t *inquiry,
    ngx_int_t rc)
{
    ngx_http_webhook_monitor_t *monitor = inquiry->data;

    monitor->handler(monitor, ngx_http_webhook_tell_event(monitor, rc));
}


static ngx_uint_t
ngx_http_webhook_tell_event(ngx_http_webhook_monitor_t *monitor, ngx_int_t rc)
{
    char                        *state;
    u_char                       hex[2 * sizeof(ngx_http_webhook_id_t)];
    ngx_http_webhook_writer_t   *w;
    ngx_http_webhook_inquiry_t  *inquiry;

    w = &monitor->writer;
    inquiry = &monitor->inquiry;

    switch (rc) {

    case NGX_DECLINED:
        state = "done";
        break;

    case NGX_BUSY:
        state = "in_flight";
        break;

    case NGX_ERROR:
        return ngx_http_webhook_no_store(monitor);

    default: /* NGX_OK */
        state = "unknown";
        break;
    }

    (void) ngx_hex_dump(hex, (u_char *) &inquiry->id,
                        sizeof(ngx_http_webhook_id_t));

    ngx_http_webhook_write(w, "{\"zone\":");
    ngx_http_webhook_write_string(w, &inquiry->zone->shm_zone->shm.name);
    ngx_http_webhook_write(w, ",\"id\":\"%*s\",\"state\":\"%s\",\"until\":",
                           sizeof(hex), hex, state);

    if (inquiry->until) {
        ngx_http_webhook_write(w, "%T}\n", inquiry->until);

    } else {
        ngx_http_webhook_write(w, "null}\n");
    }

    return NGX_HTTP_OK;
}


static ngx_int_t
ngx_http_webhook_forget(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t *zone)
{
    uint64_t                     n;
    ngx_int_t                    rc;
    ngx_uint_t                   all;
    ngx_http_webhook_inquiry_t  *inquiry;

    inquiry = &monitor->inquiry;
    all = (monitor->args[NGX_HTTP_WEBHOOK_ARG_ALL].data != NULL);

    if (zone->store && all) {

        /* the store would go on saying that they are done */

        monitor->error = "bad_request";
        monitor->message = "all=yes is for zones without a store";

        return NGX_HTTP_BAD_REQUEST;
    }

    if (zone->store) {
        inquiry->handler = ngx_http_webhook_event_forgotten;

        rc = ngx_http_webhook_store_forget(inquiry);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        n = 0;

    } else if (all) {
        rc = ngx_http_webhook_zone_forget_all(zone, &n);

    } else {
        rc = ngx_http_webhook_zone_forget(zone, &inquiry->id);
        n = (rc == NGX_OK);
    }

    return ngx_http_webhook_tell_forgotten(monitor, zone, rc, n);
}


static void
ngx_http_webhook_event_forgotten(ngx_http_webhook_inquiry_t *inquiry,
    ngx_int_t rc)
{
    ngx_uint_t                   status;
    ngx_http_webhook_monitor_t  *monitor;

    monitor = inquiry->data;

    status = ngx_http_webhook_tell_forgotten(monitor, inquiry->zone, rc,
                                             (rc == NGX_OK));
    monitor->handler(monitor, status);
}


static ngx_uint_t
ngx_http_webhook_tell_forgotten(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t *zone, ngx_int_t rc, uint64_t n)
{
    ngx_str_t                  *name;
    ngx_http_webhook_writer_t  *w;

    w = &monitor->writer;
    name = &zone->shm_zone->shm.name;

    if (rc == NGX_OK || n) {
        ngx_http_webhook_log_forgotten(monitor->request, name, n);
    }

    switch (rc) {

    case NGX_OK:
        ngx_http_webhook_write(w, "{\"zone\":");
        ngx_http_webhook_write_string(w, name);
        ngx_http_webhook_write(w, ",\"forgotten\":%uL%s}\n", n,
                               zone->store
                               ? ",\"message\":\"other servers may still "
                                 "remember it: ask each of them\""
                               : "");

        return NGX_HTTP_OK;

    case NGX_DECLINED:
        monitor->error = "not_remembered";
        monitor->message = "the event is not remembered";

        return NGX_HTTP_NOT_FOUND;

    case NGX_BUSY:
        monitor->error = "in_flight";
        monitor->message = "the event is with the application";

        return NGX_HTTP_CONFLICT;

    case NGX_ERROR:
        return ngx_http_webhook_no_store(monitor);

    default: /* NGX_AGAIN, NGX_ABORT */
        monitor->error = "zone_busy";
        monitor->message = "the zone is being copied by a reload: try again";

        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
}


static ngx_uint_t
ngx_http_webhook_no_store(ngx_http_webhook_monitor_t *monitor)
{
    monitor->error = "store_unavailable";
    monitor->message = "the store of the zone cannot be asked now";

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


/* nginx would add the request line, with the key in it */

static void
ngx_http_webhook_log_forgotten(ngx_http_request_t *r, ngx_str_t *zone,
    uint64_t n)
{
    ngx_log_t  log;

    log = *r->connection->log;
    log.handler = NULL;

    ngx_log_error(NGX_LOG_NOTICE, &log, 0,
                  "webhook dedup zone \"%V\": %uL events were forgotten on "
                  "request of client %V", zone, n, &r->connection->addr_text);
}


static ngx_uint_t
ngx_http_webhook_is_same(const ngx_str_t *s1, const ngx_str_t *s2)
{
    return s1->len == s2->len
           && ngx_strncmp(s1->data, s2->data, s1->len) == 0;
}
