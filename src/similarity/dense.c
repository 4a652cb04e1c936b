/* SPDX-License-Identifier: Apache-2.0 */
/* dense - exact search of dense vectors: batches of queries, tiles of rows that grow as the gates rise, exact scores at the end. */
#include "similarity/dense_parts.h"

#include <limits.h>
#include <string.h>

_Static_assert(NEP_DENSE_F32 == (int)NEP_VECTOR_F32 && NEP_DENSE_F16 == (int)NEP_VECTOR_F16 && NEP_DENSE_BF16 == (int)NEP_VECTOR_BF16 &&
                   NEP_DENSE_I8 == (int)NEP_VECTOR_I8,
               "types of rows are numbered alike");

enum {
    FIRST = 1024,            /* rows of the first tile, at least: all of them are candidates */
    GROWTH = 4,              /* rows that a gate is used for, over those that made it, where there is room for ROOMY k hits; else 2 */
    ROOMY = 64,
    ROOM = 1 << 21,          /* hits held at a time, all queries together, at most */
    EACH = 65536,            /* of one query, at most */
    EACH_BEST = 16384,       /* likewise where only the best are wanted, unless k is large: about GROWTH k pass a gate */
    BATCH = 1024,            /* queries at a time, at most */
    BATCH_BYTES = 512 << 20  /* of the candidates of a batch, about */
};

/* ---- checks ------------------------------------------------------------------------------------------------------ */
static nep_status check_options(nep_ctx *ctx, const nep_index *x, const nep_search_opts *o)
{
    NEP_REQUIRE(ctx, o->metric == NEP_METRIC_COSINE || o->metric == NEP_METRIC_INNER || o->metric == NEP_METRIC_L2, NEP_E_ARG,
                "search: this metric compares bits; dense vectors take cosine, inner and l2");
    NEP_REQUIRE(ctx, o->k >= 0 && o->batch >= 0, NEP_E_ARG, "search: k is %lld and the batch %lld, neither may be negative", (long long)o->k,
                (long long)o->batch);
    NEP_REQUIRE(ctx, o->k > 0 || o->by_threshold, NEP_E_ARG, "search: neither k nor a threshold is given");
    NEP_REQUIRE(ctx, !o->by_threshold || o->threshold.den > 0, NEP_E_ARG, "search: the threshold is no fraction");
    NEP_REQUIRE(ctx, o->first >= 0 && o->last >= 0 && (o->first <= o->last), NEP_E_ARG, "search: rows %lld to %lld are no range",
                (long long)o->first, (long long)o->last);
    NEP_REQUIRE(ctx, o->probe >= 0, NEP_E_ARG, "search: %lld lists to look at, must not be negative", (long long)o->probe);
    NEP_REQUIRE(ctx, o->probe == 0 || x->vectors.n_lists > 0, NEP_E_ARG,
                "search: the index has no lists to look at only some of; leave them out, or build it with lists");
    return NEP_OK;
}

static nep_status check_query(nep_ctx *ctx, const float *query, int64_t n_q, int64_t dims)
{
    for (int64_t i = 0; i < n_q * dims; i++)
        NEP_REQUIRE(ctx, nep_lanes_finite(query[i]), NEP_E_FORMAT, "search: query %lld has a value that is not finite at item %lld",
                    (long long)(i / dims) + 1, (long long)(i % dims) + 1);
    return NEP_OK;
}

static nep_status check(nep_ctx *ctx, const nep_index *x, const float *query, int64_t n_q, const nep_search_opts *o, const nep_hits *hits)
{
    NEP_REQUIRE(ctx, x && o && hits && x->kind == NEP_INDEX_VECTORS, NEP_E_ARG, "search: the index holds no dense vectors");
    NEP_REQUIRE(ctx, query && n_q >= 1, NEP_E_ARG, "search: %lld queries, must be 1 or more", (long long)n_q);
    NEP_REQUIRE(ctx, x->n >= 0 && x->n < INT_MAX, NEP_E_ARG, "search: %lld rows in one index, at most %d; make shards of it", (long long)x->n,
                INT_MAX - 1);
    NEP_REQUIRE(ctx, x->vectors.dims >= 1 && n_q <= INT_MAX && n_q <= INT64_MAX / 8 / x->vectors.dims, NEP_E_ARG,
                "search: %lld queries are too many", (long long)n_q);
    NEP_TRY(check_options(ctx, x, o));
    return check_query(ctx, query, n_q, x->vectors.dims);
}

