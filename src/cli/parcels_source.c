/* SPDX-License-Identifier: Apache-2.0 */
/* parcels_source - label images and weight maps on one grid with an image, and the volumes as they stream by. */
#include "cli/parcels_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/images.h"

void cli_parcels_close(parcels_source *s)
{
    nep_parcels_free(s->labels);
    nep_parcels_maps_free(s->weights);
    nep_nifti_free(s->image);
    nep_atlas_free(&s->atlas);
    nep_volume_free(&s->on);
    nep_alloc_free(s->reach);
    *s = (parcels_source){0};
}

/* ---- grids ---- */

/* Range of all volumes and 0, which nilearn keeps a moved run to. */
static nep_status range_of_run(nep_ctx *ctx, const char *path, parcels_source *s)
{
    nep_nifti *n = NULL;
    float *x = NULL;
    const int64_t n_vox = nep_grid_voxels(&s->header.grid);
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_open(ctx, path, &n));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_vox, sizeof *x, "volume", &x));
    for (int64_t t = 0; t < s->header.n_t; t++) {
        NEP_TRY_OR_DONE(st, nep_nifti_next(n, x));
        for (int64_t v = 0; v < n_vox; v++)
            if (isfinite(x[v])) {
                s->low = fminf(s->low, x[v]);
                s->high = fmaxf(s->high, x[v]);
            }
    }
done:
    nep_alloc_free(x);
    nep_nifti_free(n);
    return st;
}

static nep_status choose_grid(nep_ctx *ctx, const parcels_request *r, const nep_grid *regions, parcels_source *s)
{
    const nep_grid *g = &s->header.grid;
    s->grid = *g;
    if (nep_grid_same(regions, g) || r->to_image)
        return NEP_OK;
    if (!r->to_regions)
        return nep_ctx_fail_file(ctx, NEP_E_GRID, r->regions,
                                 "%s '%s' (%lld x %lld x %lld) %s on another grid than '%s' (%lld x %lld x %lld); give --resample to bring %s "
                                 "onto the image, or --resample-image",
                                 r->maps ? "weight maps" : "atlas", r->regions, (long long)regions->nx, (long long)regions->ny,
                                 (long long)regions->nz, r->maps ? "lie" : "lies", r->image, (long long)g->nx, (long long)g->ny,
                                 (long long)g->nz, r->maps ? "them" : "it");
    s->grid = *regions;
    s->moves = true;
    s->move = (nep_resample_opts){.interpolation = r->how, .outside = r->nilearn ? 0 : NAN, .overshoot = r->nilearn};
    return r->nilearn ? range_of_run(ctx, r->image, s) : NEP_OK;
}

/* Which voxels of `from` have their centre in the box of `to`. */
static nep_status find_inside(nep_ctx *ctx, const nep_grid *from, const nep_grid *to, bool **inside)
{
    const double size[3] = {(double)to->nx, (double)to->ny, (double)to->nz};
    double back[3][4];
    NEP_REQUIRE(ctx, nep_grid_inverse(to, back), NEP_E_GRID, "parcels: the affine of the image cannot be inverted");
    NEP_TRY(nep_alloc(ctx, nep_grid_voxels(from), sizeof **inside, "voxels on the image", inside));
    for (int64_t v = 0; v < nep_grid_voxels(from); v++) {
        const double at[3] = {(double)(v % from->nx), (double)(v / from->nx % from->ny), (double)(v / from->nx / from->ny)};
        double mm[3];
        bool in = true;
        for (int i = 0; i < 3; i++)
            mm[i] = from->affine[i][0] * at[0] + from->affine[i][1] * at[1] + from->affine[i][2] * at[2] + from->affine[i][3];
        for (int i = 0; i < 3; i++) {
            const double x = back[i][0] * mm[0] + back[i][1] * mm[1] + back[i][2] * mm[2] + back[i][3];
            in = in && x >= -0.5 - 1e-6 && x <= size[i] - 0.5 + 1e-6;
        }
        (*inside)[v] = in;
    }
    return NEP_OK;
}

/* ---- mask ---- */

