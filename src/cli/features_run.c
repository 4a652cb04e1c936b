/* SPDX-License-Identifier: Apache-2.0 */
/* features_run - what is measured on one run: quality, regional series, connectivity, slow amplitude.
 *
 * Voxels of the mask are read in tiles of columns, so that memory is bounded whatever the run; tiles are whole blocks of the
 * backend's, and regional means are summed over whole regions, so that the tiling does not change a bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/features.h"

enum { TILE_STEP = 4096, ROWS_AT_ONCE = 16 };

/* Everything about one run while it is measured. */
typedef struct {
    features *f;
    nep_ctx *ctx;
    const nep_bids_run *run;
    char bold[4096];
    nep_nifti_header info;
    const nep_atlas *atlas; /* on the run's grid */
    nep_volume mask;
    int64_t n;              /* voxels in the mask */
    int32_t *voxel;         /* [n] */
    nep_series confounds;
    bool *steady;
    nep_clean raw, band;    /* without and with the band-pass */
    bool cleans;            /* the operators were built */
    double *alff, *falff, *tsnr; /* [n] per voxel of the mask, NaN where it does not vary */
    bool *varies;           /* [n] */
    double dvars_voxels;    /* that DVARS was made of */
    nep_atlas packed;       /* the mask's voxels that vary, as a grid of one row */
    double *means;          /* [n_frames, n_regions] */
} job;

static void job_free(job *j)
{
    nep_volume_free(&j->mask);
    nep_series_free(&j->confounds);
    nep_clean_free(&j->raw);
    nep_clean_free(&j->band);
    void *const parts[] = {j->voxel, j->steady, j->alff, j->falff, j->tsnr, j->varies, j->packed.label, j->means};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

void cli_features_result_free(features_result *r)
{
    void *const parts[] = {r->fd, r->dvars_t, r->keep, r->series, r->r, r->z, r->alff, r->falff, r->strength, r->covered};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    *r = (features_result){0};
}

/* ---- inputs ---- */

static nep_status open_header(job *j)
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
static nep_status find_tr(job *j, double *tr_s)
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

static nep_status fit_atlas(job *j)
{
    features *f = j->f;
    j->atlas = &f->atlas;
    if (nep_grid_same(&f->atlas.grid, &j->info.grid))
        return NEP_OK;
    NEP_REQUIRE(j->ctx, f->o.resample, NEP_E_GRID, "%s: the atlas lies on another grid (%lld x %lld x %lld, the run has %lld x %lld x %lld); give --resample",
                j->run->bold, (long long)f->atlas.grid.nx, (long long)f->atlas.grid.ny, (long long)f->atlas.grid.nz,
                (long long)j->info.grid.nx, (long long)j->info.grid.ny, (long long)j->info.grid.nz);
    j->atlas = &f->fitted;
    if (f->fitted.label && nep_grid_same(&f->fitted.grid, &j->info.grid))
        return NEP_OK;
    nep_atlas_free(&f->fitted);
    return nep_parcels_resample(j->ctx, &f->atlas, &j->info.grid, &f->fitted);
}

/* Without a mask file: from the mean image. */
static nep_status make_mask(job *j)
{
    const int64_t n = nep_grid_voxels(&j->info.grid);
    nep_nifti *image = NULL;
    float *volume = NULL;
    double *sum = NULL;
    int64_t inside;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n, sizeof *sum, "mean image", &sum));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n, sizeof *volume, "volume", &volume));
    NEP_TRY_OR_DONE(st, nep_nifti_open(j->ctx, j->bold, &image));
    for (int64_t t = 0; t < j->info.n_t; t++) {
        NEP_TRY_OR_DONE(st, nep_nifti_next(image, volume));
        for (int64_t v = 0; v < n; v++)
            sum[v] += (double)volume[v] / (double)j->info.n_t;
    }
    for (int64_t v = 0; v < n; v++)
        volume[v] = (float)sum[v];
    j->mask.grid = j->info.grid;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n, sizeof *j->mask.data, "mask", &j->mask.data));
    st = nep_quality_mask(j->ctx, volume, n, j->mask.data, &inside);
