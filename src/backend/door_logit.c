/* SPDX-License-Identifier: Apache-2.0 */
/* door_logit - front door of the sums that a logistic regression of grouped rows needs, by tiles of draws. */
#include "backend/place.h"

#include <limits.h>

#include <nepenthe/math/logit.h>

static nep_status check_rows(nep_ctx *ctx, const int32_t *unit, const int64_t *start, int64_t n_groups, int64_t n_units)
{
    NEP_REQUIRE(ctx, start[0] == 0, NEP_E_ARG, "logit_sums: the first group starts at row %lld", (long long)start[0]);
    for (int64_t j = 0; j < n_groups; j++)
        NEP_REQUIRE(ctx, start[j + 1] >= start[j], NEP_E_ARG, "logit_sums: group %lld ends before it begins", (long long)j);
    for (int64_t i = 0; i < start[n_groups]; i++)
        NEP_REQUIRE(ctx, unit[i] >= 0 && unit[i] < n_units, NEP_E_ARG, "logit_sums: row %lld is of unit %d, must be 0 to %lld", (long long)i,
                    unit[i], (long long)n_units - 1);
    return NEP_OK;
}

nep_status nep_backend_logit_sums(nep_ctx *ctx, const double *f, const double *y, const double *w, const int32_t *unit, const int64_t *start,
                                  int64_t n_groups, int64_t width, const int32_t *times, int64_t n_units, const int32_t *wanted,
                                  const double *at, int64_t n_draws, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.logit_sums, NEP_E_NOTSUP, "logit_sums: no %s version", be->name);
    NEP_REQUIRE(ctx, n_groups >= 0 && n_draws >= 0 && n_units >= 1 && n_units <= INT_MAX, NEP_E_ARG, "logit_sums: %lld draws of %lld groups, %lld units",
                (long long)n_draws, (long long)n_groups, (long long)n_units);
    NEP_REQUIRE(ctx, width >= 1 && width <= NEP_LOGIT_WIDTH, NEP_E_ARG, "logit_sums: rows of %lld numbers, must be 1 to %d", (long long)width,
                NEP_LOGIT_WIDTH);
    if (n_groups == 0 || n_draws == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, f && y && w && unit && start && times && wanted && at && out, NEP_E_ARG, "logit_sums: an array is missing");
    NEP_TRY(check_rows(ctx, unit, start, n_groups, n_units));
    if (be->host)
        return be->ops.logit_sums(ctx, NULL, f, y, w, unit, start, n_groups, width, times, n_units, wanted, at, n_draws, out);
    const int64_t n = start[n_groups], size = nep_logit_size(width);
    const int64_t tile = nep_place_tile(be, n_draws, n_groups * (size + width) * (int64_t)sizeof *out + n_units * (int64_t)sizeof *times);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, f, NEP_F64, n * width, "rows", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, y, NEP_F64, n, "outcomes", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, w, NEP_F64, n, "weights", &p.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, unit, NEP_I32, n, "units of rows", &p.b[3]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, start, NEP_I64, n_groups + 1, "groups of rows", &p.b[4]));
    for (int64_t d = 0; d < n_draws; d += tile) {
        const int64_t m = n_draws - d < tile ? n_draws - d : tile, pairs = m * n_groups;
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, times + d * n_units, NEP_I32, m * n_units, "draws", &p.b[5]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, wanted + d * n_groups, NEP_I32, pairs, "groups of draws", &p.b[6]));
        NEP_TRY_OR_DONE(st, nep_buf_put(ctx, at + d * n_groups * width, NEP_F64, pairs * width, "coefficients", &p.b[7]));
        NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, pairs * size, "sums of groups", &p.b[8]));
        NEP_TRY_OR_DONE(st, be->ops.logit_sums(ctx, be->queue(ctx), p.b[0].ptr, p.b[1].ptr, p.b[2].ptr, p.b[3].ptr, p.b[4].ptr, n_groups, width,
                                               p.b[5].ptr, n_units, p.b[6].ptr, p.b[7].ptr, m, p.b[8].ptr));
        NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[8], out + d * n_groups * size));
        for (int i = 5; i < 9; i++)
            nep_buf_free(&p.b[i]);
    }
done:
    nep_place_free(&p);
    return st;
}
