/* SPDX-License-Identifier: Apache-2.0 */
/* cases_people - who is in the reference of `similar cases`, with which diagnosis, confounds and site, and who is compared with it. */
#include "cli/cases_people.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/io.h>

static void free_factor(cases_factor *f)
{
    nep_data_free_names(f->level, f->n_levels);
    *f = (cases_factor){0};
}

void cases_people_free(cases_people *p)
{
    cli_subjects_free(&p->all);
    cli_subjects_free(&p->outside);
    nep_table_free(&p->people);
    free_factor(&p->diagnosis);
    free_factor(&p->site);
    free_factor(&p->exchange);
    for (int k = 0; p->confound && k < p->n_confounds; k++)
        free_factor(&p->confound[k]);
    void *const owned[] = {p->by_id, p->confound, p->row,   p->ids,     p->person,  p->x,         p->features,      p->label,
                           p->group,    p->block, p->coded,   p->of_site, p->outside_x, p->outside_coded, p->query};
    for (int k = 0; k < NEP_LEN(owned); k++)
        nep_alloc_free(owned[k]);
    json_decref(p->left_out);
    *p = (cases_people){0};
}

/* ---- the table of people ---- */

/* 1999-12-31 and the like. */
static bool is_date(const char *cell)
{
    for (int i = 0; cell && i < 10; i++)
        if (i == 4 || i == 7 ? cell[i] != '-' : !isdigit((unsigned char)cell[i]))
            return false;
    return cell != NULL;
}

nep_status cases_people_column(const cases_people *p, const char *name, int64_t *column)
{
    NEP_TRY(nep_table_need(p->ctx, &p->people, name, column));
    for (int64_t r = 0; r < p->people.n_rows; r++)
        NEP_REQUIRE(p->ctx, !is_date(nep_table_cell(&p->people, r, *column)), NEP_E_ARG,
                    "column '%s' holds dates, which are neither compared nor shown", name);
    return NEP_OK;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const cases_person *)a)->id, ((const cases_person *)b)->id);
}

static nep_status check_people(cases_people *p)
{
    p->id_column = nep_table_column(&p->people, "participant_id");
    p->id_column = p->id_column < 0 ? 0 : p->id_column;
    NEP_TRY(nep_alloc(p->ctx, p->people.n_rows, sizeof *p->by_id, "people", &p->by_id));
    cases_person *list = p->by_id;
    for (int64_t r = 0; r < p->people.n_rows; r++) {
        const char *id = nep_table_cell(&p->people, r, p->id_column);
        list[r] = (cases_person){id ? id : "", r};
    }
    qsort(list, (size_t)p->people.n_rows, sizeof *list, by_id);
    for (int64_t r = 0; r < p->people.n_rows; r++) {
        if (list[r].id[0] == '\0')
            return nep_ctx_fail_file(p->ctx, NEP_E_FORMAT, p->people.path, "%s: line %lld has no id", p->people.path, (long long)list[r].row + 2);
        if (r > 0 && strcmp(list[r].id, list[r - 1].id) == 0)
            return nep_ctx_fail_file(p->ctx, NEP_E_FORMAT, p->people.path, "%s: '%s' stands there twice", p->people.path, list[r].id);
    }
    return NEP_OK;
}

int64_t cases_people_find(const cases_people *p, const char *id)
{
    const cases_person want = {id, 0}, *found = bsearch(&want, p->by_id, (size_t)p->people.n_rows, sizeof want, by_id);
    return found ? found->row : -1;
}

const char *cases_people_cell(const cases_people *p, int64_t row, int64_t column)
{
    const char *cell = row >= 0 ? nep_table_cell(&p->people, row, column) : NULL;
    if (!cell || strcmp(p->people.header[column], "age") != 0)
        return cell;
    return strtod(cell, NULL) >= 90 ? "89+" : cell;
}

/* ---- factors ---- */

