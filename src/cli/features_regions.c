/* SPDX-License-Identifier: Apache-2.0 */
/* features_regions - from the mask's voxels to regions: coverage, mean series, connectivity, maps. Means are summed over whole
 * regions, whether the run was read at once or frame by frame. */
#include <math.h>

#include "cli/features_run.h"

enum { ROWS_AT_ONCE = 16 };

/* The mask's voxels that vary, with the labels of regions that have enough of them. */
nep_status cli_features_pack(features_job *j, features_result *r)
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

static nep_status stream_means(features_job *j, nep_parcels *p)
{
    const int64_t n_vox = nep_grid_voxels(&j->info.grid);
    features_frames image = {0};
    float *volume = NULL, *rows = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n_vox, sizeof *volume, "volume", &volume));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, ROWS_AT_ONCE * j->n, sizeof *rows, "frames", &rows));
    NEP_TRY_OR_DONE(st, cli_features_frames_open(j, false, &image));
    for (int64_t t = 0; t < j->info.n_t; t += ROWS_AT_ONCE) {
        const int64_t n = j->info.n_t - t < ROWS_AT_ONCE ? j->info.n_t - t : ROWS_AT_ONCE;
        for (int64_t i = 0; i < n; i++) {
            NEP_TRY_OR_DONE(st, cli_features_frames_next(&image, volume));
            for (int64_t k = 0; k < j->n; k++)
                rows[i * j->n + k] = volume[j->voxel[k]];
        }
        NEP_TRY_OR_DONE(st, nep_parcels_add(p, rows, n, j->means + t * j->atlas->n_regions));
    }
done:
    cli_features_frames_close(&image);
    nep_alloc_free(rows);
    nep_alloc_free(volume);
    return st;
}

/* Regional means of the frames; whole is the masked series when it was read at once. */
static nep_status regional_means(features_job *j, const nep_series *whole)
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

nep_status cli_features_by_region(features_job *j, const double *voxels, double *out)
{
    nep_parcels *p = NULL;
    float *x = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, j->n, sizeof *x, "map", &x));
    for (int64_t k = 0; k < j->n; k++)
        x[k] = (float)voxels[k];
    NEP_TRY_OR_DONE(st, nep_parcels_open(j->ctx, &j->packed, NULL, &p));
    st = nep_parcels_add(p, x, 1, out);
done:
    nep_parcels_free(p);
    nep_alloc_free(x);
    return st;
}

/* Map k of the voxels of the mask: means over regions, and the volume itself where it is asked for. */
static nep_status take_map(features_job *j, int k, const double *voxels, features_result *r, double **regional)
{
    if (j->f->o.maps) {
        const int64_t n = nep_grid_voxels(&j->info.grid);
        NEP_TRY(nep_alloc(j->ctx, n, sizeof *r->map[k], "map", &r->map[k]));
        for (int64_t v = 0; v < n; v++)
            r->map[k][v] = NAN;
        for (int64_t v = 0; v < j->n; v++)
            r->map[k][j->voxel[v]] = (float)voxels[v];
    }
    NEP_TRY(nep_alloc(j->ctx, j->atlas->n_regions, sizeof **regional, "regional map", regional));
    return cli_features_by_region(j, voxels, *regional);
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

static nep_status relate(features_job *j, const float *y, int64_t n_rows, nep_connectivity_kind kind, bool fisher_z, double *shrinkage, double *out)
{
    const int64_t n = j->atlas->n_regions;
    return j->f->o.shrinks ? nep_connectivity_ledoit_wolf(j->ctx, y, n_rows, n, kind, fisher_z, shrinkage, out)
                           : nep_connectivity(j->ctx, y, n_rows, n, kind, fisher_z, out);
}

static nep_status other_kinds(features_job *j, const float *y, features_result *r)
{
    static const nep_connectivity_kind kinds[FEATURES_KINDS] = {NEP_CONNECTIVITY_PARTIAL, NEP_CONNECTIVITY_COVARIANCE, NEP_CONNECTIVITY_PRECISION};
    const int64_t n = j->atlas->n_regions;
    for (int k = 0; k < FEATURES_KINDS; k++) {
        if (!j->f->o.kinds[k])
            continue;
        NEP_TRY(nep_alloc(j->ctx, n * n, sizeof *r->kind[k], "connectivity", &r->kind[k]));
        NEP_TRY(relate(j, y, r->n_rows, kinds[k], false, &r->shrinkage, r->kind[k]));
    }
    return NEP_OK;
}

static nep_status regional_series(features_job *j, features_result *r)
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
    NEP_TRY_OR_DONE(st, other_kinds(j, y, r));
    if (!j->f->o.connectivity)
        goto done;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n * n, sizeof *r->r, "connectivity", &r->r));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n * n, sizeof *r->z, "connectivity", &r->z));
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, n, sizeof *r->strength, "connectivity", &r->strength));
    NEP_TRY_OR_DONE(st, relate(j, y, r->n_rows, NEP_CONNECTIVITY_PEARSON, false, &r->shrinkage_z, r->r));
    NEP_TRY_OR_DONE(st, relate(j, y, r->n_rows, NEP_CONNECTIVITY_PEARSON, true, &r->shrinkage_z, r->z));
    strengths(r->z, n, r->strength);
