/* SPDX-License-Identifier: Apache-2.0 */
/* mode_sums - CUDA twin of src/backend/cpu_mode_sums.c: a thread per place and MAPS maps, so that a mode is read once for all of them; each
 * sum in the order of the modes. */
#include "launch.h"

enum { MAPS = 8 };

static __global__ void mode_sums_kernel(const double *v, int64_t n_v, int64_t n_places, const double *c, int64_t n_maps, const double *base,
                                        double *out)
{
    const int64_t groups = (n_maps + MAPS - 1) / MAPS;
    NEP_FOR_EACH (task, groups * n_places) {
        const int64_t first = task / n_places * MAPS, i = task % n_places, n = n_maps - first < MAPS ? n_maps - first : (int64_t)MAPS;
        double sum[MAPS];
        NEP_UNROLL
        for (int b = 0; b < MAPS; b++)
            sum[b] = base[i];
        for (int64_t k = 0; k < n_v; k++) {
            const double mode = v[k * n_places + i];
            NEP_UNROLL
            for (int b = 0; b < MAPS; b++)
                if (b < n)
                    sum[b] += c[(first + b) * n_v + k] * mode;
        }
        NEP_UNROLL
        for (int b = 0; b < MAPS; b++)
            if (b < n)
                out[(first + b) * n_places + i] = sum[b];
    }
}

extern "C" nep_status nep_cuda_mode_sums(nep_ctx *ctx, nep_queue *queue, const double *v, int64_t n_v, int64_t n_places, const double *c,
                                         int64_t n_maps, const double *base, double *out)
{
    const int64_t tasks = (n_maps + MAPS - 1) / MAPS * n_places;
    NEP_LAUNCH(mode_sums_kernel, nep_grid(tasks, NEP_BLOCK), NEP_BLOCK, queue, v, n_v, n_places, c, n_maps, base, out);
    return nep_cuda_launched(ctx, "mode_sums");
}
