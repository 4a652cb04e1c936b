/* SPDX-License-Identifier: Apache-2.0 */
/* resample - volumes on another grid, and Gaussian smoothing, as SciPy and nilearn do them.
 *
 * What it is not: no file is read (io), nothing is registered: both grids are where their affines say. Volumes are float32,
 * i fastest. NaN is missing. Definitions and differences from peers: src/imaging/README.md.
 */
#ifndef NEPENTHE_RESAMPLE_H
#define NEPENTHE_RESAMPLE_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NEP_RESAMPLE_CONTINUOUS, NEP_RESAMPLE_LINEAR, NEP_RESAMPLE_NEAREST } nep_resample_interpolation;

typedef struct {
    nep_resample_interpolation interpolation; /* continuous: cubic B-spline through every voxel */
    float outside;  /* value beyond the outermost voxel centres; NaN is allowed */
    bool overshoot; /* keep what lies beyond the range of the data and 0; else it is brought to that range */
} nep_resample_opts;

#define NEP_RESAMPLE_DEFAULTS {.interpolation = NEP_RESAMPLE_CONTINUOUS}

/* x [voxels of from] on the grid `to`; out [voxels of to]. opts may be NULL. A missing voxel that touches present ones takes
 * their mean before, twice over; the result is missing where the voxel nearest to it was.
 * Errors: NEP_E_GRID (an affine without inverse), NEP_E_NOMEM, those of the backend. Cost per voxel: 64 multiply-adds.
 * Source: scipy.ndimage.affine_transform (mode constant), nilearn.image.resample_img; Unser (1999) doi:10.1109/79.799930. */
NEP_MUST_USE nep_status nep_resample(nep_ctx *ctx, const nep_grid *from, const float *x, const nep_grid *to,
                                     const nep_resample_opts *opts, float *out);

/* Gaussian of full width fwhm_mm per axis (0 = none), cut at 4 SD, reflected at the edges. Missing voxels have no weight and stay
 * missing; missing_as_zero counts them as 0 and fills them (nilearn). out [voxels] may not be x.
 * Errors: NEP_E_ARG (width). Source: scipy.ndimage.gaussian_filter1d, nilearn.image.smooth_img. */
NEP_MUST_USE nep_status nep_smooth(nep_ctx *ctx, const nep_grid *g, const float *x, const double fwhm_mm[3], bool missing_as_zero,
                                   float *out);

#ifdef __cplusplus
}
#endif
#endif
