
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * What the files of the module share: configuration, and what is known of a
 * request.
 */


#ifndef _NGX_HTTP_WEBHOOK_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_scheme.h"
#include "ngx_http_webhook_secret.h"
#include "ngx_http_webhook_verdict.h"
#include "ngx_http_webhook_zone.h"


#define NGX_HTTP_WEBHOOK_MAX_GROUPS        4
#define NGX_HTTP_WEBHOOK_MAX_ITEMS       64

/* Ed25519 needs the signed text as a whole */
#define NGX_HTTP_WEBHOOK_MAX_WHOLE       (1024 * 1024)

/* the window is this much wider when it is judged behind a slow body */
#define NGX_HTTP_WEBHOOK_GRACE           60


/* a scheme and secrets: what a verdict was computed under */

typedef struct ngx_http_webhook_verifier_s  ngx_http_webhook_keyring_t;

struct ngx_http_webhook_verifier_s {
    ngx_http_webhook_scheme_t     *scheme;
    ngx_array_t                   *secrets;  /* ngx_http_webhook_secret_t */
    ngx_http_webhook_key_t        *keys;     /* of those without variables */
    ngx_uint_t                     nkeys;

    ngx_http_webhook_keyring_t   *next;     /* other schemes, same secrets */

    unsigned                       variables:1;
};


/* the secrets of one level, which others may inherit */

typedef struct {
    ngx_array_t                    list;     /* ngx_http_webhook_secret_t */
    ngx_http_webhook_keyring_t   *keyrings;
} ngx_http_webhook_secrets_t;


typedef struct {
    ngx_str_t                      name;     /* of the scheme */
    u_char                        *file;     /* where webhook_verify stands */
    ngx_uint_t                     line;

    unsigned                       off:1;
    unsigned                       warned:1; /* of replays, once is enough */
} ngx_http_webhook_verify_conf_t;


/* what is done about an event that cannot be deduplicated as usual */

typedef enum {
    NGX_HTTP_WEBHOOK_ACTION_DEFAULT = 0,     /* evict, pass or duplicate */
    NGX_HTTP_WEBHOOK_ACTION_REJECT,
    NGX_HTTP_WEBHOOK_ACTION_PASS
} ngx_http_webhook_action_e;


typedef struct {
    ngx_shm_zone_t                *shm_zone; /* NULL: off */
    ngx_http_complex_value_t      *key;
    time_t                         ttl;      /* 0: not given */
    time_t                         lease;
    ngx_http_webhook_action_e      full;
    ngx_http_webhook_action_e      missing;
    ngx_http_webhook_action_e      mismatch;
} ngx_http_webhook_dedup_conf_t;


/* a type, or the beginning of one */

typedef struct {
    ngx_str_t                      text;
    ngx_uint_t                     prefix;
} ngx_http_webhook_pattern_t;


typedef struct {
    ngx_http_webhook_verify_conf_t     *verify;
    ngx_http_webhook_keyring_t   *keyring; /* NULL: off */
    ngx_http_webhook_secrets_t    *secrets;

    ngx_http_webhook_window_t     *tolerance;  /* NULL: of the scheme */
    ngx_http_webhook_window_t      window;   /* what is in force */

    ngx_flag_t                     dry_run;
    ngx_uint_t                     reject_status;
    ngx_uint_t                     log_level;

    ngx_http_webhook_dedup_conf_t      *dedup;    /* never NULL when merged */
    time_t                         ttl;
    ngx_uint_t                     duplicate_status;
    ngx_uint_t                     in_flight_status;
    ngx_msec_t                     in_flight_wait;

    size_t                         json_max_size;
    ngx_array_t                   *events;   /* ngx_http_webhook_pattern_t */
    ngx_array_t                   *ignore;   /* ngx_http_complex_value_t */
    ngx_uint_t                     ignored_status;
} ngx_http_webhook_loc_conf_t;


/* where a namespace of the zone that is known beforehand is in use */

typedef struct {
    ngx_shm_zone_t                *shm_zone;
    ngx_uint_t                     key;      /* the name is that of key= */
    ngx_str_t                      server;   /* or the key */
    ngx_str_t                      location;
    ngx_http_webhook_verify_conf_t     *verify;
    ngx_http_webhook_keyring_t   *keyring;
    ngx_uint_t                     n;        /* in the configuration */
} ngx_http_webhook_place_t;


typedef struct {
    ngx_http_webhook_schemes_t     schemes;
    ngx_http_webhook_secrets_t     no_secrets;
    ngx_array_t                    places;     /* .._webhook_place_t */
    ngx_array_t                    states;     /* .._webhook_state_t * */
    ngx_array_t                    json;       /* .._webhook_pointer_t, of
                                                  webhook_json variables */

    unsigned                       verifies:1;    /* anywhere */
    unsigned                       event_id:1;    /* the variable is used */
    unsigned                       event_type:1;
} ngx_http_webhook_main_conf_t;


/* signatures with their own timestamp and signed text */

