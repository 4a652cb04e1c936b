/* SPDX-License-Identifier: Apache-2.0 */
/* brain.c - a schematic brain from smooth ellipsoids, labelled by the nearest region centre, and its run-length text. */
#include "doc.h"

#include <math.h>
#include <string.h>

#define STEP_MM 2.0 /* voxel edge */

/* An ellipsoid in mm; a mirrored one stands for both hemispheres (x is |x|). */
typedef struct {
    double centre[3], radius[3];
} ellipsoid;

/* Outline of the cerebrum: the hemisphere, its temporal lobe, its frontal pole. Drawn by hand to the size of the MNI
 * brain (about 136 x 172 x 120 mm). */
static const ellipsoid cerebrum[] = {
    {{24.0, -18.0, 14.0}, {45.0, 86.0, 62.0}},
    {{46.0, -14.0, -20.0}, {23.0, 42.0, 23.0}},
    {{22.0, 34.0, -4.0}, {30.0, 36.0, 28.0}},
};
static const ellipsoid cerebellum = {{20.0, -66.0, -38.0}, {34.0, 30.0, 21.0}};
static const ellipsoid brainstem = {{0.0, -28.0, -32.0}, {13.0, 15.0, 34.0}};

#define RIBBON_MM     13.0 /* thickness of the drawn cortex: fat enough to be seen and clicked */
#define DEEP_MM       10.0 /* radius around a centre outside the cortex */
#define BURIED_MM     7.0  /* radius around a cortical centre that lies below the ribbon, as the insula does */
#define FISSURE_MM    1.5  /* half width of the gap between the hemispheres */
#define MEDIAL_MM     10.0 /* depth of the medial wall's cortex */
#define MEDIAL_FLOOR  2.0  /* mm above which the medial wall is drawn as cortex */

/* Depth under the surface in mm along the shortest radius, negative outside. */
static double depth(const ellipsoid *e, double ax, double y, double z)
{
    const double u = (ax - e->centre[0]) / e->radius[0], v = (y - e->centre[1]) / e->radius[1],
                 w = (z - e->centre[2]) / e->radius[2];
    const double r = sqrt(u * u + v * v + w * w);
    return (1.0 - r) * fmin(e->radius[0], fmin(e->radius[1], e->radius[2]));
}

static double cerebrum_depth(double x, double y, double z)
{
    double best = -INFINITY;
    for (int i = 0; i < NEP_LEN(cerebrum); i++)
        best = fmax(best, depth(&cerebrum[i], fabs(x), y, z));
    return best;
}

/* Nearest centre of the wanted compartment on this side of the midline; -1 when there is none. */
static int64_t nearest(const nep_geometry *g, bool cortex, double x, double y, double z, double *distance)
{
    int64_t best = -1;
    double least = INFINITY;
    for (int64_t i = 0; i < g->n_regions; i++) {
        if (g->cortex[i] != cortex || (g->hemisphere[i] == 'L' && x > 0.0) || (g->hemisphere[i] == 'R' && x < 0.0))
            continue;
        const double dx = g->mm[i][0] - x, dy = g->mm[i][1] - y, dz = g->mm[i][2] - z;
        const double d = dx * dx + dy * dy + dz * dz;
        if (d < least) {
            least = d;
            best = i;
        }
    }
    *distance = sqrt(least);
    return best;
}

