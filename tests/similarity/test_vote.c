/* SPDX-License-Identifier: Apache-2.0 */
/* test_vote - shares, accuracy, areas and their nulls against scikit-learn; false alarms and power on made-up cohorts. */
#include "support.h"

#include <jansson.h>
#include <nepenthe/cases.h>
#include <nepenthe/io.h>

enum { N = 40, P = 12, K = 5, CLASSES = 3 };

typedef struct {
    float x[N * P];
    int32_t label[N], site[N];
} people;

static people read_people(nep_ctx *ctx)
{
    static const char *const classes[CLASSES] = {"control", "depression", "schizophrenia"};
    people d;
    nep_table x = {0}, t = {0};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("cases_x.tsv"), &x));
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("cases_people.tsv"), &t));
    for (int i = 0; i < N; i++) {
        for (int f = 0; f < P; f++)
            d.x[i * P + f] = (float)atof(nep_table_cell(&x, i, f));
        d.site[i] = strcmp(nep_table_cell(&t, i, 4), "north") == 0;
        for (int32_t c = 0; c < CLASSES; c++)
            if (strcmp(nep_table_cell(&t, i, 1), classes[c]) == 0)
                d.label[i] = c;
    }
    nep_table_free(&t);
    nep_table_free(&x);
    return d;
}

static void test_measures_as_scikit_learn(void **state)
{
    nep_ctx *ctx = *state;
    const people d = read_people(ctx);
    const nep_cases_data data = {N, P, 0, d.x, NULL, NULL};
    const nep_vote_opts none = {.least = 1};
    json_t *doc = NULL;
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("cases.json"), &doc));
    static const char *const ways[] = {"one euclidean plain", "one cosine plain", "site euclidean plain", "site cosine plain"};
    for (int w = 0; w < NEP_LEN(ways); w++) {
        const json_t *want = json_object_get(doc, ways[w]);
        const nep_cases_metric metric = strstr(ways[w], "cosine") ? NEP_CASES_COSINE : NEP_CASES_EUCLIDEAN;
        nep_cases_near near = {0};
        nep_vote_result r;
        double share[N * CLASSES];
        if (ways[w][0] == 'o')
            assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, metric, K, 0, &near, NULL));
        else
            assert_ok(ctx, nep_cases_leave_group_out(ctx, &data, d.site, 2, NULL, metric, K, &near));
        nep_vote_shares(&near, K, d.label, CLASSES, share);
        for (size_t i = 0; i < N; i++)
            for (size_t c = 0; c < CLASSES; c++)
                assert_near(share[i * CLASSES + c], json_number_value(json_array_get(json_array_get(json_object_get(want, "shares"), i), c)),
                            1e-12);
        assert_ok(ctx, nep_vote_check(ctx, &near, NULL, K, d.label, N, CLASSES, &none, &r));
        assert_near(r.balanced.value, json_number_value(json_object_get(want, "balanced")), 1e-12);
        assert_near(r.auroc.value, json_number_value(json_object_get(want, "auroc")), 1e-12);
        assert_int_equal(r.verdict, NEP_VOTE_UNCHECKED); /* neither permuted nor redrawn */
        assert_true(isnan(r.balanced.p) && isnan(r.balanced.low) && isnan(r.more));
        nep_cases_near_free(&near);
    }
    json_decref(doc);
}

