
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A request that waits in a phase.
 */


#ifndef _NGX_HTTP_WEBHOOK_SUSPEND_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_SUSPEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Suspends a request in a phase, to be gone with its client: returns what the
 * phase handler is to return.
 */
ngx_int_t ngx_http_webhook_suspend(ngx_http_request_t *r);

/* The phases are run again, after which r may be gone. */
void ngx_http_webhook_resume(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WEBHOOK_SUSPEND_H_INCLUDED_ */
