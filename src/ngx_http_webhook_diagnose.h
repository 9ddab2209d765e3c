
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Diagnosis: why the signature of a request that was refused is not right.
 */


#ifndef _NGX_HTTP_WEBHOOK_DIAGNOSE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_DIAGNOSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook.h"
#include "ngx_http_webhook_signature.h"


#define NGX_HTTP_WEBHOOK_DIAGNOSE_BODY  65536


/* a key that would have been right, and what follows if it is */

typedef struct {
    ngx_str_t                      hint;
    ngx_http_webhook_secret_t     *secret;   /* of a place, or NULL */
    ngx_http_webhook_key_t         key;
} ngx_http_webhook_suspect_t;


/* schemes that take secrets alike */

typedef struct {
    const ngx_http_webhook_algorithm_t  *algorithm;
    ngx_array_t                   *rules;    /* .._secret_rule_t, or NULL */
    ngx_array_t                   *places;   /* ngx_http_webhook_suspect_t: what
                                                the secrets of all places are as
                                                keys; NULL until it is asked */
} ngx_http_webhook_family_t;


/* a scheme that may have been meant */

typedef struct {
    ngx_http_webhook_scheme_t     *scheme;
    ngx_uint_t                     family;   /* its number */
} ngx_http_webhook_other_t;


/* what is known of the configuration as a whole */

typedef struct {
    ngx_array_t                    others;   /* ngx_http_webhook_other_t, of all
                                                built-in schemes */
    ngx_array_t                    families; /* ngx_http_webhook_family_t */
    ngx_uint_t                     nfamilies;  /* of built-in schemes */
    ngx_array_t                    names;    /* ngx_str_t, of all servers */
} ngx_http_webhook_known_t;


/* what the secrets are as keys of a family */

typedef struct {
    ngx_http_webhook_key_t        *keys;
    ngx_uint_t                     nkeys;
} ngx_http_webhook_keyset_t;


/* what is known beforehand, of a scheme with its secrets */

struct ngx_http_webhook_suspects_s {
    ngx_array_t                    keys;     /* ngx_http_webhook_suspect_t */
    ngx_array_t                   *places;   /* those of the family */
    ngx_array_t                   *secrets;  /* ngx_http_webhook_secret_t */
    ngx_http_webhook_keyset_t     *keysets;  /* by the number of a family */
    ngx_http_webhook_known_t      *known;
};


/* a request that was refused; the diagnosis changes nothing of it */

typedef struct {
    ngx_http_request_t            *request;
    const ngx_http_webhook_scheme_t  *scheme;
    const ngx_http_webhook_signature_t  *signature;
    const ngx_http_webhook_keys_t *keys;
    const ngx_http_webhook_suspects_t  *suspects;
    ngx_http_webhook_reason_e      reason;
    ngx_chain_t                   *body;     /* that was kept aside */
} ngx_http_webhook_refused_t;


/*
 * Looks for the cause.  Returns NGX_OK and the hint, which is a constant or in
 * the request's pool; NGX_DECLINED if there is none, or no time to look for it;
 * or NGX_ERROR if there is no memory or OpenSSL failed.
 */
ngx_int_t ngx_http_webhook_diagnose(ngx_http_webhook_refused_t *refused,
    ngx_str_t *hint);


/* src/ngx_http_webhook_diagnose_form.c */

/*
 * What the form of the headers says alone.  Returns NGX_OK and the hint,
 * NGX_DECLINED, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_diagnose_form(ngx_http_webhook_refused_t *refused,
    ngx_str_t *hint);

/* Whether a signature of the scheme is there, and decodes. */
ngx_uint_t ngx_http_webhook_has_form(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme);

/* Whether the body is said to be encoded. */
ngx_uint_t ngx_http_webhook_is_compressed(ngx_http_request_t *r);

/*
 * How likely it is that a scheme was meant, of several that sign alike: the
 * headers that it takes an id or a type from are there, or are not.
 */
ngx_int_t ngx_http_webhook_likelihood(ngx_http_request_t *r,
    const ngx_http_webhook_scheme_t *scheme);

/* The hint of another scheme.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_webhook_other_hint(ngx_pool_t *pool,
    ngx_http_webhook_scheme_t *scheme, ngx_str_t *hint);


/* src/ngx_http_webhook_diagnose_body.c */

/* Bodies as they may have been; dst has room for twice the length, and two. */
void ngx_http_webhook_body_line_ends(ngx_str_t *body, ngx_str_t *dst);
void ngx_http_webhook_body_blanks(ngx_str_t *body, ngx_uint_t spaced,
    ngx_str_t *dst);
void ngx_http_webhook_body_slashes(ngx_str_t *body, ngx_str_t *dst);


/* src/ngx_http_webhook_diagnose_schemes.c */

/*
 * Gets the built-in schemes, and which of them take secrets alike.  What is
 * made of secrets later is freed with the configuration.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_know_schemes(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_known_t *known);

/*
 * Makes keys of the secrets of all places, for the family of a scheme.  Returns
 * them, or NULL.
 */
ngx_array_t *ngx_http_webhook_know_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf, ngx_http_webhook_known_t *known,
    ngx_http_webhook_scheme_t *scheme);

/*
 * Makes keys of the secrets for all built-in schemes, to be freed in each case.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_suspect_schemes(ngx_conf_t *cf,
    ngx_http_webhook_suspects_t *suspects);
void ngx_http_webhook_free_keysets(ngx_http_webhook_suspects_t *suspects);

/* Whether two schemes differ in nothing but how they take secrets. */
ngx_uint_t ngx_http_webhook_signs_alike(const ngx_http_webhook_scheme_t *one,
    const ngx_http_webhook_scheme_t *other);

/* Whether the secret of a place is one of those that were tried. */
ngx_uint_t ngx_http_webhook_is_own_secret(
    const ngx_http_webhook_suspects_t *suspects,
    const ngx_http_webhook_secret_t *secret);


/* src/ngx_http_webhook_diagnose_keys.c */

/*
 * Makes what is to be known beforehand in each location with webhook_diagnose;
 * the keys are wiped with the pool of the configuration.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_diagnose_init(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBHOOK_DIAGNOSE_H_INCLUDED_ */
