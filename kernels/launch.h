/* SPDX-License-Identifier: Apache-2.0 */
/* launch - how a kernel is launched and shared memory declared, so that each .cu is also plain C++ for the host rig.
 * One of the two headers with CUDA conditionals. */
#ifndef NEP_KERNELS_LAUNCH_H
#define NEP_KERNELS_LAUNCH_H

#include "backend/cuda.h"

#if defined(NEP_HOST_RIG)
#include "cuda_host/rig.hpp"
enum { NEP_GRID_MOST = 3 }; /* few blocks, so that grid-stride loops turn */
enum { NEP_SHARED_MOST = 2 << 10 }; /* little shared memory, so that what does not fit is tried, too */
#define NEP_UNROLL
#else
#include <cuda_runtime.h>
enum { NEP_GRID_MOST = 65535 };
enum { NEP_SHARED_MOST = 46 << 10 }; /* bytes that a launch may ask for beside what a kernel declares */
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

/* c [16, 8] += bits in common of the rows of a [16, 256 bits] and of b [8, 256 bits], the whole warp together. Lane l = 4 g + t holds
 * of a the 32-bit words t and t + 4 of rows g and g + 8 as a[0], a[2] and a[1], a[3]; of b those of row g as b[0], b[1]; of c rows g
 * (c[0], c[1]) and g + 8 (c[2], c[3]), columns 2 t and 2 t + 1. */
#if defined(NEP_HOST_RIG)
static inline void nep_mma_bits(int *c, const unsigned *a, const unsigned *b)
{
    const unsigned g = threadIdx.x % NEP_WARP / 4, t = threadIdx.x % 4;
    for (unsigned k = 0; k < 4; k++)
        for (unsigned part = 0; part < 2; part++) {
            const unsigned low = __shfl_sync(NEP_ALL_LANES, a[2 * part], 4 * g + k), high = __shfl_sync(NEP_ALL_LANES, a[2 * part + 1], 4 * g + k);
            for (unsigned n = 0; n < 2; n++) {
                const unsigned word = __shfl_sync(NEP_ALL_LANES, b[part], 4 * (2 * t + n) + k);
                c[n] += __popc(low & word);
                c[2 + n] += __popc(high & word);
            }
        }
}
#else
static __device__ __forceinline__ void nep_mma_bits(int *c, const unsigned *a, const unsigned *b)
{
    asm volatile("mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

/* sum + the products of four signed bytes of a with those of b. nep_mma_bytes: c [16, 8] += a [16, 32 bytes] times b [8, 32 bytes] in
 * signed bytes, the whole warp together. Lane l = 4 g + t holds of a the words t and t + 4 of rows g and g + 8 as a[0], a[2] and a[1],
 * a[3]; of b those of row g as b[0], b[1]; of c rows g (c[0], c[1]) and g + 8 (c[2], c[3]), columns 2 t and 2 t + 1. */
#if defined(NEP_HOST_RIG)
static inline int nep_dot4(unsigned a, unsigned b, int sum)
{
    for (int k = 0; k < 32; k += 8)
        sum += (int)(signed char)(a >> k) * (int)(signed char)(b >> k);
    return sum;
}
static inline void nep_mma_bytes(int *c, const unsigned *a, const unsigned *b)
{
    const unsigned g = threadIdx.x % NEP_WARP / 4, t = threadIdx.x % 4;
    for (unsigned k = 0; k < 4; k++)
        for (unsigned part = 0; part < 2; part++) {
            const unsigned low = __shfl_sync(NEP_ALL_LANES, a[2 * part], 4 * g + k), high = __shfl_sync(NEP_ALL_LANES, a[2 * part + 1], 4 * g + k);
            for (unsigned n = 0; n < 2; n++) {
                const unsigned word = __shfl_sync(NEP_ALL_LANES, b[part], 4 * (2 * t + n) + k);
                c[n] = nep_dot4(low, word, c[n]);
                c[2 + n] = nep_dot4(high, word, c[2 + n]);
            }
        }
}
#else
static __device__ __forceinline__ int nep_dot4(unsigned a, unsigned b, int sum)
{
    return __dp4a((int)a, (int)b, sum);
}
static __device__ __forceinline__ void nep_mma_bytes(int *c, const unsigned *a, const unsigned *b)
{
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

/* The fold of nep_lanes_fold() over a warp; lane 0 has the sum. */
static __device__ __forceinline__ double nep_warp_fold(double v)
{
    for (int half = NEP_WARP / 2; half > 0; half /= 2)
        v += __shfl_down_sync(NEP_ALL_LANES, v, half);
    return v;
}

#endif
