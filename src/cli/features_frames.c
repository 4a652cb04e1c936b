/* SPDX-License-Identifier: Apache-2.0 */
/* features_frames - the volumes of a run on the grid that is asked for, smoothed or as they are; one volume in memory at a time. */
#include <math.h>

#include <nepenthe/resample.h>

#include "cli/features_run.h"

nep_status cli_features_target(features_job *j)
{
    const nep_resample_opts nearest = {.interpolation = NEP_RESAMPLE_NEAREST};
    nep_volume moved = {.grid = j->f->target};
    nep_status st;
    j->file = j->info.grid;
    j->moved = j->f->o.resample_to && !nep_grid_same(&j->file, &j->f->target);
    if (!j->moved)
        return NEP_OK;
    NEP_TRY(nep_alloc(j->ctx, nep_grid_voxels(&moved.grid), sizeof *moved.data, "mask", &moved.data));
    NEP_TRY_OR_DONE(st, nep_resample(j->ctx, &j->file, j->mask.data, &moved.grid, &nearest, moved.data));
    nep_volume_free(&j->mask);
    j->mask = moved;
    j->info.grid = moved.grid;
    moved.data = NULL;
done:
    nep_volume_free(&moved);
    return st;
}

nep_status cli_features_frames_open(features_job *j, bool smooth, features_frames *r)
{
    nep_status st;
    *r = (features_frames){.j = j, .smooth = smooth};
    if (j->moved)
        NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, nep_grid_voxels(&j->file), sizeof *r->own, "volume", &r->own));
    if (smooth)
        NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, nep_grid_voxels(&j->info.grid), sizeof *r->masked, "volume", &r->masked));
    st = nep_nifti_open(j->ctx, j->bold, &r->image);
done:
    if (st != NEP_OK)
        cli_features_frames_close(r);
    return st;
}

/* Beyond the run is missing; so is, while it is smoothed, what lies outside the mask. */
nep_status cli_features_frames_next(features_frames *r, float *volume)
{
    const nep_resample_opts cubic = {.interpolation = NEP_RESAMPLE_CONTINUOUS, .outside = NAN};
    const features_job *j = r->j;
    const double width = j->f->o.fwhm_mm, fwhm[3] = {width, width, width};
    NEP_TRY(nep_nifti_next(r->image, j->moved ? r->own : volume));
    if (j->moved)
        NEP_TRY(nep_resample(j->ctx, &j->file, r->own, &j->info.grid, &cubic, volume));
    if (!r->smooth)
        return NEP_OK;
    for (int64_t v = 0; v < nep_grid_voxels(&j->info.grid); v++)
        r->masked[v] = NAN;
    for (int64_t k = 0; k < j->n; k++)
        r->masked[j->voxel[k]] = volume[j->voxel[k]];
    return nep_smooth(j->ctx, &j->info.grid, r->masked, fwhm, false, volume);
}

void cli_features_frames_close(features_frames *r)
{
    nep_nifti_free(r->image);
    nep_alloc_free(r->own);
    nep_alloc_free(r->masked);
    *r = (features_frames){0};
}

nep_status cli_features_frames_tile(features_job *j, int64_t first, int64_t n, bool smooth, nep_series *out)
{
    features_frames r = {0};
    nep_series x = {.n_t = j->info.n_t, .n_cols = n, .tr_s = j->info.tr_s};
    float *volume = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, x.n_t * n, sizeof *x.data, "voxels", &x.data));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, nep_grid_voxels(&j->info.grid), sizeof *volume, "volume", &volume));
    NEP_TRY_OR_DONE(st, cli_features_frames_open(j, smooth, &r));
    for (int64_t t = 0; t < x.n_t; t++) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(j->ctx));
        NEP_TRY_OR_DONE(st, cli_features_frames_next(&r, volume));
        for (int64_t k = 0; k < n; k++)
            x.data[t * n + k] = volume[j->voxel[first + k]];
    }
    *out = x;
    x = (nep_series){0};
done:
    cli_features_frames_close(&r);
    nep_alloc_free(volume);
    nep_series_free(&x);
    return st;
}
