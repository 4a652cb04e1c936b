/* SPDX-License-Identifier: Apache-2.0 */
/* door_dense - front door of the first pass over dense vectors: check once, place a block of rows or find it there, run, bring back. */
#include "backend/door_dense.h"

#include <limits.h>
#include <string.h>

nep_status nep_door_dense_check(nep_ctx *ctx, const char *op, const nep_dense_rows *r)
{
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, r->type >= NEP_DENSE_F32 && r->type <= NEP_DENSE_I8, NEP_E_ARG, "%s: type %d of rows is not known", op, (int)r->type);
    NEP_REQUIRE(ctx, r->n >= 0 && r->n <= INT_MAX, NEP_E_ARG, "%s: %lld rows, must be 0 to %d", op, (long long)r->n, INT_MAX);
    NEP_REQUIRE(ctx, r->dims >= 1 && r->dims <= r->stride && r->stride <= INT_MAX && r->stride * nep_dense_size(r->type) % 64 == 0, NEP_E_ARG,
                "%s: %lld items in rows of %lld, which must be a multiple of 64 bytes", op, (long long)r->dims, (long long)r->stride);
    NEP_REQUIRE(ctx, r->n == 0 || (r->row && (r->scale || r->type != NEP_DENSE_I8)), NEP_E_ARG, "%s: an array of the rows is missing", op);
    return NEP_OK;
}

int64_t nep_door_dense_block(const nep_backend *be, const nep_dense_rows *r)
{
    const int64_t fit = nep_place_tile(be, r->n, r->stride * nep_dense_size(r->type));
    return fit < r->n ? (fit + 63) / 64 * 64 : fit;
}

static nep_status check_hits(nep_ctx *ctx, const nep_dense_rows *r, int64_t first, int64_t n, const nep_dense_queries *q, int64_t cap,
                             const int32_t *count, const nep_dense_hit *hit)
{
    NEP_TRY(nep_door_dense_check(ctx, "dense_hits", r));
    NEP_REQUIRE(ctx, first >= 0 && n >= 0 && first <= r->n - n, NEP_E_ARG, "dense_hits: rows %lld and %lld more of %lld", (long long)first,
                (long long)n, (long long)r->n);
    NEP_REQUIRE(ctx, r->type != NEP_DENSE_I8 || r->dims <= NEP_DENSE_INT_MOST, NEP_E_ARG, "dense_hits: %lld items of int8, at most %d",
                (long long)r->dims, NEP_DENSE_INT_MOST);
    NEP_REQUIRE(ctx, r->n == 0 || r->norm, NEP_E_ARG, "dense_hits: the norms of the rows are missing");
    NEP_REQUIRE(ctx, q->n_q >= 0 && cap >= 1 && cap <= INT_MAX && q->n_q <= INT_MAX / cap, NEP_E_ARG,
                "dense_hits: %lld queries with room for %lld hits each", (long long)q->n_q, (long long)cap);
    NEP_REQUIRE(ctx, q->n_q == 0 || (q->query && q->gate && count && hit), NEP_E_ARG, "dense_hits: an array is missing");
    return NEP_OK;
}

/* Rows first .. first + n - 1 of a call that begins at row `start`, in the block of rows block .. block + block_n - 1. */
typedef struct {
    int64_t start, first, n, block, block_n;
} part;

/* An array of rows with items of `item` bytes: of the block that is kept, or sent; *at is where its first item lies. */
static nep_status put_array(nep_ctx *ctx, nep_life *life, const void *src, int64_t item, const part *t, const char *what, nep_buf *b,
                            const void **at)
{
    const int64_t from = (t->first - t->block) * item;
    *at = NULL;
    if (!src)
        return NEP_OK;
    const char *block = (const char *)src + t->block * item;
    NEP_TRY(nep_resident_lend(ctx, life, block, t->block_n * item, what, b));
    if (b->lent) {
        NEP_TRY(nep_resident_bring(ctx, b, from, t->n * item));
        *at = (const char *)b->ptr + from;
        return NEP_OK;
    }
    NEP_TRY(nep_buf_put(ctx, block + from, NEP_U8, t->n * item, what, b));
    *at = b->ptr;
    return NEP_OK;
}

/* The bits of a part, its first row's first. */
static nep_status put_allow(nep_ctx *ctx, const uint64_t *allow, const part *t, nep_buf *b)
{
    const int64_t off = t->first - t->start, words = (t->n + 63) / 64, last = (off + t->n - 1) / 64;
    const int shift = (int)(off % 64);
    uint64_t *own = NULL;
    NEP_TRY(nep_alloc(ctx, words, sizeof *own, "rows allowed", &own));
    for (int64_t w = 0; w < words; w++) {
        const int64_t from = off / 64 + w;
        own[w] = allow[from] >> shift | (shift && from < last ? allow[from + 1] << (64 - shift) : 0);
    }
    const nep_status st = nep_buf_put(ctx, own, NEP_U64, words, "rows allowed", b);
    nep_alloc_free(own);
    return st;
}

