/* SPDX-License-Identifier: Apache-2.0 */
/* variogram - surrogates whose variogram matches a map's, by every distance between regions: shuffle, smooth over nine
 * neighbourhoods, keep the one whose variogram is nearest to the map's after a line through it, add white noise. */
#include "variogram.h"
#include "nulls.h"
#include "sampled.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/backend.h>
#include <nepenthe/math/philox.h>
#include <nepenthe/math/variogram.h>

enum { LAGS = NEP_VARIOGRAM_LAGS, SCALES = NEP_VARIOGRAM_SCALES, BINS = 8 * (LAGS - 1), COLS = NEP_VARIOGRAM_COLS };
static const double percent = 25.0; /* pairs nearer than this percentile of all distances make the variogram */

/* ---- what dense and sampled share ---- */

double nep_variogram_percentile(const double *sorted, int64_t n, double percent_of)
{
    const double at = percent_of / 100.0 * (double)(n - 1);
    const int64_t low = (int64_t)floor(at), high = low + 1 < n ? low + 1 : low;
    const double t = at - (double)low, step = sorted[high] - sorted[low];
    return t < 0.5 ? sorted[low] + step * t : sorted[high] - step * (1.0 - t);
}

void nep_variogram_shuffle(uint64_t seed, uint64_t stream, int64_t b, int64_t n, int32_t *order)
{
    for (int64_t i = 0; i < n; i++)
        order[i] = (int32_t)i;
    for (int64_t i = n - 1; i > 0; i--) { /* 64 random bits scaled to 0 .. i */
        const nep_philox_block r = nep_philox_at(seed, stream, variogram_index(b, i));
        const uint64_t bits = ((uint64_t)r.v[0] << 32) | r.v[1];
        const int64_t j = (int64_t)(uint64_t)(((unsigned __int128)bits * (uint64_t)(i + 1)) >> 64);
        const int32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

static int by_value_alone(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

variogram_fit nep_variogram_match(const double *target, const double *gamma, int n_scales, int64_t step_scale, int64_t step_lag)
{
    variogram_fit best = {.scale = -1};
    double least = INFINITY;
    for (int s = 0; s < n_scales; s++) {
        const double *g = gamma + s * step_scale;
        double mx = 0.0, my = 0.0, xx = 0.0, xy = 0.0, error = 0.0;
        for (int h = 0; h < LAGS; h++) {
            mx += g[h * step_lag] / LAGS;
            my += target[h] / LAGS;
        }
        for (int h = 0; h < LAGS; h++) {
            xx += (g[h * step_lag] - mx) * (g[h * step_lag] - mx);
            xy += (g[h * step_lag] - mx) * (target[h] - my);
        }
        const double beta = xy / xx, alpha = my - beta * mx;
        for (int h = 0; h < LAGS; h++) {
            const double off = target[h] - (alpha + beta * g[h * step_lag]);
            error += off * off;
        }
        if (error < least) { /* false for a NaN */
            least = error;
            best = (variogram_fit){s, alpha, beta};
        }
    }
    return best;
}

static int by_value(const void *x, const void *y)
{
    const variogram_item *a = x, *b = y;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

void nep_variogram_take_values(const double *sorted, int64_t n, double *surrogate, variogram_item *item)
{
    for (int64_t i = 0; i < n; i++)
        item[i] = (variogram_item){surrogate[i], i};
    qsort(item, (size_t)n, sizeof *item, by_value);
    for (int64_t i = 0; i < n; i++)
        surrogate[item[i].place] = sorted[i];
}

nep_status nep_variogram_standard(nep_ctx *ctx, const double *map, int64_t n, double *z, double *sd)
{
    double mean = 0.0, square = 0.0, most = 0.0;
    for (int64_t i = 0; i < n; i++) {
        NEP_REQUIRE(ctx, isfinite(map[i]), NEP_E_ARG,
                    "nulls: the map has no value at place %lld of %lld and variogram surrogates need all: leave it out", (long long)i + 1,
                    (long long)n);
        mean += map[i];
        most = fmax(most, fabs(map[i]));
    }
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++)
        square += (map[i] - mean) * (map[i] - mean);
    *sd = sqrt(square / (double)n);
    NEP_REQUIRE(ctx, *sd > 1e-13 * most, NEP_E_ARG, "nulls: the map is constant over its %lld places, so it has no variogram to match",
                (long long)n);
    for (int64_t i = 0; i < n; i++)
        z[i] = (map[i] - mean) / *sd;
    return NEP_OK;
}

/* ---- preparation ---- */

typedef struct {
    double mm;
    int32_t a, b;
} pair;

static int by_distance(const void *x, const void *y)
{
    const pair *p = x, *q = y;
    if (p->mm != q->mm)
        return p->mm < q->mm ? -1 : 1;
    return p->a != q->a ? p->a - q->a : p->b - q->b;
}

/* All pairs, nearest first; *n_near of them lie below the percentile. */
static nep_status sort_pairs(nep_ctx *ctx, int64_t n, const double (*place)[3], pair **out, int64_t *n_near)
{
    const int64_t all = n * (n - 1) / 2;
    double *mm = NULL;
    pair *p = NULL;
    int64_t k = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, all, sizeof *p, "variogram: pairs", &p));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, all, sizeof *mm, "variogram: distances", &mm));
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = i + 1; j < n; j++)
            p[k++] = (pair){nulls_distance(place[i], place[j]), i, j};
    qsort(p, (size_t)all, sizeof *p, by_distance);
    for (int64_t i = 0; i < all; i++)
        mm[i] = p[i].mm;
    const double limit = nep_variogram_percentile(mm, all, percent);
    for (*n_near = 0; *n_near < all && mm[*n_near] < limit;)
        ++*n_near;
    NEP_REQUIRE_OR_DONE(st, ctx, *n_near > 1 && mm[*n_near - 1] > mm[0], NEP_E_ARG,
                        "variogram: the nearest quarter of the distances between %lld places are all alike, so there is no variogram",
                        (long long)n);
    *out = p;
    p = NULL;
