/* SPDX-License-Identifier: Apache-2.0 */
/* similar_search - a search as the command line words it: options checked against the index, queries in batches, rows to a sink or part. */
#ifndef NEP_CLI_SIMILAR_SEARCH_H
#define NEP_CLI_SIMILAR_SEARCH_H

#include "cli/similar.h"

typedef struct {
    cli *c;
    nep_ctx *ctx;
    nep_index index;      /* as opened */
    nep_index rows;       /* what is searched: all of it, or the positions of a shard; borrows */
    uint64_t *allow;
    nep_search_opts opts;
    similar_queries queries;
    similar_head head;
    int64_t *column;      /* [head.n_columns] of the index's metadata */
    const char **names;
    bool no_self;
    int64_t shard, n_shards; /* from 1; 0, 0 = no part is asked for */
    nep_search_report report; /* summed */
    int64_t n_recall;     /* queries to search exactly as well, 0 = none */
    struct {
        int64_t n; /* queries that were, and the share of their hits found, with its 90 % interval; NaN where they have none */
        double share, low, high;
    } recall;
    json_t *extra;        /* lent: gets the report */
} similar_search;

/* Opens the index and the queries. Errors: NEP_E_USAGE, NEP_E_ARG, NEP_E_SHAPE, those of the readers. */
NEP_MUST_USE nep_status similar_search_open(cli *c, similar_search *s);
void similar_search_close(similar_search *s);
/* A similar_producer; user is the search. */
NEP_MUST_USE nep_status similar_search_rows(nep_ctx *ctx, const similar_sink *sink, void *user);
/* The part of --shard, to path. */
NEP_MUST_USE nep_status similar_search_part(similar_search *s, const char *path);
/* Bytes that a batch of the search takes beside the mapped file, for --dry-run. */
int64_t similar_search_bytes(const similar_search *s);
json_t *similar_search_report(const similar_search *s);
/* Queries that are searched at a time. */
int64_t similar_search_batch(const similar_search *s);
/* Fills `recall` from at most n_recall queries and a batch (similar_recall.c). */
NEP_MUST_USE nep_status similar_search_recall(similar_search *s);
json_t *similar_search_recall_report(const similar_search *s);

#endif
