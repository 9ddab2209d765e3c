
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
static ngx_uint_t ngx_http_webhook_tell_event(
    ngx_http_webhook_monitor_t *monitor, ngx_http_webhook_zone_t *zone,
    ngx_http_webhook_id_t *id);
static ngx_uint_t ngx_http_webhook_forget(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t *zone, ngx_http_webhook_id_t *id);
static void ngx_http_webhook_log_forgotten(ngx_http_request_t *r,
    ngx_str_t *zone, uint64_t n);
static ngx_uint_t ngx_http_webhook_is_same(const ngx_str_t *s1,
    const ngx_str_t *s2);


ngx_uint_t
ngx_http_webhook_monitor_event(ngx_http_webhook_monitor_t *monitor)
{
    ngx_int_t                 rc;
    ngx_http_request_t       *r;
    ngx_http_webhook_id_t     id;
    ngx_http_webhook_zone_t  *zone;

    r = monitor->request;

    rc = ngx_http_webhook_find_event(monitor, &zone, &id);

    if (rc == NGX_OK && r->method == NGX_HTTP_DELETE
        && !ngx_http_webhook_is_meant(r, &zone->shm_zone->shm.name))
    {
        monitor->message = "DELETE needs a header Webhook-Forget that names "
                           "the zone";
        rc = NGX_DECLINED;
    }

    switch (rc) {

    case NGX_OK:
        return (r->method == NGX_HTTP_DELETE)
               ? ngx_http_webhook_forget(monitor, zone, &id)
               : ngx_http_webhook_tell_event(monitor, zone, &id);

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


static ngx_uint_t
ngx_http_webhook_tell_event(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t *zone, ngx_http_webhook_id_t *id)
{
    char                       *state;
    u_char                      hex[2 * sizeof(ngx_http_webhook_id_t)];
    time_t                      until;
    ngx_int_t                   rc;
    ngx_http_webhook_writer_t  *w;

    w = &monitor->writer;

    rc = ngx_http_webhook_zone_ask(zone, id, &until);

    switch (rc) {

    case NGX_DECLINED:
        state = "done";
        break;

    case NGX_BUSY:
        state = "in_flight";
        break;

    default: /* NGX_OK */
        state = "unknown";
        break;
    }

    (void) ngx_hex_dump(hex, (u_char *) id, sizeof(ngx_http_webhook_id_t));

    ngx_http_webhook_write(w, "{\"zone\":");
    ngx_http_webhook_write_string(w, &zone->shm_zone->shm.name);
    ngx_http_webhook_write(w, ",\"id\":\"%*s\",\"state\":\"%s\",\"until\":",
                           sizeof(hex), hex, state);

    if (until) {
        ngx_http_webhook_write(w, "%T}\n", until);

    } else {
        ngx_http_webhook_write(w, "null}\n");
    }

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_webhook_forget(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_zone_t *zone, ngx_http_webhook_id_t *id)
{
    uint64_t                    n;
    ngx_int_t                   rc;
    ngx_str_t                  *name;
    ngx_http_webhook_writer_t  *w;

    w = &monitor->writer;
    name = &zone->shm_zone->shm.name;

    if (zone->store) {

        /* the store would go on saying that the event is done */

        if (monitor->args[NGX_HTTP_WEBHOOK_ARG_ALL].data) {
            monitor->error = "bad_request";
            monitor->message = "all=yes is for zones without a store";

            return NGX_HTTP_BAD_REQUEST;
        }

        monitor->error = "store_unavailable";
        monitor->message = "what a store remembers can be forgotten there "
                           "only: delete the key";

        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (monitor->args[NGX_HTTP_WEBHOOK_ARG_ALL].data) {
        rc = ngx_http_webhook_zone_forget_all(zone, &n);

    } else {
        rc = ngx_http_webhook_zone_forget(zone, id);
        n = (rc == NGX_OK);
    }

    if (rc == NGX_OK || n) {
        ngx_http_webhook_log_forgotten(monitor->request, name, n);
    }

    switch (rc) {

    case NGX_OK:
        ngx_http_webhook_write(w, "{\"zone\":");
        ngx_http_webhook_write_string(w, name);
        ngx_http_webhook_write(w, ",\"forgotten\":%uL}\n", n);

        return NGX_HTTP_OK;

    case NGX_DECLINED:
        monitor->error = "not_remembered";
        monitor->message = "the event is not remembered";

        return NGX_HTTP_NOT_FOUND;

    case NGX_BUSY:
        monitor->error = "in_flight";
        monitor->message = "the event is with the application";

        return NGX_HTTP_CONFLICT;

    default: /* NGX_AGAIN */
        monitor->error = "zone_busy";
        monitor->message = "the zone is being copied by a reload: try again";

        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
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
