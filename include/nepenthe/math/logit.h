/* SPDX-License-Identifier: Apache-2.0 */
/* logit - what one row adds to a logistic regression, and how the sums of a group are laid out; one text for host and device. */
#ifndef NEPENTHE_MATH_LOGIT_H
#define NEPENTHE_MATH_LOGIT_H

#include <math.h>

#include <nepenthe/math/packed.h>

enum { NEP_LOGIT_WIDTH = 256 }; /* of a row, at most: a tile of rows must fit the shared memory of a block */

/* Log likelihood y t - log(1 + e^t) of an outcome y in [0, 1] at the logit t; y - p and p (1 - p), p = 1 / (1 + e^-t). */
NEP_HD double nep_logit_row(double t, double y, double *residual, double *curvature)
{
    const double e = exp(-fabs(t)), q = 1 / (1 + e), p = t >= 0 ? q : 1 - q;
    *residual = y - p;
    *curvature = e * q * q;
    return y * t - (t > 0 ? t : 0) - log1p(e);
}

/* Items per group: likelihood, gradient [width], information packed (math/packed.h). */
NEP_HD int64_t nep_logit_size(int64_t width)
{
    return 1 + width + nep_packed_size(width);
}

#endif
