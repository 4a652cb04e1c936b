/* SPDX-License-Identifier: Apache-2.0 */
/* tsv - tables of text to the structs that travel, and matrices back to text. */
#include <nepenthe/io.h>

#include "io/json.h"
#include "io/number.h"
#include "io/rows.h"

#include <math.h>
#include <string.h>

nep_status nep_tsv_read(nep_ctx *ctx, const char *path, nep_table *out)
{
    nep_rows r = {0};
    nep_table t = {0};
    int64_t room = 0;
    bool more = true;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_rows_open(ctx, path, &r));
    for (;;) {
        NEP_TRY_OR_DONE(st, nep_rows_next(&r, &more));
        if (!more)
            break;
        if (t.n_rows == room) {
            room = 2 * room + 32;
            NEP_TRY_OR_DONE(st, nep_alloc_grow(ctx, room * r.n_cols, sizeof *t.cells, path, &t.cells));
        }
        memcpy(t.cells + t.n_rows++ * r.n_cols, r.cells, (size_t)r.n_cols * sizeof *t.cells);
    }
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, r.path, &t.path));
    t.n_cols = r.n_cols;
    t.header = r.header;
    t.text = r.text;
    r.header = NULL;
    r.text = NULL;
    *out = t;
    t = (nep_table){0};
done:
    nep_table_free(&t);
    nep_rows_free(&r);
    return st;
}

static nep_status copy_names(nep_ctx *ctx, char *const *from, int64_t n, char ***out)
{
    NEP_TRY(nep_alloc(ctx, n, sizeof **out, "names", out));
    for (int64_t i = 0; i < n; i++)
        NEP_TRY(nep_alloc_string(ctx, from[i], &(*out)[i]));
    return NEP_OK;
}

nep_status nep_tsv_read_series(nep_ctx *ctx, const char *path, nep_series *out)
{
    nep_rows r = {0};
    nep_series s = {.tr_s = (double)NAN};
    int64_t room = 0;
    bool more = true;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_rows_open(ctx, path, &r));
    s.n_cols = r.n_cols;
    NEP_TRY_OR_DONE(st, copy_names(ctx, r.header, r.n_cols, &s.names));
    for (;;) {
        NEP_TRY_OR_DONE(st, nep_rows_next(&r, &more));
        if (!more)
            break;
        if (s.n_t == room) {
            room = room + room / 2 + 32;
            NEP_TRY_OR_DONE(st, nep_alloc_grow(ctx, room * r.n_cols, sizeof *s.data, path, &s.data));
        }
        for (int64_t c = 0; c < r.n_cols; c++) {
            double v;
            NEP_TRY_OR_DONE(st, nep_rows_number(&r, c, &v));
            s.data[s.n_t * r.n_cols + c] = (float)v;
        }
        s.n_t++;
    }
    if (s.n_t == 0) {
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path,
                               "%s: has a header and no rows; a series needs time points", r.path);
        goto done;
    }
    *out = s;
    s = (nep_series){0};
done:
    nep_series_free(&s);
    nep_rows_free(&r);
    return st;
}

/* ---- maps ---- */

/* Columns of a map table that describe a region or a source and hold no map. */
static bool describes(const char *name)
{
    static const char *const words[] = {"region", "hemisphere", "compartment", "structure",
                                        "label",  "licence",    "source"};
    for (int i = 0; i < NEP_LEN(words); i++)
        if (strcmp(name, words[i]) == 0)
            return true;
    return false;
}

/* The column that holds the standard errors of column c: what the sidecar says ({"<column>": {"se_column":
 * "..."}}), else <column>_se, else -1. */
static nep_status se_column(const nep_table *t, nep_ctx *ctx, const json_t *sidecar, int64_t c, int64_t *out)
{
    const char *named =
        json_string_value(json_object_get(json_object_get(sidecar, t->header[c]), "se_column"));
    *out = -1;
    if (named)
        return nep_table_need(ctx, t, named, out);
    const size_t n = strlen(t->header[c]);
    for (int64_t j = 0; j < t->n_cols; j++)
        if (strncmp(t->header[j], t->header[c], n) == 0 && strcmp(t->header[j] + n, "_se") == 0)
            *out = j;
    return NEP_OK;
}

/* role[c]: column c holds a map (its own index), standard errors (-2) or neither (-1); se[c]: its errors or
 * -1. */
