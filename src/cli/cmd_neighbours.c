/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe neighbours - all pairs of an index at or above a threshold, or the nearest rows of each. */
#include <inttypes.h>
#include <math.h>

#include "cli/index_options.h"
#include "cli/pairs.h"

static const cli_option options[] = {
    {"top", 0, CLI_INT, "K", NULL, NULL, "the K nearest other rows of each row, best first; or"},
    {"threshold", 0, CLI_TEXT, "T", NULL, NULL, "pairs with score T or above (l2: distance T or below), each once, in the order of the index (bits: fewest bits first); with --top: neighbours of that kind alone"},
    CLI_PAIRS_METRIC,
    {"no-sketch", 0, CLI_FLAG, NULL, NULL, NULL, "bits: compare whole rows where a sketch of them would do; the answer is the same"},
    {"shard", 0, CLI_TEXT, "I/N", NULL, NULL, "write part I of N, for `merge`"},
};

typedef struct {
    cli *c;
    nep_index index;
    nep_search_opts opts;
    int64_t shard, n_shards; /* 0, 0: all */
    int64_t first, last;
    cli_neighbours table;
    nep_search_report report;
    json_t *says; /* of the table, for the file beside it; filled when all rows are written; lent */
} job;

static nep_status read_shard(job *j)
{
    int64_t shard;
    j->last = j->index.n;
    NEP_TRY(cli_shard(j->c, &shard, &j->n_shards));
    if (j->n_shards == 0)
        return NEP_OK;
    NEP_REQUIRE(cli_ctx(j->c), cli_out(j->c), NEP_E_USAGE, "--shard writes a part of the table; name its file with -o");
    j->shard = shard - 1;
    return nep_pairs_shard(cli_ctx(j->c), j->index.n, j->shard, j->n_shards, j->opts.k == 0, &j->first, &j->last);
}

static nep_status read_options(job *j)
{
    cli *c = j->c;
    nep_ctx *ctx = cli_ctx(c);
    const bool top = cli_given(c, "top"), threshold = cli_given(c, "threshold");
    NEP_REQUIRE(ctx, top || threshold, NEP_E_USAGE, "give --top K or --threshold T");
    NEP_REQUIRE(ctx, !top || cli_int(c, "top") >= 1, NEP_E_ARG, "--top: at least 1 neighbour, not %lld", (long long)cli_int(c, "top"));
    j->opts.k = top ? cli_int(c, "top") : 0;
    j->opts.by_threshold = threshold;
    j->opts.no_sketch = cli_flag(c, "no-sketch");
    if (threshold)
        NEP_TRY(cli_index_decimal(c, "threshold", j->index.kind == NEP_INDEX_VECTORS, &j->opts.threshold));
    return read_shard(j);
}

static json_t *decimal(const nep_decimal *d)
{
    return json_pack("[I,I]", (json_int_t)d->num, (json_int_t)d->den);
}

/* What the table is of: the same in all parts. */
static json_t *facts(const job *j)
{
    char content[17];
    snprintf(content, sizeof content, "%016" PRIx64, j->index.content);
    return json_pack("{s:s,s:I,s:s,s:s,s:I,s:o,s:o,s:o,s:s}", "content", content, "rows", (json_int_t)j->index.n, "kind",
                     j->index.kind == NEP_INDEX_BITS ? "bits" : "vectors", "metric", cli_index_metric_name(j->opts.metric), "top",
                     (json_int_t)j->opts.k, "threshold", j->opts.by_threshold ? decimal(&j->opts.threshold) : json_null(), "alpha",
                     decimal(&j->opts.alpha), "beta", decimal(&j->opts.beta), "version", NEP_VERSION);
}

static nep_status work(nep_ctx *ctx, job *j)
{
    return (j->opts.k > 0 ? nep_pairs_nearest : nep_pairs_within)(ctx, &j->index, &j->opts, j->first, j->last, cli_neighbours_rows, &j->table,
                                                                  &j->report);
}

static json_t *summary(const job *j)
{
    return json_pack("{s:I,s:I,s:s,s:s,s:b}", "rows", (json_int_t)j->index.n, j->opts.k > 0 ? "neighbours" : "pairs", (json_int_t)j->table.n, "metric",
                     cli_index_metric_name(j->opts.metric), "path", j->report.path, "exact", j->report.exact);
}

static nep_status write_table(nep_ctx *ctx, const char *path, void *user)
{
    job *j = user;
    nep_status st;
    NEP_TRY(nep_file_create(ctx, path, &j->table.file));
    if (j->n_shards)
        NEP_TRY_OR_DONE(st, cli_neighbours_part_begin(ctx, j->table.file, facts(j), j->shard, j->n_shards));
    NEP_TRY_OR_DONE(st, cli_neighbours_head(&j->table));
    NEP_TRY_OR_DONE(st, work(ctx, j));
    if (j->n_shards)
        NEP_TRY_OR_DONE(st, cli_neighbours_part_end(j->table.file, j->table.n));
    json_object_update_new(j->says, summary(j));
    st = nep_file_commit(j->table.file);
    j->table.file = NULL;
done:
    nep_file_abort(j->table.file);
    j->table.file = NULL;
    return st;
}

/* The table to -o or standard output; with --json a document, which holds the rows when they go nowhere else. */
static nep_status emit(job *j)
{
    cli *c = j->c;
    nep_ctx *ctx = cli_ctx(c);
    const char *key = j->opts.k > 0 ? "neighbours" : "pairs";
    if (cli_out(c) || !cli_json(c)) {
        j->says = json_object();
        NEP_TRY(cli_emit(c, write_table, j, NULL, json_pack("{s:o}", "Neighbours", j->says)));
        return cli_json(c) ? cli_document(c, json_pack("{s:o,s:o}", "summary", summary(j), "provenance", cli_provenance(c, NULL))) : NEP_OK;
    }
    j->table.list = json_array();
    NEP_REQUIRE(ctx, j->table.list, NEP_E_NOMEM, "neighbours: no memory for the document");
    const nep_status st = work(ctx, j);
    json_t *doc = st == NEP_OK ? json_pack("{s:O,s:o,s:o}", key, j->table.list, "summary", summary(j), "provenance", cli_provenance(c, NULL)) : NULL;
    json_decref(j->table.list);
    j->table.list = NULL;
    return st == NEP_OK ? cli_document(c, doc) : st;
}

static nep_status run(cli *c)
{
    job j = {.c = c, .report = {.path = ""}};
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_pairs_open(c, &j.index, &j.opts));
    NEP_TRY_OR_DONE(st, read_options(&j));
    j.table = (cli_neighbours){.c = c, .index = &j.index, .top = j.opts.k > 0};
    if (cli_dry_run(c)) {
        const char *out[] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, j.last - j.first, (int64_t)32 << 20, (double)NAN, out, 1);
        goto done;
    }
    st = emit(&j);
done:
    nep_index_free(&j.index);
    return st;
}

const cli_command cli_cmd_neighbours = {
    .name = "neighbours",
    .group = "Maps and molecules",
    .summary = "all similar pairs of an index, or the nearest rows of each",
    .inputs = "INDEX",
    .min_inputs = 1,
    .max_inputs = 1,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe neighbours drugs.nepx --threshold 0.7 -o pairs.tsv",
};
