/* SPDX-License-Identifier: Apache-2.0 */
/* test_parcels_maps - amounts of weight maps against nilearn and least squares by numpy, and what must hold for any maps. */
#include "imaging/golden.h"

static nep_ctx *ctx;

static const int centres[4][3] = {{1, 2, 4}, {4, 3, 5}, {2, 7, 5}, {4, 7, 3}};

/* Tents of the golden script. */
static void tent(const nep_grid *g, int map, int reach, float *w)
{
    for (int64_t v = 0; v < nep_grid_voxels(g); v++) {
        const int64_t at[3] = {v % g->nx, v / g->nx % g->ny, v / g->nx / g->ny};
        int64_t far = 0;
        for (int i = 0; i < 3; i++)
            far += llabs(at[i] - centres[map][i]);
        w[v] = far < reach ? (float)(reach - far) / 16 : 0;
    }
}

static void check_run(const char *image, const char *mask_file, int reach, bool holes, bool nan_as_zero, const char *golden)
{
    nep_nifti *n = NULL;
    nep_volume mask = {0};
    nep_parcels_maps *p = NULL;
    nep_series want = golden_series(ctx, golden);
    assert_ok(ctx, nep_nifti_open(ctx, golden_shared(image), &n));
    const nep_nifti_header h = *nep_nifti_info(n);
    const int64_t n_vox = nep_grid_voxels(&h.grid);
    float *x = malloc((size_t)(n_vox * h.n_t) * sizeof *x);
    double *got = malloc((size_t)(4 * h.n_t) * sizeof *got);
    if (mask_file)
        assert_ok(ctx, nep_nifti_read_volume(ctx, golden_shared(mask_file), &mask));
    const nep_parcels_opts o = {.mask = mask_file ? &mask : NULL, .nan_as_zero = nan_as_zero};
    assert_ok(ctx, nep_parcels_maps_open(ctx, &h.grid, 4, NULL, &o, &p));
    for (int k = 0; k < 4; k++) {
        tent(&h.grid, k, reach, x);
        assert_ok(ctx, nep_parcels_maps_weights(p, x));
    }
    for (int64_t t = 0; t < h.n_t; t++) {
        float *volume = x + t * n_vox;
        assert_ok(ctx, nep_nifti_next(n, volume));
        for (int64_t v = 0; holes && v < n_vox; v++)
            if ((v % h.grid.nx + v / h.grid.nx % h.grid.ny + v / (h.grid.nx * h.grid.ny) + t) % 11 == 0)
                volume[v] = NAN;
    }
    assert_ok(ctx, nep_parcels_maps_add(p, x, h.n_t, got));
    for (int64_t i = 0; i < 4 * h.n_t; i++)
        if (!(fabs(got[i] - (double)want.data[i]) <= 3e-7 * fabs(got[i])))
            fail_msg("%s: value %lld: got %.9g want %.9g", golden, (long long)i, got[i], (double)want.data[i]);
    free(got);
    free(x);
    nep_parcels_maps_free(p);
    nep_volume_free(&mask);
    nep_nifti_free(n);
    nep_series_free(&want);
}

