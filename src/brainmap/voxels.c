/* SPDX-License-Identifier: Apache-2.0 */
/* voxels - the nearest voxels of a mask by one list of offsets for all: sorted by distance, they form shells. What is outside the mask holds 0, so
 * a neighbourhood is the first so many offsets, and no list is kept for any voxel. */
#include "sampled.h"

#include <math.h>
#include <stdlib.h>

enum { SCALES = SAMPLED_SCALES, LAGS = NEP_VARIOGRAM_LAGS };

/* ---- offsets ---- */

typedef struct {
    double square; /* mm^2 */
    int64_t key;   /* the same in steps of 1e-5 of a voxel's edge, so that what is equally far counts as such */
    sampled_offset at;
} ray;

typedef struct {
    ray *ray;
    int64_t n;
    int64_t low[3], size[3]; /* bounding box of the mask */
    int64_t pad[3], dim[3];  /* lines around it, and in all */
} frame;

static int by_key(const void *x, const void *y)
{
    const ray *a = x, *b = y;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    for (int k = 2; k >= 0; k--)
        if (a->at.step[k] != b->at.step[k])
            return a->at.step[k] < b->at.step[k] ? -1 : 1;
    return 0;
}

/* Squares of lengths of steps: A'A of the affine's A. */
static void metric(const nep_grid *g, double m[3][3])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            m[i][j] = 0.0;
            for (int r = 0; r < 3; r++)
                m[i][j] += g->affine[r][i] * g->affine[r][j];
        }
}

static double square_of(const double m[3][3], const int64_t d[3])
{
    double sum = 0.0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            sum += m[i][j] * (double)d[i] * (double)d[j];
    return sum;
}

/* All offsets but 0 in the ball that holds about `wish` voxels. */
static nep_status make_rays(nep_ctx *ctx, const nep_grid *grid, int64_t wish, frame *f)
{
    double m[3][3];
    metric(grid, m);
    const double (*g)[3] = (const double(*)[3])m;
    const double det = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
                       m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
    NEP_REQUIRE(ctx, det > 0.0 && isfinite(det), NEP_E_ARG, "voxels: the affine is singular, so voxels have no distance: repair the image's header");
    const double reach = cbrt(3.0 * (double)wish * sqrt(det) / (4.0 * 3.141592653589793));
    int64_t most[3], room = 1, d[3], n = 0;
    for (int k = 0; k < 3; k++) { /* half width of the ball: by the inverse of the metric */
        const int a = (k + 1) % 3, b = (k + 2) % 3;
        most[k] = (int64_t)floor(reach * sqrt((m[a][a] * m[b][b] - m[a][b] * m[b][a]) / det) + 1e-9);
        most[k] = most[k] < f->size[k] - 1 ? most[k] : f->size[k] - 1; /* the mask reaches no farther */
        room *= 2 * most[k] + 1;
    }
    nep_alloc_free(f->ray);
    f->ray = NULL;
    NEP_TRY(nep_alloc(ctx, room, sizeof *f->ray, "voxels: offsets", &f->ray));
    for (d[2] = -most[2]; d[2] <= most[2]; d[2]++)
        for (d[1] = -most[1]; d[1] <= most[1]; d[1]++)
            for (d[0] = -most[0]; d[0] <= most[0]; d[0]++) {
                const double square = square_of(g, d);
                if (square > 0.0 && square <= reach * reach * (1.0 + 1e-9))
                    f->ray[n++] = (ray){square, llround(square / m[0][0] * 1e5), {{(int16_t)d[0], (int16_t)d[1], (int16_t)d[2]}}};
            }
    qsort(f->ray, (size_t)n, sizeof *f->ray, by_key);
    f->n = n;
    return NEP_OK;
}

/* ---- lines ---- */

/* The lines of the mask's box with room for the first n offsets around it. */
static nep_status make_slots(nep_ctx *ctx, const nep_grid *g, const bool *mask, frame *f, nep_sampled *s)
{
    int64_t at = 0;
    for (int k = 0; k < 3; k++) {
        f->pad[k] = 0;
        for (int64_t t = 0; t < f->n; t++)
            f->pad[k] = llabs(f->ray[t].at.step[k]) > f->pad[k] ? llabs(f->ray[t].at.step[k]) : f->pad[k];
        f->dim[k] = f->size[k] + 2 * f->pad[k];
    }
    s->slots = f->dim[0] * f->dim[1] * f->dim[2];
    NEP_REQUIRE(ctx, s->slots < INT32_MAX, NEP_E_ARG, "voxels: %lld voxels around the mask are more than 2^31: take a smaller mask",
                (long long)s->slots);
    nep_alloc_free(s->slot);
    nep_alloc_free(s->place);
    nep_alloc_free(s->offset);
    s->slot = s->place = NULL;
    s->offset = NULL;
    NEP_TRY(nep_alloc(ctx, s->n, sizeof *s->slot, "voxels: lines", &s->slot));
    NEP_TRY(nep_alloc(ctx, s->slots, sizeof *s->place, "voxels: places", &s->place));
    NEP_TRY(nep_alloc(ctx, f->n, sizeof *s->offset, "voxels: offsets", &s->offset));
    s->n_offsets = f->n;
    for (int64_t q = 0; q < s->slots; q++)
        s->place[q] = -1;
    for (int64_t k = 0; k < f->size[2]; k++)
        for (int64_t j = 0; j < f->size[1]; j++)
            for (int64_t i = 0; i < f->size[0]; i++) {
                if (!mask[((k + f->low[2]) * g->ny + j + f->low[1]) * g->nx + i + f->low[0]])
                    continue;
                s->slot[at] = (int32_t)(((k + f->pad[2]) * f->dim[1] + j + f->pad[1]) * f->dim[0] + i + f->pad[0]);
                s->place[s->slot[at]] = (int32_t)at;
                at++;
            }
    for (int64_t t = 0; t < f->n; t++) {
        const int16_t *d = f->ray[t].at.step;
        s->offset[t] = (d[2] * f->dim[1] + d[1]) * f->dim[0] + d[0];
    }
    return NEP_OK;
}

