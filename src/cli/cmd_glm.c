/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe glm - linear models of runs (first level) or of people (second level), for images or tables. */
#include <math.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/glm_model.h"
#include "cli/glm_write.h"
#include "cli/images.h"

static const cli_option options[] = {
    {"contrast", 0, CLI_TEXTS, "NAME=FORMULA", NULL, NULL,
     "what is tested: a sum of columns ('face - house'), numbers (1,-1,0), several rows for F ('face; house'), F:... for F of one row"},
    {"events", 'e', CLI_INPUTS, "TSV", NULL, NULL, "first level: onset, duration, trial_type, modulation of each run; default: the BIDS events.tsv beside it"},
    {"design", 0, CLI_INPUTS, "TSV", NULL, NULL,
     "second level: participant_id and covariates; without participant_id a first level's own columns, a row per frame, one file per run"},
    {"tr", 't', CLI_REAL, "S", NULL, NULL, "seconds between frames; default: the NIfTI header's"},
    {"confounds", 'c', CLI_INPUTS, "TSV", NULL, NULL, "columns that join the design of each run; n/a only in the first row"},
    {"columns", 0, CLI_TEXTS, "NAMES", NULL, NULL, "which columns of --confounds, or of --design; default: all"},
    {"hrf", 0, CLI_CHOICE, "NAME", "glover", "glover|spm", "response to an event"},
    {"derivatives", 0, CLI_CHOICE, "NAME", "none", "none|time|dispersion", "of the response, as further columns: in time; in time and dispersion"},
    {"drift", 0, CLI_CHOICE, "NAME", "cosine", "cosine|polynomial|none", "slow columns"},
    {"high-pass", 0, CLI_REAL, "HZ", "0.01", NULL, "cosines slower than this"},
    {"drift-order", 0, CLI_INT, "N", "1", NULL, "highest power of time (polynomial)"},
    {"slice-time-ref", 0, CLI_REAL, "SHARE", "0", NULL, "a frame's time within its TR, 0 to 1"},
    {"noise", 0, CLI_CHOICE, "NAME", NULL, "ar1|ols", "errors of first order, or white ones; default: ar1, ols on the second level"},
    {"scale", 0, CLI_CHOICE, "NAME", NULL, "percent|none", "unit of effects: percent of the mean over time, or the data's; default: percent, none on the second level"},
    {"leave-outside", 0, CLI_FLAG, NULL, NULL, NULL, "leave out events outside the run, with a warning; default: they are an error"},
    {"centre", 0, CLI_FLAG, NULL, NULL, NULL, "second level: take the mean off columns of numbers"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels to fit; the others are NaN"},
    {"definition", 0, CLI_CHOICE, "NAME", "nepenthe", "nepenthe|nilearn", "nilearn: its own rules where they differ, see src/imaging/README.md"},
};

typedef struct {
    cli *c;
    cli_glm_words words;
    nep_glm_opts o;
    nep_volume mask;
    bool nifti, second;
    cli_glm_result r;
    nep_glm *model;  /* of the run at work */
    int64_t done;    /* columns of it that are fitted */
    nep_series first; /* names of the first run's columns */
} job;

static void job_free(job *j)
{
    cli_glm_result_free(&j->r);
    nep_glm_free(j->model);
    nep_volume_free(&j->mask);
    nep_series_free(&j->first);
    cli_glm_words_free(&j->words);
}

/* ---- options ---- */

/* The level is in the design: one with participant_id is a second one. */
static nep_status find_level(job *j, nep_table *t)
{
    int n = 0;
    const char *const *design = cli_texts(j->c, "design", &n);
    nep_ctx *ctx = cli_ctx(j->c);
    if (n == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, !cli_given(j->c, "events") && !cli_given(j->c, "confounds"), NEP_E_USAGE, "--design takes no --events and no --confounds");
    NEP_TRY(nep_tsv_read(ctx, design[0], t));
    j->second = nep_table_column(t, "participant_id") >= 0;
    NEP_REQUIRE(ctx, !j->second || n == 1, NEP_E_USAGE, "one --design table of people, not %d", n);
    return NEP_OK;
}

static nep_status read_options(job *j)
{
    cli *c = j->c;
    nep_ctx *ctx = cli_ctx(c);
    const char *noise = cli_text(c, "noise"), *scale = cli_text(c, "scale");
    const bool nilearn = strcmp(cli_text(c, "definition"), "nilearn") == 0;
    NEP_TRY(cli_glm_words_read(c, NULL, &j->words));
    NEP_REQUIRE(ctx, !j->second || !cli_given(c, "tr"), NEP_E_USAGE, "--tr belongs to a first level, and --design has participant_id");
    NEP_REQUIRE(ctx, !j->second || !noise || strcmp(noise, "ols") == 0, NEP_E_USAGE, "--noise ar1 is for frames; people have no order");
    NEP_REQUIRE(ctx, !j->second || !scale || strcmp(scale, "none") == 0, NEP_E_USAGE, "--scale percent is for frames");
    NEP_REQUIRE(ctx, j->second || !cli_flag(c, "centre"), NEP_E_USAGE, "--centre is for a second level");
    NEP_REQUIRE(ctx, !cli_given(c, "tr") || cli_real(c, "tr") > 0, NEP_E_ARG, "--tr must be above 0 seconds");
    j->o = (nep_glm_opts){.noise = noise ? strcmp(noise, "ar1") == 0 ? NEP_GLM_AR1 : NEP_GLM_OLS : j->second ? NEP_GLM_OLS : NEP_GLM_AR1,
                          .scale = scale ? strcmp(scale, "percent") == 0 ? NEP_GLM_PERCENT : NEP_GLM_UNSCALED
                                   : j->second ? NEP_GLM_UNSCALED
                                               : NEP_GLM_PERCENT,
                          .nilearn = nilearn};
    j->r.fixed = nilearn ? NEP_GLM_MEAN : NEP_GLM_PRECISION;
    return NEP_OK;
}

/* ---- first level ---- */

static nep_status add_fit(job *j, const float *y, int64_t n_cols, const int64_t *column)
{
    nep_glm_fit f = {0};
    nep_status st;
    NEP_TRY(nep_glm_run(j->model, y, n_cols, &f));
    st = nep_glm_pool_add(j->r.pool, &f, column);
    j->r.n_missing += f.n_missing;
    j->r.n_flat += f.n_flat;
    j->r.n_unscaled += f.n_unscaled;
    nep_glm_fit_free(&f);
    return st;
}

static nep_status fit_tile(nep_ctx *ctx, const nep_series *tile, const int64_t *voxel, void *user)
{
    job *j = user;
    int64_t *column = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, tile->n_cols, sizeof *column, "columns of a tile", &column));
    for (int64_t k = 0; k < tile->n_cols; k++) {
        column[k] = j->done + k;
        j->r.voxel[j->done + k] = voxel[k];
    }
    st = add_fit(j, tile->data, tile->n_cols, column);
    j->done += tile->n_cols;
    nep_alloc_free(column);
    return st;
}

