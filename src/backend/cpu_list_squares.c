/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_list_squares - CPU twin of kernels/list_squares.cu: a sample in sixteen parts, whatever the number of threads, each summed in order. */
#include "backend/cpu_lines.h"

enum { COLS = NEP_NEAR_COLS, LAGS = NEP_VARIOGRAM_LAGS, PARTS = 16 };

/* The pairs of place i in every map, weighted for each lag: sum [n_maps, LAGS, COLS], all [LAGS]. */
NEP_CPU_BODY void pairs_body(const nep_lists *g, const float *x, int64_t n_maps, int64_t i, double *sum, double *all)
{
    const int32_t *near = g->near + i * g->neighbours;
    const float *far = g->far + i * g->neighbours;
    for (int64_t t = 0; t < g->neighbours && (double)far[t] < g->lag[LAGS - 1]; t++) {
        const float *a = x + i * COLS, *b = x + (int64_t)near[t] * COLS;
        double w[LAGS];
        for (int h = 0; h < LAGS; h++) {
            w[h] = nep_near_lag(g->lag, h, (double)far[t]);
            all[h] += w[h];
        }
        for (int64_t m = 0; m < n_maps; m++) {
            nep_half_line p[2], q[2];
            memcpy(p, a + m * g->n * COLS, sizeof p);
            memcpy(q, b + m * g->n * COLS, sizeof q);
            nep_half_wide low = __builtin_convertvector(p[0] - q[0], nep_half_wide), high = __builtin_convertvector(p[1] - q[1], nep_half_wide);
            low = 0.5 * low * low; /* nep_near_half_square, eight at a time */
            high = 0.5 * high * high;
            for (int h = 0; h < LAGS; h++) {
                nep_half_wide got[2];
                double *to = sum + (m * LAGS + h) * COLS;
                memcpy(got, to, sizeof got);
                got[0] += w[h] * low;
                got[1] += w[h] * high;
                memcpy(to, got, sizeof got);
            }
        }
    }
}

typedef void pairs_function(const nep_lists *g, const float *x, int64_t n_maps, int64_t i, double *sum, double *all);

static void pairs_scalar(const nep_lists *g, const float *x, int64_t n_maps, int64_t i, double *sum, double *all)
{
    pairs_body(g, x, n_maps, i, sum, all);
}

NEP_CPU_AVX2_CODE static void pairs_avx2(const nep_lists *g, const float *x, int64_t n_maps, int64_t i, double *sum, double *all)
{
    pairs_body(g, x, n_maps, i, sum, all);
}

NEP_CPU_AVX512_CODE static void pairs_avx512(const nep_lists *g, const float *x, int64_t n_maps, int64_t i, double *sum, double *all)
{
    pairs_body(g, x, n_maps, i, sum, all);
}

nep_status nep_cpu_list_squares(nep_ctx *ctx, nep_queue *queue, const nep_lists *g, const float *x, int64_t n_maps, const int32_t *sample,
                                int64_t n_sample, double *squares, double *weights)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    pairs_function *const work = f >= NEP_CPU_AVX512 ? pairs_avx512 : f >= NEP_CPU_AVX2 ? pairs_avx2 : pairs_scalar;
    const int64_t cells = n_maps * LAGS * COLS, own = cells + LAGS;
    double *part = NULL;
    NEP_TRY(nep_alloc(ctx, PARTS * own, sizeof *part, "squares of pairs", &part));
#pragma omp parallel for schedule(dynamic, 1) num_threads(nep_ctx_threads(ctx))
    for (int64_t k = 0; k < PARTS; k++)
        for (int64_t r = k * n_sample / PARTS; r < (k + 1) * n_sample / PARTS; r++)
            work(g, x, n_maps, sample[r], part + k * own, part + k * own + cells);
    for (int64_t k = 1; k < PARTS; k++)
        for (int64_t i = 0; i < own; i++)
            part[i] += part[k * own + i];
    memcpy(squares, part, (size_t)cells * sizeof *squares);
    memcpy(weights, part + cells, (size_t)LAGS * sizeof *weights);
    nep_alloc_free(part);
    return NEP_OK;
}
