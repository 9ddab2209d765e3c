
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The "field" lines of a scheme.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


#define NGX_HTTP_WEBHOOK_MAX_FIELDS  4


static ngx_int_t ngx_http_webhook_field_name(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *name);
static ngx_str_t *ngx_http_webhook_lacks_field(ngx_array_t *fields,
    ngx_http_webhook_template_t *template);
static ngx_str_t *ngx_http_webhook_lines_lack_field(ngx_array_t *fields,
    ngx_array_t *lines);


char *
ngx_http_webhook_field_line(ngx_conf_t *cf, ngx_http_webhook_block_t *block,
    ngx_uint_t again)
{
    ngx_int_t                   rc;
    ngx_str_t                  *value, name;
    ngx_uint_t                  i;
    ngx_array_t                *args, sources;
    ngx_http_webhook_field_t   *field;
    ngx_http_webhook_choice_t   none = { NULL, NULL, NULL };
    ngx_http_webhook_scheme_t  *scheme;

    scheme = block->scheme;
    value = cf->args->elts;

    if (!again) {
        scheme->fields = ngx_array_create(cf->pool, 1,
                                          sizeof(ngx_http_webhook_field_t));
        if (scheme->fields == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    rc = ngx_http_webhook_field_name(cf->pool, &value[1], &name);

    if (rc == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name of a field \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    field = scheme->fields->elts;

    for (i = 0; i < scheme->fields->nelts; i++) {
        if (field[i].name.len == name.len
            && ngx_strncmp(field[i].name.data, name.data, name.len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "field \"%V\" is duplicate", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (scheme->fields->nelts == NGX_HTTP_WEBHOOK_MAX_FIELDS) {
        return "stands more than 4 times";
    }

    field = ngx_array_push(scheme->fields);
    if (field == NULL) {
        return NGX_CONF_ERROR;
    }

    field->name = name;

    /* the line without the name is one of sources */

    args = cf->args;

    sources = *args;
    sources.elts = &value[1];
    sources.nelts--;

    cf->args = &sources;

    field->sources = ngx_http_webhook_sources(cf, scheme, &field->cut, 0,
                                              &none);
    cf->args = args;

    if (field->sources == NULL) {
        return NGX_CONF_ERROR;
    }

    if (field->cut.group.len
        || ngx_http_webhook_sources_have(field->sources,
                                         NGX_HTTP_WEBHOOK_PIECE_JSON))
    {
        return "takes no JSON and no \"group=\"";
    }

    return NGX_CONF_OK;
}


/* that of its variable: NGX_OK, NGX_DECLINED, or NGX_ERROR */

static ngx_int_t
ngx_http_webhook_field_name(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *name)
{
    u_char  *p;
    size_t   i;

    name->len = sizeof("webhook_field_") - 1 + text->len;
    name->data = ngx_pnalloc(pool, name->len);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(name->data, "webhook_field_", sizeof("webhook_field_") - 1);

    ngx_strlow(p, text->data, text->len);

    for (i = 0; i < text->len; i++) {
        if ((p[i] < 'a' || p[i] > 'z') && (p[i] < '0' || p[i] > '9')
            && p[i] != '_')
        {
            return NGX_DECLINED;
        }
    }

    return text->len ? NGX_OK : NGX_DECLINED;
}


char *
ngx_http_webhook_fields_check(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme)
{
    ngx_str_t                    *name;
    ngx_http_webhook_template_t   source;

    name = ngx_http_webhook_lacks_field(scheme->fields, &scheme->signed_text);

    if (name == NULL) {
        name = ngx_http_webhook_lines_lack_field(scheme->fields,
                                                 scheme->event_id);
    }

    if (name == NULL) {
        name = ngx_http_webhook_lines_lack_field(scheme->fields,
                                                 scheme->event_type);
    }

    if (name == NULL) {
        name = ngx_http_webhook_lines_lack_field(scheme->fields,
                                                 scheme->dedup_key);
    }

    if (name == NULL && scheme->bound
        && scheme->bound->source.type == NGX_HTTP_WEBHOOK_PIECE_FIELD)
    {
        source.pieces = &scheme->bound->source;
        source.npieces = 1;

        name = ngx_http_webhook_lacks_field(scheme->fields, &source);
    }

    if (name) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "scheme \"%V\" names \"$%V\", but has no such "
                           "\"field\"", &scheme->name, name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_str_t *
ngx_http_webhook_lines_lack_field(ngx_array_t *fields, ngx_array_t *lines)
{
    ngx_str_t                *name;
    ngx_uint_t                i, n;
    ngx_http_webhook_line_t  *line;

    if (lines == NULL) {
        return NULL;
    }

    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {
        for (n = 0; n < line[i].nparts; n++) {

            name = ngx_http_webhook_lacks_field(fields, &line[i].parts[n]);

            if (name) {
                return name;
            }
        }
    }

    return NULL;
}


/* the first that is not there, or NULL */

static ngx_str_t *
ngx_http_webhook_lacks_field(ngx_array_t *fields,
    ngx_http_webhook_template_t *template)
{
    ngx_uint_t                 i, n;
    ngx_http_webhook_field_t  *field;
    ngx_http_webhook_piece_t  *piece;

    for (i = 0; i < template->npieces; i++) {
        piece = &template->pieces[i];

        if (piece->type != NGX_HTTP_WEBHOOK_PIECE_FIELD) {
            continue;
        }

        if (fields == NULL) {
            return &piece->text;
        }

        field = fields->elts;

        for (n = 0; n < fields->nelts; n++) {
            if (field[n].name.len == piece->text.len
                && ngx_strncmp(field[n].name.data, piece->text.data,
                               piece->text.len)
                   == 0)
            {
                break;
            }
        }

        if (n == fields->nelts) {
            return &piece->text;
        }
    }

    return NULL;
}
