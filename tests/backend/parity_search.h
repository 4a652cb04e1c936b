/* SPDX-License-Identifier: Apache-2.0 */
/* parity_search - how the ops of exact search are run for the comparison: bit vectors and dense vectors. */
#ifndef NEP_TESTS_BACKEND_PARITY_SEARCH_H
#define NEP_TESTS_BACKEND_PARITY_SEARCH_H

#include "backend/parity_ops.h"

static nep_status run_tanimoto(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n_b = s->cols > 1000 ? 1000 : s->cols;
    const int64_t words = s->rows % 3 == 0 ? 16 : s->rows % 3 == 1 ? 32 : 7, n = s->rows * n_b;
    uint64_t *a = bits(X, s->rows * words), *b = bits(Y, n_b * words);
    int32_t *common = zeroed(n, sizeof *common), *total = zeroed(n, sizeof *total);
    if (s->rows > 1)
        memset(a, 0, (size_t)words * sizeof *a); /* one empty row */
    const nep_status st = nep_backend_tanimoto(ctx, a, s->rows, b, n_b, words, common, total);
    for (int64_t i = 0; st == NEP_OK && i < n; i++) {
        push(r, common[i], 0, INTEGER);
        push(r, total[i], 0, INTEGER);
    }
    free(a);
    free(b);
    free(common);
    free(total);
    return st;
}

/* ---- bit vectors near one of five patterns, by their counts of bits ------------------------------------------------- */
typedef struct {
    uint64_t row[NEP_BIT_WORDS];
    uint16_t popcount;
} bit_row;

static bit_row near_pattern(uint64_t stream, int64_t i, int64_t words)
{
    bit_row r = {0};
    for (int64_t w = 0; w < words; w++) {
        uint64_t kept = ~0ull, common = ~0ull, own = ~0ull;
        for (uint64_t k = 0; k < 6; k++) { /* a bit of these words is set one time in 4, 8 and 64 */
            const uint64_t at = (uint64_t)(i * words + w) * 16 + 2 * k;
            const uint64_t mine = (uint64_t)nep_philox_u32(7, stream, at) << 32 | nep_philox_u32(7, stream, at + 1);
            const uint64_t pattern = (uint64_t)nep_philox_u32(7, Z, (uint64_t)((i % 5) * words + w) * 16 + k) * 0x9E3779B97F4A7C15u;
            own &= mine;
            kept &= k < 2 ? mine : ~0ull;
            common &= k < 3 ? pattern : ~0ull;
        }
        r.row[w] = (common & ~kept) | own;
        r.popcount = (uint16_t)(r.popcount + __builtin_popcountll(r.row[w]));
    }
    return r;
}

static int by_popcount(const void *x, const void *y)
{
    return (int)((const bit_row *)x)->popcount - (int)((const bit_row *)y)->popcount;
}

/* words, then sketches where `sketch` is not NULL. */
static void make_bit_rows(uint64_t stream, int64_t n, int64_t words, uint64_t *row, uint16_t *popcount, uint8_t *sketch)
{
    bit_row *r = zeroed(n, sizeof *r);
    for (int64_t i = 0; i < n; i++)
        r[i] = near_pattern(stream, i, words);
    if (n > 2)
        r[n / 2] = (bit_row){0};
    if (n)
        qsort(r, (size_t)n, sizeof *r, by_popcount);
    for (int64_t i = 0; i < n; i++) {
        memcpy(row + i * words, r[i].row, (size_t)words * sizeof *row);
        popcount[i] = r[i].popcount;
        for (int64_t b = 0; sketch && b < 64 * words; b++)
            sketch[i * NEP_BIT_SKETCH + b / (4 * words)] += (uint8_t)(r[i].row[b / 64] >> b % 64 & 1);
    }
    free(r);
}

typedef struct {
    int32_t position;
    uint16_t common;
} bit_hit;

static int by_position(const void *x, const void *y)
{
    return ((const bit_hit *)x)->position - ((const bit_hit *)y)->position;
}

static void push_bit_hits(result *r, int32_t count, int64_t cap, const int32_t *position, const uint16_t *common)
{
    bit_hit *h = zeroed(count <= cap ? count : 0, sizeof *h);
    push(r, count, 0, INTEGER);
    for (int32_t i = 0; count <= cap && i < count; i++)
        h[i] = (bit_hit){position[i], common[i]};
    if (count > 0 && count <= cap)
        qsort(h, (size_t)count, sizeof *h, by_position);
    for (int32_t i = 0; count <= cap && i < count; i++) {
        push(r, h[i].position, 0, INTEGER);
        push(r, h[i].common, 0, INTEGER);
    }
    free(h);
}

