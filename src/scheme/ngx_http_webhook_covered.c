
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the signature of a scheme covers: of the dedup key, and of what the
 * sender of a request chooses.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


static ngx_uint_t ngx_http_webhook_line_is_constant(
    ngx_http_webhook_line_t *line);
static ngx_uint_t ngx_http_webhook_part_is_chosen(
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_template_t *part);
static ngx_uint_t ngx_http_webhook_key_is_signed(
    ngx_http_webhook_scheme_t *scheme);


ngx_int_t
ngx_http_webhook_scheme_key_covered(ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t                    i, n, k;
    ngx_http_webhook_line_t      *line;
    ngx_http_webhook_piece_t     *piece;
    ngx_http_webhook_template_t  *part;

    if (scheme->dedup_key == NULL) {
        return NGX_OK;
    }

    if (scheme->algorithm->token) {
        return NGX_DECLINED;
    }

    if (ngx_http_webhook_key_is_signed(scheme)) {
        return NGX_OK;
    }

    line = scheme->dedup_key->elts;

    for (i = 0; i < scheme->dedup_key->nelts; i++) {

        for (n = 0; n < line[i].nparts; n++) {
            part = &line[i].parts[n];

            for (k = 0; k < part->npieces; k++) {
                piece = &part->pieces[k];

                if ((piece->type == NGX_HTTP_WEBHOOK_PIECE_JSON
                     && !scheme->form)
                    || piece->type == NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256
                    || ngx_http_webhook_signed_has(scheme, piece))
                {
                    goto covered;
                }
            }
        }

        return NGX_DECLINED;

    covered:

        continue;
    }

    return NGX_OK;
}


char *
ngx_http_webhook_scheme_key_fault(ngx_http_webhook_scheme_t *scheme,
    ngx_uint_t *level)
{
    ngx_uint_t                i;
    ngx_http_webhook_line_t  *line;

    *level = NGX_LOG_EMERG;

    line = scheme->dedup_key->elts;

    for (i = 0; i < scheme->dedup_key->nelts; i++) {
        if (ngx_http_webhook_line_is_constant(&line[i])) {
            return "the same for all events";
        }
    }

    if (ngx_http_webhook_scheme_key_covered(scheme) == NGX_OK) {
        return NULL;
    }

    if (scheme->algorithm->token) {
        *level = NGX_LOG_WARN;
    }

    return "not covered by a signature: whoever knows a request can repeat it "
           "under another key";
}


static ngx_uint_t
ngx_http_webhook_line_is_constant(ngx_http_webhook_line_t *line)
{
    ngx_uint_t  i, n;

    for (i = 0; i < line->nparts; i++) {
        for (n = 0; n < line->parts[i].npieces; n++) {
            if (line->parts[i].pieces[n].type
                != NGX_HTTP_WEBHOOK_PIECE_LITERAL)
            {
                return 0;
            }
        }
    }

    return 1;
}


ngx_int_t
ngx_http_webhook_scheme_chosen(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t                i, n, any, id;
    ngx_http_webhook_line_t  *line;

    scheme->chosen = NULL;

    if (scheme->dedup_key == NULL
        || scheme->algorithm->token
        || ngx_http_webhook_key_is_signed(scheme))
    {
        return NGX_OK;
    }

    id = ngx_http_webhook_lines_have(scheme->dedup_key,
                                     NGX_HTTP_WEBHOOK_PIECE_EVENT_ID)
         && !ngx_http_webhook_template_has(&scheme->signed_text,
                                         NGX_HTTP_WEBHOOK_PIECE_EVENT_ID);

    if (id && scheme->event_id) {
        line = scheme->event_id->elts;

        for (i = 0; i < scheme->event_id->nelts; i++) {
            for (n = 0; n < line[i].nparts; n++) {
                if (ngx_http_webhook_part_is_chosen(scheme, &line[i].parts[n]))
                {
                    return NGX_DECLINED;
                }
            }
        }
    }

    scheme->chosen = ngx_pcalloc(cf->pool, scheme->dedup_key->nelts
                                           * sizeof(ngx_uint_t));
    if (scheme->chosen == NULL) {
        return NGX_ERROR;
    }

    line = scheme->dedup_key->elts;
    any = 0;

    for (i = 0; i < scheme->dedup_key->nelts; i++) {
        for (n = 0; n < line[i].nparts; n++) {
            if (ngx_http_webhook_part_is_chosen(scheme, &line[i].parts[n])) {
                scheme->chosen[i] |= (ngx_uint_t) 1 << n;
                any = 1;
            }
        }
    }

    if (!any) {
        scheme->chosen = NULL;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webhook_part_is_chosen(ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_template_t *part)
{
    ngx_uint_t  i;

    for (i = 0; i < part->npieces; i++) {
        if (ngx_http_webhook_piece_is_chosen(&part->pieces[i])
            && !ngx_http_webhook_signed_has(scheme, &part->pieces[i]))
        {
            return 1;
        }
    }

    return 0;
}


/* whether the key is the event id, and that is signed as such */

static ngx_uint_t
ngx_http_webhook_key_is_signed(ngx_http_webhook_scheme_t *scheme)
{
    return scheme->dedup_key == scheme->event_id
           && ngx_http_webhook_template_has(&scheme->signed_text,
                                          NGX_HTTP_WEBHOOK_PIECE_EVENT_ID);
}


ngx_uint_t
ngx_http_webhook_signed_has(ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_piece_t *piece)
{
    ngx_uint_t                 i;
    ngx_http_webhook_piece_t  *held;

    if (piece->type == NGX_HTTP_WEBHOOK_PIECE_LITERAL) {
        return 0;
    }

    for (i = 0; i < scheme->signed_text.npieces; i++) {
        held = &scheme->signed_text.pieces[i];

        if (ngx_http_webhook_pieces_equal(held, piece)) {
            return 1;
        }

        if (held->type == NGX_HTTP_WEBHOOK_PIECE_EVENT_ID
            && (piece->type == NGX_HTTP_WEBHOOK_PIECE_HEADER
                || piece->type == NGX_HTTP_WEBHOOK_PIECE_FIELD)
            && scheme->event_id->nelts == 1
            && ngx_http_webhook_lines_hold(scheme->event_id, piece))
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_webhook_hash_covered(ngx_http_webhook_scheme_t *scheme)
{
    ngx_str_t                      *name;
    ngx_uint_t                      i;
    ngx_http_webhook_piece_t       *piece;
    ngx_http_webhook_body_bound_t  *bound;

    bound = scheme->bound;

    if (bound->source.type != NGX_HTTP_WEBHOOK_PIECE_QUERY) {
        return ngx_http_webhook_signed_has(scheme, &bound->source)
               ? NGX_OK : NGX_DECLINED;
    }

    for (i = 0; i < scheme->signed_text.npieces; i++) {

        piece = &scheme->signed_text.pieces[i];
        name = &piece->text;

        if (piece->type != NGX_HTTP_WEBHOOK_PIECE_VARIABLE) {
            continue;
        }

        /* what was sent, and what the request has now, may differ */

        if (name->len == sizeof("request_uri") - 1
            && ngx_strncmp(name->data, "request_uri", name->len) == 0)
        {
            scheme->sent_query = 1;
            return NGX_OK;
        }

        if ((name->len == sizeof("args") - 1
             && ngx_strncmp(name->data, "args", name->len) == 0)
            || (name->len == sizeof("query_string") - 1
                && ngx_strncmp(name->data, "query_string", name->len) == 0))
        {
            scheme->sent_query = 0;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
