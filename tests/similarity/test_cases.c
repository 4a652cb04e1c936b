/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases - neighbours and distances of nearest cases against scikit-learn, and what screening and leaving out promise. */
#include "support.h"

#include <jansson.h>
#include <nepenthe/cases.h>
#include <nepenthe/io.h>

enum { N = 40, P = 12, K = 5, C = 3 };

typedef struct {
    float x[N * P];
    double confound[N * C]; /* age, sex, site */
    int32_t site[N];
} people;

static people read_people(nep_ctx *ctx)
{
    people d;
    nep_table x = {0}, t = {0};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("cases_x.tsv"), &x));
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("cases_people.tsv"), &t));
    assert_true(x.n_rows == N && x.n_cols == P && t.n_rows == N);
    for (int i = 0; i < N; i++) {
        for (int f = 0; f < P; f++)
            d.x[i * P + f] = (float)atof(nep_table_cell(&x, i, f));
        d.site[i] = strcmp(nep_table_cell(&t, i, 4), "north") == 0;
        d.confound[i * C] = atof(nep_table_cell(&t, i, 2));
        d.confound[i * C + 1] = atof(nep_table_cell(&t, i, 3));
        d.confound[i * C + 2] = d.site[i];
    }
    nep_table_free(&t);
    nep_table_free(&x);
    return d;
}

static nep_cases_data data_of(const people *d, bool adjusted)
{
    return (nep_cases_data){N, P, adjusted ? C : 0, d->x, adjusted ? d->confound : NULL, NULL};
}

/* Rows and distances of one way of leaving out against the golden table; returns how many lines it has. */
static int compare(const nep_table *want, const char *way, const nep_cases_near *near)
{
    int lines = 0;
    for (int64_t r = 0; r < want->n_rows; r++) {
        if (strcmp(nep_table_cell(want, r, 0), way) != 0)
            continue;
        const int64_t i = atoi(nep_table_cell(want, r, 1)), at = near->start[i] + atoi(nep_table_cell(want, r, 2)) - 1;
        assert_true(at < near->start[i + 1]);
        assert_int_equal(near->row[at], atoi(nep_table_cell(want, r, 3)));
        assert_near(near->distance[at], atof(nep_table_cell(want, r, 4)), 1e-9);
        lines++;
    }
    return lines;
}

static void test_leaving_out_as_scikit_learn(void **state)
{
    nep_ctx *ctx = *state;
    const people d = read_people(ctx);
    const bool off[C] = {false, false, true}; /* the site is left out of what is fitted on the other site */
    nep_table want = {0};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("cases_near.tsv"), &want));
    for (int adjusted = 0; adjusted < 2; adjusted++)
        for (int cosine = 0; cosine < 2; cosine++) {
            const nep_cases_data data = data_of(&d, adjusted);
            const nep_cases_metric metric = cosine ? NEP_CASES_COSINE : NEP_CASES_EUCLIDEAN;
            nep_cases_near near = {0};
            char way[64];
            snprintf(way, sizeof way, "one %s %s", cosine ? "cosine" : "euclidean", adjusted ? "adjusted" : "plain");
            assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, metric, K, 0, &near, NULL));
            assert_int_equal(compare(&want, way, &near), N * K);
            nep_cases_near_free(&near);
            snprintf(way, sizeof way, "site %s %s", cosine ? "cosine" : "euclidean", adjusted ? "adjusted" : "plain");
            assert_ok(ctx, nep_cases_leave_group_out(ctx, &data, d.site, 2, adjusted ? off : NULL, metric, K, &near));
            assert_int_equal(compare(&want, way, &near), N * K);
            nep_cases_near_free(&near);
        }
    nep_table_free(&want);
}

/* The formulas of leaving one out are those of fitting on the others: a fit for each, by the other function. */
static void test_one_left_out_is_a_group_of_one(void **state)
{
    nep_ctx *ctx = *state;
    const people d = read_people(ctx);
    const nep_cases_data data = data_of(&d, true);
    nep_cases_near one = {0}, group = {0};
    int32_t alone[N];
    for (int i = 0; i < N; i++)
        alone[i] = i;
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, 7, 0, &one, NULL));
    assert_ok(ctx, nep_cases_leave_group_out(ctx, &data, alone, N, NULL, NEP_CASES_EUCLIDEAN, 7, &group));
    for (int64_t i = 0; i <= N; i++)
        assert_int_equal(one.start[i], group.start[i]);
    for (int64_t i = 0; i < one.start[N]; i++) {
        assert_int_equal(one.row[i], group.row[i]);
        assert_near(one.distance[i], group.distance[i], 1e-11);
    }
    nep_cases_near_free(&one);
    nep_cases_near_free(&group);
}

