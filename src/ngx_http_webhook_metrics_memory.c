
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


/* the two names of what is counted as one text: neither has this byte */

#define NGX_HTTP_WEBHOOK_LABELS     (2 * NGX_HTTP_WEBHOOK_LABEL + 1)
#define NGX_HTTP_WEBHOOK_LABEL_END  0xff


/* counters begin with their labels */

#define ngx_http_webhook_counts_nth(counts, kind, n)                          \
    (ngx_http_webhook_label_t *)                                              \
        ((counts)->elts + (n) * ngx_http_webhook_counts_size[kind])


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
static void ngx_http_webhook_metrics_copy(ngx_http_webhook_metrics_t *metrics,
    ngx_http_webhook_metrics_shm_t *old);
static void *ngx_http_webhook_counts_add(ngx_http_webhook_metrics_shm_t *sh,
    ngx_uint_t kind, ngx_http_webhook_label_t *labels);
static ngx_http_webhook_counted_t *ngx_http_webhook_counted_find(
    ngx_http_webhook_metrics_t *metrics, ngx_uint_t kind,
    ngx_http_webhook_label_t *labels);
static ngx_http_webhook_counted_t *ngx_http_webhook_counted_lookup(
    ngx_http_webhook_metrics_t *metrics, ngx_uint_t kind, ngx_str_t *names);


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

        ngx_rbtree_init(&metrics->index[i], &metrics->sentinels[i],
                        ngx_str_rbtree_insert_value);
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
    u_char                      *p, *last, buf[NGX_HTTP_WEBHOOK_LABELS];
    ngx_str_t                    names;
    ngx_pool_t                  *pool;
    ngx_http_webhook_counted_t  *counted, **slot;

    p = ngx_http_webhook_copy_name(buf, buf + NGX_HTTP_WEBHOOK_LABEL, name);

    last = p;
    *last++ = NGX_HTTP_WEBHOOK_LABEL_END;

    if (scheme) {
        last = ngx_http_webhook_copy_name(last, last + NGX_HTTP_WEBHOOK_LABEL,
                                          scheme);
    }

    names.data = buf;
    names.len = last - buf;

    counted = ngx_http_webhook_counted_lookup(metrics, kind, &names);

    if (counted) {
        return counted;
    }

    pool = metrics->counted[kind].pool;

    slot = ngx_array_push(&metrics->counted[kind]);
    if (slot == NULL) {
        return NULL;
    }

    counted = ngx_pcalloc(pool, sizeof(ngx_http_webhook_counted_t));
    if (counted == NULL) {
        return NULL;
    }

    *slot = counted;

    counted->node.str.len = names.len;
    counted->node.str.data = ngx_pstrdup(pool, &names);
    if (counted->node.str.data == NULL) {
        return NULL;
    }

    counted->names[0].len = p - buf;
    counted->names[0].data = counted->node.str.data;

    counted->names[1].len = last - p - 1;
    counted->names[1].data = counted->node.str.data + (p - buf) + 1;

    counted->node.node.key = ngx_crc32_long(names.data, names.len);

    ngx_rbtree_insert(&metrics->index[kind], &counted->node.node);

    return counted;
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
        ngx_http_webhook_metrics_copy(metrics, old);
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
    ngx_uint_t                  i, k, n;
    ngx_http_webhook_counts_t  *counts;

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_KINDS; i++) {

        counts = &sh->counts[i];
        n = metrics->counted[i].nelts;

        for (k = 0; k < counts->nelts; k++) {
            if (ngx_http_webhook_counted_find(metrics, i,
                                   ngx_http_webhook_counts_nth(counts, i, k))
                == NULL)
            {
                n++;
            }
        }

        if (n > counts->max) {
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
    ngx_uint_t                    i, k, n;
    ngx_http_webhook_label_t     *labels, added[2];
    ngx_http_webhook_counts_t    *counts;
    ngx_http_webhook_counted_t   *known, **counted;

    metrics->sh = sh;
    metrics->generation = ++sh->generation;

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_KINDS; i++) {

        counts = &sh->counts[i];

        for (k = 0; k < counts->nelts; k++) {
            labels = ngx_http_webhook_counts_nth(counts, i, k);
            known = ngx_http_webhook_counted_find(metrics, i, labels);

            if (known) {
                known->counts = labels;
            }
        }

        counted = metrics->counted[i].elts;

        for (k = 0; k < metrics->counted[i].nelts; k++) {

            counted[k]->sh = sh;

            if (counted[k]->counts) {
                continue;
            }

            ngx_memzero(added, sizeof(added));

            for (n = 0; n < 2; n++) {
                added[n].len = counted[k]->names[n].len;

                ngx_memcpy(added[n].data, counted[k]->names[n].data,
                           added[n].len);
            }

            counted[k]->counts = ngx_http_webhook_counts_add(sh, i, added);
        }
    }
}


