/* SPDX-License-Identifier: Apache-2.0 */
/* Surrogates: what each family keeps, that numbers address them, and how often they cry wolf. */
#include <jansson.h>

#include "brainmap/nulls.h"
#include "field.h"

/* NumPy's eigenvectors of 12 regions give the same surrogate for the same signs (an eigenvector's own sign
 * cancels). */
static void test_moran_meets_numpy(void **state)
{
    (void)state;
    enum { N = 12 };
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, N / 2, 0);
    nep_nulls *nulls = NULL;
    double map[N], coef[N], base[N];
    char line[512], *at;
    FILE *f = fopen(TEST_GOLDEN("maps_geometry.tsv"), "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    for (int i = 0; i < N; i++) {
        assert_non_null(fgets(line, sizeof line, f));
        at = strstr(line, "cortex") + strlen("cortex");
        for (int k = 0; k < 3; k++)
            g.mm[i][k] = strtod(at, &at);
    }
    fclose(f);
    json_t *doc = json_load_file(TEST_GOLDEN("maps.json"), 0, NULL), *moran = json_object_get(doc, "moran");
    assert_non_null(moran);
    for (size_t i = 0; i < N; i++)
        map[i] = json_number_value(json_array_get(json_object_get(moran, "value"), i));
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_MORAN, &nulls));
    assert_int_equal(nulls->n_vectors, N - 1);
    nep_spectral_coefficients(nulls, map, coef, base);
    json_t *signs = json_object_get(moran, "signs"), *want = json_object_get(moran, "surrogates");
    assert_true(json_array_size(want) >= 3);
    for (size_t b = 0; b < json_array_size(want); b++)
        for (size_t i = 0; i < N; i++) {
            double x = base[i];
            for (size_t k = 0; k < N - 1;
                 k++) /* theirs count from the largest eigenvalue, ours from the least */
                x += json_number_value(json_array_get(json_array_get(signs, b), N - 2 - k)) * coef[k] *
                     nulls->vectors[k * N + i];
            assert_near(x, json_number_value(json_array_get(json_array_get(want, b), i)), 1e-10);
        }
    json_decref(doc);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static double mean_of(const double *x, int64_t n)
{
    double s = 0.0;
    for (int64_t i = 0; i < n; i++)
        s += x[i];
    return s / (double)n;
}

static double spread_of(const double *x, int64_t n)
{
    const double m = mean_of(x, n);
    double s = 0.0;
    for (int64_t i = 0; i < n; i++)
        s += (x[i] - m) * (x[i] - m);
    return s;
}

/* Moran's I without its constant factor: x'Wx / x'x of the centred map, W = 1/D. */
static double moran_of(const nep_geometry *g, const double *x, int64_t n)
{
    const double m = mean_of(x, n);
    double s = 0.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            if (i != j) {
                double d = 0.0;
                for (int k = 0; k < 3; k++)
                    d += (g->mm[i][k] - g->mm[j][k]) * (g->mm[i][k] - g->mm[j][k]);
                s += (x[i] - m) * (x[j] - m) / sqrt(d);
            }
    return s / spread_of(x, n);
}

static void test_moran_keeps_mean_variance_and_moran(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 20, 5);
    nep_nulls *nulls = NULL;
    double map[50], out[40 * 50];
    bool moved = false;
    field_map(&g, 1, map);
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_MORAN, &nulls));
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, map, 3, 0, 40, out));
    for (int b = 0; b < 40; b++) {
        assert_near(mean_of(out + b * 50, 50), mean_of(map, 50), 1e-12);
        assert_near(spread_of(out + b * 50, 50), spread_of(map, 50), 1e-11);
        assert_near(moran_of(&g, out + b * 50, 50), moran_of(&g, map, 50), 1e-11);
        moved |= fabs(out[b * 50] - map[0]) > 0.1;
    }
    assert_true(moved);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static void test_compartments_keep_their_own_moments(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 20, 5);
    nep_nulls *nulls = NULL;
    double map[50], out[50];
    field_map(&g, 1, map);
    for (int i = 40; i < 50; i++)
        map[i] = 10.0 + 5.0 * map[i];
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_MORAN_COMPARTMENT, &nulls));
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, map, 3, 7, 1, out));
    assert_near(mean_of(out, 40), mean_of(map, 40), 1e-12);
    assert_near(spread_of(out, 40), spread_of(map, 40), 1e-11);
    assert_near(mean_of(out + 40, 10), mean_of(map + 40, 10), 1e-12);
    assert_near(spread_of(out + 40, 10), spread_of(map + 40, 10), 1e-11);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static void test_spins_are_permutations_within_hemispheres(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 30, 0);
    const nep_nulls_kind kinds[] = {NEP_NULLS_SPIN, NEP_NULLS_SPIN_HUNGARIAN};
    for (int k = 0; k < 2; k++) {
        nep_nulls *nulls = NULL;
        int32_t index[25 * 60];
        int64_t fixed = 0;
        assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, kinds[k], &nulls));
        assert_ok(ctx, nep_nulls_indices(ctx, nulls, 0, 0, 25, index));
        for (int b = 0; b < 25; b++) {
            int seen[60] = {0};
            for (int i = 0; i < 60; i++) {
                const int32_t j = index[b * 60 + i];
                assert_in_range(j, 0, 59);
                assert_int_equal(j / 30, i / 30); /* left stays left */
                seen[j]++;
                fixed += j == i;
            }
            for (int i = 0; i < 60; i++)
                assert_int_equal(seen[i], 1);
        }
        assert_true(fixed < 25 * 60 / 3);
        nep_nulls_free(nulls);
    }
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

