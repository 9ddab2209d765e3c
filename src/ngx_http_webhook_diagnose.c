
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Diagnosis: the request as it may have been is digested again.  All that is
 * supposed is computed, whatever came of the rest, within limits; the first of
 * what fits is the hint.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_body.h"
#include "ngx_http_webhook_diagnose.h"
#include "ngx_http_webhook_form.h"
#include "ngx_http_webhook_public.h"


/* what a diagnosis may take */

#define NGX_HTTP_WEBHOOK_DIAGNOSE_BYTES   (1024 * 1024)
#define NGX_HTTP_WEBHOOK_DIAGNOSE_VERIFY  16
#define NGX_HTTP_WEBHOOK_DIAGNOSE_COST    32768   /* bytes that one is worth */
#define NGX_HTTP_WEBHOOK_DIAGNOSE_NAMES   8


typedef struct {
    ngx_http_webhook_refused_t    *refused;
    ngx_pool_t                    *pool;
    ngx_str_t                      body;
    ngx_str_t                      room;     /* for another body */

    ngx_str_t                      from;     /* replaced in what is signed */
    ngx_str_t                      to;       /* around the body, if any */

    size_t                         digested;
    ngx_uint_t                     verified;

    ngx_str_t                     *hint;     /* empty until one fits */
    unsigned                       failed:1;
} ngx_http_webhook_diagnosis_t;


static ngx_int_t ngx_http_webhook_read_kept(ngx_http_webhook_diagnosis_t *d,
    ngx_chain_t *in);
static ngx_int_t ngx_http_webhook_append_kept(void *data, u_char *p,
    size_t len);
static void ngx_http_webhook_suppose_schemes(ngx_http_webhook_diagnosis_t *d);
static void ngx_http_webhook_suppose_urls(ngx_http_webhook_diagnosis_t *d);
static void ngx_http_webhook_suppose_url(ngx_http_webhook_diagnosis_t *d,
    char *hint, ngx_str_t *from, ngx_str_t *to);
static void ngx_http_webhook_suppose_bodies(ngx_http_webhook_diagnosis_t *d);
static void ngx_http_webhook_suppose_body(ngx_http_webhook_diagnosis_t *d,
    char *hint, ngx_str_t *body);
static void ngx_http_webhook_suppose(ngx_http_webhook_diagnosis_t *d,
    ngx_str_t *hint, ngx_http_webhook_key_t *key, ngx_str_t *body);
static ngx_int_t ngx_http_webhook_fits(ngx_http_webhook_diagnosis_t *d,
    ngx_http_webhook_group_t *group, ngx_http_webhook_key_t *key,
    ngx_str_t *body);
static ngx_int_t ngx_http_webhook_fits_whole(ngx_http_webhook_diagnosis_t *d,
    ngx_http_webhook_group_t *group, ngx_http_webhook_key_t *key,
    ngx_str_t *before, ngx_str_t *middle, ngx_str_t *after);
static ngx_int_t ngx_http_webhook_suppose_bound(
    ngx_http_webhook_diagnosis_t *d, ngx_str_t *body);
static ngx_int_t ngx_http_webhook_suppose_hash(ngx_http_webhook_diagnosis_t *d,
    ngx_str_t *body, ngx_str_t *hash);
static ngx_int_t ngx_http_webhook_around(ngx_http_webhook_diagnosis_t *d,
    ngx_str_t *text, ngx_str_t *around);


