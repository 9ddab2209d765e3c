
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The link of a process to a store: the commands it gives, in their order,
 * and whether the store can be asked at all.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_LINK_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_LINK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_resp.h"
#include "ngx_http_webhook_store.h"
#include "ngx_http_webhook_store_conn.h"
#include "ngx_http_webhook_store_hello.h"


typedef struct ngx_http_webhook_command_s  ngx_http_webhook_command_t;

/*
 * What to do with a reply, which is OOM or WRONGTYPE if it is an error; or with
 * NULL, if none came, or will come.  Returns NGX_OK, or NGX_ERROR if this is
 * no reply to such a command: then there will be a call with NULL.
 */
typedef ngx_int_t (*ngx_http_webhook_command_pt)(
    ngx_http_webhook_link_t *link, ngx_http_webhook_command_t *command,
    ngx_http_webhook_resp_t *reply);


typedef enum {
    NGX_HTTP_WEBHOOK_COMMAND_CLAIM = 0,
    NGX_HTTP_WEBHOOK_COMMAND_KEEP,
    NGX_HTTP_WEBHOOK_COMMAND_COMMIT,
    NGX_HTTP_WEBHOOK_COMMAND_FREE,
    NGX_HTTP_WEBHOOK_COMMAND_GET,
    NGX_HTTP_WEBHOOK_COMMAND_FORGET,
    NGX_HTTP_WEBHOOK_COMMAND_PING
} ngx_http_webhook_command_e;


/* a command, which lives until it is answered, whoever gave it */

struct ngx_http_webhook_command_s {
    ngx_queue_t                    queue;
    ngx_http_webhook_command_pt    handler;
    void                          *data;     /* NULL: nobody waits */

    ngx_http_webhook_command_e     type;
    ngx_msec_t                     start;    /* of the time it may take */
    unsigned                       sent:1;
    unsigned                       late:1;   /* waited until its time was
                                                over */

    ngx_http_webhook_id_t          id;
    uint64_t                       number;   /* of the claim, or of what the
                                                zone has forgotten */
    uint64_t                       leftover; /* that is taken over, or the
                                                same as number */
    time_t                         lease;
    time_t                         until;    /* done; or of use */
    uint32_t                       fingerprint;
    uint32_t                       state;    /* of the slot that the zone has
                                                forgotten, or 0 */
};


typedef void (*ngx_http_webhook_link_pt)(ngx_http_webhook_link_t *link);


typedef enum {
    NGX_HTTP_WEBHOOK_LINK_DOWN = 0,
    NGX_HTTP_WEBHOOK_LINK_CONNECTING,
    NGX_HTTP_WEBHOOK_LINK_GREETING,
    NGX_HTTP_WEBHOOK_LINK_UP
} ngx_http_webhook_link_e;


struct ngx_http_webhook_link_s {
    const ngx_http_webhook_store_t  *store;
    ngx_http_webhook_link_e        state;

    ngx_http_webhook_conn_t        conn;
    ngx_http_webhook_resp_t        reply;    /* that is being read */
    ngx_http_webhook_hello_t       hello;

    ngx_queue_t                    waiting;  /* commands not sent yet */
    ngx_queue_t                    sent;     /* and not answered yet */
    ngx_queue_t                    frees;    /* to be given again */
    ngx_uint_t                     ncommands;
    ngx_uint_t                     nfrees;

    uint32_t                       told_reason;  /* a hash of why a server
                                                    that was there was refused,
                                                    or 0 */

    ngx_msec_t                     delay;    /* before the next try */
    ngx_msec_t                     active;   /* when the last reply came */

    ngx_event_t                    retry;
    ngx_event_t                    deadline; /* of the oldest command */
    ngx_event_t                    idle;

    ngx_http_webhook_link_pt       up;       /* handlers, of who sends what */
    ngx_http_webhook_link_pt       down;     /* is owed */
    void                          *data;     /* NULL in all other processes */

    ngx_http_webhook_zone_store_t  known;    /* which it is connected to */

    unsigned                       first:1;  /* no server was tried yet, or
                                                not all of them: commands
                                                may wait */
    unsigned                       refused:1;  /* by a server that was there */
    unsigned                       told:1;   /* that it is down */
};


void ngx_http_webhook_link_start(ngx_http_webhook_link_t *link,
    const ngx_http_webhook_store_t *store);
void ngx_http_webhook_link_exit(ngx_http_webhook_link_t *link);

/* Whether commands can be given now, but for those to free. */
ngx_uint_t ngx_http_webhook_link_takes(ngx_http_webhook_link_t *link);

/*
 * Gives a command, of which a copy is made.  Returns the copy; or NULL if it
 * cannot be given now.  A command to free that cannot be given is kept and
 * given when it can, as long as command->until has not passed.
 */
ngx_http_webhook_command_t *ngx_http_webhook_link_give(
    ngx_http_webhook_link_t *link, ngx_http_webhook_command_t *command);

/*
 * Whether that which this process is connected to is the store that the zone
 * owes to, which is locked: what another one has acknowledged, that is left or
 * that is to come, is owed to this one.
 */
ngx_uint_t ngx_http_webhook_link_settles(ngx_http_webhook_link_t *link);

/* Adds one to a counter of the zone. */
void ngx_http_webhook_link_count(ngx_http_webhook_link_t *link,
    ngx_http_webhook_counter_e counter);


#endif /* _NGX_HTTP_WEBHOOK_STORE_LINK_H_INCLUDED_ */
