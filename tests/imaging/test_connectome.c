/* SPDX-License-Identifier: Apache-2.0 */
/* test_connectome - maps of all voxels' correlations against the whole matrix in numpy, properties on random shapes (the seed is
 * printed; NEP_TEST_SEED replays it), memory that does not grow with the pairs, failures. */
#include "imaging/golden.h"

#include <time.h>

#include <nepenthe/connectome.h>

static nep_ctx *ctx;
static uint64_t seed;

static nep_connectome opened(nep_ctx *k, const float *x, int64_t n_t, int64_t n, bool detrend)
{
    nep_connectome c = {0};
    assert_ok(k, nep_connectome_open(k, n_t, n, detrend, &c));
    for (int64_t at = 0; at < n;) { /* in two parts, as tiles come */
        const int64_t m = at == 0 && n > 3 ? n / 3 : n - at;
        float *part = malloc((size_t)(n_t * m) * sizeof *part);
        for (int64_t t = 0; t < n_t; t++)
            memcpy(part + t * m, x + t * n + at, (size_t)m * sizeof *part);
        assert_ok(k, nep_connectome_add(k, &c, part, m));
        free(part);
        at += m;
    }
    return c;
}

/* ---- all maps of one data set ---- */
enum { DEGREE, WEIGHTED, DEGREE_TWO, WEIGHTED_TWO, MEAN_Z, STRENGTH, RMS, EIGENVECTOR, MAPS };
static const double tolerance[MAPS] = {0, 2e-6, 0, 2e-6, 5e-7, 1e-5, 1e-6, 1e-6};

static double *all_maps(nep_ctx *k, const float *x, int64_t n_t, int64_t n, double threshold)
{
    double *m = malloc((size_t)(MAPS * n) * sizeof *m);
    nep_connectome c = opened(k, x, n_t, n, false);
    const nep_connectome_opts one = {.threshold = threshold}, two = {.threshold = threshold, .two_sided = true};
    assert_ok(k, nep_connectome_pairs(k, &c, &one, m + DEGREE * n, m + WEIGHTED * n, m + MEAN_Z * n));
    assert_ok(k, nep_connectome_pairs(k, &c, &two, m + DEGREE_TWO * n, m + WEIGHTED_TWO * n, NULL));
    assert_ok(k, nep_connectome_strength(k, &c, m + STRENGTH * n));
    assert_ok(k, nep_connectome_rms(k, &c, m + RMS * n));
    assert_ok(k, nep_connectome_eigenvector(k, &c, NULL, m + EIGENVECTOR * n));
    nep_connectome_free(&c);
    return m;
}

static void same(const char *what, double got, double want, double tol)
{
    if (!test_close(got, want, tol))
        fail_msg("%s: got %.17g want %.17g (seed %llu)", what, got, want, (unsigned long long)seed);
}

/* ---- goldens ---- */

static void test_golden(void **state)
{
    (void)state;
    nep_series x = golden_series(ctx, "connectome_series.tsv"), want = golden_series(ctx, "connectome.tsv");
    const int64_t n = x.n_cols, w = want.n_cols;
    double *m = all_maps(ctx, x.data, x.n_t, n, 0.25);
    for (int64_t v = 0; v < n; v++)
        for (int q = 0; q < MAPS; q++)
            same(want.names[q], m[q * n + v], (double)want.data[v * w + q], fmax(tolerance[q], 1e-6));
    free(m);
    double *a = malloc((size_t)(5 * n) * sizeof *a);
    nep_connectome c = opened(ctx, x.data, x.n_t, n, true);
    assert_int_equal(c.n, n - 2); /* one is constant, one has a gap */
    assert_ok(ctx, nep_connectome_pairs(ctx, &c, &(nep_connectome_opts){.threshold = 0.1, .afni = true}, a, a + n, a + 2 * n));
    assert_ok(ctx, nep_connectome_rms(ctx, &c, a + 3 * n));
    assert_ok(ctx, nep_connectome_eigenvector(ctx, &c, &(nep_connectome_power){1e-3, 1000}, a + 4 * n));
    for (int64_t v = 0; v < n; v++)
        for (int q = 0; q < 5; q++)
            same(want.names[MAPS + q], a[q * n + v], (double)want.data[v * w + MAPS + q], q == 2 ? 1e-5 : 1e-6); /* equal series: z of 1 in float32 */
    nep_connectome_free(&c);
    free(a);
    nep_series_free(&want);
    nep_series_free(&x);
}