static nep_status find_maps(nep_ctx *ctx, const nep_table *t, const json_t *sidecar, int64_t *role,
                            int64_t *se, int64_t *n_maps, bool *any_se)
{
    *n_maps = 0;
    *any_se = false;
    for (int64_t c = 0; c < t->n_cols; c++)
        role[c] = describes(t->header[c]) ? -1 : c;
    for (int64_t c = 0; c < t->n_cols; c++) {
        if (role[c] == -1)
            continue;
        NEP_TRY(se_column(t, ctx, sidecar, c, &se[c]));
        if (se[c] == c || (se[c] >= 0 && role[se[c]] == -1))
            return nep_ctx_fail_file(
                ctx, NEP_E_FORMAT, t->path,
                "%s: the sidecar names '%s' as the standard errors of '%s', which it cannot be", t->path,
                t->header[se[c]], t->header[c]);
        if (se[c] >= 0) {
            role[se[c]] = -2;
            *any_se = true;
        }
    }
    for (int64_t c = 0; c < t->n_cols; c++)
        *n_maps += role[c] >= 0;
    if (*n_maps == 0)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                 "%s: has no map; a column of numbers per map is needed", t->path);
    return NEP_OK;
}

static nep_status fill_maps(nep_ctx *ctx, const nep_table *t, const int64_t *role, const int64_t *se,
                            nep_maps *m)
{
    int64_t j = 0;
    for (int64_t c = 0; c < t->n_cols; c++) {
        if (role[c] < 0)
            continue;
        NEP_TRY(nep_alloc_string(ctx, t->header[c], &m->names[j]));
        for (int64_t i = 0; i < t->n_rows; i++) {
            NEP_TRY(nep_table_number(ctx, t, i, c, &m->value[i * m->n_maps + j]));
            if (!m->se)
                continue;
            double *e = &m->se[i * m->n_maps + j];
            *e = (double)NAN;
            if (se[c] >= 0)
                NEP_TRY(nep_table_number(ctx, t, i, se[c], e));
            if (*e < 0)
                return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                         "%s: line %lld, column '%s': a standard error is never negative",
                                         t->path, (long long)i + 2, t->header[se[c]]);
        }
        j++;
    }
    return NEP_OK;
}

/* Owned copies of a column of names; none may be missing, no two alike. */
static nep_status name_column(nep_ctx *ctx, const nep_table *t, int64_t col, char ***out)
{
    NEP_TRY(nep_alloc(ctx, t->n_rows, sizeof **out, "names", out));
    for (int64_t i = 0; i < t->n_rows; i++) {
        const char *cell = nep_table_cell(t, i, col);
        if (!cell)
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path, "%s: line %lld: '%s' is missing", t->path,
                                     (long long)i + 2, t->header[col]);
        NEP_TRY(nep_alloc_string(ctx, cell, &(*out)[i]));
    }
    return nep_rows_distinct(ctx, t->path, t->header[col], *out, t->n_rows);
}

nep_status nep_tsv_read_maps(nep_ctx *ctx, const char *path, nep_maps *out)
{
    nep_table t = {0};
    nep_maps m = {0};
    json_t *sidecar = NULL;
    int64_t *role = NULL, *se = NULL;
    bool any_se = false;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_TRY_OR_DONE(st, nep_json_sidecar(ctx, path, &sidecar));
    if (strcmp(t.header[0], "region") != 0) {
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path,
                               "%s: the first column is '%s', a map table starts with 'region'", t.path,
                               t.header[0]);
        goto done;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_cols, sizeof *role, "map columns", &role));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_cols, sizeof *se, "map columns", &se));
    NEP_TRY_OR_DONE(st, find_maps(ctx, &t, sidecar, role, se, &m.n_maps, &any_se));
    m.n_regions = t.n_rows;
    NEP_TRY_OR_DONE(st, name_column(ctx, &t, 0, &m.regions));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m.n_maps, sizeof *m.names, "map names", &m.names));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m.n_regions * m.n_maps, sizeof *m.value, "maps", &m.value));
    if (any_se)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, m.n_regions * m.n_maps, sizeof *m.se, "map errors", &m.se));
    NEP_TRY_OR_DONE(st, fill_maps(ctx, &t, role, se, &m));
    *out = m;
    m = (nep_maps){0};
done:
    nep_alloc_free(role);
    nep_alloc_free(se);
    json_decref(sidecar);
    nep_maps_free(&m);
    nep_table_free(&t);
    return st;
}

/* ---- geometry ---- */

