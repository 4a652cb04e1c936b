/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_bits - the threshold graph of bit vectors: blocks of rows against all rows behind them that have few enough bits.
 *
 * Positions run by population count, so a block's rows are queries that ask nearly the same of the rows behind them, and a pair has
 * its sparser row first. What a row needs in common with one of b bits is a table made from integers, so no score is rounded.
 */
#include <stdlib.h>
#include <string.h>

#include "similarity/bits.h"
#include "similarity/pairs.h"

enum {
    ROWS = 256,     /* queries at a time */
    SENT = 4096,    /* and where rows are sent anew for each block of them: the fewer blocks, the less is sent */
    CAP = 1024,     /* hits of a query in one call */
    HITS = 1 << 18, /* pairs of a block beyond which it is halved */
    PAIRS = 4096,   /* handed on at a time */
    SHIFT_B = 14,   /* a hit is block row << 45 | position << 14 | bits in common: its order is that of numbers */
    SHIFT_A = SHIFT_B + 31
};

typedef struct {
    nep_ctx *ctx;
    const nep_index *index;
    nep_order_rule rule;
    const nep_search_opts *opts;
    nep_bit_rows all;   /* of the index, on the host */
    nep_bit_place place; /* rows low .. high - 1 of them */
    int64_t low, high, segment;
    int64_t rows;       /* queries at a time */
    int64_t levels;     /* entries of a table of needs: counts 0 .. 64 words */
    int64_t span;       /* rows of one call */
    uint16_t *need;     /* [rows, levels] */
    int32_t *count;     /* [rows] */
    int32_t *position;  /* [rows, CAP] */
    uint16_t *common;   /* [rows, CAP] */
    uint64_t *hit;      /* [n_hits] of room */
    int64_t n_hits, room;
    nep_pair *pair;     /* [PAIRS] */
    nep_pairs_sink *sink;
    void *user;
    nep_search_report *report;
} work;

/* Least c with which a pair of a and b bits reaches the threshold; NEP_BIT_NEVER when none does. */
static uint16_t needed(const work *w, int64_t a, int64_t b)
{
    const nep_decimal t = w->opts->threshold;
    const int64_t most = a < b ? a : b;
    int64_t low = 1, high = most + 1; /* the score grows with c and is 0 without any */
    while (low < high) {
        const int64_t c = (low + high) / 2;
        if (nep_order_reaches(&w->rule, a, b, c, t.num, t.den))
            high = c;
        else
            low = c + 1;
    }
    return low <= most ? (uint16_t)low : NEP_BIT_NEVER;
}

/* Tables of rows first .. first + n; returns the greatest count that any of them can be paired with. */
static int64_t make_needs(work *w, int64_t first, int64_t n)
{
    const uint16_t *bits = w->index->bits.popcount + first;
    int64_t most = -1;
    for (int64_t i = 0; i < n; i++) {
        uint16_t *table = w->need + i * w->levels;
        if (i > 0 && bits[i] == bits[i - 1]) {
            memcpy(table, table - w->levels, (size_t)w->levels * sizeof *table);
            continue;
        }
        for (int64_t b = 0; b < w->levels; b++) {
            table[b] = b < bits[i] ? NEP_BIT_NEVER : needed(w, bits[i], b); /* rows behind have as many bits or more */
            most = table[b] != NEP_BIT_NEVER && b > most ? b : most;
        }
    }
    return most;
}

/* Positions from `from` on whose count is at most `most`. */
static int64_t rows_up_to(const work *w, int64_t from, int64_t most)
{
    int64_t low = from, high = w->index->n;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (w->index->bits.popcount[mid] <= most)
            low = mid + 1;
        else
            high = mid;
    }
    return low - from;
}

static nep_status keep_hits(work *w, int64_t first, int64_t n_q, int64_t from)
{
    for (int64_t q = 0; q < n_q; q++) {
        const int32_t *position = w->position + q * CAP;
        const uint16_t *common = w->common + q * CAP;
        if (w->n_hits + w->count[q] > w->room) {
            const int64_t room = 2 * w->room + w->count[q];
            NEP_TRY(nep_alloc_grow(w->ctx, room, sizeof *w->hit, "pairs of a block", &w->hit));
            w->room = room;
        }
        for (int64_t i = 0; i < w->count[q]; i++) {
            const int64_t b = from + position[i];
            if (b > first + q)
                w->hit[w->n_hits++] = (uint64_t)q << SHIFT_A | (uint64_t)b << SHIFT_B | common[i];
        }
    }
    return NEP_OK;
}

/* The segment of rows that holds `row` is where the backend works. */
static nep_status place(work *w, int64_t row)
{
    if (row >= w->low && row < w->high)
        return NEP_OK;
    nep_backend_bit_rows_free(&w->place);
    w->low = row / w->segment * w->segment;
    w->high = w->all.n - w->low < w->segment ? w->all.n : w->low + w->segment;
    const nep_bit_rows part = nep_bits_part(&w->all, w->low, w->high);
    const nep_status st = nep_backend_bit_rows(w->ctx, &part, w->index->life, &w->place);
    w->high = st == NEP_OK ? w->high : w->low;
    return st;
}

/* Hits of rows first .. first + n_q among the n rows from `first` on, in spans short enough that none has more than CAP. Stops early,
 * with `over`, where a block of several rows has too many. */
