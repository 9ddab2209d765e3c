
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The directives of deduplication.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


#define NGX_HTTP_WEBHOOK_LEASE      30
#define NGX_HTTP_WEBHOOK_MIN_LEASE  2
#define NGX_HTTP_WEBHOOK_MAX_LEASE  86400


static char *ngx_http_webhook_dedup_zone_store(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_zone_t *zone,
    ngx_str_t *name);
static char *ngx_http_webhook_dedup_action(ngx_str_t *value,
    ngx_http_webhook_dedup_conf_t *dedup);


char *
ngx_http_webhook_dedup_zone_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_webhook_main_conf_t *wmcf = conf;

    u_char                    *p;
    size_t                     least;
    ssize_t                    size;
    ngx_str_t                 *value, name, path, store, s;
    ngx_uint_t                 i;
    ngx_shm_zone_t            *shm_zone;
    ngx_http_webhook_zone_t   *zone;

    value = cf->args->elts;

    size = 0;
    least = 8 * ngx_pagesize;
    ngx_str_null(&name);
    ngx_str_null(&path);
    ngx_str_null(&store);

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "zone=", 5) == 0 && name.len == 0) {

            name.data = value[i].data + 5;

            p = (u_char *) ngx_strchr(name.data, ':');

            if (p == NULL) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid zone size \"%V\", the least is "
                                   "%uzk, as in \"zone=name:%uzk\"",
                                   &value[i], least / 1024, least / 1024);
                return NGX_CONF_ERROR;
            }

            name.len = p - name.data;

            s.data = p + 1;
            s.len = value[i].data + value[i].len - s.data;

            size = ngx_parse_size(&s);

            if (size == NGX_ERROR) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid zone size \"%V\", the least is "
                                   "%uzk, as in \"zone=name:%uzk\"",
                                   &value[i], least / 1024, least / 1024);
                return NGX_CONF_ERROR;
            }

            if (size < (ssize_t) least) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "zone \"%V\" is too small, the least is "
                                   "%uzk", &value[i], least / 1024);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "state=", 6) == 0
            && value[i].len > 6)
        {
            path.data = value[i].data + 6;
            path.len = value[i].len - 6;

            if (ngx_conf_full_name(cf->cycle, &path, 0) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "store=", 6) == 0
            && value[i].len > 6)
        {
            store.data = value[i].data + 6;
            store.len = value[i].len - 6;

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    shm_zone = ngx_http_webhook_zone_add(cf, &name, size,
                                         &ngx_http_webhook_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone = shm_zone->data;

    if (zone->defined) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate zone \"%V\"", &name);
        return NGX_CONF_ERROR;
    }

    zone->defined = 1;

    if (store.len
        && ngx_http_webhook_dedup_zone_store(cf, wmcf, zone, &store)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (path.len == 0) {
        return NGX_CONF_OK;
    }

    zone->state.path = path;
    zone->state.zone = name;

    return ngx_http_webhook_state_add(cf, &wmcf->states, &zone->state);
}


static char *
ngx_http_webhook_dedup_zone_store(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_zone_t *zone,
    ngx_str_t *name)
{
    ngx_http_webhook_store_t  *store;

    store = ngx_http_webhook_store_add(cf, &wmcf->stores, name);
    if (store == NULL) {
        return NGX_CONF_ERROR;
    }

    if (store->zone) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "webhook store \"%V\" is used by zone \"%V\" "
                           "already: define another one, with another "
                           "\"prefix\"",
                           name, &store->zone->shm_zone->shm.name);
        return NGX_CONF_ERROR;
    }

    ngx_http_webhook_store_set_zone(store, zone);

    return NGX_CONF_OK;
}


