/* SPDX-License-Identifier: Apache-2.0 */
/* similar_search - a search as the command line words it: options checked against the index, queries in batches, rows to a sink or part. */
#include "cli/similar_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/index_options.h"

/* ---- options ---- */

static nep_status read_amount(similar_search *s)
{
    s->opts.by_threshold = cli_given(s->c, "threshold");
    NEP_REQUIRE(s->ctx, cli_given(s->c, "top") || s->opts.by_threshold, NEP_E_USAGE, "--top K, --threshold T or both are needed: how many rows are wanted");
    NEP_REQUIRE(s->ctx, !cli_given(s->c, "top") || cli_int(s->c, "top") >= 1, NEP_E_ARG, "--top: at least 1 row, not %lld", (long long)cli_int(s->c, "top"));
    s->opts.k = cli_int(s->c, "top");
    s->opts.threshold = (nep_decimal){0, 1};
    if (s->opts.by_threshold)
        NEP_TRY(cli_index_decimal(s->c, "threshold", s->index.kind == NEP_INDEX_VECTORS && s->opts.metric != NEP_METRIC_L2, &s->opts.threshold));
    return NEP_OK;
}

/* --rows A-B, both included. */
static nep_status read_range(similar_search *s)
{
    const char *text = cli_text(s->c, "rows");
    char *end;
    if (!text)
        return NEP_OK;
    const int64_t first = strtoll(text, &end, 10);
    const int64_t last = *end == '-' && end > text ? strtoll(end + 1, &end, 10) : -1;
    NEP_REQUIRE(s->ctx, *end == '\0' && first >= 0 && last >= first && text[0] != '-' && text[0] != '+', NEP_E_ARG,
                "--rows: '%s' is no range A-B of row numbers, from 0, both included", text);
    NEP_REQUIRE(s->ctx, last < s->index.total, NEP_E_ARG, "--rows: there is no row %lld, the index has rows 0 to %lld", (long long)last,
                (long long)s->index.total - 1);
    s->opts.first = first;
    s->opts.last = last + 1;
    return NEP_OK;
}

static nep_status read_shard(similar_search *s)
{
    NEP_TRY(cli_shard(s->c, &s->shard, &s->n_shards));
    if (s->n_shards == 0)
        return NEP_OK;
    NEP_REQUIRE(s->ctx, s->n_shards <= s->index.n, NEP_E_USAGE, "--shard: %lld shards of an index with %lld rows", (long long)s->n_shards,
                (long long)s->index.n);
    NEP_REQUIRE(s->ctx, cli_out(s->c) && !cli_json(s->c), NEP_E_USAGE, "--shard writes a part for `merge`: it needs -o, and takes no --json");
    NEP_REQUIRE(s->ctx, s->opts.probe == 0, NEP_E_USAGE, "--shard and --probe do not go together: which lists are near is told from all of them");
    return NEP_OK;
}

static nep_status read_options(similar_search *s)
{
    NEP_TRY(cli_index_metric(s->c, &s->index, &s->opts));
    NEP_TRY(read_amount(s));
    NEP_TRY(read_range(s));
    s->opts.probe = cli_int(s->c, "probe");
    NEP_REQUIRE(s->ctx, s->opts.probe >= 0, NEP_E_ARG, "--probe: a number of lists, not %lld", (long long)s->opts.probe);
    NEP_REQUIRE(s->ctx, s->opts.probe == 0 || (s->index.kind == NEP_INDEX_VECTORS && s->index.vectors.n_lists > 0), NEP_E_ARG,
                "--probe: the index has no inverted lists to choose from");
    s->n_recall = cli_int(s->c, "recall");
    NEP_REQUIRE(s->ctx, s->n_recall >= 0 && (s->n_recall == 0 || s->opts.probe > 0), NEP_E_USAGE,
                "--recall: a number of queries, with --probe; without it all that is to be found is found");
    NEP_TRY(read_shard(s));
    NEP_TRY(similar_filter_read(s->c, &s->index, &s->allow));
    s->opts.allow = s->allow;
    s->no_self = cli_flag(s->c, "no-self");
    return NEP_OK;
}

