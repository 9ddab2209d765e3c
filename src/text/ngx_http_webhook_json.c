
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Values of a JSON document (RFC 8259) at given JSON Pointers (RFC 6901),
 * found in one pass of yajl.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <yajl/yajl_parse.h>

#include "ngx_http_webhook_json.h"


#define NGX_HTTP_WEBHOOK_JSON_DEPTH   64

/*
 * What yajl needs at most, beside twice the length of the document: its own
 * structures, about 400 bytes, and the first 2048 of two buffers.  One is for
 * a string without its escapes, the other for what is left unfinished at the
 * end; each is doubled as long as it does not hold more than its part of the
 * document.
 */
#define NGX_HTTP_WEBHOOK_JSON_MEMORY  (1024 + 2 * 2048)


/* how the path to what is being parsed relates to one pointer */

typedef struct {
    ngx_uint_t                     matched;   /* tokens that agree */
    uint64_t                       seen;      /* a bit for each token: its key
                                                 was met in this object */
} ngx_http_webhook_match_t;


typedef struct {
    ngx_pool_t                    *pool;

    ngx_http_webhook_pointer_t    *pointers;
    ngx_http_webhook_match_t      *matches;
    ngx_http_webhook_value_t      *values;
    ngx_uint_t                     npointers;

    ngx_uint_t                     depth;     /* open containers */
    uint64_t                       arrays;    /* a bit for each of them */
    ngx_uint_t                     index[NGX_HTTP_WEBHOOK_JSON_DEPTH];

    u_char                        *block;     /* the last one given to yajl */
    u_char                        *pos;       /* the memory behind it */
    u_char                        *last;

    unsigned                       nomem:1;
} ngx_http_webhook_json_t;


static ngx_int_t ngx_http_webhook_json_check(u_char *p, u_char *last);
static ngx_int_t ngx_http_webhook_json_utf8(u_char *p, u_char *last);
static ngx_uint_t ngx_http_webhook_json_unit(u_char *p, u_char *last);
static ngx_int_t ngx_http_webhook_json_run(ngx_http_webhook_json_t *json,
    ngx_str_t *text);
static void *ngx_http_webhook_json_alloc(void *data, size_t size);
static void *ngx_http_webhook_json_realloc(void *data, void *p, size_t size);
static void ngx_http_webhook_json_free(void *data, void *p);

static void ngx_http_webhook_json_element(ngx_http_webhook_json_t *json);
static int ngx_http_webhook_json_open(ngx_http_webhook_json_t *json,
    ngx_uint_t array);
static int ngx_http_webhook_json_close(ngx_http_webhook_json_t *json);
static int ngx_http_webhook_json_value(ngx_http_webhook_json_t *json,
    const u_char *data, size_t len);

static int ngx_http_webhook_json_null(void *data);
static int ngx_http_webhook_json_boolean(void *data, int value);
static int ngx_http_webhook_json_number(void *data, const char *p, size_t len);
static int ngx_http_webhook_json_string(void *data, const unsigned char *p,
    size_t len);
static int ngx_http_webhook_json_start_map(void *data);
static int ngx_http_webhook_json_map_key(void *data, const unsigned char *p,
    size_t len);
static int ngx_http_webhook_json_end_map(void *data);
static int ngx_http_webhook_json_start_array(void *data);
static int ngx_http_webhook_json_end_array(void *data);


static yajl_callbacks  ngx_http_webhook_json_callbacks = {
    ngx_http_webhook_json_null,
    ngx_http_webhook_json_boolean,
    NULL,                                  /* yajl_integer */
    NULL,                                  /* yajl_double */
    ngx_http_webhook_json_number,
    ngx_http_webhook_json_string,
    ngx_http_webhook_json_start_map,
    ngx_http_webhook_json_map_key,
    ngx_http_webhook_json_end_map,
    ngx_http_webhook_json_start_array,
    ngx_http_webhook_json_end_array
};


