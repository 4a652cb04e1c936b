/* SPDX-License-Identifier: Apache-2.0 */
/* butina - clusters of the threshold graph: rows with many neighbours become centroids first and take them all.
 *
 * Rows wait in a heap by (neighbours that count descending, row number ascending). Counts only fall, so a row whose count has fallen
 * since it was put there is put back when it comes up: the first that comes up unchanged is the first of all.
 */
#include <stdlib.h>

#include "similarity/pairs.h"

typedef struct {
    const nep_index *index;
    const nep_adjacency *g;
    bool reordering;
    int64_t n, n_heap;
    int32_t *heap;  /* [n_heap] positions */
    int32_t *key;   /* [n] count with which a position waits */
    int32_t *count; /* [n] neighbours that count now */
    bool *taken;    /* [n] */
    nep_clusters *out;
} work;

enum { BYTES_PER_ROW = 4 + 4 + 4 + 1 + 8 + 8 + 8 }; /* of the above and of the answer */

static bool before(const work *w, int32_t x, int32_t y)
{
    if (w->key[x] != w->key[y])
        return w->key[x] > w->key[y];
    return nep_index_number(w->index, x) < nep_index_number(w->index, y);
}

static void sink_down(work *w, int64_t i)
{
    const int32_t x = w->heap[i];
    for (int64_t child; (child = 2 * i + 1) < w->n_heap; i = child) {
        if (child + 1 < w->n_heap && before(w, w->heap[child + 1], w->heap[child]))
            child++;
        if (!before(w, w->heap[child], x))
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = x;
}

/* The next centroid, -1 when all rows are taken. */
static int32_t next_centroid(work *w)
{
    while (w->n_heap > 0) {
        const int32_t x = w->heap[0];
        if (!w->taken[x] && w->key[x] == w->count[x])
            return x;
        if (w->taken[x])
            w->heap[0] = w->heap[--w->n_heap];
        else
            w->key[x] = w->count[x];
        if (w->n_heap > 0)
            sink_down(w, 0);
    }
    return -1;
}

/* A position joins the cluster in hand; with reordering its neighbours have one less. */
static void join(work *w, int64_t *n, int32_t x)
{
    w->taken[x] = true;
    w->out->position[(*n)++] = x;
    for (int half = 0; w->reordering && half < 2; half++) {
        int64_t near = 0;
        const int32_t *at = half ? nep_adjacency_low(w->g, x, &near) : nep_adjacency_up(w->g, x, &near);
        for (int64_t i = 0; i < near; i++)
            w->count[at[i]]--;
    }
}

static nep_status form_clusters(nep_ctx *ctx, work *w)
{
    nep_clusters *out = w->out;
    int64_t n = 0;
    for (int32_t centre; (centre = next_centroid(w)) >= 0;) {
        int64_t near = 0, all = 0;
        if (out->n_clusters % 1024 == 0)
            NEP_TRY(nep_ctx_check(ctx));
        join(w, &n, centre);
        for (int half = 0; half < 2; half++) {
            const int32_t *at = half ? nep_adjacency_low(w->g, centre, &near) : nep_adjacency_up(w->g, centre, &near);
            all += near;
            for (int64_t i = 0; i < near; i++)
                if (!w->taken[at[i]])
                    join(w, &n, at[i]);
        }
        const bool single = n - out->start[out->n_clusters] == 1;
        out->n_single += single;
        out->n_orphans += single && all > 0;
        out->start[++out->n_clusters] = n;
    }
    return NEP_OK;
}

static nep_status open_work(nep_ctx *ctx, work *w)
{
    nep_clusters *out = w->out;
    NEP_TRY(nep_alloc(ctx, w->n, sizeof *w->heap, "clusters", &w->heap));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof *w->key, "clusters", &w->key));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof *w->count, "clusters", &w->count));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof *w->taken, "clusters", &w->taken));
    NEP_TRY(nep_alloc(ctx, w->n + 1, sizeof *out->start, "clusters", &out->start));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof *out->position, "clusters", &out->position));
    NEP_TRY(nep_alloc(ctx, w->n, sizeof *out->score, "clusters", &out->score));
    out->n = w->n_heap = w->n;
    for (int64_t i = 0; i < w->n; i++) {
        int64_t up = 0, low = 0;
        nep_adjacency_up(w->g, i, &up);
        nep_adjacency_low(w->g, i, &low);
        w->heap[i] = (int32_t)i;
        w->key[i] = w->count[i] = (int32_t)(up + low);
    }
    for (int64_t i = w->n / 2; i > 0; i--)
        sink_down(w, i - 1);
    return NEP_OK;
}

nep_status nep_butina_cluster(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, bool reordering, nep_clusters *out)
{
    nep_adjacency g = {0};
    nep_clusters made = {0};
    work w = {.index = index, .g = &g, .reordering = reordering, .out = &made};
    nep_status st;
    NEP_TRY(nep_pairs_check_set(ctx, index, "clusters"));
    NEP_REQUIRE(ctx, opts && out, NEP_E_ARG, "clusters: no options or no place for the answer");
    NEP_TRY_OR_DONE(st, nep_adjacency_read(ctx, index, opts, BYTES_PER_ROW, &g));
    w.n = g.n;
    made.n_pairs = g.n_pairs;
    NEP_TRY_OR_DONE(st, open_work(ctx, &w));
    NEP_TRY_OR_DONE(st, form_clusters(ctx, &w));
    nep_adjacency_free(&g);
    NEP_TRY_OR_DONE(st, nep_butina_rank(ctx, index, opts, &made));
    *out = made;
    made = (nep_clusters){0};
done:
    nep_alloc_free(w.taken);
    nep_alloc_free(w.count);
    nep_alloc_free(w.key);
    nep_alloc_free(w.heap);
    nep_butina_free(&made);
    nep_adjacency_free(&g);
    return st;
}

void nep_butina_free(nep_clusters *c)
{
    nep_alloc_free(c->start);
    nep_alloc_free(c->position);
    nep_alloc_free(c->score);
    *c = (nep_clusters){0};
}
