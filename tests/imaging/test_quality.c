/* SPDX-License-Identifier: Apache-2.0 */
/* test_quality - displacement and DVARS of a real run against their formulas in numpy, small cases by hand. */
#include "imaging/golden.h"

static nep_ctx *ctx;

static nep_series brain_series(void)
{
    nep_volume mask = {0};
    nep_series x = {0};
    nep_grid g;
    assert_ok(ctx, nep_nifti_read_volume(ctx, golden_shared("haxby2001/masks_25mm/brain.nii.gz"), &mask));
    assert_ok(ctx, nep_nifti_read_series(ctx, golden_shared("haxby2001/run001/bold_25mm.nii.gz"), &mask, &x, &g));
    nep_volume_free(&mask);
    return x;
}

static void test_golden(void **state)
{
    (void)state;
    enum { T = 121 };
    if (!test_shared())
        test_skip();
    nep_series want = golden_series(ctx, "quality_haxby.tsv"), x = brain_series(), m = golden_motion(ctx);
    double motion[T * 6], got[5][T];
    int64_t kept = 0;
    assert_int_equal(want.n_t, T);
    for (int t = 0; t < T; t++)
        for (int k = 0; k < 6; k++)
            motion[t * 6 + k] = (double)m.data[t * 6 + (k + 3) % 6];
    assert_ok(ctx, nep_quality_fd(ctx, motion, T, NEP_QUALITY_POWER, (double)NAN, got[0]));
    assert_ok(ctx, nep_quality_fd(ctx, motion, T, NEP_QUALITY_JENKINSON, (double)NAN, got[1]));
    assert_ok(ctx, nep_quality_dvars(ctx, x.data, T, x.n_cols, got[2], got[3], got[4], &kept));
    assert_int_equal(kept, 129);
    for (int k = 0; k < 5; k++)
        for (int t = 0; t < T; t++)
            assert_near(got[k][t], (double)want.data[t * 5 + k], 1e-6);
    nep_series_free(&want);
    nep_series_free(&x);
    nep_series_free(&m);
}

/* A voxel with a gap or without variance changes nothing. */
static void test_odd_voxels(void **state)
{
    (void)state;
    enum { T = 40, N = 30 };
    float x[T * N], wide[T * (N + 2)];
    double a[3][T], b[3][T];
    int64_t kept;
    for (int t = 0; t < T; t++)
        for (int v = 0; v < N + 2; v++) {
            const float value = (float)(900 + 5 * v + 8 * nep_philox_normal(3, 1, (uint64_t)(t * 64 + v)));
            wide[t * (N + 2) + v] = v == N ? (t == 3 ? NAN : value) : v == N + 1 ? 972.5f : value;
            if (v < N)
                x[t * N + v] = value;
        }
    assert_ok(ctx, nep_quality_dvars(ctx, x, T, N, a[0], a[1], a[2], &kept));
    assert_ok(ctx, nep_quality_dvars(ctx, wide, T, N + 2, b[0], b[1], b[2], &kept));
    assert_int_equal(kept, N);
    for (int t = 1; t < T; t++) {
        assert_near(b[1][t], a[1][t], 1e-12);
        assert_near(b[2][t], a[2][t], 1e-12);
        assert_near(b[0][t], a[0][t], 1e-3); /* the constant voxel takes part in the median that is scaled to 1000 */
    }
    for (int i = 0; i < T * N; i++)
        x[i] = -5;
    assert_fails(nep_quality_dvars(ctx, x, T, N, a[0], a[1], a[2], &kept), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
}

static void test_displacement_by_hand(void **state)
{
    (void)state;
    const double m[3 * 6] = {0, 0, 0, 0, 0, 0, 0.3, -0.4, 0, 0.01, 0, 0, 0.3, -0.4, 0, 0.01, 0, 0};
    double fd[3];
    assert_ok(ctx, nep_quality_fd(ctx, m, 3, NEP_QUALITY_POWER, (double)NAN, fd));
    assert_true(isnan(fd[0]));
    assert_near(fd[1], 0.7 + 0.5, 1e-12);
    assert_near(fd[2], 0, 1e-12);
    assert_ok(ctx, nep_quality_fd(ctx, m, 3, NEP_QUALITY_JENKINSON, (double)NAN, fd));
    /* tr(M'M) of a rotation by a is 4 (1 - cos a) */
    assert_near(fd[1], sqrt(0.25 + 80.0 * 80 / 5 * 4 * (1 - cos(0.01))), 1e-12);
    assert_near(fd[2], 0, 1e-9);
}

static void test_mask(void **state)
{
    (void)state;
    float mean[100], mask[100];
    int64_t inside = 0;
    for (int i = 0; i < 100; i++)
        mean[i] = i < 60 ? (float)i * 0.1f : 500 + (float)i;
    assert_ok(ctx, nep_quality_mask(ctx, mean, 100, mask, &inside));
    assert_int_equal(inside, 40);
    assert_true(mask[59] == 0 && mask[60] == 1);
    for (int i = 0; i < 100; i++)
        mean[i] = 3;
    assert_fails(nep_quality_mask(ctx, mean, 100, mask, &inside), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
}

int main(void)
{
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_odd_voxels),
                                       cmocka_unit_test(test_displacement_by_hand), cmocka_unit_test(test_mask)};
    const int failed = test_end(cmocka_run_group_tests(tests, NULL, NULL));
    nep_ctx_free(ctx);
    return failed;
}
