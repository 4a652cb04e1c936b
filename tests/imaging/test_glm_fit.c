/* SPDX-License-Identifier: Apache-2.0 */
/* test_glm_fit - fits, fixed effects and tests of the linear model against nilearn, against whitening done frame by frame,
 * and what must not change them. */
#include "imaging/golden.h"

#include <nepenthe/glm.h>

static nep_ctx *ctx;

static int load(void **state)
{
    (void)state;
    ctx = test_ctx(2);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    nep_ctx_free(ctx);
    return 0;
}

/* A design from a golden, its first n rows. */
static nep_glm_design design_of(const char *file, int64_t n)
{
    nep_table t = {0};
    nep_glm_design d = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", TEST_GOLDEN(""), file);
    assert_ok(ctx, nep_tsv_read(ctx, path, &t));
    d.n = n ? n : t.n_rows;
    d.p = t.n_cols;
    assert_ok(ctx, nep_alloc(ctx, d.n * d.p, sizeof *d.x, "design", &d.x));
    assert_ok(ctx, nep_alloc(ctx, d.p, sizeof *d.names, "design", &d.names));
    for (int64_t j = 0; j < d.p; j++) {
        assert_ok(ctx, nep_alloc_string(ctx, t.header[j], &d.names[j]));
        for (int64_t i = 0; i < d.n; i++)
            assert_ok(ctx, nep_table_number(ctx, &t, i, j, &d.x[i * d.p + j]));
    }
    nep_table_free(&t);
    return d;
}

static void read_contrasts(const nep_glm_design *d, const char *const (*text)[2], int n, nep_glm_contrast *c)
{
    for (int k = 0; k < n; k++)
        assert_ok(ctx, nep_glm_contrast_read(ctx, text[k][0], text[k][1], d, "the design", &c[k]));
}

static void free_contrasts(nep_glm_contrast *c, int n)
{
    for (int k = 0; k < n; k++)
        nep_glm_contrast_free(&c[k]);
}

static void fit(const nep_glm_design *d, const nep_glm_contrast *c, int n, const nep_glm_opts *o, const float *y, int64_t cols, nep_glm_fit *out)
{
    nep_glm *g = NULL;
    assert_ok(ctx, nep_glm_open(ctx, d, c, n, o, "the design", &g));
    assert_ok(ctx, nep_glm_run(g, y, cols, out));
    nep_glm_free(g);
}

/* ---- goldens --------------------------------------------------------------------------------------------------------- */

enum { MOST_COLS = 160 };
typedef struct {
    double effect[MOST_COLS], se[MOST_COLS], stat[MOST_COLS], z[MOST_COLS];
} result;

static void test(nep_glm_pool *p, int64_t j, bool f, result *r)
{
    for (int k = 0; k < MOST_COLS; k++)
        r->effect[k] = r->se[k] = (double)NAN;
    assert_ok(ctx, nep_glm_pool_test(p, j, f ? NULL : r->effect, f ? NULL : r->se, r->stat, r->z));
}

/* Rows of `file` with this model and contrast against r; where[column] is the column they stand for. Returns their number. */
static int64_t compare(const nep_table *t, const char *model, const char *contrast, const result *r, const int64_t *where, int64_t n,
                       double tolerance)
{
    int64_t found = 0;
    for (int64_t row = 0; row < t->n_rows; row++) {
        double want[4], at;
        int64_t v = 0;
        if (strcmp(nep_table_cell(t, row, 0), model) != 0 || strcmp(nep_table_cell(t, row, 1), contrast) != 0)
            continue;
        assert_ok(ctx, nep_table_number(ctx, t, row, 2, &at));
        while (where && v < n && where[v] != (int64_t)at)
            v++;
        v = where ? v : (int64_t)at;
        assert_true(v < n);
        const double got[4] = {r->effect[v], r->se[v], r->stat[v], r->z[v]};
        for (int k = 0; k < 4; k++) {
            assert_ok(ctx, nep_table_number(ctx, t, row, 3 + k, &want[k]));
            if (isnan(want[k]) && k == 3)
                continue; /* the reference gives no z */
            if (isnan(want[k]) != isnan(got[k]) || fabs(got[k] - want[k]) > tolerance * fabs(want[k]) + 1e-9)
                fail_msg("%s %s column %lld, value %d: %.12g, reference %.12g", model, contrast, (long long)v, k, got[k], want[k]);
        }
        found++;
    }
    return found;
}

