/* SPDX-License-Identifier: Apache-2.0 */
/* bits_prepare - the rows that may be found and the queries by their counts of bits. */
#include "similarity/bits.h"

#include <string.h>

enum {
    FEW = 8,    /* rows are copied out when a filter leaves at most one in so many, */
    SHARE = 4   /* which take at most one in so many bytes of the memory at hand */
};

static int64_t count_bits(const uint64_t *x, int64_t words)
{
    int64_t n = 0;
    for (int64_t w = 0; w < words; w++)
        n += __builtin_popcountll(x[w]);
    return n;
}

/* Bits from .. to - 1. */
static int64_t count_part(const uint64_t *x, int64_t from, int64_t to)
{
    int64_t n = 0;
    while (from < to) {
        const int64_t at = from % 64, width = to - from < 64 - at ? to - from : 64 - at;
        const uint64_t mask = width == 64 ? ~0ull : ((1ull << width) - 1) << at;
        n += __builtin_popcountll(x[from / 64] & mask);
        from += width;
    }
    return n;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */
static bool filtered(const nep_search_opts *o)
{
    return o->allow || o->first != 0 || o->last != 0;
}

bool nep_bits_allowed(const nep_bits_job *job, int64_t number)
{
    const nep_search_opts *o = job->opts;
    if ((o->first != 0 || o->last != 0) && (number < o->first || number >= o->last))
        return false;
    return !o->allow || (o->allow[number / 64] >> (number % 64) & 1);
}

static int64_t count_allowed(const nep_bits_job *job)
{
    int64_t n = 0;
    for (int64_t i = 0; i < job->index->n; i++)
        n += nep_bits_allowed(job, nep_bits_number(job, i));
    return n;
}

/* The index may be larger than memory, and so may what a filter leaves of it. */
static bool copy_fits(const nep_ctx *ctx, const nep_index_bits *x, int64_t n)
{
    const int64_t row = x->words * (int64_t)sizeof *x->row + (int64_t)sizeof *x->popcount + NEP_BIT_SKETCH + (int64_t)sizeof(int64_t);
    return n <= (nep_alloc_budget(ctx) - nep_alloc_used(ctx)) / SHARE / row;
}

/* The `n` rows that may be found, on their own. */
static nep_status copy_allowed(nep_ctx *ctx, nep_bits_job *job, int64_t n)
{
    const nep_bit_rows all = job->rows;
    int64_t to = 0, *at = NULL;
    NEP_TRY(nep_alloc(ctx, n * all.words, sizeof *job->own_row, "rows that may be found", &job->own_row));
    NEP_TRY(nep_alloc(ctx, n, sizeof *job->own_popcount, "counts of bits", &job->own_popcount));
    if (all.sketch)
        NEP_TRY(nep_alloc(ctx, n * NEP_BIT_SKETCH, 1, "sketches", &job->own_sketch));
    NEP_TRY(nep_alloc(ctx, n, sizeof *at, "positions of rows", &at));
    for (int64_t i = 0; i < all.n; i++) {
        if (!nep_bits_allowed(job, nep_bits_number(job, i)))
            continue;
        at[to] = i;
        memcpy(job->own_row + to * all.words, all.row + i * all.words, (size_t)all.words * sizeof *all.row);
        job->own_popcount[to] = all.popcount[i];
        if (all.sketch)
            memcpy(job->own_sketch + to * NEP_BIT_SKETCH, all.sketch + i * NEP_BIT_SKETCH, NEP_BIT_SKETCH);
        to++;
    }
    job->at = at;
    job->rows = (nep_bit_rows){job->own_row, job->own_popcount, job->own_sketch, n, all.words};
    return NEP_OK;
}

/* First row at or past `from` with b bits or more. */
static int64_t find_bin(const nep_bit_rows *r, int64_t from, int64_t b)
{
    int64_t low = from, high = r->n;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (r->popcount[mid] < b)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static nep_status prepare_rows(nep_ctx *ctx, nep_bits_job *job)
{
    const nep_index_bits *x = &job->index->bits;
    job->rows = (nep_bit_rows){x->row, x->popcount, job->opts->no_sketch ? NULL : x->sketch, job->index->n, x->words};
    if (filtered(job->opts)) {
        const int64_t left = count_allowed(job);
        if (left * FEW <= job->index->n && copy_fits(ctx, x, left))
            NEP_TRY(copy_allowed(ctx, job, left));
    }
    NEP_TRY(nep_alloc(ctx, 64 * x->words + 2, sizeof *job->bin, "rows by their counts of bits", &job->bin));
    for (int64_t b = 1; b <= 64 * x->words + 1; b++)
        job->bin[b] = job->bin[b - 1] == job->rows.n ? job->rows.n : find_bin(&job->rows, job->bin[b - 1], b);
    return NEP_OK;
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */
static nep_status check_query(nep_ctx *ctx, const nep_index_bits *x, const uint64_t *query, int64_t q)
{
    NEP_REQUIRE(ctx, count_part(query, x->n_bits, 64 * x->words) == 0, NEP_E_ARG,
                "search: query %lld has a bit past the %lld of the index", (long long)q + 1, (long long)x->n_bits);
    return NEP_OK;
}

/* order[] by (bits, place), counted. */
static nep_status order_queries(nep_ctx *ctx, nep_bits_job *job, const uint64_t *query)
{
    const int64_t words = job->rows.words;
    int32_t *given = NULL;
    int64_t *next = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, job->n_q, sizeof *given, "bits of queries", &given));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 64 * words + 2, sizeof *next, "queries by their counts of bits", &next));
    for (int64_t q = 0; q < job->n_q; q++) {
        NEP_TRY_OR_DONE(st, check_query(ctx, &job->index->bits, query + q * words, q));
        given[q] = (int32_t)count_bits(query + q * words, words);
        next[given[q] + 1]++;
    }
    for (int64_t b = 1; b <= 64 * words + 1; b++)
        next[b] += next[b - 1];
    for (int64_t q = 0; q < job->n_q; q++) {
        const int64_t s = next[given[q]]++;
        job->order[s] = q;
        job->bits[s] = given[q];
        memcpy(job->query + s * words, query + q * words, (size_t)words * sizeof *query);
    }
