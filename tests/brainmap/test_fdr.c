/* SPDX-License-Identifier: Apache-2.0 */
/* Benjamini and Hochberg's q against SciPy. */
#include <jansson.h>

#include <nepenthe/brainmap.h>

#include "support.h"

static void test_q_meets_scipy(void **state)
{
    (void)state;
    double p[20], q[20];
    json_t *doc = json_load_file(TEST_GOLDEN("nulls.json"), 0, NULL), *fdr = json_object_get(doc, "fdr");
    assert_int_equal(json_array_size(json_object_get(fdr, "p")), 19);
    for (size_t i = 0; i < 19; i++)
        p[i] = json_number_value(json_array_get(json_object_get(fdr, "p"), i));
    nep_fdr_adjust(p, 19, q);
    for (size_t i = 0; i < 19; i++)
        assert_near(q[i], json_number_value(json_array_get(json_object_get(fdr, "q"), i)), 1e-14);
    p[19] = p[0]; /* one that is missing does not count */
    p[0] = (double)NAN;
    nep_fdr_adjust(p, 20, q);
    assert_true(isnan(q[0]));
    assert_near(q[19], json_number_value(json_array_get(json_object_get(fdr, "q"), 0)), 1e-14);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_q_meets_scipy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
