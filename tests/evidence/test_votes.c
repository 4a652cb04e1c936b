/* SPDX-License-Identifier: Apache-2.0 */
/* Raters who err: against an independent script, by hand, and the three curators of PharmacotherapyDB. */
#include "support.h"

#include <nepenthe/io.h>
#include <nepenthe/votes.h>

#include <jansson.h>

enum { RATERS = 4, CLASSES = 3 };

static double number(const nep_table *t, int64_t row, const char *name)
{
    return strtod(nep_table_cell(t, row, nep_table_column(t, name)), NULL);
}

static void test_golden(void **state)
{
    nep_ctx *ctx = *state;
    nep_table t;
    json_t *doc = NULL;
    nep_votes_model m;
    signed char vote[100 * RATERS];
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("votes.tsv"), &t));
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("votes.json"), &doc));
    assert_int_equal(t.n_rows, 100);
    for (int64_t i = 0; i < 100; i++)
        for (int64_t r = 0; r < RATERS; r++)
            vote[i * RATERS + r] = (signed char)atoi(nep_table_cell(&t, i, r));
    const nep_votes v = {100, RATERS, CLASSES, vote};
    assert_ok(ctx, nep_votes_fit(ctx, &v, NEP_VOTES_SMOOTH, &m));
    assert_true(m.converged);
    assert_near(m.objective, json_number_value(json_object_get(doc, "objective")), 1e-9);
    for (size_t k = 0; k < CLASSES; k++)
        assert_near(m.prior[k], json_number_value(json_array_get(json_object_get(doc, "prior"), k)), 1e-9);
    for (size_t r = 0; r < RATERS; r++)
        for (size_t k = 0; k < CLASSES; k++)
            for (size_t l = 0; l < CLASSES; l++)
                assert_near(m.confusion[(r * CLASSES + k) * CLASSES + l],
                            json_number_value(json_array_get(json_array_get(json_array_get(json_object_get(doc, "confusion"), r), k), l)), 1e-9);
    for (int64_t i = 0; i < 100; i++) {
        static const char *const p[] = {"p0", "p1", "p2"}, *const e[] = {"e0", "e1", "e2"};
        const bool wanted[CLASSES] = {true, true, false};
        double se;
        for (int k = 0; k < CLASSES; k++) {
            assert_near(m.posterior[i * CLASSES + k], number(&t, i, p[k]), 1e-9);
            assert_near(m.log_error[i * CLASSES + k], number(&t, i, e[k]), 1e-9);
        }
        assert_near(nep_votes_probability(&m, i, wanted, &se), number(&t, i, "p01"), 1e-9);
        assert_near(se, number(&t, i, "se01"), 1e-9);
    }
    size_t pair = 0;
    for (int a = 0; a < RATERS; a++)
        for (int b = a + 1; b < RATERS; b++, pair++) {
            int64_t n;
            assert_near(nep_votes_cohen(&v, a, b, &n), json_number_value(json_array_get(json_object_get(doc, "cohen"), pair)), 1e-12);
            assert_int_equal(n, json_integer_value(json_array_get(json_object_get(doc, "cohen_n"), pair)));
        }
    int64_t n;
    assert_near(nep_votes_fleiss(&v, &n), json_number_value(json_object_get(doc, "fleiss")), 1e-12);
    assert_int_equal(n, json_integer_value(json_object_get(doc, "full")));
    assert_near(nep_votes_agreement(&v, NULL), json_number_value(json_object_get(doc, "agreement")), 1e-12);
    nep_votes_free(&m);
    json_decref(doc);
    nep_table_free(&t);
}

/* Three raters who always agree, two items of each class: without smoothing they are infallible; with it, by symmetry, the posterior
 * t of the class voted for solves t = a^3 / (a^3 + (1 - a)^3), a = (2 t + s) / (2 + 2 s). */
