/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_dense_hits_avx512 - the first pass in vectors of 512 bits: float32 multiply-adds, and products of bytes by VNNI. Few queries meet rows
 * read one after the other, or as four lines of memory side by side, by what the processor reads faster: cpu_dense_hits.h. */
#include "backend/cpu_dense_hits.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c")))

enum { ROWS = NEP_CPU_DENSE_ROWS, PANEL = NEP_CPU_DENSE_PANEL, FEW = NEP_CPU_DENSE_FEW, PAGE = 4096, AHEAD = 2 * PAGE, LINE = 64 };

CODE static inline __m512 load16(nep_dense_type t, const char *row, int64_t i)
{
    if (t == NEP_DENSE_F32)
        return _mm512_loadu_ps((const float *)(const void *)row + i);
    const __m256i h = _mm256_loadu_si256((const __m256i *)(const void *)(row + 2 * i));
    if (t == NEP_DENSE_F16)
        return _mm512_cvtph_ps(h);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

_Static_assert(FEW == 4, "four sums at once");

/* The sums over the items of four vectors. */
CODE static inline __m128i fold4_int(const __m512i v[FEW])
{
    const __m512i x = _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    const __m512i y = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    const __m512i z = _mm512_add_epi32(_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y));
    const __m256i h = _mm256_add_epi32(_mm512_castsi512_si256(z), _mm512_extracti64x4_epi64(z, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));
}

CODE static inline __m128 fold4(const __m512 v[FEW])
{
    const __m512 x = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
    const __m512 y = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
    const __m512d u = _mm512_castps_pd(x), w = _mm512_castps_pd(y);
    const __m512 z = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(u, w)), _mm512_castpd_ps(_mm512_unpackhi_pd(u, w)));
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(z), _mm512_extractf32x8_ps(z, 1));
    return _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
}

/* Products of FEW rows with the query, each by four sums: few_in_turn and few_beside make the same bits. */
CODE static inline void few_in_turn(nep_dense_type t, const char *const x[FEW], int64_t n, const float *query, __m512 sum[FEW])
{
    for (int r = 0; r < FEW; r++) {
        __m512 a = _mm512_setzero_ps(), b = a, c = a, d = a;
        int64_t i = 0;
        for (; i + 64 <= n; i += 64) {
            a = _mm512_fmadd_ps(_mm512_loadu_ps(query + i), load16(t, x[r], i), a);
            b = _mm512_fmadd_ps(_mm512_loadu_ps(query + i + 16), load16(t, x[r], i + 16), b);
            c = _mm512_fmadd_ps(_mm512_loadu_ps(query + i + 32), load16(t, x[r], i + 32), c);
            d = _mm512_fmadd_ps(_mm512_loadu_ps(query + i + 48), load16(t, x[r], i + 48), d);
        }
        for (; i < n; i += 16)
            a = _mm512_fmadd_ps(_mm512_loadu_ps(query + i), load16(t, x[r], i), a);
        sum[r] = _mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d));
    }
}

CODE static inline void few_beside(nep_dense_type t, const char *const x[FEW], int64_t n, const float *query, __m512 sum[FEW])
{
    __m512 a[FEW], b[FEW], c[FEW], d[FEW];
    int64_t i = 0;
    for (int r = 0; r < FEW; r++)
        a[r] = b[r] = c[r] = d[r] = _mm512_setzero_ps();
    for (; i + 64 <= n; i += 64) {
        const __m512 q = _mm512_loadu_ps(query + i), q1 = _mm512_loadu_ps(query + i + 16);
        const __m512 q2 = _mm512_loadu_ps(query + i + 32), q3 = _mm512_loadu_ps(query + i + 48);
#pragma GCC unroll 4
        for (int r = 0; r < FEW; r++) {
            a[r] = _mm512_fmadd_ps(q, load16(t, x[r], i), a[r]);
            b[r] = _mm512_fmadd_ps(q1, load16(t, x[r], i + 16), b[r]);
            c[r] = _mm512_fmadd_ps(q2, load16(t, x[r], i + 32), c[r]);
            d[r] = _mm512_fmadd_ps(q3, load16(t, x[r], i + 48), d[r]);
        }
    }
    for (; i < n; i += 16)
#pragma GCC unroll 4
        for (int r = 0; r < FEW; r++)
            a[r] = _mm512_fmadd_ps(_mm512_loadu_ps(query + i), load16(t, x[r], i), a[r]);
    for (int r = 0; r < FEW; r++)
        sum[r] = _mm512_add_ps(_mm512_add_ps(a[r], b[r]), _mm512_add_ps(c[r], d[r]));
}

/* What lies ahead may lie beyond the last row: asking reads nothing. */
static inline void ask_ahead(const void *x, int64_t bytes)
{
    for (int64_t i = 0; i < bytes; i += LINE)
        __builtin_prefetch((const void *)((uintptr_t)x + AHEAD + (uintptr_t)i));
}

