/* SPDX-License-Identifier: Apache-2.0 */
/* The consensus of affinity rows, by hand. */
#include "support.h"

#include <nepenthe/molecule.h>

#define ROW(d, t, v, rel, ty, sp, ac) {.drug = d, .target = t, .p_affinity = v, .relation = rel, .type = ty, .species = sp, .action = ac, .source = "S", .licence = "CC0"}
#define HUMAN "Homo sapiens"

static void test_best_tier_median(void **state)
{
    nep_ctx *ctx = *state;
    const nep_affinity_row rows[] = {
        ROW(1, 0, 5.0, "=", "IC50", HUMAN, NULL), ROW(0, 2, 9.0, "=", "Ki", "Rattus norvegicus", NULL),
        ROW(1, 0, 8.0, "=", "Ki", HUMAN, "ANTAGONIST"), ROW(1, 0, 7.0, "~", "Ki", "human", NULL),
        ROW(1, 0, 6.0, ">", "Ki", HUMAN, NULL), ROW(0, 2, 4.0, NULL, "EC50", HUMAN, "AGONIST;ANTAGONIST"),
    };
    nep_affinity *a = NULL;
    int64_t n = 0;
    assert_ok(ctx, nep_affinity_consensus(ctx, rows, NEP_LEN(rows), &a, &n));
    assert_int_equal(n, 2);
    assert_int_equal(a[0].drug, 0); /* sorted; a human EC50 goes before a rat Ki */
    assert_near(a[0].p_affinity, 4.0, 0);
    assert_int_equal(a[0].action, 0); /* the row contradicts itself */
    assert_near(a[1].p_affinity, 7.5, 0);
    assert_int_equal(a[1].action, -1);
    assert_int_equal(a[1].n_measurements, 2); /* the bound stays out */
    assert_false(a[1].censored);
    assert_string_equal(a[1].type, "Ki");
    assert_string_equal(a[1].species, "Homo sapiens;human");
    /* s^2 = (3 * 0.54^2 + 2 * 0.5^2) / 4, se = s / sqrt(2) */
    assert_near(a[1].p_se, sqrt((3 * 0.54 * 0.54 + 0.5) / 4.0 / 2.0), 1e-12);
    /* one EC50: the literature spread */
    assert_near(a[0].p_se, 0.675, 1e-12);
    nep_affinity_free(a, n);
}

static void test_error_floor(void **state)
{
    nep_ctx *ctx = *state;
    nep_affinity_row rows[30];
    nep_affinity *a = NULL;
    int64_t n = 0;
    for (int i = 0; i < NEP_LEN(rows); i++)
        rows[i] = (nep_affinity_row)ROW(0, 0, 7.0, "=", "Ki", HUMAN, NULL);
    assert_ok(ctx, nep_affinity_consensus(ctx, rows, NEP_LEN(rows), &a, &n));
    assert_near(a[0].p_se, NEP_AFFINITY_SE_FLOOR, 0);
    nep_affinity_free(a, n);
}

static void test_only_bounds_and_only_actions(void **state)
{
    nep_ctx *ctx = *state;
    const nep_affinity_row rows[] = {
        ROW(0, 0, 6.0, ">", "Ki", HUMAN, NULL), ROW(0, 0, 5.0, ">", "Ki", HUMAN, NULL), ROW(0, 0, 9.0, "<", "Ki", HUMAN, NULL),
        ROW(0, 1, NAN, NULL, NULL, HUMAN, "PARTIAL AGONIST"),
    };
    nep_affinity *a = NULL;
    int64_t n = 0;
    assert_ok(ctx, nep_affinity_consensus(ctx, rows, NEP_LEN(rows), &a, &n));
    assert_true(a[0].censored);
    assert_near(a[0].p_affinity, 5.0, 0); /* the tightest upper bound */
    assert_true(isnan(a[0].p_se));
    assert_true(isnan(a[1].p_affinity));
    assert_false(a[1].censored);
    assert_int_equal(a[1].action, 1);
    assert_true(a[1].partial);
    nep_affinity_free(a, n);
}

