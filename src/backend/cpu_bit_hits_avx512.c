/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_bit_hits_avx512 - 32 rows at a time with VPOPCNTQ: four rows share a register as 16-bit counts, eight registers are added up
 * across their lanes, and one comparison settles 32 rows. */
#include "backend/cpu_bit_hits.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { HALF = 32, LANES = 8 }; /* rows of a comparison; words of a register */

#define CODE NEP_CPU_AVX512_POPCNT_CODE static inline __attribute__((always_inline))

/* Counts of the words of one row, eight side by side. `words` is a constant where it is a usual one: the loop unrolls. */
CODE __m512i row_counts(const uint64_t *query, const uint64_t *row, int64_t words)
{
    __m512i sum = _mm512_setzero_si512();
    int64_t w = 0;
    for (; w + LANES <= words; w += LANES)
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_and_si512(_mm512_loadu_si512(query + w), _mm512_loadu_si512(row + w))));
    if (w < words) {
        const __mmask8 left = (__mmask8)((1u << (words - w)) - 1);
        const __m512i q = _mm512_maskz_loadu_epi64(left, query + w), r = _mm512_maskz_loadu_epi64(left, row + w);
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_and_si512(q, r)));
    }
    return sum;
}

CODE __m512i four_rows(const uint64_t *query, const uint64_t *row, int64_t words)
{
    const __m512i a = row_counts(query, row, words), b = _mm512_slli_epi64(row_counts(query, row + words, words), 16);
    const __m512i c = _mm512_slli_epi64(row_counts(query, row + 2 * words, words), 32);
    const __m512i d = _mm512_slli_epi64(row_counts(query, row + 3 * words, words), 48);
    return _mm512_or_si512(_mm512_ternarylogic_epi64(a, b, c, 0xFE), d);
}

/* Pairs of lanes of x and of y added up, interleaved. */
CODE __m512i add_lanes(__m512i x, __m512i y)
{
    return _mm512_add_epi64(_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y));
}

/* Pairs of quarters of x, then those of y. */
CODE __m512i add_quarters(__m512i x, __m512i y)
{
    return _mm512_add_epi64(_mm512_shuffle_i64x2(x, y, 0x88), _mm512_shuffle_i64x2(x, y, 0xDD));
}

/* Bits in common with each of 32 rows, in their order. */
CODE __m512i half_block(const __m512i *four)
{
    const __m512i low = add_quarters(add_lanes(four[0], four[1]), add_lanes(four[2], four[3]));
    return add_quarters(low, add_quarters(add_lanes(four[4], four[5]), add_lanes(four[6], four[7])));
}

/* Fours of rows of a whole block, in LINES lines of memory side by side: one line alone leaves memory waiting, four, and what comes next
 * asked for, keep it busy. The loop stays one: processors foresee the next address of a load from the last one of the same instruction. */
CODE void all_fours(const uint64_t *query, const uint64_t *row, int64_t words, const uint64_t *next, __m512i *four)
{
    enum { FOURS = NEP_CPU_BIT_BLOCK / 4, LINES = 4 };
#pragma GCC unroll 1
    for (int k = 0; k < FOURS; k++) {
        const int at = k % LINES * (FOURS / LINES) + k / LINES;
        if (next)
            nep_cpu_bit_ask(next + 4 * at * words, 4 * words);
        four[at] = four_rows(query, row + 4 * at * words, words);
    }
}

CODE __m512i needed(const nep_cpu_bit_need *need, int64_t from)
{
    return need->same ? _mm512_set1_epi16((short)need->all) : _mm512_loadu_si512(need->each + from);
}

CODE uint64_t whole_block(const uint64_t *query, const uint64_t *row, int64_t words, const uint64_t *next, const nep_cpu_bit_need *need,
                          uint16_t *common)
{
    __m512i four[NEP_CPU_BIT_BLOCK / 4];
    all_fours(query, row, words, next, four);
    const __m512i low = half_block(four), high = half_block(four + LANES);
    const uint64_t hits = (uint64_t)_mm512_cmpge_epu16_mask(low, needed(need, 0)) | (uint64_t)_mm512_cmpge_epu16_mask(high, needed(need, HALF))
                                                                                        << HALF;
    if (hits) {
        _mm512_storeu_si512(common, low);
        _mm512_storeu_si512(common + HALF, high);
    }
    return hits;
}

