
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Handshakes: requests by which a provider tries an address, and that are
 * answered here.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_handshake.h"
#include "ngx_http_webhook_handshake_line.h"


static ngx_uint_t ngx_http_webhook_is_method(ngx_http_request_t *r,
    ngx_uint_t method);
static ngx_int_t ngx_http_webhook_handshake_holds(
    const ngx_http_webhook_handshake_t *line, ngx_http_webhook_scope_t *scope,
    ngx_str_t *text, ngx_str_t *token);
static ngx_http_webhook_reason_e ngx_http_webhook_handshake_mac(
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_handshake_t *line,
    const ngx_http_webhook_rules_t *rules, ngx_http_webhook_keys_t *keys,
    ngx_str_t *text, ngx_str_t *mac);
static ngx_int_t ngx_http_webhook_handshake_json(ngx_pool_t *pool,
    const ngx_http_webhook_handshake_t *line, ngx_str_t *text, ngx_str_t *mac,
    ngx_str_t *json);
static u_char *ngx_http_webhook_json_string(u_char *p, ngx_str_t *text);


ngx_http_webhook_reason_e
ngx_http_webhook_read_handshake(ngx_http_webhook_answer_t *answer,
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_rules_t *rules,
    ngx_http_webhook_keys_t *keys, ngx_uint_t is_signed)
{
    ngx_int_t                      rc;
    ngx_str_t                      text, token, mac;
    ngx_uint_t                     i;
    ngx_http_webhook_scope_t       own;
    ngx_http_webhook_reason_e      reason;
    ngx_http_webhook_handshake_t  *line;

    /* the pointers of handshakes are the last of the scheme */

    own = *scope;

    if (own.values) {
        own.values += rules->keyring->scheme->nvalues;
    }

    line = rules->handshakes->elts;

    for (i = 0; i < rules->handshakes->nelts; i++) {

        if (line[i].is_signed != is_signed
            || !ngx_http_webhook_is_method(scope->request, line[i].method))
        {
            continue;
        }

        rc = ngx_http_webhook_handshake_holds(&line[i], &own, &text, &token);

        if (rc == NGX_OK) {
            goto found;
        }

        if (rc == NGX_ERROR) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;

found:

    line = &line[i];

    if (line->has_token) {

        rc = ngx_http_webhook_secrets_hold(rules->tokens, scope, &token);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        if (rc == NGX_DECLINED) {
            return NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH;
        }
    }

    if (line->status) {
        answer->status = line->status;
        return NGX_HTTP_WEBHOOK_REASON_NONE;
    }

    mac = text;

    if (line->mac) {
        reason = ngx_http_webhook_handshake_mac(scope, line, rules, keys,
                                                &text, &mac);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }
    }

    answer->text = mac;

    if (line->as.len) {

        if (ngx_http_webhook_handshake_json(scope->request->pool, line, &text,
                                            &mac, &answer->text)
            != NGX_OK)
        {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        answer->json = 1;
    }

    answer->status = NGX_HTTP_OK;

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


/* an error page makes a GET of any method: what counts is what was sent */

static ngx_uint_t
ngx_http_webhook_is_method(ngx_http_request_t *r, ngx_uint_t method)
{
    return r->method == method
           && r->request_line.len > r->method_name.len
           && ngx_strncmp(r->request_line.data, r->method_name.data,
                          r->method_name.len)
              == 0;
}


/*
 * Whether each part is there once, is what the line asks for, and the text
 * may go back: NGX_OK, NGX_DECLINED, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_webhook_handshake_holds(const ngx_http_webhook_handshake_t *line,
    ngx_http_webhook_scope_t *scope, ngx_str_t *text, ngx_str_t *token)
{
    ngx_int_t                      rc;
    ngx_str_t                      value;
    ngx_uint_t                     i;
    ngx_http_webhook_piece_t      *part;
    ngx_http_webhook_condition_t  *condition;

    condition = line->conditions.elts;

    for (i = 0; i < line->conditions.nelts; i++) {
        part = &condition[i].part;

        rc = ngx_http_webhook_piece_value(scope, part, &value);

        if (rc != NGX_OK) {
            return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DECLINED;
        }

        if (value.len != condition[i].value.len
            || ngx_memcmp(value.data, condition[i].value.data, value.len) != 0)
        {
            return NGX_DECLINED;
        }
    }

    if (line->has_token) {
        part = (ngx_http_webhook_piece_t *) &line->token;

        rc = ngx_http_webhook_piece_value(scope, part, token);

        if (rc != NGX_OK) {
            return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DECLINED;
        }
    }

    if (line->status) {
        return NGX_OK;
    }

    part = (ngx_http_webhook_piece_t *) &line->text;

    rc = ngx_http_webhook_piece_value(scope, part, text);

    if (rc != NGX_OK) {
        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DECLINED;
    }

    return ngx_http_webhook_is_sentence(line->grammar, text)
           ? NGX_OK : NGX_DECLINED;
}


static ngx_http_webhook_reason_e
ngx_http_webhook_handshake_mac(ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_handshake_t *line,
    const ngx_http_webhook_rules_t *rules, ngx_http_webhook_keys_t *keys,
    ngx_str_t *text, ngx_str_t *mac)
{
    u_char                               digest[NGX_HTTP_WEBHOOK_MAX_DIGEST];
    ngx_int_t                            rc;
    ngx_log_t                           *log;
    ngx_str_t                            encoded, src;
    EVP_MD_CTX                          *md;
    ngx_http_webhook_reason_e            reason;
    const ngx_http_webhook_algorithm_t  *algorithm;

    log = scope->request->connection->log;
    algorithm = rules->keyring->scheme->algorithm;

    if (keys->nelts == 0) {
        reason = ngx_http_webhook_get_keys(keys, rules->keyring, scope);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }
    }

    if (!keys->elts[0].ready) {
        return NGX_HTTP_WEBHOOK_REASON_NO_SECRET;
    }

    md = algorithm->start(&keys->elts[0]);

    rc = (md
          && ngx_http_webhook_digest_update(md, text->data, text->len)
             == NGX_OK)
         ? algorithm->final(&keys->elts[0], md, digest) : NGX_ERROR;

    ngx_http_webhook_digest_free(md);

    if (rc != NGX_OK) {
        ngx_http_webhook_digest_error(NGX_LOG_ERR, log,
                                      "could not make a digest");
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    src.data = digest;
    src.len = algorithm->size;

    mac->len = line->prefix.len + 2 * src.len;
    mac->data = ngx_pnalloc(scope->request->pool, mac->len);
    if (mac->data == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    encoded.data = mac->data;

    if (line->prefix.len) {
        encoded.data = ngx_cpymem(mac->data, line->prefix.data,
                                  line->prefix.len);
    }

    if (line->encoding == NGX_HTTP_WEBHOOK_ENCODING_BASE64) {
        ngx_encode_base64(&encoded, &src);
        mac->len = line->prefix.len + encoded.len;

    } else {
        ngx_hex_dump(encoded.data, src.data, src.len);
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


/* {"with":"text","as":"mac"}, or the latter member alone */

static ngx_int_t
ngx_http_webhook_handshake_json(ngx_pool_t *pool,
    const ngx_http_webhook_handshake_t *line, ngx_str_t *text, ngx_str_t *mac,
    ngx_str_t *json)
{
    u_char  *p;
    size_t   len;

    len = sizeof("{\"\":\"\",\"\":\"\"}") - 1
          + line->with.len + text->len + line->as.len + mac->len
          + ngx_escape_json(NULL, text->data, text->len)
          + ngx_escape_json(NULL, mac->data, mac->len);

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    json->data = p;

    *p++ = '{';

    if (line->with.len) {
        p = ngx_http_webhook_json_string(p, (ngx_str_t *) &line->with);
        *p++ = ':';
        p = ngx_http_webhook_json_string(p, text);
        *p++ = ',';
    }

    p = ngx_http_webhook_json_string(p, (ngx_str_t *) &line->as);
    *p++ = ':';
    p = ngx_http_webhook_json_string(p, mac);
    *p++ = '}';

    json->len = p - json->data;

    return NGX_OK;
}


static u_char *
ngx_http_webhook_json_string(u_char *p, ngx_str_t *text)
{
    *p++ = '"';
    p = (u_char *) ngx_escape_json(p, text->data, text->len);
    *p++ = '"';

    return p;
}
