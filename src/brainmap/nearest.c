/* SPDX-License-Identifier: Apache-2.0 */
/* nearest - the nearest point of a turned sphere, by a grid of cubes: a thousand turns of ten thousand points in
 * seconds. */
#include "nulls.h"

#include <string.h>

struct nulls_grid {
    int64_t n, side; /* points; cubes along an edge of [-1, 1]^3 and a margin */
    double cube;
    double (*point)[3]; /* [n] in cube order */
    int32_t *name;      /* [n] the caller's number of each */
    int32_t *start;     /* [side^3 + 1] */
};

static const double margin = 1.03; /* points are unit vectors within 2 % */

void nep_nearest_free(nulls_grid *g)
{
    if (!g)
        return;
    nep_alloc_free(g->point);
    nep_alloc_free(g->name);
    nep_alloc_free(g->start);
    nep_alloc_free(g);
}

static int64_t cube_along(const nulls_grid *g, double x)
{
    const int64_t c = (int64_t)floor((x + margin) / g->cube);
    return c < 0 ? 0 : c >= g->side ? g->side - 1 : c;
}

static int64_t cube_of(const nulls_grid *g, const double p[3])
{
    return (cube_along(g, p[0]) * g->side + cube_along(g, p[1])) * g->side + cube_along(g, p[2]);
}

nep_status nep_nearest_create(nep_ctx *ctx, const double (*point)[3], const int32_t *name, int64_t n,
                              nulls_grid **out)
{
    nulls_grid *g = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *g, "nearest", &g));
    g->n = n;
    g->side = (int64_t)ceil(2.0 * margin / sqrt(4.0 * 3.141592653589793 / (double)(n > 0 ? n : 1)));
    g->side = g->side < 1 ? 1 : g->side > 160 ? 160 : g->side;
    g->cube = 2.0 * margin / (double)g->side;
    const int64_t cubes = g->side * g->side * g->side;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *g->point, "nearest: points", &g->point));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *g->name, "nearest: names", &g->name));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, cubes + 1, sizeof *g->start, "nearest: cubes", &g->start));
    for (int64_t i = 0; i < n; i++)
        g->start[cube_of(g, point[i]) + 1]++;
    for (int64_t c = 0; c < cubes; c++)
        g->start[c + 1] += g->start[c];
    for (int64_t i = n - 1; i >= 0; i--) { /* fills each cube from its end, so that start[c + 1] falls to start[c] */
        const int32_t at = --g->start[cube_of(g, point[i]) + 1];
        memcpy(g->point[at], point[i], sizeof g->point[at]);
        g->name[at] = name[i];
    }
    memmove(g->start, g->start + 1, (size_t)cubes * sizeof *g->start);
    g->start[cubes] = (int32_t)n;
    *out = g;
    g = NULL;
done:
    nep_nearest_free(g);
    return st;
}

/* The best so far of one cube; of equals the lowest name. */
static void look(const nulls_grid *g, int64_t cube, const double q[3], double *least, int32_t *best)
{
    for (int32_t k = g->start[cube]; k < g->start[cube + 1]; k++) {
        const double x = g->point[k][0] - q[0], y = g->point[k][1] - q[1], z = g->point[k][2] - q[2];
        const double d = x * x + y * y + z * z;
        if (d < *least || (d == *least && g->name[k] < *best)) {
            *least = d;
            *best = g->name[k];
        }
    }
}

int32_t nep_nearest_find(const nulls_grid *g, const double q[3])
{
    const int64_t at[3] = {cube_along(g, q[0]), cube_along(g, q[1]), cube_along(g, q[2])}, side = g->side;
    double least = (double)INFINITY;
    int32_t best = -1;
    for (int64_t ring = 0; ring < side; ring++) {
        const double reach = (double)(ring - 1) * g->cube; /* cubes of this ring lie no nearer */
        if (ring > 0 && reach > 0.0 && least < reach * reach)
            break;
        for (int64_t x = at[0] - ring; x <= at[0] + ring; x++)
            for (int64_t y = at[1] - ring; y <= at[1] + ring; y++) {
                const bool wall = x == at[0] - ring || x == at[0] + ring || y == at[1] - ring || y == at[1] + ring;
                if (x < 0 || x >= side || y < 0 || y >= side)
                    continue;
                for (int64_t z = at[2] - ring; z <= at[2] + ring; z += wall || ring == 0 ? 1 : 2 * ring)
                    if (z >= 0 && z < side)
                        look(g, (x * side + y) * side + z, q, &least, &best);
            }
    }
    return best;
}

nep_status nep_nearest_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names)
{
    double(*point)[3] = NULL;
    int32_t *name = NULL;
    nep_status st;
    (void)names;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nulls->n, sizeof *point, "nearest: points", &point));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nulls->n, sizeof *name, "nearest: names", &name));
    for (int h = 0; h < 2; h++) {
        int64_t m = 0;
        for (int64_t i = 0; i < nulls->n; i++)
            if (nulls->hemisphere[i] == "LR"[h]) {
                memcpy(point[m], nulls->sphere[i], sizeof point[m]);
                name[m++] = (int32_t)i;
            }
        NEP_TRY_OR_DONE(st, nep_nearest_create(ctx, (const double(*)[3])point, name, m, &nulls->grid[h]));
    }
done:
    nep_alloc_free(name);
    nep_alloc_free(point);
    return st;
}

void nep_nearest_indices(const nep_nulls *nulls, char hemisphere, double rotation[3][3], int32_t *index)
{
    const nulls_grid *g = nulls->grid[hemisphere == 'R'];
    for (int64_t i = 0; i < nulls->n; i++) {
        const double *c = nulls->sphere[i];
        double back[3]; /* the nearest turned point to c is the nearest point to c turned back */
        if (nulls->hemisphere[i] != hemisphere)
            continue;
        for (int k = 0; k < 3; k++)
            back[k] = rotation[0][k] * c[0] + rotation[1][k] * c[1] + rotation[2][k] * c[2];
        index[i] = nep_nearest_find(g, back);
    }
}
