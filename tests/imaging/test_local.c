/* SPDX-License-Identifier: Apache-2.0 */
/* test_local - ReHo against the formula on SciPy's ranks, GCOR, VMHC and LCOR against all pairs; by hand; what must not change them. */
#include "imaging/golden.h"

#include <nepenthe/local.h>

static nep_ctx *ctx;

/* Kendall's W of all columns of x on a grid; out [n_cols]. */
static nep_status reho(const float *x, int64_t n_t, const int64_t dims[3], const int64_t *voxel, int64_t n, int size,
                       nep_voxelwise_definition d, double *out)
{
    int16_t *rank = malloc((size_t)(n * n_t) * sizeof *rank);
    int64_t *tie = malloc((size_t)n * sizeof *tie);
    int32_t *near = malloc((size_t)n * (size_t)size * sizeof *near);
    nep_status st = nep_local_neighbours(ctx, dims, voxel, n, size, d == NEP_VOXELWISE_CPAC, near);
    if (st == NEP_OK)
        st = nep_local_ranks(ctx, x, n_t, n, d, rank, tie);
    if (st == NEP_OK)
        st = nep_local_reho(ctx, rank, tie, n_t, n, near, size, d, out);
    free(near);
    free(tie);
    free(rank);
    return st;
}

/* Places of the rows of a golden table on a grid; sorted as they come. */
static int64_t *places(const nep_series *want, const int64_t dims[3])
{
    int64_t *voxel = malloc((size_t)want->n_t * sizeof *voxel);
    for (int64_t i = 0; i < want->n_t; i++) {
        const float *row = want->data + i * want->n_cols;
        voxel[i] = (int64_t)row[0] + dims[0] * ((int64_t)row[1] + dims[1] * (int64_t)row[2]);
    }
    return voxel;
}

static void same(const nep_series *want, int64_t column, const double *got)
{
    for (int64_t i = 0; i < want->n_t; i++) {
        const double w = (double)want->data[i * want->n_cols + column];
        if (!(isnan(got[i]) && isnan(w)) && !(fabs(got[i] - w) <= 1e-7))
            fail_msg("%s, row %lld: got %.9g want %.9g", want->names[column], (long long)i, got[i], w);
    }
}

static void test_golden(void **state)
{
    (void)state;
    static const int64_t dims[3] = {5, 5, 4};
    static const nep_voxelwise_definition d[4] = {NEP_VOXELWISE_CANONICAL, NEP_VOXELWISE_XCPD, NEP_VOXELWISE_CPAC, NEP_VOXELWISE_AFNI};
    nep_series x = golden_series(ctx, "local_series.tsv"), want = golden_series(ctx, "local_reho.tsv");
    int64_t *voxel = places(&want, dims);
    double *w = malloc((size_t)x.n_cols * sizeof *w);
    assert_int_equal(x.n_cols, want.n_t);
    for (int k = 0; k < 12; k++) {
        assert_ok(ctx, reho(x.data, x.n_t, dims, voxel, x.n_cols, (int[]){7, 19, 27}[k % 3], d[k / 3], w));
        same(&want, 3 + k, w);
    }
    free(w);
    free(voxel);
    nep_series_free(&x);
    nep_series_free(&want);
}

static nep_grid small_grid(void)
{
    return (nep_grid){.nx = 5, .ny = 5, .nz = 4, .affine = {{3, 0, 0, -6}, {0, 3, 0, -40}, {0, 0, 4, 10}}, .voxel_mm = {3, 3, 4}};
}

