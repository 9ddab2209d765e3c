
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The "handshake" lines of a scheme.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_handshake_line.h"


#define NGX_HTTP_WEBHOOK_MAX_HANDSHAKES  4


static char *ngx_http_webhook_handshake_parameter(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_handshake_t *line,
    ngx_str_t *value);
static char *ngx_http_webhook_handshake_condition(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_handshake_t *line,
    ngx_str_t *text);
static char *ngx_http_webhook_handshake_part(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_handshake_t *line,
    ngx_str_t *text, ngx_http_webhook_piece_t *part);
static char *ngx_http_webhook_handshake_text(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_handshake_t *line,
    ngx_str_t *text, ngx_uint_t mac);
static char *ngx_http_webhook_handshake_member(ngx_str_t *text,
    ngx_str_t *member);
static ngx_uint_t ngx_http_webhook_handshakes_mac(
    ngx_http_webhook_scheme_t *scheme,
    const ngx_http_webhook_grammar_t **grammar);
static ngx_uint_t ngx_http_webhook_in_grammar(
    const ngx_http_webhook_grammar_t *grammar, u_char ch);


static ngx_conf_enum_t  ngx_http_webhook_handshake_methods[] = {
    { ngx_string("get"), NGX_HTTP_GET },
    { ngx_string("post"), NGX_HTTP_POST },
    { ngx_string("head"), NGX_HTTP_HEAD },
    { ngx_null_string, 0 }
};


/* nothing that a browser could take for more than text; the widest first */

static const ngx_http_webhook_grammar_t  ngx_http_webhook_grammars[] = {
    { ngx_string("word"), ngx_string("._~+/=-"), 256, 1 },
    { ngx_string("id"), ngx_string("-_"), 128, 1 },
    { ngx_string("digits"), ngx_null_string, 20, 0 },
    { ngx_null_string, ngx_null_string, 0, 0 }
};