/* Thresholds of Tanimoto that many, few and no rows reach; one query wants all rows of even counts; some find more than is room for. */
static nep_status run_bit_hits(nep_ctx *ctx, const shape *s, result *r)
{
    static const int64_t widths[] = {32, 1, 16, 7, 63, 2, 64, 33, 128, 5};
    const int64_t n = s->cols > 1000 ? 1000 + s->cols % 7 : s->cols, n_q = s->rows, words = widths[(s->rows + s->cols) % NEP_LEN(widths)];
    const int64_t cap = 1 + n / (s->rows % 2 ? 1 : 9), most = 64 * words;
    uint64_t *row = zeroed(n * words, sizeof *row), *query = zeroed(n_q * words, sizeof *query);
    uint16_t *popcount = zeroed(n, sizeof *popcount), *bits_q = zeroed(n_q, sizeof *bits_q), *need = zeroed(n_q * (most + 1), sizeof *need);
    uint8_t *sketch = zeroed(n * NEP_BIT_SKETCH, 1), *sketch_q = zeroed(n_q * NEP_BIT_SKETCH, 1);
    int32_t *count = zeroed(n_q, sizeof *count), *position = zeroed(n_q * cap, sizeof *position);
    uint16_t *common = zeroed(n_q * cap, sizeof *common);
    const bool with = words < 64 && s->rows % 4;
    nep_bit_place placed = {0};
    make_bit_rows(X, n, words, row, popcount, with ? sketch : NULL);
    make_bit_rows(Y, n_q, words, query, bits_q, with ? sketch_q : NULL);
    for (int64_t q = 0; q < n_q; q++)
        for (int64_t b = 0; b <= most; b++) {
            const int64_t tenths = 2 + q % 7, least = (tenths * (bits_q[q] + b) + 9 + tenths) / (10 + tenths);
            need[q * (most + 1) + b] = (uint16_t)(q % 11 == 5 ? (b % 2 ? NEP_BIT_NEVER : 0) : least);
        }
    const nep_bit_rows rows = {row, popcount, with ? sketch : NULL, n, words};
    const nep_bit_queries queries = {query, with ? sketch_q : NULL, need, n_q};
    nep_status st = nep_backend_bit_rows(ctx, &rows, NULL, &placed);
    for (int part = 0; st == NEP_OK && part < 3; part++) { /* all rows; the last two thirds; none */
        const int64_t first = part == 0 ? 0 : part == 1 ? n / 3 : n;
        st = nep_backend_bit_hits(ctx, &placed, first, n - first, &queries, cap, count, position, common);
        for (int64_t q = 0; st == NEP_OK && q < n_q; q++)
            push_bit_hits(r, count[q], cap, position + q * cap, common + q * cap);
    }
    nep_backend_bit_rows_free(&placed);
    free(row);
    free(query);
    free(popcount);
    free(bits_q);
    free(need);
    free(sketch);
    free(sketch_q);
    free(count);
    free(position);
    free(common);
    return st;
}

/* ---- dense vectors ----------------------------------------------------------------------------------------------- */
typedef struct {
    nep_dense_rows rows;
    void *row;
    float *scale, *residual, *query;
    double *norm;
    uint64_t *allow;
} dense_set;

/* n rows of dims items of a type: whole numbers in -7 .. 7 when `whole`, whose sums are exact in any order, else anything. */
static dense_set make_dense(nep_dense_type type, int64_t n, int64_t dims, int64_t n_q, bool whole)
{
    const int64_t size = nep_dense_size(type), stride = (dims * size + 63) / 64 * 64 / size;
    dense_set d = {.rows = {.type = type, .n = n, .dims = dims, .stride = stride}, .row = zeroed(n * stride, (size_t)size)};
    d.scale = zeroed(n, sizeof *d.scale);
    d.residual = zeroed(n, sizeof *d.residual);
    d.norm = zeroed(n, sizeof *d.norm);
    d.allow = zeroed((n + 63) / 64, sizeof *d.allow);
    d.query = zeroed(n_q * stride, sizeof *d.query);
    for (int64_t i = 0; i < n; i++) {
        d.scale[i] = whole ? 1.0f : (float)(0.01 + nep_philox_uniform(99, Z, (uint64_t)i));
        d.allow[i / 64] |= (uint64_t)(i % 5 != 3) << (i % 64);
        for (int64_t j = 0; j < dims; j++) {
            const double u = nep_philox_uniform(99, X, (uint64_t)(i * dims + j)), v = whole ? floor(15 * u) - 7 : 4 * u - 2;
            void *at = (char *)d.row + (i * stride + j) * size;
            if (type == NEP_DENSE_F32)
                *(float *)at = (float)v;
            else if (type == NEP_DENSE_I8)
                *(int8_t *)at = (int8_t)(whole ? v : 60 * v);
            else
                *(uint16_t *)at = type == NEP_DENSE_F16 ? nep_half_pack_f16((float)v) : nep_half_pack_bf16((float)v);
        }
    }
    for (int64_t j = 0; j < n_q * stride; j++) {
        const double u = nep_philox_uniform(99, Y, (uint64_t)j);
        d.query[j] = j % stride < dims ? (float)(whole ? floor(15 * u) - 7 : 4 * u - 2) : 0.0f;
    }
    d.rows.row = d.row;
    d.rows.scale = type == NEP_DENSE_I8 ? d.scale : NULL;
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < dims; j++) {
            const double v = (double)nep_dense_item(type, (char *)d.row + i * stride * size, j) * (double)(d.rows.scale ? d.scale[i] : 1);
            sum += v * v;
        }
        d.norm[i] = i % 11 == 7 ? 1e30 : sqrt(sum); /* some are beyond float32: always kept */
        d.residual[i] = (float)(i % 3) / 4;
    }
    d.rows.norm = d.norm;
    return d;
}

