/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics: the published values of the digital phantom of the Image Biomarker Standardisation Initiative,
 * PyRadiomics' numbers under its definition, and what must hold of any region. */
#include "imaging/golden.h"

#include <nepenthe/radiomics.h>

/* The phantom, 5 x 4 x 4 voxels of 2 mm; 0 is outside. Source of it and of the values: Zwanenburg et al.
 * (2020) doi:10.1148/radiol.2020191145, reference manual arXiv:1612.07003, chapter 5. */
static const char phantom[] = "14411"
                              "14611"
                              "41641"
                              "44641"
                              "14411"
                              "11611"
                              "01311"
                              "44611"
                              "14400"
                              "11111"
                              "11011"
                              "11611"
                              "14400"
                              "11111"
                              "11111"
                              "11611";

typedef struct {
    int feature;
    double value; /* three digits */
} published;

#define V(name, value)                                                                                       \
    {                                                                                                        \
        NEP_RADIOMICS_##name, value                                                                          \
    }

static const published either_way[] = {
    V(intensity_mean, 2.15),
    V(intensity_variance, 3.05),
    V(intensity_skewness, 1.08),
    V(intensity_kurtosis, -0.355),
    V(intensity_median, 1),
    V(intensity_minimum, 1),
    V(intensity_percentile_10, 1),
    V(intensity_percentile_90, 4),
    V(intensity_maximum, 6),
    V(intensity_interquartile_range, 3),
    V(intensity_range, 5),
    V(intensity_mean_absolute_deviation, 1.55),
    V(intensity_robust_mean_absolute_deviation, 1.11),
    V(intensity_median_absolute_deviation, 1.15),
    V(intensity_coefficient_of_variation, 0.812),
    V(intensity_quartile_coefficient_of_dispersion, 0.6),
    V(intensity_energy, 567),
    V(intensity_root_mean_square, 2.77),
    V(histogram_entropy, 1.27),
    V(histogram_uniformity, 0.512),
    V(shape_mesh_volume, 556),
    V(shape_voxel_volume, 592),
    V(shape_surface_area, 388),
    V(shape_surface_volume_ratio, 0.698),
    V(shape_compactness_1, 0.0411),
    V(shape_compactness_2, 0.599),
    V(shape_spherical_disproportion, 1.19),
    V(shape_sphericity, 0.843),
    V(shape_asphericity, 0.186),
    V(shape_center_of_mass_shift, 0.672),
    V(shape_maximum_3d_diameter, 13.1),
    V(shape_major_axis_length, 11.4),
    V(shape_minor_axis_length, 9.31),
    V(shape_least_axis_length, 8.54),
    V(shape_elongation, 0.816),
    V(shape_flatness, 0.749),
    V(glszm_small_zone_emphasis, 0.255),
    V(glszm_large_zone_emphasis, 550),
    V(glszm_low_grey_level_emphasis, 0.253),
    V(glszm_high_grey_level_emphasis, 15.6),
    V(glszm_small_zone_low_grey_level_emphasis, 0.0256),
    V(glszm_small_zone_high_grey_level_emphasis, 2.76),
    V(glszm_large_zone_low_grey_level_emphasis, 503),
    V(glszm_large_zone_high_grey_level_emphasis, 1490),
    V(glszm_grey_level_non_uniformity, 1.4),
    V(glszm_normalised_grey_level_non_uniformity, 0.28),
    V(glszm_zone_non_uniformity, 1),
    V(glszm_normalised_zone_non_uniformity, 0.2),
    V(glszm_zone_percentage, 0.0676),
    V(glszm_grey_level_variance, 2.64),
    V(glszm_zone_variance, 331),
    V(glszm_zone_entropy, 2.32),
    V(ngtdm_coarseness, 0.0296),
    V(ngtdm_contrast, 0.584),
    V(ngtdm_busyness, 6.54),
    V(ngtdm_complexity, 13.5),
    V(ngtdm_strength, 0.763),
    V(gldm_small_dependence_emphasis, 0.045),
    V(gldm_large_dependence_emphasis, 109),
    V(gldm_low_grey_level_emphasis, 0.693),
    V(gldm_high_grey_level_emphasis, 7.66),
    V(gldm_small_dependence_low_grey_level_emphasis, 0.00963),
    V(gldm_small_dependence_high_grey_level_emphasis, 0.736),
    V(gldm_large_dependence_low_grey_level_emphasis, 102),
    V(gldm_large_dependence_high_grey_level_emphasis, 235),
    V(gldm_grey_level_non_uniformity, 37.9),
    V(gldm_normalised_grey_level_non_uniformity, 0.512),
    V(gldm_dependence_non_uniformity, 4.86),
    V(gldm_normalised_dependence_non_uniformity, 0.0657),
    V(gldm_dependence_percentage, 1),
    V(gldm_grey_level_variance, 3.05),
    V(gldm_dependence_variance, 22.1),
    V(gldm_dependence_entropy, 4.4),
    V(gldm_dependence_energy, 0.0533),
};

