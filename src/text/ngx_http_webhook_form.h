
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Parameters of queries and forms: application/x-www-form-urlencoded.
 */


#ifndef _NGX_HTTP_WEBHOOK_FORM_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_FORM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The value of the parameter that has the name, both decoded once: "%" with
 * two digits is a byte, "+" a blank.  The value comes from the pool.  Returns
 * NGX_OK; NGX_DECLINED if there is none, or an empty one; NGX_ABORT if there
 * are several, or the value does not decode; NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_form_value(ngx_pool_t *pool, ngx_str_t *form,
    ngx_str_t *name, ngx_str_t *value);

/*
 * One text, decoded likewise, at dst, which has room for as much and is moved
 * behind it.  Returns NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_form_decode(u_char **dst, u_char *p, u_char *last,
    ngx_str_t *text);

/*
 * All parameters of the form, decoded likewise, sorted by their names and then
 * by their values, equal ones once: each name with its value behind it, and
 * nothing between them.  There are at most max of them, and none has an empty
 * name.  The text comes from the pool.  Returns NGX_OK; NGX_DECLINED if
 * something is not encoded as it should be, or has no name; NGX_ABORT if there
 * are too many; NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_form_sorted(ngx_pool_t *pool, ngx_str_t *form,
    ngx_uint_t max, ngx_str_t *sorted);


#endif /* _NGX_HTTP_WEBHOOK_FORM_H_INCLUDED_ */
