
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What is said to a server of a store first, in one write, and whether it will
 * do: it must be a primary, know what is needed, and allow it here and now.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store_command.h"
#include "ngx_http_webhook_store_hello.h"


#define NGX_HTTP_WEBHOOK_REDIS  7            /* the version, at least */

/* of an error reply, in a log */
#define NGX_HTTP_WEBHOOK_TOLD   128
#define NGX_HTTP_WEBHOOK_WORD   24


typedef enum {
    NGX_HTTP_WEBHOOK_HELLO_AUTH = 0,
    NGX_HTTP_WEBHOOK_HELLO_SELECT,
    NGX_HTTP_WEBHOOK_HELLO_INFO,
    NGX_HTTP_WEBHOOK_HELLO_PING,
    NGX_HTTP_WEBHOOK_HELLO_CLAIM,
    NGX_HTTP_WEBHOOK_HELLO_FREE
} ngx_http_webhook_hello_e;


static ngx_int_t ngx_http_webhook_hello_error(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_hello_t *hello, ngx_http_webhook_resp_t *reply);
static ngx_int_t ngx_http_webhook_hello_info(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_hello_t *hello, ngx_str_t *info);
static void ngx_http_webhook_hello_field(ngx_str_t *info, const char *name,
    u_char *value, size_t size);


static const char  *ngx_http_webhook_hello_names[] = {
    "AUTH", "SELECT", "INFO", "PING", "SET", "EVAL"
};


ngx_int_t
ngx_http_webhook_hello_write(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_hello_t *hello)
{
    u_char     *p, number[NGX_INT_T_LEN];
    size_t      len;
    ngx_str_t   auth[3], select[2], ping[1];
    ngx_uint_t  n;

    static ngx_str_t  info[] = {
        ngx_string("INFO"), ngx_string("server"), ngx_string("replication"),
        ngx_string("memory")
    };

    ngx_memzero(hello, sizeof(ngx_http_webhook_hello_t));

    hello->step = NGX_HTTP_WEBHOOK_HELLO_INFO;

    ngx_str_set(&select[0], "SELECT");

    select[1].data = number;
    select[1].len = ngx_sprintf(number, "%ui", conn->store->database) - number;

    if (conn->store->database) {
        hello->step = NGX_HTTP_WEBHOOK_HELLO_SELECT;
    }

    ngx_str_set(&ping[0], "PING");

    n = 0;

    if (conn->store->password.len) {
        hello->step = NGX_HTTP_WEBHOOK_HELLO_AUTH;
        conn->secret = 1;

        ngx_str_set(&auth[0], "AUTH");
        n = 1;

        if (conn->store->user.len) {
            auth[n++] = conn->store->user;
        }

        auth[n++] = conn->store->password;
    }

    len = ngx_http_webhook_resp_length(auth, n)
          + ngx_http_webhook_resp_length(select, 2)
          + ngx_http_webhook_resp_length(info, 4)
          + ngx_http_webhook_resp_length(ping, 1);

    p = ngx_http_webhook_conn_room(conn, len);

    if (p == NULL) {
        goto failed;
    }

    if (n) {
        p = ngx_http_webhook_resp_write(p, auth, n);
    }

    if (conn->store->database) {
        p = ngx_http_webhook_resp_write(p, select, 2);
    }

    p = ngx_http_webhook_resp_write(p, info, 4);
    p = ngx_http_webhook_resp_write(p, ping, 1);

    conn->out.last = p;

    if (ngx_http_webhook_command_probe(conn) == NGX_OK) {
        return NGX_OK;
    }

failed:

    ngx_http_webhook_conn_reason(conn, 0, "no memory");

    return NGX_ERROR;
}


