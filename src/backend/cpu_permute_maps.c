/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_permute_maps - CPU twin of kernels/permute_maps.cu: a chunk of permutations times a tile of columns by GEMM, each product
 * turned into its statistic while it is in cache. */
#include "backend/cpu.h"

#include <cblas.h>
#include <omp.h>

#include <nepenthe/math/tstat.h>

enum { TILE_ROWS = 192 }; /* rows of basis in one product */

typedef struct {
    const double *y, *basis;
    int64_t n, n_cols, n_perm, r, k, chunk;
    double df;
    double *out;
} problem;

static void add_squares(const double *b, int64_t rows, int64_t cols, double *sum)
{
    for (int64_t j = 0; j < rows; j++)
        for (int64_t c = 0; c < cols; c++)
            sum[c] += b[j * cols + c] * b[j * cols + c];
}

static void one_task(const problem *q, int64_t p0, int64_t perms, int64_t c0, int64_t cols, double *product)
{
    const int64_t rows = q->r + q->k;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)(perms * rows), (blasint)cols, (blasint)q->n, 1.0,
                q->basis + p0 * rows * q->n, (blasint)q->n, q->y + c0, (blasint)q->n_cols, 0.0, product, (blasint)cols);
    for (int64_t p = 0; p < perms; p++) {
        const double *b = product + p * rows * cols;
        double a2[NEP_CPU_TILE] = {0}, b2[NEP_CPU_TILE] = {0};
        double *out = q->out + (p0 + p) * q->n_cols + c0;
        add_squares(b + q->r * cols, q->k, cols, a2);
        if (q->r > 1)
            add_squares(b, q->r, cols, b2);
        for (int64_t c = 0; c < cols; c++)
            out[c] = q->r == 1 ? nep_tstat_partial(b[c], a2[c], q->df + 1.0) : nep_tstat_f(b2[c], a2[c], (double)q->r, q->df);
    }
}

nep_status nep_cpu_permute_maps(nep_ctx *ctx, nep_queue *queue, const double *y, int64_t n, int64_t n_cols, const double *basis,
                                int64_t n_perm, int64_t r, int64_t k, double df, double *out)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const problem q = {y, basis, n, n_cols, n_perm, r, k, r + k < TILE_ROWS ? TILE_ROWS / (r + k) : 1, df, out};
    const int64_t chunks = nep_cpu_tiles(n_perm, q.chunk), tiles = nep_cpu_tiles(n_cols, NEP_CPU_TILE);
    const int64_t per_thread = q.chunk * (r + k) * NEP_CPU_TILE;
    double *product = NULL;
    NEP_TRY(nep_alloc(ctx, threads * per_thread, sizeof *product, "permutation tiles", &product));
    nep_cpu_blas_single();
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t i = 0; i < chunks * tiles; i++) {
        const int64_t p0 = i % chunks * q.chunk, c0 = i / chunks * NEP_CPU_TILE;
        one_task(&q, p0, nep_cpu_min(q.chunk, n_perm - p0), c0, nep_cpu_min(NEP_CPU_TILE, n_cols - c0),
                 product + omp_get_thread_num() * per_thread);
    }
    nep_alloc_free(product);
    return NEP_OK;
}
