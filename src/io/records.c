/* SPDX-License-Identifier: Apache-2.0 */
/* records - molecules of a .smi, .sdf, .csv or .tsv cut apart one record at a time, in bounded memory. */
#include <nepenthe/io.h>

#include "io/stream.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { block_bytes = 64 << 10, most_record = 4 << 20 };
typedef enum { SMI, SDF, CSV, TSV, FORMATS } format;
static const char *const format_names[FORMATS] = {"smi", "sdf", "csv", "tsv"};

struct nep_records {
    nep_ctx *ctx;
    nep_stream *stream;
    char *path, *id_field; /* id_field: sdf, or NULL */
    format format;
    int64_t smiles, id; /* columns; id -1 = none */
    int64_t n_columns;

    char *block;
    int64_t at, n; /* of the block */
    bool ended;
    int64_t line; /* lines read */

    char *text;    /* the record, NUL-ended */
    int64_t length, room;
    bool too_long; /* what went past most_record was dropped */
    bool mol_ended, wants_id, holds_nul; /* sdf: past M  END; the next line is the id. */
    char *id_text;
    int64_t id_room;
};

/* ---- lines ---- */

static nep_status append(nep_records *r, const char *bytes, int64_t n)
{
    if (r->length + n > most_record) {
        r->too_long = true;
        n = most_record - r->length;
    }
    if (r->length + n + 1 > r->room) {
        r->room = 2 * (r->length + n) + 4096;
        NEP_TRY(nep_alloc_grow(r->ctx, r->room, 1, "record", &r->text));
    }
    memcpy(r->text + r->length, bytes, (size_t)n);
    r->length += n;
    r->text[r->length] = '\0';
    return NEP_OK;
}

static nep_status fill(nep_records *r)
{
    if (r->at < r->n || r->ended)
        return NEP_OK;
    r->at = 0;
    NEP_TRY(nep_stream_some(r->stream, r->block, block_bytes, &r->n));
    r->ended = r->n == 0;
    return NEP_OK;
}

/* One more line to the end of the record, without its line end; *more is false when there is none. */
static nep_status add_line(nep_records *r, bool *more)
{
    NEP_TRY(fill(r));
    *more = !r->ended;
    if (r->ended)
        return NEP_OK;
    r->line++;
    for (;;) {
        const char *from = r->block + r->at;
        const char *stop = memchr(from, '\n', (size_t)(r->n - r->at));
        const int64_t n = stop ? stop - from : r->n - r->at;
        NEP_TRY(append(r, from, n));
        r->at += n + (stop != NULL);
        if (stop)
            break;
        NEP_TRY(fill(r));
        if (r->ended)
            break;
    }
    if (r->length > 0 && r->text[r->length - 1] == '\r')
        r->text[--r->length] = '\0';
    return NEP_OK;
}

static nep_status start(nep_records *r)
{
    r->length = 0;
    r->too_long = r->mol_ended = r->wants_id = false;
    return append(r, "", 0);
}

/* ---- ids ---- */

static nep_status keep_id(nep_records *r, const char *text, size_t n)
{
    while (n > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        n--;
    }
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\r'))
        n--;
    if ((int64_t)n + 1 > r->id_room) {
        r->id_room = (int64_t)(2 * n) + 64;
        NEP_TRY(nep_alloc_grow(r->ctx, r->id_room, 1, "id", &r->id_text));
    }
    memcpy(r->id_text, text, n);
    r->id_text[n] = '\0';
    return NEP_OK;
}

/* Length of the UTF-8 sequence at s, 0 when it is none. */
static int sequence(const unsigned char *s)
{
    const int n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    for (int k = 1; k < n; k++)
        if ((s[k] & 0xc0) != 0x80)
            return 0;
    const bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    const bool outside = (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f);
    return overlong || outside ? 0 : n;
}

static const char *problem_of_id(const char *id)
{
    if (strlen(id) > 1000)
        return "its id is longer than 1000 bytes";
    for (const unsigned char *s = (const unsigned char *)id; *s;) {
        const int n = sequence(s);
        if (n == 0)
            return "its id is not UTF-8";
        if (*s < ' ' || *s == 0x7f)
            return "its id holds a control character";
        s += n;
    }
    return NULL;
}

