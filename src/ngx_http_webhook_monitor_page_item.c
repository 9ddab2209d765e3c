
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the page of the monitor consists of: items of a list, rows and cells of
 * a table.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_monitor.h"


void
ngx_http_webhook_page_fault(ngx_http_webhook_writer_t *w, const char *prefix,
    const ngx_str_t *name)
{
    ngx_http_webhook_write(w, "<li%s", prefix);
    ngx_http_webhook_page_name(w, name);
    ngx_http_webhook_write(w, "</b> ");
}


void
ngx_http_webhook_page_row(ngx_http_webhook_writer_t *w, const ngx_str_t *name,
    const ngx_str_t *scheme, ngx_uint_t dry_run)
{
    ngx_http_webhook_write(w, "<tr><th scope=\"row\">");
    ngx_http_webhook_page_name(w, name);

    if (scheme) {
        ngx_http_webhook_write(w, " <small>");
        ngx_http_webhook_page_name(w, scheme);
        ngx_http_webhook_write(w, "%s</small>", dry_run ? ", dry run" : "");
    }

    ngx_http_webhook_write(w, "</th>");
}


void
ngx_http_webhook_page_number(ngx_http_webhook_writer_t *w, const char *label,
    uint64_t n)
{
    ngx_http_webhook_write(w, "<td data-l=\"%s\"%s>%uL", label,
                           n ? "" : " class=\"none\"", n);
}


void
ngx_http_webhook_page_none(ngx_http_webhook_writer_t *w, const char *label)
{
    ngx_http_webhook_write(w, "<td data-l=\"%s\" class=\"none\">", label);
}


/* how long ago, in one unit */

void
ngx_http_webhook_page_time(ngx_http_webhook_writer_t *w, time_t time)
{
    time = ngx_max(ngx_time() - time, 0);

    if (time < 60) {
        ngx_http_webhook_write(w, "%T s", time);

    } else if (time < 3600) {
        ngx_http_webhook_write(w, "%T min", time / 60);

    } else if (time < 172800) {
        ngx_http_webhook_write(w, "%T h", time / 3600);

    } else {
        ngx_http_webhook_write(w, "%T days", time / 86400);
    }
}


void
ngx_http_webhook_page_name(ngx_http_webhook_writer_t *w, const ngx_str_t *name)
{
    ngx_http_webhook_write_name(w, NGX_HTTP_WEBHOOK_ESCAPE_HTML, name);
}