/* ---- a batch ----------------------------------------------------------------------------------------------------- */
static nep_dense_metric metric_of(nep_metric m)
{
    return m == NEP_METRIC_COSINE ? NEP_DENSE_COSINE : m == NEP_METRIC_L2 ? NEP_DENSE_L2 : NEP_DENSE_INNER;
}

static nep_dense_rows stored_rows(const nep_index *x)
{
    const nep_index_vectors *v = &x->vectors;
    return (nep_dense_rows){.type = (nep_dense_type)v->type, .n = x->n, .dims = v->dims, .stride = v->stride, .row = v->row,
                            .scale = v->scale, .norm = v->norm};
}

static nep_dense_rows shadow_rows(const nep_index *x)
{
    const nep_index_vectors *v = &x->vectors;
    return (nep_dense_rows){.type = NEP_DENSE_I8, .n = x->n, .dims = v->dims, .stride = v->shadow_stride, .row = v->shadow,
                            .scale = v->shadow_scale, .norm = v->norm, .residual = v->shadow_residual};
}

static bool has_shadow(const nep_index *x, const nep_search_opts *o)
{
    return x->vectors.shadow && !o->no_shadow && x->vectors.dims <= NEP_DENSE_INT_MOST;
}

/* The value that a threshold asks for; nothing reaches a negative distance. */
static double floor_of(const nep_search_opts *o)
{
    const double t = o->by_threshold ? (double)o->threshold.num / (double)o->threshold.den : 0;
    if (!o->by_threshold)
        return (double)-INFINITY;
    return o->metric != NEP_METRIC_L2 ? t : t < 0 ? (double)INFINITY : nep_dense_query_value(NEP_DENSE_L2, t);
}

static void batch_free(nep_dense_search_state *s)
{
    for (int64_t q = 0; s->list && q < s->n_q; q++)
        nep_alloc_free(s->list[q].entry);
    nep_alloc_free(s->best);
    nep_alloc_free(s->list);
    nep_alloc_free(s->bound);
    nep_alloc_free(s->held);
    nep_alloc_free(s->hit);
    nep_alloc_free(s->count);
}

/* Whether a device may keep the rows that are scored beside the copy that the first pass reads: that copy comes first, all of it. */
static bool both_fit(const nep_dense_search_state *s)
{
    const nep_dense_rows *a = &s->pass, *b = &s->stored;
    const int64_t about = (int64_t)(sizeof *a->norm + sizeof *a->residual + 2 * sizeof *a->scale);
    const int64_t row = a->stride * nep_dense_size(a->type) + b->stride * nep_dense_size(b->type) + about;
    return row <= nep_backend_keeps(s->ctx, s->index->life) / (s->index->n > 0 ? s->index->n : 1);
}

/* Chooses what the first pass reads and prepares the queries for it; lists are empty afterwards. */
static nep_status begin_pass(nep_dense_search_state *s, bool shadow)
{
    const int64_t dims = s->stored.dims;
    s->pass = shadow ? shadow_rows(s->index) : s->stored;
    s->stored_life = !shadow || both_fit(s) ? s->index->life : NULL;
    s->blind = s->pass.type == NEP_DENSE_I8 && dims > NEP_DENSE_INT_MOST;
    const size_t item = s->pass.type == NEP_DENSE_I8 ? 1 : sizeof(float);
    nep_alloc_free(s->held);
    s->held = NULL;
    NEP_TRY(nep_alloc(s->ctx, s->n_q * s->pass.stride, item, "queries", &s->held));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(s->ctx)) if (s->n_q > 8)
    for (int64_t q = 0; q < s->n_q; q++)
        nep_dense_query_prepare(s->query + q * dims, dims, s->pass.type, s->pass.stride, (char *)s->held + (size_t)(q * s->pass.stride) * item,
                                &s->bound[q]);
    for (int64_t q = 0; q < s->n_q; q++) {
        nep_dense_list *l = &s->list[q];
        l->n = l->unsettled = l->n_best = 0;
        l->gate = s->floor;
    }
    return NEP_OK;
}

