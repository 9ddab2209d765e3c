
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What a zone owes to its store: done entries that it may not know.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_OWED_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_OWED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store_link.h"


/*
 * Sets the link's handlers, by which one process of all sends what is owed.
 * Returns NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_owed_init(ngx_http_webhook_link_t *link,
    ngx_pool_t *pool);


#endif /* _NGX_HTTP_WEBHOOK_STORE_OWED_H_INCLUDED_ */
