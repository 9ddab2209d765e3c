
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The body: digested while it arrives, or from where core has stored it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


#define NGX_HTTP_WEBHOOK_BODY_PIECE  65536

/* what is digested at once: some milliseconds */
#define NGX_HTTP_WEBHOOK_BODY_SLICE  (4 * 1024 * 1024)


typedef ngx_int_t (*ngx_http_webhook_body_pt)(void *data, u_char *p,
    size_t len);


static ngx_int_t ngx_http_webhook_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_webhook_body_digest(void *data, u_char *p,
    size_t len);
static ngx_int_t ngx_http_webhook_verify_group(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_group_t *group, ngx_uint_t n);
static ngx_int_t ngx_http_webhook_signed_text(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_group_t *group, ngx_str_t *text);
static ngx_int_t ngx_http_webhook_body_append(void *data, u_char *p,
    size_t len);
static ngx_int_t ngx_http_webhook_body_whole(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_body_pt handler, void *data);
static ngx_int_t ngx_http_webhook_body_walk(ngx_http_webhook_ctx_t *ctx,
    off_t limit, ngx_http_webhook_body_pt handler, void *data);
static off_t ngx_http_webhook_body_length(ngx_http_request_t *r);


static ngx_http_request_body_filter_pt  ngx_http_next_request_body_filter;


ngx_int_t
ngx_http_webhook_body_init(void)
{
    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_webhook_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t               *b;
    ngx_chain_t             *cl;
    ngx_http_webhook_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_webhook_module);

    if (ctx == NULL || ctx->stage != NGX_HTTP_WEBHOOK_STAGE_READING) {
        return ngx_http_next_request_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (!ctx->failed
            && ngx_http_webhook_body_digest(ctx, b->pos, b->last - b->pos)
               != NGX_OK)
        {
            ngx_http_webhook_digest_error(NGX_LOG_ERR, r->connection->log,
                                          "EVP_DigestUpdate() failed");
            ctx->failed = 1;
        }
    }

    return ngx_http_next_request_body_filter(r, in);
}


