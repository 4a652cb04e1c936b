/* SPDX-License-Identifier: Apache-2.0 */
/* surface - spins of the vertices below regions: how many vertices of each region receive each region's label.
 *
 * Baum takes the label that most vertices receive, Cornblath the mean of what all receive. Both come from the one
 * table of counts. */
#include "nulls.h"

#include <string.h>

struct nulls_sheet {
    int64_t n, n_own;
    int32_t *parcel; /* [n] region used, -1 = none or a region left out */
    int32_t *own;    /* [n_own] the region of each vertex that has one */
    nep_sphere_place place;
};

void nep_surface_release(nulls_sheet *s)
{
    if (!s)
        return;
    nep_alloc_free(s->parcel);
    nep_alloc_free(s->own);
    nep_backend_sphere_free(&s->place);
    nep_alloc_free(s);
}

static int32_t find_region(const char *const *names, int64_t n, const char *parcel, int64_t hint)
{
    if (!parcel)
        return -1;
    for (int64_t k = 0; k < n; k++) /* vertices of one region often stand together */
        if (strcmp(names[(hint + k) % n], parcel) == 0)
            return (int32_t)((hint + k) % n);
    return -1;
}

static nep_status make_sheet(nep_ctx *ctx, const nep_nulls *nulls, const nep_surface *surface, char hemisphere,
                             const char *const *names, int64_t *vertices_of, nulls_sheet **out)
{
    nulls_sheet *s = NULL;
    double(*vertex)[3] = NULL, (*asks)[3] = NULL; /* all vertices, and those of regions */
    int64_t hint = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *s, "surface", &s));
    for (int64_t v = 0; v < surface->n; v++)
        s->n += surface->hemisphere[v] == hemisphere;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *vertex, "surface: vertices", &vertex));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *asks, "surface: vertices of regions", &asks));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *s->parcel, "surface: labels", &s->parcel));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *s->own, "surface: labels of vertices of regions", &s->own));
    for (int64_t v = 0, i = 0; v < surface->n; v++) {
        if (surface->hemisphere[v] != hemisphere)
            continue;
        const int32_t r = find_region(names, nulls->n, surface->parcel[v], hint);
        NEP_REQUIRE_OR_DONE(st, ctx, r < 0 || nulls->hemisphere[r] == hemisphere, NEP_E_ARG,
                            "surface: vertex %lld lies in hemisphere %c and its region '%s' in the other: correct the table",
                            (long long)v + 1, hemisphere, surface->parcel[v]);
        memcpy(vertex[i], surface->sphere[v], sizeof vertex[i]);
        s->parcel[i++] = r;
        if (r >= 0) {
            memcpy(asks[s->n_own], surface->sphere[v], sizeof asks[s->n_own]);
            s->own[s->n_own++] = r;
            vertices_of[r]++;
            hint = r;
        }
    }
    NEP_TRY_OR_DONE(st, nep_backend_sphere(ctx, &vertex[0][0], s->n, &asks[0][0], s->n_own, &s->place));
    *out = s;
    s = NULL;
done:
    nep_alloc_free(asks);
    nep_alloc_free(vertex);
    nep_surface_release(s);
    return st;
}

nep_status nep_surface_prepare(nep_ctx *ctx, nep_nulls *nulls, const nep_surface *surface, const char *const *names)
{
    int64_t *vertices_of = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nulls->n, sizeof *vertices_of, "surface: vertices of regions", &vertices_of));
    for (int h = 0; h < 2; h++)
        NEP_TRY_OR_DONE(st, make_sheet(ctx, nulls, surface, "LR"[h], names, vertices_of, &nulls->sheet[h]));
    for (int64_t i = 0; i < nulls->n; i++)
        NEP_REQUIRE_OR_DONE(st, ctx, vertices_of[i] > 0, NEP_E_ARG,
                            "surface: no vertex belongs to region '%s': names must be those of the geometry, or leave the "
                            "region out",
                            names[i]);
done:
    nep_alloc_free(vertices_of);
    return st;
}

int64_t nep_surface_vertices(const nep_nulls *nulls)
{
    return nulls->sheet[0]->n_own + nulls->sheet[1]->n_own;
}

nep_status nep_surface_receive(nep_ctx *ctx, const nep_nulls *nulls, const double *const rotation[2], int64_t count, int32_t *received)
{
    const int64_t width = nep_surface_vertices(nulls);
    int32_t *nearest = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count * width, sizeof *nearest, "surface: nearest vertices", &nearest));
    for (int h = 0; h < 2; h++) {
        const nulls_sheet *s = nulls->sheet[h];
        int32_t *to = received + (h ? nulls->sheet[0]->n_own : 0);
        NEP_TRY_OR_DONE(st, nep_backend_spin_nearest(ctx, &s->place, rotation[h], count, nearest));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
        for (int64_t b = 0; b < count; b++)
            for (int64_t v = 0; v < s->n_own; v++)
                to[b * width + v] = s->parcel[nearest[b * s->n_own + v]];
    }
done:
    nep_alloc_free(nearest);
    return st;
}

void nep_surface_counts(const nep_nulls *nulls, const int32_t *received, int32_t *counts)
{
    memset(counts, 0, (size_t)(nulls->n * nulls->n) * sizeof *counts);
    for (int h = 0; h < 2; h++) {
        const nulls_sheet *s = nulls->sheet[h];
        for (int64_t v = 0; v < s->n_own; v++)
            if (received[v] >= 0)
                counts[s->own[v] * nulls->n + received[v]]++;
        received += s->n_own;
    }
}

void nep_surface_modes(const nep_nulls *nulls, const int32_t *counts, int32_t *index)
{
    for (int64_t i = 0; i < nulls->n; i++) {
        const int32_t *row = counts + i * nulls->n;
        index[i] = -1;
        for (int64_t j = 0; j < nulls->n; j++)
            if (row[j] > (index[i] < 0 ? 0 : row[index[i]]))
                index[i] = (int32_t)j;
    }
}

void nep_surface_means(const nep_nulls *nulls, const int32_t *counts, const double *map, double *out)
{
    for (int64_t i = 0; i < nulls->n; i++) {
        const int32_t *row = counts + i * nulls->n;
        double sum = 0.0, count = 0.0;
        for (int64_t j = 0; j < nulls->n; j++)
            if (row[j] && isfinite(map[j])) {
                sum += row[j] * map[j];
                count += row[j];
            }
        out[i] = count > 0.0 ? sum / count : (double)NAN;
    }
}
