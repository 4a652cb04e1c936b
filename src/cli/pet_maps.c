/* SPDX-License-Identifier: Apache-2.0 */
/* pet_maps - tiles of voxels through a kinetic model, and what comes of them to volumes. */
#include "cli/pet_maps.h"

#include <math.h>

typedef struct {
    nep_pet_model model;
    const nep_pet_frames *frames;
    const double *reference;
    const nep_pet_opts *opts;
    int64_t n_vox;
    int width; /* maps */
    float *maps;
} job;

static nep_status fit_tile(nep_ctx *ctx, const nep_series *tile, const int64_t *voxel, void *user)
{
    job *j = user;
    double *value = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, tile->n_cols * j->width, sizeof *value, "fits", &value));
    NEP_TRY_OR_DONE(st, nep_pet_fit(ctx, j->model, j->frames, j->reference, tile->data, tile->n_cols, j->opts, value));
    for (int64_t k = 0; k < tile->n_cols; k++)
        for (int p = 0; p < j->width; p++)
            j->maps[p * j->n_vox + voxel[k]] = (float)value[k * j->width + p];
done:
    nep_alloc_free(value);
    return st;
}

nep_status cli_pet_maps(nep_ctx *ctx, const char *path, const nep_grid *grid, const nep_volume *mask, nep_pet_model model,
                        const nep_pet_frames *frames, const double *reference, const nep_pet_opts *opts, float **maps)
{
    job j = {.model = model, .frames = frames, .reference = reference, .opts = opts, .n_vox = nep_grid_voxels(grid)};
    nep_pet_parameters(model, &j.width);
    j.width *= 2;
    NEP_TRY(nep_alloc(ctx, j.width * j.n_vox, sizeof *j.maps, "maps", &j.maps));
    for (int64_t i = 0; i < j.width * j.n_vox; i++)
        j.maps[i] = NAN;
    const nep_status st = cli_images_tiles(ctx, path, mask, 8, fit_tile, &j);
    if (st == NEP_OK)
        *maps = j.maps;
    else
        nep_alloc_free(j.maps);
    return st;
}
