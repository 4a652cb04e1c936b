/* SPDX-License-Identifier: Apache-2.0 */
/* local - what a voxel's series has in common with others: its neighbours (ReHo).
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

#ifdef __cplusplus
}
#endif
#endif
