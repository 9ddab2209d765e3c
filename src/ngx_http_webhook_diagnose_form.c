
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the form of headers says alone: no digest is made.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_diagnose.h"
#include "ngx_http_webhook_public.h"


/* what is said of a signature that does not decode, the best first */

typedef enum {
    NGX_HTTP_WEBHOOK_FORM_RIGHT = 0,
    NGX_HTTP_WEBHOOK_FORM_ENCODING,
    NGX_HTTP_WEBHOOK_FORM_ALGORITHM,
    NGX_HTTP_WEBHOOK_FORM_PREFIX,
    NGX_HTTP_WEBHOOK_FORM_LENGTH,
    NGX_HTTP_WEBHOOK_FORM_NONE
} ngx_http_webhook_form_e;


static ngx_int_t ngx_http_webhook_other_scheme(
    ngx_http_webhook_refused_t *refused, ngx_str_t *hint);
static ngx_int_t ngx_http_webhook_count_headers(ngx_http_request_t *r,
    ngx_array_t *lines);
static ngx_http_webhook_form_e ngx_http_webhook_find_form(
    ngx_http_request_t *r, const ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *hint);
static ngx_http_webhook_form_e ngx_http_webhook_item_form(
    const ngx_http_webhook_scheme_t *scheme, ngx_str_t *item,
    ngx_str_t *hint);
static ngx_uint_t ngx_http_webhook_is_signature(
    const ngx_http_webhook_scheme_t *scheme, ngx_str_t *item);
static ngx_uint_t ngx_http_webhook_is_digest(ngx_str_t *item,
    ngx_http_webhook_encoding_e encoding, size_t size);
static ngx_uint_t ngx_http_webhook_is_encoded(ngx_str_t *item,
    ngx_http_webhook_encoding_e encoding);
static ngx_int_t ngx_http_webhook_find_unit(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme, ngx_str_t *hint);


static struct {
    ngx_http_webhook_encoding_e    encoding;
    ngx_str_t                      hint;

} ngx_http_webhook_encoding_hints[] = {
    { NGX_HTTP_WEBHOOK_ENCODING_HEX, ngx_string("encoding:hex") },
    { NGX_HTTP_WEBHOOK_ENCODING_BASE64, ngx_string("encoding:base64") },
    { NGX_HTTP_WEBHOOK_ENCODING_BASE64URL, ngx_string("encoding:base64url") },
    { NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX,
      ngx_string("encoding:base64-hex") },
};


static struct {
    size_t                         size;
    ngx_str_t                      hint;

} ngx_http_webhook_algorithm_hints[] = {
    { 16, ngx_string("algorithm:hmac-md5") },
    { 20, ngx_string("algorithm:hmac-sha1") },
    { 32, ngx_string("algorithm:hmac-sha256") },
    { 48, ngx_string("algorithm:hmac-sha384") },
    { 64, ngx_string("algorithm:hmac-sha512") },
};


static struct {
    ngx_http_webhook_unit_e        unit;
    ngx_str_t                      hint;

} ngx_http_webhook_unit_hints[] = {
    { NGX_HTTP_WEBHOOK_UNIT_SECONDS, ngx_string("unit:s") },
    { NGX_HTTP_WEBHOOK_UNIT_MILLISECONDS, ngx_string("unit:ms") },
    { NGX_HTTP_WEBHOOK_UNIT_RFC3339, ngx_string("unit:rfc3339") },
    { NGX_HTTP_WEBHOOK_UNIT_ISO8601, ngx_string("unit:iso8601") },
    { NGX_HTTP_WEBHOOK_UNIT_HTTP, ngx_string("unit:http") },
};


