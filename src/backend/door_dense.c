/* SPDX-License-Identifier: Apache-2.0 */
/* door_dense - front doors of the ops on dense vectors: check once, place a tile of rows, run, bring back. */
#include "backend/place.h"

#include <limits.h>
#include <string.h>

static nep_status check_rows(nep_ctx *ctx, const char *op, const nep_dense_rows *r)
{
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, r->type >= NEP_DENSE_F32 && r->type <= NEP_DENSE_I8, NEP_E_ARG, "%s: type %d of rows is not known", op, (int)r->type);
    NEP_REQUIRE(ctx, r->n >= 0 && r->n <= INT_MAX, NEP_E_ARG, "%s: %lld rows, must be 0 to %d", op, (long long)r->n, INT_MAX);
    NEP_REQUIRE(ctx, r->dims >= 1 && r->dims <= r->stride && r->stride <= INT_MAX && r->stride * nep_dense_size(r->type) % 64 == 0, NEP_E_ARG,
                "%s: %lld items in rows of %lld, which must be a multiple of 64 bytes", op, (long long)r->dims, (long long)r->stride);
    NEP_REQUIRE(ctx, r->n == 0 || (r->row && (r->scale || r->type != NEP_DENSE_I8)), NEP_E_ARG, "%s: an array of the rows is missing", op);
    return NEP_OK;
}

static nep_status check_hits(nep_ctx *ctx, const nep_dense_rows *r, const nep_dense_queries *q, int64_t cap, const int32_t *count,
                             const nep_dense_hit *hit)
{
    NEP_TRY(check_rows(ctx, "dense_hits", r));
    NEP_REQUIRE(ctx, r->type != NEP_DENSE_I8 || r->dims <= NEP_DENSE_INT_MOST, NEP_E_ARG, "dense_hits: %lld items of int8, at most %d",
                (long long)r->dims, NEP_DENSE_INT_MOST);
    NEP_REQUIRE(ctx, r->n == 0 || r->norm, NEP_E_ARG, "dense_hits: the norms of the rows are missing");
    NEP_REQUIRE(ctx, q->n_q >= 0 && cap >= 1 && cap <= INT_MAX && q->n_q <= INT_MAX / cap, NEP_E_ARG,
                "dense_hits: %lld queries with room for %lld hits each", (long long)q->n_q, (long long)cap);
    NEP_REQUIRE(ctx, q->n_q == 0 || (q->query && q->gate && count && hit), NEP_E_ARG, "dense_hits: an array is missing");
    return NEP_OK;
}

/* Rows first .. first + n - 1 where the backend works, in buffers 0 to 4. */
static nep_status put_rows(nep_ctx *ctx, const nep_dense_rows *r, int64_t first, int64_t n, nep_place *p, nep_dense_rows *at)
{
    const int64_t bytes = r->stride * nep_dense_size(r->type);
    *at = *r;
    at->n = n;
    NEP_TRY(nep_buf_put(ctx, (const char *)r->row + first * bytes, NEP_U8, n * bytes, "rows", &p->b[0]));
    at->row = p->b[0].ptr;
    if (r->scale)
        NEP_TRY(nep_buf_put(ctx, r->scale + first, NEP_F32, n, "scales of rows", &p->b[1]));
    at->scale = p->b[1].ptr;
    if (r->norm)
        NEP_TRY(nep_buf_put(ctx, r->norm + first, NEP_F64, n, "norms of rows", &p->b[2]));
    at->norm = p->b[2].ptr;
    if (r->residual)
        NEP_TRY(nep_buf_put(ctx, r->residual + first, NEP_F32, n, "residuals of rows", &p->b[3]));
    at->residual = p->b[3].ptr;
    if (r->allow)
        NEP_TRY(nep_buf_put(ctx, r->allow + first / 64, NEP_U64, (n + 63) / 64, "rows allowed", &p->b[4]));
    at->allow = p->b[4].ptr;
    return NEP_OK;
}

/* Hits of a tile behind those of the tiles before it. */
static void take_hits(int64_t n_q, int64_t cap, int64_t first, const int32_t *got, const nep_dense_hit *from, int32_t *count, nep_dense_hit *hit)
{
    for (int64_t q = 0; q < n_q; q++) {
        for (int64_t i = 0; i < got[q] && i < cap && count[q] + i < cap; i++)
            hit[q * cap + count[q] + i] = (nep_dense_hit){from[q * cap + i].position + (int32_t)first, from[q * cap + i].near};
        count[q] = got[q] > INT_MAX - count[q] ? INT_MAX : count[q] + got[q];
    }
}

static nep_status hits_of_tile(nep_ctx *ctx, const nep_backend *be, const nep_dense_rows *rows, int64_t first, int64_t n,
                               const nep_dense_queries *queries, int64_t cap, int32_t *count, nep_dense_hit *hit)
{
    const int64_t n_q = queries->n_q, item = rows->type == NEP_DENSE_I8 ? 1 : 4;
    nep_place p = {0}, out = {0};
    nep_dense_rows at;
    nep_dense_queries asked = *queries;
    int32_t *got = NULL;
    nep_dense_hit *from = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_q, sizeof *got, "counts of hits", &got));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_q * cap, sizeof *from, "hits", &from));
    NEP_TRY_OR_DONE(st, put_rows(ctx, rows, first, n, &p, &at));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, queries->query, NEP_U8, n_q * rows->stride * item, "queries", &p.b[5]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, queries->gate, NEP_F32, 4 * n_q, "gates of queries", &p.b[6]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, n_q, "counts of hits", &out.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_U64, n_q * cap, "hits", &out.b[1]));
    asked.query = p.b[5].ptr;
    asked.gate = p.b[6].ptr;
    NEP_TRY_OR_DONE(st, be->ops.dense_hits(ctx, be->queue(ctx), &at, &asked, cap, out.b[0].ptr, out.b[1].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &out.b[0], got));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &out.b[1], from));
    take_hits(n_q, cap, first, got, from, count, hit);
