/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_time_ranks - CPU twin of kernels/time_ranks.cu: sixteen columns side by side through Batcher's sorting network (Knuth, TAOCP 3,
 * 5.2.2M). A key is the place of a value between the least and the largest of its column, as an integer, above its time; values
 * whose integers are the same are put in order one column at a time. */
#include "backend/cpu.h"

#include <float.h>
#include <omp.h>

enum { TILE = 64, LANES = 16, MOST_BITS = 22 }; /* of the integer: rounding in float32 does not take the largest value past it */

/* What is known of sixteen columns beside their sorted keys. */
typedef struct {
    int32_t bad[LANES];  /* not 0: a value is not finite, or all are the same */
    int32_t same[LANES]; /* not 0: two values have the same integer */
} lanes;

NEP_CPU_BODY void exchange(uint32_t *low, uint32_t *high)
{
    for (int l = 0; l < LANES; l++) {
        const uint32_t a = low[l], b = high[l];
        low[l] = a < b ? a : b;
        high[l] = a < b ? b : a;
    }
}

NEP_CPU_BODY void sort_body(uint32_t *key, int64_t n)
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

/* Bits of the largest time. */
static int time_bits(int64_t n_t)
{
    int bits = 1;
    while (((int64_t)1 << bits) < n_t)
        bits++;
    return bits;
}

/* Subtraction, product and truncation all keep the order, so that a larger integer is a larger value. */
NEP_CPU_BODY void fill_body(const float *x, int64_t n_t, int bits, uint32_t *key, lanes *known)
{
    const int room = 32 - bits < MOST_BITS ? 32 - bits : MOST_BITS;
    float low[LANES], high[LANES], scale[LANES];
    int32_t bad[LANES];
    for (int l = 0; l < LANES; l++) {
        low[l] = FLT_MAX;
        high[l] = -FLT_MAX;
        bad[l] = 0;
    }
    for (int64_t t = 0; t < n_t; t++)
        for (int l = 0; l < LANES; l++) {
            const float v = x[t * TILE + l];
            bad[l] |= (v >= -FLT_MAX ? 0 : 1) | (v <= FLT_MAX ? 0 : 1);
            low[l] = v < low[l] ? v : low[l];
            high[l] = v > high[l] ? v : high[l];
        }
    for (int l = 0; l < LANES; l++) {
        bad[l] |= high[l] > low[l] ? 0 : 1;
        known->bad[l] = bad[l];
        const float range = high[l] - low[l];
        scale[l] = bad[l] || range > FLT_MAX ? 0.0f : (float)(((int64_t)1 << room) - 1) / range;
        scale[l] = scale[l] <= FLT_MAX ? scale[l] : 0.0f; /* a range too small or too large to divide by: all are the same */
    }
    for (int64_t t = 0; t < n_t; t++)
        for (int l = 0; l < LANES; l++) {
            const float place = scale[l] > 0.0f ? (x[t * TILE + l] - low[l]) * scale[l] : 0.0f;
            key[t * LANES + l] = (uint32_t)(int32_t)place << bits | (uint32_t)t;
        }
}

/* Sixteen columns of a tile [n_t, TILE] as sorted keys [n_t, LANES]. */
NEP_CPU_BODY void lanes_body(const float *x, int64_t n_t, int bits, uint32_t *key, lanes *known)
{
    fill_body(x, n_t, bits, key, known);
    sort_body(key, n_t);
    int32_t same[LANES] = {0};
    for (int64_t i = LANES; i < n_t * LANES; i += LANES)
        for (int l = 0; l < LANES; l++)
            same[l] |= key[i + l] >> bits == key[i + l - LANES] >> bits ? 1 : 0;
    for (int l = 0; l < LANES; l++)
        known->same[l] = same[l];
}

typedef void lanes_function(const float *x, int64_t n_t, int bits, uint32_t *key, lanes *known);

static void lanes_scalar(const float *x, int64_t n_t, int bits, uint32_t *key, lanes *known)
{
    lanes_body(x, n_t, bits, key, known);
}

NEP_CPU_AVX2_CODE static void lanes_avx2(const float *x, int64_t n_t, int bits, uint32_t *key, lanes *known)
{
    lanes_body(x, n_t, bits, key, known);
}

NEP_CPU_AVX512_CODE static void lanes_avx512(const float *x, int64_t n_t, int bits, uint32_t *key, lanes *known)
{
    lanes_body(x, n_t, bits, key, known);
}

/* Whole values above their time, smallest first: Shell's sort with the gaps of Ciura (2001), doi:10.1007/3-540-44669-9_12. */
static void sort_whole(int64_t *key, int32_t n)
{
    static const int32_t gaps[] = {13323, 5921, 2631, 1169, 519, 230, 102, 45, 20, 9, 4, 1};
    for (int g = 0; g < NEP_LEN(gaps); g++)
        for (int32_t i = gaps[g]; i < n; i++) {
            const int64_t own = key[i];
            int32_t k = i;
            for (; k >= gaps[g] && key[k - gaps[g]] > own; k -= gaps[g])
                key[k] = key[k - gaps[g]];
            key[k] = own;
        }
}

