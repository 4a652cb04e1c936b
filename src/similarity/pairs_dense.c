/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_dense - the threshold graph of dense vectors: blocks of rows as queries of a search of the rows behind them. */
#include <stdlib.h>

#include "similarity/pairs.h"

enum {
    ROWS = 256,       /* queries at a time, at most */
    BURDEN = 1 << 20, /* hits of a block that make the next ones smaller */
    PAIRS = 4096      /* handed on at a time */
};

typedef struct {
    nep_ctx *ctx;
    const nep_index *index;
    nep_search_opts opts;
    float *query; /* [ROWS, dims] */
    nep_pair *pair;
    int64_t room;
    nep_pairs_sink *sink;
    void *user;
    nep_search_report *report;
} work;

static int by_positions(const void *x, const void *y)
{
    const nep_pair *p = x, *q = y;
    if (p->a != q->a)
        return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

static nep_status hand_on(work *w, int64_t first, const nep_hits *h)
{
    int64_t n = 0;
    if (h->start[h->n_queries] > w->room) {
        nep_alloc_free(w->pair);
        w->pair = NULL;
        w->room = h->start[h->n_queries];
        NEP_TRY(nep_alloc(w->ctx, w->room, sizeof *w->pair, "pairs of a block", &w->pair));
    }
    for (int64_t q = 0; q < h->n_queries; q++)
        for (int64_t i = h->start[q]; i < h->start[q + 1]; i++)
            if (h->position[i] > first + q)
                w->pair[n++] = (nep_pair){.a = first + q, .b = h->position[i], .score = h->score[i]};
    if (n > 1)
        qsort(w->pair, (size_t)n, sizeof *w->pair, by_positions);
    for (int64_t i = 0; i < n; i += PAIRS)
        NEP_TRY(w->sink(w->ctx, w->user, w->pair + i, n - i < PAIRS ? n - i : PAIRS));
    return NEP_OK;
}

/* Rows first .. first + n with those behind them. Without inverted lists the rows behind have the greater numbers. */
static nep_status block(work *w, int64_t first, int64_t n, int64_t *n_hits)
{
    nep_hits hits = {0};
    nep_search_report r = {0};
    nep_status st;
    if (!w->index->number) {
        w->opts.first = w->index->first + first;
        w->opts.last = w->index->first + w->index->n;
    }
    for (int64_t i = 0; i < n; i++)
        nep_index_decode(&w->index->vectors, first + i, w->query + i * w->index->vectors.dims);
    NEP_TRY_OR_DONE(st, nep_dense_search(w->ctx, w->index, w->query, n, &w->opts, &hits, &r));
    *n_hits = hits.start[n];
    w->report->path = r.path;
    w->report->compared += r.compared;
    w->report->candidates += r.candidates;
    st = hand_on(w, first, &hits);
done:
    nep_hits_free(&hits);
    return st;
}

static nep_status run(work *w, int64_t first, int64_t last)
{
    const int64_t fit = nep_pairs_rows(w->ctx, w->index, ROWS), most = w->opts.batch > 0 && w->opts.batch < fit ? w->opts.batch : fit;
    int64_t rows = most < 16 ? most : 16;
    NEP_TRY(nep_alloc(w->ctx, most * w->index->vectors.dims, sizeof *w->query, "rows as queries", &w->query));
    for (int64_t a = first; a < last;) {
        const int64_t n = last - a < rows ? last - a : rows;
        int64_t hits = 0;
        NEP_TRY(nep_ctx_check(w->ctx));
        NEP_TRY(block(w, a, n, &hits));
        a += n;
        rows = hits > BURDEN ? (rows > 1 ? rows / 2 : 1) : hits < BURDEN / 4 && 2 * rows <= most ? 2 * rows : rows;
        nep_progress_step(w->ctx, a - first);
    }
    return NEP_OK;
}

nep_status nep_pairs_dense(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t first, int64_t last,
                           nep_pairs_sink *sink, void *user, nep_search_report *report)
{
    work w = {.ctx = ctx, .index = index, .opts = *opts, .sink = sink, .user = user, .report = report};
    w.opts.by_threshold = true;
    w.opts.k = w.opts.first = w.opts.last = w.opts.probe = 0;
    w.opts.allow = NULL;
    nep_progress_open(ctx, "pairs", last - first);
    const nep_status st = run(&w, first, last);
    nep_progress_close(ctx);
    nep_alloc_free(w.pair);
    nep_alloc_free(w.query);
    return st;
}
