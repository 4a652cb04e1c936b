/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - small random networks, and the paths of a pair counted the slow way: every sequence of nodes is tried. */
#ifndef NEP_TESTS_GRAPH_RANDOM_H
#define NEP_TESTS_GRAPH_RANDOM_H

#include "support.h"

#include <nepenthe/graph.h>

/* One metaedge with each possible edge at the given share, drawn from a stream of seed 1. */
static inline void random_metaedge(nep_ctx *ctx, nep_network *net, const char *id, char from, char to, int n_from, int n_to, double share,
                                   uint64_t stream)
{
    uint64_t draw = 0;
    int64_t line = 2;
    assert_ok(ctx, nep_network_add_metaedge(ctx, net, id, NULL));
    for (int i = 0; i < n_from; i++)
        for (int j = 0; j < n_to; j++) {
            char a[16], b[16];
            const nep_network_row row = {.from = a, .to = b, .weight = (double)NAN, .line = line};
            snprintf(a, sizeof a, "%c%02d", from, i);
            snprintf(b, sizeof b, "%c%02d", to, j);
            const bool undirected_again = from == to && !strchr(id, '>') && j <= i;
            if (nep_philox_uniform(1, stream, draw++) >= share || (from == to && i == j) || undirected_again)
                continue;
            assert_ok(ctx, nep_network_add_edge(ctx, net, NULL, &row));
            line++;
        }
}

static inline void random_kind(nep_ctx *ctx, nep_network *net, char kind, int n)
{
    char id[2] = {kind, 0}, text[32][16];
    const char *node[32];
    for (int i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i], "%c%02d", kind, i);
        node[i] = text[i];
    }
    assert_ok(ctx, nep_network_add_kind(ctx, net, id, NULL, NULL, node, NULL, n));
}

/* Degree of a node at one end of a metaedge, by looking at every edge. */
static inline int64_t slow_degree(const nep_network *net, int64_t m, bool at_to, int64_t node, const bool *hidden)
{
    const nep_network_metaedge *e = &net->metaedge[m];
    const bool both = e->from == e->to && !e->directed;
    int64_t n = 0;
    for (int64_t i = 0; i < e->n; i++)
        if (!hidden || !hidden[i])
            n += (both || !at_to ? e->from_node[i] == node : 0) + (both || at_to ? e->to_node[i] == node : 0);
    return n;
}

/* Weight of the edge of a step, 0 when there is none. */
static inline double slow_edge(const nep_network *net, const nep_metapath_step *s, int64_t a, int64_t b, double damping, const bool *hidden)
{
    const nep_network_metaedge *e = &net->metaedge[s->metaedge];
    const bool both = e->from == e->to && !e->directed;
    for (int64_t i = 0; i < e->n; i++) {
        const bool forward = e->from_node[i] == (s->reverse ? b : a) && e->to_node[i] == (s->reverse ? a : b);
        const bool backward = both && e->from_node[i] == (s->reverse ? a : b) && e->to_node[i] == (s->reverse ? b : a);
        if ((forward || backward) && !(hidden && hidden[i]))
            return pow((double)(slow_degree(net, s->metaedge, s->reverse, a, hidden) * slow_degree(net, s->metaedge, !s->reverse, b, hidden)), -damping);
    }
    return 0.0;
}

typedef struct {
    const nep_network *net;
    const nep_metapath *path;
    double *weight[NEP_METAPATH_MOST]; /* [n, n] of each step */
    int64_t visited[NEP_METAPATH_MOST + 1];
    double *dwpc, *paths;
} slow_count;

static inline void slow_visit(slow_count *c, int p, double pdp)
{
    const nep_metapath *m = c->path;
    if (p == m->length) {
        const int64_t at = c->visited[0] * c->net->kind[m->kind[p]].n + c->visited[p];
        c->dwpc[at] += pdp;
        c->paths[at] += 1;
        return;
    }
    const int64_t n = c->net->kind[m->kind[p + 1]].n;
    for (int64_t next = 0; next < n; next++) {
        const double w = c->weight[p][c->visited[p] * n + next];
        bool again = w == 0.0;
        for (int q = 0; q <= p; q++)
            again |= m->kind[q] == m->kind[p + 1] && c->visited[q] == next;
        if (again)
            continue;
        c->visited[p + 1] = next;
        slow_visit(c, p + 1, pdp * w);
    }
}

/* dwpc and paths [n_from, n_to], zeroed. hidden: of metaedge hidden_in, or NULL. */
static inline void slow_dwpc(const nep_network *net, const nep_metapath *path, double damping, int64_t hidden_in, const bool *hidden, double *dwpc,
                             double *paths)
{
    slow_count c = {.net = net, .path = path, .dwpc = dwpc, .paths = paths};
    for (int p = 0; p < path->length; p++) {
        const int64_t a = net->kind[path->kind[p]].n, b = net->kind[path->kind[p + 1]].n;
        c.weight[p] = calloc((size_t)(a * b), sizeof(double));
        for (int64_t i = 0; i < a; i++)
            for (int64_t j = 0; j < b; j++)
                c.weight[p][i * b + j] = slow_edge(net, &path->step[p], i, j, damping, path->step[p].metaedge == hidden_in ? hidden : NULL);
    }
    for (c.visited[0] = 0; c.visited[0] < net->kind[path->kind[0]].n; c.visited[0]++)
        slow_visit(&c, 0, 1.0);
    for (int p = 0; p < path->length; p++)
        free(c.weight[p]);
}

#endif
