
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the headers say of the signature: candidates, timestamps, and the text
 * around the body.
 */


#ifndef _NGX_HTTP_WEBHOOK_SIGNATURE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_SIGNATURE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"
#include "ngx_http_webhook_verdict.h"


/* signatures with their own timestamp and signed text */

typedef struct {
    ngx_str_t                      timestamp;   /* as sent */
    time_t                         time;
    time_t                         age;         /* when it was judged */

    ngx_str_t                      before;      /* of the signed text, */
    ngx_str_t                      after;       /* around the body */
    ngx_str_t                      text;        /* all of it, if it is needed
                                                   whole, or its digest */
    EVP_MD_CTX                    *digest;      /* of all keys, running */

    u_char                        *candidates;  /* decoded, each in as many
                                                   bytes as the longest has */
    size_t                        *lengths;     /* of them, or NULL if all are
                                                   of that size */
    ngx_uint_t                     ncandidates; /* 0: the group is wrong */
} ngx_http_webhook_group_t;


typedef struct {
    ngx_http_webhook_group_t      *groups;
    ngx_uint_t                     ngroups;

    time_t                         time;        /* of the last group that has */
    time_t                         age;         /* one, when it was judged */

    u_char                         body_hash[NGX_HTTP_WEBHOOK_SHA256_LEN];
                                                /* as the request says */

    size_t                         malformed;   /* length of the last item,
                                                   if none decodes */
    unsigned                       has_time:1;
    unsigned                       foreign:1;   /* no item has the prefix */
} ngx_http_webhook_signature_t;


/*
 * Takes from the headers what verification needs.  With key set, parts of the
 * dedup key that the sender chooses have to be there.  Returns
 * NGX_HTTP_WEBHOOK_REASON_NONE if at least one group is right so far, or why
 * the request is not authentic; NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR if
 * there is no memory or a variable fails.
 */
ngx_http_webhook_reason_e ngx_http_webhook_read_signature(
    ngx_http_webhook_signature_t *signature, ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_scheme_t *scheme,
    const ngx_http_webhook_window_t *window, ngx_uint_t key);


/* src/ngx_http_webhook_chosen.c */

/*
 * Whether no header that the lines, which may be NULL, take something from
 * stands on several lines.  Returns a reason as above.
 */
ngx_http_webhook_reason_e ngx_http_webhook_check_lines(
    ngx_http_webhook_scope_t *scope, ngx_array_t *lines);

/*
 * Whether the parts of the dedup key that the sender chooses are there, and
 * are short and plain enough, in one of the lines: a request that was captured
 * cannot get rid of its key.  Likewise.
 */
ngx_http_webhook_reason_e ngx_http_webhook_check_key(
    ngx_http_webhook_scope_t *scope, const ngx_http_webhook_scheme_t *scheme);


/* src/ngx_http_webhook_content.c */

/*
 * Reads which hash the body must have, of NGX_HTTP_WEBHOOK_SHA256_LEN bytes.
 * Returns a reason likewise.
 */
ngx_http_webhook_reason_e ngx_http_webhook_read_body_hash(
    ngx_http_webhook_scope_t *scope,
    const ngx_http_webhook_scheme_t *scheme, u_char *hash);

/*
 * Whether the body, if there is one, is said to be a form.  Returns NGX_OK or
 * NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_check_form(ngx_http_webhook_scope_t *scope);


#endif /* _NGX_HTTP_WEBHOOK_SIGNATURE_H_INCLUDED_ */
