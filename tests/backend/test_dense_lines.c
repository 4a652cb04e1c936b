/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of vectors read one after the other, or four lines of memory side by side: which of the two a processor takes may change no bit of a
 * product, and both are the sums that exact integers make. */
#include "backend/cpu_dense_hits.h"
#include "support.h"

enum { MOST = 67, ITEMS = 320 };

static bool has_avx512(void)
{
#if defined(__x86_64__)
    return nep_cpu_family_get() >= NEP_CPU_AVX512 && __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

#if defined(__x86_64__)
/* Small whole numbers, which every type holds and every order of a sum leaves exact; `part` of 1 makes sums depend on their order. */
static float value(int64_t row, int64_t i, float part)
{
    return (float)((row * 31 + i * 7 + row * i) % 23 - 11) * part;
}

static void store(nep_dense_type t, float v, int64_t i, char *to)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    const uint16_t half = (uint16_t)(bits >> 16); /* bfloat16: the values have few bits */
    if (t == NEP_DENSE_F32)
        memcpy(to + 4 * i, &v, sizeof v);
    else
        memcpy(to + 2 * i, &half, sizeof half);
}

static void check_floats(nep_dense_type t, int64_t rows, int64_t n)
{
    char *x = calloc((size_t)(rows * n), 4);
    float query[ITEMS], out[2][MOST + NEP_CPU_DENSE_FEW];
    for (int whole = 0; whole < 2; whole++) {
        for (int64_t i = 0; i < n; i++)
            query[i] = value(3, i, whole ? 1.0f : 0.1f);
        for (int64_t k = 0; k < rows * n; k++)
            store(t, value(k / n, k % n, whole || t != NEP_DENSE_F32 ? 1.0f : 0.3f), k, x);
        nep_cpu_dense_avx512.stream(t, x, rows, n, query, out[0]);
        nep_cpu_dense_avx512_lines.stream(t, x, rows, n, query, out[1]);
        assert_memory_equal(out[0], out[1], (size_t)rows * sizeof **out);
        for (int64_t r = 0; whole && r < rows; r++) {
            double want = 0;
            for (int64_t i = 0; i < n; i++)
                want += (double)value(r, i, 1) * (double)query[i];
            assert_true((double)out[1][r] == want);
        }
    }
    free(x);
}

static void check_bytes(int64_t rows, int64_t n)
{
    int8_t *x = malloc((size_t)(rows * n)), query[ITEMS];
    int32_t out[2][MOST + NEP_CPU_DENSE_FEW], sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += query[i] = (int8_t)(i * 37 % 255 - 127);
    for (int64_t k = 0; k < rows * n; k++)
        x[k] = (int8_t)(k * 101 % 255 - 127);
    nep_cpu_dense_avx512.stream_int(x, rows, n, query, out[0]);
    nep_cpu_dense_avx512_lines.stream_int(x, rows, n, query, out[1]);
    assert_memory_equal(out[0], out[1], (size_t)rows * sizeof **out);
    for (int64_t r = 0; r < rows; r++) {
        int32_t want = nep_cpu_dense_avx512_lines.bias * sum;
        for (int64_t i = 0; i < n; i++)
            want += x[r * n + i] * query[i];
        assert_int_equal(out[1][r], want);
    }
    free(x);
}
#endif

static void test_same_products(void **state)
{
    (void)state;
    if (!has_avx512())
        test_skip();
#if defined(__x86_64__)
    static const int64_t rows[] = {1, 3, 4, 7, 63, 64, MOST};
    for (int k = 0; k < NEP_LEN(rows); k++)
        for (int64_t n = 16; n <= ITEMS; n += 16) {
            check_floats(NEP_DENSE_F32, rows[k], n);
            if (n % 32 == 0)
                check_floats(NEP_DENSE_BF16, rows[k], n);
            if (n % 64 == 0)
                check_bytes(rows[k], n);
        }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_products)};
    return test_end(cmocka_run_group_tests(tests, NULL, NULL));
}