done:
    nep_nifti_free(image);
    nep_alloc_free(volume);
    nep_alloc_free(sum);
    return st;
}

static nep_status load_mask(job *j, features_result *r)
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
    const int64_t n = nep_grid_voxels(&j->info.grid);
    NEP_TRY(nep_alloc(j->ctx, n, sizeof *j->voxel, "voxels of the mask", &j->voxel));
    for (int64_t v = 0; v < n; v++)
        if (isfinite(j->mask.data[v]) && j->mask.data[v] != 0.0f)
            j->voxel[j->n++] = (int32_t)v;
    NEP_REQUIRE(j->ctx, j->n > 0, NEP_E_FORMAT, "%s: the mask is empty", j->run->mask ? j->run->mask : j->run->bold);
    r->n_voxels = j->n;
    return NEP_OK;
}

static nep_status load_confounds(job *j, features_result *r)
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
        NEP_TRY(cli_features_confounds(j->f, path, n, &j->confounds, r->confounds, sizeof r->confounds, r->fd, j->steady));
    }
    return NEP_OK;
}

static void motion_summary(job *j, features_result *r)
{
    double sum = 0;
    int64_t known = 0;
    r->fd_max = (double)NAN;
    for (int64_t t = 0; t < r->n_frames; t++) {
        r->keep[t] = j->steady[t] && !(j->f->o.censor_mm > 0 && r->fd[t] > j->f->o.censor_mm);
        r->n_kept += r->keep[t];
        if (isfinite(r->fd[t])) {
            sum += r->fd[t];
            known++;
            r->fd_max = r->fd[t] > r->fd_max || known == 1 ? r->fd[t] : r->fd_max;
        }
    }
    r->fd_mean = known ? sum / (double)known : (double)NAN;
}

/* ---- verdict ---- */

static void reason(features_result *r, bool fails, const char *fmt, ...) NEP_PRINTF(3, 4);
static void reason(features_result *r, bool fails, const char *fmt, ...)
{
    const size_t at = strlen(r->reasons);
    va_list args;
    if (fails || strcmp(r->verdict, "fail") != 0)
        snprintf(r->verdict, sizeof r->verdict, fails ? "fail" : "warn");
    if (at > 0 && at + 3 < sizeof r->reasons)
        memcpy(r->reasons + at, "; ", 3);
    va_start(args, fmt);
    const size_t from = strlen(r->reasons);
    vsnprintf(r->reasons + from, sizeof r->reasons - from, fmt, args);
    va_end(args);
}

/* Thresholds on motion: Power et al. (2012), doi:10.1016/j.neuroimage.2011.10.018 (0.5 mm) and Power et al. (2014),
 * doi:10.1016/j.neuroimage.2013.08.048 (0.2 mm). */
static void judge_motion(const features_opts *o, features_result *r)
{
    snprintf(r->verdict, sizeof r->verdict, "pass");
    if (isnan(r->fd_mean))
        reason(r, false, "motion is not known");
    else if (r->fd_mean > o->fail_fd_mm)
        reason(r, true, "mean displacement %.3f mm is above %g mm", r->fd_mean, o->fail_fd_mm);
    else if (r->fd_mean > o->warn_fd_mm)
        reason(r, false, "mean displacement %.3f mm is above %g mm", r->fd_mean, o->warn_fd_mm);
    if (r->n_kept < o->min_frames)
        reason(r, true, "%lld frames are left of %lld, fewer than %lld", (long long)r->n_kept, (long long)r->n_frames, (long long)o->min_frames);
    else if (5 * r->n_kept < 4 * r->n_frames)
        reason(r, false, "%lld of %lld frames are censored", (long long)(r->n_frames - r->n_kept), (long long)r->n_frames);
}

