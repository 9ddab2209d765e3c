
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What is counted, in shared memory of its own, if somebody monitors it:
 * counting, without a lock, and what was counted.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_metrics.h"


static void ngx_http_webhook_histogram_add(
    ngx_http_webhook_counted_t *scheme, ngx_http_webhook_histogram_e type,
    ngx_uint_t value);
static void ngx_http_webhook_metrics_refused(
    ngx_http_webhook_counted_t *place,
    const ngx_http_webhook_request_end_t *end);


static const ngx_http_webhook_bound_t  ngx_http_webhook_age_bounds[] = {
    { "1", 1 }, { "5", 5 }, { "15", 15 }, { "30", 30 }, { "60", 60 },
    { "120", 120 }, { "180", 180 }, { "300", 300 }, { "600", 600 },
    { "1800", 1800 }, { "3600", 3600 }, { "21600", 21600 },
    { "86400", 86400 }, { NULL, 0 }
};


static const ngx_http_webhook_bound_t  ngx_http_webhook_ahead_bounds[] = {
    { "1", 1 }, { "5", 5 }, { "15", 15 }, { "30", 30 }, { "60", 60 },
    { "120", 120 }, { "300", 300 }, { NULL, 0 }
};


static const ngx_http_webhook_bound_t  ngx_http_webhook_delivery_bounds[] = {
    { "0.01", 10 }, { "0.05", 50 }, { "0.1", 100 }, { "0.25", 250 },
    { "0.5", 500 }, { "1", 1000 }, { "2.5", 2500 }, { "5", 5000 },
    { "10", 10000 }, { "30", 30000 }, { "60", 60000 }, { NULL, 0 }
};


const ngx_http_webhook_bounds_t  ngx_http_webhook_bounds[] = {
    { ngx_http_webhook_age_bounds, 1 },
    { ngx_http_webhook_ahead_bounds, 1 },
    { ngx_http_webhook_delivery_bounds, 1000 }
};


ngx_uint_t *
ngx_http_webhook_metrics_begin(ngx_http_webhook_metrics_t *metrics)
{
    ngx_uint_t                       i;
    ngx_http_webhook_counted_t     **zone;
    ngx_http_webhook_zone_counts_t  *counts;

    zone = metrics->counted[NGX_HTTP_WEBHOOK_COUNT_ZONES].elts;

    for (i = 0; i < metrics->counted[NGX_HTTP_WEBHOOK_COUNT_ZONES].nelts; i++)
    {
        counts = zone[i]->counts;
        counts->in_flight[ngx_process_slot] = 0;

        zone[i]->zone->in_flight = &counts->in_flight[ngx_process_slot];

        if (zone[i]->zone->store) {
            ngx_http_webhook_store_status_begin(zone[i]->zone->store,
                                                &counts->store,
                                                metrics->generation);
        }
    }

    metrics->sh->waiting[ngx_process_slot] = 0;

    return &metrics->sh->waiting[ngx_process_slot];
}


void
ngx_http_webhook_metrics_count(ngx_http_webhook_counted_t *place,
    const ngx_http_webhook_request_end_t *end)
{
    ngx_http_webhook_status_e         status;
    ngx_http_webhook_place_counts_t  *counts;

    counts = place->counts;
    status = end->verdict.status;

    (void) ngx_atomic_fetch_add(
               &counts->requests[end->dry_run][status][end->verdict.reason], 1);

    counts->last[status] = ngx_time();

    if (end->accepted) {

        if (end->secret) {
            (void) ngx_atomic_fetch_add(&counts->matches[end->secret - 1], 1);
        }

        if (end->has_age && end->age >= 0) {
            ngx_http_webhook_histogram_add(place->scheme, NGX_HTTP_WEBHOOK_AGE,
                                           end->age);

        } else if (end->has_age) {
            ngx_http_webhook_histogram_add(place->scheme,
                                           NGX_HTTP_WEBHOOK_AHEAD, -end->age);
        }
    }

    if (end->has_delivery) {
        ngx_http_webhook_histogram_add(place->scheme,
                                       NGX_HTTP_WEBHOOK_DELIVERY,
                                       end->delivery);
    }

    if (status != NGX_HTTP_WEBHOOK_STATUS_PASSED) {
        ngx_http_webhook_metrics_refused(place, end);
    }
}


