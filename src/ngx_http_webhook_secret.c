
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Secrets: where they come from, and how their text becomes a key.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_secret.h"


#define NGX_HTTP_WEBHOOK_SECRET_FILE  65536


typedef struct {
    char                          *name;
    char                        *(*handler)(ngx_conf_t *cf,
                                     ngx_array_t *secrets, ngx_str_t *name);
} ngx_http_webhook_secret_source_t;


static char *ngx_http_webhook_secret_file(ngx_conf_t *cf,
    ngx_array_t *secrets, ngx_str_t *name);
static char *ngx_http_webhook_secret_lines(ngx_conf_t *cf,
    ngx_array_t *secrets, ngx_str_t *name, u_char *p, u_char *last);
static char *ngx_http_webhook_secret_env(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name);
static char *ngx_http_webhook_secret_string(ngx_conf_t *cf,
    ngx_array_t *secrets, ngx_str_t *text);
static char *ngx_http_webhook_secret_add(ngx_conf_t *cf, ngx_array_t *secrets,
    u_char *data, size_t len);
static void ngx_http_webhook_secret_wipe(void *data);
static ngx_int_t ngx_http_webhook_secret_value(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_secret_t *secret, ngx_str_t *value);


/* what is none of these is the secret itself */

static ngx_http_webhook_secret_source_t  ngx_http_webhook_secret_sources[] = {
    { "file:", ngx_http_webhook_secret_file },
    { "env:", ngx_http_webhook_secret_env },
    { "pem:", ngx_http_webhook_pem_file },
    { "jwks:", ngx_http_webhook_jwks_file },
    { NULL, NULL }
};


char *
ngx_http_webhook_secret_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    char                         *rv;
    ngx_str_t                    *value;
    ngx_uint_t                    i, keys;
    ngx_http_webhook_secret_t    *secret;
    ngx_http_webhook_secrets_t  **secrets;

    secrets = (ngx_http_webhook_secrets_t **) (p + cmd->offset);

    if (*secrets == NGX_CONF_UNSET_PTR) {
        *secrets = ngx_pcalloc(cf->pool, sizeof(ngx_http_webhook_secrets_t));
        if (*secrets == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_array_init(&(*secrets)->list, cf->pool, 2,
                           sizeof(ngx_http_webhook_secret_t))
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        ngx_http_webhook_level_init(cf, &(*secrets)->level);
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = ngx_http_webhook_secret_source(cf, &(*secrets)->list, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    secret = (*secrets)->list.elts;
    keys = 0;

    for (i = 0; i < (*secrets)->list.nelts; i++) {
        if (secret[i].file) {
            keys++;
        }
    }

    if ((*secrets)->list.nelts - keys > NGX_HTTP_WEBHOOK_MAX_SECRETS) {
        return "has more than 8 secrets";
    }

    if (keys > NGX_HTTP_WEBHOOK_MAX_KEYS) {
        return "has more than 16 keys";
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webhook_secret_source(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *source)
{
    ngx_str_t                          name;
    ngx_http_webhook_secret_source_t  *known;

    for (known = ngx_http_webhook_secret_sources; known->handler; known++) {
        if (ngx_http_webhook_parameter(source, known->name, &name) == NGX_OK) {
            break;
        }
    }

    if (known->handler == NULL) {
        return ngx_http_webhook_secret_string(cf, secrets, source);
    }

    if (ngx_strlchr(name.data, name.data + name.len, '$')) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "variables cannot be used in secret source \"%V\"",
                           source);
        return NGX_CONF_ERROR;
    }

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret source \"%V\" names nothing", source);
        return NGX_CONF_ERROR;
    }

    return known->handler(cf, secrets, &name);
}


static char *
ngx_http_webhook_secret_file(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name)
{
    char        *rv;
    ngx_str_t    text;
    ngx_uint_t   mode;

    if (ngx_http_webhook_read_secret_file(cf, name, &mode, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_webhook_check_secret_file(cf, name, mode);

    rv = ngx_http_webhook_secret_lines(cf, secrets, name, text.data,
                                       text.data + text.len);

    ngx_explicit_memzero(text.data, text.len);
    ngx_free(text.data);

    return rv;
}


ngx_int_t
ngx_http_webhook_read_secret_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t *mode, ngx_str_t *text)
{
    size_t            size;
    ssize_t           n;
    ngx_int_t         rc;
    ngx_file_t        file;
    ngx_file_info_t   fi;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;

    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(file.fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        goto done;
    }

    if (!ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" is not a regular file", name);
        goto done;
    }

    if (ngx_file_size(&fi) > NGX_HTTP_WEBHOOK_SECRET_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" is larger than 64k", name);
        goto done;
    }

    *mode = fi.st_mode;

    size = (size_t) ngx_file_size(&fi);

    text->data = ngx_alloc(size + 1, cf->log);
    if (text->data == NULL) {
        goto done;
    }

    n = ngx_read_file(&file, text->data, size, 0);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_file_n " \"%V\" failed", name);
        ngx_free(text->data);
        goto done;
    }

    text->len = n;
    text->data[n] = '\0';

    rc = NGX_OK;

