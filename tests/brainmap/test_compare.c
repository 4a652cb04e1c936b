/* SPDX-License-Identifier: Apache-2.0 */
/* Map against map: SciPy's values, and the defects of other tools turned into tests. */
#include "book.h"
#include "field.h"

#define BOOK TEST_GOLDEN("brainmap.tsv")

static void test_correlations_meet_scipy(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    double *a = book_read(BOOK, "compare_a", NULL, NULL), *b = book_read(BOOK, "compare_b", NULL, NULL);
    double *pearson = book_read(BOOK, "compare_pearson", NULL, NULL),
           *spearman = book_read(BOOK, "compare_spearman", NULL, NULL);
    nep_comparison c;
    nep_compare_opts o = {.n_nulls = 0};
    assert_ok(ctx, nep_compare_maps(ctx, NULL, NULL, 30, a, b, &o, &c));
    assert_near(c.r, pearson[0], 1e-13);
    assert_int_equal(c.n_regions, 28);
    assert_true(isnan(c.p));
    o.statistic = NEP_COMPARE_SPEARMAN;
    assert_ok(ctx, nep_compare_maps(ctx, NULL, NULL, 30, a, b, &o, &c));
    assert_near(c.r, spearman[0], 1e-13);
    free(a);
    free(b);
    free(pearson);
    free(spearman);
    nep_ctx_free(ctx);
}

/* p of surrogates of `moved` by the definition, each surrogate with its own mask and, for Spearman, its own
 * ranks. */
static double count_by_hand(nep_ctx *ctx, const nep_geometry *g, nep_nulls_kind kind, nep_compare_statistic s,
                            const double *moved, const double *still, int n, int n_nulls)
{
    nep_nulls *nulls = NULL;
    double scratch[4 * 80], out[80];
    int reached = 0;
    const double r = nep_compare_statistic_of(s, moved, still, n, scratch);
    assert_ok(ctx, nep_nulls_create(ctx, g, NULL, kind, &nulls));
    for (int b = 0; b < n_nulls; b++) {
        assert_ok(ctx, nep_nulls_draw(ctx, nulls, moved, 0, b, 1, out));
        reached += fabs(nep_compare_statistic_of(s, out, still, n, scratch)) >= fabs(r) * (1 - 1e-10);
    }
    nep_nulls_free(nulls);
    return (1.0 + reached) / (n_nulls + 1.0);
}

/* A tool in use correlates ranked data with unranked surrogates: with one huge value the two disagree widely.
 */
static void test_spearman_ranks_its_surrogates(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 30, 0);
    double a[60], b[60], exponent[60];
    nep_comparison c, d;
    field_map(&g, 1, a);
    field_map(&g, 2, b);
    for (int i = 0; i < 60; i++) {
        b[i] += a[i];
        exponent[i] = exp(9.0 * a[i]); /* the same order, another scale */
    }
    const nep_compare_opts o = {.statistic = NEP_COMPARE_SPEARMAN,
                                .kind = NEP_NULLS_SPIN,
                                .n_nulls = 499,
                                .permute = NEP_COMPARE_BOTH};
    assert_ok(ctx, nep_compare_maps(ctx, &g, NULL, 60, a, b, &o, &c));
    assert_ok(ctx, nep_compare_maps(ctx, &g, NULL, 60, exponent, b, &o, &d));
    assert_near(c.r, d.r, 1e-13);
    assert_near(c.p_a, d.p_a, 1e-13); /* ranks of surrogates do not see the scale */
    assert_near(c.p_b, d.p_b, 1e-13);
    assert_near(c.p_a, count_by_hand(ctx, &g, NEP_NULLS_SPIN, NEP_COMPARE_SPEARMAN, a, b, 60, 499), 1e-13);
    assert_near(c.p, fmax(c.p_a, c.p_b), 0.0);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

/* A tool in use masks surrogates by where the data were missing; missing regions travel with the rotation
 * instead. */
static void test_missing_regions_travel_with_their_surrogate(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 30, 0);
    double a[60], b[60], scratch[4 * 60], out[60];
    nep_nulls *nulls = NULL;
    nep_comparison c;
    field_map(&g, 1, a);
    field_map(&g, 2, b);
    for (int i = 0; i < 60; i++)
        b[i] += 0.4 * a[i];
    a[4] = a[5] = a[40] = b[11] = (double)NAN;
    const nep_compare_opts o = {.kind = NEP_NULLS_SPIN, .n_nulls = 199, .permute = NEP_COMPARE_A};
    assert_ok(ctx, nep_compare_maps(ctx, &g, NULL, 60, a, b, &o, &c));
    assert_int_equal(c.n_regions, 56);
    assert_near(c.p_a, count_by_hand(ctx, &g, NEP_NULLS_SPIN, NEP_COMPARE_PEARSON, a, b, 60, 199), 1e-13);
    assert_true(isnan(c.p_b));

    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_SPIN, &nulls));
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, a, 0, 3, 1, out));
    int missing = 0, elsewhere = 0;
    for (int i = 0; i < 60; i++) {
        missing += isnan(out[i]);
        elsewhere += isnan(out[i]) && !isnan(a[i]);
    }
    assert_int_equal(missing, 3);
    assert_true(elsewhere > 0);
    assert_true(isfinite(nep_compare_statistic_of(NEP_COMPARE_PEARSON, out, b, 60, scratch)));
    nep_nulls_free(nulls);

    const nep_compare_opts moran = {.kind = NEP_NULLS_MORAN, .n_nulls = 199, .permute = NEP_COMPARE_BOTH};
    assert_ok(ctx, nep_compare_maps(ctx, &g, NULL, 60, a, b, &moran, &c)); /* each map's own regions */
    assert_true(c.p_a > 0.0 && c.p_b > 0.0);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

