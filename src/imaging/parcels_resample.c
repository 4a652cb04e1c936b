/* SPDX-License-Identifier: Apache-2.0 */
/* parcels_resample - an atlas brought onto another grid, nearest neighbour through the two affines. */
#include <nepenthe/imaging.h>

/* Index of the nearest atlas voxel along one axis, -1 outside. A hair of rounding at the border is not outside. */
static int64_t nearest(double x, int64_t n)
{
    const double slack = 1e-6;
    if (!(x >= -slack && x <= (double)(n - 1) + slack))
        return -1;
    const int64_t i = (int64_t)floor(x + 0.5);
    return i < 0 ? 0 : i > n - 1 ? n - 1 : i;
}

static void fill_labels(const nep_atlas *a, const nep_grid *g, double from_mm[3][4], int32_t *label)
{
    double m[3][4]; /* voxel of g to voxel of a */
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) {
            m[i][j] = j == 3 ? from_mm[i][3] : 0;
            for (int k = 0; k < 3; k++)
                m[i][j] += from_mm[i][k] * g->affine[k][j];
        }
    for (int64_t z = 0, v = 0; z < g->nz; z++)
        for (int64_t y = 0; y < g->ny; y++)
            for (int64_t x = 0; x < g->nx; x++, v++) {
                int64_t at[3];
                const int64_t size[3] = {a->grid.nx, a->grid.ny, a->grid.nz};
                for (int i = 0; i < 3; i++)
                    at[i] = nearest(m[i][0] * (double)x + m[i][1] * (double)y + m[i][2] * (double)z + m[i][3], size[i]);
                if (at[0] >= 0 && at[1] >= 0 && at[2] >= 0)
                    label[v] = a->label[(at[2] * size[1] + at[1]) * size[0] + at[0]];
            }
}

nep_status nep_parcels_resample(nep_ctx *ctx, const nep_atlas *atlas, const nep_grid *grid, nep_atlas *out)
{
    nep_atlas a = {.grid = *grid};
    double from_mm[3][4];
    nep_status st;
    NEP_REQUIRE(ctx, nep_grid_inverse(&atlas->grid, from_mm), NEP_E_GRID, "parcels: the atlas's affine cannot be inverted");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(grid), sizeof *a.label, "resampled atlas", &a.label));
    NEP_TRY_OR_DONE(st, nep_alloc_copy(ctx, atlas->id, atlas->n_regions, sizeof *a.id, "region ids", &a.id));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, atlas->n_regions, sizeof *a.names, "region names", &a.names));
    a.n_regions = atlas->n_regions;
    for (int64_t r = 0; r < a.n_regions; r++)
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, atlas->names[r], &a.names[r]));
    fill_labels(atlas, grid, from_mm, a.label);
    *out = a;
    a = (nep_atlas){0};
done:
    nep_atlas_free(&a);
    return st;
}
