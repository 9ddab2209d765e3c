
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The monitor: who may ask, what is asked for, and in which format it is
 * answered.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_accept.h"
#include "ngx_http_webhook_form.h"
#include "ngx_http_webhook_header.h"
#include "ngx_http_webhook_monitor.h"
#include "ngx_http_webhook_suspend.h"


typedef enum {
    NGX_HTTP_WEBHOOK_FORMAT_PROMETHEUS = 0,
    NGX_HTTP_WEBHOOK_FORMAT_JSON,
    NGX_HTTP_WEBHOOK_FORMAT_HTML,
    NGX_HTTP_WEBHOOK_FORMATS                 /* how many there are */
} ngx_http_webhook_format_e;


typedef struct {
    ngx_str_t                      name;     /* in the argument */
    ngx_str_t                      content_type;
    void                         (*handler)(
                                        ngx_http_webhook_monitor_t *monitor);
} ngx_http_webhook_format_t;


static ngx_int_t ngx_http_webhook_monitor_wait(
    ngx_http_webhook_monitor_t *monitor);
static void ngx_http_webhook_monitor_answered(
    ngx_http_webhook_monitor_t *monitor, ngx_uint_t status);
static void ngx_http_webhook_monitor_cleanup(void *data);
static ngx_int_t ngx_http_webhook_read_args(
    ngx_http_webhook_monitor_t *monitor);
static ngx_int_t ngx_http_webhook_decode_arg(
    ngx_http_webhook_monitor_t *monitor, u_char *p, u_char *last,
    ngx_str_t *value);
