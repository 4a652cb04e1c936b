/* SPDX-License-Identifier: Apache-2.0 */
/* test_shorten - what is cut says so, and no character is halved. */
#include "support.h"

#include "evidence/channels.h"

#include <string.h>

static const char *cut(size_t size, size_t most, const char *text)
{
    static char out[32];
    memset(out, 'x', sizeof out);
    evidence_shorten(out, size, most, text);
    return out;
}

static void test_cut(void **state)
{
    (void)state;
    assert_string_equal(cut(32, 10, "kainate"), "kainate");
    assert_string_equal(cut(32, 7, "kainate"), "kainate");
    assert_string_equal(cut(32, 6, "kainate"), "kai...");
    assert_string_equal(cut(7, 90, "kainate"), "kai..."); /* the room decides */
    assert_string_equal(cut(8, 90, "kainate"), "kainate");
    assert_string_equal(cut(32, 3, "kainate"), "...");
    assert_string_equal(cut(32, 6, "ka\xC3\xAFnate"), "ka..."); /* two bytes that would be halved */
    assert_string_equal(cut(32, 7, "ka\xC3\xAFnate"), "ka\xC3\xAF...");
    assert_string_equal(cut(32, 5, ""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