static const char *const five[][2] = {{"difference", "face - house"},
                                      {"weighted", "0.5*(face + house) - constant/4"},
                                      {"constant", "constant"},
                                      {"any", "face; house; cat 2-back"},
                                      {"pair", "face - house; face + house"}};

static void test_fits(void **state)
{
    (void)state;
    static const char *const model[] = {"ols_none", "ar1_none", "ols_percent", "ar1_percent"};
    nep_table t = {0};
    nep_series y = golden_series(ctx, "glm_series.tsv");
    nep_glm_design d = design_of("glm_design_full.tsv", 0);
    nep_glm_contrast c[5] = {{0}};
    static result r;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("glm_fits.tsv"), &t));
    read_contrasts(&d, five, 5, c);
    for (int m = 0; m < 4; m++) {
        const nep_glm_opts o = {m % 2 ? NEP_GLM_AR1 : NEP_GLM_OLS, m < 2 ? NEP_GLM_UNSCALED : NEP_GLM_PERCENT, true};
        nep_glm_fit f = {0};
        nep_glm_pool *pool = NULL;
        fit(&d, c, 5, &o, y.data, y.n_cols, &f);
        assert_near(f.df, 104, 0);
        for (int64_t row = 0, want_rho = 0; row < t.n_rows; row++)
            if (strcmp(nep_table_cell(&t, row, 0), model[m]) == 0 && want_rho < y.n_cols) {
                double rho;
                assert_ok(ctx, nep_table_number(ctx, &t, row, 7, &rho));
                assert_near(f.rho[want_rho++], rho, 1e-12);
            }
        assert_ok(ctx, nep_glm_pool_open(ctx, c, 5, y.n_cols, NEP_GLM_PRECISION, &pool));
        assert_ok(ctx, nep_glm_pool_add(pool, &f, NULL));
        nep_glm_pool_next(pool, f.df);
        for (int j = 0; j < 5; j++) {
            test(pool, j, c[j].f, &r);
            assert_int_equal(compare(&t, model[m], five[j][0], &r, NULL, y.n_cols, 2e-7), y.n_cols);
        }
        nep_glm_pool_free(pool);
        nep_glm_fit_free(&f);
    }
    free_contrasts(c, 5);
    nep_glm_design_free(&d);
    nep_series_free(&y);
    nep_table_free(&t);
}

static void test_runs(void **state)
{
    (void)state;
    static const char *const two[][2] = {{"difference", "face - house"}, {"any", "face; house; cat 2-back"}};
    static const char *const file[] = {"glm_run_1.tsv", "glm_run_2.tsv"}, *const model[] = {"precision", "mean"};
    const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_UNSCALED, false};
    nep_table t = {0};
    static result r;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("glm_runs.tsv"), &t));
    for (int fixed = NEP_GLM_PRECISION; fixed <= NEP_GLM_MEAN; fixed++) {
        nep_glm_contrast c[2] = {{0}};
        nep_glm_pool *pool = NULL;
        nep_glm_design d = design_of("glm_design_plain.tsv", 0);
        read_contrasts(&d, two, 2, c);
        nep_glm_design_free(&d);
        assert_ok(ctx, nep_glm_pool_open(ctx, c, 2, 6, (nep_glm_fixed)fixed, &pool));
        for (int run = 0; run < 2; run++) {
            nep_series y = golden_series(ctx, file[run]);
            nep_glm_fit f = {0};
            d = design_of("glm_design_plain.tsv", y.n_t);
            fit(&d, c, 2, &o, y.data, y.n_cols, &f);
            assert_ok(ctx, nep_glm_pool_add(pool, &f, NULL));
            nep_glm_pool_next(pool, f.df);
            nep_glm_fit_free(&f);
            nep_glm_design_free(&d);
            nep_series_free(&y);
        }
        assert_near(nep_glm_pool_df(pool), 202, 0);
        for (int j = 0; j < 2; j++) {
            test(pool, j, c[j].f, &r);
            assert_int_equal(compare(&t, model[fixed], two[j][0], &r, NULL, 6, 2e-7), 6);
        }
        nep_glm_pool_free(pool);
        free_contrasts(c, 2);
    }
    nep_table_free(&t);
}

