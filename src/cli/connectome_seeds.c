/* SPDX-License-Identifier: Apache-2.0 */
/* connectome_seeds - seeds by place (a voxel, or those within a radius) or by region of an atlas, and their mean series. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/connectome_maps.h"

void cli_connectome_seeds_free(cli_connectome_seeds *s)
{
    nep_data_free_names(s->names, s->n);
    void *const parts[] = {s->start, s->member, s->sum, s->used};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    *s = (cli_connectome_seeds){0};
}

/* ---- places ---- */

static void voxel_of(const double inverse[3][4], const double mm[3], double at[3])
{
    for (int a = 0; a < 3; a++)
        at[a] = inverse[a][0] * mm[0] + inverse[a][1] * mm[1] + inverse[a][2] * mm[2] + inverse[a][3];
}

static bool within(const nep_grid *g, int64_t v, const double mm[3], double radius)
{
    const double at[3] = {(double)(v % g->nx), (double)(v / g->nx % g->ny), (double)(v / g->nx / g->ny)};
    double squares = 0;
    for (int a = 0; a < 3; a++) {
        const double d = g->affine[a][0] * at[0] + g->affine[a][1] * at[1] + g->affine[a][2] * at[2] + g->affine[a][3] - mm[a];
        squares += d * d;
    }
    return squares <= radius * radius * (1 + 1e-9);
}

/* The voxel nearest to a place, and all whose centres lie within the radius of it. */
static nep_status add_place(nep_ctx *ctx, cli_connectome_seeds *s, int64_t seed, const nep_grid *g, const double mm[3], double radius)
{
    double inverse[3][4], at[3];
    NEP_REQUIRE(ctx, nep_grid_inverse(g, inverse), NEP_E_GRID, "the image's affine has no inverse: --place needs to know where its voxels lie");
    voxel_of(inverse, mm, at);
    for (int a = 0; a < 3; a++)
        at[a] = floor(at[a] + 0.5);
    NEP_REQUIRE(ctx, at[0] >= 0 && at[0] < (double)g->nx && at[1] >= 0 && at[1] < (double)g->ny && at[2] >= 0 && at[2] < (double)g->nz, NEP_E_ARG,
                "--place %s mm lies outside the image", s->names[seed]);
    const int64_t nearest = (int64_t)at[0] + g->nx * ((int64_t)at[1] + g->ny * (int64_t)at[2]), n_vox = nep_grid_voxels(g);
    int64_t n = s->start[seed];
    for (int64_t v = 0; v < n_vox; v++)
        n += v == nearest || (radius > 0 && within(g, v, mm, radius));
    NEP_TRY(nep_alloc_grow(ctx, n, sizeof *s->member, "voxels of seeds", &s->member));
    s->start[seed + 1] = n;
    n = s->start[seed];
    for (int64_t v = 0; v < n_vox; v++)
        if (v == nearest || (radius > 0 && within(g, v, mm, radius)))
            s->member[n++] = v;
    return NEP_OK;
}

/* Three words as mm. */
static nep_status read_place(nep_ctx *ctx, const char *const *text, double mm[3])
{
    for (int a = 0; a < 3; a++) {
        char *end = NULL;
        mm[a] = strtod(text[a], &end);
        NEP_REQUIRE(ctx, *text[a] && *end == '\0' && isfinite(mm[a]), NEP_E_ARG, "--place: '%s' is not a number of mm", text[a]);
    }
    return NEP_OK;
}

nep_status cli_connectome_places_check(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    int n = 0;
    double mm[3];
    const char *const *text = cli_texts(c, "place", &n);
    const double radius = cli_real(c, "radius");
    NEP_REQUIRE(ctx, n > 0 && n % 3 == 0, NEP_E_ARG, "--place takes X,Y,Z in mm, as in --place 0,-52,26, and may be given again");
    NEP_REQUIRE(ctx, radius >= 0 && isfinite(radius), NEP_E_ARG, "--radius %g mm must not be negative", radius);
    for (int i = 0; i < n; i += 3)
        NEP_TRY(read_place(ctx, text + i, mm));
    return NEP_OK;
}

static nep_status read_places(cli *c, const nep_grid *g, cli_connectome_seeds *s)
{
    nep_ctx *ctx = cli_ctx(c);
    int n = 0;
    const char *const *text = cli_texts(c, "place", &n);
    NEP_TRY(cli_connectome_places_check(c));
    NEP_TRY(nep_alloc(ctx, n / 3, sizeof *s->names, "seeds", &s->names));
    s->n = n / 3;
    NEP_TRY(nep_alloc(ctx, s->n + 1, sizeof *s->start, "seeds", &s->start));
    for (int64_t i = 0; i < s->n; i++) {
        double mm[3];
        char name[128];
        NEP_TRY(read_place(ctx, text + 3 * i, mm));
        snprintf(name, sizeof name, "%g,%g,%g", mm[0], mm[1], mm[2]);
        NEP_TRY(nep_alloc_string(ctx, name, &s->names[i]));
        NEP_TRY(add_place(ctx, s, i, g, mm, cli_real(c, "radius")));
    }
    return NEP_OK;
}

/* ---- regions ---- */

