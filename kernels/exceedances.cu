/* SPDX-License-Identifier: Apache-2.0 */
/* exceedances - CUDA twin of src/backend/cpu_exceedances.c: a thread per null, products summed in the order of q, votes
 * of a warp counted at once. */
#include "launch.h"

#include <nepenthe/math/tstat.h>

/* out[q, b] = c[b, q] - centre[q] */
static __global__ void centre_kernel(const double *c, int64_t n_null, int64_t p, const double *centre, double *out)
{
    NEP_FOR_EACH (i, n_null * p) {
        const int64_t q = i / n_null, b = i % n_null;
        out[i] = c[b * p + q] - centre[q];
    }
}

static __global__ void exceedances_kernel(const double *a, int64_t n, int64_t p, const double *centred, int64_t n_null,
                                          const double *observed, unsigned long long *count)
{
    const int64_t tiles = (n_null + blockDim.x - 1) / blockDim.x;
    for (int64_t task = blockIdx.x; task < n * tiles; task += gridDim.x) {
        const int64_t i = task / tiles, b = task % tiles * blockDim.x + threadIdx.x;
        int hit = 0;
        if (b < n_null) {
            double dot = 0.0;
            for (int64_t q = 0; q < p; q++)
                dot += a[i * p + q] * centred[q * n_null + b];
            hit = fabs(dot) >= nep_tstat_bound(observed[i]);
        }
        const unsigned votes = __ballot_sync(NEP_ALL_LANES, hit);
        if (threadIdx.x % NEP_WARP == 0 && votes)
            atomicAdd(count + i, (unsigned long long)__popc(votes));
    }
}

extern "C" nep_status nep_cuda_exceedances(nep_ctx *ctx, nep_queue *queue, const double *a, int64_t n, int64_t p,
                                           const double *c, int64_t n_null, const double *centre,
                                           const double *observed, int64_t *count)
{
    const int64_t tasks = n * ((n_null + NEP_BLOCK - 1) / NEP_BLOCK);
    void *centred = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_zero(ctx, queue, count, (size_t)n * sizeof *count));
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(n_null * p) * sizeof(double), "centred nulls", &centred));
    NEP_LAUNCH(centre_kernel, nep_grid(n_null * p, NEP_BLOCK), NEP_BLOCK, queue, c, n_null, p, centre,
               (double *)centred);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "exceedances"));
    NEP_LAUNCH(exceedances_kernel, nep_grid(tasks, 1), NEP_BLOCK, queue, a, n, p, (const double *)centred, n_null,
               observed, (unsigned long long *)count);
    NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "exceedances"));
done:
    nep_cuda_release(centred);
    return st;
}
