/* SPDX-License-Identifier: Apache-2.0 */
/* listed - places with a list of the nearest of each: what smooths them and makes their variogram where they lie on no grid, such as vertices. */
#include "core/select.h"
#include "nulls.h"
#include "sampled.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { SCALES = SAMPLED_SCALES, COLS = SAMPLED_COLS, LAGS = NEP_VARIOGRAM_LAGS, STEPS = 4096 };

/* ---- lists ---- */

typedef struct {
    float mm;
    int32_t place;
} listed;

static int by_distance(const void *x, const void *y)
{
    const listed *a = x, *b = y;
    if (a->mm != b->mm)
        return a->mm < b->mm ? -1 : 1;
    return a->place - b->place;
}

/* The nearest of place i in its block. mm [n] and item [n] are scratch. */
static void list_one(const nep_sampled *s, const double (*place)[3], const int32_t *block, int64_t i, double *mm, listed *item)
{
    int64_t n = 0, k = 0;
    for (int64_t j = 0; j < s->n; j++)
        if (j != i && block[j] == block[i])
            mm[n++] = nulls_distance(place[i], place[j]);
    const float reach = (float)nep_select_kth(mm, n, s->neighbours - 1);
    for (int64_t j = 0; j < s->n; j++) {
        if (j == i || block[j] != block[i])
            continue;
        const float d = (float)nulls_distance(place[i], place[j]);
        if (d <= reach)
            item[k++] = (listed){d, (int32_t)j};
    }
    qsort(item, (size_t)k, sizeof *item, by_distance);
    for (int64_t t = 0; t < s->neighbours; t++) {
        s->near[i * s->neighbours + t] = item[t].place;
        s->far[i * s->neighbours + t] = item[t].mm;
    }
}

/* exp(-u) for u from 0 to 1 by the straight line between 4096 points: within 8e-9. */
static inline double weigh(const double *table, double u)
{
    const double at = u * STEPS;
    const int64_t k = (int64_t)at;
    return table[k] + (table[k + 1] - table[k]) * (at - (double)k);
}

static int64_t nearest_of(const nep_sampled *s, int scale)
{
    return s->neighbours * (3 + 2 * scale) / 10;
}

static void weigh_one(const nep_sampled *s, int64_t i)
{
    const float *far = s->far + i * s->neighbours;
    for (int c = 0; c < SCALES; c++) {
        const int64_t k = nearest_of(s, c);
        const double scale = far[k - 1] > 0.0f ? 1.0 / (double)far[k - 1] : 0.0;
        double sum = 0.0;
        for (int64_t t = 0; t < k; t++)
            sum += weigh(s->weight, (double)far[t] * scale);
        s->norm[i * SCALES + c] = 1.0 / sum;
        s->scale[i * SCALES + c] = scale;
    }
}

static nep_status make_lags(nep_ctx *ctx, nep_sampled *s)
{
    static const double percent = 70.0;
    const int64_t all = s->n * s->neighbours;
    const double at = percent / 100.0 * (double)(all - 1);
    const int64_t low = (int64_t)floor(at);
    double *mm = NULL, first = INFINITY, next = INFINITY;
    NEP_TRY(nep_alloc(ctx, all, sizeof *mm, "nulls: distances", &mm));
    for (int64_t i = 0; i < all; i++)
        mm[i] = (double)s->far[i];
    const double a = nep_select_kth(mm, all, low);
    for (int64_t i = low + 1; i < all; i++)
        next = mm[i] < next ? mm[i] : next;
    for (int64_t i = 0; i < s->n; i++)
        first = (double)s->far[i * s->neighbours] < first ? (double)s->far[i * s->neighbours] : first;
    nep_alloc_free(mm);
    const double last = a + (next - a) * (at - (double)low);
    NEP_REQUIRE(ctx, last > first, NEP_E_ARG, "nulls: the nearest of %lld places are all equally far, so there is no variogram", (long long)s->n);
    for (int h = 0; h < LAGS; h++)
        s->lag[h] = h == LAGS - 1 ? last : first + (last - first) / (LAGS - 1) * h;
    return NEP_OK;
}

