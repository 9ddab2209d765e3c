
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Schemes: how a provider signs, in the language of the webhook_scheme block
 * that built-in and defined schemes are written in.
 */


#ifndef _NGX_HTTP_WEBHOOK_SCHEME_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_SCHEME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_cut.h"
#include "ngx_http_webhook_digest.h"
#include "ngx_http_webhook_encoding.h"
#include "ngx_http_webhook_template.h"
#include "ngx_http_webhook_timestamp.h"


/* 68 years: times in the zone are compared as 32-bit differences */
#define NGX_HTTP_WEBHOOK_MAX_TIME   0x7fffffff

/* all names of something, in an error */
#define NGX_HTTP_WEBHOOK_NAMES      256

/* of the values of headers that are looked at */
#define NGX_HTTP_WEBHOOK_MAX_ITEMS  64


typedef struct ngx_http_webhook_grammar_s  ngx_http_webhook_grammar_t;


typedef struct {
    ngx_str_t                      prefix;
    ngx_http_webhook_encoding_e    encoding;
    const EVP_MD                *(*digest)(void);  /* makes the key, or NULL */
    ngx_uint_t                     keep;     /* the prefix is part of the key */
} ngx_http_webhook_secret_rule_t;


/* where a request says the hash of its body */

typedef struct {
    ngx_http_webhook_piece_t       source;
    ngx_str_t                      prefix;
    ngx_http_webhook_encoding_e    encoding;
} ngx_http_webhook_body_bound_t;


typedef struct {
    ngx_str_t                      name;

    const ngx_http_webhook_algorithm_t  *algorithm;

    ngx_array_t                   *signature;  /* ngx_http_webhook_template_t */
    ngx_http_webhook_cut_t         signature_cut;
    ngx_http_webhook_encoding_e    encoding;

    ngx_http_webhook_template_t    signed_text;
    ngx_uint_t                    *seams;      /* what is asked of its pieces */
    ngx_http_webhook_encoding_e    body_hash;  /* how it stands there in the
                                                  place of the body, or RAW */
    ngx_http_webhook_body_bound_t *bound;      /* what binds the body, or NULL
                                                  if the signed text does */
    ngx_str_t                     *before_body;  /* how the body must not
                                                    begin, or NULL */

    ngx_array_t                   *timestamp;  /* ngx_http_webhook_template_t */
    ngx_http_webhook_cut_t         timestamp_cut;
    ngx_http_webhook_unit_e        unit;
    ngx_http_webhook_window_t      window;     /* the default one */

    ngx_array_t                   *secret;     /* .._secret_rule_t */
    ngx_array_t                   *key_id;     /* ngx_http_webhook_template_t,
                                                  or NULL */
    ngx_http_webhook_cut_t         key_id_cut;
    ngx_array_t                   *fields;     /* ngx_http_webhook_field_t, or
                                                  NULL */
    ngx_array_t                   *event_id;   /* ngx_http_webhook_line_t */
    ngx_array_t                   *event_type; /* ngx_http_webhook_line_t */
    ngx_array_t                   *dedup_key;  /* ngx_http_webhook_line_t */
    ngx_uint_t                    *chosen;     /* parts of each of its lines
                                                  that a sender chooses, as
                                                  bits, or NULL */
    time_t                         retries;

    ngx_array_t                   *handshakes;  /* .._webhook_handshake_t,
                                                   or NULL */
    ngx_array_t                   *handshake_pointers;  /* likewise */

    const ngx_http_webhook_grammar_t  *no_body;  /* what no body may be, or
                                                    NULL */

    ngx_array_t                   *pointers;   /* .._webhook_pointer_t */
    ngx_uint_t                     nlines;     /* pointers of event_id and the
                                                  like, others are appended */
    ngx_uint_t                     nvalues;    /* without those of handshakes,
                                                  which are the last */

    unsigned                       raw:1;      /* ECDSA, as two numbers */
    unsigned                       raw_body:1; /* is signed as it is */
    unsigned                       form:1;     /* is signed, sorted */
    unsigned                       sent_query:1; /* binds, whatever the query
                                                    is now */
    unsigned                       own_text:1;   /* "signed" is not inherited */
    unsigned                       timestamp_json:1;
    unsigned                       explicit_key:1;
    unsigned                       encoded:1;    /* "encoding=" was given */
    unsigned                       complete:1;   /* others were appended */
    unsigned                       named_by_headers:1;  /* id, type or key */
} ngx_http_webhook_scheme_t;


