/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_nearest - the k-nearest graph: each row's search among all rows, without itself. */
#include <string.h>

#include "similarity/pairs.h"

enum {
    ROWS = 1024,     /* at a time, at most */
    PAIRS = 4096,    /* handed on at a time */
    BURDEN = 1 << 22 /* hits of a batch at most, about */
};

typedef struct {
    nep_ctx *ctx;
    const nep_index *index;
    nep_search_opts opts; /* with k + 1: one of the hits may be the row itself */
    int64_t k, rows;
    int32_t *at;     /* [n] position of each row number */
    void *query;     /* [rows, words or dims] */
    nep_pair *pair;  /* [PAIRS] */
    nep_pairs_sink *sink;
    void *user;
    nep_search_report *report;
} work;

static nep_status search(work *w, int64_t first, int64_t n, nep_hits *hits, nep_search_report *report)
{
    const nep_index_bits *x = &w->index->bits;
    if (w->index->kind == NEP_INDEX_VECTORS) {
        for (int64_t i = 0; i < n; i++)
            nep_index_decode(&w->index->vectors, w->at[first + i], (float *)w->query + i * w->index->vectors.dims);
        return nep_dense_search(w->ctx, w->index, w->query, n, &w->opts, hits, report);
    }
    for (int64_t i = 0; i < n; i++)
        memcpy((uint64_t *)w->query + i * x->words, x->row + w->at[first + i] * x->words, (size_t)x->words * sizeof *x->row);
    return nep_bits_search(w->ctx, w->index, w->query, n, &w->opts, hits, report);
}

static nep_status hand_on(work *w, int64_t first, const nep_hits *h)
{
    int64_t n = 0;
    for (int64_t q = 0; q < h->n_queries; q++) {
        int64_t found = 0;
        for (int64_t i = h->start[q]; i < h->start[q + 1] && found < w->k; i++) {
            if (h->number[i] == first + q)
                continue;
            found++;
            w->pair[n++] = (nep_pair){w->at[first + q], h->position[i], h->score[i], h->common ? h->common[i] : 0, h->total ? h->total[i] : 0};
            if (n == PAIRS) {
                NEP_TRY(w->sink(w->ctx, w->user, w->pair, n));
                n = 0;
            }
        }
    }
    return n > 0 ? w->sink(w->ctx, w->user, w->pair, n) : NEP_OK;
}

static nep_status batch(work *w, int64_t first, int64_t n)
{
    nep_hits hits = {0};
    nep_search_report r = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, search(w, first, n, &hits, &r));
    w->report->path = r.path;
    w->report->exact = r.exact;
    w->report->compared += r.compared;
    w->report->candidates += r.candidates;
    st = hand_on(w, first, &hits);
done:
    nep_hits_free(&hits);
    return st;
}

static nep_status run(work *w, int64_t first, int64_t last)
{
    nep_ctx *ctx = w->ctx;
    const nep_index *x = w->index;
    const bool bits = x->kind == NEP_INDEX_BITS;
    NEP_TRY(nep_pairs_positions(ctx, x, &w->at));
    NEP_TRY(nep_alloc(ctx, w->rows * (bits ? x->bits.words : x->vectors.dims), bits ? sizeof(uint64_t) : sizeof(float), "rows as queries", &w->query));
    NEP_TRY(nep_alloc(ctx, PAIRS, sizeof *w->pair, "neighbours of rows", &w->pair));
    for (int64_t a = first; a < last; a += w->rows) {
        NEP_TRY(nep_ctx_check(ctx));
        NEP_TRY(batch(w, a, last - a < w->rows ? last - a : w->rows));
        nep_progress_step(ctx, a - first);
    }
    return NEP_OK;
}

nep_status nep_pairs_nearest(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t first, int64_t last,
                             nep_pairs_sink *sink, void *user, nep_search_report *report)
{
    static const char what[] = "neighbours";
    nep_search_report ignored;
    work w = {.ctx = ctx, .index = index, .sink = sink, .user = user, .report = report ? report : &ignored};
    NEP_TRY(nep_pairs_check_set(ctx, index, what));
    NEP_REQUIRE(ctx, opts && sink, NEP_E_ARG, "neighbours: no options or no place for the pairs");
    NEP_REQUIRE(ctx, opts->k >= 1, NEP_E_ARG, "neighbours: k is %lld, must be 1 or more", (long long)opts->k);
    NEP_TRY(nep_pairs_check_metric(ctx, index, opts, what));
    NEP_TRY(nep_pairs_check_range(ctx, index, first, last, what));
    if (opts->by_threshold)
        NEP_TRY(nep_pairs_check_threshold(ctx, index, opts, what));
    w.k = opts->k < index->n ? opts->k : index->n;
    w.opts = *opts;
    w.opts.k = w.k + 1;
    w.opts.first = w.opts.last = w.opts.probe = 0; /* all rows may be neighbours */
    w.opts.allow = NULL;
    w.rows = BURDEN / w.opts.k < ROWS ? BURDEN / w.opts.k + 1 : ROWS;
    w.rows = nep_pairs_rows(ctx, index, w.rows);
    w.rows = opts->batch > 0 && opts->batch < w.rows ? opts->batch : w.rows;
    *w.report = (nep_search_report){.path = "", .exact = true};
    nep_progress_open(ctx, "neighbours", last - first);
    const nep_status st = run(&w, first, last);
    nep_progress_close(ctx);
    nep_alloc_free(w.pair);
    nep_alloc_free(w.query);
    nep_alloc_free(w.at);
    return st;
}
