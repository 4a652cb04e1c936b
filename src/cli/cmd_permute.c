/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe permute - permutation inference of a linear model of people, per voxel of images or per region of a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nepenthe/io.h>

#include "cli/glm_model.h"
#include "cli/images.h"
#include "cli/permute_write.h"

static const cli_option options[] = {
    {"design", 0, CLI_INPUT, "TSV", NULL, NULL,
     "participant_id and the model's columns, words as column=level; volume k of a 4D image is of row k; default: the mean alone"},
    {"contrast", 0, CLI_TEXTS, "NAME=FORMULA", NULL, NULL,
     "what is tested: a sum of columns ('group=patient - group=control', 'intercept'), numbers (1,-1,0), rows for F ('a; b'), F:... for F of one row; without --design mean=intercept"},
    {"columns", 0, CLI_TEXTS, "NAMES", NULL, NULL, "which columns of --design; default: all"},
    {"centre", 0, CLI_FLAG, NULL, NULL, NULL, "take the mean off columns of numbers: the intercept is then the mean at their averages"},
    {"n", 'n', CLI_INT, "N", "10000", NULL, "shuffles; all distinct ones when there are no more; 0 = no p"},
    {"shuffle", 0, CLI_CHOICE, "WHAT", "auto", "auto|rows|signs|both", "what is exchangeable; auto: signs for a mean, rows otherwise"},
    {"exchange", 0, CLI_INPUT, "TSV", NULL, NULL, "participant_id and block: rows are exchanged within blocks"},
    {"whole", 0, CLI_FLAG, NULL, NULL, NULL, "blocks are exchanged, or flip their sign, as wholes"},
    {"statistic", 0, CLI_TEXTS, "NAMES", "max-t", NULL, "what is corrected for the search: max-t (always), cluster-size, cluster-mass, tfce"},
    {"cluster-p", 0, CLI_REAL, "P", "0.001", NULL, "clusters are formed beyond this uncorrected p"},
    {"cluster-threshold", 0, CLI_REAL, "T", NULL, NULL, "or beyond this |t| or F"},
    {"connectivity", 0, CLI_CHOICE, "N", "6", "6|18|26", "neighbours that make a cluster: by faces, edges too, corners too"},
    {"extent", 'E', CLI_REAL, "E", "0.5", NULL, "tfce: exponent of the extent"},
    {"height", 'H', CLI_REAL, "H", "2", NULL, "tfce: exponent of the height"},
    {"positive", 0, CLI_FLAG, NULL, NULL, NULL, "one-sided: values above 0 alone"},
    {"tail", 0, CLI_FLAG, NULL, NULL, NULL, "p below 0.1 from a generalised Pareto tail where it fits; 500 shuffles do then"},
    {"fdr", 0, CLI_CHOICE, "NAME", "bh", "bh|by", "false discovery rate: Benjamini-Hochberg, or Benjamini-Yekutieli for any dependence"},
    {"mask", 'm', CLI_INPUT, "NIFTI", NULL, NULL, "voxels that take part (images only); default all"},
    {"resume", 0, CLI_FLAG, NULL, NULL, NULL, "go on from the checkpoint that an interrupted run of the same command left beside -o"},
};

typedef struct {
    cli *c;
    cli_glm_words words;
    nep_table design; /* empty without --design */
    int64_t *row;     /* of the data, for each row of the design */
    int32_t *block;   /* [rows of the design] or NULL */
    float *y;         /* [rows of the design, n_cols] */
    bool *inside;
    int64_t dims[3];
    cli_permute_result p;
} job;

static void job_free(job *j)
{
    cli_permute_result_free(&j->p);
    nep_table_free(&j->design);
    cli_glm_words_free(&j->words);
    nep_alloc_free(j->row);
    nep_alloc_free(j->block);
    nep_alloc_free(j->y);
    nep_alloc_free(j->inside);
}

/* ---- options ---- */