done:
    nep_alloc_free(from);
    nep_alloc_free(got);
    nep_place_free(&out);
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_dense_hits(nep_ctx *ctx, const nep_dense_rows *rows, const nep_dense_queries *queries, int64_t cap, int32_t *count,
                                  nep_dense_hit *hit)
{
    const nep_backend *be = nep_place_backend(ctx);
    NEP_REQUIRE(ctx, be->ops.dense_hits, NEP_E_NOTSUP, "dense_hits: no %s version", be->name);
    NEP_TRY(check_hits(ctx, rows, queries, cap, count, hit));
    if (queries->n_q == 0)
        return NEP_OK;
    memset(count, 0, (size_t)queries->n_q * sizeof *count);
    if (rows->n == 0)
        return NEP_OK;
    if (be->host)
        return be->ops.dense_hits(ctx, NULL, rows, queries, cap, count, hit);
    const int64_t fit = nep_place_tile(be, rows->n, rows->stride * nep_dense_size(rows->type)), tile = fit < rows->n ? (fit + 63) / 64 * 64 : fit;
    for (int64_t i = 0; i < rows->n; i += tile)
        NEP_TRY(hits_of_tile(ctx, be, rows, i, rows->n - i < tile ? rows->n - i : tile, queries, cap, count, hit));
    return NEP_OK;
}

/* The rows of pairs, side by side, and for each pair which of them. */
static nep_status gather_rows(nep_ctx *ctx, const nep_dense_rows *r, const int32_t *pair_row, int64_t n_pairs, char **row, float **scale,
                              int32_t **which, int64_t *n_rows)
{
    const int64_t bytes = r->stride * nep_dense_size(r->type);
    int32_t *place = NULL;
    int64_t n = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r->n, sizeof *place, "places of rows", &place));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_pairs, sizeof **which, "rows of pairs", which));
    for (int64_t i = 0; i < n_pairs; i++) {
        if (place[pair_row[i]] == 0)
            place[pair_row[i]] = (int32_t)++n;
        (*which)[i] = place[pair_row[i]] - 1;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, (size_t)bytes, "rows of pairs", row));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof **scale, "scales of rows", scale));
    for (int64_t i = 0; i < n_pairs; i++) {
        memcpy(*row + (*which)[i] * bytes, (const char *)r->row + pair_row[i] * bytes, (size_t)bytes);
        if (r->scale)
            (*scale)[(*which)[i]] = r->scale[pair_row[i]];
    }
    *n_rows = n;
done:
    nep_alloc_free(place);
    return st;
}

static nep_status scores_of_tile(nep_ctx *ctx, const nep_backend *be, const nep_dense_rows *rows, const float *query, int64_t n_q, bool square,
                                 const int32_t *pair_query, const int32_t *pair_row, int64_t n_pairs, double *out)
{
    nep_place p = {0}, more = {0};
    nep_dense_rows host = *rows, at;
    char *row = NULL;
    float *scale = NULL;
    int32_t *which = NULL;
    int64_t n = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, gather_rows(ctx, rows, pair_row, n_pairs, &row, &scale, &which, &n));
    host.row = row;
    host.scale = rows->scale ? scale : NULL;
    host.norm = NULL;
    host.residual = NULL;
    host.allow = NULL;
    NEP_TRY_OR_DONE(st, put_rows(ctx, &host, 0, n, &p, &at));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, query, NEP_F32, n_q * rows->dims, "queries", &more.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, pair_query, NEP_I32, n_pairs, "queries of pairs", &more.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, which, NEP_I32, n_pairs, "rows of pairs", &more.b[2]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F64, n_pairs, "scores of pairs", &more.b[3]));
    NEP_TRY_OR_DONE(st, be->ops.dense_scores(ctx, be->queue(ctx), &at, more.b[0].ptr, square, more.b[1].ptr, more.b[2].ptr, n_pairs, more.b[3].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &more.b[3], out));
done:
    nep_place_free(&more);
    nep_place_free(&p);
    nep_alloc_free(which);
    nep_alloc_free(scale);
    nep_alloc_free(row);
    return st;
}

nep_status nep_backend_dense_scores(nep_ctx *ctx, const nep_dense_rows *rows, const float *query, int64_t n_q, bool square,
                                    const int32_t *pair_query, const int32_t *pair_row, int64_t n_pairs, double *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    NEP_REQUIRE(ctx, be->ops.dense_scores, NEP_E_NOTSUP, "dense_scores: no %s version", be->name);
    NEP_TRY(check_rows(ctx, "dense_scores", rows));
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
    const int64_t tile = nep_place_tile(be, n_pairs, rows->stride * nep_dense_size(rows->type));
    for (int64_t i = 0; i < n_pairs; i += tile)
        NEP_TRY(scores_of_tile(ctx, be, rows, query, n_q, square, pair_query + i, pair_row + i, n_pairs - i < tile ? n_pairs - i : tile, out + i));
    return NEP_OK;
}
