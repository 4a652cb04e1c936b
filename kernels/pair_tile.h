/* SPDX-License-Identifier: Apache-2.0 */
/* pair_tile - products of SIDE x SIDE rows by a block of 16 x 16 threads, EACH x EACH products per thread, SIDE = 16 EACH. Thread
 * (x, y) has rows y + 16 u and columns x + 16 v, so that the threads of a warp read neighbours in shared memory. */
#ifndef NEP_KERNELS_PAIR_TILE_H
#define NEP_KERNELS_PAIR_TILE_H

#include "launch.h"

enum { PAIR_ACROSS = 16, PAIR_THREADS = PAIR_ACROSS * PAIR_ACROSS, PAIR_DEPTH = 16 };

/* Floats of one of the two tiles of rows in shared memory. */
#define PAIR_ROOM(each) (PAIR_DEPTH * (PAIR_ACROSS * (each) + 1))

/* PAIR_DEPTH values from t0 on of SIDE rows from `first`, zero past the end: tile[t, row]. */
template <int EACH>
static __device__ void pair_load(const float *z, int64_t n, int64_t n_t, int64_t first, int64_t t0, float *tile)
{
    const int side = PAIR_ACROSS * EACH;
    for (int i = (int)threadIdx.x; i < side * PAIR_DEPTH; i += PAIR_THREADS) {
        const int row = i / PAIR_DEPTH, t = i % PAIR_DEPTH;
        tile[t * (side + 1) + row] = first + row < n && t0 + t < n_t ? z[(first + row) * n_t + t0 + t] : 0.0f;
    }
}

/* r[u][v] += a[t, y + 16 u] b[t, x + 16 v] over the PAIR_DEPTH values of two tiles. */
template <int EACH>
static __device__ __forceinline__ void pair_step(const float *a, const float *b, float (&r)[EACH][EACH])
{
    const int pitch = PAIR_ACROSS * EACH + 1, x = (int)threadIdx.x % PAIR_ACROSS, y = (int)threadIdx.x / PAIR_ACROSS;
    for (int t = 0; t < PAIR_DEPTH; t++) {
        float left[EACH], right[EACH];
        NEP_UNROLL
        for (int u = 0; u < EACH; u++) {
            left[u] = a[t * pitch + y + PAIR_ACROSS * u];
            right[u] = b[t * pitch + x + PAIR_ACROSS * u];
        }
        NEP_UNROLL
        for (int u = 0; u < EACH; u++)
            NEP_UNROLL
            for (int v = 0; v < EACH; v++)
                r[u][v] = fmaf(left[u], right[v], r[u][v]);
    }
}

/* r[u][v] = z[i0 + y + 16 u] . z[j0 + x + 16 v]. a and b are shared, PAIR_ROOM(EACH) each. fmaf: nep_pair_margin holds for it too. */
template <int EACH>
static __device__ __forceinline__ void pair_products(const float *z, int64_t n, int64_t n_t, int64_t i0, int64_t j0, float *a, float *b,
                                     float (&r)[EACH][EACH])
{
    NEP_UNROLL
    for (int u = 0; u < EACH; u++)
        NEP_UNROLL
        for (int v = 0; v < EACH; v++)
            r[u][v] = 0.0f;
    for (int64_t t0 = 0; t0 < n_t; t0 += PAIR_DEPTH) {
        pair_load<EACH>(z, n, n_t, i0, t0, a);
        pair_load<EACH>(z, n, n_t, j0, t0, b);
        __syncthreads();
        pair_step<EACH>(a, b, r);
        __syncthreads();
    }
}

#endif
