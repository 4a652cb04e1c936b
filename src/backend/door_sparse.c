/* SPDX-License-Identifier: Apache-2.0 */
/* door_sparse - front door of the product of a sparse matrix with a dense one. */
#include "backend/place.h"

#include <limits.h>

static nep_status check(nep_ctx *ctx, const nep_backend *be, const int64_t *start, const int32_t *column, int64_t n_rows, int64_t n_x, int64_t n_cols)
{
    NEP_REQUIRE(ctx, be->ops.sparse_product, NEP_E_NOTSUP, "sparse_product: no %s version", be->name);
    NEP_REQUIRE(ctx, n_rows >= 0 && n_x >= 0 && n_cols >= 0 && n_rows <= INT_MAX && n_x <= INT_MAX && n_cols <= INT_MAX, NEP_E_ARG,
                "sparse_product: %lld rows, %lld columns and %lld right-hand sides, must be 0 to %d", (long long)n_rows, (long long)n_x,
                (long long)n_cols, INT_MAX);
    NEP_REQUIRE(ctx, start && start[0] == 0, NEP_E_ARG, "sparse_product: the first row does not start at 0");
    for (int64_t i = 0; i < n_rows; i++)
        NEP_REQUIRE(ctx, start[i + 1] >= start[i], NEP_E_ARG, "sparse_product: row %lld ends before it starts", (long long)i);
    for (int64_t k = 0; k < start[n_rows]; k++)
        NEP_REQUIRE(ctx, column[k] >= 0 && column[k] < n_x, NEP_E_ARG, "sparse_product: column %d of %lld", column[k], (long long)n_x);
    return nep_ctx_check(ctx);
}

nep_status nep_backend_sparse_product(nep_ctx *ctx, const int64_t *start, const int32_t *column, const double *weight, int64_t n_rows,
                                      const double *x, int64_t n_x, int64_t n_cols, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_TRY(check(ctx, be, start, column, n_rows, n_x, n_cols));
    if (n_rows == 0 || n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, out && ((column && weight && x) || start[n_rows] == 0), NEP_E_ARG, "sparse_product: an array is missing");
    if (be->host)
        return be->ops.sparse_product(ctx, NULL, start, column, weight, n_rows, x, n_x, n_cols, out);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, start, NEP_I64, n_rows + 1, "row starts", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, column, NEP_I32, start[n_rows], "columns", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, weight, NEP_F64, start[n_rows], "weights", &p.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, x, NEP_F64, n_x * n_cols, "right-hand sides", &p.b[3]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n_rows * n_cols, "products", &p.b[4]));
    NEP_TRY_OR_DONE(st, be->ops.sparse_product(ctx, be->queue(ctx), p.b[0].ptr, p.b[1].ptr, p.b[2].ptr, n_rows, p.b[3].ptr, n_x, n_cols, p.b[4].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[4], out));
done:
    nep_place_free(&p);
    return st;
}
