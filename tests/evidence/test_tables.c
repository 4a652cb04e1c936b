/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence tables: what each kind makes of its rows (an independent script), what is refused, licences, sources shared with labels. */
#include "synthetic_study.h"

#include <nepenthe/io.h>
#include <nepenthe/tables.h>

enum { DRUGS = 12, DISORDERS = 3 };

static double cell(const nep_table *t, int64_t r, const char *name)
{
    const char *text = nep_table_cell(t, r, nep_table_column(t, name));
    return text ? strtod(text, NULL) : (double)NAN;
}

static void take_kind(nep_ctx *ctx, const nep_table *t, nep_tables_kind kind, nep_tables *out)
{
    nep_tables_one one = {.reference_year = kind == NEP_TABLES_LITERATURE ? 2016 : 0};
    assert_ok(ctx, nep_alloc_string(ctx, "rows.tsv", &one.path));
    assert_ok(ctx, nep_alloc(ctx, t->n_rows, sizeof *one.rows, "rows", &one.rows));
    for (int64_t r = t->n_rows; r-- > 0;) { /* the order of the file does not matter */
        if (strcmp(nep_table_cell(t, r, 0), nep_tables_name(kind)) != 0)
            continue;
        nep_tables_row *row = &one.rows[one.n_rows++];
        *row = (nep_tables_row){.drug = (int64_t)cell(t, r, "drug"), .disorder = (int64_t)cell(t, r, "disorder"), .line = r + 2,
                                .value = cell(t, r, "value"), .se = cell(t, r, "se"), .n = cell(t, r, "n"), .hit = cell(t, r, "hit"),
                                .year = (int64_t)cell(t, r, "year")};
        assert_ok(ctx, nep_alloc_string(ctx, nep_table_cell(t, r, nep_table_column(t, "source")), &row->source));
    }
    assert_true(one.n_rows > 5);
    assert_ok(ctx, nep_tables_take(ctx, out, kind, &one));
    assert_null(one.rows);
}

/* Every value of the script, NaN everywhere else, and explanations that sum to the score. */
static void test_golden(void **state)
{
    nep_ctx *ctx = *state;
    nep_table rows, want;
    nep_tables t = {.n_disorders = DISORDERS, .n_drugs = DRUGS};
    static const struct {
        nep_tables_kind kind;
        const char *channel;
    } kinds[] = {{NEP_TABLES_LITERATURE, "literature"}, {NEP_TABLES_RECORDS, "record_signal"}, {NEP_TABLES_ASSAY, "assay_potency"},
                 {NEP_TABLES_EXPOSURE, "exposure"}};
    nep_label none[DISORDERS * DRUGS] = {0};
    nep_molset drugs = {.n = DRUGS};
    nep_inputs in = {.n_drugs = DRUGS, .n_disorders = DISORDERS, .drugs = &drugs, .tables = &t, .seed = 1};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("tables_rows.tsv"), &rows));
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("tables.tsv"), &want));
    for (int i = 0; i < NEP_LEN(kinds); i++)
        take_kind(ctx, &rows, kinds[i].kind, &t);
    assert_ok(ctx, nep_tables_prepare(ctx, &t));
    int checked = 0, silent = 0;
    for (int i = 0; i < NEP_LEN(kinds); i++) {
        const nep_channel *c = nep_channel_find(kinds[i].channel);
        for (int64_t j = 0; j < DISORDERS; j++) {
            double value[DRUGS], se[DRUGS], want_value[DRUGS], want_se[DRUGS];
            const nep_visible v = {.disorder = j, .own = none, .others = none};
            for (int k = 0; k < DRUGS; k++)
                want_value[k] = want_se[k] = (double)NAN;
            for (int64_t r = 0; r < want.n_rows; r++)
                if (strcmp(nep_table_cell(&want, r, 0), nep_tables_name(kinds[i].kind)) == 0 &&
                    (kinds[i].kind == NEP_TABLES_EXPOSURE || (int64_t)cell(&want, r, "disorder") == j)) {
                    want_value[(int)cell(&want, r, "drug")] = cell(&want, r, "value");
                    want_se[(int)cell(&want, r, "drug")] = cell(&want, r, "se");
                }
            assert_ok(ctx, nep_channel_score(ctx, c, &in, &v, 0, value, se));
            for (int k = 0; k < DRUGS; k++) {
                nep_reason reasons[12];
                double sum = 0;
                int n = 0;
                assert_near(value[k], want_value[k], 1e-11);
                assert_near(se[k], want_se[k], 1e-11);
                assert_ok(ctx, nep_channel_explain(ctx, c, &in, &v, k, 12, reasons, &n));
                for (int r = 0; r < n; r++) {
                    sum += reasons[r].share;
                    assert_true(r == 0 || fabs(reasons[r].share) <= fabs(reasons[r - 1].share));
                    assert_true(reasons[r].label[0] && reasons[r].detail[0]);
                }
                assert_int_equal(n > 0 || value[k] == 0, !isnan(value[k]));
                if (n > 0)
                    assert_near(sum, value[k], 1e-9);
                checked += !isnan(value[k]);
                silent += isnan(value[k]);
            }
        }
    }
    assert_true(checked > 70 && silent > 30);
    nep_tables_free(&t);
    nep_table_free(&rows);
    nep_table_free(&want);
}

