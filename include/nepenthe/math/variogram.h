/* SPDX-License-Identifier: Apache-2.0 */
/* variogram - what one pair of points adds to a variogram, one text for host and device. */
#ifndef NEPENTHE_MATH_VARIOGRAM_H
#define NEPENTHE_MATH_VARIOGRAM_H

#include <nepenthe/math/hd.h>

enum { NEP_VARIOGRAM_MOMENTS = 4 };

/* The squared difference of two float32 values: their difference is rounded once, to float32. */
NEP_HD double nep_variogram_square(float a, float b)
{
    const double d = (double)(a - b);
    return d * d;
}

#endif
