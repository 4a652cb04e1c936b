/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe parcels - one number per region and volume of an image. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/parcels_source.h"

static const cli_option options[] = {
    {"atlas", 'a', CLI_INPUT, "NIFTI", NULL, NULL, "labels: whole numbers, 0 is background"},
    {"maps", 0, CLI_INPUT, "NIFTI", NULL, NULL, "4D weights in place of an atlas, one map per volume; regions may overlap: values are least-squares amounts"},
    {"labels", 'l', CLI_INPUT, "TSV", NULL, NULL, "names of the labels: index name [hemisphere]; its order is the order of the columns"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "only voxels other than 0 take part"},
    {"statistic", 's', CLI_CHOICE, "NAME", "mean", "mean|median|sum|min|max|sd|variance", "of a region's voxels; sd and variance are the population's"},
    {"resample", 0, CLI_FLAG, NULL, NULL, NULL, "bring regions (and mask) on another grid onto the image: labels by the nearest voxel, weight maps linearly"},
    {"resample-image", 0, CLI_FLAG, NULL, NULL, NULL, "bring each volume onto the grid of the regions instead"},
    {"interpolation", 'i', CLI_CHOICE, "HOW", "continuous", "continuous|linear|nearest", "of --resample-image: cubic B-spline, straight lines, nearest voxel"},
    {"coverage", 0, CLI_OUTPUT, "TSV", NULL, NULL, "write each region's voxels and the share of it that took part"},
    {"min-coverage", 0, CLI_REAL, "SHARE", "0", NULL, "a region with a smaller share is n/a, 0 to 1"},
    {"definition", 0, CLI_CHOICE, "NAME", "nepenthe", "nepenthe|nilearn", "a voxel that is not finite is left out, or counts as 0 as in nilearn"},
};

typedef struct {
    parcels_source source;
    int64_t n_t, n;
    char **names;
    double *values;   /* [n_t, n] */
    double *coverage; /* [n, 3] */
} job;

static void job_free(job *j)
{
    cli_parcels_close(&j->source);
    nep_alloc_free(j->values);
    nep_alloc_free(j->coverage);
}

static nep_status write_values(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_tsv_write_matrix(ctx, path, NULL, NULL, j->names, j->n_t, j->n, j->values);
}

static nep_status write_coverage(nep_ctx *ctx, const char *path, const job *j)
{
    static char *const columns[] = {"coverage", "voxels", "voxels_used"};
    return nep_tsv_write_matrix(ctx, path, "Node", j->names, columns, j->n, 3, j->coverage);
}

/* Regions of which too little took part become n/a, and are counted aloud. */
static void drop_uncovered(cli *c, job *j)
{
    const double least = cli_real(c, "min-coverage");
    int64_t dropped = 0;
    for (int64_t r = 0; r < j->n; r++) {
        if (!(j->coverage[3 * r] < least) || j->coverage[3 * r + 2] == 0)
            continue;
        dropped++;
        for (int64_t t = 0; t < j->n_t; t++)
            j->values[t * j->n + r] = (double)NAN;
    }
    if (dropped)
        nep_warn(cli_ctx(c), "parcels: %lld of %lld regions have less than %g of themselves in the image and are n/a", (long long)dropped,
                 (long long)j->n, least);
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
    for (int64_t r = 0; r < j->n; r++)
        json_array_append_new(names, json_string(j->names[r]));
    for (int64_t t = 0; t < j->n_t; t++) {
        json_t *row = json_array();
        for (int64_t r = 0; r < j->n; r++)
            json_array_append_new(row, cli_number(j->values[t * j->n + r]));
        json_array_append_new(rows, row);
    }
    return json_pack("{s:o,s:o}", "regions", names, "values", rows);
}

static nep_status emit(cli *c, job *j)
{
    const char *coverage = cli_text(c, "coverage");
    if (cli_out(c) || !cli_json(c))
        NEP_TRY(cli_emit(c, write_values, j, NULL,
                         json_pack("{s:s,s:s,s:I}", "Description", "one row per volume, one column per region; n/a where a region has no voxel or too few",
                                   "Statistic", cli_given(c, "maps") ? "least squares" : cli_text(c, "statistic"), "NumberOfVolumes", (json_int_t)j->n_t)));
    if (coverage)
        NEP_TRY(write_coverage(cli_ctx(c), coverage, j));
    return cli_json(c) ? cli_document(c, document(j)) : NEP_OK;
}

static nep_status read_request(cli *c, parcels_request *r)
{
    static const char *const how[] = {"continuous", "linear", "nearest"};
    nep_ctx *ctx = cli_ctx(c);
    const bool atlas = cli_given(c, "atlas"), maps = cli_given(c, "maps");
    const double least = cli_real(c, "min-coverage");
    int k = 0;
    NEP_REQUIRE(ctx, atlas != maps, NEP_E_USAGE, "parcels needs --atlas NIFTI or --maps NIFTI%s", atlas ? ", not both" : "");
    NEP_REQUIRE(ctx, !maps || strcmp(cli_text(c, "statistic"), "mean") == 0, NEP_E_USAGE,
                "--statistic is of an atlas's voxels; amounts of weight maps are fitted");
    NEP_REQUIRE(ctx, !cli_flag(c, "resample") || !cli_flag(c, "resample-image"), NEP_E_USAGE,
                "--resample brings regions onto the image, --resample-image the image onto the regions; give one");
    NEP_REQUIRE(ctx, least >= 0 && least <= 1, NEP_E_USAGE, "--min-coverage is a share from 0 to 1");
    while (strcmp(how[k], cli_text(c, "interpolation")) != 0)
        k++;
    *r = (parcels_request){.image = cli_input(c, 0), .regions = cli_text(c, maps ? "maps" : "atlas"), .labels = cli_text(c, "labels"),
                           .mask = cli_text(c, "mask"), .maps = maps, .to_image = cli_flag(c, "resample"),
                           .to_regions = cli_flag(c, "resample-image"), .how = (nep_resample_interpolation)k,
                           .statistic = statistic_of(cli_text(c, "statistic")),
                           .nilearn = strcmp(cli_text(c, "definition"), "nilearn") == 0};
    return NEP_OK;
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output", cli_text(c, "coverage")};
    parcels_request r;
    job j = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, read_request(c, &r));
    NEP_TRY_OR_DONE(st, cli_parcels_open(ctx, &r, &j.source));
    j.n_t = j.source.header.n_t;
    j.n = j.source.atlas.n_regions;
    j.names = j.source.atlas.names;
    if (cli_dry_run(c)) {
        const int64_t n_vox = nep_grid_voxels(&j.source.header.grid);
        st = cli_plan(c, j.n_t, nep_alloc_used(ctx) + n_vox * 12 + j.n_t * j.n * 8,
                      (double)(j.n_t * n_vox) * (j.source.moves ? 1e-7 : r.maps ? 2e-8 : 3e-9), outputs, outputs[1] ? 2 : 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, j.n_t * j.n, sizeof *j.values, "regional series", &j.values));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, j.n * 3, sizeof *j.coverage, "coverage", &j.coverage));
    NEP_TRY_OR_DONE(st, cli_parcels_stream(ctx, &j.source, j.values));
    NEP_TRY_OR_DONE(st, cli_parcels_coverage(ctx, &j.source, j.coverage));
    drop_uncovered(c, &j);
    st = emit(c, &j);
done:
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
