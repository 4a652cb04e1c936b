/* SPDX-License-Identifier: Apache-2.0 */
/* rows - delimited text, read strictly: UTF-8, a header, every row as wide as the header, no two columns
 * alike. */
#include "io/rows_window.h"

#include "io/gzip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const int64_t text_limit = (int64_t)2 << 30; /* of a plain table */
static const int64_t inflated_limit = (int64_t)256
                                      << 20; /* of a compressed one: a few bytes can inflate to anything */

static bool ends_with(const char *text, const char *tail)
{
    const size_t n = strlen(text), m = strlen(tail);
    return n >= m && strcmp(text + n - m, tail) == 0;
}

int nep_rows_sequence(const unsigned char *s, const unsigned char *end)
{
    if (s[0] < 0x80)
        return 1;
    const int n = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
                  : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                  : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                                : 0;
    if (!n || end - s < n)
        return 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

/* All text is checked once, so that no cell needs a second look. */
nep_status nep_rows_check(const nep_rows *r, const char *from, const char *to, bool last, int64_t *line, const char **stopped)
{
    const unsigned char *s = (const unsigned char *)from, *end = (const unsigned char *)to;
    while (s < end) {
        if (!last && ((*s == '\r' && s + 1 == end) || (*s >= 0x80 && end - s < 4)))
            break;
        *line += *s == '\n';
        if (*s < ' ' && *s != '\t' && *s != '\n' && !(*s == '\r' && s + 1 < end && s[1] == '\n'))
            return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path, "%s: line %lld: byte 0x%02x does not belong in a text table", r->path,
                                     (long long)*line, *s);
        const int n = nep_rows_sequence(s, end);
        if (!n)
            return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path, "%s: line %lld: byte 0x%02x is not UTF-8; save the table as UTF-8", r->path,
                                     (long long)*line, *s);
        s += n;
    }
    *stopped = (const char *)s;
    return NEP_OK;
}

static nep_status bad_quote(const nep_rows *r, const char *what)
{
    return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path,
                             "%s: line %lld: %s; quote the whole cell and double the quotes inside it",
                             r->path, (long long)r->line, what);
}

/* A quoted CSV cell at r->at, unescaped in place; leaves r->at on what ends it. */
static nep_status quoted(nep_rows *r, char **cell)
{
    char *to = r->at++, *start = to;
    for (;;) {
        if (r->at >= r->end)
            return bad_quote(r, "a quoted cell is not closed");
        if (*r->at == '"') {
            if (r->at + 1 < r->end && r->at[1] == '"')
                r->at++;
            else
                break;
        }
        r->lines_passed += *r->at == '\n';
        *to++ = *r->at++;
    }
    r->at++;
    if (r->at < r->end && *r->at != ',' && *r->at != '\n' && *r->at != '\r')
        return bad_quote(r, "text follows a closing quote");
    *to = '\0';
    *cell = start;
    return NEP_OK;
}

/* One cell; *last tells whether the row ends with it. */
static nep_status cell_at(nep_rows *r, char **cell, bool *last)
{
    const char mark = r->csv ? ',' : '\t';
    if (r->csv && r->at < r->end && *r->at == '"') {
        NEP_TRY(quoted(r, cell));
    } else {
        *cell = r->at;
        while (r->at < r->end && *r->at != mark && *r->at != '\n' && *r->at != '\r') {
            if (r->csv && *r->at == '"')
                return bad_quote(r, "a quote stands inside a cell");
            r->at++;
        }
    }
    char *stop = r->at;
    *last = stop >= r->end || *stop != mark;
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    if (r->at < r->end) {
        r->lines_passed += *last;
        r->at++;
    }
    *stop = '\0'; /* the text has a NUL past its end */
    return NEP_OK;
}

static bool only_newlines(const nep_rows *r)
{
    for (const char *c = r->at; c < r->end; c++)
        if (*c != '\n' && *c != '\r')
            return false;
    return true;
}