/* On a geometry with mirrored hemispheres the mirrored rotation does left and right alike, for every kind of
 * spin. */
static void test_hemispheres_turn_as_mirror_images(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, 25, 0);
    for (int k = NEP_NULLS_SPIN; k <= NEP_NULLS_SPIN_NEAREST; k++) {
        nep_nulls *nulls = NULL;
        int32_t index[10 * 50];
        assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, (nep_nulls_kind)k, &nulls));
        assert_ok(ctx, nep_nulls_indices(ctx, nulls, 5, 0, 10, index));
        for (int b = 0; b < 10; b++)
            for (int i = 0; i < 25; i++)
                assert_int_equal(index[b * 50 + i] + 25, index[b * 50 + 25 + i]);
        nep_nulls_free(nulls);
    }
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static void test_surrogates_are_addressed_by_number(void **state)
{
    (void)state;
    nep_ctx *one = test_ctx(1), *seven = test_ctx(7);
    nep_geometry g = field_geometry(one, 20, 0);
    nep_surface v = field_surface(one, &g, 400);
    double map[40], all[30 * 40], part[10 * 40], other[40];
    field_map(&g, 2, map);
    for (int k = 0; k < NEP_NULLS_KIND_COUNT; k++) {
        nep_nulls *a = NULL, *b = NULL;
        assert_ok(one, nep_nulls_create_on(one, &g, NULL, (nep_nulls_kind)k, &v, &a));
        assert_ok(seven, nep_nulls_create_on(seven, &g, NULL, (nep_nulls_kind)k, &v, &b));
        assert_ok(one, nep_nulls_draw(one, a, map, 4, 0, 30, all));
        assert_ok(seven, nep_nulls_draw(seven, b, map, 4, 20, 10, part));
        assert_memory_equal(all + 20 * 40, part, sizeof part);
        assert_ok(one, nep_nulls_draw(one, a, map, 5, 0, 1, other));
        assert_memory_not_equal(all, other, sizeof other);
        nep_nulls_free(a);
        nep_nulls_free(b);
    }
    nep_surface_free(&v);
    nep_geometry_free(&g);
    nep_ctx_free(seven);
    nep_ctx_free(one);
}

static void test_bad_geometry_is_named(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, 10, 2);
    nep_nulls *nulls = NULL;
    double map[24], out[24] = {-1.0};
    assert_fails(nep_nulls_create(ctx, &g, NULL, NEP_NULLS_SPIN, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "L_nucleus10"));
    nep_ctx_clear(ctx);
    memcpy(g.mm[3], g.mm[7], sizeof g.mm[3]);
    assert_fails(nep_nulls_create(ctx, &g, NULL, NEP_NULLS_MORAN, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "L_area03"));
    assert_null(nulls);
    nep_ctx_clear(ctx);
    bool use[24];
    for (int i = 0; i < 24; i++)
        use[i] = i != 3;
    assert_ok(ctx, nep_nulls_create(ctx, &g, use, NEP_NULLS_MORAN, &nulls));
    assert_int_equal(nep_nulls_regions(nulls), 23);
    field_map(&g, 1, map);
    map[5] = (double)NAN;
    assert_fails(nep_nulls_draw(ctx, nulls, map, 0, 0, 1, out), NEP_E_ARG);
    assert_true(out[0] == -1.0);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static void test_false_positive_rate(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 34, 0);
    nep_surface v = field_surface(ctx, &g, 600);
    double naive = 0.0;
    for (int k = 0; k < NEP_NULLS_KIND_COUNT; k++) {
        nep_nulls *nulls = NULL;
        nep_nulls_rate white, smooth;
        const int64_t n_maps = k == NEP_NULLS_SPIN_HUNGARIAN ? 400 : k == NEP_NULLS_VARIOGRAM || k == NEP_NULLS_VARIOGRAM_VALUES ? 150 : 1000;
        assert_ok(ctx, nep_nulls_create_on(ctx, &g, NULL, (nep_nulls_kind)k, &v, &nulls));
        assert_ok(ctx, nep_nulls_false_positive(ctx, nulls, 0.0, n_maps, 199, 0.05, 11, &white));
        assert_ok(ctx, nep_nulls_false_positive(ctx, nulls, 40.0, n_maps, 199, 0.05, 11, &smooth));
        print_message("%-18s white %.3f [%.3f, %.3f]  40 mm %.3f [%.3f, %.3f]\n",
                      nep_nulls_name((nep_nulls_kind)k), white.rate, white.low, white.high, smooth.rate,
                      smooth.low, smooth.high);
        assert_true(white.low < 0.06 && white.high > 0.035);
        assert_true(white.low < white.rate && white.rate < white.high);
        if (k == NEP_NULLS_SHUFFLE)
            naive = smooth.rate;
        else
            assert_true(smooth.low < 0.09); /* all are far below what ignoring autocorrelation gives, none is exact */
        nep_nulls_free(nulls);
    }
    assert_true(naive > 0.1); /* what ignoring autocorrelation does */
    nep_surface_free(&v);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moran_meets_numpy),
        cmocka_unit_test(test_moran_keeps_mean_variance_and_moran),
        cmocka_unit_test(test_compartments_keep_their_own_moments),
        cmocka_unit_test(test_spins_are_permutations_within_hemispheres),
        cmocka_unit_test(test_hemispheres_turn_as_mirror_images),
        cmocka_unit_test(test_surrogates_are_addressed_by_number),
        cmocka_unit_test(test_bad_geometry_is_named),
        cmocka_unit_test(test_false_positive_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
