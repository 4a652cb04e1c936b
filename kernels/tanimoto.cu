/* SPDX-License-Identifier: Apache-2.0 */
/* tanimoto - CUDA twin of src/backend/cpu_tanimoto.c: tiles of 16 x 16 pairs share 16 words of each row. */
#include "launch.h"

enum { SIDE = 16, PITCH = SIDE + 1 };

/* Words w0 .. w0 + 15 of 16 rows from `first`, zero past the end. */
static __device__ void load_tile(const uint64_t *rows, int64_t n, int64_t words, int64_t first, int64_t w0,
                                 unsigned long long *tile)
{
    const int64_t row = first + threadIdx.y, w = w0 + threadIdx.x;
    tile[threadIdx.y * PITCH + threadIdx.x] = row < n && w < words ? rows[row * words + w] : 0;
}

static __global__ void tanimoto_kernel(const uint64_t *a, int64_t n_a, const uint64_t *b, int64_t n_b, int64_t words,
                                       int32_t *common, int32_t *total)
{
    NEP_SHARED(unsigned long long, tile_a, SIDE * PITCH);
    NEP_SHARED(unsigned long long, tile_b, SIDE * PITCH);
    const int64_t tiles_b = (n_b + SIDE - 1) / SIDE, tiles = (n_a + SIDE - 1) / SIDE * tiles_b;
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const int64_t i0 = tile / tiles_b * SIDE, j0 = tile % tiles_b * SIDE;
        int both = 0, either = 0;
        for (int64_t w0 = 0; w0 < words; w0 += SIDE) {
            load_tile(a, n_a, words, i0, w0, tile_a);
            load_tile(b, n_b, words, j0, w0, tile_b);
            __syncthreads();
            for (int w = 0; w < SIDE; w++) {
                const unsigned long long u = tile_a[threadIdx.y * PITCH + w], v = tile_b[threadIdx.x * PITCH + w];
                both += __popcll(u & v);
                either += __popcll(u | v);
            }
            __syncthreads();
        }
        const int64_t i = i0 + threadIdx.y, j = j0 + threadIdx.x;
        if (i < n_a && j < n_b) {
            common[i * n_b + j] = both;
            total[i * n_b + j] = either;
        }
    }
}

extern "C" nep_status nep_cuda_tanimoto(nep_ctx *ctx, nep_queue *queue, const uint64_t *a, int64_t n_a,
                                        const uint64_t *b, int64_t n_b, int64_t words, int32_t *common, int32_t *total)
{
    const int64_t tiles = (n_a + SIDE - 1) / SIDE * ((n_b + SIDE - 1) / SIDE);
    NEP_LAUNCH(tanimoto_kernel, nep_grid(tiles, 1), dim3(SIDE, SIDE), queue, a, n_a, b, n_b, words, common, total);
    return nep_cuda_launched(ctx, "tanimoto");
}
