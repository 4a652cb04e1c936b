/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_gram - CPU twin of kernels/gram.cu: rows standardised in float64, blocks of the upper triangle by GEMM, mirrored. */
#include "backend/cpu.h"

#include <cblas.h>

enum { BLOCK = 128 };
enum { CHUNK_BYTES = 64 << 20 };

static void standardise(nep_ctx *ctx, const float *x, int64_t rows, int64_t n, const double *mean, const double *scale,
                        double *z)
{
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t t = 0; t < rows; t++)
        for (int64_t c = 0; c < n; c++)
            z[t * n + c] = ((double)x[t * n + c] - mean[c]) * scale[c];
}

/* Block (i, j), i <= j, counted along the rows of the upper triangle of a `blocks` x `blocks` grid. */
static void block_at(int64_t index, int64_t blocks, int64_t *i, int64_t *j)
{
    int64_t row = 0;
    while (index >= blocks - row)
        index -= blocks - row++;
    *i = row;
    *j = row + index;
}

static void add_chunk(nep_ctx *ctx, const double *z, int64_t rows, int64_t n, bool first, double *out)
{
    const int64_t blocks = nep_cpu_tiles(n, BLOCK), tasks = blocks * (blocks + 1) / 2;
#pragma omp parallel for schedule(dynamic) num_threads(nep_ctx_threads(ctx))
    for (int64_t k = 0; k < tasks; k++) {
        int64_t i, j;
        block_at(k, blocks, &i, &j);
        const int64_t ci = i * BLOCK, cj = j * BLOCK;
        const int64_t ni = nep_cpu_min(BLOCK, n - ci), nj = nep_cpu_min(BLOCK, n - cj);
        if (i == j)
            cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (blasint)ni, (blasint)rows, 1.0, z + ci, (blasint)n,
                        first ? 0.0 : 1.0, out + ci * n + cj, (blasint)n);
        else
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)ni, (blasint)nj, (blasint)rows, 1.0, z + ci,
                        (blasint)n, z + cj, (blasint)n, first ? 0.0 : 1.0, out + ci * n + cj, (blasint)n);
    }
}

nep_status nep_cpu_gram(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t, int64_t n_cols,
                        const double *mean, const double *scale, double *out)
{
    (void)queue;
    int64_t chunk = CHUNK_BYTES / (int64_t)sizeof(double) / n_cols;
    chunk = nep_cpu_min(chunk < 64 ? 64 : chunk, n_t);
    double *z = NULL;
    NEP_TRY(nep_alloc(ctx, chunk * n_cols, sizeof *z, "standardised columns", &z));
    nep_cpu_blas_single();
    for (int64_t t = 0; t < n_t; t += chunk) {
        const int64_t rows = nep_cpu_min(chunk, n_t - t);
        standardise(ctx, x + t * n_cols, rows, n_cols, mean, scale, z);
        add_chunk(ctx, z, rows, n_cols, t == 0, out);
    }
    nep_alloc_free(z);
#pragma omp parallel for schedule(dynamic, 64) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 1; i < n_cols; i++)
        for (int64_t j = 0; j < i; j++)
            out[i * n_cols + j] = out[j * n_cols + i];
    return NEP_OK;
}