static void test_golden_seeds_and_neighbours(void **state)
{
    (void)state;
    enum { K = 4 };
    nep_series x = golden_series(ctx, "connectome_series.tsv"), want = golden_series(ctx, "connectome.tsv"),
               near = golden_series(ctx, "connectome_neighbours.tsv");
    const int64_t n = x.n_cols, w = want.n_cols;
    nep_connectome c = opened(ctx, x.data, x.n_t, n, false);
    double *seeds = calloc((size_t)(2 * x.n_t), sizeof *seeds), *map = malloc((size_t)(3 * n) * sizeof *map);
    for (int64_t t = 0; t < x.n_t; t++) {
        for (int v = 2; v < 6; v++)
            seeds[t] += (double)x.data[t * n + v] / 4;
        seeds[x.n_t + t] = (double)x.data[t * n + 60];
    }
    assert_ok(ctx, nep_connectome_seeds(ctx, &c, seeds, 2, false, map));
    assert_ok(ctx, nep_connectome_seeds(ctx, &c, seeds + x.n_t, 1, true, map + 2 * n));
    for (int64_t v = 0; v < n; v++)
        for (int q = 0; q < 3; q++)
            if (q < 2 || v != 60) /* rounding decides whether r of a voxel with itself passes the bound */
                same(want.names[MAPS + 5 + q], map[q * n + v], (double)want.data[v * w + MAPS + 5 + q], 1e-6);
    assert_near(map[2 * n + 60], 7.28, 0.1);
    int64_t *index = malloc((size_t)(n * K) * sizeof *index);
    double *r = malloc((size_t)(n * K) * sizeof *r);
    assert_ok(ctx, nep_connectome_neighbours(ctx, &c, K, index, r));
    for (int64_t i = 0; i < near.n_t; i++) {
        const float *row = near.data + i * near.n_cols;
        const int64_t at = (int64_t)row[0] * K + (int64_t)row[1] - 1;
        assert_int_equal(index[at], (int64_t)row[2]);
        same("r of a neighbour", r[at], (double)row[3], 1e-6);
    }
    for (int q = 0; q < K; q++)
        assert_true(index[33 * K + q] == -1 && isnan(r[33 * K + q]) && index[41 * K + q] == -1);
    free(r);
    free(index);
    free(map);
    free(seeds);
    nep_connectome_free(&c);
    nep_series_free(&near);
    nep_series_free(&want);
    nep_series_free(&x);
}

static void test_golden_haxby(void **state)
{
    (void)state;
    if (!test_shared())
        test_skip();
    nep_series x = {0}, want = golden_series(ctx, "connectome_haxby.tsv");
    nep_volume mask = {0};
    nep_grid g;
    assert_ok(ctx, nep_nifti_read_volume(ctx, golden_shared("haxby2001/masks_25mm/brain.nii.gz"), &mask));
    assert_ok(ctx, nep_nifti_read_series(ctx, golden_shared("haxby2001/run001/bold_25mm.nii.gz"), &mask, &x, &g));
    assert_int_equal(x.n_cols, want.n_t);
    double *m = all_maps(ctx, x.data, x.n_t, x.n_cols, 0.3);
    for (int64_t v = 0; v < x.n_cols; v++)
        for (int q = 0; q < MAPS; q++)
            same(want.names[3 + q], m[q * x.n_cols + v], (double)want.data[v * want.n_cols + 3 + q], fmax(tolerance[q], 1e-6));
    free(m);
    nep_volume_free(&mask);
    nep_series_free(&x);
    nep_series_free(&want);
}

