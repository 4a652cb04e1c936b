/* SPDX-License-Identifier: Apache-2.0 */
/* clean_parts - the steps of cleaning, each linear on the columns of a float64 matrix [rows, cols], row-major. */
#ifndef NEP_IMAGING_CLEAN_PARTS_H
#define NEP_IMAGING_CLEAN_PARTS_H

#include <nepenthe/imaging.h>

typedef struct {
    int64_t rows, cols;
    double *x;
} nep_clean_matrix;

/* Mean and least-squares line off every column. */
void nep_clean_detrend(nep_clean_matrix *m);

/* Cut-offs, repetition time and order of a filter. Errors: NEP_E_ARG. */
NEP_MUST_USE nep_status nep_clean_cutoffs(nep_ctx *ctx, const nep_clean_opts *o);
/* Butterworth forwards and backwards, as scipy's sosfiltfilt (zi; odd padding, or with XCP-D constant of all but one row). NaN
 * cut-off = none. Errors: NEP_E_ARG (cut-offs), NEP_E_FORMAT (fewer rows than the padding needs). */
NEP_MUST_USE nep_status nep_clean_butterworth(nep_ctx *ctx, nep_clean_matrix *m, const nep_clean_opts *o);

/* fslmaths -bptf, SD 1 / (2 f TR) frames: high-pass takes off the value of a local line, then the mean; low-pass is a Gaussian.
 * NaN cut-off = none. Errors: NEP_E_ARG (cut-offs). */
NEP_MUST_USE nep_status nep_clean_bptf(nep_ctx *ctx, nep_clean_matrix *m, const nep_clean_opts *o);

/* Which rows the interpolation gives, and their weights on the n_t frames: out [rows, n_t]. row_frame [rows] names the
 * frame of each row; kept_row [n_kept] the row of each kept frame. The caller frees all three. */
typedef struct {
    nep_clean_matrix weight;
    int64_t *row_frame, *kept_row;
    int64_t n_kept;
} nep_clean_frames;
/* Not-a-knot cubic spline over the kept frames for every censored one between them; those before the first and after the last
 * kept one as `ends` says. nilearn: its mirrored index instead. Errors: NEP_E_FORMAT (fewer than 4 kept). */
NEP_MUST_USE nep_status nep_clean_spline(nep_ctx *ctx, int64_t n_t, const bool *keep, nep_clean_ends ends, bool nilearn,
                                         nep_clean_frames *out);
/* 3dTproject's NTRP: a censored row lies straight between its kept neighbours, or is the only one it has; all rows count as kept. */
NEP_MUST_USE nep_status nep_clean_straight(nep_ctx *ctx, int64_t n_t, const bool *keep, nep_clean_frames *out);
/* Censored rows are simply left out. */
NEP_MUST_USE nep_status nep_clean_drop(nep_ctx *ctx, int64_t n_t, const bool *keep, nep_clean_frames *out);
void nep_clean_frames_free(nep_clean_frames *f);

/* Confounds as float64 [n_t, k + drifts], first row mended, drifts appended for the cosine filter. */
NEP_MUST_USE nep_status nep_clean_confounds(nep_ctx *ctx, const nep_series *confounds, int64_t n_t,
                                            const nep_clean_opts *o, nep_clean_matrix *out);
/* Scales the columns and makes them orthonormal in place by pivoted Gram-Schmidt; the first `rank` columns hold the
 * basis. rows [n_rows]: orthonormal over these rows alone, the others go along; NULL = all. */
int64_t nep_clean_basis(nep_clean_matrix *c, const nep_clean_opts *o, const int64_t *rows, int64_t n_rows);
/* 3dTproject: m [kept, n_t] less its regression on polynomials, the frequencies outside the band, and the confounds `given`
 * [n_t, k] without their mean. *columns, *rank: how many there were, how many were independent. Errors: NEP_E_SINGULAR. */
NEP_MUST_USE nep_status nep_clean_afni(nep_ctx *ctx, const nep_clean_opts *o, const nep_clean_frames *f,
                                       const nep_clean_matrix *given, nep_clean_matrix *m, int64_t *columns, int64_t *rank);

/* out = a * b and its relatives through BLAS on one thread; shapes as given. */
void nep_clean_multiply(const nep_clean_matrix *a, bool transpose_a, const nep_clean_matrix *b, double factor,
                        double keep, nep_clean_matrix *out);

#endif
