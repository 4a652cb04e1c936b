/* SPDX-License-Identifier: Apache-2.0 */
/* network - a heterogeneous network: nodes of several kinds, edges of several metaedges, where each edge knows the row it came from.
 *
 * What it is not: it reads no files (io) and counts no paths (graph.h). Words are those of Hetionet: a kind has an abbreviation in
 * capitals (C, G, PW), a metaedge the abbreviation <kind><relation in lower case><kind> (CbG, GiG), with `>` behind the relation where
 * the two ends of one kind differ (Gr>G: the first regulates the second). Nodes are numbered by their ids in byte order within a kind and
 * edges by (from, to), so that the order of files and rows changes nothing. One edge joins two nodes of a metaedge at most once, and
 * none joins a node with itself: paths never visit a node twice.
 */
#ifndef NEPENTHE_NETWORK_H
#define NEPENTHE_NETWORK_H

#include <nepenthe/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    char *id, *name; /* "PW", "Pathway"; the name is the id where none was given */
    int64_t n;
    char **node;  /* [n] ids, byte order */
    char **label; /* [n] names for people, entries may be NULL */
    bool closed;  /* a table lists its nodes: an edge to any other is refused */
    int32_t *slot; /* while it is built: hash table of n_slots places; NULL afterwards */
    int64_t n_slots;
} nep_network_kind;

/* Neighbours of node i are node[start[i]] .. node[start[i + 1] - 1], ascending, by edge[..]. */
typedef struct {
    int64_t *start;
    int32_t *node, *edge;
} nep_network_side;

typedef struct {
    char *id, *path; /* "CbG", and the file for sentences (or NULL) */
    int32_t from, to; /* kinds */
    bool directed;    /* Gr>G; an undirected metaedge of one kind is walked both ways */
    int64_t n;
    int32_t *from_node, *to_node; /* [n] */
    double *weight;               /* [n] or NULL; NaN where missing */
    int8_t *sign;                 /* [n] -1, 0 unknown, +1; or NULL */
    int64_t *line;                /* [n] of the source file, 0 = of no row (a permuted edge) */
    int32_t *licence, *source;    /* [n] which of the network's words, -1 = none */
    nep_network_side out, in;     /* from the `from` end and from the `to` end; alike where the metaedge is walked both ways */
    int64_t n_rows, n_repeated, n_loops, n_not_open; /* rows that were read, and those left out of them */
} nep_network_metaedge;

typedef struct {
    char *name;
    nep_network_kind *kind;
    int64_t n_kinds;
    nep_network_metaedge *metaedge;
    int64_t n_metaedges;
    nep_network_kind words; /* licences and sources, in the order in which they were met */
} nep_network;
/* Empties it; a zeroed one is fine. */
void nep_network_free(nep_network *net);

/* ---- looking up: index, or -1 when absent ---- */
int64_t nep_network_find_kind(const nep_network *net, const char *id);
int64_t nep_network_find_metaedge(const nep_network *net, const char *id);
int64_t nep_network_find_node(const nep_network *net, int64_t kind, const char *id);
/* Either way round where the metaedge is walked both ways. */
int64_t nep_network_find_edge(const nep_network *net, int64_t metaedge, int64_t from, int64_t to);
/* Edges of a node at the `from` end (or, with at_to, at the `to` end) of a metaedge. */
int64_t nep_network_degree(const nep_network *net, int64_t metaedge, bool at_to, int64_t node);
/* Licence and source of an edge; "" where none is known. */
const char *nep_network_licence(const nep_network *net, int64_t metaedge, int64_t edge);
const char *nep_network_source(const nep_network *net, int64_t metaedge, int64_t edge);

/* ---- building: kinds with node tables first, then edges, then finish ---- */
typedef struct {
    bool open_only; /* rows whose licence is not open (nep_licence_is_open) are left out, before repeats are looked for */
    bool strict;    /* a repeated edge or a loop is an error, not a warning */
} nep_network_opts;

/* A kind whose nodes are these and no others; node NULL = any. label may be NULL. path (for sentences) may be NULL.
 * Errors: NEP_E_FORMAT (the kind is there already, the id is not in capitals, a node twice), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_network_add_kind(nep_ctx *ctx, nep_network *net, const char *id, const char *name, const char *path,
                                             const char *const *node, const char *const *label, int64_t n);

/* One edge as a reader meets it. */
typedef struct {
    const char *from, *to;
    const char *licence, *source; /* NULL = none */
    double weight;                /* NaN = none */
    int sign;                     /* -1, 0 unknown, +1 */
    int64_t line;
} nep_network_row;
/* Begins a metaedge: its kinds come from its id; one that has no table is open and takes its nodes from the edges.
 * Errors: NEP_E_FORMAT (the id is no metaedge's, or is there already). */
NEP_MUST_USE nep_status nep_network_add_metaedge(nep_ctx *ctx, nep_network *net, const char *id, const char *path);
/* One more edge of the metaedge begun last. Errors: NEP_E_FORMAT (an unknown id, told apart from one of another kind), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_network_add_edge(nep_ctx *ctx, nep_network *net, const nep_network_opts *opts, const nep_network_row *row);
/* Numbers the nodes, drops loops and repeated edges (the first row of each stays) with a warning that counts and names them, and
 * lays out both sides. opts may be NULL. Errors: NEP_E_FORMAT (strict), NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_network_finish(nep_ctx *ctx, nep_network *net, const nep_network_opts *opts);
/* Lays out both sides of a metaedge anew after its edges were changed and sorted by (from, to). Errors: NEP_E_NOMEM. */
NEP_MUST_USE nep_status nep_network_lay_out(nep_ctx *ctx, nep_network *net, int64_t metaedge);

/* True for CC0, CC BY of any version and the public domain, however they are spelt; false for share-alike, non-commercial, no-derivatives
 * and database licences, and for none. Of several with `|` between, one that is open suffices (sources that each say the same); with `;`
 * between all must be. */
bool nep_licence_is_open(const char *licence);

#ifdef __cplusplus
}
#endif
#endif
