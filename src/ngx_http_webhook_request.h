
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What is known of a request, and the order of its stages.
 */


#ifndef _NGX_HTTP_WEBHOOK_REQUEST_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_REQUEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_dedup.h"
#include "ngx_http_webhook_judgement.h"


typedef enum {
    NGX_HTTP_WEBHOOK_STAGE_NEW = 0,
    NGX_HTTP_WEBHOOK_STAGE_READING,          /* core reads the body */
    NGX_HTTP_WEBHOOK_STAGE_DIGESTING,        /* we read the stored body */
    NGX_HTTP_WEBHOOK_STAGE_JUDGED,
    NGX_HTTP_WEBHOOK_STAGE_WAITING           /* for dedup's verdict */
} ngx_http_webhook_stage_e;


typedef struct {
    ngx_http_request_t            *request;
    const ngx_http_webhook_loc_conf_t  *conf;

    ngx_http_webhook_stage_e       stage;
    ngx_http_webhook_judgement_t   j;
    ngx_http_webhook_dedup_t       dedup;    /* survives a new judgement */
    ngx_event_t                    event;    /* to go on digesting */

    ngx_chain_t                   *kept;     /* the body, for a diagnosis */
    ngx_str_t                      hint;     /* empty before it is logged */

    unsigned                       interrupted:1;  /* by an error page */
    unsigned                       retry_after:1;  /* the header is there */
} ngx_http_webhook_ctx_t;


/*
 * Takes a request as far as it can go by the configuration of its location:
 * returns what the handler of the access phase is to return.
 */
ngx_int_t ngx_http_webhook_run(ngx_http_webhook_ctx_t *ctx,
    const ngx_http_webhook_loc_conf_t *conf);

/*
 * The request was redirected internally.  What it was waiting for will not
 * come, and what it has claimed may be over.  Returns NGX_OK, or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_redirected(ngx_http_webhook_ctx_t *ctx);

/* Forgets the judgement, but not the claim. */
void ngx_http_webhook_reset(ngx_http_webhook_ctx_t *ctx);


/* src/ngx_http_webhook_answer.c */

/*
 * Answers by the verdict: what the phase handler is to return.  Nothing that
 * is refused keeps its body.
 */
ngx_int_t ngx_http_webhook_answer(ngx_http_webhook_ctx_t *ctx);


/* src/ngx_http_webhook_variables.c */

ngx_int_t ngx_http_webhook_add_variables(ngx_conf_t *cf);

/*
 * Adds the variable for the n-th pointer of webhook_json.  Returns NGX_OK, or
 * NGX_ERROR after an error was logged.
 */
ngx_int_t ngx_http_webhook_add_json_variable(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t n);


#endif /* _NGX_HTTP_WEBHOOK_REQUEST_H_INCLUDED_ */
