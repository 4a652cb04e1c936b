/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_shell_squares - CPU twin of kernels/shell_squares.cu: a sample in eight parts, whatever the number of threads, each summed in order;
 * a line of sixteen columns in registers. */
#include "backend/cpu_lines.h"

enum { COLS = NEP_NEAR_COLS, PARTS = 8 };

/* The pairs of place i in every column of one map. */
NEP_CPU_BODY void squares_body(const nep_shells *g, const float *x, int64_t i, double *squares)
{
    const int32_t *at = g->place + g->slot[i];
    nep_half_line a[2], b[2];
    memcpy(a, x + i * COLS, sizeof a);
    for (int64_t h = 0; h < g->n_bins; h++) {
        nep_half_wide sum[2], d[2];
        memcpy(sum, squares + h * COLS, sizeof sum);
        for (int64_t t = g->shell[h]; t < g->shell[h + 1] && t < g->whole[i]; t++) {
            const int64_t j = at[g->offset[t]];
            if (j < 0)
                continue;
            memcpy(b, x + j * COLS, sizeof b);
            b[0] = a[0] - b[0];
            b[1] = a[1] - b[1];
            nep_line_widen(b, d);
            sum[0] += 0.5 * d[0] * d[0]; /* nep_near_half_square, eight at a time */
            sum[1] += 0.5 * d[1] * d[1];
        }
        memcpy(squares + h * COLS, sum, sizeof sum);
    }
}

typedef void squares_function(const nep_shells *g, const float *x, int64_t i, double *squares);

static void squares_scalar(const nep_shells *g, const float *x, int64_t i, double *squares)
{
    squares_body(g, x, i, squares);
}

NEP_CPU_AVX2_CODE static void squares_avx2(const nep_shells *g, const float *x, int64_t i, double *squares)
{
    squares_body(g, x, i, squares);
}

NEP_CPU_AVX512_CODE static void squares_avx512(const nep_shells *g, const float *x, int64_t i, double *squares)
{
    squares_body(g, x, i, squares);
}

static void count_pairs(const nep_shells *g, int64_t i, double *pairs)
{
    const int32_t *at = g->place + g->slot[i];
    for (int64_t h = 0; h < g->n_bins; h++)
        for (int64_t t = g->shell[h]; t < g->shell[h + 1] && t < g->whole[i]; t++)
            pairs[h] += at[g->offset[t]] >= 0;
}

nep_status nep_cpu_shell_squares(nep_ctx *ctx, nep_queue *queue, const nep_shells *g, const float *x, int64_t n_maps, const int32_t *sample,
                                 int64_t n_sample, double *squares, double *pairs)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    squares_function *const work = f >= NEP_CPU_AVX512 ? squares_avx512 : f >= NEP_CPU_AVX2 ? squares_avx2 : squares_scalar;
    const int64_t bins = g->n_bins * COLS;
    double *part = NULL;
    NEP_TRY(nep_alloc(ctx, n_maps * PARTS * bins, sizeof *part, "squares of pairs", &part));
#pragma omp parallel for schedule(dynamic, 1) num_threads(nep_ctx_threads(ctx))
    for (int64_t k = 0; k < n_maps * PARTS; k++)
        for (int64_t r = k % PARTS * n_sample / PARTS; r < (k % PARTS + 1) * n_sample / PARTS; r++)
            work(g, x + k / PARTS * g->n * COLS, sample[r], part + k * bins);
    memset(squares, 0, (size_t)(n_maps * bins) * sizeof *squares);
    for (int64_t k = 0; k < n_maps * PARTS; k++)
        for (int64_t b = 0; b < bins; b++)
            squares[k / PARTS * bins + b] += part[k * bins + b];
    memset(pairs, 0, (size_t)g->n_bins * sizeof *pairs);
    for (int64_t r = 0; r < n_sample; r++)
        count_pairs(g, sample[r], pairs);
    nep_alloc_free(part);
    return NEP_OK;
}
