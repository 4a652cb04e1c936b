/* SPDX-License-Identifier: Apache-2.0 */
/* field - a made-up brain for the tests: mirrored hemispheres on a sphere of 70 mm, and some regions inside.
 */
#ifndef NEP_TESTS_FIELD_H
#define NEP_TESTS_FIELD_H

#include <nepenthe/brainmap.h>

#include "support.h"

/* n_side regions per hemisphere of the cortex, then n_inner others per side. */
static inline nep_geometry field_geometry(nep_ctx *ctx, int n_side, int n_inner)
{
    nep_geometry g = {.n_regions = 2 * (n_side + n_inner)};
    const int64_t n = g.n_regions;
    if (nep_alloc(ctx, n, sizeof *g.names, "t", &g.names) || nep_alloc(ctx, n, 1, "t", &g.hemisphere) ||
        nep_alloc(ctx, n, sizeof *g.cortex, "t", &g.cortex) || nep_alloc(ctx, n, sizeof *g.mm, "t", &g.mm) ||
        nep_alloc(ctx, n, sizeof *g.sphere, "t", &g.sphere))
        abort();
    for (int i = 0; i < n_side + n_inner; i++)
        for (int side = 0; side < 2; side++) {
            const int r = (i < n_side ? side * n_side : 2 * n_side + side * n_inner - n_side) + i;
            const double height = 1.0 - 2.0 * ((double)i + 0.5) / n_side,
                         turn = 2.399963229728653 * i; /* spiral */
            const double flat = sqrt(fmax(0.0, 1.0 - height * height));
            double s[3] = {flat * cos(turn), flat * sin(turn), height};
            char name[32];
            snprintf(name, sizeof name, "%c_%s%02d", side ? 'R' : 'L', i < n_side ? "area" : "nucleus", i);
            if (nep_alloc_string(ctx, name, &g.names[r]))
                abort();
            g.hemisphere[r] = side ? 'R' : 'L';
            g.cortex[r] = i < n_side;
            if (side)
                s[0] = -s[0];
            for (int k = 0; k < 3; k++) {
                g.sphere[r][k] = i < n_side ? s[k] : (double)NAN;
                g.mm[r][k] = i < n_side ? 70.0 * s[k] : 0.0;
            }
            g.mm[r][0] = i < n_side ? (side ? 35.0 : -35.0) + 30.0 * s[0] : (side ? 10.0 + i : -10.0 - i);
            if (i >= n_side)
                g.mm[r][1] = 4.0 * (i - n_side);
        }
    return g;
}

/* n_side vertices per hemisphere, each with the nearest cortical region; those near the side's inner pole have none. */
static inline nep_surface field_surface(nep_ctx *ctx, const nep_geometry *g, int n_side)
{
    nep_surface s = {.n = 2 * n_side};
    if (nep_alloc(ctx, s.n, 1, "t", &s.hemisphere) || nep_alloc(ctx, s.n, sizeof *s.sphere, "t", &s.sphere) ||
        nep_alloc(ctx, s.n, sizeof *s.parcel, "t", &s.parcel))
        abort();
    for (int v = 0; v < 2 * n_side; v++) {
        const double height = 1.0 - 2.0 * ((double)(v % n_side) + 0.5) / n_side, flat = sqrt(1.0 - height * height);
        const double side = v < n_side ? 1.0 : -1.0;
        double *c = s.sphere[v], near = (double)INFINITY;
        const char *name = NULL;
        s.hemisphere[v] = v < n_side ? 'L' : 'R';
        c[0] = side * flat * cos(1.3 + 2.399963229728653 * v);
        c[1] = flat * sin(1.3 + 2.399963229728653 * v);
        c[2] = height;
        if (side * c[0] > 0.97)
            continue;
        for (int64_t r = 0; r < g->n_regions; r++) {
            const double x = g->sphere[r][0] - c[0], y = g->sphere[r][1] - c[1], z = g->sphere[r][2] - c[2];
            if (g->hemisphere[r] == s.hemisphere[v] && x * x + y * y + z * z < near) {
                near = x * x + y * y + z * z;
                name = g->names[r];
            }
        }
        if (name && nep_alloc_string(ctx, name, &s.parcel[v]))
            abort();
    }
    return s;
}

/* A smooth map with a little noise, from the coordinates. */
static inline void field_map(const nep_geometry *g, uint64_t stream, double *map)
{
    const double k[3] = {nep_philox_normal(9, stream, 1), nep_philox_normal(9, stream, 2),
                         nep_philox_normal(9, stream, 3)};
    for (int64_t i = 0; i < g->n_regions; i++)
        map[i] = sin((k[0] * fabs(g->mm[i][0]) + k[1] * g->mm[i][1] + k[2] * g->mm[i][2]) / 60.0) +
                 0.3 * nep_philox_normal(9, stream, (uint64_t)(100 + i));
}

#endif
