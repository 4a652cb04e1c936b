/* SPDX-License-Identifier: Apache-2.0 */
/* time_ranks - CUDA twin of src/backend/cpu_time_ranks.c: a block per column, a thread per value, which counts the values below it and
 * tied with it while the column passes through shared memory. Nothing is sorted. */
#include "launch.h"

#include <nepenthe/math/lanes.h>
#include <nepenthe/math/rank.h>

enum { CHUNK = 1024 };

typedef struct {
    int32_t less, equal, before;
} place;

/* Whether the column is finite throughout and varies; the same answer in all threads. */
static __device__ bool counts(const float *x, int64_t n_t, int64_t n_cols, int64_t c)
{
    int bad = 0, other = 0;
    for (int64_t t = threadIdx.x; t < n_t; t += blockDim.x) {
        bad += !nep_lanes_finite(x[t * n_cols + c]);
        other += x[t * n_cols + c] != x[c];
    }
    const int any_bad = __syncthreads_count(bad), any_other = __syncthreads_count(other);
    return any_bad == 0 && any_other > 0;
}

/* Counts those of `n` values from time `first` on. */
static __device__ void count_chunk(const int32_t *key, const int32_t *whole, int64_t first, int64_t n, int64_t t, int32_t own,
                                   int32_t own_whole, place *p)
{
    for (int64_t i = 0; i < n; i++) {
        const bool same = key[i] == own;
        p->less += key[i] < own;
        p->equal += same;
        p->before += same && (whole[i] < own_whole || (whole[i] == own_whole && first + i < t));
    }
}

static __global__ void time_ranks_kernel(const float *x, int64_t n_t, int64_t n_cols, nep_rank_rule rule, int16_t *rank, int64_t *tie)
{
    NEP_SHARED(int32_t, key, CHUNK);
    NEP_SHARED(int32_t, whole, CHUNK);
    NEP_SHARED(int64_t, part, NEP_BLOCK);
    for (int64_t c = blockIdx.x; c < n_cols; c += gridDim.x) {
        const bool good = counts(x, n_t, n_cols, c);
        int64_t mine = 0;
        for (int64_t base = 0; base < n_t; base += blockDim.x) {
            const int64_t t = base + threadIdx.x;
            const float v = t < n_t ? x[t * n_cols + c] : 0.0f;
            const int32_t own_whole = nep_rank_key(v), own = rule == NEP_RANK_TRUNCATED ? nep_rank_key_truncated(v) : own_whole;
            place p = {0, 0, 0};
            for (int64_t first = 0; good && first < n_t; first += CHUNK) {
                const int64_t n = n_t - first < CHUNK ? n_t - first : (int64_t)CHUNK;
                for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
                    const float w = x[(first + i) * n_cols + c];
                    whole[i] = nep_rank_key(w);
                    key[i] = rule == NEP_RANK_TRUNCATED ? nep_rank_key_truncated(w) : whole[i];
                }
                __syncthreads();
                count_chunk(key, whole, first, n, t, own, own_whole, &p);
                __syncthreads();
            }
            if (t < n_t) {
                rank[c * n_t + t] = good ? (int16_t)nep_rank_doubled(rule, p.less, p.equal, p.before, (int32_t)n_t) : (int16_t)0;
                mine += good ? nep_rank_tie(rule, p.less, p.equal, (int32_t)n_t) : 0;
            }
        }
        part[threadIdx.x] = mine;
        __syncthreads();
        if (threadIdx.x == 0) {
            int64_t total = 0;
            for (unsigned i = 0; i < blockDim.x; i++)
                total += part[i];
            tie[c] = good ? total : -1;
        }
        __syncthreads();
    }
}

extern "C" nep_status nep_cuda_time_ranks(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t, int64_t n_cols,
                                          nep_rank_rule rule, int16_t *rank, int64_t *tie)
{
    const unsigned block = n_t < NEP_BLOCK ? (unsigned)((n_t + NEP_WARP - 1) / NEP_WARP * NEP_WARP) : (unsigned)NEP_BLOCK;
    NEP_LAUNCH(time_ranks_kernel, nep_grid(n_cols, 1), block, queue, x, n_t, n_cols, rule, rank, tie);
    return nep_cuda_launched(ctx, "time_ranks");
}
