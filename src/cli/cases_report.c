/* SPDX-License-Identifier: Apache-2.0 */
/* cases_report - what `similar cases` found: neighbours as a table, counts of diagnoses per query, the check, a few lines of talk. */
#include "cli/cases_report.h"

#include <math.h>
#include <string.h>

#include "cli/tabular.h"

enum { TALK = 5 }; /* queries that get a line */
static const double typical = 0.5;

static const char *const verdicts[] = {"signal", "no_more_than_confounds", "no_signal", "unchecked"};

/* ---- one query ---- */

typedef struct {
    const int64_t *row; /* of the reference */
    const double *distance;
    int64_t n;          /* neighbours that are listed */
    double nearest, quantile;
    bool near;          /* nearer than a typical pair */
} cases_view;

static cases_view view_of(const cases_result *r, int64_t q)
{
    const cases_query *query = &r->p->query[q];
    const nep_cases_near *near = query->reference >= 0 ? &r->own : &r->outside;
    const int64_t i = query->reference >= 0 ? query->reference : query->outside, at = near->start[i], m = near->start[i + 1] - at;
    cases_view v = {near->row + at, near->distance + at, m < r->k ? m : r->k, near->distance[at], 0, false};
    v.quantile = nep_cases_quantile(&r->spread, v.nearest);
    v.near = v.quantile <= typical;
    return v;
}

static int64_t count_of(const cases_result *r, const cases_view *v, int32_t c)
{
    int64_t n = 0;
    for (int64_t i = 0; i < v->n; i++)
        n += r->p->label[v->row[i]] == c;
    return n;
}

/* Share of a diagnosis among those that the query could have met. */
static double base_rate(const cases_result *r, const cases_query *q, int32_t c)
{
    const int64_t own = q->reference;
    int64_t n = 0;
    for (int64_t i = 0; i < r->p->n; i++)
        n += i != own && r->p->label[i] == c;
    return (double)n / (double)(r->p->n - (own >= 0));
}

static int64_t features_of(const cases_result *r, const cases_query *q)
{
    int64_t n = 0;
    for (int64_t f = 0; f < r->p->p && q->outside >= 0; f++)
        n += !isnan(r->p->outside_x[q->outside * r->p->p + f]);
    return q->outside >= 0 ? n : r->p->p;
}

static const char *verdict_of(const cases_view *v)
{
    return v->near ? "near" : "no near case";
}

/* ---- documents ---- */

static json_t *measure_json(const nep_vote_measure *m)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "value", cli_number(m->value), "low", cli_number(m->low), "high", cli_number(m->high), "chance",
                     cli_number(m->null_mean), "p", cli_number(m->p), "above_reaches_p05", cli_number(m->null_95));
}

static json_t *check_json(const cases_check *k)
{
    if (!k->done)
        return json_null();
    json_t *doc = json_pack("{s:I,s:I,s:o,s:o,s:s}", "subjects", (json_int_t)k->r.n, "classes", (json_int_t)k->r.n_classes, "balanced_accuracy",
                            measure_json(&k->r.balanced), "auroc", measure_json(&k->r.auroc), "verdict", verdicts[k->r.verdict]);
    if (!isnan(k->r.more)) {
        json_object_set_new(doc, "confounds_alone",
                            json_pack("{s:o,s:o}", "balanced_accuracy", measure_json(&k->r.baseline), "auroc", measure_json(&k->r.baseline_auroc)));
        json_object_set_new(doc, "more_than_confounds", json_pack("{s:o,s:o,s:o}", "value", cli_number(k->r.more), "low", cli_number(k->r.more_low),
                                                                  "high", cli_number(k->r.more_high)));
    }
    return doc;
}

static json_t *query_json(const cases_result *r, int64_t q)
{
    const cases_query *query = &r->p->query[q];
    const cases_view v = view_of(r, q);
    json_t *counts = json_array();
    for (int32_t c = 0; c < r->p->diagnosis.n_levels; c++)
        json_array_append_new(counts, json_pack("{s:s,s:I,s:f}", "diagnosis", r->p->diagnosis.level[c], "neighbours",
                                                (json_int_t)count_of(r, &v, c), "base_rate", base_rate(r, query, c)));
    return json_pack("{s:s,s:b,s:I,s:f,s:o,s:s,s:I,s:o}", "query", query->id, "in_reference", query->reference >= 0, "features",
                     (json_int_t)features_of(r, query), "nearest", v.nearest, "quantile", cli_number(v.quantile), "verdict", verdict_of(&v),
                     "neighbours", (json_int_t)v.n, "counts", counts);
}

