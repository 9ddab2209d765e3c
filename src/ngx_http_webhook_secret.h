
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Secrets: where they come from, and how their text becomes a key.
 */


#ifndef _NGX_HTTP_WEBHOOK_SECRET_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"


#define NGX_HTTP_WEBHOOK_MAX_SECRETS  8
#define NGX_HTTP_WEBHOOK_MAX_KEYS     16
#define NGX_HTTP_WEBHOOK_MIN_SECRET   16
#define NGX_HTTP_WEBHOOK_SECRET_FORM  128


/* what the text of a secret is */

typedef enum {
    NGX_HTTP_WEBHOOK_SECRET_TEXT = 0,        /* decoded as the scheme says */
    NGX_HTTP_WEBHOOK_SECRET_OCTETS,          /* the bytes of a key */
    NGX_HTTP_WEBHOOK_SECRET_PUBLIC           /* a public key in DER */
} ngx_http_webhook_secret_e;


/*
 * Where a directive stands that is of use only if the level verifies, or one
 * below it does.
 */

typedef struct ngx_http_webhook_level_s  ngx_http_webhook_level_t;

struct ngx_http_webhook_level_s {
    ngx_http_webhook_level_t      *parent;   /* that it hides, or NULL */
    u_char                        *file;
    ngx_uint_t                     line;

    unsigned                       listed:1;
    unsigned                       used:1;
};


typedef struct {
    ngx_str_t                      text;     /* if it is known beforehand; it
                                                is wiped with the pool */
    ngx_http_webhook_template_t   *string;   /* if it holds variables */

    ngx_http_webhook_secret_e      kind;
    ngx_str_t                     *file;     /* of keys, or NULL */
    ngx_str_t                      id;       /* of a key, or empty */
    ngx_str_t                      alg;      /* of a JWK, or empty */

    unsigned                       serial:1; /* the id is a number in hex */
} ngx_http_webhook_secret_t;


/* a scheme and secrets: what a verdict was computed under */

typedef struct ngx_http_webhook_keyring_s  ngx_http_webhook_keyring_t;
typedef struct ngx_http_webhook_suspects_s  ngx_http_webhook_suspects_t;

struct ngx_http_webhook_keyring_s {
    ngx_http_webhook_scheme_t     *scheme;
    ngx_array_t                   *secrets;  /* ngx_http_webhook_secret_t */
    ngx_http_webhook_key_t        *keys;     /* of those without variables */
    ngx_uint_t                     nkeys;

    ngx_http_webhook_keyring_t    *next;     /* other schemes, same secrets */
    ngx_http_webhook_suspects_t   *suspects; /* if somebody diagnoses */

    unsigned                       variables:1;
};


/* the secrets of one level, which others may inherit */

typedef struct {
    ngx_http_webhook_level_t       level;    /* the first directive */
    ngx_array_t                    list;     /* ngx_http_webhook_secret_t */
    ngx_http_webhook_keyring_t    *keyrings;
} ngx_http_webhook_secrets_t;


/* the keys of a request: those of the configuration, or its own */

typedef struct {
    ngx_http_webhook_key_t        *elts;
    ngx_uint_t                     nelts;
    ngx_uint_t                     tried;    /* bits, of those that are */

    unsigned                       own:1;
} ngx_http_webhook_keys_t;


/* whether a key is there, and is that of the request */
#define ngx_http_webhook_key_is_tried(keys, n)                                \
    ((keys)->elts[n].ready && (((keys)->tried >> (n)) & 1))


/*
 * Sets secrets, a pointer to ngx_http_webhook_secrets_t, as webhook_secret has
 * them; may be called again for more of them.
 */
char *ngx_http_webhook_secret_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Reads a file that the configuration names, and finds who may use it.  The
 * text, to be freed with ngx_free(), ends with a null character.  Returns
 * NGX_OK, or NGX_ERROR after the error was logged.
 */
ngx_int_t ngx_http_webhook_read_secret_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t *mode, ngx_str_t *text);

/* Warns of a file with secrets that everybody can read. */
void ngx_http_webhook_check_secret_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t mode);

/*
 * Adds a copy of the text, which is wiped with the pool.  Returns NULL if there
 * is no memory.
 */