static nep_status read_columns(similar_search *s)
{
    int n = 0;
    const char *const *names = cli_texts(s->c, "columns", &n);
    const bool all = n == 1 && strcmp(names[0], "all") == 0;
    s->head.bits = s->index.kind == NEP_INDEX_BITS;
    s->head.n_columns = all ? (int)s->index.n_columns : n;
    NEP_TRY(nep_alloc(s->ctx, s->head.n_columns, sizeof *s->column, "columns", &s->column));
    NEP_TRY(nep_alloc(s->ctx, s->head.n_columns, sizeof *s->names, "columns", &s->names));
    s->head.column = s->names;
    for (int k = 0; k < s->head.n_columns; k++) {
        s->column[k] = all ? k : -1;
        for (int64_t j = 0; j < s->index.n_columns && !all; j++)
            if (strcmp(s->index.column[j], names[k]) == 0)
                s->column[k] = j;
        if (s->column[k] < 0) {
            const char *near = nep_data_nearest(names[k], (const char *const *)s->index.column, (int)s->index.n_columns);
            return nep_ctx_fail(s->ctx, NEP_E_ARG, "--columns: the index has no column '%s'%s%s%s", names[k], near ? "; did you mean '" : "",
                                near ? near : "", near ? "'?" : "");
        }
        s->names[k] = s->index.column[s->column[k]];
    }
    return NEP_OK;
}

/* ---- what is searched ---- */

/* The shard's positions: an equal share of the file, whatever the row numbers. */
static void cut(similar_search *s)
{
    nep_index *x = &s->rows;
    *x = s->index;
    x->owner = NULL;
    if (s->n_shards == 0)
        return;
    const int64_t from = x->n * (s->shard - 1) / s->n_shards, to = x->n * s->shard / s->n_shards;
    x->n = to - from;
    x->number = x->number ? x->number + from : NULL;
    x->first += from;
    x->id_start = x->id_start ? x->id_start + from : NULL;
    x->cell_start = x->cell_start ? x->cell_start + from * x->n_columns : NULL;
    if (x->kind == NEP_INDEX_BITS) {
        x->bits.row += from * x->bits.words;
        x->bits.popcount += from;
        x->bits.sketch = x->bits.sketch ? x->bits.sketch + from * NEP_INDEX_SKETCH : NULL;
        return;
    }
    nep_index_vectors *v = &x->vectors;
    v->row = (const char *)v->row + (size_t)(from * v->stride) * nep_index_item_size(v->type);
    v->scale = v->scale ? v->scale + from : NULL;
    v->norm += from;
    v->shadow = v->shadow ? v->shadow + from * v->shadow_stride : NULL;
    v->shadow_scale = v->shadow_scale ? v->shadow_scale + from : NULL;
    v->shadow_residual = v->shadow_residual ? v->shadow_residual + from : NULL;
    v->n_lists = 0;
}

nep_status similar_search_open(cli *c, similar_search *s)
{
    *s = (similar_search){.c = c, .ctx = cli_ctx(c), .report = {.exact = true}};
    NEP_TRY(nep_index_open(s->ctx, cli_input(c, 0), &s->index));
    if (cli_flag(c, "verify") && !cli_dry_run(c))
        NEP_TRY(nep_index_check(s->ctx, &s->index));
    NEP_TRY(read_options(s));
    NEP_TRY(read_columns(s));
    NEP_TRY(similar_queries_read(c, &s->index, &s->queries));
    NEP_REQUIRE(s->ctx, !s->no_self || s->queries.number, NEP_E_USAGE, "--no-self: the queries are no rows of the index; it belongs to --row, --id, or --query "
                                                                     "with the index itself");
    cut(s);
    return NEP_OK;
}

