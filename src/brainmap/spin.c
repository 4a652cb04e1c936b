/* SPDX-License-Identifier: Apache-2.0 */
/* spin - random rotations of the cortical sphere and three ways to give each region the value of a rotated
 * one. */
#include "nulls.h"

#include <math.h>
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

/* Vasa: the region farthest from its nearest rotated one chooses first; both leave. near [m] and taken, done
 * [m]. */
static void assign_greedy(const double *cost, int64_t m, double *near, double *taken, double *done,
                          int32_t *to)
{
    for (int64_t i = 0; i < m; i++)
        near[i] = taken[i] = done[i] = -1.0;
    for (int64_t step = 0; step < m; step++) {
        int64_t row = -1;
        for (int64_t i = 0; i < m; i++) {
            if (done[i] > 0.0)
                continue;
            if (near[i] < 0.0 || taken[(int64_t)near[i]] > 0.0) { /* its nearest has gone: look again */
                int64_t best = -1;
                for (int64_t j = 0; j < m; j++)
                    if (taken[j] < 0.0 && (best < 0 || cost[i * m + j] < cost[i * m + best]))
                        best = j;
                near[i] = (double)best;
            }
            if (row < 0 || cost[i * m + (int64_t)near[i]] > cost[row * m + (int64_t)near[row]])
                row = i;
        }
        to[row] = (int32_t)near[row];
        done[row] = 1.0;
        taken[to[row]] = 1.0;
    }
}

static void assign_least(const double *cost, int64_t m, double *work, int32_t *to, int32_t *row)
{
    nep_assignment_solve(cost, m, work, row);
    for (int64_t j = 0; j < m; j++)
        to[row[j]] = (int32_t)j;
}

static void turn(const nep_nulls *nulls, char hemisphere, double rotation[3][3], double *cost, double *work,
                 int32_t *index)
{
    const int64_t n = nulls->n;
    int32_t *member = (int32_t *)(work + 6 * (n + 1)); /* [n] of the two scratch columns left */
    int32_t *to = member + n;
    int64_t m = 0;
    if (nulls->kind == NEP_NULLS_SPIN_NEAREST) {
        nep_nearest_indices(nulls, hemisphere, rotation, index);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        if (nulls->hemisphere[i] == hemisphere)
            member[m++] = (int32_t)i;
    for (int64_t j = 0; j < m; j++) {
        const double *s = nulls->sphere[member[j]];
        double r[3];
        for (int k = 0; k < 3; k++)
            r[k] = rotation[k][0] * s[0] + rotation[k][1] * s[1] + rotation[k][2] * s[2];
        for (int64_t i = 0; i < m; i++) {
            const double *c = nulls->sphere[member[i]];
            const double x = c[0] - r[0], y = c[1] - r[1], z = c[2] - r[2];
            cost[i * m + j] = sqrt(x * x + y * y + z * z);
        }
    }
    if (nulls->kind == NEP_NULLS_SPIN)
        assign_greedy(cost, m, work, work + n, work + 2 * n, to);
    else
        assign_least(cost, m, work, to, to + n);
    for (int64_t i = 0; i < m; i++)
        index[member[i]] = member[to[i]];
}

void nep_spin_indices(const nep_nulls *nulls, uint64_t stream, int64_t b, double *cost, double *work,
                      int32_t *index)
{
    double left[3][3], right[3][3];
    nep_spin_rotation(nulls->seed, stream, b, left, right);
    turn(nulls, 'L', left, cost, work, index);
    turn(nulls, 'R', right, cost, work, index);
}
