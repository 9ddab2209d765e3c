
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the monitor tells, as a page that is complete without its script.
 * The script writes the same again, see src/page.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_monitor.h"


/* places that are shown, and reasons of each */
#define NGX_HTTP_WEBHOOK_PAGE_PLACES   200
#define NGX_HTTP_WEBHOOK_PAGE_REASONS  3


/* what a place comes to, in both modes */

typedef struct {
    const ngx_http_webhook_counted_t  *counted;
    ngx_uint_t                     n;        /* in the configuration */
    ngx_atomic_uint_t              outcomes[NGX_HTTP_WEBHOOK_STATUSES];
    ngx_atomic_uint_t              reasons[NGX_HTTP_WEBHOOK_REASONS];
                                             /* of what was refused */
} ngx_http_webhook_page_place_t;


static ngx_http_webhook_page_place_t *ngx_http_webhook_page_sum(
    ngx_http_webhook_monitor_t *monitor, ngx_uint_t *n);
static int ngx_libc_cdecl ngx_http_webhook_page_cmp(const void *one,
    const void *two);
static void ngx_http_webhook_page_about(ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_page_wrong(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_page_place_t *places, ngx_uint_t n);
static ngx_uint_t ngx_http_webhook_page_unavailable(
    ngx_http_webhook_writer_t *w, ngx_http_webhook_page_place_t *place);
static void ngx_http_webhook_page_places(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_page_place_t *places, ngx_uint_t n);
static ngx_uint_t ngx_http_webhook_page_top(ngx_atomic_uint_t *counts,
    ngx_uint_t n);
static void ngx_http_webhook_page_schemes(ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_page_spread(ngx_http_webhook_writer_t *w,
    const char *label, ngx_http_webhook_histogram_e type,
    const ngx_http_webhook_histogram_t *histogram);
static void ngx_http_webhook_page_recent(ngx_http_webhook_monitor_t *monitor);


void
ngx_http_webhook_monitor_page(ngx_http_webhook_monitor_t *monitor)
{
    ngx_uint_t                      i, n;
    ngx_http_webhook_writer_t      *w;
    ngx_http_webhook_page_place_t  *places;

    w = &monitor->writer;

    places = ngx_http_webhook_page_sum(monitor, &n);
    if (places == NULL) {
        w->failed = 1;
        return;
    }

    for (i = 0; i < NGX_HTTP_WEBHOOK_PAGE_PARTS; i++) {

        ngx_http_webhook_write_text(w,
                              (char *) ngx_http_webhook_page_parts[i].data,
                              ngx_http_webhook_page_parts[i].len);

        /* what stands behind each part, in the order of auto/page */

        switch (i) {

        case 0:
            ngx_http_webhook_page_about(monitor);
            break;

        case 1:
            ngx_http_webhook_page_wrong(monitor, places, n);
            break;

        case 2:
            ngx_http_webhook_page_places(monitor, places, n);
            break;

        case 3:
            ngx_http_webhook_page_zones(monitor);
            break;

        case 4:

            if (!ngx_http_webhook_page_has_stores(monitor)) {
                ngx_http_webhook_write(w, " hidden");
            }

            break;

        case 5:
            ngx_http_webhook_page_stores(monitor);
            break;

        case 6:
            ngx_http_webhook_page_schemes(monitor);
            break;

        case 7:
            ngx_http_webhook_page_recent(monitor);
            break;

        case 8:

            if (monitor->conf->write) {
                ngx_http_webhook_write(w, "\n<button type=\"button\" "
                                       "id=\"forget\">Forget it</button>");
            }

            break;

        default:
            break;
        }
    }
}


/* most refusals first */

static ngx_http_webhook_page_place_t *
ngx_http_webhook_page_sum(ngx_http_webhook_monitor_t *monitor, ngx_uint_t *n)
{
    ngx_uint_t                         i, k, dry_run, reason;
    ngx_array_t                       *counted;
    ngx_atomic_uint_t                  count;
    ngx_http_webhook_counted_t       **place;
    ngx_http_webhook_page_place_t     *places, *p;
    ngx_http_webhook_place_counts_t   *counts;

    counted = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_PLACES];
    place = counted->elts;

    places = ngx_pcalloc(monitor->writer.pool,
                         (counted->nelts + 1)
                         * sizeof(ngx_http_webhook_page_place_t));
    if (places == NULL) {
        return NULL;
    }

    p = places;

    for (i = 0; i < counted->nelts; i++) {

        if (!place[i]->listed) {
            continue;
        }

        counts = place[i]->counts;

        p->counted = place[i];
        p->n = i;

        for (dry_run = 0; dry_run < 2; dry_run++) {
            for (k = 0; k < NGX_HTTP_WEBHOOK_STATUSES; k++) {
                for (reason = 0; reason < NGX_HTTP_WEBHOOK_REASONS; reason++) {

                    count = counts->requests[dry_run][k][reason];
                    p->outcomes[k] += count;

                    if (k == NGX_HTTP_WEBHOOK_STATUS_REJECTED
                        || k == NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE)
                    {
                        p->reasons[reason] += count;
                    }
                }
            }
        }

        p++;
    }

    *n = p - places;

    ngx_qsort(places, *n, sizeof(ngx_http_webhook_page_place_t),
              ngx_http_webhook_page_cmp);

    return places;
}


static int ngx_libc_cdecl
ngx_http_webhook_page_cmp(const void *one, const void *two)
{
    ngx_atomic_uint_t                     a, b;
    const ngx_http_webhook_page_place_t  *first, *second;

    first = one;
    second = two;

    a = first->outcomes[NGX_HTTP_WEBHOOK_STATUS_REJECTED]
        + first->outcomes[NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE];
    b = second->outcomes[NGX_HTTP_WEBHOOK_STATUS_REJECTED]
        + second->outcomes[NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE];

    if (a != b) {
        return (a > b) ? -1 : 1;
    }

    return (first->n < second->n) ? -1 : 1;
}


static void
ngx_http_webhook_page_about(ngx_http_webhook_monitor_t *monitor)
{
    ngx_http_webhook_writer_t   *w;
    ngx_http_webhook_metrics_t  *metrics;

    w = &monitor->writer;
    metrics = &monitor->main->metrics;

    ngx_http_webhook_write(w, "nginx %s, module %s. Counting since ",
                           NGINX_VERSION, NGX_HTTP_WEBHOOK_VERSION);
    ngx_http_webhook_page_time(w, ngx_http_webhook_metrics_since(metrics));
    ngx_http_webhook_write(w, ", configuration read ");
    ngx_http_webhook_page_time(w, metrics->loaded);
    ngx_http_webhook_write(w, " ago. Waiting requests: %ui.",
                           ngx_http_webhook_metrics_waiting(metrics));
}


static void
ngx_http_webhook_page_wrong(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_page_place_t *places, ngx_uint_t n)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i, wrong;
    ngx_http_webhook_writer_t  *w;

    w = &monitor->writer;
    wrong = ngx_http_webhook_page_wrong_zones(monitor);

    for (i = 0; i < n; i++) {
        wrong += ngx_http_webhook_page_unavailable(w, &places[i]);
    }

    for (i = 0; i < n; i++) {
        name = (ngx_str_t *) &places[i].counted->names[0];

        if (places[i].outcomes[NGX_HTTP_WEBHOOK_STATUS_REJECTED]
            && places[i].outcomes[NGX_HTTP_WEBHOOK_STATUS_PASSED] == 0)
        {
            ngx_http_webhook_page_fault(w, "><b>", name);
            ngx_http_webhook_write(w, "rejected %uA requests, and none has "
                                   "passed: %V.",
                        places[i].outcomes[NGX_HTTP_WEBHOOK_STATUS_REJECTED],
                        ngx_http_webhook_monitor_reason(
                               ngx_http_webhook_page_top(places[i].reasons,
                                                  NGX_HTTP_WEBHOOK_REASONS)));
            wrong++;
        }
    }

    for (i = 0; i < n; i++) {
        if (places[i].counted->dry_run) {
            ngx_http_webhook_page_fault(w, " class=\"dry\"><b>",
                                        &places[i].counted->names[0]);
            ngx_http_webhook_write(w, "is in dry run: all requests are let "
                                   "through.");
            wrong++;
        }
    }

    if (!wrong) {
        ngx_http_webhook_write(w, "<li class=\"ok\"><b>Nothing</b> that can "
                               "be seen from here.");
    }
}


