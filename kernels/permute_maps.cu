/* SPDX-License-Identifier: Apache-2.0 */
/* permute_maps - CUDA twin of src/backend/cpu_permute_maps.c: a chunk of permutations times all columns by GEMM, then a thread
 * per statistic. */
#include "launch.h"

#include <nepenthe/math/tstat.h>

static __global__ void statistic_kernel(const double *product, int64_t perms, int64_t r, int64_t k, int64_t n_cols, double df,
                                        double *out)
{
    NEP_FOR_EACH (i, perms * n_cols) {
        const double *b = product + i / n_cols * (r + k) * n_cols + i % n_cols;
        double a2 = 0.0, b2 = 0.0;
        for (int64_t j = r; j < r + k; j++)
            a2 += b[j * n_cols] * b[j * n_cols];
        for (int64_t j = 0; j < r && r > 1; j++)
            b2 += b[j * n_cols] * b[j * n_cols];
        out[i] = r == 1 ? nep_tstat_partial(b[0], a2, df + 1.0) : nep_tstat_f(b2, a2, (double)r, df);
    }
}

extern "C" nep_status nep_cuda_permute_maps(nep_ctx *ctx, nep_queue *queue, const double *y, int64_t n, int64_t n_cols,
                                            const double *basis, int64_t n_perm, int64_t r, int64_t k, double df, double *out)
{
    const int64_t rows = r + k, bytes = rows * n_cols * (int64_t)sizeof(double);
    const int64_t fit = NEP_CUDA_SCRATCH / bytes, chunk = fit < 1 ? 1 : fit > n_perm ? n_perm : fit;
    void *product = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(chunk * bytes), "permutation products", &product));
    for (int64_t p = 0; p < n_perm; p += chunk) {
        const int64_t perms = n_perm - p < chunk ? n_perm - p : chunk;
        NEP_TRY_OR_DONE(st, nep_cuda_dgemm(ctx, queue, false, false, perms * rows, n_cols, n, basis + p * rows * n, n, y, n_cols,
                                           0.0, (double *)product, n_cols));
        NEP_LAUNCH(statistic_kernel, nep_grid(perms * n_cols, NEP_BLOCK), NEP_BLOCK, queue, (const double *)product, perms, r, k,
                   n_cols, df, out + p * n_cols);
        NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "permute_maps"));
    }
done:
    nep_cuda_release(product);
    return st;
}
