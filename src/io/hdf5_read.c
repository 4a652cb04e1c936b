/* SPDX-License-Identifier: Apache-2.0 */
/* hdf5_read - HDF5 files are read by a helper program of ours: libhdf5 crashes on a fifth of the known
 * hostile files, and a crash over there is a sentence here. posix_spawn, never fork: this process has
 * threads. */
#include <nepenthe/io.h>

#include "io/h5wire.h"
#include "io/hdf5_read.h"
#include "io/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const double idle_limit_s = 30;

/* ---- receiving ---- */

/* Up to n bytes; fewer at the end of the answer. *late is set when nothing came in time. */
static int64_t receive(int fd, double idle_s, void *out, int64_t n, bool *late)
{
    int64_t have = 0;
    *late = false;
    while (have < n) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        const int ready = poll(&p, 1, (int)(idle_s * 1000));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            *late = ready == 0;
            return have;
        }
        const ssize_t got = read(fd, (char *)out + have, (size_t)(n - have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return have;
        have += got;
    }
    return have;
}

static nep_status broken(nep_ctx *ctx, const char *path, bool late)
{
    return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path,
                             "%s: the HDF5 reader %s; the file is damaged or hostile", path,
                             late ? "hangs on it" : "gave no whole answer about it");
}

static nep_status helper_error(nep_ctx *ctx, const char *path, int fd, double idle_s)
{
    char text[400] = "";
    bool late;
    receive(fd, idle_s, text, sizeof text - 1, &late);
    return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: %s", path,
                             text[0] ? text : "the HDF5 reader refused it");
}

/* n items arrive in pieces, so that a lie about their number costs no memory. */
static nep_status receive_items(nep_ctx *ctx, const char *path, int fd, double idle_s, int64_t n, size_t size, void *out)
{
    char **bytes = out;
    int64_t have = 0, room = 0;
    bool late;
    while (have < n) {
        if (have == room) {
            room = room == 0 ? 1 << 17 : 2 * room;
            room = room < n ? room : n;
            NEP_TRY(nep_alloc_grow(ctx, room, size, path, bytes));
        }
        const int64_t want = (room - have) * (int64_t)size;
        if (receive(fd, idle_s, *bytes + have * (int64_t)size, want, &late) != want)
            return broken(ctx, path, late);
        have = room;
    }
    return n > 0 ? NEP_OK : nep_alloc(ctx, 1, size, path, bytes);
}

nep_status nep_hdf5_receive(nep_ctx *ctx, const char *path, int fd, double idle_s, double **out, int *rank,
                            int64_t dims[4])
{
    int64_t head[1 + NEP_H5WIRE_RANK], n = 1;
    char mark[NEP_H5WIRE_MARK];
    double *values = NULL;
    bool late;
    nep_status st;
    if (receive(fd, idle_s, mark, sizeof mark, &late) != sizeof mark)
        return broken(ctx, path, late);
    if (memcmp(mark, NEP_H5WIRE_ERROR, sizeof mark) == 0)
        return helper_error(ctx, path, fd, idle_s);
    if (memcmp(mark, NEP_H5WIRE_DATA, sizeof mark) != 0 ||
        receive(fd, idle_s, head, sizeof head, &late) != sizeof head)
        return broken(ctx, path, late);
    bool sound = head[0] >= 0 && head[0] <= NEP_H5WIRE_RANK;
    for (int i = 0; i < NEP_H5WIRE_RANK && sound; i++)
        sound = head[1 + i] >= 0 && !__builtin_mul_overflow(n, head[1 + i], &n);
    if (!sound || n > INT64_MAX / 8)
        return broken(ctx, path, false);
    NEP_TRY_OR_DONE(st, receive_items(ctx, path, fd, idle_s, n, sizeof *values, &values));
    if (receive(fd, idle_s, mark, sizeof mark, &late) != sizeof mark ||
        memcmp(mark, NEP_H5WIRE_END, sizeof mark) != 0) {
        st = broken(ctx, path, late);
        goto done;
    }
    *out = values;
    *rank = (int)head[0];
    memcpy(dims, head + 1, NEP_H5WIRE_RANK * sizeof *dims);
    values = NULL;
done:
    nep_alloc_free(values);
    return st;
}

/* n texts out of one piece of bytes that ends in a NUL. */
static nep_status split(nep_ctx *ctx, const char *path, const char *text, int64_t bytes, int64_t n, char **names)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + bytes;
    for (int64_t i = 0; i < n; i++) {
        if (at >= end)
            return broken(ctx, path, false);
        NEP_TRY(nep_alloc_string(ctx, (const char *)at, &names[i]));
        for (int step; *at; at += step) {
            step = *at < ' ' ? 0 : nep_rows_sequence(at, end);
            if (step == 0)
                return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: text %lld has byte 0x%02x, which is not UTF-8 or a control character", path,
                                         (long long)i + 1, *at);
        }
        at++;
    }
    return at == end ? NEP_OK : broken(ctx, path, false);
}

