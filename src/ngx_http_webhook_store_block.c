
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The directive webhook_store, and those of its block.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"
#include "ngx_http_webhook_store_command.h"
#include "ngx_http_webhook_store_ssl.h"


#define NGX_HTTP_WEBHOOK_STORE_NAME  32
#define NGX_HTTP_WEBHOOK_STORE_PORT  6379
#define NGX_HTTP_WEBHOOK_STORE_TIME  60000   /* milliseconds, at most */


/* a block, as it is being read */

typedef struct {
    ngx_http_webhook_store_t      *store;

    ngx_array_t                   *password; /* ngx_http_webhook_secret_t */
    ngx_int_t                      database;
    ngx_str_t                      user;
    ngx_str_t                      prefix;
    ngx_msec_t                     connect_timeout;
    ngx_msec_t                     timeout;
    ngx_flag_t                     ssl;
    ngx_flag_t                     ssl_verify;
    ngx_str_t                      ssl_name;
    ngx_str_t                      ssl_trusted_certificate;
    ngx_str_t                      ssl_certificate;
    ngx_str_t                      ssl_certificate_key;
} ngx_http_webhook_store_block_t;


static char *ngx_http_webhook_store_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_store_server(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_webhook_store_password(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_webhook_store_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_webhook_store_check_time(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_webhook_store_check_prefix(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_webhook_store_end(ngx_conf_t *cf,
    ngx_http_webhook_store_block_t *block);
static char *ngx_http_webhook_store_end_ssl(ngx_conf_t *cf,
    ngx_http_webhook_store_block_t *block);
static ngx_int_t ngx_http_webhook_store_init(ngx_conf_t *cf,
    ngx_http_webhook_store_t *store);
static ngx_int_t ngx_http_webhook_store_resolve(ngx_conf_t *cf,
    ngx_http_webhook_store_t *store, ngx_http_webhook_server_t *server);


static ngx_conf_num_bounds_t  ngx_http_webhook_database_bounds = {
    ngx_conf_check_num_bounds, 0, 65535
};


static ngx_conf_post_t  ngx_http_webhook_store_time_post = {
    ngx_http_webhook_store_check_time
};


static ngx_conf_post_t  ngx_http_webhook_store_prefix_post = {
    ngx_http_webhook_store_check_prefix
};


/* each takes one parameter */

static ngx_command_t  ngx_http_webhook_store_commands[] = {

    { ngx_string("server"), 0, ngx_http_webhook_store_server, 0, 0, NULL },

    { ngx_string("user"), 0, ngx_conf_set_str_slot, 0,
      offsetof(ngx_http_webhook_store_block_t, user), NULL },

    { ngx_string("password"), 0, ngx_http_webhook_store_password, 0,
      offsetof(ngx_http_webhook_store_block_t, password), NULL },

    { ngx_string("database"), 0, ngx_conf_set_num_slot, 0,
      offsetof(ngx_http_webhook_store_block_t, database),
      &ngx_http_webhook_database_bounds },

    { ngx_string("prefix"), 0, ngx_conf_set_str_slot, 0,
      offsetof(ngx_http_webhook_store_block_t, prefix),
      &ngx_http_webhook_store_prefix_post },

    { ngx_string("connect_timeout"), 0, ngx_conf_set_msec_slot, 0,
      offsetof(ngx_http_webhook_store_block_t, connect_timeout),
      &ngx_http_webhook_store_time_post },

    { ngx_string("timeout"), 0, ngx_conf_set_msec_slot, 0,
      offsetof(ngx_http_webhook_store_block_t, timeout),
      &ngx_http_webhook_store_time_post },

    { ngx_string("ssl"), 0, ngx_conf_set_flag_slot, 0,
      offsetof(ngx_http_webhook_store_block_t, ssl), NULL },

    { ngx_string("ssl_verify"), 0, ngx_conf_set_flag_slot, 0,
      offsetof(ngx_http_webhook_store_block_t, ssl_verify), NULL },

    { ngx_string("ssl_name"), 0, ngx_conf_set_str_slot, 0,
      offsetof(ngx_http_webhook_store_block_t, ssl_name), NULL },

    { ngx_string("ssl_trusted_certificate"), 0,
      ngx_http_webhook_store_file, 0,
      offsetof(ngx_http_webhook_store_block_t, ssl_trusted_certificate),
      NULL },

    { ngx_string("ssl_certificate"), 0, ngx_http_webhook_store_file, 0,
      offsetof(ngx_http_webhook_store_block_t, ssl_certificate), NULL },

    { ngx_string("ssl_certificate_key"), 0, ngx_http_webhook_store_file, 0,
      offsetof(ngx_http_webhook_store_block_t, ssl_certificate_key), NULL },

      ngx_null_command
};


char *
ngx_http_webhook_store_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    char                            *rv;
    u_char                          *c, *last;
    ngx_str_t                       *value;
    ngx_uint_t                       i, n;
    ngx_conf_t                       save;
    ngx_array_t                     *stores;
    ngx_http_webhook_store_t        *store, **defined;
    ngx_http_webhook_store_block_t   block;

    value = cf->args->elts;
    stores = (ngx_array_t *) (p + cmd->offset);

    last = value[1].data + value[1].len;

    for (c = value[1].data; c < last; c++) {
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')
              || (*c >= '0' && *c <= '9') || *c == '_' || *c == '-'))
        {
            break;
        }
    }

    if (c != last || value[1].len == 0
        || value[1].len > NGX_HTTP_WEBHOOK_STORE_NAME)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid store name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    store = ngx_http_webhook_store_add(cf, stores, &value[1]);
    if (store == NULL) {
        return NGX_CONF_ERROR;
    }

    if (store->defined) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate store \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    store->defined = 1;
    store->line = cf->conf_file->line;
    store->file = cf->conf_file->file.name.data
                  ? cf->conf_file->file.name.data : (u_char *) "command line";

    n = 0;
    defined = stores->elts;

    for (i = 0; i < stores->nelts; i++) {
        n += defined[i]->defined;
    }

    if (n > NGX_HTTP_WEBHOOK_STORES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "more than 8 stores");
        return NGX_CONF_ERROR;
    }

    if (ngx_array_init(&store->servers, cf->pool, 1,
                       sizeof(ngx_http_webhook_server_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&block, sizeof(ngx_http_webhook_store_block_t));

    block.store = store;
    block.database = NGX_CONF_UNSET;
    block.connect_timeout = NGX_CONF_UNSET_MSEC;
    block.timeout = NGX_CONF_UNSET_MSEC;
    block.ssl = NGX_CONF_UNSET;
    block.ssl_verify = NGX_CONF_UNSET;

    save = *cf;
    cf->handler = ngx_http_webhook_store_line;
    cf->handler_conf = (char *) &block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_webhook_store_end(cf, &block);
}


static char *
ngx_http_webhook_store_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char       *rv;
    ngx_str_t  *value;

    value = cf->args->elts;

    for (cmd = ngx_http_webhook_store_commands; cmd->name.len; cmd++) {

        if (cmd->name.len != value[0].len
            || ngx_strcmp(cmd->name.data, value[0].data) != 0)
        {
            continue;
        }

        if (cf->args->nelts != 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number of arguments in \"%V\" "
                               "directive", &value[0]);
            return NGX_CONF_ERROR;
        }

        rv = cmd->set(cf, cmd, conf);

        if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
            return rv;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive %s",
                           &value[0], rv);
        return NGX_CONF_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown directive \"%V\" in webhook_store", &value[0]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_webhook_store_server(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webhook_store_block_t *block = conf;

    u_char                     *p;
    ngx_url_t                   u;
    ngx_str_t                  *value;
    ngx_http_webhook_server_t  *server;

    value = cf->args->elts;

    if (block->store->servers.nelts == NGX_HTTP_WEBHOOK_SERVERS) {
        return "is given more than 8 times";
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = value[1];
    u.default_port = NGX_HTTP_WEBHOOK_STORE_PORT;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK
        || (u.host.len == 1 && u.host.data[0] == '*'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in store server \"%V\"",
                           u.err ? u.err : "no host", &value[1]);
        return NGX_CONF_ERROR;
    }

    server = ngx_array_push(&block->store->servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_http_webhook_server_t));

    server->name = value[1];
    server->local = (u.family == AF_UNIX);
    server->named = (u.naddrs == 0);
    server->addrs = u.addrs;
    server->naddrs = u.naddrs;
    server->port = u.port;
    server->line = cf->conf_file->line;

    /* OpenSSL wants a zero behind it */

    p = ngx_pnalloc(cf->pool, u.host.len + 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(p, u.host.data, u.host.len + 1);

    server->host.len = u.host.len;
    server->host.data = p;

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_store_password(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_webhook_store_block_t *block = conf;

    char       *rv;
    ngx_str_t  *value;

    if (block->password) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strncmp(value[1].data, "file:", 5) != 0
        && ngx_strncmp(value[1].data, "env:", 4) != 0)
    {
        return "takes \"file:\" or \"env:\", since \"nginx -T\" would show "
               "a password that stands here";
    }

    block->password = ngx_array_create(cf->pool, 1,
                                       sizeof(ngx_http_webhook_secret_t));
    if (block->password == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_webhook_secret_source(cf, block->password, &value[1]);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (block->password->nelts != 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has more than one line, and can be no "
                           "password", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_store_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char        *p = conf;

    char        *rv;
    ngx_str_t   *name;

    rv = ngx_conf_set_str_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    name = (ngx_str_t *) (p + cmd->offset);

    if (name->len == 0) {
        return "names no file";
    }

    return (ngx_conf_full_name(cf->cycle, name, 1) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_webhook_store_check_time(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *time = data;

    if (*time == 0 || *time > NGX_HTTP_WEBHOOK_STORE_TIME) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "value must be between 1ms and 60s");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_store_check_prefix(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *prefix = data;

    u_char  *p, *last;

    last = prefix->data + prefix->len;

    for (p = prefix->data; p < last; p++) {
        if (*p <= ' ' || *p > '~' || *p == '{' || *p == '}') {
            break;
        }
    }

    if (p != last || prefix->len == 0
        || prefix->len > NGX_HTTP_WEBHOOK_PREFIX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid prefix \"%V\"",
                           prefix);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webhook_store_end(ngx_conf_t *cf,
    ngx_http_webhook_store_block_t *block)
{
    u_char                     *p;
    size_t                      len;
    ngx_http_webhook_store_t   *store;
    ngx_http_webhook_secret_t  *secret;

    store = block->store;

    if (store->servers.nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "store \"%V\" has no \"server\"", &store->name);
        return NGX_CONF_ERROR;
    }

    if (block->user.data && block->user.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"user\" of store \"%V\" is empty", &store->name);
        return NGX_CONF_ERROR;
    }

    if (block->user.data && block->password == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"user\" of store \"%V\" needs \"password\"",
                           &store->name);
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_value(block->database, 0);
    ngx_conf_init_msec_value(block->connect_timeout, 1000);
    ngx_conf_init_msec_value(block->timeout, 500);
    ngx_conf_init_value(block->ssl, 0);
    ngx_conf_init_value(block->ssl_verify, 1);

    if (block->password) {
        secret = block->password->elts;
        store->password = secret->text;
    }

    store->user = block->user;
    store->database = block->database;
    store->connect_timeout = block->connect_timeout;
    store->timeout = block->timeout;
    store->prefix = block->prefix;

    if (store->prefix.len == 0) {

        len = sizeof("webhook::") - 1 + store->name.len;

        p = ngx_pnalloc(cf->pool, len);
        if (p == NULL) {
            return NGX_CONF_ERROR;
        }

        store->prefix.data = p;
        store->prefix.len = ngx_sprintf(p, "webhook:%V:", &store->name) - p;
    }

    if ((block->ssl_certificate.len == 0)
        != (block->ssl_certificate_key.len == 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "store \"%V\" needs both \"ssl_certificate\" and "
                           "\"ssl_certificate_key\", or none",
                           &store->name);
        return NGX_CONF_ERROR;
    }

    return block->ssl ? ngx_http_webhook_store_end_ssl(cf, block)
                      : NGX_CONF_OK;
}


static char *
ngx_http_webhook_store_end_ssl(ngx_conf_t *cf,
    ngx_http_webhook_store_block_t *block)
{
    ngx_uint_t                  i;
    ngx_http_webhook_store_t   *store;
    ngx_http_webhook_server_t  *server;

    store = block->store;
    server = store->servers.elts;

    for (i = 0; i < store->servers.nelts; i++) {

        if (server[i].local) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ssl\" of store \"%V\" cannot be used with "
                               "\"%V\"", &store->name, &server[i].name);
            return NGX_CONF_ERROR;
        }

        if (!server[i].named && block->ssl_verify && block->ssl_name.len == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "store \"%V\" needs \"ssl_name\" to verify "
                               "\"%V\", which is an address",
                               &store->name, &server[i].name);
            return NGX_CONF_ERROR;
        }
    }

    if (!block->ssl_verify) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "with \"ssl_verify off\" anybody can be the server "
                           "of store \"%V\"", &store->name);
    }

    store->ssl_verify = block->ssl_verify;
    store->ssl_name = block->ssl_name;

    switch (ngx_http_webhook_store_ssl_create(cf, store,
                                              &block->ssl_trusted_certificate,
                                              &block->ssl_certificate,
                                              &block->ssl_certificate_key))
    {
    case NGX_OK:
        return NGX_CONF_OK;

    case NGX_DECLINED:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ssl\" of store \"%V\" needs an nginx with SSL",
                           &store->name);
        return NGX_CONF_ERROR;

    default: /* NGX_ERROR */
        return NGX_CONF_ERROR;
    }
}


