/* SPDX-License-Identifier: Apache-2.0 */
/* dense_parts - what the parts of the search of dense vectors share.
 *
 * Value: the score where more is better (cosine, inner product), minus the squared distance for l2. The first pass gives each row that it
 * keeps an interval that holds the value of its float64 score; the k-th greatest lower end is a gate that no row of the answer lies under.
 */
#ifndef NEP_SIMILARITY_DENSE_PARTS_H
#define NEP_SIMILARITY_DENSE_PARTS_H

#include <nepenthe/backend.h>
#include <nepenthe/similarity.h>

enum { NEP_DENSE_SETTLE = 8192 }; /* candidates beside 8 k from which on a query's are scored at once */

/* What the first pass adds up is off by at most by_norm |x| + by_residual r + tiny, in units of q' = q / unit. */
typedef struct {
    double norm;   /* of q */
    double unit;   /* q' = q / unit, near what the first pass holds of it */
    double length; /* of q' */
    double by_norm, by_residual, tiny;
    double relative; /* slack for roundings in float64 */
} nep_dense_query;

/* A row that may be in the answer. */
typedef struct {
    int64_t position;
    double high;  /* its value is not above */
    double score; /* once settled */
    bool settled;
} nep_dense_entry;

typedef struct {
    nep_dense_entry *entry;
    int64_t n, room, unsettled;
    double *best; /* heap of the k greatest lower ends, the least on top */
    int64_t n_best;
    double gate; /* the value a row must reach */
} nep_dense_list;

/* Of query [dims], n_q of them, for a pass over rows of `type` and stride: what the pass holds of them (float32 or int8 [n_q, stride]) and
 * their bounds. */
void nep_dense_query_prepare(const float *query, int64_t dims, nep_dense_type type, int64_t stride, void *held, nep_dense_query *out);
/* The four numbers of nep_dense_need, `pitch` apart, that every row with an upper end of `gate` or more passes. */
void nep_dense_query_gate(const nep_dense_query *q, nep_dense_metric m, double gate, int64_t pitch, float *out);
/* The interval of a row with the sum `near`. */
void nep_dense_query_interval(const nep_dense_query *q, nep_dense_metric m, double norm, float residual, float near, double *low, double *high);
/* The value of a score, never above it: what a settled row brings to the gate. */
double nep_dense_query_value(nep_dense_metric m, double score);

/* Adds a row to a list that has room for it, keeps the k greatest lower ends and moves the gate. */
void nep_dense_list_add(nep_dense_list *l, int64_t k, int64_t position, double low, double high);
/* Drops what lies under the gate. */
void nep_dense_list_prune(nep_dense_list *l);
NEP_MUST_USE nep_status nep_dense_list_reserve(nep_ctx *ctx, nep_dense_list *l, int64_t more);
/* The k entries with the greatest upper ends come first. */
void nep_dense_list_front(nep_dense_list *l, int64_t k);
/* The gate that the settled rows make: their values are the lower ends from here on. Then as prune. */
void nep_dense_list_raise(nep_dense_list *l, nep_dense_metric m, int64_t k);
/* All settled: in the order of the answer, those behind the k-th dropped, the gate moved. */
void nep_dense_list_order(nep_dense_list *l, const nep_index *index, nep_dense_metric m, int64_t k);

/* A search of one batch of queries. */
typedef struct {
    nep_ctx *ctx;
    const nep_index *index;
    const nep_index *centres; /* of its lists, where some are looked at */
    const nep_search_opts *opts;
    nep_dense_metric metric;
    const float *query; /* [n_q, dims] */
    int64_t n_q;
    nep_dense_rows pass, stored; /* what the first pass reads, what is scored */
    nep_life *stored_life;       /* of what is scored, where a device may keep it too; else NULL */
    bool blind;                  /* no first pass: every row is scored */
    double floor;                /* value that a row must reach whatever others have */
    void *held;                  /* [n_q, stride of the pass] */
    nep_dense_query *bound;      /* [n_q] */
    nep_dense_list *list;        /* [n_q] */
    double *best;                /* memory of their heaps */
    int64_t cap;
    nep_dense_hit *hit; /* [most queries at a time, cap] */
    int32_t *count;
    int64_t compared, candidates;
} nep_dense_search_state;

/* Rows first .. first + n - 1 against queries which[0 .. n_w - 1]; *overflow: some had more hits than there was room for at once. */
NEP_MUST_USE nep_status nep_dense_scan(nep_dense_search_state *s, int64_t first, int64_t n, const int32_t *which, int64_t n_w, bool *overflow);
/* Exact scores of what may still be in the answer: of lists with more than `limit` rows that have none. */
NEP_MUST_USE nep_status nep_dense_settle(nep_dense_search_state *s, int64_t limit);
/* The centroids of an index's lists as an index of their own, made once for all batches; for nep_index_free. */
NEP_MUST_USE nep_status nep_dense_centres(nep_ctx *ctx, const nep_index *index, nep_index *out);
/* The rows of the opts->probe lists nearest to each query. */
NEP_MUST_USE nep_status nep_dense_lists(nep_dense_search_state *s);
/* Whether a row may be found. */
bool nep_dense_allowed(const nep_dense_search_state *s, int64_t position);

#endif
