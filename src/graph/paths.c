/* SPDX-License-Identifier: Apache-2.0 */
/* paths - every path of one pair, walked depth first over the nodes that can still reach the target. */
#include "graph/legs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK = 1 << 20 }; /* paths between two looks at the interruption */

typedef struct {
    const nep_network_side *out;
    const bool *hidden;   /* edges, or NULL */
    double *behind, *ahead; /* degree of each node at both ends */
    bool *reaches;        /* nodes ahead from which the target can be reached */
} step;

typedef struct {
    nep_ctx *ctx;
    const nep_metapath *path;
    double damping;
    step step[NEP_METAPATH_MOST];
    nep_path at;      /* the path walked now */
    double product;   /* of the degrees along a finished path */
    int64_t k;
    double *products; /* of those kept */
    double *first, *last; /* [neighbours of source], [neighbours of target] sums of PDP */
    int64_t *n_first, *n_last;
    int64_t from, to;
    const nep_network_side *in; /* of the last step */
    nep_paths *found;
} walker;

void nep_paths_free(nep_paths *p)
{
    nep_alloc_free(p->path);
    nep_alloc_free(p->first);
    nep_alloc_free(p->last);
    *p = (nep_paths){0};
}

/* Negative: a before b. Fewer connections weigh more; among equals the ids along the path decide. */
static int order(const walker *w, double product_a, const nep_path *a, double product_b, const nep_path *b)
{
    if (product_a != product_b)
        return product_a < product_b ? -1 : 1;
    for (int p = 0; p <= w->path->length; p++)
        if (a->node[p] != b->node[p])
            return a->node[p] < b->node[p] ? -1 : 1;
    return 0;
}

static void keep(walker *w)
{
    nep_paths *f = w->found;
    int64_t at = f->n;
    while (at > 0 && order(w, w->product, &w->at, w->products[at - 1], &f->path[at - 1]) < 0)
        at--;
    if (at >= w->k)
        return;
    if (f->n < w->k)
        f->n++;
    memmove(f->path + at + 1, f->path + at, (size_t)(f->n - 1 - at) * sizeof *f->path);
    memmove(w->products + at + 1, w->products + at, (size_t)(f->n - 1 - at) * sizeof *w->products);
    f->path[at] = w->at;
    w->products[at] = w->product;
}

/* Where node b stands among the neighbours of node a. */
static int64_t place_of(const nep_network_side *s, int64_t a, int64_t b)
{
    int64_t low = s->start[a], high = s->start[a + 1];
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (s->node[middle] < b)
            low = middle + 1;
        else
            high = middle;
    }
    return low - s->start[a];
}

static nep_status finish(walker *w)
{
    const int length = w->path->length;
    const int64_t first = place_of(w->step[0].out, w->from, w->at.node[1]), last = place_of(w->in, w->to, w->at.node[length - 1]);
    w->at.pdp = pow(w->product, -w->damping);
    w->found->dwpc += w->at.pdp;
    w->found->n_all++;
    w->first[first] += w->at.pdp;
    w->last[last] += w->at.pdp;
    w->n_first[first]++;
    w->n_last[last]++;
    keep(w);
    return w->found->n_all % CHECK ? NEP_OK : nep_ctx_check(w->ctx);
}

/* Goes on from position p, where the degrees multiply to `product`. */
static nep_status visit(walker *w, int p, double product)
{
    if (p == w->path->length || p >= NEP_LEN(w->step)) {
        w->product = product;
        return finish(w);
    }
    const step *s = &w->step[p];
    const int64_t here = w->at.node[p];
    for (int64_t k = s->out->start[here]; k < s->out->start[here + 1]; k++) {
        const int32_t next = s->out->node[k];
        bool skip = !s->reaches[next] || (s->hidden && s->hidden[s->out->edge[k]]);
        for (int q = 0; q < p; q++)
            skip |= w->path->kind[q] == w->path->kind[p + 1] && w->at.node[q] == next;
        if (skip)
            continue;
        w->at.node[p + 1] = next;
        w->at.edge[p] = s->out->edge[k];
        NEP_TRY(visit(w, p + 1, product * s->behind[here] * s->ahead[next]));
    }
    return NEP_OK;
}

static nep_status degrees(nep_ctx *ctx, const nep_network_side *s, int64_t n, const bool *hidden, double **out)
{
    NEP_TRY(nep_alloc(ctx, n, sizeof **out, "degrees", out));
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = s->start[i]; k < s->start[i + 1]; k++)
            (*out)[i] += !(hidden && hidden[s->edge[k]]);
    return NEP_OK;
}

