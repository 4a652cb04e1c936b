/* SPDX-License-Identifier: Apache-2.0 */
/* normal.h - quantiles of the normal, cut or whole, and of Student's t distribution. */
#ifndef NEP_RANK_NORMAL_H
#define NEP_RANK_NORMAL_H

#include <math.h>

/* Phi^-1(p), 0 < p < 1: a rational start and two Newton steps on erfc, full double precision.
 * Source of the start: Acklam's rational approximation, relative error 1.15e-9. */
static inline double rank_normal_quantile(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                               1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                               6.680131188771972e+01, -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                               -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00};
    const double low = 0.02425, tail = p < 0.5 ? p : 1 - p;
    double x;
    if (tail < low) {
        const double q = sqrt(-2 * log(tail));
        x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
            ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    } else {
        const double q = tail - 0.5, r = q * q;
        x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
            (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
    }
    for (int step = 0; step < 2; step++) {
        const double error = 0.5 * erfc(-x / 1.4142135623730951) - tail;
        x -= error * 2.5066282746310002 * exp(0.5 * x * x);
    }
    return p < 0.5 ? x : -x;
}

/* log Phi(z). */
static inline double rank_normal_log_cdf(double z)
{
    if (z > -30)
        return log(0.5 * erfc(-z / 1.4142135623730951));
    return -0.5 * z * z - log(-z) - 0.91893853320467274 + log1p((3 / (z * z) - 1) / (z * z)); /* errs by less than 15 / z^6 */
}

/* Point that N(mean, sd^2) cut to >= 0 exceeds with chance q, by bisection of the log survival. */
static inline double rank_normal_cut_point(double mean, double sd, double q)
{
    const double want = log(q) + rank_normal_log_cdf(mean / sd);
    double low = 0, high = fmax(mean, 0) + 10 * sd;
    for (int i = 0; i < 200 && high - low > 1e-14 * high; i++) {
        const double t = 0.5 * (low + high);
        if (rank_normal_log_cdf((mean - t) / sd) > want)
            low = t;
        else
            high = t;
    }
    return 0.5 * (low + high);
}

/* Upper 5 % point of Student's t with n >= 1 degrees of freedom, by bisection of the integral of the density. */
static inline double rank_t95(int n)
{
    double low = 1.6, high = 7.0;
    for (int step = 0; step < 60; step++) {
        const double t = 0.5 * (low + high), nu = n;
        double area = 0; /* of 0 .. t by Simpson */
        enum { PARTS = 400 };
        for (int i = 0; i <= PARTS; i++) {
            const double x = t * i / PARTS, f = pow(1 + x * x / nu, -(nu + 1) / 2);
            area += f * (i == 0 || i == PARTS ? 1 : i % 2 ? 4 : 2);
        }
        area *= t / PARTS / 3 * exp(lgamma((nu + 1) / 2) - lgamma(nu / 2)) / sqrt(nu * 3.14159265358979324);
        if (area < 0.45)
            low = t;
        else
            high = t;
    }
    return 0.5 * (low + high);
}

#endif
