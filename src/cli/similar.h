/* SPDX-License-Identifier: Apache-2.0 */
/* similar - what the command of that name is made of: queries, the search in batches, its rows as TSV, JSON or part, and parts merged. */
#ifndef NEP_CLI_SIMILAR_H
#define NEP_CLI_SIMILAR_H

#include <nepenthe/similarity.h>
#include <xxhash.h>

#include "cli/cli.h"

/* ---- queries (similar_query.c, similar_file.c, similar_kind.c, similar_smiles.c) ---- */

typedef struct {
    int64_t n;
    char **ids;      /* [n] owned; NULL = they are called by their place, from 0 */
    uint64_t *bits;  /* [n, words of the index] */
    float *x;        /* [n, dims of the index] */
    int64_t *number; /* [n] own row number in the index, or NULL when they are no rows of it */
} similar_queries;
void similar_queries_free(similar_queries *q);
/* What --query, --row and --id name. Errors: NEP_E_USAGE (none or several of them), NEP_E_ARG (an unknown id or row), NEP_E_SHAPE (another
 * width), NEP_E_FORMAT (no query, a value that is not finite: query and item are named), those of the readers. */
NEP_MUST_USE nep_status similar_queries_read(cli *c, const nep_index *index, similar_queries *out);
/* Rows of an index by position. */
NEP_MUST_USE nep_status similar_queries_rows(nep_ctx *ctx, const nep_index *index, const int64_t *position, int64_t n, similar_queries *out);
/* What a file holds, told by its name and first bytes. */
NEP_MUST_USE nep_status similar_queries_file(cli *c, const nep_index *index, const char *path, similar_queries *out);
/* All positions of an index in the order of row numbers. */
NEP_MUST_USE nep_status similar_queries_order(nep_ctx *ctx, const nep_index *index, int64_t *position);
/* Fingerprints of a file of structures (.smi, .sdf, .csv, .tsv), of the kind that the index says its rows are. */
NEP_MUST_USE nep_status similar_queries_structures(cli *c, const nep_index *index, const char *path, similar_queries *out);
/* What words such as "morgan:2:2048", "Morgan, radius 2, 2048 bits" or the type of an FPS file, "RDKit-Morgan/1 radius=2 fpSize=2048", say
 * of bits, as nep_fingerprint_parse takes it. False when they say nothing that can be made here. */
bool similar_kind_read(const char *about, int64_t n_bits, char *out, size_t size);
/* Errors: NEP_E_SHAPE when both say what they are and it is not the same. */
NEP_MUST_USE nep_status similar_kind_check(nep_ctx *ctx, const nep_index *index, const char *path, const char *about);
/* Id of query i in buf, or its place. */
const char *similar_query_id(const similar_queries *q, int64_t i, char *buf, size_t size);

/* ---- which rows may be found (similar_filter.c) ---- */

/* allow: bitmap over the row numbers of the whole set, for --only and --exclude; NULL when neither is given. Errors: NEP_E_ARG (an id that the
 * index does not have), those of the reader. */
NEP_MUST_USE nep_status similar_filter_read(cli *c, const nep_index *index, uint64_t **allow);
/* Positions of ids [n] in the index, -1 where absent; an id that several rows have stands for the first of them, in row number. */
NEP_MUST_USE nep_status similar_filter_find(nep_ctx *ctx, const nep_index *index, const char *const *ids, int64_t n, int64_t *position);

/* ---- rows (similar_write.c) ---- */

enum { SIMILAR_ID = 4096 };

typedef struct {
    bool bits;
    int n_columns;
    const char *const *column; /* [n_columns] names of the metadata shown */
} similar_head;

typedef struct {
    const char *query, *id;
    int64_t rank;
    double score;
    int32_t common, total;      /* bits alone */
    const char *const *cell;    /* [n_columns], not NUL-ended; an empty one is missing */
    const int64_t *cell_bytes;  /* [n_columns] */
} similar_row;

/* Where rows go: a table, or the list of a document. */
typedef struct {
    nep_file *file;
    json_t *list;
} similar_sink;
NEP_MUST_USE nep_status similar_write_head(const similar_sink *s, const similar_head *h);
NEP_MUST_USE nep_status similar_write_row(nep_ctx *ctx, const similar_sink *s, const similar_head *h, const similar_row *row);

/* What gives the rows, once, and may add facts to `extra` as it goes. */
typedef nep_status similar_producer(nep_ctx *ctx, const similar_sink *sink, void *user);
/* The rows as a table to -o with its sidecar or to standard output, as the list `hits` of the document with --json, or as both. Consumes
 * extra. */
NEP_MUST_USE nep_status similar_emit(cli *c, similar_producer *produce, void *user, json_t *extra);

/* ---- parts (similar_part.c, similar_merge.c) ---- */

#define SIMILAR_PART "nepenthe/similar-part/1"

/* Facts that parts of one search agree in, but for `shard`, `rows` and `source`. */
json_t *similar_part_facts(cli *c, const nep_index *index, const nep_search_opts *o, const similar_queries *q, const similar_head *h);
typedef struct {
    nep_ctx *ctx;
    nep_file *file;
    XXH3_state_t *state;
} similar_part;
NEP_MUST_USE nep_status similar_part_begin(nep_ctx *ctx, const char *path, json_t *facts, similar_part *p);
/* bits: of the query, or -1. */
NEP_MUST_USE nep_status similar_part_query(similar_part *p, const char *id, int32_t bits);
NEP_MUST_USE nep_status similar_part_hit(similar_part *p, int64_t number, const similar_head *h, const similar_row *row);
NEP_MUST_USE nep_status similar_part_end(similar_part *p); /* lands it */
void similar_part_abort(similar_part *p);                  /* frees it, landed or not; a zeroed one is fine */

/* A part that is read: mapped, its hash verified. */
typedef struct {
    const char *path;
    char *map;
    const char *at, *end; /* next line; end of the hits */
    size_t bytes;
    json_t *facts;
} similar_part_in;
/* Errors: NEP_E_MISSING, NEP_E_PERMISSION, NEP_E_FORMAT. Close it also after a failure. */
NEP_MUST_USE nep_status similar_part_open(nep_ctx *ctx, const char *path, similar_part_in *in);
void similar_part_close(similar_part_in *in);

/* Whether a file is such a part. */
bool similar_part_is(const char *path);
/* Merges the command's inputs, parts of one search, into what the search of the whole would have given. Errors: NEP_E_FORMAT (a part that
 * is damaged, missing, doubled or of another search; the sentence says which). */
NEP_MUST_USE nep_status similar_merge_run(cli *c);

#endif
