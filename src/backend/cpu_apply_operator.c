/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_apply_operator - CPU twin of kernels/apply_operator.cu: tiles of columns, demeaned in float64, times the operator. */
#include "backend/cpu.h"

#include <cblas.h>
#include <omp.h>

NEP_CPU_BODY void widen_body(const float *x, int64_t n_t, int64_t stride, int64_t n, const double *mean, double *tile)
{
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t c = 0; c < n; c++)
            tile[t * n + c] = mean ? (double)x[t * stride + c] - mean[c] : (double)x[t * stride + c];
}

NEP_CPU_BODY void narrow_body(const double *tile, int64_t n_r, int64_t stride, int64_t n, float *out)
{
    for (int64_t r = 0; r < n_r; r++)
        for (int64_t c = 0; c < n; c++)
            out[r * stride + c] = (float)tile[r * n + c];
}

static void widen_any(const float *x, int64_t n_t, int64_t stride, int64_t n, const double *mean, double *tile)
{
    widen_body(x, n_t, stride, n, mean, tile);
}

NEP_CPU_AVX512_CODE static void widen_avx512(const float *x, int64_t n_t, int64_t stride, int64_t n,
                                             const double *mean, double *tile)
{
    widen_body(x, n_t, stride, n, mean, tile);
}

static void narrow_any(const double *tile, int64_t n_r, int64_t stride, int64_t n, float *out)
{
    narrow_body(tile, n_r, stride, n, out);
}

NEP_CPU_AVX512_CODE static void narrow_avx512(const double *tile, int64_t n_r, int64_t stride, int64_t n, float *out)
{
    narrow_body(tile, n_r, stride, n, out);
}

nep_status nep_cpu_apply_operator(nep_ctx *ctx, nep_queue *queue, const double *m, int64_t n_r, int64_t n_t,
                                  const float *x, int64_t n_cols, const double *mean, float *out)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const bool wide = nep_cpu_family_get() >= NEP_CPU_AVX512;
    const int64_t per_thread = (n_t + n_r) * NEP_CPU_TILE, tiles = nep_cpu_tiles(n_cols, NEP_CPU_TILE);
    double *scratch = NULL;
    NEP_TRY(nep_alloc(ctx, threads * per_thread, sizeof *scratch, "operator tiles", &scratch));
    nep_cpu_blas_single();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t c = i * NEP_CPU_TILE, n = nep_cpu_min(NEP_CPU_TILE, n_cols - c);
        double *in = scratch + omp_get_thread_num() * per_thread, *product = in + n_t * NEP_CPU_TILE;
        (wide ? widen_avx512 : widen_any)(x + c, n_t, n_cols, n, mean ? mean + c : NULL, in);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)n_r, (blasint)n, (blasint)n_t, 1.0, m,
                    (blasint)n_t, in, (blasint)n, 0.0, product, (blasint)n);
        (wide ? narrow_avx512 : narrow_any)(product, n_r, n_cols, n, out + c);
    }
    nep_alloc_free(scratch);
    return NEP_OK;
}
