/* SPDX-License-Identifier: Apache-2.0 */
/* permute_tail - small p from a generalised Pareto distribution fitted to the tail of the shuffled statistics. */
#include "imaging/permute_parts.h"
#include "core/order.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one distribution ---- */

typedef struct {
    double start, scale, shape, share; /* the tail holds `share` of the values; shape > 0: it ends at start + scale / shape */
    bool fits;
} tail;

/* P(X > x) for the excess x >= 0. */
static double survival(const tail *t, double x)
{
    if (fabs(t->shape) < DBL_EPSILON)
        return exp(-x / t->scale);
    const double base = 1.0 - t->shape * x / t->scale;
    return base > 0.0 ? pow(base, 1.0 / t->shape) : 0.0;
}

/* Upper 5 % point of Anderson and Darling's statistic when both parameters are estimated: Choulakian & Stephens (2001), table 2;
 * straight between its shapes, the outermost ones beyond them. */
static double critical(double shape)
{
    static const double at[] = {-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5, 0.9};
    static const double value[] = {1.321, 1.221, 1.140, 1.074, 1.020, 0.974, 0.935, 0.903, 0.830, 0.771};
    int i = 0;
    if (shape <= at[0])
        return value[0];
    if (shape >= at[NEP_LEN(at) - 1])
        return value[NEP_LEN(at) - 1];
    while (shape > at[i + 1])
        i++;
    return value[i] + (value[i + 1] - value[i]) * (shape - at[i]) / (at[i + 1] - at[i]);
}

/* Fits what lies beyond the quantile `q` of the sorted values by moments (Hosking & Wallis 1987, doi:10.2307/1269343). */
static tail fit(const double *sorted, int64_t n, double q)
{
    tail t = {0};
    int64_t first = (int64_t)ceil(q * (double)n) - 1;
    while (first > 0 && sorted[first - 1] >= sorted[first]) /* equal values stay together */
        first--;
    const int64_t m = n - first;
    if (first < 1 || m < 4)
        return t;
    t.start = 0.5 * (sorted[first - 1] + sorted[first]);
    t.share = (double)m / (double)n;
    double mean = 0.0, variance = 0.0, a2 = 0.0;
    for (int64_t i = first; i < n; i++)
        mean += (sorted[i] - t.start) / (double)m;
    for (int64_t i = first; i < n; i++)
        variance += (sorted[i] - t.start - mean) * (sorted[i] - t.start - mean) / (double)(m - 1);
    if (!(variance > 0.0) || !(mean > 0.0))
        return t;
    t.scale = mean * (mean * mean / variance + 1.0) / 2.0;
    t.shape = (mean * mean / variance - 1.0) / 2.0;
    for (int64_t i = 0; i < m; i++) { /* survival falls along the sorted values */
        const double above = survival(&t, sorted[first + i] - t.start), below = 1.0 - survival(&t, sorted[n - 1 - i] - t.start);
        a2 -= (double)(2 * (m - i) - 1) * (log(above) + log(below)) / (double)m;
    }
    t.fits = a2 - (double)m <= critical(t.shape); /* a value beyond the end gives infinity */
    return t;
}

static tail fit_any(const double *sorted, int64_t n)
{
    tail t = {0};
    for (int i = 0; i < 24 && !t.fits; i++) /* quantiles 0.751, 0.761, ... 0.981 */
        t = fit(sorted, n, 0.751 + 0.01 * i);
    return t;
}

/* NaN when the value has no place in the tail. */
static double p_of(const tail *t, double value)
{
    const double s = t->fits && value > t->start ? survival(t, value - t->start) : 0.0;
    return s > 0.0 ? t->share * s : (double)NAN;
}

double nep_permute_tail_of(double *null, int64_t n, double value)
{
    qsort(null, (size_t)n, sizeof *null, nep_order_ascending);
    const tail t = fit_any(null, n);
    return p_of(&t, value);
}

