/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_occupancy - CPU twin of kernels/occupancy.cu. */
#include "backend/cpu.h"

#include <nepenthe/math/occupancy.h>

nep_status nep_cpu_occupancy(nep_ctx *ctx, nep_queue *queue, const float *conc_nM, const float *kd_nM,
                             const float *hill, int64_t n, float *out)
{
    (void)queue;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx)) if (n > 65536) /* below, waking threads costs more */
    for (int64_t i = 0; i < n; i++)
        out[i] = nep_occupancy_hill(conc_nM[i], kd_nM[i], hill[i]);
    return NEP_OK;
}