/* ---- by hand: three series over four frames whose correlations are 0.5, 0.5 and -0.5 ---- */
static void test_by_hand(void **state)
{
    (void)state;
    /* u0 = a, u1 = (a + sqrt3 b) / 2, u2 = (a - sqrt3 b) / 2 for orthogonal a, b: r01 = r02 = 1/2, r12 = 1/4 - 3/4 = -1/2 */
    const double a[4] = {1, 1, -1, -1}, b[4] = {1, -1, 1, -1}, root = sqrt(3);
    float x[12];
    for (int t = 0; t < 4; t++) {
        x[3 * t] = (float)(7 + a[t]);
        x[3 * t + 1] = (float)(5 * (a[t] + root * b[t]) - 3);
        x[3 * t + 2] = (float)(a[t] - root * b[t]);
    }
    double *m = all_maps(ctx, x, 4, 3, 0.4);
    const double z = atanh(0.5);
    const double want[MAPS][3] = {{2, 1, 1}, {1, 0.5, 0.5}, {2, 2, 2}, {1, 1, 1}, {z, 0, 0}, {1, 0, 0}, {0.5, 0.5, 0.5}, {0, 0, 0}};
    for (int q = 0; q < EIGENVECTOR; q++)
        for (int v = 0; v < 3; v++)
            assert_near(m[q * 3 + v], want[q][v], 1e-6);
    /* r + 1 = [2 3/2 3/2; 3/2 2 1/2; 3/2 1/2 2]: (x, 1, 1) with 2x + 3 = lambda x, 3/2 x + 5/2 = lambda; 3 x^2 + x - 6 = 0 */
    const double e = (-1 + sqrt(73)) / 6, length = sqrt(e * e + 2);
    for (int v = 0; v < 3; v++)
        assert_near(m[EIGENVECTOR * 3 + v], (v ? 1 : e) / length, 1e-6);
    free(m);
}

/* ---- properties ---- */

typedef struct {
    int64_t n_t, n;
    float *x;
} data;

static double uniform(uint64_t stream, int64_t i)
{
    return nep_philox_uniform(seed, stream, (uint64_t)i);
}

static data random_data(uint64_t trial)
{
    data d = {.n_t = 5 + (int64_t)(60 * uniform(trial, 0)), .n = 3 + (int64_t)(700 * uniform(trial, 1) * uniform(trial, 2))};
    d.x = malloc((size_t)(d.n_t * d.n) * sizeof *d.x);
    for (int64_t t = 0; t < d.n_t; t++)
        for (int64_t v = 0; v < d.n; v++)
            d.x[t * d.n + v] = (float)(50 + nep_philox_normal(seed, trial + 1000, (uint64_t)(t * 4 + v % 4)) +
                                       nep_philox_normal(seed, trial + 2000, (uint64_t)(t * d.n + v)));
    return d;
}

/* Maps of the same correlations up to rounding: a pair on the threshold may have changed sides. */
static void same_maps(const char *what, const double *got, const double *want, const int64_t *place, int64_t n, double loose)
{
    for (int q = 0; q < MAPS; q++)
        for (int64_t v = 0; v < n; v++) {
            const double tol = q == MEAN_Z ? loose * 10 : q == DEGREE || q == DEGREE_TWO || q == WEIGHTED || q == WEIGHTED_TWO ? (loose > 0 ? 1 : 0) : loose;
            const double g = got[q * n + place[v]], w = want[q * n + v];
            if (!(fabs(g - w) <= tol * (q == STRENGTH ? (double)n : 1)) && !(isnan(g) && isnan(w)))
                fail_msg("%s: map %d of column %lld is %.17g, was %.17g (seed %llu)", what, q, (long long)v, g, w, (unsigned long long)seed);
        }
}

