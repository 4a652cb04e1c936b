/* SPDX-License-Identifier: Apache-2.0 */
/* features_run.h - one run while it is measured, shared by the files that each do a part of it. */
#ifndef NEP_CLI_FEATURES_RUN_H
#define NEP_CLI_FEATURES_RUN_H

#include "cli/features.h"

/* Everything about one run while it is measured. */
typedef struct {
    features *f;
    nep_ctx *ctx;
    const nep_bids_run *run;
    char bold[4096];
    nep_nifti_header info;  /* its grid is that of what is measured */
    nep_grid file;          /* of the run as it lies there */
    bool moved;             /* the two differ: volumes are resampled as they are read */
    const nep_atlas *atlas; /* on the run's grid */
    nep_volume mask;
    int64_t n;              /* voxels in the mask */
    int32_t *voxel;         /* [n] */
    nep_series confounds;
    double *exact;          /* confounds in float64 */
    bool *steady;
    nep_clean raw, band;    /* without and with the band-pass */
    bool cleans;            /* the operators were built */
    double *alff, *falff, *tsnr; /* [n] per voxel of the mask, NaN where it does not vary */
    double *tsnr_map;       /* [n] as tsnr, of the series that maps are of; NULL = not asked for */
    bool *varies;           /* [n] */
    cli_local local;        /* band-passed voxels as far as reho, lcor, vmhc and gcor need them */
    nep_connectome pairs;   /* band-passed voxels as degree and its like need them */
    cli_connectome_seeds seeds; /* their series add up while tiles pass */
    double dvars_voxels;    /* that DVARS was made of */
    int64_t dvars_lost;     /* that it could not be made of, and why */
    char dvars_error[512];
    nep_atlas packed;       /* the mask's voxels that vary, as a grid of one row */
    double *means;          /* [n_frames, n_regions] */
} features_job;

/* Opens the run and reads what belongs to it (features_inputs.c): n_frames, tr_s, confounds, displacement, mask. */
NEP_MUST_USE nep_status cli_features_inputs(features_job *j, features_result *r);
/* The volumes of a run, one after the other, on the grid that is measured (features_frames.c). */
typedef struct {
    features_job *j;
    bool smooth;
    nep_nifti *image;
    float *own, *masked; /* a volume of the file; one without what lies outside the mask */
} features_frames;
/* Brings the mask onto the grid of --resample-to, which becomes that of the run; without it nothing changes. */
NEP_MUST_USE nep_status cli_features_target(features_job *j);
NEP_MUST_USE nep_status cli_features_frames_open(features_job *j, bool smooth, features_frames *r);
NEP_MUST_USE nep_status cli_features_frames_next(features_frames *r, float *volume);
void cli_features_frames_close(features_frames *r);
/* Series of n voxels of the mask from the first on. */
NEP_MUST_USE nep_status cli_features_frames_tile(features_job *j, int64_t first, int64_t n, bool smooth, nep_series *out);
/* Censors frames and gives the verdict on motion; the rest of the verdict when everything is measured (features_verdict.c). */
void cli_features_judge_motion(features_job *j, features_result *r);
void cli_features_judge_rest(features_result *r);
/* Adds a reason; the verdict becomes fail, or at least warn. */
void cli_features_reason(features_result *r, bool fails, const char *fmt, ...) NEP_PRINTF(3, 4);
/* Every voxel measure, tile by tile (features_voxels.c); whole gets the masked series when one tile held it, else stays empty. */
NEP_MUST_USE nep_status cli_features_voxels(features_job *j, features_result *r, nep_series *whole);
/* Means over voxels and frames, and what does not vary made missing; reorders tsnr. */
void cli_features_finish_quality(features_job *j, features_result *r);
/* Coverage and the packed atlas; then series, connectivity and maps as asked for (features_regions.c). */
NEP_MUST_USE nep_status cli_features_pack(features_job *j, features_result *r);
NEP_MUST_USE nep_status cli_features_regions(features_job *j, const nep_series *whole, features_result *r);
/* Means over regions [n_regions] of what the mask's voxels have (features_regions.c). */
NEP_MUST_USE nep_status cli_features_by_region(features_job *j, const double *voxels, double *out);
/* Correlations with seeds, and every voxel's nearest (features_seeds.c). */
NEP_MUST_USE nep_status cli_features_seeds(features_job *j, features_result *r);
/* The contrasts of the regional means (features_glm.c). */
NEP_MUST_USE nep_status cli_features_glm(features_job *j, features_result *r);

#endif
