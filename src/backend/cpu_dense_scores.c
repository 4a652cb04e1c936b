/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_dense_scores - CPU twin of kernels/dense_scores.cu: float64 lane sums of single pairs of query and row. */
#include "backend/cpu.h"

/* Whole blocks of lanes first, so that a vector unit takes them side by side; the bits are those of nep_dense_sum. */
NEP_CPU_BODY double sum_body(nep_dense_type t, bool square, const float *q, const void *row, double unit, int64_t n)
{
    double total = 0.0;
    for (int64_t from = 0; from < n; from += NEP_LANES_CHUNK) {
        const int64_t to = nep_cpu_min(n, from + NEP_LANES_CHUNK);
        double lane[NEP_LANES] = {0};
        int64_t i = from;
        for (; i + NEP_LANES <= to; i += NEP_LANES)
            for (int l = 0; l < NEP_LANES; l++)
                lane[l] += nep_dense_term(square, (double)q[i + l], (double)nep_dense_item(t, row, i + l) * unit);
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
#pragma omp parallel for schedule(dynamic, 64) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < n_pairs; i++) {
        const int64_t r = pair_row[i];
        out[i] = pair(rows->type, square, query + pair_query[i] * rows->dims, (const char *)rows->row + r * bytes,
                      rows->type == NEP_DENSE_I8 ? (double)rows->scale[r] : 1.0, rows->dims);
    }
    return NEP_OK;
}
