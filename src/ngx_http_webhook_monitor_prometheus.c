
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the monitor tells, in the text format of Prometheus.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_monitor.h"


typedef struct {
    char                          *name;
    char                          *type;
    char                          *help;
} ngx_http_webhook_family_t;


static void ngx_http_webhook_prometheus_places(
    ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_prometheus_place(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_family_t *family,
    const ngx_http_webhook_counted_t *place);
static void ngx_http_webhook_prometheus_histogram(
    ngx_http_webhook_monitor_t *monitor, ngx_http_webhook_histogram_e type);
static void ngx_http_webhook_prometheus_zones(
    ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_prometheus_stores(
    ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_prometheus_store(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_family_t *family, const ngx_str_t *name);
static void ngx_http_webhook_prometheus_head(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_family_t *family);
static void ngx_http_webhook_prometheus_number(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_family_t *family, uint64_t n);


static const ngx_http_webhook_family_t  ngx_http_webhook_requests = {
    "requests_total", "counter", "Requests, by verdict."
};


static const ngx_http_webhook_family_t  ngx_http_webhook_matches = {
    "secret_matches_total", "counter",
    "Accepted signatures, by the configured secret that matched, from 1."
};


static const ngx_http_webhook_family_t  ngx_http_webhook_last_request = {
    "last_request_timestamp_seconds", "gauge",
    "When the last request with this outcome was logged."
};


static const ngx_http_webhook_family_t  ngx_http_webhook_histograms[] = {
    { "event_age_seconds", "histogram",
      "Age of the signed timestamp of accepted requests, if not ahead." },
    { "event_ahead_seconds", "histogram",
      "How far the signed timestamp of accepted requests was ahead of the "
      "clock." },
    { "delivery_seconds", "histogram",
      "From the claim of an event to the application's answer." }
};


static const ngx_http_webhook_family_t  ngx_http_webhook_waiting = {
    "waiting_requests", "gauge",
    "Requests that wait for the outcome of another one."
};


/* those of a zone, each with the member that it shows */

static const struct {
    ngx_http_webhook_family_t      family;
    size_t                         offset;
    ngx_uint_t                     state;    /* only if it has a file */
} ngx_http_webhook_zone_families[] = {

    { { "dedup_slots", "gauge", "Slots of the zone." },
      offsetof(ngx_http_webhook_monitor_zone_t, slots), 0 },

    { { "dedup_used_slots", "gauge",
        "Slots of events remembered or in flight, estimated from a sample." },
      offsetof(ngx_http_webhook_monitor_zone_t, used), 0 },

    { { "dedup_in_flight", "gauge", "Events that are with the application." },
      offsetof(ngx_http_webhook_monitor_zone_t, in_flight), 0 },

    { { "dedup_claims_total", "counter", "Events claimed." },
      offsetof(ngx_http_webhook_monitor_zone_t, claims), 0 },

    { { "dedup_committed_total", "counter",
        "Events accepted by the application." },
      offsetof(ngx_http_webhook_monitor_zone_t, committed), 0 },

    { { "dedup_freed_total", "counter",
        "Events not accepted by the application." },
      offsetof(ngx_http_webhook_monitor_zone_t, freed), 0 },

    { { "dedup_evicted_total", "counter",
        "Accepted events forgotten before their time, as the zone was full." },
      offsetof(ngx_http_webhook_monitor_zone_t, evicted), 0 },

    { { "dedup_lost_total", "counter",
        "Outcomes that came too late: the claim was another's." },
      offsetof(ngx_http_webhook_monitor_zone_t, lost), 0 },

    { { "dedup_forgotten_total", "counter", "Events forgotten on request." },
      offsetof(ngx_http_webhook_monitor_zone_t, forgotten), 0 },

    { { "state_write_errors_total", "counter",
        "Failed writes of the state file." },
      offsetof(ngx_http_webhook_monitor_zone_t, write_errors), 1 },

    { { "state_write_timestamp_seconds", "gauge",
        "When the state file was last in step." },
      offsetof(ngx_http_webhook_monitor_zone_t, written), 1 }
};


static const ngx_http_webhook_family_t  ngx_http_webhook_store_up = {
    "store_up", "gauge", "Whether the fleet's store can be asked."
};


static const ngx_http_webhook_family_t  ngx_http_webhook_store_operations = {
    "store_operations_total", "counter",
    "Claims that the store was to be asked about, by its answer."
};


/* the answers, in the order of their counters */

static char  *ngx_http_webhook_store_results[] = {
    "mine", "done", "busy", "failed", "down", NULL
};


/* those of a store, each with its counter */

static const struct {
    ngx_http_webhook_family_t      family;
    ngx_http_webhook_counter_e     counter;
} ngx_http_webhook_store_families[] = {

    { { "store_local_total", "counter",
        "Events that were decided without the store." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_LOCAL },

    { { "store_rejected_total", "counter",
        "Events that were refused, as the store could not be asked." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_REJECTED },

    { { "store_timeouts_total", "counter",
        "Connections closed, as the store did not answer in time." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_TIMEOUTS },

    { { "store_errors_total", "counter",
        "Answers of the store that were errors, or none at all." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS },

    { { "store_connects_total", "counter",
        "Connections to the store that have proved usable." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_CONNECTS },

    { { "store_disconnects_total", "counter",
        "Usable connections that have ended." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_DISCONNECTS },

    { { "store_sent_again_total", "counter",
        "Accepted events that the store was told again." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_SENT_AGAIN },

    { { "store_taken_over_total", "counter",
        "Claims of this server whose answer was lost, taken over." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_TAKEN_OVER },

    { { "store_overtaken_total", "counter",
        "Claims of others on events that were accepted here." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_OVERTAKEN },

    { { "store_lost_total", "counter",
        "Accepted events that the zone had to forget before the store knew." },
      NGX_HTTP_WEBHOOK_COUNT_STORE_LOST }
};


static const ngx_http_webhook_family_t  ngx_http_webhook_store_owed = {
    "store_owed", "gauge",
    "Accepted events that the store has not acknowledged."
};


static const ngx_http_webhook_family_t  ngx_http_webhook_since = {
    "counting_since_timestamp_seconds", "gauge", "When counting began."
};


static const ngx_http_webhook_family_t  ngx_http_webhook_loaded = {
    "config_load_timestamp_seconds", "gauge",
    "When the running configuration, with its secret files, was read."
};


static const ngx_http_webhook_family_t  ngx_http_webhook_build = {
    "build_info", "gauge", "Always 1."
};


void
ngx_http_webhook_monitor_prometheus(ngx_http_webhook_monitor_t *monitor)
{
    ngx_uint_t                   i;
    ngx_http_webhook_writer_t   *w;
    ngx_http_webhook_metrics_t  *metrics;

    w = &monitor->writer;
    metrics = &monitor->main->metrics;

    ngx_http_webhook_prometheus_places(monitor);

    for (i = 0; i < NGX_HTTP_WEBHOOK_HISTOGRAMS; i++) {
        ngx_http_webhook_prometheus_histogram(monitor, i);
    }

    ngx_http_webhook_prometheus_number(w, &ngx_http_webhook_waiting,
                                     ngx_http_webhook_metrics_waiting(metrics));

    ngx_http_webhook_prometheus_zones(monitor);

    ngx_http_webhook_prometheus_stores(monitor);

    ngx_http_webhook_prometheus_number(w, &ngx_http_webhook_since,
                                     ngx_http_webhook_metrics_since(metrics));
    ngx_http_webhook_prometheus_number(w, &ngx_http_webhook_loaded,
                                     metrics->loaded);

    ngx_http_webhook_prometheus_head(w, &ngx_http_webhook_build);
    ngx_http_webhook_write(w, "nginx_webhook_%s{version=\"%s\",nginx=\"%s\"} "
                           "1\n", ngx_http_webhook_build.name,
                           NGX_HTTP_WEBHOOK_VERSION, NGINX_VERSION);
}


static void
ngx_http_webhook_prometheus_places(ngx_http_webhook_monitor_t *monitor)
{
    ngx_str_t                         *outcome, *reason;
    ngx_uint_t                         i, n, dry_run, k, nplaces;
    ngx_array_t                       *places;
    ngx_http_webhook_writer_t         *w;
    ngx_http_webhook_counted_t       **place;
    ngx_http_webhook_place_counts_t   *counts;

    w = &monitor->writer;

    places = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_PLACES];
    place = places->elts;
    nplaces = places->nelts;

    ngx_http_webhook_prometheus_head(w, &ngx_http_webhook_requests);

    for (i = 0; i < nplaces; i++) {
        counts = place[i]->counts;

        for (dry_run = 0; dry_run < 2; dry_run++) {
            for (n = 0; n < NGX_HTTP_WEBHOOK_STATUSES; n++) {
                for (k = 0; k < NGX_HTTP_WEBHOOK_REASONS; k++) {

                    if (!ngx_http_webhook_monitor_shows(place[i], dry_run, n,
                                                        k))
                    {
                        continue;
                    }

                    outcome = ngx_http_webhook_outcome_name(n);
                    reason = ngx_http_webhook_monitor_reason(k);

                    ngx_http_webhook_prometheus_place(w,
                                                   &ngx_http_webhook_requests,
                                                   place[i]);

                    ngx_http_webhook_write(w, ",mode=\"%s\",outcome=\"%V\","
                                           "reason=\"%V\"} %uA\n",
                                           dry_run ? "dry_run" : "enforce",
                                           outcome, reason,
                                           counts->requests[dry_run][n][k]);
                }
            }
        }
    }

    ngx_http_webhook_prometheus_head(w, &ngx_http_webhook_matches);

    for (i = 0; i < nplaces; i++) {
        counts = place[i]->counts;

        for (n = 0; n < NGX_HTTP_WEBHOOK_MATCHES; n++) {

            if (n >= place[i]->nsecrets && counts->matches[n] == 0) {
                continue;
            }

            ngx_http_webhook_prometheus_place(w, &ngx_http_webhook_matches,
                                              place[i]);

            ngx_http_webhook_write(w, ",secret=\"%ui\"} %uA\n",
                                   n + 1, counts->matches[n]);
        }
    }

    ngx_http_webhook_prometheus_head(w, &ngx_http_webhook_last_request);

    for (i = 0; i < nplaces; i++) {
        counts = place[i]->counts;

        for (n = 0; n < NGX_HTTP_WEBHOOK_STATUSES; n++) {

            if (counts->last[n] == 0) {
                continue;
            }

            ngx_http_webhook_prometheus_place(w,
                                              &ngx_http_webhook_last_request,
                                              place[i]);

            ngx_http_webhook_write(w, ",outcome=\"%V\"} %uA\n",
                                   ngx_http_webhook_outcome_name(n),
                                   counts->last[n]);
        }
    }
}


static void
ngx_http_webhook_prometheus_place(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_family_t *family,
    const ngx_http_webhook_counted_t *place)
{
    ngx_http_webhook_write(w, "nginx_webhook_%s{place=\"", family->name);
    ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_LABEL,
                                &place->names[0]);
    ngx_http_webhook_write(w, "\",scheme=\"");
    ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_LABEL,
                                &place->names[1]);
    ngx_http_webhook_write(w, "\"");
}


static void
ngx_http_webhook_prometheus_histogram(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_histogram_e type)
{
    ngx_str_t                         *name;
    ngx_uint_t                         i, n, scale;
    ngx_array_t                       *schemes;
    ngx_atomic_uint_t                  total, sum;
    ngx_http_webhook_writer_t         *w;
    ngx_http_webhook_counted_t       **scheme;
    ngx_http_webhook_histogram_t      *histogram;
    const ngx_http_webhook_bound_t    *bounds;
    const ngx_http_webhook_family_t   *family;
    ngx_http_webhook_scheme_counts_t  *counts;

    w = &monitor->writer;
    family = &ngx_http_webhook_histograms[type];
    bounds = ngx_http_webhook_bounds[type].bounds;
    scale = ngx_http_webhook_bounds[type].scale;

    schemes = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_SCHEMES];
    scheme = schemes->elts;

    ngx_http_webhook_prometheus_head(w, family);

    for (i = 0; i < schemes->nelts; i++) {

        name = &scheme[i]->names[0];
        counts = scheme[i]->counts;
        histogram = &counts->histograms[type];

        if (ngx_http_webhook_histogram_total(histogram) == 0) {
            continue;
        }

        sum = histogram->sum;
        total = 0;

        for (n = 0; /* void */ ; n++) {

            total += histogram->counts[n];

            ngx_http_webhook_write(w, "nginx_webhook_%s_bucket{scheme=\"",
                                   family->name);
            ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_LABEL,
                                        name);
            ngx_http_webhook_write(w, "\",le=\"%s\"} %uA\n",
                                   bounds[n].text ? bounds[n].text : "+Inf",
                                   total);

            if (bounds[n].text == NULL) {
                break;
            }
        }

        ngx_http_webhook_write(w, "nginx_webhook_%s_sum{scheme=\"",
                               family->name);
        ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_LABEL, name);
        ngx_http_webhook_write(w, (scale == 1000) ? "\"} %uA.%03uA\n"
                                                  : "\"} %uA\n",
                               sum / scale, sum % scale);

        ngx_http_webhook_write(w, "nginx_webhook_%s_count{scheme=\"",
                               family->name);
        ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_LABEL, name);
        ngx_http_webhook_write(w, "\"} %uA\n", total);
    }
}


static void
ngx_http_webhook_prometheus_zones(ngx_http_webhook_monitor_t *monitor)
{
    u_char                           *p;
    ngx_uint_t                        i, n, nfamilies;
    ngx_array_t                      *zones;
    ngx_http_webhook_writer_t        *w;
    ngx_http_webhook_counted_t      **zone;
    ngx_http_webhook_monitor_zone_t  *numbers;

    w = &monitor->writer;

    zones = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_ZONES];
    zone = zones->elts;

    numbers = ngx_palloc(w->pool, zones->nelts
                                  * sizeof(ngx_http_webhook_monitor_zone_t));
    if (numbers == NULL) {
        w->failed = 1;
        return;
    }

    for (i = 0; i < zones->nelts; i++) {
        ngx_http_webhook_monitor_zone(zone[i], &numbers[i]);
    }

    nfamilies = sizeof(ngx_http_webhook_zone_families)
                / sizeof(ngx_http_webhook_zone_families[0]);

    for (n = 0; n < nfamilies; n++) {

        ngx_http_webhook_prometheus_head(w,
                                    &ngx_http_webhook_zone_families[n].family);

        for (i = 0; i < zones->nelts; i++) {

            if (ngx_http_webhook_zone_families[n].state
                && !numbers[i].has_state)
            {
                continue;
            }

            p = (u_char *) &numbers[i]
                + ngx_http_webhook_zone_families[n].offset;

            ngx_http_webhook_write(w, "nginx_webhook_%s{zone=\"",
                               ngx_http_webhook_zone_families[n].family.name);
            ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_LABEL,
                                        &zone[i]->names[0]);
            ngx_http_webhook_write(w, "\"} %uL\n", *(uint64_t *) p);
        }
    }
}


static void
ngx_http_webhook_prometheus_stores(ngx_http_webhook_monitor_t *monitor)
{
    ngx_uint_t                         i, k, n, nfamilies;
    ngx_array_t                       *zones, stores;
    ngx_http_webhook_writer_t         *w;
    ngx_http_webhook_counted_t       **zone;
    const ngx_http_webhook_family_t   *family;
    ngx_http_webhook_monitor_store_t  *store;

    w = &monitor->writer;

    zones = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_ZONES];
    zone = zones->elts;

    if (ngx_array_init(&stores, w->pool, 1,
                       sizeof(ngx_http_webhook_monitor_store_t))
        != NGX_OK)
    {
        w->failed = 1;
        return;
    }

    for (i = 0; i < zones->nelts; i++) {

        if (zone[i]->zone->store == NULL) {
            continue;
        }

        store = ngx_array_push(&stores);
        if (store == NULL) {
            w->failed = 1;
            return;
        }

        ngx_http_webhook_monitor_store(zone[i], store);
    }

    store = stores.elts;

    ngx_http_webhook_prometheus_head(w, &ngx_http_webhook_store_up);

    for (i = 0; i < stores.nelts; i++) {
        ngx_http_webhook_prometheus_store(w, &ngx_http_webhook_store_up,
                                          store[i].name);
        ngx_http_webhook_write(w, "} %uL\n", store[i].up);
    }

    ngx_http_webhook_prometheus_head(w, &ngx_http_webhook_store_operations);

    for (i = 0; i < stores.nelts; i++) {
        for (k = 0; ngx_http_webhook_store_results[k]; k++) {
            ngx_http_webhook_prometheus_store(w,
                                           &ngx_http_webhook_store_operations,
                                           store[i].name);
            ngx_http_webhook_write(w, ",result=\"%s\"} %uL\n",
                     ngx_http_webhook_store_results[k],
                     store[i].counters[NGX_HTTP_WEBHOOK_COUNT_STORE_MINE + k]);
        }
    }

    nfamilies = sizeof(ngx_http_webhook_store_families)
                / sizeof(ngx_http_webhook_store_families[0]);

    for (n = 0; n < nfamilies; n++) {

        family = &ngx_http_webhook_store_families[n].family;

        ngx_http_webhook_prometheus_head(w, family);

        for (i = 0; i < stores.nelts; i++) {
            k = ngx_http_webhook_store_families[n].counter;

            ngx_http_webhook_prometheus_store(w, family, store[i].name);
            ngx_http_webhook_write(w, "} %uL\n", store[i].counters[k]);
        }
    }

    ngx_http_webhook_prometheus_head(w, &ngx_http_webhook_store_owed);

    for (i = 0; i < stores.nelts; i++) {
        ngx_http_webhook_write(w, "nginx_webhook_%s{zone=\"",
                               ngx_http_webhook_store_owed.name);
        ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_LABEL,
                                    store[i].zone);
        ngx_http_webhook_write(w, "\"} %uL\n",
                        store[i].counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED]);
    }
}


/* the name of a store is made of letters, digits and the like */

static void
ngx_http_webhook_prometheus_store(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_family_t *family, const ngx_str_t *name)
{
    ngx_http_webhook_write(w, "nginx_webhook_%s{store=\"%V\"", family->name,
                           name);
}


static void
ngx_http_webhook_prometheus_head(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_family_t *family)
{
    ngx_http_webhook_write(w, "# HELP nginx_webhook_%s %s\n"
                           "# TYPE nginx_webhook_%s %s\n",
                           family->name, family->help, family->name,
                           family->type);
}


static void
ngx_http_webhook_prometheus_number(ngx_http_webhook_writer_t *w,
    const ngx_http_webhook_family_t *family, uint64_t n)
{
    ngx_http_webhook_prometheus_head(w, family);
    ngx_http_webhook_write(w, "nginx_webhook_%s %uL\n", family->name, n);
}
