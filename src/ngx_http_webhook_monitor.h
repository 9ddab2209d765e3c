
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The monitor: a location that tells what was counted, in several formats.
 */


#ifndef _NGX_HTTP_WEBHOOK_MONITOR_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_MONITOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"
#include "ngx_http_webhook_store_forget.h"
#include "ngx_http_webhook_writer.h"


#define NGX_HTTP_WEBHOOK_MAX_ARG  1024       /* bytes */


/* the arguments, each of which may be there once, but for keys */

typedef enum {
    NGX_HTTP_WEBHOOK_ARG_FORMAT = 0,
    NGX_HTTP_WEBHOOK_ARG_SERVER,
    NGX_HTTP_WEBHOOK_ARG_LOCATION,
    NGX_HTTP_WEBHOOK_ARG_NAMESPACE,
    NGX_HTTP_WEBHOOK_ARG_KEY,                /* the first one */
    NGX_HTTP_WEBHOOK_ARG_ZONE,
    NGX_HTTP_WEBHOOK_ARG_ID,
    NGX_HTTP_WEBHOOK_ARG_ALL,
    NGX_HTTP_WEBHOOK_ARGS                    /* how many there are */
} ngx_http_webhook_arg_e;


/* one request to the monitor */

typedef struct ngx_http_webhook_monitor_s  ngx_http_webhook_monitor_t;

struct ngx_http_webhook_monitor_s {
    ngx_http_request_t            *request;
    ngx_http_webhook_main_conf_t  *main;
    const ngx_http_webhook_monitor_conf_t  *conf;

    ngx_str_t                      args[NGX_HTTP_WEBHOOK_ARGS];  /* if not
                                                NULL, they are not empty */
    ngx_str_t                      keys[NGX_HTTP_WEBHOOK_MAX_PARTS];
    ngx_uint_t                     nkeys;

    ngx_http_webhook_inquiry_t     inquiry;  /* of an event */
    void                         (*handler)(ngx_http_webhook_monitor_t *monitor,
                                       ngx_uint_t status);
                                             /* of its later answer */

    char                          *error;    /* or NULL */
    char                          *message;  /* of it */
    ngx_http_webhook_writer_t      writer;
};


/* what is known of a zone, some of it by a sample */

typedef struct {
    uint64_t                       slots;
    uint64_t                       used;
    uint64_t                       in_flight;
    uint64_t                       claims;
    uint64_t                       committed;
    uint64_t                       freed;
    uint64_t                       evicted;
    uint64_t                       lost;
    uint64_t                       forgotten;
    uint64_t                       write_errors;   /* of a state file */
    uint64_t                       written;  /* when it was last in step */
    ngx_uint_t                     has_state;
} ngx_http_webhook_monitor_zone_t;


/* and of the store that it belongs to */

typedef struct {
    const ngx_str_t               *name;
    const ngx_str_t               *zone;     /* as it is shown */
    uint64_t                       up;       /* all processes can ask it */
    uint64_t                       counters[NGX_HTTP_WEBHOOK_COUNTERS];
    ngx_http_webhook_store_summary_t  status;
} ngx_http_webhook_monitor_store_t;


/* The handler of a location that has webhook_monitor. */
ngx_int_t ngx_http_webhook_monitor_handler(ngx_http_request_t *r);

/* Whether a number of requests is shown: at zero, some are. */
ngx_uint_t ngx_http_webhook_monitor_shows(
    const ngx_http_webhook_counted_t *place, ngx_uint_t dry_run,
    ngx_http_webhook_status_e status, ngx_http_webhook_reason_e reason);

/* The name of a reason, "none" if there is none. */
ngx_str_t *ngx_http_webhook_monitor_reason(ngx_http_webhook_reason_e reason);

void ngx_http_webhook_monitor_zone(ngx_http_webhook_counted_t *counted,
    ngx_http_webhook_monitor_zone_t *zone);

/* Of a zone that belongs to a store. */
void ngx_http_webhook_monitor_store(ngx_http_webhook_counted_t *counted,
    ngx_http_webhook_monitor_store_t *store);


/* src/ngx_http_webhook_monitor_door.c */

/*
 * Merges webhook_monitor, which only blocks inside of a location have from it.
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR after an error was logged.
 */
char *ngx_http_webhook_merge_monitor(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf);

/* Whether a request is one of a client on this machine that means us. */
ngx_uint_t ngx_http_webhook_is_local(ngx_http_request_t *r,
    const ngx_http_webhook_monitor_conf_t *conf);


/* src/ngx_http_webhook_monitor_forget.c */

/*
 * Tells of an event whether it is remembered, or forgets what is named.
 * Returns the status of the answer, which is written, if it is not an error of
 * the monitor; or NGX_HTTP_INTERNAL_SERVER_ERROR, which has none; or NGX_AGAIN,
 * and monitor->handler will be called with the status.
 */
ngx_int_t ngx_http_webhook_monitor_event(ngx_http_webhook_monitor_t *monitor);


/* src/ngx_http_webhook_monitor_prometheus.c */

/* Writes all that is counted, as Prometheus reads it. */
void ngx_http_webhook_monitor_prometheus(ngx_http_webhook_monitor_t *monitor);


/* src/ngx_http_webhook_monitor_json.c */

/* Writes the same, and more, in JSON. */
void ngx_http_webhook_monitor_json(ngx_http_webhook_monitor_t *monitor);


/* src/ngx_http_webhook_monitor_page.c */

/* Writes the same as a page. */
void ngx_http_webhook_monitor_page(ngx_http_webhook_monitor_t *monitor);


/* src/ngx_http_webhook_monitor_page_item.c */

/* A list item begins, about what is wrong with that name. */
void ngx_http_webhook_page_fault(ngx_http_webhook_writer_t *w,
    const char *prefix, const ngx_str_t *name);

/*
 * A row begins, with the name of a place and its scheme, or a name alone; cells
 * of it with a number, and without anything.
 */
void ngx_http_webhook_page_row(ngx_http_webhook_writer_t *w,
    const ngx_str_t *name, const ngx_str_t *scheme, ngx_uint_t dry_run);
void ngx_http_webhook_page_number(ngx_http_webhook_writer_t *w,
    const char *label, uint64_t n);
void ngx_http_webhook_page_none(ngx_http_webhook_writer_t *w,
    const char *label);

/* How long ago a time is, in one unit; a name as it stands in HTML. */
void ngx_http_webhook_page_time(ngx_http_webhook_writer_t *w, time_t time);
void ngx_http_webhook_page_name(ngx_http_webhook_writer_t *w,
    const ngx_str_t *name);


/* src/ngx_http_webhook_monitor_page_zones.c */

/* What is wrong with zones and their stores; returns how many faults. */
ngx_uint_t ngx_http_webhook_page_wrong_zones(
    ngx_http_webhook_monitor_t *monitor);

/* Rows of zones, and of the stores of those that have one, if there are any. */
void ngx_http_webhook_page_zones(ngx_http_webhook_monitor_t *monitor);
ngx_uint_t ngx_http_webhook_page_has_stores(
    ngx_http_webhook_monitor_t *monitor);
void ngx_http_webhook_page_stores(ngx_http_webhook_monitor_t *monitor);


/* src/ngx_http_webhook_monitor_page_text.c */

#define NGX_HTTP_WEBHOOK_PAGE_PARTS  10

extern char  ngx_http_webhook_page_policy[];
extern ngx_str_t  ngx_http_webhook_page_parts[NGX_HTTP_WEBHOOK_PAGE_PARTS];


#endif /* _NGX_HTTP_WEBHOOK_MONITOR_H_INCLUDED_ */
