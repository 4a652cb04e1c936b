/* SPDX-License-Identifier: Apache-2.0 */
/* permute_t - CUDA twin of src/backend/cpu_permute_t.c: a chunk of permutations times all columns by GEMM, then a thread
 * per column takes |t|, counts its own exceedances and gives its warp's maximum. */
#include "launch.h"

#include <nepenthe/math/tstat.h>

/* |t| >= 0 as integers are ordered as the numbers are. */
static __device__ void raise_max(double *place, double value)
{
    atomicMax((unsigned long long *)place, (unsigned long long)__double_as_longlong(value));
}

static __global__ void t_kernel(const double *product, int64_t perms, int64_t k, int64_t n_cols, double dof,
                                const double *observed, double *max_abs, int64_t *count)
{
    const int64_t c = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, rows = 1 + k;
    const double bound = c < n_cols ? nep_tstat_bound(observed[c]) : 0.0;
    int64_t hits = 0;
    for (int64_t p = 0; p < perms; p++) {
        double best = 0.0;
        if (c < n_cols) {
            const double *b = product + p * rows * n_cols + c;
            double a2 = 0.0;
            for (int64_t j = 1; j < rows; j++)
                a2 += b[j * n_cols] * b[j * n_cols];
            const double t = fabs(nep_tstat_partial(b[0], a2, dof));
            best = t > best ? t : best; /* a missing t leaves 0 */
            hits += t >= bound;
        }
        for (int half = NEP_WARP / 2; half > 0; half /= 2) {
            const double other = __shfl_down_sync(NEP_ALL_LANES, best, half);
            best = other > best ? other : best;
        }
        if (threadIdx.x % NEP_WARP == 0)
            raise_max(max_abs + p, best);
    }
    if (c < n_cols)
        count[c] += hits;
}

static __global__ void count_max_kernel(const double *max_abs, int64_t n_perm, const double *observed, int64_t n_cols,
                                        int64_t *count_max)
{
    NEP_FOR_EACH (c, n_cols) {
        const double bound = nep_tstat_bound(observed[c]);
        for (int64_t p = 0; p < n_perm; p++)
            count_max[c] += max_abs[p] >= bound;
    }
}

extern "C" nep_status nep_cuda_permute_t(nep_ctx *ctx, nep_queue *queue, const double *y, int64_t n, int64_t n_cols,
                                         const double *basis, int64_t n_perm, int64_t k, const double *observed,
                                         double *max_abs, int64_t *count, int64_t *count_max)
{
    const int64_t rows = 1 + k, bytes = rows * n_cols * (int64_t)sizeof(double);
    const int64_t fit = NEP_CUDA_SCRATCH / bytes, chunk = fit < 1 ? 1 : fit > n_perm ? n_perm : fit;
    const unsigned grid = (unsigned)((n_cols + NEP_BLOCK - 1) / NEP_BLOCK);
    void *product = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(chunk * bytes), "permutation products", &product));
    NEP_TRY_OR_DONE(st, nep_cuda_zero(ctx, queue, max_abs, (size_t)n_perm * sizeof *max_abs));
    for (int64_t p = 0; p < n_perm; p += chunk) {
        const int64_t perms = n_perm - p < chunk ? n_perm - p : chunk;
        NEP_TRY_OR_DONE(st, nep_cuda_dgemm(ctx, queue, false, false, perms * rows, n_cols, n, basis + p * rows * n, n,
                                           y, n_cols, 0.0, (double *)product, n_cols));
        NEP_LAUNCH(t_kernel, grid, NEP_BLOCK, queue, (const double *)product, perms, k, n_cols, (double)(n - k),
                   observed, max_abs + p, count);
        NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "permute_t"));
    }
    if (count_max)
        NEP_LAUNCH(count_max_kernel, nep_grid(n_cols, NEP_BLOCK), NEP_BLOCK, queue, max_abs, n_perm, observed, n_cols,
                   count_max);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "permute_t"));
done:
    nep_cuda_release(product);
    return st;
}