ngx_int_t
ngx_http_webhook_diagnose(ngx_http_webhook_refused_t *refused,
    ngx_str_t *hint)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_http_webhook_suspect_t    *suspect;
    ngx_http_webhook_diagnosis_t   d;

    static time_t                  last;

    /* of the process: a flood of forgeries costs no more than one a second */

    if (last == ngx_time()) {
        return NGX_DECLINED;
    }

    last = ngx_time();

    ngx_str_null(hint);

    if (refused->reason != NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH
        && refused->reason != NGX_HTTP_WEBHOOK_REASON_WRONG_BODY_HASH)
    {

        rc = ngx_http_webhook_diagnose_form(refused, hint);

        if (rc == NGX_DECLINED) {
            ngx_str_set(hint, "none");
            rc = NGX_OK;
        }

        return rc;
    }

    ngx_memzero(&d, sizeof(ngx_http_webhook_diagnosis_t));

    d.refused = refused;
    d.hint = hint;

    d.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE,
                             refused->request->connection->log);
    if (d.pool == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_webhook_read_kept(&d, refused->body);

    if (rc != NGX_OK) {
        ngx_destroy_pool(d.pool);
        return rc;
    }

    ngx_http_webhook_suppose_schemes(&d);

    suspect = refused->suspects->keys.elts;

    for (i = 0; i < refused->suspects->keys.nelts; i++) {
        ngx_http_webhook_suppose(&d, &suspect[i].hint, &suspect[i].key,
                                 &d.body);
    }

    suspect = refused->suspects->places->elts;

    for (i = 0; i < refused->suspects->places->nelts; i++) {

        if (suspect[i].secret
            && ngx_http_webhook_is_own_secret(refused->suspects,
                                              suspect[i].secret))
        {
            continue;
        }

        ngx_http_webhook_suppose(&d, &suspect[i].hint, &suspect[i].key,
                                 &d.body);
    }

    if (!refused->scheme->algorithm->token) {
        ngx_http_webhook_suppose_urls(&d);
        ngx_http_webhook_suppose_bodies(&d);
    }

    ngx_destroy_pool(d.pool);

    if (d.failed) {
        ngx_http_webhook_digest_error(NGX_LOG_ERR,
                                      refused->request->connection->log,
                                      "could not diagnose a signature");
        return NGX_ERROR;
    }

    if (hint->len == 0) {

        if (ngx_http_webhook_is_compressed(refused->request)) {
            ngx_str_set(hint, "content_encoding");

        } else {
            ngx_str_set(hint, "none");
        }
    }

    return NGX_OK;
}


/* NGX_DECLINED if the body is too long */

static ngx_int_t
ngx_http_webhook_read_kept(ngx_http_webhook_diagnosis_t *d, ngx_chain_t *in)
{
    off_t                     len;
    ngx_int_t                 rc;
    ngx_chain_t              *cl;
    ngx_http_webhook_body_t   body;

    len = 0;

    for (cl = in; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
    }

    if (len > NGX_HTTP_WEBHOOK_DIAGNOSE_BODY) {
        return NGX_DECLINED;
    }

    d->body.data = ngx_pnalloc(d->pool, (size_t) len + 1);
    d->room.data = ngx_pnalloc(d->pool, 2 * (size_t) len + 2);

    if (d->body.data == NULL || d->room.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&body, sizeof(ngx_http_webhook_body_t));

    body.request = d->refused->request;
    body.in = in;

    rc = ngx_http_webhook_walk_body(&body, NGX_MAX_OFF_T_VALUE,
                                    ngx_http_webhook_append_kept, &d->body);

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_webhook_append_kept(void *data, u_char *p, size_t len)
{
    ngx_str_t *body = data;

    if (len) {
        ngx_memcpy(body->data + body->len, p, len);
        body->len += len;
    }

    return NGX_OK;
}


/*
 * Schemes whose signature is there too, whatever their window is; of those that
 * fit, the one that is most likely.
 */

static void
ngx_http_webhook_suppose_schemes(ngx_http_webhook_diagnosis_t *d)
{
    ngx_int_t                      likelihood, most;
    ngx_str_t                      hint, found, *first;
    ngx_uint_t                     i, n;
    ngx_array_t                   *others;
    ngx_http_webhook_other_t      *other;
    ngx_http_webhook_scope_t       scope;
    ngx_http_webhook_keyset_t     *set;
    ngx_http_webhook_window_t      window;
    ngx_http_webhook_reason_e      reason;
    ngx_http_webhook_refused_t     supposed, *refused;
    ngx_http_webhook_signature_t   signature;

    refused = d->refused;

    supposed = *refused;
    supposed.signature = &signature;

    window.past = NGX_HTTP_WEBHOOK_NO_WINDOW;
    window.future = NGX_HTTP_WEBHOOK_NO_WINDOW;

    first = d->hint;
    most = 0;

    others = &refused->suspects->known->others;
    other = others->elts;

    for (i = 0; i < others->nelts; i++) {

        /* another form of the secret only is told apart as such */

        if (!ngx_http_webhook_has_form(refused->request, other[i].scheme)
            || ngx_http_webhook_signs_alike(other[i].scheme, refused->scheme))
        {
            continue;
        }

        ngx_memzero(&scope, sizeof(ngx_http_webhook_scope_t));
        ngx_memzero(&signature, sizeof(ngx_http_webhook_signature_t));

        scope.request = refused->request;

        reason = ngx_http_webhook_read_signature(&signature, &scope,
                                                 other[i].scheme, &window, 0);

        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            continue;
        }

        if (ngx_http_webhook_other_hint(refused->request->pool,
                                        other[i].scheme, &hint)
            != NGX_OK)
        {
            d->failed = 1;
            break;
        }

        ngx_str_null(&found);

        set = &refused->suspects->keysets[other[i].family];

        supposed.scheme = other[i].scheme;
        d->refused = &supposed;
        d->hint = &found;

        for (n = 0; n < set->nkeys; n++) {
            ngx_http_webhook_suppose(d, &hint, &set->keys[n], &d->body);
        }

        d->refused = refused;
        d->hint = first;

        if (found.len == 0) {
            continue;
        }

        likelihood = ngx_http_webhook_likelihood(refused->request,
                                                 other[i].scheme);

        if (first->len == 0 || likelihood > most) {
            *first = found;
            most = likelihood;
        }
    }
}


