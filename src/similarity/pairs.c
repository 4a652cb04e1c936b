/* SPDX-License-Identifier: Apache-2.0 */
/* pairs - what may be asked of all pairs of a set, and its division into parts. */
#include "similarity/pairs.h"

#include <math.h>

nep_status nep_pairs_check_set(nep_ctx *ctx, const nep_index *index, const char *what)
{
    NEP_REQUIRE(ctx, index, NEP_E_ARG, "%s: no index", what);
    NEP_REQUIRE(ctx, index->n >= 1 && index->n < INT32_MAX, NEP_E_ARG, "%s: the index has %lld rows, must be 1 to %d", what,
                (long long)index->n, INT32_MAX - 1);
    NEP_REQUIRE(ctx, index->n == index->total, NEP_E_ARG,
                "%s: the index holds %lld of the %lld rows of its set; merge its shards, since rows of one are neighbours of rows of another",
                what, (long long)index->n, (long long)index->total);
    return NEP_OK;
}

nep_status nep_pairs_check_metric(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, const char *what)
{
    const nep_metric m = opts->metric;
    const bool bits = index->kind == NEP_INDEX_BITS, of_bits = m <= NEP_METRIC_TVERSKY, of_dense = m == NEP_METRIC_COSINE || m >= NEP_METRIC_INNER;
    NEP_REQUIRE(ctx, m <= NEP_METRIC_L2 && (bits ? of_bits : of_dense), NEP_E_ARG, "%s: this metric is not one of %s", what,
                bits ? "bit vectors (tanimoto, dice, cosine, tversky)" : "dense vectors (cosine, inner, l2)");
    if (m != NEP_METRIC_TVERSKY)
        return NEP_OK;
    NEP_REQUIRE(ctx, opts->alpha.den > 0 && opts->beta.den > 0 && opts->alpha.num >= 0 && opts->beta.num >= 0, NEP_E_ARG,
                "%s: tversky needs weights alpha and beta, not negative", what);
    return NEP_OK;
}

nep_status nep_pairs_check_symmetry(nep_ctx *ctx, const nep_search_opts *opts, const char *what)
{
    if (opts->metric != NEP_METRIC_TVERSKY)
        return NEP_OK;
    NEP_REQUIRE(ctx, opts->alpha.num * opts->beta.den == opts->beta.num * opts->alpha.den, NEP_E_ARG,
                "%s: tversky with unequal weights gives a pair two scores; pairs have one only when alpha equals beta", what);
    return NEP_OK;
}

nep_status nep_pairs_check_threshold(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, const char *what)
{
    const nep_decimal t = opts->threshold;
    NEP_REQUIRE(ctx, t.den > 0, NEP_E_ARG, "%s: no threshold", what);
    if (index->kind == NEP_INDEX_BITS)
        NEP_REQUIRE(ctx, t.num > 0 && t.num <= t.den, NEP_E_ARG,
                    "%s: the threshold is %g, must be above 0 (which every pair reaches) and at most 1", what, (double)t.num / (double)t.den);
    else if (opts->metric == NEP_METRIC_COSINE)
        NEP_REQUIRE(ctx, t.num > -t.den && t.num <= t.den, NEP_E_ARG,
                    "%s: the threshold is %g, must be above -1 (which every pair reaches) and at most 1", what, (double)t.num / (double)t.den);
    else if (opts->metric == NEP_METRIC_L2)
        NEP_REQUIRE(ctx, t.num >= 0, NEP_E_ARG, "%s: the threshold is %g, a distance must not be negative", what,
                    (double)t.num / (double)t.den);
    return NEP_OK;
}

nep_status nep_pairs_check_range(nep_ctx *ctx, const nep_index *index, int64_t first, int64_t last, const char *what)
{
    NEP_REQUIRE(ctx, first >= 0 && first <= last && last <= index->n, NEP_E_ARG, "%s: rows %lld to %lld of %lld", what, (long long)first,
                (long long)last, (long long)index->n);
    return NEP_OK;
}

nep_status nep_pairs_within(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t first, int64_t last,
                            nep_pairs_sink *sink, void *user, nep_search_report *report)
{
    static const char what[] = "pairs";
    nep_search_report ignored, *r = report ? report : &ignored;
    NEP_TRY(nep_pairs_check_set(ctx, index, what));
    NEP_REQUIRE(ctx, opts && sink, NEP_E_ARG, "pairs: no options or no place for the pairs");
    NEP_TRY(nep_pairs_check_metric(ctx, index, opts, what));
    NEP_TRY(nep_pairs_check_symmetry(ctx, opts, what));
    NEP_TRY(nep_pairs_check_threshold(ctx, index, opts, what));
    NEP_TRY(nep_pairs_check_range(ctx, index, first, last, what));
    *r = (nep_search_report){.path = "bits", .exact = true};
    return index->kind == NEP_INDEX_BITS ? nep_pairs_bits(ctx, index, opts, first, last, sink, user, r)
                                         : nep_pairs_dense(ctx, index, opts, first, last, sink, user, r);
}

/* Rows before which a share x of all pairs lies: n (1 - sqrt(1 - x)). */
static int64_t triangle_row(int64_t n, double x)
{
    return (int64_t)llround((double)n * (1.0 - sqrt(1.0 - x)));
}

nep_status nep_pairs_shard(nep_ctx *ctx, int64_t n, int64_t shard, int64_t n_shards, bool triangle, int64_t *first, int64_t *last)
{
    NEP_REQUIRE(ctx, n >= 0 && shard >= 0 && shard < n_shards, NEP_E_ARG, "pairs: part %lld of %lld", (long long)shard + 1,
                (long long)n_shards);
    const double x = (double)shard / (double)n_shards, y = (double)(shard + 1) / (double)n_shards;
    *first = triangle ? triangle_row(n, x) : (int64_t)llround((double)n * x);
    *last = shard + 1 == n_shards ? n : triangle ? triangle_row(n, y) : (int64_t)llround((double)n * y);
    return NEP_OK;
}

nep_status nep_pairs_positions(nep_ctx *ctx, const nep_index *index, int32_t **out)
{
    int32_t *at = NULL;
    NEP_TRY(nep_alloc(ctx, index->n, sizeof *at, "positions of rows", &at));
    for (int64_t p = 0; p < index->n; p++)
        at[p] = -1;
    for (int64_t p = 0; p < index->n; p++) {
        const int64_t row = nep_index_number(index, p);
        if (row < 0 || row >= index->n || at[row] >= 0) {
            nep_alloc_free(at);
            return nep_ctx_fail(ctx, NEP_E_FORMAT, "pairs: row number %lld of the index %s", (long long)row,
                                row < 0 || row >= index->n ? "is none of its set" : "stands there twice");
        }
        at[row] = (int32_t)p;
    }
    *out = at;
    return NEP_OK;
}

int64_t nep_pairs_rows(const nep_ctx *ctx, const nep_index *index, int64_t most)
{
    enum { LEAST = 16, BYTES = 32 << 20, SHARE = 8 }; /* BYTES of queries, about, and one in SHARE of those at hand */
    const int64_t row = index->kind == NEP_INDEX_BITS ? index->bits.words * 8 : index->vectors.dims * 4;
    const int64_t share = (nep_alloc_budget(ctx) - nep_alloc_used(ctx)) / SHARE, fit = (share < BYTES ? share : BYTES) / row;
    return fit >= most || most < LEAST ? most : fit > LEAST ? fit : LEAST;
}
