/* SPDX-License-Identifier: Apache-2.0 */
/* index_bits - an index of bit vectors in memory: sorted by population count, then row number, with counts and sketches. */
#include "data/index_parts.h"

#include <string.h>

int64_t nep_index_popcount(const uint64_t *row, int64_t words)
{
    int64_t n = 0;
    for (int64_t w = 0; w < words; w++)
        n += __builtin_popcountll(row[w]);
    return n;
}

bool nep_index_tail_is_clear(const uint64_t *row, int64_t n_bits)
{
    return n_bits % 64 == 0 || row[n_bits / 64] >> (n_bits % 64) == 0;
}

/* Bits from .. to - 1 of a row. */
static int count_between(const uint64_t *row, int64_t from, int64_t to)
{
    int n = 0;
    for (int64_t w = from / 64; w * 64 < to; w++) {
        uint64_t word = row[w];
        if (w * 64 < from)
            word &= ~(uint64_t)0 << (from - w * 64);
        if (to - w * 64 < 64)
            word &= ~(~(uint64_t)0 << (to - w * 64));
        n += __builtin_popcountll(word);
    }
    return n;
}

void nep_index_sketch(const uint64_t *row, int64_t words, uint8_t out[NEP_INDEX_SKETCH])
{
    const int64_t part = words * 4; /* bits */
    for (int64_t p = 0; p < NEP_INDEX_SKETCH; p++)
        out[p] = (uint8_t)count_between(row, p * part, (p + 1) * part);
}

/* Positions by popcount, then row number: order[position] = row. */
static nep_status sort_rows(nep_ctx *ctx, const uint16_t *count, int64_t n, int64_t n_bits, int64_t *order)
{
    int64_t *next = NULL; /* [n_bits + 2] next position of each count */
    NEP_TRY(nep_alloc(ctx, n_bits + 2, sizeof *next, "popcounts", &next));
    for (int64_t i = 0; i < n; i++)
        next[count[i] + 1]++;
    for (int64_t c = 1; c <= n_bits; c++)
        next[c] += next[c - 1];
    for (int64_t i = 0; i < n; i++)
        order[next[count[i]]++] = i;
    nep_alloc_free(next);
    return NEP_OK;
}

/* Counts by row number; fails on a bit past n_bits. */
static nep_status count_rows(nep_ctx *ctx, const uint64_t *bits, int64_t n, int64_t n_bits, uint16_t *count)
{
    const int64_t words = (n_bits + 63) / 64;
    const int threads = nep_ctx_threads(ctx);
    int64_t bad = n;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(min : bad)
    for (int64_t i = 0; i < n; i++) {
        count[i] = (uint16_t)nep_index_popcount(bits + i * words, words);
        if (!nep_index_tail_is_clear(bits + i * words, n_bits) && i < bad)
            bad = i;
    }
    NEP_REQUIRE(ctx, bad == n, NEP_E_FORMAT, "bit vectors: row %lld (from 0) has a bit past the last of %lld; clear it", (long long)bad,
                (long long)n_bits);
    return NEP_OK;
}

static nep_status fill_rows(nep_ctx *ctx, const uint64_t *bits, const uint16_t *count, const int64_t *order, bool sketch, nep_index *x)
{
    const int64_t n = x->n, words = x->bits.words;
    const int threads = nep_ctx_threads(ctx);
    uint64_t *row = NULL;
    uint16_t *popcount = NULL;
    uint8_t *parts = NULL;
    NEP_TRY(nep_index_memory_alloc(ctx, x, n * words, sizeof *row, "bit vectors", &row));
    NEP_TRY(nep_index_memory_alloc(ctx, x, n, sizeof *popcount, "popcounts", &popcount));
    if (sketch)
        NEP_TRY(nep_index_memory_alloc(ctx, x, n, NEP_INDEX_SKETCH, "sketches", &parts));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t p = 0; p < n; p++) {
        memcpy(row + p * words, bits + order[p] * words, (size_t)words * sizeof *row);
        popcount[p] = count[order[p]];
        if (sketch)
            nep_index_sketch(row + p * words, words, parts + p * NEP_INDEX_SKETCH);
    }
    x->bits.row = row;
    x->bits.popcount = popcount;
    x->bits.sketch = parts;
    return NEP_OK;
}

nep_status nep_index_from_bits(nep_ctx *ctx, const uint64_t *bits, int64_t n, int64_t n_bits, char *const *ids, bool sketch, const char *about,
                               nep_index *out)
{
    nep_index x = {.kind = NEP_INDEX_BITS, .n = n, .total = n};
    uint16_t *count = NULL;
    int64_t *order = NULL;
    char *text = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, bits && n >= 1, NEP_E_ARG, "bit vectors: %lld rows; an index needs at least one", (long long)n);
    NEP_REQUIRE(ctx, n_bits >= 1 && n_bits <= NEP_INDEX_BITS_MOST, NEP_E_ARG, "bit vectors: %lld bits; an index holds 1 to %d", (long long)n_bits,
                NEP_INDEX_BITS_MOST);
    x.bits.n_bits = n_bits;
    x.bits.words = (n_bits + 63) / 64;
    NEP_TRY_OR_DONE(st, nep_index_memory_create(ctx, &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *count, "popcounts", &count));
    NEP_TRY_OR_DONE(st, nep_index_memory_alloc(ctx, &x, n, sizeof *order, "row numbers", &order));
    NEP_TRY_OR_DONE(st, count_rows(ctx, bits, n, n_bits, count));
    NEP_TRY_OR_DONE(st, sort_rows(ctx, count, n, n_bits, order));
    x.number = order;
    NEP_TRY_OR_DONE(st, fill_rows(ctx, bits, count, order, sketch && x.bits.words <= NEP_INDEX_SKETCH_WORDS, &x));
    if (ids)
        NEP_TRY_OR_DONE(st, nep_index_take_ids(ctx, &x, ids, order));
    NEP_TRY_OR_DONE(st, nep_index_memory_alloc(ctx, &x, (int64_t)strlen(about ? about : "") + 1, 1, "text", &text));
    strcpy(text, about ? about : "");
    x.about = text;
    x.content = nep_index_hash_set(nep_index_hash_sum(ctx, &x), x.kind, n_bits, 0, n);
    *out = x;
    x = (nep_index){0};
done:
    nep_index_free(&x);
    nep_alloc_free(count);
    return st;
}