static void test_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    const signed char vote[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1};
    const nep_votes v = {4, 3, 2, vote};
    nep_votes_model m;
    assert_ok(ctx, nep_votes_fit(ctx, &v, 0, &m));
    assert_near(m.posterior[0], 1, 0);
    assert_near(m.prior[1], 0.5, 0);
    assert_near(m.confusion[0], 1, 0);
    assert_near(m.confusion[1], 0, 0);
    nep_votes_free(&m);
    assert_ok(ctx, nep_votes_fit(ctx, &v, 0.5, &m));
    const double t = m.posterior[0], a = (2 * t + 0.5) / 3;
    assert_true(t > 0.9 && t < 1);
    assert_near(t, pow(a, 3) / (pow(a, 3) + pow(1 - a, 3)), 1e-10);
    assert_near(m.confusion[0], a, 1e-10);
    assert_near(m.posterior[4], 1 - t, 1e-12);
    nep_votes_free(&m);
    assert_near(nep_votes_cohen(&v, 0, 1, NULL), 1, 0);
    const signed char one[] = {0, 0, 0, 0};
    assert_true(isnan(nep_votes_cohen(&(nep_votes){2, 2, 2, one}, 0, 1, NULL))); /* chance alone agrees always */
}

/* Renaming classes or reordering raters and items changes nothing but the names. */
static void test_names_do_not_matter(void **state)
{
    nep_ctx *ctx = *state;
    enum { N = 60 };
    signed char vote[N * 3], turned[N * 3];
    for (int i = 0; i < N; i++)
        for (int r = 0; r < 3; r++) {
            const int truth = i % 3, errs = nep_philox_uniform(3, (uint64_t)r, (uint64_t)i) < 0.1 + 0.15 * r;
            vote[i * 3 + r] = (signed char)(r == 2 && i % 7 == 0 ? -1 : (truth + errs) % 3);
            turned[(N - 1 - i) * 3 + (r + 1) % 3] = (signed char)(vote[i * 3 + r] < 0 ? -1 : (vote[i * 3 + r] + 1) % 3);
        }
    nep_votes_model m, w;
    assert_ok(ctx, nep_votes_fit(ctx, &(nep_votes){N, 3, 3, vote}, 0.5, &m));
    assert_ok(ctx, nep_votes_fit(ctx, &(nep_votes){N, 3, 3, turned}, 0.5, &w));
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 3; k++)
            assert_near(m.posterior[i * 3 + k], w.posterior[(N - 1 - i) * 3 + (k + 1) % 3], 1e-9);
    assert_true(m.confusion[0] > m.confusion[18]); /* the careful rater is known from the careless one */
    nep_votes_free(&m);
    nep_votes_free(&w);
}

