/* SPDX-License-Identifier: Apache-2.0 */
/* schematic - the drawn parcellation keeps sides, sizes and names; data helpers join by name. */
#include "support.h"

#include <nepenthe/data.h>

static nep_geometry toy(void)
{
    static char *names[] = {"L_front", "R_front", "L_caudate", "R_caudate", "B_brainstem", "L_back", "R_back"};
    static char side[] = {'L', 'R', 'L', 'R', 'B', 'L', 'R'};
    static bool cortex[] = {true, true, false, false, false, true, true};
    static double mm[7][3] = {{-30, 40, 20}, {30, 40, 20}, {-13, 14, 8}, {13, 14, 8}, {0, -30, -30}, {-25, -85, 10}, {25, -85, 10}};
    return (nep_geometry){.n_regions = 7, .names = names, .hemisphere = side, .cortex = cortex, .mm = mm};
}

static void test_every_region_is_drawn_on_its_side(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    const nep_geometry g = toy();
    for (double mm = 2; mm <= 10; mm += 4) {
        nep_atlas a = {0};
        int64_t count[7] = {0};
        assert_ok(ctx, nep_schematic_draw(ctx, &g, mm, &a));
        for (int64_t v = 0; v < nep_grid_voxels(&a.grid); v++) {
            const int32_t r = a.label[v];
            assert_in_range(r, 0, 7);
            if (r == 0)
                continue;
            count[r - 1]++;
            const double x = a.grid.affine[0][3] + mm * (double)(v % a.grid.nx);
            if (g.hemisphere[r - 1] == 'L')
                assert_true(x <= mm / 2);
            if (g.hemisphere[r - 1] == 'R')
                assert_true(x >= -mm / 2);
        }
        for (int r = 0; r < 7; r++)
            assert_true(count[r] > 0);
        assert_true(llabs(count[0] - count[1]) <= count[0] / 5); /* mirrored centroids give mirrored sizes */
        nep_atlas_free(&a);
    }
    assert_int_equal(nep_alloc_used(ctx), 0);
    nep_ctx_free(ctx);
}

static void test_bad_geometry_is_named(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = toy();
    nep_atlas a = {0};
    double far[7][3], same[7][3];
    memcpy(far, g.mm, sizeof far);
    memcpy(same, g.mm, sizeof same);
    far[3][1] = 400;
    memcpy(same[5], same[0], sizeof same[5]);
    g.mm = far;
    assert_fails(nep_schematic_draw(ctx, &g, 4, &a), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "R_caudate"));
    nep_ctx_clear(ctx);
    g.mm = same;
    assert_fails(nep_schematic_draw(ctx, &g, 4, &a), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "L_back"));
    nep_ctx_clear(ctx);
    g = toy();
    assert_fails(nep_schematic_draw(ctx, &g, 0.5, &a), NEP_E_ARG);
    nep_ctx_clear(ctx);
    for (int64_t k = 0; k < 11; k++) { /* every allocation fails once: nothing leaks, nothing half written */
        nep_alloc_fail_at(ctx, k);
        const nep_status st = nep_schematic_draw(ctx, &g, 8, &a);
        nep_ctx_clear(ctx);
        if (st == NEP_OK) {
            nep_atlas_free(&a);
            assert_true(k >= 10);
        } else {
            assert_int_equal(st, NEP_E_NOMEM);
            assert_null(a.label);
        }
        assert_int_equal(nep_alloc_used(ctx), 0);
    }
    nep_ctx_free(ctx);
}

static void test_maps_join_by_name(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    char *regions[] = {"b", "a"}, *names[] = {"m"}, *ask[] = {"a", "c", "b"}, *foreign[] = {"x"};
    double value[] = {2, 1}, out[3] = {0};
    const nep_maps m = {.n_regions = 2, .n_maps = 1, .regions = regions, .names = names, .value = value};
    assert_ok(ctx, nep_maps_align(ctx, &m, ask, 3, out));
    assert_near(out[0], 1, 0);
    assert_true(isnan(out[1]));
    assert_near(out[2], 2, 0);
    assert_fails(nep_maps_align(ctx, &m, foreign, 1, out), NEP_E_SHAPE);
    nep_ctx_free(ctx);
}

static void test_nearest_name(void **state)
{
    (void)state;
    const char *names[] = {"confounds", "columns", "filter"};
    assert_string_equal(nep_data_nearest("confound", names, 3), "confounds");
    assert_string_equal(nep_data_nearest("fitler", names, 3), "filter");
    assert_null(nep_data_nearest("zzz", names, 3));
}

static void test_grids(void **state)
{
    (void)state;
    nep_grid a = {.nx = 10, .ny = 10, .nz = 10, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    nep_grid b = a;
    assert_true(nep_grid_same(&a, &b));
    b.affine[0][0] += 1e-5; /* 0.09 um per voxel over nine voxels */
    assert_true(nep_grid_same(&a, &b));
    b.affine[0][0] = 2.01;
    assert_false(nep_grid_same(&a, &b));
    b = a;
    b.affine[1][3] = (double)NAN;
    assert_false(nep_grid_same(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_region_is_drawn_on_its_side), cmocka_unit_test(test_bad_geometry_is_named),
        cmocka_unit_test(test_maps_join_by_name),                 cmocka_unit_test(test_nearest_name),
        cmocka_unit_test(test_grids),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
