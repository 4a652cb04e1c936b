/* SPDX-License-Identifier: Apache-2.0 */
/* neighbour_ranks - CUDA twin of src/backend/cpu_neighbour_ranks.c: a block per column, a thread per time point; rows of neighbours
 * are read side by side and stay in the cache for the next columns. */
#include "launch.h"

static __global__ void neighbour_ranks_kernel(const int16_t *rank, int64_t n_t, const int32_t *neighbour, int64_t n_near, int64_t n_out,
                                              int64_t *sum, int64_t *squares)
{
    NEP_SHARED(int64_t, sums, NEP_BLOCK);
    NEP_SHARED(int64_t, powers, NEP_BLOCK);
    for (int64_t c = blockIdx.x; c < n_out; c += gridDim.x) {
        int64_t s = 0, q = 0;
        for (int64_t t = threadIdx.x; t < n_t; t += blockDim.x) {
            int64_t total = 0;
            for (int64_t k = 0; k < n_near; k++) {
                const int32_t near = neighbour[c * n_near + k];
                total += near < 0 ? 0 : rank[near * n_t + t];
            }
            s += total;
            q += total * total;
        }
        sums[threadIdx.x] = s;
        powers[threadIdx.x] = q;
        __syncthreads();
        if (threadIdx.x == 0) {
            for (unsigned i = 1; i < blockDim.x; i++) {
                s += sums[i];
                q += powers[i];
            }
            sum[c] = s;
            squares[c] = q;
        }
        __syncthreads();
    }
}

extern "C" nep_status nep_cuda_neighbour_ranks(nep_ctx *ctx, nep_queue *queue, const int16_t *rank, int64_t n_t, const int32_t *neighbour,
                                               int64_t n_near, int64_t n_out, int64_t *sum, int64_t *squares)
{
    const unsigned block = n_t < NEP_BLOCK ? (unsigned)((n_t + NEP_WARP - 1) / NEP_WARP * NEP_WARP) : (unsigned)NEP_BLOCK;
    NEP_LAUNCH(neighbour_ranks_kernel, nep_grid(n_out, 1), block, queue, rank, n_t, neighbour, n_near, n_out, sum, squares);
    return nep_cuda_launched(ctx, "neighbour_ranks");
}
