/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_time_ranks - CPU twin of kernels/time_ranks.cu: eight columns side by side through Batcher's sorting network (Knuth, TAOCP
 * 3, 5.2.2M) as keys with their time below them, then runs of equal keys in order. */
#include "backend/cpu.h"

#include <float.h>
#include <omp.h>

enum { TILE = 64, LANES = 8 };

NEP_CPU_BODY void exchange(int64_t *low, int64_t *high)
{
    for (int l = 0; l < LANES; l++) {
        const int64_t a = low[l], b = high[l];
        low[l] = a < b ? a : b;
        high[l] = a < b ? b : a;
    }
}

NEP_CPU_BODY void sort_body(int64_t *key, int64_t n)
{
    int64_t top = 1;
    while (2 * top < n)
        top *= 2;
    for (int64_t p = n > 1 ? top : 0; p > 0; p /= 2) {
        int64_t d = p, r = 0;
        for (int64_t q = top;; d = q - p, q /= 2, r = p) {
            for (int64_t block = r; block < n - d; block += 2 * p)
                for (int64_t i = block; i < block + p && i < n - d; i++)
                    exchange(key + i * LANES, key + (i + d) * LANES);
            if (q == p)
                break;
        }
    }
}

/* Eight columns of a tile [n_t, TILE] as sorted keys [n_t, LANES], time in the lower half; tied[l] is not 0 where two values of a
 * column are the same. */
NEP_CPU_BODY void lanes_body(const float *x, int64_t n_t, int64_t *key, int64_t *tied)
{
    for (int64_t t = 0; t < n_t; t++)
        for (int l = 0; l < LANES; l++)
            key[t * LANES + l] = (int64_t)nep_rank_key(x[t * TILE + l]) * ((int64_t)1 << 32) + t;
    sort_body(key, n_t);
    for (int l = 0; l < LANES; l++)
        tied[l] = 0;
    for (int64_t i = LANES; i < n_t * LANES; i += LANES)
        for (int l = 0; l < LANES; l++)
            tied[l] |= (key[i + l] >> 32) == (key[i + l - LANES] >> 32);
}

typedef void lanes_function(const float *x, int64_t n_t, int64_t *key, int64_t *tied);

static void lanes_scalar(const float *x, int64_t n_t, int64_t *key, int64_t *tied)
{
    lanes_body(x, n_t, key, tied);
}

NEP_CPU_AVX2_CODE static void lanes_avx2(const float *x, int64_t n_t, int64_t *key, int64_t *tied)
{
    lanes_body(x, n_t, key, tied);
}

NEP_CPU_AVX512_CODE static void lanes_avx512(const float *x, int64_t n_t, int64_t *key, int64_t *tied)
{
    lanes_body(x, n_t, key, tied);
}

static int32_t high(int64_t key)
{
    return (int32_t)(key >> 32);
}

static int32_t tied_by(nep_rank_rule rule, int64_t key)
{
    return rule == NEP_RANK_TRUNCATED ? nep_rank_key_truncated(nep_rank_value(high(key))) : high(key);
}

/* Ranks of one sorted lane; returns what it adds up to in ties. */
static int64_t rank_ties(nep_rank_rule rule, const int64_t *key, int32_t n, int16_t *rank)
{
    int64_t tie = 0;
    for (int32_t a = 0, equal; a < n; a += equal) {
        const int32_t own = tied_by(rule, key[(int64_t)a * LANES]);
        equal = 1;
        while (a + equal < n && tied_by(rule, key[(int64_t)(a + equal) * LANES]) == own)
            equal++;
        for (int32_t k = 0; k < equal; k++)
            rank[key[(int64_t)(a + k) * LANES] & 0xffffffff] = (int16_t)nep_rank_doubled(rule, a, equal, k, n);
        tie += equal * nep_rank_tie(rule, a, equal, n);
    }
    return tie;
}

/* One sorted lane without, or with, tied values; -1 when a value is not finite (those sort to the ends) or all are the same. */
static int64_t rank_lane(nep_rank_rule rule, const int64_t *key, bool tied, int32_t n, int16_t *rank)
{
    const int32_t lowest = high(key[0]), highest = high(key[(int64_t)(n - 1) * LANES]);
    if (lowest < nep_rank_key(-FLT_MAX) || highest > nep_rank_key(FLT_MAX) || lowest == highest) {
        memset(rank, 0, (size_t)n * sizeof *rank);
        return -1;
    }
    if (tied || rule == NEP_RANK_TRUNCATED)
        return rank_ties(rule, key, n, rank);
    for (int32_t k = 0; k < n; k++) /* no ties: every rule gives the place itself */
        rank[key[(int64_t)k * LANES] & 0xffffffff] = (int16_t)(2 * k + 1 - n);
    return 0;
}

static void one_tile(lanes_function *sort, nep_rank_rule rule, const float *x, int64_t n_t, int64_t n, int64_t *key, int16_t *rank,
                     int64_t *tie)
{
    for (int64_t first = 0; first < n; first += LANES) {
        int64_t tied[LANES];
        sort(x + first, n_t, key, tied);
        for (int64_t c = first; c < first + LANES && c < n; c++)
            tie[c] = rank_lane(rule, key + c - first, tied[c - first] != 0, (int32_t)n_t, rank + c * n_t);
    }
}

nep_status nep_cpu_time_ranks(nep_ctx *ctx, nep_queue *queue, const float *x, int64_t n_t, int64_t n_cols, nep_rank_rule rule,
                              int16_t *rank, int64_t *tie)
{
    (void)queue;
    const nep_cpu_family f = nep_cpu_family_get();
    lanes_function *const sort = f >= NEP_CPU_AVX512 ? lanes_avx512 : f >= NEP_CPU_AVX2 ? lanes_avx2 : lanes_scalar;
    const int threads = nep_ctx_threads(ctx);
    const int64_t tiles = nep_cpu_tiles(n_cols, TILE);
    float *tile = NULL;
    int64_t *key = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n_t * TILE, sizeof *tile, "columns", &tile)); /* zeros: a lane without a column sorts them */
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n_t * LANES, sizeof *key, "keys of columns", &key));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tiles; i++) {
        float *mine = tile + omp_get_thread_num() * n_t * TILE;
        const int64_t c = i * TILE, n = nep_cpu_min(TILE, n_cols - c);
        for (int64_t t = 0; t < n_t; t++)
            memcpy(mine + t * TILE, x + t * n_cols + c, (size_t)n * sizeof *x);
        one_tile(sort, rule, mine, n_t, n, key + omp_get_thread_num() * n_t * LANES, rank + c * n_t, tie + c);
    }
done:
    nep_alloc_free(key);
    nep_alloc_free(tile);
    return st;
}
