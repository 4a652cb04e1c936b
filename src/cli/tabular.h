/* SPDX-License-Identifier: Apache-2.0 */
/* tabular - a result of text and number columns as TSV and, from the same columns, as JSON. */
#ifndef NEP_CLI_TABULAR_H
#define NEP_CLI_TABULAR_H

#include "cli/cli.h"

typedef struct {
    const char *name;
    const char *const *text; /* [rows], an entry may be NULL (n/a); or NULL: the column is numbers */
    const double *number;    /* [rows], NaN = n/a */
} cli_column;

/* Writes the columns: tab, header, n/a, numbers as %.9g. */
NEP_MUST_USE nep_status cli_tabular_write(nep_ctx *ctx, const char *path, const cli_column *columns,
                                          int n_columns, int64_t n_rows);
/* One object per row. New reference. */
json_t *cli_tabular_json(const cli_column *columns, int n_columns, int64_t n_rows);
/* What a command does with its table: the JSON document {key: rows, ...extra} with --json, the TSV to -o with
 * its sidecar, and the TSV to standard output when neither was asked for. Consumes extra (may be NULL). */
NEP_MUST_USE nep_status cli_tabular_emit(cli *c, const char *key, const cli_column *columns, int n_columns,
                                         int64_t n_rows, json_t *extra);

#endif
