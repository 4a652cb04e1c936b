/* SPDX-License-Identifier: Apache-2.0 */
/* local - what a voxel's series has in common with others: with its neighbours (ReHo, LCOR), its mirror image (VMHC),
 * all (GCOR).
 *
 * Columns of a series are voxels of a volume: voxel [n_cols], ascending, are their places in it (x fastest). A column with a value
 * that is not finite, or that does not vary, is outside: it is nobody's neighbour and its result is NaN.
 */
#ifndef NEPENTHE_LOCAL_H
#define NEPENTHE_LOCAL_H

#include <nepenthe/imaging.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Neighbours of each column: itself and those that share a face (size 7), an edge (19) or a corner (27) with it. neighbour int32
 * [n_cols, size] gets columns, -1 where there is none. inner: a voxel of the volume's outermost layer gets none at all, not even itself
 * (C-PAC's rule). Errors: NEP_E_ARG (size, dims, voxel), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_local_neighbours(nep_ctx *ctx, const int64_t dims[3], const int64_t *voxel, int64_t n_cols, int size,
                                             bool inner, int32_t *neighbour);

/* Ranks over time of x float32 [n_t, n_cols], for nep_local_reho: rank int16 [n_cols, n_t] and tie int64 [n_cols] as in
 * nep_op_time_ranks, by the rule of `definition`. Columns may come in parts. Errors: NEP_E_ARG (n_t < 3 or > NEP_RANK_MOST,
 * a definition without ReHo: conn). */
NEP_MUST_USE nep_status nep_local_ranks(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, nep_voxelwise_definition definition,
                                        int16_t *rank, int64_t *tie);

/* Regional homogeneity: Kendall's W of each column with its neighbours, corrected for ties,
 *   W = (12 sum_t R_t^2 - 3 k^2 n (n + 1)^2) / (k^2 n (n^2 - 1) - k sum_i T_i),   T_i = sum over ties (t^3 - t),
 * R_t the sum of k midranks, k neighbours with the column itself. neighbour [n_cols, n_near] may be any lists of columns (a
 * surface's, too). w float64 [n_cols], NaN where fewer than 2 take part. Exact but for the last division.
 * afni: ranks are tied where integer parts are. cpac: means of tied ranks rounded up, T_i = 0. xcpd: T_i = 0.
 * Errors: NEP_E_ARG. Source: Zang et al. (2004), doi:10.1016/j.neuroimage.2003.12.030; Kendall & Gibbons (1990), Rank Correlation
 * Methods, chapter 6. */
NEP_MUST_USE nep_status nep_local_reho(nep_ctx *ctx, const int16_t *rank, const int64_t *tie, int64_t n_t, int64_t n_cols,
                                       const int32_t *neighbour, int64_t n_near, nep_voxelwise_definition definition, double *w);

/* ---- from unit series: each column less its mean, over its norm, so that a product of two is their correlation ---- */

/* unit float32 [n_t, n_cols] (may be x); a column outside becomes 0. inside [n_cols]. Errors: NEP_E_ARG (n_t < 3). */
NEP_MUST_USE nep_status nep_local_units(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, float *unit, bool *inside);

/* Global correlation: map[c] (may be NULL) the mean correlation of column c with all columns, itself among them; *whole the mean of
 * all pairs, each with itself among them. With g the mean of the unit series, map[c] = u_c . g and *whole = |g|^2: no pair is formed.
 * Errors: NEP_E_FORMAT (no column inside). Source: Saad et al. (2013), doi:10.1089/brain.2013.0156. */
NEP_MUST_USE nep_status nep_local_gcor(nep_ctx *ctx, const float *unit, const bool *inside, int64_t n_t, int64_t n_cols, double *map,
                                       double *whole);

/* The column of each column's mirror image across x = 0 mm, -1 where there is none. The grid must be symmetric: every mirrored voxel
 * centre within 0.01 voxels of another. Errors: NEP_E_GRID (it is not, with the distance; an affine that cannot be inverted),
 * NEP_E_ARG (voxel). */
NEP_MUST_USE nep_status nep_local_mirror(nep_ctx *ctx, const nep_grid *g, const int64_t *voxel, int64_t n_cols, int32_t *mirror);

/* Voxel-mirrored homotopic connectivity: the correlation of each column with its mirror image, NaN where either is outside. A voxel
 * that is its own image has 1. cpac: Fisher's z, NaN for such a voxel. Errors: NEP_E_ARG (another definition).
 * Source: Zuo et al. (2010), doi:10.1523/JNEUROSCI.2612-10.2010. */
NEP_MUST_USE nep_status nep_local_vmhc(nep_ctx *ctx, const float *unit, const bool *inside, int64_t n_t, int64_t n_cols,
                                       const int32_t *mirror, nep_voxelwise_definition definition, double *out);

/* Local correlation: the mean correlation of a column with all columns, itself among them, weighted by a Gaussian of this width along
 * the grid's axes, cut at 4 SD: sum_u w(u - v) r(u, v) / sum_u w(u - v) over columns inside. As r(u, v) = unit_u . unit_v, it is the
 * product of a unit series with the smoothed ones. conn: cut at 3 SD, reflected at the volume's edges, what is outside the mask counts
 * with r = 0. Errors: NEP_E_ARG (width not above 0, another definition). Cost: a smoothing per frame.
 * Source: Deshpande et al. (2009), doi:10.1002/hbm.20482. */
NEP_MUST_USE nep_status nep_local_lcor(nep_ctx *ctx, const nep_grid *g, const int64_t *voxel, const float *unit, const bool *inside,
                                       int64_t n_t, int64_t n_cols, double fwhm_mm, nep_voxelwise_definition definition, double *out);

#ifdef __cplusplus
}
#endif
#endif
