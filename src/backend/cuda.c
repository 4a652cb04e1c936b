/* SPDX-License-Identifier: Apache-2.0 */
/* cuda - the CUDA module: its one exported symbol, its table, opening and describing a device. */
#include "backend/cuda.h"
#include "backend/cuda_link.h"
#include "backend/module.h"

#include <cuda_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>

enum { OLDEST_MAJOR = 8 }; /* compute capability */

static nep_status check_driver(nep_ctx *ctx)
{
    int driver = 0, count = 0;
    NEP_REQUIRE(ctx, cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0, NEP_E_DEVICE,
                "cuda: this machine has no NVIDIA driver; use --device cpu");
    const cudaError_t e = cudaGetDeviceCount(&count);
    NEP_REQUIRE(ctx, e != cudaErrorInsufficientDriver, NEP_E_DEVICE,
                "cuda: the driver knows CUDA %d.%d, this build needs %d.%d; update the driver or use --device cpu",
                driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    NEP_REQUIRE(ctx, e == cudaSuccess && count > 0, NEP_E_DEVICE, "cuda: no GPU is visible (%s); use --device cpu",
                e == cudaSuccess ? "none found" : cudaGetErrorString(e));
    return NEP_OK;
}

static nep_status check_device(nep_ctx *ctx, int device, int *major)
{
    struct cudaDeviceProp p;
    int count = 0;
    NEP_REQUIRE(ctx, cudaGetDeviceCount(&count) == cudaSuccess && device >= 0 && device < count, NEP_E_DEVICE,
                "cuda: device %d is not there, this machine shows %d", device, count);
    const cudaError_t e = cudaGetDeviceProperties(&p, device);
    NEP_REQUIRE(ctx, e == cudaSuccess, NEP_E_DEVICE, "cuda: device %d: %s", device, cudaGetErrorString(e));
    NEP_REQUIRE(ctx, p.major >= OLDEST_MAJOR, NEP_E_DEVICE,
                "cuda: device %d (%s) has compute capability %d.%d, needed is %d.0 or newer", device, p.name, p.major,
                p.minor, OLDEST_MAJOR);
    *major = p.major;
    return NEP_OK;
}

static void cuda_close(nep_ctx *ctx, void *state)
{
    nep_cuda_state *s = state;
    (void)ctx;
    if (!s)
        return;
    nep_cuda_blas_close(s);
    nep_cuda_pool_close(s);
    if (s->stream)
        (void)cudaStreamDestroy((cudaStream_t)s->stream);
    free(s);
}

/* Device memory this context may use: --vram-mb, or nine tenths of what is free. */
static nep_status find_bound(nep_ctx *ctx, nep_cuda_state *s)
{
    size_t available = 0, total = 0;
    const cudaError_t e = cudaMemGetInfo(&available, &total);
    NEP_REQUIRE(ctx, e == cudaSuccess, NEP_E_DEVICE, "cuda: device %d: %s", s->device, cudaGetErrorString(e));
    s->bound = nep_ctx_vram(ctx) > 0 ? nep_ctx_vram(ctx) : (int64_t)(available / 10 * 9);
    return NEP_OK;
}

static nep_status cuda_open(nep_ctx *ctx, int device, void **state)
{
    nep_cuda_state *s = NULL;
    cudaStream_t stream = NULL;
    int major = 0;
    nep_status st;
    NEP_TRY(check_driver(ctx));
    NEP_TRY(check_device(ctx, device, &major));
    s = calloc(1, sizeof *s);
    NEP_REQUIRE(ctx, s, NEP_E_NOMEM, "cuda: no memory for the state of a device");
    s->device = device;
    s->major = major;
    cudaError_t e = cudaSetDevice(device);
    if (e == cudaSuccess)
        e = cudaStreamCreate(&stream);
    s->stream = stream;
    NEP_REQUIRE_OR_DONE(st, ctx, e == cudaSuccess, NEP_E_DEVICE, "cuda: device %d cannot be opened: %s", device,
                        cudaGetErrorString(e));
    NEP_TRY_OR_DONE(st, find_bound(ctx, s));
    NEP_TRY_OR_DONE(st, nep_cuda_pool_open(ctx, s));
    *state = s;
    s = NULL;
done:
    cuda_close(ctx, s);
    return st;
}

static nep_status cuda_complete(nep_ctx *ctx, void *state)
{
    return nep_cuda_blas_open(ctx, state);
}

static nep_status cuda_describe(nep_ctx *ctx, char *text, size_t size)
{
    const nep_cuda_state *s = nep_ctx_backend_state(ctx);
    struct cudaDeviceProp p;
    int driver = 0;
    const cudaError_t e = cudaGetDeviceProperties(&p, s->device);
    NEP_REQUIRE(ctx, e == cudaSuccess && cudaDriverGetVersion(&driver) == cudaSuccess, NEP_E_DEVICE,
                "cuda: device %d: %s", s->device, cudaGetErrorString(e));
    snprintf(text, size, "cuda:%d: %s, compute %d.%d, %lld MB, driver CUDA %d.%d", s->device, p.name, p.major, p.minor,
             (long long)(p.totalGlobalMem >> 20), driver / 1000, driver % 1000 / 10);
    return NEP_OK;
}

static nep_queue *cuda_queue(nep_ctx *ctx)
{
    const nep_cuda_state *s = nep_ctx_backend_state(ctx);
    (void)cudaSetDevice(s->device);
    return s->stream;
}

static const nep_backend table = {
    .name = "cuda",
    .host = false,
    .tile_bytes = (int64_t)256 << 20,
    .alloc = nep_cuda_alloc,
    .release = nep_cuda_release,
    .upload = nep_cuda_upload,
    .download = nep_cuda_download,
    .describe = cuda_describe,
    .queue = cuda_queue,
    .room = nep_cuda_room,
    .ops =
        {
#define NEP_X(op, parity) .op = nep_cuda_##op,
            NEP_OP_LIST(NEP_X)
#undef NEP_X
        },
};

static const nep_module module = {
    .backend = &table,
    .open = cuda_open,
    .complete = cuda_complete,
    .measure = nep_cuda_measure,
    .close = cuda_close,
};

const nep_module *nep_cuda_module(uint64_t hash, const nep_module_host *host)
{
    if (hash != nep_module_hash())
        return NULL;
    nep_cuda_link(host);
    return &module;
}