/* ---- .smi ---- */

static nep_status next_smi(nep_records *r, nep_record *out, bool *more)
{
    size_t word;
    do {
        NEP_TRY(start(r));
        NEP_TRY(add_line(r, more));
        if (!*more)
            return NEP_OK;
        word = strcspn(r->text, " \t");
    } while (r->length == 0 || r->text[0] == '#' || r->text[strspn(r->text, " \t")] == '\0' ||
             (r->line == 1 && word == 6 && strncasecmp(r->text, "smiles", 6) == 0));
    out->line = r->line;
    const char *rest = r->text + word;
    rest += strspn(rest, " \t");
    if (*rest == '|') { /* CXSMILES: what stands between two bars is no id */
        const char *bar = strchr(rest + 1, '|');
        rest = bar ? bar + 1 + strspn(bar + 1, " \t") : rest;
    }
    NEP_TRY(keep_id(r, rest, strcspn(rest, "\t")));
    out->problem = word == 0                                      ? "it begins with a blank, where its SMILES should be"
                   : (int64_t)strlen(r->text) != r->length ? "it holds a NUL byte"
                                                           : NULL;
    r->text[word] = '\0';
    out->n_bytes = (int64_t)word;
    return NEP_OK;
}

/* ---- .sdf ---- */

/* "> 12 <NAME> (7)" names the field whose first line of value follows. */
static bool is_field(const char *line, const char *name)
{
    const char *open = line[0] == '>' && name ? strchr(line, '<') : NULL;
    const char *close = open ? strchr(open, '>') : NULL;
    return close && (size_t)(close - open - 1) == strlen(name) && strncmp(open + 1, name, strlen(name)) == 0;
}

/* One line of a record; only what lies before M  END stays in the text. */
static nep_status sdf_line(nep_records *r, int64_t from, bool first)
{
    const char *line = r->text + from;
    if ((int64_t)strlen(line) != r->length - from)
        r->holds_nul = true;
    if (first && !r->id_field)
        NEP_TRY(keep_id(r, line, strlen(line)));
    if (r->wants_id)
        NEP_TRY(keep_id(r, line, strlen(line)));
    r->wants_id = r->mol_ended && is_field(line, r->id_field);
    if (r->mol_ended) {
        r->length = from;
        r->text[from] = '\0';
        return NEP_OK;
    }
    r->mol_ended = strncmp(line, "M  END", 6) == 0;
    return append(r, "\n", 1);
}

static nep_status next_sdf(nep_records *r, nep_record *out, bool *more)
{
    bool any = false, line = true, closed = false;
    NEP_TRY(start(r));
    NEP_TRY(keep_id(r, "", 0));
    r->holds_nul = false;
    out->line = r->line + 1;
    for (bool first = true; !closed; first = false) {
        if (r->too_long) { /* nobody will read it; $$$$ must still be seen */
            r->length = 0;
            r->text[0] = '\0';
        }
        const int64_t from = r->length;
        NEP_TRY(add_line(r, &line));
        if (!line)
            break;
        closed = strncmp(r->text + from, "$$$$", 4) == 0;
        any = any || closed || r->length > from;
        if (closed) {
            r->length = from;
            r->text[from] = '\0';
        } else {
            NEP_TRY(sdf_line(r, from, first));
        }
    }
    *more = any; /* blank lines after the last $$$$ are no record */
    out->problem = r->holds_nul ? "it holds a NUL byte" : !r->mol_ended ? "its mol block has no line 'M  END'" : NULL;
    out->n_bytes = r->length;
    return NEP_OK;
}

/* ---- .csv, .tsv ---- */

