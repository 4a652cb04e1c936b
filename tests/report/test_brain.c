/* SPDX-License-Identifier: Apache-2.0 */
/* test_brain - a study's own atlas on the page: turned upright, made coarser by the label that fills most, and named. */
#include "report/fixture.h"
#include "report/doc.h"

#include <unistd.h>

enum { MOST = 4096 };

typedef struct {
    nep_atlas a;
    int32_t label[MOST];
} made;

static nep_ctx *ctx;

/* An atlas of n_regions whose voxel (i, j, k) is labels[...]; the affine's columns are given as rows of 4. */
static void make(made *m, int64_t nx, int64_t ny, int64_t nz, const double affine[3][4], int64_t n_regions, const int32_t *labels)
{
    memset(m, 0, sizeof *m);
    m->a = (nep_atlas){.grid = {.nx = nx, .ny = ny, .nz = nz}, .n_regions = n_regions, .label = m->label};
    memcpy(m->a.grid.affine, affine, sizeof m->a.grid.affine);
    for (int c = 0; c < 3; c++)
        m->a.grid.voxel_mm[c] = sqrt(affine[0][c] * affine[0][c] + affine[1][c] * affine[1][c] + affine[2][c] * affine[2][c]);
    if (labels)
        memcpy(m->label, labels, (size_t)(nx * ny * nz) * sizeof *labels);
}

static int32_t at_mm(const nep_atlas *a, double x, double y, double z)
{
    const double mm[3] = {x, y, z};
    int64_t v[3];
    for (int c = 0; c < 3; c++) {
        const double place = (mm[c] - a->grid.affine[c][3]) / a->grid.voxel_mm[c];
        assert_near(place, round(place), 1e-9); /* a centre */
        v[c] = (int64_t)round(place);
    }
    assert_true(v[0] >= 0 && v[0] < a->grid.nx && v[1] >= 0 && v[1] < a->grid.ny && v[2] >= 0 && v[2] < a->grid.nz);
    return a->label[v[0] + a->grid.nx * (v[1] + a->grid.ny * v[2])];
}

/* Stored right to left: x = 3, 1, -1, -3 mm. The box reaches from -4 to 4, with a voxel of background on either side. */
static void test_flipped(void **state)
{
    static const double affine[3][4] = {{-2, 0, 0, 3}, {0, 2, 0, 10}, {0, 0, 2, -6}};
    static const int32_t labels[] = {1, 0, 2, 2};
    made m;
    nep_atlas up = {0};
    (void)state;
    make(&m, 4, 1, 1, affine, 2, labels);
    assert_ok(ctx, nep_brain_upright(ctx, &m.a, 2, &up));
    assert_true(up.grid.nx == 6 && up.grid.ny == 3 && up.grid.nz == 3);
    static const int32_t want[] = {0, 2, 2, 0, 1, 0};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(at_mm(&up, -5 + 2 * i, 10, -6), want[i]);
        assert_int_equal(at_mm(&up, -5 + 2 * i, 8, -6), 0);
    }
    nep_atlas_free(&up);
}

/* i runs along z, j along x, k against y; nothing is lost and nothing is called resampled. */
static void test_turned(void **state)
{
    static const double affine[3][4] = {{0, 2, 0, 1}, {0, 0, -2, 5}, {2, 0, 0, 7}};
    made m;
    nep_atlas up = {0};
    json_t *brain = NULL;
    (void)state;
    make(&m, 2, 3, 2, affine, 12, NULL);
    for (int v = 0; v < 12; v++)
        m.label[v] = v + 1;
    assert_ok(ctx, nep_brain_upright(ctx, &m.a, 2, &up));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++)
                assert_int_equal(at_mm(&up, 1 + 2 * j, 5 - 2 * k, 7 + 2 * i), i + 2 * j + 6 * k + 1);
    nep_atlas_free(&up);
    assert_ok(ctx, nep_brain_pack_atlas(ctx, &m.a, "own", 1 << 20, &brain));
    assert_true(json_is_false(json_object_get(brain, "resampled")));
    assert_string_equal(nep_doc_get_text(brain, "atlas"), "own");
    json_decref(brain);
}

/* Three cubes of 2 x 2 x 2 in a row become three voxels: a tie of two regions goes to the lower one, a tie with the background
 * to the region, and a region of one voxel that would vanish keeps the voxel it lies in. */
