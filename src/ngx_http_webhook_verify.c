
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Verification: digests that run beside the body, and the comparison.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_body.h"
#include "ngx_http_webhook_form.h"
#include "ngx_http_webhook_verify.h"


/* for an algorithm that needs the signed text as a whole, and for forms */
#define NGX_HTTP_WEBHOOK_MAX_WHOLE  (1024 * 1024)

#define NGX_HTTP_WEBHOOK_MAX_PARAMETERS  1000

/* whether the body is to be kept whole */
#define ngx_http_webhook_is_whole(scheme)                                     \
    (((scheme)->algorithm->verify && (scheme)->raw_body) || (scheme)->form)


static ngx_http_webhook_reason_e ngx_http_webhook_verify_form(
    ngx_http_webhook_verify_t *verify, off_t len);
static ngx_int_t ngx_http_webhook_verify_middle(
    ngx_http_webhook_verify_t *verify);
static ngx_http_webhook_reason_e ngx_http_webhook_verify_compare(
    ngx_http_webhook_verify_t *verify);
static ngx_int_t ngx_http_webhook_verify_group(
    ngx_http_webhook_verify_t *verify, ngx_uint_t n, ngx_uint_t k);
static ngx_int_t ngx_http_webhook_verify_digest(
    ngx_http_webhook_verify_t *verify, ngx_http_webhook_group_t *group,
    ngx_http_webhook_key_t *key);
static ngx_int_t ngx_http_webhook_verify_whole(
    ngx_http_webhook_verify_t *verify, ngx_http_webhook_group_t *group,
    ngx_http_webhook_key_t *key);
static ngx_int_t ngx_http_webhook_signed_text(
    ngx_http_webhook_verify_t *verify, ngx_http_webhook_group_t *group,
    ngx_str_t *text);


