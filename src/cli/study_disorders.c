/* SPDX-License-Identifier: Apache-2.0 */
/* study_disorders.c - a study's disorders: their maps, the truth of simulated ones, and which drug is recorded for which. */
#include "cli/study_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nep_status load_map(nep_ctx *ctx, cli_study *s, int64_t j)
{
    const nep_study_disorder *d = &s->study.disorders[j];
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    int64_t region, value, se = -1, kept;
    nep_status st = NEP_OK;

    if (!d->map_table)
        return NEP_OK;
    NEP_REQUIRE(ctx, s->study.geometry, NEP_E_CONFIG, "%s: disorder %s has a map but the study no geometry, which names the regions", s->study.path, d->id);
    NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, d->map_table, &t));
    NEP_TRY_OR_DONE(st, cli_study_count(ctx, s, &t, &kept));
    if (kept == 0 && t.n_rows > 0)
        goto done;
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "region", &region));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, d->map_value, &value));
    if (d->map_se)
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, d->map_se, &se));
    int64_t matched = 0;
    for (int64_t r = 0; r < t.n_rows; r++) {
        const char *name = nep_table_cell(&t, r, region);
        const int64_t i = name ? nep_geometry_find(&s->geometry, name) : -1;
        if (i < 0 || !cli_study_keeps(s, &t, r))
            continue;
        double *effect = &in->effect[j * in->n_regions + i], *error = &in->effect_se[j * in->n_regions + i];
        NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, r, value, effect));
        if (se >= 0)
            NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, r, se, error));
        else if (d->n1 > 0 && d->n2 > 0) /* standard error of a standardised difference (Hedges & Olkin 1985) */
            *error = sqrt((d->n1 + d->n2) / (d->n1 * d->n2) + *effect * *effect / (2 * (d->n1 + d->n2)));
        matched += !isnan(*effect);
    }
    NEP_REQUIRE_OR_DONE(st, ctx, matched > 0, NEP_E_SHAPE,
                        "%s: no region of column %s has a value under the names of the geometry %s", d->map_table, d->map_value,
                        s->study.geometry);
done:
    nep_table_free(&t);
    return st;
}

static nep_status load_truth(nep_ctx *ctx, cli_study *s, int64_t j, const study_lookup *drugs)
{
    const char *path = s->study.disorders[j].truth;
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    int64_t id, relevant;
    nep_status st = NEP_OK;

    for (int64_t k = 0; k < in->n_drugs; k++)
        in->truth[j * in->n_drugs + k] = path ? 0 : -1;
    if (!path)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, path, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "drug_id", &id));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "relevant", &relevant));
    for (int64_t r = 0; r < t.n_rows; r++) {
        const int64_t k = cli_study_find(drugs, nep_table_cell(&t, r, id));
        double x;
        NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, r, relevant, &x));
        if (k >= 0)
            in->truth[j * in->n_drugs + k] = x > 0;
    }
done:
    nep_table_free(&t);
    return st;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The disorders that the label table names and the study does not list, sorted by id: s->others. */
static nep_status find_others(nep_ctx *ctx, cli_study *s)
{
    nep_table t = {0};
    int64_t disorder;
    nep_status st = NEP_OK;

    if (!s->study.other_disorders || !s->study.labels)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, s->study.labels, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "disorder", &disorder));
    for (int64_t r = 0; r < t.n_rows; r++) {
        const char *id = nep_table_cell(&t, r, disorder);
        bool known = !id || !cli_study_keeps(s, &t, r) || (s->n_others && strcmp(s->others[s->n_others - 1], id) == 0);
        for (int64_t j = 0; j < s->study.n_disorders && !known; j++)
            known = strcmp(s->study.disorders[j].id, id) == 0;
        for (int64_t j = 0; j < s->n_others && !known; j++)
            known = strcmp(s->others[j], id) == 0;
        if (known)
            continue;
        NEP_TRY_OR_DONE(st, nep_alloc_grow(ctx, s->n_others + 1, sizeof *s->others, "other disorders", &s->others));
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, id, &s->others[s->n_others]));
        s->n_others++;
    }
    if (s->n_others)
        qsort(s->others, (size_t)s->n_others, sizeof *s->others, by_text);
