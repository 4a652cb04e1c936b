/* SPDX-License-Identifier: Apache-2.0 */
/* calibration_detail.c - how far predicted probabilities may be believed: recalibration, curves, and what is lost by miscalibration. */
#include <nepenthe/model.h>

#include "rank/sample.h"

#include <math.h>
#include <stdlib.h>

enum { CURVE_POINTS = 201 };
static const double curve_span = 0.75;

typedef struct {
    double p, y;
} pair;

static int by_p(const void *a, const void *b)
{
    const pair *l = a, *r = b;
    return l->p != r->p ? (l->p < r->p ? -1 : 1) : (l->y > r->y) - (l->y < r->y);
}

static double logistic(double t)
{
    return t >= 0 ? 1 / (1 + exp(-t)) : exp(t) / (1 + exp(t));
}

static bool counts(signed char y)
{
    return y == 0 || y == 1;
}

/* Pairs that count, by p. */
static nep_status sort_pairs(nep_ctx *ctx, const double *p, const signed char *y, int64_t n, pair **out, int64_t *m)
{
    pair *list = NULL;
    for (int64_t i = 0; i < n; i++)
        NEP_REQUIRE(ctx, !counts(y[i]) || (p[i] >= 0 && p[i] <= 1), NEP_E_ARG, "calibration: pair %lld has probability %g", (long long)i, p[i]);
    NEP_TRY(nep_alloc(ctx, n, sizeof *list, "calibration: pairs", &list));
    *m = 0;
    for (int64_t i = 0; i < n; i++)
        if (counts(y[i]))
            list[(*m)++] = (pair){p[i], y[i]};
    qsort(list, (size_t)*m, sizeof *list, by_p);
    *out = list;
    return NEP_OK;
}

nep_status nep_calibration_bins(nep_ctx *ctx, const double *p, const signed char *y, int64_t n, int bins, nep_calibration_bin *out, int *n_out)
{
    pair *list = NULL;
    int64_t m = 0, i = 0;
    int k = 0;
    NEP_REQUIRE(ctx, bins >= 1, NEP_E_ARG, "calibration: %d bins", bins);
    NEP_TRY(sort_pairs(ctx, p, y, n, &list, &m));
    for (int b = 1; b <= bins; b++) {
        nep_calibration_bin bin = {0};
        double sum = 0;
        for (; i < m && (i < m * b / bins || (bin.n && list[i].p == list[i - 1].p)); i++) {
            bin.n++;
            bin.n_pos += list[i].y > 0;
            sum += list[i].p;
        }
        if (bin.n == 0)
            continue;
        bin.predicted = sum / (double)bin.n;
        bin.observed = (double)bin.n_pos / (double)bin.n;
        nep_binomial_wilson(bin.n_pos, bin.n, 0.9, &bin.low, &bin.high);
        out[k++] = bin;
    }
    *n_out = k;
    nep_alloc_free(list);
    return NEP_OK;
}

/* Distance of the q-th nearest of the sorted pairs: the window of q neighbours that reaches least far. */
static double reach(const pair *list, int64_t m, int64_t q, double at)
{
    int64_t low = 0, high = m - q; /* the window starts at the first place from which its far end is nearer than its near one */
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        if (at - list[mid].p > list[mid + q].p - at)
            low = mid + 1;
        else
            high = mid;
    }
    return fmax(at - list[low].p, list[low + q - 1].p - at);
}

static double local_line(const pair *list, int64_t m, int64_t q, double at)
{
    const double h = reach(list, m, q, at);
    double w = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (int64_t i = 0; i < m; i++) {
        const double d = list[i].p - at, far = fabs(d);
        if (far > h || (far == h && h > 0))
            continue;
        const double u = h > 0 ? far / h : 0, v = 1 - u * u * u, k = v * v * v;
        w += k;
        x += k * d;
        y += k * list[i].y;
        xx += k * d * d;
        xy += k * d * list[i].y;
    }
    const double spread = w * xx - x * x;
    if (!(w > 0))
        return NAN;
    const double value = spread > 1e-12 * w * xx ? (xx * y - x * xy) / spread : y / w;
    return fmin(fmax(value, 0), 1);
}

