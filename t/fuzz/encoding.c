
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Encodings: what decodes is what its bytes encode to, and nothing else; what
 * was encoded decodes.
 */


#include "fuzz.h"

#include "ngx_http_webhook_encoding.h"


static void
encode(ngx_http_webhook_encoding_e encoding, ngx_str_t *text, ngx_str_t *bytes)
{
    ngx_str_t  hex;

    text->data = malloc(3 * bytes->len + 4);

    switch (encoding) {

    case NGX_HTTP_WEBHOOK_ENCODING_HEX:
        text->len = ngx_hex_dump(text->data, bytes->data, bytes->len)
                    - text->data;
        break;

    case NGX_HTTP_WEBHOOK_ENCODING_BASE64:
        ngx_encode_base64(text, bytes);
        break;

    case NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX:
        encode(NGX_HTTP_WEBHOOK_ENCODING_HEX, &hex, bytes);
        ngx_encode_base64(text, &hex);
        free(hex.data);
        break;

    default:
        ngx_encode_base64url(text, bytes);
        break;
    }
}


/* whether it decodes, and if so to what, which the caller frees */

static int
decode(ngx_http_webhook_encoding_e encoding, ngx_str_t *text, ngx_str_t *bytes)
{
    ngx_int_t  len, rc;

    len = ngx_http_webhook_decoded_length(text, encoding);

    bytes->len = (len == NGX_ERROR) ? 0 : len;
    bytes->data = malloc(bytes->len + 2);

    rc = ngx_http_webhook_decode(bytes->data, text, encoding);

    fuzz_check(rc == NGX_OK || rc == NGX_DECLINED);
    fuzz_check(rc == NGX_DECLINED || len != NGX_ERROR);

    return rc == NGX_OK;
}


/* base64 of hex, whose digits have two forms: those of the text */

static void
check_hex(ngx_str_t *text, ngx_str_t *bytes)
{
    size_t     i;
    ngx_str_t  hex, digits, again;

    digits.data = malloc(ngx_base64_decoded_length(text->len));
    fuzz_check(ngx_decode_base64(&digits, text) == NGX_OK);

    encode(NGX_HTTP_WEBHOOK_ENCODING_HEX, &hex, bytes);
    fuzz_check(digits.len == hex.len);

    for (i = 0; i < hex.len; i++) {
        fuzz_check(ngx_tolower(digits.data[i]) == hex.data[i]);
    }

    encode(NGX_HTTP_WEBHOOK_ENCODING_BASE64, &again, &digits);
    fuzz_check(fuzz_equal(&again, text));

    free(again.data);
    free(hex.data);
    free(digits.data);
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t                       i, len;
    ngx_str_t                    text, bytes, again, back;
    ngx_http_webhook_encoding_e  encoding;

    switch (fuzz_byte(data, size) % 4) {

    case 0:
        encoding = NGX_HTTP_WEBHOOK_ENCODING_HEX;
        break;

    case 1:
        encoding = NGX_HTTP_WEBHOOK_ENCODING_BASE64;
        break;

    case 2:
        encoding = NGX_HTTP_WEBHOOK_ENCODING_BASE64URL;
        break;

    default:
        encoding = NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX;
        break;
    }

    text.len = size;
    text.data = fuzz_copy(data, size);

    /* a text that decodes has no other reading than its own */

    if (!decode(encoding, &text, &bytes)) {
        /* void */

    } else if (encoding == NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX) {
        check_hex(&text, &bytes);

    } else {
        encode(encoding, &again, &bytes);

        len = text.len;

        if (encoding == NGX_HTTP_WEBHOOK_ENCODING_BASE64URL && len % 4 == 0) {
            while (len > again.len) {
                fuzz_check(text.data[len - 1] == '=');
                len--;
            }
        }

        fuzz_check(len == again.len);

        for (i = 0; i < len; i++) {
            fuzz_check((encoding == NGX_HTTP_WEBHOOK_ENCODING_HEX
                        ? ngx_tolower(text.data[i]) : text.data[i])
                       == again.data[i]);
        }

        free(again.data);
    }

    free(bytes.data);

    /* whatever the bytes, their encoding decodes to them: as hex, of digests */

    if (size
        <= (encoding == NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX ? 256 : 3000))
    {
        bytes.len = size;
        bytes.data = text.data;

        encode(encoding, &again, &bytes);

        fuzz_check(decode(encoding, &again, &back));
        fuzz_check(fuzz_equal(&back, &bytes));

        free(back.data);

        /* base64 of hex is never written */

        if (encoding != NGX_HTTP_WEBHOOK_ENCODING_BASE64_HEX) {
            back.data = malloc(ngx_http_webhook_encoded_length(size, encoding));

            ngx_http_webhook_encode(&back, &bytes, encoding);
            fuzz_check(fuzz_equal(&back, &again));

            free(back.data);
        }
        free(again.data);
    }

    free(text.data);

    return 0;
}
