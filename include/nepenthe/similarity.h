/* SPDX-License-Identifier: Apache-2.0 */
/* similarity - exact search of an index: the k best rows, or all rows at or above a threshold, for each query.
 *
 * What it is not: it reads no files (io) and is never approximate unless asked (lists). One order holds everywhere: the better
 * score first, then the smaller row number. So the first k of k' > k are the answer for k, and device, batch, thread count, tile,
 * shard and the order of rows in a file change no byte. Bits are compared as fractions of integers; dense scores are float64 lane
 * sums (math/lanes.h) of the stored numbers, whatever a cheaper first pass thought of them.
 */
#ifndef NEPENTHE_SIMILARITY_H
#define NEPENTHE_SIMILARITY_H

#include <nepenthe/index.h>

#ifdef __cplusplus
extern "C" {
#endif

/* With a, b the bits of query and row, c those in common:
 *   tanimoto c / (a + b - c)    dice 2 c / (a + b)    cosine c / sqrt(a b)    tversky c / (alpha (a - c) + beta (b - c) + c)
 * and 0 where nothing is in common, whatever the denominator. With dense q, x: cosine q.x / (|q| |x|), 0 where a norm is 0; inner q.x;
 * l2 |q - x| = sqrt(sum (q - x)^2), the only one where less is better. */
typedef enum { NEP_METRIC_TANIMOTO, NEP_METRIC_DICE, NEP_METRIC_COSINE, NEP_METRIC_TVERSKY, NEP_METRIC_INNER, NEP_METRIC_L2 } nep_metric;

/* A decimal as it was written: num / den, den a power of ten up to 10^6 made as small as it goes. */
typedef struct {
    int64_t num, den;
} nep_decimal;
/* "0.7", "1", ".35", "7e-1" is refused: digits and one point, at most 6 behind it, value at most 10^6, a sign only where
 * `negative` allows it. Errors: NEP_E_ARG. */
NEP_MUST_USE nep_status nep_decimal_parse(nep_ctx *ctx, const char *text, bool negative, nep_decimal *out);

typedef struct {
    nep_metric metric;
    int64_t k;             /* best k rows (all of them when there are fewer); 0 = by threshold */
    bool by_threshold;     /* rows with score >= threshold (l2: <=), all or the best k of them when k > 0 */
    nep_decimal threshold; /* exact for bits; the nearest float64 for dense scores */
    nep_decimal alpha, beta; /* tversky, >= 0 */
    const uint64_t *allow;   /* bitmap over row numbers, bit set = may be found; NULL = all */
    int64_t first, last;     /* row numbers first .. last - 1 may be found; both 0 = all */
    bool no_sketch;          /* bits: leave the sketch alone (it never changes an answer) */
    bool no_shadow;          /* dense: first pass over the stored rows, not over their int8 copy (never changes an answer) */
    int64_t probe;           /* dense with lists: how many lists are looked at; 0 = all rows, exact */
    int64_t batch;           /* queries at a time; 0 = as fits */
} nep_search_opts;

/* Hits of query q are start[q] .. start[q + 1], in the order above. */
typedef struct {
    int64_t n_queries;
    int64_t *start;    /* [n_queries + 1] */
    int64_t *position; /* in the index */
    int64_t *number;   /* row number in the whole set */
    double *score;
    int32_t *common, *total; /* bits: c and a + b - c; NULL for dense */
    int32_t *query_bits;     /* bits: [n_queries] a; NULL for dense */
} nep_hits;
/* Empties it; a zeroed one is fine. */
void nep_hits_free(nep_hits *h);

/* How an answer came about. */
typedef struct {
    const char *path;   /* "bits", "bits with sketch", "f32", "int8 shadow", ... */
    bool exact;         /* false only with lists and probe < n_lists */
    int64_t compared;   /* pairs that the first pass looked at */
    int64_t candidates; /* pairs whose exact score was computed */
} nep_search_report;

/* Search of bit vectors.
 *
 * query  [n_q, words of the index] in any order; its bits past n_bits are 0
 * hits   zeroed; filled only on success. report may be NULL
 *
 * Errors: NEP_E_ARG (an index of vectors, n_q < 1, k < 0, neither k nor a threshold, a metric of dense vectors, tversky weights
 * that are negative), NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Source: Swamidass & Baldi (2007) doi:10.1021/ci600358f for the bound by popcount; that of the sketch is proved in the docs. */
NEP_MUST_USE nep_status nep_bits_search(nep_ctx *ctx, const nep_index *index, const uint64_t *query, int64_t n_q,
                                        const nep_search_opts *opts, nep_hits *hits, nep_search_report *report);

/* Search of dense vectors.
 *
 * query  [n_q, dims] float32
 *
 * Errors: as above, and NEP_E_FORMAT (a query value that is not finite; query and item are named), NEP_E_ARG (metric of bits,
 * probe without lists). The first pass is certified: a row is left out only when its score provably lies below the k-th best. */
NEP_MUST_USE nep_status nep_dense_search(nep_ctx *ctx, const nep_index *index, const float *query, int64_t n_q,
                                         const nep_search_opts *opts, nep_hits *hits, nep_search_report *report);

/* An index of the same rows in n_lists inverted lists, for searches that look at a few of them (probe). Lists are the cells of k-means
 * under l2: centroids begin as rows drawn without repeats (seed of the context), are moved `rounds` times over at most 256 n_lists rows
 * drawn likewise, and each row then goes to the nearest, the first of equals. A search ranks lists by the score of their centroids under
 * its own metric.
 *
 * index   of dense vectors without lists, its row numbers ascending
 * rounds  0 = 10
 * out     owns its memory; ids, metadata and `content` are those of index
 *
 * The same bytes for any thread count. Cost: rows * n_lists * dims. Errors: NEP_E_ARG (bits, lists already, n_lists not in 1 .. rows,
 * numbers out of order), NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Source: Lloyd (1982) doi:10.1109/TIT.1982.1056489; Jegou et al. (2011) doi:10.1109/TPAMI.2010.57. */
NEP_MUST_USE nep_status nep_ivf_build(nep_ctx *ctx, const nep_index *index, int64_t n_lists, int rounds, nep_index *out);

/* How much of exact answers others to the same queries found: hits in common over hits of `exact`, with Wilson's 90 % interval over hits;
 * hits of one query are not independent, so the interval is too narrow when queries are few. All NaN when there is no exact hit.
 * Errors: NEP_E_ARG (numbers of queries differ). Source: Wilson (1927) doi:10.1080/01621459.1927.10502953. */
NEP_MUST_USE nep_status nep_ivf_recall(nep_ctx *ctx, const nep_hits *exact, const nep_hits *found, double *recall, double *low, double *high);

/* One answer from several to the same queries with the same options, such as those of shards: metric, k, alpha and beta of opts
 * are read. position becomes -1. Errors: NEP_E_ARG (numbers of queries differ), NEP_E_FORMAT (one row found twice), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_hits_merge(nep_ctx *ctx, const nep_hits *parts, int64_t n_parts, const nep_search_opts *opts,
                                       nep_hits *out);

/* ---- a set with itself ------------------------------------------------------------------------------------------
 * Positions and row numbers are those of the index. A pair of rows is said once, in the order of the index: bits by (population count,
 * row number), dense vectors by row number (with inverted lists: by list first). Its first row is the query of the search that scores
 * it. Sets are whole: a shard of an index is refused, its rows are neighbours of others. */

typedef struct {
    int64_t a, b;          /* positions */
    double score;
    int32_t common, total; /* bits in common and in either; 0 for dense */
} nep_pair;

/* Gets the next pairs in their order; what it returns other than NEP_OK ends the work. */
typedef nep_status nep_pairs_sink(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n);

/* Threshold graph: every pair a < b of positions with score >= threshold (l2: <=), by (a, b). Half of all pairs is looked at, less
 * those that the bounds by population count and sketch leave out.
 *
 * opts         metric, weights, threshold, no_sketch, no_shadow, batch are read
 * first, last  a runs over positions first .. last - 1 (b over all behind it): part of the work, see nep_pairs_shard
 * report       may be NULL
 *
 * Memory: that of a batch and its hits, never of all pairs.
 * Errors: NEP_E_ARG (a shard of a set, a metric of the other kind, tversky with unequal weights, a threshold that every pair
 * reaches or none can, first and last outside 0 .. n), NEP_E_NOMEM, NEP_E_INTERRUPTED, those of the sink. */
NEP_MUST_USE nep_status nep_pairs_within(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t first, int64_t last,
                                         nep_pairs_sink *sink, void *user, nep_search_report *report);

/* k-nearest graph: for each row number a = first .. last - 1 ascending its k best other rows b, best first (fewer when the set is
 * smaller). A row leaves itself out by its number: its duplicates stay. Neighbours are directed, so tversky may have any weights.
 *
 * opts  as above, and k >= 1; threshold and by_threshold: rows that reach it alone
 *
 * Errors: as above. */
NEP_MUST_USE nep_status nep_pairs_nearest(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, int64_t first, int64_t last,
                                          nep_pairs_sink *sink, void *user, nep_search_report *report);

/* Where part `shard` of `n_shards` (from 0) of n rows begins and ends: with `triangle` equal parts of all pairs, otherwise of rows.
 * The parts' answers one after the other are the whole answer. Errors: NEP_E_ARG (shard outside 0 .. n_shards - 1). */
NEP_MUST_USE nep_status nep_pairs_shard(nep_ctx *ctx, int64_t n, int64_t shard, int64_t n_shards, bool triangle, int64_t *first,
                                        int64_t *last);

/* Clusters in the order in which they were formed. */
typedef struct {
    int64_t n, n_clusters;
    int64_t n_pairs;   /* of the threshold graph */
    int64_t n_single;  /* clusters of one row; */
    int64_t n_orphans; /* those of them that have neighbours, all taken by earlier clusters ("false singletons") */
    int64_t *start;    /* [n_clusters + 1] */
    int64_t *position; /* [n] centroid first, then by (score to it, best first; row number) */
    double *score;     /* [n] to the centroid; its own is that of the row with itself */
} nep_clusters;
/* Empties it; a zeroed one is fine. */
void nep_butina_free(nep_clusters *c);

/* Butina's clusters of the threshold graph. Rows by (number of neighbours descending, row number ascending) become centroids in turn,
 * unless taken, and take all their neighbours that are not. reordering: the neighbours that count are those not yet taken, so that
 * each centroid takes the most that any can.
 *
 * opts  as nep_pairs_within
 *
 * Cost: the graph, and 8 bytes per pair beside some 60 per row. Errors: those of nep_pairs_within; NEP_E_NOMEM names the memory that
 * would do, and a threshold where one can be named.
 * Source: Butina (1999), doi:10.1021/ci9803381; reordering: as RDKit's ClusterData. */
NEP_MUST_USE nep_status nep_butina_cluster(nep_ctx *ctx, const nep_index *index, const nep_search_opts *opts, bool reordering,
                                           nep_clusters *out);

typedef struct {
    nep_metric metric;       /* a symmetric one; distance = 1 - score, of l2 the score; inner has none */
    nep_decimal alpha, beta; /* tversky, equal */
    int64_t n;               /* picks wanted, the first ones included; all rows when there are fewer */
    const int64_t *first;    /* [n_first] positions picked beforehand, each once; n_first 0: one row drawn from the context's seed */
    int64_t n_first;
    bool by_distance;     /* stop when every row left is nearer than `distance` to a pick */
    nep_decimal distance; /* exact for bits, the nearest float64 for dense */
} nep_maxmin_opts;

typedef struct {
    int64_t n;
    int64_t *position;  /* [n] in the order of picking */
    double *distance;   /* [n] to the nearest earlier pick when it was picked; NaN for those given or drawn */
    int64_t *nearest;   /* [n] which pick that was (the earliest of several), -1 for those given or drawn */
} nep_picks;
/* Empties it; a zeroed one is fine. */
void nep_maxmin_free(nep_picks *p);

/* MaxMin picking: each pick is the row whose nearest pick is farthest, the smaller row number among equals. Bounds are lazy: a row is
 * compared with further picks only while it may still be the farthest. The drawn first row is number floor(n u), u the first
 * uniform of stream 0 under the seed.
 *
 * Errors: NEP_E_ARG (a shard, n < 1, a metric without a distance, a first position outside the index or given twice, more first ones
 * than n), NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Source: Ashton et al. (2002), doi:10.1002/qsar.200290002. */
NEP_MUST_USE nep_status nep_maxmin_pick(nep_ctx *ctx, const nep_index *index, const nep_maxmin_opts *opts, nep_picks *out);

#ifdef __cplusplus
}
#endif
#endif
