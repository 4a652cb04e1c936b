/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_shell_smooth - CPU twin of kernels/shell_smooth.cu: a line of sixteen columns in registers, four neighbourhoods in one pass. */
#include "backend/cpu_lines.h"

enum { SCALES = NEP_NEAR_SCALES, COLS = NEP_NEAR_COLS };

typedef float line __attribute__((vector_size(COLS * sizeof(float)), aligned(4)));

/* Sum of the lines at a run of offsets, four sums side by side. */
NEP_CPU_BODY void run_sum(const float *x, const int64_t *offset, int64_t n, line *out)
{
    line sum[4] = {{0}, {0}, {0}, {0}};
    int64_t t = 0;
    for (; t + 4 <= n; t += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += *(const line *)(const void *)(x + offset[t + k] * COLS);
    for (; t < n; t++)
        sum[0] += *(const line *)(const void *)(x + offset[t] * COLS);
    *out = (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

NEP_CPU_BODY void smooth_body(const nep_shells *g, const float *x, int64_t i, float *out)
{
    const int32_t *cut = g->cut + i * SCALES;
    const double *weight[SCALES];
    const float *here = x + (int64_t)g->slot[i] * COLS;
    nep_half_wide sum[SCALES][2] = {{{0}}};
    int from = 0;
    for (int s = 0; s < SCALES; s++)
        weight[s] = g->weight + nep_shells_find(g->shell, g->n_shells, cut[s] - 1) * g->n_shells;
    for (int64_t t = 0, h = 0; t < cut[SCALES - 1];) {
        const int64_t end = g->shell[h + 1], stop = cut[from] < end ? cut[from] : end;
        line all;
        nep_half_line part[2];
        nep_half_wide v[2];
        run_sum(here, g->offset + t, stop - t, &all);
        memcpy(part, &all, sizeof part);
        nep_line_widen(part, v);
        for (int s = from; s < SCALES; s++) {
            sum[s][0] += weight[s][h] * v[0];
            sum[s][1] += weight[s][h] * v[1];
        }
        while (from < SCALES - 1 && cut[from] <= stop)
            from++;
        h += stop == end;
        t = stop;
    }
    for (int s = 0; s < SCALES; s++)
        nep_line_store(sum[s], g->norm[i * SCALES + s], out + (s * g->n + i) * COLS);
}

typedef void smooth_function(const nep_shells *g, const float *x, int64_t begin, int64_t end, float *out);

static void smooth_scalar(const nep_shells *g, const float *x, int64_t begin, int64_t end, float *out)
{
    for (int64_t i = begin; i < end; i++)
        smooth_body(g, x, i, out);
}

NEP_CPU_AVX2_CODE static void smooth_avx2(const nep_shells *g, const float *x, int64_t begin, int64_t end, float *out)
{
    for (int64_t i = begin; i < end; i++)
        smooth_body(g, x, i, out);
}

NEP_CPU_AVX512_CODE static void smooth_avx512(const nep_shells *g, const float *x, int64_t begin, int64_t end, float *out)
{
    for (int64_t i = begin; i < end; i++)
        smooth_body(g, x, i, out);
}

nep_status nep_cpu_shell_smooth(nep_ctx *ctx, nep_queue *queue, const nep_shells *g, const float *value, const int32_t *order, float *lines,
                                float *out)
{
    enum { ROWS = 512 };
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    smooth_function *const work = f >= NEP_CPU_AVX512 ? smooth_avx512 : f >= NEP_CPU_AVX2 ? smooth_avx2 : smooth_scalar;
    const int threads = nep_ctx_threads(ctx);
    nep_lines_fill(value, order, g->place, g->n, g->slots, threads, lines, out + SCALES * g->n * COLS);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t b = 0; b < g->n; b += ROWS)
        work(g, lines, b, nep_cpu_min(b + ROWS, g->n), out);
    return NEP_OK;
}
