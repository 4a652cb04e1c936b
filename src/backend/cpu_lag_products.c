/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_lag_products - CPU twin of kernels/lag_products.cu: a tile of columns widened a block of time points at a time, so that
 * the block stays in the cache for its product and for its squares. */
#include "backend/cpu.h"

#include <cblas.h>
#include <omp.h>

enum { TIME_BLOCK = 64 };

typedef struct {
    const double *q;
    int64_t n_q, n_t, n_cols;
    const float *x;
    double *out;
} problem;

/* Widens time points t0 .. t0 + m of a tile; row 0 of `wide` is the time point before them (not used at t0 = 0). */
NEP_CPU_BODY void widen_body(const problem *p, int64_t t0, int64_t m, int64_t c0, int64_t n, double *wide, double *squares,
                             double *lagged)
{
    for (int64_t i = 0; i < m; i++) {
        const float *x = p->x + (t0 + i) * p->n_cols + c0;
        const double *before = wide + i * n;
        double *now = wide + (i + 1) * n;
        if (t0 + i == 0) {
            for (int64_t c = 0; c < n; c++) {
                now[c] = (double)x[c];
                squares[c] = now[c] * now[c];
                lagged[c] = 0;
            }
            continue;
        }
        for (int64_t c = 0; c < n; c++) {
            now[c] = (double)x[c];
            squares[c] += now[c] * now[c];
            lagged[c] += now[c] * before[c];
        }
    }
    for (int64_t c = 0; c < n; c++)
        wide[c] = wide[m * n + c];
}

typedef void widen_function(const problem *p, int64_t t0, int64_t m, int64_t c0, int64_t n, double *wide, double *squares,
                            double *lagged);

static void widen_scalar(const problem *p, int64_t t0, int64_t m, int64_t c0, int64_t n, double *wide, double *squares,
                         double *lagged)
{
    widen_body(p, t0, m, c0, n, wide, squares, lagged);
}

NEP_CPU_AVX2_CODE static void widen_avx2(const problem *p, int64_t t0, int64_t m, int64_t c0, int64_t n, double *wide,
                                         double *squares, double *lagged)
{
    widen_body(p, t0, m, c0, n, wide, squares, lagged);
}

NEP_CPU_AVX512_CODE static void widen_avx512(const problem *p, int64_t t0, int64_t m, int64_t c0, int64_t n, double *wide,
                                             double *squares, double *lagged)
{
    widen_body(p, t0, m, c0, n, wide, squares, lagged);
}

static void one_tile(const problem *p, widen_function *widen, int64_t c0, int64_t n, double *wide)
{
    double *squares = p->out + p->n_q * p->n_cols + c0, *lagged = squares + p->n_cols;
    for (int64_t t = 0; t < p->n_t; t += TIME_BLOCK) {
        const int64_t m = nep_cpu_min(TIME_BLOCK, p->n_t - t);
        widen(p, t, m, c0, n, wide, squares, lagged);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)p->n_q, (blasint)n, (blasint)m, 1.0, p->q + t,
                    (blasint)p->n_t, wide + n, (blasint)n, t == 0 ? 0.0 : 1.0, p->out + c0, (blasint)p->n_cols);
    }
}

nep_status nep_cpu_lag_products(nep_ctx *ctx, nep_queue *queue, const double *q, int64_t n_q, int64_t n_t, const float *x,
                                int64_t n_cols, double *out)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    widen_function *const widen = f >= NEP_CPU_AVX512 ? widen_avx512 : f >= NEP_CPU_AVX2 ? widen_avx2 : widen_scalar;
    const int threads = nep_ctx_threads(ctx);
    const int64_t tiles = nep_cpu_tiles(n_cols, NEP_CPU_TILE), each = (TIME_BLOCK + 1) * NEP_CPU_TILE;
    const problem p = {.q = q, .n_q = n_q, .n_t = n_t, .n_cols = n_cols, .x = x, .out = out};
    double *scratch = NULL;
    NEP_TRY(nep_alloc(ctx, threads * each, sizeof *scratch, "widened columns", &scratch));
    nep_cpu_blas_single();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tiles; i++)
        one_tile(&p, widen, i * NEP_CPU_TILE, nep_cpu_min(NEP_CPU_TILE, n_cols - i * NEP_CPU_TILE),
                 scratch + omp_get_thread_num() * each);
    nep_alloc_free(scratch);
    return NEP_OK;
}
