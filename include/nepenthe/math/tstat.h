/* SPDX-License-Identifier: Apache-2.0 */
/* tstat - the t of one regressor from inner products of unit vectors, and the one rule for ties. */
#ifndef NEPENTHE_MATH_TSTAT_H
#define NEPENTHE_MATH_TSTAT_H

#include <math.h>

#include <nepenthe/math/hd.h>

/* t = b sqrt((dof - 1) / (1 - a2 - b^2)) for a response of unit length.
 *
 * b    inner product with the unit regressor
 * a2   sum of squared inner products with the orthonormal nuisance basis
 * dof  observations less the columns of that basis
 *
 * What is left of 1 is held at 1e-15 or more, the rounding of the inner products: a perfect fit gives a large finite
 * t that is the same on every device, never an infinity or the root of a negative number.
 * Source: Winkler et al. (2014) NeuroImage 92:381, doi:10.1016/j.neuroimage.2014.01.060 (Freedman-Lane).
 */
NEP_HD double nep_tstat_partial(double b, double a2, double dof)
{
    double rest = 1.0 - a2 - b * b;
    if (rest < 1e-15)
        rest = 1e-15;
    return b * sqrt((dof - 1.0) / rest);
}

/* F on r and df degrees of freedom: b2 the sum of squared inner products with the r unit regressors; else as above. */
NEP_HD double nep_tstat_f(double b2, double a2, double r, double df)
{
    double rest = 1.0 - a2 - b2;
    if (rest < 1e-15)
        rest = 1e-15;
    return b2 / r * (df / rest);
}

/* What |value| must reach to count as at least as extreme as `observed`: ties within 1e-10 relative count. NaN stays
 * NaN, and a comparison with NaN counts nothing. */
NEP_HD double nep_tstat_bound(double observed)
{
    return fabs(observed) * (1.0 - 1e-10);
}

#endif