ngx_int_t
ngx_http_webhook_diagnose_form(ngx_http_webhook_refused_t *refused,
    ngx_str_t *hint)
{
    ngx_int_t  rc;

    rc = ngx_http_webhook_other_scheme(refused, hint);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    switch (refused->reason) {

    case NGX_HTTP_WEBHOOK_REASON_MALFORMED_SIGNATURE:

        switch (ngx_http_webhook_find_form(refused->request, refused->scheme,
                                           hint))
        {
        case NGX_HTTP_WEBHOOK_FORM_PREFIX:
            ngx_str_set(hint, "prefix");
            return NGX_OK;

        case NGX_HTTP_WEBHOOK_FORM_LENGTH:
            ngx_str_set(hint, "length");
            return NGX_OK;

        case NGX_HTTP_WEBHOOK_FORM_ENCODING:
        case NGX_HTTP_WEBHOOK_FORM_ALGORITHM:
            return NGX_OK;

        default:
            return NGX_DECLINED;
        }

    case NGX_HTTP_WEBHOOK_REASON_MALFORMED_TIMESTAMP:
        return ngx_http_webhook_find_unit(refused->request, refused->scheme,
                                          hint);

    default:
        return NGX_DECLINED;
    }
}


/* a built-in scheme whose signature is there, and decodes */

static ngx_int_t
ngx_http_webhook_other_scheme(ngx_http_webhook_refused_t *refused,
    ngx_str_t *hint)
{
    ngx_int_t                         likelihood, most;
    ngx_uint_t                        i;
    ngx_array_t                      *others;
    ngx_http_webhook_other_t         *other;
    ngx_http_webhook_scheme_t        *best;
    const ngx_http_webhook_scheme_t  *scheme;

    scheme = refused->scheme;

    if (ngx_http_webhook_has_form(refused->request, scheme)) {
        return NGX_DECLINED;
    }

    others = &refused->suspects->known->others;
    other = others->elts;

    best = NULL;
    most = 0;

    for (i = 0; i < others->nelts; i++) {

        if (other[i].scheme == scheme
            || !ngx_http_webhook_has_form(refused->request, other[i].scheme))
        {
            continue;
        }

        likelihood = ngx_http_webhook_likelihood(refused->request,
                                                 other[i].scheme);

        if (best == NULL || likelihood > most) {
            best = other[i].scheme;
            most = likelihood;
        }
    }

    return best ? ngx_http_webhook_other_hint(refused->request->pool, best,
                                              hint)
                : NGX_DECLINED;
}


ngx_int_t
ngx_http_webhook_likelihood(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme)
{
    ngx_int_t  n;

    n = ngx_http_webhook_count_headers(r, scheme->event_id)
        + ngx_http_webhook_count_headers(r, scheme->event_type);

    /* what knows no type of events is the last that is thought of */

    return 2 * n + (scheme->event_type != NULL);
}


/* of those in the lines, those that are there less those that are not */

static ngx_int_t
ngx_http_webhook_count_headers(ngx_http_request_t *r, ngx_array_t *lines)
{
    ngx_int_t                  count;
    ngx_uint_t                 i, k, n, unused;
    ngx_list_part_t           *part;
    ngx_http_webhook_line_t   *line;
    ngx_http_webhook_piece_t  *piece;

    if (lines == NULL) {
        return 0;
    }

    count = 0;
    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {

        for (k = 0; k < line[i].nparts; k++) {

            piece = line[i].parts[k].pieces;

            for (n = 0; n < line[i].parts[k].npieces; n++) {

                if (piece[n].type != NGX_HTTP_WEBHOOK_PIECE_HEADER) {
                    continue;
                }

                part = NULL;

                count += ngx_http_webhook_next_header(r, &piece[n].text, &part,
                                                      &unused)
                         ? 1 : -1;
            }
        }
    }

    return count;
}


ngx_uint_t
ngx_http_webhook_has_form(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme)
{
    ngx_str_t  unused;

    return ngx_http_webhook_find_form(r, scheme, &unused)
           == NGX_HTTP_WEBHOOK_FORM_RIGHT;
}


