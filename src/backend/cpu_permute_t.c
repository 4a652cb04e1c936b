/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_permute_t - CPU twin of kernels/permute_t.cu: a chunk of permutations times a tile of columns by GEMM, with |t|,
 * its maximum and the counts taken from the product while it is in cache. */
#include "backend/count_max.h"
#include "backend/cpu.h"

#include <cblas.h>
#include <omp.h>
#include <string.h>

#include <nepenthe/math/tstat.h>

enum { TILE_ROWS = 192 }; /* rows of basis in one product */

typedef struct {
    const double *y, *basis, *observed;
    int64_t n, n_cols, n_perm, k, chunk;
} problem;

/* t of permutations p0 .. p0 + perms on columns c0 .. c0 + cols; max over columns and counts over permutations. */
static void one_task(const problem *q, int64_t p0, int64_t perms, int64_t c0, int64_t cols, double *product,
                     double *max_abs, int64_t *count)
{
    const int64_t rows = 1 + q->k;
    const double dof = (double)(q->n - q->k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)(perms * rows), (blasint)cols, (blasint)q->n, 1.0,
                q->basis + p0 * rows * q->n, (blasint)q->n, q->y + c0, (blasint)q->n_cols, 0.0, product, (blasint)cols);
    for (int64_t p = 0; p < perms; p++) {
        const double *b = product + p * rows * cols;
        double a2[NEP_CPU_TILE] = {0}, best = max_abs[p0 + p];
        for (int64_t j = 1; j < rows; j++)
            for (int64_t c = 0; c < cols; c++)
                a2[c] += b[j * cols + c] * b[j * cols + c];
        for (int64_t c = 0; c < cols; c++) {
            const double t = fabs(nep_tstat_partial(b[c], a2[c], dof));
            best = t > best ? t : best;
            count[c0 + c] += t >= nep_tstat_bound(q->observed[c0 + c]);
        }
        max_abs[p0 + p] = best;
    }
}

static void run(const problem *q, int threads, double *product, double *max_abs, int64_t *count)
{
    const int64_t chunks = nep_cpu_tiles(q->n_perm, q->chunk), tiles = nep_cpu_tiles(q->n_cols, NEP_CPU_TILE);
    const int64_t per_thread = q->chunk * (1 + q->k) * NEP_CPU_TILE;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t i = 0; i < chunks * tiles; i++) {
        const int64_t me = omp_get_thread_num(), p0 = i % chunks * q->chunk, c0 = i / chunks * NEP_CPU_TILE;
        one_task(q, p0, nep_cpu_min(q->chunk, q->n_perm - p0), c0, nep_cpu_min(NEP_CPU_TILE, q->n_cols - c0),
                 product + me * per_thread, max_abs + me * q->n_perm, count + me * q->n_cols);
    }
}

nep_status nep_cpu_permute_t(nep_ctx *ctx, nep_queue *queue, const double *y, int64_t n, int64_t n_cols,
                             const double *basis, int64_t n_perm, int64_t k, const double *observed, double *max_abs,
                             int64_t *count, int64_t *count_max)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const problem q = {y, basis, observed, n, n_cols, n_perm, k, 1 + k < TILE_ROWS ? TILE_ROWS / (1 + k) : 1};
    double *product = NULL, *best = NULL;
    int64_t *hits = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * q.chunk * (1 + k) * NEP_CPU_TILE, sizeof *product,
                                  "permutation tiles", &product));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n_perm, sizeof *best, "permutation maxima", &best));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n_cols, sizeof *hits, "permutation counts", &hits));
    nep_cpu_blas_single();
    run(&q, threads, product, best, hits);
    for (int64_t p = 0; p < n_perm; p++)
        for (int i = 1; i < threads; i++)
            best[p] = best[i * n_perm + p] > best[p] ? best[i * n_perm + p] : best[p];
    for (int i = 1; i < threads; i++)
        for (int64_t c = 0; c < n_cols; c++)
            hits[c] += hits[i * n_cols + c];
    if (count_max)
        NEP_TRY_OR_DONE(st, nep_count_max_add(ctx, best, n_perm, observed, n_cols, count_max));
    memcpy(max_abs, best, (size_t)n_perm * sizeof *best);
    for (int64_t c = 0; c < n_cols; c++)
        count[c] += hits[c];
done:
    nep_alloc_free(hits);
    nep_alloc_free(best);
    nep_alloc_free(product);
    return st;
}
