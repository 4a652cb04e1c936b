/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe parcels - one number per region and volume of an image. */
#include <string.h>

#include "cli/images.h"

static const cli_option options[] = {
    {"atlas", 'a', CLI_INPUT, "NIFTI", NULL, NULL, "labels: whole numbers, 0 is background"},
    {"labels", 'l', CLI_INPUT, "TSV", NULL, NULL, "names of the labels: index name [hemisphere]; its order is the order of the columns"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "only voxels other than 0 take part"},
    {"statistic", 's', CLI_CHOICE, "NAME", "mean", "mean|median|sum|min|max|sd|variance", "of a region's voxels; sd and variance are the population's"},
    {"resample", 0, CLI_FLAG, NULL, NULL, NULL, "bring an atlas on another grid onto the image (nearest neighbour)"},
    {"coverage", 0, CLI_OUTPUT, "TSV", NULL, NULL, "write each region's voxels and the share of them that took part"},
    {"definition", 0, CLI_CHOICE, "NAME", "nepenthe", "nepenthe|nilearn", "a voxel that is not finite is left out, or counts as 0 as in nilearn"},
};

typedef struct {
    nep_atlas atlas;
    nep_volume mask;
    nep_parcels *parcels;
    int64_t n_t;
    double *values; /* [n_t, regions] */
} job;

static void job_free(job *j)
{
    nep_parcels_free(j->parcels);
    nep_alloc_free(j->values);
    nep_volume_free(&j->mask);
    nep_atlas_free(&j->atlas);
}

static nep_status write_values(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_tsv_write_matrix(ctx, path, NULL, NULL, j->atlas.names, j->n_t, j->atlas.n_regions, j->values);
}

static nep_status write_coverage(nep_ctx *ctx, const char *path, const job *j)
{
    static char *const columns[] = {"coverage", "voxels", "voxels_used"};
    const int64_t n = j->atlas.n_regions;
    int64_t *voxels = NULL;
    double *used = NULL, *table = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *voxels, "coverage", &voxels));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *used, "coverage", &used));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * 3, sizeof *table, "coverage", &table));
    nep_parcels_coverage(j->parcels, voxels, used);
    for (int64_t r = 0; r < n; r++) {
        table[3 * r] = voxels[r] ? used[r] / (double)voxels[r] : 0;
        table[3 * r + 1] = (double)voxels[r];
        table[3 * r + 2] = used[r];
    }
    st = nep_tsv_write_matrix(ctx, path, "Node", j->atlas.names, columns, n, 3, table);
done:
    nep_alloc_free(table);
    nep_alloc_free(used);
    nep_alloc_free(voxels);
    return st;
}

static nep_parcels_statistic statistic_of(const char *name)
{
    static const char *const names[] = {"mean", "median", "sum", "min", "max", "sd", "variance"};
    int k = 0;
    while (strcmp(names[k], name) != 0)
        k++;
    return (nep_parcels_statistic)k;
}

static json_t *document(const job *j)
{
    json_t *names = json_array(), *rows = json_array();
    for (int64_t r = 0; r < j->atlas.n_regions; r++)
        json_array_append_new(names, json_string(j->atlas.names[r]));
    for (int64_t t = 0; t < j->n_t; t++) {
        json_t *row = json_array();
        for (int64_t r = 0; r < j->atlas.n_regions; r++)
            json_array_append_new(row, cli_number(j->values[t * j->atlas.n_regions + r]));
        json_array_append_new(rows, row);
    }
    return json_pack("{s:o,s:o}", "regions", names, "values", rows);
}

static nep_status emit(cli *c, job *j)
{
    const char *coverage = cli_text(c, "coverage");
    if (cli_out(c) || !cli_json(c))
        NEP_TRY(cli_emit(c, write_values, j, NULL,
                         json_pack("{s:s,s:s,s:I}", "Description", "one row per volume, one column per region; n/a where a region has no voxel",
                                   "Statistic", cli_text(c, "statistic"), "NumberOfVolumes", (json_int_t)j->n_t)));
    if (coverage)
        NEP_TRY(write_coverage(cli_ctx(c), coverage, j));
    return cli_json(c) ? cli_document(c, document(j)) : NEP_OK;
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *image = cli_input(c, 0), *mask = cli_text(c, "mask");
    const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output", cli_text(c, "coverage")};
    nep_nifti *n = NULL;
    job j = {0};
    nep_status st;
    NEP_REQUIRE(ctx, cli_given(c, "atlas"), NEP_E_USAGE, "parcels needs --atlas NIFTI");
    NEP_TRY_OR_DONE(st, nep_nifti_open(ctx, image, &n));
    const nep_nifti_header *h = nep_nifti_info(n);
    j.n_t = h->n_t;
    NEP_TRY_OR_DONE(st, cli_images_atlas(ctx, cli_text(c, "atlas"), cli_text(c, "labels"), &h->grid, image, cli_flag(c, "resample"), &j.atlas));
    if (mask)
        NEP_TRY_OR_DONE(st, cli_images_mask(ctx, mask, &h->grid, image, &j.mask));
    const nep_parcels_opts o = {.statistic = statistic_of(cli_text(c, "statistic")),
                                .nan_as_zero = strcmp(cli_text(c, "definition"), "nilearn") == 0,
                                .mask = mask ? &j.mask : NULL};
    if (cli_dry_run(c)) {
        st = cli_plan(c, j.n_t, nep_alloc_used(ctx) + nep_grid_voxels(&h->grid) * 12 + j.n_t * j.atlas.n_regions * 8,
                      (double)(j.n_t * nep_grid_voxels(&h->grid)) * 3e-9, outputs, outputs[1] ? 2 : 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_parcels_open(ctx, &j.atlas, &o, &j.parcels));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, j.n_t * j.atlas.n_regions, sizeof *j.values, "regional series", &j.values));
    NEP_TRY_OR_DONE(st, cli_images_parcels(ctx, n, j.parcels, j.values));
    st = emit(c, &j);
done:
    nep_nifti_free(n);
    job_free(&j);
    return st;
}

const cli_command cli_cmd_parcels = {.name = "parcels",
                                     .group = "Imaging",
                                     .summary = "regional series (4D) or values (3D) of an image",
                                     .inputs = "IMAGE",
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .inputs_are_files = true,
                                     .options = options,
                                     .n_options = NEP_LEN(options),
                                     .run = run,
                                     .example = "nepenthe parcels bold.nii.gz --atlas dseg.nii.gz --labels dseg.tsv -o timeseries.tsv"};