done:

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


void
ngx_http_webhook_check_secret_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t mode)
{
    if (mode & S_IROTH) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "secret file \"%V\" can be read by everybody, "
                           "take that right away", name);
    }
}


static char *
ngx_http_webhook_secret_lines(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name, u_char *p, u_char *last)
{
    char        *rv;
    u_char      *line, *end, *text;
    ngx_uint_t   n;

    if (last - p >= 3 && ngx_memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "secret file \"%V\" starts with a byte order mark, "
                           "which is taken as part of the secret", name);
    }

    if (ngx_strlchr(p, last, '\0')) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "secret file \"%V\" holds a NUL byte: "
                           "is it UTF-16?", name);
    }

    n = secrets->nelts;

    while (p < last) {
        line = p;

        while (p < last && *p != LF) {
            p++;
        }

        end = p++;

        if (end > line && end[-1] == CR) {
            end--;
        }

        text = line;

        while (text < end && (*text == ' ' || *text == '\t')) {
            text++;
        }

        if (text == end || *line == '#') {
            continue;
        }

        if (ngx_strlchr(line, end, CR)) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "secret file \"%V\" has a carriage return "
                               "within a line, which is taken as part of the "
                               "secret: lines end with a line feed", name);
        }

        rv = ngx_http_webhook_secret_add(cf, secrets, line, end - line);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (secrets->nelts == n) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" holds no secret", name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_secret_env(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name)
{
    u_char  *value;

    value = (u_char *) getenv((char *) name->data);

    if (value == NULL || *value == '\0') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "environment variable \"%V\", which is to hold a "
                           "secret, is %s", name, value ? "empty" : "not set");
        return NGX_CONF_ERROR;
    }

    return ngx_http_webhook_secret_add(cf, secrets, value, ngx_strlen(value));
}


static char *
ngx_http_webhook_secret_string(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *text)
{
    char                         *rv;
    ngx_uint_t                    i;
    ngx_http_webhook_secret_t    *secret;
    ngx_http_webhook_template_t  *string;

    if (text->len == 0) {
        return "has an empty secret";
    }

    if (ngx_strlchr(text->data, text->data + text->len, '$') == NULL) {

        if (ngx_http_webhook_secret_is_path(cf, text)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "a secret looks like a path, "
                               "write \"file:...\"");
            return NGX_CONF_ERROR;
        }

        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "a secret that stands in the configuration is "
                           "shown by \"nginx -T\", use \"file:\"");

        return ngx_http_webhook_secret_add(cf, secrets, text->data, text->len);
    }

    string = ngx_palloc(cf->pool, sizeof(ngx_http_webhook_template_t));
    if (string == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_webhook_compile_template(cf, NULL, text, 0, string);

    if (rv != NGX_CONF_OK) {
        if (rv != NGX_CONF_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "a secret with \"$\" in it must stand in a "
                               "file, write \"file:...\"");
        }

        return NGX_CONF_ERROR;
    }

    /* what the client sends is no secret, however it is put together */

    for (i = 0; i < string->npieces; i++) {
        if (string->pieces[i].type != NGX_HTTP_WEBHOOK_PIECE_LITERAL
            && !ngx_http_webhook_piece_is_chosen(&string->pieces[i]))
        {
            break;
        }
    }

    if (i == string->npieces) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret \"%V\" is chosen by the client, "
                           "use a map", text);
        return NGX_CONF_ERROR;
    }

    secret = ngx_array_push(secrets);
    if (secret == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(secret, sizeof(ngx_http_webhook_secret_t));
    secret->string = string;

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_secret_add(ngx_conf_t *cf, ngx_array_t *secrets,
    u_char *data, size_t len)
{
    if (ngx_strlchr((u_char *) " \t", (u_char *) " \t" + 2, data[0])
        || ngx_strlchr((u_char *) " \t", (u_char *) " \t" + 2, data[len - 1]))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "a secret has blanks around it, which are taken as "
                           "part of it");
    }

    if (len > 1 && data[0] == data[len - 1]
        && (data[0] == '"' || data[0] == '\''))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "a secret has quotes around it, which are taken as "
                           "part of it");
    }

    return ngx_http_webhook_secret_push(cf, secrets, data, len)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_http_webhook_secret_t *