static nep_status geometry_row(nep_ctx *ctx, const nep_table *t, const int64_t col[8], int64_t i,
                               nep_geometry *g)
{
    const char *side = nep_table_cell(t, i, col[0]), *part = nep_table_cell(t, i, col[1]);
    if (!side || side[1] || !strchr("LRB", side[0]))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                 "%s: line %lld: hemisphere is '%.20s', must be L, R or B", t->path,
                                 (long long)i + 2, side ? side : "n/a");
    if (!part)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                 "%s: line %lld: compartment is missing, name one (cortex, subcortex, ...)",
                                 t->path, (long long)i + 2);
    g->hemisphere[i] = side[0];
    g->cortex[i] = strcmp(part, "cortex") == 0;
    double norm = 0;
    for (int k = 0; k < 3; k++) {
        NEP_TRY(nep_table_number(ctx, t, i, col[2 + k], &g->mm[i][k]));
        g->sphere[i][k] = (double)NAN;
        if (col[5 + k] >= 0)
            NEP_TRY(nep_table_number(ctx, t, i, col[5 + k], &g->sphere[i][k]));
        norm += g->sphere[i][k] * g->sphere[i][k];
        if (!isfinite(g->mm[i][k]))
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                     "%s: line %lld: '%s' is missing, every region needs a place", t->path,
                                     (long long)i + 2, t->header[col[2 + k]]);
    }
    if (isnan(norm))
        return NEP_OK;
    if (!(norm > 0) || isinf(norm))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                 "%s: line %lld: the sphere coordinates have no direction", t->path,
                                 (long long)i + 2);
    for (int k = 0; k < 3; k++)
        g->sphere[i][k] /= sqrt(norm);
    return NEP_OK;
}

nep_status nep_tsv_read_geometry(nep_ctx *ctx, const char *path, nep_geometry *out)
{
    static const char *const columns[8] = {"hemisphere", "compartment", "x_mm",     "y_mm",
                                           "z_mm",       "sphere_x",    "sphere_y", "sphere_z"};
    nep_table t = {0};
    nep_geometry g = {0};
    int64_t col[8], region;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "region", &region));
    const bool sphere = nep_table_column(&t, "sphere_x") >= 0;
    for (int k = 0; k < 8; k++) {
        col[k] = -1;
        if (k < 5 || sphere)
            NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, columns[k], &col[k]));
    }
    g.n_regions = t.n_rows;
    NEP_TRY_OR_DONE(st, name_column(ctx, &t, region, &g.names));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *g.hemisphere, "geometry", &g.hemisphere));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *g.cortex, "geometry", &g.cortex));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *g.mm, "geometry", &g.mm));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *g.sphere, "geometry", &g.sphere));
    for (int64_t i = 0; i < t.n_rows; i++)
        NEP_TRY_OR_DONE(st, geometry_row(ctx, &t, col, i, &g));
    *out = g;
    g = (nep_geometry){0};
done:
    nep_geometry_free(&g);
    nep_table_free(&t);
    return st;
}

static nep_status surface_row(nep_ctx *ctx, const nep_table *t, const int64_t col[5], int64_t i, nep_surface *s)
{
    const char *side = nep_table_cell(t, i, col[0]), *parcel = nep_table_cell(t, i, col[4]);
    double norm = 0;
    if (!side || side[1] || !strchr("LR", side[0]))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                 "%s: line %lld: hemisphere is '%.20s', a vertex lies in L or R", t->path,
                                 (long long)i + 2, side ? side : "n/a");
    s->hemisphere[i] = side[0];
    for (int k = 0; k < 3; k++) {
        NEP_TRY(nep_table_number(ctx, t, i, col[1 + k], &s->sphere[i][k]));
        norm += s->sphere[i][k] * s->sphere[i][k];
    }
    if (!(norm > 0) || isinf(norm))
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                 "%s: line %lld: the sphere coordinates have no direction", t->path,
                                 (long long)i + 2);
    for (int k = 0; k < 3; k++)
        s->sphere[i][k] /= sqrt(norm);
    return parcel ? nep_alloc_string(ctx, parcel, &s->parcel[i]) : NEP_OK;
}

nep_status nep_tsv_read_surface(nep_ctx *ctx, const char *path, nep_surface *out)
{
    static const char *const columns[5] = {"hemisphere", "sphere_x", "sphere_y", "sphere_z", "parcel"};
    nep_table t = {0};
    nep_surface s = {0};
    int64_t col[5];
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    for (int k = 0; k < 5; k++)
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, columns[k], &col[k]));
    s.n = t.n_rows;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *s.hemisphere, "surface", &s.hemisphere));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *s.sphere, "surface", &s.sphere));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *s.parcel, "surface", &s.parcel));
    for (int64_t i = 0; i < t.n_rows; i++)
        NEP_TRY_OR_DONE(st, surface_row(ctx, &t, col, i, &s));
    *out = s;
    s = (nep_surface){0};