ngx_int_t
ngx_http_webhook_body_start(ngx_http_webhook_ctx_t *ctx)
{
    ngx_uint_t                 i, n;
    EVP_MD_CTX                *md;
    ngx_http_webhook_group_t  *group;

    ctx->digested = 0;

    for (i = 0; i < ctx->ngroups; i++) {
        group = &ctx->groups[i];

        if (group->ncandidates == 0
            || ctx->keyring->scheme->algorithm->kind
               != NGX_HTTP_WEBHOOK_KIND_HMAC)
        {
            continue;
        }

        group->digests = ngx_pcalloc(ctx->request->pool,
                                   ctx->nkeys * sizeof(EVP_MD_CTX *));
        if (group->digests == NULL) {
            return NGX_ERROR;
        }

        for (n = 0; n < ctx->nkeys; n++) {

            if (!ctx->keys[n].ready) {

                /* a secret from a variable that is empty */

                continue;
            }

            md = ngx_http_webhook_hmac_start(&ctx->keys[n]);
            if (md == NULL) {
                goto failed;
            }

            group->digests[n] = md;

            if (ngx_http_webhook_digest_update(md, group->before.data,
                                               group->before.len)
                != NGX_OK)
            {
                goto failed;
            }
        }
    }

    if (ngx_http_webhook_event_needs_sha256(ctx)) {
        ctx->body_digest = ngx_http_webhook_sha256_start();
        if (ctx->body_digest == NULL) {
            goto failed;
        }
    }

    return NGX_OK;

failed:

    ngx_http_webhook_digest_error(NGX_LOG_ERR, ctx->request->connection->log,
                                  "could not start a digest");

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_webhook_body_digest(void *data, u_char *p, size_t len)
{
    ngx_http_webhook_ctx_t *ctx = data;

    ngx_uint_t                 i, n;
    ngx_http_webhook_group_t  *group;

    if (len == 0) {
        return NGX_OK;
    }

    if (ctx->digested == 0) {
        ctx->first = *p;
    }

    for (i = 0; i < ctx->ngroups; i++) {
        group = &ctx->groups[i];

        if (group->digests == NULL) {
            continue;
        }

        for (n = 0; n < ctx->nkeys; n++) {
            if (group->digests[n]
                && ngx_http_webhook_digest_update(group->digests[n], p, len)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    if (ctx->body_digest
        && ngx_http_webhook_digest_update(ctx->body_digest, p, len) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->digested += len;

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_body_stored(ngx_http_webhook_ctx_t *ctx)
{
    return ngx_http_webhook_body_walk(ctx, NGX_HTTP_WEBHOOK_BODY_SLICE,
                                      ngx_http_webhook_body_digest, ctx);
}


ngx_int_t
ngx_http_webhook_body_verify(ngx_http_webhook_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i, n, found;
    ngx_http_webhook_kind_e    kind;
    ngx_http_webhook_group_t  *group;

    if (ctx->failed) {
        return NGX_ERROR;
    }

    kind = ctx->keyring->scheme->algorithm->kind;

    if (kind != NGX_HTTP_WEBHOOK_KIND_TOKEN
        && ctx->digested != ngx_http_webhook_body_length(ctx->request))
    {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "webhook body of %O bytes was digested as %O bytes",
                      ngx_http_webhook_body_length(ctx->request),
                      ctx->digested);
        return NGX_ERROR;
    }

    if (kind == NGX_HTTP_WEBHOOK_KIND_ED25519
        && ctx->digested > NGX_HTTP_WEBHOOK_MAX_WHOLE)
    {
        return NGX_ABORT;
    }

    found = 0;
    group = NULL;

    /* all are compared: which one is right does not show in the time */

    for (i = 0; i < ctx->ngroups; i++) {

        if (ctx->groups[i].ncandidates == 0) {
            continue;
        }

        for (n = 0; n < ctx->nkeys; n++) {

            if (!ctx->keys[n].ready) {
                continue;
            }

            rc = ngx_http_webhook_verify_group(ctx, &ctx->groups[i], n);

            if (rc == NGX_ERROR) {
                ngx_http_webhook_digest_error(NGX_LOG_ERR,
                                              ctx->request->connection->log,
                                              "could not verify a signature");
                return NGX_ERROR;
            }

            if (rc == NGX_OK && found == 0) {
                found = n + 1;
                group = &ctx->groups[i];
            }
        }
    }

    if (found == 0) {
        return NGX_DECLINED;
    }

    if (ctx->body_digest && ctx->stage != NGX_HTTP_WEBHOOK_STAGE_NEW) {

        if (ngx_http_webhook_digest_final(ctx->body_digest, ctx->body_sha256)
            != NGX_OK)
        {
            ngx_http_webhook_digest_error(NGX_LOG_ERR,
                                          ctx->request->connection->log,
                                          "EVP_DigestFinal_ex() failed");
            return NGX_ERROR;
        }

        ctx->scope.body_sha256 = ctx->body_sha256;
    }

    ctx->secret_index = found;
    ctx->scope.timestamp = group->timestamp;

    if (ctx->has_time) {
        ctx->time = group->time;
        ctx->age = group->age;
    }

    return NGX_OK;
}


/*
 * Whether a candidate of the group is right for a key: NGX_OK, NGX_DECLINED, or
 * NGX_ERROR.
 */

static ngx_int_t
ngx_http_webhook_verify_group(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_group_t *group, ngx_uint_t n)
{
    size_t                   size;
    u_char                   digest[NGX_HTTP_WEBHOOK_MAX_DIGEST];
    ngx_int_t                rc, found;
    ngx_str_t                text;
    ngx_uint_t               i;
    ngx_http_webhook_key_t  *key;

    key = &ctx->keys[n];
    size = ctx->keyring->scheme->algorithm->size;

    found = NGX_DECLINED;

    switch (ctx->keyring->scheme->algorithm->kind) {

    case NGX_HTTP_WEBHOOK_KIND_ED25519:

        if (ngx_http_webhook_signed_text(ctx, group, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        for (i = 0; i < group->ncandidates; i++) {
            rc = ngx_http_webhook_ed25519_verify(key,
                                                 &group->candidates[i * size],
                                                 &text);
            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_OK) {
                found = NGX_OK;
            }
        }

        return found;

    case NGX_HTTP_WEBHOOK_KIND_TOKEN:
        ngx_memcpy(digest, key->token, size);
        break;

    default: /* NGX_HTTP_WEBHOOK_KIND_HMAC */

        if (ngx_http_webhook_digest_update(group->digests[n], group->after.data,
                                           group->after.len)
            != NGX_OK
            || ngx_http_webhook_hmac_final(key, group->digests[n], digest)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < group->ncandidates; i++) {
        if (CRYPTO_memcmp(&group->candidates[i * size], digest, size) == 0) {
            found = NGX_OK;
        }
    }

    ngx_explicit_memzero(digest, sizeof(digest));

    return found;
}


/* the signed text of a group as a whole, built once */

static ngx_int_t
ngx_http_webhook_signed_text(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_group_t *group, ngx_str_t *text)
{
    ngx_str_t  rest;

    if (group->text.data == NULL) {

        group->text.len = group->before.len + ctx->digested + group->after.len;
        group->text.data = ngx_pnalloc(ctx->request->pool, group->text.len + 1);
        if (group->text.data == NULL) {
            return NGX_ERROR;
        }

        rest.data = group->text.data;

        (void) ngx_http_webhook_body_append(&rest, group->before.data,
                                            group->before.len);

        if (ngx_http_webhook_body_whole(ctx, ngx_http_webhook_body_append,
                                        &rest)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        (void) ngx_http_webhook_body_append(&rest, group->after.data,
                                            group->after.len);
    }

    *text = group->text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_body_append(void *data, u_char *p, size_t len)
{
    ngx_str_t *rest = data;

    if (len) {
        rest->data = ngx_cpymem(rest->data, p, len);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_body_fingerprint(ngx_http_webhook_ctx_t *ctx,
    uint32_t *fingerprint)
{
    if (ctx->scope.body_sha256 == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(fingerprint, ctx->scope.body_sha256, sizeof(uint32_t));

    *fingerprint &= NGX_HTTP_WEBHOOK_TOKEN_MASK;

    if (*fingerprint == 0) {
        *fingerprint = 1;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_body_json(ngx_http_webhook_ctx_t *ctx)
{
    off_t                len;
    u_char              *copy;
    ngx_int_t            rc;
    ngx_str_t            text, rest;
    ngx_array_t         *pointers;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = ctx->request;
    pointers = ctx->keyring->scheme->pointers;

    ctx->scope.values = ngx_pcalloc(r->pool, pointers->nelts
                                       * sizeof(ngx_http_webhook_value_t));
    if (ctx->scope.values == NULL) {
        return NGX_ERROR;
    }

    len = ngx_http_webhook_body_length(r);

    if (len > (off_t) ctx->conf->json_max_size) {
        ctx->scope.json = NGX_HTTP_WEBHOOK_REASON_JSON_TOO_LARGE;
        return NGX_OK;
    }

    copy = NULL;
    cl = r->request_body ? r->request_body->bufs : NULL;

    if (cl && cl->next == NULL && !cl->buf->in_file) {
        text.data = cl->buf->pos;

    } else {

        /* in pieces yajl would scan a string anew at each of them */

        copy = ngx_alloc(len + 1, r->connection->log);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        rest.data = copy;

        if (ngx_http_webhook_body_whole(ctx, ngx_http_webhook_body_append,
                                        &rest)
            != NGX_OK)
        {
            ngx_free(copy);
            return NGX_ERROR;
        }

        text.data = copy;
    }

    text.len = len;

    rc = ngx_http_webhook_json_parse(r->pool, &text, pointers->elts,
                                     pointers->nelts, ctx->scope.values);

    if (copy) {
        ngx_free(copy);
    }

    if (rc == NGX_DECLINED) {
        ctx->scope.json = NGX_HTTP_WEBHOOK_REASON_INVALID_JSON;
        return NGX_OK;
    }

    return rc;
}


/* hands the stored body on, at once */

static ngx_int_t
ngx_http_webhook_body_whole(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_body_pt handler, void *data)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (r->request_body == NULL) {

        /* nobody has read it: fine if there is none */

        return (r->headers_in.content_length_n > 0 || r->headers_in.chunked)
               ? NGX_ERROR : NGX_OK;
    }

    ctx->in = r->request_body->bufs;
    ctx->offset = 0;

    return ngx_http_webhook_body_walk(ctx, NGX_MAX_OFF_T_VALUE, handler, data);
}


/*
 * Hands the stored body from ctx->in and ctx->offset on, piece by piece:
 * NGX_OK at its end, NGX_AGAIN if limit was reached before, NGX_ERROR if it
 * cannot be read or the handler failed.
 */

static ngx_int_t
ngx_http_webhook_body_walk(ngx_http_webhook_ctx_t *ctx, off_t limit,
    ngx_http_webhook_body_pt handler, void *data)
{
    off_t       rest;
    size_t      size;
    ssize_t     n;
    ngx_buf_t  *b;

    while (ctx->in) {
        b = ctx->in->buf;

        if (!b->in_file) {
            size = b->last - b->pos;

            if (handler(data, b->pos, size) != NGX_OK) {
                return NGX_ERROR;
            }

            limit -= size;
            ctx->in = ctx->in->next;
            continue;
        }

        rest = b->file_last - b->file_pos - ctx->offset;

        if (rest <= 0) {
            ctx->in = ctx->in->next;
            ctx->offset = 0;
            continue;
        }

        if (limit <= 0) {
            return NGX_AGAIN;
        }

        if (b->file->fd == NGX_INVALID_FILE) {
            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "webhook cannot be verified: "
                          "the file with its body was closed");
            return NGX_ERROR;
        }

        if (ctx->buffer == NULL) {
            ctx->buffer = ngx_palloc(ctx->request->pool,
                                     NGX_HTTP_WEBHOOK_BODY_PIECE);
            if (ctx->buffer == NULL) {
                return NGX_ERROR;
            }
        }

        size = (size_t) ngx_min(rest, NGX_HTTP_WEBHOOK_BODY_PIECE);

        n = ngx_read_file(b->file, ctx->buffer, size,
                          b->file_pos + ctx->offset);

        if (n <= 0) {
            if (n == 0) {
                ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                              "webhook cannot be verified: the file with its "
                              "body is too short");
            }

            return NGX_ERROR;
        }

        if (handler(data, ctx->buffer, n) != NGX_OK) {
            return NGX_ERROR;
        }

        ctx->offset += n;
        limit -= n;
    }

    return NGX_OK;
}


static off_t
ngx_http_webhook_body_length(ngx_http_request_t *r)
{
    off_t         len;
    ngx_chain_t  *cl;

    len = 0;

    if (r->request_body == NULL) {
        return 0;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
    }

    return len;
}


ngx_uint_t
ngx_http_webhook_body_is_gone(ngx_http_request_t *r)
{
    if (r->discard_body || r->reading_body) {
        return 1;
    }

#if (NGX_HTTP_V2)
    if (r->stream && r->stream->skip_data) {
        return 1;
    }
#endif

    if (r->request_body && r->request_body->bufs) {
        return 0;
    }

    /*
     * core discards a body without a trace but for what is missing: the
     * length of the header, or in the chunked case a body that was said to be
     * read and is not there
     */

    if (r->request_body) {
        return r->headers_in.chunked || r->headers_in.content_length_n > 0;
    }

    return r->headers_in.content_length
           && r->headers_in.content_length_n == 0
           && ngx_atoof(r->headers_in.content_length->value.data,
                        r->headers_in.content_length->value.len)
              != 0;
}


ngx_int_t
ngx_http_webhook_body_withhold(ngx_http_request_t *r)
{
    ngx_table_elt_t           *h;
    ngx_http_core_loc_conf_t  *clcf;

    if (r->request_body == NULL) {

        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (r->discard_body
            || clcf->error_pages == NULL
            || (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked))
        {
            /* core discards what there is to discard */

            return NGX_OK;
        }

        /*
         * A body that has not been read could be read by an error page.  The
         * request goes on as one whose body was read and is empty; what the
         * client still sends is thrown away with the connection.
         */

#if (NGX_HTTP_V2)
        if (r->stream) {
            r->stream->skip_data = 1;
        }
#endif

        r->keepalive = 0;
        r->lingering_close = 1;
        r->expect_tested = 1;

        r->request_body = ngx_pcalloc(r->pool,
                                      sizeof(ngx_http_request_body_t));
        if (r->request_body == NULL) {
            return NGX_ERROR;
        }
    }

    /* the file is removed with the pool, whoever knows its name */

    r->request_body->bufs = NULL;
    r->request_body->temp_file = NULL;

    r->headers_in.chunked = 0;
    r->headers_in.content_length_n = 0;

    h = r->headers_in.content_length;

    if (h) {
        ngx_str_set(&h->value, "0");
    }

    return NGX_OK;
}


void
ngx_http_webhook_body_cleanup(ngx_http_webhook_ctx_t *ctx)
{
    ngx_uint_t                 i, n;
    ngx_http_webhook_group_t  *group;

    for (i = 0; i < ctx->ngroups; i++) {
        group = &ctx->groups[i];

        if (group->digests == NULL) {
            continue;
        }

        for (n = 0; n < ctx->nkeys; n++) {
            EVP_MD_CTX_free(group->digests[n]);
        }

        group->digests = NULL;
    }

    EVP_MD_CTX_free(ctx->body_digest);
    ctx->body_digest = NULL;
}
