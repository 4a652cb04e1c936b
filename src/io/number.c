/* SPDX-License-Identifier: Apache-2.0 */
/* number - nine digits of a double, rounded as printf rounds: exactly, a tie to even. */
#include "io/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { digits = 9, least_exponent = -4 }; /* below, and from 10^digits on, %g writes an exponent */

static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

/* a 10^k to the nearest whole number; the product is exact as high + low. */
static int64_t scaled(double a, int k)
{
    const double high = a * power[k], low = fma(a, power[k], -high);
    const int64_t whole = (int64_t)high;
    const double past = high - (double)whole - 0.5;
    const bool tie = past == 0 && low == 0;
    return whole + (past > 0 || (past == 0 && low > 0) || (tie && (whole & 1)));
}

/* Exponent x of the first digit and the nine digits as a number, of 1e-4 <= a < 1e9; 10^x may be past a by a
 * hair. */
static int64_t first_digits(double a, int *x)
{
    int e = 0;
    while (e < digits - 1 && a >= power[e + 1])
        e++;
    while (e > least_exponent && a < 1 && a * power[-e] < 1)
        e--;
    int64_t n = scaled(a, digits - 1 - e);
    if (n < 100000000)
        n = scaled(a, digits - 1 - --e);
    if (n >= 1000000000) {
        e++;
        n = 100000000;
    }
    *x = e;
    return n;
}

static int put_fixed(int64_t n, int x, char *out)
{
    char digit[digits];
    int kept = 1, at = 0;
    for (int i = digits - 1; i >= 0; i--, n /= 10) {
        digit[i] = (char)('0' + n % 10);
        if (digit[i] != '0' && kept == 1)
            kept = i + 1;
    }
    if (x < 0)
        out[at++] = '0';
    for (int i = x < 0 ? x + 1 : 0; i < kept || i <= x; i++) {
        if (i == x + 1)
            out[at++] = '.';
        out[at++] = i < 0 || i >= kept ? '0' : digit[i];
    }
    out[at] = '\0';
    return at;
}

int nep_number_print(double v, char text[NEP_NUMBER_MOST])
{
    const double a = fabs(v);
    const int sign = signbit(v) != 0;
    if (a >= 1e-4 && a < 1e9) {
        int x;
        const int64_t n = first_digits(a, &x);
        if (x < digits) {
            text[0] = '-';
            return sign + put_fixed(n, x, text + sign);
        }
    }
    return snprintf(text, NEP_NUMBER_MOST, "%.*g", digits, v);
}
