/* SPDX-License-Identifier: Apache-2.0 */
/* difference_squares - CUDA twin of src/backend/cpu_difference_squares.c: a block per time point, a warp per chunk of
 * the row, the sums of chunks added in order. */
#include "launch.h"

#include <nepenthe/math/lanes.h>

enum { PARTS = 64 }; /* chunks between two barriers */

static __device__ double chunk_sum(const float *now, const float *before, const double *weight, int64_t n, int lane)
{
    double s = 0.0;
    for (int64_t i = lane; i < n; i += NEP_WARP) {
        const double d = (double)now[i] - (double)before[i];
        s += weight ? weight[i] * (d * d) : d * d;
    }
    return nep_warp_fold(s);
}

static __global__ void difference_squares_kernel(const float *x, int64_t n_t, int64_t n_cols, const double *weight,
                                                 double *out)
{
    NEP_SHARED(double, part, PARTS);
    const int lane = (int)(threadIdx.x % NEP_WARP);
    const int64_t warp = threadIdx.x / NEP_WARP, warps = blockDim.x / NEP_WARP, chunks = nep_lanes_chunks(n_cols);
    if (blockIdx.x == 0 && threadIdx.x == 0)
        out[0] = 0.0;
    for (int64_t t = 1 + blockIdx.x; t < n_t; t += gridDim.x) {
        double sum = 0.0;
        for (int64_t base = 0; base < chunks; base += PARTS) {
            const int64_t here = chunks - base < PARTS ? chunks - base : (int64_t)PARTS;
            for (int64_t k = warp; k < here; k += warps) {
                const int64_t c = (base + k) * NEP_LANES_CHUNK;
                const int64_t n = n_cols - c < NEP_LANES_CHUNK ? n_cols - c : (int64_t)NEP_LANES_CHUNK;
                const double s = chunk_sum(x + t * n_cols + c, x + (t - 1) * n_cols + c, weight ? weight + c : NULL,
                                           n, lane);
                if (lane == 0)
                    part[k] = s;
            }
            __syncthreads();
            if (threadIdx.x == 0)
                for (int64_t k = 0; k < here; k++)
                    sum += part[k];
            __syncthreads();
        }
        if (threadIdx.x == 0)
            out[t] = sum;
    }
}

extern "C" nep_status nep_cuda_difference_squares(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t,
                                                  int64_t n_cols, const double *weight, double *out)
{
    NEP_LAUNCH(difference_squares_kernel, nep_grid(n_t - 1, 1), NEP_BLOCK, queue, x, n_t, n_cols, weight, out);
    return nep_cuda_launched(ctx, "difference_squares");
}
