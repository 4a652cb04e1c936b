/* SPDX-License-Identifier: Apache-2.0 */
/* test_nifti_real - real files against what nibabel says about them (tests/golden/nifti.json). */
#include "io/files.h"

#include <jansson.h>

static nep_ctx *ctx;
static json_t *golden;

static double number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static void check_header(const json_t *f, const nep_nifti_header *h)
{
    static const struct {
        const char *name;
        int code;
    } types[] = {{"uint8", 2}, {"int16", 4}, {"int32", 8}, {"float32", 16}, {"float64", 64}};
    const json_t *shape = json_object_get(f, "shape"), *affine = json_object_get(f, "affine");
    int64_t dim[4] = {1, 1, 1, 1};
    for (size_t i = 0; i < json_array_size(shape); i++)
        dim[i] = json_integer_value(json_array_get(shape, i));
    assert_true(h->grid.nx == dim[0] && h->grid.ny == dim[1] && h->grid.nz == dim[2] && h->n_t == dim[3]);
    for (int i = 0; i < NEP_LEN(types); i++)
        if (strcmp(types[i].name, json_string_value(json_object_get(f, "dtype"))) == 0)
            assert_int_equal(h->datatype, types[i].code);
    assert_int_equal(h->big_endian, json_is_true(json_object_get(f, "big_endian")));
    assert_near(h->slope, number(f, "slope"), 1e-12);
    assert_near(h->inter, number(f, "inter"), 1e-12);
    assert_near(h->tr_s, number(f, "tr_sensible_s"), 1e-6);
    assert_int_equal(h->form, number(f, "sform_code") > 0 ? 2 : number(f, "qform_code") > 0 ? 1 : 0);
    for (int r = 0; r < 3; r++) {
        assert_near(h->grid.voxel_mm[r],
                    json_number_value(json_array_get(json_object_get(f, "voxel_mm"), (size_t)r)), 1e-4);
        for (int c = 0; c < 4; c++)
            if (json_is_array(affine))
                assert_near(h->grid.affine[r][c],
                            json_number_value(json_array_get(json_array_get(affine, (size_t)r), (size_t)c)),
                            1e-5);
            else /* no form: the voxel sizes alone */
                assert_near(h->grid.affine[r][c], r == c ? h->grid.voxel_mm[r] : 0, 1e-12);
    }
}

static void check_values(const json_t *f, nep_nifti *n)
{
    const nep_nifti_header *h = nep_nifti_info(n);
    const int64_t voxels = nep_grid_voxels(&h->grid);
    const json_t *points = json_object_get(f, "voxels");
    float *v = malloc((size_t)voxels * sizeof *v);
    double sum = 0, size = 0;
    size_t seen = 0;
    for (int64_t t = 0; t < h->n_t; t++) {
        assert_ok(ctx, nep_nifti_next(n, v));
        for (int64_t i = 0; i < voxels; i++)
            if (!isnan(v[i])) {
                sum += (double)v[i];
                size += fabs((double)v[i]);
            }
        for (size_t k = 0; k < json_array_size(points); k++) {
            int64_t at[4];
            for (size_t d = 0; d < 4; d++)
                at[d] = json_integer_value(json_array_get(json_array_get(points, k), d));
            if (at[3] != t)
                continue;
            assert_near((double)v[at[0] + h->grid.nx * (at[1] + h->grid.ny * at[2])],
                        json_number_value(json_array_get(json_array_get(points, k), 4)), 2e-7);
            seen++;
        }
    }
    assert_int_equal(seen, json_array_size(points));
    assert_true(fabs(sum - number(f, "sum")) <= 1e-7 * size);
    free(v);
}

static void test_all(void **state)
{
    (void)state;
    const json_t *files = json_object_get(golden, "files");
    assert_true(json_array_size(files) >= 20);
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *f = json_array_get(files, i);
        char path[4300];
        snprintf(path, sizeof path, "%s/data/imaging/%s", test_shared(),
                 json_string_value(json_object_get(f, "file")));
        nep_nifti *n = NULL;
        nep_ctx_clear(ctx);
        assert_ok(ctx, nep_nifti_open(ctx, path, &n));
        check_header(f, nep_nifti_info(n));
        check_values(f, n);
        nep_nifti_free(n);
        assert_int_equal(nep_alloc_used(ctx), 0);
    }
}

/* One brain in eight axis orders: each voxel size and each value's place in mm is the same brain. */
static void test_orientations(void **state)
{
    (void)state;
    static const char *const orders[] = {"RAS", "LAS", "AIL", "ASL", "IPR", "PIR"};
    double centre[NEP_LEN(orders)][3];
    for (int o = 0; o < NEP_LEN(orders); o++) {
        char path[4300];
        nep_volume v = {0};
        double sum = 0;
        snprintf(path, sizeof path, "%s/data/imaging/orientation/%s.nii.gz", test_shared(), orders[o]);
        assert_ok(ctx, nep_nifti_read_volume(ctx, path, &v));
        memset(centre[o], 0, sizeof centre[o]);
        for (int64_t k = 0; k < v.grid.nz; k++)
            for (int64_t j = 0; j < v.grid.ny; j++)
                for (int64_t i = 0; i < v.grid.nx; i++) {
                    const double w = (double)v.data[i + v.grid.nx * (j + v.grid.ny * k)];
                    sum += w;
                    for (int r = 0; r < 3; r++)
                        centre[o][r] +=
                            w * (v.grid.affine[r][0] * (double)i + v.grid.affine[r][1] * (double)j +
                                 v.grid.affine[r][2] * (double)k + v.grid.affine[r][3]);
                }
        for (int r = 0; r < 3; r++)
            centre[o][r] /= sum;
        nep_volume_free(&v);
        for (int r = 0; r < 3; r++)
            assert_near(centre[o][r], centre[0][r], 0.02);
    }
}

static void test_atlas(void **state)
{
    (void)state;
    char image[4300], table[4300];
    nep_atlas a = {0};
    snprintf(image, sizeof image, "%s/data/imaging/atlas_dk/atlas-desikankilliany.nii.gz", test_shared());
    snprintf(table, sizeof table, "%s/data/imaging/atlas_dk/atlas-desikankilliany.csv", test_shared());
    assert_ok(ctx, nep_nifti_read_atlas(ctx, image, table, &a));
    assert_int_equal(a.n_regions, 83);
    assert_string_equal(a.names[0], "L_bankssts");
    assert_true(a.id[0] == 1);
    int left = 0, right = 0;
    for (int64_t r = 0; r < a.n_regions; r++) {
        left += strncmp(a.names[r], "L_", 2) == 0;
        right += strncmp(a.names[r], "R_", 2) == 0;
    }
    assert_true(left == 41 && right == 41);
    assert_string_equal(a.names[82], "B_brainstem");
    nep_atlas_free(&a);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

int main(void)
{
    if (!test_shared()) {
        puts("no shared data: real files are not checked");
        return NEP_TEST_SKIPPED;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all), cmocka_unit_test(test_orientations),
                                       cmocka_unit_test(test_atlas)};
    ctx = test_ctx(1);
    golden = json_load_file(TEST_GOLDEN("nifti.json"), 0, NULL);
    const int failed = golden ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    json_decref(golden);
    nep_ctx_free(ctx);
    return failed;
}
