
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Verification: digests that run beside the body, and the comparison.
 */


#ifndef _NGX_HTTP_WEBHOOK_VERIFY_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_VERIFY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_secret.h"
#include "ngx_http_webhook_signature.h"
#include "ngx_http_webhook_verdict.h"


typedef struct {
    ngx_http_request_t            *request;
    const ngx_http_webhook_scheme_t  *scheme;
    ngx_http_webhook_signature_t  *signature;
    ngx_http_webhook_keys_t       *keys;

    EVP_MD_CTX                   **digests;      /* running, of each group
                                                    for each key, or NULL */
    EVP_MD_CTX                    *body_digest;  /* running SHA-256, or NULL */
    u_char                         sha256[NGX_HTTP_WEBHOOK_SHA256_LEN];
    u_char                         hash[2 * NGX_HTTP_WEBHOOK_SHA256_LEN];
    ngx_str_t                      middle;       /* what is signed in the place
                                                    of a raw body */
    ngx_pool_t                    *pool;         /* of a form, or NULL */

    off_t                          digested;     /* bytes of the body */
    u_char                         first;        /* of them */

    ngx_uint_t                     secret_index; /* that is right, from 1 */
    ngx_http_webhook_group_t      *group;        /* likewise */

    unsigned                       failed:1;
    unsigned                       no_body:1;    /* is all that was digested */
} ngx_http_webhook_verify_t;


/*
 * Starts the digests of all groups for all keys, and one of the body alone if
 * sha256 is set or the scheme needs it; the other arguments outlive them.
 * Returns NGX_HTTP_WEBHOOK_REASON_NONE; why the request is not authentic, if
 * that can be told without its body; or NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR
 * after the error was logged.  To be freed in each case.
 */
ngx_http_webhook_reason_e ngx_http_webhook_verify_start(
    ngx_http_webhook_verify_t *verify, ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_signature_t *signature, ngx_http_webhook_keys_t *keys,
    ngx_uint_t sha256);

/*
 * Digests the next piece of the body; what goes wrong is told at the end.
 * Returns NGX_OK or NGX_ERROR, as ngx_http_webhook_body_pt does.
 */
ngx_int_t ngx_http_webhook_verify_update(void *verify, u_char *p, size_t len);

/*
 * Ends the digests and judges the request.  Returns
 * NGX_HTTP_WEBHOOK_REASON_NONE if a candidate is right: verify->secret_index,
 * verify->group and, if it was asked for, verify->sha256 are set then, that of
 * a form over its sorted parameters; or why
 * the request is not authentic; or NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR if
 * the body was not digested as it is stored, or after an error was logged.
 */
ngx_http_webhook_reason_e ngx_http_webhook_verify_end(
    ngx_http_webhook_verify_t *verify);

void ngx_http_webhook_verify_free(ngx_http_webhook_verify_t *verify);


#endif /* _NGX_HTTP_WEBHOOK_VERIFY_H_INCLUDED_ */
