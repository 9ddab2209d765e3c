
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Signed texts: whatever a scheme signs, a text that one request was accepted
 * for is accepted for no other one.  All ways to cut it are tried.
 */


#include "conf.h"


#define PARTS  6     /* of what is signed */
#define SIZE   40    /* of a text, but for what is longer anyway */
#define MAX    96


typedef struct {
    ngx_http_webhook_scheme_t  *scheme;
    ngx_str_t                   text;
    ngx_str_t                  *values;    /* of the genuine request */
    ngx_str_t                   cut[2 * PARTS + 1];
    ngx_uint_t                  others;    /* requests of that text */
} reading_t;


static char  *parts[] = {
    ".", ":", "ab", "/", "$http_t", "$webhook_timestamp", "$http_a", "$http_b",
    "$host", "$request_uri", "$args", "$request_body", "$webhook_body_sha256"
};

static char  *units[] = { "s", "ms", "s|ms", "rfc3339", "iso8601", "http" };

static char  *times[] = {
    "1764000000", "1764000000123", "1764000000", "2025-11-24T16:00:00Z",
    "2025-11-24T16:00:00", "Mon, 24 Nov 2025 16:00:00 GMT"
};

static char  *hash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";


static ngx_uint_t
is_body(ngx_http_webhook_piece_t *piece)
{
    return piece->type == NGX_HTTP_WEBHOOK_PIECE_REQUEST_BODY;
}


static ngx_uint_t
is_named(ngx_http_webhook_piece_t *piece, char *name)
{
    return (piece->type == NGX_HTTP_WEBHOOK_PIECE_VARIABLE
            || piece->type == NGX_HTTP_WEBHOOK_PIECE_HEADER)
           && piece->text.len == strlen(name)
           && memcmp(piece->text.data, name, piece->text.len) == 0;
}


static ngx_uint_t
is_time(ngx_http_webhook_scheme_t *scheme, ngx_http_webhook_piece_t *piece)
{
    return piece->type == NGX_HTTP_WEBHOOK_PIECE_TIMESTAMP
           || (scheme->timestamp && is_named(piece, "t"));
}


/* whether a request can bring that value */

static ngx_uint_t
can_be(reading_t *r, ngx_uint_t n, ngx_str_t *value)
{
    size_t                     i;
    time_t                     time;
    ngx_uint_t                 k;
    ngx_http_webhook_piece_t  *piece;

    piece = &r->scheme->signed_text.pieces[n];

    if (piece->type == NGX_HTTP_WEBHOOK_PIECE_LITERAL) {
        return fuzz_equal(value, &piece->text);
    }

    if (is_body(piece)) {
        return 1;
    }

    if (piece->type == NGX_HTTP_WEBHOOK_PIECE_BODY_HASH) {

        for (i = 0; i < value->len; i++) {
            if (!isdigit(value->data[i])
                && (value->data[i] < 'a' || value->data[i] > 'f'))
            {
                return 0;
            }
        }

        return value->len == strlen(hash);
    }

    if (value->len == 0) {
        return 0;
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] == '\0' || value->data[i] == '\r'
            || value->data[i] == '\n')
        {
            return 0;
        }
    }

    if (is_time(r->scheme, piece)
        && ngx_http_webhook_parse_timestamp(value, r->scheme->unit, &time)
           != NGX_OK)
    {
        return 0;
    }

    if (is_named(piece, "request_uri") && value->data[0] != '/') {
        return 0;
    }

    /* the same header has the same value everywhere */

    for (k = 0; k < n; k++) {
        if ((ngx_http_webhook_pieces_equal(&r->scheme->signed_text.pieces[k],
                                           piece)
             || (is_time(r->scheme, piece)
                 && is_time(r->scheme, &r->scheme->signed_text.pieces[k])))
            && !fuzz_equal(&r->cut[k], value))
        {
            return 0;
        }
    }

    return 1;
}


/* whether the module accepts what was cut */

static ngx_uint_t
is_accepted(reading_t *r)
{
    size_t                     time;
    u_char                    *buf, *p;
    ngx_int_t                  rc;
    ngx_str_t                  values[2 * PARTS + 1];
    ngx_uint_t                 i, n;
    ngx_http_webhook_piece_t  *piece;

    n = r->scheme->signed_text.npieces;
    piece = r->scheme->signed_text.pieces;

    time = 0;
    buf = malloc(r->text.len + 1);
    p = buf;

    for (i = 0; i < n; i++) {
        ngx_str_null(&values[i]);

        if (is_body(&piece[i])
            || piece[i].type == NGX_HTTP_WEBHOOK_PIECE_BODY_HASH)
        {
            continue;
        }

        if (is_time(r->scheme, &piece[i])) {
            time = r->cut[i].len;
        }

        values[i].data = p;
        values[i].len = r->cut[i].len;

        p = ngx_cpymem(p, r->cut[i].data, r->cut[i].len);
    }

    rc = ngx_http_webhook_seams_check(r->scheme, values, p, time);

    for (i = 0; i < n && rc == NGX_OK; i++) {
        if (is_body(&piece[i]) && r->cut[i].len) {
            rc = ngx_http_webhook_seams_check_body(r->scheme,
                                                   r->cut[i].data[0]);
        }
    }

    free(buf);

    return rc == NGX_OK;
}


