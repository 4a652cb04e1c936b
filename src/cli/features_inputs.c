/* SPDX-License-Identifier: Apache-2.0 */
/* features_inputs - what one run is measured from: header, repetition time, atlas on its grid, mask, confounds. */
#include <math.h>
#include <string.h>

#include "cli/features_run.h"
#include "cli/images.h"

static nep_status open_header(features_job *j)
{
    nep_nifti *n = NULL;
    NEP_TRY(cli_features_path(j->ctx, j->bold, sizeof j->bold, "%s/%s", j->f->root, j->run->bold));
    NEP_TRY(nep_nifti_open(j->ctx, j->bold, &n));
    j->info = *nep_nifti_info(n);
    nep_nifti_free(n);
    if (j->info.n_t < 2)
        return nep_ctx_fail_file(j->ctx, NEP_E_SHAPE, j->bold, "%s: is one 3D image where a 4D series is needed", j->run->bold);
    return NEP_OK;
}

/* --tr, else RepetitionTime of the JSON beside the run, else the header. */
static nep_status find_tr(features_job *j, double *tr_s)
{
    char path[4096];
    json_t *doc = NULL;
    *tr_s = j->f->o.tr_s;
    if (isfinite(*tr_s))
        return NEP_OK;
    if (j->run->sidecar) {
        NEP_TRY(cli_features_path(j->ctx, path, sizeof path, "%s/%s", j->f->root, j->run->sidecar));
        NEP_TRY(nep_json_read(j->ctx, path, &doc));
        const json_t *given = json_object_get(doc, "RepetitionTime");
        if (json_is_number(given))
            *tr_s = json_number_value(given);
        json_decref(doc);
    }
    if (isfinite(*tr_s) && isfinite(j->info.tr_s) && fabs(*tr_s - j->info.tr_s) > 1e-3)
        nep_warn(j->ctx, "%s: the JSON says a repetition time of %g s, the header %g s; the JSON is taken", j->run->bold, *tr_s, j->info.tr_s);
    if (!isfinite(*tr_s))
        *tr_s = j->info.tr_s;
    NEP_REQUIRE(j->ctx, *tr_s > 0 && isfinite(*tr_s), NEP_E_FORMAT, "%s: neither its JSON nor its header gives the repetition time; give --tr in seconds",
                j->run->bold);
    return NEP_OK;
}

nep_status cli_features_atlas(features *f, const nep_grid *grid, const char *name, const nep_atlas **out)
{
    *out = &f->atlas;
    if (nep_grid_same(&f->atlas.grid, grid))
        return NEP_OK;
    NEP_REQUIRE(f->ctx, f->o.resample, NEP_E_GRID, "%s: the atlas lies on another grid (%lld x %lld x %lld, the run has %lld x %lld x %lld); give --resample, or bring all runs onto one grid with --resample-to",
                name, (long long)f->atlas.grid.nx, (long long)f->atlas.grid.ny, (long long)f->atlas.grid.nz, (long long)grid->nx, (long long)grid->ny,
                (long long)grid->nz);
    *out = &f->fitted;
    if (f->fitted.label && nep_grid_same(&f->fitted.grid, grid))
        return NEP_OK;
    nep_atlas_free(&f->fitted);
    return nep_parcels_resample(f->ctx, &f->atlas, grid, &f->fitted);
}

/* Without a mask file: from the mean image. */
static nep_status make_mask(features_job *j)
{
    const int64_t n = nep_grid_voxels(&j->info.grid);
    float *mean = NULL;
    int64_t inside;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n, sizeof *mean, "mean image", &mean));
    NEP_TRY_OR_DONE(st, cli_images_mean(j->ctx, j->bold, &j->info, mean));
    j->mask.grid = j->info.grid;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n, sizeof *j->mask.data, "mask", &j->mask.data));
    st = nep_quality_mask(j->ctx, mean, n, j->mask.data, &inside);
done:
    nep_alloc_free(mean);
    return st;
}

static nep_status load_mask(features_job *j, features_result *r)
{
    char path[4096];
    r->own_mask = !j->run->mask;
    if (j->run->mask) {
        NEP_TRY(cli_features_path(j->ctx, path, sizeof path, "%s/%s", j->f->root, j->run->mask));
        NEP_TRY(nep_nifti_read_volume(j->ctx, path, &j->mask));
        if (!nep_grid_same(&j->mask.grid, &j->info.grid))
            return nep_ctx_fail_file(j->ctx, NEP_E_GRID, path, "%s: the mask lies on another grid than its run %s", j->run->mask, j->run->bold);
    } else {
        nep_warn(j->ctx, "%s: comes without a desc-brain_mask; one is made from its mean image", j->run->bold);
        NEP_TRY(make_mask(j));
    }
    return NEP_OK;
}

/* The voxels of the mask on the grid that is measured. */
static nep_status list_voxels(features_job *j, features_result *r)
{
    const int64_t n = nep_grid_voxels(&j->info.grid);
    NEP_TRY(nep_alloc(j->ctx, n, sizeof *j->voxel, "voxels of the mask", &j->voxel));
    for (int64_t v = 0; v < n; v++)
        if (isfinite(j->mask.data[v]) && j->mask.data[v] != 0.0f)
            j->voxel[j->n++] = (int32_t)v;
    const char *name = j->run->mask ? j->run->mask : j->run->bold;
    NEP_REQUIRE(j->ctx, j->n > 0, NEP_E_FORMAT, "%s: the mask is empty%s", name,
                j->moved ? " on the grid of --resample-to; the two images may not overlap" : "");
    r->n_voxels = j->n;
    return NEP_OK;
}

static nep_status load_confounds(features_job *j, features_result *r)
{
    char path[4096];
    const features_opts *o = &j->f->o;
    const bool none = o->n_confounds == 1 && strcmp(o->confounds[0], "none") == 0;
    const int64_t n = r->n_frames;
    NEP_TRY(nep_alloc(j->ctx, n, sizeof *r->fd, "displacement", &r->fd));
    NEP_TRY(nep_alloc(j->ctx, n, sizeof *r->keep, "kept frames", &r->keep));
    NEP_TRY(nep_alloc(j->ctx, n, sizeof *j->steady, "steady frames", &j->steady));
    NEP_REQUIRE(j->ctx, none || j->run->confounds, NEP_E_MISSING, "%s: comes without a desc-confounds_timeseries.tsv; give --confounds none to go without",
                j->run->bold);
    for (int64_t t = 0; t < n; t++) {
        j->steady[t] = true;
        r->fd[t] = (double)NAN;
    }
    snprintf(r->confounds, sizeof r->confounds, "none");
    if (j->run->confounds) {
        NEP_TRY(cli_features_path(j->ctx, path, sizeof path, "%s/%s", j->f->root, j->run->confounds));
        NEP_TRY(cli_features_confounds(j->f, path, n, &j->confounds, &j->exact, r->confounds, sizeof r->confounds, r->fd, j->steady));
    }
    return NEP_OK;
}

nep_status cli_features_inputs(features_job *j, features_result *r)
{
    NEP_TRY(open_header(j));
    r->n_frames = j->info.n_t;
    NEP_TRY(find_tr(j, &r->tr_s));
    NEP_TRY(load_mask(j, r));
    NEP_TRY(cli_features_target(j));
    r->grid = j->info.grid;
    NEP_TRY(cli_features_atlas(j->f, &j->info.grid, j->run->bold, &j->atlas));
    NEP_TRY(list_voxels(j, r));
    return load_confounds(j, r);
}