nep_status nep_permute_tail(nep_ctx *ctx, const double *null, int64_t n, double value, double *p)
{
    double *own = NULL;
    NEP_TRY(nep_alloc_copy(ctx, null, n, sizeof *own, "permute: tail", &own));
    *p = nep_permute_tail_of(own, n, value);
    nep_alloc_free(own);
    return NEP_OK;
}

nep_status nep_permute_tail_apply(nep_ctx *ctx, const double *null, int64_t n_null, const double *value, int64_t n, bool positive,
                                  double *p, int64_t *fitted, int64_t *refused)
{
    double *sorted = NULL;
    NEP_TRY(nep_alloc_copy(ctx, null, n_null, sizeof *sorted, "permute: tail", &sorted));
    qsort(sorted, (size_t)n_null, sizeof *sorted, nep_order_ascending);
    const tail t = fit_any(sorted, n_null);
    for (int64_t v = 0; v < n; v++) {
        if (!(p[v] < NEP_PERMUTE_TAIL_BELOW))
            continue;
        const double own = p_of(&t, positive ? value[v] : fabs(value[v]));
        *fitted += !isnan(own);
        *refused += isnan(own);
        p[v] = isnan(own) ? p[v] : own;
    }
    nep_alloc_free(sorted);
    return NEP_OK;
}

/* ---- false discoveries ---- */

typedef struct {
    double p;
    int64_t at;
} ranked;

static int by_p(const void *x, const void *y)
{
    const ranked *a = x, *b = y;
    return (a->p > b->p) - (a->p < b->p);
}

nep_status nep_permute_fdr(nep_ctx *ctx, const double *p, int64_t n, bool yekutieli, double *out)
{
    ranked *order = NULL;
    int64_t m = 0;
    double harmonic = 0.0, least = 1.0;
    NEP_TRY(nep_alloc(ctx, n, sizeof *order, "permute: p in order", &order));
    for (int64_t v = 0; v < n; v++)
        if (!isnan(p[v]))
            order[m++] = (ranked){p[v], v};
    for (int64_t i = 1; i <= m; i++)
        harmonic += 1.0 / (double)i;
    qsort(order, (size_t)m, sizeof *order, by_p);
    for (int64_t v = 0; v < n; v++)
        out[v] = isnan(p[v]) ? (double)NAN : 0.0;
    for (int64_t i = m - 1; i >= 0; i--) {
        least = fmin(least, order[i].p * (double)m / (double)(i + 1) * (yekutieli ? harmonic : 1.0));
        out[order[i].at] = least;
    }
    nep_alloc_free(order);
    return NEP_OK;
}

/* ---- quantiles of t and F ---- */

/* Continued fraction of the incomplete beta function (Lentz; DLMF 8.17.22). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m < 10000; m++) {
        const double k = m, even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k)),
                     odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
        for (int half = 0; half < 2; half++) {
            const double term = half ? odd : even;
            d = 1.0 + term * d;
            c = 1.0 + term / c;
            d = 1.0 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            f *= d * c;
        }
        if (fabs(d * c - 1.0) < 1e-15)
            break;
    }
    return f;
}

/* Regularised incomplete beta I_x(a, b). */
static double beta_lower(double a, double b, double x)
{
    if (x <= 0.0 || x >= 1.0)
        return x <= 0.0 ? 0.0 : 1.0;
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1.0) / (a + b + 2.0) ? front * beta_fraction(a, b, x) / a : 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

double nep_permute_quantile(double p, int64_t rows, double df, bool positive)
{
    const double r = rows > 0 ? (double)rows : 1.0, share = rows > 0 || !positive ? p : 2.0 * p;
    double low = 0.0, high = 1.0;
    if (!(p > 0.0) || share >= 1.0)
        return share >= 1.0 ? 0.0 : (double)INFINITY;
    while (beta_lower(df / 2.0, r / 2.0, df / (df + r * high)) > share && high < 1e300) /* P(F > high) */
        high *= 2.0;
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        const double mid = 0.5 * (low + high);
        if (beta_lower(df / 2.0, r / 2.0, df / (df + r * mid)) > share)
            low = mid;
        else
            high = mid;
    }
    return rows > 0 ? high : sqrt(high);
}
