/* SPDX-License-Identifier: Apache-2.0 */
/* study_evidence.c - evidence tables of a study: cells to rows, joined by the names of drugs and disorders. */
#include "cli/study_tables.h"

#include <nepenthe/tables.h>

#include <math.h>
#include <string.h>

/* Columns of one table; -1 where it has none. */
typedef struct {
    int64_t drug, disorder, value, se, n, hit, class, year, rater, vote, source, licence, note;
} columns;

static nep_status find_columns(nep_ctx *ctx, const nep_table *t, nep_tables_kind kind, bool labels_from, columns *c)
{
    *c = (columns){.drug = -1, .disorder = -1, .value = -1, .rater = -1, .vote = -1, .year = nep_table_column(t, "year"),
                   .se = nep_table_column(t, "se"), .n = nep_table_column(t, "n"), .hit = nep_table_column(t, "hit"),
                   .class = nep_table_column(t, "class"), .source = nep_table_column(t, "source"), .note = nep_table_column(t, "note"),
                   .licence = nep_table_column(t, "licence")};
    NEP_TRY(nep_table_need(ctx, t, "drug_id", &c->drug));
    if (kind != NEP_TABLES_EXPOSURE)
        NEP_TRY(nep_table_need(ctx, t, "disorder", &c->disorder));
    if (kind == NEP_TABLES_VOTES) {
        NEP_TRY(nep_table_need(ctx, t, "rater", &c->rater));
        NEP_TRY(nep_table_need(ctx, t, "vote", &c->vote));
    } else if (kind != NEP_TABLES_EXPOSURE || c->class < 0) {
        NEP_TRY(nep_table_need(ctx, t, "value", &c->value));
    } else {
        c->value = nep_table_column(t, "value");
    }
    if (kind == NEP_TABLES_LITERATURE)
        NEP_TRY(nep_table_need(ctx, t, "year", &c->year));
    if (kind == NEP_TABLES_RECORDS)
        NEP_TRY(nep_table_need(ctx, t, "se", &c->se));
    if (!labels_from)
        NEP_TRY(nep_table_need(ctx, t, "source", &c->source)); /* without it nobody can tell whether the table repeats the labels */
    return NEP_OK;
}

/* The word of a vote: a label's, or one of the three of PharmacotherapyDB. */
static bool find_vote(const char *word, int *out)
{
    static const struct {
        const char *word;
        nep_label label;
    } also[] = {{"DM", NEP_LABEL_APPROVED}, {"SYM", NEP_LABEL_SYMPTOMATIC}, {"NOT", NEP_LABEL_FAILED}};
    nep_label l = NEP_LABEL_NONE;
    bool known = word && nep_label_find(word, &l) && l != NEP_LABEL_NONE;
    for (int i = 0; word && !known && i < NEP_LEN(also); i++)
        if (strcmp(word, also[i].word) == 0) {
            l = also[i].label;
            known = true;
        }
    *out = (int)l;
    return known;
}

static nep_status find_rater(nep_ctx *ctx, nep_tables_one *one, const char *name, int *out)
{
    for (*out = 0; *out < one->n_raters; (*out)++)
        if (strcmp(one->raters[*out], name) == 0)
            return NEP_OK;
    NEP_TRY(nep_alloc_grow(ctx, one->n_raters + 1, sizeof *one->raters, "raters", &one->raters));
    NEP_TRY(nep_alloc_string(ctx, name, &one->raters[one->n_raters]));
    one->n_raters++;
    return NEP_OK;
}

static nep_status fill_vote(nep_ctx *ctx, const nep_table *t, int64_t r, const columns *c, nep_tables_one *one, nep_tables_row *row)
{
    const char *word = nep_table_cell(t, r, c->vote), *rater = nep_table_cell(t, r, c->rater);
    NEP_REQUIRE(ctx, rater, NEP_E_FORMAT, "%s: line %lld: the vote has no rater", t->path, (long long)r + 2);
    NEP_REQUIRE(ctx, find_vote(word, &row->vote), NEP_E_FORMAT,
                "%s: line %lld: vote is '%.40s', must be approved (DM), symptomatic (SYM), investigational, failed (NOT) or contraindicated", t->path,
                (long long)r + 2, word ? word : "n/a");
    return find_rater(ctx, one, rater, &row->rater);
}