static json_t *describe(const cases_result *r)
{
    const cases_people *p = r->p;
    json_t *counts = json_object(), *queries = json_array();
    for (int32_t c = 0; c < p->diagnosis.n_levels; c++) {
        int64_t n = 0;
        for (int64_t i = 0; i < p->n; i++)
            n += p->label[i] == c;
        json_object_set_new(counts, p->diagnosis.level[c], json_integer((json_int_t)n));
    }
    for (int64_t q = 0; q < p->n_queries; q++)
        json_array_append_new(queries, query_json(r, q));
    json_t *reference = json_pack("{s:I,s:I,s:o,s:O,s:b,s:I}", "subjects", (json_int_t)p->n, "features", (json_int_t)p->p, "diagnoses", counts,
                                  "features_left_out", p->left_out, "confounds_regressed", p->regress, "pairs", (json_int_t)r->spread.n);
    json_t *check = json_pack("{s:o,s:o}", "one_left_out", check_json(&r->one), "one_site_left_out", check_json(&r->site));
    return json_pack("{s:s,s:I,s:o,s:o,s:o}", "metric", r->metric == NEP_CASES_COSINE ? "1 - cosine of z-scores" : "Euclidean distance of z-scores",
                     "k", (json_int_t)r->k, "reference", reference, "check", check, "queries", queries);
}

/* ---- tables ---- */

typedef struct {
    int64_t rows;
    const char **text; /* [n_text, rows] */
    double *number;    /* [n_number, rows] */
} cases_cells;

static nep_status open_cells(nep_ctx *ctx, int64_t rows, int n_text, int n_number, cases_cells *t)
{
    t->rows = rows;
    NEP_TRY(nep_alloc(ctx, rows * n_text, sizeof *t->text, "nearest cases: rows", &t->text));
    return nep_alloc(ctx, rows * n_number, sizeof *t->number, "nearest cases: rows", &t->number);
}

static void close_cells(cases_cells *t)
{
    nep_alloc_free(t->text);
    nep_alloc_free(t->number);
}

/* The columns of the table of people that are shown beside the diagnosis. */
static nep_status shown_columns(cli *c, const cases_people *p, int64_t *column, int *n)
{
    const char *const *names = cli_texts(c, "columns", n);
    for (int k = 0; k < *n; k++)
        NEP_TRY(cases_people_column(p, names[k], &column[k]));
    return NEP_OK;
}

static nep_status emit_neighbours(cli *c, const cases_result *r)
{
    enum { NUMBERS = 3, TEXTS = 3, MOST = 64 };
    const cases_people *p = r->p;
    int64_t shown[MOST], rows = 0, at = 0;
    int n = 0;
    cases_cells t = {0};
    nep_status st;
    (void)cli_texts(c, "columns", &n);
    NEP_REQUIRE(p->ctx, n <= MOST, NEP_E_USAGE, "--columns takes at most %d columns", MOST);
    NEP_TRY(shown_columns(c, p, shown, &n));
    for (int64_t q = 0; q < p->n_queries; q++)
        rows += view_of(r, q).n;
    NEP_TRY_OR_DONE(st, open_cells(p->ctx, rows, TEXTS + n, NUMBERS, &t));
    for (int64_t q = 0; q < p->n_queries; q++) {
        const cases_view v = view_of(r, q);
        for (int64_t i = 0; i < v.n; i++, at++) {
            t.text[at] = p->query[q].id;
            t.text[rows + at] = p->ids[v.row[i]];
            t.text[2 * rows + at] = p->diagnosis.level[p->label[v.row[i]]];
            for (int k = 0; k < n; k++)
                t.text[(TEXTS + k) * rows + at] = cases_people_cell(p, p->person[v.row[i]], shown[k]);
            t.number[at] = (double)(i + 1);
            t.number[rows + at] = v.distance[i];
            t.number[2 * rows + at] = nep_cases_quantile(&r->spread, v.distance[i]);
        }
    }
    cli_column columns[NUMBERS + TEXTS + MOST] = {{"query", t.text, NULL},
                                                  {"rank", NULL, t.number},
                                                  {"id", t.text + rows, NULL},
                                                  {"distance", NULL, t.number + rows},
                                                  {"quantile", NULL, t.number + 2 * rows},
                                                  {"diagnosis", t.text + 2 * rows, NULL}};
    for (int k = 0; k < n; k++)
        columns[NUMBERS + TEXTS + k] = (cli_column){p->people.header[shown[k]], t.text + (TEXTS + k) * rows, NULL};
    st = cli_tabular_emit(c, "neighbours", columns, NUMBERS + TEXTS + n, rows, describe(r));
done:
    close_cells(&t);
    return st;
}