static const published merged[] = {
    V(glcm_joint_maximum, 0.509),
    V(glcm_joint_average, 2.15),
    V(glcm_joint_variance, 3.13),
    V(glcm_joint_entropy, 2.57),
    V(glcm_difference_average, 1.38),
    V(glcm_difference_variance, 3.21),
    V(glcm_difference_entropy, 1.64),
    V(glcm_sum_average, 4.3),
    V(glcm_sum_variance, 7.41),
    V(glcm_sum_entropy, 2.11),
    V(glcm_angular_second_moment, 0.291),
    V(glcm_contrast, 5.12),
    V(glcm_inverse_difference, 0.688),
    V(glcm_normalised_inverse_difference, 0.856),
    V(glcm_inverse_difference_moment, 0.631),
    V(glcm_normalised_inverse_difference_moment, 0.902),
    V(glcm_inverse_variance, 0.0574),
    V(glcm_correlation, 0.183),
    V(glcm_autocorrelation, 5.19),
    V(glcm_cluster_tendency, 7.41),
    V(glcm_cluster_shade, 17.4),
    V(glcm_cluster_prominence, 147),
    V(glcm_information_correlation_1, -0.0288),
    V(glcm_information_correlation_2, 0.269),
    V(glrlm_short_run_emphasis, 0.729),
    V(glrlm_long_run_emphasis, 2.76),
    V(glrlm_low_grey_level_emphasis, 0.607),
    V(glrlm_high_grey_level_emphasis, 9.64),
    V(glrlm_short_run_low_grey_level_emphasis, 0.372),
    V(glrlm_short_run_high_grey_level_emphasis, 8.67),
    V(glrlm_long_run_low_grey_level_emphasis, 2.16),
    V(glrlm_long_run_high_grey_level_emphasis, 15.6),
    V(glrlm_grey_level_non_uniformity, 281),
    V(glrlm_normalised_grey_level_non_uniformity, 0.43),
    V(glrlm_run_non_uniformity, 328),
    V(glrlm_normalised_run_non_uniformity, 0.501),
    V(glrlm_run_percentage, 0.68),
    V(glrlm_grey_level_variance, 3.48),
    V(glrlm_run_variance, 0.598),
    V(glrlm_run_entropy, 2.62),
};

static const published averaged[] = {
    V(glcm_joint_maximum, 0.503),
    V(glcm_joint_average, 2.14),
    V(glcm_joint_variance, 3.1),
    V(glcm_joint_entropy, 2.4),
    V(glcm_difference_average, 1.43),
    V(glcm_difference_variance, 3.06),
    V(glcm_difference_entropy, 1.56),
    V(glcm_sum_average, 4.29),
    V(glcm_sum_variance, 7.07),
    V(glcm_sum_entropy, 1.92),
    V(glcm_angular_second_moment, 0.303),
    V(glcm_contrast, 5.32),
    V(glcm_inverse_difference, 0.677),
    V(glcm_normalised_inverse_difference, 0.851),
    V(glcm_inverse_difference_moment, 0.618),
    V(glcm_normalised_inverse_difference_moment, 0.898),
    V(glcm_inverse_variance, 0.0604),
    V(glcm_correlation, 0.157),
    V(glcm_autocorrelation, 5.06),
    V(glcm_cluster_tendency, 7.07),
    V(glcm_cluster_shade, 16.6),
    V(glcm_cluster_prominence, 145),
    V(glcm_information_correlation_1, -0.157),
    V(glcm_information_correlation_2, 0.52),
    V(glrlm_short_run_emphasis, 0.705),
    V(glrlm_long_run_emphasis, 3.06),
    V(glrlm_low_grey_level_emphasis, 0.603),
    V(glrlm_high_grey_level_emphasis, 9.7),
    V(glrlm_run_percentage, 0.68),
};

enum { NX = 5, NY = 4, NZ = 4, N = NX * NY * NZ };

static nep_grid grid_of(int64_t nx, int64_t ny, int64_t nz, double sx, double sy, double sz)
{
    return (nep_grid){.nx = nx, .ny = ny, .nz = nz, .affine = {{sx, 0, 0, 0}, {0, sy, 0, 0}, {0, 0, sz, 0}}};
}