static nep_status open_mask(nep_ctx *ctx, const parcels_request *r, parcels_source *s)
{
    nep_volume m = {0};
    const nep_resample_opts nearest = {.interpolation = NEP_RESAMPLE_NEAREST};
    nep_status st;
    if (!r->mask)
        return NEP_OK;
    if (!r->to_image && !r->to_regions)
        return cli_images_mask(ctx, r->mask, &s->grid, r->image, &s->on);
    NEP_TRY(nep_nifti_read_volume(ctx, r->mask, &m));
    if (nep_grid_same(&m.grid, &s->grid)) {
        nep_volume_free(&m);
        return cli_images_mask(ctx, r->mask, &s->grid, r->image, &s->on);
    }
    s->on.grid = s->grid;
    for (int64_t v = 0; v < nep_grid_voxels(&m.grid); v++)
        m.data[v] = isfinite(m.data[v]) && m.data[v] != 0 ? 1.0f : 0.0f;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&s->grid), sizeof *s->on.data, "mask", &s->on.data));
    st = nep_resample(ctx, &m.grid, m.data, &s->grid, &nearest, s->on.data);
done:
    nep_volume_free(&m);
    return st;
}

/* ---- labels ---- */

static nep_status reach_of_labels(nep_ctx *ctx, const nep_atlas *a, const nep_grid *to, double *reach)
{
    double *all = NULL;
    bool *inside = NULL;
    nep_status st;
    for (int64_t k = 0; k < a->n_regions; k++)
        reach[k] = 1;
    if (nep_grid_same(&a->grid, to))
        return NEP_OK;
    memset(reach, 0, (size_t)a->n_regions * sizeof *reach);
    NEP_TRY_OR_DONE(st, find_inside(ctx, &a->grid, to, &inside));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, a->n_regions, sizeof *all, "voxels of regions", &all));
    for (int64_t v = 0; v < nep_grid_voxels(&a->grid); v++)
        if (a->label[v] > 0) {
            all[a->label[v] - 1] += 1;
            reach[a->label[v] - 1] += inside[v];
        }
    for (int64_t k = 0; k < a->n_regions; k++)
        reach[k] = all[k] > 0 ? reach[k] / all[k] : 0;
done:
    nep_alloc_free(all);
    nep_alloc_free(inside);
    return st;
}

static nep_status open_labels(nep_ctx *ctx, const parcels_request *r, parcels_source *s)
{
    nep_atlas own = {0};
    const nep_parcels_opts o = {.statistic = r->statistic, .nan_as_zero = r->nilearn, .mask = r->mask ? &s->on : NULL};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_read_atlas(ctx, r->regions, r->labels, &own));
    NEP_TRY_OR_DONE(st, choose_grid(ctx, r, &own.grid, s));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, own.n_regions, sizeof *s->reach, "coverage", &s->reach));
    NEP_TRY_OR_DONE(st, reach_of_labels(ctx, &own, &s->grid, s->reach));
    if (nep_grid_same(&own.grid, &s->grid)) {
        s->atlas = own;
        own = (nep_atlas){0};
    } else {
        NEP_TRY_OR_DONE(st, nep_parcels_resample(ctx, &own, &s->grid, &s->atlas));
    }
    NEP_TRY_OR_DONE(st, open_mask(ctx, r, s));
    st = nep_parcels_open(ctx, &s->atlas, &o, &s->labels);
done:
    nep_atlas_free(&own);
    return st;
}

/* ---- weight maps ---- */

/* Names in the order of the maps: the rows of a table, or map_1, map_2, ... An index column counts from 0 or 1. */
static nep_status name_maps(nep_ctx *ctx, const parcels_request *r, int64_t n, nep_atlas *a)
{
    nep_table t = {0};
    int64_t name = -1, index = -1;
    char text[32];
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc(ctx, n, sizeof *a->names, "names of maps", &a->names));
    a->n_regions = n;
    if (r->labels) {
        NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, r->labels, &t));
        name = nep_table_column(&t, "label");
        index = nep_table_column(&t, "id") >= 0 ? nep_table_column(&t, "id") : nep_table_column(&t, "index");
        if (name < 0)
            NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "name", &name));
        if (t.n_rows != n) {
            st = nep_ctx_fail_file(ctx, NEP_E_SHAPE, r->labels, "'%s' names %lld regions, '%s' has %lld weight maps", r->labels,
                                   (long long)t.n_rows, r->regions, (long long)n);
            goto done;
        }
    }
    double first = 0;
    for (int64_t k = 0; k < n; k++) {
        const char *cell = name >= 0 ? nep_table_cell(&t, k, name) : NULL;
        double at = (double)k;
        if (index >= 0)
            NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, k, index, &at));
        first = k == 0 ? at : first;
        if (index >= 0 && !(at == first + (double)k && (first == 0 || first == 1))) {
            st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, r->labels, "'%s' row %lld: index %g; rows stand in the order of the maps, from 0 or 1",
                                   r->labels, (long long)k + 1, at);
            goto done;
        }
        snprintf(text, sizeof text, "map_%lld", (long long)k + 1);
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, cell ? cell : text, &a->names[k]));
    }
