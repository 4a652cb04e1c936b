/* SPDX-License-Identifier: Apache-2.0 */
/* door_series - front doors of the ops on time x columns arrays: check once, place, run in tiles, bring back. */
#include "backend/place.h"

#include <limits.h>

static nep_status begin(nep_ctx *ctx, const nep_backend *be, bool has_op, const char *op)
{
    NEP_REQUIRE(ctx, has_op, NEP_E_NOTSUP, "%s: no %s version", op, be->name);
    return nep_ctx_check(ctx);
}

static nep_status check_series(nep_ctx *ctx, const char *op, const void *x, int64_t n_t, int64_t n_cols)
{
    NEP_REQUIRE(ctx, n_t >= 1 && n_t <= INT_MAX, NEP_E_ARG, "%s: %lld time points, must be 1 to %d", op,
                (long long)n_t, INT_MAX);
    NEP_REQUIRE(ctx, n_cols >= 0 && n_cols <= INT_MAX, NEP_E_ARG, "%s: %lld columns, must be 0 to %d", op,
                (long long)n_cols, INT_MAX);
    NEP_REQUIRE(ctx, x || n_cols == 0, NEP_E_ARG, "%s: no data given", op);
    return NEP_OK;
}

static nep_status check_lists(nep_ctx *ctx, const char *op, int64_t n_vol, int64_t n_vox, const int64_t *start, const int32_t *voxel,
                              int64_t n_lists)
{
    NEP_REQUIRE(ctx, n_vol >= 0 && n_vox >= 0 && n_vox <= INT_MAX && n_lists >= 0, NEP_E_ARG,
                "%s: %lld volumes of %lld voxels in %lld regions cannot be", op, (long long)n_vol, (long long)n_vox,
                (long long)n_lists);
    NEP_REQUIRE(ctx, start && start[0] == 0, NEP_E_ARG, "%s: the first region must start at 0", op);
    for (int64_t r = 0; r < n_lists; r++)
        NEP_REQUIRE(ctx, start[r + 1] >= start[r], NEP_E_ARG, "%s: region %lld ends before it starts", op, (long long)r);
    NEP_REQUIRE(ctx, voxel || start[n_lists] == 0, NEP_E_ARG, "%s: no voxels given", op);
    for (int64_t i = 0; i < start[n_lists]; i++)
        NEP_REQUIRE(ctx, voxel[i] >= 0 && voxel[i] < n_vox, NEP_E_ARG, "%s: voxel %lld lies outside a volume of %lld", op,
                    (long long)voxel[i], (long long)n_vox);
    return NEP_OK;
}

/* parcel_sums, or weighted_sums where there are weights, on a device: lists once, volumes in tiles. */
static nep_status sums_on_device(nep_ctx *ctx, const nep_backend *be, const float *x, int64_t n_vol, int64_t n_vox, const int64_t *start,
                                 const int32_t *voxel, const float *weight, int64_t n_lists, double *sum, int64_t *count)
{
    const int64_t tile = nep_place_tile(be, n_vol, n_vox * (int64_t)sizeof *x);
    nep_place p = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, start, NEP_I64, n_lists + 1, "region starts", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, voxel, NEP_I32, start[n_lists], "region voxels", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, tile * n_lists, "region sums", &p.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I64, tile * n_lists, "region counts", &p.b[3]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * n_vox, "volumes", &p.b[4]));
    if (weight)
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, weight, NEP_F32, start[n_lists], "region weights", &p.b[5]));
    for (int64_t v = 0; v < n_vol; v += tile) {
        const int64_t n = n_vol - v < tile ? n_vol - v : tile;
        const size_t cells = (size_t)(n * n_lists);
        NEP_TRY_OR_DONE(st, be->upload(ctx, p.b[4].ptr, x + v * n_vox, (size_t)(n * n_vox) * sizeof *x));
        NEP_TRY_OR_DONE(st, weight ? be->ops.weighted_sums(ctx, be->queue(ctx), p.b[4].ptr, n, n_vox, p.b[0].ptr, p.b[1].ptr, p.b[5].ptr,
                                                           n_lists, p.b[2].ptr, p.b[3].ptr)
                                   : be->ops.parcel_sums(ctx, be->queue(ctx), p.b[4].ptr, n, n_vox, p.b[0].ptr, p.b[1].ptr, n_lists,
                                                         p.b[2].ptr, p.b[3].ptr));
        NEP_TRY_OR_DONE(st, be->download(ctx, sum + v * n_lists, p.b[2].ptr, cells * sizeof *sum));
        NEP_TRY_OR_DONE(st, be->download(ctx, count + v * n_lists, p.b[3].ptr, cells * sizeof *count));
    }
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_parcel_sums(nep_ctx *ctx, const float *x, int64_t n_vol, int64_t n_vox, const int64_t *start,
                                   const int32_t *voxel, int64_t n_regions, double *sum, int64_t *count)
{
    const nep_backend *be = nep_place_backend(ctx);
    NEP_TRY(begin(ctx, be, be->ops.parcel_sums, "parcel_sums"));
    NEP_TRY(check_lists(ctx, "parcel_sums", n_vol, n_vox, start, voxel, n_regions));
    if (n_vol == 0 || n_regions == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, (x || n_vox == 0) && sum && count, NEP_E_ARG, "parcel_sums: an array is missing");
    if (be->host)
        return be->ops.parcel_sums(ctx, NULL, x, n_vol, n_vox, start, voxel, n_regions, sum, count);
    return sums_on_device(ctx, be, x, n_vol, n_vox, start, voxel, NULL, n_regions, sum, count);
}