done:
    nep_alloc_free(mm);
    nep_alloc_free(p);
    return st;
}

/* Moments of a bin to lags. About its centre c, with u = K (c - h) / b and s the bin's width times K / b, a pair at offset t weighs
 * exp(-(u + s t)^2 / 2) = exp(-u^2 / 2) sum_q He_q(u) (-s t)^q / q!; with 8 bins to a lag four terms miss by 1.2e-6 of the peak at
 * most. One pair to a bin is exact. */
static void fill_to_lag(nep_variogram *v, const pair *p, int64_t n_near, double width)
{
    const double first = p[0].mm, scale = NEP_VARIOGRAM_KERNEL / (3.0 * (v->lag[1] - v->lag[0]));
    const double s = scale * width;
    for (int h = 0; h < LAGS; h++) {
        double *row = v->to_lag + h * v->n_bins * v->n_moments, all = 0.0;
        for (int64_t i = 0; i < n_near; i++) {
            const double u = scale * (p[i].mm - v->lag[h]);
            all += exp(-0.5 * u * u);
        }
        for (int64_t k = 0; k < v->n_bins; k++) {
            const double c = v->n_moments == 1 ? p[k].mm : first + ((double)k + 0.5) * width, u = scale * (c - v->lag[h]);
            const double peak = 0.5 * exp(-0.5 * u * u) / all;
            const double term[NEP_VARIOGRAM_MOMENTS] = {1.0, -s * u, s * s * (u * u - 1.0) / 2.0, -s * s * s * u * (u * u - 3.0) / 6.0};
            for (int64_t q = 0; q < v->n_moments; q++)
                row[k * v->n_moments + q] = peak * term[q];
        }
    }
}