static void test_properties(void **state)
{
    (void)state;
    for (uint64_t trial = 0; trial < 6; trial++) {
        const data d = random_data(trial);
        const int64_t n = d.n, n_t = d.n_t;
        const double threshold = 0.8 * uniform(trial, 3);
        float *y = malloc((size_t)(n_t * n) * sizeof *y);
        int64_t *place = malloc((size_t)n * sizeof *place);
        int32_t *order = malloc((size_t)n * sizeof *order);
        double *was = all_maps(ctx, d.x, n_t, n, threshold), *now;
        nep_philox_permutation(seed, trial, n, order);
        for (int64_t v = 0; v < n; v++)
            place[order[v]] = v;
        for (int64_t t = 0; t < n_t; t++)
            for (int64_t v = 0; v < n; v++)
                y[t * n + v] = d.x[t * n + order[v]];
        now = all_maps(ctx, y, n_t, n, threshold);
        for (int64_t v = 0; v < n; v++) /* a permutation leaves the unit series as they are: counts to the last one */
            assert_true(now[place[v]] == was[v] && now[DEGREE_TWO * n + place[v]] == was[DEGREE_TWO * n + v]);
        same_maps("voxels permuted", now, was, place, n, 2e-6);
        free(now);
        for (int64_t v = 0; v < n; v++)
            place[v] = v;
        for (int64_t t = 0; t < n_t; t++)
            for (int64_t v = 0; v < n; v++)
                y[t * n + v] = d.x[(n_t - 1 - t) * n + v];
        now = all_maps(ctx, y, n_t, n, threshold);
        same_maps("time reversed", now, was, place, n, 2e-6);
        free(now);
        for (int64_t i = 0; i < n_t * n; i++)
            y[i] = (float)(1 + i % n) * d.x[i] - 20;
        now = all_maps(ctx, y, n_t, n, threshold);
        same_maps("voxels scaled and shifted", now, was, place, n, 2e-5);
        free(now);
        free(was);
        free(order);
        free(place);
        free(y);
        free(d.x);
    }
}

/* Voxels with a gap are as if they were not there, and NaN themselves. */
static void test_missing(void **state)
{
    (void)state;
    const data d = random_data(77);
    const int64_t n = d.n, n_t = d.n_t;
    float *whole = malloc((size_t)(n_t * 2 * n) * sizeof *whole);
    for (int64_t t = 0; t < n_t; t++)
        for (int64_t v = 0; v < n; v++) {
            whole[t * 2 * n + 2 * v + 1] = d.x[t * n + v];
            whole[t * 2 * n + 2 * v] = v % 3 == 0 ? 4.0f : t == v % n_t ? NAN : d.x[t * n + v];
        }
    double *want = all_maps(ctx, d.x, n_t, n, 0.2), *got = all_maps(ctx, whole, n_t, 2 * n, 0.2);
    for (int q = 0; q < MAPS; q++)
        for (int64_t v = 0; v < n; v++) {
            assert_true(got[q * 2 * n + 2 * v + 1] == want[q * n + v]);
            assert_true(isnan(got[q * 2 * n + 2 * v]));
        }
    free(want);
    free(got);
    free(whole);
    free(d.x);
}

/* A series turned round turns the sign of its correlations, and of nothing else. */
static void test_sign(void **state)
{
    (void)state;
    const data d = random_data(5);
    double *was = all_maps(ctx, d.x, d.n_t, d.n, 0.3);
    for (int64_t t = 0; t < d.n_t; t++)
        d.x[t * d.n] = -d.x[t * d.n];
    double *now = all_maps(ctx, d.x, d.n_t, d.n, 0.3);
    for (int64_t v = 0; v < d.n; v++) {
        assert_true(now[DEGREE_TWO * d.n + v] == was[DEGREE_TWO * d.n + v]);
        same("rms", now[RMS * d.n + v], was[RMS * d.n + v], 1e-9);
    }
    same("strength", now[STRENGTH * d.n], -was[STRENGTH * d.n], 1e-6);
    same("mean z", now[MEAN_Z * d.n], -was[MEAN_Z * d.n], 1e-6);
    free(now);
    free(was);
    free(d.x);
}

