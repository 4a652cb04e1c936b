/* SPDX-License-Identifier: Apache-2.0 */
/* sampled - surrogates of matched variogram of very many places: shuffle, smooth over four neighbourhoods of the nearest, fit the variogram on a
 * sample of places, add white noise; sixteen at a time. */
#include "nulls.h"
#include "sampled.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/math/philox.h>

enum { SCALES = SAMPLED_SCALES, COLS = SAMPLED_COLS, LAGS = NEP_VARIOGRAM_LAGS };

void nep_sampled_free(nep_sampled *s)
{
    if (!s)
        return;
    nep_backend_shells_free(&s->shells);
    nep_backend_lists_free(&s->lists);
    void *const parts[] = {s->slot, s->place, s->offset, s->shell, s->mm, s->cut, s->whole, s->norm, s->weight, s->to_lag, s->near, s->far, s->scale, s};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

int64_t nep_sampled_places(const nep_sampled *s)
{
    return s->n;
}

/* Nothing but options and seed. */
static nep_status empty(nep_ctx *ctx, const nep_sampled_opts *opts, nep_sampled **out)
{
    const nep_sampled_opts usual = NEP_SAMPLED_DEFAULTS, *o = opts ? opts : &usual;
    NEP_REQUIRE(ctx, o->neighbours >= 20 && o->sample >= 10, NEP_E_ARG,
                "nulls: %lld neighbours and a sample of %lld: at least 20 neighbours and a sample of 10 are needed", (long long)o->neighbours,
                (long long)o->sample);
    NEP_TRY(nep_alloc(ctx, 1, sizeof **out, "nulls", out));
    (*out)->neighbours = o->neighbours;
    (*out)->sample = o->sample;
    (*out)->seed = nep_ctx_seed(ctx);
    return NEP_OK;
}

nep_status nep_sampled_voxels(nep_ctx *ctx, const nep_grid *grid, const bool *mask, const nep_sampled_opts *opts, nep_sampled **out)
{
    nep_sampled *s = NULL;
    nep_status st;
    NEP_REQUIRE(ctx, grid && mask && out, NEP_E_ARG, "nulls: grid, mask and out must not be NULL");
    NEP_TRY_OR_DONE(st, empty(ctx, opts, &s));
    NEP_TRY_OR_DONE(st, nep_voxels_prepare(ctx, grid, mask, s));
    *out = s;
    s = NULL;
done:
    nep_sampled_free(s);
    return st;
}

nep_status nep_sampled_listed(nep_ctx *ctx, int64_t n, const double (*place)[3], const int32_t *block, const nep_sampled_opts *opts,
                              nep_sampled **out)
{
    nep_sampled *s = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, empty(ctx, opts, &s));
    s->n = s->slots = n;
    s->sample = s->sample < n ? s->sample : n;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n, sizeof *s->place, "nulls: places", &s->place));
    for (int64_t i = 0; i < n; i++)
        s->place[i] = (int32_t)i;
    for (int32_t b = 0; b < NULLS_MAX_BLOCKS; b++) {
        int64_t inside = 0;
        for (int64_t i = 0; i < n; i++)
            inside += block[i] == b;
        NEP_REQUIRE_OR_DONE(st, ctx, inside == 0 || inside > s->neighbours, NEP_E_ARG,
                            "nulls: a hemisphere or compartment of %lld places has no %lld neighbours for each: leave it out, or take moran or "
                            "eigenmodes",
                            (long long)inside, (long long)s->neighbours);
    }
    NEP_TRY_OR_DONE(st, nep_listed_prepare(ctx, place, block, s));
    *out = s;
    s = NULL;
done:
    nep_sampled_free(s);
    return st;
}

/* ---- one group ---- */

nep_status nep_sampled_work_new(nep_ctx *ctx, const nep_sampled *s, nep_sampled_work *w)
{
    nep_sampled_work made = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, s->slots * COLS, "nulls: shuffled maps", &made.lines));
    NEP_TRY_OR_DONE(st, nep_buf_new(ctx, NEP_F32, (SCALES + 1) * s->n * COLS, "nulls: smoothed maps", &made.maps));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *made.value, "nulls: a map", &made.value));
    if (!made.maps.be->host)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, SCALES * s->n * COLS, sizeof *made.back, "nulls: smoothed maps", &made.back));
    *w = made;
    made = (nep_sampled_work){0};
done:
    nep_sampled_work_free(&made);
    return st;
}

void nep_sampled_work_free(nep_sampled_work *w)
{
    nep_alloc_free(w->back);
    nep_alloc_free(w->value);
    nep_buf_free(&w->maps);
    nep_buf_free(&w->lines);
    *w = (nep_sampled_work){0};
}