char *
ngx_http_webhook_dedup_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    ngx_str_t                         *value, s;
    ngx_uint_t                         i;
    ngx_http_webhook_dedup_conf_t     *dedup, **slot;
    ngx_http_compile_complex_value_t   ccv;

    slot = (ngx_http_webhook_dedup_conf_t **) (p + cmd->offset);

    if (*slot != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    dedup = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_dedup_conf_t));
    if (dedup == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_webhook_level_init(cf, &dedup->level);

    dedup->lease = NGX_HTTP_WEBHOOK_LEASE;

    *slot = dedup;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "zone=", 5) == 0
            && dedup->shm_zone == NULL)
        {
            s.len = value[i].len - 5;
            s.data = value[i].data + 5;

            dedup->shm_zone = ngx_http_webhook_zone_add(cf, &s, 0,
                                                     &ngx_http_webhook_module);
            if (dedup->shm_zone == NULL) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "key=", 4) == 0) {

            s.len = value[i].len - 4;
            s.data = value[i].data + 4;

            if (s.len == 0) {
                goto invalid;
            }

            ngx_http_webhook_check_dashes(cf, &s);

            dedup->key = ngx_palloc(cf->pool,
                                    sizeof(ngx_http_complex_value_t));
            if (dedup->key == NULL) {
                return NGX_CONF_ERROR;
            }

            ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

            ccv.cf = cf;
            ccv.value = &s;
            ccv.complex_value = dedup->key;

            if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "ttl=", 4) == 0) {

            s.len = value[i].len - 4;
            s.data = value[i].data + 4;

            dedup->ttl = ngx_parse_time(&s, 1);

            if (dedup->ttl == NGX_ERROR || dedup->ttl == 0) {
                goto invalid_time;
            }

            dedup->ttl = ngx_min(dedup->ttl, NGX_HTTP_WEBHOOK_MAX_TIME);

            continue;
        }

        if (ngx_strncmp(value[i].data, "lease=", 6) == 0) {

            s.len = value[i].len - 6;
            s.data = value[i].data + 6;

            dedup->lease = ngx_parse_time(&s, 1);

            if (dedup->lease == NGX_ERROR || dedup->lease == 0
                || dedup->lease > NGX_HTTP_WEBHOOK_MAX_LEASE)
            {
                goto invalid_time;
            }

            /* the second that has begun may be over before it is renewed */

            dedup->lease = ngx_max(dedup->lease, NGX_HTTP_WEBHOOK_MIN_LEASE);

            continue;
        }

        if (ngx_http_webhook_dedup_action(&value[i], dedup) != NGX_CONF_OK) {
            goto invalid;
        }
    }

    if (dedup->shm_zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

invalid_time:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid time \"%V\"", &value[i]);

    return NGX_CONF_ERROR;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"%s",
                       &value[i],
                       (i == 1 && dedup->shm_zone == NULL)
                       ? ", \"zone=\" is missing" : "");

    return NGX_CONF_ERROR;
}


static char *
ngx_http_webhook_dedup_action(ngx_str_t *value,
    ngx_http_webhook_dedup_conf_t *dedup)
{
    char                       *usual;
    u_char                     *p;
    ngx_http_webhook_action_e  *action;

    if (ngx_strncmp(value->data, "on_full=", 8) == 0) {
        p = value->data + 8;
        usual = "evict";
        action = &dedup->full;

    } else if (ngx_strncmp(value->data, "on_missing=", 11) == 0) {
        p = value->data + 11;
        usual = "pass";
        action = &dedup->missing;

    } else if (ngx_strncmp(value->data, "on_mismatch=", 12) == 0) {
        p = value->data + 12;
        usual = "duplicate";
        action = &dedup->mismatch;

    } else if (ngx_strncmp(value->data, "on_error=", 9) == 0) {
        p = value->data + 9;
        usual = "local";
        action = &dedup->error;

    } else {
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(p, usual) == 0) {
        *action = NGX_HTTP_WEBHOOK_ACTION_DEFAULT;

    } else if (ngx_strcmp(p, "reject") == 0) {
        *action = NGX_HTTP_WEBHOOK_ACTION_REJECT;

    } else if (action != &dedup->error && ngx_strcmp(p, "pass") == 0) {
        *action = NGX_HTTP_WEBHOOK_ACTION_PASS;

    } else {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
