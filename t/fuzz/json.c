
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * JSON: a document is valid, and its values are those, that a second parser
 * finds, written from RFC 8259 without haste.
 */


#include "fuzz.h"

#include "ngx_http_webhook_json.h"


#define DEPTH   64
#define TOKENS  2


typedef struct {
    char           *text;
    unsigned        ntokens;
    char           *tokens[TOKENS];
} pointer_t;


typedef struct {
    u_char         *text;
    size_t          len;
    unsigned        ambiguous:1;
} found_t;


static pointer_t  pointers[] = {
    { "/id", 1, { "id" } },
    { "/a/b", 2, { "a", "b" } },
    { "/a/1", 2, { "a", "1" } },
    { "/a~1b", 1, { "a/b" } },
    { "/~0/", 2, { "~", "" } },
    { "", 0, { NULL } }
};

#define POINTERS  (sizeof(pointers) / sizeof(pointers[0]))

static found_t        found[POINTERS];
static const u_char  *pos, *last;
static u_char        *buffer;


/* a bit of wanted for each pointer that has agreed so far, at this depth */

static int value(unsigned depth, unsigned wanted);


static void
blanks(void)
{
    while (pos < last && memchr(" \t\r\n", *pos, 4)) {
        pos++;
    }
}


static int
literal(const char *text)
{
    size_t  len;

    len = strlen(text);

    if ((size_t) (last - pos) < len || memcmp(pos, text, len) != 0) {
        return 0;
    }

    pos += len;

    return 1;
}


static void
note(unsigned depth, unsigned wanted, const u_char *text, size_t len)
{
    size_t    n;
    unsigned  i;

    for (i = 0; i < POINTERS; i++) {

        if (!(wanted & 1 << i) || pointers[i].ntokens != depth) {
            continue;
        }

        for (n = 0; n < len && text[n] >= 0x20 && text[n] != 0x7f; n++) {
            /* void */
        }

        if (n == len && len) {
            free(found[i].text);
            found[i].text = malloc(len);
            memcpy(found[i].text, text, len);
            found[i].len = len;
        }
    }
}


static long
hex4(void)
{
    int   i;
    long  n;

    for (n = 0, i = 0; i < 4; i++, pos++) {
        if (pos == last || !isxdigit(*pos)) {
            return -1;
        }

        n = n * 16 + (isdigit(*pos) ? *pos - '0' : tolower(*pos) - 'a' + 10);
    }

    return n;
}


static u_char *
put(u_char *p, unsigned long c)
{
    if (c < 0x80) {
        *p++ = c;

    } else if (c < 0x800) {
        *p++ = 0xc0 | c >> 6;
        *p++ = 0x80 | (c & 0x3f);

    } else if (c < 0x10000) {
        *p++ = 0xe0 | c >> 12;
        *p++ = 0x80 | (c >> 6 & 0x3f);
        *p++ = 0x80 | (c & 0x3f);

    } else {
        *p++ = 0xf0 | c >> 18;
        *p++ = 0x80 | (c >> 12 & 0x3f);
        *p++ = 0x80 | (c >> 6 & 0x3f);
        *p++ = 0x80 | (c & 0x3f);
    }

    return p;
}


/* one character of UTF-8 that is not ASCII, which encodes to itself only */

static u_char *
utf8(u_char *dst)
{
    unsigned       n, i;
    u_char        *end;
    const u_char  *start;
    unsigned long  c;

    start = pos;
    n = (*pos >= 0xf0) ? 3 : (*pos >= 0xe0) ? 2 : 1;

    if (*pos < 0xc0 || *pos > 0xf7 || last - pos <= (long) n) {
        return NULL;
    }

    c = *pos++ & (0x3f >> n);

    for (i = 0; i < n; i++) {
        if ((*pos & 0xc0) != 0x80) {
            return NULL;
        }

        c = c << 6 | (*pos++ & 0x3f);
    }

    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        return NULL;
    }

    end = put(dst, c);

    return (end - dst == pos - start) ? end : NULL;
}


/* into the buffer, from dst on; NULL if it is none */

static u_char *
string(u_char *dst)
{
    long  c, low;

    pos++;

    while (pos < last) {

        if (*pos == '"') {
            pos++;
            return dst;
        }

        if (*pos < 0x20) {
            return NULL;
        }

        if (*pos >= 0x80) {
            dst = utf8(dst);
            if (dst == NULL) {
                return NULL;
            }

            continue;
        }

        if (*pos != '\\') {
            *dst++ = *pos++;
            continue;
        }

        if (++pos == last) {
            return NULL;
        }

        switch (*pos++) {
        case '"':  *dst++ = '"';  continue;
        case '\\': *dst++ = '\\'; continue;
        case '/':  *dst++ = '/';  continue;
        case 'b':  *dst++ = '\b'; continue;
        case 'f':  *dst++ = '\f'; continue;
        case 'n':  *dst++ = '\n'; continue;
        case 'r':  *dst++ = '\r'; continue;
        case 't':  *dst++ = '\t'; continue;
        case 'u':  break;
        default:   return NULL;
        }

        c = hex4();

        if (c < 0 || (c >= 0xdc00 && c < 0xe000)) {
            return NULL;
        }

        if (c >= 0xd800 && c < 0xdc00) {

            if (!literal("\\u")) {
                return NULL;
            }

            low = hex4();

            if (low < 0xdc00 || low >= 0xe000) {
                return NULL;
            }

            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }

        dst = put(dst, c);
    }

    return NULL;
}


