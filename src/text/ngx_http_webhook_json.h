
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Values of a JSON document (RFC 8259) at given JSON Pointers (RFC 6901),
 * found in one pass of yajl.
 */


#ifndef _NGX_HTTP_WEBHOOK_JSON_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_str_t                      text;
    ngx_uint_t                     ntokens;
    ngx_str_t                     *tokens;     /* unescaped */
} ngx_http_webhook_pointer_t;


typedef struct {
    ngx_str_t                      text;       /* data is NULL if absent */

    unsigned                       ambiguous:1;
} ngx_http_webhook_value_t;


/*
 * Reads a pointer from its text, which stays where it is; tokens come from
 * the pool.  Returns NGX_OK, NGX_DECLINED if the text is none, or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_pointer(ngx_pool_t *pool, ngx_str_t *text,
    ngx_http_webhook_pointer_t *pointer);

/*
 * Finds the values of npointers pointers in the document, which is judged to
 * its last byte.  They are copied to the pool: strings unescaped and integers
 * as sent, booleans as "true" and "false"; null, floats and containers count
 * as absent, as do empty values, and ones with control characters.  A value
 * is ambiguous if a key on the way to it stands twice in one object.
 * Returns NGX_OK; NGX_DECLINED if the document is not valid, which includes
 * lone surrogates and containers nested deeper than 64, or NGX_ERROR if there
 * was no memory.  In both cases all values are absent.
 */
ngx_int_t ngx_http_webhook_json_parse(ngx_pool_t *pool, ngx_str_t *text,
    ngx_http_webhook_pointer_t *pointers, ngx_uint_t npointers,
    ngx_http_webhook_value_t *values);


#endif /* _NGX_HTTP_WEBHOOK_JSON_H_INCLUDED_ */
