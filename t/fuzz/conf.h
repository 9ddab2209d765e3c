
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A configuration as far as the scheme language needs one: core's variables,
 * and nothing of a cycle.
 */


#ifndef _FUZZ_CONF_H_INCLUDED_
#define _FUZZ_CONF_H_INCLUDED_


#include "fuzz.h"

#include "ngx_http_webhook_scheme.h"


#define FUZZ_CONF_SIZE  4096    /* of a text: what nginx reads at once */


typedef struct {
    ngx_conf_t                   cf;
    ngx_http_webhook_schemes_t   schemes;
} fuzz_conf_t;


static ngx_cycle_t                 fuzz_cycle;
static ngx_http_conf_ctx_t         fuzz_ctx;
static ngx_http_core_main_conf_t  *fuzz_core;


/* what nginx has done before a configuration is read */

static ngx_inline void
fuzz_conf_start(void)
{
    ngx_conf_t          cf;
    ngx_http_module_t  *core;

    ngx_pid = getpid();
    ngx_pagesize = getpagesize();
    ngx_cacheline_size = NGX_CPU_CACHE_LINE;

    ngx_time_init();
    (void) ngx_strerror_init();

    ngx_http_core_module.ctx_index = 0;
    ngx_http_max_module = 1;

    fuzz_cycle.log = &fuzz_log;
    fuzz_cycle.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &fuzz_log);
    ngx_cycle = &fuzz_cycle;

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.cycle = &fuzz_cycle;
    cf.pool = fuzz_cycle.pool;
    cf.temp_pool = fuzz_cycle.pool;
    cf.log = &fuzz_log;
    cf.ctx = &fuzz_ctx;

    core = ngx_http_core_module.ctx;
    fuzz_core = core->create_main_conf(&cf);

    fuzz_ctx.main_conf = ngx_pcalloc(cf.pool, sizeof(void *));
    fuzz_ctx.main_conf[0] = fuzz_core;

    fuzz_check(core->preconfiguration(&cf) == NGX_OK);
}


static ngx_inline void
fuzz_conf_init(fuzz_conf_t *conf)
{
    ngx_conf_t  *cf;

    ngx_memzero(conf, sizeof(fuzz_conf_t));

    /* no variable has an index */

    ngx_memzero(&fuzz_core->variables, sizeof(ngx_array_t));

    cf = &conf->cf;

    cf->cycle = &fuzz_cycle;
    cf->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &fuzz_log);
    cf->temp_pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &fuzz_log);
    cf->log = &fuzz_log;
    cf->ctx = &fuzz_ctx;
    cf->module_type = NGX_HTTP_MODULE;
    cf->cmd_type = NGX_HTTP_MAIN_CONF;
    cf->args = ngx_array_create(cf->pool, 10, sizeof(ngx_str_t));

    fuzz_check(ngx_http_webhook_schemes_init(cf, &conf->schemes) == NGX_OK);
}


/* the text as the block of webhook_scheme, or NULL if it is refused */

static ngx_inline ngx_http_webhook_scheme_t *
fuzz_conf_scheme(fuzz_conf_t *conf, const u_char *data, size_t size)
{
    char                       *rc;
    ngx_str_t                  *value, name;
    ngx_buf_t                   buffer;
    ngx_conf_file_t             file;
    ngx_http_webhook_scheme_t  *scheme;

    ngx_memzero(&buffer, sizeof(ngx_buf_t));
    ngx_memzero(&file, sizeof(ngx_conf_file_t));

    /* a file that was read as a whole; what was quoted is changed in place */

    buffer.start = ngx_pnalloc(conf->cf.pool, FUZZ_CONF_SIZE);
    buffer.pos = buffer.start;
    buffer.last = ngx_cpymem(buffer.start, data, size);
    buffer.end = buffer.start + FUZZ_CONF_SIZE;
    buffer.temporary = 1;

    file.file.fd = 0;
    file.file.offset = size;
    file.line = 1;
    ngx_str_set(&file.file.name, "fuzz");
    file.buffer = &buffer;

    conf->cf.conf_file = &file;
    conf->cf.args->nelts = 0;

    value = ngx_array_push_n(conf->cf.args, 2);
    ngx_str_set(&value[0], "webhook_scheme");
    ngx_str_set(&value[1], "fuzz");

    rc = ngx_http_webhook_scheme_block(&conf->cf, &conf->schemes);

    conf->cf.conf_file = NULL;

    if (rc != NGX_CONF_OK) {
        return NULL;
    }

    ngx_str_set(&name, "fuzz");

    fuzz_check(ngx_http_webhook_scheme_find(&conf->cf, &conf->schemes, &name,
                                            &scheme)
               == NGX_OK);

    return scheme;
}


static ngx_inline void
fuzz_conf_free(fuzz_conf_t *conf)
{
    ngx_destroy_pool(conf->cf.temp_pool);
    ngx_destroy_pool(conf->cf.pool);
}


#endif /* _FUZZ_CONF_H_INCLUDED_ */
