/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_paired_dots - CPU twin of kernels/paired_dots.cu: many columns side by side, time in order. */
#include "backend/cpu.h"

NEP_CPU_BODY void dots_body(const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b, const int32_t *at, int64_t n, double *out)
{
    double sum[NEP_CPU_TILE];
    int32_t from[NEP_CPU_TILE];
    for (int64_t c = 0; c < n; c++) {
        sum[c] = out[c];
        from[c] = at && at[c] >= 0 ? at[c] : 0;
    }
    for (int64_t t = 0; t < n_t; t++, a += n_a, b += n_b) {
        if (at)
            for (int64_t c = 0; c < n; c++)
                sum[c] += (double)a[c] * (double)b[from[c]];
        else
            for (int64_t c = 0; c < n; c++)
                sum[c] += (double)a[c] * (double)b[c];
    }
    for (int64_t c = 0; c < n; c++)
        out[c] = at && at[c] < 0 ? out[c] : sum[c];
}

typedef void dots_function(const float *, int64_t, int64_t, const float *, int64_t, const int32_t *, int64_t, double *);

static void dots_scalar(const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b, const int32_t *at, int64_t n, double *out)
{
    dots_body(a, n_t, n_a, b, n_b, at, n, out);
}

NEP_CPU_AVX2_CODE static void dots_avx2(const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b, const int32_t *at,
                                        int64_t n, double *out)
{
    dots_body(a, n_t, n_a, b, n_b, at, n, out);
}

NEP_CPU_AVX512_CODE static void dots_avx512(const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b, const int32_t *at,
                                            int64_t n, double *out)
{
    dots_body(a, n_t, n_a, b, n_b, at, n, out);
}

nep_status nep_cpu_paired_dots(nep_ctx *ctx, nep_queue *queue, const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b,
                               const int32_t *at, double *out)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    dots_function *const run = f >= NEP_CPU_AVX512 ? dots_avx512 : f >= NEP_CPU_AVX2 ? dots_avx2 : dots_scalar;
    const int64_t tiles = nep_cpu_tiles(n_a, NEP_CPU_TILE);
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t c = i * NEP_CPU_TILE;
        run(a + c, n_t, n_a, at ? b : b + c, n_b, at ? at + c : NULL, nep_cpu_min(NEP_CPU_TILE, n_a - c), out + c);
    }
    return NEP_OK;
}
