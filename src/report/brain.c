/* SPDX-License-Identifier: Apache-2.0 */
/* brain.c - the schematic parcellation as the page's viewer reads it: tissue between the regions filled, run-length text. */
#include "doc.h"

#define STEP_MM 2.0 /* voxel edge */

/* Number of the line along `axis` that runs through a voxel. */
static int64_t line_of(const nep_grid *g, int axis, int64_t i, int64_t j, int64_t k)
{
    return axis == 0 ? j + g->ny * k : axis == 1 ? i + g->nx * k : i + g->nx * j;
}

/* First and last labelled place of every line along one axis, [lines, 2]; an empty line has first > last. */
static nep_status measure_lines(nep_ctx *ctx, const nep_atlas *a, int axis, int64_t **out)
{
    const nep_grid *g = &a->grid;
    const int64_t n[3] = {g->nx, g->ny, g->nz}, lines = nep_grid_voxels(g) / n[axis];
    int64_t *ends = NULL, v = 0;
    NEP_TRY(nep_alloc(ctx, 2 * lines, sizeof *ends, "lines of the schematic brain", &ends));
    for (int64_t l = 0; l < lines; l++)
        ends[2 * l] = n[axis];
    for (int64_t k = 0; k < g->nz; k++)
        for (int64_t j = 0; j < g->ny; j++)
            for (int64_t i = 0; i < g->nx; i++, v++) {
                const int64_t at[3] = {i, j, k}, l = line_of(g, axis, i, j, k);
                if (a->label[v] == 0)
                    continue;
                if (at[axis] < ends[2 * l])
                    ends[2 * l] = at[axis];
                ends[2 * l + 1] = at[axis];
            }
    *out = ends;
    return NEP_OK;
}

/* What lies between labelled voxels along all three axes belongs to the brain, though to no region: label n_regions + 1. */
static nep_status fill_tissue(nep_ctx *ctx, nep_atlas *a)
{
    const nep_grid *g = &a->grid;
    int64_t *ends[3] = {NULL, NULL, NULL}, v = 0;
    nep_status st;
    for (int axis = 0; axis < 3; axis++)
        NEP_TRY_OR_DONE(st, measure_lines(ctx, a, axis, &ends[axis]));
    for (int64_t k = 0; k < g->nz; k++)
        for (int64_t j = 0; j < g->ny; j++)
            for (int64_t i = 0; i < g->nx; i++, v++) {
                const int64_t at[3] = {i, j, k};
                bool inside = a->label[v] == 0;
                for (int axis = 0; axis < 3 && inside; axis++) {
                    const int64_t *e = ends[axis] + 2 * line_of(g, axis, i, j, k);
                    inside = e[0] < at[axis] && at[axis] < e[1];
                }
                if (inside)
                    a->label[v] = (int32_t)a->n_regions + 1;
            }
done:
    for (int axis = 0; axis < 3; axis++)
        nep_alloc_free(ends[axis]);
    return st;
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

static nep_status encode(nep_ctx *ctx, const nep_atlas *a, json_t **out)
{
    const nep_grid *g = &a->grid;
    const int64_t n = nep_grid_voxels(g), bytes = runs(a->label, n, NULL);
    unsigned char *packed = NULL;
    char *text = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, bytes, 1, "packed schematic brain", &packed));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (bytes + 2) / 3 * 4 + 1, 1, "schematic brain as text", &text));
    runs(a->label, n, packed);
    nep_base64_encode(packed, (size_t)bytes, text);
    *out = json_pack("{s:[I,I,I], s:[f,f,f], s:[f,f,f], s:s}", "shape", (json_int_t)g->nx, (json_int_t)g->ny,
                     (json_int_t)g->nz, "origin", g->affine[0][3], g->affine[1][3], g->affine[2][3], "step", g->voxel_mm[0],
                     g->voxel_mm[1], g->voxel_mm[2], "rle", text);
    NEP_REQUIRE_OR_DONE(st, ctx, *out != NULL, NEP_E_NOMEM, "report.html: memory ran out while the brain was packed");
done:
    nep_alloc_free(text);
    nep_alloc_free(packed);
    return st;
}

nep_status nep_brain_pack(nep_ctx *ctx, const nep_geometry *geometry, json_t **out)
{
    nep_atlas a = {0};
    nep_status st;
    *out = NULL;
    NEP_REQUIRE(ctx, geometry->n_regions < 65534, NEP_E_ARG, "report.html: %lld regions are more than the viewer can hold",
                (long long)geometry->n_regions);
    st = nep_schematic_draw(ctx, geometry, STEP_MM, &a);
    if (st == NEP_E_FORMAT) { /* two centres in one voxel: the page does without pictures, and says so */
        nep_warn(ctx, "no slice viewer: %s", nep_ctx_error(ctx));
        nep_ctx_clear(ctx);
        return NEP_OK;
    }
    if (st != NEP_OK)
        goto done;
    NEP_TRY_OR_DONE(st, fill_tissue(ctx, &a));
    NEP_TRY_OR_DONE(st, encode(ctx, &a, out));
done:
    nep_atlas_free(&a);
    return st;
}
