/* SPDX-License-Identifier: Apache-2.0 */
/* sampled - surrogates of matched variogram of very many places: what the places of a grid and those of a surface share. */
#ifndef NEP_BRAINMAP_SAMPLED_H
#define NEP_BRAINMAP_SAMPLED_H

#include <nepenthe/backend.h>
#include <nepenthe/brainmap.h>

#include "variogram.h"

/* SAMPLED_COLS surrogates are made side by side, those of one group from the same sample. */
enum { SAMPLED_SCALES = NEP_NEAR_SCALES, SAMPLED_COLS = NEP_NEAR_COLS };

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
    nep_shell_place shells; /* the same where the backend of the context that made it works: on a grid */
    nep_list_place lists;   /* and off it */
};

/* Slots, offsets and shells of a grid's voxels. Errors: NEP_E_ARG (too few voxels, islands, no affine). */
NEP_MUST_USE nep_status nep_voxels_prepare(nep_ctx *ctx, const nep_grid *grid, const bool *mask, nep_sampled *s);
/* Lists of the nearest in the same block, and lags. Errors: NEP_E_ARG (all equally far), NEP_E_NOMEM. Cost: n^2. */
NEP_MUST_USE nep_status nep_listed_prepare(nep_ctx *ctx, const double (*place)[3], const int32_t *block, nep_sampled *s);

/* Places [n] in mm whose nearest are sought in their own block, n_blocks of them. Errors: those of nep_listed_prepare, NEP_E_ARG (a block that
 * holds no more places than neighbours are asked for). */
NEP_MUST_USE nep_status nep_sampled_listed(nep_ctx *ctx, int64_t n, const double (*place)[3], const int32_t *block, const nep_sampled_opts *opts,
                                           nep_sampled **out);

/* What a group is made in, where the backend works; `back` brings smoothed maps to the host and is not needed on one. */
typedef struct {
    nep_buf lines, maps;
    float *value, *back;
} nep_sampled_work;
NEP_MUST_USE nep_status nep_sampled_work_new(nep_ctx *ctx, const nep_sampled *s, nep_sampled_work *w);
void nep_sampled_work_free(nep_sampled_work *w);

/* A group of surrogates from what chance gave: order [COLS, n] shuffles, noise [COLS, n], sample [s->sample]; z the map of mean 0 and SD 1;
 * out [COLS, n] of mean 0, times sd; fit [COLS] or NULL. Smoothing and variograms run on the context's backend, which must be the one that s
 * was made on (NEP_E_ARG). */
NEP_MUST_USE nep_status nep_sampled_blend(nep_ctx *ctx, const nep_sampled *s, const double *z, double sd, const int32_t *order,
                                          const float *noise, const int32_t *sample, nep_sampled_work *w, float *out, variogram_fit *fit);

#endif