static nep_status make_lists(nep_ctx *ctx, const double (*place)[3], const int32_t *block, nep_sampled *s)
{
    const int threads = nep_ctx_threads(ctx);
    double *mm = NULL;
    listed *item = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * threads, sizeof *mm, "nulls: distances", &mm));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n * threads, sizeof *item, "nulls: distances", &item));
    for (int64_t b = 0; b < s->n; b += 4096) {
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
#pragma omp parallel for schedule(dynamic, 16) num_threads(threads)
        for (int64_t i = b; i < (b + 4096 < s->n ? b + 4096 : s->n); i++) {
            list_one(s, place, block, i, mm + s->n * omp_get_thread_num(), item + s->n * omp_get_thread_num());
            weigh_one(s, i);
        }
    }
done:
    nep_alloc_free(item);
    nep_alloc_free(mm);
    return st;
}

nep_status nep_listed_prepare(nep_ctx *ctx, const double (*place)[3], const int32_t *block, nep_sampled *s)
{
    const int64_t all = s->n * s->neighbours;
    NEP_TRY(nep_alloc(ctx, all, sizeof *s->near, "nulls: nearest places", &s->near));
    NEP_TRY(nep_alloc(ctx, all, sizeof *s->far, "nulls: distances to the nearest", &s->far));
    NEP_TRY(nep_alloc(ctx, s->n * SCALES, sizeof *s->norm, "nulls: weights", &s->norm));
    NEP_TRY(nep_alloc(ctx, s->n * SCALES, sizeof *s->scale, "nulls: weights", &s->scale));
    NEP_TRY(nep_alloc(ctx, STEPS + 2, sizeof *s->weight, "nulls: weights", &s->weight));
    for (int k = 0; k < STEPS + 2; k++)
        s->weight[k] = exp(-(double)k / STEPS);
    NEP_TRY(make_lists(ctx, place, block, s));
    return make_lags(ctx, s);
}

/* ---- smoothing and variogram: columns side by side, in code for each family of processors ---- */

#if defined(__x86_64__)
#define AVX2   __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512vl,avx512dq")))
#endif
#define BODY static inline __attribute__((always_inline))

typedef float half __attribute__((vector_size(COLS / 2 * sizeof(float))));
typedef double wide __attribute__((vector_size(COLS / 2 * sizeof(double))));

BODY void load(const float *x, wide *out)
{
    half part[2];
    memcpy(part, x, sizeof part);
    out[0] = __builtin_convertvector(part[0], wide);
    out[1] = __builtin_convertvector(part[1], wide);
}

BODY void smooth_body(const nep_sampled *s, const float *x, int64_t i, float *out)
{
    const int32_t *near = s->near + i * s->neighbours;
    const float *far = s->far + i * s->neighbours;
    const double *scale = s->scale + i * SCALES, *norm = s->norm + i * SCALES;
    wide sum[SCALES][2] = {{{0}}};
    for (int from = 0; from < SCALES; from++)
        for (int64_t t = from ? nearest_of(s, from - 1) : 0; t < nearest_of(s, from); t++) {
            wide v[2];
            load(x + (int64_t)near[t] * COLS, v);
            for (int c = from; c < SCALES; c++) {
                const double w = weigh(s->weight, (double)far[t] * scale[c]);
                sum[c][0] += w * v[0];
                sum[c][1] += w * v[1];
            }
        }
    for (int c = 0; c < SCALES; c++) {
        half part[2] = {__builtin_convertvector(sum[c][0] * norm[c], half), __builtin_convertvector(sum[c][1] * norm[c], half)};
        memcpy(out + (c * s->n + i) * COLS, part, sizeof part);
    }
}

