/* SPDX-License-Identifier: Apache-2.0 */
/* index_build - files of rows, and a table of their ids, to one index file, a block at a time. */
#include "cli/index_build.h"

#include <string.h>

#include "io/rows.h"

enum { block_bytes = 8 << 20, most_block = 1 << 16, text_bytes_most = 4 << 20 };

nep_status cli_index_build_look(nep_ctx *ctx, const cli_index_build *b, nep_index_layout *layout, int64_t *rows, nep_source **first)
{
    nep_source *s = NULL;
    const nep_source_info *one = NULL;
    nep_status st = NEP_OK;
    *first = NULL;
    *rows = 0;
    for (int i = 0; i < b->n_inputs && st == NEP_OK; i++) {
        NEP_TRY_OR_DONE(st, nep_source_open(ctx, b->inputs[i], &b->source, &s));
        const nep_source_info *info = nep_source_about(s);
        one = *first ? nep_source_about(*first) : info;
        NEP_REQUIRE_OR_DONE(st, ctx, info->kind == one->kind && info->width == one->width, NEP_E_FORMAT,
                            "%s: rows of %lld %s, those of %s have %lld %s; one index holds one width", b->inputs[i], (long long)info->width,
                            info->kind == NEP_INDEX_BITS ? "bits" : "numbers", b->inputs[0], (long long)one->width,
                            one->kind == NEP_INDEX_BITS ? "bits" : "numbers");
        *rows = info->n < 0 || *rows < 0 ? -1 : *rows + info->n;
        NEP_REQUIRE_OR_DONE(st, ctx, !b->type || info->kind == NEP_INDEX_VECTORS, NEP_E_USAGE, "--type is of vectors, and %s holds bits", b->inputs[i]);
        const nep_vector_type type = info->type;
        if (i == 0)
            *layout = (nep_index_layout){.kind = info->kind, .width = info->width, .type = b->type ? b->type : type, .about = b->about ? b->about : info->about};
        else if (!b->type && type != layout->type)
            layout->type = NEP_VECTOR_F32;
        layout->ids |= info->ids;
        if (i == 0)
            *first = s;
        else
            nep_source_free(s);
        s = NULL;
    }
    layout->sketch = !b->no_sketch;
    layout->shadow = !b->no_shadow;
    layout->shard = b->shard;
    layout->n_shards = b->n_shards;
    layout->total = *rows > 0 ? *rows : 0;
done:
    nep_source_free(s);
    return st;
}

typedef struct {
    nep_ctx *ctx;
    const cli_index_build *build;
    nep_rows table; /* of ids; ctx NULL = none */
    nep_index_writer *writer;
    int64_t n_columns;
    int64_t block;
    char *rows;
    int64_t row_bytes;
    char **ids, **cells; /* [block], [block, n_columns] into text where there is a table */
    char *text;
    int64_t text_room;
    bool held; /* the table's present row was read and is yet to be taken */
} job;

static int64_t text_bytes(const job *j)
{
    int64_t n = 0;
    for (int64_t c = 0; c <= j->n_columns; c++)
        n += j->table.cells[c] ? (int64_t)strlen(j->table.cells[c]) + 1 : 0;
    return n;
}

/* The present row of the table as row i of those gathered. */
static void keep_row(job *j, int64_t i, int64_t *used)
{
    for (int64_t c = 0; c <= j->n_columns; c++) {
        const char *from = j->table.cells[c];
        char *to = from ? j->text + *used : NULL;
        if (from) {
            const size_t n = strlen(from) + 1;
            memcpy(to, from, n);
            *used += (int64_t)n;
        }
        *(c == 0 ? &j->ids[i] : &j->cells[i * j->n_columns + c - 1]) = to;
    }
}

/* The ids and metadata of the next rows, `most` or as many as there is room for: at least one. */
static nep_status take_ids(job *j, int64_t most, int64_t *n)
{
    int64_t used = 0;
    for (*n = 0; *n < most; ++*n) {
        bool more = true;
        if (!j->held)
            NEP_TRY(nep_rows_next(&j->table, &more));
        NEP_REQUIRE(j->ctx, more, NEP_E_FORMAT, "%s: has %lld rows, the vectors have more; one row each is needed", j->build->ids,
                    (long long)(nep_index_writer_rows(j->writer) + *n));
        const int64_t bytes = text_bytes(j);
        j->held = used + bytes > j->text_room && *n > 0;
        if (j->held)
            return NEP_OK;
        if (bytes > j->text_room) {
            nep_alloc_free(j->text);
            j->text = NULL;
            NEP_TRY(nep_alloc(j->ctx, bytes, 1, "ids and metadata of a row", &j->text));
            j->text_room = bytes;
        }
        keep_row(j, *n, &used);
    }
    return NEP_OK;
}

