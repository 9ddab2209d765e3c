
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The places where requests are verified: their names, and by which of them
 * they are counted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"
#include "ngx_http_webhook_writer.h"


static void ngx_http_webhook_find_unreachable(ngx_conf_t *cf);


char *
ngx_http_webhook_name_place(ngx_conf_t *cf, ngx_http_webhook_loc_conf_t *conf)
{
    u_char                    *p, *last;
    ngx_http_core_srv_conf_t  *cscf;
    ngx_http_core_loc_conf_t  *clcf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    conf->server = cscf->server_name;
    conf->location = clcf->name;

    p = ngx_pnalloc(cf->pool, NGX_HTTP_WEBHOOK_LABEL);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->label.data = p;
    last = p + NGX_HTTP_WEBHOOK_LABEL;

    if (conf->place.len) {
        p = ngx_http_webhook_copy_name(p, last, &conf->place);

    } else {
        p = ngx_http_webhook_copy_name(p, last, &conf->server);
        p = ngx_http_webhook_copy_name(p, last, &conf->location);
    }

    conf->label.len = p - conf->label.data;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_webhook_count_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf)
{
    ngx_uint_t                     i;
    ngx_http_webhook_counted_t    *counted;
    ngx_http_webhook_scheme_t     *scheme;
    ngx_http_webhook_loc_conf_t  **location, *conf, *last;

    ngx_http_webhook_find_unreachable(cf);

    last = NULL;

    location = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {

        conf = location[i];
        scheme = conf->rules.keyring->scheme;

        counted = ngx_http_webhook_metrics_add_place(&wmcf->metrics,
                                                     &conf->label,
                                                     &scheme->name);
        if (counted == NULL) {
            return NGX_ERROR;
        }

        conf->counted = counted;

        if (conf->unreachable) {
            continue;
        }

        /* a block inside of a location may be like it */

        conf->shown = (last == NULL
                       || last->counted != counted
                       || last->server.data != conf->server.data
                       || last->location.data != conf->location.data
                       || ngx_memcmp(&last->rules, &conf->rules,
                                     sizeof(ngx_http_webhook_rules_t))
                          != 0);

        if (conf->shown) {
            last = conf;
        }

        counted->listed = 1;
        counted->nsecrets = ngx_max(counted->nsecrets,
                                    conf->rules.keyring->nkeys);

        if (conf->rules.dry_run) {
            counted->dry_run = 1;

        } else {
            counted->enforce = 1;
        }
    }

    return ngx_http_webhook_metrics_share(cf, &wmcf->metrics,
                                          &ngx_http_webhook_module);
}


/* no request gets to a server that has a location for all of them */

static void
ngx_http_webhook_find_unreachable(ngx_conf_t *cf)
{
    ngx_uint_t                         i;
    ngx_http_core_srv_conf_t         **cscf;
    ngx_http_core_loc_conf_t          *clcf;
    ngx_http_core_main_conf_t         *cmcf;
    ngx_http_webhook_loc_conf_t       *conf;
    ngx_http_location_tree_node_t     *node;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        conf = cscf[i]->ctx->loc_conf[ngx_http_webhook_module.ctx_index];
        clcf = cscf[i]->ctx->loc_conf[ngx_http_core_module.ctx_index];

        /* the location that is a prefix of all is the root of the tree */

        node = clcf->static_locations;

        if (node == NULL || node->len != 1 || node->inclusive == NULL) {
            continue;
        }

        /* a node ends where its name does, which may be empty */

        if (node->name[0] == '/') {
            conf->unreachable = 1;
        }
    }
}


char *
ngx_http_webhook_place_set_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t   *field, *value;
    ngx_uint_t   i;

    field = (ngx_str_t *) (p + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    value++;

    if (value->len == 0) {
        return "has an empty name";
    }

    if (value->len > NGX_HTTP_WEBHOOK_LABEL) {
        return "has a name of more than 128 bytes";
    }

    if (ngx_http_script_variables_count(value)) {
        return "cannot have variables";
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < 0x20 || value->data[i] == 0x7f) {
            return "has a name with control characters";
        }
    }

    *field = *value;

    return NGX_CONF_OK;
}
