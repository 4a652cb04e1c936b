/* SPDX-License-Identifier: Apache-2.0 */
/* door_pairs - front door of the op on pairs of columns: check once, place, run in tiles of time, bring back. */
#include "backend/place.h"

#include <limits.h>

static nep_status check_pairs(nep_ctx *ctx, int64_t n_t, int64_t n_a, int64_t n_b, const int32_t *at)
{
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, n_t >= 0 && n_t <= INT_MAX, NEP_E_ARG, "paired_dots: %lld time points, must be 0 to %d", (long long)n_t, INT_MAX);
    NEP_REQUIRE(ctx, n_a >= 0 && n_a <= INT_MAX && n_b >= 0 && n_b <= INT_MAX && (at || n_a == n_b), NEP_E_ARG,
                "paired_dots: %lld columns against %lld", (long long)n_a, (long long)n_b);
    for (int64_t c = 0; at && c < n_a; c++)
        NEP_REQUIRE(ctx, at[c] >= -1 && at[c] < n_b, NEP_E_ARG, "paired_dots: column %lld of %lld", (long long)at[c], (long long)n_b);
    return NEP_OK;
}

nep_status nep_backend_paired_dots(nep_ctx *ctx, const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b, const int32_t *at,
                                   double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.paired_dots, NEP_E_NOTSUP, "paired_dots: no %s version", be->name);
    NEP_TRY(check_pairs(ctx, n_t, n_a, n_b, at));
    if (n_t == 0 || n_a == 0 || n_b == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, a && b && out, NEP_E_ARG, "paired_dots: an array is missing");
    if (be->host)
        return be->ops.paired_dots(ctx, NULL, a, n_t, n_a, b, n_b, at, out);
    const int64_t tile = nep_place_tile(be, n_t, (n_a > n_b ? n_a : n_b) * (int64_t)sizeof *a);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, out, NEP_F64, n_a, "products of pairs", &p.b[0]));
    if (at)
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, at, NEP_I32, n_a, "pairs", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * n_a, "columns", &p.b[2]));
    if (a != b)
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, tile * n_b, "other columns", &p.b[3]));
    for (int64_t t = 0; t < n_t; t += tile) {
        const int64_t n = n_t - t < tile ? n_t - t : tile;
        NEP_TRY_OR_DONE(st, be->upload(ctx, p.b[2].ptr, a + t * n_a, (size_t)(n * n_a) * sizeof *a));
        if (a != b)
            NEP_TRY_OR_DONE(st, be->upload(ctx, p.b[3].ptr, b + t * n_b, (size_t)(n * n_b) * sizeof *b));
        NEP_TRY_OR_DONE(st, be->ops.paired_dots(ctx, be->queue(ctx), p.b[2].ptr, n, n_a, a == b ? p.b[2].ptr : p.b[3].ptr, n_b, p.b[1].ptr,
                                                p.b[0].ptr));
    }
    st = nep_buf_get(ctx, &p.b[0], out);
done:
    nep_place_free(&p);
    return st;
}
