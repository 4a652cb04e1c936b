/* SPDX-License-Identifier: Apache-2.0 */
/* test_events - the events of a run: what is read, what is left out, what is refused. */
#include "io/files.h"

static nep_ctx *ctx;

static void test_columns(void **state)
{
    (void)state;
    nep_events e = {0};
    const int before = nep_warn_count(ctx);
    assert_ok(ctx, nep_events_read(ctx,
                                   test_text("a_events.tsv", "trial_type\tresponse\tonset\tmodulation\tduration\n"
                                                             "face\tx\t0.5\t2\t1\nn/a\tx\tn/a\tn/a\tn/a\ncat 2-back\tn/a\t-3\t-1\t0\n"),
                                   &e));
    assert_int_equal(e.n, 2);
    assert_true(e.onset_s[0] == 0.5 && e.onset_s[1] == -3 && e.duration_s[0] == 1 && e.duration_s[1] == 0);
    assert_true(e.modulation[0] == 2 && e.modulation[1] == -1);
    assert_string_equal(e.trial_type[0], "face");
    assert_string_equal(e.trial_type[1], "cat 2-back");
    assert_int_equal(nep_warn_count(ctx), before + 1);
    assert_non_null(strstr(nep_warn_get(ctx, before), "1 of 3 rows have no trial_type"));
    nep_events_free(&e);
    assert_ok(ctx, nep_events_read(ctx, test_text("b_events.tsv", "onset\tduration\n1\t2\n"), &e));
    assert_true(e.n == 1 && !e.trial_type && !e.modulation);
    nep_events_free(&e);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_refusals(void **state)
{
    (void)state;
    nep_events e = {0};
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"onset\ttrial_type\n1\ta\n", "duration"},
        {"onset\tduration\n", "no event"},
        {"onset\tduration\ttrial_type\n1\t1\tn/a\n", "no event"},
        {"onset\tduration\n1\t1\nn/a\t1\n", "line 3: an event without onset"},
        {"onset\tduration\n1\tinf\n", "line 2: an event without duration"},
        {"onset\tduration\n1\t-2\n", "line 2: a duration of -2 s"},
        {"onset\tduration\nearly\t2\n", "'early' is not a number"},
        {"onset\tduration\tmodulation\n1\t2\tn/a\n", "line 2: an event without modulation"},
    };
    for (int k = 0; k < NEP_LEN(cases); k++)
        assert_refused(ctx, nep_events_read(ctx, test_text("c_events.tsv", cases[k].text), &e), NEP_E_FORMAT, cases[k].word);
    assert_refused(ctx, nep_events_read(ctx, "/no/such/events.tsv", &e), NEP_E_MISSING, "events.tsv");
    assert_null(e.onset_s);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_allocation_failure(void **state)
{
    (void)state;
    const char *path = test_text("d_events.tsv", "onset\tduration\ttrial_type\tmodulation\n1\t2\ta\t1\n3\t4\tb\t2\n");
    nep_status st = NEP_E_NOMEM;
    for (int64_t k = 0; st != NEP_OK; k++) {
        nep_events e = {0};
        nep_alloc_fail_at(ctx, k);
        st = nep_events_read(ctx, path, &e);
        nep_alloc_fail_at(ctx, -1);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        nep_events_free(&e);
        assert_int_equal(nep_alloc_used(ctx), 0);
        nep_ctx_clear(ctx);
    }
}

int main(void)
{
    ctx = test_ctx(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns), cmocka_unit_test(test_refusals), cmocka_unit_test(test_allocation_failure)};
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
