/* SPDX-License-Identifier: Apache-2.0 */
/* graph - paths of a heterogeneous network (network.h): degree-weighted path counts, the paths of one pair, permuted networks, and
 * the published drug-disease model of Hetionet.
 *
 * What it is not: it reads no files and knows no drugs. A metapath is written as Hetionet writes it: CbGaD is compound binds gene
 * associates disease; each step is a metaedge of the network walked either way round (CiPC is PCiC from its end), and `>` or `<` shows
 * which way a directed one is walked (CuG<rGaD). A path visits no node twice, and the counts leave out exactly the walks that do.
 */
#ifndef NEPENTHE_GRAPH_H
#define NEPENTHE_GRAPH_H

#include <nepenthe/network.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NEP_METAPATH_MOST = 4 }; /* steps */

typedef struct {
    int32_t metaedge;
    bool reverse; /* walked from its `to` end */
} nep_metapath_step;

typedef struct {
    int length;                             /* steps, 1 .. 4 */
    int32_t kind[NEP_METAPATH_MOST + 1];    /* of each position */
    nep_metapath_step step[NEP_METAPATH_MOST];
} nep_metapath;

/* Errors: NEP_E_ARG (a word that is no metapath, a metaedge that the network lacks - the nearest is named -, more than 4 steps). */
NEP_MUST_USE nep_status nep_metapath_parse(nep_ctx *ctx, const nep_network *net, const char *text, nep_metapath *out);

/* Edges of one metaedge that count as absent: label edges masked in a fold. Degrees are those of the edges that stay. */
typedef struct {
    int64_t metaedge;
    const bool *edge; /* [edges of the metaedge] true = hidden */
} nep_hidden_edges;

typedef struct {
    double damping; /* exponent w >= 0 */
    const nep_hidden_edges *hidden;
    int64_t n_hidden;
} nep_dwpc_opts;
#define NEP_DWPC_DEFAULTS {.damping = 0.4}

/* Degree-weighted path counts between all nodes of the first and all nodes of the last kind.
 *
 *   PDP(P) = product over edges e of P of (degree of e's one end * degree of its other end)^-w,   DWPC(a, b) = sum of PDP over paths a..b
 *
 * with degrees counted within the metaedge. A path visits no node twice: 0 between a node and itself.
 *
 * opts   may be NULL (NEP_DWPC_DEFAULTS)
 * dwpc   [n of first kind, n of last kind] or NULL
 * paths  [same] number of paths, exact below 2^53; or NULL
 *
 * The kernel of a guilt-by-association score is the metapath without its label edge: CbGbC weighs how drugs share genes, and CbGbCtD is
 * that times CtD. Same bits for any thread count. Cost: edges of the metapath * the smaller end; memory: some tiles of 128 columns.
 * Errors: NEP_E_ARG (damping negative, a hidden list of no metaedge), NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Source: Himmelstein & Baranzini (2015), doi:10.1371/journal.pcbi.1004259; repeats by inclusion and exclusion, docs/graph.md. */
NEP_MUST_USE nep_status nep_dwpc_matrix(nep_ctx *ctx, const nep_network *net, const nep_metapath *path, const nep_dwpc_opts *opts,
                                        double *dwpc, double *paths);

#ifdef __cplusplus
}
#endif
#endif
