/* SPDX-License-Identifier: Apache-2.0 */
/* door_spin - front doors of the ops on turned spheres: points are sorted into cubes and placed once, rotations at each call, in tiles. */
#include "backend/place.h"

#include <limits.h>
#include <string.h>

static nep_status check_points(nep_ctx *ctx, const char *op, const double *point, int64_t n)
{
    NEP_REQUIRE(ctx, n >= 0 && n <= INT_MAX && (n == 0 || point), NEP_E_ARG, "%s: %lld points, must be 0 to %d and given", op, (long long)n,
                INT_MAX);
    for (int64_t i = 0; i < 3 * n; i++)
        NEP_REQUIRE(ctx, fabs(point[i]) <= NEP_SPHERE_MARGIN, NEP_E_ARG,
                    "%s: point %lld has a coordinate of %g: points of the unit sphere are needed, divide by its radius", op, (long long)(i / 3),
                    point[i]);
    return NEP_OK;
}

static nep_status check_rotations(nep_ctx *ctx, const char *op, const double *rotation, int64_t n)
{
    NEP_TRY(nep_ctx_check(ctx));
    NEP_REQUIRE(ctx, n >= 0 && (n == 0 || rotation), NEP_E_ARG, "%s: %lld rotations, must be 0 or more and given", op, (long long)n);
    for (int64_t i = 0; i < 9 * n; i++)
        NEP_REQUIRE(ctx, fabs(rotation[i]) <= 1.01, NEP_E_ARG, "%s: rotation %lld has an entry of %g: that is no rotation", op,
                    (long long)(i / 9), rotation[i]);
    return NEP_OK;
}

/* ---- points sorted into cubes ------------------------------------------------------------------------------------ */
/* About one cube per point of an even sphere. */
static void choose_cubes(nep_sphere *s)
{
    const double width = 2.0 * NEP_SPHERE_MARGIN, spacing = sqrt(4.0 * 3.141592653589793 / (double)(s->n > 0 ? s->n : 1));
    const double side = ceil(width / spacing);
    s->side = side < 1.0 ? 1 : side > NEP_SPHERE_SIDE ? NEP_SPHERE_SIDE : (int32_t)side;
    s->edge = width / s->side;
    s->cubes_per_unit = s->side / width;
}

/* start [side^3 + 1] of n points; order[k] is the number of the k-th point, by number within a cube. */
static void sort_points(const nep_sphere *s, const double *point, int64_t n, int32_t *start, int32_t *order)
{
    const int64_t cubes = (int64_t)s->side * s->side * s->side;
    memset(start, 0, (size_t)(cubes + 1) * sizeof *start);
    for (int64_t i = 0; i < n; i++)
        start[nep_sphere_cube(s, point + 3 * i)]++;
    for (int64_t c = 1; c <= cubes; c++)
        start[c] += start[c - 1]; /* now the end of each cube; filling it from there brings it to its start */
    for (int64_t i = n - 1; i >= 0; i--)
        order[--start[nep_sphere_cube(s, point + 3 * i)]] = (int32_t)i;
}

static nep_status put_points(nep_ctx *ctx, const double *point, const int32_t *order, int64_t n, const char *what, double *sorted,
                             nep_buf *place, nep_buf *name)
{
    for (int64_t k = 0; k < n; k++)
        memcpy(sorted + 3 * k, point + 3 * (int64_t)order[k], 3 * sizeof *sorted);
    NEP_TRY(nep_buf_put(ctx, sorted, NEP_F64, 3 * n, what, place));
    return nep_buf_put(ctx, order, NEP_I32, n, what, name);
}

void nep_backend_sphere_free(nep_sphere_place *p)
{
    nep_buf_free(&p->column);
    nep_buf_free(&p->query);
    nep_buf_free(&p->start);
    nep_buf_free(&p->name);
    nep_buf_free(&p->point);
    *p = (nep_sphere_place){0};
}

