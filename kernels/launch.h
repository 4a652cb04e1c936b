/* SPDX-License-Identifier: Apache-2.0 */
/* launch - how a kernel is launched and shared memory declared, so that each .cu is also plain C++ for the host rig.
 * One of the two headers with CUDA conditionals. */
#ifndef NEP_KERNELS_LAUNCH_H
#define NEP_KERNELS_LAUNCH_H

#include "backend/cuda.h"

#if defined(NEP_HOST_RIG)
#include "cuda_host/rig.hpp"
enum { NEP_GRID_MOST = 3 }; /* few blocks, so that grid-stride loops turn */
#define NEP_UNROLL
#else
#include <cuda_runtime.h>
enum { NEP_GRID_MOST = 65535 };
/* Before a loop of fixed length over an array that must stay in registers. */
#define NEP_UNROLL _Pragma("unroll")
/* `n` items of shared memory of this block. */
#define NEP_SHARED(type, name, n) __shared__ type name[n]
/* The shared memory whose size NEP_LAUNCH_SHARED gives. */
#define NEP_SHARED_DYNAMIC(type, name)                                                                                \
    extern __shared__ double nep_dynamic[];                                                                           \
    type *const name = (type *)nep_dynamic
#define NEP_LAUNCH(kernel, grid, block, queue, ...) kernel<<<grid, block, 0, (cudaStream_t)(queue)>>>(__VA_ARGS__)
#define NEP_LAUNCH_SHARED(kernel, grid, block, bytes, queue, ...)                                                     \
    kernel<<<grid, block, bytes, (cudaStream_t)(queue)>>>(__VA_ARGS__)
#endif

enum { NEP_BLOCK = 256, NEP_WARP = 32 };
#define NEP_ALL_LANES 0xffffffffu

/* Grid-stride loop over n items. */
#define NEP_FOR_EACH(i, n)                                                                                            \
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += (int64_t)gridDim.x * blockDim.x)

/* Blocks for n items, `each` per block, at most what a grid takes: kernels loop over the rest. */
static inline unsigned nep_grid(int64_t n, int64_t each)
{
    const int64_t blocks = (n + each - 1) / each;
    return (unsigned)(blocks < 1 ? 1 : blocks > NEP_GRID_MOST ? (int64_t)NEP_GRID_MOST : blocks);
}

/* The fold of nep_lanes_fold() over a warp; lane 0 has the sum. */
static __device__ __forceinline__ double nep_warp_fold(double v)
{
    for (int half = NEP_WARP / 2; half > 0; half /= 2)
        v += __shfl_down_sync(NEP_ALL_LANES, v, half);
    return v;
}

#endif
