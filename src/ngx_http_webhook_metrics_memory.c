
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What is counted, in shared memory of its own, if somebody monitors it.
 *
 * The size of the memory follows from the configuration: whoever counts finds
 * his counters by a pointer that was set before the first request, and adds to
 * them without a lock.  What stands in the memory stays there under its name:
 * a configuration that is loaded later finds its counters again, and has room
 * for some more.  If that is too little, or another module is loaded, there is
 * new memory, and all that was counted is copied.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_metrics.h"
#include "ngx_http_webhook_writer.h"


#define NGX_HTTP_WEBHOOK_METRICS_MAGIC  "whcount"   /* 8 bytes with its zero */


static ngx_http_webhook_counted_t *ngx_http_webhook_metrics_add(
    ngx_http_webhook_metrics_t *metrics, ngx_http_webhook_kind_e kind,
    const ngx_str_t *name, const ngx_str_t *scheme);
static ngx_int_t ngx_http_webhook_metrics_add_zones(
    ngx_http_webhook_metrics_t *metrics, ngx_cycle_t *cycle);
static ngx_uint_t ngx_http_webhook_metrics_room(
    ngx_http_webhook_metrics_t *metrics, ngx_uint_t kind);
static ngx_int_t ngx_http_webhook_metrics_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_shm_zone_t *ngx_http_webhook_metrics_old(
    ngx_http_webhook_metrics_shm_t **sh);
static uint32_t ngx_http_webhook_metrics_layout(void);
static ngx_uint_t ngx_http_webhook_metrics_fits(
    ngx_http_webhook_metrics_t *metrics, ngx_http_webhook_metrics_shm_t *sh);
static void ngx_http_webhook_metrics_find(ngx_http_webhook_metrics_t *metrics,
    ngx_http_webhook_metrics_shm_t *sh);
static void ngx_http_webhook_metrics_copy(ngx_http_webhook_metrics_shm_t *sh,
    ngx_http_webhook_metrics_shm_t *old);
static void *ngx_http_webhook_counts_find(ngx_http_webhook_metrics_shm_t *sh,
    ngx_uint_t kind, ngx_http_webhook_label_t *labels);
static void *ngx_http_webhook_counts_add(ngx_http_webhook_metrics_shm_t *sh,
    ngx_uint_t kind, ngx_http_webhook_label_t *labels);
static void ngx_http_webhook_labels_set(ngx_http_webhook_label_t *labels,
    const ngx_str_t *names);


static const size_t  ngx_http_webhook_counts_size[] = {
    sizeof(ngx_http_webhook_place_counts_t),
    sizeof(ngx_http_webhook_scheme_counts_t),
    sizeof(ngx_http_webhook_zone_counts_t)
};


/* a blank keeps it apart from zones that have a name in the configuration */

static ngx_str_t  ngx_http_webhook_metrics_name =
    ngx_string("webhook metrics");


