/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe pet - tracer kinetics against a reference region, for regional curves (TSV) or every voxel (4D NIfTI). */
#include <stdlib.h>
#include <string.h>

#include <nepenthe/pet.h>

#include "cli/images.h"
#include "cli/pet_frames.h"
#include "cli/pet_maps.h"
#include "cli/tabular.h"

static const cli_option options[] = {
    {"model", 'M', CLI_CHOICE, "NAME", NULL, "suvr|srtm|mrtm|mrtm2|logan|patlak", "what is fitted; see src/imaging/README.md"},
    {"reference", 'r', CLI_TEXT, "REGION", NULL, NULL, "column of a TSV, or a NIfTI mask on the image's grid"},
    {"frames", 'f', CLI_INPUT, "FILE", NULL, NULL, "BIDS-PET JSON, or TSV with frame_start and frame_end or frame_duration in s; default: the sidecar, or these columns of TACS"},
    {"weights", 0, CLI_CHOICE, "HOW", "duration", "duration|uniform|column", "1 / variance of a frame: its duration, 1, or column `weight` of the frames' TSV"},
    {"window", 'w', CLI_TEXTS, "FROM,TO", NULL, NULL, "minutes after injection that suvr takes; default: all"},
    {"t-star", 0, CLI_REAL, "MIN", "0", NULL, "logan and patlak take frames that start at or after it"},
    {"k2-prime", 0, CLI_REAL, "PER_MIN", NULL, NULL, "efflux of the reference; mrtm2 needs it, logan adds its term"},
    {"k2a-range", 0, CLI_TEXTS, "LOW,HIGH", "0.003,0.6", NULL, "bounds of srtm's apparent efflux in 1/min"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels to fit; the others are NaN"},
};

typedef struct {
    const char *path;
    nep_pet_model model;
    nep_pet_opts opts;
    cli_pet_frames frames;
    double *reference;
    nep_series series; /* TSV, timing columns taken off */
    nep_nifti_header header;
    nep_volume mask, region;
    float *maps;   /* NIfTI: [2 * parameters, voxels] */
    double *value; /* TSV: [n_cols, 2 * parameters] */
    int n_parameters;
    const char *const *names;
    bool nifti;
} job;

static void job_free(job *j)
{
    cli_pet_frames_free(&j->frames);
    nep_alloc_free(j->reference);
    nep_series_free(&j->series);
    nep_volume_free(&j->mask);
    nep_volume_free(&j->region);
    nep_alloc_free(j->maps);
    nep_alloc_free(j->value);
}

static nep_status two_numbers(cli *c, const char *option, double *low, double *high)
{
    int n = 0;
    const char *const *text = cli_texts(c, option, &n);
    char *end[2] = {NULL, NULL};
    if (n == 0)
        return NEP_OK;
    if (n == 2) {
        *low = strtod(text[0], &end[0]);
        *high = strtod(text[1], &end[1]);
    }
    NEP_REQUIRE(cli_ctx(c), n == 2 && *text[0] && *text[1] && !*end[0] && !*end[1] && *low < *high, NEP_E_ARG,
                "--%s takes two ascending numbers, as in --%s %s", option, option, strcmp(option, "window") == 0 ? "50,70" : "0.003,0.6");
    return NEP_OK;
}

static nep_status read_options(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const nep_pet_opts defaults = NEP_PET_DEFAULTS;
    j->opts = defaults;
    NEP_REQUIRE(ctx, cli_given(c, "model"), NEP_E_USAGE, "pet needs --model suvr|srtm|mrtm|mrtm2|logan|patlak");
    NEP_REQUIRE(ctx, cli_given(c, "reference"), NEP_E_USAGE, "pet needs --reference: a column of the TSV, or a NIfTI mask");
    for (int m = NEP_PET_SUVR; m <= NEP_PET_PATLAK; m++)
        if (strcmp(cli_text(c, "model"), nep_pet_name((nep_pet_model)m)) == 0)
            j->model = (nep_pet_model)m;
    NEP_REQUIRE(ctx, j->model == NEP_PET_SUVR || !cli_given(c, "window"), NEP_E_ARG, "--window is for suvr; logan and patlak take --t-star");
    j->names = nep_pet_parameters(j->model, &j->n_parameters);
    NEP_TRY(two_numbers(c, "window", &j->opts.from_min, &j->opts.to_min));
    NEP_TRY(two_numbers(c, "k2a-range", &j->opts.k2a_low, &j->opts.k2a_high));
    j->opts.t_star_min = cli_real(c, "t-star");
    j->opts.k2_prime_per_min = cli_real(c, "k2-prime");
    return NEP_OK;
}

static nep_status reference_of_table(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *name = cli_text(c, "reference");
    int64_t at = 0;
    NEP_REQUIRE(ctx, !cli_given(c, "mask"), NEP_E_ARG, "--mask is for a NIfTI image");
    while (at < j->series.n_cols && strcmp(j->series.names[at], name) != 0)
        at++;
    if (at == j->series.n_cols) {
        const char *near = nep_data_nearest(name, (const char *const *)j->series.names, j->series.n_cols);
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, j->path, "%s: no region '%s' to take as reference%s%s%s", j->path, name,
                                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    NEP_TRY(nep_alloc(ctx, j->series.n_t, sizeof *j->reference, "reference", &j->reference));
    for (int64_t t = 0; t < j->series.n_t; t++)
        j->reference[t] = (double)j->series.data[t * j->series.n_cols + at];
    return NEP_OK;
}

/* The mean over the mask of one frame. */
static nep_status reference_frame(nep_ctx *ctx, const float *volume, int64_t t, void *user)
{
    (void)ctx;
    job *j = user;
    double sum = 0;
    int64_t used = 0;
    for (int64_t i = 0; i < nep_grid_voxels(&j->header.grid); i++)
        if (j->region.data[i] > 0 && isfinite(volume[i])) {
            sum += (double)volume[i];
            used++;
        }
    j->reference[t] = used ? sum / (double)used : (double)NAN;
    return NEP_OK;
}

static nep_status reference_of_image(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *path = cli_text(c, "reference");
    NEP_REQUIRE(ctx, cli_images_is_nifti(path), NEP_E_ARG, "--reference '%s': an image needs a NIfTI mask as reference", path);
    NEP_TRY(cli_input_add(c, path));
    NEP_TRY(cli_images_mask(ctx, path, &j->header.grid, j->path, &j->region));
    NEP_TRY(nep_alloc(ctx, j->header.n_t, sizeof *j->reference, "reference", &j->reference));
    return cli_images_volumes(ctx, j->path, NULL, reference_frame, j);
}

static nep_status load(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *mask = cli_text(c, "mask"), *frames = cli_text(c, "frames"), *weights = cli_text(c, "weights");
    NEP_TRY(read_options(c, j));
    j->nifti = cli_images_is_nifti(j->path);
    if (!j->nifti) {
        NEP_TRY(nep_tsv_read_series(ctx, j->path, &j->series));
        NEP_TRY(cli_pet_frames_of_series(ctx, j->path, frames, weights, &j->series, &j->frames));
        return reference_of_table(c, j);
    }
    NEP_TRY(cli_images_header(ctx, j->path, true, &j->header));
    NEP_TRY(cli_pet_frames_read(ctx, j->path, frames, weights, j->header.n_t, &j->frames));
    if (mask)
        NEP_TRY(cli_images_mask(ctx, mask, &j->header.grid, j->path, &j->mask));
    return reference_of_image(c, j);
}

static nep_status write_maps(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_nifti_write(ctx, path, &j->header.grid, 2 * j->n_parameters, (double)NAN, j->maps, false);
}

/* What was fitted, for the sidecar and the document. */
static json_t *summary(const job *j)
{
    json_t *names = json_array();
    for (int p = 0; p < j->n_parameters; p++) {
        json_array_append_new(names, json_string(j->names[p]));
        json_array_append_new(names, json_sprintf("%s_se", j->names[p]));
    }
    return json_pack("{s:s,s:o,s:I,s:s,s:[o,o],s:f,s:o,s:[f,f]}", "model", nep_pet_name(j->model), j->nifti ? "volumes" : "columns", names,
                     "frames", (json_int_t)j->frames.f.n, "frames_from", j->frames.from, "window_min", cli_number(j->opts.from_min),
                     cli_number(j->opts.to_min), "t_star_min", j->opts.t_star_min, "k2_prime_per_min",
                     cli_number(j->opts.k2_prime_per_min), "k2a_range_per_min", j->opts.k2a_low, j->opts.k2a_high);
}

static nep_status run_image(cli *c, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    NEP_TRY(cli_pet_maps(ctx, j->path, &j->header.grid, j->mask.data ? &j->mask : NULL, j->model, &j->frames.f, j->reference, &j->opts, &j->maps));
    if (cli_out(c) || !cli_json(c))
        NEP_TRY(cli_emit(c, write_maps, j, NULL, json_pack("{s:o}", "Pet", summary(j))));
    return cli_json(c) ? cli_document(c, summary(j)) : NEP_OK;
}

static nep_status run_table(cli *c, job *j)
{
    enum { MOST = 8 };
    nep_ctx *ctx = cli_ctx(c);
    const int64_t n = j->series.n_cols;
    const int width = 2 * j->n_parameters;
    cli_column columns[1 + 2 * MOST] = {{.name = "region", .text = (const char *const *)j->series.names}};
    char names[2 * MOST][40];
    double *by_column = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * width, sizeof *j->value, "fits", &j->value));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * width, sizeof *by_column, "fits", &by_column));
    NEP_TRY_OR_DONE(st, nep_pet_fit(ctx, j->model, &j->frames.f, j->reference, j->series.data, n, &j->opts, j->value));
    for (int p = 0; p < width; p++) {
        snprintf(names[p], sizeof names[p], "%s%s", j->names[p / 2], p % 2 ? "_se" : "");
        for (int64_t v = 0; v < n; v++)
            by_column[p * n + v] = j->value[v * width + p];
        columns[1 + p] = (cli_column){.name = names[p], .number = by_column + p * n};
    }
    st = cli_tabular_emit(c, "regions", columns, 1 + width, n, json_pack("{s:o}", "Pet", summary(j)));
done:
    nep_alloc_free(by_column);
    return st;
}

static nep_status run(cli *c)
{
    job j = {.path = cli_input(c, 0)};
    nep_status st;
    NEP_TRY_OR_DONE(st, load(c, &j));
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        const int64_t n = j.nifti ? nep_grid_voxels(&j.header.grid) : j.series.n_cols;
        st = cli_plan(c, n, n * (j.frames.f.n * 8 + j.n_parameters * 24), (double)n * 5e-6, outputs, 1);
        goto done;
    }
    st = j.nifti ? run_image(c, &j) : run_table(c, &j);
done:
    job_free(&j);
    return st;
}

const cli_command cli_cmd_pet = {.name = "pet",
                                 .group = "Imaging",
                                 .summary = "tracer kinetics against a reference region: SUVR, SRTM, MRTM, Logan, Patlak",
                                 .inputs = "TACS",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .inputs_are_files = true,
                                 .options = options,
                                 .n_options = NEP_LEN(options),
                                 .run = run,
                                 .example = "nepenthe pet tacs.tsv --model srtm --reference cerebellum -o srtm.tsv"};
