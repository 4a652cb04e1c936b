/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_measure - what the device can do: a copy on the device and a float64 product, for the benchmarks. */
#include "backend/cuda.h"

#include <cuda_runtime_api.h>
#include <time.h>

enum { SIDE = 4096, COPIES = 10 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

nep_status nep_cuda_measure(nep_ctx *ctx, double *copy_gbs, double *f64_gflops)
{
    const nep_cuda_state *s = nep_ctx_backend_state(ctx);
    const cudaStream_t stream = (cudaStream_t)s->stream;
    const size_t bytes = (size_t)SIDE * SIDE * sizeof(double);
    void *a = NULL, *b = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, bytes, "measurement", &a));
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, bytes, "measurement", &b));
    NEP_TRY_OR_DONE(st, nep_cuda_zero(ctx, s->stream, a, bytes));
    for (int run = 0; run < 3; run++) { /* the first warms up */
        (void)cudaStreamSynchronize(stream);
        double start = now();
        for (int i = 0; i < COPIES; i++)
            (void)cudaMemcpyAsync(b, a, bytes, cudaMemcpyDeviceToDevice, stream);
        cudaError_t e = cudaStreamSynchronize(stream);
        NEP_REQUIRE_OR_DONE(st, ctx, e == cudaSuccess, NEP_E_DEVICE, "cuda: copy: %s", cudaGetErrorString(e));
        *copy_gbs = 2.0 * COPIES * (double)bytes / (now() - start) * 1e-9;
        start = now();
        NEP_TRY_OR_DONE(st, nep_cuda_dgemm(ctx, s->stream, false, false, SIDE, SIDE, SIDE, a, SIDE, a, SIDE, 0.0, b,
                                           SIDE));
        e = cudaStreamSynchronize(stream);
        NEP_REQUIRE_OR_DONE(st, ctx, e == cudaSuccess, NEP_E_DEVICE, "cuda: product: %s", cudaGetErrorString(e));
        *f64_gflops = 2.0 * SIDE * SIDE * (double)SIDE / (now() - start) * 1e-9;
    }
done:
    nep_cuda_release(b);
    nep_cuda_release(a);
    return st;
}
