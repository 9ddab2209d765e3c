
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * The state file of a zone: keys of accepted events, over restarts.
 *
 * The file is an image of the table, a record for each bucket, in which claims
 * are left out.  Whoever changes a bucket marks it; once a second a worker
 * writes the marked ones.  A file belongs to one table: where a new cycle has
 * another one, or another process has started, it writes a file of its own and
 * renames it over the old one, in which the old workers go on unharmed.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_webhook_state_file.h"


#define NGX_HTTP_WEBHOOK_STATE_MAGIC    "whstate"   /* 8 bytes with its zero */
#define NGX_HTTP_WEBHOOK_STATE_VERSION  2
#define NGX_HTTP_WEBHOOK_STATE_NAME     64

/* how far ahead of the clock a file is saved by a clock that is right */
#define NGX_HTTP_WEBHOOK_STATE_AHEAD    300

#define NGX_HTTP_WEBHOOK_STATE_RECORD   256   /* bytes */
#define NGX_HTTP_WEBHOOK_STATE_RECORDS  256   /* read, or written in a turn */


typedef struct {
    u_char                         magic[8];
    uint32_t                       version;
    uint32_t                       nbuckets;
    uint64_t                       saved;    /* unix seconds */
    uint64_t                       generation;
    u_char                         key[NGX_HTTP_WEBHOOK_STATE_KEY];
    u_char                         zone[NGX_HTTP_WEBHOOK_STATE_NAME];
    uint32_t                       size;     /* of the name of the zone */
    uint32_t                       crc32;    /* of all above */
} ngx_http_webhook_image_t;


/*
 * Neither crosses the end of a page: whoever is killed while it is written
 * leaves the old one or the new one.
 */

typedef union {
    ngx_http_webhook_image_t       data;
    u_char                         size[NGX_HTTP_WEBHOOK_STATE_RECORD];
} ngx_http_webhook_image_start_t;


typedef struct {
    ngx_http_webhook_bucket_t      bucket;
    u_char                         unused[NGX_HTTP_WEBHOOK_STATE_RECORD
                                          - sizeof(ngx_http_webhook_bucket_t)
                                          - sizeof(uint32_t)];
    uint32_t                       crc32;    /* of all above */
} ngx_http_webhook_record_t;


static ngx_int_t ngx_http_webhook_state_load(ngx_http_webhook_state_t *state,
    ngx_uint_t fresh, ngx_log_t *log);
static const char *ngx_http_webhook_state_check(
    ngx_http_webhook_state_t *state, ngx_file_t *file,
    ngx_http_webhook_image_t *header);
static uint32_t ngx_http_webhook_state_read(ngx_http_webhook_state_t *state,
    ngx_file_t *file, ngx_http_webhook_image_t *header,
    ngx_http_webhook_record_t *records);
static ngx_int_t ngx_http_webhook_state_join(ngx_http_webhook_state_t *state,
    ngx_pool_t *pool, ngx_log_t *log);
static ngx_int_t ngx_http_webhook_state_is_own(
    ngx_http_webhook_state_t *state, ngx_file_t *file);
static ngx_int_t ngx_http_webhook_state_create(
    ngx_http_webhook_state_t *state, ngx_pool_t *pool, ngx_log_t *log);
static void ngx_http_webhook_state_close_on_exec(
    ngx_http_webhook_state_t *state, ngx_log_t *log);
static ngx_int_t ngx_http_webhook_state_write(ngx_http_webhook_state_t *state,
    ngx_log_t *log);
static ngx_int_t ngx_http_webhook_state_write_header(
    ngx_http_webhook_state_t *state);
static void ngx_http_webhook_state_record(ngx_http_webhook_state_t *state,
    uint32_t n, ngx_http_webhook_record_t *record);
static void ngx_http_webhook_state_written(ngx_http_webhook_state_t *state,
    uint32_t n, ngx_http_webhook_record_t *record);
static off_t ngx_http_webhook_state_offset(uint32_t n);


