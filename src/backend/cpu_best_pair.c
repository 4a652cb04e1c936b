/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_best_pair - CPU twin of kernels/best_pair.cu: a tile of columns side by side against one pair after another. */
#include "backend/cpu.h"

#include <omp.h>

enum { TILE = 64 };

NEP_CPU_BODY void pair_body(const double *pair, int64_t n_pairs, int64_t n_t, const double *y, int64_t n, int32_t *best)
{
    double top[TILE];
    for (int64_t c = 0; c < n; c++) {
        top[c] = -1.0;
        best[c] = -1;
    }
    for (int64_t j = 0; j < n_pairs; j++) {
        const double *a = pair + 2 * j * n_t, *b = a + n_t;
        double sa[TILE] = {0}, sb[TILE] = {0};
        for (int64_t t = 0; t < n_t; t++)
            for (int64_t c = 0; c < TILE; c++) {
                sa[c] += a[t] * y[t * TILE + c];
                sb[c] += b[t] * y[t * TILE + c];
            }
        for (int64_t c = 0; c < n; c++) {
            const double explained = sa[c] * sa[c] + sb[c] * sb[c]; /* NaN is never larger */
            if (explained > top[c]) {
                top[c] = explained;
                best[c] = (int32_t)j;
            }
        }
    }
}

typedef void pair_function(const double *pair, int64_t n_pairs, int64_t n_t, const double *y, int64_t n, int32_t *best);

static void pair_scalar(const double *pair, int64_t n_pairs, int64_t n_t, const double *y, int64_t n, int32_t *best)
{
    pair_body(pair, n_pairs, n_t, y, n, best);
}

NEP_CPU_AVX2_CODE static void pair_avx2(const double *pair, int64_t n_pairs, int64_t n_t, const double *y, int64_t n,
                                        int32_t *best)
{
    pair_body(pair, n_pairs, n_t, y, n, best);
}

NEP_CPU_AVX512_CODE static void pair_avx512(const double *pair, int64_t n_pairs, int64_t n_t, const double *y, int64_t n,
                                            int32_t *best)
{
    pair_body(pair, n_pairs, n_t, y, n, best);
}

nep_status nep_cpu_best_pair(nep_ctx *ctx, nep_queue *queue, const double *pair, int64_t n_pairs, int64_t n_t, const float *x,
                             int64_t n_cols, int32_t *best)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    pair_function *const run = f >= NEP_CPU_AVX512 ? pair_avx512 : f >= NEP_CPU_AVX2 ? pair_avx2 : pair_scalar;
    const int threads = nep_ctx_threads(ctx);
    const int64_t tiles = nep_cpu_tiles(n_cols, TILE);
    double *scratch = NULL;
    NEP_TRY(nep_alloc(ctx, threads * n_t * TILE, sizeof *scratch, "columns", &scratch));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tiles; i++) {
        double *y = scratch + omp_get_thread_num() * n_t * TILE;
        const int64_t n = nep_cpu_min(TILE, n_cols - i * TILE);
        for (int64_t t = 0; t < n_t; t++)
            for (int64_t c = 0; c < TILE; c++)
                y[t * TILE + c] = c < n ? (double)x[t * n_cols + i * TILE + c] : 0.0;
        run(pair, n_pairs, n_t, y, n, best + i * TILE);
    }
    nep_alloc_free(scratch);
    return NEP_OK;
}
