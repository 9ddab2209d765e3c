
/*
 * Copyright (C) ngx_http_webhook_module contributors
 *
 * A library to be preloaded: what the system does to files that is hard to
 * come by.  The file that TEST_NGINX_FAULTS names has a rule in each line,
 *
 *     call size text action
 *
 * for calls of that name and size (0 is any), on files whose path holds the
 * text.  The action is the number of the error that the call fails with;
 * "kill" (the process, and the rules end with it); "slow", a millisecond
 * before it is done; or "none".  Each call that a rule is for adds a byte to
 * the file of that name with ".count" behind it.
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
#include <sys/syscall.h>
#include <sys/types.h>
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


/* the error that a call has to fail with, or 0 */

static int
fault(const char *call, size_t size, const char *path)
{
    int               fd, err;
    char             *line, *last, text[4096], name[32], part[256], action[32];
    ssize_t           n;
    unsigned long     wanted;
    struct timespec   ts = { 0, 1000000 };

    if (rules[0] == '\0') {
        return 0;
    }

    fd = opened(rules, O_RDONLY);
    if (fd == -1) {
        return 0;
    }

    n = syscall(SYS_read, fd, text, sizeof(text) - 1);
    close(fd);

    text[n > 0 ? n : 0] = '\0';

    for (line = strtok_r(text, "\n", &last);
         line;
         line = strtok_r(NULL, "\n", &last))
    {
        if (sscanf(line, "%31s %lu %255s %31s", name, &wanted, part, action)
            != 4
            || strcmp(name, call) != 0
            || (wanted && wanted != size)
            || strstr(path, part) == NULL)
        {
            continue;
        }

        fd = opened(count, O_WRONLY|O_APPEND|O_CREAT);
        syscall(SYS_write, fd, "x", 1);
        close(fd);

        if (strcmp(action, "kill") == 0) {
            unlink(rules);
            kill(getpid(), SIGKILL);
        }

        if (strcmp(action, "slow") == 0) {
            syscall(SYS_nanosleep, &ts, NULL);
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
typedef ssize_t (*pread_pt)(int, void *, size_t, off_t);
typedef int (*open_pt)(const char *, int, ...);
typedef int (*access_pt)(const char *, int);
typedef int (*rename_pt)(const char *, const char *);


ssize_t
pwrite64(int fd, const void *buf, size_t size, off_t offset)
{
    int  err;

    next(next_pwrite64, pwrite_pt);

    err = fault_fd("pwrite", size, fd);

    if (err) {
        errno = err;
        return -1;
    }

    return next_pwrite64(fd, buf, size, offset);
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

    err = (flags & O_CREAT) ? fault("open", 0, path) : 0;

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
