/* SPDX-License-Identifier: Apache-2.0 */
/* best_pair - CUDA twin of src/backend/cpu_best_pair.c: a thread per column, pairs in order, time in order. The pairs are read
 * by all threads of a warp at once (one broadcast), a column's values stay in the cache while the pairs pass. */
#include "launch.h"

static __global__ void best_pair_kernel(const double *pair, int64_t n_pairs, int64_t n_t, const float *x, int64_t n_cols,
                                        int32_t *best)
{
    NEP_FOR_EACH (c, n_cols) {
        double top = -1.0;
        int32_t at = -1;
        for (int64_t j = 0; j < n_pairs; j++) {
            const double *a = pair + 2 * j * n_t, *b = a + n_t;
            double sa = 0.0, sb = 0.0;
            for (int64_t t = 0; t < n_t; t++) {
                const double y = (double)x[t * n_cols + c];
                sa += a[t] * y;
                sb += b[t] * y;
            }
            const double explained = sa * sa + sb * sb;
            if (explained > top) {
                top = explained;
                at = (int32_t)j;
            }
        }
        best[c] = at;
    }
}

extern "C" nep_status nep_cuda_best_pair(nep_ctx *ctx, nep_queue *queue, const double *pair, int64_t n_pairs, int64_t n_t,
                                         const float *x, int64_t n_cols, int32_t *best)
{
    NEP_LAUNCH(best_pair_kernel, nep_grid(n_cols, NEP_BLOCK), NEP_BLOCK, queue, pair, n_pairs, n_t, x, n_cols, best);
    return nep_cuda_launched(ctx, "best_pair");
}