CODE NEP_CPU_BODY void stream_in_turn(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, bool ask, float *out)
{
    const int64_t bytes = n * nep_dense_size(t);
    for (int64_t first = 0; first < rows; first += FEW) {
        const char *x[FEW];
        __m512 sum[FEW];
        for (int r = 0; r < FEW; r++)
            x[r] = row + nep_cpu_min(first + r, rows - 1) * bytes;
        if (ask)
            ask_ahead(x[0], FEW * bytes);
        few_in_turn(t, x, n, query, sum);
        _mm_storeu_ps(out + first, fold4(sum));
    }
}

/* Row k of each quarter of the rows together; where quarters are short of a page, rows in turn, and what lies ahead is asked for. */
CODE NEP_CPU_BODY void stream_beside(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, float *out)
{
    const int64_t bytes = n * nep_dense_size(t), part = rows / FEW * bytes < PAGE ? 0 : rows / FEW;
    for (int64_t k = 0; k < part; k++) {
        const char *x[FEW];
        __m512 sum[FEW];
        float four[FEW];
        for (int r = 0; r < FEW; r++)
            x[r] = row + (r * part + k) * bytes;
        few_beside(t, x, n, query, sum);
        _mm_storeu_ps(four, fold4(sum));
        for (int r = 0; r < FEW; r++)
            out[r * part + k] = four[r];
    }
    if (FEW * part < rows)
        stream_in_turn(t, row + FEW * part * bytes, rows - FEW * part, n, query, true, out + FEW * part);
}

CODE NEP_CPU_BODY void stream_by(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, bool beside, float *out)
{
    if (beside)
        stream_beside(t, row, rows, n, query, out);
    else
        stream_in_turn(t, row, rows, n, query, false, out);
}

/* `beside` is a constant, and so is the type in each branch. */
CODE NEP_CPU_BODY void stream_any(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, bool beside, float *out)
{
    if (t == NEP_DENSE_F32)
        stream_by(NEP_DENSE_F32, row, rows, n, query, beside, out);
    else if (t == NEP_DENSE_F16)
        stream_by(NEP_DENSE_F16, row, rows, n, query, beside, out);
    else
        stream_by(NEP_DENSE_BF16, row, rows, n, query, beside, out);
}

CODE static void stream(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, float *out)
{
    stream_any(t, row, rows, n, query, false, out);
}

CODE static void lines(nep_dense_type t, const char *row, int64_t rows, int64_t n, const float *query, float *out)
{
    stream_any(t, row, rows, n, query, true, out);
}

CODE static inline __m512i bytes64(const int8_t *row, int64_t i)
{
    return _mm512_xor_si512(_mm512_loadu_si512(row + i), _mm512_set1_epi8((char)0x80));
}

CODE NEP_CPU_BODY void stream_int_body(const int8_t *row, int64_t rows, int64_t n, const int8_t *query, bool ask, int32_t *out)
{
    for (int64_t first = 0; first < rows; first += FEW) {
        __m512i sum[FEW];
        if (ask)
            ask_ahead(row + first * n, FEW * n);
        for (int r = 0; r < FEW; r++) {
            const int8_t *x = row + nep_cpu_min(first + r, rows - 1) * n;
            __m512i a = _mm512_setzero_si512(), b = a;
            int64_t i = 0;
            for (; i + 128 <= n; i += 128) {
                a = _mm512_dpbusd_epi32(a, bytes64(x, i), _mm512_loadu_si512(query + i));
                b = _mm512_dpbusd_epi32(b, bytes64(x, i + 64), _mm512_loadu_si512(query + i + 64));
            }
            for (; i < n; i += 64)
                a = _mm512_dpbusd_epi32(a, bytes64(x, i), _mm512_loadu_si512(query + i));
            sum[r] = _mm512_add_epi32(a, b);
        }
        _mm_storeu_si128((__m128i *)(void *)(out + first), fold4_int(sum));
    }
}

CODE static void stream_int(const int8_t *row, int64_t rows, int64_t n, const int8_t *query, int32_t *out)
{
    stream_int_body(row, rows, n, query, false, out);
}