static ngx_int_t ngx_http_webhook_set_arg(ngx_http_webhook_monitor_t *monitor,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_webhook_get_format(
    ngx_http_webhook_monitor_t *monitor,
    const ngx_http_webhook_format_t **format);
static const ngx_http_webhook_format_t *ngx_http_webhook_accepted_format(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_webhook_send_json(
    ngx_http_webhook_monitor_t *monitor, ngx_uint_t status);
static ngx_int_t ngx_http_webhook_send(ngx_http_webhook_monitor_t *monitor,
    ngx_uint_t status, const ngx_str_t *content_type);


/* in the order of ngx_http_webhook_arg_e */

static const ngx_str_t  ngx_http_webhook_args[] = {
    ngx_string("format"),
    ngx_string("server"),
    ngx_string("location"),
    ngx_string("namespace"),
    ngx_string("key"),
    ngx_string("zone"),
    ngx_string("id"),
    ngx_string("all")
};


/* in the order in which they are taken where a client has no preference */

static const ngx_http_webhook_format_t  ngx_http_webhook_formats[] = {

    { ngx_string("prometheus"),
      ngx_string("text/plain; version=0.0.4; charset=utf-8"),
      ngx_http_webhook_monitor_prometheus },

    { ngx_string("json"),
      ngx_string("application/json"),
      ngx_http_webhook_monitor_json },

    { ngx_string("html"),
      ngx_string("text/html; charset=utf-8"),
      ngx_http_webhook_monitor_page }
};


ngx_int_t
ngx_http_webhook_monitor_handler(ngx_http_request_t *r)
{
    char                             *allow;
    ngx_int_t                         rc;
    ngx_uint_t                        i, methods;
    ngx_http_webhook_monitor_t       *monitor;
    ngx_http_webhook_loc_conf_t      *wlcf;
    const ngx_http_webhook_format_t  *format;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webhook_module);

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "webhook monitor handler");

    if (!wlcf->monitor->any && !ngx_http_webhook_is_local(r, wlcf->monitor)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "webhook monitor is for local clients only: it was asked "
                      "by another one, through a proxy, or by another name");
        return NGX_HTTP_FORBIDDEN;
    }

    methods = NGX_HTTP_GET|NGX_HTTP_HEAD;
    allow = "GET, HEAD";

    if (wlcf->monitor->write) {
        methods |= NGX_HTTP_DELETE;
        allow = "GET, HEAD, DELETE";
    }

    if (!(r->method & methods)) {
        return (ngx_http_webhook_add_header(r, "Allow", allow) == NGX_OK)
               ? NGX_HTTP_NOT_ALLOWED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    monitor = ngx_pcalloc(r->pool, sizeof(ngx_http_webhook_monitor_t));
    if (monitor == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    monitor->request = r;
    monitor->conf = wlcf->monitor;
    monitor->main = ngx_http_get_module_main_conf(r, ngx_http_webhook_module);

    ngx_http_webhook_writer_init(&monitor->writer, r->pool);

    format = NULL;

    rc = ngx_http_webhook_read_args(monitor);

    if (rc == NGX_OK) {
        rc = ngx_http_webhook_get_format(monitor, &format);
    }

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        monitor->error = "bad_request";
        return ngx_http_webhook_send_json(monitor, NGX_HTTP_BAD_REQUEST);

    default: /* NGX_ERROR */
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* any other argument asks for an event */

    for (i = 1; i < NGX_HTTP_WEBHOOK_ARGS; i++) {
        if (monitor->args[i].data) {
            break;
        }
    }

    if (i < NGX_HTTP_WEBHOOK_ARGS || r->method == NGX_HTTP_DELETE) {
        monitor->handler = ngx_http_webhook_monitor_answered;

        rc = ngx_http_webhook_monitor_event(monitor);

        if (rc == NGX_AGAIN) {
            return ngx_http_webhook_monitor_wait(monitor);
        }

        return (rc == NGX_HTTP_INTERNAL_SERVER_ERROR)
               ? NGX_HTTP_INTERNAL_SERVER_ERROR
               : ngx_http_webhook_send_json(monitor, rc);
    }

    if (format == &ngx_http_webhook_formats[NGX_HTTP_WEBHOOK_FORMAT_HTML]
        && (ngx_http_webhook_add_header(r, "Content-Security-Policy",
                                        ngx_http_webhook_page_policy)
            != NGX_OK
            || ngx_http_webhook_add_header(r, "Referrer-Policy", "no-referrer")
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    format->handler(monitor);

    return ngx_http_webhook_send(monitor, NGX_HTTP_OK, &format->content_type);
}


/* a store was asked, and will answer; or the client leaves */

static ngx_int_t
ngx_http_webhook_monitor_wait(ngx_http_webhook_monitor_t *monitor)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;
    ngx_pool_cleanup_t  *cln;

    r = monitor->request;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    rc = cln ? ngx_http_webhook_suspend(r) : NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (rc != NGX_DONE) {
        ngx_http_webhook_store_leave(&monitor->inquiry);
        return rc;
    }

    cln->handler = ngx_http_webhook_monitor_cleanup;
    cln->data = monitor;

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_webhook_monitor_answered(ngx_http_webhook_monitor_t *monitor,
    ngx_uint_t status)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = monitor->request;
    c = r->connection;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "webhook monitor is answered: %ui", status);

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, ngx_http_webhook_send_json(monitor, status));

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_webhook_monitor_cleanup(void *data)
{
    ngx_http_webhook_monitor_t *monitor = data;

    ngx_http_webhook_store_leave(&monitor->inquiry);
}


/* NGX_DECLINED, and a message, if there is something wrong with them */

static ngx_int_t
ngx_http_webhook_read_args(ngx_http_webhook_monitor_t *monitor)
{
    u_char     *p, *last, *end, *eq;
    ngx_int_t   rc;
    ngx_str_t   name, value;

    p = monitor->request->args.data;
    last = p + monitor->request->args.len;

    while (p < last) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        eq = ngx_strlchr(p, end, '=');
        if (eq == NULL) {
            eq = end;
        }

        name.data = p;
        name.len = eq - p;

        rc = ngx_http_webhook_decode_arg(monitor, eq + (eq < end), end,
                                         &value);

        if (rc == NGX_OK) {
            rc = ngx_http_webhook_set_arg(monitor, &name, &value);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        p = end + 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_decode_arg(ngx_http_webhook_monitor_t *monitor, u_char *p,
    u_char *last, ngx_str_t *value)
{
    u_char  *dst;

    if (p == last) {
        monitor->message = "an argument is empty";
        return NGX_DECLINED;
    }

    dst = ngx_pnalloc(monitor->request->pool, last - p);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    /* what is not encoded as it should be would name another event */

    if (ngx_http_webhook_form_decode(&dst, p, last, value) != NGX_OK) {
        monitor->message = "an argument does not decode";
        return NGX_DECLINED;
    }

    if (value->len > NGX_HTTP_WEBHOOK_MAX_ARG) {
        monitor->message = "an argument is too long";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_set_arg(ngx_http_webhook_monitor_t *monitor, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_WEBHOOK_ARGS; i++) {

        if (name->len != ngx_http_webhook_args[i].len
            || ngx_strncmp(name->data, ngx_http_webhook_args[i].data,
                           name->len)
               != 0)
        {
            continue;
        }

        if (i == NGX_HTTP_WEBHOOK_ARG_KEY) {

            if (monitor->nkeys == NGX_HTTP_WEBHOOK_MAX_PARTS) {
                monitor->message = "there are too many keys";
                return NGX_DECLINED;
            }

            monitor->keys[monitor->nkeys++] = *value;

        } else if (monitor->args[i].data) {
            monitor->message = "an argument is repeated";
            return NGX_DECLINED;
        }

        monitor->args[i] = *value;

        return NGX_OK;
    }

    monitor->message = "unknown argument";

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_webhook_get_format(ngx_http_webhook_monitor_t *monitor,
    const ngx_http_webhook_format_t **format)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    name = &monitor->args[NGX_HTTP_WEBHOOK_ARG_FORMAT];

    if (name->data == NULL) {
        *format = ngx_http_webhook_accepted_format(monitor->request);
        return NGX_OK;
    }

    for (i = 0; i < NGX_HTTP_WEBHOOK_FORMATS; i++) {
        *format = &ngx_http_webhook_formats[i];

        if (name->len == (*format)->name.len
            && ngx_strncmp(name->data, (*format)->name.data, name->len) == 0)
        {
            return NGX_OK;
        }
    }

    monitor->message = "no such format";

    return NGX_DECLINED;
}


static const ngx_http_webhook_format_t *
ngx_http_webhook_accepted_format(ngx_http_request_t *r)
{
    ngx_uint_t                  i, best;
    ngx_list_part_t            *part;
    ngx_table_elt_t            *h;
    ngx_http_webhook_accept_t   accept[NGX_HTTP_WEBHOOK_FORMATS];

    static ngx_str_t  name = ngx_string("accept");

    for (i = 0; i < NGX_HTTP_WEBHOOK_FORMATS; i++) {
        ngx_http_webhook_accept_init(&accept[i],
                                  &ngx_http_webhook_formats[i].content_type);
    }

    part = NULL;

    for (h = ngx_http_webhook_next_header(r, &name, &part, &i);
         h;
         h = ngx_http_webhook_next_header(r, &name, &part, &i))
    {
        ngx_http_webhook_accept_read(accept, NGX_HTTP_WEBHOOK_FORMATS,
                                     &h->value);
    }

    best = 0;

    for (i = 1; i < NGX_HTTP_WEBHOOK_FORMATS; i++) {
        if (accept[i].q > accept[best].q) {
            best = i;
        }
    }

    return &ngx_http_webhook_formats[best];
}


ngx_uint_t
ngx_http_webhook_monitor_shows(const ngx_http_webhook_counted_t *place,
    ngx_uint_t dry_run, ngx_http_webhook_status_e status,
    ngx_http_webhook_reason_e reason)
{
    ngx_http_webhook_place_counts_t  *counts;

    counts = place->counts;

    if (counts->requests[dry_run][status][reason]) {
        return 1;
    }

    if (!place->listed || !(dry_run ? place->dry_run : place->enforce)) {
        return 0;
    }

    switch (status) {

    case NGX_HTTP_WEBHOOK_STATUS_PASSED:
        return reason == NGX_HTTP_WEBHOOK_REASON_NONE;

    case NGX_HTTP_WEBHOOK_STATUS_REJECTED:
        return reason == NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH;

    case NGX_HTTP_WEBHOOK_STATUS_DUPLICATE:
        return reason == NGX_HTTP_WEBHOOK_REASON_ALREADY_DELIVERED;

    case NGX_HTTP_WEBHOOK_STATUS_UNAVAILABLE:
        return reason == NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;

    default:
        return 0;
    }
}


ngx_str_t *
ngx_http_webhook_monitor_reason(ngx_http_webhook_reason_e reason)
{
    static ngx_str_t  none = ngx_string("none");

    return reason ? ngx_http_webhook_reason_name(reason) : &none;
}


void
ngx_http_webhook_monitor_zone(ngx_http_webhook_counted_t *counted,
    ngx_http_webhook_monitor_zone_t *zone)
{
    uint64_t                  *counters;
    ngx_http_webhook_table_t  *table;

    table = &counted->zone->sh->table;
    counters = table->counters;

    zone->slots = (uint64_t) table->nbuckets * NGX_HTTP_WEBHOOK_BUCKET;
    zone->used = ngx_http_webhook_table_sample(table, ngx_time());
    zone->in_flight = ngx_http_webhook_metrics_in_flight(counted);
    zone->claims = counters[NGX_HTTP_WEBHOOK_COUNT_CLAIMED];
    zone->committed = counters[NGX_HTTP_WEBHOOK_COUNT_COMMITTED];
    zone->freed = counters[NGX_HTTP_WEBHOOK_COUNT_FREED];
    zone->evicted = counters[NGX_HTTP_WEBHOOK_COUNT_EVICTED]
                    + counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM];
    zone->lost = counters[NGX_HTTP_WEBHOOK_COUNT_LOST];
    zone->forgotten = counters[NGX_HTTP_WEBHOOK_COUNT_FORGOTTEN];
    zone->write_errors = counters[NGX_HTTP_WEBHOOK_COUNT_STATE_ERRORS];
    zone->written = table->saved;
    zone->has_state = (counted->zone->state.path.len != 0);
}


void
ngx_http_webhook_monitor_store(ngx_http_webhook_counted_t *counted,
    ngx_http_webhook_monitor_store_t *numbers)
{
    ngx_http_webhook_store_t  *store;

    store = counted->zone->store;

    numbers->name = &store->name;
    numbers->zone = &counted->names[0];

    ngx_memcpy(numbers->counters, counted->zone->sh->table.counters,
               sizeof(numbers->counters));

    ngx_http_webhook_store_status_read(store, &numbers->status);

    numbers->up = (numbers->status.up && numbers->status.down == 0);
}


static ngx_int_t
ngx_http_webhook_send_json(ngx_http_webhook_monitor_t *monitor,
    ngx_uint_t status)
{
    static ngx_str_t  content_type = ngx_string("application/json");

    if (monitor->error) {
        ngx_http_webhook_write(&monitor->writer,
                               "{\"error\":\"%s\",\"message\":\"%s\"}\n",
                               monitor->error, monitor->message);
    }

    return ngx_http_webhook_send(monitor, status, &content_type);
}


static ngx_int_t
ngx_http_webhook_send(ngx_http_webhook_monitor_t *monitor, ngx_uint_t status,
    const ngx_str_t *content_type)
{
    u_char              *p, *last;
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = monitor->request;

    if (ngx_http_webhook_writer_end(&monitor->writer) != NGX_OK
        || ngx_http_webhook_add_header(r, "Vary", "Accept") != NGX_OK
        || ngx_http_webhook_add_header(r, "Cache-Control", "no-store") != NGX_OK
        || ngx_http_webhook_add_header(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a page that includes this goes on behind it */

    monitor->writer.last->buf->last_buf = (r == r->main);

    r->headers_out.status = status;
    r->headers_out.content_length_n = monitor->writer.size;
    r->headers_out.content_type = *content_type;
    r->headers_out.content_type_len = content_type->len;
    r->headers_out.content_type_lowcase = NULL;

    last = content_type->data + content_type->len;
    p = ngx_strlchr(content_type->data, last, ';');

    if (p) {

        /* filters know a type by its name alone */

        r->headers_out.content_type_len = p - content_type->data;
        ngx_str_set(&r->headers_out.charset, "utf-8");
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, monitor->writer.first);
}
