/* SPDX-License-Identifier: Apache-2.0 */
/* pair - correlations of rows of unit length: what float32 leaves open, the float64 product that settles it, Fisher's z,
 * sums of quanta that do not depend on their order, the order of neighbours. */
#ifndef NEPENTHE_MATH_PAIR_H
#define NEPENTHE_MATH_PAIR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <nepenthe/math/hd.h>

enum { NEP_PAIR_STRANDS = 8 };

/* No float32 sum of n_t products of two unit rows, in whatever order, is off by more: n_t roundings of half an ulp of 1, with
 * room for what rounding to float32 makes of the unit. Higham (2002), doi:10.1137/1.9780898718027, eq. 3.5. */
NEP_HD double nep_pair_margin(int64_t n_t)
{
    return (double)(n_t + 2) * 6.0e-8;
}

/* a . b in float64. A product of two float32 is exact there, so that fusing it with the addition changes no bit. */
NEP_HD double nep_pair_product(const float *a, const float *b, int64_t n_t)
{
    double strand[NEP_PAIR_STRANDS] = {0};
    int64_t t = 0;
    for (; t + NEP_PAIR_STRANDS <= n_t; t += NEP_PAIR_STRANDS)
        for (int s = 0; s < NEP_PAIR_STRANDS; s++)
            strand[s] += (double)a[t + s] * (double)b[t + s];
    for (int s = 0; t < n_t; t++, s++)
        strand[s] += (double)a[t] * (double)b[t];
    for (int half = NEP_PAIR_STRANDS / 2; half > 0; half /= 2)
        for (int s = 0; s < half; s++)
            strand[s] += strand[s + half];
    return strand[0];
}

/* Fisher's z = atanh(scale r) with |scale r| held at 1 - 2^-20 (z = 7.28), in float32 without a branch: below 1/3 the series of atanh, above
 * it with 1 - a = f 2^-e the logarithm of (1 + a) / (1 - a) is e log 2 + 2 atanh(s), s = (1 + a - f) / (1 + a + f), |s| <= 1/3.
 * Off by at most 2e-7 (1 + |z|). */
NEP_HD float nep_pair_fisher(float r, float scale)
{
    const float most = 1.0f - 1.0f / (1 << 20);
    float a = fabsf(r) * scale;
    a = a > most ? most : a;
    const float d = 1.0f - a, up = 1.0f + a;
    uint32_t bits;
    float f;
    memcpy(&bits, &d, sizeof bits);
    const int32_t e = 127 - (int32_t)(bits >> 23);
    bits = (bits & 0x007fffffu) | 0x3f800000u;
    memcpy(&f, &bits, sizeof f);
    const float third = 1.0f / 3.0f, far = (up - f) / (up + f), s = a < third ? a : far, whole = a < third ? 0.0f : (float)e * 0.34657359f;
    const float q = s * s;
    float p = 1.0f / 15;
    p = p * q + 1.0f / 13;
    p = p * q + 1.0f / 11;
    p = p * q + 1.0f / 9;
    p = p * q + 1.0f / 7;
    p = p * q + 1.0f / 5;
    p = p * q + 1.0f / 3;
    p = p * q + 1.0f;
    return copysignf(whole + s * p, r);
}

/* Sums over n rows of terms below 8 are kept in int64 as multiples of 1 / quanta, a power of two chosen by n alone. Integers add
 * up to the same bits in any order, so that tiles may come as they are done. */
NEP_HD double nep_pair_quanta(int64_t n)
{
    double quanta = 1.0;
    for (int64_t room = ((int64_t)1 << 58) / (n < 1 ? 1 : n); room > 1; room /= 2)
        quanta *= 2.0;
    return quanta;
}

/* A sum as a whole number of quanta. */
NEP_HD int64_t nep_pair_round(double sum, double quanta)
{
    return (int64_t)rint(sum * quanta);
}

/* Whether row i with product r comes before row j with product q among the neighbours of a row. */
NEP_HD bool nep_pair_before(double r, int32_t i, double q, int32_t j)
{
    return r > q || (r == q && i < j);
}

/* Puts (r, i) into the list of the k nearest, in order; index -1 = free. */
NEP_HD void nep_pair_insert(double r, int32_t i, int64_t k, int32_t *index, double *value)
{
    int64_t at = k - 1;
    if (index[at] >= 0 && !nep_pair_before(r, i, value[at], index[at]))
        return;
    for (; at > 0 && (index[at - 1] < 0 || nep_pair_before(r, i, value[at - 1], index[at - 1])); at--) {
        index[at] = index[at - 1];
        value[at] = value[at - 1];
    }
    index[at] = i;
    value[at] = r;
}

/* The float32 product from which on a pair may enter the list. */
NEP_HD float nep_pair_gate(int64_t k, const int32_t *index, const double *value, double margin)
{
    return index[k - 1] < 0 ? -INFINITY : nextafterf((float)(value[k - 1] - margin), -INFINITY);
}

#endif
