/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of a ranking against scikit-learn and RDKit, ties by enumeration, weights as copies. */
#include <jansson.h>

#include "support.h"

#include <nepenthe/io.h>
#include <nepenthe/rank.h>

enum { MOST = 400 };
static const double exact = 1e-12;

static void measure(nep_ctx *ctx, const double *score, const signed char *pos, const int32_t *weight, int64_t n,
                    double out[NEP_METRICS_COUNT])
{
    int64_t order[MOST];
    bool tie[MOST];
    assert_ok(ctx, nep_metrics_order(ctx, score, n, order, tie));
    nep_metrics_compute(order, tie, pos, weight, n, out);
}

static void test_scikit_learn(void **state)
{
    nep_ctx *ctx = *state;
    json_t *doc = NULL;
    const char *name;
    json_t *one;
    int seen = 0;
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("ranking.json"), &doc));
    json_object_foreach(json_object_get(doc, "cases"), name, one)
    {
        double score[MOST], got[NEP_METRICS_COUNT];
        signed char pos[MOST];
        const json_t *s = json_object_get(one, "score"), *l = json_object_get(one, "label");
        const int64_t n = (int64_t)json_array_size(s);
        for (int64_t i = 0; i < n; i++) {
            score[i] = json_number_value(json_array_get(s, (size_t)i));
            pos[i] = (signed char)json_integer_value(json_array_get(l, (size_t)i));
        }
        measure(ctx, score, pos, NULL, n, got);
        assert_near(got[NEP_METRICS_AP], json_number_value(json_object_get(one, "average_precision")), exact);
        assert_near(got[NEP_METRICS_AUROC], json_number_value(json_object_get(one, "auroc")), exact);
        const json_t *p20 = json_object_get(json_object_get(one, "precision_at"), "20");
        if (json_is_number(p20))
            assert_near(got[NEP_METRICS_P_AT_20], json_number_value(p20), exact);
        seen++;
    }
    assert_true(seen >= 6);
    json_decref(doc);
}

static void test_rdkit_bedroc(void **state)
{
    nep_ctx *ctx = *state;
    json_t *doc = NULL, *one;
    const char *name;
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("rdkit.json"), &doc));
    json_object_foreach(json_object_get(json_object_get(doc, "bedroc"), "cases"), name, one)
    {
        double score[MOST], got[NEP_METRICS_COUNT];
        signed char pos[MOST] = {0};
        const json_t *at = json_object_get(one, "active_at");
        const int64_t n = (int64_t)json_integer_value(json_object_get(one, "n"));
        for (int64_t i = 0; i < n; i++)
            score[i] = (double)-i;
        for (size_t i = 0; i < json_array_size(at); i++)
            pos[json_integer_value(json_array_get(at, i))] = 1;
        measure(ctx, score, pos, NULL, n, got);
        assert_near(got[NEP_METRICS_BEDROC20], json_number_value(json_object_get(one, "bedroc20")), 1e-9);
        assert_near(got[NEP_METRICS_AUROC], json_number_value(json_object_get(one, "auroc")), exact);
    }
    json_decref(doc);
}

/* A tie of four with one positive: the mean over its places. */
static void test_ties_take_the_expectation(void **state)
{
    nep_ctx *ctx = *state;
    const double tied[] = {9, 5, 5, 5, 5, 1};
    const signed char pos[] = {0, 1, 0, 0, 0, 1};
    double got[NEP_METRICS_COUNT], mean_bedroc = 0, mean_auroc = 0;
    measure(ctx, tied, pos, NULL, 6, got);
    for (int place = 1; place <= 4; place++) {
        double one[NEP_METRICS_COUNT];
        double score[6] = {9, 0, 0, 0, 0, -9};
        signed char moved[6] = {0, 0, 0, 0, 0, 1};
        for (int i = 1; i <= 4; i++)
            score[i] = 9 - i;
        moved[place] = 1;
        measure(ctx, score, moved, NULL, 6, one);
        mean_bedroc += one[NEP_METRICS_BEDROC20] / 4;
        mean_auroc += one[NEP_METRICS_AUROC] / 4;
    }
    assert_near(got[NEP_METRICS_BEDROC20], mean_bedroc, 1e-12);
    assert_near(got[NEP_METRICS_AUROC], mean_auroc, 1e-12);
    /* precision at 20 when a tie straddles the cut: 18 before, 4 tied with 2 positives, 2 of them in */
    double score[30];
    signed char p[30] = {0};
    for (int i = 0; i < 30; i++)
        score[i] = i < 18 ? 100 - i : i < 22 ? 50 : 40 - i;
    p[0] = p[19] = p[20] = 1;
    measure(ctx, score, p, NULL, 30, got);
    assert_near(got[NEP_METRICS_P_AT_20], (1 + 2 * 2.0 / 4) / 20, exact);
}

