/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_score - single pairs of rows: bits in common. */

#include "backend/cpu.h"
#include "similarity/pairs.h"

NEP_CPU_BODY int32_t common_body(const uint64_t *a, const uint64_t *b, int64_t words)
{
    int64_t n = 0;
    for (int64_t w = 0; w < words; w++)
        n += __builtin_popcountll(a[w] & b[w]);
    return (int32_t)n;
}

/* The usual lengths are spelled out so that the loop over words unrolls. */
NEP_CPU_BODY int32_t usual_body(const uint64_t *a, const uint64_t *b, int64_t words)
{
    return words == 32 ? common_body(a, b, 32) : words == 16 ? common_body(a, b, 16) : common_body(a, b, words);
}

static int32_t count_scalar(const uint64_t *a, const uint64_t *b, int64_t words)
{
    return usual_body(a, b, words);
}

NEP_CPU_AVX2_CODE static int32_t count_popcnt(const uint64_t *a, const uint64_t *b, int64_t words)
{
    return usual_body(a, b, words);
}

NEP_CPU_AVX512_POPCNT_CODE static int32_t count_avx512(const uint64_t *a, const uint64_t *b, int64_t words)
{
    return usual_body(a, b, words);
}

nep_pairs_counter *nep_pairs_count(void)
{
    const nep_cpu_family f = nep_cpu_family_get();
    return f >= NEP_CPU_AVX512_POPCNT ? count_avx512 : f >= NEP_CPU_AVX2 ? count_popcnt : count_scalar;
}
