/* SPDX-License-Identifier: Apache-2.0 */
/* tfce - exact enhancement: voxels join from the highest down; each one heads the component it closes. */
#include <nepenthe/imaging.h>

#include <math.h>
#include <stdlib.h>

typedef struct {
    double height;
    int64_t voxel;
} peak;

typedef struct {
    peak *order;     /* voxels above 0, highest first */
    int64_t *parent; /* by voxel: next lower component, itself at a root, -1 while not joined */
    int64_t *root;   /* by voxel: shortcut to the root */
    int64_t *size;   /* by voxel: voxels of the component it heads */
} tree;

static int higher(const void *a, const void *b)
{
    const peak *p = a, *q = b;
    if (p->height != q->height)
        return p->height > q->height ? -1 : 1;
    return (p->voxel > q->voxel) - (p->voxel < q->voxel);
}

static int64_t find(int64_t *root, int64_t v)
{
    while (root[v] != v) {
        root[v] = root[root[v]];
        v = root[v];
    }
    return v;
}

static void join(tree *t, int64_t v, const int64_t dims[3], int reach)
{
    const int64_t x = v % dims[0], y = v / dims[0] % dims[1], z = v / (dims[0] * dims[1]);
    t->parent[v] = t->root[v] = v;
    t->size[v] = 1;
    for (int k = 0; k < 27; k++) {
        const int dx = k % 3 - 1, dy = k / 3 % 3 - 1, dz = k / 9 - 1;
        const int64_t i = x + dx, j = y + dy, l = z + dz;
        if (abs(dx) + abs(dy) + abs(dz) > reach || i < 0 || i >= dims[0] || j < 0 || j >= dims[1] || l < 0 ||
            l >= dims[2])
            continue;
        const int64_t w = i + dims[0] * (j + dims[1] * l);
        if (t->parent[w] < 0)
            continue;
        const int64_t r = find(t->root, w);
        if (r == v)
            continue;
        t->parent[r] = t->root[r] = v;
        t->size[v] += t->size[r];
    }
}

static void enhance(tree *t, const float *map, double sign, const int64_t dims[3], const nep_tfce_opts *o,
                    double *out)
{
    const int64_t n = dims[0] * dims[1] * dims[2];
    const int reach = o->connectivity == 6 ? 1 : o->connectivity == 18 ? 2 : 3;
    int64_t m = 0;
    for (int64_t v = 0; v < n; v++) {
        t->parent[v] = -1;
        if (sign * (double)map[v] > 0.0)
            t->order[m++] = (peak){.height = sign * (double)map[v], .voxel = v};
    }
    qsort(t->order, (size_t)m, sizeof *t->order, higher);
    for (int64_t k = 0; k < m; k++)
        join(t, t->order[k].voxel, dims, reach);
    for (int64_t k = m - 1; k >= 0; k--) { /* parents come first */
        const int64_t v = t->order[k].voxel, p = t->parent[v];
        const double top = pow(t->order[k].height, o->h + 1.0);
        const double low = p == v ? 0.0 : pow(sign * (double)map[p], o->h + 1.0);
        const double extent = pow((double)t->size[v] * o->voxel_mm3, o->e);
        out[v] = (p == v ? 0.0 : out[p]) + sign * extent * (top - low) / (o->h + 1.0);
    }
}

nep_status nep_tfce_score(nep_ctx *ctx, const float *map, const int64_t dims[3], const nep_tfce_opts *opts,
                          double *out)
{
    nep_status st = NEP_OK;
    tree t = {0};
    NEP_REQUIRE(ctx, dims[0] > 0 && dims[1] > 0 && dims[2] > 0, NEP_E_ARG, "tfce: the map has no voxels");
    NEP_REQUIRE(ctx, opts->connectivity == 6 || opts->connectivity == 18 || opts->connectivity == 26,
                NEP_E_ARG, "tfce: connectivity %d is none of 6, 18 and 26", opts->connectivity);
    NEP_REQUIRE(ctx,
                opts->e >= 0.0 && opts->h >= 0.0 && opts->voxel_mm3 > 0.0 && isfinite(opts->e + opts->h) &&
                    isfinite(opts->voxel_mm3),
                NEP_E_ARG, "tfce: exponents must be finite and not negative, and the voxel's extent above 0");
    const int64_t n = dims[0] * dims[1] * dims[2];
    for (int64_t v = 0; v < n; v++) {
        NEP_REQUIRE(ctx, !isinf(map[v]), NEP_E_ARG, "tfce: voxel %lld is infinite; mask it as NaN",
                    (long long)v);
        out[v] = isnan(map[v]) ? (double)NAN : 0.0;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t.order, "TFCE", &t.order));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t.parent, "TFCE", &t.parent));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t.root, "TFCE", &t.root));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *t.size, "TFCE", &t.size));
    enhance(&t, map, 1.0, dims, opts, out);
    if (opts->two_sided)
        enhance(&t, map, -1.0, dims, opts, out);
done:
    nep_alloc_free(t.order);
    nep_alloc_free(t.parent);
    nep_alloc_free(t.root);
    nep_alloc_free(t.size);
    return st;
}
