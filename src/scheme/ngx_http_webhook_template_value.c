
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Values of the templates that a scheme is made of, in a request.
 *
 * Headers are looked up line by line: whether $http_name joins several lines
 * depends on the version of nginx.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_digest.h"
#include "ngx_http_webhook_form.h"
#include "ngx_http_webhook_template.h"


static ngx_http_webhook_reason_e ngx_http_webhook_part_value(
    ngx_http_webhook_scope_t *scope, ngx_http_webhook_template_t *part,
    size_t limit, ngx_str_t *value);
static ngx_int_t ngx_http_webhook_field_value(ngx_http_webhook_scope_t *scope,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_webhook_source_item(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_template_t *source, const ngx_http_webhook_cut_t *cut,
    ngx_str_t *item);
static ngx_uint_t ngx_http_webhook_count_items(ngx_str_t *value,
    const ngx_http_webhook_cut_t *cut, ngx_str_t *item);
static ngx_int_t ngx_http_webhook_authority(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_uint_t ngx_http_webhook_is_other_host(ngx_http_request_t *r,
    ngx_table_elt_t *h);


ngx_http_webhook_reason_e
ngx_http_webhook_lines_value(ngx_http_webhook_scope_t *scope,
    ngx_array_t *lines, size_t limit, ngx_str_t *value)
{
    u_char                     *p;
    size_t                      len;
    ngx_str_t                   parts[NGX_HTTP_WEBHOOK_MAX_PARTS];
    ngx_uint_t                  i, nparts;
    ngx_http_webhook_reason_e   reason;

    ngx_str_null(value);

    reason = ngx_http_webhook_lines_parts(scope, lines, limit, parts, &nparts);
    if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
        return reason;
    }

    if (nparts == 1) {
        *value = parts[0];
        return NGX_HTTP_WEBHOOK_REASON_NONE;
    }

    len = nparts - 1;

    for (i = 0; i < nparts; i++) {
        len += parts[i].len;
    }

    p = ngx_pnalloc(scope->request->pool, len);
    if (p == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    value->data = p;
    value->len = len;

    for (i = 0; i < nparts; i++) {
        if (i) {
            *p++ = ':';
        }

        p = ngx_cpymem(p, parts[i].data, parts[i].len);
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


ngx_http_webhook_reason_e
ngx_http_webhook_lines_parts(ngx_http_webhook_scope_t *scope,
    ngx_array_t *lines, size_t limit, ngx_str_t *parts, ngx_uint_t *nparts)
{
    ngx_uint_t                  i, n;
    ngx_http_webhook_line_t    *line;
    ngx_http_webhook_reason_e   reason, first;

    first = NGX_HTTP_WEBHOOK_REASON_MISSING_ID;

    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {

        reason = NGX_HTTP_WEBHOOK_REASON_NONE;

        for (n = 0; n < line[i].nparts; n++) {
            reason = ngx_http_webhook_part_value(scope, &line[i].parts[n],
                                                 limit, &parts[n]);
            if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
                break;
            }
        }

        switch (reason) {

        case NGX_HTTP_WEBHOOK_REASON_NONE:
            *nparts = line[i].nparts;
            return NGX_HTTP_WEBHOOK_REASON_NONE;

        case NGX_HTTP_WEBHOOK_REASON_AMBIGUOUS_JSON:
        case NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR:
            return reason;

        default:
            if (first == NGX_HTTP_WEBHOOK_REASON_MISSING_ID) {
                first = reason;
            }
        }
    }

    return first;
}


static ngx_http_webhook_reason_e
ngx_http_webhook_part_value(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_template_t *part, size_t limit, ngx_str_t *value)
{
    size_t                     i;
    ngx_int_t                  rc;
    ngx_http_webhook_piece_t  *piece;

    rc = ngx_http_webhook_template_value(scope, part, value);

    piece = part->pieces;

    if (piece->type == NGX_HTTP_WEBHOOK_PIECE_JSON && rc != NGX_OK) {

        if (rc == NGX_ABORT) {
            return NGX_HTTP_WEBHOOK_REASON_AMBIGUOUS_JSON;
        }

        return scope->json ? scope->json : NGX_HTTP_WEBHOOK_REASON_MISSING_ID;
    }

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return NGX_HTTP_WEBHOOK_REASON_MISSING_ID;

    case NGX_ABORT:
        return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;

    default: /* NGX_ERROR */
        return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
    }

    if (value->len > limit) {
        return NGX_HTTP_WEBHOOK_REASON_ID_TOO_LONG;
    }

    /* with control characters it counts as absent, as in JSON */

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < 0x20 || value->data[i] == 0x7f) {
            return NGX_HTTP_WEBHOOK_REASON_MISSING_ID;
        }
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


ngx_int_t
ngx_http_webhook_template_value(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_template_t *template, ngx_str_t *value)
{
    u_char      *p;
    size_t       len;
    ngx_int_t    rc;
    ngx_str_t   *values;
    ngx_uint_t   i;

    if (template->npieces == 1) {
        return ngx_http_webhook_piece_value(scope, template->pieces, value);
    }

    values = ngx_palloc(scope->request->pool,
                        template->npieces * sizeof(ngx_str_t));
    if (values == NULL) {
        return NGX_ERROR;
    }

    len = 0;

    for (i = 0; i < template->npieces; i++) {

        rc = ngx_http_webhook_piece_value(scope, &template->pieces[i],
                                          &values[i]);
        if (rc != NGX_OK) {
            return rc;
        }

        len += values[i].len;
    }

    p = ngx_pnalloc(scope->request->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    value->len = len;

    for (i = 0; i < template->npieces; i++) {
        p = ngx_cpymem(p, values[i].data, values[i].len);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_piece_value(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_piece_t *piece, ngx_str_t *value)
{
    ngx_http_variable_value_t  *vv;

    switch (piece->type) {

    case NGX_HTTP_WEBHOOK_PIECE_LITERAL:
        *value = piece->text;
        return NGX_OK;

    case NGX_HTTP_WEBHOOK_PIECE_HEADER:
        return ngx_http_webhook_header(scope->request, &piece->text, value);

    case NGX_HTTP_WEBHOOK_PIECE_VARIABLE:

        /* what a map does not find for lack of memory shows only in errno */

        ngx_set_errno(0);

        vv = ngx_http_get_flushed_variable(scope->request, piece->index);

        if (vv == NULL || ngx_errno == NGX_ENOMEM) {
            return NGX_ERROR;
        }

        if (vv->not_found || vv->len == 0) {
            ngx_str_null(value);
            return NGX_DECLINED;
        }

        value->data = vv->data;
        value->len = vv->len;

        return NGX_OK;

    case NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP:
        *value = scope->timestamp;
        break;

    case NGX_HTTP_WEBHOOK_PIECE_EVENT_ID:
        *value = scope->event_id;
        break;

    case NGX_HTTP_WEBHOOK_PIECE_FIELD:
        return ngx_http_webhook_field_value(scope, &piece->text, value);

    case NGX_HTTP_WEBHOOK_PIECE_JSON:

        if (scope->values == NULL) {
            return NGX_DECLINED;
        }

        if (scope->values[piece->index].ambiguous) {
            return NGX_ABORT;
        }

        *value = scope->values[piece->index].text;
        break;

    case NGX_HTTP_WEBHOOK_PIECE_QUERY:
        return ngx_http_webhook_form_value(scope->request->pool,
                                           &scope->request->args,
                                           &piece->text, value);

    default: /* NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256 */

        if (scope->body_sha256 == NULL) {
            return NGX_DECLINED;
        }

        value->len = 2 * NGX_HTTP_WEBHOOK_SHA256_LEN;
        value->data = ngx_pnalloc(scope->request->pool, value->len);
        if (value->data == NULL) {
            return NGX_ERROR;
        }

        ngx_hex_dump(value->data, scope->body_sha256,
                     NGX_HTTP_WEBHOOK_SHA256_LEN);

        return NGX_OK;
    }

    return value->len ? NGX_OK : NGX_DECLINED;
}


/* of several sources, the first that is present */

static ngx_int_t
ngx_http_webhook_field_value(ngx_http_webhook_scope_t *scope, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i;
    ngx_http_webhook_field_t     *field;
    ngx_http_webhook_template_t  *source;

    ngx_str_null(value);

    field = scope->fields->elts;

    while (field->name.len != name->len
           || ngx_strncmp(field->name.data, name->data, name->len) != 0)
    {
        field++;
    }

    source = field->sources->elts;

    for (i = 0; i < field->sources->nelts; i++) {

        rc = ngx_http_webhook_source_item(scope, &source[i], &field->cut,
                                          value);
        if (rc != NGX_DONE) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


/* as ngx_http_webhook_piece_value(), or NGX_DONE if there is no source */

static ngx_int_t
ngx_http_webhook_source_item(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_template_t *source, const ngx_http_webhook_cut_t *cut,
    ngx_str_t *item)
{
    ngx_int_t         rc;
    ngx_str_t         text;
    ngx_uint_t        i, n, lines;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 0;

    if (source->npieces == 1
        && source->pieces[0].type == NGX_HTTP_WEBHOOK_PIECE_HEADER)
    {
        part = NULL;

        for (lines = 0; /* void */ ; lines++) {

            h = ngx_http_webhook_next_header(scope->request,
                                             &source->pieces[0].text, &part,
                                             &i);
            if (h == NULL) {
                break;
            }

            n += ngx_http_webhook_count_items(&h->value, cut, item);
        }

        if (lines == 0) {
            return NGX_DONE;
        }

        if (lines > 1 && cut->separator.len == 0) {
            return NGX_ABORT;
        }

    } else {
        rc = ngx_http_webhook_template_value(scope, source, &text);

        if (rc != NGX_OK) {
            return (rc == NGX_DECLINED) ? NGX_DONE : rc;
        }

        n = ngx_http_webhook_count_items(&text, cut, item);
    }

    if (n > 1) {
        return NGX_ABORT;
    }

    return (n && item->len) ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
ngx_http_webhook_count_items(ngx_str_t *value,
    const ngx_http_webhook_cut_t *cut, ngx_str_t *item)
{
    ngx_int_t                  rc;
    ngx_str_t                  text;
    ngx_uint_t                 n;
    ngx_http_webhook_cursor_t  cursor;

    n = 0;

    ngx_http_webhook_cursor(&cursor, value);

    for ( ;; ) {
        rc = ngx_http_webhook_next_item(&cursor, cut, &text);

        if (rc == NGX_DONE) {
            return n;
        }

        if (rc == NGX_OK) {
            *item = text;
            n++;
        }
    }
}


ngx_int_t
ngx_http_webhook_complex_value(ngx_http_webhook_scope_t *scope,
    ngx_http_complex_value_t *cv, ngx_str_t *value)
{
    ngx_set_errno(0);

    if (ngx_http_complex_value(scope->request, cv, value) != NGX_OK
        || ngx_errno == NGX_ENOMEM)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_webhook_next_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_list_part_t **part, ngx_uint_t *i)
{
    u_char            ch;
    ngx_uint_t        n;
    ngx_table_elt_t  *h;

    if (*part == NULL) {
        *part = &r->headers_in.headers.part;
        *i = 0;
    }

    for ( ;; (*i)++) {

        if (*i >= (*part)->nelts) {
            if ((*part)->next == NULL) {
                return NULL;
            }

            *part = (*part)->next;
            *i = 0;
        }

        h = (ngx_table_elt_t *) (*part)->elts + *i;

        if (h->hash == 0 || h->key.len != name->len) {
            continue;
        }

        for (n = 0; n < name->len; n++) {
            ch = h->lowcase_key[n];

            if ((ch == '-' ? '_' : ch) != name->data[n]) {
                break;
            }
        }

        if (n == name->len) {
            (*i)++;
            return h;
        }
    }
}


ngx_int_t
ngx_http_webhook_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_str_null(value);

    part = NULL;

    h = ngx_http_webhook_next_header(r, name, &part, &i);

    if (h == NULL) {
        return ngx_http_webhook_authority(r, name, value);
    }

    *value = h->value;

    if (ngx_http_webhook_next_header(r, name, &part, &i)
        || ngx_http_webhook_is_other_host(r, h))
    {
        return NGX_ABORT;
    }

    return value->len ? NGX_OK : NGX_DECLINED;
}


/* nginx makes a header of the host in HTTP/2, and none of that in HTTP/3 */

static ngx_int_t
ngx_http_webhook_authority(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
#if (nginx_version >= 1025000)

    if (r->http_version == NGX_HTTP_VERSION_30
        && r->host_start != NULL
        && name->len == sizeof("host") - 1
        && ngx_strncmp(name->data, "host", sizeof("host") - 1) == 0)
    {
        value->data = r->host_start;
        value->len = r->host_end - r->host_start;

        return value->len ? NGX_OK : NGX_DECLINED;
    }

#endif

    return NGX_DECLINED;
}


/*
 * A host in the request line is the one by which the server was chosen, and
 * nginx leaves the header as it is.
 */

static ngx_uint_t
ngx_http_webhook_is_other_host(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    u_char  *p;
    size_t   len;

    if (h != r->headers_in.host || r->host_start == NULL
        || r->host_end == NULL)
    {
        return 0;
    }

    p = r->host_end;
    len = p - r->host_start;

    /* nginx 1.29.4 and later count the port to it, which chooses nothing */

    while (p > r->host_start && p[-1] >= '0' && p[-1] <= '9') {
        p--;
    }

    if (p > r->host_start && p[-1] == ':') {
        len = p - 1 - r->host_start;
    }

    return h->value.len < len
           || ngx_strncasecmp(h->value.data, r->host_start, len) != 0
           || (h->value.len > len && h->value.data[len] != ':');
}