static bool is_number(const char *cell)
{
    char *end;
    const double x = strtod(cell, &end);
    return *cell != '\0' && *end == '\0' && isfinite(x);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static nep_status name_factor(const cases_people *p, const char *name, cases_factor *f)
{
    f->name = name;
    return cases_people_column(p, name, &f->column);
}

static const char *cell_of(const cases_people *p, int64_t row, const cases_factor *f)
{
    return row >= 0 ? nep_table_cell(&p->people, row, f->column) : NULL;
}

static int32_t level_of(const cases_people *p, int64_t row, const cases_factor *f)
{
    const char *cell = cell_of(p, row, f);
    return cell ? (int32_t)cli_subjects_find(f->level, f->n_levels, cell) : -1;
}

/* The levels of a column in the reference; with `numbers`, a column of numbers alone has none. */
static nep_status open_levels(const cases_people *p, bool numbers, cases_factor *f)
{
    const char **cell = NULL;
    bool numeric = numbers;
    nep_status st = NEP_OK;
    if (!f->name)
        return NEP_OK;
    NEP_TRY(nep_alloc(p->ctx, p->n, sizeof *cell, "levels", &cell));
    for (int64_t i = 0; i < p->n; i++) {
        cell[i] = cell_of(p, p->person[i], f);
        numeric = numeric && is_number(cell[i]);
    }
    qsort(cell, (size_t)p->n, sizeof *cell, by_text);
    if (!numeric)
        NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n, sizeof *f->level, "levels", &f->level));
    for (int64_t i = 0; i < p->n && !numeric; i++)
        if (i == 0 || strcmp(cell[i], cell[i - 1]) != 0) {
            NEP_TRY_OR_DONE(st, nep_alloc_string(p->ctx, cell[i], &f->level[f->n_levels]));
            f->n_levels++;
        }
done:
    nep_alloc_free(cell);
    return st;
}

bool cases_people_code(const cases_people *p, int64_t row, double *out)
{
    int64_t at = 0;
    for (int k = 0; k < p->n_confounds; k++) {
        const cases_factor *f = &p->confound[k];
        const char *cell = cell_of(p, row, f);
        const int64_t level = f->level && cell ? cli_subjects_find(f->level, f->n_levels, cell) : 0;
        if (!cell || level < 0 || (!f->level && !is_number(cell)))
            return false;
        if (!f->level)
            out[at++] = strtod(cell, NULL);
        for (int64_t l = 1; l < f->n_levels; l++)
            out[at++] = level == l;
    }
    return true;
}

static bool whole(const cases_people *p, int64_t row)
{
    for (int k = 0; k < p->n_confounds; k++)
        if (!cell_of(p, row, &p->confound[k]))
            return false;
    return true;
}

/* ---- the reference ---- */

/* Finds in the table of people everyone of the data, whether or not they take part. */
static nep_status find_people(cases_people *p, int64_t **rows)
{
    NEP_TRY(nep_alloc(p->ctx, p->all.n, sizeof **rows, "people", rows));
    for (int64_t i = 0; i < p->all.n; i++)
        (*rows)[i] = cases_people_find(p, p->all.ids[i]);
    return NEP_OK;
}

static nep_status name_factors(cases_people *p)
{
    int n = 0;
    const char *const *names = cli_texts(p->c, "confounds", &n);
    NEP_TRY(name_factor(p, cli_text(p->c, "diagnosis"), &p->diagnosis));
    if (cli_given(p->c, "site"))
        NEP_TRY(name_factor(p, cli_text(p->c, "site"), &p->site));
    if (cli_given(p->c, "exchange") || cli_given(p->c, "site"))
        NEP_TRY(name_factor(p, cli_text(p->c, cli_given(p->c, "exchange") ? "exchange" : "site"), &p->exchange));
    NEP_TRY(nep_alloc(p->ctx, n, sizeof *p->confound, "confounds", &p->confound));
    p->n_confounds = n;
    for (int k = 0; k < n; k++) {
        NEP_REQUIRE(p->ctx, strcmp(names[k], p->diagnosis.name) != 0, NEP_E_ARG, "'%s' is the diagnosis and cannot be a confound of it",
                    names[k]);
        NEP_TRY(name_factor(p, names[k], &p->confound[k]));
    }
    return NEP_OK;
}

