/* SPDX-License-Identifier: Apache-2.0 */
/* model - from the channels of a (drug, disorder) pair to the probability of a recorded treatment: the hierarchical Bayesian
 * logistic regression, elastic net and aggregation of ranks beside it, and what is said of their answers: Venn-Abers pairs, conformal
 * sets, exact binomial bounds, calibration.
 *
 * What it is not: it reads no file and knows no channel. Arrays are float64, row-major; NaN in x means "this channel does not
 * speak of this pair", never zero. Everything follows from the arguments, on any number of threads. docs/ranking_model.md says
 * why each prior is what it is and what each interval means.
 */
#ifndef NEPENTHE_MODEL_H
#define NEPENTHE_MODEL_H

#include <nepenthe/rank.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- hierarchical logistic regression ------------------------------------------------------------------------------
 *   logit p_i = alpha_j + sum_c m_ic (beta_c + b_jc) x_ic + sum_c delta_c (1 - m_ic) + sum_q gamma_q z_iq,   j = group of row i
 * with m_ic = 1 where x_ic is there, and the priors
 *   alpha_j ~ N(logit pi_j, alpha_sd^2)   beta_c ~ N(0, beta_sd^2), cut to >= 0 when oriented   b_jc ~ N(0, sigma_c^2)
 *   sigma_c ~ half-N(sigma_scale)         delta_c ~ N(0, delta_sd^2)                            gamma_q ~ N(0, gamma_sd^2) */
typedef struct {
    int64_t n, groups;
    int channels, nuisances;
    const double *x;         /* [n, channels]   on a scale where 1 is a large difference; NaN = missing */
    const double *nuisance;  /* [n, nuisances]  finite; may be NULL without nuisances */
    const signed char *y;    /* [n]             1, 0; anything else leaves the row out */
    const int32_t *group;    /* [n]             in [0, groups) */
    const double *weight;    /* [n]             finite, >= 0; 0 leaves the row out; NULL = all 1. A label that is believed with
                              *                 probability q enters as two rows: y 1 of weight q, y 0 of weight 1 - q */
    const double *prior;     /* [groups]        pi_j in (0, 1): the prevalence expected before the group's labels are seen */
} nep_hierarchical_data;

typedef struct {
    const bool *oriented;    /* [channels] beta_c >= 0; NULL = all */
    const double *sigma;     /* [channels] held at these values (0 = no group effects); NULL = estimated */
    double alpha_sd, beta_sd, delta_sd, gamma_sd, sigma_scale; /* finite, > 0 */
    int most_em;             /* updates of sigma; it stops earlier when none moves by more than 1e-5 */
    int most_steps;          /* Newton steps of one fit at given sigma */
    double tolerance;        /* a fit ends when its step promises to raise the log posterior by less */
    int dropout;             /* copies of every row in which channels are dropped at random; 0 = none */
    double dropout_rate;     /* chance that a copy drops a channel, in [0, 1) */
    uint64_t seed;           /* of the dropped channels */
} nep_hierarchical_opts;
#define NEP_HIERARCHICAL_DEFAULTS                                                                                     \
    {.alpha_sd = 0.5, .beta_sd = 1.0, .delta_sd = 1.0, .gamma_sd = 1.0, .sigma_scale = 0.3, .most_em = 200,            \
     .most_steps = 100, .tolerance = 1e-10, .dropout_rate = 0.3}

/* A channel that cannot be learned from takes no part (beta, b and its share of any logit are 0) and is named here: constant
 * over the rows where it speaks, or silent on all rows. Silence on some rows still counts by delta when it is constant. */
typedef enum { NEP_HIERARCHICAL_USED, NEP_HIERARCHICAL_CONSTANT, NEP_HIERARCHICAL_SILENT } nep_hierarchical_state;
const char *nep_hierarchical_state_name(nep_hierarchical_state s);

