/* SPDX-License-Identifier: Apache-2.0 */
/* bits - exact search of bit vectors: the options checked, the scan, the answer in its order. */
#include "similarity/bits.h"

/* ---- checks ------------------------------------------------------------------------------------------------------ */
static bool good_decimal(const nep_decimal *d)
{
    const int64_t most = (int64_t)1000000 * 1000000;
    return d->den >= 1 && d->den <= 1000000 && 1000000 % d->den == 0 && d->num <= most && d->num >= -most;
}

static nep_status check_options(nep_ctx *ctx, const nep_search_opts *o)
{
    NEP_REQUIRE(ctx, o->metric <= NEP_METRIC_TVERSKY, NEP_E_ARG, "search: the index holds bit vectors, the metric is one of dense vectors");
    NEP_REQUIRE(ctx, o->k >= 0, NEP_E_ARG, "search: k is %lld, must not be negative", (long long)o->k);
    NEP_REQUIRE(ctx, o->k > 0 || o->by_threshold, NEP_E_ARG, "search: neither a number of rows nor a threshold is asked for");
    NEP_REQUIRE(ctx, o->batch >= 0, NEP_E_ARG, "search: batches of %lld queries", (long long)o->batch);
    NEP_REQUIRE(ctx, o->first >= 0 && o->last >= o->first, NEP_E_ARG, "search: row numbers from %lld to before %lld", (long long)o->first,
                (long long)o->last);
    NEP_REQUIRE(ctx, !o->by_threshold || good_decimal(&o->threshold), NEP_E_ARG, "search: the threshold is no decimal");
    if (o->metric != NEP_METRIC_TVERSKY)
        return NEP_OK;
    NEP_REQUIRE(ctx, good_decimal(&o->alpha) && good_decimal(&o->beta), NEP_E_ARG, "search: tversky needs the weights alpha and beta");
    NEP_REQUIRE(ctx, o->alpha.num >= 0 && o->beta.num >= 0, NEP_E_ARG, "search: a weight of tversky is negative");
    const int64_t more = o->alpha.den > o->beta.den ? o->alpha.den : o->beta.den, less = o->alpha.den + o->beta.den - more;
    NEP_REQUIRE(ctx, more % less == 0, NEP_E_ARG, "search: denominators of tversky weights must be powers of ten");
    return NEP_OK;
}

static nep_status check(nep_ctx *ctx, const nep_index *index, const uint64_t *query, int64_t n_q, const nep_search_opts *opts, nep_hits *hits)
{
    NEP_REQUIRE(ctx, index && query && opts && hits, NEP_E_ARG, "search: the index, the queries, the options or the hits are missing");
    NEP_REQUIRE(ctx, index->kind == NEP_INDEX_BITS, NEP_E_ARG, "search: the index holds no bit vectors");
    NEP_REQUIRE(ctx, index->bits.words >= 1 && index->bits.words <= NEP_BIT_WORDS, NEP_E_ARG, "search: rows of %lld words",
                (long long)index->bits.words);
    NEP_REQUIRE(ctx, n_q >= 1, NEP_E_ARG, "search: %lld queries, must be at least 1", (long long)n_q);
    return check_options(ctx, opts);
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */
static nep_status make_room(nep_ctx *ctx, int64_t n_q, int64_t n, nep_hits *h)
{
    h->n_queries = n_q;
    NEP_TRY(nep_alloc(ctx, n_q + 1, sizeof *h->start, "starts of hits", &h->start));
    NEP_TRY(nep_alloc(ctx, n, sizeof *h->position, "positions of hits", &h->position));
    NEP_TRY(nep_alloc(ctx, n, sizeof *h->number, "numbers of hits", &h->number));
    NEP_TRY(nep_alloc(ctx, n, sizeof *h->score, "scores of hits", &h->score));
    NEP_TRY(nep_alloc(ctx, n, sizeof *h->common, "bits in common", &h->common));
    NEP_TRY(nep_alloc(ctx, n, sizeof *h->total, "bits in either", &h->total));
    return nep_alloc(ctx, n_q, sizeof *h->query_bits, "bits of queries", &h->query_bits);
}

static void write_hits(const nep_bits_job *j, int64_t s, nep_hits *h)
{
    const int64_t a = j->bits[s], to = h->start[j->order[s]];
    for (int64_t i = 0; i < j->list[s].n; i++) {
        const nep_bits_hit *x = &j->list[s].hit[i];
        h->position[to + i] = j->at ? j->at[x->position] : x->position;
        h->number[to + i] = x->number;
        h->score[to + i] = nep_order_value(&j->rule, a, x->bits, x->common);
        h->common[to + i] = x->common;
        h->total[to + i] = (int32_t)(a + x->bits - x->common);
    }
}

static nep_status answer(nep_ctx *ctx, nep_bits_job *j, nep_hits *hits)
{
    nep_hits made = {0};
    int64_t n = 0;
    nep_status st;
    for (int64_t s = 0; s < j->n_q; s++)
        n += j->list[s].n;
    NEP_TRY_OR_DONE(st, make_room(ctx, j->n_q, n, &made));
    for (int64_t s = 0; s < j->n_q; s++) {
        made.start[j->order[s] + 1] = j->list[s].n;
        made.query_bits[j->order[s]] = j->bits[s];
    }
    for (int64_t q = 0; q < j->n_q; q++)
        made.start[q + 1] += made.start[q];
#pragma omp parallel for schedule(dynamic) num_threads(nep_ctx_threads(ctx)) if (n > 4096)
    for (int64_t s = 0; s < j->n_q; s++) {
        nep_bits_sort(j, s);
        write_hits(j, s, &made);
    }
    *hits = made;
    made = (nep_hits){0};
done:
    nep_hits_free(&made);
    return st;
}

nep_status nep_bits_search(nep_ctx *ctx, const nep_index *index, const uint64_t *query, int64_t n_q, const nep_search_opts *opts,
                           nep_hits *hits, nep_search_report *report)
{
    nep_bits_job job = {0};
    nep_status st;
    NEP_TRY(check(ctx, index, query, n_q, opts, hits));
    NEP_TRY_OR_DONE(st, nep_bits_prepare(ctx, index, query, n_q, opts, &job));
    NEP_TRY_OR_DONE(st, nep_bits_scan(ctx, &job));
    NEP_TRY_OR_DONE(st, answer(ctx, &job, hits));
    if (report)
        *report = (nep_search_report){.path = job.sketch ? "bits with sketch" : "bits", .exact = true, .compared = job.compared,
                                      .candidates = job.candidates};
done:
    nep_bits_job_free(&job);
    return st;
}