/* The rows of a part where the backend works, in buffers 0 to 4. */
static nep_status put_rows(nep_ctx *ctx, const nep_dense_rows *r, nep_life *life, const part *t, nep_place *p, nep_dense_rows *at)
{
    const void *scale, *norm, *residual;
    *at = *r;
    at->n = t->n;
    NEP_TRY(put_array(ctx, life, r->row, r->stride * nep_dense_size(r->type), t, "rows", &p->b[0], &at->row));
    NEP_TRY(put_array(ctx, life, r->scale, sizeof *r->scale, t, "scales of rows", &p->b[1], &scale));
    NEP_TRY(put_array(ctx, life, r->norm, sizeof *r->norm, t, "norms of rows", &p->b[2], &norm));
    NEP_TRY(put_array(ctx, life, r->residual, sizeof *r->residual, t, "residuals of rows", &p->b[3], &residual));
    if (r->allow)
        NEP_TRY(put_allow(ctx, r->allow, t, &p->b[4]));
    at->scale = scale;
    at->norm = norm;
    at->residual = residual;
    at->allow = p->b[4].ptr;
    return NEP_OK;
}

/* Hits of a tile behind those of the tiles before it. */
static void take_hits(int64_t n_q, int64_t cap, int64_t first, const int32_t *got, const nep_dense_hit *from, int32_t *count,
                      nep_dense_hit *hit)
{
    for (int64_t q = 0; q < n_q; q++) {
        for (int64_t i = 0; i < got[q] && i < cap && count[q] + i < cap; i++)
            hit[q * cap + count[q] + i] = (nep_dense_hit){from[q * cap + i].position + (int32_t)first, from[q * cap + i].near};
        count[q] = got[q] > INT_MAX - count[q] ? INT_MAX : count[q] + got[q];
    }
}

static nep_status hits_of_part(nep_ctx *ctx, const nep_backend *be, const nep_dense_rows *rows, nep_life *life, const part *t,
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
    NEP_TRY_OR_DONE(st, put_rows(ctx, rows, life, t, &p, &at));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, queries->query, NEP_U8, n_q * rows->stride * item, "queries", &p.b[5]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, queries->gate, NEP_F32, 4 * n_q, "gates of queries", &p.b[6]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, n_q, "counts of hits", &out.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_U64, n_q * cap, "hits", &out.b[1]));
    asked.query = p.b[5].ptr;
    asked.gate = p.b[6].ptr;
    NEP_TRY_OR_DONE(st, be->ops.dense_hits(ctx, be->queue(ctx), &at, &asked, cap, out.b[0].ptr, out.b[1].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &out.b[0], got));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &out.b[1], from));
    take_hits(n_q, cap, t->first - t->start, got, from, count, hit);
done:
    nep_alloc_free(from);
    nep_alloc_free(got);
    nep_place_free(&out);
    nep_place_free(&p);
    return st;
}

/* On a host, where they lie. */
static nep_dense_rows rows_from(const nep_dense_rows *r, int64_t first, int64_t n)
{
    nep_dense_rows v = *r;
    v.n = n;
    v.row = (const char *)r->row + first * r->stride * nep_dense_size(r->type);
    v.scale = r->scale ? r->scale + first : NULL;
    v.norm = r->norm + first;
    v.residual = r->residual ? r->residual + first : NULL;
    return v;
}

nep_status nep_backend_dense_hits(nep_ctx *ctx, const nep_dense_rows *rows, nep_life *life, int64_t first, int64_t n,
                                  const nep_dense_queries *queries, int64_t cap, int32_t *count, nep_dense_hit *hit)
{
    const nep_backend *be = nep_place_backend(ctx);
    NEP_REQUIRE(ctx, be->ops.dense_hits, NEP_E_NOTSUP, "dense_hits: no %s version", be->name);
    NEP_TRY(check_hits(ctx, rows, first, n, queries, cap, count, hit));
    if (queries->n_q == 0)
        return NEP_OK;
    memset(count, 0, (size_t)queries->n_q * sizeof *count);
    if (n == 0)
        return NEP_OK;
    if (be->host) {
        const nep_dense_rows here = rows_from(rows, first, n);
        return be->ops.dense_hits(ctx, NULL, &here, queries, cap, count, hit);
    }
    const int64_t block = nep_door_dense_block(be, rows);
    part t = {.start = first, .first = first};
    for (; t.first < first + n; t.first += t.n) {
        t.block = t.first / block * block;
        t.block_n = rows->n - t.block < block ? rows->n - t.block : block;
        t.n = (t.block + t.block_n < first + n ? t.block + t.block_n : first + n) - t.first;
        NEP_TRY(hits_of_part(ctx, be, rows, life, &t, queries, cap, count, hit));
    }
    return NEP_OK;
}