static nep_status add_source(job *j, nep_source *s)
{
    int64_t got = 1;
    while (got > 0) {
        NEP_TRY(nep_source_next(s, j->rows, j->block, j->ids, &got));
        for (int64_t done = 0, n = got; done < got; done += n) {
            if (j->table.ctx)
                NEP_TRY(take_ids(j, got - done, &n));
            NEP_TRY(nep_index_writer_add(j->writer, j->rows + done * j->row_bytes, n, j->ids, j->n_columns > 0 ? j->cells : NULL));
        }
        nep_progress_step(j->ctx, nep_index_writer_rows(j->writer));
    }
    return NEP_OK;
}

static nep_status make_room(job *j, const nep_index_layout *l)
{
    const int64_t row = l->kind == NEP_INDEX_BITS ? (l->width + 63) / 64 * 8 : l->width * 4;
    j->row_bytes = row;
    if (j->table.ctx) {
        NEP_TRY(nep_alloc(j->ctx, text_bytes_most, 1, "ids and metadata", &j->text));
        j->text_room = text_bytes_most;
    }
    j->block = block_bytes / row < 1 ? 1 : block_bytes / row > most_block ? most_block : block_bytes / row;
    NEP_TRY(nep_alloc(j->ctx, j->block, (size_t)row, "a block of rows", &j->rows));
    NEP_TRY(nep_alloc(j->ctx, j->block, sizeof *j->ids, "ids", &j->ids));
    return nep_alloc(j->ctx, j->block * j->n_columns, sizeof *j->cells, "metadata", &j->cells);
}

static nep_status add_all(job *j, nep_source **first)
{
    for (int i = 0; i < j->build->n_inputs; i++) {
        nep_source *s = *first;
        *first = NULL;
        nep_status st = s ? NEP_OK : nep_source_open(j->ctx, j->build->inputs[i], &j->build->source, &s);
        if (st == NEP_OK)
            st = add_source(j, s);
        nep_source_free(s);
        NEP_TRY(st);
    }
    bool more = false;
    if (j->table.ctx)
        NEP_TRY(nep_rows_next(&j->table, &more));
    NEP_REQUIRE(j->ctx, !more, NEP_E_FORMAT, "%s: has more rows than the %lld of the vectors; one row each is needed", j->build->ids,
                (long long)nep_index_writer_rows(j->writer));
    return NEP_OK;
}

nep_status cli_index_build_run(nep_ctx *ctx, const cli_index_build *b, const char *path)
{
    job j = {.ctx = ctx, .build = b};
    nep_index_layout layout = {0};
    nep_source *first = NULL;
    int64_t rows = 0;
    nep_status st;
    if (b->ids) {
        NEP_TRY(nep_rows_open_stream(ctx, b->ids, NULL, 0, &j.table));
        j.n_columns = j.table.n_cols - 1;
    }
    NEP_TRY_OR_DONE(st, cli_index_build_look(ctx, b, &layout, &rows, &first));
    layout.ids |= b->ids != NULL;
    layout.n_columns = j.n_columns;
    layout.column = j.n_columns > 0 ? (const char *const *)(j.table.header + 1) : NULL;
    NEP_TRY_OR_DONE(st, make_room(&j, &layout));
    NEP_TRY_OR_DONE(st, nep_index_writer_create(ctx, path, b->inputs[0], &layout, &j.writer));
    nep_progress_open(ctx, "rows", rows > 0 ? rows : 0);
    st = add_all(&j, &first);
    nep_progress_close(ctx);
    if (st != NEP_OK)
        goto done;
    nep_index_writer *w = j.writer;
    j.writer = NULL;
    st = nep_index_writer_commit(w);
done:
    nep_index_writer_abort(j.writer);
    nep_source_free(first);
    nep_rows_free(&j.table);
    nep_alloc_free(j.text);
    nep_alloc_free(j.rows);
    nep_alloc_free(j.ids);
    nep_alloc_free(j.cells);
    return st;
}
