/* SPDX-License-Identifier: Apache-2.0 */
/* surface - spins of the vertices below regions: how many vertices of each region receive each region's label.
 *
 * Baum takes the label that most vertices receive, Cornblath the mean of what all receive. Both come from the one
 * table of counts. */
#include "nulls.h"

#include <string.h>

struct nulls_sheet {
    int64_t n;
    double (*vertex)[3]; /* [n] */
    int32_t *parcel;     /* [n] region used, -1 = none or a region left out */
    nulls_grid *grid;
};

void nep_surface_release(nulls_sheet *s)
{
    if (!s)
        return;
    nep_alloc_free(s->vertex);
    nep_alloc_free(s->parcel);
    nep_nearest_free(s->grid);
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
    int32_t *number = NULL;
    int64_t hint = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *s, "surface", &s));
    for (int64_t v = 0; v < surface->n; v++)
        s->n += surface->hemisphere[v] == hemisphere;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *s->vertex, "surface: vertices", &s->vertex));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *s->parcel, "surface: labels", &s->parcel));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *number, "surface: numbers", &number));
    for (int64_t v = 0, i = 0; v < surface->n; v++) {
        if (surface->hemisphere[v] != hemisphere)
            continue;
        const int32_t r = find_region(names, nulls->n, surface->parcel[v], hint);
        NEP_REQUIRE_OR_DONE(st, ctx, r < 0 || nulls->hemisphere[r] == hemisphere, NEP_E_ARG,
                            "surface: vertex %lld lies in hemisphere %c and its region '%s' in the other: correct the table",
                            (long long)v + 1, hemisphere, surface->parcel[v]);
        memcpy(s->vertex[i], surface->sphere[v], sizeof s->vertex[i]);
        s->parcel[i] = r;
        number[i] = (int32_t)i;
        i++;
        if (r >= 0) {
            vertices_of[r]++;
            hint = r;
        }
    }
    NEP_TRY_OR_DONE(st, nep_nearest_create(ctx, (const double(*)[3])s->vertex, number, s->n, &s->grid));
    *out = s;
    s = NULL;
done:
    nep_alloc_free(number);
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

void nep_surface_counts(const nep_nulls *nulls, double left[3][3], double right[3][3], int32_t *counts)
{
    memset(counts, 0, (size_t)(nulls->n * nulls->n) * sizeof *counts);
    for (int h = 0; h < 2; h++) {
        const nulls_sheet *s = nulls->sheet[h];
        double(*turn)[3] = h ? right : left;
        for (int64_t v = 0; v < s->n; v++) {
            const double *c = s->vertex[v];
            double back[3]; /* the nearest turned vertex to c is the nearest vertex to c turned back */
            if (s->parcel[v] < 0)
                continue;
            for (int k = 0; k < 3; k++)
                back[k] = turn[0][k] * c[0] + turn[1][k] * c[1] + turn[2][k] * c[2];
            const int32_t from = s->parcel[nep_nearest_find(s->grid, back)];
            if (from >= 0)
                counts[s->parcel[v] * nulls->n + from]++;
        }
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
