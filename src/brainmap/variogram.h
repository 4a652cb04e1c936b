/* SPDX-License-Identifier: Apache-2.0 */
/* variogram - what surrogates of matched variogram share, dense or sampled: lags, kernel, regression, random numbers. */
#ifndef NEP_BRAINMAP_VARIOGRAM_H
#define NEP_BRAINMAP_VARIOGRAM_H

#include <nepenthe/core.h>
#include <nepenthe/math/variogram.h>

enum { NEP_VARIOGRAM_SCALES = 9 };

/* Number j of surrogate b: 2^28 blocks of 128 bits for each. Points 0 .. n - 1 shuffle, n .. 2 n - 1 are the noise, then the sample. */
static inline uint64_t variogram_index(int64_t b, int64_t j)
{
    return ((uint64_t)b << 28) + (uint64_t)j;
}

/* The percentile (0 to 100) of n sorted values, linear between neighbours. */
double nep_variogram_percentile(const double *sorted, int64_t n, double percent);
/* Shuffles 0 .. n-1 for surrogate b. */
void nep_variogram_shuffle(uint64_t seed, uint64_t stream, int64_t b, int64_t n, int32_t *order);

typedef struct {
    int scale;          /* which smoothing */
    double alpha, beta; /* target = alpha + beta * variogram of the smoothed map */
} variogram_fit;
/* The smoothing whose variogram, by least squares, comes nearest to the target; the first of equals. gamma of scale s at lag h stands at
 * gamma[s * step_scale + h * step_lag]. A smoothed map without spread cannot be fitted and is passed over; scale -1 when none is left. */
variogram_fit nep_variogram_match(const double *target, const double *gamma, int n_scales, int64_t step_scale, int64_t step_lag);

/* Gives the surrogate the values of a map, `sorted`, in its own order; all [n], item is scratch. */
typedef struct {
    double value;
    int64_t place;
} variogram_item;
void nep_variogram_take_values(const double *sorted, int64_t n, double *surrogate, variogram_item *item);

/* The map with mean 0 and SD 1. Errors: NEP_E_ARG (a value that is missing, a constant map). */
NEP_MUST_USE nep_status nep_variogram_standard(nep_ctx *ctx, const double *map, int64_t n, double *z, double *sd);

/* ---- dense: every distance (variogram.c) ---- */

typedef struct nep_variogram {
    int64_t n, n_bins, n_moments;
    double lag[NEP_VARIOGRAM_LAGS]; /* mm */
    int32_t *a, *b;                 /* pairs nearer than the 25th percentile, nearest first */
    double *offset;                 /* place of a pair's distance in its bin, -0.5 .. 0.5 */
    int64_t *start;                 /* [n_bins + 1] */
    double *to_lag;                 /* [LAGS, n_bins * n_moments] */
    double *smooth;                 /* [SCALES, n, n] rows of weights that sum to 1 */
} nep_variogram;

/* place [n] in mm; names for sentences. Errors: NEP_E_ARG (fewer than 10 points, all of them equally far apart), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_variogram_create(nep_ctx *ctx, int64_t n, const double (*place)[3], nep_variogram **out);
void nep_variogram_free(nep_variogram *v);
/* The smoothed variogram of each column of m maps: x [n_maps, n, n_cols], gamma [n_maps, LAGS, n_cols]. */
NEP_MUST_USE nep_status nep_variogram_gamma(nep_ctx *ctx, const nep_variogram *v, const float *x, int64_t n_maps, int64_t n_cols,
                                            double *gamma);
/* Surrogates from what chance gave: shuffled [n, n_cols] is the map shuffled, of mean 0 and SD 1; noise [n_cols, n]; out [n_cols, n] in the
 * map's units, `n_cols` a multiple of NEP_VARIOGRAM_COLS; fit [n_cols] or NULL. */
enum { NEP_VARIOGRAM_COLS = 256 };
NEP_MUST_USE nep_status nep_variogram_blend(nep_ctx *ctx, const nep_variogram *v, const double *map, const float *shuffled,
                                            const double *noise, int64_t n_cols, double *out, variogram_fit *fit);
/* Surrogates first .. first + count - 1 of a map. `own_values`: each takes the map's values in its own order. */
NEP_MUST_USE nep_status nep_variogram_draw(nep_ctx *ctx, const nep_variogram *v, const double *map, uint64_t seed, uint64_t stream,
                                           int64_t first, int64_t count, bool own_values, double *out);

#endif
