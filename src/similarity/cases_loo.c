/* SPDX-License-Identifier: Apache-2.0 */
/* cases_loo - each subject against all others, scale and regression fitted on the others, at the cost of one fit.
 *
 * With e the residuals of the whole fit and h = Q Q' its hat matrix, the fit without subject i leaves of subject j
 *   e_j + h_ij / (1 - h_ii) e_i    (j not i),    e_i / (1 - h_ii)    (i itself),
 * and its sum of squares is RSS - e_i^2 / (1 - h_ii). Without confounds h = 1 / n: the mean and scale of the others. */
#include <nepenthe/cases.h>

#include <math.h>
#include <stdlib.h>

#include <nepenthe/math/lanes.h>

#include "core/order.h"
#include "similarity/cases_parts.h"

enum { TILE = 32, FOLDS = 4 }; /* subjects left out between two looks at the clock, and at a time in one thread */
static const double unique = 1e-8, vanished = 1e-10;
static const int64_t pairs_kept = 16 << 20;
static const uint64_t pair_stream = 0x7061697273; /* of the random share of pairs */

typedef struct {
    const nep_cases_data *d;
    nep_cases_metric metric;
    int64_t rank;
    double *q;        /* [rank, n] */
    double *e;        /* [n, p] */
    double *rss;      /* [p] */
    double *weight;   /* [TILE, p] 1 / variance without the subject, 0 = constant there */
    double *distance; /* [TILE, n] */
    double *dot;      /* [TILE, n], for cosines: z_i . z_j and |z_j|^2 */
    double *other;
} work;

static double hat(const work *w, int64_t i, int64_t j)
{
    double h = 0;
    for (int64_t k = 0; k < w->rank; k++)
        h += w->q[k * w->d->n + i] * w->q[k * w->d->n + j];
    return h;
}

/* Residuals, their sums of squares. */
static nep_status fit(nep_ctx *ctx, work *w)
{
    const nep_cases_data *d = w->d;
    nep_cases_model m = {0};
    double *basis = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_cases_fit(ctx, d, NULL, NULL, &m));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (1 + d->n_confounds) * (1 + d->n_confounds), sizeof *basis, "nearest cases: confounds", &basis));
    NEP_TRY_OR_DONE(st, nep_cases_basis(ctx, d, NULL, NULL, w->q, basis, &w->rank));
    for (int64_t f = 0; f < d->p; f++)
        w->rss[f] = m.sd[f] * m.sd[f] * (double)d->n;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t f = 0; f < d->p; f++) {
            double r = (double)d->x[i * d->p + f];
            for (int64_t k = 0; k < w->rank; k++)
                r -= w->q[k * d->n + i] * m.coef[k * d->p + f];
            w->e[i * d->p + f] = r;
        }
done:
    nep_alloc_free(basis);
    nep_cases_model_free(&m);
    return st;
}

static void weights(const work *w, int64_t i, double h, double *out)
{
    const nep_cases_data *d = w->d;
    for (int64_t f = 0; f < d->p; f++) {
        const double e = w->e[i * d->p + f], left = w->rss[f] - e * e / (1 - h);
        out[f] = left > vanished * w->rss[f] ? (double)(d->n - 1) / left : 0;
    }
}

/* sum of weight (a + s b)^2 */
static double squares(const double *a, const double *b, double s, const double *weight, int64_t n)
{
    double lane[NEP_LANES] = {0};
    int64_t f = 0;
    for (; f + NEP_LANES <= n; f += NEP_LANES)
        for (int l = 0; l < NEP_LANES; l++) {
            const double v = a[f + l] + s * b[f + l];
            lane[l] += weight[f + l] * (v * v);
        }
    for (int64_t l = 0; f + l < n; l++) {
        const double v = a[f + l] + s * b[f + l];
        lane[l] += weight[f + l] * (v * v);
    }
    return nep_lanes_fold(lane);
}

/* sum of weight (a + s b) b */
static double products(const double *a, const double *b, double s, const double *weight, int64_t n)
{
    double lane[NEP_LANES] = {0};
    for (int64_t f = 0; f < n; f++)
        lane[f % NEP_LANES] += weight[f] * ((a[f] + s * b[f]) * b[f]);
    return nep_lanes_fold(lane);
}

