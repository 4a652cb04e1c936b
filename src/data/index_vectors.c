/* SPDX-License-Identifier: Apache-2.0 */
/* index_vectors - an index of dense vectors in memory: rows in their type, norms, and the int8 shadow with a proven residual. */
#include "data/index_parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <nepenthe/math/half.h>
#include <nepenthe/math/lanes.h>

/* One decoded item; an int8 item times a float32 scale is exact in float64. */
static inline double item_at(const void *row, int64_t i, nep_vector_type type, double scale)
{
    switch (type) {
    case NEP_VECTOR_F32:
        return (double)((const float *)row)[i];
    case NEP_VECTOR_F16:
        return (double)nep_half_unpack_f16(((const uint16_t *)row)[i]);
    case NEP_VECTOR_BF16:
        return (double)nep_half_unpack_bf16(((const uint16_t *)row)[i]);
    case NEP_VECTOR_I8:
        break;
    }
    return (double)((const int8_t *)row)[i] * scale;
}

void nep_index_decode(const nep_index_vectors *v, int64_t position, float *out)
{
    const void *row = (const char *)v->row + position * v->stride * (int64_t)nep_index_item_size(v->type);
    const double scale = v->scale ? (double)v->scale[position] : 1;
    for (int64_t i = 0; i < v->dims; i++)
        out[i] = (float)item_at(row, i, v->type, scale);
}

/* Square of item i less its copy; minus may be NULL. */
static inline double square_at(const void *row, int64_t i, nep_vector_type type, double scale, const int8_t *minus, double minus_scale)
{
    const double v = item_at(row, i, type, scale) - (minus ? (double)minus[i] * minus_scale : 0.0);
    return v * v;
}

/* Lane sum of (item - minus * minus_scale)^2. */
static inline double square_sum(const void *row, int64_t dims, nep_vector_type type, double scale, const int8_t *minus, double minus_scale)
{
    double total = 0;
    for (int64_t from = 0; from < dims; from += NEP_LANES_CHUNK) {
        const int64_t to = dims - from < NEP_LANES_CHUNK ? dims : from + NEP_LANES_CHUNK, whole = to - (to - from) % NEP_LANES;
        double lane[NEP_LANES] = {0};
        for (int64_t i = from; i < whole; i += NEP_LANES)
            for (int64_t l = 0; l < NEP_LANES; l++)
                lane[l] += square_at(row, i + l, type, scale, minus, minus_scale);
        for (int64_t i = whole; i < to; i++)
            lane[i - whole] += square_at(row, i, type, scale, minus, minus_scale);
        total += nep_lanes_fold(lane);
    }
    return total;
}

double nep_index_norm(const void *row, int64_t dims, nep_vector_type type, float scale)
{
    switch (type) { /* a constant type makes a loop of its own */
    case NEP_VECTOR_F32:
        return sqrt(square_sum(row, dims, NEP_VECTOR_F32, 0, NULL, 0));
    case NEP_VECTOR_F16:
        return sqrt(square_sum(row, dims, NEP_VECTOR_F16, 0, NULL, 0));
    case NEP_VECTOR_BF16:
        return sqrt(square_sum(row, dims, NEP_VECTOR_BF16, 0, NULL, 0));
    case NEP_VECTOR_I8:
        break;
    }
    return sqrt(square_sum(row, dims, NEP_VECTOR_I8, (double)scale, NULL, 0));
}

/* The least float32 that is not under v >= 0. */
static float float_up(double v)
{
    const float f = (float)v;
    return (double)f < v ? nextafterf(f, INFINITY) : f;
}

/* The least scale for which no item passes 127 in size. */
static float scale_for(double largest)
{
    return float_up(largest / 127.0);
}

/* v / scale to the nearest, ties to even, which the sum with 1.5 * 2^52 is; scale > 0. */
static inline int8_t quantize(double v, double scale)
{
    const double q = (v / scale + 0x1.8p52) - 0x1.8p52;
    return (int8_t)(q > 127 ? 127 : q < -127 ? -127 : q);
}

/* The first column that is not finite, or -1. */
static int64_t not_finite(const float *x, int64_t dims)
{
    int bad = 0;
    for (int64_t i = 0; i < dims; i++)
        bad |= !nep_lanes_finite(x[i]);
    for (int64_t i = 0; bad && i < dims; i++)
        if (!nep_lanes_finite(x[i]))
            return i;
    return -1;
}

