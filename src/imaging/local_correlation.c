/* SPDX-License-Identifier: Apache-2.0 */
/* local_correlation - unit series; from them the correlation of a voxel with all others, and with its mirror image. */
#include <nepenthe/local.h>

#include <limits.h>
#include <string.h>

nep_status nep_local_units(nep_ctx *ctx, const float *x, int64_t n_t, int64_t n_cols, float *unit, bool *inside)
{
    double *mean = NULL, *scale = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, n_t >= 3, NEP_E_ARG, "local: %lld frames; at least 3 are needed", (long long)n_t);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *mean, "voxel means", &mean));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *scale, "voxel norms", &scale));
    NEP_TRY_OR_DONE(st, nep_backend_moments(ctx, x, n_t, n_cols, mean, scale));
    for (int64_t c = 0; c < n_cols; c++) {
        inside[c] = isfinite(mean[c]) && isfinite(scale[c]) && scale[c] > 0;
        scale[c] = inside[c] ? 1 / sqrt(scale[c]) : 0;
    }
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t c = 0; c < n_cols; c++)
            unit[t * n_cols + c] = inside[c] ? (float)(((double)x[t * n_cols + c] - mean[c]) * scale[c]) : 0.0f;
done:
    nep_alloc_free(scale);
    nep_alloc_free(mean);
    return st;
}

/* Mean over the columns inside, per frame. */
static nep_status mean_series(nep_ctx *ctx, const float *unit, const bool *inside, int64_t n_t, int64_t n_cols, double *mean)
{
    int64_t start[2] = {0, 0}, *count = NULL;
    int32_t *column = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, n_cols <= INT_MAX, NEP_E_ARG, "gcor: %lld voxels are too many", (long long)n_cols);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *column, "voxels inside", &column));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t, sizeof *count, "counts", &count));
    for (int64_t c = 0; c < n_cols; c++)
        if (inside[c])
            column[start[1]++] = (int32_t)c;
    NEP_REQUIRE_OR_DONE(st, ctx, start[1] > 0, NEP_E_FORMAT, "gcor: no voxel of %lld varies", (long long)n_cols);
    NEP_TRY_OR_DONE(st, nep_backend_parcel_sums(ctx, unit, n_t, n_cols, start, column, 1, mean, count));
    for (int64_t t = 0; t < n_t; t++)
        mean[t] /= (double)start[1];
done:
    nep_alloc_free(count);
    nep_alloc_free(column);
    return st;
}

nep_status nep_local_gcor(nep_ctx *ctx, const float *unit, const bool *inside, int64_t n_t, int64_t n_cols, double *map, double *whole)
{
    double *mean = NULL;
    float *g = NULL;
    int32_t *first = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t, sizeof *mean, "mean series", &mean));
    NEP_TRY_OR_DONE(st, mean_series(ctx, unit, inside, n_t, n_cols, mean));
    *whole = 0;
    for (int64_t t = 0; t < n_t; t++)
        *whole += mean[t] * mean[t];
    if (!map)
        goto done;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t, sizeof *g, "mean series", &g));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_cols, sizeof *first, "pairs", &first));
    for (int64_t t = 0; t < n_t; t++)
        g[t] = (float)mean[t];
    memset(map, 0, (size_t)n_cols * sizeof *map);
    NEP_TRY_OR_DONE(st, nep_backend_paired_dots(ctx, unit, n_t, n_cols, g, 1, first, map));
    for (int64_t c = 0; c < n_cols; c++)
        map[c] = inside[c] ? map[c] : (double)NAN;
done:
    nep_alloc_free(first);
    nep_alloc_free(g);
    nep_alloc_free(mean);
    return st;
}

