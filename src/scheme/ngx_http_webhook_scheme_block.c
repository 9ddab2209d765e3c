
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The directives of the webhook_scheme block.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_handshake_line.h"
#include "ngx_http_webhook_scheme.h"


typedef char *(*ngx_http_webhook_line_pt)(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);


typedef struct {
    ngx_str_t                      name;
    ngx_uint_t                     min;      /* arguments */
    ngx_uint_t                     max;
    ngx_uint_t                     lines;    /* several of them are fine */
    ngx_http_webhook_line_pt       set;
} ngx_http_webhook_directive_t;


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
static char *ngx_http_webhook_key_id_line(ngx_conf_t *cf,
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


static ngx_conf_enum_t  ngx_http_webhook_encodings[] = {
    { ngx_string("hex"), NGX_HTTP_WEBHOOK_ENCODING_HEX },
    { ngx_string("base64"), NGX_HTTP_WEBHOOK_ENCODING_BASE64 },
    { ngx_string("base64url"), NGX_HTTP_WEBHOOK_ENCODING_BASE64URL },
    { ngx_string("base64-hex"), NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_webhook_forms[] = {
    { ngx_string("der"), 0 },
    { ngx_string("raw"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_webhook_secret_encodings[] = {
    { ngx_string("raw"), NGX_HTTP_WEBHOOK_ENCODING_RAW },
    { ngx_string("hex"), NGX_HTTP_WEBHOOK_ENCODING_HEX },
    { ngx_string("base64"), NGX_HTTP_WEBHOOK_ENCODING_BASE64 },
    { ngx_string("base64url"), NGX_HTTP_WEBHOOK_ENCODING_BASE64URL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_webhook_units[] = {
    { ngx_string("s"), NGX_HTTP_WEBHOOK_UNIT_SECONDS },
    { ngx_string("ms"), NGX_HTTP_WEBHOOK_UNIT_MILLISECONDS },
    { ngx_string("s|ms"), NGX_HTTP_WEBHOOK_UNIT_SECONDS_OR_MS },
    { ngx_string("rfc3339"), NGX_HTTP_WEBHOOK_UNIT_RFC3339 },
    { ngx_string("iso8601"), NGX_HTTP_WEBHOOK_UNIT_ISO8601 },
    { ngx_string("http"), NGX_HTTP_WEBHOOK_UNIT_HTTP },
    { ngx_null_string, 0 }
};


static ngx_http_webhook_directive_t  ngx_http_webhook_directives[] = {

    { ngx_string("algorithm"), 1, 1, 0, ngx_http_webhook_algorithm_line },
    { ngx_string("signature"), 1, 16, 0, ngx_http_webhook_signature_line },
    { ngx_string("signed"), 1, 1, 0, ngx_http_webhook_signed_line },
    { ngx_string("timestamp"), 1, 16, 0, ngx_http_webhook_timestamp_line },
    { ngx_string("tolerance"), 1, 2, 0, ngx_http_webhook_tolerance_line },
    { ngx_string("secret"), 0, 4, 1, ngx_http_webhook_secret_line },
    { ngx_string("key_id"), 1, 16, 0, ngx_http_webhook_key_id_line },
    { ngx_string("body_hash"), 1, 4, 0, ngx_http_webhook_body_hash_line },
    { ngx_string("field"), 2, 16, 1, ngx_http_webhook_field_line },
    { ngx_string("event_id"), 1, 8, 1, ngx_http_webhook_event_id_line },
    { ngx_string("event_type"), 1, 8, 1, ngx_http_webhook_event_type_line },
    { ngx_string("dedup_key"), 1, 8, 1, ngx_http_webhook_dedup_key_line },
    { ngx_string("retries"), 1, 1, 0, ngx_http_webhook_retries_line },
    { ngx_string("handshake"), 1, 16, 1, ngx_http_webhook_handshake_line },

    { ngx_null_string, 0, 0, 0, NULL }
};


char *
ngx_http_webhook_scheme_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_block_t *block = conf;

    char                          *rv;
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

        rv = directive->set(cf, block, again);

        if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
            return rv;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive %s",
                           &value[0], rv);
        return NGX_CONF_ERROR;
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
    u_char     *p, names[NGX_HTTP_WEBHOOK_NAMES];
    ngx_str_t  *value;

    value = cf->args->elts;

    block->scheme->algorithm = ngx_http_webhook_algorithm(&value[1]);

    if (block->scheme->algorithm == NULL) {
        p = ngx_http_webhook_algorithm_names(names, names + sizeof(names));

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown algorithm \"%V\", there are: %*s",
                           &value[1], p - names, names);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_signature_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    ngx_uint_t                  encoding, raw;
    ngx_http_webhook_choice_t   choices[] = {
        { "encoding=", ngx_http_webhook_encodings, &encoding },
        { "form=", ngx_http_webhook_forms, &raw },
        { NULL, NULL, NULL }
    };
    ngx_http_webhook_scheme_t  *scheme;

    scheme = block->scheme;

    encoding = NGX_HTTP_WEBHOOK_ENCODING_RAW;
    raw = 0;

    scheme->signature = ngx_http_webhook_sources(cf, scheme,
                                                 &scheme->signature_cut, 1,
                                                 choices);
    if (scheme->signature == NULL) {
        return NGX_CONF_ERROR;
    }

    scheme->encoded = (encoding != NGX_HTTP_WEBHOOK_ENCODING_RAW);
    scheme->encoding = scheme->encoded ? encoding
                                       : NGX_HTTP_WEBHOOK_ENCODING_HEX;
    scheme->raw = raw;

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_signed_line(ngx_conf_t *cf, ngx_http_webhook_block_t *block,
    ngx_uint_t again)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    block->scheme->own_text = 1;

    return ngx_http_webhook_compile_template(cf, block->scheme->pointers,
                                             &value[1],
                                             NGX_HTTP_WEBHOOK_IN_SIGNED,
                                             &block->scheme->signed_text);
}


static char *
ngx_http_webhook_timestamp_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    ngx_str_t                    *value;
    ngx_uint_t                    unit;
    ngx_http_webhook_cut_t       *cut;
    ngx_http_webhook_choice_t     choices[] = {
        { "unit=", ngx_http_webhook_units, &unit },
        { NULL, NULL, NULL }
    };
    ngx_http_webhook_scheme_t    *scheme;
    ngx_http_webhook_template_t  *source;

    scheme = block->scheme;
    value = cf->args->elts;
    cut = &scheme->timestamp_cut;

    scheme->timestamp = NULL;
    scheme->timestamp_json = 0;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                                      : "\"off\" takes no other parameters";
    }

    unit = NGX_HTTP_WEBHOOK_UNIT_SECONDS;

    scheme->timestamp = ngx_http_webhook_sources(cf, scheme, cut, 0,
                                                 choices);
    if (scheme->timestamp == NULL) {
        return NGX_CONF_ERROR;
    }

    scheme->unit = unit;

    source = scheme->timestamp->elts;

    if (ngx_http_webhook_template_has(source, NGX_HTTP_WEBHOOK_PIECE_JSON)) {

        scheme->timestamp_json = 1;

        if (scheme->timestamp->nelts != 1 || cut->separator.len
            || cut->prefix.len || cut->first || cut->group.len)
        {
            return "takes no parameter but \"unit=\" with JSON";
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_tolerance_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    return ngx_http_webhook_parse_window(cf, &value[1], cf->args->nelts - 1,
                                         &block->scheme->window);
}


static char *
ngx_http_webhook_secret_line(ngx_conf_t *cf, ngx_http_webhook_block_t *block,
    ngx_uint_t again)
{
    ngx_str_t                       *value, rest;
    ngx_uint_t                       i, n;
    ngx_conf_enum_t                 *choice;
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

    ngx_str_set(&rule->prefix, "");
    rule->encoding = NGX_HTTP_WEBHOOK_ENCODING_RAW;
    rule->digest = NULL;
    rule->keep = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_webhook_parameter(&value[i], "prefix=", &rest) == NGX_OK) {
            rule->prefix = rest;
            continue;
        }

        if (ngx_strcmp(value[i].data, "keep") == 0 && rule->prefix.len) {
            rule->keep = 1;
            continue;
        }

        if (ngx_http_webhook_parameter(&value[i], "encoding=", &rest)
            == NGX_OK)
        {
            choice = ngx_http_webhook_secret_encodings;

            for (n = 0; choice[n].name.len; n++) {
                if (ngx_strcmp(rest.data, choice[n].name.data) == 0) {
                    break;
                }
            }

            if (choice[n].name.len == 0) {
                ngx_http_webhook_invalid_choice(cf, &value[i], choice);
                return NGX_CONF_ERROR;
            }

            rule->encoding = choice[n].value;
            continue;
        }

        if (ngx_http_webhook_parameter(&value[i], "digest=", &rest) == NGX_OK)
        {
            if (ngx_strcmp(rest.data, "sha1") == 0) {
                rule->digest = EVP_sha1;
                continue;
            }

            if (ngx_strcmp(rest.data, "sha256") == 0) {
                rule->digest = EVP_sha256;
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
ngx_http_webhook_key_id_line(ngx_conf_t *cf, ngx_http_webhook_block_t *block,
    ngx_uint_t again)
{
    ngx_str_t                  *value;
    ngx_http_webhook_cut_t     *cut;
    ngx_http_webhook_choice_t   none = { NULL, NULL, NULL };
    ngx_http_webhook_scheme_t  *scheme;

    scheme = block->scheme;
    value = cf->args->elts;
    cut = &scheme->key_id_cut;

    scheme->key_id = NULL;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                                      : "\"off\" takes no other parameters";
    }

    scheme->key_id = ngx_http_webhook_sources(cf, scheme, cut, 0, &none);

    if (scheme->key_id == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cut->group.len
        || ngx_http_webhook_sources_have(scheme->key_id,
                                         NGX_HTTP_WEBHOOK_PIECE_JSON))
    {
        return "takes no JSON and no \"group=\"";
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

    block->scheme->retries = ngx_parse_time(&value[1], 1);

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
            return "\"off\" takes no other parameters";
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
        return "\"off\" takes no other parameters";
    }

    line = ngx_array_push(*lines);
    if (line == NULL) {
        return NGX_CONF_ERROR;
    }

    line->nparts = cf->args->nelts - 1;
    line->parts = ngx_pcalloc(cf->pool, line->nparts
                                        * sizeof(ngx_http_webhook_template_t));
    if (line->parts == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < line->nparts; i++) {
        rv = ngx_http_webhook_compile_template(cf, scheme->pointers,
                                               &value[i + 1], where,
                                               &line->parts[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        if (value[i + 1].data[0] == '/'
            && ngx_http_webhook_is_literal(&line->parts[i]))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "part \"%V\" holds no variable, "
                               "write \"json:%V\"",
                               &value[i + 1], &value[i + 1]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webhook_parse_window(ngx_conf_t *cf, ngx_str_t *value, ngx_uint_t n,
    ngx_http_webhook_window_t *window)
{
    time_t      time;
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        time = ngx_parse_time(&value[i], 1);

        if (time == NGX_ERROR || time > NGX_HTTP_WEBHOOK_MAX_TIME) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid time \"%V\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (i == 0) {
            window->past = time;
        }

        window->future = time;
    }

    return NGX_CONF_OK;
}