/* the address as the provider may know it */

static void
ngx_http_webhook_suppose_urls(ngx_http_webhook_diagnosis_t *d)
{
    u_char              *p, *colon;
    ngx_str_t            host, bare, other, *name;
    ngx_uint_t           i, n;
    ngx_array_t         *names;
    ngx_list_part_t     *part;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    static ngx_str_t  https = ngx_string("https://");
    static ngx_str_t  http = ngx_string("http://");
    static ngx_str_t  sent = ngx_string("host");
    static ngx_str_t  forwarded = ngx_string("x_forwarded_host");

    r = d->refused->request;

    ngx_http_webhook_suppose_url(d, "url_scheme", &https, &http);

    /* $scheme, behind a proxy that ends TLS */

    ngx_http_webhook_suppose_url(d, "url_scheme", &http, &https);

    if (ngx_http_webhook_header(r, &sent, &host) == NGX_OK) {
        bare = host;

        colon = ngx_strlchr(host.data, host.data + host.len, ':');

        if (colon) {
            bare.len = colon - host.data;
        }

        part = NULL;
        h = ngx_http_webhook_next_header(r, &forwarded, &part, &n);

        if (h) {
            ngx_http_webhook_suppose_url(d, "url_host", &host, &h->value);
        }

        names = &d->refused->suspects->known->names;
        name = names->elts;

        n = ngx_min(names->nelts, NGX_HTTP_WEBHOOK_DIAGNOSE_NAMES);

        for (i = 0; i < n; i++) {
            if (name[i].len != bare.len
                || ngx_strncasecmp(name[i].data, bare.data, bare.len) != 0)
            {
                ngx_http_webhook_suppose_url(d, "url_host", &host, &name[i]);
            }
        }

        if (colon) {
            ngx_http_webhook_suppose_url(d, "url_port", &host, &bare);

        } else {
            other.len = host.len + sizeof(":443") - 1;
            other.data = ngx_pnalloc(d->pool, other.len);
            if (other.data == NULL) {
                d->failed = 1;
                return;
            }

            (void) ngx_sprintf(other.data, "%V:443", &host);

            ngx_http_webhook_suppose_url(d, "url_port", &host, &other);
        }
    }

    p = ngx_strlchr(r->unparsed_uri.data,
                    r->unparsed_uri.data + r->unparsed_uri.len, '?');

    if (p) {
        other.data = r->unparsed_uri.data;
        other.len = p - other.data;

        ngx_http_webhook_suppose_url(d, "url_query", &r->unparsed_uri, &other);
    }
}


static void
ngx_http_webhook_suppose_url(ngx_http_webhook_diagnosis_t *d, char *hint,
    ngx_str_t *from, ngx_str_t *to)
{
    if (from->len == 0) {
        return;
    }

    d->from = *from;
    d->to = *to;

    ngx_http_webhook_suppose_body(d, hint, &d->body);

    ngx_str_null(&d->from);
}


/* the body as it may have been before something changed it */

static void
ngx_http_webhook_suppose_bodies(ngx_http_webhook_diagnosis_t *d)
{
    u_char     *p;
    ngx_str_t   body, *room;

    body = d->body;
    room = &d->room;

    p = body.data + body.len;

    if (body.len && p[-1] == LF) {
        body.len -= (body.len > 1 && p[-2] == CR) ? 2 : 1;
        ngx_http_webhook_suppose_body(d, "body_newline_added", &body);
        body = d->body;
    }

    p = ngx_cpymem(room->data, body.data, body.len);
    *p = LF;

    room->len = body.len + 1;
    ngx_http_webhook_suppose_body(d, "body_newline_lost", room);

    if (body.len) {
        *p++ = CR;
        *p = LF;

        room->len = body.len + 2;
        ngx_http_webhook_suppose_body(d, "body_newline_lost", room);
    }

    ngx_http_webhook_body_line_ends(&body, room);
    ngx_http_webhook_suppose_body(d, "body_line_ends", room);

    if (body.len >= 3 && ngx_memcmp(body.data, "\xef\xbb\xbf", 3) == 0) {
        body.data += 3;
        body.len -= 3;
        ngx_http_webhook_suppose_body(d, "body_bom", &body);
        body = d->body;
    }

    if (body.len && (body.data[0] == '{' || body.data[0] == '[')) {
        ngx_http_webhook_body_blanks(&body, 0, room);
        ngx_http_webhook_suppose_body(d, "body_blanks", room);

        ngx_http_webhook_body_blanks(&body, 1, room);
        ngx_http_webhook_suppose_body(d, "body_blanks", room);

        ngx_http_webhook_body_slashes(&body, room);
        ngx_http_webhook_suppose_body(d, "body_slashes", room);
    }

    body.len = 0;
    ngx_http_webhook_suppose_body(d, "body_empty", &body);
}


