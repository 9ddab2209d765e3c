
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Handshakes: requests by which a provider tries an address, and that are
 * answered here.
 */


#ifndef _NGX_HTTP_WEBHOOK_HANDSHAKE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_HANDSHAKE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"


/* what is answered to a handshake */

typedef struct {
    ngx_uint_t                     status;   /* 0: the request is none */
    ngx_str_t                      text;

    unsigned                       json:1;
} ngx_http_webhook_answer_t;


/*
 * Looks for a handshake of the location among the lines that are, or are not,
 * "signed".  Keys that have not been got are got where they are needed.
 * Returns NGX_HTTP_WEBHOOK_REASON_NONE, with the answer if the request is a
 * handshake; NGX_HTTP_WEBHOOK_REASON_SIGNATURE_MISMATCH if it is one with a
 * wrong token; or another reason not to answer it.
 */
ngx_http_webhook_reason_e ngx_http_webhook_read_handshake(
    ngx_http_webhook_answer_t *answer, ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_rules_t *rules, ngx_http_webhook_keys_t *keys,
    ngx_uint_t is_signed);


#endif /* _NGX_HTTP_WEBHOOK_HANDSHAKE_H_INCLUDED_ */
