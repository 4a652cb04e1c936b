/* SPDX-License-Identifier: Apache-2.0 */
/* negatives.h - one set of positives with every set of negatives it is held against. */
#ifndef NEP_RANK_NEGATIVES_H
#define NEP_RANK_NEGATIVES_H

#include "rank/sample.h"

typedef struct {
    int64_t n_drugs, n_disorders;
    signed char *pos;                 /* [n_disorders, n_drugs] 1 positive, 0 negative, SAMPLE_LEFT_OUT */
    signed char *grade;               /* the same: 3 approved, 2 symptomatic, 1 investigational, 0 else; -1 left out */
    signed char *nervous, *failed;    /* the same with fewer negatives; NULL = not asked for */
    int64_t *stratum;                 /* [n_disorders, n_drugs] nep_negatives_strata; NULL = not asked for */
} rank_negatives;

/* asked [NEP_NEGATIVES_COUNT]. */
NEP_MUST_USE nep_status rank_negatives_open(nep_ctx *ctx, const nep_inputs *in, const bool *asked, rank_negatives *out);
void rank_negatives_free(rank_negatives *g);
/* Who counts under a protocol: only drugs that the fusion scores (score [n_disorders, n_drugs]). */
void rank_negatives_set(const nep_inputs *in, nep_protocol p, const double *score, rank_negatives *g);

#endif
