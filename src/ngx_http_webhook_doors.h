
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The doors by which nginx enters.
 */


#ifndef _NGX_HTTP_WEBHOOK_DOORS_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_DOORS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_request.h"


/* The handler of the access phase. */
ngx_int_t ngx_http_webhook_access_handler(ngx_http_request_t *r);

/*
 * The handler of the log phase, the first one: ends what is still claimed,
 * counts a request, and tells of one that was answered and not judged in a
 * location that verifies.
 */
ngx_int_t ngx_http_webhook_log_handler(ngx_http_request_t *r);

/* Installs the filters of bodies and headers. */
void ngx_http_webhook_init_filters(void);

/*
 * The context of the main request of r, also after an internal redirect, or
 * NULL if nothing was verified.
 */
ngx_http_webhook_ctx_t *ngx_http_webhook_get_ctx(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WEBHOOK_DOORS_H_INCLUDED_ */