done:
    nep_alloc_free(y);
    nep_alloc_free(x);
    return st;
}

static nep_status local_maps(features_job *j, features_result *r)
{
    double *voxels = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *voxels, "map", &voxels));
    for (int m = 0; m < CLI_LOCALS && st == NEP_OK; m++) {
        if (!j->f->o.local.wants[m])
            continue;
        st = cli_local_measure(j->ctx, &j->local, (cli_local_map)m, voxels, m == CLI_LOCAL_GCOR ? &r->gcor : NULL);
        if (st == NEP_OK)
            st = take_map(j, 2 + m, voxels, r, &r->local[m]);
    }
    nep_alloc_free(voxels);
    return st;
}

/* Maps of all pairs of voxels: those that need the pairs share one pass through them. */
static nep_status pair_maps(features_job *j, features_result *r)
{
    const bool *wants = j->f->o.pairs;
    const nep_connectome_opts o = {.threshold = j->f->o.threshold};
    double *value = NULL, *map[CLI_CONNECTOME_REGIONAL];
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(j->ctx, CLI_CONNECTOME_REGIONAL * j->n, sizeof *value, "maps", &value));
    for (int m = 0; m < CLI_CONNECTOME_REGIONAL; m++)
        map[m] = wants[m] ? value + m * j->n : NULL;
    double *const degree = map[CLI_CONNECTOME_DEGREE], *const weighted = map[CLI_CONNECTOME_WEIGHTED_DEGREE], *const z = map[CLI_CONNECTOME_MEAN_Z];
    if (degree || weighted || z)
        NEP_TRY_OR_DONE(st, nep_connectome_pairs(j->ctx, &j->pairs, &o, degree, weighted, z));
    if (map[CLI_CONNECTOME_RMS])
        NEP_TRY_OR_DONE(st, nep_connectome_rms(j->ctx, &j->pairs, map[CLI_CONNECTOME_RMS]));
    if (map[CLI_CONNECTOME_EIGENVECTOR])
        NEP_TRY_OR_DONE(st, nep_connectome_eigenvector(j->ctx, &j->pairs, NULL, map[CLI_CONNECTOME_EIGENVECTOR]));
    double *const strength = map[CLI_CONNECTOME_STRENGTH], *const mean_r = map[CLI_CONNECTOME_MEAN_R];
    if (strength)
        NEP_TRY_OR_DONE(st, nep_connectome_strength(j->ctx, &j->pairs, strength));
    if (mean_r)
        NEP_TRY_OR_DONE(st, nep_connectome_strength(j->ctx, &j->pairs, mean_r));
    for (int64_t v = 0; mean_r && v < j->n; v++)
        mean_r[v] /= (double)(j->pairs.n - 1);
    for (int m = 0; m < CLI_CONNECTOME_REGIONAL; m++)
        if (map[m])
            NEP_TRY_OR_DONE(st, take_map(j, 2 + CLI_LOCALS + m, map[m], r, &r->pairs[m]));
    r->n_pairs = j->pairs.n;
done:
    nep_alloc_free(value);
    return st;
}

nep_status cli_features_regions(features_job *j, const nep_series *whole, features_result *r)
{
    const features_opts *o = &j->f->o;
    const bool series = o->series || o->connectivity || o->kinds[FEATURES_PARTIAL] || o->kinds[FEATURES_COVARIANCE] || o->kinds[FEATURES_PRECISION];
    if (series || o->glm)
        NEP_TRY(regional_means(j, whole));
    if (series)
        NEP_TRY(regional_series(j, r));
    if (o->glm)
        NEP_TRY(cli_features_glm(j, r));
    if (o->alff)
        NEP_TRY(take_map(j, 0, j->alff, r, &r->alff));
    if (o->falff)
        NEP_TRY(take_map(j, 1, j->falff, r, &r->falff));
    if (o->tsnr)
        NEP_TRY(take_map(j, FEATURES_MAPS - 1, j->tsnr_map, r, &r->tsnr_mean));
    if (j->local.n > 0)
        NEP_TRY(local_maps(j, r));
    if (j->pairs.room > 0)
        NEP_TRY(pair_maps(j, r));
    return cli_features_seeds(j, r);
}