static int
digits(void)
{
    if (pos == last || !isdigit(*pos)) {
        return 0;
    }

    while (pos < last && isdigit(*pos)) {
        pos++;
    }

    return 1;
}


static int
number(unsigned depth, unsigned wanted)
{
    int            integer;
    const u_char  *start;

    start = pos;
    integer = 1;

    pos += (*pos == '-');

    if (pos < last && *pos == '0') {
        pos++;

    } else if (!digits()) {
        return 0;
    }

    if (pos < last && *pos == '.') {
        pos++;
        integer = 0;

        if (!digits()) {
            return 0;
        }
    }

    if (pos < last && (*pos == 'e' || *pos == 'E')) {
        pos++;
        integer = 0;

        if (pos < last && (*pos == '+' || *pos == '-')) {
            pos++;
        }

        if (!digits()) {
            return 0;
        }
    }

    if (integer) {
        note(depth, wanted, start, pos - start);
    }

    return 1;
}


/* the pointers whose next token is that one */

static unsigned
step(unsigned depth, unsigned wanted, const u_char *token, size_t len)
{
    unsigned  i, next;

    next = 0;

    for (i = 0; i < POINTERS; i++) {
        if ((wanted & 1 << i)
            && pointers[i].ntokens > depth
            && strlen(pointers[i].tokens[depth]) == len
            && memcmp(pointers[i].tokens[depth], token, len) == 0)
        {
            next |= 1 << i;
        }
    }

    return next;
}


static int
object(unsigned depth, unsigned wanted)
{
    u_char    *end;
    unsigned   i, next, seen;

    pos++;
    blanks();

    if (pos < last && *pos == '}') {
        pos++;
        return 1;
    }

    for (seen = 0; /* void */ ; seen |= next) {

        blanks();

        if (pos == last || *pos != '"') {
            return 0;
        }

        end = string(buffer);
        if (end == NULL) {
            return 0;
        }

        next = step(depth, wanted, buffer, end - buffer);

        for (i = 0; i < POINTERS; i++) {
            if (next & seen & 1 << i) {
                found[i].ambiguous = 1;
            }
        }

        blanks();

        if (!literal(":") || !value(depth + 1, next)) {
            return 0;
        }

        if (literal("}")) {
            return 1;
        }

        if (!literal(",")) {
            return 0;
        }
    }
}


static int
array(unsigned depth, unsigned wanted)
{
    char      index[32];
    unsigned  n;

    pos++;
    blanks();

    if (pos < last && *pos == ']') {
        pos++;
        return 1;
    }

    for (n = 0; /* void */ ; n++) {

        snprintf(index, sizeof(index), "%u", n);

        if (!value(depth + 1, step(depth, wanted, (u_char *) index,
                                   strlen(index))))
        {
            return 0;
        }

        if (literal("]")) {
            return 1;
        }

        if (!literal(",")) {
            return 0;
        }
    }
}


static int
value(unsigned depth, unsigned wanted)
{
    int      rc;
    u_char  *end;

    blanks();

    if (pos == last) {
        return 0;
    }

    switch (*pos) {

    case '{':
        rc = (depth < DEPTH && object(depth, wanted));
        break;

    case '[':
        rc = (depth < DEPTH && array(depth, wanted));
        break;

    case '"':
        end = string(buffer);
        rc = (end != NULL);

        if (rc) {
            note(depth, wanted, buffer, end - buffer);
        }

        break;

    case 't':
        rc = literal("true");

        if (rc) {
            note(depth, wanted, (u_char *) "true", 4);
        }

        break;

    case 'f':
        rc = literal("false");

        if (rc) {
            note(depth, wanted, (u_char *) "false", 5);
        }

        break;

    case 'n':
        rc = literal("null");
        break;

    default:
        rc = number(depth, wanted);
        break;
    }

    blanks();

    return rc;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    int                          valid;
    size_t                       i;
    ngx_int_t                    rc;
    ngx_str_t                    text;
    ngx_pool_t                  *pool;
    ngx_http_webhook_value_t     values[POINTERS];
    ngx_http_webhook_pointer_t   compiled[POINTERS];

    pool = ngx_create_pool(NGX_MIN_POOL_SIZE * 8, &fuzz_log);

    for (i = 0; i < POINTERS; i++) {
        text.data = (u_char *) pointers[i].text;
        text.len = strlen(pointers[i].text);

        fuzz_check(ngx_http_webhook_pointer(pool, &text, &compiled[i])
                   == NGX_OK);
    }

    text.len = size;
    text.data = fuzz_copy(data, size);

    rc = ngx_http_webhook_json_parse(pool, &text, compiled, POINTERS, values);

    fuzz_check(rc == NGX_OK || rc == NGX_DECLINED);

    memset(found, 0, sizeof(found));

    pos = data;
    last = data + size;
    buffer = malloc(size + 1);

    valid = value(0, (1 << POINTERS) - 1) && pos == last;

    free(buffer);

    fuzz_check(valid == (rc == NGX_OK));

    for (i = 0; i < POINTERS; i++) {

        if (!valid) {
            fuzz_check(values[i].text.data == NULL && !values[i].ambiguous);
            continue;
        }

        fuzz_check(values[i].ambiguous == found[i].ambiguous);

        if (!found[i].ambiguous) {
            fuzz_check(values[i].text.len == found[i].len);
            fuzz_check(found[i].len == 0
                       || memcmp(values[i].text.data, found[i].text,
                                 found[i].len) == 0);
        }
    }

    for (i = 0; i < POINTERS; i++) {
        free(found[i].text);
    }

    free(text.data);
    ngx_destroy_pool(pool);

    return 0;
}