void similar_search_close(similar_search *s)
{
    similar_queries_free(&s->queries);
    nep_alloc_free(s->allow);
    nep_alloc_free(s->column);
    nep_alloc_free(s->names);
    nep_index_free(&s->index);
    *s = (similar_search){0};
}

/* ---- batches ---- */

enum { BATCH_MOST = 4096, BATCH_LEAST = 64, BATCH_HITS = 1 << 21 };

/* Queries at a time: as many as their best rows fit; those by threshold alone have no bound, and come in fewer. */
int64_t similar_search_batch(const similar_search *s)
{
    const int64_t n = s->opts.k > 0 ? BATCH_HITS / s->opts.k : BATCH_LEAST * 4;
    return n < BATCH_LEAST ? BATCH_LEAST : n > BATCH_MOST ? BATCH_MOST : n;
}

int64_t similar_search_bytes(const similar_search *s)
{
    const int64_t q = s->queries.n < similar_search_batch(s) ? s->queries.n : similar_search_batch(s);
    const int64_t k = s->opts.k > 0 && s->opts.k < s->rows.n ? s->opts.k : s->rows.n < 1024 ? s->rows.n : 1024;
    return q * k * 64 + q * (s->head.bits ? s->rows.bits.words * 8 : s->rows.vectors.dims * 4);
}

/* Hits of queries from .. from + n - 1, the query's own row among them, if it is to go. */
static nep_status search(similar_search *s, int64_t from, int64_t n, nep_hits *h)
{
    nep_search_opts o = s->opts;
    nep_search_report r = {0};
    o.k += o.k > 0 && s->no_self;
    NEP_TRY(s->head.bits ? nep_bits_search(s->ctx, &s->rows, s->queries.bits + from * s->rows.bits.words, n, &o, h, &r)
                         : nep_dense_search(s->ctx, &s->rows, s->queries.x + from * s->rows.vectors.dims, n, &o, h, &r));
    s->report.path = r.path;
    s->report.exact = s->report.exact && r.exact;
    s->report.compared += r.compared;
    s->report.candidates += r.candidates;
    return NEP_OK;
}

/* Gives the hits of one query, one by one, to `take`. */
typedef nep_status taker(similar_search *s, void *user, int64_t number, const similar_row *row);

static nep_status one_query(similar_search *s, int64_t query, const nep_hits *h, int64_t q, const char **cell, int64_t *bytes, taker *take, void *user)
{
    char id[SIMILAR_ID], own[SIMILAR_ID];
    similar_row row = {.query = similar_query_id(&s->queries, query, own, sizeof own), .id = id, .cell = cell, .cell_bytes = bytes};
    for (int64_t i = h->start[q]; i < h->start[q + 1] && (s->opts.k == 0 || row.rank < s->opts.k); i++) {
        if (s->no_self && h->number[i] == s->queries.number[query])
            continue;
        row.rank++;
        row.score = h->score[i];
        row.common = h->common ? h->common[i] : 0;
        row.total = h->total ? h->total[i] : 0;
        (void)nep_index_id(&s->rows, h->position[i], id, sizeof id);
        for (int k = 0; k < s->head.n_columns; k++) {
            const int64_t *at = s->rows.cell_start + h->position[i] * s->rows.n_columns + s->column[k];
            cell[k] = s->rows.cell_text + at[0];
            bytes[k] = at[1] - at[0];
        }
        NEP_TRY(take(s, user, h->number[i], &row));
    }
    return NEP_OK;
}

