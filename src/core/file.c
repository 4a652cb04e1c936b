/* SPDX-License-Identifier: Apache-2.0 */
/* file - whole files in, atomic files out: temporary beside the target, fsync, rename, fsync of the folder. */
#include <nepenthe/core.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct nep_file {
    nep_ctx *ctx;
    FILE *stream;
    char *path, *temporary;
};

static nep_status errno_status(int code)
{
    return code == EACCES || code == EPERM || code == EROFS ? NEP_E_PERMISSION : NEP_E_WRITE;
}

static void file_free(nep_file *f)
{
    if (f->stream)
        fclose(f->stream);
    nep_alloc_free(f->path);
    nep_alloc_free(f->temporary);
    nep_alloc_free(f);
}

nep_status nep_file_create(nep_ctx *ctx, const char *path, nep_file **out)
{
    nep_file *f = NULL;
    nep_status st;
    struct stat info;
    NEP_REQUIRE(ctx, path && *path, NEP_E_ARG, "output: the file name is empty");
    NEP_REQUIRE(ctx, stat(path, &info) != 0 || S_ISREG(info.st_mode), NEP_E_WRITE,
                "%s: is not a regular file and will not be replaced", path);
    NEP_TRY(nep_alloc(ctx, 1, sizeof *f, "output file", &f));
    f->ctx = ctx;
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, path, &f->path));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)strlen(path) + 16, 1, "output name", &f->temporary));
    snprintf(f->temporary, strlen(path) + 16, "%s.part", path);
    f->stream = fopen(f->temporary, "wbe");
    NEP_REQUIRE_OR_DONE(st, ctx, f->stream != NULL, errno_status(errno),
                        "%s: cannot be created (%s); check that the folder exists and is writable", path, strerror(errno));
    *out = f;
    f = NULL;
done:
    if (f)
        file_free(f);
    return st;
}

nep_status nep_file_write(nep_file *f, const void *bytes, size_t n)
{
    NEP_REQUIRE(f->ctx, n == 0 || fwrite(bytes, 1, n, f->stream) == n, NEP_E_IO, "%s: writing failed (%s)", f->path,
                strerror(errno));
    return NEP_OK;
}

nep_status nep_file_printf(nep_file *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int n = vfprintf(f->stream, fmt, args);
    va_end(args);
    NEP_REQUIRE(f->ctx, n >= 0, NEP_E_IO, "%s: writing failed (%s)", f->path, strerror(errno));
    return NEP_OK;
}

const char *nep_file_temporary(const nep_file *f)
{
    return f->temporary;
}

static void sync_folder(const char *path)
{
    char copy[4096];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return;
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* some file systems refuse it for folders; the rename is done all the same */
        close(fd);
    }
}

nep_status nep_file_commit(nep_file *f)
{
    nep_status st = NEP_OK;
    FILE *stream = f->stream;
    f->stream = NULL;
    const bool flushed = fflush(stream) == 0 && fsync(fileno(stream)) == 0;
    const bool closed = fclose(stream) == 0;
    if (!flushed || !closed || rename(f->temporary, f->path) != 0) {
        st = nep_ctx_fail_file(f->ctx, NEP_E_IO, f->path, "%s: could not be completed (%s); nothing was replaced", f->path,
                               strerror(errno));
        unlink(f->temporary);
    } else {
        sync_folder(f->path);
    }
    file_free(f);
    return st;
}

void nep_file_abort(nep_file *f)
{
    if (!f)
        return;
    unlink(f->temporary);
    file_free(f);
}

static nep_status read_stream(nep_ctx *ctx, FILE *stream, const char *path, int64_t limit, char **out, int64_t *n_bytes)
{
    char *text = NULL;
    int64_t have = 0, room = 1 << 16;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, room + 1, 1, path, &text));
    for (;;) {
        const size_t n = fread(text + have, 1, (size_t)(room - have), stream);
        have += (int64_t)n;
        NEP_REQUIRE_OR_DONE(st, ctx, have <= limit, NEP_E_FORMAT, "%s: is larger than %lld bytes, which no file of its kind is",
                            path, (long long)limit);
        if (n == 0)
            break;
        if (have == room) {
            room *= 2;
            NEP_TRY_OR_DONE(st, nep_alloc_grow(ctx, room + 1, 1, path, &text));
        }
    }
    NEP_REQUIRE_OR_DONE(st, ctx, !ferror(stream), NEP_E_IO, "%s: reading failed (%s)", path, strerror(errno));
    text[have] = '\0';
    *out = text;
    *n_bytes = have;
    text = NULL;
done:
    nep_alloc_free(text);
    return st;
}

nep_status nep_file_read(nep_ctx *ctx, const char *path, int64_t limit, char **out, int64_t *n_bytes)
{
    if (strcmp(path, "-") == 0)
        return read_stream(ctx, stdin, "stdin", limit, out, n_bytes);
    struct stat info;
    FILE *stream = fopen(path, "rbe");
    if (!stream)
        return nep_ctx_fail_file(ctx, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, path, "%s: cannot be opened (%s)",
                                 path, strerror(errno));
    nep_status st;
    if (fstat(fileno(stream), &info) != 0 || S_ISDIR(info.st_mode))
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: is a folder, a file is needed", path);
    else
        st = read_stream(ctx, stream, path, limit, out, n_bytes);
    fclose(stream);
    return st;
}

nep_status nep_file_folder(nep_ctx *ctx, const char *path)
{
    char copy[4096];
    NEP_REQUIRE(ctx, snprintf(copy, sizeof copy, "%s", path) < (int)sizeof copy, NEP_E_ARG,
                "output folder: the path is longer than %zu characters", sizeof copy - 1);
    for (char *slash = copy + 1;; slash++) {
        const char c = *slash;
        if (c != '/' && c != '\0')
            continue;
        *slash = '\0';
        NEP_REQUIRE(ctx, mkdir(copy, 0777) == 0 || errno == EEXIST, errno_status(errno),
                    "%s: the folder cannot be created (%s)", copy, strerror(errno));
        *slash = c;
        if (c == '\0')
            break;
    }
    struct stat info;
    NEP_REQUIRE(ctx, stat(path, &info) == 0 && S_ISDIR(info.st_mode), NEP_E_WRITE, "%s: is not a folder", path);
    return NEP_OK;
}

bool nep_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

nep_status nep_file_join(nep_ctx *ctx, const char *folder, const char *name, char **out)
{
    const size_t n = strlen(folder) + strlen(name) + 2;
    char *joined = NULL;
    NEP_TRY(nep_alloc(ctx, (int64_t)n, 1, "path", &joined));
    if (name[0] == '/' || folder[0] == '\0')
        snprintf(joined, n, "%s", name);
    else
        snprintf(joined, n, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    *out = joined;
    return NEP_OK;
}
