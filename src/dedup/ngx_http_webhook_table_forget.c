
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The table of event keys, as who runs it sees it: how full it is.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_table_slot.h"


/* buckets of a sample */
#define NGX_HTTP_WEBHOOK_SAMPLE  8192


uint64_t
ngx_http_webhook_table_sample(ngx_http_webhook_table_t *table, time_t now)
{
    uint32_t                    n;
    uint64_t                    used;
    ngx_uint_t                  i, k;
    ngx_http_webhook_bucket_t  *bucket;

    used = 0;
    n = ngx_min(table->nbuckets, NGX_HTTP_WEBHOOK_SAMPLE);

    for (i = 0; i < n; i++) {

        /* evenly distributed, as ids are by themselves */

        bucket = &table->buckets[(uint64_t) i * table->nbuckets / n];

        for (k = 0; k < NGX_HTTP_WEBHOOK_BUCKET; k++) {
            used += ngx_http_webhook_table_is_live(table, &bucket->slots[k],
                                                   now);
        }
    }

    return used * table->nbuckets / n;
}
