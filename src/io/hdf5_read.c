/* SPDX-License-Identifier: Apache-2.0 */
/* hdf5_read - HDF5 files are read by a helper program of ours: libhdf5 crashes on a fifth of the known
 * hostile files, and a crash over there is a sentence here. posix_spawn, never fork: this process has
 * threads. */
#include <nepenthe/io.h>

#include "io/h5wire.h"
#include "io/hdf5_read.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const double idle_limit_s = 30;

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

nep_status nep_hdf5_end(nep_hdf5_answer *a, nep_status st)
{
    int how = 0;
    if (a->pid == 0)
        return st;
    close(a->fd);
    if (st != NEP_OK || a->done < a->n)
        kill(a->pid, SIGKILL); /* it may still be writing, or hang; one that has crashed keeps its verdict */
    while (waitpid(a->pid, &how, 0) < 0 && errno == EINTR)
        ;
    a->pid = 0;
    if (st != NEP_OK && WIFSIGNALED(how) && WTERMSIG(how) != SIGKILL) {
        nep_ctx_clear(a->ctx);
        return nep_ctx_fail_file(a->ctx, st, a->path, "%s: the HDF5 reader crashed on it (%s); the file is damaged or hostile", a->path,
                                 strsignal(WTERMSIG(how)));
    }
    return st;
}

nep_status nep_hdf5_ask(nep_ctx *ctx, const char *path, const char *dataset, bool texts, nep_hdf5_answer *a)
{
    struct stat info;
    *a = (nep_hdf5_answer){.ctx = ctx, .path = path, .idle_s = idle_limit_s};
    if (stat(path, &info) != 0 || access(path, R_OK) != 0)
        return nep_ctx_fail_file(ctx, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, path,
                                 "%s: cannot be opened (%s)", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: is not a regular file", path);
    pid_t pid = 0;
    NEP_TRY(start_helper(ctx, path, dataset, texts ? NEP_H5WIRE_TEXTS : NEP_H5WIRE_NUMBERS, &pid, &a->fd));
    a->pid = pid;
    const nep_status st = nep_hdf5_begin(a, texts);
    return st == NEP_OK ? st : nep_hdf5_end(a, st);
}

nep_status nep_hdf5_read_f64(nep_ctx *ctx, const char *path, const char *dataset, double **out, int *rank,
                             int64_t dims[4])
{
    nep_hdf5_answer a;
    NEP_TRY(nep_hdf5_ask(ctx, path, dataset, false, &a));
    NEP_TRY(nep_hdf5_end(&a, nep_hdf5_all_values(&a, out)));
    *rank = a.rank;
    memcpy(dims, a.dims, sizeof a.dims);
    return NEP_OK;
}

nep_status nep_hdf5_read_strings(nep_ctx *ctx, const char *path, const char *dataset, char ***names, int64_t *n)
{
    nep_hdf5_answer a;
    NEP_TRY(nep_hdf5_ask(ctx, path, dataset, true, &a));
    NEP_TRY(nep_hdf5_end(&a, nep_hdf5_all_texts(&a, names)));
    *n = a.n;
    return NEP_OK;
}
