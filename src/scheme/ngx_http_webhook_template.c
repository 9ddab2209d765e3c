
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Templates of the scheme language: literals, headers and variables, JSON
 * Pointers and the body, compiled to pieces.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_encoding.h"
#include "ngx_http_webhook_template.h"


#define ngx_http_webhook_is_name(c)                                          \
    (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z')                 \
     || ((c) >= '0' && (c) <= '9') || (c) == '_')


static char *ngx_http_webhook_piece(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t where, ngx_http_webhook_piece_t *piece);
static ngx_uint_t ngx_http_webhook_is(ngx_str_t *value, char *text);


/* variables that hold what the client sends, besides those with a prefix */

static ngx_str_t  ngx_http_webhook_chosen[] = {
    ngx_string("args"),
    ngx_string("query_string"),
    ngx_string("is_args"),
    ngx_string("request_uri"),
    ngx_string("uri"),
    ngx_string("document_uri"),
    ngx_string("host"),
    ngx_string("request"),
    ngx_string("request_method"),
    ngx_string("request_length"),
    ngx_string("request_filename"),
    ngx_string("content_type"),
    ngx_string("content_length"),
    ngx_string("remote_user"),
    ngx_string("remote_addr"),
    ngx_string("remote_port"),
    ngx_string("binary_remote_addr"),
    ngx_string("proxy_add_x_forwarded_for"),
    ngx_string("proxy_protocol_addr"),
    ngx_string("proxy_protocol_port"),
    ngx_string("realip_remote_addr"),
    ngx_string("realip_remote_port"),
    ngx_string("ssl_server_name"),
    ngx_string("server_protocol"),
    ngx_string("scheme"),
    ngx_string("https"),
    ngx_null_string
};


ngx_int_t
ngx_http_webhook_parameter(ngx_str_t *value, char *name, ngx_str_t *rest)
{
    size_t  len;

    len = ngx_strlen(name);

    if (value->len < len || ngx_strncmp(value->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    rest->data = value->data + len;
    rest->len = value->len - len;

    return NGX_OK;
}


char *
ngx_http_webhook_compile_template(ngx_conf_t *cf, ngx_array_t *pointers,
    ngx_str_t *value, ngx_uint_t where, ngx_http_webhook_template_t *template)
{
    char                      *rv;
    u_char                    *p, *last;
    ngx_str_t                  name, rest;
    ngx_uint_t                 bracket;
    ngx_array_t                pieces;
    ngx_http_webhook_piece_t  *piece;

    if (ngx_array_init(&pieces, cf->pool, 1, sizeof(ngx_http_webhook_piece_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (where & NGX_HTTP_WEBHOOK_IN_PART) {

        rv = NULL;

        if (ngx_http_webhook_parameter(value, "json:", &rest) == NGX_OK
            || ngx_strcmp(value->data, "body") == 0)
        {
            piece = ngx_array_push(&pieces);
            if (piece == NULL) {
                return NGX_CONF_ERROR;
            }

            ngx_memzero(piece, sizeof(ngx_http_webhook_piece_t));
            piece->type = NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256;

            rv = (value->data[0] == 'b')
                 ? NGX_CONF_OK
                 : ngx_http_webhook_compile_json(cf, pointers, &rest, piece);

            template->pieces = pieces.elts;
            template->npieces = 1;

            return rv;
        }
    }

    ngx_http_webhook_check_dashes(cf, value);

    p = value->data;
    last = p + value->len;

    while (p < last) {

        piece = ngx_array_push(&pieces);
        if (piece == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(piece, sizeof(ngx_http_webhook_piece_t));

        if (*p != '$') {
            piece->type = NGX_HTTP_WEBHOOK_PIECE_LITERAL;
            piece->text.data = p;

            while (p < last && *p != '$') {
                p++;
            }

            piece->text.len = p - piece->text.data;

            continue;
        }

        p++;

        bracket = (p < last && *p == '{');
        p += bracket;

        name.data = p;

        while (p < last && ngx_http_webhook_is_name(*p)) {
            p++;
        }

        name.len = p - name.data;

        if (bracket) {
            if (p == last || *p != '}') {
                return "the closing bracket of a variable is missing";
            }

            p++;
        }

        if (name.len == 0) {
            return "invalid variable name";
        }

        rv = ngx_http_webhook_piece(cf, &name, where, piece);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (pieces.nelts == 0) {
        return "an empty string is of no use here";
    }

    template->pieces = pieces.elts;
    template->npieces = pieces.nelts;

    return NGX_CONF_OK;
}


void
ngx_http_webhook_check_dashes(ngx_conf_t *cf, ngx_str_t *value)
{
    u_char     *p, *last;
    ngx_str_t   name;

    p = value->data;
    last = p + value->len;

    while (p < last) {

        if (*p++ != '$') {
            continue;
        }

        name.data = p;

        while (p < last && ngx_http_webhook_is_name(*p)) {
            p++;
        }

        name.len = p - name.data;

        if (name.len > 5
            && ngx_strncasecmp(name.data, (u_char *) "http_", 5) == 0
            && last - p > 1 && p[0] == '-' && p[1] != '$' && p[1] != '.')
        {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "\"-\" ends the variable \"$%V\" in \"%V\": "
                               "dashes in the name of a header are written as "
                               "\"_\"", &name, value);
        }
    }
}


static char *
ngx_http_webhook_piece(ngx_conf_t *cf, ngx_str_t *name, ngx_uint_t where,
    ngx_http_webhook_piece_t *piece)
{
    ngx_int_t   index;
    ngx_str_t   rest;
    ngx_uint_t  allowed;

    piece->text.data = ngx_pstrdup(cf->pool, name);
    if (piece->text.data == NULL) {
        return NGX_CONF_ERROR;
    }

    piece->text.len = name->len;

    ngx_strlow(piece->text.data, piece->text.data, piece->text.len);

    if (ngx_http_webhook_parameter(&piece->text, "http_", &rest) == NGX_OK) {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_HEADER;
        piece->text = rest;
        return rest.len ? NGX_CONF_OK : "invalid variable name";
    }

    allowed = 0;

    if (ngx_http_webhook_is(&piece->text, "request_body")) {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY;
        allowed = NGX_HTTP_WEBHOOK_IN_SIGNED;

    } else if (ngx_http_webhook_is(&piece->text, "webhook_body_sha256")) {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_BODY_HASH;
        piece->index = NGX_HTTP_WEBHOOK_ENCODING_HEX;
        allowed = NGX_HTTP_WEBHOOK_IN_SIGNED;

    } else if (ngx_http_webhook_is(&piece->text,
                                   "webhook_body_sha256_base64"))
    {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_BODY_HASH;
        piece->index = NGX_HTTP_WEBHOOK_ENCODING_BASE64;
        allowed = NGX_HTTP_WEBHOOK_IN_SIGNED;

    } else if (ngx_http_webhook_is(&piece->text,
                                   "webhook_body_sha256_base64url"))
    {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_BODY_HASH;
        piece->index = NGX_HTTP_WEBHOOK_ENCODING_BASE64URL;
        allowed = NGX_HTTP_WEBHOOK_IN_SIGNED;

    } else if (ngx_http_webhook_is(&piece->text, "webhook_form_sorted")) {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_FORM;
        allowed = NGX_HTTP_WEBHOOK_IN_SIGNED;

    } else if (ngx_http_webhook_is(&piece->text, "webhook_timestamp")) {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP;
        allowed = NGX_HTTP_WEBHOOK_IN_SIGNED|NGX_HTTP_WEBHOOK_IN_PART;

    } else if (ngx_http_webhook_is(&piece->text, "webhook_event_id")) {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_EVENT_ID;
        allowed = NGX_HTTP_WEBHOOK_IN_SIGNED|NGX_HTTP_WEBHOOK_IN_KEY;

    } else if (ngx_http_webhook_parameter(&piece->text, "webhook_field_",
                                          &rest)
               == NGX_OK)
    {
        piece->type = NGX_HTTP_WEBHOOK_PIECE_FIELD;
        allowed = NGX_HTTP_WEBHOOK_IN_SIGNED|NGX_HTTP_WEBHOOK_IN_PART
                  |NGX_HTTP_WEBHOOK_IN_HASH;

    } else if (ngx_http_webhook_parameter(&piece->text, "webhook_", &rest)
               != NGX_OK)
    {
        index = ngx_http_get_variable_index(cf, &piece->text);
        if (index == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        piece->type = NGX_HTTP_WEBHOOK_PIECE_VARIABLE;
        piece->index = index;

        return NGX_CONF_OK;
    }

    if (!(where & allowed)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"$%V\" cannot be used here", &piece->text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webhook_compile_json(ngx_conf_t *cf, ngx_array_t *pointers,
    ngx_str_t *text, ngx_http_webhook_piece_t *piece)
{
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_http_webhook_pointer_t  *pointer;

    piece->type = NGX_HTTP_WEBHOOK_PIECE_JSON;
    piece->text = *text;

    pointer = pointers->elts;

    for (i = 0; i < pointers->nelts; i++) {
        if (pointer[i].text.len == text->len
            && ngx_strncmp(pointer[i].text.data, text->data, text->len) == 0)
        {
            piece->index = i;
            return NGX_CONF_OK;
        }
    }

    piece->index = pointers->nelts;

    pointer = ngx_array_push(pointers);
    if (pointer == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_http_webhook_pointer(cf->pool, text, pointer);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid JSON Pointer \"%V\"%s", text,
                           ngx_http_webhook_pointer_hint(text));
    }

    return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_webhook_pointer_hint(ngx_str_t *text)
{
    return (text->len && text->data[0] != '/') ? ", it begins with \"/\"" : "";
}


ngx_uint_t
ngx_http_webhook_lines_have(ngx_array_t *lines, ngx_http_webhook_piece_e type)
{
    ngx_uint_t                i, n;
    ngx_http_webhook_line_t  *line;

    if (lines == NULL) {
        return 0;
    }

    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {
        for (n = 0; n < line[i].nparts; n++) {
            if (ngx_http_webhook_template_has(&line[i].parts[n], type)) {
                return 1;
            }
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_webhook_template_has(ngx_http_webhook_template_t *template,
    ngx_http_webhook_piece_e type)
{
    ngx_uint_t  i;

    for (i = 0; i < template->npieces; i++) {
        if (template->pieces[i].type == type) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_webhook_lines_are_headers(ngx_array_t *lines)
{
    ngx_uint_t                    i, n, k;
    ngx_http_webhook_line_t      *line;
    ngx_http_webhook_template_t  *part;

    if (lines == NULL) {
        return 0;
    }

    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {
        for (n = 0; n < line[i].nparts; n++) {
            part = &line[i].parts[n];

            for (k = 0; k < part->npieces; k++) {
                switch (part->pieces[k].type) {

                case NGX_HTTP_WEBHOOK_PIECE_LITERAL:
                case NGX_HTTP_WEBHOOK_PIECE_HEADER:
                case NGX_HTTP_WEBHOOK_PIECE_FIELD:
                    break;

                default:
                    return 0;
                }
            }
        }
    }

    return 1;
}


ngx_uint_t
ngx_http_webhook_lines_are_joined(ngx_array_t *lines)
{
    ngx_uint_t                    i, n, variables;
    ngx_http_webhook_line_t      *line;
    ngx_http_webhook_template_t  *part;

    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {
        part = line[i].parts;
        variables = 0;

        for (n = 0; n < part->npieces; n++) {
            if (part->pieces[n].type != NGX_HTTP_WEBHOOK_PIECE_LITERAL) {
                variables++;
            }
        }

        if (variables > 1 || line[i].nparts > 1) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_webhook_lines_hold(ngx_array_t *lines,
    ngx_http_webhook_piece_t *piece)
{
    ngx_uint_t                    i, n, k;
    ngx_http_webhook_line_t      *line;
    ngx_http_webhook_piece_t     *held;
    ngx_http_webhook_template_t  *part;

    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {
        for (n = 0; n < line[i].nparts; n++) {
            part = &line[i].parts[n];

            for (k = 0; k < part->npieces; k++) {
                held = &part->pieces[k];

                if (ngx_http_webhook_pieces_equal(held, piece)) {
                    return 1;
                }
            }
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_webhook_piece_is_chosen(ngx_http_webhook_piece_t *piece)
{
    ngx_str_t  *name, rest;

    if (piece->type == NGX_HTTP_WEBHOOK_PIECE_HEADER
        || piece->type == NGX_HTTP_WEBHOOK_PIECE_FIELD)
    {
        return 1;
    }

    if (piece->type != NGX_HTTP_WEBHOOK_PIECE_VARIABLE) {
        return 0;
    }

    if (ngx_http_webhook_parameter(&piece->text, "arg_", &rest) == NGX_OK
        || ngx_http_webhook_parameter(&piece->text, "cookie_", &rest)
           == NGX_OK)
    {
        return 1;
    }

    for (name = ngx_http_webhook_chosen; name->len; name++) {
        if (piece->text.len == name->len
            && ngx_strncmp(piece->text.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_webhook_pieces_equal(ngx_http_webhook_piece_t *one,
    ngx_http_webhook_piece_t *other)
{
    return one->type == other->type
           && one->text.len == other->text.len
           && ngx_strncmp(one->text.data, other->text.data, one->text.len)
              == 0;
}


static ngx_uint_t
ngx_http_webhook_is(ngx_str_t *value, char *text)
{
    return value->len == ngx_strlen(text)
           && ngx_strncmp(value->data, text, value->len) == 0;
}
