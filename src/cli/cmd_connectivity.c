/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe connectivity - region by region matrices of one or many regional series. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <nepenthe/imaging.h>
#include <nepenthe/io.h>

#include "cli/cli.h"

static const cli_option options[] = {
    {"kind", 'k', CLI_CHOICE, "KIND", "pearson", "pearson|partial|covariance|precision|tangent", "covariance divides by the number of frames; partial and precision are of its inverse; tangent is each series seen from the geometric mean of all"},
    {"shrinkage", 's', CLI_CHOICE, "HOW", "none", "none|ledoit-wolf", "towards equal variances without covariance, by as much as the frames ask for"},
    {"fisher-z", 'z', CLI_FLAG, NULL, NULL, NULL, "atanh of the correlations; the diagonal becomes n/a"},
};

typedef struct {
    nep_series series;
    double *matrix;
    double shrinkage; /* what was taken, NaN = not asked for */
} job;

static bool is_tangent(const cli *c)
{
    return strcmp(cli_text(c, "kind"), "tangent") == 0;
}

static nep_connectivity_kind kind_of(const cli *c)
{
    static const char *const names[] = {"pearson", "partial", "covariance", "precision"};
    int k = 0;
    if (is_tangent(c))
        return NEP_CONNECTIVITY_COVARIANCE;
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
    j->shrinkage = (double)NAN;
    if (strcmp(cli_text(c, "shrinkage"), "none") != 0)
        return nep_connectivity_ledoit_wolf(ctx, j->series.data, j->series.n_t, j->series.n_cols, kind_of(c), cli_flag(c, "fisher-z"),
                                            &j->shrinkage, j->matrix);
    return nep_connectivity(ctx, j->series.data, j->series.n_t, j->series.n_cols, kind_of(c), cli_flag(c, "fisher-z"), j->matrix);
}

static nep_status write_matrix(nep_ctx *ctx, const char *path, void *user)
{
    const job *j = user;
    return nep_tsv_write_matrix(ctx, path, "Node", j->series.names, j->series.names, j->series.n_cols, j->series.n_cols, j->matrix);
}

static json_t *facts(const cli *c, const job *j)
{
    return json_pack("{s:s,s:b,s:b,s:b,s:b,s:I,s:s,s:o}", "Measure", cli_text(c, "kind"), "FisherZ", cli_flag(c, "fisher-z"), "Weighted", 1, "Directed", 0,
                     "ValidDiagonal", !cli_flag(c, "fisher-z"), "NumberOfVolumes", (json_int_t)j->series.n_t, "Shrinkage", cli_text(c, "shrinkage"),
                     "ShrinkageIntensity", cli_number(j->shrinkage));
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

/* The columns of a series must be those of the first, in any order: at[i] is where region i of the first stands. */
static nep_status match(cli *c, const char *path, const nep_series *first, const nep_series *s, int64_t *at)
{
    nep_ctx *ctx = cli_ctx(c);
    if (s->n_cols != first->n_cols)
        return nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "%s: %lld regions where '%s' has %lld; tangent compares series of the same regions",
                                 path, (long long)s->n_cols, cli_input(c, 0), (long long)first->n_cols);
    for (int64_t i = 0; i < first->n_cols; i++) {
        at[i] = 0;
        while (at[i] < s->n_cols && strcmp(s->names[at[i]], first->names[i]) != 0)
            at[i]++;
        if (at[i] == s->n_cols)
            return nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "%s: no region '%s', which '%s' has; tangent compares series of the same regions",
                                     path, first->names[i], cli_input(c, 0));
    }
    return NEP_OK;
}

typedef struct {
    job first; /* names; its matrix is written */
    int64_t *at, *n_t;
    double *c, *out, *mean, *shrinkage;
} group;

static void group_free(group *g)
{
    job_free(&g->first);
    nep_alloc_free(g->at);
    nep_alloc_free(g->n_t);
    nep_alloc_free(g->c);
    nep_alloc_free(g->out);
    nep_alloc_free(g->mean);
    nep_alloc_free(g->shrinkage);
}

