/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe permute - permutation inference of a linear model of people, per voxel of images or per region of a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/images.h"
#include "cli/permute_run.h"

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

/* ---- options ---- */

static nep_status read_options(cli_permute *j)
{
    cli *c = j->c;
    nep_ctx *ctx = cli_ctx(c);
    nep_permute_opts *o = &j->p.o;
    NEP_TRY(cli_glm_words_read(c, cli_given(c, "design") ? NULL : "mean=intercept", &j->words));
    NEP_TRY(cli_permute_options(j, cli_int(c, "n")));
    o->connectivity = atoi(cli_text(c, "connectivity"));
    o->tfce_e = cli_real(c, "extent");
    o->tfce_h = cli_real(c, "height");
    o->resume = cli_flag(c, "resume");
    NEP_REQUIRE(ctx, !o->resume || cli_out(c), NEP_E_USAGE, "--resume needs the -o of the run that was interrupted");
    NEP_REQUIRE(ctx, snprintf(j->prefix, sizeof j->prefix, "%s", cli_out(c) ? cli_out(c) : "") < (int)sizeof j->prefix, NEP_E_ARG,
                "the output's name is too long");
    j->p.yekutieli = strcmp(cli_text(c, "fdr"), "by") == 0;
    if (cli_given(c, "design"))
        NEP_TRY(nep_tsv_read(ctx, cli_text(c, "design"), &j->design));
    return NEP_OK;
}

static nep_permute_shuffle chosen_shuffle(cli *c)
{
    static const char *const shuffles[] = {"auto", "rows", "signs", "both"};
    int s = NEP_LEN(shuffles) - 1;
    while (s > 0 && strcmp(cli_text(c, "shuffle"), shuffles[s]) != 0)
        s--;
    return (nep_permute_shuffle)s;
}

/* ---- people ---- */

/* Participants of the design, or numbers without one. */
static nep_status stack_ids(cli_permute *j, int64_t n_volumes, char ***ids, int64_t *n)
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

static nep_status read_people(cli_permute *j)
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

/* ---- the whole ---- */

static nep_status plan(cli_permute *j)
{
    const char *outputs[] = {cli_out(j->c) ? cli_out(j->c) : "standard output"};
    const int64_t n = j->p.design.n, v = j->p.people.n_cols, shuffles = j->p.o.n_perm * j->words.n;
    const bool maps = j->p.o.statistics & ~(unsigned)NEP_PERMUTE_MAX_T;
    const double each = (double)n * (double)v * 2.0 * 2e-11 + (maps ? (double)v * 3e-7 : 0.0);
    return cli_plan(j->c, v, n * v * 12 + (maps ? 64 : 10) * v * 8, each * (double)shuffles, outputs, 1);
}

static nep_status run(cli *c)
{
    cli_permute j = {.c = c};
    nep_status st;
    NEP_TRY_OR_DONE(st, read_options(&j));
    NEP_TRY_OR_DONE(st, read_people(&j));
    NEP_TRY_OR_DONE(st, cli_permute_prepare(&j));
    if (cli_dry_run(c)) {
        st = plan(&j);
        goto done;
    }
    NEP_TRY_OR_DONE(st, cli_permute_test(&j, cli_real(c, "cluster-threshold"), chosen_shuffle(c)));
    NEP_TRY_OR_DONE(st, cli_permute_result_write(c, &j.p));
    st = cli_permute_clear(&j);
done:
    cli_permute_free(&j);
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
