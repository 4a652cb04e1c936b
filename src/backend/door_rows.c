/* SPDX-License-Identifier: Apache-2.0 */
/* door_rows - front doors of the ops on rows of unit length: all of the rows are placed, since each meets every other. */
#include "backend/place.h"

#include <limits.h>

static nep_status check_rows(nep_ctx *ctx, const nep_backend *be, bool has_op, const char *op, const float *z, int64_t n, int64_t n_t)
{
    NEP_REQUIRE(ctx, has_op, NEP_E_NOTSUP, "%s: no %s version", op, be->name);
    NEP_REQUIRE(ctx, n >= 0 && n <= INT_MAX, NEP_E_ARG, "%s: %lld rows, must be 0 to %d", op, (long long)n, INT_MAX);
    NEP_REQUIRE(ctx, n_t >= 1 && n_t <= INT_MAX, NEP_E_ARG, "%s: rows of %lld values, must be 1 to %d", op, (long long)n_t, INT_MAX);
    NEP_REQUIRE(ctx, z || n == 0, NEP_E_ARG, "%s: no rows given", op);
    return nep_ctx_check(ctx);
}

nep_status nep_backend_pair_sums(nep_ctx *ctx, const float *z, int64_t n, int64_t n_t, double threshold, bool two_sided,
                                 double fisher_scale, int64_t *count, double *weighted, double *fisher)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_TRY(check_rows(ctx, be, be->ops.pair_sums, "pair_sums", z, n, n_t));
    NEP_REQUIRE(ctx, threshold >= 0 && threshold < 1, NEP_E_ARG, "pair_sums: the threshold %g is not in 0 to 1", threshold);
    NEP_REQUIRE(ctx, fisher_scale > 0 && fisher_scale <= 1, NEP_E_ARG, "pair_sums: the scale %g of z is not in 0 to 1", fisher_scale);
    if (n == 0)
        return NEP_OK;
    if (be->host)
        return be->ops.pair_sums(ctx, NULL, z, n, n_t, threshold, two_sided, fisher_scale, count, weighted, fisher);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, z, NEP_F32, n * n_t, "unit rows", &p.b[0]));
    if (count || weighted) {
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I64, n, "degrees", &p.b[1]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n, "weighted degrees", &p.b[2]));
    }
    if (fisher)
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n, "sums of z", &p.b[3]));
    NEP_TRY_OR_DONE(st, be->ops.pair_sums(ctx, be->queue(ctx), p.b[0].ptr, n, n_t, threshold, two_sided, fisher_scale, p.b[1].ptr,
                                          p.b[2].ptr, p.b[3].ptr));
    if (count)
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], count));
    if (weighted)
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[2], weighted));
    if (fisher)
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[3], fisher));
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_top_pairs(nep_ctx *ctx, const float *z, int64_t n, int64_t n_t, int64_t k, int32_t *index, double *r)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_TRY(check_rows(ctx, be, be->ops.top_pairs, "top_pairs", z, n, n_t));
    NEP_REQUIRE(ctx, k >= 1 && k <= INT_MAX, NEP_E_ARG, "top_pairs: %lld neighbours, must be 1 to %d", (long long)k, INT_MAX);
    if (n == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, index && r, NEP_E_ARG, "top_pairs: no place for the result");
    if (be->host)
        return be->ops.top_pairs(ctx, NULL, z, n, n_t, k, index, r);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, z, NEP_F32, n * n_t, "unit rows", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, n * k, "neighbours", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n * k, "correlations of neighbours", &p.b[2]));
    NEP_TRY_OR_DONE(st, be->ops.top_pairs(ctx, be->queue(ctx), p.b[0].ptr, n, n_t, k, p.b[1].ptr, p.b[2].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], index));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[2], r));
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_project_rows(nep_ctx *ctx, const float *z, int64_t n, int64_t n_t, const double *q, int64_t m, bool squares,
                                    double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    const int64_t width = squares ? 1 : m;
    nep_place p = {0};
    nep_status st;
    NEP_TRY(check_rows(ctx, be, be->ops.project_rows, "project_rows", z, n, n_t));
    NEP_REQUIRE(ctx, m >= 1 && m <= INT_MAX, NEP_E_ARG, "project_rows: %lld directions, must be 1 to %d", (long long)m, INT_MAX);
    if (n == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, q && out, NEP_E_ARG, "project_rows: an array is missing");
    if (be->host)
        return be->ops.project_rows(ctx, NULL, z, n, n_t, q, m, squares, out);
    const int64_t tile = nep_place_tile(be, n, n_t * (int64_t)sizeof *z + width * (int64_t)sizeof *out);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, q, NEP_F64, m * n_t, "directions", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * n_t, "rows", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, tile * width, "projections", &p.b[2]));
    for (int64_t i = 0; i < n; i += tile) {
        const int64_t rows = n - i < tile ? n - i : tile;
        NEP_TRY_OR_DONE(st, be->upload(ctx, p.b[1].ptr, z + i * n_t, (size_t)(rows * n_t) * sizeof *z));
        NEP_TRY_OR_DONE(st, be->ops.project_rows(ctx, be->queue(ctx), p.b[1].ptr, rows, n_t, p.b[0].ptr, m, squares, p.b[2].ptr));
        NEP_TRY_OR_DONE(st, be->download(ctx, out + i * width, p.b[2].ptr, (size_t)(rows * width) * sizeof *out));
    }
done:
    nep_place_free(&p);
    return st;
}
