/* SPDX-License-Identifier: Apache-2.0 */
/* glm_people - the design of a second level: a table of people joined to the data by participant. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/glm_model.h"

/* What becomes of a column of the table. */
typedef struct {
    int64_t from;
    bool words;
    const char **level; /* [n_levels] sorted, lent by the table */
    int64_t n_levels;
} source;

typedef struct {
    nep_ctx *ctx;
    const nep_table *t;
    source *s; /* [n_s] */
    int64_t n_s;
    int64_t *person; /* [n] row of the table */
    int64_t n;
} join;

static bool is_number(const char *cell)
{
    char *end;
    const double v = strtod(cell, &end);
    return *cell != '\0' && *end == '\0' && isfinite(v);
}

static nep_status choose_columns(join *j, int64_t id_col, const char *const *names, int n_names)
{
    const nep_table *t = j->t;
    NEP_TRY(nep_alloc(j->ctx, n_names ? n_names : t->n_cols, sizeof *j->s, "design: columns", &j->s));
    for (int64_t k = 0; k < (n_names ? n_names : t->n_cols); k++) {
        source s = {.from = k};
        if (n_names)
            NEP_TRY(nep_table_need(j->ctx, t, names[k], &s.from));
        NEP_REQUIRE(j->ctx, !n_names || s.from != id_col, NEP_E_ARG, "participant_id is no column of a design");
        for (int64_t i = 0; i < j->n_s; i++)
            NEP_REQUIRE(j->ctx, j->s[i].from != s.from, NEP_E_ARG, "--columns names '%s' twice", names[k]);
        if (s.from != id_col)
            j->s[j->n_s++] = s;
    }
    return NEP_OK;
}

static int64_t row_of(const nep_table *t, int64_t id_col, const char *id)
{
    for (int64_t r = 0; r < t->n_rows; r++)
        if (nep_table_cell(t, r, id_col) && strcmp(nep_table_cell(t, r, id_col), id) == 0)
            return r;
    return -1;
}

static nep_status check_ids(const join *j, int64_t id_col)
{
    for (int64_t r = 0; r < j->t->n_rows; r++) {
        const char *id = nep_table_cell(j->t, r, id_col);
        const int64_t first = id ? row_of(j->t, id_col, id) : r;
        NEP_REQUIRE(j->ctx, first == r, NEP_E_FORMAT, "%s: participant '%s' stands in rows %lld and %lld", j->t->path, id, (long long)first + 2,
                    (long long)r + 2);
    }
    return NEP_OK;
}

static nep_status choose_people(join *j, int64_t id_col, const cli_people *d, int64_t *row)
{
    int64_t absent = 0, incomplete = 0;
    for (int64_t i = 0; i < d->n; i++) {
        const int64_t r = row_of(j->t, id_col, d->ids[i]);
        bool whole = r >= 0;
        for (int64_t k = 0; k < j->n_s && r >= 0; k++)
            whole = whole && nep_table_cell(j->t, r, j->s[k].from);
        absent += r < 0;
        incomplete += r >= 0 && !whole;
        if (whole) {
            row[j->n] = i;
            j->person[j->n++] = r;
        }
    }
    if (absent + incomplete > 0)
        nep_warn(j->ctx, "design: left out %lld participants who are not in '%s' and %lld who lack a value there", (long long)absent, j->t->path,
                 (long long)incomplete);
    NEP_REQUIRE(j->ctx, j->n > 0, NEP_E_SHAPE, "%s: no participant of the data (the first is '%s') is in it with every value",
                j->t->path, d->ids[0]);
    return NEP_OK;
}

static const char *cell_of(const join *j, int64_t i, const source *s)
{
    return nep_table_cell(j->t, j->person[i], s->from);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static nep_status find_levels(join *j, source *s)
{
    for (int64_t i = 0; i < j->n; i++)
        s->words = s->words || !is_number(cell_of(j, i, s));
    if (!s->words)
        return NEP_OK;
    NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *s->level, "design: levels", &s->level));
    for (int64_t i = 0; i < j->n; i++)
        s->level[i] = cell_of(j, i, s);
    qsort(s->level, (size_t)j->n, sizeof *s->level, by_text);
    for (int64_t i = 0; i < j->n; i++)
        if (i == 0 || strcmp(s->level[i], s->level[s->n_levels - 1]) != 0)
            s->level[s->n_levels++] = s->level[i];
    return NEP_OK;
}

static void centre_column(nep_glm_design *d, int64_t at)
{
    double mean = 0;
    for (int64_t i = 0; i < d->n; i++)
        mean += d->x[i * d->p + at] / (double)d->n;
    for (int64_t i = 0; i < d->n; i++)
        d->x[i * d->p + at] -= mean;
}

/* Fills the columns of one source from `at` on. */
static nep_status fill_source(const join *j, const source *s, int64_t skip, bool centre, int64_t at, nep_glm_design *d)
{
    const char *header = j->t->header[s->from];
    if (!s->words) {
        NEP_TRY(nep_alloc_string(j->ctx, header, &d->names[at]));
        for (int64_t i = 0; i < j->n; i++)
            d->x[i * d->p + at] = strtod(cell_of(j, i, s), NULL);
        if (centre)
            centre_column(d, at);
        return NEP_OK;
    }
    for (int64_t l = skip; l < s->n_levels; l++, at++) {
        char name[512];
        snprintf(name, sizeof name, "%.250s=%.250s", header, s->level[l]);
        NEP_TRY(nep_alloc_string(j->ctx, name, &d->names[at]));
        for (int64_t i = 0; i < j->n; i++)
            d->x[i * d->p + at] = strcmp(cell_of(j, i, s), s->level[l]) == 0;
    }
    return NEP_OK;
}

