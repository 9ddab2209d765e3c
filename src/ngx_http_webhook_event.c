
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What an authentic request says of its event, and whether the event is
 * wanted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_body.h"
#include "ngx_http_webhook_event.h"


ngx_http_webhook_reason_e
ngx_http_webhook_read_json(ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_loc_conf_t *conf)
{
    off_t                len;
    u_char              *copy;
    ngx_int_t            rc;
    ngx_str_t            text;
    ngx_uint_t           n;
    ngx_array_t         *pointers;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = scope->request;
    pointers = conf->rules.keyring->scheme->pointers;

    n = (conf->uses & NGX_HTTP_WEBHOOK_USES_HANDSHAKE)
        ? pointers->nelts : conf->rules.keyring->scheme->nvalues;

    scope->values = ngx_pcalloc(r->pool, n * sizeof(ngx_http_webhook_value_t));
    if (scope->values == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    len = ngx_http_webhook_body_length(r);

    if (len > (off_t) conf->rules.json_max_size) {
        scope->json = NGX_HTTP_WEBHOOK_REASON_JSON_TOO_LARGE;
        return NGX_HTTP_WEBHOOK_REASON_NONE;
    }

    copy = NULL;
    cl = r->request_body ? r->request_body->bufs : NULL;

    if (cl && cl->next == NULL && !cl->buf->in_file) {
        text.data = cl->buf->pos;

    } else {

        /* in pieces yajl would scan a string anew at each of them */

        copy = ngx_alloc(len + 1, r->connection->log);
        if (copy == NULL) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        if (ngx_http_webhook_copy_body(r, copy) != NGX_OK) {
            ngx_free(copy);
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        text.data = copy;
    }

    text.len = len;

    rc = ngx_http_webhook_json_parse(r->pool, &text, pointers->elts, n,
                                     scope->values);

    if (copy) {
        ngx_free(copy);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    if (rc == NGX_DECLINED) {
        scope->json = NGX_HTTP_WEBHOOK_REASON_INVALID_JSON;
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


ngx_http_webhook_reason_e
ngx_http_webhook_read_json_time(ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_scheme_t *scheme, time_t *time)
{
    ngx_http_webhook_value_t     *value;
    ngx_http_webhook_template_t  *source;

    source = scheme->timestamp->elts;
    value = &scope->values[source->pieces[0].index];

    if (value->ambiguous) {
        return NGX_HTTP_WEBHOOK_REASON_AMBIGUOUS_JSON;
    }

    if (value->text.len == 0) {
        return NGX_HTTP_WEBHOOK_REASON_MISSING_TIMESTAMP;
    }

    if (ngx_http_webhook_parse_timestamp(&value->text, scheme->unit, time)
        != NGX_OK)
    {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_TIMESTAMP;
    }

    scope->timestamp = value->text;

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


ngx_http_webhook_reason_e
ngx_http_webhook_read_event(ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_loc_conf_t *conf)
{
    ngx_http_webhook_scheme_t  *scheme;

    scheme = conf->rules.keyring->scheme;

    if ((conf->uses & NGX_HTTP_WEBHOOK_USES_ID)
        && ngx_http_webhook_lines_value(scope, scheme->event_id,
                                        NGX_HTTP_WEBHOOK_MAX_VALUE,
                                        &scope->event_id)
           == NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR)
    {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    if ((conf->uses & NGX_HTTP_WEBHOOK_USES_TYPE)
        && ngx_http_webhook_lines_value(scope, scheme->event_type,
                                        NGX_HTTP_WEBHOOK_MAX_VALUE,
                                        &scope->event_type)
           == NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR)
    {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


ngx_http_webhook_reason_e
ngx_http_webhook_filter_event(ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_loc_conf_t *conf)
{
    ngx_str_t                    value;
    ngx_uint_t                   i;
    ngx_http_complex_value_t    *cv;
    ngx_http_webhook_pattern_t  *pattern;

    if (conf->rules.events && scope->event_type.len) {

        pattern = conf->rules.events->elts;

        for (i = 0; i < conf->rules.events->nelts; i++) {

            if ((pattern[i].prefix
                 ? scope->event_type.len >= pattern[i].text.len
                 : scope->event_type.len == pattern[i].text.len)
                && ngx_memcmp(scope->event_type.data, pattern[i].text.data,
                              pattern[i].text.len)
                   == 0)
            {
                break;
            }
        }

        if (i == conf->rules.events->nelts) {
            return NGX_HTTP_WEBHOOK_REASON_EVENT_TYPE;
        }
    }

    if (conf->rules.ignore && scope->json == NGX_HTTP_WEBHOOK_REASON_NONE) {

        cv = conf->rules.ignore->elts;

        for (i = 0; i < conf->rules.ignore->nelts; i++) {

            if (ngx_http_webhook_complex_value(scope, &cv[i], &value)
                != NGX_OK)
            {
                return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
            }

            if (value.len && (value.len != 1 || value.data[0] != '0')) {
                return NGX_HTTP_WEBHOOK_REASON_EVENT_FILTER;
            }
        }
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


char *
ngx_http_webhook_events_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_array_t                 **events;
    ngx_http_webhook_pattern_t   *pattern;

    events = (ngx_array_t **) (p + cmd->offset);

    if (*events != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    *events = ngx_array_create(cf->pool, cf->args->nelts - 1,
                               sizeof(ngx_http_webhook_pattern_t));
    if (*events == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        pattern = ngx_array_push(*events);
        if (pattern == NULL) {
            return NGX_CONF_ERROR;
        }

        pattern->text = value[i];
        pattern->prefix = (value[i].len
                           && value[i].data[value[i].len - 1] == '*');
        pattern->text.len -= pattern->prefix;

        if (value[i].len == 0
            || ngx_strlchr(pattern->text.data,
                           pattern->text.data + pattern->text.len, '*'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid pattern \"%V\", \"*\" can only stand "
                               "at the end", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webhook_ignore_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    ngx_str_t                          *value;
    ngx_uint_t                          i;
    ngx_array_t                       **ignore;
    ngx_http_compile_complex_value_t    ccv;

    ignore = (ngx_array_t **) (p + cmd->offset);

    if (*ignore != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    *ignore = ngx_array_create(cf->pool, cf->args->nelts - 1,
                               sizeof(ngx_http_complex_value_t));
    if (*ignore == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        ngx_http_webhook_check_dashes(cf, &value[i]);

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = &value[i];
        ccv.complex_value = ngx_array_push(*ignore);
        if (ccv.complex_value == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
