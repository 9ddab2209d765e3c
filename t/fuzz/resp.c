
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Replies of a store: in pieces as in one, what is read is what hiredis reads,
 * and a command is to hiredis what it was made of.
 */


#include "fuzz.h"

#include <hiredis/hiredis.h>

#include "ngx_http_webhook_resp.h"


#define ARGS  8


/* ours must be what hiredis makes of the same bytes */

static void
compare(ngx_http_webhook_resp_t *resp, u_char *p)
{
    void         *reply;
    redisReply   *r;
    redisReader  *reader;

    reader = redisReaderCreate();

    fuzz_check(redisReaderFeed(reader, (char *) p, resp->size) == REDIS_OK);
    fuzz_check(redisReaderGetReply(reader, &reply) == REDIS_OK && reply);

    r = reply;

    switch (resp->type) {

    case NGX_HTTP_WEBHOOK_RESP_STATUS:
        fuzz_check(r->type == REDIS_REPLY_STATUS);
        break;

    case NGX_HTTP_WEBHOOK_RESP_ERROR:
        fuzz_check(r->type == REDIS_REPLY_ERROR);
        break;

    case NGX_HTTP_WEBHOOK_RESP_INTEGER:
        fuzz_check(r->type == REDIS_REPLY_INTEGER);
        fuzz_check(r->integer == resp->number);
        break;

    case NGX_HTTP_WEBHOOK_RESP_BULK:
        fuzz_check(r->type == REDIS_REPLY_STRING);
        break;

    default: /* NGX_HTTP_WEBHOOK_RESP_NULL */
        fuzz_check(r->type == REDIS_REPLY_NIL);
        break;
    }

    if (resp->type != NGX_HTTP_WEBHOOK_RESP_INTEGER
        && resp->type != NGX_HTTP_WEBHOOK_RESP_NULL)
    {
        fuzz_check(r->len == (size_t) resp->text.len);
        fuzz_check(r->len == 0
                   || memcmp(r->str, resp->text.data, resp->text.len) == 0);
    }

    /* not a byte is left over, and none was missing */

    fuzz_check(redisReaderGetReply(reader, &reply) == REDIS_OK && !reply);

    freeReplyObject(r);
    redisReaderFree(reader);
}


static void
read_replies(const u_char *data, size_t size, unsigned step)
{
    size_t                    n, k;
    u_char                   *p, *start;
    ngx_int_t                 rc, piece;
    ngx_http_webhook_resp_t   whole, part;

    p = fuzz_copy(data, size);
    start = p;

    for ( ;; ) {

        memset(&whole, 0, sizeof(whole));

        rc = ngx_http_webhook_resp_read(&whole, p, size);

        fuzz_check(rc == NGX_OK || rc == NGX_AGAIN || rc == NGX_ERROR);

        /* the same in pieces, each at the end of its memory */

        memset(&part, 0, sizeof(part));
        piece = NGX_AGAIN;

        for (n = 0; n < size && piece == NGX_AGAIN; /* void */) {
            n = ngx_min(n + step, size);

            u_char  *copy = fuzz_copy(p, n);

            piece = ngx_http_webhook_resp_read(&part, copy, n);

            if (piece == NGX_OK
                && part.type != NGX_HTTP_WEBHOOK_RESP_INTEGER
                && part.type != NGX_HTTP_WEBHOOK_RESP_NULL)
            {
                fuzz_check(part.text.len == whole.text.len);

                k = part.text.len;
                fuzz_check(k == 0 || memcmp(part.text.data, whole.text.data, k)
                                     == 0);
            }

            free(copy);
        }

        fuzz_check(piece == rc);

        if (rc != NGX_OK) {
            break;
        }

        fuzz_check(whole.size && whole.size <= size);
        fuzz_check(part.type == whole.type && part.size == whole.size);
        fuzz_check(part.number == whole.number);

        compare(&whole, p);

        p += whole.size;
        size -= whole.size;
    }

    free(start);
}


static void
write_command(const u_char *data, size_t size)
{
    void         *reply;
    u_char       *buf, *copy, *end;
    size_t        room;
    ngx_str_t     args[ARGS];
    unsigned      i, n;
    redisReply   *r;
    redisReader  *reader;

    n = 1 + fuzz_byte(data, size) % ARGS;

    copy = fuzz_copy(data, size);

    for (i = 0; i < n; i++) {
        args[i].data = copy + i * (size / n);
        args[i].len = size / n;
    }

    room = ngx_http_webhook_resp_length(args, n);
    buf = malloc(room);

    end = ngx_http_webhook_resp_write(buf, args, n);

    fuzz_check(end > buf && (size_t) (end - buf) <= room);

    reader = redisReaderCreate();

    fuzz_check(redisReaderFeed(reader, (char *) buf, end - buf) == REDIS_OK);
    fuzz_check(redisReaderGetReply(reader, &reply) == REDIS_OK && reply);

    r = reply;

    fuzz_check(r->type == REDIS_REPLY_ARRAY && r->elements == n);

    for (i = 0; i < n; i++) {
        fuzz_check(r->element[i]->type == REDIS_REPLY_STRING);
        fuzz_check((size_t) r->element[i]->len == args[i].len);
        fuzz_check(args[i].len == 0
                   || memcmp(r->element[i]->str, args[i].data, args[i].len)
                      == 0);
    }

    freeReplyObject(r);
    redisReaderFree(reader);

    free(buf);
    free(copy);
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    unsigned  step;

    if (size > 4096) {
        return 0;
    }

    step = fuzz_byte(data, size) % 8;

    if (step) {
        read_replies(data, size, step);

    } else {
        write_command(data, size);
    }

    return 0;
}
