/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_score - single pairs of rows: bits in common, and dense scores of a row that is the query. */
#include <math.h>

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

/* ---- dense vectors ---- */

static const void *row_at(const nep_index_vectors *v, int64_t position)
{
    return (const char *)v->row + position * v->stride * (int64_t)nep_index_item_size(v->type);
}

double nep_pairs_norm(const nep_index *index, const float *query)
{
    return sqrt(nep_dense_sum(NEP_DENSE_F32, false, query, query, 1.0f, index->vectors.dims));
}

double nep_pairs_dense_score(const nep_index *index, nep_metric metric, const float *query, double norm, int64_t position)
{
    const nep_index_vectors *v = &index->vectors;
    const nep_dense_metric m = metric == NEP_METRIC_L2 ? NEP_DENSE_L2 : metric == NEP_METRIC_INNER ? NEP_DENSE_INNER : NEP_DENSE_COSINE;
    const float scale = v->type == NEP_VECTOR_I8 ? v->scale[position] : 1.0f;
    const double sum = nep_dense_sum((nep_dense_type)v->type, m == NEP_DENSE_L2, query, row_at(v, position), scale, v->dims);
    return nep_dense_score(m, sum, norm, v->norm[position]);
}

_Static_assert((int)NEP_VECTOR_F32 == (int)NEP_DENSE_F32 && (int)NEP_VECTOR_F16 == (int)NEP_DENSE_F16 && (int)NEP_VECTOR_BF16 == (int)NEP_DENSE_BF16 &&
                   (int)NEP_VECTOR_I8 == (int)NEP_DENSE_I8,
               "types of vectors go by the same numbers");