/* what was answered 503, and why */

static ngx_uint_t
ngx_http_webhook_page_unavailable(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_page_place_t *place)
{
    ngx_uint_t         i, wrong;
    ngx_atomic_uint_t  n[3];

    static char  *why[] = {
        "the store could not be asked.",
        "the zone was full.",
        "a fault of this server, see the error log."
    };

    n[0] = place->reasons[NGX_HTTP_WEBHOOK_REASON_STORE_UNAVAILABLE];
    n[1] = place->reasons[NGX_HTTP_WEBHOOK_REASON_ZONE_FULL];
    n[2] = place->outcomes[NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE] - n[0] - n[1];

    wrong = 0;

    for (i = 0; i < 3; i++) {

        if (n[i]) {
            ngx_http_webhook_page_fault(w, "><b>",
                                  (ngx_str_t *) &place->counted->names[0]);
            ngx_http_webhook_write(w, "answered 503 to %uA requests: %s", n[i],
                                   why[i]);
            wrong++;
        }
    }

    return wrong;
}


static void
ngx_http_webhook_page_places(ngx_http_webhook_monitor_t *monitor,
    ngx_http_webhook_page_place_t *places, ngx_uint_t n)
{
    char                             *comma;
    ngx_uint_t                        i, k, top;
    ngx_atomic_uint_t                *outcomes, *reasons;
    ngx_http_webhook_writer_t        *w;
    const ngx_http_webhook_counted_t *place;
    ngx_http_webhook_place_counts_t  *counts;

    w = &monitor->writer;

    for (i = 0; i < ngx_min(n, NGX_HTTP_WEBHOOK_PAGE_PLACES); i++) {

        place = places[i].counted;
        counts = place->counts;
        outcomes = places[i].outcomes;
        reasons = places[i].reasons;

        ngx_http_webhook_page_row(w, &place->names[0], &place->names[1],
                                  place->dry_run);

        ngx_http_webhook_page_number(w, "Passed",
                                outcomes[NGX_HTTP_WEBHOOK_STATUS_PASSED]);
        ngx_http_webhook_page_number(w, "Rejected",
                                outcomes[NGX_HTTP_WEBHOOK_STATUS_REJECTED]);
        ngx_http_webhook_page_number(w, "Duplicates",
                                outcomes[NGX_HTTP_WEBHOOK_STATUS_DUPLICATE]);

        outcomes[NGX_HTTP_WEBHOOK_STATUS_PASSED] = 0;
        outcomes[NGX_HTTP_WEBHOOK_STATUS_REJECTED] = 0;
        outcomes[NGX_HTTP_WEBHOOK_STATUS_DUPLICATE] = 0;

        comma = "<td data-l=\"Others\">";

        for ( ;; ) {
            top = ngx_http_webhook_page_top(outcomes,
                                            NGX_HTTP_WEBHOOK_STATUSES);
            if (outcomes[top] == 0) {
                break;
            }

            ngx_http_webhook_write(w, "%s%V %uA", comma,
                                   ngx_http_webhook_outcome_name(top),
                                   outcomes[top]);
            outcomes[top] = 0;
            comma = ", ";
        }

        if (comma[0] == '<') {
            ngx_http_webhook_page_none(w, "Others");
        }

        comma = "<td data-l=\"Why\">";

        for (k = 0; k < NGX_HTTP_WEBHOOK_PAGE_REASONS; k++) {
            top = ngx_http_webhook_page_top(reasons, NGX_HTTP_WEBHOOK_REASONS);

            if (reasons[top] == 0) {
                break;
            }

            ngx_http_webhook_write(w, "%s%V %uA", comma,
                                   ngx_http_webhook_monitor_reason(top),
                                   reasons[top]);
            reasons[top] = 0;
            comma = ", ";
        }

        if (comma[0] == '<') {
            ngx_http_webhook_page_none(w, "Why");
        }

        ngx_http_webhook_write(w, "<td data-l=\"By secret\">");

        for (k = 0; k < place->nsecrets; k++) {
            ngx_http_webhook_write(w, k ? ", %uA" : "%uA", counts->matches[k]);
        }

        if (counts->last[NGX_HTTP_WEBHOOK_STATUS_PASSED]) {
            ngx_http_webhook_write(w, "<td data-l=\"Last pass\">");
            ngx_http_webhook_page_time(w,
                                 counts->last[NGX_HTTP_WEBHOOK_STATUS_PASSED]);
            ngx_http_webhook_write(w, " ago");

        } else {
            ngx_http_webhook_page_none(w, "Last pass");
        }

        ngx_http_webhook_page_none(w, "Per second");
        ngx_http_webhook_write(w, "\n");
    }
}


