/* SPDX-License-Identifier: Apache-2.0 */
/* connectome - every voxel's correlations with all others, as maps: degree, strength, Fisher z, root mean square, eigenvector
 * centrality, seeds, nearest neighbours. The matrix of all pairs is never held.
 *
 * What it is not: no file is read (io), nothing is cleaned or filtered (imaging.h). Series are float32 [n_t, n_cols], one row per
 * frame. A column that is missing, or varies by no more than rounding, is left out of every count and sum and gets NaN. n is the
 * number of the columns that vary; "the others" of a column are the n - 1 besides itself. r is the product of series of length 1 in
 * float32, within 1e-7 of Pearson's. Definitions and differences from peers: src/imaging/README.md.
 */
#ifndef NEPENTHE_CONNECTOME_H
#define NEPENTHE_CONNECTOME_H

#include <nepenthe/backend.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t n_t, n_cols, n; /* frames; columns added; of them those that vary */
    int64_t room;           /* columns there is place for */
    bool detrend;
    float *unit;     /* [n, n_t], each of length 1 */
    int64_t *column; /* [n] its place among the columns added, ascending */
} nep_connectome;

/* Place for the series of at most `room` columns of n_t frames: 4 bytes per frame and column, all that is held. detrend takes a
 * straight line off each. Errors: NEP_E_ARG (fewer than 3 frames, no column), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_connectome_open(nep_ctx *ctx, int64_t n_t, int64_t room, bool detrend, nep_connectome *out);
/* Adds n_cols more columns, x [n_t, n_cols]. Errors: NEP_E_ARG (more than there is place for), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_connectome_add(nep_ctx *ctx, nep_connectome *c, const float *x, int64_t n_cols);
/* Empties it; a zeroed one is fine. */
void nep_connectome_free(nep_connectome *c);

typedef struct {
    double threshold; /* r above it is a connection, 0 <= threshold < 1 */
    bool two_sided;   /* |r| in place of r, for degree and weighted */
    bool afni;        /* mean_z as 3dTcorrMap -Zmean: tanh of the mean of atanh(r / 1.0001) */
} nep_connectome_opts;

/* 0.25: Buckner et al. (2009), doi:10.1523/JNEUROSCI.5062-08.2009. */
#define NEP_CONNECTOME_DEFAULTS {.threshold = 0.25}

/* Per column, float64 [n_cols], each may be NULL: degree = number of the others with r > threshold; weighted = sum of those r;
 * mean_z = mean over the others of atanh r, |r| held at 1 - 2^-20 (z = 7.28). opts may be NULL. degree is that of exact products of the unit
 * series, whatever the backend. Errors: NEP_E_ARG (threshold), NEP_E_FORMAT (fewer than 2 columns vary), those of the backend.
 * Cost: n^2 n_t, each pair once. Source: Zuo et al. (2012), doi:10.1093/cercor/bhr269. */
NEP_MUST_USE nep_status nep_connectome_pairs(nep_ctx *ctx, const nep_connectome *c, const nep_connectome_opts *opts, double *degree,
                                             double *weighted, double *mean_z);

/* Sum of r over the others, float64 [n_cols]: unit . (sum of all) less the column's own. Over n - 1 it is the mean correlation.
 * Exact up to rounding of the unit series. Errors: NEP_E_FORMAT (as above). Cost: 4 n n_t. */
NEP_MUST_USE nep_status nep_connectome_strength(nep_ctx *ctx, const nep_connectome *c, double *strength);

/* Root of the mean of r^2 over the others, float64 [n_cols], from the n_t x n_t products of frames: sum of r^2 = u' G u, exact.
 * Errors: NEP_E_FORMAT (as above). Cost: 2 n n_t^2. */
NEP_MUST_USE nep_status nep_connectome_rms(nep_ctx *ctx, const nep_connectome *c, double *rms);

typedef struct {
    double tolerance; /* 0: the eigenvector itself; else power iteration from 1 / sqrt(n) until the step is at most this */
    int64_t most;     /* iterations; a start that has not settled by then is a warning */
} nep_connectome_power;

/* Eigenvector centrality: the eigenvector of the largest eigenvalue of the matrix r + 1 (diagonal 2), of length 1, float64
 * [n_cols], from the (n_t + 1) x (n_t + 1) products of frames and of a constant. Power iteration gives the vectors that it gives on
 * the whole matrix. opts NULL = the eigenvector. Errors: NEP_E_ARG (tolerance, most), NEP_E_FORMAT (as above), NEP_E_INTERNAL
 * (LAPACK). Cost: n n_t^2 + 4/3 n_t^3. Source: Lohmann et al. (2010), doi:10.1371/journal.pone.0010232; Wink et al. (2012),
 * doi:10.1089/brain.2012.0087. */
NEP_MUST_USE nep_status nep_connectome_eigenvector(nep_ctx *ctx, const nep_connectome *c, const nep_connectome_power *opts, double *out);

/* r of every column with each of m seed series float64 [m, n_t], which are made unit series first; out float64 [m, n_cols].
 * fisher_z gives atanh r, |r| held at 1 - 2^-20. Errors: NEP_E_ARG (no seed), NEP_E_FORMAT (a seed that is missing or does not vary,
 * by its number from 1). Cost: 2 m n n_t. */
NEP_MUST_USE nep_status nep_connectome_seeds(nep_ctx *ctx, const nep_connectome *c, const double *seed, int64_t m, bool fisher_z,
                                             double *out);

/* Per column the k others with the largest r, in a total order: r descending, then column ascending; neighbour int64 [n_cols, k]
 * (-1 = none) and r float64 [n_cols, k] (NaN), r in float64 products of the unit series. Errors: NEP_E_ARG (k), NEP_E_FORMAT (as
 * above). Cost: n^2 n_t. */
NEP_MUST_USE nep_status nep_connectome_neighbours(nep_ctx *ctx, const nep_connectome *c, int64_t k, int64_t *neighbour, double *r);

#ifdef __cplusplus
}
#endif
#endif
