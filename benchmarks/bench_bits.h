/* SPDX-License-Identifier: Apache-2.0 */
/* bench_bits - rows like fingerprints of molecules, and the ceilings of a search among them: reading memory, counting bits in registers. */
#ifndef NEP_BENCH_BITS_H
#define NEP_BENCH_BITS_H

#include "bench.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <nepenthe/similarity.h>

enum { BITS = 2048, WORDS = BITS / 64, PARENTS = 30000 };

/* ---- rows -------------------------------------------------------------------------------------------------------- */
/* Places of the bits of all parents: drawing one of them is drawing a column by its frequency. */
typedef struct {
    uint16_t *column;
    int64_t n, *start; /* [PARENTS + 1] */
} bench_columns;

static inline nep_status bench_columns_make(nep_ctx *ctx, const uint64_t *parent, bench_columns *c)
{
    NEP_TRY(nep_alloc(ctx, PARENTS + 1, sizeof *c->start, "starts of columns", &c->start));
    for (int64_t i = 0; i < (int64_t)PARENTS * WORDS; i++)
        c->n += __builtin_popcountll(parent[i]);
    NEP_TRY(nep_alloc(ctx, c->n, sizeof *c->column, "columns", &c->column));
    for (int64_t p = 0, to = 0; p < PARENTS; p++) {
        for (int b = 0; b < BITS; b++)
            if (parent[p * WORDS + b / 64] >> b % 64 & 1)
                c->column[to++] = (uint16_t)b;
        c->start[p + 1] = to;
    }
    return NEP_OK;
}

/* Row i: a parent, each of whose bits is drawn anew one time in five; a row depends on (stream, i) alone. */
static inline void bench_bits_row(const bench_columns *c, uint64_t stream, int64_t i, uint64_t *row)
{
    const uint64_t base = (uint64_t)i << 12;
    const int64_t p = nep_philox_u32(stream, 1, base) % PARENTS;
    memset(row, 0, WORDS * sizeof *row);
    for (int64_t k = c->start[p]; k < c->start[p + 1]; k++) {
        const uint64_t at = base + (uint64_t)(k - c->start[p]);
        int b = c->column[k];
        if (nep_philox_u32(stream, 2, at) % 5 == 0)
            b = c->column[(uint64_t)nep_philox_u32(stream, 3, at) % (uint64_t)c->n];
        row[b / 64] |= 1ull << b % 64;
    }
}

static inline nep_status bench_bits_rows(nep_ctx *ctx, const uint64_t *parent, uint64_t stream, int64_t n, uint64_t *rows)
{
    bench_columns c = {0};
    const nep_status st = bench_columns_make(ctx, parent, &c);
    if (st == NEP_OK) {
#pragma omp parallel for num_threads(nep_ctx_threads(ctx))
        for (int64_t i = 0; i < n; i++)
            bench_bits_row(&c, stream, i, rows + i * WORDS);
    }
    nep_alloc_free(c.column);
    nep_alloc_free(c.start);
    return st;
}

/* ---- ceilings ---------------------------------------------------------------------------------------------------- */
#if defined(__x86_64__)
/* n words in `streams` lines of memory side by side; ahead: words that are asked for before they are read, 0 = none. */
__attribute__((target("avx512f"))) static inline uint64_t bench_sum_avx512(const uint64_t *x, int64_t n, int64_t streams, int64_t ahead)
{
    __m512i s[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    const int64_t part = n / streams / 32 * 32;
    for (int64_t i = 0; i < part; i += 32)
        for (int64_t j = 0; j < streams; j++)
            for (int k = 0; k < 4; k++) {
                const uint64_t *at = x + j * part + i + 8 * k;
                if (ahead > 0)
                    _mm_prefetch((const char *)(at + ahead), _MM_HINT_T0);
                s[k] = _mm512_add_epi64(s[k], _mm512_loadu_si512(at));
            }
    return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(s[0], s[1]), _mm512_add_epi64(s[2], s[3])));
}