/* Sums over features of FOLDS subjects against all: chunk by chunk, so that a row's piece serves all of them out of the cache. */
static void sum_folds(const work *w, int64_t first, int64_t slot, int64_t m, const double *h, double *own)
{
    const nep_cases_data *d = w->d;
    for (int64_t from = 0; from < d->p; from += NEP_LANES_CHUNK) {
        const int64_t wide = d->p - from < NEP_LANES_CHUNK ? d->p - from : NEP_LANES_CHUNK;
        for (int64_t t = 0; t < m; t++) {
            const double *b = w->e + (first + t) * d->p + from;
            own[t] += squares(b, b, 1 / (1 - h[t]) - 1, w->weight + (slot + t) * d->p + from, wide); /* |z_i|^2 */
        }
        for (int64_t j = 0; j < d->n; j++)
            for (int64_t t = 0; t < m; t++) {
                const int64_t i = first + t, at = (slot + t) * d->n + j;
                const double *a = w->e + j * d->p + from, *b = w->e + i * d->p + from, *v = w->weight + (slot + t) * d->p + from;
                const double between = hat(w, i, j) / (1 - h[t]);
                if (w->metric == NEP_CASES_EUCLIDEAN) {
                    w->distance[at] += squares(a, b, between - 1 / (1 - h[t]), v, wide);
                } else {
                    w->dot[at] += products(a, b, between, v, wide) / (1 - h[t]);
                    w->other[at] += squares(a, b, between, v, wide);
                }
            }
    }
}

static void one_batch(const work *w, int64_t first, int64_t slot, int64_t m)
{
    const nep_cases_data *d = w->d;
    double h[FOLDS], own[FOLDS] = {0};
    for (int64_t t = 0; t < m; t++) {
        h[t] = hat(w, first + t, first + t);
        weights(w, first + t, h[t], w->weight + (slot + t) * d->p);
        for (int64_t j = 0; j < d->n; j++)
            w->distance[(slot + t) * d->n + j] = w->dot[(slot + t) * d->n + j] = w->other[(slot + t) * d->n + j] = 0;
    }
    sum_folds(w, first, slot, m, h, own);
    for (int64_t t = 0; t < m; t++)
        for (int64_t j = 0; j < d->n; j++) {
            const int64_t at = (slot + t) * d->n + j;
            w->distance[at] = j == first + t                   ? (double)NAN
                              : w->metric == NEP_CASES_COSINE ? nep_cases_cosine(w->dot[at], own[t], w->other[at])
                                                              : sqrt(w->distance[at]);
        }
}

static nep_status check(nep_ctx *ctx, const work *w, int64_t k)
{
    const nep_cases_data *d = w->d;
    NEP_REQUIRE(ctx, k >= 1 && d->p >= 1 && d->n >= 3 + d->n_confounds, NEP_E_ARG,
                "nearest cases: leaving one out needs k, a feature and at least %lld subjects for %lld confounds, and there are %lld",
                (long long)(3 + d->n_confounds), (long long)d->n_confounds, (long long)d->n);
    return NEP_OK;
}

static nep_status check_hats(nep_ctx *ctx, const work *w)
{
    for (int64_t i = 0; i < w->d->n; i++)
        NEP_REQUIRE(ctx, 1 - hat(w, i, i) > unique, NEP_E_SINGULAR,
                    "nearest cases: the confounds tell subject %s%.100s%s%lld from all others, as the only one of a site would be; leave the "
                    "subject or that confound out",
                    w->d->ids ? "'" : "", w->d->ids ? w->d->ids[i] : "", w->d->ids ? "' in row " : "in row ", (long long)i + 1);
    return NEP_OK;
}

