
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What an authentic request says of its event, and whether the event is
 * wanted.
 */


#ifndef _NGX_HTTP_WEBHOOK_EVENT_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


/*
 * Finds the values of the scheme's pointers in the body; why there are none is
 * noted in the scope.  Returns NGX_HTTP_WEBHOOK_REASON_NONE or
 * NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR.
 */
ngx_http_webhook_reason_e ngx_http_webhook_read_json(
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_loc_conf_t *conf);

/*
 * The timestamp of a scheme that has it in JSON.  Returns
 * NGX_HTTP_WEBHOOK_REASON_NONE, or why the request is not authentic.
 */
ngx_http_webhook_reason_e ngx_http_webhook_read_json_time(
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_scheme_t *scheme,
    time_t *time);

/*
 * Puts id and type into the scope, where the location uses them.  Returns
 * NGX_HTTP_WEBHOOK_REASON_NONE or NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR.
 */
ngx_http_webhook_reason_e ngx_http_webhook_read_event(
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_loc_conf_t *conf);

/*
 * Whether the administrator wants the event: NGX_HTTP_WEBHOOK_REASON_NONE,
 * why not, or NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR.
 */
ngx_http_webhook_reason_e ngx_http_webhook_filter_event(
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_loc_conf_t *conf);

/* Set an array of patterns, and one of complex values. */
char *ngx_http_webhook_events_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webhook_ignore_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_WEBHOOK_EVENT_H_INCLUDED_ */
