/* SPDX-License-Identifier: Apache-2.0 */
/* pairs - what neighbours, cluster and pick share: an index and how its rows are compared, rows by id, rows of tables, parts. */
#ifndef NEP_CLI_PAIRS_H
#define NEP_CLI_PAIRS_H

#include <nepenthe/similarity.h>

#include "cli/cli.h"

/* Options of every one of them. */
#define CLI_PAIRS_METRIC                                                                                              \
    {"metric", 0, CLI_CHOICE, "NAME", NULL, "tanimoto|dice|cosine|tversky|inner|l2",                                  \
     "how two rows are compared; default tanimoto for bits, cosine for vectors"},                                     \
        {"alpha", 0, CLI_TEXT, "A", NULL, NULL, "tversky: weight of bits that the first row has alone"},              \
    {                                                                                                                 \
        "beta", 0, CLI_TEXT, "B", NULL, NULL, "tversky: weight of bits that the second row has alone"                 \
    }

/* Opens the command's input, and reads --metric, --alpha and --beta into metric, alpha and beta. Errors: those of nep_index_open
 * and of cli_index_metric. */
NEP_MUST_USE nep_status cli_pairs_open(cli *c, nep_index *index, nep_search_opts *opts);

/* Bytes of an id that are shown. */
enum { CLI_PAIRS_ID = 4096 };

/* ---- the table of neighbours (neighbours_write.c) ---- */

typedef struct {
    cli *c;
    const nep_index *index;
    bool top;               /* rows have their nearest; else pairs */
    nep_file *file;         /* rows go there, and */
    json_t *list;           /* here, where not NULL */
    int64_t n, last, rank;  /* rows written; the row in hand and how many it has */
} cli_neighbours;

NEP_MUST_USE nep_status cli_neighbours_head(cli_neighbours *t);
/* A nep_pairs_sink: user is a cli_neighbours. */
nep_status cli_neighbours_rows(nep_ctx *ctx, void *user, const nep_pair *pair, int64_t n);

/* ---- parts (neighbours_part.c) ---- */

#define CLI_NEIGHBOURS_PART "nepenthe/neighbours-part/1"

/* What stands before and behind the table in a part. facts: in what all parts agree; consumed. */
NEP_MUST_USE nep_status cli_neighbours_part_begin(nep_ctx *ctx, nep_file *f, json_t *facts, int64_t shard, int64_t n_shards);
NEP_MUST_USE nep_status cli_neighbours_part_end(nep_file *f, int64_t rows);
/* Writes the table that the whole command gives from all of its parts, the command's inputs. Errors: NEP_E_FORMAT (a part that is
 * damaged, missing, there twice or of another table; the sentence says which), those of files. */
NEP_MUST_USE nep_status cli_neighbours_merge(cli *c);

#endif