static void test_second_level(void **state)
{
    (void)state;
    static const char *const three[][2] = {{"illness", "patient - control"}, {"age", "age"}, {"either", "patient; control"}};
    const nep_glm_opts o = {NEP_GLM_OLS, NEP_GLM_UNSCALED, false};
    nep_table t = {0};
    nep_series y = golden_series(ctx, "glm_maps.tsv");
    nep_glm_design d = design_of("glm_people.tsv", 0);
    nep_glm_contrast c[3] = {{0}};
    nep_glm_fit f = {0};
    nep_glm_pool *pool = NULL;
    static result r;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("glm_second.tsv"), &t));
    read_contrasts(&d, three, 3, c);
    fit(&d, c, 3, &o, y.data, y.n_cols, &f);
    assert_ok(ctx, nep_glm_pool_open(ctx, c, 3, y.n_cols, NEP_GLM_PRECISION, &pool));
    assert_ok(ctx, nep_glm_pool_add(pool, &f, NULL));
    nep_glm_pool_next(pool, f.df);
    for (int j = 0; j < 3; j++) {
        test(pool, j, c[j].f, &r);
        assert_int_equal(compare(&t, "ols", three[j][0], &r, NULL, y.n_cols, 2e-7), y.n_cols);
    }
    nep_glm_pool_free(pool);
    nep_glm_fit_free(&f);
    free_contrasts(c, 3);
    nep_glm_design_free(&d);
    nep_series_free(&y);
    nep_table_free(&t);
}

/* ---- Haxby ----------------------------------------------------------------------------------------------------------- */

static nep_glm_design haxby_design(int run)
{
    static double onset[64], duration[64];
    static const char *type[64];
    char path[100];
    nep_table t = {0};
    nep_glm_design d = {0};
    const nep_glm_timing o = {.tr_s = 2.5, .hrf = NEP_GLM_SPM, .drift = NEP_GLM_COSINE, .high_pass_hz = 0.01};
    snprintf(path, sizeof path, "haxby2001/run00%d/bold_events.tsv", run);
    assert_ok(ctx, nep_tsv_read(ctx, golden_shared(path), &t));
    for (int64_t i = 0; i < t.n_rows; i++) {
        assert_ok(ctx, nep_table_number(ctx, &t, i, 0, &onset[i]));
        assert_ok(ctx, nep_table_number(ctx, &t, i, 1, &duration[i]));
        type[i] = nep_table_cell(&t, i, 2);
    }
    const nep_glm_events e = {t.n_rows, onset, duration, NULL, type};
    assert_ok(ctx, nep_glm_design_first(ctx, 121, &e, NULL, &o, &d));
    nep_table_free(&t);
    return d;
}

static void haxby(const nep_volume *mask, int runs, nep_glm_noise noise, nep_glm_fixed fixed, result *r)
{
    static const char *const one[][2] = {{"difference", "face - house"}};
    const nep_glm_opts o = {noise, NEP_GLM_PERCENT, true};
    nep_glm_contrast c = {0};
    nep_glm_pool *pool = NULL;
    for (int run = 1; run <= runs; run++) {
        char path[100];
        nep_grid grid;
        nep_series y = {0};
        nep_glm_fit f = {0};
        nep_glm_design d = haxby_design(run);
        snprintf(path, sizeof path, "haxby2001/run00%d/bold_25mm.nii.gz", run);
        assert_ok(ctx, nep_nifti_read_series(ctx, golden_shared(path), mask, &y, &grid));
        if (run == 1) {
            read_contrasts(&d, one, 1, &c);
            assert_ok(ctx, nep_glm_pool_open(ctx, &c, 1, y.n_cols, fixed, &pool));
        }
        fit(&d, &c, 1, &o, y.data, y.n_cols, &f);
        assert_ok(ctx, nep_glm_pool_add(pool, &f, NULL));
        nep_glm_pool_next(pool, f.df);
        nep_glm_fit_free(&f);
        nep_glm_design_free(&d);
        nep_series_free(&y);
    }
    test(pool, 0, false, r);
    nep_glm_pool_free(pool);
    nep_glm_contrast_free(&c);
}

