/* SPDX-License-Identifier: Apache-2.0 */
/* pharmacology - from affinity and dose to the fraction of receptors occupied.
 *
 * What it is not: no brain maps and no ranking. Concentrations are nM of free drug at the receptor; occupancies lie in
 * 0..1; missing affinity gives NaN, never zero.
 */
#ifndef NEPENTHE_PHARMACOLOGY_H
#define NEPENTHE_PHARMACOLOGY_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Occupancy when the dose is not known: the concentration is taken at which the drug's strongest target is occupied to
 * the fraction q, so o = 1 / (1 + ((1 - q) / q) 10^(p_max - p)).
 *
 * p      [n]  -log10 affinity in M, NaN = not measured
 * drug   [n]  index of the drug that owns each entry, ascending
 * q           occupancy of the strongest target, in (0, 1); 0.75 is the default elsewhere
 * out    [n]  occupancy, NaN where p is NaN
 *
 * Computed by the occupancy op of the backend (float32). Errors: NEP_E_ARG (q outside (0, 1), drugs not ascending),
 * NEP_E_NOMEM. Source: Hill (1910) J Physiol 40:iv-vii, with C = q Ki_min / (1 - q). */
NEP_MUST_USE nep_status nep_occupancy_relative(nep_ctx *ctx, const double *p, const int64_t *drug, int64_t n, double q,
                                               double *out);

/* Occupancy of one target at a stated free concentration: o = o_max C / (C + Ki (1 + L)), L = [endogenous ligand] / Kd
 * of that ligand, since the drug competes with it. NaN when any input is NaN or out of range. */
double nep_occupancy_competed(double conc_nM, double ki_nM, double ligand_ratio, double o_max);

#ifdef __cplusplus
}
#endif
#endif