ngx_int_t
ngx_http_webhook_state_open(ngx_http_webhook_state_t *state, ngx_uint_t fresh,
    ngx_uint_t live, ngx_pool_t *pool, ngx_log_t *log)
{
    ngx_int_t    rc;
    ngx_err_t    err;
    const char  *reason;

    state->live = live;
    state->cleanup = NULL;

    reason = ngx_http_webhook_state_look(state, &err);

    if (reason == NULL || err) {

        /* where no file can be made, the one that is there may be good */

        if (fresh || state->table->unread) {
            rc = ngx_http_webhook_state_load(state, fresh, log);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_DECLINED) {

                /* it is not replaced before it was read */

                state->table->unread = 1;
                return NGX_OK;
            }

            state->table->unread = 0;

        } else {
            rc = ngx_http_webhook_state_join(state, pool, log);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }
    }

    if (reason) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      "state file \"%V\" of webhook dedup zone \"%V\" "
                      "cannot be kept: %s",
                      &state->path, &state->zone, reason);
        return NGX_OK;
    }

    return ngx_http_webhook_state_create(state, pool, log);
}


/*
 * Reads the file into the table, and its key if the table is fresh.  A record
 * that is damaged costs what is in it, a header all of it.  NGX_DECLINED: it
 * may be read another time.
 */

static ngx_int_t
ngx_http_webhook_state_load(ngx_http_webhook_state_t *state, ngx_uint_t fresh,
    ngx_log_t *log)
{
    uint32_t                    damaged;
    uint64_t                    forgotten, *counter;
    ngx_int_t                   rc;
    ngx_err_t                   err;
    ngx_file_t                  file;
    const char                 *reason;
    ngx_http_webhook_image_t    header;
    ngx_http_webhook_record_t  *records;

    records = ngx_alloc(NGX_HTTP_WEBHOOK_STATE_RECORDS
                        * sizeof(ngx_http_webhook_record_t), log);
    if (records == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = state->path;
    file.log = log;
    file.fd = ngx_open_file(file.name.data,
                            NGX_FILE_RDONLY|NGX_FILE_NONBLOCK
                            |NGX_FILE_NOFOLLOW,
                            NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        if (err != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_ERR, log, err,
                          ngx_open_file_n " \"%V\" failed", &file.name);

            rc = NGX_DECLINED;
        }

        goto done;
    }

    reason = ngx_http_webhook_state_check(state, &file, &header);

    if (reason) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "state file \"%V\" of webhook dedup zone \"%V\" is "
                      "ignored: it %s", &file.name, &state->zone, reason);
        goto close;
    }

    if ((time_t) header.saved > ngx_time() + NGX_HTTP_WEBHOOK_STATE_AHEAD) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "state file \"%V\" of webhook dedup zone \"%V\" was "
                      "saved in the future, the clock may be wrong",
                      &file.name, &state->zone);
    }

    counter = &state->table->counters[NGX_HTTP_WEBHOOK_COUNT_NO_ROOM];
    forgotten = *counter;

    /* the key is known before what it has to do with */

    if (fresh) {
        ngx_memcpy(state->key, header.key, NGX_HTTP_WEBHOOK_STATE_KEY);
    }

    damaged = ngx_http_webhook_state_read(state, &file, &header, records);

    forgotten = *counter - forgotten;

    if (damaged) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "state file \"%V\" of webhook dedup zone \"%V\" is "
                      "damaged: %uD of %uD records were skipped",
                      &file.name, &state->zone, damaged, header.nbuckets);
    }

    if (forgotten) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "state file \"%V\" does not fit into webhook dedup zone "
                      "\"%V\": %uL events were forgotten before their time",
                      &file.name, &state->zone, forgotten);
    }

close:

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file.name);
    }

done:

    ngx_free(records);

    return rc;
}


/* what is wrong with the header, or NULL */

static const char *
ngx_http_webhook_state_check(ngx_http_webhook_state_t *state, ngx_file_t *file,
    ngx_http_webhook_image_t *header)
{
    ngx_file_info_t  fi;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        return "is not a regular file";
    }

    if (ngx_file_size(&fi) < (off_t) sizeof(ngx_http_webhook_image_t)
        || ngx_read_file(file, (u_char *) header,
                         sizeof(ngx_http_webhook_image_t), 0)
           != (ssize_t) sizeof(ngx_http_webhook_image_t)
        || ngx_memcmp(header->magic, NGX_HTTP_WEBHOOK_STATE_MAGIC,
                      sizeof(header->magic))
           != 0)
    {
        return "is not a state file";
    }

    if (header->version != NGX_HTTP_WEBHOOK_STATE_VERSION) {
        return "is of another version";
    }

    if (header->crc32 != ngx_crc32_long((u_char *) header,
                                        offsetof(ngx_http_webhook_image_t,
                                                 crc32)))
    {
        return "is damaged";
    }

    if (header->size != ngx_min(state->zone.len, sizeof(header->zone))
        || ngx_memcmp(header->zone, state->zone.data, header->size) != 0)
    {
        return "belongs to another zone";
    }

    if (ngx_file_size(&fi) != ngx_http_webhook_state_offset(header->nbuckets))
    {
        return "has a wrong size";
    }

    return NULL;
}


