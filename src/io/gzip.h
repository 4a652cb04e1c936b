/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.h - whole gzip buffers in and out (libdeflate); files as a stream are inflate.h. */
#ifndef NEP_IO_GZIP_H
#define NEP_IO_GZIP_H

#include <nepenthe/core.h>

/* True when the bytes start as a gzip member. */
bool nep_gzip_is(const void *bytes, int64_t n);

/* Inflates every member of `bytes`; zero padding after the last is allowed, other bytes are not. The result
 * gets a NUL past its end and is freed with nep_alloc_free. Errors: NEP_E_FORMAT (damaged, checksum, more
 * than `limit` bytes), NEP_E_TRUNCATED. */
NEP_MUST_USE nep_status nep_gzip_inflate(nep_ctx *ctx, const char *path, const void *bytes, int64_t n,
                                         int64_t limit, char **out, int64_t *n_out);

/* One gzip member with time 0 and no name. Freed with nep_alloc_free. */
NEP_MUST_USE nep_status nep_gzip_deflate(nep_ctx *ctx, const void *bytes, int64_t n, int level, char **out,
                                         int64_t *n_out);

#endif
