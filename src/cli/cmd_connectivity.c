/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe connectivity - region by region matrices of one or many regional series. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <nepenthe/imaging.h>
#include <nepenthe/io.h>

#include "cli/cli.h"

static const cli_option options[] = {
    {"kind", 'k', CLI_CHOICE, "KIND", "pearson", "pearson|partial|covariance|precision", "covariance divides by the number of frames; partial and precision are of its inverse"},
    {"fisher-z", 'z', CLI_FLAG, NULL, NULL, NULL, "atanh of the correlations; the diagonal becomes n/a"},
};

typedef struct {
    nep_series series;
    double *matrix;
} job;

static nep_connectivity_kind kind_of(const cli *c)
{
    static const char *const names[] = {"pearson", "partial", "covariance", "precision"};
    int k = 0;
    while (strcmp(names[k], cli_text(c, "kind")) != 0)
        k++;
    return (nep_connectivity_kind)k;
}

static void job_free(job *j)
{
    nep_series_free(&j->series);
    nep_alloc_free(j->matrix);
    j->matrix = NULL;
}

static nep_status measure(cli *c, const char *path, job *j)
{
    nep_ctx *ctx = cli_ctx(c);
    NEP_TRY(nep_tsv_read_series(ctx, path, &j->series));
    NEP_TRY(nep_alloc(ctx, j->series.n_cols * j->series.n_cols, sizeof *j->matrix, "connectivity", &j->matrix));
    return nep_connectivity(ctx, j->series.data, j->series.n_t, j->series.n_cols, kind_of(c), cli_flag(c, "fisher-z"), j->matrix);
}

static nep_status write_matrix(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_tsv_write_matrix(ctx, path, "Node", j->series.names, j->series.names, j->series.n_cols, j->series.n_cols, j->matrix);
}

static json_t *facts(const cli *c, const job *j)
{
    return json_pack("{s:s,s:b,s:b,s:b,s:b,s:I}", "Measure", cli_text(c, "kind"), "FisherZ", cli_flag(c, "fisher-z"), "Weighted", 1, "Directed", 0,
                     "ValidDiagonal", !cli_flag(c, "fisher-z"), "NumberOfVolumes", (json_int_t)j->series.n_t);
}

static json_t *document(const cli *c, const job *j)
{
    json_t *doc = facts(c, j), *names = json_array(), *rows = json_array();
    const int64_t n = j->series.n_cols;
    for (int64_t i = 0; i < n; i++) {
        json_t *row = json_array();
        for (int64_t k = 0; k < n; k++)
            json_array_append_new(row, cli_number(j->matrix[i * n + k]));
        json_array_append_new(rows, row);
        json_array_append_new(names, json_string(j->series.names[i]));
    }
    json_object_set_new(doc, "nodes", names);
    json_object_set_new(doc, "matrix", rows);
    return doc;
}

static nep_status run_one(cli *c)
{
    job j = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, measure(c, cli_input(c, 0), &j));
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_matrix, &j, NULL, facts(c, &j)));
    if (cli_json(c))
        st = cli_document(c, document(c, &j));
done:
    job_free(&j);
    return st;
}

/* <folder>/<name without .tsv and _timeseries>_relmat.tsv */
static nep_status output_name(nep_ctx *ctx, const char *folder, const char *input, char **out)
{
    static const char *const endings[] = {".tsv.gz", ".tsv", ".csv", "_timeseries"};
    const char *slash = strrchr(input, '/');
    char name[1024];
    const int n = snprintf(name, sizeof name - 16, "%s", slash ? slash + 1 : input);
    NEP_REQUIRE(ctx, n < (int)sizeof name - 16, NEP_E_ARG, "'%s': the name is too long", input);
    for (int i = 0; i < NEP_LEN(endings); i++) {
        const size_t have = strlen(name), end = strlen(endings[i]);
        if (have > end && strcmp(name + have - end, endings[i]) == 0)
            name[have - end] = '\0';
    }
    strcat(name, "_relmat.tsv");
    return nep_file_join(ctx, folder, name, out);
}

static nep_status one_of_many(cli *c, const char *input, char *const *before, int n_before, const char *path)
{
    job j = {0};
    nep_status st;
    for (int k = 0; k < n_before; k++)
        NEP_REQUIRE(cli_ctx(c), !before[k] || strcmp(before[k], path) != 0, NEP_E_ARG, "'%s' and '%s' would both be written to '%s'", input,
                    cli_input(c, k), path);
    NEP_TRY_OR_DONE(st, measure(c, input, &j));
    NEP_TRY_OR_DONE(st, write_matrix(cli_ctx(c), path, &j));
    st = cli_sidecar(c, path, NULL, facts(c, &j));
done:
    job_free(&j);
    return st;
}

/* Every series on its own: one that fails is named and the rest goes on. */
static nep_status run_many(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const int n = cli_input_count(c);
    int failed = 0;
    char **names = NULL;
    json_t *failures = json_array();
    nep_status st;
    NEP_REQUIRE_OR_DONE(st, ctx, cli_out(c), NEP_E_USAGE, "%d series need -o FOLDER: each gets <name>_relmat.tsv there", n);
    NEP_TRY_OR_DONE(st, nep_file_folder(ctx, cli_out(c)));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *names, "output names", &names));
    nep_progress_open(ctx, "series", n);
    for (int i = 0; i < n; i++) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, output_name(ctx, cli_out(c), cli_input(c, i), &names[i]));
        if (one_of_many(c, cli_input(c, i), names, i, names[i]) != NEP_OK) {
            cli_say(c, "failed: %s: %s", cli_input(c, i), nep_ctx_error(ctx));
            json_array_append_new(failures, json_pack("{s:s,s:s}", "input", cli_input(c, i), "message", nep_ctx_error(ctx)));
            nep_ctx_clear(ctx);
            failed++;
        }
        nep_progress_step(ctx, i + 1);
    }
    st = cli_document(c, json_pack("{s:i,s:O}", "done", n - failed, "failures", failures));
    if (st == NEP_OK && failed)
        st = nep_ctx_fail(ctx, NEP_E_PARTIAL, "%d of %d series failed", failed, n);
done:
    nep_progress_close(ctx);
    json_decref(failures);
    for (int i = 0; names && i < n; i++)
        nep_alloc_free(names[i]);
    nep_alloc_free(names);
    return st;
}

static nep_status run(cli *c)
{
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        return cli_plan(c, cli_input_count(c), 1 << 26, cli_input_count(c) * 0.2, outputs, 1);
    }
    return cli_input_count(c) == 1 ? run_one(c) : run_many(c);
}

const cli_command cli_cmd_connectivity = {.name = "connectivity",
                                          .group = "Imaging",
                                          .summary = "region by region matrices of regional series",
                                          .inputs = "SERIES...",
                                          .min_inputs = 1,
                                          .max_inputs = -1,
                                          .inputs_are_files = true,
                                          .options = options,
                                          .n_options = NEP_LEN(options),
                                          .run = run,
                                          .example = "nepenthe connectivity clean.tsv --kind pearson --fisher-z -o relmat.tsv"};