static nep_status take_regions(nep_ctx *ctx, nep_atlas *a, cli_connectome_seeds *s)
{
    const int64_t n_vox = nep_grid_voxels(&a->grid);
    s->regions = true;
    s->names = a->names; /* moved */
    s->n = a->n_regions;
    a->names = NULL;
    NEP_TRY(nep_alloc(ctx, s->n + 1, sizeof *s->start, "seeds", &s->start));
    for (int64_t v = 0; v < n_vox; v++)
        if (a->label[v] > 0)
            s->start[a->label[v]]++;
    for (int64_t i = 0; i < s->n; i++)
        s->start[i + 1] += s->start[i];
    NEP_TRY(nep_alloc(ctx, s->start[s->n], sizeof *s->member, "voxels of seeds", &s->member));
    for (int64_t v = 0; v < n_vox; v++) /* each start moves on to where the next region begins */
        if (a->label[v] > 0)
            s->member[s->start[a->label[v] - 1]++] = v;
    for (int64_t i = s->n; i > 0; i--)
        s->start[i] = s->start[i - 1];
    s->start[0] = 0;
    return NEP_OK;
}

static nep_status read_regions(cli *c, const nep_nifti_header *header, cli_connectome_seeds *s)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_atlas a = {0};
    NEP_TRY(cli_images_atlas(ctx, cli_text(c, "seed-atlas"), cli_text(c, "labels"), &header->grid, cli_input(c, 0), false, &a));
    const int64_t n = a.n_regions;
    const nep_status st = take_regions(ctx, &a, s);
    if (!a.names)
        a.n_regions = 0;
    nep_atlas_free(&a);
    NEP_TRY(st);
    NEP_REQUIRE(ctx, n > 0, NEP_E_FORMAT, "the atlas of seeds has no region");
    return NEP_OK;
}

static nep_status alloc_series(nep_ctx *ctx, int64_t n_t, cli_connectome_seeds *s)
{
    NEP_TRY(nep_alloc(ctx, s->n * n_t, sizeof *s->sum, "seed series", &s->sum));
    return nep_alloc(ctx, s->n, sizeof *s->used, "voxels of seeds", &s->used);
}

nep_status cli_connectome_seeds_read(cli *c, const nep_nifti_header *header, cli_connectome_seeds *out)
{
    nep_ctx *ctx = cli_ctx(c);
    const bool places = cli_given(c, "place"), regions = cli_given(c, "seed-atlas");
    NEP_REQUIRE(ctx, places != regions, NEP_E_USAGE, "--feature seed needs --place X,Y,Z (mm) or --seed-atlas NIFTI%s", places ? ", not both" : "");
    NEP_TRY(places ? read_places(c, &header->grid, out) : read_regions(c, header, out));
    return alloc_series(ctx, header->n_t, out);
}

nep_status cli_connectome_places_read(cli *c, const nep_grid *grid, int64_t n_t, cli_connectome_seeds *out)
{
    NEP_TRY(read_places(c, grid, out));
    return alloc_series(cli_ctx(c), n_t, out);
}

/* ---- series ---- */

nep_status cli_connectome_seeds_add(nep_ctx *ctx, cli_connectome_seeds *s, int64_t n_vox, const nep_series *tile, const int64_t *voxel)
{
    int32_t *place = NULL; /* 1 + column of the tile, 0 = not in it or with a gap */
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_vox, sizeof *place, "places of voxels", &place));
    for (int64_t k = 0; k < tile->n_cols; k++)
        place[voxel[k]] = (int32_t)(k + 1);
    for (int64_t t = 0; t < tile->n_t; t++)
        for (int64_t k = 0; k < tile->n_cols; k++)
            if (!isfinite(tile->data[t * tile->n_cols + k]))
                place[voxel[k]] = 0;
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t m = s->start[i]; m < s->start[i + 1]; m++)
            s->used[i] += place[s->member[m]] > 0;
    for (int64_t t = 0; t < tile->n_t; t++)
        for (int64_t i = 0; i < s->n; i++)
            for (int64_t m = s->start[i]; m < s->start[i + 1]; m++)
                if (place[s->member[m]] > 0)
                    s->sum[i * tile->n_t + t] += (double)tile->data[t * tile->n_cols + place[s->member[m]] - 1];
done:
    nep_alloc_free(place);
    return st;
}

nep_status cli_connectome_seeds_finish(nep_ctx *ctx, cli_connectome_seeds *s, int64_t n_t)
{
    int64_t any = 0;
    for (int64_t i = 0; i < s->n; i++) {
        any += s->used[i] > 0;
        NEP_REQUIRE(ctx, s->regions || s->used[i] > 0, NEP_E_FORMAT,
                    "seed %s mm has no voxel in the mask with a whole series; move it or widen --radius", s->names[i]);
        if (s->used[i] == 0)
            nep_warn(ctx, "region '%s' has no voxel in the mask with a whole series: its map is missing", s->names[i]);
        for (int64_t t = 0; t < n_t; t++)
            s->sum[i * n_t + t] /= (double)(s->used[i] > 0 ? s->used[i] : 1);
    }
    NEP_REQUIRE(ctx, any > 0, NEP_E_FORMAT, "no region of the atlas of seeds has a voxel in the mask with a whole series");
    return NEP_OK;
}
