/* SPDX-License-Identifier: Apache-2.0 */
/* cases_near - the nearest of a reference to each query, and subjects against those of other groups. */
#include <nepenthe/cases.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/math/lanes.h>

#include "similarity/cases_parts.h"

void nep_cases_near_free(nep_cases_near *near)
{
    nep_alloc_free(near->start);
    nep_alloc_free(near->row);
    nep_alloc_free(near->distance);
    *near = (nep_cases_near){0};
}

void nep_cases_spread_free(nep_cases_spread *s)
{
    nep_alloc_free(s->distance);
    *s = (nep_cases_spread){0};
}

double nep_cases_quantile(const nep_cases_spread *s, double distance)
{
    const double bound = distance * (1 + 1e-10);
    int64_t low = 0, high = s->n; /* the first that is larger */
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (s->distance[middle] <= bound)
            low = middle + 1;
        else
            high = middle;
    }
    return s->n > 0 ? (double)low / (double)s->n : (double)NAN;
}

/* ---- choosing ---- */

typedef struct {
    double distance;
    int64_t row;
} item;

static int nearest_first(const void *a, const void *b)
{
    const item *p = a, *q = b;
    if (p->distance != q->distance)
        return p->distance < q->distance ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

nep_status nep_cases_take(nep_ctx *ctx, const double *distance, int64_t n, int64_t k, int64_t query, int64_t *room, nep_cases_near *out)
{
    item *list = NULL;
    int64_t m = 0, take, at = out->start[query];
    nep_status st;
    NEP_TRY(nep_alloc(ctx, n, sizeof *list, "nearest cases: distances", &list));
    for (int64_t j = 0; j < n; j++)
        if (!isnan(distance[j]))
            list[m++] = (item){distance[j], j};
    qsort(list, (size_t)m, sizeof *list, nearest_first);
    take = k < m ? k : m;
    while (take < m && list[take].distance == list[take - 1].distance)
        take++;
    if (at + take > *room) {
        *room = 2 * (at + take);
        NEP_TRY_OR_DONE(st, nep_alloc_grow(ctx, *room, sizeof *out->row, "nearest cases: neighbours", &out->row));
        NEP_TRY_OR_DONE(st, nep_alloc_grow(ctx, *room, sizeof *out->distance, "nearest cases: neighbours", &out->distance));
    }
    for (int64_t i = 0; i < take; i++) {
        out->row[at + i] = list[i].row;
        out->distance[at + i] = list[i].distance;
    }
    out->start[query + 1] = at + take;
    st = NEP_OK;
done:
    nep_alloc_free(list);
    return st;
}

/* ---- distances ---- */

typedef struct {
    double squares, dot, own, other; /* sums of (a - b)^2, a b, a^2, b^2 over what both have */
    int64_t have;
} sums;

/* Features that a has; b is whole. Lane sums, in chunks: the order of summands depends on p alone. */
static sums compare(const double *a, const double *b, int64_t p)
{
    sums all = {0};
    for (int64_t from = 0; from < p; from += NEP_LANES_CHUNK) {
        double squares[NEP_LANES] = {0}, dot[NEP_LANES] = {0}, own[NEP_LANES] = {0}, other[NEP_LANES] = {0};
        const int64_t to = from + NEP_LANES_CHUNK < p ? from + NEP_LANES_CHUNK : p;
        for (int64_t f = from; f < to; f++) {
            const bool has = !isnan(a[f]);
            const double u = has ? a[f] : 0, v = has ? b[f] : 0;
            const int64_t l = (f - from) % NEP_LANES;
            squares[l] += (u - v) * (u - v);
            dot[l] += u * v;
            own[l] += u * u;
            other[l] += v * v;
            all.have += has;
        }
        all.squares += nep_lanes_fold(squares);
        all.dot += nep_lanes_fold(dot);
        all.own += nep_lanes_fold(own);
        all.other += nep_lanes_fold(other);
    }
    return all;
}

double nep_cases_cosine(double dot, double own, double other)
{
    const double d = own > 0 && other > 0 ? 1 - dot / (sqrt(own) * sqrt(other)) : 1;
    return d < 0 ? 0 : d; /* rounding alone goes below */
}

static double distance_of(const double *a, const double *b, int64_t p, nep_cases_metric metric)
{
    const sums s = compare(a, b, p);
    if (metric == NEP_CASES_COSINE)
        return nep_cases_cosine(s.dot, s.own, s.other);
    return sqrt(s.squares * ((double)p / (double)s.have));
}

static nep_status check_queries(nep_ctx *ctx, const double *z, int64_t m, int64_t p)
{
    for (int64_t i = 0; i < m; i++) {
        int64_t have = 0;
        for (int64_t f = 0; f < p; f++)
            have += !isnan(z[i * p + f]);
        NEP_REQUIRE(ctx, have > 0, NEP_E_ARG, "nearest cases: query %lld has none of the features", (long long)i + 1);
    }
    return NEP_OK;
}

nep_status nep_cases_nearest(nep_ctx *ctx, const double *reference, int64_t n, const bool *use, const double *z, int64_t m, int64_t p,
                             nep_cases_metric metric, int64_t k, nep_cases_near *out)
{
    nep_cases_near near = {.n = m};
    double *distance = NULL;
    int64_t room = 0;
    nep_status st;
    NEP_REQUIRE(ctx, k >= 1 && n >= 1 && p >= 1, NEP_E_ARG, "nearest cases: needs k, a reference and a feature");
    NEP_TRY(check_queries(ctx, z, m, p));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *distance, "nearest cases: distances", &distance));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m + 1, sizeof *near.start, "nearest cases: neighbours", &near.start));
    nep_progress_open(ctx, "nearest cases", m);
    for (int64_t i = 0; i < m; i++) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
        for (int64_t j = 0; j < n; j++)
            distance[j] = use && !use[j] ? (double)NAN : distance_of(z + i * p, reference + j * p, p, metric);
        NEP_TRY_OR_DONE(st, nep_cases_take(ctx, distance, n, k, i, &room, &near));
        nep_progress_step(ctx, i + 1);
    }
    nep_progress_close(ctx);
    *out = near;
    near = (nep_cases_near){0};