static void judge_rest(features_result *r)
{
    if (r->coverage < 0.9)
        reason(r, r->coverage < 0.5, "the mask covers %.0f %% of the atlas", 100 * r->coverage);
    if (r->own_mask)
        reason(r, false, "no brain mask came with the run");
    if (r->measured && r->dof < 10)
        reason(r, false, "%.1f degrees of freedom are left after cleaning", r->dof);
}

/* ---- operators ---- */

/* A run that fails by its motion may have too little left to clean: that is its verdict, no error. */
static nep_status build_operators(job *j, features_result *r)
{
    const features_opts *o = &j->f->o;
    nep_clean_opts k = NEP_CLEAN_DEFAULTS;
    const nep_series *confounds = j->confounds.n_cols > 0 ? &j->confounds : NULL;
    k.tr_s = r->tr_s;
    k.scale = NEP_CLEAN_PSC;
    k.keep = r->n_kept < r->n_frames ? r->keep : NULL;
    k.filter = NEP_CLEAN_NO_FILTER;
    k.fill = k.keep != NULL;
    nep_status st = nep_clean_build(j->ctx, r->n_frames, confounds, &k, &j->raw);
    if (st == NEP_OK) {
        k.filter = NEP_CLEAN_BUTTERWORTH;
        k.high_pass_hz = o->low_hz;
        k.low_pass_hz = o->high_hz;
        k.fill = false;
        st = nep_clean_build(j->ctx, r->n_frames, confounds, &k, &j->band);
    }
    if ((st == NEP_E_SINGULAR || st == NEP_E_FORMAT) && strcmp(r->verdict, "fail") == 0) {
        reason(r, true, "not cleaned: %s", nep_ctx_error(j->ctx));
        nep_ctx_clear(j->ctx);
        return NEP_OK;
    }
    NEP_TRY(st);
    j->cleans = true;
    r->dof = j->band.effective_dof;
    return NEP_OK;
}

/* ---- voxels, tile by tile ---- */

static nep_status read_tile(job *j, int64_t first, int64_t n, nep_series *x)
{
    nep_volume part = {.grid = j->info.grid};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, nep_grid_voxels(&part.grid), sizeof *part.data, "mask", &part.data));
    for (int64_t k = first; k < first + n; k++)
        part.data[j->voxel[k]] = 1.0f;
    st = nep_nifti_read_series(j->ctx, j->bold, &part, x, NULL);
done:
    nep_volume_free(&part);
    return st;
}

static nep_status tile_varies(job *j, const nep_series *x, int64_t first, bool *any)
{
    double *mean = NULL, *m2 = NULL;
    nep_status st;
    *any = false;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, x->n_cols, sizeof *mean, "voxel means", &mean));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, x->n_cols, sizeof *m2, "voxel variances", &m2));
    NEP_TRY_OR_DONE(st, nep_backend_moments(j->ctx, x->data, x->n_t, x->n_cols, mean, m2));
    for (int64_t k = 0; k < x->n_cols; k++) {
        j->varies[first + k] = isfinite(mean[k]) && m2[k] > 0;
        *any = *any || j->varies[first + k];
    }
done:
    nep_alloc_free(m2);
    nep_alloc_free(mean);
    return st;
}

/* Voxelwise-standardised DVARS (Nichols 2017) is the root of a mean over voxels: its squares add up over tiles. */
static nep_status tile_dvars(job *j, const nep_series *x, features_result *r)
{
    double *dvars[3] = {NULL};
    int64_t kept = 0;
    nep_status st;
    for (int i = 0; i < 3; i++)
        NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, x->n_t, sizeof *dvars[i], "DVARS", &dvars[i]));
    NEP_TRY_OR_DONE(st, nep_quality_dvars(j->ctx, x->data, x->n_t, x->n_cols, dvars[0], dvars[1], dvars[2], &kept));
    for (int64_t t = 1; t < x->n_t; t++)
        r->dvars_t[t] += dvars[2][t] * dvars[2][t] * (double)kept;
    j->dvars_voxels += (double)kept;
