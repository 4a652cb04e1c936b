/* SPDX-License-Identifier: Apache-2.0 */
/* half - float32 to the two 16-bit formats and back: IEEE binary16 (f16) and the upper half of a float32 (bf16). Rounded to the
 * nearest, ties to even; infinite beyond the range; NaN stays NaN (its payload is not kept). The way back is exact. */
#ifndef NEPENTHE_MATH_HALF_H
#define NEPENTHE_MATH_HALF_H

#include <stdint.h>
#include <string.h>

#include <nepenthe/math/hd.h>

/* The bits of a float32. */
NEP_HD uint32_t nep_half_bits(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}

/* The float32 of these bits. */
NEP_HD float nep_half_float(uint32_t u)
{
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

/* m / 2^shift, to the nearest, ties to even; 1 <= shift <= 24. */
NEP_HD uint32_t nep_half_shift(uint32_t m, uint32_t shift)
{
    const uint32_t whole = m >> shift, rest = m & ((1u << shift) - 1), tie = 1u << (shift - 1);
    return whole + (rest > tie || (rest == tie && (whole & 1u)));
}

/* float32 to binary16: 1 sign, 5 exponent, 10 fraction bits. */
NEP_HD uint16_t nep_half_pack_f16(float v)
{
    const uint32_t u = nep_half_bits(v), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
    if (a > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (a >= 0x477ff000u) /* 65520 and more round to 2^16 */
        return (uint16_t)(sign | 0x7c00u);
    if (a >= 0x38800000u) /* 2^-14 and more: normal; a carry out of the fraction is the next exponent */
        return (uint16_t)(sign | nep_half_shift(a - 0x38000000u, 13));
    if (a < 0x33000000u) /* under 2^-25, half of the least */
        return (uint16_t)sign;
    return (uint16_t)(sign | nep_half_shift((a & 0x7fffffu) | 0x800000u, 126 - (a >> 23)));
}

/* binary16 to float32, exact: the bits in place as a float32 2^112 too small, which a product mends for subnormal numbers too. */
NEP_HD float nep_half_unpack_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, high = (h & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0;
    const float size = nep_half_float((uint32_t)(h & 0x7fffu) << 13) * 5.192296858534828e33f; /* 2^112 */
    return nep_half_float(sign | high | nep_half_bits(size));
}

/* float32 to bf16: 1 sign, 8 exponent, 7 fraction bits. */
NEP_HD uint16_t nep_half_pack_bf16(float v)
{
    const uint32_t u = nep_half_bits(v);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)((u >> 16 & 0x8000u) | 0x7fc0u);
    return (uint16_t)nep_half_shift(u, 16);
}

/* bf16 to float32, exact. */
NEP_HD float nep_half_unpack_bf16(uint16_t h)
{
    return nep_half_float((uint32_t)h << 16);
}

#endif
