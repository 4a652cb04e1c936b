/* SPDX-License-Identifier: Apache-2.0 */
/* door_ranks - front doors of the ops on ranks over time: check once, place, run in tiles of columns, bring back. */
#include "backend/place.h"

#include <limits.h>

static nep_status check_length(nep_ctx *ctx, const char *op, int64_t n_t, int64_t n_cols)
{
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, n_t >= 1 && n_t <= NEP_RANK_MOST, NEP_E_ARG, "%s: %lld time points, must be 1 to %d", op, (long long)n_t,
                (int)NEP_RANK_MOST);
    NEP_REQUIRE(ctx, n_cols >= 0 && n_cols <= INT_MAX, NEP_E_ARG, "%s: %lld columns, must be 0 to %d", op, (long long)n_cols, INT_MAX);
    return NEP_OK;
}

nep_status nep_backend_time_ranks(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, nep_rank_rule rule, int16_t *rank,
                                  int64_t *tie)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st = NEP_OK;
    NEP_REQUIRE(ctx, be->ops.time_ranks, NEP_E_NOTSUP, "time_ranks: no %s version", be->name);
    NEP_TRY(check_length(ctx, "time_ranks", n_t, n_cols));
    if (n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, x && rank && tie, NEP_E_ARG, "time_ranks: an array is missing");
    if (be->host)
        return be->ops.time_ranks(ctx, NULL, x, n_t, n_cols, rule, rank, tie);
    const int64_t tile = nep_place_tile(be, n_cols, n_t * (int64_t)sizeof *x);
    for (int64_t c = 0; c < n_cols; c += tile, nep_place_free(&p)) {
        const int64_t n = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, nep_place_columns(ctx, x, NEP_F32, n_t, n_cols, c, n, "columns", &p.b[0]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I16, n * n_t, "ranks", &p.b[1]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I64, n, "ties", &p.b[2]));
        NEP_TRY_OR_DONE(st, be->ops.time_ranks(ctx, be->queue(ctx), p.b[0].ptr, n_t, n, rule, p.b[1].ptr, p.b[2].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[1], rank + c * n_t));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[2], tie + c));
    }
done:
    nep_place_free(&p);
    return st;
}

enum { MOST_NEAR = 256 }; /* sums of squares fit int64 for the longest series */

nep_status nep_backend_neighbour_ranks(nep_ctx *ctx, const int16_t *rank, int64_t n_t, int64_t n_cols, const int32_t *neighbour,
                                       int64_t n_near, int64_t *sum, int64_t *squares)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.neighbour_ranks, NEP_E_NOTSUP, "neighbour_ranks: no %s version", be->name);
    NEP_TRY(check_length(ctx, "neighbour_ranks", n_t, n_cols));
    NEP_REQUIRE(ctx, n_near >= 1 && n_near <= MOST_NEAR, NEP_E_ARG, "neighbour_ranks: %lld neighbours, must be 1 to %d", (long long)n_near,
                MOST_NEAR);
    if (n_cols == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, rank && neighbour && sum && squares, NEP_E_ARG, "neighbour_ranks: an array is missing");
    for (int64_t i = 0; i < n_cols * n_near; i++)
        NEP_REQUIRE(ctx, neighbour[i] >= -1 && neighbour[i] < n_cols, NEP_E_ARG, "neighbour_ranks: neighbour %lld of %lld columns",
                    (long long)neighbour[i], (long long)n_cols);
    if (be->host)
        return be->ops.neighbour_ranks(ctx, NULL, rank, n_t, neighbour, n_near, n_cols, sum, squares);
    const int64_t tile = nep_place_tile(be, n_cols, n_near * (int64_t)sizeof *neighbour);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, rank, NEP_I16, n_cols * n_t, "ranks", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, tile * n_near, "neighbours", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I64, tile, "sums of ranks", &p.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I64, tile, "sums of squares", &p.b[3]));
    for (int64_t c = 0; c < n_cols; c += tile) {
        const int64_t n = n_cols - c < tile ? n_cols - c : tile;
        NEP_TRY_OR_DONE(st, be->upload(ctx, p.b[1].ptr, neighbour + c * n_near, (size_t)(n * n_near) * sizeof *neighbour));
        NEP_TRY_OR_DONE(st, be->ops.neighbour_ranks(ctx, be->queue(ctx), p.b[0].ptr, n_t, p.b[1].ptr, n_near, n, p.b[2].ptr,
                                                    p.b[3].ptr));
        NEP_TRY_OR_DONE(st, be->download(ctx, sum + c, p.b[2].ptr, (size_t)n * sizeof *sum));
        NEP_TRY_OR_DONE(st, be->download(ctx, squares + c, p.b[3].ptr, (size_t)n * sizeof *squares));
    }
done:
    nep_place_free(&p);
    return st;
}
