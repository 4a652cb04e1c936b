/* SPDX-License-Identifier: Apache-2.0 */
/* test_parcels - regional statistics against nilearn, exact integer sums, missing voxels, coverage, resampling. */
#include "imaging/golden.h"

static nep_ctx *ctx;

static nep_atlas rule_atlas(const nep_grid *g, const nep_volume *mask)
{
    nep_atlas a = {.grid = *g, .n_regions = 7};
    assert_ok(ctx, nep_alloc(ctx, nep_grid_voxels(g), sizeof *a.label, "atlas", &a.label));
    assert_ok(ctx, nep_alloc(ctx, 7, sizeof *a.id, "atlas", &a.id));
    assert_ok(ctx, nep_alloc(ctx, 7, sizeof *a.names, "atlas", &a.names));
    for (int r = 0; r < 7; r++) {
        const char name[2] = {(char)('1' + r), 0};
        assert_ok(ctx, nep_alloc_string(ctx, name, &a.names[r]));
        a.id[r] = r + 1;
    }
    for (int64_t v = 0; v < nep_grid_voxels(g); v++) {
        const int64_t i = v % g->nx, j = v / g->nx % g->ny;
        a.label[v] = !mask || mask->data[v] > 0 ? (int32_t)(1 + (i / 2 + 3 * (j / 2)) % 7) : 0;
    }
    return a;
}

static void check_rows(nep_parcels *p, const char *image, const char *golden, bool holes, bool raw)
{
    nep_nifti *n = NULL;
    nep_series want = golden_series(ctx, golden);
    assert_ok(ctx, nep_nifti_open(ctx, golden_shared(image), &n));
    const nep_nifti_header *h = nep_nifti_info(n);
    const int64_t n_vox = nep_grid_voxels(&h->grid);
    float *x = malloc((size_t)n_vox * sizeof *x);
    for (int64_t t = 0; t < h->n_t; t++) {
        double row[7];
        if (raw) {
            assert_int_equal(h->datatype, 4);
            assert_ok(ctx, nep_nifti_next_raw(n, x));
            nep_parcels_add_raw(p, x, NEP_I16, h->slope, h->inter, row);
        } else {
            assert_ok(ctx, nep_nifti_next(n, x));
            for (int64_t v = 0; holes && v < n_vox; v++)
                if ((v % h->grid.nx + v / h->grid.nx % h->grid.ny + v / (h->grid.nx * h->grid.ny) + t) % 11 == 0)
                    x[v] = NAN;
            assert_ok(ctx, nep_parcels_add(p, x, 1, row));
        }
        for (int r = 0; r < 7; r++)
            if (!(fabs(row[r] - (double)want.data[t * 7 + r]) <= 2e-7 * fabs(row[r])))
                fail_msg("%s: frame %lld region %d: got %.9g want %.9g", golden, (long long)t, r + 1, row[r], (double)want.data[t * 7 + r]);
    }
    free(x);
    nep_nifti_free(n);
    nep_series_free(&want);
}

static void check_file(const char *image, const char *mask_file, nep_parcels_opts o, const char *golden, bool holes, bool raw)
{
    nep_volume mask = {0};
    nep_parcels *p = NULL;
    assert_ok(ctx, nep_nifti_read_volume(ctx, golden_shared(mask_file), &mask));
    nep_atlas a = rule_atlas(&mask.grid, &mask);
    assert_ok(ctx, nep_parcels_open(ctx, &a, &o, &p));
    check_rows(p, image, golden, holes, raw);
    nep_parcels_free(p);
    nep_atlas_free(&a);
    nep_volume_free(&mask);
}

