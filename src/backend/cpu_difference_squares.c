/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_difference_squares - CPU twin of kernels/difference_squares.cu: 32 lanes within chunks of a row, chunks in order. */
#include "backend/cpu.h"

#include <nepenthe/math/lanes.h>

NEP_CPU_BODY double chunk_body(const float *now, const float *before, const double *weight, int64_t n)
{
    double lane[NEP_LANES] = {0};
    int64_t i = 0;
    for (; i + NEP_LANES <= n; i += NEP_LANES)
        for (int l = 0; l < NEP_LANES; l++) {
            const double d = (double)now[i + l] - (double)before[i + l];
            lane[l] += weight ? weight[i + l] * (d * d) : d * d;
        }
    for (int l = 0; i < n; i++, l++) {
        const double d = (double)now[i] - (double)before[i];
        lane[l] += weight ? weight[i] * (d * d) : d * d;
    }
    return nep_lanes_fold(lane);
}

static double chunk_any(const float *now, const float *before, const double *weight, int64_t n)
{
    return chunk_body(now, before, weight, n);
}

NEP_CPU_AVX512_CODE static double chunk_avx512(const float *now, const float *before, const double *weight, int64_t n)
{
    return chunk_body(now, before, weight, n);
}

nep_status nep_cpu_difference_squares(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t, int64_t n_cols,
                                      const double *weight, double *out)
{
    (void)queue;
    const bool wide = nep_cpu_family_get() >= NEP_CPU_AVX512;
    out[0] = 0.0;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t t = 1; t < n_t; t++) {
        double sum = 0.0;
        for (int64_t c = 0; c < n_cols; c += NEP_LANES_CHUNK)
            sum += (wide ? chunk_avx512 : chunk_any)(x + t * n_cols + c, x + (t - 1) * n_cols + c,
                                                     weight ? weight + c : NULL,
                                                     nep_cpu_min(NEP_LANES_CHUNK, n_cols - c));
        out[t] = sum;
    }
    return NEP_OK;
}
