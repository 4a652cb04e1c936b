/* SPDX-License-Identifier: Apache-2.0 */
/* sphere - points of the unit sphere under rotations: distances, and the nearest point by a grid of cubes; one text for host and device.
 *
 * Sums have one order and nothing is fused (host and device code are compiled without contraction), so that every backend finds the same
 * distance to the last bit and equals stay equals. */
#ifndef NEPENTHE_MATH_SPHERE_H
#define NEPENTHE_MATH_SPHERE_H

#include <math.h>
#include <stdint.h>

#include <nepenthe/math/hd.h>

#define NEP_SPHERE_MARGIN 1.03  /* no coordinate lies beyond it: points are unit vectors within 2 % */
enum { NEP_SPHERE_SIDE = 160 }; /* cubes along an edge at most */

/* Points sorted into the side^3 cubes of [-margin, margin]^3, and where to ask for the nearest. */
typedef struct {
    const double *point;   /* [n, 3] cube after cube, by number within a cube */
    const int32_t *name;   /* [n] the number of each */
    const int32_t *start;  /* [side^3 + 1] */
    const double *query;   /* [n_query, 3] cube after cube, so that neighbours ask one after another */
    const int32_t *column; /* [n_query] the number of each */
    int64_t n, n_query;
    int32_t side;
    double cubes_per_unit, edge;
} nep_sphere;

/* out = R p, R row-major [3, 3]. */
NEP_HD void nep_sphere_turn(const double *rotation, const double *p, double *out)
{
    for (int k = 0; k < 3; k++)
        out[k] = rotation[3 * k] * p[0] + rotation[3 * k + 1] * p[1] + rotation[3 * k + 2] * p[2];
}

/* out = R' p: the turned point nearest to p is the point nearest to p turned back. */
NEP_HD void nep_sphere_turn_back(const double *rotation, const double *p, double *out)
{
    for (int k = 0; k < 3; k++)
        out[k] = rotation[k] * p[0] + rotation[3 + k] * p[1] + rotation[6 + k] * p[2];
}

/* |p - q|^2 */
NEP_HD double nep_sphere_square(const double *p, const double *q)
{
    const double x = p[0] - q[0], y = p[1] - q[1], z = p[2] - q[2];
    return x * x + y * y + z * z;
}

/* The cube along one axis; what lies beyond the margin counts to the cube at its edge. */
NEP_HD int32_t nep_sphere_along(const nep_sphere *s, double x)
{
    const int32_t c = (int32_t)((x + NEP_SPHERE_MARGIN) * s->cubes_per_unit);
    return c < 0 ? 0 : c >= s->side ? s->side - 1 : c;
}

/* The cube of a point, z running fastest. */
NEP_HD int64_t nep_sphere_cube(const nep_sphere *s, const double *p)
{
    return ((int64_t)nep_sphere_along(s, p[0]) * s->side + nep_sphere_along(s, p[1])) * s->side + nep_sphere_along(s, p[2]);
}

/* The best so far of cubes first .. last, which lie side by side; of equals the lowest number. */
NEP_HD void nep_sphere_look(const nep_sphere *s, int64_t first, int64_t last, const double *q, double *least, int32_t *best)
{
    for (int32_t k = s->start[first]; k < s->start[last + 1]; k++) {
        const double d = nep_sphere_square(s->point + 3 * (int64_t)k, q);
        if (d < *least || (d == *least && s->name[k] < *best)) {
            *least = d;
            *best = s->name[k];
        }
    }
}

/* One shell of cubes around the cube `at`, `ring` >= 2 away from it. */
NEP_HD void nep_sphere_ring(const nep_sphere *s, const int32_t *at, int32_t ring, const double *q, double *least, int32_t *best)
{
    for (int32_t x = at[0] - ring; x <= at[0] + ring; x++)
        for (int32_t y = at[1] - ring; y <= at[1] + ring; y++) {
            const int wall = x == at[0] - ring || x == at[0] + ring || y == at[1] - ring || y == at[1] + ring;
            if (x < 0 || x >= s->side || y < 0 || y >= s->side)
                continue;
            for (int32_t z = at[2] - ring; z <= at[2] + ring; z += wall ? 1 : 2 * ring)
                if (z >= 0 && z < s->side) {
                    const int64_t cube = ((int64_t)x * s->side + y) * s->side + z;
                    nep_sphere_look(s, cube, cube, q, least, best);
                }
        }
}

/* The number of the point nearest to q, the lowest of equals; -1 without any point. */
NEP_HD int32_t nep_sphere_nearest(const nep_sphere *s, const double *q)
{
    const int32_t at[3] = {nep_sphere_along(s, q[0]), nep_sphere_along(s, q[1]), nep_sphere_along(s, q[2])}, side = s->side;
    const int32_t low = at[2] > 0 ? at[2] - 1 : 0, high = at[2] + 1 < side ? at[2] + 1 : side - 1;
    double least = (double)INFINITY;
    int32_t best = -1;
    for (int32_t x = at[0] > 0 ? at[0] - 1 : 0; x <= at[0] + 1 && x < side; x++) /* the own cube and the 26 around it */
        for (int32_t y = at[1] > 0 ? at[1] - 1 : 0; y <= at[1] + 1 && y < side; y++) {
            const int64_t column = ((int64_t)x * side + y) * side;
            nep_sphere_look(s, column + low, column + high, q, &least, &best);
        }
    for (int32_t ring = 2; ring < side; ring++) {
        const double reach = (double)(ring - 1) * 0.999999 * s->edge; /* cubes of this ring lie no nearer, whatever was rounded */
        if (least < reach * reach)
            break;
        nep_sphere_ring(s, at, ring, q, &least, &best);
    }
    return best;
}

#endif
