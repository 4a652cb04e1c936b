/* SPDX-License-Identifier: Apache-2.0 */
/* imaging - what is measured on brain images: regional series, cleaned series, connectivity, slow amplitude, quality.
 *
 * What it is not: it reads and writes no files (io) and decides nothing about disorders. Series are float32
 * [n_t, n_cols], row-major, one row per frame; times are in s, frequencies in Hz, lengths in mm, rotations in rad.
 * NaN means missing: a missing value is left out, and what cannot be computed is NaN. The definition of each measure,
 * and where peers differ, is in src/imaging/README.md.
 */
#ifndef NEPENTHE_IMAGING_H
#define NEPENTHE_IMAGING_H

#include <math.h>

#include <nepenthe/backend.h>
#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parcels: one number per region and volume, streamed ----------------------------------------------------- */
typedef enum {
    NEP_PARCELS_MEAN,
    NEP_PARCELS_MEDIAN,
    NEP_PARCELS_SUM,
    NEP_PARCELS_MIN,
    NEP_PARCELS_MAX,
    NEP_PARCELS_SD,      /* population */
    NEP_PARCELS_VARIANCE /* population */
} nep_parcels_statistic;

typedef struct {
    nep_parcels_statistic statistic;
    bool nan_as_zero;       /* nilearn's rule: a voxel that is not finite counts as 0; ours leaves it out */
    const nep_volume *mask; /* on the atlas's grid, voxels != 0 take part; NULL = all */
} nep_parcels_opts;

typedef struct nep_parcels nep_parcels;

/* Prepares runs of voxels per region. Every region of the atlas keeps its place, also without voxels (then NaN).
 * Memory: 8 bytes per labelled voxel. Errors: NEP_E_GRID (mask on another grid), NEP_E_FORMAT (atlas without
 * regions), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_parcels_open(nep_ctx *ctx, const nep_atlas *atlas, const nep_parcels_opts *opts,
                                         nep_parcels **out);
/* Statistic of n_vol volumes x float32 [n_vol, voxels]; out float64 [n_vol, n_regions]. Mean and sum run on the
 * context's backend. Errors: those of the backend. */
NEP_MUST_USE nep_status nep_parcels_add(nep_parcels *p, const float *x, int64_t n_vol, double *out);
/* Mean or sum of one volume as stored (NEP_U8, NEP_I16, NEP_I32), summed exactly in int64 and then scaled:
 * value = slope * raw + inter. Cannot fail and touches no context, so it may run beside a reader's thread; other
 * statistics and types are for nep_parcels_add (nep_parcels_takes_raw says which). */
void nep_parcels_add_raw(nep_parcels *p, const void *x, nep_dtype dtype, double slope, double inter, double *out);
bool nep_parcels_takes_raw(const nep_parcels *p, nep_dtype dtype);
/* Voxels of each region in the atlas, and how many of them (mask, finite) took part, averaged over the volumes
 * added. Both [n_regions], either may be NULL. */
void nep_parcels_coverage(const nep_parcels *p, int64_t *voxels, double *used);
int64_t nep_parcels_count(const nep_parcels *p); /* regions */
void nep_parcels_free(nep_parcels *p);
/* The atlas on another grid: each voxel centre takes the label of the nearest atlas voxel, 0 outside (rule of
 * scipy.ndimage order 0: floor(x + 0.5), anything beyond the outermost centres is outside). Regions keep order and
 * names. Errors: NEP_E_GRID (an affine that cannot be inverted), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_parcels_resample(nep_ctx *ctx, const nep_atlas *atlas, const nep_grid *grid, nep_atlas *out);

/* ---- parcels of weight maps: overlapping or probabilistic regions ---------------------------------------------- */
typedef struct nep_parcels_maps nep_parcels_maps;

/* Amounts x of n_maps weight maps W in each volume y: argmin ||W x - y|| over the voxels in the mask, as nilearn's
 * NiftiMapsMasker. A voxel missing in a volume is left out of that volume's fit (nan_as_zero: counts as 0, nilearn's rule); the
 * statistic of opts has no say. names (for sentences, lent while p lives) may be NULL. Products run on
 * the context's backend. Memory: 16 bytes per weight other than 0.
 * Errors: NEP_E_GRID (mask on another grid), NEP_E_FORMAT (number of maps). */
