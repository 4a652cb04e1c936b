/* SPDX-License-Identifier: Apache-2.0 */
/* door_volumes - front doors of the ops on whole volumes: check once, place, run in tiles of volumes, bring back. */
#include "backend/place.h"

#include <limits.h>

static nep_status check_sides(nep_ctx *ctx, const char *op, const int64_t side[3])
{
    for (int a = 0; a < 3; a++)
        NEP_REQUIRE(ctx, side[a] >= 1 && side[a] <= INT_MAX, NEP_E_ARG, "%s: a side of %lld voxels, must be 1 to %d", op, (long long)side[a],
                    INT_MAX);
    NEP_REQUIRE(ctx, side[0] <= INT64_MAX / side[1] / side[2] / 64, NEP_E_ARG, "%s: %lld x %lld x %lld voxels are too many", op,
                (long long)side[0], (long long)side[1], (long long)side[2]);
    return NEP_OK;
}

nep_status nep_backend_resample(nep_ctx *ctx, const float *c, int64_t n_vol, const nep_spline_plan *plan, float *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.resample, NEP_E_NOTSUP, "resample: no %s version", be->name);
    NEP_TRY(nep_ctx_check(ctx));
    NEP_TRY(check_sides(ctx, "resample", plan->in));
    NEP_TRY(check_sides(ctx, "resample", plan->out));
    NEP_REQUIRE(ctx, plan->order == 0 || plan->order == 1 || plan->order == 3, NEP_E_ARG, "resample: order %d, must be 0, 1 or 3", plan->order);
    NEP_REQUIRE(ctx, n_vol >= 0 && n_vol <= INT_MAX, NEP_E_ARG, "resample: %lld volumes", (long long)n_vol);
    if (n_vol == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, c && out, NEP_E_ARG, "resample: an array is missing");
    if (be->host)
        return be->ops.resample(ctx, NULL, c, n_vol, plan, out);
    const int64_t n_in = plan->in[0] * plan->in[1] * plan->in[2], n_out = plan->out[0] * plan->out[1] * plan->out[2];
    const int64_t tile = nep_place_tile(be, n_vol, (n_in + n_out) * (int64_t)sizeof *c);
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * n_in, "volumes", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * n_out, "resampled volumes", &p.b[1]));
    for (int64_t v = 0; v < n_vol; v += tile) {
        const int64_t n = n_vol - v < tile ? n_vol - v : tile;
        NEP_TRY_OR_DONE(st, be->upload(ctx, p.b[0].ptr, c + v * n_in, (size_t)(n * n_in) * sizeof *c));
        NEP_TRY_OR_DONE(st, be->ops.resample(ctx, be->queue(ctx), p.b[0].ptr, n, plan, p.b[1].ptr));
        NEP_TRY_OR_DONE(st, be->download(ctx, out + v * n_out, p.b[1].ptr, (size_t)(n * n_out) * sizeof *out));
    }
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_smooth_axis(nep_ctx *ctx, const float *x, int64_t outer, int64_t len, int64_t inner, const double *weight,
                                   int64_t radius, float *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    const int64_t side[3] = {inner, len, outer};
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.smooth_axis, NEP_E_NOTSUP, "smooth_axis: no %s version", be->name);
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, outer >= 0, NEP_E_ARG, "smooth_axis: %lld lines", (long long)outer);
    if (outer == 0)
        return NEP_OK;
    NEP_TRY(check_sides(ctx, "smooth_axis", side));
    NEP_REQUIRE(ctx, radius >= 0 && radius <= INT_MAX, NEP_E_ARG, "smooth_axis: a radius of %lld", (long long)radius);
    NEP_REQUIRE(ctx, x && weight && out && x != out, NEP_E_ARG, "smooth_axis: an array is missing, or the result is the input");
    if (be->host)
        return be->ops.smooth_axis(ctx, NULL, x, outer, len, inner, weight, radius, out);
    const int64_t each = len * inner, tile = nep_place_tile(be, outer, 2 * each * (int64_t)sizeof *x);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, weight, NEP_F64, radius + 1, "weights", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * each, "lines", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * each, "smoothed lines", &p.b[2]));
    for (int64_t o = 0; o < outer; o += tile) {
        const int64_t n = outer - o < tile ? outer - o : tile;
        NEP_TRY_OR_DONE(st, be->upload(ctx, p.b[1].ptr, x + o * each, (size_t)(n * each) * sizeof *x));
        NEP_TRY_OR_DONE(st, be->ops.smooth_axis(ctx, be->queue(ctx), p.b[1].ptr, n, len, inner, p.b[0].ptr, radius, p.b[2].ptr));
        NEP_TRY_OR_DONE(st, be->download(ctx, out + o * each, p.b[2].ptr, (size_t)(n * each) * sizeof *out));
    }
done:
    nep_place_free(&p);
    return st;
}
