/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours_write - pairs and nearest rows as lines of a table and objects of a document, as they come. */
#include "cli/pairs.h"

nep_status cli_neighbours_head(cli_neighbours *t)
{
    if (!t->file)
        return NEP_OK;
    return nep_file_printf(t->file, "%s\tscore%s\n", t->top ? "row\tid\trank\tneighbour_row\tneighbour_id" : "row_a\tid_a\trow_b\tid_b",
                           t->index->kind == NEP_INDEX_BITS ? "\tcommon\tunion" : "");
}

typedef struct {
    int64_t x, y; /* row numbers */
    const char *id_x, *id_y;
    const nep_pair *pair;
} line;

static nep_status write_line(const cli_neighbours *t, const line *l)
{
    if (t->top)
        NEP_TRY(nep_file_printf(t->file, "%lld\t%s\t%lld\t%lld\t%s\t%.9g", (long long)l->x, l->id_x, (long long)t->rank, (long long)l->y, l->id_y,
                                l->pair->score));
    else
        NEP_TRY(nep_file_printf(t->file, "%lld\t%s\t%lld\t%s\t%.9g", (long long)l->x, l->id_x, (long long)l->y, l->id_y, l->pair->score));
    return t->index->kind == NEP_INDEX_BITS ? nep_file_printf(t->file, "\t%d\t%d\n", l->pair->common, l->pair->total)
                                            : nep_file_printf(t->file, "\n");
}

static nep_status append(nep_ctx *ctx, const cli_neighbours *t, const line *l)
{
    json_t *one = t->top ? json_pack("{s:I,s:s,s:I,s:I,s:s,s:f}", "row", (json_int_t)l->x, "id", l->id_x, "rank", (json_int_t)t->rank,
                                     "neighbour_row", (json_int_t)l->y, "neighbour_id", l->id_y, "score", l->pair->score)
                         : json_pack("{s:I,s:s,s:I,s:s,s:f}", "row_a", (json_int_t)l->x, "id_a", l->id_x, "row_b", (json_int_t)l->y, "id_b", l->id_y,
                                     "score", l->pair->score);
    if (one && t->index->kind == NEP_INDEX_BITS) {
        json_object_set_new(one, "common", json_integer(l->pair->common));
        json_object_set_new(one, "union", json_integer(l->pair->total));
    }
    NEP_REQUIRE(ctx, one && json_array_append_new(t->list, one) == 0, NEP_E_NOMEM, "neighbours: no memory for the document; write a table with -o");
    return NEP_OK;
}

nep_status cli_neighbours_rows(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n)
{
    cli_neighbours *t = user;
    char a[CLI_PAIRS_ID], b[CLI_PAIRS_ID];
    for (int64_t i = 0; i < n; i++) {
        line l = {nep_index_number(t->index, pair[i].a), nep_index_number(t->index, pair[i].b), nep_index_id(t->index, pair[i].a, a, sizeof a),
                  nep_index_id(t->index, pair[i].b, b, sizeof b), &pair[i]};
        if (!t->top && l.x > l.y)
            l = (line){l.y, l.x, l.id_y, l.id_x, &pair[i]};
        t->rank = l.x == t->last && t->n > 0 ? t->rank + 1 : 1;
        t->last = l.x;
        t->n++;
        if (t->file)
            NEP_TRY(write_line(t, &l));
        if (t->list)
            NEP_TRY(append(ctx, t, &l));
    }
    return NEP_OK;
}