done:
    nep_table_free(&t);
    return st;
}

nep_status cli_study_disorders(nep_ctx *ctx, cli_study *s, const study_lookup *drugs)
{
    nep_inputs *in = &s->inputs;
    NEP_REQUIRE(ctx, s->study.n_disorders > 0, NEP_E_CONFIG, "%s: the study has no disorder", s->study.path);
    NEP_TRY(find_others(ctx, s));
    const int64_t listed = s->study.n_disorders, d = listed + s->n_others, cells = d * in->n_regions;
    in->n_disorders = d;
    in->n_listed = listed;
    in->n_ranked = s->study.n_ranked;
    NEP_TRY(nep_alloc(ctx, d, sizeof(char *), "disorders", &in->disorder_ids));
    NEP_TRY(nep_alloc(ctx, d, sizeof(char *), "disorders", &in->disorder_names));
    NEP_TRY(nep_alloc(ctx, d, sizeof(bool), "disorders", &in->simulated));
    NEP_TRY(nep_alloc(ctx, d, sizeof(int), "disorders", &in->direction));
    NEP_TRY(nep_alloc(ctx, cells, sizeof(double), "disorder maps", &in->effect));
    NEP_TRY(nep_alloc(ctx, cells, sizeof(double), "disorder map errors", &in->effect_se));
    NEP_TRY(nep_alloc(ctx, d * in->n_drugs, 1, "simulated truth", &in->truth));
    for (int64_t i = 0; i < cells; i++)
        in->effect[i] = in->effect_se[i] = NAN;
    for (int64_t j = listed; j < d; j++) {
        in->disorder_ids[j] = in->disorder_names[j] = s->others[j - listed];
        memset(in->truth + j * in->n_drugs, -1, (size_t)in->n_drugs);
    }
    for (int64_t j = 0; j < listed; j++) {
        const nep_study_disorder *x = &s->study.disorders[j];
        in->disorder_ids[j] = x->id;
        in->disorder_names[j] = x->name ? x->name : x->id;
        in->simulated[j] = x->simulated;
        in->direction[j] = x->direction;
        NEP_TRY(load_map(ctx, s, j));
        NEP_TRY(load_truth(ctx, s, j, drugs));
    }
    return NEP_OK;
}

/* The column that dates labels, -1 = none. */
static int64_t date_column(const nep_table *t)
{
    static const char *const names[] = {"since", "year", "date"};
    for (int i = 0; i < NEP_LEN(names); i++)
        if (nep_table_column(t, names[i]) >= 0)
            return nep_table_column(t, names[i]);
    return -1;
}

/* A year, or a date that begins with one (2003-05-21, 2003-05); 0 where the cell is missing. */
static nep_status read_year(nep_ctx *ctx, const nep_table *t, int64_t r, int64_t col, int16_t *out)
{
    const char *cell = cli_study_cell(t, r, col);
    bool fits = true;
    *out = 0;
    if (!cell)
        return NEP_OK;
    for (size_t i = 0; cell[i] && fits; i++)
        fits = i == 4 || i == 7 ? cell[i] == '-' : cell[i] >= '0' && cell[i] <= '9';
    const size_t n = strlen(cell);
    NEP_REQUIRE(ctx, fits && (n == 4 || n == 7 || n == 10) && cell[0] != '0', NEP_E_FORMAT,
                "%s: line %lld: a label is dated '%.40s', must be a year or a date (2003, 2003-05, 2003-05-21)", t->path, (long long)r + 2, cell);
    *out = (int16_t)strtol(cell, NULL, 10);
    return NEP_OK;
}

/* Rows of a pair that an earlier row has named. */
typedef struct {
    int64_t rows, first, differ; /* first: line of the first one; differ: those with another status */
} repeats;

