
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Drives the JSON parser without nginx: documents that make yajl ask for as
 * much memory as it can, which is more than it was given if this crashes, and
 * UTF-8 beside a decoder that is too simple to be wrong.
 *
 * usage: json seed name
 *
 * Prints "ok", or "not ok: why" and where.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdarg.h>
#include <stdio.h>

#include "ngx_http_webhook_json.c"


#define MAX  (1024 * 1024 + 8)


static u_char    *document;
static ngx_uint_t  allocated;
static uint64_t    state;


static void
fail(const char *fmt, ...)
{
    va_list  args;

    printf("not ok: ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");

    exit(1);
}


/* xorshift64 */

static uint64_t
rnd(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;

    return state % n;
}


/* what of nginx is called */

void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    allocated++;

    return malloc(size);
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    return malloc(size);
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return malloc(size);
}


u_char * ngx_cdecl
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    va_list     args;
    ngx_uint_t  n;

    va_start(args, fmt);
    n = va_arg(args, ngx_uint_t);
    va_end(args);

    return buf + sprintf((char *) buf, "%lu", (unsigned long) n);
}


ngx_int_t
ngx_hextoi(u_char *line, size_t n)
{
    char            buf[5], *end;
    unsigned long   value;

    memcpy(buf, line, n);
    buf[n] = '\0';

    value = strtoul(buf, &end, 16);

    return (*end == '\0' && strspn(buf, "0123456789abcdefABCDEF") == n)
           ? (ngx_int_t) value : NGX_ERROR;
}


/* in a piece of memory of its own, which ends where it ends */

static ngx_int_t
parse(size_t len)
{
    u_char                      *p;
    ngx_int_t                    rc;
    ngx_str_t                    text, token, pointer;
    ngx_pool_t                   pool;
    ngx_http_webhook_value_t     value;
    ngx_http_webhook_pointer_t   pointers;

    ngx_memzero(&pool, sizeof(ngx_pool_t));

    ngx_str_set(&pointer, "/id");
    ngx_str_set(&token, "id");

    pointers.text = pointer;
    pointers.ntokens = 1;
    pointers.tokens = &token;

    p = malloc(len ? len : 1);
    if (p == NULL) {
        fail("no memory");
    }

    memcpy(p, document, len);

    text.data = p;
    text.len = len;

    allocated = 0;

    rc = ngx_http_webhook_json_parse(&pool, &text, &pointers, 1, &value);

    if (allocated > 1) {
        fail("%lu allocations", (unsigned long) allocated);
    }

    if (rc != NGX_OK && value.text.data) {
        fail("a value in no document");
    }

    free(value.text.data);
    free(p);

    return rc;
}


static u_char *
put(u_char *p, const char *text)
{
    return ngx_cpymem(p, text, strlen(text));
}


/* a string of len bytes with its quotes, of which the first is escaped */

static u_char *
string(u_char *p, size_t len, const char *escape)
{
    u_char  *last;

    last = p + len;

    *p++ = '"';
    p = put(p, escape);

    while (p < last - 1) {
        *p++ = 'x';
    }

    *p++ = '"';

    return p;
}


/* all that decodes to as much as an escape can, in an array */

static void
escapes(size_t len, const char *escape, ngx_int_t expected)
{
    u_char     *p;
    ngx_int_t   rc;

    p = put(document, "[\"");

    while (p + strlen(escape) + 2 <= document + len) {
        p = put(p, escape);
    }

    p = put(p, "\"]");

    rc = parse(p - document);

    if (rc != expected) {
        fail("%s to %lu bytes: %ld", escape, (unsigned long) len, (long) rc);
    }

    /* and cut off anywhere near its end */

    for (len = 1; len < 16 && len < (size_t) (p - document); len++) {
        if (parse(p - document - len) == NGX_OK) {
            fail("%s, %lu bytes cut off", escape, (unsigned long) len);
        }
    }
}


static void
sizes(size_t len)
{
    u_char  *p;
    size_t   n, part;

    /* one string, whole and unfinished */

    p = string(document, len, "\\n");

    if (parse(p - document) != NGX_OK) {
        fail("a string of %lu bytes", (unsigned long) len);
    }

    if (parse(p - document - 1) != NGX_DECLINED) {
        fail("an unfinished string of %lu bytes", (unsigned long) len);
    }

    /* a key */

    p = put(document, "{");
    p = string(p, len, "\\n");
    p = put(p, ":1}");

    if (parse(p - document) != NGX_OK) {
        fail("a key of %lu bytes", (unsigned long) len);
    }

    /* a number that ends with the document */

    memset(document, '1', len);

    if (parse(len) != NGX_OK) {
        fail("a number of %lu bytes", (unsigned long) len);
    }

    /* a string, and another one that is unfinished */

    for (n = 1; n < 8; n++) {
        part = len * n / 8;

        if (part < 8) {
            continue;
        }

        p = put(document, "[");
        p = string(p, part, "\\n");
        p = put(p, ",");
        p = string(p, len - part + 8, "\\n");

        if (parse(p - document - 1) != NGX_DECLINED) {
            fail("%lu of %lu bytes", (unsigned long) part,
                 (unsigned long) len);
        }
    }

    escapes(len, "\\n", NGX_OK);
    escapes(len, "\\u0041", NGX_OK);
    escapes(len, "\\uffff", NGX_OK);
    escapes(len, "\\ud83d\\ude00", NGX_OK);
    escapes(len, "\\ud83d", (len < 11) ? NGX_OK : NGX_DECLINED);
}