static nep_status make_pairs(nep_ctx *ctx, nep_variogram *v, const double (*place)[3])
{
    pair *p = NULL;
    int64_t n_near = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, sort_pairs(ctx, v->n, place, &p, &n_near));
    const double first = p[0].mm, last = p[n_near - 1].mm, width = (last - first) / BINS;
    const bool alone = n_near <= BINS * NEP_VARIOGRAM_MOMENTS;
    v->n_bins = alone ? n_near : BINS;
    v->n_moments = alone ? 1 : NEP_VARIOGRAM_MOMENTS;
    for (int h = 0; h < LAGS; h++)
        v->lag[h] = h == LAGS - 1 ? last : first + (last - first) / (LAGS - 1) * h;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_near, sizeof *v->a, "variogram: pairs", &v->a));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_near, sizeof *v->b, "variogram: pairs", &v->b));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_near, sizeof *v->offset, "variogram: pairs", &v->offset));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, v->n_bins + 1, sizeof *v->start, "variogram: bins", &v->start));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, LAGS * v->n_bins * v->n_moments, sizeof *v->to_lag, "variogram: lags", &v->to_lag));
    for (int64_t i = 0; i < n_near; i++) {
        const int64_t in = (int64_t)((p[i].mm - first) / width), k = alone ? i : in < BINS ? in : BINS - 1;
        v->a[i] = p[i].a;
        v->b[i] = p[i].b;
        v->offset[i] = alone ? 0.0 : (p[i].mm - first) / width - ((double)k + 0.5);
        v->start[k + 1] = i + 1;
    }
    for (int64_t k = 0; k < v->n_bins; k++) /* a bin without pairs */
        v->start[k + 1] = v->start[k + 1] > v->start[k] ? v->start[k + 1] : v->start[k];
    fill_to_lag(v, p, n_near, width);
done:
    nep_alloc_free(p);
    return st;
}

/* Row i of each smoothing: its k = [delta n] nearest others, weight exp(-d / the largest of these d), to sum 1. */
static nep_status make_smoothings(nep_ctx *ctx, nep_variogram *v, const double (*place)[3])
{
    const int64_t n = v->n;
    pair *own = NULL;
    NEP_TRY(nep_alloc(ctx, SCALES * n * n, sizeof *v->smooth, "variogram: smoothings", &v->smooth));
    NEP_TRY(nep_alloc(ctx, n, sizeof *own, "variogram: neighbours", &own));
    for (int32_t i = 0; i < n; i++) {
        int64_t m = 0;
        for (int32_t j = 0; j < n; j++)
            if (j != i)
                own[m++] = (pair){nulls_distance(place[i], place[j]), j, j};
        qsort(own, (size_t)m, sizeof *own, by_distance);
        for (int s = 0; s < SCALES; s++) {
            const int64_t k = (int64_t)((0.1 * s + 0.1) * (double)n);
            const double reach = own[k - 1].mm;
            double *row = v->smooth + (s * n + i) * n, sum = 0.0;
            for (int64_t j = 0; j < k; j++)
                sum += row[own[j].a] = reach > 0.0 ? exp(-own[j].mm / reach) : 1.0;
            for (int64_t j = 0; j < k; j++)
                row[own[j].a] /= sum;
        }
    }
    nep_alloc_free(own);
    return NEP_OK;
}

void nep_variogram_free(nep_variogram *v)
{
    if (!v)
        return;
    void *const parts[] = {v->a, v->b, v->offset, v->start, v->to_lag, v->smooth, v};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

nep_status nep_variogram_create(nep_ctx *ctx, int64_t n, const double (*place)[3], nep_variogram **out)
{
    nep_variogram *v = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, n >= 10, NEP_E_ARG, "variogram: %lld places are too few, at least 10 are needed", (long long)n);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 1, sizeof *v, "variogram", &v));
    v->n = n;
    NEP_TRY_OR_DONE(st, make_pairs(ctx, v, place));
    NEP_TRY_OR_DONE(st, make_smoothings(ctx, v, place));
    *out = v;
    v = NULL;
done:
    nep_variogram_free(v);
    return st;
}

nep_status nep_variogram_prepare(nep_ctx *ctx, nep_nulls *nulls, const char *const *names)
{
    (void)names;
    if (nulls->n > NULLS_ALL_PAIRS)
        return nep_sampled_listed(ctx, nulls->n, (const double(*)[3])nulls->mm, nulls->block, NULL, &nulls->sampled);
    return nep_variogram_create(ctx, nulls->n, (const double(*)[3])nulls->mm, &nulls->variogram);
}