static void test_golden(void **state)
{
    (void)state;
    if (!test_shared())
        test_skip();
    const char *haxby = "haxby2001/run001/bold_25mm.nii.gz", *ds003 = "ds003/sub-01_mc.nii.gz";
    check_run(haxby, NULL, 8, false, false, "parcels_maps_haxby.tsv");
    check_run(haxby, "haxby2001/masks_25mm/brain.nii.gz", 8, false, true, "parcels_maps_haxby_mask.tsv");
    check_run(ds003, NULL, 16, true, false, "parcels_maps_ds003_nan_ignored.tsv");
    check_run(ds003, NULL, 16, true, true, "parcels_maps_ds003_nan_nilearn.tsv");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

enum { V = 60, K = 5, N = 7 };
static const nep_grid line = {.nx = V, .ny = 1, .nz = 1, .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};

static float uniform(uint64_t stream, uint64_t i)
{
    return (float)nep_philox_uniform(11, stream, i);
}

/* Random maps, a third of them 0, the last with weights below 0 too; map 2 has no voxel. */
static void random_maps(uint64_t stream, float w[K][V])
{
    for (int k = 0; k < K; k++)
        for (int v = 0; v < V; v++) {
            const float u = uniform(stream, (uint64_t)(k * V + v));
            w[k][v] = k == 2 || u < 0.33f ? 0 : k == K - 1 ? 3 * u - 2 : u;
        }
}

static nep_status fit(float w[K][V], const nep_parcels_opts *o, const float *x, double *out, double *share)
{
    static char name[5] = "map_";
    static char *names[K] = {name, name, name, name, name};
    nep_parcels_maps *p = NULL;
    nep_status st = nep_parcels_maps_open(ctx, &line, K, names, o, &p);
    for (int k = 0; k < K && st == NEP_OK; k++)
        st = nep_parcels_maps_weights(p, w[k]);
    if (st == NEP_OK)
        st = nep_parcels_maps_add(p, x, N, out);
    if (st == NEP_OK && share)
        nep_parcels_maps_coverage(p, NULL, NULL, share);
    nep_parcels_maps_free(p);
    return st;
}

/* Volumes made of the maps give back their amounts, whatever is missing; a map without voxels is n/a and keeps its place. */
static void test_truth_comes_back(void **state)
{
    (void)state;
    float w[K][V], x[N * V];
    double truth[N * K], got[N * K], share[K];
    for (uint64_t round = 0; round < 20; round++) {
        random_maps(2 * round, w);
        for (int t = 0; t < N; t++)
            for (int k = 0; k < K; k++)
                truth[t * K + k] = k == 2 ? (double)NAN : (double)(int)(100 * uniform(2 * round + 1, (uint64_t)(t * K + k)));
        for (int t = 0; t < N; t++)
            for (int v = 0; v < V; v++) {
                double sum = 0;
                for (int k = 0; k < K; k++)
                    sum += k == 2 ? 0 : (double)w[k][v] * truth[t * K + k];
                /* rows 0 to 2 whole, 3 and 4 lack the same few voxels, 5 others, 6 most of them */
                const bool gone = (t == 3 || t == 4) ? v % 9 == 4 : t == 5 ? v % 7 == 1 : t == 6 && v % 4 != 0;
                x[t * V + v] = gone ? NAN : (float)sum;
            }
        assert_ok(ctx, fit(w, NULL, x, got, share));
        for (int i = 0; i < N * K; i++)
            assert_near(got[i], truth[i], 1e-5);
        assert_true(share[2] == 0);
        assert_true(share[0] > 0.6 && share[0] < 1);
    }
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* Scaling a map divides its amount; scaling the data multiplies all; voxels may change places; threads change no bit. */
static void test_invariants(void **state)
{
    (void)state;
    float w[K][V], x[N * V], y[N * V], moved[K][V];
    double a[N * K], b[N * K];
    random_maps(100, w);
    for (int i = 0; i < N * V; i++)
        x[i] = 100 + 10 * (float)nep_philox_normal(11, 101, (uint64_t)i);
    assert_ok(ctx, fit(w, NULL, x, a, NULL));
    for (int k = 0; k < K; k++)
        for (int v = 0; v < V; v++) {
            moved[k][v] = (k == 1 ? 4 : 1) * w[k][(v + 17) % V];
            for (int t = 0; t < N; t++)
                y[t * V + v] = 2 * x[t * V + (v + 17) % V];
        }
    assert_ok(ctx, fit(moved, NULL, y, b, NULL));
    for (int i = 0; i < N * K; i++)
        assert_near(b[i], a[i] * (i % K == 1 ? 0.5 : 2), 1e-10);
    nep_ctx *two = ctx;
    ctx = test_ctx(1);
    assert_ok(ctx, fit(w, NULL, x, b, NULL));
    nep_ctx_free(ctx);
    ctx = two;
    assert_memory_equal(a, b, sizeof a);
}

static void test_refusals(void **state)
{
    (void)state;
    float w[K][V], x[N * V] = {0}, none[V] = {0};
    double out[N * K];
    nep_parcels_maps *p = NULL;
    random_maps(200, w);
    for (int v = 0; v < V; v++)
        w[4][v] = 2 * w[0][v] - w[3][v];
    assert_fails(fit(w, NULL, x, out, NULL), NEP_E_SINGULAR);
    assert_non_null(strstr(nep_ctx_error(ctx), "weight map 5 ('map_')"));
    nep_volume mask = {.grid = line, .data = none};
    random_maps(201, w);
    assert_fails(fit(w, &(nep_parcels_opts){.mask = &mask}, x, out, NULL), NEP_E_FORMAT);
    assert_fails(nep_parcels_maps_open(ctx, &line, 0, NULL, NULL, &p), NEP_E_FORMAT);
    mask.grid.nx = V / 2;
    assert_fails(nep_parcels_maps_open(ctx, &line, 2, NULL, &(nep_parcels_opts){.mask = &mask}, &p), NEP_E_GRID);
    /* a volume in which the maps cannot be told apart is missing, the others are not */
    for (int v = 0; v < V; v++) {
        x[v] = v < 3 ? 1 : NAN;
        x[V + v] = w[0][v];
    }
    assert_ok(ctx, fit(w, NULL, x, out, NULL));
    for (int k = 0; k < K; k++) {
        assert_true(isnan(out[k]));
        assert_near(out[K + k], k == 2 ? (double)NAN : k == 0 ? 1 : 0, 1e-6);
    }
    nep_ctx_clear(ctx);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

int main(void)
{
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_truth_comes_back),
                                       cmocka_unit_test(test_invariants), cmocka_unit_test(test_refusals)};
    const int failed = test_end(cmocka_run_group_tests(tests, NULL, NULL));
    nep_ctx_free(ctx);
    return failed;
}
