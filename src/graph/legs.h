/* SPDX-License-Identifier: Apache-2.0 */
/* legs.h - a metapath with the weight of every edge on it, as the counting of paths walks it. */
#ifndef NEP_GRAPH_LEGS_H
#define NEP_GRAPH_LEGS_H

#include <nepenthe/graph.h>

/* One step: nodes at position p - 1 are behind, those at p ahead. A hidden edge weighs 0. */
typedef struct {
    int64_t n_behind, n_ahead;
    const nep_network_side *out; /* from each node behind to its neighbours ahead */
    const nep_network_side *in;  /* from each node ahead to its neighbours behind */
    double *w_out, *w_in;        /* weights along out->node and in->node */
} nep_leg;

typedef struct {
    int length;
    int32_t kind[NEP_METAPATH_MOST + 1];
    int64_t n[NEP_METAPATH_MOST + 1];
    nep_leg leg[NEP_METAPATH_MOST + 1]; /* [1 .. length] */
} nep_legs;

/* turned: the metapath from its end. damping 0 makes every edge that is there weigh exactly 1. */
NEP_MUST_USE nep_status nep_legs_make(nep_ctx *ctx, const nep_network *net, const nep_metapath *path, bool turned, const nep_dwpc_opts *opts,
                                      nep_legs *out);
void nep_legs_free(nep_legs *l);
/* Positions p and q hold nodes of one kind. */
static inline bool nep_legs_same(const nep_legs *l, int p, int q)
{
    return l->kind[p] == l->kind[q];
}

/* Which edges of a metaedge are hidden; NULL = none. */
const bool *nep_legs_hidden(const nep_dwpc_opts *opts, int64_t metaedge);
/* Errors: NEP_E_ARG. */
NEP_MUST_USE nep_status nep_legs_check(nep_ctx *ctx, const nep_network *net, const nep_dwpc_opts *opts);

/* Weight of the edge between node i and neighbour j of a side, 0 when there is none. */
double nep_legs_weight(const nep_network_side *s, const double *w, int64_t i, int64_t j);
/* Sum over nodes k that are neighbours of both: a's weight of (i, k) times b's of (j, k). */
double nep_legs_common(const nep_network_side *a, const double *w_a, int64_t i, const nep_network_side *b, const double *w_b, int64_t j);

#endif
