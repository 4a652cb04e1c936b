/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_project_rows - CPU twin of kernels/project_rows.cu: blocks of rows widened to float64, times all directions by GEMM. */
#include "backend/cpu.h"

#include <cblas.h>
#include <omp.h>

enum { ROWS = 64 };

typedef struct {
    const float *z;
    int64_t n, n_t;
    const double *q;
    int64_t m;
    bool squares;
    double *out;
} problem;

/* wide [ROWS, n_t] and product [ROWS, m] are the thread's own. */
static void one_block(const problem *p, int64_t first, int64_t rows, double *wide, double *product)
{
    const float *z = p->z + first * p->n_t;
    double *to = p->squares ? product : p->out + first * p->m;
    for (int64_t i = 0; i < rows * p->n_t; i++)
        wide[i] = (double)z[i];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)p->m, (blasint)p->n_t, 1.0, wide, (blasint)p->n_t, p->q,
                (blasint)p->n_t, 0.0, to, (blasint)p->m);
    for (int64_t i = 0; p->squares && i < rows; i++) {
        double sum = 0;
        for (int64_t k = 0; k < p->m; k++)
            sum += product[i * p->m + k] * product[i * p->m + k];
        p->out[first + i] = sum;
    }
}

nep_status nep_cpu_project_rows(nep_ctx *ctx, nep_queue *queue, const float *z, int64_t n, int64_t n_t, const double *q, int64_t m,
                                bool squares, double *out)
{
    (void)queue;
    const int threads = nep_ctx_threads(ctx);
    const problem p = {z, n, n_t, q, m, squares, out};
    const int64_t each = ROWS * (n_t + (squares ? m : 0)), blocks = nep_cpu_tiles(n, ROWS);
    double *work = NULL;
    NEP_TRY(nep_alloc(ctx, threads * each, sizeof *work, "widened rows", &work));
    nep_cpu_blas_single();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t b = 0; b < blocks; b++) {
        double *wide = work + omp_get_thread_num() * each;
        one_block(&p, b * ROWS, nep_cpu_min(ROWS, n - b * ROWS), wide, wide + ROWS * n_t);
    }
    nep_alloc_free(work);
    return NEP_OK;
}
