/* SPDX-License-Identifier: Apache-2.0 */
/* test_connectivity - matrices of one run against numpy, missing regions, and what has no inverse. */
#include "imaging/golden.h"

static nep_ctx *ctx;

static void test_golden(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        nep_connectivity_kind kind;
        bool z;
    } rows[] = {{"connectivity_pearson.tsv", NEP_CONNECTIVITY_PEARSON, false},
                {"connectivity_fisher_z.tsv", NEP_CONNECTIVITY_PEARSON, true},
                {"connectivity_partial.tsv", NEP_CONNECTIVITY_PARTIAL, false},
                {"connectivity_covariance.tsv", NEP_CONNECTIVITY_COVARIANCE, false},
                {"connectivity_precision.tsv", NEP_CONNECTIVITY_PRECISION, false}};
    nep_series x = golden_series(ctx, "connectivity_series_1.tsv");
    for (int k = 0; k < NEP_LEN(rows); k++) {
        char path[4096];
        double got[64];
        nep_table want = {0};
        snprintf(path, sizeof path, "%s/%s", TEST_GOLDEN(""), rows[k].file);
        assert_ok(ctx, nep_tsv_read(ctx, path, &want));
        assert_ok(ctx, nep_connectivity(ctx, x.data, x.n_t, x.n_cols, rows[k].kind, rows[k].z, got));
        for (int i = 0; i < 64; i++) {
            double w;
            assert_ok(ctx, nep_table_number(ctx, &want, i / 8, i % 8 + 1, &w));
            assert_near(got[i], w, 1e-9);
            assert_true(got[i] == got[i % 8 * 8 + i / 8] || isnan(got[i]));
        }
        nep_table_free(&want);
    }
    nep_series_free(&x);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* 1 2 4 against 2 4 9: deviations -4/3 -1/3 5/3 and -3 -1 4; r = 11 / sqrt(14/3 * 26). */
static void test_by_hand(void **state)
{
    (void)state;
    const float x[] = {1, 2, 7, 2, 4, 7, 4, 9, 7};
    double r[9];
    assert_ok(ctx, nep_connectivity(ctx, x, 3, 3, NEP_CONNECTIVITY_PEARSON, false, r));
    assert_near(r[1], 11 / sqrt(14.0 / 3 * 26), 1e-12);
    assert_true(r[0] == 1 && r[4] == 1 && r[3] == r[1]);
    assert_true(isnan(r[2]) && isnan(r[8]) && isnan(r[6])); /* the third never varies */
    assert_ok(ctx, nep_connectivity(ctx, x, 3, 3, NEP_CONNECTIVITY_COVARIANCE, false, r));
    assert_near(r[1], 11.0 / 3, 1e-12);
}

static void test_singular(void **state)
{
    (void)state;
    float x[20 * 3];
    double r[9];
    for (int i = 0; i < 60; i++)
        x[i] = (float)nep_philox_normal(1, 1, (uint64_t)i);
    assert_ok(ctx, nep_connectivity(ctx, x, 20, 3, NEP_CONNECTIVITY_PARTIAL, false, r));
    for (int t = 0; t < 20; t++)
        x[t * 3 + 2] = 2 * x[t * 3] + 1;
    r[0] = -7;
    assert_fails(nep_connectivity(ctx, x, 20, 3, NEP_CONNECTIVITY_PARTIAL, false, r), NEP_E_SINGULAR);
    assert_non_null(strstr(nep_ctx_error(ctx), "fewer regions"));
    assert_true(r[0] == -7);
    nep_ctx_clear(ctx);
    assert_fails(nep_connectivity(ctx, x, 3, 3, NEP_CONNECTIVITY_PRECISION, false, r), NEP_E_SINGULAR);
    nep_ctx_clear(ctx);
    assert_fails(nep_connectivity(ctx, x, 20, 3, NEP_CONNECTIVITY_COVARIANCE, true, r), NEP_E_ARG);
    nep_ctx_clear(ctx);
    /* a missing region stays missing and does not disturb the others */
    double all[9], two[4];
    float pair[40];
    for (int t = 0; t < 20; t++) {
        x[t * 3 + 2] = NAN;
        pair[2 * t] = x[3 * t];
        pair[2 * t + 1] = x[3 * t + 1];
    }
    assert_ok(ctx, nep_connectivity(ctx, x, 20, 3, NEP_CONNECTIVITY_PARTIAL, false, all));
    assert_ok(ctx, nep_connectivity(ctx, pair, 20, 2, NEP_CONNECTIVITY_PARTIAL, false, two));
    assert_true(all[1] == two[1] && isnan(all[2]) && isnan(all[8]));
}

int main(void)
{
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_by_hand), cmocka_unit_test(test_singular)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(ctx);
    return failed;
}
