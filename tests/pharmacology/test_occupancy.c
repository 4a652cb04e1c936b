/* SPDX-License-Identifier: Apache-2.0 */
/* Occupancy at a stated and at a relative dose, against the golden table. */
#include <jansson.h>

#include "support.h"

#include <nepenthe/backend.h>
#include <nepenthe/io.h>
#include <nepenthe/pharmacology.h>

enum { N = 5 };
static const double float_class = 1e-6; /* the op computes in float32 */

static void numbers(const json_t *list, double *out)
{
    assert_int_equal(json_array_size(list), N);
    for (size_t i = 0; i < N; i++)
        out[i] = json_number_value(json_array_get(list, i));
}

static void test_golden(void **state)
{
    nep_ctx *ctx = *state;
    static const char *const doses[] = {"0.5", "0.75", "0.9"};
    const int64_t drug[N] = {4, 4, 4, 4, 4};
    json_t *doc = NULL;
    double p[N], want[N], got[N];
    assert_ok(ctx, nep_json_read(ctx, TEST_GOLDEN("ranking.json"), &doc));
    const json_t *hill = json_object_get(doc, "hill");
    numbers(json_object_get(hill, "p_affinity"), p);
    for (int q = 0; q < NEP_LEN(doses); q++) {
        numbers(json_object_get(json_object_get(hill, "relative"), doses[q]), want);
        assert_ok(ctx, nep_occupancy_relative(ctx, p, drug, N, atof(doses[q]), got));
        for (int i = 0; i < N; i++)
            assert_near(got[i], want[i], float_class);
    }
    const double nM = 1e9 * json_number_value(json_object_get(hill, "concentration_molar"));
    const double ratio = json_number_value(json_object_get(hill, "ligand_ratio"));
    numbers(json_object_get(hill, "occupancy_competition"), want);
    for (int i = 0; i < N; i++)
        assert_near(nep_occupancy_competed(nM, pow(10, 9 - p[i]), ratio, 1), want[i], 1e-12);
    numbers(json_object_get(hill, "occupancy_emax"), want);
    for (int i = 0; i < N; i++)
        assert_near(nep_occupancy_competed(nM, pow(10, 9 - p[i]), 0, json_number_value(json_object_get(hill, "emax"))), want[i], 1e-12);
    json_decref(doc);
}

static void test_each_drug_has_its_own_dose(void **state)
{
    nep_ctx *ctx = *state;
    const double p[] = {9, 8, 6, NAN, 7, NAN};
    const int64_t drug[] = {0, 0, 1, 1, 1, 2};
    double got[6];
    assert_ok(ctx, nep_occupancy_relative(ctx, p, drug, 6, 0.75, got));
    assert_near(got[0], 0.75, float_class);
    assert_near(got[1], 1 / (1 + 10.0 / 3), float_class);
    assert_near(got[2], 1 / (1 + 10.0 / 3), float_class);
    assert_true(isnan(got[3]));
    assert_near(got[4], 0.75, float_class);
    assert_true(isnan(got[5])); /* missing is missing */
}

static void test_refusals(void **state)
{
    nep_ctx *ctx = *state;
    const double p[] = {9, 8};
    const int64_t unsorted[] = {1, 0};
    double got[2];
    assert_fails(nep_occupancy_relative(ctx, p, unsorted, 2, 0.75, got), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_fails(nep_occupancy_relative(ctx, p, unsorted, 2, 1.0, got), NEP_E_ARG);
    nep_ctx_clear(ctx);
    assert_true(isnan(nep_occupancy_competed(-1, 1, 0, 1)));
    assert_true(isnan(nep_occupancy_competed(1, 0, 0, 1)));
    assert_true(isnan(nep_occupancy_competed(1, 1, 0, 1.5)));
}

static int setup(void **state)
{
    *state = test_ctx(1);
    return nep_backend_choose(*state, "cpu") != NEP_OK;
}

static int teardown(void **state)
{
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_each_drug_has_its_own_dose),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