CODE uint64_t few_rows(const uint64_t *query, const uint64_t *row, int64_t n, int64_t words, const nep_cpu_bit_need *need, uint16_t *common)
{
    uint64_t hits = 0;
    for (int64_t i = 0; i < n; i++) {
        common[i] = (uint16_t)_mm512_reduce_add_epi64(row_counts(query, row + i * words, words));
        hits |= (uint64_t)(common[i] >= nep_cpu_bit_needed(need, i)) << i;
    }
    return hits;
}

NEP_CPU_AVX512_POPCNT_CODE static uint64_t block(const uint64_t *query, const uint64_t *row, int64_t n, int64_t words, const uint64_t *next,
                                                 const nep_cpu_bit_need *need, uint16_t *common)
{
    if (n < NEP_CPU_BIT_BLOCK)
        return words == 32 ? few_rows(query, row, n, 32, need, common) : few_rows(query, row, n, words, need, common);
    return words == 32   ? whole_block(query, row, 32, next, need, common)
           : words == 16 ? whole_block(query, row, 16, next, need, common)
                         : whole_block(query, row, words, next, need, common);
}

/* ---- sketches ---------------------------------------------------------------------------------------------------- */
/* Bounds of 16 rows: quarter j, field s has those of row 4 s + j in two halves. */
CODE __m512i sixteen_bounds(__m512i query, const uint8_t *sketch)
{
    const __m512i zero = _mm512_setzero_si512();
    __m512i s[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        s[i] = _mm512_sad_epu8(_mm512_min_epu8(query, _mm512_loadu_si512(sketch + 64 * i)), zero);
    const __m512i three = _mm512_ternarylogic_epi64(s[0], _mm512_slli_epi64(s[1], 16), _mm512_slli_epi64(s[2], 32), 0xFE);
    return _mm512_or_si512(three, _mm512_slli_epi64(s[3], 48));
}

/* From rows in order to fields as sixteen_bounds leaves them, and back: field 8 j + 4 h + s is row 16 h + 4 s + j. */
CODE __m512i field_order(void)
{
    short at[HALF] __attribute__((aligned(64)));
    for (int e = 0; e < HALF; e++)
        at[e] = (short)(16 * (e / 4 % 2) + 4 * (e % 4) + e / 8);
    return _mm512_load_si512(at);
}

CODE uint64_t half_bounds(__m512i query, const uint8_t *sketch, const nep_cpu_bit_need *need, int64_t from)
{
    const __m512i low = sixteen_bounds(query, sketch), high = sixteen_bounds(query, sketch + 16 * NEP_BIT_SKETCH);
    const __m512i fields = add_lanes(low, high), order = field_order(), asked = needed(need, from);
    const __mmask32 may = _mm512_cmpge_epu16_mask(fields, need->same ? asked : _mm512_permutexvar_epi16(order, asked));
    uint64_t rows = 0;
    for (uint32_t left = may; left; left &= left - 1) {
        const int e = __builtin_ctz(left);
        rows |= 1ull << (16 * (e / 4 % 2) + 4 * (e % 4) + e / 8);
    }
    return rows << from;
}

NEP_CPU_AVX512_POPCNT_CODE static uint64_t bound(const uint8_t *query, const uint8_t *sketch, int64_t n, const nep_cpu_bit_need *need)
{
    const __m128i one = _mm_loadu_si128((const __m128i *)(const void *)query);
    const __m512i all = _mm512_broadcast_i32x4(one);
    uint64_t may = 0;
    if (n == NEP_CPU_BIT_BLOCK)
        return half_bounds(all, sketch, need, 0) | half_bounds(all, sketch + HALF * NEP_BIT_SKETCH, need, HALF);
    for (int64_t i = 0; i < n; i++) {
        const __m128i row = _mm_loadu_si128((const __m128i *)(const void *)(sketch + i * NEP_BIT_SKETCH));
        const __m128i sum = _mm_sad_epu8(_mm_min_epu8(one, row), _mm_setzero_si128());
        const int c = _mm_cvtsi128_si32(sum) + _mm_extract_epi16(sum, 4);
        may |= (uint64_t)(c >= nep_cpu_bit_needed(need, i)) << i;
    }
    return may;
}

const nep_cpu_bit_family nep_cpu_bit_avx512 = {block, bound};
#endif
