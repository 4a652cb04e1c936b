/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_neighbour_ranks - CPU twin of kernels/neighbour_ranks.cu: rows of ranks of a column's neighbours added up in blocks of time that
 * stay in registers. */
#include "backend/cpu.h"

enum { BLOCK = 64 };

/* Times t .. t + n of a column, of which those from `fresh` on are counted; sums of ranks in `type`. */
#define BLOCK_BODY(name, type)                                                                                                     \
    NEP_CPU_BODY void name(const int16_t *rank, int64_t n_t, const int32_t *near, int64_t n_near, int64_t t, int64_t n,            \
                           int64_t fresh, int64_t *sum, int64_t *squares)                                                          \
    {                                                                                                                              \
        type total[BLOCK] = {0};                                                                                                   \
        for (int64_t k = 0; k < n_near; k++) {                                                                                     \
            if (near[k] < 0)                                                                                                       \
                continue;                                                                                                          \
            const int16_t *row = rank + near[k] * n_t + t;                                                                         \
            for (int64_t i = 0; i < n; i++)                                                                                        \
                total[i] = (type)(total[i] + row[i]);                                                                              \
        }                                                                                                                          \
        for (int64_t i = fresh; i < n; i++) {                                                                                      \
            *sum += total[i];                                                                                                      \
            *squares += (int64_t)total[i] * total[i];                                                                              \
        }                                                                                                                          \
    }
BLOCK_BODY(narrow_body, int16_t)
BLOCK_BODY(wide_body, int32_t)

/* Whole blocks; the last one begins early enough to be whole, too. */
#define EACH_BLOCK(body)                                                                       \
    for (; t + BLOCK <= n_t; t += BLOCK)                                                       \
        body(rank, n_t, near, n_near, t, BLOCK, 0, &s, &q);                                    \
    if (t < n_t && n_t >= BLOCK)                                                               \
        body(rank, n_t, near, n_near, n_t - BLOCK, BLOCK, BLOCK - (n_t - t), &s, &q);          \
    else if (t < n_t)                                                                          \
        body(rank, n_t, near, n_near, 0, n_t, 0, &s, &q)

NEP_CPU_BODY void column_body(const int16_t *rank, int64_t n_t, const int32_t *near, int64_t n_near, int64_t *sum, int64_t *squares)
{
    int64_t s = 0, q = 0, t = 0;
    if (n_near * (n_t - 1) <= INT16_MAX) {
        EACH_BLOCK(narrow_body);
    } else {
        EACH_BLOCK(wide_body);
    }
    *sum = s;
    *squares = q;
}

typedef void column_function(const int16_t *, int64_t, const int32_t *, int64_t, int64_t *, int64_t *);

static void column_scalar(const int16_t *rank, int64_t n_t, const int32_t *near, int64_t n_near, int64_t *sum, int64_t *squares)
{
    column_body(rank, n_t, near, n_near, sum, squares);
}

NEP_CPU_AVX2_CODE static void column_avx2(const int16_t *rank, int64_t n_t, const int32_t *near, int64_t n_near, int64_t *sum,
                                          int64_t *squares)
{
    column_body(rank, n_t, near, n_near, sum, squares);
}

NEP_CPU_AVX512_CODE static void column_avx512(const int16_t *rank, int64_t n_t, const int32_t *near, int64_t n_near, int64_t *sum,
                                              int64_t *squares)
{
    column_body(rank, n_t, near, n_near, sum, squares);
}

nep_status nep_cpu_neighbour_ranks(nep_ctx *ctx, nep_queue *queue, const int16_t *rank, int64_t n_t, const int32_t *neighbour,
                                   int64_t n_near, int64_t n_out, int64_t *sum, int64_t *squares)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    column_function *const run = f >= NEP_CPU_AVX512 ? column_avx512 : f >= NEP_CPU_AVX2 ? column_avx2 : column_scalar;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t c = 0; c < n_out; c++)
        run(rank, n_t, neighbour + c * n_near, n_near, sum + c, squares + c);
    return NEP_OK;
}