/* Rounded to the digits that are printed. */
static void assert_published(const double *got, const published *want, int n)
{
    for (int k = 0; k < n; k++) {
        const double v = want[k].value, unit = v == 0 ? 0.01 : pow(10, floor(log10(fabs(v))) - 2);
        if (!(fabs(got[want[k].feature] - v) <= 0.5001 * unit))
            print_error("%s: got %.6g, published %g\n", nep_radiomics_name(want[k].feature),
                        got[want[k].feature], v);
    }
    for (int k = 0; k < n; k++) {
        const double v = want[k].value, unit = pow(10, floor(log10(fabs(v))) - 2);
        assert_true(fabs(got[want[k].feature] - v) <= 0.5001 * unit);
    }
}

static void measure_phantom(nep_ctx *ctx, bool merge, double *out)
{
    const nep_grid g = grid_of(NX, NY, NZ, 2, 2, 2);
    float x[N];
    for (int i = 0; i < N; i++)
        x[i] = (float)(phantom[i] - '0');
    int64_t levels = 0;
    const nep_radiomics_opts o = {.bin_width = 1, .merge = merge};
    assert_ok(ctx, nep_radiomics(ctx, &g, x, x, &o, out, &levels));
    assert_int_equal(levels, 6);
}

static void test_phantom(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    double out[NEP_RADIOMICS_COUNT];
    measure_phantom(ctx, true, out);
    assert_published(out, either_way, NEP_LEN(either_way));
    assert_published(out, merged, NEP_LEN(merged));
    measure_phantom(ctx, false, out);
    assert_published(out, either_way, NEP_LEN(either_way));
    assert_published(out, averaged, NEP_LEN(averaged));
    nep_ctx_free(ctx);
}

static void test_peer(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    json_t *about = golden_json("radiomics.json");
    int64_t n[3];
    double mm[3], out[NEP_RADIOMICS_COUNT];
    for (int a = 0; a < 3; a++) {
        n[a] = json_integer_value(json_array_get(json_object_get(about, "shape"), (size_t)a));
        mm[a] = json_number_value(json_array_get(json_object_get(about, "spacing_mm"), (size_t)a));
    }
    const nep_grid g = grid_of(n[0], n[1], n[2], mm[0], mm[1], mm[2]);
    nep_series in = golden_series(ctx, "radiomics_in.tsv");
    nep_table want = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/radiomics.tsv", TEST_GOLDEN(""));
    assert_ok(ctx, nep_tsv_read(ctx, path, &want));
    assert_int_equal(in.n_t, n[0] * n[1] * n[2]);
    assert_int_equal(want.n_rows, 104);
    float *x = malloc((size_t)in.n_t * sizeof *x), *roi = malloc((size_t)in.n_t * sizeof *roi);
    assert_true(x && roi);
    for (int64_t v = 0; v < in.n_t; v++) {
        x[v] = in.data[2 * v];
        roi[v] = in.data[2 * v + 1];
    }
    for (int column = 1; column <= 2; column++) {
        const nep_radiomics_opts o = {.bin_width = column == 1 ? 25 : (double)NAN,
                                      .n_bins = 12,
                                      .pyradiomics = true,
                                      .shift = json_number_value(json_object_get(about, "shift"))};
        assert_ok(ctx, nep_radiomics(ctx, &g, x, roi, &o, out, NULL));
        for (int64_t r = 0; r < want.n_rows; r++) {
            int f = 0;
            while (f < NEP_RADIOMICS_COUNT && strcmp(nep_radiomics_name(f), want.cells[r * want.n_cols]) != 0)
                f++;
            assert_true(f < NEP_RADIOMICS_COUNT);
            const double value = strtod(want.cells[r * want.n_cols + column], NULL);
            if (!(fabs(out[f] - value) <= 1e-9 * fabs(value)))
                fail_msg("%s: got %.12g, the peer %.12g", nep_radiomics_name(f), out[f], value);
        }
    }
    free(roi);
    free(x);
    nep_table_free(&want);
    nep_series_free(&in);
    json_decref(about);
    nep_ctx_free(ctx);
}

/* A ball of noise with holes in a box of side^3. */
enum { SIDE = 13, BOX = SIDE * SIDE * SIDE };

