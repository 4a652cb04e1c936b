/* SPDX-License-Identifier: Apache-2.0 */
/* occupancy - CUDA twin of src/backend/cpu_occupancy.c. */
#include "launch.h"

#include <nepenthe/math/occupancy.h>

static __global__ void occupancy_kernel(const float *conc_nM, const float *kd_nM, const float *hill, int64_t n,
                                        float *out)
{
    NEP_FOR_EACH (i, n)
        out[i] = nep_occupancy_hill(conc_nM[i], kd_nM[i], hill[i]);
}

extern "C" nep_status nep_cuda_occupancy(nep_ctx *ctx, nep_queue *queue, const float *conc_nM, const float *kd_nM,
                                         const float *hill, int64_t n, float *out)
{
    NEP_LAUNCH(occupancy_kernel, nep_grid(n, NEP_BLOCK), NEP_BLOCK, queue, conc_nM, kd_nM, hill, n, out);
    return nep_cuda_launched(ctx, "occupancy");
}