ngx_int_t
ngx_http_webhook_pointer(ngx_pool_t *pool, ngx_str_t *text,
    ngx_http_webhook_pointer_t *pointer)
{
    u_char     *p, *last, *dst;
    ngx_str_t  *token;

    pointer->text = *text;
    pointer->ntokens = 0;
    pointer->tokens = NULL;

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {
        if (*p == '/') {
            pointer->ntokens++;
        }
    }

    if (text->len == 0) {

        /* the whole document */

        return NGX_OK;
    }

    if (pointer->ntokens == 0
        || pointer->ntokens > NGX_HTTP_WEBHOOK_JSON_DEPTH
        || text->data[0] != '/')
    {
        return NGX_DECLINED;
    }

    pointer->tokens = ngx_palloc(pool, pointer->ntokens * sizeof(ngx_str_t));
    if (pointer->tokens == NULL) {
        return NGX_ERROR;
    }

    dst = ngx_pnalloc(pool, text->len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    token = pointer->tokens - 1;

    for (p = text->data; p < last; p++) {

        if (*p == '/') {
            token++;
            token->data = dst;
            token->len = 0;
            continue;
        }

        if (*p == '~') {
            p++;

            if (p == last || (*p != '0' && *p != '1')) {
                return NGX_DECLINED;
            }

            *dst++ = (*p == '0') ? '~' : '/';

        } else {
            *dst++ = *p;
        }

        token->len++;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webhook_json_parse(ngx_pool_t *pool, ngx_str_t *text,
    ngx_http_webhook_pointer_t *pointers, ngx_uint_t npointers,
    ngx_http_webhook_value_t *values)
{
    u_char                   *memory;
    size_t                    size, len;
    ngx_int_t                 rc;
    ngx_http_webhook_json_t   json;

    ngx_memzero(values, npointers * sizeof(ngx_http_webhook_value_t));

    if (text->len == 0
        || ngx_http_webhook_json_check(text->data, text->data + text->len)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* yajl does not look whether it was given memory: it has it before */

    len = npointers * sizeof(ngx_http_webhook_match_t);
    size = len + NGX_HTTP_WEBHOOK_JSON_MEMORY + 2 * text->len;

    memory = ngx_alloc(size, pool->log);
    if (memory == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(memory, len);
    ngx_memzero(&json, sizeof(ngx_http_webhook_json_t));

    json.pool = pool;
    json.pointers = pointers;
    json.matches = (ngx_http_webhook_match_t *) memory;
    json.values = values;
    json.npointers = npointers;
    json.pos = memory + len;
    json.last = memory + size;

    rc = ngx_http_webhook_json_run(&json, text);

    ngx_free(memory);

    if (rc != NGX_OK) {
        ngx_memzero(values, npointers * sizeof(ngx_http_webhook_value_t));
    }

    return json.nomem ? NGX_ERROR : rc;
}


/* what yajl does not check, or not as strictly */

static ngx_int_t
ngx_http_webhook_json_check(u_char *p, u_char *last)
{
    /* it takes these for blanks; in a string they are refused anyway */

    if (memchr(p, '\v', last - p) || memchr(p, '\f', last - p)) {
        return NGX_DECLINED;
    }

    if (ngx_http_webhook_json_utf8(p, last) != NGX_OK) {
        return NGX_DECLINED;
    }

    /*
     * It turns a lone surrogate into "?" and joins any two code units, so that
     * different texts give one value.  A backslash stands in strings only, or
     * the document is not valid anyway: there is no need to know what is what.
     */

    for ( ;; ) {
        p = memchr(p, '\\', last - p);

        if (p == NULL || last - p < 2) {
            return NGX_OK;
        }

        switch (ngx_http_webhook_json_unit(p, last) >> 10) {

        case 0xd800 >> 10:

            if (ngx_http_webhook_json_unit(p + 6, last) >> 10 != 0xdc00 >> 10) {
                return NGX_DECLINED;
            }

            p += 12;
            break;

        case 0xdc00 >> 10:
            return NGX_DECLINED;

        default:
            p += 2;
        }
    }
}


/* the table of well-formed sequences in RFC 3629, section 4 */

static ngx_int_t
ngx_http_webhook_json_utf8(u_char *p, u_char *last)
{
    u_char      low, high;
    uint64_t    word[4];
    ngx_uint_t  n;

    for ( ;; ) {

        /* ASCII is skipped by words */

        while (last - p >= 32) {
            ngx_memcpy(word, p, 32);

            if ((word[0] | word[1] | word[2] | word[3]) & 0x8080808080808080) {
                break;
            }

            p += 32;
        }

        while (last - p >= 8) {
            ngx_memcpy(word, p, 8);

            if (word[0] & 0x8080808080808080) {
                break;
            }

            p += 8;
        }

        if (p == last) {
            return NGX_OK;
        }

        if (*p < 0x80) {
            p++;
            continue;
        }

        low = 0x80;
        high = 0xbf;

        if (*p >= 0xc2 && *p <= 0xdf) {
            n = 1;

        } else if (*p >= 0xe0 && *p <= 0xef) {
            n = 2;

            if (*p == 0xe0) {
                low = 0xa0;

            } else if (*p == 0xed) {
                high = 0x9f;
            }

        } else if (*p >= 0xf0 && *p <= 0xf4) {
            n = 3;

            if (*p == 0xf0) {
                low = 0x90;

            } else if (*p == 0xf4) {
                high = 0x8f;
            }

        } else {
            return NGX_DECLINED;
        }

        if ((ngx_uint_t) (last - p) <= n) {
            return NGX_DECLINED;
        }

        for (p++; n; n--, p++) {

            if (*p < low || *p > high) {
                return NGX_DECLINED;
            }

            low = 0x80;
            high = 0xbf;
        }
    }
}


/* the UTF-16 code unit that is escaped there, or 0 if it is something else */

static ngx_uint_t
ngx_http_webhook_json_unit(u_char *p, u_char *last)
{
    ngx_int_t  n;

    if (last - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return 0;
    }

    n = ngx_hextoi(p + 2, 4);

    return (n == NGX_ERROR) ? 0 : n;
}


static ngx_int_t
ngx_http_webhook_json_run(ngx_http_webhook_json_t *json, ngx_str_t *text)
{
    u_char            *p, *last;
    yajl_handle        yajl;
    yajl_alloc_funcs   alloc;

    alloc.malloc = ngx_http_webhook_json_alloc;
    alloc.realloc = ngx_http_webhook_json_realloc;
    alloc.free = ngx_http_webhook_json_free;
    alloc.ctx = json;

    yajl = yajl_alloc(&ngx_http_webhook_json_callbacks, &alloc, json);

    /* that they are UTF-8 is known */

    (void) yajl_config(yajl, yajl_dont_validate_strings, 1);

    /* it would not mind an unfinished string behind the value */

    (void) yajl_config(yajl, yajl_allow_trailing_garbage, 1);

    if (yajl_parse(yajl, text->data, text->len) != yajl_status_ok) {
        return NGX_DECLINED;
    }

    p = text->data + yajl_get_bytes_consumed(yajl);
    last = text->data + text->len;

    if (yajl_complete_parse(yajl) != yajl_status_ok) {
        return NGX_DECLINED;
    }

    while (p < last
           && (*p == ' ' || *p == '\t' || *p == CR || *p == LF))
    {
        p++;
    }

    return (p == last) ? NGX_OK : NGX_DECLINED;
}


static void *
ngx_http_webhook_json_alloc(void *data, size_t size)
{
    ngx_http_webhook_json_t *json = data;

    u_char  *p;

    p = ngx_align_ptr(json->pos, NGX_ALIGNMENT);

    if (p > json->last || size > (size_t) (json->last - p)) {
        return NULL;
    }

    json->block = p;
    json->pos = p + size;

    return p;
}


static void *
ngx_http_webhook_json_realloc(void *data, void *p, size_t size)
{
    ngx_http_webhook_json_t *json = data;

    if (p) {

        /* a buffer grows in place, only the last one does */

        if (p != json->block) {
            return NULL;
        }

        json->pos = p;
    }

    return ngx_http_webhook_json_alloc(data, size);
}


static void
ngx_http_webhook_json_free(void *data, void *p)
{
    /* all is freed at once */
}


/* a value or a container begins: in an array this is its next element */

static void
ngx_http_webhook_json_element(ngx_http_webhook_json_t *json)
{
    u_char                     buf[NGX_INT_T_LEN];
    size_t                     len;
    ngx_str_t                 *token;
    ngx_uint_t                 i, level;
    ngx_http_webhook_match_t  *match;

    if (json->depth == 0) {
        return;
    }

    level = json->depth - 1;

    if (!(json->arrays & (uint64_t) 1 << level)) {
        return;
    }

    len = ngx_sprintf(buf, "%ui", json->index[level]++) - buf;

    for (i = 0; i < json->npointers; i++) {
        match = &json->matches[i];

        if (match->matched < level || json->pointers[i].ntokens <= level) {
            continue;
        }

        token = &json->pointers[i].tokens[level];

        match->matched = (token->len == len
                          && ngx_memcmp(token->data, buf, len) == 0)
                         ? level + 1 : level;
    }
}


static int
ngx_http_webhook_json_open(ngx_http_webhook_json_t *json, ngx_uint_t array)
{
    ngx_uint_t  i;

    ngx_http_webhook_json_element(json);

    if (json->depth == NGX_HTTP_WEBHOOK_JSON_DEPTH) {
        return 0;
    }

    json->index[json->depth] = 0;
    json->arrays &= ~((uint64_t) 1 << json->depth);
    json->arrays |= (uint64_t) array << json->depth;

    for (i = 0; i < json->npointers; i++) {
        if (json->matches[i].matched == json->depth) {
            json->matches[i].seen &= ~((uint64_t) 1 << json->depth);
        }
    }

    json->depth++;

    return 1;
}


static int
ngx_http_webhook_json_close(ngx_http_webhook_json_t *json)
{
    ngx_uint_t  i;

    json->depth--;

    for (i = 0; i < json->npointers; i++) {
        if (json->matches[i].matched > json->depth) {
            json->matches[i].matched = json->depth;
        }
    }

    return 1;
}


static int
ngx_http_webhook_json_value(ngx_http_webhook_json_t *json, const u_char *data,
    size_t len)
{
    size_t                     n;
    ngx_uint_t                 i;
    ngx_http_webhook_value_t  *value;

    ngx_http_webhook_json_element(json);

    for (i = 0; i < json->npointers; i++) {

        if (json->matches[i].matched != json->depth
            || json->pointers[i].ntokens != json->depth)
        {
            continue;
        }

        value = &json->values[i];

        for (n = 0; n < len; n++) {
            if (data[n] < 0x20 || data[n] == 0x7f) {
                break;
            }
        }

        if (len == 0 || n < len) {
            continue;
        }

        value->text.data = ngx_pnalloc(json->pool, len);
        if (value->text.data == NULL) {
            json->nomem = 1;
            return 0;
        }

        ngx_memcpy(value->text.data, data, len);
        value->text.len = len;
    }

    return 1;
}


static int
ngx_http_webhook_json_null(void *data)
{
    ngx_http_webhook_json_element(data);

    return 1;
}


static int
ngx_http_webhook_json_boolean(void *data, int value)
{
    return value ? ngx_http_webhook_json_value(data, (u_char *) "true", 4)
                 : ngx_http_webhook_json_value(data, (u_char *) "false", 5);
}


static int
ngx_http_webhook_json_number(void *data, const char *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len; n++) {
        if (p[n] == '.' || p[n] == 'e' || p[n] == 'E') {
            ngx_http_webhook_json_element(data);
            return 1;
        }
    }

    return ngx_http_webhook_json_value(data, (const u_char *) p, len);
}


static int
ngx_http_webhook_json_string(void *data, const unsigned char *p, size_t len)
{
    return ngx_http_webhook_json_value(data, p, len);
}


static int
ngx_http_webhook_json_start_map(void *data)
{
    return ngx_http_webhook_json_open(data, 0);
}


static int
ngx_http_webhook_json_map_key(void *data, const unsigned char *p, size_t len)
{
    uint64_t                   bit;
    ngx_str_t                 *token;
    ngx_uint_t                 i, level;
    ngx_http_webhook_json_t   *json;
    ngx_http_webhook_match_t  *match;

    json = data;
    level = json->depth - 1;
    bit = (uint64_t) 1 << level;

    for (i = 0; i < json->npointers; i++) {
        match = &json->matches[i];

        if (match->matched < level || json->pointers[i].ntokens <= level) {
            continue;
        }

        token = &json->pointers[i].tokens[level];

        if (token->len != len || ngx_memcmp(token->data, p, len) != 0) {
            match->matched = level;
            continue;
        }

        if (match->seen & bit) {
            json->values[i].ambiguous = 1;
        }

        match->seen |= bit;
        match->matched = level + 1;
    }

    return 1;
}


static int
ngx_http_webhook_json_end_map(void *data)
{
    return ngx_http_webhook_json_close(data);
}


static int
ngx_http_webhook_json_start_array(void *data)
{
    return ngx_http_webhook_json_open(data, 1);
}


static int
ngx_http_webhook_json_end_array(void *data)
{
    return ngx_http_webhook_json_close(data);
}
