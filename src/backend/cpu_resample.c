/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_resample - CPU twin of kernels/resample.cu: every voxel of the result on its own. */
#include "backend/cpu.h"

nep_status nep_cpu_resample(nep_ctx *ctx, nep_queue *queue, const float *c, int64_t n_vol, const nep_spline_plan *plan, float *out)
{
    (void)queue;
    const nep_spline_plan p = *plan;
    const int64_t n_in = p.in[0] * p.in[1] * p.in[2], n_out = p.out[0] * p.out[1] * p.out[2], rows = p.out[1] * p.out[2] * n_vol;
#pragma omp parallel for schedule(dynamic, 16) num_threads(nep_ctx_threads(ctx))
    for (int64_t r = 0; r < rows; r++) {
        const int64_t volume = r / (p.out[1] * p.out[2]), first = r % (p.out[1] * p.out[2]) * p.out[0];
        for (int64_t v = first; v < first + p.out[0]; v++)
            out[volume * n_out + v] = nep_spline_value(&p, c + volume * n_in, v);
    }
    return NEP_OK;
}
