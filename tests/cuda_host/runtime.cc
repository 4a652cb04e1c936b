/* SPDX-License-Identifier: Apache-2.0 */
/* runtime - the CUDA runtime of the host rig: device memory is exact heap blocks full of garbage, so that ASan sees each
 * access past an end and a kernel that relies on zeros fails. Pools keep nothing back, so that use after release is seen too. */
#include "cuda_runtime_api.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

static long blocks, pools, fail_at = -1;
static int driver = 13000, devices = 1, has_pools = 1;
static unsigned long long keeps;
static std::set<void *> pooled; /* blocks that came from a pool */

static cudaError_t take(void **ptr, size_t bytes)
{
    if (fail_at >= 0 && fail_at-- == 0)
        return cudaErrorMemoryAllocation;
    *ptr = malloc(bytes);
    memset(*ptr, 0xFF, bytes);
    blocks++;
    return cudaSuccess;
}

static void give_back(void *ptr, bool to_pool)
{
    if (ptr && pooled.erase(ptr) != (to_pool ? 1u : 0u)) {
        fprintf(stderr, "rig: a block is given back by the other way than it came\n");
        abort();
    }
    blocks -= ptr != nullptr;
    free(ptr);
}

extern "C" {

long rig_blocks(void)
{
    return blocks;
}

long rig_pools(void)
{
    return pools;
}

unsigned long long rig_pool_keeps(void)
{
    return keeps;
}

void rig_pretend_pools(int supported)
{
    has_pools = supported;
}

void rig_fail_malloc_at(long k)
{
    fail_at = k;
}

void rig_pretend(int d, int n)
{
    driver = d;
    devices = n;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = driver;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    if (devices < 0)
        return cudaErrorInsufficientDriver;
    *count = devices;
    return devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
    if (device < 0 || device >= devices)
        return cudaErrorInvalidValue;
    *p = cudaDeviceProp{"host rig", (size_t)1 << 30, 9, 0};
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
    return device >= 0 && device < devices ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    *available = *total = (size_t)1 << 30;
    return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    *stream = nullptr;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t)
{
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t)
{
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **ptr, size_t bytes)
{
    return take(ptr, bytes);
}

cudaError_t cudaFree(void *ptr)
{
    give_back(ptr, false);
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr, int)
{
    *value = has_pools;
    return cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t *pool, const struct cudaMemPoolProps *props)
{
    if (props->allocType != cudaMemAllocationTypePinned || props->location.type != cudaMemLocationTypeDevice)
        return cudaErrorInvalidValue;
    *pool = reinterpret_cast<cudaMemPool_t>(&pools);
    pools++;
    return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t)
{
    pools--;
    return cudaSuccess;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void *value)
{
    memcpy(&keeps, value, sizeof keeps);
    return cudaSuccess;
}

cudaError_t cudaMallocFromPoolAsync(void **ptr, size_t bytes, cudaMemPool_t, cudaStream_t)
{
    const cudaError_t e = take(ptr, bytes);
    if (e == cudaSuccess)
        pooled.insert(*ptr);
    return e;
}

cudaError_t cudaFreeAsync(void *ptr, cudaStream_t)
{
    give_back(ptr, true);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, cudaMemcpyKind, cudaStream_t)
{
    memcpy(dst, src, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t)
{
    memset(dst, value, bytes);
    return cudaSuccess;
}

cudaError_t cudaGetLastError(void)
{
    return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t e)
{
    return e == cudaErrorMemoryAllocation ? "out of memory" : e == cudaErrorNoDevice ? "no device" : "rig error";
}
}