/* Same bits for any number of threads; power iteration arrives where the eigenvector is. */
static void test_threads_and_power(void **state)
{
    (void)state;
    const data d = random_data(9);
    nep_ctx *one = test_ctx(1), *seven = test_ctx(7);
    double *a = all_maps(one, d.x, d.n_t, d.n, 0.1), *b = all_maps(seven, d.x, d.n_t, d.n, 0.1);
    assert_memory_equal(a, b, (size_t)(MAPS * d.n) * sizeof *a);
    nep_connectome c = opened(one, d.x, d.n_t, d.n, false);
    assert_ok(one, nep_connectome_eigenvector(one, &c, &(nep_connectome_power){1e-13, 100000}, b));
    for (int64_t v = 0; v < d.n; v++)
        same("power iteration", b[v], a[EIGENVECTOR * d.n + v], 1e-9);
    assert_int_equal(nep_warn_count(one), 0);
    assert_ok(one, nep_connectome_eigenvector(one, &c, &(nep_connectome_power){1e-13, 1}, b));
    assert_int_equal(nep_warn_count(one), 1);
    nep_connectome_free(&c);
    free(a);
    free(b);
    free(d.x);
    nep_ctx_free(one);
    nep_ctx_free(seven);
}

/* 6,000 voxels have 36 million pairs, 144 MB in float32: what is held beside the series stays under 2 MB a thread and 100 bytes
 * a voxel. */
static void test_memory(void **state)
{
    (void)state;
    enum { N = 6000, T = 12 };
    nep_ctx *k = test_ctx(2);
    float *x = malloc((size_t)N * T * sizeof *x);
    double *out = malloc((size_t)3 * N * sizeof *out);
    int64_t *index = malloc((size_t)3 * N * sizeof *index);
    for (int i = 0; i < N * T; i++)
        x[i] = (float)nep_philox_normal(seed, 3, (uint64_t)i);
    nep_connectome c = opened(k, x, T, N, false);
    const int64_t series = (int64_t)N * (T * 4 + 8);
    assert_ok(k, nep_connectome_pairs(k, &c, NULL, out, out + N, out + 2 * N));
    assert_ok(k, nep_connectome_strength(k, &c, out));
    assert_ok(k, nep_connectome_rms(k, &c, out));
    assert_ok(k, nep_connectome_eigenvector(k, &c, NULL, out));
    assert_ok(k, nep_connectome_neighbours(k, &c, 3, index, out));
    assert_true(nep_alloc_peak(k) < series + 2 * (2 << 20) + (int64_t)N * 100);
    nep_connectome_free(&c);
    assert_int_equal(nep_alloc_used(k), 0);
    free(index);
    free(out);
    free(x);
    nep_ctx_free(k);
}

/* ---- failures ---- */

static void refused(nep_status got, nep_status want, const char *words)
{
    assert_int_equal(got, want);
    if (!strstr(nep_ctx_error(ctx), words))
        fail_msg("no '%s' in: %s", words, nep_ctx_error(ctx));
    nep_ctx_clear(ctx);
}

