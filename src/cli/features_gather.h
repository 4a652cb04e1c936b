/* SPDX-License-Identifier: Apache-2.0 */
/* features_gather.h - the outputs of all participants, read and averaged to one row for each. */
#ifndef NEP_CLI_FEATURES_GATHER_H
#define NEP_CLI_FEATURES_GATHER_H

#include "cli/features_others.h"

/* Regional features, in the order of the group tables; strength and coverage among them. */
enum { FEATURES = 16 };
extern const char *const cli_features_regional[FEATURES];
/* Number columns of a run's quality, in the order of the tables. */
enum { FD_MEAN, FD_MAX, N_FRAMES, N_KEPT, N_CENSORED, DVARS, TSNR, COVERAGE, DOF, QUALITIES };
extern const char *const cli_features_qualities[QUALITIES];

typedef struct {
    char *id, *session, *task, *run, *verdict, *confounds, *reasons; /* session, task, run, reasons may be NULL */
    double q[QUALITIES];
    double *x[FEATURES]; /* [n_regions] or NULL: not measured */
    int desc;            /* of what was measured by voxel, place in cli_features_desc; -1 = nothing was */
    const nep_bids_run *source; /* its quality table; lent */
    char *glm;           /* path of the table of its contrasts, which need not be there */
    int64_t person;      /* -1 = it does not count */
} features_gathered_run;

typedef struct {
    features *f;
    nep_ctx *ctx;
    nep_bids_runs found;
    features_gathered_run *runs; /* [n] */
    int64_t n;
    char **regions;
    int desc; /* of what was measured by voxel, place in cli_features_desc; -1 = nothing was */
    int64_t n_regions;
    features_others others;
    /* per participant */
    char **ids, **verdicts;
    double *n_runs, *q[QUALITIES], *x[FEATURES]; /* x [n_people, n_regions] */
    int64_t n_people;
    features_contrast *contrasts;
    int64_t n_contrasts;
} features_gathering;

/* Reads all and averages it. Runs that fail count only where a participant has no other. */
NEP_MUST_USE nep_status cli_features_gather(features_gathering *g, const nep_bids_filter *filter);
void cli_features_gather_free(features_gathering *g);
/* Tangents of the runs that count and have a covariance, one table beside each, and their mean (features_tangent.c). Errors:
 * NEP_E_MISSING (fewer than 2), NEP_E_SHAPE (other regions), NEP_E_SINGULAR. */
NEP_MUST_USE nep_status cli_features_tangent(features_gathering *g);

#endif