static void
test_memory(void)
{
    size_t      n, len;
    u_char     *p;
    ngx_uint_t  i;

    static const char  chars[] = "{}[]\":,\\u0n12e-. \xc3\xe2\xf0\x82";

    for (len = 16; len < 600; len++) {
        sizes(len);
    }

    for (n = 1024; n <= 64 * 1024; n *= 2) {
        for (len = n - 8; len <= n + 8; len++) {
            sizes(len);
        }
    }

    sizes(MAX / 2 - 8);
    sizes(MAX / 2 + 64);

    /* containers in each other, and keys that grow */

    for (n = 1; n < 300; n++) {
        memset(document, '[', n);
        memset(document + n, ']', n);

        if ((parse(2 * n) == NGX_OK) != (n <= 64)) {
            fail("%lu arrays", (unsigned long) n);
        }

        (void) parse(n);

        for (p = document, i = 0; i < n; i++) {
            p = put(p, "{");
            p = string(p, 4 + i, "\\t");
            p = put(p, ":");
        }

        p = put(p, "1");
        memset(p, '}', n);

        if ((parse(p - document + n) == NGX_OK) != (n <= 64)) {
            fail("%lu objects", (unsigned long) n);
        }
    }

    p = put(document, "{");

    for (n = 4; p + n + 8 < document + MAX / 4; n += 1 + n / 64) {
        p = string(p, n, "\\/");
        p = put(p, ":");
        p = string(p, n, "\\b");
        p = put(p, ",");
    }

    p = put(p, "\"id\":0}");

    if (parse(p - document) != NGX_OK) {
        fail("keys of %lu bytes", (unsigned long) (p - document));
    }

    /* anything */

    for (i = 0; i < 200000; i++) {
        len = rnd(64);

        for (n = 0; n < len; n++) {
            document[n] = chars[rnd(sizeof(chars) - 1)];
        }

        (void) parse(len);
    }
}


/* the code point that the bytes are, or -1; it has one way to be written */

static int32_t
decode(u_char *p, size_t len)
{
    size_t    i, n;
    int32_t   c;

    static const int32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    for (n = 0; n < 8 && (p[0] & (0x80 >> n)); n++) { /* void */ }

    if (n == 0) {
        return (len == 1) ? p[0] : -1;
    }

    if (n == 1 || n > 4 || n != len) {
        return -1;
    }

    c = p[0] & (0x7f >> n);

    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return -1;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    return (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
           ? -1 : c;
}


/* whether it is a sequence of such, which is found by trying */

static int
is_utf8(u_char *p, size_t len)
{
    size_t  n;

    if (len == 0) {
        return 1;
    }

    for (n = 1; n <= len && n <= 4; n++) {
        if (decode(p, n) >= 0) {
            return is_utf8(p + n, len - n);
        }
    }

    return 0;
}


/* alone, and anywhere in text that is skipped by words */

static void
utf8(u_char *bytes, size_t len, ngx_uint_t everywhere)
{
    u_char      buf[32];
    size_t      n;
    ngx_int_t   expected;

    expected = is_utf8(bytes, len) ? NGX_OK : NGX_DECLINED;

    if (ngx_http_webhook_json_utf8(bytes, bytes + len) != expected) {
        fail("%02x %02x %02x %02x, %lu", bytes[0], bytes[1], bytes[2],
             bytes[3], (unsigned long) len);
    }

    if (!everywhere) {
        return;
    }

    for (n = 0; n < 20; n++) {
        memset(buf, 'x', sizeof(buf));
        memcpy(buf + n, bytes, len);

        if (ngx_http_webhook_json_utf8(buf, buf + sizeof(buf)) != expected
            || ngx_http_webhook_json_utf8(buf, buf + n + len) != expected)
        {
            fail("%02x %02x %02x %02x, %lu at %lu", bytes[0], bytes[1],
                 bytes[2], bytes[3], (unsigned long) len, (unsigned long) n);
        }
    }
}


static void
test_utf8(void)
{
    u_char    b[4];
    size_t    i, k;
    uint32_t  n;

    static const u_char  edges[] = {
        0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff
    };

    ngx_memzero(b, sizeof(b));

    for (n = 0; n < 1 << 24; n++) {
        b[0] = n >> 16;
        b[1] = n >> 8;
        b[2] = n;

        utf8(b, 3, 0);

        if ((n & 0xff) == 0) {
            utf8(b, 2, 1);

            if ((n & 0xffff) == 0) {
                utf8(b, 1, 1);
            }

            for (i = 0; i < sizeof(edges); i++) {
                for (k = 0; k < sizeof(edges); k++) {
                    b[2] = edges[i];
                    b[3] = edges[k];

                    utf8(b, 3, b[0] >= 0xe0);
                    utf8(b, 4, b[0] >= 0xf0);
                }
            }
        }
    }
}


int
main(int argc, char **argv)
{
    if (argc != 3) {
        fail("usage: json seed name");
    }

    state = strtoull(argv[1], NULL, 10) * 2 + 1;

    document = malloc(MAX + 64);
    if (document == NULL) {
        fail("no memory");
    }

    if (strcmp(argv[2], "memory") == 0) {
        test_memory();

    } else if (strcmp(argv[2], "utf8") == 0) {
        test_utf8();

    } else {
        fail("no test %s", argv[2]);
    }

    printf("ok\n");

    return 0;
}
