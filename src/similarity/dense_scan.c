/* SPDX-License-Identifier: Apache-2.0 */
/* dense_scan - a range of rows against some of the queries: the first pass, and what it keeps put into the lists; exact scores of those. */
#include "similarity/dense_parts.h"

#include <string.h>

enum {
    PAIRS = 1 << 16, /* settled at a time */
    AHEAD = 16       /* hits whose facts are asked for before they are needed */
};

bool nep_dense_allowed(const nep_dense_search_state *s, int64_t position)
{
    const nep_search_opts *o = s->opts;
    if (!o->allow && o->first == 0 && o->last == 0)
        return true;
    const int64_t number = nep_index_number(s->index, position);
    if ((o->first != 0 || o->last != 0) && (number < o->first || number >= o->last))
        return false;
    return !o->allow || (o->allow[number / 64] >> (number % 64) & 1);
}

/* A bit per row that may be found; left NULL where all may. */
static nep_status make_allow(const nep_dense_search_state *s, int64_t first, int64_t n, uint64_t **allow)
{
    if (!s->opts->allow && s->opts->first == 0 && s->opts->last == 0)
        return NEP_OK;
    NEP_TRY(nep_alloc(s->ctx, (n + 63) / 64, sizeof **allow, "rows allowed", allow));
    for (int64_t i = 0; i < n; i++)
        (*allow)[i / 64] |= (uint64_t)nep_dense_allowed(s, first + i) << (i % 64);
    return NEP_OK;
}

/* What the op gets of the queries: their gates, and themselves side by side. */
static nep_status make_asked(const nep_dense_search_state *s, const int32_t *which, int64_t n_w, float **gate, char **gathered,
                             nep_dense_queries *out)
{
    const int64_t bytes = s->pass.stride * (s->pass.type == NEP_DENSE_I8 ? 1 : (int64_t)sizeof(float));
    NEP_TRY(nep_alloc(s->ctx, 4 * n_w, sizeof **gate, "gates of queries", gate));
    for (int64_t i = 0; i < n_w; i++)
        nep_dense_query_gate(&s->bound[which[i]], s->metric, s->list[which[i]].gate, n_w, *gate + i);
    *out = (nep_dense_queries){.query = s->held, .gate = *gate, .n_q = n_w, .metric = s->metric};
    if (n_w == s->n_q)
        return NEP_OK; /* all of them are in order already */
    NEP_TRY(nep_alloc(s->ctx, n_w, (size_t)bytes, "queries of a list", gathered));
    for (int64_t i = 0; i < n_w; i++)
        memcpy(*gathered + i * bytes, (const char *)s->held + which[i] * bytes, (size_t)bytes);
    out->query = *gathered;
    return NEP_OK;
}

/* The hits of one query into its list. */
static void fold(nep_dense_search_state *s, int64_t query, int64_t first, const nep_dense_hit *hit, int64_t n)
{
    nep_dense_list *l = &s->list[query];
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = first + hit[i].position;
        if (i + AHEAD < n) { /* hits lie far apart */
            __builtin_prefetch(s->pass.norm + first + hit[i + AHEAD].position);
            if (s->pass.residual)
                __builtin_prefetch(s->pass.residual + first + hit[i + AHEAD].position);
        }
        const float residual = s->pass.residual ? s->pass.residual[at] : 0.0f;
        double low, high;
        nep_dense_query_interval(&s->bound[query], s->metric, s->pass.norm[at], residual, hit[i].near, &low, &high);
        nep_dense_list_add(l, s->opts->k, at, low, high);
    }
    nep_dense_list_prune(l);
}

/* Every row of the range is a candidate. */
static nep_status scan_blind(nep_dense_search_state *s, int64_t first, int64_t n, const int32_t *which, int64_t n_w)
{
    for (int64_t i = 0; i < n_w; i++) {
        nep_dense_list *l = &s->list[which[i]];
        NEP_TRY(nep_dense_list_reserve(s->ctx, l, n));
        for (int64_t at = first; at < first + n; at++)
            if (nep_dense_allowed(s, at))
                nep_dense_list_add(l, s->opts->k, at, (double)-INFINITY, (double)INFINITY);
    }
    return NEP_OK;
}

