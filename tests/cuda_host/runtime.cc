/* SPDX-License-Identifier: Apache-2.0 */
/* runtime - the CUDA runtime of the host rig: device memory is exact heap blocks full of garbage, so that ASan sees each
 * access past an end and a kernel that relies on zeros fails. */
#include "cuda_runtime_api.h"

#include <cstdlib>
#include <cstring>

static long blocks, fail_at = -1;
static int driver = 13000, devices = 1;

extern "C" {

long rig_blocks(void)
{
    return blocks;
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
    if (fail_at >= 0 && fail_at-- == 0)
        return cudaErrorMemoryAllocation;
    *ptr = malloc(bytes);
    memset(*ptr, 0xFF, bytes);
    blocks++;
    return cudaSuccess;
}

cudaError_t cudaFree(void *ptr)
{
    blocks -= ptr != nullptr;
    free(ptr);
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
