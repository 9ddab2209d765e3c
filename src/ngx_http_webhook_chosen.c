
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What ids, types and dedup keys are made of, where the sender chooses it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_signature.h"


static ngx_http_webhook_reason_e ngx_http_webhook_check_part(
    ngx_http_webhook_scope_t *scope, ngx_http_webhook_template_t *part);


ngx_http_webhook_reason_e
ngx_http_webhook_check_lines(ngx_http_webhook_scope_t *scope,
    ngx_array_t *lines)
{
    ngx_str_t                     value;
    ngx_uint_t                    i, n, k;
    ngx_http_webhook_line_t      *line;
    ngx_http_webhook_piece_t     *piece;
    ngx_http_webhook_template_t  *part;

    if (lines == NULL) {
        return NGX_HTTP_WEBHOOK_REASON_NONE;
    }

    line = lines->elts;

    for (i = 0; i < lines->nelts; i++) {
        for (n = 0; n < line[i].nparts; n++) {
            part = &line[i].parts[n];

            for (k = 0; k < part->npieces; k++) {
                piece = &part->pieces[k];

                if ((piece->type == NGX_HTTP_WEBHOOK_PIECE_HEADER
                     || piece->type == NGX_HTTP_WEBHOOK_PIECE_FIELD)
                    && ngx_http_webhook_piece_value(scope, piece, &value)
                       == NGX_ABORT)
                {
                    return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
                }
            }
        }
    }

    return NGX_HTTP_WEBHOOK_REASON_NONE;
}


ngx_http_webhook_reason_e
ngx_http_webhook_check_key(ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t                  i, n;
    ngx_http_webhook_line_t    *line;
    ngx_http_webhook_reason_e   reason, first;

    first = NGX_HTTP_WEBHOOK_REASON_NONE;

    line = scheme->dedup_key->elts;

    for (i = 0; i < scheme->dedup_key->nelts; i++) {

        reason = NGX_HTTP_WEBHOOK_REASON_NONE;

        for (n = 0; n < line[i].nparts; n++) {

            if (!(scheme->chosen[i] & ((ngx_uint_t) 1 << n))) {
                continue;
            }

            reason = ngx_http_webhook_check_part(scope, &line[i].parts[n]);
            if (reason != NGX_HTTP_WEBHOOK_REASON_NONE) {
                break;
            }
        }

        if (reason == NGX_HTTP_WEBHOOK_REASON_NONE
            || reason == NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR)
        {
            return reason;
        }

        if (first != NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD) {
            first = reason;
        }
    }

    return first;
}


static ngx_http_webhook_reason_e
ngx_http_webhook_check_part(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_template_t *part)
{
    size_t                     len;
    ngx_str_t                  value;
    ngx_uint_t                 i;
    ngx_http_webhook_piece_t  *piece;

    len = 0;

    for (i = 0; i < part->npieces; i++) {
        piece = &part->pieces[i];

        if (piece->type == NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP
            || piece->type == NGX_HTTP_WEBHOOK_PIECE_EVENT_ID)
        {
            /* signed, and not known yet */

            continue;
        }

        switch (ngx_http_webhook_piece_value(scope, piece, &value)) {

        case NGX_OK:
            break;

        case NGX_DECLINED:
            return NGX_HTTP_WEBHOOK_REASON_MISSING_FIELD;

        case NGX_ABORT:
            return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;

        default: /* NGX_ERROR */
            return NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR;
        }

        if (!ngx_http_webhook_is_key_value(piece, &value)) {
            return NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD;
        }

        len += value.len;
    }

    return (len > NGX_HTTP_WEBHOOK_MAX_VALUE)
           ? NGX_HTTP_WEBHOOK_REASON_MALFORMED_FIELD
           : NGX_HTTP_WEBHOOK_REASON_NONE;
}
