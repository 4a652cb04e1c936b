/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_weighted_sums - CPU twin of kernels/weighted_sums.cu: one weighted sum of 32 lanes per volume and list of voxels. */
#include "backend/cpu.h"

#include <nepenthe/math/lanes.h>

NEP_CPU_BODY void sum_body(const float *x, const int32_t *voxel, const float *weight, int64_t n, double *sum, int64_t *count)
{
    double lane[NEP_LANES] = {0};
    int64_t seen = 0, i = 0;
    for (; i + NEP_LANES <= n; i += NEP_LANES) {
        int ok32 = 0;
        for (int l = 0; l < NEP_LANES; l++) {
            const float v = x[voxel[i + l]];
            const int ok = nep_lanes_finite(v);
            lane[l] += ok ? (double)weight[i + l] * (double)v : 0.0;
            ok32 += ok;
        }
        seen += ok32;
    }
    for (int l = 0; i < n; i++, l++) {
        const float v = x[voxel[i]];
        const int ok = nep_lanes_finite(v);
        lane[l] += ok ? (double)weight[i] * (double)v : 0.0;
        seen += ok;
    }
    *sum = nep_lanes_fold(lane);
    *count = seen;
}

typedef void sum_function(const float *x, const int32_t *voxel, const float *weight, int64_t n, double *sum, int64_t *count);

static void sum_scalar(const float *x, const int32_t *voxel, const float *weight, int64_t n, double *sum, int64_t *count)
{
    sum_body(x, voxel, weight, n, sum, count);
}

NEP_CPU_AVX2_CODE static void sum_avx2(const float *x, const int32_t *voxel, const float *weight, int64_t n, double *sum, int64_t *count)
{
    sum_body(x, voxel, weight, n, sum, count);
}

NEP_CPU_AVX512_CODE static void sum_avx512(const float *x, const int32_t *voxel, const float *weight, int64_t n, double *sum, int64_t *count)
{
    sum_body(x, voxel, weight, n, sum, count);
}

nep_status nep_cpu_weighted_sums(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_vol, int64_t n_vox, const int64_t *start,
                                 const int32_t *voxel, const float *weight, int64_t n_lists, double *sum, int64_t *count)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    sum_function *const add = f >= NEP_CPU_AVX512 ? sum_avx512 : f >= NEP_CPU_AVX2 ? sum_avx2 : sum_scalar;
    const int64_t tasks = n_vol * n_lists;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < tasks; i++) {
        const int64_t volume = i / n_lists, list = i % n_lists;
        add(x + volume * n_vox, voxel + start[list], weight + start[list], start[list + 1] - start[list], sum + i, count + i);
    }
    return NEP_OK;
}