typedef struct {
    int channels, nuisances;
    int n_local, n_global;          /* 1 + channels; 2 channels + nuisances */
    int64_t groups;
    double *global;                 /* [n_global] beta, delta, gamma */
    double *local;                  /* [groups, n_local] alpha, b */
    double *sigma;                  /* [channels] */
    double *prior_logit;            /* [groups] */
    nep_hierarchical_state *state;  /* [channels] */
    bool *oriented;                 /* [channels] as asked for */
    bool *at_zero;                  /* [channels] beta_c is held at 0 by its bound */
    double *slope;                  /* [channels] slope of the log posterior along beta_c, all else refitted: <= 0 where at_zero */
    double *beta_low, *beta_high;   /* [channels] 90 % of the normal approximation along beta_c, cut at 0 when oriented */
    double *covariance;             /* [n_global, n_global] Laplace; rows and columns of what is held at 0 are 0 */
    double *local_inverse;          /* [groups, n_local, n_local] inverse Hessian of a group at given globals */
    double *local_cross;            /* [groups, n_local, n_global] that inverse times the Hessian between group and globals */
    int64_t *rows, *positives;      /* [groups] that entered */
    double alpha_sd;
    double log_posterior;           /* at the mode, without constants, sigma's prior left out */
    double log_evidence;            /* Laplace approximation of log p(y | sigma); each bounded beta counted by its own margin */
    int steps, em_steps;            /* Newton steps in all; updates of sigma */
    bool converged;                 /* of the last fit, and of sigma */
} nep_hierarchical;

/* Fits the mode by Newton's method, bounds kept by an exact quadratic program in each step, the groups eliminated by their Schur
 * complements. sigma is the mode of log sigma under the Laplace approximation of its marginal (at a fixed point of
 * expectation-maximisation), which, unlike the mode of sigma itself, cannot fall to 0 and take the spread between groups with it.
 *
 * opts  may be NULL (NEP_HIERARCHICAL_DEFAULTS)
 *
 * With dropout the objective is the mean log likelihood over the rows as they are and `dropout` copies, in each of which every
 * channel that speaks is made missing with chance dropout_rate (Philox(seed, copy, row * channels + channel)); the score is then
 * trained for any subset of channels, and delta speaks for both kinds of silence. Same bits for any thread count.
 * Errors: NEP_E_ARG (sizes, group or prior out of range, weights, x infinite, nuisance not finite, no row with a label),
 * NEP_E_SINGULAR (values too large to factor), NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Cost: rows * (1 + n_global)^2 per step.
 * Source: Laird & Ware (1982) Biometrics 38:963, doi:10.2307/2529876 (EM of the variances); Breslow & Clayton (1993) J Am Stat
 * Assoc 88:9, doi:10.1080/01621459.1993.10594284 (Laplace in mixed models); Chung et al. (2013) Psychometrika 78:685,
 * doi:10.1007/s11336-013-9328-2 (modes of variances at 0); Gelman (2006) Bayesian Anal 1:515,
 * doi:10.1214/06-BA117A (half-normal family for sigma). */
NEP_MUST_USE nep_status nep_hierarchical_fit(nep_ctx *ctx, const nep_hierarchical_data *data, const nep_hierarchical_opts *opts,
                                             nep_hierarchical **out);
void nep_hierarchical_free(nep_hierarchical *h);

/* Scores rows of one group.
 *
 * x [n, channels], nuisance [n, nuisances] as in the data; the channels present are the ones that are not NaN
 * group      [0, groups), or -1: a new group, whose alpha comes from N(logit prior, alpha_sd^2) and whose b are integrated out as
 *            added variance sum x^2 sigma^2
 * prior      (0, 1), read for a new group only
 * share      [n, 1 + channels + nuisances], may be NULL: intercept, each channel (delta where it is silent), each nuisance;
 *            their sum in this order is the logit, bit for bit
 * logit, sd  [n] mean and SD of the logit under the Laplace approximation; either may be NULL
 * p          [n] mean of the logistic function under that normal, by the trapezoidal rule (error < 1e-12); may be NULL
 *
 * Errors: NEP_E_ARG. Cost: n * n_global^2 with sd or p. */
