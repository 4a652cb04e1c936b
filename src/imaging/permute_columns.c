/* SPDX-License-Identifier: Apache-2.0 */
/* permute_columns - residuals of the data on the nuisance at unit length, and what the model estimates from them. */
#include "imaging/permute_parts.h"

#include <math.h>

#include <nepenthe/math/tstat.h>

enum { TILE = 128 }; /* columns whose residuals stay in cache */
#define ROUNDING 1e-7 /* float32 data: a residual below this share of the column is rounding */

/* out[c] = q . column c of e; in float64, row after row. */
static void project(const double *q, const double *e, int64_t n, int64_t stride, int64_t cols, double *out)
{
    for (int64_t c = 0; c < cols; c++)
        out[c] = 0.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < cols; c++)
            out[c] += q[i] * e[i * stride + c];
}

static void take_out(const double *q, const double *by, int64_t n, int64_t stride, int64_t cols, double *e)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < cols; c++)
            e[i * stride + c] -= q[i] * by[c];
}

static void squares(const double *e, int64_t n, int64_t stride, int64_t cols, double *out)
{
    for (int64_t c = 0; c < cols; c++)
        out[c] = 0.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < cols; c++)
            out[c] += e[i * stride + c] * e[i * stride + c];
}

/* Effect, standard error and statistic of the columns from their unit residuals e and lengths. */
static void estimate(const nep_permute_basis *b, const double *e, int64_t stride, int64_t cols, const double *length, int64_t first,
                     nep_permute_result *r)
{
    double b2[TILE] = {0}, x[TILE];
    for (int64_t j = 0; j < b->r; j++) {
        project(b->tested + j * b->n, e, b->n, stride, cols, x);
        for (int64_t c = 0; c < cols; c++)
            b2[c] += x[c] * x[c];
    }
    for (int64_t c = 0; c < cols; c++) {
        const int64_t v = first + c;
        if (!r->effect) {
            r->stat[v] = nep_tstat_f(b2[c], 0.0, (double)b->r, b->df);
            continue;
        }
        const double rest = 1.0 - b2[c] > 0.0 ? 1.0 - b2[c] : 0.0;
        r->stat[v] = nep_tstat_partial(x[c], 0.0, b->df + 1.0);
        r->effect[v] = b->length * x[c] * length[c];
        r->se[v] = isnan(x[c]) ? (double)NAN : b->length * length[c] * sqrt(rest / b->df);
    }
}

/* e [n, cols] holds the data; leaves unit residuals. `before` gets sums of squares of the data, length those of the residuals' roots. */
static void make_unit(const nep_permute_basis *b, double *e, int64_t stride, int64_t cols, double *before, double *length)
{
    double by[TILE];
    squares(e, b->n, stride, cols, before);
    for (int pass = 0; pass < 2; pass++)
        for (int64_t j = 0; j < b->z; j++) {
            project(b->nuisance + j * b->n, e, b->n, stride, cols, by);
            take_out(b->nuisance + j * b->n, by, b->n, stride, cols, e);
        }
    squares(e, b->n, stride, cols, length);
    for (int64_t c = 0; c < cols; c++) {
        length[c] = sqrt(length[c]);
        by[c] = isfinite(before[c]) && length[c] > ROUNDING * sqrt(before[c]) ? 1.0 / length[c] : (double)NAN;
    }
    for (int64_t i = 0; i < b->n; i++)
        for (int64_t c = 0; c < cols; c++)
            e[i * stride + c] *= by[c];
}

nep_status nep_permute_columns_fit(nep_ctx *ctx, const nep_permute_basis *b, const nep_permute_columns *y, int64_t first,
                                   int64_t count, double *e, nep_permute_result *r)
{
    const int64_t tiles = (count + TILE - 1) / TILE;
    int64_t missing = 0, constant = 0;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx)) reduction(+ : missing, constant)
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t at = t * TILE, cols = count - at < TILE ? count - at : TILE;
        double before[TILE], length[TILE];
        for (int64_t i = 0; i < b->n; i++)
            for (int64_t c = 0; c < cols; c++)
                e[i * count + at + c] = (double)y->y[i * y->n_cols + first + at + c];
        make_unit(b, e + at, count, cols, before, length);
        if (!r)
            continue;
        estimate(b, e + at, count, cols, length, first + at, r);
        for (int64_t c = 0; c < cols; c++) {
            missing += !isfinite(before[c]);
            constant += isfinite(before[c]) && isnan(e[at + c]);
        }
    }
    if (r) {
        r->n_missing += missing;
        r->n_constant += constant;
    }
    return nep_ctx_check(ctx);
}

nep_status nep_permute_columns_pick(nep_ctx *ctx, const nep_permute_basis *b, const nep_permute_columns *y, const int64_t *column,
                                    int64_t count, double *e)
{
    const int64_t tiles = (count + TILE - 1) / TILE;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t at = t * TILE, cols = count - at < TILE ? count - at : TILE;
        double before[TILE], length[TILE];
        for (int64_t i = 0; i < b->n; i++)
            for (int64_t c = 0; c < cols; c++)
                e[i * count + at + c] = (double)y->y[i * y->n_cols + column[at + c]];
        make_unit(b, e + at, count, cols, before, length);
    }
    return nep_ctx_check(ctx);
}
