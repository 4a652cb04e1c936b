/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_dense_hits_avx2 - the first pass in vectors of 256 bits; products of bytes are made of 16-bit integers, which cannot overflow. */
#include "backend/cpu_dense_hits.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define CODE __attribute__((target("avx2,fma,f16c")))

enum { ROWS = NEP_CPU_DENSE_ROWS, PANEL = NEP_CPU_DENSE_PANEL, SIX = 6 };

CODE static inline __m256 load8(nep_dense_type t, const char *row, int64_t i)
{
    if (t == NEP_DENSE_F32)
        return _mm256_loadu_ps((const float *)(const void *)row + i);
    const __m128i h = _mm_loadu_si128((const __m128i *)(const void *)(row + 2 * i));
    if (t == NEP_DENSE_F16)
        return _mm256_cvtph_ps(h);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

CODE static inline float fold(__m256 v)
{
    float lane[8];
    _mm256_storeu_ps(lane, v);
    return (lane[0] + lane[4]) + (lane[1] + lane[5]) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

CODE static inline int32_t fold_int(__m256i v)
{
    int32_t lane[8], sum = 0;
    _mm256_storeu_si256((__m256i *)(void *)lane, v);
    for (int k = 0; k < 8; k++)
        sum += lane[k];
    return sum;
}

/* One row after the other: see cpu_dense_hits_avx512.c. */
CODE NEP_CPU_BODY void stream_body(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, float *out)
{
    for (int64_t r = 0; r < rows; r++, row += n * nep_dense_size(t)) {
        __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
        int64_t i = 0;
        for (; i + 32 <= n; i += 32) {
            a = _mm256_fmadd_ps(_mm256_loadu_ps(query + i), load8(t, row, i), a);
            b = _mm256_fmadd_ps(_mm256_loadu_ps(query + i + 8), load8(t, row, i + 8), b);
            c = _mm256_fmadd_ps(_mm256_loadu_ps(query + i + 16), load8(t, row, i + 16), c);
            d = _mm256_fmadd_ps(_mm256_loadu_ps(query + i + 24), load8(t, row, i + 24), d);
        }
        for (; i < n; i += 8)
            a = _mm256_fmadd_ps(_mm256_loadu_ps(query + i), load8(t, row, i), a);
        out[r] = fold(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)));
    }
}

CODE static void stream(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, float *out)
{
    if (t == NEP_DENSE_F32)
        stream_body(NEP_DENSE_F32, row, rows, n, query, out);
    else if (t == NEP_DENSE_F16)
        stream_body(NEP_DENSE_F16, row, rows, n, query, out);
    else
        stream_body(NEP_DENSE_BF16, row, rows, n, query, out);
}

CODE static inline __m256i wide(const int8_t *p)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)p));
}

CODE static void stream_int(const int8_t *row, int64_t rows, int64_t n, const int8_t *query, int32_t *out)
{
    for (int64_t r = 0; r < rows; r++, row += n) {
        __m256i a = _mm256_setzero_si256(), b = a;
        for (int64_t i = 0; i < n; i += 32) { /* rows are whole lines of 64 bytes */
            a = _mm256_add_epi32(a, _mm256_madd_epi16(wide(query + i), wide(row + i)));
            b = _mm256_add_epi32(b, _mm256_madd_epi16(wide(query + i + 16), wide(row + i + 16)));
        }
        out[r] = fold_int(_mm256_add_epi32(a, b));
    }
}

CODE static void decode(nep_dense_type t, const void *row, int64_t n, float *out)
{
    for (int64_t i = 0; i < n; i += 8)
        _mm256_storeu_ps(out + i, load8(t, row, i));
}

CODE static void decode_int(const int8_t *row, int64_t n, void *out)
{
    for (int64_t i = 0; i < n; i += 16)
        _mm256_storeu_si256((__m256i *)(void *)((int16_t *)out + i), wide(row + i));
}

