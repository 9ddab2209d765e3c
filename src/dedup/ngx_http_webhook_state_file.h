
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The state file of a zone: keys of accepted events, over restarts.
 */


#ifndef _NGX_HTTP_WEBHOOK_STATE_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_table.h"


#define NGX_HTTP_WEBHOOK_STATE_KEY  32


/* a zone as the file sees it */

typedef struct {
    ngx_str_t                      path;     /* empty: there is no file */
    ngx_str_t                      folder;   /* of the path, with its "/" */
    ngx_str_t                      zone;     /* its name */
    u_char                        *key;      /* NGX_HTTP_WEBHOOK_STATE_KEY */
    ngx_http_webhook_table_t      *table;
    ngx_shmtx_t                   *mutex;    /* of the table */
    ngx_file_t                     file;
    ngx_pool_cleanup_t            *cleanup;  /* of a file with another name,
                                                until it gets its own */
    uint64_t                       generation;  /* of that file */
    ngx_uint_t                     live;
} ngx_http_webhook_state_t;


/*
 * Opens the file for a table that has it already, or writes a new one beside
 * it; fresh says that the table is empty and used by nobody, and is filled,
 * as is its key, from the file that is there; live, that other processes use
 * the table meanwhile.  A file that is there and cannot be opened stays as it
 * is, and the table is filled from it the next time.  The file is closed with
 * the pool, and a new one is removed unless it was put in place.  Whatever is
 * wrong with the file or its folder is logged, and there is no file then.
 * Returns NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_webhook_state_open(ngx_http_webhook_state_t *state,
    ngx_uint_t fresh, ngx_uint_t live, ngx_pool_t *pool, ngx_log_t *log);

/* Puts a new file in place of the old one.  Logs its errors. */
void ngx_http_webhook_state_install(ngx_http_webhook_state_t *state,
    ngx_log_t *log);

/*
 * Writes some of what has changed in the table, unless another process is at
 * it; with all set, waits for that process, and writes everything.  Logs its
 * errors.  Returns NGX_AGAIN if there is more to write, or NGX_OK.
 */
ngx_int_t ngx_http_webhook_state_flush(ngx_http_webhook_state_t *state,
    ngx_uint_t all, ngx_log_t *log);


/* src/dedup/ngx_http_webhook_state_path.c */

/*
 * Adds a state, whose path and zone are set, to those of a configuration.  A
 * file belongs to one of them.  A configuration that is tested warns of what
 * would keep the file from being made.  Returns NGX_CONF_OK, or NGX_CONF_ERROR
 * after the error was logged.
 */
char *ngx_http_webhook_state_add(ngx_conf_t *cf, ngx_array_t *states,
    ngx_http_webhook_state_t *state);

/*
 * Why no file can be kept under the path, or NULL; if it is for the folder,
 * *err is set.
 */
const char *ngx_http_webhook_state_look(ngx_http_webhook_state_t *state,
    ngx_err_t *err);

/*
 * Logs it if others can write to the folder: they could put another file in
 * place of this one, and say what was accepted.
 */
void ngx_http_webhook_state_check_folder(ngx_http_webhook_state_t *state,
    ngx_log_t *log);


#endif /* _NGX_HTTP_WEBHOOK_STATE_H_INCLUDED_ */
