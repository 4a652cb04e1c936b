/* SPDX-License-Identifier: Apache-2.0 */
/* door_dense_scores - front door of exact scores of pairs: rows of blocks that are kept are read there, the others are sent side by side. */
#include "backend/door_dense.h"

#include <limits.h>
#include <string.h>

/* A call on a device. */
typedef struct {
    nep_ctx *ctx;
    const nep_backend *be;
    const nep_dense_rows *rows;
    nep_life *life;
    const float *query;
    int64_t n_q;
    bool square;
    int64_t block, n_blocks; /* rows of a block, blocks */
} work;

/* Some of its pairs: those of blocks that are kept, block by block, then the rest. */
typedef struct {
    int64_t n, n_rest;
    int64_t *start;       /* [n_blocks + 1] of each block; start[n_blocks] is where the rest begins */
    nep_buf *row, *scale; /* [n_blocks] lent; empty = not kept, or without pairs */
    int32_t *query, *at;  /* [n] query, and row in its block or among the rows sent */
    int32_t *place;       /* [n] which pair of the caller's it is */
    double *score;        /* [n] */
    char *rest_row;
    float *rest_scale;
} pairs;

static void pairs_free(const work *w, pairs *p)
{
    for (int64_t b = 0; b < w->n_blocks; b++) {
        if (p->row)
            nep_buf_free(&p->row[b]);
        if (p->scale)
            nep_buf_free(&p->scale[b]);
    }
    nep_alloc_free(p->rest_scale);
    nep_alloc_free(p->rest_row);
    nep_alloc_free(p->score);
    nep_alloc_free(p->place);
    nep_alloc_free(p->at);
    nep_alloc_free(p->query);
    nep_alloc_free(p->scale);
    nep_alloc_free(p->row);
    nep_alloc_free(p->start);
}

static nep_status pairs_make(const work *w, int64_t n, pairs *p)
{
    p->n = n;
    NEP_TRY(nep_alloc(w->ctx, w->n_blocks + 1, sizeof *p->start, "pairs of blocks", &p->start));
    NEP_TRY(nep_alloc(w->ctx, w->n_blocks, sizeof *p->row, "blocks", &p->row));
    NEP_TRY(nep_alloc(w->ctx, w->n_blocks, sizeof *p->scale, "blocks", &p->scale));
    NEP_TRY(nep_alloc(w->ctx, n, sizeof *p->query, "queries of pairs", &p->query));
    NEP_TRY(nep_alloc(w->ctx, n, sizeof *p->at, "rows of pairs", &p->at));
    NEP_TRY(nep_alloc(w->ctx, n, sizeof *p->place, "places of pairs", &p->place));
    return nep_alloc(w->ctx, n, sizeof *p->score, "scores of pairs", &p->score);
}

/* A block with its scales, or neither. */
static nep_status lend_block(const work *w, pairs *p, int64_t b)
{
    const nep_dense_rows *r = w->rows;
    const int64_t first = b * w->block, n = r->n - first < w->block ? r->n - first : w->block, bytes = r->stride * nep_dense_size(r->type);
    NEP_TRY(nep_resident_lend(w->ctx, w->life, (const char *)r->row + first * bytes, n * bytes, "rows", &p->row[b]));
    if (!p->row[b].lent || !r->scale)
        return NEP_OK;
    NEP_TRY(nep_resident_lend(w->ctx, w->life, r->scale + first, n * (int64_t)sizeof *r->scale, "scales of rows", &p->scale[b]));
    if (!p->scale[b].lent)
        nep_buf_free(&p->row[b]);
    return NEP_OK;
}

