
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The link of a process to a store.
 *
 * Replies come in the order of commands.  Whatever is not as expected closes
 * the connection, and all that waits is told that there is no answer; so does
 * the oldest command when its time is over.  The store is down then, and asked
 * nothing, until a server has shown that it will do.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store_command.h"
#include "ngx_http_webhook_store_link.h"
#include "ngx_http_webhook_store_status.h"


#define NGX_HTTP_WEBHOOK_LINK_COMMANDS   4096

/* bytes of an error, with the server and its address */
#define NGX_HTTP_WEBHOOK_LINK_ERROR      1024

/* in milliseconds */
#define NGX_HTTP_WEBHOOK_LINK_MIN_DELAY  100
#define NGX_HTTP_WEBHOOK_LINK_MAX_DELAY  5000
#define NGX_HTTP_WEBHOOK_LINK_IDLE       10000


static void ngx_http_webhook_link_retry_handler(ngx_event_t *ev);
static void ngx_http_webhook_link_try(ngx_http_webhook_link_t *link,
    ngx_uint_t first);
static void ngx_http_webhook_link_ready(ngx_http_webhook_conn_t *conn);
static ngx_int_t ngx_http_webhook_link_read(ngx_http_webhook_conn_t *conn);
static ngx_int_t ngx_http_webhook_link_answer(ngx_http_webhook_link_t *link,
    ngx_http_webhook_resp_t *reply);
static ngx_int_t ngx_http_webhook_link_greeted(ngx_http_webhook_link_t *link);
static void ngx_http_webhook_link_failed(ngx_http_webhook_conn_t *conn);
static void ngx_http_webhook_link_down(ngx_http_webhook_link_t *link);
static void ngx_http_webhook_link_tell(ngx_http_webhook_link_t *link);
static size_t ngx_http_webhook_link_error(ngx_http_webhook_link_t *link,
    u_char *text, size_t size);
static void ngx_http_webhook_link_drop(ngx_http_webhook_link_t *link);
static void ngx_http_webhook_link_unanswered(ngx_http_webhook_link_t *link,
    ngx_queue_t *commands);
static ngx_int_t ngx_http_webhook_link_send(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command);
static void ngx_http_webhook_link_keep_free(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command);
static void ngx_http_webhook_link_free_again(ngx_http_webhook_link_t *link);
static void ngx_http_webhook_link_set_deadline(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command);
static void ngx_http_webhook_link_deadline_handler(ngx_event_t *ev);
static void ngx_http_webhook_link_idle_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_webhook_link_pong(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply);


static const char  *ngx_http_webhook_command_names[] = {
    "SET", "EVAL", "SET", "EVAL", "GET", "EVAL", "PING"
};


void
ngx_http_webhook_link_start(ngx_http_webhook_link_t *link,
    const ngx_http_webhook_store_t *store)
{
    link->store = store;
    link->first = 1;
    link->delay = NGX_HTTP_WEBHOOK_LINK_MIN_DELAY;

    ngx_queue_init(&link->waiting);
    ngx_queue_init(&link->sent);
    ngx_queue_init(&link->frees);

    ngx_http_webhook_conn_init(&link->conn, store);

    link->conn.data = link;
    link->conn.ready = ngx_http_webhook_link_ready;
    link->conn.read = ngx_http_webhook_link_read;
    link->conn.failed = ngx_http_webhook_link_failed;

    link->retry.handler = ngx_http_webhook_link_retry_handler;
    link->retry.data = link;
    link->retry.log = store->log;
    link->retry.cancelable = 1;

    /* requests wait for it, and have no other timer */

    link->deadline.handler = ngx_http_webhook_link_deadline_handler;
    link->deadline.data = link;
    link->deadline.log = store->log;

    link->idle.handler = ngx_http_webhook_link_idle_handler;
    link->idle.data = link;
    link->idle.log = store->log;
    link->idle.cancelable = 1;

    ngx_add_timer(&link->retry, 1);
}


void
ngx_http_webhook_link_exit(ngx_http_webhook_link_t *link)
{
    if (link->state == NGX_HTTP_WEBHOOK_LINK_UP) {
        ngx_http_webhook_conn_flush(&link->conn);
    }

    ngx_http_webhook_conn_free(&link->conn);

    ngx_http_webhook_store_status_end(link->store);
}


static void
ngx_http_webhook_link_retry_handler(ngx_event_t *ev)
{
    ngx_http_webhook_link_try(ev->data, 1);
}


/* the next server, until none is left */