done:
    nep_alloc_free(distance);
    nep_cases_near_free(&near);
    return st;
}

/* ---- groups ---- */

/* Neighbours of one group's members, put at their places in `parts`, one list per subject. */
static nep_status one_group(nep_ctx *ctx, const nep_cases_data *d, const int32_t *group, int32_t g, const bool *off,
                            nep_cases_metric metric, int64_t k, double *z, bool *use, double *own, nep_cases_near *out)
{
    nep_cases_model model = {0};
    int64_t m = 0;
    nep_status st;
    for (int64_t i = 0; i < d->n; i++)
        use[i] = group[i] != g;
    NEP_TRY_OR_DONE(st, nep_cases_fit(ctx, d, use, off, &model));
    nep_cases_apply(&model, d->x, d->confound, d->n, z);
    for (int64_t i = 0; i < d->n; i++)
        if (!use[i])
            memcpy(own + m++ * d->p, z + i * d->p, (size_t)d->p * sizeof *own);
    st = m > 0 ? nep_cases_nearest(ctx, z, d->n, use, own, m, d->p, metric, k, out) : NEP_OK;
done:
    nep_cases_model_free(&model);
    return st;
}

/* Lists by group, members in row order, become lists in row order. */
static nep_status in_order(nep_ctx *ctx, const nep_cases_near *part, const int32_t *group, int64_t n, int32_t n_groups, nep_cases_near *out)
{
    nep_cases_near near = {.n = n};
    int64_t *next = NULL, total = 0;
    nep_status st;
    for (int32_t g = 0; g < n_groups; g++)
        total += part[g].n > 0 ? part[g].start[part[g].n] : 0;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_groups, sizeof *next, "nearest cases: groups", &next));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n + 1, sizeof *near.start, "nearest cases: neighbours", &near.start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, total, sizeof *near.row, "nearest cases: neighbours", &near.row));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, total, sizeof *near.distance, "nearest cases: neighbours", &near.distance));
    for (int64_t i = 0; i < n; i++) {
        const nep_cases_near *from = &part[group[i]];
        const int64_t q = next[group[i]]++, m = from->start[q + 1] - from->start[q];
        memcpy(near.row + near.start[i], from->row + from->start[q], (size_t)m * sizeof *near.row);
        memcpy(near.distance + near.start[i], from->distance + from->start[q], (size_t)m * sizeof *near.distance);
        near.start[i + 1] = near.start[i] + m;
    }
    *out = near;
    near = (nep_cases_near){0};
done:
    nep_alloc_free(next);
    nep_cases_near_free(&near);
    return st;
}

nep_status nep_cases_leave_group_out(nep_ctx *ctx, const nep_cases_data *d, const int32_t *group, int32_t n_groups, const bool *off,
                                     nep_cases_metric metric, int64_t k, nep_cases_near *near)
{
    nep_cases_near *part = NULL;
    double *z = NULL, *own = NULL;
    bool *use = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, n_groups >= 2, NEP_E_ARG, "nearest cases: leaving a group out needs two groups");
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_groups, sizeof *part, "nearest cases: groups", &part));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n * d->p, sizeof *z, "nearest cases: scaled features", &z));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n * d->p, sizeof *own, "nearest cases: scaled features", &own));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, d->n, sizeof *use, "nearest cases: groups", &use));
    for (int32_t g = 0; g < n_groups; g++)
        NEP_TRY_OR_DONE(st, one_group(ctx, d, group, g, off, metric, k, z, use, own, &part[g]));
    st = in_order(ctx, part, group, d->n, n_groups, near);
done:
    for (int32_t g = 0; part && g < n_groups; g++)
        nep_cases_near_free(&part[g]);
    nep_alloc_free(part);
    nep_alloc_free(use);
    nep_alloc_free(own);
    nep_alloc_free(z);
    return st;
}
