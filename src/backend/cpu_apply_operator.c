/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_apply_operator - CPU twin of kernels/apply_operator.cu: tiles of columns times the operator, mostly in float32.
 *
 * With c the mean of a column over the time points the operator uses, t' the largest coefficient of row r and s_r its sum,
 *   sum_t m_rt (x_t - mean) = sum_{t != t'} m_rt (x_t - c) + m_rt' (x_t' - c) + s_r (c - mean).
 * The first sum is a float32 GEMM over blocks of at most 8 time points (BLAS adds a block up its own way, some
 * families no better than one by one), the rest float64. What that rounds stays under
 * 1e-6 of a column's SD (test_ops.c) whatever its level, at twice the speed of float64; time points whose coefficients
 * are all zero (censored ones) have no say. */
#include "backend/cpu.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>

#include <nepenthe/math/lanes.h>

enum { TIME_BLOCK = 8 };

typedef struct {
    const double *m;
    int64_t n_r, n_t, n_cols;
    const float *x;
    const double *mean; /* or NULL */
    float *out;
    float *rest;      /* m without the largest coefficient of each row */
    int64_t *largest; /* [n_r] where that one is */
    double *sum;      /* [n_r] row sums, exactly 0 where the row kills constants */
    int64_t *used;    /* time points with a coefficient other than zero */
    int64_t n_used;
} problem;

static void split_operator(problem *p)
{
    for (int64_t r = 0; r < p->n_r; r++) {
        const double *row = p->m + r * p->n_t;
        double size = 0.0;
        for (int64_t t = 0; t < p->n_t; t++) {
            p->sum[r] += row[t];
            size += fabs(row[t]);
            if (fabs(row[t]) > fabs(row[p->largest[r]]))
                p->largest[r] = t;
            p->rest[r * p->n_t + t] = (float)row[t];
        }
        p->rest[r * p->n_t + p->largest[r]] = 0.0f;
        if (fabs(p->sum[r]) <= 1e-15 * (double)p->n_t * size)
            p->sum[r] = 0.0;
    }
    for (int64_t t = 0; t < p->n_t; t++) {
        bool any = false;
        for (int64_t r = 0; r < p->n_r && !any; r++)
            any = p->m[r * p->n_t + t] != 0.0;
        if (any)
            p->used[p->n_used++] = t;
    }
}

/* Centres of columns c0 .. c0 + n, and the columns less their centre. */
NEP_CPU_BODY void centre_body(const problem *p, int64_t c0, int64_t n, double *centre, float *tile)
{
    for (int64_t c = 0; c < n; c++)
        centre[c] = 0.0;
    for (int64_t i = 0; i < p->n_used; i++) {
        const float *x = p->x + p->used[i] * p->n_cols + c0;
        for (int64_t c = 0; c < n; c++)
            centre[c] += (double)x[c];
    }
    for (int64_t c = 0; c < n; c++)
        centre[c] /= (double)(p->n_used ? p->n_used : 1);
    for (int64_t t = 0; t < p->n_t; t++) {
        const float *x = p->x + t * p->n_cols + c0;
        for (int64_t c = 0; c < n; c++)
            tile[t * n + c] = (float)((double)x[c] - centre[c]);
    }
}

/* Adds the largest coefficient's share and what is left of the level. */
NEP_CPU_BODY void finish_body(const problem *p, int64_t c0, int64_t n, const double *centre, const float *product)
{
    for (int64_t r = 0; r < p->n_r; r++) {
        const float *x = p->x + p->largest[r] * p->n_cols + c0;
        const double big = p->m[r * p->n_t + p->largest[r]], s = p->sum[r];
        float *out = p->out + r * p->n_cols + c0;
        for (int64_t c = 0; c < n; c++) {
            double v = (double)product[r * n + c] + big * ((double)x[c] - centre[c]);
            if (s != 0.0)
                v += s * (p->mean ? centre[c] - p->mean[c0 + c] : centre[c]);
            out[c] = nep_lanes_finite((float)v) ? (float)v : NAN;
        }
    }
}

static void centre_any(const problem *p, int64_t c0, int64_t n, double *centre, float *tile)
{
    centre_body(p, c0, n, centre, tile);
}

NEP_CPU_AVX512_CODE static void centre_avx512(const problem *p, int64_t c0, int64_t n, double *centre, float *tile)
{
    centre_body(p, c0, n, centre, tile);
}

static void finish_any(const problem *p, int64_t c0, int64_t n, const double *centre, const float *product)
{
    finish_body(p, c0, n, centre, product);
}

NEP_CPU_AVX512_CODE static void finish_avx512(const problem *p, int64_t c0, int64_t n, const double *centre,
                                              const float *product)
{
    finish_body(p, c0, n, centre, product);
}

static void one_tile(const problem *p, int64_t c0, int64_t n, float *tile)
{
    const bool wide = nep_cpu_family_get() >= NEP_CPU_AVX512;
    const int64_t blocks = nep_cpu_tiles(p->n_t, TIME_BLOCK), block = nep_cpu_tiles(p->n_t, blocks);
    float *product = tile + p->n_t * NEP_CPU_TILE;
    double centre[NEP_CPU_TILE];
    (wide ? centre_avx512 : centre_any)(p, c0, n, centre, tile);
    for (int64_t t = 0; t < p->n_t; t += block)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)p->n_r, (blasint)n,
                    (blasint)nep_cpu_min(block, p->n_t - t), 1.0f, p->rest + t, (blasint)p->n_t, tile + t * n,
                    (blasint)n, t == 0 ? 0.0f : 1.0f, product, (blasint)n);
    (wide ? finish_avx512 : finish_any)(p, c0, n, centre, product);
}

nep_status nep_cpu_apply_operator(nep_ctx *ctx, nep_queue *queue, const double *m, int64_t n_r, int64_t n_t,
                                  const float *x, int64_t n_cols, const double *mean, float *out)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const int64_t per_thread = (n_t + n_r) * NEP_CPU_TILE, tiles = nep_cpu_tiles(n_cols, NEP_CPU_TILE);
    problem p = {.m = m, .n_r = n_r, .n_t = n_t, .n_cols = n_cols, .x = x, .mean = mean, .out = out};
    float *scratch = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * per_thread, sizeof *scratch, "operator tiles", &scratch));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_r * n_t, sizeof *p.rest, "operator in float32", &p.rest));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_r, sizeof *p.largest, "operator rows", &p.largest));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_r, sizeof *p.sum, "operator rows", &p.sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t, sizeof *p.used, "operator columns", &p.used));
    split_operator(&p);
    nep_cpu_blas_single();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tiles; i++)
        one_tile(&p, i * NEP_CPU_TILE, nep_cpu_min(NEP_CPU_TILE, n_cols - i * NEP_CPU_TILE),
                 scratch + omp_get_thread_num() * per_thread);
done:
    nep_alloc_free(p.used);
    nep_alloc_free(p.sum);
    nep_alloc_free(p.largest);
    nep_alloc_free(p.rest);
    nep_alloc_free(scratch);
    return st;
}