static int32_t label_at(const nep_geometry *g, double x, double y, double z)
{
    const int32_t tissue = (int32_t)g->n_regions + 1;
    const double inside = cerebrum_depth(x, y, z);
    const bool stem = depth(&brainstem, x, y, z) > 0.0, small = depth(&cerebellum, fabs(x), y, z) > 0.0;
    double to_deep, to_surface;
    int64_t deep, surface;
    if (inside <= 0.0 && !stem && !small)
        return 0;
    if (fabs(x) < FISSURE_MM && z > MEDIAL_FLOOR + 12.0 && !stem)
        return 0;
    deep = nearest(g, false, x, y, z, &to_deep);
    surface = nearest(g, true, x, y, z, &to_surface);
    if (deep >= 0 && ((to_deep <= DEEP_MM && to_deep <= to_surface) || (stem && inside <= 0.0 && g->hemisphere[deep] == 'B')))
        return 1 + (int32_t)deep;
    const bool ribbon = inside > 0.0 && (inside < RIBBON_MM || (fabs(x) < MEDIAL_MM && z > MEDIAL_FLOOR && !stem));
    return surface >= 0 && (ribbon || to_surface <= BURIED_MM) ? 1 + (int32_t)surface : tissue;
}

nep_status nep_report_draw_brain(nep_ctx *ctx, const nep_geometry *geometry, nep_atlas *out)
{
    nep_atlas a = {.grid = {.nx = 73, .ny = 93, .nz = 73, .voxel_mm = {STEP_MM, STEP_MM, STEP_MM}}};
    const double origin[3] = {-72.0, -108.0, -68.0};
    NEP_REQUIRE(ctx, geometry && out && geometry->n_regions > 0, NEP_E_ARG, "report: no regions to draw a brain from");
    NEP_REQUIRE(ctx, geometry->n_regions < 65534, NEP_E_ARG, "report: %lld regions are more than the drawing can hold",
                (long long)geometry->n_regions);
    NEP_TRY(nep_alloc(ctx, nep_grid_voxels(&a.grid), sizeof *a.label, "schematic brain", &a.label));
    a.n_regions = geometry->n_regions;
    for (int r = 0; r < 3; r++) {
        a.grid.affine[r][r] = STEP_MM;
        a.grid.affine[r][3] = origin[r];
    }
    int64_t v = 0;
    for (int64_t k = 0; k < a.grid.nz; k++)
        for (int64_t j = 0; j < a.grid.ny; j++)
            for (int64_t i = 0; i < a.grid.nx; i++)
                a.label[v++] = label_at(geometry, origin[0] + STEP_MM * (double)i, origin[1] + STEP_MM * (double)j,
                                        origin[2] + STEP_MM * (double)k);
    *out = a;
    return NEP_OK;
}

/* Runs as three bytes each; `out` may be NULL to count. */
static int64_t runs(const int32_t *label, int64_t n, unsigned char *out)
{
    int64_t bytes = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && end - i < 255 && label[end] == label[i];)
            end++;
        if (out) {
            out[bytes] = (unsigned char)(label[i] & 255);
            out[bytes + 1] = (unsigned char)(label[i] >> 8 & 255);
            out[bytes + 2] = (unsigned char)(end - i);
        }
        bytes += 3;
    }
    return bytes;
}

json_t *nep_brain_encode(nep_ctx *ctx, const nep_atlas *atlas, nep_status *st)
{
    const int64_t n = nep_grid_voxels(&atlas->grid), bytes = runs(atlas->label, n, NULL);
    unsigned char *packed = NULL;
    char *text = NULL;
    json_t *o = NULL;
    NEP_TRY_OR_DONE(*st, nep_alloc(ctx, bytes, 1, "packed atlas", &packed));
    NEP_TRY_OR_DONE(*st, nep_alloc(ctx, (bytes + 2) / 3 * 4 + 1, 1, "atlas text", &text));
    runs(atlas->label, n, packed);
    nep_base64_encode(packed, (size_t)bytes, text);
    const nep_grid *g = &atlas->grid;
    o = json_pack("{s:[I,I,I], s:[f,f,f], s:[f,f,f], s:s}", "shape", (json_int_t)g->nx, (json_int_t)g->ny,
                  (json_int_t)g->nz, "origin", g->affine[0][3], g->affine[1][3], g->affine[2][3], "step", g->voxel_mm[0],
                  g->voxel_mm[1], g->voxel_mm[2], "rle", text);
done:
    nep_alloc_free(text);
    nep_alloc_free(packed);
    return o;
}
