/* SPDX-License-Identifier: Apache-2.0 */
/* brain.c - the study's atlas or the schematic parcellation as the page's viewer reads it: tissue between the regions filled,
 * run-length text. */
#include "doc.h"

#include <math.h>

#define STEP_MM 2.0 /* voxel edge of the schematic */
#define WIDEST_MM 10.0

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

static nep_status pack(nep_ctx *ctx, nep_atlas *a, json_t **out)
{
    NEP_TRY(fill_tissue(ctx, a));
    return encode(ctx, a, out);
}

/* An upright grid along x, y and z whose voxels are those of the atlas: nothing is resampled. */
static bool as_stored(const nep_grid *g, double step)
{
    bool yes = true;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            const double x = fabs(g->affine[a][b]);
            yes = yes && (x < 1e-4 * step || fabs(x - step) < 1e-4 * step);
        }
    return yes;
}

static nep_status try_step(nep_ctx *ctx, const nep_atlas *atlas, double step, json_t **out)
{
    nep_atlas a = {0};
    nep_status st = nep_brain_upright(ctx, atlas, step, &a);
    if (st == NEP_OK)
        st = pack(ctx, &a, out);
    nep_atlas_free(&a);
    return st;
}

/* The coarsest is kept whatever its size; nothing when not even that one can be drawn. */
static nep_status choose_step(nep_ctx *ctx, const nep_atlas *atlas, double least, int64_t most_bytes, double *step, json_t **out)
{
    for (*step = fmax(least, 1);; *step = floor(2 * *step + 1.0001) / 2) {
        const nep_status st = try_step(ctx, atlas, *step, out);
        const bool last = *step >= WIDEST_MM;
        if (st == NEP_OK && (last || (int64_t)json_string_length(json_object_get(*out, "rle")) <= most_bytes))
            return NEP_OK;
        if (st != NEP_OK && (st != NEP_E_ARG || last))
            return st;
        nep_ctx_clear(ctx);
        json_decref(*out);
        *out = NULL;
    }
}

nep_status nep_brain_pack_atlas(nep_ctx *ctx, const nep_atlas *atlas, const char *name, int64_t most_bytes, json_t **out)
{
    const double *mm = atlas->grid.voxel_mm, least = fmin(mm[0], fmin(mm[1], mm[2]));
    double step;
    int bad = 0;
    *out = NULL;
    NEP_REQUIRE(ctx, atlas->n_regions < 65534, NEP_E_ARG, "report.html: %lld regions are more than the viewer can hold", (long long)atlas->n_regions);
    const nep_status st = choose_step(ctx, atlas, least, most_bytes, &step, out);
    if (st == NEP_E_GRID || st == NEP_E_FORMAT || st == NEP_E_ARG) { /* the page does without pictures, and says so */
        nep_warn(ctx, "no slice viewer: %s", nep_ctx_error(ctx));
        nep_ctx_clear(ctx);
        return NEP_OK;
    }
    NEP_TRY(st);
    DOC_PUT(*out, "atlas", nep_doc_text(name));
    DOC_PUT(*out, "stored_mm", nep_doc_numbers(mm, 3));
    DOC_PUT(*out, "resampled", json_boolean(!as_stored(&atlas->grid, step)));
    if (!bad)
        return NEP_OK;
    json_decref(*out);
    *out = NULL;
    return nep_ctx_fail(ctx, NEP_E_NOMEM, "report.html: memory ran out while the atlas was packed");
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
    st = pack(ctx, &a, out);
done:
    nep_atlas_free(&a);
    return st;
}
