/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_smooth_axis - CPU twin of kernels/smooth_axis.cu: rows of the array are added up side by side; along the fastest axis a
 * line is first unrolled past its ends. */
#include "backend/cpu.h"

#include <omp.h>

#include <nepenthe/math/spline.h>

/* One output row of n values, each from 2 radius + 1 rows of a line whose row i starts at line + i * stride. */
NEP_CPU_BODY void row_body(const float *line, int64_t len, int64_t stride, int64_t i, const double *weight, int64_t radius, int64_t n,
                           float *out)
{
    double sum[NEP_CPU_TILE];
    const float *middle = line + i * stride;
    for (int64_t c = 0; c < n; c++)
        sum[c] = weight[0] * (double)middle[c];
    for (int64_t k = radius; k > 0; k--) {
        const float *a = line + nep_spline_reflect(i - k, len) * stride, *b = line + nep_spline_reflect(i + k, len) * stride;
        for (int64_t c = 0; c < n; c++)
            sum[c] += weight[k] * ((double)a[c] + (double)b[c]);
    }
    for (int64_t c = 0; c < n; c++)
        out[c] = (float)sum[c];
}

/* A whole line along the fastest axis; wide [len + 2 radius]. */
NEP_CPU_BODY void line_body(const float *x, int64_t len, const double *weight, int64_t radius, double *wide, float *out)
{
    for (int64_t i = -radius; i < len + radius; i++)
        wide[i + radius] = (double)x[nep_spline_reflect(i, len)];
    for (int64_t first = 0; first < len; first += NEP_CPU_TILE) {
        const int64_t n = nep_cpu_min(NEP_CPU_TILE, len - first);
        const double *w = wide + radius + first;
        double sum[NEP_CPU_TILE];
        for (int64_t c = 0; c < n; c++)
            sum[c] = weight[0] * w[c];
        for (int64_t k = radius; k > 0; k--)
            for (int64_t c = 0; c < n; c++)
                sum[c] += weight[k] * (w[c - k] + w[c + k]);
        for (int64_t c = 0; c < n; c++)
            out[first + c] = (float)sum[c];
    }
}

typedef void row_function(const float *, int64_t, int64_t, int64_t, const double *, int64_t, int64_t, float *);
typedef void line_function(const float *, int64_t, const double *, int64_t, double *, float *);

#define FAMILY(name, target)                                                                                                  \
    target static void row_##name(const float *line, int64_t len, int64_t stride, int64_t i, const double *weight,           \
                                  int64_t radius, int64_t n, float *out)                                                     \
    {                                                                                                                         \
        row_body(line, len, stride, i, weight, radius, n, out);                                                               \
    }                                                                                                                         \
    target static void line_##name(const float *x, int64_t len, const double *weight, int64_t radius, double *wide,          \
                                   float *out)                                                                                \
    {                                                                                                                         \
        line_body(x, len, weight, radius, wide, out);                                                                         \
    }
FAMILY(scalar, )
FAMILY(avx2, NEP_CPU_AVX2_CODE)
FAMILY(avx512, NEP_CPU_AVX512_CODE)

nep_status nep_cpu_smooth_axis(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t outer, int64_t len, int64_t inner,
                               const double *weight, int64_t radius, float *out)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    row_function *const row = f >= NEP_CPU_AVX512 ? row_avx512 : f >= NEP_CPU_AVX2 ? row_avx2 : row_scalar;
    line_function *const line = f >= NEP_CPU_AVX512 ? line_avx512 : f >= NEP_CPU_AVX2 ? line_avx2 : line_scalar;
    const int threads = nep_ctx_threads(ctx);
    const int64_t tiles = nep_cpu_tiles(inner, NEP_CPU_TILE), wide = len + 2 * radius;
    double *scratch = NULL;
    if (inner == 1)
        NEP_TRY(nep_alloc(ctx, threads * wide, sizeof *scratch, "lines", &scratch));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t t = 0; t < outer * tiles; t++) {
        const int64_t o = t / tiles, c = t % tiles * NEP_CPU_TILE;
        const float *from = x + o * len * inner + c;
        float *to = out + o * len * inner + c;
        if (inner == 1)
            line(from, len, weight, radius, scratch + omp_get_thread_num() * wide, to);
        else
            for (int64_t i = 0; i < len; i++)
                row(from, len, inner, i, weight, radius, nep_cpu_min(NEP_CPU_TILE, inner - c), to + i * inner);
    }
    nep_alloc_free(scratch);
    return NEP_OK;
}
