
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Templates of the scheme language: literals, headers and variables, JSON
 * Pointers and the body, and their values in a request.
 */


#ifndef _NGX_HTTP_WEBHOOK_TEMPLATE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_TEMPLATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_cut.h"
#include "ngx_http_webhook_json.h"
#include "ngx_http_webhook_verdict.h"


#define NGX_HTTP_WEBHOOK_MAX_PARTS  8

/* bytes of an id, of a type, and of a part of a key */

#define NGX_HTTP_WEBHOOK_MAX_VALUE  256


/* a template is made of pieces */

typedef enum {
    NGX_HTTP_WEBHOOK_PIECE_LITERAL = 0,
    NGX_HTTP_WEBHOOK_PIECE_HEADER,           /* $http_name */
    NGX_HTTP_WEBHOOK_PIECE_VARIABLE,
    NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY,     /* $request_body, if signed */
    NGX_HTTP_WEBHOOK_PIECE_BODY_HASH,        /* $webhook_body_sha256..., if
                                                signed: index is its encoding */
    NGX_HTTP_WEBHOOK_PIECE_FORM,             /* $webhook_form_sorted, if
                                                signed */
    NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP,        /* $webhook_timestamp */
    NGX_HTTP_WEBHOOK_PIECE_EVENT_ID,         /* $webhook_event_id */
    NGX_HTTP_WEBHOOK_PIECE_FIELD,            /* $webhook_field_name */
    NGX_HTTP_WEBHOOK_PIECE_JSON,             /* json:pointer */
    NGX_HTTP_WEBHOOK_PIECE_BODY_SHA256,      /* body */
    NGX_HTTP_WEBHOOK_PIECE_QUERY             /* query:name */
} ngx_http_webhook_piece_e;


typedef struct {
    ngx_http_webhook_piece_e       type;
    ngx_str_t                      text;     /* literal; name of a header, in
                                                lower case with underscores;
                                                name of a variable, as that
                                                of a field, or of a parameter
                                                in the query */
    ngx_uint_t                     index;    /* variable; JSON pointer */
} ngx_http_webhook_piece_t;


typedef struct {
    ngx_http_webhook_piece_t      *pieces;
    ngx_uint_t                     npieces;
} ngx_http_webhook_template_t;


/* the parts of one event_id, event_type or dedup_key line */

typedef struct {
    ngx_http_webhook_template_t   *parts;
    ngx_uint_t                     nparts;
} ngx_http_webhook_line_t;


/* a part of headers that has a name */

typedef struct {
    ngx_str_t                      name;     /* of its variable */
    ngx_array_t                   *sources;  /* ngx_http_webhook_template_t */
    ngx_http_webhook_cut_t         cut;
} ngx_http_webhook_field_t;


/* what templates may name of a request so far */

typedef struct {
    ngx_http_request_t            *request;
    ngx_array_t                   *fields;       /* ngx_http_webhook_field_t of
                                                    the scheme, or NULL */
    ngx_str_t                      timestamp;    /* as sent */
    ngx_str_t                      event_id;
    ngx_str_t                      event_type;
    ngx_http_webhook_value_t      *values;       /* of the scheme's pointers,
                                                    NULL before JSON is read */
    ngx_http_webhook_reason_e      json;         /* why there are none */
    u_char                        *body_sha256;  /* NULL if it is not known */
} ngx_http_webhook_scope_t;


/* what a template may hold besides literals, headers and variables */

#define NGX_HTTP_WEBHOOK_IN_SIGNED  0x01
#define NGX_HTTP_WEBHOOK_IN_PART    0x02
#define NGX_HTTP_WEBHOOK_IN_KEY     0x04
#define NGX_HTTP_WEBHOOK_IN_HASH    0x08

/*
 * Compiles a value to a template; JSON Pointers are added to the pointers,
 * which are NULL where there can be none.  Returns NGX_CONF_OK, or an error as
 * directives do.
 */
char *ngx_http_webhook_compile_template(ngx_conf_t *cf, ngx_array_t *pointers,
    ngx_str_t *value, ngx_uint_t where,
    ngx_http_webhook_template_t *template);

/*
 * Warns of dashes in a value with variables that look as if they belonged to
 * the name of a header: "$http_x-id" is "$http_x" with "-id" behind it.
 */
