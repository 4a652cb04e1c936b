/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe smooth - a Gaussian over every volume of an image. */
#include <stdlib.h>
#include <string.h>

#include <nepenthe/resample.h>

#include "cli/images.h"

static const cli_option options[] = {
    {"fwhm", 'f', CLI_TEXTS, "MM", NULL, NULL, "full width at half maximum: one number, or three for the image's axes (0 = none)"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels outside count as missing"},
    {"definition", 0, CLI_CHOICE, "NAME", "nepenthe", "nepenthe|nilearn", "missing voxels have no weight and stay missing, or count as 0 and are filled as in nilearn"},
};

typedef struct {
    nep_nifti_header header;
    nep_volume mask;
    double fwhm_mm[3];
    bool as_zero;
    float *in, *out; /* one masked volume; [n_t, voxels] */
} job;

static nep_status write_out(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_nifti_write(ctx, path, &j->header.grid, j->header.n_t, j->header.tr_s, j->out, false);
}

static nep_status read_width(cli *c, job *j)
{
    int n = 0;
    const char *const *text = cli_texts(c, "fwhm", &n);
    bool good = n == 1 || n == 3;
    for (int a = 0; good && a < 3; a++) {
        char *end;
        const char *word = text[n == 3 ? a : 0];
        j->fwhm_mm[a] = strtod(word, &end);
        good = *word && !*end;
    }
    NEP_REQUIRE(cli_ctx(c), good, n == 0 ? NEP_E_USAGE : NEP_E_ARG, "smooth needs --fwhm MM, or --fwhm X,Y,Z for the three axes");
    return NEP_OK;
}

static nep_status load(cli *c, job *j)
{
    const char *mask = cli_text(c, "mask");
    NEP_TRY(read_width(c, j));
    j->as_zero = strcmp(cli_text(c, "definition"), "nilearn") == 0;
    NEP_TRY(cli_images_header(cli_ctx(c), cli_input(c, 0), false, &j->header));
    return mask ? cli_images_mask(cli_ctx(c), mask, &j->header.grid, cli_input(c, 0), &j->mask) : NEP_OK;
}

static nep_status smooth_one(nep_ctx *ctx, const float *volume, int64_t t, void *user)
{
    job *j = user;
    const int64_t n = nep_grid_voxels(&j->header.grid);
    if (!j->mask.data)
        return nep_smooth(ctx, &j->header.grid, volume, j->fwhm_mm, j->as_zero, j->out + t * n);
    for (int64_t v = 0; v < n; v++)
        j->in[v] = j->mask.data[v] > 0 ? volume[v] : NAN;
    return nep_smooth(ctx, &j->header.grid, j->in, j->fwhm_mm, j->as_zero, j->out + t * n);
}

static nep_status run_volumes(cli *c, job *j)
{
    const int64_t n = nep_grid_voxels(&j->header.grid);
    NEP_TRY(nep_alloc(cli_ctx(c), n, sizeof *j->in, "volume", &j->in));
    NEP_TRY(nep_alloc(cli_ctx(c), n * j->header.n_t, sizeof *j->out, "smoothed image", &j->out));
    return cli_images_volumes(cli_ctx(c), cli_input(c, 0), "volumes", smooth_one, j);
}

static nep_status run(cli *c)
{
    job j = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, load(c, &j));
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        const int64_t n = nep_grid_voxels(&j.header.grid);
        st = cli_plan(c, j.header.n_t, 4 * n * (j.header.n_t + 4), (double)(n * j.header.n_t) * 2e-8, outputs, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, run_volumes(c, &j));
    json_t *says = json_pack("{s:[f,f,f],s:s}", "FWHM", j.fwhm_mm[0], j.fwhm_mm[1], j.fwhm_mm[2], "Definition", cli_text(c, "definition"));
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_out, &j, NULL, json_pack("{s:O}", "Smooth", says)));
    st = cli_json(c) ? cli_document(c, json_incref(says)) : NEP_OK;
    json_decref(says);
done:
    nep_alloc_free(j.in);
    nep_alloc_free(j.out);
    nep_volume_free(&j.mask);
    return st;
}

const cli_command cli_cmd_smooth = {.name = "smooth",
                                    .group = "Imaging",
                                    .summary = "a Gaussian over every volume of an image",
                                    .inputs = "IMAGE",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .inputs_are_files = true,
                                    .options = options,
                                    .n_options = NEP_LEN(options),
                                    .run = run,
                                    .example = "nepenthe smooth alff.nii.gz --fwhm 6 -o alff_smooth.nii.gz"};