static void test_golden(void **state)
{
    (void)state;
    static const char *const names[] = {"mean", "median", "sum", "min", "max", "sd", "variance"};
    const char *haxby = "haxby2001/run001/bold_25mm.nii.gz", *brain = "haxby2001/masks_25mm/brain.nii.gz";
    const char *ds003 = "ds003/sub-01_mc.nii.gz", *ds003_mask = "ds003/sub-01_mc_brainmask.nii.gz";
    if (!test_shared())
        test_skip();
    for (int k = 0; k < NEP_LEN(names); k++) {
        char file[64];
        const nep_parcels_opts o = {.statistic = (nep_parcels_statistic)k};
        snprintf(file, sizeof file, "parcels_haxby_%s.tsv", names[k]);
        check_file(haxby, brain, o, file, false, false);
        if (k == NEP_PARCELS_MEAN || k == NEP_PARCELS_SUM)
            check_file(haxby, brain, o, file, false, true);
        if (k == NEP_PARCELS_MEAN || k == NEP_PARCELS_MEDIAN || k == NEP_PARCELS_SD) {
            snprintf(file, sizeof file, "parcels_ds003_%s.tsv", names[k]);
            check_file(ds003, ds003_mask, o, file, false, false);
        }
    }
    check_file(ds003, ds003_mask, (nep_parcels_opts){0}, "parcels_ds003_nan_ignored.tsv", true, false);
    check_file(ds003, ds003_mask, (nep_parcels_opts){.nan_as_zero = true}, "parcels_ds003_nan_nilearn.tsv", true, false);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_coverage_golden(void **state)
{
    (void)state;
    if (!test_shared())
        test_skip();
    json_t *doc = golden_json("parcels.json");
    const json_t *want = json_object_get(json_object_get(doc, "ds003"), "coverage_of_whole_grid_labels");
    nep_volume mask = {0};
    nep_parcels *p = NULL;
    int64_t voxels[7];
    double used[7];
    assert_ok(ctx, nep_nifti_read_volume(ctx, golden_shared("ds003/sub-01_mc_brainmask.nii.gz"), &mask));
    nep_atlas a = rule_atlas(&mask.grid, NULL);
    assert_ok(ctx, nep_parcels_open(ctx, &a, &(nep_parcels_opts){.mask = &mask}, &p));
    assert_ok(ctx, nep_parcels_add(p, mask.data, 1, (double[7]){0}));
    nep_parcels_coverage(p, voxels, used);
    for (int r = 0; r < 7; r++)
        assert_near(used[r] / (double)voxels[r], json_real_value(json_object_get(want, a.names[r])), 1e-12);
    nep_parcels_free(p);
    nep_atlas_free(&a);
    nep_volume_free(&mask);
    json_decref(doc);
}

/* 8 voxels, labels 1 1 0 3 3 3 0 1; region 2 has no voxel and keeps its place. */
static nep_atlas small_atlas(void)
{
    static const int32_t labels[8] = {1, 1, 0, 3, 3, 3, 0, 1};
    nep_atlas a = {.grid = {.nx = 8, .ny = 1, .nz = 1, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}}, .n_regions = 3};
    assert_ok(ctx, nep_alloc_copy(ctx, labels, 8, sizeof *labels, "atlas", &a.label));
    assert_ok(ctx, nep_alloc(ctx, 3, sizeof *a.id, "atlas", &a.id));
    assert_ok(ctx, nep_alloc(ctx, 3, sizeof *a.names, "atlas", &a.names));
    for (int r = 0; r < 3; r++)
        assert_ok(ctx, nep_alloc_string(ctx, "r", &a.names[r]));
    return a;
}

