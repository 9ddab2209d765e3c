
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Keys, values and commands as they stand in a store.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_COMMAND_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_COMMAND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store_link.h"


#define NGX_HTTP_WEBHOOK_PREFIX  64          /* its length, at most */


typedef enum {
    NGX_HTTP_WEBHOOK_VALUE_NONE = 0,         /* none of ours */
    NGX_HTTP_WEBHOOK_VALUE_CLAIM,
    NGX_HTTP_WEBHOOK_VALUE_DONE
} ngx_http_webhook_value_e;


typedef struct {
    ngx_http_webhook_value_e       type;
    uint64_t                       zone;     /* number of its memory */
    uint64_t                       number;   /* of the claim in it */
    time_t                         until;
    uint32_t                       fingerprint;
} ngx_http_webhook_stored_t;


/* Appends the command to what is written.  NGX_ERROR: no memory. */
ngx_int_t ngx_http_webhook_command_write(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command);

/* Reads a value of the store. */
void ngx_http_webhook_stored_read(ngx_http_webhook_stored_t *stored,
    ngx_str_t *text);


/* Two commands that leave a store as it is, and show that it can be changed. */
ngx_int_t ngx_http_webhook_command_probe(ngx_http_webhook_conn_t *conn);


#endif /* _NGX_HTTP_WEBHOOK_STORE_COMMAND_H_INCLUDED_ */
