
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the monitor tells, in JSON.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_monitor.h"


static void ngx_http_webhook_json_places(ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_json_place(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_loc_conf_t *conf);
static void ngx_http_webhook_json_window(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_window_t *window);
static void ngx_http_webhook_json_dedup(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_loc_conf_t *conf);
static void ngx_http_webhook_json_part(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_template_t *part);
static void ngx_http_webhook_json_counts(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_counted_t *place);
static void ngx_http_webhook_json_requests(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_counted_t *place, ngx_uint_t dry_run);
static void ngx_http_webhook_json_zones(ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_json_store(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_counted_t *zone);
static void ngx_http_webhook_json_schemes(ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_json_histogram(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_histogram_e type,
    const ngx_http_webhook_histogram_t *histogram);
static void ngx_http_webhook_json_recent(ngx_http_webhook_monitor_t *monitor);


void
ngx_http_webhook_monitor_json(ngx_http_webhook_monitor_t *monitor)
{
    ngx_http_webhook_writer_t   *w;
    ngx_http_webhook_metrics_t  *metrics;

    w = &monitor->writer;
    metrics = &monitor->main->metrics;

    ngx_http_webhook_write(w, "{\"version\":\"%s\",\"nginx\":\"%s\","
                           "\"now\":%T,\"since\":%T,\"loaded\":%T,"
                           "\"waiting\":%ui,\n\"places\":[",
                           NGX_HTTP_WEBHOOK_VERSION, NGINX_VERSION, ngx_time(),
                           ngx_http_webhook_metrics_since(metrics),
                           metrics->loaded,
                           ngx_http_webhook_metrics_waiting(metrics));

    ngx_http_webhook_json_places(monitor);

    ngx_http_webhook_write(w, "],\n\"zones\":[");

    ngx_http_webhook_json_zones(monitor);

    ngx_http_webhook_write(w, "],\n\"schemes\":[");

    ngx_http_webhook_json_schemes(monitor);

    ngx_http_webhook_write(w, "],\n\"recent\":[");

    ngx_http_webhook_json_recent(monitor);

    ngx_http_webhook_write(w, "]}\n");
}


static void
ngx_http_webhook_json_places(ngx_http_webhook_monitor_t *monitor)
{
    char                           *comma;
    ngx_uint_t                      i;
    ngx_http_webhook_writer_t      *w;
    ngx_http_webhook_loc_conf_t   **conf;

    w = &monitor->writer;
    conf = monitor->main->locations.elts;
    comma = "";

    for (i = 0; i < monitor->main->locations.nelts; i++) {

        if (!conf[i]->shown) {
            continue;
        }

        ngx_http_webhook_write(w, "%s\n{\"place\":", comma);
        ngx_http_webhook_json_place(w, conf[i]);
        comma = ",";
    }
}


static void
ngx_http_webhook_json_place(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_loc_conf_t *conf)
{
    ngx_http_webhook_write_string(w, &conf->label);
    ngx_http_webhook_write(w, ",\"server\":");
    ngx_http_webhook_write_string(w, &conf->server);
    ngx_http_webhook_write(w, ",\"location\":");
    ngx_http_webhook_write_string(w, &conf->location);
    ngx_http_webhook_write(w, ",\"scheme\":");
    ngx_http_webhook_write_string(w, &conf->rules.keyring->scheme->name);

    ngx_http_webhook_write(w, ",\"dry_run\":%s,\"window\":",
                           conf->rules.dry_run ? "true" : "false");

    ngx_http_webhook_json_window(w, &conf->rules.window);

    ngx_http_webhook_write(w, ",\"secrets\":%ui,\n \"dedup\":",
                           conf->rules.keyring->nkeys);

    ngx_http_webhook_json_dedup(w, conf);

    ngx_http_webhook_write(w, ",\n ");

    ngx_http_webhook_json_counts(w, conf->counted);

    ngx_http_webhook_write(w, "}");
}


static void
ngx_http_webhook_json_window(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_window_t *window)
{
    if (window->past == NGX_HTTP_WEBHOOK_NO_WINDOW) {
        ngx_http_webhook_write(w, "null");
        return;
    }

    ngx_http_webhook_write(w, "[%T,%T]", window->past, window->future);
}


static void
ngx_http_webhook_json_dedup(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_loc_conf_t *conf)
{
    ngx_uint_t                      i;
    ngx_http_webhook_line_t        *line;
    ngx_http_webhook_dedup_conf_t  *dedup;

    static ngx_str_t  location = ngx_string("location");

    dedup = conf->rules.dedup;

    if (dedup->shm_zone == NULL) {
        ngx_http_webhook_write(w, "null");
        return;
    }

    ngx_http_webhook_write(w, "{\"zone\":");
    ngx_http_webhook_write_string(w, &dedup->shm_zone->shm.name);
    ngx_http_webhook_write(w, ",\"namespace\":");
    ngx_http_webhook_write_string(w, dedup->key ? &dedup->key->value
                                                : &location);
    ngx_http_webhook_write(w, ",\"key\":[");

    /* of several lines, the one that is tried first */

    line = conf->rules.keyring->scheme->dedup_key->elts;

    for (i = 0; i < line->nparts; i++) {
        ngx_http_webhook_write(w, i ? ",\"" : "\"");
        ngx_http_webhook_json_part(w, &line->parts[i]);
        ngx_http_webhook_write(w, "\"");
    }

    ngx_http_webhook_write(w, "],\"ttl\":%T,\"lease\":%T}", conf->ttl,
                           dedup->lease);
}


/* a part as it stands in the scheme */

static void
ngx_http_webhook_json_part(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_template_t *part)
{
    char                            *prefix;
    ngx_str_t                        text;
    ngx_uint_t                       i;
    const ngx_http_webhook_piece_t  *piece;

    for (i = 0; i < part->npieces; i++) {

        piece = &part->pieces[i];
        text = piece->text;

        switch (piece->type) {

        case NGX_HTTP_WEBHOOK_PIECE_LITERAL:
            prefix = "";
            break;

        case NGX_HTTP_WEBHOOK_PIECE_HEADER:
            prefix = "$http_";
            break;

        case NGX_HTTP_WEBHOOK_PIECE_JSON:
            prefix = "json:";
            break;

        case NGX_HTTP_WEBHOOK_PIECE_QUERY:
            prefix = "query:";
            break;

        case NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256:
            prefix = "body";
            ngx_str_null(&text);
            break;

        case NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP:
            prefix = "$webhook_timestamp";
            ngx_str_null(&text);
            break;

        case NGX_HTTP_WEBHOOK_PIECE_EVENT_ID:
            prefix = "$webhook_event_id";
            ngx_str_null(&text);
            break;

        default: /* NGX_HTTP_WEBHOOK_PIECE_VARIABLE, .._FIELD */
            prefix = "$";
            break;
        }

        ngx_http_webhook_write(w, "%s", prefix);
        ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_JSON, &text);
    }
}


static void
ngx_http_webhook_json_counts(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_counted_t *place)
{
    char                             *comma;
    ngx_uint_t                        i;
    ngx_http_webhook_place_counts_t  *counts;

    counts = place->counts;

    ngx_http_webhook_write(w, "\"requests\":{\"enforce\":{");
    ngx_http_webhook_json_requests(w, place, 0);
    ngx_http_webhook_write(w, "},\"dry_run\":{");
    ngx_http_webhook_json_requests(w, place, 1);
    ngx_http_webhook_write(w, "}},\n \"matches\":[");

    for (i = 0; i < place->nsecrets; i++) {
        ngx_http_webhook_write(w, i ? ",%uA" : "%uA", counts->matches[i]);
    }

    ngx_http_webhook_write(w, "],\"last\":{");

    comma = "";

    for (i = 0; i < NGX_HTTP_WEBHOOK_STATUSES; i++) {
        if (counts->last[i]) {
            ngx_http_webhook_write(w, "%s\"%V\":%uA", comma,
                                   ngx_http_webhook_outcome_name(i),
                                   counts->last[i]);
            comma = ",";
        }
    }

    ngx_http_webhook_write(w, "}");
}


static void
ngx_http_webhook_json_requests(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_counted_t *place, ngx_uint_t dry_run)
{
    char                             *comma, *inner;
    ngx_uint_t                        i, k;
    ngx_http_webhook_place_counts_t  *counts;

    counts = place->counts;
    comma = "";

    for (i = 0; i < NGX_HTTP_WEBHOOK_STATUSES; i++) {

        inner = NULL;

        for (k = 0; k < NGX_HTTP_WEBHOOK_REASONS; k++) {

            if (!ngx_http_webhook_monitor_shows(place, dry_run, i, k)) {
                continue;
            }

            if (inner == NULL) {
                ngx_http_webhook_write(w, "%s\"%V\":{", comma,
                                       ngx_http_webhook_outcome_name(i));
                comma = ",";
                inner = "";
            }

            ngx_http_webhook_write(w, "%s\"%V\":%uA", inner,
                                   ngx_http_webhook_monitor_reason(k),
                                   counts->requests[dry_run][i][k]);
            inner = ",";
        }

        if (inner) {
            ngx_http_webhook_write(w, "}");
        }
    }
}


static void
ngx_http_webhook_json_zones(ngx_http_webhook_monitor_t *monitor)
{
    ngx_uint_t                        i;
    ngx_array_t                      *zones;
    ngx_http_webhook_writer_t        *w;
    ngx_http_webhook_counted_t      **zone;
    ngx_http_webhook_monitor_zone_t   numbers;

    w = &monitor->writer;

    zones = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_ZONES];
    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        ngx_http_webhook_monitor_zone(zone[i], &numbers);

        ngx_http_webhook_write(w, i ? ",\n{\"zone\":" : "\n{\"zone\":");
        ngx_http_webhook_write_string(w, &zone[i]->names[0]);

        ngx_http_webhook_write(w, ",\"slots\":%uL,\"used\":%uL,"
                               "\"in_flight\":%uL,\"claims\":%uL,"
                               "\"committed\":%uL,\"freed\":%uL,"
                               "\"evicted\":%uL,\"lost\":%uL,"
                               "\"forgotten\":%uL,\"state\":",
                               numbers.slots, numbers.used, numbers.in_flight,
                               numbers.claims, numbers.committed,
                               numbers.freed, numbers.evicted, numbers.lost,
                               numbers.forgotten);

        if (numbers.has_state) {
            ngx_http_webhook_write(w, "{\"write_errors\":%uL,\"written\":%uL}",
                                   numbers.write_errors, numbers.written);

        } else {
            ngx_http_webhook_write(w, "null");
        }

        ngx_http_webhook_write(w, ",\n \"store\":");
        ngx_http_webhook_json_store(w, zone[i]);
        ngx_http_webhook_write(w, "}");
    }
}


