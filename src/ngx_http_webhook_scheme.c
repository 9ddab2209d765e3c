
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Schemes: the webhook_scheme block, its directives and its checks.  Built-in
 * schemes are texts in the same language, parsed by the same functions.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


#define NGX_HTTP_WEBHOOK_TOLERANCE  300


typedef struct {
    ngx_http_webhook_scheme_t     *scheme;
    ngx_uint_t                     seen;     /* directives of this block */
} ngx_http_webhook_block_t;


typedef char *(*ngx_http_webhook_line_pt)(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);


typedef struct {
    ngx_str_t                      name;
    ngx_uint_t                     min;      /* arguments */
    ngx_uint_t                     max;
    ngx_uint_t                     lines;    /* several of them are fine */
    ngx_http_webhook_line_pt       set;
} ngx_http_webhook_directive_t;


static ngx_http_webhook_scheme_t *ngx_http_webhook_scheme_create(
    ngx_conf_t *cf, ngx_str_t *name, ngx_http_webhook_scheme_t *from);
static char *ngx_http_webhook_scheme_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_http_webhook_scheme_t *ngx_http_webhook_scheme_lookup(
    ngx_array_t *schemes, ngx_str_t *name);
static ngx_int_t ngx_http_webhook_scheme_builtin(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes, ngx_str_t *name,
    ngx_http_webhook_scheme_t **scheme);

static char *ngx_http_webhook_algorithm_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_signature_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_signed_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_timestamp_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_tolerance_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_secret_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_event_id_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_event_type_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_dedup_key_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);
static char *ngx_http_webhook_retries_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);

static char *ngx_http_webhook_parts(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_array_t **lines, ngx_uint_t again,
    ngx_uint_t where);
static char *ngx_http_webhook_cut_parameter(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_webhook_cut_t *cut, ngx_uint_t range);
static ngx_int_t ngx_http_webhook_seconds(ngx_str_t *value);
static char *ngx_http_webhook_scheme_check(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme);
static ngx_uint_t ngx_http_webhook_signed_has(
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_piece_t *piece);


static ngx_http_webhook_directive_t  ngx_http_webhook_directives[] = {

    { ngx_string("algorithm"), 1, 1, 0, ngx_http_webhook_algorithm_line },
    { ngx_string("signature"), 1, 16, 0, ngx_http_webhook_signature_line },
    { ngx_string("signed"), 1, 1, 0, ngx_http_webhook_signed_line },
    { ngx_string("timestamp"), 1, 16, 0, ngx_http_webhook_timestamp_line },
    { ngx_string("tolerance"), 1, 2, 0, ngx_http_webhook_tolerance_line },
    { ngx_string("secret"), 0, 2, 1, ngx_http_webhook_secret_line },
    { ngx_string("event_id"), 1, 8, 1, ngx_http_webhook_event_id_line },
    { ngx_string("event_type"), 1, 8, 1, ngx_http_webhook_event_type_line },
    { ngx_string("dedup_key"), 1, 8, 1, ngx_http_webhook_dedup_key_line },
    { ngx_string("retries"), 1, 1, 0, ngx_http_webhook_retries_line },

    { ngx_null_string, 0, 0, 0, NULL }
};


