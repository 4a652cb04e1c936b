/* SPDX-License-Identifier: Apache-2.0 */
/* dense - rows of dense vectors: how items decode, exact products and squared differences, and the test of the first pass.
 *
 * First pass of a query q' against row x: `a` near q'.x, computed in float32 or in integers. The row is kept unless a < t,
 *   t = low + by_norm n + by_square s - by_residual r
 * with n, s, r of the row (nep_dense_row_bound) and the rest of the query. The maker of low, by_norm, by_square and by_residual sees to it
 * that t, computed in float32 in any order, lies below what the row needs (NEP_DENSE_SLACK); docs/similarity_dense.md has the proof.
 */
#ifndef NEPENTHE_MATH_DENSE_H
#define NEPENTHE_MATH_DENSE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include <nepenthe/math/half.h>
#include <nepenthe/math/hd.h>
#include <nepenthe/math/lanes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { NEP_DENSE_F32 = 1, NEP_DENSE_F16 = 2, NEP_DENSE_BF16 = 3, NEP_DENSE_I8 = 4 } nep_dense_type;
typedef enum { NEP_DENSE_INNER, NEP_DENSE_COSINE, NEP_DENSE_L2 } nep_dense_metric;

/* Rows begin on 64 bytes, stride is a multiple of 64 bytes, items past dims are 0. int8 rows are read as item * scale. */
typedef struct {
    nep_dense_type type;
    int64_t n, dims, stride;
    const void *row;       /* [n, stride] */
    const float *scale;    /* [n] for int8 */
    const double *norm;    /* [n] Euclidean norm of the vector whose scores count */
    const float *residual; /* [n] norm of that vector less the row; NULL = the rows are the vectors */
    const uint64_t *allow; /* bit i of the rows, set = may be a hit; NULL = all */
} nep_dense_rows;

/* Queries of a first pass: float32 [n_q, stride], for int8 rows int8 (stride of the rows; items past dims are 0). */
typedef struct {
    const void *query;
    const float *gate; /* [4, n_q] low, by_norm, by_square, by_residual */
    int64_t n_q;
    nep_dense_metric metric;
} nep_dense_queries;

typedef struct {
    int32_t position;
    float near; /* a */
} nep_dense_hit;

enum { NEP_DENSE_INT_MOST = 131072 }; /* dims up to which sums of int8 products fit int32: 127^2 * 131072 < 2^31 */

/* Of what low, by_norm, by_square and by_residual are moved by, relative to each: float32 evaluation of t rounds n, s, r, the four and at
 * most six intermediate results, each by 2^-24 of the sum of the magnitudes, less than 16 * 2^-24 of it together. */
#define NEP_DENSE_SLACK (1.0 / (1 << 20))
/* Longer rows are no matter for float32: they are kept whatever `a` is. So |t| and |a| of all others stay below 2^126. */
#define NEP_DENSE_LONG    1.2089258196146292e24 /* 2^80 */
#define NEP_DENSE_LONG_L2 1099511627776.0       /* 2^40 */

/* Bytes of an item. */
NEP_HD int64_t nep_dense_size(nep_dense_type t)
{
    return t == NEP_DENSE_F32 ? 4 : t == NEP_DENSE_I8 ? 1 : 2;
}

/* Item i of a row as float32, without the scale of int8. */
NEP_HD float nep_dense_item(nep_dense_type t, const void *row, int64_t i)
{
    switch (t) {
    case NEP_DENSE_F32: return ((const float *)row)[i];
    case NEP_DENSE_F16: return nep_half_unpack_f16(((const uint16_t *)row)[i]);
    case NEP_DENSE_BF16: return nep_half_unpack_bf16(((const uint16_t *)row)[i]);
    default: return (float)((const int8_t *)row)[i];
    }
}

/* What the first pass needs of a row. Longer than float32 can tell: kept (t is -inf). Not allowed: never a hit (t is +inf). A row of norm 0
 * has cosine 0 with everything, as a row of norm 1 with product 0. */
NEP_HD void nep_dense_row_bound(nep_dense_metric m, double norm, float residual, bool allowed, float *n, float *s, float *r)
{
    const bool beyond = !(norm < (m == NEP_DENSE_L2 ? NEP_DENSE_LONG_L2 : NEP_DENSE_LONG));
    *n = beyond || !allowed ? 0.0f : m == NEP_DENSE_COSINE && norm == 0.0 ? 1.0f : (float)norm;
    *s = beyond || !allowed || m != NEP_DENSE_L2 ? 0.0f : (float)(0.5 * norm * norm);
    *r = !allowed ? -INFINITY : beyond ? INFINITY : residual;
}

/* The t of a row and a query: four of the query's numbers lie `pitch` apart. */
NEP_HD float nep_dense_need(const float *gate, int64_t pitch, float n, float s, float r)
{
    return gate[0] + gate[pitch] * n + gate[2 * pitch] * s - gate[3 * pitch] * r;
}

/* One lane's term: a product, or the square of a difference. Separate roundings: never fused. */
NEP_HD double nep_dense_term(bool square, double q, double x)
{
    const double d = q - x;
    return square ? d * d : q * x;
}

/* The lane sum of q.x, or of (q - x)^2, over n items: the definition that every device keeps to. */
NEP_HD double nep_dense_sum(nep_dense_type t, bool square, const float *q, const void *row, float scale, int64_t n)
{
    const double unit = t == NEP_DENSE_I8 ? (double)scale : 1.0;
    double total = 0.0;
    for (int64_t from = 0; from < n; from += NEP_LANES_CHUNK) {
        const int64_t to = n - from < NEP_LANES_CHUNK ? n : from + NEP_LANES_CHUNK;
        double lane[NEP_LANES] = {0};
        for (int64_t i = from; i < to; i++)
            lane[i % NEP_LANES] += nep_dense_term(square, (double)q[i], (double)nep_dense_item(t, row, i) * unit);
        total += nep_lanes_fold(lane);
    }
    return total;
}

/* The score of such a sum: inner product, cosine (0 where a norm is 0) or distance. */
NEP_HD double nep_dense_score(nep_dense_metric m, double sum, double query_norm, double row_norm)
{
    if (m == NEP_DENSE_INNER)
        return sum;
    if (m == NEP_DENSE_L2)
        return sqrt(sum);
    return query_norm > 0.0 && row_norm > 0.0 ? sum / (query_norm * row_norm) : 0.0;
}

#ifdef __cplusplus
}
#endif
#endif