nep_status nep_hdf5_receive_strings(nep_ctx *ctx, const char *path, int fd, double idle_s, char ***names, int64_t *n)
{
    int64_t head[2];
    char mark[NEP_H5WIRE_MARK], *text = NULL, **list = NULL;
    bool late;
    nep_status st;
    if (receive(fd, idle_s, mark, sizeof mark, &late) != sizeof mark)
        return broken(ctx, path, late);
    if (memcmp(mark, NEP_H5WIRE_ERROR, sizeof mark) == 0)
        return helper_error(ctx, path, fd, idle_s);
    if (memcmp(mark, NEP_H5WIRE_TEXT, sizeof mark) != 0 || receive(fd, idle_s, head, sizeof head, &late) != sizeof head)
        return broken(ctx, path, late);
    if (head[0] < 0 || head[1] < head[0] || head[1] > INT64_MAX / 8)
        return broken(ctx, path, false);
    NEP_TRY_OR_DONE(st, receive_items(ctx, path, fd, idle_s, head[1], 1, &text));
    if (receive(fd, idle_s, mark, sizeof mark, &late) != sizeof mark || memcmp(mark, NEP_H5WIRE_END, sizeof mark) != 0 ||
        (head[1] > 0 && text[head[1] - 1] != '\0')) {
        st = broken(ctx, path, late);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, head[0], sizeof *list, path, &list));
    NEP_TRY_OR_DONE(st, split(ctx, path, text, head[1], head[0], list));
    *names = list;
    *n = head[0];
    list = NULL;
done:
    nep_alloc_free(text);
    if (list)
        nep_data_free_names(list, head[0]);
    return st;
}

/* ---- starting the helper ---- */

/* Beside the program, in libexec of its installation, or where NEPENTHE_HELPERS says. */
static nep_status find_helper(nep_ctx *ctx, char *out, size_t size)
{
    static const char name[] = "nepenthe-h5read";
    char folder[4096];
    const char *given = getenv("NEPENTHE_HELPERS");
    const ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    for (int where = 0; where < 3; where++) {
        int length = 0;
        if (where == 0)
            length = given && *given ? snprintf(out, size, "%s/%s", given, name) : 0;
        else
            length = snprintf(out, size, "%s%s/%s", folder, where == 1 ? "" : "/../libexec/nepenthe", name);
        if (length > 0 && length < (int)size && access(out, X_OK) == 0)
            return NEP_OK;
    }
    return nep_ctx_fail(
        ctx, NEP_E_NOTSUP,
        "the helper program %s, which reads HDF5, is not beside %s; install it or set NEPENTHE_HELPERS", name,
        folder);
}

static nep_status start_helper(nep_ctx *ctx, const char *path, const char *dataset, const char *what, pid_t *pid, int *fd)
{
    char helper[4200];
    int ends[2];
    NEP_TRY(find_helper(ctx, helper, sizeof helper));
    NEP_REQUIRE(ctx, pipe2(ends, O_CLOEXEC) == 0, NEP_E_IO, "%s: no pipe to the HDF5 reader (%s)", path,
                strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    char *const argv[] = {helper, (char *)(uintptr_t)path, (char *)(uintptr_t)dataset, (char *)(uintptr_t)what, NULL};
    char *const env[] = {(char[]){"HDF5_PLUGIN_PRELOAD=::"}, (char[]){"HDF5_USE_FILE_LOCKING=FALSE"},
                         (char[]){"LC_ALL=C"}, NULL};
    const int code = posix_spawn(pid, helper, &actions, NULL, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (code != 0) {
        close(ends[0]);
        return nep_ctx_fail(ctx, NEP_E_IO, "%s: the HDF5 reader did not start (%s)", path, strerror(code));
    }
    *fd = ends[0];
    return NEP_OK;
}

/* Waits for the helper. When it fell to a signal that is the better sentence. */
static nep_status end_helper(nep_ctx *ctx, const char *path, pid_t pid, nep_status st)
{
    int how = 0;
    if (st != NEP_OK)
        kill(pid, SIGKILL); /* it may still be writing, or hang; one that has crashed keeps its verdict */
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        ;
    if (st != NEP_OK && WIFSIGNALED(how) && WTERMSIG(how) != SIGKILL) {
        nep_ctx_clear(ctx);
        return nep_ctx_fail_file(ctx, st, path,
                                 "%s: the HDF5 reader crashed on it (%s); the file is damaged or hostile",
                                 path, strsignal(WTERMSIG(how)));
    }
    return st;
}

/* Starts the helper on a regular file that can be read; what is NEP_H5WIRE_NUMBERS or NEP_H5WIRE_TEXTS. */
static nep_status open_helper(nep_ctx *ctx, const char *path, const char *dataset, const char *what, pid_t *pid, int *fd)
{
    struct stat info;
    if (stat(path, &info) != 0 || access(path, R_OK) != 0)
        return nep_ctx_fail_file(ctx, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, path,
                                 "%s: cannot be opened (%s)", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: is not a regular file", path);
    return start_helper(ctx, path, dataset, what, pid, fd);
}

nep_status nep_hdf5_read_f64(nep_ctx *ctx, const char *path, const char *dataset, double **out, int *rank,
                             int64_t dims[4])
{
    pid_t pid = 0;
    int fd = -1;
    double *values = NULL;
    NEP_TRY(open_helper(ctx, path, dataset, NEP_H5WIRE_NUMBERS, &pid, &fd));
    const nep_status st = nep_hdf5_receive(ctx, path, fd, idle_limit_s, &values, rank, dims);
    close(fd);
    NEP_TRY(end_helper(ctx, path, pid, st));
    *out = values;
    return NEP_OK;
}

nep_status nep_hdf5_read_strings(nep_ctx *ctx, const char *path, const char *dataset, char ***names, int64_t *n)
{
    pid_t pid = 0;
    int fd = -1;
    char **list = NULL;
    int64_t count = 0;
    NEP_TRY(open_helper(ctx, path, dataset, NEP_H5WIRE_TEXTS, &pid, &fd));
    const nep_status st = nep_hdf5_receive_strings(ctx, path, fd, idle_limit_s, &list, &count);
    close(fd);
    NEP_TRY(end_helper(ctx, path, pid, st));
    *names = list;
    *n = count;
    return NEP_OK;
}
