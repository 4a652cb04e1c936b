/* SPDX-License-Identifier: Apache-2.0 */
/* maxmin - picking of rows that lie far apart, with lazy bounds.
 *
 * A row carries its closeness to the nearest of the picks that it was compared with so far: a lower bound of how close it is to all.
 * It is compared with further picks only while that bound leaves it a chance against the farthest row found in this round, so most
 * rows are looked at and left. Rows go in chunks to the threads; which row is the farthest does not hang on who finds it.
 *
 * Closeness: the score of bits (as a fraction), the float64 score of dense vectors, less the distance for l2.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "similarity/pairs.h"

enum { CHUNK = 2048, WARM = 64, MOST_WEIGHT = 1000 };

/* How close a row is to its nearest pick. For bits num / den is exact (of cosine the square) and value its float64: both are below
 * 2^53, so that value is rounded once and never orders two of them the wrong way. */
typedef struct {
    double value;
    uint64_t num, den;
    int64_t position, number; /* -1: none */
} closeness;

typedef struct {
    nep_ctx *ctx;
    const nep_index *index;
    const nep_maxmin_opts *opts;
    nep_order_rule rule;
    bool of_bits;
    double *bound;    /* [n] closeness to the nearest pick compared with, as float64; infinite for picks */
    int32_t *common;  /* [n] bits in common with it */
    int32_t *nearest; /* [n] which pick it is */
    int32_t *seen;    /* [n] picks compared with; -1 = picked itself */
    int64_t warm[WARM]; /* rows found far lately: to begin with one of them leaves less to look at */
    int64_t n_warm;
    nep_picks *out;
} work;

static closeness close_bits(const work *w, int64_t row, int64_t pick, int64_t c)
{
    const int64_t a = w->index->bits.popcount[pick], b = w->index->bits.popcount[row];
    closeness x = {.num = (uint64_t)c, .den = (uint64_t)(a + b - c)};
    if (w->rule.metric == NEP_METRIC_DICE)
        x = (closeness){.num = (uint64_t)(2 * c), .den = (uint64_t)(a + b)};
    else if (w->rule.metric == NEP_METRIC_COSINE)
        x = (closeness){.num = (uint64_t)(c * c), .den = (uint64_t)(a * b)};
    else if (w->rule.metric == NEP_METRIC_TVERSKY)
        x = (closeness){.num = (uint64_t)(c * w->rule.unit), .den = (uint64_t)nep_order_tversky(&w->rule, a, b, c)};
    if (c == 0)
        x = (closeness){.num = 0, .den = 1};
    x.value = (double)x.num / (double)x.den;
    return x;
}

/* Closeness of a row to the nearest pick it was compared with. */
static closeness close_now(const work *w, int64_t row)
{
    closeness x = {.value = w->bound[row]};
    if (w->of_bits && w->seen[row] > 0)
        x = close_bits(w, row, w->out->position[w->nearest[row]], w->common[row]);
    x.position = row;
    x.number = nep_index_number(w->index, row);
    return x;
}

/* Below 0 where x is the farther one, and so the better pick. */
static int compare(const work *w, const closeness *x, const closeness *y)
{
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    if (w->of_bits) {
        const unsigned __int128 l = (unsigned __int128)x->num * y->den, r = (unsigned __int128)y->num * x->den;
        if (l != r)
            return l < r ? -1 : 1;
    }
    return (x->number > y->number) - (x->number < y->number);
}

/* Compares the row with the next pick. */
static void look(work *w, int64_t row)
{
    const int32_t next = w->seen[row]++;
    const int64_t pick = w->out->position[next];
    const int32_t c = nep_pairs_common(w->index, pick, row);
    const closeness x = close_bits(w, row, pick, c);
    bool closer = next == 0 || x.value > w->bound[row];
    if (!closer && x.value == w->bound[row]) { /* as float64; perhaps not as fractions */
        const closeness had = close_bits(w, row, w->out->position[w->nearest[row]], w->common[row]);
        closer = (unsigned __int128)x.num * had.den > (unsigned __int128)had.num * x.den;
    }
    if (closer) {
        w->bound[row] = x.value;
        w->common[row] = c;
        w->nearest[row] = next;
    }
}

