
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Claims of a zone that is the first level of a store: the zone first, then
 * the store.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_CLAIM_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_CLAIM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store_link.h"


/* a claim, and what it waits for */

typedef struct {
    ngx_http_webhook_claim_t       claim;

    ngx_http_webhook_command_t    *asked;    /* not answered yet */
    ngx_http_webhook_command_t    *kept;     /* likewise */

    uint32_t                       owner;    /* in the zone, while the store
                                                has not agreed */
    time_t                         lease;
    time_t                         held;     /* when it was made, or renewed,
                                                in the zone */

    unsigned                       known:1;  /* to the store, perhaps */
    unsigned                       lost:1;   /* in the store */
} ngx_http_webhook_store_claim_t;


extern const ngx_http_webhook_claim_ops_t  ngx_http_webhook_store_ops;


/* src/dedup/ngx_http_webhook_store_outcome.c */

/* The link of this process to the store of a claim. */
ngx_http_webhook_link_t *ngx_http_webhook_store_link(
    ngx_http_webhook_claim_t *claim);

/* The operations of a claim that end it. */
ngx_int_t ngx_http_webhook_store_commit(ngx_http_webhook_claim_t *claim,
    time_t until);
ngx_int_t ngx_http_webhook_store_free(ngx_http_webhook_claim_t *claim);

/* Frees a claim in the store, which may have it, and nowhere else. */
void ngx_http_webhook_store_give_free(ngx_http_webhook_link_t *link,
    ngx_http_webhook_id_t *id, uint64_t number, time_t lease);

/*
 * The handler of commands to commit: what the store has acknowledged is owed
 * no longer.
 */
ngx_int_t ngx_http_webhook_store_committed(ngx_http_webhook_link_t *link,
    ngx_http_webhook_command_t *command, ngx_http_webhook_resp_t *reply);


#endif /* _NGX_HTTP_WEBHOOK_STORE_CLAIM_H_INCLUDED_ */