done:
    nep_table_free(&t);
    return st;
}

/* One map after another: share of its weight on the grid, then its weights there (straight lines between voxels, as nilearn). */
static nep_status read_maps(nep_ctx *ctx, nep_nifti *maps, parcels_source *s)
{
    const nep_grid *from = &nep_nifti_info(maps)->grid;
    const bool same = nep_grid_same(from, &s->grid);
    const nep_resample_opts linear = {.interpolation = NEP_RESAMPLE_LINEAR};
    float *w = NULL, *moved = NULL;
    bool *inside = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, find_inside(ctx, from, &s->grid, &inside));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(from), sizeof *w, "weight map", &w));
    if (!same)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&s->grid), sizeof *moved, "weight map", &moved));
    for (int64_t k = 0; k < s->atlas.n_regions; k++) {
        double all = 0, here = 0;
        NEP_TRY_OR_DONE(st, nep_nifti_next(maps, w));
        for (int64_t v = 0; v < nep_grid_voxels(from); v++)
            if (isfinite(w[v])) {
                all += fabs((double)w[v]);
                here += inside[v] ? fabs((double)w[v]) : 0;
            } else {
                w[v] = 0;
            }
        s->reach[k] = all > 0 ? here / all : 0;
        if (!same)
            NEP_TRY_OR_DONE(st, nep_resample(ctx, from, w, &s->grid, &linear, moved));
        NEP_TRY_OR_DONE(st, nep_parcels_maps_weights(s->weights, same ? w : moved));
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
    }
done:
    nep_alloc_free(inside);
    nep_alloc_free(moved);
    nep_alloc_free(w);
    return st;
}

static nep_status open_maps(nep_ctx *ctx, const parcels_request *r, parcels_source *s)
{
    const nep_parcels_opts o = {.nan_as_zero = r->nilearn, .mask = r->mask ? &s->on : NULL};
    nep_nifti *maps = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_open(ctx, r->regions, &maps));
    const nep_nifti_header *h = nep_nifti_info(maps);
    if (h->n_t < 2) {
        st = nep_ctx_fail_file(ctx, NEP_E_SHAPE, r->regions, "'%s' is one volume; --maps takes 4D weight maps, and a label image goes to --atlas",
                               r->regions);
        goto done;
    }
    NEP_TRY_OR_DONE(st, choose_grid(ctx, r, &h->grid, s));
    NEP_TRY_OR_DONE(st, name_maps(ctx, r, h->n_t, &s->atlas));
    NEP_TRY_OR_DONE(st, open_mask(ctx, r, s));
    NEP_TRY_OR_DONE(st, nep_parcels_maps_open(ctx, &s->grid, h->n_t, s->atlas.names, &o, &s->weights));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, h->n_t, sizeof *s->reach, "coverage", &s->reach));
    st = read_maps(ctx, maps, s);
done:
    nep_nifti_free(maps);
    return st;
}

/* ---- together ---- */