ngx_int_t
ngx_http_webhook_metrics_create(ngx_http_webhook_metrics_t *metrics,
    ngx_pool_t *pool)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_KINDS; i++) {
        if (ngx_array_init(&metrics->counted[i], pool, 4,
                           sizeof(ngx_http_webhook_counted_t *))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    metrics->loaded = ngx_time();

    return NGX_OK;
}


ngx_http_webhook_counted_t *
ngx_http_webhook_metrics_add_place(ngx_http_webhook_metrics_t *metrics,
    const ngx_str_t *place, const ngx_str_t *scheme)
{
    ngx_http_webhook_counted_t  *counted;

    counted = ngx_http_webhook_metrics_add(metrics,
                                           NGX_HTTP_WEBHOOK_COUNT_PLACES,
                                           place, scheme);
    if (counted == NULL) {
        return NULL;
    }

    counted->scheme = ngx_http_webhook_metrics_add(metrics,
                                               NGX_HTTP_WEBHOOK_COUNT_SCHEMES,
                                               scheme, NULL);

    return counted->scheme ? counted : NULL;
}


/* names as they are shown; those that are the same by then are one */

static ngx_http_webhook_counted_t *
ngx_http_webhook_metrics_add(ngx_http_webhook_metrics_t *metrics,
    ngx_http_webhook_kind_e kind, const ngx_str_t *name,
    const ngx_str_t *scheme)
{
    u_char                       *p;
    ngx_str_t                     names[2];
    ngx_uint_t                    i;
    ngx_pool_t                   *pool;
    ngx_http_webhook_counted_t  **counted;

    pool = metrics->counted[kind].pool;

    p = ngx_pnalloc(pool, 2 * NGX_HTTP_WEBHOOK_LABEL);
    if (p == NULL) {
        return NULL;
    }

    names[0].data = p;
    names[1].data = p + NGX_HTTP_WEBHOOK_LABEL;

    names[0].len = ngx_http_webhook_copy_name(names[0].data, names[1].data,
                                              name)
                   - names[0].data;

    names[1].len = scheme ? ngx_http_webhook_copy_name(names[1].data,
                                     names[1].data + NGX_HTTP_WEBHOOK_LABEL,
                                     scheme)
                            - names[1].data
                          : 0;

    counted = metrics->counted[kind].elts;

    for (i = 0; i < metrics->counted[kind].nelts; i++) {
        if (counted[i]->names[0].len == names[0].len
            && counted[i]->names[1].len == names[1].len
            && ngx_memcmp(counted[i]->names[0].data, names[0].data,
                          names[0].len)
               == 0
            && ngx_memcmp(counted[i]->names[1].data, names[1].data,
                          names[1].len)
               == 0)
        {
            return counted[i];
        }
    }

    counted = ngx_array_push(&metrics->counted[kind]);
    if (counted == NULL) {
        return NULL;
    }

    *counted = ngx_pcalloc(pool, sizeof(ngx_http_webhook_counted_t));
    if (*counted == NULL) {
        return NULL;
    }

    (*counted)->names[0] = names[0];
    (*counted)->names[1] = names[1];

    return *counted;
}


static ngx_int_t
ngx_http_webhook_metrics_add_zones(ngx_http_webhook_metrics_t *metrics,
    ngx_cycle_t *cycle)
{
    ngx_http_webhook_zone_t     *zone;
    ngx_http_webhook_counted_t  *counted;

    for (zone = ngx_http_webhook_zone_next(cycle, NULL);
         zone;
         zone = ngx_http_webhook_zone_next(cycle, zone))
    {
        counted = ngx_http_webhook_metrics_add(metrics,
                                               NGX_HTTP_WEBHOOK_COUNT_ZONES,
                                               &zone->shm_zone->shm.name,
                                               NULL);
        if (counted == NULL) {
            return NGX_ERROR;
        }

        counted->zone = zone;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_metrics_share(ngx_conf_t *cf,
    ngx_http_webhook_metrics_t *metrics, void *tag)
{
    size_t                           size;
    ngx_uint_t                       i;
    ngx_shm_zone_t                  *shm_zone, *old;
    ngx_http_webhook_metrics_shm_t  *sh;

    if (ngx_http_webhook_metrics_add_zones(metrics, cf->cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    size = sizeof(ngx_http_webhook_metrics_shm_t);

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_KINDS; i++) {
        size += ngx_http_webhook_metrics_room(metrics, i)
                * ngx_http_webhook_counts_size[i];
    }

    /* what the pool needs for itself is some bytes of each page */

    size = ngx_align(size + size / 64 + 16 * ngx_pagesize, ngx_pagesize);

    /* memory of the same size is handed over, of another one is new */

    old = ngx_http_webhook_metrics_old(&sh);

    if (old && old->tag == tag) {

        if (ngx_http_webhook_metrics_fits(metrics, sh)) {
            size = old->shm.size;

        } else if (size == old->shm.size) {
            size += ngx_pagesize;
        }
    }

    shm_zone = ngx_shared_memory_add(cf, &ngx_http_webhook_metrics_name, size,
                                     tag);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    shm_zone->init = ngx_http_webhook_metrics_init;
    shm_zone->data = metrics;

    return NGX_OK;
}


/* how many of a kind find room, some of which are to spare */

static ngx_uint_t
ngx_http_webhook_metrics_room(ngx_http_webhook_metrics_t *metrics,
    ngx_uint_t kind)
{
    ngx_uint_t  n;

    n = metrics->counted[kind].nelts;

    return n + n / 4 + 8;
}


static ngx_int_t
ngx_http_webhook_metrics_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_webhook_metrics_t  *ometrics = data;

    u_char                          *p;
    size_t                           size;
    ngx_uint_t                       i;
    ngx_slab_pool_t                 *shpool;
    ngx_http_webhook_metrics_t      *metrics;
    ngx_http_webhook_metrics_shm_t  *sh, *old;

    metrics = shm_zone->data;

    if (ometrics) {
        ngx_http_webhook_metrics_find(metrics, ometrics->sh);
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        ngx_http_webhook_metrics_find(metrics, shpool->data);
        return NGX_OK;
    }

    size = shpool->pfree * ngx_pagesize;

    p = ngx_slab_alloc(shpool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    sh = (ngx_http_webhook_metrics_shm_t *) p;

    /* fresh memory is zero, and not touched, but where debugging filled it */

    if (sh->magic[0]) {
        ngx_memzero(sh, size);
    }

    shpool->data = sh;
    shpool->log_nomem = 0;

    ngx_memcpy(sh->magic, NGX_HTTP_WEBHOOK_METRICS_MAGIC, sizeof(sh->magic));
    sh->layout = ngx_http_webhook_metrics_layout();
    sh->since = ngx_time();

    p += sizeof(ngx_http_webhook_metrics_shm_t);

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_KINDS; i++) {
        sh->counts[i].elts = p;
        sh->counts[i].max = ngx_http_webhook_metrics_room(metrics, i);

        p += sh->counts[i].max * ngx_http_webhook_counts_size[i];
    }

    ngx_http_webhook_metrics_find(metrics, sh);

    if (ngx_http_webhook_metrics_old(&old)) {
        ngx_http_webhook_metrics_copy(sh, old);
    }

    return NGX_OK;
}


/* the memory of the cycle that is about to end, if it is laid out as ours */

static ngx_shm_zone_t *
ngx_http_webhook_metrics_old(ngx_http_webhook_metrics_shm_t **sh)
{
    u_char           *p;
    ngx_shm_t        *shm;
    ngx_str_t        *name;
    ngx_uint_t        i;
    ngx_shm_zone_t   *shm_zone;
    ngx_list_part_t  *part;

    name = &ngx_http_webhook_metrics_name;

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
    shm_zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            shm_zone = part->elts;
            i = 0;
        }

        shm = &shm_zone[i].shm;

        if (shm->addr == NULL
            || shm->name.len != name->len
            || ngx_strncmp(shm->name.data, name->data, name->len) != 0)
        {
            continue;
        }

        p = ((ngx_slab_pool_t *) shm->addr)->data;

        *sh = (ngx_http_webhook_metrics_shm_t *) p;

        if (p < shm->addr
            || p + sizeof(ngx_http_webhook_metrics_shm_t)
               > shm->addr + shm->size
            || ngx_memcmp((*sh)->magic, NGX_HTTP_WEBHOOK_METRICS_MAGIC,
                          sizeof((*sh)->magic))
               != 0
            || (*sh)->layout != ngx_http_webhook_metrics_layout())
        {
            return NULL;
        }

        return &shm_zone[i];
    }
}


/* differs where a module has other names, or another size of something */

static uint32_t
ngx_http_webhook_metrics_layout(void)
{
    size_t       size;
    uint32_t     crc;
    ngx_str_t   *name;
    ngx_uint_t   i;

    ngx_crc32_init(crc);

    for (i = 0; i < NGX_HTTP_WEBHOOK_STATUSES; i++) {
        name = ngx_http_webhook_outcome_name(i);
        ngx_crc32_update(&crc, name->data, name->len);
    }

    for (i = 0; i < NGX_HTTP_WEBHOOK_REASONS; i++) {
        name = ngx_http_webhook_reason_name(i);
        ngx_crc32_update(&crc, name->data, name->len);
    }

    size = sizeof(ngx_http_webhook_metrics_shm_t);

    ngx_crc32_update(&crc, (u_char *) &size, sizeof(size_t));
    ngx_crc32_update(&crc, (u_char *) ngx_http_webhook_counts_size,
                     sizeof(ngx_http_webhook_counts_size));

    ngx_crc32_final(crc);

    return crc;
}


/* whether all that is counted has counters there, or room for them */

static ngx_uint_t
ngx_http_webhook_metrics_fits(ngx_http_webhook_metrics_t *metrics,
    ngx_http_webhook_metrics_shm_t *sh)
{
    ngx_uint_t                    i, k, n;
    ngx_http_webhook_label_t      labels[2];
    ngx_http_webhook_counted_t  **counted;

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_KINDS; i++) {

        n = sh->counts[i].nelts;
        counted = metrics->counted[i].elts;

        for (k = 0; k < metrics->counted[i].nelts; k++) {
            ngx_http_webhook_labels_set(labels, counted[k]->names);

            if (ngx_http_webhook_counts_find(sh, i, labels) == NULL) {
                n++;
            }
        }

        if (n > sh->counts[i].max) {
            return 0;
        }
    }

    return 1;
}