char *
ngx_http_webhook_handshake_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again)
{
    char                          *rv;
    ngx_str_t                     *value;
    ngx_uint_t                     i, n;
    ngx_http_webhook_scheme_t     *scheme;
    ngx_http_webhook_handshake_t  *line;

    scheme = block->scheme;
    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2 || again) {
            return "\"off\" takes no other parameters";
        }

        scheme->handshakes = NULL;

        return NGX_CONF_OK;
    }

    if (!again) {
        scheme->handshakes = ngx_array_create(cf->pool, 1,
                                         sizeof(ngx_http_webhook_handshake_t));
        if (scheme->handshakes == NULL) {
            return NGX_CONF_ERROR;
        }

        scheme->handshake_pointers = ngx_array_create(cf->pool, 2,
                                           sizeof(ngx_http_webhook_pointer_t));
        if (scheme->handshake_pointers == NULL) {
            return NGX_CONF_ERROR;
        }

    } else if (scheme->handshakes == NULL) {
        return "\"off\" takes no other parameters";
    }

    if (scheme->handshakes->nelts == NGX_HTTP_WEBHOOK_MAX_HANDSHAKES) {
        return "stands more than 4 times";
    }

    line = ngx_array_push(scheme->handshakes);
    if (line == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(line, sizeof(ngx_http_webhook_handshake_t));

    if (ngx_array_init(&line->conditions, cf->pool, 2,
                       sizeof(ngx_http_webhook_condition_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    i = 1;

    if (ngx_strcmp(value[i].data, "signed") == 0) {
        line->is_signed = 1;
        i++;
    }

    if (i == cf->args->nelts) {
        return "has no method";
    }

    for (n = 0; ngx_http_webhook_handshake_methods[n].name.len; n++) {
        if (ngx_strcmp(value[i].data,
                       ngx_http_webhook_handshake_methods[n].name.data)
            == 0)
        {
            break;
        }
    }

    line->method = ngx_http_webhook_handshake_methods[n].value;

    if (line->method == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid method \"%V\" in \"handshake\", it must "
                           "be \"get\", \"post\" or \"head\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    for (i++; i < cf->args->nelts; i++) {

        rv = ngx_http_webhook_handshake_parameter(cf, scheme, line, &value[i]);

        if (rv == NGX_CONF_ERROR) {
            return rv;
        }

        if (rv != NGX_CONF_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s \"%V\" in \"handshake\"", rv, &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (line->status) {
        return (line->grammar || line->as.len)
               ? "answers with a status and nothing else" : NGX_CONF_OK;
    }

    if (line->text.text.len == 0) {
        return "has no answer: \"echo=\", \"hmac=\" or \"status=\"";
    }

    if (!line->mac && (line->prefix.len || line->encoding || line->with.len)) {
        return "has a parameter that is for \"hmac=\" only";
    }

    if (line->with.len && line->as.len == 0) {
        return "has \"with=\", but no \"as=\"";
    }

    if (line->with.len
        && line->with.len == line->as.len
        && ngx_memcmp(line->with.data, line->as.data, line->as.len) == 0)
    {
        return "has one member for two values";
    }

    if (line->grammar == NULL) {
        line->grammar = ngx_http_webhook_grammars;
    }

    if (line->encoding == NGX_HTTP_WEBHOOK_ENCODING_RAW) {
        line->encoding = NGX_HTTP_WEBHOOK_ENCODING_HEX;
    }

    return NGX_CONF_OK;
}


/* what is wrong with a parameter is returned as text */

static char *
ngx_http_webhook_handshake_parameter(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_handshake_t *line,
    ngx_str_t *value)
{
    ngx_int_t                          n;
    ngx_str_t                          rest;
    const ngx_http_webhook_grammar_t  *grammar;

    if (ngx_http_webhook_parameter(value, "if=", &rest) == NGX_OK) {
        return ngx_http_webhook_handshake_condition(cf, scheme, line, &rest);
    }

    if (ngx_http_webhook_parameter(value, "token=", &rest) == NGX_OK) {

        if (line->has_token) {
            return "duplicate parameter";
        }

        line->has_token = 1;

        return ngx_http_webhook_handshake_part(cf, scheme, line, &rest,
                                               &line->token);
    }

    if (ngx_http_webhook_parameter(value, "echo=", &rest) == NGX_OK) {
        return ngx_http_webhook_handshake_text(cf, scheme, line, &rest, 0);
    }

    if (ngx_http_webhook_parameter(value, "hmac=", &rest) == NGX_OK) {
        return ngx_http_webhook_handshake_text(cf, scheme, line, &rest, 1);
    }

    if (ngx_http_webhook_parameter(value, "status=", &rest) == NGX_OK) {

        n = ngx_atoi(rest.data, rest.len);

        if (n < 200 || n > 299 || line->status || line->text.text.len) {
            return "invalid parameter";
        }

        line->status = n;

        return NGX_CONF_OK;
    }

    if (ngx_http_webhook_parameter(value, "as=json:", &rest) == NGX_OK) {
        return ngx_http_webhook_handshake_member(&rest, &line->as);
    }

    if (ngx_http_webhook_parameter(value, "with=json:", &rest) == NGX_OK) {
        return ngx_http_webhook_handshake_member(&rest, &line->with);
    }

    if (ngx_http_webhook_parameter(value, "prefix=", &rest) == NGX_OK) {
        line->prefix = rest;
        return NGX_CONF_OK;
    }

    if (ngx_http_webhook_parameter(value, "encoding=", &rest) == NGX_OK) {

        if (ngx_strcmp(rest.data, "hex") == 0) {
            line->encoding = NGX_HTTP_WEBHOOK_ENCODING_HEX;
            return NGX_CONF_OK;
        }

        if (ngx_strcmp(rest.data, "base64") == 0) {
            line->encoding = NGX_HTTP_WEBHOOK_ENCODING_BASE64;
            return NGX_CONF_OK;
        }

        return "invalid parameter";
    }

    if (ngx_http_webhook_parameter(value, "grammar=", &rest) == NGX_OK) {

        for (grammar = ngx_http_webhook_grammars;
             grammar->name.len;
             grammar++)
        {
            if (ngx_strcmp(rest.data, grammar->name.data) == 0) {
                line->grammar = grammar;
                return NGX_CONF_OK;
            }
        }
    }

    return "invalid parameter";
}


static char *
ngx_http_webhook_handshake_condition(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_handshake_t *line,
    ngx_str_t *text)
{
    u_char                        *p, *last;
    ngx_str_t                      part;
    ngx_http_webhook_condition_t  *condition;

    last = text->data + text->len;

    p = ngx_strlchr(text->data, last, '=');

    if (p == NULL || p + 1 == last) {
        return "invalid parameter";
    }

    /* what is compiled ends with a null character */

    part.len = p - text->data;
    part.data = ngx_pnalloc(cf->pool, part.len + 1);
    if (part.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(part.data, text->data, part.len + 1);

    condition = ngx_array_push(&line->conditions);
    if (condition == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(condition, sizeof(ngx_http_webhook_condition_t));

    condition->value.data = p + 1;
    condition->value.len = last - condition->value.data;

    return ngx_http_webhook_handshake_part(cf, scheme, line, &part,
                                           &condition->part);
}


/* a part of the request: of its query, its headers, or its verified body */

static char *
ngx_http_webhook_handshake_part(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_handshake_t *line,
    ngx_str_t *text, ngx_http_webhook_piece_t *part)
{
    char                         *rv;
    ngx_str_t                     rest;
    ngx_http_webhook_template_t   template;

    if (ngx_http_webhook_parameter(text, "query:", &rest) == NGX_OK) {

        if (rest.len == 0) {
            return "no parameter is named in";
        }

        part->type = NGX_HTTP_WEBHOOK_PIECE_QUERY;
        part->text = rest;

        return NGX_CONF_OK;
    }

    if (ngx_http_webhook_parameter(text, "json:", &rest) == NGX_OK) {

        if (!line->is_signed) {
            return "without \"signed\" the body cannot be looked at in";
        }

        return ngx_http_webhook_compile_json(cf, scheme->handshake_pointers,
                                             &rest, part);
    }

    rv = ngx_http_webhook_compile_template(cf, NULL, text, 0, &template);

    if (rv != NGX_CONF_OK) {
        return (rv == NGX_CONF_ERROR) ? rv : "invalid parameter";
    }

    if (template.npieces != 1
        || template.pieces->type != NGX_HTTP_WEBHOOK_PIECE_HEADER)
    {
        return "a part that is no \"query:\", \"$http_\" or \"json:\" in";
    }

    *part = *template.pieces;

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_handshake_text(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_handshake_t *line,
    ngx_str_t *text, ngx_uint_t mac)
{
    if (line->status || line->text.text.len) {
        return "a second answer";
    }

    line->mac = mac;

    return ngx_http_webhook_handshake_part(cf, scheme, line, text,
                                           &line->text);
}


/* a name that stands in JSON as it is */

static char *
ngx_http_webhook_handshake_member(ngx_str_t *text, ngx_str_t *member)
{
    if (member->len) {
        return "duplicate parameter";
    }

    if (!ngx_http_webhook_is_sentence(ngx_http_webhook_grammars, text)) {
        return "invalid parameter";
    }

    *member = *text;

    return NGX_CONF_OK;
}


/*
 * Answers hold MACs by the secret that events are verified with, of texts
 * that anybody chooses.  None of these texts may be that of an event: it
 * must hold a character that no text can have, and if it is the body alone,
 * no body may be such a text.
 */

char *
ngx_http_webhook_handshakes_check(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme)
{
    size_t                             i, n;
    ngx_http_webhook_piece_t          *piece;
    const ngx_http_webhook_grammar_t  *grammar;

    scheme->no_body = NULL;

    if (!ngx_http_webhook_handshakes_mac(scheme, &grammar)) {
        return NGX_CONF_OK;
    }

    if (scheme->algorithm->start == NULL || scheme->algorithm->final == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "scheme \"%V\" has a handshake with \"hmac=\", but "
                           "its algorithm makes no MAC", &scheme->name);
        return NGX_CONF_ERROR;
    }

    if (grammar == NULL) {

        /* whoever asks has signed the question */

        return NGX_CONF_OK;
    }

    piece = scheme->signed_text.pieces;

    if (scheme->signed_text.npieces == 1
        && piece->type == NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY)
    {
        scheme->no_body = grammar;
        return NGX_CONF_OK;
    }

    for (i = 0; i < scheme->signed_text.npieces; i++) {

        if (piece[i].type != NGX_HTTP_WEBHOOK_PIECE_LITERAL) {
            continue;
        }

        for (n = 0; n < piece[i].text.len; n++) {
            if (!ngx_http_webhook_in_grammar(grammar, piece[i].text.data[n])) {
                return NGX_CONF_OK;
            }
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "scheme \"%V\": handshake would sign events, since "
                       "their signed text may be one that \"hmac=\" takes",
                       &scheme->name);

    return NGX_CONF_ERROR;
}


/*
 * Whether a line has hmac=; the grammar is the widest of those that are not
 * signed, or NULL.
 */

static ngx_uint_t
ngx_http_webhook_handshakes_mac(ngx_http_webhook_scheme_t *scheme,
    const ngx_http_webhook_grammar_t **grammar)
{
    ngx_uint_t                     i, mac;
    ngx_http_webhook_handshake_t  *line;

    *grammar = NULL;
    mac = 0;

    if (scheme->handshakes == NULL) {
        return 0;
    }

    line = scheme->handshakes->elts;

    for (i = 0; i < scheme->handshakes->nelts; i++) {

        if (!line[i].mac) {
            continue;
        }

        mac = 1;

        if (!line[i].is_signed
            && (*grammar == NULL || line[i].grammar < *grammar))
        {
            *grammar = line[i].grammar;
        }
    }

    return mac;
}


ngx_uint_t
ngx_http_webhook_handshakes_have_token(ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t                     i;
    ngx_http_webhook_handshake_t  *line;

    if (scheme->handshakes == NULL) {
        return 0;
    }

    line = scheme->handshakes->elts;

    for (i = 0; i < scheme->handshakes->nelts; i++) {
        if (line[i].has_token) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_webhook_is_sentence(const ngx_http_webhook_grammar_t *grammar,
    ngx_str_t *text)
{
    return text->len > 0 && text->len <= grammar->max
           && ngx_http_webhook_follows(grammar, text->data, text->len);
}


ngx_uint_t
ngx_http_webhook_follows(const ngx_http_webhook_grammar_t *grammar, u_char *p,
    size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (!ngx_http_webhook_in_grammar(grammar, p[i])) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_webhook_in_grammar(const ngx_http_webhook_grammar_t *grammar,
    u_char ch)
{
    u_char  c;

    if (ch >= '0' && ch <= '9') {
        return 1;
    }

    c = (u_char) (ch | 0x20);

    return grammar->letters
           && ((c >= 'a' && c <= 'z')
               || ngx_strlchr(grammar->others.data,
                              grammar->others.data + grammar->others.len, ch));
}
