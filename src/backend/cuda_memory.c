/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_memory - device memory from a pool under a bound, copies, and errors as sentences. */
#include "backend/cuda.h"

#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stdlib.h>

/* Blocks in use: a release knows only its pointer. */
typedef struct block {
    struct block *next;
    void *ptr;
    nep_cuda_state *owner;
    int64_t bytes;
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block *blocks;

static nep_status device_error(nep_ctx *ctx, const char *what, cudaError_t e)
{
    return nep_ctx_fail(ctx, NEP_E_DEVICE, "cuda: %s: %s", what, cudaGetErrorString(e));
}

/* Ops take work space at every call: from the driver each time that would cost a wait for the device. What is released is
 * kept for the next call up to the bound; the driver joins released pieces by mapping them anew. */
nep_status nep_cuda_pool_open(nep_ctx *ctx, nep_cuda_state *s)
{
    const struct cudaMemPoolProps props = {.allocType = cudaMemAllocationTypePinned,
                                           .location = {.type = cudaMemLocationTypeDevice, .id = s->device}};
    uint64_t keep = (uint64_t)s->bound;
    int has = 0;
    cudaMemPool_t pool = NULL;
    cudaError_t e = cudaDeviceGetAttribute(&has, cudaDevAttrMemoryPoolsSupported, s->device);
    if (e == cudaSuccess && !has)
        return NEP_OK;
    if (e == cudaSuccess)
        e = cudaMemPoolCreate(&pool, &props);
    s->pool = pool;
    if (e == cudaSuccess)
        e = cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep);
    return e == cudaSuccess ? NEP_OK : device_error(ctx, "memory pool", e);
}

void nep_cuda_pool_close(nep_cuda_state *s)
{
    if (s->pool)
        (void)cudaMemPoolDestroy((cudaMemPool_t)s->pool);
    s->pool = NULL;
}

nep_status nep_cuda_alloc(nep_ctx *ctx, size_t bytes, const char *what, void **out)
{
    nep_cuda_state *s = nep_ctx_backend_state(ctx);
    const int64_t size = bytes ? (int64_t)bytes : 1;
    NEP_REQUIRE(ctx, s->used + size <= s->bound, NEP_E_NOMEM,
                "%s: %lld MB more would pass the %lld MB of device memory; raise --vram-mb or use --device cpu", what,
                (long long)(size >> 20) + 1, (long long)(s->bound >> 20));
    block *b = calloc(1, sizeof *b);
    NEP_REQUIRE(ctx, b, NEP_E_NOMEM, "%s: no memory", what);
    (void)cudaSetDevice(s->device);
    const cudaError_t e = s->pool ? cudaMallocFromPoolAsync(&b->ptr, (size_t)size, (cudaMemPool_t)s->pool,
                                                            (cudaStream_t)s->stream)
                                  : cudaMalloc(&b->ptr, (size_t)size);
    if (e != cudaSuccess) {
        free(b);
        (void)cudaGetLastError(); /* a refused allocation leaves the device usable */
        if (e == cudaErrorMemoryAllocation)
            return nep_ctx_fail(ctx, NEP_E_NOMEM, "%s: the device has no memory for %lld MB; use --device cpu", what,
                                (long long)(size >> 20) + 1);
        return device_error(ctx, what, e);
    }
    b->owner = s;
    b->bytes = size;
    pthread_mutex_lock(&lock);
    b->next = blocks;
    blocks = b;
    s->used += size;
    pthread_mutex_unlock(&lock);
    *out = b->ptr;
    return NEP_OK;
}

int64_t nep_cuda_room(nep_ctx *ctx)
{
    const nep_cuda_state *s = nep_ctx_backend_state(ctx);
    return s->bound - s->used;
}

void nep_cuda_release(void *ptr)
{
    if (!ptr)
        return;
    block *found = NULL;
    pthread_mutex_lock(&lock);
    for (block **b = &blocks; *b; b = &(*b)->next)
        if ((*b)->ptr == ptr) {
            found = *b;
            *b = found->next;
            found->owner->used -= found->bytes;
            break;
        }
    pthread_mutex_unlock(&lock);
    if (found && found->owner->pool)
        (void)cudaFreeAsync(ptr, (cudaStream_t)found->owner->stream);
    else
        (void)cudaFree(ptr);
    free(found);
}

nep_status nep_cuda_upload(nep_ctx *ctx, void *dst, const void *src, size_t bytes)
{
    const nep_cuda_state *s = nep_ctx_backend_state(ctx);
    if (bytes == 0)
        return NEP_OK;
    const cudaError_t e = cudaMemcpyAsync(dst, src, bytes, cudaMemcpyHostToDevice, (cudaStream_t)s->stream);
    return e == cudaSuccess ? NEP_OK : device_error(ctx, "copy to the device", e);
}

nep_status nep_cuda_download(nep_ctx *ctx, void *dst, const void *src, size_t bytes)
{
    const nep_cuda_state *s = nep_ctx_backend_state(ctx);
    if (bytes == 0)
        return NEP_OK;
    cudaError_t e = cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToHost, (cudaStream_t)s->stream);
    if (e == cudaSuccess)
        e = cudaStreamSynchronize((cudaStream_t)s->stream);
    return e == cudaSuccess ? NEP_OK : device_error(ctx, "copy from the device", e);
}

nep_status nep_cuda_zero(nep_ctx *ctx, nep_queue *queue, void *dst, size_t bytes)
{
    const cudaError_t e = bytes ? cudaMemsetAsync(dst, 0, bytes, (cudaStream_t)queue) : cudaSuccess;
    return e == cudaSuccess ? NEP_OK : device_error(ctx, "clearing device memory", e);
}

nep_status nep_cuda_launched(nep_ctx *ctx, const char *op)
{
    const cudaError_t e = cudaGetLastError();
    return e == cudaSuccess ? NEP_OK : device_error(ctx, op, e);
}