/* Other random numbers, the same null: mean and p within four standard errors of both simulations. */
static void test_null_as_an_independent_one(void **state)
{
    nep_ctx *ctx = *state;
    const people d = read_people(ctx);
    const nep_cases_data data = {N, P, 0, d.x, NULL, NULL};
    nep_cases_near near = {0};
    json_t *doc = NULL;
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("cases.json"), &doc));
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, K, 0, &near, NULL));
    for (int sites = 0; sites < 2; sites++) {
        const nep_vote_opts o = {.n_perm = 20000, .n_boot = 200, .block = sites ? d.site : NULL, .least = 1};
        const json_t *want = json_object_get(doc, sites ? "null_sites" : "null");
        const double p = json_number_value(json_object_get(want, "p")), sd = json_number_value(json_object_get(want, "sd"));
        nep_vote_result r;
        assert_ok(ctx, nep_vote_check(ctx, &near, NULL, K, d.label, N, CLASSES, &o, &r));
        assert_near(r.balanced.p, p, 4 * sqrt(2 * p * (1 - p) / 20000));
        assert_near(r.balanced.null_mean, json_number_value(json_object_get(want, "mean")), 4 * sd * sqrt(2.0 / 20000));
        assert_near(r.balanced.null_95, json_number_value(json_object_get(want, "quantile_95")), 0.01);
        assert_near(r.auroc.null_mean, json_number_value(json_object_get(want, "auroc_mean")),
                    4 * json_number_value(json_object_get(want, "auroc_sd")) * sqrt(1.0 / 2000 + 1.0 / 20000));
        assert_true((r.balanced.value > r.balanced.null_95) == (r.balanced.p <= 0.05));
        assert_true(r.balanced.low < r.balanced.value && r.balanced.value < r.balanced.high);
    }
    json_decref(doc);
    nep_cases_near_free(&near);
}

/* Neighbours that make a given number of each class right: one neighbour each, of the own class or of the other. */
static void test_interval_is_the_beta_posterior(void **state)
{
    nep_ctx *ctx = *state;
    json_t *doc = NULL;
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("cases.json"), &doc));
    const json_t *list = json_object_get(doc, "intervals");
    for (size_t q = 0; q < 2; q++) {
        const json_t *want = json_array_get(list, q), *wrong = json_object_get(want, "wrong");
        int32_t label[40];
        int64_t start[41] = {0}, row[40], n = 0, of[2];
        double distance[40];
        for (size_t c = 0; c < 2; c++) {
            of[c] = json_integer_value(json_array_get(json_object_get(want, "right"), c)) + json_integer_value(json_array_get(wrong, c));
            for (int64_t i = 0; i < of[c]; i++)
                label[n++] = (int32_t)c;
        }
        for (int64_t i = 0; i < n; i++) {
            const bool second = i >= of[0], miss = (second ? i - of[0] : i) < json_integer_value(json_array_get(wrong, second));
            row[i] = second != miss ? of[0] : 0; /* the first of a class */
            distance[i] = 1;
            start[i + 1] = i + 1;
        }
        const nep_cases_near near = {n, start, row, distance};
        const nep_vote_opts o = {.n_perm = 19, .n_boot = 20000, .least = 1};
        nep_vote_result r;
        assert_ok(ctx, nep_vote_check(ctx, &near, NULL, 1, label, n, 2, &o, &r));
        assert_near(r.balanced.low, json_number_value(json_object_get(want, "low")), 5e-3);
        assert_near(r.balanced.high, json_number_value(json_object_get(want, "high")), 5e-3);
        assert_true(r.balanced.low < r.balanced.value);
    }
    json_decref(doc);
}

static void test_threads_change_nothing(void **state)
{
    nep_ctx *ctx = *state, *other = test_ctx(5);
    const people d = read_people(ctx);
    const nep_cases_data data = {N, P, 0, d.x, NULL, NULL};
    const nep_vote_opts o = {.n_perm = 300, .n_boot = 300, .block = d.site, .least = 1};
    nep_cases_near near = {0};
    nep_vote_result a, b;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, K, 0, &near, NULL));
    assert_ok(ctx, nep_vote_check(ctx, &near, &near, K, d.label, N, CLASSES, &o, &a));
    assert_ok(other, nep_vote_check(other, &near, &near, K, d.label, N, CLASSES, &o, &b));
    assert_true(a.balanced.p == b.balanced.p && a.balanced.low == b.balanced.low && a.auroc.null_mean == b.auroc.null_mean &&
                a.auroc.high == b.auroc.high && a.more_low == b.more_low);
    assert_true(a.more == 0 && a.more_low < 0 && a.more_high > 0); /* the same data on both sides: what is left is the prior */
    assert_near(a.more_low, -a.more_high, 0.03);
    assert_true(a.baseline.p == a.balanced.p);
    nep_cases_near_free(&near);
    nep_ctx_free(other);
}