ngx_int_t
ngx_http_webhook_stores_init(ngx_conf_t *cf, ngx_array_t *stores)
{
    ngx_uint_t                  i;
    ngx_http_webhook_store_t  **store;

    store = stores->elts;

    for (i = 0; i < stores->nelts; i++) {

        if (!store[i]->defined) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown webhook store \"%V\" in %s:%ui",
                          &store[i]->name, store[i]->file, store[i]->line);
            return NGX_ERROR;
        }

        if (store[i]->zone == NULL) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "webhook store \"%V\" is used by no "
                          "\"webhook_dedup_zone\" in %s:%ui",
                          &store[i]->name, store[i]->file, store[i]->line);
        }

        if (ngx_http_webhook_store_init(cf, store[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_store_init(ngx_conf_t *cf, ngx_http_webhook_store_t *store)
{
    ngx_uint_t                  i;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_webhook_server_t  *server;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    store->log = clcf->error_log ? clcf->error_log : &cf->cycle->new_log;

    /* where there is no directive, core has a resolver without servers */

    if (clcf->resolver && clcf->resolver->connections.nelts) {
        store->resolver = clcf->resolver;
        store->resolver_timeout = clcf->resolver_timeout;

        if (store->resolver_timeout == NGX_CONF_UNSET_MSEC) {
            store->resolver_timeout = 30000;
        }
    }

    server = store->servers.elts;

    for (i = 0; i < store->servers.nelts; i++) {

        if (server[i].named
            && ngx_http_webhook_store_resolve(cf, store, &server[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_store_resolve(ngx_conf_t *cf,
    ngx_http_webhook_store_t *store, ngx_http_webhook_server_t *server)
{
    ngx_url_t   u;
    ngx_uint_t  level;

    level = store->resolver ? NGX_LOG_WARN : NGX_LOG_EMERG;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.host = server->host;
    u.port = server->port;

    if (ngx_inet_resolve_host(cf->pool, &u) != NGX_OK) {

        ngx_log_error(level, cf->log, 0, "%s in server \"%V\" of webhook store "
                      "\"%V\" in %s:%ui", u.err ? u.err : "host not found",
                      &server->name, &store->name, store->file, server->line);

        return store->resolver ? NGX_OK : NGX_ERROR;
    }

    server->addrs = u.addrs;
    server->naddrs = u.naddrs;

    if (store->resolver == NULL) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "without \"resolver\" the address of server \"%V\" of "
                      "webhook store \"%V\" is looked up only here in %s:%ui",
                      &server->name, &store->name, store->file, server->line);
    }

    return NGX_OK;
}
