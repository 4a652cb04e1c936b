/* SPDX-License-Identifier: Apache-2.0 */
/* same_hits - two answers of a search held against each other, byte for byte. */
#ifndef NEP_TESTS_SIMILARITY_SAME_HITS_H
#define NEP_TESTS_SIMILARITY_SAME_HITS_H

#include "support.h"

#include <nepenthe/similarity.h>

/* The same rows with the same scores for every query, wherever they lie. How many there are. */
static inline size_t same_rows(const nep_hits *a, const nep_hits *b)
{
    assert_int_equal(a->n_queries, b->n_queries);
    assert_memory_equal(a->start, b->start, (size_t)(a->n_queries + 1) * sizeof *a->start);
    const size_t n = (size_t)a->start[a->n_queries];
    if (n > 0) {
        assert_memory_equal(a->number, b->number, n * sizeof *a->number);
        assert_memory_equal(a->score, b->score, n * sizeof *a->score);
    }
    return n;
}

/* Some rows, the same, in the same places. */
static inline size_t same_places(const nep_hits *a, const nep_hits *b)
{
    const size_t n = same_rows(a, b);
    assert_true(n > 0);
    assert_memory_equal(a->position, b->position, n * sizeof *a->position);
    return n;
}

#endif
