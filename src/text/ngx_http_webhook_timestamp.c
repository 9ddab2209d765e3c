
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Timestamps as providers send them, and the window they have to be in.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_timestamp.h"


static ngx_int_t ngx_http_webhook_parse_date(ngx_str_t *text,
    ngx_uint_t offset, time_t *time);
static ngx_int_t ngx_http_webhook_parse_http_date(ngx_str_t *text,
    time_t *time);


ngx_int_t
ngx_http_webhook_parse_timestamp(ngx_str_t *text, ngx_http_webhook_unit_e unit,
    time_t *time)
{
    ngx_int_t  sec;

    switch (unit) {

    case NGX_HTTP_WEBHOOK_UNIT_RFC3339:
        return ngx_http_webhook_parse_date(text, 1, time);

    case NGX_HTTP_WEBHOOK_UNIT_ISO8601:
        return ngx_http_webhook_parse_date(text, 0, time);

    case NGX_HTTP_WEBHOOK_UNIT_HTTP:
        return ngx_http_webhook_parse_http_date(text, time);

    default:
        break;
    }

    switch (text->len) {

    case sizeof("1764000000") - 1:

        if (unit == NGX_HTTP_WEBHOOK_UNIT_MILLISECONDS) {
            return NGX_DECLINED;
        }

        break;

    case sizeof("1764000000000") - 1:

        if (unit == NGX_HTTP_WEBHOOK_UNIT_SECONDS
            || ngx_atoi(text->data + 10, 3) == NGX_ERROR)
        {
            return NGX_DECLINED;
        }

        break;

    default:
        return NGX_DECLINED;
    }

    sec = ngx_atoi(text->data, 10);
    if (sec == NGX_ERROR) {
        return NGX_DECLINED;
    }

    *time = (time_t) sec;

    return NGX_OK;
}


/* RFC 3339, where the offset may be missing unless it is asked for */

static ngx_int_t
ngx_http_webhook_parse_date(ngx_str_t *text, ngx_uint_t offset, time_t *time)
{
    u_char           *p, *last;
    int64_t           days, t;
    ngx_int_t         year, month, day, hour, min, sec, off_hour, off_min;
    ngx_uint_t        leap, n;
    static ngx_int_t  mday[] = { 31, 28, 31, 30, 31, 30,
                                 31, 31, 30, 31, 30, 31 };

    p = text->data;
    last = p + text->len;

    /* YYYY-MM-DDThh:mm:ss, then a fraction, then Z or an offset */

    if (text->len < sizeof("2025-11-24T16:00:00") - 1) {
        return NGX_DECLINED;
    }

    if (p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't')
        || p[13] != ':' || p[16] != ':')
    {
        return NGX_DECLINED;
    }

    year = ngx_atoi(p, 4);
    month = ngx_atoi(p + 5, 2);
    day = ngx_atoi(p + 8, 2);
    hour = ngx_atoi(p + 11, 2);
    min = ngx_atoi(p + 14, 2);
    sec = ngx_atoi(p + 17, 2);

    if (year < 1970 || month < 1 || month > 12 || day < 1
        || hour < 0 || hour > 23 || min < 0 || min > 59 || sec < 0 || sec > 60)
    {
        return NGX_DECLINED;
    }

    leap = (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));

    if (day > mday[month - 1] + (month == 2 && leap ? 1 : 0)) {
        return NGX_DECLINED;
    }

    p += 19;

    if (p < last && *p == '.') {
        p++;

        for (n = 0; p < last && *p >= '0' && *p <= '9'; n++) {
            p++;
        }

        if (n == 0 || n > 9) {
            return NGX_DECLINED;
        }
    }

    off_hour = 0;
    off_min = 0;

    if (p == last && !offset) {
        /* void */

    } else if (last - p == 1 && (*p == 'Z' || *p == 'z')) {
        /* void */

    } else if (last - p == 6 && (*p == '+' || *p == '-') && p[3] == ':') {

        off_hour = ngx_atoi(p + 1, 2);
        off_min = ngx_atoi(p + 4, 2);

        if (off_hour < 0 || off_hour > 23 || off_min < 0 || off_min > 59) {
            return NGX_DECLINED;
        }

        if (*p == '-') {
            off_hour = -off_hour;
            off_min = -off_min;
        }

    } else {
        return NGX_DECLINED;
    }

    /* Gauss' formula for days since 1970-01-01, as in ngx_parse_http_time() */

    month -= 2;

    if (month <= 0) {
        month += 12;
        year -= 1;
    }

    days = (int64_t) 365 * year + year / 4 - year / 100 + year / 400
           + 367 * month / 12 - 30
           + day - 1
           - 719527 + 31 + 28;

    t = days * 86400 + (hour - off_hour) * 3600 + (min - off_min) * 60 + sec;

    /* a leap second is the last one of a day of UTC */

    if (sec == 60 && t % 86400 != 0) {
        return NGX_DECLINED;
    }

    *time = (time_t) t;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_parse_http_date(ngx_str_t *text, time_t *time)
{
    u_char  buf[sizeof("Mon, 28 Sep 1970 06:00:00 GMT") - 1];

    if (text->len != sizeof(buf)) {
        return NGX_DECLINED;
    }

    *time = ngx_parse_http_time(text->data, text->len);

    if (*time == NGX_ERROR) {
        return NGX_DECLINED;
    }

    /* core reads more than it writes */

    ngx_http_time(buf, *time);

    return (ngx_memcmp(buf, text->data, sizeof(buf)) == 0) ? NGX_OK
                                                           : NGX_DECLINED;
}


ngx_int_t
ngx_http_webhook_check_window(const ngx_http_webhook_window_t *window,
    time_t age, time_t grace)
{
    if (window->past == NGX_HTTP_WEBHOOK_NO_WINDOW) {
        return NGX_OK;
    }

    if (age > window->past + grace) {
        return NGX_DECLINED;
    }

    if (age < -(window->future + grace)) {
        return NGX_ABORT;
    }

    return NGX_OK;
}
