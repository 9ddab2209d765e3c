
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Whether processes can ask a store, in shared memory.  Old processes, which
 * may have another store of that name, do not count.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store_status.h"


void
ngx_http_webhook_store_status_begin(ngx_http_webhook_store_t *store,
    ngx_http_webhook_store_status_t *status, ngx_uint_t generation)
{
    store->status = status;
    store->generation = generation;

    ngx_http_webhook_store_status_end(store);
}


void
ngx_http_webhook_store_status_set(const ngx_http_webhook_store_t *store,
    ngx_uint_t up)
{
    time_t                             now;
    ngx_http_webhook_store_process_t  *process;

    if (store->status == NULL) {
        return;
    }

    now = ngx_time();
    process = &store->status->processes[ngx_process_slot];

    ngx_shmtx_lock(&store->zone->shpool->mutex);

    if (process->generation == 0 || process->up != up) {
        process->up = up;
        process->since = now;
    }

    process->generation = store->generation;

    ngx_shmtx_unlock(&store->zone->shpool->mutex);
}


void
ngx_http_webhook_store_status_error(const ngx_http_webhook_store_t *store,
    u_char *error, size_t len)
{
    time_t                            now;
    ngx_http_webhook_store_status_t  *status;

    status = store->status;

    /* an old process may have another store */

    if (status == NULL || ngx_exiting) {
        return;
    }

    now = ngx_time();
    len = ngx_min(len, NGX_HTTP_WEBHOOK_STORE_ERROR);

    ngx_shmtx_lock(&store->zone->shpool->mutex);

    status->failed = now;
    status->len = len;
    ngx_memcpy(status->error, error, len);

    ngx_shmtx_unlock(&store->zone->shpool->mutex);
}


void
ngx_http_webhook_store_status_end(const ngx_http_webhook_store_t *store)
{
    if (store->status == NULL) {
        return;
    }

    ngx_shmtx_lock(&store->zone->shpool->mutex);

    store->status->processes[ngx_process_slot].generation = 0;

    ngx_shmtx_unlock(&store->zone->shpool->mutex);
}


void
ngx_http_webhook_store_status_read(const ngx_http_webhook_store_t *store,
    ngx_http_webhook_store_summary_t *summary)
{
    ngx_uint_t                         i;
    ngx_http_webhook_store_status_t   *status;
    ngx_http_webhook_store_process_t  *process;

    ngx_memzero(summary, sizeof(ngx_http_webhook_store_summary_t));

    status = store->status;

    if (status == NULL) {
        return;
    }

    ngx_shmtx_lock(&store->zone->shpool->mutex);

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {

        process = &status->processes[i];

        if (process->generation != store->generation) {
            continue;
        }

        if (process->up) {

            if (summary->down == 0 && process->since > summary->since) {
                summary->since = process->since;
            }

            summary->up++;

        } else {

            if (summary->down == 0 || process->since < summary->since) {
                summary->since = process->since;
            }

            summary->down++;
        }
    }

    summary->failed = status->failed;
    summary->len = ngx_min(status->len, NGX_HTTP_WEBHOOK_STORE_ERROR);
    ngx_memcpy(summary->error, status->error, summary->len);

    ngx_shmtx_unlock(&store->zone->shpool->mutex);
}
