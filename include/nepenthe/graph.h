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
 * that times CtD. Same bits for any thread count. Cost: edges of the metapath * the smaller end; memory: 160 columns of the nodes at each position.
 * Errors: NEP_E_ARG (damping negative, a hidden list of no metaedge), NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Source: Himmelstein & Baranzini (2015), doi:10.1371/journal.pcbi.1004259; repeats by inclusion and exclusion, docs/graph.md. */
NEP_MUST_USE nep_status nep_dwpc_matrix(nep_ctx *ctx, const nep_network *net, const nep_metapath *path, const nep_dwpc_opts *opts,
                                        double *dwpc, double *paths);

/* ---- the paths of one pair: why a count is what it is ---------------------------------------------------------- */
typedef struct {
    int32_t node[NEP_METAPATH_MOST + 1]; /* of each position, within its kind */
    int32_t edge[NEP_METAPATH_MOST];     /* of each step, within its metaedge: line, licence and source stand there */
    double pdp, share;                   /* path degree product, and its share of the DWPC */
} nep_path;

typedef struct {
    int32_t edge, node; /* the edge, and the neighbour that it leads to */
    int64_t n;          /* paths over it */
    double share;       /* of the DWPC */
} nep_path_edge;

typedef struct {
    double dwpc;
    int64_t n_all;  /* paths of the pair */
    int64_t n;      /* those kept */
    nep_path *path; /* [n] largest PDP first; among equals by the ids along the path */
    int64_t n_first, n_last;
    nep_path_edge *first, *last; /* edges at the source and at the target that are on a path, largest share first */
} nep_paths;
void nep_paths_free(nep_paths *p); /* a zeroed one is fine */

/* All paths of one pair, the k best of them kept.
 *
 * from, to  nodes of the first and of the last kind
 * opts      as nep_dwpc_matrix: the same numbers come out
 *
 * Each path is walked: cost and time are those of the number of ways that can still reach `to`.
 * Errors: NEP_E_ARG (a node that is none, k negative, options), NEP_E_NOMEM, NEP_E_INTERRUPTED. */
NEP_MUST_USE nep_status nep_paths_find(nep_ctx *ctx, const nep_network *net, const nep_metapath *path, int64_t from, int64_t to,
                                       const nep_dwpc_opts *opts, int64_t k, nep_paths *out);

/* ---- permuted networks: what of a score is owed to degrees alone ----------------------------------------------- */
typedef struct {
    int64_t attempts, swaps; /* swaps that were tried and that were made */
    int64_t kept;            /* edges of the original that are there again */
} nep_xswap_report;

/* Permutes one metaedge in place by swaps (a, b), (c, d) -> (a, d), (c, b), each made where neither new edge is there and none is a loop:
 * every node keeps its degree. An edge that is walked both ways is turned at random before it is swapped. Edges keep their place's
 * weight, sign, licence and source, but are of no row (line 0).
 *
 * tries   attempts per edge, 10 by custom
 * number  which permutation: numbers are redrawn per (seed of the context, number, id of the metaedge), whatever else was permuted
 * report  may be NULL
 *
 * Cost: tries * edges. Errors: NEP_E_ARG (no such metaedge, tries < 0) and NEP_E_INTERRUPTED leave the network as it was; after NEP_E_NOMEM
 * it can only be freed.
 * Source: Hanhijarvi, Garriga & Puolamaki (2009), doi:10.1137/1.9781611972795.67. */
NEP_MUST_USE nep_status nep_xswap_permute(nep_ctx *ctx, nep_network *net, int64_t metaedge, double tries, uint64_t number, nep_xswap_report *report);

/* ---- the published drug-disease model of Hetionet ("Rephetio"), a baseline -------------------------------------
 * Its features are degrees and DWPCs between compounds (C) and diseases (D), each asinh(x / mean over all pairs) and then z-scores over all pairs;
 * a degree is asinh and z. Pairs are those of the compounds and diseases that have any edge at all. The prior of each pair is the share
 * of pairs that are treated (edges of CtD). */
typedef struct {
    int64_t n;
    char **feature;      /* [n] "dwpc_CbGaD", "degree_CrC" (of the compound) */
    double *coefficient; /* [n] of the z-score */
    double intercept, prior; /* prior: coefficient of the logit of the prior */
} nep_rephetio_model;
/* From a table `feature coefficient`, such as data/rephetio.tsv: features, and the rows intercept and prior_logit.
 * Errors: NEP_E_FORMAT (a column, one of the two rows or a number is missing, a feature that is neither a degree nor a DWPC). */
NEP_MUST_USE nep_status nep_rephetio_from_table(nep_ctx *ctx, const nep_table *t, nep_rephetio_model *out);
void nep_rephetio_model_free(nep_rephetio_model *m); /* a zeroed one is fine */

typedef struct {
    int64_t n_compounds, n_diseases;
    int32_t *compound, *disease; /* node numbers within C and D */
    double prevalence;           /* treated pairs / pairs */
    double *probability;         /* [n_compounds, n_diseases] */
    int64_t n_terms;
    double *term; /* [n_terms, n_compounds, n_diseases] coefficient * z of each feature, or NULL: logit p = intercept + prior + sum of terms */
} nep_rephetio;
void nep_rephetio_free(nep_rephetio *r); /* a zeroed one is fine */

/* Probability that a compound treats a disease.
 *
 * opts   as nep_dwpc_matrix; hidden edges of CtD do not count as treated either
 * terms  keeps the decomposition; memory is 8 bytes per feature and pair either way
 *
 * Errors: NEP_E_FORMAT (the network lacks kinds or metaedges that the model needs: they are named; no pair, or none or all treated),
 * NEP_E_NOMEM, NEP_E_INTERRUPTED.
 * Source: Himmelstein et al. (2017), doi:10.7554/eLife.26726. */
NEP_MUST_USE nep_status nep_rephetio_predict(nep_ctx *ctx, const nep_network *net, const nep_rephetio_model *model, const nep_dwpc_opts *opts,
                                             bool terms, nep_rephetio *out);

#ifdef __cplusplus
}
#endif
#endif
