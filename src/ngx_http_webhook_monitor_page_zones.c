
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the page tells of zones and of their stores.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_monitor.h"


static ngx_uint_t ngx_http_webhook_page_wrong_store(
    ngx_http_webhook_writer_t *w, ngx_http_webhook_monitor_store_t *store);
static void ngx_http_webhook_page_error(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_store_summary_t *status);
static void ngx_http_webhook_page_store(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_monitor_store_t *store);


ngx_uint_t
ngx_http_webhook_page_wrong_zones(ngx_http_webhook_monitor_t *monitor)
{
    uint64_t                          fill;
    ngx_str_t                        *name;
    ngx_uint_t                        i, wrong;
    ngx_array_t                      *zones;
    ngx_http_webhook_writer_t        *w;
    ngx_http_webhook_counted_t      **zone;
    ngx_http_webhook_monitor_zone_t   numbers;
    ngx_http_webhook_monitor_store_t  store;

    w = &monitor->writer;
    wrong = 0;

    zones = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_ZONES];
    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        name = &zone[i]->names[0];

        ngx_http_webhook_monitor_zone(zone[i], &numbers);

        if (numbers.evicted) {
            ngx_http_webhook_page_fault(w, "><b>zone ", name);
            ngx_http_webhook_write(w, "forgot %uL accepted events before their "
                                   "time: the zone is full, make it larger.",
                                   numbers.evicted);
            wrong++;
        }

        if (numbers.used * 10 >= numbers.slots * 9) {
            ngx_http_webhook_page_fault(w, "><b>zone ", name);
            fill = (numbers.used * 1000 + numbers.slots / 2) / numbers.slots;
            ngx_http_webhook_write(w, "is %uL.%uL %% full: make the zone "
                                   "larger.", fill / 10, fill % 10);
            wrong++;
        }

        if (numbers.has_state && ngx_time() - (time_t) numbers.written > 10) {
            ngx_http_webhook_page_fault(w, "><b>zone ", name);
            ngx_http_webhook_write(w, "cannot write its state file, ");

            if (numbers.written) {
                ngx_http_webhook_write(w, "last in step ");
                ngx_http_webhook_page_time(w, numbers.written);
                ngx_http_webhook_write(w, " ago: see the error log.");

            } else {
                ngx_http_webhook_write(w, "it never was in step: see the "
                                       "error log.");
            }

            wrong++;
        }

        if (zone[i]->zone->store) {
            ngx_http_webhook_monitor_store(zone[i], &store);
            wrong += ngx_http_webhook_page_wrong_store(w, &store);
        }
    }

    return wrong;
}


static ngx_uint_t
ngx_http_webhook_page_wrong_store(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_monitor_store_t *store)
{
    uint64_t                           lost;
    ngx_uint_t                         wrong;
    ngx_http_webhook_store_summary_t  *status;

    status = &store->status;
    lost = store->counters[NGX_HTTP_WEBHOOK_COUNT_STORE_LOST];
    wrong = 0;

    if (status->down) {
        ngx_http_webhook_page_fault(w, "><b>store ", store->name);

        if (status->up) {
            ngx_http_webhook_write(w, "cannot be asked by %ui of %ui worker "
                                   "processes, for ", status->down,
                                   status->up + status->down);

        } else {
            ngx_http_webhook_write(w, "cannot be asked, for ");
        }

        ngx_http_webhook_page_time(w, status->since);
        ngx_http_webhook_write(w, ": ");
        ngx_http_webhook_page_error(w, status);
        ngx_http_webhook_write(w, ".");
        wrong++;
    }

    if (lost) {
        ngx_http_webhook_page_fault(w, "><b>store ", store->name);
        ngx_http_webhook_write(w, "was not told of %uL accepted events: the "
                               "zone had no room to keep them.", lost);
        wrong++;
    }

    return wrong;
}


static void
ngx_http_webhook_page_error(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_store_summary_t *status)
{
    ngx_str_t  error;

    error.data = status->error;
    error.len = status->len;

    ngx_http_webhook_page_name(w, &error);
}


