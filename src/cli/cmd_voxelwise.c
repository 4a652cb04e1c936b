/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe voxelwise - one map of a feature of each voxel's series. */
#include <stdlib.h>
#include <string.h>

#include "cli/connectome_maps.h"
#include "cli/images.h"
#include "cli/local_maps.h"

static const cli_option options[] = {
    {"feature", 'f', CLI_CHOICE, "NAME", NULL, "alff|falff|tsnr|reho|lcor|vmhc|gcor|degree|weighted-degree|strength|mean-r|mean-z|rms|eigenvector|seed|nearest",
     "amplitude of slow fluctuations, its share of all, temporal signal to noise; homogeneity with the neighbours, local correlation, "
     "correlation with the mirrored voxel and with all; of all pairs of voxels: how many correlate and how strongly, sum and mean of "
     "correlations, mean Fisher z, root mean square, eigenvector centrality; correlation with seeds; a table of the nearest voxels"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels to measure; the others are NaN"},
    {"tr", 't', CLI_REAL, "S", NULL, NULL, "seconds between frames; default: the header's"},
    {"band", 'b', CLI_TEXTS, "LOW,HIGH", "0.01,0.08", NULL, "Hz, for alff and falff; the others take the series as they are"},
    {"neighbours", 'n', CLI_CHOICE, "N", "27", "7|19|27", "reho: a voxel with those that share a face, an edge too, or a corner too"},
    {"fwhm", 0, CLI_REAL, "MM", "25", NULL, "lcor: width of the Gaussian that weights what is around a voxel"},
    {"threshold", 0, CLI_REAL, "R", "0.25", NULL, "degree, weighted-degree: correlations above it count"},
    {"two-sided", 0, CLI_FLAG, NULL, NULL, NULL, "degree, weighted-degree: by the size of correlations, whatever their sign"},
    {"place", 0, CLI_TEXTS, "X,Y,Z", NULL, NULL, "seed: a place in mm; given again, one volume each"},
    {"radius", 0, CLI_REAL, "MM", "0", NULL, "seed: the mean of the voxels within it; 0 = the nearest voxel alone"},
    {"seed-atlas", 0, CLI_INPUT, "NIFTI", NULL, NULL, "seed: regions as labels on the image's grid, one volume each in their order"},
    {"labels", 0, CLI_INPUT, "TSV", NULL, NULL, "names of the values of --seed-atlas: index name"},
    {"fisher-z", 'z', CLI_FLAG, NULL, NULL, NULL, "seed: inverse hyperbolic tangent of the correlations"},
    {"top", 0, CLI_INT, "K", "10", NULL, "nearest: how many voxels to list for each"},
    {"scale", 0, CLI_CHOICE, "HOW", "none", "none|mean|zscore", "a map by its mean over the mask, or to mean 0 and SD 1 (n - 1)"},
    {"definition", 0, CLI_CHOICE, "NAME", "canonical", "canonical|afni|cpac|xcpd|conn", "whose definition; see src/imaging/README.md"},
};

typedef struct {
    const char *feature;
    nep_voxelwise_definition definition;
    double tr_s, low, high;
    nep_nifti_header header;
    nep_volume mask;
    float *map;
    cli_local_map which; /* CLI_LOCALS: a feature of each voxel alone */
    cli_local_opts o;
    cli_local local;
    double whole; /* gcor */
    nep_voxelwise_scaling scaling;
    cli_connectome_map pairs; /* CLI_CONNECTOMES: not one of these */
    cli_connectome connectome;
} job;

static void job_free(job *j)
{
    nep_alloc_free(j->map);
    nep_volume_free(&j->mask);
    cli_local_free(&j->local);
    cli_connectome_free(&j->connectome);
}

static bool is(const job *j, const char *feature)
{
    return strcmp(j->feature, feature) == 0;
}

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
    const bool alff = is(j, "alff");
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, tile->n_cols, sizeof *value, "voxel values", &value));
    if (is(j, "tsnr"))
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

/* ---- features that compare voxels ---- */

static nep_status keep_tile(nep_ctx *ctx, const nep_series *tile, const int64_t *voxel, void *user)
{
    job *j = user;
    return cli_local_add(ctx, &j->local, tile->data, tile->n_cols, voxel);
}

static nep_status measure_local(nep_ctx *ctx, const char *path, job *j)
{
    const nep_volume *mask = j->mask.data ? &j->mask : NULL;
    const int64_t n_vox = nep_grid_voxels(&j->header.grid);
    int64_t n = 0;
    double *value = NULL;
    nep_status st;
    for (int64_t v = 0; v < n_vox; v++)
        n += !mask || mask->data[v] > 0;
    NEP_TRY_OR_DONE(st, cli_local_open(ctx, &j->o, &j->header.grid, j->header.n_t, n, &j->local));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *value, "voxel values", &value));
    NEP_TRY_OR_DONE(st, cli_images_tiles(ctx, path, mask, j->which == CLI_LOCAL_REHO ? 1 : 5, keep_tile, j));
    NEP_TRY_OR_DONE(st, cli_local_measure(ctx, &j->local, j->which, value, &j->whole));
    for (int64_t k = 0; k < n; k++)
        j->map[j->local.voxel[k]] = (float)value[k];
done:
    nep_alloc_free(value);
    return st;
}

