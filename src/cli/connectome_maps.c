/* SPDX-License-Identifier: Apache-2.0 */
/* connectome_maps - options, tiles and outputs of the maps of all voxels' correlations. */
#include "cli/connectome_maps.h"

#include <math.h>
#include <string.h>

#include "cli/tabular.h"

const char *cli_connectome_name(cli_connectome_map m)
{
    static const char *const names[CLI_CONNECTOMES] = {"degree",   "weighted-degree", "mean-z", "rms",    "eigenvector",
                                                       "strength", "mean-r",          "seed",   "nearest"};
    return names[m];
}

const char *cli_connectome_label(cli_connectome_map m)
{
    static const char *const labels[CLI_CONNECTOMES] = {"degree",        "weighteddegree", "meanz", "rms",    "eigenvector",
                                                        "voxelstrength", "meanr",          "seed",  "nearest"};
    return labels[m];
}

void cli_connectome_free(cli_connectome *k)
{
    void *const parts[] = {k->voxel, k->map, k->nearest, k->r};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    nep_connectome_free(&k->c);
    cli_connectome_seeds_free(&k->seeds);
    *k = (cli_connectome){0};
}

nep_status cli_connectome_read(cli *c, cli_connectome_map which, nep_voxelwise_definition definition, const nep_nifti_header *header,
                               cli_connectome *out)
{
    nep_ctx *ctx = cli_ctx(c);
    const bool afni = definition == NEP_VOXELWISE_AFNI || definition == NEP_VOXELWISE_CPAC;
    *out = (cli_connectome){.which = which, .afni = afni, .fisher_z = cli_flag(c, "fisher-z"), .top = cli_int(c, "top"), .header = header,
                            .pairs = {.threshold = cli_real(c, "threshold"), .two_sided = cli_flag(c, "two-sided"), .afni = afni}};
    NEP_REQUIRE(ctx, afni || definition == NEP_VOXELWISE_CANONICAL, NEP_E_ARG, "voxelwise: %s has none of its own; --definition of %s is canonical, afni or cpac (AFNI's)",
                nep_voxelwise_name(definition), cli_connectome_name(which));
    NEP_REQUIRE(ctx, out->pairs.threshold >= 0 && out->pairs.threshold < 1, NEP_E_ARG, "--threshold %g must be at least 0 and below 1",
                out->pairs.threshold);
    NEP_REQUIRE(ctx, out->top >= 1 && out->top <= 100000, NEP_E_ARG, "--top %lld must be 1 to 100000", (long long)out->top);
    out->n_maps = 1;
    if (which == CLI_CONNECTOME_SEED) {
        NEP_TRY(cli_connectome_seeds_read(c, header, &out->seeds));
        out->n_maps = out->seeds.n;
    }
    return NEP_OK;
}

static nep_status add_tile(nep_ctx *ctx, const nep_series *tile, const int64_t *voxel, void *user)
{
    cli_connectome *k = user;
    memcpy(k->voxel + k->c.n_cols, voxel, (size_t)tile->n_cols * sizeof *voxel);
    if (k->seeds.n > 0)
        NEP_TRY(cli_connectome_seeds_add(ctx, &k->seeds, nep_grid_voxels(&k->header->grid), tile, voxel));
    return nep_connectome_add(ctx, &k->c, tile->data, tile->n_cols);
}