done:
    for (int i = 0; i < 3; i++)
        nep_alloc_free(dvars[i]);
    return st;
}

static nep_status tile_amplitude(job *j, const nep_series *x, int64_t first, double tr_s)
{
    const features_opts *o = &j->f->o;
    float *y = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, j->raw.n_out * x->n_cols, sizeof *y, "cleaned voxels", &y));
    NEP_TRY_OR_DONE(st, nep_clean_apply(j->ctx, &j->raw, x->data, x->n_cols, y));
    st = nep_voxelwise_alff(j->ctx, y, j->raw.n_out, x->n_cols, tr_s, o->low_hz, o->high_hz, NEP_VOXELWISE_CANONICAL, j->alff + first,
                            j->falff + first);
done:
    nep_alloc_free(y);
    return st;
}

static nep_status measure_tile(job *j, const nep_series *x, int64_t first, features_result *r)
{
    bool any;
    NEP_TRY(tile_varies(j, x, first, &any));
    NEP_TRY(nep_voxelwise_tsnr(j->ctx, x->data, x->n_t, x->n_cols, j->tsnr + first));
    if (any)
        NEP_TRY(tile_dvars(j, x, r));
    if (j->cleans && (j->f->o.alff || j->f->o.falff))
        NEP_TRY(tile_amplitude(j, x, first, r->tr_s));
    return NEP_OK;
}

/* Columns at once: two copies of the series and the reader's volume within half of what is free. */
static int64_t tile_columns(const job *j)
{
    const int64_t free_bytes = nep_alloc_budget(j->ctx) - nep_alloc_used(j->ctx), per = j->info.n_t * 3 * (int64_t)sizeof(float);
    const int64_t n = free_bytes / 2 / per / TILE_STEP * TILE_STEP;
    return n < TILE_STEP ? TILE_STEP : n < j->n ? n : j->n;
}

/* ---- regions ---- */

/* The mask's voxels that vary, with the labels of regions that have enough of them. */
static nep_status pack_atlas(job *j, features_result *r)
{
    const nep_atlas *a = j->atlas;
    const int64_t n_vox = nep_grid_voxels(&a->grid);
    int64_t *total = NULL, all = 0, have = 0;
    nep_status st;
    j->packed = (nep_atlas){.grid = {.nx = j->n, .ny = 1, .nz = 1}, .n_regions = a->n_regions, .id = a->id, .names = a->names};
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, a->n_regions, sizeof *total, "voxels of regions", &total));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, a->n_regions, sizeof *r->covered, "coverage", &r->covered));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, j->n, sizeof *j->packed.label, "labels of the mask", &j->packed.label));
    for (int64_t v = 0; v < n_vox; v++)
        if (a->label[v] > 0) {
            total[a->label[v] - 1]++;
            all++;
        }
    for (int64_t k = 0; k < j->n; k++) {
        const int32_t l = j->varies[k] ? a->label[j->voxel[k]] : 0;
        j->packed.label[k] = l;
        if (l > 0) {
            r->covered[l - 1] += 1;
            have++;
        }
    }
    for (int64_t q = 0; q < a->n_regions; q++)
        r->covered[q] = total[q] > 0 ? r->covered[q] / (double)total[q] : (double)NAN;
    r->coverage = all > 0 ? (double)have / (double)all : 0;
    for (int64_t k = 0; k < j->n; k++)
        if (j->packed.label[k] > 0 && r->covered[j->packed.label[k] - 1] < j->f->o.min_coverage)
            j->packed.label[k] = 0;
done:
    nep_alloc_free(total);
    return st;
}