typedef struct {
    ngx_str_t                      timestamp;   /* as sent */
    time_t                         time;
    time_t                         age;         /* when it was judged */

    ngx_str_t                      before;      /* of the signed text, */
    ngx_str_t                      after;       /* around the body */

    u_char                        *candidates;  /* decoded, of equal size */
    ngx_uint_t                     ncandidates;

    EVP_MD_CTX                   **digests;     /* running, one for each key */
    ngx_str_t                      text;        /* signed, if needed whole */
} ngx_http_webhook_group_t;


typedef enum {
    NGX_HTTP_WEBHOOK_STAGE_NEW = 0,
    NGX_HTTP_WEBHOOK_STAGE_READING,          /* core reads the body */
    NGX_HTTP_WEBHOOK_STAGE_DIGESTING,        /* we read the stored body */
    NGX_HTTP_WEBHOOK_STAGE_JUDGED,
    NGX_HTTP_WEBHOOK_STAGE_WAITING           /* for another one's outcome */
} ngx_http_webhook_stage_e;


typedef struct {
    ngx_http_request_t            *request;
    ngx_http_webhook_loc_conf_t   *conf;
    ngx_http_webhook_keyring_t   *keyring;

    ngx_http_webhook_stage_e       stage;
    ngx_http_webhook_status_e      status;
    ngx_http_webhook_reason_e      reason;

    ngx_http_webhook_group_t      *groups;
    ngx_uint_t                     ngroups;

    ngx_http_webhook_key_t        *keys;
    ngx_uint_t                     nkeys;
    ngx_uint_t                     secret_index;  /* from 1 */

    EVP_MD_CTX                    *body_digest;   /* running SHA-256, if the
                                                     scheme needs it */
    u_char                         body_sha256[NGX_HTTP_WEBHOOK_SHA256_LEN];
    off_t                          digested;      /* bytes of the body */
    u_char                         first;         /* of them */

    ngx_chain_t                   *in;            /* of the stored body */
    off_t                          offset;
    u_char                        *buffer;
    ngx_event_t                    event;

    time_t                         time;          /* of the timestamp */
    time_t                         age;           /* when it was judged */
    ngx_http_webhook_scope_t       scope;
    ngx_http_webhook_claim_t       claim;
    uint32_t                       fingerprint;   /* of the body, or 0 */
    ngx_uint_t                     upstreams;     /* asked before the claim */
    ngx_msec_t                     wait;          /* until this */
    time_t                         lease;
    time_t                         ttl;
    time_t                         until;         /* remembered at least */
    ngx_event_t                    renew;

    unsigned                       dry_run:1;
    unsigned                       own_keys:1;
    unsigned                       has_time:1;
    unsigned                       failed:1;      /* OpenSSL did, meanwhile */
    unsigned                       accepted:1;    /* the signature is right */
    unsigned                       decided:1;     /* on delivery: once */
    unsigned                       waiting:1;     /* is counted as such */
    unsigned                       interrupted:1; /* by an error page */
    unsigned                       retry_after:1; /* the header is there */
} ngx_http_webhook_ctx_t;


extern ngx_module_t  ngx_http_webhook_module;

/* src/ngx_http_webhook_conf.c */

/*
 * Give conf, whose directives are merged, its keyring and its window, and
 * its ttl.  Return NGX_CONF_OK, or NGX_CONF_ERROR after an error was logged
 * that names where webhook_verify stands.
 */
char *ngx_http_webhook_merge_keyring(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf);
char *ngx_http_webhook_merge_dedup(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *conf);

/*
 * Whether events with different secrets could meet in a namespace: that is an
 * error in a default one, and warned about where "key=" says so.  Returns
 * NGX_OK, or NGX_ERROR after the error was logged.
 */
ngx_int_t ngx_http_webhook_check_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);


/* src/ngx_http_webhook_request.c */

/*
 * The phase handler: decides about a request, as handlers of the access phase
 * do.
 */
ngx_int_t ngx_http_webhook_access_handler(ngx_http_request_t *r);

/*
 * The context of the main request of r, also after an internal redirect, or
 * NULL if nothing was verified.
 */
ngx_http_webhook_ctx_t *ngx_http_webhook_get_ctx(ngx_http_request_t *r);

/*
 * Suspends a request in the access phase, to be gone with its client: returns
 * what the phase handler is to return.  The phases are run again by the other
 * one, after which r may be gone.
 */
ngx_int_t ngx_http_webhook_suspend(ngx_http_request_t *r);
void ngx_http_webhook_resume(ngx_http_request_t *r);

/* Sets both; whatever is not PASSED is logged and counted. */
void ngx_http_webhook_set_status(ngx_http_webhook_ctx_t *ctx,
    ngx_http_webhook_status_e status, ngx_http_webhook_reason_e reason);


/* src/ngx_http_webhook_headers.c */

/*
 * Takes from the headers what verification needs: signatures, timestamps and
 * fields of the signed text.  Returns NGX_HTTP_WEBHOOK_REASON_NONE, or why the
 * request is not authentic; NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR if there is
 * no memory.
 */