/* adds what is alive to the table, returns how many records are damaged */

static uint32_t
ngx_http_webhook_state_read(ngx_http_webhook_state_t *state, ngx_file_t *file,
    ngx_http_webhook_image_t *header, ngx_http_webhook_record_t *records)
{
    size_t                      size;
    uint32_t                    i, n, k, damaged;
    ngx_http_webhook_record_t  *record;

    damaged = 0;

    for (i = 0; i < header->nbuckets; i += n) {

        n = ngx_min(header->nbuckets - i, NGX_HTTP_WEBHOOK_STATE_RECORDS);
        size = n * sizeof(ngx_http_webhook_record_t);

        if (ngx_read_file(file, (u_char *) records, size,
                          ngx_http_webhook_state_offset(i))
            != (ssize_t) size)
        {
            return damaged + header->nbuckets - i;
        }

        for (k = 0; k < n; k++) {
            record = &records[k];

            if (record->crc32
                != ngx_crc32_long((u_char *) record,
                                  offsetof(ngx_http_webhook_record_t,
                                           crc32)))
            {
                damaged++;
                continue;
            }

            ngx_shmtx_lock(state->mutex);
            ngx_http_webhook_table_add(state->table, i + k, &record->bucket,
                                       ngx_time());
            ngx_shmtx_unlock(state->mutex);
        }
    }

    return damaged;
}


/* whether the file there is this table's, which other processes keep too */

static ngx_int_t
ngx_http_webhook_state_join(ngx_http_webhook_state_t *state, ngx_pool_t *pool,
    ngx_log_t *log)
{
    ngx_pool_cleanup_t       *cln;
    ngx_pool_cleanup_file_t  *clnf;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_pool_cleanup_file_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    state->file.name = state->path;
    state->file.log = log;
    state->file.fd = ngx_open_file(state->path.data,
                                   NGX_FILE_RDWR|NGX_FILE_NONBLOCK
                                   |NGX_FILE_NOFOLLOW,
                                   NGX_FILE_OPEN, 0);

    if (state->file.fd == NGX_INVALID_FILE) {
        return NGX_DECLINED;
    }

    ngx_http_webhook_state_close_on_exec(state, log);

    clnf = cln->data;
    clnf->fd = state->file.fd;
    clnf->name = state->path.data;
    clnf->log = log;

    if (ngx_http_webhook_state_is_own(state, &state->file) != NGX_OK) {
        ngx_pool_cleanup_file(clnf);
        state->file.fd = NGX_INVALID_FILE;
        return NGX_DECLINED;
    }

    cln->handler = ngx_pool_cleanup_file;

    state->generation = state->table->generation;

    return NGX_OK;
}


/* whether a file is the image of this very table */

static ngx_int_t
ngx_http_webhook_state_is_own(ngx_http_webhook_state_t *state,
    ngx_file_t *file)
{
    ngx_http_webhook_image_t  header;

    if (ngx_http_webhook_state_check(state, file, &header) != NULL
        || header.nbuckets != state->table->nbuckets
        || ngx_memcmp(header.key, state->key, sizeof(header.key)) != 0
        || header.generation != state->table->generation)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webhook_state_create(ngx_http_webhook_state_t *state,
    ngx_pool_t *pool, ngx_log_t *log)
{
    u_char                   *name;
    ngx_pool_cleanup_t       *cln;
    ngx_pool_cleanup_file_t  *clnf;

    ngx_http_webhook_state_check_folder(state, log);

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_pool_cleanup_file_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    name = ngx_pnalloc(pool, state->path.len + NGX_INT_T_LEN + 6);
    if (name == NULL) {
        return NGX_ERROR;
    }

    state->file.name.data = name;
    state->file.name.len = ngx_sprintf(name, "%V.%P.tmp%Z", &state->path,
                                       ngx_pid)
                           - name - 1;
    state->file.log = log;

    /* what is there was left by another process of that number, or is a trap */

    (void) ngx_delete_file(name);

    state->file.fd = ngx_open_tempfile(name, 1, NGX_FILE_OWNER_ACCESS);

    if (state->file.fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_open_tempfile_n " \"%s\" failed", name);
        return NGX_OK;
    }

    ngx_http_webhook_state_close_on_exec(state, log);

    clnf = cln->data;
    clnf->fd = state->file.fd;
    clnf->name = name;
    clnf->log = log;

    /* no two files that are written for one table have the same */

    state->generation = (uint64_t) ngx_time() << 32
                        ^ (uint64_t) ngx_pid << 16 ^ ngx_current_msec;

    if (ngx_http_webhook_state_write(state, log) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "could not write \"%s\"", name);

        ngx_pool_delete_file(clnf);
        state->file.fd = NGX_INVALID_FILE;

        return NGX_OK;
    }

    cln->handler = ngx_pool_delete_file;
    state->cleanup = cln;

    return NGX_OK;
}


