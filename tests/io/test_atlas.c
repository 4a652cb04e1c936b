/* SPDX-License-Identifier: Apache-2.0 */
/* test_atlas - label images with and without a table, and what is no atlas. */
#include "io/images.h"

static nep_ctx *ctx;

static const char *label_image(const char *name, int datatype, int bitpix, double a, double b, double c)
{
    image m = image_default(1, 1);
    m.datatype = datatype;
    m.bitpix = bitpix;
    double v[24] = {0, a, a, b, 0, c};
    return image_file(name, &m, v);
}

static void test_without_table(void **state)
{
    (void)state;
    static const int types[][2] = {{2, 8},   {4, 16},   {8, 32},   {16, 32},   {64, 64},
                                   {256, 8}, {512, 16}, {768, 32}, {1024, 64}, {1280, 64}};
    for (int t = 0; t < NEP_LEN(types); t++) {
        nep_atlas a = {0};
        assert_ok(ctx, nep_nifti_read_atlas(ctx, label_image("a.nii.gz", types[t][0], types[t][1], 30, 7, 30),
                                            NULL, &a));
        assert_int_equal(a.n_regions, 2);
        assert_true(a.id[0] == 7 && a.id[1] == 30);
        assert_string_equal(a.names[1], "region_30");
        assert_true(a.label[0] == 0 && a.label[1] == 2 && a.label[3] == 1 && a.label[5] == 2);
        nep_atlas_free(&a);
    }
    nep_atlas a = {0};
    assert_ok(ctx,
              nep_nifti_read_atlas(ctx, label_image("a.nii", 8, 32, 600000001, -5, 600000002), NULL, &a));
    assert_true(a.n_regions == 3 && a.id[0] == -5 && a.id[2] == 600000002);
    nep_atlas_free(&a);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_with_table(void **state)
{
    (void)state;
    nep_atlas a = {0};
    const char *file = label_image("a.nii.gz", 4, 16, 1, 2, 3);
    const int before = nep_warn_count(ctx);
    /* table order, an absent region stays, the background's row is none, value 3 is not named: background */
    assert_ok(
        ctx,
        nep_nifti_read_atlas(
            ctx, file,
            test_text(
                "l.tsv",
                "index\tname\themisphere\n0\tBackground\tn/a\n9\tgone\tR\n2\tinsula\tL\n1\tR_insula\tR\n"),
            &a));
    assert_int_equal(a.n_regions, 3);
    assert_string_equal(a.names[0], "R_gone");
    assert_string_equal(a.names[1], "L_insula");
    assert_string_equal(a.names[2], "R_insula");
    assert_true(a.label[1] == 3 && a.label[3] == 2 && a.label[5] == 0);
    assert_int_equal(nep_warn_count(ctx), before + 1);
    nep_atlas_free(&a);
    assert_ok(ctx, nep_nifti_read_atlas(ctx, file, test_text("l.csv", "id,label\n1,a\n2,b\n3,c\n"), &a));
    assert_string_equal(a.names[2], "c");
    nep_atlas_free(&a);
}

static void test_refused(void **state)
{
    (void)state;
    nep_atlas a = {0};
    const char *file = label_image("a.nii.gz", 4, 16, 1, 2, 3);
    static const struct {
        const char *table, *words;
    } bad[] = {
        {"index\tname\n1\ta\n2\ta\n", "two labels are named 'a'"},
        {"index\tname\themisphere\n1\ta\tL\n2\ta\tL\n", "rename one"},
        {"index\tname\n1\ta\n1\tb\n", "label 1 stands there twice"},
        {"index\tname\n1.5\ta\n", "must be a whole number"},
        {"index\tname\nn/a\ta\n", "must be a whole number"},
        {"index\tname\n1\tn/a\n", "label 1 has no name"},
        {"index\tname\themisphere\n1\ta\tX\n", "hemisphere is 'X'"},
        {"nr\tname\n1\ta\n", "no column 'index'"},
        {"index\ttitle\n1\ta\n", "no column 'name'"},
        {"index\tname\n8\ta\n9\tb\n", "none of its values stands in"},
        {"index\tname\n", "none of its values"},
    };
    for (int i = 0; i < NEP_LEN(bad); i++) {
        assert_refused(ctx, nep_nifti_read_atlas(ctx, file, test_text("l.tsv", bad[i].table), &a),
                       NEP_E_FORMAT, bad[i].words);
        assert_true(!a.label && nep_alloc_used(ctx) == 0);
    }
    assert_refused(ctx, nep_nifti_read_atlas(ctx, label_image("f.nii", 16, 32, 1.5, 2, 3), NULL, &a),
                   NEP_E_FORMAT, "voxel 1 is 1.5");
    assert_refused(ctx, nep_nifti_read_atlas(ctx, label_image("f.nii", 16, 32, (double)NAN, 2, 3), NULL, &a),
                   NEP_E_FORMAT, "voxel 1 is nan");
    assert_refused(ctx, nep_nifti_read_atlas(ctx, label_image("f.nii", 64, 64, 1e12, 2, 3), NULL, &a),
                   NEP_E_FORMAT, "voxel 1 is 1e+12");
    assert_refused(ctx, nep_nifti_read_atlas(ctx, label_image("z.nii", 4, 16, 0, 0, 0), NULL, &a),
                   NEP_E_FORMAT, "has no region; every voxel is 0");
    image four = image_default(1, 3);
    assert_refused(ctx, nep_nifti_read_atlas(ctx, image_file("4.nii", &four, NULL), NULL, &a), NEP_E_SHAPE,
                   "has 3 volumes");
    image many = image_default(1, 1);
    many.datatype = 8;
    many.bitpix = 32;
    many.dim[1] = 70000 / 8 + 1;
    many.dim[0] = 3;
    many.version = 2;
    double *v = calloc(80000, sizeof *v);
    for (int i = 0; i < 80000; i++)
        v[i] = i;
    assert_refused(ctx, nep_nifti_read_atlas(ctx, image_file("m.nii", &many, v), NULL, &a), NEP_E_FORMAT,
                   "more than 65536 different values");
    free(v);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_allocation_failure(void **state)
{
    (void)state;
    const char *file = label_image("a.nii.gz", 4, 16, 1, 2, 3),
               *table = test_text("l.tsv", "index\tname\n1\ta\n2\tb\n3\tc\n");
    for (int what = 0; what < 2; what++) {
        nep_status st = NEP_E_NOMEM;
        int64_t k = 0;
        for (; st != NEP_OK && k < 200; k++) {
            nep_atlas a = {0};
            nep_ctx_clear(ctx);
            nep_alloc_fail_at(ctx, k);
            st = nep_nifti_read_atlas(ctx, file, what ? table : NULL, &a);
            nep_alloc_fail_at(ctx, -1);
            assert_true(st == NEP_OK || (st == NEP_E_NOMEM && !a.label && !a.names));
            nep_atlas_free(&a);
            assert_int_equal(nep_alloc_used(ctx), 0);
        }
        assert_true(k > 8 && k < 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_without_table),
                                       cmocka_unit_test(test_with_table), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_allocation_failure)};
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
