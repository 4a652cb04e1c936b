/* SPDX-License-Identifier: Apache-2.0 */
/* voxel_modes - the smooth modes of the voxels of a mask: each voxel and those that share a face with it make the graph. */
#include "subspace.h"

#include <nepenthe/math/philox.h>

enum { PIECES = 20 /* of a mask, at most: each piece is one mode of no wavelength */, FACES = 6 };

static void graph_free(nulls_graph *l)
{
    nep_alloc_free(l->start);
    nep_alloc_free(l->column);
    nep_alloc_free(l->weight);
}

void nep_voxel_edges(const nep_grid *grid, double mm[3])
{
    static const double corner[3];
    for (int k = 0; k < 3; k++) {
        const double axis[3] = {grid->affine[0][k], grid->affine[1][k], grid->affine[2][k]};
        mm[k] = nulls_distance(axis, corner);
    }
}

/* Rows of L = diag(W 1) - W, W = 1 / D^2 between voxels that share a face. */
static nep_status laplacian(nep_ctx *ctx, const nep_grid *grid, const bool *mask, int64_t n, const double mm[3], nulls_graph *l)
{
    const int64_t all = nep_grid_voxels(grid), size[3] = {grid->nx, grid->ny, grid->nz}, step[3] = {1, grid->nx, grid->nx * grid->ny};
    int32_t *place = NULL;
    int64_t e = 0;
    nep_status st;
    l->n = n;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, all, sizeof *place, "eigenmodes: voxels", &place));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n + 1, sizeof *l->start, "eigenmodes: neighbours", &l->start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * (FACES + 1), sizeof *l->column, "eigenmodes: neighbours", &l->column));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * (FACES + 1), sizeof *l->weight, "eigenmodes: neighbours", &l->weight));
    for (int64_t v = 0, i = 0; v < all; v++)
        place[v] = mask[v] ? (int32_t)i++ : -1;
    for (int64_t v = 0; v < all; v++) {
        const int64_t at[3] = {v % size[0], v / size[0] % size[1], v / size[0] / size[1]};
        int64_t own = 0;
        double sum = 0.0;
        if (!mask[v])
            continue;
        for (int k = -3; k <= 3; k++) { /* z-, y-, x-, itself, x+, y+, z+: columns ascend */
            const int axis = (k < 0 ? -k : k) - 1;
            if (k == 0) {
                own = e;
                l->column[e++] = place[v];
                continue;
            }
            const int64_t to = k < 0 ? v - step[axis] : v + step[axis];
            if (at[axis] == (k < 0 ? 0 : size[axis] - 1) || !mask[to])
                continue;
            l->column[e] = place[to];
            l->weight[e] = -1.0 / (mm[axis] * mm[axis]);
            sum -= l->weight[e++];
        }
        l->weight[own] = sum;
        l->start[place[v] + 1] = e;
    }
done:
    nep_alloc_free(place);
    return st;
}

/* Pieces that no faces join. */
static nep_status count_pieces(nep_ctx *ctx, const nulls_graph *l, int64_t *pieces, int64_t *largest)
{
    int32_t *stack = NULL;
    bool *seen = NULL;
    nep_status st;
    *pieces = *largest = 0;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l->n, sizeof *stack, "eigenmodes: pieces", &stack));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l->n, sizeof *seen, "eigenmodes: pieces", &seen));
    for (int64_t first = 0; first < l->n; first++) {
        int64_t waiting = 0, size = 0;
        if (seen[first])
            continue;
        ++*pieces;
        seen[first] = true;
        stack[waiting++] = (int32_t)first;
        while (waiting > 0) {
            const int64_t i = stack[--waiting];
            size++;
            for (int64_t e = l->start[i]; e < l->start[i + 1]; e++)
                if (!seen[l->column[e]]) {
                    seen[l->column[e]] = true;
                    stack[waiting++] = l->column[e];
                }
        }
        *largest = size > *largest ? size : *largest;
    }
done:
    nep_alloc_free(seen);
    nep_alloc_free(stack);
    return st;
}

