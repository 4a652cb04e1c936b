/* SPDX-License-Identifier: Apache-2.0 */
/* test_voxelwise - ALFF and fALFF by five definitions against SciPy, a cosine by hand, temporal SNR. */
#include "imaging/golden.h"

static nep_ctx *ctx;

static void check_data_set(const char *name)
{
    static const char *const columns[] = {"canonical_alff", "canonical_falff", "afni_alff", "afni_falff", "cpac_alff", "cpac_falff", "xcpd_alff",
                                         "conn_alff", "conn_falff"};
    json_t *doc = golden_json("voxelwise.json");
    const json_t *d = json_object_get(doc, name), *band = json_object_get(d, "band_hz");
    const double tr = json_number_value(json_object_get(d, "tr_s")), lo = json_number_value(json_array_get(band, 0)),
                 hi = json_number_value(json_array_get(band, 1));
    nep_series x = {0}, want = golden_series(ctx, json_string_value(json_object_get(d, "file")));
    nep_grid g;
    assert_ok(ctx, nep_nifti_read_series(ctx, golden_shared(json_string_value(json_object_get(d, "image"))), NULL, &x, &g));
    double *value[10];
    for (int k = 0; k < 10; k++)
        value[k] = malloc((size_t)x.n_cols * sizeof **value);
    for (int k = 0; k <= NEP_VOXELWISE_CONN; k++) /* XCP-D has one column, CONN comes after it */
        assert_ok(ctx, nep_voxelwise_alff(ctx, x.data, x.n_t, x.n_cols, tr, lo, hi, (nep_voxelwise_definition)k,
                                          value[k == NEP_VOXELWISE_CONN ? 7 : 2 * k],
                                          k == NEP_VOXELWISE_XCPD ? NULL : value[k == NEP_VOXELWISE_CONN ? 8 : 2 * k + 1]));
    assert_ok(ctx, nep_voxelwise_tsnr(ctx, x.data, x.n_t, x.n_cols, value[9]));
    for (int64_t i = 0; i < want.n_t; i++) {
        const float *row = want.data + i * want.n_cols;
        const int64_t v = (int64_t)row[0] + g.nx * ((int64_t)row[1] + g.ny * (int64_t)row[2]);
        for (int k = 0; k < 10; k++) {
            const double got = value[k][v], w = (double)row[3 + k];
            if (!(fabs(got - w) <= 2e-6 * fabs(w)))
                fail_msg("%s voxel %lld %s: got %.9g want %.9g", name, (long long)i, k < 9 ? columns[k] : "tsnr", got, w);
        }
    }
    for (int k = 0; k < 10; k++)
        free(value[k]);
    nep_series_free(&x);
    nep_series_free(&want);
    json_decref(doc);
}

static void test_golden(void **state)
{
    (void)state;
    if (!test_shared())
        test_skip();
    check_data_set("haxby");
    check_data_set("ds003");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* 100 frames every 2 s: bins are 0.005 Hz apart, the band 0.01 to 0.08 Hz holds bins 2 to 16. A cosine of amplitude 3
 * in bin 4 and one of 5 in bin 40: ALFF = 3 / 15, fALFF = 3 / 8. */
static void test_by_hand(void **state)
{
    (void)state;
    float x[100 * 2];
    double alff[2], falff[2], tsnr[2];
    for (int t = 0; t < 100; t++) {
        x[2 * t] = (float)(100 + 3 * cos(2 * 3.14159265358979323846 * 4 * t / 100) + 5 * sin(2 * 3.14159265358979323846 * 40 * t / 100));
        x[2 * t + 1] = 8;
    }
    assert_ok(ctx, nep_voxelwise_alff(ctx, x, 100, 2, 2, 0.01, 0.08, NEP_VOXELWISE_CANONICAL, alff, falff));
    assert_near(alff[0], 3.0 / 15, 1e-6);
    assert_near(falff[0], 3.0 / 8, 1e-4); /* rounding to float32 leaves a little in the 48 other bins */
    assert_true(alff[1] == 0 && isnan(falff[1]));
    assert_ok(ctx, nep_voxelwise_tsnr(ctx, x, 100, 2, tsnr));
    assert_near(tsnr[0], 100 / sqrt(4.5 + 12.5), 1e-6);
    assert_true(isnan(tsnr[1]));
    assert_fails(nep_voxelwise_alff(ctx, x, 100, 2, 2, 0.0101, 0.0149, NEP_VOXELWISE_CANONICAL, alff, NULL), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "holds no frequency"));
    nep_ctx_clear(ctx);
    assert_fails(nep_voxelwise_alff(ctx, x, 100, 2, (double)NAN, 0.01, 0.08, NEP_VOXELWISE_CANONICAL, alff, NULL), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_voxelwise_alff(ctx, x, 100, 2, 2, 0.01, 0.08, NEP_VOXELWISE_XCPD, alff, falff), NEP_E_ARG);
    nep_ctx_clear(ctx);
}

static void test_scale(void **state)
{
    (void)state;
    float map[5] = {1, NAN, 2, 6, NAN}, same[3] = {4, NAN, 4}, none[2] = {NAN, INFINITY}, zero[2] = {-1, 1};
    double mean, sd;
    assert_ok(ctx, nep_voxelwise_scale(ctx, map, 5, NEP_VOXELWISE_UNSCALED, &mean, &sd));
    assert_true(mean == 3 && map[3] == 6);
    assert_near(sd, sqrt(7), 1e-15); /* (4 + 1 + 9) / 2 */
    assert_ok(ctx, nep_voxelwise_scale(ctx, map, 5, NEP_VOXELWISE_BY_MEAN, &mean, NULL));
    assert_true(mean == 3 && map[3] == 2 && map[0] == 1.0f / 3 && isnan(map[1]) && isnan(map[4]));
    assert_ok(ctx, nep_voxelwise_scale(ctx, map, 5, NEP_VOXELWISE_ZSCORE, NULL, NULL));
    assert_near((double)map[3], 3 / sqrt(7), 1e-6);
    assert_ok(ctx, nep_voxelwise_scale(ctx, map, 5, NEP_VOXELWISE_UNSCALED, &mean, &sd));
    assert_near(mean, 0, 1e-7);
    assert_near(sd, 1, 1e-7);
    assert_fails(nep_voxelwise_scale(ctx, same, 3, NEP_VOXELWISE_ZSCORE, NULL, NULL), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "the same everywhere"));
    nep_ctx_clear(ctx);
    assert_fails(nep_voxelwise_scale(ctx, zero, 2, NEP_VOXELWISE_BY_MEAN, NULL, NULL), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    assert_fails(nep_voxelwise_scale(ctx, none, 2, NEP_VOXELWISE_BY_MEAN, NULL, NULL), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "no voxel has a value"));
    nep_ctx_clear(ctx);
    assert_true(same[0] == 4 && zero[0] == -1);
}

int main(void)
{
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_by_hand), cmocka_unit_test(test_scale)};
    const int failed = test_end(cmocka_run_group_tests(tests, NULL, NULL));
    nep_ctx_free(ctx);
    return failed;
}