/* gamma [SCALES + 1, LAGS, COLS] of the maps over the pairs of a sample: those of a grid by shell. */
static nep_status gamma_of(nep_ctx *ctx, const nep_sampled *s, const nep_buf *maps, const int32_t *sample, double *gamma)
{
    enum { MAPS = SCALES + 1 };
    double *squares = NULL, *pairs = NULL;
    nep_status st;
    if (s->near) {
        double weights[LAGS];
        NEP_TRY(nep_backend_list_squares(ctx, &s->lists, maps, MAPS, sample, s->sample, gamma, weights));
        for (int i = 0; i < MAPS * LAGS * COLS; i++)
            gamma[i] /= weights[i / COLS % LAGS];
        return NEP_OK;
    }
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, MAPS * s->n_bins * COLS, sizeof *squares, "nulls: squares of pairs", &squares));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n_bins, sizeof *pairs, "nulls: pairs", &pairs));
    NEP_TRY_OR_DONE(st, nep_backend_shell_squares(ctx, &s->shells, maps, MAPS, sample, s->sample, squares, pairs));
    for (int64_t m = 0; m < MAPS; m++)
        for (int64_t h = 0; h < LAGS; h++) {
            const double *to = s->to_lag + h * s->n_bins;
            double sum[COLS] = {0}, all = 0.0;
            for (int64_t k = 0; k < s->n_bins; k++) {
                all += to[k] * pairs[k];
                for (int c = 0; c < COLS; c++)
                    sum[c] += to[k] * squares[(m * s->n_bins + k) * COLS + c];
            }
            for (int c = 0; c < COLS; c++)
                gamma[(m * LAGS + h) * COLS + c] = sum[c] / all;
        }
done:
    nep_alloc_free(pairs);
    nep_alloc_free(squares);
    return st;
}

/* Surrogate c: the smoothing that fits best, and noise; a map that cannot be fitted gives NaN. */
static void finish(const nep_sampled *s, int c, const variogram_fit *f, double sd, const float *smooth, const float *noise, float *out)
{
    const float *x = smooth + (f->scale < 0 ? 0 : f->scale) * s->n * COLS + c;
    const double by = f->scale < 0 ? (double)NAN : sqrt(fabs(f->beta)), more = sqrt(fabs(f->alpha));
    double mean = 0.0;
    for (int64_t i = 0; i < s->n; i++)
        mean += by * (double)x[i * COLS] + more * (double)noise[i];
    mean /= (double)s->n;
    for (int64_t i = 0; i < s->n; i++)
        out[i] = (float)(sd * (by * (double)x[i * COLS] + more * (double)noise[i] - mean));
}

/* The smoothed maps [SCALES, n, COLS] on the host, at least those that some column fits best. */
static nep_status bring_back(nep_ctx *ctx, const nep_sampled *s, const variogram_fit *best, const nep_sampled_work *w, const float **smooth)
{
    const int64_t each = s->n * COLS;
    *smooth = w->back ? w->back : w->maps.ptr;
    for (int k = 0; w->back && k < SCALES; k++) {
        bool wanted = false;
        for (int c = 0; c < COLS; c++)
            wanted = wanted || best[c].scale == k;
        if (wanted)
            NEP_TRY(nep_buf_get_part(ctx, &w->maps, k * each, each, w->back + k * each));
    }
    return NEP_OK;
}

nep_status nep_sampled_blend(nep_ctx *ctx, const nep_sampled *s, const double *z, double sd, const int32_t *order, const float *noise,
                             const int32_t *sample, nep_sampled_work *w, float *out, variogram_fit *fit)
{
    double gamma[(SCALES + 1) * LAGS * COLS], target[LAGS];
    variogram_fit best[COLS];
    const float *smooth;
    for (int64_t i = 0; i < s->n; i++)
        w->value[i] = (float)z[i];
    if (s->near)
        NEP_TRY(nep_backend_list_smooth(ctx, &s->lists, w->value, order, &w->lines, &w->maps));
    else
        NEP_TRY(nep_backend_shell_smooth(ctx, &s->shells, w->value, order, &w->lines, &w->maps));
    NEP_TRY(gamma_of(ctx, s, &w->maps, sample, gamma));
    for (int h = 0; h < LAGS; h++) /* the last map is the one itself */
        target[h] = gamma[(SCALES * LAGS + h) * COLS];
    for (int c = 0; c < COLS; c++)
        best[c] = nep_variogram_match(target, gamma + c, SCALES, LAGS * COLS, COLS);
    NEP_TRY(bring_back(ctx, s, best, w, &smooth));
#pragma omp parallel for schedule(static) num_threads(nep_ctx_threads(ctx))
    for (int c = 0; c < COLS; c++)
        finish(s, c, &best[c], sd, smooth, noise + c * s->n, out + c * s->n);
    if (fit)
        memcpy(fit, best, sizeof best);
    return nep_ctx_check(ctx);
}

/* ---- surrogates by number ---- */

typedef struct {
    double *z, *sorted, *value;
    int32_t *order, *sample, *bag;
    float *noise, *out;
    variogram_item *item;
    nep_sampled_work work;
} bench;