typedef struct {
    char                          *name;
    char                          *from;     /* another built-in, or NULL */
    char                          *text;     /* in the language; NULL: the
                                                entry is another name of it */
} ngx_http_webhook_provider_t;


typedef struct {
    ngx_array_t                    defined;  /* ngx_http_webhook_scheme_t * */
    ngx_array_t                    builtin;  /* those that were asked for */
} ngx_http_webhook_schemes_t;


/* Makes both arrays.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_webhook_schemes_init(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes);

/*
 * Parses the webhook_scheme block at cf and adds it to the schemes.  Returns
 * NGX_CONF_OK, or an error as directives do.
 */
char *ngx_http_webhook_scheme_block(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes);

/*
 * The scheme of that name, defined or built-in; a built-in is parsed when it
 * is asked for first.  Returns NGX_OK, NGX_DECLINED if there is none, or
 * NGX_ERROR after an error was logged.
 */
ngx_int_t ngx_http_webhook_scheme_find(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes, ngx_str_t *name,
    ngx_http_webhook_scheme_t **scheme);

/*
 * Appends pointers of webhook_json, and of handshakes, to those of the scheme,
 * once.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_scheme_add_pointers(
    ngx_http_webhook_scheme_t *scheme, ngx_array_t *pointers);


/* src/scheme/ngx_http_webhook_builtin.c */

/* The built-in scheme of that name, not parsed, or NULL. */
const ngx_http_webhook_provider_t *ngx_http_webhook_provider(ngx_str_t *name);

/* The n-th of them, other names included, from 0; NULL behind the last one. */
const ngx_http_webhook_provider_t *ngx_http_webhook_nth_provider(ngx_uint_t n);


/* src/scheme/ngx_http_webhook_scheme_name.c */

/*
 * Finds the scheme, defined or built-in, whose name is nearest to one that is
 * unknown.  Returns NGX_OK, or NGX_DECLINED if none is near.
 */
ngx_int_t ngx_http_webhook_scheme_similar(ngx_http_webhook_schemes_t *schemes,
    ngx_str_t *name, ngx_str_t *found);


/* src/scheme/ngx_http_webhook_covered.c */

/*
 * Whether at least one part of each line of the scheme's dedup key is covered
 * by the signature.  Returns NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_scheme_key_covered(
    ngx_http_webhook_scheme_t *scheme);

/*
 * What is wrong with the dedup key, which the scheme must have, or NULL; and
 * the level at which that is to be logged, NGX_LOG_EMERG if it is an error.
 */
char *ngx_http_webhook_scheme_key_fault(ngx_http_webhook_scheme_t *scheme,
    ngx_uint_t *level);

/*
 * Finds the parts of the dedup key that the sender of a request chooses and
 * no signature covers: they must not be left out to have no key.  Returns
 * NGX_OK, NGX_DECLINED if such a part is hidden in $webhook_event_id, or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_scheme_chosen(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme);

/*
 * Whether what a piece stands for is in the signed text: the same variable,
 * or the event id, of which it is a part.  Of an id with several lines it is
 * the sender who decides from which one it is taken.
 */
ngx_uint_t ngx_http_webhook_signed_has(ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_piece_t *piece);

/*
 * Whether the signature covers what says the hash of the body.  Returns NGX_OK
 * or NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_hash_covered(ngx_http_webhook_scheme_t *scheme);


/* src/scheme/ngx_http_webhook_scheme_block.c */

/* a block that is being parsed */

