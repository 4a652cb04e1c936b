/* SPDX-License-Identifier: Apache-2.0 */
/* bits - indexes of bit vectors made by hand, realistic rows, and the answer of a plain loop over all rows. */
#ifndef NEP_TESTS_SIMILARITY_BITS_H
#define NEP_TESTS_SIMILARITY_BITS_H

#include "support.h"

#include <nepenthe/similarity.h>

typedef struct {
    nep_index index;
    uint64_t *row;
    uint16_t *popcount;
    uint8_t *sketch;
    int64_t *number;
} made_index;

typedef struct {
    int32_t bits;
    int64_t number;
} by_bits;

static inline int compare_bits(const void *x, const void *y)
{
    const by_bits *a = x, *b = y;
    return a->bits != b->bits ? a->bits - b->bits : (a->number > b->number) - (a->number < b->number);
}

static inline int32_t count_row(const uint64_t *x, int64_t words)
{
    int32_t n = 0;
    for (int64_t w = 0; w < words; w++)
        n += __builtin_popcountll(x[w]);
    return n;
}

/* Rows number[i] = first + stride i of the set `bits` [n_all, words], i < n. */
static inline made_index make_index(const uint64_t *bits, int64_t n_bits, int64_t n_all, int64_t first, int64_t stride, bool sketch)
{
    const int64_t words = (n_bits + 63) / 64, n = first < n_all ? (n_all - first + stride - 1) / stride : 0;
    made_index m = {0};
    by_bits *order = calloc((size_t)n + 1, sizeof *order);
    m.row = calloc((size_t)(n * words) + 1, sizeof *m.row);
    m.popcount = calloc((size_t)n + 1, sizeof *m.popcount);
    m.sketch = calloc((size_t)(n * NEP_INDEX_SKETCH) + 1, 1);
    m.number = calloc((size_t)n + 1, sizeof *m.number);
    for (int64_t i = 0; i < n; i++)
        order[i] = (by_bits){count_row(bits + (first + i * stride) * words, words), first + i * stride};
    qsort(order, (size_t)n, sizeof *order, compare_bits);
    for (int64_t i = 0; i < n; i++) {
        m.number[i] = order[i].number;
        m.popcount[i] = (uint16_t)order[i].bits;
        memcpy(m.row + i * words, bits + order[i].number * words, (size_t)words * sizeof *bits);
        for (int64_t b = 0; b < 64 * words; b++)
            m.sketch[i * NEP_INDEX_SKETCH + b / (4 * words)] += (uint8_t)(m.row[i * words + b / 64] >> b % 64 & 1);
    }
    free(order);
    m.index = (nep_index){.kind = NEP_INDEX_BITS, .n = n, .total = n_all, .number = m.number,
                          .bits = {n_bits, words, m.row, m.popcount, sketch && words < 64 ? m.sketch : NULL}};
    return m;
}

static inline void free_index(made_index *m)
{
    free(m->row);
    free(m->popcount);
    free(m->sketch);
    free(m->number);
    *m = (made_index){0};
}

/* [n, words] rows near one of 24 patterns of very different counts of bits; some the same, some empty. */
static inline uint64_t *make_bits(uint64_t stream, int64_t n, int64_t n_bits)
{
    const int64_t words = (n_bits + 63) / 64;
    uint64_t *x = calloc((size_t)(n * words) + 1, sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        const uint64_t pattern = nep_philox_u32(3, stream, (uint64_t)i) % 24, base = (uint64_t)i << 20;
        const int64_t on = 1 + (int64_t)(pattern * pattern) * n_bits / 3000;
        for (int64_t k = 0; i % 50 != 49 && k < on; k++) {
            const uint64_t u = nep_philox_u32(4, stream, base + (uint64_t)k);
            const int64_t b = (int64_t)((u % 100 < 80 ? nep_philox_u32(5, pattern, (uint64_t)k) : nep_philox_u32(6, stream, base + (uint64_t)k)) % (uint64_t)n_bits);
            x[i * words + b / 64] |= 1ull << b % 64;
        }
        if (i % 17 == 16)
            memcpy(x + i * words, x + (i / 2) * words, (size_t)words * sizeof *x);
    }
    return x;
}

/* ---- the plain answer: long fractions, no tables ------------------------------------------------------------------ */
typedef struct {
    int64_t number;
    int32_t b, c, total;
    __int128 p, q; /* the score, squared for cosine, as p / q; 0 / 1 for none */
} plain_hit;

static inline plain_hit plain_score(const nep_search_opts *o, const uint64_t *x, const uint64_t *y, int64_t words, int64_t number)
{
    int64_t a = count_row(x, words), b = count_row(y, words), c = 0;
    plain_hit h = {.number = number, .b = (int32_t)b, .q = 1};
    for (int64_t w = 0; w < words; w++)
        c += __builtin_popcountll(x[w] & y[w]);
    h.c = (int32_t)c;
    h.total = (int32_t)(a + b - c);
    if (c == 0)
        return h;
    h.p = c;
    switch (o->metric) {
    case NEP_METRIC_TANIMOTO:
        h.q = a + b - c;
        break;
    case NEP_METRIC_DICE:
        h.p = 2 * c;
        h.q = a + b;
        break;
    case NEP_METRIC_COSINE:
        h.p = c * c;
        h.q = a * b;
        break;
    default: /* over alpha.den beta.den */
        h.p = (__int128)c * o->alpha.den * o->beta.den;
        h.q = (__int128)o->alpha.num * o->beta.den * (a - c) + (__int128)o->beta.num * o->alpha.den * (b - c) + h.p;
    }
    return h;
}

static inline int plain_compare(const void *x, const void *y)
{
    const plain_hit *a = x, *b = y;
    const __int128 l = a->p * b->q, r = b->p * a->q;
    return l != r ? (l < r ? 1 : -1) : (a->number > b->number) - (a->number < b->number);
}

static inline bool plain_reaches(const nep_search_opts *o, const plain_hit *h)
{
    const __int128 n = o->threshold.num, d = o->threshold.den;
    if (n <= 0)
        return true;
    return o->metric == NEP_METRIC_COSINE ? h->p * d * d >= n * n * h->q : h->p * d >= n * h->q;
}

/* Hits of one query among all rows, in order; returns how many. */
static inline int64_t plain_answer(const nep_search_opts *o, const uint64_t *bits, int64_t n, int64_t words, const uint64_t *query, plain_hit *out)
{
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++) {
        const bool in = (o->first == 0 && o->last == 0) || (i >= o->first && i < o->last);
        if (!in || (o->allow && !(o->allow[i / 64] >> i % 64 & 1)))
            continue;
        out[found] = plain_score(o, query, bits + i * words, words, i);
        if (!o->by_threshold || plain_reaches(o, &out[found]))
            found++;
    }
    qsort(out, (size_t)found, sizeof *out, plain_compare);
    return o->k > 0 && found > o->k ? o->k : found;
}

#endif
