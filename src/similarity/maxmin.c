/* SPDX-License-Identifier: Apache-2.0 */
/* maxmin - picking of rows that lie far apart, with lazy bounds.
 *
 * A row carries its closeness to the nearest of the picks that it was compared with so far: no row is farther from all picks than that.
 * It is compared with further picks only while that bound leaves it a chance against the farthest row found in this round, so most
 * rows are looked at and left. Rows go in chunks to the threads; which row is the farthest does not hang on who finds it.
 *
 * Closeness is a float64 that orders rows as their scores do. Of bits: c / (a + b - c) for tanimoto; c / (a + b) for dice, and for tversky
 * with equal weights, whose score grows with it; c^2 / (a b) for cosine. Numerators and denominators stay below 2^27, so two such
 * fractions differ by more than 2^-53 or not at all, and rounded to float64 they are in order still, equal only where they are.
 * Of dense vectors: the score, or less the distance for l2.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "similarity/pairs.h"

enum { CHUNK = 2048, WARM = 64 };

typedef struct {
    double close; /* to its nearest pick */
    int64_t position, number; /* -1: none */
} candidate;

typedef struct {
    nep_ctx *ctx;
    const nep_index *index;
    const nep_maxmin_opts *opts;
    nep_order_rule rule;
    nep_pairs_counter *count;
    bool of_bits;
    float *query;     /* [picks, dims] of dense vectors: picks decoded, and */
    double *norm;     /* [picks] */
    double *bound;    /* [n] closeness to the nearest pick compared with; infinite for picks */
    int32_t *common;  /* [n] bits in common with it */
    int32_t *nearest; /* [n] which pick it is */
    int32_t *seen;    /* [n] picks compared with; -1 = picked itself */
    int64_t warm[WARM]; /* rows found far lately: to begin with one of them leaves less to look at */
    int64_t n_warm;
    nep_picks *out;
} work;

static double closeness(const nep_order_rule *r, int64_t a, int64_t b, int64_t c)
{
    if (c == 0)
        return 0.0;
    switch (r->metric) {
    case NEP_METRIC_TANIMOTO:
        return (double)c / (double)(a + b - c);
    case NEP_METRIC_COSINE:
        return (double)(c * c) / (double)(a * b);
    case NEP_METRIC_TVERSKY:
        if (r->alpha == 0)
            return 1.0; /* whatever c is */
        /* falls through */
    default:
        return (double)c / (double)(a + b);
    }
}

/* Compares the row with the next pick. */
static void look(work *w, int64_t row)
{
    const int32_t next = w->seen[row]++;
    int32_t c = 0;
    double close;
    if (w->of_bits) {
        const int64_t pick = w->out->position[next], words = w->index->bits.words;
        const uint16_t *bits = w->index->bits.popcount;
        c = w->count(w->index->bits.row + pick * words, w->index->bits.row + row * words, words);
        close = closeness(&w->rule, bits[pick], bits[row], c);
    } else {
        const double score = nep_pairs_dense_score(w->index, w->opts->metric, w->query + next * w->index->vectors.dims, w->norm[next], row);
        close = w->opts->metric == NEP_METRIC_L2 ? -score : score;
    }
    if (close > w->bound[row]) { /* the earliest of equals stays the nearest */
        w->bound[row] = close;
        w->common[row] = c;
        w->nearest[row] = next;
    }
}

/* Whether the row, as far as it was compared, comes before the farthest found. */
static bool may_be(const work *w, int64_t row, const candidate *best)
{
    const double close = w->bound[row];
    return close < best->close || (close == best->close && nep_index_number(w->index, row) < best->number);
}

/* Compares the row with picks for as long as it may be the farthest; puts it there if it is. */
static bool try_row(work *w, int64_t row, candidate *best)
{
    const int32_t picks = (int32_t)w->out->n;
    while (may_be(w, row, best)) {
        if (w->seen[row] == picks) {
            *best = (candidate){w->bound[row], row, nep_index_number(w->index, row)};
            return true;
        }
        look(w, row);
    }
    return false;
}