static void test_mode(void **state)
{
    static const double affine[3][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}};
    static const int32_t cube[3][8] = {{2, 2, 1, 1, 0, 1, 2, 0}, {0, 2, 0, 2, 0, 2, 2, 0}, {0, 0, 0, 0, 0, 3, 0, 2}};
    made m;
    nep_atlas up = {0};
    (void)state;
    make(&m, 6, 2, 2, affine, 3, NULL);
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 8; v++)
            m.label[2 * c + v % 2 + 6 * (v / 2 % 2) + 12 * (v / 4)] = cube[c][v];
    assert_ok(ctx, nep_brain_upright(ctx, &m.a, 2, &up));
    assert_int_equal(up.grid.nx, 5);
    assert_int_equal(at_mm(&up, 0.5, 0.5, 0.5), 1);
    assert_int_equal(at_mm(&up, 2.5, 0.5, 0.5), 2);
    assert_int_equal(at_mm(&up, 4.5, 0.5, 0.5), 3);
    nep_atlas_free(&up);
}

/* Slanted about z: every centre of the new grid has the label of the old voxel it lies in. */
static void test_slanted(void **state)
{
    const double c = cos(0.5), s = sin(0.5);
    const double affine[3][4] = {{3 * c, -3 * s, 0, -7}, {3 * s, 3 * c, 0, 4}, {0, 0, 3, 0}};
    made m;
    nep_atlas up = {0};
    int64_t inside = 0;
    (void)state;
    make(&m, 6, 5, 2, affine, 60, NULL);
    for (int v = 0; v < 60; v++)
        m.label[v] = v + 1;
    assert_ok(ctx, nep_brain_upright(ctx, &m.a, 3, &up));
    for (int64_t k = 0; k < up.grid.nz; k++)
        for (int64_t j = 0; j < up.grid.ny; j++)
            for (int64_t i = 0; i < up.grid.nx; i++) {
                const double x = up.grid.affine[0][3] + 3 * (double)i + 7, y = up.grid.affine[1][3] + 3 * (double)j - 4;
                const double u = floor((c * x + s * y) / 3 + 0.5), v = floor((c * y - s * x) / 3 + 0.5);
                const double w = floor((up.grid.affine[2][3] + 3 * (double)k) / 3 + 0.5);
                const bool in = u >= 0 && u < 6 && v >= 0 && v < 5 && w >= 0 && w < 2;
                const int32_t got = up.label[i + up.grid.nx * (j + up.grid.ny * k)], want = in ? (int32_t)(u + 6 * v + 30 * w) + 1 : 0;
                inside += in && got == want;
                if (got != want) { /* only a region that would have vanished takes another's place */
                    int64_t places = 0;
                    for (int64_t q = 0; q < up.grid.nx * up.grid.ny * up.grid.nz; q++)
                        places += up.label[q] == got;
                    assert_int_equal(places, 1);
                }
            }
    assert_true(inside >= 40);
    nep_atlas_free(&up);
}

/* Coarser by halves of a millimetre until the text fits; 10 mm at most. */
static void test_size_is_bounded(void **state)
{
    static const double affine[3][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}};
    static const struct {
        int64_t most;
        double low, high;
        bool fits;
    } tries[] = {{100000, 1, 1, true}, {8000, 1.5, 3, true}, {10, 10, 10, false}};
    made m;
    (void)state;
    make(&m, 16, 16, 16, affine, 7, NULL);
    for (int v = 0; v < MOST; v++)
        m.label[v] = 1 + v % 7;
    for (int i = 0; i < NEP_LEN(tries); i++) {
        json_t *brain = NULL;
        assert_ok(ctx, nep_brain_pack_atlas(ctx, &m.a, "own", tries[i].most, &brain));
        const double step = json_number_value(json_array_get(json_object_get(brain, "step"), 0));
        assert_true(step >= tries[i].low && step <= tries[i].high);
        assert_int_equal((int64_t)json_string_length(json_object_get(brain, "rle")) <= tries[i].most, tries[i].fits);
        assert_int_equal(json_is_true(json_object_get(brain, "resampled")), step != 1);
        json_decref(brain);
    }
}

