
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Schemes: the webhook_scheme block and its checks.  Built-in schemes are texts
 * in the same language, parsed by the same functions.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_handshake_line.h"
#include "ngx_http_webhook_scheme.h"


#define NGX_HTTP_WEBHOOK_TOLERANCE  300


static ngx_http_webhook_scheme_t *ngx_http_webhook_scheme_create(
    ngx_conf_t *cf, ngx_str_t *name, ngx_http_webhook_scheme_t *from);
static ngx_http_webhook_scheme_t *ngx_http_webhook_scheme_lookup(
    ngx_array_t *schemes, ngx_str_t *name);
static ngx_int_t ngx_http_webhook_scheme_builtin(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes, ngx_str_t *name,
    ngx_http_webhook_scheme_t **scheme);

static char *ngx_http_webhook_scheme_check(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme);
static ngx_int_t ngx_http_webhook_append_pointers(
    ngx_http_webhook_scheme_t *scheme, ngx_array_t *pointers);


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
    char                       *rv;
    ngx_str_t                  *value, name, known;
    ngx_int_t                   rc;
    ngx_conf_t                  save;
    ngx_http_webhook_block_t    block;
    ngx_http_webhook_scheme_t  *from, **scheme;

    value = cf->args->elts;
    from = NULL;
    ngx_str_null(&known);

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

            rc = ngx_http_webhook_scheme_similar(schemes, &name, &known);

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown scheme \"%V\", "
                               "\"from=\" takes a built-in scheme or one "
                               "defined earlier%s%V%s", &name,
                               (rc == NGX_OK) ? ", did you mean \"" : "",
                               &known, (rc == NGX_OK) ? "\"?" : "");
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

    if ((block.scheme->algorithm->md == EVP_sha1
         || block.scheme->algorithm->md == EVP_md5)
        && (from == NULL || from->algorithm != block.scheme->algorithm))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "scheme \"%V\" uses %s",
                           &block.scheme->name,
                           (block.scheme->algorithm->md == EVP_md5) ? "MD5"
                                                                    : "SHA-1");
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
    u_char                             *text;
    size_t                              len;
    ngx_buf_t                           b;
    ngx_str_t                           from;
    ngx_conf_t                          conf;
    ngx_conf_file_t                     conf_file;
    ngx_http_webhook_block_t            block;
    ngx_http_webhook_scheme_t          *parent, **known;
    const ngx_http_webhook_provider_t  *provider;

    *scheme = ngx_http_webhook_scheme_lookup(&schemes->builtin, name);

    if (*scheme) {
        return NGX_OK;
    }

    provider = ngx_http_webhook_provider(name);

    if (provider == NULL) {
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

        if (provider->text == NULL) {
            *scheme = parent;
            return NGX_OK;
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
        scheme->own_text = 0;
        scheme->before_body = NULL;
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
    scheme->encoding = NGX_HTTP_WEBHOOK_ENCODING_HEX;
    scheme->window.past = NGX_HTTP_WEBHOOK_TOLERANCE;
    scheme->window.future = NGX_HTTP_WEBHOOK_TOLERANCE;

    if (ngx_http_webhook_compile_template(cf, scheme->pointers, &body,
                                          NGX_HTTP_WEBHOOK_IN_SIGNED,
                                          &scheme->signed_text)
        != NGX_CONF_OK)
    {
        return NULL;
    }

    return scheme;
}


static char *
ngx_http_webhook_scheme_check(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme)
{
    char                         *text;
    ngx_uint_t                    i, n;
    ngx_http_webhook_piece_t     *piece;
    ngx_http_webhook_template_t  *source;

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

    if (ngx_http_webhook_fields_check(cf, scheme) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (scheme->raw && scheme->algorithm->public != EVP_PKEY_EC) {
        text = "has \"form=raw\", which is for ECDSA only";
        goto failed;
    }

    scheme->body_hash = NGX_HTTP_WEBHOOK_ENCODING_RAW;
    scheme->raw_body = 0;
    scheme->form = 0;

    if (scheme->algorithm->token) {

        if (scheme->own_text) {
            text = "has \"signed\", but a token signs nothing";
            goto failed;
        }

        if (scheme->bound) {
            text = "has a \"body_hash\", but a token signs nothing";
            goto failed;
        }

        if (scheme->timestamp) {
            text = "has a timestamp, but a token signs nothing";
            goto failed;
        }

        goto valid;
    }

    n = (scheme->bound != NULL);

    for (i = 0; i < scheme->signed_text.npieces; i++) {
        piece = &scheme->signed_text.pieces[i];

        if (piece->type == NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY) {
            scheme->raw_body = 1;
            n++;
        }

        if (piece->type == NGX_HTTP_WEBHOOK_PIECE_FORM) {
            scheme->form = 1;
            n++;
        }

        if (piece->type == NGX_HTTP_WEBHOOK_PIECE_BODY_HASH) {
            scheme->body_hash = piece->index;
            n++;
        }
    }

    if (n != 1) {
        text = "needs exactly one $request_body in \"signed\", or one "
               "$webhook_body_sha256, $webhook_form_sorted or \"body_hash\" "
               "in its place";
        goto failed;
    }

    if (scheme->form && scheme->timestamp_json) {
        text = "has a timestamp in JSON, but signs a form";
        goto failed;
    }

    if (ngx_http_webhook_template_has(&scheme->signed_text,
                                    NGX_HTTP_WEBHOOK_PIECE_EVENT_ID)
        && !ngx_http_webhook_lines_are_headers(scheme->event_id))
    {
        text = "signs $webhook_event_id, but \"event_id\" does not take it "
               "from the headers";
        goto failed;
    }

    if (ngx_http_webhook_template_has(&scheme->signed_text,
                                    NGX_HTTP_WEBHOOK_PIECE_EVENT_ID)
        && ngx_http_webhook_lines_are_joined(scheme->event_id))
    {
        text = "signs $webhook_event_id, but a line of \"event_id\" has "
               "several parts or variables, and nothing tells where one ends: "
               "write them in \"signed\", with literals between them";
        goto failed;
    }

    if (scheme->bound && ngx_http_webhook_hash_covered(scheme) != NGX_OK) {
        text = "has a \"body_hash\" that the signed text does not cover";
        goto failed;
    }

    if (ngx_http_webhook_template_has(&scheme->signed_text,
                                    NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP))
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

    if (ngx_http_webhook_seams(cf, scheme) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

valid:

    scheme->nlines = scheme->pointers->nelts;

    scheme->named_by_headers = (scheme->fields != NULL)
               || ngx_http_webhook_lines_have(scheme->event_id,
                                              NGX_HTTP_WEBHOOK_PIECE_HEADER)
               || ngx_http_webhook_lines_have(scheme->event_type,
                                              NGX_HTTP_WEBHOOK_PIECE_HEADER)
               || ngx_http_webhook_lines_have(scheme->dedup_key,
                                              NGX_HTTP_WEBHOOK_PIECE_HEADER);

    if (!scheme->explicit_key) {
        scheme->dedup_key = scheme->event_id;

    } else if (scheme->algorithm->token) {
        /* void */

    } else if (ngx_http_webhook_scheme_key_covered(scheme) != NGX_OK) {
        text = "has a \"dedup_key\" that the signature does not cover";
        goto failed;
    }

    switch (ngx_http_webhook_scheme_chosen(cf, scheme)) {

    case NGX_OK:
        return ngx_http_webhook_handshakes_check(cf, scheme);

    case NGX_DECLINED:
        text = "has $webhook_event_id in its \"dedup_key\", and the signature "
               "does not cover what \"event_id\" takes it from: write in "
               "\"dedup_key\" what it is made of";
        goto failed;

    default: /* NGX_ERROR */
        return NGX_CONF_ERROR;
    }

failed:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "scheme \"%V\" %s",
                       &scheme->name, text);

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_webhook_scheme_add_pointers(ngx_http_webhook_scheme_t *scheme,
    ngx_array_t *pointers)
{
    if (scheme->complete) {
        return NGX_OK;
    }

    if (ngx_http_webhook_append_pointers(scheme, pointers) != NGX_OK) {
        return NGX_ERROR;
    }

    scheme->nvalues = scheme->pointers->nelts;

    if (scheme->handshakes
        && ngx_http_webhook_append_pointers(scheme, scheme->handshake_pointers)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    scheme->complete = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_append_pointers(ngx_http_webhook_scheme_t *scheme,
    ngx_array_t *pointers)
{
    ngx_http_webhook_pointer_t  *pointer;

    if (pointers->nelts == 0) {
        return NGX_OK;
    }

    pointer = ngx_array_push_n(scheme->pointers, pointers->nelts);
    if (pointer == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(pointer, pointers->elts,
               pointers->nelts * sizeof(ngx_http_webhook_pointer_t));

    return NGX_OK;
}
