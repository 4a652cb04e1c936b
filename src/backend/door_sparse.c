/* SPDX-License-Identifier: Apache-2.0 */
/* door_sparse - front doors of the product of a sparse matrix with a dense one, and of its Chebyshev polynomials. */
#include "backend/place.h"

#include <limits.h>
#include <string.h>

static nep_status check(nep_ctx *ctx, const char *op, const int64_t *start, const int32_t *column, int64_t n_rows, int64_t n_x, int64_t n_cols)
{
    NEP_REQUIRE(ctx, n_rows >= 0 && n_x >= 0 && n_cols >= 0 && n_rows <= INT_MAX && n_x <= INT_MAX && n_cols <= INT_MAX, NEP_E_ARG,
                "%s: %lld rows, %lld columns and %lld right-hand sides, must be 0 to %d", op, (long long)n_rows, (long long)n_x,
                (long long)n_cols, INT_MAX);
    NEP_REQUIRE(ctx, start && start[0] == 0, NEP_E_ARG, "%s: the first row does not start at 0", op);
    for (int64_t i = 0; i < n_rows; i++)
        NEP_REQUIRE(ctx, start[i + 1] >= start[i], NEP_E_ARG, "%s: row %lld ends before it starts", op, (long long)i);
    for (int64_t k = 0; k < start[n_rows]; k++)
        NEP_REQUIRE(ctx, column[k] >= 0 && column[k] < n_x, NEP_E_ARG, "%s: column %d of %lld", op, column[k], (long long)n_x);
    return nep_ctx_check(ctx);
}

nep_status nep_backend_sparse_product(nep_ctx *ctx, const int64_t *start, const int32_t *column, const double *weight, int64_t n_rows,
                                      const double *x, int64_t n_x, int64_t n_cols, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.sparse_product, NEP_E_NOTSUP, "sparse_product: no %s version", be->name);
    NEP_TRY(check(ctx, "sparse_product", start, column, n_rows, n_x, n_cols));
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
    NEP_TRY_OR_DONE(
        st, be->ops.sparse_product(ctx, be->queue(ctx), p.b[0].ptr, p.b[1].ptr, p.b[2].ptr, n_rows, p.b[3].ptr, n_x, n_cols, p.b[4].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[4], out));
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_sparse_chebyshev(nep_ctx *ctx, const int64_t *start, const int32_t *column, const double *weight, int64_t n_rows,
                                        int64_t n_cols, int64_t degree, double *x)
{
    const nep_backend *be = nep_place_backend(ctx);
    int64_t cells;
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.sparse_chebyshev, NEP_E_NOTSUP, "sparse_chebyshev: no %s version", be->name);
    NEP_TRY(check(ctx, "sparse_chebyshev", start, column, n_rows, n_rows, n_cols));
    NEP_REQUIRE(ctx, degree >= 0, NEP_E_ARG, "sparse_chebyshev: a polynomial of degree %lld", (long long)degree);
    cells = n_rows * n_cols;
    if (cells == 0 || degree == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, x && ((column && weight) || start[n_rows] == 0), NEP_E_ARG, "sparse_chebyshev: an array is missing");
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, cells, "polynomials", &p.b[4]));
    if (be->host) {
        NEP_TRY_OR_DONE(st, be->ops.sparse_chebyshev(ctx, NULL, start, column, weight, n_rows, n_cols, degree, x, p.b[4].ptr));
        if (degree % 2)
            memcpy(x, p.b[4].ptr, (size_t)cells * sizeof *x);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, start, NEP_I64, n_rows + 1, "row starts", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, column, NEP_I32, start[n_rows], "columns", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, weight, NEP_F64, start[n_rows], "weights", &p.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, x, NEP_F64, cells, "right-hand sides", &p.b[3]));
    NEP_TRY_OR_DONE(
        st, be->ops.sparse_chebyshev(ctx, be->queue(ctx), p.b[0].ptr, p.b[1].ptr, p.b[2].ptr, n_rows, n_cols, degree, p.b[3].ptr, p.b[4].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[degree % 2 ? 4 : 3], x));
done:
    nep_place_free(&p);
    return st;
}