NEP_MUST_USE nep_status nep_parcels_maps_open(nep_ctx *ctx, const nep_grid *grid, int64_t n_maps, char *const *names,
                                              const nep_parcels_opts *opts, nep_parcels_maps **out);
/* The next map's weights, float32 [voxels]; what is not finite weighs 0. All maps come before the first volume. */
NEP_MUST_USE nep_status nep_parcels_maps_weights(nep_parcels_maps *p, const float *w);
/* Amounts in n_vol volumes x float32 [n_vol, voxels]; out float64 [n_vol, n_maps], NaN for a map without voxels. Same bits for
 * any thread count. Errors: NEP_E_SINGULAR (a map that is a combination of others: named), NEP_E_FORMAT (no map has a voxel). */
NEP_MUST_USE nep_status nep_parcels_maps_add(nep_parcels_maps *p, const float *x, int64_t n_vol, double *out);
/* Voxels of each map, how many took part (mean over volumes), and their share of its absolute weight. All [n_maps] or NULL. */
void nep_parcels_maps_coverage(const nep_parcels_maps *p, int64_t *voxels, double *used, double *share);
void nep_parcels_maps_free(nep_parcels_maps *p);

/* ---- clean: confound regression and filtering as one linear operator ----------------------------------------- */
typedef enum { NEP_CLEAN_NO_FILTER, NEP_CLEAN_BUTTERWORTH, NEP_CLEAN_COSINE } nep_clean_filter;
typedef enum { NEP_CLEAN_UNSCALED, NEP_CLEAN_ZSCORE, NEP_CLEAN_PSC } nep_clean_scale;
/* Censored frames before the first and after the last kept one, while the filter runs: not there, the nearest kept frame's
 * value, or the spline's. */
typedef enum { NEP_CLEAN_ENDS_DROP, NEP_CLEAN_ENDS_NEAREST, NEP_CLEAN_ENDS_SPLINE } nep_clean_ends;
/* Whose rules where they differ (README): XCP-D regresses on kept frames after a filter of constant padding, a line goes with
 * confounds, ends are nearest; AFNI is 3dTproject, one regression on polynomials, frequencies and confounds of kept frames. 3dBandpass takes
 * the quadratic and frequencies off a padded transform, and confounds that went the same way; FSL is fslmaths -bptf on series and
 * confounds in place of Butterworth; neither censors. */
typedef enum {
    NEP_CLEAN_NEPENTHE,
    NEP_CLEAN_NILEARN,
    NEP_CLEAN_XCPD,
    NEP_CLEAN_AFNI,
    NEP_CLEAN_3DBANDPASS,
    NEP_CLEAN_FSL
} nep_clean_definition;
/* 3dTproject's censored frames: not there; zeros in the result; straight between kept ones before anything else, and kept. */
typedef enum { NEP_CLEAN_KILL, NEP_CLEAN_ZERO, NEP_CLEAN_NTRP } nep_clean_cenmode;

typedef struct {
    double tr_s;                      /* needed by the filters */
    nep_clean_filter filter;
    double high_pass_hz, low_pass_hz; /* NaN = none */
    bool detrend;                     /* a straight line, from data and confounds */
    nep_clean_scale scale;
    const double *confounds;          /* the same columns in float64, for squares of large values; NULL = the series' */
    bool unscaled_confounds;          /* divide by max |c| in place of z-scoring; matters without intercept */
    const bool *keep;                 /* [n_t], false = censored; NULL = all kept */
    bool fill;                        /* give the interpolated frames back too (for spectra) */
    nep_clean_definition definition;
    nep_clean_ends ends;              /* butterworth, or fill; XCP-D: always nearest */
    int order;                        /* of the Butterworth filter, 1 to 10; 0 = 5, with XCP-D 2 */
    int polort;                       /* AFNI: degree of the polynomials in place of detrend, -1 to 20 */
    nep_clean_cenmode cenmode;        /* AFNI */
} nep_clean_opts;

