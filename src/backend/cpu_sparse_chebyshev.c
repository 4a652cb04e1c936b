/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_sparse_chebyshev - CPU twin of kernels/sparse_chebyshev.cu: each row of a step gathers the rows that its entries name, some columns in
 * registers, and writes over the step before the last. Each sum runs in the order of its entries, so that no bit depends on the division. */
#include "backend/cpu.h"

enum { PIECE = 256, /* rows that a thread takes at a time */ WIDE = 8 /* columns of a vector, which a family may make of several registers */ };
typedef double vec __attribute__((vector_size(WIDE * sizeof(double)), aligned(sizeof(double))));

typedef struct {
    const int64_t *start;
    const int32_t *column;
    const double *weight;
    int64_t n_cols;
    const double *before;
    double *now;
    bool first;
} step;

/* `wide` vectors of row i from column c on: a constant, so that the sums stay in registers. */
NEP_CPU_BODY void strip_body(const step *s, int64_t i, int64_t c, int wide)
{
    vec sum[2] = {0};
    for (int64_t k = s->start[i]; k < s->start[i + 1]; k++) {
        const double w = s->weight[k];
        const vec *from = (const vec *)(s->before + s->column[k] * s->n_cols + c);
#pragma GCC unroll 2
        for (int v = 0; v < wide; v++)
            sum[v] += w * from[v];
    }
    vec *to = (vec *)(s->now + i * s->n_cols + c);
#pragma GCC unroll 2
    for (int v = 0; v < wide; v++)
        to[v] = s->first ? sum[v] : 2.0 * sum[v] - to[v];
}

NEP_CPU_BODY void rows_body(const step *s, int64_t from, int64_t to, int wide)
{
    for (int64_t i = from; i < to; i++) {
        int64_t c = 0;
        for (; c + WIDE * wide <= s->n_cols; c += WIDE * wide)
            strip_body(s, i, c, wide);
        for (; c + WIDE <= s->n_cols; c += WIDE)
            strip_body(s, i, c, 1);
        for (; c < s->n_cols; c++) {
            double sum = 0.0, *now = s->now + i * s->n_cols + c;
            for (int64_t k = s->start[i]; k < s->start[i + 1]; k++)
                sum += s->weight[k] * s->before[s->column[k] * s->n_cols + c];
            *now = s->first ? sum : 2.0 * sum - *now;
        }
    }
}

typedef void rows_function(const step *s, int64_t from, int64_t to);

static void rows_any(const step *s, int64_t from, int64_t to)
{
    rows_body(s, from, to, 1);
}

NEP_CPU_AVX2_CODE static void rows_avx2(const step *s, int64_t from, int64_t to)
{
    rows_body(s, from, to, 2);
}

NEP_CPU_AVX512_CODE static void rows_avx512(const step *s, int64_t from, int64_t to)
{
    rows_body(s, from, to, 2);
}

nep_status nep_cpu_sparse_chebyshev(nep_ctx *ctx, nep_queue *queue, const int64_t *start, const int32_t *column, const double *weight,
                                    int64_t n_rows, int64_t n_cols, int64_t degree, double *even, double *odd)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    rows_function *const rows = f >= NEP_CPU_AVX512 ? rows_avx512 : f >= NEP_CPU_AVX2 ? rows_avx2 : rows_any;
    const bool worth_it = (start[n_rows] + n_rows) * n_cols > 1 << 16;
    for (int64_t k = 1; k <= degree; k++) {
        const step s = {start, column, weight, n_cols, k % 2 ? even : odd, k % 2 ? odd : even, k == 1};
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx)) if (worth_it)
        for (int64_t p = 0; p < nep_cpu_tiles(n_rows, PIECE); p++)
            rows(&s, p * PIECE, nep_cpu_min(p * PIECE + PIECE, n_rows));
        NEP_TRY(nep_ctx_check(ctx));
    }
    return NEP_OK;
}
