
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Seams: where the parts of a signed text meet.  A digest says what the text
 * is, but not where one part ends and the next begins.  So the text must have
 * one reading only, or else a request that was signed could be cut in another
 * way and be a new one.
 *
 * Before the body the text is read from left to right: the end of each part
 * is known from what the part is made of and what follows.  Behind the body
 * it is read from right to left: each literal is the last one in the text, or
 * in what is left of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


#define NGX_HTTP_WEBHOOK_MAX_WORD      128

/* what is asked of a piece in a request */

#define NGX_HTTP_WEBHOOK_SEAM_LITERAL  0x01
#define NGX_HTTP_WEBHOOK_SEAM_LAST     0x02  /* up to the next literal */
#define NGX_HTTP_WEBHOOK_SEAM_TIME     0x04  /* nothing but the timestamp */
#define NGX_HTTP_WEBHOOK_SEAM_FREE     0x08  /* of how the next one begins */
#define NGX_HTTP_WEBHOOK_SEAM_WORD     0x10
#define NGX_HTTP_WEBHOOK_SEAM_HOST     0x20
#define NGX_HTTP_WEBHOOK_SEAM_URL      0x40
#define NGX_HTTP_WEBHOOK_SEAM_SLASH    0x80  /* begins with it */
#define NGX_HTTP_WEBHOOK_SEAM_SECONDS  0x100 /* free likewise behind them */


typedef enum {
    NGX_HTTP_WEBHOOK_PART_END = 0,
    NGX_HTTP_WEBHOOK_PART_LITERAL,
    NGX_HTTP_WEBHOOK_PART_BODY,
    NGX_HTTP_WEBHOOK_PART_FORM,      /* its own parts have no seams */
    NGX_HTTP_WEBHOOK_PART_HASH,      /* of the body, it has one length */
    NGX_HTTP_WEBHOOK_PART_NUMBER,    /* a timestamp, and so is a date */
    NGX_HTTP_WEBHOOK_PART_DATE,
    NGX_HTTP_WEBHOOK_PART_OPEN,      /* one with more than one length */
    NGX_HTTP_WEBHOOK_PART_HOST,
    NGX_HTTP_WEBHOOK_PART_URI,
    NGX_HTTP_WEBHOOK_PART_ARGS,
    NGX_HTTP_WEBHOOK_PART_ANY        /* else that a sender chooses */
} ngx_http_webhook_part_e;


typedef struct {
    ngx_str_t                      name;
    ngx_http_webhook_part_e        part;
} ngx_http_webhook_seam_variable_t;


static ngx_http_webhook_part_e ngx_http_webhook_seam_part(
    ngx_http_webhook_scheme_t *scheme, ngx_uint_t n);
static ngx_uint_t ngx_http_webhook_seam_is_time(
    ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_piece_t *piece);
static ngx_int_t ngx_http_webhook_seam_last(ngx_str_t *literal, u_char *last);
static ngx_uint_t ngx_http_webhook_seam_date_ends(ngx_str_t *date, u_char ch);
static ngx_uint_t ngx_http_webhook_seam_word(ngx_str_t *text,
    ngx_str_t *others);
static ngx_uint_t ngx_http_webhook_seam_is(u_char ch, ngx_str_t *others);
static ngx_uint_t ngx_http_webhook_seam_has_dots(ngx_str_t *url);


/* what a part may hold besides letters and digits */

static ngx_str_t  ngx_http_webhook_word = ngx_string("._+/=-");
static ngx_str_t  ngx_http_webhook_host = ngx_string(".:-[]");
static ngx_str_t  ngx_http_webhook_key = ngx_string("._:/@+=-");

/* the delimiters of RFC 3986 that stand in a path or a query as they are */
static ngx_str_t  ngx_http_webhook_url = ngx_string("/-._~%!$&'()*+,;=:@?");


