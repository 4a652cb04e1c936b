/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_bit_hits_avx2 - counts of nibbles from a table in a register (Mula, Kurz & Lemire 2018, doi:10.1093/comjnl/bxx046), four rows
 * added up together. */
#include "backend/cpu_bit_hits.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { LANES = 4, MOST = 31 }; /* words of a register; registers whose counts of 8 bits a byte holds */

#define CODE NEP_CPU_AVX2_CODE static inline __attribute__((always_inline))

CODE __m256i load(const uint64_t *x, int64_t left)
{
    if (left >= LANES)
        return _mm256_loadu_si256((const __m256i *)(const void *)x);
    const __m256i mask = _mm256_cmpgt_epi64(_mm256_set1_epi64x(left), _mm256_setr_epi64x(0, 1, 2, 3));
    return _mm256_maskload_epi64((const long long *)(const void *)x, mask);
}

CODE __m256i byte_counts(__m256i x)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(x, low)),
                           _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), low)));
}

/* Counts of one row in four lanes. */
CODE __m256i row_counts(const uint64_t *query, const uint64_t *row, int64_t words)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i sum = zero;
    for (int64_t w = 0; w < words;) {
        __m256i bytes = zero;
        for (int i = 0; i < MOST && w < words; i++, w += LANES)
            bytes = _mm256_add_epi8(bytes, byte_counts(_mm256_and_si256(load(query + w, words - w), load(row + w, words - w))));
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(bytes, zero));
    }
    return sum;
}

CODE __m256i add_lanes(__m256i x, __m256i y)
{
    return _mm256_add_epi64(_mm256_unpacklo_epi64(x, y), _mm256_unpackhi_epi64(x, y));
}

CODE uint64_t rows(const uint64_t *query, const uint64_t *row, int64_t n, int64_t words, const uint64_t *next, const nep_cpu_bit_need *need,
                   uint16_t *common)
{
    uint64_t hits = 0;
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const uint64_t *r = row + i * words;
        if (next)
            nep_cpu_bit_ask(next + i * words, 4 * words);
        const __m256i x = add_lanes(row_counts(query, r, words), row_counts(query, r + words, words));
        const __m256i y = add_lanes(row_counts(query, r + 2 * words, words), row_counts(query, r + 3 * words, words));
        const __m256i sum = _mm256_add_epi64(_mm256_permute2x128_si256(x, y, 0x20), _mm256_permute2x128_si256(x, y, 0x31));
        uint64_t four[4];
        _mm256_storeu_si256((__m256i *)(void *)four, sum);
        for (int k = 0; k < 4; k++)
            common[i + k] = (uint16_t)four[k];
    }
    for (; i < n; i++) {
        const __m256i x = row_counts(query, row + i * words, words);
        const __m128i sum = _mm_add_epi64(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
        common[i] = (uint16_t)(_mm_extract_epi64(sum, 0) + _mm_extract_epi64(sum, 1));
    }
    for (i = 0; i < n; i++)
        hits |= (uint64_t)(common[i] >= nep_cpu_bit_needed(need, i)) << i;
    return hits;
}

NEP_CPU_AVX2_CODE static uint64_t block(const uint64_t *query, const uint64_t *row, int64_t n, int64_t words, const uint64_t *next,
                                        const nep_cpu_bit_need *need, uint16_t *common)
{
    return words == 32   ? rows(query, row, n, 32, next, need, common)
           : words == 16 ? rows(query, row, n, 16, next, need, common)
                         : rows(query, row, n, words, next, need, common);
}

NEP_CPU_AVX2_CODE static uint64_t bound(const uint8_t *query, const uint8_t *sketch, int64_t n, const nep_cpu_bit_need *need)
{
    const __m128i one = _mm_loadu_si128((const __m128i *)(const void *)query), zero = _mm_setzero_si128();
    uint64_t may = 0;
    for (int64_t i = 0; i < n; i++) {
        const __m128i row = _mm_loadu_si128((const __m128i *)(const void *)(sketch + i * NEP_BIT_SKETCH));
        const __m128i sum = _mm_sad_epu8(_mm_min_epu8(one, row), zero);
        const int c = _mm_cvtsi128_si32(sum) + _mm_extract_epi16(sum, 4);
        may |= (uint64_t)(c >= nep_cpu_bit_needed(need, i)) << i;
    }
    return may;
}

const nep_cpu_bit_family nep_cpu_bit_avx2 = {block, bound};
#endif
