/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe radiomics - intensity, shape and texture of labelled regions. */
#include <math.h>
#include <string.h>

#include <nepenthe/radiomics.h>

#include "cli/images.h"
#include "cli/radiomics_regions.h"

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
    int32_t *kept; /* [n_kept] regions of the labels */
    cli_radiomics_regions r;
} job;

static void job_free(job *j)
{
    cli_radiomics_free(&j->r);
    nep_volume_free(&j->image);
    nep_atlas_free(&j->labels);
    nep_alloc_free(j->kept);
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
    return NEP_OK;
}

static nep_status write_out(cli *c, const job *j)
{
    cli_radiomics_table t = {0};
    NEP_TRY(cli_radiomics_tabulate(cli_ctx(c), &j->labels, &j->r, &t));
    const nep_status st =
        cli_tabular_emit(c, "features", t.column, NEP_LEN(t.column), t.n_rows,
                         json_pack("{s:o}", "Radiomics", cli_radiomics_says(&j->opts, &j->r)));
    cli_radiomics_table_free(&t);
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
    NEP_TRY_OR_DONE(st, cli_radiomics_measure(cli_ctx(c), &j.image, &j.labels, j.kept, j.n_kept, &j.opts,
                                              cli_input(c, 0), &j.r));
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