static nep_status batch_make(nep_dense_search_state *s)
{
    const int64_t n = s->index->n, k = s->opts->k, few = 2 * (k > FIRST / 2 ? k : FIRST / 2), share = ROOM / s->n_q;
    const int64_t most = k > 0 ? (EACH_BEST > 2 * GROWTH * k ? EACH_BEST : 2 * GROWTH * k) : EACH;
    int64_t cap = most < EACH ? most : EACH;
    cap = share < cap ? share : cap;
    cap = cap > few ? cap : few;
    s->cap = cap < n ? cap : n > 0 ? n : 1;
    s->stored = stored_rows(s->index);
    s->floor = floor_of(s->opts);
    NEP_TRY(nep_alloc(s->ctx, s->n_q, sizeof *s->list, "lists of candidates", &s->list));
    NEP_TRY(nep_alloc(s->ctx, s->n_q, sizeof *s->bound, "bounds of queries", &s->bound));
    NEP_TRY(nep_alloc(s->ctx, s->n_q, sizeof *s->count, "counts of hits", &s->count));
    NEP_TRY(nep_alloc(s->ctx, s->n_q * s->cap, sizeof *s->hit, "hits", &s->hit));
    NEP_TRY(nep_alloc(s->ctx, s->n_q * (k < n ? k : n), sizeof *s->best, "best of queries", &s->best));
    for (int64_t q = 0; q < s->n_q; q++)
        s->list[q].best = s->best + q * (k < n ? k : n);
    return NEP_OK;
}

/* The shadow leaves so much open that the rows themselves are cheaper. */
static bool too_open(const nep_dense_search_state *s, int64_t seen)
{
    int64_t open = 0;
    for (int64_t q = 0; q < s->n_q; q++)
        open += s->list[q].unsettled;
    return open > s->n_q * (8 * s->opts->k + 512) + s->n_q * seen / 16;
}

/* All rows, in tiles that grow with what was seen before: some k rows pass the gates that others made, and threads seldom wait for one
 * another. `open`: stop where the pass leaves too much open. */
static nep_status all_rows(nep_dense_search_state *s, const int32_t *which, bool *open)
{
    const int64_t n = s->index->n, first = s->opts->k > 0 ? (2 * s->opts->k > FIRST ? 2 * s->opts->k : FIRST) : s->cap;
    const int64_t growth = s->cap >= ROOMY * s->opts->k ? GROWTH : 2;
    int64_t tile = first;
    for (int64_t at = 0; at < n;) {
        bool overflow;
        const int64_t here = n - at < tile ? n - at : tile;
        NEP_TRY(nep_ctx_check(s->ctx));
        NEP_TRY(nep_dense_scan(s, at, here, which, s->n_q, &overflow));
        NEP_TRY(nep_dense_settle(s, 8 * s->opts->k + NEP_DENSE_SETTLE));
        at += here;
        if (open && too_open(s, at)) {
            *open = true;
            return NEP_OK;
        }
        tile = overflow ? (tile / 4 > s->cap ? tile / 4 : s->cap) : (growth - 1) * at > tile ? (growth - 1) * at : tile;
    }
    return NEP_OK;
}

static const char *path_of(const nep_dense_search_state *s, bool shadow, bool again)
{
    static const char *const names[][3] = {{"f32", "int8 shadow", "int8 shadow, then f32"},
                                           {"f16", "int8 shadow", "int8 shadow, then f16"},
                                           {"bf16", "int8 shadow", "int8 shadow, then bf16"},
                                           {"int8", "int8", "int8"}};
    return s->blind ? "every row scored" : names[s->stored.type - NEP_DENSE_F32][again ? 2 : shadow];
}

static nep_status run_batch(nep_dense_search_state *s, const char **path)
{
    const bool shadow = has_shadow(s->index, s->opts);
    int32_t *which = NULL;
    bool open = false;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, s->n_q, sizeof *which, "queries", &which));
    for (int64_t q = 0; q < s->n_q; q++)
        which[q] = (int32_t)q;
    NEP_TRY_OR_DONE(st, begin_pass(s, shadow));
    if (s->opts->probe > 0)
        NEP_TRY_OR_DONE(st, nep_dense_lists(s));
    else
        NEP_TRY_OR_DONE(st, all_rows(s, which, shadow ? &open : NULL));
    if (open) {
        NEP_TRY_OR_DONE(st, begin_pass(s, false));
        NEP_TRY_OR_DONE(st, all_rows(s, which, NULL));
    }
    NEP_TRY_OR_DONE(st, nep_dense_settle(s, 0));
    *path = path_of(s, shadow, open);
