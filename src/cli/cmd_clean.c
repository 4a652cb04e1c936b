/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe clean - confound regression, filtering and censoring of a series (TSV or NIfTI) by one linear operator. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clean_options.h"
#include "cli/confound_sets.h"
#include "cli/images.h"

static const cli_option options[] = {
    {"tr", 't', CLI_REAL, "S", NULL, NULL, "seconds between frames; default: the NIfTI header's"},
    {"confounds", 'c', CLI_INPUT, "TSV", NULL, NULL, "columns to regress out; n/a only in the first row"},
    {"columns", 0, CLI_TEXTS, "NAMES", NULL, NULL, "which of them, separated by commas: names and sets, default all. Sets: " CLI_CONFOUND_SETS},
    {"confound-scale", 0, CLI_CHOICE, "HOW", "zscore", "zscore|max", "of confounds before they are regressed out: SD 1 without mean, or largest value 1 with it"},
    {"filter", 0, CLI_CHOICE, "NAME", "butterworth", "butterworth|cosine|none", "forwards and backwards, or cosine drifts as confounds; afni: frequencies as regressors"},
    {"order", 0, CLI_INT, "N", NULL, NULL, "of the Butterworth filter, 1 to 10; default 5, or 2 with xcpd; neither afni nor fsl have one"},
    {"high-pass", 0, CLI_REAL, "HZ", NULL, NULL, "slower than this goes"},
    {"low-pass", 0, CLI_REAL, "HZ", NULL, NULL, "faster than this goes (butterworth)"},
    {"detrend", 0, CLI_FLAG, NULL, NULL, NULL, "take a straight line off series and confounds"},
    {"polort", 0, CLI_INT, "P", NULL, NULL, "afni: degree of the polynomials that go, -1 none; default 2"},
    {"cenmode", 0, CLI_CHOICE, "HOW", NULL, "kill|zero|ntrp", "afni: censored frames leave (default), are 0 in the result, or lie straight between kept ones and stay"},
    {"runs", 0, CLI_TEXTS, "N,N", NULL, NULL, "frames of runs that follow one another in SERIES: each is cleaned by itself"},
    {"standardize", 0, CLI_CHOICE, "HOW", NULL, "zscore_sample|psc|none", "SD 1 (n - 1), percent of the mean, or nothing; default zscore_sample, with definitions from xcpd on none"},
    {"censor", 0, CLI_INPUT, "TSV", NULL, NULL, "column `frame` lists censored frames from 0; or one row per frame, 1 = censored"},
    {"censor-fd", 0, CLI_REAL, "MM", NULL, NULL, "frames whose framewise_displacement in --confounds is above are censored too"},
    {"censor-dvars", 0, CLI_REAL, "X", NULL, NULL, "the same of std_dvars"},
    {"censor-unsteady", 0, CLI_FLAG, NULL, NULL, NULL, "frames that non_steady_state_outlier columns of --confounds mark are censored too"},
    {"min-run", 0, CLI_INT, "N", NULL, NULL, "kept stretches between censored frames that are shorter than N frames are censored too"},
    {"ends", 0, CLI_CHOICE, "HOW", "drop", "drop|nearest|spline", "censored frames before the first and after the last kept one, while the filter runs; xcpd: nearest"},
    {"fill", 0, CLI_FLAG, NULL, NULL, NULL, "keep the values filled in for censored frames in the result"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels to clean; the others are NaN in the result"},
    {"definition", 0, CLI_CHOICE, "NAME", "nepenthe", "nepenthe|nilearn|xcpd|afni|3dbandpass|fsl",
     "nilearn: its own rules for censoring and drifts, mistakes included; xcpd: XCP-D's regression after the filter; afni: 3dTproject's one regression; 3dbandpass: "
     "AFNI's transform without a quadratic; fsl: fslmaths -bptf as the filter"},
};

typedef struct {
    const char *path;
    nep_series series; /* TSV, or empty */
    nep_nifti_header header;
    nep_volume mask;
    nep_series confounds;
    double *exact; /* confounds in float64 */
    bool *keep;
    nep_clean_runs op;
    float *out; /* TSV: [n_out, n_cols]; NIfTI: [n_out, voxels] */
    double tr_s;
    bool nifti;
} job;

static void job_free(job *j)
{
    nep_series_free(&j->series);
    nep_series_free(&j->confounds);
    nep_alloc_free(j->exact);
    nep_volume_free(&j->mask);
    nep_alloc_free(j->keep);
    nep_clean_runs_free(&j->op);
    nep_alloc_free(j->out);
}

/* Place of an option's word among the words of its table. */
static int choice(const cli *c, const char *option, const char *const *words, int n)
{
    const char *text = cli_text(c, option);
    for (int k = 0; text && k < n; k++)
        if (strcmp(text, words[k]) == 0)
            return k;
    return 0;
}

static nep_clean_opts read_options(const cli *c, const job *j)
{
    static const char *const filters[] = {"none", "butterworth", "cosine"}, *const scales[] = {"none", "zscore_sample", "psc"};
    static const char *const ends[] = {"drop", "nearest", "spline"}, *const definitions[] = {"nepenthe", "nilearn", "xcpd", "afni", "3dbandpass", "fsl"},
                             *const cenmodes[] = {"kill", "zero", "ntrp"};
    const nep_clean_definition definition = (nep_clean_definition)choice(c, "definition", definitions, NEP_LEN(definitions));
    return (nep_clean_opts){
        .tr_s = j->tr_s,
        .filter = (nep_clean_filter)choice(c, "filter", filters, NEP_LEN(filters)),
        .high_pass_hz = cli_real(c, "high-pass"),
        .low_pass_hz = cli_real(c, "low-pass"),
        .detrend = cli_flag(c, "detrend"),
        .scale = cli_given(c, "standardize")     ? (nep_clean_scale)choice(c, "standardize", scales, NEP_LEN(scales))
                 : definition >= NEP_CLEAN_XCPD ? NEP_CLEAN_UNSCALED
                                                : NEP_CLEAN_ZSCORE,
        .confounds = j->exact,
        .unscaled_confounds = strcmp(cli_text(c, "confound-scale"), "max") == 0,
        .keep = j->keep,
        .fill = cli_flag(c, "fill"),
        .definition = definition,
        .ends = (nep_clean_ends)choice(c, "ends", ends, NEP_LEN(ends)),
        .order = cli_given(c, "order") ? (int)cli_int(c, "order") : 0,
        .polort = cli_given(c, "polort") ? (int)cli_int(c, "polort") : 2,
        .cenmode = (nep_clean_cenmode)choice(c, "cenmode", cenmodes, NEP_LEN(cenmodes)),
    };
}

static nep_status check_filter(cli *c, const nep_clean_opts *o)
{
    nep_ctx *ctx = cli_ctx(c);
    const bool high = cli_given(c, "high-pass"), low = cli_given(c, "low-pass"), afni = o->definition == NEP_CLEAN_AFNI;
    const int64_t order = cli_given(c, "order") ? cli_int(c, "order") : 1, polort = cli_given(c, "polort") ? cli_int(c, "polort") : 0;
    NEP_REQUIRE(ctx, o->filter != NEP_CLEAN_NO_FILTER || (!high && !low), NEP_E_ARG, "--filter none takes no --high-pass and no --low-pass");
    NEP_REQUIRE(ctx, o->filter != NEP_CLEAN_COSINE || high, NEP_E_ARG, "--filter cosine needs --high-pass HZ");
    NEP_REQUIRE(ctx, o->filter != NEP_CLEAN_COSINE || !low, NEP_E_ARG, "--filter cosine cannot take --low-pass; use butterworth");
    NEP_REQUIRE(ctx, o->filter != NEP_CLEAN_COSINE || o->definition != NEP_CLEAN_XCPD, NEP_E_ARG, "XCP-D has no cosine filter; use butterworth");
    NEP_REQUIRE(ctx, !cli_given(c, "tr") || cli_real(c, "tr") > 0, NEP_E_ARG, "--tr must be above 0 seconds");
    NEP_REQUIRE(ctx, order >= 1 && order <= 10, NEP_E_ARG, "--order is 1 to 10");
    NEP_REQUIRE(ctx, polort >= -1 && polort <= 20, NEP_E_ARG, "--polort is -1 (none) to 20");
    NEP_REQUIRE(ctx, afni || !cli_given(c, "polort"), NEP_E_ARG, "--polort is for --definition afni; here --detrend takes a line off");
    NEP_REQUIRE(ctx, afni || !cli_given(c, "cenmode"), NEP_E_ARG, "--cenmode is for --definition afni");
    NEP_REQUIRE(ctx, !afni || (!o->detrend && !cli_given(c, "order")), NEP_E_ARG,
                "--definition afni takes polynomials by --polort and has no --detrend and no --order");
    NEP_REQUIRE(ctx, o->definition <= NEP_CLEAN_AFNI || !cli_given(c, "order"), NEP_E_ARG, "--definition %s has no --order", cli_text(c, "definition"));
    return NEP_OK;
}

/* Confounds, and the frames that their columns censor. */
static nep_status load_confounds(cli *c, job *j, int64_t n_t)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *path = cli_text(c, "confounds");
    const cli_confounds_censor k = {.fd_mm = cli_real(c, "censor-fd"), .std_dvars = cli_real(c, "censor-dvars"),
                                    .unsteady = cli_flag(c, "censor-unsteady")};
    char beside[4200];
    int n = 0;
    const char *const *names = cli_texts(c, "columns", &n);
    nep_table t = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    if (t.n_rows != n_t) {
        st = nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "'%s' has %lld rows, the series has %lld frames", path, (long long)t.n_rows, (long long)n_t);
        goto done;
    }
    if (!(n == 1 && strcmp(names[0], "none") == 0))
        NEP_TRY_OR_DONE(st, cli_confounds_read(ctx, &t, path, names, n, &j->confounds, &j->exact));
    cli_confounds_json(path, beside, sizeof beside);
    for (int i = 0; i < n; i++)
        if (strstr(names[i], "compcor") && nep_file_exists(beside)) {
            NEP_TRY_OR_DONE(st, cli_input_add(c, beside));
            break;
        }
    NEP_TRY_OR_DONE(st, cli_confounds_keep(ctx, &t, &k, j->keep));
