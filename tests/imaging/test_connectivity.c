/* SPDX-License-Identifier: Apache-2.0 */
/* test_connectivity - matrices of one run against numpy, missing regions, and what has no inverse. */
#include "imaging/golden.h"

static nep_ctx *ctx;

/* The square table `file` against got [8, 8]. */
static void meets(const char *file, const double *got, double tolerance)
{
    char path[4096];
    nep_table want = {0};
    snprintf(path, sizeof path, "%s/%s", TEST_GOLDEN(""), file);
    assert_ok(ctx, nep_tsv_read(ctx, path, &want));
    for (int i = 0; i < 64; i++) {
        double w;
        assert_ok(ctx, nep_table_number(ctx, &want, i / 8, i % 8 + 1, &w));
        if (!test_close(got[i], w, tolerance))
            fail_msg("%s: entry %d is %.15g, reference %.15g", file, i, got[i], w);
        assert_true(got[i] == got[i % 8 * 8 + i / 8] || isnan(got[i]));
    }
    nep_table_free(&want);
}

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
        double got[64];
        assert_ok(ctx, nep_connectivity(ctx, x.data, x.n_t, x.n_cols, rows[k].kind, rows[k].z, got));
        meets(rows[k].file, got, 1e-9);
    }
    nep_series_free(&x);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_ledoit_wolf(void **state)
{
    (void)state;
    static const char *const files[] = {"connectivity_pearson_ledoit_wolf_zscored.tsv", "connectivity_partial_ledoit_wolf.tsv",
                                        "connectivity_covariance_ledoit_wolf.tsv", "connectivity_precision_ledoit_wolf.tsv"};
    nep_series x = golden_series(ctx, "connectivity_series_1.tsv");
    double got[64], shrunk[64], s = -1;
    for (int k = 0; k < NEP_LEN(files); k++) {
        assert_ok(ctx, nep_connectivity_ledoit_wolf(ctx, x.data, x.n_t, x.n_cols, (nep_connectivity_kind)k, false, &s, got));
        assert_true(s > 0 && s < 1);
        meets(files[k], got, 1e-9);
    }
    /* nilearn's correlation with standardize="zscore_sample" is of columns that were never z-scored, so it depends on units */
    assert_ok(ctx, nep_connectivity_ledoit_wolf(ctx, x.data, x.n_t, x.n_cols, NEP_CONNECTIVITY_COVARIANCE, false, &s, got));
    for (int i = 0; i < 64; i++)
        shrunk[i] = got[i] / sqrt(got[i / 8 * 9] * got[i % 8 * 9]);
    meets("connectivity_pearson_ledoit_wolf.tsv", shrunk, 1e-9);
    assert_ok(ctx, nep_connectivity_ledoit_wolf(ctx, x.data, x.n_t, x.n_cols, NEP_CONNECTIVITY_PEARSON, false, &s, shrunk));
    assert_ok(ctx, nep_connectivity(ctx, x.data, x.n_t, x.n_cols, NEP_CONNECTIVITY_PEARSON, false, got));
    for (int i = 0; i < 64; i++)
        if (i % 9)
            assert_near(shrunk[i], (1 - s) * got[i], 1e-12);
    /* fewer frames than regions: refused unless shrunk */
    assert_fails(nep_connectivity(ctx, x.data, 6, x.n_cols, NEP_CONNECTIVITY_PARTIAL, false, got), NEP_E_SINGULAR);
    nep_ctx_clear(ctx);
    assert_ok(ctx, nep_connectivity_ledoit_wolf(ctx, x.data, 6, x.n_cols, NEP_CONNECTIVITY_PARTIAL, false, NULL, got));
    assert_true(isfinite(got[1]));
    nep_series_free(&x);
}

static void test_tangent(void **state)
{
    (void)state;
    enum { RUNS = 3 };
    double c[RUNS * 64], mean[64], out[RUNS * 64], again[RUNS * 64];
    for (int s = 0; s < RUNS; s++) {
        char file[64];
        snprintf(file, sizeof file, "connectivity_series_%d.tsv", s + 1);
        nep_series x = golden_series(ctx, file);
        assert_ok(ctx, nep_connectivity(ctx, x.data, x.n_t, x.n_cols, NEP_CONNECTIVITY_COVARIANCE, false, c + 64 * s));
        nep_series_free(&x);
    }
    assert_ok(ctx, nep_connectivity_tangent(ctx, c, RUNS, 8, mean, out));
    meets("connectivity_tangent_mean.tsv", mean, 1e-5); /* the peer stops its mean at 1e-7 of the gradient */
    for (int s = 0; s < RUNS; s++) {
        char file[64];
        snprintf(file, sizeof file, "connectivity_tangent_%d.tsv", s + 1);
        meets(file, out + 64 * s, 1e-5);
    }
    for (int i = 0; i < 64; i++) /* what defines the mean */
        assert_near(out[i] + out[64 + i] + out[128 + i], 0, 1e-9);
    for (int threads = 1; threads <= 3; threads++) {
        nep_ctx *own = test_ctx(threads);
        assert_ok(own, nep_connectivity_tangent(own, c, RUNS, 8, mean, again));
        assert_memory_equal(again, out, sizeof out);
        nep_ctx_free(own);
    }
    /* commuting covariances: the mean is the geometric one of each variance, the tangent the logarithms of the ratios */
    const double diagonal[2 * 4] = {1, 0, 0, 4, 4, 0, 0, 9};
    assert_ok(ctx, nep_connectivity_tangent(ctx, diagonal, 2, 2, mean, out));
    assert_near(mean[0], 2, 1e-12);
    assert_near(mean[3], 6, 1e-12);
    assert_near(out[0], log(0.5), 1e-12);
    assert_near(out[7], log(1.5), 1e-12);
    /* a region missing in one run is missing in all */
    c[64 + 9 * 2] = (double)NAN;
    assert_ok(ctx, nep_connectivity_tangent(ctx, c, RUNS, 8, mean, out));
    assert_true(isnan(out[2 * 8 + 1]) && isnan(mean[18]) && isfinite(out[1]) && isfinite(mean[0]));
    const double flat[2 * 4] = {1, 1, 1, 1, 2, 0, 0, 1};
    mean[0] = -7;
    assert_fails(nep_connectivity_tangent(ctx, flat, 2, 2, mean, out), NEP_E_SINGULAR);
    assert_non_null(strstr(nep_ctx_error(ctx), "covariance 1"));
    assert_true(mean[0] == -7);
    nep_ctx_clear(ctx);
    assert_fails(nep_connectivity_tangent(ctx, flat, 1, 2, mean, out), NEP_E_ARG);
    nep_ctx_clear(ctx);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_ledoit_wolf), cmocka_unit_test(test_tangent),
                                       cmocka_unit_test(test_by_hand), cmocka_unit_test(test_singular)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(ctx);
    return failed;
}