/* Half a panel with half the rows: twelve sums stay in registers. */
CODE NEP_CPU_BODY void six(const float *row, int64_t pitch, int64_t n, const float *panel, float *out)
{
    __m256 c[SIX][2];
#pragma GCC unroll 6
    for (int i = 0; i < SIX; i++)
        c[i][0] = c[i][1] = _mm256_setzero_ps();
    for (int64_t k = 0; k < n; k++) {
        const __m256 p = _mm256_loadu_ps(panel + k * PANEL), q = _mm256_loadu_ps(panel + k * PANEL + 8);
#pragma GCC unroll 6
        for (int i = 0; i < SIX; i++) {
            const __m256 x = _mm256_broadcast_ss(row + i * pitch + k);
            c[i][0] = _mm256_fmadd_ps(x, p, c[i][0]);
            c[i][1] = _mm256_fmadd_ps(x, q, c[i][1]);
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < SIX; i++) {
        _mm256_storeu_ps(out + i * PANEL, c[i][0]);
        _mm256_storeu_ps(out + i * PANEL + 8, c[i][1]);
    }
}

CODE static void tile(const float *row, int64_t pitch, int64_t n, const float *panel, const char *next, float *out)
{
    (void)next;
    for (int i = 0; i < ROWS; i += SIX)
        for (int j = 0; j < PANEL; j += 16)
            six(row + i * pitch, pitch, n, panel + j, out + i * PANEL + j);
}

CODE NEP_CPU_BODY void six_int(const int16_t *row, int64_t pitch, int64_t n, const int16_t *panel, int32_t *out)
{
    __m256i c[SIX][2];
#pragma GCC unroll 6
    for (int i = 0; i < SIX; i++)
        c[i][0] = c[i][1] = _mm256_setzero_si256();
    for (int64_t k = 0; k < n; k += 2) {
        const __m256i p = _mm256_loadu_si256((const __m256i *)(const void *)(panel + k * PANEL));
        const __m256i q = _mm256_loadu_si256((const __m256i *)(const void *)(panel + k * PANEL + 16));
#pragma GCC unroll 6
        for (int i = 0; i < SIX; i++) {
            const __m256i x = _mm256_set1_epi32(*(const int32_t *)(const void *)(row + i * pitch + k));
            c[i][0] = _mm256_add_epi32(c[i][0], _mm256_madd_epi16(x, p));
            c[i][1] = _mm256_add_epi32(c[i][1], _mm256_madd_epi16(x, q));
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < SIX; i++) {
        _mm256_storeu_si256((__m256i *)(void *)(out + i * PANEL), c[i][0]);
        _mm256_storeu_si256((__m256i *)(void *)(out + i * PANEL + 8), c[i][1]);
    }
}

CODE static void tile_int(const void *row, int64_t pitch, int64_t n, const void *panel, int32_t *out)
{
    for (int i = 0; i < ROWS; i += SIX)
        for (int j = 0; j < PANEL; j += 16)
            six_int((const int16_t *)row + i * pitch, pitch, n, (const int16_t *)panel + 2 * j, out + i * PANEL + j);
}

CODE static uint32_t test(const float *a, const float *gate, int64_t pitch, float n, float s, float r)
{
    uint32_t kept = 0;
    for (int j = 0; j < PANEL; j += 8) {
        __m256 t = _mm256_loadu_ps(gate + j);
        t = _mm256_fmadd_ps(_mm256_loadu_ps(gate + pitch + j), _mm256_set1_ps(n), t);
        t = _mm256_fmadd_ps(_mm256_loadu_ps(gate + 2 * pitch + j), _mm256_set1_ps(s), t);
        t = _mm256_fnmadd_ps(_mm256_loadu_ps(gate + 3 * pitch + j), _mm256_set1_ps(r), t);
        kept |= (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(a + j), t, _CMP_NLT_UQ)) << j;
    }
    return kept;
}

const nep_cpu_dense_family nep_cpu_dense_avx2 = {stream, stream_int, decode, decode_int, tile, tile_int, test, 2, 2, 0};
#endif