static void test_queries_with_missing_features(void **state)
{
    nep_ctx *ctx = *state;
    const people d = read_people(ctx);
    const nep_cases_data data = data_of(&d, false);
    nep_cases_model model = {0};
    json_t *doc = NULL;
    float x[3 * P];
    double z[3 * P], reference[N * P];
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("cases.json"), &doc));
    const json_t *query = json_object_get(doc, "query");
    for (int i = 0; i < 3; i++)
        for (int f = 0; f < P; f++) {
            const json_t *cell = json_array_get(json_array_get(json_object_get(query, "x"), (size_t)i), (size_t)f);
            x[i * P + f] = json_is_null(cell) ? NAN : (float)json_number_value(cell);
        }
    assert_ok(ctx, nep_cases_fit(ctx, &data, NULL, NULL, &model));
    nep_cases_apply(&model, d.x, NULL, N, reference);
    nep_cases_apply(&model, x, NULL, 3, z);
    for (int cosine = 0; cosine < 2; cosine++) {
        nep_cases_near near = {0};
        const json_t *want = json_object_get(query, cosine ? "cosine" : "euclidean");
        assert_ok(ctx, nep_cases_nearest(ctx, reference, N, NULL, z, 3, P, cosine ? NEP_CASES_COSINE : NEP_CASES_EUCLIDEAN, N, &near));
        assert_int_equal(near.start[3], 3 * N);
        for (int i = 0; i < 3; i++)
            for (int64_t at = near.start[i]; at < near.start[i + 1]; at++) {
                const json_t *row = json_array_get(want, (size_t)(cosine ? i / 2 : i)); /* the second has no golden cosine */
                if (cosine && i == 1)
                    continue;
                assert_near(near.distance[at], json_number_value(json_array_get(row, (size_t)near.row[at])), 1e-9);
                assert_true(at == near.start[i] || near.distance[at] >= near.distance[at - 1]);
            }
        nep_cases_near_free(&near);
    }
    json_decref(doc);
    nep_cases_model_free(&model);
}

static void test_threads_and_k_change_nothing(void **state)
{
    nep_ctx *ctx = *state, *other = test_ctx(5);
    const people d = read_people(ctx);
    const nep_cases_data data = data_of(&d, true);
    nep_cases_near a = {0}, b = {0};
    nep_cases_spread s = {0}, t = {0};
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_COSINE, 3, 0, &a, &s));
    assert_ok(other, nep_cases_leave_one_out(other, &data, NEP_CASES_COSINE, 100, 0, &b, &t));
    assert_int_equal(b.start[N], N * (N - 1)); /* k beyond the reference: all of it */
    assert_int_equal(s.n, N * (N - 1));
    assert_memory_equal(s.distance, t.distance, (size_t)s.n * sizeof *s.distance);
    for (int i = 0; i < N; i++) {
        assert_int_equal(a.start[i + 1] - a.start[i], 3);
        for (int r = 0; r < 3; r++) {
            assert_int_equal(a.row[a.start[i] + r], b.row[b.start[i] + r]);
            assert_true(a.distance[a.start[i] + r] == b.distance[b.start[i] + r]);
            assert_true(a.row[a.start[i] + r] != i);
        }
    }
    assert_near(nep_cases_quantile(&s, s.distance[0]), 1.0 / (double)s.n, 1e-12);
    assert_near(nep_cases_quantile(&s, 1e9), 1, 0);
    assert_near(nep_cases_quantile(&s, -1), 0, 0);
    nep_cases_near_free(&a);
    nep_cases_near_free(&b);
    nep_cases_spread_free(&s);
    nep_cases_spread_free(&t);
    /* a share of the pairs has their distribution */
    nep_cases_spread all = {0}, some = {0};
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, 1, 0, &a, &all));
    nep_cases_near_free(&a);
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, 1, 600, &a, &some));
    assert_in_range(some.n, 500, 600);
    assert_near(nep_cases_quantile(&all, some.distance[some.n / 2]), 0.5, 0.08);
    nep_cases_near_free(&a);
    nep_cases_spread_free(&all);
    nep_cases_spread_free(&some);
    nep_ctx_free(other);
}

/* Five subjects on a line at 0 0 1 1 3: others at the k-th distance come along. Mean and SD of the others scale, so that distances
 * from the fifth, between 0 0 1 1, are 3 and 2 over 0.5. */
static void test_ties_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    const float x[5] = {0, 0, 1, 1, 3};
    const nep_cases_data data = {5, 1, 0, x, NULL, NULL};
    const int32_t label[5] = {0, 1, 0, 0, 1};
    nep_cases_near near = {0};
    double share[5 * 2];
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, 1, 0, &near, NULL));
    assert_int_equal(near.start[5] - near.start[4], 2);
    assert_int_equal(near.row[near.start[4]], 2);
    assert_int_equal(near.row[near.start[4] + 1], 3);
    assert_near(near.distance[near.start[4]], 4, 1e-14);
    nep_cases_near_free(&near);
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, 3, 0, &near, NULL));
    assert_int_equal(near.start[5] - near.start[4], 4);
    nep_vote_shares(&near, 3, label, 2, share);
    /* 2 at 4, and one place for two subjects of different labels: 0 has 2.5 of 3 */
    assert_near(share[4 * 2], 2.5 / 3, 1e-14);
    assert_near(share[4 * 2 + 1], 0.5 / 3, 1e-14);
    nep_cases_near_free(&near);
}

