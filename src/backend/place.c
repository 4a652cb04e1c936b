/* SPDX-License-Identifier: Apache-2.0 */
/* place - puts what an op needs where its backend works, in tiles whose grid depends on sizes alone. */
#include "backend/place.h"

const nep_backend *nep_place_backend(nep_ctx *ctx)
{
    const nep_backend *be = nep_ctx_backend(ctx);
    return be ? be : &nep_backend_cpu;
}

int64_t nep_place_tile(const nep_backend *be, int64_t n, int64_t bytes)
{
    if (be->tile_bytes <= 0 || bytes <= 0)
        return n;
    const int64_t fit = be->tile_bytes / bytes / 32 * 32;
    const int64_t tile = fit < 32 ? 32 : fit;
    return tile < n ? tile : n;
}

nep_status nep_place_columns(nep_ctx *ctx, const void *src, nep_dtype dtype, int64_t n_rows, int64_t n_cols,
                             int64_t first, int64_t count, const char *what, nep_buf *out)
{
    const size_t size = nep_dtype_size(dtype), row = (size_t)count * size;
    nep_buf b = {0};
    if (count == n_cols)
        return nep_buf_put(ctx, src, dtype, n_rows * n_cols, what, out);
    NEP_TRY(nep_buf_new(ctx, dtype, n_rows * count, what, &b));
    for (int64_t r = 0; r < n_rows; r++) {
        const char *from = (const char *)src + (size_t)(r * n_cols + first) * size;
        const nep_status st = b.be->upload(ctx, (char *)b.ptr + (size_t)r * row, from, row);
        if (st != NEP_OK) {
            nep_buf_free(&b);
            return st;
        }
    }
    *out = b;
    return NEP_OK;
}

nep_status nep_place_columns_back(nep_ctx *ctx, const nep_buf *b, int64_t n_rows, int64_t n_cols, int64_t first,
                                  int64_t count, void *dst)
{
    const size_t size = nep_dtype_size(b->dtype), row = (size_t)count * size;
    if (count == n_cols)
        return nep_buf_get(ctx, b, dst);
    for (int64_t r = 0; r < n_rows; r++) {
        char *to = (char *)dst + (size_t)(r * n_cols + first) * size;
        NEP_TRY(b->be->download(ctx, to, (const char *)b->ptr + (size_t)r * row, row));
    }
    return NEP_OK;
}

void nep_place_free(nep_place *p)
{
    for (int i = NEP_PLACE_MOST - 1; i >= 0; i--)
        nep_buf_free(&p->b[i]);
}
