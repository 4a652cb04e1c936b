/* SPDX-License-Identifier: Apache-2.0 */
/* legs - weights of the edges along a metapath: (degree of one end * degree of the other)^-w within the metaedge. */
#include "graph/legs.h"

#include <math.h>

const bool *nep_legs_hidden(const nep_dwpc_opts *opts, int64_t metaedge)
{
    for (int64_t h = 0; h < opts->n_hidden; h++)
        if (opts->hidden[h].metaedge == metaedge)
            return opts->hidden[h].edge;
    return NULL;
}

nep_status nep_legs_check(nep_ctx *ctx, const nep_network *net, const nep_dwpc_opts *opts)
{
    NEP_REQUIRE(ctx, opts->damping >= 0 && isfinite(opts->damping), NEP_E_ARG, "dwpc: a damping of %g; it is 0 or more, 0.4 by custom", opts->damping);
    for (int64_t h = 0; h < opts->n_hidden; h++) {
        NEP_REQUIRE(ctx, opts->hidden[h].metaedge >= 0 && opts->hidden[h].metaedge < net->n_metaedges && opts->hidden[h].edge, NEP_E_ARG,
                    "dwpc: hidden edges of metaedge %lld, which the network lacks", (long long)opts->hidden[h].metaedge);
        for (int64_t g = 0; g < h; g++)
            NEP_REQUIRE(ctx, opts->hidden[g].metaedge != opts->hidden[h].metaedge, NEP_E_ARG, "dwpc: edges of %s are hidden by two lists; give one",
                        net->metaedge[opts->hidden[h].metaedge].id);
    }
    return NEP_OK;
}

/* factor[i] = (edges of node i that are not hidden)^-w. */
static nep_status node_factors(nep_ctx *ctx, const nep_network_side *s, int64_t n, const bool *hidden, double w, double **factor)
{
    NEP_TRY(nep_alloc(ctx, n, sizeof **factor, "degrees", factor));
    for (int64_t i = 0; i < n; i++) {
        int64_t degree = s->start[i + 1] - s->start[i];
        for (int64_t k = s->start[i]; hidden && k < s->start[i + 1]; k++)
            degree -= hidden[s->edge[k]];
        (*factor)[i] = degree > 0 ? pow((double)degree, -w) : 0.0;
    }
    return NEP_OK;
}

static nep_status side_weights(nep_ctx *ctx, const nep_network_side *s, int64_t n, const bool *hidden, const double *near, const double *far, double **w)
{
    NEP_TRY(nep_alloc(ctx, s->start[n], sizeof **w, "edge weights", w));
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = s->start[i]; k < s->start[i + 1]; k++)
            (*w)[k] = hidden && hidden[s->edge[k]] ? 0.0 : near[i] * far[s->node[k]];
    return NEP_OK;
}

static nep_status make_leg(nep_ctx *ctx, const nep_network *net, nep_metapath_step step, const nep_dwpc_opts *opts, nep_leg *leg)
{
    const nep_network_metaedge *m = &net->metaedge[step.metaedge];
    const bool *hidden = nep_legs_hidden(opts, step.metaedge);
    double *behind = NULL, *ahead = NULL;
    nep_status st;
    leg->out = step.reverse ? &m->in : &m->out;
    leg->in = step.reverse ? &m->out : &m->in;
    leg->n_behind = net->kind[step.reverse ? m->to : m->from].n;
    leg->n_ahead = net->kind[step.reverse ? m->from : m->to].n;
    NEP_TRY_OR_DONE(st, node_factors(ctx, leg->out, leg->n_behind, hidden, opts->damping, &behind));
    NEP_TRY_OR_DONE(st, node_factors(ctx, leg->in, leg->n_ahead, hidden, opts->damping, &ahead));
    NEP_TRY_OR_DONE(st, side_weights(ctx, leg->out, leg->n_behind, hidden, behind, ahead, &leg->w_out));
    NEP_TRY_OR_DONE(st, side_weights(ctx, leg->in, leg->n_ahead, hidden, ahead, behind, &leg->w_in));
done:
    nep_alloc_free(behind);
    nep_alloc_free(ahead);
    return st;
}

nep_status nep_legs_make(nep_ctx *ctx, const nep_network *net, const nep_metapath *path, bool turned, const nep_dwpc_opts *opts, nep_legs *out)
{
    nep_legs l = {.length = path->length};
    nep_status st = NEP_OK;
    for (int p = 0; p <= l.length; p++) {
        l.kind[p] = path->kind[turned ? l.length - p : p];
        l.n[p] = net->kind[l.kind[p]].n;
    }
    for (int p = 1; p <= l.length; p++) {
        nep_metapath_step step = path->step[turned ? l.length - p : p - 1];
        step.reverse ^= turned;
        NEP_TRY_OR_DONE(st, make_leg(ctx, net, step, opts, &l.leg[p]));
    }
    *out = l;
    l = (nep_legs){0};
done:
    nep_legs_free(&l);
    return st;
}

void nep_legs_free(nep_legs *l)
{
    for (int p = 1; p <= NEP_METAPATH_MOST; p++) {
        nep_alloc_free(l->leg[p].w_out);
        nep_alloc_free(l->leg[p].w_in);
    }
    *l = (nep_legs){0};
}

double nep_legs_weight(const nep_network_side *s, const double *w, int64_t i, int64_t j)
{
    int64_t low = s->start[i], high = s->start[i + 1];
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (s->node[middle] == j)
            return w[middle];
        if (s->node[middle] < j)
            low = middle + 1;
        else
            high = middle;
    }
    return 0.0;
}

double nep_legs_common(const nep_network_side *a, const double *w_a, int64_t i, const nep_network_side *b, const double *w_b, int64_t j)
{
    int64_t x = a->start[i], y = b->start[j];
    double sum = 0.0;
    while (x < a->start[i + 1] && y < b->start[j + 1]) {
        if (a->node[x] == b->node[y])
            sum += w_a[x++] * w_b[y++];
        else if (a->node[x] < b->node[y])
            x++;
        else
            y++;
    }
    return sum;
}