done:
    nep_surface_free(&s);
    nep_table_free(&t);
    return st;
}

/* ---- molset ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* FPS hex, byte by byte, bit 0 of byte 0 first, into little-endian words. */
static nep_status fingerprint_row(nep_ctx *ctx, const nep_table *t, int64_t col, int64_t i, size_t digits,
                                  uint64_t *bits)
{
    const char *cell = nep_table_cell(t, i, col);
    if (!cell)
        return NEP_OK;
    if (strlen(cell) != digits || digits % 2)
        return nep_ctx_fail_file(
            ctx, NEP_E_FORMAT, t->path,
            "%s: line %lld: the fingerprint has %zu hex digits, others have %zu (an even number)", t->path,
            (long long)i + 2, strlen(cell), digits);
    for (size_t b = 0; b < digits / 2; b++) {
        const int high = hex_digit(cell[2 * b]), low = hex_digit(cell[2 * b + 1]);
        if (high < 0 || low < 0)
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, t->path,
                                     "%s: line %lld: the fingerprint holds '%.2s', which is not hexadecimal",
                                     t->path, (long long)i + 2, cell + 2 * b);
        bits[b / 8] |= (uint64_t)(high * 16 + low) << (8 * (b % 8));
    }
    return NEP_OK;
}

static nep_status read_fingerprints(nep_ctx *ctx, const nep_table *t, int64_t col, nep_molset *m)
{
    size_t digits = 0;
    for (int64_t i = 0; i < t->n_rows && !digits; i++)
        digits = nep_table_cell(t, i, col) ? strlen(nep_table_cell(t, i, col)) : 0;
    m->words = (int64_t)(digits + 15) / 16;
    NEP_TRY(nep_alloc(ctx, m->n * m->words, sizeof *m->bits, "fingerprints", &m->bits));
    for (int64_t i = 0; i < m->n; i++)
        NEP_TRY(fingerprint_row(ctx, t, col, i, digits, m->bits + i * m->words));
    return NEP_OK;
}

/* A text column that may be absent; missing cells stay NULL. */
static nep_status text_column(nep_ctx *ctx, const nep_table *t, const char *name, char ***out)
{
    const int64_t c = nep_table_column(t, name);
    NEP_TRY(nep_alloc(ctx, t->n_rows, sizeof **out, name, out));
    for (int64_t i = 0; c >= 0 && i < t->n_rows; i++)
        if (nep_table_cell(t, i, c))
            NEP_TRY(nep_alloc_string(ctx, nep_table_cell(t, i, c), &(*out)[i]));
    return NEP_OK;
}

/* A further column is a descriptor when any of its cells is a number; one number with a word beside it is an
 * error. */
static bool is_descriptor(const nep_table *t, int64_t col)
{
    static const char *const known[] = {"drug_id",         "name",    "smiles", "fingerprint", "atc4",
                                        "mechanism_class", "licence", "source", "inchikey",   "duplicate_of"};
    char *end;
    for (int k = 0; k < NEP_LEN(known); k++)
        if (strcmp(t->header[col], known[k]) == 0)
            return false;
    for (int64_t i = 0; i < t->n_rows; i++) {
        const char *cell = nep_table_cell(t, i, col);
        if (cell && (nep_rows_strtod(cell, &end), end != cell) && *end == '\0')
            return true;
    }
    return false;
}

static nep_status read_descriptors(nep_ctx *ctx, const nep_table *t, nep_molset *m)
{
    int64_t n = 0, d = 0;
    for (int64_t c = 0; c < t->n_cols; c++)
        n += is_descriptor(t, c);
    NEP_TRY(nep_alloc(ctx, n, sizeof *m->descriptor_names, "descriptor names", &m->descriptor_names));
    m->n_descriptors = n;
    NEP_TRY(nep_alloc(ctx, m->n * n, sizeof *m->descriptor, "descriptors", &m->descriptor));
    for (int64_t c = 0; c < t->n_cols; c++) {
        if (!is_descriptor(t, c))
            continue;
        NEP_TRY(nep_alloc_string(ctx, t->header[c], &m->descriptor_names[d]));
        for (int64_t i = 0; i < m->n; i++)
            NEP_TRY(nep_table_number(ctx, t, i, c, &m->descriptor[i * n + d]));
        d++;
    }
    return NEP_OK;
}

