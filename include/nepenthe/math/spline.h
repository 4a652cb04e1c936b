/* SPDX-License-Identifier: Apache-2.0 */
/* spline.h - weights and places of an interpolation along one axis, by SciPy's rules. */
#ifndef NEP_MATH_SPLINE_H
#define NEP_MATH_SPLINE_H

#include <math.h>
#include <stdint.h>

#include <nepenthe/math/hd.h>

enum { NEP_SPLINE_MOST = 4 };

/* Reflects an index about the outermost samples (d c b | a b c d | c b a). n >= 1. */
NEP_HD int64_t nep_spline_mirror(int64_t i, int64_t n)
{
    if (n == 1)
        return 0;
    const int64_t period = 2 * n - 2;
    i = i < 0 ? -i : i;
    i %= period;
    return i < n ? i : period - i;
}

/* Reflects an index about the edges of the outermost samples (c b a | a b c d | d c b): what smoothing does. n >= 1. */
NEP_HD int64_t nep_spline_reflect(int64_t i, int64_t n)
{
    const int64_t period = 2 * n;
    i %= period;
    i = i < 0 ? i + period : i;
    return i < n ? i : period - 1 - i;
}

/* Taps of order 0 (nearest), 1 (linear) or 3 (cubic B-spline) at x on an axis of n samples: their number, 0 when x lies beyond
 * the outermost centres. A hair of rounding (1e-6 of a voxel) is not beyond. */
NEP_HD int nep_spline_taps(double x, int64_t n, int order, int64_t at[NEP_SPLINE_MOST], double weight[NEP_SPLINE_MOST])
{
    const double last = (double)(n - 1), slack = 1e-6;
    if (!(x >= -slack && x <= last + slack))
        return 0;
    x = x < 0.0 ? 0.0 : x > last ? last : x;
    if (order == 0) {
        const int64_t i = (int64_t)floor(x + 0.5);
        at[0] = i > n - 1 ? n - 1 : i;
        weight[0] = 1.0;
        return 1;
    }
    const int64_t start = (int64_t)floor(x);
    const double t = x - (double)start, s = 1.0 - t;
    if (order == 1) {
        at[0] = start;
        at[1] = nep_spline_mirror(start + 1, n);
        weight[0] = s;
        weight[1] = t;
        return 2;
    }
    for (int k = 0; k < 4; k++)
        at[k] = nep_spline_mirror(start - 1 + k, n);
    weight[0] = s * s * s / 6.0;
    weight[1] = (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0;
    weight[2] = (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0;
    weight[3] = t * t * t / 6.0;
    return 4;
}

/* How one grid is read from another. m takes a voxel (i, j, k, 1) of the result to a place in the source, i fastest. */
typedef struct {
    int64_t in[3], out[3];
    double m[3][4];
    int order; /* 0, 1 or 3; for 3 the source holds B-spline coefficients */
    float outside;
} nep_spline_plan;

/* Voxel v of the result from one source volume c. */
NEP_HD float nep_spline_value(const nep_spline_plan *p, const float *c, int64_t v)
{
    const int64_t index[3] = {v % p->out[0], v / p->out[0] % p->out[1], v / (p->out[0] * p->out[1])};
    int64_t at[3][NEP_SPLINE_MOST];
    double weight[3][NEP_SPLINE_MOST], sum = 0.0;
    int taps = 0;
    for (int a = 0; a < 3; a++) {
        const double x = p->m[a][0] * (double)index[0] + p->m[a][1] * (double)index[1] + p->m[a][2] * (double)index[2] + p->m[a][3];
        taps = nep_spline_taps(x, p->in[a], p->order, at[a], weight[a]);
        if (taps == 0)
            return p->outside;
    }
    for (int z = 0; z < taps; z++)
        for (int y = 0; y < taps; y++) {
            const float *row = c + (at[2][z] * p->in[1] + at[1][y]) * p->in[0];
            double line = 0.0;
            for (int x = 0; x < taps; x++)
                line += weight[0][x] * (double)row[at[0][x]];
            sum += weight[2][z] * weight[1][y] * line;
        }
    return (float)sum;
}

#endif
