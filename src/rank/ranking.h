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

/* Candidates by score, then id. */
void rank_sort_candidates(const rank_work *w);
/* Intervals of score and rank, and the chance of the top 10, from drawn_score and drawn_rank [n_drugs, n_streams]. */
void rank_settle_intervals(rank_work *w, int64_t n_streams);

/* Fills d->opinion from the normal scores in `votes`; elastic [n_drugs]: logits of the elastic net, or NULL. Overwrites the columns. */
NEP_MUST_USE nep_status rank_opinions_fill(nep_ctx *ctx, rank_work *w, const double *elastic);

/* What a learned ranking keeps while disorders are filled in (ranking_learned.c). */
typedef struct rank_learned_ranking rank_learned_ranking;
NEP_MUST_USE nep_status rank_learned_prepare(nep_ctx *ctx, const nep_inputs *in, nep_ranking *r, int n_votes, int64_t n_streams,
                                             rank_learned_ranking **out);
/* Scores, contributions, probabilities and intervals of the disorder at hand. */
NEP_MUST_USE nep_status rank_learned_fill(nep_ctx *ctx, rank_learned_ranking *l, rank_work *w, int64_t n_streams);
/* What stands beside the model's scores under a protocol, each [n_disorders, n_drugs]. */
typedef struct {
    double *elastic; /* the elastic net, no gate */
    double *ungated; /* the model before the gate; NULL without a gate */
} rank_learned_beside;
/* Scores of a protocol by the model, in the form of nep_protocol_score; VOTE channel `without` left out (-1: none). `scale` stays NaN.
 * beside (NULL: not asked for) is filled where it is not NULL. */
NEP_MUST_USE nep_status rank_learned_protocol(nep_ctx *ctx, const nep_ranking *r, nep_protocol p, int n_votes, int without,
                                              nep_protocol_scores *out, const rank_learned_beside *beside);
/* Fills e->conformal and its summary (conformal_sets.c); own_visible: the disorder's own labels may set its bound. */
NEP_MUST_USE nep_status rank_conformal_sets(nep_ctx *ctx, const double *logit, const signed char *pos, int64_t d, int64_t n, bool own_visible,
                                            nep_evaluation *e);
void rank_learned_release(rank_learned_ranking *l);

/* Probabilities, verdicts, flags and trust sentences of a ranking whose increments are known (judge.c). */
NEP_MUST_USE nep_status rank_judge(nep_ctx *ctx, nep_ranking *r, int n_votes);
/* The sentence of disorder j's trust box, and r->imaging_text (imaging.c). */
NEP_MUST_USE nep_status rank_imaging_trust(nep_ctx *ctx, nep_ranking *r, int64_t j);
NEP_MUST_USE nep_status rank_imaging_sum_up(nep_ctx *ctx, nep_ranking *r);

#endif
