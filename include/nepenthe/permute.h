/* SPDX-License-Identifier: Apache-2.0 */
/* permute - permutation inference for a general linear model over regions or voxels: t or F, largest statistics, clusters,
 * threshold-free enhancement, tails by a generalised Pareto distribution, false discovery rates.
 *
 * What it is not: it reads no file and joins no names; rows of data, design and blocks are already the same people. The
 * definitions, and where peers differ, are in src/imaging/README.md.
 */
#ifndef NEPENTHE_PERMUTE_H
#define NEPENTHE_PERMUTE_H

#include <nepenthe/imaging.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is exchangeable: rows (errors of one distribution), signs (errors symmetric about 0), or both. AUTO takes signs when the
 * contrast tests the mean, that is when the nuisance does not hold the constant, and rows otherwise. */
typedef enum { NEP_PERMUTE_AUTO, NEP_PERMUTE_ROWS, NEP_PERMUTE_SIGNS, NEP_PERMUTE_BOTH } nep_permute_shuffle;

typedef struct {
    int64_t n, p;
    const double *x;      /* [n, p] */
    char *const *columns; /* [p] names for sentences */
    const char *contrast; /* its name, for sentences */
    int64_t rows;         /* of the contrast; more than one make an F test */
    bool f;               /* an F test of one row */
    const double *weight; /* [rows, p] */
    const int32_t *block; /* [n] any numbers, or NULL: rows are exchanged within a block alone ... */
    bool whole;           /* ... or blocks as wholes, rows in their order; signs are flipped by block then */
    nep_permute_shuffle shuffle;
} nep_permute_model;

enum { NEP_PERMUTE_MAX_T = 1, NEP_PERMUTE_CLUSTER_SIZE = 2, NEP_PERMUTE_CLUSTER_MASS = 4, NEP_PERMUTE_TFCE = 8 };

typedef struct {
    int64_t n_perm;      /* asked for; 0 = no p */
    uint64_t stream;     /* permutation number b is drawn from stream + b of the context's seed */
    unsigned statistics; /* what is corrected over columns: an OR of NEP_PERMUTE_*; MAX_T always is */
    bool positive;       /* t: values above 0 alone; F always */
    bool tail;           /* p below 0.1 from a generalised Pareto tail where it fits */
    const int64_t *dims; /* {nx, ny, nz}, x fastest: columns are the voxels inside, in order; NULL = regions, no neighbours */
    const bool *inside;  /* [nx ny nz] or NULL = all */
    double forming;      /* clusters: |t| or F above it */
    int connectivity;    /* 6, 18 or 26, of clusters and TFCE */
    double tfce_e, tfce_h;
    const char *checkpoint; /* file that keeps the state, at least every 30 s and when interrupted; NULL = none */
    bool resume;            /* begin where that file stopped, when it is of the same data and options */
} nep_permute_opts;
#define NEP_PERMUTE_DEFAULTS                                                                                           \
    {.n_perm = 10000, .statistics = NEP_PERMUTE_MAX_T, .forming = 3.1, .connectivity = 6, .tfce_e = 0.5, .tfce_h = 2.0}

/* A component of columns beyond the forming threshold; of t, those above 0 and those below apart. */
typedef struct {
    int64_t size, peak; /* columns; the one of the largest |statistic| */
    double mass;        /* sum of |statistic| - threshold */
    double p_size, p_mass;
} nep_permute_cluster;