/* ---- surrogates ---- */

nep_status nep_variogram_gamma(nep_ctx *ctx, const nep_variogram *v, const float *x, int64_t n_maps, int64_t n_cols, double *gamma)
{
    const int64_t rows = v->n_bins * v->n_moments, groups = (n_cols + COLS - 1) / COLS;
    double *moments = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_maps * rows * n_cols, sizeof *moments, "variogram: squares of pairs", &moments));
    NEP_TRY_OR_DONE(st, nep_backend_pair_squares(ctx, x, n_maps, v->n, n_cols, v->a, v->b, v->offset, v->start, v->n_bins, v->n_moments,
                                                 moments));
    openblas_set_num_threads(1); /* more threads would change the bits */
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < n_maps * groups; i++) {
        const int64_t m = i / groups, c = i % groups * COLS, cols = n_cols - c < COLS ? n_cols - c : COLS;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, LAGS, (blasint)cols, (blasint)rows, 1.0, v->to_lag, (blasint)rows,
                    moments + m * rows * n_cols + c, (blasint)n_cols, 0.0, gamma + m * LAGS * n_cols + c, (blasint)n_cols);
    }
done:
    nep_alloc_free(moments);
    return st;
}

typedef struct {
    const float *smooth;  /* [SCALES, n, n_cols] */
    const double *noise;  /* [n_cols, n] */
    const double *target; /* [LAGS] */
    const double *gamma;  /* [SCALES, LAGS, n_cols] */
    int64_t n, n_cols;
    double sd;
} mixture;

static variogram_fit blend_one(const mixture *m, int64_t c, double *out)
{
    const variogram_fit f = nep_variogram_match(m->target, m->gamma + c, SCALES, LAGS * m->n_cols, m->n_cols);
    const float *x = m->smooth + (f.scale < 0 ? 0 : f.scale) * m->n * m->n_cols + c;
    const double by = f.scale < 0 ? (double)NAN : m->sd * sqrt(fabs(f.beta)), more = m->sd * sqrt(fabs(f.alpha));
    double mean = 0.0;
    for (int64_t i = 0; i < m->n; i++) {
        out[i] = by * (double)x[i * m->n_cols] + more * m->noise[c * m->n + i];
        mean += out[i];
    }
    mean /= (double)m->n;
    for (int64_t i = 0; i < m->n; i++)
        out[i] -= mean;
    return f;
}

nep_status nep_variogram_blend(nep_ctx *ctx, const nep_variogram *v, const double *map, const float *shuffled, const double *noise,
                               int64_t n_cols, double *out, variogram_fit *fit)
{
    const int64_t n = v->n;
    double *z = NULL, *gamma = NULL, target[LAGS], sd;
    float *smooth = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *z, "variogram: a map", &z));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, SCALES * LAGS * n_cols, sizeof *gamma, "variogram: of surrogates", &gamma));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, SCALES * n * n_cols, sizeof *smooth, "variogram: smoothed maps", &smooth));
    NEP_TRY_OR_DONE(st, nep_variogram_standard(ctx, map, n, z, &sd));
    for (int64_t i = 0; i < n; i++)
        smooth[i] = (float)z[i];
    NEP_TRY_OR_DONE(st, nep_variogram_gamma(ctx, v, smooth, 1, 1, target));
    NEP_TRY_OR_DONE(st, nep_backend_apply_operator(ctx, v->smooth, SCALES * n, n, shuffled, n_cols, NULL, smooth));
    NEP_TRY_OR_DONE(st, nep_variogram_gamma(ctx, v, smooth, SCALES, n_cols, gamma));
    const mixture m = {smooth, noise, target, gamma, n, n_cols, sd};
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t c = 0; c < n_cols; c++) {
        const variogram_fit f = blend_one(&m, c, out + c * n);
        if (fit)
            fit[c] = f;
    }
done:
    nep_alloc_free(smooth);
    nep_alloc_free(gamma);
    nep_alloc_free(z);
    return st;
}

