/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - quantiles of draws, and what counts as positive. */
#ifndef NEP_RANK_SAMPLE_H
#define NEP_RANK_SAMPLE_H

#include <nepenthe/rank.h>

enum { SAMPLE_LEFT_OUT = 2, SAMPLE_NULLS = 1000 };
static const double sample_tie = 1e-10;

/* Sorts the values that are there to the front and returns their number. */
int64_t rank_sample_sort(double *v, int64_t n);
/* Linear quantile of n sorted values, NaN without any. */
double rank_sample_quantile(const double *sorted, int64_t n, double q);
/* 1 recorded treatment (or simulated: relevant), 0 not, SAMPLE_LEFT_OUT investigational. out [n_drugs]. */
void rank_sample_positives(const nep_inputs *in, int64_t disorder, signed char *out);
/* Puts the items a score is silent on in the middle: NaN becomes the median of the scores that are there, among items that
 * count. Silence is no evidence either way. Nothing changes when it is silent on all. scratch [n]. */
void rank_sample_fill(const signed char *pos, double *score, int64_t n, double *scratch);
/* Two-sided p about the mean of the nulls that exist, by counting, +1; NaN without any. */
double rank_sample_p(double observed, const double *null, int64_t n);
/* How often each of n items is drawn in n draws with replacement. */
void rank_sample_weights(uint64_t seed, uint64_t stream, int64_t n, int32_t *weight);

#endif