/* A bootstrap weight is the same as that many copies, tied. */
static void test_weights_are_copies(void **state)
{
    nep_ctx *ctx = *state;
    double score[40], copies[MOST], a[NEP_METRICS_COUNT], b[NEP_METRICS_COUNT];
    signed char pos[40], copied[MOST];
    int32_t weight[40];
    int64_t m = 0;
    for (int i = 0; i < 40; i++) {
        score[i] = floor(8 * nep_philox_uniform(3, 1, (uint64_t)i));
        pos[i] = i % 7 == 0 ? 1 : i % 11 == 0 ? 2 : 0;
        weight[i] = (int32_t)(4 * nep_philox_uniform(3, 2, (uint64_t)i));
        for (int k = 0; k < weight[i]; k++) {
            copies[m] = score[i];
            copied[m++] = pos[i];
        }
    }
    measure(ctx, score, pos, weight, 40, a);
    measure(ctx, copies, copied, NULL, m, b);
    for (int i = 0; i < NEP_METRICS_COUNT; i++)
        assert_near(a[i], b[i], 1e-12);
}

static void test_no_positive_or_no_score(void **state)
{
    nep_ctx *ctx = *state;
    const double score[] = {NAN, 2, NAN, 1};
    const signed char none[] = {0, 0, 0, 0}, last[] = {1, 0, 0, 0}, out[] = {2, 1, 2, 0};
    double got[NEP_METRICS_COUNT];
    measure(ctx, score, none, NULL, 4, got);
    assert_true(isnan(got[NEP_METRICS_AP]) && isnan(got[NEP_METRICS_AUROC]));
    measure(ctx, score, last, NULL, 4, got);
    assert_near(got[NEP_METRICS_AUROC], 0.5 / 3, exact); /* no score goes last, tied with the other without */
    measure(ctx, score, out, NULL, 4, got);
    assert_near(got[NEP_METRICS_AUROC], 1, exact); /* what is left out does not count */
    assert_near(got[NEP_METRICS_P_AT_20], 0.5, exact);
}

static double ndcg(nep_ctx *ctx, const double *score, const signed char *grade, const int32_t *weight, int64_t n, int k)
{
    int64_t order[MOST];
    bool tie[MOST];
    assert_ok(ctx, nep_metrics_order(ctx, score, n, order, tie));
    return nep_metrics_ndcg(order, tie, grade, weight, n, k);
}

static void test_scikit_learn_ndcg(void **state)
{
    nep_ctx *ctx = *state;
    json_t *doc = NULL, *one;
    const char *name;
    int seen = 0;
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("ndcg.json"), &doc));
    json_object_foreach(json_object_get(doc, "cases"), name, one)
    {
        double score[MOST];
        signed char grade[MOST];
        const json_t *s = json_object_get(one, "score"), *g = json_object_get(one, "grade");
        const int64_t n = (int64_t)json_array_size(s);
        for (int64_t i = 0; i < n; i++) {
            score[i] = json_number_value(json_array_get(s, (size_t)i));
            grade[i] = (signed char)json_integer_value(json_array_get(g, (size_t)i));
        }
        assert_near(ndcg(ctx, score, grade, NULL, n, (int)json_integer_value(json_object_get(one, "k"))),
                    json_number_value(json_object_get(one, "ndcg")), exact);
        seen++;
    }
    assert_int_equal(seen, 8);
    json_decref(doc);
}

/* Places 1 and 2 are tied and hold a 2 and a 0; what is left out takes no place: (1.5 + 1.5 / log2 3 + 7 / 2) / (7 + 3 / log2 3). A weight is
 * that many copies; without a grade above 0 there is no number. */
static void test_ndcg_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    const double score[] = {5, 5, 4, 4.5};
    const signed char grade[] = {2, 0, 3, -1}, none[] = {0, 0, -1, 0}, copied[] = {2, 2, 0, 3, 3, 3};
    const double copies[] = {5, 5, 5, 4, 4, 4};
    const int32_t weight[] = {2, 1, 3, 9};
    const double l3 = log2(3);
    assert_near(ndcg(ctx, score, grade, NULL, 4, 20), (1.5 + 1.5 / l3 + 7.0 / 2) / (7 + 3 / l3), exact);
    assert_near(ndcg(ctx, score, grade, NULL, 4, 1), 1.5 / 7, exact);
    for (int k = 1; k <= 6; k++)
        assert_near(ndcg(ctx, score, grade, weight, 4, k), ndcg(ctx, copies, copied, NULL, 6, k), exact);
    assert_true(isnan(ndcg(ctx, score, none, NULL, 4, 20)));
}

static int setup(void **state)
{
    *state = test_ctx(1);
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
        cmocka_unit_test(test_scikit_learn),      cmocka_unit_test(test_rdkit_bedroc),
        cmocka_unit_test(test_ties_take_the_expectation), cmocka_unit_test(test_weights_are_copies),
        cmocka_unit_test(test_no_positive_or_no_score), cmocka_unit_test(test_scikit_learn_ndcg), cmocka_unit_test(test_ndcg_by_hand),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