static void test_correlations(void **state)
{
    (void)state;
    static const int64_t dims[3] = {5, 5, 4};
    const nep_grid g = small_grid();
    nep_series x = golden_series(ctx, "local_series.tsv"), want = golden_series(ctx, "local_correlation.tsv");
    json_t *doc = golden_json("local.json");
    const int64_t n = x.n_cols;
    int64_t *voxel = places(&want, dims);
    int32_t *mirror = malloc((size_t)n * sizeof *mirror);
    bool *inside = malloc((size_t)n * sizeof *inside);
    double *out = malloc((size_t)n * sizeof *out), whole, again;
    assert_ok(ctx, nep_local_units(ctx, x.data, x.n_t, n, x.data, inside));
    assert_ok(ctx, nep_local_gcor(ctx, x.data, inside, x.n_t, n, out, &whole));
    same(&want, 3, out);
    assert_near(whole, json_number_value(json_object_get(doc, "gcor")), 1e-7);
    assert_ok(ctx, nep_local_gcor(ctx, x.data, inside, x.n_t, n, NULL, &again));
    assert_true(again == whole);
    assert_ok(ctx, nep_local_mirror(ctx, &g, voxel, n, mirror));
    assert_ok(ctx, nep_local_vmhc(ctx, x.data, inside, x.n_t, n, mirror, NEP_VOXELWISE_CANONICAL, out));
    same(&want, 4, out);
    assert_ok(ctx, nep_local_vmhc(ctx, x.data, inside, x.n_t, n, mirror, NEP_VOXELWISE_CPAC, out));
    same(&want, 5, out);
    for (int k = 0; k < 4; k++) {
        assert_ok(ctx, nep_local_lcor(ctx, &g, voxel, x.data, inside, x.n_t, n, k % 2 ? 25 : 6,
                                      k < 2 ? NEP_VOXELWISE_CANONICAL : NEP_VOXELWISE_CONN, out));
        same(&want, 6 + k, out);
    }
    free(out);
    free(inside);
    free(mirror);
    free(voxel);
    json_decref(doc);
    nep_series_free(&x);
    nep_series_free(&want);
}

/* Random volumes: scale, level and order of frames leave all correlations; a Gaussian that reaches everywhere makes LCOR
 * the global correlation. */
