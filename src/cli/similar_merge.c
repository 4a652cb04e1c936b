/* SPDX-License-Identifier: Apache-2.0 */
/* similar_merge - the parts of one search merged, query by query: memory for one query at a time. */
#include <stdlib.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/similar.h"

/* One hit as it stands in a part. */
typedef struct {
    const char *id, *end; /* id and metadata, to the end of the line */
} tail;

/* The present query of one part. */
typedef struct {
    const char *id;
    int64_t id_bytes, n, room;
    int64_t start[2];
    int64_t *number;
    double *score;
    int32_t *common, *total, bits[1];
    tail *tail;
} block;

typedef struct {
    int64_t number;
    int part;
    const tail *tail;
} place;

typedef struct {
    cli *c;
    nep_ctx *ctx;
    int n;
    similar_part_in *part;
    block *block;
    nep_hits *hits;
    nep_search_opts opts;
    similar_head head;
    int64_t n_queries;
    place *place; /* hits of the present query by row number */
    int64_t n_places, places_room;
    char *text; /* id of the row being written, with a NUL */
    size_t room;
} merge;

/* ---- the parts belong together ---- */

static const char *const own[] = {"shard", "rows", "source"};

static nep_status foreign(const merge *m, int p, const char *what)
{
    return nep_ctx_fail_file(m->ctx, NEP_E_FORMAT, m->part[p].path, "%s and %s are not of one search: they differ in '%s'", m->part[0].path,
                             m->part[p].path, what);
}

/* The facts that both must have: all but a part's own. */
static nep_status check_facts(const merge *m, int p)
{
    const char *key;
    json_t *value;
    json_object_foreach(m->part[0].facts, key, value)
    {
        bool shared = true;
        for (int i = 0; i < NEP_LEN(own); i++)
            shared = shared && strcmp(own[i], key) != 0;
        if (shared && !json_equal(value, json_object_get(m->part[p].facts, key)))
            return foreign(m, p, key);
    }
    if (json_object_size(m->part[0].facts) != json_object_size(m->part[p].facts))
        return foreign(m, p, "rows that may be found");
    return NEP_OK;
}

static int64_t number_of(const similar_part_in *in, const char *key, size_t i)
{
    const json_t *v = json_object_get(in->facts, key);
    return json_integer_value(json_is_array(v) ? json_array_get(v, i) : v);
}

static nep_status check_shards(const merge *m)
{
    int64_t rows = 0;
    for (int p = 0; p < m->n; p++) {
        rows += number_of(&m->part[p], "rows", 0);
        for (int q = 0; q < p; q++) {
            const bool same = json_equal(json_object_get(m->part[p].facts, "source"), json_object_get(m->part[q].facts, "source"));
            if (same && number_of(&m->part[p], "shard", 1) != number_of(&m->part[q], "shard", 1))
                return nep_ctx_fail(m->ctx, NEP_E_FORMAT, "%s is one of %lld shards, %s one of %lld", m->part[q].path,
                                    (long long)number_of(&m->part[q], "shard", 1), m->part[p].path, (long long)number_of(&m->part[p], "shard", 1));
            if (same && number_of(&m->part[p], "shard", 0) == number_of(&m->part[q], "shard", 0))
                return nep_ctx_fail(m->ctx, NEP_E_FORMAT, "shard %lld stands there twice: %s and %s", (long long)number_of(&m->part[p], "shard", 0),
                                    m->part[q].path, m->part[p].path);
        }
    }
    const int64_t total = number_of(&m->part[0], "total", 0), n = number_of(&m->part[0], "shard", 1);
    char given[256] = "";
    size_t used = 0;
    for (int p = 0; p < m->n && used + 30 < sizeof given; p++)
        used += (size_t)snprintf(given + used, sizeof given - used, "%s%lld", p ? ", " : "", (long long)number_of(&m->part[p], "shard", 0));
    NEP_REQUIRE(m->ctx, rows >= total, NEP_E_FORMAT, "a part is missing: there are shards %s of %lld, with %lld of the set's %lld rows", given, (long long)n,
                (long long)rows, (long long)total);
    NEP_REQUIRE(m->ctx, rows == total, NEP_E_FORMAT, "parts overlap: they hold %lld rows of a set of %lld", (long long)rows, (long long)total);
    return NEP_OK;
}