/* finds the counters of all that is counted, or adds them */

static void
ngx_http_webhook_metrics_find(ngx_http_webhook_metrics_t *metrics,
    ngx_http_webhook_metrics_shm_t *sh)
{
    ngx_uint_t                    i, k;
    ngx_http_webhook_label_t      labels[2];
    ngx_http_webhook_counted_t  **counted;

    metrics->sh = sh;
    metrics->generation = ++sh->generation;

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_KINDS; i++) {

        counted = metrics->counted[i].elts;

        for (k = 0; k < metrics->counted[i].nelts; k++) {
            ngx_http_webhook_labels_set(labels, counted[k]->names);

            counted[k]->counts = ngx_http_webhook_counts_add(sh, i, labels);
            counted[k]->sh = sh;
        }
    }
}


/* what was counted, but for what is counted by process */

static void
ngx_http_webhook_metrics_copy(ngx_http_webhook_metrics_shm_t *sh,
    ngx_http_webhook_metrics_shm_t *old)
{
    u_char                     *p, *dst;
    size_t                      size;
    ngx_uint_t                  i, k;
    ngx_http_webhook_counts_t  *counts;

    sh->since = old->since;

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_ZONES; i++) {

        counts = &old->counts[i];
        size = ngx_http_webhook_counts_size[i];

        for (k = 0; k < counts->nelts; k++) {
            p = counts->elts + k * size;

            dst = ngx_http_webhook_counts_add(sh, i,
                                              (ngx_http_webhook_label_t *) p);
            if (dst) {
                ngx_memcpy(dst, p, size);
            }
        }
    }

    ngx_memcpy(sh->refusals, old->refusals, sizeof(sh->refusals));

    sh->number = old->number;
}