/* Degrees of every step, and from the last step backwards which nodes reach the target. */
static nep_status prepare(walker *w, const nep_network *net, const nep_dwpc_opts *opts)
{
    for (int p = w->path->length - 1; p >= 0; p--) {
        const nep_metapath_step *m = &w->path->step[p];
        const nep_network_metaedge *e = &net->metaedge[m->metaedge];
        const nep_network_side *in = m->reverse ? &e->out : &e->in;
        const int64_t n_behind = net->kind[w->path->kind[p]].n, n_ahead = net->kind[w->path->kind[p + 1]].n;
        step *s = &w->step[p];
        s->out = m->reverse ? &e->in : &e->out;
        s->hidden = nep_legs_hidden(opts, m->metaedge);
        NEP_TRY(degrees(w->ctx, s->out, n_behind, s->hidden, &s->behind));
        NEP_TRY(degrees(w->ctx, in, n_ahead, s->hidden, &s->ahead));
        NEP_TRY(nep_alloc(w->ctx, n_ahead, sizeof *s->reaches, "nodes on the way", &s->reaches));
        if (p == w->path->length - 1) {
            s->reaches[w->to] = true;
            w->in = in;
            continue;
        }
        const step *later = &w->step[p + 1];
        for (int64_t i = 0; i < n_ahead; i++)
            for (int64_t k = later->out->start[i]; k < later->out->start[i + 1] && !s->reaches[i]; k++)
                s->reaches[i] = later->reaches[later->out->node[k]];
    }
    return NEP_OK;
}

static int by_share(const void *a, const void *b)
{
    const nep_path_edge *x = a, *y = b;
    if (x->share != y->share)
        return x->share > y->share ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Edges of node `at` that are on a path. */
static nep_status list_edges(walker *w, const nep_network_side *s, int64_t at, const double *sum, const int64_t *count, nep_path_edge **out, int64_t *n)
{
    const int64_t degree = s->start[at + 1] - s->start[at];
    NEP_TRY(nep_alloc(w->ctx, degree, sizeof **out, "edges on a path", out));
    *n = 0;
    for (int64_t k = 0; k < degree; k++)
        if (count[k] > 0)
            (*out)[(*n)++] = (nep_path_edge){s->edge[s->start[at] + k], s->node[s->start[at] + k], count[k], sum[k] / w->found->dwpc};
    qsort(*out, (size_t)*n, sizeof **out, by_share);
    return NEP_OK;
}

static nep_status walk(walker *w, const nep_network *net, const nep_dwpc_opts *opts)
{
    NEP_TRY(prepare(w, net, opts));
    const nep_network_side *out = w->step[0].out;
    const int64_t at_source = out->start[w->from + 1] - out->start[w->from], at_target = w->in->start[w->to + 1] - w->in->start[w->to];
    NEP_TRY(nep_alloc(w->ctx, at_source, sizeof *w->first, "edges of the source", &w->first));
    NEP_TRY(nep_alloc(w->ctx, at_source, sizeof *w->n_first, "edges of the source", &w->n_first));
    NEP_TRY(nep_alloc(w->ctx, at_target, sizeof *w->last, "edges of the target", &w->last));
    NEP_TRY(nep_alloc(w->ctx, at_target, sizeof *w->n_last, "edges of the target", &w->n_last));
    NEP_TRY(nep_alloc(w->ctx, w->k + 1, sizeof *w->products, "paths", &w->products));
    NEP_TRY(nep_alloc(w->ctx, w->k + 1, sizeof *w->found->path, "paths", &w->found->path));
    w->at.node[0] = (int32_t)w->from;
    NEP_TRY(visit(w, 0, 1.0));
    for (int64_t i = 0; i < w->found->n; i++)
        w->found->path[i].share = w->found->path[i].pdp / w->found->dwpc;
    NEP_TRY(list_edges(w, out, w->from, w->first, w->n_first, &w->found->first, &w->found->n_first));
    return list_edges(w, w->in, w->to, w->last, w->n_last, &w->found->last, &w->found->n_last);
}

nep_status nep_paths_find(nep_ctx *ctx, const nep_network *net, const nep_metapath *path, int64_t from, int64_t to, const nep_dwpc_opts *opts,
                          int64_t k, nep_paths *out)
{
    static const nep_dwpc_opts defaults = NEP_DWPC_DEFAULTS;
    const nep_dwpc_opts *o = opts ? opts : &defaults;
    nep_paths found = {0};
    walker w = {.ctx = ctx, .path = path, .damping = o->damping, .k = k, .from = from, .to = to, .found = &found};
    nep_status st;
    NEP_TRY(nep_legs_check(ctx, net, o));
    NEP_REQUIRE(ctx, from >= 0 && from < net->kind[path->kind[0]].n && to >= 0 && to < net->kind[path->kind[path->length]].n, NEP_E_ARG,
                "paths: node %lld or %lld is none of its kind", (long long)from, (long long)to);
    NEP_REQUIRE(ctx, k >= 0 && k < INT32_MAX, NEP_E_ARG, "paths: %lld paths wanted; 0 or more", (long long)k);
    NEP_TRY_OR_DONE(st, walk(&w, net, o));
    *out = found;
    found = (nep_paths){0};
done:
    for (int p = 0; p < NEP_METAPATH_MOST; p++) {
        nep_alloc_free(w.step[p].behind);
        nep_alloc_free(w.step[p].ahead);
        nep_alloc_free(w.step[p].reaches);
    }
    nep_alloc_free(w.products);
    nep_alloc_free(w.first);
    nep_alloc_free(w.last);
    nep_alloc_free(w.n_first);
    nep_alloc_free(w.n_last);
    nep_paths_free(&found);
    return st;
}
