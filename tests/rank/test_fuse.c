/* SPDX-License-Identifier: Apache-2.0 */
/* Normal scores and Stouffer's fusion by hand; drugs that few channels know must not fill the top. */
#include <jansson.h>

#include "support.h"

#include <nepenthe/io.h>
#include <nepenthe/rank.h>

static void test_blom_golden(void **state)
{
    nep_ctx *ctx = *state;
    json_t *doc = NULL;
    double x[16], z[16];
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("ranking.json"), &doc));
    const json_t *of = json_object_get(doc, "normal_scores"), *values = json_object_get(of, "values"), *blom = json_object_get(of, "blom");
    const size_t n = json_array_size(values);
    assert_true(n > 5 && n < 16);
    for (size_t i = 0; i < n; i++)
        x[i] = json_number_value(json_array_get(values, i));
    x[n] = NAN;
    assert_ok(ctx, nep_fuse_normal_scores(ctx, x, (int64_t)n + 1, z));
    for (size_t i = 0; i < n; i++)
        assert_near(z[i], json_number_value(json_array_get(blom, i)), 1e-12);
    assert_true(isnan(z[n])); /* missing stays missing and takes no rank */
    json_decref(doc);
}

static void test_stouffer_by_hand(void **state)
{
    (void)state;
    const double z[] = {1.0, 2.0, NAN, 1.5, -1.0, NAN, NAN, NAN}; /* 4 drugs x 2 channels */
    const double r[] = {1, 0.5, 0.5, 1};
    double score[4], share[8];
    int present[4];
    nep_fuse_stouffer(z, 4, 2, r, score, share, present);
    assert_near(score[0], 3 / sqrt(3.0), 1e-15); /* 1'R1 = 1 + 1 + 2 * 0.5 */
    assert_near(share[0] + share[1], score[0], 1e-15);
    assert_near(score[1], 1.5, 0); /* one channel: its own z */
    assert_near(score[2], -1.0, 0);
    assert_true(isnan(score[3]));
    assert_int_equal(present[0], 2);
    assert_int_equal(present[1], 1);
    assert_int_equal(present[3], 0);
}

static void test_mean_by_hand(void **state)
{
    (void)state;
    const double z[] = {1.0, 2.0, NAN, 1.5, NAN, NAN}; /* 3 drugs x 2 channels */
    double score[3];
    int present[3];
    nep_fuse_mean(z, 3, 2, score, present);
    assert_near(score[0], 1.5, 0);
    assert_near(score[1], 1.5, 0);
    assert_true(isnan(score[2]));
    assert_int_equal(present[0], 2);
    assert_int_equal(present[1], 1);
    assert_int_equal(present[2], 0);
}

static void test_correlation_never_enlarges(void **state)
{
    (void)state;
    double z[40], r[4];
    for (int i = 0; i < 20; i++) {
        z[2 * i] = i;
        z[2 * i + 1] = -i;
    }
    nep_fuse_correlation(z, 20, 2, r);
    assert_near(r[1], 0, 0); /* -1 would divide by nothing */
    for (int i = 0; i < 20; i++)
        z[2 * i + 1] = 3.0 * i + 1;
    nep_fuse_correlation(z, 20, 2, r);
    assert_near(r[1], 1, 1e-12);
    assert_near(r[2], r[1], 0);
    nep_fuse_correlation(z, 9, 2, r);
    assert_near(r[1], 0, 0); /* too few common drugs */
}

/* No signal anywhere, 40 % of the drugs known by one channel of three only. Returns their share of the top 20. */
static double share_of_top(nep_ctx *ctx, bool plain_mean)
{
    enum { N = 500, C = 3, TOP = 20, RUNS = 100 };
    static double x[N], z[N], all[N * C], score[N], r[C * C];
    static int64_t order[N];
    static bool tie[N];
    int64_t poor_in_top = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < N; i++) {
                const double own = nep_philox_normal(7, run * 8 + (uint64_t)c, (uint64_t)i);
                const double common = nep_philox_normal(7, run * 8 + 7, (uint64_t)i);
                const bool poor = i % 5 < 2;
                x[i] = poor && i % C != c ? NAN : 0.5 * common + own; /* channels correlate */
            }
            assert_ok(ctx, nep_fuse_normal_scores(ctx, x, N, z));
            for (int i = 0; i < N; i++)
                all[i * C + c] = z[i];
        }
        nep_fuse_correlation(all, N, C, r);
        nep_fuse_stouffer(all, N, C, r, score, NULL, NULL);
        if (plain_mean)
            nep_fuse_mean(all, N, C, score, NULL);
        assert_ok(ctx, nep_metrics_order(ctx, score, N, order, tie));
        for (int t = 0; t < TOP; t++)
            poor_in_top += order[t] % 5 < 2;
    }
    return (double)poor_in_top / (TOP * RUNS);
}

static void test_null_simulation(void **state)
{
    nep_ctx *ctx = *state;
    const double fair = share_of_top(ctx, false), mean = share_of_top(ctx, true);
    assert_true(fair > 0.30 && fair < 0.50); /* they are 40 % of the drugs */
    assert_true(mean > 0.70);                /* what a plain mean would do */
}

static void test_holm_by_hand(void **state)
{
    (void)state;
    const double p[] = {0.01, 0.04, NAN, 0.03, 0.005};
    const double want[] = {0.03, 0.06, NAN, 0.06, 0.02};
    double got[5];
    nep_holm_adjust(p, 5, got);
    for (int i = 0; i < 5; i++)
        assert_near(got[i], want[i], 1e-15);
    const double ties[] = {0.02, 0.02, 0.5};
    nep_holm_adjust(ties, 3, got);
    assert_near(got[0], 0.06, 1e-15);
    assert_near(got[1], 0.06, 1e-15);
    assert_near(got[2], 0.5, 1e-15);
}

static void test_logistic_by_hand(void **state)
{
    (void)state;
    /* 2 of 10 at x = 0, 6 of 10 at x = 1: intercept logit 0.2, slope logit 0.6 - logit 0.2, all but the tiny ridge */
    double x[20], logit[20];
    signed char y[20];
    for (int i = 0; i < 20; i++) {
        x[i] = i >= 10;
        y[i] = i < 10 ? i < 2 : i < 16;
    }
    const nep_calibration_curve c = nep_calibration_fit(x, y, 20);
    assert_near(c.intercept, log(0.2 / 0.8), 2e-3);
    assert_near(c.slope, log(0.6 / 0.4) - log(0.2 / 0.8), 2e-3);
    for (int i = 0; i < 20; i++)
        logit[i] = c.intercept + c.slope * x[i];
    nep_calibration m;
    nep_calibration_measure(logit, y, 20, &m);
    assert_near(m.oe, 1, 1e-3);
    assert_near(m.slope, 1, 1e-2);
    assert_near(m.brier, (2 * 0.64 + 8 * 0.04 + 6 * 0.16 + 4 * 0.36) / 20, 1e-4);
    assert_near(m.brier_null, 0.24, 1e-12);
    assert_int_equal(m.n_pos, 8);
    const signed char same[] = {1, 1, 1};
    assert_true(isnan(nep_calibration_fit(x, same, 3).slope));
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
        cmocka_unit_test(test_blom_golden),     cmocka_unit_test(test_stouffer_by_hand),
        cmocka_unit_test(test_mean_by_hand),    cmocka_unit_test(test_correlation_never_enlarges),
        cmocka_unit_test(test_null_simulation), cmocka_unit_test(test_holm_by_hand),     cmocka_unit_test(test_logistic_by_hand),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
