
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Stores, as the configuration and a process have them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_webhook_store.h"
#include "ngx_http_webhook_store_claim.h"
#include "ngx_http_webhook_store_link.h"
#include "ngx_http_webhook_store_owed.h"


ngx_http_webhook_store_t *
ngx_http_webhook_store_add(ngx_conf_t *cf, ngx_array_t *stores,
    ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_webhook_store_t  **store;

    store = stores->elts;

    for (i = 0; i < stores->nelts; i++) {
        if (store[i]->name.len == name->len
            && ngx_strncmp(store[i]->name.data, name->data, name->len) == 0)
        {
            return store[i];
        }
    }

    store = ngx_array_push(stores);
    if (store == NULL) {
        return NULL;
    }

    *store = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_store_t));
    if (*store == NULL) {
        return NULL;
    }

    (*store)->name = *name;
    (*store)->line = cf->conf_file->line;
    (*store)->file = cf->conf_file->file.name.data
                     ? cf->conf_file->file.name.data
                     : (u_char *) "command line";

    return *store;
}


void
ngx_http_webhook_store_set_zone(ngx_http_webhook_store_t *store,
    ngx_http_webhook_zone_t *zone)
{
    store->zone = zone;

    zone->store = store;
    zone->ops = &ngx_http_webhook_store_ops;
    zone->claim_size = sizeof(ngx_http_webhook_store_claim_t);
}


ngx_int_t
ngx_http_webhook_stores_start(ngx_array_t *stores, ngx_cycle_t *cycle)
{
    ngx_uint_t                  i;
    ngx_http_webhook_link_t    *link;
    ngx_http_webhook_store_t  **store;

    store = stores->elts;

    for (i = 0; i < stores->nelts; i++) {

        if (store[i]->zone == NULL) {
            continue;
        }

        link = ngx_pcalloc(cycle->pool, sizeof(ngx_http_webhook_link_t));
        if (link == NULL) {
            return NGX_ERROR;
        }

        store[i]->link = link;

        ngx_http_webhook_link_start(link, store[i]);

        if (ngx_http_webhook_owed_init(link, cycle->pool) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_webhook_stores_exit(ngx_array_t *stores)
{
    ngx_uint_t                  i;
    ngx_http_webhook_store_t  **store;

    store = stores->elts;

    for (i = 0; i < stores->nelts; i++) {
        if (store[i]->link) {
            ngx_http_webhook_link_exit(store[i]->link);
        }
    }
}