static void test_refused(void **state)
{
    (void)state;
    const float x[12] = {1, 5, 2, 3, 5, 1, 2, 5, 2, 4, 5, 0}; /* the second of three does not vary */
    double out[6] = {-7, -7, -7}, still[4] = {2, 2, 2, 2};
    int64_t index[9];
    nep_connectome c = {0};
    refused(nep_connectome_open(ctx, 2, 3, false, &c), NEP_E_ARG, "2 frames");
    refused(nep_connectome_open(ctx, 4, 0, false, &c), NEP_E_ARG, "no voxel");
    assert_ok(ctx, nep_connectome_open(ctx, 4, 3, false, &c));
    refused(nep_connectome_strength(ctx, &c, out), NEP_E_FORMAT, "0 of 0 voxels vary");
    assert_ok(ctx, nep_connectome_add(ctx, &c, x, 3));
    refused(nep_connectome_add(ctx, &c, x, 1), NEP_E_ARG, "more than the 3");
    refused(nep_connectome_pairs(ctx, &c, &(nep_connectome_opts){.threshold = 1}, out, NULL, NULL), NEP_E_ARG, "below 1");
    refused(nep_connectome_pairs(ctx, &c, &(nep_connectome_opts){.threshold = (double)NAN}, out, NULL, NULL), NEP_E_ARG, "threshold");
    refused(nep_connectome_neighbours(ctx, &c, 3, index, out), NEP_E_ARG, "1 to 2");
    refused(nep_connectome_seeds(ctx, &c, still, 1, false, out), NEP_E_FORMAT, "seed 1");
    refused(nep_connectome_seeds(ctx, &c, still, 0, false, out), NEP_E_ARG, "no seed");
    refused(nep_connectome_eigenvector(ctx, &c, &(nep_connectome_power){.tolerance = 1e-3}, out), NEP_E_ARG, "0 steps");
    assert_true(out[0] == -7 && out[1] == -7); /* untouched on failure */
    assert_ok(ctx, nep_connectome_strength(ctx, &c, out));
    assert_true(isfinite(out[0]) && isnan(out[1]) && out[0] == out[2]);
    nep_connectome_free(&c);
}

static nep_status run_all(const float *x, double *out, int64_t *index)
{
    nep_connectome c = {0};
    nep_status st = nep_connectome_open(ctx, 4, 3, true, &c);
    if (st == NEP_OK)
        st = nep_connectome_add(ctx, &c, x, 3);
    if (st == NEP_OK)
        st = nep_connectome_pairs(ctx, &c, NULL, out, out + 3, out + 6);
    if (st == NEP_OK)
        st = nep_connectome_strength(ctx, &c, out);
    if (st == NEP_OK)
        st = nep_connectome_rms(ctx, &c, out);
    if (st == NEP_OK)
        st = nep_connectome_eigenvector(ctx, &c, NULL, out);
    if (st == NEP_OK)
        st = nep_connectome_eigenvector(ctx, &c, &(nep_connectome_power){1e-3, 10}, out);
    if (st == NEP_OK)
        st = nep_connectome_seeds(ctx, &c, (const double[]){1, 2, 4, 3}, 1, true, out);
    if (st == NEP_OK)
        st = nep_connectome_neighbours(ctx, &c, 2, index, out);
    nep_connectome_free(&c);
    return st;
}

static void test_failing_memory(void **state)
{
    (void)state;
    const float x[12] = {1, 5, 2, 3, 2, 1, 2, 1, 2, 4, 5, 0};
    double out[9];
    int64_t index[6], k = 0;
    for (nep_status st = NEP_E_NOMEM; st != NEP_OK; k++) {
        nep_alloc_fail_at(ctx, k);
        st = run_all(x, out, index);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        assert_int_equal(nep_alloc_used(ctx), 0);
        nep_ctx_clear(ctx);
        assert_true(k < 200);
    }
    assert_true(k > 30);
}

int main(void)
{
    const char *given = getenv("NEP_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("seed %llu (NEP_TEST_SEED replays it)\n", (unsigned long long)seed);
    ctx = test_ctx(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),     cmocka_unit_test(test_golden_seeds_and_neighbours),
        cmocka_unit_test(test_golden_haxby), cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_properties), cmocka_unit_test(test_missing),
        cmocka_unit_test(test_sign),       cmocka_unit_test(test_threads_and_power),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_failing_memory),
    };
    const int failed = test_end(cmocka_run_group_tests(tests, NULL, NULL));
    nep_ctx_free(ctx);
    return failed;
}
