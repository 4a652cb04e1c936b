/* SPDX-License-Identifier: Apache-2.0 */
/* schematic - a parcellation drawn by us from region centroids: for demonstrations and slice viewers. */
#include <nepenthe/data.h>

#include <math.h>

/* The outline, in mm: one ellipsoid for the cerebrum, one for the brainstem, a fissure of 2 mm at the midline. The radii
 * are those of an average adult brain rounded to whole millimetres; they decide nothing but the look. */
static const double cerebrum_centre[3] = {0, -18, 10}, cerebrum_radius[3] = {70, 88, 66};
static const double ribbon = 0.74;       /* normalised radius where the drawn cortex begins */
static const double medial_mm = 13.0;    /* the drawn cortex of the inner walls */
static const double ball_mm = 12.0;      /* cortex buried deeper, such as the insula */
static const double subcortex_mm = 11.0; /* reach of a subcortical centroid */
static const double brainstem_mm = 15.0;

static double squared(const double a[3], const double b[3])
{
    double s = 0;
    for (int k = 0; k < 3; k++)
        s += (a[k] - b[k]) * (a[k] - b[k]);
    return s;
}

static double outline_radius(const double p[3])
{
    double s = 0;
    for (int k = 0; k < 3; k++) {
        const double d = (p[k] - cerebrum_centre[k]) / cerebrum_radius[k];
        s += d * d;
    }
    return sqrt(s);
}

/* Index of the nearest region among those of one kind that may hold the point, or -1. */
static int64_t nearest(const nep_geometry *g, const double p[3], bool cortex, double *distance)
{
    int64_t best = -1;
    for (int64_t r = 0; r < g->n_regions; r++) {
        if (g->cortex[r] != cortex || (g->hemisphere[r] == 'L' && p[0] > 0) || (g->hemisphere[r] == 'R' && p[0] < 0))
            continue;
        const double d = sqrt(squared(p, g->mm[r]));
        if (best < 0 || d < *distance) {
            best = r;
            *distance = d;
        }
    }
    return best;
}

static int64_t region_at(const nep_geometry *g, const double p[3])
{
    double deep = 0, shallow = 0;
    const int64_t inner = nearest(g, p, false, &deep);
    if (inner >= 0 && deep <= (g->hemisphere[inner] == 'B' ? brainstem_mm : subcortex_mm))
        return inner;
    const double rho = outline_radius(p);
    if (rho > 1.0 || fabs(p[0]) < 1.0)
        return -1;
    const int64_t outer = nearest(g, p, true, &shallow);
    const bool drawn = rho >= ribbon || fabs(p[0]) <= medial_mm || shallow <= ball_mm;
    return outer >= 0 && drawn ? outer : -1;
}

static void make_grid(double voxel_mm, nep_grid *grid)
{
    const double low[3] = {-76, -112, -64}, high[3] = {76, 76, 82};
    *grid = (nep_grid){.nx = (int64_t)floor((high[0] - low[0]) / voxel_mm) + 1,
                       .ny = (int64_t)floor((high[1] - low[1]) / voxel_mm) + 1,
                       .nz = (int64_t)floor((high[2] - low[2]) / voxel_mm) + 1};
    for (int k = 0; k < 3; k++) {
        grid->affine[k][k] = grid->voxel_mm[k] = voxel_mm;
        grid->affine[k][3] = low[k];
    }
}

/* The centroid's own voxel goes to its region, so that small regions never vanish on a coarse grid. */
static nep_status claim_centroids(nep_ctx *ctx, const nep_geometry *g, nep_atlas *a)
{
    const int64_t n[3] = {a->grid.nx, a->grid.ny, a->grid.nz};
    for (int64_t r = 0; r < g->n_regions; r++) {
        int64_t at[3];
        for (int k = 0; k < 3; k++) {
            const double c = floor((g->mm[r][k] - a->grid.affine[k][3]) / a->grid.affine[k][k] + 0.5);
            NEP_REQUIRE(ctx, c >= 0 && c < (double)n[k], NEP_E_FORMAT,
                        "geometry: region '%s' lies at %.0f, %.0f, %.0f mm, outside a human head in MNI space", g->names[r], g->mm[r][0],
                        g->mm[r][1], g->mm[r][2]);
            at[k] = (int64_t)c;
        }
        int32_t *voxel = &a->label[at[0] + n[0] * (at[1] + n[1] * at[2])];
        for (int64_t q = 0; q < r; q++)
            NEP_REQUIRE(ctx, *voxel != q + 1 || squared(g->mm[r], g->mm[q]) > 1e-6, NEP_E_FORMAT,
                        "geometry: regions '%s' and '%s' have the same centroid", g->names[q], g->names[r]);
        *voxel = (int32_t)(r + 1);
    }
    return NEP_OK;
}

nep_status nep_schematic_draw(nep_ctx *ctx, const nep_geometry *g, double voxel_mm, nep_atlas *out)
{
    nep_atlas a = {0};
    nep_status st;
    NEP_REQUIRE(ctx, voxel_mm >= 1.0 && voxel_mm <= 10.0, NEP_E_ARG, "schematic atlas: voxels of %g mm, must be 1 to 10", voxel_mm);
    make_grid(voxel_mm, &a.grid);
    a.n_regions = g->n_regions;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&a.grid), sizeof *a.label, "schematic atlas", &a.label));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, a.n_regions, sizeof *a.id, "schematic atlas", &a.id));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, a.n_regions, sizeof *a.names, "schematic atlas", &a.names));
    for (int64_t r = 0; r < a.n_regions; r++) {
        a.id[r] = (int32_t)(r + 1);
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, g->names[r], &a.names[r]));
    }
#pragma omp parallel for schedule(static)
    for (int64_t k = 0; k < a.grid.nz; k++)
        for (int64_t j = 0; j < a.grid.ny; j++)
            for (int64_t i = 0; i < a.grid.nx; i++) {
                const double p[3] = {a.grid.affine[0][3] + voxel_mm * (double)i, a.grid.affine[1][3] + voxel_mm * (double)j,
                                     a.grid.affine[2][3] + voxel_mm * (double)k};
                a.label[i + a.grid.nx * (j + a.grid.ny * k)] = (int32_t)(region_at(g, p) + 1);
            }
    NEP_TRY_OR_DONE(st, claim_centroids(ctx, g, &a));
    *out = a;
    a = (nep_atlas){0};
done:
    nep_atlas_free(&a);
    return st;
}
