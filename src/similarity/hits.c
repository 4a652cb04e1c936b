/* SPDX-License-Identifier: Apache-2.0 */
/* hits - answers of a search: freed, and merged from several of the same queries. */
#include "similarity/order.h"

#include <stdlib.h>
#include <string.h>

void nep_hits_free(nep_hits *h)
{
    nep_alloc_free(h->start);
    nep_alloc_free(h->position);
    nep_alloc_free(h->number);
    nep_alloc_free(h->score);
    nep_alloc_free(h->common);
    nep_alloc_free(h->total);
    nep_alloc_free(h->query_bits);
    *h = (nep_hits){0};
}

/* ---- what is merged must belong together ------------------------------------------------------------------------- */
static nep_status check_part(nep_ctx *ctx, const nep_hits *first, const nep_hits *h, int64_t part, const nep_search_opts *opts)
{
    const bool of_bits = h->query_bits != NULL;
    NEP_REQUIRE(ctx, h->n_queries == first->n_queries, NEP_E_ARG, "merge: answer %lld has %lld queries, the first has %lld",
                (long long)part + 1, (long long)h->n_queries, (long long)first->n_queries);
    NEP_REQUIRE(ctx, h->start && (h->start[h->n_queries] == 0 || (h->number && h->score && (!of_bits || (h->common && h->total)))),
                NEP_E_ARG, "merge: answer %lld is not filled", (long long)part + 1);
    NEP_REQUIRE(ctx, of_bits == (first->query_bits != NULL) && (opts->metric == NEP_METRIC_COSINE || of_bits == (opts->metric <= NEP_METRIC_TVERSKY)),
                NEP_E_ARG, "merge: answer %lld is of %s, the metric or another answer is not", (long long)part + 1,
                of_bits ? "bit vectors" : "dense vectors");
    NEP_REQUIRE(ctx, !of_bits || memcmp(h->query_bits, first->query_bits, (size_t)h->n_queries * sizeof *h->query_bits) == 0, NEP_E_ARG,
                "merge: answer %lld is to other queries than the first", (long long)part + 1);
    return NEP_OK;
}

static nep_status check_parts(nep_ctx *ctx, const nep_hits *parts, int64_t n_parts, const nep_search_opts *opts)
{
    NEP_REQUIRE(ctx, parts && opts && n_parts >= 1, NEP_E_ARG, "merge: no answers to merge");
    NEP_REQUIRE(ctx, opts->k >= 0, NEP_E_ARG, "merge: k is %lld, must not be negative", (long long)opts->k);
    NEP_REQUIRE(ctx, opts->metric != NEP_METRIC_TVERSKY || (opts->alpha.den > 0 && opts->beta.den > 0), NEP_E_ARG,
                "merge: tversky needs its weights");
    for (int64_t i = 0; i < n_parts; i++)
        NEP_TRY(check_part(ctx, &parts[0], &parts[i], i, opts));
    return NEP_OK;
}

/* ---- order ------------------------------------------------------------------------------------------------------- */
typedef struct {
    nep_order_rule rule;
    int64_t a; /* bits of the query, -1 for dense */
} question;

/* Hit i of answer h. */
typedef struct {
    const nep_hits *h;
    int64_t i;
} place;

static int64_t number_of(place p)
{
    return p.h->number[p.i];
}

/* Below 0 where x comes before y. */
static int compare(const question *q, place x, place y)
{
    int better;
    if (q->a >= 0) {
        const int64_t cx = x.h->common[x.i], cy = y.h->common[y.i];
        better = nep_order_score(&q->rule, q->a, x.h->total[x.i] + cx - q->a, cx, y.h->total[y.i] + cy - q->a, cy);
    } else {
        const double sx = x.h->score[x.i], sy = y.h->score[y.i];
        better = q->rule.metric == NEP_METRIC_L2 ? (sx < sy) - (sx > sy) : (sx > sy) - (sx < sy);
    }
    return better ? -better : (number_of(x) > number_of(y)) - (number_of(x) < number_of(y));
}

static int compare_places(const void *x, const void *y, void *q)
{
    return compare(q, *(const place *)x, *(const place *)y);
}