/* whether the request is another one than the genuine one */

static ngx_uint_t
is_other(reading_t *r)
{
    ngx_uint_t  i;

    for (i = 0; i < r->scheme->signed_text.npieces; i++) {
        if (!fuzz_equal(&r->cut[i], &r->values[i])) {
            return 1;
        }
    }

    return 0;
}


/* cuts what is left of the text for the pieces from the n-th on */

static void
cut(reading_t *r, ngx_uint_t n, u_char *p)
{
    size_t     left, len;
    ngx_str_t  value;

    left = r->text.data + r->text.len - p;

    if (n == r->scheme->signed_text.npieces) {

        if (left == 0 && is_other(r) && is_accepted(r)) {
            r->others++;
        }

        return;
    }

    for (len = (n + 1 == r->scheme->signed_text.npieces) ? left : 0;
         len <= left;
         len++)
    {
        value.data = p;
        value.len = len;

        if (can_be(r, n, &value)) {
            r->cut[n] = value;
            cut(r, n + 1, p + len);
        }
    }
}


/* a scheme of which the input says what it signs, or NULL if it is refused */

static ngx_http_webhook_scheme_t *
scheme(fuzz_conf_t *conf, const u_char **data, size_t *size)
{
    char        *p, text[512];
    ngx_uint_t   unit, n;

    unit = fuzz_byte(*data, *size);

    p = text;
    p += sprintf(p, "signature $http_s; ");

    if (unit & 0x80) {
        p += sprintf(p, "timestamp $http_t unit=%s; ", units[unit % 6]);
    }

    p += sprintf(p, "signed \"");

    for (n = fuzz_byte(*data, *size) % PARTS + 1; n; n--) {
        p += sprintf(p, "%s", parts[fuzz_byte(*data, *size)
                                    % (sizeof(parts) / sizeof(char *))]);
    }

    p += sprintf(p, "\"; }");

    return fuzz_conf_scheme(conf, (u_char *) text, p - text);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_conf_start();

    return 0;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t                     left;
    u_char                    *p, text[SIZE + 256];
    ngx_str_t                  values[2 * PARTS + 1], *value;
    reading_t                  r;
    ngx_uint_t                 i, k, genuine;
    fuzz_conf_t                conf;
    ngx_http_webhook_piece_t  *piece;

    ngx_memzero(&r, sizeof(reading_t));

    fuzz_conf_init(&conf);

    r.scheme = scheme(&conf, &data, &size);

    if (r.scheme == NULL) {
        goto done;
    }

    p = text;
    left = SIZE;
    genuine = 1;

    for (i = 0; i < r.scheme->signed_text.npieces; i++) {

        piece = &r.scheme->signed_text.pieces[i];
        value = &values[i];

        value->data = p;

        if (piece->type == NGX_HTTP_WEBHOOK_PIECE_LITERAL) {
            *value = piece->text;

        } else if (piece->type == NGX_HTTP_WEBHOOK_PIECE_BODY_HASH) {
            value->data = (u_char *) hash;
            value->len = strlen(hash);

        } else {

            for (k = 0; k < i; k++) {
                if (ngx_http_webhook_pieces_equal(piece,
                                        &r.scheme->signed_text.pieces[k])
                    || (is_time(r.scheme, piece)
                        && is_time(r.scheme,
                                   &r.scheme->signed_text.pieces[k])))
                {
                    break;
                }
            }

            if (k < i) {
                *value = values[k];

            } else if (is_time(r.scheme, piece)
                       && fuzz_byte(data, size) % 4)
            {
                value->data = (u_char *) times[r.scheme->unit];
                value->len = strlen(times[r.scheme->unit]);

            } else {
                value->len = fuzz_byte(data, size) % 32;
                value->len = ngx_min(value->len, ngx_min(size, left));
                value->data = (u_char *) data;

                data += value->len;
                size -= value->len;
                left -= value->len;
            }
        }

        if (value->len > (size_t) (text + sizeof(text) - p)) {
            goto done;
        }

        memcpy(p, value->data, value->len);

        value->data = p;
        p += value->len;

        r.cut[i] = *value;
        genuine &= can_be(&r, i, value);
    }

    r.text.data = text;
    r.text.len = p - text;
    r.values = values;

    if (genuine && is_accepted(&r)) {
        cut(&r, 0, text);
        fuzz_check(r.others == 0);
    }

done:

    fuzz_conf_free(&conf);

    return 0;
}