ngx_http_webhook_secret_push(ngx_conf_t *cf, ngx_array_t *secrets,
    u_char *data, size_t len)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_webhook_secret_t  *secret;

    secret = ngx_array_push(secrets);
    if (secret == NULL) {
        return NULL;
    }

    ngx_memzero(secret, sizeof(ngx_http_webhook_secret_t));

    secret->text.len = len;
    secret->text.data = ngx_pnalloc(cf->pool, len);
    if (secret->text.data == NULL) {
        return NULL;
    }

    ngx_memcpy(secret->text.data, data, len);

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_str_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_webhook_secret_wipe;
    *(ngx_str_t *) cln->data = secret->text;

    return secret;
}


static void
ngx_http_webhook_secret_wipe(void *data)
{
    ngx_str_t  *text = data;

    ngx_explicit_memzero(text->data, text->len);
}


ngx_int_t
ngx_http_webhook_secret_key(ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *text, ngx_http_webhook_key_t *key, size_t *len, ngx_log_t *log)
{
    u_char                           hash[NGX_HTTP_WEBHOOK_MAX_DIGEST];
    ngx_int_t                        rc;
    ngx_str_t                        encoded, decoded, hashed;
    ngx_uint_t                       i;
    ngx_http_webhook_encoding_e      encoding;
    ngx_http_webhook_secret_rule_t  *rule, *rules;

    ngx_memzero(key, sizeof(ngx_http_webhook_key_t));

    /* a prefix with nothing behind it was meant to be more in any scheme */

    if (text->len == sizeof("whsec_") - 1
        && ngx_memcmp(text->data, "whsec_", text->len) == 0)
    {
        return NGX_DECLINED;
    }

    encoded = *text;
    encoding = scheme->algorithm->check ? NGX_HTTP_WEBHOOK_ENCODING_BASE64
                                        : NGX_HTTP_WEBHOOK_ENCODING_RAW;
    rule = NULL;

    if (scheme->secret) {
        rules = scheme->secret->elts;

        for (i = 0; i < scheme->secret->nelts; i++) {

            if (encoded.len >= rules[i].prefix.len
                && ngx_memcmp(encoded.data, rules[i].prefix.data,
                              rules[i].prefix.len)
                   == 0)
            {
                rule = &rules[i];

                if (!rule->keep) {
                    encoded.data += rule->prefix.len;
                    encoded.len -= rule->prefix.len;
                }

                encoding = rule->encoding;
                break;
            }
        }
    }

    rc = ngx_http_webhook_decoded_length(&encoded, encoding);

    if (rc == NGX_ERROR || rc == 0) {
        return NGX_DECLINED;
    }

    *len = rc;

    decoded.len = rc;
    decoded.data = ngx_alloc(rc + 2, log);
    if (decoded.data == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_webhook_decode(decoded.data, &encoded, encoding);

    text = &decoded;

    if (rc == NGX_OK && rule && rule->digest) {
        hashed.data = hash;
        text = &hashed;

        rc = ngx_http_webhook_hash(rule->digest(), &decoded, &hashed);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_webhook_key_init(key, scheme->algorithm, text);
    }

    ngx_explicit_memzero(hash, sizeof(hash));
    ngx_explicit_memzero(decoded.data, decoded.len + 2);
    ngx_free(decoded.data);

    return rc;
}


ngx_http_webhook_reason_e
ngx_http_webhook_get_keys(ngx_http_webhook_keys_t *keys,
    const ngx_http_webhook_keyring_t *keyring, ngx_http_webhook_scope_t *scope)
{
    size_t                      len;
    ngx_int_t                   rc;
    ngx_log_t                  *log;
    ngx_str_t                   text;
    ngx_uint_t                  i, given;
    ngx_http_webhook_key_t     *key;
    ngx_http_webhook_secret_t  *secret;

    keys->elts = keyring->keys;
    keys->nelts = keyring->nkeys;
    keys->tried = (ngx_uint_t) -1;

    if (!keyring->variables) {
        return keys->nelts ? NGX_HTTP_WEBHOOK_REASON_NONE
                          : NGX_HTTP_WEBHOOK_REASON_NO_SECRET;
    }

    keys->elts = ngx_pcalloc(scope->request->pool,
                            keys->nelts * sizeof(ngx_http_webhook_key_t));
    if (keys->elts == NULL) {
        keys->nelts = 0;
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    keys->own = 1;

    log = scope->request->connection->log;
    secret = keyring->secrets->elts;
    given = 0;

    for (i = 0; i < keys->nelts; i++) {

        key = &keys->elts[i];

        if (secret[i].string == NULL) {

            if (ngx_http_webhook_key_copy(key, &keyring->keys[i]) != NGX_OK) {
                return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
            }

            given++;
            continue;
        }

        rc = ngx_http_webhook_secret_value(scope, &secret[i], &text);

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (rc == NGX_OK) {
            rc = ngx_http_webhook_secret_key(keyring->scheme, &text, key,
                                             &len, log);

            if (secret[i].string->npieces > 1) {
                ngx_explicit_memzero(text.data, text.len);
            }
        }

        if (rc != NGX_OK) {
            ngx_http_webhook_digest_error(NGX_LOG_ERR, log,
                              (rc == NGX_DECLINED || rc == NGX_ABORT)
                              ? "secret from a variable does not decode"
                              : "could not make a key of a secret");
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        given++;
    }

    return given ? NGX_HTTP_WEBHOOK_REASON_NONE
                 : NGX_HTTP_WEBHOOK_REASON_NO_SECRET;
}


ngx_int_t
ngx_http_webhook_secrets_hold(ngx_array_t *secrets,
    ngx_http_webhook_scope_t *scope, ngx_str_t *text)
{
    u_char                      digest[NGX_HTTP_WEBHOOK_SHA256_LEN];
    u_char                      given[NGX_HTTP_WEBHOOK_SHA256_LEN];
    ngx_int_t                   rc, found;
    ngx_str_t                   value;
    ngx_uint_t                  i;
    ngx_http_webhook_secret_t  *secret;

    if (ngx_http_webhook_token_digest(text, given) != NGX_OK) {
        return NGX_ERROR;
    }

    found = NGX_DECLINED;

    secret = secrets->elts;

    for (i = 0; i < secrets->nelts; i++) {

        value = secret[i].text;

        if (secret[i].string) {
            rc = ngx_http_webhook_secret_value(scope, &secret[i], &value);

            if (rc == NGX_DECLINED) {
                continue;
            }

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (ngx_http_webhook_token_digest(&value, digest) != NGX_OK) {
            return NGX_ERROR;
        }

        if (CRYPTO_memcmp(digest, given, NGX_HTTP_WEBHOOK_SHA256_LEN) == 0) {
            found = NGX_OK;
        }
    }

    return found;
}


/* the text of a secret with variables: NGX_OK, NGX_DECLINED, or NGX_ERROR */

static ngx_int_t
ngx_http_webhook_secret_value(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_secret_t *secret, ngx_str_t *value)
{
    ngx_int_t    rc;
    ngx_log_t   *log;
    ngx_uint_t   level;

    log = scope->request->connection->log;

    /* core shows the values of variables when it debugs */

    level = log->log_level;
    log->log_level = level & ~NGX_LOG_DEBUG_ALL;

    rc = ngx_http_webhook_template_value(scope, secret->string, value);

    log->log_level = level;

    return (rc == NGX_ABORT) ? NGX_DECLINED : rc;
}


void
ngx_http_webhook_free_keys(ngx_http_webhook_keys_t *keys)
{
    ngx_uint_t  i;

    if (keys->own) {
        for (i = 0; i < keys->nelts; i++) {
            ngx_http_webhook_key_free(&keys->elts[i]);
        }
    }

    ngx_memzero(keys, sizeof(ngx_http_webhook_keys_t));
}


ngx_uint_t
ngx_http_webhook_secrets_equal(ngx_array_t *one, ngx_array_t *other)
{
    ngx_uint_t                  i;
    ngx_http_webhook_secret_t  *a, *b;

    if (one == other) {
        return 1;
    }

    if (one->nelts != other->nelts) {
        return 0;
    }

    a = one->elts;
    b = other->elts;

    /* those with variables have a namespace of their own anyway */

    for (i = 0; i < one->nelts; i++) {
        if (a[i].string || b[i].string
            || a[i].kind != b[i].kind
            || a[i].text.len != b[i].text.len
            || ngx_memcmp(a[i].text.data, b[i].text.data, a[i].text.len) != 0)
        {
            return 0;
        }
    }

    return 1;
}