/* Puts pairs in order and brings what they need of blocks that are kept. */
static nep_status sort_pairs(const work *w, pairs *p, const int32_t *pair_query, const int32_t *pair_row)
{
    const int64_t bytes = w->rows->stride * nep_dense_size(w->rows->type);
    int64_t at = 0;
    for (int64_t i = 0; i < p->n; i++)
        p->start[pair_row[i] / w->block]++;
    for (int64_t b = 0; b < w->n_blocks; b++) {
        const int64_t here = p->start[b];
        if (here > 0)
            NEP_TRY(lend_block(w, p, b));
        p->start[b] = at;
        at += p->row[b].lent ? here : 0;
    }
    p->start[w->n_blocks] = at;
    p->n_rest = p->n - at;
    for (int64_t i = 0; i < p->n; i++) {
        const int64_t b = pair_row[i] / w->block, in_block = pair_row[i] - b * w->block;
        const bool kept = p->row[b].lent != NULL;
        const int64_t to = p->start[kept ? b : w->n_blocks]++;
        p->query[to] = pair_query[i];
        p->at[to] = kept ? (int32_t)in_block : pair_row[i];
        p->place[to] = (int32_t)i;
        if (kept)
            NEP_TRY(nep_resident_bring(w->ctx, &p->row[b], in_block * bytes, bytes));
        if (kept && w->rows->scale)
            NEP_TRY(nep_resident_bring(w->ctx, &p->scale[b], in_block * (int64_t)sizeof(float), sizeof(float)));
    }
    for (int64_t b = w->n_blocks; b > 0; b--) /* each start was moved to its end */
        p->start[b] = p->start[b - 1];
    p->start[0] = 0;
    return NEP_OK;
}

/* The rows of the rest, side by side, and for each pair which of them. */
static nep_status gather_rest(const work *w, pairs *p, int64_t *n_rows)
{
    const nep_dense_rows *r = w->rows;
    const int64_t bytes = r->stride * nep_dense_size(r->type);
    int32_t *place = NULL, *at = p->at + (p->n - p->n_rest);
    int64_t n = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(w->ctx, r->n, sizeof *place, "places of rows", &place));
    for (int64_t i = 0; i < p->n_rest; i++)
        if (place[at[i]] == 0)
            place[at[i]] = (int32_t)++n;
    NEP_TRY_OR_DONE(st, nep_alloc(w->ctx, n, (size_t)bytes, "rows of pairs", &p->rest_row));
    NEP_TRY_OR_DONE(st, nep_alloc(w->ctx, n, sizeof *p->rest_scale, "scales of rows", &p->rest_scale));
    for (int64_t i = 0; i < p->n_rest; i++) {
        const int64_t row = at[i], to = place[row] - 1;
        memcpy(p->rest_row + to * bytes, (const char *)r->row + row * bytes, (size_t)bytes);
        if (r->scale)
            p->rest_scale[to] = r->scale[row];
        at[i] = (int32_t)to;
    }
    *n_rows = n;
done:
    nep_alloc_free(place);
    return st;
}

