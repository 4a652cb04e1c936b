/* SPDX-License-Identifier: Apache-2.0 */
/* list_smooth - CUDA twin of src/backend/cpu_list_smooth.c: a thread per place and column, a warp holds two places. Of sixteen neighbours
 * at a time each thread finds one and its weights, which the sixteen columns then hand each other; each adds in the order of the CPU. */
#include "lines.h"

enum { SCALES = NEP_NEAR_SCALES, COLS = NEP_NEAR_COLS, PER_WARP = NEP_WARP / COLS };

/* Neighbours from t on, one per thread. */
static __device__ __forceinline__ void find(const nep_lists *g, int64_t i, int64_t t, int64_t most, int32_t *near, double *weight)
{
    *near = 0;
    NEP_UNROLL
    for (int s = 0; s < SCALES; s++)
        weight[s] = 0.0;
    if (t >= most)
        return;
    *near = g->near[i * g->neighbours + t];
    const double far = (double)g->far[i * g->neighbours + t];
    NEP_UNROLL
    for (int s = 0; s < SCALES; s++)
        if (t < nep_near_count(g->neighbours, s))
            weight[s] = nep_near_weight(g->table, far * g->scale[i * SCALES + s]);
}

/* The whole warp together; counts of neighbours are the same for all places. */
static __device__ __forceinline__ void smooth(const nep_lists *g, const float *x, int64_t i, double *sum)
{
    const unsigned lane = threadIdx.x % NEP_WARP, c = lane % COLS;
    const int64_t most = nep_near_count(g->neighbours, SCALES - 1);
    for (int64_t t = 0; t < most; t += COLS) {
        int32_t near;
        double weight[SCALES];
        find(g, i, t + c, most, &near, weight);
        for (unsigned k = 0; k < COLS && t + k < most; k++) {
            const unsigned from = lane - c + k;
            const double v = (double)x[(int64_t)__shfl_sync(NEP_ALL_LANES, near, from) * COLS + c];
            NEP_UNROLL
            for (int s = 0; s < SCALES; s++) {
                const double w = __shfl_sync(NEP_ALL_LANES, weight[s], from);
                if (t + k < nep_near_count(g->neighbours, s)) /* not 0 times what may be missing */
                    sum[s] += w * v;
            }
        }
    }
}

static __global__ void list_smooth_kernel(nep_lists g, const float *x, float *out)
{
    const int64_t warps = (int64_t)gridDim.x * (blockDim.x / NEP_WARP),
                  warp = (int64_t)blockIdx.x * (blockDim.x / NEP_WARP) + threadIdx.x / NEP_WARP;
    const int c = (int)threadIdx.x % COLS, half = (int)(threadIdx.x % NEP_WARP) / COLS;
    for (int64_t first = warp * PER_WARP; first < g.n; first += warps * PER_WARP) {
        const int64_t i = first + half < g.n ? first + half : first; /* a half without a place of its own goes along */
        double sum[SCALES] = {0.0, 0.0, 0.0, 0.0};
        smooth(&g, x, i, sum);
        if (first + half >= g.n)
            continue;
        NEP_UNROLL
        for (int s = 0; s < SCALES; s++)
            out[(s * g.n + i) * COLS + c] = (float)(sum[s] * g.norm[i * SCALES + s]);
    }
}

extern "C" nep_status nep_cuda_list_smooth(nep_ctx *ctx, nep_queue *queue, const nep_lists *g, const float *value, const int32_t *order,
                                           float *lines, float *out)
{
    const nep_lists at = *g;
    lines_fill(queue, value, order, NULL, at.n, at.n, lines, out + SCALES * at.n * COLS);
    NEP_TRY(nep_cuda_launched(ctx, "list_smooth"));
    NEP_LAUNCH(list_smooth_kernel, nep_grid(at.n * COLS, NEP_BLOCK), NEP_BLOCK, queue, at, (const float *)lines, out);
    return nep_cuda_launched(ctx, "list_smooth");
}