/* Compares the row with picks for as long as it may beat the farthest so far; puts it there if it does. */
static bool try_row(work *w, int64_t row, closeness *best)
{
    const int32_t picks = (int32_t)w->out->n;
    while (w->seen[row] >= 0) {
        if (w->bound[row] > best->value)
            return false;
        const closeness x = close_now(w, row);
        if (best->position >= 0 && compare(w, &x, best) >= 0)
            return false;
        if (w->seen[row] == picks) {
            *best = x;
            return true;
        }
        look(w, row);
    }
    return false;
}

/* The row whose nearest pick is farthest. */
static closeness farthest(work *w)
{
    const int64_t n = w->index->n, chunks = (n + CHUNK - 1) / CHUNK;
    const int threads = nep_ctx_threads(w->ctx);
    closeness best = {.value = INFINITY, .position = -1};
    for (int64_t i = 0; i < w->n_warm && i < WARM; i++)
        try_row(w, w->warm[i], &best);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t k = 0; k < chunks; k++) {
        const int64_t end = (k + 1) * CHUNK < n ? (k + 1) * CHUNK : n;
        closeness mine;
        bool found = false;
#pragma omp critical(nep_maxmin_best)
        mine = best;
        for (int64_t row = k * CHUNK; row < end; row++)
            if (w->bound[row] <= mine.value) /* most are not */
                found = try_row(w, row, &mine) || found;
        if (!found)
            continue;
#pragma omp critical(nep_maxmin_best)
        {
            if (best.position < 0 || compare(w, &mine, &best) < 0)
                best = mine;
            w->warm[w->n_warm++ % WARM] = mine.position;
        }
    }
    return best;
}

/* Whether the row is nearer to its nearest pick than the distance at which picking ends. */
static bool too_near(const work *w, const closeness *x)
{
    const nep_decimal t = w->opts->distance;
    if (!w->opts->by_distance)
        return false;
    if (!w->of_bits) {
        const double far = (double)t.num / (double)t.den;
        return w->opts->metric == NEP_METRIC_L2 ? -x->value < far : 1.0 - x->value < far;
    }
    if (t.num > t.den)
        return true; /* 1 - score is never so large */
    unsigned __int128 p = (unsigned __int128)(t.den - t.num), q = (unsigned __int128)t.den; /* score > p / q */
    if (w->rule.metric == NEP_METRIC_COSINE) {
        p *= p;
        q *= q;
    }
    return x->num * q > p * x->den;
}

static double distance_of(const work *w, const closeness *x)
{
    const int64_t row = x->position;
    if (!w->of_bits)
        return w->opts->metric == NEP_METRIC_L2 ? -x->value : 1.0 - x->value;
    const int64_t a = w->index->bits.popcount[w->out->position[w->nearest[row]]], b = w->index->bits.popcount[row];
    return 1.0 - nep_pairs_value(&w->rule, a, b, w->common[row]);
}

static void pick(work *w, int64_t position, int64_t nearest, double distance)
{
    nep_picks *out = w->out;
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
    NEP_REQUIRE(ctx, o->metric != NEP_METRIC_TVERSKY || o->alpha.num <= MOST_WEIGHT * o->alpha.den, NEP_E_ARG,
                "picks: tversky weights may be at most %d", MOST_WEIGHT);
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
    w.of_bits = index->kind == NEP_INDEX_BITS;
    w.rule = nep_order_make(&(nep_search_opts){.metric = opts->metric, .alpha = opts->alpha, .beta = opts->beta});
    nep_progress_open(ctx, "picks", wanted);
    NEP_TRY_OR_DONE(st, open_work(&w, wanted));
    NEP_TRY_OR_DONE(st, pick_first(&w));
    while (made.n < wanted) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        const closeness x = farthest(&w);
        if (too_near(&w, &x))
            break;
        pick(&w, x.position, w.nearest[x.position], distance_of(&w, &x));
        nep_progress_step(ctx, made.n);
    }
    *out = made;
    made = (nep_picks){0};
done:
    nep_progress_close(ctx);
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
