/* SPDX-License-Identifier: Apache-2.0 */
/* features_voxels - what is measured voxel by voxel: variation, tSNR, DVARS, slow amplitude, and what maps of voxels among voxels keep.
 *
 * Voxels of the mask are read in tiles of columns, so that memory is bounded whatever the run; tiles are whole blocks of the
 * backend's, so that the tiling does not change a bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/features_run.h"
#include "core/order.h"

enum { TILE_STEP = 4096 };

/* The run as it lies there is read straight into columns. */
static nep_status read_tile(features_job *j, int64_t first, int64_t n, nep_series *x)
{
    if (j->moved)
        return cli_features_frames_tile(j, first, n, false, x);
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

static nep_status tile_varies(features_job *j, const nep_series *x, int64_t first)
{
    double *mean = NULL, *m2 = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, x->n_cols, sizeof *mean, "voxel means", &mean));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, x->n_cols, sizeof *m2, "voxel variances", &m2));
    NEP_TRY_OR_DONE(st, nep_backend_moments(j->ctx, x->data, x->n_t, x->n_cols, mean, m2));
    for (int64_t k = 0; k < x->n_cols; k++)
        j->varies[first + k] = isfinite(mean[k]) && m2[k] > 0;
done:
    nep_alloc_free(m2);
    nep_alloc_free(mean);
    return st;
}

/* Squares of voxelwise-standardised DVARS of a few columns, added up. Columns it can say nothing of are left out and counted. */
static nep_status block_dvars(features_job *j, const float *x, int64_t n_cols, features_result *r)
{
    const int64_t n_t = r->n_frames;
    double *dvars[3] = {NULL};
    int64_t kept = 0;
    nep_status st;
    for (int i = 0; i < 3; i++)
        NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n_t, sizeof *dvars[i], "DVARS", &dvars[i]));
    st = nep_quality_dvars(j->ctx, x, n_t, n_cols, dvars[0], dvars[1], dvars[2], &kept);
    if (st == NEP_E_FORMAT) {
        snprintf(j->dvars_error, sizeof j->dvars_error, "%s", nep_ctx_error(j->ctx));
        nep_ctx_clear(j->ctx);
        j->dvars_lost += n_cols;
        st = NEP_OK;
        goto done;
    }
    NEP_TRY_OR_DONE(st, st);
    for (int64_t t = 1; t < n_t; t++)
        r->dvars_t[t] += dvars[2][t] * dvars[2][t] * (double)kept;
    j->dvars_voxels += (double)kept;
done:
    for (int i = 0; i < 3; i++)
        nep_alloc_free(dvars[i]);
    return st;
}

/* Voxelwise-standardised DVARS (Nichols 2017) is the root of a mean over voxels: its squares add up. They do so over blocks of
 * TILE_STEP columns, however many a tile holds, so that the sum has the same bits. */
static nep_status tile_dvars(features_job *j, const nep_series *x, int64_t first, features_result *r)
{
    float *part = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc(j->ctx, x->n_t * (x->n_cols < TILE_STEP ? x->n_cols : TILE_STEP), sizeof *part, "DVARS", &part));
    for (int64_t at = 0; at < x->n_cols && st == NEP_OK; at += TILE_STEP) {
        const int64_t n = x->n_cols - at < TILE_STEP ? x->n_cols - at : TILE_STEP;
        bool any = false;
        for (int64_t k = 0; k < n; k++)
            any = any || j->varies[first + at + k];
        if (!any)
            continue;
        for (int64_t t = 0; t < x->n_t; t++)
            memcpy(part + t * n, x->data + t * x->n_cols + at, (size_t)n * sizeof *part);
        st = block_dvars(j, part, n, r);
    }
    nep_alloc_free(part);
    return st;
}

static nep_status tile_amplitude(features_job *j, const nep_series *x, int64_t first, double tr_s)
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

static bool wants_local(const features_job *j)
{
    bool any = false;
    for (int m = 0; m < CLI_LOCALS; m++)
        any = any || j->f->o.local.wants[m];
    return j->cleans && any;
}

static bool wants_pairs(const features_job *j)
{
    bool any = false;
    for (int m = 0; m < CLI_CONNECTOME_REGIONAL; m++)
        any = any || j->f->o.pairs[m];
    return j->cleans && (any || j->f->o.seed || j->f->o.nearest);
}

