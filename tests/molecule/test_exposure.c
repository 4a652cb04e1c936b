/* SPDX-License-Identifier: Apache-2.0 */
/* CNS MPO, by hand. */
#include "support.h"

#include <nepenthe/molecule.h>

static void test_by_hand(void **state)
{
    (void)state;
    int used = 0;
    /* every desirability at its best */
    assert_near(nep_exposure_mpo(&(nep_exposure_input){2, 1, 300, 60, 0, 7}, &used), 6.0, 0);
    assert_int_equal(used, 6);
    /* half-way everywhere: ClogP 4, ClogD 3, MW 430, TPSA 105, HBD 2, pKa 9 */
    assert_near(nep_exposure_mpo(&(nep_exposure_input){4, 3, 430, 105, 2, 9}, NULL), 3.0, 1e-12);
    assert_near(nep_exposure_mpo(&(nep_exposure_input){4, 3, 430, 30, 2, 9}, NULL), 3.0, 1e-12);
    assert_near(nep_exposure_mpo(&(nep_exposure_input){6, 5, 600, 10, 4, 11}, NULL), 0.0, 0);
    assert_near(nep_exposure_mpo(&(nep_exposure_input){6, 5, 600, 130, 4, 11}, NULL), 0.0, 0);
}

static void test_missing_is_rescaled_or_refused(void **state)
{
    (void)state;
    int used = 0;
    /* 1 + 0.5 + 1 + 1 of four, to six */
    assert_near(nep_exposure_mpo(&(nep_exposure_input){2, NAN, 430, 60, 0, NAN}, &used), 6.0 * 3.5 / 4.0, 1e-12);
    assert_int_equal(used, 4);
    assert_true(isnan(nep_exposure_mpo(&(nep_exposure_input){2, NAN, NAN, 60, 0, NAN}, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_missing_is_rescaled_or_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
