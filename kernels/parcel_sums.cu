/* SPDX-License-Identifier: Apache-2.0 */
/* parcel_sums - CUDA twin of src/backend/cpu_parcel_sums.c. */
#include "list_sum.h"

static __global__ void parcel_sums_kernel(const float *x, int64_t n_vox, const int64_t *start, const int32_t *voxel,
                                          int64_t n_regions, int64_t tasks, double *sum, int64_t *count)
{
    list_sums<false>(x, n_vox, start, voxel, NULL, n_regions, tasks, sum, count);
}

extern "C" nep_status nep_cuda_parcel_sums(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_vol,
                                           int64_t n_vox, const int64_t *start, const int32_t *voxel,
                                           int64_t n_regions, double *sum, int64_t *count)
{
    const int64_t tasks = n_vol * n_regions;
    NEP_LAUNCH(parcel_sums_kernel, nep_grid(tasks, NEP_BLOCK / NEP_WARP), NEP_BLOCK, queue, x, n_vox, start, voxel,
               n_regions, tasks, sum, count);
    return nep_cuda_launched(ctx, "parcel_sums");
}
