
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Whether processes can ask a store, in shared memory, for whoever wants to
 * know.
 */


#ifndef _NGX_HTTP_WEBHOOK_STORE_STATUS_H_INCLUDED_
#define _NGX_HTTP_WEBHOOK_STORE_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_store.h"


#define NGX_HTTP_WEBHOOK_STORE_ERROR  256    /* bytes of one */


/* of one process */

typedef struct {
    ngx_uint_t                     generation;  /* of the configuration; 0: the
                                                   store was not tried yet */
    ngx_uint_t                     up;
    time_t                         since;
} ngx_http_webhook_store_process_t;


/* what is in shared memory, all of it under the lock of the zone */

struct ngx_http_webhook_store_status_s {
    ngx_http_webhook_store_process_t  processes[NGX_MAX_PROCESSES];

    time_t                         failed;   /* when the last error was */
    size_t                         len;
    u_char                         error[NGX_HTTP_WEBHOOK_STORE_ERROR];
};


/* what it comes to, for the processes of a configuration */

typedef struct {
    ngx_uint_t                     up;       /* how many can ask the store */
    ngx_uint_t                     down;     /* and how many cannot */
    time_t                         since;    /* when the first one could not;
                                                if there is none, when the last
                                                one could */
    time_t                         failed;   /* 0: there was no error */
    size_t                         len;
    u_char                         error[NGX_HTTP_WEBHOOK_STORE_ERROR];
} ngx_http_webhook_store_summary_t;


/*
 * A process begins, with a configuration of that generation, and tells of the
 * store there.  Before that, and without, nothing is told.
 */
void ngx_http_webhook_store_status_begin(ngx_http_webhook_store_t *store,
    ngx_http_webhook_store_status_t *status, ngx_uint_t generation);

/*
 * This process can ask the store, or cannot; an error is what was the matter
 * last, whether it can or not; it ends.
 */
void ngx_http_webhook_store_status_set(const ngx_http_webhook_store_t *store,
    ngx_uint_t up);
void ngx_http_webhook_store_status_error(const ngx_http_webhook_store_t *store,
    u_char *error, size_t len);
void ngx_http_webhook_store_status_end(const ngx_http_webhook_store_t *store);

void ngx_http_webhook_store_status_read(const ngx_http_webhook_store_t *store,
    ngx_http_webhook_store_summary_t *summary);


#endif /* _NGX_HTTP_WEBHOOK_STORE_STATUS_H_INCLUDED_ */