static void test_haxby(void **state)
{
    (void)state;
    if (!test_shared())
        test_skip();
    nep_table t = {0};
    nep_volume mask = {0};
    int64_t where[MOST_COLS], n = 0;
    static result r;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("glm_haxby.tsv"), &t));
    assert_ok(ctx, nep_nifti_read_volume(ctx, golden_shared("haxby2001/masks_25mm/brain.nii.gz"), &mask));
    for (int64_t v = 0; v < nep_grid_voxels(&mask.grid); v++)
        if (mask.data[v] != 0)
            where[n++] = v;
    assert_true(n == 129);
    static const struct {
        const char *model;
        int runs;
        nep_glm_noise noise;
        nep_glm_fixed fixed;
    } row[] = {{"ols", 1, NEP_GLM_OLS, NEP_GLM_PRECISION},
               {"ar1", 1, NEP_GLM_AR1, NEP_GLM_PRECISION},
               {"two_runs", 2, NEP_GLM_AR1, NEP_GLM_MEAN},
               {"precision", 2, NEP_GLM_AR1, NEP_GLM_PRECISION}};
    for (int k = 0; k < NEP_LEN(row); k++) {
        haxby(&mask, row[k].runs, row[k].noise, row[k].fixed, &r);
        assert_int_equal(compare(&t, row[k].model, "difference", &r, where, n, 1e-5), n);
    }
    nep_volume_free(&mask);
    nep_table_free(&t);
}

/* ---- properties ------------------------------------------------------------------------------------------------------ */

enum { N = 90, P = 4, COLS = 700 };

/* A design of noise with a constant at `at`, and series whose autocorrelation goes from -0.9 to 0.9. */
static nep_glm_design random_design(uint64_t seed, int at)
{
    static const char *const name[P] = {"a", "b", "c", "d"};
    nep_glm_design d = {.n = N, .p = P};
    assert_ok(ctx, nep_alloc(ctx, N * P, sizeof *d.x, "design", &d.x));
    assert_ok(ctx, nep_alloc(ctx, P, sizeof *d.names, "design", &d.names));
    for (int j = 0; j < P; j++) {
        assert_ok(ctx, nep_alloc_string(ctx, name[j], &d.names[j]));
        for (int i = 0; i < N; i++)
            d.x[i * P + j] = j == at ? 1 : nep_philox_normal(seed, (uint64_t)j, (uint64_t)i);
    }
    return d;
}

static float *random_series(uint64_t seed, const nep_glm_design *d, int64_t cols)
{
    float *y = calloc((size_t)(N * cols), sizeof *y);
    assert_non_null(y);
    for (int64_t c = 0; c < cols; c++) {
        double e = 0;
        for (int64_t i = 0; i < N; i++) {
            e = (1.8 * (double)c / (double)cols - 0.9) * e + nep_philox_normal(seed + 1, (uint64_t)c, (uint64_t)i);
            y[i * cols + c] = (float)(100 + 5 * e + (double)(c % 7) * d->x[i * P + 1]);
        }
    }
    return y;
}

static const char *const mixed[][2] = {{"a", "a - c"}, {"b", "b"}, {"f", "a; b - d"}};

/* [P] and RSS of least squares by elimination on x [n, P] and y [n]; inverse of X'X in inv [P, P]. */
static double least_squares(const double *x, const double *y, double *beta, double *inv)
{
    double a[P][2 * P] = {{0}}, right[P] = {0}, rss = 0;
    for (int j = 0; j < P; j++) {
        for (int i = 0; i < N; i++) {
            right[j] += x[i * P + j] * y[i];
            for (int k = 0; k < P; k++)
                a[j][k] += x[i * P + j] * x[i * P + k];
        }
        a[j][P + j] = 1;
    }
    for (int j = 0; j < P; j++) {
        const double pivot = a[j][j];
        for (int k = 0; k < 2 * P; k++)
            a[j][k] /= pivot;
        for (int i = 0; i < P; i++)
            for (int k = 2 * P - 1; i != j && k >= 0; k--)
                a[i][k] -= a[i][j] * a[j][k];
    }
    for (int j = 0; j < P; j++) {
        beta[j] = 0;
        for (int k = 0; k < P; k++) {
            inv[j * P + k] = a[j][P + k];
            beta[j] += a[j][P + k] * right[k];
        }
    }
    for (int i = 0; i < N; i++) {
        double e = y[i];
        for (int j = 0; j < P; j++)
            e -= x[i * P + j] * beta[j];
        rss += e * e;
    }
    return rss;
}

