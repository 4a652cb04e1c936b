/* SPDX-License-Identifier: Apache-2.0 */
/* xlsx.c - the candidate tables as a workbook: a sheet per disorder, one of sources, one of methods. */
#include "doc.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

enum { SHEET_NAME = 31, CELL_TEXT = 32767, SHEET_ROWS = 1048576, VERDICTS = 5 };
#define CREATED 315532800 /* 1980-01-01: equal inputs give equal bytes */

static const struct {
    const char *word;
    lxw_color_t fill, ink;
} verdict_colours[VERDICTS] = {
    {"supported", 0xD5EDE3, 0x0B5D44}, {"weak", 0xFBEFC9, 0x6B5200},           {"insufficient", 0xE7E9EC, 0x4A5058},
    {"gated", 0xE9DDF2, 0x59307A},     {"contraindicated", 0xF8D9D0, 0x8A2A10},
};

typedef struct {
    lxw_workbook *book;
    lxw_format *head, *number, *wrap, *bold, *simulated, *verdict[VERDICTS];
    lxw_error error; /* the first one */
} writer;

static void note(writer *w, lxw_error e)
{
    if (w->error == LXW_NO_ERROR)
        w->error = e;
}

/* Always a string cell, never a formula; cut at what a cell can hold. */
static void put_text(writer *w, lxw_worksheet *s, lxw_row_t row, lxw_col_t col, const char *text, lxw_format *format)
{
    char *cut = NULL;
    if (strlen(text) > CELL_TEXT) {
        size_t end = CELL_TEXT;
        while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
            end--;
        cut = strndup(text, end);
    }
    note(w, worksheet_write_string(s, row, col, cut ? cut : text, format));
    free(cut);
}

static lxw_format *verdict_format(const writer *w, const char *word)
{
    for (int i = 0; i < VERDICTS; i++)
        if (strcmp(word, verdict_colours[i].word) == 0)
            return w->verdict[i];
    return NULL;
}

static void put_value(writer *w, lxw_worksheet *s, lxw_row_t row, lxw_col_t col, const json_t *value)
{
    if (json_is_string(value))
        put_text(w, s, row, col, json_string_value(value), verdict_format(w, json_string_value(value)));
    else if (json_is_integer(value))
        note(w, worksheet_write_number(s, row, col, (double)json_integer_value(value), NULL));
    else if (json_is_real(value))
        note(w, worksheet_write_number(s, row, col, json_real_value(value), w->number));
    else if (json_is_boolean(value))
        note(w, worksheet_write_string(s, row, col, json_is_true(value) ? "yes" : "no", NULL));
}

/* A sheet name: at most 31 characters, none of []:*?/\, no apostrophe at an end, used once. */
static void sheet_name(const char *name, int index, char out[4 * SHEET_NAME])
{
    char clean[4 * 24 + 4];
    size_t n = 0, characters = 0;
    for (const char *c = name; *c && n + 4 < sizeof clean; c++) {
        const bool tail = ((unsigned char)*c & 0xC0) == 0x80;
        if (!tail && ++characters > 24)
            break;
        clean[n++] = strchr("[]:*?/\\'", *c) || (unsigned char)*c < 32 ? '_' : *c;
    }
    clean[n] = '\0';
    snprintf(out, 4 * SHEET_NAME, "%d %s", index + 1, clean);
}

static lxw_worksheet *add_sheet(writer *w, const char *name)
{
    lxw_worksheet *s = workbook_add_worksheet(w->book, name);
    if (!s)
        note(w, LXW_ERROR_MEMORY_MALLOC_FAILED);
    return s;
}

static void freeze_and_filter(writer *w, lxw_worksheet *s, lxw_row_t head, lxw_row_t last, lxw_col_t columns)
{
    worksheet_freeze_panes(s, head + 1, 4);
    note(w, worksheet_autofilter(s, head, 0, last > head ? last : head + 1, (lxw_col_t)(columns - 1)));
    note(w, worksheet_set_column(s, 0, 0, 7, NULL));
    note(w, worksheet_set_column(s, 1, 1, 13, NULL));
    note(w, worksheet_set_column(s, 2, 3, 26, NULL));
    note(w, worksheet_set_column(s, 4, (lxw_col_t)(columns - 1), 12, NULL));
    worksheet_set_landscape(s);
    worksheet_repeat_rows(s, head, head);
    worksheet_fit_to_pages(s, 1, 0);
}