/* what was counted, but for what is counted by process */

static void
ngx_http_webhook_metrics_copy(ngx_http_webhook_metrics_t *metrics,
    ngx_http_webhook_metrics_shm_t *old)
{
    void                            *p;
    ngx_uint_t                       i, k;
    ngx_http_webhook_label_t        *labels;
    ngx_http_webhook_counts_t       *counts;
    ngx_http_webhook_counted_t      *known;
    ngx_http_webhook_metrics_shm_t  *sh;

    sh = metrics->sh;
    sh->since = old->since;

    for (i = 0; i < NGX_HTTP_WEBHOOK_COUNT_ZONES; i++) {

        counts = &old->counts[i];

        for (k = 0; k < counts->nelts; k++) {
            labels = ngx_http_webhook_counts_nth(counts, i, k);
            known = ngx_http_webhook_counted_find(metrics, i, labels);

            p = known ? known->counts
                      : ngx_http_webhook_counts_add(sh, i, labels);

            if (p) {
                ngx_memcpy(p, labels, ngx_http_webhook_counts_size[i]);
            }
        }
    }

    ngx_memcpy(sh->refusals, old->refusals, sizeof(sh->refusals));

    sh->number = old->number;
}


/* adds counters, which begin with their labels; NULL: no room */

static void *
ngx_http_webhook_counts_add(ngx_http_webhook_metrics_shm_t *sh,
    ngx_uint_t kind, ngx_http_webhook_label_t *labels)
{
    void                       *p;
    ngx_http_webhook_counts_t  *counts;

    counts = &sh->counts[kind];

    if (counts->nelts == counts->max) {
        return NULL;
    }

    p = ngx_http_webhook_counts_nth(counts, kind, counts->nelts++);

    ngx_memcpy(p, labels, 2 * sizeof(ngx_http_webhook_label_t));

    return p;
}


/* what is counted under the labels of counters; NULL: nothing any more */

static ngx_http_webhook_counted_t *
ngx_http_webhook_counted_find(ngx_http_webhook_metrics_t *metrics,
    ngx_uint_t kind, ngx_http_webhook_label_t *labels)
{
    u_char     *p, buf[NGX_HTTP_WEBHOOK_LABELS];
    ngx_str_t   names;

    p = ngx_cpymem(buf, labels[0].data, labels[0].len);
    *p++ = NGX_HTTP_WEBHOOK_LABEL_END;
    p = ngx_cpymem(p, labels[1].data, labels[1].len);

    names.data = buf;
    names.len = p - buf;

    return ngx_http_webhook_counted_lookup(metrics, kind, &names);
}


static ngx_http_webhook_counted_t *
ngx_http_webhook_counted_lookup(ngx_http_webhook_metrics_t *metrics,
    ngx_uint_t kind, ngx_str_t *names)
{
    uint32_t  hash;

    hash = ngx_crc32_long(names->data, names->len);

    return (ngx_http_webhook_counted_t *)
               ngx_str_rbtree_lookup(&metrics->index[kind], names, hash);
}
