/* SPDX-License-Identifier: Apache-2.0 */
/* study_atlas.c - the study's own atlas, joined to the geometry by the names of regions, for the pictures of the report. */
#include "cli/study_tables.h"
#include "core/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The table of names beside the image, as BIDS has it: the same name with .tsv, or .csv. */
static nep_status find_labels(nep_ctx *ctx, const char *image, char **out)
{
    static const char *const endings[] = {".tsv", ".csv"};
    size_t stem = strlen(image);
    char *path = NULL;
    if (stem > 7 && strcmp(image + stem - 7, ".nii.gz") == 0)
        stem -= 7;
    else if (stem > 4 && strcmp(image + stem - 4, ".nii") == 0)
        stem -= 4;
    NEP_TRY(nep_alloc(ctx, (int64_t)stem + 5, 1, "path of labels", &path));
    memcpy(path, image, stem);
    for (int i = 0; i < NEP_LEN(endings); i++) {
        memcpy(path + stem, endings[i], 5);
        if (nep_file_exists(path)) {
            *out = path;
            return NEP_OK;
        }
    }
    const nep_status st = nep_ctx_fail(ctx, NEP_E_MISSING, "%s: no table of its names lies beside it (%.*s.tsv); put it there or name it: atlas: "
                                                           "{image: IMAGE, labels: TSV}", image, (int)stem, image);
    nep_alloc_free(path);
    return st;
}

/* Labels of the file become those of the geometry. */
static nep_status join(nep_ctx *ctx, const nep_geometry *g, nep_atlas *a, int64_t *voxels)
{
    const int64_t n = nep_grid_voxels(&a->grid);
    study_lookup regions = {0};
    int32_t *turned = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_study_lookup_make(ctx, g->names, g->n_regions, &regions));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, a->n_regions + 1, sizeof *turned, "labels", &turned));
    for (int64_t r = 0; r < a->n_regions; r++) {
        const int64_t i = cli_study_find(&regions, a->names[r]);
        turned[r + 1] = (int32_t)(i < 0 ? g->n_regions + 1 : i + 1);
    }
    for (int64_t v = 0; v < n; v++) {
        a->label[v] = turned[a->label[v]];
        if (a->label[v] > 0)
            voxels[a->label[v] - 1]++;
    }
done:
    nep_alloc_free(turned);
    nep_alloc_free(regions.list);
    return st;
}

static nep_status check_whole(nep_ctx *ctx, const cli_study *s, const int64_t *voxels)
{
    int64_t missing = 0, first = -1;
    for (int64_t i = 0; i < s->geometry.n_regions; i++)
        if (voxels[i] == 0 && missing++ == 0)
            first = i;
    NEP_REQUIRE(ctx, missing == 0, NEP_E_SHAPE, "%s: lacks %lld of the %lld regions of the geometry (first: %s); regions are joined by name, so give "
                                                "the atlas and the labels that the geometry was made of",
                s->study.atlas, (long long)missing, (long long)s->geometry.n_regions, s->geometry.names[first]);
    return NEP_OK;
}

/* An atlas of another space, or with its sides swapped, lies far from where the geometry says its regions are. */
static nep_status check_place(nep_ctx *ctx, const cli_study *s, const int64_t *voxels)
{
    static const double far_mm = 20;
    const nep_grid *g = &s->atlas.grid;
    const int64_t n = s->geometry.n_regions;
    double (*sum)[3] = NULL, *distance = NULL;
    int64_t v = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n + 1, sizeof *sum, "centres", &sum));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *distance, "distances", &distance));
    for (int64_t k = 0; k < g->nz; k++)
        for (int64_t j = 0; j < g->ny; j++)
            for (int64_t i = 0; i < g->nx; i++, v++)
                for (int a = 0; a < 3 && s->atlas.label[v] > 0; a++)
                    sum[s->atlas.label[v] - 1][a] += g->affine[a][0] * (double)i + g->affine[a][1] * (double)j + g->affine[a][2] * (double)k + g->affine[a][3];
    for (int64_t r = 0; r < n; r++) {
        for (int a = 0; a < 3; a++) {
            const double d = sum[r][a] / (double)voxels[r] - s->geometry.mm[r][a];
            distance[r] += d * d;
        }
        distance[r] = sqrt(distance[r]);
    }
    qsort(distance, (size_t)n, sizeof *distance, nep_order_ascending);
    if (n > 0 && !(distance[n / 2] <= far_mm))
        nep_warn(ctx, "%s: its regions lie %.0f mm (median) from where the geometry has them: another space, or sides swapped?", s->study.atlas,
                 distance[n / 2]);
done:
    nep_alloc_free(distance);
    nep_alloc_free(sum);
    return st;
}

nep_status cli_study_atlas(nep_ctx *ctx, cli_study *s)
{
    const char *slash = s->study.atlas ? strrchr(s->study.atlas, '/') : NULL;
    int64_t *voxels = NULL;
    char *beside = NULL;
    nep_status st;

    if (!s->study.atlas)
        return NEP_OK;
    NEP_REQUIRE(ctx, s->study.geometry, NEP_E_CONFIG, "%s: an atlas needs a geometry, whose regions it shows", s->study.path);
    NEP_REQUIRE(ctx, s->geometry.n_regions < 65534, NEP_E_SHAPE, "%s: %lld regions are more than the pages can show; leave the atlas out",
                s->study.geometry, (long long)s->geometry.n_regions);
    NEP_TRY_OR_DONE(st, cli_study_file(ctx, s, s->study.atlas));
    if (!s->study.atlas_labels)
        NEP_TRY_OR_DONE(st, find_labels(ctx, s->study.atlas, &beside));
    const char *labels = s->study.atlas_labels ? s->study.atlas_labels : beside;
    NEP_TRY_OR_DONE(st, cli_study_file(ctx, s, labels));
    NEP_TRY_OR_DONE(st, nep_nifti_read_atlas(ctx, s->study.atlas, labels, &s->atlas));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->geometry.n_regions + 1, sizeof *voxels, "voxels of regions", &voxels));
    NEP_TRY_OR_DONE(st, join(ctx, &s->geometry, &s->atlas, voxels));
    NEP_TRY_OR_DONE(st, check_whole(ctx, s, voxels));
    NEP_TRY_OR_DONE(st, check_place(ctx, s, voxels));
    nep_data_free_names(s->atlas.names, s->atlas.n_regions); /* the geometry's hold from here on */
    nep_alloc_free(s->atlas.id);
    s->atlas.names = NULL;
    s->atlas.id = NULL;
    s->atlas.n_regions = s->geometry.n_regions;
    s->inputs.atlas = &s->atlas;
    s->inputs.atlas_name = slash ? slash + 1 : s->study.atlas;
done:
    nep_alloc_free(voxels);
    nep_alloc_free(beside);
    return st;
}
