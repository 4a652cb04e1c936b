/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap.h - two-way resampling of disorders and drugs, one set of draws for every score, so that scores are compared on
 * the same draws. */
#ifndef NEP_RANK_BOOTSTRAP_H
#define NEP_RANK_BOOTSTRAP_H

#include "rank/negatives.h"

typedef struct {
    int64_t n_boot, n_drugs, n_disorders;
    int32_t *drugs, *disorders; /* [n_boot, n_drugs], [n_boot, n_disorders] how often each is drawn */
} rank_bootstrap;

NEP_MUST_USE nep_status rank_bootstrap_open(nep_ctx *ctx, uint64_t seed, int64_t n_boot, int64_t n_drugs, int64_t n_disorders,
                                            rank_bootstrap *out);
void rank_bootstrap_free(rank_bootstrap *b);

/* Macro means of each draw, [n_boot] each; NULL = not wanted. */
typedef struct {
    double *ap, *auroc, *matched; /* matched: auroc_vs_popularity */
} rank_bootstrap_draws;

/* Performance of one score [n_disorders, n_drugs] against every set of negatives; NaN against one not asked for. draws may be NULL.
 * Map-null fields stay NaN. */
NEP_MUST_USE nep_status rank_bootstrap_measure(nep_ctx *ctx, const rank_bootstrap *b, const double *score,
                                               const rank_negatives *set, nep_performance *disorders, nep_performance *macro,
                                               const rank_bootstrap_draws *draws);

#endif
