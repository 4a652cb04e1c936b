/* SPDX-License-Identifier: Apache-2.0 */
/* adjacency - neighbours of every row in memory, from one pass over the pairs: each pair stands twice, once in either half, and no
 * list of pairs is held beside. What does not fit is counted to the end, so that the refusal can name what would. */
#include <math.h>
#include <string.h>

#include "similarity/pairs.h"

enum {
    STEPS = 100,     /* of the threshold, for the refusal: pairs that reach 0.01, 0.02, ... */
    CHUNK = 1 << 16, /* pairs, and those of one row more */
    CHUNKS = 64      /* room for them to begin with */
};

typedef struct {
    const nep_index *index;
    nep_adjacency *g;
    int64_t more, used;   /* memory: what the caller will need per row, what was in use before */
    int64_t first, last;  /* rows of the chunk in hand, the last one included */
    int32_t *list;        /* its pairs, n_list of room */
    int64_t n_list, room, chunk_room;
    bool counting;        /* it does not fit */
    int64_t reach[STEPS + 1];
} reader;

/* Bytes that n_pairs take, both halves. */
static int64_t needed_bytes(const reader *r, int64_t n_pairs)
{
    const int64_t per_row = (int64_t)(sizeof(int32_t *) + sizeof(int32_t) + sizeof(int64_t)) + r->more;
    return r->used + r->g->n * per_row + n_pairs * (int64_t)(2 * sizeof(int32_t));
}

static void drop_chunks(nep_adjacency *g)
{
    for (int64_t i = 0; i < g->n_chunks; i++)
        nep_alloc_free(g->chunk[i]);
    g->n_chunks = 0;
}

/* Keeps the pairs in hand. */
static nep_status keep_chunk(nep_ctx *ctx, reader *r)
{
    nep_adjacency *g = r->g;
    if (!r->counting && needed_bytes(r, g->n_pairs) > nep_alloc_budget(ctx)) {
        drop_chunks(g);
        r->counting = true;
    }
    if (!r->counting && r->n_list > 0) {
        if (g->n_chunks == r->chunk_room) {
            NEP_TRY(nep_alloc_grow(ctx, 2 * r->chunk_room, sizeof *g->chunk, "neighbours", &g->chunk));
            r->chunk_room *= 2;
        }
        NEP_TRY(nep_alloc_copy(ctx, r->list, r->n_list, sizeof *r->list, "neighbours", &g->chunk[g->n_chunks]));
        int32_t *at = g->chunk[g->n_chunks++];
        for (int64_t a = r->first; a <= r->last; at += g->up_count[a++])
            g->up[a] = at;
    }
    r->n_list = 0;
    return NEP_OK;
}

static nep_status take(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n)
{
    reader *r = user;
    nep_adjacency *g = r->g;
    for (int64_t i = 0; i < n; i++) {
        const int64_t a = pair[i].a, step = (int64_t)floor(pair[i].score * STEPS + 1e-9);
        if (a != r->last) {
            if (r->n_list >= CHUNK || r->counting)
                NEP_TRY(keep_chunk(ctx, r));
            r->first = r->n_list == 0 ? a : r->first;
            r->last = a;
        }
        if (r->n_list == r->room) {
            NEP_TRY(nep_alloc_grow(ctx, 2 * r->room, sizeof *r->list, "neighbours", &r->list));
            r->room *= 2;
        }
        r->list[r->n_list++] = (int32_t)pair[i].b;
        g->up_count[a]++;
        g->low_start[pair[i].b + 1]++;
        g->n_pairs++;
        r->reach[step < 0 ? 0 : step > STEPS ? STEPS : step]++;
    }
    return NEP_OK;
}

static long long megabytes(int64_t bytes)
{
    return (long long)((bytes + (1 << 20) - 1) >> 20);
}

static nep_status refuse(nep_ctx *ctx, const reader *r, const nep_search_opts *opts)
{
    const double t = (double)opts->threshold.num / (double)opts->threshold.den;
    const bool shares = r->index->kind == NEP_INDEX_BITS || opts->metric == NEP_METRIC_COSINE; /* scores end at 1 */
    const long long need = megabytes(needed_bytes(r, r->g->n_pairs)), budget = (long long)(nep_alloc_budget(ctx) >> 20);
    int64_t n_pairs = 0;
    int step = STEPS + 1;
    while (step > 0 && needed_bytes(r, n_pairs + r->reach[step - 1]) <= nep_alloc_budget(ctx))
        n_pairs += r->reach[--step];
    if (!shares || step > STEPS)
        return nep_ctx_fail(ctx, NEP_E_NOMEM, "neighbours: the %lld pairs within %g need %lld MB, the budget is %lld MB; --mem-mb %lld would do",
                            (long long)r->g->n_pairs, t, need, budget, need + 64);
    return nep_ctx_fail(ctx, NEP_E_NOMEM,
                        "neighbours: the %lld pairs within %g need %lld MB, the budget is %lld MB; --mem-mb %lld would do, or the threshold %.2f "
                        "with its %lld pairs",
                        (long long)r->g->n_pairs, t, need, budget, need + 64, (double)step / STEPS, (long long)n_pairs);
}

/* The second half: each pair from the side of its later row, earlier ones first. */
static nep_status turn(nep_ctx *ctx, nep_adjacency *g)
{
    NEP_TRY(nep_alloc(ctx, g->n_pairs, sizeof *g->low, "neighbours", &g->low));
    for (int64_t i = 0; i < g->n; i++)
        g->low_start[i + 1] += g->low_start[i];
    for (int64_t a = 0; a < g->n; a++) {
        int64_t n = 0;
        const int32_t *b = nep_adjacency_up(g, a, &n);
        for (int64_t i = 0; i < n; i++)
            g->low[g->low_start[b[i]]++] = (int32_t)a;
    }
    for (int64_t i = g->n; i > 0; i--) /* each start has run to its end */
        g->low_start[i] = g->low_start[i - 1];
    g->low_start[0] = 0;
    return NEP_OK;
}

nep_status nep_adjacency_read(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t more, nep_adjacency *out)
{
    nep_adjacency g = {.n = index->n};
    reader r = {.index = index, .g = &g, .more = more, .used = nep_alloc_used(ctx), .last = -1, .room = CHUNK, .chunk_room = CHUNKS};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, g.n, sizeof *g.up, "neighbours", &g.up));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, g.n, sizeof *g.up_count, "neighbours", &g.up_count));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, g.n + 1, sizeof *g.low_start, "neighbours", &g.low_start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r.chunk_room, sizeof *g.chunk, "neighbours", &g.chunk));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r.room, sizeof *r.list, "neighbours", &r.list));
    NEP_TRY_OR_DONE(st, nep_pairs_within(ctx, index, opts, 0, index->n, take, &r, NULL));
    NEP_TRY_OR_DONE(st, keep_chunk(ctx, &r));
    nep_alloc_free(r.list);
    r.list = NULL;
    if (r.counting) {
        st = refuse(ctx, &r, opts);
        goto done;
    }
    NEP_TRY_OR_DONE(st, turn(ctx, &g));
    *out = g;
    g = (nep_adjacency){0};
done:
    nep_alloc_free(r.list);
    nep_adjacency_free(&g);
    return st;
}

void nep_adjacency_free(nep_adjacency *g)
{
    drop_chunks(g);
    nep_alloc_free(g->chunk);
    nep_alloc_free(g->low);
    nep_alloc_free(g->low_start);
    nep_alloc_free(g->up_count);
    nep_alloc_free(g->up);
    *g = (nep_adjacency){0};
}
