/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe voxelwise - one map of a feature of each voxel's series. */
#include <stdlib.h>
#include <string.h>

#include "cli/images.h"

static const cli_option options[] = {
    {"feature", 'f', CLI_CHOICE, "NAME", NULL, "alff|falff|tsnr", "amplitude of slow fluctuations, its share of all, temporal signal to noise"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels to measure; the others are NaN"},
    {"tr", 't', CLI_REAL, "S", NULL, NULL, "seconds between frames; default: the header's"},
    {"band", 'b', CLI_TEXTS, "LOW,HIGH", "0.01,0.08", NULL, "Hz, for alff and falff"},
    {"definition", 0, CLI_CHOICE, "NAME", "canonical", "canonical|afni|cpac|xcpd", "whose alff and falff; see src/imaging/README.md"},
};

typedef struct {
    const char *feature;
    nep_voxelwise_definition definition;
    double tr_s, low, high;
    nep_nifti_header header;
    nep_volume mask;
    float *map;
} job;

static nep_status read_band(cli *c, job *j)
{
    int n = 0;
    const char *const *band = cli_texts(c, "band", &n);
    char *end[2] = {NULL, NULL};
    if (n == 2) {
        j->low = strtod(band[0], &end[0]);
        j->high = strtod(band[1], &end[1]);
    }
    NEP_REQUIRE(cli_ctx(c), n == 2 && *band[0] && *band[1] && !*end[0] && !*end[1], NEP_E_ARG, "--band takes LOW,HIGH in Hz, as in --band 0.01,0.08");
    return NEP_OK;
}

static nep_status measure_tile(nep_ctx *ctx, const nep_series *tile, const int64_t *voxel, void *user)
{
    job *j = user;
    double *value = NULL;
    const bool alff = strcmp(j->feature, "alff") == 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, tile->n_cols, sizeof *value, "voxel values", &value));
    if (strcmp(j->feature, "tsnr") == 0)
        NEP_TRY_OR_DONE(st, nep_voxelwise_tsnr(ctx, tile->data, tile->n_t, tile->n_cols, value));
    else
        NEP_TRY_OR_DONE(st, nep_voxelwise_alff(ctx, tile->data, tile->n_t, tile->n_cols, j->tr_s, j->low, j->high, j->definition,
                                               alff ? value : NULL, alff ? NULL : value));
    for (int64_t k = 0; k < tile->n_cols; k++)
        j->map[voxel[k]] = (float)value[k];
done:
    nep_alloc_free(value);
    return st;
}

static nep_status write_map(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_nifti_write(ctx, path, &j->header.grid, 1, (double)NAN, j->map, false);
}

static json_t *summary(const job *j)
{
    int64_t n = 0;
    double sum = 0;
    for (int64_t v = 0; v < nep_grid_voxels(&j->header.grid); v++)
        if (isfinite(j->map[v])) {
            sum += (double)j->map[v];
            n++;
        }
    return json_pack("{s:s,s:I,s:o,s:[f,f],s:o}", "feature", j->feature, "voxels", (json_int_t)n, "mean",
                     cli_number(n ? sum / (double)n : (double)NAN), "band_hz", j->low, j->high, "tr_s", cli_number(j->tr_s));
}

static nep_status load(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    static const char *const definitions[] = {"canonical", "afni", "cpac", "xcpd"};
    const char *mask = cli_text(c, "mask"), *image = cli_input(c, 0);
    int d = 0;
    NEP_REQUIRE(ctx, cli_given(c, "feature"), NEP_E_USAGE, "voxelwise needs --feature alff|falff|tsnr");
    j->feature = cli_text(c, "feature");
    while (strcmp(definitions[d], cli_text(c, "definition")) != 0)
        d++;
    j->definition = (nep_voxelwise_definition)d;
    NEP_TRY(read_band(c, j));
    NEP_TRY(cli_images_header(ctx, image, true, &j->header));
    j->tr_s = cli_images_tr(c, j->header.tr_s);
    return mask ? cli_images_mask(ctx, mask, &j->header.grid, image, &j->mask) : NEP_OK;
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    job j = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, load(c, &j));
    const int64_t n_vox = nep_grid_voxels(&j.header.grid);
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, n_vox, n_vox * j.header.n_t * 8, (double)(n_vox * j.header.n_t) * 1e-8, outputs, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_vox, sizeof *j.map, "map", &j.map));
    for (int64_t v = 0; v < n_vox; v++)
        j.map[v] = NAN;
    NEP_TRY_OR_DONE(st, cli_images_tiles(ctx, cli_input(c, 0), j.mask.data ? &j.mask : NULL, 8, measure_tile, &j));
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_map, &j, NULL, json_pack("{s:o}", "Voxelwise", summary(&j))));
    if (cli_json(c))
        st = cli_document(c, summary(&j));
done:
    nep_alloc_free(j.map);
    nep_volume_free(&j.mask);
    return st;
}

const cli_command cli_cmd_voxelwise = {.name = "voxelwise",
                                       .group = "Imaging",
                                       .summary = "a map of one feature of every voxel's series",
                                       .inputs = "IMAGE",
                                       .min_inputs = 1,
                                       .max_inputs = 1,
                                       .inputs_are_files = true,
                                       .options = options,
                                       .n_options = NEP_LEN(options),
                                       .run = run,
                                       .example = "nepenthe voxelwise bold.nii.gz --feature falff --mask mask.nii.gz -o falff.nii.gz"};
