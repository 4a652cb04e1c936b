/* SPDX-License-Identifier: Apache-2.0 */
/* butina_rank - the members of each cluster by their score to its centroid, compared as fractions where they are bit vectors. */
#include <stdlib.h>

#include "similarity/pairs.h"

typedef struct {
    int64_t position, number, bits, common;
    double score;
} member;

typedef struct {
    bool of_bits, less_is_better;
    nep_order_rule rule;
    int64_t position, bits; /* of the centroid */
} centroid;

static int compare(const void *a, const void *b, void *user)
{
    const member *x = a, *y = b;
    const centroid *c = user;
    int better = c->of_bits ? nep_order_score(&c->rule, c->bits, x->bits, x->common, y->bits, y->common) : (x->score > y->score) - (x->score < y->score);
    better = c->less_is_better ? -better : better;
    return better ? -better : (x->number > y->number) - (x->number < y->number);
}

/* A member as far as its score to the centroid goes. query [dims]: scratch for the row that is the query of the pair, the first of the two
 * as in the graph. */
static member measure(const nep_index *index, const nep_search_opts *opts, const centroid *mid, nep_pairs_counter *count, int64_t position,
                      float *query)
{
    const int64_t words = index->bits.words;
    member m = {.position = position, .number = nep_index_number(index, position)};
    if (mid->of_bits) {
        m.bits = index->bits.popcount[position];
        m.common = count(index->bits.row + mid->position * words, index->bits.row + position * words, words);
        m.score = nep_order_value(&mid->rule, mid->bits, m.bits, m.common);
        return m;
    }
    const int64_t low = position < mid->position ? position : mid->position, high = position < mid->position ? mid->position : position;
    nep_index_decode(&index->vectors, low, query);
    m.score = nep_pairs_dense_score(index, opts->metric, query, nep_pairs_norm(index, query), high);
    return m;
}

nep_status nep_butina_rank(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, nep_clusters *c)
{
    centroid mid = {.of_bits = index->kind == NEP_INDEX_BITS, .less_is_better = opts->metric == NEP_METRIC_L2, .rule = nep_order_make(opts)};
    nep_pairs_counter *const count = nep_pairs_count();
    member *all = NULL;
    float *query = NULL;
    int64_t most = 0;
    nep_status st = NEP_OK;
    for (int64_t k = 0; k < c->n_clusters; k++)
        most = c->start[k + 1] - c->start[k] > most ? c->start[k + 1] - c->start[k] : most;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, most, sizeof *all, "members of a cluster", &all));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, mid.of_bits ? 0 : index->vectors.dims, sizeof *query, "members of a cluster", &query));
    for (int64_t k = 0; k < c->n_clusters; k++) {
        const int64_t first = c->start[k], n = c->start[k + 1] - first;
        if (k % 1024 == 0)
            NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        mid.position = c->position[first];
        mid.bits = mid.of_bits ? index->bits.popcount[mid.position] : 0;
        for (int64_t i = 0; i < n; i++)
            all[i] = measure(index, opts, &mid, count, c->position[first + i], query);
        qsort_r(all + 1, (size_t)n - 1, sizeof *all, compare, &mid); /* the centroid stays first */
        for (int64_t i = 0; i < n; i++) {
            c->position[first + i] = all[i].position;
            c->score[first + i] = all[i].score;
        }
    }
done:
    nep_alloc_free(query);
    nep_alloc_free(all);
    return st;
}