static int compare_numbers(const void *x, const void *y)
{
    const int64_t a = number_of(*(const place *)x), b = number_of(*(const place *)y);
    return (a > b) - (a < b);
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */
/* All hits of query q, in order. */
static nep_status gather(nep_ctx *ctx, const nep_hits *parts, int64_t n_parts, int64_t q, question *ask, place *all, int64_t *n_all)
{
    int64_t n = 0;
    for (int64_t p = 0; p < n_parts; p++)
        for (int64_t i = parts[p].start[q]; i < parts[p].start[q + 1]; i++)
            all[n++] = (place){&parts[p], i};
    qsort(all, (size_t)n, sizeof *all, compare_numbers);
    for (int64_t i = 1; i < n; i++)
        NEP_REQUIRE(ctx, number_of(all[i]) != number_of(all[i - 1]), NEP_E_FORMAT,
                    "merge: query %lld found row %lld twice; parts of one set have no row in common", (long long)q + 1,
                    (long long)number_of(all[i]));
    ask->a = parts[0].query_bits ? parts[0].query_bits[q] : -1;
    qsort_r(all, (size_t)n, sizeof *all, compare_places, ask);
    *n_all = n;
    return NEP_OK;
}

static void copy_hit(nep_hits *out, int64_t to, place from)
{
    out->position[to] = -1;
    out->number[to] = number_of(from);
    out->score[to] = from.h->score[from.i];
    if (out->common) {
        out->common[to] = from.h->common[from.i];
        out->total[to] = from.h->total[from.i];
    }
}

static nep_status make_room(nep_ctx *ctx, int64_t n_queries, int64_t n, bool bits, nep_hits *out)
{
    out->n_queries = n_queries;
    NEP_TRY(nep_alloc(ctx, n_queries + 1, sizeof *out->start, "starts of hits", &out->start));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->position, "positions of hits", &out->position));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->number, "numbers of hits", &out->number));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->score, "scores of hits", &out->score));
    if (!bits)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->common, "bits in common", &out->common));
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->total, "bits in either", &out->total));
    return nep_alloc(ctx, n_queries, sizeof *out->query_bits, "bits of queries", &out->query_bits);
}

/* Hits of all parts to one query, and the most to any. */
static int64_t hits_of(const nep_hits *parts, int64_t n_parts, int64_t q)
{
    int64_t n = 0;
    for (int64_t p = 0; p < n_parts; p++)
        n += parts[p].start[q + 1] - parts[p].start[q];
    return n;
}

nep_status nep_hits_merge(nep_ctx *ctx, const nep_hits *parts, int64_t n_parts, const nep_search_opts *opts, nep_hits *out)
{
    nep_hits made = {0};
    place *all = NULL;
    int64_t most = 0, kept = 0;
    nep_status st;
    NEP_TRY(check_parts(ctx, parts, n_parts, opts));
    NEP_REQUIRE(ctx, out, NEP_E_ARG, "merge: no place for the answer");
    const int64_t n_queries = parts[0].n_queries;
    question ask = {.rule = nep_order_make(opts)};
    for (int64_t q = 0; q < n_queries; q++) {
        const int64_t n = hits_of(parts, n_parts, q);
        most = n > most ? n : most;
        kept += opts->k > 0 && n > opts->k ? opts->k : n;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, most, sizeof *all, "hits to merge", &all));
    NEP_TRY_OR_DONE(st, make_room(ctx, n_queries, kept, parts[0].query_bits, &made));
    for (int64_t q = 0; q < n_queries; q++) {
        int64_t n = 0;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, gather(ctx, parts, n_parts, q, &ask, all, &n));
        n = opts->k > 0 && n > opts->k ? opts->k : n;
        for (int64_t i = 0; i < n; i++)
            copy_hit(&made, made.start[q] + i, all[i]);
        made.start[q + 1] = made.start[q] + n;
        if (made.query_bits)
            made.query_bits[q] = parts[0].query_bits[q];
    }
    *out = made;
    made = (nep_hits){0};
done:
    nep_hits_free(&made);
    nep_alloc_free(all);
    return st;
}