ngx_http_webhook_secret_t *ngx_http_webhook_secret_push(ngx_conf_t *cf,
    ngx_array_t *secrets, u_char *data, size_t len);

/*
 * Adds the secrets of one source to an array of ngx_http_webhook_secret_t.
 * Returns NGX_CONF_OK, a message, or NGX_CONF_ERROR after an error was logged.
 */
char *ngx_http_webhook_secret_source(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *source);

/*
 * Makes a key of the secret's text by the rules of the scheme.  Returns
 * NGX_OK; NGX_DECLINED if the text does not decode, or to nothing; NGX_ABORT if
 * the key is refused; NGX_ERROR if there is no memory or OpenSSL failed.  The
 * key is in each case to be freed.  *len is the length of the decoded secret,
 * in bytes.
 */
ngx_int_t ngx_http_webhook_secret_key(ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *text, ngx_http_webhook_key_t *key, size_t *len,
    ngx_log_t *log);

/* src/ngx_http_webhook_secret_form.c */

/* Whether the text is rather the path of a file than a secret. */
ngx_uint_t ngx_http_webhook_secret_is_path(ngx_conf_t *cf, ngx_str_t *text);

/*
 * The prefix that the text should have by the rules of the scheme, or NULL if
 * it has one, or needs none.
 */
ngx_str_t *ngx_http_webhook_secret_lacks(ngx_http_webhook_scheme_t *scheme,
    ngx_str_t *text);

/*
 * Writes what a secret of the scheme looks like, in words, into a buffer of
 * NGX_HTTP_WEBHOOK_SECRET_FORM bytes; returns the end.
 */
u_char *ngx_http_webhook_secret_form(ngx_http_webhook_scheme_t *scheme,
    u_char *buf);

/* Notes that a directive stands where cf is. */
void ngx_http_webhook_level_init(ngx_conf_t *cf,
    ngx_http_webhook_level_t *level);

/*
 * Gets the keys for a request; secrets from variables are computed.  Returns
 * NGX_HTTP_WEBHOOK_REASON_NONE, NGX_HTTP_WEBHOOK_REASON_NO_SECRET if there is
 * none, or NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR.  To be freed in each case.
 */
ngx_http_webhook_reason_e ngx_http_webhook_get_keys(
    ngx_http_webhook_keys_t *keys, const ngx_http_webhook_keyring_t *keyring,
    ngx_http_webhook_scope_t *scope);
void ngx_http_webhook_free_keys(ngx_http_webhook_keys_t *keys);

/*
 * Whether the text is one of the secrets, as they are written; where it differs
 * does not show in the time.  Returns NGX_OK, NGX_DECLINED, or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_secrets_hold(ngx_array_t *secrets,
    ngx_http_webhook_scope_t *scope, ngx_str_t *text);

/* Whether both arrays hold the same secrets in the same order. */
ngx_uint_t ngx_http_webhook_secrets_equal(ngx_array_t *one,
    ngx_array_t *other);


/* src/ngx_http_webhook_key_file.c */

/*
 * Add the keys of a file, all that could be one of some scheme.  Return
 * NGX_CONF_OK, or an error as directives do.
 */
char *ngx_http_webhook_pem_file(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name);
char *ngx_http_webhook_jwks_file(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *name);

/*
 * Makes a key of such a secret.  Returns NGX_OK; NGX_DECLINED if it is for
 * another algorithm; or as ngx_http_webhook_key_init() does.
 */
ngx_int_t ngx_http_webhook_file_key(ngx_http_webhook_scheme_t *scheme,
    ngx_http_webhook_secret_t *secret, ngx_http_webhook_key_t *key);

/*
 * Returns 1 if a key can be named by a request, 0 if none has a name.
 */
ngx_uint_t ngx_http_webhook_keys_have_names(
    const ngx_http_webhook_keyring_t *keyring);

/*
 * Leaves those keys to be tried that the request names, where the scheme has
 * "key_id".  Returns NGX_HTTP_WEBHOOK_REASON_NONE, or why the request is not
 * authentic.
 */
ngx_http_webhook_reason_e ngx_http_webhook_choose_keys(
    ngx_http_webhook_keys_t *keys, const ngx_http_webhook_keyring_t *keyring,
    ngx_http_webhook_scope_t *scope);


#endif /* _NGX_HTTP_WEBHOOK_SECRET_H_INCLUDED_ */