static void
ngx_http_webhook_link_try(ngx_http_webhook_link_t *link, ngx_uint_t first)
{
    if (ngx_http_webhook_conn_open(&link->conn, first) == NGX_OK) {
        link->state = NGX_HTTP_WEBHOOK_LINK_CONNECTING;
        return;
    }

    ngx_http_webhook_link_down(link);
}


static void
ngx_http_webhook_link_ready(ngx_http_webhook_conn_t *conn)
{
    ngx_http_webhook_link_t *link = conn->data;

    link->state = NGX_HTTP_WEBHOOK_LINK_GREETING;

    ngx_memzero(&link->reply, sizeof(ngx_http_webhook_resp_t));

    if (ngx_http_webhook_hello_write(conn, &link->hello) != NGX_OK) {
        ngx_http_webhook_conn_close(conn);
        ngx_http_webhook_link_try(link, 0);
    }
}


static ngx_int_t
ngx_http_webhook_link_read(ngx_http_webhook_conn_t *conn)
{
    ngx_http_webhook_link_t *link = conn->data;

    ngx_int_t                 rc;
    ngx_buf_t                *in;
    ngx_http_webhook_resp_t   reply;

    in = &conn->in;
    link->active = ngx_current_msec;

    for ( ;; ) {

        rc = ngx_http_webhook_resp_read(&link->reply, in->pos,
                                        in->last - in->pos);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            ngx_http_webhook_conn_reason(conn, 0, "sent no reply of Redis");
            ngx_http_webhook_link_count(link,
                                        NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS);
            return NGX_ERROR;
        }

        reply = link->reply;
        in->pos += reply.size;

        ngx_memzero(&link->reply, sizeof(ngx_http_webhook_resp_t));

        if (link->state == NGX_HTTP_WEBHOOK_LINK_GREETING) {

            rc = ngx_http_webhook_hello_read(conn, &link->hello, &reply);

            if (rc == NGX_OK) {
                rc = ngx_http_webhook_link_greeted(link);
            }

        } else {
            rc = ngx_http_webhook_link_answer(link, &reply);
        }

        if (rc == NGX_ERROR) {
            ngx_http_webhook_link_count(link,
                                        NGX_HTTP_WEBHOOK_COUNT_STORE_ERRORS);
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_http_webhook_link_answer(ngx_http_webhook_link_t *link,
    ngx_http_webhook_resp_t *reply)
{
    u_char                       text[NGX_HTTP_WEBHOOK_LINK_ERROR];
    ngx_queue_t                 *q;
    ngx_http_webhook_command_t  *command;

    if (ngx_queue_empty(&link->sent)) {

        /* a server that closes the connection may say why */

        if (reply->type == NGX_HTTP_WEBHOOK_RESP_ERROR) {
            ngx_http_webhook_reply_reason(&link->conn, reply, "nothing", 1);

        } else {
            ngx_http_webhook_conn_reason(&link->conn, 0,
                                     "sent a reply that nobody has asked for");
        }

        return NGX_ERROR;
    }

    q = ngx_queue_head(&link->sent);
    command = ngx_queue_data(q, ngx_http_webhook_command_t, queue);

    if (reply->type == NGX_HTTP_WEBHOOK_RESP_ERROR
        && !ngx_http_webhook_reply_is(reply, "OOM")
        && !ngx_http_webhook_reply_is(reply, "WRONGTYPE"))
    {
        ngx_http_webhook_reply_reason(&link->conn, reply,
                                ngx_http_webhook_command_names[command->type],
                                1);
        return NGX_ERROR;
    }

    if (reply->type == NGX_HTTP_WEBHOOK_RESP_ERROR) {
        ngx_http_webhook_reply_reason(&link->conn, reply,
                                ngx_http_webhook_command_names[command->type],
                                1);
        (void) ngx_http_webhook_link_error(link, text, sizeof(text));
    }

    ngx_queue_remove(q);
    link->ncommands--;

    if (link->ncommands == 0 && link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    if (command->handler(link, command, reply) == NGX_OK) {
        ngx_free(command);
        return NGX_OK;
    }

    ngx_http_webhook_conn_reason(&link->conn, 0,
                                 "sent a reply of another kind to %s",
                                 ngx_http_webhook_command_names[command->type]);

    ngx_queue_insert_head(&link->sent, q);
    link->ncommands++;

    return NGX_ERROR;
}


/* the store is up */

static ngx_int_t
ngx_http_webhook_link_greeted(ngx_http_webhook_link_t *link)
{
    u_char                      *policy;
    ngx_str_t                    name, address;
    ngx_queue_t                 *q;
    const ngx_http_webhook_store_t  *store;
    ngx_http_webhook_command_t  *command;

    store = link->store;

    ngx_http_webhook_conn_opened(&link->conn);
    ngx_http_webhook_conn_name(&link->conn, &name, &address);

    ngx_log_error(NGX_LOG_NOTICE, store->log, 0,
                  "webhook store \"%V\" is up: server %V%s%V",
                  &store->name, &name, address.len ? " at " : "", &address);

    policy = link->hello.policy;

    if (ngx_strncmp(policy, "allkeys-", 8) == 0
        || (ngx_strncmp(policy, "volatile-", 9) == 0
            && ngx_strcmp(policy, "volatile-ttl") != 0))
    {
        ngx_log_error(NGX_LOG_WARN, store->log, 0,
                      "webhook store \"%V\" may forget events before their "
                      "time: its \"maxmemory-policy\" is %s, and should be "
                      "noeviction", &store->name, policy);
    }

    ngx_http_webhook_link_count(link, NGX_HTTP_WEBHOOK_COUNT_STORE_CONNECTS);
    ngx_http_webhook_store_status_set(store, 1);

    link->state = NGX_HTTP_WEBHOOK_LINK_UP;
    link->delay = NGX_HTTP_WEBHOOK_LINK_MIN_DELAY;
    link->first = 0;
    link->told = 0;
    link->told_reason = 0;

    ngx_add_timer(&link->idle, NGX_HTTP_WEBHOOK_LINK_IDLE);

    /* what was to be freed first: others may wait for it */

    ngx_http_webhook_link_free_again(link);

    while (!ngx_queue_empty(&link->waiting)) {

        q = ngx_queue_head(&link->waiting);
        command = ngx_queue_data(q, ngx_http_webhook_command_t, queue);

        if (ngx_http_webhook_link_send(link, command) != NGX_OK) {
            ngx_http_webhook_conn_reason(&link->conn, 0, "no memory");
            return NGX_ERROR;
        }
    }

    link->up(link);

    return NGX_OK;
}


/* the connection is closed, whatever it was good for */

static void
ngx_http_webhook_link_failed(ngx_http_webhook_conn_t *conn)
{
    ngx_http_webhook_link_t *link = conn->data;

    ngx_http_webhook_link_e  state;

    state = link->state;
    link->state = NGX_HTTP_WEBHOOK_LINK_DOWN;

    if (state != NGX_HTTP_WEBHOOK_LINK_UP) {
        link->refused = (state == NGX_HTTP_WEBHOOK_LINK_GREETING);

        ngx_http_webhook_link_try(link, 0);
        return;
    }

    ngx_http_webhook_link_count(link,
                                NGX_HTTP_WEBHOOK_COUNT_STORE_DISCONNECTS);

    ngx_del_timer(&link->idle);

    link->down(link);

    ngx_http_webhook_link_down(link);
}


/* until the next try */

static void
ngx_http_webhook_link_down(ngx_http_webhook_link_t *link)
{
    ngx_msec_t  delay;

    /* some come earlier, some later: not all of a fleet at once */

    delay = link->delay - link->delay / 4
            + (ngx_msec_t) ngx_random() % (link->delay / 2);

    link->delay = ngx_min(link->delay * 2, NGX_HTTP_WEBHOOK_LINK_MAX_DELAY);

    ngx_add_timer(&link->retry, delay);

    ngx_http_webhook_link_tell(link);
    ngx_http_webhook_link_drop(link);
}


/*
 * Once, whatever the number of tries that follow; and once more for each other
 * reason for which a server that is there will not do.
 */

static void
ngx_http_webhook_link_tell(ngx_http_webhook_link_t *link)
{
    size_t                           len;
    u_char                           text[NGX_HTTP_WEBHOOK_LINK_ERROR];
    uint32_t                         hash;
    ngx_uint_t                       level;
    const ngx_http_webhook_store_t  *store;

    store = link->store;

    len = ngx_http_webhook_link_error(link, text, sizeof(text));

    ngx_http_webhook_store_status_set(store, 0);

    level = NGX_LOG_INFO;
    hash = link->refused ? ngx_crc32_short(link->conn.reason, link->conn.len)
                           | 1
                         : 0;

    if (!link->told || (link->refused && hash != link->told_reason)) {
        level = NGX_LOG_ERR;

        link->told = 1;
        link->told_reason = hash;
    }

    link->refused = 0;

    ngx_log_error(level, store->log, 0, "webhook store \"%V\" is down: %*s",
                  &store->name, len, text);
}


/* what is the matter, in words, of which the length is returned */

static size_t
ngx_http_webhook_link_error(ngx_http_webhook_link_t *link, u_char *text,
    size_t size)
{
    u_char                   *p, *last;
    ngx_str_t                 name, address;
    ngx_http_webhook_conn_t  *conn;

    conn = &link->conn;
    last = text + size;

    ngx_http_webhook_conn_name(conn, &name, &address);

    p = ngx_slprintf(text, last, "server %V%s%V %*s", &name,
                     address.len ? " at " : "", &address, conn->len,
                     conn->reason);

    if (conn->err) {
        p = ngx_log_errno(p, last, conn->err);
    }

    ngx_http_webhook_store_status_error(link->store, text, p - text);

    return p - text;
}


/* nothing waits for a store that is down */

static void
ngx_http_webhook_link_drop(ngx_http_webhook_link_t *link)
{
    ngx_queue_t  commands;

    link->first = 0;
    link->state = NGX_HTTP_WEBHOOK_LINK_DOWN;
    link->ncommands = 0;

    if (link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    ngx_queue_init(&commands);

    if (!ngx_queue_empty(&link->sent)) {
        ngx_queue_add(&commands, &link->sent);
        ngx_queue_init(&link->sent);
    }

    if (!ngx_queue_empty(&link->waiting)) {
        ngx_queue_add(&commands, &link->waiting);
        ngx_queue_init(&link->waiting);
    }

    ngx_http_webhook_link_unanswered(link, &commands);
}


static void
ngx_http_webhook_link_unanswered(ngx_http_webhook_link_t *link,
    ngx_queue_t *commands)
{
    ngx_queue_t                 *q;
    ngx_http_webhook_command_t  *command;

    while (!ngx_queue_empty(commands)) {

        q = ngx_queue_head(commands);
        ngx_queue_remove(q);

        command = ngx_queue_data(q, ngx_http_webhook_command_t, queue);

        if (command->type == NGX_HTTP_WEBHOOK_COMMAND_FREE) {
            ngx_http_webhook_link_keep_free(link, command);
            continue;
        }

        (void) command->handler(link, command, NULL);

        ngx_free(command);
    }
}


ngx_uint_t
ngx_http_webhook_link_takes(ngx_http_webhook_link_t *link)
{
    return (link->state == NGX_HTTP_WEBHOOK_LINK_UP || link->first)
           && link->ncommands < NGX_HTTP_WEBHOOK_LINK_COMMANDS;
}


ngx_http_webhook_command_t *
ngx_http_webhook_link_give(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *given)
{
    ngx_http_webhook_command_t  *command;

    if (!ngx_http_webhook_link_takes(link)
        && (given->type != NGX_HTTP_WEBHOOK_COMMAND_FREE
            || link->ncommands == NGX_HTTP_WEBHOOK_LINK_COMMANDS))
    {
        return NULL;
    }

    command = ngx_alloc(sizeof(ngx_http_webhook_command_t), link->store->log);
    if (command == NULL) {
        return NULL;
    }

    *command = *given;

    if (link->state != NGX_HTTP_WEBHOOK_LINK_UP) {

        if (command->type == NGX_HTTP_WEBHOOK_COMMAND_FREE) {
            ngx_http_webhook_link_keep_free(link, command);
            return NULL;
        }

        ngx_queue_insert_tail(&link->waiting, &command->queue);

    } else {

        ngx_queue_init(&command->queue);

        if (ngx_http_webhook_link_send(link, command) != NGX_OK) {
            ngx_free(command);
            return NULL;
        }
    }

    link->ncommands++;

    ngx_http_webhook_link_set_deadline(link, command);

    return command;
}


/* from the queue where it is, if it is in one, to that of what was sent */

static ngx_int_t
ngx_http_webhook_link_send(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command)
{
    if (ngx_http_webhook_command_write(link, command) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_queue_remove(&command->queue);
    ngx_queue_insert_tail(&link->sent, &command->queue);

    command->sent = 1;

    return NGX_OK;
}


static void
ngx_http_webhook_link_keep_free(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command)
{
    if (command->until <= ngx_time()
        || link->nfrees == NGX_HTTP_WEBHOOK_LINK_COMMANDS)
    {
        /* the lease runs out by itself */

        ngx_free(command);
        return;
    }

    ngx_queue_insert_tail(&link->frees, &command->queue);
    link->nfrees++;
}


static void
ngx_http_webhook_link_free_again(ngx_http_webhook_link_t *link)
{
    ngx_queue_t                 *q;
    ngx_http_webhook_command_t  *command;

    while (!ngx_queue_empty(&link->frees)) {

        q = ngx_queue_head(&link->frees);
        ngx_queue_remove(q);
        link->nfrees--;

        command = ngx_queue_data(q, ngx_http_webhook_command_t, queue);
        command->start = ngx_current_msec;

        if (command->until > ngx_time()) {
            (void) ngx_http_webhook_link_give(link, command);
        }

        ngx_free(command);
    }
}


/* the timer is that of the command whose time is over first, or earlier */

static void
ngx_http_webhook_link_set_deadline(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command)
{
    ngx_msec_t      end;
    ngx_msec_int_t  left;

    end = command->start + link->store->timeout;

    if (link->deadline.timer_set) {

        if ((ngx_msec_int_t) (link->deadline.timer.key - end) <= 0) {
            return;
        }

        ngx_del_timer(&link->deadline);
    }

    left = (ngx_msec_int_t) (end - ngx_current_msec);

    ngx_add_timer(&link->deadline, (ngx_msec_t) ngx_max(left, 1));
}


static void
ngx_http_webhook_link_deadline_handler(ngx_event_t *ev)
{
    ngx_http_webhook_link_t *link = ev->data;

    ngx_uint_t                   i, late;
    ngx_queue_t                 *q, *next, *queues[2], over;
    ngx_http_webhook_command_t  *command;

    ngx_queue_init(&over);

    queues[0] = &link->sent;
    queues[1] = &link->waiting;
    late = 0;

    for (i = 0; i < 2; i++) {

        for (q = ngx_queue_head(queues[i]);
             q != ngx_queue_sentinel(queues[i]);
             q = next)
        {
            next = ngx_queue_next(q);
            command = ngx_queue_data(q, ngx_http_webhook_command_t, queue);

            if ((ngx_msec_int_t) (command->start + link->store->timeout
                                  - ngx_current_msec)
                > 0)
            {
                ngx_http_webhook_link_set_deadline(link, command);
                continue;
            }

            if (command->sent) {
                late = 1;
                continue;
            }

            command->late = 1;

            ngx_queue_remove(q);
            ngx_queue_insert_tail(&over, q);
            link->ncommands--;
        }
    }

    if (late) {
        ngx_http_webhook_link_count(link,
                                    NGX_HTTP_WEBHOOK_COUNT_STORE_TIMEOUTS);

        ngx_http_webhook_conn_reason(&link->conn, NGX_ETIMEDOUT,
                                     "did not answer in time");
        ngx_http_webhook_conn_close(&link->conn);
        ngx_http_webhook_link_failed(&link->conn);
    }

    ngx_http_webhook_link_unanswered(link, &over);
}


static void
ngx_http_webhook_link_idle_handler(ngx_event_t *ev)
{
    ngx_http_webhook_link_t *link = ev->data;

    ngx_msec_t                  idle;
    ngx_http_webhook_command_t  command;

    idle = ngx_current_msec - link->active;

    if (idle < NGX_HTTP_WEBHOOK_LINK_IDLE) {
        ngx_add_timer(ev, NGX_HTTP_WEBHOOK_LINK_IDLE - idle);
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_WEBHOOK_LINK_IDLE);

    if (link->ncommands) {
        return;
    }

    ngx_memzero(&command, sizeof(ngx_http_webhook_command_t));

    command.type = NGX_HTTP_WEBHOOK_COMMAND_PING;
    command.handler = ngx_http_webhook_link_pong;
    command.start = ngx_current_msec;

    (void) ngx_http_webhook_link_give(link, &command);
}


static ngx_int_t
ngx_http_webhook_link_pong(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply)
{
    return (reply == NULL
            || (reply->type == NGX_HTTP_WEBHOOK_RESP_STATUS
                && ngx_http_webhook_reply_is(reply, "PONG")))
           ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_http_webhook_link_settles(ngx_http_webhook_link_t *link)
{
    if (link->data && !ngx_exiting) {
        return 1;
    }

    return ngx_memcmp(&link->known, &link->store->zone->sh->store,
                      sizeof(ngx_http_webhook_zone_store_t))
           == 0;
}


void
ngx_http_webhook_link_count(ngx_http_webhook_link_t *link,
    ngx_http_webhook_counter_e counter)
{
    ngx_http_webhook_zone_t  *zone;

    zone = link->store->zone;

    ngx_shmtx_lock(&zone->shpool->mutex);
    zone->sh->table.counters[counter]++;
    ngx_shmtx_unlock(&zone->shpool->mutex);
}