static void test_order_of_rows_does_not_matter(void **state)
{
    nep_ctx *ctx = *state;
    nep_affinity_row rows[40], shuffled[40];
    int32_t order[40];
    nep_affinity *a = NULL, *b = NULL;
    int64_t n = 0, m = 0;
    static const char *const types[] = {"Ki", "Kd", "IC50", "EC50", "AC50"};
    for (int i = 0; i < 40; i++)
        rows[i] = (nep_affinity_row)ROW(i % 3, i % 2, 5.0 + 0.1 * ((i * 7) % 11), i % 9 ? "=" : ">", types[(i * 3) % 5],
                                        i % 4 ? HUMAN : "Mus musculus", i % 5 ? "INHIBITOR" : NULL);
    nep_philox_permutation(1, 2, 40, order);
    for (int i = 0; i < 40; i++)
        shuffled[i] = rows[order[i]];
    assert_ok(ctx, nep_affinity_consensus(ctx, rows, 40, &a, &n));
    assert_ok(ctx, nep_affinity_consensus(ctx, shuffled, 40, &b, &m));
    assert_int_equal(n, m);
    for (int64_t i = 0; i < n; i++) {
        assert_near(a[i].p_affinity, b[i].p_affinity, 0);
        assert_near(a[i].p_se, b[i].p_se, 1e-12);
        assert_int_equal(a[i].action, b[i].action);
    }
    nep_affinity_free(a, n);
    nep_affinity_free(b, m);
}

static void test_refusals_leave_outputs(void **state)
{
    nep_ctx *ctx = *state;
    const nep_affinity_row bad[] = {ROW(0, 0, 250.0, "=", "Ki", HUMAN, NULL)};
    const nep_affinity_row good[] = {ROW(0, 0, 7.0, "=", "Ki", HUMAN, NULL), ROW(0, 1, 7.0, "=", "Ki", HUMAN, NULL)};
    nep_affinity *a = NULL;
    int64_t n = -1;
    assert_fails(nep_affinity_consensus(ctx, bad, 1, &a, &n), NEP_E_ARG);
    assert_non_null(strstr(nep_ctx_error(ctx), "-log10"));
    nep_ctx_clear(ctx);
    nep_status st = NEP_E_NOMEM;
    const int64_t before = nep_alloc_used(ctx);
    for (int64_t k = 0; st != NEP_OK; k++) {
        nep_alloc_fail_at(ctx, k);
        st = nep_affinity_consensus(ctx, good, 2, &a, &n);
        if (st != NEP_OK) {
            assert_int_equal(st, NEP_E_NOMEM);
            assert_null(a);
            assert_int_equal(nep_alloc_used(ctx), before);
        }
        nep_ctx_clear(ctx);
        assert_true(k < 50);
    }
    nep_alloc_fail_at(ctx, -1);
    nep_affinity_free(a, n);
}

static void test_action_words(void **state)
{
    (void)state;
    bool partial = false;
    assert_int_equal(nep_affinity_action("Inverse Agonist", &partial), -1);
    assert_int_equal(nep_affinity_action("PARTIAL AGONIST", &partial), 1);
    assert_true(partial);
    assert_int_equal(nep_affinity_action("POSITIVE ALLOSTERIC MODULATOR", &partial), 1);
    assert_false(partial);
    assert_int_equal(nep_affinity_action("MODULATOR", NULL), 0);
    assert_int_equal(nep_affinity_action(NULL, NULL), 0);
}

static int setup(void **state)
{
    *state = test_ctx(1);
    return 0;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_tier_median),     cmocka_unit_test(test_error_floor),
        cmocka_unit_test(test_only_bounds_and_only_actions), cmocka_unit_test(test_order_of_rows_does_not_matter),
        cmocka_unit_test(test_refusals_leave_outputs), cmocka_unit_test(test_action_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
