/* SPDX-License-Identifier: Apache-2.0 */
/* lanes - a sum whose order is fixed by n alone: item i belongs to lane i % 32, the 32 lanes fold by halves. A vector
 * unit or a warp does the lanes side by side, and each gets the bits that one scalar loop gets. */
#ifndef NEPENTHE_MATH_LANES_H
#define NEPENTHE_MATH_LANES_H

#include <float.h>
#include <stdint.h>

#include <nepenthe/math/hd.h>

enum { NEP_LANES = 32 };

/* Rows longer than this are summed in chunks of it, and the sums of the chunks are added in order. */
enum { NEP_LANES_CHUNK = 8192 };

/* Sum of the lanes: l + (l + 16), then + 8, 4, 2, 1: the order of a warp's shuffles down. Overwrites `lane`. */
NEP_HD double nep_lanes_fold(double *lane)
{
    for (int half = NEP_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

/* Chunks of a row of n. */
NEP_HD int64_t nep_lanes_chunks(int64_t n)
{
    return (n + NEP_LANES_CHUNK - 1) / NEP_LANES_CHUNK;
}

/* 1 when v is neither NaN nor infinite. */
NEP_HD int nep_lanes_finite(float v)
{
    return v >= -FLT_MAX && v <= FLT_MAX;
}

/* Likewise for float64. */
NEP_HD int nep_lanes_finite_double(double v)
{
    return v >= -DBL_MAX && v <= DBL_MAX;
}

#endif
