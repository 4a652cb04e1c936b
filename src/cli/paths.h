/* SPDX-License-Identifier: Apache-2.0 */
/* paths.h - what the parts of `nepenthe paths` share. */
#ifndef NEP_CLI_PATHS_H
#define NEP_CLI_PATHS_H

#include <nepenthe/graph.h>

#include "cli/cli.h"

typedef struct {
    cli *c;
    nep_network net;
    nep_metapath *path; /* [n] */
    const char *const *text;
    int n;
    nep_dwpc_opts opts;
    int64_t from, to; /* nodes of the first and last kind of all metapaths, -1 = all */
} cli_paths;

/* A table of all pairs that have a path; with --permute beside permuted networks. */
NEP_MUST_USE nep_status cli_paths_pairs(cli_paths *p, int64_t n_permuted);
/* The best paths of the one pair, edge by edge with its source row. */
NEP_MUST_USE nep_status cli_paths_one(cli_paths *p, int64_t top);
/* Predictions of the published model, or what one of them is made of. */
NEP_MUST_USE nep_status cli_paths_published(cli_paths *p);

#endif