/* All queries; `begin` is told of each before its hits. */
static nep_status all_queries(similar_search *s, nep_status (*begin)(similar_search *s, void *user, int64_t query, int32_t bits), taker *take, void *user)
{
    nep_hits h = {0};
    const char **cell = NULL;
    int64_t *bytes = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, s->head.n_columns, sizeof *cell, "a row", &cell));
    NEP_TRY_OR_DONE(st, nep_alloc(s->ctx, s->head.n_columns, sizeof *bytes, "a row", &bytes));
    for (int64_t from = 0, n = 0; from < s->queries.n; from += n) {
        n = s->queries.n - from < similar_search_batch(s) ? s->queries.n - from : similar_search_batch(s);
        NEP_TRY_OR_DONE(st, nep_ctx_check(s->ctx));
        NEP_TRY_OR_DONE(st, search(s, from, n, &h));
        for (int64_t q = 0; q < n; q++) {
            NEP_TRY_OR_DONE(st, begin(s, user, from + q, h.query_bits ? h.query_bits[q] : -1));
            NEP_TRY_OR_DONE(st, one_query(s, from + q, &h, q, cell, bytes, take, user));
        }
        nep_hits_free(&h);
    }
    st = NEP_OK;
done:
    nep_hits_free(&h);
    nep_alloc_free(bytes);
    nep_alloc_free(cell);
    return st;
}

json_t *similar_search_report(const similar_search *s)
{
    char content[17];
    snprintf(content, sizeof content, "%016llx", (unsigned long long)s->index.content);
    return json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I}", "index", content, "about", s->index.about ? s->index.about : "", "metric", cli_index_metric_name(s->opts.metric), "path", s->report.path ? s->report.path : "", "exact",
                     s->report.exact, "queries", (json_int_t)s->queries.n, "rows", (json_int_t)s->rows.n, "compared", (json_int_t)s->report.compared,
                     "candidates", (json_int_t)s->report.candidates);
}

/* ---- rows ---- */

static nep_status no_begin(similar_search *s, void *user, int64_t query, int32_t bits)
{
    (void)s;
    (void)user;
    (void)query;
    (void)bits;
    return NEP_OK;
}

static nep_status take_row(similar_search *s, void *user, int64_t number, const similar_row *row)
{
    (void)number;
    return similar_write_row(s->ctx, user, &s->head, row);
}

nep_status similar_search_rows(nep_ctx *ctx, const similar_sink *sink, void *user)
{
    similar_search *s = user;
    similar_sink to = *sink;
    (void)ctx;
    NEP_TRY(similar_write_head(&to, &s->head));
    NEP_TRY(all_queries(s, no_begin, take_row, &to));
    if (s->n_recall > 0)
        NEP_TRY(similar_search_recall(s));
    if (s->extra)
        json_object_set_new(s->extra, "search", similar_search_report(s));
    if (s->extra && s->n_recall > 0)
        json_object_set_new(s->extra, "recall", similar_search_recall_report(s));
    return NEP_OK;
}

/* ---- parts ---- */

static nep_status begin_query(similar_search *s, void *user, int64_t query, int32_t bits)
{
    char id[SIMILAR_ID];
    return similar_part_query(user, similar_query_id(&s->queries, query, id, sizeof id), bits);
}

static nep_status take_hit(similar_search *s, void *user, int64_t number, const similar_row *row)
{
    return similar_part_hit(user, number, &s->head, row);
}

nep_status similar_search_part(similar_search *s, const char *path)
{
    similar_part part = {0};
    const int64_t source[2] = {s->index.n, s->index.n > 0 ? nep_index_number(&s->index, 0) : 0};
    json_t *facts = similar_part_facts(s->c, &s->index, &s->opts, &s->queries, &s->head);
    nep_status st;
    if (facts) {
        json_object_set_new(facts, "shard", json_pack("[I,I]", (json_int_t)s->shard, (json_int_t)s->n_shards));
        json_object_set_new(facts, "rows", json_integer((json_int_t)s->rows.n));
        json_object_set_new(facts, "source", json_pack("[I,I]", (json_int_t)source[0], (json_int_t)source[1]));
    }
    NEP_TRY_OR_DONE(st, similar_part_begin(s->ctx, path, facts, &part));
    NEP_TRY_OR_DONE(st, all_queries(s, begin_query, take_hit, &part));
    st = similar_part_end(&part);
done:
    similar_part_abort(&part);
    json_decref(facts);
    return st;
}