/* Whether the columns 1 .. p - 1 add up to a constant: what is left of 1 beside an orthonormal basis of them. */
static nep_status spans_constant(nep_ctx *ctx, const nep_glm_design *d, bool *out)
{
    double *q = NULL, left = (double)d->n;
    int64_t k = 0;
    NEP_TRY(nep_alloc(ctx, (d->p + 1) * d->n, sizeof *q, "design: basis", &q));
    for (int64_t j = 1; j <= d->p; j++) { /* column p stands for the constant */
        double *own = q + k * d->n, before = 0, after = 0;
        for (int64_t i = 0; i < d->n; i++) {
            own[i] = j < d->p ? d->x[i * d->p + j] : 1;
            before += own[i] * own[i];
        }
        for (int64_t l = 0; l < 2 * k; l++) { /* twice is enough */
            const double *one = q + l % k * d->n;
            double along = 0;
            for (int64_t i = 0; i < d->n; i++)
                along += one[i] * own[i];
            for (int64_t i = 0; i < d->n; i++)
                own[i] -= along * one[i];
        }
        for (int64_t i = 0; i < d->n; i++)
            after += own[i] * own[i];
        left = after;
        if (j < d->p && after > 1e-16 * before) {
            for (int64_t i = 0; i < d->n; i++)
                own[i] /= sqrt(after);
            k++;
        }
    }
    *out = left <= 1e-16 * (double)d->n;
    nep_alloc_free(q);
    return NEP_OK;
}

static nep_status drop_first(nep_ctx *ctx, nep_glm_design *d)
{
    double *x = NULL;
    NEP_REQUIRE(ctx, d->p > 1, NEP_E_INTERNAL, "glm: a design without columns");
    NEP_TRY(nep_alloc(ctx, d->n * (d->p - 1), sizeof *x, "design", &x));
    for (int64_t i = 0; i < d->n; i++)
        memcpy(x + i * (d->p - 1), d->x + i * d->p + 1, (size_t)(d->p - 1) * sizeof *x);
    nep_alloc_free(d->x);
    d->x = x;
    nep_alloc_free(d->names[0]);
    memmove(d->names, d->names + 1, (size_t)(d->p - 1) * sizeof *d->names);
    d->p--;
    return NEP_OK;
}

static nep_status build(const join *j, bool centre, nep_glm_design *d)
{
    int64_t at = 1, first = -1;
    bool spanned;
    d->n = j->n;
    d->p = 1;
    for (int64_t k = 0; k < j->n_s; k++) {
        first = first < 0 && j->s[k].words ? k : first;
        d->p += !j->s[k].words ? 1 : k == first ? j->s[k].n_levels : j->s[k].n_levels - 1;
    }
    NEP_TRY(nep_alloc(j->ctx, d->n * d->p, sizeof *d->x, "design", &d->x));
    NEP_TRY(nep_alloc(j->ctx, d->p, sizeof *d->names, "design", &d->names));
    NEP_TRY(nep_alloc_string(j->ctx, "intercept", &d->names[0]));
    for (int64_t i = 0; i < d->n; i++)
        d->x[i * d->p] = 1;
    for (int64_t k = 0; k < j->n_s; k++) {
        NEP_TRY(fill_source(j, &j->s[k], k == first ? 0 : 1, centre, at, d));
        at += !j->s[k].words ? 1 : k == first ? j->s[k].n_levels : j->s[k].n_levels - 1;
    }
    NEP_TRY(spans_constant(j->ctx, d, &spanned));
    return spanned ? drop_first(j->ctx, d) : NEP_OK;
}

nep_status cli_glm_people_design(nep_ctx *ctx, const nep_table *t, const cli_people *d, const char *const *names, int n_names, bool centre,
                                 int64_t **row, nep_glm_design *out)
{
    join j = {.ctx = ctx, .t = t};
    nep_glm_design x = {0};
    int64_t *who = NULL, id_col;
    nep_status st;
    NEP_TRY(nep_table_need(ctx, t, "participant_id", &id_col));
    NEP_TRY_OR_DONE(st, choose_columns(&j, id_col, names, n_names));
    NEP_TRY_OR_DONE(st, check_ids(&j, id_col));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n, sizeof *who, "design: people", &who));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n, sizeof *j.person, "design: people", &j.person));
    NEP_TRY_OR_DONE(st, choose_people(&j, id_col, d, who));
    for (int64_t k = 0; k < j.n_s; k++)
        NEP_TRY_OR_DONE(st, find_levels(&j, &j.s[k]));
    NEP_TRY_OR_DONE(st, build(&j, centre, &x));
    *row = who;
    *out = x;
    who = NULL;
    x = (nep_glm_design){0};
done:
    for (int64_t k = 0; k < j.n_s; k++)
        nep_alloc_free(j.s[k].level);
    nep_alloc_free(j.s);
    nep_alloc_free(j.person);
    nep_alloc_free(who);
    nep_glm_design_free(&x);
    return st;
}
