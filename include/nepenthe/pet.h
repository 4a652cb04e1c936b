/* SPDX-License-Identifier: Apache-2.0 */
/* pet - kinetics of a tracer against a reference region: SUVR, SRTM, MRTM, MRTM2, Logan and Patlak plots, each with its
 * standard errors, for regions or voxels alike.
 *
 * What it is not: no file is read (io), no arterial input is used, nothing is decay-corrected here: activities are
 * decay-corrected already. Frames are in s from injection, rates in 1/min, --t-star and windows in min. The definitions,
 * and where peers differ, are in src/imaging/README.md.
 */
#ifndef NEPENTHE_PET_H
#define NEPENTHE_PET_H

#include <math.h>

#include <nepenthe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    NEP_PET_SUVR,
    NEP_PET_SRTM,
    NEP_PET_MRTM,
    NEP_PET_MRTM2,
    NEP_PET_LOGAN,
    NEP_PET_PATLAK
} nep_pet_model;

typedef struct {
    int64_t n;
    const double *start_s, *duration_s; /* [n] ascending, not overlapping; from injection */
    const double *weight;               /* [n] 1 / variance up to a factor, >= 0; NULL = the durations */
} nep_pet_frames;

typedef struct {
    double from_min, to_min;   /* suvr: frames that lie within; NaN = from the first, to the last */
    double t_star_min;         /* logan, patlak: frames that start at or after it */
    double k2_prime_per_min;   /* mrtm2 needs it; logan takes its term when it is finite */
    double k2a_low, k2a_high;  /* srtm: bounds of the apparent efflux k2a = k2 / (1 + BP_ND), 1/min */
    int64_t n_basis;           /* srtm: values of k2a tried between them before refinement, >= 3 */
} nep_pet_opts;

#define NEP_PET_DEFAULTS                                                                                              \
    {.from_min = (double)NAN, .to_min = (double)NAN, .t_star_min = 0, .k2_prime_per_min = (double)NAN,                \
     .k2a_low = 0.003, .k2a_high = 0.6, .n_basis = 100}

/* What a model gives: names as in tables ("bp_nd", "r1", "k2_per_min" ...), their number in *n. */
const char *const *nep_pet_parameters(nep_pet_model model, int *n);
const char *nep_pet_name(nep_pet_model model); /* "suvr", "srtm", ... */

/* Fits `model` to each column of x float32 [frames->n, n_cols] against `reference` float64 [frames->n].
 *
 * opts  may be NULL (NEP_PET_DEFAULTS)
 * out   float64 [n_cols, 2 * parameters]: value and standard error of each parameter in turn; written only on success
 *
 * A column with a value that is not finite, or that the model cannot determine, gives NaN. An srtm fit that ends at a bound
 * of k2a keeps its values and has NaN errors: they are set by the bound, not by the data.
 * Same bits for any thread count. Cost per column: srtm n * (4 n_basis + 100) flops, the others n * 50.
 * Errors: NEP_E_ARG (frames overlap or do not begin at injection, options), NEP_E_FORMAT (reference missing, not positive;
 * fewer frames than parameters).
 * Source: Gunn et al. (1997) doi:10.1006/nimg.1997.0303 (srtm); Ichise et al. (2003) doi:10.1097/01.WCB.0000085441.37552.CA
 * (mrtm, mrtm2); Logan et al. (1996) doi:10.1097/00004647-199609000-00008; Patlak & Blasberg (1985)
 * doi:10.1038/jcbfm.1985.87. */
NEP_MUST_USE nep_status nep_pet_fit(nep_ctx *ctx, nep_pet_model model, const nep_pet_frames *frames,
                                    const double *reference, const float *x, int64_t n_cols, const nep_pet_opts *opts,
                                    double *out);

#ifdef __cplusplus
}
#endif
#endif