static void write_disorder(writer *w, const json_t *doc, const json_t *disorder, int index)
{
    const json_t *channels = json_object_get(doc, "channels");
    const lxw_col_t columns = (lxw_col_t)(NEP_CANDIDATES_COLUMNS + json_array_size(channels));
    char name[4 * SHEET_NAME];
    size_t i, k;
    json_t *ch, *row;
    sheet_name(nep_doc_get_text(disorder, "name"), index, name);
    lxw_worksheet *s = add_sheet(w, name);
    if (!s)
        return;
    lxw_row_t r = 0;
    if (json_is_true(json_object_get(disorder, "simulated")))
        put_text(w, s, r++, 0, "SIMULATED DATA: no patient was measured and no conclusion about a disorder follows", w->simulated);
    const lxw_row_t head = r;
    for (int c = 0; c < NEP_CANDIDATES_COLUMNS; c++)
        put_text(w, s, head, (lxw_col_t)c, nep_candidates_columns[c], w->head);
    json_array_foreach(channels, i, ch)
        put_text(w, s, head, (lxw_col_t)(NEP_CANDIDATES_COLUMNS + i), nep_doc_get_text(ch, "name"), w->head);
    json_array_foreach(json_object_get(disorder, "candidates"), k, row)
    {
        r++;
        for (int c = 0; c < NEP_CANDIDATES_COLUMNS; c++)
            put_value(w, s, r, (lxw_col_t)c, json_object_get(row, nep_candidates_columns[c]));
        json_array_foreach(channels, i, ch)
            put_value(w, s, r, (lxw_col_t)(NEP_CANDIDATES_COLUMNS + i),
                      json_object_get(json_object_get(row, "contribution"), nep_doc_get_text(ch, "name")));
    }
    freeze_and_filter(w, s, head, r, columns);
}

static const char *const source_columns[] = {"drug_id", "name",     "target",         "target_name", "p_affinity", "p_se",
                                             "occupancy", "action", "partial",        "censored",    "n_measurements", "type",
                                             "species", "source",   "licence"};

static void write_source_row(writer *w, lxw_worksheet *s, lxw_row_t r, const json_t *drug, const json_t *target,
                             const json_t *row)
{
    put_value(w, s, r, 0, json_object_get(drug, "id"));
    put_value(w, s, r, 1, json_object_get(drug, "name"));
    put_value(w, s, r, 2, json_object_get(target, "symbol"));
    put_value(w, s, r, 3, json_object_get(target, "name"));
    for (int c = 4; c < NEP_LEN(source_columns); c++)
        put_value(w, s, r, (lxw_col_t)c, json_object_get(row, source_columns[c]));
}

static void write_sources(writer *w, const json_t *doc)
{
    const json_t *targets = json_object_get(doc, "targets");
    lxw_worksheet *s = add_sheet(w, "Sources");
    lxw_row_t r = 0;
    size_t i, k;
    json_t *drug, *row;
    if (!s)
        return;
    for (int c = 0; c < NEP_LEN(source_columns); c++)
        put_text(w, s, 0, (lxw_col_t)c, source_columns[c], w->head);
    json_array_foreach(json_object_get(doc, "drugs"), i, drug)
        json_array_foreach(json_object_get(drug, "targets"), k, row)
    {
        if (++r >= SHEET_ROWS) {
            note(w, LXW_ERROR_WORKSHEET_INDEX_OUT_OF_RANGE);
            return;
        }
        const size_t t = (size_t)json_integer_value(json_object_get(row, "target"));
        write_source_row(w, s, r, drug, json_array_get(targets, t), row);
    }
    freeze_and_filter(w, s, 0, r, NEP_LEN(source_columns));
}

static void write_pair(writer *w, lxw_worksheet *s, lxw_row_t *r, const char *left, const char *right, const char *third)
{
    put_text(w, s, *r, 0, left, w->bold);
    put_text(w, s, *r, 1, right, w->wrap);
    put_text(w, s, (*r)++, 2, third, w->wrap);
}