/* Appends lines until the quotes of a CSV record are even. */
static nep_status add_row(nep_records *r, bool *more)
{
    bool odd = false, go_on = true;
    *more = false;
    while (go_on) {
        const int64_t from = r->length;
        NEP_TRY(add_line(r, &go_on));
        if (!go_on)
            break;
        *more = true;
        for (int64_t i = from; i < r->length && r->format == CSV; i++)
            odd ^= r->text[i] == '"';
        go_on = odd && !r->too_long;
        if (go_on)
            NEP_TRY(append(r, "\n", 1));
    }
    return NEP_OK;
}

/* The cell at *at, its quotes taken away in place; *at goes to the next, NULL after the last. False: its quotes are wrong. */
static bool take_cell(char **at, char mark, bool quotes, char **cell)
{
    char *from = *at, *to = from;
    *cell = from;
    if (quotes && *from == '"') {
        for (from++; *from && !(*from == '"' && from[1] != '"'); from++) {
            from += *from == '"';
            *to++ = *from;
        }
        if (*from != '"')
            return false;
        from++;
        if (*from != mark && *from != '\0')
            return false;
    } else {
        while (*from && *from != mark) {
            if (quotes && *from == '"')
                return false;
            from++;
        }
        to = from;
    }
    *at = *from == mark ? from + 1 : NULL;
    *to = '\0';
    return true;
}

static bool is_one_of(const char *name, const char *given, const char *const *usual)
{
    if (given)
        return strcmp(name, given) == 0;
    for (; *usual; usual++)
        if (strcasecmp(name, *usual) == 0)
            return true;
    return false;
}

static nep_status read_header(nep_records *r, const nep_records_opts *o)
{
    static const char *const smiles[] = {"smiles", "canonical_smiles", NULL}, *const id[] = {"id", "drug_id", "name", NULL};
    bool more = false;
    NEP_TRY(start(r));
    NEP_TRY(add_row(r, &more));
    NEP_REQUIRE(r->ctx, more && r->length > 0 && !r->too_long, NEP_E_FORMAT, "%s: is empty or has no header line", r->path);
    r->smiles = r->id = -1;
    char *at = r->text + (strncmp(r->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0), *cell = NULL;
    for (r->n_columns = 0; at; r->n_columns++) {
        NEP_REQUIRE(r->ctx, take_cell(&at, r->format == CSV ? ',' : '\t', r->format == CSV, &cell), NEP_E_FORMAT,
                    "%s: the quotes of the header are wrong", r->path);
        if (r->smiles < 0 && is_one_of(cell, o->smiles_column, smiles))
            r->smiles = r->n_columns;
        if (r->id < 0 && is_one_of(cell, o->id_column, id))
            r->id = r->n_columns;
    }
    if (r->smiles < 0)
        return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path, "%s: has no column '%s'; name the one of the structures with --smiles-column",
                                 r->path, o->smiles_column ? o->smiles_column : "smiles");
    if (r->id < 0 && o->id_column)
        return nep_ctx_fail_file(r->ctx, NEP_E_FORMAT, r->path, "%s: has no column '%s'", r->path, o->id_column);
    return NEP_OK;
}

static bool cut_row(nep_records *r, nep_record *out, int64_t *n_cells)
{
    char *at = r->text, *cell = NULL, *id = NULL, *smiles = NULL;
    for (*n_cells = 0; at; ++*n_cells) {
        if (!take_cell(&at, r->format == CSV ? ',' : '\t', r->format == CSV, &cell))
            return false;
        if (*n_cells == r->smiles)
            smiles = cell;
        if (*n_cells == r->id)
            id = cell;
    }
    out->text = smiles;
    out->id = id;
    return true;
}

static nep_status next_row(nep_records *r, nep_record *out, bool *more)
{
    int64_t n_cells = 0;
    do {
        NEP_TRY(start(r));
        out->line = r->line + 1;
        NEP_TRY(add_row(r, more));
    } while (*more && r->length == 0);
    if (!*more)
        return NEP_OK;
    const char *id = NULL;
    if ((int64_t)strlen(r->text) != r->length)
        out->problem = "it holds a NUL byte";
    else if (!cut_row(r, out, &n_cells))
        out->problem = "its quotes are wrong";
    else if (n_cells != r->n_columns)
        out->problem = "it has more or fewer cells than the header";
    else if (!out->text || !*out->text || strcmp(out->text, "n/a") == 0)
        out->problem = "its SMILES is missing";
    id = out->problem && strcmp(out->problem, "its SMILES is missing") != 0 ? NULL : out->id;
    NEP_TRY(keep_id(r, id ? id : "", id ? strlen(id) : 0));
    out->n_bytes = out->problem ? 0 : (int64_t)strlen(out->text);
    return NEP_OK;
}