/* What the algebra must come to: residuals, their autocorrelation, whitening frame by frame, and a second fit. */
static void check_by_hand(const nep_glm_design *d, const nep_glm_contrast *c, const float *y, int64_t col, const nep_glm_fit *f)
{
    double own[N], x[N * P], w[N], e[N], beta[P], inv[P * P], same = 0, lagged = 0;
    for (int i = 0; i < N; i++)
        own[i] = (double)y[i * f->n_cols + col];
    least_squares(d->x, own, beta, inv);
    for (int i = 0; i < N; i++) {
        e[i] = own[i];
        for (int j = 0; j < P; j++)
            e[i] -= d->x[i * P + j] * beta[j];
        same += e[i] * e[i];
        lagged += i > 0 ? e[i] * e[i - 1] : 0;
    }
    const double exact = lagged / (N - 1) / (same / N), rho = f->rho[col];
    assert_true(fabs(rho) <= fabs(exact) + 1e-9 && fabs(rho - exact) < 0.01 + 1e-9);
    for (int i = 0; i < N; i++) {
        w[i] = own[i] - (i > 0 ? rho * own[i - 1] : 0);
        for (int j = 0; j < P; j++)
            x[i * P + j] = d->x[i * P + j] - (i > 0 ? rho * d->x[(i - 1) * P + j] : 0);
    }
    const double variance = least_squares(x, w, beta, inv) / (N - P);
    assert_near(f->dispersion[col], variance, 1e-9);
    int64_t row = 0, pair = 0;
    for (int k = 0; k < 3; k++)
        for (int64_t i = 0; i < c[k].rows; i++, row++) {
            const double *a = c[k].weight + i * P;
            double effect = 0;
            for (int j = 0; j < P; j++)
                effect += a[j] * beta[j];
            assert_near(f->effect[row * f->n_cols + col], effect, 1e-9);
            for (int64_t l = 0; l <= i; l++, pair++) {
                double v = 0;
                for (int j = 0; j < P; j++)
                    for (int m = 0; m < P; m++)
                        v += a[j] * inv[j * P + m] * c[k].weight[l * P + m];
                assert_near(f->covariance[pair * f->n_cols + col], variance * v, 1e-9);
            }
        }
}

static void test_whitening_by_hand(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) { /* without a constant too */
        nep_glm_design d = random_design(seed, seed % 2 ? 3 : -1);
        float *y = random_series(seed, &d, 60);
        nep_glm_contrast c[3] = {{0}};
        const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_UNSCALED, false};
        nep_glm_fit f = {0};
        read_contrasts(&d, mixed, 3, c);
        fit(&d, c, 3, &o, y, 60, &f);
        for (int64_t col = 0; col < 60; col++)
            check_by_hand(&d, c, y, col, &f);
        nep_glm_fit_free(&f);
        free_contrasts(c, 3);
        nep_glm_design_free(&d);
        free(y);
    }
}

static void test_same_bits_for_any_threads(void **state)
{
    (void)state;
    nep_glm_design d = random_design(9, 3);
    float *y = random_series(9, &d, COLS);
    nep_glm_contrast c[3] = {{0}};
    const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_PERCENT, false};
    nep_glm_fit f[4] = {{0}};
    nep_ctx *of[4];
    read_contrasts(&d, mixed, 3, c);
    for (int threads = 1; threads <= 3; threads++) {
        nep_ctx *own = of[threads] = test_ctx(threads);
        nep_glm *g = NULL;
        assert_ok(own, nep_glm_open(own, &d, c, 3, &o, "the design", &g));
        assert_ok(own, nep_glm_run(g, y, COLS, &f[threads]));
        assert_memory_equal(f[threads].effect, f[1].effect, (size_t)(f[1].n_rows * COLS) * sizeof(double));
        assert_memory_equal(f[threads].covariance, f[1].covariance, (size_t)(f[1].n_pairs * COLS) * sizeof(double));
        nep_glm_free(g);
    }
    for (int threads = 1; threads <= 3; threads++) {
        nep_glm_fit_free(&f[threads]);
        nep_ctx_free(of[threads]);
    }
    free_contrasts(c, 3);
    nep_glm_design_free(&d);
    free(y);
}

/* Columns in another order give their results in that order; twice the data give twice the effect and the same rho; a constant
 * added to a model with a constant changes nothing of the rest. */
