/* SPDX-License-Identifier: Apache-2.0 */
/* spin_nearest - CUDA twin of src/backend/cpu_spin_nearest.c: a thread per rotation and query. Queries come cube after cube, so the threads of a
 * warp look into the same few cubes. */
#include "launch.h"

static __global__ void spin_nearest_kernel(nep_sphere s, const double *rotation, int64_t n_rotations, int32_t *out)
{
    NEP_FOR_EACH (i, n_rotations * s.n_query) {
        const int64_t b = i / s.n_query, q = i % s.n_query;
        double back[3];
        nep_sphere_turn_back(rotation + 9 * b, s.query + 3 * q, back);
        out[b * s.n_query + s.column[q]] = nep_sphere_nearest(&s, back);
    }
}

extern "C" nep_status nep_cuda_spin_nearest(nep_ctx *ctx, nep_queue *queue, const nep_sphere *sphere, const double *rotation,
                                            int64_t n_rotations, int32_t *out)
{
    NEP_LAUNCH(spin_nearest_kernel, nep_grid(n_rotations * sphere->n_query, NEP_BLOCK), NEP_BLOCK, queue, *sphere, rotation, n_rotations, out);
    return nep_cuda_launched(ctx, "spin_nearest");
}
