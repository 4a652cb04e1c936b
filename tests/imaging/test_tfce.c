/* SPDX-License-Identifier: Apache-2.0 */
/* test_tfce - exact enhancement against labelling at every level; sides, scale, masks, bad options. */
#include "imaging/golden.h"

enum { N = 9 * 8 * 7 };

static nep_ctx *ctx;
static const int64_t dims[3] = {9, 8, 7};
static float map[N];

static void test_golden(void **state)
{
    (void)state;
    nep_series want = golden_series(ctx, "tfce.tsv");
    double got[N];
    assert_int_equal(want.n_t, N);
    for (int c = 0; c < 4; c++) { /* the last is the peer's: 6 neighbours, extent in mm3 */
        const nep_tfce_opts o = {.e = 0.5,
                                 .h = 2,
                                 .connectivity = (int[]){6, 18, 26, 6}[c],
                                 .voxel_mm3 = c == 3 ? 12 : 1,
                                 .two_sided = true};
        for (int v = 0; v < N; v++)
            map[v] = want.data[5 * v];
        assert_ok(ctx, nep_tfce_score(ctx, map, dims, &o, got));
        for (int v = 0; v < N; v++) {
            const double w = (double)want.data[5 * v + 1 + c];
            assert_near(got[v], w, 1e-6 * fmax(1.0, fabs(w)));
        }
    }
    nep_series_free(&want);
}

static void test_scale_side_mask(void **state)
{
    (void)state;
    const int64_t line[3] = {5, 1, 1};
    const float a[5] = {1, 2, (float)NAN, 3, -1}, b[5] = {2, 4, (float)NAN, 6, -2};
    double one[5], two[5];
    nep_tfce_opts o = {.e = 0.5, .h = 2, .connectivity = 6, .voxel_mm3 = 1};
    assert_ok(ctx, nep_tfce_score(ctx, a, line, &o, one));
    assert_near(one[0], sqrt(2.0) / 3.0, 1e-12);
    assert_near(one[1], (sqrt(2.0) + 7.0) / 3.0, 1e-12);
    assert_true(isnan(one[2]));
    assert_near(one[3], 9.0, 1e-12);
    assert_near(one[4], 0.0, 0.0);
    o.two_sided = true;
    o.voxel_mm3 = 4;
    assert_ok(ctx, nep_tfce_score(ctx, b, line, &o, two)); /* 2^(h+1) x 4^e */
    for (int v = 0; v < 4; v++)
        if (v != 2)
            assert_near(two[v], 16.0 * one[v], 1e-11);
    assert_near(two[4], -16.0 / 3.0, 1e-12);
}

static void test_refusals(void **state)
{
    (void)state;
    const int64_t line[3] = {2, 1, 1}, none[3] = {0, 1, 1};
    const float a[2] = {1, INFINITY};
    double out[2];
    nep_tfce_opts o = {.e = 0.5, .h = 2, .connectivity = 6, .voxel_mm3 = 1};
    assert_int_equal(nep_tfce_score(ctx, a, line, &o, out), NEP_E_ARG);
    assert_int_equal(nep_tfce_score(ctx, a, none, &o, out), NEP_E_ARG);
    o.connectivity = 8;
    assert_int_equal(nep_tfce_score(ctx, a, line, &o, out), NEP_E_ARG);
    o.connectivity = 6;
    o.voxel_mm3 = 0;
    assert_int_equal(nep_tfce_score(ctx, a, line, &o, out), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

int main(void)
{
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_scale_side_mask),
                                       cmocka_unit_test(test_refusals)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(ctx);
    return failed;
}
