/* SPDX-License-Identifier: Apache-2.0 */
/* simulate - made-up subjects whose truth is known, for demonstrations and for tests of power and false alarms.
 *
 * What it is not: no model of a brain. A cohort has the structure that matters for the chain (networks, slow fluctuations,
 * motion that differs between groups, noise) and nothing else. Every number comes from Philox(seed, stream, index).
 */
#ifndef NEPENTHE_SIMULATE_H
#define NEPENTHE_SIMULATE_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t n_t;           /* frames */
    double tr_s;           /* repetition time, s */
    uint64_t seed;
    const double *profile; /* [n_regions] planted pattern, mean 0 and SD 1; NULL = none */
    double effect;         /* relative change of slow amplitude in patients per unit of the pattern */
    double spread;         /* SD of the log amplitude of a region between subjects */
    double motion_mm[2];   /* frame-to-frame motion of controls and of patients, mm per axis (SD) */
    double bad_factor;     /* how much more a subject moves that must fail quality control */
} nep_cohort_opts;

#define NEP_COHORT_DEFAULTS                                                                                           \
    {.n_t = 100, .tr_s = 2.0, .spread = 0.12, .motion_mm = {0.010, 0.016}, .bad_factor = 12.0}

/* One subject's run. bold [n_t, voxels] is filled with intensities around 1000 inside the brain, 0 outside; confounds gets
 * fMRIPrep's names (trans_x .. rot_z, framewise_displacement, csf, white_matter), first displacement NaN.
 * Cost: about 20 ns per voxel and frame. Errors: NEP_E_ARG, NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_cohort_subject(nep_ctx *ctx, const nep_atlas *atlas, const nep_cohort_opts *opts, int64_t subject,
                                           bool patient, bool bad, float *bold, nep_series *confounds);

#ifdef __cplusplus
}
#endif
#endif