/* The row whose nearest pick is farthest. */
static candidate farthest(work *w)
{
    const int64_t n = w->index->n, chunks = (n + CHUNK - 1) / CHUNK;
    const int threads = nep_ctx_threads(w->ctx);
    candidate best = {INFINITY, -1, -1};
    for (int64_t i = 0; i < w->n_warm && i < WARM; i++)
        try_row(w, w->warm[i], &best);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t k = 0; k < chunks; k++) {
        const int64_t end = (k + 1) * CHUNK < n ? (k + 1) * CHUNK : n;
        candidate mine;
        bool found = false;
#pragma omp critical(nep_maxmin_best)
        mine = best;
        for (int64_t row = k * CHUNK; row < end; row++)
            if (w->bound[row] <= mine.close) /* most are not */
                found = try_row(w, row, &mine) || found;
        if (!found)
            continue;
#pragma omp critical(nep_maxmin_best)
        {
            if (may_be(w, mine.position, &best)) /* its bound is what it is by now */
                best = mine;
            w->warm[w->n_warm++ % WARM] = mine.position;
        }
    }
    return best;
}

static double distance_of(const work *w, const candidate *x)
{
    if (!w->of_bits)
        return w->opts->metric == NEP_METRIC_L2 ? -x->close : 1.0 - x->close;
    const int64_t row = x->position, a = w->index->bits.popcount[w->out->position[w->nearest[row]]], b = w->index->bits.popcount[row];
    return 1.0 - nep_order_value(&w->rule, a, b, w->common[row]);
}

/* Whether the row is nearer to its nearest pick than the distance at which picking ends: score > 1 - distance, as fractions. */
static bool too_near(const work *w, const candidate *x)
{
    const nep_decimal t = w->opts->distance;
    if (!w->opts->by_distance)
        return false;
    if (!w->of_bits)
        return distance_of(w, x) < (double)t.num / (double)t.den;
    if (t.num > t.den)
        return true; /* 1 - score is never so large */
    const int64_t row = x->position, a = w->index->bits.popcount[w->out->position[w->nearest[row]]], b = w->index->bits.popcount[row];
    return nep_order_against(&w->rule, a, b, w->common[row], t.den - t.num, t.den) > 0;
}

static void pick(work *w, int64_t position, int64_t nearest, double distance)
{
    nep_picks *out = w->out;
    if (!w->of_bits) {
        float *query = w->query + out->n * w->index->vectors.dims;
        nep_index_decode(&w->index->vectors, position, query);
        w->norm[out->n] = nep_pairs_norm(w->index, query);
    }
    out->position[out->n] = position;
    out->nearest[out->n] = nearest;
    out->distance[out->n++] = distance;
    w->seen[position] = -1;
    w->bound[position] = INFINITY;
}

/* ---- what is asked ---- */

static nep_status check(nep_ctx *ctx, const nep_index *index, const nep_maxmin_opts *o)
{
    const nep_search_opts s = {.metric = o->metric, .alpha = o->alpha, .beta = o->beta};
    NEP_TRY(nep_pairs_check_metric(ctx, index, &s, "picks"));
    NEP_TRY(nep_pairs_check_symmetry(ctx, &s, "picks"));
    NEP_REQUIRE(ctx, o->metric != NEP_METRIC_INNER, NEP_E_ARG, "picks: an inner product is no distance; use cosine or l2");
    NEP_REQUIRE(ctx, !o->by_distance || (o->distance.den > 0 && o->distance.num >= 0), NEP_E_ARG, "picks: the distance must not be negative");
    NEP_REQUIRE(ctx, o->n >= 1 && o->n_first >= 0 && (o->n_first == 0 || o->first), NEP_E_ARG, "picks: %lld rows wanted, must be 1 or more",
                (long long)o->n);
    NEP_REQUIRE(ctx, o->n_first <= o->n, NEP_E_ARG, "picks: %lld first rows are given, %lld are wanted", (long long)o->n_first,
                (long long)o->n);
    return NEP_OK;
}

