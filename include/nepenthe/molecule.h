/* SPDX-License-Identifier: Apache-2.0 */
/* molecule - what is known of a compound by itself: its affinities, made one per target, and its CNS exposure rules.
 *
 * What it is not: no brain maps, no labels, no files. Affinities are -log10 of a molar concentration; missing is NaN,
 * never zero.
 */
#ifndef NEPENTHE_MOLECULE_H
#define NEPENTHE_MOLECULE_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One measurement, as a row of the affinity table gives it. Texts are lent. */
typedef struct {
    int64_t drug, target; /* indices, >= 0 */
    double p_affinity;    /* NaN when the row tells an action only */
    const char *relation; /* of the concentration: "=", "~", ">" (weaker than), "<" (stronger than); NULL reads "=" */
    const char *type;     /* Ki, Kd, IC50, EC50, ...; NULL = unknown */
    const char *species;  /* "Homo sapiens" or "human"; anything else is non-human; NULL = unknown, non-human */
    const char *action;   /* ANTAGONIST, ...; `;`-separated; NULL = unknown */
    const char *source, *licence;
} nep_affinity_row;

/* The one affinity used for a drug-target pair. */
typedef struct {
    int64_t drug, target; /* indices */
    double p_affinity;    /* -log10 M, NaN when only the action is known */
    double p_se;          /* of p_affinity, log10 units */
    int action;           /* +1 agonist-like, -1 antagonist-like, 0 unknown; partial agonists +1 with `partial` */
    bool partial, censored; /* censored: relation was > or <; kept apart, never used as equality */
    int n_measurements;
    char *type, *species, *source, *licence; /* of the rows used, `;`-joined */
} nep_affinity;

/* A standard error is never below this, in log10 units: replicates of one laboratory share its bias. */
#define NEP_AFFINITY_SE_FLOOR 0.3
/* Spread of one measurement: 0.54 for Ki and Kd (Kramer 2012, doi:10.1021/jm300131x), a quarter more for IC50 and
 * EC50 (Kalliokoski 2013, doi:10.1371/journal.pone.0061007). */
#define NEP_AFFINITY_SD_KI   0.54
#define NEP_AFFINITY_SD_IC50 0.675

/* One consensus per drug-target pair: the median of the best tier that has an exact value. Tiers: human Ki, Kd, IC50,
 * EC50, other type; then the same order for non-human rows.
 *
 * rows  [n]  in any order; out gets [*n_out] sorted by drug, then target
 *
 * The standard error is s / sqrt(k) for k values of the tier (times sqrt(pi / 2) for k >= 3, a median's efficiency),
 * s^2 the spread of the values pooled with three degrees of freedom of the literature spread above, and at least the
 * floor. Censored rows count only when a pair has no exact value: the tightest bound is kept and `censored` set.
 * The action is the sign all signed rows of the pair agree on, else 0. Cost: n log n.
 * Errors: NEP_E_ARG (negative index, p_affinity outside -3..15), NEP_E_NOMEM. Free with nep_affinity_free.
 */
NEP_MUST_USE nep_status nep_affinity_consensus(nep_ctx *ctx, const nep_affinity_row *rows, int64_t n, nep_affinity **out,
                                               int64_t *n_out);
void nep_affinity_free(nep_affinity *list, int64_t n);

/* What an action word means for a receptor: +1, -1 or 0 (unknown word, or one that says nothing of direction).
 * `partial` is set for partial agonists and may be NULL. Case does not matter. */
int nep_affinity_action(const char *word, bool *partial);

/* What the CNS rules were computed from. NaN = not given. */
typedef struct {
    double clogp, clogd, mw, tpsa, hbd, pka;
} nep_exposure_input;

/* CNS multiparameter optimisation, 0 to 6: six desirabilities of 0 to 1, linear between ClogP 3 to 5, ClogD7.4 2 to 4,
 * MW 360 to 500, HBD 0.5 to 3.5 and most basic pKa 8 to 10 (all falling), TPSA rising 20 to 40 and falling 90 to 120.
 * Without pKa or ClogD the mean of the others is rescaled to 6; `n_used` (may be NULL) says how many entered, and fewer
 * than 4 give NaN.
 * Source: Wager et al. (2010) ACS Chem Neurosci 1:435, doi:10.1021/cn100008c. */
double nep_exposure_mpo(const nep_exposure_input *in, int *n_used);

#ifdef __cplusplus
}
#endif
#endif
