
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The "handshake" lines of a scheme: requests by which a provider tries an
 * address, and what they are answered with.
 */


#ifndef _NGX_HTTP_WEBHOOK_HANDSHAKE_LINE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_HANDSHAKE_LINE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


/* how a text must be that goes back to whoever has sent it */

struct ngx_http_webhook_grammar_s {
    ngx_str_t                      name;
    ngx_str_t                      others;   /* besides digits and letters */
    size_t                         max;      /* characters, at least one */
    ngx_uint_t                     letters;
};


typedef struct {
    ngx_http_webhook_piece_t       part;
    ngx_str_t                      value;
} ngx_http_webhook_condition_t;


typedef struct {
    ngx_uint_t                     method;
    ngx_array_t                    conditions;  /* .._webhook_condition_t */
    ngx_http_webhook_piece_t       token;       /* if has_token */
    ngx_http_webhook_piece_t       text;        /* unless status */

    const ngx_http_webhook_grammar_t  *grammar;

    ngx_str_t                      as;          /* member of JSON, or empty */
    ngx_str_t                      with;        /* likewise, for the text
                                                   beside its MAC */
    ngx_str_t                      prefix;      /* of a MAC */
    ngx_http_webhook_encoding_e    encoding;    /* likewise */

    ngx_uint_t                     status;      /* alone, or 0 */

    unsigned                       is_signed:1;
    unsigned                       has_token:1;
    unsigned                       mac:1;
} ngx_http_webhook_handshake_t;


/* Parses a line, as functions of ngx_http_webhook_scheme_line() do. */
char *ngx_http_webhook_handshake_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);

/*
 * Whether a MAC that a handshake is answered with could be one of an event;
 * where only the body tells them apart, this is noted in the scheme.  Returns
 * NGX_CONF_OK, or NGX_CONF_ERROR after the error was logged.
 */
char *ngx_http_webhook_handshakes_check(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme);

/* Whether a line of the scheme, which may have none, has "token=". */
ngx_uint_t ngx_http_webhook_handshakes_have_token(
    ngx_http_webhook_scheme_t *scheme);

/* Whether the text is as the grammar says, in length too. */
ngx_uint_t ngx_http_webhook_is_sentence(
    const ngx_http_webhook_grammar_t *grammar, ngx_str_t *text);


#endif /* _NGX_HTTP_WEBHOOK_HANDSHAKE_LINE_H_INCLUDED_ */