typedef struct {
    ngx_http_webhook_scheme_t     *scheme;
    ngx_uint_t                     seen;     /* directives of this block */
} ngx_http_webhook_block_t;


/*
 * Handles a directive of the block conf, as ngx_conf_parse() calls it.
 * Returns NGX_CONF_OK, or an error as directives do.
 */
char *ngx_http_webhook_scheme_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Reads a window of one or two times, the second for the future, as they stand
 * in "tolerance" and webhook_tolerance.  Returns NGX_CONF_OK, or
 * NGX_CONF_ERROR after an error was logged.
 */
char *ngx_http_webhook_parse_window(ngx_conf_t *cf, ngx_str_t *value,
    ngx_uint_t n, ngx_http_webhook_window_t *window);


/* src/scheme/ngx_http_webhook_sources.c */

/* a parameter that has one of some values */

typedef struct {
    char                          *name;
    ngx_conf_enum_t               *values;
    ngx_uint_t                    *chosen;
} ngx_http_webhook_choice_t;


/*
 * The sources and the parameters of a line: those of a cut, and those with a
 * choice of values, ended by a NULL name.  A range of items is for signatures
 * only, and they have no sources in JSON.  Returns NULL after an error was
 * logged.
 */
ngx_array_t *ngx_http_webhook_sources(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_cut_t *cut,
    ngx_uint_t range, ngx_http_webhook_choice_t *choices);

/* Logs that the value is none of those that there are. */
void ngx_http_webhook_invalid_choice(ngx_conf_t *cf, ngx_str_t *value,
    ngx_conf_enum_t *choice);

/* Whether any of the sources holds such a piece. */
ngx_uint_t ngx_http_webhook_sources_have(ngx_array_t *sources,
    ngx_http_webhook_piece_e type);

/* Whether a template holds nothing but text. */
ngx_uint_t ngx_http_webhook_is_literal(ngx_http_webhook_template_t *template);


/* src/scheme/ngx_http_webhook_field_line.c */

/* The "field" lines, as other lines of a block are set. */
char *ngx_http_webhook_field_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);

/*
 * Whether all fields that are named are there.  Returns NGX_CONF_OK, or
 * NGX_CONF_ERROR after an error was logged.
 */
char *ngx_http_webhook_fields_check(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme);


/* src/scheme/ngx_http_webhook_body_hash_line.c */

/* Likewise a "body_hash" line. */
char *ngx_http_webhook_body_hash_line(ngx_conf_t *cf,
    ngx_http_webhook_block_t *block, ngx_uint_t again);


/* src/scheme/ngx_http_webhook_handshake_line.c */

/* Whether all bytes, of which there may be none, are in the grammar. */
ngx_uint_t ngx_http_webhook_follows(const ngx_http_webhook_grammar_t *grammar,
    u_char *p, size_t len);


/* src/scheme/ngx_http_webhook_seams.c */

/*
 * Finds what the parts of the signed text must be like for the text to have
 * one reading only.  Returns NGX_CONF_OK, or NGX_CONF_ERROR after an error
 * was logged, which names two parts that cannot stand side by side.
 */
char *ngx_http_webhook_seams(ngx_conf_t *cf,
    ngx_http_webhook_scheme_t *scheme);

/*
 * Whether the values of the pieces, which follow each other but for the body
 * and end at last, are like that; time is the length of the timestamp.
 * Returns NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_webhook_seams_check(const ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *values, u_char *last, size_t time);

/* Likewise for the first byte of a body. */
ngx_int_t ngx_http_webhook_seams_check_body(
    const ngx_http_webhook_scheme_t *scheme, u_char first);

/*
 * Whether the value of a piece can be in a dedup key though it is not signed:
 * it may be anything, but must not be in the way of a key.
 */
ngx_uint_t ngx_http_webhook_is_key_value(ngx_http_webhook_piece_t *piece,
    ngx_str_t *value);


#endif /* _NGX_HTTP_WEBHOOK_SCHEME_H_INCLUDED_ */
