
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the headers say of the signature: candidates, timestamps, and the text
 * around the body.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_signature.h"


#define NGX_HTTP_WEBHOOK_MAX_GROUPS  4


/* what reading the headers is about */

typedef struct {
    ngx_http_webhook_signature_t  *signature;
    ngx_http_webhook_scope_t      *scope;
    ngx_pool_t                    *pool;
    const ngx_http_webhook_scheme_t  *scheme;
    const ngx_http_webhook_window_t  *window;
} ngx_http_webhook_reading_t;


/* the value of a source, or a group of it */

typedef struct {
    ngx_str_t                      text;
    ngx_uint_t                     group;
} ngx_http_webhook_item_t;


/* one more than is looked at, so that it shows */

typedef struct {
    ngx_uint_t                     nelts;
    ngx_http_webhook_item_t        elts[NGX_HTTP_WEBHOOK_MAX_ITEMS + 1];
} ngx_http_webhook_values_t;


static ngx_http_webhook_reason_e ngx_http_webhook_read_signatures(
    ngx_http_webhook_reading_t *reading, ngx_http_webhook_reason_e *reasons);
static ngx_int_t ngx_http_webhook_source_values(
    ngx_http_webhook_reading_t *reading, ngx_http_webhook_template_t *source,
    ngx_http_webhook_values_t *values);
static void ngx_http_webhook_add_value(ngx_http_webhook_values_t *values,
    ngx_str_t *text, ngx_uint_t group);
static ngx_http_webhook_reason_e ngx_http_webhook_read_candidates(
    ngx_http_webhook_reading_t *reading, ngx_http_webhook_values_t *values,
    ngx_http_webhook_reason_e *reasons);
static ngx_int_t ngx_http_webhook_read_token(
    ngx_http_webhook_reading_t *reading, ngx_str_t *item, u_char *digest);
static ngx_http_webhook_reason_e ngx_http_webhook_read_timestamp(
    ngx_http_webhook_reading_t *reading, ngx_uint_t n);
static ngx_http_webhook_reason_e ngx_http_webhook_build_signed(
    ngx_http_webhook_reading_t *reading, ngx_http_webhook_group_t *group);
static ngx_http_webhook_reason_e ngx_http_webhook_signed_piece(
    ngx_http_webhook_reading_t *reading, ngx_http_webhook_group_t *group,
    ngx_http_webhook_piece_t *piece, ngx_str_t *value);


ngx_http_webhook_reason_e
ngx_http_webhook_read_signature(ngx_http_webhook_signature_t *signature,
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_scheme_t *scheme,
    const ngx_http_webhook_window_t *window, ngx_uint_t key)
{
    ngx_uint_t                   n;
    ngx_http_webhook_group_t    *group;
    ngx_http_webhook_reason_e    reason, reasons[NGX_HTTP_WEBHOOK_MAX_GROUPS];
    ngx_http_webhook_reading_t   reading;

    reading.signature = signature;
    reading.scope = scope;
    reading.scheme = scheme;
    reading.window = window;
    reading.pool = scope->request->pool;

    scope->fields = scheme->fields;

    reason = ngx_http_webhook_read_signatures(&reading, reasons);
    if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
        return reason;
    }

    /* a group that is wrong is skipped as long as another one is right */

    for (n = 0; n < signature->ngroups; n++) {
        group = &signature->groups[n];

        reason = reasons[n];

        if (reason == NGX_HTTP_WEBHOOK_REASON_NONE
            && scheme->timestamp && !scheme->timestamp_json)
        {
            reason = ngx_http_webhook_read_timestamp(&reading, n);
        }

        if (reason == NGX_HTTP_WEBHOOK_REASON_NONE) {
            reason = ngx_http_webhook_build_signed(&reading, group);
        }

        if (reason == NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR) {
            return reason;
        }

        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            group->ncandidates = 0;
        }

        reasons[n] = reason;
    }

    for (n = 0; n < signature->ngroups; n++) {
        if (reasons[n] == NGX_HTTP_WEBHOOK_REASON_NONE) {
            goto valid;
        }
    }

    return reasons[0];