static void encode_i8(const float *x, int64_t dims, int8_t *row, float *scale)
{
    float largest = 0;
    for (int64_t i = 0; i < dims; i++)
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    *scale = scale_for((double)largest);
    for (int64_t i = 0; i < dims; i++)
        row[i] = *scale > 0 ? quantize((double)x[i], (double)*scale) : 0;
}

/* 16-bit items; returns the first column that became infinite, or -1. */
static int64_t encode_half(const float *x, int64_t dims, nep_vector_type type, uint16_t *row)
{
    const bool bf16 = type == NEP_VECTOR_BF16;
    const uint16_t most = bf16 ? 0x7f80u : 0x7c00u;
    int64_t bad = -1;
    for (int64_t i = 0; i < dims; i++) {
        row[i] = bf16 ? nep_half_pack_bf16(x[i]) : nep_half_pack_f16(x[i]);
        if (bad < 0 && (row[i] & 0x7fffu) >= most)
            bad = i;
    }
    return bad;
}

int64_t nep_index_encode(const float *x, int64_t dims, nep_vector_type type, void *row, float *scale, double *norm)
{
    int64_t bad = not_finite(x, dims);
    if (bad >= 0)
        return bad;
    if (type == NEP_VECTOR_F32)
        memcpy(row, x, (size_t)dims * sizeof *x);
    else if (type == NEP_VECTOR_I8)
        encode_i8(x, dims, row, scale);
    else
        bad = encode_half(x, dims, type, row);
    if (bad < 0)
        *norm = nep_index_norm(row, dims, type, type == NEP_VECTOR_I8 ? *scale : 0);
    return bad;
}

/* Proof that the residual is an upper bound. Items x are float32 and products q s of an int8 and a float32 are exact in float64;
 * both are multiples of 2^-149, so no square underflows. With u = 2^-53, each difference has a relative error of at most u, its
 * square 2 u + u more, and each of the at most dims additions u: the sum S is at most (1 + u)^(dims + 3) times too small. Its root
 * and the product below add u each, and (dims + 3) / 2 + 2 < dims + 16 leaves room for the terms of second order, dims <= 2^20. */
static float residual_up(double sum, int64_t dims)
{
    return float_up(sqrt(sum) * (1.0 + (double)(dims + 16) * 0x1p-53));
}

static inline void shade(const void *row, int64_t dims, nep_vector_type type, int8_t *shadow, float *scale, float *residual)
{
    double largest = 0;
    for (int64_t i = 0; i < dims; i++) {
        const double size = fabs(item_at(row, i, type, 0));
        largest = size > largest ? size : largest;
    }
    *scale = scale_for(largest);
    const double step = (double)*scale;
    for (int64_t i = 0; i < dims; i++)
        shadow[i] = step > 0 ? quantize(item_at(row, i, type, 0), step) : 0;
    *residual = residual_up(square_sum(row, dims, type, 0, shadow, (double)*scale), dims);
}

void nep_index_shade(const void *row, int64_t dims, nep_vector_type type, int8_t *shadow, float *scale, float *residual)
{
    if (type == NEP_VECTOR_F32)
        shade(row, dims, NEP_VECTOR_F32, shadow, scale, residual);
    else if (type == NEP_VECTOR_F16)
        shade(row, dims, NEP_VECTOR_F16, shadow, scale, residual);
    else
        shade(row, dims, NEP_VECTOR_BF16, shadow, scale, residual);
}

nep_status nep_index_refuse(nep_ctx *ctx, const char *source, float value, int64_t row, int64_t column, nep_vector_type type)
{
    if (!nep_lanes_finite(value))
        return nep_ctx_fail(ctx, NEP_E_FORMAT, "%s: row %lld, column %lld (from 0) is %s; vectors hold finite numbers only, so remove the row", source,
                            (long long)row, (long long)column, isnan(value) ? "not a number" : "infinite");
    return nep_ctx_fail(ctx, NEP_E_FORMAT, "%s: row %lld, column %lld (from 0) is %g, which %s cannot hold; store as f32 or int8", source,
                        (long long)row, (long long)column, (double)value, nep_index_type_name(type));
}

typedef struct {
    char *row;
    float *scale;
    double *norm;
    int8_t *shadow;
    float *shadow_scale, *shadow_residual;
} arrays;