NEP_MUST_USE nep_status nep_hierarchical_predict(nep_ctx *ctx, const nep_hierarchical *h, const double *x, const double *nuisance,
                                                 int64_t n, int64_t group, double prior, double *share, double *logit, double *sd,
                                                 double *p);
/* E[1 / (1 + exp(-Z))] for Z ~ N(mean, sd^2). */
double nep_hierarchical_probability(double mean, double sd);

/* Refits of a bootstrap over groups and units (drugs): a row counts weight * unit_weight times, a group drawn twice stands for two
 * groups with the same rows. sigma is held at the fit's values; each refit starts from the fit. */
typedef struct {
    int64_t n_boot, groups;
    int n_local, n_global;
    double *global;      /* [n_boot, n_global] */
    double *local;       /* [n_boot, groups, n_local]; NaN where the group was not drawn */
    int32_t *steps;      /* [n_boot] Newton steps; negative: ended without converging; 0 for draws of nep_hierarchical_sample */
} nep_hierarchical_draws;

/* unit [n] of each row, in [0, units); unit_weight [n_boot, units], group_weight [n_boot, groups], both >= 0. `data` and `opts` are
 * those of the fit. A refit without any row keeps the priors' modes.
 * Same bits for any thread count. Errors: as nep_hierarchical_fit. Cost: about 5 Newton steps each.
 * Source: Owen & Eckles (2012) Ann Appl Stat 6:895, doi:10.1214/12-AOAS547 (product reweighting of two-way data). */
NEP_MUST_USE nep_status nep_hierarchical_bootstrap(nep_ctx *ctx, const nep_hierarchical_data *data, const nep_hierarchical_opts *opts,
                                                   const nep_hierarchical *fit, const int32_t *unit, int64_t units, int64_t n_boot,
                                                   const int32_t *unit_weight, const int32_t *group_weight,
                                                   nep_hierarchical_draws *out);
/* Draws from the Laplace posterior at the fit's sigma and labels, for what has no formula: ranks, the chance to be among the first ten.
 * An oriented beta that a draw makes negative is put to 0; one that the fit holds at 0 stays there.
 * Philox(seed, draw): same bits for any thread count. Errors: NEP_E_ARG, NEP_E_NOMEM, NEP_E_INTERRUPTED. Cost: n_draws * groups *
 * n_local * n_global. */
NEP_MUST_USE nep_status nep_hierarchical_sample(nep_ctx *ctx, const nep_hierarchical *fit, int64_t n_draws, uint64_t seed,
                                                nep_hierarchical_draws *out);
void nep_hierarchical_draws_free(nep_hierarchical_draws *d);
/* The logit of one row in draw b.
 *
 * group  [0, groups), or -1: a new one with this prior in (0, 1), which is read for a new group only
 * seed   NULL: a new group, and one that draw b lacks, has alpha = logit prior and no effects of its own. Else its alpha and effects are
 *        drawn from their priors by Philox(seed, b), the same for every row, so that ranks within it move as they would */
double nep_hierarchical_draw_logit(const nep_hierarchical *fit, const nep_hierarchical_draws *d, int64_t b, const double *x,
                                   const double *nuisance, int64_t group, double prior, const uint64_t *seed);

/* ---- robust rank aggregation -------------------------------------------------------------------------------------------
 * How surprisingly high an item stands in the lists that hold it: rho = min(1, n min_k P(Beta(k, n - k + 1) <= r_(k))) with r_(k) the
 * k-th smallest of its n normalised ranks. A Bonferroni bound over k, so rho as a p value is conservative; lists are taken as
 * independent, which channels are not: use it to order and to show disagreement, not to test.
 *
 * r [n, lists] normalised ranks in (0, 1], best near 0; NaN = the list does not hold the item, and is dropped
 * rho [n] NaN for an item in no list
 * Errors: NEP_E_ARG (a rank outside (0, 1]), NEP_E_NOMEM. Cost: n * lists^2.
 * Source: Kolde et al. (2012) Bioinformatics 28:573, doi:10.1093/bioinformatics/btr709. */
