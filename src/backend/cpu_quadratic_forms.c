/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_quadratic_forms - CPU twin of kernels/quadratic_forms.cu: packed products of each row times the packed matrices. */
#include "backend/cpu.h"

#include <cblas.h>
#include <omp.h>

#include <nepenthe/math/packed.h>

/* Rows of one tile: at most 256, fewer when p is large; depends on p alone. */
static int64_t tile_rows(int64_t packed)
{
    const int64_t rows = (int64_t)1 << 20;
    return rows / packed > 256 ? 256 : rows / packed < 8 ? 8 : rows / packed;
}

nep_status nep_cpu_quadratic_forms(nep_ctx *ctx, nep_queue *queue, const double *r, int64_t n, int64_t p,
                                   const double *q, const double *k, int64_t m, double *out)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const int64_t packed = nep_packed_size(p), rows = tile_rows(packed), tiles = nep_cpu_tiles(n, rows);
    double *matrices = NULL, *scratch = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m * packed, sizeof *matrices, "packed matrices", &matrices));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * rows * packed, sizeof *scratch, "packed rows", &scratch));
    for (int64_t j = 0; j < m; j++)
        nep_packed_matrix(q + j * p * p, p, matrices + j * packed);
    nep_cpu_blas_single();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t first = i * rows, count = nep_cpu_min(rows, n - first);
        double *s = scratch + omp_get_thread_num() * rows * packed, *o = out + first * m;
        for (int64_t a = 0; a < count; a++)
            nep_packed_products(r + (first + a) * p, p, s + a * packed);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)count, (blasint)m, (blasint)packed, 1.0, s,
                    (blasint)packed, matrices, (blasint)packed, 0.0, o, (blasint)m);
        for (int64_t a = 0; a < count * m; a++)
            o[a] += k[a % m];
    }
done:
    nep_alloc_free(scratch);
    nep_alloc_free(matrices);
    return st;
}