ngx_http_webhook_reason_e ngx_http_webhook_read_headers(
    ngx_http_webhook_ctx_t *ctx);

/*
 * NGX_HTTP_WEBHOOK_REASON_NONE if the time is in the window, widened by grace
 * seconds.
 * Notes the time and, without grace, the age in the context.
 */
ngx_http_webhook_reason_e ngx_http_webhook_check_time(
    ngx_http_webhook_ctx_t *ctx, time_t time, time_t grace);


/* src/ngx_http_webhook_body.c */

/*
 * Starts the digests of all groups for all keys.  Returns NGX_OK, or NGX_ERROR
 * after the error was logged.
 */
ngx_int_t ngx_http_webhook_body_start(ngx_http_webhook_ctx_t *ctx);

/*
 * Ends the digests.  Returns NGX_OK if a candidate is right, with
 * ctx->secret_index, ctx->timestamp and ctx->time set; NGX_DECLINED if none
 * is; NGX_ABORT if the body is too large for the algorithm; NGX_ERROR if it
 * was not digested as it is stored, or OpenSSL failed, after the error was
 * logged.
 */
ngx_int_t ngx_http_webhook_body_verify(ngx_http_webhook_ctx_t *ctx);

/*
 * Digests the stored body, but not more than some MB at once: NGX_OK when it
 * is done, NGX_AGAIN to be called again, NGX_ERROR after the error was
 * logged.  ctx->in is where to begin.
 */
ngx_int_t ngx_http_webhook_body_stored(ngx_http_webhook_ctx_t *ctx);

/*
 * Finds the values of scheme->pointers in the stored body, for ctx->values
 * and ctx->json.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_body_json(ngx_http_webhook_ctx_t *ctx);

/*
 * The fingerprint of the body that the zone keeps: 30 bits of its SHA-256, of
 * which 0 stands for none.  Returns NGX_OK or NGX_ERROR, likewise.
 */
ngx_int_t ngx_http_webhook_body_fingerprint(ngx_http_webhook_ctx_t *ctx,
    uint32_t *fingerprint);

/* Whether there was a body that can no longer be read. */
ngx_uint_t ngx_http_webhook_body_is_gone(ngx_http_request_t *r);

/*
 * Takes the body from the request, so that nothing that handles it further
 * passes it on.
 */
ngx_int_t ngx_http_webhook_body_withhold(ngx_http_request_t *r);

void ngx_http_webhook_body_cleanup(ngx_http_webhook_ctx_t *ctx);
ngx_int_t ngx_http_webhook_body_init(void);


/* src/ngx_http_webhook_event.c */

/* Whether the SHA-256 of the body, or the body at all, will be asked for. */
ngx_uint_t ngx_http_webhook_event_needs_sha256(ngx_http_webhook_ctx_t *ctx);
ngx_uint_t ngx_http_webhook_event_needs_body(ngx_http_webhook_ctx_t *ctx);

/*
 * Extracts what an authentic request says of itself: id, type, JSON values,
 * a timestamp in the body.  Returns NGX_HTTP_WEBHOOK_REASON_NONE, why the
 * request is not authentic, or NGX_HTTP_WEBHOOK_REASON_INTERNAL_ERROR.
 */
ngx_http_webhook_reason_e ngx_http_webhook_event_read(
    ngx_http_webhook_ctx_t *ctx);

/*
 * Decides whether an authentic event is to be delivered by this request:
 * filters, and the claim if the location deduplicates.  Sets ctx->status and
 * ctx->reason.  Returns NGX_OK, or NGX_AGAIN if the request has to wait; the
 * phases are run again when that is over.
 */
ngx_int_t ngx_http_webhook_event_decide(ngx_http_webhook_ctx_t *ctx);

void ngx_http_webhook_event_cleanup(ngx_http_webhook_ctx_t *ctx);


/* src/ngx_http_webhook_outcome.c */

/* Renews the claim from now on, until it is over. */
void ngx_http_webhook_outcome_watch(ngx_http_webhook_ctx_t *ctx);

/*
 * The request goes on elsewhere: ends the claim, if there is one, unless who
 * answers there answers for the upstream.
 */
void ngx_http_webhook_outcome_redirected(ngx_http_webhook_ctx_t *ctx);

/*
 * The request is over: ends the claim, if there is still one, with what the
 * last upstream has answered by now; no answer frees it.
 */
void ngx_http_webhook_outcome_cleanup(ngx_http_webhook_ctx_t *ctx);
ngx_int_t ngx_http_webhook_outcome_init(void);


/* src/ngx_http_webhook_variables.c */

ngx_int_t ngx_http_webhook_add_variables(ngx_conf_t *cf);

/*
 * Adds the variable for the n-th pointer of webhook_json.  Returns NGX_OK, or
 * NGX_ERROR after an error was logged.
 */
ngx_int_t ngx_http_webhook_add_json_variable(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t n);


#endif /* _NGX_HTTP_WEBHOOK_H_INCLUDED_ */
