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
    for (int c = 0; c < 5; c++) { /* the last two are peers': extent in mm3; 100 steps */
        const nep_tfce_opts o = {.e = 0.5,
                                 .h = 2,
                                 .connectivity = (int[]){6, 18, 26, 6, 18}[c],
                                 .voxel_mm3 = c == 3 ? 12 : 1,
                                 .two_sided = true,
                                 .steps = c == 4 ? 100 : 0};
        for (int v = 0; v < N; v++)
            map[v] = want.data[6 * v];
        assert_ok(ctx, nep_tfce_score(ctx, map, dims, &o, got));
        for (int v = 0; v < N; v++) {
            const double w = (double)want.data[6 * v + 1 + c];
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

static double noise(uint64_t stream, int64_t v)
{
    return nep_philox_normal(nep_ctx_seed(ctx), stream, (uint64_t)v);
}

/* Random masks and maps with gaps: moved, mirrored, turned over in sign and scaled, the answer goes along. One workspace
 * for two maps gives what two do. */
static void test_what_goes_along(void **state)
{
    (void)state;
    enum { X = 7, Y = 6, Z = 5, M = X * Y * Z, BX = X + 3, BY = Y + 2, BZ = Z + 4, B = BX * BY * BZ };
    for (uint64_t run = 0; run < 12; run++) {
        const nep_tfce_opts o = {.e = run % 3 ? 0.5 : 0.7, .h = run % 4 ? 2 : 1.3, .connectivity = (int[]){6, 18, 26}[run % 3],
                                 .voxel_mm3 = 1, .two_sided = true, .steps = run % 5 == 4 ? 50 : 0};
        static float a[M], mirrored[M], turned[M], scaled[M], moved[B];
        static double one[M], two[M], three[M], four[M], five[B];
        const int64_t small[3] = {X, Y, Z}, large[3] = {BX, BY, BZ};
        for (int v = 0; v < B; v++)
            moved[v] = NAN;
        for (int v = 0; v < M; v++) {
            const int x = v % X, y = v / X % Y, z = v / (X * Y);
            a[v] = noise(run + 50, v) > 1.3 ? (float)NAN : (float)(round(4 * noise(run, v)) / 4); /* with ties */
            mirrored[X - 1 - x + X * (y + Y * z)] = a[v];
            turned[v] = -a[v];
            scaled[v] = 2 * a[v];
            moved[x + 3 + BX * (y + 1 + BY * (z + 2))] = a[v];
        }
        assert_ok(ctx, nep_tfce_score(ctx, a, small, &o, one));
        assert_ok(ctx, nep_tfce_score(ctx, mirrored, small, &o, two));
        assert_ok(ctx, nep_tfce_score(ctx, turned, small, &o, three));
        assert_ok(ctx, nep_tfce_score(ctx, scaled, small, &o, four));
        assert_ok(ctx, nep_tfce_score(ctx, moved, large, &o, five));
        const double factor = pow(2.0, o.steps ? o.h : o.h + 1);
        for (int v = 0; v < M; v++) {
            const int x = v % X, y = v / X % Y, z = v / (X * Y);
            assert_near(two[X - 1 - x + X * (y + Y * z)], one[v], 1e-12);
            assert_near(three[v], -one[v], 1e-12);
            assert_near(four[v], factor * one[v], 1e-12);
            assert_near(five[x + 3 + BX * (y + 1 + BY * (z + 2))], one[v], 1e-12);
        }
        nep_tfce *t = NULL;
        static double value[M], again[M];
        assert_ok(ctx, nep_tfce_open(ctx, small, NULL, &o, &t));
        for (int turn = 0; turn < 3; turn++) {
            for (int v = 0; v < M; v++)
                value[v] = isnan(a[v]) ? 0.0 : (double)(turn == 1 ? scaled[v] : a[v]);
            nep_tfce_run(t, value, turn == 0 ? one : again);
        }
        assert_memory_equal(one, again, sizeof one);
        nep_tfce_free(t);
    }
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
    o.voxel_mm3 = 1;
    o.steps = 1001;
    assert_int_equal(nep_tfce_score(ctx, a, line, &o, out), NEP_E_ARG);
    o.steps = 0;
    const float gaps[2] = {(float)NAN, (float)NAN};
    assert_int_equal(nep_tfce_score(ctx, gaps, line, &o, out), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

int main(void)
{
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_scale_side_mask),
                                       cmocka_unit_test(test_what_goes_along), cmocka_unit_test(test_refusals)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(ctx);
    return failed;
}
