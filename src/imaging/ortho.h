/* SPDX-License-Identifier: Apache-2.0 */
/* ortho - inner products and orthogonal parts of small vectors, in a fixed order: what designs are made of. */
#ifndef NEP_IMAGING_ORTHO_H
#define NEP_IMAGING_ORTHO_H

#include <stdint.h>

static inline double nep_ortho_dot(const double *a, const double *b, int64_t n)
{
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

/* Takes x [n] down to its part orthogonal to the orthonormal rows q [k, n]; twice is enough. coef [k] is added to, or NULL.
 * Returns what is left of its length. */
double nep_ortho_residual(const double *q, int64_t k, int64_t n, double *x, double *coef);

#endif