#define NEP_CLEAN_DEFAULTS                                                                                            \
    {.tr_s = (double)NAN, .filter = NEP_CLEAN_BUTTERWORTH, .high_pass_hz = (double)NAN, .low_pass_hz = (double)NAN,   \
     .detrend = true, .scale = NEP_CLEAN_ZSCORE, .polort = 2}

/* out = m (x - mean) [+ what m does to a constant], then scaled per column. */
typedef struct {
    int64_t n_in, n_out;
    double *m;      /* [n_out, n_in] */
    double *before; /* [n_in] weights of a column's mean before detrending (psc) */
    int64_t *frame; /* [n_out] input frame of each row of the result */
    bool keeps_mean; /* a constant passes through m */
    nep_clean_scale scale;
    int64_t n_confounds, rank; /* columns regressed out (with drifts), and how many were independent */
    double effective_dof;      /* tr(mm')^2 / tr(mm'mm') of the result; n_out less that is what was lost */
} nep_clean;

/* Builds the operator for runs of n_t frames. confounds [n_t, k] or NULL; a missing first row (as derivatives have)
 * takes its column's mean, missing values elsewhere are refused. opts may be NULL.
 * Errors: NEP_E_ARG (TR, cut-offs, order, a filter or fill that AFNI has not), NEP_E_SHAPE (another length), NEP_E_FORMAT
 * (missing confounds, too few frames), NEP_E_SINGULAR (confounds leave nothing). Cost: n_t^2 (40 + k).
 * Source: Lindquist et al. (2019), doi:10.1002/hbm.24528; order of steps of nilearn.signal.clean. XCP-D: Mehta et al. (2024),
 * doi:10.1162/imag_a_00257. AFNI: help of 3dTproject, source of 3dBandpass; FSL: fslmaths -bptf. */
NEP_MUST_USE nep_status nep_clean_build(nep_ctx *ctx, int64_t n_t, const nep_series *confounds,
                                        const nep_clean_opts *opts, nep_clean *out);
/* Applies it to x float32 [n_in, n_cols]; out float32 [n_out, n_cols]. A column that is not finite throughout gives
 * NaN; a column without variance gives 0 where it would be divided by it. Cost: 2 n_out n_in n_cols. */
NEP_MUST_USE nep_status nep_clean_apply(nep_ctx *ctx, const nep_clean *c, const float *x, int64_t n_cols, float *out);
void nep_clean_free(nep_clean *c);

/* Runs that follow one another in one series, each cleaned by itself: nothing is interpolated, filtered, fitted or scaled across them. */
typedef struct {
    int64_t n, n_in, n_out;
    nep_clean *run;            /* [n] */
} nep_clean_runs;
/* Operators of runs of length[n] frames, which must add up to n_t; confounds and opts as for the whole series. Errors: NEP_E_ARG (lengths),
 * those of nep_clean_build. */
NEP_MUST_USE nep_status nep_clean_runs_build(nep_ctx *ctx, const int64_t *length, int64_t n, int64_t n_t, const nep_series *confounds,
                                             const nep_clean_opts *opts, nep_clean_runs *out);
/* x [n_in, n_cols]; out [n_out, n_cols]: the runs' results, one below the other. */
NEP_MUST_USE nep_status nep_clean_runs_apply(nep_ctx *ctx, const nep_clean_runs *r, const float *x, int64_t n_cols, float *out);
void nep_clean_runs_free(nep_clean_runs *r);

/* ---- connectivity -------------------------------------------------------------------------------------------- */
typedef enum {
    NEP_CONNECTIVITY_PEARSON,
    NEP_CONNECTIVITY_PARTIAL,
    NEP_CONNECTIVITY_COVARIANCE, /* divisor n_t */
    NEP_CONNECTIVITY_PRECISION   /* inverse of that covariance */
} nep_connectivity_kind;

