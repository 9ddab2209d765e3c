
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The configuration: what the administrator has written, and what follows.
 */


#ifndef _NGX_HTTP_WEBHOOK_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_webhook_metrics.h"
#include "ngx_http_webhook_scheme.h"
#include "ngx_http_webhook_secret.h"
#include "ngx_http_webhook_store.h"
#include "ngx_http_webhook_verdict.h"
#include "ngx_http_webhook_zone.h"


#define NGX_HTTP_WEBHOOK_VERSION  "0.2.0"

/* the window is this much wider when it is judged behind a slow body */
#define NGX_HTTP_WEBHOOK_GRACE  60


typedef struct {
    ngx_str_t                      name;     /* of the scheme */
    u_char                        *file;     /* where webhook_verify stands */
    ngx_uint_t                     line;

    unsigned                       off:1;
    unsigned                       warned:1; /* of replays, once is enough */
    unsigned                       any:1;    /* likewise of "satisfy any" */
} ngx_http_webhook_verify_conf_t;


/* what is done about an event that cannot be deduplicated as usual */

typedef enum {
    NGX_HTTP_WEBHOOK_ACTION_DEFAULT = 0,     /* evict, pass, duplicate or
                                                local */
    NGX_HTTP_WEBHOOK_ACTION_REJECT,
    NGX_HTTP_WEBHOOK_ACTION_PASS
} ngx_http_webhook_action_e;


typedef struct {
    ngx_http_webhook_level_t       level;
    ngx_shm_zone_t                *shm_zone; /* NULL: off */
    ngx_http_complex_value_t      *key;
    time_t                         ttl;      /* 0: not given */
    time_t                         lease;
    ngx_http_webhook_action_e      full;
    ngx_http_webhook_action_e      missing;
    ngx_http_webhook_action_e      mismatch;
    ngx_http_webhook_action_e      error;    /* of the store */
} ngx_http_webhook_dedup_conf_t;


/* a type, or the beginning of one */

typedef struct {
    ngx_str_t                      text;
    ngx_uint_t                     prefix;
} ngx_http_webhook_pattern_t;


/* what of an event a location uses */

#define NGX_HTTP_WEBHOOK_USES_JSON    0x01
#define NGX_HTTP_WEBHOOK_USES_SHA256  0x02   /* of the body */
#define NGX_HTTP_WEBHOOK_USES_ID      0x04
#define NGX_HTTP_WEBHOOK_USES_TYPE    0x08
#define NGX_HTTP_WEBHOOK_USES_HANDSHAKE  0x10  /* in JSON */


/* by what a request is judged: where it is the same, so is the verdict */

typedef struct {
    ngx_http_webhook_keyring_t    *keyring;  /* NULL: off */
    ngx_http_webhook_dedup_conf_t *dedup;    /* never NULL when merged */
    ngx_http_webhook_window_t      window;
    size_t                         json_max_size;
    ngx_array_t                   *events;   /* ngx_http_webhook_pattern_t */
    ngx_array_t                   *ignore;   /* ngx_http_complex_value_t */
    ngx_array_t                   *handshakes;  /* of the scheme, NULL: off */
    ngx_array_t                   *tokens;   /* of them, .._secret_t */
    ngx_flag_t                     dry_run;
} ngx_http_webhook_rules_t;


/*
 * What a process tells of a location once a minute: it is kept beside the
 * configuration, which is not written to.
 */

typedef struct {
    time_t                         time;     /* told last */
    ngx_uint_t                     n;        /* not told yet */
} ngx_http_webhook_notice_t;


typedef struct {
    ngx_http_webhook_notice_t      unjudged;
    ngx_http_webhook_notice_t      undeduplicated;
} ngx_http_webhook_notices_t;


typedef struct {
    ngx_array_t                   *names;    /* ngx_str_t, of the server */

    unsigned                       write:1;
    unsigned                       any:1;    /* not only local clients */
} ngx_http_webhook_monitor_conf_t;


typedef struct {
    ngx_http_webhook_verify_conf_t  *verify;
    ngx_http_webhook_secrets_t    *secrets;
    ngx_http_webhook_window_t     *tolerance;  /* NULL: of the scheme */
    ngx_http_webhook_secrets_t    *tokens;   /* of handshakes, or NULL */
    ngx_flag_t                     handshake;

    ngx_http_webhook_rules_t       rules;
    ngx_uint_t                     uses;     /* NGX_HTTP_WEBHOOK_USES_... */
    ngx_http_webhook_notices_t    *notices;

    time_t                         ttl;
    ngx_msec_t                     in_flight_wait;

    ngx_uint_t                     reject_status;
    ngx_uint_t                     duplicate_status;
    ngx_uint_t                     in_flight_status;
    ngx_uint_t                     ignored_status;
    ngx_uint_t                     log_level;

    ngx_flag_t                     diagnose;
    ngx_http_webhook_suspects_t   *suspects; /* if it is on */

    ngx_str_t                      place;    /* as it was given, or empty */
    ngx_str_t                      label;    /* of the place, as it is shown */
    ngx_str_t                      server;   /* its name */
    ngx_str_t                      location; /* likewise; a server has none */
    ngx_http_webhook_counted_t    *counted;  /* NULL: nobody monitors */
    ngx_http_webhook_monitor_conf_t  *monitor;  /* of this very location */

    unsigned                       shown:1;  /* by the monitor */
    unsigned                       unreachable:1;  /* some location is it */
} ngx_http_webhook_loc_conf_t;


