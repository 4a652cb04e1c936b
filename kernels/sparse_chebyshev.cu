/* SPDX-License-Identifier: Apache-2.0 */
/* sparse_chebyshev - CUDA twin of src/backend/cpu_sparse_chebyshev.c: a thread per item, neighbours in a row side by side; a launch per step. */
#include "launch.h"

/* now = times S before - now, or S before when first. */
static __global__ void sparse_chebyshev_kernel(const int64_t *start, const int32_t *column, const double *weight, int64_t cells, int64_t n_cols,
                                               bool first, const double *before, double *now)
{
    NEP_FOR_EACH (at, cells) {
        const int64_t i = at / n_cols, c = at % n_cols;
        double sum = 0.0;
        for (int64_t k = start[i]; k < start[i + 1]; k++)
            sum += weight[k] * before[column[k] * n_cols + c];
        now[at] = first ? sum : 2.0 * sum - now[at];
    }
}

extern "C" nep_status nep_cuda_sparse_chebyshev(nep_ctx *ctx, nep_queue *queue, const int64_t *start, const int32_t *column, const double *weight,
                                                int64_t n_rows, int64_t n_cols, int64_t degree, double *even, double *odd)
{
    const int64_t cells = n_rows * n_cols;
    for (int64_t k = 1; k <= degree; k++)
        NEP_LAUNCH(sparse_chebyshev_kernel, nep_grid(cells, NEP_BLOCK), NEP_BLOCK, queue, start, column, weight, cells, n_cols, k == 1,
                   k % 2 ? even : odd, k % 2 ? odd : even);
    return nep_cuda_launched(ctx, "sparse_chebyshev");
}