/* Those with a diagnosis, all confounds, a site and a block where they are asked for. */
static nep_status choose_reference(cases_people *p, const int64_t *rows)
{
    int64_t absent = 0, undiagnosed = 0, incomplete = 0;
    NEP_TRY(nep_alloc(p->ctx, p->all.n, sizeof *p->row, "reference", &p->row));
    NEP_TRY(nep_alloc(p->ctx, p->all.n, sizeof *p->person, "reference", &p->person));
    for (int64_t i = 0; i < p->all.n; i++) {
        const bool ill = cell_of(p, rows[i], &p->diagnosis);
        const bool rest = ill && whole(p, rows[i]) && (!p->site.name || cell_of(p, rows[i], &p->site)) &&
                          (!p->exchange.name || cell_of(p, rows[i], &p->exchange));
        absent += rows[i] < 0;
        undiagnosed += rows[i] >= 0 && !ill;
        incomplete += ill && !rest;
        if (rest) {
            p->person[p->n] = rows[i];
            p->row[p->n++] = i;
        }
    }
    if (absent + undiagnosed + incomplete > 0)
        nep_warn(p->ctx,
                 "not in the reference: %lld who are not in the table of people, %lld without a diagnosis, %lld without a confound, site or block",
                 (long long)absent, (long long)undiagnosed, (long long)incomplete);
    NEP_REQUIRE(p->ctx, p->n > 0, NEP_E_SHAPE, "no subject of the data (first: '%s') has a diagnosis in column '%s' of the table of people",
                p->all.ids[0], p->diagnosis.name);
    return NEP_OK;
}

/* Screens the reference; subjects that miss too much leave it. */
static nep_status screen(cases_people *p, nep_cases_reason *reason)
{
    float *x = NULL;
    bool *keep = NULL;
    int64_t n = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n * p->all.p, sizeof *x, "reference", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n, sizeof *keep, "reference", &keep));
    for (int64_t i = 0; i < p->n; i++)
        memcpy(x + i * p->all.p, p->all.x + p->row[i] * p->all.p, (size_t)p->all.p * sizeof *x);
    NEP_TRY_OR_DONE(st, nep_cases_screen(p->ctx, x, p->n, p->all.p, cli_real(p->c, "missing"), keep, reason));
    for (int64_t i = 0; i < p->n; i++)
        if (keep[i]) {
            p->person[n] = p->person[i];
            p->row[n++] = p->row[i];
        }
    if (n < p->n)
        nep_warn(p->ctx, "not in the reference: %lld who miss more than %g %% of the features", (long long)(p->n - n),
                 100 * cli_real(p->c, "missing"));
    p->n = n;
done:
    nep_alloc_free(keep);
    nep_alloc_free(x);
    return st;
}

static void note(cases_people *p, const char *why, const char *name, int64_t *count, char *first, size_t size)
{
    if ((*count)++ == 0)
        snprintf(first, size, "%s", name);
    json_array_append_new(p->left_out, json_pack("{s:s,s:s}", "feature", name, "why", why));
}

static nep_status keep_features(cases_people *p)
{
    nep_cases_reason *reason = NULL;
    char missing[200] = "", constant[200] = "";
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->all.p, sizeof *reason, "features", &reason));
    NEP_TRY_OR_DONE(st, screen(p, reason));
    p->left_out = json_array();
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->all.p, sizeof *p->features, "features", &p->features));
    for (int64_t f = 0; f < p->all.p; f++) {
        if (reason[f] == NEP_CASES_KEPT)
            p->features[p->p++] = p->all.columns[f];
        else if (reason[f] == NEP_CASES_MISSING)
            note(p, "missing in some of the reference", p->all.columns[f], &p->n_missing, missing, sizeof missing);
        else
            note(p, "the same in all of the reference", p->all.columns[f], &p->n_constant, constant, sizeof constant);
    }
    if (p->n_missing > 0)
        nep_warn(p->ctx, "%lld of %lld features are missing in some of the reference and left out (first: '%s')", (long long)p->n_missing,
                 (long long)p->all.p, missing);
    if (p->n_constant > 0)
        nep_warn(p->ctx, "%lld of %lld features are the same in all of the reference and left out (first: '%s')", (long long)p->n_constant,
                 (long long)p->all.p, constant);
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n * p->p, sizeof *p->x, "reference", &p->x));
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t f = 0, at = 0; f < p->all.p; f++)
            if (reason[f] == NEP_CASES_KEPT)
                p->x[i * p->p + at++] = p->all.x[p->row[i] * p->all.p + f];
