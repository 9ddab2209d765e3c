
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Timestamps: one that is read is the time that it shows, as the C library
 * counts, and what the C library writes is read; and the window.
 */


#include "fuzz.h"

#include "ngx_http_webhook_timestamp.h"


static void
check_number(ngx_str_t *text, ngx_http_webhook_unit_e unit, time_t time)
{
    char  digits[32];

    fuzz_check(text->len == 10 || text->len == 13);
    fuzz_check(unit != NGX_HTTP_WEBHOOK_UNIT_SECONDS || text->len == 10);
    fuzz_check(unit != NGX_HTTP_WEBHOOK_UNIT_MILLISECONDS || text->len == 13);

    snprintf(digits, sizeof(digits), "%010lld", (long long) time);

    fuzz_check(strlen(digits) == 10);
    fuzz_check(memcmp(digits, text->data, 10) == 0);
    fuzz_check(strspn((char *) text->data, "0123456789") == text->len);
}


static void
check_date(ngx_str_t *text, ngx_http_webhook_unit_e unit, time_t time)
{
    char       date[64];
    int        sign, hour, min, leap;
    u_char    *p;
    struct tm  tm;

    p = text->data;

    /* what is behind the seconds and their fraction */

    p += 19;
    p += (*p == '.') ? 1 + strspn((char *) p + 1, "0123456789") : 0;

    if (*p == '\0') {

        /* without an offset, where that may be missing */

        fuzz_check(unit == NGX_HTTP_WEBHOOK_UNIT_ISO8601);
        p--;

    } else if (*p != 'Z' && *p != 'z') {
        sign = (*p == '-') ? -1 : 1;

        fuzz_check(sscanf((char *) p + 1, "%2d:%2d", &hour, &min) == 2);
        time += sign * (hour * 3600 + min * 60);

        p += 5;
    }

    fuzz_check(p == text->data + text->len - 1);

    /* the leap second is the first one of the next minute here */

    leap = (memcmp(text->data + 17, "60", 2) == 0);
    time -= leap;

    fuzz_check(gmtime_r(&time, &tm) != NULL);

    snprintf(date, sizeof(date), "%04d-%02d-%02d%c%02d:%02d:%02d",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, text->data[10],
             tm.tm_hour, tm.tm_min, tm.tm_sec + leap);

    fuzz_check(memcmp(date, text->data, 19) == 0);
}


static void
check_http_date(ngx_str_t *text, time_t time)
{
    char       date[64];
    struct tm  tm;

    fuzz_check(gmtime_r(&time, &tm) != NULL);
    fuzz_check(strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm)
               == text->len);
    fuzz_check(memcmp(date, text->data, text->len) == 0);
}


/* a time of the years from 1970 to 9999, as each unit has it */

static void
check_written(time_t time)
{
    char           date[64];
    time_t         read;
    unsigned       i;
    ngx_str_t      text;
    struct tm      tm;

    static struct {
        ngx_http_webhook_unit_e   unit;
        char                     *format;
    } formats[] = {
        { NGX_HTTP_WEBHOOK_UNIT_RFC3339, "%Y-%m-%dT%H:%M:%SZ" },
        { NGX_HTTP_WEBHOOK_UNIT_RFC3339, "%Y-%m-%dt%H:%M:%S.5+00:00" },
        { NGX_HTTP_WEBHOOK_UNIT_ISO8601, "%Y-%m-%dT%H:%M:%S" },
        { NGX_HTTP_WEBHOOK_UNIT_HTTP, "%a, %d %b %Y %H:%M:%S GMT" }
    };

    fuzz_check(gmtime_r(&time, &tm) != NULL);

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        text.data = (u_char *) date;
        text.len = strftime(date, sizeof(date), formats[i].format, &tm);

        fuzz_check(ngx_http_webhook_parse_timestamp(&text, formats[i].unit,
                                                    &read)
                   == NGX_OK);
        fuzz_check(read == time);
    }
}


static void
check_window(time_t age)
{
    time_t                     grace;
    ngx_int_t                  rc;
    ngx_http_webhook_window_t  window;

    window.past = 300;
    window.future = 60;

    for (grace = 0; grace <= 60; grace += 60) {
        rc = ngx_http_webhook_check_window(&window, age, grace);

        fuzz_check((rc == NGX_OK)
                   == (age <= 300 + grace && age >= -60 - grace));
        fuzz_check(rc != NGX_DECLINED || age > 300);
        fuzz_check(rc != NGX_ABORT || age < -60);
    }
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    time_t                   time;
    u_char                  *p;
    uint64_t                 n;
    ngx_str_t                text;
    ngx_http_webhook_unit_e  unit;

    unit = fuzz_byte(data, size) % (NGX_HTTP_WEBHOOK_UNIT_HTTP + 1);

    if (size >= sizeof(n)) {
        memcpy(&n, data, sizeof(n));
        check_written(n % 253402300800);
    }

    text.len = size;
    text.data = fuzz_copy(data, size);

    if (ngx_http_webhook_parse_timestamp(&text, unit, &time) == NGX_OK) {

        /* for the C library, a string */

        p = malloc(size + 1);
        memcpy(p, text.data, size);
        p[size] = '\0';

        free(text.data);
        text.data = p;

        if (unit == NGX_HTTP_WEBHOOK_UNIT_HTTP) {
            check_http_date(&text, time);

        } else if (unit > NGX_HTTP_WEBHOOK_UNIT_SECONDS_OR_MS) {
            check_date(&text, unit, time);

        } else {
            check_number(&text, unit, time);
        }

        check_window(1764000000 - time);
    }

    free(text.data);

    return 0;
}