NEP_MUST_USE nep_status nep_aggregation_rho(nep_ctx *ctx, const double *r, int64_t n, int lists, double *rho);
/* Normalised ranks of scores (larger is better): mid-rank / number of scores that are there; NaN stays. */
NEP_MUST_USE nep_status nep_aggregation_ranks(nep_ctx *ctx, const double *score, int64_t n, double *r);

/* ---- binomial ------------------------------------------------------------------------------------------------------ */
/* P(X >= k) of X ~ Binomial(n, p), which is also the Beta(k, n - k + 1) distribution function at p. */
double nep_binomial_upper(int64_t k, int64_t n, double p);
/* Clopper & Pearson's two-sided interval of a proportion, exact in the sense of never covering less than `level`. NaN for n = 0.
 * Source: Clopper & Pearson (1934) Biometrika 26:404, doi:10.1093/biomet/26.4.404. */
void nep_binomial_interval(int64_t k, int64_t n, double level, double *low, double *high);
/* Wilson's score interval. Source: Wilson (1927) J Am Stat Assoc 22:209, doi:10.1080/01621459.1927.10502953. */
void nep_binomial_wilson(int64_t k, int64_t n, double level, double *low, double *high);

/* ---- isotonic regression and Venn-Abers ---------------------------------------------------------------------------------
 * Non-decreasing least squares of y on x, equal x pooled: fitted [n] in the order given.
 * weight [n] > 0, NULL = all 1. Errors: NEP_E_ARG (NaN, weight not above 0), NEP_E_NOMEM. Cost: n log n.
 * Source: Ayer et al. (1955) Ann Math Stat 26:641, doi:10.1214/aoms/1177728423. */
NEP_MUST_USE nep_status nep_isotonic_fit(nep_ctx *ctx, const double *x, const double *y, const double *weight, int64_t n, double *fitted);

/* Inductive Venn-Abers predictor: for each new score, the isotonic fit at it when it joins the calibration set as a 0 (p0) and as a
 * 1 (p1). One of the two is calibrated by construction if calibration and new pairs are exchangeable, whichever the label will be:
 * pairs of one disorder are not exchangeable with those of others, so the guarantee is for a random pair, not for a disorder.
 *
 * score, y [n] calibration set, y 0 or 1, anything else left out
 * at [m] new scores; p0, p1, p [m] with p = p1 / (1 - p0 + p1), the minimax of log loss; any may be NULL
 *
 * Errors: NEP_E_ARG (no calibration pair, NaN), NEP_E_NOMEM. Cost: (n + m) log n, by one sweep over the greatest convex minorant.
 * Source: Vovk, Petej & Fedorova (2015) NIPS 28:892, arXiv 1511.00213. */
NEP_MUST_USE nep_status nep_venn_abers(nep_ctx *ctx, const double *score, const signed char *y, int64_t n, const double *at, int64_t m,
                                       double *p0, double *p1, double *p);

/* ---- conformal prediction ------------------------------------------------------------------------------------------------
 * The calibration set holds the pairs of one label (Mondrian: call once per label). alpha says how strange a pair is for the label
 * (for label 1: the negated score), larger is stranger.
 *   p = (sum w_i 1[alpha_i > a] + u (sum w_i 1[alpha_i = a] + w)) / (sum w_i + w);   the set at level 1 - e holds what has p > e.
 * What is exchangeable are disorders, not pairs. With w_i = 1 / (pairs of its disorder) and w = 1 (nep_conformal_weights), a pair
 * drawn from a new disorder has P(p <= e) <= e (u = 1) over the draw of disorders: hierarchical conformal prediction, the mean of
 * the p value over choices of one pair per disorder. With all w equal that is not so.
 *
 * alpha, weight [n]; at [m] of new pairs; own_weight w > 0; u in [0, 1], 1 = conservative; p [m]
 * Errors: NEP_E_ARG (NaN, weights not above 0), NEP_E_NOMEM. Cost: (n + m) log n.
 * Source: Lee, Barber & Willett (2023) arXiv 2306.06342; Dunn, Wasserman & Ramdas (2023) J Am Stat Assoc 118:2491,
 * doi:10.1080/01621459.2022.2060112; Vovk, Gammerman & Shafer (2005) Algorithmic Learning in a Random World, Springer (u, Mondrian). */