void
ngx_http_webhook_state_install(ngx_http_webhook_state_t *state,
    ngx_log_t *log)
{
    ngx_pool_cleanup_file_t  *clnf;

    if (state->cleanup == NULL) {
        return;
    }

    clnf = state->cleanup->data;

    if (ngx_rename_file(state->file.name.data, state->path.data)
        == NGX_FILE_ERROR)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_rename_file_n " \"%s\" to \"%s\" failed",
                      state->file.name.data, state->path.data);

        ngx_pool_delete_file(clnf);

        state->cleanup->handler = NULL;
        state->cleanup = NULL;
        state->file.fd = NGX_INVALID_FILE;

        return;
    }

    clnf->name = state->path.data;

    state->cleanup->handler = ngx_pool_cleanup_file;
    state->cleanup = NULL;
    state->file.name = state->path;

    ngx_shmtx_lock(state->mutex);

    if (state->live) {

        /* what has changed since it was written may be in the old one only */

        ngx_http_webhook_table_mark_all(state->table);
    }

    state->table->generation = state->generation;

    ngx_shmtx_unlock(state->mutex);
}


/* the new binary of an upgrade opens it by itself */

static void
ngx_http_webhook_state_close_on_exec(ngx_http_webhook_state_t *state,
    ngx_log_t *log)
{
    if (fcntl(state->file.fd, F_SETFD, FD_CLOEXEC) == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "fcntl(FD_CLOEXEC) \"%V\" failed", &state->file.name);
    }
}


/* a file as a whole */