done:
    nep_alloc_free(which);
    return st;
}

/* ---- all batches ------------------------------------------------------------------------------------------------- */
static nep_status append(const nep_dense_search_state *s, int64_t first, nep_hits *hits, int64_t *room)
{
    const int64_t from = hits->start[first];
    int64_t more = 0;
    for (int64_t q = 0; q < s->n_q; q++)
        more += s->list[q].n;
    if (from + more > *room) {
        *room = from + more > *room + *room / 2 ? from + more : *room + *room / 2;
        NEP_TRY(nep_alloc_grow(s->ctx, *room, sizeof *hits->position, "positions of hits", &hits->position));
        NEP_TRY(nep_alloc_grow(s->ctx, *room, sizeof *hits->number, "numbers of hits", &hits->number));
        NEP_TRY(nep_alloc_grow(s->ctx, *room, sizeof *hits->score, "scores of hits", &hits->score));
    }
    for (int64_t q = 0, at = from; q < s->n_q; q++) {
        const nep_dense_list *l = &s->list[q];
        for (int64_t i = 0; i < l->n; i++, at++) {
            hits->position[at] = l->entry[i].position;
            hits->number[at] = nep_index_number(s->index, l->entry[i].position);
            hits->score[at] = l->entry[i].score;
        }
        hits->start[first + q + 1] = at;
    }
    return NEP_OK;
}

static nep_status one_batch(nep_ctx *ctx, const nep_index *index, const nep_index *centres, const float *query, int64_t first, int64_t n, const nep_search_opts *opts,
                            nep_hits *hits, int64_t *room, nep_search_report *report)
{
    nep_dense_search_state s = {.ctx = ctx, .index = index, .centres = centres, .opts = opts, .metric = metric_of(opts->metric),
                                .query = query + first * index->vectors.dims, .n_q = n};
    nep_status st;
    NEP_TRY_OR_DONE(st, batch_make(&s));
    NEP_TRY_OR_DONE(st, run_batch(&s, &report->path));
    NEP_TRY_OR_DONE(st, append(&s, first, hits, room));
    report->compared += s.compared;
    report->candidates += s.candidates;
done:
    batch_free(&s);
    return st;
}

static int64_t batch_of(const nep_search_opts *o, int64_t n_rows)
{
    const int64_t k = o->k < n_rows ? o->k : n_rows, fit = BATCH_BYTES / (64 * k + 24 * NEP_DENSE_SETTLE);
    return o->batch > 0 ? o->batch : fit < 1 ? 1 : fit < BATCH ? fit : BATCH;
}

nep_status nep_dense_search(nep_ctx *ctx, const nep_index *index, const float *query, int64_t n_q, const nep_search_opts *opts,
                            nep_hits *hits, nep_search_report *report)
{
    nep_hits made = {.n_queries = n_q};
    nep_search_report told = {0};
    nep_index centres = {0};
    nep_search_opts o;
    int64_t room = 0;
    nep_status st;
    NEP_TRY(check(ctx, index, query, n_q, opts, hits));
    o = *opts;
    told.exact = o.probe == 0 || o.probe >= index->vectors.n_lists;
    o.k = o.k < index->n || index->n == 0 ? o.k : index->n;
    const int64_t batch = batch_of(&o, index->n);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_q + 1, sizeof *made.start, "starts of hits", &made.start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 0, sizeof *made.position, "positions of hits", &made.position));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 0, sizeof *made.number, "numbers of hits", &made.number));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 0, sizeof *made.score, "scores of hits", &made.score));
    if (o.probe > 0)
        NEP_TRY_OR_DONE(st, nep_dense_centres(ctx, index, &centres));
    for (int64_t q = 0; q < n_q; q += batch)
        NEP_TRY_OR_DONE(st, one_batch(ctx, index, &centres, query, q, n_q - q < batch ? n_q - q : batch, &o, &made, &room, &told));
    *hits = made;
    made = (nep_hits){0};
    if (report)
        *report = told;
done:
    nep_index_free(&centres);
    nep_hits_free(&made);
    return st;
}
