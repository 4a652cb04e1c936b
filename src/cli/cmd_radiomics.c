/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe radiomics - intensity, shape and texture of labelled regions. */
#include <math.h>
#include <string.h>

#include <nepenthe/radiomics.h>

#include "cli/images.h"
#include "cli/tabular.h"

enum { PEER_WIDTH = 25, DEFAULT_BINS = 64 };

static const cli_option options[] = {
    {"label", 'l', CLI_INT, "N", NULL, NULL,
     "the region with this value alone (default: every value above 0)"},
    {"bin-width", 'w', CLI_REAL, "W", NULL, NULL,
     "grey levels of this width, in the image's unit (pyradiomics: 25 unless given)"},
    {"bins", 0, CLI_INT, "N", NULL, NULL,
     "this many grey levels from each region's minimum to its maximum, where no width is given (64 unless "
     "given)"},
    {"aggregation", 0, CLI_CHOICE, "HOW", "average", "average|merge",
     "glcm and glrlm: features of 13 directions averaged, or of their merged counts"},
    {"definition", 0, CLI_CHOICE, "NAME", "ibsi", "ibsi|pyradiomics",
     "whose rules for bins, kurtosis, mesh, axes and diameter"},
    {"shift", 0, CLI_REAL, "C", "0", NULL, "added to intensities before energy and root mean square"},
};

typedef struct {
    nep_radiomics_opts opts;
    nep_volume image;
    nep_atlas labels;
    int64_t n_kept;
    int32_t *kept; /* [n_kept] regions of the atlas */
    double *value; /* [n_kept, features] */
    int64_t *levels;
} job;

static void job_free(job *j)
{
    nep_volume_free(&j->image);
    nep_atlas_free(&j->labels);
    nep_alloc_free(j->kept);
    nep_alloc_free(j->value);
    nep_alloc_free(j->levels);
}

static nep_status read_options(cli *c, job *j)
{
    const bool peer = strcmp(cli_text(c, "definition"), "pyradiomics") == 0,
               width = cli_given(c, "bin-width"), bins = cli_given(c, "bins");
    NEP_REQUIRE(cli_ctx(c), !(width && bins), NEP_E_USAGE,
                "--bin-width and --bins are two ways to make grey levels; give one of them");
    j->opts = (nep_radiomics_opts){.bin_width = width           ? cli_real(c, "bin-width")
                                                : peer && !bins ? PEER_WIDTH
                                                                : (double)NAN,
                                   .n_bins = bins ? cli_int(c, "bins") : DEFAULT_BINS,
                                   .merge = strcmp(cli_text(c, "aggregation"), "merge") == 0,
                                   .pyradiomics = peer,
                                   .shift = cli_real(c, "shift")};
    return NEP_OK;
}

static nep_status load(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *path = cli_input(c, 1);
    const bool one = cli_given(c, "label");
    NEP_TRY(read_options(c, j));
    NEP_TRY(nep_nifti_read_volume(ctx, cli_input(c, 0), &j->image));
    NEP_TRY(cli_images_atlas(ctx, path, NULL, &j->image.grid, cli_input(c, 0), false, &j->labels));
    NEP_TRY(nep_alloc(ctx, j->labels.n_regions, sizeof *j->kept, "labels", &j->kept));
    for (int64_t r = 0; r < j->labels.n_regions; r++)
        if (!one || j->labels.id[r] == cli_int(c, "label"))
            j->kept[j->n_kept++] = (int32_t)r;
    if (j->n_kept == 0)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "'%s' has no voxel with the label %lld", path,
                                 (long long)cli_int(c, "label"));
    NEP_TRY(nep_alloc(ctx, j->n_kept, sizeof *j->levels, "features", &j->levels));
    return nep_alloc(ctx, j->n_kept * NEP_RADIOMICS_COUNT, sizeof *j->value, "features", &j->value);
}

