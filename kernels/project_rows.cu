/* SPDX-License-Identifier: Apache-2.0 */
/* project_rows - CUDA twin of src/backend/cpu_project_rows.c: a chunk of rows widened to float64, times all directions by GEMM. */
#include "launch.h"

static __global__ void widen_kernel(const float *z, int64_t n, double *wide)
{
    NEP_FOR_EACH (i, n)
        wide[i] = (double)z[i];
}

static __global__ void squares_kernel(const double *product, int64_t rows, int64_t m, double *out)
{
    NEP_FOR_EACH (i, rows) {
        double sum = 0.0;
        for (int64_t j = 0; j < m; j++)
            sum += product[i * m + j] * product[i * m + j];
        out[i] = sum;
    }
}

extern "C" nep_status nep_cuda_project_rows(nep_ctx *ctx, nep_queue *queue, const float *z, int64_t n, int64_t n_t, const double *q,
                                            int64_t m, bool squares, double *out)
{
    const int64_t each = (n_t > m ? n_t : m) * (int64_t)sizeof(double), fit = NEP_CUDA_SCRATCH / each;
    const int64_t chunk = fit < 1 ? 1 : fit > n ? n : fit;
    void *wide = NULL, *product = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(chunk * n_t) * sizeof(double), "widened rows", &wide));
    if (squares)
        NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, (size_t)(chunk * m) * sizeof(double), "projections", &product));
    for (int64_t i = 0; i < n; i += chunk) {
        const int64_t rows = n - i < chunk ? n - i : chunk;
        double *to = squares ? (double *)product : out + i * m;
        NEP_LAUNCH(widen_kernel, nep_grid(rows * n_t, NEP_BLOCK), NEP_BLOCK, queue, z + i * n_t, rows * n_t, (double *)wide);
        NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "project_rows"));
        NEP_TRY_OR_DONE(st, nep_cuda_dgemm(ctx, queue, false, true, rows, m, n_t, (const double *)wide, n_t, q, n_t, 0.0, to, m));
        if (squares)
            NEP_LAUNCH(squares_kernel, nep_grid(rows, NEP_BLOCK), NEP_BLOCK, queue, (const double *)to, rows, m, out + i);
        NEP_TRY_OR_DONE(st, nep_cuda_launched(ctx, "project_rows"));
    }
done:
    nep_cuda_release(product);
    nep_cuda_release(wide);
    return st;
}