static nep_status score_rest(const work *w, pairs *p, const nep_place *at)
{
    const nep_dense_rows *r = w->rows;
    const int64_t bytes = r->stride * nep_dense_size(r->type), from = p->n - p->n_rest;
    nep_place sent = {0};
    nep_dense_rows v = {.type = r->type, .dims = r->dims, .stride = r->stride};
    nep_status st;
    NEP_TRY_OR_DONE(st, gather_rest(w, p, &v.n));
    NEP_TRY_OR_DONE(st, nep_buf_put(w->ctx, p->rest_row, NEP_U8, v.n * bytes, "rows", &sent.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(w->ctx, p->at + from, NEP_I32, p->n_rest, "rows of pairs", &sent.b[1]));
    if (r->scale)
        NEP_TRY_OR_DONE(st, nep_buf_put(w->ctx, p->rest_scale, NEP_F32, v.n, "scales of rows", &sent.b[2]));
    v.row = sent.b[0].ptr;
    v.scale = sent.b[2].ptr;
    st = w->be->ops.dense_scores(w->ctx, w->be->queue(w->ctx), &v, at->b[0].ptr, w->square, (const int32_t *)at->b[1].ptr + from, sent.b[1].ptr,
                                 p->n_rest, (double *)at->b[3].ptr + from);
done:
    nep_place_free(&sent);
    return st;
}

/* at: queries, queries and rows of pairs, scores. */
static nep_status score_kept(const work *w, const pairs *p, const nep_place *at)
{
    const nep_dense_rows *r = w->rows;
    for (int64_t b = 0; b < w->n_blocks; b++) {
        const int64_t from = p->start[b], n = p->start[b + 1] - from;
        if (n == 0)
            continue;
        const nep_dense_rows v = {.type = r->type,
                                  .n = r->n - b * w->block < w->block ? r->n - b * w->block : w->block,
                                  .dims = r->dims,
                                  .stride = r->stride,
                                  .row = p->row[b].ptr,
                                  .scale = p->scale[b].ptr};
        NEP_TRY(w->be->ops.dense_scores(w->ctx, w->be->queue(w->ctx), &v, at->b[0].ptr, w->square, (const int32_t *)at->b[1].ptr + from,
                                        (const int32_t *)at->b[2].ptr + from, n, (double *)at->b[3].ptr + from));
    }
    return NEP_OK;
}

static nep_status score_some(const work *w, const int32_t *pair_query, const int32_t *pair_row, int64_t n, double *out)
{
    pairs p = {0};
    nep_place at = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, pairs_make(w, n, &p));
    NEP_TRY_OR_DONE(st, sort_pairs(w, &p, pair_query, pair_row));
    NEP_TRY_OR_DONE(st, nep_buf_put(w->ctx, w->query, NEP_F32, w->n_q * w->rows->dims, "queries", &at.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(w->ctx, p.query, NEP_I32, n, "queries of pairs", &at.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_put(w->ctx, p.at, NEP_I32, n - p.n_rest, "rows of pairs", &at.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_new(w->ctx, NEP_F64, n, "scores of pairs", &at.b[3]));
    NEP_TRY_OR_DONE(st, score_kept(w, &p, &at));
    if (p.n_rest > 0)
        NEP_TRY_OR_DONE(st, score_rest(w, &p, &at));
    NEP_TRY_OR_DONE(st, nep_buf_get(w->ctx, &at.b[3], p.score));
    for (int64_t i = 0; i < n; i++)
        out[p.place[i]] = p.score[i];
done:
    nep_place_free(&at);
    pairs_free(w, &p);
    return st;
}

nep_status nep_backend_dense_scores(nep_ctx *ctx, const nep_dense_rows *rows, nep_life *life, const float *query, int64_t n_q, bool square,
                                    const int32_t *pair_query, const int32_t *pair_row, int64_t n_pairs, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    NEP_REQUIRE(ctx, be->ops.dense_scores, NEP_E_NOTSUP, "dense_scores: no %s version", be->name);
    NEP_TRY(nep_door_dense_check(ctx, "dense_scores", rows));
    NEP_REQUIRE(ctx, n_q >= 0 && n_q <= INT_MAX && n_pairs >= 0 && n_pairs <= INT_MAX, NEP_E_ARG, "dense_scores: %lld pairs of %lld queries",
                (long long)n_pairs, (long long)n_q);
    if (n_pairs == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, query && pair_query && pair_row && out, NEP_E_ARG, "dense_scores: an array is missing");
    for (int64_t i = 0; i < n_pairs; i++)
        NEP_REQUIRE(ctx, pair_query[i] >= 0 && pair_query[i] < n_q && pair_row[i] >= 0 && pair_row[i] < rows->n, NEP_E_ARG,
                    "dense_scores: pair %lld is query %d and row %d", (long long)i, pair_query[i], pair_row[i]);
    if (be->host)
        return be->ops.dense_scores(ctx, NULL, rows, query, square, pair_query, pair_row, n_pairs, out);
    const int64_t block = nep_door_dense_block(be, rows), tile = nep_place_tile(be, n_pairs, rows->stride * nep_dense_size(rows->type));
    const work w = {ctx, be, rows, life, query, n_q, square, block, (rows->n + block - 1) / block};
    for (int64_t i = 0; i < n_pairs; i += tile)
        NEP_TRY(score_some(&w, pair_query + i, pair_row + i, n_pairs - i < tile ? n_pairs - i : tile, out + i));
    return NEP_OK;
}
