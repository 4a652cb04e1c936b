/* SPDX-License-Identifier: Apache-2.0 */
/* top_pairs - CUDA twin of src/backend/cpu_top_pairs.c: a block per 64 rows meets all others tile by tile; a thread per row settles
 * in float64 what may enter its list. */
#include "pair_tile.h"

#include <nepenthe/math/pair.h>

static __global__ void top_pairs_kernel(const float *z, int64_t n, int64_t n_t, int64_t k, double margin, int32_t *index, double *value)
{
    NEP_SHARED(float, a, PAIR_DEPTH * PAIR_PITCH);
    NEP_SHARED(float, b, PAIR_DEPTH * PAIR_PITCH);
    NEP_SHARED(float, tile, PAIR_SIDE * PAIR_PITCH);
    const int x = (int)threadIdx.x % 16 * PAIR_EACH, y = (int)threadIdx.x / 16 * PAIR_EACH, line = (int)threadIdx.x;
    for (int64_t i0 = (int64_t)blockIdx.x * PAIR_SIDE; i0 < n; i0 += (int64_t)gridDim.x * PAIR_SIDE) {
        const int64_t i = i0 + line;
        const bool mine = line < PAIR_SIDE && i < n;
        for (int64_t q = 0; mine && q < k; q++) {
            index[i * k + q] = -1;
            value[i * k + q] = (double)NAN;
        }
        for (int64_t j0 = 0; j0 < n; j0 += PAIR_SIDE) {
            float r[PAIR_EACH][PAIR_EACH];
            pair_products(z, n, n_t, i0, j0, a, b, r);
            for (int u = 0; u < PAIR_EACH; u++)
                for (int v = 0; v < PAIR_EACH; v++)
                    tile[(y + u) * PAIR_PITCH + x + v] = r[u][v];
            __syncthreads();
            for (int c = 0; mine && c < PAIR_SIDE && j0 + c < n; c++) {
                const int64_t j = j0 + c;
                if (j != i && tile[line * PAIR_PITCH + c] >= nep_pair_gate(k, index + i * k, value + i * k, margin))
                    nep_pair_insert(nep_pair_product(z + i * n_t, z + j * n_t, n_t), (int32_t)j, k, index + i * k, value + i * k);
            }
            __syncthreads();
        }
    }
}

extern "C" nep_status nep_cuda_top_pairs(nep_ctx *ctx, nep_queue *queue, const float *z, int64_t n, int64_t n_t, int64_t k,
                                         int32_t *index, double *value)
{
    NEP_LAUNCH(top_pairs_kernel, nep_grid(n, PAIR_SIDE), PAIR_THREADS, queue, z, n, n_t, k, nep_pair_margin(n_t), index, value);
    return nep_cuda_launched(ctx, "top_pairs");
}
