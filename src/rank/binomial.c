/* SPDX-License-Identifier: Apache-2.0 */
/* binomial.c - tails of the binomial distribution, and two intervals of a proportion. */
#include <nepenthe/model.h>

#include "rank/normal.h"

#include <math.h>

/* log P(X = k). */
static double log_mass(int64_t k, int64_t n, double p)
{
    int sign;
    const double a = (double)k, b = (double)(n - k);
    return lgamma_r((double)n + 1, &sign) - lgamma_r(a + 1, &sign) - lgamma_r(b + 1, &sign) + (a > 0 ? a * log(p) : 0) +
           (b > 0 ? b * log1p(-p) : 0);
}

/* Sum of the masses from k away from the mode, where each is less than the one before. */
static double sum_away(int64_t k, int64_t n, double p, int step)
{
    const double odds = p / (1 - p);
    double ratio = 1, sum = 0;
    for (int64_t i = k; i >= 0 && i <= n && ratio > 1e-18 * sum; i += step) {
        sum += ratio;
        ratio *= step > 0 ? (double)(n - i) / (double)(i + 1) * odds : (double)i / (double)(n - i + 1) / odds;
    }
    return sum * exp(log_mass(k, n, p));
}

double nep_binomial_upper(int64_t k, int64_t n, double p)
{
    if (isnan(p) || k <= 0 || k > n || p <= 0 || p >= 1)
        return isnan(p) ? NAN : k <= 0 ? 1 : k > n || p <= 0 ? 0 : 1;
    return (double)k > (double)(n + 1) * p ? sum_away(k, n, p, 1) : 1 - sum_away(k - 1, n, p, -1);
}

/* p at which P(X >= k) = q; it rises with p. */
static double solve_upper(int64_t k, int64_t n, double q)
{
    double low = 0, high = 1;
    while (high - low > 1e-16 && 0.5 * (low + high) > low && 0.5 * (low + high) < high) {
        const double p = 0.5 * (low + high);
        if (nep_binomial_upper(k, n, p) < q)
            low = p;
        else
            high = p;
    }
    return 0.5 * (low + high);
}

void nep_binomial_interval(int64_t k, int64_t n, double level, double *low, double *high)
{
    const double tail = 0.5 * (1 - level);
    const bool none = n <= 0 || k < 0 || k > n;
    *low = none ? NAN : k == 0 ? 0 : solve_upper(k, n, tail);
    *high = none ? NAN : k == n ? 1 : solve_upper(k + 1, n, 1 - tail);
}

void nep_binomial_wilson(int64_t k, int64_t n, double level, double *low, double *high)
{
    if (n <= 0 || k < 0 || k > n) {
        *low = *high = NAN;
        return;
    }
    const double z = rank_normal_quantile(0.5 * (1 + level)), m = (double)n, p = (double)k / m, s = 1 + z * z / m;
    const double middle = (p + z * z / (2 * m)) / s, half = z / s * sqrt(p * (1 - p) / m + z * z / (4 * m * m));
    *low = k == 0 ? 0 : middle - half;
    *high = k == n ? 1 : middle + half;
}