valid:

    if (scheme->bound) {
        reason = ngx_http_webhook_read_body_hash(scope, scheme,
                                                 signature->body_hash);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }
    }

    if (scheme->form && ngx_http_webhook_check_form(scope) != NGX_OK) {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
    }

    if (!scheme->named_by_headers) {
        return NGX_HTTP_WEBHOOK_REASON_NONE;
    }

    reason = ngx_http_webhook_check_lines(scope, scheme->event_id);

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE) {
        reason = ngx_http_webhook_check_lines(scope, scheme->event_type);
    }

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE) {
        reason = ngx_http_webhook_check_lines(scope, scheme->dedup_key);
    }

    if (reason == NGX_HTTP_WEBHOOK_REASON_NONE && key && scheme->chosen) {
        reason = ngx_http_webhook_check_key(scope, scheme);
    }

    return reason;
}


static ngx_http_webhook_reason_e
ngx_http_webhook_read_signatures(ngx_http_webhook_reading_t *reading,
    ngx_http_webhook_reason_e *reasons)
{
    ngx_int_t                         rc;
    ngx_str_t                         piece;
    ngx_uint_t                        i, n, ngroups;
    ngx_http_webhook_cursor_t         cursor;
    ngx_http_webhook_values_t         values, all;
    ngx_http_webhook_template_t      *source;
    const ngx_http_webhook_cut_t     *cut;
    const ngx_http_webhook_scheme_t  *scheme;

    scheme = reading->scheme;
    cut = &scheme->signature_cut;

    values.nelts = 0;

    source = scheme->signature->elts;

    for (i = 0; i < scheme->signature->nelts; i++) {

        n = values.nelts;

        rc = ngx_http_webhook_source_values(reading, &source[i], &values);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        if (rc == NGX_ABORT
            || (values.nelts > n + 1 && cut->separator.len == 0))
        {
            return NGX_HTTP_WEBHOOK_REASON_MALFORMED_SIGNATURE;
        }
    }

    if (values.nelts == 0) {
        return NGX_HTTP_WEBHOOK_REASON_MISSING_SIGNATURE;
    }

    if (values.nelts > NGX_HTTP_WEBHOOK_MAX_ITEMS) {
        return NGX_HTTP_WEBHOOK_REASON_TOO_MANY_SIGNATURES;
    }

    ngroups = 1;

    if (cut->group.len) {

        /* each group is a value of its own */

        all = values;
        values.nelts = 0;

        for (i = 0; i < all.nelts; i++) {
            ngx_http_webhook_cursor(&cursor, &all.elts[i].text);

            while (ngx_http_webhook_next_piece(&cursor, &cut->group, &piece)
                   == NGX_OK)
            {
                if (piece.len == 0) {
                    continue;
                }

                if (values.nelts == NGX_HTTP_WEBHOOK_MAX_GROUPS) {
                    return NGX_HTTP_WEBHOOK_REASON_TOO_MANY_SIGNATURES;
                }

                ngx_http_webhook_add_value(&values, &piece, values.nelts);
            }
        }

        ngroups = values.nelts;

        if (ngroups == 0) {
            return NGX_HTTP_WEBHOOK_REASON_MALFORMED_SIGNATURE;
        }
    }

    reading->signature->groups = ngx_pcalloc(reading->pool,
                            ngroups * sizeof(ngx_http_webhook_group_t));
    if (reading->signature->groups == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    reading->signature->ngroups = ngroups;

    return ngx_http_webhook_read_candidates(reading, &values, reasons);
}


/*
 * Adds the values of a source: each line of a header, the value of any other
 * string if it has one.  A header line that is empty is a value nevertheless.
 * Returns NGX_OK, NGX_ABORT if a header within the string stands on several
 * lines, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_webhook_source_values(ngx_http_webhook_reading_t *reading,
    ngx_http_webhook_template_t *source, ngx_http_webhook_values_t *values)
{
    ngx_int_t         rc;
    ngx_str_t         text;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    if (source->npieces == 1
        && source->pieces[0].type == NGX_HTTP_WEBHOOK_PIECE_HEADER)
    {
        part = NULL;

        for ( ;; ) {
            h = ngx_http_webhook_next_header(reading->scope->request,
                                             &source->pieces[0].text,
                                             &part, &i);
            if (h == NULL) {
                return NGX_OK;
            }

            ngx_http_webhook_add_value(values, &h->value, 0);
        }
    }

    rc = ngx_http_webhook_template_value(reading->scope, source, &text);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_webhook_add_value(values, &text, 0);

    return NGX_OK;
}


static void
ngx_http_webhook_add_value(ngx_http_webhook_values_t *values,
    ngx_str_t *text, ngx_uint_t group)
{
    ngx_http_webhook_item_t  *value;

    if (values->nelts <= NGX_HTTP_WEBHOOK_MAX_ITEMS) {
        value = &values->elts[values->nelts++];

        value->text = *text;
        value->group = group;
    }
}


static ngx_http_webhook_reason_e
ngx_http_webhook_read_candidates(ngx_http_webhook_reading_t *reading,
    ngx_http_webhook_values_t *values, ngx_http_webhook_reason_e *reasons)
{
    size_t                            size, *length;
    u_char                           *buf;
    ngx_int_t                         rc, len;
    ngx_str_t                         item;
    ngx_uint_t                        i, nitems, ncandidates;
    ngx_http_webhook_item_t          *value;
    ngx_http_webhook_group_t         *group;
    ngx_http_webhook_cursor_t         cursor;
    const ngx_http_webhook_scheme_t  *scheme;

    scheme = reading->scheme;
    size = scheme->algorithm->size;

    nitems = 0;
    ncandidates = 0;
    buf = NULL;
    length = NULL;

    value = values->elts;

    for (i = 0; i < values->nelts; i++) {

        group = &reading->signature->groups[value[i].group];
        ngx_http_webhook_cursor(&cursor, &value[i].text);

        for ( ;; ) {
            rc = ngx_http_webhook_next_item(&cursor, &scheme->signature_cut,
                                            &item);
            if (rc == NGX_DONE) {
                break;
            }

            if (++nitems > NGX_HTTP_WEBHOOK_MAX_ITEMS) {
                return NGX_HTTP_WEBHOOK_REASON_TOO_MANY_SIGNATURES;
            }

            if (rc == NGX_DECLINED) {
                continue;
            }

            if (++ncandidates > scheme->algorithm->candidates) {
                return NGX_HTTP_WEBHOOK_REASON_TOO_MANY_SIGNATURES;
            }

            reading->signature->malformed = item.len;

            /* only a text of the exact length is worth decoding */

            len = size;

            if (!scheme->algorithm->token) {
                len = ngx_http_webhook_decoded_length(&item, scheme->encoding);

                if (len != (ngx_int_t) size
                    && (scheme->algorithm->check == NULL
                        || len <= 0 || len > (ngx_int_t) size))
                {
                    continue;
                }
            }

            if (scheme->algorithm->check && length == NULL) {

                length = ngx_palloc(reading->pool,
                                    scheme->algorithm->candidates
                                    * sizeof(size_t));
                if (length == NULL) {
                    return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
                }
            }

            if (buf == NULL) {

                /* two bytes more for the decoder, groups follow each other */

                buf = ngx_pnalloc(reading->pool,
                                  scheme->algorithm->candidates * size + 2);
                if (buf == NULL) {
                    return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
                }
            }

            if (scheme->algorithm->token) {

                rc = ngx_http_webhook_read_token(reading, &item, buf);

                if (rc == NGX_DECLINED) {
                    continue;
                }

                if (rc != NGX_OK) {
                    return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
                }

            } else if (ngx_http_webhook_decode(buf, &item, scheme->encoding)
                       != NGX_OK)
            {
                continue;
            }

            if (group->ncandidates++ == 0) {
                group->candidates = buf;
                group->lengths = length;
            }

            if (length) {
                *length++ = len;
            }

            buf += size;
        }
    }

    reading->signature->foreign = (ncandidates == 0
                                   && scheme->signature_cut.prefix.len);

    for (i = 0; i < reading->signature->ngroups; i++) {
        reasons[i] = reading->signature->groups[i].ncandidates
                     ? NGX_HTTP_WEBHOOK_REASON_NONE
                     : NGX_HTTP_WEBHOOK_REASON_MALFORMED_SIGNATURE;
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


/* what a token is compared by: NGX_OK, NGX_DECLINED or NGX_ERROR */

static ngx_int_t
ngx_http_webhook_read_token(ngx_http_webhook_reading_t *reading,
    ngx_str_t *item, u_char *digest)
{
    ngx_int_t                         len;
    ngx_str_t                         token;
    const ngx_http_webhook_scheme_t  *scheme;

    scheme = reading->scheme;
    token = *item;

    if (scheme->encoded) {
        len = ngx_http_webhook_decoded_length(item, scheme->encoding);

        if (len == NGX_ERROR) {
            return NGX_DECLINED;
        }

        token.len = len;
        token.data = ngx_pnalloc(reading->pool, len + 2);
        if (token.data == NULL) {
            return NGX_ERROR;
        }

        if (ngx_http_webhook_decode(token.data, item, scheme->encoding)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    if (token.len == 0) {
        return NGX_DECLINED;
    }

    return ngx_http_webhook_token_digest(&token, digest);
}


/* the timestamp of a group: of the first source that is present */

static ngx_http_webhook_reason_e
ngx_http_webhook_read_timestamp(ngx_http_webhook_reading_t *reading,
    ngx_uint_t n)
{
    ngx_int_t                         rc;
    ngx_str_t                         item, piece;
    ngx_uint_t                        i, k, nitems;
    ngx_http_webhook_item_t          *value;
    ngx_http_webhook_group_t         *group;
    ngx_http_webhook_cursor_t         cursor, groups;
    ngx_http_webhook_values_t         values;
    ngx_http_webhook_template_t      *source;
    const ngx_http_webhook_cut_t     *cut;
    const ngx_http_webhook_scheme_t  *scheme;

    scheme = reading->scheme;
    cut = &scheme->timestamp_cut;
    group = &reading->signature->groups[n];

    values.nelts = 0;

    source = scheme->timestamp->elts;

    for (i = 0; i < scheme->timestamp->nelts; i++) {

        rc = ngx_http_webhook_source_values(reading, &source[i], &values);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        if (rc == NGX_ABORT) {
            return NGX_HTTP_WEBHOOK_REASON_MALFORMED_TIMESTAMP;
        }

        if (values.nelts) {
            break;
        }
    }

    if (values.nelts == 0) {
        return NGX_HTTP_WEBHOOK_REASON_MISSING_TIMESTAMP;
    }

    if (values.nelts > 1 && cut->separator.len == 0 && cut->group.len == 0) {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_TIMESTAMP;
    }

    value = values.elts;
    nitems = 0;
    k = 0;

    for (i = 0; i < values.nelts; i++) {

        ngx_http_webhook_cursor(&groups, &value[i].text);

        while (ngx_http_webhook_next_piece(&groups, &cut->group, &piece)
               == NGX_OK)
        {
            if (cut->group.len && (piece.len == 0 || k++ != n)) {
                continue;
            }

            ngx_http_webhook_cursor(&cursor, &piece);

            for ( ;; ) {
                rc = ngx_http_webhook_next_item(&cursor, cut, &item);

                if (rc == NGX_DONE) {
                    break;
                }

                if (rc == NGX_OK) {
                    group->timestamp = item;
                    nitems++;
                }
            }
        }
    }

    if (nitems == 0) {
        return NGX_HTTP_WEBHOOK_REASON_MISSING_TIMESTAMP;
    }

    if (nitems > 1
        || ngx_http_webhook_parse_timestamp(&group->timestamp, scheme->unit,
                                            &group->time)
           != NGX_OK)
    {
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_TIMESTAMP;
    }

    group->age = ngx_time() - group->time;

    reading->signature->time = group->time;
    reading->signature->age = group->age;
    reading->signature->has_time = 1;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, reading->pool->log, 0,
                   "webhook age: %T", group->age);

    switch (ngx_http_webhook_check_window(reading->window, group->age, 0)) {

    case NGX_OK:
        return NGX_HTTP_WEBHOOK_REASON_NONE;

    case NGX_DECLINED:
        return NGX_HTTP_WEBHOOK_REASON_STALE_TIMESTAMP;

    default: /* NGX_ABORT */
        return NGX_HTTP_WEBHOOK_REASON_FUTURE_TIMESTAMP;
    }
}


/* the signed text of a group, but for the body */

static ngx_http_webhook_reason_e
ngx_http_webhook_build_signed(ngx_http_webhook_reading_t *reading,
    ngx_http_webhook_group_t *group)
{
    u_char                             *p;
    size_t                              len;
    ngx_str_t                          *values;
    ngx_uint_t                          i;
    ngx_http_webhook_piece_t           *piece;
    ngx_http_webhook_reason_e           reason;
    const ngx_http_webhook_template_t  *text;

    text = &reading->scheme->signed_text;

    if ((text->npieces == 1 && reading->scheme->bound == NULL)
        || reading->scheme->algorithm->token)
    {
        /* nothing but the body */

        return NGX_HTTP_WEBHOOK_REASON_NONE;
    }

    values = ngx_pcalloc(reading->pool, text->npieces * sizeof(ngx_str_t));
    if (values == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    len = 0;

    for (i = 0; i < text->npieces; i++) {
        piece = &text->pieces[i];

        reason = ngx_http_webhook_signed_piece(reading, group, piece,
                                               &values[i]);
        if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
            return reason;
        }

        len += values[i].len;
    }

    p = ngx_pnalloc(reading->pool, len + 1);
    if (p == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    group->before.data = p;

    for (i = 0; i < text->npieces; i++) {

        if (text->pieces[i].type == NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY
            || text->pieces[i].type == NGX_HTTP_WEBHOOK_PIECE_BODY_HASH
            || text->pieces[i].type == NGX_HTTP_WEBHOOK_PIECE_FORM)
        {
            group->before.len = p - group->before.data;
            group->after.data = p;
            continue;
        }

        ngx_memcpy(p, values[i].data, values[i].len);

        values[i].data = p;
        p += values[i].len;
    }

    if (reading->scheme->bound) {
        group->before.len = p - group->before.data;

    } else {
        group->after.len = p - group->after.data;
    }

    return (ngx_http_webhook_seams_check(reading->scheme, values, p,
                                         group->timestamp.len)
            == NGX_OK)
           ? NGX_HTTP_WEBHOOK_REASON_NONE
           : NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
}


static ngx_http_webhook_reason_e
ngx_http_webhook_signed_piece(ngx_http_webhook_reading_t *reading,
    ngx_http_webhook_group_t *group, ngx_http_webhook_piece_t *piece,
    ngx_str_t *value)
{
    ngx_int_t  rc;

    switch (piece->type) {

    case NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY:
    case NGX_HTTP_WEBHOOK_PIECE_BODY_HASH:
    case NGX_HTTP_WEBHOOK_PIECE_FORM:
        return NGX_HTTP_WEBHOOK_REASON_NONE;

    case NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP:
        *value = group->timestamp;
        return NGX_HTTP_WEBHOOK_REASON_NONE;

    case NGX_HTTP_WEBHOOK_PIECE_EVENT_ID:

        switch (ngx_http_webhook_lines_value(reading->scope,
                                             reading->scheme->event_id,
                                             NGX_MAX_SIZE_T_VALUE, value))
        {
        case NGX_HTTP_WEBHOOK_REASON_NONE:
            return NGX_HTTP_WEBHOOK_REASON_NONE;

        case NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR:
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;

        case NGX_HTTP_WEBHOOK_REASON_MISSING_ID:
            return NGX_HTTP_WEBHOOK_REASON_MISSING_FIELD;

        default:
            return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
        }

    default:
        rc = ngx_http_webhook_piece_value(reading->scope, piece, value);
        break;
    }

    switch (rc) {

    case NGX_OK:
        return NGX_HTTP_WEBHOOK_REASON_NONE;

    case NGX_DECLINED:
        return NGX_HTTP_WEBHOOK_REASON_MISSING_FIELD;

    case NGX_ABORT:
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;

    default: /* NGX_ERROR */
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }
}