done:
    nep_table_free(&t);
    return st;
}

static nep_status check_inputs(cli *c, const job *j)
{
    static const char *const of_confounds[] = {"columns", "censor-fd", "censor-dvars", "censor-unsteady"};
    nep_ctx *ctx = cli_ctx(c);
    NEP_REQUIRE(ctx, j->nifti || !cli_text(c, "mask"), NEP_E_ARG, "--mask is for a NIfTI series");
    for (int i = 0; !cli_text(c, "confounds") && i < NEP_LEN(of_confounds); i++)
        NEP_REQUIRE(ctx, i == 3 ? !cli_flag(c, of_confounds[i]) : !cli_given(c, of_confounds[i]), NEP_E_ARG, "--%s needs --confounds TSV",
                    of_confounds[i]);
    NEP_REQUIRE(ctx, !cli_given(c, "min-run") || cli_int(c, "min-run") >= 0, NEP_E_ARG, "--min-run is a number of frames");
    return NEP_OK;
}

static nep_status load(cli *c, job *j, int64_t *n_t)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *mask = cli_text(c, "mask"), *censor = cli_text(c, "censor");
    j->nifti = cli_images_is_nifti(j->path);
    NEP_TRY(check_inputs(c, j));
    if (j->nifti) {
        NEP_TRY(cli_images_header(ctx, j->path, true, &j->header));
        if (mask)
            NEP_TRY(cli_images_mask(ctx, mask, &j->header.grid, j->path, &j->mask));
    } else {
        NEP_TRY(nep_tsv_read_series(ctx, j->path, &j->series));
    }
    *n_t = j->nifti ? j->header.n_t : j->series.n_t;
    j->tr_s = cli_images_tr(c, j->nifti ? j->header.tr_s : (double)NAN);
    if (censor) {
        NEP_TRY(cli_clean_keep(ctx, censor, *n_t, &j->keep));
    } else {
        NEP_TRY(nep_alloc(ctx, *n_t, sizeof *j->keep, "censoring", &j->keep));
        memset(j->keep, 1, (size_t)*n_t * sizeof *j->keep);
    }
    NEP_TRY(cli_text(c, "confounds") ? load_confounds(c, j, *n_t) : NEP_OK);
    if (cli_given(c, "min-run"))
        cli_confounds_short_runs(*n_t, cli_int(c, "min-run"), j->keep);
    for (int64_t t = 0; t < *n_t; t++)
        if (!j->keep[t])
            return NEP_OK;
    nep_alloc_free(j->keep); /* all kept */
    j->keep = NULL;
    return NEP_OK;
}