/* Region by region matrix of x float32 [n_t, n_cols]; out float64 [n_cols, n_cols]. Columns that are missing or do
 * not vary give NaN rows and columns and stay out of the inverse. fisher_z takes atanh off the diagonal, which
 * becomes NaN. Errors: NEP_E_ARG (fewer than 3 frames; fisher_z of a covariance), NEP_E_SINGULAR (partial and
 * precision: regions not independent over these frames; nothing is shrunk in silence). */
NEP_MUST_USE nep_status nep_connectivity(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols,
                                         nep_connectivity_kind kind, bool fisher_z, double *out);

/* The same from the covariance (1 - s) S + s tr(S) / n I, S with divisor n_t, s by Ledoit and Wolf: never chosen in silence,
 * and defined where there are more regions than frames. Pearson is of z-scored columns (the other kinds of the columns as they
 * are), so that it shrinks every correlation by 1 - s. *shrinkage gets s, and may be NULL.
 * Source: Ledoit & Wolf (2004), doi:10.1016/S0047-259X(03)00096-4. */
NEP_MUST_USE nep_status nep_connectivity_ledoit_wolf(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols,
                                                     nep_connectivity_kind kind, bool fisher_z, double *shrinkage,
                                                     double *out);

/* Tangent space of covariances c float64 [n_runs, n, n]: mean is their geometric mean M, the M at which the logarithms
 * log(M^-1/2 C M^-1/2) add up to zero, and out [n_runs, n, n] are these logarithms. A region that is NaN in one run is NaN in
 * all. Deterministic for any thread count. Cost: about 10 n_runs symmetric eigenproblems.
 * Errors: NEP_E_ARG (fewer than 2 runs), NEP_E_SINGULAR (a covariance that is not positive definite, named by its place from
 * 1). Source: Varoquaux et al. (2010), doi:10.1007/978-3-642-15705-9_25; Pennec et al. (2006), doi:10.1007/s11263-005-3222-z. */
NEP_MUST_USE nep_status nep_connectivity_tangent(nep_ctx *ctx, const double *c, int64_t n_runs, int64_t n, double *mean,
                                                 double *out);

/* ---- voxelwise: amplitude of slow fluctuations, temporal signal to noise -------------------------------------- */
typedef enum {
    NEP_VOXELWISE_CANONICAL,
    NEP_VOXELWISE_AFNI,
    NEP_VOXELWISE_CPAC,
    NEP_VOXELWISE_XCPD,
    NEP_VOXELWISE_CONN
} nep_voxelwise_definition;
/* "canonical", "afni", ... for sentences. */
const char *nep_voxelwise_name(nep_voxelwise_definition d);

/* ALFF and fractional ALFF per column in the band low_hz..high_hz; either output may be NULL, both float64 [n_cols].
 * A column without variance gives ALFF 0 and fALFF NaN. xcpd has no fALFF (NEP_E_ARG).
 * Errors: NEP_E_ARG (TR, band without a frequency). Source: Zang et al. (2007), doi:10.1016/j.braindev.2006.07.002;
 * Zou et al. (2008), doi:10.1016/j.jneumeth.2008.04.012. */
NEP_MUST_USE nep_status nep_voxelwise_alff(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, double tr_s,
                                           double low_hz, double high_hz, nep_voxelwise_definition definition,
                                           double *alff, double *falff);
/* Puts the maps of different people on one footing: divided by their mean, or less it and divided by their SD (n - 1). Over
 * the n values that are not missing, in place; *mean and *sd get what was taken, and may be NULL. Errors: NEP_E_FORMAT
 * (no value; a mean, or an SD, of 0), map as it was. */
typedef enum { NEP_VOXELWISE_UNSCALED, NEP_VOXELWISE_BY_MEAN, NEP_VOXELWISE_ZSCORE } nep_voxelwise_scaling;
NEP_MUST_USE nep_status nep_voxelwise_scale(nep_ctx *ctx, float *map, int64_t n, nep_voxelwise_scaling scaling, double *mean,
                                            double *sd);
/* Mean over population SD per column; NaN where the SD is not above 1e-3 (nipype's rule gives 0). */
NEP_MUST_USE nep_status nep_voxelwise_tsnr(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, double *tsnr);

