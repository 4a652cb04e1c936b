/* SPDX-License-Identifier: Apache-2.0 */
/* top_pairs - CUDA twin of src/backend/cpu_top_pairs.c: a block per 64 rows meets all others tile by tile; a thread per row settles
 * in float64 what may enter its list. */
#include "pair_tile.h"

#include <nepenthe/math/pair.h>

enum { EACH = 4, SIDE = PAIR_ACROSS * EACH, PITCH = SIDE + 1 };

static __global__ void top_pairs_kernel(const float *z, int64_t n, int64_t n_t, int64_t k, double margin, int32_t *index, double *value)
{
    NEP_SHARED(float, a, PAIR_ROOM(EACH));
    NEP_SHARED(float, b, PAIR_ROOM(EACH));
    NEP_SHARED(float, tile, SIDE * PITCH);
    const int x = (int)threadIdx.x % PAIR_ACROSS, y = (int)threadIdx.x / PAIR_ACROSS, line = (int)threadIdx.x;
    for (int64_t i0 = (int64_t)blockIdx.x * SIDE; i0 < n; i0 += (int64_t)gridDim.x * SIDE) {
        const int64_t i = i0 + line;
        const bool mine = line < SIDE && i < n;
        for (int64_t q = 0; mine && q < k; q++) {
            index[i * k + q] = -1;
            value[i * k + q] = (double)NAN;
        }
        for (int64_t j0 = 0; j0 < n; j0 += SIDE) {
            float r[EACH][EACH];
            pair_products<EACH>(z, n, n_t, i0, j0, a, b, r);
            NEP_UNROLL
            for (int u = 0; u < EACH; u++)
                NEP_UNROLL
                for (int v = 0; v < EACH; v++)
                    tile[(y + PAIR_ACROSS * u) * PITCH + x + PAIR_ACROSS * v] = r[u][v];
            __syncthreads();
            for (int c = 0; mine && c < SIDE && j0 + c < n; c++) {
                const int64_t j = j0 + c;
                if (j != i && tile[line * PITCH + c] >= nep_pair_gate(k, index + i * k, value + i * k, margin))
                    nep_pair_insert(nep_pair_product(z + i * n_t, z + j * n_t, n_t), (int32_t)j, k, index + i * k, value + i * k);
            }
            __syncthreads();
        }
    }
}

extern "C" nep_status nep_cuda_top_pairs(nep_ctx *ctx, nep_queue *queue, const float *z, int64_t n, int64_t n_t, int64_t k,
                                         int32_t *index, double *value)
{
    NEP_LAUNCH(top_pairs_kernel, nep_grid(n, SIDE), PAIR_THREADS, queue, z, n, n_t, k, nep_pair_margin(n_t), index, value);
    return nep_cuda_launched(ctx, "top_pairs");
}