nep_status nep_backend_weighted_sums(nep_ctx *ctx, const float *x, int64_t n_vol, int64_t n_vox, const int64_t *start, const int32_t *voxel,
                                     const float *weight, int64_t n_lists, double *sum, int64_t *count)
{
    const nep_backend *be = nep_place_backend(ctx);
    NEP_TRY(begin(ctx, be, be->ops.weighted_sums, "weighted_sums"));
    NEP_TRY(check_lists(ctx, "weighted_sums", n_vol, n_vox, start, voxel, n_lists));
    if (n_vol == 0 || n_lists == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, (x || n_vox == 0) && (weight || start[n_lists] == 0) && sum && count, NEP_E_ARG, "weighted_sums: an array is missing");
    if (be->host)
        return be->ops.weighted_sums(ctx, NULL, x, n_vol, n_vox, start, voxel, weight, n_lists, sum, count);
    return sums_on_device(ctx, be, x, n_vol, n_vox, start, voxel, weight ? weight : (const float[1]){0}, n_lists, sum, count);
}

nep_status nep_backend_moments(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, double *mean, double *m2)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_status st = NEP_OK;
    nep_place p = {0};
    NEP_TRY(begin(ctx, be, be->ops.moments, "moments"));
    NEP_TRY(check_series(ctx, "moments", x, n_t, n_cols));
    if (n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, mean && m2, NEP_E_ARG, "moments: no place for the result");
    if (be->host)
        return be->ops.moments(ctx, NULL, x, n_t, n_cols, mean, m2);
    const int64_t tile = nep_place_tile(be, n_cols, n_t * (int64_t)sizeof *x);
    for (int64_t c = 0; c < n_cols; c += tile, nep_place_free(&p)) {
        const int64_t n = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, nep_place_columns(ctx, x, NEP_F32, n_t, n_cols, c, n, "columns", &p.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n, "means", &p.b[1]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n, "sums of squares", &p.b[2]));
        NEP_TRY_OR_DONE(st, be->ops.moments(ctx, be->queue(ctx), p.b[0].ptr, n_t, n, p.b[1].ptr, p.b[2].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], mean + c));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[2], m2 + c));
    }
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_apply_operator(nep_ctx *ctx, const double *m, int64_t n_r, int64_t n_t, const float *x,
                                      int64_t n_cols, const double *mean, float *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_buf op = {0};
    nep_place p = {0};
    nep_status st;
    NEP_TRY(begin(ctx, be, be->ops.apply_operator, "apply_operator"));
    NEP_TRY(check_series(ctx, "apply_operator", x, n_t, n_cols));
    NEP_REQUIRE(ctx, n_r >= 0 && n_r <= INT_MAX, NEP_E_ARG, "apply_operator: %lld rows, must be 0 to %d",
                (long long)n_r, INT_MAX);
    if (n_cols == 0 || n_r == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, m && out, NEP_E_ARG, "apply_operator: an array is missing");
    if (be->host)
        return be->ops.apply_operator(ctx, NULL, m, n_r, n_t, x, n_cols, mean, out);
    const int64_t tile = nep_place_tile(be, n_cols, (n_t > n_r ? n_t : n_r) * (int64_t)sizeof *m);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, m, NEP_F64, n_r * n_t, "operator", &op));
    for (int64_t c = 0; c < n_cols; c += tile, nep_place_free(&p)) {
        const int64_t n = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, nep_place_columns(ctx, x, NEP_F32, n_t, n_cols, c, n, "columns", &p.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, n_r * n, "cleaned columns", &p.b[1]));
        if (mean)
            NEP_TRY_OR_DONE(st, nep_buf_put(ctx, mean + c, NEP_F64, n, "means", &p.b[2]));
        NEP_TRY_OR_DONE(st, be->ops.apply_operator(ctx, be->queue(ctx), op.ptr, n_r, n_t, p.b[0].ptr, n, p.b[2].ptr,
                                                   p.b[1].ptr));
        NEP_TRY_OR_DONE(st, nep_place_columns_back(ctx, &p.b[1], n_r, n_cols, c, n, out));
    }
