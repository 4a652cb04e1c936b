/* SPDX-License-Identifier: Apache-2.0 */
/* table - cells of text with typed access whose errors name file, line and column. */
#include <nepenthe/data.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

void nep_table_free(nep_table *t)
{
    nep_alloc_free(t->header);
    nep_alloc_free(t->cells);
    nep_alloc_free(t->text);
    nep_alloc_free(t->path);
    *t = (nep_table){0};
}

int64_t nep_table_column(const nep_table *t, const char *name)
{
    for (int64_t c = 0; c < t->n_cols; c++)
        if (strcmp(t->header[c], name) == 0)
            return c;
    return -1;
}

const char *nep_table_cell(const nep_table *t, int64_t row, int64_t col)
{
    return t->cells[row * t->n_cols + col];
}

nep_status nep_table_need(nep_ctx *ctx, const nep_table *t, const char *name, int64_t *col)
{
    const int64_t c = nep_table_column(t, name);
    if (c < 0) {
        const char *near = nep_data_nearest(name, (const char *const *)t->header, t->n_cols);
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "%s: has no column '%s'%s%s%s; add it or rename one", t->path, name,
                                 near ? " (nearest: '" : "", near ? near : "", near ? "')" : "");
    }
    *col = c;
    return NEP_OK;
}

nep_status nep_table_number(nep_ctx *ctx, const nep_table *t, int64_t row, int64_t col, double *out)
{
    const char *cell = nep_table_cell(t, row, col);
    if (!cell) {
        *out = (double)NAN;
        return NEP_OK;
    }
    char *end;
    const double v = strtod(cell, &end);
    if (end == cell || *end != '\0')
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "%s: line %lld, column '%s': '%.40s' is not a number; use n/a for missing",
                                 t->path, (long long)row + 2, t->header[col], cell);
    *out = v;
    return NEP_OK;
}