/* One map float64 [n]. */
static nep_status one_map(nep_ctx *ctx, const cli_connectome *k, double *out)
{
    const nep_connectome_power afni = {.tolerance = 1e-3, .most = 1000};
    switch (k->which) {
    case CLI_CONNECTOME_DEGREE: return nep_connectome_pairs(ctx, &k->c, &k->pairs, out, NULL, NULL);
    case CLI_CONNECTOME_WEIGHTED_DEGREE: return nep_connectome_pairs(ctx, &k->c, &k->pairs, NULL, out, NULL);
    case CLI_CONNECTOME_MEAN_Z: return nep_connectome_pairs(ctx, &k->c, &k->pairs, NULL, NULL, out);
    case CLI_CONNECTOME_RMS: return nep_connectome_rms(ctx, &k->c, out);
    case CLI_CONNECTOME_EIGENVECTOR: return nep_connectome_eigenvector(ctx, &k->c, k->afni ? &afni : NULL, out);
    default: NEP_TRY(nep_connectome_strength(ctx, &k->c, out)); break;
    }
    for (int64_t v = 0; v < k->n && k->which == CLI_CONNECTOME_MEAN_R; v++)
        out[v] /= (double)(k->c.n - 1);
    return NEP_OK;
}

/* A map float64 [n] of `one` to its volume. */
static void put_map(const cli_connectome *k, int64_t which, const double *one)
{
    float *map = k->map + which * nep_grid_voxels(&k->header->grid);
    for (int64_t v = 0; v < k->n; v++)
        map[k->voxel[v]] = (float)one[v];
}

static nep_status measure_maps(nep_ctx *ctx, cli_connectome *k)
{
    const int64_t n_vox = nep_grid_voxels(&k->header->grid);
    double *value = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k->n_maps * n_vox, sizeof *k->map, "maps", &k->map));
    for (int64_t i = 0; i < k->n_maps * n_vox; i++)
        k->map[i] = NAN;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k->n, sizeof *value, "voxel values", &value));
    if (k->which != CLI_CONNECTOME_SEED) {
        NEP_TRY_OR_DONE(st, one_map(ctx, k, value));
        put_map(k, 0, value);
        goto done;
    }
    NEP_TRY_OR_DONE(st, cli_connectome_seeds_finish(ctx, &k->seeds, k->c.n_t));
    for (int64_t s = 0; s < k->seeds.n; s++) {
        if (k->seeds.used[s] == 0)
            continue;
        NEP_TRY_OR_DONE(st, nep_connectome_seeds(ctx, &k->c, k->seeds.sum + s * k->c.n_t, 1, k->fisher_z, value));
        put_map(k, s, value);
    }
done:
    nep_alloc_free(value);
    return st;
}

nep_status cli_connectome_measure(nep_ctx *ctx, const char *path, const nep_volume *mask, cli_connectome *k)
{
    const int64_t n_vox = nep_grid_voxels(&k->header->grid);
    k->n = 0;
    for (int64_t v = 0; v < n_vox; v++)
        k->n += !mask || mask->data[v] > 0;
    NEP_TRY(nep_alloc(ctx, k->n, sizeof *k->voxel, "voxels of the mask", &k->voxel));
    NEP_TRY(nep_connectome_open(ctx, k->header->n_t, k->n, k->afni, &k->c));
    NEP_TRY(cli_images_tiles(ctx, path, mask, 0, add_tile, k));
    if (k->which != CLI_CONNECTOME_NEAREST)
        return measure_maps(ctx, k);
    NEP_TRY(nep_alloc(ctx, k->n * k->top, sizeof *k->nearest, "neighbours", &k->nearest));
    NEP_TRY(nep_alloc(ctx, k->n * k->top, sizeof *k->r, "correlations of neighbours", &k->r));
    return nep_connectome_neighbours(ctx, &k->c, k->top, k->nearest, k->r);
}

double cli_connectome_seconds(const cli_connectome *k, int64_t n)
{
    const double v = (double)n, t = (double)k->header->n_t;
    const bool all_pairs = k->which == CLI_CONNECTOME_DEGREE || k->which == CLI_CONNECTOME_WEIGHTED_DEGREE || k->which == CLI_CONNECTOME_MEAN_Z ||
                           k->which == CLI_CONNECTOME_NEAREST;
    const double gram = k->which == CLI_CONNECTOME_RMS ? 3 * v * t * t : k->which == CLI_CONNECTOME_EIGENVECTOR ? v * t * t + 2 * t * t * t : 0;
    return v * t * 1e-8 + (all_pairs ? v * v * t : gram) * 1e-11;
}