/* ---- any ---- */

nep_status nep_records_next(nep_records *r, nep_record *out, bool *more)
{
    *out = (nep_record){0};
    NEP_TRY(r->format == SMI ? next_smi(r, out, more) : r->format == SDF ? next_sdf(r, out, more) : next_row(r, out, more));
    if (!*more)
        return NEP_OK;
    if (r->format == SMI || r->format == SDF)
        out->text = r->text;
    if (r->too_long)
        out->problem = "it is longer than 4 MiB";
    out->id = r->id_text[0] ? r->id_text : NULL;
    const char *bad = out->id ? problem_of_id(out->id) : NULL;
    if (bad) {
        out->problem = out->problem ? out->problem : bad;
        out->id = NULL;
    }
    if (out->problem) {
        out->text = "";
        out->n_bytes = 0;
    }
    return NEP_OK;
}

bool nep_records_molblocks(const nep_records *r)
{
    return r->format == SDF;
}

void nep_records_progress(const nep_records *r, int64_t *done, int64_t *total)
{
    nep_stream_progress(r->stream, done, total);
}

/* ---- opening ---- */

static bool ends_with(const char *path, size_t n, const char *end)
{
    const size_t m = strlen(end);
    return n > m && strncasecmp(path + n - m, end, m) == 0;
}

static format format_of(const char *path, const char *given)
{
    static const struct {
        const char *end;
        format format;
    } endings[] = {{".smi", SMI}, {".smiles", SMI}, {".ism", SMI}, {".sdf", SDF}, {".sd", SDF}, {".mol", SDF}, {".csv", CSV}, {".tsv", TSV}, {".tab", TSV}};
    size_t n = strlen(path);
    for (int f = 0; given && f < FORMATS; f++)
        if (strcmp(given, format_names[f]) == 0)
            return (format)f;
    n -= ends_with(path, n, ".gz") ? 3 : 0;
    for (int i = 0; !given && i < NEP_LEN(endings); i++)
        if (ends_with(path, n, endings[i].end))
            return endings[i].format;
    return FORMATS;
}

nep_status nep_records_open(nep_ctx *ctx, const char *path, const nep_records_opts *opts, nep_records **out)
{
    const nep_records_opts none = {0}, *o = opts ? opts : &none;
    const format f = format_of(path, o->format);
    nep_records *r = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, f != FORMATS, NEP_E_ARG,
                "%s: its name does not tell what it is; .smi, .sdf, .csv and .tsv do (each also .gz), or --format says it", path);
    NEP_TRY(nep_alloc(ctx, 1, sizeof *r, "records", &r));
    r->ctx = ctx;
    r->format = f;
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, strcmp(path, "-") == 0 ? "stdin" : path, &r->path));
    if (f == SDF && o->id_column)
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, o->id_column, &r->id_field));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, block_bytes, 1, "records", &r->block));
    NEP_TRY_OR_DONE(st, nep_stream_open(ctx, path, &r->stream));
    NEP_TRY_OR_DONE(st, nep_stream_run_ahead(r->stream));
    if (f == CSV || f == TSV)
        NEP_TRY_OR_DONE(st, read_header(r, o));
    *out = r;
    r = NULL;
done:
    nep_records_close(r);
    return st;
}

void nep_records_close(nep_records *r)
{
    if (!r)
        return;
    nep_stream_close(r->stream);
    nep_alloc_free(r->block);
    nep_alloc_free(r->text);
    nep_alloc_free(r->id_text);
    nep_alloc_free(r->id_field);
    nep_alloc_free(r->path);
    nep_alloc_free(r);
}
