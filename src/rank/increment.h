/* SPDX-License-Identifier: Apache-2.0 */
/* increment.h - what both fusions share when they measure what the image adds. */
#ifndef NEP_RANK_INCREMENT_H
#define NEP_RANK_INCREMENT_H

#include "rank/sample.h"

/* Drugs of one disorder in the order of two scores, with imaging and without. */
typedef struct {
    int64_t n;
    const signed char *pos;      /* [n] of rank_sample_positives */
    int64_t *order, *order_base; /* [n] best first */
    bool *tie, *tie_base;        /* [n] */
} rank_increment_pair;

/* The increment of which nothing is known. */
nep_increment rank_increment_blank(void);
/* Average precision of a score; order and tie [n] are filled. */
NEP_MUST_USE nep_status rank_increment_precision(nep_ctx *ctx, const double *score, const signed char *pos, int64_t n, int64_t *order, bool *tie,
                                                 double *ap);
/* The gain in average precision of each resample of the drugs: gain [n_boot], NaN where one does not exist. weight [n]: scratch. */
void rank_increment_resample(const rank_increment_pair *p, uint64_t seed, int64_t n_boot, int32_t *weight, double *gain);
/* Their 90 % interval; returns their SD. Sorts gain. */
double rank_increment_interval(double *gain, int64_t n_boot, nep_estimate *delta);
/* Mean of the gains under null maps, and the gain that would stand out from them with power 0.8. Sorts gain. */
void rank_increment_stands_out(double *gain, int64_t n_nulls, double *mean, double *by_map);
/* The gain that its interval would tell from 0 with power 0.8, from its standard error. */
double rank_increment_by_drugs(double se);
/* p_holm over the increments and every verdict. */
NEP_MUST_USE nep_status rank_increment_settle(nep_ctx *ctx, nep_increment *out, int64_t n);

/* The increment of a hierarchical ranking per disorder, out [n_disorders], and over them (increment_learned.c). */
NEP_MUST_USE nep_status rank_increment_learned(nep_ctx *ctx, const nep_ranking *r, int n_votes, int64_t n_bootstrap, nep_increment *out,
                                               nep_increment *overall);

#endif