static ngx_uint_t
ngx_http_webhook_page_top(ngx_atomic_uint_t *counts, ngx_uint_t n)
{
    ngx_uint_t  i, top;

    top = 0;

    for (i = 1; i < n; i++) {
        if (counts[i] > counts[top]) {
            top = i;
        }
    }

    return top;
}


static void
ngx_http_webhook_page_schemes(ngx_http_webhook_monitor_t *monitor)
{
    ngx_uint_t                         i, k;
    ngx_array_t                       *schemes;
    ngx_http_webhook_writer_t         *w;
    ngx_http_webhook_counted_t       **scheme;
    ngx_http_webhook_scheme_counts_t  *counts;

    static char  *labels[] = {
        "Age of events", "Ahead of the clock", "Deliveries"
    };

    w = &monitor->writer;

    schemes = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_SCHEMES];
    scheme = schemes->elts;

    for (i = 0; i < schemes->nelts; i++) {

        counts = scheme[i]->counts;

        ngx_http_webhook_page_row(w, &scheme[i]->names[0], NULL, 0);

        for (k = 0; k < NGX_HTTP_WEBHOOK_HISTOGRAMS; k++) {
            ngx_http_webhook_page_spread(w, labels[k], k,
                                         &counts->histograms[k]);
        }

        ngx_http_webhook_write(w, "\n");
    }
}