done:
    nep_alloc_free(next);
    nep_alloc_free(given);
    return st;
}

static nep_status prepare_queries(nep_ctx *ctx, nep_bits_job *job, const uint64_t *query)
{
    const int64_t words = job->rows.words, part = 4 * words;
    NEP_TRY(nep_alloc(ctx, job->n_q, sizeof *job->order, "order of queries", &job->order));
    NEP_TRY(nep_alloc(ctx, job->n_q, sizeof *job->bits, "bits of queries", &job->bits));
    NEP_TRY(nep_alloc(ctx, job->n_q * words, sizeof *job->query, "queries", &job->query));
    NEP_TRY(nep_alloc(ctx, job->n_q, sizeof *job->list, "lists of hits", &job->list));
    NEP_TRY(order_queries(ctx, job, query));
    if (!job->rows.sketch)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, job->n_q * NEP_BIT_SKETCH, 1, "sketches of queries", &job->sketch));
    for (int64_t i = 0; i < job->n_q * NEP_BIT_SKETCH; i++)
        job->sketch[i] = (uint8_t)count_part(job->query + i / NEP_BIT_SKETCH * words, i % NEP_BIT_SKETCH * part,
                                             (i % NEP_BIT_SKETCH + 1) * part);
    return NEP_OK;
}

nep_status nep_bits_prepare(nep_ctx *ctx, const nep_index *index, const uint64_t *query, int64_t n_q, const nep_search_opts *opts,
                            nep_bits_job *job)
{
    nep_bits_job made = {.index = index, .opts = opts, .rule = nep_order_make(opts), .n_q = n_q};
    nep_status st;
    NEP_TRY_OR_DONE(st, prepare_rows(ctx, &made));
    NEP_TRY_OR_DONE(st, prepare_queries(ctx, &made, query));
    *job = made;
    made = (nep_bits_job){0};
done:
    nep_bits_job_free(&made);
    return st;
}

void nep_bits_job_free(nep_bits_job *job)
{
    for (int64_t s = 0; job->list && s < job->n_q; s++)
        nep_alloc_free(job->list[s].hit);
    nep_alloc_free(job->list);
    nep_alloc_free(job->sketch);
    nep_alloc_free(job->query);
    nep_alloc_free(job->bits);
    nep_alloc_free(job->order);
    nep_alloc_free(job->bin);
    nep_alloc_free(job->own_sketch);
    nep_alloc_free(job->own_popcount);
    nep_alloc_free(job->own_row);
    nep_alloc_free(job->at);
    *job = (nep_bits_job){0};
}