ngx_int_t
ngx_http_webhook_other_hint(ngx_pool_t *pool,
    ngx_http_webhook_scheme_t *scheme, ngx_str_t *hint)
{
    hint->len = sizeof("other_scheme:") - 1 + scheme->name.len;
    hint->data = ngx_pnalloc(pool, hint->len);
    if (hint->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(hint->data, "other_scheme:%V", &scheme->name);

    return NGX_OK;
}


/* the best that can be said of the signatures of a scheme, if there are any */

static ngx_http_webhook_form_e
ngx_http_webhook_find_form(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme, ngx_str_t *hint)
{
    ngx_int_t                      rc;
    ngx_str_t                      item, whole;
    ngx_uint_t                     i, n;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h;
    ngx_http_webhook_form_e        form, best;
    ngx_http_webhook_cursor_t      cursor, pieces;
    ngx_http_webhook_template_t   *source;
    const ngx_http_webhook_cut_t  *cut;

    best = NGX_HTTP_WEBHOOK_FORM_NONE;
    cut = &scheme->signature_cut;
    source = scheme->signature->elts;

    for (i = 0; i < scheme->signature->nelts; i++) {

        if (source[i].npieces != 1
            || source[i].pieces[0].type != NGX_HTTP_WEBHOOK_PIECE_HEADER)
        {
            continue;
        }

        part = NULL;

        for ( ;; ) {
            h = ngx_http_webhook_next_header(r, &source[i].pieces[0].text,
                                             &part, &n);
            if (h == NULL) {
                break;
            }

            ngx_http_webhook_cursor(&cursor, &h->value);
            ngx_http_webhook_cursor(&pieces, &h->value);

            for ( ;; ) {
                rc = ngx_http_webhook_next_item(&cursor, cut, &item);

                if (rc == NGX_DONE) {
                    break;
                }

                if (rc == NGX_OK) {
                    form = ngx_http_webhook_item_form(scheme, &item, hint);
                    best = ngx_min(best, form);
                }
            }

            while (cut->prefix.len
                   && ngx_http_webhook_next_piece(&pieces, &cut->separator,
                                                  &whole)
                      == NGX_OK)
            {
                if (ngx_http_webhook_is_signature(scheme, &whole)) {
                    best = ngx_min(best, NGX_HTTP_WEBHOOK_FORM_PREFIX);
                }
            }
        }
    }

    return best;
}


static ngx_http_webhook_form_e
ngx_http_webhook_item_form(const ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *item, ngx_str_t *hint)
{
    size_t      size;
    ngx_uint_t  i, n;

    size = scheme->algorithm->size;

    if (scheme->algorithm->token || item->len == 0) {
        return NGX_HTTP_WEBHOOK_FORM_NONE;
    }

    if (ngx_http_webhook_is_signature(scheme, item)) {
        return NGX_HTTP_WEBHOOK_FORM_RIGHT;
    }

    n = sizeof(ngx_http_webhook_encoding_hints)
        / sizeof(ngx_http_webhook_encoding_hints[0]);

    for (i = 0; i < n; i++) {
        if (ngx_http_webhook_is_digest(item,
                                 ngx_http_webhook_encoding_hints[i].encoding,
                                 size))
        {
            *hint = ngx_http_webhook_encoding_hints[i].hint;
            return NGX_HTTP_WEBHOOK_FORM_ENCODING;
        }
    }

    n = sizeof(ngx_http_webhook_algorithm_hints)
        / sizeof(ngx_http_webhook_algorithm_hints[0]);

    for (i = 0; i < n; i++) {
        if (ngx_http_webhook_is_digest(item, scheme->encoding,
                                 ngx_http_webhook_algorithm_hints[i].size))
        {
            *hint = ngx_http_webhook_algorithm_hints[i].hint;
            return NGX_HTTP_WEBHOOK_FORM_ALGORITHM;
        }
    }

    return ngx_http_webhook_is_encoded(item, scheme->encoding)
           ? NGX_HTTP_WEBHOOK_FORM_LENGTH : NGX_HTTP_WEBHOOK_FORM_NONE;
}


static ngx_uint_t
ngx_http_webhook_is_signature(const ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *item)
{
    u_char     buf[NGX_HTTP_WEBHOOK_MAX_SIGNATURE + 2];
    ngx_int_t  len;

    if (scheme->algorithm->check == NULL) {
        return ngx_http_webhook_is_digest(item, scheme->encoding,
                                          scheme->algorithm->size);
    }

    /* how long one of RSA or ECDSA is, its key says */

    len = ngx_http_webhook_decoded_length(item, scheme->encoding);

    return len > 0 && len <= (ngx_int_t) scheme->algorithm->size
           && ngx_http_webhook_decode(buf, item, scheme->encoding) == NGX_OK;
}


static ngx_uint_t
ngx_http_webhook_is_digest(ngx_str_t *item,
    ngx_http_webhook_encoding_e encoding, size_t size)
{
    u_char  buf[NGX_HTTP_WEBHOOK_MAX_DIGEST + 2];

    return size <= NGX_HTTP_WEBHOOK_MAX_DIGEST
           && ngx_http_webhook_decoded_length(item, encoding)
              == (ngx_int_t) size
           && ngx_http_webhook_decode(buf, item, encoding) == NGX_OK;
}


static ngx_uint_t
ngx_http_webhook_is_encoded(ngx_str_t *item,
    ngx_http_webhook_encoding_e encoding)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < item->len; i++) {
        c = item->data[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
            || (c >= 'A' && c <= 'F'))
        {
            continue;
        }

        if (encoding == NGX_HTTP_WEBHOOK_ENCODING_HEX
            || ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
                && c != '+' && c != '/' && c != '-' && c != '_' && c != '='))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_webhook_find_unit(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme, ngx_str_t *hint)
{
    time_t                        time;
    ngx_int_t                     rc;
    ngx_str_t                     item;
    ngx_uint_t                    i, n, k, nunits;
    ngx_list_part_t              *part;
    ngx_table_elt_t              *h;
    ngx_http_webhook_cursor_t     cursor;
    ngx_http_webhook_template_t  *source;

    source = scheme->timestamp->elts;

    nunits = sizeof(ngx_http_webhook_unit_hints)
             / sizeof(ngx_http_webhook_unit_hints[0]);

    for (i = 0; i < scheme->timestamp->nelts; i++) {

        if (source[i].npieces != 1
            || source[i].pieces[0].type != NGX_HTTP_WEBHOOK_PIECE_HEADER)
        {
            continue;
        }

        part = NULL;

        h = ngx_http_webhook_next_header(r, &source[i].pieces[0].text, &part,
                                         &n);
        if (h == NULL) {
            continue;
        }

        ngx_http_webhook_cursor(&cursor, &h->value);

        for ( ;; ) {
            rc = ngx_http_webhook_next_item(&cursor, &scheme->timestamp_cut,
                                            &item);
            if (rc == NGX_DONE) {
                break;
            }

            for (k = 0; rc == NGX_OK && k < nunits; k++) {
                if (ngx_http_webhook_parse_timestamp(&item,
                                    ngx_http_webhook_unit_hints[k].unit, &time)
                    == NGX_OK)
                {
                    *hint = ngx_http_webhook_unit_hints[k].hint;
                    return NGX_OK;
                }
            }
        }
    }

    return NGX_DECLINED;
}


ngx_uint_t
ngx_http_webhook_is_compressed(ngx_http_request_t *r)
{
    ngx_uint_t        n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("content_encoding");

    part = NULL;
    h = ngx_http_webhook_next_header(r, &name, &part, &n);

    return h && h->value.len
           && (h->value.len != sizeof("identity") - 1
               || ngx_strncasecmp(h->value.data, (u_char *) "identity",
                                  h->value.len)
                  != 0);
}