/* with each of the keys that the location has */

static void
ngx_http_webhook_suppose_body(ngx_http_webhook_diagnosis_t *d, char *hint,
    ngx_str_t *body)
{
    ngx_str_t                       name;
    ngx_uint_t                      i;
    const ngx_http_webhook_keys_t  *keys;

    keys = d->refused->keys;

    name.data = (u_char *) hint;
    name.len = ngx_strlen(hint);

    for (i = 0; i < keys->nelts; i++) {
        if (keys->elts[i].ready) {
            ngx_http_webhook_suppose(d, &name, &keys->elts[i], body);
        }
    }
}


static void
ngx_http_webhook_suppose(ngx_http_webhook_diagnosis_t *d, ngx_str_t *hint,
    ngx_http_webhook_key_t *key, ngx_str_t *body)
{
    ngx_int_t                            rc;
    ngx_uint_t                           i;
    ngx_http_webhook_group_t            *group;
    const ngx_http_webhook_signature_t  *signature;

    signature = d->refused->signature;

    for (i = 0; i < signature->ngroups; i++) {
        group = &signature->groups[i];

        if (group->ncandidates == 0 || d->failed) {
            continue;
        }

        rc = ngx_http_webhook_fits(d, group, key, body);

        if (rc == NGX_ERROR) {
            d->failed = 1;
        }

        if (rc == NGX_OK && d->hint->len == 0) {
            *d->hint = *hint;
        }
    }
}


/* NGX_OK, NGX_DECLINED, which is also said of what is over a limit, or error */