done:
    nep_place_free(&p);
    nep_buf_free(&op);
    return st;
}

nep_status nep_backend_amplitude_sums(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, int64_t first,
                                      int64_t last, double *band, double *all)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st = NEP_OK;
    NEP_TRY(begin(ctx, be, be->ops.amplitude_sums, "amplitude_sums"));
    NEP_TRY(check_series(ctx, "amplitude_sums", x, n_t, n_cols));
    NEP_REQUIRE(ctx, first >= 0 && first <= last && last <= n_t / 2, NEP_E_ARG,
                "amplitude_sums: bins %lld to %lld of %lld time points; the band holds no bin or passes bin %lld",
                (long long)first, (long long)last, (long long)n_t, (long long)(n_t / 2));
    if (n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, band, NEP_E_ARG, "amplitude_sums: no place for the result");
    if (be->host)
        return be->ops.amplitude_sums(ctx, NULL, x, n_t, n_cols, first, last, band, all);
    const int64_t tile = nep_place_tile(be, n_cols, n_t * (int64_t)sizeof *band);
    for (int64_t c = 0; c < n_cols; c += tile, nep_place_free(&p)) {
        const int64_t n = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, nep_place_columns(ctx, x, NEP_F32, n_t, n_cols, c, n, "columns", &p.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n, "band sums", &p.b[1]));
        if (all)
            NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n, "spectrum sums", &p.b[2]));
        NEP_TRY_OR_DONE(st, be->ops.amplitude_sums(ctx, be->queue(ctx), p.b[0].ptr, n_t, n, first, last, p.b[1].ptr,
                                                   p.b[2].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], band + c));
        if (all)
            NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[2], all + c));
    }
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_gram(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, const double *mean,
                            const double *scale, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_TRY(begin(ctx, be, be->ops.gram, "gram"));
    NEP_TRY(check_series(ctx, "gram", x, n_t, n_cols));
    if (n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, mean && scale && out, NEP_E_ARG, "gram: an array is missing");
    if (be->host)
        return be->ops.gram(ctx, NULL, x, n_t, n_cols, mean, scale, out);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, x, NEP_F32, n_t * n_cols, "columns", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, mean, NEP_F64, n_cols, "means", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, scale, NEP_F64, n_cols, "scales", &p.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n_cols * n_cols, "products of columns", &p.b[3]));
    NEP_TRY_OR_DONE(st, be->ops.gram(ctx, be->queue(ctx), p.b[0].ptr, n_t, n_cols, p.b[1].ptr, p.b[2].ptr,
                                     p.b[3].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[3], out));
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_difference_squares(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols,
                                          const double *weight, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st = NEP_OK;
    NEP_TRY(begin(ctx, be, be->ops.difference_squares, "difference_squares"));
    NEP_TRY(check_series(ctx, "difference_squares", x, n_t, n_cols));
    NEP_REQUIRE(ctx, out, NEP_E_ARG, "difference_squares: no place for the result");
    if (be->host)
        return be->ops.difference_squares(ctx, NULL, x, n_t, n_cols, weight, out);
    /* tiles of time overlap by one row: the first difference of a tile belongs to the row before it */
    const int64_t tile = nep_place_tile(be, n_t, n_cols * (int64_t)sizeof *x);
    if (weight)
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, weight, NEP_F64, n_cols, "weights", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * n_cols, "time points", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, tile, "sums of squares", &p.b[2]));
    out[0] = 0.0;
    for (int64_t t = 0; t == 0 || t + 1 < n_t; t += tile - 1) {
        const int64_t n = n_t - t < tile ? n_t - t : tile;
        NEP_TRY_OR_DONE(st, be->upload(ctx, p.b[1].ptr, x + t * n_cols, (size_t)(n * n_cols) * sizeof *x));
        NEP_TRY_OR_DONE(st, be->ops.difference_squares(ctx, be->queue(ctx), p.b[1].ptr, n, n_cols, p.b[0].ptr,
                                                       p.b[2].ptr));
        if (n > 1)
            NEP_TRY_OR_DONE(st, be->download(ctx, out + t + 1, (const double *)p.b[2].ptr + 1,
                                             (size_t)(n - 1) * sizeof *out));
        if (tile == 1)
            break;
    }
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_best_pair(nep_ctx *ctx, const double *pair, int64_t n_pairs, int64_t n_t, const float *x,
                                 int64_t n_cols, int32_t *best)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_buf pairs = {0};
    nep_place p = {0};
    nep_status st;
    NEP_TRY(begin(ctx, be, be->ops.best_pair, "best_pair"));
    NEP_TRY(check_series(ctx, "best_pair", x, n_t, n_cols));
    NEP_REQUIRE(ctx, n_pairs >= 1 && n_pairs <= INT_MAX, NEP_E_ARG, "best_pair: %lld pairs, must be 1 to %d",
                (long long)n_pairs, INT_MAX);
    if (n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, pair && best, NEP_E_ARG, "best_pair: an array is missing");
    if (be->host)
        return be->ops.best_pair(ctx, NULL, pair, n_pairs, n_t, x, n_cols, best);
    const int64_t tile = nep_place_tile(be, n_cols, n_t * (int64_t)sizeof *x);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, pair, NEP_F64, n_pairs * 2 * n_t, "pairs", &pairs));
    for (int64_t c = 0; c < n_cols; c += tile, nep_place_free(&p)) {
        const int64_t n = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, nep_place_columns(ctx, x, NEP_F32, n_t, n_cols, c, n, "columns", &p.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, n, "best pairs", &p.b[1]));
        NEP_TRY_OR_DONE(st, be->ops.best_pair(ctx, be->queue(ctx), pairs.ptr, n_pairs, n_t, p.b[0].ptr, n, p.b[1].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], best + c));
    }