static ngx_http_webhook_seam_variable_t  ngx_http_webhook_seam_variables[] = {
    { ngx_string("host"), NGX_HTTP_WEBHOOK_PART_HOST },
    { ngx_string("request_uri"), NGX_HTTP_WEBHOOK_PART_URI },
    { ngx_string("uri"), NGX_HTTP_WEBHOOK_PART_URI },
    { ngx_string("document_uri"), NGX_HTTP_WEBHOOK_PART_URI },
    { ngx_string("args"), NGX_HTTP_WEBHOOK_PART_ARGS },
    { ngx_string("query_string"), NGX_HTTP_WEBHOOK_PART_ARGS },

    /* no sender chooses these */
    { ngx_string("server_name"), NGX_HTTP_WEBHOOK_PART_LITERAL },
    { ngx_string("hostname"), NGX_HTTP_WEBHOOK_PART_LITERAL },

    { ngx_null_string, NGX_HTTP_WEBHOOK_PART_END }
};


char *
ngx_http_webhook_seams(ngx_conf_t *cf, ngx_http_webhook_scheme_t *scheme)
{
    ngx_uint_t                 i, behind, loose, *seams;
    ngx_http_webhook_part_e    part, next;
    ngx_http_webhook_piece_t  *piece;

    piece = scheme->signed_text.pieces;

    seams = ngx_pcalloc(cf->pool,
                        scheme->signed_text.npieces * sizeof(ngx_uint_t));
    if (seams == NULL) {
        return NGX_CONF_ERROR;
    }

    scheme->seams = seams;
    scheme->before_body = NULL;

    behind = 0;
    loose = 0;

    next = ngx_http_webhook_seam_part(scheme, 0);

    for (i = 0; next != NGX_HTTP_WEBHOOK_PART_END; i++) {

        part = next;
        next = ngx_http_webhook_seam_part(scheme, i + 1);

        switch (part) {

        case NGX_HTTP_WEBHOOK_PART_LITERAL:

            seams[i] |= NGX_HTTP_WEBHOOK_SEAM_LITERAL;
            loose = 0;

            /* a timestamp that ends the text is known by its form */

            if (behind
                && ((next != NGX_HTTP_WEBHOOK_PART_NUMBER
                     && next != NGX_HTTP_WEBHOOK_PART_DATE)
                    || ngx_http_webhook_seam_part(scheme, i + 2)
                       > NGX_HTTP_WEBHOOK_PART_LITERAL))
            {
                seams[i] |= NGX_HTTP_WEBHOOK_SEAM_LAST;
            }

            continue;

        case NGX_HTTP_WEBHOOK_PART_BODY:
        case NGX_HTTP_WEBHOOK_PART_FORM:
            behind = 1;
            loose = 1;
            break;

        case NGX_HTTP_WEBHOOK_PART_NUMBER:
        case NGX_HTTP_WEBHOOK_PART_DATE:
        case NGX_HTTP_WEBHOOK_PART_OPEN:

            if (piece[i].type != NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP) {
                seams[i] |= NGX_HTTP_WEBHOOK_SEAM_TIME;
            }

            break;

        default:
            break;
        }

        if (next == NGX_HTTP_WEBHOOK_PART_END) {
            break;
        }

        if (next == NGX_HTTP_WEBHOOK_PART_LITERAL) {

            if (part == NGX_HTTP_WEBHOOK_PART_OPEN
                && scheme->unit == NGX_HTTP_WEBHOOK_UNIT_ISO8601)
            {
                seams[i] |= NGX_HTTP_WEBHOOK_SEAM_SECONDS;

            } else if (part >= NGX_HTTP_WEBHOOK_PART_OPEN) {
                seams[i] |= NGX_HTTP_WEBHOOK_SEAM_FREE;
            }

            continue;
        }

        if (part == NGX_HTTP_WEBHOOK_PART_OPEN
            || next == NGX_HTTP_WEBHOOK_PART_OPEN)
        {
            goto failed;
        }

        /* a part that is known from before the body can end the text */

        if (part == NGX_HTTP_WEBHOOK_PART_BODY
            && i > 0
            && i + 2 == scheme->signed_text.npieces
            && (seams[i - 1] & NGX_HTTP_WEBHOOK_SEAM_WORD)
            && ngx_http_webhook_pieces_equal(&piece[i - 1], &piece[i + 1]))
        {
            break;
        }

        /* nothing but its form tells where the body ends */

        if (loose
            && next != NGX_HTTP_WEBHOOK_PART_NUMBER
            && next != NGX_HTTP_WEBHOOK_PART_DATE)
        {
            goto failed;
        }

        if (part < NGX_HTTP_WEBHOOK_PART_OPEN) {
            continue;
        }

        if (next == NGX_HTTP_WEBHOOK_PART_BODY) {

            if (part == NGX_HTTP_WEBHOOK_PART_URI
                || part == NGX_HTTP_WEBHOOK_PART_ARGS)
            {
                seams[i] |= NGX_HTTP_WEBHOOK_SEAM_URL;
                scheme->before_body = &ngx_http_webhook_url;
                continue;
            }

            seams[i] |= NGX_HTTP_WEBHOOK_SEAM_WORD;
            scheme->before_body = &ngx_http_webhook_word;
            continue;
        }

        /* where a form begins nothing tells but the address of the location */

        if (next == NGX_HTTP_WEBHOOK_PART_FORM
            && (part == NGX_HTTP_WEBHOOK_PART_URI
                || part == NGX_HTTP_WEBHOOK_PART_ARGS))
        {
            seams[i] |= NGX_HTTP_WEBHOOK_SEAM_URL;
            continue;
        }

        if (next == NGX_HTTP_WEBHOOK_PART_DATE
            && (part == NGX_HTTP_WEBHOOK_PART_HOST
                || part == NGX_HTTP_WEBHOOK_PART_ANY))
        {
            seams[i] |= NGX_HTTP_WEBHOOK_SEAM_WORD;
            continue;
        }

        if (next == NGX_HTTP_WEBHOOK_PART_URI
            && part == NGX_HTTP_WEBHOOK_PART_HOST)
        {
            seams[i] |= NGX_HTTP_WEBHOOK_SEAM_HOST;
            seams[i + 1] |= NGX_HTTP_WEBHOOK_SEAM_SLASH;
            continue;
        }

        goto failed;
    }

    return NGX_CONF_OK;

failed:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "scheme \"%V\" signs \"$%s%V\" directly before "
                       "\"$%s%V\", and nothing tells where one ends and the "
                       "other begins: put a literal between them%s",
                       &scheme->name,
                       (piece[i].type == NGX_HTTP_WEBHOOK_PIECE_HEADER)
                       ? "http_" : "",
                       &piece[i].text,
                       (piece[i + 1].type == NGX_HTTP_WEBHOOK_PIECE_HEADER)
                       ? "http_" : "",
                       &piece[i + 1].text,
                       (part == NGX_HTTP_WEBHOOK_PART_OPEN
                        || next == NGX_HTTP_WEBHOOK_PART_OPEN)
                       ? ", or say \"unit=s\" or \"unit=ms\"" : "");

    return NGX_CONF_ERROR;
}


