/* SPDX-License-Identifier: Apache-2.0 */
/* spin - random rotations of the cortical sphere and three ways to give each region the value of a rotated
 * one: the nearest and the greedy (Vasa) on the context's backend, the least sum on the host. */
#include "nulls.h"

#include <omp.h>
#include <string.h>

#include <nepenthe/math/philox.h>

/* Gram-Schmidt on a 3 x 3 Gaussian: Q with a positive diagonal of R is uniform over O(3); a column's sign
 * makes it SO(3). */
void nep_spin_rotation(uint64_t seed, uint64_t stream, int64_t b, double left[3][3], double right[3][3])
{
    double q[3][3]; /* q[c] is column c */
    for (int c = 0; c < 3; c++) {
        for (int r = 0; r < 3; r++)
            q[c][r] = nep_philox_gauss(seed, stream, nulls_index(b, c * 3 + r));
        for (int pass = 0; pass < 2; pass++) /* twice is enough */
            for (int o = 0; o < c; o++) {
                const double dot = q[c][0] * q[o][0] + q[c][1] * q[o][1] + q[c][2] * q[o][2];
                for (int r = 0; r < 3; r++)
                    q[c][r] -= dot * q[o][r];
            }
        const double norm = sqrt(q[c][0] * q[c][0] + q[c][1] * q[c][1] + q[c][2] * q[c][2]);
        for (int r = 0; r < 3; r++)
            q[c][r] /= norm;
    }
    const double det = q[0][0] * (q[1][1] * q[2][2] - q[2][1] * q[1][2]) -
                       q[1][0] * (q[0][1] * q[2][2] - q[2][1] * q[0][2]) +
                       q[2][0] * (q[0][1] * q[1][2] - q[1][1] * q[0][2]);
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 3; c++) {
            left[r][c] = c == 0 && det < 0.0 ? -q[c][r] : q[c][r];
            right[r][c] = (r == 0) != (c == 0) ? -left[r][c] : left[r][c]; /* M R M, M = diag(-1, 1, 1) */
        }
}

/* ---- regions of both hemispheres --------------------------------------------------------------------------------- */
struct nulls_sides {
    int64_t n[2];              /* left and right */
    int32_t *member;           /* [n[0] + n[1]] numbers of regions, left then right */
    double (*point)[3];        /* [n[0] + n[1]] */
    nep_sphere_place place[2]; /* of spins to the nearest */
};

void nep_spin_release(nulls_sides *s)
{
    if (!s)
        return;
    nep_backend_sphere_free(&s->place[1]);
    nep_backend_sphere_free(&s->place[0]);
    nep_alloc_free(s->point);
    nep_alloc_free(s->member);
    nep_alloc_free(s);
}

nep_status nep_spin_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names)
{
    nulls_sides *s = NULL;
    nep_status st;
    (void)names;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *s, "spin", &s));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nulls->n, sizeof *s->member, "spin: regions", &s->member));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nulls->n, sizeof *s->point, "spin: places of regions", &s->point));
    for (int64_t h = 0, at = 0; h < 2; h++) {
        const int64_t first = at;
        for (int64_t i = 0; i < nulls->n; i++)
            if (nulls->hemisphere[i] == "LR"[h]) {
                memcpy(s->point[at], nulls->sphere[i], sizeof s->point[at]);
                s->member[at++] = (int32_t)i;
            }
        s->n[h] = at - first;
        if (nulls->kind == NEP_NULLS_SPIN_NEAREST)
            NEP_TRY_OR_DONE(st, nep_backend_sphere(ctx, s->point[first], s->n[h], s->point[first], s->n[h], &s->place[h]));
    }
    nulls->sides = s;
    s = NULL;
done:
    nep_spin_release(s);
    return st;
}

/* ---- who takes whose value --------------------------------------------------------------------------------------- */
/* Least total distance, on the host whatever the backend: one assignment is a chain of augmenting paths, each a search that settles one column
 * after another and starts from the prices that the last one left. A search has but a comparison per column to share out between two steps, for
 * some hundred columns: too little for a block, whose threads would wait at n^2 barriers. Rotations go to threads instead. */
static nep_status least_total(nep_ctx *ctx, const double (*point)[3], int64_t m, const double *rotation, int64_t count, int32_t *to)
{
    const int threads = nep_ctx_threads(ctx);
    const int64_t own = m * m + 9 * (m + 1) + 3 * m;
    double *scratch = NULL;
    NEP_TRY(nep_alloc(ctx, own * threads, sizeof *scratch, "spin: distances of an assignment", &scratch));
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t b = 0; b < count; b++) {
        double *cost = scratch + own * omp_get_thread_num(), *turned = cost + m * m, *work = turned + 3 * m;
        int32_t *row = (int32_t *)(void *)(work + 8 * (m + 1));
        for (int64_t j = 0; j < m; j++)
            nep_sphere_turn(rotation + 9 * b, point[j], turned + 3 * j);
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < m; j++)
                cost[i * m + j] = sqrt(nep_sphere_square(point[i], turned + 3 * j));
        nep_assignment_solve(cost, m, work, row);
        for (int64_t j = 0; j < m; j++)
            to[b * m + row[j]] = (int32_t)j;
    }
    nep_alloc_free(scratch);
    return NEP_OK;
}

nep_status nep_spin_indices(nep_ctx *ctx, const nep_nulls *nulls, const double *const rotation[2], int64_t count, int32_t *index)
{
    const nulls_sides *s = nulls->sides;
    const int64_t n = nulls->n;
    int32_t *to = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count * n, sizeof *to, "spin: assignments", &to));
    for (int64_t h = 0, first = 0; h < 2; first += s->n[h++]) {
        const int64_t m = s->n[h];
        const int32_t *member = s->member + first;
        const double(*point)[3] = (const double(*)[3])s->point + first;
        if (m == 0)
            continue;
        if (nulls->kind == NEP_NULLS_SPIN_NEAREST)
            NEP_TRY_OR_DONE(st, nep_backend_spin_nearest(ctx, &s->place[h], rotation[h], count, to));
        else if (nulls->kind == NEP_NULLS_SPIN)
            NEP_TRY_OR_DONE(st, nep_backend_spin_greedy(ctx, point[0], m, rotation[h], count, to));
        else
            NEP_TRY_OR_DONE(st, least_total(ctx, point, m, rotation[h], count, to));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
        for (int64_t b = 0; b < count; b++)
            for (int64_t i = 0; i < m; i++)
                index[b * n + member[i]] = member[to[b * m + i]];
    }
done:
    nep_alloc_free(to);
    return st;
}
