/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_bit_hits - CPU twin of kernels/bit_hits.cu: chunks of rows, each met by every query while it lies in cache; sketches first
 * where few rows of a sample pass them. */
#include "backend/cpu_bit_hits.h"

#include <omp.h>
#include <string.h>

enum {
    BLOCK = NEP_CPU_BIT_BLOCK,
    CHUNK = 64,     /* blocks of a chunk, at most */
    SAMPLE = 4,     /* blocks that decide whether sketches pay */
    FEW = 8,        /* per cent of rows passing up to which they do */
    ALONE = 1 << 15 /* pairs below which one thread does it all */
};

/* ---- the plain family -------------------------------------------------------------------------------------------- */
static uint64_t block_scalar(const uint64_t *query, const uint64_t *row, int64_t n, int64_t words, const uint64_t *next,
                             const nep_cpu_bit_need *need, uint16_t *common)
{
    uint64_t hits = 0;
    (void)next;
    for (int64_t i = 0; i < n; i++) {
        int c = 0;
        for (int64_t w = 0; w < words; w++)
            c += __builtin_popcountll(query[w] & row[i * words + w]);
        common[i] = (uint16_t)c;
        hits |= (uint64_t)(c >= nep_cpu_bit_needed(need, i)) << i;
    }
    return hits;
}

static uint64_t bound_scalar(const uint8_t *query, const uint8_t *sketch, int64_t n, const nep_cpu_bit_need *need)
{
    uint64_t may = 0;
    for (int64_t i = 0; i < n; i++) {
        int c = 0;
        for (int p = 0; p < NEP_BIT_SKETCH; p++)
            c += query[p] < sketch[i * NEP_BIT_SKETCH + p] ? query[p] : sketch[i * NEP_BIT_SKETCH + p];
        may |= (uint64_t)(c >= nep_cpu_bit_needed(need, i)) << i;
    }
    return may;
}

static const nep_cpu_bit_family scalar = {block_scalar, bound_scalar};

static const nep_cpu_bit_family *choose(void)
{
    const nep_cpu_family f = nep_cpu_family_get();
#if defined(__x86_64__)
    if (f >= NEP_CPU_AVX2)
        return f >= NEP_CPU_AVX512_POPCNT ? &nep_cpu_bit_avx512 : &nep_cpu_bit_avx2;
#endif
    (void)f;
    return &scalar;
}

/* ---- a chunk ----------------------------------------------------------------------------------------------------- */
typedef struct {
    const nep_cpu_bit_family *family;
    const nep_bit_rows *rows;
    const nep_bit_queries *queries;
    int64_t cap;
    int32_t *count, *position;
    uint16_t *common;
} problem;

/* Rows of one block, and whether they all have as many bits. */
typedef struct {
    int64_t first, n;
    bool same;
} block;

static bool asks(const problem *p, int64_t q, const block *b, nep_cpu_bit_need *need)
{
    const uint16_t *table = p->queries->need + q * (64 * p->rows->words + 1), *bits = p->rows->popcount + b->first;
    uint16_t least = NEP_BIT_NEVER;
    need->same = b->same;
    need->all = table[bits[0]];
    if (b->same)
        return need->all != NEP_BIT_NEVER;
    for (int64_t i = 0; i < b->n; i++) {
        need->each[i] = table[bits[i]];
        least = need->each[i] < least ? need->each[i] : least;
    }
    return least != NEP_BIT_NEVER;
}

static void append(const problem *p, int64_t q, int64_t first, uint64_t hits, const uint16_t *common)
{
    const int32_t n = (int32_t)__builtin_popcountll(hits);
    int64_t to;
#pragma omp atomic capture
    {
        to = p->count[q];
        p->count[q] += n;
    }
    for (; hits && to < p->cap; hits &= hits - 1, to++) {
        const int i = __builtin_ctzll(hits);
        p->position[q * p->cap + to] = (int32_t)(first + i);
        p->common[q * p->cap + to] = common[i];
    }
}

/* ask: the block behind this one is met next and lies in memory still. */
static void whole_block(const problem *p, int64_t q, const block *b, bool ask)
{
    const int64_t words = p->rows->words;
    const uint64_t *const row = p->rows->row + b->first * words;
    nep_cpu_bit_need need;
    uint16_t common[BLOCK];
    if (!asks(p, q, b, &need))
        return;
    const uint64_t hits = p->family->block(p->queries->query + q * words, row, b->n, words, ask ? row + b->n * words : NULL, &need, common);
    if (hits)
        append(p, q, b->first, hits, common);
}