void cli_connectome_says(const cli_connectome *k, json_t *doc)
{
    const bool threshold = k->which == CLI_CONNECTOME_DEGREE || k->which == CLI_CONNECTOME_WEIGHTED_DEGREE;
    json_object_set_new(doc, "voxels_that_vary", json_integer((json_int_t)k->c.n));
    json_object_set_new(doc, "detrended", json_boolean(k->afni));
    if (threshold) {
        json_object_set_new(doc, "threshold", json_real(k->pairs.threshold));
        json_object_set_new(doc, "two_sided", json_boolean(k->pairs.two_sided));
    }
    if (k->which >= CLI_CONNECTOME_SEED) { /* no one map to take a mean of */
        json_object_del(doc, "voxels");
        json_object_del(doc, "mean");
    }
    if (k->which == CLI_CONNECTOME_NEAREST)
        json_object_set_new(doc, "top", json_integer((json_int_t)k->top));
    if (k->which != CLI_CONNECTOME_SEED)
        return;
    json_t *seeds = json_array();
    for (int64_t s = 0; s < k->seeds.n; s++)
        json_array_append_new(seeds, json_pack("{s:s,s:I}", "seed", k->seeds.names[s], "voxels", (json_int_t)k->seeds.used[s]));
    json_object_set_new(doc, "seeds", seeds);
    json_object_set_new(doc, "fisher_z", json_boolean(k->fisher_z));
}

/* Columns i j k rank to_i to_j to_k r, their cells and the number of rows; voxels without neighbours have none. */
enum { COLUMNS = 8 };
static nep_status list_neighbours(nep_ctx *ctx, const cli_connectome *k, const nep_grid *grid, cli_column *columns, double **cell, int64_t *n)
{
    static const char *const names[COLUMNS] = {"i", "j", "k", "rank", "to_i", "to_j", "to_k", "r"};
    const int64_t nx = grid->nx, ny = grid->ny, room = k->n * k->top;
    NEP_TRY(nep_alloc(ctx, COLUMNS * room, sizeof **cell, "table of neighbours", cell));
    *n = 0;
    for (int64_t i = 0; i < room; i++) {
        if (k->nearest[i] < 0)
            continue;
        const int64_t from = k->voxel[i / k->top], to = k->voxel[k->nearest[i]];
        const double row[COLUMNS] = {(double)(from % nx), (double)(from / nx % ny), (double)(from / nx / ny), (double)(i % k->top + 1),
                                     (double)(to % nx),   (double)(to / nx % ny),   (double)(to / nx / ny),   k->r[i]};
        for (int q = 0; q < COLUMNS; q++)
            (*cell)[q * room + *n] = row[q];
        (*n)++;
    }
    for (int q = 0; q < COLUMNS; q++)
        columns[q] = (cli_column){names[q], NULL, *cell + q * room};
    return NEP_OK;
}

nep_status cli_connectome_emit(cli *c, const cli_connectome *k, json_t *extra)
{
    cli_column columns[COLUMNS];
    double *cell = NULL;
    int64_t n;
    const nep_status st = list_neighbours(cli_ctx(c), k, &k->header->grid, columns, &cell, &n);
    if (st != NEP_OK) {
        json_decref(extra);
        return st;
    }
    const nep_status emitted = cli_tabular_emit(c, "neighbours", columns, COLUMNS, n, extra);
    nep_alloc_free(cell);
    return emitted;
}

nep_status cli_connectome_write(nep_ctx *ctx, const cli_connectome *k, const nep_grid *grid, const char *path)
{
    cli_column columns[COLUMNS];
    double *cell = NULL;
    int64_t n;
    NEP_TRY(list_neighbours(ctx, k, grid, columns, &cell, &n));
    const nep_status st = cli_tabular_write(ctx, path, columns, COLUMNS, n);
    nep_alloc_free(cell);
    return st;
}
