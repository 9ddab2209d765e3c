
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A zone and its store, on request: is an event remembered, and forgetting it.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_FORGET_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_FORGET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store_link.h"


typedef struct ngx_http_webhook_inquiry_s  ngx_http_webhook_inquiry_t;

typedef void (*ngx_http_webhook_inquiry_pt)(
    ngx_http_webhook_inquiry_t *inquiry, ngx_int_t rc);


struct ngx_http_webhook_inquiry_s {
    ngx_http_webhook_zone_t       *zone;     /* that belongs to a store */
    ngx_http_webhook_id_t          id;
    time_t                         until;    /* what was found is so, or 0 */

    ngx_http_webhook_inquiry_pt    handler;  /* of a later answer */
    void                          *data;

    ngx_http_webhook_command_t    *asked;    /* not answered yet */
};


/*
 * Looks an event up in the zone, and if it is not there in the store; forgets
 * it in both.  They return, at once or by the handler after NGX_AGAIN,
 *
 *    NGX_OK        it is not remembered; it is forgotten
 *    NGX_DECLINED  it is done; it was not remembered
 *    NGX_BUSY      it is in flight, here or elsewhere
 *    NGX_ABORT     the zone is being copied
 *    NGX_ERROR     the store cannot be asked
 *
 * But for NGX_OK, nothing is changed.
 */
ngx_int_t ngx_http_webhook_store_look_up(ngx_http_webhook_inquiry_t *inquiry);
ngx_int_t ngx_http_webhook_store_forget(ngx_http_webhook_inquiry_t *inquiry);

/* Nobody is interested any more, what was begun is brought to its end. */
void ngx_http_webhook_store_leave(ngx_http_webhook_inquiry_t *inquiry);


#endif /* _NGX_HTTP_WEBHOOK_STORE_FORGET_H_INCLUDED_ */