static ngx_http_webhook_part_e
ngx_http_webhook_seam_part(ngx_http_webhook_scheme_t *scheme, ngx_uint_t n)
{
    ngx_str_t                         *name, rest;
    ngx_http_webhook_piece_t          *piece;
    ngx_http_webhook_seam_variable_t  *variable;

    if (n >= scheme->signed_text.npieces) {
        return NGX_HTTP_WEBHOOK_PART_END;
    }

    piece = &scheme->signed_text.pieces[n];

    if (ngx_http_webhook_seam_is_time(scheme, piece)) {

        switch (scheme->unit) {

        case NGX_HTTP_WEBHOOK_UNIT_SECONDS:
        case NGX_HTTP_WEBHOOK_UNIT_MILLISECONDS:
            return NGX_HTTP_WEBHOOK_PART_NUMBER;

        case NGX_HTTP_WEBHOOK_UNIT_RFC3339:
        case NGX_HTTP_WEBHOOK_UNIT_HTTP:
            return NGX_HTTP_WEBHOOK_PART_DATE;

        default: /* NGX_HTTP_WEBHOOK_UNIT_SECONDS_OR_MS, .._ISO8601 */
            return NGX_HTTP_WEBHOOK_PART_OPEN;
        }
    }

    name = &piece->text;

    switch (piece->type) {

    case NGX_HTTP_WEBHOOK_PIECE_LITERAL:
        return NGX_HTTP_WEBHOOK_PART_LITERAL;

    case NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY:
        return NGX_HTTP_WEBHOOK_PART_BODY;

    case NGX_HTTP_WEBHOOK_PIECE_FORM:
        return NGX_HTTP_WEBHOOK_PART_FORM;

    case NGX_HTTP_WEBHOOK_PIECE_BODY_HASH:
        return NGX_HTTP_WEBHOOK_PART_HASH;

    case NGX_HTTP_WEBHOOK_PIECE_HEADER:
        return (name->len == 4 && ngx_strncmp(name->data, "host", 4) == 0)
               ? NGX_HTTP_WEBHOOK_PART_HOST : NGX_HTTP_WEBHOOK_PART_ANY;

    case NGX_HTTP_WEBHOOK_PIECE_VARIABLE:

        for (variable = ngx_http_webhook_seam_variables;
             variable->name.len;
             variable++)
        {
            if (name->len == variable->name.len
                && ngx_strncmp(name->data, variable->name.data, name->len)
                   == 0)
            {
                return variable->part;
            }
        }

        if (ngx_http_webhook_parameter(name, "arg_", &rest) == NGX_OK) {
            return NGX_HTTP_WEBHOOK_PART_ARGS;
        }

        return NGX_HTTP_WEBHOOK_PART_ANY;

    default: /* NGX_HTTP_WEBHOOK_PIECE_EVENT_ID, .._FIELD */
        return NGX_HTTP_WEBHOOK_PART_ANY;
    }
}