static nep_status allocate(nep_ctx *ctx, nep_index *x, bool shadow, arrays *a)
{
    nep_index_vectors *v = &x->vectors;
    NEP_TRY(nep_index_memory_alloc(ctx, x, x->n * v->stride, nep_index_item_size(v->type), "vectors", &a->row));
    NEP_TRY(nep_index_memory_alloc(ctx, x, x->n, sizeof *a->norm, "norms", &a->norm));
    if (v->type == NEP_VECTOR_I8)
        NEP_TRY(nep_index_memory_alloc(ctx, x, x->n, sizeof *a->scale, "scales", &a->scale));
    if (shadow) {
        v->shadow_stride = nep_index_stride(v->dims, 1);
        NEP_TRY(nep_index_memory_alloc(ctx, x, x->n * v->shadow_stride, 1, "int8 copy", &a->shadow));
        NEP_TRY(nep_index_memory_alloc(ctx, x, x->n, sizeof *a->shadow_scale, "int8 scales", &a->shadow_scale));
        NEP_TRY(nep_index_memory_alloc(ctx, x, x->n, sizeof *a->shadow_residual, "int8 residuals", &a->shadow_residual));
    }
    v->row = a->row;
    v->scale = a->scale;
    v->norm = a->norm;
    v->shadow = a->shadow;
    v->shadow_scale = a->shadow_scale;
    v->shadow_residual = a->shadow_residual;
    return NEP_OK;
}

static nep_status fill(nep_ctx *ctx, const float *x, const nep_index *index, const arrays *a)
{
    const nep_index_vectors *v = &index->vectors;
    const int64_t n = index->n, dims = v->dims, bytes = v->stride * (int64_t)nep_index_item_size(v->type);
    const int threads = nep_ctx_threads(ctx);
    int64_t bad = n;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(min : bad)
    for (int64_t i = 0; i < n; i++) {
        char *row = a->row + i * bytes;
        const int64_t column = nep_index_encode(x + i * dims, dims, v->type, row, a->scale ? a->scale + i : NULL, a->norm + i);
        if (column >= 0)
            bad = i < bad ? i : bad;
        else if (a->shadow)
            nep_index_shade(row, dims, v->type, a->shadow + i * v->shadow_stride, a->shadow_scale + i, a->shadow_residual + i);
    }
    if (bad == n)
        return NEP_OK;
    float scale;
    double norm;
    const int64_t column = nep_index_encode(x + bad * dims, dims, v->type, a->row + bad * bytes, &scale, &norm);
    return nep_index_refuse(ctx, "vectors", x[bad * dims + column], bad, column, v->type);
}

nep_status nep_index_from_vectors(nep_ctx *ctx, const float *x, int64_t n, int64_t dims, nep_vector_type type, char *const *ids, bool shadow,
                                  const char *about, nep_index *out)
{
    nep_index index = {.kind = NEP_INDEX_VECTORS, .n = n, .total = n};
    arrays a = {0};
    char *text = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, x && n >= 1, NEP_E_ARG, "vectors: %lld rows; an index needs at least one", (long long)n);
    NEP_REQUIRE(ctx, dims >= 1 && dims <= NEP_INDEX_DIMS_MOST, NEP_E_ARG, "vectors: %lld dimensions; an index holds 1 to %d", (long long)dims,
                NEP_INDEX_DIMS_MOST);
    NEP_REQUIRE(ctx, nep_index_item_size(type) > 0, NEP_E_ARG, "vectors: type %d is none of f32, f16, bf16, int8", (int)type);
    NEP_TRY_OR_DONE(st, nep_index_memory_create(ctx, &index));
    index.vectors.dims = dims;
    index.vectors.type = type;
    index.vectors.stride = nep_index_stride(dims, nep_index_item_size(type));
    NEP_TRY_OR_DONE(st, allocate(ctx, &index, shadow && type != NEP_VECTOR_I8, &a));
    NEP_TRY_OR_DONE(st, fill(ctx, x, &index, &a));
    if (ids)
        NEP_TRY_OR_DONE(st, nep_index_take_ids(ctx, &index, ids, NULL));
    NEP_TRY_OR_DONE(st, nep_index_memory_alloc(ctx, &index, (int64_t)strlen(about ? about : "") + 1, 1, "text", &text));
    strcpy(text, about ? about : "");
    index.about = text;
    index.content = nep_index_hash_set(nep_index_hash_sum(ctx, &index), index.kind, dims, (int)type, n);
    *out = index;
    index = (nep_index){0};
done:
    nep_index_free(&index);
    return st;
}
