/* SPDX-License-Identifier: Apache-2.0 */
/* similar_write - one hit as a row of a table or an object of a document: the same for a search and for merged parts. */
#include <string.h>

#include "cli/similar.h"

nep_status similar_write_head(const similar_sink *s, const similar_head *h)
{
    if (!s->file)
        return NEP_OK;
    NEP_TRY(nep_file_printf(s->file, "query\trank\tid\tscore%s", h->bits ? "\tcommon\tunion" : ""));
    for (int k = 0; k < h->n_columns; k++)
        NEP_TRY(nep_file_printf(s->file, "\t%s", h->column[k]));
    return nep_file_printf(s->file, "\n");
}

static nep_status write_line(nep_file *f, const similar_head *h, const similar_row *row)
{
    NEP_TRY(nep_file_printf(f, "%s\t%lld\t%s\t%.9g", row->query, (long long)row->rank, row->id, row->score));
    if (h->bits)
        NEP_TRY(nep_file_printf(f, "\t%d\t%d", row->common, row->total));
    for (int k = 0; k < h->n_columns; k++) {
        NEP_TRY(nep_file_printf(f, "\t"));
        NEP_TRY(row->cell_bytes[k] > 0 ? nep_file_write(f, row->cell[k], (size_t)row->cell_bytes[k]) : nep_file_printf(f, "n/a"));
    }
    return nep_file_printf(f, "\n");
}

nep_status similar_write_row(nep_ctx *ctx, const similar_sink *s, const similar_head *h, const similar_row *row)
{
    if (s->file)
        NEP_TRY(write_line(s->file, h, row));
    if (!s->list)
        return NEP_OK;
    json_t *one = json_pack("{s:s,s:I,s:s,s:o}", "query", row->query, "rank", (json_int_t)row->rank, "id", row->id, "score", cli_number(row->score));
    if (one && h->bits) {
        json_object_set_new(one, "common", json_integer(row->common));
        json_object_set_new(one, "union", json_integer(row->total));
    }
    for (int k = 0; one && k < h->n_columns; k++)
        json_object_set_new(one, h->column[k], row->cell_bytes[k] > 0 ? json_stringn(row->cell[k], (size_t)row->cell_bytes[k]) : json_null());
    NEP_REQUIRE(ctx, one && json_array_append_new(s->list, one) == 0, NEP_E_NOMEM, "hits: no memory for the document; write a table with -o");
    return NEP_OK;
}

typedef struct {
    similar_producer *produce;
    void *user;
    json_t *list;
} emission;

static nep_status write_table(nep_ctx *ctx, const char *path, void *user)
{
    const emission *e = user;
    similar_sink sink = {.list = e->list};
    NEP_TRY(nep_file_create(ctx, path, &sink.file));
    const nep_status st = e->produce(ctx, &sink, e->user);
    if (st != NEP_OK) {
        nep_file_abort(sink.file);
        return st;
    }
    return nep_file_commit(sink.file);
}

nep_status similar_emit(cli *c, similar_producer *produce, void *user, json_t *extra)
{
    emission e = {produce, user, cli_json(c) ? json_array() : NULL};
    nep_status st;
    if (!cli_json(c) || cli_out(c)) {
        st = cli_emit(c, write_table, &e, NULL, json_incref(extra));
    } else {
        const similar_sink sink = {.list = e.list};
        st = produce(cli_ctx(c), &sink, user);
    }
    if (st == NEP_OK && cli_json(c)) {
        json_t *doc = json_pack("{s:O,s:o}", "hits", e.list, "provenance", cli_provenance(c, NULL));
        if (doc)
            json_object_update(doc, extra);
        st = cli_document(c, doc);
    }
    json_decref(e.list);
    json_decref(extra);
    return st;
}