static nep_status look(work *w, int64_t first, int64_t n_q, int64_t n, bool *over)
{
    const nep_bit_queries q = {.query = w->all.row + first * w->all.words,
                               .sketch = w->all.sketch ? w->all.sketch + first * NEP_INDEX_SKETCH : NULL,
                               .need = w->need,
                               .n_q = n_q};
    for (int64_t from = 0; from < n && !*over;) {
        int64_t m = n - from < w->span ? n - from : w->span, most = 0;
        NEP_TRY(place(w, first + from));
        m = m < w->high - first - from ? m : w->high - first - from;
        NEP_TRY(nep_backend_bit_hits(w->ctx, &w->place, first + from - w->low, m, &q, CAP, w->count, w->position, w->common));
        for (int64_t i = 0; i < n_q; i++)
            most = w->count[i] > most ? w->count[i] : most;
        if (most > CAP) {
            w->span = m * CAP / most / 2 > CAP ? m * CAP / most / 2 : CAP;
            continue;
        }
        NEP_TRY(keep_hits(w, first, n_q, first + from));
        w->report->compared += n_q * m;
        w->span = most < CAP / 4 && w->span < w->index->n ? 2 * w->span : w->span;
        from += m;
        *over = w->n_hits > HITS && n_q > 1;
    }
    return NEP_OK;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static nep_status hand_on(work *w, int64_t first)
{
    int64_t n = 0;
    qsort(w->hit, (size_t)w->n_hits, sizeof *w->hit, ascending);
    for (int64_t i = 0; i < w->n_hits; i++) {
        const int64_t a = first + (int64_t)(w->hit[i] >> SHIFT_A), b = (int64_t)(w->hit[i] >> SHIFT_B & INT32_MAX);
        const int64_t c = (int64_t)(w->hit[i] & ((1 << SHIFT_B) - 1));
        const int64_t bits_a = w->index->bits.popcount[a], bits_b = w->index->bits.popcount[b];
        w->pair[n++] = (nep_pair){a, b, nep_order_value(&w->rule, bits_a, bits_b, c), (int32_t)c, (int32_t)(bits_a + bits_b - c)};
        if (n == PAIRS || i + 1 == w->n_hits) {
            NEP_TRY(w->sink(w->ctx, w->user, w->pair, n));
            n = 0;
        }
    }
    w->report->candidates += w->n_hits;
    return NEP_OK;
}

/* Rows first .. first + n_q with all behind them; one half after the other where they have so many pairs that they are a burden. */
static nep_status block(work *w, int64_t first, int64_t n_q)
{
    bool over = false;
    w->n_hits = 0;
    NEP_TRY(look(w, first, n_q, rows_up_to(w, first, make_needs(w, first, n_q)), &over));
    if (!over)
        return hand_on(w, first);
    NEP_TRY(block(w, first, n_q / 2));
    return block(w, first + n_q / 2, n_q - n_q / 2);
}

static nep_status open_work(work *w)
{
    nep_ctx *ctx = w->ctx;
    w->levels = 64 * w->all.words + 1;
    w->span = w->index->n;
    w->room = HITS + w->rows * CAP; /* only a single row may need more */
    NEP_TRY(nep_alloc(ctx, w->rows * w->levels, sizeof *w->need, "bits needed in common", &w->need));
    NEP_TRY(nep_alloc(ctx, w->rows, sizeof *w->count, "pairs of a block", &w->count));
    NEP_TRY(nep_alloc(ctx, w->rows * CAP, sizeof *w->position, "pairs of a block", &w->position));
    NEP_TRY(nep_alloc(ctx, w->rows * CAP, sizeof *w->common, "pairs of a block", &w->common));
    NEP_TRY(nep_alloc(ctx, w->room, sizeof *w->hit, "pairs of a block", &w->hit));
    return nep_alloc(ctx, PAIRS, sizeof *w->pair, "pairs of a block", &w->pair);
}

/* Queries at a time: where a device gets rows sent, as many as take no more of its memory than a tile of rows. */
static int64_t queries_of(nep_ctx *ctx, const work *w)
{
    const nep_backend *be = nep_ctx_backend(ctx);
    const int64_t each = w->all.words * 8 + (64 * w->all.words + 1) * 2 + CAP * (4 + 2);
    if (!be || be->host || w->segment >= w->all.n)
        return ROWS;
    const int64_t fit = be->tile_bytes / each;
    return fit < 1 ? 1 : fit < SENT ? fit : SENT;
}

static void close_work(work *w)
{
    nep_backend_bit_rows_free(&w->place);
    nep_alloc_free(w->pair);
    nep_alloc_free(w->hit);
    nep_alloc_free(w->common);
    nep_alloc_free(w->position);
    nep_alloc_free(w->count);
    nep_alloc_free(w->need);
}

nep_status nep_pairs_bits(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t first, int64_t last,
                          nep_pairs_sink *sink, void *user, nep_search_report *report)
{
    const nep_index_bits *x = &index->bits;
    work w = {.ctx = ctx,
              .index = index,
              .opts = opts,
              .rule = nep_order_make(opts),
              .all = {x->row, x->popcount, opts->no_sketch ? NULL : x->sketch, index->n, x->words},
              .sink = sink,
              .user = user,
              .report = report};
    nep_status st;
    w.segment = nep_bits_segment(ctx, &w.all, index->life);
    w.rows = queries_of(ctx, &w);
    w.rows = opts->batch > 0 && opts->batch < w.rows ? opts->batch : w.rows;
    report->path = index->bits.sketch && !opts->no_sketch ? "bits with sketch" : "bits";
    nep_progress_open(ctx, "pairs", last - first);
    NEP_TRY_OR_DONE(st, open_work(&w));
    for (int64_t a = first; a < last; a += w.rows) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, block(&w, a, last - a < w.rows ? last - a : w.rows));
        nep_progress_step(ctx, a - first);
    }
    st = NEP_OK;
done:
    nep_progress_close(ctx);
    close_work(&w);
    return st;
}
