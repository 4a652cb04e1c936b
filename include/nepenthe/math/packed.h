/* SPDX-License-Identifier: Apache-2.0 */
/* packed - r' Q r as one inner product: the p (p + 1) / 2 products r_a r_b, a <= b, against Q_ab + Q_ba (Q_aa once). */
#ifndef NEPENTHE_MATH_PACKED_H
#define NEPENTHE_MATH_PACKED_H

#include <stdint.h>

#include <nepenthe/math/hd.h>

/* Items of a packed p x p form. */
NEP_HD int64_t nep_packed_size(int64_t p)
{
    return p * (p + 1) / 2;
}

/* Where the pair (a, b), a <= b, stands. */
NEP_HD int64_t nep_packed_index(int64_t a, int64_t b, int64_t p)
{
    return a * p - a * (a - 1) / 2 + (b - a);
}

/* out[index(a, b)] = r_a r_b. */
NEP_HD void nep_packed_products(const double *r, int64_t p, double *out)
{
    for (int64_t a = 0; a < p; a++)
        for (int64_t b = a; b < p; b++)
            *out++ = r[a] * r[b];
}

/* out[index(a, b)] = Q_ab + Q_ba, Q_aa on the diagonal; Q need not be symmetric. */
NEP_HD void nep_packed_matrix(const double *q, int64_t p, double *out)
{
    for (int64_t a = 0; a < p; a++)
        for (int64_t b = a; b < p; b++)
            *out++ = a == b ? q[a * p + a] : q[a * p + b] + q[b * p + a];
}

#endif
