/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_measure - what the device can do: a copy on the device and products in float64 and float32, for the benchmarks. */
#include "backend/cuda.h"

#include <cuda_runtime_api.h>
#include <time.h>

enum { RUNS = 5, COPIES = 10 }; /* the first run warms up; the best counts */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Numbers that are not all alike: a product of zeros draws less power and runs faster than any real one. Floats in [0.5, 1), of
 * which two read as one small double. */
static nep_status fill(nep_ctx *ctx, void *device, int64_t n)
{
    float *x = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, n, sizeof *x, "measurement", &x));
    for (int64_t i = 0; i < n; i++)
        x[i] = 0.5f + (float)((uint64_t)i * 0x9E3779B97F4A7C15u >> 41) * 0x1p-24f;
    st = nep_cuda_upload(ctx, device, x, (size_t)n * sizeof *x);
    nep_alloc_free(x);
    return st;
}

static void keep_best(double *best, double amount, double start)
{
    const double rate = amount / (now() - start) * 1e-9;
    *best = rate > *best ? rate : *best;
}

static nep_status wait_for(nep_ctx *ctx, cudaStream_t stream)
{
    const cudaError_t e = cudaStreamSynchronize(stream);
    NEP_REQUIRE(ctx, e == cudaSuccess, NEP_E_DEVICE, "cuda: measurement: %s", cudaGetErrorString(e));
    return NEP_OK;
}

static nep_status run(nep_ctx *ctx, int64_t side, void *a, void *b, nep_module_rates *r)
{
    nep_cuda_state *s = nep_ctx_backend_state(ctx);
    const cudaStream_t stream = (cudaStream_t)s->stream;
    const size_t bytes = (size_t)(side * side) * sizeof(double);
    const double flops = 2.0 * (double)side * (double)side * (double)side;
    NEP_TRY(wait_for(ctx, stream));
    double start = now();
    for (int i = 0; i < COPIES; i++)
        (void)cudaMemcpyAsync(b, a, bytes, cudaMemcpyDeviceToDevice, stream);
    NEP_TRY(wait_for(ctx, stream));
    keep_best(&r->copy_gbs, 2.0 * COPIES * (double)bytes, start);
    start = now();
    NEP_TRY(nep_cuda_dgemm(ctx, s->stream, false, false, side, side, side, a, side, a, side, 0.0, b, side));
    NEP_TRY(wait_for(ctx, stream));
    keep_best(&r->f64_gflops, flops, start);
    start = now();
    NEP_TRY(nep_cuda_sgemm(ctx, s->stream, side, side, side, a, a, b));
    NEP_TRY(wait_for(ctx, stream));
    keep_best(&r->f32_gflops, flops, start);
    return NEP_OK;
}

nep_status nep_cuda_measure(nep_ctx *ctx, int64_t side, nep_module_rates *out)
{
    const size_t bytes = (size_t)(side * side) * sizeof(double);
    nep_module_rates r = {0};
    void *a = NULL, *b = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, bytes, "measurement", &a));
    NEP_TRY_OR_DONE(st, nep_cuda_alloc(ctx, bytes, "measurement", &b));
    NEP_TRY_OR_DONE(st, fill(ctx, a, 2 * side * side));
    for (int i = 0; i < RUNS; i++)
        NEP_TRY_OR_DONE(st, run(ctx, side, a, b, &r));
    *out = r;
done:
    nep_cuda_release(b);
    nep_cuda_release(a);
    return st;
}