static nep_status fill_numbers(nep_ctx *ctx, const nep_table *t, int64_t r, const columns *c, nep_tables_row *row)
{
    const struct {
        int64_t column;
        double *out;
    } numbers[] = {{c->value, &row->value}, {c->se, &row->se}, {c->n, &row->n}, {c->hit, &row->hit}};
    for (int i = 0; i < NEP_LEN(numbers); i++) {
        *numbers[i].out = (double)NAN;
        if (numbers[i].column >= 0)
            NEP_TRY(nep_table_number(ctx, t, r, numbers[i].column, numbers[i].out));
    }
    if (c->year >= 0 && nep_table_cell(t, r, c->year)) {
        double year;
        NEP_TRY(nep_table_number(ctx, t, r, c->year, &year));
        NEP_REQUIRE(ctx, year >= 0 && year < 10000 && floor(year) == year, NEP_E_FORMAT, "%s: line %lld: year is '%.40s', must be a whole number",
                    t->path, (long long)r + 2, nep_table_cell(t, r, c->year));
        row->year = (int64_t)year;
    }
    return NEP_OK;
}

static nep_status fill_class(nep_ctx *ctx, const nep_table *t, int64_t r, const columns *c, nep_tables_row *row)
{
    const char *class = cli_study_cell(t, r, c->class);
    if (!class)
        return NEP_OK;
    NEP_REQUIRE(ctx, strcmp(class, "BBB+") == 0 || strcmp(class, "BBB-") == 0, NEP_E_FORMAT, "%s: line %lld: class is '%.40s', must be BBB+ or BBB-",
                t->path, (long long)r + 2, class);
    row->hit = class[3] == '+';
    return NEP_OK;
}

static nep_status own(nep_ctx *ctx, const char *text, char **out)
{
    return text ? nep_alloc_string(ctx, text, out) : NEP_OK;
}

static nep_status fill_row(nep_ctx *ctx, const nep_table *t, int64_t r, nep_tables_kind kind, const columns *c, const char *licence,
                           nep_tables_one *one, nep_tables_row *row)
{
    const char *own_licence = cli_study_cell(t, r, c->licence);
    row->line = r + 2;
    NEP_TRY(fill_numbers(ctx, t, r, c, row));
    if (kind == NEP_TABLES_EXPOSURE)
        NEP_TRY(fill_class(ctx, t, r, c, row));
    if (kind == NEP_TABLES_VOTES)
        NEP_TRY(fill_vote(ctx, t, r, c, one, row));
    NEP_TRY(own(ctx, cli_study_cell(t, r, c->source), &row->source));
    NEP_TRY(own(ctx, own_licence ? own_licence : licence, &row->licence));
    return own(ctx, cli_study_cell(t, r, c->note), &row->note);
}

static nep_status fill(nep_ctx *ctx, const cli_study *s, const nep_table *t, nep_tables_kind kind, const columns *c, const char *licence, const study_lookup *drugs,
                       const study_lookup *disorders, nep_tables_one *one)
{
    study_strangers no_drug = {0}, no_disorder = {0};
    NEP_TRY(nep_alloc(ctx, t->n_rows, sizeof *one->rows, "evidence rows", &one->rows));
    for (int64_t r = 0; r < t->n_rows; r++) {
        const char *drug = nep_table_cell(t, r, c->drug), *disorder = cli_study_cell(t, r, c->disorder);
        NEP_REQUIRE(ctx, drug && (disorder || c->disorder < 0), NEP_E_FORMAT, "%s: line %lld: %s is missing", t->path, (long long)r + 2,
                    drug ? "the disorder" : "drug_id");
        const int64_t k = cli_study_find(drugs, drug), j = c->disorder < 0 ? 0 : cli_study_find(disorders, disorder);
        if (k < 0)
            cli_study_stranger(&no_drug, drug);
        else if (j < 0)
            cli_study_stranger(&no_disorder, disorder);
        if (k < 0 || j < 0 || !cli_study_keeps(s, t, r))
            continue;
        nep_tables_row *row = &one->rows[one->n_rows++];
        row->drug = k;
        row->disorder = j;
        NEP_TRY(fill_row(ctx, t, r, kind, c, licence, one, row));
    }
    cli_study_warn_strangers(ctx, t->path, "drugs", &no_drug);
    cli_study_warn_strangers(ctx, t->path, "disorders", &no_disorder);
    NEP_REQUIRE(ctx, one->n_rows > 0, NEP_E_SHAPE, "%s: no row is of a drug and a disorder of the study; both are joined by their ids", t->path);
    return NEP_OK;
}