/*
 * Whether a piece is the timestamp that is judged.  Of several sources in the
 * signed text it is always the first, since all of them have to be there.
 */

static ngx_uint_t
ngx_http_webhook_seam_is_time(ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_piece_t *piece)
{
    ngx_http_webhook_cut_t       *cut;
    ngx_http_webhook_template_t  *source;

    if (piece->type == NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP) {
        return 1;
    }

    if (scheme->timestamp == NULL || scheme->timestamp_json) {
        return 0;
    }

    cut = &scheme->timestamp_cut;
    source = scheme->timestamp->elts;

    return cut->separator.len == 0 && cut->prefix.len == 0
           && cut->group.len == 0 && source->npieces == 1
           && ngx_http_webhook_pieces_equal(source->pieces, piece);
}


ngx_int_t
ngx_http_webhook_seams_check(const ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *values, u_char *last, size_t time)
{
    u_char      *end;
    ngx_str_t   *value;
    ngx_uint_t   i, k, n, seam;

    n = scheme->signed_text.npieces;

    for (i = 0; i < n; i++) {

        seam = scheme->seams[i];
        value = &values[i];

        if ((seam & NGX_HTTP_WEBHOOK_SEAM_TIME) && value->len != time) {
            return NGX_DECLINED;
        }

        if ((seam & NGX_HTTP_WEBHOOK_SEAM_FREE)
            && ngx_strlchr(value->data, value->data + value->len,
                           values[i + 1].data[0]))
        {
            return NGX_DECLINED;
        }

        if ((seam & NGX_HTTP_WEBHOOK_SEAM_SECONDS)
            && !ngx_http_webhook_seam_date_ends(value, values[i + 1].data[0]))
        {
            return NGX_DECLINED;
        }

        if ((seam & NGX_HTTP_WEBHOOK_SEAM_WORD)
            && (value->len > NGX_HTTP_WEBHOOK_MAX_WORD
                || !ngx_http_webhook_seam_word(value, &ngx_http_webhook_word)))
        {
            return NGX_DECLINED;
        }

        if ((seam & NGX_HTTP_WEBHOOK_SEAM_HOST)
            && !ngx_http_webhook_seam_word(value, &ngx_http_webhook_host))
        {
            return NGX_DECLINED;
        }

        if ((seam & NGX_HTTP_WEBHOOK_SEAM_SLASH) && value->data[0] != '/') {
            return NGX_DECLINED;
        }

        if ((seam & NGX_HTTP_WEBHOOK_SEAM_URL)
            && (!ngx_http_webhook_seam_word(value, &ngx_http_webhook_url)
                || ngx_http_webhook_seam_has_dots(value)))
        {
            return NGX_DECLINED;
        }

        if (seam & NGX_HTTP_WEBHOOK_SEAM_LAST) {

            end = last;

            for (k = i + 1; k < n; k++) {
                if (scheme->seams[k] & NGX_HTTP_WEBHOOK_SEAM_LITERAL) {
                    end = values[k].data;
                    break;
                }
            }

            if (ngx_http_webhook_seam_last(value, end) != NGX_OK) {
                return NGX_DECLINED;
            }
        }
    }

    return NGX_OK;
}


