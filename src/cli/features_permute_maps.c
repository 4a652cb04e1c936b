/* SPDX-License-Identifier: Apache-2.0 */
/* features_permute_maps - the maps of one feature, a row per participant: runs averaged by their kept frames. */
#include <math.h>
#include <string.h>

#include "cli/features_permute.h"

/* The image beside a run's table: its name without the atlas. */
static nep_status map_path(const features_gathering *g, const features_gathered_run *r, int k, char *out, size_t size)
{
    char seg[80];
    snprintf(seg, sizeof seg, "_seg-%s", g->f->seg);
    const char *stem = r->source->stem, *cut = strstr(stem, seg);
    const size_t before = cut ? (size_t)(cut - stem) : strlen(stem);
    return cli_features_path(g->ctx, out, size, "%s/%s/%.*s%s_stat-%s%s_boldmap.nii.gz", g->f->out, r->source->folder, (int)before, stem,
                             cut ? cut + strlen(seg) : "", cli_features_regional[k], cli_features_desc[r->desc < 0 ? 0 : r->desc]);
}

typedef struct {
    features_gathering *g;
    cli_people *d;
    char first[4096];     /* the image whose grid all must have */
    double *sum, *weight; /* [voxels of the grid] of one participant */
} averaging;

static nep_status add_map(averaging *a, const features_gathered_run *r, const char *path)
{
    nep_volume v = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_read_volume(a->g->ctx, path, &v));
    const int64_t n = nep_grid_voxels(&v.grid);
    if (!a->sum) {
        a->d->grid = v.grid;
        snprintf(a->first, sizeof a->first, "%s", path);
        NEP_TRY_OR_DONE(st, nep_alloc(a->g->ctx, n, sizeof *a->sum, "map", &a->sum));
        NEP_TRY_OR_DONE(st, nep_alloc(a->g->ctx, n, sizeof *a->weight, "map", &a->weight));
    }
    NEP_REQUIRE_OR_DONE(st, a->g->ctx, nep_grid_same(&v.grid, &a->d->grid), NEP_E_GRID,
                        "%s: lies on another grid than %s; bring all runs onto one with --resample-to", path, a->first);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(v.data[i])) {
            a->sum[i] += (double)v.data[i] * r->q[N_KEPT];
            a->weight[i] += r->q[N_KEPT];
        }
done:
    nep_volume_free(&v);
    return st;
}

/* Voxels are those that the first participant has: one that is missing in anybody is not tested. */
static nep_status list_voxels(averaging *a)
{
    cli_people *d = a->d;
    const int64_t n = nep_grid_voxels(&d->grid);
    NEP_TRY(nep_alloc(a->g->ctx, n, sizeof *d->voxel, "voxels", &d->voxel));
    for (int64_t i = 0; i < n; i++)
        if (a->weight[i] > 0)
            d->voxel[d->n_cols++] = i;
    NEP_REQUIRE(a->g->ctx, d->n_cols > 0, NEP_E_FORMAT, "%s: has no voxel with a value", a->first);
    return nep_alloc(a->g->ctx, a->g->n_people * d->n_cols, sizeof *d->y, "maps of everybody", &d->y);
}

static nep_status add_person(averaging *a, int64_t person, int k)
{
    features_gathering *g = a->g;
    cli_people *d = a->d;
    char path[4096];
    bool any = false;
    for (int64_t i = 0; a->sum && i < nep_grid_voxels(&d->grid); i++)
        a->sum[i] = a->weight[i] = 0;
    for (int64_t i = 0; i < g->n; i++) {
        if (g->runs[i].person != person)
            continue;
        NEP_TRY(map_path(g, &g->runs[i], k, path, sizeof path));
        if (!nep_file_exists(path))
            continue;
        NEP_TRY(add_map(a, &g->runs[i], path));
        any = true;
    }
    if (!any)
        return NEP_OK;
    if (!d->voxel)
        NEP_TRY(list_voxels(a));
    for (int64_t v = 0; v < d->n_cols; v++) {
        const double w = a->weight[d->voxel[v]];
        d->y[d->n * d->n_cols + v] = w > 0 ? (float)(a->sum[d->voxel[v]] / w) : NAN;
    }
    return nep_alloc_string(g->ctx, g->ids[person], &d->ids[d->n++]);
}

nep_status cli_features_permute_maps(features_gathering *g, int k, cli_people *out)
{
    cli_people d = {0};
    averaging a = {.g = g, .d = &d};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(g->ctx, g->n_people, sizeof *d.ids, "participants", &d.ids));
    for (int64_t p = 0; p < g->n_people; p++)
        if (cli_features_permute_takes(g, p))
            NEP_TRY_OR_DONE(st, add_person(&a, p, k));
    *out = d;
    d = (cli_people){0};
    st = NEP_OK;
done:
    cli_people_free(&d);
    nep_alloc_free(a.sum);
    nep_alloc_free(a.weight);
    return st;
}
