
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Keys, values and commands as they stand in a store.
 *
 *    p:<zone>:<claim>   in flight, both numbers in 16 hex digits
 *    d:<until>:<body>   done until then, in unix seconds; the fingerprint of
 *                       the body in 8 hex digits, or 0
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store_command.h"


#define NGX_HTTP_WEBHOOK_ARGS   8
#define NGX_HTTP_WEBHOOK_VALUE  64

/* how long a probe stays, if it is not freed */
#define NGX_HTTP_WEBHOOK_PROBE  1000


static ngx_int_t ngx_http_webhook_command_append(
    ngx_http_webhook_conn_t *conn, ngx_str_t *args, ngx_uint_t n);
static u_char *ngx_http_webhook_claim_value(u_char *p, uint64_t zone,
    uint64_t number);
static u_char *ngx_http_webhook_done_value(u_char *p, time_t until,
    uint32_t fingerprint);
static u_char *ngx_http_webhook_stored_hex(u_char *p, u_char *last,
    ngx_uint_t digits, uint64_t *number);


static ngx_str_t  ngx_http_webhook_keep_script = ngx_string(
    "local v=redis.call('GET',KEYS[1]) "
    "if not v or v==ARGV[1] then "
    "redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) return 1 end "
    "return 0"
);


static ngx_str_t  ngx_http_webhook_free_script = ngx_string(
    "if redis.call('GET',KEYS[1])==ARGV[1] then "
    "return redis.call('DEL',KEYS[1]) end "
    "return 0"
);


static ngx_str_t  ngx_http_webhook_forget_script = ngx_string(
    "local v=redis.call('GET',KEYS[1]) "
    "if not v then return 0 end "
    "if string.sub(v,1,2)=='d:' then return redis.call('DEL',KEYS[1]) end "
    "return 2"
);


ngx_int_t
ngx_http_webhook_command_write(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command)
{
    time_t      left;
    u_char     *p;
    uint64_t    zone;
    ngx_uint_t  n;
    ngx_str_t   args[NGX_HTTP_WEBHOOK_ARGS];
    u_char      key[NGX_HTTP_WEBHOOK_PREFIX + 32];
    u_char      value[NGX_HTTP_WEBHOOK_VALUE];
    u_char      leftover[NGX_HTTP_WEBHOOK_VALUE];
    u_char      msec[NGX_INT64_LEN];

    zone = link->store->zone->sh->number;

    p = ngx_cpymem(key, link->store->prefix.data, link->store->prefix.len);
    p = ngx_hex_dump(p, (u_char *) &command->id,
                     sizeof(ngx_http_webhook_id_t));

    args[1].data = key;
    args[1].len = p - key;

    args[2].data = value;
    args[2].len = ngx_http_webhook_claim_value(value, zone, command->number)
                  - value;
    n = 3;

    switch (command->type) {

    case NGX_HTTP_WEBHOOK_COMMAND_CLAIM:

        ngx_str_set(&args[0], "SET");
        ngx_str_set(&args[3], "NX");
        ngx_str_set(&args[4], "GET");
        ngx_str_set(&args[5], "PX");

        args[6].data = msec;
        args[6].len = ngx_sprintf(msec, "%T000", command->lease) - msec;
        n = 7;
        break;

    case NGX_HTTP_WEBHOOK_COMMAND_COMMIT:

        args[2].len = ngx_http_webhook_done_value(value, command->until,
                                                  command->fingerprint)
                      - value;

        ngx_str_set(&args[0], "SET");
        ngx_str_set(&args[3], "GET");
        ngx_str_set(&args[4], "PX");

        left = ngx_max(command->until - ngx_time(), 1);

        args[5].data = msec;
        args[5].len = ngx_sprintf(msec, "%T000", left) - msec;
        n = 6;
        break;

    case NGX_HTTP_WEBHOOK_COMMAND_KEEP:

        args[5] = args[2];
        args[3] = args[1];

        args[4].data = leftover;
        args[4].len = ngx_http_webhook_claim_value(leftover, zone,
                                                   command->leftover)
                      - leftover;

        ngx_str_set(&args[0], "EVAL");
        args[1] = ngx_http_webhook_keep_script;
        ngx_str_set(&args[2], "1");

        args[6].data = msec;
        args[6].len = ngx_sprintf(msec, "%T000", command->lease) - msec;
        n = 7;
        break;

    case NGX_HTTP_WEBHOOK_COMMAND_FREE:

        args[4] = args[2];
        args[3] = args[1];

        ngx_str_set(&args[0], "EVAL");
        args[1] = ngx_http_webhook_free_script;
        ngx_str_set(&args[2], "1");
        n = 5;
        break;

    case NGX_HTTP_WEBHOOK_COMMAND_GET:
        ngx_str_set(&args[0], "GET");
        n = 2;
        break;

    case NGX_HTTP_WEBHOOK_COMMAND_FORGET:

        args[3] = args[1];

        ngx_str_set(&args[0], "EVAL");
        args[1] = ngx_http_webhook_forget_script;
        ngx_str_set(&args[2], "1");
        n = 4;
        break;

    default: /* NGX_HTTP_WEBHOOK_COMMAND_PING */
        ngx_str_set(&args[0], "PING");
        n = 1;
        break;
    }

    return ngx_http_webhook_command_append(&link->conn, args, n);
}


