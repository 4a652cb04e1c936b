/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_dense_stream - few queries meet blocks of rows as they stream by: products first, then the test of all rows of the block in vectors, so
 * that little is done per row beside reading it. */
#include "backend/cpu_dense_hits.h"

#include <string.h>

enum {
    BLOCK = 64, /* rows: a word of those allowed */
    MOST = 64,  /* blocks that a thread takes at a time, at most */
    SHARES = 4  /* shares of what is left, for each thread, that one takes: long pieces of memory first, and none is waited for long */
};

typedef struct {
    float n[BLOCK], s[BLOCK], r[BLOCK]; /* what the test needs of the rows */
    float a[BLOCK];                     /* products with a query */
    int32_t sum[BLOCK];
    uint64_t over[BLOCK / 8]; /* a byte per row: it is not below its t */
} block;

NEP_CPU_BODY void bound_as(nep_dense_metric m, const double *norm, const float *residual, int64_t n, block *b)
{
    if (residual)
        for (int64_t i = 0; i < n; i++)
            nep_dense_row_bound(m, norm[i], residual[i], true, &b->n[i], &b->s[i], &b->r[i]);
    else
        for (int64_t i = 0; i < n; i++)
            nep_dense_row_bound(m, norm[i], 0.0f, true, &b->n[i], &b->s[i], &b->r[i]);
}

/* Metrics are spelled out so that the loops are plain. */
NEP_CPU_BODY void bound(const nep_cpu_dense_problem *p, int64_t first, int64_t n, block *b)
{
    const double *norm = p->rows->norm + first;
    const float *residual = p->rows->residual ? p->rows->residual + first : NULL;
    if (p->q->metric == NEP_DENSE_INNER)
        bound_as(NEP_DENSE_INNER, norm, residual, n, b);
    else if (p->q->metric == NEP_DENSE_COSINE)
        bound_as(NEP_DENSE_COSINE, norm, residual, n, b);
    else
        bound_as(NEP_DENSE_L2, norm, residual, n, b);
}

NEP_CPU_BODY void products(const nep_cpu_dense_problem *p, int64_t first, int64_t n, int64_t query, block *b)
{
    const nep_dense_rows *x = p->rows;
    const char *row = nep_cpu_dense_row(p, first);
    if (x->type != NEP_DENSE_I8) {
        p->family->stream(x->type, row, n, x->stride, (const float *)p->q->query + query * x->stride, b->a);
        return;
    }
    p->family->stream_int((const int8_t *)row, n, x->stride, (const int8_t *)p->q->query + query * x->stride, b->sum);
    const uint32_t bias = (uint32_t)p->bias[query];
    for (int64_t i = 0; i < n; i++) /* sums of biased bytes may wrap, the difference cannot */
        b->a[i] = (float)(int32_t)((uint32_t)b->sum[i] - bias) * x->scale[first + i];
}

NEP_CPU_BODY void test(const float *gate, int64_t pitch, int64_t n, block *b)
{
    const float four[4] = {gate[0], gate[pitch], gate[2 * pitch], gate[3 * pitch]};
    uint8_t *over = (uint8_t *)b->over;
    for (int64_t i = 0; i < n; i++)
        over[i] = (uint8_t) !(b->a[i] < nep_dense_need(four, 1, b->n[i], b->s[i], b->r[i]));
}

/* The hits of a block together: threads seldom meet at the count. */
static void keep(const nep_cpu_dense_problem *p, int64_t query, int64_t first, uint64_t allowed, const block *b)
{
    nep_dense_hit found[BLOCK];
    int n = 0;
    for (int k = 0; k < BLOCK / 8; k++)
        for (uint64_t over = b->over[k]; over; over &= over - 1) {
            const int i = 8 * k + __builtin_ctzll(over) / 8;
            if (allowed >> i & 1)
                found[n++] = (nep_dense_hit){(int32_t)(first + i), b->a[i]};
        }
    if (n == 0)
        return;
    const int64_t at = __atomic_fetch_add(&p->count[query], n, __ATOMIC_RELAXED), room = p->cap - at;
    if (room > 0)
        memcpy(p->hit + query * p->cap + at, found, (size_t)nep_cpu_min(n, room) * sizeof *found);
}

NEP_CPU_BODY void block_body(const nep_cpu_dense_problem *p, int64_t first, int64_t n)
{
    const uint64_t allowed = p->rows->allow ? p->rows->allow[first / BLOCK] : ~0ull;
    block b;
    if (allowed == 0)
        return;
    memset(b.over, 0, sizeof b.over);
    bound(p, first, n, &b);
    for (int64_t j = 0; j < p->q->n_q; j++) {
        uint64_t any = 0;
        products(p, first, n, j, &b);
        test(p->q->gate + j, p->q->n_q, n, &b);
        for (int k = 0; k < BLOCK / 8; k++)
            any |= b.over[k];
        if (any)
            keep(p, j, first, allowed, &b);
    }
}

typedef void block_function(const nep_cpu_dense_problem *p, int64_t first, int64_t n);

static void block_scalar(const nep_cpu_dense_problem *p, int64_t first, int64_t n)
{
    block_body(p, first, n);
}

NEP_CPU_AVX2_CODE static void block_avx2(const nep_cpu_dense_problem *p, int64_t first, int64_t n)
{
    block_body(p, first, n);
}

NEP_CPU_AVX512_CODE static void block_avx512(const nep_cpu_dense_problem *p, int64_t first, int64_t n)
{
    block_body(p, first, n);
}

/* The next blocks that nobody has taken: how many, and the first. */
static int64_t take(int64_t *next, int64_t *at, int64_t blocks, int threads)
{
    int64_t some;
    *at = __atomic_load_n(next, __ATOMIC_RELAXED);
    do {
        const int64_t left = blocks - *at, share = left / (threads * SHARES);
        some = nep_cpu_min(left, share < 1 ? 1 : nep_cpu_min(share, MOST));
    } while (some > 0 && !__atomic_compare_exchange_n(next, at, *at + some, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return some;
}

void nep_cpu_dense_stream(const nep_cpu_dense_problem *p, int threads)
{
    const nep_cpu_family f = nep_cpu_family_get();
    block_function *const one = f >= NEP_CPU_AVX512 ? block_avx512 : f >= NEP_CPU_AVX2 ? block_avx2 : block_scalar;
    const int64_t n = p->rows->n, blocks = nep_cpu_tiles(n, BLOCK);
    int64_t next = 0;
#pragma omp parallel num_threads(threads)
    for (int64_t at = 0, some; (some = take(&next, &at, blocks, threads)) > 0;)
        for (int64_t i = at; i < at + some; i++)
            one(p, i * BLOCK, nep_cpu_min(BLOCK, n - i * BLOCK));
}