static uint64_t passing(const problem *p, int64_t q, const block *b)
{
    nep_cpu_bit_need need;
    if (!asks(p, q, b, &need))
        return 0;
    return p->family->bound(p->queries->sketch + q * NEP_BIT_SKETCH, p->rows->sketch + b->first * NEP_BIT_SKETCH, b->n, &need);
}

/* Whether few of the first rows pass. */
static bool pays(const problem *p, int64_t q, const block *b, int blocks, uint64_t *pass)
{
    const int sample = blocks < SAMPLE ? blocks : SAMPLE;
    int64_t rows = 0, kept = 0;
    for (int k = 0; k < sample; k++) {
        pass[k] = passing(p, q, &b[k]);
        kept += __builtin_popcountll(pass[k]);
        rows += b[k].n;
    }
    return 100 * kept <= FEW * rows;
}

static void prefetch_rows(const problem *p, int64_t first, uint64_t which)
{
    const int64_t bytes = p->rows->words * (int64_t)sizeof(uint64_t);
    for (; which; which &= which - 1) {
        const char *row = (const char *)(p->rows->row + (first + __builtin_ctzll(which)) * p->rows->words);
        for (int64_t at = 0; at < bytes; at += 64)
            __builtin_prefetch(row + at);
    }
}

/* Rows that pass the sketch, one by one; all of a chunk are asked for before the first is looked at. */
static void by_sketch(const problem *p, int64_t q, const block *b, int blocks, uint64_t *pass)
{
    const int64_t words = p->rows->words;
    for (int k = 0; k < blocks; k++) {
        if (k >= SAMPLE)
            pass[k] = passing(p, q, &b[k]);
        prefetch_rows(p, b[k].first, pass[k]);
    }
    for (int k = 0; k < blocks; k++)
        for (uint64_t left = pass[k]; left; left &= left - 1) {
            const int64_t i = b[k].first + __builtin_ctzll(left);
            const block one = {i, 1, true};
            nep_cpu_bit_need need;
            uint16_t common[BLOCK];
            if (asks(p, q, &one, &need) &&
                p->family->block(p->queries->query + q * words, p->rows->row + i * words, 1, words, NULL, &need, common))
                append(p, q, i, 1, common);
        }
}

static void one_chunk(const problem *p, int64_t first, int64_t n, int32_t *whole)
{
    block b[CHUNK];
    uint64_t pass[CHUNK];
    const int blocks = (int)nep_cpu_tiles(n, BLOCK);
    int64_t n_whole = 0;
    for (int k = 0; k < blocks; k++) {
        const int64_t at = first + k * BLOCK, rows = nep_cpu_min(BLOCK, n - k * BLOCK);
        b[k] = (block){at, rows, p->rows->popcount[at] == p->rows->popcount[at + rows - 1]};
    }
    for (int64_t q = 0; q < p->queries->n_q; q++)
        if (p->rows->sketch && p->queries->sketch && pays(p, q, b, blocks, pass))
            by_sketch(p, q, b, blocks, pass);
        else
            whole[n_whole++] = (int32_t)q;
    for (int k = 0; k < blocks; k++)
        for (int64_t j = 0; j < n_whole; j++)
            whole_block(p, whole[j], &b[k], j == 0 && b[k].first + 2 * BLOCK <= p->rows->n);
}

nep_status nep_cpu_bit_hits(nep_ctx *ctx, nep_queue *queue, const nep_bit_rows *rows, const nep_bit_queries *queries, int64_t cap,
                            int32_t *count, int32_t *position, uint16_t *common)
{
    (void)queue;
    const problem p = {choose(), rows, queries, cap, count, position, common};
    const int threads = rows->n * queries->n_q <= ALONE ? 1 : nep_ctx_threads(ctx);
    const int64_t share = nep_cpu_tiles(nep_cpu_tiles(rows->n, 4 * (int64_t)threads), BLOCK) * BLOCK;
    const int64_t chunk = nep_cpu_min(CHUNK * BLOCK, share < BLOCK ? BLOCK : share), chunks = nep_cpu_tiles(rows->n, chunk);
    int32_t *whole = NULL;
    NEP_TRY(nep_alloc(ctx, threads * queries->n_q, sizeof *whole, "queries that look at whole rows", &whole));
    memset(count, 0, (size_t)queries->n_q * sizeof *count);
#pragma omp parallel num_threads(threads)
    {
        int32_t *const mine = whole + omp_get_thread_num() * queries->n_q;
#pragma omp for schedule(static)
        for (int64_t c = 0; c < chunks; c++)
            if (!nep_ctx_interrupt_signal())
                one_chunk(&p, c * chunk, nep_cpu_min(chunk, rows->n - c * chunk), mine);
    }
    nep_alloc_free(whole);
    return nep_ctx_check(ctx);
}