static nep_status read_statistics(job *j)
{
    static const struct {
        const char *name;
        unsigned flag;
    } all[] = {{"max-t", NEP_PERMUTE_MAX_T}, {"cluster-size", NEP_PERMUTE_CLUSTER_SIZE}, {"cluster-mass", NEP_PERMUTE_CLUSTER_MASS},
               {"tfce", NEP_PERMUTE_TFCE}};
    int n = 0;
    const char *const *names = cli_texts(j->c, "statistic", &n);
    j->p.o.statistics = 0;
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < NEP_LEN(all) && strcmp(names[i], all[k].name) != 0)
            k++;
        NEP_REQUIRE(cli_ctx(j->c), k < NEP_LEN(all), NEP_E_USAGE, "--statistic '%s' is none of max-t, cluster-size, cluster-mass and tfce", names[i]);
        j->p.o.statistics |= all[k].flag;
    }
    return NEP_OK;
}

static nep_status read_options(job *j)
{
    cli *c = j->c;
    nep_ctx *ctx = cli_ctx(c);
    nep_permute_opts *o = &j->p.o;
    NEP_TRY(cli_glm_words_read(c, cli_given(c, "design") ? NULL : "mean=intercept", &j->words));
    NEP_TRY(read_statistics(j));
    NEP_REQUIRE(ctx, !cli_flag(c, "whole") || cli_given(c, "exchange"), NEP_E_USAGE, "--whole is for the blocks of --exchange");
    NEP_REQUIRE(ctx, cli_real(c, "cluster-p") > 0 && cli_real(c, "cluster-p") < 1, NEP_E_ARG, "--cluster-p must lie between 0 and 1");
    NEP_REQUIRE(ctx, cli_given(c, "design") || (!cli_given(c, "columns") && !cli_flag(c, "centre")), NEP_E_USAGE,
                "--columns and --centre are for the columns of --design");
    o->n_perm = j->p.asked = cli_int(c, "n");
    o->positive = cli_flag(c, "positive");
    o->tail = cli_flag(c, "tail");
    o->connectivity = atoi(cli_text(c, "connectivity"));
    o->tfce_e = cli_real(c, "extent");
    o->tfce_h = cli_real(c, "height");
    o->resume = cli_flag(c, "resume");
    NEP_REQUIRE(ctx, !o->resume || cli_out(c), NEP_E_USAGE, "--resume needs the -o of the run that was interrupted");
    j->p.yekutieli = strcmp(cli_text(c, "fdr"), "by") == 0;
    j->p.whole = cli_flag(c, "whole");
    if (cli_given(c, "design"))
        NEP_TRY(nep_tsv_read(ctx, cli_text(c, "design"), &j->design));
    return NEP_OK;
}

/* ---- people ---- */

/* Participants of the design, or numbers without one. */
static nep_status stack_ids(job *j, int64_t n_volumes, char ***ids, int64_t *n)
{
    nep_ctx *ctx = cli_ctx(j->c);
    const nep_table *t = &j->design;
    int64_t col = -1;
    if (t->header)
        NEP_TRY(nep_table_need(ctx, t, "participant_id", &col));
    *n = t->header ? t->n_rows : n_volumes;
    NEP_TRY(nep_alloc(ctx, *n, sizeof **ids, "participants", ids));
    for (int64_t i = 0; i < *n; i++) {
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)i + 1);
        const char *id = col >= 0 ? nep_table_cell(t, i, col) : number;
        NEP_REQUIRE(ctx, id, NEP_E_FORMAT, "%s: line %lld has no participant_id", t->path, (long long)i + 2);
        NEP_TRY(nep_alloc_string(ctx, id, &(*ids)[i]));
    }
    return NEP_OK;
}