static void make_ball(uint64_t seed, float *x, float *roi)
{
    for (int v = 0; v < BOX; v++) {
        const double i = v % SIDE - 6.1, j = v / SIDE % SIDE - 5.8, k = (double)v / (SIDE * SIDE) - 6.0;
        x[v] = (float)floor(40 + 12 * nep_philox_normal(seed, 0, (uint64_t)v));
        roi[v] = i * i + 1.3 * j * j + k * k < 25 && nep_philox_uniform(seed, 1, (uint64_t)v) > 0.1;
    }
}

static void assert_same(const double *a, const double *b, double tolerance, const char *what)
{
    for (int f = 0; f < NEP_RADIOMICS_COUNT; f++)
        if (!test_close(a[f], b[f], tolerance))
            fail_msg("%s: %s is %.15g and %.15g", what, nep_radiomics_name(f), a[f], b[f]);
}

/* Axes swapped and one of them turned round: the same region, seen otherwise. */
static void test_turned(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    static float x[BOX], roi[BOX], y[BOX], turned[BOX];
    double one[NEP_RADIOMICS_COUNT], two[NEP_RADIOMICS_COUNT];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        make_ball(seed, x, roi);
        for (int v = 0; v < BOX; v++) {
            const int i = v % SIDE, j = v / SIDE % SIDE, k = v / (SIDE * SIDE),
                      to = k + SIDE * (SIDE - 1 - i) + SIDE * SIDE * j;
            y[to] = x[v];
            turned[to] = roi[v];
        }
        const nep_grid g = grid_of(SIDE, SIDE, SIDE, 1.1, 2, 3), h = grid_of(SIDE, SIDE, SIDE, 3, 1.1, 2);
        const nep_radiomics_opts o = {.bin_width = 6, .merge = seed % 2};
        assert_ok(ctx, nep_radiomics(ctx, &g, x, roi, &o, one, NULL));
        assert_ok(ctx, nep_radiomics(ctx, &h, y, turned, &o, two, NULL));
        assert_same(one, two, 1e-9, "turned");
    }
    nep_ctx_free(ctx);
}

/* Scale and offset change no texture in a fixed number of bins; size goes with the voxels; what is not finite
 * is outside. */
static void test_properties(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1), *many = test_ctx(5);
    static float x[BOX], roi[BOX], y[BOX];
    double one[NEP_RADIOMICS_COUNT], two[NEP_RADIOMICS_COUNT];
    const nep_grid g = grid_of(SIDE, SIDE, SIDE, 1, 1.5, 2), wide = grid_of(SIDE, SIDE, SIDE, 2, 3, 4);
    make_ball(11, x, roi);
    assert_ok(ctx, nep_radiomics(ctx, &g, x, roi, NULL, one, NULL));
    assert_ok(many, nep_radiomics(many, &g, x, roi, NULL, two, NULL));
    assert_memory_equal(one, two, sizeof one);
    for (int v = 0; v < BOX; v++)
        y[v] = 4 * x[v] - 64;
    assert_ok(ctx, nep_radiomics(ctx, &g, y, roi, NULL, two, NULL));
    for (int f = NEP_RADIOMICS_histogram_entropy; f < NEP_RADIOMICS_COUNT; f++)
        if (f != NEP_RADIOMICS_shape_center_of_mass_shift)
            assert_near(two[f], one[f], 1e-12);
    assert_near(two[NEP_RADIOMICS_intensity_mean], 4 * one[NEP_RADIOMICS_intensity_mean] - 64, 1e-12);
    assert_ok(ctx, nep_radiomics(ctx, &wide, x, roi, NULL, two, NULL));
    assert_near(two[NEP_RADIOMICS_shape_mesh_volume], 8 * one[NEP_RADIOMICS_shape_mesh_volume], 1e-12);
    assert_near(two[NEP_RADIOMICS_shape_surface_area], 4 * one[NEP_RADIOMICS_shape_surface_area], 1e-12);
    assert_near(two[NEP_RADIOMICS_shape_maximum_3d_diameter],
                2 * one[NEP_RADIOMICS_shape_maximum_3d_diameter], 1e-12);
    assert_near(two[NEP_RADIOMICS_shape_sphericity], one[NEP_RADIOMICS_shape_sphericity], 1e-12);
    for (int v = 0, left_out = 0; v < BOX && left_out < 40; v++)
        if (roi[v] != 0 && v % 3 == 0) {
            memcpy(y, x, sizeof y);
            roi[v] = left_out % 2 ? NAN : 0;
            left_out++;
        }
    for (int v = 0; v < BOX; v++)
        y[v] = roi[v] > 0 ? x[v] : v % 2 ? NAN : INFINITY;
    assert_ok(ctx, nep_radiomics(ctx, &g, x, roi, NULL, one, NULL));
    for (int v = 0; v < BOX; v++)
        roi[v] = 1; /* what is outside now is so by its value */
    assert_ok(ctx, nep_radiomics(ctx, &g, y, roi, NULL, two, NULL));
    assert_memory_equal(one, two, sizeof one);
    nep_ctx_free(many);
    nep_ctx_free(ctx);
}

