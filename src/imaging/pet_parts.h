/* SPDX-License-Identifier: Apache-2.0 */
/* pet_parts - what the kinetic models share: frames with what follows from them, and small weighted least squares. */
#ifndef NEP_IMAGING_PET_PARTS_H
#define NEP_IMAGING_PET_PARTS_H

#include <nepenthe/pet.h>

enum { NEP_PET_MOST = 3 }; /* parameters of a linear model */

/* Frames in minutes, and the reference at their middles. All [n]. */
typedef struct {
    int64_t n;
    double *mid, *length, *weight;
    double *before;    /* weight of a frame in the integral up to the middle of a later one: length and half its gaps */
    double *reference, *reference_integral;
    double *memory;
} nep_pet_curve;

/* Integral of a series from injection to each middle: frames are constant, gaps run straight from frame to frame, and from
 * 0 at injection to the first. y and out [n], y may be float. */
void nep_pet_integral(const nep_pet_curve *c, const double *y, double *out);

/* Weighted least squares of y [n] on k columns of x [n, k] (row i at x + i * k): coefficients and their covariance
 * s^2 (X'WX)^-1, s^2 = weighted residual squares / (rows of positive weight - k). False when they are not determined. */
bool nep_pet_regress(int64_t n, int k, const double *x, const double *y, const double *w, double beta[NEP_PET_MOST],
                     double covariance[NEP_PET_MOST][NEP_PET_MOST]);

/* One column through one model; y [n] finite, scratch [n, 8], out [2 * parameters]. */
typedef void nep_pet_one(const nep_pet_curve *c, const nep_pet_opts *o, const double *y, double *scratch, double *out);
nep_pet_one nep_pet_suvr, nep_pet_mrtm, nep_pet_mrtm2, nep_pet_logan, nep_pet_patlak;

NEP_MUST_USE nep_status nep_pet_srtm(nep_ctx *ctx, const nep_pet_curve *c, const float *x, int64_t n_cols,
                                     const nep_pet_opts *o, double *out);

#endif
