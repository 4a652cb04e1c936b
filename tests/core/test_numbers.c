/* SPDX-License-Identifier: Apache-2.0 */
/* numbers - Philox and XXH3 against the known answers in tests/golden/numbers.json. */
#include "support.h"

#include <jansson.h>
#include <nepenthe/math/philox.h>

static json_t *load(void)
{
    json_error_t error;
    json_t *doc = json_load_file(TEST_GOLDEN("numbers.json"), 0, &error);
    if (!doc)
        fail_msg("numbers.json: %s", error.text);
    return doc;
}

static uint32_t word(json_t *list, size_t i)
{
    return (uint32_t)strtoul(json_string_value(json_array_get(list, i)), NULL, 16);
}

static void test_philox(void **state)
{
    (void)state;
    json_t *doc = load(), *row;
    size_t i;
    int n = 0;
    json_array_foreach(json_object_get(doc, "philox4x32_10"), i, row)
    {
        json_t *c = json_object_get(row, "counter"), *k = json_object_get(row, "key"), *out = json_object_get(row, "out");
        const nep_philox_block b =
            nep_philox4x32((nep_philox_block){{word(c, 0), word(c, 1), word(c, 2), word(c, 3)}}, word(k, 0), word(k, 1));
        for (size_t w = 0; w < 4; w++)
            assert_int_equal(b.v[w], word(out, w));
        n++;
    }
    assert_true(n >= 3);
    json_decref(doc);
}

static void test_xxh3(void **state)
{
    (void)state;
    json_t *doc = load(), *row;
    size_t i;
    int n = 0;
    json_array_foreach(json_object_get(doc, "xxh3_128"), i, row)
    {
        const char *piece = json_string_value(json_object_get(row, "piece"));
        const size_t len = strlen(piece), times = (size_t)json_integer_value(json_object_get(row, "times"));
        char *text = malloc(len * times + 1);
        for (size_t t = 0; t < times; t++)
            memcpy(text + t * len, piece, len);
        assert_string_equal(nep_hash_bytes(text, len * times).hex, json_string_value(json_object_get(row, "hex")));
        free(text);
        n++;
    }
    assert_true(n >= 5);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_philox), cmocka_unit_test(test_xxh3)};
    return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