ngx_int_t
ngx_http_webhook_command_probe(ngx_http_webhook_conn_t *conn)
{
    u_char     *p;
    ngx_str_t   args[NGX_HTTP_WEBHOOK_ARGS];
    u_char      key[NGX_HTTP_WEBHOOK_PREFIX + sizeof("probe") - 1];
    u_char      value[NGX_HTTP_WEBHOOK_VALUE];
    u_char      msec[NGX_INT64_LEN];

    p = ngx_cpymem(key, conn->store->prefix.data, conn->store->prefix.len);
    p = ngx_cpymem(p, "probe", sizeof("probe") - 1);

    ngx_str_set(&args[0], "SET");

    args[1].data = key;
    args[1].len = p - key;

    /* no claim of the zone has that number */

    args[2].data = value;
    args[2].len = ngx_http_webhook_claim_value(value,
                                               conn->store->zone->sh->number,
                                               0)
                  - value;

    ngx_str_set(&args[3], "NX");
    ngx_str_set(&args[4], "GET");
    ngx_str_set(&args[5], "PX");

    args[6].data = msec;
    args[6].len = ngx_sprintf(msec, "%ui",
                              (ngx_uint_t) NGX_HTTP_WEBHOOK_PROBE)
                  - msec;

    if (ngx_http_webhook_command_append(conn, args, 7) != NGX_OK) {
        return NGX_ERROR;
    }

    args[4] = args[2];
    args[3] = args[1];

    ngx_str_set(&args[0], "EVAL");
    args[1] = ngx_http_webhook_free_script;
    ngx_str_set(&args[2], "1");

    return ngx_http_webhook_command_append(conn, args, 5);
}


static ngx_int_t
ngx_http_webhook_command_append(ngx_http_webhook_conn_t *conn,
    ngx_str_t *args, ngx_uint_t n)
{
    u_char  *p;

    p = ngx_http_webhook_conn_room(conn,
                                   ngx_http_webhook_resp_length(args, n));
    if (p == NULL) {
        return NGX_ERROR;
    }

    conn->out.last = ngx_http_webhook_resp_write(p, args, n);

    return NGX_OK;
}


static u_char *
ngx_http_webhook_claim_value(u_char *p, uint64_t zone, uint64_t number)
{
    return ngx_sprintf(p, "p:%016xL:%016xL", zone, number);
}


static u_char *
ngx_http_webhook_done_value(u_char *p, time_t until, uint32_t fingerprint)
{
    p = ngx_sprintf(p, "d:%T:", until);

    return fingerprint ? ngx_sprintf(p, "%08xD", fingerprint)
                       : ngx_sprintf(p, "0");
}


void
ngx_http_webhook_stored_read(ngx_http_webhook_stored_t *stored,
    ngx_str_t *text)
{
    u_char    *p, *last, *end;
    uint64_t   body;

    stored->type = NGX_HTTP_WEBHOOK_VALUE_NONE;

    p = text->data;
    last = p + text->len;

    if (last - p < 2 || p[1] != ':') {
        return;
    }

    switch (p[0]) {

    case 'p':

        p = ngx_http_webhook_stored_hex(p + 2, last, 16, &stored->zone);

        if (p == NULL || p == last || *p != ':') {
            return;
        }

        p = ngx_http_webhook_stored_hex(p + 1, last, 16, &stored->number);

        if (p != last) {
            return;
        }

        stored->type = NGX_HTTP_WEBHOOK_VALUE_CLAIM;
        return;

    case 'd':

        p += 2;
        end = ngx_strlchr(p, last, ':');

        if (end == NULL || end - p > 10) {
            return;
        }

        stored->until = ngx_atotm(p, end - p);

        if (stored->until == (time_t) NGX_ERROR || stored->until == 0) {
            return;
        }

        p = end + 1;

        if (last - p == 1 && *p == '0') {
            stored->fingerprint = 0;

        } else {
            p = ngx_http_webhook_stored_hex(p, last, 8, &body);

            if (p != last || body > NGX_HTTP_WEBHOOK_OWNER_MASK) {
                return;
            }

            stored->fingerprint = (uint32_t) body;
        }

        stored->type = NGX_HTTP_WEBHOOK_VALUE_DONE;
        return;
    }
}


/* lower-case hex digits, as many as there have to be */

static u_char *
ngx_http_webhook_stored_hex(u_char *p, u_char *last, ngx_uint_t digits,
    uint64_t *number)
{
    if (last - p < (ssize_t) digits) {
        return NULL;
    }

    for (*number = 0; digits; digits--, p++) {

        if (*p >= '0' && *p <= '9') {
            *number = *number << 4 | (*p - '0');

        } else if (*p >= 'a' && *p <= 'f') {
            *number = *number << 4 | (*p - 'a' + 10);

        } else {
            return NULL;
        }
    }

    return p;
}
