
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A request that waits in a phase.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_suspend.h"


ngx_int_t
ngx_http_webhook_suspend(ngx_http_request_t *r)
{
    r->write_event_handler = ngx_http_request_empty_handler;

    if (r->post_action) {

        /* whether the client is still there makes no difference */

        r->read_event_handler = ngx_http_block_reading;

        return NGX_DONE;
    }

    if (r->connection->read->ready) {

        /* the client may have left already */

        ngx_post_event(r->connection->read, &ngx_posted_events);

    } else {
        if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    r->read_event_handler = ngx_http_test_reading;

    return NGX_DONE;
}


void
ngx_http_webhook_resume(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);

    ngx_http_run_posted_requests(c);
}
