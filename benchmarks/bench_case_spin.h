/* SPDX-License-Identifier: Apache-2.0 */
/* bench_case_spin - cases of the ops on turned spheres: the vertices of a hemisphere, and the regions of a fine parcellation. */
#ifndef NEP_BENCH_CASE_SPIN_H
#define NEP_BENCH_CASE_SPIN_H

#include "bench_case.h"

enum { SN = 10242, STURNS = 100, GREEDY_N = 200, GREEDY_TURNS = 1000 };

static nep_sphere spin_sphere; /* what nep_backend_sphere placed; the state holds its buffers */

/* Points of a sphere, about even. */
static nep_status spin_points(state *s, int i, int64_t n)
{
    void *p;
    NEP_TRY(input(s, i, NEP_F64, 3 * n, &p));
    double *x = p;
    for (int64_t k = 0; k < n; k++) {
        const double height = 1 - 2 * ((double)k + 0.5) / (double)n, angle = 2.399963229728653 * (double)k + cheap((uint64_t)k);
        x[3 * k] = sqrt(1 - height * height) * cos(angle);
        x[3 * k + 1] = sqrt(1 - height * height) * sin(angle);
        x[3 * k + 2] = height;
    }
    return place(s, i, NEP_F64, 3 * n);
}

/* Turns about two axes. */
static nep_status spin_rotations(state *s, int i, int64_t n)
{
    void *p;
    NEP_TRY(input(s, i, NEP_F64, 9 * n, &p));
    for (int64_t b = 0; b < n; b++) {
        const double u = 3 * cheap((uint64_t)(2 * b)), v = 3 * cheap((uint64_t)(2 * b + 1));
        const double r[9] = {cos(u), -sin(u), 0, sin(u) * cos(v), cos(u) * cos(v), -sin(v), sin(u) * sin(v), cos(u) * sin(v), cos(v)};
        memcpy((double *)p + 9 * b, r, sizeof r);
    }
    return place(s, i, NEP_F64, 9 * n);
}

static nep_status spin_nearest_make(state *s)
{
    nep_sphere_place placed;
    NEP_TRY(spin_points(s, 0, SN));
    NEP_TRY(spin_rotations(s, 1, STURNS));
    NEP_TRY(nep_backend_sphere(s->ctx, s->host[0], SN, s->host[0], SN, &placed));
    nep_buf_free(&s->b[0]); /* the sorted copy is what is read */
    spin_sphere = placed.at;
    s->b[0] = placed.point;
    s->b[2] = placed.name;
    s->b[3] = placed.start;
    s->b[4] = placed.query;
    s->b[5] = placed.column;
    return output(s, 6, NEP_I32, (int64_t)STURNS * SN);
}
static nep_status spin_nearest_run(state *s)
{
    return s->be->ops.spin_nearest(s->ctx, s->be->queue(s->ctx), &spin_sphere, s->b[1].ptr, STURNS, s->b[6].ptr);
}
static nep_status spin_nearest_check(state *s, double *worst)
{
    const double *x = s->host[0], *rotation = s->host[1];
    void *p;
    NEP_TRY(fetch(s, 6, &p));
    const int32_t *got = p;
    for (int64_t i = 0; i < (int64_t)STURNS * SN; i += SAMPLE) {
        double back[3], least = (double)INFINITY;
        int32_t want = -1;
        nep_sphere_turn_back(rotation + 9 * (i / SN), x + 3 * (i % SN), back);
        for (int64_t k = 0; k < SN; k++)
            if (nep_sphere_square(x + 3 * k, back) < least) {
                least = nep_sphere_square(x + 3 * k, back);
                want = (int32_t)k;
            }
        keep_worst(worst, got[i], want, 0.5);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

static nep_status spin_greedy_make(state *s)
{
    NEP_TRY(spin_points(s, 0, GREEDY_N));
    NEP_TRY(spin_rotations(s, 1, GREEDY_TURNS));
    return output(s, 2, NEP_I32, (int64_t)GREEDY_TURNS * GREEDY_N);
}
static nep_status spin_greedy_run(state *s)
{
    return s->be->ops.spin_greedy(s->ctx, s->be->queue(s->ctx), s->b[0].ptr, GREEDY_N, s->b[1].ptr, GREEDY_TURNS, s->b[2].ptr);
}

/* One assignment by its words. */
static void spin_greedy_want(const double *x, const double *rotation, int32_t *want)
{
    static double d[GREEDY_N][GREEDY_N];
    bool gone[GREEDY_N] = {false};
    for (int j = 0; j < GREEDY_N; j++) {
        double turned[3];
        nep_sphere_turn(rotation, x + 3 * j, turned);
        want[j] = -1;
        for (int i = 0; i < GREEDY_N; i++)
            d[i][j] = sqrt(nep_sphere_square(x + 3 * i, turned));
    }
    for (int step = 0; step < GREEDY_N; step++) {
        int row = -1, column = -1;
        for (int i = 0; i < GREEDY_N; i++) {
            int near = -1;
            for (int j = 0; j < GREEDY_N && want[i] < 0; j++)
                near = !gone[j] && (near < 0 || d[i][j] < d[i][near]) ? j : near;
            if (near >= 0 && (row < 0 || d[i][near] > d[row][column])) {
                row = i;
                column = near;
            }
        }
        want[row] = column;
        gone[column] = true;
    }
}
static nep_status spin_greedy_check(state *s, double *worst)
{
    int32_t want[GREEDY_N];
    void *p;
    NEP_TRY(fetch(s, 2, &p));
    const int32_t *got = p;
    for (int64_t b = 0; b < GREEDY_TURNS; b += 211) {
        spin_greedy_want(s->host[0], (const double *)s->host[1] + 9 * b, want);
        for (int64_t i = 0; i < GREEDY_N; i++)
            keep_worst(worst, got[b * GREEDY_N + i], want[i], 0.5);
    }
    nep_alloc_free(p);
    return NEP_OK;
}

#endif
