/* SPDX-License-Identifier: Apache-2.0 */
/* dense_query - a query as the first pass holds it, and how far from the truth that pass can be. The proof is in docs/similarity_dense.md;
 * the names there are those here. */
#include "similarity/dense_parts.h"

#include <math.h>

#define FLOAT_ROUNDING (1.0 / (1 << 24)) /* half an ulp of 1 */
#define ABOVE          (1.0 + 0x1p-30)   /* what float64 roundings of a bound are covered with */

enum { INT_TOP = 127 };

static double norm_of(const float *query, int64_t dims)
{
    return sqrt(nep_dense_sum(NEP_DENSE_F32, false, query, query, 1.0f, dims));
}

/* q / unit rounded to int8 or to float32; its norm and that of what the rounding left. */
static void hold(const float *query, int64_t dims, nep_dense_type type, int64_t stride, double unit, void *held, double *length, double *left)
{
    double sum = 0, rest = 0;
    for (int64_t i = 0; i < stride; i++) {
        const double exact = i < dims ? (double)query[i] / unit : 0.0;
        double kept;
        if (type == NEP_DENSE_I8) {
            kept = fmax(-INT_TOP, fmin(INT_TOP, rint(exact)));
            ((int8_t *)held)[i] = (int8_t)kept;
        } else {
            ((float *)held)[i] = (float)exact;
            kept = (double)((float *)held)[i];
        }
        sum += kept * kept;
        rest += (exact - kept) * (exact - kept);
    }
    *length = sqrt(sum) * ABOVE;
    *left = sqrt(rest) * ABOVE;
}

void nep_dense_query_prepare(const float *query, int64_t dims, nep_dense_type type, int64_t stride, void *held, nep_dense_query *out)
{
    const double norm = norm_of(query, dims), items = (double)stride;
    double unit = 1.0, most = 0.0, length, left;
    int exponent;
    for (int64_t i = 0; i < dims; i++)
        most = fmax(most, fabs((double)query[i]));
    if (type == NEP_DENSE_I8 && most > 0)
        unit = most / INT_TOP;
    else if (norm > 0) {
        (void)frexp(norm, &exponent);
        unit = ldexp(1.0, exponent);
    }
    hold(query, dims, type, stride, unit, held, &length, &left);
    /* integers: the sum is exact, it and its product with the scale are rounded */
    const double roundings = type == NEP_DENSE_I8 ? 4 : items + 2, gamma = roundings * FLOAT_ROUNDING / (1 - roundings * FLOAT_ROUNDING);
    const double relative = (items + 64) * 0x1p-50;
    *out = (nep_dense_query){.norm = norm, .unit = unit, .length = norm / unit * ABOVE, .relative = relative};
    out->by_norm = (left + gamma * length + 8 * relative * out->length) * ABOVE;
    out->by_residual = (out->length + out->by_norm) * ABOVE;
    out->tiny = 2 * items * 0x1p-126;
}

static float down(double v)
{
    const float f = (float)v;
    return (double)f <= v ? f : nextafterf(f, -INFINITY);
}

/* Lowered by the slack, into float32. */
static float lowered(double v, double most)
{
    const double low = fmin(v - fabs(v) * NEP_DENSE_SLACK, most);
    return low < -most ? -INFINITY : down(low);
}

void nep_dense_query_gate(const nep_dense_query *q, nep_dense_metric m, double gate, int64_t pitch, float *out)
{
    double low = -q->tiny, by_norm = -q->by_norm, by_square = 0;
    if (m == NEP_DENSE_COSINE && q->norm > 0)
        by_norm += gate * q->length;
    else if (m == NEP_DENSE_COSINE)
        low = gate <= 0 ? (double)-INFINITY : (double)INFINITY;
    else if (m == NEP_DENSE_INNER)
        low += gate / q->unit;
    else {
        low += (gate + q->norm * q->norm * (1 - 2 * q->relative)) / (2 * q->unit);
        by_square = (1 - 4 * q->relative) / q->unit;
    }
    if (gate < -DBL_MAX) {
        low = (double)-INFINITY;
        by_norm = by_square = 0;
    }
    /* numbers of a row below float32's smallest are lost whole */
    low -= 0x1p-146 + (fabs(by_norm) + by_square + q->by_residual) * 0x1p-148;
    out[0] = lowered(low, 0x1p120);
    out[pitch] = lowered(by_norm, 0x1p40);
    out[2 * pitch] = lowered(by_square, 0x1p40);
    out[3 * pitch] = -down(-q->by_residual * (1 + NEP_DENSE_SLACK));
}

void nep_dense_query_interval(const nep_dense_query *q, nep_dense_metric m, double norm, float residual, float near, double *low, double *high)
{
    const double off = q->by_norm * norm + q->by_residual * (double)residual + q->tiny, a = (double)near;
    if (m == NEP_DENSE_COSINE && (norm == 0 || q->norm == 0)) {
        *low = *high = 0;
        return;
    }
    if (!(norm < (m == NEP_DENSE_L2 ? NEP_DENSE_LONG_L2 : NEP_DENSE_LONG)) || !(fabs(a) < 0x1p126)) {
        *low = (double)-INFINITY;
        *high = (double)INFINITY;
        return;
    }
    if (m == NEP_DENSE_L2) {
        const double squares = q->norm * q->norm + norm * norm, slack = q->relative * squares;
        *low = 2 * q->unit * (a - off) - squares - slack;
        *high = 2 * q->unit * (a + off) - squares + slack;
        return;
    }
    const double per = m == NEP_DENSE_COSINE ? 1 / (norm * q->length) : q->unit;
    *low = (a - off) * per;
    *high = (a + off) * per;
}

double nep_dense_query_value(nep_dense_metric m, double score)
{
    return m == NEP_DENSE_L2 ? -(score * score) * (1 + 0x1p-50) : score;
}