/* What had room goes into the lists; the rest is left in `again`. */
static nep_status fold_all(nep_dense_search_state *s, int64_t first, const int32_t *which, int64_t n_w, int32_t *again, int64_t *n_again)
{
    for (int64_t i = 0; i < n_w; i++) {
        if (s->count[i] > s->cap)
            again[(*n_again)++] = which[i];
        else
            NEP_TRY(nep_dense_list_reserve(s->ctx, &s->list[which[i]], s->count[i]));
    }
#pragma omp parallel for schedule(dynamic, 8) num_threads(nep_ctx_threads(s->ctx)) if (n_w > 8)
    for (int64_t i = 0; i < n_w; i++)
        if (s->count[i] <= s->cap)
            fold(s, which[i], first, s->hit + i * s->cap, s->count[i]);
    return NEP_OK;
}

nep_status nep_dense_scan(nep_dense_search_state *s, int64_t first, int64_t n, const int32_t *which, int64_t n_w, bool *overflow)
{
    nep_dense_rows rows = s->pass;
    nep_dense_queries asked;
    uint64_t *allow = NULL;
    float *gate = NULL;
    char *gathered = NULL;
    int32_t *again = NULL;
    int64_t n_again = 0;
    nep_status st;
    *overflow = false;
    s->compared += n * n_w;
    if (s->blind)
        return scan_blind(s, first, n, which, n_w);
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, n_w, sizeof *again, "queries with many hits", &again));
    NEP_TRY_OR_DONE(st, make_allow(s, first, n, &allow));
    rows.allow = allow;
    NEP_TRY_OR_DONE(st, make_asked(s, which, n_w, &gate, &gathered, &asked));
    NEP_TRY_OR_DONE(st, nep_backend_dense_hits(s->ctx, &rows, s->index->life, first, n, &asked, s->cap, s->count, s->hit));
    NEP_TRY_OR_DONE(st, fold_all(s, first, which, n_w, again, &n_again));
    /* as many rows at a time as there is room for: gates rise in between */
    for (int64_t i = 0; n_again > 0 && i < n; i += s->cap) {
        bool more;
        NEP_TRY_OR_DONE(st, nep_dense_scan(s, first + i, n - i < s->cap ? n - i : s->cap, again, n_again, &more));
        NEP_TRY_OR_DONE(st, nep_dense_settle(s, 8 * s->opts->k + 4 * s->cap));
    }
    *overflow = n_again > 0;
done:
    nep_alloc_free(gathered);
    nep_alloc_free(gate);
    nep_alloc_free(allow);
    nep_alloc_free(again);
    return st;
}

/* ---- exact scores ------------------------------------------------------------------------------------------------ */
typedef struct {
    int32_t *query, *row;
    double *sum;
    nep_dense_entry **entry;
    int64_t n, room;
} pairs;

static nep_status flush(nep_dense_search_state *s, pairs *p)
{
    NEP_TRY(nep_ctx_check(s->ctx));
    NEP_TRY(nep_backend_dense_scores(s->ctx, &s->stored, s->stored_life, s->query, s->n_q, s->metric == NEP_DENSE_L2, p->query, p->row, p->n,
                                     p->sum));
    for (int64_t i = 0; i < p->n; i++) {
        nep_dense_entry *e = p->entry[i];
        e->score = nep_dense_score(s->metric, p->sum[i], s->bound[p->query[i]].norm, s->stored.norm[e->position]);
        e->settled = true;
        e->high = s->metric == NEP_DENSE_L2 ? -(e->score * e->score) * (1 - 0x1p-50) : e->score;
    }
    s->candidates += p->n;
    p->n = 0;
    return NEP_OK;
}

