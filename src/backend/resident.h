/* SPDX-License-Identifier: Apache-2.0 */
/* resident - blocks of host arrays that stay on a device from call to call, until what they belong to ends or the backend is closed.
 *
 * A block is a stretch of a host array that nobody writes to. Its memory is taken at once, its bytes come when they are first asked for. */
#ifndef NEP_BACKEND_RESIDENT_H
#define NEP_BACKEND_RESIDENT_H

#include <nepenthe/backend.h>

/* Lends the block of `bytes` at src: `out` is for nep_buf_free as any other, which leaves the block where it is. Empty (ptr NULL) where
 * it may not be kept: life is NULL, the backend is the host, or the budget (nep_backend_keeps) is used up. Errors: NEP_E_NOMEM (of the
 * host), NEP_E_DEVICE. */
NEP_MUST_USE nep_status nep_resident_lend(nep_ctx *ctx, nep_life *life, const void *src, int64_t bytes, const char *what, nep_buf *out);
/* Bytes from .. from + n - 1 of a block lent are there afterwards. Errors: NEP_E_DEVICE. */
NEP_MUST_USE nep_status nep_resident_bring(nep_ctx *ctx, const nep_buf *b, int64_t from, int64_t n);
/* For nep_buf_free. */
void nep_resident_leave(struct nep_resident *block);
/* Drops blocks that are not lent until the backend has room for so many bytes more, or none are left. */
void nep_resident_yield(nep_ctx *ctx, int64_t bytes);

#endif
