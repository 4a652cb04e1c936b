/* SPDX-License-Identifier: Apache-2.0 */
/* index_spool - nameless files that grow, then are mapped: what an index's writer cannot place before it knows the number of rows. */
#include "io/index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { spool_bytes = 1 << 18 };

nep_status nep_index_spool_open(nep_ctx *ctx, const char *path, nep_index_spool *s)
{
    char copy[4096], name[4096 + 32];
    NEP_REQUIRE(ctx, snprintf(copy, sizeof copy, "%s", path) < (int)sizeof copy, NEP_E_ARG, "output: the path is too long");
    const char *folder = dirname(copy);
    s->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0) { /* not every file system has them */
        snprintf(name, sizeof name, "%s/.nepenthe-XXXXXX", folder);
        s->fd = mkostemp(name, O_CLOEXEC);
        if (s->fd >= 0)
            unlink(name);
    }
    if (s->fd < 0) {
        s->fd = 0;
        return nep_ctx_fail_file(ctx, NEP_E_WRITE, path, "%s: no temporary file can be made beside it (%s)", path, strerror(errno));
    }
    return nep_alloc(ctx, spool_bytes, 1, "output buffer", &s->buffer);
}

static nep_status flush(nep_ctx *ctx, const char *path, nep_index_spool *s)
{
    NEP_TRY(nep_index_out_write(ctx, path, s->fd, s->buffer, s->have));
    s->have = 0;
    return NEP_OK;
}

nep_status nep_index_spool_add(nep_ctx *ctx, const char *path, nep_index_spool *s, const void *bytes, int64_t n)
{
    s->bytes += n;
    if (s->have + n > spool_bytes)
        NEP_TRY(flush(ctx, path, s));
    if (n > spool_bytes)
        return nep_index_out_write(ctx, path, s->fd, bytes, n);
    if (n > 0)
        memcpy(s->buffer + s->have, bytes, (size_t)n);
    s->have += n;
    return NEP_OK;
}

nep_status nep_index_spool_map(nep_ctx *ctx, const char *path, nep_index_spool *s)
{
    if (!s->fd)
        return NEP_OK;
    NEP_TRY(flush(ctx, path, s));
    if (s->bytes == 0)
        return NEP_OK;
    s->map = mmap(NULL, (size_t)s->bytes, PROT_READ, MAP_SHARED, s->fd, 0);
    if (s->map == MAP_FAILED) {
        s->map = NULL;
        return nep_ctx_fail_file(ctx, NEP_E_IO, path, "%s: its temporary files cannot be mapped (%s)", path, strerror(errno));
    }
    return NEP_OK;
}

void nep_index_spool_close(nep_index_spool *s)
{
    if (s->map)
        munmap(s->map, (size_t)s->bytes);
    if (s->fd)
        close(s->fd);
    nep_alloc_free(s->buffer);
    *s = (nep_index_spool){0};
}
