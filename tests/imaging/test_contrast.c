/* SPDX-License-Identifier: Apache-2.0 */
/* Two groups with covariates against least squares, SciPy's gamma and whole permutation distributions. */
#include <jansson.h>
#include <nepenthe/contrast.h>

#include "brainmap/book.h"

#define BOOK TEST_GOLDEN("contrast.tsv")

typedef struct {
    int n, cols, k;
    float *y;
    bool *first;
    double *z;
} data;

static data data_read(const char *name)
{
    char key[64];
    data d = {0};
    snprintf(key, sizeof key, "%s_y", name);
    double *y = book_read(BOOK, key, &d.n, &d.cols);
    snprintf(key, sizeof key, "%s_group", name);
    double *g = book_read(BOOK, key, NULL, NULL);
    d.y = calloc((size_t)(d.n * d.cols), sizeof *d.y);
    d.first = calloc((size_t)d.n, sizeof *d.first);
    for (int i = 0; i < d.n * d.cols; i++)
        d.y[i] = (float)y[i];
    for (int i = 0; i < d.n; i++)
        d.first[i] = g[i] != 0.0;
    if (strcmp(name, "plain") != 0) {
        snprintf(key, sizeof key, "%s_z", name);
        d.z = book_read(BOOK, key, NULL, &d.k);
    }
    free(y);
    free(g);
    return d;
}

static void data_free(data *d)
{
    free(d->y);
    free(d->first);
    free(d->z);
}

static void test_effects_meet_least_squares(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    const char *const names[] = {"plain", "lane", "large"};
    for (int s = 0; s < 3; s++) {
        data d = data_read(names[s]);
        char key[64];
        nep_contrast_result r = {0};
        const nep_contrast_opts o = {.n_perm = 0};
        snprintf(key, sizeof key, "%s_t_df_g_se_low_high", names[s]);
        double *want = book_read(BOOK, key, NULL, NULL);
        assert_ok(ctx, nep_contrast_groups(ctx, d.y, d.n, d.cols, NULL, d.first, d.z, d.k, NULL, &o, &r));
        for (int v = 0; v < d.cols; v++) {
            const double got[6] = {r.t[v], r.df, r.g[v], r.se[v], r.low[v], r.high[v]};
            for (int i = 0; i < 6; i++)
                assert_near(got[i], want[v * 6 + i], 1e-10);
            assert_true(isnan(r.p[v]) && isnan(r.p_fwe[v]));
        }
        assert_false(r.exhaustive);
        free(want);
        nep_contrast_free(&r);
        data_free(&d);
    }
    nep_ctx_free(ctx);
}

/* All relabelings: 70 ways to choose 4 of 8, and 7! orders of rows that all differ. */
static void test_every_relabeling(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    const char *const names[] = {"plain", "lane"};
    for (int s = 0; s < 2; s++) {
        data d = data_read(names[s]);
        char key[64];
        nep_contrast_result r = {0};
        snprintf(key, sizeof key, "%s_total", names[s]);
        double *total = book_read(BOOK, key, NULL, NULL);
        snprintf(key, sizeof key, "%s_p", names[s]);
        double *p = book_read(BOOK, key, NULL, NULL);
        snprintf(key, sizeof key, "%s_p_fwe", names[s]);
        double *fwe = book_read(BOOK, key, NULL, NULL);
        assert_ok(ctx, nep_contrast_groups(ctx, d.y, d.n, d.cols, NULL, d.first, d.z, d.k, NULL, NULL, &r));
        assert_true(r.exhaustive);
        assert_int_equal(r.n_relabelings, (int64_t)total[0]);
        for (int v = 0; v < d.cols; v++) {
            assert_near(r.p[v], p[v], 1e-14);
            assert_near(r.p_fwe[v], fwe[v], 1e-14);
        }
        nep_contrast_free(&r);
        /* one fewer than all: drawn, so the least p is 1 / (n + 1) and never 0 */
        const nep_contrast_opts o = {.n_perm = (int64_t)total[0] - 1};
        assert_ok(ctx, nep_contrast_groups(ctx, d.y, d.n, d.cols, NULL, d.first, d.z, d.k, NULL, &o, &r));
        assert_false(r.exhaustive);
        for (int v = 0; v < d.cols; v++) {
            assert_true(r.p[v] > 0.0 && r.p_fwe[v] >= r.p[v]);
            const double count = r.p[v] * total[0];
            assert_near(count, round(count), 1e-9);
        }
        nep_contrast_free(&r);
        free(total);
        free(p);
        free(fwe);
        data_free(&d);
    }
    nep_ctx_free(ctx);
}

