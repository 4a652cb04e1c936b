/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - the strict reader of delimited text under tsv.c: one row of cells at a time, in place. */
#ifndef NEP_IO_ROWS_H
#define NEP_IO_ROWS_H

#include <nepenthe/core.h>

typedef struct {
    nep_ctx *ctx;
    const char *path; /* for sentences */
    char *text, *at, *end;
    struct nep_rows_window *window; /* of a stream; NULL = text is the whole table */
    int64_t blanks;                 /* empty lines of a stream that were passed and are yet to be told */
    bool csv;
    int64_t line; /* of the row last read, 1 = header */
    int64_t n_cols;
    char **header; /* [n_cols], into text */
    char **cells;  /* [n_cols] of the row last read, NULL = missing */
    int64_t lines_passed;
} nep_rows;

/* Reads the file whole (inflated when gzip), checks the UTF-8 and the header. Errors as nep_tsv_read. */
NEP_MUST_USE nep_status nep_rows_open(nep_ctx *ctx, const char *path, nep_rows *out);
/* The same from bytes that are copied; csv by the name. */
NEP_MUST_USE nep_status nep_rows_open_bytes(nep_ctx *ctx, const char *name, const void *bytes, int64_t n,
                                            nep_rows *out);
/* The same as a stream: memory for a window (a MiB, or the longest row; bytes of the first one, 0 = usual), and for what nep_stream_open
 * takes. The text is checked as it comes. name: for sentences and csv, NULL = path. Errors: also those of a row that passes the budget. */
NEP_MUST_USE nep_status nep_rows_open_stream(nep_ctx *ctx, const char *path, const char *name, int64_t window, nep_rows *out);
/* Next row into cells, which a stream lends until the next call; *more is false after the last. */
NEP_MUST_USE nep_status nep_rows_next(nep_rows *r, bool *more);
/* A cell of the present row as a finite number, NaN when missing. Errors: NEP_E_FORMAT with line and column.
 */
NEP_MUST_USE nep_status nep_rows_number(const nep_rows *r, int64_t col, double *out);
/* Column by name, -1 when absent. */
int64_t nep_rows_find(const nep_rows *r, const char *name);
void nep_rows_free(nep_rows *r);

/* Decimal text to double, correctly rounded; *end as strtod. */
double nep_rows_strtod(const char *text, char **end);

/* Length of the UTF-8 sequence at s, 0 when it is none (RFC 3629: no surrogates, no overlong forms). */
int nep_rows_sequence(const unsigned char *s, const unsigned char *end);

/* NEP_E_FORMAT when two of the n names are equal; `what` is "column" or "region". */
NEP_MUST_USE nep_status nep_rows_distinct(nep_ctx *ctx, const char *path, const char *what,
                                          char *const *names, int64_t n);

#endif
