/* SPDX-License-Identifier: Apache-2.0 */
/* moments - CUDA twin of src/backend/cpu_moments.c: a thread per column, time in order. */
#include "launch.h"

#include <math.h>

#include <nepenthe/math/lanes.h>

static __global__ void moments_kernel(const float *x, int64_t n_t, int64_t n_cols, double *mean, double *m2)
{
    NEP_FOR_EACH (c, n_cols) {
        double sum = 0.0, squares = 0.0;
        for (int64_t t = 0; t < n_t; t++)
            sum += (double)x[t * n_cols + c];
        sum /= (double)n_t;
        for (int64_t t = 0; t < n_t; t++) {
            const double d = (double)x[t * n_cols + c] - sum;
            squares += d * d;
        }
        const int ok = nep_lanes_finite_double(sum);
        mean[c] = ok ? sum : (double)NAN;
        m2[c] = ok ? squares : (double)NAN;
    }
}

extern "C" nep_status nep_cuda_moments(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t, int64_t n_cols,
                                       double *mean, double *m2)
{
    NEP_LAUNCH(moments_kernel, nep_grid(n_cols, NEP_BLOCK), NEP_BLOCK, queue, x, n_t, n_cols, mean, m2);
    return nep_cuda_launched(ctx, "moments");
}
