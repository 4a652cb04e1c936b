/* SPDX-License-Identifier: Apache-2.0 */
/* rank - from channels to one order per disorder: fusion, intervals, verdicts, protocols, explanation.
 *
 * What it is not: it measures nothing and writes nothing. `nep_ranking` is what every report format reads; it is
 * gathered once. Intervals are 90 %.
 */
#ifndef NEPENTHE_RANK_H
#define NEPENTHE_RANK_H

#include <nepenthe/evidence.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NEP_VERDICT_SUPPORTED, NEP_VERDICT_WEAK, NEP_VERDICT_INSUFFICIENT, NEP_VERDICT_GATED, NEP_VERDICT_CONTRAINDICATED } nep_verdict;
typedef enum { NEP_IMAGING_ADDS, NEP_IMAGING_NO_SIGNAL, NEP_IMAGING_UNDETERMINED } nep_imaging_verdict;
/* The words used in outputs. */
const char *nep_verdict_name(nep_verdict v);
const char *nep_imaging_verdict_name(nep_imaging_verdict v);

typedef struct {
    double value, low, high; /* NaN when not estimable */
    int64_t n;
} nep_estimate;

typedef struct {
    int64_t drug;
    double score, score_low, score_high;
    double rank_low, rank_high, p_top10;
    double p_recorded; /* probability of being a recorded treatment; NaN when not calibrated */
    nep_verdict verdict;
    int n_channels, n_targets;
    char *flags;          /* `;`-separated words, "" when none */
    double engagement;    /* signed engagement score, NaN = none */
    double engagement_p;  /* two-sided map-null p, NaN = none */
} nep_candidate;

typedef struct {
    int64_t n_pos, n_neg;
    double prevalence;
    nep_estimate ap, auroc, auroc_vs_ns, bedroc20, p_at_20;
    double null_low, null_high, null_p; /* of auroc under map nulls; NaN without imaging */
} nep_performance;

typedef struct {
    nep_estimate delta;    /* gain of AP by imaging over the same model without it */
    double p_map, p_holm;
    double detectable;     /* smallest effect this design would have detected (power 0.8) */
    nep_imaging_verdict verdict;
} nep_increment;

typedef struct {
    char *id, *name;
    bool simulated;
    int direction;
    nep_candidate *candidates; /* [n_drugs] best first; the array index is rank - 1 */
    double *value, *se;        /* [n_drugs, n_channels] by drug index */
    double *contribution;      /* [n_drugs, n_channels] by drug index; VOTE channels sum to the score */
    nep_increment increment;
    double truth_auroc, truth_recall10; /* recovery against a simulated truth; NaN else */
    char *trust;               /* the sentence of the trust box */
} nep_ranking_disorder;

typedef struct {
    char *name;                /* moran, spin, ... */
    double alpha, rate, low, high; /* false-positive rate measured at this parcellation */
    int64_t n_maps;
} nep_null_rate;

typedef struct {
    const char *study_name, *study_path; /* lent */
    const nep_inputs *inputs;
    int n_channels;
    const nep_channel **channels;  /* those used, VOTE first */
    nep_ranking_disorder *disorders;
    int64_t n_disorders;
    double *target_profile;        /* [n_disorders, n_mapped] beta of score B: what the map says per target */
    nep_null_rate *null_rates;
    int n_null_rates;
} nep_ranking;

#ifdef __cplusplus
}
#endif
#endif