static void
ngx_http_webhook_json_store(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_counted_t *zone)
{
    uint64_t                          *counters;
    ngx_str_t                          error;
    ngx_http_webhook_monitor_store_t   store;

    if (zone->zone->store == NULL) {
        ngx_http_webhook_write(w, "null");
        return;
    }

    ngx_http_webhook_monitor_store(zone, &store);

    counters = store.counters;

    ngx_http_webhook_write(w, "{\"store\":");
    ngx_http_webhook_write_string(w, store.name);
    ngx_http_webhook_write(w, ",\"up\":%s,\"processes\":{\"up\":%ui,"
                           "\"down\":%ui},\"since\":",
                           store.up ? "true" : "false", store.status.up,
                           store.status.down);

    if (store.status.since) {
        ngx_http_webhook_write(w, "%T", store.status.since);

    } else {
        ngx_http_webhook_write(w, "null");
    }

    if (store.status.failed) {
        error.data = store.status.error;
        error.len = store.status.len;

        ngx_http_webhook_write(w, ",\"failed\":%T,\"error\":",
                               store.status.failed);
        ngx_http_webhook_write_string(w, &error);

    } else {
        ngx_http_webhook_write(w, ",\"failed\":null,\"error\":null");
    }

    ngx_http_webhook_write(w, ",\n \"operations\":{\"mine\":%uL,\"done\":%uL,"
                           "\"busy\":%uL,\"failed\":%uL,\"down\":%uL},"
                           "\"local\":%uL,\"rejected\":%uL,"
                           "\"timeouts\":%uL,\"errors\":%uL,"
                           "\"connects\":%uL,\"disconnects\":%uL,"
                           "\"owed\":%uL,\"sent_again\":%uL,"
                           "\"taken_over\":%uL,\"overtaken\":%uL,"
                           "\"lost\":%uL}",
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_MINE],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_DONE],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_BUSY],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_FAILED],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_DOWN],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_LOCAL],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_REJECTED],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_TIMEOUTS],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_CONNECTS],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_DISCONNECTS],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_SENT_AGAIN],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_TAKEN_OVER],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OVERTAKEN],
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_LOST]);
}