NEP_MUST_USE nep_status nep_conformal_p(nep_ctx *ctx, const double *alpha, const double *weight, int64_t n, const double *at, int64_t m,
                                        double own_weight, double u, double *p);
/* weight [n] = 1 / (rows of the row's group). Errors: NEP_E_ARG (a group outside [0, groups)), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_conformal_weights(nep_ctx *ctx, const int32_t *group, int64_t n, int64_t groups, double *weight);

/* A threshold for the whole of a new disorder: with chance >= level (over the draw of disorders), at least a share `content` of the
 * new disorder's pairs has alpha <= *threshold. One number per calibration disorder, the ceil(content n_j)-th smallest of its alpha;
 * the threshold is the ceil(level (K + 1))-th smallest of the K numbers, INFINITY when K is too small to say.
 * *used (may be NULL) is K, the disorders that have pairs.
 * Errors: NEP_E_ARG (NaN, content outside (0, 1], level outside (0, 1), a group out of range), NEP_E_NOMEM. Cost: n log n.
 * Source: exchangeability of the K + 1 numbers, as in Dunn, Wasserman & Ramdas (2023), above; Wilks (1941) Ann Math Stat 12:91,
 * doi:10.1214/aoms/1177731788 (content). */
NEP_MUST_USE nep_status nep_conformal_threshold(nep_ctx *ctx, const double *alpha, const int32_t *group, int64_t n, int64_t groups,
                                                double content, double level, double *threshold, int64_t *used);

/* ---- elastic net ----------------------------------------------------------------------------------------------------
 * Minimises, over a falling path of lambda,
 *   - (1 / W) sum w_i log likelihood_i + lambda (alpha sum |b_j| + (1 - alpha) / 2 sum b_j^2),   W = sum w_i,
 * on features standardised by their weighted mean and SD (divisor W), intercept free: glmnet's objective. Coefficients are given on the
 * scale of x. */
typedef struct {
    int64_t n;
    int features;
    const double *x;          /* [n, features] finite: the caller decides what stands for a missing value */
    const signed char *y;     /* [n] 1, 0; anything else leaves the row out */
    const double *weight;     /* [n] finite, >= 0; NULL = all 1 */
    const bool *non_negative; /* [features] coefficient >= 0; NULL = none */
    const int32_t *fold;      /* [n] in [0, folds), whole disorders together; NULL = no cross-validation */
    int folds;
} nep_elastic_net_data;

typedef struct {
    double alpha;         /* in (0, 1] */
    int most_lambda;      /* length of the path when lambda is NULL */
    const double *lambda; /* [most_lambda] falling, > 0; NULL = from where all coefficients are 0 down to 1e-4 of it (1e-2 when
                           * features >= n), in equal steps of the logarithm, ended early as glmnet does: when, after 5 values, the
                           * deviance explained rises by less than 1e-5 of itself or passes 0.999 */
    double tolerance;     /* largest last move of a coefficient, squared, times its curvature */
} nep_elastic_net_opts;
#define NEP_ELASTIC_NET_DEFAULTS {.alpha = 0.2, .most_lambda = 100, .tolerance = 1e-12}

typedef struct {
    int features, n_lambda;
    double *lambda, *intercept;         /* [n_lambda] */
    double *coef;                       /* [n_lambda, features]; a constant feature has 0 */
    double *explained;                  /* [n_lambda] share of the null deviance */
    double *deviance, *deviance_se;     /* [n_lambda] cross-validated, per unit of weight; NaN without folds */
    int best, one_se;                   /* index of the least deviance; of the largest lambda within one SE of it; -1 without folds */
    bool converged;                     /* every fit of the path and of the folds */
} nep_elastic_net;

