/* SPDX-License-Identifier: Apache-2.0 */
/* cuda - what the parts of the CUDA module share: its state, device memory, GEMM, the launchers of kernels/<op>.cu. */
#ifndef NEP_BACKEND_CUDA_H
#define NEP_BACKEND_CUDA_H

#include "backend/module.h"

#ifdef __cplusplus
extern "C" {
#endif

/* nep_cuda_<op> is defined in kernels/<op>.cu. */
#define NEP_X(name, parity) nep_op_##name nep_cuda_##name;
NEP_OP_LIST(NEP_X)
#undef NEP_X

typedef struct nep_cuda_blas nep_cuda_blas;

typedef struct {
    int device, major;   /* which, and its compute capability */
    void *stream;
    void *pool;          /* cudaMemPool_t; NULL on a device without pools */
    nep_cuda_blas *blas; /* NULL until first needed */
    int64_t used, bound; /* device bytes */
} nep_cuda_state;

/* Work space of one op in bytes at most: ops work in chunks of it, on a grid that depends on sizes alone. */
#define NEP_CUDA_SCRATCH ((int64_t)256 << 20)

/* The pool that blocks of this context come from; needs device, stream and bound. Errors: NEP_E_DEVICE. */
NEP_MUST_USE nep_status nep_cuda_pool_open(nep_ctx *ctx, nep_cuda_state *s);
void nep_cuda_pool_close(nep_cuda_state *s);

/* Device memory, counted against --vram-mb, in the order of the context's stream: the next block may be the one just
 * released, since what used it runs before what will. Errors: NEP_E_NOMEM, NEP_E_DEVICE. */
NEP_MUST_USE nep_status nep_cuda_alloc(nep_ctx *ctx, size_t bytes, const char *what, void **out);
void nep_cuda_release(void *ptr);
int64_t nep_cuda_room(nep_ctx *ctx);
NEP_MUST_USE nep_status nep_cuda_upload(nep_ctx *ctx, void *dst, const void *src, size_t bytes);
NEP_MUST_USE nep_status nep_cuda_download(nep_ctx *ctx, void *dst, const void *src, size_t bytes);
NEP_MUST_USE nep_status nep_cuda_zero(nep_ctx *ctx, nep_queue *queue, void *dst, size_t bytes);

/* The launch just made, or the error it met. */
NEP_MUST_USE nep_status nep_cuda_launched(nep_ctx *ctx, const char *op);

/* Row-major C [m, n] = op(A) op(B) + beta C; op transposes where the flag says so. float64, through cuBLAS, which is
 * loaded when first needed. Errors: NEP_E_DEVICE (no cuBLAS, or it failed). */
NEP_MUST_USE nep_status nep_cuda_dgemm(nep_ctx *ctx, nep_queue *queue, bool transpose_a, bool transpose_b, int64_t m,
                                       int64_t n, int64_t k, const double *a, int64_t lda, const double *b,
                                       int64_t ldb, double beta, double *c, int64_t ldc);
/* Likewise in float32, without beta and transposes: for the measurement of the device. */
NEP_MUST_USE nep_status nep_cuda_sgemm(nep_ctx *ctx, nep_queue *queue, int64_t m, int64_t n, int64_t k, const float *a,
                                       const float *b, float *c);
NEP_MUST_USE nep_status nep_cuda_measure(nep_ctx *ctx, int64_t side, nep_module_rates *out);
NEP_MUST_USE nep_status nep_cuda_blas_open(nep_ctx *ctx, nep_cuda_state *s);
void nep_cuda_blas_close(nep_cuda_state *s);

#ifdef __cplusplus
}
#endif
#endif
