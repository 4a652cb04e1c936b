/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case_bits - bit_hits with one query against many rows: the case that memory bounds. */
#ifndef NEP_BENCH_CASE_BITS_H
#define NEP_BENCH_CASE_BITS_H

#include "bench_case.h"

enum { HIT_N = 400000, HIT_WORDS = 32, HIT_BITS = 64 * HIT_WORDS, HIT_CAP = 4096, HIT_NEED = 160 };

/* A bit in four is set; a quarter of a quarter is shared with a query of as many: 128 of 2,048, with a spread of 11. */
static nep_status hit_rows(state *s, int i, int64_t n)
{
    void *p;
    NEP_TRY(input(s, i, NEP_U64, n * HIT_WORDS, &p));
    uint64_t *x = p;
#pragma omp parallel for
    for (int64_t k = 0; k < n * HIT_WORDS; k++) {
        const uint64_t at = 4 * (uint64_t)k;
        x[k] = ((uint64_t)nep_philox_u32(1, (uint64_t)i, at) << 32 | nep_philox_u32(1, (uint64_t)i, at + 1)) &
               ((uint64_t)nep_philox_u32(1, (uint64_t)i, at + 2) << 32 | nep_philox_u32(1, (uint64_t)i, at + 3));
    }
    return place(s, i, NEP_U64, n * HIT_WORDS);
}

static nep_status bit_hits_make(state *s)
{
    void *p;
    NEP_TRY(hit_rows(s, 0, HIT_N));
    NEP_TRY(hit_rows(s, 1, 1));
    NEP_TRY(input(s, 2, NEP_I16, HIT_N, &p));
    uint16_t *popcount = p;
    for (int64_t i = 0; i < HIT_N; i++)
        popcount[i] = (uint16_t)(300 + i * 400 / HIT_N); /* the op takes counts as they are given */
    NEP_TRY(place(s, 2, NEP_I16, HIT_N));
    NEP_TRY(input(s, 3, NEP_I16, HIT_BITS + 1, &p));
    uint16_t *need = p;
    for (int b = 0; b <= HIT_BITS; b++)
        need[b] = (uint16_t)(HIT_NEED + (b > 500));
    NEP_TRY(place(s, 3, NEP_I16, HIT_BITS + 1));
    NEP_TRY(output(s, 4, NEP_I32, 1));
    NEP_TRY(output(s, 5, NEP_I32, HIT_CAP));
    return output(s, 6, NEP_I16, HIT_CAP);
}

static nep_status bit_hits_run(state *s)
{
    const nep_bit_rows rows = {s->b[0].ptr, s->b[2].ptr, NULL, HIT_N, HIT_WORDS};
    const nep_bit_queries queries = {s->b[1].ptr, NULL, s->b[3].ptr, 1};
    return s->be->ops.bit_hits(s->ctx, s->be->queue(s->ctx), &rows, &queries, HIT_CAP, s->b[4].ptr, s->b[5].ptr, s->b[6].ptr);
}

static nep_status bit_hits_check(state *s, double *worst)
{
    const uint64_t *row = s->host[0], *query = s->host[1];
    const uint16_t *popcount = s->host[2], *need = s->host[3];
    void *count = NULL, *position = NULL;
    int32_t want = 0;
    int64_t want_sum = 0, sum = 0;
    nep_status st;
    for (int64_t i = 0; i < HIT_N; i++) {
        int c = 0;
        for (int w = 0; w < HIT_WORDS; w++)
            c += __builtin_popcountll(row[i * HIT_WORDS + w] & query[w]);
        if (c >= need[popcount[i]]) {
            want++;
            want_sum += i;
        }
    }
    NEP_TRY_OR_DONE(st, fetch(s, 4, &count));
    NEP_TRY_OR_DONE(st, fetch(s, 5, &position));
    for (int32_t i = 0; i < *(int32_t *)count && i < HIT_CAP; i++)
        sum += ((int32_t *)position)[i];
    keep_worst(worst, *(int32_t *)count, want, 0.5);
    keep_worst(worst, (double)sum, want > 0 && want <= HIT_CAP ? (double)want_sum : -1, 0.5);
done:
    nep_alloc_free(position);
    nep_alloc_free(count);
    return st;
}

#endif
