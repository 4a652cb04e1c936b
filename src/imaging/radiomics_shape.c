/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_shape - size, surface, diameter and axes of a region. */
#include "imaging/radiomics_parts.h"

#include <lapacke.h>
#include <stdlib.h>

/* Points between which the largest distance can lie: for every line along x its first and its last. Vertices
 * of the mesh lie half a voxel from a centre of the region along one axis, to where it ends. */
typedef struct {
    double p[3], radius; /* radius: distance from the middle of the box */
} point;

typedef struct {
    point *p;
    int64_t n;
} points;

static void add(points *s, const nep_radiomics_region *r, int64_t at, int axis, double shift)
{
    const int64_t i[3] = {at % r->side[0], at / r->side[0] % r->side[1], at / r->stride[2]};
    point *q = &s->p[s->n++];
    double d2 = 0;
    for (int a = 0; a < 3; a++) {
        q->p[a] = r->mm[a] * ((double)i[a] - 0.5 * (double)(r->side[a] - 1) + (a == axis ? shift : 0));
        d2 += q->p[a] * q->p[a];
    }
    q->radius = sqrt(d2);
}

static int far_first(const void *a, const void *b)
{
    const double x = ((const point *)a)->radius, y = ((const point *)b)->radius;
    return (x < y) - (x > y);
}

/* Greatest squared distance from point i to points from .. to - 1, whose coordinates lie in rows of n. */
static double farthest(const double *x, int64_t n, int64_t i, int64_t from, int64_t to)
{
    double most = 0;
#pragma omp simd reduction(max : most)
    for (int64_t j = from; j < to; j++) {
        const double dx = x[i] - x[j], dy = x[n + i] - x[n + j], dz = x[2 * n + i] - x[2 * n + j],
                     d2 = dx * dx + dy * dy + dz * dz;
        most = d2 > most ? d2 : most;
    }
    return most;
}

/* Two points are no farther apart than their radii together, so that few pairs are looked at unless the
 * region is a ball. */
static nep_status largest_distance(nep_ctx *ctx, points *s, double *out)
{
    const int64_t n = s->n;
    double most = 0, *x = NULL;
    NEP_TRY(nep_alloc(ctx, 3 * n, sizeof *x, "surface", &x));
    qsort(s->p, (size_t)n, sizeof *s->p, far_first);
    for (int64_t k = 0; k < n; k++)
        for (int a = 0; a < 3; a++)
            x[a * n + k] = s->p[k].p[a];
    for (int64_t i = 0, to = n; i < n; i++) {
        const double reach = sqrt(most) * (1 - 1e-12) - s->p[i].radius;
        while (to > i + 1 && s->p[to - 1].radius < reach) /* reach grows with i: `to` never rises again */
            to--;
        if (to <= i + 1)
            break;
        const double d2 = farthest(x, n, i, i + 1, to);
        most = d2 > most ? d2 : most;
    }
    *out = sqrt(most);
    nep_alloc_free(x);
    return NEP_OK;
}

/* Their number, and themselves where s has room. */
static int64_t surface(const nep_radiomics_region *r, points *s)
{
    int64_t row = -1, n = 0;
    for (int64_t k = 0; k < r->n; k++) { /* ascending: the voxels of a line follow one another */
        const int64_t at = r->at[k], line = at / r->side[0];
        const bool first = line != row, last = k + 1 == r->n || r->at[k + 1] / r->side[0] != line;
        row = line;
        if (!first && !last)
            continue;
        for (int axis = 0; axis < 3; axis++)
            for (int side = -1; side <= 1; side += 2) {
                if (axis == 0 ? !(side < 0 ? first : last) : r->level[at + side * r->stride[axis]] != 0)
                    continue;
                if (s->p)
                    add(s, r, at, axis, 0.5 * side);
                n++;
            }
    }
    return n;
}

