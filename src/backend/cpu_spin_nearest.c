/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_spin_nearest - CPU twin of kernels/spin_nearest.cu: tiles of a rotation's queries, so that few rotations keep all threads at work. */
#include "backend/cpu.h"

enum { TILE = 2048 };

nep_status nep_cpu_spin_nearest(nep_ctx *ctx, nep_queue *queue, const nep_sphere *sphere, const double *rotation, int64_t n_rotations,
                                int32_t *out)
{
    (void)queue;
    const nep_sphere s = *sphere;
    const int64_t tiles = nep_cpu_tiles(s.n_query, TILE);
#pragma omp parallel for schedule(dynamic, 4) num_threads(nep_ctx_threads(ctx))
    for (int64_t task = 0; task < n_rotations * tiles; task++) {
        const int64_t b = task / tiles, first = task % tiles * TILE, last = nep_cpu_min(first + TILE, s.n_query);
        for (int64_t q = first; q < last; q++) {
            double back[3];
            nep_sphere_turn_back(rotation + 9 * b, s.query + 3 * q, back);
            out[b * s.n_query + s.column[q]] = nep_sphere_nearest(&s, back);
        }
    }
    return NEP_OK;
}
