/* SPDX-License-Identifier: Apache-2.0 */
/* permute_t - CUDA twin of src/backend/cpu_permute_t.c: a chunk of permutations times all columns by GEMM, then a grid of
 * column tiles x permutations: a thread takes |t| of its column for each of its permutations, adds what it counted at its end
 * and gives its warp's maximum. Counts and maxima do not depend on who comes first. */
#include "launch.h"

#include <nepenthe/math/tstat.h>

/* |t| >= 0 as integers are ordered as the numbers are. */
static __device__ void raise_max(double *place, double value)
{
    atomicMax((unsigned long long *)place, (unsigned long long)__double_as_longlong(value));
}

/* Blocks of one launch: enough to fill any device several times over. */
enum { BLOCKS = 8192 };

static __global__ void t_kernel(const double *product, int64_t perms, int64_t k, int64_t n_cols, double dof,
                                const double *observed, double *max_abs, unsigned long long *count)
{
    const int64_t rows = 1 + k, tiles = (n_cols + blockDim.x - 1) / blockDim.x;
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const int64_t c = tile * blockDim.x + threadIdx.x;
        const double bound = c < n_cols ? nep_tstat_bound(observed[c]) : 0.0;
        unsigned long long hits = 0;
        for (int64_t p = blockIdx.y; p < perms; p += gridDim.y) {
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
        if (hits)
            atomicAdd(count + c, hits);
    }
}

/* Columns along x, permutations along y; what the grid does not hold the kernel loops over. */
static dim3 t_grid(int64_t n_cols, int64_t perms)
{
    const unsigned tiles = nep_grid(n_cols, NEP_BLOCK);
    const int64_t slices = BLOCKS / tiles < 1 ? 1 : BLOCKS / tiles;
    return dim3(tiles, nep_grid(slices < perms ? slices : perms, 1));
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
    void *product = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(chunk * bytes), "permutation products", &product));
    NEP_TRY_OR_DONE(st, nep_cuda_zero(ctx, queue, max_abs, (size_t)n_perm * sizeof *max_abs));
    for (int64_t p = 0; p < n_perm; p += chunk) {
        const int64_t perms = n_perm - p < chunk ? n_perm - p : chunk;
        NEP_TRY_OR_DONE(st, nep_cuda_dgemm(ctx, queue, false, false, perms * rows, n_cols, n, basis + p * rows * n, n,
                                           y, n_cols, 0.0, (double *)product, n_cols));
        NEP_LAUNCH(t_kernel, t_grid(n_cols, perms), NEP_BLOCK, queue, (const double *)product, perms, k, n_cols,
                   (double)(n - k), observed, max_abs + p, (unsigned long long *)count);
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
