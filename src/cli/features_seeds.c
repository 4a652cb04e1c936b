/* SPDX-License-Identifier: Apache-2.0 */
/* features_seeds - correlations of a run's cleaned voxels with seeds, and the nearest voxels of each. */
#include <math.h>

#include "cli/features_run.h"

/* Map s of a seed: means over regions, and its volume where it is asked for. */
static nep_status take_seed(features_job *j, int64_t s, const double *voxels, double *mean, features_result *r)
{
    const int64_t n_regions = j->atlas->n_regions, n_vox = nep_grid_voxels(&j->info.grid);
    NEP_TRY(cli_features_by_region(j, voxels, mean));
    for (int64_t q = 0; q < n_regions; q++)
        r->seeded[q * r->near.n_maps + s] = mean[q];
    for (int64_t v = 0; r->near.map && v < j->n; v++)
        r->near.map[s * n_vox + j->voxel[v]] = (float)voxels[v];
    return NEP_OK;
}

static nep_status seeds(features_job *j, features_result *r)
{
    const int64_t n_frames = j->band.n_out, n_vox = nep_grid_voxels(&j->info.grid), n_regions = j->atlas->n_regions, n = j->seeds.n;
    double *value = NULL, *mean = NULL;
    nep_status st;
    r->near.n_maps = n;
    NEP_TRY_OR_DONE(st, cli_connectome_seeds_finish(j->ctx, &j->seeds, n_frames));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n_regions * n, sizeof *r->seeded, "maps of seeds", &r->seeded));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n_regions, sizeof *mean, "maps of seeds", &mean));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, j->n, sizeof *value, "maps of seeds", &value));
    if (j->f->o.maps)
        NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n * n_vox, sizeof *r->near.map, "maps of seeds", &r->near.map));
    for (int64_t i = 0; r->near.map && i < n * n_vox; i++)
        r->near.map[i] = NAN;
    for (int64_t s = 0; s < n; s++) {
        NEP_TRY_OR_DONE(st, nep_connectome_seeds(j->ctx, &j->pairs, j->seeds.sum + s * n_frames, 1, j->f->o.fisher_z, value));
        NEP_TRY_OR_DONE(st, take_seed(j, s, value, mean, r));
    }
    r->near.seeds = j->seeds; /* moved */
    j->seeds = (cli_connectome_seeds){0};
done:
    nep_alloc_free(value);
    nep_alloc_free(mean);
    return st;
}

static nep_status nearest(features_job *j, features_result *r)
{
    cli_connectome *k = &r->near;
    k->n = j->n;
    k->top = j->f->o.top;
    NEP_TRY(nep_alloc(j->ctx, k->n, sizeof *k->voxel, "voxels of the mask", &k->voxel));
    for (int64_t v = 0; v < k->n; v++)
        k->voxel[v] = j->voxel[v];
    NEP_TRY(nep_alloc(j->ctx, k->n * k->top, sizeof *k->nearest, "neighbours", &k->nearest));
    NEP_TRY(nep_alloc(j->ctx, k->n * k->top, sizeof *k->r, "correlations of neighbours", &k->r));
    return nep_connectome_neighbours(j->ctx, &j->pairs, k->top, k->nearest, k->r);
}

nep_status cli_features_seeds(features_job *j, features_result *r)
{
    if (j->f->o.seed)
        NEP_TRY(seeds(j, r));
    return j->f->o.nearest ? nearest(j, r) : NEP_OK;
}