typedef struct {
    int64_t n_cols, rank, rows;
    double df;            /* n - rank of the design */
    bool signs, exchange; /* what was shuffled */
    int64_t n_shuffles;   /* compared with the observed data, which are one of them when exhaustive */
    double possible;      /* distinct ones there are */
    bool exhaustive;
    int64_t resumed;              /* shuffles taken over from a checkpoint */
    int64_t n_missing, n_constant; /* columns left n/a, and why */
    double *effect, *se;           /* [n_cols] contrast of the coefficients; NULL for F */
    double *stat, *p, *p_fwe;      /* [n_cols] t or F; NaN = n/a */
    double *tfce, *p_tfce, *p_fwe_tfce; /* [n_cols] or NULL; p_tfce is uncorrected */
    int64_t n_clusters;                 /* of the data, where there is a grid: by size, largest first */
    nep_permute_cluster *clusters;
    int32_t *cluster;                   /* [n_cols] 1 + index, 0 outside; NULL without a grid */
    double critical_stat, critical_tfce, critical_size, critical_mass; /* what 5 % of the largest reach; NaN where not asked */
    int64_t n_tail, n_tail_refused;         /* columns with p below 0.1: from a fitted tail; no fit, the counted p kept */
    int64_t n_tail_fwe, n_tail_fwe_refused; /* likewise corrected p, of columns and clusters */
} nep_permute_result;
void nep_permute_free(nep_permute_result *r);

/* Tests one contrast of a general linear model on every column of y [n, n_cols] (float32; a column with a missing value in any
 * row, or that the nuisance explains whole, is left n/a and warned of). opts may be NULL.
 *
 * Freedman and Lane: residuals on the nuisance are shuffled and the whole model fitted again, here as inner products of the
 * residuals with shuffled rows of an orthonormal basis of the model; nuisance that no shuffle moves drops out. p is counted:
 * (1 + reached) / (1 + n_perm); when there are no more distinct shuffles than n_perm all are used, and p = reached / all. Ties
 * within 1e-10 relative reach. Two-sided for t unless `positive`. p_fwe against the largest statistic over columns of each
 * shuffle. Same p for any thread count. No more than 64 maps are held at a time. Cost: 2 n n_cols n_perm (rows + nuisance that
 * moves), and a cluster pass or a TFCE per shuffle.
 *
 * Errors: NEP_E_SINGULAR (collinear columns are named, and whether the contrast is estimable), NEP_E_ARG (a value that is not
 * finite, no degree of freedom, a contrast of zeros or of dependent rows, blocks of several sizes exchanged whole, one possible
 * shuffle only, clusters without a grid), NEP_E_INTERRUPTED, NEP_E_REQUEUE (interrupted, and the checkpoint holds what was done).
 * Source: Winkler et al. (2014) doi:10.1016/j.neuroimage.2014.01.060; Freedman & Lane (1983) J Bus Econ Stat 1:292; max-T:
 * Westfall & Young (1993); +1: Phipson & Smyth (2010) doi:10.2202/1544-6115.1585; tail: Winkler et al. (2016)
 * doi:10.1016/j.neuroimage.2016.05.068. */
NEP_MUST_USE nep_status nep_permute_run(nep_ctx *ctx, const float *y, int64_t n_cols, const nep_permute_model *model,
                                        const nep_permute_opts *opts, nep_permute_result *out);

/* Adjusted p of the n values that are numbers: Benjamini & Hochberg (1995) J R Stat Soc B 57:289, or, for any dependence,
 * Benjamini & Yekutieli (2001) doi:10.1214/aos/1013699998. out [n], NaN where p is; may be p itself. Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_permute_fdr(nep_ctx *ctx, const double *p, int64_t n, bool yekutieli, double *out);

/* p of `value` in the upper tail of null [n] (any order): a generalised Pareto distribution fitted by moments to what exceeds
 * the least of the quantiles 0.751, 0.761, ... 0.981 at which Anderson and Darling's test accepts it (level 0.05; Choulakian &
 * Stephens 2001, doi:10.1198/00401700152672573). NaN when none is accepted or the value lies beyond the fitted end: keep the
 * counted p then. Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_permute_tail(nep_ctx *ctx, const double *null, int64_t n, double value, double *p);

/* The |t| (rows = 0) or F on `rows` degrees of freedom beyond which a share `p` lies: both tails of t unless `positive`. */
double nep_permute_quantile(double p, int64_t rows, double df, bool positive);

#ifdef __cplusplus
}
#endif
#endif