static nep_status bench_new(nep_ctx *ctx, const nep_sampled *s, bool own_values, bench *w)
{
    const int64_t n = s->n, threads = own_values ? nep_ctx_threads(ctx) : 0;
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->z, "nulls: a map", &w->z));
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->sorted, "nulls: values of a map", &w->sorted));
    NEP_TRY(nep_alloc(ctx, n * threads, sizeof *w->value, "nulls: a surrogate", &w->value));
    NEP_TRY(nep_alloc(ctx, n * threads, sizeof *w->item, "nulls: ranks", &w->item));
    NEP_TRY(nep_alloc(ctx, n * COLS, sizeof *w->order, "nulls: shuffles", &w->order));
    NEP_TRY(nep_alloc(ctx, n, sizeof *w->bag, "nulls: a sample", &w->bag));
    NEP_TRY(nep_alloc(ctx, s->sample, sizeof *w->sample, "nulls: a sample", &w->sample));
    NEP_TRY(nep_alloc(ctx, n * COLS, sizeof *w->noise, "nulls: noise", &w->noise));
    NEP_TRY(nep_alloc(ctx, n * COLS, sizeof *w->out, "nulls: surrogates", &w->out));
    return nep_sampled_work_new(ctx, s, &w->work);
}

static void bench_free(bench *w)
{
    void *const parts[] = {w->z, w->sorted, w->value, w->item, w->order, w->bag, w->sample, w->noise, w->out};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    nep_sampled_work_free(&w->work);
}

/* What chance gives the group of surrogates b .. b + COLS - 1: shuffles and noise of each, and one sample. */
static void chance(nep_ctx *ctx, const nep_sampled *s, uint64_t stream, int64_t b, const bench *w)
{
    const int64_t n = s->n;
#pragma omp parallel for schedule(dynamic, 1) num_threads(nep_ctx_threads(ctx))
    for (int c = 0; c < COLS; c++) {
        nep_variogram_shuffle(s->seed, stream, b + c, n, w->order + c * n);
        for (int64_t i = 0; i < n; i++)
            w->noise[c * n + i] = (float)nep_philox_gauss(s->seed, stream, variogram_index(b + c, n + i));
    }
    for (int64_t i = 0; i < n; i++)
        w->bag[i] = (int32_t)i;
    for (int64_t r = 0; r < s->sample; r++) { /* the first draws of a shuffle */
        const double u = nep_philox_uniform(s->seed, stream, variogram_index(b, 2 * n + r));
        const int64_t j = r + (int64_t)(u * (double)(n - r));
        w->sample[r] = w->bag[j];
        w->bag[j] = w->bag[r];
    }
}

static int ascending(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static void hand_out(nep_ctx *ctx, const nep_sampled *s, const bench *w, int64_t from, int64_t to, bool own_values, float *out)
{
    const int64_t n = s->n;
#pragma omp parallel for schedule(dynamic, 1) num_threads(nep_ctx_threads(ctx))
    for (int64_t c = from; c < to; c++) {
        float *row = out + (c - from) * n;
        if (!own_values) {
            memcpy(row, w->out + c * n, (size_t)n * sizeof *row);
            continue;
        }
        double *value = w->value + n * omp_get_thread_num();
        for (int64_t i = 0; i < n; i++)
            value[i] = (double)w->out[c * n + i];
        nep_variogram_take_values(w->sorted, n, value, w->item + n * omp_get_thread_num());
        for (int64_t i = 0; i < n; i++)
            row[i] = (float)value[i];
    }
}

nep_status nep_sampled_draw(nep_ctx *ctx, const nep_sampled *s, const double *map, uint64_t stream, int64_t first, int64_t count,
                            bool own_values, float *out)
{
    const int64_t n = s->n;
    bench w = {0};
    double sd;
    nep_status st;
    NEP_REQUIRE(ctx, first >= 0 && count >= 0, NEP_E_ARG, "nulls: surrogates %lld and %lld more cannot be drawn", (long long)first,
                (long long)count);
    NEP_TRY_OR_DONE(st, bench_new(ctx, s, own_values, &w));
    NEP_TRY_OR_DONE(st, nep_variogram_standard(ctx, map, n, w.z, &sd));
    memcpy(w.sorted, map, (size_t)n * sizeof *map);
    qsort(w.sorted, own_values ? (size_t)n : 0, sizeof *w.sorted, ascending);
    for (int64_t b = first / COLS * COLS; b < first + count; b += COLS) {
        const int64_t from = first > b ? first - b : 0, to = first + count < b + COLS ? first + count - b : COLS;
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
        chance(ctx, s, stream, b, &w);
        NEP_TRY_OR_DONE(st, nep_sampled_blend(ctx, s, w.z, sd, w.order, w.noise, w.sample, &w.work, w.out, NULL));
        hand_out(ctx, s, &w, from, to, own_values, out + (b + from - first) * n);
    }
done:
    bench_free(&w);
    return st;
}