static void write_methods(writer *w, const json_t *doc)
{
    lxw_worksheet *s = add_sheet(w, "Methods");
    lxw_row_t r = 1;
    size_t i;
    json_t *o;
    if (!s)
        return;
    put_text(w, s, 0, 0, "section", w->head);
    put_text(w, s, 0, 1, "text", w->head);
    put_text(w, s, 0, 2, "source", w->head);
    json_array_foreach(json_object_get(doc, "disorders"), i, o)
        write_pair(w, s, &r, nep_doc_get_text(o, "name"), nep_doc_get_text(o, "trust"), nep_doc_get_text(o, "id"));
    json_array_foreach(json_object_get(doc, "methods"), i, o)
        write_pair(w, s, &r, nep_doc_get_text(o, "heading"), nep_doc_get_text(o, "text"), nep_doc_get_text(o, "source"));
    json_array_foreach(json_object_get(doc, "licences"), i, o) write_pair(w, s, &r, "Licence", json_string_value(o), "");
    json_array_foreach(json_object_get(doc, "warnings"), i, o) write_pair(w, s, &r, "Warning", json_string_value(o), "");
    if (json_array_size(json_object_get(doc, "warnings")) == 0)
        write_pair(w, s, &r, "Warning", "none", "");
    char *provenance = json_dumps(json_object_get(doc, "provenance"), JSON_INDENT(1) | JSON_REAL_PRECISION(NEP_DOC_PRECISION));
    if (provenance)
        write_pair(w, s, &r, "Provenance", provenance, "");
    else
        note(w, LXW_ERROR_MEMORY_MALLOC_FAILED);
    free(provenance);
    note(w, worksheet_set_column(s, 0, 0, 28, NULL));
    note(w, worksheet_set_column(s, 1, 1, 110, NULL));
    note(w, worksheet_set_column(s, 2, 2, 50, NULL));
    worksheet_freeze_panes(s, 1, 0);
}

static void add_formats(writer *w)
{
    w->head = workbook_add_format(w->book);
    format_set_bold(w->head);
    format_set_bg_color(w->head, 0x1F2D3D);
    format_set_font_color(w->head, LXW_COLOR_WHITE);
    w->bold = workbook_add_format(w->book);
    format_set_bold(w->bold);
    format_set_align(w->bold, LXW_ALIGN_VERTICAL_TOP);
    w->number = workbook_add_format(w->book);
    format_set_num_format(w->number, "0.000");
    w->wrap = workbook_add_format(w->book);
    format_set_text_wrap(w->wrap);
    format_set_align(w->wrap, LXW_ALIGN_VERTICAL_TOP);
    w->simulated = workbook_add_format(w->book);
    format_set_bold(w->simulated);
    format_set_font_color(w->simulated, 0x8A2A10);
    for (int i = 0; i < VERDICTS; i++) {
        w->verdict[i] = workbook_add_format(w->book);
        format_set_bg_color(w->verdict[i], verdict_colours[i].fill);
        format_set_font_color(w->verdict[i], verdict_colours[i].ink);
    }
}

static void write_book(writer *w, const json_t *doc)
{
    lxw_doc_properties about = {.title = (char *)(uintptr_t) "Nepenthe candidates", .created = CREATED};
    size_t i;
    json_t *disorder;
    add_formats(w);
    note(w, workbook_set_properties(w->book, &about));
    json_array_foreach(json_object_get(doc, "disorders"), i, disorder) write_disorder(w, doc, disorder, (int)i);
    write_methods(w, doc);
    write_sources(w, doc);
}

nep_status nep_xlsx_write(nep_ctx *ctx, const json_t *doc, const char *path)
{
    nep_file *f = NULL;
    writer w = {0};
    nep_status st;
    NEP_TRY(nep_file_create(ctx, path, &f));
    w.book = workbook_new(nep_file_temporary(f));
    NEP_REQUIRE_OR_DONE(st, ctx, w.book != NULL, NEP_E_NOMEM, "%s: memory ran out while the workbook was made", path);
    write_book(&w, doc);
    const lxw_error closed = workbook_close(w.book);
    note(&w, closed);
    NEP_REQUIRE_OR_DONE(st, ctx, w.error == LXW_NO_ERROR, NEP_E_IO, "%s: the workbook could not be written (%s)", path,
                        lxw_strerror(w.error));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}
