/* SPDX-License-Identifier: Apache-2.0 */
/* spheres - points of the unit sphere with doubles and equals, and rotations that keep equals equal. */
#ifndef NEP_TESTS_BACKEND_SPHERES_H
#define NEP_TESTS_BACKEND_SPHERES_H

#include <nepenthe/math/philox.h>

#include "support.h"

/* n points [n, 3]: scattered ones, and among them those with coordinates of 0, 0.6, 0.8 and 1, which meet again and again. With `loose` lengths
 * are off by up to 1 %. */
static inline double *sphere_points(uint64_t stream, int64_t n, bool loose)
{
    static const double few[4][3] = {{1, 0, 0}, {0.6, 0.8, 0}, {0, -0.6, 0.8}, {-0.8, 0, 0.6}};
    double *p = calloc((size_t)(3 * n + 1), sizeof *p);
    for (int64_t i = 0; i < n; i++) {
        double *at = p + 3 * i;
        for (int k = 0; k < 3; k++)
            at[k] = nep_philox_normal(99, stream, (uint64_t)(3 * i + k));
        const double length = sqrt(at[0] * at[0] + at[1] * at[1] + at[2] * at[2]), size = loose ? 1.0 + 0.005 * (double)(i % 5 - 2) : 1.0;
        for (int k = 0; k < 3; k++)
            at[k] = i % 3 == 1 ? (i % 2 ? -1 : 1) * few[i % 4][(k + i / 5) % 3] : at[k] / length * size;
    }
    return p;
}

/* n rotations [n, 3, 3]: every second carries the axes onto themselves, the others are from a random quaternion. */
static inline double *sphere_rotations(int64_t n)
{
    double *r = calloc((size_t)(9 * n + 1), sizeof *r);
    for (int64_t b = 0; b < n; b++) {
        double *m = r + 9 * b, u[4], squares = 0;
        for (int k = 0; k < 4; k++) {
            u[k] = nep_philox_normal(99, 2, (uint64_t)(4 * b + k));
            squares += u[k] * u[k];
        }
        for (int k = 0; k < 4; k++)
            u[k] /= sqrt(squares);
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                const int o = 3 - i - j; /* the third axis */
                m[3 * i + j] = i == j ? 1 - 2 * (u[1 + (i + 1) % 3] * u[1 + (i + 1) % 3] + u[1 + (i + 2) % 3] * u[1 + (i + 2) % 3])
                                      : 2 * (u[1 + i] * u[1 + j] + ((j - i + 3) % 3 == 1 ? -1 : 1) * u[0] * u[1 + o]);
                if (b % 2 == 0)
                    m[3 * i + j] = j == (i + b / 2) % 3;
            }
    }
    return r;
}

#endif
