/* SPDX-License-Identifier: Apache-2.0 */
/* test_number - numbers of a table are those of printf's "%.9g", to the last digit. */
#include "support.h"

#include "io/number.h"

static uint64_t drawn;

static uint64_t draw(void)
{
    const uint64_t high = nep_philox_u32(3, 0, drawn), low = nep_philox_u32(3, 1, drawn);
    drawn++;
    return high << 32 | low;
}

static void check(double v)
{
    char got[NEP_NUMBER_MOST], want[64];
    const int n = nep_number_print(v, got), m = snprintf(want, sizeof want, "%.9g", v);
    if (n != m || strcmp(got, want) != 0)
        fail_msg("%a is printed as %s, not %s", v, got, want);
}

static void test_any(void **state)
{
    (void)state;
    for (int i = 0; i < 300000; i++) {
        const uint64_t bits = draw();
        double v;
        memcpy(&v, &bits, sizeof v);
        check(v);
        check(ldexp((double)(bits >> 11), -53) * pow(10, (double)(bits % 16) - 5));
        check(-(double)(bits % 1000000) / pow(10, (double)(bits % 9)));
    }
}

/* Halves of the ninth digit round to even; neighbours of powers of ten change their number of digits. */
static void test_edges(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        check((double)(draw() % 2000000000) / 2);
        check((double)(draw() % 4000000000) / (double)(1u << draw() % 20));
    }
    for (int x = -7; x <= 12; x++) {
        const double p = pow(10, x);
        double up = p, down = p;
        for (int i = 0; i < 40; i++) {
            check(up);
            check(-down);
            check(p * (1 - 1e-9 * (0.3 + 0.01 * i)));
            up = nextafter(up, INFINITY);
            down = nextafter(down, 0);
        }
    }
    const double odd[] = {0.0, -0.0, 1, -1, INFINITY, -INFINITY, 1e-300, 123456789.5, 123456788.5, 999999999.5, 0.00012345678949999999};
    for (int i = 0; i < NEP_LEN(odd); i++)
        check(odd[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any), cmocka_unit_test(test_edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
