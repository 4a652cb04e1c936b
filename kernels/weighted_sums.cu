/* SPDX-License-Identifier: Apache-2.0 */
/* weighted_sums - CUDA twin of src/backend/cpu_weighted_sums.c. */
#include "list_sum.h"

static __global__ void weighted_sums_kernel(const float *x, int64_t n_vox, const int64_t *start, const int32_t *voxel, const float *weight,
                                            int64_t n_lists, int64_t tasks, double *sum, int64_t *count)
{
    list_sums<true>(x, n_vox, start, voxel, weight, n_lists, tasks, sum, count);
}

extern "C" nep_status nep_cuda_weighted_sums(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_vol, int64_t n_vox,
                                             const int64_t *start, const int32_t *voxel, const float *weight, int64_t n_lists, double *sum,
                                             int64_t *count)
{
    const int64_t tasks = n_vol * n_lists;
    NEP_LAUNCH(weighted_sums_kernel, nep_grid(tasks, NEP_BLOCK / NEP_WARP), NEP_BLOCK, queue, x, n_vox, start, voxel, weight, n_lists, tasks,
               sum, count);
    return nep_cuda_launched(ctx, "weighted_sums");
}