/* Two records, hand-worked: y = 1 and 0 with se 1 each, five pairs so that a prior is there: Q and tau^2 by hand. */
static void test_records_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    nep_tables t = {.n_disorders = 1, .n_drugs = 5};
    nep_tables_one one = {0};
    static const double y[] = {-4, -2, 0, 2, 4}; /* Q = 40, tau^2 = (40 - 4) / (5 - 1) = 9, mean 0 */
    assert_ok(ctx, nep_alloc_string(ctx, "r.tsv", &one.path));
    assert_ok(ctx, nep_alloc(ctx, 5, sizeof *one.rows, "rows", &one.rows));
    for (int k = 0; k < 5; k++)
        one.rows[one.n_rows++] = (nep_tables_row){.drug = k, .line = k + 2, .value = y[k], .se = 1, .n = (double)NAN, .hit = (double)NAN};
    assert_ok(ctx, nep_tables_take(ctx, &t, NEP_TABLES_RECORDS, &one));
    assert_ok(ctx, nep_tables_prepare(ctx, &t));
    for (int k = 0; k < 5; k++) {
        assert_near(t.of[NEP_TABLES_RECORDS]->value[k], 0.9 * y[k], 1e-14);
        assert_near(t.of[NEP_TABLES_RECORDS]->se[k], sqrt(0.9 + 0.01 * 2), 1e-14);
    }
    nep_tables_free(&t);
}

static nep_status take_row(nep_ctx *ctx, nep_tables *t, nep_tables_kind kind, nep_tables_row row, int copies)
{
    nep_tables_one one = {.n_raters = 1};
    assert_ok(ctx, nep_alloc_string(ctx, "t.tsv", &one.path));
    assert_ok(ctx, nep_alloc(ctx, 1, sizeof *one.raters, "raters", &one.raters));
    assert_ok(ctx, nep_alloc_string(ctx, "R", &one.raters[0]));
    assert_ok(ctx, nep_alloc(ctx, copies, sizeof *one.rows, "rows", &one.rows));
    for (; one.n_rows < copies; one.n_rows++) {
        one.rows[one.n_rows] = row;
        one.rows[one.n_rows].line += one.n_rows;
    }
    return nep_tables_take(ctx, t, kind, &one);
}