/* Columns are joined by name. */
static nep_status match_columns(job *j, const char *path, const nep_series *s, int64_t *column)
{
    nep_ctx *ctx = cli_ctx(j->c);
    NEP_REQUIRE(ctx, s->n_cols == j->first.n_cols, NEP_E_SHAPE, "'%s' has %lld regions, '%s' has %lld", path, (long long)s->n_cols,
                cli_input(j->c, 0), (long long)j->first.n_cols);
    for (int64_t k = 0; k < s->n_cols; k++) {
        int64_t at = k < j->first.n_cols && strcmp(j->first.names[k], s->names[k]) == 0 ? k : 0;
        while (at < j->first.n_cols && strcmp(j->first.names[at], s->names[k]) != 0)
            at++;
        NEP_REQUIRE(ctx, at < j->first.n_cols, NEP_E_SHAPE, "'%s' has a region '%s' that '%s' lacks", path, s->names[k], cli_input(j->c, 0));
        column[k] = at;
    }
    return NEP_OK;
}

/* Design, contrasts and model of a run; on the first one the pool of all runs too. */
static nep_status open_run(job *j, int run, const char *path, int64_t n_t, double tr_s, int64_t *p)
{
    nep_ctx *ctx = cli_ctx(j->c);
    nep_glm_design d = {0};
    nep_glm_contrast *c = NULL;
    char where[4300];
    nep_status st;
    snprintf(where, sizeof where, "the design of '%.4000s'", path);
    NEP_TRY_OR_DONE(st, cli_glm_run_design(j->c, run, path, n_t, tr_s, &d));
    NEP_TRY_OR_DONE(st, cli_glm_contrasts(ctx, &j->words, &d, where, &c));
    nep_glm_free(j->model);
    j->model = NULL;
    NEP_TRY_OR_DONE(st, nep_glm_open(ctx, &d, c, j->words.n, &j->o, where, &j->model));
    NEP_TRY_OR_DONE(st, cli_glm_result_note(ctx, &j->r, path, tr_s, &d));
    j->r.df_run = (double)(d.n - d.p);
    *p = d.p;
    if (run == 0) {
        j->r.contrasts = c;
        j->r.n = j->words.n;
        c = NULL;
        st = nep_glm_pool_open(ctx, j->r.contrasts, j->r.n, j->r.n_cols, j->r.fixed, &j->r.pool);
    }
done:
    cli_glm_contrasts_free(c, j->words.n);
    nep_glm_design_free(&d);
    return st;
}