ngx_http_webhook_reason_e
ngx_http_webhook_verify_start(ngx_http_webhook_verify_t *verify,
    ngx_http_request_t *r, const ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_signature_t *signature, ngx_http_webhook_keys_t *keys,
    ngx_uint_t sha256)
{
    ngx_uint_t                  i, n, shared;
    EVP_MD_CTX                **md;
    ngx_http_webhook_group_t   *group;

    ngx_memzero(verify, sizeof(ngx_http_webhook_verify_t));

    verify->request = r;
    verify->scheme = scheme;
    verify->signature = signature;
    verify->keys = keys;
    verify->no_body = (scheme->no_body != NULL);

    if (scheme->algorithm->start) {

        md = ngx_pcalloc(r->pool, signature->ngroups * keys->nelts
                                  * sizeof(EVP_MD_CTX *));
        if (md == NULL) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        verify->digests = md;

        shared = (scheme->algorithm->check != NULL);

        for (i = 0; i < signature->ngroups; i++) {
            group = &signature->groups[i];

            for (n = 0; n < keys->nelts; n++, md++) {

                /* a secret from a variable may be empty */

                if (group->ncandidates == 0
                    || !ngx_http_webhook_key_is_tried(keys, n))
                {
                    continue;
                }

                if (shared && n > 0 && group->digest) {
                    continue;
                }

                *md = scheme->algorithm->start(&keys->elts[n]);

                group->digest = *md;

                if (*md == NULL
                    || ngx_http_webhook_digest_update(*md, group->before.data,
                                                      group->before.len)
                       != NGX_OK)
                {
                    goto failed;
                }
            }
        }
    }

    if (sha256 || scheme->body_hash || scheme->bound) {
        verify->body_digest = ngx_http_webhook_sha256_start();
        if (verify->body_digest == NULL) {
            goto failed;
        }
    }

    if (scheme->algorithm->token) {

        /* the headers decide alone */

        return ngx_http_webhook_verify_compare(verify);
    }

    if (ngx_http_webhook_is_whole(scheme)
        && r->headers_in.content_length_n > NGX_HTTP_WEBHOOK_MAX_WHOLE)
    {
        return NGX_HTTP_WEBHOOK_REASON_BODY_TOO_LARGE;
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;

failed:

    ngx_http_webhook_digest_error(NGX_LOG_ERR, r->connection->log,
                                  "could not start a digest");

    return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
}


ngx_int_t
ngx_http_webhook_verify_update(void *data, u_char *p, size_t len)
{
    ngx_http_webhook_verify_t *verify = data;

    ngx_uint_t   i, n;
    EVP_MD_CTX  *md;

    if (verify->failed) {
        return NGX_ERROR;
    }

    if (len == 0) {
        return NGX_OK;
    }

    if (verify->digested == 0) {
        verify->first = *p;
    }

    verify->digested += len;

    if (verify->no_body) {
        verify->no_body = ngx_http_webhook_follows(verify->scheme->no_body, p,
                                                   len);
    }

    n = (verify->digests && verify->scheme->raw_body)
        ? verify->signature->ngroups * verify->keys->nelts : 0;

    for (i = 0; i < n; i++) {
        md = verify->digests[i];

        if (md && ngx_http_webhook_digest_update(md, p, len) != NGX_OK) {
            goto failed;
        }
    }

    md = verify->scheme->form ? NULL : verify->body_digest;

    if (md && ngx_http_webhook_digest_update(md, p, len) != NGX_OK) {
        goto failed;
    }

    return NGX_OK;

failed:

    ngx_http_webhook_digest_error(NGX_LOG_ERR,
                                  verify->request->connection->log,
                                  "EVP_DigestUpdate() failed");
    verify->failed = 1;

    return NGX_ERROR;
}


/* what is signed of a form */

static ngx_http_webhook_reason_e
ngx_http_webhook_verify_form(ngx_http_webhook_verify_t *verify, off_t len)
{
    ngx_str_t            body;
    EVP_MD_CTX          *md;
    ngx_http_request_t  *r;

    r = verify->request;

    if (len && r->headers_in.content_type == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
    }

    verify->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, r->connection->log);
    if (verify->pool == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    body.len = (size_t) len;
    body.data = ngx_pnalloc(verify->pool, body.len + 1);

    if (body.data == NULL
        || ngx_http_webhook_copy_body(r, body.data) != NGX_OK)
    {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    switch (ngx_http_webhook_form_sorted(verify->pool, &body,
                                         NGX_HTTP_WEBHOOK_MAX_PARAMETERS,
                                         &verify->middle))
    {
    case NGX_OK:
        break;

    case NGX_DECLINED:
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;

    case NGX_ABORT:
        return NGX_HTTP_WEBHOOK_REASON_BODY_TOO_LARGE;

    default: /* NGX_ERROR */
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    /* what the signature does not tell apart is one event */

    md = verify->body_digest;

    if (md && ngx_http_webhook_digest_update(md, verify->middle.data,
                                             verify->middle.len)
              != NGX_OK)
    {
        ngx_http_webhook_digest_error(NGX_LOG_ERR, r->connection->log,
                                      "EVP_DigestUpdate() failed");
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


/* adds what is signed in the place of the body to the digests */

static ngx_int_t
ngx_http_webhook_verify_middle(ngx_http_webhook_verify_t *verify)
{
    ngx_str_t    sha256;
    ngx_uint_t   i, n;
    EVP_MD_CTX  *md;

    if (verify->scheme->body_hash) {

        verify->middle.data = verify->hash;

        sha256.data = verify->sha256;
        sha256.len = NGX_HTTP_WEBHOOK_SHA256_LEN;

        ngx_http_webhook_encode(&verify->middle, &sha256,
                                verify->scheme->body_hash);
    }

    n = verify->digests ? verify->signature->ngroups * verify->keys->nelts : 0;

    for (i = 0; i < n; i++) {
        md = verify->digests[i];

        if (md && ngx_http_webhook_digest_update(md, verify->middle.data,
                                                 verify->middle.len)
                  != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_webhook_reason_e
ngx_http_webhook_verify_compare(ngx_http_webhook_verify_t *verify)
{
    ngx_int_t   rc;
    ngx_uint_t  i, n;

    verify->group = NULL;

    /*
     * All are compared, and the first one that is right is seen last: which
     * one it is does not show in the time.
     */

    i = verify->signature->ngroups;

    while (i--) {

        if (verify->signature->groups[i].ncandidates == 0) {
            continue;
        }

        n = verify->keys->nelts;

        while (n--) {

            if (!ngx_http_webhook_key_is_tried(verify->keys, n)) {
                continue;
            }

            rc = ngx_http_webhook_verify_group(verify, i, n);

            if (rc == NGX_ERROR) {
                ngx_http_webhook_digest_error(NGX_LOG_ERR,
                                         verify->request->connection->log,
                                         "could not verify a signature");
                return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
            }

            if (rc == NGX_OK) {
                verify->group = &verify->signature->groups[i];
                verify->secret_index = n + 1;
            }
        }
    }

    return verify->group ? NGX_HTTP_WEBHOOK_REASON_NONE
                         : NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH;
}


ngx_http_webhook_reason_e
ngx_http_webhook_verify_end(ngx_http_webhook_verify_t *verify)
{
    off_t                                len;
    ngx_log_t                           *log;
    ngx_http_webhook_reason_e            reason;
    const ngx_http_webhook_algorithm_t  *algorithm;

    if (verify->failed) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    log = verify->request->connection->log;
    algorithm = verify->scheme->algorithm;
    len = ngx_http_webhook_body_length(verify->request);

    if (verify->digested != len
        && (!algorithm->token || verify->body_digest))
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "webhook body of %O bytes was digested as %O bytes",
                      len, verify->digested);
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    if (ngx_http_webhook_is_whole(verify->scheme)
        && len > NGX_HTTP_WEBHOOK_MAX_WHOLE)
    {
        return NGX_HTTP_WEBHOOK_REASON_BODY_TOO_LARGE;
    }

    if (verify->scheme->form) {
        reason = ngx_http_webhook_verify_form(verify, len);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }
    }

    if (verify->body_digest
        && ngx_http_webhook_digest_final(verify->body_digest, verify->sha256)
           != NGX_OK)
    {
        goto failed;
    }

    if (!verify->scheme->raw_body
        && ngx_http_webhook_verify_middle(verify) != NGX_OK)
    {
        goto failed;
    }

    reason = ngx_http_webhook_verify_compare(verify);

    if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
        return reason;
    }

    /* a handshake could have been answered with its signature */

    if (verify->no_body) {
        return NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH;
    }

    if (len && !algorithm->token
        && ngx_http_webhook_seams_check_body(verify->scheme, verify->first)
           != NGX_OK)
    {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
    }

    if (verify->scheme->bound
        && CRYPTO_memcmp(verify->sha256, verify->signature->body_hash,
                         NGX_HTTP_WEBHOOK_SHA256_LEN)
           != 0)
    {
        return NGX_HTTP_WEBHOOK_REASON_WRONG_BODY_HASH;
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;

failed:

    ngx_http_webhook_digest_error(NGX_LOG_ERR, log,
                                  "could not end the digest of a body");

    return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
}


/*
 * Whether a candidate of group n is right for key k: NGX_OK, NGX_DECLINED, or
 * NGX_ERROR.
 */

static ngx_int_t
ngx_http_webhook_verify_group(ngx_http_webhook_verify_t *verify, ngx_uint_t n,
    ngx_uint_t k)
{
    size_t                               size;
    u_char                               digest[NGX_HTTP_WEBHOOK_MAX_DIGEST];
    ngx_int_t                            found;
    ngx_uint_t                           i;
    EVP_MD_CTX                          *md;
    ngx_http_webhook_key_t              *key;
    ngx_http_webhook_group_t            *group;
    const ngx_http_webhook_algorithm_t  *algorithm;

    key = &verify->keys->elts[k];
    group = &verify->signature->groups[n];
    algorithm = verify->scheme->algorithm;
    size = algorithm->size;

    if (algorithm->verify) {
        return ngx_http_webhook_verify_whole(verify, group, key);
    }

    if (algorithm->check) {
        return ngx_http_webhook_verify_digest(verify, group, key);
    }

    md = NULL;

    if (algorithm->start) {
        md = verify->digests[n * verify->keys->nelts + k];

        if (ngx_http_webhook_digest_update(md, group->after.data,
                                           group->after.len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (algorithm->final(key, md, digest) != NGX_OK) {
        return NGX_ERROR;
    }

    found = NGX_DECLINED;

    for (i = 0; i < group->ncandidates; i++) {
        if (CRYPTO_memcmp(&group->candidates[i * size], digest, size) == 0) {
            found = NGX_OK;
        }
    }

    ngx_explicit_memzero(digest, sizeof(digest));

    return found;
}


/* the digest of a group is ended once, and is none that is secret */

static ngx_int_t
ngx_http_webhook_verify_digest(ngx_http_webhook_verify_t *verify,
    ngx_http_webhook_group_t *group, ngx_http_webhook_key_t *key)
{
    ngx_int_t                            rc, found;
    ngx_uint_t                           i;
    const ngx_http_webhook_algorithm_t  *algorithm;

    algorithm = verify->scheme->algorithm;

    if (group->text.data == NULL) {

        group->text.data = ngx_pnalloc(verify->request->pool,
                                       NGX_HTTP_WEBHOOK_MAX_DIGEST);
        if (group->text.data == NULL) {
            return NGX_ERROR;
        }

        if (ngx_http_webhook_digest_update(group->digest, group->after.data,
                                           group->after.len)
            != NGX_OK
            || ngx_http_webhook_digest_final(group->digest, group->text.data)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    found = NGX_DECLINED;

    for (i = 0; i < group->ncandidates; i++) {

        rc = algorithm->check(key, algorithm, group->text.data,
                              &group->candidates[i * algorithm->size],
                              group->lengths[i], verify->scheme->raw);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK) {
            found = NGX_OK;
        }
    }

    return found;
}


static ngx_int_t
ngx_http_webhook_verify_whole(ngx_http_webhook_verify_t *verify,
    ngx_http_webhook_group_t *group, ngx_http_webhook_key_t *key)
{
    size_t      size;
    ngx_int_t   rc, found;
    ngx_str_t   text;
    ngx_uint_t  i;

    if (ngx_http_webhook_signed_text(verify, group, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    size = verify->scheme->algorithm->size;
    found = NGX_DECLINED;

    for (i = 0; i < group->ncandidates; i++) {

        rc = verify->scheme->algorithm->verify(key,
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
}


/* the signed text of a group as a whole, built once */

static ngx_int_t
ngx_http_webhook_signed_text(ngx_http_webhook_verify_t *verify,
    ngx_http_webhook_group_t *group, ngx_str_t *text)
{
    off_t    len;
    u_char  *p;

    if (group->text.data == NULL) {

        len = verify->scheme->raw_body ? verify->digested
                                       : (off_t) verify->middle.len;

        group->text.len = group->before.len + len + group->after.len;

        p = ngx_pnalloc(verify->request->pool, group->text.len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        group->text.data = p;

        if (group->before.len) {
            p = ngx_cpymem(p, group->before.data, group->before.len);
        }

        if (verify->middle.len) {
            ngx_memcpy(p, verify->middle.data, verify->middle.len);

        } else if (verify->scheme->raw_body
                   && ngx_http_webhook_copy_body(verify->request, p) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (group->after.len) {
            ngx_memcpy(p + len, group->after.data, group->after.len);
        }
    }

    *text = group->text;

    return NGX_OK;
}


void
ngx_http_webhook_verify_free(ngx_http_webhook_verify_t *verify)
{
    ngx_uint_t  i, n;

    n = verify->digests ? verify->signature->ngroups * verify->keys->nelts : 0;

    for (i = 0; i < n; i++) {
        ngx_http_webhook_digest_free(verify->digests[i]);
    }

    ngx_http_webhook_digest_free(verify->body_digest);

    if (verify->pool) {
        ngx_destroy_pool(verify->pool);
    }

    verify->digests = NULL;
    verify->body_digest = NULL;
    verify->pool = NULL;
}