done:
    nep_place_free(&p);
    nep_buf_free(&pairs);
    return st;
}

nep_status nep_backend_lag_products(nep_ctx *ctx, const double *q, int64_t n_q, int64_t n_t, const float *x, int64_t n_cols,
                                    double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_buf rows = {0};
    nep_place p = {0};
    nep_status st;
    NEP_TRY(begin(ctx, be, be->ops.lag_products, "lag_products"));
    NEP_TRY(check_series(ctx, "lag_products", x, n_t, n_cols));
    NEP_REQUIRE(ctx, n_q >= 1 && n_q <= INT_MAX, NEP_E_ARG, "lag_products: %lld rows, must be 1 to %d", (long long)n_q, INT_MAX);
    if (n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, q && out, NEP_E_ARG, "lag_products: an array is missing");
    if (be->host)
        return be->ops.lag_products(ctx, NULL, q, n_q, n_t, x, n_cols, out);
    const int64_t tile = nep_place_tile(be, n_cols, (n_t > n_q + 2 ? n_t : n_q + 2) * (int64_t)sizeof *q);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, q, NEP_F64, n_q * n_t, "rows", &rows));
    for (int64_t c = 0; c < n_cols; c += tile, nep_place_free(&p)) {
        const int64_t n = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, nep_place_columns(ctx, x, NEP_F32, n_t, n_cols, c, n, "columns", &p.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, (n_q + 2) * n, "products", &p.b[1]));
        NEP_TRY_OR_DONE(st, be->ops.lag_products(ctx, be->queue(ctx), rows.ptr, n_q, n_t, p.b[0].ptr, n, p.b[1].ptr));
        NEP_TRY_OR_DONE(st, nep_place_columns_back(ctx, &p.b[1], n_q + 2, n_cols, c, n, out));
    }
done:
    nep_place_free(&p);
    nep_buf_free(&rows);
    return st;
}