/* All modes of a small mask. */
static nep_status all_modes(nep_ctx *ctx, const nulls_graph *l, double *lambda, double *vectors)
{
    const int64_t n = l->n;
    double *dense = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n * n, sizeof *dense, "eigenmodes: Laplacian", &dense));
    for (int64_t i = 0; i < n; i++)
        for (int64_t e = l->start[i]; e < l->start[i + 1]; e++)
            dense[i * n + l->column[e]] = l->weight[e];
    NEP_TRY_OR_DONE(st, nep_eigenmodes_all(ctx, dense, n, lambda));
    for (int64_t k = 0; k < n - 1; k++)
        for (int64_t i = 0; i < n; i++)
            vectors[k * n + i] = dense[i * n + k];
done:
    nep_alloc_free(dense);
    return st;
}

/* An eigenvector's sign is an accident of the solver: each is turned to the side of one random map, the same everywhere. */
static nep_status choose_signs(nep_ctx *ctx, int64_t n, int64_t n_vectors, double *vectors)
{
    double *side = NULL;
    NEP_TRY(nep_alloc(ctx, n, sizeof *side, "eigenmodes: signs", &side));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < n; i++)
        side[i] = nep_philox_gauss(20251, 9, (uint64_t)i);
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t k = 0; k < n_vectors; k++) {
        double *v = vectors + k * n, dot = 0.0;
        for (int64_t i = 0; i < n; i++)
            dot += v[i] * side[i];
        for (int64_t i = 0; i < n && dot < 0.0; i++)
            v[i] = -v[i];
    }
    nep_alloc_free(side);
    return NEP_OK;
}

/* Where eigenvalue m of the continuous Laplacian lies, mm^-2, for so large a volume (Weyl). */
static double weyl(int64_t m, int64_t n, const double mm[3])
{
    static const double pi = 3.14159265358979323846;
    return pow(6.0 * pi * pi * (double)m / ((double)n * mm[0] * mm[1] * mm[2]), 2.0 / 3.0);
}

nep_status nep_voxel_modes_prepare(nep_ctx *ctx, const nep_grid *grid, const bool *mask, nep_nulls *nulls)
{
    const int64_t n = nulls->n, few = nep_subspace_room(NULLS_FEW_MODES);
    const bool all = n <= NULLS_ALL_MODES;
    nulls_graph l = {0};
    double mm[3], *lambda = NULL;
    int64_t pieces, largest;
    nep_status st;
    nep_voxel_edges(grid, mm);
    NEP_TRY_OR_DONE(st, laplacian(ctx, grid, mask, n, mm, &l));
    NEP_TRY_OR_DONE(st, count_pieces(ctx, &l, &pieces, &largest));
    NEP_REQUIRE_OR_DONE(
        st, ctx, pieces <= PIECES, NEP_E_ARG,
        "eigenmodes: the mask is in %lld pieces that no faces join, the largest of %lld of %lld voxels, and at most %d are taken: "
        "leave out the small ones",
        (long long)pieces, (long long)largest, (long long)n, (int)PIECES);
    NEP_REQUIRE_OR_DONE(st, ctx, largest > 1, NEP_E_ARG,
                        "eigenmodes: no voxel of the mask shares a face with another, so there are no modes: choose a fuller mask, or shuffle");
    nulls->n_blocks = 1;
    nulls->n_vectors = all ? n - 1 : NULLS_FEW_MODES;
    nulls->partial = !all;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *nulls->block, "eigenmodes: voxels", &nulls->block));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (all ? n - 1 : few) * n, sizeof *nulls->vectors, "eigenmodes", &nulls->vectors));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, all ? n : few, sizeof *lambda, "eigenmodes: eigenvalues", &lambda));
    NEP_TRY_OR_DONE(st, all ? all_modes(ctx, &l, lambda, nulls->vectors)
                            : nep_subspace_smallest(ctx, &l, NULLS_FEW_MODES, weyl(few, n, mm), lambda, nulls->vectors, NULL));
    NEP_TRY_OR_DONE(st, choose_signs(ctx, n, nulls->n_vectors, nulls->vectors));
    nulls->n_groups = nulls->n_vectors; /* signs */
    if (nulls->kind == NEP_NULLS_MORAN_PAIR)
        st = nep_moran_pairs(ctx, nulls);
    if (nulls->kind == NEP_NULLS_EIGENMODES) {
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, nulls->n_vectors, sizeof *nulls->group, "eigenmodes: groups", &nulls->group));
        nulls->n_groups = nep_eigenmodes_group(nulls->n_vectors, nulls->group);
    }
done:
    nep_alloc_free(lambda);
    graph_free(&l);
    return st;
}
