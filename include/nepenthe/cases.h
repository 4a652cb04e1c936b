/* SPDX-License-Identifier: Apache-2.0 */
/* cases - nearest cases: subjects described by features, the subjects nearest to each, and what their diagnoses tell.
 *
 * What it is not: no classifier. It lists neighbours with distances and counts their diagnoses; whether these counts mean
 * anything is measured by leaving out (nep_vote_check), and the answer may be that they do not. A subject that is compared is
 * never among those that the scaling and the regression of confounds were fitted on.
 */
#ifndef NEPENTHE_CASES_H
#define NEPENTHE_CASES_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Both are distances of z-scored features. Cosine: 1 - z.w / (|z| |w|), 1 where a norm is 0. */
typedef enum { NEP_CASES_EUCLIDEAN, NEP_CASES_COSINE } nep_cases_metric;

/* Why a feature does not take part. */
typedef enum { NEP_CASES_KEPT, NEP_CASES_MISSING, NEP_CASES_CONSTANT } nep_cases_reason;

/* Which subjects and features can be compared. Subjects with more than the share `most` of missing values (of the features that
 * anyone has) do not; then features that any of the rest misses, or that are one number in all of them, do not.
 *
 * x       [n, p] NaN = missing
 * keep    [n] subjects that take part
 * reason  [p]
 *
 * Errors: NEP_E_ARG (n or p < 1, most outside 0..1), NEP_E_FORMAT (fewer than 3 subjects or no feature is left). */
NEP_MUST_USE nep_status nep_cases_screen(nep_ctx *ctx, const float *x, int64_t n, int64_t p, double most, bool *keep,
                                         nep_cases_reason *reason);

/* Subjects and their features; confounds are regressed out of every feature by least squares with an intercept. */
typedef struct {
    int64_t n, p, n_confounds;
    const float *x;         /* [n, p] all finite */
    const double *confound; /* [n, n_confounds] all finite; NULL when there are none */
    char *const *ids;       /* [n] for sentences; NULL = none */
} nep_cases_data;

/* What was fitted on some subjects: the regression, in an orthonormal basis of the confounds, and the scale. A confound that is
 * constant among them, or a combination of earlier ones, has no part in the basis. */
typedef struct {
    int64_t n, p, n_confounds, rank; /* n: subjects it was fitted on */
    double *basis;                   /* [rank, 1 + n_confounds]: basis function k is basis[k] . (1, confounds) */
    double *coef;                    /* [rank, p] */
    double *sd;                      /* [p] sqrt(sum of squared residuals / n), as scikit-learn's StandardScaler; 0 = constant */
} nep_cases_model;
/* Empties it; a zeroed one is fine. */
void nep_cases_model_free(nep_cases_model *m);

/* Fits on the subjects with use[i] (NULL = all); confounds with off[c] (NULL = none) are left out.
 * Cost: n p (1 + n_confounds). Errors: NEP_E_ARG (fewer than 2 + n_confounds subjects), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_cases_fit(nep_ctx *ctx, const nep_cases_data *d, const bool *use, const bool *off,
                                      nep_cases_model *out);
/* z [m, p]: what the model leaves of x, over its sd; 0 where sd is 0, NaN where x is. confound [m, n_confounds] or NULL. */
void nep_cases_apply(const nep_cases_model *model, const float *x, const double *confound, int64_t m, double *z);

/* Neighbours of each query by (distance, row): the k nearest, and behind them all others at the distance of the k-th, so that
 * counts need not hang on the order of rows. Fewer where there are fewer. */
typedef struct {
    int64_t n;      /* queries */
    int64_t *start; /* [n + 1] */
    int64_t *row;   /* of the reference */
    double *distance;
} nep_cases_near;
/* Empties it; a zeroed one is fine. */
void nep_cases_near_free(nep_cases_near *near);

/* Neighbours of z [m, p] among reference [n, p], where use[j] (NULL = all). A query's missing features are left out of its
 * distances: the Euclidean one is scaled by sqrt(p / features it has), as scikit-learn's nan_euclidean_distances.
 * Cost: m n p. Same bits for any thread count. Errors: NEP_E_ARG (k < 1, a query without a feature), NEP_E_NOMEM, NEP_E_INTERRUPTED. */
NEP_MUST_USE nep_status nep_cases_nearest(nep_ctx *ctx, const double *reference, int64_t n, const bool *use, const double *z, int64_t m,
                                          int64_t p, nep_cases_metric metric, int64_t k, nep_cases_near *out);

/* Distances of many pairs, ascending: what a distance is held against. */
typedef struct {
    int64_t n;
    double *distance; /* [n] */
} nep_cases_spread;
/* Empties it; a zeroed one is fine. */
void nep_cases_spread_free(nep_cases_spread *s);
/* Share of the pairs that are at most as far apart as this, ties within 1e-10 relative counted; NaN without pairs. */
double nep_cases_quantile(const nep_cases_spread *s, double distance);