nep_status nep_calibration_loess(nep_ctx *ctx, const double *p, const signed char *y, int64_t n, double span, const double *at, int64_t m,
                                 double *out)
{
    pair *list = NULL;
    int64_t count = 0;
    NEP_REQUIRE(ctx, span > 0 && span <= 1, NEP_E_ARG, "calibration: span %g must lie in (0, 1]", span);
    for (int64_t i = 0; i < m; i++)
        NEP_REQUIRE(ctx, !isnan(at[i]), NEP_E_ARG, "calibration: place %lld of the curve is missing", (long long)i);
    NEP_TRY(sort_pairs(ctx, p, y, n, &list, &count));
    const int64_t q = (int64_t)floor(span * (double)count + 1e-9);
#pragma omp parallel for num_threads(nep_ctx_threads(ctx)) schedule(static)
    for (int64_t i = 0; i < m; i++)
        out[i] = count ? local_line(list, count, q > 1 ? q : 1, at[i]) : NAN;
    nep_alloc_free(list);
    return NEP_OK;
}

/* Maximum likelihood of logit = a + b x; b held at 1 when `large`. NaN when it does not exist (one label, separated). */
static void recalibrate(const double *x, const signed char *y, int64_t n, bool large, double *a, double *b, double *a_se, double *b_se)
{
    double at = 0, slope = 1;
    *a = *b = *a_se = *b_se = NAN;
    for (int step = 0; step < 200; step++) {
        double ga = 0, gb = 0, haa = 0, hab = 0, hbb = 0;
        for (int64_t i = 0; i < n; i++) {
            if (!counts(y[i]))
                continue;
            const double p = logistic(at + slope * x[i]), w = p * (1 - p), e = y[i] - p;
            ga += e;
            gb += e * x[i];
            haa += w;
            hab += w * x[i];
            hbb += w * x[i] * x[i];
        }
        const double det = large ? haa : haa * hbb - hab * hab;
        if (!(det > 1e-12 * haa * (large ? 1 : hbb)))
            return;
        double da = large ? ga / haa : (hbb * ga - hab * gb) / det, db = large ? 0 : (haa * gb - hab * ga) / det;
        const double size = fabs(da) + fabs(db), most = 2; /* a bounded step does not overshoot */
        if (size > most) {
            da *= most / size;
            db *= most / size;
        }
        at += da;
        slope += db;
        if (fabs(at) > 1e3 || fabs(slope) > 1e3) /* separated: it runs away */
            return;
        if (size < 1e-11) {
            *a = at;
            *b = slope;
            *a_se = sqrt((large ? 1 : hbb) / det);
            *b_se = sqrt(haa / det);
            return;
        }
    }
}

/* Mean, quantiles and maximum of |loess - p|: the curve at evenly spaced quantiles of p, straight between them. */
static nep_status distances(nep_ctx *ctx, const double *p, const signed char *y, int64_t n, nep_calibration_detail *out)
{
    pair *list = NULL;
    double at[CURVE_POINTS], curve[CURVE_POINTS], *far = NULL, sum = 0;
    int64_t m = 0;
    int points = 0, k = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, sort_pairs(ctx, p, y, n, &list, &m));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *far, "calibration: distances", &far));
    for (int64_t i = 0; i < CURVE_POINTS && m; i++) {
        const double v = list[i * (m - 1) / (CURVE_POINTS - 1)].p;
        if (points == 0 || v != at[points - 1])
            at[points++] = v;
    }
    NEP_TRY_OR_DONE(st, nep_calibration_loess(ctx, p, y, n, curve_span, at, points, curve));
    for (int64_t i = 0; i < m; i++) {
        while (k + 2 < points && at[k + 1] < list[i].p)
            k++;
        const double value = points < 2 ? curve[0] : curve[k] + (curve[k + 1] - curve[k]) * (list[i].p - at[k]) / (at[k + 1] - at[k]);
        far[i] = fabs(value - list[i].p);
        sum += far[i];
    }
    const int64_t there = rank_sample_sort(far, m);
    out->ici = sum / (double)m;
    out->e50 = rank_sample_quantile(far, there, 0.5);
    out->e90 = rank_sample_quantile(far, there, 0.9);
    out->e_max = rank_sample_quantile(far, there, 1);