static void test_correlation_invariance(void **state)
{
    (void)state;
    enum { NX = 6, NY = 5, NZ = 3, V = NX * NY * NZ, N = 41 };
    const nep_grid g = {.nx = NX, .ny = NY, .nz = NZ, .affine = {{2, 0, 0, -5}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    float x[N * V], u[N * V];
    for (uint64_t round = 0; round < 8; round++) {
        int64_t voxel[V], n = 0;
        int32_t mirror[V];
        bool inside[V];
        double first[3][V], out[3][V], whole[2], wide[V];
        for (int64_t v = 0; v < V; v++)
            if (nep_philox_uniform(6, round, (uint64_t)v) < 0.7)
                voxel[n++] = v;
        for (int64_t i = 0; i < N * n; i++)
            x[i] = (float)(nep_philox_normal(7, round, (uint64_t)i) + nep_philox_normal(8, round, (uint64_t)(i / n)));
        x[3 * n + n / 3] = INFINITY;
        assert_ok(ctx, nep_local_mirror(ctx, &g, voxel, n, mirror));
        for (int change = 0; change < 2; change++) {
            double(*to)[V] = change ? out : first;
            for (int64_t t = 0; t < N; t++)
                for (int64_t c = 0; c < n; c++)
                    u[(change ? (t * 17 + 2) % N : t) * n + c] = change ? 1000 + (float)(c + 1) * x[t * n + c] : x[t * n + c];
            assert_ok(ctx, nep_local_units(ctx, u, N, n, u, inside));
            assert_ok(ctx, nep_local_gcor(ctx, u, inside, N, n, to[0], &whole[change]));
            assert_ok(ctx, nep_local_vmhc(ctx, u, inside, N, n, mirror, NEP_VOXELWISE_CANONICAL, to[1]));
            assert_ok(ctx, nep_local_lcor(ctx, &g, voxel, u, inside, N, n, 5, NEP_VOXELWISE_CANONICAL, to[2]));
            assert_ok(ctx, nep_local_lcor(ctx, &g, voxel, u, inside, N, n, 20000, NEP_VOXELWISE_CANONICAL, wide));
        }
        double mean = 0;
        int64_t known = 0;
        for (int64_t c = 0; c < n; c++) {
            for (int k = 0; k < 3; k++)
                assert_near(out[k][c], first[k][c], 2e-5); /* 1000 costs float32 its last digits */
            assert_near(wide[c], out[0][c], 1e-6);
            assert_true(inside[c] == (c != n / 3) && isnan(out[0][c]) == !inside[c]);
            assert_true(mirror[c] < 0 || mirror[mirror[c]] == c);
            mean += inside[c] ? out[0][c] : 0;
            known += inside[c];
        }
        assert_near(whole[0], whole[1], 2e-5);
        assert_near(whole[1], mean / (double)known, 1e-6);
    }
}

/* The grid of a template is mirrored exactly; one shifted by a third of a voxel, or turned, is refused with the distance. */
static void test_mirror(void **state)
{
    (void)state;
    nep_grid g = {.nx = 91, .ny = 2, .nz = 1, .affine = {{-2, 0, 0, 90}, {0, 2, 0, -126}, {0, 0, 2, -72}}};
    const int64_t voxel[4] = {0, 45, 90, 92};
    int32_t mirror[4];
    assert_ok(ctx, nep_local_mirror(ctx, &g, voxel, 4, mirror));
    assert_true(mirror[0] == 2 && mirror[1] == 1 && mirror[2] == 0 && mirror[3] == -1);
    g.affine[0][3] = 90 + 2.0 / 3 / 2;
    assert_fails(nep_local_mirror(ctx, &g, voxel, 4, mirror), NEP_E_GRID);
    assert_non_null(strstr(nep_ctx_error(ctx), "0.33 voxels off"));
    nep_ctx_clear(ctx);
    g.affine[0][3] = 88; /* a whole voxel to the side: the last ones have no image */
    assert_ok(ctx, nep_local_mirror(ctx, &g, voxel, 3, mirror));
    assert_true(mirror[0] == -1 && mirror[1] == -1 && mirror[2] == -1);
    g.affine[0][1] = 0.5;
    assert_fails(nep_local_mirror(ctx, &g, voxel, 4, mirror), NEP_E_GRID);
    nep_ctx_clear(ctx);
    memset(g.affine, 0, sizeof g.affine);
    assert_fails(nep_local_mirror(ctx, &g, voxel, 4, mirror), NEP_E_GRID);
    assert_non_null(strstr(nep_ctx_error(ctx), "inverted"));
    nep_ctx_clear(ctx);
}

static void test_real_run(void **state)
{
    (void)state;
    static const int64_t dims[3] = {6, 10, 10};
    if (!test_shared())
        test_skip();
    nep_series x = {0}, want = golden_series(ctx, "local_reho_haxby.tsv");
    nep_volume mask = {0};
    nep_grid g;
    assert_ok(ctx, nep_nifti_read_volume(ctx, golden_shared("haxby2001/masks_25mm/brain.nii.gz"), &mask));
    assert_ok(ctx, nep_nifti_read_series(ctx, golden_shared("haxby2001/run001/bold_25mm.nii.gz"), &mask, &x, &g));
    assert_int_equal(x.n_cols, want.n_t);
    int64_t *voxel = places(&want, dims);
    double *w = malloc((size_t)x.n_cols * sizeof *w);
    for (int k = 0; k < 3; k++) {
        assert_ok(ctx, reho(x.data, x.n_t, dims, voxel, x.n_cols, (int[]){7, 19, 27}[k], NEP_VOXELWISE_CANONICAL, w));
        same(&want, 3 + k, w);
    }
    free(w);
    free(voxel);
    nep_volume_free(&mask);
    nep_series_free(&x);
    nep_series_free(&want);
}

/* Four frames in a row of voxels. Two that rise together: 1; two against each other: 0. Three with ties, ranks 1 2.5 2.5 4 | 1 2 3 4 |
 * 2.5 2.5 2.5 2.5 does not vary and is outside: for the first two R = 2 4.5 5.5 8 and T = 6. */
static void test_by_hand(void **state)
{
    (void)state;
    static const int64_t dims[3] = {3, 1, 1}, voxel[3] = {0, 1, 2};
    const float up[12] = {1, 10, 7, 2, 20, 7, 3, 30, 7, 4, 40, 7}, against[12] = {1, 4, 7, 2, 3, 7, 3, 2, 7, 4, 1, 7};
    const float tied[12] = {1, 1, 7, 2, 2, 7, 2, 3, 7, 5, 4, 7};
    double w[3];
    assert_ok(ctx, reho(up, 4, dims, voxel, 3, 27, NEP_VOXELWISE_CANONICAL, w));
    assert_true(w[0] == 1 && w[1] == 1 && isnan(w[2]));
    assert_ok(ctx, reho(against, 4, dims, voxel, 3, 7, NEP_VOXELWISE_CANONICAL, w));
    assert_true(w[0] == 0 && w[1] == 0 && isnan(w[2]));
    assert_ok(ctx, reho(tied, 4, dims, voxel, 3, 19, NEP_VOXELWISE_CANONICAL, w));
    const double squares = 2 * 2 + 4.5 * 4.5 + 5.5 * 5.5 + 8 * 8;
    assert_near(w[0], (12 * squares - 3 * 4 * 4 * 25) / (4 * 4 * 15 - 2 * 6), 1e-15);
    assert_ok(ctx, reho(tied, 4, dims, voxel, 3, 19, NEP_VOXELWISE_XCPD, w));
    assert_near(w[0], (12 * squares - 3 * 4 * 4 * 25) / (4 * 4 * 15), 1e-15);
    /* 3dReHo on 0.2 0.7 1.5 2.2 and 0.9 0.1 1.8 1.1: integer parts 0 0 1 2 and 0 0 1 1, the topmost run keeps its order: ranks 1.5 1.5 3 4
     * and 1.5 1.5 4 3, R = 3 3 7 7, T = 6 each. Ours: ranks 1 2 3 4 and 2 1 4 3, the same R, no ties. */
    const float cut[12] = {0.2f, 0.9f, 7, 0.7f, 0.1f, 7, 1.5f, 1.8f, 7, 2.2f, 1.1f, 7};
    assert_ok(ctx, reho(cut, 4, dims, voxel, 3, 27, NEP_VOXELWISE_AFNI, w));
    assert_near(w[0], (12.0 * 116 - 1200) / (4 * 4 * 15 - 2 * 12), 1e-15);
    assert_ok(ctx, reho(cut, 4, dims, voxel, 3, 27, NEP_VOXELWISE_CANONICAL, w));
    assert_near(w[0], (12.0 * 116 - 1200) / (4 * 4 * 15), 1e-15);
    /* C-PAC on the tied series above: ranks from 0, means rounded up: 0 2 2 3 and 0 1 2 3, sums 0 3 4 6 */
    const int64_t middle[3] = {17, 18, 19}, cube[3] = {4, 3, 3};
    assert_ok(ctx, reho(tied, 4, cube, middle, 3, 27, NEP_VOXELWISE_CPAC, w));
    assert_near(w[0], 12 * (0 + 9 + 16 + 36 - 4 * 3.25 * 3.25) / 4 / 60, 1e-15);
    /* a voxel alone has nothing to agree with */
    const int64_t far[3] = {0, 2, 4}, wide[3] = {5, 1, 1};
    assert_ok(ctx, reho(up, 4, wide, far, 3, 27, NEP_VOXELWISE_CANONICAL, w));
    assert_true(isnan(w[0]) && isnan(w[1]) && isnan(w[2]));
}

/* What 3dReHo lost before August 2026: values that differ by less than their integer part are no ties. On percent change of this
 * size it gave other values; ours do not depend on the unit. */
static void test_unit(void **state)
{
    (void)state;
    enum { N = 40 };
    static const int64_t dims[3] = {2, 1, 1}, voxel[2] = {0, 1};
    float x[2 * N], large[2 * N];
    double w[2], afni[2], scaled[2], afni_scaled[2];
    for (int t = 0; t < N; t++) {
        const double shared = nep_philox_normal(1, 0, (uint64_t)t);
        for (int c = 0; c < 2; c++) {
            x[2 * t + c] = (float)(shared + nep_philox_normal(1, (uint64_t)c + 1, (uint64_t)t));
            large[2 * t + c] = 4096 * x[2 * t + c];
        }
    }
    assert_ok(ctx, reho(x, N, dims, voxel, 2, 7, NEP_VOXELWISE_CANONICAL, w));
    assert_ok(ctx, reho(large, N, dims, voxel, 2, 7, NEP_VOXELWISE_CANONICAL, scaled));
    assert_ok(ctx, reho(x, N, dims, voxel, 2, 7, NEP_VOXELWISE_AFNI, afni));
    assert_ok(ctx, reho(large, N, dims, voxel, 2, 7, NEP_VOXELWISE_AFNI, afni_scaled));
    assert_true(w[0] == scaled[0] && w[0] == w[1]);
    assert_near(afni_scaled[0], w[0], 1e-12);
    assert_true(fabs(afni[0] - w[0]) > 0.01);
}

/* Random volumes with holes, ties and missing values: W keeps its bits under any order of the frames, a change of sign of all series, a
 * rising function of each, and for any number of threads. */
static void test_invariance(void **state)
{
    (void)state;
    enum { NX = 6, NY = 5, NZ = 4, V = NX * NY * NZ, N = 67 };
    const int64_t dims[3] = {NX, NY, NZ};
    float *x = malloc(sizeof(float[N * V])), *y = malloc(sizeof(float[N * V]));
    for (uint64_t round = 0; round < 12; round++) {
        int64_t voxel[V], n = 0;
        double w[V], again[V];
        for (int64_t v = 0; v < V; v++)
            if (nep_philox_uniform(2, round, (uint64_t)v) < 0.8)
                voxel[n++] = v;
        const int size = (int[]){7, 19, 27}[round % 3];
        for (int64_t i = 0; i < N * n; i++) {
            x[i] = (float)nep_philox_normal(3, round, (uint64_t)i);
            if (i % n % 3 == 0)
                x[i] = rintf(2 * x[i]);
        }
        x[n / 2] = NAN;
        assert_ok(ctx, reho(x, N, dims, voxel, n, size, NEP_VOXELWISE_CANONICAL, w));
        for (int change = 0; change < 4; change++) {
            for (int64_t t = 0; t < N; t++)
                for (int64_t c = 0; c < n; c++) {
                    const float v = x[t * n + c];
                    const int64_t to = change == 0 ? (t * 31 + 5) % N : change == 1 ? N - 1 - t : t;
                    y[to * n + c] = change == 2 ? -v : change == 3 ? 8 * v * fabsf(v) + 16 * v : v;
                }
            assert_ok(ctx, reho(y, N, dims, voxel, n, size, NEP_VOXELWISE_CANONICAL, again));
            assert_memory_equal(w, again, (size_t)n * sizeof *w);
        }
        int64_t known = 0;
        for (int64_t c = 0; c < n; c++) {
            known += isfinite(w[c]);
            assert_true(isnan(w[c]) || (w[c] >= 0 && w[c] <= 1 + 1e-12));
        }
        assert_true(isnan(w[n / 2]) && known > n / 2);
    }
    free(y);
    free(x);
}

/* Twenty-seven copies of one series agree wholly; noise agrees as 1 / k. */
static void test_level(void **state)
{
    (void)state;
    enum { S = 7, V = S * S * S, N = 200 };
    static const int64_t dims[3] = {S, S, S};
    float *x = malloc(sizeof(float[N * V]));
    int64_t voxel[V];
    double w[V], sum = 0;
    int64_t inner = 0;
    for (int64_t v = 0; v < V; v++)
        voxel[v] = v;
    for (int64_t i = 0; i < N * V; i++)
        x[i] = (float)nep_philox_normal(4, 0, (uint64_t)i);
    assert_ok(ctx, reho(x, N, dims, voxel, V, 27, NEP_VOXELWISE_CANONICAL, w));
    for (int64_t v = 0; v < V; v++) {
        const int64_t p[3] = {v % S, v / S % S, v / (S * S)};
        if (p[0] % (S - 1) && p[1] % (S - 1) && p[2] % (S - 1)) {
            sum += w[v];
            inner++;
        }
    }
    assert_near(27 * sum / (double)inner, 1, 0.05);
    for (int64_t i = 0; i < N * V; i++)
        x[i] = x[i / V * V];
    assert_ok(ctx, reho(x, N, dims, voxel, V, 27, NEP_VOXELWISE_CANONICAL, w));
    for (int64_t v = 0; v < V; v++)
        assert_true(w[v] == 1);
    free(x);
}

static void refused(nep_status st, const char *words)
{
    assert_int_equal(st, NEP_E_ARG);
    if (!strstr(nep_ctx_error(ctx), words))
        fail_msg("no '%s' in: %s", words, nep_ctx_error(ctx));
    nep_ctx_clear(ctx);
}

static void test_bad_input(void **state)
{
    (void)state;
    static const int64_t dims[3] = {2, 1, 1}, voxel[2] = {0, 1}, twice[2] = {1, 1}, beyond[2] = {0, 2}, flat[3] = {2, 0, 1};
    const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    double w[2] = {-1, -1};
    refused(reho(x, 4, dims, voxel, 2, 9, NEP_VOXELWISE_CANONICAL, w), "7, 19 or 27");
    refused(reho(x, 4, dims, twice, 2, 7, NEP_VOXELWISE_CANONICAL, w), "must ascend");
    refused(reho(x, 4, dims, beyond, 2, 7, NEP_VOXELWISE_CANONICAL, w), "within the volume");
    refused(reho(x, 4, flat, voxel, 2, 7, NEP_VOXELWISE_CANONICAL, w), "a side of 0");
    refused(reho(x, 2, dims, voxel, 2, 7, NEP_VOXELWISE_CANONICAL, w), "2 frames");
    refused(reho(x, 4, dims, voxel, 2, 7, NEP_VOXELWISE_CONN, w), "conn has none");
    bool inside[2] = {true, true}, none[2] = {false, false};
    const int32_t mirror[2] = {1, 0};
    const nep_grid g = small_grid();
    float unit[8];
    double whole;
    refused(nep_local_units(ctx, x, 2, 2, unit, inside), "2 frames");
    refused(nep_local_vmhc(ctx, x, inside, 4, 2, mirror, NEP_VOXELWISE_CONN, w), "conn has none");
    refused(nep_local_lcor(ctx, &g, voxel, x, inside, 4, 2, 6, NEP_VOXELWISE_CPAC, w), "cpac has none");
    refused(nep_local_lcor(ctx, &g, voxel, x, inside, 4, 2, 0, NEP_VOXELWISE_CANONICAL, w), "above 0");
    refused(nep_local_lcor(ctx, &g, voxel, x, inside, 4, 2, 1e9, NEP_VOXELWISE_CANONICAL, w), "a width of 1e+09 mm");
    assert_true(w[0] == -1 && w[1] == -1);
    assert_fails(nep_local_gcor(ctx, x, none, 4, 2, w, &whole), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "no voxel of 2 varies"));
    nep_ctx_clear(ctx);
}

static int closing(void **state)
{
    (void)state;
    return nep_alloc_used(ctx) != 0;
}

int main(void)
{
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden),     cmocka_unit_test(test_real_run), cmocka_unit_test(test_by_hand),
                                       cmocka_unit_test(test_unit),
                                       cmocka_unit_test(test_correlations), cmocka_unit_test(test_correlation_invariance),
                                       cmocka_unit_test(test_mirror),      cmocka_unit_test(test_invariance), cmocka_unit_test(test_level),
                                       cmocka_unit_test(test_bad_input)};
    const int failed = test_end(cmocka_run_group_tests(tests, NULL, closing));
    nep_ctx_free(ctx);
    return failed;
}
