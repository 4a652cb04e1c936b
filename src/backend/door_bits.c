/* SPDX-License-Identifier: Apache-2.0 */
/* door_bits - front doors of the op on bit vectors: rows are placed once, queries at each call. */
#include "backend/place.h"
#include "backend/resident.h"

#include <limits.h>

static nep_status check_rows(nep_ctx *ctx, const nep_bit_rows *r)
{
    NEP_REQUIRE(ctx, r->n >= 0 && r->n <= INT_MAX, NEP_E_ARG, "bit_hits: %lld rows, must be 0 to %d", (long long)r->n, INT_MAX);
    NEP_REQUIRE(ctx, r->words >= 1 && r->words <= (r->sketch ? NEP_BIT_WORDS / 2 - 1 : NEP_BIT_WORDS), NEP_E_ARG,
                "bit_hits: %lld words per row%s, must be 1 to %d", (long long)r->words, r->sketch ? " with a sketch" : "",
                r->sketch ? NEP_BIT_WORDS / 2 - 1 : NEP_BIT_WORDS);
    NEP_REQUIRE(ctx, r->n == 0 || (r->row && r->popcount), NEP_E_ARG, "bit_hits: an array of the rows is missing");
    return NEP_OK;
}

void nep_backend_bit_rows_free(nep_bit_place *p)
{
    nep_buf_free(&p->sketch);
    nep_buf_free(&p->popcount);
    nep_buf_free(&p->row);
    *p = (nep_bit_place){0};
}

/* An array kept, of which nothing need be there yet, or sent whole. */
static nep_status put_array(nep_ctx *ctx, nep_life *life, const void *src, nep_dtype dtype, int64_t n, const char *what, nep_buf *b)
{
    NEP_TRY(nep_resident_lend(ctx, life, src, n * (int64_t)nep_dtype_size(dtype), what, b));
    return b->ptr ? NEP_OK : nep_buf_put(ctx, src, dtype, n, what, b);
}

nep_status nep_backend_bit_rows(nep_ctx *ctx, const nep_bit_rows *rows, nep_life *life, nep_bit_place *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_bit_place p = {.at = *rows};
    nep_status st = NEP_OK;
    NEP_TRY(check_rows(ctx, rows));
    if (be->host) {
        *out = p;
        return NEP_OK;
    }
    NEP_TRY_OR_DONE(st, put_array(ctx, life, rows->row, NEP_U64, rows->n * rows->words, "bit vectors", &p.row));
    NEP_TRY_OR_DONE(st, put_array(ctx, life, rows->popcount, NEP_I16, rows->n, "counts of bits", &p.popcount));
    if (rows->sketch)
        NEP_TRY_OR_DONE(st, put_array(ctx, life, rows->sketch, NEP_U8, rows->n * NEP_BIT_SKETCH, "sketches", &p.sketch));
    p.at.row = p.row.ptr;
    p.at.popcount = p.popcount.ptr;
    p.at.sketch = p.sketch.ptr;
    *out = p;
    p = (nep_bit_place){0};
done:
    nep_backend_bit_rows_free(&p);
    return st;
}

static nep_status check_call(nep_ctx *ctx, const nep_bit_place *rows, int64_t first, int64_t n, const nep_bit_queries *q, int64_t cap)
{
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, first >= 0 && n >= 0 && first <= rows->at.n - n, NEP_E_ARG, "bit_hits: rows %lld and %lld more of %lld", (long long)first,
                (long long)n, (long long)rows->at.n);
    NEP_REQUIRE(ctx, q->n_q >= 0 && q->n_q <= INT_MAX && cap >= 1 && cap <= INT_MAX, NEP_E_ARG,
                "bit_hits: %lld queries with room for %lld hits each", (long long)q->n_q, (long long)cap);
    NEP_REQUIRE(ctx, q->n_q == 0 || (q->query && q->need), NEP_E_ARG, "bit_hits: an array of the queries is missing");
    return NEP_OK;
}

/* Rows first .. first + n - 1 of what is kept. */
static nep_status bring_rows(nep_ctx *ctx, const nep_bit_place *p, int64_t first, int64_t n)
{
    const nep_buf *const array[] = {&p->row, &p->popcount, &p->sketch};
    const int64_t size[] = {p->at.words * 8, 2, NEP_BIT_SKETCH};
    for (int i = 0; i < 3; i++)
        if (array[i]->lent)
            NEP_TRY(nep_resident_bring(ctx, array[i], first * size[i], n * size[i]));
    return NEP_OK;
}

/* Queries as they lie where the backend works. */
static nep_status put_queries(nep_ctx *ctx, const nep_bit_queries *q, int64_t words, nep_place *p, nep_bit_queries *at)
{
    NEP_TRY(nep_buf_put(ctx, q->query, NEP_U64, q->n_q * words, "queries", &p->b[0]));
    NEP_TRY(nep_buf_put(ctx, q->need, NEP_I16, q->n_q * (64 * words + 1), "bits needed in common", &p->b[1]));
    if (q->sketch)
        NEP_TRY(nep_buf_put(ctx, q->sketch, NEP_U8, q->n_q * NEP_BIT_SKETCH, "sketches of queries", &p->b[2]));
    *at = (nep_bit_queries){p->b[0].ptr, p->b[2].ptr, p->b[1].ptr, q->n_q};
    return NEP_OK;
}

nep_status nep_backend_bit_hits(nep_ctx *ctx, const nep_bit_place *rows, int64_t first, int64_t n, const nep_bit_queries *queries,
                                int64_t cap, int32_t *count, int32_t *position, uint16_t *common)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_bit_rows part = rows->at;
    nep_bit_queries at = *queries;
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.bit_hits, NEP_E_NOTSUP, "bit_hits: no %s version", be->name);
    NEP_TRY(check_call(ctx, rows, first, n, queries, cap));
    if (queries->n_q == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, count && position && common, NEP_E_ARG, "bit_hits: an array is missing");
    part.n = n;
    part.row += first * part.words;
    part.popcount += first;
    part.sketch = part.sketch ? part.sketch + first * NEP_BIT_SKETCH : NULL;
    if (be->host)
        return be->ops.bit_hits(ctx, NULL, &part, &at, cap, count, position, common);
    NEP_TRY_OR_DONE(st, bring_rows(ctx, rows, first, n));
    NEP_TRY_OR_DONE(st, put_queries(ctx, queries, part.words, &p, &at));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, at.n_q, "counts of hits", &p.b[3]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, at.n_q * cap, "positions of hits", &p.b[4]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I16, at.n_q * cap, "common bits of hits", &p.b[5]));
    NEP_TRY_OR_DONE(st, be->ops.bit_hits(ctx, be->queue(ctx), &part, &at, cap, p.b[3].ptr, p.b[4].ptr, p.b[5].ptr));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[3], count));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[4], position));
    NEP_TRY_OR_DONE(st, nep_buf_get(ctx, &p.b[5], common));
done:
    nep_place_free(&p);
    return st;
}
