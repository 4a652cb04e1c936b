/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_moments - CPU twin of kernels/moments.cu: each column is summed over time in order, many columns side by side. */
#include "backend/cpu.h"

#include <math.h>

#include <nepenthe/math/lanes.h>

NEP_CPU_BODY void moments_body(const float *x, int64_t n_t, int64_t stride, int64_t n, double *mean, double *m2)
{
    double sum[NEP_CPU_TILE] = {0}, squares[NEP_CPU_TILE] = {0};
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t c = 0; c < n; c++)
            sum[c] += (double)x[t * stride + c];
    for (int64_t c = 0; c < n; c++)
        sum[c] /= (double)n_t;
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t c = 0; c < n; c++) {
            const double d = (double)x[t * stride + c] - sum[c];
            squares[c] += d * d;
        }
    for (int64_t c = 0; c < n; c++) {
        const int ok = nep_lanes_finite_double(sum[c]);
        mean[c] = ok ? sum[c] : (double)NAN;
        m2[c] = ok ? squares[c] : (double)NAN;
    }
}

typedef void moments_function(const float *x, int64_t n_t, int64_t stride, int64_t n, double *mean, double *m2);

static void moments_scalar(const float *x, int64_t n_t, int64_t stride, int64_t n, double *mean, double *m2)
{
    moments_body(x, n_t, stride, n, mean, m2);
}

NEP_CPU_AVX2_CODE static void moments_avx2(const float *x, int64_t n_t, int64_t stride, int64_t n, double *mean,
                                           double *m2)
{
    moments_body(x, n_t, stride, n, mean, m2);
}

NEP_CPU_AVX512_CODE static void moments_avx512(const float *x, int64_t n_t, int64_t stride, int64_t n, double *mean,
                                               double *m2)
{
    moments_body(x, n_t, stride, n, mean, m2);
}

nep_status nep_cpu_moments(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t, int64_t n_cols, double *mean,
                           double *m2)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    moments_function *const run =
        f >= NEP_CPU_AVX512 ? moments_avx512 : f >= NEP_CPU_AVX2 ? moments_avx2 : moments_scalar;
    const int64_t tiles = nep_cpu_tiles(n_cols, NEP_CPU_TILE);
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t c = i * NEP_CPU_TILE;
        run(x + c, n_t, n_cols, nep_cpu_min(NEP_CPU_TILE, n_cols - c), mean + c, m2 + c);
    }
    return NEP_OK;
}
