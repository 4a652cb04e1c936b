/* SPDX-License-Identifier: Apache-2.0 */
/* learned.h - a disorder's scores by a model whose weights come from other disorders alone. */
#ifndef NEP_RANK_LEARNED_H
#define NEP_RANK_LEARNED_H

#include <nepenthe/model.h>

#include "rank/features.h"

/* A disorder teaches when it has at least this many recorded treatments, is no simulated one, and is ranked or is none of the study's
 * own (those of role context lend their labels alone). */
enum { RANK_LEARNED_MIN_POS = 5, RANK_LEARNED_MIN_DISORDERS = 3 };

/* Rows of the model: every drug of every teaching disorder. */
typedef struct {
    rank_features features;
    const nep_inputs *in;
    nep_protocol protocol;
    int votes, nuisances;  /* the first `votes` channels are fused, the others are nuisances */
    int64_t n, taught;     /* drugs, teaching disorders */
    int64_t *disorder;     /* [taught] */
    bool *ranked;          /* [taught] */
    double *prior;         /* [taught] share of drugs that are recorded treatments */
    double *raw;           /* [taught, n, channels] with no disorder held out */
    double *x, *nuisance;  /* [taught, n, votes], [taught, n, nuisances] of the fold at hand, standardised */
    double *mean, *sd;     /* [channels] of the fold at hand */
    signed char *y;        /* [taught, n] */
    int32_t *group, *unit; /* [taught, n] */
} rank_learned_rows;

/* channels: VOTE first. Errors: NEP_E_CONFIG (fewer than RANK_LEARNED_MIN_DISORDERS disorders teach), those of the channels. */
NEP_MUST_USE nep_status rank_learned_open(nep_ctx *ctx, const nep_inputs *in, nep_protocol p, const nep_channel *const *channels, int votes,
                                          int nuisances, rank_learned_rows *out);
void rank_learned_close(rank_learned_rows *r);
/* Fills x and nuisance as they are when disorder held_out (-1: none) does not exist; a channel that is silent on all rows gets mean 0
 * and sd 1. */
NEP_MUST_USE nep_status rank_learned_fold(nep_ctx *ctx, rank_learned_rows *r, int64_t held_out);
/* The same scaling for the rows of any disorder: value [n, channels] of rank_features_read becomes x [n, votes]. */
void rank_learned_scale(const rank_learned_rows *r, double *value, double *x);
/* The model of the rows now there, held_out left out. */
NEP_MUST_USE nep_status rank_learned_fit(nep_ctx *ctx, const rank_learned_rows *r, int64_t held_out, nep_hierarchical **out);

typedef struct {
    int votes;
    int64_t d, n;
    double *logit, *sd; /* [d, n] */
    double *share;      /* [d, n, 1 + votes] intercept and VOTE channels; the sum is the logit */
    double *value;      /* [d, n, votes + nuisances] */
    double *weight;     /* [d, votes] of each disorder's model, per SD of the channel */
    double *sigma;      /* [d, votes] spread of the weight between disorders */
    double *elastic;    /* [d, n] logit by elastic net (alpha 0.2, largest lambda within one SE), NULL when not asked for */
    double *slope;      /* [d] by which the model's sum is multiplied */
    double *mean, *scale; /* [d, votes] a channel's values, bent by rank_features_scale, stand in the model as (v - mean) / scale */
    double *penalty;    /* [d, n] what the gate takes off the logit; zeros without a gate */
} rank_learned;

/* Scores of all ranked disorders, each by a model of the others, with intercept and slope set on the other ranked disorders, their gates
 * in place, so that logit - penalty is what the probability follows from. Nuisances are modelled and then held at their mean: no drug is
 * raised or lowered by them. gate: NULL or the channel `direction`. */
NEP_MUST_USE nep_status rank_learned_score(nep_ctx *ctx, const nep_inputs *in, nep_protocol p, const nep_channel *const *channels, int votes,
                                           int nuisances, const nep_channel *gate, bool elastic, rank_learned *out);
/* The elastic net's logits [n] of the rows x [n, votes] of a disorder, learned from the fold at hand; a missing channel stands at its
 * mean. Folds of its cross-validation are whole disorders. */
NEP_MUST_USE nep_status rank_learned_elastic(nep_ctx *ctx, const rank_learned_rows *r, int64_t held_out, const double *x, double *logit);
void rank_learned_free(rank_learned *l);

/* The channel `direction`, or NULL when it is not among them. */
const nep_channel *rank_learned_find_gate(const nep_channel *const *channels, int n);
/* What the gate takes off the logits of the ranked disorders under a protocol, penalty [d, n_drugs]; zeros without a gate. */
NEP_MUST_USE nep_status rank_learned_gate(nep_ctx *ctx, const nep_inputs *in, const nep_channel *gate, nep_protocol p, double *penalty);

#endif
