/* SPDX-License-Identifier: Apache-2.0 */
/* sampled - surrogates of matched variogram of very many places: what the places of a grid and those of a surface share. */
#ifndef NEP_BRAINMAP_SAMPLED_H
#define NEP_BRAINMAP_SAMPLED_H

#include <nepenthe/brainmap.h>

#include "variogram.h"

/* SAMPLED_COLS surrogates are made side by side, those of one group from the same sample. */
enum { SAMPLED_SCALES = 4, SAMPLED_COLS = 16 };

/* An offset of a grid, in voxels. */
typedef struct {
    int16_t step[3];
} sampled_offset;

struct nep_sampled {
    int64_t n, neighbours, sample;
    int64_t slots;   /* lines of SAMPLED_COLS values, at least n; those that hold no place stay 0 */
    int32_t *slot;   /* [n] the line of a place */
    int32_t *place;  /* [slots] the place of a line, or -1 */
    int64_t *offset; /* [n_offsets] from line to line, nearest first; equals in the order of places */
    int64_t n_offsets, n_shells;
    int64_t *shell;   /* [n_shells + 1] offsets that are equally far */
    double *mm;       /* [n_shells] how far */
    int32_t *cut;     /* [n, SAMPLED_SCALES] how many offsets lead to the k nearest, those that lead nowhere included */
    int32_t *whole;   /* [n] the same for all neighbours */
    double *norm;     /* [n, SAMPLED_SCALES] what makes the weights' sum 1 */
    double *weight;   /* [n_shells, n_shells] exp(-d / reach): row reach, column d */
    double lag[NEP_VARIOGRAM_LAGS];
    int64_t n_bins; /* shells nearer than the variogram's end */
    double *to_lag; /* [LAGS, n_bins] of one pair, not normalised */
    int32_t *near;  /* [n, neighbours] places off any grid: the nearest of each, nearest first; NULL on a grid */
    float *far;     /* [n, neighbours] mm */
    double *scale;  /* [n, SAMPLED_SCALES] 1 / reach; weight is then a table of exp(-u) */
    uint64_t seed;
};

/* Slots, offsets and shells of a grid's voxels. Errors: NEP_E_ARG (too few voxels, islands, no affine). */
NEP_MUST_USE nep_status nep_voxels_prepare(nep_ctx *ctx, const nep_grid *grid, const bool *mask, nep_sampled *s);
/* Every column of x [slots, COLS] smoothed over each neighbourhood: out [SCALES, n, COLS]. */
void nep_voxels_smooth(nep_ctx *ctx, const nep_sampled *s, const float *x, float *out);
/* Half the squared differences of the pairs of a sample, by shell: squares [n_maps, n_bins, COLS] of maps x [n_maps, n, COLS], and how many
 * pairs [n_bins]. sample [s->sample]. */
NEP_MUST_USE nep_status nep_voxels_squares(nep_ctx *ctx, const nep_sampled *s, const float *x, int64_t n_maps, const int32_t *sample,
                                           double *squares, double *pairs);

/* Lists of the nearest in the same block, and lags. Errors: NEP_E_ARG (all equally far), NEP_E_NOMEM. Cost: n^2. */
NEP_MUST_USE nep_status nep_listed_prepare(nep_ctx *ctx, const double (*place)[3], const int32_t *block, nep_sampled *s);
void nep_listed_smooth(nep_ctx *ctx, const nep_sampled *s, const float *x, float *out);
/* gamma [n_maps, LAGS, COLS] of maps x [n_maps, n, COLS] over the pairs of a sample. */
NEP_MUST_USE nep_status nep_listed_gamma(nep_ctx *ctx, const nep_sampled *s, const float *x, int64_t n_maps, const int32_t *sample,
                                         double *gamma);

/* Places [n] in mm whose nearest are sought in their own block, n_blocks of them. Errors: those of nep_listed_prepare, NEP_E_ARG (a block that
 * holds no more places than neighbours are asked for). */
NEP_MUST_USE nep_status nep_sampled_listed(nep_ctx *ctx, int64_t n, const double (*place)[3], const int32_t *block, const nep_sampled_opts *opts,
                                           nep_sampled **out);

/* A group of surrogates from what chance gave: order [COLS, n] shuffles, noise [COLS, n], sample [s->sample]; z the map of mean 0 and SD 1;
 * out [COLS, n] of mean 0, times sd; fit [COLS] or NULL. scratch of nep_sampled_scratch floats. */
int64_t nep_sampled_scratch(const nep_sampled *s);
NEP_MUST_USE nep_status nep_sampled_blend(nep_ctx *ctx, const nep_sampled *s, const double *z, double sd, const int32_t *order, const float *noise,
                                          const int32_t *sample, float *scratch, float *out, variogram_fit *fit);

#endif
