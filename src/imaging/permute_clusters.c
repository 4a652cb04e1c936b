/* SPDX-License-Identifier: Apache-2.0 */
/* permute_clusters - components of the voxels beyond a threshold, their sizes and masses; of t, each sign apart. */
#include "imaging/permute_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void nep_permute_clusters_free(nep_permute_clusters *c)
{
    nep_lattice_free(&c->lattice);
    nep_alloc_free(c->excess);
    nep_alloc_free(c->stack);
    nep_alloc_free(c->voxel);
    *c = (nep_permute_clusters){0};
}

nep_status nep_permute_clusters_open(nep_ctx *ctx, const nep_permute_opts *o, bool positive, nep_permute_clusters *out)
{
    nep_permute_clusters c = {.forming = o->forming, .positive = positive};
    nep_status st;
    NEP_REQUIRE(ctx, o->forming >= 0.0 && isfinite(o->forming), NEP_E_ARG,
                "permute: the threshold that forms clusters is %g, must be a number of 0 or more", o->forming);
    NEP_TRY(nep_lattice_open(ctx, o->dims, o->inside, o->connectivity, &c.lattice));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c.lattice.places, sizeof *c.excess, "permute: clusters", &c.excess));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c.lattice.n, sizeof *c.stack, "permute: clusters", &c.stack));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, c.lattice.places, sizeof *c.voxel, "permute: clusters", &c.voxel));
    for (int64_t v = 0; v < c.lattice.n; v++)
        c.voxel[c.lattice.at[v]] = (int32_t)v;
    *out = c;
    c = (nep_permute_clusters){0};
done:
    nep_permute_clusters_free(&c);
    return st;
}

/* Marks what is beyond the threshold; a voxel just on it is not. */
static void mark(nep_permute_clusters *c, const double *map)
{
    for (int64_t v = 0; v < c->lattice.n; v++) {
        const double over = fabs(map[v]) - c->forming;
        const bool counts = over > 0.0 && !(c->positive && map[v] < 0.0);
        c->excess[c->lattice.at[v]] = !counts ? 0.0 : map[v] < 0.0 ? -over : over;
    }
}

/* Takes the component of `place` out of the marks: its voxels are left in the stack, [0, size). */
static int64_t take(nep_permute_clusters *c, int32_t place, double *mass)
{
    const double sign = c->excess[place] < 0.0 ? -1.0 : 1.0;
    int64_t size = 0;
    *mass = sign * c->excess[place];
    c->excess[place] = 0.0;
    c->stack[size++] = place;
    for (int64_t done = 0; done < size; done++)
        for (int s = 0; s < c->lattice.n_steps; s++) {
            const int32_t beside = c->stack[done] + c->lattice.step[s];
            const double over = sign * c->excess[beside];
            if (!(over > 0.0))
                continue;
            *mass += over;
            c->excess[beside] = 0.0;
            c->stack[size++] = beside;
        }
    return size;
}

void nep_permute_clusters_most(nep_permute_clusters *c, const double *map, double *size, double *mass)
{
    *size = *mass = 0.0;
    mark(c, map);
    for (int64_t v = 0; v < c->lattice.n; v++) {
        double own = 0.0;
        if (c->excess[c->lattice.at[v]] == 0.0)
            continue;
        *size = fmax(*size, (double)take(c, c->lattice.at[v], &own));
        *mass = fmax(*mass, own);
    }
}

/* Largest first; of one size, the one whose peak comes first in the grid. */
static int larger(const void *a, const void *b)
{
    const nep_permute_cluster *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return (x->peak > y->peak) - (x->peak < y->peak);
}

static void number_voxels(nep_permute_clusters *c, const double *map, nep_permute_result *r)
{
    mark(c, map);
    for (int64_t k = 0; k < r->n_clusters; k++) {
        double unused = 0.0;
        const int64_t size = take(c, c->lattice.at[r->clusters[k].peak], &unused);
        for (int64_t i = 0; i < size; i++)
            r->cluster[c->voxel[c->stack[i]]] = (int32_t)(k + 1);
    }
}

nep_status nep_permute_clusters_list(nep_ctx *ctx, nep_permute_clusters *c, const double *map, nep_permute_result *r)
{
    int64_t room = 0;
    NEP_TRY(nep_alloc(ctx, c->lattice.n, sizeof *r->cluster, "permute: clusters", &r->cluster));
    mark(c, map);
    for (int64_t v = 0; v < c->lattice.n; v++) {
        nep_permute_cluster found = {.p_size = (double)NAN, .p_mass = (double)NAN};
        if (c->excess[c->lattice.at[v]] == 0.0)
            continue;
        found.size = take(c, c->lattice.at[v], &found.mass);
        found.peak = v;
        for (int64_t i = 0; i < found.size; i++) {
            const int64_t w = c->voxel[c->stack[i]];
            const double more = fabs(map[w]) - fabs(map[found.peak]);
            if (more > 0.0 || (more == 0.0 && w < found.peak))
                found.peak = w;
        }
        if (r->n_clusters == room) {
            room = room ? 2 * room : 64;
            NEP_TRY(nep_alloc_grow(ctx, room, sizeof *r->clusters, "permute: clusters", &r->clusters));
        }
        r->clusters[r->n_clusters++] = found;
    }
    if (r->n_clusters > 0)
        qsort(r->clusters, (size_t)r->n_clusters, sizeof *r->clusters, larger);
    number_voxels(c, map, r);
    return NEP_OK;
}
