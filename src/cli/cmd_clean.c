/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe clean - confound regression, filtering and censoring of a series (TSV or NIfTI) by one linear operator. */
#include <math.h>
#include <string.h>

#include "cli/clean_options.h"
#include "cli/images.h"

static const cli_option options[] = {
    {"tr", 't', CLI_REAL, "S", NULL, NULL, "seconds between frames; default: the NIfTI header's"},
    {"confounds", 'c', CLI_INPUT, "TSV", NULL, NULL, "columns to regress out; n/a only in the first row"},
    {"columns", 0, CLI_TEXTS, "NAMES", NULL, NULL, "which of them, separated by commas; default: all"},
    {"filter", 0, CLI_CHOICE, "NAME", "butterworth", "butterworth|cosine|none", "order 5 forwards and backwards, or cosine drifts as confounds"},
    {"high-pass", 0, CLI_REAL, "HZ", NULL, NULL, "slower than this goes"},
    {"low-pass", 0, CLI_REAL, "HZ", NULL, NULL, "faster than this goes (butterworth)"},
    {"detrend", 0, CLI_FLAG, NULL, NULL, NULL, "take a straight line off series and confounds"},
    {"standardize", 0, CLI_CHOICE, "HOW", "zscore_sample", "zscore_sample|psc|none", "SD 1 (n - 1), percent of the mean, or nothing"},
    {"censor", 0, CLI_INPUT, "TSV", NULL, NULL, "column `frame` lists censored frames from 0; or one row per frame, 1 = censored"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels to clean; the others are NaN in the result"},
    {"definition", 0, CLI_CHOICE, "NAME", "nepenthe", "nepenthe|nilearn", "nilearn: its own rules for censoring and drifts, mistakes included"},
};

typedef struct {
    const char *path;
    nep_series series; /* TSV, or empty */
    nep_nifti_header header;
    nep_volume mask;
    nep_series confounds;
    bool *keep;
    nep_clean op;
    float *out; /* TSV: [n_out, n_cols]; NIfTI: [n_out, voxels] */
    double tr_s;
    bool nifti;
} job;

static void job_free(job *j)
{
    nep_series_free(&j->series);
    nep_series_free(&j->confounds);
    nep_volume_free(&j->mask);
    nep_alloc_free(j->keep);
    nep_clean_free(&j->op);
    nep_alloc_free(j->out);
}

static nep_clean_opts read_options(const cli *c, const job *j)
{
    const char *filter = cli_text(c, "filter"), *scale = cli_text(c, "standardize");
    return (nep_clean_opts){
        .tr_s = j->tr_s,
        .filter = strcmp(filter, "cosine") == 0 ? NEP_CLEAN_COSINE : strcmp(filter, "none") == 0 ? NEP_CLEAN_NO_FILTER : NEP_CLEAN_BUTTERWORTH,
        .high_pass_hz = cli_real(c, "high-pass"),
        .low_pass_hz = cli_real(c, "low-pass"),
        .detrend = cli_flag(c, "detrend"),
        .scale = strcmp(scale, "psc") == 0 ? NEP_CLEAN_PSC : strcmp(scale, "none") == 0 ? NEP_CLEAN_UNSCALED : NEP_CLEAN_ZSCORE,
        .keep = j->keep,
        .nilearn = strcmp(cli_text(c, "definition"), "nilearn") == 0,
    };
}

static nep_status check_filter(cli *c, const nep_clean_opts *o)
{
    nep_ctx *ctx = cli_ctx(c);
    const bool high = cli_given(c, "high-pass"), low = cli_given(c, "low-pass");
    NEP_REQUIRE(ctx, o->filter != NEP_CLEAN_NO_FILTER || (!high && !low), NEP_E_ARG, "--filter none takes no --high-pass and no --low-pass");
    NEP_REQUIRE(ctx, o->filter != NEP_CLEAN_COSINE || high, NEP_E_ARG, "--filter cosine needs --high-pass HZ");
    NEP_REQUIRE(ctx, o->filter != NEP_CLEAN_COSINE || !low, NEP_E_ARG, "--filter cosine cannot take --low-pass; use butterworth");
    NEP_REQUIRE(ctx, !cli_given(c, "tr") || cli_real(c, "tr") > 0, NEP_E_ARG, "--tr must be above 0 seconds");
    return NEP_OK;
}

static nep_status load(cli *c, job *j, int64_t *n_t)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *mask = cli_text(c, "mask"), *confounds = cli_text(c, "confounds"), *censor = cli_text(c, "censor");
    int n_names = 0;
    const char *const *names = cli_texts(c, "columns", &n_names);
    j->nifti = cli_images_is_nifti(j->path);
    NEP_REQUIRE(ctx, j->nifti || !mask, NEP_E_ARG, "--mask is for a NIfTI series");
    NEP_REQUIRE(ctx, confounds || n_names == 0, NEP_E_ARG, "--columns needs --confounds TSV");
    if (j->nifti) {
        NEP_TRY(cli_images_header(ctx, j->path, true, &j->header));
        if (mask)
            NEP_TRY(cli_images_mask(ctx, mask, &j->header.grid, j->path, &j->mask));
    } else {
        NEP_TRY(nep_tsv_read_series(ctx, j->path, &j->series));
    }
    *n_t = j->nifti ? j->header.n_t : j->series.n_t;
    j->tr_s = cli_images_tr(c, j->nifti ? j->header.tr_s : (double)NAN);
    if (confounds)
        NEP_TRY(cli_clean_columns(ctx, confounds, names, n_names, &j->confounds));
    return censor ? cli_clean_keep(ctx, censor, *n_t, &j->keep) : NEP_OK;
}