/* Voxels with the band-pass of connectivity, for maps that compare them. */
static nep_status tile_compared(features_job *j, const nep_series *x, int64_t first)
{
    float *y = NULL;
    int64_t *voxel = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, j->band.n_out * x->n_cols, sizeof *y, "cleaned voxels", &y));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, x->n_cols, sizeof *voxel, "places of voxels", &voxel));
    for (int64_t k = 0; k < x->n_cols; k++)
        voxel[k] = j->voxel[first + k];
    NEP_TRY_OR_DONE(st, nep_clean_apply(j->ctx, &j->band, x->data, x->n_cols, y));
    if (wants_local(j))
        NEP_TRY_OR_DONE(st, cli_local_add(j->ctx, &j->local, y, x->n_cols, voxel));
    if (wants_pairs(j))
        NEP_TRY_OR_DONE(st, nep_connectome_add(j->ctx, &j->pairs, y, x->n_cols));
    if (j->seeds.n > 0) {
        const nep_series tile = {.n_t = j->band.n_out, .n_cols = x->n_cols, .data = y};
        NEP_TRY_OR_DONE(st, cli_connectome_seeds_add(j->ctx, &j->seeds, nep_grid_voxels(&j->info.grid), &tile, voxel));
    }
done:
    nep_alloc_free(voxel);
    nep_alloc_free(y);
    return st;
}

static bool measures_maps(const features_job *j)
{
    return j->cleans && (j->f->o.alff || j->f->o.falff || j->f->o.tsnr || wants_local(j) || wants_pairs(j));
}

/* What is measured by voxel, of series that may have been smoothed; quality and regional means never are. */
static nep_status tile_maps(features_job *j, const nep_series *x, int64_t first, features_result *r)
{
    if (j->cleans && (j->f->o.alff || j->f->o.falff))
        NEP_TRY(tile_amplitude(j, x, first, r->tr_s));
    if (j->tsnr_map)
        NEP_TRY(nep_voxelwise_tsnr(j->ctx, x->data, x->n_t, x->n_cols, j->tsnr_map + first));
    return wants_local(j) || wants_pairs(j) ? tile_compared(j, x, first) : NEP_OK;
}

static nep_status measure_tile(features_job *j, const nep_series *x, int64_t first, features_result *r)
{
    NEP_TRY(tile_varies(j, x, first));
    NEP_TRY(nep_voxelwise_tsnr(j->ctx, x->data, x->n_t, x->n_cols, j->tsnr + first));
    NEP_TRY(tile_dvars(j, x, first, r));
    if (j->f->o.fwhm_mm > 0 && measures_maps(j)) {
        nep_series smooth = {0};
        nep_status st = cli_features_frames_tile(j, first, x->n_cols, true, &smooth);
        if (st == NEP_OK)
            st = tile_maps(j, &smooth, first, r);
        nep_series_free(&smooth);
        return st;
    }
    return tile_maps(j, x, first, r);
}

/* Columns at once: two copies of the series (with smoothing three) and the reader's volume within half of what is free. */
static int64_t tile_columns(const features_job *j)
{
    const int64_t free_bytes = nep_alloc_budget(j->ctx) - nep_alloc_used(j->ctx), copies = j->f->o.fwhm_mm > 0 ? 4 : 3,
                  per = j->info.n_t * copies * (int64_t)sizeof(float);
    const int64_t n = free_bytes / 2 / per / TILE_STEP * TILE_STEP;
    return n < TILE_STEP ? TILE_STEP : n < j->n ? n : j->n;
}

void cli_features_finish_quality(features_job *j, features_result *r)
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
    qsort(j->tsnr, (size_t)known, sizeof *j->tsnr, nep_order_ascending);
    r->tsnr = known ? (j->tsnr[(known - 1) / 2] + j->tsnr[known / 2]) / 2 : (double)NAN;
}

nep_status cli_features_voxels(features_job *j, features_result *r, nep_series *whole)
{
    if (wants_local(j))
        NEP_TRY(cli_local_open(j->ctx, &j->f->o.local, &j->info.grid, j->band.n_out, j->n, &j->local));
    if (wants_pairs(j))
        NEP_TRY(nep_connectome_open(j->ctx, j->band.n_out, j->n, false, &j->pairs));
    if (j->cleans && j->f->o.seed)
        NEP_TRY(cli_connectome_places_read(j->f->c, &j->info.grid, j->band.n_out, &j->seeds));
    const int64_t tile = tile_columns(j);
    nep_log(j->ctx, NEP_LOG_DEBUG, "%s: %lld voxels in %lld tiles", j->run->bold, (long long)j->n, (long long)((j->n + tile - 1) / tile));
    for (int64_t first = 0; first < j->n; first += tile) {
        const int64_t n = j->n - first < tile ? j->n - first : tile;
        nep_series x = {0};
        NEP_TRY(nep_ctx_check(j->ctx));
        NEP_TRY(read_tile(j, first, n, &x));
        const nep_status st = measure_tile(j, &x, first, r);
        if (st == NEP_OK && n == j->n)
            *whole = x;
        else
            nep_series_free(&x);
        NEP_TRY(st);
    }
    NEP_REQUIRE(j->ctx, j->dvars_lost == 0 || j->dvars_voxels > 0, NEP_E_FORMAT, "%s", j->dvars_error);
    if (j->dvars_lost > 0)
        nep_warn(j->ctx, "%s: DVARS leaves out %lld voxels of the mask: %s", j->run->bold, (long long)j->dvars_lost, j->dvars_error);
    return NEP_OK;
}