/* A second, independently written reference of the 4 + 4 distribution. */
static void test_four_and_four(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const bool first[8] = {true, true, true, true};
    float y[48];
    nep_contrast_result r = {0};
    FILE *f = fopen(TEST_GOLDEN("contrast_small.tsv"), "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*[^\n]"), 0);
    for (int i = 0; i < 48; i++)
        assert_int_equal(fscanf(f, "%f", &y[i]), 1);
    fclose(f);
    json_t *doc = json_load_file(TEST_GOLDEN("contrast.json"), 0, NULL),
           *want = json_object_get(doc, "exhaustive");
    assert_non_null(want);
    assert_ok(ctx, nep_contrast_groups(ctx, y, 8, 6, NULL, first, NULL, 0, NULL, NULL, &r));
    assert_int_equal(r.n_relabelings, 70);
    for (size_t v = 0; v < 6; v++) {
        assert_near(r.t[v], json_number_value(json_array_get(json_object_get(want, "observed_t"), v)), 1e-9);
        assert_near(r.p[v], json_number_value(json_array_get(json_object_get(want, "p"), v)), 1e-12);
        assert_near(r.p_fwe[v], json_number_value(json_array_get(json_object_get(want, "p_max_t"), v)),
                    1e-12);
    }
    const char *df;
    json_t *j;
    json_object_foreach(json_object_get(doc, "hedges_j"), df, j)
        assert_near(nep_contrast_correction(atof(df)), json_number_value(json_object_get(j, "exact")), 1e-12);
    json_decref(doc);
    nep_contrast_free(&r);
    nep_ctx_free(ctx);
}

static void test_correction_is_exact_where_the_usual_one_is_not(void **state)
{
    (void)state;
    assert_near(nep_contrast_correction(2.0), sqrt(1.0 / 3.14159265358979323846),
                1e-14); /* Gamma(1) / Gamma(1/2) */
    assert_near(nep_contrast_correction(4.0), 1.0 / (sqrt(2.0) * 0.88622692545275801365), 1e-14);
    assert_true(fabs(nep_contrast_correction(2.0) - (1.0 - 3.0 / 7.0)) > 0.007);
    assert_true(fabs(nep_contrast_correction(100.0) - (1.0 - 3.0 / 399.0)) < 1e-5);
    assert_true(isnan(nep_contrast_correction(1.0)));
}

static void test_same_p_for_any_thread_count(void **state)
{
    (void)state;
    data d = data_read("large");
    double p[3][5], fwe[3][5];
    const int threads[3] = {1, 2, 7};
    for (int s = 0; s < 3; s++) {
        nep_ctx *ctx = test_ctx(threads[s]);
        nep_contrast_result r = {0};
        const nep_contrast_opts o = {.n_perm = 2000};
        assert_ok(ctx, nep_contrast_groups(ctx, d.y, d.n, d.cols, NULL, d.first, d.z, d.k, NULL, &o, &r));
        memcpy(p[s], r.p, sizeof p[s]);
        memcpy(fwe[s], r.p_fwe, sizeof fwe[s]);
        nep_contrast_free(&r);
        nep_ctx_free(ctx);
    }
    assert_memory_equal(p[0], p[1], sizeof p[0]);
    assert_memory_equal(p[0], p[2], sizeof p[0]);
    assert_memory_equal(fwe[0], fwe[2], sizeof fwe[0]);
    data_free(&d);
}

/* Swapping the groups turns the sign and nothing else; scaling and shifting a column changes nothing. */
static void test_what_must_not_matter(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    data d = data_read("plain");
    nep_contrast_result a = {0}, b = {0};
    assert_ok(ctx, nep_contrast_groups(ctx, d.y, d.n, d.cols, NULL, d.first, NULL, 0, NULL, NULL, &a));
    for (int i = 0; i < d.n; i++)
        d.first[i] = !d.first[i];
    for (int i = 0; i < d.n * d.cols; i++)
        d.y[i] = 4.0f * d.y[i] + 8.0f;
    assert_ok(ctx, nep_contrast_groups(ctx, d.y, d.n, d.cols, NULL, d.first, NULL, 0, NULL, NULL, &b));
    for (int v = 0; v < d.cols; v++) {
        assert_near(a.t[v], -b.t[v], 1e-4); /* float32 data were rounded again */
        assert_near(a.p[v], b.p[v], 1e-12);
        assert_near(a.p_fwe[v], b.p_fwe[v], 1e-12);
    }
    nep_contrast_free(&a);
    nep_contrast_free(&b);
    data_free(&d);
    nep_ctx_free(ctx);
}

static void test_missing_and_constant_columns_are_left_out(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    data d = data_read("plain");
    nep_contrast_result whole = {0}, less = {0};
    char *names[5] = {"one", "two", "three", "four", "five"};
    float four[8 * 3];
    d.y[3 * 5 + 1] = NAN;
    for (int i = 0; i < 8; i++) {
        d.y[i * 5 + 2] = 6.1f;
        four[i * 3] = d.y[i * 5];
        four[i * 3 + 1] = d.y[i * 5 + 3];
        four[i * 3 + 2] = d.y[i * 5 + 4];
    }
    assert_ok(ctx, nep_contrast_groups(ctx, d.y, 8, 5, names, d.first, NULL, 0, NULL, NULL, &whole));
    assert_ok(ctx, nep_contrast_groups(ctx, four, 8, 3, NULL, d.first, NULL, 0, NULL, NULL, &less));
    assert_int_equal(whole.n_missing, 1);
    assert_int_equal(whole.n_constant, 1);
    assert_true(isnan(whole.g[1]) && isnan(whole.p[1]) && isnan(whole.g[2]) && isnan(whole.p_fwe[2]) &&
                isnan(whole.se[2]));
    assert_near(whole.p_fwe[0], less.p_fwe[0], 0.0);
    assert_near(whole.p_fwe[4], less.p_fwe[2], 0.0);
    assert_int_equal(nep_warn_count(ctx), 2);
    assert_non_null(strstr(nep_warn_get(ctx, 0), "'two'"));
    nep_contrast_free(&whole);
    nep_contrast_free(&less);
    data_free(&d);
    nep_ctx_free(ctx);
}