static void free_dense(dense_set *d)
{
    free(d->row);
    free(d->scale);
    free(d->residual);
    free(d->norm);
    free(d->allow);
    free(d->query);
}

static int compare_hits(const void *x, const void *y)
{
    const nep_dense_hit *a = x, *b = y;
    return (a->position > b->position) - (a->position < b->position);
}

/* Whole numbers: the sums are exact, so every backend keeps the same rows. */
static nep_status dense_hits_of(nep_ctx *ctx, nep_dense_type type, int64_t n, int64_t dims, int64_t n_q, result *r)
{
    dense_set d = make_dense(type, n, dims, n_q, true);
    const int64_t cap = n > 3 ? n * 3 / 4 : n + 1;
    int8_t *small = zeroed(n_q * d.rows.stride, 1);
    float *gate = zeroed(4 * n_q, sizeof *gate);
    int32_t *count = zeroed(n_q, sizeof *count);
    nep_dense_hit *hit = zeroed(n_q * cap, sizeof *hit);
    for (int64_t j = 0; j < n_q * d.rows.stride; j++)
        small[j] = (int8_t)d.query[j];
    for (int64_t q = 0; q < n_q; q++) { /* sums and halves of whole numbers: t is exact too where a norm is not beyond float32 */
        gate[q] = q % 7 == 6 ? -INFINITY : (float)(4 * (q % 5) - 2) * (dims > 100 ? 8.0f : 1.0f);
        gate[2 * n_q + q] = 0;
        gate[3 * n_q + q] = 4;
    }
    d.rows.residual = dims % 2 ? d.residual : NULL;
    d.rows.allow = n % 2 ? d.allow : NULL;
    const nep_dense_queries q = {.query = type == NEP_DENSE_I8 ? (void *)small : (void *)d.query, .gate = gate, .n_q = n_q,
                                 .metric = dims % 3 ? NEP_DENSE_COSINE : NEP_DENSE_INNER};
    const nep_status st = nep_backend_dense_hits(ctx, &d.rows, NULL, 0, d.rows.n, &q, cap, count, hit);
    for (int64_t j = 0; st == NEP_OK && j < n_q; j++) {
        push(r, count[j], 0, INTEGER);
        if (count[j] > cap)
            continue;
        qsort(hit + j * cap, (size_t)count[j], sizeof *hit, compare_hits);
        for (int32_t i = 0; i < count[j]; i++) {
            push(r, hit[j * cap + i].position, 0, INTEGER);
            push(r, (double)hit[j * cap + i].near, 0, INTEGER);
        }
    }
    free(small);
    free(gate);
    free(count);
    free(hit);
    free_dense(&d);
    return st;
}

/* Rows both short and long, queries few and many, and more than fill a panel or a tile. */
static nep_status run_dense_hits(nep_ctx *ctx, const shape *s, result *r)
{
    static const int64_t queries[] = {1, 3, 13, 40, 150};
    nep_status st = NEP_OK;
    for (int t = NEP_DENSE_F32; st == NEP_OK && s->cols > 0 && t <= NEP_DENSE_I8; t++) {
        const int64_t n = s->cols > 400 ? 400 : s->cols;
        st = dense_hits_of(ctx, (nep_dense_type)t, n, s->rows, queries[(s->rows + t) % 4 + (n < 40)], r);
        if (st == NEP_OK && s->cols <= 600)
            st = dense_hits_of(ctx, (nep_dense_type)t, s->rows, s->cols, queries[(s->cols + t) % 4], r);
    }
    return st;
}

static nep_status run_dense_scores(nep_ctx *ctx, const shape *s, result *r)
{
    enum { QUERIES = 3 };
    nep_status st = NEP_OK;
    for (int t = NEP_DENSE_F32; st == NEP_OK && s->cols > 0 && t <= NEP_DENSE_I8; t++) {
        dense_set d = make_dense((nep_dense_type)t, s->rows, s->cols, QUERIES, false);
        const int64_t n = s->rows < 20 ? 2 * s->rows : 40;
        int32_t *query = zeroed(n, sizeof *query), *row = zeroed(n, sizeof *row);
        double *out = zeroed(n, sizeof *out);
        for (int64_t i = 0; i < n; i++) {
            query[i] = (int32_t)(i % QUERIES);
            row[i] = (int32_t)(i * 7 % s->rows);
        }
        for (int square = 0; st == NEP_OK && square < 2; square++) {
            st = nep_backend_dense_scores(ctx, &d.rows, NULL, d.query, QUERIES, square, query, row, n, out);
            for (int64_t i = 0; st == NEP_OK && i < n; i++)
                push(r, out[i], 0, FLOAT64);
        }
        free(query);
        free(row);
        free(out);
        free_dense(&d);
    }
    return st;
}

#endif
