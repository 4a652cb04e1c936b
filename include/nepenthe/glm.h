/* SPDX-License-Identifier: Apache-2.0 */
/* glm - general linear models: what events make of a response, a design with its contrasts, least squares with white or
 * first-order autoregressive errors, runs taken together, t and F with their z.
 *
 * What it is not: no file is read (io) and no permutation is drawn. Times are in s, frequencies in Hz. Rows are frames (first
 * level) or people (second level), columns of the data regions or voxels. The definitions, and where peers differ, are in
 * src/imaging/README.md.
 */
#ifndef NEPENTHE_GLM_H
#define NEPENTHE_GLM_H

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the response ---------------------------------------------------------------------------------------------- */
typedef enum { NEP_GLM_SPM, NEP_GLM_GLOVER } nep_glm_hrf;
enum { NEP_GLM_OVERSAMPLING = 50 };

/* Samples of a response that lasts 32 s, one every tr_s / 50: rint(32 * 50 / tr_s) of them. */
int64_t nep_glm_response_length(double tr_s);
/* out [nep_glm_response_length]: a difference of two gamma densities with sum 1 (derivative 0), what it loses when it starts
 * 0.1 s later, per s (1), and when its first part is 0.01 wider, per unit (2). `nilearn`: 2 of Glover's is that of another
 * response, whose second part is 1 wide in place of 0.9. Source: Friston et al. (1998) doi:10.1006/nimg.1997.0306; Glover (1999)
 * doi:10.1006/nimg.1998.0419. Errors: NEP_E_ARG (tr_s outside 1 ms .. 32 s). */
NEP_MUST_USE nep_status nep_glm_response(nep_ctx *ctx, nep_glm_hrf hrf, int derivative, bool nilearn, double tr_s, double *out);

/* ---- designs ---------------------------------------------------------------------------------------------------- */
typedef struct {
    int64_t n, p;
    double *x;    /* [n, p] */
    char **names; /* [p] */
} nep_glm_design;
/* Empties it; a zeroed one is fine. */
void nep_glm_design_free(nep_glm_design *d);

typedef struct {
    int64_t n;
    const double *onset_s, *duration_s;
    const double *modulation;      /* NULL = 1 */
    const char *const *trial_type; /* [n]; NULL = all "dummy" */
} nep_glm_events;

typedef enum { NEP_GLM_NO_DRIFT, NEP_GLM_COSINE, NEP_GLM_POLYNOMIAL } nep_glm_drift;

typedef struct {
    double tr_s;
    double slice_time_ref; /* frame i is at (i + slice_time_ref) tr_s; 0 to 1 */
    nep_glm_hrf hrf;
    int derivatives; /* 0 none, 1 in time, 2 in time and dispersion */
    nep_glm_drift drift;
    double high_pass_hz; /* cosine */
    int drift_order;     /* polynomial */
    bool leave_outside;  /* events outside the run are left out with a warning; else they are an error */
    bool nilearn;        /* its own rules: events that end before the window ahead of the run act at its begin, and the
                            dispersion derivative of Glover's response */
} nep_glm_timing;
#define NEP_GLM_TIMING_DEFAULTS                                                                                        \
    {.tr_s = 0, .hrf = NEP_GLM_GLOVER, .drift = NEP_GLM_COSINE, .high_pass_hz = 0.01, .drift_order = 1}

/* Design of one run of n_t frames: conditions in order of their names with their derivatives (each made orthogonal to the
 * columns of its condition before it), confounds [n_t, k] as they are (NULL = none), drifts, `constant`.
 *
 * Outside the run is an event that ends earlier than 24 s before the first frame, or begins after the end of the last.
 * Errors: NEP_E_ARG (TR missing, options), NEP_E_SHAPE (confounds of another length), NEP_E_FORMAT (an event without onset,
 * with a negative duration, outside the run, no event at all; a confound that is not finite; two columns of one name). Cost:
 * n_t * 1,600 / TR per condition and derivative. */
NEP_MUST_USE nep_status nep_glm_design_first(nep_ctx *ctx, int64_t n_t, const nep_glm_events *events,
                                             const nep_glm_design *confounds, const nep_glm_timing *timing,
                                             nep_glm_design *out);

/* ---- contrasts -------------------------------------------------------------------------------------------------- */
typedef struct {
    char *name;
    int64_t rows;   /* more than one, or `f`: an F test */
    bool f;
    int64_t p;
    double *weight; /* [rows, p] */
} nep_glm_contrast;
/* Empties it; a zeroed one is fine. */
void nep_glm_contrast_free(nep_glm_contrast *c);
/* Reads `face - house`, `0.5*(face + house) - cat`, or numbers `1,-1,0` (columns that are not given count 0); rows are
 * separated by `;`, and a leading `F:` makes an F test of one row. The longest column name that fits is taken.
 * Errors: NEP_E_ARG (no such column: the nearest is named; too many numbers; nothing but zeros; rows that depend on one
 * another). `where` says which design, for sentences. */
