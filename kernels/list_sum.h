/* SPDX-License-Identifier: Apache-2.0 */
/* list_sum - sums over lists of voxels, weighted or not: a warp per volume and list, its lanes are the 32 lanes. */
#ifndef NEP_KERNELS_LIST_SUM_H
#define NEP_KERNELS_LIST_SUM_H

#include "launch.h"

#include <nepenthe/math/lanes.h>

template <bool WEIGHTED>
static __device__ void list_sums(const float *x, int64_t n_vox, const int64_t *start, const int32_t *voxel, const float *weight,
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
            s += !ok ? 0.0 : WEIGHTED ? (double)weight[i] * (double)v : (double)v;
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

#endif
