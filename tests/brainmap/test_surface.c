/* SPDX-License-Identifier: Apache-2.0 */
/* Spins of vertices: labels and means received, against SciPy; what is refused. */
#include <jansson.h>

#include <nepenthe/io.h>

#include "brainmap/nulls.h"
#include "field.h"

enum { CORTEX = 40 };

/* Counts under one pair of rotations. */
static void receive(nep_ctx *ctx, const nep_nulls *nulls, double left[3][3], double right[3][3], int32_t *counts)
{
    int32_t *received = calloc((size_t)nep_surface_vertices(nulls), sizeof *received);
    assert_ok(ctx, nep_surface_receive(ctx, nulls, (const double *const[2]){left[0], right[0]}, 1, received));
    nep_surface_counts(nulls, received, counts);
    free(received);
}

static void test_labels_and_means_meet_scipy(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = {0};
    nep_surface s = {0};
    nep_nulls *nulls = NULL;
    double map[CORTEX], means[CORTEX];
    int32_t *counts = calloc(CORTEX * CORTEX, sizeof *counts), modes[CORTEX];
    json_t *doc = json_load_file(TEST_GOLDEN("nulls.json"), 0, NULL), *turns = json_object_get(doc, "surface");
    bool use[49], gap = false;
    assert_ok(ctx, nep_tsv_read_geometry(ctx, TEST_GOLDEN("nulls_geometry.tsv"), &g));
    assert_ok(ctx, nep_tsv_read_surface(ctx, TEST_GOLDEN("nulls_surface.tsv"), &s));
    for (int i = 0; i < 49; i++)
        use[i] = i < CORTEX;
    for (size_t i = 0; i < CORTEX; i++)
        map[i] = json_number_value(json_array_get(json_object_get(doc, "value"), i));
    assert_ok(ctx, nep_nulls_create_on(ctx, &g, use, NEP_NULLS_SPIN_BAUM, &s, &nulls));
    assert_true(json_array_size(turns) >= 5);
    for (size_t t = 0; t < json_array_size(turns); t++) {
        json_t *one = json_array_get(turns, t);
        double left[3][3], right[3][3];
        for (size_t r = 0; r < 3; r++)
            for (size_t c = 0; c < 3; c++) {
                left[r][c] = json_number_value(json_array_get(json_array_get(json_object_get(one, "rotation"), r), c));
                right[r][c] = (r == 0) != (c == 0) ? -left[r][c] : left[r][c];
            }
        receive(ctx, nulls, left, right, counts);
        nep_surface_modes(nulls, counts, modes);
        nep_surface_means(nulls, counts, map, means);
        for (size_t i = 0; i < CORTEX; i++) {
            json_t *want = json_array_get(json_object_get(one, "cornblath"), i);
            assert_int_equal(modes[i], json_integer_value(json_array_get(json_object_get(one, "baum"), i)));
            assert_true(json_is_null(want) == isnan(means[i]));
            if (!isnan(means[i]))
                assert_near(means[i], json_number_value(want), 1e-12);
            gap = gap || modes[i] < 0;
        }
    }
    assert_true(gap);
    nep_nulls_free(nulls);
    json_decref(doc);
    free(counts);
    nep_surface_free(&s);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

/* What draws give is what the rotation of their number does; a missing value travels, or is left out of a mean. */
static void test_draws_follow_their_rotation(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 15, 0);
    nep_surface s = field_surface(ctx, &g, 300);
    nep_nulls *baum = NULL, *cornblath = NULL;
    int32_t counts[30 * 30], modes[30], index[20 * 30];
    double map[30], means[30], by_label[20 * 30], by_mean[20 * 30];
    field_map(&g, 1, map);
    map[7] = (double)NAN;
    assert_ok(ctx, nep_nulls_create_on(ctx, &g, NULL, NEP_NULLS_SPIN_BAUM, &s, &baum));
    assert_ok(ctx, nep_nulls_create_on(ctx, &g, NULL, NEP_NULLS_SPIN_CORNBLATH, &s, &cornblath));
    assert_ok(ctx, nep_nulls_draw(ctx, baum, map, 3, 0, 20, by_label));
    assert_ok(ctx, nep_nulls_draw(ctx, cornblath, map, 3, 0, 20, by_mean));
    assert_ok(ctx, nep_nulls_indices(ctx, baum, 3, 0, 20, index));
    assert_fails(nep_nulls_indices(ctx, cornblath, 3, 0, 20, index), NEP_E_ARG);
    for (int b = 0; b < 20; b++) {
        double left[3][3], right[3][3];
        nep_spin_rotation(nep_ctx_seed(ctx), 3, b, left, right);
        receive(ctx, baum, left, right, counts);
        nep_surface_modes(baum, counts, modes);
        nep_surface_means(baum, counts, map, means);
        for (int i = 0; i < 30; i++) {
            assert_int_equal(index[b * 30 + i], modes[i]);
            const double want = modes[i] < 0 ? (double)NAN : map[modes[i]];
            assert_true(isnan(want) ? isnan(by_label[b * 30 + i]) : by_label[b * 30 + i] == want);
            assert_true(isnan(means[i]) ? isnan(by_mean[b * 30 + i]) : by_mean[b * 30 + i] == means[i]);
        }
    }
    nep_nulls_free(baum);
    nep_nulls_free(cornblath);
    nep_surface_free(&s);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static void test_bad_surfaces_are_named(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, 15, 0);
    nep_surface s = field_surface(ctx, &g, 300);
    nep_nulls *nulls = NULL;
    assert_fails(nep_nulls_create(ctx, &g, NULL, NEP_NULLS_SPIN_BAUM, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "spin-baum turns the vertices"));
    nep_ctx_clear(ctx);
    char *kept = g.names[4], other[] = "L_elsewhere";
    g.names[4] = other;
    assert_fails(nep_nulls_create_on(ctx, &g, NULL, NEP_NULLS_SPIN_CORNBLATH, &s, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "no vertex belongs to region 'L_elsewhere'"));
    nep_ctx_clear(ctx);
    bool use[30];
    for (int i = 0; i < 30; i++)
        use[i] = i != 4;
    assert_ok(ctx, nep_nulls_create_on(ctx, &g, use, NEP_NULLS_SPIN_CORNBLATH, &s, &nulls));
    nep_nulls_free(nulls);
    nulls = NULL;
    g.names[4] = kept;
    s.hemisphere[2] = 'R';
    assert_fails(nep_nulls_create_on(ctx, &g, NULL, NEP_NULLS_SPIN_CORNBLATH, &s, &nulls), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "vertex 3 lies in hemisphere R"));
    assert_null(nulls);
    nep_surface_free(&s);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_and_means_meet_scipy),
        cmocka_unit_test(test_draws_follow_their_rotation),
        cmocka_unit_test(test_bad_surfaces_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
