
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Drives the reader and the writer of Redis's protocol beside those of
 * hiredis: replies in any pieces, bytes changed at random, and what is too
 * long.  What is read ends where no byte can be read any more.
 *
 * usage: resp seed name
 *
 * Prints "ok", or "not ok: why" and where.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#include <hiredis/hiredis.h>

#include "ngx_http_webhook_resp.c"


#define MAX  (2 * NGX_HTTP_WEBHOOK_RESP_MAX)


typedef struct {
    ngx_int_t    rc;        /* NGX_OK, NGX_AGAIN, NGX_ERROR */
    ngx_uint_t   type;
    size_t       size;
    int64_t      number;
    size_t       len;
    u_char       text[MAX];
} result_t;


static u_char    *end;      /* of memory that can be read */
static result_t   ours, whole, theirs;
static uint64_t   state;


static void
fail(const char *what, u_char *p, size_t size, const char *fmt, ...)
{
    size_t   i;
    va_list  args;

    printf("not ok: %s: ", what);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf(", \"");

    for (i = 0; i < size && i < 200; i++) {
        if (p[i] >= ' ' && p[i] < 127) {
            printf("%c", p[i]);

        } else {
            printf("\\x%02x", p[i]);
        }
    }

    printf("\" of %zu bytes\n", size);

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


/* what of nginx is called: with %ui, %uz, and %V */

u_char * ngx_cdecl
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    va_list      args;
    ngx_str_t   *text;

    va_start(args, fmt);

    while (*fmt) {

        if (*fmt != '%') {
            *buf++ = *fmt++;

        } else if (fmt[1] == 'V') {
            text = va_arg(args, ngx_str_t *);
            buf = ngx_cpymem(buf, text->data, text->len);
            fmt += 2;

        } else {
            buf += sprintf((char *) buf, "%zu", va_arg(args, size_t));
            fmt += 3;
        }
    }

    va_end(args);

    return buf;
}


/* n bytes, most of them of those that have a meaning */

static size_t
random_text(u_char *p, size_t n, ngx_uint_t line)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        p[i] = rnd(3) ? "0123456789+-:$*_\r\n dp"[rnd(21)] : (u_char) rnd(256);

        if (line && (p[i] == CR || p[i] == LF)) {
            p[i] = '_';
        }
    }

    return n;
}


static size_t
random_length(void)
{
    switch (rnd(8)) {

    case 0:
        return 0;

    case 1:
        return rnd(NGX_HTTP_WEBHOOK_RESP_MAX - 32);

    case 2:
        return 120 + rnd(20);

    default:
        return rnd(40);
    }
}


/* a reply that is right, at most as long as one may be */

static size_t
random_reply(u_char *p)
{
    u_char  *start;
    size_t   n;

    start = p;

    switch (rnd(6)) {

    case 0:
        *p++ = '+';
        p += random_text(p, random_length() % 2000, 1);
        break;

    case 1:
        *p++ = '-';
        p += random_text(p, random_length() % 2000, 1);
        break;

    case 2:
        p += sprintf((char *) p, ":%lld",
                     (long long) state >> rnd(64));
        break;

    case 3:
        p += sprintf((char *) p, "$-1");
        break;

    default:
        n = random_length();
        p += sprintf((char *) p, "$%zu\r\n", n);
        p += random_text(p, n, 0);
        break;
    }

    *p++ = CR;
    *p++ = LF;

    return p - start;
}


static void
take(result_t *r, ngx_http_webhook_resp_t *resp, ngx_int_t rc, u_char *p,
    size_t size)
{
    ngx_memzero(r, offsetof(result_t, text));

    r->rc = rc;

    if (rc != NGX_OK) {
        return;
    }

    r->type = resp->type;
    r->size = resp->size;

    if (r->size > size || r->size == 0) {
        fail("size", p, size, "%zu", r->size);
    }

    if (r->type == NGX_HTTP_WEBHOOK_RESP_INTEGER) {
        r->number = resp->number;

    } else if (r->type != NGX_HTTP_WEBHOOK_RESP_NULL) {
        r->len = resp->text.len;

        if (r->len
            && (resp->text.data < p || resp->text.data + r->len > p + size))
        {
            fail("text", p, size, "not within what was read");
        }

        ngx_memcpy(r->text, resp->text.data, r->len);
    }
}


/*
 * Reads what is in pieces, which come at the very end of what can be read; step
 * 0: as a whole, 1: byte by byte, otherwise at random.
 */

