/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_list_smooth - CPU twin of kernels/list_smooth.cu: a line of sixteen columns in registers, four neighbourhoods in one pass over a list. */
#include "backend/cpu_lines.h"

enum { SCALES = NEP_NEAR_SCALES, COLS = NEP_NEAR_COLS };

NEP_CPU_BODY void smooth_body(const nep_lists *g, const float *x, int64_t i, float *out)
{
    const int32_t *near = g->near + i * g->neighbours;
    const float *far = g->far + i * g->neighbours;
    const double *scale = g->scale + i * SCALES;
    nep_half_wide sum[SCALES][2] = {{{0}}};
    for (int from = 0; from < SCALES; from++)
        for (int64_t t = from ? nep_near_count(g->neighbours, from - 1) : 0; t < nep_near_count(g->neighbours, from); t++) {
            nep_half_line part[2];
            nep_half_wide v[2];
            memcpy(part, x + (int64_t)near[t] * COLS, sizeof part);
            nep_line_widen(part, v);
            for (int s = from; s < SCALES; s++) {
                const double w = nep_near_weight(g->table, (double)far[t] * scale[s]);
                sum[s][0] += w * v[0];
                sum[s][1] += w * v[1];
            }
        }
    for (int s = 0; s < SCALES; s++)
        nep_line_store(sum[s], g->norm[i * SCALES + s], out + (s * g->n + i) * COLS);
}

typedef void smooth_function(const nep_lists *g, const float *x, int64_t i, float *out);

static void smooth_scalar(const nep_lists *g, const float *x, int64_t i, float *out)
{
    smooth_body(g, x, i, out);
}

NEP_CPU_AVX2_CODE static void smooth_avx2(const nep_lists *g, const float *x, int64_t i, float *out)
{
    smooth_body(g, x, i, out);
}

NEP_CPU_AVX512_CODE static void smooth_avx512(const nep_lists *g, const float *x, int64_t i, float *out)
{
    smooth_body(g, x, i, out);
}

nep_status nep_cpu_list_smooth(nep_ctx *ctx, nep_queue *queue, const nep_lists *g, const float *value, const int32_t *order, float *lines,
                               float *out)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    smooth_function *const work = f >= NEP_CPU_AVX512 ? smooth_avx512 : f >= NEP_CPU_AVX2 ? smooth_avx2 : smooth_scalar;
    const int threads = nep_ctx_threads(ctx);
    nep_lines_fill(value, order, NULL, g->n, g->n, threads, lines, out + SCALES * g->n * COLS);
#pragma omp parallel for schedule(dynamic, 64) num_threads(threads)
    for (int64_t i = 0; i < g->n; i++)
        work(g, lines, i, out);
    return NEP_OK;
}
