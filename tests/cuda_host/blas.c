/* SPDX-License-Identifier: Apache-2.0 */
/* blas - the module's GEMM (src/backend/cuda_blas.c) mapped to CBLAS for the host rig. */
#include "backend/cuda.h"

#include <cblas.h>

nep_status nep_cuda_blas_open(nep_ctx *ctx, nep_cuda_state *s)
{
    (void)ctx;
    (void)s;
    return NEP_OK;
}

void nep_cuda_blas_close(nep_cuda_state *s)
{
    (void)s;
}

nep_status nep_cuda_dgemm(nep_ctx *ctx, nep_queue *queue, bool transpose_a, bool transpose_b, int64_t m, int64_t n,
                          int64_t k, const double *a, int64_t lda, const double *b, int64_t ldb, double beta,
                          double *c, int64_t ldc)
{
    (void)ctx;
    (void)queue;
    cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
                (blasint)m, (blasint)n, (blasint)k, 1.0, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
    return NEP_OK;
}

nep_status nep_cuda_sgemm(nep_ctx *ctx, nep_queue *queue, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                          float *c)
{
    (void)ctx;
    (void)queue;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f, a, (blasint)k, b, (blasint)n,
                0.0f, c, (blasint)n);
    return NEP_OK;
}
