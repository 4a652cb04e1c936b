/* SPDX-License-Identifier: Apache-2.0 */
/* local_maps - ranks and unit series gathered from tiles of columns, and the maps made of them. */
#include "cli/local_maps.h"

#include <string.h>

const char *cli_local_name(cli_local_map m)
{
    static const char *const names[CLI_LOCALS] = {"reho", "lcor", "vmhc", "gcor"};
    return names[m];
}

void cli_local_free(cli_local *l)
{
    void *const parts[] = {l->voxel, l->tie, l->rank, l->unit, l->inside};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    *l = (cli_local){0};
}

nep_status cli_local_open(nep_ctx *ctx, const cli_local_opts *o, const nep_grid *grid, int64_t n_t, int64_t n, cli_local *l)
{
    nep_status st = NEP_OK;
    *l = (cli_local){.o = *o, .grid = *grid, .n_t = n_t, .n = n};
    if (o->wants[CLI_LOCAL_VMHC]) /* before anything is read */
        NEP_TRY(nep_local_mirror(ctx, grid, NULL, 0, NULL));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *l->voxel, "voxels of the mask", &l->voxel));
    if (o->wants[CLI_LOCAL_REHO]) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *l->tie, "ties", &l->tie));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n_t, sizeof *l->rank, "ranks", &l->rank));
    }
    if (o->wants[CLI_LOCAL_LCOR] || o->wants[CLI_LOCAL_VMHC] || o->wants[CLI_LOCAL_GCOR]) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *l->inside, "voxels that vary", &l->inside));
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_t * n, sizeof *l->unit, "unit series", &l->unit));
    }
done:
    if (st != NEP_OK)
        cli_local_free(l);
    return st;
}

static nep_status add_units(nep_ctx *ctx, cli_local *l, const float *x, int64_t n_cols)
{
    float *tile = NULL;
    nep_status st;
    if (n_cols == l->n)
        return nep_local_units(ctx, x, l->n_t, n_cols, l->unit, l->inside);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l->n_t * n_cols, sizeof *tile, "unit series", &tile));
    NEP_TRY_OR_DONE(st, nep_local_units(ctx, x, l->n_t, n_cols, tile, l->inside + l->done));
    for (int64_t t = 0; t < l->n_t; t++)
        memcpy(l->unit + t * l->n + l->done, tile + t * n_cols, (size_t)n_cols * sizeof *tile);
done:
    nep_alloc_free(tile);
    return st;
}

nep_status cli_local_add(nep_ctx *ctx, cli_local *l, const float *x, int64_t n_cols, const int64_t *voxel)
{
    memcpy(l->voxel + l->done, voxel, (size_t)n_cols * sizeof *voxel);
    if (l->rank)
        NEP_TRY(nep_local_ranks(ctx, x, l->n_t, n_cols, l->o.definition, l->rank + l->done * l->n_t, l->tie + l->done));
    if (l->unit)
        NEP_TRY(add_units(ctx, l, x, n_cols));
    l->done += n_cols;
    return NEP_OK;
}

static nep_status measure_reho(nep_ctx *ctx, const cli_local *l, double *out)
{
    const int64_t dims[3] = {l->grid.nx, l->grid.ny, l->grid.nz};
    int32_t *near = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l->n * l->o.neighbours, sizeof *near, "neighbours", &near));
    NEP_TRY_OR_DONE(st, nep_local_neighbours(ctx, dims, l->voxel, l->n, l->o.neighbours, l->o.definition == NEP_VOXELWISE_CPAC, near));
    st = nep_local_reho(ctx, l->rank, l->tie, l->n_t, l->n, near, l->o.neighbours, l->o.definition, out);
done:
    nep_alloc_free(near);
    return st;
}

static nep_status measure_vmhc(nep_ctx *ctx, const cli_local *l, double *out)
{
    int32_t *mirror = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l->n, sizeof *mirror, "mirror images", &mirror));
    NEP_TRY_OR_DONE(st, nep_local_mirror(ctx, &l->grid, l->voxel, l->n, mirror));
    st = nep_local_vmhc(ctx, l->unit, l->inside, l->n_t, l->n, mirror, l->o.definition, out);
done:
    nep_alloc_free(mirror);
    return st;
}

nep_status cli_local_measure(nep_ctx *ctx, const cli_local *l, cli_local_map m, double *out, double *whole)
{
    double mean;
    NEP_REQUIRE(ctx, l->done == l->n, NEP_E_INTERNAL, "%s: %lld of %lld voxels came", cli_local_name(m), (long long)l->done, (long long)l->n);
    switch (m) {
    case CLI_LOCAL_REHO: return measure_reho(ctx, l, out);
    case CLI_LOCAL_VMHC: return measure_vmhc(ctx, l, out);
    case CLI_LOCAL_LCOR:
        return nep_local_lcor(ctx, &l->grid, l->voxel, l->unit, l->inside, l->n_t, l->n, l->o.fwhm_mm, l->o.definition, out);
    default:
        NEP_REQUIRE(ctx, l->o.definition == NEP_VOXELWISE_CANONICAL, NEP_E_ARG, "gcor: %s has none here; the definition is canonical",
                    nep_voxelwise_name(l->o.definition));
        return nep_local_gcor(ctx, l->unit, l->inside, l->n_t, l->n, out, whole ? whole : &mean);
    }
}
