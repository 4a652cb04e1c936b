/* SPDX-License-Identifier: Apache-2.0 */
/* subjects - subjects by features out of a TSV whose first column is their ids, or out of an AnnData file such as features.h5. */
#ifndef NEP_CLI_SUBJECTS_H
#define NEP_CLI_SUBJECTS_H

#include <nepenthe/data.h>

#include "cli/cli.h"

typedef struct {
    int64_t n, p;
    char **ids;     /* [n] distinct */
    char **columns; /* [p] distinct */
    float *x;       /* [n, p], NaN = missing */
} cli_subjects;
/* Empties it; a zeroed one is fine. */
void cli_subjects_free(cli_subjects *s);

/* Reads a table or an AnnData file (.h5, .h5ad). Errors: those of the readers; NEP_E_FORMAT (a subject or a column twice, a subject
 * without an id, no feature, an AnnData file without the names of its rows or columns, an infinite value). */
NEP_MUST_USE nep_status cli_subjects_read(nep_ctx *ctx, const char *path, cli_subjects *out);

/* Keeps the columns of these names, or whose names begin with one of them and a colon; n = 0 keeps all. Errors: NEP_E_ARG (a name
 * that no column answers to). */
NEP_MUST_USE nep_status cli_subjects_choose(nep_ctx *ctx, cli_subjects *s, const char *const *names, int n, const char *path);

/* Brings the columns into the order of `columns` [p] by name. Errors: NEP_E_SHAPE (one is not there; it is named). */
NEP_MUST_USE nep_status cli_subjects_align(nep_ctx *ctx, cli_subjects *s, char *const *columns, int64_t p, const char *path);

/* Index of a name among n, -1 when absent. */
int64_t cli_subjects_find(char *const *names, int64_t n, const char *name);

#endif
