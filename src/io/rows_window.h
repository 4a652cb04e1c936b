/* SPDX-License-Identifier: Apache-2.0 */
/* rows_window.h - the part of a stream of delimited text that is in memory: whole rows, checked. */
#ifndef NEP_IO_ROWS_WINDOW_H
#define NEP_IO_ROWS_WINDOW_H

#include "io/rows.h"

/* Checks text from .. end: UTF-8 without control characters. *stopped is behind what was checked; unless `last`, what needs bytes that are
 * yet to come is left. *line counts. Errors: NEP_E_FORMAT with the line. */
NEP_MUST_USE nep_status nep_rows_check(const nep_rows *r, const char *from, const char *end, bool last, int64_t *line, const char **stopped);

NEP_MUST_USE nep_status nep_rows_window_open(nep_rows *r, const char *path, int64_t bytes);
/* The next row is whole at r->at, or r->blanks empty lines come before it; *end: neither. Errors: those of nep_stream_some and of
 * nep_rows_check, NEP_E_NOMEM (a row too long for the budget, named by its line). */
NEP_MUST_USE nep_status nep_rows_window_next(nep_rows *r, bool *end);
/* The header's names, which lie in the window so far, get memory of their own. */
NEP_MUST_USE nep_status nep_rows_window_keep_header(nep_rows *r);
void nep_rows_window_free(nep_rows *r);

#endif
