/* SPDX-License-Identifier: Apache-2.0 */
/* glm_parts - small linear algebra that the parts of the linear model share. */
#ifndef NEP_IMAGING_GLM_PARTS_H
#define NEP_IMAGING_GLM_PARTS_H

#include <nepenthe/glm.h>

#include "imaging/ortho.h"

/* Lower Cholesky factor of a [n, n] in its place. False when it is not positive definite. */
bool nep_glm_cholesky(double *a, int64_t n);
/* L z = x, and L' z = x, in place. */
void nep_glm_forward(const double *l, int64_t n, double *x);
void nep_glm_backward(const double *l, int64_t n, double *x);

#endif