void ngx_http_webhook_check_dashes(ngx_conf_t *cf, ngx_str_t *value);

/* Likewise for the text behind "json:", which is a single piece. */
char *ngx_http_webhook_compile_json(ngx_conf_t *cf, ngx_array_t *pointers,
    ngx_str_t *text, ngx_http_webhook_piece_t *piece);

/* What to add to the error about a JSON Pointer that is none. */
char *ngx_http_webhook_pointer_hint(ngx_str_t *text);

/* NGX_OK and what stands behind the name if the value begins with it. */
ngx_int_t ngx_http_webhook_parameter(ngx_str_t *value, char *name,
    ngx_str_t *rest);

/* Whether a template, or one of the lines, which may be NULL, has a piece. */
ngx_uint_t ngx_http_webhook_template_has(ngx_http_webhook_template_t *template,
    ngx_http_webhook_piece_e type);
ngx_uint_t ngx_http_webhook_lines_have(ngx_array_t *lines,
    ngx_http_webhook_piece_e type);

/* Whether a piece is what the sender of a request chooses at will. */
ngx_uint_t ngx_http_webhook_piece_is_chosen(ngx_http_webhook_piece_t *piece);

/* Whether two pieces stand for the same. */
ngx_uint_t ngx_http_webhook_pieces_equal(ngx_http_webhook_piece_t *one,
    ngx_http_webhook_piece_t *other);

/* Whether the lines hold the same piece, or nothing but what headers say. */
ngx_uint_t ngx_http_webhook_lines_hold(ngx_array_t *lines,
    ngx_http_webhook_piece_t *piece);
ngx_uint_t ngx_http_webhook_lines_are_headers(ngx_array_t *lines);

/* Whether a line has more than one part, or its part several variables. */
ngx_uint_t ngx_http_webhook_lines_are_joined(ngx_array_t *lines);


/*
 * The value of a template.  Returns NGX_OK; NGX_DECLINED if something in it is
 * absent or empty, NGX_ABORT if a header in it stands on several lines,
 * NGX_ERROR if there is no memory.  The value may point into the request.
 */
ngx_int_t ngx_http_webhook_template_value(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_template_t *template, ngx_str_t *value);

/*
 * The parts of the first line that is complete, at most
 * NGX_HTTP_WEBHOOK_MAX_PARTS, and how many; or its parts joined with ":".
 * Parts of more than limit bytes or with control characters count as absent.
 * Returns NGX_HTTP_WEBHOOK_REASON_NONE, or why there is none:
 * NGX_HTTP_WEBHOOK_REASON_AMBIGUOUS_JSON at the first part that is ambiguous.
 */
ngx_http_webhook_reason_e ngx_http_webhook_lines_parts(
    ngx_http_webhook_scope_t *scope, ngx_array_t *lines, size_t limit,
    ngx_str_t *parts, ngx_uint_t *nparts);
ngx_http_webhook_reason_e ngx_http_webhook_lines_value(
    ngx_http_webhook_scope_t *scope, ngx_array_t *lines, size_t limit,
    ngx_str_t *value);

/*
 * Likewise for a single piece of a template; of a field NGX_ABORT also if it
 * is there twice.
 */
ngx_int_t ngx_http_webhook_piece_value(ngx_http_webhook_scope_t *scope,
    ngx_http_webhook_piece_t *piece, ngx_str_t *value);

/*
 * As ngx_http_complex_value(), but a variable that fails for lack of memory is
 * no empty one.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_complex_value(ngx_http_webhook_scope_t *scope,
    ngx_http_complex_value_t *cv, ngx_str_t *value);

/*
 * The value of a header: NGX_OK, NGX_DECLINED if it is absent or empty,
 * NGX_ABORT if it stands on several lines, or is a Host that differs from that
 * of the request line.  The name is that of the variable behind $http_: in
 * lower case, with underscores for dashes.
 */
ngx_int_t ngx_http_webhook_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);

/* The next line of a header, or NULL; *part is to be NULL at first. */
ngx_table_elt_t *ngx_http_webhook_next_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_list_part_t **part, ngx_uint_t *i);


#endif /* _NGX_HTTP_WEBHOOK_TEMPLATE_H_INCLUDED_ */
