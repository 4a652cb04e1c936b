/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz - what the targets share: a context with a budget, and bytes as a file that has a path. */
#ifndef NEP_TESTS_FUZZ_H
#define NEP_TESTS_FUZZ_H

#include <nepenthe/io.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline nep_ctx *fuzz_ctx(void)
{
    nep_ctx *ctx = NULL;
    const nep_ctx_opts opts = {.threads = 1, .mem_bytes = (int64_t)400 << 20};
    if (nep_ctx_create(&opts, &ctx) != NEP_OK)
        abort();
    return ctx;
}

/* Nothing may be left, and a failure has a sentence. */
static inline void fuzz_end(nep_ctx *ctx, nep_status st)
{
    if (nep_alloc_used(ctx) != 0 || (st != NEP_OK && !nep_ctx_error(ctx)[0]))
        abort();
    nep_ctx_free(ctx);
}

/* The bytes as an open file; the path is /proc/self/fd/N. */
static inline int fuzz_file(const void *bytes, size_t n, char path[64])
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

#endif
