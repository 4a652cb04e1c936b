/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe pick - rows of an index that lie far apart (MaxMin). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/index_options.h"
#include "cli/pairs.h"

static const cli_option options[] = {
    {"n", 'n', CLI_INT, "N", NULL, NULL, "rows to pick, the first ones included"},
    {"first", 0, CLI_TEXTS, "IDS", NULL, NULL, "ids of rows picked beforehand; default: one row drawn by --seed"},
    {"first-row", 0, CLI_TEXTS, "ROWS", NULL, NULL, "the same by row number, from 0"},
    {"threshold", 0, CLI_TEXT, "D", NULL, NULL, "stop when every row left is nearer than distance D to a pick (distance: 1 - score; l2: as it is)"},
    CLI_PAIRS_METRIC,
};

typedef struct {
    cli *c;
    nep_index index;
    nep_maxmin_opts opts;
    int64_t *first; /* positions */
    nep_picks picks;
} job;

/* Positions of the rows that --first and --first-row name; one pass over the index. */
static nep_status find_first(job *j)
{
    nep_ctx *ctx = cli_ctx(j->c);
    int n_ids = 0, n_rows = 0;
    const char *const *ids = cli_texts(j->c, "first", &n_ids), *const *rows = cli_texts(j->c, "first-row", &n_rows);
    char id[CLI_PAIRS_ID];
    j->opts.n_first = n_ids + n_rows;
    NEP_TRY(nep_alloc(ctx, j->opts.n_first, sizeof *j->first, "first rows", &j->first));
    j->opts.first = j->first;
    for (int64_t k = 0; k < j->opts.n_first; k++)
        j->first[k] = -1;
    for (int k = 0; k < n_rows; k++) {
        char *end = NULL;
        const long long row = strtoll(rows[k], &end, 10);
        NEP_REQUIRE(ctx, *end == '\0' && row >= 0 && row < j->index.n, NEP_E_ARG, "--first-row: '%s' is no row from 0 to %lld", rows[k],
                    (long long)j->index.n - 1);
        for (int64_t p = 0; p < j->index.n && j->first[n_ids + k] < 0; p++)
            j->first[n_ids + k] = nep_index_number(&j->index, p) == row ? p : -1;
    }
    for (int64_t p = 0; p < j->index.n && n_ids > 0; p++) {
        const char *name = nep_index_id(&j->index, p, id, sizeof id);
        for (int k = 0; k < n_ids; k++) {
            if (strcmp(name, ids[k]) != 0)
                continue;
            NEP_REQUIRE(ctx, j->first[k] < 0, NEP_E_ARG, "--first: rows %lld and %lld are both called '%s'; say which with --first-row",
                        (long long)nep_index_number(&j->index, j->first[k]), (long long)nep_index_number(&j->index, p), ids[k]);
            j->first[k] = p;
        }
    }
    for (int k = 0; k < n_ids; k++)
        NEP_REQUIRE(ctx, j->first[k] >= 0, NEP_E_ARG, "--first: no row of the index is called '%s'", ids[k]);
    return NEP_OK;
}

static nep_status read_options(job *j, const nep_search_opts *s)
{
    cli *c = j->c;
    nep_ctx *ctx = cli_ctx(c);
    NEP_REQUIRE(ctx, cli_given(c, "n"), NEP_E_USAGE, "say how many rows with --n N");
    NEP_REQUIRE(ctx, cli_int(c, "n") >= 1, NEP_E_ARG, "--n: at least 1 row, not %lld", (long long)cli_int(c, "n"));
    j->opts = (nep_maxmin_opts){.metric = s->metric, .alpha = s->alpha, .beta = s->beta, .n = cli_int(c, "n"), .by_distance = cli_given(c, "threshold")};
    if (j->opts.by_distance)
        NEP_TRY(cli_index_decimal(c, "threshold", false, &j->opts.distance));
    NEP_TRY(find_first(j));
    if (j->opts.n > j->index.n)
        nep_warn(ctx, "pick: %lld rows are wanted and the index has %lld; all are picked", (long long)j->opts.n, (long long)j->index.n);
    return NEP_OK;
}

static nep_status write_rows(const job *j, nep_file *f)
{
    const nep_picks *p = &j->picks;
    char id[CLI_PAIRS_ID];
    NEP_TRY(nep_file_printf(f, "pick\trow\tid\tdistance_to_nearest_pick\tnearest_pick\n"));
    for (int64_t i = 0; i < p->n; i++) {
        NEP_TRY(nep_file_printf(f, "%lld\t%lld\t%s\t", (long long)i + 1, (long long)nep_index_number(&j->index, p->position[i]),
                                nep_index_id(&j->index, p->position[i], id, sizeof id)));
        NEP_TRY(p->nearest[i] < 0 ? nep_file_printf(f, "n/a\tn/a\n")
                                  : nep_file_printf(f, "%.9g\t%lld\n", p->distance[i], (long long)p->nearest[i] + 1));
    }
    return NEP_OK;
}

static nep_status write_table(nep_ctx *ctx, const char *path, void *user)
{
    nep_file *f = NULL;
    NEP_TRY(nep_file_create(ctx, path, &f));
    const nep_status st = write_rows(user, f);
    if (st == NEP_OK)
        return nep_file_commit(f);
    nep_file_abort(f);
    return st;
}

static json_t *summary(const job *j)
{
    return json_pack("{s:I,s:I,s:o,s:s}", "rows", (json_int_t)j->index.n, "picks", (json_int_t)j->picks.n, "least_distance",
                     cli_number(j->picks.distance[j->picks.n - 1]), "metric", cli_index_metric_name(j->opts.metric));
}

static json_t *document(const job *j)
{
    const nep_picks *p = &j->picks;
    char id[CLI_PAIRS_ID];
    json_t *all = json_array();
    for (int64_t i = 0; i < p->n; i++)
        json_array_append_new(all, json_pack("{s:I,s:s,s:o,s:o}", "row", (json_int_t)nep_index_number(&j->index, p->position[i]), "id",
                                             nep_index_id(&j->index, p->position[i], id, sizeof id), "distance_to_nearest_pick",
                                             cli_number(p->distance[i]), "nearest_pick", p->nearest[i] < 0 ? json_null() : json_integer(p->nearest[i] + 1)));
    return json_pack("{s:o,s:o,s:o}", "picks", all, "summary", summary(j), "provenance", cli_provenance(j->c, NULL));
}

static nep_status run(cli *c)
{
    job j = {.c = c};
    nep_search_opts s = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_pairs_open(c, &j.index, &s));
    NEP_TRY_OR_DONE(st, read_options(&j, &s));
    if (cli_dry_run(c)) {
        const char *out[] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, j.opts.n < j.index.n ? j.opts.n : j.index.n, 20 * j.index.n, (double)NAN, out, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_maxmin_pick(cli_ctx(c), &j.index, &j.opts, &j.picks));
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_table, &j, NULL, json_pack("{s:o}", "Picks", summary(&j))));
    st = cli_json(c) ? cli_document(c, document(&j)) : NEP_OK;
done:
    nep_maxmin_free(&j.picks);
    nep_alloc_free(j.first);
    nep_index_free(&j.index);
    return st;
}

const cli_command cli_cmd_pick = {
    .name = "pick",
    .group = "Maps and molecules",
    .summary = "rows of an index that lie far apart (MaxMin)",
    .inputs = "INDEX",
    .min_inputs = 1,
    .max_inputs = 1,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe pick drugs.nepx --n 100 --first DB00334 -o diverse.tsv",
};