static void note_repeat(repeats *t, nep_label before, nep_label now, int64_t line)
{
    if (before == NEP_LABEL_NONE || now == NEP_LABEL_NONE)
        return;
    t->first = t->rows ? t->first : line;
    t->rows++;
    t->differ += before != now;
}

static void warn_repeats(nep_ctx *ctx, const char *path, const repeats *t)
{
    if (t->rows)
        nep_warn(ctx, "%s: %lld rows name a drug and disorder that an earlier row names (first: line %lld), %lld of them with another status; of several "
                      "the first of approved, symptomatic, investigational, failed and contraindicated holds",
                 path, (long long)t->rows, (long long)t->first, (long long)t->differ);
}

nep_status cli_study_labels(nep_ctx *ctx, cli_study *s, const study_lookup *drugs)
{
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    study_lookup disorders = {0};
    int64_t id, disorder, status, kept;
    nep_status st = NEP_OK;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders * in->n_drugs, sizeof(nep_label), "labels", &in->labels));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders * in->n_drugs, sizeof(char *), "label sources", &in->label_source));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders * in->n_drugs, sizeof(int16_t), "label years", &in->label_year));
    if (!s->study.labels)
        goto done;
    NEP_TRY_OR_DONE(st, cli_study_lookup_make(ctx, in->disorder_ids, in->n_disorders, &disorders));
    NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, s->study.labels, &t));
    NEP_TRY_OR_DONE(st, cli_study_count(ctx, s, &t, &kept));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "drug_id", &id));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "disorder", &disorder));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "status", &status));
    const int64_t source = nep_table_column(&t, "source"), date = date_column(&t);
    study_strangers no_drug = {0}, no_disorder = {0};
    repeats twice = {0};
    for (int64_t r = 0; r < t.n_rows; r++) {
        const int64_t k = cli_study_find(drugs, nep_table_cell(&t, r, id));
        const char *of = nep_table_cell(&t, r, disorder), *word = nep_table_cell(&t, r, status);
        nep_label label;
        int16_t year;
        NEP_TRY_OR_DONE(st, read_year(ctx, &t, r, date, &year));
        NEP_REQUIRE_OR_DONE(st, ctx, word && nep_label_find(word, &label), NEP_E_FORMAT,
                            "%s: line %lld: status is '%s', must be approved, symptomatic, investigational, failed or "
                            "contraindicated",
                            s->study.labels, (long long)r + 2, word ? word : "n/a");
        const int64_t j = cli_study_find(&disorders, of);
        if (k < 0)
            cli_study_stranger(&no_drug, nep_table_cell(&t, r, id) ? nep_table_cell(&t, r, id) : "n/a");
        else if (j < 0)
            cli_study_stranger(&no_disorder, of ? of : "n/a");
        if (k < 0 || j < 0 || !cli_study_keeps(s, &t, r))
            continue;
        nep_label *cell = &in->labels[j * in->n_drugs + k];
        char **origin = &in->label_source[j * in->n_drugs + k];
        note_repeat(&twice, *cell, label, r + 2);
        int16_t *since = &in->label_year[j * in->n_drugs + k];
        if (*cell == label && year && (!*since || year < *since))
            *since = year;
        if (*cell != NEP_LABEL_NONE && *cell <= label)
            continue; /* the earlier word of the list holds: approved before symptomatic before ... */
        *cell = label;
        *since = year;
        nep_alloc_free(*origin);
        *origin = NULL;
        if (cli_study_cell(&t, r, source))
            NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, cli_study_cell(&t, r, source), origin));
    }
    cli_study_warn_strangers(ctx, s->study.labels, "drugs", &no_drug);
    cli_study_warn_strangers(ctx, s->study.labels, "disorders", &no_disorder);
    warn_repeats(ctx, s->study.labels, &twice);
done:
    nep_alloc_free(disorders.list);
    nep_table_free(&t);
    return st;
}