/* NGX_OK if a literal does not occur once more before the end */

static ngx_int_t
ngx_http_webhook_seam_last(ngx_str_t *literal, u_char *last)
{
    u_char  *p;

    for (p = literal->data + 1; p + literal->len <= last; p++) {
        if (ngx_memcmp(p, literal->data, literal->len) == 0) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/*
 * Whether a date that may be without fraction and offset ends where a literal
 * begins: a colon goes on with none of them, of any other character what is
 * behind the seconds is free.
 */

static ngx_uint_t
ngx_http_webhook_seam_date_ends(ngx_str_t *date, u_char ch)
{
    size_t  seconds;

    seconds = sizeof("2025-11-24T16:00:00") - 1;

    return ch == ':'
           || ngx_strlchr(date->data + seconds, date->data + date->len, ch)
              == NULL;
}


ngx_int_t
ngx_http_webhook_seams_check_body(
    const ngx_http_webhook_scheme_t *scheme, u_char first)
{
    return (scheme->before_body
            && ngx_http_webhook_seam_is(first, scheme->before_body))
           ? NGX_DECLINED : NGX_OK;
}


ngx_uint_t
ngx_http_webhook_is_key_value(ngx_http_webhook_piece_t *piece,
    ngx_str_t *value)
{
    switch (piece->type) {

    case NGX_HTTP_WEBHOOK_PIECE_HEADER:
    case NGX_HTTP_WEBHOOK_PIECE_FIELD:
        return value->len <= NGX_HTTP_WEBHOOK_MAX_WORD
               && ngx_http_webhook_seam_word(value, &ngx_http_webhook_key);

    case NGX_HTTP_WEBHOOK_PIECE_VARIABLE:
        return ngx_http_webhook_seam_word(value, &ngx_http_webhook_url);

    default: /* NGX_HTTP_WEBHOOK_PIECE_LITERAL */
        return 1;
    }
}


static ngx_uint_t
ngx_http_webhook_seam_word(ngx_str_t *text, ngx_str_t *others)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (!ngx_http_webhook_seam_is(text->data[i], others)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_webhook_seam_is(u_char ch, ngx_str_t *others)
{
    u_char  c;

    c = (u_char) (ch | 0x20);

    return (c >= 'a' && c <= 'z') || (ch >= '0' && ch <= '9')
           || ngx_strlchr(others->data, others->data + others->len, ch);
}


/* dot segments of a path, escaped or not, that core takes away */

static ngx_uint_t
ngx_http_webhook_seam_has_dots(ngx_str_t *url)
{
    u_char      *p, *last, ch;
    ngx_int_t    n;
    ngx_uint_t   dots;

    p = url->data;
    last = p + url->len;

    if (*p != '/') {
        return 0;
    }

    dots = 0;

    while (p < last && *p != '?') {

        ch = *p++;

        if (ch == '%' && last - p >= 2) {
            n = ngx_hextoi(p, 2);

            if (n == '.' || n == '/') {
                ch = (u_char) n;
                p += 2;
            }
        }

        if (ch == '/') {

            if (dots == 1 || dots == 2) {
                return 1;
            }

            dots = 0;
            continue;
        }

        /* three of them, or anything else, are a name */

        dots = (ch == '.') ? ngx_min(dots + 1, 3) : 3;
    }

    return dots == 1 || dots == 2;
}
