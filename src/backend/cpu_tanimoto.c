/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_tanimoto - CPU twin of kernels/tanimoto.cu: AND and population counts; the OR is |a| + |b| - common. */
#include "backend/cpu.h"

NEP_CPU_BODY int32_t count_body(const uint64_t *a, int64_t words)
{
    int64_t n = 0;
    for (int64_t w = 0; w < words; w++)
        n += __builtin_popcountll(a[w]);
    return (int32_t)n;
}

NEP_CPU_BODY int32_t common_body(const uint64_t *a, const uint64_t *b, int64_t words)
{
    int64_t n = 0;
    for (int64_t w = 0; w < words; w++)
        n += __builtin_popcountll(a[w] & b[w]);
    return (int32_t)n;
}

/* One row of a against rows first .. first + n of b, whose own counts are known. */
NEP_CPU_BODY void row_body(const uint64_t *a, const uint64_t *b, int64_t n, int64_t words, const int32_t *size_b,
                           int32_t *common, int32_t *total)
{
    const int32_t size_a = count_body(a, words);
    for (int64_t j = 0; j < n; j++) {
        /* the usual lengths are spelled out so that the loop over words unrolls */
        const int32_t c = words == 16   ? common_body(a, b + j * 16, 16)
                          : words == 32 ? common_body(a, b + j * 32, 32)
                                        : common_body(a, b + j * words, words);
        common[j] = c;
        total[j] = size_a + size_b[j] - c;
    }
}

typedef void row_function(const uint64_t *a, const uint64_t *b, int64_t n, int64_t words, const int32_t *size_b,
                          int32_t *common, int32_t *total);

static void row_scalar(const uint64_t *a, const uint64_t *b, int64_t n, int64_t words, const int32_t *size_b,
                       int32_t *common, int32_t *total)
{
    row_body(a, b, n, words, size_b, common, total);
}

NEP_CPU_AVX2_CODE static void row_avx2(const uint64_t *a, const uint64_t *b, int64_t n, int64_t words,
                                       const int32_t *size_b, int32_t *common, int32_t *total)
{
    row_body(a, b, n, words, size_b, common, total);
}

NEP_CPU_AVX512_POPCNT_CODE static void row_avx512(const uint64_t *a, const uint64_t *b, int64_t n, int64_t words,
                                                  const int32_t *size_b, int32_t *common, int32_t *total)
{
    row_body(a, b, n, words, size_b, common, total);
}

enum { ROWS_B = 512 }; /* of b, kept in cache while rows of a pass */

nep_status nep_cpu_tanimoto(nep_ctx *ctx, nep_queue *queue, const uint64_t *a, int64_t n_a, const uint64_t *b,
                            int64_t n_b, int64_t words, int32_t *common, int32_t *total)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const nep_cpu_family f = nep_cpu_family_get();
    row_function *const row = f >= NEP_CPU_AVX512_POPCNT ? row_avx512 : f >= NEP_CPU_AVX2 ? row_avx2 : row_scalar;
    int32_t *size_b = NULL;
    NEP_TRY(nep_alloc(ctx, n_b, sizeof *size_b, "bit counts", &size_b));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t j = 0; j < n_b; j++)
        size_b[j] = count_body(b + j * words, words);
    const int64_t tiles = nep_cpu_tiles(n_b, ROWS_B);
#pragma omp parallel for collapse(2) schedule(static) num_threads(threads)
    for (int64_t tile = 0; tile < tiles; tile++)
        for (int64_t i = 0; i < n_a; i++) {
            const int64_t j = tile * ROWS_B;
            row(a + i * words, b + j * words, nep_cpu_min(ROWS_B, n_b - j), words, size_b + j, common + i * n_b + j,
                total + i * n_b + j);
        }
    nep_alloc_free(size_b);
    return NEP_OK;
}