static nep_status table_run(job *j, int run)
{
    nep_ctx *ctx = cli_ctx(j->c);
    const char *path = cli_input(j->c, run);
    nep_series s = {0};
    int64_t *column = NULL, p;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read_series(ctx, path, &s));
    j->r.n_cols = s.n_cols;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s.n_cols, sizeof *column, "regions", &column));
    if (run > 0)
        NEP_TRY_OR_DONE(st, match_columns(j, path, &s, column));
    NEP_TRY_OR_DONE(st, open_run(j, run, path, s.n_t, cli_real(j->c, "tr"), &p));
    NEP_TRY_OR_DONE(st, add_fit(j, s.data, s.n_cols, run > 0 ? column : NULL));
    if (run == 0) {
        j->first = s;
        s = (nep_series){0};
        j->r.regions = j->first.names;
    }
done:
    nep_alloc_free(column);
    nep_series_free(&s);
    return st;
}

/* Room for the voxels to fit, in the order of the tiles. */
static nep_status choose_voxels(job *j)
{
    const int64_t all = nep_grid_voxels(&j->r.grid);
    for (int64_t v = 0; v < all; v++)
        j->r.n_cols += !j->mask.data || j->mask.data[v] > 0;
    return nep_alloc(cli_ctx(j->c), j->r.n_cols, sizeof *j->r.voxel, "voxels", &j->r.voxel);
}

static nep_status image_run(job *j, int run)
{
    nep_ctx *ctx = cli_ctx(j->c);
    const char *path = cli_input(j->c, run), *mask = cli_text(j->c, "mask");
    nep_nifti_header h;
    int64_t p;
    NEP_TRY(cli_images_header(ctx, path, true, &h));
    if (run == 0) {
        j->r.grid = h.grid;
        if (mask)
            NEP_TRY(cli_images_mask(ctx, mask, &h.grid, path, &j->mask));
        NEP_TRY(choose_voxels(j));
    }
    NEP_TRY(cli_images_same_grid(ctx, path, &h.grid, cli_input(j->c, 0), &j->r.grid));
    NEP_TRY(open_run(j, run, path, h.n_t, cli_images_tr(j->c, h.tr_s), &p));
    j->done = 0;
    int64_t rows = 0;
    for (int k = 0; k < j->r.n; k++)
        rows += j->r.contrasts[k].rows;
    const int64_t each = (2 * p + 9 + rows * (rows + 3)) * (int64_t)sizeof(double);
    return cli_images_tiles(ctx, path, mask ? &j->mask : NULL, each / h.n_t + 1, fit_tile, j);
}

static nep_status fit_runs(job *j)
{
    const int n = cli_input_count(j->c);
    NEP_REQUIRE(cli_ctx(j->c), j->nifti || !cli_given(j->c, "mask"), NEP_E_USAGE, "--mask is for NIfTI images");
    for (int run = 0; run < n; run++) {
        NEP_REQUIRE(cli_ctx(j->c), cli_images_is_nifti(cli_input(j->c, run)) == j->nifti, NEP_E_USAGE, "runs are all images or all tables");
        NEP_TRY(j->nifti ? image_run(j, run) : table_run(j, run));
        nep_glm_pool_next(j->r.pool, j->r.df_run);
    }
    return NEP_OK;
}

