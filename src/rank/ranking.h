/* SPDX-License-Identifier: Apache-2.0 */
/* ranking.h - what the files of this room share while a ranking is made. */
#ifndef NEP_RANK_RANKING_H
#define NEP_RANK_RANKING_H

#include <nepenthe/rank.h>

enum { RANK_MAX_VOTES = 32 };

typedef struct {
    const nep_inputs *in;
    nep_ranking *r;
    nep_ranking_disorder *d; /* the one at hand */
    int64_t disorder;
    int n_votes;
    nep_label *own, *others;
    double *column, *column_se, *votes, *shares, *correlation;
    double *drawn_score, *drawn_rank; /* [n_drugs, n_streams] */
    int *present;
    int64_t *order;
    bool *tie;
} rank_work;

/* Probabilities, verdicts, flags and trust sentences of a ranking whose increments are known (judge.c). */
NEP_MUST_USE nep_status rank_judge(nep_ctx *ctx, nep_ranking *r, int n_votes);

#endif