void
ngx_http_webhook_page_zones(ngx_http_webhook_monitor_t *monitor)
{
    uint64_t                          fill;
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

        fill = (numbers.used * 1000 + numbers.slots / 2) / numbers.slots;

        ngx_http_webhook_page_row(w, &zone[i]->names[0], NULL, 0);

        ngx_http_webhook_write(w, "<td data-l=\"Fill\"><meter max=\"%uL\" "
                               "high=\"%uL\" value=\"%uL\"></meter> "
                               "%uL.%uL %% <small>%uL of %uL</small>",
                               numbers.slots, numbers.slots * 9 / 10,
                               numbers.used, fill / 10, fill % 10,
                               numbers.used, numbers.slots);

        ngx_http_webhook_page_number(w, "In flight", numbers.in_flight);
        ngx_http_webhook_page_number(w, "Claimed", numbers.claims);
        ngx_http_webhook_page_number(w, "Accepted", numbers.committed);
        ngx_http_webhook_page_number(w, "Not accepted", numbers.freed);
        ngx_http_webhook_page_number(w, "Evicted", numbers.evicted);
        ngx_http_webhook_page_number(w, "Too late", numbers.lost);
        ngx_http_webhook_page_number(w, "Forgotten", numbers.forgotten);

        if (!numbers.has_state) {
            ngx_http_webhook_page_none(w, "State file");

        } else if (numbers.written) {
            ngx_http_webhook_write(w, "<td data-l=\"State file\">in step ");
            ngx_http_webhook_page_time(w, numbers.written);
            ngx_http_webhook_write(w, " ago");

        } else {
            ngx_http_webhook_write(w, "<td data-l=\"State file\">never in "
                                   "step");
        }

        ngx_http_webhook_write(w, "\n");
    }
}


ngx_uint_t
ngx_http_webhook_page_has_stores(ngx_http_webhook_monitor_t *monitor)
{
    ngx_uint_t                    i;
    ngx_array_t                  *zones;
    ngx_http_webhook_counted_t  **zone;

    zones = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_ZONES];
    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        if (zone[i]->zone->store) {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_webhook_page_stores(ngx_http_webhook_monitor_t *monitor)
{
    ngx_uint_t                         i;
    ngx_array_t                       *zones;
    ngx_http_webhook_counted_t       **zone;
    ngx_http_webhook_monitor_store_t   store;

    zones = &monitor->main->metrics.counted[NGX_HTTP_WEBHOOK_COUNT_ZONES];
    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        if (zone[i]->zone->store) {
            ngx_http_webhook_monitor_store(zone[i], &store);
            ngx_http_webhook_page_store(&monitor->writer, &store);
        }
    }
}


static void
ngx_http_webhook_page_store(ngx_http_webhook_writer_t *w,
    ngx_http_webhook_monitor_store_t *store)
{
    uint64_t                          *counters;
    ngx_http_webhook_store_summary_t  *status;

    counters = store->counters;
    status = &store->status;

    ngx_http_webhook_page_row(w, store->name, NULL, 0);

    ngx_http_webhook_write(w, "<td data-l=\"State\">");

    if (status->since) {
        ngx_http_webhook_write(w, status->down ? "down for " : "up for ");
        ngx_http_webhook_page_time(w, status->since);

    } else {
        ngx_http_webhook_write(w, "not tried yet");
    }

    ngx_http_webhook_page_number(w, "New",
                               counters[NGX_HTTP_WEBHOOK_COUNT_STORE_MINE]);
    ngx_http_webhook_page_number(w, "Accepted",
                               counters[NGX_HTTP_WEBHOOK_COUNT_STORE_DONE]);
    ngx_http_webhook_page_number(w, "In flight",
                               counters[NGX_HTTP_WEBHOOK_COUNT_STORE_BUSY]);
    ngx_http_webhook_page_number(w, "No answer",
                               counters[NGX_HTTP_WEBHOOK_COUNT_STORE_FAILED]);
    ngx_http_webhook_page_number(w, "Not asked",
                               counters[NGX_HTTP_WEBHOOK_COUNT_STORE_DOWN]);
    ngx_http_webhook_page_number(w, "Owed",
                               counters[NGX_HTTP_WEBHOOK_COUNT_STORE_OWED]);
    ngx_http_webhook_page_number(w, "Sent again",
                           counters[NGX_HTTP_WEBHOOK_COUNT_STORE_SENT_AGAIN]);

    if (status->failed) {
        ngx_http_webhook_write(w, "<td data-l=\"Last error\">");
        ngx_http_webhook_page_error(w, status);
        ngx_http_webhook_write(w, " <small>");
        ngx_http_webhook_page_time(w, status->failed);
        ngx_http_webhook_write(w, " ago</small>");

    } else {
        ngx_http_webhook_page_none(w, "Last error");
    }

    ngx_http_webhook_write(w, "\n");
}