static nep_status measure(nep_ctx *ctx, const char *path, job *j)
{
    const int64_t n_vox = nep_grid_voxels(&j->header.grid);
    if (j->pairs < CLI_CONNECTOMES)
        return cli_connectome_measure(ctx, path, j->mask.data ? &j->mask : NULL, &j->connectome);
    NEP_TRY(nep_alloc(ctx, n_vox, sizeof *j->map, "map", &j->map));
    for (int64_t v = 0; v < n_vox; v++)
        j->map[v] = NAN;
    if (j->which < CLI_LOCALS)
        return measure_local(ctx, path, j);
    return cli_images_tiles(ctx, path, j->mask.data ? &j->mask : NULL, 8, measure_tile, j);
}

static nep_status scale(nep_ctx *ctx, job *j)
{
    const int64_t n_vox = nep_grid_voxels(&j->header.grid), n_maps = j->pairs < CLI_CONNECTOMES ? j->connectome.n_maps : 1;
    float *map = j->pairs < CLI_CONNECTOMES ? j->connectome.map : j->map;
    NEP_REQUIRE(ctx, map, NEP_E_USAGE, "--scale is for maps; --feature %s gives a table", j->feature);
    for (int64_t k = 0; k < n_maps; k++)
        NEP_TRY(nep_voxelwise_scale(ctx, map + k * n_vox, n_vox, j->scaling, NULL, NULL));
    return NEP_OK;
}

static nep_status write_map(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    if (j->pairs < CLI_CONNECTOMES)
        return nep_nifti_write(ctx, path, &j->header.grid, j->connectome.n_maps, (double)NAN, j->connectome.map, false);
    return nep_nifti_write(ctx, path, &j->header.grid, 1, (double)NAN, j->map, false);
}

static json_t *summary(const job *j)
{
    const float *map = j->pairs < CLI_CONNECTOMES ? j->connectome.map : j->map;
    int64_t n = 0;
    double sum = 0;
    for (int64_t v = 0; map && v < nep_grid_voxels(&j->header.grid); v++)
        if (isfinite(map[v])) {
            sum += (double)map[v];
            n++;
        }
    json_t *doc = json_pack("{s:s,s:s,s:I,s:o,s:o}", "feature", j->feature, "definition", nep_voxelwise_name(j->definition), "voxels",
                            (json_int_t)n, "mean", cli_number(n ? sum / (double)n : (double)NAN), "tr_s", cli_number(j->tr_s));
    if (doc && (is(j, "alff") || is(j, "falff")))
        json_object_set_new(doc, "band_hz", json_pack("[f,f]", j->low, j->high));
    if (doc && is(j, "reho"))
        json_object_set_new(doc, "neighbours", json_integer(j->o.neighbours));
    if (doc && is(j, "lcor"))
        json_object_set_new(doc, "fwhm_mm", json_real(j->o.fwhm_mm));
    if (doc && is(j, "gcor"))
        json_object_set_new(doc, "gcor", cli_number(j->whole));
    if (doc && j->scaling != NEP_VOXELWISE_UNSCALED)
        json_object_set_new(doc, "scale", json_string(j->scaling == NEP_VOXELWISE_BY_MEAN ? "mean" : "zscore"));
    if (doc && j->pairs < CLI_CONNECTOMES)
        cli_connectome_says(&j->connectome, doc);
    return doc;
}

static nep_status load(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *mask = cli_text(c, "mask"), *image = cli_input(c, 0);
    NEP_REQUIRE(ctx, cli_given(c, "feature"), NEP_E_USAGE, "voxelwise needs --feature NAME; see `nepenthe voxelwise --help`");
    j->feature = cli_text(c, "feature");
    while (j->which < CLI_LOCALS && !is(j, cli_local_name(j->which)))
        j->which++;
    if (j->which < CLI_LOCALS)
        j->o.wants[j->which] = true;
    while (j->pairs < CLI_CONNECTOMES && !is(j, cli_connectome_name(j->pairs)))
        j->pairs++;
    while (strcmp(nep_voxelwise_name(j->definition), cli_text(c, "definition")) != 0)
        j->definition++;
    j->o.definition = j->definition;
    j->o.neighbours = atoi(cli_text(c, "neighbours"));
    j->o.fwhm_mm = cli_real(c, "fwhm");
    const char *how = cli_text(c, "scale");
    j->scaling = strcmp(how, "mean") == 0 ? NEP_VOXELWISE_BY_MEAN : strcmp(how, "zscore") == 0 ? NEP_VOXELWISE_ZSCORE : NEP_VOXELWISE_UNSCALED;
    NEP_TRY(read_band(c, j));
    NEP_TRY(cli_images_header(ctx, image, true, &j->header));
    j->tr_s = cli_images_tr(c, j->header.tr_s);
    if (j->pairs < CLI_CONNECTOMES)
        NEP_TRY(cli_connectome_read(c, j->pairs, j->definition, &j->header, &j->connectome));
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
        const double seconds = j.pairs < CLI_CONNECTOMES ? cli_connectome_seconds(&j.connectome, n_vox) : (double)(n_vox * j.header.n_t) * 1e-8;
        st = cli_plan(c, n_vox, n_vox * j.header.n_t * 8, seconds, outputs, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, measure(ctx, cli_input(c, 0), &j));
    if (j.scaling != NEP_VOXELWISE_UNSCALED)
        NEP_TRY_OR_DONE(st, scale(ctx, &j));
    if (j.pairs == CLI_CONNECTOME_NEAREST) {
        st = cli_connectome_emit(c, &j.connectome, json_pack("{s:o}", "Voxelwise", summary(&j)));
        goto done;
    }
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_map, &j, NULL, json_pack("{s:o}", "Voxelwise", summary(&j))));
    if (cli_json(c))
        st = cli_document(c, summary(&j));
done:
    job_free(&j);
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