static nep_decimal decimal(const json_t *facts, const char *key)
{
    const json_t *pair = json_object_get(facts, key);
    return (nep_decimal){json_integer_value(json_array_get(pair, 0)), json_integer_value(json_array_get(pair, 1))};
}

static nep_status read_facts(merge *m)
{
    static const char *const names[] = {"tanimoto", "dice", "cosine", "tversky", "inner", "l2"};
    const json_t *f = m->part[0].facts, *columns = json_object_get(f, "columns");
    const char *metric = json_string_value(json_object_get(f, "metric")), *kind = json_string_value(json_object_get(f, "kind"));
    int found = -1;
    for (int k = 0; metric && k < NEP_LEN(names); k++)
        found = strcmp(metric, names[k]) == 0 ? k : found;
    NEP_REQUIRE(m->ctx, found >= 0 && kind && json_is_array(columns), NEP_E_FORMAT, "%s: its facts lack a metric, a kind or columns",
                m->part[0].path);
    m->opts = (nep_search_opts){.metric = (nep_metric)found, .k = number_of(&m->part[0], "k", 0),
                                .by_threshold = json_is_true(json_object_get(f, "by_threshold")), .threshold = decimal(f, "threshold"),
                                .alpha = decimal(f, "alpha"), .beta = decimal(f, "beta")};
    m->n_queries = number_of(&m->part[0], "queries", 0);
    m->head.bits = strcmp(kind, "bits") == 0;
    m->head.n_columns = (int)json_array_size(columns);
    const char **names_of = NULL;
    NEP_TRY(nep_alloc(m->ctx, m->head.n_columns, sizeof *names_of, "columns", &names_of));
    m->head.column = names_of;
    for (int k = 0; k < m->head.n_columns; k++) {
        names_of[k] = json_string_value(json_array_get(columns, (size_t)k));
        NEP_REQUIRE(m->ctx, names_of[k], NEP_E_FORMAT, "%s: a column has no name", m->part[0].path);
    }
    return NEP_OK;
}

/* ---- one query ---- */

static nep_status broken(const merge *m, int p)
{
    return nep_ctx_fail_file(m->ctx, NEP_E_FORMAT, m->part[p].path, "%s: a line is not as parts have them; make it again", m->part[p].path);
}

/* Field up to the next tab or the end of the line; moves on behind the tab. */
static bool field(const char **at, const char *end, char *out, size_t size)
{
    const char *stop = *at;
    while (stop < end && *stop != '\t')
        stop++;
    if ((size_t)(stop - *at) >= size)
        return false;
    memcpy(out, *at, (size_t)(stop - *at));
    out[stop - *at] = '\0';
    *at = stop < end ? stop + 1 : end;
    return true;
}

static nep_status grow(const merge *m, block *b)
{
    if (b->n < b->room)
        return NEP_OK;
    b->room = b->room ? 2 * b->room : 128;
    NEP_TRY(nep_alloc_grow(m->ctx, b->room, sizeof *b->number, "hits", &b->number));
    NEP_TRY(nep_alloc_grow(m->ctx, b->room, sizeof *b->score, "hits", &b->score));
    NEP_TRY(nep_alloc_grow(m->ctx, b->room, sizeof *b->common, "hits", &b->common));
    NEP_TRY(nep_alloc_grow(m->ctx, b->room, sizeof *b->total, "hits", &b->total));
    return nep_alloc_grow(m->ctx, b->room, sizeof *b->tail, "hits", &b->tail);
}

static nep_status read_hit(merge *m, int p, const char *at, const char *end)
{
    block *b = &m->block[p];
    char number[32], score[64], common[16], total[16], *stop;
    NEP_TRY(grow(m, b));
    if (!field(&at, end, number, sizeof number) || !field(&at, end, score, sizeof score) || !field(&at, end, common, sizeof common) ||
        !field(&at, end, total, sizeof total))
        return broken(m, p);
    b->number[b->n] = strtoll(number, NULL, 10);
    b->score[b->n] = strtod(score, &stop);
    b->common[b->n] = (int32_t)strtol(common, NULL, 10);
    b->total[b->n] = (int32_t)strtol(total, NULL, 10);
    b->tail[b->n++] = (tail){at, end};
    return *stop == '\0' && score[0] ? NEP_OK : broken(m, p);
}

