/* SPDX-License-Identifier: Apache-2.0 */
/* parity_spin - how the ops on turned spheres are run for the comparison. */
#ifndef NEP_TESTS_BACKEND_PARITY_SPIN_H
#define NEP_TESTS_BACKEND_PARITY_SPIN_H

#include "backend/parity_ops.h"
#include "backend/spheres.h"

/* The points asked about are others than those that turn, where the shape says so. */
static nep_status run_spin_nearest(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->cols > 2000 ? 1500 : s->cols, n_query = s->cols % 2 ? n / 2 + 3 : n;
    double *point = sphere_points(X, n, s->missing), *other = sphere_points(Z, n_query, false), *rotation = sphere_rotations(s->rows);
    int32_t *out = zeroed(s->rows * n_query, sizeof *out);
    nep_sphere_place place = {0};
    nep_status st = nep_backend_sphere(ctx, point, n, s->cols % 2 ? other : point, n_query, &place);
    if (st == NEP_OK)
        st = nep_backend_spin_nearest(ctx, &place, rotation, s->rows, out);
    for (int64_t i = 0; st == NEP_OK && i < s->rows * n_query; i++)
        push(r, out[i], 0, INTEGER);
    nep_backend_sphere_free(&place);
    free(point);
    free(other);
    free(rotation);
    free(out);
    return st;
}

static nep_status run_spin_greedy(nep_ctx *ctx, const shape *s, result *r)
{
    const int64_t n = s->cols > 2000 ? 300 : s->cols > 130 ? 130 : s->cols, n_rotations = s->rows > 5 ? 5 : s->rows;
    double *point = sphere_points(X, n, s->missing), *rotation = sphere_rotations(n_rotations);
    int32_t *out = zeroed(n_rotations * n, sizeof *out);
    const nep_status st = nep_backend_spin_greedy(ctx, point, n, rotation, n_rotations, out);
    for (int64_t i = 0; st == NEP_OK && i < n_rotations * n; i++)
        push(r, out[i], 0, INTEGER);
    free(point);
    free(rotation);
    free(out);
    return st;
}

#endif
