/* SPDX-License-Identifier: Apache-2.0 */
/* compare - the correlation of two maps, tested against surrogates of either one. */
#include <nepenthe/brainmap.h>

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096, BATCH_CELLS = 1 << 24 /* values that surrogates may take at once */, BATCH_LEAST = 64 };

static double correlation(const double *x, const double *y, int64_t n)
{
    double mx = 0.0, my = 0.0, xx = 0.0, yy = 0.0, xy = 0.0, big_x = 0.0, big_y = 0.0;
    for (int64_t i = 0; i < n; i++) {
        mx += x[i];
        my += y[i];
        big_x = fmax(big_x, fabs(x[i]));
        big_y = fmax(big_y, fabs(y[i]));
    }
    mx /= (double)n;
    my /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    const double floor_x = 1e-13 * big_x, floor_y = 1e-13 * big_y; /* spread below this is rounding of a constant */
    if (!(xx > (double)n * floor_x * floor_x) || !(yy > (double)n * floor_y * floor_y))
        return (double)NAN;
    return fmax(-1.0, fmin(1.0, xy / sqrt(xx * yy)));
}

typedef struct {
    double value;
    int64_t place;
} item;

static int by_value(const void *x, const void *y)
{
    const item *a = x, *b = y;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Averaged ranks of x, in place. sorted [n] items. */
static void to_ranks(double *x, int64_t n, item *sorted)
{
    for (int64_t i = 0; i < n; i++)
        sorted[i] = (item){x[i], i};
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    for (int64_t i = 0; i < n;) {
        int64_t j = i;
        while (j + 1 < n && sorted[j + 1].value == sorted[i].value)
            j++;
        for (int64_t k = i; k <= j; k++)
            x[sorted[k].place] = 0.5 * (double)(i + j) + 1.0;
        i = j + 1;
    }
}

double nep_compare_statistic_of(nep_compare_statistic s, const double *a, const double *b, int64_t n, double *scratch)
{
    double *x = scratch, *y = scratch + n;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(a[i]) && isfinite(b[i])) { /* the pair's own mask, for data and for each surrogate */
            x[m] = a[i];
            y[m++] = b[i];
        }
    if (m < 3)
        return (double)NAN;
    if (s == NEP_COMPARE_SPEARMAN) {
        item *sorted = (item *)(void *)(scratch + 2 * n);
        to_ranks(x, m, sorted);
        to_ranks(y, m, sorted);
    }
    return correlation(x, y, m);
}

/* Surrogates of `moved` against `still`, both [n]; p by counting. told: steps of the open task that were made before; -1 = none is open. */
static nep_status count_reached(nep_ctx *ctx, const nep_nulls *nulls, const double *moved, const double *still, const nep_compare_opts *o,
                                double r, int64_t told, double *p)
{
    const int64_t n = nep_nulls_regions(nulls), fit = BATCH_CELLS / n, most = fit < BATCH_LEAST ? BATCH_LEAST : fit < BATCH ? fit : BATCH;
    const int64_t size = o->n_nulls < most ? o->n_nulls : most;
    const int threads = nep_ctx_threads(ctx);
    double *batch = NULL, *scratch = NULL;
    int64_t reached = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, size * n, sizeof *batch, "compare: surrogates", &batch));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, threads * 4 * n, sizeof *scratch, "compare: scratch", &scratch));
    for (int64_t first = 0; first < o->n_nulls; first += size) {
        const int64_t count = o->n_nulls - first < size ? o->n_nulls - first : size;
        NEP_TRY_OR_DONE(st, nep_nulls_draw(ctx, nulls, moved, o->stream, first, count, batch));
        if (told >= 0)
            nep_progress_step(ctx, told + first + count);
#pragma omp parallel for schedule(dynamic, 32) num_threads(threads) reduction(+ : reached)
        for (int64_t b = 0; b < count; b++) {
            double *own = scratch + omp_get_thread_num() * 4 * n;
            const double null = nep_compare_statistic_of(o->statistic, batch + b * n, still, n, own);
            reached += isnan(null) || fabs(null) >= fabs(r) * (1.0 - NEP_BRAINMAP_TIE);
        }
    }
    *p = (double)(1 + reached) / (double)(o->n_nulls + 1);