ngx_int_t
ngx_http_webhook_hello_read(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_hello_t *hello, ngx_http_webhook_resp_t *reply)
{
    ngx_uint_t  good;

    if (reply->type == NGX_HTTP_WEBHOOK_RESP_ERROR) {

        if (ngx_http_webhook_hello_error(conn, hello, reply) != NGX_OK) {
            return NGX_ERROR;
        }

        goto next;
    }

    switch (hello->step) {

    case NGX_HTTP_WEBHOOK_HELLO_AUTH:
    case NGX_HTTP_WEBHOOK_HELLO_SELECT:
        good = (reply->type == NGX_HTTP_WEBHOOK_RESP_STATUS
                && ngx_http_webhook_reply_is(reply, "OK"));
        break;

    case NGX_HTTP_WEBHOOK_HELLO_INFO:
        good = (reply->type == NGX_HTTP_WEBHOOK_RESP_BULK);

        if (good
            && ngx_http_webhook_hello_info(conn, hello, &reply->text)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        break;

    case NGX_HTTP_WEBHOOK_HELLO_PING:
        good = (reply->type == NGX_HTTP_WEBHOOK_RESP_STATUS
                && ngx_http_webhook_reply_is(reply, "PONG"));
        break;

    case NGX_HTTP_WEBHOOK_HELLO_CLAIM:
        good = (reply->type == NGX_HTTP_WEBHOOK_RESP_NULL
                || reply->type == NGX_HTTP_WEBHOOK_RESP_BULK);
        break;

    default: /* NGX_HTTP_WEBHOOK_HELLO_FREE */
        good = (reply->type == NGX_HTTP_WEBHOOK_RESP_INTEGER);
        break;
    }

    if (!good) {
        ngx_http_webhook_conn_reason(conn, 0, "sent no reply to %s",
                                   ngx_http_webhook_hello_names[hello->step]);
        return NGX_ERROR;
    }

next:

    if (hello->step == NGX_HTTP_WEBHOOK_HELLO_FREE) {
        return NGX_OK;
    }

    hello->step++;

    if (hello->step == NGX_HTTP_WEBHOOK_HELLO_SELECT
        && conn->store->database == 0)
    {
        hello->step++;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_webhook_hello_error(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_hello_t *hello, ngx_http_webhook_resp_t *reply)
{
    switch (hello->step) {

    case NGX_HTTP_WEBHOOK_HELLO_INFO:

        if (ngx_http_webhook_reply_is(reply, "NOPERM")) {
            return NGX_OK;
        }

        break;

    case NGX_HTTP_WEBHOOK_HELLO_CLAIM:
    case NGX_HTTP_WEBHOOK_HELLO_FREE:

        /* what is there can be freed, and runs out */

        if (ngx_http_webhook_reply_is(reply, "OOM")) {
            return NGX_OK;
        }

        break;
    }

    if ((hello->step == NGX_HTTP_WEBHOOK_HELLO_INFO
         || hello->step == NGX_HTTP_WEBHOOK_HELLO_CLAIM)
        && ngx_http_webhook_reply_is(reply, "ERR syntax error"))
    {
        ngx_http_webhook_conn_reason(conn, 0, "is older than 7.0");
        return NGX_ERROR;
    }

    /* it may repeat what it was sent, and not only to AUTH */

    ngx_http_webhook_reply_reason(conn, reply,
                                  ngx_http_webhook_hello_names[hello->step],
                                  conn->store->password.len == 0);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_webhook_hello_info(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_hello_t *hello, ngx_str_t *info)
{
    u_char     *p, role[16], version[16];
    ngx_int_t   major;

    ngx_http_webhook_hello_field(info, "redis_version", version,
                                 sizeof(version));
    ngx_http_webhook_hello_field(info, "role", role, sizeof(role));
    ngx_http_webhook_hello_field(info, "run_id", hello->run_id,
                                 sizeof(hello->run_id));
    ngx_http_webhook_hello_field(info, "master_replid", hello->master_replid,
                                 sizeof(hello->master_replid));
    ngx_http_webhook_hello_field(info, "maxmemory_policy", hello->policy,
                                 sizeof(hello->policy));

    hello->known = 1;

    for (p = version; *p >= '0' && *p <= '9'; p++) { /* void */ }

    major = ngx_atoi(version, p - version);

    if (major == NGX_ERROR) {
        ngx_http_webhook_conn_reason(conn, 0, "does not tell its version");
        return NGX_ERROR;
    }

    if (major < NGX_HTTP_WEBHOOK_REDIS) {
        ngx_http_webhook_conn_reason(conn, 0, "is older than 7.0");
        return NGX_ERROR;
    }

    if (ngx_strcmp(role, "master") != 0) {
        ngx_http_webhook_conn_reason(conn, 0, "is no primary");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a line of INFO, "name:value"; empty if it is not there, or too long */

static void
ngx_http_webhook_hello_field(ngx_str_t *info, const char *name, u_char *value,
    size_t size)
{
    u_char  *p, *last, *end;
    size_t   len;

    *value = '\0';

    len = ngx_strlen(name);
    last = info->data + info->len;

    for (p = info->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, LF);
        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) <= len || p[len] != ':'
            || ngx_strncmp(p, name, len) != 0)
        {
            continue;
        }

        p += len + 1;

        if (end > p && end[-1] == CR) {
            end--;
        }

        if ((size_t) (end - p) < size) {
            (void) ngx_cpystrn(value, p, end - p + 1);
        }

        return;
    }
}


ngx_uint_t
ngx_http_webhook_reply_is(ngx_http_webhook_resp_t *reply, const char *word)
{
    size_t  len;

    len = ngx_strlen(word);

    return reply->text.len >= len
           && ngx_strncmp(reply->text.data, word, len) == 0
           && (reply->text.len == len || reply->text.data[len] == ' ');
}


void
ngx_http_webhook_reply_reason(ngx_http_webhook_conn_t *conn,
    ngx_http_webhook_resp_t *reply, const char *command, ngx_uint_t whole)
{
    u_char  *p, *last, text[NGX_HTTP_WEBHOOK_TOLD];
    size_t   len;

    if (ngx_http_webhook_reply_is(reply, "MOVED")
        || ngx_http_webhook_reply_is(reply, "ASK"))
    {
        ngx_http_webhook_conn_reason(conn, 0,
                                     "is part of a cluster: clusters of "
                                     "several shards are not supported");
        return;
    }

    p = reply->text.data;
    last = p + reply->text.len;

    for (len = 0; p < last && len < sizeof(text); p++) {

        if (!whole
            && (len == NGX_HTTP_WEBHOOK_WORD
                || !((*p >= 'A' && *p <= 'Z') || *p == '_')))
        {
            break;
        }

        text[len++] = (*p < ' ' || *p > '~') ? '?' : *p;
    }

    ngx_http_webhook_conn_reason(conn, 0, "replied \"%*s\" to %s",
                                 len, text, command);
}
