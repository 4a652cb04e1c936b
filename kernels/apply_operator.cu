/* SPDX-License-Identifier: Apache-2.0 */
/* apply_operator - CUDA twin of src/backend/cpu_apply_operator.c: widen and demean, multiply, narrow. */
#include "launch.h"

#include <math.h>

#include <nepenthe/math/lanes.h>

static __global__ void widen_kernel(const float *x, int64_t n, int64_t n_cols, const double *mean, double *out)
{
    NEP_FOR_EACH (i, n)
        out[i] = mean ? (double)x[i] - mean[i % n_cols] : (double)x[i];
}

static __global__ void narrow_kernel(const double *x, int64_t n, float *out)
{
    NEP_FOR_EACH (i, n) {
        const float v = (float)x[i];
        out[i] = nep_lanes_finite(v) ? v : NAN;
    }
}

static nep_status run(nep_ctx *ctx, nep_queue *queue, const double *m, int64_t n_r, int64_t n_t, const float *x,
                      int64_t n_cols, const double *mean, double *wide, double *product, float *out)
{
    NEP_LAUNCH(widen_kernel, nep_grid(n_t * n_cols, NEP_BLOCK), NEP_BLOCK, queue, x, n_t * n_cols, n_cols, mean, wide);
    NEP_TRY(nep_cuda_launched(ctx, "apply_operator"));
    NEP_TRY(nep_cuda_dgemm(ctx, queue, false, false, n_r, n_cols, n_t, m, n_t, wide, n_cols, 0.0, product, n_cols));
    NEP_LAUNCH(narrow_kernel, nep_grid(n_r * n_cols, NEP_BLOCK), NEP_BLOCK, queue, product, n_r * n_cols, out);
    return nep_cuda_launched(ctx, "apply_operator");
}

extern "C" nep_status nep_cuda_apply_operator(nep_ctx *ctx, nep_queue *queue, const double *m, int64_t n_r,
                                              int64_t n_t, const float *x, int64_t n_cols, const double *mean,
                                              float *out)
{
    void *wide = NULL, *product = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(n_t * n_cols) * sizeof(double), "wide columns", &wide));
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(n_r * n_cols) * sizeof(double), "wide product", &product));
    NEP_TRY_OR_DONE(st, run(ctx, queue, m, n_r, n_t, x, n_cols, mean, (double *)wide, (double *)product, out));
done:
    nep_cuda_release(product);
    nep_cuda_release(wide);
    return st;
}
