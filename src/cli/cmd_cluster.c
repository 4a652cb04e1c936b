/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe cluster - Butina clusters of the rows of an index. */
#include <math.h>

#include "cli/index_options.h"
#include "cli/pairs.h"

static const cli_option options[] = {
    {"threshold", 0, CLI_TEXT, "T", NULL, NULL, "rows are neighbours at score T or above (l2: distance T or below)"},
    CLI_PAIRS_METRIC,
    {"reordering", 0, CLI_FLAG, NULL, NULL, NULL, "count only neighbours that no earlier cluster took when the next centroid is chosen"},
    {"no-sketch", 0, CLI_FLAG, NULL, NULL, NULL, "bits: compare whole rows where a sketch of them would do; the answer is the same"},
};

typedef struct {
    cli *c;
    nep_index index;
    nep_search_opts opts;
    nep_clusters clusters;
} job;

static nep_status write_rows(const job *j, nep_file *f)
{
    const nep_clusters *k = &j->clusters;
    char id[CLI_PAIRS_ID];
    NEP_TRY(nep_file_printf(f, "cluster\trank_in_cluster\trow\tid\tis_centroid\tscore_to_centroid\n"));
    for (int64_t m = 0; m < k->n_clusters; m++)
        for (int64_t i = k->start[m]; i < k->start[m + 1]; i++)
            NEP_TRY(nep_file_printf(f, "%lld\t%lld\t%lld\t%s\t%d\t%.9g\n", (long long)m + 1, (long long)(i - k->start[m]) + 1,
                                    (long long)nep_index_number(&j->index, k->position[i]), nep_index_id(&j->index, k->position[i], id, sizeof id),
                                    i == k->start[m], k->score[i]));
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
    const nep_clusters *k = &j->clusters;
    int64_t most = 0;
    for (int64_t m = 0; m < k->n_clusters; m++)
        most = k->start[m + 1] - k->start[m] > most ? k->start[m + 1] - k->start[m] : most;
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:b}", "rows", (json_int_t)k->n, "pairs", (json_int_t)k->n_pairs, "clusters",
                     (json_int_t)k->n_clusters, "largest", (json_int_t)most, "single", (json_int_t)k->n_single, "single_with_neighbours",
                     (json_int_t)k->n_orphans, "metric", cli_index_metric_name(j->opts.metric), "reordering", cli_flag(j->c, "reordering"));
}

static json_t *document(const job *j)
{
    const nep_clusters *k = &j->clusters;
    char id[CLI_PAIRS_ID];
    json_t *all = json_array();
    for (int64_t m = 0; m < k->n_clusters; m++) {
        json_t *rows = json_array();
        for (int64_t i = k->start[m]; i < k->start[m + 1]; i++)
            json_array_append_new(rows, json_pack("{s:I,s:s,s:f}", "row", (json_int_t)nep_index_number(&j->index, k->position[i]), "id",
                                                  nep_index_id(&j->index, k->position[i], id, sizeof id), "score_to_centroid", k->score[i]));
        json_array_append_new(all, rows);
    }
    return json_pack("{s:o,s:o,s:o}", "clusters", all, "summary", summary(j), "provenance", cli_provenance(j->c, NULL));
}

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    job j = {.c = c};
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_pairs_open(c, &j.index, &j.opts));
    NEP_REQUIRE_OR_DONE(st, ctx, cli_given(c, "threshold"), NEP_E_USAGE, "give --threshold T");
    NEP_TRY_OR_DONE(st, cli_index_decimal(c, "threshold", j.index.kind == NEP_INDEX_VECTORS, &j.opts.threshold));
    j.opts.by_threshold = true;
    j.opts.no_sketch = cli_flag(c, "no-sketch");
    if (cli_dry_run(c)) {
        const char *out[] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, j.index.n, ((int64_t)16 << 20) + 64 * j.index.n, (double)NAN, out, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_butina_cluster(ctx, &j.index, &j.opts, cli_flag(c, "reordering"), &j.clusters));
    if (cli_out(c) || !cli_json(c))
        NEP_TRY_OR_DONE(st, cli_emit(c, write_table, &j, NULL, json_pack("{s:o}", "Clusters", summary(&j))));
    st = cli_json(c) ? cli_document(c, document(&j)) : NEP_OK;
    if (st == NEP_OK)
        cli_say(c, "cluster: %lld rows in %lld clusters, %lld of one row", (long long)j.clusters.n, (long long)j.clusters.n_clusters,
                (long long)j.clusters.n_single);
done:
    nep_butina_free(&j.clusters);
    nep_index_free(&j.index);
    return st;
}

const cli_command cli_cmd_cluster = {
    .name = "cluster",
    .group = "Maps and molecules",
    .summary = "Butina clusters of the rows of an index",
    .inputs = "INDEX",
    .min_inputs = 1,
    .max_inputs = 1,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe cluster drugs.nepx --threshold 0.5 -o clusters.tsv",
};
