/* SPDX-License-Identifier: Apache-2.0 */
/* test_resample - other grids and smoothing against nilearn, what must not change, missing voxels. */
#include "imaging/golden.h"

#include <nepenthe/resample.h>

enum { N = 13 * 11 * 9, M = 10 * 12 * 8 };

static nep_ctx *ctx;
static const nep_grid from = {.nx = 13, .ny = 11, .nz = 9, .affine = {{-3, 0, 0, 20}, {0, 3.5, 0, -15}, {0, 0, 4, -12}}};
static const nep_grid to = {.nx = 10, .ny = 12, .nz = 8, .affine = {{2.8, 0.3, 0, -14.013}, {-0.2, 2.9, 0.4, -13.027}, {0.1, -0.3, 3.1, -9.019}}};
static nep_series in;
static float whole[N], gaps[N];

static int load(void **state)
{
    (void)state;
    ctx = test_ctx(2);
    in = golden_series(ctx, "resample_in.tsv");
    for (int v = 0; v < N; v++) {
        whole[v] = in.data[2 * v];
        gaps[v] = in.data[2 * v + 1];
    }
    return 0;
}

static int unload(void **state)
{
    (void)state;
    nep_series_free(&in);
    nep_ctx_free(ctx);
    return 0;
}

static int column(const nep_series *s, const char *name)
{
    for (int64_t c = 0; c < s->n_cols; c++)
        if (strcmp(s->names[c], name) == 0)
            return (int)c;
    fail_msg("no column %s", name);
    return -1;
}

static void test_resample_golden(void **state)
{
    (void)state;
    static const char *const names[] = {"continuous", "linear", "nearest", "continuous_overshoot"};
    nep_series want = golden_series(ctx, "resample_out.tsv");
    for (int data = 0; data < 2; data++)
        for (int k = 0; k < 4; k++) {
            const nep_resample_opts o = {.interpolation = (nep_resample_interpolation)(k % 3), .overshoot = k == 3};
            char name[64];
            float out[M];
            int finite = 0;
            snprintf(name, sizeof name, "%s_%s", data ? "gaps" : "whole", names[k]);
            const int c = column(&want, name);
            assert_ok(ctx, nep_resample(ctx, &from, data ? gaps : whole, &to, &o, out));
            for (int v = 0; v < M; v++) {
                const double w = (double)want.data[v * want.n_cols + c];
                if (!test_close((double)out[v], w, 1e-6))
                    fail_msg("%s: voxel %d is %.9g, reference %.9g", name, v, (double)out[v], w);
                finite += isfinite(out[v]) && out[v] != 0;
            }
            assert_true(finite > M / 3 && finite < M);
        }
    nep_series_free(&want);
}

static void test_smooth_golden(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double fwhm[3];
    } rows[] = {{"6", {6, 6, 6}}, {"4_0_9", {4, 0, 9}}};
    nep_series want = golden_series(ctx, "smooth.tsv");
    float out[N];
    for (int data = 0; data < 2; data++)
        for (int k = 0; k < NEP_LEN(rows); k++) {
            char name[64];
            snprintf(name, sizeof name, "%s_%s", data ? "gaps" : "whole", rows[k].name);
            const int c = column(&want, name);
            assert_ok(ctx, nep_smooth(ctx, &from, data ? gaps : whole, rows[k].fwhm, true, out));
            for (int v = 0; v < N; v++)
                assert_near((double)out[v], (double)want.data[v * want.n_cols + c], 1e-6);
        }
    nep_series_free(&want);
}

/* A constant stays what it is, missing voxels stay missing and pull nothing towards 0. */
static void test_missing(void **state)
{
    (void)state;
    const double fwhm[3] = {8, 8, 8};
    float flat[N], out[N], back[M];
    for (int v = 0; v < N; v++)
        flat[v] = v % 7 == 3 ? NAN : 250;
    assert_ok(ctx, nep_smooth(ctx, &from, flat, fwhm, false, out));
    for (int v = 0; v < N; v++)
        assert_near((double)out[v], v % 7 == 3 ? (double)NAN : 250.0, 1e-6);
    const nep_resample_opts o = {.interpolation = NEP_RESAMPLE_LINEAR, .outside = NAN};
    assert_ok(ctx, nep_resample(ctx, &from, flat, &to, &o, back));
    int seen = 0;
    for (int v = 0; v < M; v++)
        if (isfinite(back[v])) {
            assert_near((double)back[v], 250.0, 1e-6);
            seen++;
        }
    assert_true(seen > M / 3);
    for (int v = 0; v < N; v++)
        flat[v] = NAN;
    assert_ok(ctx, nep_resample(ctx, &from, flat, &to, NULL, back));
    for (int v = 0; v < M; v++)
        assert_true(isnan(back[v]) || back[v] == 0);
}

