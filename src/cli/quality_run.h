/* SPDX-License-Identifier: Apache-2.0 */
/* quality_run - everything `quality` measures of one run, and its verdict by stated thresholds. */
#ifndef NEP_CLI_QUALITY_RUN_H
#define NEP_CLI_QUALITY_RUN_H

#include "cli/images.h"

/* Beyond warn the verdict is at least `warn`, beyond fail it is `fail`. */
typedef struct {
    double warn, fail;
} cli_quality_bound;

typedef struct {
    double fd_mm;        /* a frame that moved more is an outlier */
    double std_dvars;    /* so is one whose standardised DVARS is larger */
    cli_quality_bound fd_mean_mm, outliers, tsnr, coverage; /* outliers: share of frames; tsnr, coverage: below is worse */
    nep_quality_displacement displacement;
    double radius_mm; /* NaN = the definition's own */
} cli_quality_opts;

#define CLI_QUALITY_DEFAULTS                                                                                          \
    {.fd_mm = 0.5, .std_dvars = 1.5, .fd_mean_mm = {0.25, 0.5}, .outliers = {0.2, 0.5}, .tsnr = {20, 5},              \
     .coverage = {0.8, 0.5}, .displacement = NEP_QUALITY_POWER, .radius_mm = (double)NAN}

typedef enum { CLI_QUALITY_PASS, CLI_QUALITY_WARN, CLI_QUALITY_FAIL } cli_quality_verdict;

typedef struct {
    nep_nifti_header header;
    double tr_s;
    int64_t n_t, voxels, voxels_used; /* of the mask; those that vary */
    bool own_mask;                    /* made here, none was given */
    bool has_motion;
    double *fd, *dvars, *std_dvars, *vx_std_dvars; /* [n_t], NaN in the first frame; fd NaN without motion */
    bool *outlier;                                 /* [n_t] */
    int64_t n_outliers;
    double fd_mean, fd_max, dvars_mean, std_dvars_mean, tsnr_mean, tsnr_median;
    int64_t n_regions; /* 0 without an atlas */
    char **regions;
    double *coverage; /* [n_regions] */
    double coverage_min;
    cli_quality_verdict verdict, by_motion, by_outliers, by_tsnr, by_coverage, by_header;
    const char *header_note[8]; /* what is odd about the header */
    int n_header_notes;
} cli_quality;

/* mask, motion, atlas and labels may be NULL. motion is a TSV with trans_x .. rot_z (mm, rad) or framewise_displacement.
 * tr_s NaN = the header's. Cost: the masked series is held. Errors: those of reading; NEP_E_SHAPE (3D, motion of another
 * length), NEP_E_GRID, NEP_E_FORMAT. */
NEP_MUST_USE nep_status cli_quality_measure(nep_ctx *ctx, const char *image, const char *mask, const char *motion, const char *atlas,
                                            const char *labels, double tr_s, const cli_quality_opts *opts, cli_quality *out);
void cli_quality_free(cli_quality *q);
const char *cli_quality_word(cli_quality_verdict v);
/* The document: numbers, per-frame values when `frames`, verdict with its reasons. New reference. */
json_t *cli_quality_json(const cli_quality *q, const cli_quality_opts *opts, bool frames);

#endif
