/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_support - sets to test graphs on: random bits in families with duplicates and empty rows, the golden molecules. */
#ifndef NEP_TESTS_PAIRS_SUPPORT_H
#define NEP_TESTS_PAIRS_SUPPORT_H

#include "support.h"

#include <nepenthe/similarity.h>

enum { SET_BITS = 150, SET_WORDS = 3 };

typedef struct {
    int64_t n;
    int64_t words;
    uint64_t *bits; /* by row number */
    nep_index index;
} test_set;

static inline void set_free(test_set *s)
{
    nep_index_free(&s->index);
    free(s->bits);
    *s = (test_set){0};
}

static inline void set_index(nep_ctx *ctx, test_set *s, int64_t n_bits, bool sketch)
{
    nep_index_free(&s->index);
    assert_ok(ctx, nep_index_from_bits(ctx, s->bits, s->n, n_bits, NULL, sketch, "test", &s->index));
}

/* Families of rows: each is one of n / 8 parents with some bits changed; every 11th row is a duplicate, rows 5 and 6 are empty. */
static inline test_set set_random(nep_ctx *ctx, uint64_t seed, int64_t n, bool sketch)
{
    test_set s = {.n = n, .words = SET_WORDS, .bits = calloc((size_t)(n * SET_WORDS), sizeof(uint64_t))};
    uint64_t k = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t parent = i < n / 8 ? -1 : (int64_t)(nep_philox_u32(seed, 0, k++) % (uint64_t)(n / 8));
        for (int b = 0; b < SET_BITS; b++) {
            const bool had = parent >= 0 && (s.bits[parent * SET_WORDS + b / 64] >> (b % 64) & 1) != 0;
            const uint32_t u = nep_philox_u32(seed, 1, k++) % 100;
            if (parent < 0 ? u < 20 : had ? u < 80 : u < 4)
                s.bits[i * SET_WORDS + b / 64] |= (uint64_t)1 << (b % 64);
        }
        if (i % 11 == 10)
            memcpy(s.bits + i * SET_WORDS, s.bits + (i - 3) * SET_WORDS, SET_WORDS * sizeof(uint64_t));
        if (i == 5 || i == 6)
            memset(s.bits + i * SET_WORDS, 0, SET_WORDS * sizeof(uint64_t));
    }
    set_index(ctx, &s, SET_BITS, sketch);
    return s;
}

/* Lines of a golden table behind its header, split at tabs by the caller. */
static inline FILE *golden_open(const char *path)
{
    char header[256];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(header, sizeof header, f));
    return f;
}

/* The 300 molecules of tests/golden/make_pairs.py, 512 bits each. */
static inline test_set set_golden(nep_ctx *ctx)
{
    enum { N = 300, WORDS = 8 };
    test_set s = {.n = N, .words = WORDS, .bits = calloc(N * WORDS, sizeof(uint64_t))};
    FILE *f = golden_open(TEST_GOLDEN("pairs_fps.tsv"));
    for (int64_t i = 0; i < N; i++) {
        long long row;
        char hex[2 * 64 + 1];
        assert_int_equal(fscanf(f, "%lld %128s", &row, hex), 2);
        for (int byte = 0; byte < 64; byte++) {
            unsigned v;
            assert_int_equal(sscanf(hex + 2 * byte, "%2x", &v), 1);
            s.bits[row * WORDS + byte / 8] |= (uint64_t)v << (8 * (byte % 8));
        }
    }
    fclose(f);
    set_index(ctx, &s, 64 * WORDS, true);
    return s;
}

/* What one pair of rows has: bits of each, bits in common. */
static inline void set_counts(const test_set *s, int64_t i, int64_t j, int64_t *a, int64_t *b, int64_t *c)
{
    *a = *b = *c = 0;
    for (int64_t w = 0; w < s->words; w++) {
        const uint64_t x = s->bits[i * s->words + w], y = s->bits[j * s->words + w];
        *a += __builtin_popcountll(x);
        *b += __builtin_popcountll(y);
        *c += __builtin_popcountll(x & y);
    }
}

/* The score as the header defines it. tversky with both weights 0.4. */
static inline double set_score(const test_set *s, nep_metric m, int64_t i, int64_t j)
{
    int64_t a, b, c;
    set_counts(s, i, j, &a, &b, &c);
    if (c == 0)
        return 0;
    switch (m) {
    case NEP_METRIC_DICE:
        return 2 * (double)c / (double)(a + b);
    case NEP_METRIC_COSINE:
        return (double)c / sqrt((double)a * (double)b);
    case NEP_METRIC_TVERSKY:
        return (double)c / (0.4 * (double)(a - c) + 0.4 * (double)(b - c) + (double)c);
    default:
        return (double)c / (double)(a + b - c);
    }
}

static inline nep_search_opts set_opts(nep_ctx *ctx, nep_metric m, const char *threshold)
{
    nep_search_opts o = {.metric = m, .alpha = {4, 10}, .beta = {4, 10}, .by_threshold = true};
    assert_ok(ctx, nep_decimal_parse(ctx, threshold, true, &o.threshold));
    return o;
}

/* Pairs as they come. */
typedef struct {
    nep_pair *pair;
    int64_t n, room;
    int64_t end_at; /* the sink ends the work when so many are there; 0 = never */
} pair_list;

static inline nep_status list_take(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n)
{
    pair_list *l = user;
    if (l->n + n > l->room) {
        l->room = 2 * (l->n + n);
        l->pair = realloc(l->pair, (size_t)l->room * sizeof *l->pair);
    }
    memcpy(l->pair + l->n, pair, (size_t)n * sizeof *pair);
    l->n += n;
    return l->end_at && l->n >= l->end_at ? nep_ctx_fail(ctx, NEP_E_WRITE, "enough") : NEP_OK;
}

static inline void list_free(pair_list *l)
{
    free(l->pair);
    *l = (pair_list){0};
}

static inline void assert_same_pairs(const pair_list *x, const pair_list *y)
{
    assert_int_equal(x->n, y->n);
    for (int64_t i = 0; i < x->n; i++)
        assert_true(x->pair[i].a == y->pair[i].a && x->pair[i].b == y->pair[i].b && x->pair[i].score == y->pair[i].score &&
                    x->pair[i].common == y->pair[i].common && x->pair[i].total == y->pair[i].total);
}

#endif