/* ---- made-up cohorts ---- */

enum { M = 48, FEATURES = 10 };

/* Two diagnoses, two sites. Features shift by `effect` SD with the diagnosis and by `by_site` with the site; patients are more
 * frequent at the second site by `skew`. The confound, such as age, shifts by `by_age` with the diagnosis, and features with it. */
typedef struct {
    double effect, by_site, skew, by_age;
} plan;

typedef struct {
    float x[M * FEATURES], age[M];
    int32_t label[M], site[M];
} cohort;

static cohort draw(const plan *p, uint64_t seed)
{
    cohort d;
    for (int i = 0; i < M; i++) {
        d.site[i] = i % 2;
        const double chance = 0.5 + (d.site[i] ? p->skew : -p->skew);
        d.label[i] = nep_philox_uniform(seed, 1, (uint64_t)i) < chance;
        const double age = nep_philox_normal(seed, 2, (uint64_t)i) + p->by_age * d.label[i];
        d.age[i] = (float)age;
        for (int f = 0; f < FEATURES; f++)
            d.x[i * FEATURES + f] = (float)(nep_philox_normal(seed, 3, (uint64_t)(i * FEATURES + f)) + p->effect * d.label[i] +
                                            p->by_site * d.site[i] + (p->by_age > 0 ? 0.7 * age : 0));
    }
    return d;
}

typedef struct {
    int low_p, verdict[4];
} tally;

static tally run(const plan *p, int cohorts, bool within_sites, bool with_age, bool adjusted)
{
    tally t = {0};
    for (int r = 0; r < cohorts; r++) {
        const cohort d = draw(p, 1000 + (uint64_t)r);
        nep_ctx *ctx = NULL;
        const nep_ctx_opts opts = {.threads = 2, .seed = (uint64_t)r};
        double age[M];
        for (int i = 0; i < M; i++)
            age[i] = (double)d.age[i];
        const nep_cases_data data = {M, FEATURES, adjusted ? 1 : 0, d.x, adjusted ? age : NULL, NULL}, alone = {M, 1, 0, d.age, NULL, NULL};
        const nep_vote_opts o = {.n_perm = 99, .n_boot = 200, .block = within_sites ? d.site : NULL, .least = 5, .adjusted = adjusted};
        nep_cases_near near = {0}, baseline = {0};
        nep_vote_result v;
        assert_int_equal(nep_ctx_create(&opts, &ctx), NEP_OK);
        assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, 7, 0, &near, NULL));
        if (with_age)
            assert_ok(ctx, nep_cases_leave_one_out(ctx, &alone, NEP_CASES_EUCLIDEAN, 7, 0, &baseline, NULL));
        assert_ok(ctx, nep_vote_check(ctx, &near, with_age ? &baseline : NULL, 7, d.label, M, 2, &o, &v));
        t.low_p += v.balanced.p <= 0.05;
        t.verdict[v.verdict]++;
        nep_cases_near_free(&near);
        nep_cases_near_free(&baseline);
        nep_ctx_free(ctx);
    }
    return t;
}

/* 400 cohorts without anything: 20 are to have p <= 0.05, give or take four standard errors; no more get the verdict. */
static void test_false_alarms(void **state)
{
    (void)state;
    const plan nothing = {0};
    const tally t = run(&nothing, 400, false, false, false);
    assert_in_range(t.low_p, 4, 37);
    assert_true(t.verdict[NEP_VOTE_SIGNAL] <= t.low_p);
    assert_int_equal(t.verdict[NEP_VOTE_SIGNAL] + t.verdict[NEP_VOTE_NO_SIGNAL], 400);
}

