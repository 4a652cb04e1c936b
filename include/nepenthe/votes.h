/* SPDX-License-Identifier: Apache-2.0 */
/* votes - several raters, one question per item: what each rater's word is worth, and how sure the answer is.
 *
 * What it is not: it knows no drug and no label; classes are numbers from 0.
 */
#ifndef NEPENTHE_VOTES_H
#define NEPENTHE_VOTES_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t n_items;
    int n_raters, n_classes;
    const signed char *vote; /* [n_items, n_raters] class, -1 = no vote */
} nep_votes;

/* Pseudo-counts per cell of each rater's confusion matrix and per class: the mode under a Dirichlet(1 + smooth) prior. With 0.5 a
 * rater of ten items cannot look infallible; a rater of hundreds is left as he is. */
#define NEP_VOTES_SMOOTH 0.5

typedef struct {
    int64_t n_items;
    int n_raters, n_classes;
    double *posterior; /* [n_items, n_classes] */
    double *log_error; /* [n_items, n_classes] standard error of the log of prior times likelihood */
    double *confusion; /* [n_raters, true class, vote] rows sum to 1 */
    double *prior;     /* [n_classes] */
    double objective;  /* log posterior density at the mode, constants left out */
    int iterations;
    bool converged;    /* no posterior moved by 1e-12 in the last step */
} nep_votes_model;

/* Dawid and Skene's model by expectation maximisation, begun at the shares of votes; at most 2,000 steps.
 *
 * smooth  >= 0; NEP_VOTES_SMOOTH is the documented choice
 * out     freed with nep_votes_free
 *
 * Raters are taken to err independently given the truth. Two raters do not determine the model: their answer leans on `smooth`.
 * log_error takes the posterior counts as observed: with a = count + smooth + 1 of Dirichlet shapes, Var log theta_l =
 * psi1(a_l) - psi1(sum a), summed over the prior and the raters' cells. It is the error of the rates, not of the unseen class.
 * Errors: NEP_E_ARG (no item, no rater, fewer than 2 classes, a vote beyond them, an item without a vote, smooth < 0), NEP_E_NOMEM.
 * Source: Dawid & Skene (1979) Appl Stat 28:20, doi:10.2307/2346806. Cost: steps * n_items * n_raters * n_classes. */
NEP_MUST_USE nep_status nep_votes_fit(nep_ctx *ctx, const nep_votes *v, double smooth, nep_votes_model *out);
void nep_votes_free(nep_votes_model *m); /* a zeroed one is fine */

/* Posterior probability that the item's class is one of those marked in wanted [n_classes], and its standard error (may be NULL) by
 * the delta method: sqrt(sum_k (p_k (wanted_k - p) log_error_k)^2). */
double nep_votes_probability(const nep_votes_model *m, int64_t item, const bool *wanted, double *se);

/* Cohen's kappa of two raters over the items both rated, and their number (may be NULL); NaN without any, or when chance agrees always.
 * Source: Cohen (1960) Educ Psychol Meas 20:37, doi:10.1177/001316446002000104. */
double nep_votes_cohen(const nep_votes *v, int a, int b, int64_t *n);
/* Fleiss' kappa over the items that all raters rated, and their number. Source: Fleiss (1971) Psychol Bull 76:378,
 * doi:10.1037/h0031619. */
double nep_votes_fleiss(const nep_votes *v, int64_t *n);
/* Share of the items that all raters rated on which all agree, and their number. */
double nep_votes_agreement(const nep_votes *v, int64_t *n);

#ifdef __cplusplus
}
#endif
#endif