static void test_singular_designs_name_their_columns(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    data d = data_read("plain");
    nep_contrast_result r = {.n1 = -5};
    double z[8 * 3];
    char *names[3] = {"age", "age_months", "site"};
    for (int i = 0; i < 8; i++) {
        z[i * 3] = 20.0 + i * i;
        z[i * 3 + 1] = 12.0 * z[i * 3] + 1.0;
        z[i * 3 + 2] = i % 2;
    }
    assert_fails(nep_contrast_groups(ctx, d.y, 8, 5, NULL, d.first, z, 3, names, NULL, &r), NEP_E_SINGULAR);
    assert_non_null(
        strstr(nep_ctx_error(ctx), "'age_months' is a linear combination of the intercept, 'age'"));
    nep_ctx_clear(ctx);
    for (int i = 0; i < 8; i++) {
        z[i * 2] = 20.0 + i * i;
        z[i * 2 + 1] = d.first[i] ? 3.0 : 1.0;
    }
    names[1] = "scanner";
    assert_fails(nep_contrast_groups(ctx, d.y, 8, 5, NULL, d.first, z, 2, names, NULL, &r), NEP_E_SINGULAR);
    assert_non_null(strstr(nep_ctx_error(ctx), "not estimable"));
    assert_non_null(strstr(nep_ctx_error(ctx), "'scanner'"));
    assert_null(strstr(nep_ctx_error(ctx), "'age'"));
    nep_ctx_clear(ctx);
    const bool all[8] = {true, true, true, true, true, true, true, true};
    assert_fails(nep_contrast_groups(ctx, d.y, 8, 5, NULL, all, NULL, 0, NULL, NULL, &r), NEP_E_ARG);
    assert_int_equal(r.n1, -5);
    data_free(&d);
    nep_ctx_free(ctx);
}

/* Covariates that act on y and differ between groups: without an effect p must stay uniform. */
static void test_level_holds_with_covariates(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    enum { N = 16, COLS = 800 };
    static float y[N * COLS];
    bool first[N];
    double z[N];
    nep_contrast_result r = {0};
    int hits = 0;
    for (int i = 0; i < N; i++) {
        first[i] = i < 8;
        z[i] = nep_philox_normal(3, 1, (uint64_t)i) + (i < 8 ? 1.0 : 0.0);
        for (int v = 0; v < COLS; v++)
            y[i * COLS + v] = (float)(2.0 * z[i] + nep_philox_normal(3, 2, (uint64_t)(i * COLS + v)));
    }
    const nep_contrast_opts o = {.n_perm = 499};
    assert_ok(ctx, nep_contrast_groups(ctx, y, N, COLS, NULL, first, z, 1, NULL, &o, &r));
    for (int v = 0; v < COLS; v++)
        hits += r.p[v] <= 0.05;
    assert_in_range(hits, 22, 60); /* 40 expected; 3 sd are 18 */
    nep_contrast_free(&r);
    nep_ctx_free(ctx);
}

/* Every allocation fails once: no leak (the sanitizer build looks), nothing half written. */
static void test_failed_allocations(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    data d = data_read("plain");
    const nep_contrast_opts o = {.n_perm = 50};
    nep_status st = NEP_E_NOMEM;
    const int64_t before = nep_alloc_used(ctx);
    for (int64_t at = 0; st != NEP_OK; at++) {
        nep_contrast_result r = {.n1 = -5};
        nep_ctx_clear(ctx);
        nep_alloc_fail_at(ctx, at);
        st = nep_contrast_groups(ctx, d.y, d.n, d.cols, NULL, d.first, NULL, 0, NULL, &o, &r);
        assert_true(st == NEP_OK || (st == NEP_E_NOMEM && r.n1 == -5));
        if (st == NEP_OK)
            nep_contrast_free(&r);
        assert_int_equal(nep_alloc_used(ctx), before);
        assert_true(at < 200);
    }
    data_free(&d);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_effects_meet_least_squares),
        cmocka_unit_test(test_every_relabeling),
        cmocka_unit_test(test_four_and_four),
        cmocka_unit_test(test_correction_is_exact_where_the_usual_one_is_not),
        cmocka_unit_test(test_same_p_for_any_thread_count),
        cmocka_unit_test(test_what_must_not_matter),
        cmocka_unit_test(test_missing_and_constant_columns_are_left_out),
        cmocka_unit_test(test_singular_designs_name_their_columns),
        cmocka_unit_test(test_level_holds_with_covariates),
        cmocka_unit_test(test_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