static void
read_ours(result_t *r, u_char *in, size_t size, ngx_uint_t step)
{
    size_t                   n;
    u_char                  *p;
    ngx_int_t                rc;
    ngx_http_webhook_resp_t  resp;

    ngx_memzero(&resp, sizeof(ngx_http_webhook_resp_t));

    n = 0;

    do {
        n += (step == 0) ? size : (step == 1) ? 1 : 1 + rnd(step);
        n = ngx_min(n, size);

        p = end - n;
        ngx_memcpy(p, in, n);

        rc = ngx_http_webhook_resp_read(&resp, p, n);

    } while (rc == NGX_AGAIN && n < size);

    take(r, &resp, rc, end - n, n);
}


static void
read_theirs(result_t *r, u_char *in, size_t size)
{
    int           rc;
    void         *answer;
    redisReply   *reply;
    redisReader  *reader;

    ngx_memzero(r, offsetof(result_t, text));

    reader = redisReaderCreate();
    reader->maxbuf = 0;

    redisReaderFeed(reader, (char *) in, size);

    answer = NULL;
    rc = redisReaderGetReply(reader, &answer);
    reply = answer;

    r->rc = (rc != REDIS_OK) ? NGX_ERROR : (reply == NULL) ? NGX_AGAIN : NGX_OK;

    if (r->rc == NGX_OK) {

        /* it forgets what it has read from time to time */

        r->size = size - (reader->len - reader->pos);

        switch (reply->type) {

        case REDIS_REPLY_STATUS:
            r->type = NGX_HTTP_WEBHOOK_RESP_STATUS;
            break;

        case REDIS_REPLY_ERROR:
            r->type = NGX_HTTP_WEBHOOK_RESP_ERROR;
            break;

        case REDIS_REPLY_INTEGER:
            r->type = NGX_HTTP_WEBHOOK_RESP_INTEGER;
            r->number = reply->integer;
            break;

        case REDIS_REPLY_STRING:
            r->type = NGX_HTTP_WEBHOOK_RESP_BULK;
            break;

        case REDIS_REPLY_NIL:
            r->type = NGX_HTTP_WEBHOOK_RESP_NULL;
            break;

        default:
            r->type = 100;
        }

        if (r->type != NGX_HTTP_WEBHOOK_RESP_INTEGER && reply->str) {
            r->len = ngx_min(reply->len, (size_t) MAX);
            ngx_memcpy(r->text, reply->str, r->len);
        }
    }

    if (reply) {
        freeReplyObject(reply);
    }

    redisReaderFree(reader);
}


static void
compare(const char *what, result_t *one, result_t *two, u_char *in, size_t size)
{
    if (one->rc != two->rc) {
        fail(what, in, size, "%ld, and %ld", (long) one->rc, (long) two->rc);
    }

    if (one->rc != NGX_OK) {
        return;
    }

    if (one->type != two->type) {
        fail(what, in, size, "type %lu, and %lu", (long) one->type,
             (long) two->type);
    }

    if (one->size != two->size) {
        fail(what, in, size, "size %zu, and %zu", one->size, two->size);
    }

    if (one->number != two->number) {
        fail(what, in, size, "number %lld, and %lld", (long long) one->number,
             (long long) two->number);
    }

    if (one->len != two->len
        || ngx_memcmp(one->text, two->text, one->len) != 0)
    {
        fail(what, in, size, "text of %zu, and of %zu", one->len, two->len);
    }
}


static void
any_split(u_char *in, size_t size)
{
    read_ours(&whole, in, size, 0);

    read_ours(&ours, in, size, 2 + rnd(20));
    compare("pieces", &whole, &ours, in, size);

    if (size < 2000) {
        read_ours(&ours, in, size, 1);
        compare("bytes", &whole, &ours, in, size);
    }
}


/* what is right is read as by hiredis, whatever comes behind it */

static void
test_right(void)
{
    size_t         size;
    ngx_uint_t     i;
    static u_char  in[MAX];

    for (i = 0; i < 5000; i++) {
        size = random_reply(in);

        any_split(in, size);

        if (whole.rc != NGX_OK || whole.size != size) {
            fail("right", in, size, "%ld, of %zu", (long) whole.rc, whole.size);
        }

        read_theirs(&theirs, in, size);
        compare("hiredis", &whole, &theirs, in, size);

        /* not before it is there */

        read_ours(&ours, in, rnd(size), rnd(2) ? 0 : 1 + rnd(5));

        if (ours.rc != NGX_AGAIN) {
            fail("cut", in, size, "%ld", (long) ours.rc);
        }

        size += random_reply(in + size);
        read_ours(&ours, in, size, 0);
        compare("behind it", &ours, &whole, in, size);
    }
}


