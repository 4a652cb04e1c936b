/* SPDX-License-Identifier: Apache-2.0 */
/* bits - what the parts of the search of bit vectors share: the rows searched, the queries by their counts of bits, the hits kept. */
#ifndef NEP_SIMILARITY_BITS_H
#define NEP_SIMILARITY_BITS_H

#include <nepenthe/backend.h>

#include "similarity/order.h"

typedef struct {
    int64_t number, position; /* in the whole set; in the rows searched */
    int32_t bits, common;
} nep_bits_hit;

/* Hits of one query: with k > 0 the best k so far, the worst of them first (a heap) as soon as there are k. */
typedef struct {
    nep_bits_hit *hit;
    int64_t n, room;
} nep_bits_list;

typedef struct {
    const nep_index *index;
    const nep_search_opts *opts;
    nep_order_rule rule;
    nep_bit_rows rows;     /* on the host: those of the index, or those that a filter leaves */
    int64_t *at;           /* [rows.n] positions in the index; NULL = the same */
    uint64_t *own_row;     /* what `rows` points to when a filter left few */
    uint16_t *own_popcount;
    uint8_t *own_sketch;
    int64_t *bin;          /* [64 words + 2] first row with so many bits or more */
    int64_t n_q;           /* queries by (bits, place given): */
    int64_t *order;        /* [n_q] the place given */
    int32_t *bits;         /* [n_q] */
    uint64_t *query;       /* [n_q, words] */
    uint8_t *sketch;       /* [n_q, 16] or NULL */
    nep_bits_list *list;   /* [n_q] */
    int64_t compared, candidates;
} nep_bits_job;

/* The rows that may be found, and the queries in order. Errors: NEP_E_ARG (a bit past the end of a query), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_bits_prepare(nep_ctx *ctx, const nep_index *index, const uint64_t *query, int64_t n_q,
                                         const nep_search_opts *opts, nep_bits_job *job);
void nep_bits_job_free(nep_bits_job *job);

/* Row number of a row searched. */
static inline int64_t nep_bits_number(const nep_bits_job *job, int64_t row)
{
    const int64_t position = job->at ? job->at[row] : row;
    return job->index->number ? job->index->number[position] : job->index->first + position;
}

/* Whether the filter lets a row number through. */
bool nep_bits_allowed(const nep_bits_job *job, int64_t number);

/* Whether any row of b bits can still become a hit of query s. */
bool nep_bits_wanted(const nep_bits_job *job, int64_t s, int64_t b);
/* need[b] for b = low .. high: the least bits in common with which a row of b bits may become a hit of query s. */
void nep_bits_need(const nep_bits_job *job, int64_t s, int64_t low, int64_t high, uint16_t *need);

/* Room for `more` candidates of query s; then they are offered, by one thread per query. */
NEP_MUST_USE nep_status nep_bits_reserve(nep_ctx *ctx, nep_bits_job *job, int64_t s, int64_t more);
void nep_bits_offer(nep_bits_job *job, int64_t s, const nep_bits_hit *h);
/* Best first. */
void nep_bits_sort(nep_bits_job *job, int64_t s);

/* How many rows the backend holds at a time: all at once where a device keeps them (of those it has, only what is asked for is brought),
 * else a tile of it. life: of the arrays, NULL = they are not kept. At least 1. */
int64_t nep_bits_segment(nep_ctx *ctx, const nep_bit_rows *rows, nep_life *life);
/* Rows low .. high - 1 of them. */
static inline nep_bit_rows nep_bits_part(const nep_bit_rows *rows, int64_t low, int64_t high)
{
    return (nep_bit_rows){rows->row + low * rows->words, rows->popcount + low, rows->sketch ? rows->sketch + low * NEP_BIT_SKETCH : NULL,
                          high - low, rows->words};
}

/* Meets all queries with all rows. */
NEP_MUST_USE nep_status nep_bits_scan(nep_ctx *ctx, nep_bits_job *job);

#endif