/* Onto its own grid nothing changes; a grid of half a turn mirrors; a straight ramp is met by every order within the grid. */
static void test_identities(void **state)
{
    (void)state;
    float out[N], ramp[N], mirrored[N];
    nep_grid turned = from;
    for (int k = 0; k < 3; k++) {
        const nep_resample_opts o = {.interpolation = (nep_resample_interpolation)k, .overshoot = true};
        assert_ok(ctx, nep_resample(ctx, &from, whole, &from, &o, out));
        for (int v = 0; v < N; v++)
            assert_near((double)out[v], (double)whole[v], 1e-6);
    }
    for (int r = 0; r < 3; r++) { /* x runs the other way */
        turned.affine[r][3] += turned.affine[r][0] * (double)(from.nx - 1);
        turned.affine[r][0] *= -1;
    }
    assert_ok(ctx, nep_resample(ctx, &from, whole, &turned, NULL, mirrored));
    for (int v = 0; v < N; v++)
        assert_near((double)mirrored[v], (double)whole[v - v % 13 + 12 - v % 13], 1e-5);
    for (int v = 0; v < N; v++)
        ramp[v] = (float)(2 * (v % 13) - 3 * (v / 13 % 11) + v / 143);
    nep_grid shifted = from;
    shifted.affine[0][3] += -3 * 0.25; /* a quarter of a voxel along i */
    const nep_resample_opts o = {.interpolation = NEP_RESAMPLE_LINEAR, .outside = NAN};
    assert_ok(ctx, nep_resample(ctx, &from, ramp, &shifted, &o, out));
    for (int v = 0; v < N; v++)
        if (v % 13 < 12)
            assert_near((double)out[v], (double)ramp[v] + 0.5, 1e-5);
        else
            assert_true(isnan(out[v]));
}

/* Sums stay under smoothing with reflected edges, whatever the width; order of threads does not show. */
static void test_mass_and_threads(void **state)
{
    (void)state;
    float one[N], other[N];
    for (int k = 0; k < 6; k++) {
        const double fwhm[3] = {1 + 40 * nep_philox_uniform(4, 0, (uint64_t)k), 5, 30 * nep_philox_uniform(4, 1, (uint64_t)k)};
        double before = 0, after = 0;
        assert_ok(ctx, nep_smooth(ctx, &from, whole, fwhm, false, one));
        for (int v = 0; v < N; v++) {
            before += (double)whole[v];
            after += (double)one[v];
        }
        assert_near(after / before, 1, 1e-6);
        for (int threads = 1; threads <= 3; threads++) {
            nep_ctx *own = test_ctx(threads);
            assert_ok(own, nep_smooth(own, &from, whole, fwhm, false, other));
            assert_memory_equal(one, other, sizeof one);
            nep_ctx_free(own);
        }
    }
}

static void test_refusals(void **state)
{
    (void)state;
    const double bad[3] = {6, -1, 6};
    nep_grid flat = from;
    float out[N] = {-7};
    memset(flat.affine[2], 0, sizeof flat.affine[2]);
    assert_fails(nep_smooth(ctx, &from, whole, bad, false, out), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_resample(ctx, &flat, whole, &from, NULL, out), NEP_E_GRID);
    assert_non_null(strstr(nep_ctx_error(ctx), "inverted"));
    nep_ctx_clear(ctx);
    assert_true(out[0] == -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resample_golden), cmocka_unit_test(test_smooth_golden),    cmocka_unit_test(test_missing),
        cmocka_unit_test(test_identities),      cmocka_unit_test(test_mass_and_threads), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