/* A box of 1.5 m takes wider voxels from the start; one that cannot be drawn, and no affine, leave the page without pictures. */
static void test_odd_grids(void **state)
{
    static const double wide[3][4] = {{1, 0, 0, 0}, {0, 750, 0, 0}, {0, 0, 750, 0}}, huge[3][4] = {{1, 0, 0, 0}, {0, 1e7, 0, 0}, {0, 0, 1, 0}};
    static const double flat[3][4] = {{1, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 1, 0}};
    static const int32_t ones[] = {1, 1, 1, 1, 1, 1, 1, 1};
    made m;
    json_t *brain = NULL;
    const int before = nep_warn_count(ctx);
    (void)state;
    make(&m, 2, 2, 2, wide, 1, ones);
    assert_ok(ctx, nep_brain_pack_atlas(ctx, &m.a, "own", 1 << 30, &brain));
    assert_near(json_number_value(json_array_get(json_object_get(brain, "step"), 0)), 1.5, 0);
    json_decref(brain);
    const double (*const bad[])[4] = {huge, flat};
    for (int i = 0; i < NEP_LEN(bad); i++) {
        make(&m, 2, 2, 2, bad[i], 1, ones);
        assert_ok(ctx, nep_brain_pack_atlas(ctx, &m.a, "own", 1 << 20, &brain));
        assert_null(brain);
        assert_int_equal(nep_warn_count(ctx), before + 1 + i);
        assert_string_equal(nep_ctx_error(ctx), "");
    }
}

static void test_allocations_fail_clean(void **state)
{
    static const double affine[3][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}};
    made m;
    nep_status st = NEP_E_NOMEM;
    const int64_t before = nep_alloc_used(ctx);
    (void)state;
    make(&m, 16, 16, 16, affine, 7, NULL);
    for (int v = 0; v < MOST; v++)
        m.label[v] = 1 + v % 7;
    int64_t k = 0;
    for (; st != NEP_OK && k < 1000; k++) {
        json_t *brain = NULL;
        nep_alloc_fail_at(ctx, k);
        st = nep_brain_pack_atlas(ctx, &m.a, "own", 8000, &brain);
        nep_alloc_fail_at(ctx, -1);
        nep_ctx_clear(ctx);
        assert_true(st == NEP_OK ? brain != NULL : st == NEP_E_NOMEM && brain == NULL);
        json_decref(brain);
        assert_int_equal(nep_alloc_used(ctx), before);
    }
    assert_true(k > 10 && st == NEP_OK);
}

/* The page says which atlas it shows, and so do the settings of the other formats. */
static void test_page_names_its_atlas(void **state)
{
    static const double affine[3][4] = {{-8, 0, 0, 64}, {0, 8, 0, -96}, {0, 0, 8, -64}};
    fixture *f = fix_open();
    char folder[] = "/tmp/nep_brain_XXXXXX", path[64], command[96], *text = NULL;
    int64_t n;
    made m;
    (void)state;
    assert_non_null(mkdtemp(folder));
    make(&m, 16, 16, 16, affine, f->geometry.n_regions, NULL);
    for (int v = 0; v < MOST; v++)
        m.label[v] = (int32_t)(v % (f->geometry.n_regions + 2)); /* the last is no region of the geometry */
    f->in.atlas = &m.a;
    f->in.atlas_name = "own_dseg.nii.gz";
    assert_ok(f->ctx, nep_report_write_all(f->ctx, &f->ranking, NULL, NULL, folder));
    static const char *const files[] = {"report.html", "candidates.json"};
    for (int i = 0; i < NEP_LEN(files); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_ok(f->ctx, nep_file_read(f->ctx, path, 1 << 26, &text, &n));
        assert_non_null(strstr(text, "own_dseg.nii.gz"));
        assert_int_equal(strstr(text, "\"stored_mm\":[8.0,8.0,8.0],\"resampled\":false") != NULL, i == 0);
        nep_alloc_free(text);
    }
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
    fix_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flipped),     cmocka_unit_test(test_turned),
        cmocka_unit_test(test_mode),        cmocka_unit_test(test_slanted),
        cmocka_unit_test(test_size_is_bounded), cmocka_unit_test(test_odd_grids),
        cmocka_unit_test(test_allocations_fail_clean), cmocka_unit_test(test_page_names_its_atlas),
    };
    ctx = test_ctx(2);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nep_ctx_free(ctx);
    return failed;
}