ngx_int_t
ngx_http_webhook_schemes_init(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes)
{
    if (ngx_array_init(&schemes->defined, cf->pool, 4,
                       sizeof(ngx_http_webhook_scheme_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_array_init(&schemes->builtin, cf->pool, 4,
                          sizeof(ngx_http_webhook_scheme_t *));
}


char *
ngx_http_webhook_scheme_block(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes)
{
    char                        *rv;
    ngx_str_t                   *value, name;
    ngx_int_t                    rc;
    ngx_conf_t                   save;
    ngx_http_webhook_block_t     block;
    ngx_http_webhook_scheme_t   *from, **scheme;

    value = cf->args->elts;
    from = NULL;

    if (ngx_http_webhook_scheme_lookup(&schemes->defined, &value[1])) {
        return "is duplicate";
    }

    if (value[1].len == 0 || ngx_strcmp(value[1].data, "off") == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid scheme name \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {

        if (ngx_http_webhook_parameter(&value[2], "from=", &name) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        rc = ngx_http_webhook_scheme_find(cf, schemes, &name, &from);

        if (rc == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown scheme \"%V\", "
                               "\"from=\" takes a built-in scheme or one "
                               "defined earlier", &name);
            return NGX_CONF_ERROR;
        }
    }

    block.seen = 0;
    block.scheme = ngx_http_webhook_scheme_create(cf, &value[1], from);
    if (block.scheme == NULL) {
        return NGX_CONF_ERROR;
    }

    save = *cf;
    cf->handler = ngx_http_webhook_scheme_line;
    cf->handler_conf = (char *) &block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_webhook_scheme_check(cf, block.scheme);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (block.scheme->algorithm->md == EVP_sha1) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "scheme \"%V\" uses SHA-1", &block.scheme->name);
    }

    scheme = ngx_array_push(&schemes->defined);
    if (scheme == NULL) {
        return NGX_CONF_ERROR;
    }

    *scheme = block.scheme;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_webhook_scheme_find(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes, ngx_str_t *name,
    ngx_http_webhook_scheme_t **scheme)
{
    *scheme = ngx_http_webhook_scheme_lookup(&schemes->defined, name);

    if (*scheme) {
        return NGX_OK;
    }

    return ngx_http_webhook_scheme_builtin(cf, schemes, name, scheme);
}


static ngx_http_webhook_scheme_t *
ngx_http_webhook_scheme_lookup(ngx_array_t *schemes, ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_http_webhook_scheme_t  **scheme;

    scheme = schemes->elts;

    for (i = 0; i < schemes->nelts; i++) {
        if (scheme[i]->name.len == name->len
            && ngx_strncmp(scheme[i]->name.data, name->data, name->len) == 0)
        {
            return scheme[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_webhook_scheme_builtin(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes, ngx_str_t *name,
    ngx_http_webhook_scheme_t **scheme)
{
    u_char                       *text;
    size_t                        len;
    ngx_buf_t                     b;
    ngx_str_t                     from;
    ngx_conf_t                    conf;
    ngx_conf_file_t               conf_file;
    ngx_http_webhook_block_t      block;
    ngx_http_webhook_scheme_t    *parent, **known;
    ngx_http_webhook_provider_t  *provider;

    *scheme = ngx_http_webhook_scheme_lookup(&schemes->builtin, name);

    if (*scheme) {
        return NGX_OK;
    }

    for (provider = ngx_http_webhook_providers; provider->name; provider++) {
        if (ngx_strlen(provider->name) == name->len
            && ngx_strncmp(provider->name, name->data, name->len) == 0)
        {
            break;
        }
    }

    if (provider->name == NULL) {
        return NGX_DECLINED;
    }

    parent = NULL;

    if (provider->from) {
        from.data = (u_char *) provider->from;
        from.len = ngx_strlen(provider->from);

        if (ngx_http_webhook_scheme_builtin(cf, schemes, &from, &parent)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    block.seen = 0;
    block.scheme = ngx_http_webhook_scheme_create(cf, name, parent);
    if (block.scheme == NULL) {
        return NGX_ERROR;
    }

    /* the text is read as core reads the parameter of the -g option */

    len = ngx_strlen(provider->text);

    text = ngx_pnalloc(cf->temp_pool, len);
    if (text == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(text, provider->text, len);

    ngx_memzero(&b, sizeof(ngx_buf_t));

    b.start = text;
    b.pos = text;
    b.last = text + len;
    b.end = b.last;
    b.temporary = 1;

    ngx_memzero(&conf_file, sizeof(ngx_conf_file_t));

    conf_file.file.fd = NGX_INVALID_FILE;
    conf_file.buffer = &b;

    conf = *cf;
    conf.conf_file = &conf_file;
    conf.handler = ngx_http_webhook_scheme_line;
    conf.handler_conf = (char *) &block;

    conf.args = ngx_array_create(cf->temp_pool, 10, sizeof(ngx_str_t));
    if (conf.args == NULL) {
        return NGX_ERROR;
    }

    if (ngx_conf_parse(&conf, NULL) != NGX_CONF_OK
        || ngx_http_webhook_scheme_check(&conf, block.scheme) != NGX_CONF_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, cf->log, 0,
                      "built-in scheme \"%V\" is broken", name);
        return NGX_ERROR;
    }

    known = ngx_array_push(&schemes->builtin);
    if (known == NULL) {
        return NGX_ERROR;
    }

    *known = block.scheme;
    *scheme = block.scheme;

    return NGX_OK;
}


static ngx_http_webhook_scheme_t *
ngx_http_webhook_scheme_create(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_webhook_scheme_t *from)
{
    ngx_str_t                    sha256 = ngx_string("hmac-sha256");
    ngx_str_t                    body = ngx_string("$request_body");
    ngx_uint_t                   i;
    ngx_http_webhook_scheme_t   *scheme;
    ngx_http_webhook_pointer_t  *pointer, *inherited;

    scheme = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_scheme_t));
    if (scheme == NULL) {
        return NULL;
    }

    if (from) {
        *scheme = *from;
        scheme->complete = 0;
    }

    scheme->name.len = name->len;
    scheme->name.data = ngx_pstrdup(cf->pool, name);
    if (scheme->name.data == NULL) {
        return NULL;
    }

    scheme->pointers = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_http_webhook_pointer_t));
    if (scheme->pointers == NULL) {
        return NULL;
    }

    if (from) {
        inherited = from->pointers->elts;

        for (i = 0; i < from->nlines; i++) {
            pointer = ngx_array_push(scheme->pointers);
            if (pointer == NULL) {
                return NULL;
            }

            *pointer = inherited[i];
        }

        return scheme;
    }

    scheme->algorithm = ngx_http_webhook_algorithm(&sha256);
    scheme->encoding = NGX_HTTP_WEBHOOK_HEX;
    scheme->past = NGX_HTTP_WEBHOOK_TOLERANCE;
    scheme->future = NGX_HTTP_WEBHOOK_TOLERANCE;

    if (ngx_http_webhook_string(cf, scheme, &body, NGX_HTTP_WEBHOOK_IN_SIGNED,
                                &scheme->signed_text)
        != NGX_CONF_OK)
    {
        return NULL;
    }

    return scheme;
}


static char *
ngx_http_webhook_scheme_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_block_t *block = conf;

    ngx_str_t                     *value;
    ngx_uint_t                     i, again, nargs;
    ngx_http_webhook_directive_t  *directive;

    value = cf->args->elts;
    nargs = cf->args->nelts - 1;

    for (i = 0; ngx_http_webhook_directives[i].name.len; i++) {
        directive = &ngx_http_webhook_directives[i];

        if (directive->name.len != value[0].len
            || ngx_strcmp(directive->name.data, value[0].data) != 0)
        {
            continue;
        }

        if (nargs < directive->min || nargs > directive->max) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number of arguments in "
                               "\"%V\" directive", &value[0]);
            return NGX_CONF_ERROR;
        }

        again = (block->seen >> i) & 1;

        if (again && !directive->lines) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" directive is duplicate", &value[0]);
            return NGX_CONF_ERROR;
        }

        block->seen |= (ngx_uint_t) 1 << i;

        return directive->set(cf, block, again);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown directive \"%V\" in webhook_scheme",
                       &value[0]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_webhook_algorithm_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    block->scheme->algorithm = ngx_http_webhook_algorithm(&value[1]);

    if (block->scheme->algorithm == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown algorithm \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_signature_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    char                       *rv;
    ngx_str_t                  *value, rest;
    ngx_uint_t                  i;
    ngx_http_webhook_scheme_t  *scheme;
    ngx_http_webhook_string_t  *source;

    scheme = block->scheme;
    value = cf->args->elts;

    ngx_memzero(&scheme->signature_cut, sizeof(ngx_http_webhook_cut_t));
    scheme->encoding = NGX_HTTP_WEBHOOK_HEX;

    scheme->signature = ngx_array_create(cf->pool, 1,
                                         sizeof(ngx_http_webhook_string_t));
    if (scheme->signature == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_webhook_parameter(&value[i], "encoding=", &rest)
            == NGX_OK)
        {
            if (ngx_strcmp(rest.data, "hex") == 0) {
                scheme->encoding = NGX_HTTP_WEBHOOK_HEX;

            } else if (ngx_strcmp(rest.data, "base64") == 0) {
                scheme->encoding = NGX_HTTP_WEBHOOK_BASE64;

            } else if (ngx_strcmp(rest.data, "base64url") == 0) {
                scheme->encoding = NGX_HTTP_WEBHOOK_BASE64URL;

            } else {
                goto invalid;
            }

            continue;
        }

        rv = ngx_http_webhook_cut_parameter(cf, &value[i],
                                            &scheme->signature_cut, 1);
        if (rv == NGX_CONF_OK) {
            continue;
        }

        if (rv == NGX_CONF_ERROR) {
            goto invalid;
        }

        /* a source */

        source = ngx_array_push(scheme->signature);
        if (source == NULL) {
            return NGX_CONF_ERROR;
        }

        rv = ngx_http_webhook_string(cf, scheme, &value[i], 0, source);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (scheme->signature->nelts == 0) {
        return "\"signature\" has no source";
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &value[i]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_webhook_signed_line(ngx_conf_t *cf, ngx_http_webhook_block_t *block,
    ngx_uint_t again)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    return ngx_http_webhook_string(cf, block->scheme, &value[1],
                                   NGX_HTTP_WEBHOOK_IN_SIGNED,
                                   &block->scheme->signed_text);
}


static char *
ngx_http_webhook_timestamp_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    char                       *rv;
    ngx_str_t                  *value, rest;
    ngx_uint_t                  i;
    ngx_http_webhook_scheme_t  *scheme;
    ngx_http_webhook_string_t  *source;

    scheme = block->scheme;
    value = cf->args->elts;

    ngx_memzero(&scheme->timestamp_cut, sizeof(ngx_http_webhook_cut_t));
    scheme->unit = NGX_HTTP_WEBHOOK_SECONDS;
    scheme->timestamp = NULL;
    scheme->timestamp_json = 0;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                                      : "\"timestamp off\" stands alone";
    }

    scheme->timestamp = ngx_array_create(cf->pool, 1,
                                         sizeof(ngx_http_webhook_string_t));
    if (scheme->timestamp == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_webhook_parameter(&value[i], "unit=", &rest) == NGX_OK) {

            if (ngx_strcmp(rest.data, "s") == 0) {
                scheme->unit = NGX_HTTP_WEBHOOK_SECONDS;

            } else if (ngx_strcmp(rest.data, "ms") == 0) {
                scheme->unit = NGX_HTTP_WEBHOOK_MILLISECONDS;

            } else if (ngx_strcmp(rest.data, "s|ms") == 0) {
                scheme->unit = NGX_HTTP_WEBHOOK_SECONDS_OR_MS;

            } else if (ngx_strcmp(rest.data, "rfc3339") == 0) {
                scheme->unit = NGX_HTTP_WEBHOOK_RFC3339;

            } else {
                goto invalid;
            }

            continue;
        }

        rv = ngx_http_webhook_cut_parameter(cf, &value[i],
                                            &scheme->timestamp_cut, 0);
        if (rv == NGX_CONF_OK) {
            continue;
        }

        if (rv == NGX_CONF_ERROR) {
            goto invalid;
        }

        source = ngx_array_push(scheme->timestamp);
        if (source == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_webhook_parameter(&value[i], "json:", &rest) == NGX_OK) {

            scheme->timestamp_json = 1;

            source->npieces = 1;
            source->pieces = ngx_pcalloc(cf->pool,
                                         sizeof(ngx_http_webhook_piece_t));
            if (source->pieces == NULL) {
                return NGX_CONF_ERROR;
            }

            rv = ngx_http_webhook_json_piece(cf, scheme, &rest,
                                             source->pieces);

        } else {
            rv = ngx_http_webhook_string(cf, scheme, &value[i], 0, source);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (scheme->timestamp->nelts == 0) {
        return "\"timestamp\" has no source";
    }

    if (scheme->timestamp_json
        && (scheme->timestamp->nelts != 1
            || scheme->timestamp_cut.separator.len
            || scheme->timestamp_cut.prefix.len
            || scheme->timestamp_cut.first
            || scheme->timestamp_cut.group.len))
    {
        return "a timestamp in JSON takes no parameter but \"unit=\"";
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &value[i]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_webhook_tolerance_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    return ngx_http_webhook_window(cf, &value[1], cf->args->nelts - 1,
                                   &block->scheme->past,
                                   &block->scheme->future);
}


static char *
ngx_http_webhook_secret_line(ngx_conf_t *cf, ngx_http_webhook_block_t *block,
    ngx_uint_t again)
{
    ngx_str_t                       *value, rest;
    ngx_uint_t                       i;
    ngx_http_webhook_scheme_t       *scheme;
    ngx_http_webhook_secret_rule_t  *rule;

    scheme = block->scheme;
    value = cf->args->elts;

    if (!again) {
        scheme->secret = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_webhook_secret_rule_t));
        if (scheme->secret == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    rule = ngx_array_push(scheme->secret);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&rule->prefix);
    rule->encoding = NGX_HTTP_WEBHOOK_RAW;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_webhook_parameter(&value[i], "prefix=", &rest) == NGX_OK) {
            rule->prefix = rest;
            continue;
        }

        if (ngx_http_webhook_parameter(&value[i], "encoding=", &rest)
            == NGX_OK)
        {
            if (ngx_strcmp(rest.data, "raw") == 0) {
                rule->encoding = NGX_HTTP_WEBHOOK_RAW;
                continue;
            }

            if (ngx_strcmp(rest.data, "hex") == 0) {
                rule->encoding = NGX_HTTP_WEBHOOK_HEX;
                continue;
            }

            if (ngx_strcmp(rest.data, "base64") == 0) {
                rule->encoding = NGX_HTTP_WEBHOOK_BASE64;
                continue;
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_event_id_line(ngx_conf_t *cf, ngx_http_webhook_block_t *block,
    ngx_uint_t again)
{
    return ngx_http_webhook_parts(cf, block->scheme, &block->scheme->event_id,
                                  again, NGX_HTTP_WEBHOOK_IN_PART);
}


static char *
ngx_http_webhook_event_type_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    return ngx_http_webhook_parts(cf, block->scheme, &block->scheme->event_type,
                                  again, NGX_HTTP_WEBHOOK_IN_PART);
}


static char *
ngx_http_webhook_dedup_key_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    block->scheme->explicit_key = 1;

    return ngx_http_webhook_parts(cf, block->scheme, &block->scheme->dedup_key,
                                  again, NGX_HTTP_WEBHOOK_IN_PART
                                         |NGX_HTTP_WEBHOOK_IN_KEY);
}


static char *
ngx_http_webhook_retries_line(ngx_conf_t *cf, ngx_http_webhook_block_t *block,
    ngx_uint_t again)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    block->scheme->retries = ngx_http_webhook_seconds(&value[1]);

    if (block->scheme->retries == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid time \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* an event_id, event_type or dedup_key line */

static char *
ngx_http_webhook_parts(ngx_conf_t *cf, ngx_http_webhook_scheme_t *scheme,
    ngx_array_t **lines, ngx_uint_t again, ngx_uint_t where)
{
    char                     *rv;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_webhook_line_t  *line;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2 || again) {
            return "\"off\" stands alone";
        }

        *lines = NULL;

        return NGX_CONF_OK;
    }

    if (!again) {
        *lines = ngx_array_create(cf->pool, 2,
                                  sizeof(ngx_http_webhook_line_t));
        if (*lines == NULL) {
            return NGX_CONF_ERROR;
        }

    } else if (*lines == NULL) {
        return "\"off\" stands alone";
    }

    line = ngx_array_push(*lines);
    if (line == NULL) {
        return NGX_CONF_ERROR;
    }

    line->nparts = cf->args->nelts - 1;
    line->parts = ngx_pcalloc(cf->pool, line->nparts
                                        * sizeof(ngx_http_webhook_string_t));
    if (line->parts == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < line->nparts; i++) {
        rv = ngx_http_webhook_string(cf, scheme, &value[i + 1], where,
                                     &line->parts[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/*
 * Returns NGX_CONF_OK, NGX_CONF_ERROR if the value is wrong, or another
 * pointer, which is no message, if it is no parameter of a cut.
 */

static char *
ngx_http_webhook_cut_parameter(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_webhook_cut_t *cut, ngx_uint_t range)
{
    ngx_int_t  n;
    ngx_str_t  rest;

    if (ngx_http_webhook_parameter(value, "separator=", &rest) == NGX_OK) {
        cut->separator = rest;
        return rest.len ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    if (ngx_http_webhook_parameter(value, "prefix=", &rest) == NGX_OK) {
        cut->prefix = rest;
        return NGX_CONF_OK;
    }

    if (ngx_http_webhook_parameter(value, "group=", &rest) == NGX_OK) {
        cut->group = rest;
        return rest.len ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    if (ngx_http_webhook_parameter(value, "item=", &rest) == NGX_OK) {

        cut->last = 0;

        if (range && rest.len && rest.data[rest.len - 1] == '-') {
            rest.len--;

        } else {
            cut->last = 1;
        }

        n = ngx_atoi(rest.data, rest.len);

        if (n == NGX_ERROR || n == 0) {
            return NGX_CONF_ERROR;
        }

        cut->first = n;

        if (cut->last) {
            cut->last = n;
        }

        return NGX_CONF_OK;
    }

    return "not a parameter";
}


static ngx_int_t
ngx_http_webhook_seconds(ngx_str_t *value)
{
    return ngx_parse_time(value, 1);
}


char *
ngx_http_webhook_window(ngx_conf_t *cf, ngx_str_t *value, ngx_uint_t n,
    time_t *past, time_t *future)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        *future = ngx_http_webhook_seconds(&value[i]);

        if (*future == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid time \"%V\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (i == 0) {
            *past = *future;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_scheme_check(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme)
{
    char                       *text;
    ngx_uint_t                  i, n;
    ngx_http_webhook_piece_t   *piece;
    ngx_http_webhook_string_t  *source;

    if (scheme->signature == NULL) {
        text = "has no \"signature\"";
        goto failed;
    }

    if (ngx_http_webhook_algorithm_check(scheme->algorithm) != NGX_OK) {
        ngx_http_webhook_digest_error(NGX_LOG_EMERG, cf->log,
                                      "EVP_DigestInit_ex() failed");
        text = "needs an algorithm that OpenSSL does not provide here";
        goto failed;
    }

    if (scheme->algorithm->kind == NGX_HTTP_WEBHOOK_TOKEN) {

        if (scheme->timestamp) {
            text = "has a timestamp, but a token signs nothing";
            goto failed;
        }

        goto valid;
    }

    n = 0;

    for (i = 0; i < scheme->signed_text.npieces; i++) {
        piece = &scheme->signed_text.pieces[i];

        if (piece->type == NGX_HTTP_WEBHOOK_REQUEST_BODY) {
            n++;
        }
    }

    if (n != 1) {
        text = "needs exactly one $request_body in \"signed\"";
        goto failed;
    }

    if (ngx_http_webhook_string_has(&scheme->signed_text,
                                    NGX_HTTP_WEBHOOK_TIMESTAMP))
    {
        if (scheme->timestamp == NULL || scheme->timestamp_json) {
            text = "signs $webhook_timestamp, but \"timestamp\" does not "
                   "take it from the headers";
            goto failed;
        }

    } else if (scheme->timestamp && !scheme->timestamp_json) {

        source = scheme->timestamp->elts;

        for (i = 0; i < scheme->timestamp->nelts; i++) {

            if (source[i].npieces != 1
                || scheme->timestamp_cut.separator.len
                || scheme->timestamp_cut.prefix.len
                || !ngx_http_webhook_signed_has(scheme, source[i].pieces))
            {
                text = "has a timestamp that \"signed\" does not hold";
                goto failed;
            }
        }
    }

    if (ngx_http_webhook_string_has(&scheme->signed_text,
                                    NGX_HTTP_WEBHOOK_EVENT_ID)
        && !ngx_http_webhook_lines_are_headers(scheme->event_id))
    {
        text = "signs $webhook_event_id, but \"event_id\" does not take it "
               "from the headers";
        goto failed;
    }

    if (scheme->signature_cut.group.len && scheme->timestamp
        && !scheme->timestamp_json
        && scheme->timestamp_cut.group.len == 0)
    {
        text = "groups signatures, but not their timestamps";
        goto failed;
    }

    if (scheme->timestamp_cut.group.len && scheme->timestamp
        && scheme->signature_cut.group.len == 0)
    {
        text = "groups timestamps, but not their signatures";
        goto failed;
    }

valid:

    if (!scheme->explicit_key) {
        scheme->dedup_key = scheme->event_id;

    } else if (scheme->algorithm->kind == NGX_HTTP_WEBHOOK_TOKEN) {
        /* void */

    } else if (ngx_http_webhook_scheme_key_covered(scheme) != NGX_OK) {
        text = "has a \"dedup_key\" that the signature does not cover";
        goto failed;
    }

    return NGX_CONF_OK;

failed:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "scheme \"%V\" %s",
                       &scheme->name, text);

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_webhook_scheme_add_pointers(ngx_http_webhook_scheme_t *scheme,
    ngx_array_t *pointers)
{
    ngx_http_webhook_pointer_t  *pointer;

    if (scheme->complete || pointers->nelts == 0) {
        return NGX_OK;
    }

    pointer = ngx_array_push_n(scheme->pointers, pointers->nelts);
    if (pointer == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(pointer, pointers->elts,
               pointers->nelts * sizeof(ngx_http_webhook_pointer_t));

    scheme->complete = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_scheme_key_covered(ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t                  i, n, k;
    ngx_http_webhook_line_t    *line;
    ngx_http_webhook_piece_t   *piece;
    ngx_http_webhook_string_t  *part;

    if (scheme->dedup_key == NULL) {
        return NGX_OK;
    }

    if (scheme->algorithm->kind == NGX_HTTP_WEBHOOK_TOKEN) {
        return NGX_DECLINED;
    }

    line = scheme->dedup_key->elts;

    for (i = 0; i < scheme->dedup_key->nelts; i++) {

        for (n = 0; n < line[i].nparts; n++) {
            part = &line[i].parts[n];

            for (k = 0; k < part->npieces; k++) {
                piece = &part->pieces[k];

                if (piece->type == NGX_HTTP_WEBHOOK_JSON
                    || piece->type == NGX_HTTP_WEBHOOK_BODY_SHA256
                    || ngx_http_webhook_signed_has(scheme, piece))
                {
                    goto covered;
                }
            }
        }

        return NGX_DECLINED;

    covered:

        continue;
    }

    return NGX_OK;
}


/*
 * Whether what a piece stands for is in the signed text: the same variable,
 * or the event id, of which it is a part.
 */

static ngx_uint_t
ngx_http_webhook_signed_has(ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_piece_t *piece)
{
    ngx_uint_t                 i;
    ngx_http_webhook_piece_t  *held;

    if (piece->type == NGX_HTTP_WEBHOOK_LITERAL) {
        return 0;
    }

    for (i = 0; i < scheme->signed_text.npieces; i++) {
        held = &scheme->signed_text.pieces[i];

        if (held->type == piece->type
            && held->text.len == piece->text.len
            && ngx_strncmp(held->text.data, piece->text.data, held->text.len)
               == 0)
        {
            return 1;
        }

        if (held->type == NGX_HTTP_WEBHOOK_EVENT_ID
            && piece->type == NGX_HTTP_WEBHOOK_HEADER
            && ngx_http_webhook_lines_hold(scheme->event_id, piece))
        {
            return 1;
        }
    }

    return 0;
}
