
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A ruler for tools/bench, fit for nothing else: the least that a module does
 * to verify a body in the access phase.  One HMAC-SHA256 runs beside the body,
 * and is compared with one header.
 */


/* SHA256_*() are deprecated since OpenSSL 3.0, and have no cheaper heirs */

#define OPENSSL_SUPPRESS_DEPRECATED

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>


#define NGX_HTTP_FLOOR_HEADER  "x-nextpay-signature"


typedef struct {
    SHA256_CTX   inner;      /* has absorbed key ^ ipad */
    SHA256_CTX   outer;      /* has absorbed key ^ opad */
    ngx_flag_t   enable;
} ngx_http_floor_loc_conf_t;


typedef struct {
    SHA256_CTX   digest;
    ngx_str_t   *signature;
    ngx_int_t    rc;
} ngx_http_floor_ctx_t;


static ngx_int_t ngx_http_floor_handler(ngx_http_request_t *r);
static ngx_str_t *ngx_http_floor_signature(ngx_http_request_t *r);
static ngx_int_t ngx_http_floor_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_floor_body_handler(ngx_http_request_t *r);

static void *ngx_http_floor_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_floor(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_floor_init(ngx_conf_t *cf);


static ngx_command_t  ngx_http_floor_commands[] = {

    { ngx_string("floor"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_floor,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_floor_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_floor_init,                   /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_floor_create_loc_conf,        /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_floor_module = {
    NGX_MODULE_V1,
    &ngx_http_floor_module_ctx,            /* module context */
    ngx_http_floor_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_request_body_filter_pt  ngx_http_next_request_body_filter;


static ngx_int_t
ngx_http_floor_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_floor_ctx_t       *ctx;
    ngx_http_floor_loc_conf_t  *flcf;

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_floor_module);

    if (!flcf->enable) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_floor_module);

    if (ctx) {
        return ctx->rc;
    }

    ctx = ngx_palloc(r->pool, sizeof(ngx_http_floor_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->signature = ngx_http_floor_signature(r);

    if (ctx->signature == NULL) {
        return NGX_HTTP_UNAUTHORIZED;
    }

    ctx->digest = flcf->inner;
    ctx->rc = NGX_DONE;

    ngx_http_set_ctx(r, ctx, ngx_http_floor_module);

    rc = ngx_http_read_client_request_body(r, ngx_http_floor_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;
}


static ngx_str_t *
ngx_http_floor_signature(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len == sizeof(NGX_HTTP_FLOOR_HEADER) - 1
            && ngx_memcmp(header[i].lowcase_key, NGX_HTTP_FLOOR_HEADER,
                          sizeof(NGX_HTTP_FLOOR_HEADER) - 1)
               == 0)
        {
            return &header[i].value;
        }
    }
}


static ngx_int_t
ngx_http_floor_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t           *cl;
    ngx_http_floor_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_floor_module);

    if (ctx) {
        for (cl = in; cl; cl = cl->next) {
            SHA256_Update(&ctx->digest, cl->buf->pos,
                          cl->buf->last - cl->buf->pos);
        }
    }

    return ngx_http_next_request_body_filter(r, in);
}


static void
ngx_http_floor_body_handler(ngx_http_request_t *r)
{
    u_char                      digest[SHA256_DIGEST_LENGTH];
    u_char                      hex[2 * SHA256_DIGEST_LENGTH];
    SHA256_CTX                  outer;
    ngx_http_floor_ctx_t       *ctx;
    ngx_http_floor_loc_conf_t  *flcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_floor_module);
    flcf = ngx_http_get_module_loc_conf(r, ngx_http_floor_module);

    outer = flcf->outer;

    SHA256_Final(digest, &ctx->digest);
    SHA256_Update(&outer, digest, sizeof(digest));
    SHA256_Final(digest, &outer);

    ngx_hex_dump(hex, digest, sizeof(digest));

    ctx->rc = (ctx->signature->len == sizeof(hex)
               && CRYPTO_memcmp(ctx->signature->data, hex, sizeof(hex)) == 0)
              ? NGX_DECLINED : NGX_HTTP_UNAUTHORIZED;

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


static void *
ngx_http_floor_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_floor_loc_conf_t));
}


static char *
ngx_http_floor(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_floor_loc_conf_t *flcf = conf;

    u_char      pad[SHA256_CBLOCK];
    ngx_str_t  *value;
    ngx_uint_t  i;

    value = cf->args->elts;

    if (flcf->enable) {
        return "is duplicate";
    }

    if (value[1].len > sizeof(pad)) {
        return "has a key of more than 64 bytes";
    }

    ngx_memset(pad, 0x36, sizeof(pad));

    for (i = 0; i < value[1].len; i++) {
        pad[i] ^= value[1].data[i];
    }

    SHA256_Init(&flcf->inner);
    SHA256_Update(&flcf->inner, pad, sizeof(pad));

    for (i = 0; i < sizeof(pad); i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }

    SHA256_Init(&flcf->outer);
    SHA256_Update(&flcf->outer, pad, sizeof(pad));

    flcf->enable = 1;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_floor_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_floor_handler;

    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_floor_body_filter;

    return NGX_OK;
}