/* Half the squared differences of the pairs of place i in every map, weighted for each lag: sum [n_maps, LAGS, COLS], all [LAGS]. */
BODY void pairs_body(const nep_sampled *s, const float *x, int64_t n_maps, int64_t i, double *sum, double *all)
{
    const double scale = NEP_VARIOGRAM_KERNEL / (3.0 * (s->lag[1] - s->lag[0]));
    for (int64_t t = 0; t < s->neighbours && (double)s->far[i * s->neighbours + t] < s->lag[LAGS - 1]; t++) {
        const float *a = x + i * COLS, *b = x + (int64_t)s->near[i * s->neighbours + t] * COLS;
        double w[LAGS];
        for (int h = 0; h < LAGS; h++) {
            const double u = scale * ((double)s->far[i * s->neighbours + t] - s->lag[h]);
            w[h] = exp(-0.5 * u * u);
            all[h] += w[h];
        }
        for (int64_t m = 0; m < n_maps; m++) {
            half p[2], q[2];
            memcpy(p, a + m * s->n * COLS, sizeof p);
            memcpy(q, b + m * s->n * COLS, sizeof q);
            wide low = __builtin_convertvector(p[0] - q[0], wide), high = __builtin_convertvector(p[1] - q[1], wide);
            low *= 0.5 * low;
            high *= 0.5 * high;
            for (int h = 0; h < LAGS; h++) {
                wide got[2];
                double *to = sum + (m * LAGS + h) * COLS;
                memcpy(got, to, sizeof got);
                got[0] += w[h] * low;
                got[1] += w[h] * high;
                memcpy(to, got, sizeof got);
            }
        }
    }
}

typedef void smooth_function(const nep_sampled *s, const float *x, int64_t i, float *out);
typedef void pairs_function(const nep_sampled *s, const float *x, int64_t n_maps, int64_t i, double *sum, double *all);

static void smooth_plain(const nep_sampled *s, const float *x, int64_t i, float *out)
{
    smooth_body(s, x, i, out);
}

static void pairs_plain(const nep_sampled *s, const float *x, int64_t n_maps, int64_t i, double *sum, double *all)
{
    pairs_body(s, x, n_maps, i, sum, all);
}

#if defined(__x86_64__)
AVX2 static void smooth_avx2(const nep_sampled *s, const float *x, int64_t i, float *out)
{
    smooth_body(s, x, i, out);
}

AVX2 static void pairs_avx2(const nep_sampled *s, const float *x, int64_t n_maps, int64_t i, double *sum, double *all)
{
    pairs_body(s, x, n_maps, i, sum, all);
}

AVX512 static void smooth_avx512(const nep_sampled *s, const float *x, int64_t i, float *out)
{
    smooth_body(s, x, i, out);
}

AVX512 static void pairs_avx512(const nep_sampled *s, const float *x, int64_t n_maps, int64_t i, double *sum, double *all)
{
    pairs_body(s, x, n_maps, i, sum, all);
}
#endif

/* The code of this machine's processor; all round alike. */
static void choose(smooth_function **smooth, pairs_function **pairs)
{
    *smooth = smooth_plain;
    *pairs = pairs_plain;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        *smooth = smooth_avx512;
        *pairs = pairs_avx512;
    } else if (__builtin_cpu_supports("avx2")) {
        *smooth = smooth_avx2;
        *pairs = pairs_avx2;
    }
#endif
}

void nep_listed_smooth(nep_ctx *ctx, const nep_sampled *s, const float *x, float *out)
{
    smooth_function *work;
    pairs_function *other;
    choose(&work, &other);
#pragma omp parallel for schedule(dynamic, 64) num_threads(nep_ctx_threads(ctx))
    for (int64_t i = 0; i < s->n; i++)
        work(s, x, i, out);
}

nep_status nep_listed_gamma(nep_ctx *ctx, const nep_sampled *s, const float *x, int64_t n_maps, const int32_t *sample, double *gamma)
{
    enum { PARTS = 16 }; /* of the sample, whatever the number of threads */
    const int64_t own = (n_maps * COLS + 1) * LAGS, cells = n_maps * LAGS * COLS;
    smooth_function *other;
    pairs_function *work;
    double *part = NULL;
    choose(&other, &work);
    NEP_TRY(nep_alloc(ctx, PARTS * own, sizeof *part, "nulls: squares of pairs", &part));
#pragma omp parallel for schedule(dynamic, 1) num_threads(nep_ctx_threads(ctx))
    for (int64_t k = 0; k < PARTS; k++)
        for (int64_t r = k * s->sample / PARTS; r < (k + 1) * s->sample / PARTS; r++)
            work(s, x, n_maps, sample[r], part + k * own, part + k * own + cells);
    for (int64_t k = 1; k < PARTS; k++)
        for (int64_t i = 0; i < own; i++)
            part[i] += part[k * own + i];
    for (int64_t i = 0; i < cells; i++)
        gamma[i] = part[i] / part[cells + i / COLS % LAGS];
    nep_alloc_free(part);
    return NEP_OK;
}