/* Each subject against all others, with scale and regression fitted on the others, which costs no more than fitting once: the
 * residuals and sums of squares of a fit without subject i follow from those of the whole fit.
 *
 * spread  may be NULL; all n (n - 1) ordered pairs, or a random share of them when there are more than `most_pairs` (0 = 16 million)
 *
 * Cost: n^2 p. Same bits for any thread count. Errors: NEP_E_ARG (n < 3 + n_confounds, k < 1), NEP_E_SINGULAR (a subject whom the
 * confounds tell from all others, such as the only one of a site: nothing is left to compare), NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Source: Allen (1974) doi:10.1080/00401706.1974.10489157 for residuals without i. */
NEP_MUST_USE nep_status nep_cases_leave_one_out(nep_ctx *ctx, const nep_cases_data *d, nep_cases_metric metric, int64_t k,
                                                int64_t most_pairs, nep_cases_near *near, nep_cases_spread *spread);

/* Each subject against those of other groups (sites), with everything fitted on those. group [n] from 0 to n_groups - 1;
 * off: confounds to leave out, such as those that code the group. Cost: n^2 p. Errors: as nep_cases_fit and nep_cases_nearest. */
NEP_MUST_USE nep_status nep_cases_leave_group_out(nep_ctx *ctx, const nep_cases_data *d, const int32_t *group, int32_t n_groups,
                                                  const bool *off, nep_cases_metric metric, int64_t k, nep_cases_near *near);

/* ---- what the neighbours' diagnoses tell (vote.c) ---------------------------------------------------------------- */

/* share [near->n, n_classes]: share of each class among the k nearest. Of the neighbours that tie at the k-th distance each counts
 * in part, so that the shares are the expectation over the order of ties. label [rows of the reference] from 0 to n_classes - 1. */
void nep_vote_shares(const nep_cases_near *near, int64_t k, const int32_t *label, int32_t n_classes, double *share);

typedef struct {
    int64_t n_perm, n_boot; /* 0 = none; p, or the interval, is NaN then */
    const int32_t *block;   /* [n] labels change places within a block only; NULL = all in one */
    int64_t least;          /* classes with fewer subjects take no part in the means over classes */
    bool adjusted;          /* the confounds were regressed out: a signal need not exceed theirs */
} nep_vote_opts;

#define NEP_VOTE_DEFAULTS {.n_perm = 1000, .n_boot = 2000, .least = 5}

typedef struct {
    double value, low, high;        /* 90 % interval over subjects, their neighbours kept */
    double p, null_mean, null_95;   /* one-sided; null_95: values above it reach p <= 0.05 */
} nep_vote_measure;

typedef enum { NEP_VOTE_SIGNAL, NEP_VOTE_CONFOUNDS, NEP_VOTE_NO_SIGNAL, NEP_VOTE_UNCHECKED } nep_vote_verdict;

typedef struct {
    int64_t n, n_classes;                   /* subjects and classes that take part in the means */
    nep_vote_measure balanced, auroc;       /* of the features */
    nep_vote_measure baseline, baseline_auroc; /* of the confounds alone; NaN without them */
    double more, more_low, more_high;       /* balanced accuracy of the features less that of the confounds, 90 % interval */
    nep_vote_verdict verdict;
} nep_vote_result;

/* Do nearer subjects share a diagnosis more often than chance has it?
 *
 * near      of each of the n subjects, without itself (leave-one-out or leave-group-out)
 * baseline  the same with confounds for features; or NULL
 * label     [n] from 0 to n_classes - 1
 *
 * Balanced accuracy: mean over classes of the share of a class's subjects whose most frequent neighbours are of that class, equal
 * shares in expectation. AUROC: mean over classes of the area under the curve of the class's share, one against the rest, ties one half.
 * p: labels permuted within blocks, features kept, p = (1 + #{null >= observed}) / (1 + n_perm), ties within 1e-10. Leaving out biases
 * both measures below 1/classes and 1/2 when nothing is there, so that chance is the mean of the null.
 * Intervals: Bayesian bootstrap over subjects, for balanced accuracy with Jeffreys' prior in each class (of one class alone it is the
 * Beta posterior with half a right and half a wrong answer added), so that a perfect score of few is not taken for certain. The area's
 * has no prior and is blind when nothing is misplaced.
 * Verdict: NEP_VOTE_SIGNAL when p <= 0.05 for balanced accuracy and its interval lies above chance; NEP_VOTE_CONFOUNDS when moreover
 * the confounds were not regressed out and do as well (the interval of the difference reaches 0); NEP_VOTE_UNCHECKED when fewer than
 * two classes have `least` subjects, or n_perm or n_boot is 0.
 *
 * Cost: n_perm n (k + classes log n). Same bits for any thread count. Errors: NEP_E_ARG, NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Sources: Golland & Fischl (2003) doi:10.1007/978-3-540-45087-0_28 for the null; Brodersen et al. (2010) doi:10.1109/ICPR.2010.764
 * for balanced accuracy and its Beta posterior; Rubin (1981) doi:10.1214/aos/1176345338 for the Bayesian bootstrap. */
NEP_MUST_USE nep_status nep_vote_check(nep_ctx *ctx, const nep_cases_near *near, const nep_cases_near *baseline, int64_t k,
                                       const int32_t *label, int64_t n, int32_t n_classes, const nep_vote_opts *opts,
                                       nep_vote_result *out);

#ifdef __cplusplus
}
#endif
#endif