static nep_status read_people(job *j)
{
    nep_nifti_header h = {.n_t = 1};
    char **ids = NULL;
    int64_t n = 0;
    nep_status st;
    if (cli_input_count(j->c) == 1 && cli_images_is_nifti(cli_input(j->c, 0)))
        NEP_TRY(cli_images_header(cli_ctx(j->c), cli_input(j->c, 0), false, &h));
    if (h.n_t == 1)
        return cli_people_read(j->c, &j->p.people);
    st = stack_ids(j, h.n_t, &ids, &n);
    if (st == NEP_OK)
        st = cli_people_read_stack(j->c, ids, n, &j->p.people);
    nep_data_free_names(ids, ids ? n : 0);
    return st;
}

/* The mean alone, of everybody. */
static nep_status mean_design(job *j)
{
    nep_ctx *ctx = cli_ctx(j->c);
    nep_glm_design *d = &j->p.design;
    d->n = j->p.people.n;
    NEP_TRY(nep_alloc(ctx, d->n, sizeof *j->row, "design: people", &j->row));
    NEP_TRY(nep_alloc(ctx, d->n, sizeof *d->x, "design", &d->x));
    NEP_TRY(nep_alloc(ctx, 1, sizeof *d->names, "design", &d->names));
    d->p = 1;
    NEP_TRY(nep_alloc_string(ctx, "intercept", &d->names[0]));
    for (int64_t i = 0; i < d->n; i++) {
        d->x[i] = 1;
        j->row[i] = i;
    }
    return NEP_OK;
}

static nep_status make_design(job *j)
{
    nep_ctx *ctx = cli_ctx(j->c);
    int n_names = 0;
    const char *const *names = cli_texts(j->c, "columns", &n_names);
    const cli_people *d = &j->p.people;
    NEP_TRY(j->design.header ? cli_glm_people_design(ctx, &j->design, d, names, n_names, cli_flag(j->c, "centre"), &j->row, &j->p.design)
                             : mean_design(j));
    j->p.n_people = j->p.design.n;
    NEP_TRY(nep_alloc(ctx, j->p.n_people * d->n_cols, sizeof *j->y, "data of those who take part", &j->y));
    for (int64_t i = 0; i < j->p.n_people; i++)
        memcpy(j->y + i * d->n_cols, d->y + j->row[i] * d->n_cols, (size_t)d->n_cols * sizeof *j->y);
    nep_alloc_free(j->p.people.y);
    j->p.people.y = NULL;
    return NEP_OK;
}

/* Whether the voxel has a value in everybody, and whether these differ. */
static bool varies(const job *j, int64_t v, int64_t *missing, int64_t *constant)
{
    const int64_t n_cols = j->p.people.n_cols;
    bool whole = true, differs = false;
    for (int64_t i = 0; i < j->p.n_people; i++) {
        whole = whole && isfinite(j->y[i * n_cols + v]);
        differs = differs || j->y[i * n_cols + v] != j->y[v];
    }
    *missing += !whole;
    *constant += whole && !differs;
    return whole && differs;
}

/* Leaves out voxels that cannot be tested, such as those around the brain where no mask was given. */
static nep_status drop_voxels(job *j)
{
    cli_people *d = &j->p.people;
    nep_ctx *ctx = cli_ctx(j->c);
    int64_t kept = 0, missing = 0, constant = 0;
    const int64_t n_cols = d->n_cols;
    bool *keep = NULL;
    if (d->columns)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, n_cols, sizeof *keep, "voxels that vary", &keep));
    for (int64_t v = 0; v < n_cols; v++) {
        keep[v] = varies(j, v, &missing, &constant);
        kept += keep[v];
    }
    for (int64_t i = 0, at = 0; i < j->p.n_people; i++)
        for (int64_t v = 0; v < n_cols; v++)
            if (keep[v])
                j->y[at++] = j->y[i * n_cols + v];
    for (int64_t v = 0, at = 0; v < n_cols; v++)
        if (keep[v])
            d->voxel[at++] = d->voxel[v];
    d->n_cols = kept;
    nep_alloc_free(keep);
    if (missing + constant > 0)
        nep_warn(ctx, "permute: of %lld voxels %lld have a missing value in somebody and %lld are the same in everybody; they are left out",
                 (long long)n_cols, (long long)missing, (long long)constant);
    NEP_REQUIRE(ctx, kept > 0, NEP_E_FORMAT, "permute: no voxel has a value in everybody that differs between people");
    return NEP_OK;
}