/* A row per query: how near the nearest is, and each diagnosis among the neighbours beside its base rate. */
static nep_status write_summary(const cases_result *r, const char *path)
{
    enum { NUMBERS = 4 };
    const cases_people *p = r->p;
    const int64_t rows = p->n_queries, classes = p->diagnosis.n_levels;
    cases_cells t = {0};
    cli_column *columns = NULL;
    char **names = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, open_cells(p->ctx, rows, 2, NUMBERS + 2 * (int)classes, &t));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, 2 + NUMBERS + 2 * classes, sizeof *columns, "nearest cases: columns", &columns));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, 2 * classes, sizeof *names, "nearest cases: columns", &names));
    for (int64_t q = 0; q < rows; q++) {
        const cases_view v = view_of(r, q);
        const double numbers[NUMBERS] = {(double)features_of(r, &p->query[q]), v.nearest, v.quantile, (double)v.n};
        t.text[q] = p->query[q].id;
        t.text[rows + q] = verdict_of(&v);
        for (int k = 0; k < NUMBERS; k++)
            t.number[k * rows + q] = numbers[k];
        for (int32_t c = 0; c < classes; c++) {
            t.number[(NUMBERS + 2 * c) * rows + q] = (double)count_of(r, &v, c);
            t.number[(NUMBERS + 2 * c + 1) * rows + q] = base_rate(r, &p->query[q], c);
        }
    }
    columns[0] = (cli_column){"query", t.text, NULL};
    columns[1] = (cli_column){"verdict", t.text + rows, NULL};
    static const char *const heads[NUMBERS] = {"features", "nearest", "quantile", "neighbours"};
    for (int k = 0; k < NUMBERS; k++)
        columns[2 + k] = (cli_column){heads[k], NULL, t.number + k * rows};
    for (int64_t c = 0; c < 2 * classes; c++) {
        char text[400];
        snprintf(text, sizeof text, "%s:%.380s", c % 2 ? "base_rate" : "count", p->diagnosis.level[c / 2]);
        NEP_TRY_OR_DONE(st, nep_alloc_string(p->ctx, text, &names[c]));
        columns[2 + NUMBERS + c] = (cli_column){names[c], NULL, t.number + (NUMBERS + c) * rows};
    }
    st = cli_tabular_write(p->ctx, path, columns, 2 + NUMBERS + 2 * (int)classes, rows);
done:
    nep_data_free_names(names, names ? 2 * classes : 0);
    nep_alloc_free(columns);
    close_cells(&t);
    return st;
}

/* A row per way of leaving out, data and measure. */
static nep_status write_check(const cases_result *r, const char *path)
{
    enum { NUMBERS = 8, TEXTS = 4, MOST = 10 };
    cases_cells t = {0};
    int64_t at = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, open_cells(r->p->ctx, MOST, TEXTS, NUMBERS, &t));
    for (int way = 0; way < 2; way++) {
        const cases_check *k = way ? &r->site : &r->one;
        const double none = (double)NAN;
        const nep_vote_measure more = {k->r.more, k->r.more_low, k->r.more_high, none, none, none};
        const struct {
            const char *data, *measure;
            const nep_vote_measure *m;
        } rows[] = {{"features", "balanced_accuracy", &k->r.balanced},
                    {"features", "auroc", &k->r.auroc},
                    {"confounds", "balanced_accuracy", &k->r.baseline},
                    {"confounds", "auroc", &k->r.baseline_auroc},
                    {"features less confounds", "balanced_accuracy", &more}};
        for (int i = 0; k->done && i < NEP_LEN(rows); i++) {
            if (isnan(rows[i].m->value))
                continue;
            const double numbers[NUMBERS] = {rows[i].m->value,   rows[i].m->low,     rows[i].m->high,       rows[i].m->null_mean,
                                             rows[i].m->p,       rows[i].m->null_95, (double)k->r.n,        (double)k->r.n_classes};
            const char *texts[TEXTS] = {way ? "one site left out" : "one left out", rows[i].data, rows[i].measure, verdicts[k->r.verdict]};
            for (int x = 0; x < TEXTS; x++)
                t.text[x * MOST + at] = texts[x];
            for (int x = 0; x < NUMBERS; x++)
                t.number[x * MOST + at] = numbers[x];
            at++;
        }
    }
    static const char *const heads[NUMBERS] = {"value", "low", "high", "chance", "p", "above_reaches_p05", "subjects", "classes"};
    cli_column columns[TEXTS + NUMBERS] = {{"validation", t.text, NULL}, {"data", t.text + MOST, NULL}, {"measure", t.text + 2 * MOST, NULL}};
    for (int x = 0; x < NUMBERS; x++)
        columns[3 + x] = (cli_column){heads[x], NULL, t.number + x * MOST};
    columns[3 + NUMBERS] = (cli_column){"verdict", t.text + 3 * MOST, NULL};
    st = cli_tabular_write(r->p->ctx, path, columns, TEXTS + NUMBERS, at);
