/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_score - single pairs: bits in common, scores of dense vectors, one of the two decoded as a query is. */
#include <string.h>

#include <nepenthe/math/half.h>

#include "backend/cpu.h"
#include "similarity/pairs.h"

NEP_CPU_BODY int32_t common_body(const uint64_t *a, const uint64_t *b, int64_t words)
{
    int64_t n = 0;
    for (int64_t w = 0; w < words; w++)
        n += __builtin_popcountll(a[w] & b[w]);
    return (int32_t)n;
}

static int32_t common_scalar(const uint64_t *a, const uint64_t *b, int64_t words)
{
    return common_body(a, b, words);
}

NEP_CPU_AVX2_CODE static int32_t common_popcnt(const uint64_t *a, const uint64_t *b, int64_t words)
{
    return common_body(a, b, words);
}

int32_t nep_pairs_common(const nep_index *index, int64_t a, int64_t b)
{
    const int64_t words = index->bits.words;
    const uint64_t *x = index->bits.row + a * words, *y = index->bits.row + b * words;
    return nep_cpu_family_get() >= NEP_CPU_AVX2 ? common_popcnt(x, y, words) : common_scalar(x, y, words);
}
