/* SPDX-License-Identifier: Apache-2.0 */
/* variogram - what one pair of points adds to a variogram, one text for host and device. */
#ifndef NEPENTHE_MATH_VARIOGRAM_H
#define NEPENTHE_MATH_VARIOGRAM_H

#include <nepenthe/math/hd.h>

enum { NEP_VARIOGRAM_MOMENTS = 4, NEP_VARIOGRAM_LAGS = 25 };

/* Bandwidth of the Gaussian over lags: exp(-(NEP_VARIOGRAM_KERNEL (d - h) / b)^2 / 2), b three times the spacing of the lags. */
#define NEP_VARIOGRAM_KERNEL 2.68

/* The squared difference of two float32 values: their difference is rounded once, to float32. */
NEP_HD double nep_variogram_square(float a, float b)
{
    const double d = (double)(a - b);
    return d * d;
}

#endif
