
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What is counted, in shared memory of its own, if somebody monitors it.
 */


#ifndef _NGX_HTTP_WEBHOOK_METRICS_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_METRICS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store_status.h"
#include "ngx_http_webhook_verdict.h"
#include "ngx_http_webhook_zone.h"


#define NGX_HTTP_WEBHOOK_LABEL    128        /* bytes of a name */
#define NGX_HTTP_WEBHOOK_MATCHES  8          /* secrets of a location */
#define NGX_HTTP_WEBHOOK_BOUNDS   13         /* of the longest histogram */
#define NGX_HTTP_WEBHOOK_RECENT   64         /* requests that are kept */
#define NGX_HTTP_WEBHOOK_HINT     160        /* bytes of one */


/* a name by which something is counted: in shared memory it has its copy */

typedef struct {
    uint32_t                       len;
    u_char                         data[NGX_HTTP_WEBHOOK_LABEL];
} ngx_http_webhook_label_t;


/* the bounds of a histogram */

typedef struct {
    char                          *text;     /* as it is shown, in seconds */
    ngx_uint_t                     value;    /* as it is counted */
} ngx_http_webhook_bound_t;


typedef struct {
    const ngx_http_webhook_bound_t  *bounds; /* ended by a NULL text */
    ngx_uint_t                     scale;    /* what a second is counted as */
} ngx_http_webhook_bounds_t;


typedef enum {
    NGX_HTTP_WEBHOOK_AGE = 0,
    NGX_HTTP_WEBHOOK_AHEAD,
    NGX_HTTP_WEBHOOK_DELIVERY,
    NGX_HTTP_WEBHOOK_HISTOGRAMS              /* how many there are */
} ngx_http_webhook_histogram_e;


typedef struct {
    ngx_atomic_t                   counts[NGX_HTTP_WEBHOOK_BOUNDS + 1];
    ngx_atomic_t                   sum;
} ngx_http_webhook_histogram_t;


/*
 * What is in shared memory.  A request without a verdict has the status NONE:
 * it was aborted.
 */

typedef struct {
    ngx_http_webhook_label_t       labels[2];   /* place and scheme */

    ngx_atomic_t                   requests[2]  /* in dry run */
                                           [NGX_HTTP_WEBHOOK_STATUSES]
                                           [NGX_HTTP_WEBHOOK_REASONS];
    ngx_atomic_t                   matches[NGX_HTTP_WEBHOOK_MATCHES];
    ngx_atomic_t                   last[NGX_HTTP_WEBHOOK_STATUSES];
} ngx_http_webhook_place_counts_t;


typedef struct {
    ngx_http_webhook_label_t       labels[2];   /* the scheme's, and none */

    ngx_http_webhook_histogram_t   histograms[NGX_HTTP_WEBHOOK_HISTOGRAMS];
} ngx_http_webhook_scheme_counts_t;


/* by process, so that one that is killed leaves nothing behind */

typedef struct {
    ngx_http_webhook_label_t       labels[2];   /* the zone's, and none */

    ngx_uint_t                     in_flight[NGX_MAX_PROCESSES];

    ngx_http_webhook_store_status_t  store;  /* if it has one */
} ngx_http_webhook_zone_counts_t;


/* a request that did not pass */

typedef struct {
    ngx_atomic_t                   number;   /* 0 while it is written */
    time_t                         time;
    time_t                         age;
    ngx_http_webhook_verdict_t     verdict;
    ngx_uint_t                     dry_run;
    ngx_uint_t                     has_age;
    ngx_http_webhook_label_t       labels[2];   /* place and scheme */
    size_t                         hint_len;
    u_char                         hint[NGX_HTTP_WEBHOOK_HINT];
} ngx_http_webhook_refusal_t;


typedef enum {
    NGX_HTTP_WEBHOOK_COUNT_PLACES = 0,
    NGX_HTTP_WEBHOOK_COUNT_SCHEMES,
    NGX_HTTP_WEBHOOK_COUNT_ZONES,
    NGX_HTTP_WEBHOOK_COUNT_KINDS             /* how many there are */
} ngx_http_webhook_kind_e;


typedef struct {
    u_char                        *elts;
    ngx_uint_t                     nelts;
    ngx_uint_t                     max;
} ngx_http_webhook_counts_t;


typedef struct {
    u_char                         magic[8];
    uint32_t                       layout;
    uint32_t                       generation;  /* of the last configuration */
    time_t                         since;

    ngx_http_webhook_counts_t      counts[NGX_HTTP_WEBHOOK_COUNT_KINDS];

    ngx_uint_t                     waiting[NGX_MAX_PROCESSES];

    ngx_atomic_t                   number;   /* of the last refusal */
    ngx_http_webhook_refusal_t     refusals[NGX_HTTP_WEBHOOK_RECENT];
} ngx_http_webhook_metrics_shm_t;