/* Numbers the words of column `block`; everybody who takes part needs one. */
static nep_status fill_blocks(job *j, const nep_table *t)
{
    nep_ctx *ctx = cli_ctx(j->c);
    int64_t id_col, col;
    NEP_TRY(nep_table_need(ctx, t, "participant_id", &id_col));
    NEP_TRY(nep_table_need(ctx, t, "block", &col));
    NEP_TRY(nep_alloc(ctx, j->p.n_people, sizeof *j->block, "blocks", &j->block));
    for (int64_t i = 0; i < j->p.n_people; i++) {
        const char *who = j->p.people.ids[j->row[i]], *own = NULL;
        int32_t first = -1;
        for (int64_t r = 0; r < t->n_rows; r++) {
            const char *id = nep_table_cell(t, r, id_col);
            if (!id || strcmp(id, who) != 0)
                continue;
            NEP_REQUIRE(ctx, !own, NEP_E_FORMAT, "%s: participant '%s' stands there twice", t->path, who);
            own = nep_table_cell(t, r, col);
            NEP_REQUIRE(ctx, own, NEP_E_FORMAT, "%s: participant '%s' has no block", t->path, who);
        }
        NEP_REQUIRE(ctx, own, NEP_E_FORMAT, "%s: participant '%s' is not in it: everybody needs a block", t->path, who);
        for (int64_t r = 0; r < t->n_rows && first < 0; r++)
            if (nep_table_cell(t, r, col) && strcmp(nep_table_cell(t, r, col), own) == 0)
                first = (int32_t)(r + 1);
        j->block[i] = first;
    }
    return NEP_OK;
}

static nep_status read_blocks(job *j)
{
    nep_table t = {0};
    nep_status st;
    if (!cli_given(j->c, "exchange"))
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_tsv_read(cli_ctx(j->c), cli_text(j->c, "exchange"), &t));
    NEP_TRY_OR_DONE(st, fill_blocks(j, &t));
    j->p.blocks = true;
done:
    nep_table_free(&t);
    return st;
}

static nep_status make_grid(job *j)
{
    const cli_people *d = &j->p.people;
    if (d->columns)
        return NEP_OK;
    NEP_TRY(nep_alloc(cli_ctx(j->c), nep_grid_voxels(&d->grid), sizeof *j->inside, "mask", &j->inside));
    for (int64_t k = 0; k < d->n_cols; k++)
        j->inside[d->voxel[k]] = true;
    j->dims[0] = d->grid.nx;
    j->dims[1] = d->grid.ny;
    j->dims[2] = d->grid.nz;
    j->p.o.dims = j->dims;
    j->p.o.inside = j->inside;
    return NEP_OK;
}

/* ---- testing ---- */

static nep_status checkpoint_name(const job *j, int k, char path[4096])
{
    const char *out = cli_out(j->c);
    NEP_REQUIRE(cli_ctx(j->c), snprintf(path, 4096, "%s_%s.checkpoint", out ? out : "", j->words.name[k]) < 4096, NEP_E_ARG,
                "the output's name is too long");
    return NEP_OK;
}

