/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside the hierarchical model: aggregation of ranks, binomial bounds, isotonic regression, Venn-Abers, conformal sets. */
#include <jansson.h>

#include "support.h"

#include <nepenthe/io.h>
#include <nepenthe/model.h>

enum { MOST = 600 };
static json_t *doc;

static const json_t *section(const char *name)
{
    return json_object_get(doc, name);
}

/* An array of numbers, null = NaN. */
static int64_t numbers(const json_t *from, const char *name, double *out)
{
    const json_t *v = json_object_get(from, name);
    const size_t n = json_array_size(v);
    assert_true(n > 0 && n <= MOST);
    for (size_t i = 0; i < n; i++)
        out[i] = json_is_null(json_array_get(v, i)) ? NAN : json_number_value(json_array_get(v, i));
    return (int64_t)n;
}

static double cell(const json_t *row, size_t i)
{
    return json_is_null(json_array_get(row, i)) ? NAN : json_number_value(json_array_get(row, i));
}

static void test_aggregation_golden(void **state)
{
    nep_ctx *ctx = *state;
    double r[MOST], want[MOST], got[MOST];
    const int lists = (int)json_integer_value(json_object_get(section("aggregation"), "lists"));
    numbers(section("aggregation"), "r", r);
    const int64_t n = numbers(section("aggregation"), "rho", want);
    assert_ok(ctx, nep_aggregation_rho(ctx, r, n, lists, got));
    for (int64_t i = 0; i < n; i++) {
        assert_near(got[i], want[i], 1e-14);
        if (want[i] < 1e-3)
            assert_near(got[i] / want[i], 1, 1e-10); /* small ones to their own scale */
    }
    r[0] = 0;
    assert_fails(nep_aggregation_rho(ctx, r, n, lists, got), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static void test_aggregation_by_hand(void **state)
{
    nep_ctx *ctx = *state;
    const double score[] = {3, NAN, 7, 3, -1}, want[] = {2.5 / 4, NAN, 1.0 / 4, 2.5 / 4, 1};
    double r[5], rho[2];
    assert_ok(ctx, nep_aggregation_ranks(ctx, score, 5, r));
    for (int i = 0; i < 5; i++)
        assert_near(r[i], want[i], 0);
    const double two[] = {0.1, 0.2, 0.9, NAN}; /* 2 items x 2 lists: min(2 * 0.19, 2 * 0.04); one list: its rank */
    assert_ok(ctx, nep_aggregation_rho(ctx, two, 2, 2, rho));
    assert_near(rho[0], 0.08, 1e-15);
    assert_near(rho[1], 0.9, 1e-15);
}

static void test_binomial_golden(void **state)
{
    (void)state;
    const json_t *rows = section("binomial");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const int64_t k = (int64_t)cell(row, 0), n = (int64_t)cell(row, 1);
        double low, high;
        nep_binomial_interval(k, n, 0.9, &low, &high);
        assert_near(low, cell(row, 2), 1e-11);
        assert_near(high, cell(row, 3), 1e-11);
        nep_binomial_wilson(k, n, 0.9, &low, &high);
        assert_near(low, cell(row, 4), 1e-12);
        assert_near(high, cell(row, 5), 1e-12);
        assert_near(nep_binomial_upper(k, n, 0.3), cell(row, 6), 1e-11);
        assert_near(nep_binomial_upper(k > 1 ? k : 1, n, 0.003), cell(row, 7), 1e-11);
    }
    double low, high;
    nep_binomial_interval(0, 0, 0.9, &low, &high);
    assert_true(isnan(low) && isnan(high));
    assert_near(nep_binomial_upper(3, 5, 0), 0, 0);
    assert_near(nep_binomial_upper(3, 5, 1), 1, 0);
    assert_near(nep_binomial_upper(0, 5, 0), 1, 0);
    assert_near(nep_binomial_upper(6, 5, 0.5), 0, 0);
}

static void test_isotonic_golden(void **state)
{
    nep_ctx *ctx = *state;
    double x[MOST], y[MOST], w[MOST], want[MOST], got[MOST];
    const int64_t n = numbers(section("isotonic"), "x", x);
    numbers(section("isotonic"), "y", y);
    numbers(section("isotonic"), "w", w);
    numbers(section("isotonic"), "fitted", want);
    assert_ok(ctx, nep_isotonic_fit(ctx, x, y, w, n, got));
    for (int64_t i = 0; i < n; i++)
        assert_near(got[i], want[i], 1e-12);
    w[3] = 0;
    assert_fails(nep_isotonic_fit(ctx, x, y, w, n, got), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static void test_venn_abers_golden(void **state)
{
    nep_ctx *ctx = *state;
    double score[MOST], label[MOST], at[MOST], want0[MOST], want1[MOST], p0[MOST], p1[MOST], p[MOST];
    signed char y[MOST];
    const json_t *of = section("venn_abers");
    const int64_t n = numbers(of, "score", score), m = numbers(of, "at", at);
    numbers(of, "y", label);
    numbers(of, "p0", want0);
    numbers(of, "p1", want1);
    for (int64_t i = 0; i < n; i++)
        y[i] = (signed char)label[i];
    assert_ok(ctx, nep_venn_abers(ctx, score, y, n, at, m, p0, p1, p));
    for (int64_t i = 0; i < m; i++) {
        assert_near(p0[i], want0[i], 1e-12);
        assert_near(p1[i], want1[i], 1e-12);
        assert_near(p[i], want1[i] / (1 - want0[i] + want1[i]), 1e-12);
    }
    score[2] = NAN;
    assert_fails(nep_venn_abers(ctx, score, y, n, at, m, p0, p1, p), NEP_E_ARG);
    nep_ctx_clear(ctx);
    memset(y, 2, sizeof y);
    assert_fails(nep_venn_abers(ctx, score, y, n, at, m, p0, p1, p), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

/* Against a refit for every score: all alike, all one label, few and many ties. */
static void test_venn_abers_by_refits(void **state)
{
    nep_ctx *ctx = *state;
    for (uint64_t run = 0; run < 60; run++) {
        enum { N = 40 };
        double score[N + 1], label[N + 1], fitted[N + 1], p0[N + 2], p1[N + 2], at[N + 2];
        signed char y[N];
        const int n = 1 + (int)(run % N), levels = 1 + (int)(run % 7) * 5;
        for (int i = 0; i < n; i++) {
            score[i] = floor(nep_philox_uniform(run, 1, (uint64_t)i) * levels);
            y[i] = nep_philox_uniform(run, 2, (uint64_t)i) < (run % 9 == 0 ? 1.0 : run % 9 == 1 ? 0.0 : 0.2 + 0.6 * score[i] / levels);
            label[i] = y[i];
            at[i] = score[i] + (i % 3 == 0 ? 0.5 : 0);
        }
        at[n] = -1;
        at[n + 1] = levels + 1;
        assert_ok(ctx, nep_venn_abers(ctx, score, y, n, at, n + 2, p0, p1, NULL));
        for (int i = 0; i < n + 2; i++)
            for (int one = 0; one < 2; one++) {
                score[n] = at[i];
                label[n] = one;
                assert_ok(ctx, nep_isotonic_fit(ctx, score, label, NULL, n + 1, fitted));
                assert_near(one ? p1[i] : p0[i], fitted[n], 1e-12);
            }
    }
}

static void test_conformal_golden(void **state)
{
    nep_ctx *ctx = *state;
    double alpha[MOST], weight[MOST], want_weight[MOST], group_number[MOST], at[MOST], want[MOST], got[MOST], threshold;
    int32_t group[MOST];
    int64_t used;
    const json_t *of = section("conformal"), *rows = json_object_get(of, "thresholds");
    const int64_t n = numbers(of, "alpha", alpha), m = numbers(of, "at", at);
    numbers(of, "group", group_number);
    numbers(of, "weight", want_weight);
    numbers(of, "p", want);
    for (int64_t i = 0; i < n; i++)
        group[i] = (int32_t)group_number[i];
    assert_ok(ctx, nep_conformal_weights(ctx, group, n, 8, weight));
    for (int64_t i = 0; i < n; i++)
        assert_near(weight[i], want_weight[i], 0);
    const double u = json_number_value(json_object_get(of, "u")), own = json_number_value(json_object_get(of, "own"));
    assert_ok(ctx, nep_conformal_p(ctx, alpha, weight, n, at, m, own, u, got));
    for (int64_t i = 0; i < m; i++)
        assert_near(got[i], want[i], 1e-14);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        assert_ok(ctx, nep_conformal_threshold(ctx, alpha, group, n, 8, cell(row, 0), cell(row, 1), &threshold, &used));
        assert_int_equal(used, 7); /* group 6 is empty */
        if (isnan(cell(row, 2)))
            assert_true(isinf(threshold)); /* 7 disorders cannot say 0.9 */
        else
            assert_near(threshold, cell(row, 2), 0);
    }
    assert_ok(ctx, nep_conformal_p(ctx, alpha, weight, 0, at, 1, 1, 1, got));
    assert_near(got[0], 1, 0); /* nothing to compare with: nothing is excluded */
    alpha[1] = NAN;
    assert_fails(nep_conformal_p(ctx, alpha, weight, n, at, m, own, u, got), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

/* Disorders differ in size and in level, as the hard ones do. Over many draws of disorders the hierarchical set covers a new disorder's
 * pair, and the threshold its content, at least as often as they say; equal weights with the pair's own weight of 1 do not. */
static void test_conformal_covers_new_disorders(void **state)
{
    nep_ctx *ctx = *state;
    enum { K = 19, RUNS = 2000 };
    int64_t covered = 0, naive = 0, whole = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        double alpha[K * 30], weight[K * 30], even[K * 30], p, q, threshold, own[30];
        int32_t group[K * 30];
        int64_t n = 0;
        int pairs = 0;
        for (int j = 0; j <= K; j++) { /* the last one is new */
            const double level = nep_philox_normal(run, 1, (uint64_t)j);
            const int size = level < 0 ? 30 : 3; /* the easy ones have many recorded treatments */
            pairs = 0;
            for (int i = 0; i < size; i++) {
                const double a = 2 * level + nep_philox_normal(run, 2 + (uint64_t)j, (uint64_t)i);
                own[pairs++] = a;
                if (j < K) {
                    even[n] = 1;
                    group[n] = j;
                    alpha[n++] = a;
                }
            }
        }
        assert_ok(ctx, nep_conformal_weights(ctx, group, n, K, weight));
        assert_ok(ctx, nep_conformal_p(ctx, alpha, weight, n, own, 1, 1, 1, &p));
        assert_ok(ctx, nep_conformal_p(ctx, alpha, even, n, own, 1, 1, 1, &q));
        assert_ok(ctx, nep_conformal_threshold(ctx, alpha, group, n, K, 0.8, 0.9, &threshold, NULL));
        int under = 0;
        for (int i = 0; i < pairs; i++)
            under += own[i] <= threshold;
        covered += p > 0.1;
        naive += q > 0.1;
        whole += under >= 0.8 * pairs;
    }
    assert_true(covered > 0.885 * RUNS && covered < 0.99 * RUNS);
    assert_true(whole > 0.885 * RUNS && whole < 0.99 * RUNS);
    assert_true(naive < 0.85 * RUNS);
}

static int setup(void **state)
{
    *state = test_ctx(1);
    assert_ok(*state, nep_json_read(*state, TEST_GOLDEN("model.json"), &doc));
    return 0;
}

static int teardown(void **state)
{
    json_decref(doc);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aggregation_golden),
        cmocka_unit_test(test_aggregation_by_hand),
        cmocka_unit_test(test_binomial_golden),
        cmocka_unit_test(test_isotonic_golden),
        cmocka_unit_test(test_venn_abers_golden),
        cmocka_unit_test(test_venn_abers_by_refits),
        cmocka_unit_test(test_conformal_golden),
        cmocka_unit_test(test_conformal_covers_new_disorders),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
