/* SPDX-License-Identifier: Apache-2.0 */
/* dense_lists - a search that looks at some inverted lists: the nearest list of each query first, so that its gate is high for the others. */
#include "similarity/dense_parts.h"

#include <string.h>

/* Queries that look at each list: query[start[l] .. start[l + 1]), ascending. */
typedef struct {
    int64_t *start;
    int32_t *query;
} visits;

nep_status nep_dense_centres(nep_ctx *ctx, const nep_index *index, nep_index *out)
{
    const nep_index_vectors *v = &index->vectors;
    return nep_index_from_vectors(ctx, v->centroid, v->n_lists, v->dims, NEP_VECTOR_F32, NULL, false, "", out);
}

/* Lists by the score of their centroids: number [n_q, probe]. */
static nep_status rank_lists(const nep_dense_search_state *s, nep_hits *near)
{
    const nep_search_opts o = {.metric = s->opts->metric, .k = s->opts->probe};
    return nep_dense_search(s->ctx, s->centres, s->query, s->n_q, &o, near, NULL);
}

/* Who looks at which list at ranks first .. last - 1. */
static void plan(const nep_hits *near, int64_t n_lists, int64_t first, int64_t last, visits *v)
{
    memset(v->start, 0, (size_t)(n_lists + 1) * sizeof *v->start);
    for (int64_t q = 0; q < near->n_queries; q++)
        for (int64_t r = first; r < last; r++)
            v->start[near->number[near->start[q] + r] + 1]++;
    for (int64_t l = 0; l < n_lists; l++)
        v->start[l + 1] += v->start[l];
    for (int64_t q = 0; q < near->n_queries; q++)
        for (int64_t r = first; r < last; r++)
            v->query[v->start[near->number[near->start[q] + r]]++] = (int32_t)q;
    for (int64_t l = n_lists; l > 0; l--) /* each start was moved to the next one */
        v->start[l] = v->start[l - 1];
    v->start[0] = 0;
}

static nep_status visit(nep_dense_search_state *s, const visits *v)
{
    const nep_index_vectors *x = &s->index->vectors;
    for (int64_t l = 0; l < x->n_lists; l++) {
        const int64_t n_w = v->start[l + 1] - v->start[l], first = x->list_start[l], n = x->list_start[l + 1] - first;
        bool overflow;
        if (n_w == 0 || n == 0)
            continue;
        NEP_TRY(nep_ctx_check(s->ctx));
        NEP_TRY(nep_dense_scan(s, first, n, v->query + v->start[l], n_w, &overflow));
        NEP_TRY(nep_dense_settle(s, 8 * s->opts->k + NEP_DENSE_SETTLE));
    }
    return NEP_OK;
}

nep_status nep_dense_lists(nep_dense_search_state *s)
{
    const int64_t n_lists = s->index->vectors.n_lists, probe = s->opts->probe < n_lists ? s->opts->probe : n_lists;
    nep_hits near = {0};
    visits v = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, n_lists + 1, sizeof *v.start, "visits of lists", &v.start));
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, s->n_q * probe, sizeof *v.query, "visits of lists", &v.query));
    NEP_TRY_OR_DONE(st, rank_lists(s, &near));
    plan(&near, n_lists, 0, 1, &v);
    NEP_TRY_OR_DONE(st, visit(s, &v));
    plan(&near, n_lists, 1, probe, &v);
    NEP_TRY_OR_DONE(st, visit(s, &v));
done:
    nep_hits_free(&near);
    nep_alloc_free(v.query);
    nep_alloc_free(v.start);
    return st;
}
