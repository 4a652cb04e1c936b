/* SPDX-License-Identifier: Apache-2.0 */
/* buf - buffers that know where they live. */
#include "backend/resident.h"

nep_status nep_buf_new(nep_ctx *ctx, nep_dtype dtype, int64_t n, const char *what, nep_buf *out)
{
    const nep_backend *chosen = nep_ctx_backend(ctx);
    const nep_backend *be = chosen ? chosen : &nep_backend_cpu;
    const size_t size = nep_dtype_size(dtype);
    nep_buf b = {.be = be, .dtype = dtype, .n = n};
    NEP_REQUIRE(ctx, size && n >= 0 && n <= INT64_MAX / 8, NEP_E_ARG, "%s: cannot hold %lld items of %s", what,
                (long long)n, nep_dtype_name(dtype));
    if (be->room && be->room(ctx) < n * (int64_t)size)
        nep_resident_yield(ctx, n * (int64_t)size);
    NEP_TRY(be->alloc(ctx, (size_t)n * size, what, &b.ptr));
    *out = b;
    return NEP_OK;
}

nep_status nep_buf_put(nep_ctx *ctx, const void *src, nep_dtype dtype, int64_t n, const char *what, nep_buf *out)
{
    nep_buf b = {0};
    NEP_TRY(nep_buf_new(ctx, dtype, n, what, &b));
    const nep_status st = b.be->upload(ctx, b.ptr, src, (size_t)n * nep_dtype_size(dtype));
    if (st != NEP_OK) {
        nep_buf_free(&b);
        return st;
    }
    *out = b;
    return NEP_OK;
}

nep_status nep_buf_get(nep_ctx *ctx, const nep_buf *b, void *dst)
{
    NEP_REQUIRE(ctx, b->be, NEP_E_ARG, "buffer: nothing to copy out of an empty buffer");
    return b->be->download(ctx, dst, b->ptr, (size_t)b->n * nep_dtype_size(b->dtype));
}

nep_status nep_buf_get_part(nep_ctx *ctx, const nep_buf *b, int64_t first, int64_t n, void *dst)
{
    const size_t size = nep_dtype_size(b->dtype);
    NEP_REQUIRE(ctx, b->be && first >= 0 && n >= 0 && first <= b->n - n, NEP_E_ARG,
                "buffer: items %lld and %lld more of %lld cannot be copied out", (long long)first, (long long)n, (long long)b->n);
    return b->be->download(ctx, dst, (const char *)b->ptr + (size_t)first * size, (size_t)n * size);
}

void nep_buf_free(nep_buf *b)
{
    if (b && b->lent)
        nep_resident_leave(b->lent);
    else if (b && b->be)
        b->be->release(b->ptr);
    if (b)
        *b = (nep_buf){0};
}
