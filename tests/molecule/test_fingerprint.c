/* SPDX-License-Identifier: Apache-2.0 */
/* The names of fingerprints. */
#include "support.h"

#include <nepenthe/molecule.h>

static void test_names(void **state)
{
    nep_ctx *ctx = *state;
    nep_fingerprint f;
    assert_ok(ctx, nep_fingerprint_parse(ctx, "morgan:2:2048", &f));
    assert_true(f.kind == NEP_FINGERPRINT_MORGAN && f.radius == 2 && f.n_bits == 2048 && nep_fingerprint_words(&f) == 32);
    assert_ok(ctx, nep_fingerprint_parse(ctx, "morgan:0:8192", &f));
    assert_true(f.radius == 0 && f.n_bits == 8192);
    assert_ok(ctx, nep_fingerprint_parse(ctx, "rdkit:1000", &f));
    assert_true(f.kind == NEP_FINGERPRINT_RDKIT && f.n_bits == 1000 && nep_fingerprint_words(&f) == 16);
    assert_ok(ctx, nep_fingerprint_parse(ctx, "maccs", &f));
    assert_true(f.kind == NEP_FINGERPRINT_MACCS && f.n_bits == 167 && nep_fingerprint_words(&f) == 3);
    assert_ok(ctx, nep_fingerprint_parse(ctx, "none", &f));
    assert_true(f.kind == NEP_FINGERPRINT_NONE && nep_fingerprint_words(&f) == 0);
}

static void test_refused(void **state)
{
    nep_ctx *ctx = *state;
    static const char *const bad[] = {"",           "morgan",       "morgan:2",     "morgan:2:",     "morgan:2:63",   "morgan:2:8193", "morgan:11:2048",
                                      "morgan:-1:2048", "morgan:2:2048x", "morgan: 2:2048", "morgan:2:2048:1", "rdkit:", "rdkit:2:2048", "maccs:167",
                                      "ecfp4",      "morgan:2:99999999999999999999"};
    for (int i = 0; i < NEP_LEN(bad); i++) {
        nep_fingerprint f = {.n_bits = -1};
        if (nep_fingerprint_parse(ctx, bad[i], &f) != NEP_E_ARG)
            fail_msg("'%s' was taken", bad[i]);
        assert_true(f.n_bits == -1);
        assert_non_null(strstr(nep_ctx_error(ctx), "morgan:RADIUS:BITS"));
        nep_ctx_clear(ctx);
    }
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