static nep_status group_read(cli *c, group *g)
{
    nep_ctx *ctx = cli_ctx(c);
    const int n = cli_input_count(c);
    job j = {0};
    nep_status st;
    NEP_TRY(measure(c, cli_input(c, 0), &g->first));
    const int64_t p = g->first.series.n_cols, pp = p * p;
    NEP_TRY(nep_alloc(ctx, p, sizeof *g->at, "regions", &g->at));
    NEP_TRY(nep_alloc(ctx, n, sizeof *g->n_t, "series", &g->n_t));
    NEP_TRY(nep_alloc(ctx, n, sizeof *g->shrinkage, "series", &g->shrinkage));
    NEP_TRY(nep_alloc(ctx, n * pp, sizeof *g->c, "covariances", &g->c));
    NEP_TRY(nep_alloc(ctx, n * pp, sizeof *g->out, "tangent matrices", &g->out));
    NEP_TRY(nep_alloc(ctx, pp, sizeof *g->mean, "geometric mean", &g->mean));
    for (int r = 0; r < n; r++) {
        NEP_TRY_OR_DONE(st, measure(c, cli_input(c, r), &j));
        NEP_TRY_OR_DONE(st, match(c, cli_input(c, r), &g->first.series, &j.series, g->at));
        for (int64_t i = 0; i < p; i++)
            for (int64_t k = 0; k < p; k++)
                g->c[r * pp + i * p + k] = j.matrix[g->at[i] * p + g->at[k]];
        g->n_t[r] = j.series.n_t;
        g->shrinkage[r] = j.shrinkage;
        job_free(&j);
        j = (job){0};
    }
    return nep_connectivity_tangent(ctx, g->c, n, p, g->mean, g->out);
done:
    job_free(&j);
    return st;
}

static nep_status group_write(cli *c, group *g, const char *path, const double *matrix, int r)
{
    const int64_t pp = g->first.series.n_cols * g->first.series.n_cols;
    memcpy(g->first.matrix, matrix, (size_t)pp * sizeof *matrix);
    g->first.shrinkage = r < 0 ? (double)NAN : g->shrinkage[r];
    g->first.series.n_t = r < 0 ? 0 : g->n_t[r];
    NEP_TRY(write_matrix(cli_ctx(c), path, &g->first));
    json_t *says = facts(c, &g->first);
    if (r < 0) {
        json_object_set_new(says, "Measure", json_string("geometric mean of covariances"));
        json_object_set_new(says, "NumberOfSeries", json_integer(cli_input_count(c)));
        json_object_del(says, "NumberOfVolumes");
    }
    return cli_sidecar(c, path, NULL, says);
}

/* All series together: nothing is written unless every one of them can be. */
static nep_status run_tangent(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const int n = cli_input_count(c);
    group g = {0};
    char **names = NULL;
    nep_status st;
    NEP_REQUIRE_OR_DONE(st, ctx, n > 1, NEP_E_USAGE, "--kind tangent needs several series: each is seen from their mean");
    NEP_REQUIRE_OR_DONE(st, ctx, cli_out(c), NEP_E_USAGE, "--kind tangent needs -o FOLDER: each series gets <name>_relmat.tsv there, their mean group_desc-mean_relmat.tsv");
    NEP_REQUIRE_OR_DONE(st, ctx, !cli_flag(c, "fisher-z"), NEP_E_ARG, "--fisher-z is for correlations (pearson or partial)");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n + 1, sizeof *names, "output names", &names));
    NEP_TRY_OR_DONE(st, nep_file_join(ctx, cli_out(c), "group_desc-mean_relmat.tsv", &names[n]));
    for (int r = 0; r < n; r++) {
        NEP_TRY_OR_DONE(st, output_name(ctx, cli_out(c), cli_input(c, r), &names[r]));
        for (int k = 0; k < r; k++)
            NEP_REQUIRE_OR_DONE(st, ctx, strcmp(names[k], names[r]) != 0, NEP_E_ARG, "'%s' and '%s' would both be written to '%s'",
                                cli_input(c, r), cli_input(c, k), names[r]);
    }
    NEP_TRY_OR_DONE(st, group_read(c, &g));
    NEP_TRY_OR_DONE(st, nep_file_folder(ctx, cli_out(c)));
    const int64_t pp = g.first.series.n_cols * g.first.series.n_cols;
    for (int r = 0; r < n; r++)
        NEP_TRY_OR_DONE(st, group_write(c, &g, names[r], g.out + r * pp, r));
    NEP_TRY_OR_DONE(st, group_write(c, &g, names[n], g.mean, -1));
    st = cli_document(c, json_pack("{s:i,s:[]}", "done", n, "failures"));
done:
    for (int i = 0; names && i <= n; i++)
        nep_alloc_free(names[i]);
    nep_alloc_free(names);
    group_free(&g);
    return st;
}

static nep_status run(cli *c)
{
    if (cli_dry_run(c)) {
        const char *outputs[] = {cli_out(c) ? cli_out(c) : "standard output"};
        return cli_plan(c, cli_input_count(c), 1 << 26, cli_input_count(c) * 0.2, outputs, 1);
    }
    if (is_tangent(c))
        return run_tangent(c);
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