nep_status nep_tsv_read_molset(nep_ctx *ctx, const char *path, nep_molset *out)
{
    nep_table t = {0};
    nep_molset m = {0};
    int64_t id, fingerprint;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "drug_id", &id));
    m.n = t.n_rows;
    NEP_TRY_OR_DONE(st, name_column(ctx, &t, id, &m.id));
    NEP_TRY_OR_DONE(st, text_column(ctx, &t, "name", &m.names));
    for (int64_t i = 0; i < m.n; i++) /* a drug without a name goes by its id */
        if (!m.names[i])
            NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, m.id[i], &m.names[i]));
    NEP_TRY_OR_DONE(st, text_column(ctx, &t, "smiles", &m.smiles));
    NEP_TRY_OR_DONE(st, text_column(ctx, &t, "atc4", &m.atc4));
    NEP_TRY_OR_DONE(st, text_column(ctx, &t, "mechanism_class", &m.mechanism));
    fingerprint = nep_table_column(&t, "fingerprint");
    if (fingerprint >= 0)
        NEP_TRY_OR_DONE(st, read_fingerprints(ctx, &t, fingerprint, &m));
    NEP_TRY_OR_DONE(st, read_descriptors(ctx, &t, &m));
    *out = m;
    m = (nep_molset){0};
done:
    nep_molset_free(&m);
    nep_table_free(&t);
    return st;
}

/* ---- writing ---- */

static nep_status write_name(nep_ctx *ctx, nep_file *f, const char *path, const char *name, char after)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ')
            return nep_ctx_fail_file(
                ctx, NEP_E_ARG, path,
                "%s: the name '%.60s' holds a control character, which a TSV cannot carry", path, name);
    NEP_TRY(nep_file_write(f, name, strlen(name)));
    return nep_file_write(f, &after, 1);
}

static nep_status write_number(nep_file *f, double v, char after)
{
    char text[NEP_NUMBER_MOST + 1] = "n/a";
    const int n = isnan(v) ? 3 : nep_number_print(v, text);
    text[n] = after;
    return nep_file_write(f, text, (size_t)n + 1);
}

/* Either `wide` or `narrow` holds the values. */
static nep_status write_body(nep_ctx *ctx, nep_file *f, const char *path, const char *corner,
                             char *const *row_names, char *const *col_names, int64_t rows, int64_t cols,
                             const double *wide, const float *narrow)
{
    if (row_names)
        NEP_TRY(write_name(ctx, f, path, corner ? corner : "name", cols > 0 ? '\t' : '\n'));
    for (int64_t c = 0; c < cols; c++)
        NEP_TRY(write_name(ctx, f, path, col_names[c], c + 1 < cols ? '\t' : '\n'));
    for (int64_t r = 0; r < rows; r++) {
        if (row_names)
            NEP_TRY(write_name(ctx, f, path, row_names[r], cols > 0 ? '\t' : '\n'));
        for (int64_t c = 0; c < cols; c++)
            NEP_TRY(write_number(f, wide ? wide[r * cols + c] : (double)narrow[r * cols + c],
                                 c + 1 < cols ? '\t' : '\n'));
    }
    return NEP_OK;
}

static nep_status write_file(nep_ctx *ctx, const char *path, const char *corner, char *const *row_names,
                             char *const *col_names, int64_t rows, int64_t cols, const double *wide,
                             const float *narrow)
{
    nep_file *f = NULL;
    NEP_TRY(nep_file_create(ctx, path, &f));
    const nep_status st = write_body(ctx, f, path, corner, row_names, col_names, rows, cols, wide, narrow);
    if (st != NEP_OK) {
        nep_file_abort(f);
        return st;
    }
    return nep_file_commit(f);
}

nep_status nep_tsv_write_matrix(nep_ctx *ctx, const char *path, const char *corner, char *const *row_names,
                                char *const *col_names, int64_t rows, int64_t cols, const double *values)
{
    NEP_REQUIRE(ctx, col_names && values && rows >= 0 && cols >= 1, NEP_E_ARG,
                "%s: a matrix of %lld x %lld with names is needed", path, (long long)rows, (long long)cols);
    return write_file(ctx, path, corner, row_names, col_names, rows, cols, values, NULL);
}

nep_status nep_tsv_write_series(nep_ctx *ctx, const char *path, const nep_series *s)
{
    NEP_REQUIRE(ctx, s->names && s->n_cols >= 1, NEP_E_ARG,
                "%s: the series has no column names, which a TSV needs", path);
    return write_file(ctx, path, NULL, NULL, s->names, s->n_t, s->n_cols, NULL, s->data);
}
