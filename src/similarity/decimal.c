/* SPDX-License-Identifier: Apache-2.0 */
/* decimal - a decimal as it was written, as an exact fraction. */
#include <nepenthe/similarity.h>

enum { MOST_BEHIND = 6, MOST_VALUE = 1000000 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits before and behind the point into num / den; false when it is not such a text, or larger than MOST_VALUE. */
static bool read_digits(const char *text, nep_decimal *out)
{
    int64_t num = 0, den = 1;
    int digits = 0, behind = 0;
    for (; is_digit(*text); text++, digits++) {
        num = 10 * num + (*text - '0');
        if (num > MOST_VALUE)
            return false;
    }
    if (*text == '.')
        for (text++; is_digit(*text) && behind < MOST_BEHIND; text++, behind++) {
            num = 10 * num + (*text - '0');
            den *= 10;
        }
    if (*text != '\0' || digits + behind == 0 || num > MOST_VALUE * den)
        return false;
    for (; den > 1 && num % 10 == 0; den /= 10)
        num /= 10;
    *out = (nep_decimal){num, den};
    return true;
}

nep_status nep_decimal_parse(nep_ctx *ctx, const char *text, bool negative, nep_decimal *out)
{
    nep_decimal read;
    NEP_REQUIRE(ctx, text && out, NEP_E_ARG, "decimal: the text or the place of the number is missing");
    const bool minus = negative && *text == '-';
    NEP_REQUIRE(ctx, read_digits(text + (minus || (negative && *text == '+') ? 1 : 0), &read), NEP_E_ARG,
                "'%s' is not a decimal such as %s: digits and one point, at most %d behind it, at most %d", text,
                negative ? "-0.7" : "0.7", MOST_BEHIND, MOST_VALUE);
    *out = (nep_decimal){minus ? -read.num : read.num, read.den};
    return NEP_OK;
}
