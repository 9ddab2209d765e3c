
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The shared-memory zone of event keys, on request: is an event remembered,
 * and forgetting it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_zone.h"


ngx_int_t
ngx_http_webhook_zone_ask(ngx_http_webhook_zone_t *zone,
    ngx_http_webhook_id_t *id, time_t *until)
{
    time_t                     now;
    uint32_t                   fingerprint;
    ngx_int_t                  rc;
    ngx_http_webhook_table_t  *table;

    now = ngx_time();
    table = &zone->sh->table;

    ngx_shmtx_lock(&zone->shpool->mutex);

    rc = ngx_http_webhook_table_lookup(table, id, now, &fingerprint);
    *until = ngx_http_webhook_table_until(table, id, now);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


ngx_int_t
ngx_http_webhook_zone_forget(ngx_http_webhook_zone_t *zone,
    ngx_http_webhook_id_t *id)
{
    ngx_int_t  rc;

    ngx_shmtx_lock(&zone->shpool->mutex);

    rc = ngx_http_webhook_table_forget(&zone->sh->table, id, ngx_time());

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


ngx_int_t
ngx_http_webhook_zone_forget_all(ngx_http_webhook_zone_t *zone,
    uint64_t *forgotten)
{
    uint32_t                   n;
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_http_webhook_table_t  *table;

    table = &zone->sh->table;
    *forgotten = 0;

    for (i = 0; i < 2; i++) {

        n = 0;

        while (n < table->nbuckets) {

            ngx_shmtx_lock(&zone->shpool->mutex);

            rc = ngx_http_webhook_table_forget_some(table, &n, ngx_time(),
                                                    forgotten);

            ngx_shmtx_unlock(&zone->shpool->mutex);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    return NGX_OK;
}
