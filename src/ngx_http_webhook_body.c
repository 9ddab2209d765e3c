
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The body as core has stored it, in memory or in a file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_body.h"


#define NGX_HTTP_WEBHOOK_BODY_PIECE  65536


static ngx_int_t ngx_http_webhook_append_body(void *data, u_char *p,
    size_t len);


void
ngx_http_webhook_open_body(ngx_http_webhook_body_t *body,
    ngx_http_request_t *r)
{
    body->request = r;
    body->in = r->request_body ? r->request_body->bufs : NULL;
    body->offset = 0;
    body->buffer = NULL;
}


ngx_int_t
ngx_http_webhook_walk_body(ngx_http_webhook_body_t *body, off_t limit,
    ngx_http_webhook_body_pt handler, void *data)
{
    off_t       rest;
    size_t      size;
    ssize_t     n;
    ngx_buf_t  *b;

    while (body->in) {
        b = body->in->buf;

        if (!b->in_file) {
            size = b->last - b->pos;

            if (handler(data, b->pos, size) != NGX_OK) {
                return NGX_ERROR;
            }

            limit -= size;
            body->in = body->in->next;
            continue;
        }

        rest = b->file_last - b->file_pos - body->offset;

        if (rest <= 0) {
            body->in = body->in->next;
            body->offset = 0;
            continue;
        }

        if (limit <= 0) {
            return NGX_AGAIN;
        }

        if (b->file->fd == NGX_INVALID_FILE) {
            ngx_log_error(NGX_LOG_ERR, body->request->connection->log, 0,
                          "webhook cannot be verified: "
                          "the file with its body was closed");
            return NGX_ERROR;
        }

        if (body->buffer == NULL) {
            body->buffer = ngx_palloc(body->request->pool,
                                     NGX_HTTP_WEBHOOK_BODY_PIECE);
            if (body->buffer == NULL) {
                return NGX_ERROR;
            }
        }

        size = (size_t) ngx_min(rest, NGX_HTTP_WEBHOOK_BODY_PIECE);

        n = ngx_read_file(b->file, body->buffer, size,
                          b->file_pos + body->offset);

        if (n <= 0) {
            if (n == 0) {
                ngx_log_error(NGX_LOG_ERR, body->request->connection->log, 0,
                              "webhook cannot be verified: the file with its "
                              "body is too short");
            }

            return NGX_ERROR;
        }

        if (handler(data, body->buffer, n) != NGX_OK) {
            return NGX_ERROR;
        }

        body->offset += n;
        limit -= n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_copy_body(ngx_http_request_t *r, u_char *dst)
{
    ngx_http_webhook_body_t  body;

    if (r->request_body == NULL) {

        /* nobody has read it: fine if there is none */

        return (r->headers_in.content_length_n > 0 || r->headers_in.chunked)
               ? NGX_ERROR : NGX_OK;
    }

    ngx_http_webhook_open_body(&body, r);

    return ngx_http_webhook_walk_body(&body, NGX_MAX_OFF_T_VALUE,
                                      ngx_http_webhook_append_body, &dst);
}


static ngx_int_t
ngx_http_webhook_append_body(void *data, u_char *p, size_t len)
{
    u_char **dst = data;

    if (len) {
        *dst = ngx_cpymem(*dst, p, len);
    }

    return NGX_OK;
}


off_t
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
ngx_http_webhook_withhold_body(ngx_http_request_t *r)
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
