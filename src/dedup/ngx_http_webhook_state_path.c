
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * Where a state file stands: whether it can be kept there, and by whom else.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_state_file.h"


static ngx_int_t ngx_http_webhook_state_is_same(
    ngx_http_webhook_state_t *one, ngx_http_webhook_state_t *two);


char *
ngx_http_webhook_state_add(ngx_conf_t *cf, ngx_array_t *states,
    ngx_http_webhook_state_t *state)
{
    size_t                      len;
    ngx_err_t                   err;
    ngx_uint_t                  i;
    const char                 *reason;
    ngx_http_webhook_state_t  **other;

    len = state->path.len;

    while (len && state->path.data[len - 1] != '/') {
        len--;
    }

    state->folder.len = len;
    state->folder.data = ngx_pnalloc(cf->pool, len + 1);
    if (state->folder.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(state->folder.data, state->path.data, len + 1);

    other = states->elts;

    for (i = 0; i < states->nelts; i++) {

        if (ngx_http_webhook_state_is_same(state, other[i]) == NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "state file \"%V\" is used by webhook dedup "
                               "zone \"%V\" already",
                               &state->path, &other[i]->zone);
            return NGX_CONF_ERROR;
        }
    }

    other = ngx_array_push(states);
    if (other == NULL) {
        return NGX_CONF_ERROR;
    }

    *other = state;

    if (ngx_test_config) {
        reason = ngx_http_webhook_state_look(state, &err);

        if (reason) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, err,
                               "state file \"%V\" of webhook dedup zone "
                               "\"%V\" cannot be kept: %s",
                               &state->path, &state->zone, reason);
        }
    }

    return NGX_CONF_OK;
}


/* whether two files have one name in one folder, however that is written */

static ngx_int_t
ngx_http_webhook_state_is_same(ngx_http_webhook_state_t *one,
    ngx_http_webhook_state_t *two)
{
    ngx_file_info_t  fi, fi2;

    if (ngx_strcmp(one->path.data + one->folder.len,
                   two->path.data + two->folder.len)
        != 0)
    {
        return NGX_DECLINED;
    }

    if (ngx_strcmp(one->folder.data, two->folder.data) == 0) {
        return NGX_OK;
    }

    if (ngx_file_info(one->folder.data, &fi) == NGX_FILE_ERROR
        || ngx_file_info(two->folder.data, &fi2) == NGX_FILE_ERROR)
    {
        return NGX_DECLINED;
    }

    return (ngx_file_uniq(&fi) == ngx_file_uniq(&fi2)
            && fi.st_dev == fi2.st_dev)
           ? NGX_OK : NGX_DECLINED;
}


const char *
ngx_http_webhook_state_look(ngx_http_webhook_state_t *state, ngx_err_t *err)
{
    ngx_file_info_t  fi;

    *err = 0;

    if (ngx_link_info(state->path.data, &fi) != NGX_FILE_ERROR
        && !ngx_is_file(&fi))
    {
        return "it is not a regular file";
    }

    if (access((char *) state->folder.data, W_OK|X_OK) == -1) {
        *err = ngx_errno;
        return "its folder cannot be written";
    }

    return NULL;
}


void
ngx_http_webhook_state_check_folder(ngx_http_webhook_state_t *state,
    ngx_log_t *log)
{
    ngx_file_info_t  fi;

    if (ngx_file_info(state->folder.data, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_file_info_n " \"%V\" failed", &state->folder);
        return;
    }

    if ((fi.st_uid != 0 && fi.st_uid != geteuid())
        || ((fi.st_mode & (S_IWGRP|S_IWOTH)) && !(fi.st_mode & S_ISVTX)))
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "the folder of state file \"%V\" of webhook dedup zone "
                      "\"%V\" can be written by others",
                      &state->path, &state->zone);
    }
}
