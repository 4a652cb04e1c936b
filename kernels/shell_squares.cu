/* SPDX-License-Identifier: Apache-2.0 */
/* shell_squares - CUDA twin of src/backend/cpu_shell_squares.c: a block per map and shell, sixteen columns by sixteen parts of the sample,
 * whose sums are added in order. */
#include "launch.h"

#include <nepenthe/math/neighbourhood.h>

enum { COLS = NEP_NEAR_COLS, PARTS = 16 };

/* The pairs of place i in shell h: half their squared differences in column c, or their number when x is NULL. */
static __device__ double pairs_of(const nep_shells *g, const float *x, int64_t i, int64_t h, int c)
{
    const int32_t *at = g->place + g->slot[i];
    const int64_t end = g->shell[h + 1] < g->whole[i] ? g->shell[h + 1] : (int64_t)g->whole[i];
    const float a = x ? x[i * COLS + c] : 0.0f;
    double sum = 0.0;
    for (int64_t t = g->shell[h]; t < end; t++) {
        const int64_t j = at[g->offset[t]];
        if (j >= 0)
            sum += x ? nep_near_half_square(a, x[j * COLS + c]) : 1.0;
    }
    return sum;
}

/* One map more than there are counts the pairs. */
static __global__ void shell_squares_kernel(nep_shells g, const float *x, int64_t n_maps, const int32_t *sample, int64_t n_sample,
                                            double *squares, double *pairs)
{
    NEP_SHARED(double, part, COLS *PARTS);
    const int c = (int)threadIdx.x % COLS, own = (int)threadIdx.x / COLS;
    for (int64_t k = blockIdx.x; k < (n_maps + 1) * g.n_bins; k += gridDim.x) {
        const int64_t m = k / g.n_bins, h = k % g.n_bins;
        double sum = 0.0;
        for (int64_t r = own; r < n_sample; r += PARTS)
            sum += pairs_of(&g, m < n_maps ? x + m * g.n * COLS : (const float *)0, sample[r], h, c);
        part[threadIdx.x] = sum;
        __syncthreads();
        if (own == 0) {
            for (int p = 1; p < PARTS; p++)
                sum += part[p * COLS + c];
            if (m < n_maps)
                squares[k * COLS + c] = sum;
            else if (c == 0)
                pairs[h] = sum;
        }
        __syncthreads();
    }
}

extern "C" nep_status nep_cuda_shell_squares(nep_ctx *ctx, nep_queue *queue, const nep_shells *g, const float *x, int64_t n_maps,
                                             const int32_t *sample, int64_t n_sample, double *squares, double *pairs)
{
    const nep_shells at = *g;
    NEP_LAUNCH(shell_squares_kernel, nep_grid((n_maps + 1) * at.n_bins, 1), COLS * PARTS, queue, at, x, n_maps, sample, n_sample, squares,
               pairs);
    return nep_cuda_launched(ctx, "shell_squares");
}
