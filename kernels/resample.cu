/* SPDX-License-Identifier: Apache-2.0 */
/* resample - CUDA twin of src/backend/cpu_resample.c: a thread per voxel of the result; neighbours read neighbours. */
#include "launch.h"

static __global__ void resample_kernel(const float *c, int64_t n_vol, const nep_spline_plan p, float *out)
{
    const int64_t n_in = p.in[0] * p.in[1] * p.in[2], n_out = p.out[0] * p.out[1] * p.out[2];
    NEP_FOR_EACH (i, n_vol * n_out)
        out[i] = nep_spline_value(&p, c + i / n_out * n_in, i % n_out);
}

extern "C" nep_status nep_cuda_resample(nep_ctx *ctx, nep_queue *queue, const float *c, int64_t n_vol, const nep_spline_plan *plan,
                                        float *out)
{
    const int64_t n = n_vol * plan->out[0] * plan->out[1] * plan->out[2];
    NEP_LAUNCH(resample_kernel, nep_grid(n, NEP_BLOCK), NEP_BLOCK, queue, c, n_vol, *plan, out);
    return nep_cuda_launched(ctx, "resample");
}