/* Keeps all pairs of one subject, or those that a coin of that probability picks. */
static void keep_pairs(const work *w, nep_ctx *ctx, int64_t i, int64_t slot, double share, int64_t room, nep_cases_spread *spread)
{
    for (int64_t j = 0; j < w->d->n && spread->n < room; j++)
        if (j != i && (share >= 1 || nep_philox_uniform(nep_ctx_seed(ctx), pair_stream + (uint64_t)i, (uint64_t)j) < share))
            spread->distance[spread->n++] = w->distance[slot * w->d->n + j];
}

static nep_status open_work(nep_ctx *ctx, work *w)
{
    const int64_t n = w->d->n, p = w->d->p;
    NEP_TRY(nep_alloc(ctx, (1 + w->d->n_confounds) * n, sizeof *w->q, "nearest cases: confounds", &w->q));
    NEP_TRY(nep_alloc(ctx, n * p, sizeof *w->e, "nearest cases: residuals", &w->e));
    NEP_TRY(nep_alloc(ctx, p, sizeof *w->rss, "nearest cases: sums of squares", &w->rss));
    NEP_TRY(nep_alloc(ctx, TILE * p, sizeof *w->weight, "nearest cases: scales", &w->weight));
    NEP_TRY(nep_alloc(ctx, TILE * n, sizeof *w->distance, "nearest cases: distances", &w->distance));
    NEP_TRY(nep_alloc(ctx, TILE * n, sizeof *w->dot, "nearest cases: distances", &w->dot));
    return nep_alloc(ctx, TILE * n, sizeof *w->other, "nearest cases: distances", &w->other);
}

static void close_work(work *w)
{
    nep_alloc_free(w->q);
    nep_alloc_free(w->e);
    nep_alloc_free(w->rss);
    nep_alloc_free(w->weight);
    nep_alloc_free(w->distance);
    nep_alloc_free(w->dot);
    nep_alloc_free(w->other);
}

nep_status nep_cases_leave_one_out(nep_ctx *ctx, const nep_cases_data *d, nep_cases_metric metric, int64_t k, int64_t most_pairs,
                                   nep_cases_near *near, nep_cases_spread *spread)
{
    work w = {.d = d, .metric = metric};
    nep_cases_near found = {.n = d->n};
    nep_cases_spread pairs = {0};
    const int64_t n = d->n, all = n * (n - 1), most = most_pairs > 0 ? most_pairs : pairs_kept;
    const double share = all > most ? 0.99 * (double)most / (double)all : 1;
    int64_t room = 0;
    nep_status st;
    NEP_TRY(check(ctx, &w, k));
    NEP_TRY_OR_DONE(st, open_work(ctx, &w));
    NEP_TRY_OR_DONE(st, fit(ctx, &w));
    NEP_TRY_OR_DONE(st, check_hats(ctx, &w));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n + 1, sizeof *found.start, "nearest cases: neighbours", &found.start));
    if (spread)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, all < most ? all : most, sizeof *pairs.distance, "nearest cases: pairs", &pairs.distance));
    nep_progress_open(ctx, "nearest cases, one left out", n);
    for (int64_t tile = 0; tile < n; tile += TILE) {
        const int64_t m = n - tile < TILE ? n - tile : TILE;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(dynamic) num_threads(nep_ctx_threads(ctx))
        for (int64_t slot = 0; slot < m; slot += FOLDS)
            one_batch(&w, tile + slot, slot, m - slot < FOLDS ? m - slot : FOLDS);
        for (int64_t slot = 0; slot < m; slot++) {
            NEP_TRY_OR_DONE(st, nep_cases_take(ctx, w.distance + slot * n, n, k, tile + slot, &room, &found));
            if (spread)
                keep_pairs(&w, ctx, tile + slot, slot, share, all < most ? all : most, &pairs);
        }
        nep_progress_step(ctx, tile + m);
    }
    nep_progress_close(ctx);
    if (pairs.n > 0)
        qsort(pairs.distance, (size_t)pairs.n, sizeof *pairs.distance, nep_order_ascending);
    *near = found;
    if (spread)
        *spread = pairs;
    found = (nep_cases_near){0};
    pairs = (nep_cases_spread){0};
done:
    close_work(&w);
    nep_cases_near_free(&found);
    nep_cases_spread_free(&pairs);
    return st;
}