static void
ngx_http_webhook_histogram_add(ngx_http_webhook_counted_t *scheme,
    ngx_http_webhook_histogram_e type, ngx_uint_t value)
{
    ngx_http_webhook_histogram_t      *histogram;
    ngx_http_webhook_scheme_counts_t  *counts;
    const ngx_http_webhook_bound_t    *bound;

    counts = scheme->counts;
    histogram = &counts->histograms[type];

    for (bound = ngx_http_webhook_bounds[type].bounds; bound->text; bound++) {
        if (value <= bound->value) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(
               &histogram->counts[bound
                                  - ngx_http_webhook_bounds[type].bounds], 1);
    (void) ngx_atomic_fetch_add(&histogram->sum, value);
}


/*
 * Whoever reads while this is written finds the number to be another one: he
 * needs no lock, and gets all of a request or nothing.
 */

static void
ngx_http_webhook_metrics_refused(ngx_http_webhook_counted_t *place,
    const ngx_http_webhook_request_end_t *end)
{
    ngx_atomic_uint_t                 number;
    ngx_http_webhook_refusal_t       *refusal;
    ngx_http_webhook_metrics_shm_t   *sh;
    ngx_http_webhook_place_counts_t  *counts;

    sh = place->sh;
    counts = place->counts;

    number = ngx_atomic_fetch_add(&sh->number, 1) + 1;

    refusal = &sh->refusals[number % NGX_HTTP_WEBHOOK_RECENT];

    refusal->number = 0;

    ngx_memory_barrier();

    refusal->time = ngx_time();
    refusal->age = end->age;
    refusal->has_age = end->has_age;
    refusal->verdict = end->verdict;
    refusal->dry_run = end->dry_run;

    ngx_memcpy(refusal->labels, counts->labels, sizeof(refusal->labels));

    refusal->hint_len = ngx_min(end->hint.len, NGX_HTTP_WEBHOOK_HINT);

    if (refusal->hint_len) {
        ngx_memcpy(refusal->hint, end->hint.data, refusal->hint_len);
    }

    ngx_memory_barrier();

    refusal->number = number;
}


ngx_atomic_uint_t
ngx_http_webhook_histogram_total(const ngx_http_webhook_histogram_t *histogram)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  n;

    n = 0;

    for (i = 0; i < NGX_HTTP_WEBHOOK_BOUNDS + 1; i++) {
        n += histogram->counts[i];
    }

    return n;
}


time_t
ngx_http_webhook_metrics_since(ngx_http_webhook_metrics_t *metrics)
{
    return metrics->sh->since;
}


ngx_uint_t
ngx_http_webhook_metrics_waiting(ngx_http_webhook_metrics_t *metrics)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        n += metrics->sh->waiting[i];
    }

    return n;
}


ngx_uint_t
ngx_http_webhook_metrics_in_flight(ngx_http_webhook_counted_t *zone)
{
    ngx_uint_t                       i, n;
    ngx_http_webhook_zone_counts_t  *counts;

    counts = zone->counts;
    n = 0;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        n += counts->in_flight[i];
    }

    return n;
}


ngx_int_t
ngx_http_webhook_metrics_recent(ngx_http_webhook_metrics_t *metrics,
    ngx_uint_t n, ngx_http_webhook_refusal_t *refusal)
{
    ngx_uint_t                       i;
    ngx_atomic_uint_t                number;
    ngx_http_webhook_refusal_t      *r;
    ngx_http_webhook_metrics_shm_t  *sh;

    sh = metrics->sh;
    number = sh->number;

    if (n >= NGX_HTTP_WEBHOOK_RECENT || n >= number) {
        return NGX_DONE;
    }

    number -= n;

    r = &sh->refusals[number % NGX_HTTP_WEBHOOK_RECENT];

    if (r->number != number) {
        return NGX_AGAIN;
    }

    ngx_memory_barrier();

    *refusal = *r;

    ngx_memory_barrier();

    if (r->number != number) {
        return NGX_AGAIN;
    }

    /* whoever has written over two at a time may have mixed them */

    for (i = 0; i < 2; i++) {
        refusal->labels[i].len = ngx_min(refusal->labels[i].len,
                                         NGX_HTTP_WEBHOOK_LABEL);
    }

    refusal->hint_len = ngx_min(refusal->hint_len, NGX_HTTP_WEBHOOK_HINT);

    return NGX_OK;
}
