/* SPDX-License-Identifier: Apache-2.0 */
/* weighted_sums - CUDA twin of src/backend/cpu_weighted_sums.c: a warp per volume and list, its lanes are the 32 lanes. */
#include "launch.h"

#include <nepenthe/math/lanes.h>

static __global__ void weighted_sums_kernel(const float *x, int64_t n_vox, const int64_t *start, const int32_t *voxel, const float *weight,
                                            int64_t n_lists, int64_t tasks, double *sum, int64_t *count)
{
    const int lane = (int)(threadIdx.x % NEP_WARP);
    const int64_t warps = blockDim.x / NEP_WARP, first = blockIdx.x * warps + threadIdx.x / NEP_WARP;
    for (int64_t task = first; task < tasks; task += gridDim.x * warps) {
        const int64_t list = task % n_lists;
        const float *volume = x + task / n_lists * n_vox;
        double s = 0.0;
        long long seen = 0;
        for (int64_t i = start[list] + lane; i < start[list + 1]; i += NEP_WARP) {
            const float v = volume[voxel[i]];
            const int ok = nep_lanes_finite(v);
            s += ok ? (double)weight[i] * (double)v : 0.0;
            seen += ok;
        }
        s = nep_warp_fold(s);
        for (int half = NEP_WARP / 2; half > 0; half /= 2)
            seen += __shfl_down_sync(NEP_ALL_LANES, seen, half);
        if (lane == 0) {
            sum[task] = s;
            count[task] = seen;
        }
    }
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