/* Voxel to voxel across x = 0 as whole steps: m = A^-1 diag(-1, 1, 1) A, rounded; the farthest corner it moves wrongly. */
static bool mirror_steps(const nep_grid *g, int64_t step[3][4], double *off)
{
    double back[3][4], m[3][4] = {{0}};
    const int64_t side[3] = {g->nx, g->ny, g->nz};
    if (!nep_grid_inverse(g, back))
        return false;
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 4; c++) {
            for (int k = 0; k < 3; k++)
                m[r][c] += back[r][k] * g->affine[k][c] * (k == 0 ? -1 : 1);
            m[r][c] += c == 3 ? back[r][3] : 0;
            step[r][c] = fabs(m[r][c]) < 1e9 ? (int64_t)llround(m[r][c]) : 0;
        }
    *off = 0;
    for (int corner = 0; corner < 8; corner++)
        for (int r = 0; r < 3; r++) {
            double d = m[r][3] - (double)step[r][3];
            for (int c = 0; c < 3; c++)
                d += (m[r][c] - (double)step[r][c]) * (corner >> c & 1 ? (double)(side[c] - 1) : 0);
            *off = fmax(*off, fabs(d));
        }
    return isfinite(*off);
}

nep_status nep_local_mirror(nep_ctx *ctx, const nep_grid *g, const int64_t *voxel, int64_t n_cols, int32_t *mirror)
{
    const int64_t side[3] = {g->nx, g->ny, g->nz}, n_vox = nep_grid_voxels(g);
    int64_t step[3][4];
    int32_t *column = NULL;
    double off = 0;
    NEP_REQUIRE(ctx, mirror_steps(g, step, &off), NEP_E_GRID, "vmhc: the affine of the image cannot be inverted");
    NEP_REQUIRE(ctx, off <= 0.01, NEP_E_GRID,
                "vmhc: the grid is not symmetric about x = 0 mm: mirrored voxels lie %.2f voxels off; bring the image onto a symmetric template first "
                "(nepenthe resample --to)", off);
    NEP_REQUIRE(ctx, n_cols <= INT_MAX, NEP_E_ARG, "vmhc: %lld voxels are too many", (long long)n_cols);
    if (n_cols == 0)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, n_vox, sizeof *column, "columns of voxels", &column));
    for (int64_t v = 0; v < n_vox; v++)
        column[v] = -1;
    for (int64_t c = 0; c < n_cols; c++)
        if (voxel[c] >= 0 && voxel[c] < n_vox)
            column[voxel[c]] = (int32_t)c;
    for (int64_t c = 0; c < n_cols; c++) {
        const int64_t at[3] = {voxel[c] % side[0], voxel[c] / side[0] % side[1], voxel[c] / (side[0] * side[1])};
        int64_t to[3];
        bool there = voxel[c] >= 0 && voxel[c] < n_vox;
        for (int r = 0; r < 3; r++) {
            to[r] = step[r][0] * at[0] + step[r][1] * at[1] + step[r][2] * at[2] + step[r][3];
            there = there && to[r] >= 0 && to[r] < side[r];
        }
        mirror[c] = there ? column[to[0] + side[0] * (to[1] + side[1] * to[2])] : -1;
    }
    nep_alloc_free(column);
    return NEP_OK;
}

nep_status nep_local_vmhc(nep_ctx *ctx, const float *unit, const bool *inside, int64_t n_t, int64_t n_cols, const int32_t *mirror,
                          nep_voxelwise_definition definition, double *out)
{
    NEP_REQUIRE(ctx, definition == NEP_VOXELWISE_CANONICAL || definition == NEP_VOXELWISE_CPAC, NEP_E_ARG,
                "vmhc: %s has none here; the definitions are canonical and cpac", nep_voxelwise_name(definition));
    memset(out, 0, (size_t)n_cols * sizeof *out);
    NEP_TRY(nep_backend_paired_dots(ctx, unit, n_t, n_cols, unit, n_cols, mirror, out));
    for (int64_t c = 0; c < n_cols; c++) {
        const int32_t m = mirror[c];
        if (m < 0 || !inside[c] || !inside[m])
            out[c] = (double)NAN;
        else if (definition == NEP_VOXELWISE_CPAC)
            out[c] = m == c ? (double)NAN : atanh(fmax(-1, fmin(out[c], 1)));
        else
            out[c] = m == c ? 1 : out[c];
    }
    return NEP_OK;
}