static void
ngx_http_webhook_json_schemes(ngx_http_webhook_monitor_t *monitor)
{
    ngx_uint_t                         i, k;
    ngx_array_t                       *schemes;
    ngx_http_webhook_writer_t         *w;
    ngx_http_webhook_counted_t       **scheme;
    ngx_http_webhook_scheme_counts_t  *counts;

    static char  *names[] = { "age", "ahead", "delivery" };

    w = &monitor->writer;

    schemes = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_SCHEMES];
    scheme = schemes->elts;

    for (i = 0; i < schemes->nelts; i++) {
        counts = scheme[i]->counts;

        ngx_http_webhook_write(w, i ? ",\n{\"scheme\":" : "\n{\"scheme\":");
        ngx_http_webhook_write_string(w, &scheme[i]->names[0]);

        for (k = 0; k < NGX_HTTP_WEBHOOK_HISTOGRAMS; k++) {
            ngx_http_webhook_write(w, ",\"%s\":{", names[k]);
            ngx_http_webhook_json_histogram(w, k, &counts->histograms[k]);
            ngx_http_webhook_write(w, "}");
        }

        ngx_http_webhook_write(w, "}");
    }
}


static void
ngx_http_webhook_json_histogram(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_histogram_e type,
    const ngx_http_webhook_histogram_t *histogram)
{
    ngx_uint_t                       i, scale;
    ngx_atomic_uint_t                total, sum;
    const ngx_http_webhook_bound_t  *bounds;

    if (ngx_http_webhook_histogram_total(histogram) == 0) {
        return;
    }

    bounds = ngx_http_webhook_bounds[type].bounds;
    scale = ngx_http_webhook_bounds[type].scale;

    ngx_http_webhook_write(w, "\"le\":[");

    for (i = 0; bounds[i].text; i++) {
        ngx_http_webhook_write(w, i ? ",%s" : "%s", bounds[i].text);
    }

    ngx_http_webhook_write(w, "],\"count\":[");

    total = 0;

    for (i = 0; bounds[i].text; i++) {
        total += histogram->counts[i];
        ngx_http_webhook_write(w, i ? ",%uA" : "%uA", total);
    }

    total += histogram->counts[i];
    sum = histogram->sum;

    ngx_http_webhook_write(w, (scale == 1000) ? "],\"sum\":%uA.%03uA"
                                              : "],\"sum\":%uA",
                           sum / scale, sum % scale);
    ngx_http_webhook_write(w, ",\"total\":%uA", total);
}