static void test_order_scale_constant(void **state)
{
    (void)state;
    nep_glm_design d = random_design(11, 3);
    float *y = random_series(11, &d, COLS), *changed = calloc(N * COLS, sizeof *changed);
    int32_t order[COLS];
    nep_glm_contrast c[3] = {{0}};
    nep_glm_fit f = {0}, g = {0};
    const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_UNSCALED, false}, percent = {NEP_GLM_AR1, NEP_GLM_PERCENT, false};
    static const char *const slopes[][2] = {{"a", "a - c"}, {"b", "b"}, {"f", "a; b"}};
    nep_philox_permutation(3, 0, COLS, order);
    read_contrasts(&d, slopes, 3, c);
    fit(&d, c, 3, &o, y, COLS, &f);
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; k < COLS; k++)
            changed[i * COLS + k] = y[i * COLS + order[k]];
    fit(&d, c, 3, &o, changed, COLS, &g);
    for (int64_t k = 0; k < COLS; k++)
        for (int64_t r = 0; r < f.n_rows; r++)
            assert_near(g.effect[r * COLS + k], f.effect[r * COLS + order[k]], 1e-13);
    nep_glm_fit_free(&g);
    for (int64_t i = 0; i < N * COLS; i++)
        changed[i] = 2 * y[i];
    fit(&d, c, 3, &o, changed, COLS, &g);
    for (int64_t k = 0; k < COLS; k++) {
        assert_near(g.effect[k], 2 * f.effect[k], 0);
        assert_near(g.covariance[k], 4 * f.covariance[k], 0);
        assert_near(g.rho[k], f.rho[k], 0);
    }
    nep_glm_fit_free(&f);
    nep_glm_fit_free(&g);
    for (int64_t i = 0; i < N * COLS; i++)
        changed[i] = (float)(rint((double)y[i] * 1024) / 1024);
    fit(&d, c, 3, &o, changed, COLS, &f);
    for (int64_t i = 0; i < N * COLS; i++)
        changed[i] += 500; /* exact: a multiple of 2^-10 below 2^10 */
    fit(&d, c, 3, &o, changed, COLS, &g);
    for (int64_t k = 0; k < COLS; k++)
        if (g.rho[k] == f.rho[k]) { /* within rounding of a bin's edge it may fall on the other side */
            assert_near(g.effect[k], f.effect[k], 1e-9);
            assert_near(g.covariance[k], f.covariance[k], 1e-9);
        }
    nep_glm_fit_free(&f);
    nep_glm_fit_free(&g);
    fit(&d, c, 3, &percent, y, COLS, &f);
    for (int64_t i = 0; i < N * COLS; i++)
        changed[i] = 4 * y[i];
    fit(&d, c, 3, &percent, changed, COLS, &g);
    for (int64_t k = 0; k < COLS; k++)
        assert_near(g.effect[k], f.effect[k], 1e-12);
    nep_glm_fit_free(&f);
    nep_glm_fit_free(&g);
    free_contrasts(c, 3);
    nep_glm_design_free(&d);
    free(changed);
    free(y);
}

/* The basis chosen for a contrast of several rows does not show in F, and F of one row is the square of its t. */
static void test_f_of_any_basis(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"1", "a; b; c"}, {"2", "a + b; 3*b - c; 0.5*c + a - b"}, {"3", "F:a - b"}, {"4", "a - b"}};
    static result r[4];
    nep_glm_design d = random_design(12, 3);
    float *y = random_series(12, &d, 100);
    nep_glm_contrast c[4] = {{0}};
    nep_glm_fit f = {0};
    nep_glm_pool *pool = NULL;
    const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_UNSCALED, false};
    read_contrasts(&d, rows, 4, c);
    fit(&d, c, 4, &o, y, 100, &f);
    assert_ok(ctx, nep_glm_pool_open(ctx, c, 4, 100, NEP_GLM_PRECISION, &pool));
    for (int run = 0; run < 2; run++) { /* of one run and of two */
        assert_ok(ctx, nep_glm_pool_add(pool, &f, NULL));
        nep_glm_pool_next(pool, f.df);
        for (int j = 0; j < 4; j++)
            test(pool, j, c[j].f, &r[j]);
        for (int k = 0; k < 100; k++) {
            assert_near(r[1].stat[k], r[0].stat[k], 1e-9);
            assert_near(r[2].stat[k], r[3].stat[k] * r[3].stat[k], 1e-9);
            assert_near(r[0].z[k], nep_glm_z_of_f(r[0].stat[k], 3, f.df * (run + 1)), 1e-12);
        }
    }
    assert_fails(nep_glm_pool_test(pool, 0, r[0].effect, NULL, NULL, NULL), NEP_E_ARG);
    assert_fails(nep_glm_pool_test(pool, 4, NULL, NULL, r[0].stat, NULL), NEP_E_ARG);
    nep_ctx_clear(ctx);
    nep_glm_pool_free(pool);
    nep_glm_fit_free(&f);
    free_contrasts(c, 4);
    nep_glm_design_free(&d);
    free(y);
}