/* what the configuration knows of it */

typedef struct ngx_http_webhook_counted_s  ngx_http_webhook_counted_t;

struct ngx_http_webhook_counted_s {
    ngx_str_node_t                 node;     /* of both names */
    ngx_str_t                      names[2]; /* of a place, and its scheme;
                                                of a scheme; of a zone */
    void                          *counts;   /* in shared memory */
    ngx_http_webhook_metrics_shm_t  *sh;

    ngx_http_webhook_counted_t    *scheme;   /* of a place */
    ngx_uint_t                     nsecrets;
    ngx_http_webhook_zone_t       *zone;     /* of a zone */

    unsigned                       enforce:1;
    unsigned                       dry_run:1;
    unsigned                       listed:1; /* from the start, at zero */
};


typedef struct {
    ngx_http_webhook_metrics_shm_t  *sh;     /* NULL: nobody monitors */
    ngx_uint_t                     generation;  /* of it, from 1 */
    ngx_array_t                    counted[NGX_HTTP_WEBHOOK_COUNT_KINDS];
                                             /* .._webhook_counted_t * */
    ngx_rbtree_t                   index[NGX_HTTP_WEBHOOK_COUNT_KINDS];
    ngx_rbtree_node_t              sentinels[NGX_HTTP_WEBHOOK_COUNT_KINDS];
    time_t                         loaded;   /* when it was read */
} ngx_http_webhook_metrics_t;


/* one request that is over */

typedef struct {
    ngx_http_webhook_verdict_t     verdict;
    ngx_uint_t                     dry_run;
    ngx_uint_t                     secret;   /* that has matched, or 0 */
    time_t                         age;
    ngx_msec_t                     delivery;
    ngx_str_t                      hint;

    unsigned                       accepted:1;  /* the signature is right */
    unsigned                       has_age:1;
    unsigned                       has_delivery:1;
} ngx_http_webhook_request_end_t;


extern const ngx_http_webhook_bounds_t
    ngx_http_webhook_bounds[NGX_HTTP_WEBHOOK_HISTOGRAMS];


/* Makes the metrics of a configuration.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_webhook_metrics_create(ngx_http_webhook_metrics_t *metrics,
    ngx_pool_t *pool);

/*
 * Adds a place, which is a name and a scheme, or finds it: what has the same
 * names is counted as one.  A zone is added with all that there are.  Returns
 * NULL if there is no memory.
 */
ngx_http_webhook_counted_t *ngx_http_webhook_metrics_add_place(
    ngx_http_webhook_metrics_t *metrics, const ngx_str_t *place,
    const ngx_str_t *scheme);

/*
 * Asks for shared memory with room for what was added.  Returns NGX_OK, or
 * NGX_ERROR after an error was logged.
 */
ngx_int_t ngx_http_webhook_metrics_share(ngx_conf_t *cf,
    ngx_http_webhook_metrics_t *metrics, void *tag);

/*
 * A process begins: what one of its number has left behind is cleared, and the
 * zones are told where they count.  Returns where requests that wait are.
 */
ngx_uint_t *ngx_http_webhook_metrics_begin(
    ngx_http_webhook_metrics_t *metrics);

/* Counts a request. */
void ngx_http_webhook_metrics_count(ngx_http_webhook_counted_t *place,
    const ngx_http_webhook_request_end_t *end);

/* How many values a histogram has. */
ngx_atomic_uint_t ngx_http_webhook_histogram_total(
    const ngx_http_webhook_histogram_t *histogram);

/* When counting began; requests that wait; events of a zone in flight. */
time_t ngx_http_webhook_metrics_since(ngx_http_webhook_metrics_t *metrics);
ngx_uint_t ngx_http_webhook_metrics_waiting(
    ngx_http_webhook_metrics_t *metrics);
ngx_uint_t ngx_http_webhook_metrics_in_flight(
    ngx_http_webhook_counted_t *zone);

/*
 * Copies the n-th last request that did not pass, from 0.  Returns NGX_OK,
 * NGX_AGAIN if it is being written over, or NGX_DONE if there is none.
 */
ngx_int_t ngx_http_webhook_metrics_recent(ngx_http_webhook_metrics_t *metrics,
    ngx_uint_t n, ngx_http_webhook_refusal_t *refusal);


#endif /* _NGX_HTTP_WEBHOOK_METRICS_H_INCLUDED_ */