static void test_bad_input(void **state)
{
    nep_ctx *ctx = *state;
    nep_votes_model m = {.iterations = 7};
    const signed char beyond[] = {0, 2}, nobody[] = {-1, -1};
    const nep_votes wrong[] = {{1, 2, 2, beyond}, {1, 2, 2, nobody}, {0, 2, 2, beyond}, {1, 2, 1, beyond}};
    for (int i = 0; i < NEP_LEN(wrong); i++) {
        assert_fails(nep_votes_fit(ctx, &wrong[i], 0.5, &m), NEP_E_ARG);
        nep_ctx_clear(ctx);
    }
    assert_fails(nep_votes_fit(ctx, &(nep_votes){1, 1, 3, beyond}, -1, &m), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_int_equal(m.iterations, 7);
    for (int64_t k = 0; k < 5; k++) {
        const int64_t before = nep_alloc_used(ctx);
        nep_alloc_fail_at(ctx, k);
        assert_fails(nep_votes_fit(ctx, &(nep_votes){1, 1, 3, beyond}, 0.5, &m), NEP_E_NOMEM);
        assert_int_equal(nep_alloc_used(ctx), before);
        nep_ctx_clear(ctx);
    }
    nep_alloc_fail_at(ctx, -1);
}

static signed char word(const char *cell)
{
    static const char *const words[] = {"DM", "SYM", "NOT"};
    for (int k = 0; k < 3; k++)
        if (cell && strcmp(cell, words[k]) == 0)
            return (signed char)k;
    return -1;
}

/* The 25 nervous-system diseases of the study, of those that the curators judged. */
static bool nervous(const char *doid)
{
    static const char *const ids[] = {"1826", "2377", "6364", "10652", "14330", "5419", "3312", "1595", "594", "1094", "0050425", "11119", "12849",
                                      "8986", "0050741", "1192", "1319", "3070", "332", "0050742", "12995", "11949", "10941", "3565", "5612"};
    for (int i = 0; i < NEP_LEN(ids); i++)
        if (strcmp(doid + 5, ids[i]) == 0)
            return true;
    return false;
}

static void check_kappas(const nep_votes *v, double ab, double ac, double bc)
{
    assert_true(fabs(nep_votes_cohen(v, 0, 1, NULL) - ab) < 0.005);
    assert_true(fabs(nep_votes_cohen(v, 0, 2, NULL) - ac) < 0.005);
    assert_true(fabs(nep_votes_cohen(v, 1, 2, NULL) - bc) < 0.005);
}

static void test_three_curators(void **state)
{
    nep_ctx *ctx = *state;
    const char *shared = test_shared();
    char path[4300];
    nep_table t;
    snprintf(path, sizeof path, "%s/data/ranking/pharmacotherapydb/three_curators.tsv", shared ? shared : "");
    if (!shared || !nep_file_exists(path))
        test_skip();
    assert_ok(ctx, nep_tsv_read(ctx, path, &t));
    signed char *all = calloc((size_t)t.n_rows, 3), *some = calloc((size_t)t.n_rows, 3);
    int64_t n = 0, n_some = 0;
    for (int64_t i = 0; i < t.n_rows; i++) {
        static const char *const raters[] = {"AJG", "CSH", "PK"};
        int voted = 0;
        for (int r = 0; r < 3; r++) {
            all[n * 3 + r] = word(nep_table_cell(&t, i, nep_table_column(&t, raters[r])));
            voted += all[n * 3 + r] >= 0;
        }
        if (voted && nervous(nep_table_cell(&t, i, nep_table_column(&t, "doid_id"))))
            memcpy(some + 3 * n_some++, all + 3 * n, 3);
        n += voted > 0;
    }
    const nep_votes v = {n, 3, 3, all}, ns = {n_some, 3, 3, some};
    int64_t full;
    assert_true(fabs(nep_votes_cohen(&v, 0, 1, NULL) - 0.50) < 0.005);
    assert_int_equal(n_some, 325);
    check_kappas(&ns, 0.50, 0.48, 0.53);
    assert_true(fabs(nep_votes_agreement(&ns, &full) - 0.68) < 0.005);
    nep_votes_model m;
    assert_ok(ctx, nep_votes_fit(ctx, &v, NEP_VOTES_SMOOTH, &m));
    assert_true(m.converged);
    for (int r = 0; r < 3; r++)
        for (int k = 0; k < 3; k++) /* each is right more often than not */
            assert_true(m.confusion[(r * 3 + k) * 3 + k] > 0.5);
    nep_votes_free(&m);
    free(all);
    free(some);
    nep_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),    cmocka_unit_test(test_by_hand),        cmocka_unit_test(test_names_do_not_matter),
        cmocka_unit_test(test_bad_input), cmocka_unit_test(test_three_curators),
    };
    nep_ctx *ctx = test_ctx(1);
    struct CMUnitTest with_state[NEP_LEN(tests)];
    memcpy(with_state, tests, sizeof tests);
    for (int i = 0; i < NEP_LEN(tests); i++)
        with_state[i].initial_state = ctx;
    const int failed = test_end(cmocka_run_group_tests(with_state, NULL, NULL));
    nep_ctx_free(ctx);
    return failed;
}