/* Of a ball of radius 20 the mesh is near what geometry says; of a cuboid what its cut edges leave, by hand:
 * a voxel alone is an octahedron of edge sqrt(1/2). */
static void test_known_shapes(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    enum { S = 45 };
    static float x[S * S * S], roi[S * S * S];
    double out[NEP_RADIOMICS_COUNT];
    const double r = 20, pi = 3.14159265358979;
    nep_ctx *many = test_ctx(4);
    double again[NEP_RADIOMICS_COUNT];
    for (int v = 0; v < S * S * S; v++) {
        const double i = v % S - 22, j = v / S % S - 22, k = v / (S * S) - 22;
        roi[v] = i * i + j * j + k * k <= r * r;
        x[v] = (float)(v % 7);
    }
    const nep_grid g = grid_of(S, S, S, 1, 1, 1);
    assert_ok(ctx, nep_radiomics(ctx, &g, x, roi, NULL, out, NULL));
    assert_ok(many, nep_radiomics(many, &g, x, roi, NULL, again, NULL)); /* large enough for several threads */
    assert_memory_equal(out, again, sizeof out);
    nep_ctx_free(many);
    assert_true(fabs(out[NEP_RADIOMICS_shape_mesh_volume] / (4 / 3.0 * pi * r * r * r) - 1) < 0.01);
    assert_true(out[NEP_RADIOMICS_shape_sphericity] < 1 && out[NEP_RADIOMICS_shape_sphericity] > 0.9);
    assert_near(out[NEP_RADIOMICS_shape_maximum_3d_diameter], 41, 1e-12);
    assert_near(out[NEP_RADIOMICS_shape_elongation], 1, 1e-12);
    memset(roi, 0, sizeof roi);
    roi[S * S * 3 + S * 4 + 5] = 1;
    assert_ok(ctx, nep_radiomics(ctx, &g, x, roi, NULL, out, NULL));
    assert_near(out[NEP_RADIOMICS_shape_mesh_volume], sqrt(2.0) / 3 * pow(sqrt(0.5), 3), 1e-12);
    assert_near(out[NEP_RADIOMICS_shape_surface_area], 2 * sqrt(3.0) * 0.5, 1e-12);
    assert_near(out[NEP_RADIOMICS_shape_maximum_3d_diameter], 1, 1e-12);
    assert_near(out[NEP_RADIOMICS_intensity_variance], 0, 0);
    assert_true(isnan(out[NEP_RADIOMICS_glcm_contrast])); /* no pair of voxels */
    assert_true(isnan(out[NEP_RADIOMICS_ngtdm_coarseness]));
    assert_near(out[NEP_RADIOMICS_glszm_zone_percentage], 1, 0);
    nep_ctx_free(ctx);
}

static void test_refused(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    static float x[BOX], roi[BOX];
    double out[NEP_RADIOMICS_COUNT] = {3};
    const nep_grid g = grid_of(SIDE, SIDE, SIDE, 1, 1, 1);
    make_ball(2, x, roi);
    const nep_radiomics_opts few = {.bin_width = (double)NAN, .n_bins = 1},
                             many = {.bin_width = (double)NAN, .n_bins = 1025}, negative = {.bin_width = -1},
                             fine = {.bin_width = 1e-3}, none = {.bin_width = 1};
    assert_fails(nep_radiomics(ctx, &g, x, roi, &few, out, NULL), NEP_E_ARG);
    assert_fails(nep_radiomics(ctx, &g, x, roi, &many, out, NULL), NEP_E_ARG);
    assert_fails(nep_radiomics(ctx, &g, x, roi, &negative, out, NULL), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_radiomics(ctx, &g, x, roi, &fine, out, NULL), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "take wider bins"));
    memset(roi, 0, sizeof roi);
    assert_fails(nep_radiomics(ctx, &g, x, roi, &none, out, NULL), NEP_E_FORMAT);
    assert_true(out[0] == 3);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phantom),      cmocka_unit_test(test_peer),
        cmocka_unit_test(test_turned),       cmocka_unit_test(test_properties),
        cmocka_unit_test(test_known_shapes), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
