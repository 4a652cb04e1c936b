/* SPDX-License-Identifier: Apache-2.0 */
/* special - exp, log and the normal quantile from +, -, *, / alone, so that the bits do not depend on a libm.
 *
 * Accuracy against the exact value: exp and log within 2 ulp, the quantile within 1.2e-9 relative before and 1e-15 after
 * one refinement step. Host and device give the same bits when neither contracts a * b + c.
 */
#ifndef NEPENTHE_MATH_SPECIAL_H
#define NEPENTHE_MATH_SPECIAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <nepenthe/math/hd.h>

/* exp(x): x = k ln 2 + r, |r| <= ln 2 / 2, then the Taylor series of exp(r) to r^13 (remainder < 1e-17). */
NEP_HD double nep_special_exp(double x)
{
    if (!(x <= 709.0))
        return x != x ? x : (double)INFINITY;
    if (x < -708.0)
        return 0.0;
    const double k = floor(x * 1.4426950408889634074 + 0.5);
    const double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    double s = 1.0;
    for (int i = 13; i >= 1; i--)
        s = 1.0 + s * (r / (double)i);
    const uint64_t bits = (uint64_t)((int64_t)k + 1023) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return s * scale;
}

/* log(x) for normal x > 0: x = 2^k m with m in [sqrt(1/2), sqrt(2)), log m = 2 atanh((m - 1) / (m + 1)). */
NEP_HD double nep_special_log(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t k = (int64_t)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        k += 1;
    }
    const double f = (m - 1.0) / (m + 1.0), f2 = f * f;
    double s = 0.0;
    for (int i = 21; i >= 1; i -= 2)
        s = s * f2 + 1.0 / (double)i;
    return (double)k * 6.93147180369123816490e-01 + (2.0 * f * s + (double)k * 1.90821492927058770002e-10);
}

/* Quantile of the standard normal, p in (0, 1): the rational approximations of P. J. Acklam's published algorithm
 * (relative error 1.15e-9), here without the refinement, which is the statistic's business, not a random number's. */
NEP_HD double nep_special_normal_quantile(double p)
{
    const double a0 = -3.969683028665376e+01, a1 = 2.209460984245205e+02, a2 = -2.759285104469687e+02,
                 a3 = 1.383577518672690e+02, a4 = -3.066479806614716e+01, a5 = 2.506628277459239e+00;
    const double b0 = -5.447609879822406e+01, b1 = 1.615858368580409e+02, b2 = -1.556989798598866e+02,
                 b3 = 6.680131188771972e+01, b4 = -1.328068155288572e+01;
    const double c0 = -7.784894002430293e-03, c1 = -3.223964580411365e-01, c2 = -2.400758277161838e+00,
                 c3 = -2.549732539343734e+00, c4 = 4.374664141464968e+00, c5 = 2.938163982698783e+00;
    const double d0 = 7.784695709041462e-03, d1 = 3.224671290700398e-01, d2 = 2.445134137142996e+00,
                 d3 = 3.754408661907416e+00;
    const double low = 0.02425;
    if (p > low && p < 1.0 - low) {
        const double q = p - 0.5, r = q * q;
        return (((((a0 * r + a1) * r + a2) * r + a3) * r + a4) * r + a5) * q /
               (((((b0 * r + b1) * r + b2) * r + b3) * r + b4) * r + 1.0);
    }
    const double tail = p <= low ? p : 1.0 - p;
    const double q = sqrt(-2.0 * nep_special_log(tail));
    const double z = (((((c0 * q + c1) * q + c2) * q + c3) * q + c4) * q + c5) / ((((d0 * q + d1) * q + d2) * q + d3) * q + 1.0);
    return p <= low ? z : -z;
}

#endif
