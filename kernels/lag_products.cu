/* SPDX-License-Identifier: Apache-2.0 */
/* lag_products - CUDA twin of src/backend/cpu_lag_products.c: widen, multiply, and a thread per column for the squares. */
#include "launch.h"

static __global__ void widen_kernel(const float *x, int64_t n, double *out)
{
    NEP_FOR_EACH (i, n)
        out[i] = (double)x[i];
}

static __global__ void squares_kernel(const float *x, int64_t n_t, int64_t n_cols, double *squares, double *lagged)
{
    NEP_FOR_EACH (c, n_cols) {
        double before = (double)x[c], own = before * before, both = 0.0;
        for (int64_t t = 1; t < n_t; t++) {
            const double now = (double)x[t * n_cols + c];
            own += now * now;
            both += now * before;
            before = now;
        }
        squares[c] = own;
        lagged[c] = both;
    }
}

extern "C" nep_status nep_cuda_lag_products(nep_ctx *ctx, nep_queue *queue, const double *q, int64_t n_q, int64_t n_t,
                                            const float *x, int64_t n_cols, double *out)
{
    void *wide = NULL;
    nep_status st;
    double *squares = out + n_q * n_cols;
    NEP_TRY(nep_cuda_alloc(ctx, (size_t)(n_t * n_cols) * sizeof(double), "wide columns", &wide));
    NEP_LAUNCH(widen_kernel, nep_grid(n_t * n_cols, NEP_BLOCK), NEP_BLOCK, queue, x, n_t * n_cols, (double *)wide);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "lag_products"));
    NEP_TRY_OR_DONE(st, nep_cuda_dgemm(ctx, queue, false, false, n_q, n_cols, n_t, q, n_t, (const double *)wide, n_cols, 0.0,
                                       out, n_cols));
    NEP_LAUNCH(squares_kernel, nep_grid(n_cols, NEP_BLOCK), NEP_BLOCK, queue, x, n_t, n_cols, squares, squares + n_cols);
    st = nep_cuda_launched(ctx, "lag_products");
done:
    nep_cuda_release(wide);
    return st;
}