static void test_columns_without_a_fit(void **state)
{
    (void)state;
    nep_glm_design d = random_design(13, 3);
    float *y = random_series(13, &d, 6);
    nep_glm_contrast c[3] = {{0}};
    nep_glm_fit f = {0};
    nep_glm_pool *pool = NULL;
    static result r;
    const nep_glm_opts o = {NEP_GLM_AR1, NEP_GLM_PERCENT, false};
    int64_t two[2] = {4, 1};
    for (int64_t i = 0; i < N; i++) {
        y[i * 6 + 1] = 7;                                       /* constant */
        y[i * 6 + 2] = (float)(3 * d.x[i * P] - 5 * d.x[i * P + 2] + 50); /* nothing beside the design */
        y[i * 6 + 3] -= 200;                                    /* no mean above 0 */
    }
    y[5 * 6 + 0] = NAN;
    y[5 * 6 + 5] = INFINITY;
    read_contrasts(&d, mixed, 3, c);
    fit(&d, c, 3, &o, y, 6, &f);
    for (int k = 0; k < 6; k++)
        assert_true(isnan(f.effect[k]) == (k != 4) && isnan(f.covariance[k]) == (k != 4) && isnan(f.rho[k]) == (k != 4));
    assert_true(f.n_missing == 2 && f.n_flat == 2 && f.n_unscaled == 1);
    assert_ok(ctx, nep_glm_pool_open(ctx, c, 3, 6, NEP_GLM_PRECISION, &pool));
    assert_ok(ctx, nep_glm_pool_add(pool, &f, NULL));
    nep_glm_pool_next(pool, f.df);
    assert_ok(ctx, nep_glm_pool_add(pool, &f, NULL));
    nep_glm_pool_next(pool, f.df);
    for (int j = 0; j < 3; j++) {
        test(pool, j, c[j].f, &r);
        for (int k = 0; k < 6; k++)
            assert_true(isnan(r.stat[k]) == (k != 4) && isnan(r.z[k]) == (k != 4));
    }
    nep_glm_fit_free(&f);
    fit(&d, c, 3, &o, y, 0, &f); /* no columns, no work */
    nep_glm_fit_free(&f);
    nep_glm_pool_free(pool);
    assert_ok(ctx, nep_glm_pool_open(ctx, c, 3, 5, NEP_GLM_PRECISION, &pool)); /* columns at places of their own */
    for (int64_t i = 0; i < N; i++) {
        y[i * 2] = y[i * 6 + 4];
        y[i * 2 + 1] = (float)i + 1;
    }
    fit(&d, c, 3, &o, y, 2, &f);
    assert_ok(ctx, nep_glm_pool_add(pool, &f, two));
    nep_glm_pool_next(pool, f.df);
    test(pool, 0, false, &r);
    assert_near(r.effect[4], f.effect[0], 0);
    assert_near(r.effect[1], f.effect[1], 0);
    nep_glm_pool_free(pool);
    nep_glm_fit_free(&f);
    free_contrasts(c, 3);
    nep_glm_design_free(&d);
    free(y);
}

/* ---- refusals -------------------------------------------------------------------------------------------------------- */