static ngx_int_t
ngx_http_webhook_fits(ngx_http_webhook_diagnosis_t *d,
    ngx_http_webhook_group_t *group, ngx_http_webhook_key_t *key,
    ngx_str_t *body)
{
    u_char                               digest[NGX_HTTP_WEBHOOK_MAX_DIGEST];
    size_t                               work;
    ngx_int_t                            rc, found;
    ngx_str_t                            before, after, middle;
    ngx_uint_t                           i, n;
    EVP_MD_CTX                          *md;
    const ngx_http_webhook_scheme_t     *scheme;
    const ngx_http_webhook_algorithm_t  *algorithm;

    scheme = d->refused->scheme;
    algorithm = scheme->algorithm;

    before = group->before;
    after = group->after;
    middle = *body;

    if (d->from.len) {
        rc = ngx_http_webhook_around(d, &group->before, &before);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_webhook_around(d, &group->after, &after);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    n = 0;
    work = before.len + body->len + after.len;

    if (algorithm->verify || algorithm->check) {
        n = group->ncandidates * ngx_http_webhook_public_cost(key);
        work += n * NGX_HTTP_WEBHOOK_DIAGNOSE_COST;
    }

    if (d->digested + work > NGX_HTTP_WEBHOOK_DIAGNOSE_BYTES
        || d->verified + n > NGX_HTTP_WEBHOOK_DIAGNOSE_VERIFY)
    {
        return NGX_DECLINED;
    }

    d->digested += work;
    d->verified += n;

    if (scheme->bound) {
        rc = ngx_http_webhook_suppose_bound(d, body);
        if (rc != NGX_OK) {
            return rc;
        }

        middle.len = 0;

    } else if (scheme->form) {
        rc = ngx_http_webhook_form_sorted(d->pool, body,
                                          NGX_MAX_INT32_VALUE, &middle);
        if (rc != NGX_OK) {
            return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DECLINED;
        }

    } else if (scheme->body_hash
               && ngx_http_webhook_suppose_hash(d, body, &middle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (algorithm->verify) {
        return ngx_http_webhook_fits_whole(d, group, key, &before, &middle,
                                           &after);
    }

    md = NULL;

    if (algorithm->start) {

        md = algorithm->start(key);

        if (md == NULL
            || ngx_http_webhook_digest_update(md, before.data, before.len)
               != NGX_OK
            || ngx_http_webhook_digest_update(md, middle.data, middle.len)
               != NGX_OK
            || ngx_http_webhook_digest_update(md, after.data, after.len)
               != NGX_OK)
        {
            ngx_http_webhook_digest_free(md);
            return NGX_ERROR;
        }
    }

    rc = algorithm->check ? ngx_http_webhook_digest_final(md, digest)
                          : algorithm->final(key, md, digest);

    ngx_http_webhook_digest_free(md);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    found = NGX_DECLINED;

    for (i = 0; i < group->ncandidates; i++) {

        if (algorithm->check) {
            rc = algorithm->check(key, algorithm, digest,
                                  &group->candidates[i * algorithm->size],
                                  group->lengths[i], scheme->raw);
            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

        } else {
            rc = CRYPTO_memcmp(&group->candidates[i * algorithm->size], digest,
                               algorithm->size)
                 ? NGX_DECLINED : NGX_OK;
        }

        if (rc == NGX_OK) {
            found = NGX_OK;
        }
    }

    ngx_explicit_memzero(digest, sizeof(digest));

    return found;
}


static ngx_int_t
ngx_http_webhook_fits_whole(ngx_http_webhook_diagnosis_t *d,
    ngx_http_webhook_group_t *group, ngx_http_webhook_key_t *key,
    ngx_str_t *before, ngx_str_t *middle, ngx_str_t *after)
{
    ngx_int_t                            rc, found;
    ngx_str_t                            text;
    ngx_uint_t                           i;
    const ngx_http_webhook_algorithm_t  *algorithm;

    algorithm = d->refused->scheme->algorithm;

    text.data = ngx_pnalloc(d->pool, before->len + middle->len + after->len
                                     + 1);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    text.len = ngx_sprintf(text.data, "%V%V%V", before, middle, after)
               - text.data;

    found = NGX_DECLINED;

    for (i = 0; i < group->ncandidates; i++) {

        rc = algorithm->verify(key, &group->candidates[i * algorithm->size],
                               &text);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK) {
            found = NGX_OK;
        }
    }

    (void) ngx_pfree(d->pool, text.data);

    return found;
}


/* whether a body is the one that is bound by a hash */

static ngx_int_t
ngx_http_webhook_suppose_bound(ngx_http_webhook_diagnosis_t *d,
    ngx_str_t *body)
{
    u_char     buf[NGX_HTTP_WEBHOOK_MAX_DIGEST];
    ngx_str_t  sha256;

    sha256.data = buf;

    if (ngx_http_webhook_hash(EVP_sha256(), body, &sha256) != NGX_OK) {
        return NGX_ERROR;
    }

    return (CRYPTO_memcmp(buf, d->refused->signature->body_hash,
                          NGX_HTTP_WEBHOOK_SHA256_LEN)
            == 0)
           ? NGX_OK : NGX_DECLINED;
}


/* the hash that is signed in the place of a body */

static ngx_int_t
ngx_http_webhook_suppose_hash(ngx_http_webhook_diagnosis_t *d,
    ngx_str_t *body, ngx_str_t *hash)
{
    u_char     buf[NGX_HTTP_WEBHOOK_MAX_DIGEST];
    ngx_str_t  sha256;

    sha256.data = buf;

    hash->data = ngx_pnalloc(d->pool, 2 * NGX_HTTP_WEBHOOK_SHA256_LEN);
    if (hash->data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_webhook_hash(EVP_sha256(), body, &sha256) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_webhook_encode(hash, &sha256, d->refused->scheme->body_hash);

    return NGX_OK;
}


/* the text with what is to be replaced, NGX_DECLINED if that is not there */

static ngx_int_t
ngx_http_webhook_around(ngx_http_webhook_diagnosis_t *d, ngx_str_t *text,
    ngx_str_t *around)
{
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; p + d->from.len <= last; p++) {
        if (ngx_memcmp(p, d->from.data, d->from.len) == 0) {
            break;
        }
    }

    if (text->len < d->from.len || p + d->from.len > last) {
        return NGX_DECLINED;
    }

    around->data = ngx_pnalloc(d->pool, text->len + d->to.len);
    if (around->data == NULL) {
        return NGX_ERROR;
    }

    around->len = ngx_sprintf(around->data, "%*s%V%*s",
                              (size_t) (p - text->data), text->data, &d->to,
                              (size_t) (last - p - d->from.len),
                              p + d->from.len)
                  - around->data;

    return NGX_OK;
}
