/* SPDX-License-Identifier: Apache-2.0 */
/* neighbourhood - the nearest of very many places, by shells of a grid or by lists, for surrogates of matched variogram: what lies where an
 * op works, and the formulas, one text for host and device.
 *
 * Sixteen maps are worked on side by side: a line holds one value of each. */
#ifndef NEPENTHE_MATH_NEIGHBOURHOOD_H
#define NEPENTHE_MATH_NEIGHBOURHOOD_H

#include <math.h>
#include <stdint.h>

#include <nepenthe/math/variogram.h>

enum {
    NEP_NEAR_SCALES = 4, /* neighbourhoods of a place, each within the next */
    NEP_NEAR_COLS = 16,  /* maps in a line */
    NEP_NEAR_STEPS = 4096
};

/* Places of a grid. One list of offsets, nearest first, serves all: offsets that are equally far form a shell. Lines that hold no place
 * hold 0, so a neighbourhood is the first so many offsets. */
typedef struct {
    int64_t n, slots, n_offsets, n_shells;
    int64_t n_bins;        /* the first shells, whose pairs make the variogram */
    const int32_t *slot;   /* [n] the line of a place */
    const int32_t *place;  /* [slots] the place of a line, or -1 */
    const int64_t *offset; /* [n_offsets] from line to line */
    const int64_t *shell;  /* [n_shells + 1] first offset of each */
    const int32_t *cut;    /* [n, SCALES] offsets of a neighbourhood, those that lead nowhere included; at least 1 */
    const int32_t *whole;  /* [n] the same for all neighbours */
    const double *norm;    /* [n, SCALES] what makes the sum of the weights 1 */
    const double *weight;  /* [n_shells, n_shells] of column shell in a neighbourhood that ends in row shell */
} nep_shells;

/* Places with a list of the nearest of each. */
typedef struct {
    int64_t n, neighbours;
    const int32_t *near;            /* [n, neighbours] nearest first */
    const float *far;               /* [n, neighbours] mm */
    const double *norm;             /* [n, SCALES] what makes the sum of the weights 1 */
    const double *scale;            /* [n, SCALES] 1 / the largest distance in a neighbourhood */
    const double *table;            /* [NEP_NEAR_STEPS + 2] exp(-k / NEP_NEAR_STEPS) */
    double lag[NEP_VARIOGRAM_LAGS]; /* mm */
} nep_lists;

/* The shell of offset t. */
NEP_HD int64_t nep_shells_find(const int64_t *shell, int64_t n_shells, int64_t t)
{
    int64_t low = 0, high = n_shells;
    while (high - low > 1) {
        const int64_t mid = (low + high) / 2;
        if (shell[mid] <= t)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* How many of a list are the neighbourhood `scale`: 0.3, 0.5, 0.7, 0.9 of them. */
NEP_HD int64_t nep_near_count(int64_t neighbours, int scale)
{
    return neighbours * (3 + 2 * scale) / 10;
}

/* exp(-u), 0 <= u <= 1, by the straight line between points of the table: within 8e-9. */
NEP_HD double nep_near_weight(const double *table, double u)
{
    const double at = u * NEP_NEAR_STEPS;
    const int64_t k = (int64_t)at;
    return table[k] + (table[k + 1] - table[k]) * (at - (double)k);
}

/* Weight of a pair at `mm` for lag h. */
NEP_HD double nep_near_lag(const double *lag, int h, double mm)
{
    const double u = NEP_VARIOGRAM_KERNEL / (3.0 * (lag[1] - lag[0])) * (mm - lag[h]);
    return exp(-0.5 * u * u);
}

/* Half a squared difference. */
NEP_HD double nep_near_half_square(float a, float b)
{
    const double d = (double)(a - b);
    return 0.5 * d * d;
}

#endif
