/* SPDX-License-Identifier: Apache-2.0 */
/* pair_tile - products of 64 x 64 rows by a block of 256 threads, 4 x 4 each, in shared memory and registers. */
#ifndef NEP_KERNELS_PAIR_TILE_H
#define NEP_KERNELS_PAIR_TILE_H

#include "launch.h"

enum { PAIR_SIDE = 64, PAIR_DEPTH = 16, PAIR_PITCH = PAIR_SIDE + 1, PAIR_THREADS = 256, PAIR_EACH = 4 };

/* PAIR_DEPTH values from t0 on of PAIR_SIDE rows from `first`, zero past the end: tile[t, row]. */
static __device__ void pair_load(const float *z, int64_t n, int64_t n_t, int64_t first, int64_t t0, float *tile)
{
    for (int i = (int)threadIdx.x; i < PAIR_SIDE * PAIR_DEPTH; i += PAIR_THREADS) {
        const int row = i / PAIR_DEPTH, t = i % PAIR_DEPTH;
        tile[t * PAIR_PITCH + row] = first + row < n && t0 + t < n_t ? z[(first + row) * n_t + t0 + t] : 0.0f;
    }
}

/* r[u][v] = z[i0 + 4 y + u] . z[j0 + 4 x + v], x = thread % 16, y = thread / 16. a and b are shared, [DEPTH, PITCH] each. */
static __device__ void pair_products(const float *z, int64_t n, int64_t n_t, int64_t i0, int64_t j0, float *a, float *b,
                                     float r[PAIR_EACH][PAIR_EACH])
{
    const int x = (int)threadIdx.x % 16 * PAIR_EACH, y = (int)threadIdx.x / 16 * PAIR_EACH;
    for (int u = 0; u < PAIR_EACH; u++)
        for (int v = 0; v < PAIR_EACH; v++)
            r[u][v] = 0.0f;
    for (int64_t t0 = 0; t0 < n_t; t0 += PAIR_DEPTH) {
        pair_load(z, n, n_t, i0, t0, a);
        pair_load(z, n, n_t, j0, t0, b);
        __syncthreads();
        for (int t = 0; t < PAIR_DEPTH; t++)
            for (int u = 0; u < PAIR_EACH; u++)
                for (int v = 0; v < PAIR_EACH; v++)
                    r[u][v] += a[t * PAIR_PITCH + y + u] * b[t * PAIR_PITCH + x + v];
        __syncthreads();
    }
}

#endif