/* Whether no row is left. */
static nep_status at_end(nep_rows *r, bool *end)
{
    if (r->window)
        return nep_rows_window_next(r, end);
    *end = only_newlines(r);
    return NEP_OK;
}

static nep_status read_header(nep_rows *r)
{
    int64_t room = 0;
    bool last = false, end;
    if (r->end - r->at >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0)
        r->at += 3;
    NEP_TRY(at_end(r, &end));
    if (end)
        return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path, "%s: is empty; a header line is needed",
                                 r->path);
    r->line = 1;
    while (!last) {
        if (r->n_cols == room) {
            room = 2 * room + 16;
            NEP_TRY(nep_alloc_grow(r->ctx, room, sizeof *r->header, "table header", &r->header));
        }
        char *name = NULL;
        if (r->blanks == 0)
            NEP_TRY(cell_at(r, &name, &last));
        if (!name || !*name)
            return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path,
                                     "%s: column %lld has no name; name it or remove it", r->path,
                                     (long long)r->n_cols + 1);
        r->header[r->n_cols++] = name;
    }
    return nep_rows_distinct(r->ctx, r->path, "column", r->header, r->n_cols);
}

static nep_status start(nep_rows *r, int64_t n)
{
    const char *stopped;
    int64_t line = 1;
    r->at = r->text;
    r->end = r->text + n;
    NEP_TRY(nep_rows_check(r, r->at, r->end, true, &line, &stopped));
    NEP_TRY(read_header(r));
    return nep_alloc(r->ctx, r->n_cols, sizeof *r->cells, "table row", &r->cells);
}

static nep_status inflate_text(nep_rows *r, int64_t *n)
{
    char *inflated = NULL;
    NEP_TRY(nep_gzip_inflate(r->ctx, r->path, r->text, *n, inflated_limit, &inflated, n));
    nep_alloc_free(r->text);
    r->text = inflated;
    return NEP_OK;
}

nep_status nep_rows_open(nep_ctx *ctx, const char *path, nep_rows *out)
{
    nep_rows r = {.ctx = ctx, .path = strcmp(path, "-") == 0 ? "stdin" : path};
    int64_t n = 0;
    nep_status st;
    r.csv = ends_with(path, ".csv") || ends_with(path, ".csv.gz");
    NEP_TRY_OR_DONE(st, nep_file_read(ctx, path, text_limit, &r.text, &n));
    if (nep_gzip_is(r.text, n))
        NEP_TRY_OR_DONE(st, inflate_text(&r, &n));
    NEP_TRY_OR_DONE(st, start(&r, n));
    *out = r;
    r = (nep_rows){0};
done:
    nep_rows_free(&r);
    return st;
}

nep_status nep_rows_open_bytes(nep_ctx *ctx, const char *name, const void *bytes, int64_t n, nep_rows *out)
{
    nep_rows r = {.ctx = ctx, .path = name};
    nep_status st;
    r.csv = ends_with(name, ".csv");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n + 1, 1, "table text", &r.text));
    if (n > 0)
        memcpy(r.text, bytes, (size_t)n);
    NEP_TRY_OR_DONE(st, start(&r, n));
    *out = r;
    r = (nep_rows){0};
done:
    nep_rows_free(&r);
    return st;
}

nep_status nep_rows_open_stream(nep_ctx *ctx, const char *path, const char *name, int64_t window, nep_rows *out)
{
    const char *called = name ? name : path;
    nep_rows r = {.ctx = ctx, .path = strcmp(called, "-") == 0 ? "stdin" : called};
    nep_status st;
    r.csv = ends_with(called, ".csv") || ends_with(called, ".csv.gz");
    NEP_TRY_OR_DONE(st, nep_rows_window_open(&r, path, window));
    NEP_TRY_OR_DONE(st, read_header(&r));
    NEP_TRY_OR_DONE(st, nep_rows_window_keep_header(&r));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, r.n_cols, sizeof *r.cells, "table row", &r.cells));
    *out = r;
    r = (nep_rows){0};