NEP_MUST_USE nep_status nep_glm_contrast_read(nep_ctx *ctx, const char *name, const char *text,
                                              const nep_glm_design *design, const char *where, nep_glm_contrast *out);

/* ---- fitting ---------------------------------------------------------------------------------------------------- */
typedef enum { NEP_GLM_OLS, NEP_GLM_AR1 } nep_glm_noise;
typedef enum { NEP_GLM_UNSCALED, NEP_GLM_PERCENT } nep_glm_scale;

typedef struct {
    nep_glm_noise noise;
    nep_glm_scale scale; /* percent: 100 (y / mean - 1) per column; a mean that is not above 0 leaves the column n/a */
    bool nilearn;        /* percent of max(mean, 1) */
} nep_glm_opts;

/* What a model estimates per column of the data. Column c, contrast j whose rows begin at r: effect[(r + i) * n_cols + c],
 * covariance rows follow each other as lower triangles (i, k <= i) of each contrast. NaN = n/a. */
typedef struct {
    int64_t n_cols, n_rows, n_pairs; /* rows and pairs of all contrasts together */
    double df;                       /* rows of the design less its columns */
    double *effect;                  /* [n_rows, n_cols] */
    double *covariance;              /* [n_pairs, n_cols] */
    double *dispersion;              /* [n_cols] variance of the (whitened) errors */
    double *rho;                     /* [n_cols] used, a multiple of 0.01; 0 with white errors */
    int64_t n_missing, n_flat, n_unscaled; /* columns n/a: a value missing; nothing left of them; no mean above 0 */
} nep_glm_fit;
void nep_glm_fit_free(nep_glm_fit *f); /* a zeroed one is fine */

typedef struct nep_glm nep_glm;
/* Prepares a design with its contrasts. Errors: NEP_E_SINGULAR (collinear columns: the sentence names them, and the contrasts
 * that are not estimable for it), NEP_E_SHAPE (no degree of freedom left), NEP_E_ARG (a value that is not finite).
 * `where` says which design, for sentences. */
NEP_MUST_USE nep_status nep_glm_open(nep_ctx *ctx, const nep_glm_design *design, const nep_glm_contrast *contrasts,
                                     int64_t n_contrasts, const nep_glm_opts *opts, const char *where, nep_glm **out);
/* Fits y float32 [n, n_cols]. All that is needed of y are its products with the design and with the design one frame
 * earlier and later, so y is read once; the refit under autoregression is exact algebra on them. Same bits for any thread
 * count. Cost: 4 n p flops per column (2 n p with white errors), float64; memory: 16 p + 60 bytes per column beside out, which
 * nep_glm_fit_free frees.
 * Source: rho, whitening and refit of nilearn 0.14 (Bullmore et al. 1996, doi:10.1002/mrm.1910350219). */
NEP_MUST_USE nep_status nep_glm_run(nep_glm *g, const float *y, int64_t n_cols, nep_glm_fit *out);
void nep_glm_free(nep_glm *g);

/* ---- runs taken together, and tests ------------------------------------------------------------------------------ */
typedef enum {
    NEP_GLM_PRECISION, /* each run weighted with the inverse of its covariance */
    NEP_GLM_MEAN       /* nilearn's first level: means of the effects (of whitened ones for F) */
} nep_glm_fixed;

typedef struct nep_glm_pool nep_glm_pool;
/* Room for n_cols columns. The contrasts must outlive it. Memory: 8 n_cols (rows + pairs + 1) bytes. */
NEP_MUST_USE nep_status nep_glm_pool_open(nep_ctx *ctx, const nep_glm_contrast *contrasts, int64_t n_contrasts,
                                          int64_t n_cols, nep_glm_fixed fixed, nep_glm_pool **out);
/* Adds the columns of one fit at column[0 .. f->n_cols) of the pool (NULL = from 0). Every column gets each run once. */
NEP_MUST_USE nep_status nep_glm_pool_add(nep_glm_pool *p, const nep_glm_fit *f, const int64_t *column);
/* Says that a run is complete: its degrees of freedom count. */
void nep_glm_pool_next(nep_glm_pool *p, double df);
double nep_glm_pool_df(const nep_glm_pool *p);
/* Test of contrast j: effect and se float64 [n_cols] (NULL for F), stat (t or F) and z [n_cols]; any may be NULL. A column
 * that one run lacks is n/a. */
NEP_MUST_USE nep_status nep_glm_pool_test(nep_glm_pool *p, int64_t j, double *effect, double *se, double *stat, double *z);
void nep_glm_pool_free(nep_glm_pool *p);

/* The normal deviate with the same upper tail as t on df, or F on df1 and df2 degrees of freedom: exact far beyond where a
 * p value vanishes (|z| of some thousands). */
double nep_glm_z_of_t(double t, double df);
double nep_glm_z_of_f(double f, double df1, double df2);

#ifdef __cplusplus
}
#endif
#endif