/* Quadratic approximations solved by coordinate descent on the weighted Gram matrix, each lambda from the one before. Folds are left
 * out in turn and scored at the path of all rows; an SE is over folds, weighted by their weights.
 * Same bits for any thread count.
 * Errors: NEP_E_ARG (sizes, x not finite, weights, lambda, a fold without which only one label is left), NEP_E_NOMEM,
 * NEP_E_INTERRUPTED. Cost: folds * n_lambda * n * features^2.
 * Source: Friedman, Hastie & Tibshirani (2010) J Stat Softw 33(1), doi:10.18637/jss.v033.i01; Zou & Hastie (2005) J R Stat Soc B 67:301,
 * doi:10.1111/j.1467-9868.2005.00503.x. */
NEP_MUST_USE nep_status nep_elastic_net_fit(nep_ctx *ctx, const nep_elastic_net_data *data, const nep_elastic_net_opts *opts,
                                            nep_elastic_net **out);
void nep_elastic_net_free(nep_elastic_net *e);
/* The logit of one row at the path's place `at`. */
double nep_elastic_net_logit(const nep_elastic_net *e, int at, const double *x);

/* ---- calibration in detail ---------------------------------------------------------------------------------------------
 * Beside nep_calibration_measure (rank.h). Per disorder: call with the disorder's pairs. */
typedef struct {
    int64_t n, n_pos;
    double oe;                                      /* observed / expected */
    double large, large_se;                         /* calibration in the large: the intercept a when logit p is believed, logit = a + logit p */
    double intercept, slope, intercept_se, slope_se; /* logit = intercept + slope logit p, by maximum likelihood; NaN when separated */
    double brier, brier_null, ipa, log_loss;        /* null: the observed prevalence for all; ipa = 1 - brier / null, the scaled Brier score */
    double ici, e50, e90, e_max;                    /* mean, median, 90 % quantile and maximum over pairs of |loess curve - p| */
    double miscalibration, discrimination, uncertainty; /* brier = miscalibration - discrimination + uncertainty, by isotonic recalibration */
} nep_calibration_detail;

/* logit [n] of the predicted probabilities, finite; y [n] 0, 1, anything else left out. SEs take pairs as independent, which pairs of one
 * drug are not: for an interval resample drugs. Fields that need both labels are NaN without.
 * Errors: NEP_E_ARG (a logit that is not finite), NEP_E_NOMEM. Cost: n log n + 201 n.
 * Source: Cox (1958) Biometrika 45:562, doi:10.1093/biomet/45.3-4.562 (intercept, slope); Kattan & Gerds (2018) Diagn Progn Res 2:7,
 * doi:10.1186/s41512-018-0029-2 (IPA); Austin & Steyerberg (2019) Stat Med 38:4051, doi:10.1002/sim.8281 (ICI); Dimitriadis, Gneiting &
 * Jordan (2021) PNAS 118:e2016191118, doi:10.1073/pnas.2016191118 (decomposition). */
NEP_MUST_USE nep_status nep_calibration_detail_measure(nep_ctx *ctx, const double *logit, const signed char *y, int64_t n,
                                                       nep_calibration_detail *out);

/* At most `bins` groups of equal size by p, equal p never parted (so that there may be fewer). out [bins], *n_out of them filled.
 * Errors: NEP_E_ARG (bins < 1, a p outside [0, 1]), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_calibration_bins(nep_ctx *ctx, const double *p, const signed char *y, int64_t n, int bins,
                                             nep_calibration_bin *out, int *n_out);
/* The curve by loess: at each of at [m] a straight line through the nearest `span` of the pairs, tricube weights, cut to [0, 1]; NaN
 * without pairs. Errors: NEP_E_ARG (span outside (0, 1], a p or at that is missing), NEP_E_NOMEM. Cost: m * n.
 * Source: Cleveland (1979) J Am Stat Assoc 74:829, doi:10.1080/01621459.1979.10481038. */
NEP_MUST_USE nep_status nep_calibration_loess(nep_ctx *ctx, const double *p, const signed char *y, int64_t n, double span, const double *at,
                                              int64_t m, double *out);

#ifdef __cplusplus
}
#endif
#endif