/* Whether a region has a value; one that has none keeps its rows, all n/a, and is told of. */
static bool has_value(nep_ctx *ctx, const job *j, int32_t region)
{
    for (int64_t v = 0; v < nep_grid_voxels(&j->image.grid); v++)
        if (j->labels.label[v] == region + 1 && isfinite(j->image.data[v]))
            return true;
    nep_warn(ctx, "no voxel of label %d has a value; its features are n/a", (int)j->labels.id[region]);
    return false;
}

static nep_status measure(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t n = nep_grid_voxels(&j->image.grid);
    int64_t measured = 0;
    float *roi = NULL;
    nep_status st = nep_alloc(ctx, n, sizeof *roi, "region", &roi);
    nep_progress_open(ctx, "regions", j->n_kept);
    for (int64_t k = 0; st == NEP_OK && k < j->n_kept; k++) {
        double *const value = j->value + k * NEP_RADIOMICS_COUNT;
        for (int f = 0; f < NEP_RADIOMICS_COUNT; f++)
            value[f] = (double)NAN;
        if (has_value(ctx, j, j->kept[k])) {
            for (int64_t v = 0; v < n; v++)
                roi[v] = j->labels.label[v] == j->kept[k] + 1 ? 1.0f : 0.0f;
            st = nep_radiomics(ctx, &j->image.grid, j->image.data, roi, &j->opts, value, &j->levels[k]);
            measured++;
        }
        nep_progress_step(ctx, k + 1);
    }
    if (st == NEP_OK && measured == 0)
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, cli_input(c, 0), "'%s' has no value inside the labels",
                               cli_input(c, 0));
    nep_progress_close(ctx);
    nep_alloc_free(roi);
    return st;
}

static nep_status write_out(cli *c, const job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t n = j->n_kept * NEP_RADIOMICS_COUNT;
    const char **text = NULL;
    double *label = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * n, sizeof *text, "table", &text));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *label, "table", &label));
    json_t *levels = json_array();
    for (int64_t k = 0; k < j->n_kept; k++)
        json_array_append_new(levels, json_integer((json_int_t)j->levels[k]));
    for (int64_t i = 0; i < n; i++) {
        const int f = (int)(i % NEP_RADIOMICS_COUNT);
        label[i] = (double)j->labels.id[j->kept[i / NEP_RADIOMICS_COUNT]];
        text[i] = nep_radiomics_name(f);
        text[n + i] = strcmp(nep_radiomics_code(f), "-") == 0 ? NULL : nep_radiomics_code(f);
    }
    const cli_column columns[] = {{.name = "label", .number = label},
                                  {.name = "feature", .text = text},
                                  {.name = "ibsi", .text = text + n},
                                  {.name = "value", .number = j->value}};
    json_t *says = json_pack("{s:s,s:o,s:I,s:s,s:f,s:o}", "Definition", cli_text(c, "definition"), "BinWidth",
                             cli_number(j->opts.bin_width), "Bins", (json_int_t)j->opts.n_bins, "Aggregation",
                             cli_text(c, "aggregation"), "Shift", j->opts.shift, "GreyLevels", levels);
    st = cli_tabular_emit(c, "features", columns, NEP_LEN(columns), n, json_pack("{s:o}", "Radiomics", says));
done:
    nep_alloc_free(text);
    nep_alloc_free(label);
    return st;
}

static nep_status run(cli *c)
{
    job j = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, load(c, &j));
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        const int64_t n = nep_grid_voxels(&j.image.grid);
        st = cli_plan(c, j.n_kept, 20 * n, (double)n * 1e-6, outputs, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, measure(c, &j));
    st = write_out(c, &j);
done:
    job_free(&j);
    return st;
}

const cli_command cli_cmd_radiomics = {
    .name = "radiomics",
    .group = "Imaging",
    .summary = "intensity, shape and texture of labelled regions, as IBSI defines them",
    .inputs = "IMAGE LABELS",
    .min_inputs = 2,
    .max_inputs = 2,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe radiomics t1.nii.gz lesion.nii.gz --bin-width 10 -o radiomics.tsv"};
