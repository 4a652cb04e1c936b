/* SPDX-License-Identifier: Apache-2.0 */
/* tabular - a result of text and number columns as TSV and, from the same columns, as JSON. */
#include "cli/tabular.h"

#include <math.h>

static nep_status write_cell(nep_file *f, const cli_column *column, int64_t row)
{
    if (column->text)
        return nep_file_printf(f, "%s", column->text[row] ? column->text[row] : "n/a");
    if (isnan(column->number[row]))
        return nep_file_printf(f, "n/a");
    return nep_file_printf(f, "%.9g", column->number[row]);
}

nep_status cli_tabular_write(nep_ctx *ctx, const char *path, const cli_column *columns, int n_columns,
                             int64_t n_rows)
{
    nep_file *f = NULL;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    for (int k = 0; k < n_columns; k++)
        NEP_TRY_OR_DONE(st, nep_file_printf(f, "%s%c", columns[k].name, k + 1 < n_columns ? '\t' : '\n'));
    for (int64_t r = 0; r < n_rows; r++)
        for (int k = 0; k < n_columns; k++) {
            NEP_TRY_OR_DONE(st, write_cell(f, &columns[k], r));
            NEP_TRY_OR_DONE(st, nep_file_printf(f, "%c", k + 1 < n_columns ? '\t' : '\n'));
        }
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}

json_t *cli_tabular_json(const cli_column *columns, int n_columns, int64_t n_rows)
{
    json_t *rows = json_array();
    for (int64_t r = 0; r < n_rows; r++) {
        json_t *row = json_object();
        for (int k = 0; k < n_columns; k++) {
            const cli_column *column = &columns[k];
            json_object_set_new(row, column->name,
                                !column->text     ? cli_number(column->number[r])
                                : column->text[r] ? json_string(column->text[r])
                                                  : json_null());
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

typedef struct {
    const cli_column *columns;
    int n_columns;
    int64_t n_rows;
} table;

static nep_status write_table(nep_ctx *ctx, const char *path, void *user)
{
    const table *t = user;
    return cli_tabular_write(ctx, path, t->columns, t->n_columns, t->n_rows);
}

nep_status cli_tabular_emit(cli *c, const char *key, const cli_column *columns, int n_columns, int64_t n_rows,
                            json_t *extra)
{
    table t = {columns, n_columns, n_rows};
    nep_status st = NEP_OK;
    if (!cli_json(c) || cli_out(c))
        st = cli_emit(c, write_table, &t, NULL, extra ? json_incref(extra) : NULL);
    if (st == NEP_OK && cli_json(c)) {
        json_t *doc = json_pack("{s:o,s:o}", key, cli_tabular_json(columns, n_columns, n_rows), "provenance",
                                cli_provenance(c, NULL));
        if (doc && extra)
            json_object_update(doc, extra);
        st = cli_document(c, doc);
    }
    json_decref(extra);
    return st;
}