done:
    nep_alloc_free(far);
    nep_alloc_free(list);
    return st;
}

/* The decomposition of the Brier score by isotonic recalibration. */
static nep_status decompose(nep_ctx *ctx, const double *p, const signed char *y, int64_t n, nep_calibration_detail *out)
{
    double *x = NULL, *label = NULL, *fitted = NULL, squares = 0;
    int64_t m = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *x, "calibration: isotonic", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *label, "calibration: isotonic", &label));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *fitted, "calibration: isotonic", &fitted));
    for (int64_t i = 0; i < n; i++)
        if (counts(y[i])) {
            x[m] = p[i];
            label[m++] = y[i];
        }
    NEP_TRY_OR_DONE(st, nep_isotonic_fit(ctx, x, label, NULL, m, fitted));
    for (int64_t i = 0; i < m; i++)
        squares += (fitted[i] - label[i]) * (fitted[i] - label[i]);
    out->uncertainty = out->brier_null;
    out->miscalibration = out->brier - squares / (double)m;
    out->discrimination = out->uncertainty - squares / (double)m;
done:
    nep_alloc_free(fitted);
    nep_alloc_free(label);
    nep_alloc_free(x);
    return st;
}

static void scores(const double *logit, const signed char *y, int64_t n, double *p, nep_calibration_detail *out)
{
    double expected = 0, squares = 0, loss = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!counts(y[i]))
            continue;
        const double t = y[i] ? -logit[i] : logit[i];
        p[i] = logistic(logit[i]);
        expected += p[i];
        squares += (p[i] - y[i]) * (p[i] - y[i]);
        loss += fmax(t, 0) + log1p(exp(-fabs(t)));
        out->n++;
        out->n_pos += y[i];
    }
    const double m = (double)out->n, share = (double)out->n_pos / m;
    out->oe = (double)out->n_pos / expected;
    out->brier = squares / m;
    out->log_loss = loss / m;
    out->brier_null = share * (1 - share);
    out->ipa = out->brier_null > 0 ? 1 - out->brier / out->brier_null : NAN;
}

nep_status nep_calibration_detail_measure(nep_ctx *ctx, const double *logit, const signed char *y, int64_t n, nep_calibration_detail *out)
{
    nep_calibration_detail d = {0};
    double *p = NULL, unused;
    int64_t used = 0;
    nep_status st;
    for (int64_t i = 0; i < n; i++) {
        NEP_REQUIRE(ctx, !counts(y[i]) || isfinite(logit[i]), NEP_E_ARG, "calibration: the logit of pair %lld is not finite", (long long)i);
        used += counts(y[i]);
    }
    if (used == 0) {
        *out = (nep_calibration_detail){0, 0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
        return NEP_OK;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *p, "calibration: probabilities", &p));
    scores(logit, y, n, p, &d);
    recalibrate(logit, y, n, true, &d.large, &unused, &d.large_se, &unused);
    recalibrate(logit, y, n, false, &d.intercept, &d.slope, &d.intercept_se, &d.slope_se);
    NEP_TRY_OR_DONE(st, distances(ctx, p, y, n, &d));
    NEP_TRY_OR_DONE(st, decompose(ctx, p, y, n, &d));
    *out = d;
done:
    nep_alloc_free(p);
    return st;
}