/*
 * What is changed at random: never taken for something that hiredis does not
 * read in it.  hiredis reads more: lists, and bulks without their own end.
 */

static void
test_changed(void)
{
    size_t         size, n;
    ngx_uint_t     i, k;
    static u_char  in[MAX];

    for (i = 0; i < 50000; i++) {

        do {
            size = random_reply(in);
        } while (size > 300);

        if (rnd(10) == 0) {
            size = random_text(in, 1 + rnd(30), 0);
        }

        for (k = rnd(4); k && size > 1; k--) {
            n = 1 + rnd(100);
            n = rnd(ngx_min(size, n));

            switch (rnd(3)) {

            case 0:
                in[n] = rnd(256);
                break;

            case 1:
                random_text(in + n, 1, 0);
                break;

            default:
                size--;
                ngx_memmove(in + n, in + n + 1, size - n);
            }
        }

        any_split(in, size);
        read_theirs(&theirs, in, size);

        if (whole.rc == NGX_OK) {
            compare("changed", &whole, &theirs, in, size);

        } else if (whole.rc == NGX_AGAIN && theirs.rc == NGX_OK) {
            fail("changed", in, size, "waits for more");
        }
    }
}


static void
refused(const char *text)
{
    static u_char  in[MAX];
    size_t         size;

    size = ngx_strlen(text);
    ngx_memcpy(in, text, size);

    any_split(in, size);

    if (whole.rc != NGX_ERROR) {
        fail("refused", in, size, "%ld", (long) whole.rc);
    }
}


static void
taken(const char *text, ngx_uint_t type, int64_t number)
{
    static u_char  in[MAX];
    size_t         size;

    size = ngx_strlen(text);
    ngx_memcpy(in, text, size);

    any_split(in, size);

    if (whole.rc != NGX_OK || whole.type != type || whole.number != number) {
        fail("taken", in, size, "%ld, type %lu, number %lld", (long) whole.rc,
             (long) whole.type, (long long) whole.number);
    }
}


/* what is no reply, or one of those that we have no use for */

static void
test_wrong(void)
{
    static const char  *wrong[] = {
        "HTTP/1.1 400 Bad Request\r\n", "\r\n", "\n", " ", "OK\r\n",
        "+O\nK\r\n", "+OK\n", "-ERR a\rb\r\n", "-ERR\r\r\n", ":1\n\r\n",
        "*1\r\n$1\r\na\r\n", "*0\r\n", "*-1\r\n", "%1\r\n", "_\r\n", "#t\r\n",
        "=5\r\ntxt:a\r\n", ",1.5\r\n", "(12\r\n", "~1\r\n", ">1\r\n",
        "$\r\n", "$-2\r\n", "$-\r\n", "$+1\r\na\r\n", "$ 1\r\na\r\n",
        "$1 \r\na\r\n", "$0x1\r\na\r\n", "$1a\r\na\r\n", "$--1\r\n",
        "$1\r\nab\r\n", "$1\r\na\n\r", "$1\r\na\r\r", "$0\r\n\n\n",
        "$65537\r\n", "$2147483648\r\n", "$4294967297\r\na\r\n",
        "$18446744073709551617\r\na\r\n", "$99999999999999999999999999\r\n",
        "$-18446744073709551615\r\n", ":\r\n", ":-\r\n", ":1a\r\n", ": 1\r\n",
        ":1 \r\n", ":9223372036854775808\r\n", ":-9223372036854775809\r\n",
        ":18446744073709551617\r\n", ":0x10\r\n", ":1.5\r\n", NULL
    };

    size_t              size, n;
    ngx_uint_t          i;
    const char        **p;
    static u_char       in[MAX];

    for (p = wrong; *p; p++) {
        refused(*p);
    }

    taken(":0\r\n", NGX_HTTP_WEBHOOK_RESP_INTEGER, 0);
    taken(":-1\r\n", NGX_HTTP_WEBHOOK_RESP_INTEGER, -1);
    taken(":9223372036854775807\r\n", NGX_HTTP_WEBHOOK_RESP_INTEGER,
          9223372036854775807);
    taken("$-1\r\n", NGX_HTTP_WEBHOOK_RESP_NULL, 0);
    taken("$0\r\n\r\n", NGX_HTTP_WEBHOOK_RESP_BULK, 0);
    taken("$2\r\n\r\n\r\n", NGX_HTTP_WEBHOOK_RESP_BULK, 0);
    taken("+\r\n", NGX_HTTP_WEBHOOK_RESP_STATUS, 0);
    taken("-\r\n", NGX_HTTP_WEBHOOK_RESP_ERROR, 0);

    /* a line that does not end, however it comes */

    for (p = (const char *[]) { "+", "-", ":1", "$1", NULL }; *p; p++) {
        size = NGX_HTTP_WEBHOOK_RESP_MAX + 1;
        ngx_memset(in, '1', size);
        ngx_memcpy(in, *p, ngx_strlen(*p));

        read_ours(&whole, in, size, 0);
        read_ours(&ours, in, size, 5000);
        compare("endless", &whole, &ours, in, size);

        if (whole.rc != NGX_ERROR) {
            fail("endless", in, size, "%ld", (long) whole.rc);
        }
    }

    /* the longest one, and one that is longer by a byte */

    for (i = 0; i < 2; i++) {
        ngx_memset(in, 'a', MAX);
        n = sprintf((char *) in, "$%lu\r\n",
                    (long) (NGX_HTTP_WEBHOOK_RESP_MAX - 10 + i));
        in[n] = 'a';

        size = NGX_HTTP_WEBHOOK_RESP_MAX + i;
        in[size - 2] = CR;
        in[size - 1] = LF;

        any_split(in, size);

        if (whole.rc != (i == 0 ? NGX_OK : NGX_ERROR)) {
            fail("longest", in, size, "%ld", (long) whole.rc);
        }
    }
}


