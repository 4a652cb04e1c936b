/* SPDX-License-Identifier: Apache-2.0 */
/* gram - CUDA twin of src/backend/cpu_gram.c: standardise a chunk of rows, add its product, mirror the upper triangle. */
#include "launch.h"

static __global__ void standardise_kernel(const float *x, int64_t n, int64_t n_cols, const double *mean,
                                          const double *scale, double *z)
{
    NEP_FOR_EACH (i, n) {
        const int64_t c = i % n_cols;
        z[i] = ((double)x[i] - mean[c]) * scale[c];
    }
}

static __global__ void mirror_kernel(int64_t n_cols, double *out)
{
    NEP_FOR_EACH (i, n_cols * n_cols) {
        const int64_t row = i / n_cols, column = i % n_cols;
        if (column < row)
            out[i] = out[column * n_cols + row];
    }
}

extern "C" nep_status nep_cuda_gram(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t, int64_t n_cols,
                                    const double *mean, const double *scale, double *out)
{
    void *block = NULL;
    nep_status st;
    int64_t chunk = NEP_CUDA_SCRATCH / (int64_t)sizeof(double) / n_cols;
    chunk = chunk < 64 ? 64 : chunk > n_t ? n_t : chunk;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(chunk * n_cols) * sizeof(double), "standardised columns", &block));
    for (int64_t t = 0; t < n_t; t += chunk) {
        const int64_t rows = n_t - t < chunk ? n_t - t : chunk, n = rows * n_cols;
        double *z = (double *)block;
        NEP_LAUNCH(standardise_kernel, nep_grid(n, NEP_BLOCK), NEP_BLOCK, queue, x + t * n_cols, n, n_cols, mean, scale,
                   z);
        NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "gram"));
        NEP_TRY_OR_DONE(st, nep_cuda_dgemm(ctx, queue, true, false, n_cols, n_cols, rows, z, n_cols, z, n_cols,
                                           t > 0 ? 1.0 : 0.0, out, n_cols));
    }
    NEP_LAUNCH(mirror_kernel, nep_grid(n_cols * n_cols, NEP_BLOCK), NEP_BLOCK, queue, n_cols, out);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "gram"));
done:
    nep_cuda_release(block);
    return st;
}