/* where a namespace of the zone that is known beforehand is in use */

typedef struct {
    ngx_shm_zone_t                *shm_zone;
    ngx_uint_t                     key;      /* the name is that of key= */
    ngx_str_t                      server;   /* or the key */
    ngx_str_t                      location;
    ngx_http_webhook_verify_conf_t  *verify;
    ngx_http_webhook_keyring_t    *keyring;
    ngx_uint_t                     n;        /* in the configuration */
} ngx_http_webhook_place_t;


typedef struct {
    ngx_http_webhook_schemes_t     schemes;
    ngx_http_webhook_secrets_t     no_secrets;
    ngx_array_t                    locations;  /* .._webhook_loc_conf_t *,
                                                  that verify */
    ngx_array_t                    secrets;    /* .._webhook_level_t *, of all
                                                  directives */
    ngx_array_t                    dedups;     /* likewise */
    ngx_array_t                    places;     /* .._webhook_place_t */
    ngx_array_t                    states;     /* .._webhook_state_t * */
    ngx_array_t                    stores;     /* .._webhook_store_t * */
    ngx_array_t                    json;       /* .._webhook_pointer_t, of
                                                  webhook_json variables */
    ngx_http_webhook_metrics_t     metrics;

    unsigned                       event_id:1;    /* the variable is used */
    unsigned                       event_type:1;
    unsigned                       monitored:1;   /* by some location */
} ngx_http_webhook_main_conf_t;


extern ngx_module_t  ngx_http_webhook_module;

/* src/ngx_http_webhook_conf.c */

/*
 * Gives conf, whose directives are merged, and which verifies, its keyring, its
 * window, its handshakes, which may have been asked for here, and its ttl.
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR after an error
 * was logged that names where webhook_verify stands.
 */
char *ngx_http_webhook_merge_location(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf,
    ngx_uint_t handshake);

/*
 * Whether events with different secrets could meet in a namespace: that is an
 * error in a default one, and warned about where "key=" says so.  Returns
 * NGX_OK, or NGX_ERROR after the error was logged.
 */
ngx_int_t ngx_http_webhook_check_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);

/*
 * Notes what each location that verifies uses: all variables of the
 * configuration are known by now.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_webhook_find_uses(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);


/* src/ngx_http_webhook_place.c */

/*
 * Gives conf, which verifies, the names by which it is known.  Returns
 * NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_webhook_name_place(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *conf);

/*
 * Makes counters for all locations that verify.  Returns NGX_OK, or NGX_ERROR
 * after an error was logged.
 */
ngx_int_t ngx_http_webhook_count_places(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);

/* Sets the name of a place. */
char *ngx_http_webhook_place_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* src/ngx_http_webhook_conf_level.c */

/*
 * Notes whether secrets and deduplication of a level, and of those above it,
 * are of use.  Returns NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_webhook_merge_levels(ngx_conf_t *cf,
    ngx_http_webhook_loc_conf_t *prev, ngx_http_webhook_loc_conf_t *conf);

/*
 * Warns of those that are of none.  Returns NGX_OK, or NGX_ERROR after an
 * error was logged about what they name.
 */
ngx_int_t ngx_http_webhook_check_levels(ngx_conf_t *cf,
    ngx_http_webhook_main_conf_t *wmcf);


/* Logs that the scheme is unknown, and which one may have been meant. */
void ngx_http_webhook_unknown_scheme(ngx_conf_t *cf,
    ngx_http_webhook_schemes_t *schemes,
    ngx_http_webhook_verify_conf_t *verify);


/* src/ngx_http_webhook_dedup_slot.c */

/*
 * Define a zone, with its state file and its store, in the main configuration,
 * and set a pointer to ngx_http_webhook_dedup_conf_t.
 */
char *ngx_http_webhook_dedup_zone_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_webhook_dedup_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* src/ngx_http_webhook_store_block.c */

/* webhook_store: defines one of an array of stores. */
char *ngx_http_webhook_store_set_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * When all directives are known: what zones and stores have to do with each
 * other, and the addresses of servers.  Returns NGX_OK, or NGX_ERROR after the
 * error was logged.
 */
ngx_int_t ngx_http_webhook_stores_init(ngx_conf_t *cf, ngx_array_t *stores);


#endif /* _NGX_HTTP_WEBHOOK_H_INCLUDED_ */