static void test_refused(void **state)
{
    nep_ctx *ctx = *state;
    const double none = (double)NAN;
    nep_tables t = {.n_disorders = 1, .n_drugs = 2};
    const struct {
        nep_tables_kind kind;
        nep_tables_row row;
        int copies;
        const char *words;
    } bad[] = {
        {NEP_TABLES_LITERATURE, {.value = 1.5, .se = none, .n = none, .hit = none, .year = 2000}, 1, "whole number of papers"},
        {NEP_TABLES_LITERATURE, {.value = 1, .se = none, .n = none, .hit = none}, 1, "year is 0"},
        {NEP_TABLES_LITERATURE, {.value = none, .se = none, .n = none, .hit = none, .year = 2000}, 1, "value is missing"},
        {NEP_TABLES_RECORDS, {.value = (double)INFINITY, .se = 1, .n = none, .hit = none}, 1, "value is infinite"},
        {NEP_TABLES_RECORDS, {.value = 1, .se = none, .n = none, .hit = none}, 1, "needs an se above 0"},
        {NEP_TABLES_RECORDS, {.value = 1, .se = -1, .n = none, .hit = none}, 1, "se is -1"},
        {NEP_TABLES_RECORDS, {.value = 1, .se = 1, .n = none, .hit = none}, 2, "stands there twice (line 7)"},
        {NEP_TABLES_ASSAY, {.value = 6, .se = none, .n = none, .hit = 1.2}, 1, "hit is 1.2"},
        {NEP_TABLES_ASSAY, {.value = none, .se = none, .n = none, .hit = none}, 1, "value is missing"},
        {NEP_TABLES_ASSAY, {.value = 6, .se = none, .n = -2, .hit = none}, 1, "n is -2"},
        {NEP_TABLES_VOTES, {.value = none, .se = none, .n = none, .hit = none}, 1, "the vote is no status"},
        {NEP_TABLES_VOTES, {.value = none, .se = none, .n = none, .hit = none, .vote = NEP_LABEL_FAILED, .rater = 1}, 1, "no rater"},
    };
    for (int i = 0; i < NEP_LEN(bad); i++) {
        nep_tables_row row = bad[i].row;
        row.line = 7;
        const int64_t before = nep_alloc_used(ctx);
        assert_fails(take_row(ctx, &t, bad[i].kind, row, bad[i].copies), NEP_E_FORMAT);
        if (!strstr(nep_ctx_error(ctx), bad[i].words) || strncmp(nep_ctx_error(ctx), "t.tsv: line ", 12) != 0)
            fail_msg("'%s' lacks '%s'", nep_ctx_error(ctx), bad[i].words);
        assert_int_equal(nep_alloc_used(ctx), before);
        nep_ctx_clear(ctx);
    }
    const nep_tables_row fine = {.value = 6, .se = none, .n = none, .hit = none, .line = 2}, beyond = {.drug = 2, .line = 2};
    assert_ok(ctx, take_row(ctx, &t, NEP_TABLES_ASSAY, fine, 1));
    assert_fails(take_row(ctx, &t, NEP_TABLES_ASSAY, fine, 1), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(take_row(ctx, &t, NEP_TABLES_RECORDS, beyond, 1), NEP_E_ARG);
    nep_ctx_clear(ctx);
    nep_tables_free(&t);
    nep_tables_kind kind;
    assert_true(nep_tables_find("cns_exposure", &kind) && kind == NEP_TABLES_EXPOSURE);
    assert_false(nep_tables_find("exposure", &kind));
}

static void test_licences(void **state)
{
    nep_ctx *ctx = *state;
    static const char *const open[] = {"CC0", "CC0-1.0", "CC0 1.0", "cc by 4.0", "CC BY 3.0", "CC-BY-4.0", "CC BY", "public domain", "CC0; CC BY 4.0",
                                       "CC BY 4.0 International"};
    static const char *const closed[] = {"CC BY-SA 4.0", "CC-BY-SA-3.0", "CC BY-NC 4.0", "CC BY-NC-SA 4.0", "CC BY-ND", "ODbL", "ODbL 1.0", "none",
                                         "", "proprietary", "CC0; ODbL", "CC BY 4.0 | CC BY-NC 4.0", "GPL-3.0", "not CC0"};
    for (int i = 0; i < NEP_LEN(open); i++)
        if (!nep_tables_open_licence(open[i]))
            fail_msg("'%s' is open", open[i]);
    for (int i = 0; i < NEP_LEN(closed); i++)
        if (nep_tables_open_licence(closed[i]))
            fail_msg("'%s' is not open", closed[i]);
    assert_false(nep_tables_open_licence(NULL));
    static synthetic s;
    int64_t dropped[NEP_TABLES_COUNT];
    synthetic_make(&s);
    synthetic_tables(ctx, &s);
    const int64_t before = s.in.tables->of[NEP_TABLES_VOTES]->n_rows;
    nep_tables_keep_open(s.in.tables, dropped); /* the votes of rater C and all of the assays are not open */
    assert_int_equal(dropped[NEP_TABLES_VOTES], before / 3);
    assert_int_equal(s.in.tables->of[NEP_TABLES_VOTES]->n_rows, before - before / 3);
    assert_int_equal(dropped[NEP_TABLES_LITERATURE], 0);
    assert_true(dropped[NEP_TABLES_ASSAY] > 0);
    assert_null(s.in.tables->of[NEP_TABLES_ASSAY]);
    assert_ok(ctx, nep_tables_prepare(ctx, s.in.tables));
    assert_true(nep_channel_missing(nep_channel_find("assay_potency"), &s.in) != 0);
    assert_true(nep_channel_missing(nep_channel_find("expert_votes"), &s.in) == 0);
    nep_tables_free(s.in.tables);
}

/* A table that repeats the labels' source, under whatever spelling, is told. */
static void test_overlap(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic s;
    char source[64];
    char *labels[S_DISORDERS * S_DRUGS] = {NULL};
    const nep_channel *votes = nep_channel_find("expert_votes"), *literature = nep_channel_find("literature");
    synthetic_make(&s);
    synthetic_tables(ctx, &s);
    assert_false(nep_channel_overlaps(votes, &s.in, source)); /* no sources of labels are known */
    s.in.label_source = labels;
    labels[3] = (char[]){"DrugCentral"};
    assert_false(nep_channel_overlaps(votes, &s.in, source));
    labels[7] = (char[]){"HUB; Raters of 2015"};
    assert_true(nep_channel_overlaps(votes, &s.in, source));
    assert_string_equal(source, "raters, of-2015");
    assert_false(nep_channel_overlaps(literature, &s.in, source));
    assert_false(nep_channel_overlaps(nep_channel_find("analogue"), &s.in, source));
    labels[7] = NULL;
    nep_tables_one *one = s.in.tables->of[NEP_TABLES_LITERATURE];
    assert_ok(ctx, nep_alloc_string(ctx, "drugcentral 2016", &one->labels_from));
    nep_tables_shared shared;
    assert_true(nep_tables_overlap(one, labels, S_DISORDERS * S_DRUGS, &shared));
    assert_int_equal(shared.n_shared, one->n_rows);
    assert_string_equal(shared.source, "drugcentral 2016");
    labels[3] = (char[]){"DC"}; /* too short to be the beginning of anything */
    assert_false(nep_tables_overlap(one, labels, S_DISORDERS * S_DRUGS, &shared));
    nep_tables_free(s.in.tables);
}

/* Votes: the channel is the model's posterior of a treatment; its explanation sums to it; weights of labels are it. */
static void test_votes_channel(void **state)
{
    nep_ctx *ctx = *state;
    static synthetic s;
    double value[S_DRUGS], se[S_DRUGS], drawn[S_DRUGS], drawn_se[S_DRUGS];
    const nep_channel *c = nep_channel_find("expert_votes");
    synthetic_make(&s);
    synthetic_tables(ctx, &s);
    assert_ok(ctx, nep_tables_prepare(ctx, s.in.tables));
    const nep_visible v = {.disorder = 1, .own = s.labels, .others = s.labels};
    assert_ok(ctx, nep_channel_score(ctx, c, &s.in, &v, 0, value, se));
    assert_ok(ctx, nep_channel_score(ctx, c, &s.in, &v, 3, drawn, drawn_se));
    const nep_tables_one *one = s.in.tables->of[NEP_TABLES_VOTES];
    int known = 0;
    for (int k = 0; k < S_DRUGS; k++) {
        const int64_t item = one->vote_item[S_DRUGS + k];
        double e;
        assert_near(nep_expert_votes_weight(s.in.tables, 1, k, &e), value[k], 0);
        assert_near(e, se[k], 0);
        assert_int_equal(item < 0, isnan(value[k]));
        if (item < 0)
            continue;
        double sum = 0;
        nep_reason reasons[8];
        int n = 0;
        for (int cl = 0; cl < one->votes.n_classes; cl++)
            sum += nep_label_indicated((nep_label)one->vote_class[cl]) ? one->votes.posterior[item * one->votes.n_classes + cl] : 0;
        assert_near(value[k], sum, 1e-14);
        assert_true(se[k] > 0 && drawn[k] > 0 && drawn[k] < 1 && drawn[k] != value[k]);
        assert_ok(ctx, nep_channel_explain(ctx, c, &s.in, &v, k, 8, reasons, &n));
        assert_int_equal(n, 4);
        sum = 0;
        for (int r = 0; r < n; r++)
            sum += reasons[r].share;
        assert_near(sum, value[k], 1e-12);
        assert_ok(ctx, nep_channel_explain(ctx, c, &s.in, &v, k, 2, reasons, &n));
        assert_int_equal(n, 2);
        known++;
    }
    assert_true(known > 10 && known < S_DRUGS);
    assert_true(isnan(nep_expert_votes_weight(NULL, 0, 0, NULL)));
    nep_tables_free(s.in.tables);
}

static void test_rater_votes_once(void **state)
{
    nep_ctx *ctx = *state;
    nep_tables t = {.n_disorders = 1, .n_drugs = 2};
    nep_tables_one one = {.n_raters = 1};
    assert_ok(ctx, nep_alloc_string(ctx, "v.tsv", &one.path));
    assert_ok(ctx, nep_alloc(ctx, 1, sizeof *one.raters, "raters", &one.raters));
    assert_ok(ctx, nep_alloc_string(ctx, "R", &one.raters[0]));
    assert_ok(ctx, nep_alloc(ctx, 2, sizeof *one.rows, "rows", &one.rows));
    for (; one.n_rows < 2; one.n_rows++) {
        one.rows[one.n_rows] = (nep_tables_row){.vote = NEP_LABEL_APPROVED + (int)one.n_rows, .line = 2 + one.n_rows, .value = (double)NAN,
                                                .se = (double)NAN, .n = (double)NAN, .hit = (double)NAN};
        assert_ok(ctx, nep_alloc_string(ctx, one.n_rows ? "second" : "first", &one.rows[one.n_rows].source));
    }
    assert_ok(ctx, nep_tables_take(ctx, &t, NEP_TABLES_VOTES, &one));
    assert_fails(nep_tables_prepare(ctx, &t), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "rater R voted on this pair before (line 2)"));
    nep_ctx_clear(ctx);
    nep_tables_free(&t);
}

static int setup(void **state)
{
    *state = test_ctx(1);
    return 0;
}

static int teardown(void **state)
{
    const int leaked = nep_alloc_used(*state) != 0;
    nep_ctx_free(*state);
    return leaked;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),   cmocka_unit_test(test_records_by_hand), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_licences), cmocka_unit_test(test_overlap),         cmocka_unit_test(test_votes_channel),
        cmocka_unit_test(test_rater_votes_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
