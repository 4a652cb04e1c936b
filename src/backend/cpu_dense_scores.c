/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_dense_scores - CPU twin of kernels/dense_scores.cu: float64 lane sums of single pairs of query and row. */
#include "backend/cpu.h"

#include <string.h>

enum { WIDE = 8, WIDES = NEP_LANES / WIDE, AHEAD = 4096 };
typedef double wide __attribute__((vector_size(WIDE * sizeof(double))));
typedef float narrow __attribute__((vector_size(WIDE * sizeof(float))));

/* WIDE items from i on, as float64 and without the scale of int8. */
NEP_CPU_BODY void load(nep_dense_type t, const void *row, int64_t i, wide *out)
{
    narrow v;
    if (t == NEP_DENSE_F32)
        memcpy(&v, (const float *)row + i, sizeof v);
    else
        for (int l = 0; l < WIDE; l++)
            v[l] = nep_dense_item(t, row, i + l);
    *out = __builtin_convertvector(v, wide);
}

/* Whole blocks of lanes first, in vectors; the bits are those of nep_dense_sum. */
NEP_CPU_BODY double sum_body(nep_dense_type t, bool square, const float *q, const void *row, double unit, int64_t n)
{
    double total = 0.0;
    for (int64_t from = 0; from < n; from += NEP_LANES_CHUNK) {
        const int64_t to = nep_cpu_min(n, from + NEP_LANES_CHUNK);
        wide sum[WIDES] = {{0}};
        double lane[NEP_LANES];
        int64_t i = from;
        for (; i + NEP_LANES <= to; i += NEP_LANES) {
#pragma GCC unroll 4
            for (int k = 0; k < WIDES; k++) {
                wide a, b;
                load(NEP_DENSE_F32, q, i + k * WIDE, &a);
                load(t, row, i + k * WIDE, &b);
                if (t == NEP_DENSE_I8)
                    b *= unit;
                sum[k] += square ? (a - b) * (a - b) : a * b;
            }
        }
        memcpy(lane, sum, sizeof lane);
        for (int l = 0; i + l < to; l++)
            lane[l] += nep_dense_term(square, (double)q[i + l], (double)nep_dense_item(t, row, i + l) * unit);
        total += nep_lanes_fold(lane);
    }
    return total;
}

/* Types and squares are spelled out so that the loops over lanes are plain. */
NEP_CPU_BODY double pair_body(nep_dense_type t, bool square, const float *q, const void *row, double unit, int64_t n)
{
#define CASE(type)                                                                                                    \
    if (t == (type))                                                                                                  \
        return square ? sum_body(type, true, q, row, unit, n) : sum_body(type, false, q, row, unit, n)
    CASE(NEP_DENSE_F32);
    CASE(NEP_DENSE_F16);
    CASE(NEP_DENSE_BF16);
#undef CASE
    return square ? sum_body(NEP_DENSE_I8, true, q, row, unit, n) : sum_body(NEP_DENSE_I8, false, q, row, unit, n);
}

typedef double pair_function(nep_dense_type t, bool square, const float *q, const void *row, double unit, int64_t n);

static double pair_scalar(nep_dense_type t, bool square, const float *q, const void *row, double unit, int64_t n)
{
    return pair_body(t, square, q, row, unit, n);
}

NEP_CPU_AVX2_CODE static double pair_avx2(nep_dense_type t, bool square, const float *q, const void *row, double unit, int64_t n)
{
    return pair_body(t, square, q, row, unit, n);
}

NEP_CPU_AVX512_CODE static double pair_avx512(nep_dense_type t, bool square, const float *q, const void *row, double unit, int64_t n)
{
    return pair_body(t, square, q, row, unit, n);
}

nep_status nep_cpu_dense_scores(nep_ctx *ctx, nep_queue *queue, const nep_dense_rows *rows, const float *query, bool square,
                                const int32_t *pair_query, const int32_t *pair_row, int64_t n_pairs, double *out)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    pair_function *const pair = f >= NEP_CPU_AVX512 ? pair_avx512 : f >= NEP_CPU_AVX2 ? pair_avx2 : pair_scalar;
    const int64_t bytes = rows->stride * nep_dense_size(rows->type);
#pragma omp parallel for schedule(dynamic, 16) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < n_pairs; i++) {
        const int64_t r = pair_row[i], next = pair_row[i + 1 < n_pairs ? i + 1 : i];
        for (int64_t b = 0; b < bytes && b < AHEAD; b += 64) /* rows lie far apart: the next one is asked for meanwhile */
            __builtin_prefetch((const char *)rows->row + next * bytes + b, 0, 2);
        out[i] = pair(rows->type, square, query + pair_query[i] * rows->dims, (const char *)rows->row + r * bytes,
                      rows->type == NEP_DENSE_I8 ? (double)rows->scale[r] : 1.0, rows->dims);
    }
    return NEP_OK;
}