static nep_status test_one(job *j, int k)
{
    static const char *const shuffles[] = {"auto", "rows", "signs", "both"};
    const nep_glm_design *d = &j->p.design;
    const nep_glm_contrast *t = &j->p.contrasts[k];
    const bool f = t->f || t->rows > 1;
    nep_permute_opts o = j->p.o;
    char path[4096];
    nep_permute_model m = {.n = d->n, .p = d->p, .x = d->x, .columns = d->names, .contrast = t->name, .rows = t->rows, .f = t->f,
                           .weight = t->weight, .block = j->block, .whole = j->p.whole};
    for (int s = 0; s < NEP_LEN(shuffles); s++)
        if (strcmp(cli_text(j->c, "shuffle"), shuffles[s]) == 0)
            m.shuffle = (nep_permute_shuffle)s;
    o.forming = cli_given(j->c, "cluster-threshold")
                    ? cli_real(j->c, "cluster-threshold")
                    : nep_permute_quantile(cli_real(j->c, "cluster-p"), f ? t->rows : 0, (double)(d->n - d->p), o.positive);
    if (!isfinite(o.forming)) /* too few rows for a degree of freedom: the test says so */
        o.forming = 0;
    NEP_TRY(checkpoint_name(j, k, path));
    o.checkpoint = cli_out(j->c) ? path : NULL;
    j->p.forming[k] = o.forming;
    NEP_TRY(nep_permute_run(cli_ctx(j->c), j->y, j->p.people.n_cols, &m, &o, &j->p.r[k]));
    cli_permute_result_say(j->c, &j->p, k);
    return NEP_OK;
}

static nep_status test_all(job *j)
{
    nep_ctx *ctx = cli_ctx(j->c);
    char where[4300];
    snprintf(where, sizeof where, "the design '%.4000s'", j->design.header ? j->design.path : "of the mean");
    NEP_TRY(cli_glm_contrasts(ctx, &j->words, &j->p.design, where, &j->p.contrasts));
    j->p.n = j->words.n;
    j->p.formula = j->words.formula;
    NEP_TRY(nep_alloc(ctx, j->p.n, sizeof *j->p.r, "permute: results", &j->p.r));
    NEP_TRY(nep_alloc(ctx, j->p.n, sizeof *j->p.forming, "permute: thresholds", &j->p.forming));
    for (int k = 0; k < j->p.n; k++)
        NEP_TRY(test_one(j, k));
    return NEP_OK;
}

/* ---- the whole ---- */

static nep_status plan(job *j)
{
    const char *outputs[] = {cli_out(j->c) ? cli_out(j->c) : "standard output"};
    const int64_t n = j->p.design.n, v = j->p.people.n_cols, shuffles = j->p.o.n_perm * j->words.n;
    const bool maps = j->p.o.statistics & ~(unsigned)NEP_PERMUTE_MAX_T;
    const double each = (double)n * (double)v * 2.0 * 2e-11 + (maps ? (double)v * 3e-7 : 0.0);
    return cli_plan(j->c, v, n * v * 12 + (maps ? 64 : 10) * v * 8, each * (double)shuffles, outputs, 1);
}

static nep_status run(cli *c)
{
    job j = {.c = c};
    nep_status st;
    NEP_TRY_OR_DONE(st, read_options(&j));
    NEP_TRY_OR_DONE(st, read_people(&j));
    NEP_TRY_OR_DONE(st, make_design(&j));
    NEP_TRY_OR_DONE(st, drop_voxels(&j));
    NEP_TRY_OR_DONE(st, read_blocks(&j));
    NEP_TRY_OR_DONE(st, make_grid(&j));
    if (cli_dry_run(c)) {
        st = plan(&j);
        goto done;
    }
    NEP_TRY_OR_DONE(st, test_all(&j));
    NEP_TRY_OR_DONE(st, cli_permute_result_write(c, &j.p));
    for (int k = 0; cli_out(c) && k < j.words.n; k++) {
        char path[4096];
        NEP_TRY_OR_DONE(st, checkpoint_name(&j, k, path));
        unlink(path); /* there is none after a short test */
    }
done:
    job_free(&j);
    return st;
}

const cli_command cli_cmd_permute = {
    .name = "permute",
    .group = "Imaging",
    .summary = "permutation inference of a linear model: largest statistics, clusters, TFCE, FWE and FDR",
    .inputs = "IMAGE...|TABLE",
    .min_inputs = 1,
    .max_inputs = -1,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe permute sub-*_alff.nii.gz --design people.tsv --contrast illness='group=patient - group=control' --statistic tfce -o illness",
};
