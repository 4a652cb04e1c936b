/* SPDX-License-Identifier: Apache-2.0 */
/* paired_dots - CUDA twin of src/backend/cpu_paired_dots.c: a thread per column, time in order. */
#include "launch.h"

static __global__ void paired_dots_kernel(const float *a, int64_t n_t, int64_t n_a, const float *b, int64_t n_b, const int32_t *at,
                                          double *out)
{
    NEP_FOR_EACH (c, n_a) {
        const int64_t from = at ? (int64_t)at[c] : c;
        if (from < 0)
            continue;
        double sum = out[c];
        for (int64_t t = 0; t < n_t; t++)
            sum += (double)a[t * n_a + c] * (double)b[t * n_b + from];
        out[c] = sum;
    }
}

extern "C" nep_status nep_cuda_paired_dots(nep_ctx *ctx, nep_queue *queue, const float *a, int64_t n_t, int64_t n_a, const float *b,
                                           int64_t n_b, const int32_t *at, double *out)
{
    NEP_LAUNCH(paired_dots_kernel, nep_grid(n_a, NEP_BLOCK), NEP_BLOCK, queue, a, n_t, n_a, b, n_b, at, out);
    return nep_cuda_launched(ctx, "paired_dots");
}
