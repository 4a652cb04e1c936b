/* SPDX-License-Identifier: Apache-2.0 */
/* support - what the test programs share: contexts, tolerances by name, golden tables, the shared data folder. */
#ifndef NEP_TESTS_SUPPORT_H
#define NEP_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/core.h>

#define NEP_TEST_SKIPPED 77

/* A test that cannot run here: its program then ends as skipped, so that ctest counts none of it as passed. */
static int test_skipped_n;
#define test_skip()                                                                                                   \
    do {                                                                                                              \
        test_skipped_n++;                                                                                             \
        skip();                                                                                                       \
    } while (0)

/* What main returns for the number of failed tests. */
static inline int test_end(int failed)
{
    return failed ? failed : test_skipped_n ? NEP_TEST_SKIPPED : 0;
}

static inline nep_ctx *test_ctx(int threads)
{
    nep_ctx *ctx = NULL;
    const nep_ctx_opts opts = {.threads = threads, .seed = 1};
    if (nep_ctx_create(&opts, &ctx) != NEP_OK)
        abort();
    return ctx;
}

#define assert_ok(ctx, expr)                                                                                          \
    do {                                                                                                              \
        const nep_status test_st_ = (expr);                                                                           \
        if (test_st_ != NEP_OK)                                                                                       \
            fail_msg("%s: %s: %s", #expr, nep_status_symbol(test_st_), nep_ctx_error(ctx));                           \
    } while (0)

#define assert_fails(expr, status) assert_int_equal((expr), (status))

/* |got - want| <= tolerance * max(1, |want|); NaN equals NaN only. */
static inline int test_close(double got, double want, double tolerance)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want);
    if (isinf(want))
        return got == want;
    return fabs(got - want) <= tolerance * fmax(1.0, fabs(want));
}

#define assert_near(got, want, tolerance)                                                                             \
    do {                                                                                                              \
        const double test_g_ = (got), test_w_ = (want);                                                               \
        if (!test_close(test_g_, test_w_, (tolerance)))                                                               \
            fail_msg("%s: got %.17g want %.17g", #got, test_g_, test_w_);                                             \
    } while (0)

/* Folder of the evaluation data, or NULL: the test then returns NEP_TEST_SKIPPED. */
static inline const char *test_shared(void)
{
    static char path[4096];
    const char *env = getenv("NEPENTHE_SHARED");
    snprintf(path, sizeof path, "%s", env && *env ? env : NEP_SOURCE_DIR "/../shared");
    char probe[4200];
    snprintf(probe, sizeof probe, "%s/data", path);
    return nep_file_exists(probe) ? path : NULL;
}

#define TEST_GOLDEN(name) NEP_SOURCE_DIR "/tests/golden/" name

#endif