/* Rows whose licence is not known to be open still count; a column that is no licence at all is refused. */
static nep_status check_licences(nep_ctx *ctx, const nep_table *t, const columns *c, const char *licence)
{
    NEP_REQUIRE(ctx, c->licence >= 0 || licence, NEP_E_FORMAT,
                "%s: has neither a column 'licence' nor one in a sidecar (the same name with .json); every row of evidence says its licence", t->path);
    for (int64_t r = 0; c->licence >= 0 && r < t->n_rows; r++) {
        const char *cell = nep_table_cell(t, r, c->licence);
        const bool word = !cell || (strlen(cell) <= 80 && strpbrk(cell, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"));
        NEP_REQUIRE(ctx, word, NEP_E_FORMAT, "%s: line %lld, column 'licence': '%.40s' is no licence; write CC0, CC BY 4.0, ... or n/a", t->path,
                    (long long)r + 2, cell);
    }
    return NEP_OK;
}

static nep_status load_one(nep_ctx *ctx, cli_study *s, const nep_study_evidence *e, const study_lookup *drugs, const study_lookup *disorders)
{
    nep_table t = {0};
    nep_tables_one one = {.half_life = e->half_life, .reference_year = e->reference_year};
    nep_tables_kind kind;
    columns c;
    char *licence = NULL;
    int64_t kept;
    nep_status st;

    NEP_REQUIRE(ctx, nep_tables_find(e->channel, &kind), NEP_E_CONFIG,
                "%s: evidence channel '%.40s' is none; there are expert_votes, literature, record_signal, assay_potency and cns_exposure",
                s->study.path, e->channel);
    NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, e->table, &t));
    NEP_TRY_OR_DONE(st, cli_study_sidecar(ctx, e->table, "licence", &licence));
    NEP_TRY_OR_DONE(st, find_columns(ctx, &t, kind, e->labels_from != NULL, &c));
    NEP_TRY_OR_DONE(st, check_licences(ctx, &t, &c, licence));
    NEP_TRY_OR_DONE(st, cli_study_count(ctx, s, &t, &kept));
    if (kept == 0 && t.n_rows > 0)
        goto done;
    NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, e->table, &one.path));
    NEP_TRY_OR_DONE(st, own(ctx, e->labels_from, &one.labels_from));
    NEP_TRY_OR_DONE(st, fill(ctx, s, &t, kind, &c, licence, drugs, disorders, &one));
    st = nep_tables_take(ctx, s->inputs.tables, kind, &one);
done:
    nep_alloc_free(licence);
    nep_tables_free_one(&one);
    nep_table_free(&t);
    return st;
}

nep_status cli_study_evidence(nep_ctx *ctx, cli_study *s, const study_lookup *drugs)
{
    study_lookup disorders = {0};
    nep_status st = NEP_OK;
    if (s->study.n_evidence == 0)
        return NEP_OK;
    NEP_TRY(nep_alloc(ctx, 1, sizeof *s->inputs.tables, "evidence tables", &s->inputs.tables));
    *s->inputs.tables = (nep_tables){.n_disorders = s->inputs.n_disorders, .n_drugs = s->inputs.n_drugs};
    NEP_TRY_OR_DONE(st, cli_study_lookup_make(ctx, s->inputs.disorder_ids, s->inputs.n_disorders, &disorders));
    for (int64_t i = 0; i < s->study.n_evidence; i++)
        NEP_TRY_OR_DONE(st, load_one(ctx, s, &s->study.evidence[i], drugs, &disorders));
done:
    nep_alloc_free(disorders.list);
    return st;
}