static int32_t tied_by(nep_rank_rule rule, int64_t key)
{
    const int32_t high = (int32_t)(key >> 32);
    return rule == NEP_RANK_TRUNCATED ? nep_rank_key_truncated(nep_rank_value(high)) : high;
}

/* Ranks of m of a column's n values, `first` others below them; returns what they add up to in ties. */
static int64_t rank_run(nep_rank_rule rule, int64_t *key, int32_t m, int32_t first, int32_t n, int16_t *rank)
{
    int64_t tie = 0;
    sort_whole(key, m);
    for (int32_t a = 0, equal; a < m; a += equal) {
        const int32_t own = tied_by(rule, key[a]);
        equal = 1;
        while (a + equal < m && tied_by(rule, key[a + equal]) == own)
            equal++;
        for (int32_t k = 0; k < equal; k++)
            rank[key[a + k] & 0xffffffff] = (int16_t)nep_rank_doubled(rule, first + a, equal, k, n);
        tie += equal * nep_rank_tie(rule, first + a, equal, n);
    }
    return tie;
}

/* One column x (stride TILE) of which `key` has the order of the integers (stride LANES). Ties by integer parts go across runs of
 * these, so that rule takes the column as one run. */
static int64_t rank_runs(nep_rank_rule rule, const float *x, const uint32_t *key, int bits, int32_t n, int64_t *whole, int16_t *rank)
{
    const uint32_t mask = (1u << bits) - 1;
    int64_t tie = 0;
    for (int32_t a = 0, m; a < n; a += m) {
        const uint32_t own = key[(int64_t)a * LANES] >> bits;
        for (m = 0; a + m < n && (rule == NEP_RANK_TRUNCATED || key[(int64_t)(a + m) * LANES] >> bits == own); m++) {
            const int64_t t = key[(int64_t)(a + m) * LANES] & mask;
            whole[m] = (int64_t)nep_rank_key(x[t * TILE]) * ((int64_t)1 << 32) + t;
        }
        if (m == 1)
            rank[whole[0] & 0xffffffff] = (int16_t)(2 * a + 1 - n);
        else
            tie += rank_run(rule, whole, m, a, n, rank);
    }
    return tie;
}

typedef struct {
    float *tile;    /* [n_t, TILE] */
    uint32_t *key;  /* [n_t, LANES] */
    int64_t *whole; /* [n_t] */
} scratch;

/* A share of the tile after this one, fetched while column c of this one is ranked: each row lies on a page of its own. */
static void fetch_next(const float *next, int64_t stride, int64_t n_t, int64_t c)
{
    for (int64_t t = c * n_t / TILE; t < (c + 1) * n_t / TILE; t++)
        for (int64_t i = 0; i < TILE; i += 64 / (int64_t)sizeof *next)
            __builtin_prefetch(next + t * stride + i);
}

/* Columns of the tile in scratch; next (or NULL) is where the one after it lies in x. */
static void one_tile(lanes_function *sort, nep_rank_rule rule, const scratch *w, int64_t n_t, int64_t n, const float *next, int64_t stride,
                     int16_t *rank, int64_t *tie)
{
    const int bits = time_bits(n_t);
    const uint32_t mask = (1u << bits) - 1;
    for (int64_t first = 0; first < n; first += LANES) {
        lanes known;
        sort(w->tile + first, n_t, bits, w->key, &known);
        for (int64_t c = first; c < first + LANES && c < n; c++) {
            const int64_t l = c - first;
            int16_t *own = rank + c * n_t;
            if (next)
                fetch_next(next, stride, n_t, c);
            tie[c] = known.bad[l] ? -1 : 0;
            if (known.bad[l])
                memset(own, 0, (size_t)n_t * sizeof *own);
            else if (known.same[l] || rule == NEP_RANK_TRUNCATED)
                tie[c] = rank_runs(rule, w->tile + c, w->key + l, bits, (int32_t)n_t, w->whole, own);
            else /* every rule gives the place itself */
                for (int64_t k = 0; k < n_t; k++)
                    own[w->key[k * LANES + l] & mask] = (int16_t)(2 * k + 1 - n_t);
        }
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
    scratch all = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n_t * TILE, sizeof *all.tile, "columns", &all.tile)); /* of zeros, where there is no column */
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n_t * LANES, sizeof *all.key, "keys of columns", &all.key));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * n_t, sizeof *all.whole, "keys of a column", &all.whole));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t me = omp_get_thread_num(), c = i * TILE, n = nep_cpu_min(TILE, n_cols - c);
        const scratch w = {all.tile + me * n_t * TILE, all.key + me * n_t * LANES, all.whole + me * n_t};
        for (int64_t t = 0; t < n_t; t++)
            memcpy(w.tile + t * TILE, x + t * n_cols + c, (size_t)n * sizeof *x);
        one_tile(sort, rule, &w, n_t, n, c + 2 * TILE <= n_cols ? x + c + TILE : NULL, n_cols, rank + c * n_t, tie + c);
    }
done:
    nep_alloc_free(all.whole);
    nep_alloc_free(all.key);
    nep_alloc_free(all.tile);
    return st;
}