/* The next query of one part with its hits. */
static nep_status read_query(merge *m, int p)
{
    similar_part_in *in = &m->part[p];
    block *b = &m->block[p];
    char bits[16];
    bool begun = false;
    b->n = 0;
    while (in->at < in->end) {
        const char *line = in->at, *stop = memchr(line, '\n', (size_t)(in->end - line));
        if (!stop || stop - line < 2 || line[1] != '\t' || (line[0] != 'Q' && line[0] != 'H') || (line[0] == 'H' && !begun))
            return broken(m, p);
        if (line[0] == 'Q' && begun)
            break;
        in->at = stop + 1;
        const char *at = line + 2;
        if (line[0] == 'H') {
            NEP_TRY(read_hit(m, p, at, stop));
            continue;
        }
        begun = true;
        if (!field(&at, stop, bits, sizeof bits))
            return broken(m, p);
        b->bits[0] = (int32_t)strtol(bits, NULL, 10);
        b->id = at;
        b->id_bytes = stop - at;
    }
    if (!begun)
        return broken(m, p);
    b->start[1] = b->n;
    m->hits[p] = (nep_hits){.n_queries = 1, .start = b->start, .number = b->number, .score = b->score,
                            .common = m->head.bits ? b->common : NULL, .total = m->head.bits ? b->total : NULL,
                            .query_bits = m->head.bits ? b->bits : NULL};
    return NEP_OK;
}

static nep_status hold(merge *m, size_t n)
{
    if (n <= m->room)
        return NEP_OK;
    m->room = 2 * n;
    return nep_alloc_grow(m->ctx, (int64_t)m->room, 1, "a row", &m->text);
}

static int by_number(const void *a, const void *b)
{
    const place *p = a, *q = b;
    return (p->number > q->number) - (p->number < q->number);
}

/* All parts' hits to the present query, so that each is found by its row number. */
static nep_status place_hits(merge *m)
{
    m->n_places = 0;
    for (int p = 0; p < m->n; p++)
        m->n_places += m->block[p].n;
    if (m->n_places > m->places_room) {
        m->places_room = 2 * m->n_places;
        NEP_TRY(nep_alloc_grow(m->ctx, m->places_room, sizeof *m->place, "hits", &m->place));
    }
    for (int64_t p = 0, at = 0; p < m->n; p++)
        for (int64_t i = 0; i < m->block[p].n; i++)
            m->place[at++] = (place){m->block[p].number[i], (int)p, &m->block[p].tail[i]};
    if (m->n_places > 0)
        qsort(m->place, (size_t)m->n_places, sizeof *m->place, by_number);
    return NEP_OK;
}

/* Id and metadata of the hit with this number. */
static nep_status cells_of(merge *m, int64_t number, const char **cell, int64_t *bytes, const char **id)
{
    const place want = {number, 0, NULL}, *found = bsearch(&want, m->place, (size_t)m->n_places, sizeof want, by_number);
    const tail *t = found->tail;
    const int from = found->part;
    const char *at = t->id, *stop = memchr(at, '\t', (size_t)(t->end - at));
    const size_t n = (size_t)((stop ? stop : t->end) - at);
    NEP_TRY(hold(m, n + 1));
    memcpy(m->text, at, n);
    m->text[n] = '\0';
    *id = m->text;
    for (int k = 0; k < m->head.n_columns; k++) {
        if (!stop)
            return broken(m, from);
        at = stop + 1;
        stop = memchr(at, '\t', (size_t)(t->end - at));
        cell[k] = at;
        bytes[k] = (stop ? stop : t->end) - at;
    }
    return stop ? broken(m, from) : NEP_OK;
}

static nep_status write_query(merge *m, const similar_sink *sink, const nep_hits *h, const char **cell, int64_t *bytes, const char *query)
{
    for (int64_t i = 0; i < h->start[1]; i++) {
        similar_row row = {.query = query, .rank = i + 1, .score = h->score[i], .cell = cell, .cell_bytes = bytes,
                           .common = h->common ? h->common[i] : 0, .total = h->total ? h->total[i] : 0};
        NEP_TRY(cells_of(m, h->number[i], cell, bytes, &row.id));
        NEP_TRY(similar_write_row(m->ctx, sink, &m->head, &row));
    }
    return NEP_OK;
}

