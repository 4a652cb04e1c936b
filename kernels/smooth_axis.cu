/* SPDX-License-Identifier: Apache-2.0 */
/* smooth_axis - CUDA twin of src/backend/cpu_smooth_axis.c: a thread per value; taps of neighbours overlap in the cache. */
#include "launch.h"

#include <nepenthe/math/spline.h>

static __global__ void smooth_axis_kernel(const float *x, int64_t outer, int64_t len, int64_t inner, const double *weight, int64_t radius,
                                          float *out)
{
    NEP_FOR_EACH (v, outer * len * inner) {
        const int64_t c = v % inner, i = v / inner % len;
        const float *line = x + v / (inner * len) * len * inner + c;
        double sum = weight[0] * (double)line[i * inner];
        for (int64_t k = radius; k > 0; k--)
            sum += weight[k] * ((double)line[nep_spline_reflect(i - k, len) * inner] + (double)line[nep_spline_reflect(i + k, len) * inner]);
        out[v] = (float)sum;
    }
}

extern "C" nep_status nep_cuda_smooth_axis(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t outer, int64_t len, int64_t inner,
                                           const double *weight, int64_t radius, float *out)
{
    NEP_LAUNCH(smooth_axis_kernel, nep_grid(outer * len * inner, NEP_BLOCK), NEP_BLOCK, queue, x, outer, len, inner, weight, radius, out);
    return nep_cuda_launched(ctx, "smooth_axis");
}
