/* SPDX-License-Identifier: Apache-2.0 */
/* pairs - what the graphs of a set with itself share: checks, scores of single pairs, adjacency. */
#ifndef NEP_SIMILARITY_PAIRS_H
#define NEP_SIMILARITY_PAIRS_H

#include <nepenthe/similarity.h>

#include "similarity/order.h"

/* Refuse a shard of a set, a metric of the other kind, tversky with unequal weights, a threshold that every pair reaches or none can,
 * rows outside the set. `what` begins the sentence. */
NEP_MUST_USE nep_status nep_pairs_check_set(nep_ctx *ctx, const nep_index *index, const char *what);
NEP_MUST_USE nep_status nep_pairs_check_metric(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, const char *what);
NEP_MUST_USE nep_status nep_pairs_check_symmetry(nep_ctx *ctx, const nep_search_opts *opts, const char *what);
NEP_MUST_USE nep_status nep_pairs_check_threshold(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, const char *what);
NEP_MUST_USE nep_status nep_pairs_check_range(nep_ctx *ctx, const nep_index *index, int64_t first, int64_t last, const char *what);

/* nep_pairs_within of either kind, what is asked already checked. */
NEP_MUST_USE nep_status nep_pairs_bits(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t first, int64_t last,
                                       nep_pairs_sink *sink, void *user, nep_search_report *report);
NEP_MUST_USE nep_status nep_pairs_dense(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t first, int64_t last,
                                        nep_pairs_sink *sink, void *user, nep_search_report *report);

/* Which position each row number has: [n]. Errors: NEP_E_FORMAT (the numbers are not 0 .. n - 1, each once). */
NEP_MUST_USE nep_status nep_pairs_positions(nep_ctx *ctx, const nep_index *index, int32_t **out);

/* Bits that two rows have in common; what counts them best on this machine. */
typedef int32_t nep_pairs_counter(const uint64_t *a, const uint64_t *b, int64_t words);
nep_pairs_counter *nep_pairs_count(void);
/* The norm of a query and its score with a row of dense vectors: those of nep_dense_search. */
double nep_pairs_norm(const nep_index *index, const float *query);
double nep_pairs_dense_score(const nep_index *index, nep_metric metric, const float *query, double norm, int64_t position);

/* Members of each cluster in order, with their scores to its centroid. */
NEP_MUST_USE nep_status nep_butina_rank(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, nep_clusters *c);

/* ---- adjacency ---------------------------------------------------------------------------------------------------
 * Neighbours of every position in two halves: those behind it, as the pairs came, and those before it. */
typedef struct {
    int64_t n, n_pairs;
    int32_t **up;       /* [n] where in a chunk they are; nothing to read when up_count is 0 */
    int32_t *up_count;  /* [n] */
    int64_t *low_start; /* [n + 1] */
    int32_t *low;       /* [n_pairs] */
    int64_t n_chunks;
    int32_t **chunk;    /* [n_chunks] */
} nep_adjacency;

/* Reads all pairs at or above the threshold once. `more` is memory per position that the caller will need beside it.
 * Errors: those of nep_pairs_within; NEP_E_NOMEM says how much memory and which threshold would do. */
NEP_MUST_USE nep_status nep_adjacency_read(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t more,
                                           nep_adjacency *out);
void nep_adjacency_free(nep_adjacency *g);

/* The two halves of a position's neighbours. */
static inline const int32_t *nep_adjacency_up(const nep_adjacency *g, int64_t i, int64_t *n)
{
    *n = g->up_count[i];
    return g->up[i];
}
static inline const int32_t *nep_adjacency_low(const nep_adjacency *g, int64_t i, int64_t *n)
{
    *n = g->low_start[i + 1] - g->low_start[i];
    return g->low + g->low_start[i];
}

/* Rows at a time as queries: `most`, or fewer (16 at least) where they are so long that they would take much of the memory at hand. */
int64_t nep_pairs_rows(const nep_ctx *ctx, const nep_index *index, int64_t most);

#endif
