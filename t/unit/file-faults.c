
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A library to be preloaded: what the system does to files that is hard to
 * come by.  The file that TEST_NGINX_FAULTS names has a rule in each line,
 *
 *     call size text action
 *
 * for calls of that name ("any" is one that changes a file or its place, opens,
 * locks or closes it) and size (0 is any), on files whose path holds the text.
 * The action is the number of the error that the call fails with; "kill" (the
 * process, and the rules end with it), or "kill=n", before the n-th of these
 * calls since the file with ".count" began; "slow", a millisecond before it is
 * done; "half", of what is to be written, and the next one fails for want of
 * space; or "none".  Each call that a rule is for adds a byte to the file of
 * that name with ".count" behind it.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


#define next(name, type)                                                      \
    static type  name;                                                        \
                                                                              \
    if (name == NULL) {                                                       \
        name = (type) dlsym(RTLD_NEXT, (char *) #name + 5);                   \
    }


static char  rules[4096], count[4096];


/* workers have no environment */

__attribute__((constructor)) static void
init(void)
{
    const char  *name;

    name = getenv("TEST_NGINX_FAULTS");

    if (name) {
        snprintf(rules, sizeof(rules) - 6, "%s", name);
        snprintf(count, sizeof(count), "%.4000s.count", name);
    }
}


/* raw calls, for none of these is to be counted */

static int
opened(const char *name, int flags)
{
    return syscall(SYS_openat, AT_FDCWD, name, flags, 0600);
}


/* what is no number of an error: half of it is written */

#define HALF  -1


/* the error that a call has to fail with, or 0 */

static int
fault(const char *call, size_t size, const char *path)
{
    int               fd, err, n_th;
    char             *line, *last, text[4096], name[32], part[256], action[32];
    ssize_t           n;
    unsigned long     wanted;
    struct stat       st;
    struct timespec   ts = { 0, 1000000 };

    if (rules[0] == '\0') {
        return 0;
    }

    fd = opened(rules, O_RDONLY);
    if (fd == -1) {
        return 0;
    }

    n = syscall(SYS_read, fd, text, sizeof(text) - 1);
    syscall(SYS_close, fd);

    text[n > 0 ? n : 0] = '\0';

    for (line = strtok_r(text, "\n", &last);
         line;
         line = strtok_r(NULL, "\n", &last))
    {
        if (sscanf(line, "%31s %lu %255s %31s", name, &wanted, part, action)
            != 4
            || (strcmp(name, call) != 0 && strcmp(name, "any") != 0)
            || (wanted && wanted != size)
            || strstr(path, part) == NULL)
        {
            continue;
        }

        fd = opened(count, O_WRONLY|O_APPEND|O_CREAT);
        syscall(SYS_write, fd, "x", 1);
        st.st_size = 0;
        (void) fstat(fd, &st);
        syscall(SYS_close, fd);

        n_th = 0;

        if (strcmp(action, "kill") == 0
            || (sscanf(action, "kill=%d", &n_th) == 1 && n_th == st.st_size))
        {
            syscall(SYS_unlinkat, AT_FDCWD, rules, 0);
            kill(getpid(), SIGKILL);
        }

        if (strcmp(action, "slow") == 0) {
            syscall(SYS_nanosleep, &ts, NULL);
        }

        if (strcmp(action, "half") == 0) {
            return (st.st_size % 2) ? HALF : ENOSPC;
        }

        err = atoi(action);

        if (err) {
            return err;
        }
    }

    return 0;
}


static int
fault_fd(const char *call, size_t size, int fd)
{
    int      err, rc;
    char     name[64], path[4096];
    ssize_t  n;

    err = errno;

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);

    n = readlink(name, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';

    rc = fault(call, size, path);

    errno = err;

    return rc;
}


typedef ssize_t (*pwrite_pt)(int, const void *, size_t, off_t);
typedef ssize_t (*pwritev_pt)(int, const struct iovec *, int, off_t);
typedef ssize_t (*pread_pt)(int, void *, size_t, off_t);
typedef int (*open_pt)(const char *, int, ...);
typedef int (*access_pt)(const char *, int);
typedef int (*rename_pt)(const char *, const char *);
typedef int (*unlink_pt)(const char *);
typedef int (*close_pt)(int);
typedef int (*fcntl_pt)(int, int, ...);


ssize_t
pwrite64(int fd, const void *buf, size_t size, off_t offset)
{
    int  err;

    next(next_pwrite64, pwrite_pt);

    err = fault_fd("pwrite", size, fd);

    if (err == HALF) {
        return next_pwrite64(fd, buf, size / 2, offset);
    }

    if (err) {
        errno = err;
        return -1;
    }

    return next_pwrite64(fd, buf, size, offset);
}


ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off_t offset)
{
    int  err;

    next(next_pwritev64, pwritev_pt);

    err = fault_fd("pwrite", 0, fd);

    if (err == HALF) {
        return next_pwritev64(fd, iov, 1, offset);
    }

    if (err) {
        errno = err;
        return -1;
    }

    return next_pwritev64(fd, iov, n, offset);
}


ssize_t
pread64(int fd, void *buf, size_t size, off_t offset)
{
    int  err;

    next(next_pread64, pread_pt);

    err = fault_fd("pread", size, fd);

    if (err) {
        errno = err;
        return -1;
    }

    return next_pread64(fd, buf, size, offset);
}


int
open64(const char *path, int flags, ...)
{
    int      err;
    mode_t   mode;
    va_list  args;

    next(next_open64, open_pt);

    va_start(args, flags);
    mode = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;
    va_end(args);

    err = fault((flags & O_CREAT) ? "open" : "reopen", 0, path);

    if (err) {
        errno = err;
        return -1;
    }

    return next_open64(path, flags, mode);
}


int
access(const char *path, int mode)
{
    int  err;

    next(next_access, access_pt);

    err = fault("access", 0, path);

    if (err) {
        errno = err;
        return -1;
    }

    return next_access(path, mode);
}


int
rename(const char *from, const char *to)
{
    int  err;

    next(next_rename, rename_pt);

    err = fault("rename", 0, from);

    if (err) {
        errno = err;
        return -1;
    }

    return next_rename(from, to);
}


int
unlink(const char *path)
{
    int  err;

    next(next_unlink, unlink_pt);

    err = fault("unlink", 0, path);

    if (err) {
        errno = err;
        return -1;
    }

    return next_unlink(path);
}


/* it is closed, whatever is said */

int
close(int fd)
{
    int  err;

    next(next_close, close_pt);

    err = fault_fd("close", 0, fd);

    if (err) {
        (void) next_close(fd);
        errno = err;
        return -1;
    }

    return next_close(fd);
}


int
fcntl64(int fd, int command, ...)
{
    int       err;
    void     *arg;
    va_list   args;

    next(next_fcntl64, fcntl_pt);

    va_start(args, command);
    arg = va_arg(args, void *);
    va_end(args);

    err = fault_fd("fcntl", 0, fd);

    if (err) {
        errno = err;
        return -1;
    }

    return next_fcntl64(fd, command, arg);
}