static nep_status clean_tile(nep_ctx *ctx, const nep_series *tile, const int64_t *voxel, void *user)
{
    job *j = user;
    const int64_t n_vox = nep_grid_voxels(&j->header.grid);
    float *y = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->op.n_out * tile->n_cols, sizeof *y, "cleaned voxels", &y));
    NEP_TRY_OR_DONE(st, nep_clean_apply(ctx, &j->op, tile->data, tile->n_cols, y));
    for (int64_t t = 0; t < j->op.n_out; t++)
        for (int64_t k = 0; k < tile->n_cols; k++)
            j->out[t * n_vox + voxel[k]] = y[t * tile->n_cols + k];
done:
    nep_alloc_free(y);
    return st;
}

static nep_status apply(nep_ctx *ctx, job *j)
{
    const int64_t width = j->nifti ? nep_grid_voxels(&j->header.grid) : j->series.n_cols;
    NEP_TRY(nep_alloc(ctx, j->op.n_out * width, sizeof *j->out, "cleaned series", &j->out));
    if (!j->nifti)
        return nep_clean_apply(ctx, &j->op, j->series.data, j->series.n_cols, j->out);
    for (int64_t i = 0; j->mask.data && i < j->op.n_out * width; i++)
        j->out[i] = NAN;
    return cli_images_tiles(ctx, j->path, j->mask.data ? &j->mask : NULL, 4, clean_tile, j);
}

static nep_status write_out(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    if (j->nifti)
        return nep_nifti_write(ctx, path, &j->header.grid, j->op.n_out, j->tr_s, j->out, false);
    const nep_series s = {.n_t = j->op.n_out, .n_cols = j->series.n_cols, .tr_s = j->tr_s, .data = j->out, .names = j->series.names};
    return nep_tsv_write_series(ctx, path, &s);
}

static nep_status plan(cli *c, const job *j, int64_t n_t)
{
    const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
    const int64_t width = j->nifti ? nep_grid_voxels(&j->header.grid) : j->series.n_cols;
    return cli_plan(c, width, (n_t * width * (j->nifti ? 12 : 8)) + n_t * n_t * 24, (double)(n_t * n_t) * (double)width * 1e-10, outputs, 1);
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    job j = {.path = cli_input(c, 0)};
    int64_t n_t = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, load(c, &j, &n_t));
    const nep_clean_opts o = read_options(c, &j);
    NEP_TRY_OR_DONE(st, check_filter(c, &o));
    if (cli_dry_run(c)) {
        st = plan(c, &j, n_t);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_clean_build(ctx, n_t, j.confounds.data ? &j.confounds : NULL, &o, &j.op));
    if (j.op.effective_dof < 10)
        nep_warn(ctx, "clean: only %.1f degrees of freedom are left of %lld frames", j.op.effective_dof, (long long)n_t);
    NEP_TRY_OR_DONE(st, apply(ctx, &j));
    cli_say(c, "%lld of %lld frames, %lld confounds (%lld independent), %.1f degrees of freedom left", (long long)j.op.n_out, (long long)n_t,
            (long long)j.op.n_confounds, (long long)j.op.rank, j.op.effective_dof);
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_out, &j, NULL, json_pack("{s:o}", "Clean", cli_clean_report(&j.op))));
    if (cli_json(c))
        st = cli_document(c, json_pack("{s:o}", "clean", cli_clean_report(&j.op)));
done:
    job_free(&j);
    return st;
}

const cli_command cli_cmd_clean = {.name = "clean",
                                   .group = "Imaging",
                                   .summary = "confound regression, filtering and censoring of a series",
                                   .inputs = "SERIES",
                                   .min_inputs = 1,
                                   .max_inputs = 1,
                                   .inputs_are_files = true,
                                   .options = options,
                                   .n_options = NEP_LEN(options),
                                   .run = run,
                                   .example = "nepenthe clean timeseries.tsv --tr 2 --confounds confounds.tsv --columns csf,white_matter "
                                              "--detrend --high-pass 0.01 --low-pass 0.08 -o clean.tsv"};