/* ---- second level ---- */

static nep_status fit_people(job *j, const nep_table *t)
{
    nep_ctx *ctx = cli_ctx(j->c);
    nep_glm_design d = {0};
    int64_t *row = NULL;
    float *y = NULL;
    int n_names = 0;
    const char *const *names = cli_texts(j->c, "columns", &n_names);
    cli_people *people = &j->r.people;
    char where[4300];
    nep_status st;
    NEP_TRY(cli_people_read(j->c, people));
    snprintf(where, sizeof where, "the design '%.4000s'", t->path);
    j->r.n_cols = people->n_cols;
    j->r.regions = people->columns;
    j->r.grid = people->grid;
    NEP_TRY_OR_DONE(st, cli_glm_people_design(ctx, t, people, names, n_names, cli_flag(j->c, "centre"), &row, &d));
    NEP_TRY_OR_DONE(st, cli_glm_contrasts(ctx, &j->words, &d, where, &j->r.contrasts));
    j->r.n = j->words.n;
    NEP_TRY_OR_DONE(st, nep_glm_open(ctx, &d, j->r.contrasts, j->r.n, &j->o, where, &j->model));
    NEP_TRY_OR_DONE(st, cli_glm_result_note(ctx, &j->r, t->path, (double)NAN, &d));
    NEP_TRY_OR_DONE(st, nep_glm_pool_open(ctx, j->r.contrasts, j->r.n, people->n_cols, j->r.fixed, &j->r.pool));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.n * people->n_cols, sizeof *y, "data of those who take part", &y));
    for (int64_t i = 0; i < d.n; i++)
        memcpy(y + i * people->n_cols, people->y + row[i] * people->n_cols, (size_t)people->n_cols * sizeof *y);
    NEP_TRY_OR_DONE(st, add_fit(j, y, people->n_cols, NULL));
    nep_glm_pool_next(j->r.pool, (double)(d.n - d.p));
done:
    nep_alloc_free(y);
    nep_alloc_free(row);
    nep_glm_design_free(&d);
    return st;
}

/* ---- the whole ---- */

static nep_status plan(job *j)
{
    const char *outputs[] = {cli_out(j->c) ? cli_out(j->c) : "standard output"};
    int64_t n = 0, n_t = cli_input_count(j->c);
    if (j->nifti) {
        nep_nifti_header h;
        NEP_TRY(cli_images_header(cli_ctx(j->c), cli_input(j->c, 0), !j->second, &h));
        n = nep_grid_voxels(&h.grid);
        n_t = j->second ? n_t : h.n_t;
    }
    return cli_plan(j->c, n ? n : n_t, n * n_t * 8, (double)(n * n_t) * 1e-8 * (j->second ? 1 : cli_input_count(j->c)), outputs, 1);
}

static nep_status run(cli *c)
{
    job j = {.c = c, .nifti = cli_images_is_nifti(cli_input(c, 0))};
    nep_table design = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, find_level(&j, &design));
    NEP_TRY_OR_DONE(st, read_options(&j));
    NEP_REQUIRE_OR_DONE(st, cli_ctx(c), !j.nifti || cli_out(c) || cli_dry_run(c), NEP_E_USAGE,
                        "images need -o PREFIX, the beginning of the names of the maps");
    if (cli_dry_run(c)) {
        st = plan(&j);
        goto done;
    }
    NEP_TRY_OR_DONE(st, j.second ? fit_people(&j, &design) : fit_runs(&j));
    j.r.formula = j.words.formula;
    j.r.o = j.o;
    j.r.second = j.second;
    st = cli_glm_result_write(c, &j.r);
done:
    nep_table_free(&design);
    job_free(&j);
    return st;
}

const cli_command cli_cmd_glm = {
    .name = "glm",
    .group = "Imaging",
    .summary = "linear models of runs with events (first level) or of people (second level): effect, SE, t or F, z",
    .inputs = "IMAGE|SERIES|TABLE...",
    .min_inputs = 1,
    .max_inputs = -1,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe glm bold.nii.gz --events events.tsv --contrast faces='face - house' --mask mask.nii.gz -o faces",
};