static void *
ngx_http_webhook_counts_find(ngx_http_webhook_metrics_shm_t *sh,
    ngx_uint_t kind, ngx_http_webhook_label_t *labels)
{
    u_char                     *p;
    ngx_uint_t                  i, k;
    ngx_http_webhook_label_t   *other;
    ngx_http_webhook_counts_t  *counts;

    counts = &sh->counts[kind];

    for (i = 0; i < counts->nelts; i++) {

        p = counts->elts + i * ngx_http_webhook_counts_size[kind];
        other = (ngx_http_webhook_label_t *) p;

        for (k = 0; k < 2; k++) {
            if (other[k].hash != labels[k].hash
                || other[k].len != labels[k].len
                || ngx_memcmp(other[k].data, labels[k].data, labels[k].len)
                   != 0)
            {
                break;
            }
        }

        if (k == 2) {
            return p;
        }
    }

    return NULL;
}


/* finds or adds counters, which begin with their labels; NULL: no room */

static void *
ngx_http_webhook_counts_add(ngx_http_webhook_metrics_shm_t *sh,
    ngx_uint_t kind, ngx_http_webhook_label_t *labels)
{
    u_char                     *p;
    ngx_http_webhook_counts_t  *counts;

    counts = &sh->counts[kind];

    p = ngx_http_webhook_counts_find(sh, kind, labels);

    if (p || counts->nelts == counts->max) {
        return p;
    }

    p = counts->elts + counts->nelts++ * ngx_http_webhook_counts_size[kind];

    ngx_memcpy(p, labels, 2 * sizeof(ngx_http_webhook_label_t));

    return p;
}


static void
ngx_http_webhook_labels_set(ngx_http_webhook_label_t *labels,
    const ngx_str_t *names)
{
    ngx_uint_t  i;

    ngx_memzero(labels, 2 * sizeof(ngx_http_webhook_label_t));

    for (i = 0; i < 2; i++) {
        labels[i].len = names[i].len;
        labels[i].hash = ngx_crc32_short(names[i].data, names[i].len);

        ngx_memcpy(labels[i].data, names[i].data, names[i].len);
    }
}