static nep_status stream_means(job *j, nep_parcels *p)
{
    const int64_t n_vox = nep_grid_voxels(&j->info.grid);
    nep_nifti *image = NULL;
    float *volume = NULL, *rows = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n_vox, sizeof *volume, "volume", &volume));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, ROWS_AT_ONCE * j->n, sizeof *rows, "frames", &rows));
    NEP_TRY_OR_DONE(st, nep_nifti_open(j->ctx, j->bold, &image));
    for (int64_t t = 0; t < j->info.n_t; t += ROWS_AT_ONCE) {
        const int64_t n = j->info.n_t - t < ROWS_AT_ONCE ? j->info.n_t - t : ROWS_AT_ONCE;
        for (int64_t i = 0; i < n; i++) {
            NEP_TRY_OR_DONE(st, nep_nifti_next(image, volume));
            for (int64_t k = 0; k < j->n; k++)
                rows[i * j->n + k] = volume[j->voxel[k]];
        }
        NEP_TRY_OR_DONE(st, nep_parcels_add(p, rows, n, j->means + t * j->atlas->n_regions));
    }
done:
    nep_nifti_free(image);
    nep_alloc_free(rows);
    nep_alloc_free(volume);
    return st;
}

/* Regional means of the frames; whole is the masked series when it was read at once. */
static nep_status regional_means(job *j, const nep_series *whole)
{
    nep_parcels *p = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(j->ctx, j->info.n_t * j->atlas->n_regions, sizeof *j->means, "regional means", &j->means));
    NEP_TRY(nep_parcels_open(j->ctx, &j->packed, NULL, &p));
    if (whole->data)
        st = nep_parcels_add(p, whole->data, whole->n_t, j->means);
    else
        st = stream_means(j, p);
    nep_parcels_free(p);
    return st;
}

static nep_status regional_map(job *j, const double *voxels, double **out)
{
    nep_parcels *p = NULL;
    float *x = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, j->n, sizeof *x, "map", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, j->atlas->n_regions, sizeof **out, "regional map", out));
    for (int64_t k = 0; k < j->n; k++)
        x[k] = (float)voxels[k];
    NEP_TRY_OR_DONE(st, nep_parcels_open(j->ctx, &j->packed, NULL, &p));
    st = nep_parcels_add(p, x, 1, *out);
done:
    nep_parcels_free(p);
    nep_alloc_free(x);
    return st;
}

/* Mean Fisher z of a region with the others that are known. */
static void strengths(const double *z, int64_t n, double *out)
{
    for (int64_t a = 0; a < n; a++) {
        double sum = 0;
        int64_t known = 0;
        for (int64_t b = 0; b < n; b++)
            if (b != a && isfinite(z[a * n + b])) {
                sum += z[a * n + b];
                known++;
            }
        out[a] = known ? sum / (double)known : (double)NAN;
    }
}

static nep_status regional_series(job *j, features_result *r)
{
    const int64_t n = j->atlas->n_regions;
    float *x = NULL, *y = NULL;
    nep_status st;
    r->n_rows = j->band.n_out;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, r->n_frames * n, sizeof *x, "regional series", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, r->n_rows * n, sizeof *y, "cleaned series", &y));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, r->n_rows * n, sizeof *r->series, "cleaned series", &r->series));
    for (int64_t i = 0; i < r->n_frames * n; i++)
        x[i] = (float)j->means[i];
    NEP_TRY_OR_DONE(st, nep_clean_apply(j->ctx, &j->band, x, n, y));
    for (int64_t i = 0; i < r->n_rows * n; i++)
        r->series[i] = (double)y[i];
    if (!j->f->o.connectivity)
        goto done;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n * n, sizeof *r->r, "connectivity", &r->r));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n * n, sizeof *r->z, "connectivity", &r->z));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n, sizeof *r->strength, "connectivity", &r->strength));
    NEP_TRY_OR_DONE(st, nep_connectivity(j->ctx, y, r->n_rows, n, NEP_CONNECTIVITY_PEARSON, false, r->r));
    NEP_TRY_OR_DONE(st, nep_connectivity(j->ctx, y, r->n_rows, n, NEP_CONNECTIVITY_PEARSON, true, r->z));
    strengths(r->z, n, r->strength);
