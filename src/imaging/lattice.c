/* SPDX-License-Identifier: Apache-2.0 */
/* lattice - the voxels of a mask on a grid with a border of one voxel, where a neighbour is a fixed step away. */
#include "imaging/lattice.h"

#include <stdlib.h>

void nep_lattice_free(nep_lattice *l)
{
    nep_alloc_free(l->at);
    *l = (nep_lattice){0};
}

/* The box that holds the mask: low .. high inclusive. Returns the voxels inside. */
static int64_t bounds(const int64_t dims[3], const bool *inside, int64_t low[3], int64_t high[3])
{
    int64_t n = 0, v = 0, c[3];
    for (int a = 0; a < 3; a++) {
        low[a] = dims[a];
        high[a] = -1;
    }
    for (c[2] = 0; c[2] < dims[2]; c[2]++)
        for (c[1] = 0; c[1] < dims[1]; c[1]++)
            for (c[0] = 0; c[0] < dims[0]; c[0]++, v++) {
                if (inside && !inside[v])
                    continue;
                n++;
                for (int a = 0; a < 3; a++) {
                    low[a] = c[a] < low[a] ? c[a] : low[a];
                    high[a] = c[a] > high[a] ? c[a] : high[a];
                }
            }
    return n;
}

static void fill_steps(nep_lattice *l, const int64_t size[3], int connectivity)
{
    const int reach = connectivity == 6 ? 1 : connectivity == 18 ? 2 : 3;
    for (int k = 0; k < 27; k++) {
        const int dx = k % 3 - 1, dy = k / 3 % 3 - 1, dz = k / 9 - 1, far = abs(dx) + abs(dy) + abs(dz);
        if (far > 0 && far <= reach)
            l->step[l->n_steps++] = (int32_t)(dx + size[0] * (dy + size[1] * dz));
    }
}

nep_status nep_lattice_open(nep_ctx *ctx, const int64_t dims[3], const bool *inside, int connectivity, nep_lattice *out)
{
    nep_lattice l = {0};
    int64_t low[3], high[3], size[3], i = 0, v = 0;
    NEP_REQUIRE(ctx, connectivity == 6 || connectivity == 18 || connectivity == 26, NEP_E_ARG,
                "clusters: connectivity %d is none of 6, 18 and 26", connectivity);
    NEP_REQUIRE(ctx, dims[0] > 0 && dims[1] > 0 && dims[2] > 0, NEP_E_ARG, "clusters: the map has no voxels");
    l.n = bounds(dims, inside, low, high);
    NEP_REQUIRE(ctx, l.n > 0, NEP_E_ARG, "clusters: no voxel of the map has a value");
    l.places = 1;
    for (int a = 0; a < 3; a++) {
        size[a] = high[a] - low[a] + 3;
        NEP_REQUIRE(ctx, l.places <= INT32_MAX / size[a], NEP_E_ARG, "clusters: a map of %lld x %lld x %lld is too large",
                    (long long)dims[0], (long long)dims[1], (long long)dims[2]);
        l.places *= size[a];
    }
    fill_steps(&l, size, connectivity);
    NEP_TRY(nep_alloc(ctx, l.n, sizeof *l.at, "voxels of the mask", &l.at));
    for (int64_t z = 0; z < dims[2]; z++)
        for (int64_t y = 0; y < dims[1]; y++)
            for (int64_t x = 0; x < dims[0]; x++, v++)
                if (!inside || inside[v])
                    l.at[i++] = (int32_t)(x - low[0] + 1 + size[0] * (y - low[1] + 1 + size[1] * (z - low[2] + 1)));
    *out = l;
    return NEP_OK;
}
