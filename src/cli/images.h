/* SPDX-License-Identifier: Apache-2.0 */
/* images - what the imaging commands share: atlas and mask on an image's grid, regional series as volumes stream by,
 * masked series in tiles that fit the memory budget. */
#ifndef NEP_CLI_IMAGES_H
#define NEP_CLI_IMAGES_H

#include <nepenthe/imaging.h>
#include <nepenthe/io.h>

#include "cli/cli.h"

/* Reads an atlas (labels may be NULL) and brings it onto `grid`: the same grid, or nearest neighbour when `resample`.
 * Errors: NEP_E_GRID. `image` names the image in the sentence. */
NEP_MUST_USE nep_status cli_images_atlas(nep_ctx *ctx, const char *atlas, const char *labels, const nep_grid *grid, const char *image,
                                         bool resample, nep_atlas *out);
/* Refuses an image on another grid than that of `other`. Errors: NEP_E_GRID. */
NEP_MUST_USE nep_status cli_images_same_grid(nep_ctx *ctx, const char *path, const nep_grid *grid, const char *other, const nep_grid *of);
/* Reads a mask that lies on `grid`. Errors: NEP_E_GRID, NEP_E_FORMAT (no voxel inside). */
NEP_MUST_USE nep_status cli_images_mask(nep_ctx *ctx, const char *path, const nep_grid *grid, const char *image, nep_volume *out);
/* Statistic of every volume that is left in n; out [n_t, n_regions]. Integers are summed as stored while the next volume
 * inflates. */
NEP_MUST_USE nep_status cli_images_parcels(nep_ctx *ctx, nep_nifti *n, nep_parcels *p, double *out);

/* Every volume of an image in turn, t from 0, one in memory. bar: name of its progress, NULL = none. */
typedef nep_status cli_images_step(nep_ctx *ctx, const float *volume, int64_t t, void *user);
NEP_MUST_USE nep_status cli_images_volumes(nep_ctx *ctx, const char *path, const char *bar, cli_images_step *step, void *user);
/* Mean over volumes [voxels]. */
NEP_MUST_USE nep_status cli_images_mean(nep_ctx *ctx, const char *path, const nep_nifti_header *h, float *mean);

/* The voxels of a mask (NULL = all) in tiles of columns: each call of `work` gets the series of n_cols voxels whose places
 * in the volume are voxel[0 .. n_cols). A run that fits the budget is read once. bytes_per_value: what `work` itself needs
 * for each value of the series. */
typedef nep_status cli_images_work(nep_ctx *ctx, const nep_series *tile, const int64_t *voxel, void *user);
NEP_MUST_USE nep_status cli_images_tiles(nep_ctx *ctx, const char *path, const nep_volume *mask, int64_t bytes_per_value,
                                         cli_images_work *work, void *user);

/* .nii or .nii.gz by its name. */
bool cli_images_is_nifti(const char *path);
/* Opens, keeps the header, closes. need_4d: 3D is refused with a sentence. */
NEP_MUST_USE nep_status cli_images_header(nep_ctx *ctx, const char *path, bool need_4d, nep_nifti_header *out);
/* --tr where given, else the header's; NaN when neither says. */
double cli_images_tr(const cli *c, double header_tr_s);

#endif
