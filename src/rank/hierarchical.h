/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchical.h - what the files of the hierarchical model share: packed rows, priors, one fit at given sigma. */
#ifndef NEP_RANK_HIERARCHICAL_H
#define NEP_RANK_HIERARCHICAL_H

#include <nepenthe/model.h>

/* Rows by group, each laid out as f = [1, m x, 1 - m, z]: the first n_local entries meet a group's own parameters, all but the
 * first meet the globals. */
typedef struct {
    int channels, nuisances, n_local, n_global, width; /* width = 1 + n_global */
    int64_t groups, n;
    int64_t *start; /* [groups + 1] */
    int64_t *row;   /* [n] place in the caller's arrays */
    double *f;      /* [n, width] */
    double *y, *w;  /* [n] */
    int64_t *rows, *positives; /* [groups] without copies */
    nep_hierarchical_state *state;        /* [channels] */
} rank_hierarchical_design;

NEP_MUST_USE nep_status rank_hierarchical_pack(nep_ctx *ctx, const nep_hierarchical_data *data, const nep_hierarchical_opts *o,
                                               rank_hierarchical_design *out);
void rank_hierarchical_design_free(rank_hierarchical_design *d);

/* Precisions of the priors. Means are 0 but for alpha. */
typedef struct {
    double *alpha_mean;       /* [groups] */
    double *local_precision;  /* [n_local] */
    double *global_precision; /* [n_global] */
    bool *bounded, *held;     /* [n_global] >= 0; 0 because a channel cannot be learned from */
} rank_hierarchical_prior;

NEP_MUST_USE nep_status rank_hierarchical_prior_open(nep_ctx *ctx, const rank_hierarchical_design *d, const double *prior,
                                                     const nep_hierarchical_opts *o, rank_hierarchical_prior *out);
void rank_hierarchical_prior_sigma(rank_hierarchical_prior *p, const double *sigma, int channels);
void rank_hierarchical_prior_free(rank_hierarchical_prior *p);

/* FIRST asks for the sums at the start, TRIAL for those at the end of a step that may be too long. */
typedef enum { RANK_HIERARCHICAL_FIRST, RANK_HIERARCHICAL_TRIAL, RANK_HIERARCHICAL_DONE, RANK_HIERARCHICAL_FAILED } rank_hierarchical_phase;

/* The place of one fit: parameters, and what the last step computed. */
typedef struct {
    const rank_hierarchical_design *d;
    const rank_hierarchical_prior *p;
    const int32_t *multiplicity; /* [groups] how often a group counts, NULL = once */
    rank_hierarchical_phase phase;
    double *global, *local;      /* [n_global], [groups, n_local] */
    double *trial_global, *trial_local;
    double *hessian;             /* [width, width] upper, of the group at hand */
    double *factor;              /* [groups, n_local, n_local] upper Cholesky factor of a group's Hessian */
    double *cross;               /* [groups, n_local, n_global] inverse of that Hessian times the cross block */
    double *local_step, *local_gradient; /* [groups, n_local] */
    double *schur, *reduced;     /* [n_global, n_global] both triangles, [n_global] */
    double *step, *small, *right; /* [n_global], [n_global, n_global], [n_global] of the quadratic program */
    int *index;                  /* [n_global] */
    bool *active;                /* [n_global] held at 0 */
    double objective, slope, t;  /* log posterior; its slope along the step; how much of the step is tried */
    int steps;
    bool converged;
} rank_hierarchical_work;

NEP_MUST_USE nep_status rank_hierarchical_work_open(nep_ctx *ctx, const rank_hierarchical_design *d, const rank_hierarchical_prior *p,
                                                    rank_hierarchical_work *out);
void rank_hierarchical_work_free(rank_hierarchical_work *k);

/* The mode from where global and local stand, in turns: begin; until ended, ask which coefficients [groups, width] the sums of the groups
 * that are wanted [groups] must be computed at, and tell them (nep_backend_logit_sums). FAILED: a block could not be factored. */
void rank_hierarchical_begin(rank_hierarchical_work *k);
void rank_hierarchical_ask(const rank_hierarchical_work *k, double *at, int32_t *wanted);
void rank_hierarchical_tell(rank_hierarchical_work *k, const double *sums, int most_steps, double tolerance);
bool rank_hierarchical_ended(const rank_hierarchical_work *k);

/* Takes n fits to their ends side by side. All are of the same design; row i of it counts times[b, unit[i]] in fit b, times [n, units];
 * once with unit NULL (then n and units are 1).
 * Errors: those of the backend. A fit that failed says so by its phase. */
NEP_MUST_USE nep_status rank_hierarchical_solve(nep_ctx *ctx, rank_hierarchical_work *fits, int64_t n, const int32_t *unit, int64_t units,
                                                const int32_t *times, const nep_hierarchical_opts *o);

/* Inverse of the globals' Schur complement, 0 in rows and columns of what is held at 0. Returns its log determinant (free part), NaN
 * on failure. */
double rank_hierarchical_covariance(rank_hierarchical_work *k, double *out);

#endif