static void refused(const nep_glm_design *d, nep_glm_contrast *c, int n, nep_status want, const char *word)
{
    nep_glm *g = NULL;
    const nep_glm_opts o = {NEP_GLM_OLS, NEP_GLM_UNSCALED, false};
    assert_fails(nep_glm_open(ctx, d, c, n, &o, "run 2", &g), want);
    if (!strstr(nep_ctx_error(ctx), word))
        fail_msg("'%s' does not say '%s'", nep_ctx_error(ctx), word);
    nep_ctx_clear(ctx);
    assert_null(g);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const two[][2] = {{"difference", "a - c"}, {"slope", "b"}};
    nep_glm_design d = random_design(14, 3);
    nep_glm_contrast c[2] = {{0}};
    double keep[N];
    read_contrasts(&d, two, 2, c);
    for (int i = 0; i < N; i++) {
        keep[i] = d.x[i * P];
        d.x[i * P] = 2 * d.x[i * P + 2] - 3; /* a of c and d */
    }
    refused(&d, c, 2, NEP_E_SINGULAR, "run 2 is singular: 'a' is a linear combination of 'c', 'd'; leave one of them out (not estimable: contrast 'difference')");
    refused(&d, c + 1, 1, NEP_E_SINGULAR, "'c', 'd'; leave one of them out");
    for (int i = 0; i < N; i++)
        d.x[i * P] = 0;
    refused(&d, c, 2, NEP_E_SINGULAR, "column 'a' is zero throughout; leave it out (not estimable: contrast 'difference')");
    for (int i = 0; i < N; i++)
        d.x[i * P] = i == 4 ? (double)INFINITY : keep[i];
    refused(&d, c, 2, NEP_E_ARG, "column 'a' of run 2 has a value that is missing or not finite");
    d.x[4 * P] = keep[4];
    refused(&d, c, 0, NEP_E_ARG, "no contrast");
    d.n = P;
    refused(&d, c, 2, NEP_E_SHAPE, "4 rows and 4 columns; no degree of freedom");
    d.n = 3;
    refused(&d, c, 2, NEP_E_SHAPE, "3 rows and 4 columns; no degree of freedom");
    d.n = N;
    c[0].p = 3;
    refused(&d, c, 2, NEP_E_ARG, "contrast 'difference' is of another design than run 2");
    c[0].p = P;
    free_contrasts(c, 2);
    nep_glm_design_free(&d);
}

/* ---- z --------------------------------------------------------------------------------------------------------------- */

static void test_z(void **state)
{
    (void)state;
    nep_table t = {0};
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("glm_z.tsv"), &t));
    for (int64_t r = 0; r < t.n_rows; r++) {
        double x[5];
        for (int k = 1; k < 5; k++)
            assert_ok(ctx, nep_table_number(ctx, &t, r, k, &x[k]));
        const bool f = *nep_table_cell(&t, r, 0) == 'f';
        const double z = f ? nep_glm_z_of_f(x[1], x[2], x[3]) : nep_glm_z_of_t(x[1], x[2]);
        if (fabs(z - x[4]) > 1e-9 * fabs(x[4]) + 1e-15)
            fail_msg("%s of %g on %g, %g: %.15g, reference %.15g", nep_table_cell(&t, r, 0), x[1], x[2], x[3], z, x[4]);
    }
    nep_table_free(&t);
    assert_true(isnan(nep_glm_z_of_t((double)NAN, 3)) && isnan(nep_glm_z_of_t(1, 0)) && isnan(nep_glm_z_of_f(-1, 2, 2)));
    assert_true(nep_glm_z_of_t(0, 4) == 0 && isinf(nep_glm_z_of_t((double)INFINITY, 4)) && nep_glm_z_of_f(0, 2, 9) == -(double)INFINITY);
    for (double df = 1; df < 2000; df *= 1.7)
        for (double s = 1e-6; s < 1e8; s *= 7.3) {
            assert_near(nep_glm_z_of_t(-s, df), -nep_glm_z_of_t(s, df), 0);
            assert_true(nep_glm_z_of_t(1.01 * s, df) > nep_glm_z_of_t(s, df));
            assert_true(nep_glm_z_of_f(1.01 * s, 3, df) > nep_glm_z_of_f(s, 3, df));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_second_level),
        cmocka_unit_test(test_haxby),
        cmocka_unit_test(test_whitening_by_hand),
        cmocka_unit_test(test_same_bits_for_any_threads),
        cmocka_unit_test(test_order_scale_constant),
        cmocka_unit_test(test_f_of_any_basis),
        cmocka_unit_test(test_columns_without_a_fit),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_z),
    };
    return test_end(cmocka_run_group_tests(tests, load, unload));
}