static void test_by_hand(void **state)
{
    (void)state;
    static const double want[7][3] = {{2, NAN, 5}, {1, NAN, 5}, {6, NAN, 10}, {1, NAN, 4}, {4, NAN, 6}, {0, NAN, 1}, {2, NAN, 1}};
    const float x[8] = {1, 1, 99, 4, NAN, 6, 99, 4};
    nep_atlas a = small_atlas();
    for (int k = 0; k < 7; k++) {
        nep_parcels *p = NULL;
        double out[3], used[3];
        assert_ok(ctx, nep_parcels_open(ctx, &a, &(nep_parcels_opts){.statistic = (nep_parcels_statistic)k}, &p));
        assert_ok(ctx, nep_parcels_add(p, x, 1, out));
        for (int r = 0; r < 3; r++)
            assert_near(out[r], k == NEP_PARCELS_SD && r == 0 ? sqrt(2) : want[k][r], 1e-12);
        nep_parcels_coverage(p, NULL, used);
        assert_true(used[0] == 3 && used[1] == 0 && used[2] == 2);
        nep_parcels_free(p);
    }
    nep_atlas_free(&a);
    nep_atlas none = {.grid = {.nx = 1, .ny = 1, .nz = 1}};
    nep_parcels *p = NULL;
    assert_fails(nep_parcels_open(ctx, &none, NULL, &p), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* Sums that float32 or int32 would lose, scaled afterwards. */
static void test_raw_is_exact(void **state)
{
    (void)state;
    enum { N = 200000 };
    nep_atlas a = {.grid = {.nx = N, .ny = 1, .nz = 1}, .n_regions = 1};
    nep_parcels *p = NULL;
    int16_t *x = malloc(N * sizeof *x);
    int32_t *y = malloc(N * sizeof *y);
    double out;
    assert_ok(ctx, nep_alloc(ctx, N, sizeof *a.label, "atlas", &a.label));
    for (int i = 0; i < N; i++) {
        a.label[i] = 1;
        x[i] = (int16_t)(i == 7 ? 32766 : 32767);
        y[i] = INT32_MAX;
    }
    assert_ok(ctx, nep_parcels_open(ctx, &a, &(nep_parcels_opts){.statistic = NEP_PARCELS_SUM}, &p));
    assert_true(nep_parcels_takes_raw(p, NEP_I16) && !nep_parcels_takes_raw(p, NEP_F32));
    nep_parcels_add_raw(p, x, NEP_I16, 2, -1, &out);
    assert_true(out == 2 * (32767.0 * N - 1) - N);
    nep_parcels_add_raw(p, y, NEP_I32, 1, 0, &out);
    assert_true(out == (double)INT32_MAX * N);
    nep_parcels_free(p);
    nep_alloc_free(a.label);
    free(x);
    free(y);
}

/* A grid of 1 mm over an atlas of 2 mm: each atlas voxel is met by the centres nearest to it; beyond the last is nothing. */
static void test_resample(void **state)
{
    (void)state;
    nep_atlas a = small_atlas(), b = {0};
    const nep_grid fine = {.nx = 18, .ny = 1, .nz = 1, .affine = {{1, 0, 0, -1}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    static const int32_t want[18] = {0, 1, 1, 1, 0, 0, 3, 3, 3, 3, 3, 3, 0, 0, 1, 1, 0, 0};
    assert_ok(ctx, nep_parcels_resample(ctx, &a, &fine, &b));
    for (int i = 0; i < 18; i++)
        if (b.label[i] != want[i])
            fail_msg("voxel %d: got %d want %d", i, b.label[i], want[i]);
    assert_int_equal(b.n_regions, 3);
    nep_atlas_free(&a);
    nep_atlas_free(&b);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* What any volume owes: each statistic against the plain sum or sort of its values, whatever shape, labels, mask and gaps; voxels
 * may change places; a factor and a constant pass through as they should. */
enum { MOST = 9 * 9 * 9, R = 6 };

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double plainly(nep_parcels_statistic kind, double *x, int n)
{
    double sum = 0, ss = 0;
    qsort(x, (size_t)n, sizeof *x, by_value);
    for (int i = 0; i < n; i++)
        sum += x[i];
    for (int i = 0; i < n; i++)
        ss += (x[i] - sum / n) * (x[i] - sum / n);
    const double all[] = {sum / n, (x[(n - 1) / 2] + x[n / 2]) / 2, sum, x[0], x[n > 0 ? n - 1 : 0], sqrt(ss / n), ss / n};
    return n > 0 ? all[kind] : (double)NAN;
}

static void measure(const nep_grid *g, const int32_t *label, const nep_volume *mask, nep_parcels_statistic kind, const float *x, double *out,
                    double *used)
{
    static char name[] = "r";
    static char *names[R] = {name, name, name, name, name, name};
    static int32_t id[R];
    int32_t own[MOST];
    nep_parcels *p = NULL;
    memcpy(own, label, (size_t)nep_grid_voxels(g) * sizeof *own);
    const nep_atlas a = {.grid = *g, .n_regions = R, .label = own, .id = id, .names = names};
    assert_ok(ctx, nep_parcels_open(ctx, &a, &(nep_parcels_opts){.statistic = kind, .mask = mask}, &p));
    assert_ok(ctx, nep_parcels_add(p, x, 1, out));
    nep_parcels_coverage(p, NULL, used);
    nep_parcels_free(p);
}

static void test_any_volume(void **state)
{
    (void)state;
    static float x[MOST], y[MOST], inside[MOST], inside_moved[MOST];
    static int32_t label[MOST], moved[MOST], place[MOST];
    static double values[MOST];
    for (uint64_t round = 0; round < 40; round++) {
        const nep_parcels_statistic kind = (nep_parcels_statistic)(round % 7);
        nep_grid g = {.affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
        int64_t *const size[3] = {&g.nx, &g.ny, &g.nz};
        double out[R], again[R], used[R];
        for (int i = 0; i < 3; i++)
            *size[i] = 1 + (int64_t)(8.99 * nep_philox_uniform(6, round, (uint64_t)i));
        const int64_t n = nep_grid_voxels(&g);
        nep_volume mask = {.grid = g, .data = inside}, mask_moved = {.grid = g, .data = inside_moved};
        nep_philox_permutation(6, 900 + round, n, place);
        for (int64_t v = 0; v < n; v++) {
            const double u = nep_philox_uniform(6, 100 + round, (uint64_t)v);
            label[v] = (int32_t)((R + 1) * nep_philox_uniform(6, 200 + round, (uint64_t)v));
            label[v] = label[v] == 4 ? 0 : label[v]; /* region 4 has no voxel */
            inside[v] = nep_philox_uniform(6, 300 + round, (uint64_t)v) < 0.8 ? 1 : 0;
            x[v] = u < 0.1 ? NAN : u < 0.12 ? -INFINITY : (float)(50 + nep_philox_normal(6, 400 + round, (uint64_t)v));
        }
        for (int64_t v = 0; v < n; v++) {
            moved[place[v]] = label[v];
            inside_moved[place[v]] = inside[v];
            y[place[v]] = 4 * x[v] + 64;
        }
        measure(&g, label, round % 3 ? &mask : NULL, kind, x, out, used);
        measure(&g, moved, round % 3 ? &mask_moved : NULL, kind, y, again, NULL);
        for (int r = 0; r < R; r++) {
            int k = 0;
            for (int64_t v = 0; v < n; v++)
                if (label[v] == r + 1 && isfinite(x[v]) && (round % 3 == 0 || inside[v] > 0))
                    values[k++] = (double)x[v];
            assert_near(out[r], plainly(kind, values, k), 1e-11);
            assert_true(used[r] == k);
            const double spread = kind == NEP_PARCELS_SD ? 4 * out[r] : kind == NEP_PARCELS_VARIANCE ? 16 * out[r] : 4 * out[r] + 64;
            assert_near(again[r], kind == NEP_PARCELS_SUM ? 4 * out[r] + 64 * k : spread, k ? 1e-5 : 0);
        }
        assert_true(isnan(out[3]));
    }
    assert_int_equal(nep_alloc_used(ctx), 0);
}

int main(void)
{
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_coverage_golden), cmocka_unit_test(test_by_hand),
                                       cmocka_unit_test(test_raw_is_exact), cmocka_unit_test(test_resample), cmocka_unit_test(test_any_volume)};
    const int failed = test_end(cmocka_run_group_tests(tests, NULL, NULL));
    nep_ctx_free(ctx);
    return failed;
}