/* the mean, and the bound below which are 95 of 100 */

static void
ngx_http_webhook_page_spread(ngx_http_webhook_writer_t *w, const char *label,
    ngx_http_webhook_histogram_e type,
    const ngx_http_webhook_histogram_t *histogram)
{
    ngx_uint_t                       i;
    ngx_atomic_uint_t                total, count, mean;
    const ngx_http_webhook_bound_t  *bounds;

    total = ngx_http_webhook_histogram_total(histogram);

    if (total == 0) {
        ngx_http_webhook_page_none(w, label);
        return;
    }

    bounds = ngx_http_webhook_bounds[type].bounds;

    mean = histogram->sum * 100 / ngx_http_webhook_bounds[type].scale / total;
    count = histogram->counts[0];

    for (i = 0; bounds[i + 1].text; i++) {

        if (count * 100 >= total * 95) {
            break;
        }

        count += histogram->counts[i + 1];
    }

    ngx_http_webhook_write(w, "<td data-l=\"%s\">mean %uA.%02uA s, 95 %% %s "
                           "%s s <small>of %uA</small>",
                           label, mean / 100, mean % 100,
                           (count * 100 >= total * 95) ? "within" : "over",
                           bounds[i].text, total);
}


static void
ngx_http_webhook_page_recent(ngx_http_webhook_monitor_t *monitor)
{
    ngx_int_t                    rc;
    ngx_str_t                    names[2], hint;
    ngx_uint_t                   i, k;
    ngx_http_webhook_writer_t   *w;
    ngx_http_webhook_refusal_t   refusal;

    w = &monitor->writer;

    for (i = 0; /* void */ ; i++) {

        rc = ngx_http_webhook_metrics_recent(&monitor->main->metrics, i,
                                             &refusal);
        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_AGAIN) {
            continue;
        }

        for (k = 0; k < 2; k++) {
            names[k].len = refusal.labels[k].len;
            names[k].data = refusal.labels[k].data;
        }

        ngx_http_webhook_page_row(w, &names[0], &names[1], refusal.dry_run);

        ngx_http_webhook_write(w, "<td data-l=\"When\">");
        ngx_http_webhook_page_time(w, refusal.time);
        ngx_http_webhook_write(w, " ago<td data-l=\"Outcome\">%V"
                               "<td data-l=\"Reason\">%V",
                               ngx_http_webhook_outcome_name(
                                                      refusal.verdict.status),
                               ngx_http_webhook_monitor_reason(
                                                     refusal.verdict.reason));

        if (refusal.hint_len) {
            hint.len = refusal.hint_len;
            hint.data = refusal.hint;

            ngx_http_webhook_write(w, "<td data-l=\"Hint\">");
            ngx_http_webhook_page_name(w, &hint);

        } else {
            ngx_http_webhook_page_none(w, "Hint");
        }

        if (refusal.has_age) {
            ngx_http_webhook_write(w, "<td data-l=\"Age\">%T s\n",
                                   refusal.age);

        } else {
            ngx_http_webhook_page_none(w, "Age");
        }
    }
}