static void test_screen(void **state)
{
    nep_ctx *ctx = *state;
    const float m = NAN;
    const float x[4 * 6] = {1, 2, 3, m, 5, m, /* */ 2, 2, m, m, 6, 1, /* */ 3, 2, 4, m, m, m, /* */ 9, 2, 5, m, 7, m};
    bool keep[4];
    nep_cases_reason reason[6];
    assert_ok(ctx, nep_cases_screen(ctx, x, 4, 6, 0.2, keep, reason)); /* of five known features, one missing is 20 % */
    assert_true(keep[0] && keep[1] && !keep[2] && keep[3]);
    const nep_cases_reason want[6] = {NEP_CASES_KEPT, NEP_CASES_CONSTANT, NEP_CASES_MISSING, NEP_CASES_MISSING, NEP_CASES_KEPT,
                                      NEP_CASES_MISSING};
    assert_memory_equal(reason, want, sizeof want);
    assert_fails(nep_cases_screen(ctx, x, 4, 6, 0, keep, reason), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "0 of 4 subjects"));
    nep_ctx_clear(ctx);
    const float flat[3] = {1, 1, 1};
    assert_fails(nep_cases_screen(ctx, flat, 3, 1, 0, keep, reason), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    assert_fails(nep_cases_screen(ctx, flat, 3, 1, 1.5, keep, reason), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static void test_what_cannot_be_compared(void **state)
{
    nep_ctx *ctx = *state;
    const people d = read_people(ctx);
    double site[N] = {0};
    nep_cases_near near = {0};
    site[7] = 1; /* the only one of a site */
    char eighth[] = "sub-08", another[] = "sub-x", *names[N];
    for (int i = 0; i < N; i++)
        names[i] = i == 7 ? eighth : another;
    const nep_cases_data only = {N, P, 1, d.x, site, names};
    assert_fails(nep_cases_leave_one_out(ctx, &only, NEP_CASES_EUCLIDEAN, 3, 0, &near, NULL), NEP_E_SINGULAR);
    assert_non_null(strstr(nep_ctx_error(ctx), "subject 'sub-08'"));
    nep_ctx_clear(ctx);
    const nep_cases_data few = {4, P, 3, d.x, d.confound, NULL};
    assert_fails(nep_cases_leave_one_out(ctx, &few, NEP_CASES_EUCLIDEAN, 3, 0, &near, NULL), NEP_E_ARG);
    nep_ctx_clear(ctx);
    const double z[2 * 2] = {0, 1, NAN, NAN};
    assert_fails(nep_cases_nearest(ctx, z, 1, NULL, z, 2, 2, NEP_CASES_EUCLIDEAN, 1, &near), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "query 2"));
    nep_ctx_clear(ctx);
    assert_null(near.start);
    /* a confound given twice has no part the second time */
    double twice[N * 2];
    for (int i = 0; i < N; i++)
        twice[2 * i] = twice[2 * i + 1] = d.confound[i * C];
    const nep_cases_data doubled = {N, P, 2, d.x, twice, NULL};
    nep_cases_model model = {0};
    assert_ok(ctx, nep_cases_fit(ctx, &doubled, NULL, NULL, &model));
    assert_int_equal(model.rank, 2);
    nep_cases_model_free(&model);
}

static void test_every_allocation_may_fail(void **state)
{
    nep_ctx *ctx = *state;
    const people d = read_people(ctx);
    const nep_cases_data data = data_of(&d, true);
    for (int which = 0; which < 2; which++) {
        nep_status st = NEP_E_NOMEM;
        for (int64_t at = 0; st != NEP_OK; at++) {
            nep_cases_near near = {0};
            nep_cases_spread spread = {0};
            const int64_t before = nep_alloc_used(ctx);
            nep_alloc_fail_at(ctx, at);
            st = which ? nep_cases_leave_group_out(ctx, &data, d.site, 2, NULL, NEP_CASES_EUCLIDEAN, 3, &near)
                       : nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, 3, 0, &near, &spread);
            nep_alloc_fail_at(ctx, -1);
            nep_ctx_clear(ctx);
            assert_true(st == NEP_OK || st == NEP_E_NOMEM);
            assert_true(st == NEP_OK || !near.start);
            nep_cases_near_free(&near);
            nep_cases_spread_free(&spread);
            assert_int_equal(nep_alloc_used(ctx), before);
            assert_true(at < 1000);
        }
    }
}

static int setup(void **state)
{
    *state = test_ctx(2);
    return 0;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaving_out_as_scikit_learn), cmocka_unit_test(test_one_left_out_is_a_group_of_one),
        cmocka_unit_test(test_queries_with_missing_features), cmocka_unit_test(test_threads_and_k_change_nothing),
        cmocka_unit_test(test_ties_by_hand), cmocka_unit_test(test_screen), cmocka_unit_test(test_what_cannot_be_compared),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
