/* SPDX-License-Identifier: Apache-2.0 */
/* dwpc - degree-weighted path counts: a tile of sources is carried along the metapath by sparse products, and what visits a node twice
 * is taken out on the way (dwpc_repeats.c). */
#include "graph/dwpc.h"

#include <nepenthe/backend.h>

#include <string.h>

enum { TILE = 160 }; /* sources at a time: room for the diseases of Hetionet */

/* Position 2 of each source, or 1 of a metapath of one step: over the sparse neighbours of the source, never as a matrix. */
static void first_steps(const nep_legs *l, const nep_tile *t, int threads)
{
    const nep_leg *a = &l->leg[1], *b = l->length > 1 ? &l->leg[2] : NULL;
    double *out = t->x[b ? 2 : 1];
    const int64_t n = b ? b->n_ahead : a->n_ahead;
#pragma omp parallel for schedule(dynamic, 256) num_threads(threads) if (n * t->width > 1 << 20)
    for (int64_t i = 0; i < n; i++) {
        memset(out + i * t->width, 0, (size_t)t->width * sizeof *out);
        if (!b)
            nep_dwpc_add_first(a, t, i, 1.0, out + i * t->width);
        for (int64_t k = b ? b->in->start[i] : 0; b && k < b->in->start[i + 1]; k++)
            nep_dwpc_add_first(a, t, b->in->node[k], b->w_in[k], out + i * t->width);
    }
}

/* The last position of a tile of sources, into t->x[length]: the first steps sparse, the others by dense columns. */
static nep_status walk(nep_ctx *ctx, const nep_legs *l, const nep_repeats *r, nep_tile *t)
{
    const int threads = nep_ctx_threads(ctx);
    first_steps(l, t, threads);
    nep_dwpc_drop_repeats(l, r, t, 2, threads);
    for (int p = 3; p <= l->length; p++) {
        const nep_leg *leg = &l->leg[p];
        NEP_TRY(nep_backend_sparse_product(ctx, leg->in->start, leg->in->node, leg->w_in, leg->n_ahead, t->x[p - 1], leg->n_behind, t->width, t->x[p]));
        nep_dwpc_drop_repeats(l, r, t, p, threads);
    }
    return NEP_OK;
}

/* A tile's last position into the matrix [n_from, n_to], which is that of the metapath as it was asked for. */
static void place(const nep_legs *l, const nep_tile *t, bool turned, double *out)
{
    const int64_t n = l->n[l->length], n_sources = l->n[0];
    const double *x = t->x[l->length];
    for (int64_t c = 0; c < t->width; c++)
        for (int64_t i = 0; i < n; i++)
            out[turned ? i * n_sources + t->first + c : (t->first + c) * n + i] = x[i * t->width + c];
}

static nep_status all_tiles(nep_ctx *ctx, const nep_network *net, const nep_metapath *path, bool turned, const nep_dwpc_opts *opts, double *out)
{
    nep_legs l = {0};
    nep_repeats r = {0};
    nep_tile t = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_legs_make(ctx, net, path, turned, opts, &l));
    NEP_TRY_OR_DONE(st, nep_dwpc_find_repeats(ctx, &l, &r));
    const int64_t tiles = (l.n[0] + TILE - 1) / TILE, most = tiles > 0 ? (l.n[0] + tiles - 1) / tiles : 0;
    for (int p = l.length > 1 ? 2 : 1; p <= l.length; p++)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, l.n[p] * most, sizeof *t.x[p], "path counts", &t.x[p]));
    for (t.first = 0; t.first < l.n[0]; t.first += most) {
        t.width = l.n[0] - t.first < most ? l.n[0] - t.first : most;
        NEP_TRY_OR_DONE(st, walk(ctx, &l, &r, &t));
        place(&l, &t, turned, out);
    }
done:
    for (int p = 1; p <= NEP_METAPATH_MOST; p++)
        nep_alloc_free(t.x[p]);
    nep_dwpc_free_repeats(&r);
    nep_legs_free(&l);
    return st;
}

/* Repeats that are subtracted leave a rest of rounding where no path is: the exact number of paths tells where. */
static bool subtracts(const nep_metapath *p)
{
    return (p->length >= 3 && p->kind[1] == p->kind[3]) || (p->length == 4 && (p->kind[2] == p->kind[4] || p->kind[1] == p->kind[4]));
}

nep_status nep_dwpc_matrix(nep_ctx *ctx, const nep_network *net, const nep_metapath *path, const nep_dwpc_opts *opts, double *dwpc, double *paths)
{
    static const nep_dwpc_opts defaults = NEP_DWPC_DEFAULTS;
    const nep_dwpc_opts *o = opts ? opts : &defaults;
    const int64_t n_from = net->kind[path->kind[0]].n, n_to = net->kind[path->kind[path->length]].n;
    const bool turned = n_to < n_from;
    nep_dwpc_opts plain = *o;
    double *counts = NULL, *sums = NULL;
    nep_status st = NEP_OK;
    plain.damping = 0;
    NEP_TRY(nep_legs_check(ctx, net, o));
    if (paths || (dwpc && subtracts(path))) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_from * n_to, sizeof *counts, "numbers of paths", &counts));
        NEP_TRY_OR_DONE(st, all_tiles(ctx, net, path, turned, &plain, counts));
    }
    if (dwpc) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_from * n_to, sizeof *sums, "path counts", &sums));
        NEP_TRY_OR_DONE(st, all_tiles(ctx, net, path, turned, o, sums));
        for (int64_t i = 0; i < n_from * n_to; i++)
            dwpc[i] = counts && counts[i] == 0.0 ? 0.0 : sums[i];
    }
    if (paths)
        memcpy(paths, counts, (size_t)(n_from * n_to) * sizeof *paths);
done:
    nep_alloc_free(counts);
    nep_alloc_free(sums);
    return st;
}