/* How many offsets lead to the k nearest places around place i; more than there are when they are not that many. */
static int64_t walk(const nep_sampled *s, int64_t i, int64_t from, int64_t k)
{
    const int32_t *at = s->place + s->slot[i];
    int64_t t = from;
    for (; k > 0 && t < s->n_offsets; t++)
        k -= at[s->offset[t]] >= 0;
    return k > 0 ? s->n_offsets + 1 : t;
}

/* Offsets enough for the neighbours of every voxel: the ball grows from 16 times to 256 times as many voxels as neighbours. */
static nep_status find_offsets(nep_ctx *ctx, const nep_grid *grid, const bool *mask, frame *f, nep_sampled *s)
{
    int64_t far = 0;
    for (int64_t times = 16; times <= 256; times *= 4) {
        NEP_TRY(make_rays(ctx, grid, times * s->neighbours, f));
        NEP_TRY(make_slots(ctx, grid, mask, f, s));
        far = 0;
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx)) reduction(max : far)
        for (int64_t i = 0; i < s->n; i++) {
            const int64_t t = walk(s, i, 0, s->neighbours);
            far = t > far ? t : far;
        }
        NEP_TRY(nep_ctx_check(ctx));
        if (far <= f->n)
            break;
    }
    NEP_REQUIRE(ctx, far <= f->n, NEP_E_ARG,
                "voxels: around some voxel the mask has fewer than %lld voxels within %.0f mm: it has islands, leave them out, or ask for fewer "
                "neighbours",
                (long long)s->neighbours, sqrt(f->ray[f->n - 1].square));
    f->n = far;
    return make_slots(ctx, grid, mask, f, s);
}

/* ---- shells, cuts, weights ---- */

static nep_status make_shells(nep_ctx *ctx, const frame *f, nep_sampled *s)
{
    int64_t n = 0;
    for (int64_t t = 0; t < f->n; t++)
        n += t == 0 || f->ray[t].key != f->ray[t - 1].key;
    NEP_TRY(nep_alloc(ctx, n + 1, sizeof *s->shell, "voxels: shells", &s->shell));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->mm, "voxels: shells", &s->mm));
    NEP_TRY(nep_alloc(ctx, n * n, sizeof *s->weight, "voxels: weights", &s->weight));
    for (int64_t t = 0; t < f->n; t++)
        if (t == 0 || f->ray[t].key != f->ray[t - 1].key) {
            s->mm[s->n_shells] = sqrt(f->ray[t].square);
            s->shell[s->n_shells++] = t;
        }
    s->shell[n] = f->n;
    for (int64_t r = 0; r < n; r++)
        for (int64_t h = 0; h <= r; h++)
            s->weight[r * n + h] = exp(-s->mm[h] / s->mm[r]);
    return NEP_OK;
}

/* Cuts of place i, and what its neighbours add to the count of each shell. */
static void cut_one(const nep_sampled *s, int64_t i, int64_t *count)
{
    int64_t t = 0, k = 0;
    for (int c = 0; c < SCALES; c++) {
        const int64_t want = nep_near_count(s->neighbours, c);
        t = walk(s, i, t, want - k);
        k = want;
        s->cut[i * SCALES + c] = (int32_t)t;
    }
    s->whole[i] = (int32_t)walk(s, i, t, s->neighbours - k);
    const double *weight[SCALES];
    for (int c = 0; c < SCALES; c++) {
        weight[c] = s->weight + nep_shells_find(s->shell, s->n_shells, s->cut[i * SCALES + c] - 1) * s->n_shells;
        s->norm[i * SCALES + c] = 0.0;
    }
    const int32_t *at = s->place + s->slot[i];
    for (int64_t h = 0; h < s->n_shells && s->shell[h] < s->whole[i]; h++)
        for (t = s->shell[h]; t < s->shell[h + 1] && t < s->whole[i]; t++) {
            if (at[s->offset[t]] < 0)
                continue;
            count[h]++;
            for (int c = 0; c < SCALES; c++)
                if (t < s->cut[i * SCALES + c])
                    s->norm[i * SCALES + c] += weight[c][h];
        }
    for (int c = 0; c < SCALES; c++)
        s->norm[i * SCALES + c] = 1.0 / s->norm[i * SCALES + c];
}

