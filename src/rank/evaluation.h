/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation.h - what the parts of an evaluation share: one protocol at hand, scratch, and one set of bootstrap draws. */
#ifndef NEP_RANK_EVALUATION_H
#define NEP_RANK_EVALUATION_H

#include "rank/bootstrap.h"
#include "rank/ranking.h"

typedef struct {
    const nep_inputs *in;
    const nep_ranking *r;
    nep_evaluation *e;
    rank_bootstrap boot;
    int n_votes;
    int64_t n, d, n_nulls;
    rank_negatives set;        /* of the protocol at hand */
    rank_learned_beside beside; /* of the protocol at hand, hierarchical fusion */
    double *full, *less;       /* [n_boot] macro AP of each draw */
    double *score;             /* [d, n] */
    double *null;              /* [n_nulls, n] */
    double *one, *two, *auroc; /* [n], [n], [n_nulls] */
    int64_t *order;            /* [n] */
    bool *tie;                 /* [n] */
} rank_evaluation;

/* Its place among the ranking's channels, -1 when it is none of them. */
int rank_evaluation_channel(const rank_evaluation *w, const char *name);
/* Makes p the protocol at hand: w->set. */
void rank_evaluation_set(rank_evaluation *w, nep_protocol p);
/* AUROC of score [n] for pos [n]; NaN and *st on failure. */
double rank_evaluation_auroc(rank_evaluation *w, const double *score, const signed char *pos, nep_status *st, nep_ctx *ctx);
/* The fused ranking's macro AP (w->full) less another's (w->less, spent), over the same draws. */
nep_estimate rank_evaluation_gain(rank_evaluation *w, double with, double without, int64_t n);
/* Scores of a protocol by the fusion of the ranking, VOTE channel `without` left out (-1: none). */
NEP_MUST_USE nep_status rank_evaluation_score(nep_ctx *ctx, const rank_evaluation *w, nep_protocol p, int without, nep_protocol_scores *out);

/* Opens e->fused and e->baselines; measures both under a protocol that was scored (evaluation_baselines.c). */
NEP_MUST_USE nep_status rank_baselines_open(nep_ctx *ctx, rank_evaluation *w, const bool *run);
NEP_MUST_USE nep_status rank_baselines_measure(nep_ctx *ctx, rank_evaluation *w, nep_protocol p);
/* Map nulls of the fused ranking, and the image by itself (evaluation_maps.c). */
NEP_MUST_USE nep_status rank_maps_fused(nep_ctx *ctx, rank_evaluation *w);
NEP_MUST_USE nep_status rank_maps_alone(nep_ctx *ctx, rank_evaluation *w);
/* e->time_split (time_split.c). */
NEP_MUST_USE nep_status rank_time_split(nep_ctx *ctx, const rank_evaluation *w, int64_t year);
/* e->controls, n permutations each (evaluation_controls.c). */
NEP_MUST_USE nep_status rank_controls_measure(nep_ctx *ctx, const rank_evaluation *w, int64_t n);
/* e->ablation (evaluation_ablation.c). */
NEP_MUST_USE nep_status rank_ablation_measure(nep_ctx *ctx, rank_evaluation *w);
/* e->calibration and the set that should hold the treatments (evaluation_calibration.c). */
NEP_MUST_USE nep_status rank_evaluation_calibrate(nep_ctx *ctx, rank_evaluation *w);

#endif