done:
    nep_alloc_free(y);
    nep_alloc_free(x);
    return st;
}

/* ---- the run ---- */

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void finish_quality(job *j, features_result *r)
{
    double sum = 0;
    int64_t known = 0;
    r->dvars_t[0] = (double)NAN;
    for (int64_t t = 1; t < r->n_frames; t++) {
        r->dvars_t[t] = j->dvars_voxels > 0 ? sqrt(r->dvars_t[t] / j->dvars_voxels) : (double)NAN;
        sum += r->dvars_t[t];
    }
    r->dvars = sum / (double)(r->n_frames - 1);
    for (int64_t k = 0; k < j->n; k++) {
        if (!j->varies[k]) {
            j->alff[k] = (double)NAN;
            j->falff[k] = (double)NAN;
        } else if (isfinite(j->tsnr[k])) {
            j->tsnr[known++] = j->tsnr[k]; /* k >= known: packed to the front */
        }
    }
    qsort(j->tsnr, (size_t)known, sizeof *j->tsnr, by_number);
    r->tsnr = known ? (j->tsnr[(known - 1) / 2] + j->tsnr[known / 2]) / 2 : (double)NAN;
}

static nep_status measure_voxels(job *j, features_result *r, nep_series *whole)
{
    const int64_t tile = tile_columns(j);
    for (int64_t first = 0; first < j->n; first += tile) {
        const int64_t n = j->n - first < tile ? j->n - first : tile;
        nep_series x = {0};
        NEP_TRY(nep_ctx_check(j->ctx));
        NEP_TRY(read_tile(j, first, n, &x));
        const nep_status st = measure_tile(j, &x, first, r);
        if (st == NEP_OK && n == j->n) {
            *whole = x;
            return NEP_OK;
        }
        nep_series_free(&x);
        NEP_TRY(st);
    }
    return NEP_OK;
}

static nep_status prepare(job *j, features_result *r)
{
    NEP_TRY(open_header(j));
    r->n_frames = j->info.n_t;
    NEP_TRY(find_tr(j, &r->tr_s));
    NEP_TRY(fit_atlas(j));
    NEP_TRY(load_mask(j, r));
    NEP_TRY(load_confounds(j, r));
    motion_summary(j, r);
    judge_motion(&j->f->o, r);
    NEP_TRY(build_operators(j, r));
    NEP_TRY(nep_alloc(j->ctx, r->n_frames, sizeof *r->dvars_t, "DVARS", &r->dvars_t));
    NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *j->alff, "ALFF", &j->alff));
    NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *j->falff, "fALFF", &j->falff));
    NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *j->tsnr, "tSNR", &j->tsnr));
    return nep_alloc(j->ctx, j->n, sizeof *j->varies, "voxels that vary", &j->varies);
}

nep_status cli_features_measure(features *f, const nep_bids_run *run, features_result *out)
{
    job j = {.f = f, .ctx = f->ctx, .run = run};
    features_result r = {.dof = (double)NAN};
    nep_series whole = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, prepare(&j, &r));
    NEP_TRY_OR_DONE(st, measure_voxels(&j, &r, &whole));
    NEP_TRY_OR_DONE(st, pack_atlas(&j, &r));
    finish_quality(&j, &r);
    r.measured = j.cleans;
    judge_rest(&r);
    if (r.measured && (f->o.series || f->o.connectivity)) {
        NEP_TRY_OR_DONE(st, regional_means(&j, &whole));
        NEP_TRY_OR_DONE(st, regional_series(&j, &r));
    }
    if (r.measured && f->o.alff)
        NEP_TRY_OR_DONE(st, regional_map(&j, j.alff, &r.alff));
    if (r.measured && f->o.falff)
        NEP_TRY_OR_DONE(st, regional_map(&j, j.falff, &r.falff));
    *out = r;
    r = (features_result){0};
done:
    nep_series_free(&whole);
    cli_features_result_free(&r);
    job_free(&j);
    return st;
}
