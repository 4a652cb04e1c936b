/* SPDX-License-Identifier: Apache-2.0 */
/* bugs - one right kernel and the mistakes the rig exists to catch, for test_rig.c. */
#define NEP_HOST_RIG 1
#include "../../kernels/launch.h"

enum { N = 64 };

/* out = x reversed, through shared memory. */
static __global__ void reverse(const int *x, int *out, bool barrier)
{
    NEP_SHARED(int, tile, N);
    tile[threadIdx.x] = x[threadIdx.x];
    if (barrier)
        __syncthreads();
    out[threadIdx.x] = tile[N - 1 - threadIdx.x];
}

static __global__ void overrun(int *out, unsigned by)
{
    NEP_SHARED(int, tile, N);
    tile[threadIdx.x + by] = 1;
    out[threadIdx.x] = tile[threadIdx.x];
}

static __global__ void overrun_dynamic(int *out, unsigned by)
{
    NEP_SHARED_DYNAMIC(int, tile);
    tile[threadIdx.x + by] = 1;
    out[threadIdx.x] = tile[threadIdx.x];
}

static __global__ void half_barrier(int *out)
{
    if (threadIdx.x < N / 2)
        __syncthreads();
    out[threadIdx.x] = 1;
}

static __global__ void half_shuffle(int *out)
{
    int v = (int)threadIdx.x;
    if (threadIdx.x % 2)
        v = __shfl_down_sync(NEP_ALL_LANES, v, 1);
    else
        __syncthreads();
    out[threadIdx.x] = v;
}

static __global__ void unwritten(int *out)
{
    NEP_SHARED(int, tile, N);
    if (threadIdx.x > 0)
        tile[threadIdx.x] = 0;
    __syncthreads();
    out[threadIdx.x] = tile[threadIdx.x];
}

/* Every warp operation once; out [7, N]. */
static __global__ void warp_operations(int *out, unsigned long long *sum, double *largest)
{
    const int v = (int)threadIdx.x;
    out[0 * N + v] = __shfl_down_sync(NEP_ALL_LANES, v, 4);
    out[1 * N + v] = __shfl_up_sync(NEP_ALL_LANES, v, 4);
    out[2 * N + v] = __shfl_xor_sync(NEP_ALL_LANES, v, 1);
    out[3 * N + v] = __shfl_sync(NEP_ALL_LANES, v, 3);
    out[4 * N + v] = (int)__ballot_sync(NEP_ALL_LANES, v % 2);
    out[5 * N + v] = __any_sync(NEP_ALL_LANES, v == 40);
    out[6 * N + v] = __all_sync(NEP_ALL_LANES, v < 32);
    __syncwarp();
    atomicAdd(sum, (unsigned long long)__syncthreads_count(v < 10));
    atomicMax(largest, (double)v);
}

extern "C" {

void bug_reverse(const int *x, int *out, int barrier)
{
    NEP_LAUNCH(reverse, 1, N, nullptr, x, out, barrier != 0);
}

void bug_overrun(int *out, unsigned by)
{
    NEP_LAUNCH(overrun, 1, N, nullptr, out, by);
}

void bug_overrun_dynamic(int *out, unsigned by)
{
    NEP_LAUNCH_SHARED(overrun_dynamic, 1, N, N * sizeof(int), nullptr, out, by);
}

void bug_half_barrier(int *out)
{
    NEP_LAUNCH(half_barrier, 1, N, nullptr, out);
}

void bug_half_shuffle(int *out)
{
    NEP_LAUNCH(half_shuffle, 1, N, nullptr, out);
}

void bug_unwritten(int *out)
{
    NEP_LAUNCH(unwritten, 1, N, nullptr, out);
}

void bug_warp_operations(int *out, unsigned long long *sum, double *largest)
{
    NEP_LAUNCH(warp_operations, 1, N, nullptr, out, sum, largest);
}
}
