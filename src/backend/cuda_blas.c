/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_blas - cuBLAS, loaded when first needed, behind one row-major GEMM. The host rig maps the same GEMM to CBLAS. */
#include "backend/cuda.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void *handle;
enum { NO_TRANSPOSE = 0, TRANSPOSE = 1, SUCCESS = 0 };

struct nep_cuda_blas {
    void *library;
    handle h;
    int (*create)(handle *);
    int (*destroy)(handle);
    int (*set_stream)(handle, void *);
    int (*dgemm)(handle, int, int, int, int, int, const double *, const double *, int, const double *, int,
                 const double *, double *, int);
    int (*sgemm)(handle, int, int, int, int, int, const float *, const float *, int, const float *, int, const float *,
                 float *, int);
};

static void *load_library(char *said, size_t size)
{
    static const char *const names[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so"};
    said[0] = '\0';
    for (int i = 0; i < NEP_LEN(names); i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
        if (i == 0)
            snprintf(said, size, "%s", dlerror());
    }
    return NULL;
}

static bool find(void *library, const char *name, void *out_function)
{
    void *symbol = dlsym(library, name);
    memcpy(out_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

nep_status nep_cuda_blas_open(nep_ctx *ctx, nep_cuda_state *s)
{
    char said[256];
    nep_status st = NEP_OK;
    if (s->blas)
        return NEP_OK;
    s->blas = calloc(1, sizeof *s->blas);
    NEP_REQUIRE(ctx, s->blas, NEP_E_NOMEM, "cuda: no memory for cuBLAS");
    nep_cuda_blas *b = s->blas;
    b->library = load_library(said, sizeof said);
    NEP_REQUIRE_OR_DONE(st, ctx, b->library, NEP_E_DEVICE,
                        "cuda: cuBLAS cannot be loaded (%s); install it, or use --device cpu", said);
    NEP_REQUIRE_OR_DONE(st, ctx,
                        find(b->library, "cublasCreate_v2", &b->create) &&
                            find(b->library, "cublasDestroy_v2", &b->destroy) &&
                            find(b->library, "cublasSetStream_v2", &b->set_stream) &&
                            find(b->library, "cublasDgemm_v2", &b->dgemm) &&
                            find(b->library, "cublasSgemm_v2", &b->sgemm),
                        NEP_E_DEVICE, "cuda: this cuBLAS lacks a function that is needed; use --device cpu");
    NEP_REQUIRE_OR_DONE(st, ctx, b->create(&b->h) == SUCCESS && b->set_stream(b->h, s->stream) == SUCCESS,
                        NEP_E_DEVICE, "cuda: cuBLAS does not start on device %d", s->device);
done:
    if (st != NEP_OK)
        nep_cuda_blas_close(s);
    return st;
}

void nep_cuda_blas_close(nep_cuda_state *s)
{
    if (!s->blas)
        return;
    if (s->blas->h)
        (void)s->blas->destroy(s->blas->h);
    if (s->blas->library)
        dlclose(s->blas->library);
    free(s->blas);
    s->blas = NULL;
}

nep_status nep_cuda_dgemm(nep_ctx *ctx, nep_queue *queue, bool transpose_a, bool transpose_b, int64_t m, int64_t n,
                          int64_t k, const double *a, int64_t lda, const double *b, int64_t ldb, double beta,
                          double *c, int64_t ldc)
{
    nep_cuda_state *s = nep_ctx_backend_state(ctx);
    const double one = 1.0;
    (void)queue; /* cuBLAS was given the stream when it was opened */
    NEP_TRY(nep_cuda_blas_open(ctx, s));
    /* row-major C = A B is column-major C' = B' A' */
    const int e = s->blas->dgemm(s->blas->h, transpose_b ? TRANSPOSE : NO_TRANSPOSE,
                                 transpose_a ? TRANSPOSE : NO_TRANSPOSE, (int)n, (int)m, (int)k, &one, b, (int)ldb, a,
                                 (int)lda, &beta, c, (int)ldc);
    NEP_REQUIRE(ctx, e == SUCCESS, NEP_E_DEVICE, "cuda: cuBLAS failed with status %d on a %lld x %lld x %lld product",
                e, (long long)m, (long long)n, (long long)k);
    return NEP_OK;
}

nep_status nep_cuda_sgemm(nep_ctx *ctx, nep_queue *queue, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                          float *c)
{
    nep_cuda_state *s = nep_ctx_backend_state(ctx);
    const float one = 1.0f, zero = 0.0f;
    (void)queue;
    NEP_TRY(nep_cuda_blas_open(ctx, s));
    const int e = s->blas->sgemm(s->blas->h, NO_TRANSPOSE, NO_TRANSPOSE, (int)n, (int)m, (int)k, &one, b, (int)n, a, (int)k,
                                 &zero, c, (int)n);
    NEP_REQUIRE(ctx, e == SUCCESS, NEP_E_DEVICE, "cuda: cuBLAS failed with status %d on a %lld x %lld x %lld product", e,
                (long long)m, (long long)n, (long long)k);
    return NEP_OK;
}