/* AND, count and add in eight chains of registers; returns what keeps the work from being left out. */
__attribute__((target("avx512f,avx512vpopcntdq"))) static inline uint64_t bench_counts_avx512(int64_t rounds)
{
    const __m512i y = _mm512_set1_epi64(0x5555);
    __m512i x = _mm512_set1_epi64(7), s0 = y, s1 = y, s2 = y, s3 = y, s4 = y, s5 = y, s6 = y, s7 = y;
    for (int64_t r = 0; r < rounds; r++) {
#define BENCH_COUNT(sum)                                                                                              \
    __asm__ volatile("" : "+v"(x)); /* as if x were another one: nothing is kept from before */                       \
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_and_si512(x, y)));
        BENCH_COUNT(s0) BENCH_COUNT(s1) BENCH_COUNT(s2) BENCH_COUNT(s3) BENCH_COUNT(s4) BENCH_COUNT(s5) BENCH_COUNT(s6) BENCH_COUNT(s7)
#undef BENCH_COUNT
    }
    const __m512i a = _mm512_add_epi64(_mm512_add_epi64(s0, s1), _mm512_add_epi64(s2, s3));
    return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(a, _mm512_add_epi64(_mm512_add_epi64(s4, s5), _mm512_add_epi64(s6, s7))));
}
#endif

static inline uint64_t bench_sum_plain(const uint64_t *x, int64_t n)
{
    uint64_t s = 0;
    for (int64_t i = 0; i < n; i++)
        s += x[i];
    return s;
}

#if defined(__x86_64__)
__attribute__((target("popcnt")))
#endif
static inline uint64_t bench_counts_plain(int64_t rounds)
{
    uint64_t x = 7, s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int64_t r = 0; r < 2 * rounds; r++) {
#define BENCH_COUNT(sum)                                                                                              \
    __asm__ volatile("" : "+r"(x));                                                                                   \
    sum += (uint64_t)__builtin_popcountll(x & 0x5555);
        BENCH_COUNT(s0) BENCH_COUNT(s1) BENCH_COUNT(s2) BENCH_COUNT(s3)
#undef BENCH_COUNT
    }
    return s0 + s1 + s2 + s3;
}

/* GB/s of reading n words once, all threads together, the best of the ways there are: one line of memory or several for each thread, what
 * comes next asked for or not. Measure it on the memory and between the turns of what it is a ceiling of. */
static inline double bench_bits_read(const uint64_t *x, int64_t n, int threads)
{
    static const int64_t ways[][2] = {{1, 0}, {2, 0}, {4, 0}, {1, 256}, {2, 256}}; /* lines, words ahead */
    const int64_t part = n / threads / 128 * 128;
    double best = 0;
    for (int run = 0; run < 2 * NEP_LEN(ways); run++) {
        uint64_t sink = 0;
        const int64_t *way = ways[run / 2];
        const double start = bench_clock(CLOCK_MONOTONIC);
#pragma omp parallel for schedule(static, 1) num_threads(threads) reduction(+ : sink)
        for (int t = 0; t < threads; t++) {
#if defined(__x86_64__)
            sink += __builtin_cpu_supports("avx512f") ? bench_sum_avx512(x + t * part, part, way[0], way[1]) : bench_sum_plain(x + t * part, part);
#else
            sink += bench_sum_plain(x + t * part, part);
            (void)way;
#endif
        }
        const double rate = (double)(part * threads) * 8 / (bench_clock(CLOCK_MONOTONIC) - start) * 1e-9;
        best = rate > best && sink != 1 ? rate : best;
    }
    return best;
}

/* Million pairs of 2,048 bits per second whose words are in registers already: AND, count, add. All threads together by elapsed time, or
 * per second of CPU. */
static inline double bench_bits_counts(int threads, bool cpu)
{
    enum { ROUNDS = 10000000 };
    double best = 0;
    for (int run = 0; run < 5; run++) {
        uint64_t sink = 0;
        double lanes = 1;
        const bench_time start = bench_now();
#pragma omp parallel for schedule(static, 1) num_threads(threads) reduction(+ : sink) reduction(max : lanes)
        for (int t = 0; t < threads; t++) {
#if defined(__x86_64__)
            if (__builtin_cpu_supports("avx512vpopcntdq")) {
                sink += bench_counts_avx512(ROUNDS);
                lanes = 8;
                continue;
            }
#endif
            sink += bench_counts_plain(ROUNDS);
        }
        const bench_time end = bench_now();
        const double rate = 8.0 * lanes * ROUNDS / WORDS * threads / (cpu ? end.cpu - start.cpu : end.wall - start.wall) * 1e-6;
        best = rate > best && sink > 0 ? rate : best;
    }
    return best;
}

#endif
