/* SPDX-License-Identifier: Apache-2.0 */
/* design - a design table joined to data by participant: who takes part, in which group, with which
 * covariates. */
#include "cli/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void cli_design_spec_free(cli_contrast_spec *s)
{
    nep_alloc_free(s->name);
    nep_alloc_free(s->column);
    nep_alloc_free(s->first);
    nep_alloc_free(s->second);
    *s = (cli_contrast_spec){0};
}

void cli_design_free(cli_design *d)
{
    nep_alloc_free(d->row);
    nep_alloc_free(d->first);
    nep_alloc_free(d->covariates);
    nep_data_free_names(d->names, d->k);
    *d = (cli_design){0};
}

static nep_status copy_part(nep_ctx *ctx, const char *from, size_t n, char **out)
{
    NEP_TRY(nep_alloc(ctx, (int64_t)n + 1, 1, "contrast: a word", out));
    memcpy(*out, from, n);
    return NEP_OK;
}

static bool has_level(const nep_table *t, int64_t col, const char *level)
{
    for (int64_t r = 0; r < t->n_rows; r++) {
        const char *cell = nep_table_cell(t, r, col);
        if (cell && strcmp(cell, level) == 0)
            return true;
    }
    return false;
}

/* The levels of a column, for a sentence. */
static void list_levels(const nep_table *t, int64_t col, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int64_t r = 0; r < t->n_rows && used + 40 < size; r++) {
        const char *cell = nep_table_cell(t, r, col);
        bool seen = !cell;
        for (int64_t q = 0; q < r && !seen; q++)
            seen = nep_table_cell(t, q, col) && strcmp(nep_table_cell(t, q, col), cell) == 0;
        if (!seen)
            used += (size_t)snprintf(text + used, size - used, "%s'%.30s'", used ? ", " : "", cell);
    }
}

nep_status cli_design_spec(nep_ctx *ctx, const nep_table *design, const char *text, cli_contrast_spec *out)
{
    const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
    cli_contrast_spec s = {0};
    int64_t col = -1;
    nep_status st;

    NEP_REQUIRE(
        ctx, equals && equals > text && colon && colon > equals + 1 && strchr(colon, '-'), NEP_E_USAGE,
        "--contrast '%s' is not NAME=COLUMN:LEVEL1-LEVEL2, such as illness=group:patient-control", text);
    NEP_TRY_OR_DONE(st, copy_part(ctx, text, (size_t)(equals - text), &s.name));
    NEP_TRY_OR_DONE(st, copy_part(ctx, equals + 1, (size_t)(colon - equals) - 1, &s.column));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, design, s.column, &col));
    for (const char *dash = strchr(colon + 1, '-'); dash && !s.second; dash = strchr(dash + 1, '-')) {
        nep_alloc_free(s.first);
        s.first = NULL;
        NEP_TRY_OR_DONE(st, copy_part(ctx, colon + 1, (size_t)(dash - colon) - 1, &s.first));
        if (has_level(design, col, s.first) && has_level(design, col, dash + 1))
            NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, dash + 1, &s.second));
    }
    char levels[400];
    list_levels(design, col, levels, sizeof levels);
    NEP_REQUIRE_OR_DONE(st, ctx, s.second && strcmp(s.first, s.second) != 0, NEP_E_ARG,
                        "--contrast '%s': '%s' names no two levels of column '%s', which has %s", text,
                        colon + 1, s.column, levels);
    *out = s;
    s = (cli_contrast_spec){0};
done:
    cli_design_spec_free(&s);
    return st;
}

/* ---- joining ---- */

static bool is_number(const char *cell)
{
    char *end;
    (void)strtod(cell, &end);
    return *cell != '\0' && *end == '\0';
}

static bool numeric_column(const nep_table *t, int64_t col)
{
    for (int64_t r = 0; r < t->n_rows; r++)
        if (nep_table_cell(t, r, col) && !is_number(nep_table_cell(t, r, col)))
            return false;
    return true;
}

static nep_status check_unique(nep_ctx *ctx, const nep_table *t, int64_t col)
{
    for (int64_t r = 0; r < t->n_rows; r++)
        for (int64_t q = 0; q < r; q++) {
            const char *a = nep_table_cell(t, r, col), *b = nep_table_cell(t, q, col);
            NEP_REQUIRE(ctx, !a || !b || strcmp(a, b) != 0, NEP_E_FORMAT,
                        "%s: participant '%s' stands in rows %lld and %lld", t->path, a ? a : "",
                        (long long)q + 2, (long long)r + 2);
        }
    return NEP_OK;
}