done:
    nep_alloc_free(scratch);
    nep_alloc_free(batch);
    return st;
}

/* p from surrogates of one map. Moran and eigenmodes draw on the regions where that map has values; with spins
 * missing regions travel. */
static nep_status one_side(nep_ctx *ctx, const nep_geometry *g, const bool *use, const double *moved, const double *still,
                           const nep_compare_opts *o, double r, double *p)
{
    const bool whole = nep_nulls_needs_all(o->kind);
    nep_nulls *nulls = NULL;
    bool *mask = NULL;
    double *x = NULL;
    int64_t m = 0;
    nep_status st;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, g->n_regions, sizeof *mask, "compare: mask", &mask));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * g->n_regions, sizeof *x, "compare: maps", &x));
    for (int64_t i = 0; i < g->n_regions; i++) {
        mask[i] = (!use || use[i]) && (!whole || isfinite(moved[i]));
        if (mask[i]) {
            x[m] = moved[i];
            x[g->n_regions + m++] = still[i];
        }
    }
    NEP_TRY_OR_DONE(st, nep_nulls_create_on(ctx, g, mask, o->kind, o->surface, &nulls));
    NEP_TRY_OR_DONE(st, count_reached(ctx, nulls, x, x + g->n_regions, o, r, -1, p));
done:
    nep_nulls_free(nulls);
    nep_alloc_free(x);
    nep_alloc_free(mask);
    return st;
}

/* The maps on the regions that take part: others become missing. */
static nep_status correlate(nep_ctx *ctx, const bool *use, int64_t n, double *a, double *b, nep_compare_statistic s, nep_comparison *c)
{
    double *scratch = NULL;
    for (int64_t i = 0; i < n; i++) {
        if (use && !use[i])
            a[i] = b[i] = (double)NAN;
        c->n_regions += isfinite(a[i]) && isfinite(b[i]);
    }
    NEP_REQUIRE(ctx, c->n_regions >= 3, NEP_E_ARG, "compare: both maps have a value in %lld regions only, at least 3 are needed",
                (long long)c->n_regions);
    NEP_TRY(nep_alloc(ctx, 4 * n, sizeof *scratch, "compare: scratch", &scratch));
    c->r = nep_compare_statistic_of(s, a, b, n, scratch);
    nep_alloc_free(scratch);
    NEP_REQUIRE(ctx, !isnan(c->r), NEP_E_ARG, "compare: a map is constant over the %lld common regions, so no correlation exists",
                (long long)c->n_regions);
    return NEP_OK;
}

nep_status nep_compare_maps(nep_ctx *ctx, const nep_geometry *g, const bool *use, int64_t n, const double *a, const double *b,
                            const nep_compare_opts *opts, nep_comparison *out)
{
    const nep_compare_opts defaults = NEP_COMPARE_DEFAULTS;
    const nep_compare_opts *o = opts ? opts : &defaults;
    nep_comparison c = {.p = (double)NAN, .p_a = (double)NAN, .p_b = (double)NAN, .n_nulls = o->n_nulls};
    double *x = NULL;
    nep_status st;

    NEP_REQUIRE(ctx, a && b && out, NEP_E_ARG, "compare: both maps and out must be given");
    NEP_REQUIRE(ctx, o->n_nulls >= 0, NEP_E_ARG, "compare: the number of surrogates is %lld, must not be negative", (long long)o->n_nulls);
    NEP_REQUIRE(ctx, o->n_nulls == 0 || g, NEP_E_ARG, "compare: surrogates need a geometry");
    NEP_REQUIRE(ctx, !g || g->n_regions == n, NEP_E_SHAPE, "compare: the maps have %lld regions, the geometry has %lld", (long long)n,
                g ? (long long)g->n_regions : 0);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * n, sizeof *x, "compare: maps", &x));
    memcpy(x, a, (size_t)n * sizeof *x);
    memcpy(x + n, b, (size_t)n * sizeof *x);
    NEP_TRY_OR_DONE(st, correlate(ctx, use, n, x, x + n, o->statistic, &c));
    if (o->n_nulls > 0 && o->permute & NEP_COMPARE_A)
        NEP_TRY_OR_DONE(st, one_side(ctx, g, use, x, x + n, o, c.r, &c.p_a));
    if (o->n_nulls > 0 && o->permute & NEP_COMPARE_B)
        NEP_TRY_OR_DONE(st, one_side(ctx, g, use, x + n, x, o, c.r, &c.p_b));
    c.p = fmax(c.p_a, c.p_b); /* fmax takes the number where the other is NaN */
    *out = c;
