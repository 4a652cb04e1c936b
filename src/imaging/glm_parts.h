/* SPDX-License-Identifier: Apache-2.0 */
/* glm_parts - small linear algebra that the parts of the linear model share. */
#ifndef NEP_IMAGING_GLM_PARTS_H
#define NEP_IMAGING_GLM_PARTS_H

#include <nepenthe/glm.h>

static inline double nep_glm_dot(const double *a, const double *b, int64_t n)
{
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

/* Takes x [n] down to its part orthogonal to the orthonormal rows q [k, n]; twice is enough. coef [k] is added to, or NULL.
 * Returns what is left of its length. */
double nep_glm_residual(const double *q, int64_t k, int64_t n, double *x, double *coef);

/* Lower Cholesky factor of a [n, n] in its place. False when it is not positive definite. */
bool nep_glm_cholesky(double *a, int64_t n);
/* L z = x, and L' z = x, in place. */
void nep_glm_forward(const double *l, int64_t n, double *x);
void nep_glm_backward(const double *l, int64_t n, double *x);

#endif