static nep_status pick_first(work *w)
{
    nep_ctx *ctx = w->ctx;
    const int64_t n = w->index->n;
    for (int64_t i = 0; i < w->opts->n_first; i++) {
        const int64_t p = w->opts->first[i];
        NEP_REQUIRE(ctx, p >= 0 && p < n, NEP_E_ARG, "picks: first row %lld is at %lld, the index has %lld", (long long)i + 1, (long long)p,
                    (long long)n);
        NEP_REQUIRE(ctx, w->seen[p] == 0, NEP_E_ARG, "picks: row %lld is given twice", (long long)nep_index_number(w->index, p));
        pick(w, p, -1, (double)NAN);
    }
    if (w->out->n > 0)
        return NEP_OK;
    const int64_t drawn = (int64_t)floor((double)n * nep_philox_uniform(nep_ctx_seed(ctx), 0, 0));
    int64_t p = 0;
    while (p < n - 1 && nep_index_number(w->index, p) != drawn)
        p++;
    pick(w, p, -1, (double)NAN);
    return NEP_OK;
}

static nep_status open_work(work *w, int64_t n_picks)
{
    nep_ctx *ctx = w->ctx;
    const int64_t n = w->index->n;
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->bound, "bounds of rows", &w->bound));
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->common, "bounds of rows", &w->common));
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->nearest, "bounds of rows", &w->nearest));
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->seen, "bounds of rows", &w->seen));
    NEP_TRY(nep_alloc(ctx, w->of_bits ? 0 : n_picks * w->index->vectors.dims, sizeof *w->query, "picks decoded", &w->query));
    NEP_TRY(nep_alloc(ctx, w->of_bits ? 0 : n_picks, sizeof *w->norm, "picks decoded", &w->norm));
    NEP_TRY(nep_alloc(ctx, n_picks, sizeof *w->out->position, "picks", &w->out->position));
    NEP_TRY(nep_alloc(ctx, n_picks, sizeof *w->out->nearest, "picks", &w->out->nearest));
    NEP_TRY(nep_alloc(ctx, n_picks, sizeof *w->out->distance, "picks", &w->out->distance));
    for (int64_t i = 0; i < n; i++)
        w->bound[i] = -INFINITY;
    return NEP_OK;
}

nep_status nep_maxmin_pick(nep_ctx *ctx, const nep_index *index, const nep_maxmin_opts *opts, nep_picks *out)
{
    nep_picks made = {0};
    work w = {.ctx = ctx, .index = index, .opts = opts, .out = &made};
    nep_status st;
    NEP_TRY(nep_pairs_check_set(ctx, index, "picks"));
    NEP_REQUIRE(ctx, opts && out, NEP_E_ARG, "picks: no options or no place for the answer");
    NEP_TRY(check(ctx, index, opts));
    const int64_t wanted = opts->n < index->n ? opts->n : index->n;
    w.count = nep_pairs_count();
    w.of_bits = index->kind == NEP_INDEX_BITS;
    w.rule = nep_order_make(&(nep_search_opts){.metric = opts->metric, .alpha = opts->alpha, .beta = opts->beta});
    nep_progress_open(ctx, "picks", wanted);
    NEP_TRY_OR_DONE(st, open_work(&w, wanted));
    NEP_TRY_OR_DONE(st, pick_first(&w));
    while (made.n < wanted) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        const candidate x = farthest(&w);
        if (too_near(&w, &x))
            break;
        pick(&w, x.position, w.nearest[x.position], distance_of(&w, &x));
        nep_progress_step(ctx, made.n);
    }
    *out = made;
    made = (nep_picks){0};
done:
    nep_progress_close(ctx);
    nep_alloc_free(w.norm);
    nep_alloc_free(w.query);
    nep_alloc_free(w.seen);
    nep_alloc_free(w.nearest);
    nep_alloc_free(w.common);
    nep_alloc_free(w.bound);
    nep_maxmin_free(&made);
    return st;
}

void nep_maxmin_free(nep_picks *p)
{
    nep_alloc_free(p->position);
    nep_alloc_free(p->distance);
    nep_alloc_free(p->nearest);
    *p = (nep_picks){0};
}