static nep_status diameter(nep_ctx *ctx, const nep_radiomics_region *r, double *out)
{
    points s = {0};
    NEP_TRY(nep_alloc(ctx, surface(r, &s), sizeof *s.p, "surface", &s.p));
    surface(r, &s);
    const nep_status st = largest_distance(ctx, &s, out);
    nep_alloc_free(s.p);
    return st;
}

/* Covariance of the places (over n - 1: so the published values come out; PyRadiomics: over n), and how far
 * the centre of intensity is from theirs. */
static void axes(const nep_radiomics_region *r, bool pyradiomics, double *out)
{
    double mean[3] = {0}, weighted[3] = {0}, mass = 0, c[9] = {0}, w[3], shift = 0;
    for (int64_t k = 0; k < r->n; k++) {
        const int64_t i[3] = {r->at[k] % r->side[0], r->at[k] / r->side[0] % r->side[1],
                              r->at[k] / r->stride[2]};
        for (int a = 0; a < 3; a++) {
            mean[a] += r->mm[a] * (double)i[a] / (double)r->n;
            weighted[a] += r->mm[a] * (double)i[a] * r->value[k];
        }
        mass += r->value[k];
    }
    const double degrees = (double)(pyradiomics || r->n == 1 ? r->n : r->n - 1);
    for (int64_t k = 0; k < r->n; k++) {
        const int64_t i[3] = {r->at[k] % r->side[0], r->at[k] / r->side[0] % r->side[1],
                              r->at[k] / r->stride[2]};
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                c[3 * a + b] +=
                    (r->mm[a] * (double)i[a] - mean[a]) * (r->mm[b] * (double)i[b] - mean[b]) / degrees;
    }
    for (int a = 0; a < 3; a++)
        shift += (weighted[a] / mass - mean[a]) * (weighted[a] / mass - mean[a]);
    out[NEP_RADIOMICS_shape_center_of_mass_shift] = sqrt(shift);
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', 3, c, 3, w) != 0)
        return;
    for (int a = 0; a < 3; a++)
        w[a] = fmax(w[a], 0);
    out[NEP_RADIOMICS_shape_least_axis_length] = 4 * sqrt(w[0]);
    out[NEP_RADIOMICS_shape_minor_axis_length] = 4 * sqrt(w[1]);
    out[NEP_RADIOMICS_shape_major_axis_length] = 4 * sqrt(w[2]);
    if (w[2] > 0) {
        out[NEP_RADIOMICS_shape_elongation] = sqrt(w[1] / w[2]);
        out[NEP_RADIOMICS_shape_flatness] = sqrt(w[0] / w[2]);
    }
}

nep_status nep_radiomics_shape(nep_ctx *ctx, const nep_radiomics_region *r, const nep_radiomics_opts *o,
                               double *out)
{
    const double pi = 3.14159265358979323846;
    double v, a;
    nep_radiomics_mesh(r, o->pyradiomics, &v, &a);
    const double sphere = cbrt(36 * pi * v * v); /* area of the ball of this volume */
    out[NEP_RADIOMICS_shape_mesh_volume] = v;
    out[NEP_RADIOMICS_shape_voxel_volume] = (double)r->n * r->mm[0] * r->mm[1] * r->mm[2];
    out[NEP_RADIOMICS_shape_surface_area] = a;
    out[NEP_RADIOMICS_shape_surface_volume_ratio] = a / v;
    out[NEP_RADIOMICS_shape_compactness_1] = v / (sqrt(pi) * pow(a, 1.5));
    out[NEP_RADIOMICS_shape_compactness_2] = 36 * pi * v * v / (a * a * a);
    out[NEP_RADIOMICS_shape_spherical_disproportion] = a / sphere;
    out[NEP_RADIOMICS_shape_sphericity] = sphere / a;
    out[NEP_RADIOMICS_shape_asphericity] = a / sphere - 1;
    axes(r, o->pyradiomics, out);
    return diameter(ctx, r, &out[NEP_RADIOMICS_shape_maximum_3d_diameter]);
}