/* Room for `most` pairs at a time: no more than are wanted, since zeroing it would take as long as the search of some thousand rows. */
static nep_status make_pairs(nep_ctx *ctx, int64_t most, pairs *p)
{
    p->room = most < PAIRS ? most : PAIRS;
    NEP_TRY(nep_alloc(ctx, p->room, sizeof *p->query, "queries of pairs", &p->query));
    NEP_TRY(nep_alloc(ctx, p->room, sizeof *p->row, "rows of pairs", &p->row));
    NEP_TRY(nep_alloc(ctx, p->room, sizeof *p->sum, "sums of pairs", &p->sum));
    return nep_alloc(ctx, p->room, sizeof *p->entry, "pairs", &p->entry);
}

/* Drops what the threshold leaves out. */
static void drop_under_floor(const nep_dense_search_state *s, nep_dense_list *l)
{
    const double threshold = (double)s->opts->threshold.num / (double)s->opts->threshold.den;
    int64_t kept = 0;
    for (int64_t i = 0; i < l->n; i++)
        if (s->metric == NEP_DENSE_L2 ? l->entry[i].score <= threshold : l->entry[i].score >= threshold)
            l->entry[kept++] = l->entry[i];
    l->n = kept;
}

static bool wants(const nep_dense_list *l, int64_t limit)
{
    return l->unsettled > limit || (limit == 0 && l->n > 0);
}

/* Scores of the first `most` rows of each list that has none for them. */
static nep_status score_lists(nep_dense_search_state *s, pairs *p, int64_t limit, int64_t most)
{
    for (int64_t q = 0; q < s->n_q; q++) {
        nep_dense_list *l = &s->list[q];
        for (int64_t i = 0; wants(l, limit) && i < l->n && i < most; i++) {
            if (l->entry[i].settled)
                continue;
            p->query[p->n] = (int32_t)q;
            p->row[p->n] = (int32_t)l->entry[i].position;
            p->entry[p->n++] = &l->entry[i];
            if (p->n == p->room)
                NEP_TRY(flush(s, p));
        }
    }
    return flush(s, p);
}

/* The k that look best are scored first: their true values are a gate that many of the others do not reach. */
static nep_status score_best(nep_dense_search_state *s, pairs *p, int64_t limit)
{
    const int64_t k = s->opts->k;
#pragma omp parallel for schedule(dynamic, 8) num_threads(nep_ctx_threads(s->ctx)) if (s->n_q > 8)
    for (int64_t q = 0; q < s->n_q; q++)
        if (wants(&s->list[q], limit))
            nep_dense_list_front(&s->list[q], k);
    NEP_TRY(score_lists(s, p, limit, k));
    for (int64_t q = 0; q < s->n_q; q++)
        if (wants(&s->list[q], limit)) {
            const int64_t unsettled = s->list[q].unsettled;
            nep_dense_list_raise(&s->list[q], s->metric, k);
            s->list[q].unsettled = unsettled; /* it is still wanted */
        }
    return NEP_OK;
}

nep_status nep_dense_settle(nep_dense_search_state *s, int64_t limit)
{
    pairs p = {0};
    bool any = false;
    int64_t most = 1;
    nep_status st;
    for (int64_t q = 0; q < s->n_q; q++) {
        any = any || wants(&s->list[q], limit);
        most += wants(&s->list[q], limit) ? s->list[q].unsettled : 0;
    }
    if (!any)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, make_pairs(s->ctx, most, &p));
    if (s->opts->k > 0)
        NEP_TRY_OR_DONE(st, score_best(s, &p, limit));
    NEP_TRY_OR_DONE(st, score_lists(s, &p, limit, INT64_MAX));
#pragma omp parallel for schedule(dynamic, 8) num_threads(nep_ctx_threads(s->ctx)) if (s->n_q > 8)
    for (int64_t q = 0; q < s->n_q; q++) {
        nep_dense_list *l = &s->list[q];
        if (!wants(l, limit))
            continue;
        l->unsettled = 0;
        if (s->opts->by_threshold)
            drop_under_floor(s, l);
        nep_dense_list_order(l, s->index, s->metric, s->opts->k);
    }
done:
    nep_alloc_free(p.entry);
    nep_alloc_free(p.sum);
    nep_alloc_free(p.row);
    nep_alloc_free(p.query);
    return st;
}