done:
    nep_rows_free(&r);
    return st;
}

nep_status nep_rows_next(nep_rows *r, bool *more)
{
    bool end, last = false;
    int64_t n = 0;
    *more = false;
    r->line = 1 + r->lines_passed;
    NEP_TRY(at_end(r, &end));
    if (end)
        return NEP_OK;
    if (r->blanks > 0) { /* an empty line: a row of one missing cell */
        r->blanks--;
        r->lines_passed++;
        r->cells[n++] = NULL;
        last = true;
    }
    while (!last) {
        char *cell = NULL;
        NEP_TRY(cell_at(r, &cell, &last));
        if (n < r->n_cols)
            r->cells[n] = *cell && strcmp(cell, "n/a") != 0 ? cell : NULL;
        n++;
    }
    if (n != r->n_cols)
        return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path,
                                 "%s: line %lld has %lld cells, the header has %lld; mend that line", r->path,
                                 (long long)r->line, (long long)n, (long long)r->n_cols);
    *more = true;
    return NEP_OK;
}

double nep_rows_strtod(const char *text, char **end)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *c = text + (*text == '-');
    uint64_t digits = 0;
    int n = 0, fraction = 0;
    const char *first = c;
    for (; *c >= '0' && *c <= '9' && n < 19; c++, n++)
        digits = digits * 10 + (uint64_t)(*c - '0');
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9' && n < 19; c++, n++, fraction++)
            digits = digits * 10 + (uint64_t)(*c - '0');
    /* Exact when the digits fit 53 bits and the power of ten is exact: one rounding. All else is strtod's. */
    if (*c != '\0' || n == 0 || c == first || digits > (uint64_t)1 << 53 || fraction > 22)
        return strtod(text, end);
    *end = (char *)(uintptr_t)c;
    const double v = (double)digits / power[fraction];
    return *text == '-' ? -v : v;
}

/* strtod takes hexadecimal, blanks and "infinity" too. */
static bool decimal(const char *cell)
{
    return cell[strspn(cell, "0123456789+-.eE")] == '\0' || strcasecmp(cell, "nan") == 0;
}

nep_status nep_rows_number(const nep_rows *r, int64_t col, double *out)
{
    const char *cell = r->cells[col];
    char *end;
    *out = (double)NAN;
    if (!cell)
        return NEP_OK;
    const double v = nep_rows_strtod(cell, &end);
    if (end == cell || *end != '\0' || isinf(v) || !decimal(cell))
        return nep_ctx_fail_file(
            r->ctx, NEP_E_FORMAT, r->path,
            "%s: line %lld, column '%.60s': '%.40s' is not a finite number; use n/a for missing", r->path,
            (long long)r->line, r->header[col], cell);
    *out = v;
    return NEP_OK;
}

int64_t nep_rows_find(const nep_rows *r, const char *name)
{
    for (int64_t c = 0; c < r->n_cols; c++)
        if (strcmp(r->header[c], name) == 0)
            return c;
    return -1;
}

void nep_rows_free(nep_rows *r)
{
    nep_rows_window_free(r);
    nep_alloc_free(r->text);
    nep_alloc_free(r->header);
    nep_alloc_free(r->cells);
    *r = (nep_rows){0};
}

static int by_text(const void *a, const void *b)
{
    char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

nep_status nep_rows_distinct(nep_ctx *ctx, const char *path, const char *what, char *const *names, int64_t n)
{
    char **sorted = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc_copy(ctx, names, n, sizeof *sorted, "names", &sorted));
    qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    for (int64_t i = 1; i < n && st == NEP_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path,
                                   "%s: the %s '%.80s' stands there twice; rename or remove one", path, what,
                                   sorted[i]);
    nep_alloc_free(sorted);
    return st;
}