/* Sites differ in features and in how many are ill. Labels that change places within sites keep the rate; over all sites they do not. */
static void test_sites_need_blocks(void **state)
{
    (void)state;
    const plan sites = {.by_site = 2, .skew = 0.3};
    const tally within = run(&sites, 200, true, false, false), over = run(&sites, 200, false, false, false);
    assert_in_range(within.low_p, 1, 22);
    assert_true(over.low_p > 100);
}

static void test_a_planted_difference_is_found(void **state)
{
    (void)state;
    const plan ill = {.effect = 1.2};
    const tally t = run(&ill, 50, false, false, false);
    assert_true(t.verdict[NEP_VOTE_SIGNAL] >= 45);
}

/* The features follow age alone, and patients are older: no more than confounds; with age regressed out, nothing. */
static void test_confounds_are_called_so(void **state)
{
    (void)state;
    const plan old = {.by_age = 1.6};
    const tally t = run(&old, 50, false, true, false), a = run(&old, 50, false, true, true);
    assert_true(t.low_p >= 35);
    assert_true(t.verdict[NEP_VOTE_CONFOUNDS] >= 30);
    assert_true(t.verdict[NEP_VOTE_SIGNAL] <= 6);
    assert_true(a.verdict[NEP_VOTE_SIGNAL] <= 8);
    assert_int_equal(a.verdict[NEP_VOTE_CONFOUNDS], 0);
}

static void test_small_classes_and_bad_words(void **state)
{
    nep_ctx *ctx = *state;
    const people d = read_people(ctx);
    const nep_cases_data data = {N, P, 0, d.x, NULL, NULL};
    nep_cases_near near = {0};
    nep_vote_result r;
    int32_t label[N], lonely[N] = {0};
    assert_ok(ctx, nep_cases_leave_one_out(ctx, &data, NEP_CASES_EUCLIDEAN, K, 0, &near, NULL));
    for (int i = 0; i < N; i++)
        label[i] = i < 4 ? 2 : d.label[i] == 0;
    const nep_vote_opts o = {.n_perm = 50, .n_boot = 50, .least = 5};
    assert_ok(ctx, nep_vote_check(ctx, &near, NULL, K, label, N, 3, &o, &r));
    assert_int_equal(r.n_classes, 2);
    assert_int_equal(r.n, N - 4);
    lonely[3] = 1;
    assert_ok(ctx, nep_vote_check(ctx, &near, NULL, K, lonely, N, 2, &o, &r));
    assert_int_equal(r.verdict, NEP_VOTE_UNCHECKED);
    assert_true(isnan(r.balanced.value));
    label[5] = 3;
    assert_fails(nep_vote_check(ctx, &near, NULL, K, label, N, 3, &o, &r), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "subject 6"));
    nep_ctx_clear(ctx);
    assert_fails(nep_vote_check(ctx, &near, NULL, 0, lonely, N, 2, &o, &r), NEP_E_ARG);
    nep_ctx_clear(ctx);
    nep_status st = NEP_E_NOMEM;
    for (int64_t at = 0; st != NEP_OK; at++) {
        const int64_t before = nep_alloc_used(ctx);
        nep_alloc_fail_at(ctx, at);
        st = nep_vote_check(ctx, &near, &near, K, d.label, N, CLASSES, &o, &r);
        nep_alloc_fail_at(ctx, -1);
        nep_ctx_clear(ctx);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        assert_int_equal(nep_alloc_used(ctx), before);
        assert_true(at < 1000);
    }
    nep_cases_near_free(&near);
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
        cmocka_unit_test(test_measures_as_scikit_learn), cmocka_unit_test(test_null_as_an_independent_one),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_interval_is_the_beta_posterior), cmocka_unit_test(test_false_alarms), cmocka_unit_test(test_sites_need_blocks),
        cmocka_unit_test(test_a_planted_difference_is_found), cmocka_unit_test(test_confounds_are_called_so),
        cmocka_unit_test(test_small_classes_and_bad_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
