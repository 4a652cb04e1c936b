/* SPDX-License-Identifier: Apache-2.0 */
/* sparse_product - CUDA twin of src/backend/cpu_sparse_product.c: a thread per item of the result, neighbours in a row side by side. */
#include "launch.h"

static __global__ void sparse_product_kernel(const int64_t *start, const int32_t *column, const double *weight, int64_t cells, const double *x,
                                             int64_t n_cols, double *out)
{
    NEP_FOR_EACH (at, cells) {
        const int64_t i = at / n_cols, c = at % n_cols;
        double sum = 0.0;
        for (int64_t k = start[i]; k < start[i + 1]; k++)
            sum += weight[k] * x[column[k] * n_cols + c];
        out[at] = sum;
    }
}

extern "C" nep_status nep_cuda_sparse_product(nep_ctx *ctx, nep_queue *queue, const int64_t *start, const int32_t *column, const double *weight,
                                              int64_t n_rows, const double *x, int64_t n_x, int64_t n_cols, double *out)
{
    const int64_t cells = n_rows * n_cols;
    (void)n_x;
    NEP_LAUNCH(sparse_product_kernel, nep_grid(cells, NEP_BLOCK), NEP_BLOCK, queue, start, column, weight, cells, x, n_cols, out);
    return nep_cuda_launched(ctx, "sparse_product");
}