done:
    nep_alloc_free(x);
    return st;
}

/* p from the surrogates of one map and of the other, as asked for. */
static nep_status count_sides(nep_ctx *ctx, const nep_nulls *nulls, const double *a, const double *b, const nep_compare_opts *o, nep_comparison *c)
{
    const bool both = o->permute == NEP_COMPARE_BOTH;
    nep_status st = NEP_OK;
    nep_progress_open(ctx, "maps compare", (both ? 2 : 1) * o->n_nulls);
    if (o->permute & NEP_COMPARE_A)
        st = count_reached(ctx, nulls, a, b, o, c->r, 0, &c->p_a);
    if (st == NEP_OK && o->permute & NEP_COMPARE_B)
        st = count_reached(ctx, nulls, b, a, o, c->r, both ? o->n_nulls : 0, &c->p_b);
    nep_progress_close(ctx);
    return st;
}

nep_status nep_compare_voxels(nep_ctx *ctx, const nep_grid *grid, const bool *mask, const double *a, const double *b,
                              const nep_compare_opts *opts, const nep_sampled_opts *sampled, nep_comparison *out)
{
    const nep_compare_opts defaults = NEP_COMPARE_DEFAULTS, *o = opts ? opts : &defaults;
    nep_comparison c = {.p_a = (double)NAN, .p_b = (double)NAN, .n_nulls = o->n_nulls};
    nep_nulls *nulls = NULL;
    double *scratch = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, grid && mask && a && b && out, NEP_E_ARG, "compare: grid, mask, both maps and out must be given");
    NEP_REQUIRE(ctx, o->n_nulls >= 0, NEP_E_ARG, "compare: the number of surrogates is %lld, must not be negative", (long long)o->n_nulls);
    for (int64_t v = 0; v < nep_grid_voxels(grid); v++)
        c.n_regions += mask[v];
    for (int64_t i = 0; i < c.n_regions; i++)
        NEP_REQUIRE(ctx, isfinite(a[i]) && isfinite(b[i]), NEP_E_ARG, "compare: voxel %lld of the mask has no value: leave it out of the mask",
                    (long long)i + 1);
    NEP_REQUIRE(ctx, c.n_regions >= 3, NEP_E_ARG, "compare: both maps have a value in %lld voxels only, at least 3 are needed",
                (long long)c.n_regions);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 4 * c.n_regions, sizeof *scratch, "compare: scratch", &scratch));
    c.r = nep_compare_statistic_of(o->statistic, a, b, c.n_regions, scratch);
    NEP_REQUIRE_OR_DONE(st, ctx, !isnan(c.r), NEP_E_ARG, "compare: a map is constant over the %lld common voxels, so no correlation exists",
                        (long long)c.n_regions);
    if (o->n_nulls > 0)
        NEP_TRY_OR_DONE(st, nep_nulls_create_voxels(ctx, grid, mask, o->kind, sampled, &nulls));
    if (o->n_nulls > 0)
        NEP_TRY_OR_DONE(st, count_sides(ctx, nulls, a, b, o, &c));
    c.p = fmax(c.p_a, c.p_b); /* fmax takes the number where the other is NaN */
    *out = c;
done:
    nep_nulls_free(nulls);
    nep_alloc_free(scratch);
    return st;
}
