
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Directives of levels where they are of no use, because nothing is verified
 * there; and what they name, but what is not there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


static ngx_int_t ngx_http_webhook_list_level(ngx_array_t *levels,
    ngx_http_webhook_level_t *level);
static void ngx_http_webhook_use_level(ngx_http_webhook_level_t *level);
static ngx_int_t ngx_http_webhook_check_secret(ngx_conf_t *cf,
    ngx_http_webhook_secrets_t *secrets);
static ngx_uint_t ngx_http_webhook_is_variable(ngx_conf_t *cf,
    ngx_str_t *name);


void
ngx_http_webhook_level_init(ngx_conf_t *cf, ngx_http_webhook_level_t *level)
{
    level->line = cf->conf_file->line;
    level->file = (cf->conf_file->file.name.data)
                  ? cf->conf_file->file.name.data
                  : (u_char *) "command line";
}


char *
ngx_http_webhook_merge_levels(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf)
{
    ngx_http_webhook_level_t       *secrets, *dedup, *outer, *outer_dedup;
    ngx_http_webhook_main_conf_t   *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webhook_module);

    outer = (prev->secrets == NGX_CONF_UNSET_PTR || prev->secrets == NULL)
            ? NULL : &prev->secrets->level;

    outer_dedup = (prev->rules.dedup == NGX_CONF_UNSET_PTR
                   || prev->rules.dedup == NULL)
                  ? NULL : &prev->rules.dedup->level;

    secrets = conf->secrets ? &conf->secrets->level : NULL;
    dedup = &conf->rules.dedup->level;

    if (secrets && secrets != outer && secrets->parent == NULL) {
        secrets->parent = outer;
    }

    if (dedup->file && dedup != outer_dedup && dedup->parent == NULL) {
        dedup->parent = outer_dedup;
    }

    if (ngx_http_webhook_list_level(&wmcf->secrets, outer) != NGX_OK
        || ngx_http_webhook_list_level(&wmcf->secrets, secrets) != NGX_OK
        || ngx_http_webhook_list_level(&wmcf->dedups, outer_dedup) != NGX_OK
        || ngx_http_webhook_list_level(&wmcf->dedups, dedup) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->verify) {

        /* who says "off" knows that nothing is verified */

        ngx_http_webhook_use_level(secrets);
        ngx_http_webhook_use_level(dedup);
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_webhook_list_level(ngx_array_t *levels,
    ngx_http_webhook_level_t *level)
{
    ngx_http_webhook_level_t  **p;

    if (level == NULL || level->file == NULL || level->listed) {
        return NGX_OK;
    }

    p = ngx_array_push(levels);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p = level;
    level->listed = 1;

    return NGX_OK;
}


static void
ngx_http_webhook_use_level(ngx_http_webhook_level_t *level)
{
    while (level && !level->used && level->file) {
        level->used = 1;
        level = level->parent;
    }
}


ngx_int_t
ngx_http_webhook_check_levels(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_uint_t                       i;
    ngx_http_webhook_zone_t         *zone;
    ngx_http_webhook_level_t       **level;
    ngx_http_webhook_dedup_conf_t   *dedup;

    level = wmcf->secrets.elts;

    for (i = 0; i < wmcf->secrets.nelts; i++) {

        if (ngx_http_webhook_check_secret(cf,
                                     (ngx_http_webhook_secrets_t *) level[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (!level[i]->used) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "\"webhook_secret\" without \"webhook_verify\": "
                          "requests are not verified in %s:%ui",
                          level[i]->file, level[i]->line);
        }
    }

    level = wmcf->dedups.elts;

    for (i = 0; i < wmcf->dedups.nelts; i++) {

        dedup = (ngx_http_webhook_dedup_conf_t *) level[i];

        if (dedup->shm_zone == NULL) {
            continue;
        }

        zone = dedup->shm_zone->data;

        if (!zone->defined) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown zone \"%V\" in \"webhook_dedup\" in %s:%ui",
                          &dedup->shm_zone->shm.name, level[i]->file,
                          level[i]->line);
            return NGX_ERROR;
        }

        if (!level[i]->used) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "\"webhook_dedup\" without \"webhook_verify\": "
                          "requests are not verified in %s:%ui",
                          level[i]->file, level[i]->line);
        }
    }

    return NGX_OK;
}


/*
 * A variable that nobody knows was a secret: core would name it, without
 * saying where it stands.
 */

static ngx_int_t
ngx_http_webhook_check_secret(ngx_conf_t *cf,
    ngx_http_webhook_secrets_t *secrets)
{
    ngx_uint_t                  i, n;
    ngx_http_webhook_piece_t   *piece;
    ngx_http_webhook_secret_t  *secret;

    secret = secrets->list.elts;

    for (i = 0; i < secrets->list.nelts; i++) {

        if (secret[i].string == NULL) {
            continue;
        }

        for (n = 0; n < secret[i].string->npieces; n++) {
            piece = &secret[i].string->pieces[n];

            if (piece->type != NGX_HTTP_WEBHOOK_PIECE_VARIABLE
                || ngx_http_webhook_is_variable(cf, &piece->text))
            {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "a secret names a variable that is unknown: one "
                          "with \"$\" in it must stand in a file, write "
                          "\"file:...\" in %s:%ui",
                          secrets->level.file, secrets->level.line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webhook_is_variable(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_hash_key_t             *key;
    ngx_http_variable_t        *prefix;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {
        if (key[i].key.len == name->len
            && ngx_strncmp(key[i].key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    prefix = cmcf->prefix_variables.elts;

    for (i = 0; i < cmcf->prefix_variables.nelts; i++) {
        if (name->len >= prefix[i].name.len
            && ngx_strncmp(name->data, prefix[i].name.data, prefix[i].name.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_webhook_unknown_scheme(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes,
    ngx_http_webhook_verify_conf_t *verify)
{
    char       *before, *after;
    ngx_str_t   name;

    before = "";
    after = "";
    ngx_str_null(&name);

    if (ngx_strcasecmp(verify->name.data, (u_char *) "on") == 0) {
        before = ", name one, as \"";
        after = "\"";
        ngx_str_set(&name, "stripe");

    } else if (ngx_http_webhook_scheme_similar(schemes, &verify->name, &name)
               == NGX_OK)
    {
        before = ", did you mean \"";
        after = "\"?";
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "unknown webhook scheme \"%V\"%s%V%s in %s:%ui",
                  &verify->name, before, &name, after, verify->file,
                  verify->line);
}