done:
    nep_alloc_free(reason);
    return st;
}

static nep_status code_reference(cases_people *p)
{
    NEP_TRY(open_levels(p, false, &p->diagnosis));
    NEP_TRY(open_levels(p, false, &p->site));
    NEP_TRY(open_levels(p, false, &p->exchange));
    for (int k = 0; k < p->n_confounds; k++)
        NEP_TRY(open_levels(p, true, &p->confound[k]));
    NEP_TRY(nep_alloc(p->ctx, p->n, sizeof *p->ids, "reference", &p->ids));
    NEP_TRY(nep_alloc(p->ctx, p->n, sizeof *p->label, "diagnoses", &p->label));
    NEP_TRY(nep_alloc(p->ctx, p->n, sizeof *p->group, "sites", &p->group));
    NEP_TRY(nep_alloc(p->ctx, p->n, sizeof *p->block, "blocks", &p->block));
    for (int k = 0; k < p->n_confounds; k++)
        p->wide += p->confound[k].level ? p->confound[k].n_levels - 1 : 1;
    NEP_TRY(nep_alloc(p->ctx, p->n * p->wide, sizeof *p->coded, "confounds", &p->coded));
    NEP_TRY(nep_alloc(p->ctx, p->wide, sizeof *p->of_site, "confounds", &p->of_site));
    for (int64_t i = 0; i < p->n; i++) {
        p->ids[i] = p->all.ids[p->row[i]];
        p->label[i] = level_of(p, p->person[i], &p->diagnosis);
        p->group[i] = p->site.name ? level_of(p, p->person[i], &p->site) : 0;
        p->block[i] = p->exchange.name ? level_of(p, p->person[i], &p->exchange) : 0;
        NEP_REQUIRE(p->ctx, cases_people_code(p, p->person[i], p->coded + i * p->wide), NEP_E_INTERNAL, "%s lost a confound", p->ids[i]);
    }
    for (int64_t k = 0, at = 0; k < p->n_confounds; k++) {
        const int64_t m = p->confound[k].level ? p->confound[k].n_levels - 1 : 1;
        for (int64_t l = 0; l < m; l++)
            p->of_site[at++] = p->site.name && p->confound[k].column == p->site.column;
    }
    return NEP_OK;
}

nep_status cases_people_read(cli *c, cases_people *out)
{
    cases_people p = {.c = c, .ctx = cli_ctx(c), .regress = cli_flag(c, "regress")};
    int64_t *rows = NULL;
    int n = 0;
    nep_status st;
    NEP_REQUIRE(p.ctx, cli_given(c, "people") && cli_given(c, "diagnosis"), NEP_E_USAGE,
                "--people TSV and --diagnosis COLUMN are needed: neighbours are shown with their diagnoses");
    NEP_REQUIRE(p.ctx, !p.regress || cli_given(c, "confounds"), NEP_E_USAGE, "--regress needs --confounds: what is to be regressed out");
    NEP_TRY_OR_DONE(st, cli_subjects_read(p.ctx, cli_input(c, 0), &p.all));
    const char *const *names = cli_texts(c, "features", &n);
    NEP_TRY_OR_DONE(st, cli_subjects_choose(p.ctx, &p.all, names, n, cli_input(c, 0)));
    NEP_TRY_OR_DONE(st, nep_tsv_read(p.ctx, cli_text(c, "people"), &p.people));
    NEP_TRY_OR_DONE(st, check_people(&p));
    NEP_TRY_OR_DONE(st, find_people(&p, &rows));
    NEP_TRY_OR_DONE(st, name_factors(&p));
    NEP_TRY_OR_DONE(st, choose_reference(&p, rows));
    NEP_TRY_OR_DONE(st, keep_features(&p));
    NEP_TRY_OR_DONE(st, code_reference(&p));
    NEP_TRY_OR_DONE(st, cases_queries_read(&p));
    *out = p;
    p = (cases_people){0};
done:
    nep_alloc_free(rows);
    cases_people_free(&p);
    return st;
}