static nep_status one_query(merge *m, const similar_sink *sink, const char **cell, int64_t *bytes)
{
    nep_hits merged = {0};
    char *query = NULL;
    nep_status st;
    for (int p = 0; p < m->n; p++) {
        NEP_TRY(read_query(m, p));
        if (m->block[p].id_bytes != m->block[0].id_bytes || memcmp(m->block[p].id, m->block[0].id, (size_t)m->block[0].id_bytes) != 0)
            return foreign(m, p, "queries");
    }
    NEP_TRY_OR_DONE(st, nep_alloc(m->ctx, m->block[0].id_bytes + 1, 1, "a query", &query));
    memcpy(query, m->block[0].id, (size_t)m->block[0].id_bytes);
    NEP_TRY_OR_DONE(st, nep_hits_merge(m->ctx, m->hits, m->n, &m->opts, &merged));
    NEP_TRY_OR_DONE(st, place_hits(m));
    st = write_query(m, sink, &merged, cell, bytes, query);
done:
    nep_hits_free(&merged);
    nep_alloc_free(query);
    return st;
}

static nep_status all_queries(nep_ctx *ctx, const similar_sink *sink, void *user)
{
    merge *m = user;
    const char **cell = NULL;
    int64_t *bytes = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m->head.n_columns, sizeof *cell, "a row", &cell));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m->head.n_columns, sizeof *bytes, "a row", &bytes));
    NEP_TRY_OR_DONE(st, similar_write_head(sink, &m->head));
    nep_progress_open(ctx, "queries", m->n_queries);
    for (int64_t q = 0; q < m->n_queries; q++) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        NEP_TRY_OR_DONE(st, one_query(m, sink, cell, bytes));
        nep_progress_step(ctx, q + 1);
    }
    nep_progress_close(ctx);
    for (int p = 0; p < m->n; p++)
        if (m->part[p].at != m->part[p].end) {
            st = broken(m, p);
            goto done;
        }
done:
    nep_alloc_free(bytes);
    nep_alloc_free(cell);
    return st;
}

static nep_status open_parts(merge *m)
{
    m->n = cli_input_count(m->c);
    NEP_TRY(nep_alloc(m->ctx, m->n, sizeof *m->part, "parts", &m->part));
    NEP_TRY(nep_alloc(m->ctx, m->n, sizeof *m->block, "parts", &m->block));
    NEP_TRY(nep_alloc(m->ctx, m->n, sizeof *m->hits, "parts", &m->hits));
    for (int p = 0; p < m->n; p++)
        NEP_TRY(similar_part_open(m->ctx, cli_input(m->c, p), &m->part[p]));
    for (int p = 1; p < m->n; p++)
        NEP_TRY(check_facts(m, p));
    NEP_TRY(check_shards(m));
    return read_facts(m);
}

nep_status similar_merge_run(cli *c)
{
    merge m = {.c = c, .ctx = cli_ctx(c)};
    const char *outputs[1] = {cli_out(c) ? cli_out(c) : "standard output"};
    nep_status st;
    NEP_TRY_OR_DONE(st, open_parts(&m));
    st = cli_dry_run(c) ? cli_plan(c, m.n_queries, 0, 0, outputs, 1) : similar_emit(c, all_queries, &m, json_pack("{s:i}", "parts", m.n));
done:
    for (int p = 0; p < m.n; p++) {
        if (m.part)
            similar_part_close(&m.part[p]);
        if (m.block) {
            void *const owned[] = {m.block[p].number, m.block[p].score, m.block[p].common, m.block[p].total, m.block[p].tail};
            for (int k = 0; k < NEP_LEN(owned); k++)
                nep_alloc_free(owned[k]);
        }
    }
    nep_alloc_free((void *)(uintptr_t)m.head.column);
    nep_alloc_free(m.text);
    nep_alloc_free(m.place);
    nep_alloc_free(m.hits);
    nep_alloc_free(m.block);
    nep_alloc_free(m.part);
    return st;
}
