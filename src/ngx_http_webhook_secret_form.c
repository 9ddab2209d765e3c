
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Secrets: what they look like, and what looks like none.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_secret.h"


ngx_uint_t
ngx_http_webhook_secret_is_path(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_str_t        name;
    ngx_file_info_t  fi;

    if (text->data[0] == '/') {
        return 1;
    }

    name = *text;

    return ngx_conf_full_name(cf->cycle, &name, 1) == NGX_OK
           && ngx_file_info(name.data, &fi) != NGX_FILE_ERROR
           && ngx_is_file(&fi);
}


ngx_str_t *
ngx_http_webhook_secret_lacks(ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *text)
{
    ngx_str_t                       *first;
    ngx_uint_t                       i;
    ngx_http_webhook_secret_rule_t  *rule;

    if (scheme->secret == NULL) {
        return NULL;
    }

    first = NULL;
    rule = scheme->secret->elts;

    for (i = 0; i < scheme->secret->nelts; i++) {

        if (rule[i].prefix.len == 0) {
            continue;
        }

        if (text->len >= rule[i].prefix.len
            && ngx_memcmp(text->data, rule[i].prefix.data, rule[i].prefix.len)
               == 0)
        {
            return NULL;
        }

        if (first == NULL) {
            first = &rule[i].prefix;
        }
    }

    return first;
}


u_char *
ngx_http_webhook_secret_form(ngx_http_webhook_scheme_t *scheme, u_char *buf)
{
    u_char                          *p, *last;
    ngx_http_webhook_encoding_e      encoding;
    ngx_http_webhook_secret_rule_t  *rule;

    p = buf;
    last = buf + NGX_HTTP_WEBHOOK_SECRET_FORM;
    encoding = NGX_HTTP_WEBHOOK_ENCODING_RAW;

    if (scheme->secret) {
        rule = scheme->secret->elts;
        encoding = rule[0].encoding;

        if (rule[0].prefix.len) {
            p = ngx_slprintf(p, last, "\"%V\" and ", &rule[0].prefix);
        }
    }

    if (scheme->algorithm->public == EVP_PKEY_ED25519) {
        p = ngx_slprintf(p, last, "32 bytes");

        return (encoding == NGX_HTTP_WEBHOOK_ENCODING_RAW) ? p
               : ngx_slprintf(p, last, " in %s",
                              ngx_http_webhook_encoding_name(encoding));
    }

    if (scheme->algorithm->public) {
        return ngx_slprintf(p, last, "a public key in base64");
    }

    return ngx_slprintf(p, last, "%s",
                        (encoding == NGX_HTTP_WEBHOOK_ENCODING_RAW) ? "text"
                        : ngx_http_webhook_encoding_name(encoding));
}
