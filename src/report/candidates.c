/* SPDX-License-Identifier: Apache-2.0 */
/* candidates.c - the candidate table as TSV and as CSV (RFC 4180: CRLF, quotes, BOM; formulas made harmless). */
#include "doc.h"

#include <math.h>
#include <string.h>

const char *const nep_candidates_columns[NEP_CANDIDATES_COLUMNS] = {
    "rank",      "disorder", "drug_id", "name",       "score",     "score_low", "score_high",
    "rank_low",  "rank_high", "p_top10", "verdict",   "n_channels", "n_targets", "flags"};

/* A text cell that a spreadsheet would run as a formula gets an apostrophe in front. */
static bool formula(const char *text)
{
    return *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
}

static nep_status write_csv_text(nep_file *f, const char *text)
{
    const bool guard = formula(text), quote = guard || strpbrk(text, ",\"\r\n") != NULL;
    if (!quote)
        return nep_file_write(f, text, strlen(text));
    NEP_TRY(nep_file_write(f, "\"'", guard ? 2 : 1));
    for (const char *c = text; *c; c++)
        NEP_TRY(nep_file_write(f, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1));
    return nep_file_write(f, "\"", 1);
}

/* Tabs and line ends cannot stand in a TSV cell: each becomes a blank. */
static nep_status write_tsv_text(nep_file *f, const char *text)
{
    if (!*text)
        text = "n/a";
    for (const char *c = text; *c; c++)
        NEP_TRY(nep_file_write(f, strchr("\t\r\n", *c) ? " " : c, 1));
    return NEP_OK;
}

static nep_status write_text(nep_file *f, const char *text, bool csv)
{
    return csv ? write_csv_text(f, text) : write_tsv_text(f, text);
}

static nep_status write_value(nep_file *f, const json_t *value, bool csv)
{
    if (json_is_string(value))
        return write_text(f, json_string_value(value), csv);
    if (json_is_integer(value))
        return nep_file_printf(f, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return nep_file_printf(f, "%.6g", json_real_value(value));
    return csv ? NEP_OK : nep_file_write(f, "n/a", 3);
}

static nep_status write_row(nep_file *f, const json_t *row, const json_t *channels, bool csv)
{
    const char *gap = csv ? "," : "\t";
    const json_t *contribution = json_object_get(row, "contribution");
    size_t i;
    json_t *ch;
    for (int c = 0; c < NEP_CANDIDATES_COLUMNS; c++) {
        if (c > 0)
            NEP_TRY(nep_file_write(f, gap, 1));
        NEP_TRY(write_value(f, json_object_get(row, nep_candidates_columns[c]), csv));
    }
    json_array_foreach(channels, i, ch)
    {
        NEP_TRY(nep_file_write(f, gap, 1));
        NEP_TRY(write_value(f, json_object_get(contribution, nep_doc_get_text(ch, "name")), csv));
    }
    return nep_file_write(f, csv ? "\r\n" : "\n", csv ? 2 : 1);
}

static nep_status write_header(nep_file *f, const json_t *channels, bool csv)
{
    size_t i;
    json_t *ch;
    if (csv)
        NEP_TRY(nep_file_write(f, "\xEF\xBB\xBF", 3));
    for (int c = 0; c < NEP_CANDIDATES_COLUMNS; c++)
        NEP_TRY(nep_file_printf(f, "%s%s", c == 0 ? "" : csv ? "," : "\t", nep_candidates_columns[c]));
    json_array_foreach(channels, i, ch)
    {
        NEP_TRY(nep_file_write(f, csv ? "," : "\t", 1));
        NEP_TRY(write_text(f, nep_doc_get_text(ch, "name"), csv));
    }
    return nep_file_write(f, csv ? "\r\n" : "\n", csv ? 2 : 1);
}

static nep_status write_rows(nep_file *f, const json_t *doc, bool csv)
{
    const json_t *channels = json_object_get(doc, "channels");
    size_t d, k;
    json_t *disorder, *row;
    NEP_TRY(write_header(f, channels, csv));
    json_array_foreach(json_object_get(doc, "disorders"), d, disorder)
        json_array_foreach(json_object_get(disorder, "candidates"), k, row) NEP_TRY(write_row(f, row, channels, csv));
    return NEP_OK;
}

nep_status nep_candidates_write(nep_ctx *ctx, const json_t *doc, const char *path, bool csv)
{
    nep_file *f = NULL;
    nep_status st;
    NEP_TRY(nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, write_rows(f, doc, csv));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}