/* A tool in use can print p = 0; with +1 the least p is 1 / (n + 1), reached by a map against itself. */
static void test_p_is_never_zero(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    nep_geometry g = field_geometry(ctx, 30, 0);
    double a[60];
    nep_comparison c;
    field_map(&g, 5, a);
    const nep_compare_opts o = {.kind = NEP_NULLS_MORAN, .n_nulls = 99, .permute = NEP_COMPARE_BOTH};
    assert_ok(ctx, nep_compare_maps(ctx, &g, NULL, 60, a, a, &o, &c));
    assert_near(c.r, 1.0, 1e-14);
    assert_near(c.p, 0.01, 1e-15);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

/* One tie rule: three regions a side, so many spins leave the map as it is; every one of those counts. */
static void test_ties_count(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    nep_geometry g = field_geometry(ctx, 3, 0);
    const double a[6] = {0.1, 0.7, -0.3, 0.1, 0.7, -0.3}, b[6] = {0.3, 0.2, -0.9, 0.3, 0.2, -0.9};
    nep_nulls *nulls = NULL;
    int32_t index[200 * 6];
    double scratch[24];
    int same = 0, above = 0;
    nep_comparison c;
    assert_ok(ctx, nep_nulls_create(ctx, &g, NULL, NEP_NULLS_SPIN, &nulls));
    assert_ok(ctx, nep_nulls_indices(ctx, nulls, 0, 0, 200, index));
    const double r = nep_compare_statistic_of(NEP_COMPARE_PEARSON, a, b, 6, scratch);
    for (int s = 0; s < 200; s++) {
        double x[6];
        bool still = true;
        for (int i = 0; i < 6; i++) {
            x[i] = a[index[s * 6 + i]];
            still = still && index[s * 6 + i] == i;
        }
        same += still;
        above +=
            !still && fabs(nep_compare_statistic_of(NEP_COMPARE_PEARSON, x, b, 6, scratch)) > fabs(r) + 1e-9;
    }
    assert_true(same > 5);
    const nep_compare_opts o = {.kind = NEP_NULLS_SPIN, .n_nulls = 200, .permute = NEP_COMPARE_A};
    assert_ok(ctx, nep_compare_maps(ctx, &g, NULL, 6, a, b, &o, &c));
    assert_near(c.p, (1.0 + same + above) / 201.0, 1e-14);
    nep_nulls_free(nulls);
    nep_geometry_free(&g);
    nep_ctx_free(ctx);
}

static void test_same_p_for_any_thread_count(void **state)
{
    (void)state;
    double p[3];
    const int threads[3] = {1, 2, 7};
    for (int t = 0; t < 3; t++) {
        nep_ctx *ctx = test_ctx(threads[t]);
        nep_geometry g = field_geometry(ctx, 30, 0);
        double a[60], b[60];
        nep_comparison c;
        field_map(&g, 1, a);
        field_map(&g, 2, b);
        const nep_compare_opts o = {.kind = NEP_NULLS_MORAN, .n_nulls = 1500, .permute = NEP_COMPARE_BOTH};
        assert_ok(ctx, nep_compare_maps(ctx, &g, NULL, 60, a, b, &o, &c));
        p[t] = c.p;
        nep_geometry_free(&g);
        nep_ctx_free(ctx);
    }
    assert_true(p[0] == p[1] && p[1] == p[2]);
    assert_true(p[0] > 1.0 / 1501.0);
}

static void test_bad_input_is_named(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const double a[4] = {1, 2, (double)NAN, 3}, b[4] = {1, (double)NAN, 2, 3}, flat[4] = {0.1, 0.1, 0.1, 0.1};
    const nep_compare_opts o = {.n_nulls = 0};
    nep_comparison c = {.r = -7.0};
    assert_fails(nep_compare_maps(ctx, NULL, NULL, 4, a, b, &o, &c), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "2 regions"));
    nep_ctx_clear(ctx);
    assert_fails(nep_compare_maps(ctx, NULL, NULL, 4, a, flat, &o, &c), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "constant"));
    assert_true(c.r == -7.0);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_correlations_meet_scipy),
        cmocka_unit_test(test_spearman_ranks_its_surrogates),
        cmocka_unit_test(test_missing_regions_travel_with_their_surrogate),
        cmocka_unit_test(test_p_is_never_zero),
        cmocka_unit_test(test_ties_count),
        cmocka_unit_test(test_same_p_for_any_thread_count),
        cmocka_unit_test(test_bad_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
