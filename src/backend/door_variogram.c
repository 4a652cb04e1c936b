/* SPDX-License-Identifier: Apache-2.0 */
/* door_variogram - front doors of the ops of variogram-matched surrogates: check once, place, run in tiles, bring back. */
#include "backend/place.h"

#include <limits.h>

#include <nepenthe/math/variogram.h>

static nep_status check_pairs(nep_ctx *ctx, int64_t n_maps, int64_t n, int64_t n_cols, const int32_t *a, const int32_t *b,
                              const int64_t *start, int64_t n_bins, int64_t n_moments)
{
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, n_maps >= 0 && n >= 0 && n <= INT_MAX && n_cols >= 0, NEP_E_ARG, "pair_squares: %lld maps of %lld points x %lld columns",
                (long long)n_maps, (long long)n, (long long)n_cols);
    NEP_REQUIRE(ctx, n_moments >= 1 && n_moments <= NEP_VARIOGRAM_MOMENTS, NEP_E_ARG, "pair_squares: %lld moments, must be 1 to %d",
                (long long)n_moments, NEP_VARIOGRAM_MOMENTS);
    NEP_REQUIRE(ctx, n_bins >= 0 && (n_bins == 0 || (start && start[0] == 0)), NEP_E_ARG, "pair_squares: %lld bins", (long long)n_bins);
    for (int64_t s = 0; s < n_bins; s++)
        NEP_REQUIRE(ctx, start[s + 1] >= start[s], NEP_E_ARG, "pair_squares: bin %lld ends before it begins", (long long)s);
    for (int64_t i = 0; n_bins > 0 && i < start[n_bins]; i++)
        NEP_REQUIRE(ctx, a && b && a[i] >= 0 && a[i] < n && b[i] >= 0 && b[i] < n, NEP_E_ARG,
                    "pair_squares: pair %lld is not of points 0 to %lld", (long long)i, (long long)n - 1);
    return NEP_OK;
}

nep_status nep_backend_pair_squares(nep_ctx *ctx, const float *x, int64_t n_maps, int64_t n, int64_t n_cols, const int32_t *a,
                                    const int32_t *b, const double *offset, const int64_t *start, int64_t n_bins, int64_t n_moments,
                                    double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.pair_squares, NEP_E_NOTSUP, "pair_squares: no %s version", be->name);
    NEP_TRY(check_pairs(ctx, n_maps, n, n_cols, a, b, start, n_bins, n_moments));
    if (n_maps == 0 || n_cols == 0 || n_bins == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, x && offset && out, NEP_E_ARG, "pair_squares: an array is missing");
    if (be->host)
        return be->ops.pair_squares(ctx, NULL, x, n_maps, n, n_cols, a, b, offset, start, n_bins, n_moments, out);
    const int64_t rows = n_maps * n_bins * n_moments, column = rows * (int64_t)sizeof *out + n_maps * n * (int64_t)sizeof *x;
    const int64_t tile = nep_place_tile(be, n_cols, column), n_pairs = start[n_bins];
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, a, NEP_I32, n_pairs, "pairs", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, b, NEP_I32, n_pairs, "pairs", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, offset, NEP_F64, n_pairs, "pairs", &p.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, start, NEP_I64, n_bins + 1, "bins of pairs", &p.b[3]));
    for (int64_t c = 0; c < n_cols; c += tile) {
        const int64_t m = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, nep_place_columns(ctx, x, NEP_F32, n_maps * n, n_cols, c, m, "maps", &p.b[4]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, rows * m, "squares of pairs", &p.b[5]));
        NEP_TRY_OR_DONE(st, be->ops.pair_squares(ctx, be->queue(ctx), p.b[4].ptr, n_maps, n, m, p.b[0].ptr, p.b[1].ptr, p.b[2].ptr,
                                                 p.b[3].ptr, n_bins, n_moments, p.b[5].ptr));
        NEP_TRY_OR_DONE(st, nep_place_columns_back(ctx, &p.b[5], rows, n_cols, c, m, out));
        nep_buf_free(&p.b[4]);
        nep_buf_free(&p.b[5]);
    }
done:
    nep_place_free(&p);
    return st;
}