/* A region without a voxel keeps its place, and is named; without any region there is nothing to measure. */
static nep_status check_regions(nep_ctx *ctx, const parcels_request *r, const parcels_source *s)
{
    const int64_t n = s->atlas.n_regions;
    char list[200] = "";
    double *table = NULL;
    int64_t empty = 0;
    NEP_TRY(nep_alloc(ctx, 3 * n, sizeof *table, "coverage", &table));
    nep_status st = cli_parcels_coverage(ctx, s, table);
    for (int64_t k = 0; st == NEP_OK && k < n; k++)
        if (table[3 * k + 2] == 0 && empty++ < 3)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.40s", empty > 1 ? ", " : "", s->atlas.names[k]);
    nep_alloc_free(table);
    NEP_TRY(st);
    if (empty == n)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, r->regions, "no region of '%s' has a voxel of '%s'%s; do they lie in the same space?",
                                 r->regions, r->image, r->mask ? " inside the mask" : "");
    if (empty > 0)
        nep_warn(ctx, "%s: %lld of %lld regions have no voxel in the image%s and are n/a: %s%s", r->regions, (long long)empty, (long long)n,
                 r->mask ? " and the mask" : "", list, empty > 3 ? ", ..." : "");
    return NEP_OK;
}

nep_status cli_parcels_open(nep_ctx *ctx, const parcels_request *r, parcels_source *s)
{
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_open(ctx, r->image, &s->image));
    s->header = *nep_nifti_info(s->image);
    NEP_TRY_OR_DONE(st, r->maps ? open_maps(ctx, r, s) : open_labels(ctx, r, s));
    st = check_regions(ctx, r, s);
done:
    if (st != NEP_OK)
        cli_parcels_close(s);
    return st;
}

/* The next volume on the grid of the regions. */
static nep_status next_volume(nep_ctx *ctx, parcels_source *s, float *read, float *out)
{
    if (!s->moves)
        return nep_nifti_next(s->image, out);
    NEP_TRY(nep_nifti_next(s->image, read));
    NEP_TRY(nep_resample(ctx, &s->header.grid, read, &s->grid, &s->move, out));
    for (int64_t v = 0; s->move.overshoot && v < nep_grid_voxels(&s->grid); v++)
        out[v] = out[v] < s->low ? s->low : out[v] > s->high ? s->high : out[v];
    return NEP_OK;
}

nep_status cli_parcels_stream(nep_ctx *ctx, parcels_source *s, double *out)
{
    enum { AT_ONCE = 8 };
    const int64_t n_vox = nep_grid_voxels(&s->grid), n_t = s->header.n_t, at_once = s->labels || n_t < AT_ONCE ? 1 : AT_ONCE;
    float *read = NULL, *volumes = NULL;
    nep_status st;
    if (s->labels && !s->moves)
        return cli_images_parcels(ctx, s->image, s->labels, out);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, at_once * n_vox, sizeof *volumes, "volumes", &volumes));
    if (s->moves)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&s->header.grid), sizeof *read, "volume", &read));
    nep_progress_open(ctx, "volumes", n_t);
    for (int64_t t = 0; t < n_t; t += at_once) {
        const int64_t m = n_t - t < at_once ? n_t - t : at_once;
        double *rows = out + t * s->atlas.n_regions;
        for (int64_t k = 0; k < m; k++)
            NEP_TRY_OR_DONE(st, next_volume(ctx, s, read, volumes + k * n_vox));
        NEP_TRY_OR_DONE(st, s->labels ? nep_parcels_add(s->labels, volumes, m, rows) : nep_parcels_maps_add(s->weights, volumes, m, rows));
        nep_progress_step(ctx, t + m);
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
    }
done:
    nep_progress_close(ctx);
    nep_alloc_free(read);
    nep_alloc_free(volumes);
    return st;
}

nep_status cli_parcels_coverage(nep_ctx *ctx, const parcels_source *s, double *table)
{
    const int64_t n = s->atlas.n_regions;
    int64_t *voxels = NULL;
    double *used = NULL, *share = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *voxels, "coverage", &voxels));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *used, "coverage", &used));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *share, "coverage", &share));
    if (s->labels)
        nep_parcels_coverage(s->labels, voxels, used);
    else
        nep_parcels_maps_coverage(s->weights, voxels, used, share);
    for (int64_t k = 0; k < n; k++) {
        const double part = !s->labels ? share[k] : voxels[k] ? used[k] / (double)voxels[k] : 0;
        table[3 * k] = part * s->reach[k];
        table[3 * k + 1] = (double)voxels[k];
        table[3 * k + 2] = used[k];
    }
done:
    nep_alloc_free(share);
    nep_alloc_free(used);
    nep_alloc_free(voxels);
    return st;
}