static void
ngx_http_webhook_json_recent(ngx_http_webhook_monitor_t *monitor)
{
    char                        *comma;
    ngx_int_t                    rc;
    ngx_str_t                    name;
    ngx_uint_t                   i;
    ngx_http_webhook_writer_t   *w;
    ngx_http_webhook_refusal_t   refusal;

    w = &monitor->writer;
    comma = "";

    for (i = 0; /* void */ ; i++) {

        rc = ngx_http_webhook_metrics_recent(&monitor->main->metrics, i,
                                             &refusal);
        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_AGAIN) {
            continue;
        }

        ngx_http_webhook_write(w, "%s\n{\"time\":%T,\"place\":", comma,
                               refusal.time);
        comma = ",";

        name.data = refusal.labels[0].data;
        name.len = refusal.labels[0].len;
        ngx_http_webhook_write_string(w, &name);

        ngx_http_webhook_write(w, ",\"scheme\":");

        name.data = refusal.labels[1].data;
        name.len = refusal.labels[1].len;
        ngx_http_webhook_write_string(w, &name);

        ngx_http_webhook_write(w, ",\"mode\":\"%s\",\"outcome\":\"%V\","
                               "\"reason\":\"%V\",\"hint\":",
                               refusal.dry_run ? "dry_run" : "enforce",
                               ngx_http_webhook_outcome_name(
                                                      refusal.verdict.status),
                               ngx_http_webhook_monitor_reason(
                                                     refusal.verdict.reason));

        if (refusal.hint_len) {
            name.data = refusal.hint;
            name.len = refusal.hint_len;
            ngx_http_webhook_write_string(w, &name);

        } else {
            ngx_http_webhook_write(w, "null");
        }

        if (refusal.has_age) {
            ngx_http_webhook_write(w, ",\"age\":%T}", refusal.age);

        } else {
            ngx_http_webhook_write(w, ",\"age\":null}");
        }
    }
}
