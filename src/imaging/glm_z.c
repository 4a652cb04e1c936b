/* SPDX-License-Identifier: Apache-2.0 */
/* glm_z - the normal deviate of a t or an F, through the logarithms of tails, so that no tail is too thin for it.
 *
 * Tails of t and F are incomplete beta functions, by their continued fraction (Press et al. 2007, Numerical Recipes, section
 * 6.4; DLMF 8.17.22), and the normal quantile is one step of Newton from Acklam's. */
#include "imaging/glm_parts.h"

#include <math.h>

#include <nepenthe/math/special.h>

#define LOG_SQRT_2PI 0.91893853320467274178

/* Logarithm of the regularised incomplete beta function at x, and of its complement; y = 1 - x, both given since one of them
 * may be tiny. */
static void log_beta_tails(double a, double b, double x, double y, double *below, double *above)
{
    if (x > (a + 1) / (a + b + 2)) {
        log_beta_tails(b, a, y, x, above, below);
        return;
    }
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < 100000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    *below = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y) + log(h / a);
    *above = log1p(-exp(*below));
}

/* Logarithm of the normal's upper tail, z >= 0. */
static double log_tail(double z)
{
    if (z < 10)
        return log(0.5 * erfc(z * 0.70710678118654752440));
    double f = z; /* z + 1 / (z + 2 / (z + 3 / ...)) */
    for (int k = 60; k >= 1; k--)
        f = z + k / f;
    return -0.5 * z * z - LOG_SQRT_2PI - log(f);
}

/* z >= 0 whose upper tail has this logarithm, at most log(1/2). */
static double deviate(double log_p)
{
    if (log_p == -(double)INFINITY)
        return (double)INFINITY;
    double z = log_p > -700 ? -nep_special_normal_quantile(exp(log_p)) : sqrt(-2 * log_p);
    for (int i = 0; i < 20; i++) {
        const double off = log_tail(z) - log_p;
        const double slope = exp(-0.5 * z * z - LOG_SQRT_2PI - log_tail(z)); /* density over tail */
        const double step = off / (z < 38 ? slope : z + 1 / z);
        z += step;
        if (fabs(step) <= 1e-8 * z + 1e-15) /* the next would be its square */
            break;
    }
    return z;
}

/* From both tails: the thinner one decides. */
static double from_tails(double lower, double upper)
{
    return upper <= lower ? deviate(upper) : -deviate(lower);
}

double nep_glm_z_of_t(double t, double df)
{
    double inner, outer;
    if (isnan(t) || !(df > 0))
        return (double)NAN;
    if (t == 0)
        return 0;
    const double square = t * t;
    if (isinf(square))
        return copysign((double)INFINITY, t);
    log_beta_tails(df / 2, 0.5, df / (df + square), square / (df + square), &outer, &inner);
    return copysign(deviate(outer - 0.69314718055994530942), t);
}

double nep_glm_z_of_f(double f, double df1, double df2)
{
    double upper, lower;
    if (isnan(f) || f < 0 || !(df1 > 0) || !(df2 > 0))
        return (double)NAN;
    if (f == 0 || isinf(f))
        return f == 0 ? -(double)INFINITY : f;
    const double whole = df2 + df1 * f;
    log_beta_tails(df2 / 2, df1 / 2, df2 / whole, df1 * f / whole, &upper, &lower);
    return from_tails(lower, upper);
}