/* ---- quality --------------------------------------------------------------------------------------------------- */
typedef enum { NEP_QUALITY_POWER, NEP_QUALITY_JENKINSON } nep_quality_displacement;

/* Framewise displacement of motion float64 [n_t, 6] = trans x y z (mm), rot x y z (rad); out[0] = NaN.
 * power: sum |d trans| + radius sum |d rot|, radius 50 mm (doi:10.1016/j.neuroimage.2011.10.018); jenkinson:
 * sqrt(|b|^2 + radius^2 / 5 tr(M'M)), M b from A_t A_(t-1)^-1 - I, A = [Rx Ry Rz | trans], radius 80 mm
 * (doi:10.1006/nimg.2002.1132). radius_mm NaN = that default. */
NEP_MUST_USE nep_status nep_quality_fd(nep_ctx *ctx, const double *motion, int64_t n_t, nep_quality_displacement kind,
                                       double radius_mm, double *out);
/* DVARS of in-mask series after scaling their median to 1000, standardised DVARS, and voxelwise-standardised DVARS
 * (nipype's definition; voxels without variance left out); each float64 [n_t], [0] = NaN. kept (may be NULL) gets
 * the number of voxels used. Errors: NEP_E_FORMAT (no voxel varies, median not positive).
 * Source: Nichols (2017), arXiv:1704.01469. */
NEP_MUST_USE nep_status nep_quality_dvars(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, double *dvars,
                                          double *standardised, double *voxelwise, int64_t *kept);
/* A mask for images that come without one: mean image at or above the middle of the widest gap between the 20th and
 * 85th percentile of its values. mean, mask float32 [n]. Returns the voxels inside. Errors: NEP_E_FORMAT (no gap). */
NEP_MUST_USE nep_status nep_quality_mask(nep_ctx *ctx, const float *mean, int64_t n, float *mask, int64_t *inside);

/* ---- tfce: enhancement of one map ---------------------------------------------------------------------------- */
typedef struct {
    double e, h;      /* exponents of extent and height; 0.5 and 2 in the paper */
    int connectivity; /* 6, 18 or 26 neighbours */
    double voxel_mm3; /* extent of one voxel: 1 counts voxels */
    bool two_sided;   /* values below 0 are enhanced as those of -map, and keep their sign */
    int steps;        /* 0 = the integral, exactly; n = what peers sum: extent^e z^h at z = max / n, 2 max / n, ..., max
                       * (max of the map, of |map| when two-sided), not multiplied by the step's width */
} nep_tfce_opts;
#define NEP_TFCE_DEFAULTS                                                                                              \
    {.e = 0.5, .h = 2.0, .connectivity = 6, .voxel_mm3 = 1.0, .two_sided = true}

/* Scratch for maps of one mask; one thread at a time. inside [nx ny nz] or NULL = all voxels, dims = {nx, ny, nz}, x
 * fastest. Errors: NEP_E_ARG (options, dims, nothing inside), NEP_E_NOMEM. Memory: 64 bytes per voxel. */
typedef struct nep_tfce nep_tfce;
NEP_MUST_USE nep_status nep_tfce_open(nep_ctx *ctx, const int64_t dims[3], const bool *inside, const nep_tfce_opts *opts,
                                      nep_tfce **out);
/* Integral over 0 < z <= value[v] of extent(v, z)^e z^h dz, exactly, from the tree of the map's components: value and out
 * float64 [voxels inside], in the grid's order, not the same array; values finite. Cost: a sort of the
 * voxels. Smith & Nichols 2009, doi:10.1016/j.neuroimage.2008.03.061; Salembier 1998, doi:10.1109/83.663500. */
void nep_tfce_run(nep_tfce *t, const double *value, double *out);
void nep_tfce_free(nep_tfce *t); /* takes NULL */

/* The same for one map float32 [nz, ny, nx]; NaN is outside the mask; out float64, NaN where map is NaN. Errors:
 * NEP_E_ARG (options, dims, an infinite voxel, no voxel with a value), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_tfce_score(nep_ctx *ctx, const float *map, const int64_t dims[3], const nep_tfce_opts *opts,
                                       double *out);

#ifdef __cplusplus
}
#endif
#endif