static nep_status clean_tile(nep_ctx *ctx, const nep_series *tile, const int64_t *voxel, void *user)
{
    job *j = user;
    const int64_t n_vox = nep_grid_voxels(&j->header.grid);
    float *y = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, j->op.n_out * tile->n_cols, sizeof *y, "cleaned voxels", &y));
    NEP_TRY_OR_DONE(st, nep_clean_runs_apply(ctx, &j->op, tile->data, tile->n_cols, y));
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
        return nep_clean_runs_apply(ctx, &j->op, j->series.data, j->series.n_cols, j->out);
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

/* --runs, or the series as one. */
static nep_status build(cli *c, int64_t n_t, const nep_clean_opts *o, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    int n = 0;
    const char *const *text = cli_texts(c, "runs", &n);
    int64_t *length = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, n > 0 ? n : 1, sizeof *length, "runs", &length));
    length[0] = n_t;
    for (int i = 0; i < n; i++) {
        char *end;
        length[i] = strtoll(text[i], &end, 10);
        NEP_REQUIRE_OR_DONE(st, ctx, *text[i] && !*end && length[i] > 0, NEP_E_ARG, "--runs: '%s' is not a number of frames", text[i]);
    }
    NEP_TRY_OR_DONE(st, nep_clean_runs_build(ctx, length, n > 0 ? n : 1, n_t, j->confounds.data ? &j->confounds : NULL, o, &j->op));
    for (int64_t i = 0; i < j->op.n; i++)
        if (j->op.run[i].effective_dof < 10)
            nep_warn(ctx, "clean: only %.1f degrees of freedom are left of %lld frames", j->op.run[i].effective_dof, (long long)j->op.run[i].n_in);
done:
    nep_alloc_free(length);
    return st;
}

static void tell(cli *c, const nep_clean_runs *r)
{
    for (int64_t i = 0; i < r->n; i++)
        cli_say(c, "%lld of %lld frames, %lld confounds (%lld independent), %.1f degrees of freedom left", (long long)r->run[i].n_out,
                (long long)r->run[i].n_in, (long long)r->run[i].n_confounds, (long long)r->run[i].rank, r->run[i].effective_dof);
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
    NEP_TRY_OR_DONE(st, build(c, n_t, &o, &j));
    NEP_TRY_OR_DONE(st, apply(ctx, &j));
    tell(c, &j.op);
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