CODE static void lines_int(const int8_t *row, int64_t rows, int64_t n, const int8_t *query, int32_t *out)
{
    const int64_t part = rows / FEW * n < PAGE ? 0 : rows / FEW;
    for (int64_t k = 0; k < part; k++) {
        const int8_t *const x = row + k * n;
        __m512i sum[FEW];
        int32_t four[FEW];
        for (int r = 0; r < FEW; r++)
            sum[r] = _mm512_setzero_si512();
        for (int64_t i = 0; i < n; i += 64) {
            const __m512i q = _mm512_loadu_si512(query + i);
#pragma GCC unroll 4
            for (int r = 0; r < FEW; r++)
                sum[r] = _mm512_dpbusd_epi32(sum[r], bytes64(x + r * part * n, i), q);
        }
        _mm_storeu_si128((__m128i *)(void *)four, fold4_int(sum));
        for (int r = 0; r < FEW; r++)
            out[r * part + k] = four[r];
    }
    if (FEW * part < rows)
        stream_int_body(row + FEW * part * n, rows - FEW * part, n, query, true, out + FEW * part);
}

CODE static void decode(nep_dense_type t, const void *row, int64_t n, float *out)
{
    for (int64_t i = 0; i < n; i += 16)
        _mm512_storeu_ps(out + i, load16(t, row, i));
}

CODE static void decode_int(const int8_t *row, int64_t n, void *out)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    for (int64_t i = 0; i < n; i += 64)
        _mm512_storeu_si512((char *)out + i, _mm512_xor_si512(_mm512_loadu_si512(row + i), flip));
}

#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

CODE static void tile(const float *row, int64_t pitch, int64_t n, const float *panel, const char *next, float *out)
{
    __m512 c[ROWS][2];
#define CLEAR(i) c[i][0] = c[i][1] = _mm512_setzero_ps();
#define STEP(i)                                                                                                       \
    x = _mm512_set1_ps(row[(i) * pitch + k]);                                                                         \
    c[i][0] = _mm512_fmadd_ps(x, p, c[i][0]);                                                                         \
    c[i][1] = _mm512_fmadd_ps(x, q, c[i][1]);
#define STORE(i)                                                                                                      \
    _mm512_storeu_ps(out + (i) * PANEL, c[i][0]);                                                                     \
    _mm512_storeu_ps(out + (i) * PANEL + 16, c[i][1]);
    EACH_ROW(CLEAR)
    for (int64_t k = 0; k < n; k++) {
        __builtin_prefetch(next + k * NEP_CPU_DENSE_ASKED, 0, 2); /* into the second cache */
        const __m512 p = _mm512_loadu_ps(panel + k * PANEL), q = _mm512_loadu_ps(panel + k * PANEL + 16);
        __m512 x;
        EACH_ROW(STEP)
    }
    EACH_ROW(STORE)
#undef CLEAR
#undef STEP
#undef STORE
}

CODE static void tile_int(const void *row, int64_t pitch, int64_t n, const void *panel, int32_t *out)
{
    __m512i c[ROWS][2];
    const char *r = row, *from = panel;
#define CLEAR(i) c[i][0] = c[i][1] = _mm512_setzero_si512();
#define STEP(i)                                                                                                       \
    x = _mm512_set1_epi32(*(const int32_t *)(const void *)(r + (i) * pitch + k));                                     \
    c[i][0] = _mm512_dpbusd_epi32(c[i][0], x, p);                                                                     \
    c[i][1] = _mm512_dpbusd_epi32(c[i][1], x, q);
#define STORE(i)                                                                                                      \
    _mm512_storeu_si512(out + (i) * PANEL, c[i][0]);                                                                  \
    _mm512_storeu_si512(out + (i) * PANEL + 16, c[i][1]);
    EACH_ROW(CLEAR)
    for (int64_t k = 0; k < n; k += 4) {
        const __m512i p = _mm512_loadu_si512(from + k * PANEL), q = _mm512_loadu_si512(from + k * PANEL + 64);
        __m512i x;
        EACH_ROW(STEP)
    }
    EACH_ROW(STORE)
#undef CLEAR
#undef STEP
#undef STORE
}

CODE static uint32_t test(const float *a, const float *gate, int64_t pitch, float n, float s, float r)
{
    uint32_t kept = 0;
    for (int j = 0; j < PANEL; j += 16) {
        __m512 t = _mm512_loadu_ps(gate + j);
        t = _mm512_fmadd_ps(_mm512_loadu_ps(gate + pitch + j), _mm512_set1_ps(n), t);
        t = _mm512_fmadd_ps(_mm512_loadu_ps(gate + 2 * pitch + j), _mm512_set1_ps(s), t);
        t = _mm512_fnmadd_ps(_mm512_loadu_ps(gate + 3 * pitch + j), _mm512_set1_ps(r), t);
        kept |= (uint32_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(a + j), t, _CMP_NLT_UQ) << j;
    }
    return kept;
}

const nep_cpu_dense_family nep_cpu_dense_avx512 = {stream, stream_int, decode, decode_int, tile, tile_int, test, 1, 4, 128};
const nep_cpu_dense_family nep_cpu_dense_avx512_lines = {lines, lines_int, decode, decode_int, tile, tile_int, test, 1, 4, 128};
#endif
