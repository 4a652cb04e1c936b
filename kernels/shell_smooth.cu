/* SPDX-License-Identifier: Apache-2.0 */
/* shell_smooth - CUDA twin of src/backend/cpu_shell_smooth.c: a thread per place and column, so that sixteen threads read a line together; each
 * adds in the order of the CPU. */
#include "lines.h"

enum { SCALES = NEP_NEAR_SCALES, COLS = NEP_NEAR_COLS };

/* One column of the lines at a run of offsets, four sums side by side. */
static __device__ __forceinline__ float run_sum(const float *x, const int64_t *offset, int64_t n)
{
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    int64_t t = 0;
    for (; t + 4 <= n; t += 4) {
        NEP_UNROLL
        for (int k = 0; k < 4; k++)
            sum[k] += x[offset[t + k] * COLS];
    }
    for (; t < n; t++)
        sum[0] += x[offset[t] * COLS];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static __device__ __forceinline__ void smooth_one(const nep_shells *g, const float *x, int64_t i, int c, float *out)
{
    const float *here = x + (int64_t)g->slot[i] * COLS + c;
    const double *weight[SCALES];
    double sum[SCALES];
    int64_t cut[SCALES], t = 0, h = 0;
    NEP_UNROLL
    for (int s = 0; s < SCALES; s++) {
        cut[s] = g->cut[i * SCALES + s];
        weight[s] = g->weight + nep_shells_find(g->shell, g->n_shells, cut[s] - 1) * g->n_shells;
        sum[s] = 0.0;
    }
    while (t < cut[SCALES - 1]) {
        int64_t stop = g->shell[h + 1]; /* the end of the shell, or of the first neighbourhood that ends within it */
        const int64_t end = stop;
        NEP_UNROLL
        for (int s = 0; s < SCALES; s++)
            if (cut[s] > t && cut[s] < stop)
                stop = cut[s];
        const double v = (double)run_sum(here, g->offset + t, stop - t);
        NEP_UNROLL
        for (int s = 0; s < SCALES; s++)
            if (cut[s] > t)
                sum[s] += weight[s][h] * v;
        h += stop == end;
        t = stop;
    }
    NEP_UNROLL
    for (int s = 0; s < SCALES; s++)
        out[(s * g->n + i) * COLS + c] = (float)(sum[s] * g->norm[i * SCALES + s]);
}

static __global__ void shell_smooth_kernel(nep_shells g, const float *x, float *out)
{
    NEP_FOR_EACH (k, g.n * COLS)
        smooth_one(&g, x, k / COLS, (int)(k % COLS), out);
}

extern "C" nep_status nep_cuda_shell_smooth(nep_ctx *ctx, nep_queue *queue, const nep_shells *g, const float *value, const int32_t *order,
                                            float *lines, float *out)
{
    const nep_shells at = *g;
    lines_fill(queue, value, order, at.place, at.n, at.slots, lines, out + SCALES * at.n * COLS);
    NEP_TRY(nep_cuda_launched(ctx, "shell_smooth"));
    NEP_LAUNCH(shell_smooth_kernel, nep_grid(at.n * COLS, NEP_BLOCK), NEP_BLOCK, queue, at, (const float *)lines, out);
    return nep_cuda_launched(ctx, "shell_smooth");
}
