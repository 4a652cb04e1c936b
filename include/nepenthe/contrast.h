/* SPDX-License-Identifier: Apache-2.0 */
/* contrast - two groups with covariates: standardised difference, its error, and permutation p per column.
 *
 * What it is not: it reads no table and joins no names; rows of data, group and covariates are already the
 * same people. Columns are regions or voxels.
 */
#ifndef NEPENTHE_CONTRAST_H
#define NEPENTHE_CONTRAST_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t n_perm;  /* relabelings asked for; 0 = no p values */
    uint64_t stream; /* permutation number b is drawn from stream + b of the context's seed */
} nep_contrast_opts;
#define NEP_CONTRAST_DEFAULTS                                                                                \
    {                                                                                                        \
        .n_perm = 10000                                                                                      \
    }

typedef struct {
    int64_t n1, n2, n_cols;
    double df;             /* n - rank of the design */
    int64_t n_relabelings; /* compared with the observed labels, which are one of them when exhaustive */
    bool exhaustive;       /* every distinct relabeling was used */
    int64_t n_missing, n_constant;               /* columns left n/a, and why */
    double *g, *se, *low, *high, *t, *p, *p_fwe; /* [n_cols], NaN = n/a */
} nep_contrast_result;
void nep_contrast_free(nep_contrast_result *r);

/* Small-sample correction J(df) = Gamma(df / 2) / (sqrt(df / 2) Gamma((df - 1) / 2)), exact; the usual 1 - 3
 * / (4 df - 1) is 1.3 % off at df = 2 and 2e-5 off at df = 40. NaN for df <= 1. Source: Hedges (1981) J Educ
 * Stat 6:107, eq. 6e. */
double nep_contrast_correction(double df);

/* Standard error of a standardised difference: sqrt(1/n1 + 1/n2 + g^2 / (2 (n1 + n2))).
 * Source: Hedges & Olkin (1985) Statistical Methods for Meta-Analysis, chapter 5, with g in the place of d.
 */
double nep_contrast_se(double g, double n1, double n2);

/* Mean of group 1 less that of group 2, covariates held fixed, per column of y.
 *
 * y           [n, n_cols]  a column with a missing value in any row is left n/a (all people count in the
 * maximum, so a column cannot leave some out) and warned of; so is a column that the nuisance explains whole
 * col_names   [n_cols]     for warnings, or NULL
 * first       [n]          true = group 1
 * covariates  [n, k]       finite; an intercept is added; cov_names [k] for sentences, or NULL
 * out                      freed with nep_contrast_free; written only on success
 *
 * t by least squares; g = J(df) t sqrt(1/n1 + 1/n2); 90 % interval g +- 1.645 se. p two-sided by counting
 * (Freedman-Lane: the residuals on the nuisance are permuted, here as the design's rows), p_fwe against the
 * largest |t| of each relabeling; ties within 1e-10 relative count. p = (1 + reached) / (1 + n_perm); when
 * the distinct relabelings are no more than n_perm they are all used and p = reached / all. Same p for any
 * thread count. Cost: n_perm * n * n_cols * (k + 2). Errors: NEP_E_ARG (a group without people, df < 2,
 * covariate not finite), NEP_E_SINGULAR (collinear covariates, or a group that the covariates explain: not
 * estimable; the sentence names the columns). Source: Freedman & Lane (1983) J Bus Econ Stat 1:292; Winkler
 * et al. (2014) doi:10.1016/j.neuroimage.2014.01.060; max-T: Westfall & Young (1993); +1: Phipson & Smyth
 * (2010) doi:10.2202/1544-6115.1585. */
NEP_MUST_USE nep_status nep_contrast_groups(nep_ctx *ctx, const float *y, int64_t n, int64_t n_cols,
                                            char *const *col_names, const bool *first,
                                            const double *covariates, int64_t k, char *const *cov_names,
                                            const nep_contrast_opts *opts, nep_contrast_result *out);

#ifdef __cplusplus
}
#endif
#endif
