
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Timestamps as providers send them, and the window they have to be in.
 */


#ifndef _NGX_HTTP_WEBHOOK_TIMESTAMP_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_TIMESTAMP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_HTTP_WEBHOOK_NO_WINDOW  -1


typedef enum {
    NGX_HTTP_WEBHOOK_UNIT_SECONDS = 0,
    NGX_HTTP_WEBHOOK_UNIT_MILLISECONDS,
    NGX_HTTP_WEBHOOK_UNIT_SECONDS_OR_MS,
    NGX_HTTP_WEBHOOK_UNIT_RFC3339,
    NGX_HTTP_WEBHOOK_UNIT_ISO8601,           /* UTC without an offset */
    NGX_HTTP_WEBHOOK_UNIT_HTTP
} ngx_http_webhook_unit_e;


/* how old a time may be, and how far ahead, in seconds */

typedef struct {
    time_t                         past;     /* NGX_HTTP_WEBHOOK_NO_WINDOW: */
    time_t                         future;   /* any time will do */
} ngx_http_webhook_window_t;


/*
 * Reads a timestamp: exactly 10 digits of seconds, exactly 13 digits of
 * milliseconds, either of them, RFC 3339, the same with or without an offset,
 * or the date of RFC 9110 as it is sent today.  Fractions of a second are
 * dropped.  Returns NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_parse_timestamp(ngx_str_t *text,
    ngx_http_webhook_unit_e unit, time_t *time);

/*
 * Whether the age of a time is in the window, widened by grace seconds.
 * Returns NGX_OK, NGX_DECLINED if the time is too old, NGX_ABORT if it is too
 * far ahead.
 */
ngx_int_t ngx_http_webhook_check_window(
    const ngx_http_webhook_window_t *window, time_t age, time_t grace);


#endif /* _NGX_HTTP_WEBHOOK_TIMESTAMP_H_INCLUDED_ */
