/* SPDX-License-Identifier: Apache-2.0 */
/* rig - lets a .cu be compiled as host C++ and run: blocks in random order, the threads of a block as fibers that run in
 * random order and switch only where CUDA lets threads meet (barriers, shuffles, votes).
 *
 * What it finds: a missing barrier (some order shows it), shared or device memory touched past its end (ASan), shared
 * memory read before it is written (it is full of garbage, other garbage in each block), a barrier or a warp operation
 * that not all named threads reach. What it does not: speed, the last bits of device arithmetic, races between blocks
 * on plain stores. Everything random comes from one seed, printed on failure and replayed by NEP_RIG_SEED.
 */
#ifndef NEP_RIG_HPP
#define NEP_RIG_HPP

#include "cuda_host/cuda_runtime_api.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
};

namespace rig
{
struct place {
    dim3 thread, block, block_size, grid_size;
};
/* Of the thread that runs now. */
extern place here;

unsigned long long seed();
void reseed(unsigned long long seed);
void launch(const char *kernel, dim3 grid, dim3 block, size_t bytes, const std::function<void()> &body);

/* Shared memory of this block under `key`: an exact heap block, so that ASan sees its end. */
void *shared(const void *key, size_t bytes);
/* Likewise the block whose size the launch gave. */
void *shared_dynamic();

enum meeting { BARRIER, BARRIER_COUNT, SHUFFLE, VOTE, WARP_BARRIER };
/* Waits at a meeting of the whole block; `vote` is counted over its threads. */
unsigned meet_block(meeting kind, bool vote);
/* Waits until all lanes of `mask` are at the same kind of meeting; `value` (8 bytes at most) is laid out for all. */
void meet_warp(meeting kind, unsigned mask, const void *value, size_t size);
/* After meet_warp: what `lane` brought; false when it took no part. */
bool brought(unsigned lane, void *value, size_t size);
unsigned my_lane();

template <class T> T exchange(unsigned mask, T value, unsigned source, bool valid)
{
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable<T>::value, "shuffles move 8 bytes at most");
    meet_warp(SHUFFLE, mask, &value, sizeof value);
    T out = value;
    if (valid && !brought(source, &out, sizeof out))
        memset((void *)&out, 0xFF, sizeof out); /* undefined on a device */
    return out;
}

unsigned ballot(unsigned mask, bool vote);
} // namespace rig

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

#define threadIdx (rig::here.thread)
#define blockIdx  (rig::here.block)
#define blockDim  (rig::here.block_size)
#define gridDim   (rig::here.grid_size)

#define NEP_SHARED(type, name, n)                                                                                     \
    static const char name##_key = 0;                                                                                 \
    type *const name = static_cast<type *>(rig::shared(&name##_key, sizeof(type) * (n)))
#define NEP_SHARED_DYNAMIC(type, name) type *const name = static_cast<type *>(rig::shared_dynamic())
#define NEP_LAUNCH_SHARED(kernel, grid, block, bytes, queue, ...)                                                     \
    ((void)(queue), rig::launch(#kernel, dim3(grid), dim3(block), bytes, [=] { kernel(__VA_ARGS__); }))
#define NEP_LAUNCH(kernel, grid, block, queue, ...) NEP_LAUNCH_SHARED(kernel, grid, block, 0, queue, __VA_ARGS__)

static inline void __syncthreads()
{
    rig::meet_block(rig::BARRIER, false);
}

static inline int __syncthreads_count(int vote)
{
    return (int)rig::meet_block(rig::BARRIER_COUNT, vote != 0);
}

static inline void __syncwarp(unsigned mask = 0xffffffffu)
{
    rig::meet_warp(rig::WARP_BARRIER, mask, nullptr, 0);
}

template <class T> T __shfl_down_sync(unsigned mask, T v, unsigned by)
{
    return rig::exchange(mask, v, rig::my_lane() + by, rig::my_lane() + by < 32);
}

template <class T> T __shfl_up_sync(unsigned mask, T v, unsigned by)
{
    return rig::exchange(mask, v, rig::my_lane() - by, rig::my_lane() >= by);
}

template <class T> T __shfl_xor_sync(unsigned mask, T v, unsigned by)
{
    return rig::exchange(mask, v, rig::my_lane() ^ by, (rig::my_lane() ^ by) < 32);
}

template <class T> T __shfl_sync(unsigned mask, T v, unsigned lane)
{
    return rig::exchange(mask, v, lane % 32, true);
}

static inline unsigned __ballot_sync(unsigned mask, int vote)
{
    return rig::ballot(mask, vote != 0);
}

static inline int __any_sync(unsigned mask, int vote)
{
    return rig::ballot(mask, vote != 0) != 0;
}

static inline int __all_sync(unsigned mask, int vote)
{
    return rig::ballot(mask, vote == 0) == 0;
}

/* Fibers switch at meetings alone, so a plain update is atomic. */
template <class T> T atomicAdd(T *p, T v)
{
    const T old = *p;
    *p = (T)(old + v);
    return old;
}

template <class T> T atomicMax(T *p, T v)
{
    const T old = *p;
    *p = v > old ? v : old;
    return old;
}

static inline int __popc(unsigned v)
{
    return __builtin_popcount(v);
}

static inline int __popcll(unsigned long long v)
{
    return __builtin_popcountll(v);
}

/* The smaller of each of four bytes. */
static inline unsigned __vminu4(unsigned a, unsigned b)
{
    unsigned out = 0;
    for (int k = 0; k < 32; k += 8)
        out |= ((a >> k & 255u) < (b >> k & 255u) ? a >> k & 255u : b >> k & 255u) << k;
    return out;
}

static inline unsigned __dp4a(unsigned a, unsigned b, unsigned c)
{
    for (int k = 0; k < 32; k += 8)
        c += (a >> k & 255u) * (b >> k & 255u);
    return c;
}

static inline long long __double_as_longlong(double v)
{
    long long out;
    memcpy(&out, &v, sizeof out);
    return out;
}

#endif