static ngx_int_t
ngx_http_webhook_state_write(ngx_http_webhook_state_t *state, ngx_log_t *log)
{
    size_t                      size;
    uint32_t                    i, n, k;
    ngx_int_t                   rc;
    ngx_http_webhook_record_t  *records;

    records = ngx_alloc(NGX_HTTP_WEBHOOK_STATE_RECORDS
                        * sizeof(ngx_http_webhook_record_t), log);
    if (records == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_webhook_state_write_header(state);

    for (i = 0; i < state->table->nbuckets && rc == NGX_OK; i += n) {

        n = ngx_min(state->table->nbuckets - i,
                    NGX_HTTP_WEBHOOK_STATE_RECORDS);
        size = n * sizeof(ngx_http_webhook_record_t);

        for (k = 0; k < n; k++) {
            ngx_http_webhook_state_record(state, i + k, &records[k]);
        }

        if (ngx_write_file(&state->file, (u_char *) records, size,
                           ngx_http_webhook_state_offset(i))
            == NGX_ERROR)
        {
            rc = NGX_ERROR;
        }
    }

    ngx_free(records);

    return rc;
}


static ngx_int_t
ngx_http_webhook_state_write_header(ngx_http_webhook_state_t *state)
{
    ngx_http_webhook_image_t  header;

    ngx_memzero(&header, sizeof(ngx_http_webhook_image_t));

    ngx_memcpy(header.magic, NGX_HTTP_WEBHOOK_STATE_MAGIC,
               sizeof(header.magic));
    ngx_memcpy(header.key, state->key, sizeof(header.key));

    header.version = NGX_HTTP_WEBHOOK_STATE_VERSION;
    header.nbuckets = state->table->nbuckets;
    header.saved = ngx_time();
    header.generation = state->generation;
    header.size = ngx_min(state->zone.len, sizeof(header.zone));

    ngx_memcpy(header.zone, state->zone.data, header.size);

    header.crc32 = ngx_crc32_long((u_char *) &header,
                                  offsetof(ngx_http_webhook_image_t, crc32));

    return (ngx_write_file(&state->file, (u_char *) &header,
                           sizeof(ngx_http_webhook_image_t), 0)
            == NGX_ERROR)
           ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_webhook_state_flush(ngx_http_webhook_state_t *state, ngx_uint_t all,
    ngx_log_t *log)
{
    uint32_t                    i, n;
    ngx_int_t                   rc;
    ngx_err_t                   err;
    ngx_http_webhook_table_t   *table;
    ngx_http_webhook_record_t   record;

    table = state->table;

    if (state->generation != table->generation) {

        /* another configuration keeps the image elsewhere */

        return NGX_OK;
    }

    n = ngx_http_webhook_table_next_marked(table, 0);

    if (n == table->nbuckets) {
        table->saved = ngx_time();
        return NGX_OK;
    }

    state->file.log = log;

    /*
     * One process at a time: a record is never older than another.  Between
     * the turns of one, others have theirs, and find other marks.
     */

    err = all ? ngx_lock_fd(state->file.fd) : ngx_trylock_fd(state->file.fd);

    if (err) {
        if (err != NGX_EAGAIN && err != NGX_EACCES) {
            ngx_log_error(NGX_LOG_ERR, log, err,
                          "could not lock \"%V\"", &state->path);
            table->counters[NGX_HTTP_WEBHOOK_COUNT_STATE_ERRORS]++;
        }

        return NGX_OK;
    }

    rc = ngx_http_webhook_state_write_header(state);

    for (i = 0; rc == NGX_OK; i++) {

        n = ngx_http_webhook_table_next_marked(table, n);

        if (n == table->nbuckets) {
            table->saved = ngx_time();
            break;
        }

        if (i == NGX_HTTP_WEBHOOK_STATE_RECORDS && !all) {
            rc = NGX_AGAIN;
            break;
        }

        ngx_http_webhook_state_record(state, n, &record);

        /* a record that could not be written stays marked */

        if (ngx_write_file(&state->file, (u_char *) &record,
                           sizeof(ngx_http_webhook_record_t),
                           ngx_http_webhook_state_offset(n))
            == NGX_ERROR)
        {
            rc = NGX_ERROR;
            break;
        }

        ngx_http_webhook_state_written(state, n++, &record);
    }

    if (rc == NGX_ERROR) {
        table->counters[NGX_HTTP_WEBHOOK_COUNT_STATE_ERRORS]++;
    }

    (void) ngx_unlock_fd(state->file.fd);

    return (rc == NGX_AGAIN) ? NGX_AGAIN : NGX_OK;
}


static void
ngx_http_webhook_state_record(ngx_http_webhook_state_t *state, uint32_t n,
    ngx_http_webhook_record_t *record)
{
    ngx_shmtx_lock(state->mutex);
    ngx_http_webhook_table_take(state->table, n, &record->bucket);
    ngx_shmtx_unlock(state->mutex);

    ngx_memzero(record->unused, sizeof(record->unused));

    record->crc32 = ngx_crc32_long((u_char *) record,
                                   offsetof(ngx_http_webhook_record_t,
                                            crc32));
}


/*
 * The mark goes when the record is in the file, not before: whoever is killed
 * in between leaves it to the next one.  It stays if the bucket has changed
 * meanwhile, or if another file has got its place, which needs the mark.
 */

static void
ngx_http_webhook_state_written(ngx_http_webhook_state_t *state, uint32_t n,
    ngx_http_webhook_record_t *record)
{
    ngx_http_webhook_bucket_t  bucket;

    ngx_shmtx_lock(state->mutex);

    ngx_http_webhook_table_take(state->table, n, &bucket);

    if (state->generation == state->table->generation
        && ngx_memcmp(&bucket, &record->bucket,
                      sizeof(ngx_http_webhook_bucket_t))
           == 0)
    {
        ngx_http_webhook_table_unmark(state->table, n);
    }

    ngx_shmtx_unlock(state->mutex);
}


static off_t
ngx_http_webhook_state_offset(uint32_t n)
{
    return sizeof(ngx_http_webhook_image_start_t)
           + (off_t) n * sizeof(ngx_http_webhook_record_t);
}