typedef struct {
    double *z, *sorted, *noise, *out;
    float *shuffled;
    int32_t *order;       /* [threads, n] */
    variogram_item *item; /* [threads, n] */
} bench;

static nep_status bench_new(nep_ctx *ctx, int64_t n, int64_t n_cols, bench *b)
{
    const int64_t own = n * nep_ctx_threads(ctx);
    NEP_TRY(nep_alloc(ctx, n, sizeof *b->z, "variogram: a map", &b->z));
    NEP_TRY(nep_alloc(ctx, n, sizeof *b->sorted, "variogram: values of a map", &b->sorted));
    NEP_TRY(nep_alloc(ctx, n * n_cols, sizeof *b->noise, "variogram: noise", &b->noise));
    NEP_TRY(nep_alloc(ctx, n * n_cols, sizeof *b->out, "variogram: surrogates", &b->out));
    NEP_TRY(nep_alloc(ctx, n * n_cols, sizeof *b->shuffled, "variogram: shuffled maps", &b->shuffled));
    NEP_TRY(nep_alloc(ctx, own, sizeof *b->order, "variogram: shuffles", &b->order));
    return nep_alloc(ctx, own, sizeof *b->item, "variogram: ranks", &b->item);
}

static void bench_free(bench *b)
{
    void *const parts[] = {b->z, b->sorted, b->noise, b->out, b->shuffled, b->order, b->item};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

/* What chance gives surrogates b0 .. b0 + n_cols - 1. */
static void chance(nep_ctx *ctx, const bench *w, int64_t n, uint64_t seed, uint64_t stream, int64_t b0, int64_t n_cols)
{
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int64_t c = 0; c < n_cols; c++) {
        int32_t *order = w->order + n * omp_get_thread_num();
        nep_variogram_shuffle(seed, stream, b0 + c, n, order);
        for (int64_t i = 0; i < n; i++) {
            w->shuffled[i * n_cols + c] = (float)w->z[order[i]];
            w->noise[c * n + i] = nep_philox_gauss(seed, stream, variogram_index(b0 + c, n + i));
        }
    }
}

/* Whole groups of COLS surrogates are always made, beginning at a multiple of COLS, so that a surrogate's bits do not depend on which
 * others were asked for. */
nep_status nep_variogram_draw(nep_ctx *ctx, const nep_variogram *v, const double *map, uint64_t seed, uint64_t stream, int64_t first,
                              int64_t count, bool own_values, double *out)
{
    const int64_t n = v->n, begin = first / COLS * COLS, end = (first + count + COLS - 1) / COLS * COLS;
    const int64_t wish = COLS * (nep_ctx_threads(ctx) < 8 ? nep_ctx_threads(ctx) : 8);
    const int64_t batch = count == 0 ? 0 : wish < end - begin ? wish : end - begin;
    bench w = {0};
    double sd;
    nep_status st;
    NEP_TRY_OR_DONE(st, bench_new(ctx, n, batch, &w));
    NEP_TRY_OR_DONE(st, nep_variogram_standard(ctx, map, n, w.z, &sd));
    memcpy(w.sorted, map, (size_t)n * sizeof *map);
    qsort(w.sorted, (size_t)n, sizeof *w.sorted, by_value_alone);
    for (int64_t b = begin; count > 0 && b < end; b += batch) {
        const int64_t cols = end - b < batch ? end - b : batch;
        const int64_t from = first > b ? first : b, to = first + count < b + cols ? first + count : b + cols;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        chance(ctx, &w, n, seed, stream, b, cols);
        NEP_TRY_OR_DONE(st, nep_variogram_blend(ctx, v, map, w.shuffled, w.noise, cols, w.out, NULL));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
        for (int64_t k = from; k < to; k++) {
            double *row = out + (k - first) * n;
            memcpy(row, w.out + (k - b) * n, (size_t)n * sizeof *row);
            if (own_values)
                nep_variogram_take_values(w.sorted, n, row, w.item + n * omp_get_thread_num());
        }
    }
done:
    bench_free(&w);
    return st;
}