/* The distance of rank r, from 0, among the distances that the shells count. */
static double ranked(const nep_sampled *s, const int64_t *count, int64_t r)
{
    int64_t h = 0;
    while (h + 1 < s->n_shells && r >= count[h])
        r -= count[h++];
    return s->mm[h];
}

/* Lags from the nearest pair to the percentile of the distances to all neighbours, linear between ranks. */
static nep_status make_lags(nep_ctx *ctx, const int64_t *count, nep_sampled *s)
{
    static const double percent = 70.0;
    const double at = percent / 100.0 * (double)(s->n * s->neighbours - 1);
    const int64_t low = (int64_t)floor(at);
    const double a = ranked(s, count, low), b = ranked(s, count, low + 1), last = a + (b - a) * (at - (double)low);
    double first = INFINITY;
    for (int64_t h = 0; h < s->n_shells; h++)
        first = count[h] > 0 && s->mm[h] < first ? s->mm[h] : first;
    while (s->n_bins < s->n_shells && s->mm[s->n_bins] < last)
        s->n_bins++;
    NEP_REQUIRE(ctx, last > first && s->n_bins > 2, NEP_E_ARG,
                "voxels: %lld neighbours lie at too few distances for a variogram: ask for more neighbours", (long long)s->neighbours);
    NEP_TRY(nep_alloc(ctx, LAGS * s->n_bins, sizeof *s->to_lag, "voxels: lags", &s->to_lag));
    for (int h = 0; h < LAGS; h++)
        s->lag[h] = h == LAGS - 1 ? last : first + (last - first) / (LAGS - 1) * h;
    for (int h = 0; h < LAGS; h++)
        for (int64_t k = 0; k < s->n_bins; k++) {
            const double u = NEP_VARIOGRAM_KERNEL * (s->mm[k] - s->lag[h]) / (3.0 * (s->lag[1] - s->lag[0]));
            s->to_lag[h * s->n_bins + k] = exp(-0.5 * u * u);
        }
    return NEP_OK;
}

static nep_status make_cuts(nep_ctx *ctx, nep_sampled *s)
{
    const int64_t m = s->n_shells;
    int64_t *count = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * SCALES, sizeof *s->cut, "voxels: neighbourhoods", &s->cut));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *s->whole, "voxels: neighbourhoods", &s->whole));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * SCALES, sizeof *s->norm, "voxels: weights", &s->norm));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, m, sizeof *count, "voxels: distances", &count));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx)) reduction(+ : count[:m])
    for (int64_t i = 0; i < s->n; i++)
        cut_one(s, i, count);
    NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
    st = make_lags(ctx, count, s);
done:
    nep_alloc_free(count);
    return st;
}

/* The mask's box and how many voxels it holds. */
static int64_t bound(const nep_grid *g, const bool *mask, frame *f)
{
    int64_t n = 0, high[3] = {-1, -1, -1};
    for (int k = 0; k < 3; k++)
        f->low[k] = INT64_MAX;
    for (int64_t v = 0; v < nep_grid_voxels(g); v++) {
        if (!mask[v])
            continue;
        const int64_t at[3] = {v % g->nx, v / g->nx % g->ny, v / g->nx / g->ny};
        n++;
        for (int k = 0; k < 3; k++) {
            f->low[k] = at[k] < f->low[k] ? at[k] : f->low[k];
            high[k] = at[k] > high[k] ? at[k] : high[k];
        }
    }
    for (int k = 0; k < 3; k++)
        f->size[k] = high[k] - f->low[k] + 1;
    return n;
}

nep_status nep_voxels_prepare(nep_ctx *ctx, const nep_grid *grid, const bool *mask, nep_sampled *s)
{
    frame f = {0};
    nep_status st;
    s->n = bound(grid, mask, &f);
    NEP_REQUIRE(ctx, s->n > s->neighbours, NEP_E_ARG, "voxels: a mask of %lld voxels has no %lld neighbours for each: ask for fewer neighbours",
                (long long)s->n, (long long)s->neighbours);
    s->sample = s->sample < s->n ? s->sample : s->n;
    NEP_TRY_OR_DONE(st, find_offsets(ctx, grid, mask, &f, s));
    NEP_TRY_OR_DONE(st, make_shells(ctx, &f, s));
    NEP_TRY_OR_DONE(st, make_cuts(ctx, s));
    const nep_shells g = {.n = s->n,
                          .slots = s->slots,
                          .n_offsets = s->n_offsets,
                          .n_shells = s->n_shells,
                          .n_bins = s->n_bins,
                          .slot = s->slot,
                          .place = s->place,
                          .offset = s->offset,
                          .shell = s->shell,
                          .cut = s->cut,
                          .whole = s->whole,
                          .norm = s->norm,
                          .weight = s->weight};
    st = nep_backend_shells(ctx, &g, &s->shells);
done:
    nep_alloc_free(f.ray);
    return st;
}