nep_status nep_backend_sphere(nep_ctx *ctx, const double *point, int64_t n, const double *query, int64_t n_query, nep_sphere_place *out)
{
    nep_sphere_place p = {.at = {.n = n, .n_query = n_query}};
    const int64_t most = n > n_query ? n : n_query;
    double *sorted = NULL;
    int32_t *start = NULL, *order = NULL;
    nep_status st;
    NEP_TRY(check_points(ctx, "spin_nearest", point, n));
    NEP_TRY(check_points(ctx, "spin_nearest: queries", query, n_query));
    choose_cubes(&p.at);
    const int64_t cubes = (int64_t)p.at.side * p.at.side * p.at.side;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 3 * most, sizeof *sorted, "spin_nearest: points", &sorted));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, most, sizeof *order, "spin_nearest: order of points", &order));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, cubes + 1, sizeof *start, "spin_nearest: cubes", &start));
    sort_points(&p.at, query, n_query, start, order);
    NEP_TRY_OR_DONE(st, put_points(ctx, query, order, n_query, "queries of a sphere", sorted, &p.query, &p.column));
    sort_points(&p.at, point, n, start, order);
    NEP_TRY_OR_DONE(st, put_points(ctx, point, order, n, "points of a sphere", sorted, &p.point, &p.name));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, start, NEP_I32, cubes + 1, "cubes of a sphere", &p.start));
    p.at.point = p.point.ptr;
    p.at.name = p.name.ptr;
    p.at.start = p.start.ptr;
    p.at.query = p.query.ptr;
    p.at.column = p.column.ptr;
    *out = p;
    p = (nep_sphere_place){0};
done:
    nep_backend_sphere_free(&p);
    nep_alloc_free(start);
    nep_alloc_free(order);
    nep_alloc_free(sorted);
    return st;
}

/* ---- rotations in tiles ------------------------------------------------------------------------------------------ */
nep_status nep_backend_spin_nearest(nep_ctx *ctx, const nep_sphere_place *sphere, const double *rotation, int64_t n_rotations, int32_t *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.spin_nearest, NEP_E_NOTSUP, "spin_nearest: no %s version", be->name);
    NEP_REQUIRE(ctx, sphere && sphere->start.be == be, NEP_E_ARG, "spin_nearest: the points were placed on %s and the work is to be done on %s",
                sphere && sphere->start.be ? sphere->start.be->name : "no backend", be->name);
    NEP_TRY(check_rotations(ctx, "spin_nearest", rotation, n_rotations));
    const int64_t row = sphere->at.n_query;
    if (n_rotations == 0 || row == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, out, NEP_E_ARG, "spin_nearest: an array is missing");
    if (be->host)
        return be->ops.spin_nearest(ctx, NULL, &sphere->at, rotation, n_rotations, out);
    const int64_t tile = nep_place_tile(be, n_rotations, row * (int64_t)sizeof *out);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, rotation, NEP_F64, 9 * n_rotations, "rotations", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, tile * row, "nearest points", &p.b[1]));
    for (int64_t b = 0; b < n_rotations; b += tile) {
        const int64_t some = n_rotations - b < tile ? n_rotations - b : tile;
        const double *turn = p.b[0].ptr;
        NEP_TRY_OR_DONE(st, be->ops.spin_nearest(ctx, be->queue(ctx), &sphere->at, turn + 9 * b, some, p.b[1].ptr));
        NEP_TRY_OR_DONE(st, be->download(ctx, out + b * row, p.b[1].ptr, (size_t)(some * row) * sizeof *out));
    }
done:
    nep_place_free(&p);
    return st;
}

nep_status nep_backend_spin_greedy(nep_ctx *ctx, const double *point, int64_t n, const double *rotation, int64_t n_rotations, int32_t *out)
{
    const nep_backend *be = nep_place_backend(ctx);
    nep_place p = {0};
    nep_status st;
    NEP_REQUIRE(ctx, be->ops.spin_greedy, NEP_E_NOTSUP, "spin_greedy: no %s version", be->name);
    NEP_TRY(check_points(ctx, "spin_greedy", point, n));
    NEP_TRY(check_rotations(ctx, "spin_greedy", rotation, n_rotations));
    if (n_rotations == 0 || n == 0)
        return NEP_OK;
    NEP_REQUIRE(ctx, out, NEP_E_ARG, "spin_greedy: an array is missing");
    if (be->host)
        return be->ops.spin_greedy(ctx, NULL, point, n, rotation, n_rotations, out);
    const int64_t tile = nep_place_tile(be, n_rotations, n * (int64_t)sizeof *out);
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, point, NEP_F64, 3 * n, "points of a sphere", &p.b[0]));
    NEP_TRY_OR_DONE(st, nep_buf_put(ctx, rotation, NEP_F64, 9 * n_rotations, "rotations", &p.b[1]));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_I32, tile * n, "assignments", &p.b[2]));
    for (int64_t b = 0; b < n_rotations; b += tile) {
        const int64_t some = n_rotations - b < tile ? n_rotations - b : tile;
        const double *turn = p.b[1].ptr;
        NEP_TRY_OR_DONE(st, be->ops.spin_greedy(ctx, be->queue(ctx), p.b[0].ptr, n, turn + 9 * b, some, p.b[2].ptr));
        NEP_TRY_OR_DONE(st, be->download(ctx, out + b * n, p.b[2].ptr, (size_t)(some * n) * sizeof *out));
    }
done:
    nep_place_free(&p);
    return st;
}