done:
    close_cells(&t);
    return st;
}

nep_status cases_report_write(cli *c, const cases_result *r)
{
    if (cli_given(c, "summary")) {
        NEP_TRY(write_summary(r, cli_text(c, "summary")));
        NEP_TRY(cli_sidecar(c, cli_text(c, "summary"), NULL, NULL));
    }
    if (cli_given(c, "check")) {
        NEP_TRY(write_check(r, cli_text(c, "check")));
        NEP_TRY(cli_sidecar(c, cli_text(c, "check"), NULL, NULL));
    }
    return emit_neighbours(c, r);
}

/* ---- talk ---- */

static void say_query(cli *c, const cases_result *r, int64_t q)
{
    const cases_view v = view_of(r, q);
    char counts[600] = "";
    size_t used = 0;
    for (int32_t k = 0; k < r->p->diagnosis.n_levels && used + 90 < sizeof counts; k++)
        used += (size_t)snprintf(counts + used, sizeof counts - used, "%s%lld %.40s (base rate %.0f %%)", k ? ", " : "",
                                 (long long)count_of(r, &v, k), r->p->diagnosis.level[k], 100 * base_rate(r, &r->p->query[q], k));
    if (v.near)
        cli_say(c, "%s: nearest at %.4g, nearer than %.1f %% of pairs; among %lld neighbours %s", r->p->query[q].id, v.nearest,
                100 * (1 - v.quantile), (long long)v.n, counts);
    else
        cli_say(c, "%s: no near case: the nearest, at %.4g, is no nearer than a typical pair; of %lld neighbours %s", r->p->query[q].id, v.nearest,
                (long long)v.n, counts);
}

static void say_check(cli *c, const cases_check *k, const char *how)
{
    static const char *const meaning[] = {
        "signal: neighbours share a diagnosis more often than chance has it",
        "no more than confounds: the confounds alone do as well, so that neighbours' diagnoses may be theirs",
        "no signal: neighbours share a diagnosis no more often than chance has it; what is listed tells nothing about a diagnosis",
        "unchecked: too few subjects of two diagnoses, or nothing permuted; what is listed may tell nothing about a diagnosis"};
    if (!k->done)
        return;
    if (k->r.verdict == NEP_VOTE_UNCHECKED) {
        cli_say(c, "check, %s: %s", how, meaning[NEP_VOTE_UNCHECKED]);
        return;
    }
    cli_say(c, "check, %s: balanced accuracy %.2f (90 %% %.2f to %.2f; chance %.2f; p = %.3g)", how, k->r.balanced.value, k->r.balanced.low,
            k->r.balanced.high, k->r.balanced.null_mean, k->r.balanced.p);
    if (!isnan(k->r.more))
        cli_say(c, "  confounds alone %.2f; the features differ from them by %+.2f (90 %% %+.2f to %+.2f)", k->r.baseline.value, k->r.more, k->r.more_low,
                k->r.more_high);
    cli_say(c, "  %s", meaning[k->r.verdict]);
}

void cases_report_say(cli *c, const cases_result *r)
{
    for (int64_t q = 0; q < r->p->n_queries && q < TALK; q++)
        say_query(c, r, q);
    if (r->p->n_queries > TALK)
        cli_say(c, "... and %lld more", (long long)(r->p->n_queries - TALK));
    say_check(c, &r->one, "one left out");
    say_check(c, &r->site, "one site left out");
}