/* Row of the design for each participant who takes part. */
static nep_status choose_people(nep_ctx *ctx, const nep_table *t, const cli_contrast_spec *spec,
                                char *const *ids, int64_t n_ids, const int64_t *cov, int n_cov, int64_t *row,
                                cli_design *d)
{
    int64_t id_col, group_col, absent = 0, other = 0, incomplete = 0;
    NEP_TRY(nep_table_need(ctx, t, "participant_id", &id_col));
    NEP_TRY(nep_table_need(ctx, t, spec->column, &group_col));
    NEP_TRY(check_unique(ctx, t, id_col));
    for (int64_t i = 0; i < n_ids; i++) {
        int64_t r = 0;
        while (r < t->n_rows &&
               !(nep_table_cell(t, r, id_col) && strcmp(nep_table_cell(t, r, id_col), ids[i]) == 0))
            r++;
        const char *group = r < t->n_rows ? nep_table_cell(t, r, group_col) : NULL;
        const bool one = group && strcmp(group, spec->first) == 0,
                   two = group && strcmp(group, spec->second) == 0;
        bool whole = true;
        for (int k = 0; k < n_cov && r < t->n_rows; k++)
            whole = whole && nep_table_cell(t, r, cov[k]);
        absent += r == t->n_rows;
        other += r < t->n_rows && !one && !two;
        incomplete += (one || two) && !whole;
        if ((one || two) && whole) {
            row[d->n] = r;
            d->row[d->n] = i;
            d->first[d->n++] = one;
        }
    }
    if (absent + other + incomplete > 0)
        nep_warn(ctx,
                 "contrast %s: left out %lld participants who are not in the design, %lld in neither group, "
                 "%lld without a covariate",
                 spec->name, (long long)absent, (long long)other, (long long)incomplete);
    NEP_REQUIRE(ctx, d->n > 0, NEP_E_SHAPE,
                "contrast %s: no participant of the data (first: '%s') takes part by the design %s",
                spec->name, n_ids > 0 ? ids[0] : "", t->path);
    return NEP_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The sorted distinct levels of a text column among those who take part; returns their number. */
static int64_t levels_of(const nep_table *t, int64_t col, const int64_t *row, int64_t n, const char **level)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        level[i] = nep_table_cell(t, row[i], col);
    qsort(level, (size_t)n, sizeof *level, by_text);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || strcmp(level[i], level[m - 1]) != 0)
            level[m++] = level[i];
    return m;
}

static nep_status name_column(nep_ctx *ctx, const char *column, const char *level, char **out)
{
    char text[256];
    snprintf(text, sizeof text, "%.100s%s%.100s", column, level ? "=" : "", level ? level : "");
    return nep_alloc_string(ctx, text, out);
}

/* How many design columns the covariates make (fill false), or makes them. */
static nep_status code_covariates(nep_ctx *ctx, const nep_table *t, const int64_t *cov, int n_cov,
                                  const int64_t *row, const char **level, bool fill, cli_design *d)
{
    int64_t at = 0;
    for (int c = 0; c < n_cov; c++) {
        if (numeric_column(t, cov[c])) {
            for (int64_t i = 0; fill && i < d->n; i++)
                NEP_TRY(nep_table_number(ctx, t, row[i], cov[c], &d->covariates[i * d->k + at]));
            if (fill)
                NEP_TRY(name_column(ctx, t->header[cov[c]], NULL, &d->names[at]));
            at++;
            continue;
        }
        const int64_t m = levels_of(t, cov[c], row, d->n, level);
        if (m == 1 && fill)
            nep_warn(ctx, "contrast: covariate '%s' has one level among those who take part and is left out",
                     t->header[cov[c]]);
        for (int64_t l = 1; l < m; l++, at++) {
            for (int64_t i = 0; fill && i < d->n; i++)
                d->covariates[i * d->k + at] = strcmp(nep_table_cell(t, row[i], cov[c]), level[l]) == 0;
            if (fill)
                NEP_TRY(name_column(ctx, t->header[cov[c]], level[l], &d->names[at]));
        }
    }
    if (!fill)
        d->k = at;
    return NEP_OK;
}

nep_status cli_design_join(nep_ctx *ctx, const nep_table *design, const cli_contrast_spec *spec,
                           char *const *ids, int64_t n_ids, const int64_t *covariates, int n_cov,
                           cli_design *out)
{
    cli_design d = {0};
    int64_t *row = NULL;
    const char **level = NULL;
    int64_t k = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_ids, sizeof *row, "contrast: rows of the design", &row));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_ids, sizeof *d.row, "contrast: rows of the data", &d.row));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_ids, sizeof *d.first, "contrast: groups", &d.first));
    NEP_TRY_OR_DONE(st, choose_people(ctx, design, spec, ids, n_ids, covariates, n_cov, row, &d));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.n, sizeof *level, "contrast: levels", &level));
    NEP_TRY_OR_DONE(st, code_covariates(ctx, design, covariates, n_cov, row, level, false, &d));
    k = d.k;
    d.k = 0; /* no names yet, should the next lines fail */
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d.n * k, sizeof *d.covariates, "contrast: covariates", &d.covariates));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, k, sizeof *d.names, "contrast: names", &d.names));
    d.k = k;
    NEP_TRY_OR_DONE(st, code_covariates(ctx, design, covariates, n_cov, row, level, true, &d));
    *out = d;
    d = (cli_design){0};
done:
    nep_alloc_free(level);
    nep_alloc_free(row);
    cli_design_free(&d);
    return st;
}