/* a long reply that comes byte by byte takes no longer than its bytes */

static void
test_linear(void)
{
    size_t                    size, n;
    ngx_uint_t                i;
    struct timespec           start, now;
    static u_char             in[MAX];
    ngx_http_webhook_resp_t   resp;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);

    for (i = 0; i < 20; i++) {
        ngx_memzero(&resp, sizeof(ngx_http_webhook_resp_t));
        ngx_memset(in, 'a', MAX);

        size = NGX_HTTP_WEBHOOK_RESP_MAX;
        in[0] = '+';
        in[size - 2] = CR;
        in[size - 1] = LF;

        for (n = 1; n <= size; n++) {
            if (ngx_http_webhook_resp_read(&resp, in, n)
                != (n == size ? NGX_OK : NGX_AGAIN))
            {
                fail("linear", in, n, "not as it must be");
            }
        }
    }

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);

    /* a million calls; 40 thousand million bytes if each looked at them all */

    if (now.tv_sec - start.tv_sec > 5) {
        fail("linear", in, 0, "took %ld s", (long) (now.tv_sec - start.tv_sec));
    }
}


/* commands are what hiredis makes of them */

static void
test_commands(void)
{
    char          *theirs_text;
    size_t         size, lengths[8];
    u_char        *p;
    int            len;
    ngx_str_t      args[8];
    ngx_uint_t     i, k, n;
    const char    *argv[8];
    static u_char  text[8][2000], out[MAX];

    for (i = 0; i < 5000; i++) {
        n = 1 + rnd(8);

        for (k = 0; k < n; k++) {
            args[k].data = text[k];
            args[k].len = random_text(text[k], random_length() % 2000, 0);

            argv[k] = (char *) text[k];
            lengths[k] = args[k].len;
        }

        size = ngx_http_webhook_resp_length(args, n);

        if (size > MAX) {
            fail("command", out, 0, "length %zu", size);
        }

        p = ngx_http_webhook_resp_write(out, args, n);

        if ((size_t) (p - out) > size) {
            fail("command", out, p - out, "longer than %zu", size);
        }

        len = redisFormatCommandArgv(&theirs_text, n, argv, lengths);

        if (len != p - out || ngx_memcmp(out, theirs_text, len) != 0) {
            fail("command", out, p - out, "hiredis has %d", len);
        }

        free(theirs_text);
    }
}


int
main(int argc, char **argv)
{
    u_char                          *p;
    ngx_uint_t                       i;
    static const struct {
        const char                  *name;
        void                       (*run)(void);
    } tests[] = {
        { "right", test_right },
        { "changed", test_changed },
        { "wrong", test_wrong },
        { "linear", test_linear },
        { "commands", test_commands },
    };

    if (argc != 3) {
        return 1;
    }

    state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;

    p = mmap(NULL, MAX + 65536, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p + MAX, 65536, PROT_NONE) != 0) {
        printf("not ok: no memory\n");
        return 1;
    }

    end = p + MAX;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (ngx_strcmp(argv[2], tests[i].name) == 0) {
            tests[i].run();
            printf("ok\n");
            return 0;
        }
    }

    printf("not ok: no test %s\n", argv[2]);
    return 1;
}
