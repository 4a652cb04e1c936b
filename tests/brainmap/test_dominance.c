/* SPDX-License-Identifier: Apache-2.0 */
/* Dominance against refitting every subset. */
#include "book.h"

#include <nepenthe/brainmap.h>

#define BOOK TEST_GOLDEN("brainmap.tsv")

static void test_meets_refitting_every_subset(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    double *x = book_read(BOOK, "dominance_x", NULL, NULL), *y = book_read(BOOK, "dominance_y", NULL, NULL);
    double *want = book_read(BOOK, "dominance_out", NULL, NULL),
           *total = book_read(BOOK, "dominance_r2", NULL, NULL);
    nep_dominance *d = NULL;
    double out[15], r2[3];
    assert_ok(ctx, nep_dominance_create(ctx, x, 25, 5, NULL, &d));
    assert_ok(ctx, nep_dominance_score(ctx, d, y, 3, out, r2));
    for (int i = 0; i < 15; i++)
        assert_near(out[i], want[i], 1e-11);
    for (int m = 0; m < 3; m++) {
        double sum = 0.0;
        for (int j = 0; j < 5; j++)
            sum += out[m * 5 + j];
        assert_near(r2[m], total[m], 1e-11);
        assert_near(sum, r2[m], 1e-11); /* the parts make the whole */
    }
    nep_dominance_free(d);
    free(x);
    free(y);
    free(want);
    free(total);
    nep_ctx_free(ctx);
}

static void made_up(int n, int p, double *x)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p; j++)
            x[i * p + j] =
                nep_philox_normal(4, (uint64_t)j, (uint64_t)i) + 0.7 * nep_philox_normal(4, 99, (uint64_t)i);
}

static void test_same_bits_for_any_thread_count(void **state)
{
    (void)state;
    enum { N = 40, P = 14 };
    double x[N * P], y[N], out[3][P];
    const int threads[3] = {1, 2, 7};
    made_up(N, P, x);
    for (int i = 0; i < N; i++)
        y[i] = x[i * P] + nep_philox_normal(5, 0, (uint64_t)i);
    for (int t = 0; t < 3; t++) {
        nep_ctx *ctx = test_ctx(threads[t]);
        nep_dominance *d = NULL;
        double r2, sum = 0.0;
        assert_ok(ctx, nep_dominance_create(ctx, x, N, P, NULL, &d));
        assert_ok(ctx, nep_dominance_score(ctx, d, y, 1, out[t], &r2));
        for (int j = 0; j < P; j++)
            sum += out[t][j];
        assert_near(sum, r2, 1e-10);
        nep_dominance_free(d);
        nep_ctx_free(ctx);
    }
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    assert_memory_equal(out[0], out[2], sizeof out[0]);
}

static void test_bad_predictors_are_named(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    double x[30 * 21];
    char *names[3] = {"D1", "D2", "D3"};
    nep_dominance *d = NULL;
    made_up(30, 3, x);
    for (int i = 0; i < 30; i++)
        x[i * 3 + 2] = 2.0 * x[i * 3] - 1.0;
    assert_fails(nep_dominance_create(ctx, x, 30, 3, names, &d), NEP_E_SINGULAR);
    assert_non_null(strstr(nep_ctx_error(ctx), "predictor 'D3' is a linear combination of 'D1'"));
    assert_null(strstr(nep_ctx_error(ctx), "D2"));
    nep_ctx_clear(ctx);
    for (int i = 0; i < 30; i++)
        x[i * 3 + 1] = 0.1;
    assert_fails(nep_dominance_create(ctx, x, 30, 3, names, &d), NEP_E_SINGULAR);
    assert_non_null(strstr(nep_ctx_error(ctx), "'D2' is constant"));
    nep_ctx_clear(ctx);
    assert_fails(nep_dominance_create(ctx, x, 30, 21, NULL, &d), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "21 predictors"));
    nep_ctx_clear(ctx);
    assert_fails(nep_dominance_create(ctx, x, 4, 3, NULL, &d), NEP_E_ARG);
    assert_null(d);
    nep_ctx_free(ctx);
}

static void test_p_counts_about_the_mean(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const double observed[2] = {3.0, 0.5},
                 null[8] = {0.0, 1.0, 1.0, 0.5, 2.0, 0.5, 1.0, 0.0}; /* means 1 and 0.5 */
    double p[2];
    assert_ok(ctx, nep_dominance_p(ctx, observed, null, 4, 2, p));
    assert_near(p[0], 0.2, 1e-15); /* none of 4 is as far as 2: never 0 */
    assert_near(p[1], 1.0, 1e-15); /* at the mean: all */
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meets_refitting_every_subset),
        cmocka_unit_test(test_same_bits_for_any_thread_count),
        cmocka_unit_test(test_bad_predictors_are_named),
        cmocka_unit_test(test_p_counts_about_the_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
