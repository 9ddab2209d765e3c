
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Headers of our own answers.
 */


#ifndef _NGX_HTTP_WEBHOOK_HEADER_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_HEADER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Adds a header to the answer; both strings outlive the request.  Returns
 * NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_add_header(ngx_http_request_t *r, char *key,
    char *value);


#endif /* _NGX_HTTP_WEBHOOK_HEADER_H_INCLUDED_ */
